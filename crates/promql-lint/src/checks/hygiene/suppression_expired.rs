//! `suppression-expired` (H004).

use crate::check::declare_check;

declare_check! {
    /// Finds a comment with `until=` and a day that has passed. The findings that it silenced are told again.
    ///
    /// ## Why it matters
    /// Who wrote it meant to have mended it by then.
    ///
    /// ## Examples
    /// ```yaml bad
    /// # promql: ignore[for-zero] waits for the new generator until=2020-01-31
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the day of this comment has passed
    /// - alert: Down
    ///   expr: up == 0
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0  # promql: ignore[A006] until=2020-01-31
    ///                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the day of this comment has passed
    /// ```
    /// ```yaml bad
    /// # promql: ignore-file[matcher] until=2021-12-31
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the day of this comment has passed
    /// groups: []
    /// ```
    /// ```yaml good
    /// # promql: ignore[for-zero] waits for the new generator until=9999-01-31
    /// - alert: Down
    ///   expr: up == 0
    /// ```
    /// ```yaml good
    /// # promql: ignore[for-zero] until further notice
    /// - alert: Down
    ///   expr: up == 0
    /// ```
    /// ```yaml good
    /// # until=2020-01-31
    /// - alert: Down
    ///   expr: up == 0
    /// ```
    "H004" "suppression-expired" Warning, Proven, fix: Never, Elsewhere
}
