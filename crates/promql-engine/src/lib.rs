//! Evaluates a type-checked query over any [`Storage`].
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
mod window;
mod workers;

pub use error::{EngineError, SourceRange};
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
