//! Series for an expression: worlds in which what it asks for may be the case.
//!
//! From the text of an expression come the metrics that it names, labels that its selectors let through and
//! its operators match by, and values on both sides of its numbers. A world gives each metric a course of
//! values; over many worlds most alerts fire. One that fires in none of them deserves a look.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use promql_model::{MatchOp, Matcher, quote};
use promql_syntax::Expr;
use promql_syntax::ast::{LabelMatcher, NodeKind};

use crate::random::Random;

/// Seconds between samples.
pub const INTERVAL: u64 = 15;

/// Upper bounds of buckets of classic histograms.
const BOUNDS: [&str; 6] = ["0.005", "1", "30", "1000", "100000", "+Inf"];

/// A label of a series.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Label {
    name: String,
    value: String,
    /// Whether the selector says what it is.
    is_asked: bool,
}

/// What an expression names.
#[derive(Debug, Default)]
pub struct Vocabulary {
    /// The label sets of the series that each of its selectors finds, by metric.
    metrics: BTreeMap<String, BTreeSet<Vec<Label>>>,
    /// Its numbers.
    numbers: Vec<f64>,
}

impl Vocabulary {
    /// Of an expression. Selectors without a name find nothing that is made here.
    pub fn of(expr: &Expr) -> Vocabulary {
        let mut vocabulary = Vocabulary::default();
        let mut labels: BTreeSet<String> = ["job", "instance"].map(str::to_owned).into();
        let selectors = || {
            expr.nodes().iter().filter_map(|node| match node.kind {
                NodeKind::VectorSelector(id) => Some(expr.selector(id)),
                _ => None,
            })
        };
        for node in expr.nodes() {
            match node.kind {
                NodeKind::Aggregate { grouping, .. } => {
                    labels.extend(
                        expr.labels(grouping).iter().map(|l| expr.text_lossy(l.name).into_owned()),
                    );
                }
                NodeKind::Binary { modifiers: Some(id), .. } => {
                    let modifiers = expr.binary_modifiers(id);
                    for list in [modifiers.labels, modifiers.include] {
                        labels.extend(
                            expr.labels(list).iter().map(|l| expr.text_lossy(l.name).into_owned()),
                        );
                    }
                }
                NodeKind::Number { value, .. } => vocabulary.numbers.push(value),
                _ => {}
            }
        }
        for selector in selectors() {
            let matchers = expr.matchers(selector);
            labels.extend(matchers.iter().map(|m| expr.text_lossy(m.name).into_owned()));
        }
        labels.remove("__name__");
        labels.remove("le");
        for selector in selectors() {
            let matchers = expr.matchers(selector);
            let of_name = matchers.iter().find(|m| expr.text(m.name) == b"__name__");
            let name = match selector.name {
                Some(name) => Some(expr.text_lossy(name).into_owned()),
                None => of_name.and_then(|matcher| some_text(expr, matcher)),
            };
            let Some(name) = name.filter(|name| !name.is_empty()) else { continue };
            let mut set: BTreeMap<String, (String, bool)> =
                labels.iter().map(|label| (label.clone(), ("a".to_owned(), false))).collect();
            for matcher in matchers.iter().filter(|m| expr.text(m.name) != b"__name__") {
                let label = expr.text_lossy(matcher.name).into_owned();
                match some_text(expr, matcher) {
                    Some(value) => drop(set.insert(label, (value, true))),
                    None => drop(set.remove(&label)),
                }
            }
            let set = set.into_iter().filter(|(_, (value, _))| !value.is_empty());
            let set =
                set.map(|(name, (value, is_asked))| Label { name, value, is_asked }).collect();
            vocabulary.metrics.entry(name).or_default().insert(set);
        }
        vocabulary
    }

    /// The input series of a world, as they are written in a unit-test file: what is in the list of
    /// `input_series`, with so many samples each.
    pub fn world(&self, random: &mut Random, samples: u64) -> Vec<(String, String)> {
        let mut series = Vec::new();
        for (name, sets) in &self.metrics {
            let is_missing = random.once_in(12);
            if is_missing {
                continue;
            }
            // Either all series of a metric go alike, or each its own way.
            let shared = random.once_in(2).then(|| self.course(name, random, samples));
            // A label that is asked for somewhere need not be there everywhere.
            let has: BTreeSet<&String> = sets
                .iter()
                .flatten()
                .filter(|label| ["job", "instance"].contains(&&*label.name) || !random.once_in(3))
                .map(|label| &label.name)
                .collect();
            for set in sets {
                let course = shared.clone().unwrap_or_else(|| self.course(name, random, samples));
                for instance in 0..=random.below(2) {
                    let mut labels: BTreeMap<String, String> = set
                        .iter()
                        .filter(|label| label.is_asked || has.contains(&label.name))
                        .map(|label| (label.name.clone(), label.value.clone()))
                        .collect();
                    if instance > 0 {
                        labels.insert("instance".to_owned(), "b".to_owned());
                    }
                    let is_bucket = name.ends_with("_bucket") && !labels.contains_key("le");
                    match is_bucket {
                        false => series.push((written(name, &labels), course.clone())),
                        true => series.extend(BOUNDS.iter().enumerate().map(|(at, bound)| {
                            labels.insert("le".to_owned(), (*bound).to_owned());
                            let step = if at < 4 { at as u64 } else { 40 * at as u64 };
                            (written(name, &labels), format!("0+{step}x{samples}"))
                        })),
                    }
                }
            }
        }
        series.sort_unstable();
        series.dedup_by(|a, b| a.0 == b.0);
        series
    }

    /// A course of values, in the notation of series.
    fn course(&self, name: &str, random: &mut Random, samples: u64) -> String {
        let mut levels = vec![0.0, 1.0, 2.0, 100.0, 1e6];
        for number in &self.numbers {
            levels.extend([*number, number + 1.0, number - 1.0, number * 2.0, number / 2.0]);
        }
        let level = random.pick(&levels);
        let is_counter = ["_total", "_count", "_sum"].iter().any(|end| name.ends_with(end));
        let half = samples / 2;
        match random.below(if is_counter { 4 } else { 8 }) {
            0 => format!("0+{}x{samples}", random.pick(&[0.01, 1.0, 60.0, 6000.0])),
            1 => format!("0+{}x{samples}", level.abs()),
            2 => format!("{level}x{samples}"),
            3 => {
                format!("{level}x{half} {level}+{}x{half}", random.pick(&[1.0, 600.0]))
            }
            4 => format!("1e7-{}x{samples}", random.pick(&[1.0, 1000.0])),
            5 => (0..samples).map(|at| if at % 2 == 0 { "0 " } else { "1 " }).collect(),
            6 => format!("{level}x{half} _x{half}"),
            _ => format!("{level}x{samples}"),
        }
    }

    /// Whether any metric is named.
    pub fn is_empty(&self) -> bool {
        self.metrics.is_empty()
    }
}

/// A text that a matcher lets through, if one comes to mind.
fn some_text(expr: &Expr, matcher: &LabelMatcher) -> Option<String> {
    let value = expr.text_lossy(matcher.value).into_owned();
    if matcher.op == MatchOp::Equal {
        return Some(value);
    }
    let compiled = Matcher::new("", matcher.op, value.as_bytes()).ok()?;
    let listed = compiled.regex().and_then(|regex| regex.texts()).unwrap_or_default();
    let mut tried: Vec<String> = listed.iter().map(|text| text.to_string()).collect();
    // Of a pattern the first alternative, what may be anything left out or made a letter.
    for alternative in value.split('|') {
        for any in ["", "x"] {
            let plain = alternative
                .replace(".*", any)
                .replace(".+", "x")
                .replace("[0-9]", "5")
                .replace("\\.", ".")
                .replace("..", "00");
            tried.push(plain.replace(['(', ')', '^', '$', '?', ':', '\\'], ""));
            tried.push(plain.replace('.', "0"));
        }
    }
    tried.extend(["a", "x", "other", "1", "/data", "eth0", ""].map(str::to_owned));
    tried.into_iter().find(|text| compiled.matches(text))
}

fn written(name: &str, labels: &BTreeMap<String, String>) -> String {
    let mut text = name.to_owned();
    let pairs: Vec<String> =
        labels.iter().map(|(name, value)| format!("{name}={}", quote(value.as_bytes()))).collect();
    let _ = write!(text, "{{{}}}", pairs.join(","));
    text
}
