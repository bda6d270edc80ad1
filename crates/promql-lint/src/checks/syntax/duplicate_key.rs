//! `duplicate-key` (E007).

use crate::check::declare_check;

declare_check! {
    /// Finds a key that its mapping has already.
    ///
    /// ## Why it matters
    /// Prometheus refuses the file. Where a program reads it that doesn't, one of the values is lost.
    ///
    /// ## Examples
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   labels:
    ///     team: shop
    ///     team: cart
    ///     ^^^^ the key `team` is already there, in line 7
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   expr: up == 1
    ///   ^^^^ the key `expr` is already there, in line 5
    /// ```
    /// ```yaml bad
    /// groups: []
    /// groups: []
    /// ^^^^^^ the key `groups` is already there, in line 1
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   labels:
    ///     team: shop
    ///   annotations:
    ///     team: shop
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    /// - alert: Down
    ///   expr: up == 1
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   labels:
    ///     team: shop
    ///     Team: shop
    /// ```
    "E007" "duplicate-key" Error, Proven, fix: Never, Elsewhere
}
