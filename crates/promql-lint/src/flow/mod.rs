//! What is known of the result of an expression without any data.
//!
//! An abstract interpretation over the syntax tree: for each node, which labels its elements have,
//! what their values can be, how many elements there can be, whether there can be none, what the
//! samples can be, and what they count. What it says holds for any content of a database, unless it
//! names an assumption that it rests on ([`Basis`]).
//!
//! ```text
//!  Expr ──► analyse ──► Flows: for each node a Flow ──► one Arm for each way elements come about
//!             ▲                                           labels, key, presence, value, quantity
//!             │
//!            Env: recording rules, declared metrics, which assumptions are made
//! ```
//!
//! One loop over the nodes, children before parents, applies a transfer function to each: one file
//! for each family of operations. It never fails; where nothing is known, as in parts that are not
//! well typed, the answer is "anything" ([`Arm::top`]).
//!
//! ```
//! use promql_lint::flow::{Env, Presence, analyse};
//! let expr = promql_syntax::parse("count by (job) (up) == 0", &Default::default())?;
//! let env = Env::default();
//! let flows = analyse(&expr, &env);
//! // A count of nothing is nothing, and never 0.
//! assert_eq!(flows.root(&expr).nonempty, Presence::Never);
//! # Ok::<(), promql_syntax::Errors>(())
//! ```

mod aggregate;
mod arm;
mod cancelled;
mod env;
mod explain;
mod flags;
mod functions;
mod histograms;
mod join;
mod label_functions;
mod labels;
mod of_time;
mod over_range;
mod part_of_whole;
mod pattern;
mod print;
mod quantity;
mod range;
mod range_arithmetic;
mod range_functions;
mod selector;
mod set;
mod value_set;
mod with_scalar;

use std::sync::{Arc, LazyLock};

use promql_syntax::ValueType;
use promql_syntax::ast::{self, Expr, List, NodeId, NodeKind, Sign};

pub use arm::{Arm, Presence, Samples};
pub use env::{Env, EnvBuilder, Metric, Recording};
pub use explain::Step;
pub use flags::{Basis, Conditions, Failures};
pub use labels::{Change, Label, Labels, Reason};
pub use part_of_whole::{Whole, is_narrower, part_of_whole, same_tree};
pub use pattern::Pattern;
pub use quantity::{Base, Kind, Quantity, Unit};
pub use range::{Comparison, Range, Verdict};
pub use value_set::{MAX_PATTERNS, MAX_TEXTS, ValueSet};

pub(crate) use cancelled::cancelled;
pub(crate) use of_time::since_evaluation;
pub(crate) use with_scalar::comparison;

/// A name or a label value. Clones share it.
pub type Text = Arc<str>;

/// More arms than this are joined.
pub const MAX_ARMS: usize = 16;

/// What is known of the result of one node.
#[derive(Clone, Debug, PartialEq)]
pub struct Flow {
    /// The type of the result.
    pub value_type: ValueType,
    /// Whether there is any element.
    pub nonempty: Presence,
    /// The ways in which elements come about: each element of any result is of one of these. None
    /// for a string.
    pub arms: Vec<Arm>,
    /// The ways that end at this node, though they may look as if they went on.
    pub dropped: Vec<Dropped>,
    /// How the evaluation of this node can fail, on some data. Its operands are not counted in.
    pub failures: Failures,
    /// What it rests on that there are no other elements than the arms say.
    pub basis: Basis,
}

/// A way that ends at a node.
#[derive(Clone, Debug, PartialEq)]
pub struct Dropped {
    /// Why.
    pub why: Why,
    /// What that rests on.
    pub basis: Basis,
}

/// Why elements never get beyond a node.
#[derive(Clone, Debug, PartialEq)]
pub enum Why {
    /// No value of a label satisfies all matchers on it.
    NoSuchLabel(Text),
    /// A comparison never holds.
    Comparison,
    /// No element of the other side has an equal value of a label.
    NoPartner {
        /// The label.
        label: Text,
        /// The arm of the left operand, by its position.
        left: usize,
        /// The arm of the right operand.
        right: usize,
    },
    /// The other side of `unless` always has an equal element.
    Excluded,
    /// An element of the left side of `or` always takes its place.
    Covered,
    /// A parameter lets nothing through: `topk(0, …)`, or `clamp` with its limits swapped.
    Parameter,
    /// There is no label `le` of classic buckets.
    NoBuckets,
    /// The operation has no meaning for such samples.
    Samples,
    /// `absent` of what is always there.
    Present,
    /// The window is too short for the samples that the function needs.
    Window,
}

/// What is known of the results of all nodes of an expression.
#[derive(Clone, Debug)]
pub struct Flows {
    flows: Vec<Flow>,
    /// For each node the position of its flow: parentheses share that of what is in them.
    of_node: Vec<u32>,
}

impl Flows {
    /// What is known of the result of a node of the expression that was analysed.
    pub fn of(&self, node: NodeId) -> &Flow {
        &self.flows[self.of_node[node.index()] as usize]
    }

    /// What is known of the result of the whole expression.
    pub fn root(&self, expr: &Expr) -> &Flow {
        self.of(expr.root())
    }

    /// The range of a scalar, if the node is one.
    pub(crate) fn scalar_range(&self, node: NodeId) -> Option<&Range> {
        let flow = self.of(node);
        match (flow.value_type, flow.arms.first()) {
            (ValueType::Scalar, Some(arm)) => Some(&arm.value),
            _ => None,
        }
    }

    /// How the evaluation of the expression can fail.
    pub fn failures(&self) -> Failures {
        self.flows.iter().fold(Failures::NONE, |failures, flow| failures.or(flow.failures))
    }
}

/// Finds out what is known of the results of all nodes of an expression.
pub fn analyse(expr: &Expr, env: &Env) -> Flows {
    let nodes = expr.nodes();
    let flows =
        Flows { flows: Vec::with_capacity(nodes.len()), of_node: Vec::with_capacity(nodes.len()) };
    let mut walk = Walk { expr, env, flows };
    for (id, node) in expr.nodes_with_ids() {
        walk.node(Here(id), node.kind);
    }
    walk.flows
}

/// The names that the transfer functions themselves speak of.
struct Names {
    name: Text,
    le: Text,
    job: Text,
    instance: Text,
    alertname: Text,
    alertstate: Text,
}

static NAMES: LazyLock<Names> = LazyLock::new(|| Names {
    name: "__name__".into(),
    le: "le".into(),
    job: "job".into(),
    instance: "instance".into(),
    alertname: "alertname".into(),
    alertstate: "alertstate".into(),
});

/// The loop over the nodes.
struct Walk<'a> {
    expr: &'a Expr,
    env: &'a Env,
    flows: Flows,
}

impl Walk<'_> {
    fn node(&mut self, here: Here, kind: NodeKind) {
        let mut flow = match kind {
            NodeKind::Paren(inner) | NodeKind::Unary { op: Sign::Plus, expr: inner } => {
                let shared = self.flows.of_node[inner.index()];
                self.flows.of_node.push(shared);
                return;
            }
            NodeKind::Number { value, .. } => Flow::scalar(Range::point(value)),
            NodeKind::String(_) => Flow {
                value_type: ValueType::String,
                nonempty: Presence::Always,
                arms: Vec::new(),
                dropped: Vec::new(),
                failures: Failures::NONE,
                basis: Basis::NONE,
            },
            NodeKind::VectorSelector(selector) => self.selector(here, selector),
            NodeKind::MatrixSelector { selector, range } => self.matrix(selector, range),
            NodeKind::Subquery(subquery) => self.subquery(subquery),
            NodeKind::Unary { op: Sign::Minus, expr } => self.negation(here, expr),
            NodeKind::Aggregate { op, expr, param, grouping, without } => {
                self.aggregation(here, op, expr, param, grouping, without)
            }
            NodeKind::Call { function, args } => self.call(here, function, args),
            NodeKind::Binary { op, lhs, rhs, modifiers } => {
                self.binary(here, op, lhs, rhs, modifiers)
            }
        };
        let flows = &self.flows;
        self.expr.for_each_child(here.0, |child| {
            flow.basis = flow.basis.or(flows.of(child).basis);
        });
        self.flows.of_node.push(self.flows.flows.len() as u32);
        self.flows.flows.push(flow);
    }

    fn flow(&self, node: NodeId) -> &Flow {
        self.flows.of(node)
    }

    fn text(&self, text: ast::Text) -> Text {
        pattern::text_of(self.expr.text(text))
    }

    /// The labels of a list such as that of `by`.
    fn names(&self, list: List) -> Vec<Text> {
        names_of(self.expr, list)
    }

    /// The operand of a node, without parentheses and signs that do nothing.
    fn bare(&self, node: NodeId) -> NodeId {
        bare(self.expr, node)
    }

    /// A string argument, if it is known.
    fn string(&self, node: NodeId) -> Option<Text> {
        match self.expr.kind(self.bare(node)) {
            NodeKind::String(text) => {
                (!value_set::is_unknown(self.expr.text(text))).then(|| self.text(text))
            }
            _ => None,
        }
    }

    /// The range of a scalar operand, if it is one.
    fn scalar_range(&self, node: NodeId) -> Option<&Range> {
        self.flows.scalar_range(node)
    }

    fn negation(&self, here: Here, operand: NodeId) -> Flow {
        let flow = self.flow(operand);
        match flow.value_type {
            ValueType::Scalar | ValueType::InstantVector => {}
            ValueType::RangeVector | ValueType::String => return Flow::top(flow.value_type),
        }
        let is_scalar = flow.value_type == ValueType::Scalar;
        let failures = if is_scalar { Failures::NONE } else { names_collide(flow) };
        let mut mapped = flow.map(|arm| {
            if !is_scalar {
                drop_name(arm, here);
            }
            arm.value = range_arithmetic::negated(&arm.value);
            Ok(())
        });
        mapped.failures = failures;
        mapped
    }

    fn binary(
        &self,
        here: Here,
        op: ast::BinaryOp,
        lhs: NodeId,
        rhs: NodeId,
        modifiers: Option<ast::MatchingId>,
    ) -> Flow {
        use ValueType::{InstantVector, Scalar};
        let default = ast::BinaryModifiers::default();
        let modifiers = modifiers.map_or(&default, |id| self.expr.binary_modifiers(id));
        match (self.flow(lhs).value_type, self.flow(rhs).value_type) {
            (Scalar, Scalar) => self.scalars(op, lhs, rhs, modifiers.return_bool),
            (InstantVector, Scalar) if !op.is_set() => {
                self.with_scalar(here, op, lhs, rhs, false, modifiers.return_bool)
            }
            (Scalar, InstantVector) if !op.is_set() => {
                self.with_scalar(here, op, rhs, lhs, true, modifiers.return_bool)
            }
            (InstantVector, InstantVector) if op.is_set() => {
                self.set_operator(here, op, lhs, rhs, modifiers)
            }
            (InstantVector, InstantVector) => self.join(here, op, lhs, rhs, modifiers),
            _ => Flow::top(InstantVector),
        }
    }
}

/// The label for which no element with some labels can match one with others, if there is one.
pub(crate) fn mismatch(
    expr: &Expr,
    modifiers: &ast::BinaryModifiers,
    a: &Labels,
    b: &Labels,
) -> Option<Text> {
    let matching = join::Matching::written(expr, modifiers);
    matching.mismatch(a, b).cloned()
}

/// Whether no two elements of a side of an operation match the same element.
pub(crate) fn is_unique(expr: &Expr, modifiers: &ast::BinaryModifiers, side: &Flow) -> bool {
    join::Matching::written(expr, modifiers).is_unique(side)
}

/// Whether a label takes part in matching.
pub(crate) fn takes_part(expr: &Expr, modifiers: &ast::BinaryModifiers, label: &str) -> bool {
    join::Matching::written(expr, modifiers).has(label)
}

/// The names of a list of labels, sorted, each once.
fn names_of(expr: &Expr, list: List) -> Vec<Text> {
    let labels = expr.labels(list).iter();
    let mut names: Vec<Text> =
        labels.map(|label| pattern::text_of(expr.text(label.name))).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The operand of a node, without parentheses and signs that do nothing.
pub(crate) fn bare(expr: &Expr, mut node: NodeId) -> NodeId {
    while let NodeKind::Paren(inner) | NodeKind::Unary { op: Sign::Plus, expr: inner } =
        expr.kind(node)
    {
        node = inner;
    }
    node
}

/// The node that is looked at.
#[derive(Clone, Copy)]
struct Here(NodeId);

impl Here {
    fn changes(self, reason: Reason) -> Change {
        Change { node: self.0, reason }
    }
}

impl Flow {
    /// A number at each step.
    fn scalar(value: Range) -> Flow {
        Flow {
            value_type: ValueType::Scalar,
            nonempty: Presence::Always,
            arms: vec![Arm::scalar(value)],
            dropped: Vec::new(),
            failures: Failures::NONE,
            basis: Basis::NONE,
        }
    }

    /// A vector of one element without labels, always.
    fn one_element(value: Range) -> Flow {
        Flow { value_type: ValueType::InstantVector, ..Flow::scalar(value) }
    }

    /// Anything of a type.
    fn top(value_type: ValueType) -> Flow {
        match value_type {
            ValueType::Scalar => Flow::scalar(Range::ANY),
            _ => Flow {
                value_type,
                nonempty: Presence::Maybe,
                arms: vec![Arm::top()],
                dropped: Vec::new(),
                failures: Failures::ALL,
                basis: Basis::NONE,
            },
        }
    }

    /// A vector of these arms. It is empty without any, and has an element if one of them has.
    fn vector(arms: Vec<Arm>, dropped: Vec<Dropped>, failures: Failures) -> Flow {
        let nonempty = arms.iter().map(|arm| arm.presence).max().unwrap_or(Presence::Never);
        let basis = dropped.iter().fold(Basis::NONE, |basis, dropped| basis.or(dropped.basis));
        let value_type = ValueType::InstantVector;
        let mut flow = Flow { value_type, nonempty, arms, dropped, failures, basis };
        flow.limit();
        flow
    }

    /// The same with each arm changed, or dropped.
    fn map(&self, mut f: impl FnMut(&mut Arm) -> Result<(), Dropped>) -> Flow {
        let mut dropped = Vec::new();
        let mut arms = Vec::with_capacity(self.arms.len());
        let mut keeps_all = true;
        for arm in &self.arms {
            // Whether elements are lost shows by their presence afterwards.
            let mut changed = Arm { presence: Presence::Always, ..arm.clone() };
            match f(&mut changed) {
                Ok(()) => {
                    keeps_all &= changed.presence == Presence::Always;
                    changed.presence = changed.presence.min(arm.presence);
                    arms.push(changed);
                }
                Err(why) => {
                    keeps_all = false;
                    dropped.push(why);
                }
            }
        }
        let failures = Failures::NONE;
        let mut flow =
            Flow { value_type: self.value_type, ..Flow::vector(arms, dropped, failures) };
        if keeps_all && !flow.arms.is_empty() {
            flow.nonempty = flow.nonempty.max(self.nonempty);
        }
        flow
    }

    /// The two most similar arms become one, until there are few enough.
    fn limit(&mut self) {
        // Of very many the similar ones lie at equal distances, since each operand's are in order.
        while self.arms.len() > 4 * MAX_ARMS {
            let Some(last) = self.arms.pop() else { break };
            let at = self.arms.len() % MAX_ARMS;
            self.arms[at] = self.arms[at].join(&last);
        }
        while self.arms.len() > MAX_ARMS {
            let mut best = (0, 1, usize::MAX);
            for i in 0..self.arms.len() {
                for j in i + 1..self.arms.len() {
                    let (a, b) = (&self.arms[i].labels, &self.arms[j].labels);
                    let differing = a.all_names(b).filter(|name| a.get(name) != b.get(name));
                    let distance = differing.count() + usize::from(a.is_open() != b.is_open());
                    if distance < best.2 {
                        best = (i, j, distance);
                    }
                }
            }
            let joined = self.arms[best.0].join(&self.arms[best.1]);
            self.arms[best.0] = joined;
            self.arms.remove(best.1);
        }
    }

    /// Whether no element can get beyond this node.
    pub fn is_never(&self) -> bool {
        self.nonempty == Presence::Never
    }

    /// Everything that what is said of this node rests on.
    pub fn whole_basis(&self) -> Basis {
        self.arms.iter().fold(self.basis, |basis, arm| basis.or(arm.whole_basis()))
    }
}

/// The arm loses the metric's name.
fn drop_name(arm: &mut Arm, here: Here) {
    arm.labels.drop_name(&NAMES.name, here.changes(Reason::NameDropped));
    arm.forget_key_if(|label| label.starts_with("__"));
    arm.settle_key();
}

/// Elements that differ in nothing but the name can't lose it.
fn names_collide(flow: &Flow) -> Failures {
    match &*flow.arms {
        [] => Failures::NONE,
        [arm] if name_is_constant(arm) => Failures::NONE,
        _ => Failures::SAME_LABELS,
    }
}

/// Whether all elements have the same name, and nothing else that goes with it.
fn name_is_constant(arm: &Arm) -> bool {
    let constant = |name: &str| arm.labels.get(name).constant().is_some();
    // The labels `__type__` and `__unit__` differ between series of one name only if it was used
    // for two metrics, which is then a failure; so only a known key tells.
    let keyed = arm.key.as_ref().is_some_and(|key| !key.iter().any(|l| l.starts_with("__")));
    keyed || constant(&NAMES.name)
}

/// Histograms have no meaning for the operation: what remains are numbers.
fn only_floats(arm: &mut Arm) -> Result<(), Dropped> {
    match arm.samples {
        Samples::Float => Ok(()),
        Samples::Either => {
            arm.samples = Samples::Float;
            arm.presence = arm.presence.min(Presence::Maybe);
            Ok(())
        }
        Samples::Histogram => Err(Dropped { why: Why::Samples, basis: arm.quantity.basis }),
    }
}
