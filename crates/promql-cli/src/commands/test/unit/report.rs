//! Failures of unit tests, for people.

use std::collections::BTreeMap;

use promql_model::{Labels, quote};
use promql_rules::rule_file::{Rule, RuleFile};
use promql_rules::unit_test::{
    AlertRow, AlertTest, AlertVerdict, Explanation, ExpressionTest, ExpressionVerdict,
    GroupFailure, TestGroup,
};
use promql_rules::{Finding, Located};

use super::super::report::{FAILED, PASSED, UPDATED};
use super::super::table::{INDENT, Look, pair, rows};
use super::{TestState, UnitRun, alert_diff, explain, line_of, test_line};
use crate::console::Console;
use crate::render::grid::{self, push_styled};
use crate::render::labels;
use crate::time::range;
use crate::{report as diagnostics, visible};

/// What is told about a file.
pub(in super::super) struct Told {
    /// For standard output.
    pub(in super::super) text: String,
    /// Diagnostics for standard error.
    pub(in super::super) remarks: String,
}

/// What more is told.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct More {
    pub(in super::super) verbose: bool,
    pub(in super::super) diff: bool,
}

/// Tells about the tests of a file.
pub(in super::super) fn tell(run: &UnitRun, look: &Look, more: More, console: &Console) -> Told {
    let mut teller =
        Teller { run, look, more, console, out: String::new(), remarks: String::new() };
    for located in run.located_warnings() {
        teller.remark(&located);
    }
    for fault in &run.faults {
        fault.located().iter().for_each(|located| teller.remark(located));
    }
    for number in 0..run.file.tests.len() {
        teller.test(number);
    }
    Told { text: teller.out, remarks: teller.remarks }
}

struct Teller<'a> {
    run: &'a UnitRun,
    look: &'a Look,
    more: More,
    console: &'a Console,
    out: String,
    remarks: String,
}

impl Teller<'_> {
    fn remark(&mut self, located: &Located) {
        self.remarks.push_str(&diagnostics::draw(located, self.console));
    }

    fn finding(&mut self, finding: &Finding) {
        let located = finding.located(&self.run.file.name, &self.run.file.text);
        self.remark(&located);
    }

    fn test(&mut self, number: usize) {
        let test = &self.run.file.tests[number];
        if !self.run.faults.is_empty() && self.run.chosen[number] {
            self.head(false, test_line(&self.run.file, test), number, "");
            self.text("its rule files can't be used");
            self.out.push('\n');
            return;
        }
        let Some(outcome) = &self.run.outcomes[number] else { return };
        if self.more.verbose && self.run.state(number) == TestState::Passed {
            self.head(true, test_line(&self.run.file, test), number, "");
        }
        for failure in &outcome.failures {
            self.group_failure(number, test, failure);
        }
        let mut alerts: Vec<usize> = (0..test.alert_tests.len()).collect();
        alerts.sort_by_key(|at| test.alert_tests[*at].eval_time.value);
        for at in alerts {
            if let Some(AlertVerdict::Failed(rows)) = &outcome.alerts[at] {
                self.alert(number, at, &test.alert_tests[at], rows);
            }
        }
        let expressions = test.expression_tests.iter().zip(&outcome.expressions).enumerate();
        for (at, (expression, verdict)) in expressions {
            match verdict {
                None | Some(ExpressionVerdict::Passed) => {}
                Some(verdict) => self.expression(number, at, expression, verdict),
            }
        }
    }

    /// `FAIL tests.yml:12: name: alert Down at 5m`
    fn head(&mut self, passed: bool, line: usize, number: usize, what: &str) {
        let (word, style) = match passed {
            true => ("ok", PASSED),
            false if self.run.is_updated(number) => ("UPDATED", UPDATED),
            false => ("FAIL", FAILED),
        };
        push_styled(&mut self.out, word, style, self.look.color);
        self.out.push(' ');
        let place = format!("{}:{line}:", visible::escape(&self.run.file.name));
        push_styled(&mut self.out, &place, grid::BOLD, self.look.color);
        let test = &self.run.file.tests[number];
        let name = test.shown_name(number);
        self.out.push_str(&format!(" {}", visible::escape(&name)));
        if !what.is_empty() {
            self.out.push_str(&format!(": {what}"));
        }
        self.out.push('\n');
    }

    fn text(&mut self, text: &str) {
        self.out.push_str(&format!("{INDENT}{text}\n"));
    }

    fn dim(&mut self, text: &str) {
        let width = self.look.width.map_or(visible::LONGEST_VALUE, |width| width.max(20) - 2);
        self.out.push_str(INDENT);
        push_styled(&mut self.out, &visible::clip(text, width), grid::DIM, self.look.color);
        self.out.push('\n');
    }

    /// `rules.yml:7: up == 0`
    fn rule(&mut self, file: &RuleFile, rule: &Rule) {
        let line = line_of(&file.text, rule.expr.span.start);
        let expr = one_line(&rule.expr.value);
        self.dim(&format!(
            "rule {}:{line}  {}",
            visible::escape(&file.name),
            visible::escape(&expr)
        ));
    }

    fn group_failure(&mut self, number: usize, test: &TestGroup, failure: &GroupFailure) {
        let line = test_line(&self.run.file, test);
        match failure {
            GroupFailure::Finding(finding) => {
                self.head(false, line, number, &visible::escape(&finding.message));
                self.finding(finding);
            }
            GroupFailure::Rule { file, group, rule, time, message } => {
                let file = self.run.rules.get(*file).map(std::sync::Arc::clone);
                let Some(file) = &file else { return };
                let Some(rule) = file.file.groups.get(*group).and_then(|g| g.rules.get(*rule))
                else {
                    return;
                };
                let at = range::written(*time);
                let name = visible::escape(&rule.name.value).into_owned();
                self.head(false, line, number, &format!("rule {name} failed at {at}"));
                self.rule(&file.file, rule);
                self.text(&visible::escape(message));
            }
            GroupFailure::Sample { labels, span, time, message } => {
                let line = line_of(&self.run.file.text, span.start);
                let series = visible::value(&labels::selector(labels));
                let at = range::written(*time);
                self.head(false, line, number, &format!("no sample for {series} at {at}"));
                self.text(&visible::escape(message));
                self.text("a rule writes this series, too");
            }
        }
        self.out.push('\n');
    }

    fn alert(&mut self, number: usize, place: usize, alert: &AlertTest, rows: &[AlertRow]) {
        let line = line_of(&self.run.file.text, alert.span.start);
        let name = &alert.alertname.value;
        let at = range::written(alert.eval_time.value);
        self.head(false, line, number, &format!("alert {} at {at}", visible::escape(name)));
        let rules: Vec<_> = self.run.rules.iter().map(std::sync::Arc::clone).collect();
        for file in &rules {
            let all = file.file.groups.iter().flat_map(|group| &group.rules);
            for rule in all.filter(|rule| is_alert(rule, name)) {
                self.rule(&file.file, rule);
            }
        }
        let same: usize = rows.iter().filter(|row| row.is_same()).count();
        for row in rows.iter().filter(|row| !row.is_same()) {
            match self.more.diff {
                true => self.out.push_str(&alert_diff::diff(row, self.look)),
                false => self.alert_row(row),
            }
        }
        if same > 0 {
            let plural = if same == 1 { "" } else { "s" };
            self.dim(&format!("({same} more alert{plural} as expected)"));
        }
        let explanations = self.run.explanations.get(number).and_then(Option::as_ref);
        if let Some(Some(explanation)) = explanations.and_then(|e| e.alerts.get(place)) {
            self.explanation(explanation, number, alert.eval_time.value);
        }
        self.out.push('\n');
    }

    fn alert_row(&mut self, row: &AlertRow) {
        let shown = |labels: &BTreeMap<String, String>| {
            visible::value(&Labels::from_pairs(labels).to_string())
        };
        let mark = |mark: &'static str, ascii: &'static str| {
            if self.look.unicode { mark } else { ascii }
        };
        let (sign, text) = match (&row.expected, &row.got) {
            (Some(expected), Some(_)) => (mark("≠", "!"), shown(&expected.0)),
            (Some(expected), None) => ("-", format!("{} doesn't fire", shown(&expected.0))),
            (None, Some(got)) => ("+", format!("{} fires, and isn't expected to", shown(&got.0))),
            (None, None) => return,
        };
        self.out.push_str(INDENT);
        push_styled(&mut self.out, sign, FAILED, self.look.color);
        self.out.push_str(&format!(" {text}\n"));
        let none = BTreeMap::new();
        match (&row.expected, &row.got) {
            (Some(expected), Some(got)) => {
                self.differences("label", &expected.0, &got.0);
                self.differences("annotation", &expected.1, &got.1);
            }
            (_, Some(got)) => self.differences("annotation", &none, &got.1),
            _ => {}
        }
    }

    fn differences(
        &mut self,
        kind: &str,
        expected: &BTreeMap<String, String>,
        got: &BTreeMap<String, String>,
    ) {
        let names: std::collections::BTreeSet<&String> =
            expected.keys().chain(got.keys()).collect();
        for name in names {
            let (wanted, came) = (expected.get(name), got.get(name));
            if wanted == came {
                continue;
            }
            let text = |value: Option<&String>| {
                value.map_or_else(|| "nothing".to_owned(), |value| quote(value.as_bytes()))
            };
            self.out.push_str(&format!("{INDENT}{INDENT}{kind} {}\n", visible::escape(name)));
            let (wanted, came) = (text(wanted), text(came));
            let texts = pair(("expected", &wanted), ("got", &came), "      ", self.look);
            self.out.push_str(&texts);
        }
    }

    fn expression(
        &mut self,
        number: usize,
        place: usize,
        expression: &ExpressionTest,
        verdict: &ExpressionVerdict,
    ) {
        let line = line_of(&self.run.file.text, expression.expr.span.start);
        let text = one_line(&expression.expr.value);
        let at = range::written(expression.eval_time.value);
        self.head(false, line, number, &format!("{} at {at}", visible::escape(&text)));
        match verdict {
            ExpressionVerdict::Passed => {}
            ExpressionVerdict::Failed(all) if self.more.diff => {
                self.out.push_str(&explain::diff(all, self.look));
            }
            ExpressionVerdict::Failed(all) => self.out.push_str(&rows(all, self.look)),
            ExpressionVerdict::Broken { message, findings } => {
                self.text(&visible::escape_lines(message));
                findings.iter().for_each(|finding| self.finding(finding));
            }
        }
        let explanations = self.run.explanations.get(number).and_then(Option::as_ref);
        match explanations.and_then(|e| e.expressions.get(place)) {
            Some(Some(explanation)) => {
                self.explanation(explanation, number, expression.eval_time.value);
            }
            _ => self.recorded(&expression.expr.value),
        }
        self.out.push('\n');
    }

    /// The rules that write what an expression reads.
    fn recorded(&mut self, expression: &str) {
        let files: Vec<_> = self.run.rules.iter().map(std::sync::Arc::clone).collect();
        for file in &files {
            for rule in file.file.groups.iter().flat_map(|group| &group.rules) {
                let is_recording = rule.kind == promql_rules::rule_file::RuleKind::Recording;
                if is_recording && is_word_in(&rule.name.value, expression) {
                    self.rule(&file.file, rule);
                }
            }
        }
    }

    /// What the parts gave: of the expression that is tested, and of the rules that it depends on.
    fn explanation(&mut self, explanation: &Explanation, number: usize, eval_time: i64) {
        let start = self.run.file.tests[number].start;
        if let Some((query, parts)) = &explanation.expression {
            self.text(&format!("parts of the expression at {}:", range::written(eval_time)));
            self.out.push_str(&explain::parts(query, parts, start));
        }
        for explained in &explanation.rules {
            let Some(file) = self.run.rules.get(explained.file).map(std::sync::Arc::clone) else {
                continue;
            };
            let prepared = &explained.rule;
            let group = file.file.groups.get(prepared.group);
            let Some(rule) = group.and_then(|group| group.rules.get(prepared.rule)) else {
                continue;
            };
            let line = line_of(&file.file.text, rule.expr.span.start);
            let is_alert = rule.kind == promql_rules::rule_file::RuleKind::Alerting;
            let what = format!(
                "{} {} ({}:{line})",
                if is_alert { "alert" } else { "rule" },
                visible::escape(&prepared.name),
                visible::escape(&file.file.name)
            );
            let at = range::written(explained.time - start);
            self.text(&format!("parts of {what} at {at}:"));
            self.out.push_str(&explain::parts(&prepared.query, &explained.parts, start));
            if !is_alert {
                continue;
            }
            let waits = [("for", rule.for_duration), ("keep_firing_for", rule.keep_firing_for)];
            let waits: String = waits
                .iter()
                .filter_map(|(name, wait)| Some((name, wait.as_ref()?.value)))
                .map(|(name, wait)| format!(", {name}: {}", range::written(wait / 1_000_000)))
                .collect();
            self.text(&format!("states of alert {} up to {at}{waits}:", prepared.name));
            self.out.push_str(&explain::history(&explained.history, start));
        }
    }
}

fn is_alert(rule: &Rule, name: &str) -> bool {
    rule.kind == promql_rules::rule_file::RuleKind::Alerting && rule.name.value == name
}

/// Whether a metric stands in an expression as a word of its own.
fn is_word_in(name: &str, text: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':');
    text.match_indices(name).any(|(at, _)| {
        !text[..at].ends_with(is_name) && !text[at + name.len()..].starts_with(is_name)
    })
}

/// A text on one line.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
