//! What an organisation demands of its rules: `[[lint.policy]]`.

use std::ops::Range;

use promql_model::{Regex, parse_duration};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::check::{Category, Check, Severity};
use crate::checks::{CHECKS, check};
use crate::config::{Reader, Scope};
use crate::context::RuleContext;
use crate::finding::{Finding, Report};
use crate::glob::Pattern;

/// A demand: what the check of its name looks for, and where.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    /// The check.
    pub(crate) check: &'static Check,
    /// The rules that it is about.
    pub(crate) scope: Scope,
    severity: Option<Severity>,
    message: Option<String>,
    is_locked: bool,
    /// The labels, annotations, metrics that it is about.
    pub(crate) names: Vec<String>,
    /// Of these one is enough.
    pub(crate) any_of: bool,
    /// The values that are allowed; nothing if a pattern says it.
    pub(crate) values: Option<Vec<String>>,
    /// The pattern that a text must match, or must not.
    pub(crate) regex: Option<Regex>,
    /// The metrics that it is about.
    pub(crate) metrics: Option<Vec<Pattern>>,
    /// The smallest and the largest duration, in nanoseconds.
    pub(crate) min: Option<i64>,
    /// The largest duration, in nanoseconds.
    pub(crate) max: Option<i64>,
    /// The field that it is about.
    pub(crate) field: Option<String>,
    /// What to use instead.
    pub(crate) replacement: Option<String>,
    /// The parts of a rule that it is about.
    pub(crate) parts: Option<Vec<&'static str>>,
    /// The labels that a result has to have.
    pub(crate) keep: Vec<String>,
    /// The labels that a result must not have.
    pub(crate) strip: Vec<String>,
    /// The names of recorded metrics that it is about.
    pub(crate) records: Option<Vec<Pattern>>,
}

/// The parts of a rule in which a text can be forbidden.
const PARTS: &[&str] =
    &["label-keys", "label-values", "annotation-keys", "annotation-values", "expr"];

/// The keys of a policy.
pub(crate) const KEYS: &[&str] = &[
    "check",
    "severity",
    "message",
    "locked",
    "paths",
    "groups",
    "rules",
    "kinds",
    "labels",
    "label",
    "annotations",
    "annotation",
    "any-of",
    "values",
    "regex",
    "metrics",
    "min",
    "max",
    "field",
    "replacement",
    "in",
    "keep",
    "strip",
    "records",
];

/// What each check needs, by its name.
const NEEDS: &[(&str, &[&str])] = &[
    ("required-label", &["labels"]),
    ("label-value", &["label"]),
    ("required-annotation", &["annotations"]),
    ("annotation-value", &["annotation"]),
    ("rule-name", &["regex"]),
    ("forbidden-text", &["regex"]),
    ("required-matcher", &["labels"]),
    ("maximum-range", &["max"]),
    ("forbidden-metric", &["metrics"]),
];

impl Policy {
    /// Reads a policy. What is wrong is told to the reader.
    pub(crate) fn read(table: &DeTable<'_>, reader: &mut Reader) -> Option<Policy> {
        let Some(value) = table.get("check") else {
            let at = table.iter().next().map_or(0..0, |(key, _)| key.span());
            reader.wrong(at, "a policy needs a `check`");
            return None;
        };
        let names: Vec<&str> = CHECKS
            .iter()
            .filter(|check| check.category() == Category::Policy)
            .map(|check| check.name)
            .collect();
        let at = reader.one_of(value, &names)?;
        let check = check(names[at])?;
        for key in NEEDS.iter().filter(|(name, _)| *name == check.name).flat_map(|(_, keys)| *keys)
        {
            if table.get(*key).is_none() {
                reader.wrong(value.span(), format!("`{}` needs the key `{key}`", check.name));
            }
        }
        let mut policy = Policy {
            check,
            scope: reader.scope(table),
            severity: None,
            message: None,
            is_locked: false,
            names: Vec::new(),
            any_of: false,
            values: None,
            regex: None,
            metrics: None,
            min: None,
            max: None,
            field: None,
            replacement: None,
            parts: None,
            keep: Vec::new(),
            strip: Vec::new(),
            records: None,
        };
        for (key, value) in table.iter() {
            policy.field_of(key.get_ref(), value, reader);
        }
        if check.name == "kept-labels" && policy.keep.is_empty() && policy.strip.is_empty() {
            reader.wrong(value.span(), "`kept-labels` needs the key `keep` or `strip`");
        }
        Some(policy)
    }

    fn field_of(&mut self, key: &str, value: &Spanned<DeValue<'_>>, reader: &mut Reader) {
        match key {
            "severity" => self.severity = reader.severity(value).flatten(),
            "message" => self.message = reader.text(value),
            "locked" => self.is_locked = reader.boolean(value).unwrap_or_default(),
            "any-of" => self.any_of = reader.boolean(value).unwrap_or_default(),
            "labels" | "label" | "annotations" | "annotation" => {
                self.names = reader.texts(value).into_iter().map(|(text, _)| text).collect();
            }
            "values" => {
                self.values = Some(reader.texts(value).into_iter().map(|(text, _)| text).collect());
            }
            "metrics" => self.metrics = Some(reader.patterns(value)),
            "field" => {
                let fields = ["for", "keep_firing_for"];
                self.field = reader.one_of(value, &fields).map(|at| fields[at].to_owned());
            }
            "in" => {
                let mut parts = Vec::new();
                for (text, at) in reader.texts(value) {
                    match PARTS.iter().find(|part| **part == text) {
                        Some(part) => parts.push(*part),
                        None => {
                            reader.wrong(at, format!("`{text}` is none of {}", PARTS.join(", ")))
                        }
                    }
                }
                self.parts = Some(parts);
            }
            "keep" | "strip" => {
                let labels = reader.texts(value).into_iter().map(|(text, _)| text).collect();
                *(if key == "keep" { &mut self.keep } else { &mut self.strip }) = labels;
            }
            "records" => self.records = Some(reader.patterns(value)),
            "replacement" => self.replacement = reader.text(value),
            "regex" => {
                let Some(text) = reader.text(value) else { return };
                match Regex::new(text.as_bytes()) {
                    Ok(regex) => self.regex = Some(regex),
                    Err(error) => reader.wrong(value.span(), error.to_string()),
                }
            }
            "min" | "max" => {
                let Some(text) = reader.text(value) else { return };
                let slot = if key == "min" { &mut self.min } else { &mut self.max };
                match parse_duration(&text) {
                    Ok(duration) => *slot = Some(duration),
                    Err(error) => reader.wrong(value.span(), error.to_string()),
                }
            }
            _ => {}
        }
    }

    /// Adds a finding with what the organisation says about it.
    pub(crate) fn tell<'r>(
        &self,
        report: &'r mut Report<'_>,
        span: Range<usize>,
        message: String,
    ) -> &'r mut Finding {
        let finding = report.at(span, message);
        if let Some(severity) = self.severity {
            finding.severity(severity);
        }
        if let Some(message) = &self.message {
            finding.help(message.clone());
        }
        finding.is_locked = self.is_locked;
        finding
    }

    /// Whether it is about a part of a rule: all parts if none are named.
    pub(crate) fn is_about(&self, part: &str) -> bool {
        self.parts.as_ref().is_none_or(|parts| parts.contains(&part))
    }

    /// Whether a text is allowed, by values or by a pattern.
    pub(crate) fn allows(&self, text: &str) -> bool {
        let is_value = self.values.as_ref().is_none_or(|values| values.iter().any(|v| v == text));
        is_value && self.regex.as_ref().is_none_or(|regex| regex.is_match(text))
    }
}

/// The policies of a check that are about a rule.
pub(crate) fn policies<'a>(
    cx: &RuleContext<'a>,
    check: &'static Check,
) -> impl Iterator<Item = &'a Policy> + use<'a> {
    let place = cx.place_in_settings();
    let all = cx.file.settings.policies().iter();
    all.filter(move |policy| policy.check == check && policy.scope.holds(&place))
}
