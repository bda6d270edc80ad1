//! `variable-undefined` (D007).

use promql_rules::yaml;

use crate::check::declare_check;
use crate::context::TargetContext;
use crate::finding::Report;

declare_check! {
    /// Finds a variable in a query that the dashboard doesn't define.
    ///
    /// ## Why it matters
    /// It is sent to the server as it is written: `up{cluster="$Cluster"}` selects nothing.
    ///
    /// ## Examples
    /// ```json bad
    /// {"templating": {"list": [{"name": "cluster"}]},
    ///  "panels": [{"title": "Up", "targets": [{"expr": "up{cluster=\"$Cluster\"}"}]}]}
    ///                                                                ^^^^^^^^ there is no variable `Cluster`
    /// ```
    /// ```json bad
    /// {"panels": [{"title": "Up", "targets": [{"expr": "up{job=~\"${job:regex}\"}"}]}]}
    ///                                                             ^^^^^^^^^^^^ there is no variable `job`
    /// ```
    /// ```json bad
    /// {"templating": {"list": [{"name": "job"}]},
    ///  "panels": [{"title": "Up", "targets": [{"expr": "rate(requests_total{job=\"$job\"}[$window])"}]}]}
    ///                                                                                     ^^^^^^^ there is no variable `window`
    /// ```
    /// ```json good
    /// {"templating": {"list": [{"name": "cluster"}]},
    ///  "panels": [{"title": "Up", "targets": [{"expr": "up{cluster=\"[[cluster]]\"}"}]}]}
    /// ```
    /// What refers to a group of a pattern is no variable:
    /// ```json good
    /// {"panels": [{"title": "Up", "targets": [
    ///   {"expr": "label_replace(up, \"zone\", \"$1\", \"instance\", \"(.*)-.*\")"}]}]}
    /// ```
    /// ```json good
    /// {"__inputs": [{"name": "DS_PROMETHEUS"}],
    ///  "panels": [{"title": "Up", "targets": [{"expr": "rate(up{job=\"${DS_PROMETHEUS}\"}[$__rate_interval])"}]}]}
    /// ```
    "D007" "variable-undefined" Error, Proven, fix: Never, Target(look)
}

fn look(cx: &TargetContext<'_>, report: &mut Report<'_>) {
    for variable in &cx.target.uses {
        let name = variable.name.as_str();
        // A replacement may refer to a group by its name.
        let is_group = variable.is_text && cx.target.expr.value.contains("label_replace");
        if name.starts_with("__") || is_group || cx.dashboard.variable(name).is_some() {
            continue;
        }
        let known: Vec<&str> = cx.dashboard.variables.iter().map(|known| known.name.as_str()).collect();
        let finding = report.at(cx.place(variable.place.clone()), format!("there is no variable `{name}`"));
        finding.help(match yaml::like(name, &known) {
            Some(like) => format!("did you mean `{like}`?"),
            None => "define it in the settings of the dashboard".to_owned(),
        });
    }
}
