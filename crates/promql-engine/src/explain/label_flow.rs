//! Which labels the result of an operation can have, as far as the query alone tells.

use promql_model::{METRIC_NAME, MatchOp};
use promql_syntax::Query;
use promql_syntax::query::{Cardinality, ElementOp, SetOp, Vector};

use crate::functions::absent;
use crate::label_sets::{METADATA, names};
use crate::plan::{Operation, OperationKind};

/// What is known about the label names of a result. Each list is sorted and has each name once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutputLabels {
    /// At most these.
    Only(Vec<String>),
    /// Any but these.
    AllBut(Vec<String>),
}

impl OutputLabels {
    /// At most these labels.
    fn only(mut names: Vec<String>) -> Self {
        names.sort();
        names.dedup();
        OutputLabels::Only(names)
    }

    /// Any labels but these.
    fn all_but(mut names: Vec<String>) -> Self {
        names.sort();
        names.dedup();
        OutputLabels::AllBut(names)
    }

    fn any() -> Self {
        OutputLabels::AllBut(Vec::new())
    }

    /// Whether the result may have a label.
    pub fn may_have(&self, name: &str) -> bool {
        match self {
            OutputLabels::Only(names) => names.iter().any(|n| n == name),
            OutputLabels::AllBut(names) => !names.iter().any(|n| n == name),
        }
    }

    fn without<S: AsRef<str>>(&self, removed: &[S]) -> Self {
        let is_removed = |name: &String| removed.iter().any(|r| r.as_ref() == name);
        match self {
            OutputLabels::Only(names) => {
                Self::only(names.iter().filter(|name| !is_removed(name)).cloned().collect())
            }
            OutputLabels::AllBut(names) => {
                let removed = removed.iter().map(|r| r.as_ref().to_owned());
                Self::all_but(names.iter().cloned().chain(removed).collect())
            }
        }
    }

    fn with<S: AsRef<str>>(&self, added: &[S]) -> Self {
        let is_added = |name: &String| added.iter().any(|a| a.as_ref() == name);
        match self {
            OutputLabels::Only(names) => {
                let added = added.iter().map(|a| a.as_ref().to_owned());
                Self::only(names.iter().cloned().chain(added).collect())
            }
            OutputLabels::AllBut(names) => {
                Self::all_but(names.iter().filter(|name| !is_added(name)).cloned().collect())
            }
        }
    }

    fn restricted_to<S: AsRef<str>>(&self, kept: &[S]) -> Self {
        let kept = kept.iter().map(|k| k.as_ref().to_owned());
        Self::only(kept.filter(|name| self.may_have(name)).collect())
    }

    /// What either of two results can have.
    fn or(&self, other: &OutputLabels) -> Self {
        use OutputLabels::{AllBut, Only};
        match (self, other) {
            (Only(names), _) => other.with(names),
            (_, Only(names)) => self.with(names),
            (AllBut(a), AllBut(b)) => {
                Self::all_but(a.iter().filter(|name| b.contains(name)).cloned().collect())
            }
        }
    }
}

/// The labels of an operation's result, given those of its vector operands.
pub(super) fn output(
    query: &Query,
    operation: &Operation,
    inputs: Vec<&OutputLabels>,
    delayed_name_removal: bool,
) -> OutputLabels {
    let any = OutputLabels::any();
    let input = inputs.first().copied().unwrap_or(&any);
    let dropping = |labels: &OutputLabels| match delayed_name_removal {
        true => labels.clone(),
        false => labels.without(&METADATA),
    };
    match &operation.kind {
        OperationKind::Select(select) | OperationKind::SelectRange(select) => {
            of_selector(query, select.selector)
        }
        OperationKind::SelectTime { select, .. } => dropping(&of_selector(query, select.selector)),
        OperationKind::Subquery(_) | OperationKind::Repeat => input.clone(),
        OperationKind::Info(id, _) => match query.vector(*id).kind {
            Vector::Info { data: Some(data), .. } if query.matchers(data).next().is_some() => {
                let names: Vec<String> = query
                    .matchers(data)
                    .map(|(name, ..)| String::from_utf8_lossy(name).into_owned())
                    .filter(|name| name != METRIC_NAME)
                    .collect();
                if names.is_empty() { any } else { input.with(&names) }
            }
            _ => any,
        },
        OperationKind::Number(_) | OperationKind::Scalar(_) => OutputLabels::only(Vec::new()),
        OperationKind::Vector(id) => {
            of_vector(query, &query.vector(*id).kind, &inputs, input, dropping)
        }
    }
}

fn of_selector(query: &Query, selector: Option<promql_syntax::ast::SelectorId>) -> OutputLabels {
    // `{x=""}` selects series without `x`.
    let empty = selector.into_iter().flat_map(|selector| query.matchers(selector));
    let empty = empty.filter(|(_, op, value)| *op == MatchOp::Equal && value.is_empty());
    OutputLabels::all_but(empty.map(|(name, ..)| String::from_utf8_lossy(name).into()).collect())
}

fn of_vector(
    query: &Query,
    vector: &Vector,
    inputs: &[&OutputLabels],
    input: &OutputLabels,
    dropping: impl Fn(&OutputLabels) -> OutputLabels,
) -> OutputLabels {
    let text = |text| String::from_utf8_lossy(query.text(text)).into_owned();
    match vector {
        Vector::Selector(selector) => of_selector(query, Some(*selector)),
        Vector::FromScalar(_) | Vector::DatePart { vector: None, .. } => {
            OutputLabels::only(Vec::new())
        }
        Vector::WithScalar { op: ElementOp::Filter(_), .. }
        | Vector::Sort { .. }
        | Vector::SortByLabel { .. } => input.clone(),
        Vector::OverRange(function, _) => {
            use promql_syntax::query::RangeFunction::{FirstOverTime, LastOverTime};
            match function {
                FirstOverTime | LastOverTime => input.clone(),
                _ => dropping(input),
            }
        }
        Vector::Binary { op, matching, .. } => {
            let (many, one) = match (inputs, matching.cardinality) {
                ([lhs, rhs], Cardinality::OneToMany) => (*rhs, *lhs),
                ([lhs, rhs], _) => (*lhs, *rhs),
                _ => (input, input),
            };
            let labels = names(query, matching.labels);
            let mut out = match op {
                ElementOp::Arithmetic(_) | ElementOp::Trim(_) => many.without(&METADATA),
                ElementOp::Bool(_) => dropping(many),
                ElementOp::Filter(_) => many.clone(),
            };
            if matching.cardinality == Cardinality::OneToOne {
                out = match matching.on {
                    true => out.restricted_to(&labels),
                    false => out.without(&labels),
                };
            }
            let included = names(query, matching.include);
            let (copied, removed): (Vec<_>, Vec<_>) =
                included.into_iter().partition(|name| one.may_have(name));
            out.with(&copied).without(&removed)
        }
        Vector::Set { op: SetOp::Or, .. } => match inputs {
            [lhs, rhs] => lhs.or(rhs),
            _ => input.clone(),
        },
        Vector::Set { .. } => input.clone(),
        Vector::Aggregate { op, labels, without, .. } => {
            use promql_syntax::query::Aggregation;
            let labels = names(query, *labels);
            let grouped = match without {
                true => input.without(&labels).without(&[METRIC_NAME]),
                false => input.restricted_to(&labels),
            };
            match op {
                Aggregation::Topk(_)
                | Aggregation::Bottomk(_)
                | Aggregation::Limitk(_)
                | Aggregation::LimitRatio(_) => input.clone(),
                Aggregation::CountValues(label) => grouped.with(&[text(*label)]),
                _ => grouped,
            }
        }
        Vector::Absent(of) => match query.vector(*of).kind {
            Vector::Selector(selector) => absent_labels(query, selector),
            _ => OutputLabels::only(Vec::new()),
        },
        Vector::AbsentOverTime(range) => match query.range(*range).kind {
            promql_syntax::query::Range::Selector { selector, .. } => {
                absent_labels(query, selector)
            }
            promql_syntax::query::Range::Subquery { .. } => OutputLabels::only(Vec::new()),
        },
        Vector::LabelReplace { destination, .. } | Vector::LabelJoin { destination, .. } => {
            input.with(&[text(*destination)])
        }
        Vector::HistogramQuantile { .. } | Vector::HistogramFraction { .. } => {
            // A native histogram keeps a label `le` that it happens to have; that is no use to say.
            dropping(input).without(&["le"])
        }
        Vector::HistogramQuantiles { label, .. } => {
            dropping(input).without(&["le"]).with(&[text(*label)])
        }
        Vector::Negate(_)
        | Vector::WithScalar { .. }
        | Vector::Math(..)
        | Vector::Clamp { .. }
        | Vector::Round { .. }
        | Vector::DatePart { .. }
        | Vector::QuantileOverTime { .. }
        | Vector::PredictLinear { .. }
        | Vector::DoubleExponentialSmoothing { .. }
        | Vector::HistogramStatistic(..)
        | Vector::Timestamp(_)
        | Vector::StartTimestamp(_)
        | Vector::Info { .. } => dropping(input),
    }
}

fn absent_labels(query: &Query, selector: promql_syntax::ast::SelectorId) -> OutputLabels {
    let labels = absent::labels_of_selector(query, selector);
    OutputLabels::only(labels.iter().map(|(name, _)| name.to_owned()).collect())
}
