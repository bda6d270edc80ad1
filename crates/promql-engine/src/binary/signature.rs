//! Which elements of two vectors match: those whose signatures are equal.

use std::collections::HashMap;

use promql_model::Labels;

use crate::EngineError;
use crate::label_sets;
use crate::limits::Limits;
use crate::operator::Series;

/// The labels that decide whether two elements match.
#[derive(Clone, Debug)]
pub(crate) struct MatchLabels {
    /// `true` for `on`, `false` for `ignoring` or nothing.
    pub(crate) on: bool,
    /// The labels of `on` or `ignoring`.
    pub(crate) names: Vec<String>,
}

impl MatchLabels {
    /// The labels by which an element is matched: those listed after `on`, or all but the name and
    /// those listed after `ignoring`. The type and the unit count as labels here.
    pub(crate) fn signature(&self, labels: &Labels) -> Labels {
        if self.on {
            label_sets::only(labels, &self.names)
        } else {
            label_sets::without_name_and(labels, &self.names)
        }
    }
}

/// The series of both sides that have the same signature.
#[derive(Clone, Debug, Default)]
pub(super) struct MatchGroup {
    pub(super) signature: Labels,
    pub(super) lhs: Vec<usize>,
    pub(super) rhs: Vec<usize>,
}

/// The groups, and the group of each series on the left and on the right.
pub(super) type Matched = (Vec<MatchGroup>, Vec<usize>, Vec<usize>);

/// All signatures with their series, in the order in which they first occur: the left side first.
///
/// # Errors
/// The query is to end: there may be millions of series.
pub(super) fn match_groups(
    limits: &Limits,
    matching: &MatchLabels,
    lhs: &[Series],
    rhs: &[Series],
) -> Result<Matched, EngineError> {
    let mut positions: HashMap<Labels, usize> = HashMap::with_capacity(lhs.len());
    let mut groups: Vec<MatchGroup> = Vec::new();
    let mut group_of = |series: &Series| {
        *positions.entry(matching.signature(&series.labels)).or_insert_with_key(|signature| {
            groups.push(MatchGroup { signature: signature.clone(), ..MatchGroup::default() });
            groups.len() - 1
        })
    };
    let of_lhs: Vec<usize> = limits.collect(lhs.iter().map(&mut group_of))?;
    let of_rhs: Vec<usize> = limits.collect(rhs.iter().map(&mut group_of))?;
    of_lhs.iter().enumerate().for_each(|(index, &group)| groups[group].lhs.push(index));
    of_rhs.iter().enumerate().for_each(|(index, &group)| groups[group].rhs.push(index));
    Ok((groups, of_lhs, of_rhs))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::column::Column;
    use crate::limits::ROUNDS;
    use crate::operator::{SameLabels, has_same_labels, merge};
    use crate::{Cancellation, EngineOptions};

    /// Work on the labels of many series looks every few thousand of them at whether the query is to
    /// end, which takes well below the 50 milliseconds that somebody who cancels should wait at most.
    #[test]
    fn work_on_labels_can_be_ended() {
        let series: Vec<Series> = (0..3 * ROUNDS + 5)
            .map(|k| Series::new(Labels::from_pairs([("__name__", "x"), ("i", &*k.to_string())])))
            .collect();
        let matching = MatchLabels { on: true, names: vec!["i".to_owned()] };
        type Work<'a> = &'a dyn Fn(&Limits) -> Result<(), EngineError>;
        let columns = || vec![Column::default(); series.len()];
        let works: [(Work<'_>, usize); 4] = [
            (&|limits| match_groups(limits, &matching, &series, &series).map(|_| ()), 8),
            (&|limits| has_same_labels(limits, &series).map(|_| ()), 4),
            (&|limits| merge(limits, series.clone(), columns(), SameLabels::Merge).map(|_| ()), 4),
            (&|limits| limits.collect::<_, Vec<_>>(series.iter()).map(|_| ()), 4),
        ];
        for (at, (work, checks)) in works.into_iter().enumerate() {
            let limits = Limits::new(&EngineOptions::default(), Cancellation::default());
            assert!(work(&limits).is_ok());
            assert_eq!(limits.checks(), checks, "{at}");
            limits.cancellation().cancel();
            assert!(matches!(work(&limits), Err(EngineError::Cancelled)), "{at}");
        }
    }
}
