//! Runs the evals of a script.

use promql_engine::{Cancellation, EngineError, EngineOptions, QueryOptions, evaluate};
use promql_model::{QueryValue, SampleValue, Severity, VectorElement, quote};

use super::attempt::{self, Attempt};
use super::compare::{self, Row};
use super::{Eval, EvalTime, Script, annotations};

/// How scripts are run.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// The engine's settings. The defaults are those of upstream's runner: metric names are removed
    /// at the end, start timestamps are used, and a query may hold 10,000 samples and take 100
    /// seconds.
    pub engine: EngineOptions,
    /// Whether an instant query is also run [in other forms](Attempt) that must give the same.
    pub variants: bool,
    /// Lets another thread end the run.
    pub cancellation: Cancellation,
}

impl Default for RunOptions {
    fn default() -> Self {
        let engine = EngineOptions {
            max_samples: 10_000,
            timeout: Some(std::time::Duration::from_secs(100)),
            delayed_name_removal: true,
            start_timestamps: true,
            ..EngineOptions::default()
        };
        RunOptions { engine, variants: true, cancellation: Cancellation::default() }
    }
}

/// What came of an eval.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// What was expected.
    Passed,
    /// Something else.
    Failed(Box<Failure>),
    /// The run was ended before.
    Cancelled,
}

/// How an eval failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The way of running the query that was the first to fail. Others were not tried.
    pub attempt: Attempt,
    /// What is wrong first, in the words of upstream's runner.
    pub message: String,
    /// All that is wrong; at least one thing.
    pub mismatches: Vec<Mismatch>,
}

/// One thing that is not as expected.
#[derive(Clone, Debug)]
pub enum Mismatch {
    /// The query failed.
    Failed {
        /// With this error.
        error: String,
    },
    /// The query was expected to fail and did not.
    DidNotFail,
    /// The query failed with another error.
    WrongError {
        /// The line with the expected one: a position of
        /// [`Expectations::lines`](super::Expectations::lines).
        expectation: usize,
        /// The error.
        got: String,
    },
    /// An expected annotation did not come.
    MissingAnnotation {
        /// Of which kind.
        severity: Severity,
        /// The line with it: a position of [`Expectations::lines`](super::Expectations::lines).
        /// Nothing when it is `eval_warn` or `eval_info` that says so.
        expectation: Option<usize>,
        /// The annotations of that kind that came.
        found: Vec<String>,
    },
    /// Annotations came that were not expected.
    UnexpectedAnnotations {
        /// Of which kind.
        severity: Severity,
        /// These.
        texts: Vec<String>,
    },
    /// The result is of another kind.
    Kind {
        /// `a scalar`, `a string` or `a vector`.
        expected: &'static str,
        /// `a scalar`, `a string`, `an instant vector` or `a range vector`.
        got: &'static str,
    },
    /// The scalar is another.
    Scalar {
        /// As written.
        expected: f64,
        /// As it came.
        got: f64,
    },
    /// The string is another.
    String {
        /// As written.
        expected: String,
        /// As it came.
        got: String,
    },
    /// A range vector was expected to be in an order, and has none.
    OrderedMatrix,
    /// Samples differ. All samples are given, those that are the same, too.
    Series(Vec<Row>),
}

/// What comes of one attempt.
enum Outcome {
    Fine,
    /// It failed as it had to.
    FailedAsExpected,
    Wrong(Vec<(String, Mismatch)>),
    Cancelled,
}

impl Script {
    /// Runs one eval. It finds the series that are loaded where it stands in the script, whether or
    /// not the evals before it were run.
    pub fn run(&self, eval: &Eval, options: &RunOptions) -> Verdict {
        for form in attempt::forms(eval, options.variants) {
            for attempt in &form.attempts {
                let result = self.evaluate(eval, form.query(eval), attempt, options);
                match self.judge(eval, attempt, result) {
                    Outcome::Fine => {}
                    // In other forms, too, but there is nothing to compare.
                    Outcome::FailedAsExpected => {}
                    Outcome::Wrong(wrong) => return failed(attempt, wrong),
                    Outcome::Cancelled => return Verdict::Cancelled,
                }
            }
        }
        Verdict::Passed
    }

    /// The result of a query over the series of an eval.
    pub(super) fn evaluate(
        &self,
        eval: &Eval,
        query: &promql_syntax::Query,
        attempt: &Attempt,
        options: &RunOptions,
    ) -> Result<promql_model::QueryResult, EngineError> {
        let options = QueryOptions {
            engine: options.engine.clone(),
            cancellation: options.cancellation.clone(),
            ..attempt.options()
        };
        evaluate(query, &self.stages[eval.stage].storage, &options)
    }

    fn judge(
        &self,
        eval: &Eval,
        attempt: &Attempt,
        result: Result<promql_model::QueryResult, EngineError>,
    ) -> Outcome {
        let query = || format!("{} (line {})", quote(attempt.expression.as_bytes()), eval.line);
        let mode = if attempt.in_range_mode { " in range mode" } else { "" };
        let must_fail = eval.expectations.is_failure();
        let result = match result {
            Err(EngineError::Cancelled) => return Outcome::Cancelled,
            Err(error) => {
                let error = error.to_string();
                if !must_fail {
                    let text = format!("error evaluating query {}{mode}: {error}", query());
                    return Outcome::Wrong(vec![(text, Mismatch::Failed { error })]);
                }
                return match annotations::check_error(&error, eval, attempt) {
                    Some(wrong) => Outcome::Wrong(vec![wrong]),
                    None => Outcome::FailedAsExpected,
                };
            }
            Ok(_) if must_fail => {
                let text = format!("expected error evaluating query {} but got none", query());
                return Outcome::Wrong(vec![(text, Mismatch::DidNotFail)]);
            }
            Ok(result) => result,
        };
        let mut wrong = Vec::new();
        let value = match eval.time {
            EvalTime::Instant(_) if attempt.in_range_mode => {
                if eval.expectations.is_ordered() {
                    // A range query has an order of its own.
                    return Outcome::Fine;
                }
                middle(result.value, attempt.time, eval.expectations.scalar().is_some())
            }
            _ => {
                wrong = annotations::check(&result.annotations, eval, attempt);
                result.value
            }
        };
        if let Err((text, mismatch)) = compare::compare(&value, &eval.expectations, eval.time) {
            let mode = if attempt.in_range_mode { " range mode" } else { "" };
            let text =
                format!("error in eval {} (line {}){mode}: {text}", attempt.expression, eval.line);
            wrong.push((text, mismatch));
        }
        if wrong.is_empty() { Outcome::Fine } else { Outcome::Wrong(wrong) }
    }
}

fn failed(attempt: &Attempt, wrong: Vec<(String, Mismatch)>) -> Verdict {
    let (messages, mismatches): (Vec<String>, Vec<Mismatch>) = wrong.into_iter().unzip();
    let message = messages.into_iter().next().unwrap_or_default();
    Verdict::Failed(Box::new(Failure { attempt: attempt.clone(), message, mismatches }))
}

/// The middle step of a range query, in the form that an instant query gives.
fn middle(value: QueryValue, time: EvalTime, is_scalar: bool) -> QueryValue {
    let (QueryValue::Matrix(matrix), EvalTime::Instant(timestamp)) = (value, time) else {
        return QueryValue::Vector(Vec::new());
    };
    let at_middle = |(time, _): &&(i64, f64)| *time == timestamp;
    let elements = matrix.iter().filter_map(|series| {
        let float = series.floats.iter().find(at_middle).map(|(_, v)| SampleValue::Float(*v));
        let histogram = || {
            let (_, found) = series.histograms.iter().find(|(time, _)| *time == timestamp)?;
            Some(SampleValue::Histogram(Box::new(found.clone())))
        };
        let value = float.or_else(histogram)?;
        Some(VectorElement { labels: series.labels.clone(), timestamp, value })
    });
    let elements: Vec<VectorElement> = elements.collect();
    match elements.first().map(|element| &element.value) {
        Some(SampleValue::Float(value)) if is_scalar => {
            QueryValue::Scalar { timestamp, value: *value }
        }
        _ => QueryValue::Vector(elements),
    }
}
