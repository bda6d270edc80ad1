//! Selectors, windows over them, and subqueries.

use promql_model::{METRIC_NAME, MatchOp};
use promql_syntax::ValueType;
use promql_syntax::ast::{Duration, NodeId, SelectorId, SubqueryId};

use super::flags::{Basis, Conditions, Failures};
use super::labels::Reason;
use super::quantity::{Kind, Quantity};
use super::{Arm, Dropped, Flow, Here, NAMES, Presence, Range, Samples, Text, ValueSet, Walk, Why};

impl Walk<'_> {
    pub(super) fn selector(&self, here: Here, id: SelectorId) -> Flow {
        let selector = self.expr.selector(id);
        let named = selector.name.map(|name| self.text(name));
        let mut failures = Failures::NONE;
        if selector.modifiers.offset_expr.is_some() {
            failures = Failures::DURATION;
        }
        let mut matchers: Vec<(Text, ValueSet)> = Vec::new();
        for matcher in self.expr.matchers(selector) {
            let (op, value) = (matcher.op, self.expr.text(matcher.value));
            let values = self.env.matching(op, value).unwrap_or_else(|| {
                failures = failures.or(Failures::PARAMETER);
                ValueSet::ANY
            });
            matchers.push((self.text(matcher.name), values));
        }
        let name = named.clone().or_else(|| {
            let names = matchers.iter().filter(|(label, _)| &**label == METRIC_NAME);
            let constant = names.map(|(_, values)| values.constant()).find(Option::is_some);
            constant.flatten().map(Text::from)
        });
        let mut arms = match name.as_ref().and_then(|name| self.env.recorded(name)) {
            Some((number, arms)) => arms.iter().map(|arm| recorded(arm, here, number)).collect(),
            None => vec![self.of_name(here, name.as_ref())],
        };
        let matched = here.changes(Reason::Matcher);
        let mut dropped = Vec::new();
        arms.retain_mut(|arm| {
            if let Some(name) = &named {
                arm.labels.narrow(
                    &NAMES.name,
                    &ValueSet::one(name.clone()),
                    Basis::NONE,
                    Some(matched),
                );
            }
            for (label, values) in &matchers {
                arm.labels.narrow(label, values, Basis::NONE, Some(matched));
            }
            arm.presence = Presence::Maybe;
            arm.conditions = arm.conditions.or(Conditions::DATA);
            if let Some(label) = arm.labels.contradiction() {
                let why = Why::NoSuchLabel(label.name.clone());
                dropped.push(Dropped { why, basis: arm.basis.or(label.basis) });
                return false;
            }
            self.presume_target_labels(here, name.as_ref(), arm);
            self.type_of_metric(name.as_ref(), arm);
            if selector.modifiers.smoothed {
                // What lies between two samples is a value, too.
                arm.value.integer = false;
                arm.value.excluded = Default::default();
            }
            arm.settle_key();
            true
        });
        Flow::vector(arms, dropped, failures)
    }

    /// What is known of a metric that is not recorded by a rule.
    fn of_name(&self, here: Here, name: Option<&Text>) -> Arm {
        let mut arm = Arm::top();
        let known = Some(here.changes(Reason::Known));
        let Some(name) = name else { return arm };
        if matches!(&**name, "ALERTS" | "ALERTS_FOR_STATE") {
            arm.labels.set(NAMES.alertname.clone(), ValueSet::CERTAIN, Basis::NONE, known);
            arm.samples = Samples::Float;
            if &**name == "ALERTS" {
                let states = ValueSet::of(["firing", "pending"].map(Text::from));
                arm.labels.set(NAMES.alertstate.clone(), states, Basis::NONE, known);
                arm.value = Range::point(1.0);
            }
        }
        if let Some(key) = self.env.key_of(name) {
            arm.key = Some(key.to_vec());
        } else if &**name == "up" && self.env.presumes(Basis::TARGET_LABELS) {
            arm.key = Some(vec![NAMES.instance.clone(), NAMES.job.clone()]);
        }
        if let Some(metric) = self.env.metric(name) {
            for (label, values) in &metric.labels {
                arm.labels.set(label.clone(), values.clone(), Basis::METADATA, known);
            }
        }
        arm
    }

    fn presume_target_labels(&self, here: Here, name: Option<&Text>, arm: &mut Arm) {
        let is_scraped = name.is_some_and(|name| self.env.is_scraped(name));
        if !is_scraped || !self.env.presumes(Basis::TARGET_LABELS) {
            return;
        }
        let change = Some(here.changes(Reason::Presumed));
        for label in [&NAMES.job, &NAMES.instance] {
            // A matcher that asks for series without it knows better.
            if arm.labels.get(label).can_be_present() && arm.labels.get(label).can_be_absent() {
                arm.labels.narrow(label, &ValueSet::CERTAIN, Basis::TARGET_LABELS, change);
            }
        }
    }

    /// The kind of a metric, and what follows of it for the samples.
    fn type_of_metric(&self, name: Option<&Text>, arm: &mut Arm) {
        let Some(name) = name else { return };
        if self.env.recorded(name).is_some() {
            return;
        }
        let presumes = |basis| self.env.presumes(basis);
        let mut quantity = match self.env.metric(name).and_then(|metric| metric.quantity) {
            Some(quantity) => Quantity { basis: Basis::METADATA, ..quantity },
            None if presumes(Basis::SUFFIX_KINDS) => Quantity::of_name(name),
            None => Quantity::UNKNOWN,
        };
        let le = arm.labels.entry("le").is_some_and(|le| !le.values.can_be_absent());
        if quantity.kind == Kind::Unknown && le && presumes(Basis::SUFFIX_KINDS) {
            quantity = Quantity { basis: Basis::SUFFIX_KINDS, ..Quantity::of(Kind::Bucket) };
        }
        let summary = arm.labels.entry("quantile").is_some_and(|l| !l.values.can_be_absent());
        if quantity.kind == Kind::Unknown && summary && presumes(Basis::SUFFIX_KINDS) {
            quantity.kind = Kind::SummaryQuantile;
            quantity.basis = Basis::SUFFIX_KINDS;
        }
        arm.quantity = quantity;
        let basis = quantity.basis;
        let nonnegative = Range::nonnegative().with_nan(true).on(basis);
        match quantity.kind {
            Kind::Histogram | Kind::GaugeHistogram => arm.samples = Samples::Histogram,
            Kind::Unknown | Kind::Gauge => {}
            _ => arm.samples = Samples::Float,
        }
        let value = match quantity.kind {
            _ if &**name == "up" => Some(Range::integers(0.0, 1.0)),
            _ if &**name == "probe_success" && presumes(Basis::SUFFIX_KINDS) => {
                Some(Range::integers(0.0, 1.0).on(Basis::SUFFIX_KINDS))
            }
            Kind::Counter | Kind::Bucket | Kind::Count => Some(nonnegative.with_nan(false)),
            Kind::Timestamp => Some(nonnegative),
            Kind::Info => Some(Range::point(1.0).on(basis)),
            Kind::StateSet => Some(Range::integers(0.0, 1.0).on(basis)),
            _ if is_size(quantity) && presumes(Basis::NONNEGATIVE_SIZES) => {
                Some(nonnegative.on(Basis::NONNEGATIVE_SIZES))
            }
            _ => None,
        };
        if let Some(value) = value {
            arm.value = arm.value.meet(&value);
        }
        if &**name == "up" {
            arm.samples = Samples::Float;
        }
    }

    pub(super) fn matrix(&self, selector: NodeId, range: Duration) -> Flow {
        let flow = self.flow(selector);
        if flow.value_type != ValueType::InstantVector {
            return Flow::top(ValueType::RangeVector);
        }
        let mut flow = Flow { value_type: ValueType::RangeVector, ..flow.clone() };
        flow.failures = duration_failures(range);
        flow
    }

    pub(super) fn subquery(&self, id: SubqueryId) -> Flow {
        let subquery = self.expr.subquery(id);
        let inner = self.flow(subquery.expr);
        if inner.value_type != ValueType::InstantVector {
            return Flow::top(ValueType::RangeVector);
        }
        let step = subquery.step;
        let has_point = match (subquery.range, step) {
            (Duration::Literal(range), Some(Duration::Literal(step))) => step > 0 && range >= step,
            _ => false,
        };
        let mut flow = inner.map(|arm| {
            // Over a window there can be several series that a key tells apart at each instant, or
            // that follow each other.
            arm.key = None;
            arm.settle_key();
            if !has_point {
                arm.presence = arm.presence.min(Presence::Maybe);
            }
            Ok(())
        });
        if !has_point {
            flow.nonempty = flow.nonempty.min(Presence::Maybe);
        }
        flow.value_type = ValueType::RangeVector;
        flow.failures =
            duration_failures(subquery.range).or(step.map_or(Failures::NONE, duration_failures));
        if subquery.modifiers.offset_expr.is_some() {
            flow.failures = flow.failures.or(Failures::DURATION);
        }
        flow
    }
}

fn duration_failures(duration: Duration) -> Failures {
    match duration {
        Duration::Literal(_) => Failures::NONE,
        Duration::Expr(_) => Failures::DURATION,
    }
}

/// An arm of what rules record under a name.
fn recorded(arm: &Arm, here: Here, number: u32) -> Arm {
    let mut arm = arm.clone();
    let change = here.changes(Reason::Recorded(number));
    arm.labels.for_each_mut(|label| {
        label.change = Some(change);
        label.basis = label.basis.or(Basis::CLOSED_WORLD);
    });
    arm.labels.close_by(change);
    arm.value.basis = arm.value.basis.or(Basis::CLOSED_WORLD);
    arm.quantity.basis = arm.quantity.basis.or(Basis::CLOSED_WORLD);
    arm.basis = arm.basis.or(Basis::CLOSED_WORLD);
    arm
}

fn is_size(quantity: Quantity) -> bool {
    use super::quantity::Base;
    quantity.unit.is_some_and(|unit| matches!(unit.base, Base::Byte | Base::Bit))
}

/// The labels that `absent` of a selector has: each label's first `=` sets it, any matcher of that
/// label after it takes it away again.
pub(super) fn labels_of_absent(walk: &Walk<'_>, id: SelectorId) -> Vec<(Text, ValueSet)> {
    let mut labels: Vec<(Text, ValueSet)> = Vec::new();
    let mut given: Vec<Text> = Vec::new();
    for matcher in walk.expr.matchers(walk.expr.selector(id)) {
        let label = walk.text(matcher.name);
        if &*label == METRIC_NAME {
            continue;
        }
        let known = labels.iter().position(|(name, _)| *name == label);
        if matcher.op == MatchOp::Equal && !given.contains(&label) {
            let values = ValueSet::matching(matcher.op, walk.expr.text(matcher.value));
            given.push(label.clone());
            match known {
                Some(at) => labels[at].1 = values,
                None => labels.push((label, values)),
            }
        } else if let Some(at) = known {
            labels.remove(at);
        }
    }
    labels
}
