//! What operations are called, and how they are evaluated.

use std::fmt::Write;

use promql_model::number::Decimal;
use promql_model::quote::Quoted;
use promql_model::{FormatDuration, Matcher, is_label_name};
use promql_syntax::Query;
use promql_syntax::ast::{List, SelectorId, Text};
use promql_syntax::query::{Aggregation, Cardinality, ElementOp, Matching, Scalar, SetOp, Vector};

use super::Evaluation;
use crate::plan::{Operation, OperationKind};

/// The operation with all its parameters that are no operands.
pub(crate) fn operation(query: &Query, operation: &Operation) -> String {
    match operation.kind {
        OperationKind::Select(_)
        | OperationKind::SelectTime { .. }
        | OperationKind::SelectRange(_) => query.expr().print_node(operation.origin),
        OperationKind::Subquery(windows) => {
            let duration = |ms: i64| FormatDuration(ms.saturating_mul(1_000_000));
            format!("subquery [{}:{}]", duration(windows.range), duration(operation.grid.step))
        }
        OperationKind::Repeat => "repeat".to_owned(),
        OperationKind::Info(id, _) => match query.vector(id).kind {
            Vector::Info { data: Some(data), .. } => format!("info {}", selector(query, data)),
            _ => "info".to_owned(),
        },
        OperationKind::Number(value) => Decimal(value).to_string(),
        OperationKind::Scalar(id) => scalar(query.scalar(id).kind),
        OperationKind::Vector(id) => vector(query, &query.vector(id).kind),
    }
}

fn scalar(scalar: Scalar) -> String {
    match scalar {
        Scalar::Number(value) => Decimal(value).to_string(),
        Scalar::Time => "time".to_owned(),
        Scalar::Pi => "pi".to_owned(),
        Scalar::Start => "start".to_owned(),
        Scalar::End => "end".to_owned(),
        Scalar::Range => "range".to_owned(),
        Scalar::Step => "step".to_owned(),
        Scalar::OfVector(_) => "scalar".to_owned(),
        Scalar::Negate(_) => "negate".to_owned(),
        Scalar::Binary(op, ..) => element_op(op),
        Scalar::MaxOf(..) => "max_of".to_owned(),
        Scalar::MinOf(..) => "min_of".to_owned(),
    }
}

fn vector(query: &Query, vector: &Vector) -> String {
    let quoted = |text: &Text| Quoted(query.text(*text)).to_string();
    let all_quoted = |texts: &[Text]| texts.iter().map(quoted).collect::<Vec<_>>().join(", ");
    let name = match vector {
        Vector::Selector(id) => return selector(query, *id),
        Vector::FromScalar(_) => "vector",
        Vector::Negate(_) => "negate",
        Vector::WithScalar { op, scalar_is_left, .. } => {
            let sides = if *scalar_is_left { "scalar with vector" } else { "vector with scalar" };
            return format!("{}, {sides}", element_op(*op));
        }
        Vector::Binary { op, matching, .. } => {
            return element_op(*op) + &matching_clause(query, matching);
        }
        Vector::Set { op, on, labels, .. } => {
            return format!("{}{}", op.symbol(), labels_clause(query, *on, *labels));
        }
        Vector::Aggregate { op, labels, without, .. } => {
            let mut name = aggregation(*op).to_owned();
            if let Aggregation::CountValues(label) = op {
                _ = write!(name, " {}", quoted(label));
            }
            if *without || !labels.is_empty() {
                let keyword = if *without { "without" } else { "by" };
                _ = write!(name, " {keyword} {}", label_list(query, *labels));
            }
            return name;
        }
        Vector::Math(function, _) => function.function().name(),
        Vector::Clamp { min: Some(_), max: Some(_), .. } => "clamp",
        Vector::Clamp { min: Some(_), .. } => "clamp_min",
        Vector::Clamp { .. } => "clamp_max",
        Vector::Round { .. } => "round",
        Vector::DatePart { part, .. } => part.function().name(),
        Vector::OverRange(function, _) => function.function().name(),
        Vector::QuantileOverTime { .. } => "quantile_over_time",
        Vector::PredictLinear { .. } => "predict_linear",
        Vector::DoubleExponentialSmoothing { .. } => "double_exponential_smoothing",
        Vector::Absent(_) => "absent",
        Vector::AbsentOverTime(_) => "absent_over_time",
        Vector::Sort { descending: true, .. } => "sort_desc",
        Vector::Sort { .. } => "sort",
        Vector::SortByLabel { labels, descending, .. } => {
            let name = if *descending { "sort_by_label_desc" } else { "sort_by_label" };
            return format!("{name} {}", all_quoted(labels)).trim_end().to_owned();
        }
        Vector::LabelReplace { destination, replacement, source, regex, .. } => {
            let texts = all_quoted(&[*destination, *replacement, *source, *regex]);
            return format!("label_replace {texts}");
        }
        Vector::LabelJoin { destination, separator, sources, .. } => {
            let mut texts = vec![*destination, *separator];
            texts.extend(sources);
            return format!("label_join {}", all_quoted(&texts));
        }
        Vector::HistogramStatistic(statistic, _) => statistic.function().name(),
        Vector::HistogramQuantile { .. } => "histogram_quantile",
        Vector::HistogramQuantiles { label, .. } => {
            return format!("histogram_quantiles {}", quoted(label));
        }
        Vector::HistogramFraction { .. } => "histogram_fraction",
        Vector::Timestamp(_) => "timestamp",
        Vector::StartTimestamp(_) => "start_timestamp",
        Vector::Info { .. } => "info",
    };
    name.to_owned()
}

fn aggregation(op: Aggregation) -> &'static str {
    match op {
        Aggregation::Sum => "sum",
        Aggregation::Avg => "avg",
        Aggregation::Count => "count",
        Aggregation::Min => "min",
        Aggregation::Max => "max",
        Aggregation::Group => "group",
        Aggregation::Stddev => "stddev",
        Aggregation::Stdvar => "stdvar",
        Aggregation::Topk(_) => "topk",
        Aggregation::Bottomk(_) => "bottomk",
        Aggregation::Limitk(_) => "limitk",
        Aggregation::LimitRatio(_) => "limit_ratio",
        Aggregation::Quantile(_) => "quantile",
        Aggregation::CountValues(_) => "count_values",
    }
}

/// The operator with `bool` where it is written.
fn element_op(op: ElementOp) -> String {
    match op {
        ElementOp::Bool(_) => format!("{} bool", op.symbol()),
        _ => op.symbol().to_owned(),
    }
}

/// ` on (job) group_left (version) fill_right (0)`, or nothing.
fn matching_clause(query: &Query, matching: &Matching) -> String {
    let mut text = labels_clause(query, matching.on, matching.labels);
    let group = match matching.cardinality {
        Cardinality::OneToOne => None,
        Cardinality::ManyToOne => Some("group_left"),
        Cardinality::OneToMany => Some("group_right"),
    };
    if let Some(group) = group {
        text.push(' ');
        text.push_str(group);
        if !matching.include.is_empty() {
            text.push(' ');
            text.push_str(&label_list(query, matching.include));
        }
    }
    let (left, right) = query.fill_values(matching);
    for (name, value) in [("fill_left", left), ("fill_right", right)] {
        if let Some(value) = value {
            _ = write!(text, " {name} ({})", Decimal(value));
        }
    }
    text
}

fn labels_clause(query: &Query, on: bool, labels: List) -> String {
    match (on, labels.is_empty()) {
        (true, _) => format!(" on {}", label_list(query, labels)),
        (false, true) => String::new(),
        (false, false) => format!(" ignoring {}", label_list(query, labels)),
    }
}

fn label_list(query: &Query, labels: List) -> String {
    let names = crate::label_sets::names(query, labels);
    format!("({})", names.iter().map(|name| label(name)).collect::<Vec<_>>().join(", "))
}

/// A label name, quoted unless it is a plain identifier.
pub(super) fn label(name: &str) -> String {
    if is_label_name(name) { name.to_owned() } else { Quoted(name.as_bytes()).to_string() }
}

fn selector(query: &Query, id: SelectorId) -> String {
    let written = query.matchers(id).map(|(name, op, value)| {
        format!("{}{}{}", label(&String::from_utf8_lossy(name)), op.symbol(), Quoted(value))
    });
    format!("{{{}}}", written.collect::<Vec<_>>().join(", "))
}

/// Matchers as a selector.
pub(super) fn matchers(matchers: &[Matcher]) -> String {
    let written = matchers
        .iter()
        .map(|m| format!("{}{}{}", label(m.name()), m.op().symbol(), Quoted(m.value())));
    format!("{{{}}}", written.collect::<Vec<_>>().join(", "))
}

/// How an operation is evaluated.
pub(crate) fn evaluation(query: &Query, operation: &Operation) -> Evaluation {
    match operation.kind {
        OperationKind::Select(_)
        | OperationKind::SelectTime { .. }
        | OperationKind::SelectRange(_)
        | OperationKind::Subquery(_) => Evaluation::Streamed,
        OperationKind::Repeat => Evaluation::Once,
        OperationKind::Info(..) => Evaluation::Kept,
        OperationKind::Number(_) => Evaluation::Constant,
        OperationKind::Scalar(_) => Evaluation::Steps,
        OperationKind::Vector(id) => {
            vector_evaluation(&query.vector(id).kind, operation.grid.len > 1)
        }
    }
}

fn vector_evaluation(vector: &Vector, several_steps: bool) -> Evaluation {
    match vector {
        Vector::FromScalar(_) | Vector::DatePart { vector: None, .. } => Evaluation::Steps,
        Vector::Binary { matching, .. } => match matching.cardinality {
            _ if matching.fill.is_some() => Evaluation::Kept,
            Cardinality::OneToOne => Evaluation::Streamed,
            Cardinality::ManyToOne => Evaluation::RightKept,
            Cardinality::OneToMany => Evaluation::LeftKept,
        },
        Vector::Set { op: SetOp::Or, .. } => Evaluation::LeftKept,
        Vector::Set { .. } => Evaluation::RightPresence,
        Vector::Aggregate { op, .. } => match op {
            Aggregation::Topk(_)
            | Aggregation::Bottomk(_)
            | Aggregation::Limitk(_)
            | Aggregation::Quantile(_) => Evaluation::GroupByGroup,
            Aggregation::LimitRatio(_) => Evaluation::Streamed,
            _ => Evaluation::Groups,
        },
        Vector::Absent(_) | Vector::AbsentOverTime(_) => Evaluation::Presence,
        Vector::HistogramQuantile { .. }
        | Vector::HistogramQuantiles { .. }
        | Vector::HistogramFraction { .. } => Evaluation::ResultKept,
        Vector::Sort { .. } | Vector::SortByLabel { .. } if several_steps => {
            Evaluation::Ineffective
        }
        Vector::Sort { .. } | Vector::SortByLabel { .. } => Evaluation::Kept,
        _ => Evaluation::Streamed,
    }
}
