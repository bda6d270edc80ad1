//! Answers as text: one module for each form, one function each from a result to a string.
//!
//! Two families. Forms for people ([`table`], [`vertical`], [`markdown`], and the graphs) may round,
//! clip, escape and leave out the middle, and say so when they do. Forms for machines ([`json`],
//! [`ndjson`], [`csv`], [`openmetrics`], and the [`series`] notation of tests) carry every value exactly and never
//! leave anything out.

pub mod buckets;
pub mod csv;

pub mod graph;
pub mod grid;
pub mod heat;
pub mod histogram;
pub mod json;
pub mod labels;
pub mod markdown;
pub mod ndjson;
pub mod number;
pub mod openmetrics;
pub mod series;
pub mod table;
pub mod timestamps;
pub mod unit;
pub mod vertical;

use clap::ValueEnum;
use jiff::tz::TimeZone;
use promql_engine::QueryStatistics;
use promql_lint::flow::Unit;
use promql_model::{QueryResult, SampleValue};

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Aligned columns, one for each label that differs; what is common is said once above
    Table,
    /// One label to a line, one block for each series
    Vertical,
    /// A graph drawn with characters and a legend, a heat map of native histograms (range queries;
    /// the default for them on a terminal)
    Graph,
    /// The same graph as an SVG image (range queries)
    Svg,
    /// The answer of the HTTP API: {"status":"success","data":{…}}
    Json,
    /// One JSON object a line for each series
    Ndjson,
    /// Comma-separated values, one line for each sample
    Csv,
    /// A Markdown table
    Md,
    /// One line for each series in the notation of tests: up{job="a"} 1x5 _ 0
    Series,
    /// The same lines in a `load` block of a .test file, which is a source to query
    Test,
    /// The same as `input_series` of a promtool unit test (YAML)
    UnitTest,
    /// OpenMetrics text: one line for each sample, with its time
    Om,
}

impl Format {
    /// The name, as `-o` takes it.
    pub fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// What a form needs to know beside the result.
#[derive(Clone, Debug)]
pub struct View {
    /// The expression as it was written; positions of annotations refer to it.
    pub expression: String,
    /// Start, end and step in milliseconds when it was a range query.
    pub range: Option<Range>,
    /// Whether the order of an instant vector means something, because the expression sorts.
    pub keep_order: bool,
    /// The zone in which times are shown to people.
    pub zone: TimeZone,
    /// The unit in which values are shown to people; without one they are plain numbers.
    pub unit: Option<Unit>,
    /// What the screen can show.
    pub screen: Screen,
    /// What the evaluation took, if that is wanted.
    pub statistics: Option<QueryStatistics>,
}

impl View {
    /// A number as people read it here.
    pub fn number(&self, value: f64) -> String {
        match self.unit {
            Some(unit) => unit::write(value, unit, &self.zone),
            None => number::readable(value),
        }
    }

    /// A sample's value in one line for people.
    pub fn value(&self, value: &SampleValue) -> String {
        match value {
            SampleValue::Float(value) => self.number(*value),
            SampleValue::Histogram(histogram) => histogram::summary(histogram),
        }
    }

    /// A number of a graph's legend: with few digits where it has no unit.
    fn legible(&self, value: f64, binary: bool) -> String {
        match self.unit {
            Some(_) => self.number(value),
            None => number::legible(value, binary),
        }
    }
}

/// The times of a range query, in milliseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first evaluation time.
    pub start: i64,
    /// The last evaluation time is at or before it.
    pub end: i64,
    /// The distance of two evaluation times; above 0.
    pub step: i64,
}

/// What the place that shows the answer can do.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    /// The columns of a terminal; none for a pipe or a file, where lines may be any length.
    pub width: Option<usize>,
    /// The lines of a terminal.
    pub height: Option<usize>,
    /// How many rows a table has at most before its middle is left out.
    pub max_rows: Option<usize>,
    /// The lines of a graph's canvas, if it was said how many.
    pub graph_rows: Option<usize>,
    /// Whether escape sequences for colours are understood and wanted.
    pub color: bool,
    /// Whether characters beyond ASCII can be drawn.
    pub unicode: bool,
}

impl Screen {
    /// No terminal: nothing is clipped, left out or coloured.
    pub const PLAIN: Screen = Screen {
        width: None,
        height: None,
        max_rows: None,
        graph_rows: None,
        color: false,
        unicode: true,
    };
}

/// Why a result can't be written in a form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// The form has no way to say it.
    #[error("the format `{format}` can't show {what}; {instead}")]
    Unfit {
        /// The form.
        format: &'static str,
        /// What it can't show.
        what: &'static str,
        /// What to do.
        instead: &'static str,
    },
    /// A `series` line can't hold times that are no multiple of a step.
    #[error(
        "the format `{format}` needs evenly spaced samples, but {series} has samples at \
         irregular times; ask with --start, --end and --step, or use `json` or `csv`"
    )]
    Irregular {
        /// The form.
        format: &'static str,
        /// The series.
        series: String,
    },
}

/// Writes a result in a form. The text ends in a line feed.
///
/// # Errors
/// When the form can't hold the result.
pub fn render(format: Format, result: &QueryResult, view: &View) -> Result<String, RenderError> {
    match format {
        Format::Table => Ok(table::render(&result.value, view)),
        Format::Vertical => Ok(vertical::render(&result.value, view)),
        Format::Graph => graph::render(&result.value, view),
        Format::Svg => graph::render_svg(&result.value, view),
        Format::Json => Ok(json::render(result, view)),
        Format::Ndjson => Ok(ndjson::render(&result.value)),
        Format::Csv => Ok(csv::render(&result.value)),
        Format::Md => Ok(markdown::render(&result.value, view)),
        Format::Series => series::lines(&result.value, view),
        Format::Test => series::load_block(&result.value, view),
        Format::UnitTest => series::unit_test(&result.value, view),
        Format::Om => openmetrics::render(&result.value),
    }
}

#[cfg(test)]
pub(crate) mod fixture {
    //! Results for the tests of the forms.

    use promql_model::{
        DenseHistogram, FloatHistogram, Labels, QueryValue, SeriesSamples, VectorElement,
    };

    use super::*;

    pub(crate) fn labels(pairs: &[(&str, &str)]) -> Labels {
        Labels::from_pairs(pairs.iter().copied())
    }

    type Pairs<'a> = &'a [(&'a str, &'a str)];

    pub(crate) fn vector(elements: &[(Pairs<'_>, f64)]) -> QueryValue {
        let element = |(pairs, value): &(Pairs<'_>, f64)| VectorElement {
            labels: labels(pairs),
            timestamp: 1_795_410_570_500,
            value: SampleValue::Float(*value),
        };
        QueryValue::Vector(elements.iter().map(element).collect())
    }

    /// Series with a sample each 30 s from 2026-11-23 05:00 UTC on; NaN stands for no sample.
    pub(crate) fn matrix(series: &[(Pairs<'_>, &[f64])]) -> QueryValue {
        let one = |(pairs, values): &(Pairs<'_>, &[f64])| SeriesSamples {
            labels: labels(pairs),
            floats: (values.iter().enumerate())
                .filter(|(_, v)| !v.is_nan())
                .map(|(i, v)| (START + i as i64 * 30_000, *v))
                .collect(),
            histograms: Vec::new(),
        };
        QueryValue::Matrix(series.iter().map(one).collect())
    }

    pub(crate) const START: i64 = 1_795_410_000_000;

    pub(crate) fn view() -> View {
        View {
            expression: "x".to_string(),
            range: None,
            keep_order: false,
            zone: TimeZone::UTC,
            unit: None,
            screen: Screen::PLAIN,
            statistics: None,
        }
    }

    pub(crate) fn range_view(steps: i64) -> View {
        View {
            range: Some(Range { start: START, end: START + (steps - 1) * 30_000, step: 30_000 }),
            ..view()
        }
    }

    /// One with buckets on both sides and a gap.
    pub(crate) fn histogram() -> FloatHistogram {
        FloatHistogram::from(DenseHistogram {
            count: 21.0,
            sum: 10.5,
            zero_count: 1.0,
            zero_threshold: 0.001,
            offset: 0,
            buckets: vec![2.0, 4.0, 0.0, 8.0],
            n_offset: 2,
            n_buckets: vec![6.0],
            ..DenseHistogram::default()
        })
    }

    pub(crate) fn histogram_vector() -> QueryValue {
        QueryValue::Vector(vec![VectorElement {
            labels: labels(&[("job", "a")]),
            timestamp: START,
            value: SampleValue::Histogram(Box::new(histogram())),
        }])
    }

    pub(crate) fn http_requests() -> QueryValue {
        vector(&[
            (
                &[
                    ("__name__", "http_requests_total"),
                    ("code", "200"),
                    ("instance", "a:9090"),
                    ("job", "api"),
                ],
                1027.0,
            ),
            (
                &[
                    ("__name__", "http_requests_total"),
                    ("code", "500"),
                    ("instance", "a:9090"),
                    ("job", "api"),
                ],
                3.0,
            ),
            (
                &[
                    ("__name__", "http_requests_total"),
                    ("code", "200"),
                    ("instance", "b:9090"),
                    ("job", "api"),
                ],
                1e21,
            ),
        ])
    }
}
