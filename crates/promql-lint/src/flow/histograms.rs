//! Functions of histograms, classic and native.

use promql_syntax::ast::NodeId;
use promql_syntax::{Function, ValueType};

use super::flags::{Basis, Failures};
use super::labels::Reason;
use super::quantity::{Kind, Quantity, Unit};
use super::{
    Dropped, Flow, Here, NAMES, Presence, Range, Samples, Text, ValueSet, Walk, Why, drop_name,
    names_collide,
};

impl Walk<'_> {
    /// `histogram_quantile`, `histogram_fraction` and `histogram_quantiles`.
    pub(super) fn of_buckets(&self, here: Here, function: Function, args: &[NodeId]) -> Flow {
        let (operand, label) = match function {
            Function::HistogramQuantiles => (args[0], self.string(args[1])),
            Function::HistogramFraction => (args[2], None),
            _ => (args[1], None),
        };
        if function == Function::HistogramQuantiles && label.is_none() {
            return Flow::top(ValueType::InstantVector);
        }
        let quantiles = match function {
            Function::HistogramQuantiles => self.quantile_labels(&args[2..]),
            _ => ValueSet::NEVER,
        };
        let value = match function {
            Function::HistogramFraction => Range::between(0.0, 1.0).with_nan(true),
            _ => Range::ANY,
        };
        let consumed = here.changes(Reason::Consumed);
        let flow = self.flow(operand);
        let mut mapped = flow.map(|arm| {
            let has_buckets = arm.samples.has_floats() && arm.labels.get("le").can_be_present();
            let basis = arm.quantity.basis.or(arm.labels.basis("le"));
            if !has_buckets && !arm.samples.has_histograms() {
                return Err(Dropped { why: Why::NoBuckets, basis });
            }
            // A native histogram keeps a label of that name that is no bound.
            let remains = match arm.samples.has_histograms() {
                true => arm.labels.get("le").clone().or_absent(),
                false => ValueSet::ABSENT,
            };
            if arm.labels.get("le").can_be_present() {
                if !arm.samples.has_histograms() {
                    arm.labels.delete(&NAMES.le, consumed);
                } else {
                    let le = arm.labels.basis("le");
                    arm.labels.set(NAMES.le.clone(), remains, le, Some(consumed));
                }
                arm.forget_key_if(|name| name == "le");
            }
            drop_name(arm, here);
            if let Some(label) = &label {
                let set = Some(here.changes(Reason::Set));
                arm.labels.set(label.clone(), quantiles.clone(), Basis::NONE, set);
                if let Some(key) = &mut arm.key
                    && !key.contains(label)
                {
                    key.push(label.clone());
                    key.sort_unstable();
                }
                arm.settle_key();
            }
            arm.value = value.on(match arm.samples {
                Samples::Float => basis,
                _ => Basis::NONE,
            });
            // Buckets may be none that make a histogram.
            arm.presence = arm.presence.min(Presence::Maybe);
            arm.samples = Samples::Float;
            arm.quantity = Quantity::UNKNOWN;
            Ok(())
        });
        mapped.nonempty = mapped.nonempty.min(Presence::Maybe);
        mapped.failures = if function == Function::HistogramQuantiles {
            Failures::SAME_LABELS.or(Failures::PARAMETER)
        } else {
            match &*flow.arms {
                // Classic and native histograms of the same labels exclude each other.
                [_] => names_collide(flow).or(Failures::SAME_LABELS),
                _ => Failures::SAME_LABELS,
            }
        };
        mapped
    }

    /// The values of the label that tells quantiles apart.
    fn quantile_labels(&self, quantiles: &[NodeId]) -> ValueSet {
        let constants = quantiles.iter().map(|&arg| self.scalar_range(arg)?.constant());
        let Some(constants) = constants.collect::<Option<Vec<f64>>>() else {
            return ValueSet::CERTAIN;
        };
        ValueSet::of(constants.into_iter().map(|quantile| {
            let mut text = promql_model::number::General(quantile).to_string();
            if quantile.is_finite() && !text.contains(['.', 'e']) {
                text.push_str(".0");
            }
            Text::from(text)
        }))
    }

    /// A statistic of native histograms.
    pub(super) fn histogram_statistic(
        &self,
        here: Here,
        function: Function,
        operand: NodeId,
    ) -> Flow {
        let flow = self.flow(operand);
        let mut mapped = flow.map(|arm| {
            if !arm.samples.has_histograms() {
                return Err(Dropped { why: Why::Samples, basis: arm.quantity.basis });
            }
            drop_name(arm, here);
            let kind = arm.quantity.kind;
            arm.samples = Samples::Float;
            arm.presence = arm.presence.min(Presence::Maybe);
            let unit: Option<Unit> = arm.quantity.unit;
            arm.quantity = match function {
                Function::HistogramCount if kind == Kind::Histogram => Quantity::of(Kind::Count),
                Function::HistogramCount => Quantity::NUMBER,
                _ => Quantity { unit, ..Quantity::UNKNOWN },
            };
            // Differences of histograms have negative counts, and empty ones no mean.
            arm.value = Range::ANY;
            Ok(())
        });
        mapped.nonempty = mapped.nonempty.min(Presence::Maybe);
        mapped.failures = names_collide(flow);
        mapped
    }
}
