//! All the errors of a text that has some.
//!
//! At the first syntax error the text up to there is completed by made-up tokens, what cannot be
//! read is skipped up to the next token that ends or continues something that is open, and the
//! result is parsed again. So the errors behind the first one are found too, and those that were
//! still waiting for a production to be complete when the parser stopped.

use super::builder::{Builder, Raised};
use super::context::Context;
use super::{End, run_repaired};
use crate::Features;
use crate::ast::{Expr, NodeId};
use crate::error::{Error, ErrorKind, Errors};
use crate::lexer::{Naming, Token, TokenKind, Tokens};
use crate::span::Span;
use promql_model::quote;
use std::sync::Arc;

/// How many syntax errors are reported at most. Behind so many the rest is rarely to the point.
const MAX_SYNTAX_ERRORS: usize = 8;

/// Behind a syntax error only texts up to this length are read on: the work may be repeated for
/// each error.
const MAX_RECOVERED_LEN: usize = 1 << 16;

/// Finds all errors of an expression or a selector. The run that met the first ones is given.
pub(super) fn all_errors(
    source: &[u8],
    tokens: &Tokens,
    start: TokenKind,
    features: Features,
    first_run: Builder<'_>,
    end: End,
) -> Errors {
    let failure = match end {
        End::Complete => None,
        End::Refused(at) => Some((at, refusal(source, &tokens.tokens, start, at))),
        End::LexerError => tokens.error.clone().map(|error| (tokens.tokens.len(), error)),
    };
    let Some((failed, failure)) = failure else {
        let errors: Vec<_> = first_run.raised.into_iter().map(|raised| raised.error).collect();
        let count = errors.len();
        return Errors::new(source, errors, count);
    };
    let lexer_error = end == End::LexerError;
    if source.len() > MAX_RECOVERED_LEN {
        let mut errors: Vec<_> = first_run.raised.into_iter().map(|raised| raised.error).collect();
        errors.push(failure);
        let count = errors.len();
        return Errors::new(source, errors, count);
    }
    drop(first_run);

    let mut repaired = Repaired::new(&tokens.tokens);
    let mut failures = vec![failure];
    repaired.repair(failed);
    let mut run = loop {
        let mut builder = Builder::new(source, &repaired.tokens, features);
        let end = run_repaired(&mut builder, start);
        let End::Refused(at) = end else { break Some(Run::of(builder)) };
        // A second look at the same place finds nothing new.
        if repaired.made_up(at) || failures.len() == MAX_SYNTAX_ERRORS {
            break Some(Run::raised_only(builder));
        }
        failures.push(refusal(source, &repaired.tokens, start, at));
        drop(builder);
        if !repaired.repair(at) {
            break None;
        }
    };
    let raised = run.as_mut().map(|run| std::mem::take(&mut run.raised)).unwrap_or_default();

    let comes_first = |raised: &Raised| {
        let last = raised.last_token as usize;
        last + 1 < failed || last + 1 == failed && !(lexer_error && raised.after_lookahead)
    };
    let comes_with = |raised: &Raised| lexer_error && raised.last_token as usize + 1 == failed;
    let mut failures = failures.into_iter();
    let mut errors: Vec<Error> =
        raised.iter().filter(|r| comes_first(r)).map(|r| r.error.clone()).collect();
    errors.extend(failures.next());
    let behind = |r: &&Raised| !comes_first(r) && comes_with(r);
    errors.extend(raised.iter().filter(behind).map(|r| r.error.clone()));
    if lexer_error {
        errors.extend(unfinished(tokens));
    }
    let upstream = errors.len();

    let mut more: Vec<Error> = failures.collect();
    let own =
        |r: &&Raised| !comes_first(r) && !comes_with(r) && !repaired.made_up(r.last_token as usize);
    more.extend(raised.iter().filter(own).map(|r| r.error.clone()));
    if let Some(run) = run {
        more.extend(run.type_errors(&repaired));
    }
    more.sort_by_key(|error| error.span.start);
    more.dedup();
    more.retain(|error| !errors.contains(error));
    errors.extend(more);
    Errors::new(source, errors, upstream)
}

/// What upstream reports besides an error of the lexer: its parser takes that for the end of the
/// text and completes what it can.
fn unfinished(tokens: &Tokens) -> Option<Error> {
    let context = Context::behind(&tokens.tokens, tokens.tokens.len());
    if let Some(last) = tokens.tokens.last()
        && last.kind == TokenKind::Comma
        && context.expects_operand()
    {
        return Some(Error { kind: ErrorKind::TrailingComma, span: last.span });
    }
    let nothing_inside = context.in_aggregation();
    nothing_inside
        .then(|| Error { kind: ErrorKind::AggregateWithoutArguments, span: Span::new(0, 0) })
}

/// What is left of a run over repaired tokens.
struct Run {
    raised: Vec<Raised>,
    tree: Option<(crate::ast::Tree, Vec<NodeId>)>,
}

impl Run {
    fn of(mut builder: Builder<'_>) -> Self {
        builder.tree.source = builder.source.into();
        Run { raised: builder.raised, tree: Some((builder.tree, builder.placeholders)) }
    }

    fn raised_only(builder: Builder<'_>) -> Self {
        Run { raised: builder.raised, tree: None }
    }

    /// The type errors of those parts that were written as they are.
    fn type_errors(self, repaired: &Repaired) -> Vec<Error> {
        let Some((tree, mut unknown)) = self.tree else { return Vec::new() };
        let expr = Expr { tree: Arc::new(tree) };
        for (at, node) in expr.nodes().iter().enumerate() {
            if repaired.touches(node.span) {
                unknown.push(NodeId(at as u32));
            }
        }
        crate::check::type_errors(&expr, &unknown)
    }
}

/// Tokens with some of them made up and some left out.
struct Repaired {
    tokens: Vec<Token>,
    /// For each token whether it is made up.
    made_up: Vec<bool>,
    /// The places of made-up tokens and of what was left out.
    damage: Vec<Span>,
}

impl Repaired {
    fn new(tokens: &[Token]) -> Self {
        let made_up = vec![false; tokens.len()];
        Repaired { tokens: tokens.to_vec(), made_up, damage: Vec::new() }
    }

    fn made_up(&self, at: usize) -> bool {
        self.made_up.get(at).copied().unwrap_or(false)
    }

    fn touches(&self, span: Span) -> bool {
        self.damage.iter().any(|damage| damage.start <= span.end && damage.end >= span.start)
    }

    /// Completes the text in front of the token at `failed`, skips what cannot go on from there,
    /// and closes at the end what is still open. Gives whether anything changed.
    fn repair(&mut self, failed: usize) -> bool {
        let context = Context::behind(&self.tokens, failed);
        let rest = &self.tokens[failed..];
        let (inserted, skipped, skipped_all) = match context.list() {
            Some((inside, closer)) => match skip_in_list(rest, closer) {
                Some(skipped) => (inside, skipped, false),
                None => (context.completion(), rest.len(), true),
            },
            None => {
                let skipped = skip_to_operator(rest);
                (context.completion(), skipped, skipped == rest.len())
            }
        };
        if inserted.is_empty() && skipped == 0 && !rest.is_empty() {
            return false;
        }
        let here = match rest.first() {
            Some(token) => token.span.start,
            None => self.tokens.last().map_or(0, |token| token.span.end),
        };
        let skipped_end = match skipped {
            0 => here,
            _ => rest[skipped - 1].span.end,
        };
        self.damage.push(Span::new(here, skipped_end));
        let made_up = |kind| Token { kind, span: Span::new(here, here) };
        let count = inserted.len();
        self.tokens.splice(failed..failed + skipped, inserted.into_iter().map(made_up));
        self.made_up.splice(failed..failed + skipped, std::iter::repeat_n(true, count));
        if skipped_all {
            let end = Context::behind(&self.tokens, self.tokens.len());
            for kind in end.completion() {
                self.push(kind, skipped_end);
            }
            for _ in 0..end.frames.len() {
                self.push(TokenKind::RightParen, skipped_end);
            }
        }
        true
    }

    fn push(&mut self, kind: TokenKind, at: u32) {
        self.tokens.push(Token { kind, span: Span::new(at, at) });
        self.made_up.push(true);
    }
}

/// How many tokens to skip so that a list goes on or ends. `None` if it never does.
fn skip_in_list(tokens: &[Token], closer: TokenKind) -> Option<usize> {
    let stop =
        |kind| kind == closer || kind == TokenKind::Comma && closer != TokenKind::RightBracket;
    let at = tokens.iter().position(|token| stop(token.kind))?;
    let crosses = tokens[..at].iter().any(|token| {
        matches!(token.kind, TokenKind::LeftBrace | TokenKind::LeftBracket)
            || token.kind == TokenKind::LeftParen && closer != TokenKind::RightBracket
    });
    (!crosses).then_some(at)
}

/// How many tokens to skip so that the next one can follow a complete operand.
fn skip_to_operator(tokens: &[Token]) -> usize {
    let mut depth = 0usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::LeftParen | TokenKind::LeftBrace | TokenKind::LeftBracket => depth += 1,
            TokenKind::RightParen | TokenKind::RightBrace | TokenKind::RightBracket => {
                match depth.checked_sub(1) {
                    Some(less) => depth = less,
                    None if token.kind == TokenKind::RightParen => return at,
                    None => {}
                }
            }
            TokenKind::Comma if depth == 0 => return at,
            kind if depth == 0 && kind.binary_op().is_some() => return at,
            _ => {}
        }
    }
    tokens.len()
}

/// The error for a token that the parser refused.
pub(super) fn refusal(source: &[u8], tokens: &[Token], start: TokenKind, at: usize) -> Error {
    let (context, expected, mut at) = match start {
        TokenKind::StartMetric | TokenKind::StartSeries => {
            let (context, expected) = super::series::names(source, tokens, start, at);
            (context, expected, at)
        }
        _ => {
            let context = Context::behind(tokens, at);
            let is_fill = tokens.get(at).is_some_and(|token| {
                matches!(token.kind, TokenKind::Fill | TokenKind::FillLeft | TokenKind::FillRight)
            });
            // Upstream takes the word for a metric's name there and refuses the parenthesis.
            let at = if is_fill && context.expects_operand() { at + 1 } else { at };
            let (context, expected) = context.names();
            (context, expected, at)
        }
    };
    at = at.min(tokens.len());
    let end = source.len() as u32;
    let span = tokens.get(at).map_or(Span::new(end, end), |token| token.span);
    let name = token_name(source, tokens.get(at));
    Error { kind: ErrorKind::Unexpected(name.into(), context, expected), span }
}

/// A token as upstream's messages name it.
fn token_name(source: &[u8], token: Option<&Token>) -> String {
    let Some(token) = token else { return "end of input".into() };
    let bytes = &source[token.span.range()];
    let text = String::from_utf8_lossy(bytes);
    match token.kind.naming() {
        Naming::Quoted => quote(bytes),
        Naming::Identifier => format!("identifier {}", quote(bytes)),
        Naming::MetricIdentifier => format!("metric identifier {}", quote(bytes)),
        Naming::Number => format!("number {}", shortened(bytes)),
        Naming::Duration => format!("duration {}", shortened(bytes)),
        Naming::String => format!("string {}", shortened(bytes)),
        Naming::Keyword => format!("<{text}>"),
        Naming::Operator => format!("<op:{text}>"),
        Naming::Aggregator => format!("<aggr:{text}>"),
        Naming::HistogramWord => {
            format!("\"<Item {}>\" {}", token.kind.histogram_item_number(), quote(bytes))
        }
    }
}

/// Texts of more than ten bytes are cut to their first ten characters.
fn shortened(bytes: &[u8]) -> String {
    if bytes.len() <= 10 {
        return quote(bytes);
    }
    let text = String::from_utf8_lossy(bytes);
    let front: String = text.chars().take(10).collect();
    format!("{}...", quote(front.as_bytes()))
}
