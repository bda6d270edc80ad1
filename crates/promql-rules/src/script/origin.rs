//! The lines that the series of a query were loaded by.

use promql_model::{Labels, METRIC_NAME, Matcher};
use promql_syntax::ast::NodeKind;

use super::{Eval, Script};

/// A line of a script that loads a series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The number of the line, from 1.
    pub line: usize,
    /// The line without the blanks around it.
    pub text: String,
}

impl Script {
    /// Whether an eval selects series at all.
    pub fn selects(&self, eval: &Eval) -> bool {
        !selectors(eval).is_empty()
    }

    /// The lines that load what an eval selects, in the order of the script. With the labels of
    /// some of its results only those that these can come from, as far as labels tell: series that
    /// have the labels of one of the results, or else those that have no other value for any of
    /// them.
    pub fn origins(&self, eval: &Eval, results: &[&Labels]) -> Vec<Origin> {
        let stage = &self.stages[eval.stage];
        let selectors = selectors(eval);
        let selected = |labels: &&Labels| {
            let matches = |m: &Matcher| m.matches(labels.get(m.name()).unwrap_or_default());
            selectors.iter().any(|matchers| matchers.iter().all(matches))
        };
        let selected: Vec<&Labels> = stage.places.keys().filter(selected).collect();
        let narrowed = |fits: fn(&Labels, &Labels) -> bool| -> Vec<&Labels> {
            let one = |labels: &&&Labels| results.iter().any(|result| fits(labels, result));
            selected.iter().filter(one).copied().collect()
        };
        let mut chosen = narrowed(has_all);
        if chosen.is_empty() {
            chosen = narrowed(has_no_other);
        }
        if chosen.is_empty() {
            chosen = selected;
        }
        let mut places: Vec<_> = chosen.iter().flat_map(|labels| &stage.places[*labels]).collect();
        places.sort_by_key(|place| place.start);
        places.dedup();
        let origin = |place: &std::ops::Range<usize>| Origin {
            line: self.line_number(place.start),
            text: self.text[place.clone()].to_owned(),
        };
        places.into_iter().map(origin).collect()
    }
}

/// The matchers of all selectors of a query.
fn selectors(eval: &Eval) -> Vec<Vec<Matcher>> {
    let query = &eval.query;
    let nodes = query.expr().nodes().iter();
    let ids = nodes.filter_map(|node| match node.kind {
        NodeKind::VectorSelector(id) => Some(id),
        _ => None,
    });
    let matchers = |id| {
        let matchers = query.matchers(id);
        let matchers = matchers.filter_map(|(name, op, value)| {
            Matcher::new(String::from_utf8_lossy(name).into_owned(), op, value).ok()
        });
        matchers.collect()
    };
    ids.map(matchers).collect()
}

fn without_name(labels: &Labels) -> impl Iterator<Item = (&str, &str)> {
    labels.iter().filter(|(name, _)| *name != METRIC_NAME)
}

/// Whether a series has all labels of a result.
fn has_all(series: &Labels, result: &Labels) -> bool {
    without_name(result).all(|(name, value)| series.get(name) == Some(value))
}

/// Whether a series has no label that a result has with another value.
fn has_no_other(series: &Labels, result: &Labels) -> bool {
    without_name(result).all(|(name, value)| series.get(name).is_none_or(|known| known == value))
}
