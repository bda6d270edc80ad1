//! Raw samples by range selectors, where a server has nothing better.

use std::collections::BTreeMap;
use std::collections::HashSet;

use promql_engine::{EngineOptions, QueryOptions, SampleBuffer, SelectRequest};
use promql_model::{Annotation, Labels, QueryValue, Severity, stale_nan};

use super::RemoteServer;
use super::error::{RemoteError, RemoteErrorKind};
use super::gaps::{Gap, gaps, question_of, questions};
use super::raw::selector;
use crate::columns::sort;
use crate::fetched::Fetched;

/// How many questions are asked to find staleness markers.
const MOST_QUESTIONS: usize = 12;

/// How often a range is halved that has too many samples for the server.
const MOST_HALVINGS: u32 = 6;

/// The samples of a selection, with what was lost on the way.
pub(super) fn select(
    server: &RemoteServer,
    request: &SelectRequest<'_>,
) -> Result<Fetched, RemoteError> {
    let mut series = BTreeMap::new();
    let range = (request.range.start, request.range.end);
    fetch(server, request, range, MOST_HALVINGS, &mut series)?;
    series.values_mut().for_each(sort);
    let mut lost = Vec::new();
    if series.values().any(|columns: &SampleBuffer| !columns.histograms.is_empty()) {
        lost.push("the schema of native histograms, of which only the populated buckets are known");
    }
    let (labels, mut columns): (Vec<Labels>, Vec<SampleBuffer>) = series.into_iter().unzip();
    if !restore_markers(server, request, &labels, &mut columns)? {
        lost.push("the ends of series, of which there are too many to ask about each");
    }
    let mut fetched: Fetched = labels.into_iter().zip(columns).collect();
    if !lost.is_empty() {
        let message = format!(
            "{} has no remote read, and its samples were asked for by selectors; lost on that way: {}",
            server.address(),
            lost.join("; ")
        );
        fetched.annotations.push(Annotation { severity: Severity::Warning, message, span: None });
    }
    Ok(fetched)
}

/// Asks for the samples of a range, both ends of which count, in parts if they are too many.
fn fetch(
    server: &RemoteServer,
    request: &SelectRequest<'_>,
    (start, end): (i64, i64),
    halvings: u32,
    series: &mut BTreeMap<Labels, SampleBuffer>,
) -> Result<(), RemoteError> {
    // The window is open at its start, and one millisecond longer therefore.
    let window = end.saturating_sub(start).saturating_add(1);
    let expression = format!("{}[{window}ms]", selector(request.matchers));
    let mut options = QueryOptions::instant(end);
    options.cancellation = request.cancellation.clone();
    let result = match server.query(&expression, &options) {
        Err(error) if halvings > 0 && start < end && is_too_much(&error) => {
            let middle = start + (end - start) / 2;
            fetch(server, request, (start, middle), halvings - 1, series)?;
            return fetch(server, request, (middle + 1, end), halvings - 1, series);
        }
        result => result?,
    };
    let QueryValue::Matrix(matrix) = result.value else {
        let reason = format!("`{expression}` was not answered with samples over time");
        return Err(server.failed(RemoteErrorKind::Malformed { reason, said: String::new() }));
    };
    for one in matrix {
        let columns = series.entry(one.labels).or_default();
        // Servers before version 3 count the start of a window in.
        for (time, value) in one.floats.into_iter().filter(|(time, _)| *time >= start) {
            columns.timestamps.push(time);
            columns.values.push(value);
        }
        for (time, histogram) in one.histograms.into_iter().filter(|(time, _)| *time >= start) {
            columns.histogram_timestamps.push(time);
            columns.histograms.push(histogram);
        }
    }
    Ok(())
}

fn is_too_much(error: &RemoteError) -> bool {
    match &*error.kind {
        RemoteErrorKind::Api { message, .. } => message.contains("too many samples"),
        RemoteErrorKind::TooLarge { .. } => true,
        _ => false,
    }
}

/// Puts staleness markers where the server says that series had ended. False if there are too many
/// places to ask about.
fn restore_markers(
    server: &RemoteServer,
    request: &SelectRequest<'_>,
    labels: &[Labels],
    columns: &mut [SampleBuffer],
) -> Result<bool, RemoteError> {
    let lookback = EngineOptions::default().lookback_delta;
    let lookback = i64::try_from(lookback.as_millis()).unwrap_or(i64::MAX);
    let end = request.range.end;
    let found: Vec<Gap> = columns
        .iter()
        .enumerate()
        .flat_map(|(at, columns)| gaps(at, columns, end, lookback))
        .collect();
    let mut times = questions(&found);
    let is_whole = times.len() <= MOST_QUESTIONS;
    // The latest are what most queries are about.
    let first = times.len().saturating_sub(MOST_QUESTIONS);
    times.drain(..first);
    let mut present: Vec<HashSet<Labels>> = Vec::new();
    for time in &times {
        let mut options = QueryOptions::instant(*time);
        options.cancellation = request.cancellation.clone();
        let result = server.query(&selector(request.matchers), &options)?;
        let QueryValue::Vector(vector) = result.value else { return Ok(false) };
        present.push(vector.into_iter().map(|element| element.labels).collect());
    }
    for gap in &found {
        let Some(at) = question_of(gap, &times) else { continue };
        if present[at].contains(&labels[gap.series]) {
            continue;
        }
        let columns = &mut columns[gap.series];
        columns.timestamps.push(gap.due);
        columns.values.push(stale_nan());
    }
    columns.iter_mut().for_each(sort);
    Ok(is_whole)
}
