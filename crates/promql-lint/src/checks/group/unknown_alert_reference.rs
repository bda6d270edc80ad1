//! `unknown-alert-reference` (G007).

use promql_model::MatchOp;
use promql_rules::yaml;
use promql_syntax::ast::NodeKind;

use crate::check::declare_check;
use crate::context::{ExprContext, RuleSet};
use crate::finding::Report;

declare_check! {
    /// Finds `ALERTS` or `ALERTS_FOR_STATE` with the name of an alert that there is not.
    ///
    /// ## Why it matters
    /// The selector selects nothing. It is presumed that all rules of the server are looked at together; where
    /// there is no alert at all, nothing is said.
    ///
    /// ## Examples
    /// ```yaml bad
    /// - alert: NodeDown
    ///   expr: up == 0
    /// - alert: ManyDown
    ///   expr: count(ALERTS{alertname="NodeDwon"}) > 3
    ///                                ^^^^^^^^^^ there is no alert `NodeDwon`
    /// ```
    /// ```yaml bad
    /// - alert: NodeDown
    ///   expr: up == 0
    /// - alert: LongDown
    ///   expr: time() - ALERTS_FOR_STATE{alertname="nodedown"} > 3600
    ///                                             ^^^^^^^^^^ there is no alert `nodedown`
    /// ```
    /// ```yaml bad
    /// - alert: Busy
    ///   expr: load > 5 unless on(instance) ALERTS{alertname="Maintenance", alertstate="firing"}
    ///                                                       ^^^^^^^^^^^^^ there is no alert `Maintenance`
    /// ```
    /// ```yaml good
    /// - alert: NodeDown
    ///   expr: up == 0
    /// - alert: ManyDown
    ///   expr: count(ALERTS{alertname="NodeDown"}) > 3
    /// ```
    /// ```yaml good
    /// - alert: NodeDown
    ///   expr: up == 0
    /// - alert: ManyDown
    ///   expr: count(ALERTS{alertname=~"Node.*"}) > 3
    /// ```
    /// ```yaml good
    /// - record: alerts:count
    ///   expr: count(ALERTS{alertname="NodeDown"})
    /// ```
    "G007" "unknown-alert-reference" Warning, Presumed, fix: Never, Set(look)
}

fn look(set: &RuleSet<'_>, report: &mut Report<'_>) {
    if set.alerts.is_empty() {
        return;
    }
    let mut known: Vec<&str> = set.alerts.keys().copied().collect();
    known.sort_unstable();
    let readers = ["ALERTS", "ALERTS_FOR_STATE"];
    for (at, span) in readers.iter().filter_map(|name| set.readers.get(name)).flatten() {
        let Some(cx) = ExprContext::new(set.rule_context(*at)) else { continue };
        for (_, node) in cx.nodes().filter(|(_, node)| node.span == *span) {
            let NodeKind::VectorSelector(id) = node.kind else { continue };
            for matcher in cx.expr.matchers(cx.expr.selector(id)) {
                let is_name = cx.expr.text(matcher.name) == b"alertname" && matcher.op == MatchOp::Equal;
                let Some(name) = cx.pattern(matcher).filter(|name| is_name && !name.is_empty()) else {
                    continue;
                };
                if set.alerts.contains_key(name) {
                    continue;
                }
                let finding = report.in_file(
                    at.file,
                    Some((at.group, at.rule)),
                    cx.place(matcher.value_span),
                    format!("there is no alert `{name}`"),
                );
                finding.help(match yaml::like(name, &known) {
                    Some(like) => format!("did you mean `{like}`?"),
                    None => "look at the files with the alert together with this one".to_owned(),
                });
            }
        }
    }
}
