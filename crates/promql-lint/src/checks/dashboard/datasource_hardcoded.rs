//! `datasource-hardcoded` (D005).

use crate::check::declare_check;
use crate::context::RuleSet;
use crate::dashboard::Source;
use crate::finding::Report;

declare_check! {
    /// Finds a dashboard that names a data source of one Grafana.
    ///
    /// ## Why it matters
    /// Imported elsewhere, or after the data source was set up anew, its panels say "data source not found". A
    /// variable of the type `datasource` lets whoever looks choose one.
    ///
    /// ## Examples
    /// ```json bad
    /// {"panels": [{"title": "Up", "datasource": {"type": "prometheus", "uid": "P1809F7CD0C75ACF3"},
    ///                                                                         ^^^^^^^^^^^^^^^^^^^ the data source `P1809F7CD0C75ACF3` is one of this Grafana only
    ///   "targets": [{"expr": "up"}]}]}
    /// ```
    /// ```json bad
    /// {"panels": [{"title": "Up", "datasource": "Prometheus", "targets": [{"expr": "up"}]}]}
    ///                                           ^^^^^^^^^^^^ the data source `Prometheus` is one of this Grafana only
    /// ```
    /// ```json bad
    /// {"templating": {"list": [{"name": "job", "type": "query", "query": "label_values(job)",
    ///   "datasource": {"uid": "main"}}]}, "panels": []}
    ///                         ^^^^^^ the data source `main` is one of this Grafana only
    /// ```
    /// ```json good
    /// {"panels": [{"title": "Up", "datasource": {"uid": "${datasource}"}, "targets": [{"expr": "up"}]}]}
    /// ```
    /// What Grafana itself brings along is there everywhere:
    /// ```json good
    /// {"annotations": {"list": [{"datasource": {"type": "grafana", "uid": "-- Grafana --"}}]},
    ///  "panels": [{"title": "Up", "datasource": {"uid": "-- Mixed --"},
    ///   "targets": [{"expr": "up", "datasource": {"uid": "$datasource"}}]}]}
    /// ```
    /// ```json good
    /// {"panels": [{"title": "Up", "datasource": null, "targets": [{"expr": "up", "datasource": "default"}]}]}
    /// ```
    "D005" "datasource-hardcoded" Warning, Proven, fix: Never, Set(look)
}

/// Names that stand for something in every Grafana.
const EVERYWHERE: &[&str] = &["default", "grafana", "__expr__", "dashboard", "mixed", "expression"];

fn look(set: &RuleSet<'_>, report: &mut Report<'_>) {
    for (number, file) in set.files.iter().enumerate() {
        let Some(dashboard) = &file.dashboard else { continue };
        let mut told: Vec<&str> = Vec::new();
        for source in dashboard.sources.iter().filter(|source| is_of_one_grafana(source)) {
            if told.contains(&source.name.as_str()) {
                continue;
            }
            told.push(&source.name);
            let same = dashboard.sources.iter().filter(|other| other.name == source.name).count();
            let message = format!("the data source `{}` is one of this Grafana only", source.name);
            let finding = report.in_file(number, None, source.place.clone(), message);
            if same > 1 {
                finding.label(format!("and at {} other places", same - 1));
            }
            finding.help("use a variable of the type `datasource`: `${datasource}`");
        }
    }
}

fn is_of_one_grafana(source: &Source) -> bool {
    let name = source.name.to_lowercase();
    let is_variable = name.contains('$') || name.contains("[[");
    let is_special = name.starts_with("-- ") || EVERYWHERE.contains(&name.as_str());
    !is_variable && !is_special && !name.is_empty()
}
