//! Whether an evaluation exercised a point, told from what the parts of the expression gave.
//!
//! Comparisons, matches and aggregations are not observed at work: what they did follows from how
//! many elements went in and came out. A filter that gives fewer elements than pairs were compared was
//! false for one of them.

use std::collections::{BTreeMap, HashMap};

use promql_engine::{Part, PartValue, TimeRange};
use promql_model::{Labels, METRIC_NAME, Matcher, SeriesSamples};
use promql_syntax::ast::{NodeId, SelectorId};

use crate::evaluate::SeriesStore;

/// What exercises a point.
#[derive(Clone, Debug)]
pub(super) enum Probe {
    /// Something that happens to the rule as a whole.
    Event,
    /// A branch of the template of a number is taken, or not.
    Branch { template: usize, at: usize, taken: bool },
    /// A part gives something.
    Gives(NodeId),
    /// A comparison that gives numbers gives 1, or 0.
    Gave(NodeId, bool),
    /// A selector finds a series.
    Selects(SelectorId),
    /// A matcher leaves out a series.
    Excludes(Box<Excluding>),
    /// A part gives fewer elements than an operand of it.
    Drops { node: NodeId, operand: NodeId },
    /// The same of floats.
    DropsFloats { node: NodeId, operand: NodeId },
    /// A part gives more elements than an operand of it.
    Adds { node: NodeId, operand: NodeId },
    /// A comparison between vectors leaves out a pair.
    DropsPairs(Box<Pairing>),
    /// Two series are in one group.
    Several { operand: NodeId, grouping: Grouping },
    /// There are two groups.
    Groups { operand: NodeId, grouping: Grouping },
}

/// A matcher beside those it stands with.
#[derive(Clone, Debug)]
pub(super) struct Excluding {
    pub(super) selector: SelectorId,
    pub(super) matcher: Matcher,
    pub(super) others: Vec<Matcher>,
}

/// The labels that groups and partners are known by.
#[derive(Clone, Debug)]
pub(super) struct Grouping {
    pub(super) names: Vec<String>,
    /// Whether it is all but these and the metric's name.
    pub(super) without: bool,
}

impl Grouping {
    fn key(&self, labels: &Labels) -> Labels {
        let is_named = |name: &str| self.names.iter().any(|known| known == name);
        match self.without {
            true => labels.filtered(|name| name != METRIC_NAME && !is_named(name)),
            false => labels.filtered(is_named),
        }
    }
}

/// A comparison between vectors. Of one-to-one comparisons the left side counts as the many.
#[derive(Clone, Debug)]
pub(super) struct Pairing {
    pub(super) node: NodeId,
    pub(super) many: NodeId,
    pub(super) one: NodeId,
    pub(super) grouping: Grouping,
    /// Whether a value stands for elements that are missing on the side of the many.
    pub(super) fills_many: bool,
    /// Whether one stands for those that are missing on the other.
    pub(super) fills_one: bool,
    /// Whether it can hold between native histograms.
    pub(super) compares_histograms: bool,
}

/// What an element is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sample {
    Float,
    Histogram,
}

/// What an evaluation gave.
pub(super) struct Evaluated<'p> {
    by_node: BTreeMap<NodeId, &'p Part>,
    by_selector: Vec<(SelectorId, &'p Part)>,
    store: &'p SeriesStore,
}

impl<'p> Evaluated<'p> {
    pub(super) fn new(parts: &'p [Part], store: &'p SeriesStore) -> Evaluated<'p> {
        let selected = parts.iter().filter_map(|part| Some((part.selector?, part)));
        Evaluated {
            by_node: parts.iter().map(|part| (part.node, part)).collect(),
            by_selector: selected.collect(),
            store,
        }
    }

    fn part(&self, node: NodeId) -> Option<&'p Part> {
        self.by_node.get(&node).copied()
    }

    /// The elements of a part at a time. What doesn't depend on the step is the same at all times.
    fn elements(&self, node: NodeId, time: i64) -> Vec<(&'p Labels, Sample)> {
        let Some(part) = self.part(node) else { return Vec::new() };
        let time = match &part.times[..] {
            [only] => *only,
            _ => time,
        };
        let element = |series: &'p SeriesSamples| {
            let float = series.floats.binary_search_by_key(&time, |(at, _)| *at);
            let histogram = series.histograms.binary_search_by_key(&time, |(at, _)| *at);
            let sample = match (float, histogram) {
                (Ok(_), _) => Sample::Float,
                (_, Ok(_)) => Sample::Histogram,
                _ => return None,
            };
            Some((&series.labels, sample))
        };
        part.value.series().iter().filter_map(element).collect()
    }

    /// Whether something holds at any of the times of a part.
    fn at_any_time(&self, node: NodeId, holds: impl Fn(i64) -> bool) -> bool {
        self.part(node).is_some_and(|part| part.times.iter().any(|time| holds(*time)))
    }

    fn windows(&self, selector: SelectorId) -> impl Iterator<Item = &'p Part> + '_ {
        self.by_selector.iter().filter(move |(id, _)| *id == selector).map(|(_, part)| *part)
    }
}

impl Probe {
    /// Whether an evaluation exercised the point. Events and branches are no matter of one.
    pub(super) fn holds(&self, seen: &Evaluated<'_>) -> bool {
        let count = |node: NodeId, time: i64| seen.elements(node, time).len();
        match self {
            Probe::Event | Probe::Branch { .. } => false,
            Probe::Gives(node) => seen.part(*node).is_some_and(|part| match &part.value {
                PartValue::Scalar(values) => !values.is_empty(),
                value => !value.series().is_empty(),
            }),
            Probe::Gave(node, truth) => {
                let wanted = f64::from(u8::from(*truth));
                seen.part(*node).is_some_and(|part| match &part.value {
                    PartValue::Scalar(values) => values.contains(&wanted),
                    value => {
                        let mut floats = value.series().iter().flat_map(|series| &series.floats);
                        floats.any(|(_, value)| *value == wanted)
                    }
                })
            }
            Probe::Selects(selector) => {
                seen.windows(*selector).any(|part| !part.value.series().is_empty())
            }
            Probe::Excludes(excluding) => {
                let Excluding { selector, matcher, others } = &**excluding;
                let is_left_out =
                    |labels: &Labels| !matcher.matches(labels.get(matcher.name()).unwrap_or(""));
                let mut windows = seen.windows(*selector).filter_map(|part| part.window);
                windows.any(|window: TimeRange| seen.store.has_any(others, window, is_left_out))
            }
            Probe::Drops { node, operand } => {
                seen.at_any_time(*node, |time| count(*node, time) < count(*operand, time))
            }
            Probe::DropsFloats { node, operand } => {
                let floats = |node: NodeId, time: i64| {
                    let elements = seen.elements(node, time);
                    elements.iter().filter(|(_, sample)| *sample == Sample::Float).count()
                };
                seen.at_any_time(*node, |time| floats(*node, time) < floats(*operand, time))
            }
            Probe::Adds { node, operand } => {
                seen.at_any_time(*node, |time| count(*node, time) > count(*operand, time))
            }
            Probe::DropsPairs(pairing) => {
                let node = pairing.node;
                seen.at_any_time(node, |time| count(node, time) < pairing.pairs(seen, time))
            }
            Probe::Several { operand, grouping } => seen.at_any_time(*operand, |time| {
                groups(seen, *operand, grouping, time).values().any(|size| *size > 1)
            }),
            Probe::Groups { operand, grouping } => {
                seen.at_any_time(*operand, |time| groups(seen, *operand, grouping, time).len() > 1)
            }
        }
    }
}

/// The groups of an operand, each with the number of its elements.
fn groups(
    seen: &Evaluated<'_>,
    operand: NodeId,
    grouping: &Grouping,
    time: i64,
) -> HashMap<Labels, usize> {
    let mut sizes = HashMap::new();
    for (labels, _) in seen.elements(operand, time) {
        *sizes.entry(grouping.key(labels)).or_default() += 1;
    }
    sizes
}

impl Pairing {
    /// How many pairs are compared at a time.
    fn pairs(&self, seen: &Evaluated<'_>, time: i64) -> usize {
        let keyed = |node: NodeId| {
            let elements = seen.elements(node, time).into_iter();
            elements.map(|(labels, sample)| (self.grouping.key(labels), sample)).collect::<Vec<_>>()
        };
        let (many, one) = (keyed(self.many), keyed(self.one));
        let partners: HashMap<&Labels, Sample> =
            one.iter().map(|(key, sample)| (key, *sample)).collect();
        let is_comparable = |a: Sample, b: Sample| match (a, b) {
            (Sample::Float, Sample::Float) => true,
            (Sample::Histogram, Sample::Histogram) => self.compares_histograms,
            _ => false,
        };
        let fill = Sample::Float;
        let is_pair = |(key, sample): &&(Labels, Sample)| match partners.get(key) {
            Some(partner) => is_comparable(*sample, *partner),
            None => self.fills_one && is_comparable(*sample, fill),
        };
        let is_alone = |(key, sample): &&(Labels, Sample)| {
            self.fills_many
                && is_comparable(*sample, fill)
                && !many.iter().any(|(other, _)| other == key)
        };
        many.iter().filter(is_pair).count() + one.iter().filter(is_alone).count()
    }
}
