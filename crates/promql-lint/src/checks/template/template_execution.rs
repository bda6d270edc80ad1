//! `template-execution` (T004).

use crate::check::declare_check;
use crate::context::RuleContext;
use crate::finding::Report;
use crate::templates::{is_simple, templates};

declare_check! {
    /// Finds a template that can be read, but fails whenever it is expanded: a template that nobody defines,
    /// fields that only Alertmanager has, a value of the wrong type.
    ///
    /// ## Why it matters
    /// The text of the label or the annotation is then an error message. `promtool check rules` doesn't see it.
    ///
    /// ## Examples
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations:
    ///     summary: "{{ .CommonLabels.job }} is down"
    ///                               ^^^^ this fails whenever it is expanded: can't evaluate field CommonLabels
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations:
    ///     summary: '{{ template "slack.title" . }}'
    ///                           ^^^^^^^^^^^^^ this fails whenever it is expanded: template "slack.title" not defined
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   labels:
    ///     team: '{{ .Status | toUpper }}'
    ///               ^^^^^^^ this fails whenever it is expanded: can't evaluate field Status
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations:
    ///     summary: "{{ .Labels.job }} is down"
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations:
    ///     summary: '{{ define "who" }}{{ .job }}{{ end }}{{ template "who" $labels }} is down'
    /// ```
    /// Whether it fails depends on the data:
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations:
    ///     summary: '{{ query "up" | first | value }}'
    /// ```
    "T004" "template-execution" Error, Proven, fix: Never, Rule(look)
}

/// Messages about what is wrong whatever the data are.
const ALWAYS: &[&str] = &[
    "can't evaluate field",
    "not defined",
    "wrong type for value",
    "has arguments but cannot be invoked",
    "is not a method",
    "wrong number of args",
];

fn look(cx: &RuleContext<'_>, report: &mut Report<'_>) {
    for template in templates(cx).filter(|template| !is_simple(&template.text.value)) {
        let trial = cx.set.trial(&template);
        let Err(error) = &*trial else { continue };
        if !ALWAYS.iter().any(|part| error.message().contains(part)) {
            continue;
        }
        // Of `template: NAME:LINE:COLUMN: executing NAME at <…>: what` the last part is for people.
        let message = error.message();
        let what = message.split_once(">: ").map_or(message, |(_, what)| what);
        let what = what.split(" in type struct {").next().unwrap_or_default();
        report
            .at(cx.place(template.text, error.span()), format!("this fails whenever it is expanded: {what}"))
            .help("templates of alerts have `$labels`, `$value`, `$externalLabels` and `$externalURL`");
    }
}
