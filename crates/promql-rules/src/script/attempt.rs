//! The ways in which the query of an `eval` is run.
//!
//! A range query is run once. An instant query is run in forms and at times that must not make a
//! difference, as upstream's runner does, to find mistakes of an engine, and of queries whose result
//! depends on more than their author thinks:
//!
//! - once as it is;
//! - with `@` its own time on all selectors, at other times, unless it calls a function whose result
//!   depends on the time of the query itself;
//! - each of these also as the middle step of a range query.

use promql_engine::QueryOptions;
use promql_syntax::ast::NodeKind;
use promql_syntax::{Features, Query, compile};

use super::{Eval, EvalTime};

/// Functions whose result may be another at another time though all selectors have a fixed one.
const UNSAFE: [&str; 15] = [
    "days_in_month",
    "day_of_month",
    "day_of_week",
    "day_of_year",
    "hour",
    "minute",
    "month",
    "year",
    "time",
    "timestamp",
    "predict_linear",
    "start",
    "end",
    "range",
    "step",
];

/// Calls that mean something else in a range query.
const ABOUT_THE_RANGE: [&str; 4] = ["start()", "end()", "range()", "step()"];

/// The time between the steps of a range query that stands for an instant query: a minute.
const STEP: i64 = 60_000;

/// One way in which the query of an `eval` is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The query; with `@` on its selectors it is another than the script's.
    pub expression: String,
    /// Whether the query is the script's, without `@` on its selectors.
    pub is_original: bool,
    /// When it is evaluated. For a range query in place of an instant one, the middle step.
    pub time: EvalTime,
    /// Whether it is a range query in place of an instant one.
    pub in_range_mode: bool,
}

impl Attempt {
    /// The times to evaluate at.
    pub(super) fn options(&self) -> QueryOptions {
        let step = |step: i64| std::time::Duration::from_millis(step.unsigned_abs());
        match self.time {
            EvalTime::Range { start, end, step: every } => {
                QueryOptions::range(start, end, step(every))
            }
            EvalTime::Instant(at) if self.in_range_mode => {
                let (start, end) = (at.saturating_sub(STEP), at.saturating_add(STEP));
                QueryOptions::range(start, end, step(STEP))
            }
            EvalTime::Instant(at) => QueryOptions::instant(at),
        }
    }
}

/// A query with the attempts to be made with it, in order.
pub(super) struct Form {
    /// Nothing for the script's own.
    query: Option<Query>,
    pub(super) attempts: Vec<Attempt>,
}

impl Form {
    pub(super) fn query<'q>(&'q self, eval: &'q Eval) -> &'q Query {
        self.query.as_ref().unwrap_or(&eval.query)
    }
}

/// The query as the script has it.
pub(super) fn original(eval: &Eval) -> Attempt {
    let expression = eval.expression.clone();
    Attempt { expression, is_original: true, time: eval.time, in_range_mode: false }
}

/// All ways to run a query. Without `variants` the original alone.
pub(super) fn forms(eval: &Eval, variants: bool) -> Vec<Form> {
    let original = original(eval);
    let EvalTime::Instant(at) = eval.time else {
        return vec![Form { query: None, attempts: vec![original] }];
    };
    if !variants {
        return vec![Form { query: None, attempts: vec![original] }];
    }
    let as_range = has_range_form(eval);
    let with_range = |attempt: Attempt| {
        let ranged = Attempt { in_range_mode: true, ..attempt.clone() };
        [attempt].into_iter().chain(as_range.then_some(ranged))
    };
    let mut forms = vec![Form { query: None, attempts: with_range(original).collect() }];
    if let Some((expression, query)) = fixed(&eval.query, at) {
        let attempt = |time: i64| Attempt {
            expression: expression.clone(),
            is_original: false,
            time: EvalTime::Instant(time),
            in_range_mode: false,
        };
        let attempts = other_times(at).into_iter().map(attempt).flat_map(with_range).collect();
        forms.push(Form { query: Some(query), attempts });
    }
    forms
}

fn has_range_form(eval: &Eval) -> bool {
    let expectations = &eval.expectations;
    !ABOUT_THE_RANGE.iter().any(|call| eval.expression.contains(call))
        && expectations.range_vector().is_none()
        && expectations.string().is_none()
        && !expectations.is_failure()
}

fn other_times(at: i64) -> Vec<i64> {
    match at {
        0 => vec![-1000, 0, 1000],
        _ => vec![at.saturating_mul(-10), 0, at / 5, at, at.saturating_mul(10)],
    }
}

/// The query with `@` on its selectors; nothing if its result depends on the time all the same.
fn fixed(query: &Query, at: i64) -> Option<(String, Query)> {
    let expr = query.expr();
    let is_unsafe = |node: &promql_syntax::ast::Node| match node.kind {
        NodeKind::Call { function, .. } => UNSAFE.contains(&function.name),
        _ => false,
    };
    if expr.nodes().iter().any(is_unsafe) {
        return None;
    }
    let expression = expr.at_fixed_time(at).to_string();
    // What cannot be printed so that it means the same is not tried: `info(x, {})`.
    let query = compile(&expression, &Features::ALL).ok()?;
    Some((expression, query))
}
