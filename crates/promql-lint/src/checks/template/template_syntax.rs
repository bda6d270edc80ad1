//! `template-syntax` (T003).

use crate::check::declare_check;

declare_check! {
    /// Finds a template of a label or an annotation that can't be read.
    ///
    /// ## Why it matters
    /// Prometheus refuses the whole file.
    ///
    /// ## Examples
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations:
    ///     summary: "{{ $labels.foo-bar }} is down"
    ///                             ^ the template of the annotation `summary` can't be read
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations:
    ///     summary: "{{ $value | humanise }}"
    ///                           ^^^^^^^^ the template of the annotation `summary` can't be read
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations:
    ///     summary: "{{ $label.job }} is down"
    ///                  ^^^^^^ the template of the annotation `summary` can't be read
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations:
    ///     summary: '{{ index $labels "foo-bar" }} is down'
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations:
    ///     summary: "{{ $value | humanize }}"
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations:
    ///     summary: "{{ .Labels.job }} is down"
    /// ```
    "T003" "template-syntax" Error, Proven, fix: Never, Elsewhere
}
