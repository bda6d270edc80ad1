//! Evaluates a type-checked query over any [`Storage`].
//!
//! ```
//! use promql_engine::{QueryOptions, evaluate};
//! # use promql_engine::*;
//! # use promql_model::{Labels, QueryValue, SampleValue};
//! use promql_syntax::{Features, compile};
//!
//! # struct Memory(Vec<Labels>, Vec<i64>, Vec<f64>);
//! # impl Storage for Memory {
//! #     fn select<'a>(&'a self, _: &SelectRequest<'_>)
//! #     -> Result<Box<dyn SelectedSeries + 'a>, StorageError> { Ok(Box::new(All(self))) }
//! #     fn label_names(&self, _: &LabelQuery<'_>) -> Result<Vec<String>, StorageError> {
//! #         Ok(vec![])
//! #     }
//! #     fn label_values(&self, _: &str, _: &LabelQuery<'_>)
//! #     -> Result<Vec<String>, StorageError> { Ok(vec![]) }
//! # }
//! # struct All<'a>(&'a Memory);
//! # impl SelectedSeries for All<'_> {
//! #     fn labels(&self) -> &[Labels] { &self.0.0 }
//! #     fn read<'b>(&'b self, _: usize, _: &'b mut SampleBuffer)
//! #     -> Result<Samples<'b>, StorageError> { Ok(Samples::floats(&self.0.1, &self.0.2)) }
//! # }
//! # let storage = Memory(
//! #     ["a", "b"].map(|path| Labels::from_pairs([("__name__", "x_total"), ("path", path)])).into(),
//! #     (0..20).map(|k| k * 15_000).collect(),
//! #     (0..20).map(|k| k as f64 * 30.0).collect(),
//! # );
//! // `storage` has two series of a counter that rises by 2 a second.
//! let query = compile("sum(increase(x_total[1m]))", &Features::ALL)?;
//! let result = evaluate(&query, &storage, &QueryOptions::instant(240_000))?;
//! let QueryValue::Vector(elements) = result.value else { panic!("not a vector") };
//! assert_eq!(elements[0].value, SampleValue::Float(240.0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How a query is evaluated
//!
//! ```text
//!  Query ──plan──► Plan ──select──► series ──execute──► operators ──finish──► QueryResult
//! ```
//!
//! The plan has all times resolved: the grid of steps that each operation is evaluated on, and the
//! window of samples that each selector looks at for each step. The series of all selectors are then
//! selected from the storage, labels only. Executing the plan makes an operator of each operation:
//! it knows its output label sets first, matched, grouped and joined once for the query, and computes
//! the column of one series over all steps when it is asked to. Operators stand on each other without
//! keeping anything; aggregations and sorts consume their input and keep what they make of it.
//!
//! Invariant: no concrete storage, no HTTP, no files.

mod aggregate;
mod annotations;
mod arithmetic;
mod binary;
mod column;
mod context;
mod dates;
mod elementwise;
mod empty_buckets;
mod error;
mod execute;
mod explain;
mod functions;
mod grid;
mod label_sets;
mod limits;
mod operator;
mod options;
mod over_range;
mod parts;
mod plan;
mod result;
mod select;
mod shared;
mod shared_timestamps;
mod statistics;
mod storage;
mod subquery;
mod totals;
mod unseen_names;
mod values;
mod window;
mod workers;

pub use error::{EngineError, SourceRange};
pub use explain::{
    Evaluation, OutputLabels, PlanLine, PlanLineKind, PlanNode, PlanPart, PlanRead, PlanSteps,
    PlanTree, PlanWindow, Sharing, plan,
};
pub use options::{Cancellation, EngineOptions, EvaluationTime, QueryOptions};
pub use parts::{Part, PartValue};
pub use shared_timestamps::{KnownFloats, SharedTimestamps};
pub use statistics::{NodeStatistics, QueryStatistics, ReadStatistics};
pub use storage::{
    KeptColumns, LabelQuery, LentColumns, MetricMetadata, SampleBuffer, Samples, SelectHints,
    SelectRequest, SelectedSeries, Storage, StorageError, TimeRange,
};

use std::sync::Arc;

use promql_model::{QueryResult, QueryValue};
use promql_syntax::Query;
use promql_syntax::query::Root;

use context::Context;
use limits::Limits;
use parts::Recorder;
use statistics::Collector;

/// Evaluates a query.
///
/// # Errors
/// See [`EngineError`].
pub fn evaluate(
    query: &Query,
    storage: &dyn Storage,
    options: &QueryOptions,
) -> Result<QueryResult, EngineError> {
    let limits = Limits::new(&options.engine, options.cancellation.clone());
    let plan = plan::plan(query, options.time, &options.engine)?;
    run(query, storage, options, &plan, Arc::new(limits), Watched::default())
}

/// Evaluates a query and keeps what each of its parts gives, operands before what uses them. The
/// parts are there for a query that fails, too, as far as it came. They count among the samples and
/// bytes that the query holds.
///
/// ```
/// # use promql_engine::*;
/// # struct Nothing;
/// # impl Storage for Nothing {
/// #     fn select<'a>(&'a self, _: &SelectRequest<'_>)
/// #     -> Result<Box<dyn SelectedSeries + 'a>, StorageError> { Ok(Box::new(Nothing)) }
/// #     fn label_names(&self, _: &LabelQuery<'_>) -> Result<Vec<String>, StorageError> {
/// #         Ok(vec![])
/// #     }
/// #     fn label_values(&self, _: &str, _: &LabelQuery<'_>)
/// #     -> Result<Vec<String>, StorageError> { Ok(vec![]) }
/// # }
/// # impl SelectedSeries for Nothing {
/// #     fn labels(&self) -> &[promql_model::Labels] { &[] }
/// #     fn read<'b>(&'b self, _: usize, _: &'b mut SampleBuffer)
/// #     -> Result<Samples<'b>, StorageError> { Ok(Samples::default()) }
/// # }
/// # let storage = Nothing;
/// let query = promql_syntax::compile("vector(2) > 1", &Default::default())?;
/// let (result, parts) = evaluate_with_parts(&query, &storage, &QueryOptions::instant(0));
/// assert!(result.is_ok());
/// let texts: Vec<&str> = parts.iter().map(|part| {
///     let span = query.span(part.node);
///     &"vector(2) > 1"[span.start as usize..span.end as usize]
/// }).collect();
/// assert_eq!(texts, ["2", "vector(2)", "1", "vector(2) > 1"]);
/// assert_eq!(parts[0].value, PartValue::Scalar(vec![2.0]));
/// assert_eq!(parts[3].value.series()[0].floats, [(0, 2.0)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn evaluate_with_parts(
    query: &Query,
    storage: &dyn Storage,
    options: &QueryOptions,
) -> (Result<QueryResult, EngineError>, Vec<Part>) {
    let engine = EngineOptions { share: false, ..options.engine.clone() };
    let options = options.clone().with_engine(engine);
    let limits = Arc::new(Limits::new(&options.engine, options.cancellation.clone()));
    let plan = match plan::plan(query, options.time, &options.engine) {
        Ok(plan) => plan,
        Err(error) => return (Err(error), Vec::new()),
    };
    let recorder = Recorder::default();
    let watched = Watched { recorder: Some(&recorder), ..Watched::default() };
    let result = run(query, storage, &options, &plan, limits, watched);
    (result, recorder.finish())
}

/// Evaluates a query and measures what that takes. The statistics are there for a query that fails,
/// too, as far as it came. Measuring takes some time itself, most of it for counting labels; and
/// series that don't matter for the result, such as those without a partner in a match, are computed
/// and counted as well.
///
/// ```
/// # use promql_engine::*;
/// # struct Nothing;
/// # impl Storage for Nothing {
/// #     fn select<'a>(&'a self, _: &SelectRequest<'_>)
/// #     -> Result<Box<dyn SelectedSeries + 'a>, StorageError> { Ok(Box::new(Nothing)) }
/// #     fn label_names(&self, _: &LabelQuery<'_>) -> Result<Vec<String>, StorageError> {
/// #         Ok(vec![])
/// #     }
/// #     fn label_values(&self, _: &str, _: &LabelQuery<'_>)
/// #     -> Result<Vec<String>, StorageError> { Ok(vec![]) }
/// # }
/// # impl SelectedSeries for Nothing {
/// #     fn labels(&self) -> &[promql_model::Labels] { &[] }
/// #     fn read<'b>(&'b self, _: usize, _: &'b mut SampleBuffer)
/// #     -> Result<Samples<'b>, StorageError> { Ok(Samples::default()) }
/// # }
/// # let storage = Nothing;
/// let query = promql_syntax::compile("vector(1) + 1", &Default::default())?;
/// let (result, statistics) = evaluate_with_statistics(&query, &storage, &QueryOptions::instant(0));
/// assert!(result.is_ok());
/// assert_eq!(statistics.nodes.len(), 4);
/// assert_eq!(statistics.nodes[3].series, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn evaluate_with_statistics(
    query: &Query,
    storage: &dyn Storage,
    options: &QueryOptions,
) -> (Result<QueryResult, EngineError>, QueryStatistics) {
    let limits = Arc::new(Limits::new(&options.engine, options.cancellation.clone()));
    let plan = match plan::plan(query, options.time, &options.engine) {
        Ok(plan) => plan,
        Err(error) => return (Err(error), QueryStatistics::default()),
    };
    let planning_time = limits.start().elapsed();
    let collector = Arc::new(Collector::new(&plan));
    let watched = Watched { statistics: Some(collector.clone()), ..Watched::default() };
    let result = run(query, storage, options, &plan, limits.clone(), watched);
    let total_time = limits.start().elapsed();
    let (peak_samples, peak_bytes) = limits.peaks();
    let peak_samples_of_server =
        if result.is_ok() { collector.held_by_server(query, &plan) } else { 0 };
    let statistics = QueryStatistics {
        total_time,
        planning_time,
        peak_samples,
        peak_samples_of_server,
        peak_bytes,
        ..collector.finish()
    };
    (result, statistics)
}

/// What is to be kept of an evaluation beside its result.
#[derive(Default)]
struct Watched<'a> {
    statistics: Option<Arc<Collector>>,
    recorder: Option<&'a Recorder>,
}

fn run(
    query: &Query,
    storage: &dyn Storage,
    options: &QueryOptions,
    plan: &plan::Plan,
    limits: Arc<Limits>,
    Watched { statistics, recorder }: Watched<'_>,
) -> Result<QueryResult, EngineError> {
    if let Root::String(text) = query.root() {
        let value = String::from_utf8_lossy(query.text(text)).into_owned();
        let value = QueryValue::String { timestamp: plan.grid.start, value };
        return Ok(QueryResult { value, annotations: Vec::new() });
    }
    let context = Context {
        query,
        storage,
        options: &options.engine,
        limits: limits.clone(),
        annotations: annotations::Annotations::default(),
        workers: workers::Workers::new(&options.engine, limits, statistics.clone()),
        statistics,
        recorder,
        operations: plan.operations.len(),
    };
    let selected = select::select_all(&context, plan)?;
    let value = match execute::execute(&context, plan, &selected)? {
        Some(value) => {
            let as_matrix = matches!(options.time, EvaluationTime::Range { .. });
            let finish = || result::finish(&context, value, &plan.grid, as_matrix);
            let finished = match &context.statistics {
                None => finish(),
                Some(statistics) => statistics.operation(plan.operations.len(), finish),
            };
            let root = query.span(query.expr().root());
            finished.map_err(|error| error.at_limits(root))?
        }
        None => QueryValue::Vector(Vec::new()),
    };
    Ok(QueryResult { value, annotations: context.annotations.finish() })
}
