//! `unit-mismatch` (K010).

use promql_syntax::ast::BinaryOp;

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::evidence::Operation;
use crate::finding::Report;
use crate::flow::{Base, Flow, Unit};

declare_check! {
    /// Finds a sum, a difference or a comparison of quantities in different units, as the names of the metrics
    /// say them: bytes and seconds, seconds and milliseconds, parts and percents.
    ///
    /// ## Why it matters
    /// Such an alert is off by a factor of a thousand, or compares what can't be compared: it fires always or
    /// never, and the number in its text is wrong.
    ///
    /// ## Examples
    /// ```promql bad
    /// job_memory_bytes > job_runtime_seconds
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this compares bytes and seconds
    /// ```
    /// ```promql bad
    /// job_runtime_milliseconds > job_limit_seconds
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this compares milliseconds and seconds
    /// ```
    /// ```promql bad
    /// disk_used_percent - on (instance) disk_reserved_ratio > 50
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this adds up percents and parts of a whole
    /// ```
    /// ```promql good
    /// job_runtime_milliseconds / 1000 > job_limit_seconds
    /// ```
    /// Bytes for each second are a unit of their own:
    /// ```promql good
    /// job_sent_bytes / job_runtime_seconds > 1e9
    /// ```
    /// A part of it is still in bytes:
    /// ```promql good
    /// job_free_bytes > 0.8 * job_memory_bytes
    /// ```
    /// Of a constant it isn't known what it counts:
    /// ```promql good
    /// job_memory_bytes > 1e9
    /// ```
    /// A point in time and a duration make a point in time:
    /// ```promql good
    /// time() > job_start_timestamp_seconds + job_limit_seconds
    /// ```
    "K010" "unit-mismatch" Warning, Heuristic, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, operation) in Operation::all(cx) {
        let is_sum = matches!(operation.op, BinaryOp::Add | BinaryOp::Sub);
        if !is_sum && !operation.op.is_comparison() {
            continue;
        }
        let (left, right) = operation.flows();
        let (Some(a), Some(b)) = (unit(left), unit(right)) else { continue };
        if cx.flows().of(id).is_never() || fit(a, b, is_sum) {
            continue;
        }
        let what = if is_sum { "adds up" } else { "compares" };
        let message = format!("this {what} {} and {}", named(a), named(b));
        let finding = report.at(cx.place_of(id), message);
        finding.also(cx.place_of(operation.lhs), named(a));
        finding.also(cx.place_of(operation.rhs), named(b));
        if a.base == b.base && a.absolute == b.absolute {
            finding.help(format!("one side has to be scaled by {}", a.scale.max(b.scale) / a.scale.min(b.scale)));
        } else if a.absolute != b.absolute {
            finding.help("`time() - x` says how long ago a point in time is");
        }
    }
}

/// The unit of a side, if its metrics say one.
fn unit(flow: &Flow) -> Option<Unit> {
    let mut units = flow.arms.iter().map(|arm| arm.quantity.unit);
    let first = units.next()??;
    let is_told = first.base != Base::Number && units.all(|unit| unit == Some(first));
    is_told.then_some(first)
}

/// Whether two units can be added or compared, as far as is known.
fn fit(a: Unit, b: Unit, is_sum: bool) -> bool {
    // Seconds of work for each second are a part, and rates are compared with limits that are called
    // after what they limit.
    if a.per_second != b.per_second {
        return true;
    }
    let is_time = a.base == Base::Second && b.base == Base::Second;
    if is_time && a.absolute != b.absolute {
        return is_sum;
    }
    let of_cores = |a: Unit, b: Unit| a.base == Base::Ratio && b.base == Base::Second;
    if of_cores(a, b) || of_cores(b, a) {
        return true;
    }
    // What is multiplied by another number than these, such as 0.8, keeps its unit.
    let ratio = a.scale.max(b.scale) / a.scale.min(b.scale);
    let percents = a.base == Base::Ratio && (ratio - 100.0).abs() < 1e-6;
    let thousands = [1e3, 1e6, 1e9].into_iter().any(|step: f64| (ratio / step - 1.0).abs() < 1e-6);
    a.base == b.base && !percents && !thousands
}

fn named(unit: Unit) -> String {
    match (unit.base, unit.scale) {
        (Base::Ratio, 0.01) => "percents".to_owned(),
        (Base::Ratio, 1.0) => "parts of a whole".to_owned(),
        (Base::Second, 0.001) if unit.per_second == 0 => "milliseconds".to_owned(),
        _ if unit.absolute => "points in time".to_owned(),
        _ => unit.to_string(),
    }
}
