//! Exposition text: what exporters answer to a scrape, as a source of series.
//!
//! Two formats of text are read, the text format 0.0.4 that most exporters speak and OpenMetrics
//! 1.0, and the protobuf form, which alone has native histograms. They are read as strictly as Prometheus' scraper reads them, so that a text which loads here
//! is one that a server takes, and the other way round; where the scraper accepts something by
//! accident there is a warning. A fault does not end the reading: all of a text's faults are
//! reported together.
//!
//! Samples mostly have no timestamp. They get the time that the caller says, as a scrape would
//! give them its own: [`Source`](crate::Source) takes the time when the file was last modified,
//! and the present for standard input.

mod created;
mod fault;
mod load;
mod number;
mod openmetrics;
mod parser;
mod protobuf;
mod scan;
mod text;
mod write;

use crate::amount::Amount;
use crate::diagnostics::{Problem, Problems};
use crate::memory::MemoryStorage;

pub use protobuf::{
    ProtobufError, ProtobufErrorKind, ProtobufExposition, ProtobufWarning, is_protobuf,
    read_protobuf,
};

pub use write::{NoOpenMetrics, write_openmetrics};

/// A format of exposition text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// The text format 0.0.4.
    Text,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Format {
    /// The format of a text: OpenMetrics if the last line is `# EOF`, which the text format knows
    /// only as a comment.
    pub fn detect(text: &[u8]) -> Format {
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        match text.strip_suffix(b"# EOF") {
            Some([] | [.., b'\n']) => Format::OpenMetrics,
            _ => Format::Text,
        }
    }
}

/// What exposition text holds.
#[derive(Clone, Debug)]
pub struct Exposition {
    /// The series, with the metadata of HELP, TYPE and UNIT lines.
    pub storage: MemoryStorage,
    /// What is odd in the text but was read; at most the first twenty oddities.
    pub warnings: Vec<Problem>,
}

/// Reads exposition text.
///
/// `name` is what the text is called in diagnostics, usually its path. `scrape_time`, in
/// milliseconds since the epoch, is given to the samples without a timestamp. Of several samples
/// of one series at one time the first counts, as in a server. Exemplars are read and forgotten.
/// A `_created` line of OpenMetrics is a series, and the start time of its family's samples.
///
/// ```
/// use promql_engine::{LabelQuery, Storage, TimeRange};
/// use promql_storage::exposition::{self, Format};
///
/// let text = b"# TYPE up gauge\nup{job=\"api\"} 1\n";
/// let exposition = exposition::read("api.prom", text, Format::Text, 1_700_000_000_000)?;
/// let everything = LabelQuery { selectors: &[], range: TimeRange::ALL };
/// assert_eq!(exposition.storage.label_values("job", &everything).unwrap(), ["api"]);
/// # Ok::<(), promql_storage::Problems>(())
/// ```
///
/// # Errors
/// All the lines that Prometheus would not read.
pub fn read(
    name: &str,
    text: &[u8],
    format: Format,
    scrape_time: i64,
) -> Result<Exposition, Problems> {
    read_counting(name, text, format, scrape_time, &Amount::default())
}

/// As [`read`], and tells how far it came.
///
/// # Errors
/// Those of [`read`].
pub fn read_counting(
    name: &str,
    text: &[u8],
    format: Format,
    scrape_time: i64,
    amount: &Amount,
) -> Result<Exposition, Problems> {
    load::load(name, text, format, scrape_time, amount)
}
