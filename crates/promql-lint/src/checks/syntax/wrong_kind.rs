//! `wrong-kind` (E015).

use crate::check::declare_check;

declare_check! {
    /// Finds a value of the wrong kind: a list where a mapping belongs, a mapping where a text belongs, an empty
    /// item of a list, a number that is not allowed.
    ///
    /// ## Why it matters
    /// The server that the file is for refuses it.
    ///
    /// ## Examples
    /// ```yaml bad
    /// groups:
    ///   name: a
    ///   ^^^^^^^ expected a list of groups, found a mapping
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: [up == 0]
    ///         ^^^^^^^^^ expected a text, found a list
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   labels: page
    ///           ^^^^ expected a mapping of names to texts, found a text
    /// ```
    /// ```yaml good
    /// groups:
    /// - name: a
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: 1
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   labels:
    /// ```
    "E015" "wrong-kind" Error, Proven, fix: Never, Elsewhere
}
