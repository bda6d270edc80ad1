//! `extra-document` (E014).

use crate::check::declare_check;

declare_check! {
    /// Finds a second document in a rule file.
    ///
    /// ## Why it matters
    /// Prometheus reads the first document and passes over the rest without a word, so the rules there never
    /// run. Of Kubernetes manifests all documents are read.
    ///
    /// ## Examples
    /// ```yaml bad
    /// groups:
    /// - name: a
    /// ---
    /// ^^^ only the first document of a rule file is used
    /// groups:
    /// - name: b
    /// ```
    /// ```yaml bad
    /// ---
    /// groups: []
    /// ---
    /// ^^^ only the first document of a rule file is used
    /// groups: []
    /// ```
    /// ```yaml bad
    /// groups: []
    /// ...
    /// ---
    /// ^^^ only the first document of a rule file is used
    /// # nothing
    /// ```
    /// ```yaml good
    /// ---
    /// groups:
    /// - name: a
    /// ```
    /// ```yaml good
    /// groups:
    /// - name: a
    /// ...
    /// ```
    /// ```yaml good
    /// apiVersion: monitoring.coreos.com/v1
    /// kind: PrometheusRule
    /// spec:
    ///   groups: []
    /// ---
    /// apiVersion: monitoring.coreos.com/v1
    /// kind: PrometheusRule
    /// spec:
    ///   groups: []
    /// ```
    "E014" "extra-document" Warning, Proven, fix: Never, Elsewhere
}
