//! An operation that has series on its sides and none as its result.
//!
//! Two vectors match by labels, so what differs between the sides is told label by label, with the
//! modifiers that would make them match. Of a comparison it is told by how much it doesn't hold.

use std::collections::{BTreeMap, BTreeSet};

use promql_model::{Labels, METRIC_NAME, is_label_name, quote};
use promql_repl::{Fix, Reason};
use promql_syntax::ast::{
    BinaryModifiers, BinaryOp, Expr, GroupSide, MatchingKeyword, NodeId, NodeKind,
};

use super::{Asking, Element, source, with_text};
use crate::render::number;
use crate::visible;

/// So many labels that differ are told about, with so many of their values.
const MOST_LABELS: usize = 4;
const MOST_VALUES: usize = 2;

/// An operation of two operands.
struct Operation<'e> {
    expr: &'e Expr,
    op: BinaryOp,
    lhs: NodeId,
    rhs: NodeId,
    modifiers: BinaryModifiers,
}

/// Says which operation loses all series. Nothing when that isn't found out in time.
pub(super) fn look(expr: &Expr, asking: &Asking<'_>) -> Option<Reason> {
    // Children come before their parents, so the innermost one is the first.
    for (id, node) in expr.nodes_with_ids() {
        let NodeKind::Binary { op, lhs, rhs, modifiers } = node.kind else { continue };
        if matches!(op, BinaryOp::Or | BinaryOp::Unless) {
            continue;
        }
        let left = asking.ask(expr.print_node(lhs));
        let right = asking.ask(expr.print_node(rhs));
        let result = asking.ask(expr.print_node(id));
        if result.is_none_or(|result| !result.is_empty()) {
            continue;
        }
        let modifiers = modifiers.map(|id| *expr.binary_modifiers(id)).unwrap_or_default();
        let operation = Operation { expr, op, lhs, rhs, modifiers };
        return match (left, right) {
            (Some(left), Some(right)) if !left.is_empty() && !right.is_empty() => {
                Some(operation.of_vectors(&left, &right))
            }
            (Some(side), None) | (None, Some(side)) if !side.is_empty() => {
                Some(operation.of_comparison(id, &side))
            }
            _ => None,
        };
    }
    None
}

impl Operation<'_> {
    /// A comparison with a number that holds for no series.
    fn of_comparison(&self, id: NodeId, side: &[Element]) -> Reason {
        let values = || side.iter().map(|(_, value)| *value).filter(|value| !value.is_nan());
        let (low, high) =
            (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
        let text = visible::value(source(self.expr, self.expr.span(id)).trim());
        let count = side.len();
        let range = match (low <= high, low == high) {
            (false, _) => "all of them are NaN".to_string(),
            (true, true) => format!("all of them are {}", number::readable(low)),
            _ => format!("they are from {} to {}", number::readable(low), number::readable(high)),
        };
        let holds = if self.op.is_comparison() { "holds for none" } else { "keeps none" };
        Reason {
            text: format!("`{text}` {holds} of the {count} series: {range}"),
            fixes: Vec::new(),
        }
    }

    /// The labels that take part in matching.
    fn key(&self, left: &[Element], right: &[Element]) -> BTreeSet<String> {
        let listed: BTreeSet<String> = (self.expr.labels(self.modifiers.labels).iter())
            .map(|label| self.expr.text_lossy(label.name).into_owned())
            .collect();
        if self.modifiers.matching == Some(MatchingKeyword::On) {
            return listed;
        }
        let all = left.iter().chain(right).flat_map(|(labels, _)| labels.iter());
        let names = all.map(|(name, _)| name).filter(|name| *name != METRIC_NAME);
        names.filter(|name| !listed.contains(*name)).map(str::to_owned).collect()
    }

    fn of_vectors(&self, left: &[Element], right: &[Element]) -> Reason {
        let key = self.key(left, right);
        let values = |side: &[Element], name: &str| -> BTreeSet<String> {
            side.iter().map(|(labels, _)| labels.get(name).unwrap_or_default().to_owned()).collect()
        };
        let sides: BTreeMap<&String, _> =
            key.iter().map(|name| (name, (values(left, name), values(right, name)))).collect();
        let differing: Vec<&String> = (sides.iter())
            .filter(|(_, (left, right))| left.is_disjoint(right))
            .map(|(name, _)| *name)
            .collect();
        let counts = format!("{} series on its left and {} on its right", left.len(), right.len());
        let op = self.op.symbol();
        if pairs(left, right, &key).0 > 0 {
            let pairs = pairs(left, right, &key).0;
            let text = format!("`{op}` has {counts}, {pairs} of them match, and for none it holds");
            return Reason { text, fixes: Vec::new() };
        }
        let mut text = format!("`{op}` has {counts}, and no two of them match");
        for name in differing.iter().take(MOST_LABELS) {
            if let Some((left, right)) = sides.get(name) {
                text.push_str(&format!("\n  {}", difference(name, left, right)));
            }
        }
        if differing.is_empty() {
            let names: Vec<&str> = key.iter().map(String::as_str).collect();
            text.push_str(&format!("\n  no two have the same {}", names.join(", ")));
        }
        let mut fixes = self.without_port(&differing, &sides);
        if !differing.is_empty() {
            fixes.extend(self.fixes(left, right, &key, &differing));
        }
        Reason { text, fixes }
    }

    /// The modifiers that leave out what differs.
    fn fixes(
        &self,
        left: &[Element],
        right: &[Element],
        key: &BTreeSet<String>,
        differing: &[&String],
    ) -> Vec<Fix> {
        let kept: BTreeSet<String> =
            key.iter().filter(|name| !differing.contains(name)).cloned().collect();
        let (matches, many_left, many_right) = pairs(left, right, &kept);
        if matches == 0 || many_left && many_right && !self.op.is_set() {
            return Vec::new();
        }
        let group = match (self.op.is_set(), many_left, many_right) {
            (true, ..) | (_, false, false) => "",
            (_, true, _) => " group_left ()",
            _ => " group_right ()",
        };
        let list = |names: &mut dyn Iterator<Item = &String>| {
            names.map(|name| written(name)).collect::<Vec<_>>().join(", ")
        };
        let before = self.expr.labels(self.modifiers.labels).iter();
        let before: Vec<String> = match self.modifiers.matching {
            Some(MatchingKeyword::Ignoring) => {
                before.map(|label| self.expr.text_lossy(label.name).into_owned()).collect()
            }
            _ => Vec::new(),
        };
        let ignored = list(&mut before.iter().chain(differing.iter().copied()));
        let on = list(&mut kept.iter());
        let ways = match self.modifiers.matching {
            Some(MatchingKeyword::On) => vec![format!("on ({on})")],
            _ => vec![format!("ignoring ({ignored})"), format!("on ({on})")],
        };
        let fix = |way: String| self.with_modifiers(&format!("{way}{group}"));
        ways.into_iter().filter_map(fix).collect()
    }

    fn with_modifiers(&self, modifiers: &str) -> Option<Fix> {
        let (lhs, rhs) = (self.expr.span(self.lhs).range(), self.expr.span(self.rhs).range());
        let title = format!("`{} {modifiers}`", self.op.symbol());
        let is_plain = self.modifiers.matching.is_none() && self.modifiers.group.is_none();
        if is_plain {
            // Comments between the sides stay where they are.
            return with_text(self.expr, rhs.start..rhs.start, &format!("{modifiers} "), title);
        }
        let bool = if self.modifiers.return_bool { "bool " } else { "" };
        // A side that was chosen as the one with many series stays so, with the labels that it takes.
        let group = match self.modifiers.group {
            Some(side) if !modifiers.contains(" group_") => {
                let include = self.expr.labels(self.modifiers.include).iter();
                let include: Vec<String> =
                    include.map(|label| written(&self.expr.text_lossy(label.name))).collect();
                let word = if side == GroupSide::Left { "group_left" } else { "group_right" };
                format!(" {word} ({})", include.join(", "))
            }
            _ => String::new(),
        };
        let text = format!(" {} {bool}{modifiers}{group} ", self.op.symbol());
        with_text(self.expr, lhs.end..rhs.start, &text, title)
    }

    /// Addresses that differ only by their port: the port is taken off on both sides.
    fn without_port(
        &self,
        differing: &[&String],
        sides: &BTreeMap<&String, (BTreeSet<String>, BTreeSet<String>)>,
    ) -> Vec<Fix> {
        let host = |value: &String| -> Option<String> {
            let (host, port) = value.rsplit_once(':')?;
            port.bytes().all(|b| b.is_ascii_digit()).then(|| host.to_owned())
        };
        let hosts = |values: &BTreeSet<String>| -> BTreeSet<String> {
            values.iter().map(|value| host(value).unwrap_or_else(|| value.clone())).collect()
        };
        let [only] = differing else { return Vec::new() };
        let Some((left, right)) = sides.get(only) else { return Vec::new() };
        if !is_label_name(only) || hosts(left).is_disjoint(&hosts(right)) {
            return Vec::new();
        }
        let (lhs, rhs) = (self.expr.span(self.lhs), self.expr.span(self.rhs));
        let off = |side| {
            let text = source(self.expr, side);
            format!("label_replace({text}, \"{only}\", \"$1\", \"{only}\", \"(.*):[0-9]+\")")
        };
        let between = source_between(self.expr, lhs.range().end..rhs.range().start);
        let text = format!("{}{between}{}", off(lhs), off(rhs));
        let place = lhs.range().start..rhs.range().end;
        with_text(self.expr, place, &text, format!("take the port off `{only}`"))
            .into_iter()
            .collect()
    }
}

fn source_between(expr: &Expr, range: std::ops::Range<usize>) -> String {
    String::from_utf8_lossy(expr.source().get(range).unwrap_or_default()).into_owned()
}

/// A label as it is written in a list.
fn written(name: &str) -> String {
    match is_label_name(name) {
        true => name.to_owned(),
        false => quote(name.as_bytes()),
    }
}

/// How many keys both sides have, and whether one of these has several series on the left and on the right.
fn pairs(left: &[Element], right: &[Element], key: &BTreeSet<String>) -> (usize, bool, bool) {
    let counted = |side: &[Element]| {
        let mut counts: BTreeMap<Labels, usize> = BTreeMap::new();
        for (labels, _) in side {
            *counts.entry(labels.filtered(|name| key.contains(name))).or_default() += 1;
        }
        counts
    };
    let (left, right) = (counted(left), counted(right));
    let both = || left.iter().filter_map(|(key, count)| Some((*count, *right.get(key)?)));
    let (many_left, many_right) = (both().any(|(l, _)| l > 1), both().any(|(_, r)| r > 1));
    (both().count(), many_left, many_right)
}

/// What the sides have of a label, in a line.
fn difference(name: &str, left: &BTreeSet<String>, right: &BTreeSet<String>) -> String {
    let is_absent = |side: &BTreeSet<String>| side.iter().all(String::is_empty);
    let some = |side: &BTreeSet<String>| {
        let named = side.iter().filter(|value| !value.is_empty());
        let shown: Vec<String> =
            named.take(MOST_VALUES).map(|value| visible::value(value)).collect();
        let more = if side.len() > MOST_VALUES { ", …" } else { "" };
        format!("{}{more}", shown.join(", "))
    };
    let name = visible::value(name);
    match (is_absent(left), is_absent(right)) {
        (false, true) => format!("`{name}` is on the left only: {}", some(left)),
        (true, false) => format!("`{name}` is on the right only: {}", some(right)),
        _ => format!("`{name}` is {} on the left, {} on the right", some(left), some(right)),
    }
}
