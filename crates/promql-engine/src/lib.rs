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
mod plan;
mod result;
mod select;
mod storage;
mod subquery;
mod totals;
mod values;
mod window;
mod workers;

pub use error::{EngineError, SourceRange};
pub use explain::{
    Evaluation, OutputLabels, PlanLine, PlanLineKind, PlanNode, PlanRead, PlanSteps, PlanTree,
    PlanWindow, plan,
};
pub use options::{Cancellation, EngineOptions, EvaluationTime, QueryOptions};
pub use storage::{
    LabelQuery, MetricMetadata, SampleBuffer, Samples, SelectHints, SelectRequest, SelectedSeries,
    Storage, StorageError, TimeRange,
};

use promql_model::{QueryResult, QueryValue};
use promql_syntax::Query;
use promql_syntax::query::Root;

use context::Context;

/// Evaluates a query.
///
/// # Errors
/// See [`EngineError`].
pub fn evaluate(
    query: &Query,
    storage: &dyn Storage,
    options: &QueryOptions,
) -> Result<QueryResult, EngineError> {
    let plan = plan::plan(query, options.time, &options.engine)?;
    if let Root::String(text) = query.root() {
        let value = String::from_utf8_lossy(query.text(text)).into_owned();
        let value = QueryValue::String { timestamp: plan.grid.start, value };
        return Ok(QueryResult { value, annotations: Vec::new() });
    }
    let context = Context {
        query,
        storage,
        options: &options.engine,
        limits: limits::Limits::new(
            options.engine.max_samples,
            options.engine.timeout,
            options.cancellation.clone(),
        ),
        annotations: annotations::Annotations::default(),
        workers: workers::Workers::new(options.engine.threads),
        operations: plan.operations.len(),
    };
    let selected = select::select_all(&context, &plan)?;
    let value = match execute::execute(&context, &plan, &selected)? {
        Some(value) => {
            let as_matrix = matches!(options.time, EvaluationTime::Range { .. });
            result::finish(&context, value, &plan.grid, as_matrix)?
        }
        None => QueryValue::Vector(Vec::new()),
    };
    Ok(QueryResult { value, annotations: context.annotations.finish() })
}
