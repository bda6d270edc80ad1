//! The lines of an `eval` that hold for what its query gave.

use promql_model::number::Decimal;
use promql_model::{FormatDuration, Labels, QueryResult, QueryValue, SampleValue, Severity, quote};

use promql_syntax::SequenceValue;

use super::{Given, lines};
use crate::script::equality::is_close;
use crate::script::{
    Eval, EvalTime, Expectation, ExpectedSeries, LineKind, Pattern, RangeVector, RowVerdict,
    Suffix, compare,
};

/// With how many words annotations and errors are matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detail {
    /// As they are.
    Exact,
    /// Without their place in the query.
    WithoutPlace,
    /// Any.
    Any,
}

impl Detail {
    /// From the most words to the fewest.
    pub(super) const ALL: [Detail; 3] = [Detail::Exact, Detail::WithoutPlace, Detail::Any];
}

/// A line of the new block, without the blanks around it.
enum Line {
    /// A line of the old one, by its position.
    Kept(usize),
    /// A line of the old one with another text.
    Changed(usize, String),
    /// A new one.
    New(String),
}

/// The head and the lines below it, with all their blanks; nothing if what came cannot be written.
pub(super) fn rewrite(
    eval: &Eval,
    given: &Given,
    detail: Detail,
    old: &[String],
) -> Option<Vec<String>> {
    let texts: Vec<&str> = old[1..].iter().map(|line| line.trim()).collect();
    let block = Block { eval, texts: &texts, detail };
    let mut general = block.annotations(given, Severity::Warning);
    general.extend(block.annotations(given, Severity::Info));
    general.extend(block.failure(given));
    general.extend(block.order(given));
    let results = match given {
        Given::Error(_) => Vec::new(),
        Given::Result(result) => block.results(result)?,
    };
    let new = block.in_order(general, results);

    let carriage_return = if old[0].ends_with('\r') { "\r" } else { "" };
    let indentation = |line: &str| line[..line.len() - line.trim_start().len()].to_owned();
    let usual = old.get(1).map_or_else(|| "  ".to_owned(), |line| indentation(line));
    let body = new.into_iter().map(|line| match line {
        Line::Kept(at) => old[at + 1].clone(),
        Line::Changed(at, text) => {
            let line = &old[at + 1];
            let end = line.trim_end().len();
            format!("{}{text}{}", indentation(line), &line[end..])
        }
        Line::New(text) => format!("{usual}{text}{carriage_return}"),
    });
    Some([block.head(given, &old[0])].into_iter().chain(body).collect())
}

struct Block<'a> {
    eval: &'a Eval,
    /// The old lines below the head, without the blanks around them.
    texts: &'a [&'a str],
    detail: Detail,
}

impl Block<'_> {
    fn old(&self) -> impl Iterator<Item = (usize, &LineKind)> {
        self.eval.expectations.lines.iter().map(|line: &Expectation| &line.kind).enumerate()
    }

    /// The line of the command. An old word behind `eval_` that doesn't hold is taken away.
    fn head(&self, given: &Given, old: &str) -> String {
        let Some(suffix) = self.eval.suffix else { return old.to_owned() };
        let holds = match (suffix, given) {
            (Suffix::Fail, given) => matches!(given, Given::Error(_)),
            (_, Given::Error(_)) => false,
            (Suffix::Warn, _) => !self.found(given, Severity::Warning).is_empty(),
            (Suffix::Info, _) => !self.found(given, Severity::Info).is_empty(),
            (Suffix::Ordered, given) => is_vector(given),
        };
        match holds {
            true => old.to_owned(),
            false => old.replacen(&format!("eval_{}", suffix.word()), "eval", 1),
        }
    }

    fn found(&self, given: &Given, severity: Severity) -> Vec<String> {
        given.annotations(severity, &self.eval.expression)
    }

    /// The lines about annotations of a kind.
    fn annotations(&self, given: &Given, severity: Severity) -> Vec<Line> {
        let word = if severity == Severity::Warning { "warn" } else { "info" };
        let pattern = |kind: &LineKind| match (kind, severity) {
            (LineKind::Warn(pattern), Severity::Warning)
            | (LineKind::Info(pattern), Severity::Info) => Some(pattern.clone()),
            _ => None,
        };
        let is_none = |kind: &LineKind| {
            matches!(
                (kind, severity),
                (LineKind::NoWarn, Severity::Warning) | (LineKind::NoInfo, Severity::Info)
            )
        };
        let patterns: Vec<(usize, Pattern)> =
            self.old().filter_map(|(at, kind)| Some((at, pattern(kind)?))).collect();
        let none = self.old().find(|(_, kind)| is_none(kind)).map(|(at, _)| at);
        let found = self.found(given, severity);
        if matches!(given, Given::Error(_)) {
            // Nobody looks at the annotations of a query that fails.
            return none.map(Line::Kept).into_iter().collect();
        }
        if found.is_empty() {
            let first =
                patterns.first().map(|(at, _)| Line::Changed(*at, format!("expect no_{word}")));
            return none.map(Line::Kept).or(first).into_iter().collect();
        }
        if patterns.is_empty() && none.is_none() {
            return Vec::new();
        }
        self.matching(word, &found, patterns, none)
    }

    /// Lines that together match all annotations, and each of which matches one.
    fn matching(
        &self,
        word: &str,
        found: &[String],
        patterns: Vec<(usize, Pattern)>,
        none: Option<usize>,
    ) -> Vec<Line> {
        if self.detail == Detail::Any {
            let place = patterns.first().map(|(at, _)| *at).or(none);
            let text = format!("expect {word}");
            return vec![match place {
                Some(at) => Line::Changed(at, text),
                None => Line::New(text),
            }];
        }
        // An exact text may be another in other forms of the query.
        let holds = |pattern: &Pattern| {
            (self.detail == Detail::Exact || !matches!(pattern, Pattern::Text(_)))
                && found.iter().any(|text| pattern.matches(text))
        };
        let (kept, gone): (Vec<_>, Vec<_>) =
            patterns.into_iter().partition(|(_, pattern)| holds(pattern));
        let is_new = |text: &&String| !kept.iter().any(|(_, pattern)| pattern.matches(text));
        let mut new: Vec<String> =
            found.iter().filter(is_new).map(|text| self.expectation(word, text)).collect();
        new.dedup();
        let mut new = new.into_iter();
        let places = gone.iter().map(|(at, _)| *at).chain(none);
        let mut all: Vec<Line> = kept.iter().map(|(at, _)| Line::Kept(*at)).collect();
        // Zipped so that no text is lost when the places run out.
        for at in places {
            let Some(text) = new.next() else { break };
            all.push(Line::Changed(at, text));
        }
        all.extend(new.map(Line::New));
        all
    }

    /// A line that matches a text.
    fn expectation(&self, word: &str, text: &str) -> String {
        let without_place = text.rsplit_once(" (").map_or(text, |(text, _)| text);
        match self.detail {
            Detail::Exact if !text.contains('\n') => format!("expect {word} msg: {text}"),
            Detail::Exact | Detail::WithoutPlace if !without_place.contains('\n') => {
                format!("expect {word} regex: {}", lines::escaped(without_place))
            }
            _ => format!("expect {word}"),
        }
    }

    /// The line about the error.
    fn failure(&self, given: &Given) -> Vec<Line> {
        let Given::Error(error) = given else { return Vec::new() };
        let old = self.old().find_map(|(at, kind)| match kind {
            LineKind::Fail(pattern) => Some((at, pattern, false)),
            LineKind::OldFail(pattern) => Some((at, pattern, true)),
            _ => None,
        });
        let is_any = self.detail == Detail::Any || error.contains('\n');
        match old {
            Some((at, pattern, _)) if pattern.matches(error) && !is_any => vec![Line::Kept(at)],
            Some((at, _, is_old_spelling)) => {
                let text = match (is_any, is_old_spelling) {
                    (true, _) => "expect fail".to_owned(),
                    (false, true) => format!("expected_fail_message {error}"),
                    (false, false) => format!("expect fail msg: {error}"),
                };
                vec![Line::Changed(at, text)]
            }
            None if self.eval.suffix == Some(Suffix::Fail) => Vec::new(),
            None if is_any => vec![Line::New("expect fail".to_owned())],
            None => vec![Line::New(format!("expect fail msg: {error}"))],
        }
    }

    /// The line about the order.
    fn order(&self, given: &Given) -> Vec<Line> {
        let line = self.old().find(|(_, kind)| matches!(kind, LineKind::Ordered));
        let line = line.filter(|_| is_vector(given));
        line.map(|(at, _)| Line::Kept(at)).into_iter().collect()
    }

    /// The lines with the result.
    fn results(&self, result: &QueryResult) -> Option<Vec<Line>> {
        match &result.value {
            QueryValue::Scalar { value, .. } => Some(vec![self.scalar(*value)]),
            QueryValue::String { value, .. } => Some(vec![self.string(value)]),
            QueryValue::Vector(elements) => {
                let series: Vec<(&Labels, String)> = elements
                    .iter()
                    .map(|element| {
                        let sample = [(0, element.value.clone())];
                        (&element.labels, lines::values(&sample, self.has_hints(&element.labels)))
                    })
                    .collect();
                let is_ordered = self.eval.expectations.is_ordered();
                Some(self.series(&result.value, &series, is_ordered, None))
            }
            QueryValue::Matrix(_) => self.matrix(&result.value),
        }
    }

    fn scalar(&self, value: f64) -> Line {
        let old = self.old().find_map(|(at, kind)| match kind {
            LineKind::Scalar(expected) => Some((at, *expected)),
            _ => None,
        });
        let text = || Decimal(lines::readable(value)).to_string();
        match old {
            Some((at, expected)) if is_close(expected, value) => Line::Kept(at),
            Some((at, _)) => Line::Changed(at, text()),
            None => Line::New(text()),
        }
    }

    fn string(&self, value: &str) -> Line {
        let old = self.old().filter_map(|(at, kind)| match kind {
            LineKind::String(expected) => Some((at, expected)),
            _ => None,
        });
        let text = || format!("expect string {}", quote(value.as_bytes()));
        match old.last() {
            Some((at, expected)) if expected == value => Line::Kept(at),
            Some((at, _)) => Line::Changed(at, text()),
            None => Line::New(text()),
        }
    }

    fn matrix(&self, value: &QueryValue) -> Option<Vec<Line>> {
        let QueryValue::Matrix(all) = value else { return None };
        let samples = |series: &promql_model::SeriesSamples| -> Vec<(i64, SampleValue)> {
            let floats = series.floats.iter().map(|(at, value)| (*at, SampleValue::Float(*value)));
            let histograms = series
                .histograms
                .iter()
                .map(|(at, histogram)| (*at, SampleValue::Histogram(Box::new(histogram.clone()))));
            let mut samples: Vec<_> = floats.chain(histograms).collect();
            samples.sort_by_key(|(at, _)| *at);
            samples
        };
        let all: Vec<(&Labels, Vec<(i64, SampleValue)>)> =
            all.iter().map(|series| (&series.labels, samples(series))).collect();
        let (start, step, times) = match self.eval.time {
            EvalTime::Range { start, step, .. } => (start, step, None),
            EvalTime::Instant(_) => {
                let (times, line) = self.range_vector(all.iter().flat_map(|(_, s)| s))?;
                (times.start, times.step, line)
            }
        };
        let mut series = Vec::with_capacity(all.len());
        for (labels, samples) in all {
            let position = |at: i64| {
                let since = at.checked_sub(start)?;
                (since >= 0 && since % step == 0).then(|| since / step)
            };
            let positions: Option<Vec<(i64, SampleValue)>> =
                samples.into_iter().map(|(at, sample)| Some((position(at)?, sample))).collect();
            series.push((labels, lines::values(&positions?, self.has_hints(labels))));
        }
        Some(self.series(value, &series, false, times))
    }

    /// The times of a range vector and the line with them: the old ones if all samples fit.
    fn range_vector<'s>(
        &self,
        samples: impl Iterator<Item = &'s (i64, SampleValue)>,
    ) -> Option<(RangeVector, Option<Line>)> {
        let mut times: Vec<i64> = samples.map(|(at, _)| *at).collect();
        times.sort_unstable();
        times.dedup();
        let old = self.old().filter_map(|(at, kind)| match kind {
            LineKind::RangeVector(times) => Some((at, *times)),
            _ => None,
        });
        let old = old.last();
        if let Some((at, old)) = old {
            let fits = |time: &i64| {
                *time >= old.start && *time <= old.end && (time - old.start) % old.step.max(1) == 0
            };
            if old.step > 0 && times.iter().all(fits) {
                return Some((old, Some(Line::Kept(at))));
            }
        }
        let (Some(&start), Some(&end)) = (times.first(), times.last()) else {
            let nothing = RangeVector { start: 0, end: 0, step: 1000 };
            return Some((nothing, old.map(|(at, _)| Line::Kept(at))));
        };
        // Durations have no sign.
        if start < 0 {
            return None;
        }
        let step = times.windows(2).map(|pair| pair[1] - pair[0]).fold(0, greatest_common_divisor);
        let new = RangeVector { start, end, step: if step == 0 { 1000 } else { step } };
        let time = |milliseconds: i64| FormatDuration(milliseconds.saturating_mul(1_000_000));
        let text = format!(
            "expect range vector from {} to {} step {}",
            time(new.start),
            time(new.end),
            time(new.step)
        );
        let line = match old {
            Some((at, _)) => Line::Changed(at, text),
            None => Line::New(text),
        };
        Some((new, Some(line)))
    }

    /// The lines of series. Those that hold are kept.
    fn series(
        &self,
        value: &QueryValue,
        series: &[(&Labels, String)],
        is_ordered: bool,
        first: Option<Line>,
    ) -> Vec<Line> {
        let expected: Vec<(usize, &ExpectedSeries)> = self.eval.expectations.series();
        let wrong = self.wrong(value);
        let line = |at: usize, labels: &Labels, values: &str| match wrong.contains(&at) {
            true => Line::Changed(at, lines::series(Some(self.texts[at]), labels, values)),
            false => Line::Kept(at),
        };
        let old_line = |labels: &Labels| expected.iter().find(|(_, e)| e.labels == *labels);
        let mut all: Vec<Line> = first.into_iter().collect();
        if is_ordered {
            // The order of the lines is that of the result.
            for (labels, values) in series {
                all.push(match old_line(labels) {
                    Some((at, _)) => line(*at, labels, values),
                    None => Line::New(lines::series(None, labels, values)),
                });
            }
            return all;
        }
        let mut new = series.iter().filter(|(labels, _)| old_line(labels).is_none());
        for (at, expected) in &expected {
            match series.iter().find(|(labels, _)| **labels == expected.labels) {
                Some((labels, values)) => all.push(line(*at, labels, values)),
                // What is new takes the place of what is gone.
                None => all.extend(new.next().map(|(labels, values)| {
                    Line::Changed(*at, lines::series(None, labels, values))
                })),
            }
        }
        all.extend(new.map(|(labels, values)| Line::New(lines::series(None, labels, values))));
        all
    }

    /// Whether the old line of a series says something about counter resets.
    fn has_hints(&self, labels: &Labels) -> bool {
        let is_hint = |value: &SequenceValue| {
            matches!(value, SequenceValue::Histogram { hint_given: true, .. })
        };
        let expected = self.eval.expectations.series();
        let old = expected.iter().find(|(_, expected)| expected.labels == *labels);
        old.is_some_and(|(_, expected)| expected.values.iter().any(is_hint))
    }

    /// The lines whose values don't hold.
    fn wrong(&self, value: &QueryValue) -> Vec<usize> {
        match compare::compare(value, &self.eval.expectations, self.eval.time) {
            Ok(()) => Vec::new(),
            Err((_, crate::script::Mismatch::Series(rows))) => {
                let is_wrong = |row: &&compare::Row| {
                    !matches!(row.verdict, RowVerdict::Same | RowVerdict::Misplaced { .. })
                };
                let wrong: Vec<usize> =
                    rows.iter().filter(is_wrong).filter_map(|row| row.expectation).collect();
                // More values than there are times can all be missing where nothing comes.
                match rows.iter().all(|row| row.verdict == RowVerdict::Same) {
                    true => (0..self.texts.len()).collect(),
                    false => wrong,
                }
            }
            // Nothing is known of the values.
            Err(_) => (0..self.texts.len()).collect(),
        }
    }

    /// The lines in the order of the old ones, as far as they come from them: lines about what is
    /// expected in general stay among such, and new ones stand behind them; then the results.
    fn in_order(&self, mut general: Vec<Line>, results: Vec<Line>) -> Vec<Line> {
        let place = |line: &Line| match line {
            Line::Kept(at) | Line::Changed(at, _) => *at,
            Line::New(_) => usize::MAX,
        };
        general.sort_by_key(place);
        general.extend(results);
        general
    }
}

fn is_vector(given: &Given) -> bool {
    matches!(given, Given::Result(QueryResult { value: QueryValue::Vector(_), .. }))
}

fn greatest_common_divisor(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}
