//! `invalid-regex` (E013).

use crate::check::declare_check;

declare_check! {
    /// Finds a regular expression that Prometheus doesn't read, which has the syntax of RE2.
    ///
    /// ## Why it matters
    /// Prometheus refuses the file. RE2 has neither look-around nor back-references; a second matcher with `!~`
    /// often says the same as `(?!…)`.
    ///
    /// ## Examples
    /// ```promql bad
    /// up{job=~"(?!shop).*"} == 0
    ///    ^^^^^^^^^^^^^^^^^ error parsing regexp: invalid or unsupported Perl syntax: `(?!`
    /// ```
    /// ```promql bad
    /// up{job=~"shop("} == 0
    ///    ^^^^^^^^^^^^ error parsing regexp: missing closing ): `shop(`
    /// ```
    /// ```promql bad
    /// up{job=~"*shop"} == 0
    ///    ^^^^^^^^^^^^ error parsing regexp: missing argument to repetition operator: `*`
    /// ```
    /// ```promql good
    /// up{job!~"shop.*", job!=""} == 0
    /// ```
    /// ```promql good
    /// up{job=~"(?i)shop"} == 0
    /// ```
    /// ```promql good
    /// up{job=~"shop\\("} == 0
    /// ```
    "E013" "invalid-regex" Error, Proven, fix: Never, Elsewhere
}
