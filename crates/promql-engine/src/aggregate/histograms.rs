//! `sum` and `avg` of native histograms, beside which there may be floats.
//!
//! A group has either a histogram or a float at a step. If its members have both it has nothing, which
//! is said; and so it has if some histograms have custom buckets and others exponential ones.

use promql_model::{
    Combined, CompensatedHistogram, CounterResetHint, FloatHistogram, HistogramError,
    HistogramMean, quote,
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
enum Step<T> {
    /// The first member has a float: there will be nothing, and histograms are not looked at.
    AfterFloat,
    /// The histograms have both kinds of buckets: there will be nothing, and what follows is not
    /// looked at. This member was the one that showed it.
    MixedKinds(usize),
    Total {
        total: T,
        /// The member that has the first histogram.
        first: usize,
        reset: bool,
        not_reset: bool,
        reconciled: bool,
    },
}

impl<T: Total> Step<T> {
    fn new(member: usize, histogram: &FloatHistogram) -> Step<T> {
        Step::Total {
            total: T::new(histogram),
            first: member,
            reset: histogram.hint == CounterResetHint::Reset,
            not_reset: histogram.hint == CounterResetHint::NotReset,
            reconciled: false,
        }
    }

    fn add(&mut self, member: usize, histogram: &FloatHistogram) {
        let Step::Total { total, reset, not_reset, reconciled, .. } = self else { return };
        match total.add(histogram) {
            Ok(combined) => {
                *reset |= histogram.hint == CounterResetHint::Reset;
                *not_reset |= histogram.hint == CounterResetHint::NotReset;
                *reconciled |= combined.bounds_reconciled;
            }
            Err(_) => *self = Step::MixedKinds(member),
        }
    }

    fn merge(&mut self, later: Step<T>) {
        let Step::Total { total, reset, not_reset, reconciled, .. } = self else { return };
        match later {
            Step::AfterFloat => {}
            Step::MixedKinds(_) => *self = later,
            Step::Total {
                total: later,
                first,
                reset: later_reset,
                not_reset: later_not_reset,
                reconciled: later_reconciled,
            } => match total.merge(later) {
                Ok(combined) => {
                    *reset |= later_reset;
                    *not_reset |= later_not_reset;
                    *reconciled |= later_reconciled | combined.bounds_reconciled;
                }
                Err(_) => *self = Step::MixedKinds(first),
            },
        }
    }
}

impl<T: Total> Totals<T> {
    /// Adds the histograms of a member. `floats` are the steps at which members before it have floats.
    pub(super) fn add(&mut self, member: usize, column: &Column, floats: &Bitmap) {
        if !column.has_histograms() {
            return;
        }
        self.steps.resize_with(column.len(), || None);
        for (at, histogram) in column.histograms() {
            match &mut self.steps[at] {
                Some(step) => step.add(member, histogram),
                step if floats.get(at) => *step = Some(Step::AfterFloat),
                step => *step = Some(Step::new(member, histogram)),
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
            match step {
                Some(step) => step.merge(later),
                None if floats.get(at) => *step = Some(Step::AfterFloat),
                None => *step = Some(later),
            }
        }
    }

    /// Adds the histograms to the column of the floats, and removes both where there are both.
    pub(super) fn finish(self, mut column: Column) -> Column {
        for (at, step) in self.steps.into_iter().enumerate() {
            let Some(step) = step else { continue };
            let mixed = column.get(at).is_some();
            column.remove(at);
            if let Step::Total { total, .. } = step
                && !mixed
            {
                let mut histogram = total.value();
                histogram.compact(0);
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
            match step {
                None => {}
                Some(Step::AfterFloat) => mixed_types = true,
                Some(Step::MixedKinds(member)) => mixed_kinds.push(*member),
                Some(Step::Total { reset, not_reset, reconciled, .. }) => {
                    mixed_types |= floats.get(at);
                    collided |= reset & not_reset;
                    any_reconciled |= reconciled;
                }
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
            let labels = &aggregate.input.series()[member].labels;
            let name = quote(labels.metric_name().unwrap_or_default().as_bytes());
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
