//! `and`, `or` and `unless`.

use promql_syntax::ast::{BinaryModifiers, BinaryOp, NodeId};

use super::flags::{Basis, Conditions, Failures};
use super::join::{Matching, basis_of};
use super::labels::{Labels, Reason};
use super::part_of_whole::is_narrower;
use super::{Arm, Dropped, Flow, Here, Presence, Walk, Why};

impl Walk<'_> {
    pub(super) fn set_operator(
        &self,
        here: Here,
        op: BinaryOp,
        lhs: NodeId,
        rhs: NodeId,
        modifiers: &BinaryModifiers,
    ) -> Flow {
        let matching = Matching::of(self, modifiers);
        let (left, right) = (self.flow(lhs), self.flow(rhs));
        match op {
            BinaryOp::And => and(here, &matching, left, right),
            BinaryOp::Unless => {
                let covers = is_narrower(self.expr, lhs, rhs);
                unless(&matching, left, right, covers)
            }
            _ => {
                let covers = is_narrower(self.expr, rhs, lhs);
                or(&matching, left, right, covers)
            }
        }
    }
}

fn and(here: Here, matching: &Matching, left: &Flow, right: &Flow) -> Flow {
    let change = here.changes(Reason::Matched);
    let mut dropped = Vec::new();
    let mut arms = Vec::new();
    for (i, a) in left.arms.iter().enumerate() {
        let mut partners: Option<Labels> = None;
        let mut conditions = Conditions::NONE;
        let mut basis = Basis::NONE;
        for (j, b) in right.arms.iter().enumerate() {
            if let Some(label) = matching.mismatch(&a.labels, &b.labels) {
                let basis = basis_of(label, &a.labels, &b.labels).or(a.basis).or(b.basis);
                let why = Why::NoPartner { label: label.clone(), left: i, right: j };
                dropped.push(Dropped { why, basis });
                continue;
            }
            conditions = conditions.or(b.conditions);
            basis = basis.or(b.basis);
            partners = Some(match partners {
                None => b.labels.clone(),
                Some(labels) => labels.join(&b.labels),
            });
        }
        let Some(partners) = partners else { continue };
        let mut arm = a.clone();
        matching.refine(&mut arm.labels, &partners, change);
        if arm.labels.contradiction().is_some() {
            // Each partner alone was possible, so this can't be; but nothing is lost by saying less.
            arm.labels = a.labels.clone();
        }
        arm.settle_key();
        arm.presence = Presence::Maybe;
        arm.conditions = arm.conditions.or(conditions).or(Conditions::MEMBER);
        arm.basis = arm.basis.or(basis);
        arms.push(arm);
    }
    Flow::vector(arms, dropped, Failures::NONE)
}

fn unless(matching: &Matching, left: &Flow, right: &Flow, covers: bool) -> Flow {
    let mut dropped = Vec::new();
    let mut arms = Vec::new();
    for a in &left.arms {
        let excluded = covers || is_always_matched(matching, a, right);
        if excluded {
            dropped.push(Dropped { why: Why::Excluded, basis: right.whole_basis() });
            continue;
        }
        let mut arm = a.clone();
        let meets = |b: &Arm| matching.mismatch(&a.labels, &b.labels).is_none();
        if right.arms.iter().any(meets) {
            arm.presence = arm.presence.min(Presence::Maybe);
            arm.conditions = arm.conditions.or(Conditions::MEMBER);
        } else {
            // Whether anything is excluded may rest on assumptions.
            let basis = right.arms.iter().filter_map(|b| {
                let label = matching.mismatch(&a.labels, &b.labels)?;
                Some(basis_of(label, &a.labels, &b.labels).or(b.basis))
            });
            arm.basis = basis.fold(arm.basis.or(right.basis), Basis::or);
            // As the operator is written to exclude, the condition is one all the same.
            arm.conditions = arm.conditions.or(Conditions::MEMBER);
        }
        arms.push(arm);
    }
    Flow::vector(arms, dropped, Failures::NONE)
}

fn or(matching: &Matching, left: &Flow, right: &Flow, covers: bool) -> Flow {
    let mut dropped = Vec::new();
    let mut arms = left.arms.clone();
    for b in &right.arms {
        let covered = covers || is_always_matched(matching, b, left);
        if covered {
            dropped.push(Dropped { why: Why::Covered, basis: left.whole_basis() });
            continue;
        }
        let mut arm = b.clone();
        let meets = |a: &Arm| matching.mismatch(&a.labels, &b.labels).is_none();
        if left.arms.iter().any(meets) {
            if arm.presence == Presence::Always {
                // It shows where there is nothing else.
                arm.conditions = arm.conditions.or(Conditions::ABSENCE);
            }
            arm.presence = arm.presence.min(Presence::Maybe);
        } else if arm.presence == Presence::Always {
            arm.basis = arm.basis.or(left.whole_basis());
        }
        arms.push(arm);
    }
    let mut flow = Flow::vector(arms, dropped, Failures::NONE);
    if !flow.is_never() {
        flow.nonempty = flow.nonempty.max(left.nonempty).max(right.nonempty);
    }
    flow
}

/// Whether each element of an arm always has a partner in a flow: all have one signature, and there
/// always is an element with it.
fn is_always_matched(matching: &Matching, arm: &Arm, others: &Flow) -> bool {
    if matching.on && matching.labels.is_empty() {
        return others.nonempty == Presence::Always;
    }
    let Some(signature) = matching.signature(&arm.labels) else { return false };
    others.arms.iter().any(|other| {
        other.presence == Presence::Always
            && matching.signature(&other.labels).is_some_and(|others| others == signature)
    })
}
