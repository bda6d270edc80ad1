//! What checks that stand on the flow have in common: what a finding rests on, and what comes of it.

use promql_rules::rule_file::RuleKind;
use promql_syntax::ast::{BinaryModifiers, BinaryOp, MatchingId, NodeId, NodeKind};

use crate::check::{Evidence, Severity};
use crate::context::ExprContext;
use crate::finding::Finding;
use crate::flow::{Basis, Dropped, Flow, Why};

/// A node that never gives anything though its operands can, for these reasons alone.
pub(crate) fn dies<'f>(
    cx: &'f ExprContext<'_>,
    node: NodeId,
    is_why: impl Fn(&Why) -> bool,
) -> Option<&'f [Dropped]> {
    let flow = cx.flows().of(node);
    let mut operands_live = true;
    cx.expr.for_each_child(node, |child| operands_live &= !cx.flows().of(child).is_never());
    let found = flow.is_never() && operands_live && !flow.dropped.is_empty();
    (found && flow.dropped.iter().all(|dropped| is_why(&dropped.why))).then_some(&flow.dropped)
}

/// What it means for the rule if a node never gives anything.
pub(crate) fn consequence(cx: &ExprContext<'_>) -> &'static str {
    let root = cx.flows().root(cx.expr);
    let is_query = cx.rule.file.dashboard.is_some();
    match (root.is_never(), cx.rule.rule.kind) {
        (true, _) if is_query => "this query never gives a result",
        (true, RuleKind::Alerting) => "this alert can never fire",
        (true, RuleKind::Recording) => "this rule records nothing",
        (false, _) => "this part never gives a result",
    }
}

/// Says what a finding rests on. What rests on assumptions is a warning at most, and names them.
pub(crate) fn rests_on(finding: &mut Finding, basis: Basis) {
    if basis.is_empty() {
        return;
    }
    finding.evidence(Evidence::Presumed);
    if finding.severity == Severity::Error {
        finding.severity(Severity::Warning);
    }
    let names = basis.names().collect::<Vec<_>>().join(", ");
    let help = match finding.help.take() {
        Some(help) => format!("{help} (assumed: {names})"),
        None => format!("assumed: {names}"),
    };
    finding.help(help);
}

/// The operands and the modifiers of a binary operation.
pub(crate) struct Operation<'a> {
    pub(crate) op: BinaryOp,
    pub(crate) lhs: NodeId,
    pub(crate) rhs: NodeId,
    pub(crate) modifiers: BinaryModifiers,
    pub(crate) cx: &'a ExprContext<'a>,
}

impl<'a> Operation<'a> {
    /// All binary operations of an expression.
    pub(crate) fn all(cx: &'a ExprContext<'a>) -> impl Iterator<Item = (NodeId, Operation<'a>)> {
        cx.nodes().filter_map(move |(id, node)| match node.kind {
            NodeKind::Binary { op, lhs, rhs, modifiers } => {
                Some((id, Operation { op, lhs, rhs, modifiers: of(cx, modifiers), cx }))
            }
            _ => None,
        })
    }

    /// Whether it is a comparison that filters.
    pub(crate) fn is_filter(&self) -> bool {
        self.op.is_comparison() && !self.modifiers.return_bool
    }

    /// The flows of the operands.
    pub(crate) fn flows(&self) -> (&'a Flow, &'a Flow) {
        (self.cx.flows().of(self.lhs), self.cx.flows().of(self.rhs))
    }
}

fn of(cx: &ExprContext<'_>, modifiers: Option<MatchingId>) -> BinaryModifiers {
    modifiers.map_or_else(BinaryModifiers::default, |id| *cx.expr.binary_modifiers(id))
}

/// Whether no element can have a label, and what that rests on. Nothing if one can, or if there are no
/// elements.
pub(crate) fn lacks(flow: &Flow, label: &str) -> Option<Basis> {
    if flow.arms.is_empty() || flow.value_type != promql_syntax::ValueType::InstantVector {
        return None;
    }
    flow.arms.iter().try_fold(flow.basis, |basis, arm| {
        let closed_by_rules = arm.basis.or(arm.labels.basis(label));
        arm.labels.get(label).is_absent().then(|| basis.or(closed_by_rules))
    })
}
