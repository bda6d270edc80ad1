//! Waiting for as much history of an exporter as queries look back at.

use std::time::Duration;

use promql_engine::{Cancellation, QueryOptions};
use promql_syntax::{Features, ValueType};

use super::limits::LimitFlags;
use super::source::Opened;
use super::usage;
use crate::commands::Stop;
use crate::console::Console;
use crate::inputs::Input;
use crate::progress::Progress;
use crate::time::range::written;
use crate::time::{Clock, Times, When};

/// When expressions are evaluated, after waiting for the history of exporters that they look back at.
/// Nothing if that was cancelled. Waiting takes time, so the clock is set again.
///
/// # Errors
/// When the flags don't fit together, or the expressions look back further than history is kept.
pub(in crate::commands) fn when(
    opened: &Opened,
    inputs: &[Input],
    (times, limits): (&Times, &LimitFlags),
    clock: &mut Clock,
    cancellation: &Cancellation,
    console: &Console,
) -> Result<Option<When>, Stop> {
    let when = |clock: &Clock| times.when(clock, opened.latest(clock)).map_err(usage);
    let mut provisional = QueryOptions::from(when(clock)?);
    limits.apply(&mut provisional)?;
    if !wait(opened, inputs, &provisional, cancellation, console)? {
        return Ok(None);
    }
    clock.now = Clock::system().now;
    when(clock).map(Some)
}

/// Scrapes as long as the expressions look back, if there is an exporter to scrape and they do. How
/// long that is, is said first on a terminal. False if it was cancelled.
///
/// # Errors
/// When they look back further than history is kept.
fn wait(
    opened: &Opened,
    inputs: &[Input],
    options: &QueryOptions,
    cancellation: &Cancellation,
    console: &Console,
) -> Result<bool, Stop> {
    let Opened::Local { scrapers, .. } = opened else { return Ok(true) };
    if scrapers.is_empty() {
        return Ok(true);
    }
    let now = opened.latest(&Clock::system());
    let earliest = inputs.iter().filter_map(|input| earliest(input, options)).min();
    let needed = earliest.map_or(0, |earliest| now.saturating_sub(earliest)).max(0);
    let needed = Duration::from_millis(needed.unsigned_abs());
    if needed.is_zero() {
        return Ok(true);
    }
    for scraper in scrapers {
        let window = scraper.options().window;
        let text = |span: Duration| written(i64::try_from(span.as_millis()).unwrap_or(i64::MAX));
        if needed > window {
            let (needed, window) = (text(needed), text(window));
            return Err(Stop::Usage(format!(
                "the query looks {needed} back, and {window} of what is scraped are kept: add \
                 #window={needed} to the address, or look back less"
            )));
        }
        let interval = scraper.fit_interval(needed);
        let what = format!("scraping each {} for {}", text(interval), text(needed));
        let count = needed.as_millis().div_ceil(interval.as_millis().max(1));
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let progress = Progress::counting(console, what, count);
        let mut done = 0;
        while scraper.covered() < needed {
            let seen = scraper.scrapes();
            if !scraper.wait_for(seen + 1, cancellation) {
                return Ok(false);
            }
            done += 1;
            if done <= count {
                progress.advance();
            }
        }
    }
    Ok(true)
}

/// The first time of which samples are needed, in milliseconds since the epoch. An instant selector
/// is content with the last scrape.
fn earliest(input: &Input, options: &QueryOptions) -> Option<i64> {
    let query = promql_syntax::compile(&input.text, &Features::ALL).ok()?;
    let plan = promql_engine::plan(&query, options).ok()?;
    let of_window = plan.nodes.iter().filter_map(|node| {
        let window = node.window?;
        let end = window.at.unwrap_or(node.steps.start).saturating_sub(window.offset);
        let is_range = node.value_type == ValueType::RangeVector;
        Some(end.saturating_sub(if is_range { window.range } else { 0 }))
    });
    of_window.min()
}
