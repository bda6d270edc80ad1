//! Lines of the text format 0.0.4, read as Prometheus' scraper reads them.
//!
//! Blanks and tabs may stand between any two tokens. What follows `#` is a comment unless it is
//! `HELP` or `TYPE`. A timestamp is whole milliseconds without a sign.

use std::borrow::Cow;

use super::fault::{Fault, FaultKind};
use super::number::{NotANumber, parse_float};
use super::parser::{Line, MetricType, Parser, SampleLine};
use super::scan::{LabelStyle, is_blank, unescape};

const STYLE: LabelStyle = LabelStyle { loose: true, line_breaks: true };

const TYPES: [(&str, MetricType); 5] = [
    ("counter", MetricType::Counter),
    ("gauge", MetricType::Gauge),
    ("histogram", MetricType::Histogram),
    ("summary", MetricType::Summary),
    ("untyped", MetricType::Unknown),
];

/// Timestamps in here are in early 1970 if they are milliseconds, and between 2001 and 2128 if
/// they are seconds, which is what they are then.
const LOOKS_LIKE_SECONDS: std::ops::Range<i64> = 1_000_000_000..5_000_000_000;

impl<'a> Parser<'a> {
    /// The next line that says something.
    pub(super) fn next_text_line(&mut self) -> Result<Option<Line<'a>>, Fault> {
        loop {
            let start = self.scan.at;
            let blanks = self.scan.take_blanks();
            let at = self.scan.at;
            match self.scan.peek() {
                None => return Ok(None),
                Some(b'\n') => self.scan.at += 1,
                Some(b'\r') if self.at_known_carriage_return() => self.scan.at += 1,
                Some(b'\0') => {
                    if at + 1 < self.scan.source.len() {
                        self.warn(FaultKind::NulEndsInput, at..at + 1);
                    }
                    self.scan.at = self.scan.source.len();
                }
                Some(b'#') => {
                    if let Some(line) = self.text_comment()? {
                        return Ok(Some(line));
                    }
                }
                Some(b'{' | b'a'..=b'z' | b'A'..=b'Z' | b'_' | b':') => {
                    if blanks > 0 {
                        self.warn(FaultKind::BlankBeforeName, start..at);
                    }
                    return self.text_sample().map(Some);
                }
                Some(b'\r') => return self.scan.unexpected(FaultKind::CarriageReturn),
                Some(_) => return self.scan.unexpected(FaultKind::NotALine),
            }
        }
    }

    /// Reads a line that begins with `#`: nothing if it is a comment.
    fn text_comment(&mut self) -> Result<Option<Line<'a>>, Fault> {
        self.scan.at += 1;
        let blanks = self.scan.take_blanks();
        let rest = &self.scan.source[self.scan.at..];
        let is_help = rest.starts_with(b"HELP");
        let is_meta = blanks > 0
            && (is_help || rest.starts_with(b"TYPE"))
            && rest.get(4).copied().is_some_and(is_blank);
        if !is_meta {
            self.scan.skip_line();
            return Ok(None);
        }
        self.scan.at += 4;
        self.scan.take_blanks();
        let name = self.scan.take_name_or_quoted()?;
        let name_end = self.scan.at;
        self.scan.take_line();
        let mut text = name_end..self.scan.at;
        if !text.is_empty() && self.scan.source[text.end - 1] == b'\r' {
            self.carriage_return(text.end - 1)?;
            text.end -= 1;
        }
        // The one byte behind the name is the separator.
        let text = text.end.min(text.start + 1)..text.end;
        let bytes = &self.scan.source[text.clone()];
        if is_help {
            let Ok(help) = std::str::from_utf8(bytes) else {
                return self.scan.fault(FaultKind::NotUtf8, text);
            };
            return Ok(Some(Line::Help { name, help: unescape(help, false) }));
        }
        if bytes.is_empty() {
            return self.scan.fault(FaultKind::MetadataText, name_end..name_end);
        }
        match TYPES.iter().find(|(word, _)| word.as_bytes() == bytes) {
            Some((_, metric_type)) => {
                self.current_type = *metric_type;
                Ok(Some(Line::Type { name, metric_type: *metric_type }))
            }
            None => self.scan.fault(FaultKind::UnknownType, text),
        }
    }

    fn text_sample(&mut self) -> Result<Line<'a>, Fault> {
        let start = self.scan.at;
        self.scan.take_series(STYLE)?;
        let place = start..self.scan.at;
        self.scan.take_blanks();
        let value = self.text_value()?;
        self.scan.take_blanks();
        let timestamp = match self.scan.peek() {
            None | Some(b'\n') => None,
            Some(_) => self.text_timestamp()?,
        };
        self.scan.take_blanks();
        match self.scan.peek() {
            None | Some(b'\n') => {}
            Some(b'\r') if self.at_line_ending_carriage_return() => {
                self.carriage_return(self.scan.at)?;
            }
            Some(_) => return self.scan.unexpected(FaultKind::ExpectedLineEnd),
        }
        self.scan.skip_line();
        self.normalise_bounds();
        Ok(Line::Sample(SampleLine { value, timestamp, place }))
    }

    fn text_value(&mut self) -> Result<f64, Fault> {
        let mut place = self.scan.take_until(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'{'));
        if place.len() > 1 && self.scan.source[place.end - 1] == b'\r' {
            // The line's end, which is looked at when the line ends.
            place.end -= 1;
            self.scan.at = place.end;
        }
        if place.is_empty() {
            return self.scan.unexpected(FaultKind::ExpectedValue);
        }
        parse_float(&self.scan.source[place.clone()])
            .map_err(|reason| Fault::new(value_fault(reason), place))
    }

    fn text_timestamp(&mut self) -> Result<Option<i64>, Fault> {
        if self.scan.peek() == Some(b'#') {
            return self.scan.unexpected(FaultKind::ExemplarInText);
        }
        let mut place = self.scan.take_until(|byte| matches!(byte, b' ' | b'\t' | b'\n'));
        if self.scan.source[place.end - 1] == b'\r' {
            place.end -= 1;
            self.scan.at = place.end;
            if place.is_empty() {
                return Ok(None);
            }
        }
        let text = &self.scan.source[place.clone()];
        let kind = match text {
            [b'-', rest @ ..] if is_digits(rest) => FaultKind::NegativeTimestamp,
            _ if is_digits(text) => {
                let number = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
                let Some(timestamp) = number else {
                    return self.scan.fault(FaultKind::TimestampRange, place);
                };
                if LOOKS_LIKE_SECONDS.contains(&timestamp) {
                    self.warn_once(FaultKind::TimestampInSeconds, place);
                }
                return Ok(Some(timestamp));
            }
            _ if parse_float(text).is_ok() => FaultKind::FractionalTimestamp,
            _ => FaultKind::BadTimestamp,
        };
        self.scan.fault(kind, place)
    }

    /// Whether a line ends here in CR LF, or the text in CR.
    fn at_line_ending_carriage_return(&self) -> bool {
        matches!(self.scan.source.get(self.scan.at + 1), None | Some(b'\n'))
    }

    fn at_known_carriage_return(&self) -> bool {
        self.carriage_return_reported && self.at_line_ending_carriage_return()
    }

    /// A line ends in CR LF. That is a fault, reported once; it is the same on every line.
    fn carriage_return(&mut self, at: usize) -> Result<(), Fault> {
        if self.carriage_return_reported {
            return Ok(());
        }
        self.carriage_return_reported = true;
        self.scan.fault(FaultKind::CarriageReturn, at..at + 1)
    }

    /// Since version 3 Prometheus stores `le` and `quantile` as OpenMetrics writes them, if a
    /// TYPE line came before. The type holds until the next TYPE line, whatever the metric.
    pub(super) fn normalise_bounds(&mut self) {
        let bound = match self.current_type {
            MetricType::Histogram => "le",
            MetricType::Summary => "quantile",
            _ => return,
        };
        for (name, value) in &mut self.scan.labels {
            if name == bound {
                let written = std::mem::replace(value, Cow::Borrowed(""));
                *value = super::number::normal_bound(written);
            }
        }
    }
}

pub(super) fn value_fault(reason: NotANumber) -> FaultKind {
    match reason {
        NotANumber::Syntax => FaultKind::BadValue,
        NotANumber::Programmers => FaultKind::ProgrammersNumber,
        NotANumber::Range => FaultKind::ValueRange,
    }
}

fn is_digits(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}
