//! Why an answer is empty, as far as that is cheap to know.
//!
//! Each selector of the expression is asked on its own. Mostly one of them has no series, and that
//! is the reason: a name is misspelt, a label has another value, or the time is one at which there
//! is no data. If all have some, what stands between them removes every series.

use promql_engine::{EvaluationTime, QueryOptions};
use promql_syntax::ast::{Expr, NodeId, NodeKind};
use promql_syntax::{Features, Span};

use super::evaluate;
use super::source::Opened;
use crate::console::Console;
use crate::inputs::{Input, Name};
use crate::render::{self, timestamps};

/// More selectors than these are not asked.
const MOST_SELECTORS: usize = 8;

/// How long each may take.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(2);

/// Says what is found out. Nothing when it can't be found out in time.
pub(in crate::commands) fn explain(
    opened: &Opened,
    input: &Input,
    options: &QueryOptions,
    console: &Console,
) -> Option<String> {
    let expr = promql_syntax::parse(&input.text, &Features::ALL).ok()?;
    let selectors = selectors(&expr);
    if selectors.is_empty() || selectors.len() > MOST_SELECTORS {
        return None;
    }
    let mut options = options.clone();
    options.engine.timeout = Some(PATIENCE);
    for (span, question) in selectors {
        let question = Input { name: Name::Argument(1), text: question.into_bytes() };
        let (answer, _) = evaluate::answer(opened, &question, &options, false, console).ok()?;
        if !render::is_empty(&answer.value) {
            continue;
        }
        let selector = String::from_utf8_lossy(input.text.get(span.range())?).into_owned();
        let selector = crate::visible::value(selector.trim());
        let mut text = format!("nothing is selected by `{selector}` {}", when(options.time));
        if let Opened::Local { last: Some(last), .. } = opened
            && !covers(options.time, *last)
        {
            text.push_str(&format!("; the last sample is of {}", timestamps::rfc3339(*last)));
        }
        return Some(text);
    }
    Some("every selector has series here; what stands between them leaves none".to_string())
}

/// The selectors with their places, each as a question that has an answer when it selects anything.
fn selectors(expr: &Expr) -> Vec<(Span, String)> {
    let mut found = Vec::new();
    let mut left = vec![expr.root()];
    while let Some(id) = left.pop() {
        match expr.kind(id) {
            // Its selector is asked with its window.
            NodeKind::MatrixSelector { .. } => {
                let question = format!("present_over_time({})", expr.print_node(id));
                found.push((expr.span(id), question));
            }
            NodeKind::VectorSelector(_) => found.push((expr.span(id), expr.print_node(id))),
            _ => expr.for_each_child(id, |child: NodeId| left.push(child)),
        }
    }
    found.sort_by_key(|(span, _)| span.start);
    found
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
