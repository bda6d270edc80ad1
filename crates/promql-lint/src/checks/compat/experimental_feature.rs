//! `experimental-feature` (V002).

use promql_syntax::Span;
use promql_syntax::ast::{Duration, Modifiers, NodeKind};
use promql_syntax::functions::Stability;

use crate::check::{Severity, declare_check};
use crate::context::ExprContext;
use crate::finding::Report;
use crate::shape::word;

declare_check! {
    /// Finds what a server reads only if it was started with a feature flag, or if it is newer than the one that
    /// `target` names: `limitk`, `info`, `mad_over_time`, `anchored`, `fill`, computed durations.
    ///
    /// ## Why it matters
    /// A server without the flag refuses the whole file, with all other rules in it. What is experimental can
    /// also change, or go, with the next version.
    ///
    /// `enabled-features` says which flags the server has: then what needs another one is an error, and what it
    /// has is not told.
    ///
    /// ## Examples
    /// ```toml config
    /// [lint]
    /// target = "3.5"
    /// enabled-features = ["promql-extended-range-selectors"]
    /// ```
    /// ```promql bad
    /// count(limitk(3, up)) < 3
    ///       ^^^^^^ error: `limitk` needs the feature flag `promql-experimental-functions`
    /// ```
    /// ```promql bad
    /// max(mad_over_time(queue_length[1h])) > 10
    ///     ^^^^^^^^^^^^^ error: `mad_over_time` needs the feature flag `promql-experimental-functions`
    /// ```
    /// ```promql bad
    /// rate(requests_total[5m + 1m]) > 10
    ///                     ^^^^^^^ error: a computed duration needs the feature flag `promql-duration-expr`
    /// ```
    /// ```promql bad
    /// first_over_time(queue_length[1h]) > 10
    /// ^^^^^^^^^^^^^^^ error: Prometheus 3.5 does not know `first_over_time`
    /// ```
    /// ```promql bad
    /// errors + fill (0) requests > 10
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^ error: Prometheus 3.5 does not know `fill`
    /// ```
    /// ```promql good
    /// topk(3, up) < 1
    /// ```
    /// A metric may be called so:
    /// ```promql good
    /// info + anchored + limitk > 1
    /// ```
    /// ```promql good
    /// last_over_time(queue_length[1h]) > 10
    /// ```
    "V002" "experimental-feature" Warning, Proven, fix: Never, Expr(look)
}

const FUNCTIONS: &str = "promql-experimental-functions";
const RANGES: &str = "promql-extended-range-selectors";
const FILL: &str = "promql-binop-fill-modifiers";
const DURATIONS: &str = "promql-duration-expr";

/// The newest version that doesn't know these: it was asked.
const BEFORE: (u32, u32) = (3, 5);
const LATER: &[&str] = &[
    "end", "first_over_time", "histogram_quantiles", "max_of", "min_of", "range", "start", "start_timestamp",
    "step", "ts_of_first_over_time", "ts_of_last_over_time", "anchored", "smoothed", "fill",
];

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, node) in cx.nodes() {
        match node.kind {
            NodeKind::Call { function, .. } => {
                let flag = (function.stability == Stability::Experimental).then_some(FUNCTIONS);
                tell(cx, report, word(cx, id), function.name, flag);
            }
            NodeKind::Aggregate { op, .. } => {
                let flag = (op.info().stability == Stability::Experimental).then_some(FUNCTIONS);
                tell(cx, report, word(cx, id), op.name(), flag);
            }
            NodeKind::VectorSelector(selector) => {
                of_modifiers(cx, report, node.span, &cx.expr.selector(selector).modifiers);
            }
            NodeKind::MatrixSelector { range: Duration::Expr(range), .. } => {
                tell(cx, report, cx.expr.duration(range).span, "a computed duration", Some(DURATIONS));
            }
            NodeKind::Subquery(subquery) => {
                let subquery = cx.expr.subquery(subquery);
                of_modifiers(cx, report, node.span, &subquery.modifiers);
                for duration in [Some(subquery.range), subquery.step].into_iter().flatten() {
                    let Duration::Expr(duration) = duration else { continue };
                    let span = cx.expr.duration(duration).span;
                    tell(cx, report, span, "a computed duration", Some(DURATIONS));
                }
            }
            NodeKind::Binary { modifiers: Some(modifiers), .. } => {
                let modifiers = cx.expr.binary_modifiers(modifiers);
                if modifiers.fill_left.is_some() || modifiers.fill_right.is_some() {
                    tell(cx, report, node.span, "fill", Some(FILL));
                }
            }
            _ => {}
        }
    }
}

fn of_modifiers(cx: &ExprContext<'_>, report: &mut Report<'_>, span: Span, modifiers: &Modifiers) {
    if let Some(offset) = modifiers.offset_expr {
        tell(cx, report, cx.expr.duration(offset).span, "a computed duration", Some(DURATIONS));
    }
    let words = [(modifiers.anchored, "anchored"), (modifiers.smoothed, "smoothed")];
    for (_, word) in words.into_iter().filter(|(is_there, _)| *is_there) {
        tell(cx, report, span, word, Some(RANGES));
    }
}

/// Says that something is not for every server; nothing if it is.
fn tell(cx: &ExprContext<'_>, report: &mut Report<'_>, span: Span, what: &str, flag: Option<&str>) {
    let known = cx.settings().known();
    let named = if what.contains(' ') { what.to_owned() } else { format!("`{what}`") };
    let is_unknown = known.target.is_some_and(|target| target <= BEFORE) && LATER.contains(&what);
    if is_unknown {
        let (major, minor) = known.target.unwrap_or(BEFORE);
        report
            .at(cx.place(span), format!("Prometheus {major}.{minor} does not know {named}"))
            .severity(Severity::Error)
            .help("it came with a later version; write it without, or raise `target`");
        return;
    }
    let Some(flag) = flag else { return };
    // Computed durations are there without a flag in the newest versions.
    if flag == DURATIONS && known.target.is_none() {
        return;
    }
    let features = known.features.as_deref();
    if features.is_some_and(|features| features.iter().any(|known| known == flag)) {
        return;
    }
    let finding = report.at(cx.place(span), format!("{named} needs the feature flag `{flag}`"));
    match features {
        Some(_) => {
            finding.severity(Severity::Error);
            finding.help("the server has other flags: `enabled-features` says which");
        }
        None => {
            finding.help(format!("start the server with `--enable-feature={flag}`, and say so in `enabled-features`"));
        }
    }
}
