//! From the nodes of the syntax tree to those of the typed tree.

use std::cell::Cell;

use super::rules::selector_problem;
use crate::ast::{BinaryModifiers, BinaryOp, Expr, List, MatchingId, NodeId, NodeKind, Sign, Text};
use crate::functions::{Aggregator, Function, FunctionInfo};
use crate::query::{
    Aggregation, ArithmeticOp, ComparisonOp, DatePart, ElementOp, HistogramStatistic, Matching,
    MathFunction, Query, Range, RangeFunction, RangeId, RangeNode, Root, Scalar, ScalarId,
    ScalarNode, SetOp, TrimOp, Vector, VectorId, VectorNode,
};

/// What a node of the syntax tree has become.
#[derive(Clone, Copy, Debug)]
enum Typed {
    Vector(VectorId),
    Scalar(ScalarId),
    Range(RangeId),
    String(Text),
}

/// How much room is kept from one tree to the next.
const MAX_KEPT: usize = 1 << 12;

thread_local! {
    static TYPED: Cell<Vec<Typed>> = const { Cell::new(Vec::new()) };
}

/// The typed tree. `None` if a rule may be broken; with `checked` also where only the caller can
/// tell.
pub(super) fn lower(expr: &Expr, checked: bool) -> Option<Query> {
    let nodes = expr.nodes();
    let mut typed = TYPED.take();
    typed.clear();
    typed.reserve(nodes.len());
    let mut lowering = Lowering {
        expr,
        checked,
        typed,
        query: Query {
            expr: expr.clone(),
            root: Root::Scalar(ScalarId(0)),
            vectors: Vec::with_capacity(nodes.len()),
            scalars: Vec::new(),
            ranges: Vec::new(),
        },
    };
    for at in 0..nodes.len() {
        let typed = lowering.node(NodeId(at as u32))?;
        lowering.typed.push(typed);
    }
    lowering.query.root = match lowering.typed[expr.root().index()] {
        Typed::Vector(id) => Root::Vector(id),
        Typed::Scalar(id) => Root::Scalar(id),
        Typed::Range(id) => Root::Range(id),
        Typed::String(text) => Root::String(text),
    };
    if lowering.typed.capacity() <= MAX_KEPT {
        TYPED.set(lowering.typed);
    }
    Some(lowering.query)
}

struct Lowering<'e> {
    expr: &'e Expr,
    checked: bool,
    typed: Vec<Typed>,
    query: Query,
}

impl Lowering<'_> {
    fn of(&self, id: NodeId) -> Typed {
        self.typed[id.index()]
    }

    fn vector(&self, id: NodeId) -> Option<VectorId> {
        match self.of(id) {
            Typed::Vector(id) => Some(id),
            _ => None,
        }
    }

    fn scalar(&self, id: NodeId) -> Option<ScalarId> {
        match self.of(id) {
            Typed::Scalar(id) => Some(id),
            _ => None,
        }
    }

    fn range(&self, id: NodeId) -> Option<RangeId> {
        match self.of(id) {
            Typed::Range(id) => Some(id),
            _ => None,
        }
    }

    fn string(&self, id: NodeId) -> Option<Text> {
        match self.of(id) {
            Typed::String(text) => Some(text),
            _ => None,
        }
    }

    fn push_vector(&mut self, kind: Vector, origin: NodeId) -> Typed {
        let id = VectorId(self.query.vectors.len() as u32);
        self.query.vectors.push(VectorNode { kind, origin });
        Typed::Vector(id)
    }

    fn push_scalar(&mut self, kind: Scalar, origin: NodeId) -> Typed {
        let id = ScalarId(self.query.scalars.len() as u32);
        self.query.scalars.push(ScalarNode { kind, origin });
        Typed::Scalar(id)
    }

    fn push_range(&mut self, kind: Range, origin: NodeId) -> Typed {
        let id = RangeId(self.query.ranges.len() as u32);
        self.query.ranges.push(RangeNode { kind, origin });
        Typed::Range(id)
    }

    /// Takes back the vector of a selector that turns out to be part of something else. It is the
    /// last one.
    fn take_back_selector(&mut self) {
        self.query.vectors.pop();
    }

    fn node(&mut self, id: NodeId) -> Option<Typed> {
        Some(match self.expr.kind(id) {
            NodeKind::Number { value, .. } => self.push_scalar(Scalar::Number(value), id),
            NodeKind::String(text) => Typed::String(text),
            NodeKind::VectorSelector(selector) => {
                if self.checked && selector_problem(self.expr, selector).is_some() {
                    return None;
                }
                self.push_vector(Vector::Selector(selector), id)
            }
            NodeKind::MatrixSelector { selector, range } => {
                let NodeKind::VectorSelector(selector) = self.expr.kind(selector) else {
                    return None;
                };
                self.take_back_selector();
                self.push_range(Range::Selector { selector, range }, id)
            }
            NodeKind::Subquery(subquery) => {
                let vector = self.vector(self.expr.subquery(subquery).expr)?;
                self.push_range(Range::Subquery { vector, subquery }, id)
            }
            NodeKind::Paren(inner) => self.of(inner),
            NodeKind::Unary { op, expr } => match (self.of(expr), op) {
                (Typed::Range(_) | Typed::String(_), _) => return None,
                (operand, Sign::Plus) => operand,
                (Typed::Vector(operand), _) => self.push_vector(Vector::Negate(operand), id),
                (Typed::Scalar(operand), _) => self.push_scalar(Scalar::Negate(operand), id),
            },
            NodeKind::Aggregate { op, expr, param, grouping, without } => {
                let vector = self.vector(expr)?;
                let op = self.aggregation(op, param)?;
                let kind = Vector::Aggregate { op, vector, labels: grouping, without };
                self.push_vector(kind, id)
            }
            NodeKind::Call { function, args } => self.call(id, function, args)?,
            NodeKind::Binary { op, lhs, rhs, modifiers } => {
                self.binary(id, op, lhs, rhs, modifiers)?
            }
        })
    }

    fn aggregation(&self, op: Aggregator, param: Option<NodeId>) -> Option<Aggregation> {
        let scalar = || param.and_then(|param| self.scalar(param));
        Some(match op {
            Aggregator::Sum => Aggregation::Sum,
            Aggregator::Avg => Aggregation::Avg,
            Aggregator::Count => Aggregation::Count,
            Aggregator::Min => Aggregation::Min,
            Aggregator::Max => Aggregation::Max,
            Aggregator::Group => Aggregation::Group,
            Aggregator::Stddev => Aggregation::Stddev,
            Aggregator::Stdvar => Aggregation::Stdvar,
            Aggregator::Topk => Aggregation::Topk(scalar()?),
            Aggregator::Bottomk => Aggregation::Bottomk(scalar()?),
            Aggregator::Limitk => Aggregation::Limitk(scalar()?),
            Aggregator::LimitRatio => Aggregation::LimitRatio(scalar()?),
            Aggregator::Quantile => Aggregation::Quantile(scalar()?),
            Aggregator::CountValues => Aggregation::CountValues(self.string(param?)?),
        })
    }

    fn binary(
        &mut self,
        id: NodeId,
        op: BinaryOp,
        lhs: NodeId,
        rhs: NodeId,
        written: Option<MatchingId>,
    ) -> Option<Typed> {
        let default = BinaryModifiers::default();
        let modifiers = written.map_or(&default, |id| self.expr.binary_modifiers(id));
        let has_fill = modifiers.fill_left.is_some() || modifiers.fill_right.is_some();
        if modifiers.return_bool && !op.is_comparison() {
            return None;
        }
        let operands = (self.of(lhs), self.of(rhs));
        if let (Typed::Vector(lhs), Typed::Vector(rhs)) = operands {
            let on = modifiers.matching == Some(crate::ast::MatchingKeyword::On);
            if let Some(op) = set_op(op) {
                if modifiers.group.is_some() || has_fill {
                    return None;
                }
                let labels = modifiers.labels;
                return Some(self.push_vector(Vector::Set { op, lhs, rhs, on, labels }, id));
            }
            if on && self.checked && !modifiers.include.is_empty() {
                let names = |list| self.expr.labels(list).iter().map(|l| self.expr.text(l.name));
                let mut included = names(modifiers.include);
                if included.any(|name| names(modifiers.labels).any(|other| other == name)) {
                    return None;
                }
            }
            let matching = Matching {
                cardinality: modifiers.group.into(),
                on,
                labels: modifiers.labels,
                include: modifiers.include,
                fill: if has_fill { written } else { None },
            };
            let op = element_op(op, modifiers.return_bool)?;
            return Some(self.push_vector(Vector::Binary { op, lhs, rhs, matching }, id));
        }
        if !modifiers.labels.is_empty() || has_fill {
            return None;
        }
        let op = element_op(op, modifiers.return_bool)?;
        Some(match operands {
            (Typed::Vector(vector), Typed::Scalar(scalar)) => {
                let kind = Vector::WithScalar { op, vector, scalar, scalar_is_left: false };
                self.push_vector(kind, id)
            }
            (Typed::Scalar(scalar), Typed::Vector(vector)) => {
                let kind = Vector::WithScalar { op, vector, scalar, scalar_is_left: true };
                self.push_vector(kind, id)
            }
            (Typed::Scalar(lhs), Typed::Scalar(rhs)) => match op {
                ElementOp::Filter(_) => return None,
                _ => self.push_scalar(Scalar::Binary(op, lhs, rhs), id),
            },
            _ => return None,
        })
    }

    fn call(&mut self, id: NodeId, info: &'static FunctionInfo, args: List) -> Option<Typed> {
        let (at_least, at_most) = info.argument_counts();
        if args.len() < at_least || at_most.is_some_and(|most| args.len() > most) {
            return None;
        }
        let args = self.expr.arguments(args);
        let vector = |i: usize| args.get(i).and_then(|&arg| self.vector(arg));
        let scalar = |i: usize| args.get(i).and_then(|&arg| self.scalar(arg));
        let range = |i: usize| args.get(i).and_then(|&arg| self.range(arg));
        let string = |i: usize| args.get(i).and_then(|&arg| self.string(arg));
        let strings = |from: usize| {
            args.get(from..)
                .unwrap_or_default()
                .iter()
                .map(|&arg| self.string(arg))
                .collect::<Option<Box<[_]>>>()
        };
        // A vector that may be left out.
        let optional_vector = || if args.is_empty() { Some(None) } else { vector(0).map(Some) };

        let function = info.function;
        if let Some(math) = MathFunction::from_function(function) {
            let kind = Vector::Math(math, vector(0)?);
            return Some(self.push_vector(kind, id));
        }
        if let Some(over_range) = RangeFunction::from_function(function) {
            let kind = Vector::OverRange(over_range, range(0)?);
            return Some(self.push_vector(kind, id));
        }
        if let Some(part) = DatePart::from_function(function) {
            let kind = Vector::DatePart { part, vector: optional_vector()? };
            return Some(self.push_vector(kind, id));
        }
        if let Some(statistic) = HistogramStatistic::from_function(function) {
            let kind = Vector::HistogramStatistic(statistic, vector(0)?);
            return Some(self.push_vector(kind, id));
        }
        let scalar_kind = match function {
            Function::Time => Some(Scalar::Time),
            Function::Pi => Some(Scalar::Pi),
            Function::Start => Some(Scalar::Start),
            Function::End => Some(Scalar::End),
            Function::Range => Some(Scalar::Range),
            Function::Step => Some(Scalar::Step),
            Function::Scalar => Some(Scalar::OfVector(vector(0)?)),
            Function::MaxOf => Some(Scalar::MaxOf(scalar(0)?, scalar(1)?)),
            Function::MinOf => Some(Scalar::MinOf(scalar(0)?, scalar(1)?)),
            _ => None,
        };
        if let Some(kind) = scalar_kind {
            return Some(self.push_scalar(kind, id));
        }
        let kind = match function {
            Function::Absent => Vector::Absent(vector(0)?),
            Function::AbsentOverTime => Vector::AbsentOverTime(range(0)?),
            Function::Clamp => {
                Vector::Clamp { vector: vector(0)?, min: Some(scalar(1)?), max: Some(scalar(2)?) }
            }
            Function::ClampMin => {
                Vector::Clamp { vector: vector(0)?, min: Some(scalar(1)?), max: None }
            }
            Function::ClampMax => {
                Vector::Clamp { vector: vector(0)?, min: None, max: Some(scalar(1)?) }
            }
            Function::Round => {
                let to_nearest = if args.len() > 1 { Some(scalar(1)?) } else { None };
                Vector::Round { vector: vector(0)?, to_nearest }
            }
            Function::QuantileOverTime => {
                Vector::QuantileOverTime { quantile: scalar(0)?, range: range(1)? }
            }
            Function::PredictLinear => {
                Vector::PredictLinear { range: range(0)?, seconds: scalar(1)? }
            }
            Function::DoubleExponentialSmoothing => Vector::DoubleExponentialSmoothing {
                range: range(0)?,
                smoothing: scalar(1)?,
                trend: scalar(2)?,
            },
            Function::Sort => Vector::Sort { vector: vector(0)?, descending: false },
            Function::SortDesc => Vector::Sort { vector: vector(0)?, descending: true },
            Function::SortByLabel | Function::SortByLabelDesc => Vector::SortByLabel {
                vector: vector(0)?,
                labels: strings(1)?,
                descending: function == Function::SortByLabelDesc,
            },
            Function::LabelReplace => Vector::LabelReplace {
                vector: vector(0)?,
                destination: string(1)?,
                replacement: string(2)?,
                source: string(3)?,
                regex: string(4)?,
            },
            Function::LabelJoin => Vector::LabelJoin {
                vector: vector(0)?,
                destination: string(1)?,
                separator: string(2)?,
                sources: strings(3)?,
            },
            Function::HistogramQuantile => {
                Vector::HistogramQuantile { quantile: scalar(0)?, vector: vector(1)? }
            }
            Function::HistogramQuantiles => Vector::HistogramQuantiles {
                vector: vector(0)?,
                label: string(1)?,
                quantiles: (2..args.len()).map(scalar).collect::<Option<Box<[_]>>>()?,
            },
            Function::HistogramFraction => Vector::HistogramFraction {
                lower: scalar(0)?,
                upper: scalar(1)?,
                vector: vector(2)?,
            },
            Function::Timestamp => Vector::Timestamp(vector(0)?),
            Function::StartTimestamp => Vector::StartTimestamp(vector(0)?),
            Function::Vector => Vector::FromScalar(scalar(0)?),
            Function::Info => {
                let vector = vector(0)?;
                let data = match args.get(1).map(|&arg| self.expr.kind(arg)) {
                    None => None,
                    Some(NodeKind::VectorSelector(data))
                        if self.expr.selector(data).name.is_none() =>
                    {
                        self.take_back_selector();
                        Some(data)
                    }
                    Some(_) => return None,
                };
                Vector::Info { vector, data }
            }
            _ => return None,
        };
        Some(self.push_vector(kind, id))
    }
}

fn set_op(op: BinaryOp) -> Option<SetOp> {
    match op {
        BinaryOp::And => Some(SetOp::And),
        BinaryOp::Or => Some(SetOp::Or),
        BinaryOp::Unless => Some(SetOp::Unless),
        _ => None,
    }
}

/// `None` for set operators.
fn element_op(op: BinaryOp, return_bool: bool) -> Option<ElementOp> {
    let comparison = |op| match return_bool {
        true => ElementOp::Bool(op),
        false => ElementOp::Filter(op),
    };
    Some(match op {
        BinaryOp::Add => ElementOp::Arithmetic(ArithmeticOp::Add),
        BinaryOp::Sub => ElementOp::Arithmetic(ArithmeticOp::Sub),
        BinaryOp::Mul => ElementOp::Arithmetic(ArithmeticOp::Mul),
        BinaryOp::Div => ElementOp::Arithmetic(ArithmeticOp::Div),
        BinaryOp::Mod => ElementOp::Arithmetic(ArithmeticOp::Mod),
        BinaryOp::Pow => ElementOp::Arithmetic(ArithmeticOp::Pow),
        BinaryOp::Atan2 => ElementOp::Arithmetic(ArithmeticOp::Atan2),
        BinaryOp::Eq => comparison(ComparisonOp::Eq),
        BinaryOp::Ne => comparison(ComparisonOp::Ne),
        BinaryOp::Lt => comparison(ComparisonOp::Lt),
        BinaryOp::Le => comparison(ComparisonOp::Le),
        BinaryOp::Gt => comparison(ComparisonOp::Gt),
        BinaryOp::Ge => comparison(ComparisonOp::Ge),
        BinaryOp::TrimUpper => ElementOp::Trim(TrimOp::Upper),
        BinaryOp::TrimLower => ElementOp::Trim(TrimOp::Lower),
        BinaryOp::And | BinaryOp::Or | BinaryOp::Unless => return None,
    })
}
