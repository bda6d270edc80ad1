//! `duplicate-group` (E008).

use crate::check::declare_check;

declare_check! {
    /// Finds two groups of one name in a file.
    ///
    /// ## Why it matters
    /// Prometheus refuses the file.
    ///
    /// ## Examples
    /// ```yaml bad
    /// groups:
    /// - name: node
    ///   rules: []
    /// - name: node
    ///         ^^^^ there is already a group `node` in this file
    ///   rules: []
    /// ```
    /// ```yaml bad
    /// groups:
    /// - name: node
    /// - name: shop
    /// - name: "node"
    ///         ^^^^^^ there is already a group `node` in this file
    /// ```
    /// ```yaml bad
    /// groups: [{name: a}, {name: a}]
    ///                            ^ there is already a group `a` in this file
    /// ```
    /// ```yaml good
    /// groups:
    /// - name: node
    /// - name: Node
    /// ```
    /// The same name in another file is another group:
    /// ```yaml good
    /// # file: a.yml
    /// groups:
    /// - name: node
    /// # file: b.yml
    /// groups:
    /// - name: node
    /// ```
    /// ```yaml good
    /// groups:
    /// - name: node
    /// - name: shop
    /// ```
    "E008" "duplicate-group" Error, Proven, fix: Never, Elsewhere
}
