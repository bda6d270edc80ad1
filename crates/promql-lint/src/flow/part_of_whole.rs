//! How two parts of an expression relate as texts: whether they are the same, whether one selects
//! from what the other selects, and whether a quotient is a part of a whole.
//!
//! Nothing here depends on how something is written: parentheses, the order of matchers, of labels
//! and of the operands of `+` and `*` make no difference.

use promql_syntax::ast::{
    BinaryModifiers, BinaryOp, Duration, Expr, List, MatchingKeyword, Modifiers, NodeId, NodeKind,
};
use promql_syntax::{Aggregator, Function};

use super::flags::Basis;
use super::value_set::is_unknown;
use super::{Flows, Range, ValueSet, bare};

/// A quotient of a part and its whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Whole {
    /// What the whole itself would give: 1, or 100 for percents.
    pub scale: f64,
    /// Whether part and whole are always equal, because each element of the whole is divided by
    /// itself.
    pub is_exact: bool,
    /// Whether the part's selectors have matchers that those of the whole don't have.
    pub is_narrowed: bool,
    /// What it rests on that no value is negative.
    pub basis: Basis,
}

impl Whole {
    /// What the quotient can be. 0 divided by 0 is left out.
    pub fn range(&self) -> Range {
        let lo = if self.is_exact { self.scale } else { 0.0 };
        Range::between(lo, self.scale).on(self.basis)
    }
}

/// Whether two nodes mean the same.
pub fn same_tree(expr: &Expr, a: NodeId, b: NodeId) -> bool {
    let mut pairs = vec![(a, b)];
    while let Some((a, b)) = pairs.pop() {
        let (a, b) = (bare(expr, a), bare(expr, b));
        if a == b {
            continue;
        }
        match (expr.kind(a), expr.kind(b)) {
            (
                NodeKind::Binary { op: x, lhs: a, rhs: b, modifiers: m },
                NodeKind::Binary { op: y, lhs: c, rhs: d, modifiers: n },
            ) => {
                if x != y || !same_modifiers(expr, m, n) {
                    return false;
                }
                let commutes = matches!(x, BinaryOp::Add | BinaryOp::Mul) && m.is_none();
                // Looking at both orders could take exponentially long, so the first operand
                // decides which it is by a glance at what it is.
                let swapped = commutes && shape(expr, a) != shape(expr, c);
                pairs.extend(if swapped { [(a, d), (b, c)] } else { [(a, c), (b, d)] });
            }
            _ => {
                if !same_but_children(expr, a, b) {
                    return false;
                }
                let (mut of_a, mut of_b) = (Vec::new(), Vec::new());
                expr.for_each_child(a, |child| of_a.push(child));
                expr.for_each_child(b, |child| of_b.push(child));
                if of_a.len() != of_b.len() {
                    return false;
                }
                pairs.extend(of_a.into_iter().zip(of_b));
            }
        }
    }
    true
}

/// Something that is equal for nodes that mean the same, found without looking at their operands.
fn shape(expr: &Expr, node: NodeId) -> (u8, Option<Vec<u8>>, u64) {
    let node = bare(expr, node);
    match expr.kind(node) {
        NodeKind::Number { value, .. } => (0, None, value.to_bits()),
        NodeKind::VectorSelector(id) => {
            let name = expr.selector(id).name.map(|name| expr.text(name).to_vec());
            (1, name, u64::from(expr.selector(id).matchers.len() as u32))
        }
        NodeKind::Call { function, args } => (2, Some(function.name.into()), args.len() as u64),
        NodeKind::Aggregate { op, grouping, .. } => {
            (3, Some(op.name().into()), grouping.len() as u64)
        }
        NodeKind::Binary { op, .. } => (4, Some(op.symbol().into()), 0),
        NodeKind::MatrixSelector { .. } => (5, None, 0),
        NodeKind::Subquery(_) => (6, None, 0),
        NodeKind::Unary { .. } => (7, None, 0),
        NodeKind::String(text) => (8, Some(expr.text(text).to_vec()), 0),
        NodeKind::Paren(_) => (9, None, 0),
    }
}

/// Whether two nodes are the same operation, whatever it is applied to.
fn same_but_children(expr: &Expr, a: NodeId, b: NodeId) -> bool {
    match (expr.kind(a), expr.kind(b)) {
        (NodeKind::Number { value: a, .. }, NodeKind::Number { value: b, .. }) => {
            a.to_bits() == b.to_bits()
        }
        (NodeKind::String(a), NodeKind::String(b)) => expr.text(a) == expr.text(b),
        (NodeKind::VectorSelector(_), NodeKind::VectorSelector(_)) => {
            let narrower = |a, b| {
                let mut narrowing = Narrowing::default();
                narrowing.selector(expr, a, b) && narrowing.labels.is_empty()
            };
            narrower(a, b) && narrower(b, a)
        }
        (NodeKind::MatrixSelector { range: a, .. }, NodeKind::MatrixSelector { range: b, .. }) => {
            same_duration(a, b)
        }
        (NodeKind::Subquery(a), NodeKind::Subquery(b)) => {
            let (a, b) = (expr.subquery(a), expr.subquery(b));
            let steps = match (a.step, b.step) {
                (None, None) => true,
                (Some(a), Some(b)) => same_duration(a, b),
                _ => false,
            };
            steps && same_duration(a.range, b.range) && same_times(&a.modifiers, &b.modifiers)
        }
        (
            NodeKind::Aggregate { op: a, grouping: m, without: v, .. },
            NodeKind::Aggregate { op: b, grouping: n, without: w, .. },
        ) => a == b && v == w && names(expr, m) == names(expr, n),
        (NodeKind::Call { function: a, .. }, NodeKind::Call { function: b, .. }) => a == b,
        (NodeKind::Unary { op: a, .. }, NodeKind::Unary { op: b, .. }) => a == b,
        _ => false,
    }
}

fn same_duration(a: Duration, b: Duration) -> bool {
    matches!((a, b), (Duration::Literal(a), Duration::Literal(b)) if a == b)
}

fn same_times(a: &Modifiers, b: &Modifiers) -> bool {
    a.offset_expr.is_none() && b.offset_expr.is_none() && a == b
}

fn same_modifiers(
    expr: &Expr,
    a: Option<promql_syntax::ast::MatchingId>,
    b: Option<promql_syntax::ast::MatchingId>,
) -> bool {
    let default = BinaryModifiers::default();
    let a = a.map_or(&default, |id| expr.binary_modifiers(id));
    let b = b.map_or(&default, |id| expr.binary_modifiers(id));
    a.return_bool == b.return_bool
        && a.matching == b.matching
        && a.group == b.group
        && a.fill_left.map(f64::to_bits) == b.fill_left.map(f64::to_bits)
        && a.fill_right.map(f64::to_bits) == b.fill_right.map(f64::to_bits)
        && names(expr, a.labels) == names(expr, b.labels)
        && names(expr, a.include) == names(expr, b.include)
}

fn names(expr: &Expr, list: List) -> Vec<&[u8]> {
    let mut names: Vec<&[u8]> =
        expr.labels(list).iter().map(|label| expr.text(label.name)).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Whether each element of `a` is one of `b`, with the same labels and the same value.
pub fn is_narrower(expr: &Expr, a: NodeId, b: NodeId) -> bool {
    Narrowing::default().node(expr, a, b)
}

/// In what one part of an expression is narrower than another.
#[derive(Default)]
struct Narrowing {
    /// The labels that its matchers narrow.
    labels: Vec<Vec<u8>>,
    /// Whether something else narrows it, such as a comparison.
    filtered: bool,
}

impl Narrowing {
    fn node(&mut self, expr: &Expr, mut a: NodeId, mut b: NodeId) -> bool {
        loop {
            (a, b) = (bare(expr, a), bare(expr, b));
            match (expr.kind(a), expr.kind(b)) {
                (NodeKind::VectorSelector(_), NodeKind::VectorSelector(_)) => {
                    return self.selector(expr, a, b);
                }
                (
                    NodeKind::MatrixSelector { selector: x, range: r },
                    NodeKind::MatrixSelector { selector: y, range: s },
                ) => {
                    return same_duration(r, s) && self.selector(expr, x, y);
                }
                (
                    NodeKind::Call { function, args },
                    NodeKind::Call { function: other, args: others },
                ) if function == other && args.len() == others.len() => {
                    let Some(at) = element_wise_argument(function.function, args.len()) else {
                        return same_tree(expr, a, b);
                    };
                    let (args, others) = (expr.arguments(args), expr.arguments(others));
                    let same = |i: usize| i == at || same_tree(expr, args[i], others[i]);
                    if !(0..args.len()).all(same) {
                        return false;
                    }
                    (a, b) = (args[at], others[at]);
                }
                // A filter keeps some elements of its left side.
                (NodeKind::Binary { op, lhs, rhs, modifiers }, _)
                    if !same_tree(expr, a, b) && keeps_left(expr, op, rhs, modifiers) =>
                {
                    self.filtered = true;
                    a = lhs;
                }
                _ => return same_tree(expr, a, b),
            }
        }
    }

    fn selector(&mut self, expr: &Expr, a: NodeId, b: NodeId) -> bool {
        let (NodeKind::VectorSelector(a), NodeKind::VectorSelector(b)) =
            (expr.kind(a), expr.kind(b))
        else {
            return false;
        };
        let (a, b) = (expr.selector(a), expr.selector(b));
        let name = |selector: &promql_syntax::ast::VectorSelector| {
            selector.name.map(|name| expr.text(name).to_vec())
        };
        if name(a) != name(b) || !same_times(&a.modifiers, &b.modifiers) {
            return false;
        }
        let (of_a, of_b) = (expr.matchers(a), expr.matchers(b));
        type Matcher = promql_syntax::ast::LabelMatcher;
        let same = |a: &Matcher, b: &Matcher| {
            a.op == b.op
                && expr.text(a.name) == expr.text(b.name)
                && expr.text(a.value) == expr.text(b.value)
        };
        let values = |matcher: &Matcher| ValueSet::matching(matcher.op, expr.text(matcher.value));
        for wanted in of_b {
            if of_a.iter().any(|matcher| same(matcher, wanted)) {
                continue;
            }
            if is_unknown(expr.text(wanted.value)) {
                return false;
            }
            let of_label =
                of_a.iter().filter(|m| expr.text(m.name) == expr.text(wanted.name)).map(values);
            let narrow = of_label.fold(ValueSet::ANY, |all, values| all.meet(&values));
            if !narrow.is_subset(&values(wanted)) {
                return false;
            }
        }
        for matcher in of_a {
            if !of_b.iter().any(|other| same(matcher, other)) {
                self.labels.push(expr.text(matcher.name).to_vec());
            }
        }
        true
    }
}

/// Whether the result of an operator is some of the elements of its left operand.
fn keeps_left(
    expr: &Expr,
    op: BinaryOp,
    rhs: NodeId,
    modifiers: Option<promql_syntax::ast::MatchingId>,
) -> bool {
    let is_bool = modifiers.is_some_and(|id| expr.binary_modifiers(id).return_bool);
    let number = matches!(expr.kind(bare(expr, rhs)), NodeKind::Number { .. });
    matches!(op, BinaryOp::And | BinaryOp::Unless) || (op.is_comparison() && !is_bool && number)
}

/// The argument of a function that gives one element for each element of it, by that alone.
fn element_wise_argument(function: Function, arguments: usize) -> Option<usize> {
    use Function::*;
    match function {
        Rate | Increase | Irate | Delta | Idelta | Deriv | Resets | Changes | AvgOverTime
        | MinOverTime | MaxOverTime | SumOverTime | CountOverTime | LastOverTime
        | FirstOverTime | PresentOverTime | StddevOverTime | StdvarOverTime | Abs | Ceil
        | Floor | Round | Clamp | ClampMin | ClampMax | Sqrt | Exp | Ln | Log2 | Log10 | Sgn
        | Timestamp
            if arguments > 0 =>
        {
            Some(0)
        }
        QuantileOverTime if arguments == 2 => Some(1),
        _ => None,
    }
}

/// Whether a quotient is a part of a whole, so that it lies between 0 and 1, or 100 for percents.
///
/// The part is among the addends of the whole; or both are the same sums, counts or rates, and the
/// part's selectors select some of what those of the whole do.
pub fn part_of_whole(
    expr: &Expr,
    flows: &Flows,
    lhs: NodeId,
    rhs: NodeId,
    modifiers: &BinaryModifiers,
) -> Option<Whole> {
    if modifiers.fill_left.is_some() || modifiers.fill_right.is_some() {
        return None;
    }
    let (part, scale) = scaled(expr, filtered(expr, bare(expr, lhs)));
    let part = filtered(expr, part);
    let whole = at_least(expr, rhs);
    let parts = Parts { expr, flows, modifiers };
    let (is_exact, basis) = parts.relate(part, whole)?;
    Some(Whole { scale, is_exact, is_narrowed: !same_tree(expr, part, whole), basis })
}

/// What is multiplied by a positive number, and the number.
fn scaled(expr: &Expr, node: NodeId) -> (NodeId, f64) {
    let NodeKind::Binary { op: BinaryOp::Mul, lhs, rhs, .. } = expr.kind(node) else {
        return (node, 1.0);
    };
    let number = |node| match expr.kind(bare(expr, node)) {
        NodeKind::Number { value, .. } if value > 0.0 && value.is_finite() => Some(value),
        _ => None,
    };
    match (number(lhs), number(rhs)) {
        (Some(scale), None) => (bare(expr, rhs), scale),
        (None, Some(scale)) => (bare(expr, lhs), scale),
        _ => (node, 1.0),
    }
}

/// What is in a comparison with a number.
fn filtered(expr: &Expr, mut node: NodeId) -> NodeId {
    loop {
        node = bare(expr, node);
        match expr.kind(node) {
            NodeKind::Binary { op, lhs, rhs, modifiers }
                if op.is_comparison() && keeps_left(expr, op, rhs, modifiers) =>
            {
                node = lhs;
            }
            _ => return node,
        }
    }
}

/// What is in a `clamp_min`, or a comparison with a number.
fn at_least(expr: &Expr, mut node: NodeId) -> NodeId {
    loop {
        node = filtered(expr, node);
        match expr.kind(node) {
            NodeKind::Call { function, args } if function.function == Function::ClampMin => {
                match expr.arguments(args) {
                    [inner, _] => node = *inner,
                    _ => return node,
                }
            }
            _ => return node,
        }
    }
}

struct Parts<'a> {
    expr: &'a Expr,
    flows: &'a Flows,
    modifiers: &'a BinaryModifiers,
}

impl Parts<'_> {
    fn has_default_matching(&self) -> bool {
        self.modifiers.matching.is_none() && self.modifiers.group.is_none()
    }

    /// Whether one is a part of the other: whether they are always equal, and what that rests on.
    fn relate(&self, part: NodeId, whole: NodeId) -> Option<(bool, Basis)> {
        if let Some(found) = self.among_addends(part, whole) {
            return Some(found);
        }
        // What is left of the whole after a part of it was taken away.
        if let NodeKind::Binary { op: BinaryOp::Sub, lhs, rhs, modifiers: None } =
            self.expr.kind(part)
            && same_tree(self.expr, lhs, whole)
            && self.has_default_matching()
        {
            let (_, basis) = self.relate(bare(self.expr, rhs), whole)?;
            return Some((false, basis));
        }
        self.narrower(part, whole)
    }

    /// What it rests on that a node has no negative values; `None` if it may have.
    fn nonnegative(&self, node: NodeId) -> Option<Basis> {
        let flow = self.flows.of(node);
        let mut basis = flow.basis;
        for arm in &flow.arms {
            if arm.samples.has_floats() && !arm.value.is_nonnegative() {
                return None;
            }
            basis = basis.or(arm.value.basis);
        }
        Some(basis)
    }

    fn among_addends(&self, part: NodeId, whole: NodeId) -> Option<(bool, Basis)> {
        if !self.has_default_matching() {
            return None;
        }
        let mut addends = self.addends(whole)?;
        if addends.len() < 2 {
            return None;
        }
        let basis = addends
            .iter()
            .try_fold(Basis::NONE, |basis, addend| Some(basis.or(self.nonnegative(*addend)?)))?;
        for addend in self.addends(part)? {
            let at = addends.iter().position(|other| same_tree(self.expr, addend, *other))?;
            addends.swap_remove(at);
        }
        Some((false, basis))
    }

    /// The operands of a sum. `None` if one of them is matched in another way than by all labels.
    fn addends(&self, node: NodeId) -> Option<Vec<NodeId>> {
        let mut addends = Vec::new();
        let mut open = vec![node];
        while let Some(node) = open.pop() {
            let node = bare(self.expr, node);
            match self.expr.kind(node) {
                NodeKind::Binary { op: BinaryOp::Add, lhs, rhs, modifiers } => {
                    if modifiers.is_some() || addends.len() > 64 {
                        return None;
                    }
                    open.extend([lhs, rhs]);
                }
                _ => addends.push(node),
            }
        }
        Some(addends)
    }

    fn narrower(&self, part: NodeId, whole: NodeId) -> Option<(bool, Basis)> {
        let expr = self.expr;
        let mut narrowing = Narrowing::default();
        if let (
            NodeKind::Aggregate { op, expr: of_part, grouping, without, .. },
            NodeKind::Aggregate { op: other, expr: of_whole, grouping: groups, without: v, .. },
        ) = (expr.kind(part), expr.kind(whole))
        {
            if op != other || without != v || !matches!(op, Aggregator::Sum | Aggregator::Count) {
                return None;
            }
            let (fine, coarse) = (names(expr, grouping), names(expr, groups));
            if !self.groups_contain(&fine, &coarse, without)
                || !narrowing.node(expr, of_part, of_whole)
            {
                return None;
            }
            let is_kept =
                |label: &Vec<u8>| !without && coarse.contains(&label.as_slice()) && fine == coarse;
            // Narrowed by nothing at all it is the same thing twice.
            let is_exact = !narrowing.filtered && narrowing.labels.iter().all(is_kept);
            if is_exact && self.has_default_matching() {
                return Some((true, Basis::NONE));
            }
            let basis = match op {
                Aggregator::Count => Basis::NONE,
                _ => self.nonnegative(bare(expr, of_whole))?,
            };
            return Some((false, basis));
        }
        // Without an aggregation each element is divided by itself.
        let is_vector =
            matches!(expr.kind(part), NodeKind::Call { .. } | NodeKind::VectorSelector(_));
        if is_vector && self.has_default_matching() && narrowing.node(expr, part, whole) {
            return Some((true, Basis::NONE));
        }
        None
    }

    /// Whether the group of the whole that a group of the part is matched with contains it.
    fn groups_contain(&self, fine: &[&[u8]], coarse: &[&[u8]], without: bool) -> bool {
        if fine == coarse && self.has_default_matching() {
            return true;
        }
        if without || self.modifiers.group == Some(promql_syntax::ast::GroupSide::Right) {
            return false;
        }
        let labels = names(self.expr, self.modifiers.labels);
        let takes_part = |label: &&[u8]| match self.modifiers.matching {
            Some(MatchingKeyword::On) => labels.contains(label),
            _ => !labels.contains(label) && *label != b"__name__",
        };
        coarse.iter().all(|label| fine.contains(label) && takes_part(label))
    }
}
