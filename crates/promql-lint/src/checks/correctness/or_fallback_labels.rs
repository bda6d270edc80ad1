//! `or-fallback-labels` (C015).

use promql_syntax::ast::BinaryOp;

use crate::check::{Severity, declare_check};
use crate::context::ExprContext;
use crate::evidence::{Operation, rests_on};
use crate::finding::Report;
use crate::flow::{Arm, Basis, Presence};

declare_check! {
    /// Finds a default such as `or vector(0)` behind something that keeps labels.
    ///
    /// ## Why it matters
    /// `or` adds the elements of the right side that match none on the left. What has no labels matches nothing that
    /// has some, so it is always there, as an element more, and not only when the left side is empty.
    /// `or on () vector(0)` is used only then.
    ///
    /// ## Examples
    /// ```promql bad
    /// (sum by (job) (errors{job="a"}) or vector(0)) > 5
    ///                                    ^^^^^^^^^ this default is always added: it has no labels, and the left side has
    /// ```
    /// ```promql bad
    /// (queue_length or vector(0)) < 1
    ///                  ^^^^^^^^^ this default is always added: it has no labels, and the left side has
    /// ```
    /// ```promql bad
    /// (sum by (cluster) (errors) or vector(0)) < 1
    ///                               ^^^^^^^^^ info: this default is added besides what has labels: the left side may have some
    /// ```
    /// ```promql good
    /// (sum(errors) or vector(0)) > 5
    /// ```
    /// ```promql good
    /// (sum by (job) (errors) or on () vector(0)) > 5
    /// ```
    /// ```promql good
    /// sum by (job) (errors) or sum by (pod) (errors)
    /// ```
    "C015" "or-fallback-labels" Warning, Proven, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (_, operation) in Operation::all(cx) {
        if operation.op != BinaryOp::Or || operation.modifiers.matching.is_some() {
            continue;
        }
        let (left, right) = operation.flows();
        let is_bare = |arm: &Arm| !arm.labels.is_open() && arm.labels.iter().all(|l| l.values.is_absent());
        let is_default = right.nonempty == Presence::Always && right.arms.iter().all(is_bare);
        if !is_default || left.is_never() || left.arms.iter().any(is_bare) {
            continue;
        }
        let mut basis = Basis::NONE;
        let mut is_certain = true;
        for arm in &left.arms {
            let certain = arm.labels.iter().filter(|label| &*label.name != "__name__" && label.values.is_certain());
            // The label of which the least has to be assumed.
            match certain.map(|label| label.basis).min_by_key(|basis| basis.names().count()) {
                Some(of_label) => basis = basis.or(of_label),
                None => is_certain = false,
            }
        }
        let message = match is_certain {
            true => "this default is always added: it has no labels, and the left side has",
            false => "this default is added besides what has labels: the left side may have some",
        };
        let finding = report.at(cx.place_of(operation.rhs), message);
        finding.also(cx.place_of(operation.lhs), "keeps labels");
        finding.help("`or on () …` uses the right side only if the left one is empty");
        if !is_certain {
            finding.severity(Severity::Info);
        }
        rests_on(finding, basis);
    }
}
