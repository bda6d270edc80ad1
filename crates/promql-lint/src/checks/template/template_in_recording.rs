//! `template-in-recording` (T014).

use crate::check::declare_check;

declare_check! {
    /// Finds a template in a label of a recording rule.
    ///
    /// ## Why it matters
    /// Labels of recording rules are no templates: the text is stored as it is, with its braces.
    ///
    /// ## Examples
    /// ```yaml bad
    /// - record: job:up:min
    ///   expr: min by (job) (up)
    ///   labels:
    ///     team: "{{ $labels.team }}"
    ///           ^^^^^^^^^^^^^^^^^^^^ labels of recording rules are no templates
    /// ```
    /// ```yaml bad
    /// - record: job:up:min
    ///   expr: min by (job) (up)
    ///   labels:
    ///     value: "{{ $value }}"
    ///            ^^^^^^^^^^^^^^ labels of recording rules are no templates
    /// ```
    /// ```yaml bad
    /// - record: job:up:min
    ///   expr: min by (job) (up)
    ///   labels: {region: '{{ "eu" }}'}
    ///                    ^^^^^^^^^^^^ labels of recording rules are no templates
    /// ```
    /// ```yaml good
    /// - record: job:up:min
    ///   expr: min by (job) (up)
    ///   labels:
    ///     team: core
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   labels:
    ///     team: "{{ $labels.team }}"
    /// ```
    /// ```yaml good
    /// - record: job:up:min
    ///   expr: min by (job) (up)
    ///   labels:
    ///     pattern: "{a} }}"
    /// ```
    "T014" "template-in-recording" Warning, Proven, fix: Never, Elsewhere
}
