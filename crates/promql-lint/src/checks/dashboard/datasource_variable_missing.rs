//! `datasource-variable-missing` (D006).

use crate::check::declare_check;
use crate::context::RuleSet;
use crate::finding::Report;

declare_check! {
    /// Finds a dashboard with queries for Prometheus and no variable for the data source.
    ///
    /// ## Why it matters
    /// It can show one Prometheus only. With two of them, one for each region say, somebody copies the dashboard,
    /// and from then on one of the copies is out of date.
    ///
    /// ## Examples
    /// ```json bad
    /// {"title": "Shop", "panels": [{"title": "Up", "targets": [{"expr": "up"}]}]}
    ///           ^^^^^^ this dashboard has no variable for the data source
    /// ```
    /// ```json bad
    /// {"title": "Shop", "templating": {"list": [{"name": "job", "type": "query", "query": "label_values(up, job)"}]},
    ///           ^^^^^^ this dashboard has no variable for the data source
    ///  "panels": [{"title": "Up", "targets": [{"expr": "up{job=\"$job\"}"}]}]}
    /// ```
    /// ```json bad
    /// {"dashboard": {"title": "Shop", "rows": [{"panels": [{"title": "Up", "targets": [{"expr": "up"}]}]}]}}
    ///                         ^^^^^^ this dashboard has no variable for the data source
    /// ```
    /// ```json good
    /// {"title": "Shop", "templating": {"list": [{"name": "source", "type": "datasource", "query": "prometheus"}]},
    ///  "panels": [{"title": "Up", "targets": [{"expr": "up"}]}]}
    /// ```
    /// It is asked for when the dashboard is imported:
    /// ```json good
    /// {"title": "Shop", "__inputs": [{"name": "DS_MAIN", "type": "datasource", "pluginId": "prometheus"}],
    ///  "panels": [{"title": "Up", "targets": [{"expr": "up"}]}]}
    /// ```
    /// Nothing in it is for Prometheus:
    /// ```json good
    /// {"title": "Shop", "panels": [{"title": "Logs", "datasource": {"type": "loki"}, "targets": [{"expr": "{a=\"b\"}"}]}]}
    /// ```
    "D006" "datasource-variable-missing" Info, Proven, fix: Never, Set(look)
}

fn look(set: &RuleSet<'_>, report: &mut Report<'_>) {
    for (number, file) in set.files.iter().enumerate() {
        let Some(dashboard) = &file.dashboard else { continue };
        let has_variable = dashboard.variables.iter().any(|variable| variable.kind == "datasource");
        if dashboard.targets.is_empty() || has_variable {
            continue;
        }
        let title = file.rules.groups.first().map(|group| &group.name);
        let place = title.map_or(0..0, |title| title.span.clone());
        report
            .in_file(number, None, place, "this dashboard has no variable for the data source")
            .help("add one of the type `datasource`, and use it in the panels: `${datasource}`");
    }
}
