//! What is done to an answer behind a `|`.
//!
//! Stages change which series are shown, in which order, with which labels, in which form and where.
//! They never change a value.

use promql_model::{Labels, QueryResult, QueryValue, Regex, SampleValue};

use crate::host::{Form, Units};

/// One stage.
#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    /// `sort value`, `sort -value`, `sort label`: what is compared, and whether it falls.
    Sort(String, bool),
    /// `head N`
    Head(usize),
    /// `tail N`
    Tail(usize),
    /// `grep RE`: series whose text the expression is found in.
    Grep(Box<str>),
    /// `labels a,b`: only these labels.
    Labels(Vec<String>),
    /// A form, and the file that it goes to.
    Show(Form, Option<String>),
    /// `wide`: lines of any length.
    Wide,
    /// `unit NAME`: values in this unit.
    Unit(Units),
    /// `to FILE`
    To(String),
}

/// A stage that can't be read: what is wrong, and what there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageError(pub String);

/// The stages: how each is written, and what it does.
pub const STAGES: &[(&str, &str)] = &[
    ("sort", "sort value, sort -value, sort LABEL: in this order"),
    ("head", "head N: the first of them"),
    ("tail", "tail N: the last of them"),
    ("grep", "grep RE: those whose labels the regular expression is found in"),
    ("labels", "labels a,b: only these labels"),
    ("wide", "wide: lines of any length"),
    ("unit", "unit bytes: values in this unit; unit auto, unit off"),
    ("to", "to FILE: into a file"),
    ("table", "as a table; like all forms, with a file's name into that file"),
    ("vertical", "one label to a line"),
    ("graph", "as a graph"),
    ("heat", "as a heat map"),
    ("json", "as JSON"),
    ("ndjson", "as JSON, one object a line"),
    ("csv", "as comma-separated values"),
    ("md", "as Markdown"),
    ("series", "in the notation of tests"),
    ("test", "as a `load` block of a test script"),
    ("unit-test", "as `input_series` of a unit test"),
    ("om", "as OpenMetrics text"),
    ("svg", "as an image"),
];

impl Stage {
    /// Reads a stage.
    ///
    /// # Errors
    /// When it is none, with the nearest name.
    pub fn read(text: &str) -> Result<Stage, StageError> {
        let text = text.trim();
        let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let rest = rest.trim();
        let number = || {
            rest.parse::<usize>()
                .map_err(|_| StageError(format!("`{name}` wants a number, as `{name} 10`")))
        };
        let given = || match rest {
            "" => Err(StageError(format!("`{name}` wants something behind it: {}", about(name)))),
            rest => Ok(rest.to_owned()),
        };
        Ok(match name {
            "sort" => match given()? {
                text if text.starts_with('-') => Stage::Sort(text[1..].to_owned(), true),
                text => Stage::Sort(text.trim_start_matches('+').to_owned(), false),
            },
            "head" => Stage::Head(number()?),
            "tail" => Stage::Tail(number()?),
            "grep" => {
                let pattern = unquoted(rest);
                found_in(pattern)
                    .map_err(|error| StageError(format!("`grep {pattern}`: {error}")))?;
                Stage::Grep(pattern.into())
            }
            "labels" | "group" => {
                let labels = given()?;
                Stage::Labels(labels.split(',').map(|l| l.trim().to_owned()).collect())
            }
            "wide" => Stage::Wide,
            "unit" | "units" => {
                let name = given()?;
                let units = Units::named(&name).ok_or_else(|| {
                    StageError(format!("there is no unit `{name}`; there are {}", Units::all()))
                })?;
                Stage::Unit(units)
            }
            "to" => Stage::To(unquoted(&given()?).to_owned()),
            _ => match Form::named(name) {
                Some(form) => {
                    let file = (!rest.is_empty()).then(|| unquoted(rest).to_owned());
                    Stage::Show(form, file)
                }
                None => return Err(StageError(unknown(name))),
            },
        })
    }
}

pub(crate) fn unquoted(text: &str) -> &str {
    let inner = |mark| text.strip_prefix(mark).and_then(|rest: &str| rest.strip_suffix(mark));
    inner('"').or_else(|| inner('\'')).unwrap_or(text)
}

fn about(name: &str) -> &'static str {
    STAGES.iter().find(|(stage, _)| *stage == name).map_or("", |(_, about)| about)
}

fn unknown(name: &str) -> String {
    if name.is_empty() {
        return "behind `|` comes what is done to the answer, as `| sort -value | head 10`"
            .to_owned();
    }
    let all = STAGES.iter().map(|(stage, _)| *stage);
    let near = all.clone().min_by_key(|stage| strsim::damerau_levenshtein(stage, name));
    match near.filter(|stage| strsim::damerau_levenshtein(stage, name) <= 2) {
        Some(near) => format!("behind `|` there is no `{name}`; do you mean `{near}`?"),
        None => {
            let all: Vec<&str> = all.collect();
            format!("behind `|` there is no `{name}`; there are {}", all.join(", "))
        }
    }
}

/// A regular expression that may match anywhere.
fn found_in(pattern: &str) -> Result<Regex, String> {
    Regex::new(format!("(?s:.*)(?:{pattern})(?s:.*)").as_bytes()).map_err(|error| error.to_string())
}

/// Does to a result what the stages say. Gives the form, the file and whether lines may be of any
/// length, as far as the stages say so, and whether the order is now one that somebody asked for.
pub fn apply(stages: &[Stage], result: &mut QueryResult) -> Outcome {
    let mut outcome = Outcome::default();
    for stage in stages {
        match stage {
            Stage::Sort(key, falling) => {
                sort(&mut result.value, key, *falling);
                outcome.ordered = true;
            }
            Stage::Head(count) => keep(&mut result.value, |at, _| at < *count),
            Stage::Tail(count) => {
                let skipped = length(&result.value).saturating_sub(*count);
                keep(&mut result.value, |at, _| at >= skipped);
            }
            Stage::Grep(pattern) => {
                if let Ok(regex) = found_in(pattern) {
                    keep(&mut result.value, |_, text| regex.is_match(text));
                }
            }
            Stage::Labels(names) => relabel(&mut result.value, names),
            Stage::Show(form, file) => {
                outcome.form = Some(*form);
                outcome.file = file.clone().or(outcome.file.take());
            }
            Stage::Wide => outcome.is_wide = true,
            Stage::Unit(units) => outcome.units = Some(*units),
            Stage::To(file) => outcome.file = Some(file.clone()),
        }
    }
    outcome
}

/// What stages say about how an answer is shown.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Outcome {
    /// The form.
    pub form: Option<Form>,
    /// The file.
    pub file: Option<String>,
    /// Whether lines may be of any length.
    pub is_wide: bool,
    /// In which unit values are.
    pub units: Option<Units>,
    /// Whether the order is one that somebody asked for.
    pub ordered: bool,
}

fn length(value: &QueryValue) -> usize {
    match value {
        QueryValue::Vector(elements) => elements.len(),
        QueryValue::Matrix(series) => series.len(),
        QueryValue::Scalar { .. } | QueryValue::String { .. } => 1,
    }
}

fn keep(value: &mut QueryValue, keeps: impl Fn(usize, &str) -> bool) {
    let mut at = 0;
    let mut next = |labels: &Labels| {
        at += 1;
        keeps(at - 1, &labels.selector().to_string())
    };
    match value {
        QueryValue::Vector(elements) => elements.retain(|element| next(&element.labels)),
        QueryValue::Matrix(series) => series.retain(|series| next(&series.labels)),
        QueryValue::Scalar { .. } | QueryValue::String { .. } => {}
    }
}

fn number(value: &SampleValue) -> f64 {
    match value {
        SampleValue::Float(value) => *value,
        SampleValue::Histogram(histogram) => histogram.count,
    }
}

/// Numbers by their size, NaN last; texts by their characters.
fn sort(value: &mut QueryValue, key: &str, falling: bool) {
    let numbers = |a: f64, b: f64| match (a.is_nan(), b.is_nan()) {
        (false, false) if falling => b.total_cmp(&a),
        (false, false) => a.total_cmp(&b),
        (a, b) => a.cmp(&b),
    };
    let texts = |a: &Labels, b: &Labels| {
        let (a, b) = (a.get(key).unwrap_or_default(), b.get(key).unwrap_or_default());
        let order = match (a.parse::<f64>(), b.parse::<f64>()) {
            (Ok(a), Ok(b)) => a.total_cmp(&b),
            _ => a.cmp(b),
        };
        if falling { order.reverse() } else { order }
    };
    match value {
        QueryValue::Vector(elements) if key == "value" => {
            elements.sort_by(|a, b| numbers(number(&a.value), number(&b.value)));
        }
        QueryValue::Vector(elements) => elements.sort_by(|a, b| texts(&a.labels, &b.labels)),
        QueryValue::Matrix(series) if key == "value" => {
            let last = |s: &promql_model::SeriesSamples| s.floats.last().map_or(f64::NAN, |f| f.1);
            series.sort_by(|a, b| numbers(last(a), last(b)));
        }
        QueryValue::Matrix(series) => series.sort_by(|a, b| texts(&a.labels, &b.labels)),
        QueryValue::Scalar { .. } | QueryValue::String { .. } => {}
    }
}

fn relabel(value: &mut QueryValue, names: &[String]) {
    let only = |labels: &mut Labels| {
        *labels = labels.filtered(|name| names.iter().any(|wanted| wanted == name));
    };
    match value {
        QueryValue::Vector(elements) => elements.iter_mut().for_each(|e| only(&mut e.labels)),
        QueryValue::Matrix(series) => series.iter_mut().for_each(|s| only(&mut s.labels)),
        QueryValue::Scalar { .. } | QueryValue::String { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use promql_model::VectorElement;

    use super::*;

    fn shown(stages: &str) -> String {
        let element = |job: &str, value| VectorElement {
            labels: Labels::from_pairs([("job", job), ("zone", "x")]),
            timestamp: 0,
            value: SampleValue::Float(value),
        };
        let value = QueryValue::Vector(vec![
            element("b", 2.0),
            element("c10", f64::NAN),
            element("a", 3.0),
            element("c9", -1.0),
        ]);
        let mut result = QueryResult { value, annotations: Vec::new() };
        let parts = crate::statement::split_at_bars(stages);
        let stages: Result<Vec<Stage>, _> = parts.into_iter().map(Stage::read).collect();
        apply(&stages.expect("stages"), &mut result);
        let QueryValue::Vector(elements) = result.value else { return String::new() };
        let one = |e: &VectorElement| e.labels.get("job").unwrap_or("-").to_owned();
        elements.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn stages_choose_and_order() {
        assert_eq!(shown("sort value"), "c9 b a c10");
        assert_eq!(shown("sort -value"), "a b c9 c10");
        assert_eq!(shown("sort job"), "a b c10 c9");
        assert_eq!(shown("sort -job | head 2"), "c9 c10");
        assert_eq!(shown("tail 1"), "c9");
        assert_eq!(shown("grep ^.*c"), "c10 c9");
        assert_eq!(shown("grep \"c1|\\\"a\""), "c10 a");
        assert_eq!(shown("labels zone | head 1"), "-");
    }

    #[test]
    fn what_is_wrong_is_said() {
        let error = |text: &str| Stage::read(text).expect_err(text).0;
        assert!(error("head x").contains("wants a number"));
        assert!(error("grahp").contains("do you mean `graph`?"));
        assert!(error("grep (").contains("grep ("));
        assert!(error("").contains("sort -value"));
        assert!(error("sort").contains("wants something"));
    }
}
