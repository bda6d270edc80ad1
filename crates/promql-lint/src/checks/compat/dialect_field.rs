//! `dialect-field` (V009).

use crate::check::declare_check;

declare_check! {
    /// Finds a key that another system than Prometheus reads: Thanos, Mimir, vmalert.
    ///
    /// ## Why it matters
    /// The file is read as that system's. A Prometheus server would refuse it. `--dialect` says whose files they
    /// are; then there is no remark.
    ///
    /// ## Examples
    /// ```yaml bad
    /// groups:
    /// - name: a
    ///   source_tenants: [shop]
    ///   ^^^^^^^^^^^^^^ read as a file of Mimir, which has the key `source_tenants`
    ///   rules: []
    /// ```
    /// ```yaml bad
    /// groups:
    /// - name: a
    ///   partial_response_strategy: warn
    ///   ^^^^^^^^^^^^^^^^^^^^^^^^^ read as a file of Thanos, which has the key `partial_response_strategy`
    ///   rules: []
    /// ```
    /// ```yaml bad
    /// groups:
    /// - name: a
    ///   concurrency: 3
    ///   ^^^^^^^^^^^ read as a file of vmalert, which has the key `concurrency`
    ///   rules: []
    /// ```
    /// ```yaml good
    /// groups:
    /// - name: a
    ///   rules: []
    /// ```
    /// ```yaml good
    /// groups:
    /// - name: a
    ///   query_offset: 1m
    ///   rules: []
    /// ```
    /// ```yaml good
    /// groups:
    /// - name: a
    ///   labels:
    ///     concurrency: "3"
    /// ```
    "V009" "dialect-field" Info, Proven, fix: Never, Elsewhere
}
