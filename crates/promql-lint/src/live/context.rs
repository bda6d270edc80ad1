//! What the checks of a rule see that ask a server.

use std::cell::OnceCell;
use std::sync::Arc;

use promql_model::{METRIC_NAME, MatchOp, Matcher, quote};
use promql_syntax::ast::{BinaryOp, LabelMatcher, NodeId, NodeKind, VectorSelector};
use promql_syntax::{Expr, Function};

use super::asker::Asker;
use super::back_test::BackTest;
use super::options::LiveOptions;
use super::question::{About, Question, Refusal, Reply};
use crate::check::Check;
use crate::context::{ExprContext, metric_name};

/// What the checks of a rule see that ask a server. Where a question isn't answered there is nothing.
pub struct LiveContext<'a> {
    /// The rule and its expression.
    pub(crate) expr: &'a ExprContext<'a>,
    /// What the server says about itself.
    pub(crate) about: &'a About,
    /// What checks should know.
    pub(crate) options: &'a LiveOptions,
    pub(super) asker: Option<&'a Asker<'a>>,
    /// The code of the check that asks.
    pub(super) code: &'static str,
    /// What several checks of the rule want to know.
    pub(super) shared: &'a Shared<'a>,
}

/// What several checks of a rule want to know, found out once.
#[derive(Default)]
pub(super) struct Shared<'a> {
    selectors: OnceCell<Vec<Selected<'a>>>,
    back_test: OnceCell<Option<BackTest>>,
}

/// A selector of an expression.
#[derive(Clone, Debug)]
pub(crate) struct Selected<'a> {
    /// The vector selector.
    pub(crate) node: NodeId,
    /// The metric, if it names one by `=`.
    pub(crate) name: Option<&'a str>,
    /// The selector without its modifiers.
    pub(crate) text: String,
    /// The matchers but for that of the name.
    pub(crate) matchers: Vec<&'a LabelMatcher>,
    /// Whether something is wrong if it finds nothing: the expression doesn't say what happens then.
    pub(crate) is_expected: bool,
    /// Whether the server can know it: it is not recorded by the rules that are looked at, and not on
    /// another server.
    pub(crate) is_scraped: bool,
}

/// Whether there are series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Now.
    Here,
    /// Not now, but not long ago.
    Gone,
    /// Not as far back as was looked.
    Missing,
}

/// What keeps a selector from finding series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Blame<'a> {
    /// There is no such metric.
    Metric,
    /// No series of the metric has the label of this matcher.
    Label(&'a LabelMatcher),
    /// No series of the metric fits this matcher.
    Matcher(&'a LabelMatcher),
    /// The matchers don't fit together.
    Together,
}

impl<'a> LiveContext<'a> {
    /// Whether another check looks at the rule.
    pub(crate) fn looks(&self, check: &Check) -> bool {
        let rule = &self.expr.rule;
        let settings = &rule.file.settings;
        settings.severity_at(check, check.severity, &rule.place_in_settings()).is_some()
    }

    /// All selectors.
    pub(crate) fn selectors(&self) -> &'a [Selected<'a>] {
        self.shared.selectors.get_or_init(|| selectors(self.expr, self.options))
    }

    /// What an alert would have done in the past; nothing of a recording rule.
    pub(crate) fn back_test(&self) -> Option<&'a BackTest> {
        self.shared.back_test.get_or_init(|| BackTest::of(self)).as_ref()
    }

    /// Asks the server.
    pub(crate) fn ask(&self, question: Question) -> Option<Result<Arc<Reply>, Refusal>> {
        Some(self.asker?.ask(question, self.code, self.expr.rule.at))
    }

    fn reply(&self, question: Question) -> Option<Arc<Reply>> {
        self.ask(question)?.ok()
    }

    /// The value of the first element of an expression that gives one at most; 0 if it gives none.
    pub(crate) fn value(&self, expr: String) -> Option<f64> {
        match &*self.reply(Question::Elements { expr })? {
            Reply::Elements { elements, .. } => match elements.first() {
                Some(element) => element.value,
                None => Some(0.0),
            },
            _ => None,
        }
    }

    /// Whether there was such a series in the time that is looked at.
    pub(crate) fn exists(&self, selector: String) -> Option<bool> {
        let range = self.options.window;
        match &*self.reply(Question::Exists { selector, range })? {
            Reply::Exists(exists) => Some(*exists),
            _ => None,
        }
    }

    /// The names of the labels of a metric.
    pub(crate) fn labels_of(&self, metric: &str) -> Option<Arc<Reply>> {
        let selector = named(metric, &[]);
        self.reply(Question::LabelNames { selector, range: self.options.window })
    }

    /// Whether a series of a metric has a label.
    pub(crate) fn has_label(&self, metric: &str, label: &str) -> Option<bool> {
        match &*self.labels_of(metric)? {
            Reply::Names(names) => Some(names.iter().any(|name| name == label)),
            _ => None,
        }
    }

    /// When an expression gave something.
    pub(crate) fn courses(&self, expr: String, range: i64, step: i64) -> Option<Arc<Reply>> {
        self.reply(Question::Courses { expr, range, step })
    }

    /// The kind of a metric, if all targets agree.
    pub(crate) fn kind(&self, metric: &str) -> Option<String> {
        let ask =
            |metric: &str| match &*self.reply(Question::Kinds { metric: metric.to_owned() })? {
                Reply::Names(kinds) => Some(kinds.clone()),
                _ => None,
            };
        let mut kinds = ask(metric)?;
        // OpenMetrics describes a counter by its name without `_total`.
        if kinds.is_empty()
            && let Some(family) = metric.strip_suffix("_total")
        {
            kinds = ask(family)?;
        }
        match &kinds[..] {
            [kind] => Some(kind.clone()),
            _ => None,
        }
    }

    /// Whether there are series of a selector.
    pub(crate) fn standing(&self, selected: &Selected<'_>) -> Option<Standing> {
        if self.value(format!("count({})", selected.text))? > 0.0 {
            return Some(Standing::Here);
        }
        Some(match self.exists(selected.text.clone())? {
            true => Standing::Gone,
            false => Standing::Missing,
        })
    }

    /// What keeps a selector from finding series that names a metric.
    pub(crate) fn blame(&self, selected: &Selected<'a>) -> Option<Blame<'a>> {
        let Some(name) = selected.name else { return Some(Blame::Together) };
        if !self.exists(named(name, &[]))? {
            return Some(Blame::Metric);
        }
        let expr = self.expr.expr;
        for &matcher in &selected.matchers {
            if matches_empty(expr, matcher) {
                continue;
            }
            if !self.has_label(name, &expr.text_lossy(matcher.name))? {
                return Some(Blame::Label(matcher));
            }
        }
        if selected.matchers.len() == 1 {
            return Some(selected.matchers.first().map_or(Blame::Together, |m| Blame::Matcher(m)));
        }
        for &matcher in &selected.matchers {
            if !self.exists(named(name, &[written(expr, matcher)]))? {
                return Some(Blame::Matcher(matcher));
            }
        }
        Some(Blame::Together)
    }
}

/// A selector of a metric with more matchers.
fn named(metric: &str, more: &[String]) -> String {
    let mut parts = vec![format!("{METRIC_NAME}={}", quote(metric.as_bytes()))];
    parts.extend(more.iter().cloned());
    format!("{{{}}}", parts.join(","))
}

/// A matcher as text.
fn written(expr: &Expr, matcher: &LabelMatcher) -> String {
    let name = expr.text_lossy(matcher.name);
    let name = match promql_model::is_label_name(&name) {
        true => name.into_owned(),
        false => quote(name.as_bytes()),
    };
    format!("{name}{}{}", matcher.op.symbol(), quote(expr.text(matcher.value)))
}

/// Whether series without the label fit.
pub(crate) fn matches_empty(expr: &Expr, matcher: &LabelMatcher) -> bool {
    let (name, value) = (expr.text_lossy(matcher.name), expr.text_lossy(matcher.value));
    Matcher::new(&*name, matcher.op, &*value).is_ok_and(|matcher| matcher.matches_empty())
}

fn selectors<'a>(cx: &'a ExprContext<'a>, options: &LiveOptions) -> Vec<Selected<'a>> {
    let parents = cx.parents();
    let (expr, set) = (cx.expr, cx.rule.set);
    let select = |(node, selector): (NodeId, &'a VectorSelector)| {
        // What has a variable in it may be anything, so nothing is asked about it.
        let is_known = |matcher: &&LabelMatcher| !cx.has_variable(cx.place(matcher.span));
        let is_whole = !cx.has_variable(cx.place(selector.name_span))
            && expr.matchers(selector).iter().all(|matcher| {
                expr.text(matcher.name) != METRIC_NAME.as_bytes() || is_known(&matcher)
            });
        let name = metric_name(expr, selector).filter(|_| is_whole);
        let is_name = |matcher: &&LabelMatcher| {
            name.is_some()
                && matcher.op == MatchOp::Equal
                && expr.text(matcher.name) == METRIC_NAME.as_bytes()
        };
        let matchers = expr.matchers(selector).iter();
        let matchers = matchers.filter(|matcher| !is_name(matcher)).filter(is_known);
        let matchers: Vec<&LabelMatcher> = matchers.collect();
        let more: Vec<String> = matchers.iter().map(|matcher| written(expr, matcher)).collect();
        let text = match name {
            Some(name) => named(name, &more),
            None => format!("{{{}}}", more.join(",")),
        };
        let is_scraped = is_whole
            && name.is_none_or(|name| {
                !set.recorders.contains_key(name)
                    && !matches!(name, "ALERTS" | "ALERTS_FOR_STATE")
                    && !options.external_metrics.iter().any(|pattern| pattern.matches(name))
            });
        let is_expected = is_whole && is_expected(expr, &parents, node);
        Selected { node, name, text, matchers, is_expected, is_scraped }
    };
    cx.selectors().map(select).collect()
}

/// Whether an expression doesn't say what happens if a selector finds nothing. It does by `absent`, by
/// `or`, and behind `unless`.
fn is_expected(expr: &Expr, parents: &[Option<NodeId>], node: NodeId) -> bool {
    let mut at = node;
    while let Some(parent) = parents.get(at.index()).copied().flatten() {
        match expr.kind(parent) {
            NodeKind::Call { function, .. } => {
                let asks = [Function::Absent, Function::AbsentOverTime];
                if asks.contains(&function.function) {
                    return false;
                }
            }
            NodeKind::Binary { op: BinaryOp::Or, .. } => return false,
            NodeKind::Binary { op: BinaryOp::Unless, rhs, .. } if rhs == at => return false,
            _ => {}
        }
        at = parent;
    }
    true
}
