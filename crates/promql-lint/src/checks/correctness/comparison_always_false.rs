//! `comparison-always-false` (C009).

use promql_syntax::ast::{BinaryOp, NodeId, NodeKind};
use promql_syntax::{Aggregator, Function};

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::evidence::{Operation, consequence, dies, rests_on};
use crate::finding::Report;
use crate::flow::{Why, cancelled, since_evaluation};

declare_check! {
    /// Finds a comparison that no value can satisfy.
    ///
    /// ## Why it matters
    /// A filter that lets nothing through makes the whole expression empty, without any error. The usual cases: a
    /// count of nothing is nothing and never 0, a sum of zeros is 0 and never more.
    ///
    /// ## Examples
    /// ```promql bad
    /// count by (backend) (backend_up) == 0
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this comparison by `==` never holds; this alert can never fire
    /// ```
    /// ```promql bad
    /// sum by (job) (last_reload_successful == 0) > 0
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this comparison by `>` never holds; this alert can never fire
    /// ```
    /// ```promql bad
    /// queue_length > 5 < 3
    /// ^^^^^^^^^^^^^^^^^^^^ this comparison by `<` never holds; this alert can never fire
    /// ```
    /// `timestamp` of anything that is computed is the time of the evaluation:
    /// ```promql bad
    /// timestamp(rate(backups_total[5m])) < time() - 36000
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this comparison by `<` never holds; this alert can never fire
    /// ```
    /// What is divided by is multiplied by again:
    /// ```promql bad
    /// 100 / memory_bytes * memory_bytes{kind="free"} < 20
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this comparison by `<` never holds; this alert can never fire
    /// ```
    /// ```promql good
    /// timestamp(backup_success) < time() - 36000
    /// ```
    /// ```promql good
    /// 100 / memory_total_bytes * memory_bytes{kind="free"} < 20
    /// ```
    /// ```promql good
    /// sum by (backend) (backend_up) == 0
    /// ```
    /// ```promql good
    /// (count(up{job="x"}) or vector(0)) < 1
    /// ```
    /// ```promql good
    /// 3 < queue_length < 5
    /// ```
    "C009" "comparison-always-false" Error, Proven, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, operation) in Operation::all(cx) {
        let is_nan = |node| cx.number(node).is_some_and(f64::is_nan);
        let told_elsewhere = is_nan(operation.lhs)
            || is_nan(operation.rhs)
            || super::ratio_threshold_out_of_range::ratio(cx, operation.lhs).is_some()
            || super::ratio_threshold_out_of_range::ratio(cx, operation.rhs).is_some();
        if !operation.is_filter() || told_elsewhere {
            continue;
        }
        if dies(cx, id, |why| *why == Why::Comparison).is_none() {
            continue;
        }
        let op = operation.op.symbol();
        let finding = report.at(cx.place_of(id), format!("this comparison by `{op}` never holds"));
        let times = [operation.lhs, operation.rhs].map(|node| time_of(cx, node));
        for (node, time) in [operation.lhs, operation.rhs].into_iter().zip(&times) {
            let text = match (time, cancelled_number(cx, node), range(cx, node)) {
                (Some(time), ..) if times.iter().all(Option::is_some) => time.clone(),
                (_, Some(number), _) => format!("{number}, as each element is divided by itself"),
                (_, _, Some(range)) if cx.number(node).is_none() => format!("the value is {range}"),
                _ => continue,
            };
            finding.also(cx.place_of(node), text);
        }
        finding.consequence(consequence(cx));
        if let Some(help) = help(cx, &operation) {
            finding.help(help);
        }
        rests_on(finding, cx.flows().of(id).basis);
    }
}

/// What the values of a node can be, all its arms together.
pub(crate) fn range(cx: &ExprContext<'_>, node: NodeId) -> Option<String> {
    let arms = cx.flows().of(node).arms.iter().map(|arm| arm.value);
    let whole = arms.reduce(|a, b| a.hull(&b))?;
    (!whole.is_any()).then(|| whole.to_string())
}

/// What a node is that is the time of the evaluation, or so many seconds before or after it.
fn time_of(cx: &ExprContext<'_>, node: NodeId) -> Option<String> {
    let seconds = since_evaluation(cx.expr, cx.flows(), node)?;
    Some(match seconds {
        0.0 => "the time of the evaluation".to_owned(),
        _ if seconds < 0.0 => format!("{} seconds before the evaluation", -seconds),
        _ => format!("{seconds} seconds after the evaluation"),
    })
}

/// The number that a product always is, because it multiplies by what it divided that number by.
fn cancelled_number(cx: &ExprContext<'_>, node: NodeId) -> Option<f64> {
    let NodeKind::Binary { op: BinaryOp::Mul, lhs, rhs, modifiers } = cx.expr.kind(cx.bare(node)) else {
        return None;
    };
    let modifiers = modifiers.map(|id| *cx.expr.binary_modifiers(id)).unwrap_or_default();
    cancelled(cx.expr, cx.flows(), lhs, rhs, &modifiers)
}

fn help(cx: &ExprContext<'_>, operation: &Operation<'_>) -> Option<String> {
    let node = cx.bare(operation.lhs);
    let sides = [operation.lhs, operation.rhs];
    if sides.into_iter().any(|side| cancelled_number(cx, side).is_some()) {
        return Some(
            "without `ignoring` each series meets itself: divide by the sum of all, \
             `100 * x{…} / ignoring (…) group_left () sum without (…) (x)`"
                .to_owned(),
        );
    }
    let is_timestamp = |side| cx.function(side) == Some(Function::Timestamp);
    if sides.into_iter().any(is_timestamp) && sides.into_iter().all(|side| time_of(cx, side).is_some()) {
        return Some(
            "`timestamp` of what is computed is the time of the evaluation, only of a selector it is that of \
             the sample: `timestamp(x) < … and x > …`"
                .to_owned(),
        );
    }
    let zero = cx.number(operation.rhs) == Some(0.0);
    let counts = match cx.expr.kind(node) {
        NodeKind::Aggregate { op: Aggregator::Count | Aggregator::Group, .. } => true,
        NodeKind::Call { function, .. } => function.function == Function::CountOverTime,
        _ => false,
    };
    if counts {
        return Some(
            "a count of nothing is nothing: use `absent(…)`, or `(count(…) or vector(0)) == 0`, or \
             `sum(…) == 0` for values of 0 and 1"
                .to_owned(),
        );
    }
    if let NodeKind::Aggregate { op: Aggregator::Sum, expr, .. } = cx.expr.kind(node)
        && zero
        && let NodeKind::Binary { op: BinaryOp::Eq, .. } = cx.expr.kind(cx.bare(expr))
    {
        return Some("this adds up zeros: `count(…)` says how many there are".to_owned());
    }
    None
}
