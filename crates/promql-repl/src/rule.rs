//! A rule for an expression, to begin a rule file with.
//!
//! The name of a recording rule is put together as Prometheus' documentation advises,
//! `level:metric:operations`: the labels that are left, the metric without `_total` where a rate was taken,
//! and what was done to it, the last first. A comparison becomes an alert, because that is what people
//! write comparisons for.

use promql_syntax::ast::{BinaryOp, Expr, NodeId, NodeKind};
use promql_syntax::{Errors, Features, FormatOptions};

/// A rule file with one rule, in YAML.
///
/// ```
/// let text = promql_repl::rule::skeleton("sum by (job) (rate(http_requests_total[5m]))").unwrap();
/// assert!(text.contains("record: job:http_requests:rate5m"));
/// let text = promql_repl::rule::skeleton("up == 0").unwrap();
/// assert!(text.contains("alert: "));
/// ```
///
/// # Errors
/// When the text is no expression.
pub fn skeleton(expression: &str) -> Result<String, Errors> {
    let expr = promql_syntax::parse(expression, &Features::ALL)?;
    let formatted = promql_syntax::format(expression, &FormatOptions::default())?;
    let lines: String =
        formatted.trim_end().lines().map(|line| format!("          {line}\n")).collect();
    // A text whose first line stands further to the right than others has to say where they begin.
    let block = if formatted.starts_with(' ') { "|2" } else { "|" };
    Ok(match is_condition(&expr) {
        true => format!(
            "groups:\n  - name: new\n    rules:\n      - alert: Unnamed\n        expr: {block}\n{lines}\
             \x20       for: 5m\n        labels:\n          severity: warning\n        annotations:\n\
             \x20         summary: \"{{{{ $labels }}}} is at {{{{ $value }}}}\"\n"
        ),
        false => {
            let name = name(&expr);
            format!(
                "groups:\n  - name: new\n    rules:\n      - record: {name}\n        expr: {block}\n{lines}"
            )
        }
    })
}

/// Whether an expression keeps only what a condition holds of.
fn is_condition(expr: &Expr) -> bool {
    let mut id = expr.root();
    loop {
        match expr.kind(id) {
            NodeKind::Paren(inner) => id = inner,
            NodeKind::Binary { op, lhs, modifiers, .. } => {
                if op.is_comparison() {
                    return modifiers.is_none_or(|at| !expr.binary_modifiers(at).return_bool);
                }
                if !op.is_set() {
                    return false;
                }
                id = lhs;
            }
            NodeKind::Call { function, .. } => return function.name.starts_with("absent"),
            _ => return false,
        }
    }
}

/// What the name of a recording rule is made of.
#[derive(Default)]
struct Parts {
    level: Option<String>,
    metric: Option<String>,
    /// The last first.
    operations: Vec<String>,
    /// Whether it is within a quantile of buckets.
    is_quantile: bool,
}

fn name(expr: &Expr) -> String {
    let mut parts = Parts::default();
    parts.look(expr, expr.root());
    // Of several operations a sum goes without saying.
    if parts.operations.len() > 1 {
        parts.operations.retain(|operation| operation != "sum");
    }
    let of_name = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let name = [
        parts.level.unwrap_or_else(|| "instance".to_owned()),
        parts.metric.unwrap_or_else(|| "unnamed".to_owned()),
        parts.operations.join("_"),
    ];
    let written = name.iter().filter(|part| !part.is_empty());
    let written: Vec<String> = written.map(|part| part.chars().map(of_name).collect()).collect();
    written.join(":")
}

impl Parts {
    fn look(&mut self, expr: &Expr, id: NodeId) {
        match expr.kind(id) {
            NodeKind::Paren(inner) | NodeKind::Unary { expr: inner, .. } => self.look(expr, inner),
            NodeKind::Aggregate { op, expr: inner, grouping, without, .. } => {
                // A quantile leaves no buckets.
                let labels: Vec<_> = expr
                    .labels(grouping)
                    .iter()
                    .map(|label| expr.text_lossy(label.name))
                    .filter(|label| !self.is_quantile || label != "le")
                    .collect();
                let level = match (labels.is_empty(), without) {
                    (true, _) => "all".to_owned(),
                    (false, false) => labels.join("_"),
                    (false, true) => format!("without_{}", labels.join("_")),
                };
                // The outermost says which labels there are.
                self.level.get_or_insert(level);
                self.operations.push(op.name().to_owned());
                self.look(expr, inner);
            }
            NodeKind::Call { function, args } => {
                let arguments = expr.arguments(args);
                let quantile = arguments.first().map(|at| expr.kind(*at));
                let operation = match quantile {
                    Some(NodeKind::Number { value, .. })
                        if function.name == "histogram_quantile" =>
                    {
                        format!("p{}", value * 100.0)
                    }
                    _ => function.name.to_owned(),
                };
                self.operations.push(operation);
                self.is_quantile |= function.name == "histogram_quantile";
                let is_series = |at: &&NodeId| {
                    !matches!(expr.kind(**at), NodeKind::Number { .. } | NodeKind::String(_))
                };
                if let Some(at) = arguments.iter().find(is_series) {
                    self.look(expr, *at);
                }
                let is_rate = matches!(function.name, "rate" | "irate" | "increase");
                let end = if is_rate { "_total" } else { "_bucket" };
                if let Some(metric) = &mut self.metric
                    && (is_rate || function.name == "histogram_quantile")
                    && let Some(short) = metric.strip_suffix(end)
                {
                    *metric = short.to_owned();
                }
            }
            NodeKind::MatrixSelector { selector, .. } => {
                let text = &expr.source()[expr.span(id).range()];
                let text = String::from_utf8_lossy(text);
                let window = text.rsplit_once('[').and_then(|(_, rest)| rest.split_once(']'));
                if let (Some((window, _)), Some(operation)) = (window, self.operations.last_mut()) {
                    operation.push_str(window.trim());
                }
                self.look(expr, selector);
            }
            NodeKind::Subquery(at) => self.look(expr, expr.subquery(at).expr),
            NodeKind::Binary { op: BinaryOp::Div, lhs, rhs, .. } => {
                let mut below = Parts::default();
                self.operations.push("ratio".to_owned());
                self.look(expr, lhs);
                below.look(expr, rhs);
                if let (Some(metric), Some(below)) = (&mut self.metric, below.metric)
                    && *metric != below
                {
                    metric.push_str(&format!("_per_{below}"));
                }
            }
            NodeKind::Binary { lhs, rhs, .. } => {
                self.look(expr, lhs);
                if self.metric.is_none() {
                    self.look(expr, rhs);
                }
            }
            NodeKind::VectorSelector(at) => {
                self.metric = expr.selector(at).name.map(|name| expr.text_lossy(name).into_owned());
            }
            NodeKind::Number { .. } | NodeKind::String(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_was_done() {
        let table = [
            ("sum by (job) (rate(http_requests_total[5m]))", "job:http_requests:rate5m"),
            ("sum(up)", "all:up:sum"),
            ("avg without (instance) (irate(x_total[1m]))", "without_instance:x:avg_irate1m"),
            (
                "histogram_quantile(0.9, sum by (le, job) (rate(d_seconds_bucket[5m])))",
                "job:d_seconds:p90_rate5m",
            ),
            (
                "sum by (job) (rate(errors_total[5m])) / sum by (job) (rate(requests_total[5m]))",
                "job:errors_per_requests:ratio_rate5m",
            ),
            ("max_over_time(x[1h:5m])", "instance:x:max_over_time"),
            ("1 + x", "instance:x"),
            ("vector(1)", "instance:unnamed:vector"),
        ];
        for (text, expected) in table {
            let shown = skeleton(text).expect(text);
            assert!(shown.contains(&format!("record: {expected}\n")), "{text}: {shown}");
        }
        for text in ["up == 0", "(up < 1) and on (job) x", "absent(up)"] {
            assert!(skeleton(text).expect(text).contains("alert: "), "{text}");
        }
        for text in ["up == bool 0", "up + (x == 1)"] {
            assert!(skeleton(text).expect(text).contains("record: "), "{text}");
        }
        assert!(skeleton("sum(").is_err());
        let long = format!("sum(rate({0}_total[5m])) / sum(rate({0}_seconds[5m]))", "x".repeat(60));
        assert!(skeleton(&long).expect("a rule").contains("expr: |2\n            sum(rate("));
    }
}
