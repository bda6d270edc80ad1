//! Walking the typed tree, whose three kinds of expressions lie in three arrays.

use promql_syntax::Query;
use promql_syntax::ast::NodeId;
use promql_syntax::query::{Aggregation, Range, RangeId, Scalar, ScalarId, Vector, VectorId};

/// An expression of any type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Vector(VectorId),
    Scalar(ScalarId),
    Range(RangeId),
}

impl Part {
    /// The node of the syntax tree.
    pub(crate) fn origin(self, query: &Query) -> NodeId {
        match self {
            Part::Vector(id) => query.vector(id).origin,
            Part::Scalar(id) => query.scalar(id).origin,
            Part::Range(id) => query.range(id).origin,
        }
    }
}

/// The operands of an expression in the order in which upstream evaluates them: arguments as they
/// are written, the parameter of an aggregation before what is aggregated.
pub(crate) fn operands(query: &Query, part: Part) -> Vec<Part> {
    match part {
        Part::Vector(id) => vector_operands(&query.vector(id).kind),
        Part::Scalar(id) => match query.scalar(id).kind {
            Scalar::OfVector(vector) => vec![Part::Vector(vector)],
            Scalar::Negate(scalar) => vec![Part::Scalar(scalar)],
            Scalar::Binary(_, a, b) | Scalar::MaxOf(a, b) | Scalar::MinOf(a, b) => {
                vec![Part::Scalar(a), Part::Scalar(b)]
            }
            Scalar::Number(_)
            | Scalar::Time
            | Scalar::Pi
            | Scalar::Start
            | Scalar::End
            | Scalar::Range
            | Scalar::Step => Vec::new(),
        },
        Part::Range(id) => match query.range(id).kind {
            Range::Selector { .. } => Vec::new(),
            Range::Subquery { vector, .. } => vec![Part::Vector(vector)],
        },
    }
}

fn vector_operands(vector: &Vector) -> Vec<Part> {
    use Part::{Range as R, Scalar as S, Vector as V};
    match *vector {
        Vector::Selector(_) => Vec::new(),
        Vector::FromScalar(scalar) => vec![S(scalar)],
        Vector::WithScalar { vector, scalar, scalar_is_left: true, .. } => {
            vec![S(scalar), V(vector)]
        }
        Vector::WithScalar { vector, scalar, .. } => vec![V(vector), S(scalar)],
        Vector::Binary { lhs, rhs, .. } | Vector::Set { lhs, rhs, .. } => vec![V(lhs), V(rhs)],
        Vector::Aggregate { op, vector, .. } => {
            parameter(op).map(S).into_iter().chain([V(vector)]).collect()
        }
        Vector::Clamp { vector, min, max } => {
            [V(vector)].into_iter().chain(min.map(S)).chain(max.map(S)).collect()
        }
        Vector::Round { vector, to_nearest } => {
            [V(vector)].into_iter().chain(to_nearest.map(S)).collect()
        }
        Vector::DatePart { vector, .. } => vector.map(V).into_iter().collect(),
        Vector::OverRange(_, range) | Vector::AbsentOverTime(range) => vec![R(range)],
        Vector::QuantileOverTime { quantile, range } => vec![S(quantile), R(range)],
        Vector::PredictLinear { range, seconds } => vec![R(range), S(seconds)],
        Vector::DoubleExponentialSmoothing { range, smoothing, trend } => {
            vec![R(range), S(smoothing), S(trend)]
        }
        Vector::HistogramQuantile { quantile, vector } => vec![S(quantile), V(vector)],
        Vector::HistogramQuantiles { vector, ref quantiles, .. } => {
            [V(vector)].into_iter().chain(quantiles.iter().copied().map(S)).collect()
        }
        Vector::HistogramFraction { lower, upper, vector } => vec![S(lower), S(upper), V(vector)],
        Vector::Negate(vector)
        | Vector::Math(_, vector)
        | Vector::Absent(vector)
        | Vector::Sort { vector, .. }
        | Vector::SortByLabel { vector, .. }
        | Vector::LabelReplace { vector, .. }
        | Vector::LabelJoin { vector, .. }
        | Vector::HistogramStatistic(_, vector)
        | Vector::Timestamp(vector)
        | Vector::StartTimestamp(vector)
        | Vector::Info { vector, .. } => vec![V(vector)],
    }
}

/// The scalar parameter of an aggregation.
pub(crate) fn parameter(op: Aggregation) -> Option<ScalarId> {
    match op {
        Aggregation::Topk(id)
        | Aggregation::Bottomk(id)
        | Aggregation::Limitk(id)
        | Aggregation::LimitRatio(id)
        | Aggregation::Quantile(id) => Some(id),
        Aggregation::Sum
        | Aggregation::Avg
        | Aggregation::Count
        | Aggregation::Min
        | Aggregation::Max
        | Aggregation::Group
        | Aggregation::Stddev
        | Aggregation::Stdvar
        | Aggregation::CountValues(_) => None,
    }
}
