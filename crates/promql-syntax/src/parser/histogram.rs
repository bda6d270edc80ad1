//! Histogram literals of series descriptions.

use crate::ast::Sign;
use crate::error::ErrorKind;
use crate::lexer::TokenKind;
use crate::parser::builder::Builder;
use promql_model::{CounterResetHint, DenseHistogram, FloatHistogram};

/// An entry of a literal.
#[derive(Clone, Debug)]
pub(crate) enum Key {
    Integer(TokenKind, i64),
    Float(TokenKind, f64),
    List(TokenKind, Vec<f64>),
    Hint(TokenKind),
}

impl Key {
    /// The token of the key.
    fn token(&self) -> TokenKind {
        match *self {
            Key::Integer(kind, _) | Key::Float(kind, _) | Key::List(kind, _) => kind,
            Key::Hint(_) => TokenKind::CounterResetHintKey,
        }
    }

    /// The key as it is written.
    fn name(&self) -> &'static str {
        match self.token() {
            TokenKind::SumKey => "sum",
            TokenKind::CountKey => "count",
            TokenKind::SchemaKey => "schema",
            TokenKind::OffsetKey => "offset",
            TokenKind::NegativeOffsetKey => "n_offset",
            TokenKind::BucketsKey => "buckets",
            TokenKind::NegativeBucketsKey => "n_buckets",
            TokenKind::ZeroBucketKey => "z_bucket",
            TokenKind::ZeroBucketWidthKey => "z_bucket_w",
            TokenKind::CustomValuesKey => "custom_values",
            _ => "counter_reset_hint",
        }
    }
}

/// A histogram as it was written: each key at most once.
#[derive(Clone, Debug, Default)]
pub(crate) struct HistogramLiteral {
    entries: Vec<Key>,
}

impl HistogramLiteral {
    fn integer(&self, kind: TokenKind) -> i64 {
        let find = |entry: &Key| match *entry {
            Key::Integer(k, value) if k == kind => Some(value),
            _ => None,
        };
        self.entries.iter().find_map(find).unwrap_or(0)
    }

    fn float(&self, kind: TokenKind) -> f64 {
        let find = |entry: &Key| match *entry {
            Key::Float(k, value) if k == kind => Some(value),
            _ => None,
        };
        self.entries.iter().find_map(find).unwrap_or(0.0)
    }

    fn list(&self, kind: TokenKind) -> &[f64] {
        let find = |entry: &'_ Key| matches!(entry, Key::List(k, _) if *k == kind);
        match self.entries.iter().find(|entry| find(entry)) {
            Some(Key::List(_, list)) => list,
            _ => &[],
        }
    }

    pub(super) fn hint_given(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry, Key::Hint(_)))
    }

    /// The histogram. Nothing is checked: counts need not add up.
    pub(super) fn build(&self) -> FloatHistogram {
        let index = |kind| self.integer(kind) as i32;
        let hint = self.entries.iter().find_map(|entry| match entry {
            Key::Hint(TokenKind::ResetHint) => Some(CounterResetHint::Reset),
            Key::Hint(TokenKind::NotResetHint) => Some(CounterResetHint::NotReset),
            Key::Hint(TokenKind::GaugeHint) => Some(CounterResetHint::Gauge),
            _ => None,
        });
        FloatHistogram::from(DenseHistogram {
            schema: index(TokenKind::SchemaKey),
            sum: self.float(TokenKind::SumKey),
            count: self.float(TokenKind::CountKey),
            zero_count: self.float(TokenKind::ZeroBucketKey),
            zero_threshold: self.float(TokenKind::ZeroBucketWidthKey),
            offset: index(TokenKind::OffsetKey),
            buckets: self.list(TokenKind::BucketsKey).to_vec(),
            n_offset: index(TokenKind::NegativeOffsetKey),
            n_buckets: self.list(TokenKind::NegativeBucketsKey).to_vec(),
            custom_values: self.list(TokenKind::CustomValuesKey).to_vec(),
            hint: hint.unwrap_or_default(),
        })
    }
}

/// The next histogram of a progression, or what is wrong with it in upstream's words.
pub(super) fn step(
    value: &FloatHistogram,
    sign: Sign,
    delta: &FloatHistogram,
) -> Result<FloatHistogram, String> {
    if value.schema() > delta.schema() {
        let (from, to) = (delta.schema(), value.schema());
        return Err(format!("error combining histograms: cannot merge from schema {from} to {to}"));
    }
    let mut next = value.clone();
    let combined = match sign {
        Sign::Plus => next.add(delta),
        Sign::Minus => next.subtract(delta),
    };
    combined.map(|_| next).map_err(|error| error.to_string())
}

impl Builder<'_> {
    pub(crate) fn empty_histogram(&mut self) -> u32 {
        self.series.histograms.push(HistogramLiteral::default());
        self.series.histograms.len() as u32 - 1
    }

    pub(crate) fn first_entry(&mut self) -> u32 {
        let place = self.empty_histogram();
        self.next_entry(place)
    }

    pub(crate) fn next_entry(&mut self, histogram: u32) -> u32 {
        let Some(entry) = self.series.entry.take() else { return histogram };
        let entries = &mut self.series.histograms[histogram as usize].entries;
        if entries.iter().any(|known| known.token() == entry.token()) {
            self.raise_in_histogram(ErrorKind::DuplicateHistogramKey(entry.name()), 0);
        } else {
            entries.push(entry);
        }
        histogram
    }

    pub(crate) fn integer_entry(&mut self, key: u32, negative: bool) {
        let magnitude = self.whole_number(key + 2 + u32::from(negative)) as i64;
        let value = if negative { magnitude.wrapping_neg() } else { magnitude };
        self.series.entry = Some(Key::Integer(self.token_kind(key), value));
    }

    pub(crate) fn float_entry(&mut self, key: u32, negative: bool) {
        let sign = negative.then_some(Sign::Minus);
        let value = self.series_number(sign, key + 2 + u32::from(negative));
        self.series.entry = Some(Key::Float(self.token_kind(key), value));
    }

    pub(crate) fn buckets_entry(&mut self, key: u32) {
        let list = std::mem::take(&mut self.series.buckets);
        self.series.entry = Some(Key::List(self.token_kind(key), list));
    }

    pub(crate) fn hint_entry(&mut self, key: u32) {
        self.series.entry = Some(Key::Hint(self.token_kind(key + 2)));
    }

    pub(crate) fn bucket(&mut self, negative: bool, token: u32) {
        let value = self.series_number(negative.then_some(Sign::Minus), token);
        self.series.buckets.push(value);
    }
}
