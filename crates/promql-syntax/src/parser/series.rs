//! Label sets and the values of series descriptions.

use lalrpop_util::ParseError;

use super::histogram::{HistogramLiteral, Key};
use crate::Features;
use crate::ast::Sign;
use crate::error::{ErrorKind, Errors};
use crate::lexer::{Token, TokenKind, decode_string};
use crate::parser::builder::Builder;
use crate::parser::duration::parse_number;
use crate::parser::terminal::Terminal;
use crate::parser::{check_end, read_tokens, run};
use crate::series::{SequenceValue, SeriesDescription};
use crate::span::Span;
use promql_model::{FloatHistogram, Labels, LabelsBuilder, METRIC_NAME, stale_nan};

/// How many values a series description may stand for: ten million. Upstream has no limit and runs
/// out of memory instead.
pub const MAX_SERIES_VALUES: usize = 10_000_000;

/// Reads the notation for a series and its samples.
///
/// ```
/// use promql_syntax::{SequenceValue, parse_series};
/// let series = parse_series(r#"requests_total{job="api"} 0+10x2 _ stale"#)?;
/// assert_eq!(series.labels.metric_name(), Some("requests_total"));
/// assert_eq!(series.values[2], SequenceValue::Float(20.0));
/// assert_eq!(series.values[3], SequenceValue::Omitted);
/// # Ok::<(), promql_syntax::Errors>(())
/// ```
///
/// # Errors
/// The first error.
pub fn parse_series(text: &str) -> Result<SeriesDescription, Errors> {
    let source = text.as_bytes();
    let tokens = read_tokens(source, TokenKind::StartSeries)?;
    let mut builder = Builder::new(source, &tokens.tokens, Features::ALL);
    let end = run(&mut builder, &tokens, TokenKind::StartSeries);
    check_end(source, &tokens, TokenKind::StartSeries, &builder, end)?;
    let values = std::mem::take(&mut builder.series.values);
    Ok(SeriesDescription { labels: builder.series.labels(), values })
}

/// What the productions of a label set and of a series collect.
#[derive(Default)]
pub(crate) struct SeriesBuilder {
    /// The labels as they were written; the name in front of the braces comes last and counts.
    labels: LabelsBuilder,
    values: Vec<SequenceValue>,
    pub(super) histograms: Vec<HistogramLiteral>,
    /// The bucket counts of the list that is being read.
    pub(super) buckets: Vec<f64>,
    /// The entry of a histogram that has just been read.
    pub(super) entry: Option<Key>,
}

impl SeriesBuilder {
    pub(super) fn labels(&self) -> Labels {
        self.labels.clone().build()
    }
}

impl Builder<'_> {
    fn decoded(&self, token: u32) -> String {
        let text = self.token_text(token);
        if self.token_kind(token) != TokenKind::String {
            return String::from_utf8_lossy(text).into_owned();
        }
        let mut bytes = Vec::new();
        decode_string(text, &mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    pub(crate) fn set_metric_name(&mut self, token: u32) {
        let name = self.decoded(token);
        self.series.labels.set(METRIC_NAME, name);
    }

    pub(crate) fn add_label(&mut self, name: u32, value: u32) {
        let (name, value) = (self.decoded(name), self.decoded(value));
        self.series.labels.set(name, value);
    }

    pub(crate) fn add_name(&mut self, token: u32) {
        self.set_metric_name(token);
    }

    /// The number of a repetition, a schema or an offset: digits only.
    pub(super) fn whole_number(&mut self, token: u32) -> u64 {
        let text = self.token_text(token);
        let digits = std::str::from_utf8(text).unwrap_or_default();
        digits.parse::<u64>().unwrap_or_else(|_| {
            let out_of_range = text.iter().all(u8::is_ascii_digit);
            let kind = ErrorKind::BadRepetition(text.into(), out_of_range);
            self.raise(kind, self.token_span(token), token);
            0
        })
    }

    pub(crate) fn series_number(&mut self, sign: Option<Sign>, token: u32) -> f64 {
        let value = parse_number(self.token_text(token)).unwrap_or_else(|kind| {
            self.raise(kind, self.token_span(token), token);
            0.0
        });
        if sign == Some(Sign::Minus) { -value } else { value }
    }

    /// A word among the values: only `stale` is one.
    pub(crate) fn stale(&mut self, token: u32) -> Result<f64, ParseError<u32, Terminal, ()>> {
        if self.token_text(token) == b"stale" {
            return Ok(stale_nan());
        }
        self.refused = Some(token);
        Err(ParseError::User { error: () })
    }

    /// How many times a value is repeated, as far as there is room for that many.
    fn repetitions(&mut self, token: u32, extra: usize) -> usize {
        let count = usize::try_from(self.whole_number(token)).unwrap_or(usize::MAX);
        let count = count.saturating_add(extra);
        if count > MAX_SERIES_VALUES - self.series.values.len().min(MAX_SERIES_VALUES) {
            let kind = ErrorKind::TooManyValues(MAX_SERIES_VALUES);
            self.raise(kind, self.token_span(token), token);
            return 0;
        }
        count
    }

    pub(crate) fn omit(&mut self, times: Option<u32>) {
        let count = times.map_or(1, |token| self.repetitions(token, 0));
        self.series.values.extend(std::iter::repeat_n(SequenceValue::Omitted, count));
    }

    pub(crate) fn value(&mut self, value: f64, times: Option<u32>) {
        let count = times.map_or(1, |token| self.repetitions(token, 1));
        self.series.values.extend(std::iter::repeat_n(SequenceValue::Float(value), count));
    }

    pub(crate) fn progression(&mut self, first: f64, sign: Sign, delta: u32, times: u32) {
        let delta = self.series_number(Some(sign), delta);
        let count = self.repetitions(times, 1);
        let mut value = first;
        for _ in 0..count {
            self.series.values.push(SequenceValue::Float(value));
            value += delta;
        }
    }

    pub(crate) fn histogram(&mut self, histogram: u32, times: Option<u32>) {
        let count = times.map_or(1, |token| self.repetitions(token, 1));
        let literal = &self.series.histograms[histogram as usize];
        let value = SequenceValue::Histogram {
            histogram: Box::new(literal.build()),
            hint_given: literal.hint_given(),
        };
        self.series.values.extend(std::iter::repeat_n(value, count));
    }

    pub(crate) fn histogram_progression(&mut self, first: u32, sign: Sign, delta: u32, times: u32) {
        let count = self.repetitions(times, 1);
        let mut value: FloatHistogram = self.series.histograms[first as usize].build();
        let literal = &self.series.histograms[delta as usize];
        let (delta, hint_given) = (literal.build(), literal.hint_given());
        for position in 0..count {
            if position > 0 {
                match super::histogram::step(&value, sign, &delta) {
                    Ok(next) => value = next,
                    Err(message) => {
                        let kind = ErrorKind::BadHistogramArithmetic(message.into());
                        self.raise(kind, self.token_span(times), times);
                        return;
                    }
                }
            }
            let histogram = Box::new(value.clone());
            self.series.values.push(SequenceValue::Histogram { histogram, hint_given });
        }
    }

    pub(super) fn raise_in_histogram(&mut self, kind: ErrorKind, token: u32) {
        // Upstream gives no position.
        self.raise(kind, Span::new(0, 0), token);
    }
}

/// What upstream says about a token that cannot stand in a label set or a series: the construct and
/// what belongs there.
pub(super) fn names(
    source: &[u8],
    tokens: &[Token],
    start: TokenKind,
    failed: usize,
) -> (Option<&'static str>, Option<&'static str>) {
    use TokenKind as T;
    let before = &tokens[..failed];
    let opened = before.iter().position(|token| token.kind == T::LeftBrace);
    let closed = before.iter().position(|token| token.kind == T::RightBrace);
    if let (Some(opened), None) = (opened, closed) {
        let expected = match &before[opened + 1..] {
            [] | [.., Token { kind: T::Comma, .. }] => "identifier or \"}\"",
            [.., Token { kind: T::Assign, .. }] => "string",
            [.., Token { kind: T::Identifier, .. }] => "\"=\"",
            _ => "\",\" or \"}\"",
        };
        return (Some("label set"), Some(expected));
    }
    if start == T::StartMetric {
        return (None, None);
    }
    // Upstream takes up again from the beginning of the values, unless the values so far are whole.
    let in_values = (Some("series values"), None);
    let Some(space) = last_item(before) else { return in_values };
    let item = &before[space + 1..];
    if let Some(open) = item.iter().rposition(|token| token.kind == T::OpenHistogram)
        && !item[open..].iter().any(|token| token.kind == T::CloseHistogram)
    {
        return match first_entry_is_complete(&item[open + 1..]) {
            true => {
                let expected = "histogram description key, e.g. buckets:[5 10 7]";
                (Some("histogram description"), Some(expected))
            }
            false => in_values,
        };
    }
    match tokens.get(failed) {
        Some(token) if item.is_empty() && token.kind == T::Identifier => {
            match &source[token.span.range()] {
                b"stale" => in_values,
                _ => (Some("series values"), Some("number or \"stale\"")),
            }
        }
        _ if item.is_empty() || item_is_complete(item) => (None, None),
        _ => in_values,
    }
}

/// The blank in front of the item that is being read.
fn last_item(tokens: &[Token]) -> Option<usize> {
    let mut depth = 0;
    let mut found = None;
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::OpenHistogram => depth += 1,
            TokenKind::CloseHistogram => depth -= 1,
            TokenKind::Space if depth == 0 => found = Some(at),
            _ => {}
        }
    }
    found
}

fn first_entry_is_complete(entries: &[Token]) -> bool {
    let mut in_list = false;
    for (at, token) in entries.iter().enumerate() {
        match token.kind {
            TokenKind::LeftBracket => in_list = true,
            TokenKind::RightBracket => return true,
            TokenKind::Number if !in_list => return true,
            TokenKind::UnknownHint
            | TokenKind::ResetHint
            | TokenKind::NotResetHint
            | TokenKind::GaugeHint => return at > 0,
            _ => {}
        }
    }
    false
}

/// Whether the tokens are a whole item: `_`, a value, or one with a repetition.
fn item_is_complete(item: &[Token]) -> bool {
    use TokenKind as T;
    let signed = match item {
        [Token { kind: T::Add | T::Sub, .. }, rest @ ..] => rest,
        _ => item,
    };
    let mut parts: Vec<T> = Vec::new();
    let mut depth = 0;
    for token in signed {
        match token.kind {
            T::OpenHistogram => depth += 1,
            T::CloseHistogram => {
                depth -= 1;
                parts.push(T::Number);
            }
            _ if depth > 0 => {}
            T::Identifier => parts.push(T::Number),
            kind => parts.push(kind),
        }
    }
    matches!(
        parts[..],
        [T::Blank | T::Number]
            | [T::Blank | T::Number, T::Times, T::Number]
            | [T::Number, T::Add | T::Sub, T::Number, T::Times, T::Number]
    )
}
