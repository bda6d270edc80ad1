//! What can be wrong, or odd, in exposition text: one row each.

use std::borrow::Cow;
use std::ops::Range;

use miette::Severity;
use promql_syntax::Excerpt;

use crate::diagnostics::{Problem, one_line};

use super::Format;

/// A kind of fault at a place, in bytes of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) kind: FaultKind,
    pub(super) place: Range<usize>,
}

/// What is wrong. The last four are only odd: the text is read all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FaultKind {
    NoMetricName,
    MetricNameTwice,
    UnquotedNameInBraces,
    NameAsLabel,
    ExpectedLabelName,
    ExpectedEquals,
    ExpectedLabelValue,
    ExpectedComma,
    UnclosedQuote,
    LineBreakInQuotes,
    DuplicateLabel,
    EmptyLabelName,
    NotUtf8,
    ExpectedValue,
    BadValue,
    ProgrammersNumber,
    ValueRange,
    BadTimestamp,
    NegativeTimestamp,
    FractionalTimestamp,
    TimestampRange,
    ExemplarInText,
    BadExemplar,
    ExpectedLineEnd,
    CarriageReturn,
    MetadataName,
    MetadataText,
    UnknownType,
    UnitNoSuffix,
    NotALine,
    BlankInOpenMetrics,
    BlankLine,
    Comment,
    DataAfterEof,
    NoEof,
    BlankBeforeName,
    TimestampInSeconds,
    SampleTwice,
    NulEndsInput,
}

/// Code, message, label and help of a kind of fault; `{}` in a message is the faulty text.
type Row = (&'static str, &'static str, &'static str, &'static str);

impl FaultKind {
    /// Whether the text is read all the same.
    pub(super) fn is_warning(self) -> bool {
        use FaultKind::*;
        matches!(self, BlankBeforeName | TimestampInSeconds | SampleTwice | NulEndsInput)
    }

    #[rustfmt::skip]
    fn row(self, format: Format) -> Row {
        use FaultKind::*;
        let openmetrics = format == Format::OpenMetrics;
        match self {
            NoMetricName => ("exposition::no-metric-name", "a sample has no metric name", "no name in these braces",
                "write the name before the braces, `up{job=\"api\"} 1`, or quoted inside, `{\"up\", job=\"api\"} 1`; exposition text does not take `__name__` for it"),
            MetricNameTwice => ("exposition::two-metric-names", "a sample has two metric names", "a second name",
                "a lone quoted string in braces is the metric name; a label needs a value, `\"name\"=\"value\"`"),
            UnquotedNameInBraces => ("exposition::unquoted-name", "label `{}` has no value", "expected `=` after this",
                "write `name=\"value\"`; only a quoted string may stand alone in braces, and it is the metric name"),
            NameAsLabel => ("exposition::name-as-label", "the metric name is given as a label", "`__name__` is no label here",
                "write the name before the braces or as a quoted string inside them"),
            ExpectedLabelName => ("exposition::expected-label-name", "expected a label name or `}`, found {}", "no label name can begin here",
                "label names without quotes are letters, digits and `_`, and don't begin with a digit; quote any other: `{\"a.b\"=\"x\"}`"),
            ExpectedEquals => ("exposition::expected-equals", "expected `=` after a label name, found {}", "expected `=`",
                "a label is written `name=\"value\"`"),
            ExpectedLabelValue => ("exposition::expected-label-value", "expected a label value in double quotes, found {}", "expected `\"`",
                "a label is written `name=\"value\"`"),
            ExpectedComma => ("exposition::expected-comma", "expected `,` or `}` after a label, found {}", "expected `,` or `}`",
                "OpenMetrics separates labels with a comma and no blanks: `{a=\"1\",b=\"2\"}`"),
            UnclosedQuote => ("exposition::unclosed-quote", "a quoted string does not end", "opened here",
                "close it with `\"`; inside, `\\\"` stands for a quote and `\\\\` for a backslash"),
            LineBreakInQuotes => ("exposition::line-break-in-quotes", "a quoted string does not end on its line", "opened here",
                "close it with `\"`; OpenMetrics writes a line break inside as `\\n`"),
            DuplicateLabel => ("exposition::duplicate-label", "label `{}` is given twice", "the second one",
                "each label may be given once; a server would refuse the whole scrape"),
            EmptyLabelName => ("exposition::empty-name", "a name is empty", "nothing between the quotes",
                "give the metric or label a name"),
            NotUtf8 => ("exposition::not-utf8", "text is not UTF-8", "these bytes are not UTF-8",
                "convert the file to UTF-8; Prometheus refuses anything else"),
            ExpectedValue => ("exposition::expected-value", "a sample has no value", "expected a number",
                if openmetrics { "a sample is written `name{label=\"value\"} 1 1700000000`, with exactly one blank between the parts" }
                else { "a sample is written `name{label=\"value\"} 1`" }),
            BadValue => ("exposition::bad-value", "{} is not a number", "expected a number",
                "values are decimal, as `1`, `0.5` or `1e6`, or `NaN`, `+Inf`, `-Inf`"),
            ProgrammersNumber => ("exposition::bad-value", "{} is not a number", "expected a decimal number",
                "exposition text knows neither hexadecimal numbers nor underscores between digits"),
            ValueRange => ("exposition::value-range", "{} is too large for a float", "beyond 1.8e308",
                "write `+Inf` or `-Inf` if infinity is meant"),
            BadTimestamp => ("exposition::bad-timestamp", "{} is not a timestamp", "expected a timestamp or the end of the line",
                if openmetrics { "OpenMetrics timestamps are seconds since 1970, as `1700000000` or `1700000000.123`" }
                else { "timestamps in this format are milliseconds since 1970, as `1700000000000`" }),
            NegativeTimestamp => ("exposition::bad-timestamp", "timestamp {} is negative", "before 1970",
                "this format takes no timestamps before 1970; OpenMetrics (`.om`) does"),
            FractionalTimestamp => ("exposition::bad-timestamp", "timestamp {} has a fraction", "expected whole milliseconds",
                "timestamps in this format are whole milliseconds; in OpenMetrics (`.om`) they are seconds and may have a fraction"),
            TimestampRange => ("exposition::timestamp-range", "timestamp {} is out of range", "too far from 1970",
                "timestamps are held in milliseconds as 64-bit integers"),
            ExemplarInText => ("exposition::exemplar", "an exemplar in text format 0.0.4", "exemplars begin with `#`",
                "only OpenMetrics has exemplars: end the file with `# EOF` and name it `.om`"),
            BadExemplar => ("exposition::bad-exemplar", "an exemplar is not well formed at {}", "expected ` # {label=\"value\"} value [timestamp]`",
                "an exemplar has labels in braces, one blank, a value, and may have a timestamp in seconds"),
            ExpectedLineEnd => ("exposition::expected-line-end", "expected the end of the line, found {}", "nothing may follow here",
                "a sample is a name, labels, a value and maybe a timestamp"),
            CarriageReturn => ("exposition::carriage-return", "lines end in CR LF", "a carriage return here",
                "exposition text has LF alone at the end of lines; convert the file, as with `tr -d '\\r'`"),
            MetadataName => ("exposition::metadata-name", "a HELP, TYPE or UNIT line names no metric", "expected a metric name",
                "write `# TYPE name counter`; a name with other characters than letters, digits, `_` and `:` is quoted"),
            MetadataText => ("exposition::metadata-text", "a HELP, TYPE or UNIT line ends after the name", "nothing follows the name",
                if openmetrics { "OpenMetrics wants one blank after the name even when the text is empty" }
                else { "write the type after the name: `# TYPE name counter`" }),
            UnknownType => ("exposition::unknown-type", "{} is not a metric type", "expected a type",
                if openmetrics { "types are counter, gauge, histogram, gaugehistogram, summary, info, stateset and unknown" }
                else { "types in this format are counter, gauge, histogram, summary and untyped" }),
            UnitNoSuffix => ("exposition::unit-no-suffix", "unit {} is not the end of the metric's name", "this unit",
                "OpenMetrics wants a metric's name to end in its unit: `x_seconds` for unit `seconds`"),
            NotALine => ("exposition::not-a-line", "expected a sample or a comment, found {}", "no line begins like this",
                "a sample is written `name{label=\"value\"} 1`, a comment begins with `#`"),
            BlankInOpenMetrics => ("exposition::blank", "a blank where OpenMetrics has none", "remove this blank",
                "OpenMetrics has exactly one blank between the parts of a line and none in braces or at the ends; text format 0.0.4 (`.prom`) is more lenient"),
            BlankLine => ("exposition::blank-line", "an empty line in OpenMetrics text", "an empty line",
                "OpenMetrics has no empty lines; text format 0.0.4 (`.prom`) does"),
            Comment => ("exposition::comment", "a comment in OpenMetrics text", "not `# HELP`, `# TYPE`, `# UNIT` or `# EOF`",
                "OpenMetrics has no comments; text format 0.0.4 (`.prom`) does"),
            DataAfterEof => ("exposition::data-after-eof", "data after `# EOF`", "nothing may follow `# EOF`",
                "`# EOF` is the last line; several scrapes need one file each, or one `# EOF` at the end"),
            NoEof => ("exposition::no-eof", "OpenMetrics text does not end with `# EOF`", "the text ends here",
                "add the line `# EOF`; if it is missing because the file was cut short, scrape again"),
            BlankBeforeName => ("exposition::blank-before-name", "blanks before a metric name", "these blanks",
                "a Prometheus server takes them as part of the name; they are skipped here"),
            TimestampInSeconds => ("exposition::timestamp-in-seconds", "timestamp {} looks like seconds", "milliseconds: in January or February 1970",
                "timestamps in this format are milliseconds since 1970; seconds are for OpenMetrics (`.om`)"),
            SampleTwice => ("exposition::sample-twice", "two samples of one series at the same time", "the series has a sample at this time already",
                "the first one is kept, as a server does"),
            NulEndsInput => ("exposition::nul", "a NUL byte ends the input", "what follows is not read",
                "a Prometheus server stops at a NUL at the start of a line as well"),
        }
    }
}

impl Fault {
    pub(super) fn new(kind: FaultKind, place: Range<usize>) -> Self {
        Fault { kind, place }
    }

    /// The fault as it is shown.
    pub(super) fn problem(&self, name: &str, source: &[u8], format: Format) -> Problem {
        let (code, message, label, help) = self.kind.row(format);
        let place = self.place.start.min(source.len())..self.place.end.min(source.len());
        Problem {
            code: Cow::Borrowed(code),
            message: message.replacen("{}", &found(&source[place.clone()], message), 1),
            label: Cow::Borrowed(label),
            help: Some(Cow::Borrowed(help)),
            severity: if self.kind.is_warning() { Severity::Warning } else { Severity::Error },
            excerpt: Excerpt::new(name, source, place),
        }
    }
}

/// How the faulty text is called inside a message.
fn found(text: &[u8], message: &str) -> String {
    let shown = one_line(&String::from_utf8_lossy(text), 40);
    match text {
        _ if message.contains("`{}`") => shown,
        [] => "the end of the text".to_owned(),
        [b'\n', ..] => "the end of the line".to_owned(),
        [b' ' | b'\t'] => "a blank".to_owned(),
        _ => format!("`{shown}`"),
    }
}
