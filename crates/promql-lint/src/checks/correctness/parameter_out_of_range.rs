//! `parameter-out-of-range` (C036).

use promql_syntax::ast::{NodeId, NodeKind};
use promql_syntax::{Aggregator, Function};

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::{Report, Safety};

declare_check! {
    /// Finds a parameter outside of what makes sense: a quantile beyond 0 and 1, `topk(0, …)`, a `clamp` whose
    /// minimum is above its maximum, a replacement that names a group that the pattern lacks.
    ///
    /// ## Why it matters
    /// The result is infinite, empty, or has an empty label.
    ///
    /// ## Examples
    /// ```promql bad
    /// histogram_quantile(95, sum by (le) (rate(latency_seconds_bucket[5m]))) > 3
    ///                    ^^ a quantile lies between 0 and 1
    /// ```
    /// ```promql fixed
    /// histogram_quantile(0.95, sum by (le) (rate(latency_seconds_bucket[5m]))) > 3
    /// ```
    /// ```promql bad
    /// topk(0, queue_length)
    ///      ^ `topk` of less than one gives nothing; the result is always empty
    /// ```
    /// ```promql bad
    /// clamp(queue_length, 10, 5)
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^ the minimum is above the maximum; the result is always empty
    /// ```
    /// ```promql bad
    /// label_replace(up, "zone", "$2", "instance", "(.*)-.*")
    ///                           ^^^^ `$2`: the pattern has 1 groups
    /// ```
    /// ```promql good
    /// histogram_quantile(0.95, sum by (le) (rate(latency_seconds_bucket[5m]))) > 3
    /// ```
    /// ```promql good
    /// label_replace(up, "zone", "$1", "instance", "(.*)-.*")
    /// ```
    /// ```promql good
    /// quantile(1, queue_length) / quantile(0, queue_length)
    /// ```
    "C036" "parameter-out-of-range" Error, Proven, fix: Unsafe, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, node) in cx.nodes() {
        match node.kind {
            NodeKind::Aggregate { op, param: Some(param), .. } => match op {
                Aggregator::Quantile => quantile(cx, param, report),
                Aggregator::Topk | Aggregator::Bottomk | Aggregator::Limitk => {
                    let Some(k) = cx.number(param) else { continue };
                    if k < 1.0 {
                        report
                            .at(cx.place_of(param), format!("`{}` of less than one gives nothing", op.name()))
                            .consequence("the result is always empty");
                    }
                }
                Aggregator::LimitRatio
                    if cx.number(param).is_some_and(|ratio| !(-1.0..=1.0).contains(&ratio)) =>
                {
                    report.at(cx.place_of(param), "a ratio lies between -1 and 1");
                }
                _ => {}
            },
            NodeKind::Call { function, args } => call(cx, id, function.function, cx.expr.arguments(args), report),
            _ => {}
        }
    }
}

fn quantile(cx: &ExprContext<'_>, id: NodeId, report: &mut Report<'_>) {
    let Some(value) = cx.number(id).filter(|value| !(0.0..=1.0).contains(value)) else { return };
    let finding = report.at(cx.place_of(id), "a quantile lies between 0 and 1");
    finding.label("the result is infinite");
    if value > 1.0 && value <= 100.0 {
        let text = format!("{}", value / 100.0);
        finding
            .help(format!("write `{text}`"))
            .fix(Safety::Unsafe, format!("write `{text}`"), cx.edits(&[(cx.expr.span(id), &text)]));
    }
}

fn call(
    cx: &ExprContext<'_>,
    id: NodeId,
    function: Function,
    arguments: &[NodeId],
    report: &mut Report<'_>,
) {
    match (function, arguments) {
        (Function::HistogramQuantile | Function::QuantileOverTime, [q, _]) => quantile(cx, *q, report),
        (Function::HistogramQuantiles, [_, _, quantiles @ ..]) => {
            quantiles.iter().for_each(|q| quantile(cx, *q, report));
        }
        (Function::DoubleExponentialSmoothing, [_, factors @ ..]) => {
            for factor in factors {
                if cx.number(*factor).is_some_and(|value| value <= 0.0 || value >= 1.0) {
                    report.at(cx.place_of(*factor), "a smoothing factor lies between 0 and 1");
                }
            }
        }
        (Function::Clamp, [_, min, max])
            if cx.number(*min).zip(cx.number(*max)).is_some_and(|(min, max)| min > max) =>
        {
            report
                .at(cx.place_of(id), "the minimum is above the maximum")
                .consequence("the result is always empty");
        }
        (Function::Round, [_, to]) if cx.number(*to) == Some(0.0) => {
            report.at(cx.place_of(*to), "rounding to a multiple of 0 gives NaN");
        }
        (Function::LabelReplace, [_, _, replacement, _, regex]) => {
            groups(cx, *replacement, *regex, report);
        }
        _ => {}
    }
}

/// Looks for groups that a replacement names and the pattern lacks.
fn groups(cx: &ExprContext<'_>, replacement: NodeId, regex: NodeId, report: &mut Report<'_>) {
    let string = |id: NodeId| match cx.expr.kind(cx.bare(id)) {
        NodeKind::String(text) => std::str::from_utf8(cx.expr.text(text)).ok(),
        _ => None,
    };
    let (Some(text), Some(pattern)) = (string(replacement), string(regex)) else { return };
    let Some(count) = crate::pattern::groups(pattern) else { return };
    let rest = text.replace("$$", "");
    for part in rest.split('$').skip(1) {
        let number = part.strip_prefix('{').unwrap_or(part);
        let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
        let is_name = number[digits.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
        let Some(number) = digits.parse::<u32>().ok().filter(|_| !is_name) else { continue };
        if number > count {
            report
                .at(cx.place_of(replacement), format!("`${number}`: the pattern has {count} groups"))
                .also(cx.place_of(regex), "the pattern")
                .help("what is not there is replaced by nothing");
        }
    }
}
