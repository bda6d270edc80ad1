//! `comparison-always-false` (C009).

use promql_syntax::ast::{BinaryOp, NodeId, NodeKind};
use promql_syntax::{Aggregator, Function};

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::evidence::{Operation, consequence, dies, rests_on};
use crate::finding::Report;
use crate::flow::Why;

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
        for node in [operation.lhs, operation.rhs] {
            if let Some(range) = range(cx, node)
                && cx.number(node).is_none()
            {
                finding.also(cx.place_of(node), format!("the value is {range}"));
            }
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

fn help(cx: &ExprContext<'_>, operation: &Operation<'_>) -> Option<String> {
    let node = cx.bare(operation.lhs);
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
