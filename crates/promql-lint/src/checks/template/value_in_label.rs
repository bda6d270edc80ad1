//! `value-in-label` (T005).

use crate::check::Severity;
use crate::check::declare_check;
use crate::context::RuleContext;
use crate::finding::Report;
use crate::templates::{actions, templates};

declare_check! {
    /// Finds a label of an alert that depends on the value, on the time or on a query.
    ///
    /// ## Why it matters
    /// An alert is known by its labels. When the value changes, one alert ends and another one begins, which is
    /// pending again: with a `for` it never fires.
    ///
    /// ## Examples
    /// ```yaml bad
    /// - alert: Full
    ///   expr: disk_used_ratio > 0.9
    ///   labels:
    ///     current: "{{ $value }}"
    ///                 ^^^^^^^^ the label `current` changes with `$value`; each change ends this alert and begins another one
    /// ```
    /// ```yaml bad
    /// - alert: Full
    ///   expr: disk_used_ratio > 0.9
    ///   labels:
    ///     current: '{{ .Value | printf "%.0f" }}'
    ///                 ^^^^^^^^^^^^^^^^^^^^^^^^ the label `current` changes with `.Value`; each change ends this alert and begins another one
    /// ```
    /// ```yaml bad
    /// - alert: Full
    ///   expr: disk_used_ratio > 0.9
    ///   labels:
    ///     total: '{{ with query "disk_total" }}{{ . | first | value }}{{ end }}'
    ///               ^^^^^^^^^^^^^^^^^^^^^^^^^ the label `total` changes with `query`; each change ends this alert and begins another one
    /// ```
    /// ```yaml good
    /// - alert: Full
    ///   expr: disk_used_ratio > 0.9
    ///   annotations:
    ///     current: "{{ $value }}"
    /// ```
    /// ```yaml good
    /// - alert: Full
    ///   expr: disk_used_ratio > 0.9
    ///   labels:
    ///     disk: "{{ $labels.disk }}"
    /// ```
    /// ```yaml good
    /// - alert: Full
    ///   expr: disk_used_ratio > 0.9
    ///   labels:
    ///     disk: "$value of {{ $labels.value }}"
    /// ```
    /// Behind a threshold the label changes seldom; this is a remark only:
    /// ```yaml bad
    /// - alert: Full
    ///   expr: disk_used_ratio > 0.9
    ///   labels:
    ///     severity: "{{ if gt $value 0.95 }}critical{{ else }}warning{{ end }}"
    ///                  ^^^^^^^^^^^^^^^^^^^ info: the label `severity` changes with `$value`
    /// ```
    "T005" "value-in-label" Error, Proven, fix: Never, Rule(look)
}

fn look(cx: &RuleContext<'_>, report: &mut Report<'_>) {
    for template in templates(cx).filter(|template| template.is_label) {
        let text = template.text.value.as_str();
        let reads = |action: &std::ops::Range<usize>| {
            let inner = &text[action.clone()];
            let word = ["$value", ".Value"].into_iter().find(|word| has_word(inner, word));
            let word = word.or_else(|| {
                let is_called = |name: &&str| has_word(inner, name) && !inner.contains('"');
                ["now"].into_iter().find(is_called)
            });
            word.or(Some("query").filter(|_| has_word(inner, "query \"")|| has_word(inner, "query `")))
        };
        let found = actions(text).into_iter().find_map(|action| Some((reads(&action)?, action)));
        let Some((word, action)) = found else { continue };
        let is_threshold = text[action.clone()].trim_start_matches('-').trim_start().starts_with("if ")
            && word != "now";
        let all = actions(text);
        let is_only_in_conditions = is_threshold
            && all.iter().all(|action| {
                reads(action).is_none()
                    || text[action.clone()].trim_start_matches('-').trim().starts_with("if ")
                    || text[action.clone()].trim_start_matches('-').trim().starts_with("else if ")
            });
        let finding = report.at(
            cx.place(template.text, action),
            format!("the label `{}` changes with `{word}`", template.name.value),
        );
        finding.help("put it into an annotation; these may change while the alert fires");
        match is_only_in_conditions {
            true => {
                finding.severity(Severity::Info);
            }
            false => {
                finding.consequence("each change ends this alert and begins another one");
            }
        }
    }
}

/// Whether a word is in a text, and not as a part of a longer one.
fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let before = text[..at].chars().next_back();
        let behind = text[at + word.len()..].chars().next();
        let is_field = word.starts_with('.') && before.is_some_and(is_part);
        let is_longer = !word.ends_with(['"', '`']) && behind.is_some_and(is_part);
        let begins_inside = before.is_some_and(|c| is_part(c) || c == '.' || c == '$') && !word.starts_with('.');
        !is_field && !is_longer && !begins_inside
    })
}
