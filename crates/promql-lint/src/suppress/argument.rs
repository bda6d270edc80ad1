//! What narrows a suppression: `check(argument)`, and the server in `check@server`.
//!
//! An argument is a metric or a selector, `series-missing(up{job="shop"})`, and is about selectors with this
//! name that have at least these matchers; or it is a name that the finding is about, as a label in
//! `template-label-removed(instance)`.

use promql_model::{METRIC_NAME, MatchOp};
use promql_syntax::ast::{NodeKind, VectorSelector};
use promql_syntax::{Expr, Features};

use crate::context::metric_name;
use crate::finding::Finding;

/// A word of a list, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Narrowed {
    argument: Option<String>,
    server: Option<String>,
}

/// Takes a word apart: what selects checks, and what narrows that.
pub(super) fn apart(word: &str) -> (&str, Narrowed) {
    let (name, argument) = match word.split_once('(') {
        Some((name, rest)) => {
            let inner = rest.trim_end().strip_suffix(')').unwrap_or(rest).trim();
            (name, Some(inner.to_owned()).filter(|inner| !inner.is_empty()))
        }
        None => (word, None),
    };
    let (name, server) = match name.split_once('@') {
        Some((name, server)) => (name, Some(server.trim().to_owned())),
        None => (name, None),
    };
    (name.trim(), Narrowed { argument, server })
}

impl Narrowed {
    /// With an argument alone.
    pub(super) fn by(argument: &str) -> Narrowed {
        Narrowed { argument: Some(argument.to_owned()), server: None }
    }

    /// Whether a finding in a file is one that this is about.
    pub(super) fn is_about(&self, finding: &Finding, text: &str) -> bool {
        let server = self.server.as_ref();
        let is_of_server =
            server.is_none_or(|name| finding.message.ends_with(&format!("(on `{name}`)")));
        let argument = self.argument.as_ref();
        is_of_server && argument.is_none_or(|argument| is_about(argument, finding, text))
    }
}

fn is_about(argument: &str, finding: &Finding, text: &str) -> bool {
    let places = finding.labels.iter().filter_map(|label| text.get(label.span.clone()));
    let places: Vec<&str> = places.collect();
    // Messages quote names.
    let is_named = finding.message.contains(&format!("`{argument}`"));
    is_named
        || places.iter().any(|place| place.trim_matches(['"', '\'', '`']) == argument)
        || wanted(argument).is_some_and(|wanted| {
            places.iter().any(|place| selectors(place).iter().any(|found| found.has(&wanted)))
        })
}

/// A selector: its name, and its matchers but for that.
#[derive(Debug, PartialEq)]
struct Selector {
    name: Option<String>,
    matchers: Vec<(String, MatchOp, Vec<u8>)>,
}

impl Selector {
    fn of(expr: &Expr, selector: &VectorSelector) -> Selector {
        let name = metric_name(expr, selector).map(str::to_owned);
        let matchers = expr.matchers(selector).iter();
        let matchers = matchers.map(|matcher| {
            (
                expr.text_lossy(matcher.name).into_owned(),
                matcher.op,
                expr.text(matcher.value).to_vec(),
            )
        });
        let others = matchers.filter(|(label, _, _)| label != METRIC_NAME);
        Selector { name, matchers: others.collect() }
    }

    /// Whether it has all that another one has.
    fn has(&self, other: &Selector) -> bool {
        let is_name = other.name.is_none() || other.name == self.name;
        is_name && other.matchers.iter().all(|matcher| self.matchers.contains(matcher))
    }
}

/// The selector that an argument is, if it is one.
fn wanted(argument: &str) -> Option<Selector> {
    let expr = promql_syntax::parse(argument, &Features::ALL).ok()?;
    match expr.kind(expr.root()) {
        NodeKind::VectorSelector(selector) => Some(Selector::of(&expr, expr.selector(selector))),
        _ => None,
    }
}

/// The selectors in a part of a file, if that is an expression.
fn selectors(place: &str) -> Vec<Selector> {
    let Ok(expr) = promql_syntax::parse(place, &Features::ALL) else { return Vec::new() };
    let of = |node: &promql_syntax::ast::Node| match node.kind {
        NodeKind::VectorSelector(selector) => Some(Selector::of(&expr, expr.selector(selector))),
        _ => None,
    };
    expr.nodes().iter().filter_map(of).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that fails")]
mod tests {
    use crate::run::{Input, lint};
    use crate::settings::Settings;

    /// The checks whose findings are told in spite of a comment about an expression.
    fn told(words: &str, expr: &str) -> Vec<&'static str> {
        let text = format!(
            "groups:\n- name: a\n  rules:\n  # promql: ignore[{words}]\n  - alert: A\n    expr: {expr}\n    annotations: {{a: '{{{{ $labels.pod }}}} {{{{ $labels.zone }}}}'}}\n"
        );
        let outcome = lint(vec![Input::new("a.yml", text)], &Settings::default());
        outcome.files[0].findings.iter().map(|finding| finding.check.name).collect()
    }

    #[test]
    fn an_argument_is_a_name() {
        let expr = "sum by (job) (up) == 0";
        let (removed, unused) = ("template-label-removed", "unused-suppression");
        assert_eq!(told("T001", expr), [] as [&str; 0]);
        assert_eq!(told("T001(pod)", expr), [removed]);
        assert_eq!(told("T001(pod), template-label-removed(zone)", expr), [] as [&str; 0]);
        assert_eq!(told("T001(instance)", expr), [unused, removed, removed]);
    }

    #[test]
    fn an_argument_is_a_selector() {
        let expr = "sum by (pod, zone) (up{job=~\"a\", env=\"b\"}) == 0";
        // The matcher is the place, not the selector.
        assert_eq!(told("regex-literal(job)", expr), ["unused-suppression", "regex-literal"]);
        let always = "sum by (pod, zone) (up{job=\"a\", env=\"b\"} >= bool 0) < 0";
        for (argument, is_told) in [
            ("up", false),
            ("up{env=\"b\"}", false),
            ("up{env=\"b\", job=\"a\"}", false),
            ("{job=\"a\"}", false),
            ("up{env=\"c\"}", true),
            ("down", true),
        ] {
            let found = told(&format!("correctness({argument})"), always);
            assert_eq!(
                found.contains(&"comparison-always-false"),
                is_told,
                "{argument}: {found:?}"
            );
        }
    }
}
