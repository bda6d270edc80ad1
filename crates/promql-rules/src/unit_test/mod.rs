//! Unit-test files: series, rules over them, and what must come out.
//!
//! ```text
//!  text ──yaml──► UnitTestFile ──┐
//!                                ├──run──► Outcome: verdicts, failures, warnings
//!  rule files ──► PreparedFile ──┘
//! ```
//!
//! The format is promtool's, and so are the verdicts: what its `test rules` passes passes here, and
//! what it fails fails. Beyond that each thing knows its place in its file, and what promtool lets
//! pass in silence although it can't be meant is a warning.
//!
//! | file | holds |
//! |---|---|
//! | `read.rs` | from YAML to tests |
//! | `run.rs` | the simulated time: series, cycles, tests |
//! | `orders.rs` | the order of groups, and whether it matters |
//! | `outcome.rs` | what comes of a test |
//! | `verdict.rs` | the verdicts on tests of alerts and expressions |
//! | `compare.rs` | what came against what was expected |
//! | `tolerance.rs` | how far floats may be from what is expected |
//! | `explain.rs` | where failures come from |
//! | `traps.rs` | what can't be meant |
//! | `template_failures.rs` | templates that can't be expanded |
//! | `promtool.rs` | failures in the words of promtool |
//! | `update.rs` | what came, written into the file as what is expected |
//!
//! ```
//! use promql_rules::evaluate::PreparedFile;
//! use promql_rules::unit_test::{RunOptions, UnitTestFile, run};
//!
//! let rules = "groups: [{name: g, rules: [{record: twice, expr: m * 2}]}]";
//! let Ok(rules) = PreparedFile::load("rules.yml", rules.as_bytes(), &Default::default()) else {
//!     panic!("the rules are fine");
//! };
//! let tests = "
//! tests:
//!   - input_series:
//!       - {series: m, values: 1 2 3}
//!     promql_expr_test:
//!       - {expr: twice, eval_time: 2m, exp_samples: [{labels: twice, value: 6}]}
//! ";
//! let file = UnitTestFile::read("tests.yml", tests.as_bytes()).file.unwrap();
//! let outcome = run(&file, 0, &[rules.into()], &RunOptions::default());
//! assert!(outcome.is_passed());
//! ```

mod compare;
mod explain;
mod orders;
mod outcome;
mod promtool;
mod read;
mod run;
mod template_failures;
mod tolerance;
mod traps;
mod update;
mod verdict;

use std::ops::Range;
use std::sync::Arc;

pub use compare::{AlertRow, AlertTexts, WantedSample, compare_alerts, compare_samples};
pub use explain::{ExplainedRule, Explanation, Explanations, explain};
pub use outcome::{AlertVerdict, ExpressionVerdict, GroupFailure, Outcome, Stage};
pub use promtool::{failure_text, rule_error_text};
pub use read::ReadFile;
pub use run::{RunOptions, run};
pub use tolerance::Tolerance;

pub use update::{Update, update};

use crate::yaml::{Spanned, Text};

/// A unit-test file.
#[derive(Clone, Debug)]
pub struct UnitTestFile {
    /// What it is called in diagnostics, usually its path.
    pub name: String,
    /// What is in it. All spans are bytes of this.
    pub text: Arc<str>,
    /// The patterns of the rule files, as they are written.
    pub rule_files: Vec<Text>,
    /// What lies between two evaluations, in milliseconds.
    pub evaluation_interval: i64,
    /// The groups that are to be evaluated first, in this order.
    pub group_eval_order: Vec<Text>,
    /// Whether floats next to each other are the same.
    pub fuzzy_compare: bool,
    /// The tests.
    pub tests: Vec<TestGroup>,
}

/// A test: series, and what rules and expressions make of them.
#[derive(Clone, Debug)]
pub struct TestGroup {
    /// Its name, if it has one.
    pub name: Option<Text>,
    /// All of it.
    pub span: Range<usize>,
    /// What lies between two samples, in milliseconds.
    pub interval: i64,
    /// The time of the first sample, in milliseconds since the epoch.
    pub start: i64,
    /// The series.
    pub input_series: Vec<InputSeries>,
    /// What must fire.
    pub alert_tests: Vec<AlertTest>,
    /// What expressions must give.
    pub expression_tests: Vec<ExpressionTest>,
    /// `$externalLabels` of templates.
    pub external_labels: Vec<(Text, Text)>,
    /// `$externalURL` of templates.
    pub external_url: String,
}

/// An input series.
#[derive(Clone, Debug)]
pub struct InputSeries {
    /// All of it.
    pub span: Range<usize>,
    /// The metric.
    pub series: Text,
    /// Its values.
    pub values: Text,
}

/// What must fire at a time.
#[derive(Clone, Debug)]
pub struct AlertTest {
    /// All of it.
    pub span: Range<usize>,
    /// Milliseconds since the start.
    pub eval_time: Spanned<i64>,
    /// The alert; empty if that was forgotten, which fails the test.
    pub alertname: Text,
    /// The alerts that must fire.
    pub expected: Vec<ExpectedAlert>,
    /// Where those are written, if they are.
    pub expected_span: Option<Range<usize>>,
}

/// An alert that must fire.
#[derive(Clone, Debug)]
pub struct ExpectedAlert {
    /// All of it.
    pub span: Range<usize>,
    /// Its labels.
    pub labels: Vec<(Text, Text)>,
    /// Its annotations.
    pub annotations: Vec<(Text, Text)>,
}

/// What an expression must give at a time.
#[derive(Clone, Debug)]
pub struct ExpressionTest {
    /// All of it.
    pub span: Range<usize>,
    /// The expression.
    pub expr: Text,
    /// Milliseconds since the start.
    pub eval_time: Spanned<i64>,
    /// The samples that must come.
    pub expected: Vec<ExpectedSample>,
    /// Where those are written, if they are.
    pub expected_span: Option<Range<usize>>,
}

/// A sample that must come.
#[derive(Clone, Debug)]
pub struct ExpectedSample {
    /// All of it.
    pub span: Range<usize>,
    /// The metric.
    pub labels: Text,
    /// The value, if it is a float.
    pub value: Spanned<f64>,
    /// The value if it is a native histogram.
    pub histogram: Option<Text>,
    /// How far a float may be from it, with all that is said about that farther out.
    pub tolerance: Tolerance,
}

impl TestGroup {
    /// What the test is called: its name, or `unnamed#` with its number from 0.
    pub fn shown_name(&self, number: usize) -> String {
        match &self.name {
            Some(name) if !name.is_empty() => name.value.clone(),
            _ => format!("unnamed#{number}"),
        }
    }

    /// The name as patterns are matched against; empty if there is none.
    pub fn plain_name(&self) -> &str {
        self.name.as_ref().map_or("", |name| &name.value)
    }

    /// The latest time that something is tested at, in milliseconds since the start.
    pub fn last_time(&self) -> i64 {
        let alerts = self.alert_tests.iter().map(|test| test.eval_time.value);
        let expressions = self.expression_tests.iter().map(|test| test.eval_time.value);
        alerts.chain(expressions).max().unwrap_or(0)
    }
}
