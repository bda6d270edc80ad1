//! `invalid-name` (E009).

use crate::check::declare_check;

declare_check! {
    /// Finds a name of a metric, a label or an annotation that is none.
    ///
    /// ## Why it matters
    /// Prometheus refuses the file. Braces in a recorded name mean that the expression stands in the wrong
    /// place.
    ///
    /// ## Examples
    /// ```yaml bad
    /// - record: up{job="shop"}
    ///           ^^^^^^^^^^^^^^ `record` is the name of a metric, without braces
    ///   expr: up
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   labels:
    ///     __name__: down
    ///     ^^^^^^^^ a rule can't set the label `__name__`
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   labels:
    ///     "": page
    ///     ^^ the name of a label is empty
    /// ```
    /// ```yaml good
    /// - record: job:up:min
    ///   expr: min by (job) (up)
    /// ```
    /// Names may be any text since Prometheus 3:
    /// ```yaml good
    /// - record: shop.errors
    ///   expr: sum(errors_total)
    /// ```
    /// ```yaml good
    /// - alert: It is down
    ///   expr: up == 0
    /// ```
    "E009" "invalid-name" Error, Proven, fix: Never, Elsewhere
}
