//! A group: its fields, and what is wrong with them.

use std::collections::HashSet;

use super::dialect::{Level, keys, readers};
use super::{Dialect, Group, LoadOptions, Rule, RuleKind, rule};
use crate::finding::Finding;
use crate::yaml::{Fields, Node, Reader, Shape, Spanned, Text};

/// What is the same for all groups of a file.
pub(super) struct Context<'o> {
    pub(super) options: &'o LoadOptions,
    pub(super) dialect: Dialect,
    pub(super) group_keys: Vec<&'static str>,
    pub(super) rule_keys: Vec<&'static str>,
}

impl<'o> Context<'o> {
    pub(super) fn new(options: &'o LoadOptions, dialect: Dialect) -> Context<'o> {
        let group_keys = keys(Level::Group, dialect);
        Context { options, dialect, group_keys, rule_keys: keys(Level::Rule, dialect) }
    }

    /// A duration as the dialect writes it.
    pub(super) fn duration(
        &self,
        fields: &Fields<'_, '_>,
        key: &str,
        reader: &mut Reader<'_>,
    ) -> Option<Spanned<i64>> {
        let node = fields.get(key)?;
        // vmalert takes seconds without a unit, and fractions.
        if self.dialect == Dialect::Vmalert
            && let Some(value) = node.text().and_then(fractional_duration)
        {
            return Some(Spanned::new(value, node.span.clone()));
        }
        reader.duration(node)
    }
}

/// A duration of vmalert: `1.5h`, `30`, `1h0.5m`; in nanoseconds.
fn fractional_duration(text: &str) -> Option<i64> {
    const UNITS: [(&str, f64); 7] = [
        ("ms", 1e6),
        ("s", 1e9),
        ("m", 60e9),
        ("h", 3600e9),
        ("d", 86_400e9),
        ("w", 604_800e9),
        ("y", 31_536_000e9),
    ];
    let plain = |text: &str| {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        if is_plain { text.parse::<f64>().ok() } else { None }
    };
    if let Some(seconds) = plain(text) {
        return Some((seconds * 1e9) as i64);
    }
    let (mut rest, mut total) = (text, 0.0);
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let value = plain(&rest[..number])?;
        rest = &rest[number..];
        let (unit, size) = UNITS.iter().find(|(unit, _)| rest.starts_with(unit))?;
        total += value * size;
        rest = &rest[unit.len()..];
    }
    (total < i64::MAX as f64).then_some(total as i64)
}

/// A group whose rules were not read yet.
pub(super) struct Head<'n, 't> {
    pub(super) group: Group,
    pub(super) rules: &'n [Node<'t>],
    pub(super) findings: Vec<Finding>,
}

impl<'n, 't> Head<'n, 't> {
    /// Its rules, which are to be read.
    pub(super) fn jobs(&self) -> impl Iterator<Item = rule::Job<'_, 't>> {
        let mut number = 0;
        self.rules.iter().map(move |node| {
            number += usize::from(!node.is_null());
            rule::Job { node, number, group: &self.group.name.value }
        })
    }
}

/// Reads a group but its rules. Nothing for what is no group.
pub(super) fn read<'n, 't>(
    node: &'n Node<'t>,
    context: &Context<'_>,
    reader: &mut Reader<'_>,
) -> Option<Head<'n, 't>> {
    if node.is_null() {
        reader.add(empty_item(node, "group"));
        return None;
    }
    let shape = Shape { upstream: "rulefmt.RuleGroup", noun: "group", keys: &context.group_keys };
    let fields = fields(node, &shape, Level::Group, context, reader)?;
    let name_is_unreadable = fields.get("name").is_some_and(|name| name.text().is_none());
    let name = text_or_empty(&fields, "name", reader);
    let labels = fields.get("labels").map_or_else(Vec::new, |labels| reader.text_map(labels));
    let query_offset = context.duration(&fields, "query_offset", reader);
    let evaluation_delay = context.duration(&fields, "evaluation_delay", reader);
    let group = Group {
        span: node.span.clone(),
        interval: context.duration(&fields, "interval", reader),
        query_offset: query_offset.or(evaluation_delay),
        limit: fields.get("limit").and_then(|limit| reader.integer(limit)),
        rules: Vec::new(),
        name,
        labels,
    };
    let mut findings = Vec::new();
    if group.name.is_empty() && !name_is_unreadable {
        let finding = Finding::error(
            "rules::no-group-name",
            group.name.span.clone(),
            "a group needs a name",
            "no name here",
            "add `name: …`, which must be unique in the file",
        );
        findings.push(finding.with_upstream("0:0: Groupname must not be empty"));
    }
    for (name, _) in &group.labels {
        findings.extend(label_name(name, context, &String::new));
    }
    check_dialect(&fields, &group, context, reader, &mut findings);
    let rules = fields.get("rules");
    let rules = rules.map_or(&[][..], |rules| reader.items(rules, "rules", "[]rulefmt.Rule"));
    Some(Head { group, rules, findings })
}

/// That a group is called like one before it, whose names are in `names`.
pub(super) fn repeated_name(group: &Group, names: &mut HashSet<String>) -> Option<Finding> {
    let name = &group.name.value;
    if name.is_empty() || names.insert(name.clone()) {
        return None;
    }
    let finding = Finding::error(
        "rules::repeated-group",
        group.name.span.clone(),
        format!("there is already a group `{name}` in this file"),
        "the same name again",
        "give it another name, or move its rules into the other group",
    );
    let upstream = format!("0:0: groupname: {name:?} is repeated in the same file");
    Some(finding.with_upstream(upstream))
}

/// The fields of a group or a rule. For a key that another system reads, that is what is said.
pub(super) fn fields<'n, 't>(
    node: &'n Node<'t>,
    shape: &Shape<'_>,
    level: Level,
    context: &Context<'_>,
    reader: &mut Reader<'_>,
) -> Option<Fields<'n, 't>> {
    let mut inner = reader.sibling();
    let fields = inner.fields(node, shape);
    for mut finding in inner.into_findings() {
        if finding.code == "yaml::unknown-key" {
            let key = &reader.file()[finding.span.clone()];
            let systems = readers(level, key);
            if let Some(system) = systems.first() {
                let (noun, name) = (shape.noun, system.system());
                let who = context.dialect.system();
                finding.help = Some(
                    format!("a {noun} of {name} has this key (`--dialect {system}`), one of {who} hasn't")
                        .into(),
                );
            }
        }
        reader.add(finding);
    }
    fields
}

/// A text of a mapping. If there is none, an empty one where the mapping begins.
pub(super) fn text_or_empty(fields: &Fields<'_, '_>, key: &str, reader: &mut Reader<'_>) -> Text {
    let text = fields.entry(key).and_then(|entry| reader.text(&entry.value));
    text.unwrap_or_else(|| {
        let start = fields.node().span.start;
        let line = reader.file()[start..].lines().next().unwrap_or_default();
        let end = start + line.trim_end().len().min(fields.node().span.len());
        Text::empty(start..end)
    })
}

/// That an item of a list is nothing, which upstream skips.
pub(super) fn empty_item(node: &Node<'_>, noun: &str) -> Finding {
    Finding::error(
        "yaml::empty-item",
        node.span.clone(),
        format!("there is no {noun} here"),
        "an empty item, which is skipped",
        "remove the `-`",
    )
    .warning()
}

/// What is wrong with the name of a label. `prefix` stands in front of upstream's message.
pub(super) fn label_name(
    name: &Text,
    context: &Context<'_>,
    prefix: &dyn Fn() -> String,
) -> Option<Finding> {
    let scheme = context.options.names;
    if scheme.is_label_name(&name.value) {
        return None;
    }
    let (what, help) = match &*name.value {
        "" => ("the name of a label is empty".to_owned(), "give it a name"),
        "__name__" => (
            "a rule can't set the label `__name__`".to_owned(),
            "`record` sets the name of the metric",
        ),
        name => (
            format!("`{name}` is no name of a label"),
            "write letters, digits and `_`, no digit in front",
        ),
    };
    let finding =
        Finding::error("rules::bad-label-name", name.span.clone(), what, "no label name", help);
    Some(finding.with_upstream(format!("{}invalid label name: {}", prefix(), name.value)))
}

/// What only the system of the dialect refuses.
fn check_dialect(
    fields: &Fields<'_, '_>,
    group: &Group,
    context: &Context<'_>,
    reader: &mut Reader<'_>,
    findings: &mut Vec<Finding>,
) {
    if let Some(strategy) = fields.get("partial_response_strategy")
        && !strategy.text().is_some_and(|text| {
            text.eq_ignore_ascii_case("warn") || text.eq_ignore_ascii_case("abort")
        })
    {
        findings.push(Finding::error(
            "rules::bad-strategy",
            strategy.span.clone(),
            "`partial_response_strategy` is `warn` or `abort`",
            "neither of them",
            "`abort` is the default",
        ));
    }
    if context.dialect != Dialect::Vmalert {
        return;
    }
    for key in ["eval_offset", "eval_delay"] {
        context.duration(fields, key, reader);
    }
    if let (Some(_), Some(delay)) = (fields.get("eval_offset"), fields.entry("eval_delay")) {
        findings.push(Finding::error(
            "rules::offset-and-delay",
            delay.key.span.clone(),
            "`eval_offset` and `eval_delay` exclude each other",
            "`eval_offset` is there too",
            "remove one of them",
        ));
    }
    let concurrency = fields.get("concurrency").and_then(|node| reader.integer(node));
    for number in [group.limit, concurrency].into_iter().flatten() {
        if number.value < 0 {
            findings.push(Finding::error(
                "rules::negative",
                number.span(),
                "vmalert refuses a negative number here",
                "less than 0",
                "0 means no limit",
            ));
        }
    }
}

/// What is wrong with the rules of a group together.
pub(super) fn check_rules(group: &Group, context: &Context<'_>, findings: &mut Vec<Finding>) {
    if context.dialect != Dialect::Vmalert {
        return;
    }
    let mut seen = HashSet::new();
    let same = |rule: &Rule| {
        let labels: Vec<(String, String)> = rule
            .labels
            .iter()
            .map(|(name, value)| (name.value.clone(), value.value.clone()))
            .collect();
        (rule.kind == RuleKind::Alerting, rule.name.value.clone(), rule.expr.value.clone(), labels)
    };
    for rule in &group.rules {
        if !seen.insert(same(rule)) {
            findings.push(Finding::error(
                "rules::repeated-rule",
                rule.name.span.clone(),
                "vmalert refuses a rule that its group has already",
                "the same expression, name and labels as before",
                "remove it",
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fractional_duration;

    #[test]
    fn durations_of_vmalert() {
        for (text, expected) in [
            ("30", Some(30_000_000_000)),
            ("1.5h", Some(5_400_000_000_000)),
            ("1h0.5m", Some(3_630_000_000_000)),
            ("5ms", Some(5_000_000)),
            ("5x", None),
            ("", None),
            ("h", None),
            ("-5m", None),
        ] {
            let expected = if text.is_empty() { Some(0) } else { expected };
            assert_eq!(fractional_duration(text), expected, "{text}");
        }
    }
}
