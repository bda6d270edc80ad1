//! `multi-value-equality` (D009).

use promql_model::MatchOp;

use crate::check::declare_check;
use crate::context::TargetContext;
use crate::finding::{Report, Safety};

declare_check! {
    /// Finds `=` or `!=` with a variable that may have several values at once.
    ///
    /// ## Why it matters
    /// With two values, or with "All", the variable becomes `(a|b)`, which `=` takes for a text.
    ///
    /// ## Examples
    /// ```json bad
    /// {"templating": {"list": [{"name": "job", "multi": true}]},
    ///  "panels": [{"title": "Up", "targets": [{"expr": "up{job=\"$job\"}"}]}]}
    ///                                                      ^^^^^^^^^^^^ `job` may have several values, and `=` compares with one
    /// ```
    /// ```json fixed
    /// {"templating": {"list": [{"name": "job", "multi": true}]},
    ///  "panels": [{"title": "Up", "targets": [{"expr": "up{job=~\"$job\"}"}]}]}
    /// ```
    /// ```json bad
    /// {"templating": {"list": [{"name": "job", "includeAll": true}]},
    ///  "panels": [{"title": "Up", "targets": [{"expr": "sum(up{env=\"prod\", job!=\"[[job]]\"})"}]}]}
    ///                                                                        ^^^^^^^^^^^^^^^^ `job` may have several values, and `!=` compares with one
    /// ```
    /// ```json fixed
    /// {"templating": {"list": [{"name": "job", "includeAll": true}]},
    ///  "panels": [{"title": "Up", "targets": [{"expr": "sum(up{env=\"prod\", job!~\"[[job]]\"})"}]}]}
    /// ```
    /// ```json bad
    /// {"templating": {"list": [{"name": "job", "multi": true}]},
    ///  "panels": [{"title": "Up", "targets": [{"expr": "up{job=\"shop-${job}\"}"}]}]}
    ///                                                      ^^^^^^^^^^^^^^^^^^^ `job` may have several values, and `=` compares with one
    /// ```
    /// ```json fixed
    /// {"templating": {"list": [{"name": "job", "multi": true}]},
    ///  "panels": [{"title": "Up", "targets": [{"expr": "up{job=~\"shop-${job}\"}"}]}]}
    /// ```
    /// ```json good
    /// {"templating": {"list": [{"name": "job", "multi": true}]},
    ///  "panels": [{"title": "Up", "targets": [{"expr": "up{job=~\"$job\"}"}]}]}
    /// ```
    /// ```json good
    /// {"templating": {"list": [{"name": "job"}]},
    ///  "panels": [{"title": "Up", "targets": [{"expr": "up{job=\"$job\"}"}]}]}
    /// ```
    /// ```json good
    /// {"templating": {"list": [{"name": "job", "multi": true}]},
    ///  "panels": [{"title": "$job", "targets": [{"expr": "up{job=\"${job:raw}\"}"}]}]}
    /// ```
    "D009" "multi-value-equality" Warning, Proven, fix: Unsafe, Target(look)
}

fn look(cx: &TargetContext<'_>, report: &mut Report<'_>) {
    let Some(expr) = cx.expr else { return };
    for matcher in expr.matchers() {
        let new = match matcher.op {
            MatchOp::Equal => "=~",
            MatchOp::NotEqual => "!~",
            _ => continue,
        };
        let span = matcher.value_span.range();
        let multi = cx.target.uses.iter().find(|variable| {
            let is_within = span.start <= variable.place.start && variable.place.end <= span.end;
            let known = cx.dashboard.variable(&variable.name);
            is_within && variable.format.is_none() && known.is_some_and(|known| known.is_multi)
        });
        let Some(variable) = multi else { continue };
        report
            .at(
                expr.place(matcher.span),
                format!("`{}` may have several values, and `{}` compares with one", variable.name, matcher.op.symbol()),
            )
            .help(format!("write `{new}`"))
            .fix(Safety::Unsafe, format!("write `{new}`"), expr.edits(&[(expr.operator_span(matcher), new)]));
    }
}
