//! Where a conclusion about a label comes from.

use promql_syntax::ast::{Expr, NodeId, NodeKind};
use promql_syntax::{Span, ValueType};

use super::labels::{Change, Reason};
use super::{Env, Flows};

/// How many changes are told of at most.
const MAX_STEPS: usize = 16;

/// One change of a label on its way through an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The node at which it happened.
    pub node: NodeId,
    /// The part of the text that says so.
    pub span: Span,
    /// Why.
    pub reason: Reason,
    /// What happened, as the end of a sentence about the label: ``removed by `sum by (job)` ``.
    pub text: String,
}

impl Flows {
    /// The changes of a label of an arm, the newest first.
    pub fn explain(
        &self,
        expr: &Expr,
        env: &Env,
        node: NodeId,
        arm: usize,
        label: &str,
    ) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        let flow = self.of(node);
        let mut change = flow.arms.get(arm).and_then(|arm| arm.labels.change(label));
        while let Some(found) = change {
            if steps.len() == MAX_STEPS || steps.iter().any(|step| step.node == found.node) {
                break;
            }
            steps.push(step(expr, env, label, found));
            change = self.earlier(expr, found.node, label);
        }
        steps
    }

    /// The last change of a label before a node.
    fn earlier(&self, expr: &Expr, node: NodeId, label: &str) -> Option<Change> {
        let mut earlier = None;
        expr.for_each_child(node, |child| {
            let flow = self.of(child);
            if matches!(flow.value_type, ValueType::InstantVector | ValueType::RangeVector) {
                let changes = flow.arms.iter().filter_map(|arm| arm.labels.change(label));
                earlier = earlier.or(changes.max_by_key(|change| change.node));
            }
        });
        earlier
    }
}

fn step(expr: &Expr, env: &Env, label: &str, change: Change) -> Step {
    let (span, head) = head(expr, change.node, label);
    let text = match change.reason {
        Reason::Matcher => format!("matched by `{head}`"),
        Reason::Aggregated => format!("removed by `{head}`"),
        Reason::Matched => format!("decided by the matching of `{head}`"),
        Reason::Included => format!("copied by `{head}`"),
        Reason::Set => format!("set by `{head}`"),
        Reason::NameDropped => format!("dropped by `{head}`"),
        Reason::NoLabels => format!("not among the labels of `{head}`"),
        Reason::Consumed => format!("consumed by `{head}`"),
        Reason::Added => format!("added by `{head}`"),
        Reason::Recorded(number) => match env.recording(number) {
            Some(recording) => format!("recorded by {}", recording.place),
            None => "recorded by a rule".to_owned(),
        },
        Reason::Presumed => "presumed: every scraped series has it".to_owned(),
        Reason::Known => format!("known of `{head}`"),
    };
    Step { node: change.node, span, reason: change.reason, text }
}

/// The part of a node that says what it does: an operator, an aggregation with its labels, a matcher.
fn head(expr: &Expr, node: NodeId, label: &str) -> (Span, String) {
    let whole = expr.span(node);
    let text = |span: Span| {
        let source = expr.source().get(span.range()).unwrap_or_default();
        let text = String::from_utf8_lossy(source);
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    match expr.kind(node) {
        NodeKind::Aggregate { op, grouping, without, .. } => {
            let labels = expr.labels(grouping).iter().map(|label| text(label.span));
            let labels = labels.collect::<Vec<_>>().join(", ");
            let by = if without { "without" } else { "by" };
            let head = match grouping.is_empty() && !without {
                true => op.name().to_owned(),
                false => format!("{} {by} ({labels})", op.name()),
            };
            let end = whole.start.saturating_add(op.name().len() as u32).min(whole.end);
            (Span::new(whole.start, end), head)
        }
        NodeKind::Call { function, .. } => {
            let end = whole.start.saturating_add(function.name.len() as u32).min(whole.end);
            (Span::new(whole.start, end), function.name.to_owned())
        }
        NodeKind::Binary { op, lhs, rhs, .. } => {
            let between = Span::new(expr.span(lhs).end, expr.span(rhs).start);
            let written = text(between);
            let written = written.trim_start_matches(')').trim_end_matches('(').trim();
            let head = if written.is_empty() { op.symbol() } else { written };
            (between, head.to_owned())
        }
        NodeKind::VectorSelector(id) => {
            let selector = expr.selector(id);
            let matcher =
                expr.matchers(selector).iter().find(|m| expr.text(m.name) == label.as_bytes());
            let span = matcher.map_or(whole, |matcher| matcher.span);
            (span, text(span))
        }
        _ => (whole, text(whole)),
    }
}
