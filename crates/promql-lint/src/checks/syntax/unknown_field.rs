//! `unknown-field` (E003).

use crate::check::declare_check;

declare_check! {
    /// Finds a key that nobody reads at its place: of the file, of a group, of a rule.
    ///
    /// ## Why it matters
    /// Prometheus refuses the file. Often the key is misspelt, or belongs one level deeper.
    ///
    /// ## Examples
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   summary: it is down
    ///   ^^^^^^^ a rule has no key `summary`
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   annotation:
    ///   ^^^^^^^^^^ a rule has no key `annotation`
    ///     summary: it is down
    /// ```
    /// ```yaml bad
    /// group:
    /// ^^^^^ a rule file has no key `group`
    /// - name: a
    /// groups: []
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations:
    ///     summary: it is down
    /// ```
    /// Keys of other systems are the matter of `dialect-field`:
    /// ```yaml good
    /// groups:
    /// - name: a
    ///   source_tenants: [shop]
    ///   rules: []
    /// ```
    /// ```yaml good
    /// groups:
    /// - name: a
    ///   labels:
    ///     annotation: a label may be called so
    ///   rules: []
    /// ```
    "E003" "unknown-field" Error, Proven, fix: Never, Elsewhere
}
