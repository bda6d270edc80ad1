//! What a caller can choose: the times of the evaluation, the engine's settings and its limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The settings that a server has from its flags. The defaults are those of Prometheus 3.14
/// started without any, except that there is no timeout.
///
/// ```
/// use promql_engine::EngineOptions;
/// let options = EngineOptions { max_samples: 1_000_000, ..EngineOptions::default() };
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct EngineOptions {
    /// How old a sample may be that an instant selector takes: 5 minutes. Whole milliseconds
    /// count, and zero stands for the default.
    pub lookback_delta: Duration,
    /// The step of a subquery that is written without one: 1 minute. Whole milliseconds count, and
    /// zero stands for the default.
    pub default_subquery_step: Duration,
    /// How many samples a query may hold at one time: 50 million. A float is one sample, a native
    /// histogram is as many as fit into its memory. Samples that stream through an operation are
    /// not held.
    pub max_samples: usize,
    /// How many bytes a query may hold at one time: columns, windows, groups, label sets and the
    /// result, but not what the storage holds. No limit by default.
    pub max_bytes: Option<usize>,
    /// How long a query may take. No limit by default.
    pub timeout: Option<Duration>,
    /// How many threads work on a query. By default as many as the machine has. The result is the
    /// same for any number.
    pub threads: Option<usize>,
    /// How many series are computed by all threads before the thread that asked consumes them: the
    /// more, the less threads wait for each other, and the more memory the columns take that are
    /// under way. By default a few hundred. The result is the same for any number.
    pub batch: Option<usize>,
    /// Whether parts of a query that are equal are computed once. The result is the same either
    /// way, so there is hardly a reason to switch it off but to measure what it gives.
    pub share: bool,
    /// Whether the metric name is removed at the end of the query rather than by each operation
    /// (the server's feature `promql-delayed-name-removal`).
    pub delayed_name_removal: bool,
    /// Whether `rate` and the like use the times since when counters count (the server's feature
    /// `use-start-timestamps`).
    pub start_timestamps: bool,
    /// Whether the labels `__type__` and `__unit__` tell the type of a metric (the server's feature
    /// `type-and-unit-labels`).
    pub type_and_unit_labels: bool,
}

impl Default for EngineOptions {
    fn default() -> Self {
        EngineOptions {
            lookback_delta: Duration::from_secs(300),
            default_subquery_step: Duration::from_secs(60),
            max_samples: 50_000_000,
            max_bytes: None,
            timeout: None,
            threads: None,
            batch: None,
            share: true,
            delayed_name_removal: false,
            start_timestamps: false,
            type_and_unit_labels: false,
        }
    }
}

/// Everything about one evaluation that is not in the query's text.
#[derive(Clone, Debug)]
pub struct QueryOptions {
    /// When the query is evaluated.
    pub time: EvaluationTime,
    /// The engine's settings.
    pub engine: EngineOptions,
    /// Lets another thread end the evaluation.
    pub cancellation: Cancellation,
}

impl QueryOptions {
    /// An instant query at a time in milliseconds since the epoch.
    pub fn instant(timestamp: i64) -> Self {
        Self::new(EvaluationTime::Instant(timestamp))
    }

    /// A range query: from `start` to at most `end`, both in milliseconds since the epoch.
    pub fn range(start: i64, end: i64, step: Duration) -> Self {
        Self::new(EvaluationTime::Range { start, end, step })
    }

    fn new(time: EvaluationTime) -> Self {
        QueryOptions {
            time,
            engine: EngineOptions::default(),
            cancellation: Cancellation::default(),
        }
    }

    /// The same with other settings.
    #[must_use]
    pub fn with_engine(self, engine: EngineOptions) -> Self {
        QueryOptions { engine, ..self }
    }
}

/// The times at which a query is evaluated. Milliseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvaluationTime {
    /// Once.
    Instant(i64),
    /// At `start`, `start + step`, … as long as it is not after `end`.
    Range {
        /// The first time.
        start: i64,
        /// The time that none may be after.
        end: i64,
        /// What lies between two times. At least a millisecond; parts of one don't count.
        step: Duration,
    },
}

/// A switch that ends an evaluation from outside. Clones are the same switch.
///
/// ```
/// use promql_engine::{Cancellation, QueryOptions};
/// let options = QueryOptions::instant(0);
/// let switch: Cancellation = options.cancellation.clone();
/// switch.cancel(); // from a signal handler, or when the client is gone
/// assert!(options.cancellation.is_cancelled());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Cancellation(Arc<AtomicBool>);

impl Cancellation {
    /// Makes the evaluation fail with [`EngineError::Cancelled`](crate::EngineError::Cancelled) at
    /// the next series it comes to.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether [`Cancellation::cancel`] was called.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
