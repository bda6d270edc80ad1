//! What is written down about queries and can be checked: for now the test scripts of the `.test`
//! format, in [`script`].
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

mod finding;
pub mod rule_file;
pub mod script;
pub mod template;
pub mod yaml;

pub use finding::{Finding, Located};
