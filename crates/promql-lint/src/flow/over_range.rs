//! Functions of windows.

use promql_syntax::ast::{Duration, NodeId, NodeKind};
use promql_syntax::{Function, ValueType};

use super::flags::{Basis, Conditions, Failures};
use super::quantity::Quantity;
use super::{Dropped, Flow, Here, Presence, Range, Samples, Walk, Why, drop_name, names_collide};

/// Which samples of a window a function looks at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// Numbers give numbers, histograms are passed over.
    Floats,
    /// Numbers give numbers, histograms give histograms.
    Same,
    /// Either gives a number.
    Counts,
}

/// What a function takes, and how many samples it needs at least.
fn takes(function: Function) -> (Takes, u32) {
    use Function::*;
    match function {
        Rate | Increase | Delta | Irate | Idelta => (Takes::Same, 2),
        LastOverTime | FirstOverTime | SumOverTime | AvgOverTime => (Takes::Same, 1),
        CountOverTime | PresentOverTime | Changes | Resets | TsOfFirstOverTime
        | TsOfLastOverTime => (Takes::Counts, 1),
        Deriv | PredictLinear | DoubleExponentialSmoothing => (Takes::Floats, 2),
        _ => (Takes::Floats, 1),
    }
}

impl Walk<'_> {
    pub(super) fn over_range(&self, here: Here, function: Function, args: &[NodeId]) -> Flow {
        let is_range = |arg: &&NodeId| self.flow(**arg).value_type == ValueType::RangeVector;
        let Some(&operand) = args.iter().find(is_range) else {
            return Flow::top(ValueType::InstantVector);
        };
        let (takes, needs) = takes(function);
        let quantile = match function {
            Function::QuantileOverTime => args.first().and_then(|&arg| self.scalar_range(arg)),
            _ => None,
        };
        let window = self.window(operand);
        let keeps_name = matches!(function, Function::LastOverTime | Function::FirstOverTime);
        let has_too_few = self.points(operand).is_some_and(|points| points < needs);
        let flow = self.flow(operand);
        let mut mapped = flow.map(|arm| {
            if has_too_few {
                return Err(Dropped { why: Why::Window, basis: Basis::NONE });
            }
            if takes == Takes::Floats && arm.samples == Samples::Histogram {
                return Err(Dropped { why: Why::Samples, basis: arm.quantity.basis });
            }
            arm.value = self.value_over_range(function, &arm.value, arm.samples, quantile);
            arm.quantity = quantity_over_range(function, arm.quantity, window);
            if takes != Takes::Same {
                arm.samples = Samples::Float;
            }
            if !keeps_name {
                drop_name(arm, here);
            }
            arm.presence = arm.presence.min(Presence::Maybe);
            arm.conditions = arm.conditions.or(Conditions::DATA);
            Ok(())
        });
        mapped.value_type = ValueType::InstantVector;
        mapped.nonempty = mapped.nonempty.min(Presence::Maybe);
        if !keeps_name {
            mapped.failures = names_collide(flow);
        }
        if function == Function::DoubleExponentialSmoothing {
            // Both factors lie between 0 and 1.
            let is_factor = |&arg: &NodeId| {
                self.scalar_range(arg).is_some_and(|r| r.lo > 0.0 && r.hi < 1.0 && !r.nan)
            };
            if !args.iter().skip(1).all(is_factor) {
                mapped.failures = mapped.failures.or(Failures::PARAMETER);
            }
        }
        mapped
    }

    /// How many points a window has at most, where that is sure: those of a subquery.
    fn points(&self, range: NodeId) -> Option<u32> {
        let NodeKind::Subquery(id) = self.expr.kind(self.bare(range)) else { return None };
        let subquery = self.expr.subquery(id);
        match (subquery.range, subquery.step) {
            // The window is open on its left side, so one of a single step has one point.
            (Duration::Literal(range), Some(Duration::Literal(step))) if step > 0 => {
                u32::try_from(range.div_euclid(step) + i64::from(range.rem_euclid(step) != 0)).ok()
            }
            _ => None,
        }
    }

    /// The length of a window in nanoseconds, where it is written.
    pub(super) fn window(&self, range: NodeId) -> Option<i64> {
        let range = match self.expr.kind(self.bare(range)) {
            NodeKind::MatrixSelector { range, .. } => range,
            NodeKind::Subquery(id) => self.expr.subquery(id).range,
            _ => return None,
        };
        match range {
            Duration::Literal(nanoseconds) => Some(nanoseconds),
            Duration::Expr(_) => None,
        }
    }

    fn value_over_range(
        &self,
        function: Function,
        value: &Range,
        samples: Samples,
        quantile: Option<&Range>,
    ) -> Range {
        use Function::*;
        let inf = f64::INFINITY;
        let basis = value.basis;
        let unsure = value.nan || value.has_infinity();
        match function {
            Rate | Increase | Irate => {
                let nonnegative = super::Range::nonnegative().with_nan(unsure).on(basis);
                // NaN among the samples hides where a counter began anew.
                if value.is_nonnegative() && !value.nan {
                    nonnegative
                } else if self.env.presumes(Basis::COUNTER_FUNCTIONS) {
                    nonnegative.on(Basis::COUNTER_FUNCTIONS)
                } else {
                    super::Range::ANY
                }
            }
            Resets | Changes => super::Range::integers(0.0, inf),
            CountOverTime => super::Range { hi_open: true, ..super::Range::integers(1.0, inf) },
            PresentOverTime => super::Range::point(1.0),
            LastOverTime | FirstOverTime => *value,
            MinOverTime | MaxOverTime => *value,
            AvgOverTime => averaged(value),
            QuantileOverTime => quantile_of(value, quantile),
            StddevOverTime | StdvarOverTime => deviation(value),
            MadOverTime => {
                let width = value.hi - value.lo;
                let hi = if width.is_nan() || width < 0.0 { inf } else { width };
                super::Range::between(0.0, hi).with_nan(unsure).on(basis)
            }
            SumOverTime => sum(value, samples),
            TsOfFirstOverTime | TsOfLastOverTime | TsOfMaxOverTime | TsOfMinOverTime => {
                super::Range::nonnegative()
            }
            _ => super::Range::ANY,
        }
    }
}

/// The sum of any number of values.
pub(super) fn sum(value: &Range, _samples: Samples) -> Range {
    let inf = f64::INFINITY;
    let Range { nan, basis, integer, .. } = *value;
    let nan = nan || (value.contains(inf) && value.contains(-inf));
    if value.has_no_number() {
        return *value;
    }
    let range = match (value.lo >= 0.0, value.hi <= 0.0) {
        (true, true) => Range::point(0.0),
        (true, false) => Range { lo_open: value.lo_open, ..Range::between(value.lo, inf) },
        (false, true) => Range { hi_open: value.hi_open, ..Range::between(-inf, value.hi) },
        // With both infinities along the way there is no sum.
        (false, false) => Range::between(-inf, inf),
    };
    Range { integer, nan, basis, ..range }
}

/// A mean of some values: between the smallest and the largest.
pub(super) fn averaged(value: &Range) -> Range {
    let nan = value.nan || value.has_infinity();
    let range = Range { lo_open: false, hi_open: false, integer: false, nan, ..*value };
    Range { excluded: Default::default(), ..range }
}

/// A quantile of some values.
pub(super) fn quantile_of(value: &Range, quantile: Option<&Range>) -> Range {
    let inf = f64::INFINITY;
    match quantile {
        Some(quantile) if quantile.lo >= 0.0 && quantile.hi <= 1.0 && !quantile.nan => {
            averaged(value).on(quantile.basis)
        }
        Some(quantile) => match quantile.constant() {
            Some(constant) if constant < 0.0 => Range::point(-inf).with_nan(value.nan),
            Some(constant) if constant > 1.0 => Range::point(inf).with_nan(value.nan),
            _ => Range::ANY,
        },
        None => Range::ANY,
    }
}

/// A deviation of some values from their mean, squared or not.
pub(super) fn deviation(value: &Range) -> Range {
    // The squares of what is this large can be infinite.
    let large = |end: f64| end.abs() > 1e100;
    let nan = value.nan || large(value.lo) || large(value.hi);
    Range::nonnegative().with_nan(nan).on(value.basis)
}

fn quantity_over_range(function: Function, of: Quantity, window: Option<i64>) -> Quantity {
    use Function::*;
    match function {
        Rate => of.rate(window),
        Irate | Deriv => of.rate(None),
        Increase => of.increase(window),
        Delta | Idelta => of.increase(window),
        CountOverTime | Resets | Changes | PresentOverTime => Quantity::NUMBER,
        TsOfFirstOverTime | TsOfLastOverTime | TsOfMaxOverTime | TsOfMinOverTime => {
            Quantity::TIMESTAMP
        }
        AvgOverTime | MinOverTime | MaxOverTime | LastOverTime | FirstOverTime
        | QuantileOverTime => of,
        _ => Quantity::UNKNOWN,
    }
}
