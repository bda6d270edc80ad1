//! A server made of series that are here.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use promql_engine::{EngineError, LabelQuery, QueryOptions, Storage, TimeRange, evaluate};
use promql_model::{Labels, Matcher, QueryResult, QueryValue, SampleValue, Severity};
use promql_syntax::ast::NodeKind;
use promql_syntax::{Features, compile};

use super::question::{About, Element, Question, Refusal, Remark, Reply, RunningRule, Server};

/// A server made of series that are here: of a data folder, a file, a fixture.
///
/// ```
/// use promql_lint::live::{LocalServer, Question, Reply, Server};
/// use promql_storage::fixture::read_script;
///
/// let fixture = read_script("x.test", b"load 1m\n  up{job=\"api\"} 1x10\n", None)?;
/// let server = LocalServer::new(&fixture.storage, 600_000);
/// let asked = server.ask(&Question::Exists { selector: "up".to_owned(), range: 60_000 });
/// assert_eq!(asked, Ok(Reply::Exists(true)));
/// # Ok::<(), promql_storage::Problems>(())
/// ```
pub struct LocalServer<'a> {
    storage: &'a dyn Storage,
    now: i64,
    /// What it says about itself.
    pub about: About,
    /// The kinds of metrics, besides those that the storage knows.
    pub kinds: BTreeMap<String, BTreeSet<String>>,
    /// The rules that it evaluates.
    pub rules: Option<Vec<RunningRule>>,
}

impl<'a> LocalServer<'a> {
    /// A server whose present is a time in milliseconds since the epoch.
    pub fn new(storage: &'a dyn Storage, now: i64) -> LocalServer<'a> {
        let about = About { now: Some(now), ..About::default() };
        LocalServer { storage, now, about, kinds: BTreeMap::new(), rules: None }
    }

    fn evaluated(&self, expr: &str, options: &QueryOptions) -> Result<QueryResult, Refusal> {
        let query = compile(expr, &Features::ALL)
            .map_err(|errors| Refusal::Expression { message: errors.to_string(), span: None })?;
        evaluate(&query, &self.storage, options).map_err(|error| match error {
            EngineError::Storage { .. } | EngineError::Cancelled => {
                Refusal::Unavailable(error.to_string())
            }
            EngineError::Timeout { .. } => Refusal::TooMuch(error.to_string()),
            other => Refusal::Expression { message: other.to_string(), span: None },
        })
    }

    /// The matchers of a selector.
    fn matchers(selector: &str) -> Result<Vec<Matcher>, Refusal> {
        let refused = |message: String| Refusal::Expression { message, span: None };
        let expr = promql_syntax::parse(selector, &Features::ALL)
            .map_err(|errors| refused(errors.to_string()))?;
        let NodeKind::VectorSelector(id) = expr.kind(expr.root()) else {
            return Err(refused("this is no selector".to_owned()));
        };
        let matcher = |m: &promql_syntax::ast::LabelMatcher| {
            let (name, value) = (expr.text_lossy(m.name), expr.text_lossy(m.value));
            Matcher::new(&*name, m.op, &*value).map_err(|error| refused(error.to_string()))
        };
        expr.matchers(expr.selector(id)).iter().map(matcher).collect()
    }

    fn courses(&self, expr: &str, range: i64, step: i64) -> Result<Reply, Refusal> {
        let step = step.max(1);
        let start = self.now - range / step * step;
        let apart = Duration::from_millis(step.unsigned_abs());
        let result = self.evaluated(expr, &QueryOptions::range(start, self.now, apart))?;
        let times = (start, self.now, step);
        let QueryValue::Matrix(series) = result.value else {
            return Ok(Reply::Courses { times, courses: Vec::new() });
        };
        let course = |series: promql_model::SeriesSamples| {
            let mut present: Vec<i64> = series.floats.iter().map(|(time, _)| *time).collect();
            present.extend(series.histograms.iter().map(|(time, _)| *time));
            present.sort_unstable();
            (map_of(&series.labels), present)
        };
        Ok(Reply::Courses { times, courses: series.into_iter().map(course).collect() })
    }
}

fn map_of(labels: &Labels) -> BTreeMap<String, String> {
    labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The answer that a result is.
pub(super) fn elements(result: QueryResult) -> Reply {
    let finite = |value: &SampleValue| match value {
        SampleValue::Float(value) => Some(*value).filter(|value| value.is_finite()),
        SampleValue::Histogram(_) => None,
    };
    let elements = match result.value {
        QueryValue::Vector(elements) => elements
            .iter()
            .map(|e| Element { labels: map_of(&e.labels), value: finite(&e.value) })
            .collect(),
        QueryValue::Scalar { value, .. } => {
            let value = Some(value).filter(|value| value.is_finite());
            vec![Element { labels: BTreeMap::new(), value }]
        }
        QueryValue::String { .. } | QueryValue::Matrix(_) => Vec::new(),
    };
    let remark = |annotation: promql_model::Annotation| Remark {
        is_warning: annotation.severity == Severity::Warning,
        message: annotation.message,
        span: annotation.span,
    };
    Reply::Elements { elements, remarks: result.annotations.into_iter().map(remark).collect() }
}

impl Reply {
    /// The answer to [`Question::Elements`] that the result of a query is.
    pub fn of_result(result: QueryResult) -> Reply {
        elements(result)
    }
}

impl Server for LocalServer<'_> {
    fn ask(&self, question: &Question) -> Result<Reply, Refusal> {
        match question {
            Question::Elements { expr } => {
                self.evaluated(expr, &QueryOptions::instant(self.now)).map(elements)
            }
            Question::Courses { expr, range, step } => self.courses(expr, *range, *step),
            Question::Exists { selector, range } => {
                let expr = format!("count(present_over_time({selector}[{range}ms]))");
                let result = self.evaluated(&expr, &QueryOptions::instant(self.now))?;
                let exists = matches!(result.value, QueryValue::Vector(found) if !found.is_empty());
                Ok(Reply::Exists(exists))
            }
            Question::LabelNames { selector, range } => {
                let selectors = [Self::matchers(selector)?];
                let range = TimeRange { start: self.now - range, end: self.now };
                let names = self.storage.label_names(&LabelQuery { selectors: &selectors, range });
                let unavailable =
                    |error: promql_engine::StorageError| Refusal::Unavailable(error.to_string());
                names.map(Reply::Names).map_err(unavailable)
            }
            Question::Kinds { metric } => {
                let known = self.storage.metadata(Some(metric));
                let known = known.map_err(|error| Refusal::Unavailable(error.to_string()))?;
                let of_storage = known.get(metric).into_iter().flatten();
                let mut kinds: BTreeSet<String> =
                    of_storage.map(|metadata| metadata.metric_type.clone()).collect();
                kinds.extend(self.kinds.get(metric).into_iter().flatten().cloned());
                Ok(Reply::Names(kinds.into_iter().collect()))
            }
            Question::About => Ok(Reply::About(Box::new(self.about.clone()))),
            Question::Rules => match &self.rules {
                Some(rules) => Ok(Reply::Rules(rules.clone())),
                None => Err(Refusal::Lacking("there is no server that evaluates rules".to_owned())),
            },
        }
    }
}
