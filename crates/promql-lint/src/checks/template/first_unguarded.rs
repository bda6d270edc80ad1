//! `first-unguarded` (T013).

use crate::check::declare_check;
use crate::context::RuleContext;
use crate::finding::Report;
use crate::templates::{Answers, expand, templates};

declare_check! {
    /// Finds `first` of the result of a query, where nothing makes sure that there is one.
    ///
    /// ## Why it matters
    /// When the query finds nothing, the whole label or annotation becomes an error message.
    ///
    /// ## Examples
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations:
    ///     summary: '{{ query "up" | first | value }}'
    ///                               ^^^^^ this fails when the query finds nothing
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations:
    ///     summary: '{{ $n := query "sum(up)" | first | value }}{{ $n }} are up'
    ///                                          ^^^^^ this fails when the query finds nothing
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations:
    ///     summary: '{{ if true }}{{ (query "up" | first).Labels.job }}{{ end }}'
    ///                                             ^^^^^ this fails when the query finds nothing
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations:
    ///     summary: '{{ with query "up" }}{{ . | first | value }}{{ end }}'
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations:
    ///     summary: '{{ range query "up" }}{{ .Value }}{{ end }}'
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations:
    ///     summary: '{{ if query "up" }}{{ query "up" | first | value }}{{ end }}'
    /// ```
    "T013" "first-unguarded" Warning, Proven, fix: Never, Rule(look)
}

fn look(cx: &RuleContext<'_>, report: &mut Report<'_>) {
    for template in templates(cx) {
        if !template.text.value.contains("first") {
            continue;
        }
        let Err(error) = expand(&template, &mut Answers::none()) else { continue };
        if error.message().contains("first() called on vector with no elements") {
            report
                .at(cx.place(template.text, error.span()), "this fails when the query finds nothing")
                .help("put it into `{{ with query … }}{{ . | first | value }}{{ end }}`");
        }
    }
}
