//! `annotation-url` (T017).

use crate::check::declare_check;
use crate::context::RuleContext;
use crate::finding::Report;

declare_check! {
    /// Finds annotations whose names end in `_url`, but which are no absolute URLs. What begins with a template
    /// may be anything, and an empty one is left alone.
    ///
    /// ## Why it matters
    /// Whoever is called can't follow the link.
    ///
    /// ## Examples
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations: {runbook_url: "runbooks/{{ $labels.job }}"}
    ///                              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the annotation `runbook_url` is no absolute URL
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations: {dashboard_url: "grafana.example.com/d/shop"}
    ///                                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the annotation `dashboard_url` is no absolute URL
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations:
    ///     runbook_url: to be written
    ///                  ^^^^^^^^^^^^^ the annotation `runbook_url` is no absolute URL
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations: {runbook_url: "https://example.com/{{ $labels.job }}"}
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations: {runbook_url: "{{ $externalURL }}/runbooks"}
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations: {runbook: "runbooks/down"}
    /// ```
    /// The scheme is a template:
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations: {dashboard_url: "http{{ if true }}s{{ end }}://example.com"}
    /// ```
    "T017" "annotation-url" Warning, Proven, fix: Never, Rule(look)
}

fn look(cx: &RuleContext<'_>, report: &mut Report<'_>) {
    for (name, value) in &cx.rule.annotations {
        if !name.value.ends_with("_url") || is_url(value.value.trim()) {
            continue;
        }
        report
            .at(value.span.clone(), format!("the annotation `{}` is no absolute URL", name.value))
            .help("begin it with `https://` and a host");
    }
}

/// Whether a text is an absolute URL, or may be one after its templates are filled in.
fn is_url(text: &str) -> bool {
    let plain = text.split("{{").next().unwrap_or_default();
    let has_template = plain.len() < text.len();
    match plain.split_once(':') {
        Some((scheme, rest)) => is_scheme(scheme) && (rest.starts_with("//") || scheme == "mailto"),
        None => plain.is_empty() || has_template && is_scheme(plain),
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}
