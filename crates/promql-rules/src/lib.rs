//! What is written down about queries and can be checked: rule files, in [`rule_file`], and the test
//! scripts of the `.test` format, in [`script`]. Files in YAML are read by [`yaml`], which knows the
//! place of everything in them.
//!
//! ```
//! use promql_rules::script::{RunOptions, Script, Verdict};
//!
//! let text = b"
//! load 30s
//!   up{job=\"api\"} 1 1 0
//!
//! eval instant at 1m sum(up)
//!   {} 1
//! ";
//! let script = Script::parse("up.test", text)?;
//! let eval = &script.evals()[0];
//! let Verdict::Failed(failure) = script.run(eval, &RunOptions::default()) else { panic!("passed") };
//! assert_eq!(failure.message, "error in eval sum(up) (line 5): expected 1 for {} but got 0");
//! # Ok::<(), promql_storage::Problems>(())
//! ```
//!
//! Invariant: nothing here prints, reads a file or writes one. Outcomes are values; how they look is
//! the matter of whoever shows them.

pub mod coverage;
pub mod dependencies;
pub mod evaluate;
mod file_kind;
pub mod format;
pub mod rule_file;
pub mod script;
mod server_config;
pub mod template;
pub mod unit_test;

pub use file_kind::{FileKind, file_kind};
pub use promql_yaml as yaml;
pub use promql_yaml::{Finding, Located};
pub use server_config::{Job, ServerConfig};

use promql_yaml::finding;
