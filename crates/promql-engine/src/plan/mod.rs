//! The plan of a query: its operations in the order of evaluation, with everything resolved that
//! doesn't need data.
//!
//! The typed tree says what was written; the plan says what is done. For each operation it holds
//! the grid on which it is evaluated (that of the query, that of a subquery, or a single instant
//! for a part that doesn't depend on the step), and for each selector its windows in milliseconds
//! and the selection of series it takes part in: selectors with the same matchers and overlapping
//! times share one.
//!
//! Operands come before the operations on them, so that evaluating the plan is a loop. Planning
//! itself uses a stack of its own: an expression may be nested ten thousand levels deep. Parts of a
//! query that are equal are [one operation](share).

mod invariant;
mod selection;
mod share;
mod times;
mod tree;

use promql_syntax::ast::{NodeId, SelectorId};
use promql_syntax::query::{Range, Root, Scalar, ScalarId, Vector, VectorId};
use promql_syntax::{Query, Span};

use crate::EngineError;
use crate::grid::Grid;
use crate::options::{EngineOptions, EvaluationTime};
use crate::totals::totals_only;
use crate::window::Windows;
use invariant::Invariance;
pub(crate) use selection::{Selection, compile};
use times::QueryTimes;
use tree::{Part, operands};

/// See the module.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Operands precede what uses them; the last one gives the result.
    pub(crate) operations: Vec<Operation>,
    pub(crate) selections: Vec<Selection>,
    /// The grid of the query.
    pub(crate) grid: Grid,
}

/// One operation of a plan.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) kind: OperationKind,
    /// The grid that the result is for.
    pub(crate) grid: Grid,
    /// The operations whose results are used, in the order in which they are evaluated.
    pub(crate) inputs: Vec<usize>,
    /// The node of the syntax tree it comes from.
    pub(crate) origin: NodeId,
    /// The part of the query's text; of equal parts that of the first.
    pub(crate) span: Span,
    /// Where remarks about it point.
    pub(crate) remarks: Remarks,
    /// Whether the histograms that it selects are needed without buckets only.
    pub(crate) totals: bool,
    /// How often a sample counts that it looks at, in the numbers that servers report: at each of the
    /// steps that a result is repeated at, and not at all within a subquery, whose values count.
    pub(crate) counted: usize,
    /// How often its result is an operand, or that of the query.
    pub(crate) uses: usize,
    /// Whether two of those uses ask for the same column, one soon after the other, so that it pays
    /// to keep the last one.
    pub(crate) remember: bool,
    /// In how many passes its columns are asked for.
    pub(crate) passes: usize,
    /// The aggregation, by its position, in whose pass over their operand this one is computed too.
    pub(crate) along: Option<usize>,
}

/// Where remarks about an operation point. Remarks with one text are one remark at the last of
/// their places, so of equal parts of a query the last one is remarked upon.
#[derive(Clone, Debug, Default)]
pub(crate) struct Remarks {
    /// The position in the order of evaluation, if every part was evaluated by itself.
    pub(crate) order: usize,
    /// For how many equal parts of the query the operation stands.
    pub(crate) times: usize,
    /// The part of the query's text.
    pub(crate) span: Span,
    /// Those of its operands. Remarks about subqueries point at the start of the query, as upstream,
    /// which replaces a subquery by its samples, has it.
    pub(crate) operands: Vec<Span>,
    /// Those of the operands of the first of the equal parts, where failures point.
    pub(crate) first_operands: Vec<Span>,
}

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum OperationKind {
    /// Takes the newest sample of each window.
    Select(Select),
    /// As `Select`, but takes the time of the sample, or its start timestamp.
    SelectTime {
        select: Select,
        /// Its start timestamp.
        start: bool,
    },
    /// Hands out the samples of whole windows.
    SelectRange(Select),
    /// Hands out the values of the input as samples, for windows of another grid.
    Subquery(Windows),
    /// Repeats the value of the only step of the input at each step.
    Repeat,
    /// `info`, with the windows in which info series are looked for.
    Info(VectorId, Windows),
    /// A constant.
    Number(f64),
    /// Any other scalar expression.
    Scalar(ScalarId),
    /// Any other vector expression.
    Vector(VectorId),
}

/// A selector of a plan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Select {
    /// The selector of the query; none where a function selects series on its own.
    pub(crate) selector: Option<SelectorId>,
    /// The position in [`Plan::selections`].
    pub(crate) selection: usize,
    /// The windows that the function sees.
    pub(crate) windows: Windows,
    /// How far before and after the windows samples are needed: under `anchored` and `smoothed`.
    pub(crate) before: i64,
    pub(crate) after: i64,
}

/// Plans a query.
pub(crate) fn plan(
    query: &Query,
    time: EvaluationTime,
    options: &EngineOptions,
) -> Result<Plan, EngineError> {
    let times = QueryTimes::new(query, time, options)?;
    let Some(root) = root_part(query) else {
        return Ok(Plan { operations: Vec::new(), selections: Vec::new(), grid: times.grid });
    };
    let invariance = Invariance::of(query, root);
    let mut planner = Planner { query, times, invariance, stack: Vec::new(), done: Vec::new() };
    let mut plan = planner.plan_all(root)?;
    let totals = totals_only(query, &plan.operations);
    plan.operations.iter_mut().zip(totals).for_each(|(operation, totals)| {
        operation.totals = totals;
    });
    count_samples(&mut plan.operations);
    share::share(query, &mut plan.operations, options.share);
    let mut uses = vec![0; plan.selections.len()];
    for operation in &plan.operations {
        match operation.selection() {
            // Windows are handed to all that use them, who read them one by one.
            Some(selection) if matches!(operation.kind, OperationKind::SelectRange(_)) => {
                uses[selection] += operation.uses;
            }
            Some(selection) => uses[selection] += 1,
            None => {}
        }
    }
    plan.selections.iter_mut().zip(uses).for_each(|(selection, uses)| {
        selection.remember = options.share && uses > 1;
    });
    Ok(plan)
}

/// Finds out how often samples count. Nothing is shared yet.
fn count_samples(operations: &mut [Operation]) {
    for at in (0..operations.len()).rev() {
        let Operation { kind, grid, counted, .. } = operations[at];
        let within = match kind {
            OperationKind::Subquery(_) => 0,
            OperationKind::Repeat => counted * grid.len,
            _ => counted,
        };
        for input in operations[at].inputs.clone() {
            operations[input].counted = within;
        }
    }
}

fn root_part(query: &Query) -> Option<Part> {
    match query.root() {
        Root::Vector(id) => Some(Part::Vector(id)),
        Root::Scalar(id) => Some(Part::Scalar(id)),
        Root::Range(id) => Some(Part::Range(id)),
        Root::String(_) => None,
    }
}

struct Planner<'q> {
    query: &'q Query,
    times: QueryTimes<'q>,
    invariance: Invariance,
    stack: Vec<Task>,
    /// Positions of finished operations that nothing uses yet.
    done: Vec<usize>,
}

/// What is left to do, the next on top.
enum Task {
    /// Plan this part on this grid.
    Plan(Part, Grid),
    /// The inputs are planned: they are the last so many finished operations.
    Finish { kind: OperationKind, grid: Grid, inputs: usize, origin: NodeId },
}

impl Planner<'_> {
    fn plan_all(&mut self, root: Part) -> Result<Plan, EngineError> {
        let mut plan =
            Plan { operations: Vec::new(), selections: Vec::new(), grid: self.times.grid };
        self.stack.push(Task::Plan(root, plan.grid));
        while let Some(task) = self.stack.pop() {
            match task {
                Task::Plan(part, grid) => self.plan_part(part, grid, &mut plan.selections)?,
                Task::Finish { kind, grid, inputs, origin } => {
                    let span = self.query.span(origin);
                    let inputs = self.done.split_off(self.done.len() - inputs);
                    let order = plan.operations.len();
                    let operands = inputs.iter().map(|&input| match &plan.operations[input] {
                        Operation { kind: OperationKind::Subquery(_), .. } => Span::default(),
                        operand => operand.span,
                    });
                    let operands: Vec<Span> = operands.collect();
                    let first_operands = operands.clone();
                    let remarks = Remarks { order, times: 1, span, operands, first_operands };
                    self.done.push(order);
                    plan.operations.push(Operation {
                        kind,
                        grid,
                        inputs,
                        origin,
                        span,
                        remarks,
                        totals: false,
                        counted: 1,
                        uses: 1,
                        remember: false,
                        passes: 1,
                        along: None,
                    });
                }
            }
        }
        Ok(plan)
    }

    fn plan_part(
        &mut self,
        part: Part,
        grid: Grid,
        selections: &mut Vec<Selection>,
    ) -> Result<(), EngineError> {
        let origin = part.origin(self.query);
        if grid.len > 1 && self.invariance.evaluates_once(self.query, part) {
            self.finish(OperationKind::Repeat, grid, 1, origin);
            self.stack.push(Task::Plan(part, grid.first_only()));
            return Ok(());
        }
        match part {
            Part::Vector(id) => match &self.query.vector(id).kind {
                Vector::Selector(selector) => {
                    let select = self.times.instant(*selector, &grid, selections)?;
                    self.finish(OperationKind::Select(select), grid, 0, origin);
                }
                Vector::Timestamp(of) | Vector::StartTimestamp(of)
                    if let Vector::Selector(selector) = self.query.vector(*of).kind =>
                {
                    let select = self.times.plain_instant(selector, &grid, selections)?;
                    let start = matches!(self.query.vector(id).kind, Vector::StartTimestamp(_));
                    self.finish(OperationKind::SelectTime { select, start }, grid, 0, origin);
                }
                Vector::Info { vector, .. } => {
                    let windows = self.times.info(*vector, &grid)?;
                    self.plan_operands(OperationKind::Info(id, windows), part, grid);
                }
                _ => self.plan_operands(OperationKind::Vector(id), part, grid),
            },
            Part::Scalar(id) => match self.times.constant(self.query.scalar(id).kind) {
                Some(value) => self.finish(OperationKind::Number(value), grid, 0, origin),
                None => self.plan_operands(OperationKind::Scalar(id), part, grid),
            },
            Part::Range(id) => match self.query.range(id).kind {
                Range::Selector { selector, range } => {
                    let select = self.times.range(
                        selector,
                        range,
                        self.query.span(origin),
                        &grid,
                        selections,
                    )?;
                    self.finish(OperationKind::SelectRange(select), grid, 0, origin);
                }
                Range::Subquery { vector, subquery } => {
                    let (windows, inner) =
                        self.times.subquery(subquery, self.query.span(origin), &grid)?;
                    self.finish(OperationKind::Subquery(windows), inner, 1, origin);
                    self.stack.push(Task::Plan(Part::Vector(vector), inner));
                }
            },
        }
        Ok(())
    }

    fn finish(&mut self, kind: OperationKind, grid: Grid, inputs: usize, origin: NodeId) {
        self.stack.push(Task::Finish { kind, grid, inputs, origin });
    }

    fn plan_operands(&mut self, kind: OperationKind, part: Part, grid: Grid) {
        let operands = operands(self.query, part);
        self.finish(kind, grid, operands.len(), part.origin(self.query));
        self.stack.extend(operands.into_iter().rev().map(|operand| Task::Plan(operand, grid)));
    }
}

impl QueryTimes<'_> {
    /// The value of a scalar that is known when the query starts.
    fn constant(&self, scalar: Scalar) -> Option<f64> {
        match scalar {
            Scalar::Number(value) => Some(value),
            Scalar::Pi => Some(std::f64::consts::PI),
            Scalar::Start => Some(self.start as f64 / 1000.0),
            Scalar::End => Some(self.end as f64 / 1000.0),
            Scalar::Range => Some(self.range_seconds()),
            Scalar::Step => Some(self.step_seconds()),
            _ => None,
        }
    }
}
