//! What checks ask about the shape of an expression: which word stands where, what an aggregation keeps,
//! what a selector names, what is beneath functions that change labels only.

use promql_model::MatchOp;
use promql_syntax::ast::{GroupSide, GroupingLabel, NodeId, NodeKind, VectorSelector};
use promql_syntax::{Aggregator, Function, Span};

use crate::context::ExprContext;
use crate::evidence::Operation;

/// The word that a call or an aggregation begins with; of other nodes all.
pub(crate) fn word(cx: &ExprContext<'_>, id: NodeId) -> Span {
    let span = cx.expr.span(id);
    let name = match cx.expr.kind(id) {
        NodeKind::Call { function, .. } => function.name,
        NodeKind::Aggregate { op, .. } => op.name(),
        _ => return span,
    };
    Span::new(span.start, span.start + name.len() as u32)
}

/// An aggregation.
pub(crate) struct Aggregation<'a> {
    /// The operator.
    pub(crate) op: Aggregator,
    /// What is aggregated.
    pub(crate) operand: NodeId,
    /// The labels of `by` or `without`.
    pub(crate) labels: &'a [GroupingLabel],
    /// Whether it is `without`.
    pub(crate) without: bool,
}

impl<'a> Aggregation<'a> {
    /// The aggregation that a node is, parentheses left out.
    pub(crate) fn of(cx: &ExprContext<'a>, id: NodeId) -> Option<Aggregation<'a>> {
        match cx.expr.kind(cx.bare(id)) {
            NodeKind::Aggregate { op, expr, grouping, without, .. } => {
                Some(Aggregation { op, operand: expr, labels: cx.expr.labels(grouping), without })
            }
            _ => None,
        }
    }

    /// All aggregations of an expression, each with its node.
    pub(crate) fn all(cx: &'a ExprContext<'a>) -> impl Iterator<Item = (NodeId, Aggregation<'a>)> {
        cx.nodes().filter_map(move |(id, node)| match node.kind {
            NodeKind::Aggregate { op, expr, grouping, without, .. } => {
                let labels = cx.expr.labels(grouping);
                Some((id, Aggregation { op, operand: expr, labels, without }))
            }
            _ => None,
        })
    }

    /// Whether its elements are other ones than those that it aggregates: not so for `topk` and the like.
    pub(crate) fn is_summary(&self) -> bool {
        use Aggregator::{Bottomk, LimitRatio, Limitk, Topk};
        !matches!(self.op, Topk | Bottomk | Limitk | LimitRatio)
    }

    /// Whether a label of what is aggregated stays.
    pub(crate) fn keeps(&self, cx: &ExprContext<'_>, name: &str) -> bool {
        let is_listed = self.labels.iter().any(|label| cx.expr.text(label.name) == name.as_bytes());
        !self.is_summary() || is_listed != self.without
    }
}

/// The selector that a node is, or that it takes a range of; parentheses left out.
pub(crate) fn selector<'a>(cx: &ExprContext<'a>, id: NodeId) -> Option<&'a VectorSelector> {
    match cx.expr.kind(cx.bare(id)) {
        NodeKind::VectorSelector(selector) => Some(cx.expr.selector(selector)),
        NodeKind::MatrixSelector { selector: inner, .. } => selector(cx, inner),
        _ => None,
    }
}

/// The metric that such a selector names by `=`.
pub(crate) fn metric<'a>(cx: &ExprContext<'a>, id: NodeId) -> Option<&'a str> {
    selector(cx, id).and_then(|selector| cx.metric_name(selector))
}

/// Whether a selector has a matcher on a label.
pub(crate) fn has_matcher(cx: &ExprContext<'_>, selector: &VectorSelector, label: &str) -> bool {
    let mut matchers = cx.expr.matchers(selector).iter();
    matchers.any(|matcher| cx.expr.text(matcher.name) == label.as_bytes())
}

/// The value that a selector asks for of a label by `=`.
pub(crate) fn asked<'a>(
    cx: &ExprContext<'a>,
    selector: &VectorSelector,
    label: &str,
) -> Option<&'a str> {
    let mut matchers = cx.expr.matchers(selector).iter();
    let found = matchers.find(|matcher| {
        matcher.op == MatchOp::Equal && cx.expr.text(matcher.name) == label.as_bytes()
    });
    found.and_then(|matcher| cx.pattern(matcher))
}

/// What a node is beneath parentheses and functions that change labels or the order only.
pub(crate) fn beneath(cx: &ExprContext<'_>, mut id: NodeId) -> NodeId {
    loop {
        id = cx.bare(id);
        let NodeKind::Call { function, args } = cx.expr.kind(id) else { return id };
        match (changes_labels_only(function.function), cx.expr.arguments(args).first()) {
            (true, Some(argument)) => id = *argument,
            _ => return id,
        }
    }
}

/// Whether a function gives the elements that it gets, but for their labels and their order.
pub(crate) fn changes_labels_only(function: Function) -> bool {
    use Function::{LabelJoin, LabelReplace, Sort, SortByLabel, SortByLabelDesc, SortDesc};
    matches!(function, LabelReplace | LabelJoin | Sort | SortDesc | SortByLabel | SortByLabelDesc)
}

/// Whether a function says how much a metric changes.
pub(crate) fn is_of_change(function: Function) -> bool {
    use Function::{Delta, Deriv, Idelta, Increase, Irate, Rate};
    matches!(function, Rate | Irate | Increase | Delta | Idelta | Deriv)
}

/// Whether a node, or one beneath it, is of some kind.
pub(crate) fn has(cx: &ExprContext<'_>, id: NodeId, is_one: impl Fn(NodeKind) -> bool) -> bool {
    let mut open = vec![id];
    while let Some(id) = open.pop() {
        if is_one(cx.expr.kind(id)) {
            return true;
        }
        cx.expr.for_each_child(id, |child| open.push(child));
    }
    false
}

/// Whether a node, or one beneath it, is a rate or an increase.
pub(crate) fn has_change(cx: &ExprContext<'_>, id: NodeId) -> bool {
    has(
        cx,
        id,
        |kind| matches!(kind, NodeKind::Call { function, .. } if is_of_change(function.function)),
    )
}

/// Whether nothing beneath a node is read from the database or from the clock.
pub(crate) fn is_constant(cx: &ExprContext<'_>, id: NodeId) -> bool {
    !has(cx, id, |kind| match kind {
        NodeKind::VectorSelector(_) => true,
        // Functions without a vector are those of time; but `vector(1)` and `pi()` say nothing new.
        NodeKind::Call { function, args } => args.is_empty() && function.function != Function::Pi,
        _ => false,
    })
}

/// `group_left` or `group_right` of an operation, as it stands between its operands.
pub(crate) fn group_keyword(cx: &ExprContext<'_>, operation: &Operation<'_>) -> Option<Span> {
    let word = match operation.modifiers.group? {
        GroupSide::Left => "group_left",
        GroupSide::Right => "group_right",
    };
    let between = Span::new(cx.expr.span(operation.lhs).end, cx.expr.span(operation.rhs).start);
    let text = cx.source(between);
    // A comment could hold the word as well.
    let at = text.to_ascii_lowercase().find(word).filter(|_| !text.contains('#'))?;
    let start = between.start + at as u32;
    Some(Span::new(start, start + word.len() as u32))
}

/// The part of a text that goes with a label when that is taken out of a list: its comma too.
pub(crate) fn in_list(labels: &[GroupingLabel], at: usize) -> Option<Span> {
    let label = labels.get(at)?;
    Some(match (at.checked_sub(1).and_then(|at| labels.get(at)), labels.get(at + 1)) {
        (_, Some(next)) => Span::new(label.span.start, next.span.start),
        (Some(before), None) => Span::new(before.span.end, label.span.end),
        (None, None) => label.span,
    })
}

/// The units of durations, the largest first, in nanoseconds. Weeks and years would surprise here.
const UNITS: &[(i64, &str)] = &[
    (86_400_000_000_000, "d"),
    (3_600_000_000_000, "h"),
    (60_000_000_000, "m"),
    (1_000_000_000, "s"),
    (1_000_000, "ms"),
];

/// A duration in nanoseconds as PromQL writes it: `1h30m`.
pub(crate) fn duration(nanoseconds: i64) -> String {
    let mut rest = nanoseconds.max(0);
    let mut text = String::new();
    for (unit, name) in UNITS {
        if rest >= *unit {
            text.push_str(&format!("{}{name}", rest / unit));
            rest %= unit;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}
