//! What each part of a query gives, for those who want to look into an evaluation.
//!
//! A recorder keeps the values of every operation on their way to the operation that uses them. So
//! that each part of the query is an operation of its own, equal parts are not shared, and nothing
//! streams: the query takes more time and memory, and its result is the same.

use std::sync::{Mutex, PoisonError};

use promql_model::{FloatHistogram, SeriesSamples};
use promql_syntax::ast::{NodeId, SelectorId};

use crate::EngineError;
use crate::column::Column;
use crate::context::Context;
use crate::grid::Grid;
use crate::operator::{Kept, Series};
use crate::plan::{Operation, OperationKind};
use crate::storage::TimeRange;
use crate::values::{RangeValue, Value};
use crate::workers::{Outcome, RangeBuffer, Scratch};

/// What a part of a query gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// The part, as a node of the syntax tree. A part of which the others know only one value, since
    /// it doesn't depend on the step, is there once.
    pub node: NodeId,
    /// The selector, if the part selects series.
    pub selector: Option<SelectorId>,
    /// The times of the samples that a selector looks at, at any step.
    pub window: Option<TimeRange>,
    /// The times that it was evaluated at, in milliseconds since the epoch: one but within subqueries.
    pub times: Vec<i64>,
    /// What it gave.
    pub value: PartValue,
}

/// The value of a part of a query.
#[derive(Clone, Debug, PartialEq)]
pub enum PartValue {
    /// One number for each of the times.
    Scalar(Vec<f64>),
    /// The elements of an instant vector: series with a sample at each of the times that they have a
    /// value at. Series without any are left out.
    Vector(Vec<SeriesSamples>),
    /// The samples in the windows of a range vector, each once. Series without any are left out.
    Range(Vec<SeriesSamples>),
}

impl PartValue {
    /// The series of a vector; none for a scalar.
    pub fn series(&self) -> &[SeriesSamples] {
        match self {
            PartValue::Scalar(_) => &[],
            PartValue::Vector(series) | PartValue::Range(series) => series,
        }
    }
}

/// Keeps what the parts of one query give.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    parts: Mutex<Vec<Part>>,
}

/// The samples of one series of a range.
#[derive(Default)]
struct Points {
    floats: Vec<(i64, f64)>,
    histograms: Vec<(i64, FloatHistogram)>,
}

impl Outcome for Points {
    fn histogram_bytes(&self) -> usize {
        self.histograms.iter().map(|(_, histogram)| histogram.samples() * 16).sum()
    }
}

impl Recorder {
    /// The parts, operands before what uses them.
    pub(crate) fn finish(self) -> Vec<Part> {
        self.parts.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes down what an operation gives, and hands it on.
    pub(crate) fn record<'a>(
        &self,
        context: &'a Context<'a>,
        operation: &Operation,
        value: Value<'a>,
    ) -> Result<Value<'a>, EngineError> {
        // What is repeated has been taken down when it was computed.
        if operation.kind == OperationKind::Repeat {
            return Ok(value);
        }
        let grid = operation.grid;
        let (recorded, value) = match value {
            Value::Scalar(scalar) => {
                (PartValue::Scalar(scalar.iter(grid.len).collect()), Value::Scalar(scalar))
            }
            Value::Vector(vector) => {
                let kept = Kept::all_of(context, &*vector, grid.len)?;
                let series = kept.series.iter().zip(&kept.columns);
                let series = series.map(|(series, column)| samples(series, column, &grid));
                (PartValue::Vector(series.collect()), Value::Vector(Box::new(kept)))
            }
            Value::Range(range) => {
                (PartValue::Range(windows(context, &range)?), Value::Range(range))
            }
            // Aggregations don't stream while parts are recorded.
            Value::Groups(groups) => return Ok(Value::Groups(groups)),
        };
        let select = match operation.kind {
            OperationKind::Select(select)
            | OperationKind::SelectRange(select)
            | OperationKind::SelectTime { select, .. } => Some(select),
            _ => None,
        };
        let part = Part {
            node: operation.origin,
            selector: select.and_then(|select| select.selector),
            window: select.map(|select| select.windows.time_range()),
            times: (0..grid.len).map(|step| grid.at(step)).collect(),
            value: recorded,
        };
        self.parts.lock().unwrap_or_else(PoisonError::into_inner).push(part);
        Ok(value)
    }
}

fn samples(series: &Series, column: &Column, grid: &Grid) -> SeriesSamples {
    SeriesSamples {
        labels: series.labels.clone(),
        floats: column.iter().map(|(step, value)| (grid.at(step), value)).collect(),
        histograms: column.histograms().map(|(step, h)| (grid.at(step), h.clone())).collect(),
    }
}

/// The samples in the windows of a range vector.
fn windows(
    context: &Context<'_>,
    range: &RangeValue<'_>,
) -> Result<Vec<SeriesSamples>, EngineError> {
    let time_range = range.windows.time_range();
    let series = range.source.series();
    let read = |index: usize, scratch: &mut Scratch| {
        let mut buffer = RangeBuffer::default();
        let samples = range.source.read(index, scratch, &mut buffer)?;
        let floats = samples.timestamps.iter().copied().zip(samples.values.iter().copied());
        let times = samples.histogram_timestamps.iter().copied();
        let histograms = times.zip(samples.histograms.iter().cloned());
        Ok(Points {
            floats: floats.filter(|(at, _)| time_range.contains(*at)).collect(),
            histograms: histograms.filter(|(at, _)| time_range.contains(*at)).collect(),
        })
    };
    let mut all = Vec::new();
    context.workers.run(series.len(), 64, read, |index, points: Points| {
        let Points { floats, histograms } = points;
        context.limits.keep_bytes(floats.len() * size_of::<(i64, f64)>())?;
        if !floats.is_empty() || !histograms.is_empty() {
            let labels = series[index].labels.clone();
            all.push(SeriesSamples { labels, floats, histograms });
        }
        Ok(())
    })?;
    Ok(all)
}
