//! Runs `.test` scripts against the evaluator, as a measuring stick: instant queries are also run as
//! range queries, but not re-printed with `@`. Evaluations that need native histograms are told
//! apart from those that fail.

use std::collections::BTreeMap;
use std::time::Duration;

use promql_engine::{EngineError, EngineOptions, QueryOptions, evaluate};
use promql_model::{Labels, QueryResult, QueryValue, SampleValue, Severity};
use promql_syntax::{Features, SequenceValue, compile, parse_series};

use crate::memory::{Memory, milliseconds};

/// What came of a script's evaluations.
#[derive(Debug, Default)]
pub struct Outcome {
    /// As expected.
    pub passed: usize,
    /// The line and what went wrong.
    pub failed: Vec<String>,
    /// How many met or expect native histograms.
    pub histograms: usize,
}

/// Runs a script.
pub fn run(text: &str, options: &EngineOptions) -> Outcome {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let mut outcome = Outcome::default();
    let mut memory = Memory::default();
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at];
        let number = at + 1;
        at += 1;
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let block_start = at;
        if !line.starts_with("clear") {
            while at < lines.len() && !lines[at].is_empty() && !lines[at].starts_with('#') {
                at += 1;
            }
        }
        let block = &lines[block_start..at];
        if line == "clear" {
            memory = Memory::default();
        } else if let Some(step) = line.strip_prefix("load ") {
            let loaded =
                milliseconds(step.trim()).and_then(|step| memory.load(step, block.iter().copied()));
            if let Err(error) = loaded {
                outcome.failed.push(format!("{number}: load: {error}"));
            }
        } else if let Some(step) = line.strip_prefix("load_with_nhcb ") {
            let loaded =
                milliseconds(step.trim()).and_then(|step| memory.load(step, block.iter().copied()));
            memory.mark_converted();
            if let Err(error) = loaded {
                outcome.failed.push(format!("{number}: load: {error}"));
            }
        } else if line.starts_with("eval") {
            match run_eval(line, block, &memory, options) {
                Ok(true) => outcome.passed += 1,
                Ok(false) => outcome.histograms += 1,
                Err(problem) => outcome.failed.push(format!("{number}: {line}\n    {problem}")),
            }
        } else {
            outcome.failed.push(format!("{number}: unknown command {line}"));
        }
    }
    outcome
}

#[derive(Debug, Default)]
struct Expected {
    fail: Option<Option<String>>,
    fail_regex: Option<String>,
    warn: Vec<String>,
    info: Vec<String>,
    no_warn: bool,
    no_info: bool,
    any_warn: bool,
    any_info: bool,
    ordered: bool,
    string: Option<String>,
    range_vector: Option<(i64, i64)>,
    scalar: Option<f64>,
    series: Vec<(Labels, Vec<SequenceValue>)>,
    histograms: bool,
}

fn run_eval(
    line: &str,
    block: &[&str],
    memory: &Memory,
    options: &EngineOptions,
) -> Result<bool, String> {
    let expected = expectations(line, block)?;
    let rest = line.split_once(' ').map_or("", |(_, rest)| rest);
    let (time, expression, step) = if let Some(rest) = rest.strip_prefix("instant at ") {
        let (at, expression) = rest.split_once(' ').ok_or("no expression")?;
        (QueryOptions::instant(milliseconds(at)?), expression, None)
    } else {
        let words: Vec<&str> = rest.splitn(8, ' ').collect();
        let &["range", "from", start, "to", end, "step", step, expression] = &words[..] else {
            return Err("cannot read this evaluation".to_owned());
        };
        let (start, end, step) = (milliseconds(start)?, milliseconds(end)?, milliseconds(step)?);
        let every = Duration::from_millis(step as u64);
        (QueryOptions::range(start, end, every), expression, Some((start, step)))
    };
    let query = match compile(expression.trim(), &Features::ALL) {
        Ok(query) => query,
        Err(_) if expected.fail.is_some() => return Ok(true),
        Err(errors) => return Err(format!("parse: {errors:?}")),
    };
    let time = time.with_engine(options.clone());
    let outcome = evaluate(&query, memory, &time);
    if let Err(EngineError::Unsupported { construct, .. }) = &outcome
        && construct.contains("native histograms")
    {
        return Ok(false);
    }
    if expected.histograms {
        return Ok(false);
    }
    let result = match (outcome, &expected.fail) {
        (Err(error), Some(message)) => {
            let text = error.to_string();
            return match (message, &expected.fail_regex) {
                (Some(message), _) if *message != text => Err(format!("failed with: {text}")),
                (_, Some(regex)) if !text.contains(regex.as_str()) && !matches(regex, &text) => {
                    Err(format!("failed with: {text}"))
                }
                _ => Ok(true),
            };
        }
        (Err(error), None) => return Err(format!("failed: {error}")),
        (Ok(_), Some(_)) => return Err("did not fail".to_owned()),
        (Ok(result), None) => result,
    };
    check_annotations(&result, &expected, expression)?;
    check_value(&result.value, &expected, step)?;
    let skip_range = ["start()", "end()", "range()", "step()"];
    if step.is_none()
        && !expected.ordered
        && expected.string.is_none()
        && expected.range_vector.is_none()
        && !skip_range.iter().any(|call| expression.contains(call))
        && let promql_engine::EvaluationTime::Instant(at) = time.time
    {
        let minute = Duration::from_secs(60);
        let around = QueryOptions::range(at - 60_000, at + 60_000, minute);
        let ranged = match evaluate(&query, memory, &around.with_engine(options.clone())) {
            Err(EngineError::Unsupported { construct, .. })
                if construct.contains("native histograms") =>
            {
                return Ok(false);
            }
            outcome => outcome.map_err(|error| format!("as a range query: {error}"))?,
        };
        let middle = middle(ranged.value, at, expected.scalar.is_some());
        check_value(&middle, &expected, None).map_err(|e| format!("as a range query: {e}"))?;
    }
    Ok(true)
}

fn matches(regex: &str, text: &str) -> bool {
    promql_model::Regex::new(format!(".*(?:{regex}).*").as_bytes())
        .is_ok_and(|regex| regex.is_match(text))
}

fn middle(value: QueryValue, at: i64, scalar: bool) -> QueryValue {
    let QueryValue::Matrix(matrix) = value else { return value };
    let elements = matrix.into_iter().filter_map(|series| {
        let (timestamp, value) = *series.floats.iter().find(|(t, _)| *t == at)?;
        let value = SampleValue::Float(value);
        Some(promql_model::VectorElement { labels: series.labels, timestamp, value })
    });
    let elements: Vec<_> = elements.collect();
    match (scalar, elements.first().map(|element| &element.value)) {
        (true, Some(&SampleValue::Float(value))) => QueryValue::Scalar { timestamp: at, value },
        _ => QueryValue::Vector(elements),
    }
}

fn expectations(line: &str, block: &[&str]) -> Result<Expected, String> {
    let mut expected = Expected::default();
    let command = line.split(' ').next().unwrap_or_default();
    match command {
        "eval_fail" => expected.fail = Some(None),
        "eval_warn" => expected.any_warn = true,
        "eval_info" => expected.any_info = true,
        "eval_ordered" => expected.ordered = true,
        _ => {}
    }
    for line in block {
        if let Some(text) = line.strip_prefix("expected_fail_message ") {
            expected.fail = Some(Some(text.trim().to_owned()));
        } else if let Some(text) = line.strip_prefix("expected_fail_regexp ") {
            expected.fail_regex = Some(text.trim().to_owned());
        } else if let Some(rest) = line.strip_prefix("expect ") {
            expect(rest, &mut expected)?;
        } else if let Some(value) = number(line) {
            expected.scalar = Some(value);
        } else {
            let series = parse_series(line).map_err(|error| format!("{line}: {error:?}"))?;
            expected.histograms |=
                series.values.iter().any(|v| matches!(v, SequenceValue::Histogram { .. }));
            expected.series.push((series.labels, series.values));
        }
    }
    Ok(expected)
}

fn number(text: &str) -> Option<f64> {
    match text {
        "Inf" | "+Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        "NaN" => Some(f64::NAN),
        _ if text.starts_with("0x") => {
            i64::from_str_radix(&text[2..], 16).ok().map(|value| value as f64)
        }
        _ => text.replace('_', "").parse().ok(),
    }
}

fn expect(rest: &str, expected: &mut Expected) -> Result<(), String> {
    let (kind, detail) = rest.split_once(' ').unwrap_or((rest, ""));
    let text = || detail.split_once(':').map(|(_, text)| text.trim().to_owned());
    match kind {
        "fail" => match detail.starts_with("regex") {
            true => (expected.fail, expected.fail_regex) = (Some(None), text()),
            false => expected.fail = Some(text()),
        },
        "warn" => {
            expected.any_warn = true;
            expected.warn.extend(text());
        }
        "info" => {
            expected.any_info = true;
            expected.info.extend(text());
        }
        "no_warn" => expected.no_warn = true,
        "no_info" => expected.no_info = true,
        "ordered" => expected.ordered = true,
        "string" => {
            let quoted = detail.trim();
            expected.string = Some(quoted[1..quoted.len() - 1].replace("\\\"", "\""));
        }
        "range" => {
            let words: Vec<&str> = detail.split_whitespace().collect();
            let &["vector", "from", from, "to", _, "step", step] = &words[..] else {
                return Err(format!("cannot read: expect {rest}"));
            };
            expected.range_vector = Some((milliseconds(from)?, milliseconds(step)?));
        }
        _ => return Err(format!("cannot read: expect {rest}")),
    }
    Ok(())
}

fn check_annotations(
    result: &QueryResult,
    expected: &Expected,
    expression: &str,
) -> Result<(), String> {
    let of = |severity: Severity| -> Vec<String> {
        let of = result.annotations.iter().filter(|a| a.severity == severity);
        of.map(|a| {
            let column = a.span.map_or(0, |(start, _)| start) + 1;
            let kind = if severity == Severity::Warning { "warning" } else { "info" };
            format!("PromQL {kind}: {} (1:{column})", a.message)
        })
        .collect()
    };
    let _ = expression;
    for (found, any, none, wanted) in [
        (of(Severity::Warning), expected.any_warn, expected.no_warn, &expected.warn),
        (of(Severity::Info), expected.any_info, expected.no_info, &expected.info),
    ] {
        if none && !found.is_empty() {
            return Err(format!("unexpected: {found:?}"));
        }
        if any && found.is_empty() {
            return Err(format!("expected an annotation: {wanted:?}"));
        }
        let fits = |wanted: &String, found: &String| {
            found == wanted || matches(wanted, found) || found.contains(wanted.as_str())
        };
        if !wanted.is_empty() {
            let missing = wanted.iter().find(|w| !found.iter().any(|f| fits(w, f)));
            let surplus = found.iter().find(|f| !wanted.iter().any(|w| fits(w, f)));
            if let Some(text) = missing.or(surplus) {
                return Err(format!("{text}\n    found {found:?}\n    wanted {wanted:?}"));
            }
        }
    }
    Ok(())
}

fn almost(a: f64, b: f64) -> bool {
    if a == b || (a.is_nan() && b.is_nan()) {
        return true;
    }
    if a == 0.0 || b == 0.0 {
        return (a - b).abs() < 1e-6 * f64::MIN_POSITIVE;
    }
    (a - b).abs() / (a.abs() + b.abs()).min(f64::MAX) < 1e-6
}

fn check_value(
    value: &QueryValue,
    expected: &Expected,
    range: Option<(i64, i64)>,
) -> Result<(), String> {
    match value {
        QueryValue::Scalar { value, .. } => match expected.scalar {
            Some(wanted) if almost(*value, wanted) => Ok(()),
            wanted => Err(format!("scalar {value}, wanted {wanted:?}")),
        },
        QueryValue::String { value, .. } => match &expected.string {
            Some(wanted) if wanted == value => Ok(()),
            wanted => Err(format!("string {value:?}, wanted {wanted:?}")),
        },
        QueryValue::Vector(elements) => {
            let mut wanted = BTreeMap::new();
            for (at, (labels, values)) in expected.series.iter().enumerate() {
                let value = match values.first() {
                    Some(SequenceValue::Float(value)) => *value,
                    _ => 0.0,
                };
                wanted.insert(labels, (at, value));
            }
            for (at, element) in elements.iter().enumerate() {
                let SampleValue::Float(value) = element.value else { continue };
                match wanted.remove(&element.labels) {
                    Some((place, _)) if expected.ordered && place != at => {
                        return Err(format!("{:?} at place {at}", element.labels));
                    }
                    Some((_, wanted)) if almost(value, wanted) => {}
                    other => return Err(format!("{:?} {value}, wanted {other:?}", element.labels)),
                }
            }
            match wanted.into_iter().next() {
                Some((labels, value)) => Err(format!("missing {labels:?} {value:?}")),
                None => Ok(()),
            }
        }
        QueryValue::Matrix(matrix) => {
            let Some((start, step)) = range.or(expected.range_vector) else {
                return Err(format!("unexpected matrix {matrix:?}"));
            };
            let mut wanted: BTreeMap<&Labels, Vec<(i64, f64)>> = BTreeMap::new();
            for (labels, values) in &expected.series {
                let points = values.iter().enumerate().filter_map(|(at, value)| match value {
                    SequenceValue::Float(value) => Some((start + at as i64 * step, *value)),
                    _ => None,
                });
                wanted.insert(labels, points.collect());
            }
            for series in matrix {
                let points = wanted.remove(&series.labels).unwrap_or_default();
                let same = points.len() == series.floats.len()
                    && points
                        .iter()
                        .zip(&series.floats)
                        .all(|(a, b)| a.0 == b.0 && almost(a.1, b.1));
                if !same {
                    return Err(format!(
                        "{:?} {:?}, wanted {points:?}",
                        series.labels, series.floats
                    ));
                }
            }
            match wanted.into_iter().find(|(_, points)| !points.is_empty()) {
                Some((labels, points)) => Err(format!("missing {labels:?} {points:?}")),
                None => Ok(()),
            }
        }
    }
}
