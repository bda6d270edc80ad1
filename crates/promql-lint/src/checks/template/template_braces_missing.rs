//! `template-braces-missing` (T015).

use crate::check::declare_check;
use crate::context::RuleContext;
use crate::finding::Report;
use crate::templates::{actions, templates_and_texts};

declare_check! {
    /// Finds `$labels.…` or `$value` in a label or an annotation outside of `{{ }}`.
    ///
    /// ## Why it matters
    /// Outside of double braces the text is printed as it is.
    ///
    /// ## Examples
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations:
    ///     summary: "$labels.instance is down"
    ///               ^^^^^^^^^^^^^^^^ outside of `{{ }}` this is printed as it is
    /// ```
    /// ```yaml bad
    /// - alert: Full
    ///   expr: disk_free_bytes < 1e9
    ///   annotations:
    ///     summary: "{ $value } left on {{ $labels.disk }}"
    ///                 ^^^^^^ outside of `{{ }}` this is printed as it is
    /// ```
    /// ```yaml bad
    /// - alert: Full
    ///   expr: disk_free_bytes < 1e9
    ///   annotations:
    ///     summary: "{{ $labels.disk }} has $value"
    ///                                      ^^^^^^ outside of `{{ }}` this is printed as it is
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations:
    ///     summary: "{{ $labels.instance }} costs $5"
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations:
    ///     summary: "{{ $value }} of {{ .Labels.job }}"
    /// ```
    /// A variable of a shell:
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations:
    ///     runbook: "run `test $value -gt 5` on {{ $labels.instance }}"
    /// ```
    "T015" "template-braces-missing" Warning, Heuristic, fix: Never, Rule(look)
}

fn look(cx: &RuleContext<'_>, report: &mut Report<'_>) {
    for template in templates_and_texts(cx) {
        let text = template.text.value.as_str();
        if !text.contains('$') {
            continue;
        }
        let actions = actions(text);
        let is_inside = |at: usize| actions.iter().any(|action| action.start <= at && at < action.end);
        let places = text.match_indices("$labels.").chain(text.match_indices("$value"));
        let found = places.filter(|(at, word)| {
            let behind = text[at + word.len()..].chars().next();
            let is_longer = *word == "$value"
                && behind.is_some_and(|c| c.is_alphanumeric() || c == '_');
            let is_code = text[..*at].matches('`').count() % 2 == 1;
            !is_inside(*at) && !is_longer && !is_code
        });
        let Some((at, word)) = found.min() else { continue };
        let name = text[at + word.len()..].split(|c: char| !(c.is_alphanumeric() || c == '_'));
        let end = match word {
            "$value" => at + word.len(),
            _ => at + word.len() + name.clone().next().map_or(0, str::len),
        };
        report
            .at(cx.place(template.text, at..end), "outside of `{{ }}` this is printed as it is")
            .help(format!("write `{{{{ {} }}}}`", &text[at..end]));
    }
}
