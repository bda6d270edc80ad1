//! `sum` and `avg` of native histograms, beside which there may be floats.
//!
//! A group has either a histogram or a float at a step. If its members have both it has nothing, which
//! is said; and so it has if some histograms have custom buckets and others exponential ones.

use promql_model::{
    Combined, Compactor, Compensated, CompensatedHistogram, CounterResetHint, FloatHistogram,
    HistogramError, HistogramMean, quote,
};

use super::Aggregate;
use crate::annotations::Place;
use crate::column::{Bitmap, Column};
use crate::over_range::{MIXED_KINDS, collision, reconciled};

/// What is made of many histograms.
pub(super) trait Total: Sized {
    fn new(first: &FloatHistogram) -> Self;
    fn add(&mut self, histogram: &FloatHistogram) -> Result<Combined, HistogramError>;
    fn merge(&mut self, later: Self) -> Result<Combined, HistogramError>;
    fn value(self) -> FloatHistogram;
    /// The memory of its numbers.
    fn bytes(&self) -> usize;
}

impl Total for CompensatedHistogram {
    fn new(first: &FloatHistogram) -> Self {
        CompensatedHistogram::from_float(first)
    }

    fn add(&mut self, histogram: &FloatHistogram) -> Result<Combined, HistogramError> {
        CompensatedHistogram::add(self, histogram)
    }

    fn merge(&mut self, later: Self) -> Result<Combined, HistogramError> {
        CompensatedHistogram::merge(self, &later)
    }

    fn value(self) -> FloatHistogram {
        self.to_float()
    }

    fn bytes(&self) -> usize {
        self.bucket_count() * size_of::<Compensated>()
    }
}

impl Total for HistogramMean {
    fn new(first: &FloatHistogram) -> Self {
        HistogramMean::new(first)
    }

    fn add(&mut self, histogram: &FloatHistogram) -> Result<Combined, HistogramError> {
        HistogramMean::add(self, histogram)
    }

    fn merge(&mut self, later: Self) -> Result<Combined, HistogramError> {
        HistogramMean::merge(self, later)
    }

    fn value(self) -> FloatHistogram {
        HistogramMean::value(self)
    }

    fn bytes(&self) -> usize {
        self.bucket_count() * size_of::<Compensated>()
    }
}

/// The histograms of a group over all steps.
pub(super) struct Totals<T> {
    /// None until a member has a histogram, then one for each step.
    steps: Vec<Option<Step<T>>>,
}

impl<T> Default for Totals<T> {
    fn default() -> Self {
        Totals { steps: Vec::new() }
    }
}

/// The histograms of a group at one step.
struct Step<T> {
    total: T,
    /// The member that has the first one.
    first: usize,
    /// Whether a member before that has a float. In the end there is nothing then, and nothing but
    /// that is said about the histograms: upstream doesn't look at them. A block of members that is
    /// not the first one doesn't know what came before, so it adds them up nonetheless.
    after_float: bool,
    reset: bool,
    not_reset: bool,
    reconciled: bool,
    /// Set when the histograms turned out to have both kinds of buckets: there will be nothing, and
    /// what follows is not looked at.
    mixed_kinds: Option<MixedKinds>,
}

/// The histogram that has other kinds of buckets than those before it.
#[derive(Clone, Copy)]
struct MixedKinds {
    /// The member that has it.
    member: usize,
    /// Whether a member before that has a float.
    after_float: bool,
}

impl<T: Total> Step<T> {
    fn new(member: usize, histogram: &FloatHistogram, after_float: bool) -> Step<T> {
        Step {
            total: T::new(histogram),
            first: member,
            after_float,
            reset: histogram.hint == CounterResetHint::Reset,
            not_reset: histogram.hint == CounterResetHint::NotReset,
            reconciled: false,
            mixed_kinds: None,
        }
    }

    fn add(&mut self, member: usize, histogram: &FloatHistogram, after_float: bool) {
        if self.mixed_kinds.is_some() {
            return;
        }
        match self.total.add(histogram) {
            Ok(combined) => {
                self.reset |= histogram.hint == CounterResetHint::Reset;
                self.not_reset |= histogram.hint == CounterResetHint::NotReset;
                self.reconciled |= combined.bounds_reconciled;
            }
            Err(_) => self.mixed_kinds = Some(MixedKinds { member, after_float }),
        }
    }

    fn merge(&mut self, later: Step<T>, after_float: bool) {
        if self.mixed_kinds.is_some() {
            return;
        }
        match self.total.merge(later.total) {
            Ok(combined) => {
                self.reset |= later.reset;
                self.not_reset |= later.not_reset;
                self.reconciled |= later.reconciled | combined.bounds_reconciled;
                self.mixed_kinds = later.mixed_kinds.map(|mixed| mixed.behind(after_float));
            }
            Err(_) => {
                let mixed = MixedKinds { member: later.first, after_float: later.after_float };
                self.mixed_kinds = Some(mixed.behind(after_float));
            }
        }
    }

    /// The same behind other members, of which one has a float or none.
    fn behind(self, after_float: bool) -> Step<T> {
        Step {
            after_float: self.after_float | after_float,
            mixed_kinds: self.mixed_kinds.map(|mixed| mixed.behind(after_float)),
            ..self
        }
    }
}

impl MixedKinds {
    fn behind(self, after_float: bool) -> MixedKinds {
        MixedKinds { after_float: self.after_float | after_float, ..self }
    }
}

impl<T: Total> Totals<T> {
    /// How much memory they take.
    pub(super) fn bytes(&self) -> usize {
        let totals = self.steps.iter().flatten().map(|step| step.total.bytes());
        totals.sum::<usize>() + self.steps.capacity() * size_of::<Option<Step<T>>>()
    }

    /// Adds the histograms of a member. `floats` are the steps at which members before it have floats.
    pub(super) fn add(&mut self, member: usize, column: &Column, floats: &Bitmap) {
        if !column.has_histograms() {
            return;
        }
        self.steps.resize_with(column.len(), || None);
        for (at, histogram) in column.histograms() {
            let after_float = floats.get(at);
            match &mut self.steps[at] {
                Some(step) => step.add(member, histogram, after_float),
                step => *step = Some(Step::new(member, histogram, after_float)),
            }
        }
    }

    /// Adds those of members behind those that are added so far.
    pub(super) fn merge(&mut self, later: Self, floats: &Bitmap) {
        if later.steps.is_empty() {
            return;
        }
        self.steps.resize_with(later.steps.len(), || None);
        for (at, (step, later)) in self.steps.iter_mut().zip(later.steps).enumerate() {
            let Some(later) = later else { continue };
            let after_float = floats.get(at);
            match step {
                Some(step) => step.merge(later, after_float),
                None => *step = Some(later.behind(after_float)),
            }
        }
    }

    /// Adds the histograms to the column of the floats, and removes both where there are both.
    pub(super) fn finish(self, mut column: Column) -> Column {
        let mut compactor = Compactor::default();
        for (at, step) in self.steps.into_iter().enumerate() {
            let Some(step) = step else { continue };
            let mixed = step.mixed_kinds.is_some() || column.get(at).is_some();
            column.remove(at);
            if !mixed {
                let mut histogram = step.total.value();
                compactor.compact(&mut histogram);
                column.set_histogram(at, histogram);
            }
        }
        column
    }

    /// Says what there is to say. `floats` are the steps at which members have floats.
    pub(super) fn remark(&self, floats: &Bitmap, aggregate: &Aggregate<'_>, place: Place) {
        let (mut mixed_types, mut collided, mut any_reconciled) = (false, false, false);
        let mut mixed_kinds = Vec::new();
        for (at, step) in self.steps.iter().enumerate() {
            let Some(step) = step else { continue };
            if step.after_float {
                mixed_types = true;
                continue;
            }
            collided |= step.reset & step.not_reset;
            any_reconciled |= step.reconciled;
            match step.mixed_kinds {
                Some(MixedKinds { member, after_float }) => {
                    mixed_types |= after_float;
                    mixed_kinds.push(member);
                }
                None => mixed_types |= floats.get(at),
            }
        }
        let annotations = &aggregate.context.annotations;
        if mixed_types {
            let text = "encountered a mix of histograms and floats for aggregation";
            annotations.warn(place, text.to_owned());
        }
        mixed_kinds.sort_unstable();
        mixed_kinds.dedup();
        for member in mixed_kinds {
            let name = quote(aggregate.remarked_name(member).as_bytes());
            annotations.warn(place, format!("{MIXED_KINDS} {name}"));
        }
        if collided {
            annotations.warn(place, collision("aggregation"));
        }
        if any_reconciled {
            annotations.inform(place, reconciled("aggregation"));
        }
    }
}
