//! The pass between lexer and parser.
//!
//! In three places the language cannot be read with one token of look-ahead. Here the tokens
//! there get kinds of their own, so that the grammar has no conflict:
//!
//! - a parenthesis behind `group_left` or `group_right` is always the list of labels;
//! - `offset` with a parenthesis, or with two signs, takes in all the arithmetic behind it, as far
//!   as it goes, while `offset 5m * 3` multiplies the selector;
//! - in the bucket list of a histogram what follows a complete number, up to the next blank, is
//!   dropped (in upstream that is an effect of its error recovery).

use super::context::Context;
use crate::lexer::{Token, TokenKind};

/// Marks tokens in place.
pub(super) fn resolve(tokens: &mut [Token]) {
    // What is open is only looked up where it matters, and each token is looked at once.
    let mut context = Context::new();
    let mut seen = 0;
    let mut at = 0;
    while at < tokens.len() {
        match tokens[at].kind {
            TokenKind::GroupLeft if kind(tokens, at + 1) == Some(TokenKind::LeftParen) => {
                tokens[at].kind = TokenKind::GroupLeftList;
            }
            TokenKind::GroupRight if kind(tokens, at + 1) == Some(TokenKind::LeftParen) => {
                tokens[at].kind = TokenKind::GroupRightList;
            }
            TokenKind::Offset if is_greedy(tokens, at + 1) => {
                while seen < at {
                    context.step(tokens, seen);
                    seen += 1;
                }
                // Where an operand is expected the word is a metric's name.
                if context.follows_operand() {
                    tokens[at].kind = TokenKind::OffsetGreedy;
                    at = mark_arithmetic(tokens, at + 1);
                    continue;
                }
            }
            _ => {}
        }
        at += 1;
    }
}

fn kind(tokens: &[Token], at: usize) -> Option<TokenKind> {
    tokens.get(at).map(|token| token.kind)
}

fn is_sign(kind: Option<TokenKind>) -> bool {
    matches!(kind, Some(TokenKind::Add | TokenKind::Sub))
}

fn is_greedy(tokens: &[Token], at: usize) -> bool {
    kind(tokens, at) == Some(TokenKind::LeftParen)
        || is_sign(kind(tokens, at)) && is_sign(kind(tokens, at + 1))
}

/// Marks the operators of the duration expression that starts at `at`; gives the place behind it.
fn mark_arithmetic(tokens: &mut [Token], mut at: usize) -> usize {
    loop {
        while is_sign(kind(tokens, at)) {
            at += 1;
        }
        match kind(tokens, at) {
            Some(TokenKind::Number | TokenKind::Duration) => at += 1,
            Some(TokenKind::LeftParen) => at = behind_parentheses(tokens, at),
            Some(TokenKind::Step | TokenKind::Range | TokenKind::MaxOf | TokenKind::MinOf) => {
                at = behind_parentheses(tokens, at + 1);
            }
            _ => return at,
        }
        let marked = match kind(tokens, at) {
            Some(TokenKind::Add) => TokenKind::DurationAdd,
            Some(TokenKind::Sub) => TokenKind::DurationSub,
            Some(TokenKind::Mul) => TokenKind::DurationMul,
            Some(TokenKind::Div) => TokenKind::DurationDiv,
            Some(TokenKind::Mod) => TokenKind::DurationMod,
            Some(TokenKind::Pow) => TokenKind::DurationPow,
            _ => return at,
        };
        tokens[at].kind = marked;
        at += 1;
    }
}

/// The place behind the parenthesis that closes the one at `at`.
fn behind_parentheses(tokens: &[Token], at: usize) -> usize {
    if kind(tokens, at) != Some(TokenKind::LeftParen) {
        return at;
    }
    let mut depth = 0usize;
    for (i, token) in tokens.iter().enumerate().skip(at) {
        match token.kind {
            TokenKind::LeftParen => depth += 1,
            TokenKind::RightParen => {
                depth -= 1;
                if depth == 0 {
                    return i + 1;
                }
            }
            _ => {}
        }
    }
    tokens.len()
}

/// Drops what stands in a bucket list between a complete number and the next blank or the end of the
/// list.
pub(super) fn drop_after_bucket_numbers(tokens: &mut Vec<Token>) {
    let mut in_histogram = false;
    let mut in_list = false;
    let mut behind_number = false;
    tokens.retain(|token| {
        match token.kind {
            TokenKind::OpenHistogram => in_histogram = true,
            TokenKind::CloseHistogram => in_histogram = false,
            TokenKind::LeftBracket if in_histogram => in_list = true,
            TokenKind::Space | TokenKind::RightBracket => {
                behind_number = false;
                in_list &= token.kind == TokenKind::Space;
            }
            TokenKind::Number if in_list && !behind_number => {
                behind_number = true;
                return true;
            }
            _ => {}
        }
        !behind_number
    });
}
