//! `invalid-duration` (E010).

use crate::check::declare_check;

declare_check! {
    /// Finds a duration that is none: `5min`, `1.5h`, units out of order.
    ///
    /// ## Why it matters
    /// Prometheus refuses the file.
    ///
    /// ## Examples
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   for: 5min
    ///        ^^^^ `5min` is no duration
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   for: 1m1h
    ///        ^^^^ `1m1h` is no duration
    /// ```
    /// ```yaml bad
    /// groups:
    /// - name: a
    ///   interval: 1.5h
    ///             ^^^^ `1.5h` is no duration
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   for: 1h1m
    /// ```
    /// ```yaml good
    /// groups:
    /// - name: a
    ///   interval: 90s
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   for: 1w
    /// ```
    "E010" "invalid-duration" Error, Proven, fix: Never, Elsewhere
}
