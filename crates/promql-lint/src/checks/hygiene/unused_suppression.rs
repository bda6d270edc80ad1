//! `unused-suppression` (H001).

use crate::check::declare_check;

declare_check! {
    /// Finds a comment that silences nothing, though the check that it names looks.
    ///
    /// ## Why it matters
    /// What it was about is mended. Left where it is, it would hide the next finding.
    ///
    /// ## Examples
    /// ```yaml bad
    /// # promql: ignore[for-zero] the generator writes it
    ///                  ^^^^^^^^ `for-zero` silences nothing here
    /// - alert: Down
    ///   expr: up == 0
    /// ```
    /// ```yaml fixed
    /// - alert: Down
    ///   expr: up == 0
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0  # promql: ignore[A006]
    ///                                   ^^^^ `A006` silences nothing here
    ///   for: 5m
    /// ```
    /// ```yaml fixed
    /// - alert: Down
    ///   expr: up == 0
    ///   for: 5m
    /// ```
    /// ```yaml bad
    /// # promql: off[syntax]
    ///               ^^^^^^ `syntax` silences nothing here
    /// - alert: Down
    ///   expr: up == 0
    /// # promql: on[syntax]
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   # a remark about promql: ignore it
    ///   for: 5m
    /// ```
    /// Nobody knows whether it would silence something, as the check doesn't look:
    /// ```yaml good
    /// # promql: ignore[regex-literal]
    /// - alert: Down
    ///   expr: up == 0
    /// ```
    /// ```yaml good
    /// # promql: ignore[for-zero]
    /// - alert: Down
    ///   expr: up == 0
    ///   for: 0s
    /// ```
    "H001" "unused-suppression" Warning, Proven, fix: Safe, Elsewhere
}
