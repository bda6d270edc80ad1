//! Where it can't be seen whether a histogram has empty buckets.
//!
//! Rates have none: upstream removes them, and a later `==` or quantile may depend on that. But the
//! buckets that a rate lacks differ from step to step, and adding up histograms that have different
//! buckets costs several times what it costs if they have the same. Sums and means remove empty
//! buckets themselves at the end, and statistics don't look at them, so the rates that only these use
//! keep all the buckets of their series.

use promql_syntax::Query;
use promql_syntax::query::{Aggregation, Vector};

use crate::plan::{OperationKind, Plan};

/// For each operation whether its histograms may have empty buckets that they should not have.
pub(crate) fn unseen(query: &Query, plan: &Plan) -> Vec<bool> {
    let mut uses = vec![0; plan.operations.len()];
    let mut uses_that_see = vec![0; plan.operations.len()];
    for operation in &plan.operations {
        for &input in &operation.inputs {
            uses[input] += 1;
            uses_that_see[input] += usize::from(sees(query, operation.kind));
        }
    }
    uses.into_iter().zip(uses_that_see).map(|(all, seeing)| all > 0 && seeing == 0).collect()
}

fn sees(query: &Query, kind: OperationKind) -> bool {
    let OperationKind::Vector(id) = kind else { return true };
    match query.vector(id).kind {
        Vector::Aggregate { op, .. } => !matches!(op, Aggregation::Sum | Aggregation::Avg),
        Vector::HistogramStatistic(..) => false,
        _ => true,
    }
}
