//! `incomplete-rule` (E005).

use crate::check::declare_check;

declare_check! {
    /// Finds a rule without an expression, without a name or with two, and a group without a name.
    ///
    /// ## Why it matters
    /// Prometheus refuses the file.
    ///
    /// ## Examples
    /// ```yaml bad
    /// - alert: Down
    ///   ^^^^^^^^^^^ a rule needs an expression
    ///   labels:
    ///     severity: page
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   record: job:up:min
    ///   ^^^^^^ a rule records or alerts, not both
    ///   expr: up == 0
    /// ```
    /// ```yaml bad
    /// groups:
    /// - rules:
    ///   ^^^^^^ a group needs a name
    ///   - expr: up
    ///     ^^^^^^^^ a rule needs a name
    /// ```
    /// ```yaml good
    /// - record: job:up:min
    ///   expr: min by (job) (up)
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    /// ```
    /// ```yaml good
    /// groups:
    /// - name: nothing yet
    /// ```
    "E005" "incomplete-rule" Error, Proven, fix: Never, Elsewhere
}
