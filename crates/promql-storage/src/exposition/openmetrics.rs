//! Lines of OpenMetrics 1.0 text, read as Prometheus' scraper reads them.
//!
//! There is exactly one blank between the parts of a line and none anywhere else; there are no
//! comments and no empty lines; `# EOF` ends the text. Timestamps are seconds.

use std::ops::Range;

use super::fault::{Fault, FaultKind};
use super::number::parse_float;
use super::parser::{Line, MetricType, Parser, SampleLine};
use super::scan::{LabelStyle, is_blank, unescape};
use super::text::value_fault;

const STYLE: LabelStyle = LabelStyle { loose: false, line_breaks: false };

const TYPES: [(&str, MetricType); 8] = [
    ("counter", MetricType::Counter),
    ("gauge", MetricType::Gauge),
    ("histogram", MetricType::Histogram),
    ("gaugehistogram", MetricType::GaugeHistogram),
    ("summary", MetricType::Summary),
    ("info", MetricType::Info),
    ("stateset", MetricType::StateSet),
    ("unknown", MetricType::Unknown),
];

impl<'a> Parser<'a> {
    /// The next line that says something.
    pub(super) fn next_openmetrics_line(&mut self) -> Result<Option<Line<'a>>, Fault> {
        if self.ended {
            return Ok(None);
        }
        match self.scan.peek() {
            None => {
                self.ended = true;
                // Shown behind the last line's text, not on the empty line that follows it.
                let source = self.scan.source;
                let end = source.len() - usize::from(source.ends_with(b"\n"));
                self.scan.fault(FaultKind::NoEof, end..end)
            }
            Some(b'#') => self.openmetrics_comment(),
            Some(b'{' | b'a'..=b'z' | b'A'..=b'Z' | b'_' | b':') => {
                self.openmetrics_sample().map(Some)
            }
            Some(b'\n') => self.scan.unexpected(FaultKind::BlankLine),
            Some(b' ' | b'\t') => self.scan.unexpected(FaultKind::BlankInOpenMetrics),
            Some(b'\r') => self.scan.unexpected(FaultKind::CarriageReturn),
            Some(_) => self.scan.unexpected(FaultKind::NotALine),
        }
    }

    /// Reads a line that begins with `#`; nothing if it is the end.
    fn openmetrics_comment(&mut self) -> Result<Option<Line<'a>>, Fault> {
        let start = self.scan.at;
        let rest = &self.scan.source[start..];
        if rest.starts_with(b"# EOF") {
            self.ended = true;
            self.scan.at += b"# EOF".len();
            self.scan.take(b'\n');
            if self.scan.peek().is_none() {
                return Ok(None);
            }
            let place = self.scan.at;
            self.scan.take_line();
            let place = place..self.scan.at.max(place + 1);
            self.scan.at = self.scan.source.len();
            return self.scan.fault(FaultKind::DataAfterEof, place);
        }
        let keyword = match rest.get(..7) {
            Some(b"# HELP ") => Keyword::Help,
            Some(b"# TYPE ") => Keyword::Type,
            Some(b"# UNIT ") => Keyword::Unit,
            _ => {
                self.scan.take_line();
                return self.scan.fault(FaultKind::Comment, start..self.scan.at);
            }
        };
        self.scan.at += 7;
        if self.scan.peek().is_some_and(is_blank) {
            return self.scan.unexpected(FaultKind::BlankInOpenMetrics);
        }
        let name = self.scan.take_name_or_quoted()?;
        let name_end = self.scan.at;
        if !self.scan.take(b' ') {
            let kind = match self.scan.peek() {
                None | Some(b'\n') => FaultKind::MetadataText,
                _ => FaultKind::MetadataName,
            };
            return self.scan.fault(kind, name_end..name_end);
        }
        let text = self.scan.at;
        self.scan.take_line();
        let place = text..self.scan.at;
        self.refuse_carriage_return(place.clone())?;
        let Ok(text) = std::str::from_utf8(&self.scan.source[place.clone()]) else {
            return self.scan.fault(FaultKind::NotUtf8, place);
        };
        self.scan.skip_line();
        match keyword {
            Keyword::Help => Ok(Some(Line::Help { name, help: unescape(text, true) })),
            Keyword::Unit if text.is_empty() || ends_in_unit(&name, text) => {
                Ok(Some(Line::Unit { name, unit: text }))
            }
            Keyword::Unit => self.fault_on_last_line(FaultKind::UnitNoSuffix, place),
            Keyword::Type => match TYPES.iter().find(|(word, _)| *word == text) {
                Some((_, metric_type)) => {
                    self.current_type = *metric_type;
                    Ok(Some(Line::Type { name, metric_type: *metric_type }))
                }
                None => self.fault_on_last_line(FaultKind::UnknownType, place),
            },
        }
    }

    fn openmetrics_sample(&mut self) -> Result<Line<'a>, Fault> {
        let start = self.scan.at;
        self.scan.take_series(STYLE)?;
        let place = start..self.scan.at;
        let value = self.openmetrics_value()?;
        let mut timestamp = None;
        if self.scan.peek() == Some(b' ') && !self.at_exemplar() {
            timestamp = Some(self.openmetrics_timestamp()?);
        }
        if self.at_exemplar() {
            self.exemplar()?;
        }
        match self.scan.peek() {
            None => {}
            Some(b'\n') => self.scan.at += 1,
            Some(byte) if is_blank(byte) => {
                return self.scan.unexpected(FaultKind::BlankInOpenMetrics);
            }
            Some(_) => return self.scan.unexpected(FaultKind::ExpectedLineEnd),
        }
        self.normalise_bounds();
        Ok(Line::Sample(SampleLine { value, timestamp, place }))
    }

    /// One blank, and what comes up to the next one. When nothing comes, that is the fault.
    fn openmetrics_word(&mut self, nothing: FaultKind) -> Result<Range<usize>, Fault> {
        let blank = self.scan.at;
        if !self.scan.take(b' ') {
            let tab = self.scan.peek() == Some(b'\t');
            return self.scan.unexpected(if tab { FaultKind::BlankInOpenMetrics } else { nothing });
        }
        if self.scan.peek().is_some_and(is_blank) {
            return self.scan.unexpected(FaultKind::BlankInOpenMetrics);
        }
        let place = self.scan.take_until(|byte| matches!(byte, b' ' | b'\n'));
        if place.is_empty() && nothing == FaultKind::BlankInOpenMetrics {
            return self.scan.fault(nothing, blank..blank + 1);
        }
        if place.is_empty() {
            return self.scan.unexpected(nothing);
        }
        self.refuse_carriage_return(place.clone())?;
        Ok(place)
    }

    fn openmetrics_value(&mut self) -> Result<f64, Fault> {
        let place = self.openmetrics_word(FaultKind::ExpectedValue)?;
        if self.scan.source[place.start] == b'{' {
            return self.scan.fault(FaultKind::BlankInOpenMetrics, place.start - 1..place.start);
        }
        parse_float(&self.scan.source[place.clone()])
            .map_err(|reason| Fault::new(value_fault(reason), place))
    }

    /// Seconds become milliseconds as upstream does it: multiplied as a float, cut toward zero.
    fn openmetrics_timestamp(&mut self) -> Result<i64, Fault> {
        let place = self.openmetrics_word(FaultKind::BlankInOpenMetrics)?;
        if &self.scan.source[place.clone()] == b"#" {
            return self.scan.fault(FaultKind::BadExemplar, place);
        }
        match parse_float(&self.scan.source[place.clone()]) {
            Ok(seconds) if !seconds.is_finite() => self.scan.fault(FaultKind::BadTimestamp, place),
            Ok(seconds) if (seconds * 1000.0).abs() >= i64::MAX as f64 => {
                self.scan.fault(FaultKind::TimestampRange, place)
            }
            Ok(seconds) => Ok((seconds * 1000.0) as i64),
            Err(_) => self.scan.fault(FaultKind::BadTimestamp, place),
        }
    }

    fn at_exemplar(&self) -> bool {
        self.scan.source[self.scan.at..].starts_with(b" # {")
    }

    /// Reads an exemplar and forgets it: no part of the language looks at exemplars.
    fn exemplar(&mut self) -> Result<(), Fault> {
        self.scan.at += b" # ".len();
        let open = self.scan.at;
        let (name, labels) =
            (std::mem::take(&mut self.scan.name), std::mem::take(&mut self.scan.labels));
        let read = self.scan.take_series(STYLE);
        self.scan.labels = labels;
        let named = !std::mem::replace(&mut self.scan.name, name).is_empty();
        match read {
            Err(Fault { kind: FaultKind::NoMetricName, .. }) => {}
            Err(fault) => return Err(fault),
            // A lone quoted string would be a metric name, which an exemplar has not.
            Ok(()) if named => {
                return self.scan.fault(FaultKind::BadExemplar, open..self.scan.at);
            }
            Ok(()) => {}
        }
        if self.scan.peek() != Some(b' ') {
            return self.scan.unexpected(FaultKind::BadExemplar);
        }
        self.openmetrics_value()?;
        if self.scan.peek() == Some(b' ') {
            self.openmetrics_timestamp()?;
        }
        Ok(())
    }

    fn refuse_carriage_return(&self, place: Range<usize>) -> Result<(), Fault> {
        if place.is_empty() || self.scan.source[place.end - 1] != b'\r' {
            return Ok(());
        }
        self.scan.fault(FaultKind::CarriageReturn, place.end - 1..place.end)
    }

    /// A fault that is found when the line is read already: the reader goes back onto it, since
    /// the caller skips the line of a fault.
    fn fault_on_last_line<T>(&mut self, kind: FaultKind, place: Range<usize>) -> Result<T, Fault> {
        self.scan.at = place.start;
        self.scan.fault(kind, place)
    }
}

#[derive(Clone, Copy)]
enum Keyword {
    Help,
    Type,
    Unit,
}

fn ends_in_unit(name: &str, unit: &str) -> bool {
    name.strip_suffix(unit).is_some_and(|rest| rest.ends_with('_'))
}
