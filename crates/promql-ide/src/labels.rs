//! Which labels an operand's result has.
//!
//! What can stand in `by (…)` and `on (…)` follows from what is aggregated or joined, not from one metric
//! alone: an inner `sum by (job)` leaves one label, `label_replace` adds one. So the tree around the
//! list is looked at, with the text behind the cursor in it, and labels flow up from the selectors.

use std::collections::BTreeSet;

use promql_model::MatchOp;
use promql_syntax::ast::{
    BinaryModifiers, Expr, GroupSide, List, MatchingKeyword, NodeId, NodeKind,
};
use promql_syntax::{Aggregator, Features, Function, ValueType, value_types};

use crate::brackets::closing;
use crate::catalogue::{Catalogue, Condition, Question, Selector};
use crate::cursor::Cursor;
use crate::lex::{Kind, Token, tokens};
use crate::walk::{self, FrameKind, State, Walk};

/// The labels of a result; nothing where they aren't known.
type Labels = Option<BTreeSet<String>>;

/// Stands for an operand that isn't written yet.
const PLACEHOLDER: &str = "promql_ide_placeholder";

/// How deep an operand may be nested.
const DEEPEST: usize = 200;

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// The labels of what is aggregated.
    Operand,
    /// The labels that both sides have.
    Common,
    /// The labels that only the side has of which there is one.
    One,
}

/// The labels that may stand in the list at the cursor.
pub(crate) fn of_list(
    cursor: &Cursor,
    list: walk::List,
    catalogue: &dyn Catalogue,
    missing: &mut Vec<Question>,
) -> Labels {
    let open = cursor.frames.last()?.open;
    let wanted = match list {
        walk::List::Grouping { .. } => Wanted::Operand,
        walk::List::Matching => Wanted::Common,
        walk::List::Include => Wanted::One,
        walk::List::Fill => return None,
    };
    let mut flow = Flow { catalogue, missing, types: Vec::new() };
    let place = cursor.tokens[open].span.start;
    let Some(expr) = around_list(cursor, open) else { return flow.of_text(cursor) };
    flow.types = value_types(&expr);
    match wanted {
        Wanted::Operand => {
            let (_, node) = smallest(&expr, |id| {
                let span = expr.span(id).range();
                let aggregates = matches!(expr.kind(id), NodeKind::Aggregate { .. });
                aggregates && span.contains(&place)
            })?;
            let NodeKind::Aggregate { expr: operand, .. } = expr.kind(node) else { return None };
            flow.of(&expr, operand, 0)
        }
        Wanted::Common | Wanted::One => {
            let (_, node) = smallest(&expr, |id| match expr.kind(id) {
                NodeKind::Binary { lhs, rhs, .. } => {
                    expr.span(lhs).start as usize <= place
                        && expr.span(lhs).end as usize <= place
                        && expr.span(rhs).start as usize > place
                }
                _ => false,
            })?;
            let NodeKind::Binary { lhs, rhs, modifiers, .. } = expr.kind(node) else { return None };
            let (left, right) = (flow.of(&expr, lhs, 0), flow.of(&expr, rhs, 0));
            if wanted == Wanted::Common {
                return match (left, right) {
                    (Some(left), Some(right)) => Some(&left & &right),
                    (one, other) => one.or(other),
                };
            }
            let group = modifiers.and_then(|id| expr.binary_modifiers(id).group);
            let (many, one) = match group {
                Some(GroupSide::Right) => (right, left),
                _ => (left, right),
            };
            Some(&one? - &many.unwrap_or_default())
        }
    }
}

/// The labels of the first argument of the call whose frame this is, as far as it is written.
pub(crate) fn of_argument(
    cursor: &Cursor,
    frame: usize,
    catalogue: &dyn Catalogue,
    missing: &mut Vec<Question>,
) -> Labels {
    let open = cursor.frames.get(frame)?.open;
    let start = cursor.tokens[open].span.end;
    let mut depth = 0usize;
    let end = cursor.tokens[open + 1..].iter().find_map(|token| match token.kind {
        Kind::Comma if depth == 0 => Some(token.span.start),
        Kind::Open(_) => {
            depth += 1;
            None
        }
        Kind::Close(_) => {
            depth = depth.checked_sub(1)?;
            None
        }
        _ => None,
    })?;
    let expr = parse(cursor.text.get(start..end)?)?;
    let mut flow = Flow { catalogue, missing, types: value_types(&expr) };
    flow.of(&expr, expr.root(), 0)
}

fn parse(text: &str) -> Option<Expr> {
    promql_syntax::parse(text, &Features::ALL).ok()
}

/// The smallest node of which something holds, by the length of its text.
fn smallest(expr: &Expr, holds: impl Fn(NodeId) -> bool) -> Option<(u32, NodeId)> {
    let mut found: Option<(u32, NodeId)> = None;
    let mut left = vec![expr.root()];
    while let Some(id) = left.pop() {
        let length = expr.span(id).len();
        if holds(id) && found.is_none_or(|(best, _)| length < best) {
            found = Some((length, id));
        }
        expr.for_each_child(id, |child| left.push(child));
    }
    found
}

/// The tree of the text with an empty list at the cursor; what is missing behind it is made up.
fn around_list(cursor: &Cursor, open: usize) -> Option<Expr> {
    let front = &cursor.text[..cursor.tokens[open].span.end];
    let mut rest = cursor.tokens[open + 1..].iter();
    let end = loop {
        match rest.next() {
            Some(token) => match token.kind {
                Kind::Word | Kind::String | Kind::Comma | Kind::Comment | Kind::Unknown => {}
                Kind::Close(b')') => break token.span.end,
                _ => break token.span.start,
            },
            None => break cursor.text.len(),
        }
    };
    let whole = format!("{front}){}", &cursor.text[end..]);
    parse(&whole)
        .or_else(|| parse(&completed(&whole)))
        .or_else(|| parse(&completed(&format!("{front})"))))
}

/// A text that breaks off, with what it needs at least to be an expression.
fn completed(text: &str) -> String {
    let tokens = tokens(text);
    let mut walk = Walk::new(text);
    for at in 0..tokens.len() {
        walk.step(&tokens, at);
    }
    let mut out = text.to_owned();
    out.push_str(match walk.state {
        State::Operand(_) => PLACEHOLDER,
        State::Arguments(_) => "(promql_ide_placeholder)",
        State::Duration(_) => {
            let last = tokens.iter().rev().find(|token| token.kind != Kind::Comment);
            let complete = |t: &Token| matches!(t.kind, Kind::Duration | Kind::Number);
            if last.is_some_and(complete) { "" } else { "1m" }
        }
        State::MatcherOperator => "=\"\"",
        State::MatcherValue => "\"\"",
        _ => "",
    });
    for frame in walk.frames.iter().rev() {
        if let Kind::Open(byte) = tokens[frame.open].kind {
            out.push(char::from(closing(byte)));
            if let FrameKind::List(_) = frame.kind {
                out.push_str("(promql_ide_placeholder)");
            }
        }
    }
    out
}

/// Labels on their way from the selectors to the root.
struct Flow<'a> {
    catalogue: &'a dyn Catalogue,
    missing: &'a mut Vec<Question>,
    /// The types of the tree's nodes.
    types: Vec<ValueType>,
}

impl Flow<'_> {
    /// The labels of all series that any selector of the text names: better than nothing.
    fn of_text(&mut self, cursor: &Cursor) -> Labels {
        let mut all: Labels = None;
        for (at, token) in cursor.tokens.iter().enumerate() {
            let name = token.text(&cursor.text);
            let is_known = self.catalogue.metrics().is_some_and(|m| m.names().contains(name));
            if token.kind == Kind::Word && is_known && at != cursor.index {
                let labels = self.of_series(Selector::metric(name));
                all.get_or_insert_default().extend(labels.unwrap_or_default());
            }
        }
        all
    }

    fn of(&mut self, expr: &Expr, id: NodeId, depth: usize) -> Labels {
        if depth > DEEPEST {
            return None;
        }
        let depth = depth + 1;
        match expr.kind(id) {
            NodeKind::Number { .. } | NodeKind::String(_) => Some(BTreeSet::new()),
            NodeKind::VectorSelector(_) => self.of_selector(expr, id),
            NodeKind::MatrixSelector { selector, .. } => self.of(expr, selector, depth),
            NodeKind::Subquery(id) => self.of(expr, expr.subquery(id).expr, depth),
            NodeKind::Unary { expr: inner, .. } | NodeKind::Paren(inner) => {
                self.of(expr, inner, depth)
            }
            NodeKind::Aggregate { op, expr: operand, param, grouping, without } => {
                let keeps = matches!(
                    op,
                    Aggregator::Topk
                        | Aggregator::Bottomk
                        | Aggregator::Limitk
                        | Aggregator::LimitRatio
                );
                let listed = names(expr, grouping);
                let mut labels = match (keeps, without) {
                    (true, _) => self.of(expr, operand, depth),
                    (false, false) => Some(listed),
                    (false, true) => self.of(expr, operand, depth).map(|all| &all - &listed),
                };
                if op == Aggregator::CountValues
                    && let Some(added) = param.and_then(|param| string(expr, param))
                    && let Some(labels) = &mut labels
                {
                    labels.insert(added);
                }
                labels
            }
            NodeKind::Call { function, args } => {
                let args = expr.arguments(args);
                self.of_call(expr, function.function, function.returns, args, depth)
            }
            NodeKind::Binary { op, lhs, rhs, modifiers } => {
                let (left, right) = (self.of(expr, lhs, depth), self.of(expr, rhs, depth));
                let scalar = |id: NodeId| self.types[id.index()] == ValueType::Scalar;
                if op.symbol() == "or" {
                    return Some(&left? | &right?);
                }
                if op.is_set() || scalar(rhs) {
                    return left;
                }
                if scalar(lhs) {
                    return right;
                }
                let modifiers = modifiers.map(|id| *expr.binary_modifiers(id)).unwrap_or_default();
                joined(expr, modifiers, left, right)
            }
        }
    }

    fn of_call(
        &mut self,
        expr: &Expr,
        function: Function,
        returns: ValueType,
        args: &[NodeId],
        depth: usize,
    ) -> Labels {
        let first = args.first().copied();
        match function {
            _ if returns == ValueType::Scalar => Some(BTreeSet::new()),
            Function::Vector => Some(BTreeSet::new()),
            Function::Absent | Function::AbsentOverTime => {
                let mut id = first?;
                if let NodeKind::MatrixSelector { selector, .. } = expr.kind(id) {
                    id = selector;
                }
                let NodeKind::VectorSelector(id) = expr.kind(id) else {
                    return Some(BTreeSet::new());
                };
                let matchers = expr.matchers(expr.selector(id));
                let equal = matchers.iter().filter(|m| m.op == MatchOp::Equal && !m.is_name);
                Some(equal.map(|m| expr.text_lossy(m.name).into_owned()).collect())
            }
            Function::LabelReplace | Function::LabelJoin => {
                let mut labels = self.of(expr, first?, depth)?;
                labels.extend(args.get(1).and_then(|id| string(expr, *id)));
                Some(labels)
            }
            Function::HistogramQuantile => {
                let mut labels = self.of(expr, *args.get(1)?, depth)?;
                labels.remove("le");
                Some(labels)
            }
            _ => {
                // The labels are those of the only vector among the arguments.
                let is_vector = |id: &NodeId| {
                    !matches!(self.types[id.index()], ValueType::Scalar | ValueType::String)
                };
                let vector = args.iter().copied().find(is_vector);
                match vector {
                    Some(id) => self.of(expr, id, depth),
                    None => Some(BTreeSet::new()),
                }
            }
        }
    }

    fn of_selector(&mut self, expr: &Expr, id: NodeId) -> Labels {
        let NodeKind::VectorSelector(id) = expr.kind(id) else { return None };
        let written = expr.selector(id);
        let metric = written.name.map(|name| expr.text_lossy(name).into_owned());
        let mut selector = Selector { metric, conditions: Vec::new() };
        for matcher in expr.matchers(written) {
            let text = |text| String::from_utf8(expr.text(text).to_vec()).ok();
            let (Some(label), Some(value)) = (text(matcher.name), text(matcher.value)) else {
                continue;
            };
            if label == "__name__" && matcher.op == MatchOp::Equal {
                selector.metric = Some(value);
            } else {
                selector.conditions.push(Condition { label, op: matcher.op, value });
            }
        }
        if selector.metric.as_deref() == Some(PLACEHOLDER) {
            return None;
        }
        self.of_series(selector)
    }

    fn of_series(&mut self, selector: Selector) -> Labels {
        match self.catalogue.label_names(&selector) {
            Some(names) => Some(names.iter().map(str::to_owned).collect()),
            None => {
                let question = Question::LabelNames { selector };
                if !self.missing.contains(&question) {
                    self.missing.push(question);
                }
                None
            }
        }
    }
}

/// The labels of two vectors joined by an operator that is no set operator.
fn joined(expr: &Expr, modifiers: BinaryModifiers, left: Labels, right: Labels) -> Labels {
    let listed = names(expr, modifiers.labels);
    if let Some(side) = modifiers.group {
        let many = match side {
            GroupSide::Left => left,
            GroupSide::Right => right,
        };
        return Some(&many? | &names(expr, modifiers.include));
    }
    match modifiers.matching {
        Some(MatchingKeyword::On) => Some(listed),
        Some(MatchingKeyword::Ignoring) => Some(&(left.or(right)?) - &listed),
        // They match if all their labels do.
        None => left.or(right),
    }
}

fn names(expr: &Expr, list: List) -> BTreeSet<String> {
    expr.labels(list).iter().map(|label| expr.text_lossy(label.name).into_owned()).collect()
}

fn string(expr: &Expr, id: NodeId) -> Option<String> {
    match expr.kind(id) {
        NodeKind::String(text) => Some(expr.text_lossy(text).into_owned()),
        NodeKind::Paren(inner) => string(expr, inner),
        _ => None,
    }
}
