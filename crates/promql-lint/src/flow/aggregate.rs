//! Aggregations: which labels the groups keep, and what their values are.

use promql_syntax::ast::{List, NodeId};
use promql_syntax::{Aggregator, ValueType};

use super::flags::{Basis, Failures};
use super::labels::{Change, Labels, Reason};
use super::over_range::{averaged, deviation, quantile_of, sum};
use super::quantity::Quantity;
use super::{
    Arm, Dropped, Flow, Here, NAMES, Presence, Range, Samples, Text, ValueSet, Walk, Why,
    only_floats,
};

/// How an aggregation groups.
struct Grouping {
    labels: Vec<Text>,
    without: bool,
    change: Change,
}

impl Grouping {
    /// The labels of the groups of elements with these.
    fn of(&self, labels: &Labels) -> Labels {
        if !self.without {
            return labels.only(&self.labels, self.change);
        }
        let mut kept = labels.clone();
        for label in self.labels.iter().chain([&NAMES.name]) {
            kept.delete(label, self.change);
        }
        kept
    }

    /// Whether each element is a group of its own.
    fn keeps_apart(&self, arm: &Arm) -> bool {
        let Some(key) = &arm.key else { return false };
        match self.without {
            true => !key.iter().any(|label| self.labels.contains(label) || *label == NAMES.name),
            false => key.iter().all(|label| self.labels.contains(label)),
        }
    }
}

impl Walk<'_> {
    pub(super) fn aggregation(
        &self,
        here: Here,
        op: Aggregator,
        operand: NodeId,
        parameter: Option<NodeId>,
        labels: List,
        without: bool,
    ) -> Flow {
        let flow = self.flow(operand);
        if flow.value_type != ValueType::InstantVector {
            return Flow::top(ValueType::InstantVector);
        }
        let change = here.changes(Reason::Aggregated);
        let mut grouping = Grouping { labels: self.names(labels), without, change };
        match op {
            Aggregator::Topk
            | Aggregator::Bottomk
            | Aggregator::Limitk
            | Aggregator::LimitRatio => {
                let range = parameter.and_then(|parameter| self.scalar_range(parameter));
                let range = range.copied().unwrap_or(Range::ANY);
                selection(op, flow, &grouping, &range)
            }
            Aggregator::CountValues => {
                let label = parameter.and_then(|parameter| self.string(parameter));
                let Some(label) = label else { return Flow::top(ValueType::InstantVector) };
                count_values(flow, &mut grouping, &label, here.changes(Reason::Set))
            }
            _ => {
                let quantile = parameter.and_then(|parameter| self.scalar_range(parameter));
                let (arms, dropped) = groups(op, flow, &grouping, quantile);
                let mut grouped = Flow::vector(arms, dropped, Failures::NONE);
                if !grouped.is_never() && flow.arms.iter().all(|arm| arm.samples == Samples::Float)
                {
                    grouped.nonempty = grouped.nonempty.max(flow.nonempty);
                }
                grouped
            }
        }
    }
}

/// The arms of the groups: those whose labels can be equal are one, because their elements are mixed.
fn groups(
    op: Aggregator,
    flow: &Flow,
    grouping: &Grouping,
    quantile: Option<&Range>,
) -> (Vec<Arm>, Vec<Dropped>) {
    let floats_only =
        !matches!(op, Aggregator::Sum | Aggregator::Avg | Aggregator::Count | Aggregator::Group);
    let mut dropped = Vec::new();
    // Each group of arms with the elements that enter it, before they are aggregated.
    let mut merged: Vec<(Arm, Entering)> = Vec::new();
    for arm in &flow.arms {
        let mut grouped = arm.clone();
        if floats_only && let Err(why) = only_floats(&mut grouped) {
            dropped.push(why);
            continue;
        }
        grouped.labels = grouping.of(&arm.labels);
        let apart = grouping.keeps_apart(arm);
        if !apart {
            grouped.key = None;
        }
        grouped.settle_key();
        let mut entering = Entering { apart, at_most: arm.at_most() };
        // Joined arms can meet others that neither met alone.
        while let Some(at) =
            merged.iter().position(|(other, _)| can_coincide(&other.labels, &grouped.labels))
        {
            let (other, others) = merged.remove(at);
            let always = other.presence.max(grouped.presence);
            grouped = other.join(&grouped);
            grouped.presence = always;
            let at_most = others.at_most.zip(entering.at_most).map(|(a, b)| a.saturating_add(b));
            entering = Entering { apart: false, at_most };
        }
        merged.push((grouped, entering));
    }
    let finish = |(mut arm, entering): (Arm, Entering)| {
        arm.value = value(op, &arm, &entering, quantile);
        arm.quantity = match op {
            Aggregator::Sum => arm.quantity.sum(),
            Aggregator::Avg | Aggregator::Min | Aggregator::Max | Aggregator::Quantile => {
                arm.quantity
            }
            Aggregator::Count | Aggregator::Group => Quantity::NUMBER,
            _ => Quantity::UNKNOWN,
        };
        match op {
            Aggregator::Count | Aggregator::Group => arm.samples = Samples::Float,
            // Numbers and histograms in one group give nothing.
            _ if arm.samples != Samples::Float => {
                arm.presence = arm.presence.min(Presence::Maybe);
            }
            _ => {}
        }
        arm
    };
    (merged.into_iter().map(finish).collect(), dropped)
}

/// What enters the groups of an arm.
struct Entering {
    /// Whether each group has but one element.
    apart: bool,
    /// How many elements there are at most.
    at_most: Option<usize>,
}

fn can_coincide(a: &Labels, b: &Labels) -> bool {
    a.all_names(b).all(|name| !a.get(name).is_disjoint(b.get(name)))
}

fn value(op: Aggregator, arm: &Arm, entering: &Entering, quantile: Option<&Range>) -> Range {
    let value = &arm.value;
    match op {
        Aggregator::Sum | Aggregator::Avg if entering.apart => *value,
        Aggregator::Sum => sum(value, arm.samples),
        Aggregator::Avg => averaged(value),
        Aggregator::Min | Aggregator::Max => *value,
        Aggregator::Stddev | Aggregator::Stdvar => deviation(value),
        Aggregator::Quantile => quantile_of(value, quantile),
        Aggregator::Group => Range::point(1.0),
        _ => counted(entering),
    }
}

fn counted(entering: &Entering) -> Range {
    let most = if entering.apart { Some(1) } else { entering.at_most };
    match most {
        Some(most) => Range::integers(1.0, (most as f64).max(1.0)),
        None => Range { hi_open: true, ..Range::integers(1.0, f64::INFINITY) },
    }
}

fn count_values(flow: &Flow, grouping: &mut Grouping, label: &Text, set: Change) -> Flow {
    // Grouped without a label, or at all without listing labels to keep, the name goes as well.
    let removed = grouping.without && (grouping.labels.contains(label) || *label == NAMES.name);
    // The label is set before elements are grouped: what it was doesn't count.
    match grouping.without {
        true if !grouping.labels.contains(label) => grouping.labels.push(label.clone()),
        true => {}
        false => grouping.labels.retain(|known| known != label),
    }
    let (mut arms, dropped) = groups(Aggregator::Count, flow, grouping, None);
    for arm in &mut arms {
        let values = if removed { ValueSet::ABSENT } else { ValueSet::CERTAIN };
        arm.labels.set(label.clone(), values, Basis::NONE, Some(set));
        match &mut arm.key {
            // Where groups are told apart by less than all labels, so are the values in them.
            Some(key) if !removed => {
                key.retain(|known| known != label);
                key.push(label.clone());
                key.sort_unstable();
            }
            Some(_) => {}
            None => {}
        }
        if removed {
            arm.forget_key_if(|known| known == &**label);
        }
        arm.settle_key();
    }
    let failures = if label.is_empty() { Failures::PARAMETER } else { Failures::NONE };
    Flow::vector(arms, dropped, failures)
}

/// `topk` and its relatives: some of the elements, as they are.
fn selection(op: Aggregator, flow: &Flow, grouping: &Grouping, parameter: &Range) -> Flow {
    let is_ratio = op == Aggregator::LimitRatio;
    let takes_none = match is_ratio {
        true => parameter.constant() == Some(0.0),
        false => parameter.hi < 1.0 && !parameter.nan,
    };
    let takes_some = !is_ratio && parameter.lo >= 1.0 && !parameter.nan;
    let one_each = takes_some && parameter.hi < 2.0 && !grouping.without;
    let mut kept = flow.map(|arm| {
        if takes_none {
            return Err(Dropped { why: Why::Parameter, basis: parameter.basis });
        }
        if matches!(op, Aggregator::Topk | Aggregator::Bottomk) {
            only_floats(arm)?;
        }
        if one_each {
            arm.key = Some(grouping.labels.clone());
            arm.settle_key();
        }
        if !takes_some || flow.arms.len() > 1 {
            arm.presence = arm.presence.min(Presence::Maybe);
        }
        arm.unstable = true;
        Ok(())
    });
    if !takes_some {
        kept.nonempty = kept.nonempty.min(Presence::Maybe);
    } else if !kept.is_never() && flow.arms.iter().all(|arm| arm.samples == Samples::Float) {
        kept.nonempty = flow.nonempty;
    }
    if parameter.nan || !parameter.lo.is_finite() || !parameter.hi.is_finite() {
        kept.failures = Failures::PARAMETER;
    }
    if parameter.lo < -9e18 || parameter.hi > 9e18 {
        kept.failures = Failures::PARAMETER;
    }
    kept
}
