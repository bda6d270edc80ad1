//! The typed tree drawn for people.
//!
//! What is resolved by the type checker shows here: parentheses and `+` are gone, an operation says
//! what it is between and which elements match, and defaults are spelled out.

use promql_model::number::Decimal;
use promql_model::quote::Quoted;

use crate::ast::{List, NodeId, Text};
use crate::outline::{Entry, draw, excerpt};
use crate::printer::{Fidelity, Notes, print};
use crate::query::{
    Aggregation, Cardinality, ElementOp, Matching, Query, Range, RangeId, Root, Scalar, ScalarId,
    SetOp, Vector, VectorId,
};
use crate::spelling::push_label;

impl Query {
    /// The typed tree drawn with lines, a part on each: what it does, its type, and the beginning
    /// of the canonical form of the node it comes from. Every line ends with a line break.
    ///
    /// ```
    /// let query = promql_syntax::compile("(2 * up) > 1", &Default::default()).unwrap();
    /// assert_eq!(query.to_typed_text(), "\
    /// filter >, vector with scalar      instant vector  (2 * up) > 1
    /// ├─ compute *, scalar with vector  instant vector  2 * up
    /// │  ├─ number 2                    scalar          2
    /// │  └─ selector                    instant vector  up
    /// └─ number 1                       scalar          1
    /// ");
    /// ```
    pub fn to_typed_text(&self) -> String {
        let expr = self.expr();
        let printed = print(expr, expr.root(), Fidelity::Exact, Notes::Nodes);
        let shown = |id: NodeId| excerpt(&printed.text[printed.nodes[id.index()].clone()]);
        let root = match self.root() {
            Root::Vector(id) => Part::Vector(id),
            Root::Scalar(id) => Part::Scalar(id),
            Root::Range(id) => Part::Range(id),
            Root::String(_) => Part::String,
        };
        draw(root, |part| {
            let (label, children, origin) = match part {
                Part::Vector(id) => {
                    let node = self.vector(id);
                    let (label, children) = self.describe_vector(&node.kind);
                    (label, children, node.origin)
                }
                Part::Scalar(id) => {
                    let node = self.scalar(id);
                    let (label, children) = self.describe_scalar(&node.kind);
                    (label, children, node.origin)
                }
                Part::Range(id) => {
                    let node = self.range(id);
                    let (label, children) = self.describe_range(&node.kind);
                    (label, children, node.origin)
                }
                Part::String => ("string".to_owned(), Vec::new(), expr.root()),
            };
            Entry { label, kind: part.type_name(), excerpt: shown(origin), children }
        })
    }

    fn describe_vector(&self, vector: &Vector) -> (String, Vec<Part>) {
        match vector {
            Vector::Selector(_) => ("selector".to_owned(), Vec::new()),
            Vector::FromScalar(scalar) => ("vector of one element".to_owned(), parts([scalar])),
            Vector::Negate(vector) => ("negate".to_owned(), parts([vector])),
            Vector::WithScalar { op, vector, scalar, scalar_is_left } => {
                let (vector, scalar) = (Part::from(vector), Part::from(scalar));
                match scalar_is_left {
                    true => {
                        (format!("{}, scalar with vector", element_op(*op)), vec![scalar, vector])
                    }
                    false => {
                        (format!("{}, vector with scalar", element_op(*op)), vec![vector, scalar])
                    }
                }
            }
            Vector::Binary { op, lhs, rhs, matching } => {
                (format!("{}, {}", element_op(*op), self.matching(matching)), parts([lhs, rhs]))
            }
            Vector::Set { op, lhs, rhs, on, labels } => {
                let op = match op {
                    SetOp::And => "and",
                    SetOp::Or => "or",
                    SetOp::Unless => "unless",
                };
                (format!("set {op}, {}", self.match_labels(*on, *labels)), parts([lhs, rhs]))
            }
            Vector::Aggregate { op, vector, labels, without } => {
                self.describe_aggregation(op, vector, *labels, *without)
            }
            Vector::Math(function, vector) => call(function.function(), parts([vector])),
            Vector::Clamp { vector, min, max } => {
                let bounds = match (min, max) {
                    (Some(_), Some(_)) => "below and above",
                    (Some(_), None) => "below",
                    _ => "above",
                };
                let children = parts([vector]).into_iter();
                let children = children.chain(min.iter().chain(max).map(Part::from));
                (format!("limit {bounds}"), children.collect())
            }
            Vector::Round { vector, to_nearest } => {
                let by = if to_nearest.is_some() { "a multiple of" } else { "an integer" };
                let children = parts([vector]).into_iter();
                let children = children.chain(to_nearest.iter().map(Part::from)).collect();
                (format!("round to {by}"), children)
            }
            Vector::DatePart { part, vector } => {
                let name = part.function().name();
                match vector {
                    Some(vector) => (format!("call {name}"), parts([vector])),
                    None => (format!("call {name}, of the evaluation time"), Vec::new()),
                }
            }
            Vector::OverRange(function, range) => call(function.function(), parts([range])),
            Vector::QuantileOverTime { quantile, range } => {
                ("call quantile_over_time".to_owned(), vec![quantile.into(), range.into()])
            }
            Vector::PredictLinear { range, seconds } => {
                ("call predict_linear".to_owned(), vec![range.into(), seconds.into()])
            }
            Vector::DoubleExponentialSmoothing { range, smoothing, trend } => (
                "call double_exponential_smoothing".to_owned(),
                vec![range.into(), smoothing.into(), trend.into()],
            ),
            Vector::Absent(vector) => ("call absent".to_owned(), parts([vector])),
            Vector::AbsentOverTime(range) => ("call absent_over_time".to_owned(), parts([range])),
            Vector::Sort { vector, descending } => {
                (format!("sort by value, {}", order(*descending)), parts([vector]))
            }
            Vector::SortByLabel { vector, labels, descending } => {
                let (labels, order) = (self.texts(labels), order(*descending));
                (format!("sort by {labels}, {order}"), parts([vector]))
            }
            Vector::LabelReplace { vector, destination, replacement, source, regex } => {
                let [destination, replacement] =
                    [destination, replacement].map(|t| self.quoted(*t));
                let [source, regex] = [source, regex].map(|t| self.quoted(*t));
                let label = format!(
                    "set label {destination} to {replacement} where {source} matches {regex}"
                );
                (label, parts([vector]))
            }
            Vector::LabelJoin { vector, destination, separator, sources } => {
                let (destination, separator) = (self.quoted(*destination), self.quoted(*separator));
                let sources = self.texts(sources);
                (
                    format!("set label {destination} to {sources} joined by {separator}"),
                    parts([vector]),
                )
            }
            Vector::HistogramStatistic(statistic, vector) => {
                call(statistic.function(), parts([vector]))
            }
            Vector::HistogramQuantile { quantile, vector } => {
                ("call histogram_quantile".to_owned(), vec![quantile.into(), vector.into()])
            }
            Vector::HistogramQuantiles { vector, label, quantiles } => {
                let children = parts([vector]).into_iter().chain(quantiles.iter().map(Part::from));
                let label = self.quoted(*label);
                (format!("call histogram_quantiles into label {label}"), children.collect())
            }
            Vector::HistogramFraction { lower, upper, vector } => (
                "call histogram_fraction".to_owned(),
                vec![lower.into(), upper.into(), vector.into()],
            ),
            Vector::Timestamp(vector) => ("call timestamp".to_owned(), parts([vector])),
            Vector::StartTimestamp(vector) => ("call start_timestamp".to_owned(), parts([vector])),
            Vector::Info { vector, .. } => ("call info".to_owned(), parts([vector])),
        }
    }

    fn describe_aggregation(
        &self,
        op: &Aggregation,
        vector: &VectorId,
        labels: List,
        without: bool,
    ) -> (String, Vec<Part>) {
        let (name, param) = match op {
            Aggregation::Sum => ("sum", None),
            Aggregation::Avg => ("avg", None),
            Aggregation::Count => ("count", None),
            Aggregation::Min => ("min", None),
            Aggregation::Max => ("max", None),
            Aggregation::Group => ("group", None),
            Aggregation::Stddev => ("stddev", None),
            Aggregation::Stdvar => ("stdvar", None),
            Aggregation::Topk(k) => ("topk", Some(k)),
            Aggregation::Bottomk(k) => ("bottomk", Some(k)),
            Aggregation::Limitk(k) => ("limitk", Some(k)),
            Aggregation::LimitRatio(ratio) => ("limit_ratio", Some(ratio)),
            Aggregation::Quantile(quantile) => ("quantile", Some(quantile)),
            Aggregation::CountValues(_) => ("count_values", None),
        };
        let grouping = match (without, labels.is_empty()) {
            (false, true) => "over everything".to_owned(),
            (false, false) => format!("by {}", self.label_list(labels)),
            (true, _) => format!("without {}", self.label_list(labels)),
        };
        let into = match op {
            Aggregation::CountValues(label) => format!(" into label {}", self.quoted(*label)),
            _ => String::new(),
        };
        let children = param.map(Part::from).into_iter().chain(parts([vector])).collect();
        (format!("{name}{into} {grouping}"), children)
    }

    fn describe_scalar(&self, scalar: &Scalar) -> (String, Vec<Part>) {
        let (label, children) = match scalar {
            Scalar::Number(value) => return (format!("number {}", Decimal(*value)), Vec::new()),
            Scalar::Time => ("evaluation time", Vec::new()),
            Scalar::Pi => ("pi", Vec::new()),
            Scalar::Start => ("first evaluation time", Vec::new()),
            Scalar::End => ("last evaluation time", Vec::new()),
            Scalar::Range => ("length of the query", Vec::new()),
            Scalar::Step => ("step of the query", Vec::new()),
            Scalar::OfVector(vector) => ("value of the only element", parts([vector])),
            Scalar::Negate(scalar) => ("negate", parts([scalar])),
            Scalar::Binary(op, lhs, rhs) => return (element_op(*op), parts([lhs, rhs])),
            Scalar::MaxOf(a, b) => ("larger one", parts([a, b])),
            Scalar::MinOf(a, b) => ("smaller one", parts([a, b])),
        };
        (label.to_owned(), children)
    }

    fn describe_range(&self, range: &Range) -> (String, Vec<Part>) {
        match range {
            Range::Selector { .. } => ("samples of a window".to_owned(), Vec::new()),
            Range::Subquery { vector, .. } => ("subquery".to_owned(), parts([vector])),
        }
    }

    /// `one-to-one on (job)`, and what series stand in for missing ones.
    fn matching(&self, matching: &Matching) -> String {
        let mut out = match matching.cardinality {
            Cardinality::OneToOne => "one-to-one",
            Cardinality::ManyToOne => "many-to-one",
            Cardinality::OneToMany => "one-to-many",
        }
        .to_owned();
        out.push(' ');
        out.push_str(&self.match_labels(matching.on, matching.labels));
        if !matching.include.is_empty() {
            out.push_str(&format!(", copying {}", self.label_list(matching.include)));
        }
        let (left, right) = self.fill_values(matching);
        for (side, value) in [("left", left), ("right", right)] {
            if let Some(value) = value {
                out.push_str(&format!(", {} where the {side} is missing", Decimal(value)));
            }
        }
        out
    }

    fn match_labels(&self, on: bool, labels: List) -> String {
        match (on, labels.is_empty()) {
            (false, true) => "on all labels".to_owned(),
            (false, false) => format!("ignoring {}", self.label_list(labels)),
            (true, _) => format!("on {}", self.label_list(labels)),
        }
    }

    fn label_list(&self, labels: List) -> String {
        let mut out = "(".to_owned();
        for (i, label) in self.labels(labels).iter().enumerate() {
            out.push_str(if i > 0 { ", " } else { "" });
            push_label(&mut out, self.text(label.name));
        }
        out + ")"
    }

    fn texts(&self, texts: &[Text]) -> String {
        texts.iter().map(|text| self.quoted(*text)).collect::<Vec<_>>().join(", ")
    }

    fn quoted(&self, text: Text) -> String {
        Quoted(self.text(text)).to_string()
    }
}

/// A part of a query.
#[derive(Clone, Copy)]
enum Part {
    Vector(VectorId),
    Scalar(ScalarId),
    Range(RangeId),
    String,
}

impl Part {
    fn type_name(self) -> &'static str {
        use crate::types::ValueType;
        match self {
            Part::Vector(_) => ValueType::InstantVector,
            Part::Scalar(_) => ValueType::Scalar,
            Part::Range(_) => ValueType::RangeVector,
            Part::String => ValueType::String,
        }
        .name()
    }
}

impl From<&VectorId> for Part {
    fn from(id: &VectorId) -> Part {
        Part::Vector(*id)
    }
}

impl From<&ScalarId> for Part {
    fn from(id: &ScalarId) -> Part {
        Part::Scalar(*id)
    }
}

impl From<&RangeId> for Part {
    fn from(id: &RangeId) -> Part {
        Part::Range(*id)
    }
}

fn parts<'a, I: 'a, const N: usize>(ids: [&'a I; N]) -> Vec<Part>
where
    Part: From<&'a I>,
{
    ids.into_iter().map(Part::from).collect()
}

fn call(function: crate::functions::Function, children: Vec<Part>) -> (String, Vec<Part>) {
    (format!("call {}", function.name()), children)
}

fn order(descending: bool) -> &'static str {
    if descending { "descending" } else { "ascending" }
}

/// What is done with two elements.
fn element_op(op: ElementOp) -> String {
    let verb = match op {
        ElementOp::Arithmetic(_) => "compute",
        ElementOp::Filter(_) => "filter",
        ElementOp::Bool(_) => "compare",
        ElementOp::Trim(_) => "trim",
    };
    format!("{verb} {}", op.symbol())
}
