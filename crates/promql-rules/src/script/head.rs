//! The line of an `eval`: what is evaluated, and when.

use std::ops::Range;

use promql_model::parse_duration;
use promql_storage::Trouble;
use promql_storage::fixture::ScriptLine;

/// When a query of a script is evaluated, in milliseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvalTime {
    /// Once.
    Instant(i64),
    /// At several times.
    Range {
        /// The first.
        start: i64,
        /// The time that none may be after.
        end: i64,
        /// What lies between two.
        step: i64,
    },
}

impl EvalTime {
    /// The time when it counts from another one than the epoch.
    pub(super) fn after(self, origin: i64) -> EvalTime {
        let after = |time: i64| time.saturating_add(origin);
        match self {
            EvalTime::Instant(at) => EvalTime::Instant(after(at)),
            EvalTime::Range { start, end, step } => {
                EvalTime::Range { start: after(start), end: after(end), step }
            }
        }
    }
}

/// The word behind `eval_`, an old way to say what must come of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suffix {
    /// It fails.
    Fail,
    /// There is a warning.
    Warn,
    /// There is an info.
    Info,
    /// The elements come in the order of the expected lines.
    Ordered,
}

impl Suffix {
    /// How it is written behind `eval_`.
    pub const fn word(self) -> &'static str {
        match self {
            Suffix::Fail => "fail",
            Suffix::Warn => "warn",
            Suffix::Info => "info",
            Suffix::Ordered => "ordered",
        }
    }
}

/// What stands on the line of an `eval`.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) suffix: Option<Suffix>,
    /// Nothing if one of the times is wrong, which is a trouble then.
    pub(super) time: Option<EvalTime>,
    /// The place of the expression in the script.
    pub(super) expression: Range<usize>,
}

/// The words of a line, from left to right.
struct Words<'a> {
    line: ScriptLine<'a>,
    at: usize,
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<(&'a str, Range<usize>)> {
        let rest = &self.line.text[self.at..];
        let start = self.at + (rest.len() - rest.trim_start().len());
        let rest = &self.line.text[start..];
        let end = start + rest.find(char::is_whitespace).unwrap_or(rest.len());
        self.at = end;
        let place = self.line.start + start..self.line.start + end;
        (start < end).then(|| (&self.line.text[start..end], place))
    }

    /// Whether the next word is this one; it is passed over then.
    fn skip(&mut self, word: &str) -> bool {
        let before = self.at;
        let found = self.next().is_some_and(|(next, _)| next == word);
        if !found {
            self.at = before;
        }
        found
    }

    /// The place of all that is left.
    fn rest(&self) -> Range<usize> {
        let rest = &self.line.text[self.at..];
        let start = self.at + (rest.len() - rest.trim_start().len());
        self.line.start + start..self.line.start + self.line.text.len()
    }
}

/// Reads the line of an `eval`.
pub(super) fn parse(line: ScriptLine<'_>, troubles: &mut Vec<Trouble>) -> Option<Head> {
    let mut words = Words { line, at: 0 };
    let (command, _) = words.next()?;
    let suffix = match command {
        "eval" => Some(None),
        "eval_fail" => Some(Some(Suffix::Fail)),
        "eval_warn" => Some(Some(Suffix::Warn)),
        "eval_info" => Some(Some(Suffix::Info)),
        "eval_ordered" => Some(Some(Suffix::Ordered)),
        _ => None,
    };
    let head = suffix.and_then(|suffix| {
        let time = if words.skip("instant") {
            instant(&mut words, troubles)?
        } else if words.skip("range") && suffix != Some(Suffix::Ordered) {
            range(&mut words, troubles)?
        } else {
            return None;
        };
        let expression = words.rest();
        (!expression.is_empty()).then_some(Head { suffix, time, expression })
    });
    if head.is_none() {
        troubles.push(Trouble::error(
            "script::eval",
            line.place(),
            "invalid evaluation command",
            "cannot be read",
            "write `eval instant at 5m QUERY` or `eval range from 0 to 10m step 1m QUERY`; the words `eval_fail`, `eval_warn` and `eval_info` exist, too, and `eval_ordered` for instant queries",
        ));
    }
    head
}

/// `at TIME`. The outer nothing: this is no instant query.
fn instant(words: &mut Words<'_>, troubles: &mut Vec<Trouble>) -> Option<Option<EvalTime>> {
    if !words.skip("at") {
        let at = words.rest().start;
        troubles.push(Trouble::error(
            "script::time",
            at..at,
            "invalid timestamp definition \"\": empty duration string",
            "expected `at TIME`",
            "say when the query is evaluated, as `eval instant at 5m QUERY`",
        ));
        // Most often it is only the word that is missing.
        let before = words.at;
        if words.next().is_none_or(|(word, _)| parse_duration(word).is_err()) {
            words.at = before;
        }
        return Some(None);
    }
    let at = time(words, "timestamp", troubles)?;
    Some(at.map(EvalTime::Instant))
}

/// `from START to END step STEP`.
fn range(words: &mut Words<'_>, troubles: &mut Vec<Trouble>) -> Option<Option<EvalTime>> {
    let from = words.at;
    let mut part = |keyword, name| match words.skip(keyword) {
        true => time(words, name, troubles),
        false => None,
    };
    let start = part("from", "start timestamp")?;
    let end = part("to", "end timestamp")?;
    let step = part("step", "step")?;
    let (Some(start), Some(end), Some(step)) = (start, end, step) else { return Some(None) };
    let place = words.line.start + from + 1..words.line.start + words.at;
    match check_range(start, end, step, place, words) {
        Ok(()) => Some(Some(EvalTime::Range { start, end, step })),
        Err(trouble) => {
            troubles.push(trouble);
            Some(None)
        }
    }
}

fn check_range(
    start: i64,
    end: i64,
    step: i64,
    place: Range<usize>,
    words: &Words<'_>,
) -> Result<(), Trouble> {
    if end < start {
        let text: Vec<&str> = words.line.text.split_whitespace().collect();
        let word = |at: usize| text.get(at).copied().unwrap_or_default();
        return Err(Trouble::error(
            "script::range",
            place,
            format!(
                "invalid test definition, end timestamp ({}) is before start timestamp ({})",
                word(5),
                word(3)
            ),
            "ends before it starts",
            "write the earlier time behind `from`",
        ));
    }
    if step < 1 {
        return Err(Trouble::error(
            "script::range",
            place,
            "the step of a range is less than a millisecond",
            "has no step",
            "write the time between two evaluations behind `step`, as `step 1m`",
        ));
    }
    Ok(())
}

/// Milliseconds. The outer nothing: there is no word.
fn time(words: &mut Words<'_>, name: &str, troubles: &mut Vec<Trouble>) -> Option<Option<i64>> {
    let (word, place) = words.next()?;
    match parse_duration(word) {
        Ok(nanoseconds) => Some(Some(nanoseconds / 1_000_000)),
        Err(error) => {
            troubles.push(Trouble::error(
                "script::time",
                place,
                format!("invalid {name} definition {}: {error}", promql_model::quote(word.as_bytes())),
                "expected a duration",
                "times count from the start of the fixture: a number with its unit, as `30s` or `1h30m`, or 0",
            ));
            Some(None)
        }
    }
}
