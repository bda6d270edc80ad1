//! A source that was opened, as a session asks it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;

use promql_engine::{Cancellation, LabelQuery, MetricMetadata, QueryOptions, Storage, TimeRange};
use promql_ide::{Condition, Metadata, MetricKind, Names, Question, Selector};
use promql_model::{METRIC_NAME, MatchOp, Matcher};
use promql_repl::{
    Alert, Answer, Connection, Cost, Exemplar, Failure, Knowledge, Over, Reason, Request, Rule,
    ScrapeTarget,
};
use promql_storage::remote::{LabelRequest, RemoteServer, ServerAlert, ServerRule, ServerTarget};

use super::page;

use crate::commands::Stop;
use crate::commands::query::evaluate::Measured;
use crate::commands::query::limits::LimitFlags;
use crate::commands::query::source::Opened;
use crate::commands::query::{empty, evaluate, history};
use crate::console::Console;
use crate::inputs::{Input, Name};
use crate::time::{Clock, Times, When};

/// A source that was opened.
pub(super) struct CliConnection {
    pub(super) opened: Opened,
    pub(super) name: String,
    pub(super) sources: Vec<String>,
    pub(super) limits: LimitFlags,
    /// The zone of times, which the session may change.
    pub(super) zone: Arc<Mutex<TimeZone>>,
    pub(super) console: Console,
}

/// How many names of metrics a server is asked for, and how many labels or values.
const MOST_METRICS: usize = 100_000;
const MOST_VALUES: usize = 20_000;

/// Names count that had samples so lately, in milliseconds.
const LATELY: i64 = 3_600_000;

/// The expression of a request, as the other commands know inputs.
pub(super) fn input(request: &Request) -> Input {
    Input { name: Name::Session, text: request.expression.clone().into_bytes() }
}

fn stopped(stop: Stop) -> Failure {
    Failure::new(stop)
}

impl CliConnection {
    /// The server that evaluates; else what is said of a source that is none.
    fn server(&self, said: &str) -> Result<&RemoteServer, String> {
        match &self.opened {
            Opened::Server(server) => Ok(server),
            Opened::Local { .. } if self.name.contains("://") => {
                Err(format!("{} is evaluated here and {said}: \\connect it alone", self.name))
            }
            Opened::Local { .. } => Err(format!("{} is no server and {said}", self.name)),
        }
    }

    /// The options for a request; nothing if waiting for an exporter's history was cancelled.
    fn options(
        &self,
        request: &Request,
        cancellation: &Cancellation,
    ) -> Result<Option<(QueryOptions, When)>, Failure> {
        let mut times = Times::default();
        match &request.range {
            None => times.time = request.time.clone(),
            Some(range) => {
                match &range.over {
                    Over::Last(last) => {
                        times.last = Some(last.clone());
                        // A range ends where an instant query would be.
                        times.end = request.time.clone();
                    }
                    Over::Between(from, to) => {
                        (times.start, times.end) = (Some(from.clone()), to.clone());
                    }
                }
                times.step = range.step.clone();
            }
        }
        let limits = LimitFlags {
            lookback: request.lookback.clone().or_else(|| self.limits.lookback.clone()),
            ..self.limits.clone()
        };
        let zone = self.zone.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut clock = Clock { now: Clock::system().now, zone };
        let inputs = [input(request)];
        let flags = (&times, &limits);
        let when =
            history::when(&self.opened, &inputs, flags, &mut clock, cancellation, &self.console);
        let Some(when) = when.map_err(stopped)? else { return Ok(None) };
        if let (When::Over(range), Opened::Server(_)) = (when, &self.opened) {
            crate::time::range::check_steps(range).map_err(Failure::new)?;
        }
        let mut options = QueryOptions::from(when);
        limits.apply(&mut options).map_err(stopped)?;
        options.cancellation = cancellation.clone();
        Ok(Some((options, when)))
    }
}

impl Connection for CliConnection {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn sources(&self) -> Vec<String> {
        self.sources.clone()
    }

    fn ask(&self, request: &Request, cancellation: &Cancellation) -> Result<Answer, Failure> {
        let input = input(request);
        let cancelled = || Failure { cancelled: true, ..Failure::new("cancelled") };
        let (options, when) = self.options(request, cancellation)?.ok_or_else(cancelled)?;
        let started = Instant::now();
        let answer = evaluate::answer(&self.opened, &input, &options, true, &self.console);
        let (result, measured) = answer.map_err(|failure| Failure {
            text: failure.drawn(&input, &self.console),
            cancelled: failure.is_cancelled(),
            is_input: failure.exit() == crate::exit::Exit::Usage,
        })?;
        Ok(Answer {
            request: request.clone(),
            result,
            range: match when {
                When::At(_) => None,
                When::Over(range) => Some((range.start, range.end, range.step)),
            },
            took: started.elapsed(),
            ordered: evaluate::sorts(&input.text),
            cost: measured.map(cost).unwrap_or_default(),
        })
    }

    fn why_empty(&self, request: &Request, cancellation: &Cancellation) -> Option<Reason> {
        let (options, _) = self.options(request, cancellation).ok()??;
        empty::explain(&self.opened, &input(request), &options, &self.console)
    }

    fn rules(&self, cancellation: &Cancellation) -> Result<Vec<Rule>, String> {
        match &self.opened {
            Opened::Server(server) => {
                let rules = server.rules(cancellation).map_err(|error| error.to_string())?;
                Ok(rules.into_iter().map(told).collect())
            }
            Opened::Local { .. } => {
                Err("a file evaluates no rules; `promql check` and `promql test` read rule files"
                    .to_owned())
            }
        }
    }

    fn targets(&self, cancellation: &Cancellation) -> Result<Vec<ScrapeTarget>, String> {
        let server = self.server("scrapes nothing that this program knows of")?;
        let found = server.targets(cancellation).map_err(|error| error.to_string())?;
        Ok(found.into_iter().map(target).collect())
    }

    fn exemplars(
        &self,
        request: &Request,
        cancellation: &Cancellation,
    ) -> Result<Vec<Exemplar>, Failure> {
        let server = self.server("keeps no exemplars").map_err(Failure::new)?;
        let cancelled = || Failure { cancelled: true, ..Failure::new("cancelled") };
        let (_, when) = self.options(request, cancellation)?.ok_or_else(cancelled)?;
        let range = match when {
            When::At(time) => TimeRange { start: time.saturating_sub(LATELY), end: time },
            When::Over(range) => TimeRange { start: range.start, end: range.end },
        };
        let found = server.exemplars(&request.expression, range, cancellation);
        let found = found.map_err(|error| match error.is_cancelled() {
            true => cancelled(),
            false => Failure::new(error),
        })?;
        let one = |exemplar: promql_storage::remote::Exemplar| Exemplar {
            series: exemplar.series,
            labels: exemplar.labels,
            value: exemplar.value,
            timestamp: exemplar.timestamp,
        };
        Ok(found.into_iter().map(one).collect())
    }

    fn page(&self, request: &Request) -> Result<String, Failure> {
        let server = self.server("has no pages").map_err(Failure::new)?;
        let cancelled = || Failure { cancelled: true, ..Failure::new("cancelled") };
        let (_, when) = self.options(request, &Cancellation::default())?.ok_or_else(cancelled)?;
        Ok(page::address(&server.address(), &request.expression, when))
    }

    fn know(&self, question: &Question, cancellation: &Cancellation) -> Result<Knowledge, String> {
        match &self.opened {
            Opened::Server(server) => of_server(server, question, cancellation),
            Opened::Local { storage, .. } => of_storage(&**storage, question),
        }
    }
}

/// What an evaluation took.
fn cost(measured: Measured) -> Cost {
    match measured {
        Measured::Here(statistics) => Cost {
            time: Some(statistics.total_time),
            waited: None,
            series: Some(statistics.reads.iter().map(|read| read.series as u64).sum()),
            samples_read: Some(statistics.samples_read),
            samples: Some(statistics.samples_queried),
            peak_samples: Some(statistics.peak_samples as u64),
            peak_bytes: Some(statistics.peak_bytes as u64),
        },
        Measured::Server(cost) => Cost {
            time: cost.time,
            waited: cost.waited,
            series: cost.series,
            samples: cost.samples,
            peak_samples: cost.peak_samples,
            ..Cost::default()
        },
    }
}

fn target(mut target: ServerTarget) -> ScrapeTarget {
    // A target that was never scraped has the first second of the calendar.
    let time = target.last_scrape.parse::<jiff::Timestamp>().ok();
    let mut label = |name: &str| target.labels.remove(name).unwrap_or_default();
    let (job, instance) = (label("job"), label("instance"));
    ScrapeTarget {
        job,
        instance,
        url: target.scrape_url,
        health: target.health,
        last_scrape: time.map(jiff::Timestamp::as_millisecond).filter(|time| *time > 0),
        took: Duration::try_from_secs_f64(target.last_scrape_duration).unwrap_or_default(),
        error: target.last_error,
    }
}

fn told(rule: ServerRule) -> Rule {
    let alert = |alert: ServerAlert| Alert {
        state: alert.state,
        since: alert.active_at.parse().ok().map(jiff::Timestamp::as_millisecond),
        labels: alert.labels,
    };
    Rule {
        state: if rule.state.is_empty() { rule.rule_type } else { rule.state },
        group: rule.group,
        name: rule.name,
        query: rule.query,
        error: rule.last_error,
        alerts: rule.alerts.into_iter().map(alert).collect(),
    }
}

/// The selector with a condition that a label begins with something, if that is asked.
fn narrowed(selector: &Selector, label: &str, prefix: &str) -> Selector {
    let mut selector = selector.clone();
    if !prefix.is_empty() {
        let mut value = String::new();
        for c in prefix.chars() {
            if c.is_ascii_punctuation() {
                value.push('\\');
            }
            value.push(c);
        }
        let label = label.to_owned();
        selector.conditions.push(Condition { label, op: MatchOp::Matches, value: value + ".*" });
    }
    selector
}

/// A question about what had samples lately.
fn lately<'a>(
    selectors: &'a [String],
    limit: usize,
    cancellation: &Cancellation,
) -> LabelRequest<'a> {
    let now = Clock::system().now;
    let range = Some(TimeRange { start: now.saturating_sub(LATELY), end: now });
    LabelRequest { selectors, range, limit, cancellation: cancellation.clone() }
}

fn of_server(
    server: &RemoteServer,
    question: &Question,
    cancellation: &Cancellation,
) -> Result<Knowledge, String> {
    let selectors = |selector: &Selector| match selector.is_everything() {
        true => Vec::new(),
        false => vec![selector.to_string()],
    };
    let names = |found: Vec<String>, limit: usize| {
        let is_cut = found.len() >= limit;
        let names = Names::new(found);
        if is_cut { names.cut() } else { names }
    };
    let told = |error: promql_storage::remote::RemoteError| error.to_string();
    match question {
        Question::Metrics { prefix } => {
            let selectors = selectors(&narrowed(&Selector::default(), METRIC_NAME, prefix));
            let found =
                server.label_values(METRIC_NAME, &lately(&selectors, MOST_METRICS, cancellation));
            let found = names(found.map_err(told)?.data, MOST_METRICS);
            // Not every server has metadata; names are of use without.
            let metadata = match prefix.is_empty() {
                true => server.metadata(None, cancellation).unwrap_or_default(),
                false => Default::default(),
            };
            Ok(Knowledge::Metrics(found, described(metadata)))
        }
        Question::Metadata { metric } => {
            let metadata = server.metadata(Some(metric), cancellation).map_err(told)?;
            Ok(Knowledge::Metadata(described(metadata)))
        }
        Question::LabelNames { selector } => {
            let selectors = selectors(selector);
            let found =
                server.label_names(&lately(&selectors, MOST_VALUES, cancellation)).map_err(told)?;
            Ok(Knowledge::Names(names(found.data, MOST_VALUES)))
        }
        Question::LabelValues { label, selector, prefix } => {
            let selectors = selectors(&narrowed(selector, label, prefix));
            let found = server.label_values(label, &lately(&selectors, MOST_VALUES, cancellation));
            Ok(Knowledge::Names(names(found.map_err(told)?.data, MOST_VALUES)))
        }
    }
}

fn of_storage(storage: &dyn Storage, question: &Question) -> Result<Knowledge, String> {
    let told = |error: promql_engine::StorageError| error.to_string();
    let matchers = |selector: &Selector| -> Result<Vec<Matcher>, String> {
        let metric = selector.metric.iter().map(|name| Condition {
            label: METRIC_NAME.to_owned(),
            op: MatchOp::Equal,
            value: name.clone(),
        });
        let conditions = metric.chain(selector.conditions.iter().cloned());
        let matcher = |c: Condition| Matcher::new(c.label, c.op, c.value.as_bytes());
        conditions.map(|c| matcher(c).map_err(|error| error.to_string())).collect()
    };
    let selectors = |selector: &Selector| -> Result<Vec<Vec<Matcher>>, String> {
        Ok(match selector.is_everything() {
            true => Vec::new(),
            false => vec![matchers(selector)?],
        })
    };
    match question {
        Question::Metrics { .. } => {
            let query = LabelQuery { selectors: &[], range: TimeRange::ALL };
            let names = Names::new(storage.label_values(METRIC_NAME, &query).map_err(told)?);
            Ok(Knowledge::Metrics(names, described(storage.metadata(None).map_err(told)?)))
        }
        Question::Metadata { metric } => {
            Ok(Knowledge::Metadata(described(storage.metadata(Some(metric)).map_err(told)?)))
        }
        Question::LabelNames { selector } => {
            let selectors = selectors(selector)?;
            let query = LabelQuery { selectors: &selectors, range: TimeRange::ALL };
            Ok(Knowledge::Names(Names::new(storage.label_names(&query).map_err(told)?)))
        }
        Question::LabelValues { label, selector, .. } => {
            let selectors = selectors(selector)?;
            let query = LabelQuery { selectors: &selectors, range: TimeRange::ALL };
            Ok(Knowledge::Names(Names::new(storage.label_values(label, &query).map_err(told)?)))
        }
    }
}

/// What is said about families; where targets disagree, what the first says.
fn described(
    metadata: std::collections::BTreeMap<String, Vec<MetricMetadata>>,
) -> HashMap<String, Metadata> {
    let first = |(name, mut all): (String, Vec<MetricMetadata>)| {
        let about = (!all.is_empty()).then(|| all.swap_remove(0))?;
        let kind = MetricKind::named(&about.metric_type);
        Some((name, Metadata { kind, unit: about.unit, help: about.help }))
    };
    metadata.into_iter().filter_map(first).collect()
}
