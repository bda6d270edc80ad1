//! Runs a test: simulated time, in which series grow and rules are evaluated.
//!
//! Time goes in steps of the evaluation interval, whatever intervals the groups of rules have, up to
//! the last time that something is tested at. At each step come first the samples up to it, then
//! the rules, then the tests of alerts that fall into the step. The tests of expressions come when
//! all of that is done, so they can see what is later than their time.

use std::sync::Arc;
use std::time::Duration;

use promql_engine::{Cancellation, EngineOptions};
use promql_model::SampleValue;
use promql_storage::Trouble;
use promql_storage::fixture::{LoadedSeries, PlacedText, load_input_series};
use promql_syntax::Features;

use super::orders::{Again, Ordered, given};
use super::outcome::{AlertVerdict, ExpressionVerdict, GroupFailure, Outcome, Stage};
use super::{TestGroup, UnitTestFile, template_failures, traps, verdict};
use crate::coverage::TestCoverage;
use crate::evaluate::{EvaluateOptions, Evaluation, PreparedFile};
use crate::finding::Finding;

/// How tests are run.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// The engine's settings, but for the step of subqueries, which is the evaluation interval. The
    /// defaults are promtool's: a query may hold 10,000 samples and take 100 seconds.
    pub engine: EngineOptions,
    /// What expressions may use.
    pub features: Features,
    /// Whether what can't be meant is looked for.
    pub traps: bool,
    /// In how many other orders of groups a test is run to see whether it comes out differently, which
    /// fails it. They are among those that promtool may take.
    pub shuffles: u32,
    /// Whether it is counted what the test exercises of the rules.
    pub coverage: bool,
    /// Whether the series are kept when the test is over, for those who want to look at them.
    pub keep_series: bool,
    /// Lets another thread end the run.
    pub cancellation: Cancellation,
}

impl Default for RunOptions {
    fn default() -> Self {
        let engine = EngineOptions {
            max_samples: 10_000,
            timeout: Some(Duration::from_secs(100)),
            threads: Some(1),
            ..EngineOptions::default()
        };
        RunOptions {
            engine,
            features: Features::ALL,
            traps: true,
            shuffles: 0,
            coverage: false,
            keep_series: false,
            cancellation: Cancellation::default(),
        }
    }
}

/// Runs the test of a number over rule files.
pub fn run(
    file: &UnitTestFile,
    number: usize,
    rules: &[Arc<PreparedFile>],
    options: &RunOptions,
) -> Outcome {
    let Some(test) = file.tests.get(number) else {
        return Outcome::new(&[], &[]);
    };
    let mut outcome = Outcome::new(&test.alert_tests, &test.expression_tests);
    let series = prepare(file, test, &mut outcome);
    if !outcome.failures.is_empty() {
        return outcome;
    }
    let mut runner = Runner::new(file, test, given(file, rules), options, series);
    if options.coverage {
        runner.evaluation.observe();
    }
    runner.run(&mut outcome);
    outcome.coverage = runner.coverage();
    if options.traps {
        outcome.rule_warnings = template_failures::find(&runner, rules);
    }
    if outcome.stage != Stage::Done {
        return outcome;
    }
    if options.traps {
        let context = traps::Context {
            file,
            test,
            evaluation: &runner.evaluation,
            series: &runner.series,
            last_cycle: runner.last_cycle,
        };
        outcome.warnings.extend(traps::find(&context));
        if traps::may_pass_without_input(test, &outcome) {
            let mut without = Outcome::new(&test.alert_tests, &test.expression_tests);
            let order = given(file, rules);
            let mut runner = Runner::new(file, test, order, options, Vec::new());
            runner.until_failed = true;
            runner.run(&mut without);
            if without.is_passed() {
                outcome.warnings.push(traps::passes_without_input(file, test));
            }
        }
    }
    let series = &runner.series;
    let again = Again { file, number, rules, options, series };
    let dependent = again.depends_on_order(&outcome, options.shuffles);
    if options.traps && dependent.is_none() {
        outcome.warnings.extend(again.reads_early(&outcome));
    }
    outcome.failures.extend(dependent.map(GroupFailure::Finding));
    if options.keep_series {
        outcome.store = Some(std::mem::take(&mut runner.evaluation.store));
    }
    outcome
}

fn finding(trouble: &Trouble) -> Finding {
    Finding {
        code: trouble.code().clone(),
        severity: trouble.severity(),
        message: trouble.message().to_owned(),
        label: trouble.label().clone(),
        help: trouble.help().cloned(),
        span: trouble.place(),
        upstream: None,
    }
}

/// The input series. What is wrong with the test goes to the outcome.
pub(super) fn prepare(
    file: &UnitTestFile,
    test: &TestGroup,
    outcome: &mut Outcome,
) -> Vec<LoadedSeries> {
    let texts = test.input_series.iter();
    let placed = |text| PlacedText::new(text, &file.text);
    let texts = texts.map(|s| (placed(&s.series), placed(&s.values)));
    let (series, troubles) = load_input_series(texts, test.start, test.interval);
    for finding in troubles.iter().map(finding) {
        match finding.is_error() {
            true => outcome.failures.push(GroupFailure::Finding(finding)),
            false => outcome.warnings.push(finding),
        }
    }
    for alert in test.alert_tests.iter().filter(|alert| alert.alertname.is_empty()) {
        let mut upstream = format!(
            "an item under alert_rule_test misses required attribute alertname at eval_time {}",
            promql_model::FormatDuration(alert.eval_time.value * 1_000_000)
        );
        if let Some(name) = test.name.as_ref().filter(|name| !name.is_empty()) {
            upstream.push_str(&format!(" (in TestGroup {})", name.value));
        }
        let finding = Finding::error(
            "unit-test::no-alertname",
            first_line(&file.text, alert.span.clone()),
            "a test of an alert doesn't say which alert",
            "no `alertname` here",
            "add `alertname: NAME`",
        );
        outcome.failures.push(GroupFailure::Finding(finding.with_upstream(upstream)));
    }
    series
}

/// The first line of a place.
pub(super) fn first_line(text: &str, span: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let written = text.get(span.clone()).unwrap_or_default();
    let length = written.find(['\n', '\r']).unwrap_or(written.len());
    span.start..span.start + length
}

/// A test that is run.
pub(super) struct Runner<'a> {
    file: &'a UnitTestFile,
    test: &'a TestGroup,
    options: &'a RunOptions,
    pub(super) evaluation: Evaluation,
    /// The file of each rule of the evaluation.
    pub(super) files: Vec<usize>,
    series: Vec<LoadedSeries>,
    /// For each input series its number in the store, and how many floats and histograms are there.
    loaded: Vec<(u32, usize, usize)>,
    /// The last time that anything is needed at.
    end: i64,
    /// The time of the last evaluation.
    last_cycle: i64,
    /// Whether the first test that fails ends the run.
    until_failed: bool,
}

impl<'a> Runner<'a> {
    pub(super) fn new(
        file: &'a UnitTestFile,
        test: &'a TestGroup,
        groups: Ordered<'_>,
        options: &'a RunOptions,
        series: Vec<LoadedSeries>,
    ) -> Runner<'a> {
        let external = test.external_labels.iter();
        let external = external.map(|(name, value)| (name.value.clone(), value.value.clone()));
        let mut engine = options.engine.clone();
        engine.default_subquery_step =
            Duration::from_millis(file.evaluation_interval.unsigned_abs());
        let evaluate = EvaluateOptions {
            engine,
            features: options.features,
            external_labels: Arc::new(external.collect()),
            external_url: test.external_url.as_str().into(),
            cancellation: options.cancellation.clone(),
        };
        let files = groups.iter().flat_map(|(at, group)| group.rules.iter().map(move |_| *at));
        let files = files.collect();
        let mut evaluation = Evaluation::new(groups.iter().map(|(_, group)| *group), evaluate);
        let loaded = series.iter().map(|s| (evaluation.store.number(&s.labels), 0, 0)).collect();
        let end = test.start.saturating_add(test.last_time());
        Runner {
            file,
            test,
            options,
            evaluation,
            files,
            series,
            loaded,
            end,
            last_cycle: test.start,
            until_failed: false,
        }
    }

    /// The time of the cycle that a test at a time since the start sees, in milliseconds since the
    /// epoch.
    pub(super) fn cycle_of(&self, eval_time: i64) -> i64 {
        let within = eval_time.rem_euclid(self.file.evaluation_interval.max(1));
        self.test.start.saturating_add(eval_time - within)
    }

    /// What was exercised, if that was observed.
    fn coverage(&mut self) -> Option<TestCoverage> {
        let counts = self.evaluation.finish_observing()?;
        let rules = self.evaluation.rules().zip(&self.files).zip(counts);
        let rules = rules.map(|((rule, file), counts)| ((*file, rule.group, rule.rule), counts));
        Some(TestCoverage { rules: rules.collect() })
    }

    /// Runs the test.
    pub(super) fn run(&mut self, outcome: &mut Outcome) {
        if !self.cycles(outcome) {
            outcome.stage = Stage::Rules;
            return;
        }
        for (at, expression) in self.test.expression_tests.iter().enumerate() {
            if self.options.cancellation.is_cancelled() {
                return;
            }
            let (file, start) = (self.file, self.test.start);
            let features = &self.options.features;
            let verdict = verdict::expression(&self.evaluation, file, start, expression, features);
            let has_failed = !matches!(verdict, ExpressionVerdict::Passed);
            outcome.expressions[at] = Some(verdict);
            if has_failed && self.until_failed {
                return;
            }
        }
        outcome.stage = Stage::Done;
    }

    /// Lets the time go by. False if a rule failed, which ends the test.
    fn cycles(&mut self, outcome: &mut Outcome) -> bool {
        let step = self.file.evaluation_interval;
        let mut waiting: Vec<usize> = (0..self.test.alert_tests.len()).collect();
        waiting.sort_by_key(|at| self.test.alert_tests[*at].eval_time.value);
        let mut waiting = waiting.into_iter().peekable();
        let mut time = self.test.start;
        loop {
            if self.options.cancellation.is_cancelled() {
                return false;
            }
            self.last_cycle = time;
            self.load(time, outcome);
            let failed = self.evaluation.cycle(time);
            let rule = |rule: usize| self.evaluation.rules().nth(rule).map(Arc::clone);
            for failure in failed {
                let Some(prepared) = rule(failure.rule) else { continue };
                outcome.failures.push(GroupFailure::Rule {
                    file: self.files.get(failure.rule).copied().unwrap_or(0),
                    group: prepared.group,
                    rule: prepared.rule,
                    time,
                    message: failure.message,
                });
            }
            if !outcome.failures.is_empty() {
                return false;
            }
            let next = time.saturating_add(step);
            let is_due = |at: &usize| {
                let eval_time = self.test.alert_tests[*at].eval_time.value;
                self.test.start.saturating_add(eval_time) < next
            };
            while let Some(at) = waiting.next_if(is_due) {
                let test = &self.test.alert_tests[at];
                if !test.expected.is_empty() {
                    self.evaluation.expected(&test.alertname.value);
                }
                let verdict = verdict::alert(&self.evaluation, test, time);
                let has_failed = !matches!(verdict, AlertVerdict::Passed);
                outcome.alerts[at] = Some(verdict);
                if has_failed && self.until_failed {
                    return false;
                }
            }
            if next > self.end || next == time {
                return true;
            }
            time = next;
        }
    }

    /// Appends the samples up to a time that aren't there yet.
    fn load(&mut self, time: i64, outcome: &mut Outcome) {
        for (series, (number, floats, histograms)) in self.series.iter().zip(&mut self.loaded) {
            let columns = &series.columns;
            loop {
                let float = columns.timestamps.get(*floats).copied();
                let histogram = columns.histogram_timestamps.get(*histograms).copied();
                let (at, is_float) = match (float, histogram) {
                    (Some(float), Some(histogram)) if histogram < float => (histogram, false),
                    (Some(float), _) => (float, true),
                    (None, Some(histogram)) => (histogram, false),
                    (None, None) => break,
                };
                if at > time {
                    break;
                }
                let start = |starts: &[i64], at: usize| starts.get(at).copied().unwrap_or(0);
                let (value, start) = if is_float {
                    *floats += 1;
                    let value = columns.values[*floats - 1];
                    (SampleValue::Float(value), start(&columns.start_timestamps, *floats - 1))
                } else {
                    *histograms += 1;
                    let value = columns.histograms[*histograms - 1].clone();
                    let starts = &columns.histogram_start_timestamps;
                    (SampleValue::Histogram(Box::new(value)), start(starts, *histograms - 1))
                };
                let appended = self.evaluation.store.append_to(*number, at, &value, start);
                if let Err(error) = appended {
                    outcome.failures.push(GroupFailure::Sample {
                        labels: series.labels.clone(),
                        span: series.place.clone(),
                        time: at,
                        message: error.to_string(),
                    });
                    break;
                }
            }
        }
    }
}
