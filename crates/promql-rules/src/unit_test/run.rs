//! Runs a test: simulated time, in which series grow and rules are evaluated.
//!
//! Time goes in steps of the evaluation interval, whatever intervals the groups of rules have, up to
//! the last time that something is tested at. At each step come first the samples up to it, then
//! the rules, then the tests of alerts that fall into the step. The tests of expressions come when
//! all of that is done, so they can see what is later than their time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use promql_engine::{Cancellation, EngineOptions, evaluate};
use promql_model::{Labels, SampleValue};
use promql_storage::Trouble;
use promql_storage::fixture::{LoadedSeries, PlacedText, load_input_series};
use promql_syntax::{Features, SequenceValue, compile, parse_metric, parse_series};

use super::compare::{AlertTexts, WantedSample, compare_samples};
use super::{
    AlertRow, AlertTest, ExpectedSample, ExpressionTest, TestGroup, UnitTestFile, compare_alerts,
    traps,
};
use crate::coverage::TestCoverage;
use crate::evaluate::{
    EvaluateOptions, Evaluation, NO_VECTOR, PreparedFile, PreparedGroup, SeriesStore, elements,
};
use crate::finding::Finding;
use crate::script::{Row, RowVerdict};
use crate::yaml::Text;

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
            coverage: false,
            keep_series: false,
            cancellation: Cancellation::default(),
        }
    }
}

/// How far a test came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Something was wrong before it began.
    Prepared,
    /// A rule failed.
    Rules,
    /// It came to its end.
    Done,
}

/// What came of a test.
#[derive(Debug)]
pub struct Outcome {
    /// How far it came.
    pub stage: Stage,
    /// What failed the test as a whole.
    pub failures: Vec<GroupFailure>,
    /// The verdicts of the tests of alerts, in the order of the file; nothing for those it didn't
    /// come to.
    pub alerts: Vec<Option<AlertVerdict>>,
    /// The verdicts of the tests of expressions likewise.
    pub expressions: Vec<Option<ExpressionVerdict>>,
    /// What can't be meant.
    pub warnings: Vec<Finding>,
    /// The series as they are at the end, if that was asked for.
    pub store: Option<SeriesStore>,
    /// What the test exercised of the rules, if that was asked for. A test that couldn't be prepared
    /// has none.
    pub coverage: Option<TestCoverage>,
}

/// What fails a test as a whole.
#[derive(Clone, Debug)]
pub enum GroupFailure {
    /// Something in the test file: an input series, a test of an alert without a name.
    Finding(Finding),
    /// A rule that failed.
    Rule {
        /// The file of the rule, as a position among those that the test was run with.
        file: usize,
        /// Its group, as a position in [`RuleFile::groups`](crate::rule_file::RuleFile::groups).
        group: usize,
        /// Its position in the group.
        rule: usize,
        /// When, in milliseconds since the epoch.
        time: i64,
        /// Why.
        message: String,
    },
    /// A sample that could not be put into its series.
    Sample {
        /// The series.
        labels: Labels,
        /// The input series as a place in the test file.
        span: std::ops::Range<usize>,
        /// When, in milliseconds since the epoch.
        time: i64,
        /// Why.
        message: String,
    },
}

/// What came of a test of an alert.
#[derive(Clone, Debug)]
pub enum AlertVerdict {
    /// What was expected.
    Passed,
    /// Something else. All alerts are given, those that are as expected too.
    Failed(Vec<AlertRow>),
}

/// What came of a test of an expression.
#[derive(Clone, Debug)]
pub enum ExpressionVerdict {
    /// What was expected.
    Passed,
    /// Something else. All samples are given, those that are as expected too.
    Failed(Vec<Row>),
    /// Something could not be read or evaluated: the expression, an expected sample.
    Broken {
        /// Upstream's message.
        message: String,
        /// What is wrong and where.
        findings: Vec<Finding>,
    },
}

impl Outcome {
    /// Whether promtool would pass the test.
    pub fn is_passed(&self) -> bool {
        let alerts = self.alerts.iter().all(|v| matches!(v, Some(AlertVerdict::Passed)));
        let expressions =
            self.expressions.iter().all(|v| matches!(v, Some(ExpressionVerdict::Passed)));
        self.failures.is_empty() && alerts && expressions
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
    let mut runner = Runner::new(file, test, rules, options, series);
    if options.coverage {
        runner.evaluation.observe();
    }
    runner.run(&mut outcome);
    outcome.coverage = runner.coverage();
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
            let mut runner = Runner::new(file, test, rules, options, Vec::new());
            runner.until_failed = true;
            runner.run(&mut without);
            if without.is_passed() {
                outcome.warnings.push(traps::passes_without_input(file, test));
            }
        }
    }
    if options.keep_series {
        outcome.store = Some(std::mem::take(&mut runner.evaluation.store));
    }
    outcome
}

impl Outcome {
    fn new(alerts: &[AlertTest], expressions: &[ExpressionTest]) -> Outcome {
        Outcome {
            stage: Stage::Prepared,
            failures: Vec::new(),
            alerts: alerts.iter().map(|_| None).collect(),
            expressions: expressions.iter().map(|_| None).collect(),
            warnings: Vec::new(),
            store: None,
            coverage: None,
        }
    }
}

/// A text with the place of each byte.
fn placed<'a>(text: &'a Text, file: &str) -> PlacedText<'a> {
    let positions = text.positions(file);
    let mut places: Vec<usize> =
        (0..text.value.len()).map(|at| positions.file_span(at..at + 1).start).collect();
    places.push(positions.file_span(text.value.len()..text.value.len()).end);
    PlacedText { text: &text.value, places }
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
fn prepare(file: &UnitTestFile, test: &TestGroup, outcome: &mut Outcome) -> Vec<LoadedSeries> {
    let texts = test.input_series.iter();
    let texts = texts.map(|s| (placed(&s.series, &file.text), placed(&s.values, &file.text)));
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

struct Runner<'a> {
    file: &'a UnitTestFile,
    test: &'a TestGroup,
    options: &'a RunOptions,
    evaluation: Evaluation,
    /// The file of each rule of the evaluation.
    files: Vec<usize>,
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

/// The groups in the order in which they are evaluated: those of `group_eval_order` first, then
/// the others as they stand in the files. Each with its file.
fn ordered<'a>(
    file: &UnitTestFile,
    rules: &'a [Arc<PreparedFile>],
) -> Vec<(usize, &'a PreparedGroup)> {
    let groups = rules.iter().enumerate();
    let groups = groups.flat_map(|(at, file)| file.groups.iter().map(move |group| (at, group)));
    let mut groups: Vec<(usize, &PreparedGroup)> = groups.collect();
    groups.sort_by_key(|(_, group)| {
        let order = &file.group_eval_order;
        order.iter().position(|name| name.value == group.name).unwrap_or(order.len())
    });
    groups
}

impl<'a> Runner<'a> {
    fn new(
        file: &'a UnitTestFile,
        test: &'a TestGroup,
        rules: &'a [Arc<PreparedFile>],
        options: &'a RunOptions,
        series: Vec<LoadedSeries>,
    ) -> Runner<'a> {
        let groups = ordered(file, rules);
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

    /// What was exercised, if that was observed.
    fn coverage(&mut self) -> Option<TestCoverage> {
        let counts = self.evaluation.finish_observing()?;
        let rules = self.evaluation.rules().zip(&self.files).zip(counts);
        let rules = rules.map(|((rule, file), counts)| ((*file, rule.group, rule.rule), counts));
        Some(TestCoverage { rules: rules.collect() })
    }

    /// Runs the test.
    fn run(&mut self, outcome: &mut Outcome) {
        if !self.cycles(outcome) {
            outcome.stage = Stage::Rules;
            return;
        }
        for (at, expression) in self.test.expression_tests.iter().enumerate() {
            if self.options.cancellation.is_cancelled() {
                return;
            }
            let verdict = self.expression(expression);
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
                let verdict = self.alert(test, time);
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

    fn alert(&self, test: &AlertTest, time: i64) -> AlertVerdict {
        let name = &test.alertname.value;
        let fired = self.evaluation.alerts(name, time);
        let fired: Vec<AlertTexts> = fired
            .into_iter()
            .map(|alert| {
                let labels = alert.labels.iter().map(|(n, v)| (n.to_owned(), v.to_owned()));
                (labels.collect(), alert.annotations.into_iter().collect())
            })
            .collect();
        let texts = |pairs: &[(Text, Text)]| {
            let pairs = pairs.iter().map(|(name, value)| (name.value.clone(), value.value.clone()));
            pairs.collect::<BTreeMap<String, String>>()
        };
        let expected = test.expected.iter().map(|alert| {
            let mut labels = texts(&alert.labels);
            labels.insert("alertname".to_owned(), name.clone());
            (labels, texts(&alert.annotations))
        });
        let expected: Vec<AlertTexts> = expected.collect();
        let rows = compare_alerts(&expected, &fired);
        match rows.iter().all(AlertRow::is_same) {
            true => AlertVerdict::Passed,
            false => AlertVerdict::Failed(rows),
        }
    }

    fn expression(&self, test: &ExpressionTest) -> ExpressionVerdict {
        let positions = test.expr.positions(&self.file.text);
        let query = match compile(&test.expr.value, &self.options.features) {
            Ok(query) => query,
            Err(errors) => {
                let findings = Finding::from_errors(&errors, test.expr.value.len(), |range| {
                    positions.file_span(range)
                });
                return ExpressionVerdict::Broken { message: errors.to_string(), findings };
            }
        };
        let at = self.test.start.saturating_add(test.eval_time.value);
        let options = self.evaluation.query_options(at);
        let broken = |message: String, help: &'static str| {
            let finding = Finding::error(
                "unit-test::failed-query",
                test.expr.span.clone(),
                format!("the query failed: {message}"),
                "this was evaluated",
                help,
            );
            ExpressionVerdict::Broken { message, findings: vec![finding] }
        };
        let result = match evaluate(&query, &self.evaluation.store, &options) {
            Ok(result) => result,
            Err(error) => return broken(error.to_string(), ""),
        };
        let Some(got) = elements(result.value) else {
            let help = "test something whose result is an instant vector or a scalar";
            return broken(NO_VECTOR.to_owned(), help);
        };
        let mut expected = Vec::with_capacity(test.expected.len());
        for sample in &test.expected {
            match self.wanted(sample) {
                Ok(sample) => expected.push(sample),
                Err((message, findings)) => {
                    return ExpressionVerdict::Broken { message, findings };
                }
            }
        }
        let got: Vec<WantedSample> = got.into_iter().map(|e| (e.labels, e.value)).collect();
        let rows = compare_samples(&expected, &got, self.file.fuzzy_compare);
        match rows.iter().all(|row| row.verdict == RowVerdict::Same) {
            true => ExpressionVerdict::Passed,
            false => ExpressionVerdict::Failed(rows),
        }
    }

    /// An expected sample; or upstream's message about it, and what is wrong and where.
    fn wanted(&self, sample: &ExpectedSample) -> Result<WantedSample, (String, Vec<Finding>)> {
        let labels = match sample.labels.value.trim() {
            "" => Labels::empty(),
            text => parse_metric(text).map_err(|errors| {
                let front = sample.labels.value.len() - sample.labels.value.trim_start().len();
                let positions = sample.labels.positions(&self.file.text);
                let place = |range: std::ops::Range<usize>| {
                    positions.file_span(range.start + front..range.end + front)
                };
                let findings = Finding::from_errors(&errors, text.len(), place);
                (format!("labels {:?}: {errors}", sample.labels.value), findings)
            })?,
        };
        let Some(histogram) = &sample.histogram else {
            return Ok((labels, SampleValue::Float(sample.value.value)));
        };
        const FRONT: &str = "{} ";
        let fault = |message: String, findings: Vec<Finding>| (message, findings);
        let described = parse_series(&format!("{FRONT}{}", histogram.value)).map_err(|errors| {
            let positions = histogram.positions(&self.file.text);
            let shift = |at: usize| at.saturating_sub(FRONT.len());
            let findings =
                Finding::from_errors(&errors, FRONT.len() + histogram.value.len(), |range| {
                    positions.file_span(shift(range.start)..shift(range.end))
                });
            fault(format!("labels {:?}: {errors}", sample.labels.value), findings)
        })?;
        let wrong = |message: String| {
            let finding = Finding::error(
                "unit-test::no-histogram",
                histogram.span.clone(),
                message.clone(),
                "not one histogram",
                "write one native histogram, as `{{schema:0 count:3 sum:4 buckets:[1 2]}}`; floats \
                 go to `value`",
            );
            fault(format!("labels {:?}: {message}", sample.labels.value), vec![finding])
        };
        match &described.values[..] {
            [SequenceValue::Histogram { histogram, .. }] => {
                Ok((labels, SampleValue::Histogram(histogram.clone())))
            }
            [SequenceValue::Float(value)] => {
                Err(wrong(format!("expected histogram, got {value:.6}")))
            }
            [_] => Err(wrong("expected histogram, got _".to_owned())),
            values => Err(wrong(format!("expected 1 value, got {}", values.len()))),
        }
    }
}
