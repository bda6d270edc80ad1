//! A server with the HTTP API of Prometheus, as checks ask it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use promql_engine::{Cancellation, QueryOptions, TimeRange};
use promql_lint::live::{About, Question, Refusal, Reply, RunningRule, Server};
use promql_model::{Annotation, Labels, QueryValue, SeriesSamples, parse_duration};
use promql_rules::ServerConfig;
use promql_storage::remote::{LabelRequest, RemoteError, RemoteErrorKind, RemoteServer};

/// A server with the HTTP API of Prometheus.
pub(super) struct Remote<'a> {
    server: &'a RemoteServer,
    /// The present, in milliseconds since the epoch.
    now: i64,
    /// How much time has to lie between two requests, and when the next one may be.
    pace: Option<(Duration, Mutex<Instant>)>,
    cancellation: Cancellation,
}

impl<'a> Remote<'a> {
    /// A server whose present is a time in milliseconds since the epoch, asked no faster than that.
    pub(super) fn new(
        server: &'a RemoteServer,
        now: i64,
        per_second: Option<f64>,
        cancellation: Cancellation,
    ) -> Remote<'a> {
        let apart = per_second.and_then(|rate| Duration::try_from_secs_f64(1.0 / rate).ok());
        let pace = apart.map(|apart| (apart, Mutex::new(Instant::now())));
        Remote { server, now, pace, cancellation }
    }

    /// Waits until the next request may be sent.
    fn wait(&self) {
        let Some((apart, next)) = &self.pace else { return };
        let wait = {
            let mut next = next.lock().unwrap_or_else(PoisonError::into_inner);
            let at = (*next).max(Instant::now());
            *next = at + *apart;
            at.saturating_duration_since(Instant::now())
        };
        std::thread::sleep(wait);
    }

    fn instant(&self, expr: &str) -> Result<Reply, RemoteError> {
        let mut options = QueryOptions::instant(self.now);
        options.cancellation = self.cancellation.clone();
        let mut result = self.server.query(expr, &options)?;
        for annotation in &mut result.annotations {
            place(annotation, expr);
        }
        Ok(Reply::of_result(result))
    }

    fn courses(&self, expr: &str, range: i64, step: i64) -> Result<Reply, RemoteError> {
        let step = step.max(1);
        let end = self.now / step * step;
        let start = end - range / step * step;
        let apart = Duration::from_millis(step.unsigned_abs());
        let mut options = QueryOptions::range(start, end, apart);
        options.cancellation = self.cancellation.clone();
        let times = (start, end, step);
        let QueryValue::Matrix(series) = self.server.query(expr, &options)?.value else {
            return Ok(Reply::Courses { times, courses: Vec::new() });
        };
        let course = |series: SeriesSamples| {
            let mut present: Vec<i64> = series.floats.iter().map(|(time, _)| *time).collect();
            present.extend(series.histograms.iter().map(|(time, _)| *time));
            present.sort_unstable();
            (map_of(&series.labels), present)
        };
        Ok(Reply::Courses { times, courses: series.into_iter().map(course).collect() })
    }

    fn labels<'r>(&self, selectors: &'r [String], range: i64, limit: usize) -> LabelRequest<'r> {
        let range = Some(TimeRange { start: self.now - range, end: self.now });
        LabelRequest { selectors, range, limit, cancellation: self.cancellation.clone() }
    }

    /// What the server says about itself. What it doesn't show is noted; only if it can't be asked at all
    /// that is a failure.
    fn about(&self) -> Result<Reply, RemoteError> {
        let mut about = About { now: Some(self.now), ..About::default() };
        let lacks = |about: &mut About, what: &str, error: RemoteError| {
            match refusal(&error, false) {
                Refusal::Unavailable(_) => return Err(error),
                _ => about.lacks.push(what.to_owned()),
            }
            Ok(())
        };
        self.wait();
        match self.server.build_info(&self.cancellation) {
            Ok(info) => about.version = Some(info.version),
            Err(error) => lacks(&mut about, "version", error)?,
        }
        self.wait();
        match self.server.flags(&self.cancellation) {
            Ok(flags) => {
                let of_flag = flags.get("enable-feature").map(|flag| flag.trim_matches(['[', ']']));
                about.features = of_flag.map(|features| {
                    let words = features.split([',', ' ']).map(str::trim);
                    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
                });
            }
            Err(error) => lacks(&mut about, "flags", error)?,
        }
        self.wait();
        match self.server.runtime_info(&self.cancellation) {
            Ok(info) => about.retention = retention(&info.storage_retention),
            Err(error) => lacks(&mut about, "retention", error)?,
        }
        self.wait();
        match self.server.configuration(&self.cancellation) {
            Ok(text) => {
                let config = About::of_config(&ServerConfig::load(&text).0);
                // Samples that are read from elsewhere may be of any age.
                about.retention = config.retention.or(about.retention);
                about = about.or(config);
            }
            Err(error) => lacks(&mut about, "configuration", error)?,
        }
        Ok(Reply::About(Box::new(about)))
    }

    fn rules(&self) -> Result<Reply, RemoteError> {
        let rules = self.server.rules(&self.cancellation)?;
        let running = |rule: promql_storage::remote::ServerRule| RunningRule {
            group: rule.group,
            name: rule.name,
            is_alert: rule.rule_type == "alerting",
            query: rule.query,
            error: Some(rule.last_error).filter(|_| rule.health == "err"),
        };
        Ok(Reply::Rules(rules.into_iter().map(running).collect()))
    }

    fn answer(&self, question: &Question) -> Result<Reply, RemoteError> {
        match question {
            Question::Elements { expr } => self.instant(expr),
            Question::Courses { expr, range, step } => self.courses(expr, *range, *step),
            Question::Exists { selector, range } => {
                let selectors = [selector.clone()];
                let found = self.server.series(&self.labels(&selectors, *range, 1))?;
                Ok(Reply::Exists(!found.data.is_empty()))
            }
            Question::LabelNames { selector, range } => {
                let selectors = [selector.clone()];
                let found = self.server.label_names(&self.labels(&selectors, *range, 0))?;
                Ok(Reply::Names(found.data))
            }
            Question::Kinds { metric } => {
                let found = self.server.metadata(Some(metric), &self.cancellation)?;
                let kinds: BTreeSet<String> = found
                    .get(metric)
                    .into_iter()
                    .flatten()
                    .map(|metadata| metadata.metric_type.clone())
                    .collect();
                Ok(Reply::Names(kinds.into_iter().collect()))
            }
            Question::About => self.about(),
            Question::Rules => self.rules(),
        }
    }
}

impl Server for Remote<'_> {
    fn ask(&self, question: &Question) -> Result<Reply, Refusal> {
        // What it says about itself takes several requests.
        if *question != Question::About {
            self.wait();
        }
        let has_expression =
            matches!(question, Question::Elements { .. } | Question::Courses { .. });
        self.answer(question).map_err(|error| refusal(&error, has_expression))
    }
}

/// Takes the position off that a remark of a server ends with, `(1:6)`, and gives the remark the place
/// from there to the end of the expression's line. Lines and columns count from 1, columns in bytes.
fn place(annotation: &mut Annotation, expr: &str) {
    let Some((message, position)) = annotation.message.rsplit_once(" (") else { return };
    let numbers = position.strip_suffix(')').and_then(|position| position.split_once(':'));
    let Some((Ok(line), Ok(column))) =
        numbers.map(|(line, column)| (line.parse::<usize>(), column.parse::<usize>()))
    else {
        return;
    };
    let before: usize = expr.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let start = before + column.saturating_sub(1);
    let length = expr.get(start..).map(|rest| rest.lines().next().unwrap_or_default().len());
    if let Some(length) = length.filter(|length| *length > 0) {
        annotation.span = u32::try_from(start).ok().zip(u32::try_from(start + length).ok());
    }
    annotation.message = message.to_owned();
}

fn map_of(labels: &Labels) -> BTreeMap<String, String> {
    labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The time of a retention, in milliseconds: `15d`, `15d or 10GiB`. What is kept up to a size alone may be
/// of any age.
fn retention(text: &str) -> Option<i64> {
    let first = text.split(" or ").next().unwrap_or_default();
    parse_duration(first.trim()).ok().map(|nanoseconds| nanoseconds / 1_000_000)
}

/// What an error means to whoever asks. No error shows a secret.
fn refusal(error: &RemoteError, has_expression: bool) -> Refusal {
    let told = error.to_string();
    match &*error.kind {
        RemoteErrorKind::Api { status, error_type, message, place } => {
            match (error_type.as_str(), status) {
                ("timeout", _) => Refusal::TooMuch(told),
                ("bad_data" | "execution", _) | (_, 400 | 422) if has_expression => {
                    let at = place.as_ref().and_then(|(_, at)| u32::try_from(*at).ok());
                    let span = at.map(|at| (at, at + 1));
                    Refusal::Expression { message: message.clone(), span }
                }
                (_, 401 | 403) => Refusal::Unavailable(told),
                (_, 400..=499 | 501) => Refusal::Lacking(told),
                _ => Refusal::Unavailable(told),
            }
        }
        RemoteErrorKind::Http { status: 400 | 404 | 405 | 422 | 501, .. } => Refusal::Lacking(told),
        RemoteErrorKind::TooLarge { .. } | RemoteErrorKind::Timeout { .. } => {
            Refusal::TooMuch(told)
        }
        _ => Refusal::Unavailable(told),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remarks_have_places() {
        let remark = |message: &str| Annotation {
            severity: promql_model::Severity::Info,
            message: message.to_owned(),
            span: None,
        };
        let mut found = remark("no counter: \"x\" (2:6)");
        place(&mut found, "count(\nrate(x[5m])\n)");
        assert_eq!((found.message.as_str(), found.span), ("no counter: \"x\"", Some((12, 18))));
        for other in ["all is well", "all (really)", "all (1:x)"] {
            let mut found = remark(other);
            place(&mut found, "x");
            assert_eq!(found, remark(other));
        }
    }

    #[test]
    fn retentions() {
        let day = 86_400_000;
        assert_eq!(retention("15d"), Some(15 * day));
        assert_eq!(retention("30d or 10GiB"), Some(30 * day));
        assert_eq!(retention("10GiB"), None);
        assert_eq!(retention(""), None);
    }
}
