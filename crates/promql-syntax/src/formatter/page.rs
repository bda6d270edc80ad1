//! The page that lines with comments are written on.
//!
//! It gets the same cuts as a page without comments. In addition it begins a new line behind each
//! comment, and puts the members of a list in braces or parentheses on lines of their own when a
//! comment stands among them.

use std::ops::Range;

use crate::pretty::{Page, push_indentation};
use crate::printer::{Owner, Printed};

use super::comments::{Comment, Placed};

/// A page with room for comments.
pub(super) struct CommentedPage<'a> {
    printed: &'a Printed,
    placed: &'a Placed<'a>,
    lists: Vec<ListBreak>,
    out: String,
    /// The token of the canonical form that comes next.
    next: usize,
    /// The level at which the current line of the layout begins.
    level: usize,
    /// The level of the line that is being written, which may continue that line.
    line_level: usize,
    /// Whether nothing stands on the line yet, not even its indentation.
    at_line_start: bool,
    /// The comment that ends the line.
    pending: Option<&'a Comment<'a>>,
    deepest: usize,
}

/// What a token means to a list that is broken up.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ListBreak {
    None,
    /// The next member begins a line.
    Behind,
    /// The token that closes the list begins a line.
    Before,
}

impl<'a> CommentedPage<'a> {
    /// An empty page, on which lines are indented up to a level.
    pub(super) fn new(
        printed: &'a Printed,
        placed: &'a Placed<'a>,
        deepest: usize,
    ) -> CommentedPage<'a> {
        CommentedPage {
            printed,
            placed,
            lists: broken_lists(printed, placed),
            out: String::with_capacity(printed.text.len() * 2),
            next: 0,
            level: 0,
            line_level: 0,
            at_line_start: true,
            pending: None,
            deepest,
        }
    }

    /// The text, with the comments behind the last token.
    pub(super) fn finish(mut self) -> String {
        let last = self.placed.before.last().map_or(&[][..], Vec::as_slice);
        self.write_pending();
        for (i, comment) in last.iter().enumerate() {
            self.out.push('\n');
            self.out.push_str(&comment.text);
            if comment.blank_after && i + 1 < last.len() {
                self.out.push('\n');
            }
        }
        self.out
    }

    fn token(&mut self, at: usize) {
        let placed = self.placed;
        let closes = matches!(self.printed.token(at), ")" | "]" | "}");
        let before = &placed.before[at];
        let ends_line =
            self.pending.is_some() || !before.is_empty() || self.lists[at] == ListBreak::Before;
        if ends_line && !self.at_line_start {
            self.end_line();
            self.line_level = self.level + usize::from(!closes);
        }
        // What stands above the whole expression is not part of its first operand.
        let level = if at == 0 { 0 } else { self.line_level + usize::from(closes) };
        for comment in before {
            self.write_indentation(level);
            self.out.push_str(&comment.text);
            self.out.push_str(if comment.blank_after { "\n\n" } else { "\n" });
        }
        if self.at_line_start {
            self.write_indentation(self.line_level);
            self.at_line_start = false;
        } else if self.has_blank_before(at) {
            self.out.push(' ');
        }
        self.out.push_str(self.printed.token(at));
        self.pending = placed.behind[at].as_ref();
        if self.lists[at] == ListBreak::Behind {
            self.end_line();
            self.line_level = self.level + 1;
        }
    }

    fn has_blank_before(&self, at: usize) -> bool {
        at > 0 && self.printed.tokens[at - 1].range.end < self.printed.tokens[at].range.start
    }

    fn write_pending(&mut self) {
        if let Some(comment) = self.pending.take() {
            self.out.push(' ');
            self.out.push_str(&comment.text);
        }
    }

    fn end_line(&mut self) {
        self.write_pending();
        self.out.push('\n');
        self.at_line_start = true;
    }

    fn write_indentation(&mut self, level: usize) {
        push_indentation(&mut self.out, level.min(self.deepest));
    }
}

impl Page for CommentedPage<'_> {
    fn piece(&mut self, range: Range<usize>) {
        while self.printed.tokens.get(self.next).is_some_and(|t| t.range.start < range.end) {
            self.token(self.next);
            self.next += 1;
        }
    }

    fn line_break(&mut self) {
        self.end_line();
        (self.level, self.line_level) = (0, 0);
    }

    fn indent(&mut self, level: usize) {
        (self.level, self.line_level) = (level, level);
    }
}

/// The lists of matchers and labels that have a comment inside.
fn broken_lists(printed: &Printed, placed: &Placed) -> Vec<ListBreak> {
    let mut breaks = vec![ListBreak::None; printed.tokens.len()];
    let mut at = 0;
    while at + 1 < printed.tokens.len() {
        let opening = at;
        let owner = printed.tokens[at].owner;
        at += 1;
        let is_list = matches!(printed.tokens[at].owner, Owner::Matcher(_) | Owner::Label(_));
        if !is_list {
            continue;
        }
        let closes =
            |at: usize| printed.tokens[at].owner == owner && matches!(printed.token(at), ")" | "}");
        while at + 1 < printed.tokens.len() && !closes(at) {
            at += 1;
        }
        if placed.any_between(opening, at) {
            for (inside, list) in breaks[opening..=at].iter_mut().enumerate() {
                let is_member = matches!(
                    printed.tokens[opening + inside].owner,
                    Owner::Matcher(_) | Owner::Label(_)
                );
                *list = match is_member {
                    true => ListBreak::None,
                    false if opening + inside == at => ListBreak::Before,
                    false => ListBreak::Behind,
                };
            }
        }
    }
    breaks
}
