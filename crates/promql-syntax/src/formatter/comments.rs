//! Ties every comment to a token of the canonical form.
//!
//! A comment on a line of its own belongs to the token behind it, any other to the token in front
//! of it. Commas are looked through, so that a comment behind `job="api",` belongs to that matcher
//! wherever the matcher goes. A comment at the edge of a node stays at the edge of that node, even
//! where the token it touched goes elsewhere or vanishes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use crate::ast::{Expr, NodeId, NodeKind};
use crate::lexer::{TokenKind, Tokens};
use crate::printer::{Owner, Printed, PrintedToken};
use crate::span::Span;

use super::ownership::Ownership;

/// A comment as it is written to the page.
#[derive(Debug, Clone)]
pub(super) struct Comment<'s> {
    /// From `#` to the last character that is not blank.
    pub(super) text: Cow<'s, str>,
    /// Whether an empty line follows.
    pub(super) blank_after: bool,
}

/// Where the comments of an expression go.
pub(super) struct Placed<'s> {
    /// For each token of the canonical form, and for the end of the text, the comments that stand
    /// on lines of their own in front of it.
    pub(super) before: Vec<Vec<Comment<'s>>>,
    /// For each token the comment behind it on its line.
    pub(super) behind: Vec<Option<Comment<'s>>>,
    /// How many of the gaps in front of a token hold a comment: a running count.
    gaps: Vec<usize>,
}

impl Placed<'_> {
    /// Whether a comment stands between two tokens of a part of the canonical form.
    pub(super) fn any_inside(&self, printed: &Printed, part: Range<usize>) -> bool {
        let tokens = printed.tokens_in(part);
        !tokens.is_empty() && self.any_between(tokens.start, tokens.end - 1)
    }

    /// Whether a comment stands behind one token and in front of another.
    pub(super) fn any_between(&self, first: usize, last: usize) -> bool {
        self.gaps[last] > self.gaps[first]
    }
}

/// Places all comments of a source. Without owners, all of them go to the top.
pub(super) fn place<'s>(
    expr: &'s Expr,
    tokens: &Tokens,
    owners: Option<&Ownership>,
    printed: &Printed,
) -> Placed<'s> {
    let count = printed.tokens.len();
    let mut before: Vec<Vec<Comment>> = vec![Vec::new(); count + 1];
    let mut behind: Vec<Vec<Comment>> = vec![Vec::new(); count];
    let anchors = owners.map(|owners| Anchors::new(expr, tokens, owners, printed));
    let source = expr.source();
    for (i, &span) in tokens.comments.iter().enumerate() {
        let next = tokens.tokens.partition_point(|token| token.span.start < span.start);
        let next_comment = tokens.comments.get(i + 1);
        let comment = read(source, span, tokens.tokens.get(next).map(|t| t.span), next_comment);
        let on_own_line = match next.checked_sub(1) {
            None => true,
            Some(previous) => {
                let gap = tokens.tokens[previous].span.end as usize..span.start as usize;
                source[gap].iter().any(|b| is_line_end(*b))
            }
        };
        match &anchors {
            None => before[0].push(comment),
            Some(anchors) if on_own_line => {
                before[anchors.in_front[next]].push(comment);
            }
            Some(anchors) => match anchors.behind[next - 1] {
                Some(at) => behind[at].push(comment),
                None => before[0].push(comment),
            },
        }
    }
    settle(printed, &mut before, &mut behind);
    let behind: Vec<Option<Comment>> = behind.into_iter().map(|c| c.into_iter().next()).collect();
    let mut gaps = vec![0; count + 1];
    for at in 1..count {
        let occupied = behind[at - 1].is_some() || !before[at].is_empty();
        gaps[at] = gaps[at - 1] + usize::from(occupied);
    }
    Placed { before, behind, gaps }
}

/// Moves comments behind the punctuation that stays on the line of the token in front of it, so
/// that a comment is at the same token when the result is formatted again, and leaves one comment
/// behind each token: further ones get lines of their own.
fn settle<'s>(printed: &Printed, before: &mut [Vec<Comment<'s>>], behind: &mut [Vec<Comment<'s>>]) {
    for at in 0..behind.len() {
        let mut comments = std::mem::take(&mut behind[at]);
        if comments.is_empty() {
            continue;
        }
        if printed.tokens.get(at + 1).is_some() && stays_on_line(printed, at + 1) {
            behind[at + 1].splice(0..0, comments);
            continue;
        }
        before[at + 1].splice(0..0, comments.drain(1..));
        behind[at] = comments;
    }
}

/// Whether a token is punctuation that can stand between a token and its comment.
fn stays_on_line(printed: &Printed, at: usize) -> bool {
    let token = &printed.tokens[at];
    let opens_list = |at: usize| {
        let (token, text) = (&printed.tokens[at], printed.token(at));
        match token.owner {
            // A parenthesis of its own is an operand, not punctuation of one.
            Owner::Node(id) => {
                let first = printed.tokens_in(printed.nodes[id.index()].clone()).start;
                text == "{" || (text == "(" && first != at)
            }
            Owner::Grouping(_) | Owner::Matching(_) | Owner::Group(_) => text == "(",
            Owner::FillLeft(_) | Owner::FillRight(_) => text == "(",
            _ => false,
        }
    };
    match printed.token(at) {
        "," => true,
        ")" => printed.tokens[at - 1].owner == token.owner && opens_list(at - 1),
        _ => opens_list(at),
    }
}

fn read<'s>(
    source: &'s [u8],
    span: Span,
    next_token: Option<Span>,
    next_comment: Option<&Span>,
) -> Comment<'s> {
    let next = next_token.iter().chain(next_comment).map(|s| s.start as usize).min();
    let gap = next.map_or(&[][..], |next| &source[span.end as usize..next]);
    let lines = String::from_utf8_lossy(gap).replace("\r\n", "\n");
    Comment {
        text: String::from_utf8_lossy(source[span.range()].trim_ascii_end()),
        blank_after: lines.bytes().filter(|b| is_line_end(*b)).count() > 1,
    }
}

/// Both end a comment.
fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// Where comments at each token of the source go.
struct Anchors {
    /// For a comment behind the token: the token of the canonical form to stand behind.
    behind: Vec<Option<usize>>,
    /// For a comment in front of the token: the token of the canonical form to stand in front of.
    /// At the end of both lies the end of the text.
    in_front: Vec<usize>,
}

impl Anchors {
    fn new(expr: &Expr, tokens: &Tokens, owners: &Ownership, printed: &Printed) -> Anchors {
        let tokens_of = |node: NodeId| printed.tokens_in(printed.nodes[node.index()].clone());
        let count = tokens.tokens.len();
        let mut behind = vec![None; count];
        let mut in_front = vec![None; count];
        for (at, printed_as) in align(expr, tokens, owners, printed).into_iter().enumerate() {
            let is_comma = tokens.tokens[at].kind == TokenKind::Comma;
            let printed_as = printed_as.filter(|_| !is_comma);
            behind[at] = printed_as;
            let moved = trailing_clause(expr, tokens, owners, at);
            in_front[at] = moved.map(|node| tokens_of(node).start).or(printed_as);
        }
        // Children come first, so the outermost node is the one that remains.
        for (index, range) in owners.nodes.iter().enumerate().filter(|(_, r)| !r.is_empty()) {
            let printed = tokens_of(NodeId(index as u32));
            in_front[range.start] = Some(printed.start);
            behind[range.end - 1] = printed.end.checked_sub(1);
        }
        // What has no token of its own goes to that of its neighbour.
        for at in 1..count {
            behind[at] = behind[at].or(behind[at - 1]);
        }
        let mut next = printed.tokens.len();
        let mut in_front: Vec<usize> = in_front
            .into_iter()
            .rev()
            .map(|at| {
                next = at.unwrap_or(next);
                next
            })
            .collect();
        in_front.reverse();
        in_front.push(printed.tokens.len());
        Anchors { behind, in_front }
    }
}

/// The aggregation, if the token begins its clause and the clause stands behind the operand: a
/// comment in front of it goes in front of the aggregation, since the clause will too.
fn trailing_clause(
    expr: &Expr,
    tokens: &Tokens,
    owners: &Ownership,
    token: usize,
) -> Option<NodeId> {
    let Owner::Grouping(id) = owners.owners[token] else { return None };
    let kind = tokens.tokens[token].kind;
    let begins = matches!(kind, TokenKind::By | TokenKind::Without | TokenKind::LeftParen);
    let is_behind = token > owners.nodes[id.index()].start + 2;
    (begins && is_behind && matches!(expr.kind(id), NodeKind::Aggregate { .. })).then_some(id)
}

/// Matches the tokens of the source with those of the canonical form. Within one part of the
/// syntax the canonical form leaves tokens out and hardly adds any, so what is printed is looked
/// for in the source, and the first token that fits is right.
fn align(
    expr: &Expr,
    tokens: &Tokens,
    owners: &Ownership,
    printed: &Printed,
) -> Vec<Option<usize>> {
    let mut parts: BTreeMap<Owner, Part> = BTreeMap::new();
    for (at, &owner) in owners.owners.iter().enumerate() {
        parts.entry(owner).or_default().tokens.push(at);
    }
    let mut printed_as = vec![None; tokens.tokens.len()];
    for (at, printed_token) in printed.tokens.iter().enumerate() {
        let owner = printed_token.owner;
        let Some(part) = parts.get_mut(&owner) else { continue };
        if matches!(owner, Owner::Matcher(_) | Owner::Label(_)) {
            part.tokens.iter().for_each(|&token| printed_as[token] = Some(at));
            continue;
        }
        let fits = |&token: &usize| {
            let token = tokens.tokens[token];
            same_token(owner, &expr.source()[token.span.range()], token.kind, printed.token(at))
        };
        if let Some(skipped) = part.tokens[part.matched..].iter().position(fits) {
            printed_as[part.tokens[part.matched + skipped]] = Some(at);
            part.matched += skipped + 1;
        }
    }
    printed_as
}

/// The tokens of the source that belong to one part of the syntax.
#[derive(Default)]
struct Part {
    tokens: Vec<usize>,
    /// How many of them have been matched or passed over.
    matched: usize,
}

/// Whether a token of the source may be this one of the canonical form.
fn same_token(owner: Owner, source: &[u8], kind: TokenKind, printed: &str) -> bool {
    match kind {
        TokenKind::Number | TokenKind::Duration => is_number(printed),
        TokenKind::String => printed.starts_with('"'),
        // `fill_left (0) fill_right (0)` is printed as `fill (0)`.
        TokenKind::Fill | TokenKind::FillLeft | TokenKind::FillRight => {
            matches!(owner, Owner::FillLeft(_) | Owner::FillRight(_)) && printed.starts_with("fill")
        }
        _ => source.eq_ignore_ascii_case(printed.as_bytes()),
    }
}

/// Whether a printed token is a number or a duration, perhaps with a sign.
fn is_number(printed: &str) -> bool {
    let digits = printed.trim_start_matches(['+', '-']);
    digits.starts_with(|c: char| c.is_ascii_digit()) || matches!(digits, "Inf" | "NaN")
}

impl Printed {
    /// The text of a token.
    pub(super) fn token(&self, at: usize) -> &str {
        &self.text[self.tokens[at].range.clone()]
    }

    /// The tokens of a part of the text.
    pub(super) fn tokens_in(&self, part: Range<usize>) -> Range<usize> {
        let starts_before = |at: usize| move |token: &PrintedToken| token.range.start < at;
        let start = self.tokens.partition_point(starts_before(part.start));
        start..self.tokens.partition_point(starts_before(part.end)).max(start)
    }
}
