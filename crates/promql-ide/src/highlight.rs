//! The role of each token.

use std::ops::Range;

use crate::lex::tokens;
use crate::walk::{Role, Walk};

/// A part of a text and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Highlight {
    /// The part, in bytes.
    pub span: Range<usize>,
    /// What it is.
    pub role: Role,
}

/// The tokens of a text, each with its role, in order. Blanks are in none.
///
/// ```
/// use promql_ide::{Role, highlight};
/// let roles: Vec<Role> = highlight("-up").into_iter().map(|part| part.role).collect();
/// assert_eq!(roles, [Role::Operator, Role::Metric]);
/// ```
pub fn highlight(text: &str) -> Vec<Highlight> {
    let tokens = tokens(text);
    let mut walk = Walk::new(text);
    let role =
        |at: usize| Highlight { span: tokens[at].span.clone(), role: walk.step(&tokens, at) };
    (0..tokens.len()).map(role).collect()
}
