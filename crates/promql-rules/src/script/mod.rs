//! Test scripts: series, queries over them, and what these must give.
//!
//! ```text
//! load 30s
//!   http_requests_total{job="api"} 0+10x10
//!
//! eval instant at 5m rate(http_requests_total[1m])
//!   {job="api"} 0.3333333333333333
//! ```
//!
//! The language is upstream's, in which the acceptance tests of PromQL itself are written, with the
//! old spellings and the new `expect` lines; a script passes here if it passes there. What
//! differs is what happens when something is wrong. A [`Script`] is parsed as a whole, and all its
//! errors are told together, each with its place. All its evals are run, not just those before the
//! first failure, and a failing one gives the whole [difference](Failure), sample by sample, which
//! can be shown side by side or [written back](Script::update) into the script.
//!
//! ```text
//!  text ──parse──► Script ──run──► Verdict of each eval
//!                    │                   │
//!                    └──────update───────┴──► text with the new expectations
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `parse.rs`, `head.rs` | commands, and what stands on the line of an `eval` |
//! | `expect.rs` | the lines below it |
//! | `run.rs`, `attempt.rs` | the ways in which a query is run |
//! | `compare.rs`, `annotations.rs`, `equality.rs` | results, remarks and numbers against what was expected |
//! | `message.rs` | failures in upstream's words |
//! | `update.rs` | new expectations for failing evals |
//! | `origin.rs` | the lines that the series of a query were loaded by |

mod annotations;
mod attempt;
mod compare;
mod equality;
mod expect;
mod head;
mod message;
mod origin;
mod parse;
mod run;
mod update;

use std::collections::BTreeMap;
use std::ops::Range;

use promql_model::Labels;
use promql_storage::{MemoryStorage, Problem};
use promql_syntax::Query;

pub use attempt::Attempt;
pub use compare::{Row, RowVerdict};
pub use expect::{Expectation, Expectations, ExpectedSeries, LineKind, Pattern, RangeVector};
pub use head::{EvalTime, Suffix};
pub use origin::Origin;
pub use run::{Failure, Mismatch, RunOptions, Verdict};
pub use update::{Change, Update};

/// A test script that can be run.
#[derive(Clone, Debug)]
pub struct Script {
    name: String,
    text: String,
    evals: Vec<Eval>,
    stages: Vec<Stage>,
    warnings: Vec<Problem>,
}

/// The series that some evals find.
#[derive(Clone, Debug)]
struct Stage {
    storage: MemoryStorage,
    /// The places of the lines that each series was loaded by.
    places: BTreeMap<Labels, Vec<Range<usize>>>,
}

/// One query of a script with what it must give.
#[derive(Clone, Debug)]
pub struct Eval {
    /// The line of the command, from 1.
    pub line: usize,
    /// The command without the blanks around it, in bytes of the script.
    pub place: Range<usize>,
    /// The query as it was written.
    pub expression: String,
    /// When the query is evaluated.
    pub time: EvalTime,
    /// The word behind `eval_`.
    pub suffix: Option<Suffix>,
    /// What must come of it.
    pub expectations: Expectations,
    query: Query,
    /// The position of its series among the stages.
    stage: usize,
}

impl Script {
    /// What the script is called in diagnostics, usually the path of its file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The script as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// All evals in the order of the script.
    pub fn evals(&self) -> &[Eval] {
        &self.evals
    }

    /// What is odd in the script.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// The number of the line, from 1, with a byte of the script.
    fn line_number(&self, at: usize) -> usize {
        let before = &self.text.as_bytes()[..at.min(self.text.len())];
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    }
}
