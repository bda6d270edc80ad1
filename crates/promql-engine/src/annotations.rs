//! Remarks about a query that still has a result.
//!
//! Two remarks with the same text are one; the place of the one that upstream would make last
//! counts. Series are evaluated in any order and on several threads, so each remark comes with the
//! place of its operation in the order of evaluation, and the greatest wins.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use promql_model::number::General;
use promql_model::{Annotation, Severity};
use promql_syntax::Span;

use crate::dates::rfc3339;

/// Where a remark comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The operation's position in the order of evaluation.
    pub(crate) order: usize,
    /// The part of the query that the remark points at.
    pub(crate) span: Span,
    /// For how many equal parts of the query the operation stands: each would make the remark.
    pub(crate) times: usize,
    /// The part of the query that a failure points at: of equal ones the first.
    pub(crate) first: Span,
}

/// Collects the remarks of one query.
#[derive(Debug, Default)]
pub(crate) struct Annotations(Mutex<Collected>);

#[derive(Debug, Default)]
struct Collected {
    places: HashMap<(Severity, String), Place>,
    /// Repairs of buckets by the suffix that names the metric.
    repairs: HashMap<String, (Place, Repair)>,
    /// Overlapping start timestamps by operation and series: the place, the name, and in how many
    /// windows. A series may be computed more than once.
    overlaps: HashMap<(usize, usize), (Place, String, usize)>,
    /// What the storage said about selections.
    of_storage: BTreeSet<Annotation>,
    /// Remarks of which an operation makes but one at each step, by operation and step: the last
    /// one.
    of_steps: HashMap<(usize, usize), AtStep>,
}

/// A remark about an element of a step.
#[derive(Clone, Debug)]
struct AtStep {
    element: usize,
    place: Place,
    severity: Severity,
    message: Arc<str>,
}

/// What was repaired in the buckets of classic histograms: the extremes of all repairs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Repair {
    pub(crate) lowest_bucket: f64,
    pub(crate) highest_bucket: f64,
    pub(crate) largest_difference: f64,
    pub(crate) samples: usize,
    /// Milliseconds since the epoch.
    pub(crate) first: i64,
    pub(crate) last: i64,
}

impl Annotations {
    pub(crate) fn warn(&self, place: Place, message: String) {
        self.add(Severity::Warning, place, message);
    }

    pub(crate) fn inform(&self, place: Place, message: String) {
        self.add(Severity::Info, place, message);
    }

    /// What the storage says about a selection.
    pub(crate) fn of_storage(&self, annotations: &[Annotation]) {
        if annotations.is_empty() {
            return;
        }
        let mut collected = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        collected.of_storage.extend(annotations.iter().cloned());
    }

    /// A remark about one element of a step. Of those that an operation makes about a step only the
    /// one about the last element remains.
    pub(crate) fn at_step(
        &self,
        place: Place,
        (step, element): (usize, usize),
        severity: Severity,
        message: &Arc<str>,
    ) {
        let mut collected = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let remark = AtStep { element, place, severity, message: Arc::clone(message) };
        let known = collected.of_steps.entry((place.order, step)).or_insert_with(|| remark.clone());
        if known.element <= element {
            *known = remark;
        }
    }

    /// Start timestamps of a counter, given by the number of its series, that lie before its
    /// previous samples, in so many windows.
    pub(crate) fn overlap(&self, place: Place, series: usize, quoted_name: String, windows: usize) {
        let mut collected = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        collected.overlaps.insert((place.order, series), (place, quoted_name, windows));
    }

    /// Buckets that were repaired. `suffix` names the metric. Unlike other remarks this one stays where
    /// it was made first, and takes in the later ones.
    pub(crate) fn repaired(&self, place: Place, suffix: String, repair: Repair) {
        let mut collected = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let repair = Repair { samples: repair.samples * place.times, ..repair };
        match collected.repairs.entry(suffix) {
            Entry::Vacant(new) => {
                new.insert((place, repair));
            }
            Entry::Occupied(mut known) => {
                let (before, repairs) = *known.get();
                let first = if place.first.start < before.first.start { place } else { before };
                known.insert((first, repairs.join(&repair)));
            }
        }
    }

    /// All remarks: warnings first, each kind in the order of the operations.
    pub(crate) fn finish(&self) -> Vec<Annotation> {
        let mut collected = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut collected = std::mem::take(&mut *collected);
        for remark in std::mem::take(&mut collected.of_steps).into_values() {
            let text = (remark.severity, remark.message.to_string());
            let known = collected.places.entry(text).or_insert(remark.place);
            *known = remark.place.max(*known);
        }
        let plain = collected.places.into_iter().map(|((severity, text), at)| (severity, at, text));
        let mut overlaps: HashMap<String, (Place, usize)> = HashMap::new();
        for (place, name, windows) in collected.overlaps.into_values() {
            let known = overlaps.entry(name).or_insert((place, 0));
            *known = (place.max(known.0), known.1 + windows * place.times);
        }
        let overlaps = overlaps.into_iter().map(|(name, (at, windows))| {
            let often = match windows {
                1 => String::new(),
                _ => format!(" ({windows} occurrences)"),
            };
            let text = format!(
                "sample has start time that overlaps with previous sample timestamp for metric \
                 {name}{often}"
            );
            (Severity::Warning, at, text)
        });
        let repairs = collected.repairs.into_iter().map(|(suffix, (at, repair))| {
            (Severity::Info, Place { span: at.first, ..at }, repair.text(&suffix))
        });
        let mut all: Vec<_> = plain.chain(overlaps).chain(repairs).collect();
        all.sort_by(|a, b| (a.0, a.1, &a.2).cmp(&(b.0, b.1, &b.2)));
        let all = all.into_iter().map(|(severity, at, message)| Annotation {
            severity,
            message,
            span: Some((at.span.start, at.span.end)),
        });
        // What is missing goes before what is odd about the rest.
        let mut all: Vec<Annotation> = collected.of_storage.into_iter().chain(all).collect();
        all.sort_by_key(|annotation| annotation.severity);
        all
    }

    fn add(&self, severity: Severity, place: Place, message: String) {
        let mut collected = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = collected.places.entry((severity, message)).or_insert(place);
        *known = place.max(*known);
    }
}

impl Repair {
    fn join(&self, other: &Repair) -> Repair {
        Repair {
            lowest_bucket: self.lowest_bucket.min(other.lowest_bucket),
            highest_bucket: self.highest_bucket.max(other.highest_bucket),
            largest_difference: self.largest_difference.max(other.largest_difference),
            samples: self.samples + other.samples,
            first: self.first.min(other.first),
            last: self.last.max(other.last),
        }
    }

    fn text(&self, suffix: &str) -> String {
        format!(
            "input to histogram_quantile needed to be fixed for monotonicity (see \
             https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)\
             {suffix}, from buckets {} to {}, with a max diff of {}, over {} samples from {} to {}",
            General(self.lowest_bucket),
            General(self.highest_bucket),
            two_digits(self.largest_difference),
            self.samples,
            rfc3339(self.first),
            rfc3339(self.last),
        )
    }
}

/// The warning about a quantile that is none.
pub(crate) fn bad_quantile(annotations: &Annotations, place: Place, quantile: f64) {
    let text = format!("quantile value should be between 0 and 1, got {}", General(quantile));
    annotations.warn(place, text);
}

/// A number with two significant digits, as `%.2g` prints it.
fn two_digits(value: f64) -> String {
    // Rounded to two digits first, the shortest form has no more.
    General(format!("{value:.1e}").parse().unwrap_or(value)).to_string()
}
