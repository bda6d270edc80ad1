//! From the last operation of a plan to the result of the query.

use promql_model::{FloatHistogram, QueryValue, SeriesSamples, VectorElement};

use crate::EngineError;
use crate::column::{Column, ScalarColumn};
use crate::context::Context;
use crate::grid::Grid;
use crate::label_sets::without_metadata;
use crate::limits::Held;
use crate::limits::Limits;
use crate::operator::{Kept, SameLabels, Series, has_same_labels, merge};
use crate::over_range::extended::edges;
use crate::values::{RangeValue, Value, missing_operand};
use crate::workers::{Outcome, RangeBuffer, Scratch};

/// How much memory a point of a result takes.
const POINT: usize = size_of::<(i64, f64)>();

/// Turns the value of the query into its result. `as_matrix` for a range query.
pub(crate) fn finish(
    context: &Context<'_>,
    value: Value<'_>,
    grid: &Grid,
    as_matrix: bool,
) -> Result<QueryValue, EngineError> {
    match value {
        Value::Scalar(scalar) if as_matrix => {
            let floats = scalar.iter(grid.len).enumerate().map(|(k, value)| (grid.at(k), value));
            let floats: Vec<(i64, f64)> = floats.collect();
            context.limits.allow(floats.len())?;
            context.limits.keep_bytes(floats.len() * POINT)?;
            let series = SeriesSamples { floats, ..SeriesSamples::default() };
            Ok(QueryValue::Matrix(if series.floats.is_empty() { vec![] } else { vec![series] }))
        }
        Value::Scalar(scalar) => {
            let value = first(&scalar, grid);
            Ok(QueryValue::Scalar { timestamp: grid.start, value })
        }
        Value::Vector(vector) => {
            let kept = Kept::all_of(context, &*vector, grid.len)?;
            // What the operators held is free before the result is made.
            drop(vector);
            let (series, columns, mut held) = kept.into_parts();
            let (series, columns) = drop_flagged_names(&context.limits, series, columns)?;
            Ok(match as_matrix {
                true => QueryValue::Matrix(matrix(context, series, columns, grid, &mut held)?),
                false => QueryValue::Vector(elements(series, columns, grid)),
            })
        }
        Value::Range(range) => windows(context, &range),
        // What uses it computes it, so it is no result.
        Value::Groups(_) => Err(missing_operand("finished")),
    }
}

fn first(scalar: &ScalarColumn, grid: &Grid) -> f64 {
    scalar.iter(grid.len.min(1)).next().unwrap_or(f64::NAN)
}

/// Removes the names that operations have only flagged for removal.
fn drop_flagged_names(
    limits: &Limits,
    mut series: Vec<Series>,
    columns: Vec<Column>,
) -> Result<(Vec<Series>, Vec<Column>), EngineError> {
    for series in series.iter_mut().filter(|series| series.drop_name) {
        *series = Series::new(without_metadata(&series.labels));
    }
    if !has_same_labels(limits, &series)? {
        return Ok((series, columns));
    }
    merge(limits, series, columns, SameLabels::Merge)
}

fn elements(series: Vec<Series>, columns: Vec<Column>, grid: &Grid) -> Vec<VectorElement> {
    let elements = series.into_iter().zip(columns).filter_map(|(series, column)| {
        let value = column.value(0)?;
        Some(VectorElement { labels: series.labels, timestamp: grid.start, value })
    });
    elements.collect()
}

fn matrix(
    context: &Context<'_>,
    series: Vec<Series>,
    columns: Vec<Column>,
    grid: &Grid,
    held: &mut Held<'_>,
) -> Result<Vec<SeriesSamples>, EngineError> {
    let mut matrix: Vec<SeriesSamples> = Vec::with_capacity(series.len());
    for (index, (series, column)) in series.into_iter().zip(columns).enumerate() {
        context.limits.check_task(index)?;
        let mut floats: Vec<(i64, f64)> = Vec::with_capacity(column.valid.count());
        floats.extend(column.iter().map(|(step, value)| (grid.at(step), value)));
        let histograms: Vec<(i64, FloatHistogram)> =
            column.histograms().map(|(step, h)| (grid.at(step), h.clone())).collect();
        if !floats.is_empty() || !histograms.is_empty() {
            held.grow_bytes(points_bytes(&floats, &histograms))?;
            matrix.push(SeriesSamples { labels: series.labels, floats, histograms });
        }
        held.shrink_bytes(column.bytes());
    }
    context.limits.sort_by(&mut matrix, |a, b| a.labels.cmp(&b.labels))?;
    Ok(matrix)
}

/// How much memory points take.
fn points_bytes(floats: &[(i64, f64)], histograms: &[(i64, FloatHistogram)]) -> usize {
    let of_histogram = |(_, histogram): &(i64, FloatHistogram)| histogram.samples() * 16;
    floats.len() * POINT + histograms.iter().map(of_histogram).sum::<usize>()
}

/// What one series has in a window.
#[derive(Default)]
struct Points {
    floats: Vec<(i64, f64)>,
    histograms: Vec<(i64, FloatHistogram)>,
}

impl Outcome for Points {
    fn histogram_bytes(&self) -> usize {
        points_bytes(&[], &self.histograms)
    }
}

/// A range vector as it is: the samples of the only step's window. An extended window has a point at
/// each edge and the samples in between.
fn windows(context: &Context<'_>, range: &RangeValue<'_>) -> Result<QueryValue, EngineError> {
    let time_range = range.windows.time_range();
    let mut matrix: Vec<SeriesSamples> = Vec::new();
    let mut held = context.limits.hold(0)?;
    let series = range.source.series();
    let read = |index: usize, scratch: &mut Scratch| {
        let mut buffer = RangeBuffer::default();
        let samples = range.source.read(index, scratch, &mut buffer)?;
        let Some(extension) = range.extension else {
            let floats = samples.timestamps.iter().copied().zip(samples.values.iter().copied());
            let floats = floats.filter(|(t, _)| time_range.contains(*t)).collect();
            let times = samples.histogram_timestamps.iter().copied();
            let histograms = times.zip(samples.histograms.iter().cloned());
            let histograms = histograms.filter(|(t, _)| time_range.contains(*t)).collect();
            return Ok(Points { floats, histograms });
        };
        if !samples.histograms.is_empty() {
            return Err(crate::EngineError::Execution {
                message: format!("{} modifier is not supported with histograms", extension.name()),
                span: None,
                help: Some("take the rate, increase or delta of the range".to_owned()),
            });
        }
        let (low, high) = (range.windows.start(0), range.windows.end(0));
        let Some(edges) = edges(extension, false, samples.timestamps, samples.values, (low, high))
        else {
            return Ok(Points::default());
        };
        let inside = edges.samples.map(|at| (samples.timestamps[at], samples.values[at]));
        let inside = inside.filter(|(t, _)| low < *t && *t < high);
        let floats = [(low, edges.left)].into_iter().chain(inside).chain([(high, edges.right)]);
        Ok(Points { floats: floats.collect(), histograms: Vec::new() })
    };
    context.workers.run(series.len(), 64, read, |index, points: Points| {
        let Points { floats, histograms } = points;
        held.grow(floats.len() + histograms.iter().map(|(_, h)| h.samples()).sum::<usize>())?;
        held.grow_bytes(points_bytes(&floats, &histograms))?;
        if !floats.is_empty() || !histograms.is_empty() {
            let Series { labels, drop_name } = &series[index];
            let labels = if *drop_name { without_metadata(labels) } else { labels.clone() };
            matrix.push(SeriesSamples { labels, floats, histograms });
        }
        Ok(())
    })?;
    context.limits.sort_by(&mut matrix, |a, b| a.labels.cmp(&b.labels))?;
    if matrix.windows(2).any(|pair| pair[0].labels == pair[1].labels) {
        return Err(crate::operator::same_labelset());
    }
    Ok(QueryValue::Matrix(matrix))
}
