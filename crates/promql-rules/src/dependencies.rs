//! Which rules read what others write.
//!
//! The rules of a group run in their order, so a rule sees what those before it wrote at the same time,
//! and what those behind it wrote the last time. [`Readings`] are what is known of that from an
//! expression alone: for each selector the matcher on the name of the metric, and those on the name of
//! the alert, as alerts are read by `ALERTS` and `ALERTS_FOR_STATE`. [`Dependencies`] are those of the
//! rules of one group on each other, as a Prometheus server with the feature `concurrent-rule-eval`
//! sees them, with the batches that it evaluates at once.
//!
//! ```
//! use promql_rules::dependencies::Dependencies;
//! use promql_rules::rule_file::{LoadOptions, RuleFile};
//!
//! let text = "
//! groups:
//!   - name: shop
//!     rules:
//!       - {record: requests, expr: 'sum(rate(requests_total[5m]))'}
//!       - {record: errors, expr: 'sum(rate(errors_total[5m]))'}
//!       - {record: ratio, expr: errors / requests}
//!       - {alert: ManyErrors, expr: ratio > 0.05}
//! ";
//! let file = RuleFile::load("shop.yml", text.as_bytes(), &LoadOptions::default()).file;
//! let dependencies = Dependencies::of(&file.groups[0]);
//! assert_eq!(dependencies.of_rule(2), [0, 1]);
//! assert_eq!(dependencies.on_rule(2), [3]);
//! assert_eq!(dependencies.batches(), [vec![0, 1], vec![2], vec![3]]);
//! ```

use std::collections::HashMap;

use promql_model::{METRIC_NAME, MatchOp, Matcher};
use promql_syntax::ast::NodeKind;
use promql_syntax::{Query, Span};

use crate::rule_file::{Group, RuleKind};

/// The metrics that alerts are read by.
const ALERT_METRICS: [&str; 2] = ["ALERTS", "ALERTS_FOR_STATE"];

/// The label with the name of the alert.
const ALERT_NAME: &str = "alertname";

/// What a selector says about the rules whose series it reads.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The selector, in bytes of the expression.
    pub span: Span,
    /// The matcher on the name of the metric; of several the first one. Nothing if there is none, and
    /// then the selector may read anything.
    pub metric: Option<Matcher>,
    /// The matchers on the name of the alert.
    pub alert: Vec<Matcher>,
}

impl Reading {
    /// Whether the selector may read what a rule writes. What is known are names; the other labels of a
    /// series depend on data.
    pub fn reads(&self, kind: RuleKind, name: &str) -> bool {
        let Some(metric) = &self.metric else { return true };
        match kind {
            RuleKind::Recording => metric.matches(name),
            RuleKind::Alerting => self.reads_alerts() && self.alert.iter().all(|m| m.matches(name)),
        }
    }

    /// Whether the selector may read the series that alerts write.
    pub fn reads_alerts(&self) -> bool {
        let matches = |metric: &Matcher| ALERT_METRICS.iter().any(|name| metric.matches(name));
        self.metric.as_ref().is_none_or(matches)
    }
}

/// What a query reads: one for each selector, in the order in which they are written.
pub type Readings = Vec<Reading>;

/// Finds out what a query reads.
pub fn readings(query: &Query) -> Readings {
    let selectors = query.expr().nodes().iter().filter_map(|node| match node.kind {
        NodeKind::VectorSelector(id) => Some((node.span, id)),
        _ => None,
    });
    let mut readings: Readings = selectors
        .map(|(span, id)| {
            let mut reading = Reading { span, metric: None, alert: Vec::new() };
            for (name, op, value) in query.matchers(id) {
                let is_alert = name == ALERT_NAME.as_bytes();
                if !is_alert && name != METRIC_NAME.as_bytes() {
                    continue;
                }
                let label = if is_alert { ALERT_NAME } else { METRIC_NAME };
                // A pattern was compiled when the expression was checked.
                let Ok(matcher) = Matcher::new(label, op, value) else { continue };
                match is_alert {
                    true => reading.alert.push(matcher),
                    false => drop(reading.metric.get_or_insert(matcher)),
                }
            }
            reading
        })
        .collect();
    readings.sort_by_key(|reading| reading.span.start);
    readings
}

/// The dependencies of the rules of a group on each other. Rules are positions in
/// [`Group::rules`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dependencies {
    needs: Vec<Vec<usize>>,
    needed_by: Vec<Vec<usize>>,
    unclear: Option<usize>,
}

impl Dependencies {
    /// Finds the dependencies of a group whose rules have kept their queries. A rule without a query
    /// depends on nothing.
    pub fn of(group: &Group) -> Dependencies {
        let rules = group.rules.iter();
        Dependencies::of_rules(
            rules.map(|rule| (rule.kind, &*rule.name.value, rule.query.as_ref())),
        )
    }

    /// The same for rules given one by one, in their order.
    pub fn of_rules<'r>(
        rules: impl IntoIterator<Item = (RuleKind, &'r str, Option<&'r Query>)>,
    ) -> Dependencies {
        let mut found = Dependencies::default();
        let mut names: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut alerts: Vec<(&str, usize)> = Vec::new();
        for (at, (kind, name, query)) in rules.into_iter().enumerate() {
            let mut needs = Vec::new();
            for reading in query.map(readings).unwrap_or_default() {
                let Some(metric) = &reading.metric else {
                    found.unclear.get_or_insert(at);
                    continue;
                };
                // Upstream takes the name of an alert for that of a metric here.
                match metric.op() {
                    MatchOp::Equal => {
                        let name = std::str::from_utf8(metric.value()).unwrap_or_default();
                        needs.extend(names.get(name).into_iter().flatten());
                    }
                    _ => {
                        let read = names.iter().filter(|(name, _)| metric.matches(name));
                        needs.extend(read.flat_map(|(_, rules)| rules));
                    }
                }
                if reading.reads_alerts() {
                    let is_read = |name: &str| reading.alert.iter().all(|m| m.matches(name));
                    let read = alerts.iter().filter(|(name, _)| is_read(name));
                    needs.extend(read.map(|(_, rule)| *rule));
                }
            }
            needs.sort_unstable();
            needs.dedup();
            found.needed_by.push(Vec::new());
            needs.iter().for_each(|rule| found.needed_by[*rule].push(at));
            found.needs.push(needs);
            names.entry(name).or_default().push(at);
            if kind == RuleKind::Alerting {
                alerts.push((name, at));
            }
        }
        found
    }

    /// The rules before a rule whose series it may read, in their order.
    pub fn of_rule(&self, rule: usize) -> &[usize] {
        self.needs.get(rule).map_or(&[], Vec::as_slice)
    }

    /// The rules behind a rule that may read its series, in their order.
    pub fn on_rule(&self, rule: usize) -> &[usize] {
        self.needed_by.get(rule).map_or(&[], Vec::as_slice)
    }

    /// The first rule with a selector that may read anything, as it has no matcher on the name of the
    /// metric. With such a rule nothing is known about the group, and its rules only run one by one.
    pub fn unclear(&self) -> Option<usize> {
        self.unclear
    }

    /// The order in which a server with the feature `concurrent-rule-eval` evaluates the rules; those of
    /// a batch at once. First come all rules that need no other, then those that need others and are
    /// needed, one by one, and last those that nobody needs.
    pub fn batches(&self) -> Vec<Vec<usize>> {
        let rules = 0..self.needs.len();
        if self.unclear.is_some() {
            return rules.map(|rule| vec![rule]).collect();
        }
        let is_free = |rule: &usize| self.of_rule(*rule).is_empty();
        let is_last = |rule: &usize| !is_free(rule) && self.on_rule(*rule).is_empty();
        let first: Vec<usize> = rules.clone().filter(is_free).collect();
        let last: Vec<usize> = rules.clone().filter(is_last).collect();
        let between = rules.filter(|rule| !is_free(rule) && !is_last(rule));
        let between = between.map(|rule| vec![rule]);
        let all = std::iter::once(first).chain(between).chain(std::iter::once(last));
        all.filter(|batch| !batch.is_empty()).collect()
    }
}
