//! Remote read: the raw samples of a server in the form in which it stores them.
//!
//! A server is asked for streamed chunks, and for plain samples if it has no chunks to give; what it
//! answers with, its content type says. Chunks stay packed until somebody reads them, so an answer
//! takes as much memory as it has bytes. Nothing is lost on this way: staleness markers, the buckets
//! of native histograms and what is known about counter resets come along.

mod chunks;
mod message;
mod samples;

use promql_engine::{SelectRequest, SelectedSeries};
use promql_model::{Labels, LabelsBuilder, MatchOp, Matcher};
use prost::Message;

use super::error::{RemoteErrorKind, first_words};
use super::transport::Response;
use message::{Label, LabelMatcher, MatcherType, Query, ReadHints, ReadRequest, ResponseType};

/// The forms in which an answer is welcome.
pub(super) const ACCEPT: &str =
    "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse, application/x-protobuf";

/// Whose labels are what.
pub(super) struct Naming<'a> {
    /// Labels that the server adds to all series, if they are to be taken off again.
    pub(super) external: &'a Labels,
    /// What series must fulfil then.
    pub(super) matchers: &'a [Matcher],
}

/// The request for the series of a selection, packed.
pub(super) fn request(request: &SelectRequest<'_>) -> Vec<u8> {
    let matcher = |matcher: &Matcher| {
        let kind = match matcher.op() {
            MatchOp::Equal => MatcherType::Equal,
            MatchOp::NotEqual => MatcherType::NotEqual,
            MatchOp::Matches => MatcherType::Matches,
            MatchOp::NotMatches => MatcherType::NotMatches,
        };
        LabelMatcher {
            r#type: kind.into(),
            name: matcher.name().to_owned(),
            value: matcher.value().to_owned(),
        }
    };
    let query = Query {
        start_timestamp_ms: request.range.start,
        end_timestamp_ms: request.range.end,
        matchers: request.matchers.iter().map(matcher).collect(),
        hints: Some(ReadHints {
            step_ms: request.hints.step,
            func: request.hints.function.unwrap_or_default().to_owned(),
            start_ms: request.range.start,
            end_ms: request.range.end,
            range_ms: request.hints.range,
        }),
    };
    let message = ReadRequest {
        queries: vec![query],
        accepted_response_types: vec![
            ResponseType::StreamedXorChunks.into(),
            ResponseType::Samples.into(),
        ],
    };
    let mut packed = snap::raw::Encoder::new();
    // It fails only for messages beyond 4 GiB.
    packed.compress_vec(&message.encode_to_vec()).unwrap_or_default()
}

/// What an answer is.
pub(super) enum Answer {
    /// The series.
    Series(Box<dyn SelectedSeries>),
    /// The server has no remote read.
    Unknown,
}

/// Understands an answer. `most_bytes` is how large it may be unpacked.
pub(super) fn answer(
    response: Response,
    naming: &Naming<'_>,
    most_bytes: usize,
) -> Result<Answer, RemoteErrorKind> {
    let Response { status, content_type, content_encoding, body, retry_after } = response;
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    let malformed = |reason: String| RemoteErrorKind::Malformed { reason, said: String::new() };
    match (status, media_type) {
        (200..300, "application/x-streamed-protobuf") => {
            let chunks = chunks::Chunks::read(body, naming).map_err(malformed)?;
            Ok(Answer::Series(Box::new(chunks)))
        }
        (200..300, "application/x-protobuf") => {
            let body = match &*content_encoding {
                // A proxy may have unpacked it.
                "" | "identity" => body,
                _ => unpacked(&body, most_bytes)?,
            };
            let samples = samples::read(&body, naming).map_err(malformed)?;
            Ok(Answer::Series(Box::new(samples)))
        }
        // A page, or an API that answers everything.
        (200..300, _) => Ok(Answer::Unknown),
        (403 | 404 | 405 | 501, _) => Ok(Answer::Unknown),
        // VictoriaMetrics, and an agent.
        (400 | 422, _) if says_unknown(&body) => Ok(Answer::Unknown),
        _ => Err(RemoteErrorKind::Http { status, said: first_words(&body), retry_after }),
    }
}

fn says_unknown(body: &[u8]) -> bool {
    let said = String::from_utf8_lossy(&body[..body.len().min(2000)]);
    ["unsupported path", "unavailable with Prometheus Agent"].iter().any(|text| said.contains(text))
}

fn unpacked(body: &[u8], most_bytes: usize) -> Result<Vec<u8>, RemoteErrorKind> {
    let reason = |error: snap::Error| RemoteErrorKind::Malformed {
        reason: format!("it is not packed by snappy: {error}"),
        said: String::new(),
    };
    // Looked at before any memory is taken.
    if snap::raw::decompress_len(body).map_err(reason)? > most_bytes {
        return Err(RemoteErrorKind::TooLarge { limit: most_bytes });
    }
    snap::raw::Decoder::new().decompress_vec(body).map_err(reason)
}

/// The labels of a series, without those that the server adds, or nothing if the series is not
/// one of those that were asked for.
fn labels(
    pairs: &[Label],
    naming: &Naming<'_>,
    builder: &mut LabelsBuilder,
) -> Result<Option<Labels>, String> {
    builder.reset(&Labels::empty());
    for (at, Label { name, value }) in pairs.iter().enumerate() {
        if pairs[..at].iter().any(|other| other.name == *name) {
            return Err(format!("a series has the label `{}` twice", name.escape_debug()));
        }
        let is_external = naming.external.get(name).is_some_and(|external| external == value);
        if !is_external {
            builder.set(name, value);
        }
    }
    let labels = builder.build();
    let accepts =
        |matcher: &Matcher| matcher.matches(labels.get(matcher.name()).unwrap_or_default());
    // Where nothing was taken off, the server has looked at the matchers.
    let fits = naming.external.is_empty() || naming.matchers.iter().all(accepts);
    Ok(fits.then_some(labels))
}

/// What the fuzz target calls: an answer of either form, read to its last sample.
#[doc(hidden)]
pub fn read_whole_answer(body: &[u8], streamed: bool) -> Result<usize, String> {
    let naming = Naming { external: &Labels::empty(), matchers: &[] };
    let series: Box<dyn SelectedSeries> = match streamed {
        true => Box::new(chunks::Chunks::read(body.to_vec(), &naming)?),
        false => Box::new(samples::read(body, &naming)?),
    };
    let mut buffer = promql_engine::SampleBuffer::default();
    let mut count = 0;
    for index in 0..series.labels().len() {
        let samples = series.read(index, &mut buffer).map_err(|error| error.to_string())?;
        for times in [samples.timestamps, samples.histogram_timestamps] {
            assert!(times.is_sorted_by(|a, b| a < b), "times ascend");
            count += times.len();
        }
    }
    assert!(series.labels().is_sorted_by(|a, b| a < b), "series are sorted");
    Ok(count)
}
