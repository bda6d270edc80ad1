//! The formatter: upstream's pretty form, with the comments kept.
//!
//! Upstream's parser drops comments, so formatting there loses them. Here they are put back in four
//! steps, each of which is a file: every token of the source is traced to the part of the syntax it
//! belongs to ([`ownership`]); through that part it is matched with a token of the canonical form,
//! and each comment is tied to the token it stands behind or in front of ([`comments`]); whatever
//! has a comment inside is broken up, just as if it were too long; and the page on which the lines
//! are laid out writes the comments at their tokens ([`page`]).
//!
//! Tokens move when upstream's form orders them differently (matchers are sorted, `by` goes in front
//! of the parentheses); their comments go with them.

mod comments;
mod ownership;
mod page;

use crate::error::Errors;
use crate::pretty::{DEFAULT_WIDTH, deepest_indentation, lay_out, pretty_text};
use crate::printer::{Fidelity, Notes, print};
use crate::types::Features;

/// How to format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormatOptions {
    /// The longest node, in bytes of its canonical form and without indentation, that stays on one
    /// line. A node with a comment inside never does.
    pub width: usize,
    /// Which parts of the language are accepted.
    pub features: Features,
}

impl Default for FormatOptions {
    fn default() -> Self {
        FormatOptions { width: DEFAULT_WIDTH, features: Features::default() }
    }
}

/// Formats an expression as upstream does and keeps its comments.
///
/// The result has no line break at its end. It is read as the same expression, and formatting it
/// again changes nothing. Without comments it is upstream's pretty form ([`crate::Expr::pretty`]),
/// except where that would be read as something else, or not at all: `info(x, {})`, durations that
/// upstream rounds, and a few corners of offsets and infinities.
///
/// Comments on lines of their own stay in front of the token they preceded, others behind the
/// token they followed. Blank lines between comments are kept, one at a time. Bytes of a comment
/// that are not UTF-8 become U+FFFD.
///
/// # Errors
/// As those of [`crate::compile`]: upstream, too, formats nothing that it would not evaluate.
///
/// ```
/// let source = "sum(rate(http_requests_total[5m])) # all of them\n by(job)";
/// let formatted = promql_syntax::format(source, &Default::default()).unwrap();
/// assert_eq!(formatted, "sum by (job) (rate(http_requests_total[5m])) # all of them");
/// ```
pub fn format(source: impl AsRef<[u8]>, options: &FormatOptions) -> Result<String, Errors> {
    let source = source.as_ref();
    let expr = crate::parse(source, &options.features)?;
    crate::check(&expr)?;
    if expr.comments().is_empty() {
        let printed = print(&expr, expr.root(), Fidelity::Exact, Notes::Nodes);
        return Ok(pretty_text(&expr, &printed, options.width));
    }
    let printed = print(&expr, expr.root(), Fidelity::Exact, Notes::Tokens);
    let tokens = crate::lexer::tokenize(source);
    let owners = ownership::trace(&expr, &tokens.tokens);
    let placed = comments::place(&expr, &tokens, owners.as_ref(), &printed);
    let broken = |id: crate::ast::NodeId| {
        let range = printed.nodes[id.index()].clone();
        range.len() > options.width || placed.any_inside(&printed, range)
    };
    let deepest = deepest_indentation(&expr, &printed, broken);
    let mut page = page::CommentedPage::new(&printed, &placed, deepest);
    lay_out(&expr, &printed, broken, &mut page);
    Ok(page.finish())
}
