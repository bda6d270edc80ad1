//! What a client sent.

use std::borrow::Cow;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use promql_engine::TimeRange;
use promql_model::{METRIC_NAME, MatchOp, Matcher};
use promql_syntax::Features;
use promql_syntax::ast::{NodeKind, Text};

use crate::failure::Failure;

/// The smallest and the largest time that upstream knows, in milliseconds since the epoch. They
/// stand for open ends.
const OPEN: TimeRange =
    TimeRange { start: -9_223_309_901_257_974_000, end: 9_223_309_901_257_974_999 };
const OPEN_TEXTS: [(&str, i64); 2] =
    [("-292273086-05-16T16:47:06Z", OPEN.start), ("292277025-08-18T07:12:54.999999999Z", OPEN.end)];

/// Parameters of the URL and of a form in the body. Where both have one, that of the body counts.
#[derive(Debug, Default)]
pub(crate) struct Parameters {
    pairs: Vec<(String, String)>,
}

impl<S: Send + Sync> FromRequest<S> for Parameters {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let query = request.uri().query().unwrap_or_default().to_owned();
        let is_form = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .and_then(|kind| kind.split(';').next())
            .is_some_and(|kind| {
                kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
            });
        // A body of another kind has no parameters, but it must have been read.
        let body = Bytes::from_request(request, state).await.map_err(|rejection| {
            let status = rejection.into_response().status();
            let message = match status {
                StatusCode::PAYLOAD_TOO_LARGE => "the request is larger than this server takes",
                _ => "the request can't be read",
            };
            (status, Failure::bad_data(message)).into_response()
        })?;
        let body: &[u8] = if is_form { &body } else { b"" };
        let pairs = [body, query.as_bytes()].into_iter().flat_map(form_urlencoded::parse);
        Ok(Parameters { pairs: pairs.map(|(k, v)| (k.into_owned(), v.into_owned())).collect() })
    }
}

impl Parameters {
    /// The first value of a parameter; nothing where it is empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.pairs.iter().find(|(known, _)| known == name)?;
        Some(value).filter(|value| !value.is_empty()).map(String::as_str)
    }

    /// All values of a parameter.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.pairs.iter().filter(move |(known, _)| known == name).map(|(_, value)| &**value)
    }

    /// A time, in milliseconds since the epoch.
    pub(crate) fn time(&self, name: &str) -> Result<i64, Failure> {
        let text = self.get(name).unwrap_or_default();
        time(text).ok_or_else(|| Failure::parameter(name, cannot_parse(text)))
    }

    /// The time of an instant query, which may be left out.
    pub(crate) fn instant(&self, now: i64) -> Result<i64, Failure> {
        let Some(text) = self.get("time") else { return Ok(now) };
        let message = || format!("invalid time value for 'time': {}", cannot_parse(text));
        time(text).ok_or_else(|| Failure::parameter("time", message()))
    }

    /// `start` and `end`, each of which may be left out.
    pub(crate) fn range(&self) -> Result<TimeRange, Failure> {
        let end = |name: &str, open: i64| match self.get(name) {
            Some(_) => self.time(name),
            None => Ok(open),
        };
        Ok(TimeRange { start: end("start", OPEN.start)?, end: end("end", OPEN.end)? })
    }

    /// A duration, in nanoseconds.
    pub(crate) fn duration(&self, name: &str) -> Result<Option<i64>, Failure> {
        let Some(text) = self.get(name) else { return Ok(None) };
        duration(text).map(Some).map_err(|message| Failure::parameter(name, message))
    }

    /// How old a sample may be that an instant selector takes.
    pub(crate) fn lookback(&self) -> Result<Option<Duration>, Failure> {
        let Some(text) = self.get("lookback_delta") else { return Ok(None) };
        let wrong = |message| {
            Failure::bad_data(format!("error parsing lookback delta duration: {message}"))
        };
        let nanoseconds = duration(text).map_err(wrong)?;
        Ok(u64::try_from(nanoseconds).ok().filter(|n| *n > 0).map(Duration::from_nanos))
    }

    /// At most so many things; 0 is no limit.
    pub(crate) fn limit(&self, name: &str) -> Result<usize, Failure> {
        let Some(text) = self.get(name) else { return Ok(0) };
        match text.parse::<i64>() {
            Ok(limit) => usize::try_from(limit)
                .map_err(|_| Failure::parameter(name, "limit must be non-negative")),
            Err(_) => {
                let message = format!("strconv.Atoi: parsing {text:?}: invalid syntax");
                Err(Failure::parameter(name, message))
            }
        }
    }

    /// A word for yes or no; no if there is none.
    pub(crate) fn boolean(&self, name: &str) -> Result<bool, Failure> {
        match self.get(name) {
            None | Some("0" | "f" | "F" | "false" | "FALSE" | "False") => Ok(false),
            Some("1" | "t" | "T" | "true" | "TRUE" | "True") => Ok(true),
            Some(other) => {
                let cause = format!("strconv.ParseBool: parsing {other:?}: invalid syntax");
                Err(Failure::parameter(name, format!("error converting {name}: {cause}")))
            }
        }
    }

    /// The selectors of `match[]`, each of which must be selective, or what is wrong with them.
    pub(crate) fn selectors(&self, features: &Features) -> Result<Vec<Vec<Matcher>>, String> {
        let selectors = self.all("match[]").map(|text| selector(text, features));
        let selectors: Vec<Vec<Matcher>> = selectors.collect::<Result<_, _>>()?;
        if selectors.iter().any(|matchers| matchers.iter().all(Matcher::matches_empty)) {
            return Err("match[] must contain at least one non-empty matcher".to_owned());
        }
        Ok(selectors)
    }
}

fn cannot_parse(text: &str) -> String {
    format!("cannot parse {text:?} to a valid timestamp")
}

/// Seconds since the epoch, or a time by RFC 3339. In milliseconds.
pub(crate) fn time(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.parse::<f64>() {
        // What is no time at all, or beyond all times, is before all samples or behind them.
        let milliseconds = (seconds * 1000.0).round();
        return Some((milliseconds as i64).clamp(OPEN.start, OPEN.end));
    }
    if let Some((_, open)) = OPEN_TEXTS.iter().find(|(known, _)| *known == text) {
        return Some(*open);
    }
    // Without a zone it could be any time of a day.
    let time: jiff::Timestamp = text.parse().ok()?;
    Some(time.as_millisecond())
}

/// A number of seconds, or a duration as PromQL has it. In nanoseconds.
fn duration(text: &str) -> Result<i64, String> {
    if let Ok(seconds) = text.parse::<f64>() {
        let nanoseconds = seconds * 1e9;
        if nanoseconds.is_nan() || nanoseconds.abs() > i64::MAX as f64 {
            return Err(format!("cannot parse {text:?} to a valid duration. It overflows int64"));
        }
        return Ok(nanoseconds as i64);
    }
    promql_model::parse_duration(text)
        .map_err(|_| format!("cannot parse {text:?} to a valid duration"))
}

/// The matchers of a selector, or what is wrong with it. It may select everything.
fn selector(text: &str, features: &Features) -> Result<Vec<Matcher>, String> {
    let expr = promql_syntax::parse(text, features).map_err(|errors| errors.to_string())?;
    let NodeKind::VectorSelector(id) = expr.kind(expr.root()) else {
        return Err("1:1: parse error: expected a selector, as up{job=\"api\"}".to_owned());
    };
    let selector = expr.selector(id);
    let name = selector.name.map(|name| (METRIC_NAME.into(), MatchOp::Equal, name));
    let others = expr.matchers(selector).iter();
    let others = others.map(|matcher| (expr.text_lossy(matcher.name), matcher.op, matcher.value));
    let matcher = |(name, op, value): (Cow<'_, str>, MatchOp, Text)| {
        Matcher::new(name, op, expr.text(value)).map_err(|error| error.to_string())
    };
    name.into_iter().chain(others).map(matcher).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        assert_eq!(time("1700000000.1236"), Some(1_700_000_000_124));
        assert_eq!(time("1.7e9"), Some(1_700_000_000_000));
        assert_eq!(time("2026-11-23T05:09:30Z"), Some(1_795_410_570_000));
        assert_eq!(time("2026-11-23T06:09:30.5+01:00"), Some(1_795_410_570_500));
        assert_eq!(time("2026-11-23T05:09:30"), None);
        assert_eq!(time(""), None);
        assert_eq!(time("-292273086-05-16T16:47:06Z"), Some(OPEN.start));
        assert_eq!(time("1e300"), Some(OPEN.end));
    }

    #[test]
    fn durations() {
        assert_eq!(duration("1h30m"), Ok(5_400_000_000_000));
        assert_eq!(duration("0.25"), Ok(250_000_000));
        assert_eq!(duration("1.5m").unwrap_err(), "cannot parse \"1.5m\" to a valid duration");
        assert!(duration("1e300").unwrap_err().ends_with("overflows int64"));
        assert!(duration("NaN").is_err());
    }
}
