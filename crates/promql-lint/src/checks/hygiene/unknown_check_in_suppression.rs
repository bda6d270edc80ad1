//! `unknown-check-in-suppression` (H002).

use crate::check::declare_check;

declare_check! {
    /// Finds a comment that names no check.
    ///
    /// ## Why it matters
    /// It silences nothing.
    ///
    /// ## Examples
    /// ```yaml bad
    /// # promql: ignore[regex-litteral]
    ///                  ^^^^^^^^^^^^^^ no check is called `regex-litteral`
    /// - alert: Down
    ///   expr: up{job=~"shop"} == 0
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0  # promql: ignore[M999] for now
    ///                                   ^^^^ no check is called `M999`
    /// ```
    /// ```yaml bad
    /// # promql: ignore-file[matchers]
    ///                       ^^^^^^^^ no check is called `matchers`
    /// groups: []
    /// ```
    /// ```yaml good
    /// # promql: ignore[M001]
    /// - alert: Down
    ///   expr: up{job=~"shop"} == 0
    /// ```
    /// ```yaml good
    /// # promql: ignore[matcher, A] all of these
    /// - alert: Down
    ///   expr: up == 0
    /// ```
    /// ```yaml good
    /// # promql is a toolkit: ignore[nothing]
    /// - alert: Down
    ///   expr: up == 0
    /// ```
    "H002" "unknown-check-in-suppression" Warning, Proven, fix: Never, Elsewhere
}
