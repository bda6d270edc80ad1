//! `histogram_quantile`, `histogram_quantiles` and `histogram_fraction`, of native histograms and of
//! classic ones: series that differ in their `le` alone. Which those are is worked out once; then one
//! histogram after the other is computed from the columns of its buckets. A native histogram that has
//! the labels of a classic one is computed along with that, since only one of them can count.

use std::collections::HashMap;

use promql_model::number::General;
use promql_model::{FloatHistogram, Labels, NanObservations, quote};
use promql_syntax::query::HistogramStatistic;

use super::buckets::{Buckets, parse_bound};
use super::histogram_groups;
use crate::EngineError;
use crate::annotations::{Place, Repair, bad_quantile};
use crate::column::{Bitmap, Column, ScalarColumn};
use crate::context::Context;
use crate::grid::Grid;
use crate::label_sets;
use crate::operator::{Kept, Operator, SameLabels, Series, VectorOperator, drop_names, unite};
use crate::values::{Groups, HistogramVector};
use crate::workers::{Outcome, Scratch};

/// What is computed of histograms.
#[derive(Clone, Debug)]
pub(crate) enum Statistic {
    /// A quantile.
    Quantile(ScalarColumn, Place),
    /// Several quantiles, told apart by a label.
    Quantiles(String, Vec<(ScalarColumn, Place)>),
    /// The part of the observations between two values.
    Fraction(ScalarColumn, ScalarColumn),
}

/// What is computed for one output series.
#[derive(Clone, Debug)]
enum Output {
    Quantile(ScalarColumn),
    /// At the steps at which the quantile has exactly this value, which the label says.
    QuantileIf(ScalarColumn, u64),
    Fraction(ScalarColumn, ScalarColumn),
}

impl Output {
    /// The quantile that is wanted at a step, if one is.
    fn quantile(&self, step: usize) -> Option<f64> {
        match self {
            Output::Quantile(quantile) => Some(quantile.at(step)),
            Output::QuantileIf(quantile, bits) => {
                Some(quantile.at(step)).filter(|value| value.to_bits() == *bits)
            }
            Output::Fraction(..) => None,
        }
    }

    /// What it is of a native histogram.
    fn of_native(
        &self,
        histogram: &FloatHistogram,
        step: usize,
        nan: &mut NanFound,
    ) -> Option<f64> {
        if let Output::Fraction(lower, upper) = self {
            let fraction = histogram.fraction(lower.at(step), upper.at(step));
            nan.fraction |= fraction.has_nan;
            return Some(fraction.value);
        }
        let quantile = histogram.quantile(self.quantile(step)?);
        nan.result |= quantile.nan == NanObservations::Result;
        nan.skew |= quantile.nan == NanObservations::Skew;
        Some(quantile.value)
    }
}

/// Which consequences observations of NaN had.
#[derive(Clone, Copy, Debug, Default)]
struct NanFound {
    result: bool,
    skew: bool,
    fraction: bool,
}

const NAN_RESULT: &str = "input to histogram_quantile has NaN observations, result is NaN";
const NAN_SKEW: &str = "input to histogram_quantile has NaN observations, result is skewed higher";
const NAN_FRACTION: &str =
    "input to histogram_fraction has NaN observations, which are excluded from all fractions";

/// A function of the histograms of a vector.
pub(crate) fn histogram<'a>(
    context: &'a Context<'a>,
    statistic: &Statistic,
    input: HistogramVector<'a>,
    grid: Grid,
    place: Place,
) -> Result<VectorOperator<'a>, EngineError> {
    statistic.warn(context, grid.len);
    let outputs = statistic.outputs(grid.len);
    let functions: Vec<&Output> = outputs.iter().map(|(_, output)| output).collect();
    let histograms = Histograms { context, outputs: functions, grid, place };
    let computed = match input {
        HistogramVector::Vector(input) => histograms.of_vector(&*input)?,
        // Buckets of classic histograms have to be looked at together.
        HistogramVector::Groups(groups) => match has_bounds(&groups.aggregate.label_sets()?) {
            true => histograms.of_vector(&histogram_groups::all(context, &groups)?)?,
            false => histograms.of_groups(&groups)?,
        },
    };
    let mut series = Vec::new();
    let mut columns = Vec::new();
    for ((label, _), computed) in outputs.iter().zip(computed) {
        for (mut output, column) in computed {
            if let Some((name, value)) = label {
                let mut builder = output.labels.to_builder();
                builder.set(name.as_str(), value.as_str());
                output.labels = builder.build();
            }
            series.push(output);
            columns.push(column);
        }
    }
    let series = drop_names(context, &series)?;
    let kept = Kept::new(context, series, columns)?;
    unite(context, Box::new(kept), grid.len, SameLabels::Merge)
}

/// Whether any series may be a bucket of a classic histogram.
fn has_bounds(label_sets: &[Labels]) -> bool {
    label_sets.iter().any(|labels| labels.get("le").and_then(parse_bound).is_some())
}

/// What is computed of each native histogram on its own. Floats have no such statistics.
pub(crate) fn statistic(statistic: HistogramStatistic, column: &mut Column) {
    let mut values = Column::default();
    values.reset(column.len());
    for (step, histogram) in column.histograms() {
        let value = match statistic {
            HistogramStatistic::HistogramCount => histogram.count,
            HistogramStatistic::HistogramSum => histogram.sum,
            HistogramStatistic::HistogramAvg => histogram.sum / histogram.count,
            HistogramStatistic::HistogramStddev => histogram.variance().sqrt(),
            HistogramStatistic::HistogramStdvar => histogram.variance(),
        };
        values.set(step, value);
    }
    column.drop_histograms();
    std::mem::swap(&mut column.values, &mut values.values);
    std::mem::swap(&mut column.valid, &mut values.valid);
}

impl Statistic {
    /// Warns of quantiles that are none, even if there are no histograms.
    fn warn(&self, context: &Context<'_>, steps: usize) {
        let quantiles = match self {
            Statistic::Quantile(quantile, place) => &[(quantile.clone(), *place)][..],
            Statistic::Quantiles(_, quantiles) => quantiles,
            Statistic::Fraction(..) => &[],
        };
        for (quantile, place) in quantiles {
            for value in quantile.iter(steps).filter(|value| !(0.0..=1.0).contains(value)) {
                bad_quantile(&context.annotations, *place, value);
            }
        }
    }

    /// What each histogram gives, with the label that tells it apart.
    fn outputs(&self, steps: usize) -> Vec<(Option<(String, String)>, Output)> {
        match self {
            Statistic::Quantile(quantile, _) => vec![(None, Output::Quantile(quantile.clone()))],
            Statistic::Fraction(lower, upper) => {
                vec![(None, Output::Fraction(lower.clone(), upper.clone()))]
            }
            Statistic::Quantiles(label, quantiles) => {
                let mut outputs = Vec::new();
                for (quantile, _) in quantiles {
                    let mut values: Vec<u64> = quantile.iter(steps).map(f64::to_bits).collect();
                    values.sort_unstable();
                    values.dedup();
                    for bits in values {
                        let text = quantile_label(f64::from_bits(bits));
                        let output = Output::QuantileIf(quantile.clone(), bits);
                        outputs.push((Some((label.clone(), text)), output));
                    }
                }
                outputs
            }
        }
    }
}

/// A quantile as a label value: with at least one decimal.
fn quantile_label(quantile: f64) -> String {
    let mut text = General(quantile).to_string();
    if quantile.is_finite() && !text.contains(['.', 'e']) {
        text.push_str(".0");
    }
    text
}

/// Series that have to be looked at together.
struct Group {
    /// The labels of the classic histogram.
    series: Series,
    /// Bounds, ascending, and the series of each.
    buckets: Vec<(f64, usize)>,
    /// Series without a bound that have the same labels, and where there are no buckets the series
    /// that has them. Only their native histograms count.
    others: Vec<usize>,
}

fn groups(input: &dyn Operator) -> Vec<Group> {
    let le = ["le".to_owned()];
    let mut positions: HashMap<Labels, usize> = HashMap::new();
    let mut groups: Vec<Group> = Vec::new();
    for (index, series) in input.series().iter().enumerate() {
        let bound = series.labels.get("le").and_then(parse_bound);
        let labels = match bound {
            Some(_) => label_sets::without(&series.labels, &le),
            None => series.labels.clone(),
        };
        let group = *positions.entry(labels).or_insert_with_key(|labels| {
            let series = Series { labels: labels.clone(), drop_name: series.drop_name };
            groups.push(Group { series, buckets: Vec::new(), others: Vec::new() });
            groups.len() - 1
        });
        match bound {
            Some(bound) => groups[group].buckets.push((bound, index)),
            None => groups[group].others.push(index),
        }
    }
    for group in &mut groups {
        group.buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    groups
}

/// What names the metric in remarks, where names are still there.
fn metric_suffix(context: &Context<'_>, labels: &Labels) -> String {
    match labels.metric_name() {
        Some(name) if context.options.delayed_name_removal => {
            format!(" for metric name {}", quote(name.as_bytes()))
        }
        _ => String::new(),
    }
}

/// What was computed of a group: a column for each output.
struct Computed {
    /// Of native histograms, with the series that has them.
    native: Vec<(usize, Vec<Column>)>,
    /// Of the classic histogram, if there is one.
    classic: Vec<Column>,
}

impl Outcome for Computed {}

/// The columns of one output, with the label sets that they are computed of.
type Computation = Vec<(Series, Column)>;

struct Histograms<'a> {
    context: &'a Context<'a>,
    outputs: Vec<&'a Output>,
    grid: Grid,
    place: Place,
}

impl Histograms<'_> {
    /// Computes each output of the histograms of a vector: native ones first.
    fn of_vector(&self, input: &dyn Operator) -> Result<Vec<Computation>, EngineError> {
        let (context, steps) = (self.context, self.grid.len);
        let groups = groups(input);
        let nothing = || self.outputs.iter().map(|_| Vec::new()).collect();
        let mut natives: Vec<Vec<(usize, Column)>> = nothing();
        let mut classics: Vec<Vec<(usize, Column)>> = nothing();
        let mut held = context.limits.hold(0)?;
        let _batch = context.workers.hold_batch(groups.len(), steps * self.outputs.len())?;
        let compute = |at: usize, scratch: &mut Scratch| self.compute(input, &groups[at], scratch);
        let size = steps * input.series().len().div_ceil(groups.len().max(1));
        context.workers.run(groups.len(), size, compute, |at, computed: Computed| {
            for (native, columns) in computed.native {
                for (output, column) in columns.into_iter().enumerate() {
                    held.grow(column.samples())?;
                    held.grow_bytes(column.bytes())?;
                    natives[output].push((native, column));
                }
            }
            for (output, column) in computed.classic.into_iter().enumerate() {
                held.grow(column.samples())?;
                held.grow_bytes(column.bytes())?;
                classics[output].push((at, column));
            }
            Ok(())
        })?;
        let all = natives.into_iter().zip(classics).map(|(mut natives, classics)| {
            natives.sort_by_key(|(native, _)| *native);
            let natives = natives.into_iter().map(|(at, column)| (&input.series()[at], column));
            let classics = classics.into_iter().map(|(at, column)| (&groups[at].series, column));
            natives.chain(classics).map(|(series, column)| (series.clone(), column)).collect()
        });
        Ok(all.collect())
    }

    /// The same for the groups of an aggregation, none of which is a bucket of a classic histogram.
    fn of_groups(&self, groups: &Groups<'_>) -> Result<Vec<Computation>, EngineError> {
        let mut computed: Vec<Computation> = self.outputs.iter().map(|_| Vec::new()).collect();
        let mut held = self.context.limits.hold(0)?;
        histogram_groups::each(self.context, groups, &mut |series, column| {
            if !column.valid.is_empty() {
                self.warn_of_malformed(&series.labels);
            }
            if !column.has_histograms() {
                return Ok(());
            }
            for (computed, values) in computed.iter_mut().zip(self.native(&series.labels, &column))
            {
                held.grow(values.samples())?;
                held.grow_bytes(values.bytes())?;
                computed.push((series.clone(), values));
            }
            Ok(())
        })?;
        Ok(computed)
    }

    fn compute(
        &self,
        input: &dyn Operator,
        group: &Group,
        scratch: &mut Scratch,
    ) -> Result<Computed, EngineError> {
        let labels = |series: usize| &input.series()[series].labels;
        let mut buckets = Vec::with_capacity(group.buckets.len());
        for &(_, series) in &group.buckets {
            let mut column = scratch.take_column();
            input.column(series, scratch, &mut column)?;
            buckets.push(column);
        }
        let mut computed = Computed { native: Vec::new(), classic: Vec::new() };
        let mut conflicts = Bitmap::empty(self.grid.len);
        for &other in &group.others {
            let mut column = scratch.take_column();
            input.column(other, scratch, &mut column)?;
            if !column.valid.is_empty() {
                self.warn_of_malformed(labels(other));
            }
            if let Some(steps) = column.histogram_steps() {
                for bucket in &buckets {
                    let mut both = steps.clone();
                    both.intersect(&bucket.valid);
                    conflicts.union(&both);
                }
            }
            column.subtract(&conflicts);
            if column.has_histograms() {
                computed.native.push((other, self.native(labels(other), &column)));
            }
            scratch.give_column(column);
        }
        if !conflicts.is_empty() {
            let suffix = metric_suffix(self.context, &group.series.labels);
            let text = format!("vector contains a mix of classic and native histograms{suffix}");
            self.context.annotations.warn(self.place, text);
        }
        for (&(_, series), column) in group.buckets.iter().zip(&buckets) {
            if column.has_histograms() {
                computed.native.push((series, self.native(labels(series), column)));
            }
        }
        buckets.iter_mut().for_each(|column| column.valid.subtract(&conflicts));
        if !buckets.is_empty() {
            let output = |output: &&Output| self.classic(group, &buckets, output);
            computed.classic = self.outputs.iter().map(output).collect();
        }
        buckets.into_iter().for_each(|column| scratch.give_column(column));
        Ok(computed)
    }

    fn warn_of_malformed(&self, labels: &Labels) {
        let text = format!(
            "bucket label \"le\" is missing or has a malformed value of {}{}",
            quote(labels.get("le").unwrap_or_default().as_bytes()),
            metric_suffix(self.context, labels)
        );
        self.context.annotations.warn(self.place, text);
    }

    /// The outputs for the native histograms of a series.
    fn native(&self, labels: &Labels, column: &Column) -> Vec<Column> {
        let mut nan = NanFound::default();
        let output = |output: &&Output| {
            let mut values = Column::default();
            values.reset(self.grid.len);
            for (step, histogram) in column.histograms() {
                if let Some(value) = output.of_native(histogram, step, &mut nan) {
                    values.set(step, value);
                }
            }
            values
        };
        let columns = self.outputs.iter().map(output).collect();
        let found = [(nan.result, NAN_RESULT), (nan.skew, NAN_SKEW), (nan.fraction, NAN_FRACTION)];
        for (_, text) in found.into_iter().filter(|found| found.0) {
            let suffix = metric_suffix(self.context, labels);
            self.context.annotations.inform(self.place, format!("{text}{suffix}"));
        }
        columns
    }

    /// An output for a classic histogram.
    fn classic(&self, group: &Group, columns: &[Column], output: &Output) -> Column {
        let mut out = Column::default();
        out.reset(self.grid.len);
        let mut buckets = Buckets::default();
        for step in 0..self.grid.len {
            buckets.clear();
            for (&(bound, _), column) in group.buckets.iter().zip(columns) {
                if let Some(count) = column.get(step) {
                    buckets.push(bound, count);
                }
            }
            if buckets.is_empty() {
                continue;
            }
            let value = match output {
                Output::Fraction(lower, upper) => buckets.fraction(lower.at(step), upper.at(step)),
                _ => match output.quantile(step) {
                    Some(quantile) => self.quantile(&mut buckets, quantile, step, group),
                    None => continue,
                },
            };
            out.set(step, value);
        }
        out
    }

    fn quantile(&self, buckets: &mut Buckets, quantile: f64, step: usize, group: &Group) -> f64 {
        let (value, repaired) = buckets.quantile(quantile);
        if let Some(repaired) = repaired {
            let repair = Repair {
                lowest_bucket: repaired.lowest_bucket,
                highest_bucket: repaired.highest_bucket,
                largest_difference: repaired.largest_difference,
                samples: 1,
                first: self.grid.at(step),
                last: self.grid.at(step),
            };
            let suffix = metric_suffix(self.context, &group.series.labels);
            self.context.annotations.repaired(self.place, suffix, repair);
        }
        value
    }
}
