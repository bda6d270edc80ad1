//! The typed tree: what a well-typed expression means.
//!
//! Scalars, instant vectors and range vectors are different Rust types here, and a function call is
//! a variant that holds exactly the arguments the function takes. Whoever evaluates a [`Query`] has
//! no branch for a wrong type, since there is no way to write one down. Strings only occur as
//! literals, so they are texts.
//!
//! As in the syntax tree, the nodes of each type lie in one array, operands before the operations
//! on them. Parentheses and unary plus are gone.

mod operators;

use promql_model::MatchOp;

use crate::ast::{
    Expr, GroupSide, GroupingLabel, List, MatchingId, MatchingKeyword, NodeId, SelectorId,
    Subquery, SubqueryId, Text, VectorSelector,
};
use crate::span::Span;
use crate::types::ValueType;
pub use operators::{ArithmeticOp, ComparisonOp, ElementOp, SetOp, TrimOp};

/// A well-typed expression. Only [`crate::check`] makes one. Cloning shares the syntax tree.
#[derive(Clone, Debug)]
pub struct Query {
    pub(crate) expr: Expr,
    pub(crate) root: Root,
    pub(crate) vectors: Vec<VectorNode>,
    pub(crate) scalars: Vec<ScalarNode>,
    pub(crate) ranges: Vec<RangeNode>,
}

/// The outermost part of a query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Root {
    /// The query gives an instant vector.
    Vector(VectorId),
    /// The query gives a scalar.
    Scalar(ScalarId),
    /// The query gives a range vector. It can only be an instant query.
    Range(RangeId),
    /// The query gives a string. It can only be an instant query.
    String(Text),
}

/// The place of an instant-vector expression.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct VectorId(pub(crate) u32);
/// The place of a scalar expression.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct ScalarId(pub(crate) u32);
/// The place of a range-vector expression.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct RangeId(pub(crate) u32);

impl VectorId {
    /// The position in [`Query::vectors`].
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}
impl ScalarId {
    /// The position in [`Query::scalars`].
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}
impl RangeId {
    /// The position in [`Query::ranges`].
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// An instant-vector expression.
#[derive(Clone, Debug, PartialEq)]
pub struct VectorNode {
    /// What it is.
    pub kind: Vector,
    /// The node of the syntax tree it comes from.
    pub origin: NodeId,
}

/// A scalar expression.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScalarNode {
    /// What it is.
    pub kind: Scalar,
    /// The node of the syntax tree it comes from.
    pub origin: NodeId,
}

/// A range-vector expression.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RangeNode {
    /// What it is.
    pub kind: Range,
    /// The node of the syntax tree it comes from.
    pub origin: NodeId,
}

/// What an instant-vector expression is.
#[derive(Clone, Debug, PartialEq)]
pub enum Vector {
    /// A selector: [`Query::selector`] gives the details.
    Selector(SelectorId),
    /// `vector(s)`.
    FromScalar(ScalarId),
    /// `-v`.
    Negate(VectorId),
    /// An operation between a vector and a scalar.
    WithScalar {
        /// The operation.
        op: ElementOp,
        /// The vector.
        vector: VectorId,
        /// The scalar.
        scalar: ScalarId,
        /// Whether the scalar is the left operand.
        scalar_is_left: bool,
    },
    /// An operation between two vectors, element by matching element.
    Binary {
        /// The operation.
        op: ElementOp,
        /// The left operand.
        lhs: VectorId,
        /// The right operand.
        rhs: VectorId,
        /// Which elements match.
        matching: Matching,
    },
    /// `and`, `or` or `unless`.
    Set {
        /// The operation.
        op: SetOp,
        /// The left operand.
        lhs: VectorId,
        /// The right operand.
        rhs: VectorId,
        /// `true` for `on`, `false` for `ignoring` or nothing.
        on: bool,
        /// The labels of `on` or `ignoring`.
        labels: List,
    },
    /// An aggregation.
    Aggregate {
        /// The operator with its parameter.
        op: Aggregation,
        /// What is aggregated.
        vector: VectorId,
        /// The labels of `by` or `without`.
        labels: List,
        /// Whether the labels are those of `without`.
        without: bool,
    },
    /// A mathematical function of each element.
    Math(MathFunction, VectorId),
    /// `clamp`, `clamp_min` or `clamp_max`.
    Clamp {
        /// The vector.
        vector: VectorId,
        /// The lower limit.
        min: Option<ScalarId>,
        /// The upper limit.
        max: Option<ScalarId>,
    },
    /// `round`.
    Round {
        /// The vector.
        vector: VectorId,
        /// The multiple to round to. 1 when it is not given.
        to_nearest: Option<ScalarId>,
    },
    /// A part of the date that each element's value stands for.
    DatePart {
        /// Which part.
        part: DatePart,
        /// The timestamps in seconds. The evaluation time when not given.
        vector: Option<VectorId>,
    },
    /// A function of one range vector that takes nothing else.
    OverRange(RangeFunction, RangeId),
    /// `quantile_over_time`.
    QuantileOverTime {
        /// The quantile.
        quantile: ScalarId,
        /// The samples.
        range: RangeId,
    },
    /// `predict_linear`.
    PredictLinear {
        /// The samples.
        range: RangeId,
        /// How many seconds after the evaluation time.
        seconds: ScalarId,
    },
    /// `double_exponential_smoothing`.
    DoubleExponentialSmoothing {
        /// The samples.
        range: RangeId,
        /// The smoothing factor.
        smoothing: ScalarId,
        /// The trend factor.
        trend: ScalarId,
    },
    /// `absent`.
    Absent(VectorId),
    /// `absent_over_time`.
    AbsentOverTime(RangeId),
    /// `sort` or `sort_desc`.
    Sort {
        /// The vector.
        vector: VectorId,
        /// Whether the largest value comes first.
        descending: bool,
    },
    /// `sort_by_label` or `sort_by_label_desc`.
    SortByLabel {
        /// The vector.
        vector: VectorId,
        /// The labels, most significant first.
        labels: Box<[Text]>,
        /// Whether the order is reversed.
        descending: bool,
    },
    /// `label_replace`.
    LabelReplace {
        /// The vector.
        vector: VectorId,
        /// The label to set.
        destination: Text,
        /// The new value, with `$1` for groups.
        replacement: Text,
        /// The label to read.
        source: Text,
        /// The regular expression, anchored at both ends.
        regex: Text,
    },
    /// `label_join`.
    LabelJoin {
        /// The vector.
        vector: VectorId,
        /// The label to set.
        destination: Text,
        /// What stands between the values.
        separator: Text,
        /// The labels to read.
        sources: Box<[Text]>,
    },
    /// A statistic of native histograms.
    HistogramStatistic(HistogramStatistic, VectorId),
    /// `histogram_quantile`.
    HistogramQuantile {
        /// The quantile.
        quantile: ScalarId,
        /// Native histograms or classic buckets.
        vector: VectorId,
    },
    /// `histogram_quantiles`.
    HistogramQuantiles {
        /// Native histograms or classic buckets.
        vector: VectorId,
        /// The label that takes the quantile.
        label: Text,
        /// The quantiles.
        quantiles: Box<[ScalarId]>,
    },
    /// `histogram_fraction`.
    HistogramFraction {
        /// The lower bound.
        lower: ScalarId,
        /// The upper bound.
        upper: ScalarId,
        /// Native histograms or classic buckets.
        vector: VectorId,
    },
    /// `timestamp`.
    Timestamp(VectorId),
    /// `start_timestamp`.
    StartTimestamp(VectorId),
    /// `info`.
    Info {
        /// The vector to add labels to.
        vector: VectorId,
        /// Which labels of which info metrics.
        data: Option<SelectorId>,
    },
}

/// What a scalar expression is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar {
    /// A literal.
    Number(f64),
    /// `time()`.
    Time,
    /// `pi()`.
    Pi,
    /// `start()`: the first evaluation time of the query, in seconds.
    Start,
    /// `end()`: the last evaluation time of the query, in seconds.
    End,
    /// `range()`: the seconds between the two.
    Range,
    /// `step()`: the seconds between two steps.
    Step,
    /// `scalar(v)`.
    OfVector(VectorId),
    /// `-s`.
    Negate(ScalarId),
    /// An operation between two scalars. A comparison gives 0 or 1.
    Binary(ElementOp, ScalarId, ScalarId),
    /// `max_of`.
    MaxOf(ScalarId, ScalarId),
    /// `min_of`.
    MinOf(ScalarId, ScalarId),
}

/// What a range-vector expression is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Range {
    /// A range selector.
    Selector {
        /// The series.
        selector: SelectorId,
        /// How far the window reaches back.
        range: crate::ast::Duration,
    },
    /// A subquery. Its range, step, offset and `@` are in [`Query::subquery`].
    Subquery {
        /// The expression that is evaluated at each inner step.
        vector: VectorId,
        /// The details.
        subquery: SubqueryId,
    },
}

/// Which elements of two vectors belong together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Matching {
    /// Whether a side may have many elements for one of the other.
    pub cardinality: Cardinality,
    /// `true` for `on`, `false` for `ignoring` or nothing.
    pub on: bool,
    /// The labels of `on` or `ignoring`.
    pub labels: List,
    /// The labels of `group_left` or `group_right`.
    pub include: List,
    /// Where `fill` and the like were written: [`Query::fill_values`].
    pub fill: Option<MatchingId>,
}

/// How many elements of one side may match one of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cardinality {
    /// One on each side.
    OneToOne,
    /// `group_left`.
    ManyToOne,
    /// `group_right`.
    OneToMany,
}

/// An aggregation operator with its parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Aggregation {
    /// `sum`
    Sum,
    /// `avg`
    Avg,
    /// `count`
    Count,
    /// `min`
    Min,
    /// `max`
    Max,
    /// `group`
    Group,
    /// `stddev`
    Stddev,
    /// `stdvar`
    Stdvar,
    /// `topk`
    Topk(ScalarId),
    /// `bottomk`
    Bottomk(ScalarId),
    /// `limitk`
    Limitk(ScalarId),
    /// `limit_ratio`
    LimitRatio(ScalarId),
    /// `quantile`
    Quantile(ScalarId),
    /// `count_values`
    CountValues(Text),
}

macro_rules! function_family {
    ($(#[$doc:meta])* $family:ident { $($variant:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $family { $(#[doc = concat!("See [`crate::Function::", stringify!($variant), "`].")] $variant,)* }

        impl $family {
            /// The function as a row of the table.
            pub const fn function(self) -> crate::functions::Function {
                match self { $($family::$variant => crate::functions::Function::$variant,)* }
            }

            pub(crate) const fn from_function(function: crate::functions::Function) -> Option<$family> {
                match function {
                    $(crate::functions::Function::$variant => Some($family::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

function_family! {
    /// A function of each element's value.
    MathFunction {
        Abs, Acos, Acosh, Asin, Asinh, Atan, Atanh, Ceil, Cos, Cosh, Deg, Exp, Floor, Ln, Log10,
        Log2, Rad, Sgn, Sin, Sinh, Sqrt, Tan, Tanh,
    }
}

function_family! {
    /// A part of a date, in UTC.
    DatePart { DayOfMonth, DayOfWeek, DayOfYear, DaysInMonth, Hour, Minute, Month, Year }
}

function_family! {
    /// A function whose only argument is a range vector.
    RangeFunction {
        AvgOverTime, Changes, CountOverTime, Delta, Deriv, FirstOverTime, Idelta, Increase, Irate,
        LastOverTime, MadOverTime, MaxOverTime, MinOverTime, PresentOverTime, Rate, Resets,
        StddevOverTime, StdvarOverTime, SumOverTime, TsOfFirstOverTime, TsOfLastOverTime,
        TsOfMaxOverTime, TsOfMinOverTime,
    }
}

function_family! {
    /// A statistic of a native histogram.
    HistogramStatistic { HistogramAvg, HistogramCount, HistogramStddev, HistogramStdvar, HistogramSum }
}

impl Query {
    /// The syntax tree.
    pub fn expr(&self) -> &Expr {
        &self.expr
    }

    /// The outermost part.
    pub fn root(&self) -> Root {
        self.root
    }

    /// The type of the result.
    pub fn value_type(&self) -> ValueType {
        match self.root {
            Root::Vector(_) => ValueType::InstantVector,
            Root::Scalar(_) => ValueType::Scalar,
            Root::Range(_) => ValueType::RangeVector,
            Root::String(_) => ValueType::String,
        }
    }

    /// All instant-vector expressions. An operand of the same type precedes what uses it.
    pub fn vectors(&self) -> &[VectorNode] {
        &self.vectors
    }

    /// All scalar expressions.
    pub fn scalars(&self) -> &[ScalarNode] {
        &self.scalars
    }

    /// All range-vector expressions.
    pub fn ranges(&self) -> &[RangeNode] {
        &self.ranges
    }

    /// An instant-vector expression.
    pub fn vector(&self, id: VectorId) -> &VectorNode {
        &self.vectors[id.index()]
    }

    /// A scalar expression.
    pub fn scalar(&self, id: ScalarId) -> &ScalarNode {
        &self.scalars[id.index()]
    }

    /// A range-vector expression.
    pub fn range(&self, id: RangeId) -> &RangeNode {
        &self.ranges[id.index()]
    }

    /// A selector's details, among them its modifiers.
    pub fn selector(&self, id: SelectorId) -> &VectorSelector {
        self.expr.selector(id)
    }

    /// A subquery's details.
    pub fn subquery(&self, id: SubqueryId) -> &Subquery {
        self.expr.subquery(id)
    }

    /// The values for elements missing on the left and on the right.
    pub fn fill_values(&self, matching: &Matching) -> (Option<f64>, Option<f64>) {
        let modifiers = matching.fill.map(|id| self.expr.binary_modifiers(id));
        modifiers.map_or((None, None), |m| (m.fill_left, m.fill_right))
    }

    /// All matchers of a selector as label, operator and value: those in braces in the order
    /// written, then the one for the name in front of the braces. The values are bytes, since a
    /// string literal can hold any.
    pub fn matchers(&self, id: SelectorId) -> impl Iterator<Item = (&[u8], MatchOp, &[u8])> {
        let selector = self.expr.selector(id);
        let inside = self.expr.matchers(selector).iter();
        let named = selector.name.map(|name| (&b"__name__"[..], MatchOp::Equal, self.text(name)));
        inside.map(|m| (self.text(m.name), m.op, self.text(m.value))).chain(named)
    }

    /// The labels of `by`, `on` and the like.
    pub fn labels(&self, list: List) -> &[GroupingLabel] {
        self.expr.labels(list)
    }

    /// The bytes of a string.
    pub fn text(&self, text: Text) -> &[u8] {
        self.expr.text(text)
    }

    /// Where a node stands in the source.
    pub fn span(&self, origin: NodeId) -> Span {
        self.expr.span(origin)
    }
}

impl From<Option<GroupSide>> for Cardinality {
    fn from(side: Option<GroupSide>) -> Self {
        match side {
            None => Cardinality::OneToOne,
            Some(GroupSide::Left) => Cardinality::ManyToOne,
            Some(GroupSide::Right) => Cardinality::OneToMany,
        }
    }
}

impl From<Option<MatchingKeyword>> for Matching {
    fn from(keyword: Option<MatchingKeyword>) -> Self {
        Matching {
            cardinality: Cardinality::OneToOne,
            on: keyword == Some(MatchingKeyword::On),
            labels: List::default(),
            include: List::default(),
            fill: None,
        }
    }
}
