//! Where it can't be seen whether a metric's name was dropped.
//!
//! Most functions drop the name of the metric. For thousands of series that is thousands of label sets
//! to be made, one after the other, before any thread can begin to compute, and most of them go into
//! an aggregation that does not look at the name, so that nobody ever sees them. There the series keep
//! the labels that the storage has.

use promql_model::METRIC_NAME;
use promql_syntax::Query;
use promql_syntax::query::{Aggregation, ElementOp, Vector};

use crate::label_sets::{self, METADATA};
use crate::operator::Series;
use crate::plan::{OperationKind, Plan};

/// For each operation whether its series may have names that they should not have.
pub(crate) fn unseen(query: &Query, plan: &Plan) -> Vec<bool> {
    let mut unseen = vec![true; plan.operations.len()];
    // Nothing uses the last one but the result.
    unseen.iter_mut().rev().take(1).for_each(|last| *last = false);
    for (at, operation) in plan.operations.iter().enumerate().rev() {
        if sees(query, operation.kind, unseen[at]) {
            operation.inputs.iter().for_each(|&input| unseen[input] = false);
        }
    }
    unseen
}

/// Whether an operation depends on the names of its operands. What drops them itself does not, nor
/// does what passes them on to those who don't.
fn sees(query: &Query, kind: OperationKind, is_unseen: bool) -> bool {
    let OperationKind::Vector(id) = kind else { return true };
    match query.vector(id).kind {
        Vector::Aggregate { op, labels, .. } => {
            let by_name = || label_sets::names(query, labels);
            !forms_groups_only(op) || by_name().iter().any(|name| METADATA.contains(&&**name))
        }
        Vector::WithScalar { op: ElementOp::Filter(_) | ElementOp::Trim(_), .. } => !is_unseen,
        Vector::WithScalar { .. }
        | Vector::Negate(_)
        | Vector::Math(..)
        | Vector::Clamp { .. }
        | Vector::Round { .. }
        | Vector::DatePart { .. } => false,
        _ => true,
    }
}

/// Whether nothing of the label sets of the members is in the result but those of the groups.
fn forms_groups_only(op: Aggregation) -> bool {
    match op {
        Aggregation::Sum
        | Aggregation::Avg
        | Aggregation::Count
        | Aggregation::Group
        | Aggregation::Min
        | Aggregation::Max
        | Aggregation::Stddev
        | Aggregation::Stdvar
        | Aggregation::Quantile(_) => true,
        Aggregation::Topk(_)
        | Aggregation::Bottomk(_)
        | Aggregation::Limitk(_)
        | Aggregation::LimitRatio(_)
        | Aggregation::CountValues(_) => false,
    }
}

/// The label sets of an operation that drops the names where nobody sees them: as they are.
pub(crate) fn keep(series: &[Series]) -> Vec<Series> {
    series.iter().map(|series| Series { drop_name: true, ..series.clone() }).collect()
}

/// Whether names are all that would be dropped of series that have the same of it: the type
/// and the unit an aggregation would keep that drops the name by itself.
pub(crate) fn is_all_unseen(series: &[Series]) -> bool {
    let has = |name: &str| series.first().is_some_and(|first| first.labels.get(name).is_some());
    !METADATA.iter().any(|name| *name != METRIC_NAME && has(name))
}
