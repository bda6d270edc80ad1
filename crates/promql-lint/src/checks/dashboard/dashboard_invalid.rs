//! `dashboard-invalid` (D001).

use std::ops::Range;

use promql_rules::format::format_dashboard;
use promql_rules::yaml;

use crate::check::declare_check;

declare_check! {
    /// Finds a file with the ending `.json` that is neither a dashboard nor a rule file.
    ///
    /// ## Why it matters
    /// Grafana doesn't load it: the dashboard that somebody opens during an incident is the old one, or none.
    ///
    /// A dashboard is an object with `panels` or `rows`, perhaps below `dashboard`, as the API has it. Keys that
    /// aren't known are no matter.
    ///
    /// ## Examples
    /// ```json bad
    /// [{"title": "Shop"}]
    /// ^ a dashboard is an object, `{…}`
    /// ```
    /// ```json bad
    /// {"title": "Shop", "refresh": "1m"}
    /// ^ this is no dashboard: it has neither `panels` nor `rows`
    /// ```
    /// ```json bad
    /// {"title": "Shop", "panels": [{"title": "Requests"},]}
    ///                                                    ^ the file is no JSON: expected value at line 1 column 52
    /// ```
    /// ```json good
    /// {"title": "Shop", "panels": []}
    /// ```
    /// ```json good
    /// {"dashboard": {"title": "Shop", "rows": []}, "folderId": 3}
    /// ```
    /// JSON is YAML, so this is a rule file:
    /// ```json good
    /// {"groups": [{"name": "shop", "rules": [{"record": "job:up:sum", "expr": "sum by (job) (up)"}]}]}
    /// ```
    "D001" "dashboard-invalid" Error, Proven, fix: Never, Elsewhere
}

/// The keys of files that are something else: rules, manifests, dashboards of the newest layout.
const OTHERS: &[&str] = &["groups", "namespaces", "kind", "apiVersion", "spec", "elements", "layout"];

/// What is wrong with a file that should be a dashboard, and where. Nothing if it may be something else.
pub(crate) fn judge(name: &str, text: &str) -> Option<(Range<usize>, String)> {
    let is_named_so = name.to_ascii_lowercase().ends_with(".json");
    if !is_named_so || text.trim().is_empty() {
        return None;
    }
    let stream = yaml::parse(text);
    let root = stream.documents.first().and_then(|document| document.root.as_ref());
    if root.is_some_and(|root| OTHERS.iter().any(|key| root.get(key).is_some())) {
        return None;
    }
    let start = text.len() - text.trim_start().len();
    let first = start..start + text[start..].chars().next().map_or(0, char::len_utf8);
    if !text[start..].starts_with('{') {
        return Some((first, "a dashboard is an object, `{…}`".to_owned()));
    }
    match format_dashboard(text, &Default::default()) {
        Err(findings) => {
            let first = findings.into_iter().next()?;
            Some((first.span, first.message))
        }
        Ok(_) => Some((first, "this is no dashboard: it has neither `panels` nor `rows`".to_owned())),
    }
}
