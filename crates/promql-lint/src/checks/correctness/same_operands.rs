//! `same-operands` (C032).

use promql_syntax::ast::{BinaryOp, NodeKind};

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::Report;

declare_check! {
    /// Finds an operation between two operands that are the same.
    ///
    /// ## Why it matters
    /// `x / x` is 1, `x - x` is 0, `x and x` is `x`. One of them was meant to be something else.
    ///
    /// ## Examples
    /// ```promql bad
    /// rate(errors_total[5m]) / rate(errors_total[5m]) > 0.1
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ both operands are the same, so this is always 1
    /// ```
    /// ```promql bad
    /// sum(queue_length) - sum( queue_length ) > 3
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ both operands are the same, so this is always 0
    /// ```
    /// ```promql bad
    /// up == 0 and up == 0
    /// ^^^^^^^^^^^^^^^^^^^ both operands are the same, so this is the same as one of them
    /// ```
    /// ```promql good
    /// rate(errors_total[5m]) / rate(errors_total[5m] offset 1d) > 2
    /// ```
    /// This finds NaN:
    /// ```promql good
    /// queue_length != queue_length
    /// ```
    /// ```promql good
    /// queue_length * queue_length
    /// ```
    /// ```json good
    /// {"panels": [{"title": "Share", "targets": [
    ///   {"expr": "rate(x_total{pod=\"$pod\"}[5m]) / rate(x_total{pod=\"$all\"}[5m])"},
    ///   {"expr": "rate(x_total[$a]) / rate(x_total[$b])"}]}]}
    /// ```
    "C032" "same-operands" Warning, Proven, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, node) in cx.nodes() {
        let NodeKind::Binary { op, lhs, rhs, .. } = node.kind else { continue };
        let effect = match op {
            BinaryOp::Sub => "always 0",
            BinaryOp::Div => "always 1",
            BinaryOp::Mod => "always 0",
            BinaryOp::Gt | BinaryOp::Lt => "never true",
            BinaryOp::Ge | BinaryOp::Le => "always true",
            BinaryOp::And | BinaryOp::Or => "the same as one of them",
            BinaryOp::Unless => "nothing",
            _ => continue,
        };
        let (a, b) = (cx.bare(lhs), cx.bare(rhs));
        // Numbers document how something is computed.
        let lengths = (cx.expr.nodes()[a.index()].kind, cx.expr.nodes()[b.index()].kind);
        if std::mem::discriminant(&lengths.0) != std::mem::discriminant(&lengths.1)
            || cx.number(a).is_some()
            || cx.expr.print_node(a) != cx.expr.print_node(b)
        {
            continue;
        }
        report
            .at(cx.place_of(id), format!("both operands are the same, so this is {effect}"))
            .help("one of them was meant to be something else");
    }
}
