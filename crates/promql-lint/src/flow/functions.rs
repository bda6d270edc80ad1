//! Calls of functions: which family they belong to, and those of single values.

use promql_syntax::ast::{List, NodeId, NodeKind};
use promql_syntax::functions::FunctionInfo;
use promql_syntax::query::{DatePart, MathFunction};
use promql_syntax::{Function, ValueType};

use super::flags::{Basis, Conditions, Failures};
use super::labels::Reason;
use super::quantity::Quantity;
use super::selector::labels_of_absent;
use super::{
    Arm, Comparison, Dropped, Flow, Here, Labels, Presence, Range, Verdict, Walk, Why, drop_name,
    names_collide, only_floats, range_functions,
};

impl Walk<'_> {
    pub(super) fn call(&self, here: Here, info: &'static FunctionInfo, args: List) -> Flow {
        let args = self.expr.arguments(args);
        let (least, most) = info.argument_counts();
        let fits = args.len() >= least && most.is_none_or(|most| args.len() <= most);
        let well_typed = args.iter().enumerate().all(|(at, arg)| {
            let wanted = info.parameter(at).map(|parameter| parameter.value_type);
            wanted == Some(self.flow(*arg).value_type)
        });
        if !fits || !well_typed {
            return Flow::top(info.returns);
        }
        let function = info.function;
        if let Some(math) = math_function(function) {
            return self.element_wise(here, args[0], |arm| {
                arm.value = range_functions::math(math, &arm.value);
                arm.quantity = Quantity::UNKNOWN;
                Ok(())
            });
        }
        if let Some(part) = date_part(function) {
            let range = range_functions::date(part);
            return match args.first() {
                None => Flow::one_element(range),
                Some(&arg) => self.element_wise(here, arg, |arm| {
                    arm.value = range.on(arm.value.basis);
                    arm.quantity = Quantity::UNKNOWN;
                    Ok(())
                }),
            };
        }
        match function {
            Function::Time | Function::Start | Function::End => {
                let mut flow = Flow::scalar(Range::nonnegative());
                flow.arms.iter_mut().for_each(|arm| arm.quantity = Quantity::TIMESTAMP);
                flow
            }
            Function::Pi => Flow::scalar(Range::point(std::f64::consts::PI)),
            Function::Range | Function::Step => Flow::scalar(Range::nonnegative()),
            Function::Scalar => self.scalar_of(args[0]),
            Function::Vector => {
                let flow = self.flow(args[0]);
                Flow { value_type: ValueType::InstantVector, ..flow.clone() }
            }
            Function::MaxOf | Function::MinOf => {
                let range = |at: usize| self.scalar_range(args[at]).copied().unwrap_or(Range::ANY);
                let larger = function == Function::MaxOf;
                Flow::scalar(range_functions::extreme(&range(0), &range(1), larger))
            }
            Function::Clamp | Function::ClampMin | Function::ClampMax => {
                self.clamp(here, function, args)
            }
            Function::Round => {
                let one = Range::point(1.0);
                let nearest = args.get(1).and_then(|&arg| self.scalar_range(arg)).unwrap_or(&one);
                self.element_wise(here, args[0], |arm| {
                    arm.value = range_functions::round(&arm.value, nearest);
                    Ok(())
                })
            }
            Function::Timestamp | Function::StartTimestamp => {
                let flow = self.flow(args[0]);
                let is_time = function == Function::Timestamp;
                let mut mapped = flow.map(|arm| {
                    drop_name(arm, here);
                    arm.samples = super::Samples::Float;
                    arm.quantity = Quantity::TIMESTAMP;
                    arm.value = if is_time { Range::nonnegative() } else { Range::ANY };
                    if !is_time {
                        arm.presence = arm.presence.min(Presence::Maybe);
                    }
                    Ok(())
                });
                mapped.failures = names_collide(flow);
                mapped
            }
            Function::Sort | Function::SortDesc => self.flow(args[0]).map(|arm| {
                // Histograms have no order.
                only_floats(arm)
            }),
            Function::SortByLabel | Function::SortByLabelDesc => self.flow(args[0]).map(|_| Ok(())),
            Function::Absent | Function::AbsentOverTime => self.absent(here, args[0]),
            Function::LabelReplace => self.label_replace(here, args),
            Function::LabelJoin => self.label_join(here, args),
            Function::Info => self.info(here, args),
            Function::HistogramQuantile
            | Function::HistogramFraction
            | Function::HistogramQuantiles => self.of_buckets(here, function, args),
            Function::HistogramAvg
            | Function::HistogramCount
            | Function::HistogramStddev
            | Function::HistogramStdvar
            | Function::HistogramSum => self.histogram_statistic(here, function, args[0]),
            _ if info.parameters.iter().any(|p| p.value_type == ValueType::RangeVector) => {
                self.over_range(here, function, args)
            }
            _ => Flow::top(info.returns),
        }
    }

    /// A function of each number.
    fn element_wise(
        &self,
        here: Here,
        operand: NodeId,
        mut f: impl FnMut(&mut Arm) -> Result<(), Dropped>,
    ) -> Flow {
        let flow = self.flow(operand);
        let mut mapped = flow.map(|arm| {
            only_floats(arm)?;
            drop_name(arm, here);
            f(arm)
        });
        mapped.failures = names_collide(flow);
        mapped
    }

    fn clamp(&self, here: Here, function: Function, args: &[NodeId]) -> Flow {
        let limit = |at: usize| args.get(at).and_then(|&arg| self.scalar_range(arg));
        let (min, max) = match function {
            Function::Clamp => (limit(1), limit(2)),
            Function::ClampMin => (limit(1), None),
            _ => (None, limit(1)),
        };
        // Where the limits are the wrong way round nothing remains.
        let swapped = match (min, max) {
            (Some(min), Some(max)) => max.compare(Comparison::Lt, min),
            _ => Verdict::Never,
        };
        self.element_wise(here, args[0], |arm| {
            match swapped {
                Verdict::Always => {
                    return Err(Dropped { why: Why::Parameter, basis: Basis::NONE });
                }
                Verdict::Maybe => arm.presence = arm.presence.min(Presence::Maybe),
                Verdict::Never => {}
            }
            arm.value = range_functions::clamp(&arm.value, min, max);
            Ok(())
        })
    }

    /// `scalar`: NaN unless there is exactly one number.
    fn scalar_of(&self, operand: NodeId) -> Flow {
        let flow = self.flow(operand);
        let mut value = flow.arms.iter().fold(Range::NEVER, |all, arm| {
            if arm.samples.has_floats() { all.hull(&arm.value) } else { all }
        });
        let is_one = match &*flow.arms {
            [arm] => flow.nonempty == Presence::Always && arm.at_most() == Some(1),
            _ => false,
        };
        value.nan |= !is_one;
        let mut scalar = Flow::scalar(value);
        if let [arm] = &*flow.arms {
            scalar.arms[0].quantity = arm.quantity;
        }
        scalar
    }

    /// `absent` and `absent_over_time`.
    fn absent(&self, here: Here, operand: NodeId) -> Flow {
        let mut arm = Arm::scalar(Range::point(1.0));
        arm.labels = Labels::none(Some(here.changes(Reason::NoLabels)));
        // Parentheses don't hide a selector, signs do.
        let mut plain = operand;
        while let NodeKind::Paren(inner) = self.expr.kind(plain) {
            plain = inner;
        }
        let selector = match self.expr.kind(plain) {
            NodeKind::VectorSelector(id) => Some(id),
            NodeKind::MatrixSelector { selector, .. } => match self.expr.kind(selector) {
                NodeKind::VectorSelector(id) => Some(id),
                _ => None,
            },
            _ => None,
        };
        if let Some(id) = selector {
            for (label, values) in labels_of_absent(self, id) {
                let set = Some(here.changes(Reason::Matcher));
                if !values.is_never() {
                    arm.labels.set(label, values, Basis::NONE, set);
                }
            }
        }
        let of = self.flow(operand);
        match of.nonempty {
            Presence::Always => {
                let dropped = Dropped { why: Why::Present, basis: of.basis };
                return Flow::vector(Vec::new(), vec![dropped], Failures::NONE);
            }
            Presence::Never => {
                // Whether it is empty may rest on assumptions, and then so does this.
                arm.basis = of.basis;
                arm.conditions = Conditions::NONE;
            }
            Presence::Maybe => {
                arm.presence = Presence::Maybe;
                arm.conditions = Conditions::ABSENCE;
            }
        }
        Flow::vector(vec![arm], Vec::new(), Failures::NONE)
    }
}

macro_rules! rows {
    ($family:ident: $($variant:ident)*) => {
        |function| Some(match function {
            $(Function::$variant => $family::$variant,)*
            _ => return None,
        })
    };
}

fn math_function(function: Function) -> Option<MathFunction> {
    let rows: fn(Function) -> Option<MathFunction> = rows!(MathFunction:
        Abs Acos Acosh Asin Asinh Atan Atanh Ceil Cos Cosh Deg Exp Floor Ln Log10 Log2 Rad Sgn Sin
        Sinh Sqrt Tan Tanh);
    rows(function)
}

fn date_part(function: Function) -> Option<DatePart> {
    let rows: fn(Function) -> Option<DatePart> =
        rows!(DatePart: DayOfMonth DayOfWeek DayOfYear DaysInMonth Hour Minute Month Year);
    rows(function)
}
