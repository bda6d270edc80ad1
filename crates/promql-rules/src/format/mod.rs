//! Expressions inside of other files, formatted where they stand.
//!
//! A rule file is written by people, with comments, anchors and their own ways of quoting, so it is not
//! written anew: only the scalars that hold expressions are replaced, in the style that they have, and
//! every other byte stays. What an expression means doesn't change, and formatting again changes
//! nothing.
//!
//! | file | holds |
//! |---|---|
//! | `rules.rs` | expressions of rule files, manifests and mixins |
//! | `scalar.rs` | another text for a scalar, in its style if that is possible |
//! | `dashboard.rs` | expressions of Grafana dashboards |
//! | `variables.rs` | Grafana's variables, which are not PromQL |
//!
//! ```
//! use promql_rules::format::format_rules;
//!
//! let text = "groups:\n- name: a\n  rules:\n  - record: b  # the sum\n    expr: sum(c)by(d)\n";
//! let formatted = format_rules(text, &Default::default()).unwrap();
//! assert_eq!(formatted.text, text.replace("sum(c)by(d)", "sum by (d) (c)"));
//! ```

mod dashboard;
mod rules;
mod scalar;
mod variables;

pub use dashboard::{format_dashboard, is_dashboard};
pub use rules::format_rules;
pub use variables::{DashboardVariable, UNKNOWN, dashboard_variables, with_stand_ins};

use std::ops::Range;

use crate::finding::Finding;

/// A file whose expressions were formatted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Formatted {
    /// The whole file.
    pub text: String,
    /// How many expressions there are.
    pub expressions: usize,
    /// How many of them are written differently now.
    pub changed: usize,
    /// The expressions that are left as they are because something is wrong with them (errors), or
    /// because they can't be read (remarks). Places are those of the file as it was.
    pub left: Vec<Finding>,
}

/// Puts other texts in place of parts of a text. The parts don't overlap.
fn apply(text: &str, mut edits: Vec<(Range<usize>, String)>) -> String {
    edits.sort_by_key(|(range, _)| range.start);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (range, new) in edits {
        out.push_str(&text[at..range.start]);
        out.push_str(&new);
        at = range.end;
    }
    out.push_str(&text[at..]);
    out
}
