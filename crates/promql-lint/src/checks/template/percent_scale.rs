//! `percent-scale` (T008).

use promql_syntax::ast::{BinaryOp, NodeKind};

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::{Edit, Report, Safety};
use crate::templates::{actions, templates};

declare_check! {
    /// Finds `humanizePercentage` of a value that is multiplied by 100 already.
    ///
    /// ## Why it matters
    /// `humanizePercentage` multiplies by 100, so 95 % reads as 9500 %.
    ///
    /// ## Examples
    /// ```yaml bad
    /// - alert: Full
    ///   expr: 100 * disk_used_bytes / disk_size_bytes > 90
    ///   annotations:
    ///     summary: "{{ $value | humanizePercentage }} is used"
    ///                           ^^^^^^^^^^^^^^^^^^ the value is multiplied by 100 twice
    /// ```
    /// ```yaml fixed
    /// - alert: Full
    ///   expr: 100 * disk_used_bytes / disk_size_bytes > 90
    ///   annotations:
    ///     summary: "{{ $value | humanize }}% is used"
    /// ```
    /// ```yaml bad
    /// - alert: Full
    ///   expr: (disk_used_bytes / disk_size_bytes) * 100 > 90
    ///   annotations:
    ///     summary: "{{ humanizePercentage $value }} is used"
    ///                  ^^^^^^^^^^^^^^^^^^ the value is multiplied by 100 twice
    /// ```
    /// ```yaml fixed
    /// - alert: Full
    ///   expr: (disk_used_bytes / disk_size_bytes) * 100 > 90
    ///   annotations:
    ///     summary: "{{ humanize $value }}% is used"
    /// ```
    /// ```yaml bad
    /// - alert: Failing
    ///   expr: sum(rate(errors_total[5m])) / sum(rate(requests_total[5m])) * 100 >= 5
    ///   annotations:
    ///     summary: "{{ .Value | humanizePercentage }} of requests fail"
    ///                           ^^^^^^^^^^^^^^^^^^ the value is multiplied by 100 twice
    /// ```
    /// ```yaml fixed
    /// - alert: Failing
    ///   expr: sum(rate(errors_total[5m])) / sum(rate(requests_total[5m])) * 100 >= 5
    ///   annotations:
    ///     summary: "{{ .Value | humanize }}% of requests fail"
    /// ```
    /// ```yaml good
    /// - alert: Full
    ///   expr: disk_used_bytes / disk_size_bytes > 0.9
    ///   annotations:
    ///     summary: "{{ $value | humanizePercentage }} is used"
    /// ```
    /// ```yaml good
    /// - alert: Full
    ///   expr: 100 * disk_used_bytes / disk_size_bytes > 90
    ///   annotations:
    ///     summary: "{{ $value | humanize }}% is used"
    /// ```
    /// It may be about another value:
    /// ```yaml good
    /// - alert: Full
    ///   expr: 100 * disk_used_bytes / disk_size_bytes > 90
    ///   annotations:
    ///     summary: '{{ with query "disk_ratio" }}{{ . | first | value | humanizePercentage }}{{ end }}'
    /// ```
    "T008" "percent-scale" Warning, Proven, fix: Unsafe, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    let mut scale = None;
    for template in templates(&cx.rule) {
        let text = template.text.value.as_str();
        if !text.contains("humanizePercentage") {
            continue;
        }
        if scale.is_none() {
            scale = Some(factor(cx));
        }
        let Some(Some(factor)) = scale else { return };
        for action in actions(text) {
            let inner = &text[action.clone()];
            let words: Vec<&str> = inner.split(|c: char| c.is_whitespace() || c == '|' || c == '-').collect();
            let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
            let is_value = |word: &str| word == "$value" || word == ".Value";
            let is_it = match words[..] {
                [value, function] => is_value(value) && function == "humanizePercentage"
                    || function != "humanizePercentage" && is_value(function) && value == "humanizePercentage",
                _ => false,
            };
            if !is_it {
                continue;
            }
            let at = action.start + inner.find("humanizePercentage").unwrap_or_default();
            let place = cx.rule.place(template.text, at..at + "humanizePercentage".len());
            let behind = &text[action.end..];
            // `humanizePercentage` adds the sign.
            let mut edits = vec![Edit { span: place.clone(), text: "humanize".to_owned() }];
            let end = action.end + behind.find("}}").map_or(0, |at| at + 2);
            let end = cx.rule.place(template.text, end..end).start;
            edits.push(Edit { span: end..end, text: "%".to_owned() });
            report
                .at(place, "the value is multiplied by 100 twice")
                .label("multiplies by 100 again")
                .also(cx.place_of(factor), "multiplied by 100 here")
                .help("leave out one of them")
                .fix(Safety::Unsafe, "print the percentage as it is", Some(edits));
        }
    }
}

/// The factor of 100 in what an alert compares with its threshold, if there is one.
fn factor(cx: &ExprContext<'_>) -> Option<promql_syntax::ast::NodeId> {
    let mut at = cx.bare(cx.expr.root());
    if let NodeKind::Binary { op, lhs, rhs, .. } = cx.expr.kind(at)
        && op.is_comparison()
        && cx.number(rhs).is_some()
    {
        at = cx.bare(lhs);
    }
    loop {
        let NodeKind::Binary { op, lhs, rhs, .. } = cx.expr.kind(at) else { return None };
        let is_hundred = |id| cx.number(id) == Some(100.0);
        at = match op {
            BinaryOp::Mul if is_hundred(lhs) => return Some(lhs),
            BinaryOp::Mul if is_hundred(rhs) => return Some(rhs),
            BinaryOp::Div => cx.bare(lhs),
            _ => return None,
        };
    }
}
