//! V007

use promql_rules::rule_file::{Dialect, RuleFile};

use crate::check::declare_check;
use crate::finding::Finding;

declare_check! {
    /// Finds an expression of MetricsQL or LogQL in a file for Prometheus.
    ///
    /// ## Why it matters
    /// Prometheus refuses the whole file. What such a file is for, vmalert or Loki's ruler, reads it;
    /// `dialect = "vmalert"` says so.
    ///
    /// ## Examples
    /// ```promql bad
    /// rate(http_requests_total) default 0
    ///                           ^^^^^^^ this expression is MetricsQL, which Prometheus doesn't read
    /// ```
    /// ```promql bad
    /// sum(rate({app="shop"} |= "error" [5m])) > 10
    ///                       ^ this expression is LogQL, which Prometheus doesn't read
    /// ```
    /// ```promql bad
    /// rate(http_requests_total[5m]) keep_metric_names > 5
    ///                               ^^^^^^^^^^^^^^^^^ this expression is MetricsQL, which Prometheus doesn't read
    /// ```
    /// ```promql good
    /// rate(http_requests_total[5m]) or vector(0)
    /// ```
    /// ```promql good
    /// default > 0
    /// ```
    /// ```promql good
    /// sum(rate(log_lines_total{text="a |= b"}[5m])) > 10
    /// ```
    "V007" "dialect-expression" Error, Proven, fix: Never, Elsewhere
}

/// Words and marks by which other languages are known: outside of quotes none of them can be PromQL where
/// an expression doesn't parse.
const MARKS: &[(&str, &str)] = &[
    (" default ", "MetricsQL"),
    (" keep_metric_names", "MetricsQL"),
    (" ifnot ", "MetricsQL"),
    (" if ", "MetricsQL"),
    ("WITH (", "MetricsQL"),
    ("with (", "MetricsQL"),
    ("label_set(", "MetricsQL"),
    ("label_del(", "MetricsQL"),
    ("label_keep(", "MetricsQL"),
    ("rollup_rate(", "MetricsQL"),
    ("range_avg(", "MetricsQL"),
    ("range_max(", "MetricsQL"),
    ("running_sum(", "MetricsQL"),
    ("share_gt_over_time(", "MetricsQL"),
    ("median_over_time(", "MetricsQL"),
    ("|= ", "LogQL"),
    ("|~ ", "LogQL"),
    ("| json", "LogQL"),
    ("| logfmt", "LogQL"),
    ("| unwrap ", "LogQL"),
    ("bytes_over_time(", "LogQL"),
];

/// The language of an expression that isn't PromQL, if it is known by its words.
pub(crate) fn language(expr: &str) -> Option<&'static str> {
    let plain = without_strings(expr);
    let mark = MARKS.iter().find(|(mark, _)| plain.contains(mark));
    mark.map(|(_, language)| *language)
}

fn without_strings(expr: &str) -> String {
    let mut out = String::new();
    let mut quote = None;
    let mut chars = expr.chars();
    while let Some(c) = chars.next() {
        match quote {
            None if matches!(c, '"' | '\'' | '`') => quote = Some(c),
            None => out.push(if c == '\n' { ' ' } else { c }),
            Some(open) if c == open => quote = None,
            Some('`') => {}
            Some(_) if c == '\\' => drop(chars.next()),
            Some(_) => {}
        }
    }
    out
}

/// Says of a finding of the parser that the rule is of another language.
pub(crate) fn explain(finding: &mut Finding, rule: Option<(usize, usize)>, file: &RuleFile) {
    let Some((group, rule)) = rule else { return };
    let Some(language) = language(&file.groups[group].rules[rule].expr.value) else { return };
    finding.message = format!("this expression is {language}, which Prometheus doesn't read");
    finding.label("not PromQL from here on");
    finding.help(match language {
        "LogQL" => "rules over logs belong into a file of Loki's ruler".to_owned(),
        _ => format!(
            "write PromQL, or say whose file this is: `dialect = \"{}\"`",
            Dialect::Vmalert.name()
        ),
    });
}
