//! `field-not-allowed` (E006).

use crate::check::declare_check;

declare_check! {
    /// Finds `for`, `keep_firing_for` or `annotations` in a recording rule.
    ///
    /// ## Why it matters
    /// Prometheus refuses the file. Perhaps `alert` was meant.
    ///
    /// ## Examples
    /// ```yaml bad
    /// - record: job:up:min
    ///   expr: min by (job) (up)
    ///   for: 5m
    ///   ^^^ a recording rule has no `for`
    /// ```
    /// ```yaml bad
    /// - record: job:up:min
    ///   expr: min by (job) (up)
    ///   annotations:
    ///   ^^^^^^^^^^^ a recording rule has no `annotations`
    ///     summary: how much is up
    /// ```
    /// ```yaml bad
    /// - record: job:up:min
    ///   expr: min by (job) (up)
    ///   keep_firing_for: 10m
    ///   ^^^^^^^^^^^^^^^ a recording rule has no `keep_firing_for`
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   for: 5m
    /// ```
    /// ```yaml good
    /// - record: job:up:min
    ///   expr: min by (job) (up)
    ///   labels:
    ///     for: 5m
    /// ```
    /// Prometheus takes a `for` of zero for none:
    /// ```yaml good
    /// - record: job:up:min
    ///   expr: min by (job) (up)
    ///   for: 0s
    /// ```
    "E006" "field-not-allowed" Error, Proven, fix: Never, Elsewhere
}
