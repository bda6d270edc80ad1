//! Regular expressions, looked at as texts.
//!
//! What Prometheus takes is RE2; what is read here is the syntax of the `regex` crate, which is the same
//! for what people write. A pattern that it doesn't read is let be.

use std::ops::Range;
use std::sync::OnceLock;

use promql_model::Regex;
use regex_syntax::ast::parse::Parser;
use regex_syntax::ast::{AssertionKind, Ast, RepetitionKind, RepetitionRange};

/// So many alternatives are compared with each other.
const MANY: usize = 64;

/// What the syntax of a pattern is, and what was found out about it.
#[derive(Debug)]
pub(crate) struct Tree {
    /// Its syntax tree.
    pub(crate) ast: Ast,
    superfluous: OnceLock<Option<(Range<usize>, Range<usize>)>>,
}

impl Tree {
    /// Reads a pattern. Nothing if it can't be read.
    pub(crate) fn new(pattern: &str) -> Option<Tree> {
        Some(Tree { ast: parse(pattern)?, superfluous: OnceLock::new() })
    }

    /// The first alternative of the pattern that is there twice, or is a text that another one matches,
    /// with the other one.
    pub(crate) fn superfluous_alternative(
        &self,
        pattern: &str,
    ) -> Option<(Range<usize>, Range<usize>)> {
        let find = || superfluous_alternative(pattern, &self.ast);
        self.superfluous.get_or_init(find).clone()
    }
}

/// The tree of a pattern.
fn parse(pattern: &str) -> Option<Ast> {
    Parser::new().parse(pattern).ok()
}

fn range(ast: &Ast) -> Range<usize> {
    ast.span().start.offset..ast.span().end.offset
}

/// The alternatives of a pattern; one if there is no `|`.
fn alternatives(ast: &Ast) -> &[Ast] {
    match ast {
        Ast::Alternation(alternation) => &alternation.asts,
        one => std::slice::from_ref(one),
    }
}

/// `^` at fronts and `$` at ends, which say nothing as a pattern has to match the whole value. In order.
pub(crate) fn redundant_anchors(ast: &Ast) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut open = vec![(ast, true, true)];
    while let Some((ast, is_front, is_end)) = open.pop() {
        match ast {
            Ast::Assertion(assertion) => match assertion.kind {
                AssertionKind::StartLine if is_front => found.push(range(ast)),
                AssertionKind::EndLine if is_end => found.push(range(ast)),
                _ => {}
            },
            Ast::Alternation(alternation) => {
                open.extend(alternation.asts.iter().map(|ast| (ast, is_front, is_end)));
            }
            Ast::Group(group) => open.push((&group.ast, is_front, is_end)),
            Ast::Concat(concat) => {
                let asts = &concat.asts;
                let is = |ast: &Ast, kind: AssertionKind| matches!(ast, Ast::Assertion(assertion) if assertion.kind == kind);
                let front = asts.iter().take_while(|ast| is(ast, AssertionKind::StartLine)).count();
                let end =
                    asts.iter().rev().take_while(|ast| is(ast, AssertionKind::EndLine)).count();
                for (at, ast) in asts.iter().enumerate() {
                    let is_first = is_front && at <= front;
                    let is_last = is_end && at + 1 + end >= asts.len();
                    open.push((ast, is_first, is_last));
                }
            }
            _ => {}
        }
    }
    found.sort_by_key(|range| range.start);
    found
}

/// How many groups a pattern has that can be referred to.
pub(crate) fn groups(pattern: &str) -> Option<u32> {
    let mut count = 0;
    let tree = parse(pattern)?;
    let mut open = vec![&tree];
    while let Some(ast) = open.pop() {
        match ast {
            Ast::Group(group) => {
                count += u32::from(group.is_capturing());
                open.push(&group.ast);
            }
            Ast::Repetition(repetition) => open.push(&repetition.ast),
            Ast::Alternation(alternation) => open.extend(&alternation.asts),
            Ast::Concat(concat) => open.extend(&concat.asts),
            _ => {}
        }
    }
    Some(count)
}

/// Whether a pattern matches every text by its looks.
pub(crate) fn matches_all(ast: &Ast) -> bool {
    let mut ast = ast;
    loop {
        match ast {
            Ast::Group(group) => ast = &group.ast,
            Ast::Concat(concat) if !concat.asts.is_empty() => {
                return concat.asts.iter().all(is_any);
            }
            other => return alternatives(other).iter().any(is_any),
        }
    }
}

/// Whether this is `.*`, perhaps in parentheses.
fn is_any(ast: &Ast) -> bool {
    let mut ast = ast;
    while let Ast::Group(group) = ast {
        ast = &group.ast;
    }
    let Ast::Repetition(repetition) = ast else { return false };
    let is_star = matches!(
        repetition.op.kind,
        RepetitionKind::ZeroOrMore | RepetitionKind::Range(RepetitionRange::AtLeast(0))
    );
    is_star && matches!(*repetition.ast, Ast::Dot(_))
}

/// The dots between letters or digits in alternatives that are plain texts otherwise. In order.
pub(crate) fn literal_dots(ast: &Ast) -> Vec<usize> {
    let mut found = Vec::new();
    for alternative in alternatives(ast) {
        let Ast::Concat(concat) = alternative else { continue };
        let is_plain = |ast: &Ast| matches!(ast, Ast::Literal(_) | Ast::Dot(_));
        if !concat.asts.iter().all(is_plain) {
            continue;
        }
        let is_word =
            |ast: &Ast| matches!(ast, Ast::Literal(literal) if literal.c.is_alphanumeric());
        let mut dots = Vec::new();
        let mut are_all_between = true;
        for (at, ast) in concat.asts.iter().enumerate() {
            if let Ast::Dot(span) = ast {
                let before = at.checked_sub(1).and_then(|at| concat.asts.get(at));
                let behind = concat.asts.get(at + 1);
                are_all_between &= before.is_some_and(is_word) && behind.is_some_and(is_word);
                dots.push(span.start.offset);
            }
        }
        if are_all_between {
            found.extend(dots);
        }
    }
    found
}

/// The first alternative that is there twice, or is a text that another one matches, with the other one.
fn superfluous_alternative(pattern: &str, ast: &Ast) -> Option<(Range<usize>, Range<usize>)> {
    let Ast::Alternation(alternation) = ast else { return None };
    let parts: Vec<(Range<usize>, &Ast)> =
        alternation.asts.iter().map(|ast| (range(ast), ast)).collect();
    if parts.len() > MANY || parts.iter().any(|(range, _)| range.is_empty()) {
        return None;
    }
    for (at, (range, _)) in parts.iter().enumerate() {
        let same =
            |(other, _): &&(Range<usize>, &Ast)| pattern[other.clone()] == pattern[range.clone()];
        if let Some((first, _)) = parts[..at].iter().find(same) {
            return Some((range.clone(), first.clone()));
        }
    }
    let texts: Vec<(Range<usize>, String)> =
        parts.iter().filter_map(|(range, ast)| Some((range.clone(), text(ast)?))).collect();
    let patterns = parts.iter().filter(|(_, ast)| text(ast).is_none());
    for (other, _) in patterns {
        let Ok(regex) = Regex::new(pattern[other.clone()].as_bytes()) else { continue };
        if let Some((range, _)) = texts.iter().find(|(_, text)| regex.is_match(text)) {
            return Some((range.clone(), other.clone()));
        }
    }
    None
}

/// The text that a pattern is, if it is one.
fn text(ast: &Ast) -> Option<String> {
    match ast {
        Ast::Literal(literal) => Some(literal.c.to_string()),
        Ast::Concat(concat) => concat
            .asts
            .iter()
            .map(|ast| match ast {
                Ast::Literal(literal) => Some(literal.c),
                _ => None,
            })
            .collect(),
        _ => None,
    }
}
