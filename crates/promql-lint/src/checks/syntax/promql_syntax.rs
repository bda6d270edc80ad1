//! `promql-syntax` (E011).

use crate::check::declare_check;

declare_check! {
    /// Finds an expression that can't be parsed.
    ///
    /// ## Why it matters
    /// Prometheus refuses the whole file, all its other rules too.
    ///
    /// ## Examples
    /// ```promql bad
    /// rate(errors_total[5m]) => 1
    ///                        ^ unexpected "="
    /// ```
    /// ```promql bad
    /// sum(errors_total)[5m]
    ///                  ^^^^ ranges only allowed for vector selectors
    /// ```
    /// ```promql bad
    /// rat(errors_total[5m]) > 1
    /// ^^^ unknown function with name "rat"
    /// ```
    /// ```promql good
    /// rate(errors_total[5m]) >= 1
    /// ```
    /// ```promql good
    /// max_over_time(sum(errors_total)[5m:])
    /// ```
    /// ```promql good
    /// sum by (job) (rate(errors_total[5m])) > 1
    /// ```
    "E011" "promql-syntax" Error, Proven, fix: Never, Elsewhere
}
