//! The templates of alerts, tried with made-up data.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use promql_rules::rule_file::Dialect;
use promql_rules::template::{AlertData, ExpandError, Sample, Surroundings, Template, Value};
use promql_rules::yaml::Text;

use crate::context::RuleContext;
use crate::template_reads::{Of, template_reads};

/// A label or an annotation of an alert.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AlertText<'a> {
    /// Of the label or annotation.
    pub(crate) name: &'a Text,
    /// Its text.
    pub(crate) text: &'a Text,
    /// Whether it is a label.
    pub(crate) is_label: bool,
}

/// The labels and annotations of an alert, labels first. vmalert's are left out: it has more functions.
pub(crate) fn templates_and_texts<'a>(
    cx: &RuleContext<'a>,
) -> impl Iterator<Item = AlertText<'a>> + use<'a> {
    let is_read = cx.is_alert() && cx.dialect() != Dialect::Vmalert;
    let rule = cx.rule;
    let labels = rule.labels.iter().map(|pair| (pair, true));
    let texts = labels.chain(rule.annotations.iter().map(|pair| (pair, false)));
    texts.filter(move |_| is_read).map(|((name, text), is_label)| AlertText {
        name,
        text,
        is_label,
    })
}

/// Those of them with actions.
pub(crate) fn templates<'a>(cx: &RuleContext<'a>) -> impl Iterator<Item = AlertText<'a>> + use<'a> {
    templates_and_texts(cx).filter(|template| template.text.value.contains("{{"))
}

/// What stands within the braces of the actions of a text, comments left out.
pub(crate) fn actions(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(open) = text[at..].find("{{") {
        let start = at + open + 2;
        let Some(length) = length(&text[start..]) else { break };
        if !text[start..].trim_start_matches('-').trim_start().starts_with("/*") {
            found.push(start..start + length);
        }
        at = start + length + 2;
    }
    found
}

/// How long an action is, up to its closing braces; these may stand in a text.
fn length(action: &str) -> Option<usize> {
    let mut quote = None;
    let mut chars = action.char_indices();
    while let Some((at, c)) = chars.next() {
        match quote {
            None if matches!(c, '"' | '`') => quote = Some(c),
            None if action[at..].starts_with("}}") => return Some(at),
            Some('"') if c == '\\' => drop(chars.next()),
            Some(open) if c == open => quote = None,
            _ => {}
        }
    }
    None
}

/// What queries of templates find, and what was asked.
#[derive(Debug)]
pub(crate) struct Answers {
    is_some: bool,
    /// The queries.
    pub(crate) asked: Vec<String>,
}

impl Answers {
    /// Each query finds one sample.
    pub(crate) fn some() -> Answers {
        Answers { is_some: true, asked: Vec::new() }
    }

    /// No query finds anything.
    pub(crate) fn none() -> Answers {
        Answers { is_some: false, asked: Vec::new() }
    }
}

/// A value that no format makes a whole number of.
const VALUE: f64 = 6.625;

impl Surroundings for Answers {
    fn query(&mut self, expression: &str) -> Result<Vec<Sample>, String> {
        self.asked.push(expression.to_owned());
        let sample = Sample { labels: Arc::default(), value: Value::Float(VALUE) };
        Ok(if self.is_some { vec![sample] } else { Vec::new() })
    }

    fn timestamp(&self) -> i64 {
        0
    }
}

/// What becomes of a template: a text, or what is wrong with it.
pub(crate) type Trial = Result<String, ExpandError>;

/// Expands a template with labels that are there, all with the value `x`. A text that is no template gives
/// nothing: somebody else tells.
pub(crate) fn expand(template: &AlertText<'_>, answers: &mut Answers) -> Trial {
    let text = &template.text.value;
    let Ok(read) = Template::alert("", text) else { return Ok(String::new()) };
    let data = AlertData {
        labels: Arc::new(labels(text)),
        external_labels: Arc::default(),
        external_url: "".into(),
        value: Value::Float(VALUE),
    };
    read.expand(&Value::Alert(data.into()), answers)
}

/// The labels of the alert that a template reads, by `$labels` or by `.Labels`, each once, with where it is
/// read first. What an `if` or a
/// `with` asks for is left out: it is known that it may be missing.
pub(crate) fn label_reads(text: &str) -> Vec<(String, Range<usize>)> {
    let actions = actions(text);
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut found: Vec<(String, Range<usize>)> = Vec::new();
    for action in &actions {
        let inner = &text[action.clone()];
        for (front, is_index) in [("$labels.", false), ("index $labels \"", true)] {
            for (at, _) in inner.match_indices(front) {
                let rest = &inner[at + front.len()..];
                let length = match is_index {
                    true => rest.find('"').unwrap_or_default(),
                    false => rest.find(|c: char| !is_part(c)).unwrap_or(rest.len()),
                };
                let name = &rest[..length];
                if !name.is_empty() && found.iter().all(|(known, _)| known != name) {
                    let start = action.start + at;
                    found.push((name.to_owned(), start..start + front.len() + length));
                }
            }
        }
    }
    for read in template_reads(text).into_iter().filter(|read| read.of == Of::Alert) {
        if found.iter().all(|(known, _)| *known != read.label) {
            found.push((read.label, read.place));
        }
    }
    let is_asked = |name: &str| {
        actions.iter().any(|action| {
            let inner = text[action.clone()].trim_start_matches('-').trim_start();
            let asks = ["if ", "with ", "else if "].iter().any(|word| inner.starts_with(word));
            asks && inner.contains(name)
        })
    };
    found.retain(|(name, _)| !is_asked(name));
    found
}

/// The labels that a template reads.
fn labels(text: &str) -> BTreeMap<String, String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let fields = text.match_indices("abels.").map(|(at, front)| &text[at + front.len()..]);
    let keys = text.match_indices("abels \"").map(|(at, front)| &text[at + front.len()..]);
    let names = fields.chain(keys).map(|rest| {
        let end = rest.find(|c: char| !is_part(c)).unwrap_or(rest.len());
        rest[..end].to_owned()
    });
    names.filter(|name| !name.is_empty()).map(|name| (name, "x".to_owned())).collect()
}

/// Whether nothing can go wrong with a template: all that it does is to print labels and the value, the
/// value perhaps by a function that takes any number.
pub(crate) fn is_simple(text: &str) -> bool {
    actions(text).into_iter().all(|action| {
        let action = text[action].trim_matches('-').trim();
        let (what, by) = action.split_once('|').unwrap_or((action, "humanize"));
        let is_word = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let what = what.trim();
        let label = what.strip_prefix("$labels.").or_else(|| what.strip_prefix(".Labels."));
        let is_value = what == "$value" || what == ".Value";
        let is_label = label.is_some_and(is_word) && !action.contains('|');
        const ANY: &[&str] =
            &["humanize", "humanize1024", "humanizePercentage", "humanizeDuration"];
        is_label || is_value && ANY.contains(&by.trim())
    })
}
