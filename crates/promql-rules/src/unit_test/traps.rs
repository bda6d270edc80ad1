//! What promtool lets pass in silence although it can't be meant.
//!
//! | code | what |
//! |---|---|
//! | `unit-test::unknown-alert` | no rule is called like the alert, so it never fires |
//! | `unit-test::unknown-group` | no group is called like this one of the order |
//! | `unit-test::between-evaluations` | an alert is tested between two evaluations, and seen as it was before |
//! | `unit-test::group-order` | the test comes out differently if groups come behind those they read from |
//! | `unit-test::samples-not-loaded` | a sample is at or before the time of a test, but after the last evaluation |
//! | `unit-test::passes-without-input` | the test passes without its input series just as well |
//! | `unit-test::never-equal` | NaN equals nothing, not even NaN |
//! | `unit-test::empty-label` | an alert has no empty labels, so none is as expected |

use std::collections::HashSet;

use promql_model::FormatDuration;
use promql_storage::fixture::LoadedSeries;

use super::orders::test_name;
use super::{AlertTest, ExpectedSample, Outcome, TestGroup, UnitTestFile};
use crate::evaluate::Evaluation;
use crate::finding::Finding;
use crate::rule_file::RuleKind;
use crate::yaml::Text;

/// A test that was run.
pub(super) struct Context<'a> {
    pub(super) file: &'a UnitTestFile,
    pub(super) test: &'a TestGroup,
    pub(super) evaluation: &'a Evaluation,
    pub(super) series: &'a [LoadedSeries],
    /// The time of the last evaluation, in milliseconds since the epoch.
    pub(super) last_cycle: i64,
}

/// Everything that can't be meant in a test, but for what it takes another run to see.
pub(super) fn find(context: &Context<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    unknown_alerts(context, &mut found);
    unknown_groups(context, &mut found);
    between_evaluations(context, &mut found);
    samples_not_loaded(context, &mut found);
    never_equal(context, &mut found);
    empty_labels(context, &mut found);
    found
}

/// Whether it is worth to look whether a test passes without its input.
pub(super) fn may_pass_without_input(test: &TestGroup, outcome: &Outcome) -> bool {
    let has_tests = !test.alert_tests.is_empty() || !test.expression_tests.is_empty();
    has_tests && !test.input_series.is_empty() && outcome.is_passed()
}

/// That a test passes without its input.
pub(super) fn passes_without_input(file: &UnitTestFile, test: &TestGroup) -> Finding {
    let span = test_name(file, test);
    Finding::error(
        "unit-test::passes-without-input",
        span,
        "this test also passes without any of its input series",
        "so it doesn't test what becomes of them",
        "add a test that expects a sample or an alert; check the names and labels of the series",
    )
    .warning()
}

/// The name that is most like one that isn't there.
fn similar<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let alike = names.map(|known| (strsim::jaro_winkler(name, known), known));
    let best = alike.max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(a.1)));
    best.filter(|(alike, _)| *alike > 0.8).map(|(_, known)| known)
}

fn unknown_alerts(context: &Context<'_>, found: &mut Vec<Finding>) {
    let alerts = context.evaluation.rules().filter(|rule| rule.kind == RuleKind::Alerting);
    let names: HashSet<&str> = alerts.map(|rule| rule.name.as_str()).collect();
    let mut told = HashSet::new();
    let is_unknown = |test: &&AlertTest| !names.contains(test.alertname.value.as_str());
    for test in context.test.alert_tests.iter().filter(is_unknown) {
        let name = &test.alertname;
        if !told.insert(&name.value) {
            continue;
        }
        let help = match similar(&name.value, names.iter().copied()) {
            Some(known) => format!("did you mean `{known}`?"),
            None if names.is_empty() => "the rule files of this test have no alerts".to_owned(),
            None => "check the name, and whether its rule file is in `rule_files`".to_owned(),
        };
        let finding = Finding::error(
            "unit-test::unknown-alert",
            name.span.clone(),
            format!("no rule is an alert `{}`", name.value),
            "so it never fires",
            help,
        );
        found.push(finding.warning());
    }
}

fn unknown_groups(context: &Context<'_>, found: &mut Vec<Finding>) {
    let groups: HashSet<&str> = context.evaluation.groups().collect();
    for name in &context.file.group_eval_order {
        if groups.contains(name.value.as_str()) {
            continue;
        }
        let help = match similar(&name.value, groups.iter().copied()) {
            Some(known) => format!("did you mean `{known}`?"),
            None => "remove it, or add its rule file to `rule_files`".to_owned(),
        };
        let finding = Finding::error(
            "unit-test::unknown-group",
            name.span.clone(),
            format!("no group is called `{}`", name.value),
            "nothing is put into order by this",
            help,
        );
        found.push(finding.warning());
    }
}

fn between_evaluations(context: &Context<'_>, found: &mut Vec<Finding>) {
    let interval = context.file.evaluation_interval;
    for test in &context.test.alert_tests {
        let late = test.eval_time.value.rem_euclid(interval);
        if late == 0 {
            continue;
        }
        let before = FormatDuration((test.eval_time.value - late) * 1_000_000);
        let finding = Finding::error(
            "unit-test::between-evaluations",
            test.eval_time.span(),
            "no rule is evaluated at this time",
            format!("the alert is seen as it was at {before}"),
            format!(
                "rules are evaluated each {}; test a multiple of it, or set `evaluation_interval`",
                FormatDuration(interval * 1_000_000)
            ),
        );
        found.push(finding.warning());
    }
}

fn samples_not_loaded(context: &Context<'_>, found: &mut Vec<Finding>) {
    let times = context
        .test
        .expression_tests
        .iter()
        .map(|test| (context.test.start.saturating_add(test.eval_time.value), test));
    for (time, test) in times.filter(|(time, _)| *time > context.last_cycle) {
        let is_missed = |series: &&LoadedSeries| {
            let columns = &series.columns;
            let all = columns.timestamps.iter().chain(&columns.histogram_timestamps);
            all.into_iter().any(|at| context.last_cycle < *at && *at <= time)
        };
        if !context.series.iter().any(|series| is_missed(&series)) {
            continue;
        }
        let last = context.last_cycle.saturating_sub(context.test.start);
        let finding = Finding::error(
            "unit-test::samples-not-loaded",
            test.eval_time.span(),
            "not all samples up to this time are loaded",
            format!(
                "the last ones that are there are those at {}",
                FormatDuration(last * 1_000_000)
            ),
            format!(
                "samples are loaded when rules are evaluated, each {}; test at a multiple of it, or \
                 set `evaluation_interval`",
                FormatDuration(context.file.evaluation_interval * 1_000_000)
            ),
        );
        found.push(finding.warning());
    }
}

fn never_equal(context: &Context<'_>, found: &mut Vec<Finding>) {
    let samples = context.test.expression_tests.iter().flat_map(|test| &test.expected);
    let is_never = |sample: &&ExpectedSample| {
        let is_nan = sample.value.value.is_nan() && sample.histogram.is_none();
        is_nan && sample.tolerance.nan_equal != Some(true)
    };
    for sample in samples.filter(is_never) {
        let finding = Finding::error(
            "unit-test::never-equal",
            sample.value.span(),
            "NaN equals nothing, not even NaN",
            "so no result is as expected",
            "test that the value isn't equal to itself, `x != x`; or say `nan_equal: true`, which \
             promtool doesn't know",
        );
        found.push(finding.warning());
    }
}

fn empty_labels(context: &Context<'_>, found: &mut Vec<Finding>) {
    let alerts = context.test.alert_tests.iter().flat_map(|test| &test.expected);
    let is_empty = |(_, value): &&(Text, Text)| value.is_empty();
    for (name, _) in alerts.flat_map(|alert| alert.labels.iter().filter(is_empty)) {
        let finding = Finding::error(
            "unit-test::empty-label",
            name.span.clone(),
            "an alert has no empty labels",
            "so no alert is as expected",
            "remove it: that a label isn't there is tested by not naming it",
        );
        found.push(finding.warning());
    }
}
