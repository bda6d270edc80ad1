//! Which parts of a query have the same value at each step.

use promql_syntax::Query;
use promql_syntax::query::{Range, Scalar, Vector};

use super::tree::{Part, operands, parameter};

/// For each expression whether it is step-invariant, by position in the arrays of the typed tree.
#[derive(Debug)]
pub(crate) struct Invariance {
    vectors: Vec<bool>,
    scalars: Vec<bool>,
    ranges: Vec<bool>,
}

impl Invariance {
    pub(crate) fn of(query: &Query, root: Part) -> Invariance {
        let mut invariance = Invariance {
            vectors: vec![false; query.vectors().len()],
            scalars: vec![false; query.scalars().len()],
            ranges: vec![false; query.ranges().len()],
        };
        // Parents first; in reverse, operands are known before what uses them.
        let mut parts = vec![root];
        let mut next = 0;
        while let Some(&part) = parts.get(next) {
            parts.extend(operands(query, part));
            next += 1;
        }
        for &part in parts.iter().rev() {
            let invariant = invariance.is_invariant(query, part);
            *invariance.slot(part) = invariant;
        }
        invariance
    }

    /// Whether an expression is evaluated at the first step only and its value used for all. That
    /// is pointless for constants, and ranges are left to the function around them, which may
    /// depend on the step when they don't (`predict_linear(x[5m] @ 60, 10)`).
    pub(crate) fn evaluates_once(&self, query: &Query, part: Part) -> bool {
        match part {
            Part::Vector(id) => self.vectors[id.index()],
            Part::Scalar(id) => self.scalars[id.index()] && !is_constant(query.scalar(id).kind),
            Part::Range(_) => false,
        }
    }

    fn get(&self, part: Part) -> bool {
        match part {
            Part::Vector(id) => self.vectors[id.index()],
            Part::Scalar(id) => self.scalars[id.index()],
            Part::Range(id) => self.ranges[id.index()],
        }
    }

    fn slot(&mut self, part: Part) -> &mut bool {
        match part {
            Part::Vector(id) => &mut self.vectors[id.index()],
            Part::Scalar(id) => &mut self.scalars[id.index()],
            Part::Range(id) => &mut self.ranges[id.index()],
        }
    }

    fn is_invariant(&self, query: &Query, part: Part) -> bool {
        let all = || operands(query, part).into_iter().all(|operand| self.get(operand));
        match part {
            Part::Vector(id) => match query.vector(id).kind {
                Vector::Selector(selector) => query.selector(selector).modifiers.at.is_some(),
                // Of a selector `timestamp` gives the sample's time, otherwise the step's.
                Vector::Timestamp(of) => {
                    matches!(query.vector(of).kind, Vector::Selector(_)) && all()
                }
                Vector::DatePart { .. } | Vector::PredictLinear { .. } => false,
                // As upstream, the parameter doesn't count.
                Vector::Aggregate { op, vector, .. } if parameter(op).is_some() => {
                    self.get(Part::Vector(vector))
                }
                _ => all(),
            },
            Part::Scalar(id) => match query.scalar(id).kind {
                Scalar::Time => false,
                _ => all(),
            },
            Part::Range(id) => match query.range(id).kind {
                Range::Selector { selector, .. } => query.selector(selector).modifiers.at.is_some(),
                Range::Subquery { subquery, .. } => query.subquery(subquery).modifiers.at.is_some(),
            },
        }
    }
}

fn is_constant(scalar: Scalar) -> bool {
    matches!(
        scalar,
        Scalar::Number(_) | Scalar::Pi | Scalar::Start | Scalar::End | Scalar::Range | Scalar::Step
    )
}
