//! `promql-type` (E012).

use crate::check::declare_check;

declare_check! {
    /// Finds an expression whose types don't fit: an instant vector where a range vector belongs, two numbers
    /// compared without `bool`, too few arguments; and a rule whose result is a range vector or a text.
    ///
    /// ## Why it matters
    /// Prometheus refuses the file, or each evaluation of the rule fails.
    ///
    /// ## Examples
    /// ```promql bad
    /// rate(errors_total) > 1
    ///      ^^^^^^^^^^^^ expected type range vector in call to function "rate", got instant vector
    /// ```
    /// ```promql bad
    /// 1 > 2
    ///   ^ comparisons between scalars must use BOOL modifier
    /// ```
    /// ```promql bad
    /// errors_total[5m]
    ///     ^ warning: the result of a rule is an instant vector, not a range vector
    /// ```
    /// ```promql bad
    /// up and 1
    /// ^^^^^^^^ set operator "and" not allowed in binary scalar expression
    /// ```
    /// ```promql good
    /// rate(errors_total[5m]) > 1
    /// ```
    /// ```promql good
    /// 1 > bool 2
    /// ```
    /// A number is the result of a rule as well as a vector:
    /// ```promql good
    /// time() - 3600
    /// ```
    "E012" "promql-type" Error, Proven, fix: Never, Elsewhere
}
