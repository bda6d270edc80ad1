//! Changes of how an operation matches the elements of its sides, for the checks that propose them.

use promql_syntax::Function;
use promql_syntax::Span;
use promql_syntax::ast::{BinaryOp, NodeKind};

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
    let symbol = symbol(cx, operation)?;
    let mut at = symbol.end;
    if operation.modifiers.return_bool {
        let behind = cx.source(Span::new(at, cx.expr.span(operation.rhs).start));
        let end = behind.to_ascii_lowercase().find("bool")? + "bool".len();
        at += u32::try_from(end).ok()?;
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
    if word == "ignoring" && !operation.op.is_set() && operation.modifiers.group.is_none() {
        // Who has the labels that don't count, with several values, can have several elements for one of the
        // other side.
        let (a, b) = operation.flows();
        let has = |side: &Flow| {
            let mut labels =
                side.arms.iter().flat_map(|arm| names.iter().map(|n| arm.labels.get(n)));
            labels.any(|values| values.can_be_present() && values.constant().is_none())
        };
        text.push_str(match (has(a), has(b)) {
            (true, false) => " group_left ()",
            (false, true) => " group_right ()",
            _ => "",
        });
    }
    cx.edits(&[(Span::new(at, at), &text)])
}

/// Puts `unless x` in place of `and absent(x)`, where `and` has neither `on` nor `ignoring`.
pub(crate) fn unless_instead(
    cx: &ExprContext<'_>,
    operation: &Operation<'_>,
) -> Option<(String, Vec<Edit>)> {
    let absent = cx.bare(operation.rhs);
    let NodeKind::Call { function, args } = cx.expr.kind(absent) else { return None };
    let is_plain = operation.op == BinaryOp::And && operation.modifiers.matching.is_none();
    let &[arg] = cx.expr.arguments(args) else { return None };
    if !is_plain || function.function != Function::Absent {
        return None;
    }
    let (symbol, call, arg_span) =
        (symbol(cx, operation)?, cx.expr.span(absent), cx.expr.span(arg));
    let name = Span::new(call.start, call.start + u32::try_from(function.name.len()).ok()?);
    let is_selector = matches!(cx.expr.kind(arg), NodeKind::VectorSelector(_));
    let edits = if is_selector && absent == operation.rhs {
        let (front, back) =
            (Span::new(call.start, arg_span.start), Span::new(arg_span.end, call.end));
        let has_comment = cx.source(front).contains('#') || cx.source(back).contains('#');
        (!has_comment).then(|| cx.edits(&[(symbol, "unless"), (front, ""), (back, "")]))?
    } else {
        cx.edits(&[(symbol, "unless"), (name, "")])
    };
    Some((cx.source(arg_span).to_owned(), edits?))
}

/// The operator of an operation, as it stands between its operands.
fn symbol(cx: &ExprContext<'_>, operation: &Operation<'_>) -> Option<Span> {
    let (left, right) = (cx.expr.span(operation.lhs), cx.expr.span(operation.rhs));
    let between = cx.source(Span::new(left.end, right.start));
    let symbol = operation.op.symbol();
    let front = between.len() - between.trim_start().len();
    let is_operator = between.get(front..front + symbol.len())?.eq_ignore_ascii_case(symbol);
    if !is_operator || between.contains('#') {
        return None;
    }
    let start = left.end + u32::try_from(front).ok()?;
    Some(Span::new(start, start + u32::try_from(symbol.len()).ok()?))
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
