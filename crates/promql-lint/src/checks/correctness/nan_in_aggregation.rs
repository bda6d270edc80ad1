//! `nan-in-aggregation` (C022).

use promql_syntax::ast::{BinaryOp, NodeId, NodeKind};
use promql_syntax::{Aggregator, Span, ValueType};

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::{Report, Safety};
use crate::shape::{Aggregation, beneath, has, has_change, word};

declare_check! {
    /// Finds a quotient of rates inside of `sum`, `avg`, `stddev` or `stdvar`.
    ///
    /// ## Why it matters
    /// One idle series gives 0 divided by 0, which is NaN, and that makes NaN of the whole group. NaN passes no
    /// comparison but `!=`: an alert on it is silent for all as long as one of them has nothing to do. Filter
    /// the divisor by `> 0`, or divide sums.
    ///
    /// ## Examples
    /// ```promql bad
    /// sum by (job) (rate(latency_seconds_sum[5m]) / rate(latency_seconds_count[5m])) > 1
    ///               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ one idle series makes the whole `sum` NaN
    /// ```
    /// ```promql fixed
    /// sum by (job) (rate(latency_seconds_sum[5m]) / (rate(latency_seconds_count[5m]) > 0)) > 1
    /// ```
    /// ```promql bad
    /// avg(rate(errors_total[5m]) / rate(requests_total[5m])) > 0.1
    ///     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ one idle series makes the whole `avg` NaN
    /// ```
    /// ```promql fixed
    /// avg(rate(errors_total[5m]) / (rate(requests_total[5m]) > 0)) > 0.1
    /// ```
    /// ```promql bad
    /// stddev by (job) ((increase(bytes_total[1h])) / (increase(files_total[1h]))) > 1e6
    ///                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ one idle series makes the whole `stddev` NaN
    /// ```
    /// ```promql fixed
    /// stddev by (job) ((increase(bytes_total[1h])) / (increase(files_total[1h]) > 0)) > 1e6
    /// ```
    /// ```promql good
    /// sum by (job) (rate(latency_seconds_sum[5m])) / sum by (job) (rate(latency_seconds_count[5m])) > 1
    /// ```
    /// ```promql good
    /// avg(rate(errors_total[5m]) / (rate(requests_total[5m]) > 0)) > 0.1
    /// ```
    /// NaN is dropped before the sum:
    /// ```promql good
    /// sum(rate(errors_total[5m]) / rate(requests_total[5m]) >= 0) > 0.1
    /// ```
    /// The largest one is found among NaN too:
    /// ```promql good
    /// max(rate(errors_total[5m]) / rate(requests_total[5m])) > 0.1
    /// ```
    "C022" "nan-in-aggregation" Info, Proven, fix: Unsafe, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, aggregation) in Aggregation::all(cx) {
        use Aggregator::{Avg, Stddev, Stdvar, Sum};
        if !matches!(aggregation.op, Sum | Avg | Stddev | Stdvar) {
            continue;
        }
        let quotient = beneath(cx, aggregation.operand);
        let NodeKind::Binary { op: BinaryOp::Div | BinaryOp::Mod, rhs, .. } = cx.expr.kind(quotient) else {
            continue;
        };
        if !can_be_idle(cx, rhs) || !cx.flows().of(quotient).arms.iter().any(|arm| arm.value.nan) {
            continue;
        }
        let op = aggregation.op.name();
        let message = format!("one idle series makes the whole `{op}` NaN");
        let finding = report.at(cx.place_of(quotient), message);
        finding.also(cx.place_of(rhs), "0 when nothing happens");
        finding.also(cx.place(word(cx, id)), "of NaN and numbers is NaN");
        finding.help("divide sums, or leave out what is idle: `/ (… > 0)`");
        let span = cx.expr.span(cx.bare(rhs));
        let (start, end) = (Span::new(span.start, span.start), Span::new(span.end, span.end));
        let is_wrapped = matches!(cx.expr.kind(rhs), NodeKind::Paren(_));
        let (front, back) = if is_wrapped { ("", " > 0") } else { ("(", " > 0)") };
        let edits = cx.edits(&[(start, front), (end, back)]);
        // A comparison binds less than what else could stand in the parentheses.
        let is_one = matches!(cx.expr.kind(cx.bare(rhs)), NodeKind::Call { .. } | NodeKind::Aggregate { .. });
        finding.fix(Safety::Unsafe, "leave out what is idle", edits.filter(|_| is_one));
    }
}

/// What of a system is busy whenever it runs, by words in the names of its metrics.
const NEVER_IDLE: &[&str] = &["period", "limit", "capacity", "quota", "max", "size", "cpu_seconds"];

/// Whether a divisor is a rate of something that can pause.
pub(crate) fn can_be_idle(cx: &ExprContext<'_>, id: NodeId) -> bool {
    let flow = cx.flows().of(id);
    let has_zero = flow.value_type == ValueType::InstantVector
        && flow.arms.iter().any(|arm| arm.value.contains(0.0));
    let is_busy = |kind: NodeKind| match kind {
        NodeKind::VectorSelector(id) => {
            let name = cx.metric_name(cx.expr.selector(id)).unwrap_or_default();
            NEVER_IDLE.iter().any(|word| name.contains(word))
        }
        _ => false,
    };
    has_zero && has_change(cx, id) && !has(cx, id, is_busy)
}
