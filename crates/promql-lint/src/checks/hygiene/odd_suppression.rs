//! `odd-suppression` (H005).

use crate::check::declare_check;

declare_check! {
    /// Finds a comment for the linter that does nothing, or more than it says: a word that there is not, no check
    /// in brackets, one about the file below the first group.
    ///
    /// ## Why it matters
    /// A finding that should be silent isn't, or one that should be told is silent.
    ///
    /// ## Examples
    /// ```yaml bad
    /// # promql: ignore
    /// ^^^^^^^^^^^^^^^^ this comment names no check
    /// - alert: Down
    ///   expr: up == 0
    /// ```
    /// ```yaml bad
    /// # promql: disable[for-zero]
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^ `disable` is no word for the linter
    /// - alert: Down
    ///   expr: up == 0
    /// ```
    /// ```yaml bad
    /// groups:
    /// - name: a
    ///   rules: []
    ///   # promql: ignore-file[for-zero]
    ///   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this comment is about the file, but stands within a group
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    /// # promql: on[for-zero]
    /// ^^^^^^^^^^^^^^^^^^^^^^ `for-zero` is not off here
    /// ```
    /// ```yaml good
    /// # promql: ignore[for-zero]
    /// - alert: Down
    ///   expr: up == 0
    /// ```
    /// ```yaml good
    /// # pint disable alerts/for
    /// - alert: Down
    ///   expr: up == 0
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations:
    ///     summary: "write #promql to us"
    /// ```
    "H005" "odd-suppression" Warning, Proven, fix: Never, Elsewhere
}
