//! Adding, subtracting and scaling.

use std::borrow::Cow;
use std::sync::Arc;

use super::layout::{Layout, SideBuilder, union};
use super::resolution::copied;
use super::{
    Count, CounterResetHint, FloatHistogram, Histogram, HistogramError, Run, SideBuckets,
    bucket_bound,
};

/// What was remarkable about combining two histograms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[must_use]
pub struct Combined {
    /// One was hinted to be a counter reset and the other one to be none.
    pub hint_collision: bool,
    /// Custom bounds differed, so only those were kept that both have.
    pub bounds_reconciled: bool,
}

impl<C: Count> Histogram<C> {
    /// Adds a histogram. The resolution becomes the lower of the two, the zero bucket as wide as the
    /// wider of the two or wider; the hint becomes what can be said of both.
    ///
    /// # Errors
    /// When only one of the two has custom buckets. This histogram is then unchanged.
    pub fn add(&mut self, other: &FloatHistogram) -> Result<Combined, HistogramError> {
        self.add_times(other, 1.0)
    }

    /// Subtracts a histogram, as [`Histogram::add`] adds, hints included: PromQL's `-` makes a gauge
    /// of the result afterwards. Populations may become negative.
    ///
    /// # Errors
    /// When only one of the two has custom buckets. This histogram is then unchanged.
    pub fn subtract(&mut self, other: &FloatHistogram) -> Result<Combined, HistogramError> {
        self.add_times(other, -1.0)
    }

    /// Adds a histogram whose numbers are multiplied with `sign`, which is 1 or -1.
    fn add_times(&mut self, other: &FloatHistogram, sign: f64) -> Result<Combined, HistogramError> {
        if self.has_custom_buckets() != other.has_custom_buckets() {
            return Err(HistogramError::MixedSchemas);
        }
        let (hint, hint_collision) = combined_hints(self.hint, other.hint);
        self.hint = hint;
        self.count.add(sign * other.count);
        self.sum.add(sign * other.sum);
        let mut bounds_reconciled = false;
        if self.has_custom_buckets() {
            if self.layout.has_bounds_of(&other.layout) {
                self.add_sides(other, sign);
            } else {
                self.add_across_bounds(other, sign);
                bounds_reconciled = true;
            }
        } else {
            let zero_count = self.reconcile_zero(other);
            self.zero_count.add(sign * zero_count);
            let mut other = Cow::Borrowed(other);
            if other.schema < self.schema {
                self.merge_buckets_to(other.schema);
            } else if other.schema > self.schema {
                other.to_mut().merge_buckets_to(self.schema);
            }
            self.add_sides(&other, sign);
        }
        Ok(Combined { hint_collision, bounds_reconciled })
    }

    /// Adds the buckets of a histogram of the same schema and bounds.
    fn add_sides(&mut self, other: &FloatHistogram, sign: f64) {
        let custom = self.has_custom_buckets();
        let threshold = self.zero_threshold;
        // Whether the zero bucket covers buckets of a side, which is seen at its first one.
        let covers = |side: SideBuckets<'_, f64>| {
            let first = side.runs().first();
            !custom && first.is_some_and(|run| bucket_bound(other.schema, run.start) <= threshold)
        };
        let covered = covers(other.positive()) || covers(other.negative());
        let same_runs = self.layout.has_buckets_of(&other.layout);
        // Custom buckets have no negative side; if one is there nonetheless, it is left alone.
        let skips_negative = custom && !other.negative().is_empty();
        if same_runs && !covered && !skips_negative {
            for (count, other) in self.counts.iter_mut().zip(&other.counts) {
                count.add(sign * other);
            }
            return;
        }
        if !covered && !skips_negative && self.add_within(other, sign) {
            return;
        }
        let covered =
            |&(index, _): &(i64, f64)| !custom && bucket_bound(other.schema, index) <= threshold;
        let signed = |(index, count): (i64, f64)| (index, sign * count);
        let positive =
            union(self.positive(), other.positive().iter().skip_while(covered).map(signed));
        let negative = if custom {
            copied(self.negative())
        } else {
            union(self.negative(), other.negative().iter().skip_while(covered).map(signed))
        };
        self.set_sides(positive, negative);
    }

    /// Adds the buckets of a histogram if this one has them all, and otherwise nothing.
    fn add_within(&mut self, other: &FloatHistogram, sign: f64) -> bool {
        let (ours, theirs) = (&self.layout, &other.layout);
        if !contains(&ours.positive, &theirs.positive)
            || !contains(&ours.negative, &theirs.negative)
        {
            return false;
        }
        let (positive, negative) = self.counts.split_at_mut(ours.positive_length);
        add_contained(&ours.positive, positive, other.positive(), sign);
        add_contained(&ours.negative, negative, other.negative(), sign);
        true
    }

    /// Adds the custom buckets of a histogram with other bounds: only bounds that both have stay,
    /// and the buckets between them are merged.
    fn add_across_bounds(&mut self, other: &FloatHistogram, sign: f64) {
        let common = common_bounds(self.custom_values(), other.custom_values());
        let mut counts = vec![C::default(); common.len() + 1];
        for_each_target(self.positive(), self.custom_values(), &common, |target, count| {
            if let Some(sum) = counts.get_mut(target) {
                sum.merge(count);
            }
        });
        for_each_target(other.positive(), other.custom_values(), &common, |target, count| {
            if let Some(sum) = counts.get_mut(target) {
                sum.add(sign * count);
            }
        });
        let mut positive = SideBuilder::with_capacity(counts.len());
        positive.extend((0..).zip(counts).filter(|(_, count)| !count.is_zero()));
        let negative = copied(self.negative());
        self.layout = Arc::new(Layout::new(positive.runs, negative.runs, common));
        self.counts = positive.counts;
        self.counts.extend(negative.counts);
    }

    /// Multiplies all populations, count and sum. A negative factor makes a gauge of the histogram.
    pub fn multiply(&mut self, factor: f64) {
        self.for_each_count(|count| count.multiply(factor));
        if factor < 0.0 {
            self.hint = CounterResetHint::Gauge;
        }
    }

    /// Divides all populations, count and sum. A negative divisor makes a gauge of the histogram. A
    /// divisor of 0 removes all buckets, and what is left becomes infinite or NaN.
    pub fn divide(&mut self, divisor: f64) {
        if divisor == 0.0 {
            self.set_sides(SideBuilder::with_capacity(0), SideBuilder::with_capacity(0));
        }
        self.for_each_count(|count| count.divide(divisor));
        if divisor < 0.0 {
            self.hint = CounterResetHint::Gauge;
        }
    }

    fn for_each_count(&mut self, change: impl Fn(&mut C)) {
        for count in [&mut self.count, &mut self.sum, &mut self.zero_count] {
            change(count);
        }
        self.counts.iter_mut().for_each(change);
    }

    /// All that is counted in it, as if nothing were negative. No number in it, nor in what it
    /// becomes when buckets are merged, is larger.
    pub fn magnitude(&self) -> f64 {
        let counts = [self.zero_count, self.count, self.sum];
        counts.iter().chain(&self.counts).map(|count| count.value().abs()).sum()
    }

    /// The sizes of the smallest and the largest of its numbers, without those that are 0; infinity and 0
    /// if all are. Nothing if one is infinite or NaN.
    pub fn sizes(&self) -> Option<(f64, f64)> {
        let counts = [self.zero_count, self.count, self.sum];
        let sizes = counts.iter().chain(&self.counts).map(|count| count.value().abs());
        let sizes = sizes.fold((f64::INFINITY, 0.0, false), |(small, large, unfit), size| {
            let small = if size == 0.0 { small } else { f64::min(small, size) };
            (small, f64::max(large, size), unfit | !size.is_finite())
        });
        (!sizes.2).then_some((sizes.0, sizes.1))
    }

    /// Whether any number in it is infinite: what makes an average switch to a form that doesn't sum
    /// first.
    pub fn has_overflow(&self) -> bool {
        let counts = [self.zero_count, self.count, self.sum];
        let mut counts = counts.iter().chain(&self.counts).map(|count| count.value());
        counts.any(f64::is_infinite) || self.custom_values().iter().any(|b| b.is_infinite())
    }
}

impl<C: Count> Histogram<C> {
    /// The histogram in floats, with what rounding took away put back.
    pub fn to_float(&self) -> FloatHistogram {
        self.in_floats(C::value)
    }

    /// [`Histogram::to_float`] into a histogram whose memory is used.
    pub fn write_to(&self, out: &mut FloatHistogram) {
        out.count = self.count.value();
        out.sum = self.sum.value();
        out.zero_count = self.zero_count.value();
        out.zero_threshold = self.zero_threshold;
        out.hint = self.hint;
        out.schema = self.schema;
        if !Arc::ptr_eq(&out.layout, &self.layout) {
            out.layout = Arc::clone(&self.layout);
        }
        out.counts.clear();
        out.counts.extend(self.counts.iter().map(|count| count.value()));
    }

    /// [`Histogram::from_float`] in the memory that there is.
    pub fn set_to_float(&mut self, histogram: &FloatHistogram) {
        self.count = C::of(histogram.count);
        self.sum = C::of(histogram.sum);
        self.zero_count = C::of(histogram.zero_count);
        self.zero_threshold = histogram.zero_threshold;
        self.hint = histogram.hint;
        self.schema = histogram.schema;
        if !Arc::ptr_eq(&self.layout, &histogram.layout) {
            self.layout = Arc::clone(&histogram.layout);
        }
        self.counts.clear();
        self.counts.extend(histogram.counts.iter().map(|&count| C::of(count)));
    }

    /// The histogram with what a function makes of each of its numbers.
    pub(super) fn in_floats(&self, value: impl Fn(C) -> f64) -> FloatHistogram {
        FloatHistogram {
            count: value(self.count),
            sum: value(self.sum),
            zero_count: value(self.zero_count),
            zero_threshold: self.zero_threshold,
            hint: self.hint,
            schema: self.schema,
            layout: Arc::clone(&self.layout),
            counts: self.counts.iter().map(|&count| value(count)).collect(),
        }
    }

    /// The histogram, to add others to.
    pub fn from_float(histogram: &FloatHistogram) -> Self {
        Self {
            count: C::of(histogram.count),
            sum: C::of(histogram.sum),
            zero_count: C::of(histogram.zero_count),
            zero_threshold: histogram.zero_threshold,
            hint: histogram.hint,
            schema: histogram.schema,
            layout: Arc::clone(&histogram.layout),
            counts: histogram.counts.iter().map(|&count| C::of(count)).collect(),
        }
    }
}

/// What is known of the sum of two histograms, and whether the two contradict each other.
pub(super) fn combined_hints(a: CounterResetHint, b: CounterResetHint) -> (CounterResetHint, bool) {
    use CounterResetHint::{Gauge, Unknown};
    match (a, b) {
        (Gauge, _) | (_, Gauge) => (Gauge, false),
        _ if a == b => (a, false),
        (Unknown, _) | (_, Unknown) => (Unknown, false),
        _ => (Unknown, true),
    }
}

/// Whether all of `inner` is in `outer`.
fn contains(outer: &[Run], inner: &[Run]) -> bool {
    let mut outer = outer.iter();
    let mut current = outer.next();
    inner.iter().all(|run| {
        while let Some(_before) = current.filter(|around| around.end() <= run.start) {
            current = outer.next();
        }
        current.is_some_and(|around| around.start <= run.start && run.end() <= around.end())
    })
}

/// Adds a side to one that has all its buckets.
fn add_contained<C: Count>(runs: &[Run], counts: &mut [C], added: SideBuckets<'_, f64>, sign: f64) {
    let mut runs = runs.iter();
    let mut current = runs.next();
    // Where the counts of the current run begin, on both sides.
    let (mut ours, mut theirs) = (0, 0);
    for run in added.runs() {
        while let Some(before) = current.filter(|around| around.end() <= run.start) {
            ours += before.length;
            current = runs.next();
        }
        let Some(around) = current else { return };
        let ahead = usize::try_from(run.start - around.start).unwrap_or(0);
        let from = counts.get_mut(ours + ahead..).unwrap_or_default();
        let added = added.counts().get(theirs..theirs + run.length).unwrap_or_default();
        for (count, added) in from.iter_mut().zip(added) {
            count.add(sign * added);
        }
        theirs += run.length;
    }
}

/// The bounds that are in both lists.
pub(super) fn common_bounds(a: &[f64], b: &[f64]) -> Vec<f64> {
    let (mut a, mut b) = (a.iter().copied().peekable(), b.iter().copied().peekable());
    let mut common = Vec::new();
    while let (Some(&left), Some(&right)) = (a.peek(), b.peek()) {
        if left == right {
            common.push(left);
        }
        if left <= right || left.is_nan() {
            a.next();
        }
        if right <= left || right.is_nan() {
            b.next();
        }
    }
    common
}

/// Calls with each custom bucket and where it goes when only some of the bounds are left.
pub(super) fn for_each_target<C: Count>(
    side: SideBuckets<'_, C>,
    bounds: &[f64],
    common: &[f64],
    mut call: impl FnMut(usize, C),
) {
    let mut target = 0;
    for (index, count) in side.iter() {
        let bound = usize::try_from(index.max(0)).ok().and_then(|index| bounds.get(index));
        match bound {
            Some(bound) => {
                while common.get(target).is_some_and(|common| common < bound) {
                    target += 1;
                }
            }
            None => target = common.len(),
        }
        call(target, count);
    }
}
