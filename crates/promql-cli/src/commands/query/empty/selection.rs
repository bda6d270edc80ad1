//! A selector that selects nothing: which of its conditions is to blame.
//!
//! It is asked again without one condition after the other. Where that finds series, the condition was
//! it, and the values that the label really has are what was meant. Where nothing has the name of the
//! metric at all, the names that are most like it are told.

use std::collections::BTreeSet;

use promql_model::{MatchOp, is_label_name, quote};
use promql_repl::Reason;
use promql_syntax::ast::{Expr, LabelMatcher, NodeId, NodeKind, VectorSelector};

use super::{Asking, source, with_text};
use crate::visible;

/// More conditions than these are not tried.
const MOST_CONDITIONS: usize = 6;

/// So many values are named and proposed.
const MOST_VALUES: usize = 3;

/// Adds to the reason what is found out about a selector without series.
pub(super) fn look(expr: &Expr, id: NodeId, asking: &Asking<'_>, reason: &mut Reason) {
    let vector = match expr.kind(id) {
        NodeKind::MatrixSelector { selector, .. } => selector,
        _ => id,
    };
    let NodeKind::VectorSelector(selector) = expr.kind(vector) else { return };
    let selector = expr.selector(selector);
    let matchers = expr.matchers(selector);
    let others = usize::from(selector.name.is_some()) + matchers.len();
    if matchers.len() > MOST_CONDITIONS {
        return;
    }
    if others < 2 {
        return name(expr, selector, asking, reason);
    }
    for (at, matcher) in matchers.iter().enumerate().filter(|(_, matcher)| !matcher.is_name) {
        let Some(series) = asking.ask(without(expr, id, matchers, at)) else { return };
        if series.is_empty() {
            continue;
        }
        let label = expr.text_lossy(matcher.name).into_owned();
        let values: BTreeSet<&str> =
            series.iter().map(|(labels, _)| labels.get(&label).unwrap_or_default()).collect();
        let values: Vec<&str> = nearest(&expr.text_lossy(matcher.value), values);
        let condition = visible::value(&source(expr, matcher.span));
        let named = match values.first() {
            Some(&"") => format!("they have no `{label}`"),
            _ => {
                let shown: Vec<String> =
                    values.iter().take(MOST_VALUES).map(|v| visible::value(v)).collect();
                let more = if values.len() > MOST_VALUES { ", …" } else { "" };
                format!("with the `{label}` {}{more}", shown.join(", "))
            }
        };
        let count = series.len();
        reason.text.push_str(&format!("\nwithout `{condition}` it is {count} series, {named}"));
        if matcher.op == MatchOp::Equal {
            for value in values.iter().take(MOST_VALUES).filter(|value| !value.is_empty()) {
                let title = format!("use {label}={}", visible::value(&quote(value.as_bytes())));
                let place = matcher.value_span.range();
                reason.fixes.extend(with_text(expr, place, &quote(value.as_bytes()), title));
            }
        }
        let place = all_of(matchers);
        let rest = joined(expr, matchers, at);
        reason.fixes.extend(with_text(expr, place, &rest, format!("leave out {condition}")));
        return;
    }
    name(expr, selector, asking, reason);
}

/// Adds the names that are like that of the metric, if there is none of that name.
fn name(expr: &Expr, selector: &VectorSelector, asking: &Asking<'_>, reason: &mut Reason) {
    let Some(written) = selector.name else { return };
    let written = expr.text_lossy(written).into_owned();
    let Some(names) = asking.metrics() else { return };
    let far = written.len() / 5 + 2;
    let distance = |name: &String| {
        (name.len().abs_diff(written.len()) <= far)
            .then(|| strsim::damerau_levenshtein(name, &written))
            .filter(|distance| *distance <= far)
    };
    let mut near: Vec<(usize, String)> =
        names.into_iter().filter_map(|name| Some((distance(&name)?, name))).collect();
    near.sort();
    near.truncate(MOST_VALUES);
    if near.is_empty() || near.first().is_some_and(|(distance, _)| *distance == 0) {
        return;
    }
    let shown: Vec<String> = near.iter().map(|(_, name)| visible::value(name)).collect();
    reason.text.push_str(&format!("\nno metric has this name; like it are {}", shown.join(", ")));
    for (_, name) in near.iter().filter(|(_, name)| is_label_name(&name.replace(':', "_"))) {
        let place = selector.name_span.range();
        reason.fixes.extend(with_text(expr, place, name, format!("use {name}")));
    }
}

/// The values, those first that are most like what was written.
fn nearest<'v>(written: &str, values: BTreeSet<&'v str>) -> Vec<&'v str> {
    let mut values: Vec<&str> = values.into_iter().collect();
    values.sort_by_cached_key(|value| (strsim::damerau_levenshtein(written, value), value.len()));
    values
}

fn all_of(matchers: &[LabelMatcher]) -> std::ops::Range<usize> {
    let start = matchers.first().map_or(0, |first| first.span.range().start);
    start..matchers.last().map_or(start, |last| last.span.range().end)
}

/// All conditions but one, as they were written.
fn joined(expr: &Expr, matchers: &[LabelMatcher], left_out: usize) -> String {
    let kept = matchers.iter().enumerate().filter(|(at, _)| *at != left_out);
    kept.map(|(_, matcher)| source(expr, matcher.span)).collect::<Vec<_>>().join(", ")
}

/// The question for the selector without one of its conditions.
fn without(expr: &Expr, id: NodeId, matchers: &[LabelMatcher], left_out: usize) -> String {
    let node = expr.span(id).range();
    let place = all_of(matchers);
    let text = |range| String::from_utf8_lossy(expr.source().get(range).unwrap_or_default());
    let (front, behind) = (text(node.start..place.start), text(place.end..node.end));
    let selector = format!("{front}{}{behind}", joined(expr, matchers, left_out));
    match expr.kind(id) {
        NodeKind::MatrixSelector { .. } => format!("present_over_time({selector})"),
        _ => selector,
    }
}
