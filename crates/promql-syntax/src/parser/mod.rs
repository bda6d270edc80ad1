//! From text to tree.
//!
//! Tokens go through the generated parser, whose productions call the [`builder`]. When anything
//! is wrong [`recover`] finds out all of it; that path may be slow, the one without errors is not.

pub(crate) mod builder;
mod context;
mod duration;
mod histogram;
mod recover;
mod resolve;
mod selectors;
pub(crate) mod series;

use std::cell::Cell;
use std::sync::Arc;

use crate::Features;
use crate::ast::Expr;
use crate::error::{Error, ErrorKind, Errors};
use crate::lexer::{self, Token, TokenKind, Tokens};
use crate::span::Span;
use builder::{Builder, Scratch};
use promql_model::Labels;

#[allow(
    clippy::all,
    clippy::unwrap_used,
    unused,
    unreachable_pub,
    missing_docs,
    reason = "generated code"
)]
mod grammar {
    include!(concat!(env!("OUT_DIR"), "/promql.rs"));
}

/// The longest text that is read, in bytes: 1 GiB.
pub const MAX_SOURCE_LEN: usize = 1 << 30;

/// How many tokens' room is kept from one text to the next.
const MAX_KEPT_TOKENS: usize = 1 << 14;

thread_local! {
    static SCRATCH: Cell<Scratch> = Cell::default();
    static TOKENS: Cell<Vec<Token>> = const { Cell::new(Vec::new()) };
}

/// Reads an expression.
///
/// ```
/// use promql_syntax::{Features, parse};
/// let expr = parse("sum by (job) (rate(http_requests_total[5m]))", &Features::default())?;
/// assert_eq!(expr.nodes().len(), 4);
/// # Ok::<(), promql_syntax::Errors>(())
/// ```
///
/// # Errors
/// All the syntax errors that one pass finds. An ill-typed expression is none of them: that is
/// what [`crate::check`] finds.
pub fn parse(source: impl AsRef<[u8]>, features: &Features) -> Result<Expr, Errors> {
    parse_expr(source.as_ref(), TokenKind::StartExpression, *features)
}

/// Reads a selector without modifiers, as `match[]` takes it. What [`crate::check`] says about
/// selectors is not checked here.
///
/// # Errors
/// All the syntax errors that one pass finds.
pub fn parse_metric_selector(source: impl AsRef<[u8]>) -> Result<Expr, Errors> {
    parse_expr(source.as_ref(), TokenKind::StartSelector, Features::ALL)
}

/// Reads a label set: `metric{label="value"}`, where either part may be missing.
///
/// ```
/// let labels = promql_syntax::parse_metric(r#"up{job="api"}"#)?;
/// assert_eq!(labels.get("job"), Some("api"));
/// # Ok::<(), promql_syntax::Errors>(())
/// ```
///
/// # Errors
/// The first error.
pub fn parse_metric(text: &str) -> Result<Labels, Errors> {
    let source = text.as_bytes();
    let tokens = read_tokens(source, TokenKind::StartMetric)?;
    let (builder, end) = run(source, &tokens, TokenKind::StartMetric, Features::ALL);
    check_end(source, &tokens, TokenKind::StartMetric, &builder, end)?;
    Ok(builder.series.labels())
}

fn parse_expr(source: &[u8], start: TokenKind, features: Features) -> Result<Expr, Errors> {
    let mut tokens = read_tokens(source, start)?;
    if tokens.tokens.is_empty() && tokens.error.is_none() && start == TokenKind::StartExpression {
        let error = Error { kind: ErrorKind::NoExpression, span: Span::new(0, 0) };
        return Err(Errors::new(source, vec![error], 1));
    }
    let (mut builder, end) = run(source, &tokens, start, features);
    SCRATCH.set(std::mem::take(&mut builder.scratch));
    if end != End::Complete || !builder.raised.is_empty() {
        return Err(recover::all_errors(source, &tokens, start, features, builder, end));
    }
    let mut tree = builder.tree;
    tree.source = source.into();
    tree.comments = std::mem::take(&mut tokens.comments);
    if tokens.tokens.capacity() <= MAX_KEPT_TOKENS {
        TOKENS.set(tokens.tokens);
    }
    Ok(Expr { tree: Arc::new(tree) })
}

/// The tokens of a text, as the parser takes them.
fn read_tokens(source: &[u8], start: TokenKind) -> Result<Tokens, Errors> {
    if source.len() > MAX_SOURCE_LEN {
        let error = Error { kind: ErrorKind::TooLong(source.len()), span: Span::new(0, 0) };
        return Err(Errors::new(b"", vec![error], 1));
    }
    let mut tokens = match start {
        TokenKind::StartSeries => lexer::tokenize_series(source),
        _ => lexer::tokenize_into(source, TOKENS.take()),
    };
    match start {
        TokenKind::StartSeries => resolve::drop_after_bucket_numbers(&mut tokens.tokens),
        _ => resolve::resolve(&mut tokens.tokens),
    }
    Ok(tokens)
}

/// How the parser's run over the tokens ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The text is complete.
    Complete,
    /// The token at this place cannot stand there. Behind the last token: the end of the text.
    Refused(usize),
    /// The parser came to the lexer's error.
    LexerError,
}

fn run<'s>(
    source: &'s [u8],
    tokens: &'s Tokens,
    start: TokenKind,
    features: Features,
) -> (Builder<'s>, End) {
    run_tokens(source, &tokens.tokens, tokens.error.is_some(), start, features)
}

fn run_tokens<'s>(
    source: &'s [u8],
    tokens: &'s [Token],
    lexer_error: bool,
    start: TokenKind,
    features: Features,
) -> (Builder<'s>, End) {
    let mut builder = Builder::new(source, tokens, features, SCRATCH.take());
    let first = std::iter::once(Ok((0, start, 0)));
    let rest = tokens.iter().zip(0u32..).map(|(token, at)| Ok((at, token.kind, at + 1)));
    let last = lexer_error.then_some(Err(()));
    let result = grammar::TextParser::new().parse(&mut builder, first.chain(rest).chain(last));
    use lalrpop_util::ParseError;
    let end = match result {
        Ok(()) => End::Complete,
        Err(ParseError::UnrecognizedToken { token: (at, ..), .. })
        | Err(ParseError::ExtraToken { token: (at, ..) }) => End::Refused(at as usize),
        Err(ParseError::UnrecognizedEof { .. }) => End::Refused(tokens.len()),
        Err(ParseError::InvalidToken { location }) => End::Refused(location as usize),
        Err(ParseError::User { .. }) => match builder.refused.take() {
            Some(at) => End::Refused(at as usize),
            None => End::LexerError,
        },
    };
    (builder, end)
}

/// The first error of a text in which there is nothing to recover: a label set or a series.
fn check_end(
    source: &[u8],
    tokens: &Tokens,
    start: TokenKind,
    builder: &Builder<'_>,
    end: End,
) -> Result<(), Errors> {
    let mut errors: Vec<Error> = builder.raised.iter().map(|raised| raised.error.clone()).collect();
    match end {
        End::Complete => {}
        End::Refused(at) => errors.push(recover::refusal(source, &tokens.tokens, start, at)),
        End::LexerError => errors.extend(tokens.error.clone()),
    }
    match errors.len() {
        0 => Ok(()),
        count => Err(Errors::new(source, errors, count)),
    }
}
