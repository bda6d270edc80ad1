//! A rule: its fields, and what is wrong with them, in the order in which upstream looks.

use std::ops::Range;

use promql_model::quote;
use promql_syntax::{ValueType, compile};

use super::dialect::Level;
use super::group::{Context, empty_item, fields, label_name, text_or_empty};
use super::{Dialect, Rule, RuleKind, templates};
use crate::finding::Finding;
use crate::yaml::{Fields, Node, Reader, Shape, Text};

/// A rule that is to be read.
pub(super) struct Job<'n, 't> {
    pub(super) node: &'n Node<'t>,
    /// Its number in its group, from 1.
    pub(super) number: usize,
    /// The name of its group.
    pub(super) group: &'n str,
}

/// What came of a rule.
pub(super) struct Outcome {
    /// Nothing if it isn't even a mapping.
    pub(super) rule: Option<Rule>,
    /// What is wrong with it, but for what is wrong with it as YAML, which the reader knows.
    pub(super) findings: Vec<Finding>,
}

/// Reads a rule.
pub(super) fn read(job: &Job<'_, '_>, context: &Context<'_>, reader: &mut Reader<'_>) -> Outcome {
    if job.node.is_null() {
        reader.add(empty_item(job.node, "rule"));
        return Outcome { rule: None, findings: Vec::new() };
    }
    let shape = Shape { upstream: "rulefmt.Rule", noun: "rule", keys: &context.rule_keys };
    let fields = fields(job.node, &shape, Level::Rule, context, reader);
    let mut checker = Checker { job, context, name: String::new(), findings: Vec::new() };
    let rule = fields.map(|fields| checker.rule(&fields, reader));
    Outcome { rule, findings: checker.findings }
}

struct Checker<'j, 'o> {
    job: &'j Job<'j, 'j>,
    context: &'j Context<'o>,
    /// What the rule is called.
    name: String,
    findings: Vec<Finding>,
}

impl Checker<'_, '_> {
    fn rule(&mut self, fields: &Fields<'_, '_>, reader: &mut Reader<'_>) -> Rule {
        let record = fields.get("record").and_then(|node| reader.text(node));
        let alert = fields.get("alert").and_then(|node| reader.text(node));
        let (record, alert) =
            (record.filter(|text| !text.is_empty()), alert.filter(|text| !text.is_empty()));
        let kind = if alert.is_some() { RuleKind::Alerting } else { RuleKind::Recording };
        let is_named = record.is_some() || alert.is_some();
        let name = match alert.as_ref().or(record.as_ref()) {
            Some(name) => name.clone(),
            None => {
                let Text { span, style, .. } = text_or_empty(fields, "", reader);
                Text { value: String::new(), span, style }
            }
        };
        self.name.clone_from(&name.value);
        self.names(record.as_ref(), alert.as_ref(), fields, &name, is_named, reader);

        let mut rule = Rule {
            kind,
            span: fields.node().span.clone(),
            expr: text_or_empty(fields, "expr", reader),
            query: None,
            labels: fields.get("labels").map_or_else(Vec::new, |labels| reader.text_map(labels)),
            annotations: fields
                .get("annotations")
                .map_or_else(Vec::new, |annotations| reader.text_map(annotations)),
            for_duration: self.context.duration(fields, "for", reader),
            keep_firing_for: self.context.duration(fields, "keep_firing_for", reader),
            name,
        };
        self.expression(&mut rule, fields, reader);
        if let Some(record) = &record {
            self.recording(record, &rule, fields, reader);
        }
        for (name, _) in &rule.labels {
            let finding = label_name(name, self.context, &|| self.prefix());
            self.findings.extend(finding);
        }
        self.annotation_names(&rule);
        let findings = templates::check(&rule, self.context, &|| self.prefix(), reader.file());
        self.findings.extend(findings);
        rule
    }

    /// What upstream puts in front of messages about the rule.
    fn prefix(&self) -> String {
        let Job { group, number, .. } = self.job;
        format!("group {}, rule {number}, {}: ", quoted(group), quoted(&self.name))
    }

    /// Upstream's message about something at a value of the rule.
    fn upstream(&self, reader: &Reader<'_>, at: Option<usize>, text: &str) -> String {
        let place = at.map_or_else(
            || "0:0".to_owned(),
            |at| format!("{}:{}", reader.line(at), reader.column(at)),
        );
        format!("{place}: {}{text}", self.prefix())
    }

    fn names(
        &mut self,
        record: Option<&Text>,
        alert: Option<&Text>,
        fields: &Fields<'_, '_>,
        name: &Text,
        is_named: bool,
        reader: &Reader<'_>,
    ) {
        if let (Some(record), Some(alert)) = (record, alert) {
            let text = self.upstream(
                reader,
                Some(alert.span.start),
                "only one of 'record' and 'alert' must be set",
            );
            let (line, column) = (reader.line(record.span.start), reader.column(record.span.start));
            let key = fields.entry("record").map_or(record.span.clone(), |e| e.key.span.clone());
            let finding = Finding::error(
                "rules::two-names",
                key,
                "a rule records or alerts, not both",
                "`alert` is there too",
                "make two rules of it",
            );
            self.findings.push(finding.with_upstream(format!("{line}:{column}: {text}")));
        }
        // A name that is no text was complained about.
        let is_unreadable = ["record", "alert"]
            .iter()
            .any(|key| fields.get(key).is_some_and(|n| n.text().is_none()));
        if !is_named && !is_unreadable {
            let text = self.upstream(reader, None, "one of 'record' or 'alert' must be set");
            let finding = Finding::error(
                "rules::no-name",
                name.span.clone(),
                "a rule needs a name",
                "neither `record` nor `alert`",
                "add `record: METRIC` to record the result, or `alert: NAME` to alert on it",
            );
            self.findings.push(finding.with_upstream(format!("0:0: {text}")));
        }
    }

    fn expression(&mut self, rule: &mut Rule, fields: &Fields<'_, '_>, reader: &Reader<'_>) {
        let node = fields.entry("expr").map(|entry| &entry.value);
        if node.is_some_and(|node| node.text().is_none()) {
            return;
        }
        let at = node.map(|_| rule.expr.span.start);
        if rule.expr.is_empty() {
            let text = self.upstream(reader, at, "field 'expr' must be set in rule");
            let finding = Finding::error(
                "rules::no-expression",
                rule.expr.span.clone(),
                "a rule needs an expression",
                "no `expr` here",
                "add `expr: …`",
            );
            self.findings.push(finding.with_upstream(text));
            return;
        }
        match compile(&rule.expr.value, &self.context.options.features) {
            Ok(query) => {
                self.findings.extend(odd_result(query.value_type(), &rule.expr));
                rule.query = Some(query).filter(|_| self.context.options.keep_queries);
            }
            Err(errors) => {
                let positions = rule.expr.positions(reader.file());
                let place = |range: Range<usize>| positions.file_span(range);
                let mut found = Finding::from_errors(&errors, rule.expr.value.len(), place);
                let text = format!("could not parse expression: {errors}");
                let text = self.upstream(reader, at, &text);
                if let Some(first) = found.first_mut() {
                    first.upstream = Some(text);
                }
                if self.context.dialect == Dialect::Vmalert {
                    found.iter_mut().for_each(as_metricsql);
                }
                self.findings.extend(found);
            }
        }
    }

    /// What recording rules must not have, and how they may be called.
    fn recording(
        &mut self,
        record: &Text,
        rule: &Rule,
        fields: &Fields<'_, '_>,
        reader: &Reader<'_>,
    ) {
        let is_set = |duration: Option<crate::yaml::Spanned<i64>>| {
            duration.is_some_and(|duration| duration.value != 0)
        };
        let only_of_alerts = [
            ("annotations", !rule.annotations.is_empty()),
            ("for", is_set(rule.for_duration)),
            ("keep_firing_for", is_set(rule.keep_firing_for)),
        ];
        let at = Some(record.span.start);
        for (key, is_there) in only_of_alerts {
            if let (true, Some(entry)) = (is_there, fields.entry(key)) {
                let text = format!("invalid field '{key}' in recording rule");
                let text = self.upstream(reader, at, &text);
                let finding = Finding::error(
                    "rules::field-of-alerts",
                    entry.key.span.clone(),
                    format!("a recording rule has no `{key}`"),
                    "only alerts have this",
                    "remove it, or write `alert` instead of `record`",
                );
                self.findings.push(finding.with_upstream(text));
            }
        }
        if !self.context.options.names.is_metric_name(&record.value) {
            let text = format!("invalid recording rule name: {}", record.value);
            let text = self.upstream(reader, at, &text);
            let finding = Finding::error(
                "rules::bad-metric-name",
                record.span.clone(),
                format!("`{}` is no name of a metric", record.value),
                "no metric name",
                "write letters, digits, `_` and `:`, no digit in front",
            );
            self.findings.push(finding.with_upstream(text));
        }
        if record.value.contains(['{', '}']) {
            let text = format!(
                "braces present in the recording rule name; should it be in expr?: {}",
                record.value
            );
            let text = self.upstream(reader, at, &text);
            let finding = Finding::error(
                "rules::braces-in-name",
                record.span.clone(),
                "`record` is the name of a metric, without braces",
                "has braces",
                "set labels by `labels`; put what is to be computed into `expr`",
            );
            self.findings.push(finding.with_upstream(text));
        }
        for (_, value) in &rule.labels {
            if rule.kind == RuleKind::Recording && value.value.contains("{{") {
                let finding = Finding::error(
                    "rules::no-template",
                    value.span.clone(),
                    "labels of recording rules are no templates",
                    "the label gets this text as it is",
                    "compute the label in the expression, by `label_replace` for example",
                );
                self.findings.push(finding.warning());
            }
        }
    }

    fn annotation_names(&mut self, rule: &Rule) {
        for (name, _) in &rule.annotations {
            if self.context.options.names.is_annotation_name(&name.value) {
                continue;
            }
            let what = match &*name.value {
                "" => "the name of an annotation is empty".to_owned(),
                name => format!("`{name}` is no name of an annotation"),
            };
            let finding = Finding::error(
                "rules::bad-annotation-name",
                name.span.clone(),
                what,
                "no annotation name",
                "write letters, digits and `_`, no digit in front",
            );
            let text = format!("{}invalid annotation name: {}", self.prefix(), name.value);
            self.findings.push(finding.with_upstream(text));
        }
    }
}

fn quoted(text: &str) -> String {
    quote(text.as_bytes())
}

/// That each evaluation of a rule will fail, which upstream doesn't look for.
fn odd_result(kind: ValueType, expr: &Text) -> Option<Finding> {
    let (message, help) = match kind {
        ValueType::RangeVector => (
            "the result of a rule is an instant vector, not a range vector",
            "put a function around it that makes one of it, as `rate(…)` or `last_over_time(…)`",
        ),
        ValueType::String => (
            "the result of a rule is an instant vector, not a string",
            "quotes around a whole expression make a text of it; remove the inner ones",
        ),
        ValueType::Scalar | ValueType::InstantVector => return None,
    };
    let label = "each evaluation fails: rule result is not a vector or scalar";
    let finding = Finding::error("rules::no-vector", expr.span.clone(), message, label, help);
    Some(finding.warning())
}

/// What is no PromQL may still be MetricsQL, which vmalert reads.
fn as_metricsql(finding: &mut Finding) {
    finding.severity = miette::Severity::Advice;
    finding.upstream = None;
    finding.help =
        Some("vmalert reads MetricsQL, which has more than PromQL; this was not checked".into());
}
