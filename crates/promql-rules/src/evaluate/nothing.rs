//! Queries that give nothing when there are no series for them.
//!
//! A test has series for a few of the rules of a file, and all the others give nothing, cycle after
//! cycle. That is known without evaluating them: most operations make nothing of nothing, so a query
//! that consists of such operations gives nothing as long as no series fulfils the matchers of any of
//! its selectors. Looking for series is needed only when new ones came.

use promql_engine::{Cancellation, SelectRequest, TimeRange};
use promql_model::Matcher;
use promql_syntax::Query;
use promql_syntax::query::{Aggregation, Root, Vector};

use super::store::SeriesStore;

/// The selectors of a query, each with its matchers.
#[derive(Clone, Debug)]
pub(super) struct Selectors {
    selectors: Vec<Vec<Matcher>>,
}

impl Selectors {
    /// The selectors of a query that makes nothing of nothing; nothing for other queries.
    pub(super) fn of(query: &Query) -> Option<Selectors> {
        if !matches!(query.root(), Root::Vector(_)) {
            return None;
        }
        let mut selectors = Vec::new();
        for node in query.vectors() {
            match &node.kind {
                Vector::Selector(id) => selectors.push(matchers(query, *id)?),
                Vector::Binary { matching, .. } => {
                    // A fill value stands for what isn't there.
                    if query.fill_values(matching) != (None, None) {
                        return None;
                    }
                }
                Vector::Aggregate { op, .. } if !has_parameter(op) => {}
                Vector::DatePart { vector: Some(_), .. }
                | Vector::Negate(_)
                | Vector::WithScalar { .. }
                | Vector::Set { .. }
                | Vector::Math(..)
                | Vector::Clamp { .. }
                | Vector::Round { .. }
                | Vector::OverRange(..)
                | Vector::Sort { .. }
                | Vector::HistogramStatistic(..) => {}
                // The others make something of nothing, or may fail.
                _ => return None,
            }
        }
        for node in query.ranges() {
            if let promql_syntax::query::Range::Selector { selector, .. } = &node.kind {
                selectors.push(matchers(query, *selector)?);
            }
        }
        Some(Selectors { selectors })
    }

    /// Whether there is a series for one of the selectors.
    pub(super) fn find_something(&self, store: &SeriesStore) -> bool {
        let cancellation = Cancellation::default();
        self.selectors.iter().any(|matchers| {
            let request = SelectRequest {
                matchers,
                range: TimeRange::ALL,
                hints: Default::default(),
                cancellation: &cancellation,
            };
            store.has_series(&request)
        })
    }
}

fn matchers(query: &Query, id: promql_syntax::ast::SelectorId) -> Option<Vec<Matcher>> {
    let matcher = |(name, op, value): (&[u8], _, &[u8])| {
        let name = std::str::from_utf8(name).ok()?;
        Matcher::new(name, op, value).ok()
    };
    query.matchers(id).map(matcher).collect()
}

/// Whether an aggregation takes a parameter, which may be one that it refuses.
fn has_parameter(op: &Aggregation) -> bool {
    !matches!(
        op,
        Aggregation::Sum
            | Aggregation::Avg
            | Aggregation::Count
            | Aggregation::Min
            | Aggregation::Max
            | Aggregation::Group
            | Aggregation::Stddev
            | Aggregation::Stdvar
    )
}
