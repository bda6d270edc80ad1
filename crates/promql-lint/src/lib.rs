//! What is wrong with alerting rules, recording rules and queries of dashboards, though they are valid.
//!
//! ```text
//!  texts ──read──► rule files ──┬─► checks of one expression, rule, group ──┐
//!                               └─► rule set ──► checks of all together ────┴─► findings
//!                                                        ▲
//!                                      settings, suppression comments
//! ```
//!
//! A [`Check`] is one file in `checks/`, which holds its documentation with examples, what it is called,
//! how bad its findings are, and the function that looks. The examples are its tests.
//!
//! | file | holds |
//! |---|---|
//! | `baseline.rs` | findings that are known |
//! | `check.rs` | what a check says about itself |
//! | `checks/` | the checks, and the table of all |
//! | `config.rs` | what a `promql.toml` says |
//! | `context/` | what a check sees |
//! | `dashboard.rs` | Grafana dashboards: their variables, and the expressions of their panels |
//! | `finding.rs` | what a check says |
//! | `fingerprint.rs` | what tells a finding from others |
//! | `fix.rs` | changes that checks propose, made |
//! | `glob.rs` | patterns for names and paths |
//! | `live/` | what a server knows about rules, and the door to it |
//! | `page.rs` | the documentation of a check as a page |
//! | `read.rs` | from what is wrong with a file to findings |
//! | `pattern.rs` | regular expressions, looked at as texts |
//! | `policy.rs` | what an organisation demands of its rules |
//! | `run.rs` | all checks over all files |
//! | `evidence.rs` | what checks that stand on the flow have in common |
//! | `examples.rs` | the examples of the documentation of checks |
//! | `memo.rs` | what was found out about a text before |
//! | `shape.rs` | what checks ask about the shape of an expression |
//! | `import/` | configurations of other linters |
//! | `known.rs` | what a configuration says of the world that rules live in |
//! | `settings.rs` | which checks look, and how bad what they find is |
//! | `suppress/` | comments that keep findings from being told |
//! | `templates.rs` | the templates of alerts, tried with made-up data |
//! | `timings.rs` | how long checks take |
//! | `template_reads.rs` | which labels a template reads, of the alert or of what a query gives |
//! | `flow/` | what is known of the result of an expression without any data |
//!
//! ```
//! use promql_lint::{Input, Settings, lint};
//!
//! let text = "
//! groups:
//!   - name: shop
//!     rules:
//!       - {record: 'job:up:sum', expr: 'sum by (job) (up{job=~\"shop\"})'}
//! ";
//! let outcome = lint(vec![Input::new("shop.yml", text)], &Settings::default());
//! let finding = &outcome.files[0].findings[0];
//! assert_eq!(finding.check.name, "regex-literal");
//! assert_eq!(&text[finding.span()], "job=~\"shop\"");
//! ```
//!
//! Invariant: nothing here prints, reads a file or asks a server by itself: whoever has one passes a
//! [`live::Server`]. Nothing is evaluated but by [`live::LocalServer`], which is one over series at hand.

mod baseline;
mod check;
mod checks;
mod config;
mod context;
mod dashboard;
mod evidence;
pub mod examples;
mod finding;
mod fingerprint;
mod fix;
pub mod flow;
mod glob;
mod import;
mod known;
pub mod live;
mod memo;
mod page;
mod pattern;
mod policy;
mod read;
mod run;
mod settings;
mod shape;
mod suppress;
mod template_reads;
mod templates;
mod timings;

pub use baseline::{Baseline, Compared};
pub use check::{Category, Check, Evidence, Fixes, Look, Severity};
pub use checks::{CHECKS, check};
pub use config::Config;
pub use context::{
    ExprContext, GroupContext, LintedFile, RuleContext, RuleRef, RuleSet, TargetContext,
};
pub use dashboard::{Dashboard, Source, Target, Variable};
pub use finding::{Edit, Finding, Fix, Label, Related, Report, Safety};
pub use fix::{Fixed, fix};
pub use glob::Pattern;
pub use import::import_pint;
pub use page::{all_pages, page};
pub use run::{FileOutcome, Input, Outcome, lint, lint_live};
pub use settings::Settings;
pub use suppress::{Day, silence};
pub use timings::{Part, Timings};
