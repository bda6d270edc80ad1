//! The plan as data that can be shown: what the engine would do with a query, without any storage.
//!
//! A [`PlanTree`] has a node for each operation of the plan, with its name, the type of its result,
//! the steps it is evaluated at, its windows in milliseconds, what it keeps while it works, and what
//! is known about the labels of its result. It has a text form ([`PlanTree::to_text`]) and a JSON
//! form ([`PlanTree::to_json`]). Both are stable: equal plans give equal texts.

mod draw;
mod json;
mod label_flow;
pub(crate) mod names;

use promql_model::quote::Quoted;
use promql_syntax::query::Root;
use promql_syntax::{Query, Span, ValueType};

use crate::plan::{self, Operation, OperationKind, Plan, Select};
use crate::window::Windows;
use crate::{EngineError, QueryOptions, TimeRange};
pub use draw::{PlanLine, PlanLineKind, PlanPart};
pub use label_flow::OutputLabels;

/// The plan of a query as a tree that can be shown.
///
/// ```
/// use promql_engine::{QueryOptions, plan};
/// let query = promql_syntax::compile("sum by (job) (rate(x_total[5m]))", &Default::default())?;
/// let plan = plan(&query, &QueryOptions::instant(1_700_000_000_000))?;
/// assert_eq!(plan.to_text(), "\
/// 1 step at 2023-11-14T22:13:20Z
/// sum by (job)       instant vector
/// │ keeps a state for each group, labels: job
/// └─ rate            instant vector
///    │ streamed, labels: any but the name
///    └─ x_total[5m]  range vector
///         streamed from read 1, window (t-5m, t]
/// read 1: {__name__=\"x_total\"}
///   2023-11-14T22:08:20.001Z to 2023-11-14T22:13:20Z
/// ");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct PlanTree {
    /// The steps of the query.
    pub steps: PlanSteps,
    /// Operands come before the operations on them; the last one gives the result. There is at
    /// least one.
    pub nodes: Vec<PlanNode>,
    /// What is asked of the storage, in this order.
    pub reads: Vec<PlanRead>,
}

/// An operation of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanNode {
    /// The operation with all its parameters that are no operands: `sum by (job)`,
    /// `* on (instance) group_left`, or the selector in its canonical form.
    pub operation: String,
    /// The type of the result.
    pub value_type: ValueType,
    /// The part of the query's text that it comes from.
    pub span: Span,
    /// How it is evaluated.
    pub evaluation: Evaluation,
    /// The steps that it is evaluated at: those of the query, of a subquery, or a single one.
    pub steps: PlanSteps,
    /// The samples that a selector or subquery looks at for each step.
    pub window: Option<PlanWindow>,
    /// The position in [`PlanTree::reads`] of what a selector reads.
    pub read: Option<usize>,
    /// What is known about the labels of the result; none for scalars and strings.
    pub labels: Option<OutputLabels>,
    /// The positions of the operands in [`PlanTree::nodes`].
    pub inputs: Vec<usize>,
    /// How often its result is an operand or the result of the query: more than once if parts of
    /// the query are equal.
    pub uses: usize,
    /// How those uses share it, if there are several and there is something to share.
    pub sharing: Option<Sharing>,
    /// The aggregation, by its position in [`PlanTree::nodes`], in whose pass over their operand this
    /// one is computed.
    pub along: Option<usize>,
}

/// How several uses share a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// It is computed once.
    Computed,
    /// It streams, and each series is computed once.
    Together,
    /// It streams so many times, since operations need all of it one after the other.
    Passes(usize),
}

impl Sharing {
    /// A word for programs.
    pub const fn keyword(self) -> &'static str {
        match self {
            Sharing::Computed => "computed",
            Sharing::Together => "together",
            Sharing::Passes(_) => "passes",
        }
    }
}

/// Equally spaced times, in milliseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanSteps {
    /// The first time.
    pub start: i64,
    /// What lies between two times, in milliseconds.
    pub step: i64,
    /// How many there are.
    pub count: usize,
}

/// The windows of a selector or subquery. All in milliseconds. Each excludes its start and includes
/// its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanWindow {
    /// How far each window reaches back. That of an instant selector is the lookback delta: it takes
    /// the newest sample of the window.
    pub range: i64,
    /// The end of the windows if it is the same for all steps (`@`).
    pub at: Option<i64>,
    /// How far the windows are moved to the past.
    pub offset: i64,
    /// How far before the windows samples are needed (`anchored`, `smoothed`).
    pub before: i64,
    /// How far after the windows samples are needed (`smoothed`).
    pub after: i64,
}

/// Something that is asked of the storage.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanRead {
    /// The matchers as a selector.
    pub matchers: String,
    /// The samples that are needed.
    pub range: TimeRange,
    /// How many selectors use them.
    pub uses: usize,
}

/// How an operation is evaluated, and what it keeps in memory while it works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evaluation {
    /// Its value is known already.
    Constant,
    /// One value for each step.
    Steps,
    /// Series by series; nothing is kept.
    Streamed,
    /// At the first step only; the result is repeated at all steps.
    Once,
    /// Series by series into a state for each group.
    Groups,
    /// One group after the other; what is chosen of each is kept.
    GroupByGroup,
    /// Keeps the left side and streams the right one.
    LeftKept,
    /// Keeps the right side and streams the left one.
    RightKept,
    /// Streams the left side and keeps at which steps the right one has elements.
    RightPresence,
    /// Keeps at which steps there are elements.
    Presence,
    /// Series by series; the result is kept.
    ResultKept,
    /// Keeps all of its input.
    Kept,
    /// Does nothing at these times.
    Ineffective,
}

impl Evaluation {
    /// A word for programs: `streamed`, `groups` …
    pub const fn keyword(self) -> &'static str {
        self.words().0
    }

    /// A phrase for people.
    pub const fn description(self) -> &'static str {
        self.words().1
    }

    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Evaluation::Constant => ("constant", "constant"),
            Evaluation::Steps => ("steps", "one value a step"),
            Evaluation::Streamed => ("streamed", "streamed"),
            Evaluation::Once => ("once", "computed once, repeated at each step"),
            Evaluation::Groups => ("groups", "keeps a state for each group"),
            Evaluation::GroupByGroup => ("group-by-group", "one group at a time"),
            Evaluation::LeftKept => ("left-kept", "keeps the left side"),
            Evaluation::RightKept => ("right-kept", "keeps the right side"),
            Evaluation::RightPresence => ("right-presence", "keeps where the right side is"),
            Evaluation::Presence => ("presence", "keeps where elements are"),
            Evaluation::ResultKept => ("result-kept", "keeps its result"),
            Evaluation::Kept => ("kept", "keeps all of its input"),
            Evaluation::Ineffective => ("ineffective", "does nothing in a range query"),
        }
    }
}

/// Plans a query: what would be done to evaluate it with these options. No storage is needed.
///
/// # Errors
/// Those that [`evaluate`](crate::evaluate) reports before it reads any series: times and durations
/// that are not valid, or more steps than the limit on samples allows.
pub fn plan(query: &Query, options: &QueryOptions) -> Result<PlanTree, EngineError> {
    let plan = plan::plan(query, options.time, &options.engine)?;
    Ok(show(query, &plan, options.engine.delayed_name_removal))
}

/// A plan as a tree.
pub(crate) fn show(query: &Query, plan: &Plan, delayed_name_removal: bool) -> PlanTree {
    let steps = PlanSteps::from(plan.grid);
    let mut uses = vec![0; plan.selections.len()];
    for operation in &plan.operations {
        operation.selection().into_iter().for_each(|at| uses[at] += operation.remarks.times);
    }
    let reads = plan.selections.iter().enumerate().map(|(at, selection)| PlanRead {
        matchers: names::matchers(&selection.matchers),
        range: selection.range,
        uses: uses[at],
    });
    let reads = reads.collect();
    if let Root::String(text) = query.root() {
        let node = PlanNode {
            operation: Quoted(query.text(text)).to_string(),
            value_type: ValueType::String,
            span: query.span(query.expr().root()),
            evaluation: Evaluation::Constant,
            steps,
            window: None,
            read: None,
            labels: None,
            inputs: Vec::new(),
            uses: 1,
            sharing: None,
            along: None,
        };
        return PlanTree { steps, nodes: vec![node], reads };
    }
    let outer_starts = outer_starts(plan);
    let mut nodes: Vec<PlanNode> = Vec::with_capacity(plan.operations.len());
    for (operation, &outer_start) in plan.operations.iter().zip(&outer_starts) {
        let inputs = &operation.inputs;
        let labels_of = |input: usize| nodes[inputs[input]].labels.as_ref();
        let value_type =
            value_type(operation, inputs.first().map(|&input| nodes[input].value_type));
        let labels = match value_type {
            ValueType::InstantVector | ValueType::RangeVector => {
                let vectors = (0..inputs.len()).filter_map(labels_of).collect();
                Some(label_flow::output(query, operation, vectors, delayed_name_removal))
            }
            ValueType::Scalar | ValueType::String => None,
        };
        let evaluation = names::evaluation(query, operation);
        nodes.push(PlanNode {
            operation: names::operation(query, operation),
            value_type,
            span: operation.span,
            evaluation,
            steps: operation.grid.into(),
            window: operation.window(outer_start),
            read: operation.selection(),
            labels,
            inputs: inputs.clone(),
            uses: operation.uses,
            sharing: sharing(operation, evaluation),
            along: operation.along,
        });
    }
    PlanTree { steps, nodes, reads }
}

fn sharing(operation: &Operation, evaluation: Evaluation) -> Option<Sharing> {
    match evaluation {
        // There is nothing to share.
        Evaluation::Constant => None,
        _ if operation.uses < 2 => None,
        Evaluation::Streamed
        | Evaluation::Ineffective
        | Evaluation::LeftKept
        | Evaluation::RightKept
        | Evaluation::RightPresence => match operation.passes {
            1 => Some(Sharing::Together),
            passes => Some(Sharing::Passes(passes)),
        },
        _ => Some(Sharing::Computed),
    }
}

/// For each operation the first of the steps that its windows are for: its own, but for subqueries,
/// which are evaluated on a grid of their own, those of the operation around them.
fn outer_starts(plan: &Plan) -> Vec<i64> {
    let mut starts: Vec<i64> = plan.operations.iter().map(|o| o.grid.start).collect();
    if let Some(root) = starts.last_mut() {
        *root = plan.grid.start;
    }
    for operation in &plan.operations {
        for &input in &operation.inputs {
            if matches!(plan.operations[input].kind, OperationKind::Subquery(_)) {
                starts[input] = operation.grid.start;
            }
        }
    }
    starts
}

fn value_type(operation: &Operation, input: Option<ValueType>) -> ValueType {
    match operation.kind {
        OperationKind::Number(_) | OperationKind::Scalar(_) => ValueType::Scalar,
        OperationKind::SelectRange(_) | OperationKind::Subquery(_) => ValueType::RangeVector,
        OperationKind::Repeat => input.unwrap_or(ValueType::InstantVector),
        OperationKind::Select(_)
        | OperationKind::SelectTime { .. }
        | OperationKind::Info(..)
        | OperationKind::Vector(_) => ValueType::InstantVector,
    }
}

impl Operation {
    fn select(&self) -> Option<&Select> {
        match &self.kind {
            OperationKind::Select(select)
            | OperationKind::SelectTime { select, .. }
            | OperationKind::SelectRange(select) => Some(select),
            _ => None,
        }
    }

    /// The position in [`Plan::selections`] of what a selector reads.
    pub(crate) fn selection(&self) -> Option<usize> {
        Some(self.select()?.selection)
    }

    /// The windows, for the steps that begin with `outer_start`.
    fn window(&self, outer_start: i64) -> Option<PlanWindow> {
        let (windows, before, after) = match (&self.kind, self.select()) {
            (_, Some(select)) => (select.windows, select.before, select.after),
            (OperationKind::Subquery(windows) | OperationKind::Info(_, windows), _) => {
                (*windows, 0, 0)
            }
            _ => return None,
        };
        let Windows { first_end, stride, range, .. } = windows;
        let (at, offset) = match stride {
            0 => (Some(first_end), 0),
            _ => (None, outer_start.saturating_sub(first_end)),
        };
        Some(PlanWindow { range, at, offset, before, after })
    }
}

impl From<crate::grid::Grid> for PlanSteps {
    fn from(grid: crate::grid::Grid) -> Self {
        PlanSteps { start: grid.start, step: grid.step, count: grid.len }
    }
}

impl PlanSteps {
    /// The last time; the first one if there is none.
    pub fn end(&self) -> i64 {
        let steps = i64::try_from(self.count.saturating_sub(1)).unwrap_or(i64::MAX);
        self.start.saturating_add(self.step.saturating_mul(steps))
    }
}
