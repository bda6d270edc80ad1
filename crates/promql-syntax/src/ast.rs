//! The syntax tree: what was written, with the range of every part.
//!
//! The nodes of a tree lie in one array in the order in which the parser completed them, so that
//! children always precede their parents. A pass over a whole tree is a loop over that array, which
//! needs no recursion however deep the expression is nested, and a tree costs a handful of
//! allocations however large it is. Names and label values are ranges of the source text unless
//! they held an escape.

use std::sync::Arc;

use promql_model::MatchOp;

use crate::functions::{Aggregator, FunctionInfo};
use crate::span::Span;

/// An expression as it was written. Cloning is cheap: clones share the tree.
///
/// [`crate::parse`] makes one, [`crate::check`] turns it into a [`crate::Query`].
#[derive(Clone)]
pub struct Expr {
    pub(crate) tree: Arc<Tree>,
}

/// The arrays behind an [`Expr`].
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    pub(crate) source: Box<[u8]>,
    /// Decoded strings that held an escape, one after the other.
    pub(crate) pool: Vec<u8>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) selectors: Vec<VectorSelector>,
    pub(crate) matchers: Vec<LabelMatcher>,
    pub(crate) subqueries: Vec<Subquery>,
    pub(crate) matchings: Vec<BinaryModifiers>,
    /// Arguments of calls, one list after the other.
    pub(crate) arguments: Vec<NodeId>,
    /// Labels of `by`, `without`, `on`, `ignoring` and `group_*`, one list after the other.
    pub(crate) labels: Vec<GroupingLabel>,
    pub(crate) durations: Vec<DurationNode>,
    pub(crate) comments: Vec<Span>,
    pub(crate) root: NodeId,
}

/// The place of a node in its tree.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct NodeId(pub(crate) u32);

impl NodeId {
    /// The position in [`Expr::nodes`].
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A part of one of the tree's arrays.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct List {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl List {
    pub(crate) const fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The number of elements.
    pub const fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    /// Whether there are no elements.
    pub const fn is_empty(self) -> bool {
        self.end == self.start
    }
}

/// A byte string of the tree: a name, a label value or a string literal, decoded.
/// [`Expr::text`] gives the bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Text {
    pub(crate) start: u32,
    pub(crate) len: u32,
}

/// The top bit of [`Text::start`]: the text lies in the pool, not in the source.
pub(crate) const POOLED: u32 = 1 << 31;

/// One node with the range of the source it was read from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Node {
    /// What the node is.
    pub kind: NodeKind,
    /// The range in the source. Upstream's rules about where a node ends are kept.
    pub span: Span,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NodeKind {
    /// A number, or a duration used as one: its value is then in seconds.
    Number {
        /// The value.
        value: f64,
        /// Whether it was written as a duration.
        is_duration: bool,
    },
    /// A string literal.
    String(Text),
    /// An instant-vector selector. The details are in [`Expr::selector`].
    VectorSelector(SelectorId),
    /// A range selector `selector[range]`. Its modifiers belong to the inner selector.
    MatrixSelector {
        /// The inner selector: a [`NodeKind::VectorSelector`] in every tree without errors.
        selector: NodeId,
        /// The range.
        range: Duration,
    },
    /// A subquery `expr[range:step]`. The details are in [`Expr::subquery`].
    Subquery(SubqueryId),
    /// An aggregation.
    Aggregate {
        /// The operator.
        op: Aggregator,
        /// What is aggregated.
        expr: NodeId,
        /// The parameter of `topk` and the like.
        param: Option<NodeId>,
        /// The labels of `by` or `without`.
        grouping: List,
        /// Whether the labels are those of `without`.
        without: bool,
    },
    /// A function call.
    Call {
        /// The function.
        function: &'static FunctionInfo,
        /// The arguments: [`Expr::arguments`] gives them.
        args: List,
    },
    /// A binary operation.
    Binary {
        /// The operator.
        op: BinaryOp,
        /// The left operand.
        lhs: NodeId,
        /// The right operand.
        rhs: NodeId,
        /// `bool`, `on` and the like, if any was written: [`Expr::binary_modifiers`].
        modifiers: Option<MatchingId>,
    },
    /// A sign in front of an operand.
    Unary {
        /// The sign.
        op: Sign,
        /// The operand.
        expr: NodeId,
    },
    /// An expression in parentheses.
    Paren(NodeId),
}

/// The place of a selector's details.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SelectorId(pub(crate) u32);
/// The place of a subquery's details.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SubqueryId(pub(crate) u32);
/// The place of a binary operation's modifiers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MatchingId(pub(crate) u32);
/// The place of a duration expression's node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DurationId(pub(crate) u32);

/// What a vector selector selects.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VectorSelector {
    /// The name in front of the braces.
    pub name: Option<Text>,
    /// The range of that name.
    pub name_span: Span,
    /// The matchers inside the braces, in the order written: [`Expr::matchers`].
    pub matchers: List,
    /// `offset`, `@`, `anchored` and `smoothed`.
    pub modifiers: Modifiers,
}

/// A matcher inside braces.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LabelMatcher {
    /// The label. `__name__` for a metric name written as a string.
    pub name: Text,
    /// How the value is compared.
    pub op: MatchOp,
    /// The value or the regular expression.
    pub value: Text,
    /// Whether it was written as a bare string: a metric name inside the braces.
    pub is_name: bool,
    /// From the label to the end of the value.
    pub span: Span,
    /// The range of the value, with its quotes.
    pub value_span: Span,
}

/// The modifiers of a selector or a subquery.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Modifiers {
    /// The literal offset in nanoseconds. 0 when it is not given or an expression.
    pub offset: i64,
    /// The offset when it is an expression.
    pub offset_expr: Option<DurationId>,
    /// The `@` modifier.
    pub at: Option<At>,
    /// `anchored` was written.
    pub anchored: bool,
    /// `smoothed` was written.
    pub smoothed: bool,
}

/// The `@` modifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// A fixed time, in milliseconds since the epoch.
    Timestamp(i64),
    /// `@ start()`.
    Start,
    /// `@ end()`.
    End,
}

/// A subquery.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Subquery {
    /// The inner expression.
    pub expr: NodeId,
    /// The range.
    pub range: Duration,
    /// The step. Without one the engine's default is used.
    pub step: Option<Duration>,
    /// `offset` and `@`.
    pub modifiers: Modifiers,
}

/// A range or a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Duration {
    /// A literal, in nanoseconds.
    Literal(i64),
    /// An expression that is evaluated when the query starts.
    Expr(DurationId),
}

/// A node of a duration expression.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DurationNode {
    /// What the node is.
    pub kind: DurationKind,
    /// Whether it stands in parentheses.
    pub wrapped: bool,
    /// The range in the source.
    pub span: Span,
}

/// What a node of a duration expression is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DurationKind {
    /// A number of seconds.
    Literal {
        /// Seconds.
        value: f64,
        /// Whether it was written as a duration.
        is_duration: bool,
    },
    /// `step()`.
    Step,
    /// `range()`.
    Range,
    /// A sign. Plus occurs around literals in parentheses and in front of short offsets.
    Unary(Sign, DurationId),
    /// `+ - * / % ^`.
    Binary(BinaryOp, DurationId, DurationId),
    /// `min_of(a, b)`.
    MinOf(DurationId, DurationId),
    /// `max_of(a, b)`.
    MaxOf(DurationId, DurationId),
}

/// A label of `by`, `without`, `on`, `ignoring` or `group_*`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroupingLabel {
    /// The name.
    pub name: Text,
    /// Its range, with quotes if it has any.
    pub span: Span,
}

/// The modifiers of a binary operation.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct BinaryModifiers {
    /// `bool` was written.
    pub return_bool: bool,
    /// `on` or `ignoring`, if one was written.
    pub matching: Option<MatchingKeyword>,
    /// The labels of `on` or `ignoring`.
    pub labels: List,
    /// `group_left` or `group_right`, if one was written.
    pub group: Option<GroupSide>,
    /// The labels of `group_left` or `group_right`.
    pub include: List,
    /// The value for series missing on the left.
    pub fill_left: Option<f64>,
    /// The value for series missing on the right.
    pub fill_right: Option<f64>,
}

/// Which labels decide whether two series match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchingKeyword {
    /// Those listed.
    On,
    /// All but those listed.
    Ignoring,
}

/// Which side of a binary operation may have many series for one of the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupSide {
    /// `group_left`: many on the left.
    Left,
    /// `group_right`: many on the right.
    Right,
}

/// A sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// `+`
    Plus,
    /// `-`
    Minus,
}

/// A binary operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Mod,
    /// `^`
    Pow,
    /// `atan2`
    Atan2,
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `</`: trims the upper observations of a histogram.
    TrimUpper,
    /// `>/`: trims the lower observations of a histogram.
    TrimLower,
    /// `and`
    And,
    /// `or`
    Or,
    /// `unless`
    Unless,
}

impl BinaryOp {
    /// The spelling of the canonical form.
    pub const fn symbol(self) -> &'static str {
        match self {
            BinaryOp::Add => "+",
            BinaryOp::Sub => "-",
            BinaryOp::Mul => "*",
            BinaryOp::Div => "/",
            BinaryOp::Mod => "%",
            BinaryOp::Pow => "^",
            BinaryOp::Atan2 => "atan2",
            BinaryOp::Eq => "==",
            BinaryOp::Ne => "!=",
            BinaryOp::Lt => "<",
            BinaryOp::Le => "<=",
            BinaryOp::Gt => ">",
            BinaryOp::Ge => ">=",
            BinaryOp::TrimUpper => "</",
            BinaryOp::TrimLower => ">/",
            BinaryOp::And => "and",
            BinaryOp::Or => "or",
            BinaryOp::Unless => "unless",
        }
    }

    /// `==`, `!=`, `<`, `<=`, `>` or `>=`. The trim operators only share their precedence.
    pub const fn is_comparison(self) -> bool {
        use BinaryOp::*;
        matches!(self, Eq | Ne | Lt | Le | Gt | Ge)
    }

    /// `and`, `or` or `unless`.
    pub const fn is_set(self) -> bool {
        matches!(self, BinaryOp::And | BinaryOp::Or | BinaryOp::Unless)
    }

    /// How tightly the operator binds, from 1 (`or`) to 6 (`^`).
    pub const fn precedence(self) -> u8 {
        use BinaryOp::*;
        match self {
            Or => 1,
            And | Unless => 2,
            Eq | Ne | Lt | Le | Gt | Ge | TrimUpper | TrimLower => 3,
            Add | Sub => 4,
            Mul | Div | Mod | Atan2 => 5,
            Pow => 6,
        }
    }
}

impl Sign {
    /// `+` or `-`.
    pub const fn symbol(self) -> &'static str {
        match self {
            Sign::Plus => "+",
            Sign::Minus => "-",
        }
    }
}

impl Expr {
    /// The text the expression was read from.
    pub fn source(&self) -> &[u8] {
        &self.tree.source
    }

    /// The outermost node.
    pub fn root(&self) -> NodeId {
        self.tree.root
    }

    /// The comments, from `#` to the end of the line, in the order of the source.
    pub fn comments(&self) -> &[Span] {
        &self.tree.comments
    }

    /// All nodes; children precede their parents. Usually the last one is the root.
    pub fn nodes(&self) -> &[Node] {
        &self.tree.nodes
    }

    /// The same with the place of each, as [`Expr::node`] takes it.
    pub fn nodes_with_ids(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        (0..).map(NodeId).zip(&self.tree.nodes)
    }

    /// A node.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.tree.nodes[id.index()]
    }

    /// What a node is.
    pub fn kind(&self, id: NodeId) -> NodeKind {
        self.node(id).kind
    }

    /// The range of a node.
    pub fn span(&self, id: NodeId) -> Span {
        self.node(id).span
    }

    /// The bytes of a name, a label value or a string literal.
    pub fn text(&self, text: Text) -> &[u8] {
        self.tree.text(text)
    }

    /// The same as text, with bytes that are not UTF-8 replaced.
    pub fn text_lossy(&self, text: Text) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(self.text(text))
    }

    /// A selector's details.
    pub fn selector(&self, id: SelectorId) -> &VectorSelector {
        &self.tree.selectors[id.0 as usize]
    }

    /// A selector's matchers inside braces, in the order written. The name in front of the braces
    /// is not among them: it is [`VectorSelector::name`].
    pub fn matchers(&self, selector: &VectorSelector) -> &[LabelMatcher] {
        &self.tree.matchers[selector.matchers.range()]
    }

    /// A subquery's details.
    pub fn subquery(&self, id: SubqueryId) -> &Subquery {
        &self.tree.subqueries[id.0 as usize]
    }

    /// A binary operation's modifiers.
    pub fn binary_modifiers(&self, id: MatchingId) -> &BinaryModifiers {
        &self.tree.matchings[id.0 as usize]
    }

    /// The arguments of a call.
    pub fn arguments(&self, args: List) -> &[NodeId] {
        &self.tree.arguments[args.range()]
    }

    /// The labels of a list such as those of `by (…)`.
    pub fn labels(&self, list: List) -> &[GroupingLabel] {
        &self.tree.labels[list.range()]
    }

    /// A node of a duration expression.
    pub fn duration(&self, id: DurationId) -> &DurationNode {
        &self.tree.durations[id.0 as usize]
    }

    /// Calls `visit` for each child: the operand of an aggregation before its parameter, the left
    /// operand before the right, arguments in order.
    pub fn for_each_child(&self, id: NodeId, mut visit: impl FnMut(NodeId)) {
        match self.kind(id) {
            NodeKind::Number { .. } | NodeKind::String(_) | NodeKind::VectorSelector(_) => {}
            NodeKind::MatrixSelector { selector: expr, .. }
            | NodeKind::Unary { expr, .. }
            | NodeKind::Paren(expr) => visit(expr),
            NodeKind::Subquery(subquery) => visit(self.subquery(subquery).expr),
            NodeKind::Aggregate { expr, param, .. } => {
                visit(expr);
                if let Some(param) = param {
                    visit(param);
                }
            }
            NodeKind::Call { args, .. } => self.arguments(args).iter().copied().for_each(visit),
            NodeKind::Binary { lhs, rhs, .. } => {
                visit(lhs);
                visit(rhs);
            }
        }
    }
}

impl Tree {
    pub(crate) fn text(&self, text: Text) -> &[u8] {
        self.text_in(&self.source, text)
    }

    /// The bytes of a text while the tree does not hold the source yet.
    pub(crate) fn text_in<'t>(&'t self, source: &'t [u8], text: Text) -> &'t [u8] {
        let (bytes, start) = if text.start & POOLED != 0 {
            (self.pool.as_slice(), (text.start & !POOLED) as usize)
        } else {
            (source, text.start as usize)
        };
        &bytes[start..start + text.len as usize]
    }
}

impl std::fmt::Debug for Expr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Expr({})", String::from_utf8_lossy(self.source()))
    }
}
