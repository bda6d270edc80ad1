//! `histogram_quantile`, `histogram_quantiles` and `histogram_fraction` of classic histograms: of
//! series that differ in their `le` alone. Which those are is worked out once; a histogram is
//! computed from the columns of its buckets when it is asked for.

use std::collections::HashMap;

use promql_model::number::General;
use promql_model::{Labels, quote};

use super::buckets::{Buckets, parse_bound};
use crate::EngineError;
use crate::annotations::{Place, Repair, bad_quantile};
use crate::column::{Column, ScalarColumn};
use crate::context::Context;
use crate::grid::Grid;
use crate::label_sets;
use crate::operator::{Operator, SameLabels, Series, VectorOperator, drop_names, unite};
use crate::workers::Scratch;

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

/// A function of the classic histograms of a vector.
pub(crate) fn histogram<'a>(
    context: &'a Context<'a>,
    statistic: &Statistic,
    input: VectorOperator<'a>,
    grid: Grid,
    place: Place,
) -> Result<VectorOperator<'a>, EngineError> {
    statistic.warn(context, grid.len);
    let groups = groups(context, &*input, grid.len, place)?;
    let labels: Vec<Series> = groups.iter().map(|group| group.series.clone()).collect();
    let labels = drop_names(context, &labels);
    let mut outputs = Vec::new();
    let mut series = Vec::new();
    for (label, output) in statistic.outputs(grid.len) {
        for (group, group_series) in labels.iter().enumerate() {
            let mut output_series = group_series.clone();
            if let Some((name, value)) = &label {
                let mut builder = output_series.labels.to_builder();
                builder.set(name.as_str(), value.as_str());
                output_series.labels = builder.build();
            }
            series.push(output_series);
            outputs.push((group, output.clone()));
        }
    }
    let histograms = Histograms { context, input, groups, outputs, series, grid, place };
    unite(context, Box::new(histograms), grid.len, SameLabels::Merge)
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

/// The series of one histogram.
struct Group {
    series: Series,
    /// Bounds, ascending, and the series of each.
    buckets: Vec<(f64, usize)>,
}

fn groups(
    context: &Context<'_>,
    input: &dyn Operator,
    steps: usize,
    place: Place,
) -> Result<Vec<Group>, EngineError> {
    let le = ["le".to_owned()];
    let mut positions: HashMap<Labels, usize> = HashMap::new();
    let mut groups: Vec<Group> = Vec::new();
    let mut malformed = Vec::new();
    for (index, series) in input.series().iter().enumerate() {
        let Some(bound) = series.labels.get("le").and_then(parse_bound) else {
            malformed.push(index);
            continue;
        };
        let labels = label_sets::without(&series.labels, &le);
        let group = *positions.entry(labels).or_insert_with_key(|labels| {
            let series = Series { labels: labels.clone(), drop_name: series.drop_name };
            groups.push(Group { series, buckets: Vec::new() });
            groups.len() - 1
        });
        groups[group].buckets.push((bound, index));
    }
    for group in &mut groups {
        group.buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    warn_of_malformed(context, input, &malformed, steps, place)?;
    Ok(groups)
}

/// Warns of elements without a bound; series that have none at any step don't count.
fn warn_of_malformed(
    context: &Context<'_>,
    input: &dyn Operator,
    malformed: &[usize],
    steps: usize,
    place: Place,
) -> Result<(), EngineError> {
    let compute = |at: usize, scratch: &mut Scratch| {
        let mut column = scratch.take_column();
        input.column(malformed[at], scratch, &mut column)?;
        let any = !column.valid.is_empty();
        scratch.give_column(column);
        Ok(any)
    };
    context.workers.run(malformed.len(), steps, compute, |at, any| {
        if any {
            let labels = &input.series()[malformed[at]].labels;
            let text = format!(
                "bucket label \"le\" is missing or has a malformed value of {}{}",
                quote(labels.get("le").unwrap_or_default().as_bytes()),
                metric_suffix(context, labels)
            );
            context.annotations.warn(place, text);
        }
        Ok(())
    })
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

struct Histograms<'a> {
    context: &'a Context<'a>,
    input: VectorOperator<'a>,
    groups: Vec<Group>,
    /// For each output series the histogram and what is computed of it.
    outputs: Vec<(usize, Output)>,
    series: Vec<Series>,
    grid: Grid,
    place: Place,
}

impl Operator for Histograms<'_> {
    fn series(&self) -> &[Series] {
        &self.series
    }

    fn column(
        &self,
        index: usize,
        scratch: &mut Scratch,
        out: &mut Column,
    ) -> Result<(), EngineError> {
        let (group, output) = &self.outputs[index];
        let group = &self.groups[*group];
        let mut columns = Vec::with_capacity(group.buckets.len());
        for &(_, series) in &group.buckets {
            let mut column = scratch.take_column();
            self.input.column(series, scratch, &mut column)?;
            columns.push(column);
        }
        out.reset(self.grid.len);
        let mut buckets = Buckets::default();
        for step in 0..self.grid.len {
            buckets.clear();
            for (&(bound, _), column) in group.buckets.iter().zip(&columns) {
                if let Some(count) = column.get(step) {
                    buckets.push(bound, count);
                }
            }
            if buckets.is_empty() {
                continue;
            }
            let value = match output {
                Output::Quantile(quantile) => {
                    self.quantile(&mut buckets, quantile.at(step), step, group)
                }
                Output::QuantileIf(quantile, bits) if quantile.at(step).to_bits() == *bits => {
                    self.quantile(&mut buckets, quantile.at(step), step, group)
                }
                Output::QuantileIf(..) => continue,
                Output::Fraction(lower, upper) => buckets.fraction(lower.at(step), upper.at(step)),
            };
            out.set(step, value);
        }
        columns.into_iter().for_each(|column| scratch.give_column(column));
        Ok(())
    }

    fn depth(&self) -> usize {
        self.input.depth() + 1
    }

    fn has_effects(&self) -> bool {
        true
    }
}

impl Histograms<'_> {
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
