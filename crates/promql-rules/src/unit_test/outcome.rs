//! What comes of a test.

use promql_model::Labels;

use super::{AlertRow, AlertTest, ExpressionTest};
use crate::coverage::TestCoverage;
use crate::evaluate::SeriesStore;
use crate::finding::Finding;
use crate::script::Row;

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
    /// Templates of the rules that could not be expanded. Each with the file of the rule, as a
    /// position among those that the test was run with.
    pub rule_warnings: Vec<(usize, Finding)>,
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

impl Outcome {
    /// Of a test that hasn't begun.
    pub(super) fn new(alerts: &[AlertTest], expressions: &[ExpressionTest]) -> Outcome {
        Outcome {
            stage: Stage::Prepared,
            failures: Vec::new(),
            alerts: alerts.iter().map(|_| None).collect(),
            expressions: expressions.iter().map(|_| None).collect(),
            warnings: Vec::new(),
            rule_warnings: Vec::new(),
            store: None,
            coverage: None,
        }
    }
}
