//! Changes of how an operation matches the elements of its sides, for the checks that propose them.

use promql_syntax::Span;

use crate::context::ExprContext;
use crate::evidence::Operation;
use crate::finding::Edit;
use crate::flow::Flow;
use crate::shape::in_list;

/// Puts `on (…)` or `ignoring (…)` behind the operator of an operation that has neither. Where one side has one
/// element for several of the other then, that is said too.
pub(crate) fn insert_matching(
    cx: &ExprContext<'_>,
    operation: &Operation<'_>,
    word: &str,
    labels: &[impl AsRef<str>],
) -> Option<Vec<Edit>> {
    let (left, right) = (cx.expr.span(operation.lhs), cx.expr.span(operation.rhs));
    let between = cx.source(Span::new(left.end, right.start));
    let symbol = operation.op.symbol();
    let front = between.len() - between.trim_start().len();
    let is_operator = between.get(front..front + symbol.len())?.eq_ignore_ascii_case(symbol);
    if !is_operator || between.contains('#') {
        return None;
    }
    let mut at = front + symbol.len();
    if operation.modifiers.return_bool {
        at = between.to_ascii_lowercase().find("bool")? + "bool".len();
    }
    let names: Vec<&str> = labels.iter().map(AsRef::as_ref).collect();
    let mut text = format!(" {word} ({})", names.join(", "));
    if word == "on" && !operation.op.is_set() && operation.modifiers.group.is_none() {
        let (a, b) = operation.flows();
        // Without the parentheses what follows could be taken for a list of labels.
        text.push_str(match (is_unique(a, &names), is_unique(b, &names)) {
            (false, true) => " group_left ()",
            (true, false) => " group_right ()",
            _ => "",
        });
    }
    let at = left.end + u32::try_from(at).ok()?;
    cx.edits(&[(Span::new(at, at), &text)])
}

/// Takes a label out of the list of `on` or `ignoring`.
pub(crate) fn leave_out(
    cx: &ExprContext<'_>,
    operation: &Operation<'_>,
    label: &str,
) -> Option<Vec<Edit>> {
    let labels = cx.expr.labels(operation.modifiers.labels);
    let at = labels.iter().position(|known| cx.expr.text(known.name) == label.as_bytes())?;
    cx.edits(&[(in_list(labels, at)?, "")])
}

/// Whether labels tell all elements of a side apart.
fn is_unique(side: &Flow, labels: &[&str]) -> bool {
    match &*side.arms {
        [arm] => {
            arm.key.as_ref().is_some_and(|key| key.iter().all(|name| labels.contains(&&**name)))
        }
        _ => false,
    }
}
