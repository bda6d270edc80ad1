//! `float-equality` (C027).

use promql_syntax::ast::{BinaryOp, NodeId, NodeKind};
use promql_syntax::{Aggregator, Function, ValueType};

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::evidence::Operation;
use crate::finding::Report;

declare_check! {
    /// Finds `==` and `!=` between a number other than 0 and something computed: a rate, an increase, a mean, a
    /// quotient.
    ///
    /// ## Why it matters
    /// Such values are hardly ever exactly that number. `increase` extrapolates to the ends of its window: one
    /// event shows as 1.07 or 0.97, so `increase(x[1h]) == 1` misses the very event it waits for. Compare with
    /// `>` or `<`.
    ///
    /// ## Examples
    /// ```promql bad
    /// increase(job_failures_total[1h]) == 1
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ an extrapolated increase is hardly ever exactly 1
    /// ```
    /// ```promql bad
    /// sum by (job) (rate(requests_total[5m])) != 10
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ a rate is nearly always something else than 10
    /// ```
    /// ```promql bad
    /// disk_used_bytes / disk_size_bytes == 0.9
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ a quotient is hardly ever exactly 0.9
    /// ```
    /// ```promql good
    /// increase(job_failures_total[1h]) > 0
    /// ```
    /// Nothing happened is exactly 0:
    /// ```promql good
    /// rate(requests_total[5m]) == 0
    /// ```
    /// All of them, which is exactly 1:
    /// ```promql good
    /// pods_ready / pods_desired != 1
    /// ```
    /// ```promql good
    /// avg by (job) (last_reload_successful) != 1
    /// ```
    /// A limit of -1 means that there is none, and the mean of such is -1 too:
    /// ```promql good
    /// avg by (job) (heap_used_bytes) / (avg by (job) (heap_max_bytes) != -1) > 0.9
    /// ```
    /// ```promql good
    /// changes(process_start_time_seconds[1h]) == 2
    /// ```
    "C027" "float-equality" Warning, Proven, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, operation) in Operation::all(cx) {
        if !matches!(operation.op, BinaryOp::Eq | BinaryOp::Ne) {
            continue;
        }
        let (left, right) = operation.flows();
        let (node, flow, number) = match (left.value_type, right.value_type) {
            (ValueType::InstantVector, ValueType::Scalar) => (operation.lhs, left, right),
            (ValueType::Scalar, ValueType::InstantVector) => (operation.rhs, right, left),
            _ => continue,
        };
        let number = number.arms.first().and_then(|arm| arm.value.constant());
        let Some(number) = number.filter(|number| *number != 0.0 && number.is_finite()) else { continue };
        // The ends of what is possible are reached exactly, and whole numbers are exact.
        let is_exact = |arm: &crate::flow::Arm| {
            arm.value.integer || number == arm.value.lo || number == arm.value.hi
        };
        let Some(what) = computed(cx, node) else { continue };
        // All that can be, so that each of them is 1; or nothing, for which exporters give -1.
        let is_meant = match what {
            Computed::Mean => [1.0, 100.0, -1.0].contains(&number),
            Computed::Quotient => [1.0, 100.0].contains(&number),
            _ => false,
        };
        if flow.arms.iter().all(is_exact) || is_meant || cx.flows().of(id).is_never() {
            continue;
        }
        let (what, op) = (what.name(), operation.op.symbol());
        let message = match operation.op {
            BinaryOp::Eq => format!("{what} is hardly ever exactly {number}"),
            _ => format!("{what} is nearly always something else than {number}"),
        };
        let finding = report.at(cx.place_of(id), message);
        finding.also(cx.place_of(node), what);
        finding.help(format!("use `>` or `<` instead of `{op}`"));
    }
}

/// How a value comes about that is seldom exactly some number.
#[derive(Clone, Copy)]
enum Computed {
    Rate,
    Increase,
    Estimate,
    Mean,
    Quotient,
    Function,
}

impl Computed {
    fn name(self) -> &'static str {
        match self {
            Computed::Rate => "a rate",
            Computed::Increase => "an extrapolated increase",
            Computed::Estimate => "an estimate",
            Computed::Mean => "a mean",
            Computed::Quotient => "a quotient",
            Computed::Function => "the result of this function",
        }
    }
}

fn computed(cx: &ExprContext<'_>, mut id: NodeId) -> Option<Computed> {
    loop {
        id = crate::shape::beneath(cx, id);
        match cx.expr.kind(id) {
            NodeKind::Unary { expr, .. } => id = expr,
            NodeKind::Call { function, .. } => {
                use Function::{
                    AvgOverTime, Cos, Delta, Deriv, Exp, HistogramQuantile, Idelta, Increase, Irate,
                    Ln, PredictLinear, QuantileOverTime, Rate, Sin, Sqrt, StddevOverTime, Tan,
                };
                return Some(match function.function {
                    Rate | Irate | Deriv => Computed::Rate,
                    Increase | Delta => Computed::Increase,
                    Idelta | PredictLinear | HistogramQuantile => Computed::Estimate,
                    AvgOverTime | QuantileOverTime | StddevOverTime => Computed::Mean,
                    Sin | Cos | Tan | Exp | Ln | Sqrt => Computed::Function,
                    _ => return None,
                });
            }
            NodeKind::Aggregate { op, expr, .. } => match op {
                Aggregator::Avg | Aggregator::Stddev | Aggregator::Quantile => {
                    return Some(Computed::Mean);
                }
                Aggregator::Sum | Aggregator::Min | Aggregator::Max | Aggregator::Topk
                | Aggregator::Bottomk => id = expr,
                _ => return None,
            },
            NodeKind::Binary { op, lhs, rhs, .. } => match op {
                BinaryOp::Div => return Some(Computed::Quotient),
                BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul => {
                    return computed(cx, lhs).or_else(|| computed(cx, rhs));
                }
                _ if op.is_comparison() => id = lhs,
                _ => return None,
            },
            _ => return None,
        }
    }
}
