//! Operations between two vectors: which elements can match, and what comes of those that do.

use promql_syntax::ast::{BinaryModifiers, BinaryOp, Expr, GroupSide, MatchingKeyword, NodeId};

use super::flags::{Basis, Conditions, Failures};
use super::labels::{Change, Labels, Reason};
use super::part_of_whole::part_of_whole;
use super::range_arithmetic::arithmetic;
use super::with_scalar::{Operator, of_both, truth};
use super::{
    Arm, Dropped, Flow, Here, NAMES, Presence, Range, Text, Verdict, Walk, Why, drop_name,
    name_is_constant, names_of,
};

/// The labels that decide whether two elements match.
#[derive(Clone, Debug)]
pub(super) struct Matching {
    pub(super) on: bool,
    pub(super) labels: Vec<Text>,
}

impl Matching {
    pub(super) fn of(walk: &Walk<'_>, modifiers: &BinaryModifiers) -> Matching {
        Matching::written(walk.expr, modifiers)
    }

    pub(super) fn written(expr: &Expr, modifiers: &BinaryModifiers) -> Matching {
        let on = modifiers.matching == Some(MatchingKeyword::On);
        Matching { on, labels: names_of(expr, modifiers.labels) }
    }

    /// Whether a label takes part.
    pub(super) fn has(&self, name: &str) -> bool {
        let listed = self.labels.iter().any(|label| &**label == name);
        if self.on { listed } else { !listed && *name != *NAMES.name }
    }

    /// The labels that take part and of which something is known on one side. All others that take
    /// part are absent on a side that is closed, and else can be anything.
    fn known<'a>(&'a self, a: &'a Labels, b: &'a Labels) -> Vec<&'a Text> {
        match self.on {
            true => self.labels.iter().collect(),
            false => a.all_names(b).filter(|name| self.has(name)).collect(),
        }
    }

    /// The label for which no two elements can be equal, if there is one: one that is proven to be,
    /// before one that rests on an assumption, and one that was removed nearby.
    pub(super) fn mismatch<'a>(&'a self, a: &'a Labels, b: &'a Labels) -> Option<&'a Text> {
        let known = self.known(a, b).into_iter();
        let mismatches = known.filter(|name| a.get(name).is_disjoint(b.get(name)));
        mismatches.min_by_key(|name| {
            let basis = a.basis(name).or(b.basis(name));
            let changes = [a.change(name), b.change(name)];
            let removed = changes.iter().flatten().any(|c| c.reason == Reason::Aggregated);
            (!basis.is_empty(), !removed)
        })
    }

    /// Narrows the labels of elements to those that can match others.
    pub(super) fn refine(&self, labels: &mut Labels, other: &Labels, change: Change) {
        let names: Vec<Text> = self.known(labels, other).into_iter().cloned().collect();
        for name in &names {
            labels.narrow(name, other.get(name), other.basis(name), Some(change));
        }
        if !self.on && labels.is_open() && !other.is_open() {
            let of_other = other.iter().map(|label| &label.name);
            let kept = self.labels.iter().chain([&NAMES.name]).chain(of_other);
            labels.close_except(kept, change);
        }
    }

    /// Whether no two elements of a side match the same element.
    pub(super) fn is_unique(&self, flow: &Flow) -> bool {
        match &*flow.arms {
            [] => true,
            [arm] => match &arm.key {
                Some(key) => key.iter().all(|label| self.has(label)),
                None => !self.on && self.labels.is_empty() && name_is_constant(arm),
            },
            _ => false,
        }
    }

    /// Whether all elements have the same signature, and which: the values of the labels that are
    /// there.
    pub(super) fn signature<'a>(&self, labels: &'a Labels) -> Option<Vec<(&'a str, &'a str)>> {
        if !self.on && labels.is_open() {
            return None;
        }
        let mut signature = Vec::new();
        if self.on {
            for name in &self.labels {
                let (name, value) = match labels.entry(name) {
                    Some(label) => (&*label.name, label.values.constant()?),
                    None if labels.is_open() => return None,
                    None => continue,
                };
                if !value.is_empty() {
                    signature.push((name, value));
                }
            }
            return Some(signature);
        }
        for label in labels.iter().filter(|label| self.has(&label.name)) {
            match label.values.constant()? {
                "" => {}
                value => signature.push((&*label.name, value)),
            }
        }
        Some(signature)
    }
}

impl Walk<'_> {
    pub(super) fn join(
        &self,
        here: Here,
        op: BinaryOp,
        lhs: NodeId,
        rhs: NodeId,
        modifiers: &BinaryModifiers,
    ) -> Flow {
        let Some(operator) = Operator::of(op, modifiers.return_bool) else {
            return Flow::top(promql_syntax::ValueType::InstantVector);
        };
        let join = Join {
            operator,
            matching: Matching::of(self, modifiers),
            group: modifiers.group,
            include: self.names(modifiers.include),
            here,
        };
        let (left, right) = (self.flow(lhs), self.flow(rhs));
        let known = match op {
            BinaryOp::Div => part_of_whole(self.expr, &self.flows, lhs, rhs, modifiers)
                .map(|whole| whole.range().with_nan(true)),
            BinaryOp::Mul => self.cancelled(lhs, rhs, modifiers),
            _ => None,
        };
        let mut arms = Vec::new();
        let mut dropped = Vec::new();
        for (i, a) in left.arms.iter().enumerate() {
            for (j, b) in right.arms.iter().enumerate() {
                if let Some(label) = join.matching.mismatch(&a.labels, &b.labels) {
                    let basis = a.labels.basis(label).or(b.labels.basis(label));
                    let why = Why::NoPartner { label: label.clone(), left: i, right: j };
                    dropped.push(Dropped { why, basis: basis.or(a.basis).or(b.basis) });
                    continue;
                }
                match join.pair(a, b, known.as_ref()) {
                    Ok(arm) => arms.push(arm),
                    Err(why) => dropped.push(why),
                }
            }
        }
        let filled = modifiers.fill_left.is_some() || modifiers.fill_right.is_some();
        if let Some(value) = modifiers.fill_right {
            for a in &left.arms {
                let partner = join.partner(a, value);
                arms.extend(join.pair(a, &partner, None).ok());
            }
        }
        if let Some(value) = modifiers.fill_left {
            for b in &right.arms {
                let partner = join.partner(b, value);
                arms.extend(join.pair(&partner, b, None).ok());
            }
        }
        let mut failures = join.failures(left, right);
        if filled {
            failures = failures.or(Failures::MATCHING).or(Failures::SAME_LABELS);
        }
        Flow::vector(arms, dropped, failures)
    }
}

/// A join of two vectors.
struct Join {
    operator: Operator,
    matching: Matching,
    group: Option<GroupSide>,
    include: Vec<Text>,
    here: Here,
}

impl Join {
    /// What comes of elements that match.
    fn pair(&self, a: &Arm, b: &Arm, known: Option<&Range>) -> Result<Arm, Dropped> {
        let change = self.here.changes(Reason::Matched);
        let (mut left, mut right) = (a.clone(), b.clone());
        self.matching.refine(&mut left.labels, &b.labels, change);
        self.matching.refine(&mut right.labels, &a.labels, change);
        let basis = a.basis.or(b.basis);
        let Some(samples) = self.operator.samples(a.samples, b.samples) else {
            return Err(Dropped {
                why: Why::Samples,
                basis: a.quantity.basis.or(b.quantity.basis),
            });
        };
        left.settle_key();
        right.settle_key();
        let mut result = match self.group {
            Some(GroupSide::Right) => self.many(right.clone(), &left),
            Some(GroupSide::Left) => self.many(left.clone(), &right),
            None => self.one_to_one(left.clone(), &right),
        };
        let conditional = a.is_conditional() || b.is_conditional();
        result.conditions = a.conditions.or(b.conditions);
        if conditional {
            result.conditions = result.conditions.or(Conditions::JOIN);
        }
        // Two elements that are always there match always if nothing can tell them apart.
        let empty = |labels: &Labels| self.matching.signature(labels).is_some_and(|s| s.is_empty());
        let always = a.presence == Presence::Always
            && b.presence == Presence::Always
            && !a.samples.has_histograms()
            && !b.samples.has_histograms()
            && empty(&a.labels)
            && empty(&b.labels);
        result.presence = if always { Presence::Always } else { Presence::Maybe };
        result.samples = samples;
        result.unstable = a.unstable || b.unstable;
        result.basis = basis;
        result.quantity = of_both(self.operator, a.quantity, b.quantity);
        result.value = self.value(a, b, known, &mut result)?;
        Ok(result)
    }

    fn value(
        &self,
        a: &Arm,
        b: &Arm,
        known: Option<&Range>,
        result: &mut Arm,
    ) -> Result<Range, Dropped> {
        let histograms = result.samples.has_histograms()
            || (a.samples.has_histograms() && b.samples.has_histograms());
        let basis = a.value.basis.or(b.value.basis);
        Ok(match self.operator {
            Operator::Arithmetic(op) => {
                let value = arithmetic(op, &a.value, &b.value);
                match known {
                    // What is known anyway rests on nothing that the operands do.
                    Some(known) => {
                        let both = value.meet(known);
                        let adds = Range { basis: known.basis, ..both } != *known;
                        if adds { both } else { *known }
                    }
                    None => value,
                }
            }
            Operator::Filter(op) => {
                match a.value.compare(op, &b.value) {
                    Verdict::Never if !histograms => {
                        return Err(Dropped { why: Why::Comparison, basis });
                    }
                    Verdict::Always if !histograms && basis.is_empty() => {}
                    _ => {
                        result.conditions = result.conditions.or(Conditions::VALUE);
                        result.presence = result.presence.min(Presence::Maybe);
                    }
                }
                a.value.filtered(op, &b.value)
            }
            Operator::Bool(op) => {
                let range = truth(a.value.compare(op, &b.value)).on(basis);
                if histograms { Range::integers(0.0, 1.0) } else { range }
            }
            Operator::Trim => a.value,
        })
    }

    fn one_to_one(&self, mut left: Arm, right: &Arm) -> Arm {
        let change = self.here.changes(Reason::Matched);
        let matched = |key: &Option<Vec<Text>>| {
            key.as_ref().filter(|key| key.iter().all(|label| self.matching.has(label))).cloned()
        };
        let (a, b) = (matched(&left.key), matched(&right.key));
        let key = match (a, b) {
            (Some(a), Some(b)) => Some(if b.len() < a.len() { b } else { a }),
            (a, b) => a.or(b),
        };
        if !self.operator.keeps_name() {
            drop_name(&mut left, self.here);
        }
        if self.matching.on {
            left.labels = left.labels.only(&self.matching.labels, change);
        } else {
            for label in &self.matching.labels {
                left.labels.delete(label, change);
            }
        }
        left.key = key;
        left.settle_key();
        left
    }

    fn many(&self, mut many: Arm, one: &Arm) -> Arm {
        if !self.operator.keeps_name() {
            drop_name(&mut many, self.here);
        }
        let included = Some(self.here.changes(Reason::Included));
        for label in &self.include {
            let values = one.labels.get(label).clone();
            many.labels.set(label.clone(), values, one.labels.basis(label), included);
        }
        many.forget_key_if(|label| self.include.iter().any(|included| &**included == label));
        many.settle_key();
        many
    }

    /// The element that takes the place of a missing one: with the labels that take part.
    fn partner(&self, of: &Arm, value: f64) -> Arm {
        let change = self.here.changes(Reason::Matched);
        let mut partner = Arm::scalar(Range::point(value));
        partner.presence = Presence::Maybe;
        partner.labels = match self.matching.on {
            true => of.labels.only(&self.matching.labels, change),
            false => {
                let mut labels = of.labels.clone();
                for label in self.matching.labels.iter().chain([&NAMES.name]) {
                    labels.delete(label, change);
                }
                labels
            }
        };
        partner.key = match &of.key {
            Some(key) if key.iter().all(|label| self.matching.has(label)) => Some(key.clone()),
            _ => None,
        };
        partner.basis = of.basis;
        partner.settle_key();
        partner
    }

    fn failures(&self, left: &Flow, right: &Flow) -> Failures {
        let unique = |flow| self.matching.is_unique(flow);
        let (many, one) = match self.group {
            Some(GroupSide::Right) => (right, left),
            _ => (left, right),
        };
        let collides = match self.group {
            None => !unique(many),
            // Results that differ in what they lose, or in what is replaced, are the same.
            Some(_) => {
                let names = self.operator.keeps_name()
                    || matches!(&*many.arms, [] | [_]) && many.arms.iter().all(name_is_constant);
                let included = |key: &Vec<Text>| key.iter().any(|l| self.include.contains(l));
                let keyed = many.arms.len() < 2
                    && many.arms.iter().all(|arm| arm.key.as_ref().is_some_and(|k| !included(k)));
                !names || (!self.include.is_empty() && !keyed)
            }
        };
        if collides || !unique(one) {
            return Failures::MATCHING.or(Failures::SAME_LABELS);
        }
        Failures::NONE
    }
}

/// What a set of labels rests on.
pub(super) fn basis_of(label: &Text, a: &Labels, b: &Labels) -> Basis {
    a.basis(label).or(b.basis(label))
}
