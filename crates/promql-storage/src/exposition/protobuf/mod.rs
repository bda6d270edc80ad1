//! The protobuf form of expositions, the only one that carries native histograms.
//!
//! A body is a row of families, each behind its length. They become the series that a server makes
//! of them: a native histogram counts where there are both a native and a classic one, a classic
//! histogram becomes `_count`, `_sum` and `_bucket`, with the bucket `+Inf` if the exporter left it
//! out.

mod families;
mod message;
mod series;

use miette::Diagnostic;
use promql_model::{HistogramError, Labels};

use crate::memory::MemoryStorage;

pub use families::is_protobuf;

/// What the protobuf form holds.
#[derive(Clone, Debug)]
pub struct ProtobufExposition {
    /// The series, with what their families say about themselves.
    pub storage: MemoryStorage,
    /// What is odd but was read.
    pub warnings: Vec<ProtobufWarning>,
}

/// Why a body cannot be read, and where.
#[derive(Clone, Debug, PartialEq, thiserror::Error, Diagnostic)]
#[error("cannot read the {} family of `{name}`, at byte {offset}: {kind}", ordinal(*family))]
#[diagnostic(code("exposition::protobuf"), help("{}", kind.help()))]
pub struct ProtobufError {
    /// What the body is called, usually the path of its file.
    pub name: String,
    /// Which family is damaged, counted from 1.
    pub family: usize,
    /// Where the family begins, in bytes from the start.
    pub offset: usize,
    /// What is wrong.
    pub kind: ProtobufErrorKind,
}

/// What is wrong with a body.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtobufErrorKind {
    /// The length of a family is not one, or so large that it must be damaged.
    #[error("no family is so long")]
    Length,
    /// The body ends before the family does.
    #[error("{missing} of its {length} bytes are missing")]
    Short {
        /// How many bytes are not there.
        missing: usize,
        /// How many the family has.
        length: usize,
    },
    /// The bytes are no family.
    #[error("{0}")]
    Message(String),
    /// A family without a name, or with a metric that has a label without a name.
    #[error("a name is empty")]
    EmptyName,
    /// A label that is given twice, or one that is made of the family's.
    #[error("a metric of `{family}` has the label `{label}` twice")]
    LabelTwice {
        /// The family.
        family: String,
        /// The label.
        label: String,
    },
    /// A native histogram that makes no sense.
    #[error("a histogram of `{family}` makes no sense: {error}")]
    Histogram {
        /// The family.
        family: String,
        /// What is wrong with it.
        error: HistogramError,
    },
}

impl ProtobufErrorKind {
    fn help(&self) -> &'static str {
        match self {
            ProtobufErrorKind::Short { .. } => "the end is missing: ask the exporter again",
            ProtobufErrorKind::Length | ProtobufErrorKind::Message(_) => {
                "a body is a row of `io.prometheus.client.MetricFamily`, each behind its length, as \
                 exporters answer to `Accept: application/vnd.google.protobuf; \
                 proto=io.prometheus.client.MetricFamily; encoding=delimited`"
            }
            ProtobufErrorKind::EmptyName
            | ProtobufErrorKind::LabelTwice { .. }
            | ProtobufErrorKind::Histogram { .. } => {
                "a server would refuse the whole scrape; the exporter has to be mended"
            }
        }
    }
}

/// Something odd about a body that can be read all the same.
#[derive(Clone, Debug, PartialEq, thiserror::Error, Diagnostic)]
#[non_exhaustive]
pub enum ProtobufWarning {
    /// A series has two samples at one time.
    #[error("`{exposition}` has two samples of {series} at the same time")]
    #[diagnostic(
        code("exposition::sample-twice"),
        severity(Warning),
        help("the first one is kept, as a server does")
    )]
    SampleTwice {
        /// What the body is called.
        exposition: String,
        /// The labels of the series.
        series: Labels,
    },
}

/// Reads an exposition in its protobuf form: families, each behind its length.
///
/// `name` is what the body is called in diagnostics. `scrape_time`, in milliseconds since the
/// epoch, is given to the samples without a timestamp. Of several samples of one series at one time
/// the first counts, as in a server. Exemplars are skipped.
///
/// ```
/// use promql_storage::exposition;
///
/// // A gauge `up` without labels, with the value 1.
/// let body = b"\x13\x0a\x02up\x18\x01\x22\x0b\x12\x09\x09\0\0\0\0\0\0\xf0\x3f";
/// assert!(exposition::is_protobuf(body));
/// let read = exposition::read_protobuf("up.pb", body, 1_700_000_000_000)?;
/// assert_eq!(read.storage.series()[0].metric_name(), Some("up"));
/// # Ok::<(), exposition::ProtobufError>(())
/// ```
///
/// # Errors
/// The first thing that is damaged.
pub fn read_protobuf(
    name: &str,
    body: &[u8],
    scrape_time: i64,
) -> Result<ProtobufExposition, ProtobufError> {
    let mut series = series::SeriesOfFamilies::new(scrape_time);
    for (at, family) in families::Families::new(body).enumerate() {
        let added = match family {
            Ok((offset, family)) => series.add(&family).map_err(|kind| (offset, kind)),
            Err(error) => Err(error),
        };
        if let Err((offset, kind)) = added {
            return Err(ProtobufError { name: name.to_owned(), family: at + 1, offset, kind });
        }
    }
    Ok(series.finish(name))
}

/// `1st`, `2nd`, `11th`.
fn ordinal(number: usize) -> String {
    let ending = match (number % 100, number % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}
