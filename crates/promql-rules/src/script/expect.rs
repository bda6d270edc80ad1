//! The lines below an `eval`: what must come of the query.

use std::collections::BTreeMap;
use std::ops::Range;

use promql_model::{Labels, Regex, check_regex, parse_duration};
use promql_storage::Trouble;
use promql_storage::fixture::{ScriptLine, parse_go_number};
use promql_syntax::{SequenceValue, parse_series};

use super::head::{EvalTime, Suffix};

/// What must come of a query: the lines below its `eval`, and what the command itself says.
#[derive(Clone, Debug, Default)]
pub struct Expectations {
    /// The lines, in the order of the script.
    pub lines: Vec<Expectation>,
    suffix: Option<Suffix>,
}

/// A line below an `eval`.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// The number of the line in the script, from 1.
    pub line: usize,
    /// The line without the blanks around it, in bytes of the script.
    pub place: Range<usize>,
    /// What it says.
    pub kind: LineKind,
}

/// What a line below an `eval` says.
#[derive(Clone, Debug)]
pub enum LineKind {
    /// `expect fail`: the query fails.
    Fail(Pattern),
    /// `expected_fail_message` or `expected_fail_regexp`, the old spellings of the same.
    OldFail(Pattern),
    /// `expect warn`: there is a warning.
    Warn(Pattern),
    /// `expect info`: there is an info.
    Info(Pattern),
    /// `expect no_warn`: there is no warning.
    NoWarn,
    /// `expect no_info`: there is no info.
    NoInfo,
    /// `expect ordered`: the elements come in the order of the lines.
    Ordered,
    /// `expect string`: the result is this string.
    String(String),
    /// `expect range vector`: the result of this instant query is a range vector with samples at
    /// these times.
    RangeVector(RangeVector),
    /// A number: the result is this scalar.
    Scalar(f64),
    /// A series of the result.
    Series(ExpectedSeries),
}

/// The times of `expect range vector`, in milliseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RangeVector {
    /// The time of the first value on a line.
    pub start: i64,
    /// The time of the last.
    pub end: i64,
    /// What lies between two.
    pub step: i64,
}

/// A series that the result must have.
#[derive(Clone, Debug)]
pub struct ExpectedSeries {
    /// Its labels.
    pub labels: Labels,
    /// Its values, one for each time. An instant vector has one.
    pub values: Vec<SequenceValue>,
    /// Its place in the result if that is ordered, from 1.
    pub position: usize,
}

/// Which error or which annotation is meant.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// Any.
    Any,
    /// The one with exactly this text.
    Text(String),
    /// One whose text matches somewhere.
    Regex {
        /// The regular expression as it was written.
        pattern: String,
        /// The same, ready to match.
        regex: Regex,
    },
}

impl Pattern {
    /// Whether it is meant.
    pub fn matches(&self, text: &str) -> bool {
        match self {
            Pattern::Any => true,
            Pattern::Text(expected) => expected == text,
            Pattern::Regex { regex, .. } => regex.is_match(text),
        }
    }

    fn regex(pattern: &str) -> Result<Pattern, String> {
        check_regex(pattern.as_bytes()).map_err(|error| error.to_string())?;
        // The pattern may match anywhere, and its dots don't match line feeds.
        let anywhere = format!("(?s:.*)(?-s:{pattern})(?s:.*)");
        let regex = Regex::new(anywhere.as_bytes()).map_err(|error| error.to_string())?;
        Ok(Pattern::Regex { pattern: pattern.to_owned(), regex })
    }
}

impl Expectations {
    fn find<T>(&self, wanted: impl Fn(&LineKind) -> Option<T>) -> Option<T> {
        self.lines.iter().find_map(|line| wanted(&line.kind))
    }

    /// Whether the query must fail.
    pub fn is_failure(&self) -> bool {
        self.suffix == Some(Suffix::Fail)
            || self.lines.iter().any(|line| matches!(line.kind, LineKind::Fail(_)))
    }

    /// Whether the elements of the result must come in the order of the lines.
    pub fn is_ordered(&self) -> bool {
        self.suffix == Some(Suffix::Ordered)
            || self.lines.iter().any(|line| matches!(line.kind, LineKind::Ordered))
    }

    /// The word behind `eval_`.
    pub fn suffix(&self) -> Option<Suffix> {
        self.suffix
    }

    /// The scalar that the result must be. Of several, which the language allows no script to have,
    /// the first.
    pub fn scalar(&self) -> Option<f64> {
        self.find(|kind| match kind {
            LineKind::Scalar(value) => Some(*value),
            _ => None,
        })
    }

    /// The string that the result must be.
    pub fn string(&self) -> Option<&str> {
        let mut strings = self.lines.iter().filter_map(|line| match &line.kind {
            LineKind::String(text) => Some(text.as_str()),
            _ => None,
        });
        strings.next_back()
    }

    /// The times of a range vector.
    pub fn range_vector(&self) -> Option<RangeVector> {
        let mut all = self.lines.iter().filter_map(|line| match line.kind {
            LineKind::RangeVector(times) => Some(times),
            _ => None,
        });
        all.next_back()
    }

    /// The series that the result must have, each with the position of its line. Of two lines with
    /// the same labels the later one counts, and only that is given.
    pub fn series(&self) -> Vec<(usize, &ExpectedSeries)> {
        let mut all: Vec<(usize, &ExpectedSeries)> = Vec::new();
        let mut places: BTreeMap<&Labels, usize> = BTreeMap::new();
        for (at, line) in self.lines.iter().enumerate() {
            let LineKind::Series(series) = &line.kind else { continue };
            match places.get(&series.labels) {
                Some(place) => all[*place] = (at, series),
                None => {
                    places.insert(&series.labels, all.len());
                    all.push((at, series));
                }
            }
        }
        all
    }
}

/// Reads the lines below an `eval`.
pub(super) fn parse(
    lines: &[ScriptLine<'_>],
    suffix: Option<Suffix>,
    time: Option<EvalTime>,
    troubles: &mut Vec<Trouble>,
) -> Expectations {
    let mut parser = Parser { expectations: Expectations { lines: Vec::new(), suffix }, troubles };
    let mut position = 0;
    for line in lines {
        position += 1;
        match parser.line(*line, position) {
            // Lines about what is expected in general are not among the elements.
            Ok(Some(kind)) => {
                position -= usize::from(is_general(&kind));
                let expectation = Expectation { line: line.number, place: line.place(), kind };
                parser.expectations.lines.push(expectation);
            }
            Ok(None) => {}
            Err(trouble) => parser.troubles.push(trouble),
        }
    }
    parser.check_values(time);
    parser.expectations
}

fn is_general(kind: &LineKind) -> bool {
    use LineKind::*;
    matches!(kind, Fail(_) | Warn(_) | Info(_) | NoWarn | NoInfo | Ordered)
}

struct Parser<'t> {
    expectations: Expectations,
    troubles: &'t mut Vec<Trouble>,
}

impl Parser<'_> {
    /// Reads one line; nothing if what is wrong with it was told.
    fn line(&mut self, line: ScriptLine<'_>, position: usize) -> Result<Option<LineKind>, Trouble> {
        let text = line.text;
        if self.expectations.suffix == Some(Suffix::Fail) {
            if let Some(rest) = text.strip_prefix("expected_fail_message") {
                let message = rest.trim();
                let pattern = match message {
                    "" => Pattern::Any,
                    _ => Pattern::Text(message.to_owned()),
                };
                return Ok(Some(LineKind::OldFail(pattern)));
            }
            if let Some(rest) = text.strip_prefix("expected_fail_regexp") {
                let pattern = rest.trim();
                let words =
                    |error| format!("invalid regexp '{pattern}' for expected_fail_regexp: {error}");
                let read = Pattern::regex(pattern);
                return match read {
                    Ok(pattern) => Ok(Some(LineKind::OldFail(pattern))),
                    Err(error) => Err(bad_regex(line, pattern, words(error))),
                };
            }
        }
        if let Some(rest) = text.strip_prefix("expect range vector") {
            return range_vector(line, rest).map(|times| Some(LineKind::RangeVector(times)));
        }
        if let Some(rest) = text.strip_prefix("expect string") {
            return string(line, rest).map(|text| Some(LineKind::String(text)));
        }
        if text == "expect" || text.starts_with("expect ") {
            let kind = general(line)?;
            self.check_company(line, &kind)?;
            return Ok(Some(kind));
        }
        if let Some(value) = parse_go_number(text) {
            return Ok(Some(LineKind::Scalar(value)));
        }
        if let Some(trouble) = line.command_in_block() {
            return Err(trouble);
        }
        match parse_series(text) {
            Ok(series) => Ok(Some(LineKind::Series(ExpectedSeries {
                labels: series.labels,
                values: series.values,
                position,
            }))),
            Err(errors) => {
                let place = |range: Range<usize>| line.start + range.start..line.start + range.end;
                self.troubles.extend(Trouble::from_errors(&errors, text.len(), place));
                Ok(None)
            }
        }
    }

    /// Whether an `expect` line goes together with those above it.
    fn check_company(&self, line: ScriptLine<'_>, kind: &LineKind) -> Result<(), Trouble> {
        use LineKind::*;
        // What the old spelling says is no such line.
        let above = |other: fn(&LineKind) -> bool| {
            self.expectations.lines.iter().any(|line| other(&line.kind))
        };
        let contradiction = |message: &'static str, help: &'static str| {
            Err(Trouble::error(
                "script::expect",
                line.place(),
                message,
                "contradicts a line above",
                help,
            ))
        };
        match kind {
            Fail(_) if above(|kind| matches!(kind, Fail(_))) => contradiction(
                "invalid expect lines, multiple expect fail lines are not allowed",
                "a query fails with one error; use `regex:` to allow for several",
            ),
            Warn(_) if above(|kind| matches!(kind, NoWarn)) => contradiction(
                "invalid expect lines, warn and no_warn cannot be used together",
                "keep one of the two",
            ),
            NoWarn if above(|kind| matches!(kind, Warn(_))) => contradiction(
                "invalid expect lines, warn and no_warn cannot be used together",
                "keep one of the two",
            ),
            Info(_) if above(|kind| matches!(kind, NoInfo)) => contradiction(
                "invalid expect lines, info and no_info cannot be used together",
                "keep one of the two",
            ),
            NoInfo if above(|kind| matches!(kind, Info(_))) => contradiction(
                "invalid expect lines, info and no_info cannot be used together",
                "keep one of the two",
            ),
            _ => Ok(()),
        }
    }

    /// An instant vector has one value for each series. Where the query fails nobody looks.
    fn check_values(&mut self, time: Option<EvalTime>) {
        let expectations = &self.expectations;
        if !matches!(time, Some(EvalTime::Instant(_))) || expectations.range_vector().is_some() {
            return;
        }
        for line in &expectations.lines {
            let LineKind::Series(series) = &line.kind else { continue };
            match series.values.len() {
                0 if !expectations.is_failure() => self.troubles.push(Trouble::error(
                    "script::no-value",
                    line.place.clone(),
                    "an expected series has no value",
                    "expected a value behind it",
                    "write the value that the query gives, as `up{job=\"api\"} 1`; a scalar is written without labels",
                )),
                0 | 1 => {}
                _ => self.troubles.push(Trouble::error(
                    "script::several-values",
                    line.place.clone(),
                    "expecting multiple values in instant evaluation not allowed. consider using 'expect range vector' directive to enable a range vector result for an instant query",
                    "an instant query gives one value",
                    "keep one value, use `eval range`, or put `expect range vector from … to … step …` above",
                )),
            }
        }
    }
}

/// A word behind `expect`, and what a line with it says.
type General = (&'static str, fn(Pattern) -> LineKind);

/// The words behind `expect` that need no more than a text to match.
const GENERAL: [General; 6] = [
    ("fail", LineKind::Fail),
    ("warn", LineKind::Warn),
    ("info", LineKind::Info),
    ("no_warn", |_| LineKind::NoWarn),
    ("no_info", |_| LineKind::NoInfo),
    ("ordered", |_| LineKind::Ordered),
];

/// `expect TYPE`, `expect TYPE msg: TEXT` or `expect TYPE regex: PATTERN`.
fn general(line: ScriptLine<'_>) -> Result<LineKind, Trouble> {
    let rest = line.text["expect".len()..].trim_start();
    let (word, rest) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
    let Some((_, make)) = GENERAL.iter().find(|(known, _)| *known == word) else {
        return Err(bad_expect(line));
    };
    let rest = rest.trim();
    if rest.is_empty() {
        return Ok(make(Pattern::Any));
    }
    let Some((how, text)) = rest.split_once(':').filter(|(_, text)| !text.is_empty()) else {
        return Err(bad_expect(line));
    };
    let text = text.trim();
    match how {
        "msg" => Ok(make(Pattern::Text(text.to_owned()))),
        "regex" => match Pattern::regex(text) {
            Ok(pattern) => Ok(make(pattern)),
            Err(error) => {
                Err(bad_regex(line, text, format!("invalid regex {text} for {word}: {error}")))
            }
        },
        _ => Err(bad_expect(line)),
    }
}

fn bad_expect(line: ScriptLine<'_>) -> Trouble {
    Trouble::error(
        "script::expect",
        line.place(),
        "invalid expect statement, must match `expect <type> <match_type>: <string>` format",
        "cannot be read",
        "types are fail, warn, no_warn, info, no_info and ordered; behind them `msg: TEXT` or `regex: PATTERN` may stand. `expect string` and `expect range vector` exist, too; a metric called expect is written `expect{}`",
    )
}

fn bad_regex(line: ScriptLine<'_>, pattern: &str, message: String) -> Trouble {
    let start = line.place().end - pattern.len();
    Trouble::error(
        "script::regex",
        start..line.place().end,
        message,
        "not a regular expression",
        "the syntax is RE2; to match a text as it is use `msg:`",
    )
}

/// The quoted text behind `expect string`.
fn string(line: ScriptLine<'_>, rest: &str) -> Result<String, Trouble> {
    let bad = |message: &'static str| {
        Trouble::error(
            "script::string",
            line.place(),
            message,
            "expected a string in quotes",
            "write the string in double quotes or in backquotes, as `expect string \"text\"`",
        )
    };
    let quoted = rest.trim();
    if !quoted.starts_with(['"', '`']) {
        return Err(bad("expected string literal not valid - a quoted string literal is required"));
    }
    let misquoted =
        || bad("expected string literal not valid - check that the string is correctly quoted");
    // A string of the language in the same quotes has the same escapes.
    let expr =
        promql_syntax::parse(quoted, &promql_syntax::Features::ALL).map_err(|_| misquoted())?;
    match expr.kind(expr.root()) {
        promql_syntax::ast::NodeKind::String(text) if expr.comments().is_empty() => {
            Ok(expr.text_lossy(text).into_owned())
        }
        _ => Err(misquoted()),
    }
}

/// `from START to END step STEP` behind `expect range vector`.
fn range_vector(line: ScriptLine<'_>, rest: &str) -> Result<RangeVector, Trouble> {
    let bad = |message: String| {
        Trouble::error(
            "script::range-vector",
            line.place(),
            message,
            "cannot be read",
            "write `expect range vector from 10s to 1m step 10s`, with the times of the first and the last sample and what lies between two",
        )
    };
    let invalid = || {
        bad(format!(
            "invalid range vector definition {}",
            promql_model::quote(line.text.as_bytes())
        ))
    };
    let words: Vec<&str> = rest.split_whitespace().collect();
    let &["from", start, "to", end, "step", step] = &words[..] else { return Err(invalid()) };
    let time = |name: &str, word: &str| {
        let nanoseconds = parse_duration(word).map_err(|error| {
            let word = promql_model::quote(word.as_bytes());
            bad(format!("invalid {name} definition {word}: {error}"))
        })?;
        Ok(nanoseconds / 1_000_000)
    };
    let times = RangeVector {
        start: time("start timestamp", start)?,
        end: time("end timestamp", end)?,
        step: time("step", step)?,
    };
    if times.end < times.start {
        return Err(bad(format!(
            "invalid test definition, end timestamp ({end}) is before start timestamp ({start})"
        )));
    }
    Ok(times)
}
