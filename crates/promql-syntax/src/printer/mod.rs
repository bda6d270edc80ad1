//! The canonical form: an expression on one line, spelled byte for byte as upstream spells it.
//!
//! Nodes are printed from a stack of steps, never by recursion, so depth costs no call stack and
//! each node is visited once. While it prints, the printer notes which part of the text each node
//! became; the pretty form is cut from these parts, so no part is ever rendered twice. For the
//! formatter it notes as well to which part of the syntax each token belongs.
//!
//! Upstream's form loses a little: `info(x, {})` becomes `info(x, )`, durations are cut to
//! milliseconds, a literal such as `1001ms` may lose a millisecond to binary fractions, zeros of
//! both signs are one `fill` value, `Inf ^ 2` becomes `+Inf ^ 2`, a sign in front of a power, and
//! `offset --5 * 2` becomes `offset 5 * 2`, a product of the selector.
//! What goes back into a user's file must mean the same as before, so the formatter asks for
//! [`Fidelity::Exact`], which differs from upstream in exactly these cases.

mod durations;

use std::cell::OnceCell;
use std::fmt;
use std::fmt::Write;
use std::ops::Range;

use promql_model::number::General;
use promql_model::{METRIC_NAME, MatchOp};

use crate::ast::{
    At, BinaryModifiers, BinaryOp, Duration, Expr, GroupSide, List, MatchingKeyword, Modifiers,
    NodeId, NodeKind, VectorSelector,
};
use crate::spelling::{push_label, push_quoted};
use crate::types::ValueType;

impl fmt::Display for Expr {
    /// Writes the canonical form.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.print_node(self.root()))
    }
}

impl Expr {
    /// The canonical form of a node: one line, without comments, as upstream prints it.
    ///
    /// An expression that was read from this form has the same meaning, with the exceptions that
    /// upstream has: an empty selector as the second argument of `info` vanishes, and durations
    /// lose what is below a millisecond. It takes time linear in the size of the node.
    pub fn print_node(&self, node: NodeId) -> String {
        print(self, node, Fidelity::Upstream, Notes::None).text
    }
}

/// Whether the text is upstream's even where that changes the meaning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fidelity {
    /// Upstream's text.
    Upstream,
    /// Upstream's text unless it would be read as something else.
    Exact,
}

/// What is noted beside the text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Debug)]
pub(crate) enum Notes {
    /// Nothing.
    None,
    /// Which part of the text each node became.
    Nodes,
    /// That, and the tokens.
    Tokens,
}

/// An expression on one line.
#[derive(Debug, Default)]
pub(crate) struct Printed {
    pub(crate) text: String,
    /// The part of the text that each node became, in the order of [`Expr::nodes`]. For the
    /// selector inside a range selector that is the part in front of the bracket.
    pub(crate) nodes: Vec<Range<usize>>,
    pub(crate) tokens: Vec<PrintedToken>,
}

/// A token of the canonical form. A matcher and a label are one token each.
#[derive(Debug, Clone)]
pub(crate) struct PrintedToken {
    pub(crate) owner: Owner,
    pub(crate) range: Range<usize>,
}

/// The part of the syntax that a token belongs to. The source and the canonical form may have the
/// parts in different orders, but within a part the tokens keep theirs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) enum Owner {
    /// The node itself: its operator, its name, its parentheses, the commas between its children.
    Node(NodeId),
    /// A matcher, by its place among all matchers of the tree.
    Matcher(u32),
    /// A label of a list, by its place among all labels of the tree.
    Label(u32),
    /// `offset` with its argument.
    Offset(NodeId),
    /// `@` with its argument.
    At(NodeId),
    /// The range between brackets.
    Range(NodeId),
    /// The step between brackets.
    Step(NodeId),
    /// `by` or `without` with its parentheses and commas.
    Grouping(NodeId),
    /// `on` or `ignoring` with its parentheses and commas.
    Matching(NodeId),
    /// `group_left` or `group_right` with its parentheses and commas.
    Group(NodeId),
    /// `fill` or `fill_left` with its value.
    FillLeft(NodeId),
    /// `fill_right` with its value.
    FillRight(NodeId),
}

/// Prints a node on one line.
pub(crate) fn print(expr: &Expr, node: NodeId, fidelity: Fidelity, notes: Notes) -> Printed {
    let noted_nodes = if notes >= Notes::Nodes { expr.nodes().len() } else { 0 };
    let mut printer = Printer {
        expr,
        fidelity,
        notes,
        types: OnceCell::new(),
        steps: vec![Step::Node(node)],
        out: Printed { nodes: vec![0..0; noted_nodes], ..Printed::default() },
    };
    while let Some(step) = printer.steps.pop() {
        printer.step(step);
    }
    printer.out
}

/// What is left to do.
enum Step {
    /// Print a node.
    Node(NodeId),
    /// Print an infinity without its sign.
    Infinity(NodeId),
    /// The node ends here.
    End(NodeId),
    /// Print the operator of a binary operation.
    Operator(NodeId),
    /// Print what follows the operand of a subquery.
    Brackets(NodeId),
    /// Print a token of a node.
    Token(NodeId, &'static str),
    /// Print a blank.
    Space,
}

struct Printer<'e> {
    expr: &'e Expr,
    fidelity: Fidelity,
    notes: Notes,
    /// Only needed when a binary operation has modifiers.
    types: OnceCell<Vec<ValueType>>,
    steps: Vec<Step>,
    out: Printed,
}

impl Printer<'_> {
    fn step(&mut self, step: Step) {
        match step {
            Step::Node(id) => {
                self.begin(id);
                self.node(id);
            }
            Step::Infinity(id) => {
                self.begin(id);
                self.token(Owner::Node(id), "Inf");
            }
            Step::End(id) => {
                if self.notes >= Notes::Nodes {
                    self.out.nodes[id.index()].end = self.out.text.len();
                }
            }
            Step::Operator(id) => self.operator(id),
            Step::Brackets(id) => self.brackets(id),
            Step::Token(id, text) => self.token(Owner::Node(id), text),
            Step::Space => self.space(),
        }
    }

    fn begin(&mut self, id: NodeId) {
        if self.notes >= Notes::Nodes {
            self.out.nodes[id.index()].start = self.out.text.len();
        }
        self.steps.push(Step::End(id));
    }

    /// Prints a node that has no children, or its head; pushes the steps for the rest.
    fn node(&mut self, id: NodeId) {
        let own = Owner::Node(id);
        match self.expr.kind(id) {
            NodeKind::Number { value, is_duration } => self.literal(own, value, is_duration),
            NodeKind::String(text) => {
                let bytes = self.expr.text(text);
                self.token_by(own, |out| push_quoted(out, bytes));
            }
            NodeKind::VectorSelector(selector) => {
                let selector = *self.expr.selector(selector);
                self.selector(id, &selector);
                self.at(id, &selector.modifiers);
                self.extended(id, &selector.modifiers);
                self.offset(id, &selector.modifiers);
            }
            NodeKind::MatrixSelector { selector: inner, range } => {
                self.range_selector(id, inner, range)
            }
            NodeKind::Subquery(subquery) => {
                let inner = self.expr.subquery(subquery).expr;
                self.steps.extend([Step::Brackets(id), Step::Node(inner)]);
            }
            NodeKind::Aggregate { op, expr, param, grouping, without } => {
                self.token(own, op.name());
                if without || !grouping.is_empty() {
                    self.space();
                    let keyword = if without { "without" } else { "by" };
                    self.clause(Owner::Grouping(id), keyword, grouping);
                    self.space();
                }
                self.token(own, "(");
                self.steps.extend([Step::Token(id, ")"), Step::Node(expr)]);
                if let Some(param) = param {
                    self.steps.extend([Step::Space, Step::Token(id, ","), Step::Node(param)]);
                }
            }
            NodeKind::Call { function, args } => {
                self.token(own, function.name);
                self.token(own, "(");
                self.steps.push(Step::Token(id, ")"));
                let args = self.expr.arguments(args);
                for (i, &arg) in args.iter().enumerate().rev() {
                    self.steps.push(Step::Node(arg));
                    if i > 0 {
                        self.steps.extend([Step::Space, Step::Token(id, ",")]);
                    }
                }
            }
            NodeKind::Binary { op, lhs, rhs, .. } => {
                // The sign of `+Inf ^ 2` would be read as one of the whole power, which each time
                // it is printed would get another one.
                let is_infinite_base = op == BinaryOp::Pow
                    && matches!(self.expr.kind(lhs), NodeKind::Number { value: f64::INFINITY, .. });
                let lhs = match is_infinite_base && self.fidelity == Fidelity::Exact {
                    true => Step::Infinity(lhs),
                    false => Step::Node(lhs),
                };
                self.steps.extend([Step::Node(rhs), Step::Operator(id), lhs]);
            }
            NodeKind::Unary { op, expr } => {
                self.token(own, op.symbol());
                self.steps.push(Step::Node(expr));
            }
            NodeKind::Paren(expr) => {
                self.token(own, "(");
                self.steps.extend([Step::Token(id, ")"), Step::Node(expr)]);
            }
        }
    }

    /// The name and the matchers of a selector, without its modifiers.
    fn selector(&mut self, id: NodeId, selector: &VectorSelector) {
        let own = Owner::Node(id);
        let name = selector.name.map(|name| self.expr.text(name)).filter(|name| !name.is_empty());
        if let Some(name) = name {
            self.token_by(own, |out| out.push_str(&String::from_utf8_lossy(name)));
        }
        // Upstream sorts the rendered matchers, so operators and quotes take part in the order.
        let mut rendered: Vec<(String, u32)> = Vec::with_capacity(selector.matchers.len());
        for (matcher, index) in self.expr.matchers(selector).iter().zip(selector.matchers.start..) {
            let (label, value) = (self.expr.text(matcher.name), self.expr.text(matcher.value));
            let repeats_name = label == METRIC_NAME.as_bytes()
                && matcher.op == MatchOp::Equal
                && name == Some(value);
            if repeats_name {
                continue;
            }
            let mut text = String::with_capacity(label.len() + value.len() + 4);
            push_label(&mut text, label);
            text.push_str(matcher.op.symbol());
            push_quoted(&mut text, value);
            rendered.push((text, index));
        }
        rendered.sort();
        let keeps_braces = name.is_none() && self.fidelity == Fidelity::Exact;
        if rendered.is_empty() && !keeps_braces {
            return;
        }
        self.token(own, "{");
        for (i, (text, index)) in rendered.iter().enumerate() {
            if i > 0 {
                self.token(own, ",");
            }
            self.token(Owner::Matcher(*index), text);
        }
        self.token(own, "}");
    }

    /// A range selector. Its modifiers stand behind the bracket, in another order than those of an
    /// instant-vector selector.
    fn range_selector(&mut self, id: NodeId, inner: NodeId, range: Duration) {
        let NodeKind::VectorSelector(selector) = self.expr.kind(inner) else {
            // There is no such tree without errors, and no form for it upstream.
            self.steps.push(Step::Node(inner));
            return;
        };
        let selector = *self.expr.selector(selector);
        let start = self.out.text.len();
        self.selector(inner, &selector);
        if self.notes >= Notes::Nodes {
            self.out.nodes[inner.index()] = start..self.out.text.len();
        }
        self.token(Owner::Node(id), "[");
        self.duration(Owner::Range(id), range);
        self.token(Owner::Node(id), "]");
        self.extended(inner, &selector.modifiers);
        self.at(inner, &selector.modifiers);
        self.offset(inner, &selector.modifiers);
    }

    /// Range, step and modifiers of a subquery.
    fn brackets(&mut self, id: NodeId) {
        let NodeKind::Subquery(subquery) = self.expr.kind(id) else { return };
        let subquery = *self.expr.subquery(subquery);
        let own = Owner::Node(id);
        self.token(own, "[");
        self.duration(Owner::Range(id), subquery.range);
        self.token(own, ":");
        if let Some(step) = subquery.step.filter(|step| *step != Duration::Literal(0)) {
            self.duration(Owner::Step(id), step);
        }
        self.token(own, "]");
        self.at(id, &subquery.modifiers);
        self.offset(id, &subquery.modifiers);
    }

    /// The operator of a binary operation with its modifiers, between blanks.
    fn operator(&mut self, id: NodeId) {
        let NodeKind::Binary { op, lhs, rhs, modifiers } = self.expr.kind(id) else { return };
        let own = Owner::Node(id);
        self.space();
        self.token(own, op.symbol());
        if let Some(modifiers) = modifiers {
            let modifiers = *self.expr.binary_modifiers(modifiers);
            if modifiers.return_bool {
                self.space();
                self.token(own, "bool");
            }
            // Upstream's type check drops how to match where an operand is no vector.
            let types = self.types.get_or_init(|| crate::value_types(self.expr));
            if [lhs, rhs].iter().all(|side| types[side.index()] == ValueType::InstantVector) {
                self.matching(id, &modifiers);
            }
        }
        self.space();
    }

    fn matching(&mut self, id: NodeId, modifiers: &BinaryModifiers) {
        let on = modifiers.matching == Some(MatchingKeyword::On);
        if on || !modifiers.labels.is_empty() || modifiers.group.is_some() {
            self.space();
            let keyword = if on { "on" } else { "ignoring" };
            self.clause(Owner::Matching(id), keyword, modifiers.labels);
        }
        if let Some(side) = modifiers.group {
            self.space();
            let keyword = match side {
                GroupSide::Left => "group_left",
                GroupSide::Right => "group_right",
            };
            self.clause(Owner::Group(id), keyword, modifiers.include);
        }
        let (left, right) = (modifiers.fill_left, modifiers.fill_right);
        // Upstream compares the values: zeros of both signs are equal, and NaN equals nothing.
        let sign = |value: Option<f64>| value.map(f64::is_sign_negative);
        let is_same = self.fidelity == Fidelity::Upstream || sign(left) == sign(right);
        if let (Some(both), true) = (left, left == right && is_same) {
            return self.fill(Owner::FillLeft(id), "fill", both);
        }
        if let Some(value) = left {
            self.fill(Owner::FillLeft(id), "fill_left", value);
        }
        if let Some(value) = right {
            self.fill(Owner::FillRight(id), "fill_right", value);
        }
    }

    fn fill(&mut self, owner: Owner, keyword: &str, value: f64) {
        self.space();
        self.token(owner, keyword);
        self.space();
        self.token(owner, "(");
        self.token_by(owner, |out| _ = write!(out, "{}", General(value)));
        self.token(owner, ")");
    }

    /// A keyword with a list of labels: `by (job, instance)`.
    fn clause(&mut self, owner: Owner, keyword: &str, labels: List) {
        self.token(owner, keyword);
        self.space();
        self.token(owner, "(");
        for (label, index) in self.expr.labels(labels).iter().zip(labels.start..) {
            if index > labels.start {
                self.token(owner, ",");
                self.space();
            }
            let name = self.expr.text(label.name);
            self.token_by(Owner::Label(index), |out| push_label(out, name));
        }
        self.token(owner, ")");
    }

    fn at(&mut self, id: NodeId, modifiers: &Modifiers) {
        let Some(at) = modifiers.at else { return };
        let own = Owner::At(id);
        self.space();
        self.token(own, "@");
        self.space();
        match at {
            At::Timestamp(milliseconds) => {
                let seconds = milliseconds as f64 / 1000.0;
                self.token_by(own, |out| _ = write!(out, "{seconds:.3}"));
            }
            At::Start => ["start", "(", ")"].iter().for_each(|text| self.token(own, text)),
            At::End => ["end", "(", ")"].iter().for_each(|text| self.token(own, text)),
        }
    }

    fn extended(&mut self, id: NodeId, modifiers: &Modifiers) {
        let words = [(modifiers.anchored, "anchored"), (modifiers.smoothed, "smoothed")];
        if let Some((_, word)) = words.iter().find(|(written, _)| *written) {
            self.space();
            self.token(Owner::Node(id), word);
        }
    }

    fn space(&mut self) {
        self.out.text.push(' ');
    }

    fn token(&mut self, owner: Owner, text: &str) {
        self.token_by(owner, |out| out.push_str(text));
    }

    fn token_by(&mut self, owner: Owner, write: impl FnOnce(&mut String)) {
        let start = self.out.text.len();
        write(&mut self.out.text);
        if self.notes >= Notes::Tokens {
            self.out.tokens.push(PrintedToken { owner, range: start..self.out.text.len() });
        }
    }
}
