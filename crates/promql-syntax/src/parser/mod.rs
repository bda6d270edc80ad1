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
mod terminal;

use std::cell::Cell;
use std::sync::Arc;

use crate::Features;
use crate::ast::Expr;
use crate::error::{Error, ErrorKind, Errors};
use crate::lexer::{self, Token, TokenKind, Tokens};
use crate::span::Span;
use builder::{Builder, Scratch};
use lalrpop_util::ParseError;
use promql_model::Labels;
use terminal::Terminal;

/// The parsers that the build script generates from the one grammar.
#[allow(
    clippy::all,
    clippy::unwrap_used,
    unused,
    unreachable_pub,
    missing_docs,
    reason = "generated code"
)]
mod grammar {
    /// Each state is a function: fast, but nesting takes stack.
    pub(super) mod ascent {
        include!(concat!(env!("OUT_DIR"), "/promql_ascent.rs"));
    }
    /// Driven by tables, with its stack on the heap.
    pub(super) mod table {
        include!(concat!(env!("OUT_DIR"), "/promql.rs"));
    }
}

/// Up to how many open parentheses the faster of the parsers is used. At this depth it takes less
/// than 48 KiB of stack, and less than 768 KiB without optimisation.
const MAX_ASCENT_DEPTH: u32 = 16;

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
    let mut builder = Builder::new(source, &tokens.tokens, Features::ALL);
    let end = run(&mut builder, &tokens, TokenKind::StartMetric);
    check_end(source, &tokens, TokenKind::StartMetric, &builder, end)?;
    Ok(builder.series.labels())
}

fn parse_expr(source: &[u8], start: TokenKind, features: Features) -> Result<Expr, Errors> {
    let mut tokens = read_tokens(source, start)?;
    if tokens.tokens.is_empty() && tokens.error.is_none() && start == TokenKind::StartExpression {
        let error = Error { kind: ErrorKind::NoExpression, span: Span::new(0, 0) };
        return Err(Errors::new(source, vec![error], 1));
    }
    let mut builder = Builder::new(source, &tokens.tokens, features);
    builder.scratch = SCRATCH.take().cleared();
    let end = run(&mut builder, &tokens, start);
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
        _ if tokens.ambiguous => resolve::resolve(&mut tokens.tokens),
        _ => {}
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

/// What the generated parser reads: what the text is, its tokens, and the error that ended them.
struct Input<'s> {
    tokens: &'s [Token],
    start: Option<TokenKind>,
    at: u32,
    lexer_error: bool,
}

impl<'s> Input<'s> {
    fn new(tokens: &'s [Token], start: TokenKind, lexer_error: bool) -> Input<'s> {
        Input { tokens, start: Some(start), at: 0, lexer_error }
    }
}

impl Iterator for Input<'_> {
    type Item = Result<(u32, Terminal, u32), ()>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(start) = self.start.take() {
            return Some(Ok((0, start.into(), 0)));
        }
        let at = self.at;
        if let Some(token) = self.tokens.get(at as usize) {
            self.at = at + 1;
            return Some(Ok((at, token.kind.into(), at + 1)));
        }
        std::mem::take(&mut self.lexer_error).then_some(Err(()))
    }
}

/// Parses what the lexer read.
fn run(builder: &mut Builder<'_>, tokens: &Tokens, start: TokenKind) -> End {
    let input = Input::new(builder.tokens, start, tokens.error.is_some());
    let result = match tokens.depth {
        ..=MAX_ASCENT_DEPTH => grammar::ascent::TextParser::new().parse(builder, input),
        _ => grammar::table::TextParser::new().parse(builder, input),
    };
    end_of(result, builder)
}

/// Parses tokens of which some may have been made up.
fn run_repaired(builder: &mut Builder<'_>, start: TokenKind) -> End {
    let input = Input::new(builder.tokens, start, false);
    let result = grammar::table::TextParser::new().parse(builder, input);
    end_of(result, builder)
}

fn end_of(result: Result<(), ParseError<u32, Terminal, ()>>, builder: &mut Builder<'_>) -> End {
    match result {
        Ok(()) => End::Complete,
        Err(ParseError::UnrecognizedToken { token: (at, ..), .. })
        | Err(ParseError::ExtraToken { token: (at, ..) }) => End::Refused(at as usize),
        Err(ParseError::UnrecognizedEof { .. }) => End::Refused(builder.tokens.len()),
        Err(ParseError::InvalidToken { location }) => End::Refused(location as usize),
        Err(ParseError::User { .. }) => match builder.refused.take() {
            Some(at) => End::Refused(at as usize),
            None => End::LexerError,
        },
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    const EXPRESSIONS: [&str; 12] = [
        "-a ^ -2 * b + c",
        "sum by (job, le) (rate(x{a=\"b\", c=~\"d|e\"}[5m] offset -1h @ start()))",
        "topk without () (2, a) or b unless on (c) d and e",
        "a / on (b) group_left (c, d) e == bool ignoring () f",
        "a + fill (0) b - fill_left (1) fill_right (NaN) c",
        "max_over_time(a[1h:5m] @ 12.5 offset 3m)",
        "label_replace(a, \"b\", \"$1\", \"c\", \"(.*)\")",
        "a[5m + step() * 2] offset (1h - max_of(step(), 5m)) == b",
        "a offset -(5m) + b offset - -5m * 2 == b",
        "{__name__=\"a:b\", \"c.d\"=\"e\"} and start",
        "rate(a[5m] anchored) </ 3 >/ 2 atan2 time()",
        "\"text\"",
    ];

    /// What is nested deeply goes through the other parser.
    #[test]
    fn both_parsers_build_the_same() {
        for text in EXPRESSIONS {
            let depth = MAX_ASCENT_DEPTH as usize + 1;
            let deep = format!("{}{text}{}", "(".repeat(depth), ")".repeat(depth));
            let (plain, nested) = (parse(text, &Features::ALL), parse(&deep, &Features::ALL));
            let (plain, nested) = (plain.unwrap(), nested.unwrap());
            let printed = format!("{}{plain}{}", "(".repeat(depth), ")".repeat(depth));
            assert_eq!(nested.to_string(), printed);
            for (one, other) in plain.nodes().iter().zip(nested.nodes()) {
                assert_eq!(one.span.start + depth as u32, other.span.start, "{text}");
                assert_eq!(one.span.len(), other.span.len(), "{text}");
            }
        }
    }

    #[test]
    fn the_deepest_that_is_nested_on_the_stack_fits() {
        let deepest = || {
            let depth = MAX_ASCENT_DEPTH as usize;
            let open = "-a * on (b) group_left (c) -label_replace(-d + ".repeat(depth);
            let close = ", \"e\")".repeat(depth);
            parse(format!("{open}x{close}"), &Features::ALL).is_ok()
        };
        let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(deepest).unwrap();
        assert!(thread.join().unwrap());
    }
}
