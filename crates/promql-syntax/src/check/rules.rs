//! The rules that a well-formed expression can still break.

use super::value_types;
use crate::ast::{BinaryOp, Expr, List, NodeId, NodeKind, SelectorId};
use crate::error::{Bound, Error, ErrorKind, TypedPlace};
use crate::functions::{Arity, Function, FunctionInfo};
use crate::span::Span;
use crate::types::ValueType;
use promql_model::{METRIC_NAME, MatchOp};

/// A step of the walk over the tree.
enum Step {
    /// Checks a node and what is below it.
    Enter(NodeId),
    /// Checks a node whose operands have been checked.
    Leave(NodeId),
    /// Checks the type of a node.
    Expect(NodeId, ValueType, TypedPlace),
}

/// All broken rules in upstream's order. Nothing is said about `unknown` nodes.
pub(super) fn broken(expr: &Expr, unknown: &[NodeId]) -> Vec<Error> {
    let mut known = vec![true; expr.nodes().len()];
    for id in unknown {
        known[id.index()] = false;
    }
    let mut walk = Walk {
        expr,
        types: value_types(expr),
        known,
        exempt: Vec::new(),
        errors: Vec::new(),
        steps: vec![Step::Enter(expr.root())],
    };
    while let Some(step) = walk.steps.pop() {
        match step {
            Step::Enter(id) => walk.enter(id),
            Step::Leave(id) => walk.leave(id),
            Step::Expect(id, expected, place) => {
                let got = walk.types[id.index()];
                if got != expected && walk.known[id.index()] {
                    let kind = ErrorKind::WrongType(place, expected, got);
                    walk.report(kind, expr.span(id));
                }
            }
        }
    }
    walk.errors
}

struct Walk<'e> {
    expr: &'e Expr,
    types: Vec<ValueType>,
    /// For each node whether it was read as it was written.
    known: Vec<bool>,
    /// Selectors that may match everything.
    exempt: Vec<NodeId>,
    errors: Vec<Error>,
    /// What is still to be done, the next step last.
    steps: Vec<Step>,
}

impl Walk<'_> {
    fn report(&mut self, kind: ErrorKind, span: Span) {
        self.errors.push(Error { kind, span });
    }

    fn enter(&mut self, id: NodeId) {
        match self.expr.kind(id) {
            NodeKind::Number { .. } | NodeKind::String(_) => {}
            NodeKind::VectorSelector(selector) => self.selector(id, selector),
            NodeKind::MatrixSelector { selector: inner, .. } | NodeKind::Paren(inner) => {
                self.steps.push(Step::Enter(inner));
            }
            NodeKind::Unary { expr, .. } => {
                self.steps.extend([Step::Leave(id), Step::Enter(expr)]);
            }
            NodeKind::Subquery(subquery) => {
                let inner = self.expr.subquery(subquery).expr;
                self.steps.extend([Step::Leave(id), Step::Enter(inner)]);
            }
            NodeKind::Binary { lhs, rhs, .. } => {
                self.steps.extend([Step::Leave(id), Step::Enter(rhs), Step::Enter(lhs)]);
            }
            NodeKind::Aggregate { op, expr, param, .. } => {
                if let (Some(param), Some(parameter)) = (param, &op.info().parameter) {
                    let place = TypedPlace::AggregateParameter(op);
                    self.steps.push(Step::Expect(param, parameter.value_type, place));
                    self.steps.push(Step::Enter(param));
                }
                let place = TypedPlace::AggregateOperand(op);
                self.steps.push(Step::Expect(expr, ValueType::InstantVector, place));
                self.steps.push(Step::Enter(expr));
            }
            NodeKind::Call { function, args } => self.call(id, function, args),
        }
    }

    fn call(&mut self, id: NodeId, function: &'static FunctionInfo, args: List) {
        let (at_least, at_most) = function.argument_counts();
        let got = args.len();
        let bound = if function.arity == Arity::Exactly { Bound::Exactly } else { Bound::AtLeast };
        if self.known[id.index()] {
            let span = self.expr.span(id);
            if got < at_least || bound == Bound::Exactly && got != at_least {
                self.report(ErrorKind::ArgumentCount(function, bound, at_least, got), span);
            } else if let Some(at_most) = at_most
                && got > at_most
            {
                let kind = ErrorKind::ArgumentCount(function, Bound::AtMost, at_most, got);
                self.report(kind, span);
            }
        }
        let args = self.expr.arguments(args);
        if function.function == Function::Info
            && let Some(&data) = args.get(1)
        {
            self.info(id, function, data);
        }
        for (i, &arg) in args.iter().enumerate().rev() {
            if let Some(parameter) = function.parameter(i) {
                let place = TypedPlace::Argument(function, i);
                self.steps.push(Step::Expect(arg, parameter.value_type, place));
                self.steps.push(Step::Enter(arg));
            }
        }
    }

    /// The second argument of `info` is a selector of labels.
    fn info(&mut self, call: NodeId, function: &'static FunctionInfo, data: NodeId) {
        let got = self.types[data.index()];
        if got != ValueType::InstantVector {
            let place = TypedPlace::Argument(function, 1);
            let kind = ErrorKind::WrongType(place, ValueType::InstantVector, got);
            self.report(kind, self.expr.span(call));
        }
        match self.expr.kind(data) {
            NodeKind::VectorSelector(id) if self.expr.selector(id).name.is_none() => {
                self.exempt.push(data);
            }
            NodeKind::VectorSelector(_) => {
                self.report(ErrorKind::InfoNeedsLabelsOnly, self.expr.span(data));
            }
            _ => self.report(ErrorKind::InfoNeedsSelector, self.expr.span(data)),
        }
    }

    fn selector(&mut self, id: NodeId, selector: SelectorId) {
        if !self.known[id.index()] {
            return;
        }
        if let Some(kind) = selector_problem(self.expr, selector)
            && (kind != ErrorKind::EmptySelector || !self.exempt.contains(&id))
        {
            self.report(kind, self.expr.span(id));
        }
    }

    fn leave(&mut self, id: NodeId) {
        let span = self.expr.span(id);
        match self.expr.kind(id) {
            NodeKind::Unary { expr, .. } => {
                let got = self.types[expr.index()];
                if !is_operand(got) && self.known[expr.index()] {
                    self.report(ErrorKind::BadUnaryOperand(got), span);
                }
            }
            NodeKind::Subquery(subquery) => {
                let inner = self.expr.subquery(subquery).expr;
                let got = self.types[inner.index()];
                if got != ValueType::InstantVector && self.known[inner.index()] {
                    self.report(ErrorKind::BadSubquery(got), span);
                }
            }
            NodeKind::Binary { op, lhs, rhs, .. }
                if self.known[lhs.index()] && self.known[rhs.index()] =>
            {
                self.binary(id, op, lhs, rhs);
            }
            _ => {}
        }
    }

    fn binary(&mut self, id: NodeId, op: BinaryOp, lhs: NodeId, rhs: NodeId) {
        let types = (self.types[lhs.index()], self.types[rhs.index()]);
        let span = self.expr.span(id);
        let NodeKind::Binary { modifiers, .. } = self.expr.kind(id) else { return };
        let modifiers = modifiers.map(|id| *self.expr.binary_modifiers(id)).unwrap_or_default();
        let scalar = |t| t == ValueType::Scalar;
        let vector = |t| t == ValueType::InstantVector;
        if modifiers.return_bool && !op.is_comparison() {
            self.report(ErrorKind::BoolOnNonComparison(op), self.operator_span(lhs, rhs));
        }
        if op.is_comparison() && !modifiers.return_bool && scalar(types.0) && scalar(types.1) {
            self.report(ErrorKind::ScalarComparisonWithoutBool(op), self.operator_span(lhs, rhs));
        }
        let labels = self.expr.labels(modifiers.labels);
        if modifiers.matching == Some(crate::ast::MatchingKeyword::On) {
            for on in labels {
                for include in self.expr.labels(modifiers.include) {
                    let name = self.expr.text(on.name);
                    if name == self.expr.text(include.name) {
                        let kind = ErrorKind::LabelInOnAndGroup(name.into());
                        self.report(kind, self.operator_span(lhs, rhs));
                    }
                }
            }
        }
        if !is_operand(types.0) {
            self.report(ErrorKind::BadOperand(types.0), self.expr.span(lhs));
        }
        if !is_operand(types.1) {
            self.report(ErrorKind::BadOperand(types.1), self.expr.span(rhs));
        }
        let has_fill = modifiers.fill_left.is_some() || modifiers.fill_right.is_some();
        if !vector(types.0) || !vector(types.1) {
            if !labels.is_empty() {
                self.report(ErrorKind::MatchingOnScalar, span);
            }
            if has_fill {
                self.report(ErrorKind::FillOnScalar, span);
            }
        } else if op.is_set() {
            if modifiers.group.is_some() {
                self.report(ErrorKind::GroupingOnSet(op), span);
                self.report(ErrorKind::SetNotManyToMany, span);
            }
            if has_fill {
                self.report(ErrorKind::FillOnSet, span);
            }
        }
        if op.is_set() && (scalar(types.0) || scalar(types.1)) {
            self.report(ErrorKind::SetOnScalar(op), span);
        }
    }

    /// Where upstream sees the operator: what stands between the operands without the blanks, and
    /// one byte short at the end.
    fn operator_span(&self, lhs: NodeId, rhs: NodeId) -> Span {
        let source = self.expr.source();
        let is_blank = |b: u8| matches!(b, b' ' | b'\t' | b'\n' | b'\r');
        let mut start = self.expr.span(lhs).end as usize;
        while source.get(start).is_some_and(|&b| is_blank(b)) {
            start += 1;
        }
        let mut end = (self.expr.span(rhs).start as usize).saturating_sub(1);
        while source.get(end).is_some_and(|&b| is_blank(b)) && end > 0 {
            end -= 1;
        }
        Span::new(start as u32, end as u32)
    }
}

/// Whether an operator takes operands of the type.
pub(super) fn is_operand(value_type: ValueType) -> bool {
    matches!(value_type, ValueType::Scalar | ValueType::InstantVector)
}

/// Whether a regular expression, whose syntax has been checked, matches the empty string.
fn matches_empty(pattern: &[u8]) -> bool {
    promql_model::Regex::new(pattern).is_ok_and(|regex| regex.is_match(""))
}

/// What is wrong with a selector.
pub(super) fn selector_problem(expr: &Expr, id: SelectorId) -> Option<ErrorKind> {
    let selector = expr.selector(id);
    let matchers = expr.matchers(selector);
    if let Some(name) = selector.name {
        let named = |text| expr.text(text) == METRIC_NAME.as_bytes();
        let again = matchers.iter().find(|matcher| named(matcher.name))?;
        let value = expr.text(again.value).into();
        return Some(ErrorKind::NameSetTwice(expr.text(name).into(), value));
    }
    let restricts = matchers.iter().any(|matcher| {
        let value = expr.text(matcher.value);
        match matcher.op {
            MatchOp::Equal => !value.is_empty(),
            MatchOp::NotEqual => value.is_empty(),
            MatchOp::Matches => !matches_empty(value),
            MatchOp::NotMatches => matches_empty(value),
        }
    });
    (!restricts).then_some(ErrorKind::EmptySelector)
}
