//! Where the failures of a test come from.
//!
//! The test runs a second time, and at the evaluations that the failures depend on, what the parts of
//! the rules give is kept: of the alert that is tested, of the rules that record what it reads, of those
//! that record what these read. So everything is as the rules saw it: a rule that stands further down has
//! not been evaluated yet.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::sync::Arc;

use promql_engine::{Part, evaluate_with_parts};
use promql_model::{METRIC_NAME, MatchOp, Matcher};
use promql_syntax::ast::SelectorId;
use promql_syntax::query::{Range, Vector};
use promql_syntax::{Query, compile};

use super::orders::given;
use super::outcome::{AlertVerdict, ExpressionVerdict, Outcome};
use super::run::{RunOptions, Runner, prepare};
use super::{ExpressionTest, UnitTestFile};
use crate::evaluate::{PreparedFile, PreparedRule, Transition};
use crate::rule_file::RuleKind;

/// Where the failures of a test come from. Nothing for what has not failed.
#[derive(Clone, Debug, Default)]
pub struct Explanations {
    /// For each of the tests of alerts.
    pub alerts: Vec<Option<Explanation>>,
    /// For each of the tests of expressions.
    pub expressions: Vec<Option<Explanation>>,
}

/// Where a failure comes from.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// Of a test of an expression, the expression and what its parts gave, operands first.
    pub expression: Option<(Query, Vec<Part>)>,
    /// The alerts that are tested, then the rules that write what is read, nearest first.
    pub rules: Vec<ExplainedRule>,
}

/// A rule that a failure depends on.
#[derive(Clone, Debug)]
pub struct ExplainedRule {
    /// Its file, as a position among those that the test was run with.
    pub file: usize,
    /// Itself.
    pub rule: Arc<PreparedRule>,
    /// When it was evaluated, in milliseconds since the epoch.
    pub time: i64,
    /// What its parts gave then, operands first.
    pub parts: Vec<Part>,
    /// What happened to its alerts up to then, in order of time.
    pub history: Vec<Transition>,
}

/// Explains the failures of a test of a number, which was run with these rules and options.
pub fn explain(
    file: &UnitTestFile,
    number: usize,
    rules: &[Arc<PreparedFile>],
    options: &RunOptions,
    outcome: &Outcome,
) -> Explanations {
    let Some(test) = file.tests.get(number) else { return Explanations::default() };
    let mut again = Outcome::new(&test.alert_tests, &test.expression_tests);
    let series = prepare(file, test, &mut again);
    let mut runner = Runner::new(file, test, given(file, rules), options, series);
    let prepared: Vec<Arc<PreparedRule>> = runner.evaluation.rules().map(Arc::clone).collect();
    let alerts = test.alert_tests.iter().zip(&outcome.alerts).map(|(alert, verdict)| {
        matches!(verdict, Some(AlertVerdict::Failed(_))).then(|| {
            let is_it = |rule: &PreparedRule| {
                rule.kind == RuleKind::Alerting && rule.name == alert.alertname.value
            };
            let roots = (0..prepared.len()).filter(|at| is_it(&prepared[*at]));
            Wanted {
                rules: with_sources(roots.collect(), &prepared),
                time: runner.cycle_of(alert.eval_time.value),
            }
        })
    });
    let alerts: Vec<Option<Wanted>> = alerts.collect();
    let expressions = test.expression_tests.iter().zip(&outcome.expressions);
    let expressions = expressions.map(|(test, verdict)| match verdict {
        Some(ExpressionVerdict::Failed(_) | ExpressionVerdict::Broken { .. }) => {
            let query = compile(&test.expr.value, &options.features).ok()?;
            let roots = read_by(&query, &prepared);
            let rules = with_sources(roots, &prepared);
            Some((query, Wanted { rules, time: runner.cycle_of(test.eval_time.value) }))
        }
        _ => None,
    });
    let expressions: Vec<Option<(Query, Wanted)>> = expressions.collect();
    let all = alerts.iter().flatten().chain(expressions.iter().flatten().map(|(_, w)| w));
    let evaluations: HashSet<(usize, i64)> =
        all.flat_map(|wanted| wanted.rules.iter().map(|rule| (*rule, wanted.time))).collect();
    runner.evaluation.capture(evaluations);
    runner.run(&mut again);
    let captured = runner.evaluation.finish_capturing();
    let explained = |wanted: &Wanted| {
        let rule = |number: &usize| ExplainedRule {
            file: runner.files.get(*number).copied().unwrap_or(0),
            rule: Arc::clone(&prepared[*number]),
            time: wanted.time,
            parts: captured.parts.get(&(*number, wanted.time)).cloned().unwrap_or_default(),
            history: captured.history(*number, wanted.time),
        };
        wanted.rules.iter().map(rule).collect()
    };
    let of_expression = |test: &ExpressionTest, query: Query| {
        let at = file.tests[number].start.saturating_add(test.eval_time.value);
        let options = runner.evaluation.query_options(at);
        let (_, parts) = evaluate_with_parts(&query, &runner.evaluation.store, &options);
        Some((query, parts))
    };
    let alerts = alerts.iter().map(|wanted| {
        let rules = explained(wanted.as_ref()?);
        Some(Explanation { expression: None, rules })
    });
    let expressions = test.expression_tests.iter().zip(expressions).map(|(test, wanted)| {
        let (query, wanted) = wanted?;
        let rules = explained(&wanted);
        Some(Explanation { expression: of_expression(test, query), rules })
    });
    Explanations { alerts: alerts.collect(), expressions: expressions.collect() }
}

/// The rules that a failure depends on, nearest first, and the time of the cycle that matters.
struct Wanted {
    rules: Vec<usize>,
    time: i64,
}

/// Rules with those that write what they read, and so on.
fn with_sources(roots: Vec<usize>, rules: &[Arc<PreparedRule>]) -> Vec<usize> {
    let mut found: Vec<usize> = Vec::new();
    let mut waiting: VecDeque<usize> = roots.into();
    while let Some(rule) = waiting.pop_front() {
        if !found.contains(&rule) {
            found.push(rule);
            waiting.extend(read_by(&rules[rule].query, rules));
        }
    }
    found
}

/// The rules that write series that a query reads, as far as selectors name metrics.
fn read_by(query: &Query, rules: &[Arc<PreparedRule>]) -> Vec<usize> {
    let of_vectors = query.vectors().iter().filter_map(|node| match &node.kind {
        Vector::Selector(selector) => Some(*selector),
        _ => None,
    });
    let of_ranges = query.ranges().iter().filter_map(|node| match &node.kind {
        Range::Selector { selector, .. } => Some(*selector),
        Range::Subquery { .. } => None,
    });
    let mut found = BTreeSet::new();
    for selector in of_vectors.chain(of_ranges) {
        let matchers = matchers(query, selector);
        let is_named = |m: &Matcher| m.name() == METRIC_NAME && !m.matches_empty();
        if matchers.iter().any(is_named) {
            found.extend((0..rules.len()).filter(|at| writes(&rules[*at], &matchers)));
        }
    }
    found.into_iter().collect()
}

fn matchers(query: &Query, selector: SelectorId) -> Vec<Matcher> {
    let matcher = |(name, op, value): (&[u8], MatchOp, &[u8])| {
        Matcher::new(std::str::from_utf8(name).ok()?, op, value).ok()
    };
    query.matchers(selector).filter_map(matcher).collect()
}

/// Whether a rule may write a series that fulfils matchers, by its name and that of the alert.
fn writes(rule: &PreparedRule, matchers: &[Matcher]) -> bool {
    let fulfils = |label: &str, value: &str| {
        matchers.iter().filter(|m| m.name() == label).all(|m| m.matches(value))
    };
    match rule.kind {
        RuleKind::Recording => fulfils(METRIC_NAME, &rule.name),
        RuleKind::Alerting => {
            let names = ["ALERTS", "ALERTS_FOR_STATE"];
            // Whatever takes any metric isn't about alerts.
            let is_meant = matchers.iter().any(|matcher| {
                matcher.name() == METRIC_NAME
                    && matcher.op() == MatchOp::Equal
                    && names.iter().any(|name| matcher.matches(name))
            });
            is_meant && fulfils("alertname", &rule.name)
        }
    }
}
