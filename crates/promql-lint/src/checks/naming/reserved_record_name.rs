//! `reserved-record-name` (N006).

use promql_rules::rule_file::RuleKind;

use crate::check::declare_check;
use crate::context::RuleContext;
use crate::finding::Report;

declare_check! {
    /// Finds a recorded metric that has the name of one that the server writes itself: `up`, `ALERTS`,
    /// `ALERTS_FOR_STATE`, `scrape_…`.
    ///
    /// ## Why it matters
    /// The series of the rule and those of the server get mixed up; where their labels are equal, samples are
    /// lost.
    ///
    /// ## Examples
    /// ```yaml bad
    /// - record: up
    ///           ^^ the server writes `up` itself
    ///   expr: probe_success
    /// ```
    /// ```yaml bad
    /// - record: ALERTS
    ///           ^^^^^^ the server writes `ALERTS` itself
    ///   expr: sum by (alertname) (ALERTS)
    /// ```
    /// ```yaml bad
    /// - record: scrape_duration_seconds
    ///           ^^^^^^^^^^^^^^^^^^^^^^^ the server writes `scrape_duration_seconds` itself
    ///   expr: avg(scrape_duration_seconds)
    /// ```
    /// ```yaml good
    /// - record: job:up:min
    ///   expr: min by (job) (up)
    /// ```
    /// ```yaml good
    /// - record: job:scrape_duration_seconds:avg
    ///   expr: avg by (job) (scrape_duration_seconds)
    /// ```
    /// ```yaml good
    /// - alert: up
    ///   expr: up == 0
    /// ```
    "N006" "reserved-record-name" Warning, Proven, fix: Never, Rule(look)
}

/// What a server writes about each scrape, and about alerts.
const RESERVED: &[&str] = &[
    "up",
    "ALERTS",
    "ALERTS_FOR_STATE",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
    "scrape_timeout_seconds",
    "scrape_sample_limit",
    "scrape_body_size_bytes",
];

fn look(cx: &RuleContext<'_>, report: &mut Report<'_>) {
    let name = &cx.rule.name;
    if cx.rule.kind == RuleKind::Recording && RESERVED.contains(&name.value.as_str()) {
        report
            .at(name.span.clone(), format!("the server writes `{}` itself", name.value))
            .help("choose another name, such as `job:up:min`");
    }
}
