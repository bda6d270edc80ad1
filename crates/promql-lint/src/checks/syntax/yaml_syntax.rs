//! `yaml-syntax` (E002).

use crate::check::declare_check;

declare_check! {
    /// Finds text that is not YAML.
    ///
    /// ## Why it matters
    /// Prometheus refuses the file. The source of a Helm chart is not YAML before Helm has filled it in:
    /// `helm template CHART | promql lint -` looks at what comes out.
    ///
    /// ## Examples
    /// ```yaml bad
    /// groups: [{name: a, rules: [}]}
    ///                           ^ the file is not YAML that can be read: mismatched bracket '[' closed by '}'
    /// ```
    /// ```yaml bad
    /// groups:
    /// 	- name: a
    ///  ^ the file is not YAML that can be read: tabs disallowed within this context (block indentation)
    /// ```
    /// ```yaml bad
    /// groups:
    /// - name: a
    ///   rules:
    ///   - alert: Down
    ///     expr: up{job="shop"}: 0
    ///                         ^ the file is not YAML that can be read: mapping values are not allowed in this context
    /// ```
    /// ```yaml good
    /// groups: [{name: a, rules: []}]
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: 'up{job="a: b"} == 0'
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: |
    ///     up{job="a: b"} == 0
    /// ```
    "E002" "yaml-syntax" Error, Proven, fix: Never, Elsewhere
}
