//! Why an answer is empty, as far as that is cheap to know, and what would change it.
//!
//! Each selector of the expression is asked on its own. Mostly one of them has no series, and that
//! is the reason: a name is misspelt, a label has another value ([`selection`]), or the time is one at
//! which there is no data. If all have some, the innermost operation that loses all of them is looked
//! for: a comparison that holds for nothing, or two sides that don't match ([`operation`]).
//!
//! Everything is asked as a question of its own, with a time limit for each and a number of them, so that a
//! large server isn't hurt by it.

mod operation;
mod selection;

use std::time::{Duration, Instant};

use promql_engine::{EvaluationTime, LabelQuery, QueryOptions, Storage, TimeRange};
use promql_model::{Labels, METRIC_NAME, QueryValue, SampleValue};
use promql_repl::{Fix, Reason};
use promql_storage::remote::LabelRequest;
use promql_syntax::ast::{Expr, NodeId, NodeKind};
use promql_syntax::{Features, Span};

use super::evaluate;
use super::source::Opened;
use crate::console::Console;
use crate::inputs::{Input, Name};
use crate::render::timestamps;
use crate::time::Clock;

/// More selectors than these are not asked.
const MOST_SELECTORS: usize = 8;

/// How long each question may take, and all together.
const PATIENCE: Duration = Duration::from_secs(2);
const PATIENCE_WITH_ALL: Duration = Duration::from_secs(5);

/// Names of metrics are compared, so many, of so many milliseconds before now.
const MOST_NAMES: usize = 100_000;
const LATELY: i64 = 3_600_000;

/// Says what is found out. Nothing when it can't be found out in time.
pub(in crate::commands) fn explain(
    opened: &Opened,
    input: &Input,
    options: &QueryOptions,
    console: &Console,
) -> Option<Reason> {
    let expr = promql_syntax::parse(&input.text, &Features::ALL).ok()?;
    let selectors = selectors(&expr);
    if selectors.is_empty() || selectors.len() > MOST_SELECTORS {
        return None;
    }
    let mut options = options.clone();
    options.engine.timeout = Some(PATIENCE);
    let asking = Asking { opened, options, console, until: Instant::now() + PATIENCE_WITH_ALL };
    for (id, question) in selectors {
        if !asking.ask(question)?.is_empty() {
            continue;
        }
        let source = source(&expr, expr.span(id));
        let mut text = format!(
            "nothing is selected by `{}` {}",
            crate::visible::value(source.trim()),
            when(asking.options.time)
        );
        if let Opened::Local { last: Some(last), .. } = opened
            && !covers(asking.options.time, *last)
        {
            text.push_str(&format!("; the last sample is of {}", timestamps::rfc3339(*last)));
        }
        let mut reason = Reason { text, fixes: Vec::new() };
        selection::look(&expr, id, &asking, &mut reason);
        return Some(reason);
    }
    Some(operation::look(&expr, &asking).unwrap_or_else(|| Reason {
        text: "every selector has series here; what stands between them leaves none".to_string(),
        fixes: Vec::new(),
    }))
}

/// Something that can be asked.
struct Asking<'a> {
    opened: &'a Opened,
    options: QueryOptions,
    console: &'a Console,
    until: Instant,
}

/// A series and its value, the last one over time.
type Element = (Labels, f64);

impl Asking<'_> {
    /// The series of a vector. Nothing when there is no answer in time, or it is no vector.
    fn ask(&self, question: String) -> Option<Vec<Element>> {
        if Instant::now() >= self.until || self.options.cancellation.is_cancelled() {
            return None;
        }
        let question = Input { name: Name::Argument(1), text: question.into_bytes() };
        let answer =
            evaluate::answer(self.opened, &question, &self.options, false, self.console).ok()?;
        let number = |value: &SampleValue| match value {
            SampleValue::Float(value) => *value,
            SampleValue::Histogram(histogram) => histogram.count,
        };
        match answer.0.value {
            QueryValue::Vector(elements) => {
                Some(elements.into_iter().map(|e| (e.labels, number(&e.value))).collect())
            }
            QueryValue::Matrix(series) => {
                let last = |floats: &[(i64, f64)]| floats.last().map_or(f64::NAN, |(_, v)| *v);
                Some(series.into_iter().map(|s| (s.labels, last(&s.floats))).collect())
            }
            QueryValue::Scalar { .. } | QueryValue::String { .. } => None,
        }
    }
}

impl Asking<'_> {
    /// The names of metrics; of a server those of the last hour.
    fn metrics(&self) -> Option<Vec<String>> {
        match self.opened {
            Opened::Local { storage, .. } => {
                let query = LabelQuery { selectors: &[], range: TimeRange::ALL };
                storage.label_values(METRIC_NAME, &query).ok()
            }
            Opened::Server(server) => {
                let now = Clock::system().now;
                let request = LabelRequest {
                    selectors: &[],
                    range: Some(TimeRange { start: now.saturating_sub(LATELY), end: now }),
                    limit: MOST_NAMES,
                    cancellation: self.options.cancellation.clone(),
                };
                Some(server.label_values(METRIC_NAME, &request).ok()?.data)
            }
        }
    }
}

/// The selectors in the order of their places, each with a question that has an answer when it selects
/// anything.
fn selectors(expr: &Expr) -> Vec<(NodeId, String)> {
    let mut found = Vec::new();
    let mut left = vec![expr.root()];
    while let Some(id) = left.pop() {
        match expr.kind(id) {
            // Its selector is asked with its window.
            NodeKind::MatrixSelector { .. } => {
                found.push((id, format!("present_over_time({})", expr.print_node(id))));
            }
            NodeKind::VectorSelector(_) => found.push((id, expr.print_node(id))),
            _ => expr.for_each_child(id, |child: NodeId| left.push(child)),
        }
    }
    found.sort_by_key(|(id, _)| expr.span(*id).start);
    found
}

/// A part of the expression as it was written.
fn source(expr: &Expr, span: Span) -> String {
    String::from_utf8_lossy(expr.source().get(span.range()).unwrap_or_default()).into_owned()
}

/// The expression with another text in one place, if that is one that can be read.
fn with_text(expr: &Expr, place: std::ops::Range<usize>, text: &str, title: String) -> Option<Fix> {
    let source = std::str::from_utf8(expr.source()).ok()?;
    let expression = format!("{}{text}{}", source.get(..place.start)?, source.get(place.end..)?);
    promql_syntax::compile(&expression, &Features::ALL).ok()?;
    Some(Fix { title, expression })
}

fn when(time: EvaluationTime) -> String {
    match time {
        EvaluationTime::Instant(time) => format!("at {}", timestamps::rfc3339(time)),
        EvaluationTime::Range { start, end, .. } => {
            format!("from {} to {}", timestamps::rfc3339(start), timestamps::rfc3339(end))
        }
    }
}

fn covers(time: EvaluationTime, sample: i64) -> bool {
    match time {
        EvaluationTime::Instant(time) => time == sample,
        EvaluationTime::Range { start, end, .. } => (start..=end).contains(&sample),
    }
}
