//! Which elements of two vectors match: those whose signatures are equal.

use std::collections::HashMap;

use promql_model::Labels;

use crate::label_sets;
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

/// All signatures with their series, in the order in which they first occur: the left side first.
pub(super) fn match_groups(
    matching: &MatchLabels,
    lhs: &[Series],
    rhs: &[Series],
) -> (Vec<MatchGroup>, Vec<usize>, Vec<usize>) {
    let mut positions: HashMap<Labels, usize> = HashMap::with_capacity(lhs.len());
    let mut groups: Vec<MatchGroup> = Vec::new();
    let mut group_of = |series: &Series| {
        *positions.entry(matching.signature(&series.labels)).or_insert_with_key(|signature| {
            groups.push(MatchGroup { signature: signature.clone(), ..MatchGroup::default() });
            groups.len() - 1
        })
    };
    let of_lhs: Vec<usize> = lhs.iter().map(&mut group_of).collect();
    let of_rhs: Vec<usize> = rhs.iter().map(&mut group_of).collect();
    of_lhs.iter().enumerate().for_each(|(index, &group)| groups[group].lhs.push(index));
    of_rhs.iter().enumerate().for_each(|(index, &group)| groups[group].rhs.push(index));
    (groups, of_lhs, of_rhs)
}
