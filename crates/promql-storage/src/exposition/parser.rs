//! Reads exposition text line by line.

use std::borrow::Cow;
use std::ops::Range;

use super::Format;
use super::fault::{Fault, FaultKind};
use super::scan::{Pair, Scanner};

/// What kind of metric a TYPE line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum MetricType {
    Counter,
    Gauge,
    Histogram,
    GaugeHistogram,
    Summary,
    Info,
    StateSet,
    Unknown,
}

impl MetricType {
    /// The word that the metadata API uses.
    pub(super) fn word(self) -> &'static str {
        match self {
            MetricType::Counter => "counter",
            MetricType::Gauge => "gauge",
            MetricType::Histogram => "histogram",
            MetricType::GaugeHistogram => "gaugehistogram",
            MetricType::Summary => "summary",
            MetricType::Info => "info",
            MetricType::StateSet => "stateset",
            MetricType::Unknown => "unknown",
        }
    }
}

/// A line that says something.
#[derive(Debug)]
pub(super) enum Line<'a> {
    /// Its name and labels are [`Parser::name`] and [`Parser::labels`] until the next line.
    Sample(SampleLine),
    Help {
        name: Cow<'a, str>,
        help: Cow<'a, str>,
    },
    Type {
        name: Cow<'a, str>,
        metric_type: MetricType,
    },
    Unit {
        name: Cow<'a, str>,
        unit: &'a str,
    },
}

/// A sample.
#[derive(Debug)]
pub(super) struct SampleLine {
    pub(super) value: f64,
    /// Milliseconds since the epoch, if given.
    pub(super) timestamp: Option<i64>,
    /// Where name and labels are in the text.
    pub(super) place: Range<usize>,
}

/// Reads one line after the other. After a fault it goes on with the next line.
#[derive(Debug)]
pub(super) struct Parser<'a> {
    pub(super) scan: Scanner<'a>,
    format: Format,
    /// By the last TYPE line.
    pub(super) current_type: MetricType,
    /// The `# EOF` of OpenMetrics was found, or missed.
    pub(super) ended: bool,
    pub(super) carriage_return_reported: bool,
    /// What is odd, in the order of the text; taken by the caller.
    pub(super) warnings: Vec<Fault>,
    warned: Vec<FaultKind>,
}

impl<'a> Parser<'a> {
    pub(super) fn new(source: &'a [u8], format: Format) -> Self {
        Parser {
            scan: Scanner::new(source),
            format,
            current_type: MetricType::Unknown,
            ended: false,
            carriage_return_reported: false,
            warnings: Vec::new(),
            warned: Vec::new(),
        }
    }

    /// The next line that says something, or nothing at the end of the text.
    pub(super) fn next_line(&mut self) -> Result<Option<Line<'a>>, Fault> {
        let read = match self.format {
            Format::Text => self.next_text_line(),
            Format::OpenMetrics => self.next_openmetrics_line(),
        };
        if let Err(fault) = &read {
            self.carriage_return_reported |= fault.kind == FaultKind::CarriageReturn;
            self.scan.skip_line();
            // On CR LF every line is faulty in OpenMetrics. Once is enough.
            if fault.kind == FaultKind::CarriageReturn && self.format == Format::OpenMetrics {
                self.scan.at = self.scan.source.len();
                self.ended = true;
            }
        }
        read
    }

    /// The metric's name of the sample just read.
    pub(super) fn name(&self) -> &str {
        &self.scan.name
    }

    /// The labels of the sample just read, without the name, in the order of the text.
    pub(super) fn labels(&self) -> &[Pair<'a>] {
        &self.scan.labels
    }

    pub(super) fn warn(&mut self, kind: FaultKind, place: Range<usize>) {
        self.warnings.push(Fault::new(kind, place));
    }

    /// Warns of something that is likely to be so on every line.
    pub(super) fn warn_once(&mut self, kind: FaultKind, place: Range<usize>) {
        if !self.warned.contains(&kind) {
            self.warned.push(kind);
            self.warn(kind, place);
        }
    }
}
