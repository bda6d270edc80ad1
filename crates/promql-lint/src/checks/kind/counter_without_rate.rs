//! `counter-without-rate` (K001).

use promql_model::METRIC_NAME;
use promql_syntax::ast::{BinaryOp, NodeId, NodeKind};
use promql_syntax::{Aggregator, Span};

use crate::check::{Evidence, Severity, declare_check};
use crate::context::{ExprContext, RuleRef};
use crate::evidence::Operation;
use crate::finding::{Edit, Report, Safety};
use crate::flow::{Basis, Kind};
use crate::shape::{beneath, changes_labels_only, has, metric, selector};

declare_check! {
    /// Finds a counter whose value itself is compared, aggregated or calculated with.
    ///
    /// ## Why it matters
    /// A counter says how much has happened since its process began. Such an alert fires once, stays until the
    /// next restart however long ago the trouble was, and is silent when a new one begins right behind a restart.
    /// What happens is its increase.
    ///
    /// That a name ends in `_total` is not enough for a warning, as gauges are called so too: then this is an
    /// information, and nothing is said if other rules read the value of the metric as well, or if it is compared
    /// with 0: so it is asked whether something that must not be has ever been, or whether a gauge is 0.
    /// `[lint.metrics]` says which metrics are counters for certain.
    ///
    /// A `_sum` that is divided by the `_count` of the same name is a mean. Without a rate of both it is that of
    /// all observations since the process began, in which those of late count less from day to day.
    ///
    /// ## Examples
    /// ```toml config
    /// [lint.metrics]
    /// jobs_failed = "counter"
    /// pool_connections_total = "gauge"
    /// ```
    /// ```promql bad
    /// http_errors_total{job="shop"} > 10
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the value of the counter `http_errors_total` is compared, not its increase
    /// ```
    /// ```promql fixed
    /// increase(http_errors_total{job="shop"}[1h]) > 10
    /// ```
    /// ```promql bad
    /// sum by (job) (jobs_failed) > 0
    ///               ^^^^^^^^^^^ warning: the value of the counter `jobs_failed` is compared, not its increase
    /// ```
    /// ```promql fixed
    /// sum by (job) (increase(jobs_failed[1h])) > 0
    /// ```
    /// ```promql bad
    /// label_replace(http_errors_total, "a", "$1", "b", "(.*)") / http_requests_total > 0.1
    ///               ^^^^^^^^^^^^^^^^^ the value of the counter `http_errors_total` is calculated with, not its increase
    ///                                                            ^^^^^^^^^^^^^^^^^^^ the value of the counter `http_requests_total` is calculated with, not its increase
    /// ```
    /// ```promql fixed
    /// label_replace(rate(http_errors_total[5m]), "a", "$1", "b", "(.*)") / rate(http_requests_total[5m]) > 0.1
    /// ```
    /// ```promql bad
    /// sum by (instance) (write_seconds_sum) / sum by (instance) (write_seconds_count) * 1000 > 200
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this is the mean of all `write_seconds` since the process began
    /// ```
    /// ```promql fixed
    /// sum by (instance) (rate(write_seconds_sum[5m])) / sum by (instance) (rate(write_seconds_count[5m])) * 1000 > 200
    /// ```
    /// ```promql good
    /// increase(http_errors_total{job="shop"}[1h]) > 10
    /// ```
    /// The sum and the number of different things need not be counters:
    /// ```promql good
    /// budget_sum / team_count > 10
    /// ```
    /// Whether there are such series is no matter of their values:
    /// ```promql good
    /// count by (job) (http_errors_total) < 3 and on (job) http_errors_total
    /// ```
    /// Its own value an hour ago is what an increase is made of:
    /// ```promql good
    /// http_errors_total - http_errors_total offset 1h > 10
    /// ```
    /// A number of volumes can be called like a counter:
    /// ```promql good
    /// volumes_total - volumes_attached > 0
    /// ```
    /// What should never have happened, or how many there are:
    /// ```promql good
    /// memory_uncorrectable_errors_total > 0 or guests_not_backed_up_total > 0
    /// ```
    /// It is called like a counter, but known to be none:
    /// ```promql good
    /// pool_connections_total > 100
    /// ```
    "K001" "counter-without-rate" Info, Presumed, fix: Unsafe, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    look_at_means(cx, report);
    let mut parents = None;
    let mut found = Vec::new();
    for (id, selector) in cx.selectors() {
        let Some(name) = cx.metric_name(selector) else { continue };
        let Some(evidence) = counter(cx, name) else { continue };
        let parents = parents.get_or_insert_with(|| cx.parents());
        let Some((usage, other)) = usage(cx, id, name, parents) else { continue };
        // A number of things, such as `volumes_total`, is calculated with other gauges.
        let is_with_gauge = other.is_some_and(|other| !reads_counter(cx, other));
        let is_zero = other.is_some_and(|other| cx.number(other) == Some(0.0));
        if evidence == Evidence::Presumed && usage == "compared" && is_zero {
            continue;
        }
        found.push((id, name, evidence, usage, is_with_gauge));
    }
    let gauges: Vec<&str> = found.iter().filter(|found| found.4).map(|found| found.1).collect();
    for (id, name, evidence, usage, _) in found {
        let is_doubtful = || gauges.contains(&name) || is_read_so_elsewhere(cx, name);
        if evidence == Evidence::Presumed && is_doubtful() {
            continue;
        }
        let message = format!("the value of the counter `{name}` is {usage}, not its increase");
        let finding = report.at(cx.place_of(id), message);
        finding.evidence(evidence).label("what has happened since the process began");
        finding.help(match evidence {
            Evidence::Observed => "take a rate or an increase over a window",
            _ => "take a rate or an increase over a window; if it is no counter, say so in `[lint.metrics]` (assumed: suffix-kinds)",
        });
        if evidence == Evidence::Observed {
            finding.severity(Severity::Warning);
        }
        let function = if usage == "compared" { ("increase(", "[1h]") } else { ("rate(", "[5m]") };
        finding.fix(Safety::Unsafe, "take a rate or an increase", wrapped(cx, id, function));
    }
}

/// The means that are made of the values of a sum and a number of observations.
fn look_at_means(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    if !cx.env().presumes(Basis::SUFFIX_KINDS) {
        return;
    }
    for (id, operation) in Operation::all(cx).filter(|(_, found)| found.op == BinaryOp::Div) {
        let parts = added(cx, operation.lhs, "_sum").zip(added(cx, operation.rhs, "_count"));
        let Some(((sum, name), (count, other))) = parts.filter(|(a, b)| a.1 == b.1) else { continue };
        let is_gauge = |suffix| {
            let metric = cx.env().metric(&format!("{name}{suffix}"));
            metric.is_some_and(|m| m.quantity.is_some_and(|found| !found.kind.is_cumulative()))
        };
        if name.contains(':') || is_gauge("_sum") || is_gauge("_count") {
            continue;
        }
        let message = format!("this is the mean of all `{other}` since the process began");
        let finding = report.at(cx.place_of(id), message);
        finding.also(cx.place_of(sum), "adds up for ever");
        finding.help("take the rate of both over a window (assumed: suffix-kinds)");
        let rate = ("rate(", "[5m]");
        let edits = wrapped(cx, sum, rate).zip(wrapped(cx, count, rate));
        let edits = edits.map(|(a, b)| a.into_iter().chain(b).collect());
        finding.fix(Safety::Unsafe, "take the rate of both", edits);
    }
}

/// The selector of which a node is the value, or a sum of the values; and what its name has in front of a suffix.
fn added<'a>(cx: &ExprContext<'a>, mut id: NodeId, suffix: &str) -> Option<(NodeId, &'a str)> {
    loop {
        id = beneath(cx, id);
        match cx.expr.kind(id) {
            NodeKind::Aggregate { op: Aggregator::Sum, expr, .. } => id = expr,
            NodeKind::VectorSelector(_) => return Some((id, metric(cx, id)?.strip_suffix(suffix)?)),
            _ => return None,
        }
    }
}

/// Why a metric is believed to be a counter, if it is.
fn counter(cx: &ExprContext<'_>, name: &str) -> Option<Evidence> {
    let env = cx.env();
    if let Some(quantity) = env.metric(name).and_then(|metric| metric.quantity) {
        return quantity.kind.is_cumulative().then_some(Evidence::Observed);
    }
    let is_named_so = name.ends_with("_total") && !name.contains(':') && !env.is_recorded(name);
    (is_named_so && env.presumes(Basis::SUFFIX_KINDS)).then_some(Evidence::Presumed)
}

/// Whether the metrics that a node reads are counters by their names, or it reads none.
fn reads_counter(cx: &ExprContext<'_>, id: NodeId) -> bool {
    !has(cx, id, |kind| match kind {
        NodeKind::VectorSelector(id) => {
            let name = cx.metric_name(cx.expr.selector(id));
            name.is_none_or(|name| counter(cx, name).is_none())
        }
        _ => false,
    })
}

/// What is done with the value of a selector, if it matters, and with what other operand.
fn usage(
    cx: &ExprContext<'_>,
    id: NodeId,
    name: &str,
    parents: &[Option<NodeId>],
) -> Option<(&'static str, Option<NodeId>)> {
    let (mut at, mut usage) = (id, None);
    while let Some(parent) = parents[at.index()] {
        match cx.expr.kind(parent) {
            NodeKind::Paren(_) | NodeKind::Unary { .. } => {}
            NodeKind::Call { function, .. } if changes_labels_only(function.function) => {}
            NodeKind::Aggregate { op, .. } => match op {
                Aggregator::Sum | Aggregator::Avg | Aggregator::Min | Aggregator::Max => {
                    usage = Some("aggregated");
                }
                Aggregator::Topk | Aggregator::Bottomk => {}
                _ => return None,
            },
            NodeKind::Binary { op, lhs, rhs, .. } => {
                let other = if at == lhs { rhs } else { lhs };
                if op.is_set() {
                    // Who is asked only for its presence may have any value.
                    if at == rhs && op != BinaryOp::Or {
                        return None;
                    }
                } else if op == BinaryOp::Mul && is_info(cx, other) {
                    // What is multiplied by 1 keeps its value.
                } else if metric(cx, other) == Some(name) && is_of_other_time(cx, id, other) {
                    return None;
                } else {
                    let what = if op.is_comparison() { "compared" } else { "calculated with" };
                    return Some((what, Some(other)));
                }
            }
            _ => return None,
        }
        at = parent;
    }
    usage.map(|usage| (usage, None))
}

fn is_info(cx: &ExprContext<'_>, id: NodeId) -> bool {
    cx.flows().of(id).arms.iter().any(|arm| arm.quantity.kind == Kind::Info)
}

/// Whether two selectors are about different times.
fn is_of_other_time(cx: &ExprContext<'_>, a: NodeId, b: NodeId) -> bool {
    match (selector(cx, a), selector(cx, b)) {
        (Some(a), Some(b)) => a.modifiers != b.modifiers,
        _ => false,
    }
}

/// Whether another rule reads the value of a metric too, so that it may be no counter.
fn is_read_so_elsewhere(cx: &ExprContext<'_>, name: &str) -> bool {
    let set = cx.rule.set;
    let reads_value = |(at, span): &(RuleRef, Span)| {
        let query = set.rule(*at).query.as_ref().filter(|_| *at != cx.rule.at);
        query.is_some_and(|query| {
            let expr = query.expr();
            !expr.nodes().iter().any(|node| match node.kind {
                NodeKind::MatrixSelector { selector, .. } => expr.span(selector) == *span,
                _ => false,
            })
        })
    };
    set.readers.get(name).into_iter().flatten().any(reads_value)
}

/// A function over a window of a selector, in place of it.
fn wrapped(cx: &ExprContext<'_>, id: NodeId, (front, back): (&str, &str)) -> Option<Vec<Edit>> {
    let selector = selector(cx, id)?;
    let is_plain = selector.modifiers == Default::default();
    let span = cx.expr.span(id);
    let (start, end) = (Span::new(span.start, span.start), Span::new(span.end, span.end));
    let is_named = selector.name.is_some() || !cx.source(span).contains(METRIC_NAME);
    let edits = cx.edits(&[(start, front), (end, &format!("{back})"))]);
    edits.filter(|_| is_plain && is_named)
}
