//! Numbers, durations, and the arithmetic in brackets and offsets.

use crate::ast::{BinaryOp, Duration, DurationId, DurationKind, DurationNode, Sign};
use crate::error::ErrorKind;
use crate::lexer::TokenKind;
use crate::parser::builder::{Builder, Chain, Pending};
use crate::span::Span;

/// The most seconds whose nanoseconds fit 64 bits.
const MAX_SECONDS: f64 = 9_223_372_036.854_775;

/// A duration under construction. Literals only become nodes where they are part of an expression.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Dur {
    /// A number of seconds.
    Literal {
        /// Seconds.
        value: f64,
        /// Whether it was written as a duration.
        is_duration: bool,
        /// The range of the literal with the signs folded into it.
        span: Span,
    },
    /// An expression.
    Node(DurationId),
}

impl Dur {
    /// What takes the place of something that cannot be computed.
    const ZERO: Dur = Dur::Literal { value: 0.0, is_duration: false, span: Span::new(0, 0) };
}

/// To the nearest integer, halves away from zero. What doesn't fit becomes the smallest integer,
/// as in the conversion that upstream's hardware does.
pub(crate) fn round_half_away(value: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    let rounded = value.round();
    if (-LIMIT..LIMIT).contains(&rounded) { rounded as i64 } else { i64::MIN }
}

impl Builder<'_> {
    /// The value of a number, or of a duration in seconds, and whether it is a duration. An
    /// invalid one counts as 0.
    pub(super) fn number_or_duration(&mut self, token: u32) -> (f64, bool) {
        let text = self.token_text(token);
        if text.is_empty() {
            // The token was made up after an error.
            return (1.0, false);
        }
        let is_duration = self.token_kind(token) == TokenKind::Duration;
        let result = if is_duration { parse_duration_seconds(text) } else { parse_number(text) };
        let value = result.unwrap_or_else(|kind| {
            self.raise(kind, self.token_span(token), token);
            0.0
        });
        (value, is_duration)
    }

    /// Checks a range or a step.
    pub(super) fn positive(&mut self, duration: Dur, last_token: u32) -> Duration {
        match duration {
            Dur::Literal { value, span, .. } => {
                if value <= 0.0 {
                    self.raise_after_lookahead(ErrorKind::DurationNotPositive, span, last_token);
                }
                Duration::Literal(round_half_away(value * 1e9))
            }
            Dur::Node(id) => Duration::Expr(id),
        }
    }

    pub(crate) fn duration_literal(&mut self, token: u32) -> Dur {
        let (value, is_duration) = self.number_or_duration(token);
        let span = self.token_span(token);
        self.in_range(value, is_duration, span, span, token)
    }

    /// A literal behind `offset`.
    pub(crate) fn offset_literal(&mut self, sign: Option<u32>, token: u32) -> Dur {
        let Some(sign) = sign else { return self.duration_literal(token) };
        let (value, is_duration) = self.number_or_duration(token);
        let value = if self.token_kind(sign) == TokenKind::Sub { -value } else { value };
        let span = self.token_span(sign).to(self.token_span(token));
        self.in_range(value, is_duration, span, self.token_span(sign), token)
    }

    fn in_range(&mut self, value: f64, is_duration: bool, span: Span, at: Span, last: u32) -> Dur {
        if value.abs() > MAX_SECONDS {
            self.raise(ErrorKind::DurationOutOfRange, at, last);
            return Dur::ZERO;
        }
        Dur::Literal { value, is_duration, span }
    }

    pub(crate) fn begin_duration_chain(&mut self, operand: Dur) -> Chain {
        let base = self.scratch.operators.len() as u32;
        self.scratch.durations.push(operand);
        Chain(base)
    }

    pub(crate) fn begin_signed_duration_chain(
        &mut self,
        first_sign: u32,
        end_of_signs: u32,
        operand: Dur,
    ) -> Chain {
        let base = self.scratch.operators.len() as u32;
        self.push_signs(first_sign, end_of_signs);
        self.scratch.durations.push(operand);
        Chain(base)
    }

    pub(crate) fn extend_duration_chain(
        &mut self,
        chain: Chain,
        operator: u32,
        first_sign: u32,
        end_of_signs: u32,
        operand: Dur,
    ) -> Chain {
        let op = self.token_kind(operator).binary_op().unwrap_or(BinaryOp::Add);
        self.reduce_durations(chain, operator - 1, |pending| pending.binds_before(op));
        self.scratch.operators.push(Pending::Binary(op, operator, None));
        self.push_signs(first_sign, end_of_signs);
        self.scratch.durations.push(operand);
        chain
    }

    pub(crate) fn finish_duration_chain(&mut self, chain: Chain, end: u32) -> Dur {
        self.reduce_durations(chain, end - 1, |_| true);
        self.scratch.durations.pop().unwrap_or(Dur::ZERO)
    }

    fn reduce_durations(&mut self, chain: Chain, last: u32, binds: impl Fn(Pending) -> bool) {
        while self.scratch.operators.len() > chain.0 as usize {
            let Some(&pending) = self.scratch.operators.last() else { return };
            if !binds(pending) {
                return;
            }
            self.scratch.operators.pop();
            let Some(operand) = self.scratch.durations.pop() else { return };
            let result = match pending {
                Pending::Sign(sign, token) => self.signed(sign, token, operand),
                Pending::Binary(op, token, _) => {
                    let Some(lhs) = self.scratch.durations.pop() else { return };
                    self.duration_operation(op, token, lhs, operand, last)
                }
            };
            self.scratch.durations.push(result);
        }
    }

    /// A sign inside a duration expression: plus disappears.
    fn signed(&mut self, sign: Sign, token: u32, operand: Dur) -> Dur {
        let start = self.token_span(token).start;
        match (operand, sign) {
            (Dur::Literal { value, is_duration, span }, _) => {
                let value = if sign == Sign::Minus { -value } else { value };
                Dur::Literal { value, is_duration, span: Span::new(start, span.end) }
            }
            (Dur::Node(_), Sign::Plus) => operand,
            (Dur::Node(id), Sign::Minus) => self.unary_duration(sign, start, id),
        }
    }

    fn unary_duration(&mut self, sign: Sign, start: u32, operand: DurationId) -> Dur {
        let span = Span::new(start, self.duration_span(operand).end);
        self.duration_node(DurationKind::Unary(sign, operand), span)
    }

    fn duration_operation(
        &mut self,
        op: BinaryOp,
        operator: u32,
        lhs: Dur,
        rhs: Dur,
        last: u32,
    ) -> Dur {
        if let Dur::Literal { value: 0.0, .. } = rhs {
            let kind = match op {
                BinaryOp::Div => Some(ErrorKind::DivisionByZero),
                BinaryOp::Mod => Some(ErrorKind::ModuloByZero),
                _ => None,
            };
            if let Some(kind) = kind {
                self.raise_after_lookahead(kind, self.token_span(operator), last);
                return Dur::ZERO;
            }
        }
        let (lhs, rhs) = (self.materialise(lhs), self.materialise(rhs));
        let span = Span::new(self.duration_span(lhs).start, self.duration_span(rhs).end);
        self.duration_node(DurationKind::Binary(op, lhs, rhs), span)
    }

    /// A duration in parentheses, of which the first is given.
    pub(crate) fn wrapped_duration(&mut self, parenthesis: u32, inner: Dur) -> Dur {
        let start = self.token_span(parenthesis).start;
        Dur::Node(self.wrap(start, inner))
    }

    /// A literal becomes a node of its own, which starts here.
    fn wrap(&mut self, start: u32, inner: Dur) -> DurationId {
        let id = match inner {
            Dur::Literal { span, .. } => {
                let literal = self.materialise(inner);
                let span = Span::new(start, span.end);
                self.push_duration(DurationKind::Unary(Sign::Plus, literal), span)
            }
            Dur::Node(id) => id,
        };
        self.tree.durations[id.0 as usize].wrapped = true;
        id
    }

    /// A sign in front of `step()` and the like behind `offset`.
    pub(crate) fn signed_duration(&mut self, sign: u32, operand: Dur) -> Dur {
        let id = self.materialise(operand);
        let kind = if self.token_kind(sign) == TokenKind::Sub { Sign::Minus } else { Sign::Plus };
        self.unary_duration(kind, self.token_span(sign).start, id)
    }

    /// A sign in front of parentheses behind `offset`. Plus disappears, and a literal's node starts
    /// at the literal there, not at the parenthesis.
    pub(crate) fn signed_wrapped_duration(&mut self, sign: u32, inner: Dur) -> Dur {
        let start = match inner {
            Dur::Literal { span, .. } => span.start,
            Dur::Node(id) => self.duration_span(id).start,
        };
        let wrapped = Dur::Node(self.wrap(start, inner));
        match self.token_kind(sign) {
            TokenKind::Sub => self.signed_duration(sign, wrapped),
            _ => wrapped,
        }
    }

    /// `step()` or `range()`.
    pub(crate) fn duration_variable(&mut self, word: u32, end: u32) -> Dur {
        let kind = match self.token_kind(word) {
            TokenKind::Step => DurationKind::Step,
            _ => DurationKind::Range,
        };
        self.duration_node(kind, self.tokens_span(word, end))
    }

    /// `max_of(…)` or `min_of(…)`.
    pub(crate) fn duration_function(&mut self, word: u32, lhs: Dur, rhs: Dur) -> Dur {
        let (lhs, rhs) = (self.materialise(lhs), self.materialise(rhs));
        let span = Span::new(self.duration_span(lhs).start, self.duration_span(rhs).end);
        let kind = match self.token_kind(word) {
            TokenKind::MaxOf => DurationKind::MaxOf(lhs, rhs),
            _ => DurationKind::MinOf(lhs, rhs),
        };
        self.duration_node(kind, span)
    }

    fn duration_span(&self, id: DurationId) -> Span {
        self.tree.durations[id.0 as usize].span
    }

    fn duration_node(&mut self, kind: DurationKind, span: Span) -> Dur {
        Dur::Node(self.push_duration(kind, span))
    }

    fn push_duration(&mut self, kind: DurationKind, span: Span) -> DurationId {
        let id = DurationId(self.tree.durations.len() as u32);
        self.tree.durations.push(DurationNode { kind, wrapped: false, span });
        id
    }

    /// The node of a duration.
    fn materialise(&mut self, duration: Dur) -> DurationId {
        match duration {
            Dur::Node(id) => id,
            Dur::Literal { value, is_duration, span } => {
                self.push_duration(DurationKind::Literal { value, is_duration }, span)
            }
        }
    }
}

/// The seconds of a duration such as `1h30m`.
fn parse_duration_seconds(text: &[u8]) -> Result<f64, ErrorKind> {
    // Nearly all durations are one or two digits and a unit.
    if let Some((&unit, digits @ ([_] | [_, _]))) = text.split_last()
        && digits.iter().all(u8::is_ascii_digit)
        && let Some(seconds) = match unit {
            b's' => Some(1u32),
            b'm' => Some(60),
            b'h' => Some(3600),
            b'd' => Some(86_400),
            _ => None,
        }
    {
        let count = digits.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
        return Ok(f64::from(count * seconds));
    }
    let nanos = match promql_model::parse_duration(std::str::from_utf8(text).unwrap_or_default()) {
        Ok(nanos) => nanos,
        Err(error) => return Err(ErrorKind::BadDuration(error.to_string().into())),
    };
    Ok((nanos / 1_000_000_000) as f64 + (nanos % 1_000_000_000) as f64 / 1e9)
}

/// The value of a number, as Go reads it: an integer with its base by the prefix if it is one, and
/// otherwise a decimal float.
pub(crate) fn parse_number(text: &[u8]) -> Result<f64, ErrorKind> {
    if text.len() <= 15 && text[0] != b'0' && text.iter().all(u8::is_ascii_digit) {
        let value = text.iter().fold(0u64, |sum, digit| sum * 10 + u64::from(digit - b'0'));
        return Ok(value as f64);
    }
    let invalid = || ErrorKind::BadNumber(text.into());
    if text.eq_ignore_ascii_case(b"inf") {
        return Ok(f64::INFINITY);
    }
    if text.eq_ignore_ascii_case(b"nan") {
        return Ok(f64::NAN);
    }
    if let Some(value) = parse_integer(text) {
        return Ok(value as f64);
    }
    if !underscores_separate_digits(text) || !text.iter().all(|b| b"0123456789._eE+-".contains(b)) {
        return Err(invalid());
    }
    let digits: String = text.iter().filter(|&&b| b != b'_').map(|&b| char::from(b)).collect();
    match digits.parse::<f64>() {
        Ok(value) if value.is_infinite() => Err(ErrorKind::NumberOutOfRange(text.into())),
        Ok(value) => Ok(value),
        Err(_) => Err(invalid()),
    }
}

/// An integer of 64 bits in the syntax of Go, without a sign.
fn parse_integer(text: &[u8]) -> Option<i64> {
    let (base, digits) = match text {
        [b'0', b'x' | b'X', digits @ ..] => (16, digits),
        [b'0', digits @ ..] if !digits.is_empty() => (8, digits),
        _ => (10, text),
    };
    let mut value: i64 = 0;
    let mut digit_seen = false;
    let mut after_underscore = false;
    // Behind a prefix an underscore may come first.
    let mut underscore_allowed = base != 10;
    for &byte in digits {
        if byte == b'_' {
            if !underscore_allowed {
                return None;
            }
            underscore_allowed = false;
            after_underscore = true;
            continue;
        }
        let digit = (byte as char).to_digit(base)?;
        value = value.checked_mul(i64::from(base))?.checked_add(i64::from(digit))?;
        digit_seen = true;
        underscore_allowed = true;
        after_underscore = false;
    }
    (digit_seen && !after_underscore).then_some(value)
}

/// Whether each underscore stands between digits.
fn underscores_separate_digits(text: &[u8]) -> bool {
    text.iter().enumerate().all(|(at, &byte)| {
        let digit =
            |at: Option<usize>| at.and_then(|at| text.get(at)).is_some_and(u8::is_ascii_digit);
        byte != b'_' || digit(at.checked_sub(1)) && digit(Some(at + 1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> String {
        match parse_number(text.as_bytes()) {
            Ok(value) => value.to_string(),
            Err(kind) => kind.to_string(),
        }
    }

    #[test]
    fn values() {
        for (text, value) in [
            ("0755", "493"),
            ("010.5", "10.5"),
            ("08", "8"),
            ("0888", "888"),
            ("01e3", "1000"),
            ("0_755", "493"),
            ("9223372036854775808", "9223372036854776000"),
            ("0x1F", "31"),
            ("0X_1f", "31"),
            ("1_000", "1000"),
            ("00_1_23_4.56_7_8", "1234.5678"),
            ("1e1_0", "10000000000"),
            (".5", "0.5"),
            ("5.", "5"),
            ("0", "0"),
            ("INF", "inf"),
        ] {
            assert_eq!(number(text), value, "{text}");
        }
        for text in ["0x", "0.5.5", ".5.5", "1e5.5", "0xffffffffffffffff"] {
            assert!(number(text).ends_with("invalid syntax"), "{text}: {}", number(text));
        }
        assert!(number("1e309").ends_with("value out of range"));
    }
}
