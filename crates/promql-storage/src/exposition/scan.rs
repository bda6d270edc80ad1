//! What the two exposition formats have in common below the level of a line: names, quoted
//! strings, label sets.

use std::borrow::Cow;
use std::ops::Range;

use super::fault::{Fault, FaultKind};

/// A label as it was written, unescaped.
pub(super) type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// A place in the text, and the parts of the sample that is being read.
#[derive(Debug)]
pub(super) struct Scanner<'a> {
    pub(super) source: &'a [u8],
    pub(super) at: usize,
    /// The metric's name, empty before it is found.
    pub(super) name: Cow<'a, str>,
    /// The labels in the order of the text. Those with an empty value are left out.
    pub(super) labels: Vec<Pair<'a>>,
    /// Whether `name` was found.
    named: bool,
}

/// How a format writes label sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LabelStyle {
    /// Blanks may stand between any two tokens, and the comma may be missing.
    pub(super) loose: bool,
    /// Line breaks may stand in quoted values.
    pub(super) line_breaks: bool,
}

/// The classes of characters of names.
const LABEL_FIRST: u8 = 1;
const METRIC_FIRST: u8 = 2;
const DIGIT: u8 = 4;

const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => LABEL_FIRST | METRIC_FIRST,
            b':' => METRIC_FIRST,
            b'0'..=b'9' => DIGIT,
            _ => 0,
        };
        byte += 1;
    }
    classes
};

pub(super) fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

impl<'a> Scanner<'a> {
    pub(super) fn new(source: &'a [u8]) -> Self {
        Scanner { source, at: 0, name: Cow::Borrowed(""), labels: Vec::new(), named: false }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.source.get(self.at).copied()
    }

    /// Takes the byte if it is the next one.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Takes blanks and tabs; how many.
    pub(super) fn take_blanks(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_some_and(is_blank) {
            self.at += 1;
        }
        self.at - start
    }

    /// Moves to the line break that ends this line, or to the end of the text.
    pub(super) fn take_line(&mut self) {
        let rest = &self.source[self.at..];
        self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    }

    /// Moves behind the line break that ends this line, or to the end of the text.
    pub(super) fn skip_line(&mut self) {
        self.take_line();
        self.at = self.source.len().min(self.at + 1);
    }

    /// Takes bytes up to one that `ends`.
    pub(super) fn take_until(&mut self, ends: impl Fn(u8) -> bool) -> Range<usize> {
        let start = self.at;
        while self.peek().is_some_and(|byte| !ends(byte)) {
            self.at += 1;
        }
        start..self.at
    }

    /// A fault about a place.
    pub(super) fn fault<T>(&self, kind: FaultKind, place: Range<usize>) -> Result<T, Fault> {
        Err(Fault::new(kind, place))
    }

    /// A fault about the character, blank or line break that comes next.
    pub(super) fn unexpected<T>(&self, kind: FaultKind) -> Result<T, Fault> {
        self.fault(kind, self.at..self.char_end(self.at))
    }

    /// The end of the character that begins at `at`.
    fn char_end(&self, at: usize) -> usize {
        let mut end = self.source.len().min(at + 1);
        while end < self.source.len() && end < at + 4 && self.source[end] & 0xc0 == 0x80 {
            end += 1;
        }
        end
    }

    fn take_class(&mut self, first: u8) -> Option<&'a str> {
        let start = self.at;
        if CLASSES[usize::from(self.peek()?)] & first == 0 {
            return None;
        }
        while self.peek().is_some_and(|byte| CLASSES[usize::from(byte)] & (first | DIGIT) != 0) {
            self.at += 1;
        }
        std::str::from_utf8(&self.source[start..self.at]).ok()
    }

    /// Takes a metric name without quotes.
    pub(super) fn take_metric_name(&mut self) -> Option<&'a str> {
        self.take_class(METRIC_FIRST)
    }

    /// Takes a quoted string; the scanner is at its opening quote. `\\`, `\"` and `\n` are
    /// escapes, any other backslash stands for itself.
    pub(super) fn take_quoted(&mut self, line_breaks: bool) -> Result<Cow<'a, str>, Fault> {
        let open = self.at;
        let start = open + 1;
        let mut at = start;
        let mut escaped = false;
        loop {
            let rest = self.source.get(at..).unwrap_or_default();
            match memchr::memchr2(b'"', b'\\', rest) {
                Some(found) if rest[found] == b'"' => {
                    at += found;
                    break;
                }
                Some(found) => {
                    escaped = true;
                    at += found + 2;
                }
                None => {
                    self.take_line();
                    return self.fault(FaultKind::UnclosedQuote, open..self.at);
                }
            }
        }
        let inner = &self.source[start..at];
        if !line_breaks && memchr::memchr(b'\n', inner).is_some() {
            self.take_line();
            return self.fault(FaultKind::LineBreakInQuotes, open..self.at);
        }
        self.at = at + 1;
        match std::str::from_utf8(inner) {
            Ok(text) if escaped => Ok(unescape(text, true)),
            Ok(text) => Ok(Cow::Borrowed(text)),
            Err(error) => {
                let bad = start + error.valid_up_to();
                let length = error.error_len().unwrap_or(at - bad);
                self.fault(FaultKind::NotUtf8, bad..bad + length)
            }
        }
    }

    /// Takes a name with or without quotes, as HELP and TYPE lines have it.
    pub(super) fn take_name_or_quoted(&mut self) -> Result<Cow<'a, str>, Fault> {
        if self.peek() == Some(b'"') {
            let start = self.at;
            let name = self.take_quoted(false)?;
            if name.is_empty() {
                return self.fault(FaultKind::EmptyLabelName, start..self.at);
            }
            return Ok(name);
        }
        match self.take_metric_name() {
            Some(name) => Ok(Cow::Borrowed(name)),
            None => self.unexpected(FaultKind::MetadataName),
        }
    }

    /// Takes the name and the labels of a sample.
    pub(super) fn take_series(&mut self, style: LabelStyle) -> Result<(), Fault> {
        self.labels.clear();
        let start = self.at;
        let name = self.take_metric_name();
        self.named = name.is_some();
        self.name = Cow::Borrowed(name.unwrap_or_default());
        if style.loose {
            self.take_blanks();
        }
        if self.peek() == Some(b'{') {
            self.take_labels(style)?;
        }
        if !self.named {
            return self.fault(FaultKind::NoMetricName, start..self.at);
        }
        Ok(())
    }

    /// Takes `{…}`; the scanner is at the opening brace.
    fn take_labels(&mut self, style: LabelStyle) -> Result<(), Fault> {
        let open = self.at;
        self.at += 1;
        loop {
            self.label_blanks(style)?;
            if self.take(b'}') {
                break;
            }
            self.take_item(style)?;
            self.label_blanks(style)?;
            if self.take(b',') || self.peek() == Some(b'}') || style.loose {
                continue;
            }
            return self.unexpected(FaultKind::ExpectedComma);
        }
        self.refuse_duplicates(open)
    }

    /// Blanks inside braces: taken, or a fault.
    fn label_blanks(&mut self, style: LabelStyle) -> Result<(), Fault> {
        if style.loose {
            self.take_blanks();
        } else if self.peek().is_some_and(is_blank) {
            return self.unexpected(FaultKind::BlankInOpenMetrics);
        }
        Ok(())
    }

    /// Takes `name="value"` or a lone quoted metric name.
    fn take_item(&mut self, style: LabelStyle) -> Result<(), Fault> {
        let start = self.at;
        let quoted = self.peek() == Some(b'"');
        let name = if quoted {
            self.take_quoted(style.line_breaks)?
        } else {
            match self.take_class(LABEL_FIRST) {
                Some(name) => Cow::Borrowed(name),
                None => return self.unexpected(FaultKind::ExpectedLabelName),
            }
        };
        let place = start..self.at;
        if name.is_empty() {
            return self.fault(FaultKind::EmptyLabelName, place);
        }
        self.label_blanks(style)?;
        if matches!(self.peek(), Some(b',' | b'}')) {
            if !quoted {
                return self.fault(FaultKind::UnquotedNameInBraces, place);
            }
            if self.named {
                return self.fault(FaultKind::MetricNameTwice, place);
            }
            self.named = true;
            self.name = name;
            return Ok(());
        }
        if !self.take(b'=') {
            return self.unexpected(FaultKind::ExpectedEquals);
        }
        self.label_blanks(style)?;
        if self.peek() != Some(b'"') {
            return self.unexpected(FaultKind::ExpectedLabelValue);
        }
        let value = self.take_quoted(style.line_breaks)?;
        if name == promql_model::METRIC_NAME {
            return self.fault(FaultKind::NameAsLabel, place);
        }
        if !value.is_empty() {
            self.labels.push((name, value));
        }
        Ok(())
    }

    /// A label may be given once. Few labels are compared with each other, many are sorted.
    fn refuse_duplicates(&self, open: usize) -> Result<(), Fault> {
        let labels = &self.labels;
        let twice = if labels.len() <= 16 {
            (1..labels.len()).find(|i| labels[..*i].iter().any(|(name, _)| *name == labels[*i].0))
        } else {
            let mut order: Vec<usize> = (0..labels.len()).collect();
            order.sort_by(|a, b| labels[*a].0.cmp(&labels[*b].0).then(a.cmp(b)));
            order.windows(2).find(|w| labels[w[0]].0 == labels[w[1]].0).map(|w| w[1])
        };
        let Some(twice) = twice else { return Ok(()) };
        let name = &*labels[twice].0;
        // The place of the second one: its name is the last occurrence in this label set.
        let place = memchr::memmem::rfind(&self.source[open..self.at], name.as_bytes())
            .map_or(open..self.at, |found| open + found..open + found + name.len());
        self.fault(FaultKind::DuplicateLabel, place)
    }
}

/// Replaces `\\`, `\n` and, in `quoted` text, `\"`. Any other backslash stands for itself.
pub(super) fn unescape(text: &str, quoted: bool) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let replacement = match (c, chars.peek()) {
            ('\\', Some('\\')) => Some('\\'),
            ('\\', Some('n')) => Some('\n'),
            ('\\', Some('"')) if quoted => Some('"'),
            _ => None,
        };
        out.push(replacement.unwrap_or(c));
        if replacement.is_some() {
            chars.next();
        }
    }
    Cow::Owned(out)
}
