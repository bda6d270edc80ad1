//! `unless-has-no-effect` (C014).

use promql_syntax::ast::BinaryOp;

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::evidence::{Operation, consequence, dies, rests_on};
use crate::finding::Report;
use crate::flow::Why;

declare_check! {
    /// Finds an `unless` whose right side never matches, so that nothing is left out, or always does, so that
    /// nothing is left.
    ///
    /// ## Why it matters
    /// Elements match if all their labels are equal. What was aggregated has lost labels that the left side has, and
    /// so it excludes nothing: the exception that somebody wrote down has no effect.
    ///
    /// ## Examples
    /// ```promql bad
    /// requests{cluster="a"} unless sum(requests)
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the right side of `unless` never matches: `cluster` has no value that both can have; nothing is ever left out
    /// ```
    /// ```promql bad
    /// latency_seconds > 1 unless sum by (job) (maintenance)
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the right side of `unless` never matches: `instance` has no value that both can have; nothing is ever left out
    /// ```
    /// ```promql bad
    /// up == 0 unless on () vector(1)
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the right side of `unless` always matches: nothing is left; this alert can never fire
    /// ```
    /// ```promql good
    /// requests unless on (job) sum by (job) (maintenance)
    /// ```
    /// ```promql good
    /// sum by (job) (requests) unless sum by (job) (maintenance)
    /// ```
    /// ```promql good
    /// sum(requests) unless sum(maintenance)
    /// ```
    "C014" "unless-has-no-effect" Warning, Proven, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, operation) in Operation::all(cx) {
        if operation.op != BinaryOp::Unless {
            continue;
        }
        if dies(cx, id, |why| *why == Why::Excluded).is_some() {
            let finding = report
                .at(cx.place_of(id), "the right side of `unless` always matches: nothing is left");
            finding.consequence(consequence(cx));
            rests_on(finding, cx.flows().of(id).basis);
            continue;
        }
        let (left, right) = operation.flows();
        if left.is_never() || right.is_never() {
            continue;
        }
        let mismatch = |a, b| crate::flow::mismatch(cx.expr, &operation.modifiers, a, b);
        let mut basis = left.basis.or(right.basis);
        let mut labels = Vec::new();
        for a in &left.arms {
            for b in &right.arms {
                let Some(label) = mismatch(&a.labels, &b.labels) else { continue };
                basis = basis.or(a.labels.basis(&label)).or(b.labels.basis(&label));
                labels.push(label);
            }
        }
        if labels.len() < left.arms.len() * right.arms.len() {
            continue;
        }
        let Some(label) = labels.first() else { continue };
        let message =
            format!("the right side of `unless` never matches: `{label}` has no value that both can have");
        let finding = report.at(cx.place_of(id), message);
        finding.consequence("nothing is ever left out");
        finding.help("match by labels that both sides have: `unless on (…)`");
        rests_on(finding, basis);
    }
}
