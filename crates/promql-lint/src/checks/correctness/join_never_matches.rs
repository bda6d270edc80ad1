//! `join-never-matches` (C001) and what it shares with `join-never-matches-target` (C002).

use promql_syntax::ast::{MatchingKeyword, NodeId};
use crate::checks::matching::{insert_matching, leave_out, unless_instead};

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::evidence::{Operation, consequence, dies, rests_on};
use crate::finding::{Report, Safety};
use crate::flow::{Basis, Flow, Labels, Reason, Text, Why};

declare_check! {
    /// Finds an operation of two vectors whose elements can never match, because a label that takes part in
    /// matching has no value in common.
    ///
    /// ## Why it matters
    /// Elements match if all labels that take part are equal. One side that has lost a label in an aggregation
    /// and another that surely has it, or two matchers that ask for different values, leave nothing: the result
    /// is always empty, without any error.
    ///
    /// ## Examples
    /// ```promql bad
    /// rate(http_hits_total{status="hit"}[5m]) + rate(http_hits_total{status="miss"}[5m])
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the two sides of `+` never match: `status` has no value that both can have; this alert can never fire
    /// ```
    /// ```promql fixed
    /// rate(http_hits_total{status="hit"}[5m]) + ignoring (status) rate(http_hits_total{status="miss"}[5m])
    /// ```
    /// ```promql bad
    /// sum by (pod) (memory_bytes{pod!=""}) > sum(memory_limit_bytes)
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the two sides of `>` never match: `pod` has no value that both can have; this alert can never fire
    /// ```
    /// ```promql fixed
    /// sum by (pod) (memory_bytes{pod!=""}) > on () group_left () sum(memory_limit_bytes)
    /// ```
    /// ```promql bad
    /// current / ignoring (limit) allowed{limit="series"} > 0.8 and allowed{limit="series"} > 0
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the two sides of `and` never match: `limit` has no value that both can have; this alert can never fire
    /// ```
    /// ```promql fixed
    /// current / ignoring (limit) allowed{limit="series"} > 0.8 and ignoring (limit) allowed{limit="series"} > 0
    /// ```
    /// ```promql bad
    /// max without (pod) (rate(queue_depth[5m])) / rate(queue_depth{pod!=""}[50m] offset 10m) > 2
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the two sides of `/` never match: `pod` has no value that both can have; this alert can never fire
    /// ```
    /// ```promql fixed
    /// max without (pod) (rate(queue_depth[5m])) / ignoring (pod) group_right () rate(queue_depth{pod!=""}[50m] offset 10m) > 2
    /// ```
    /// ```promql good
    /// rate(http_hits_total{status="hit"}[5m]) + ignoring (status) rate(http_hits_total{status="miss"}[5m])
    /// ```
    /// ```promql good
    /// sum by (a) (x{b="1"}) / sum by (a) (x{b="2"})
    /// ```
    /// ```promql good
    /// sum by (pod) (memory_bytes) > sum(memory_limit_bytes)
    /// ```
    /// In a dashboard a variable can have any value, but other labels are what they are:
    /// ```json bad
    /// {"panels": [{"title": "Latency", "targets": [{"expr":
    ///   "rate(latency_sum{pod=~\"$pod\", kind=\"a\"}[$__rate_interval]) / rate(latency_count{kind=\"b\"}[$__rate_interval])"}]}]}
    ///    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the two sides of `/` never match: `kind` has no value that both can have; this query never gives a result
    /// ```
    /// ```json fixed
    /// {"panels": [{"title": "Latency", "targets": [{"expr":
    ///   "rate(latency_sum{pod=~\"$pod\", kind=\"a\"}[$__rate_interval]) / ignoring (kind) rate(latency_count{kind=\"b\"}[$__rate_interval])"}]}]}
    /// ```
    /// ```json good
    /// {"panels": [{"title": "Latency", "targets": [
    ///   {"expr": "latency_sum{pod=\"$pod\"} / latency_count{pod=\"$other\"}"},
    ///   {"expr": "sum by ($by) (latency_sum{kind=\"a\"}) / sum by (kind) (latency_count{kind=\"b\"})"}]}]}
    /// ```
    "C001" "join-never-matches" Error, Proven, fix: Unsafe, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    report_all(cx, report, |basis| !basis.has(Basis::TARGET_LABELS));
}

/// Reports the operations without matching elements for which that rests on the right assumptions.
pub(crate) fn report_all(
    cx: &ExprContext<'_>,
    report: &mut Report<'_>,
    is_mine: impl Fn(Basis) -> bool,
) {
    for (id, operation) in Operation::all(cx) {
        let Some(dropped) = dies(cx, id, |why| matches!(why, Why::NoPartner { .. })) else {
            continue;
        };
        let basis = cx.flows().of(id).basis;
        if !is_mine(basis) {
            continue;
        }
        // The pair of which the least has to be assumed.
        let told = dropped.iter().min_by_key(|dropped| dropped.basis.names().count());
        let Some(Why::NoPartner { label, left, right }) = told.map(|told| &told.why) else {
            continue;
        };
        let op = operation.op.symbol();
        let message = format!(
            "the two sides of `{op}` never match: `{label}` has no value that both can have"
        );
        let (a, b) = operation.flows();
        let finding = report.at(cx.place_of(id), message);
        for (node, flow, arm) in [(operation.lhs, a, *left), (operation.rhs, b, *right)] {
            let (place, text) = side(cx, node, flow, arm, label);
            finding.also(place, text);
        }
        finding.consequence(consequence(cx));
        let (of_left, of_right) = (&a.arms[*left].labels, &b.arms[*right].labels);
        if let Some((missing, edits)) = unless_instead(cx, &operation) {
            finding.help(format!("`unless {missing}` leaves out what there is such an element for"));
            finding.fix(Safety::Unsafe, "write `unless`", Some(edits));
            rests_on(finding, basis);
            continue;
        }
        let way = Way::out(of_left, of_right, label);
        finding.help(way.help(operation.op.is_set()));
        let edits = match operation.modifiers.matching {
            None => insert_matching(cx, &operation, way.word(), way.labels()),
            Some(MatchingKeyword::On) => leave_out(cx, &operation, label),
            Some(MatchingKeyword::Ignoring) => None,
        };
        finding.fix(Safety::Unsafe, "match by other labels", edits);
        rests_on(finding, basis);
    }
}

/// What one side has to say about the label, and where.
fn side(
    cx: &ExprContext<'_>,
    node: NodeId,
    flow: &Flow,
    arm: usize,
    label: &Text,
) -> (std::ops::Range<usize>, String) {
    let steps = cx.flows().explain(cx.expr, cx.env(), node, arm, label);
    let values = flow.arms[arm].labels.get(label);
    let has = match values.constant() {
        Some("") => format!("has no `{label}`"),
        Some(value) => format!("has `{label}=\"{value}\"`"),
        None if values.is_certain() => format!("has `{label}`"),
        None => format!("may have `{label}`"),
    };
    match steps.first() {
        Some(step) => (cx.place(step.span), format!("{has}: {}", step.text)),
        None => (cx.place_of(node), has),
    }
}

/// The labels that elements of both sides can have, with equal values.
fn shared<'a>(a: &'a Labels, b: &'a Labels) -> Vec<&'a str> {
    let known = a.iter().chain(b.iter()).map(|entry| &*entry.name);
    let mut shared: Vec<&str> = known
        .filter(|name| {
            let (a, b) = (a.get(name), b.get(name));
            *name != "__name__" && a.can_be_present() && b.can_be_present() && !a.is_disjoint(b)
        })
        .collect();
    shared.sort_unstable();
    shared.dedup();
    shared
}

/// How elements of two sides can match.
enum Way<'a> {
    On(Vec<&'a str>),
    Ignoring(Vec<&'a str>),
}

impl<'a> Way<'a> {
    fn out(a: &'a Labels, b: &'a Labels, label: &'a Text) -> Way<'a> {
        if !a.get(label).is_absent() && !b.get(label).is_absent() {
            return Way::Ignoring(vec![label]);
        }
        if !a.is_open() || !b.is_open() {
            return Way::On(shared(a, b));
        }
        // Of both sides other labels are left, such as `without` leaves, whatever they are.
        let removed = |of: &'a Labels, other: &'a Labels| {
            let is_missing = |name: &&str| {
                // What a matcher demands to be absent may be so on the other side as well.
                let is_asked = of.change(name).is_some_and(|c| c.reason == Reason::Matcher);
                let other = other.get(name);
                let can_differ = other.is_certain() || (!is_asked && other.can_be_present());
                !name.starts_with("__") && of.get(name).is_absent() && can_differ
            };
            of.iter().map(|entry| &*entry.name).filter(is_missing).collect::<Vec<_>>()
        };
        let mut labels = removed(a, b);
        labels.extend(removed(b, a));
        labels.sort_unstable();
        labels.dedup();
        Way::Ignoring(labels)
    }

    fn word(&self) -> &'static str {
        match self {
            Way::On(_) => "on",
            Way::Ignoring(_) => "ignoring",
        }
    }

    fn labels(&self) -> &[&'a str] {
        match self {
            Way::On(labels) | Way::Ignoring(labels) => labels,
        }
    }

    fn help(&self, is_set: bool) -> String {
        let names = self.labels().join(", ");
        match self {
            Way::On(labels) if labels.is_empty() && is_set => {
                "`on ()` asks only whether there is anything on the right side".to_owned()
            }
            Way::On(labels) if labels.is_empty() => {
                "`on ()` matches by no label at all, if each side has but one element".to_owned()
            }
            Way::On(_) => format!("match by labels that both sides have: `on ({names})`"),
            Way::Ignoring(labels) if labels.len() == 1 => {
                format!("`ignoring ({names})` matches elements whatever their `{names}` is")
            }
            Way::Ignoring(_) => format!("match by the labels that both sides have: `ignoring ({names})`"),
        }
    }
}
