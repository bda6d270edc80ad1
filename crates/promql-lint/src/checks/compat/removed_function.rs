//! V001

use crate::check::declare_check;

declare_check! {
    /// Finds a function that Prometheus 3 doesn't have any more: `holt_winters`, which is called
    /// `double_exponential_smoothing` now and needs the feature `promql-experimental-functions`.
    ///
    /// ## Why it matters
    /// A server of version 3 refuses the whole file.
    ///
    /// ## Examples
    /// ```promql bad
    /// holt_winters(queue_length[10m], 0.5, 0.5) > 100
    /// ^^^^^^^^^^^^ unknown function with name "holt_winters"
    /// ```
    /// ```promql bad
    /// sum(holt_winters(queue_length[1h], 0.3, 0.1))
    ///     ^^^^^^^^^^^^ unknown function with name "holt_winters"
    /// ```
    /// ```promql bad
    /// avg_over_time(holt_winters(queue_length[1h], 0.3, 0.1)[1d:1h])
    ///               ^^^^^^^^^^^^ unknown function with name "holt_winters"
    /// ```
    /// ```promql good
    /// double_exponential_smoothing(queue_length[10m], 0.5, 0.5) > 100
    /// ```
    /// ```promql good
    /// predict_linear(queue_length[10m], 60) > 100
    /// ```
    /// A metric may be called so:
    /// ```promql good
    /// holt_winters > 100
    /// ```
    "V001" "removed-function" Error, Proven, fix: Never, Elsewhere
}

/// Whether the reader speaks of such a function.
pub(crate) fn is_one(message: &str) -> bool {
    message.contains("holt_winters")
}
