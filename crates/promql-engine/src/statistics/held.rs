//! How many samples Prometheus would hold at most for a query.
//!
//! Upstream evaluates an operation after all of its operands, whose values at all steps it keeps
//! meanwhile, and counts them: those of each operand, at each step once more those that it gathers,
//! and what comes of them. This engine keeps much less, but people know their queries by upstream's
//! number, and set its limits by it. It follows from how many values each operation has at each
//! step, and from the largest window of each series.
//!
//! For an operation two numbers matter, both over what was held before it: the peak while it is
//! evaluated, and what its result leaves. So they are worked out once for each, operands first,
//! however often it is used. `info` is taken for an operation like any other, which it isn't quite.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use promql_syntax::Query;
use promql_syntax::query::{Aggregation, Vector};

use super::{Collector, Output, WindowsOfSeries};
use crate::plan::{Operation, OperationKind, Plan};

/// What an operation does to the number of samples that are held.
#[derive(Clone, Copy, Debug, Default)]
struct Held {
    /// At most, while it is evaluated.
    peak: usize,
    /// Afterwards: its result.
    size: usize,
}

/// How upstream evaluates an operation.
enum How {
    /// All that the selector finds is kept.
    Selects,
    /// So is all that is in the windows.
    SelectsRange,
    /// At each step, from a selector that is not evaluated by itself.
    SelectsEachStep,
    /// At each step, from the values of the operands at that step.
    EachStep,
    /// From all of the operands, of which nothing is left.
    Aggregates,
    /// The result is the operand, changed.
    Passes,
    /// The value of one step at each step.
    Repeats,
    /// Series by series over windows.
    OverWindows,
}

fn how(query: &Query, kind: &OperationKind) -> How {
    let id = match kind {
        OperationKind::Select(_) => return How::Selects,
        OperationKind::SelectRange(_) => return How::SelectsRange,
        OperationKind::SelectTime { .. } => return How::SelectsEachStep,
        OperationKind::Subquery(_) => return How::Passes,
        OperationKind::Repeat => return How::Repeats,
        OperationKind::Number(_) | OperationKind::Scalar(_) | OperationKind::Info(..) => {
            return How::EachStep;
        }
        OperationKind::Vector(id) => *id,
    };
    match query.vector(id).kind {
        Vector::Negate(_) | Vector::LabelReplace { .. } | Vector::LabelJoin { .. } => How::Passes,
        Vector::Aggregate { op: Aggregation::CountValues(_), .. } => How::EachStep,
        Vector::Aggregate { .. } => How::Aggregates,
        Vector::OverRange(..)
        | Vector::QuantileOverTime { .. }
        | Vector::PredictLinear { .. }
        | Vector::DoubleExponentialSmoothing { .. }
        | Vector::AbsentOverTime(_) => How::OverWindows,
        _ => How::EachStep,
    }
}

/// The number of samples for a query that was evaluated and measured.
pub(super) fn peak(query: &Query, plan: &Plan, collector: &Collector) -> usize {
    let mut all: Vec<Held> = Vec::with_capacity(plan.operations.len());
    for (at, operation) in plan.operations.iter().enumerate() {
        let own = Values { collector, plan, at };
        let operands = operands(plan, operation, &all);
        let held = match how(query, &operation.kind) {
            How::Selects => {
                let size = own.total();
                Held { peak: size, size }
            }
            How::SelectsRange => {
                let size = own.of_range();
                Held { peak: size, size }
            }
            How::SelectsEachStep => each_step(&own, &[&own], Held::default()),
            How::EachStep => {
                let inputs = operation.inputs.iter().map(|&at| Values { collector, plan, at });
                let inputs: Vec<Values<'_>> = inputs.collect();
                each_step(&own, &inputs.iter().collect::<Vec<_>>(), operands)
            }
            How::Aggregates => {
                let size = own.total();
                Held { peak: operands.peak.max(size), size }
            }
            How::Passes => operands,
            How::Repeats => {
                let size = operands.size * operation.grid.len;
                Held { peak: operands.peak.max(size), size }
            }
            How::OverWindows => {
                let subqueries = operation.inputs.iter().filter(|&&input| {
                    matches!(plan.operations[input].kind, OperationKind::Subquery(_))
                });
                let subquery = subqueries.map(|&input| all[input].size).sum();
                over_windows(operands, &own.windows(), subquery)
            }
        };
        all.push(held);
    }
    all.last().map_or(0, |held| held.peak)
}

/// The operands one after the other, each beside those before. Selectors of ranges are read by the
/// functions that they are operands of.
fn operands(plan: &Plan, operation: &Operation, all: &[Held]) -> Held {
    let is_read =
        |input: usize| !matches!(plan.operations[input].kind, OperationKind::SelectRange(_));
    let inputs = operation.inputs.iter().filter(|&&input| is_read(input));
    inputs.fold(Held::default(), |before, &input| Held {
        peak: before.peak.max(before.size + all[input].peak),
        size: before.size + all[input].size,
    })
}

/// At each step the values of the operands are gathered, and the results are added.
fn each_step(own: &Values<'_>, inputs: &[&Values<'_>], operands: Held) -> Held {
    let mut peak = operands.peak;
    let mut size = 0;
    for step in 0..own.steps() {
        let gathered: usize = inputs.iter().map(|input| input.at(step)).sum();
        let results = own.at(step);
        peak = peak.max(operands.size + size + gathered + results);
        size += results;
    }
    Held { peak: peak.max(size), size }
}

/// The window of a series is held while it slides, then what came of it. The result of a subquery is
/// held meanwhile, and scalar arguments for good.
fn over_windows(before: Held, windows: &[WindowsOfSeries], subquery: usize) -> Held {
    let mut peak = before.peak;
    let mut size = 0;
    for series in windows {
        peak = peak.max(before.size + size + series.longest);
        size += series.results;
        peak = peak.max(before.size + size + series.last);
    }
    Held { peak, size: before.size - subquery + size }
}

/// The values of an operation.
struct Values<'a> {
    collector: &'a Collector,
    plan: &'a Plan,
    at: usize,
}

impl Values<'_> {
    fn output(&self) -> Option<&Output> {
        self.collector.nodes.get(self.at).and_then(|node| node.output.get())
    }

    fn steps(&self) -> usize {
        self.plan.operations[self.at].grid.len
    }

    /// How many samples there are at a step. A scalar, which has no series, has one.
    fn at(&self, step: usize) -> usize {
        let Some(output) = self.output() else { return 1 };
        output.at_steps.get(step).map_or(0, |samples| samples.load(Ordering::Relaxed) as usize)
    }

    fn total(&self) -> usize {
        (0..self.steps()).map(|step| self.at(step)).sum()
    }

    /// The samples of a range vector, each once.
    fn of_range(&self) -> usize {
        let samples = self.output().into_iter().flat_map(|output| &output.samples);
        samples.map(|samples| samples.load(Ordering::Relaxed) as usize).sum()
    }

    fn windows(&self) -> Vec<WindowsOfSeries> {
        let windows = self.collector.windows.lock().unwrap_or_else(PoisonError::into_inner);
        windows.range((self.at, 0)..(self.at + 1, 0)).map(|(_, windows)| *windows).collect()
    }
}
