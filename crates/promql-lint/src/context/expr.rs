//! What the checks of an expression see.

use std::cell::OnceCell;
use std::ops::Range;

use promql_rules::yaml::{Positions, Style, Text};
use promql_syntax::ast::{LabelMatcher, Node, NodeId, NodeKind, Sign, VectorSelector};
use promql_syntax::{Aggregator, Expr, Function, Query, Span};

use super::RuleContext;
use crate::finding::Edit;
use crate::flow::{Env, Flows, analyse};
use crate::settings::Settings;

/// What the checks of an expression see. The expression is valid.
#[derive(Debug)]
pub struct ExprContext<'a> {
    /// The rule it is the expression of.
    pub rule: RuleContext<'a>,
    /// What it means.
    pub query: &'a Query,
    /// As it is written.
    pub expr: &'a Expr,
    /// Its text in the file.
    pub text: &'a Text,
    positions: OnceCell<Positions>,
    flows: OnceCell<Flows>,
}

impl<'a> ExprContext<'a> {
    /// The expression of a rule, if it is valid.
    pub fn new(rule: RuleContext<'a>) -> Option<ExprContext<'a>> {
        let query = rule.rule.query.as_ref()?;
        let expr = query.expr();
        let text = &rule.rule.expr;
        Some(ExprContext {
            rule,
            query,
            expr,
            text,
            positions: OnceCell::new(),
            flows: OnceCell::new(),
        })
    }

    /// Whether there is a variable of a dashboard in a part of the file, whose value nobody knows.
    pub(crate) fn has_variable(&self, place: Range<usize>) -> bool {
        self.rule.file.dashboard.is_some()
            && self
                .rule
                .text()
                .get(place)
                .is_some_and(|part| part.contains('$') || part.contains("[["))
    }

    /// What is configured.
    pub fn settings(&self) -> &'a Settings {
        &self.rule.file.settings
    }

    /// What is known from all rules of what the expression reads.
    pub fn env(&self) -> &'a Env {
        self.rule.set.env()
    }

    /// What is known of the results of all parts of the expression.
    pub fn flows(&self) -> &Flows {
        self.flows.get_or_init(|| analyse(self.expr, self.env()))
    }

    /// The place in the file of a part of the expression.
    pub fn place(&self, span: Span) -> Range<usize> {
        let positions = self.positions.get_or_init(|| self.text.positions(self.rule.text()));
        positions.file_span(span.range())
    }

    /// The place in the file of a node.
    pub fn place_of(&self, node: NodeId) -> Range<usize> {
        self.place(self.expr.span(node))
    }

    /// A part of the expression as it is written.
    pub fn source(&self, span: Span) -> &'a str {
        self.text.value.get(span.range()).unwrap_or_default()
    }

    /// All nodes with their ids; children before parents.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &'a Node)> {
        self.expr.nodes_with_ids()
    }

    /// All vector selectors, with their ids.
    pub fn selectors(&self) -> impl Iterator<Item = (NodeId, &'a VectorSelector)> {
        let expr = self.expr;
        self.nodes().filter_map(move |(id, node)| match node.kind {
            NodeKind::VectorSelector(selector) => Some((id, expr.selector(selector))),
            _ => None,
        })
    }

    /// All matchers inside of braces.
    pub fn matchers(&self) -> impl Iterator<Item = &'a LabelMatcher> {
        let expr = self.expr;
        self.selectors().flat_map(move |(_, selector)| expr.matchers(selector))
    }

    /// All calls of functions: the node, the function, the arguments.
    pub fn calls(&self) -> impl Iterator<Item = (NodeId, Function, &'a [NodeId])> {
        let expr = self.expr;
        self.nodes().filter_map(move |(id, node)| match node.kind {
            NodeKind::Call { function, args } => {
                Some((id, function.function, expr.arguments(args)))
            }
            _ => None,
        })
    }

    /// The node without parentheses around it.
    pub fn bare(&self, id: NodeId) -> NodeId {
        bare(self.expr, id)
    }

    /// The parent of each node, by [`NodeId::index`].
    pub fn parents(&self) -> Vec<Option<NodeId>> {
        let mut parents = vec![None; self.expr.nodes().len()];
        for (id, _) in self.nodes() {
            self.expr.for_each_child(id, |child| parents[child.index()] = Some(id));
        }
        parents
    }

    /// The place of the operator of a matcher in the expression.
    pub fn operator_span(&self, matcher: &LabelMatcher) -> Span {
        let front = self.source(Span::new(matcher.span.start, matcher.value_span.start));
        let symbol = matcher.op.symbol();
        let at = front.rfind(symbol).unwrap_or_default();
        let start = matcher.span.start + u32::try_from(at).unwrap_or_default();
        Span::new(start, start + u32::try_from(symbol.len()).unwrap_or_default())
    }

    /// The pattern of a matcher, if it is UTF-8.
    pub fn pattern(&self, matcher: &LabelMatcher) -> Option<&'a str> {
        std::str::from_utf8(self.expr.text(matcher.value)).ok()
    }

    /// The place of a part of the text of a string literal; nothing if escapes stand for some of it.
    pub fn in_string(&self, literal: Span, part: Range<usize>) -> Option<Span> {
        let source = self.source(literal);
        let text = source.get(1..source.len().checked_sub(1)?)?;
        if text.contains('\\') && !source.starts_with('`') {
            return None;
        }
        let at = |offset: usize| u32::try_from(offset + 1).ok().map(|at| literal.start + at);
        Some(Span::new(at(part.start)?, at(part.end)?))
    }

    /// A text as a string literal, in the quotes of another one.
    pub fn quoted(&self, literal: Span, new: &str) -> String {
        let quote = self.source(literal).chars().next().unwrap_or('"');
        match quote {
            '`' if !new.contains('`') => format!("`{new}`"),
            '\'' if !new.contains(['\'', '\\']) => format!("'{new}'"),
            '\'' => {
                let plain = promql_model::quote(new.as_bytes()).replace("\\\"", "\"");
                let inner = plain.get(1..plain.len() - 1).unwrap_or_default().replace('\'', "\\'");
                format!("'{inner}'")
            }
            _ => promql_model::quote(new.as_bytes()),
        }
    }

    /// Edits that put another text into a string literal.
    pub fn replace_string(&self, literal: Span, new: &str) -> Option<Vec<Edit>> {
        self.edits(&[(literal, &self.quoted(literal, new))])
    }

    /// Edits that take a matcher out of a selector, with the comma, and with the braces if it was alone
    /// behind a name.
    pub fn without_matcher(&self, selector: NodeId, at: usize) -> Option<Vec<Edit>> {
        let NodeKind::VectorSelector(id) = self.expr.kind(selector) else { return None };
        let details = self.expr.selector(id);
        let matchers = self.expr.matchers(details);
        let matcher = matchers.get(at)?;
        let span = match (at.checked_sub(1).and_then(|at| matchers.get(at)), matchers.get(at + 1)) {
            (_, Some(next)) => Span::new(matcher.span.start, next.span.start),
            (Some(before), None) => Span::new(before.span.end, matcher.span.end),
            (None, None) => {
                details.name?;
                let (from, to) = (matcher.span.end as usize, self.text.value.len());
                let behind = self.text.value.get(from..to)?;
                let close = behind.find('}')?;
                let is_alone = behind[..close].trim_matches([',', ' ', '\n', '\t']).is_empty();
                let end = matcher.span.end + u32::try_from(close + 1).ok()?;
                let front = self.source(Span::new(details.name_span.end, matcher.span.start));
                if !is_alone || front.trim() != "{" {
                    return None;
                }
                Span::new(details.name_span.end, end)
            }
        };
        // A comment in between would be lost.
        if self.source(span).contains('#') && !self.source(matcher.span).contains('#') {
            return None;
        }
        self.edits(&[(span, "")])
    }

    /// The metric that a selector names by `=`.
    pub fn metric_name(&self, selector: &VectorSelector) -> Option<&'a str> {
        metric_name(self.expr, selector)
    }

    /// The metric that a range selector names by `=`, if the node is one.
    pub fn range_metric(&self, id: NodeId) -> Option<&'a str> {
        let NodeKind::MatrixSelector { selector, .. } = self.expr.kind(self.bare(id)) else {
            return None;
        };
        let NodeKind::VectorSelector(selector) = self.expr.kind(selector) else { return None };
        self.metric_name(self.expr.selector(selector))
    }

    /// The number that a node is, signs and parentheses included.
    pub fn number(&self, mut id: NodeId) -> Option<f64> {
        let mut sign = 1.0;
        loop {
            match self.expr.kind(id) {
                NodeKind::Number { value, .. } => return Some(sign * value),
                NodeKind::Paren(inner) => id = inner,
                NodeKind::Unary { op, expr } => {
                    sign = if op == Sign::Minus { -sign } else { sign };
                    id = expr;
                }
                _ => return None,
            }
        }
    }

    /// The operator of an aggregation, parentheses left out.
    pub fn aggregator(&self, id: NodeId) -> Option<Aggregator> {
        match self.expr.kind(self.bare(id)) {
            NodeKind::Aggregate { op, .. } => Some(op),
            _ => None,
        }
    }

    /// The function of a call, parentheses left out.
    pub fn function(&self, id: NodeId) -> Option<Function> {
        match self.expr.kind(self.bare(id)) {
            NodeKind::Call { function, .. } => Some(function.function),
            _ => None,
        }
    }

    /// Texts in place of parts of the expression, as edits of the file. Nothing if one of them can't be
    /// written in the way that the expression is written.
    pub fn edits(&self, parts: &[(Span, &str)]) -> Option<Vec<Edit>> {
        let edit = |(span, new): &(Span, &str)| {
            let text = written(new, self.text)?;
            Some(Edit { span: self.place(*span), text })
        };
        parts.iter().map(edit).collect()
    }
}

/// The node without parentheses around it.
pub(crate) fn bare(expr: &Expr, mut id: NodeId) -> NodeId {
    while let NodeKind::Paren(inner) = expr.kind(id) {
        id = inner;
    }
    id
}

/// The metric that a selector names by `=`, in front of the braces or in them.
pub(crate) fn metric_name<'a>(expr: &'a Expr, selector: &VectorSelector) -> Option<&'a str> {
    let text = match selector.name {
        Some(name) => Some(name),
        None => expr
            .matchers(selector)
            .iter()
            .find(|m| m.op == promql_model::MatchOp::Equal && expr.text(m.name) == b"__name__")
            .map(|m| m.value),
    };
    text.and_then(|text| std::str::from_utf8(expr.text(text)).ok()).filter(|name| !name.is_empty())
}

/// The metrics that an expression names by `=`, each with its selector.
pub(crate) fn read_names(expr: &Expr) -> impl Iterator<Item = (&str, Span)> {
    expr.nodes().iter().filter_map(|node| match node.kind {
        NodeKind::VectorSelector(id) => Some((metric_name(expr, expr.selector(id))?, node.span)),
        _ => None,
    })
}

/// A text as it is written within a scalar of a file. Nothing if it can't be.
fn written(new: &str, scalar: &Text) -> Option<String> {
    if new.contains(['\n', '\r']) {
        return None;
    }
    match scalar.style {
        Style::Literal | Style::Folded => Some(new.to_owned()),
        Style::SingleQuoted => Some(new.replace('\'', "''")),
        Style::DoubleQuoted => {
            let has_control = new.chars().any(|c| c.is_control());
            (!has_control).then(|| new.replace('\\', "\\\\").replace('"', "\\\""))
        }
        // What would end a plain scalar is only written if it is there already, and does not.
        Style::Plain => {
            let is_new = |c: char| ",[]{}#:".contains(c) && !scalar.value.contains(c);
            let is_plain = !new.contains(is_new) && !new.contains(": ") && !new.contains(" #");
            let is_front = scalar.value.starts_with(|c: char| !c.is_alphanumeric());
            (is_plain && !is_front).then(|| new.to_owned())
        }
    }
}
