//! `baseline-stale` (H006).

use crate::check::declare_check;

declare_check! {
    /// Finds entries of the baseline whose finding is not there any more. Nothing is said about files that the run
    /// doesn't look at, about checks that don't look, and about what a server said.
    ///
    /// ## Why it matters
    /// What was mended may come back, and nobody would be told.
    ///
    /// `--fix` and `--prune-baseline` take such entries out. `severity = { baseline-stale = "error" }` keeps a
    /// baseline from being out of date.
    ///
    /// ## Examples
    /// ```yaml bad
    /// # file: shop.yml
    /// - alert: Down
    ///   expr: up == 0
    /// # file: known.toml
    /// [findings]
    /// 0f0f0f0f0f0f0f0f = "shop.yml: for-zero: Down"
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this is not found any more: shop.yml: for-zero: Down
    /// ```
    /// ```yaml fixed
    /// # file: shop.yml
    /// - alert: Down
    ///   expr: up == 0
    /// # file: known.toml
    /// [findings]
    /// ```
    /// ```yaml bad
    /// # file: shop.yml
    /// - alert: Down
    ///   expr: up == 0
    ///   for: 5m
    /// # file: known.toml
    /// # All that was found in May.
    /// [findings]
    /// "0f0f0f0f0f0f0f0f" = "shop.yml: for-zero: Up"    # is gone
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this is not found any more: shop.yml: for-zero: Up
    /// ```
    /// ```yaml fixed
    /// # file: shop.yml
    /// - alert: Down
    ///   expr: up == 0
    ///   for: 5m
    /// # file: known.toml
    /// # All that was found in May.
    /// [findings]
    /// ```
    /// ```yaml bad
    /// # file: shop.yml
    /// - alert: Down
    ///   expr: up == 0
    ///   for: 0s
    /// # file: known.toml
    /// [findings]
    /// 0f0f0f0f0f0f0f0f = "shop.yml: for-zero: Down"
    /// 0f0f0f0f0f0f0f0e = "shop.yml: for-zero: Down"
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this is not found any more: shop.yml: for-zero: Down
    /// ```
    /// ```yaml fixed
    /// # file: shop.yml
    /// - alert: Down
    ///   expr: up == 0
    ///   for: 0s
    /// # file: known.toml
    /// [findings]
    /// 0f0f0f0f0f0f0f0f = "shop.yml: for-zero: Down"
    /// ```
    /// What is written at the place has changed, which is no news:
    /// ```yaml good
    /// # file: shop.yml
    /// - alert: Down
    ///   expr: up == 0
    ///   for: 0s
    /// # file: known.toml
    /// [findings]
    /// 0f0f0f0f0f0f0f0f = "shop.yml: for-zero: Down"
    /// ```
    /// The file is not looked at here:
    /// ```yaml good
    /// # file: shop.yml
    /// - alert: Down
    ///   expr: up == 0
    /// # file: known.toml
    /// [findings]
    /// 0f0f0f0f0f0f0f0f = "other.yml: for-zero: Down"
    /// ```
    /// The check doesn't look here:
    /// ```yaml good
    /// # file: shop.yml
    /// - alert: Down
    ///   expr: up == 0
    /// # file: known.toml
    /// [findings]
    /// 0f0f0f0f0f0f0f0f = "shop.yml: regex-literal: Down"
    /// ```
    "H006" "baseline-stale" Info, Proven, fix: Safe, Elsewhere
}
