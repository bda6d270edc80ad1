//! The report for servers that run tests: JUnit's XML, in the form of promtool.
//!
//! Each file is a suite. A case is a test of a unit-test file, or an eval of a script; what was not
//! chosen is left out.

use std::fmt::Write;

use jiff::Zoned;
use promql_rules::script::Verdict;

use super::run::{Outcome, State};
use super::unit::{TestState, UnitRun, promtool};

/// A case with what failed in it.
struct Case {
    name: String,
    failures: Vec<String>,
    error: Option<String>,
}

/// The report. `start` is when the tests began.
pub(super) fn render(outcomes: &[Outcome], start: &Zoned) -> String {
    let mut xml = String::from("<testsuites>");
    for outcome in outcomes {
        suite(&mut xml, outcome, start);
    }
    xml.push_str("</testsuites>");
    xml
}

fn suite(xml: &mut String, outcome: &Outcome, start: &Zoned) {
    let cases = match &outcome.state {
        State::NotRun => Vec::new(),
        State::Unreadable(unreadable) => {
            let texts: Vec<String> =
                unreadable.diagnostics().iter().map(|diagnostic| diagnostic.to_string()).collect();
            let error = Some(texts.join("\n"));
            vec![Case { name: "unknown".to_owned(), failures: Vec::new(), error }]
        }
        State::UnitTests(run) => unit_cases(run),
        State::Ran { script, .. } => outcome
            .verdicts()
            .map(|(eval, verdict)| Case {
                name: format!("line {}: {}", eval.line, &script.text()[eval.place.clone()]),
                failures: match verdict {
                    Verdict::Failed(failure) => vec![failure.message.clone()],
                    Verdict::Passed | Verdict::Cancelled => Vec::new(),
                },
                error: None,
            })
            .collect(),
    };
    let failures = cases.iter().filter(|case| !case.failures.is_empty()).count();
    let errors = cases.iter().filter(|case| case.error.is_some()).count();
    let tests = cases.len() - errors;
    let time = match errors {
        0 => start.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
        _ => String::new(),
    };
    let _ = write!(
        xml,
        "<testsuite name=\"{}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" \
         skipped=\"0\" timestamp=\"{time}\">",
        escape(&outcome.name)
    );
    for case in cases {
        let _ = write!(xml, "<testcase name=\"{}\">", escape(&case.name));
        for text in &case.failures {
            let _ = write!(xml, "<failure>{}</failure>", escape(text));
        }
        if let Some(text) = &case.error {
            let _ = write!(xml, "<error>{}</error>", escape(text));
        }
        xml.push_str("</testcase>");
    }
    xml.push_str("</testsuite>");
}

fn unit_cases(run: &UnitRun) -> Vec<Case> {
    let numbers = (0..run.file.tests.len()).filter(|number| run.chosen[*number]);
    let case = |number: usize| Case {
        name: run.file.tests[number].shown_name(number),
        failures: match run.state(number) {
            TestState::Failed => promtool::failures_of(run, number),
            TestState::Passed | TestState::NotRun => Vec::new(),
        },
        error: None,
    };
    numbers.map(case).collect()
}

/// What has a meaning in XML escaped, and what it can't hold replaced.
pub(in crate::commands) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&#34;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' => escaped.push_str("&#xA;"),
            '\r' => escaped.push_str("&#xD;"),
            '\t' => escaped.push_str("&#x9;"),
            c if c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
