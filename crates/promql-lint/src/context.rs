//! What a check sees.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use promql_rules::rule_file::{Dialect, Group, Rule, RuleFile, RuleKind};
use promql_rules::yaml::{Positions, Style, Text};
use promql_syntax::ast::{LabelMatcher, Node, NodeId, NodeKind, Sign, VectorSelector};
use promql_syntax::{Aggregator, Expr, Function, Query, Span};

use crate::config::Place;
use crate::dashboard::{Dashboard, Target};
use crate::finding::Edit;
use crate::flow::{Env, EnvBuilder, Flows, Recording, analyse};
use crate::memo::Memo;
use crate::pattern::Tree;
use crate::settings::Settings;
use crate::templates::{self, AlertText, Answers, Trial};

/// A file that is looked at.
#[derive(Debug)]
pub struct LintedFile {
    /// Its number.
    pub number: usize,
    /// What is in it, with the queries of its rules. Of a dashboard each target is a rule here.
    pub rules: RuleFile,
    /// What it is if it is a dashboard.
    pub dashboard: Option<Dashboard>,
    /// What is configured for it.
    pub settings: Arc<Settings>,
    /// Its path as the configuration sees it: relative to the folder of that.
    pub path: String,
    /// What was in it before a change, if that is known.
    pub before: Option<Box<RuleFile>>,
}

impl LintedFile {
    /// Where a rule of the file is, or the file, as the configuration sees it.
    pub(crate) fn place(&self, rule: Option<(usize, usize)>) -> Place<'_> {
        let group = rule.and_then(|(group, _)| self.rules.groups.get(group));
        let rule = group.zip(rule).and_then(|(group, (_, rule))| group.rules.get(rule));
        Place {
            path: &self.path,
            group: group.map(|group| group.name.value.as_str()),
            rule: rule.map(|rule| (rule.name.value.as_str(), rule.kind)),
        }
    }
}

/// A rule, by numbers: of its file, of its group in the file, of it in the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleRef {
    /// The file.
    pub file: usize,
    /// The group.
    pub group: usize,
    /// The rule.
    pub rule: usize,
}

/// All files that are looked at together, with indices so that no check compares all with all.
#[derive(Debug)]
pub struct RuleSet<'a> {
    /// The files.
    pub files: &'a [LintedFile],
    /// The rules that record a metric.
    pub recorders: HashMap<&'a str, Vec<RuleRef>>,
    /// The alerts of a name.
    pub alerts: HashMap<&'a str, Vec<RuleRef>>,
    /// The selectors that name a metric by `=`: the rule, and the selector's place in its expression.
    pub readers: HashMap<&'a str, Vec<(RuleRef, Span)>>,
    /// What the analysis of expressions knows from the rules.
    env: Env,
    /// The trees of regular expressions.
    trees: Memo<Option<Arc<Tree>>>,
    /// What becomes of templates when they are tried.
    trials: Memo<Arc<Trial>>,
}

impl<'a> RuleSet<'a> {
    /// Makes the indices of files.
    pub fn new(files: &'a [LintedFile]) -> RuleSet<'a> {
        let (indices, env) = rayon::join(|| indices(files), || env_of(files));
        let (recorders, alerts, readers) = indices;
        let (trees, trials) = (Memo::default(), Memo::default());
        RuleSet { files, recorders, alerts, readers, env, trees, trials }
    }

    /// What is known from all rules of what the others read.
    pub fn env(&self) -> &Env {
        &self.env
    }

    /// The tree of a regular expression. Nothing if it can't be read.
    pub(crate) fn tree(&self, pattern: &str) -> Option<Arc<Tree>> {
        self.trees.get(pattern.as_bytes(), || Tree::new(pattern).map(Arc::new))
    }

    /// What becomes of a template when it is tried, each of its queries finding one sample.
    pub(crate) fn trial(&self, template: &AlertText<'_>) -> Arc<Trial> {
        let text = template.text.value.as_str();
        self.trials
            .get(text.as_bytes(), || Arc::new(templates::expand(template, &mut Answers::some())))
    }

    /// All rules, in order of the files.
    pub fn rules(&self) -> impl Iterator<Item = (RuleRef, &'a Group, &'a Rule)> {
        all_rules(self.files)
    }

    /// The group of a rule.
    pub fn group(&self, at: RuleRef) -> &'a Group {
        &self.files[at.file].rules.groups[at.group]
    }

    /// A rule.
    pub fn rule(&self, at: RuleRef) -> &'a Rule {
        &self.group(at).rules[at.rule]
    }

    /// What a rule's expression is seen with.
    pub fn rule_context(&'a self, at: RuleRef) -> RuleContext<'a> {
        let file = &self.files[at.file];
        RuleContext { set: self, file, group: self.group(at), rule: self.rule(at), at }
    }
}

/// The rules that record each metric, those that alert under each name, and those that read each metric.
type Indices<'a> = (
    HashMap<&'a str, Vec<RuleRef>>,
    HashMap<&'a str, Vec<RuleRef>>,
    HashMap<&'a str, Vec<(RuleRef, Span)>>,
);

fn indices(files: &[LintedFile]) -> Indices<'_> {
    let (mut recorders, mut alerts, mut readers) = Indices::default();
    for (at, _, rule) in all_rules(files) {
        let index = match rule.kind {
            RuleKind::Recording => &mut recorders,
            RuleKind::Alerting => &mut alerts,
        };
        index.entry(rule.name.value.as_str()).or_default().push(at);
        let Some(query) = &rule.query else { continue };
        for (name, span) in read_names(query.expr()) {
            readers.entry(name).or_default().push((at, span));
        }
    }
    (recorders, alerts, readers)
}

/// What is known from rules of what others read.
fn env_of(files: &[LintedFile]) -> Env {
    let mut env = EnvBuilder::default();
    let mut told: Option<&Arc<Settings>> = None;
    for file in files {
        // Files of one run mostly share what is configured.
        if !told.is_some_and(|settings| Arc::ptr_eq(settings, &file.settings)) {
            file.settings.known().tell(&mut env);
            told = Some(&file.settings);
        }
    }
    for (at, group, rule) in all_rules(files) {
        let (RuleKind::Recording, Some(query)) = (rule.kind, &rule.query) else { continue };
        let label = |(name, value): &(Text, Text)| {
            (name.value.as_str().into(), value.value.as_str().into())
        };
        let of_group = group
            .labels
            .iter()
            .filter(|(name, _)| !rule.labels.iter().any(|(own, _)| own.value == name.value));
        env.record(Recording {
            name: rule.name.value.as_str().into(),
            expr: query.expr().clone(),
            labels: rule.labels.iter().chain(of_group).map(label).collect(),
            place: files[at.file].rules.name.as_str().into(),
        });
    }
    env.build()
}

fn all_rules(files: &[LintedFile]) -> impl Iterator<Item = (RuleRef, &Group, &Rule)> {
    let rule_files = files.iter().enumerate().filter(|(_, file)| file.dashboard.is_none());
    rule_files.flat_map(|(file, linted)| {
        linted.rules.groups.iter().enumerate().flat_map(move |(group, g)| {
            let rules = g.rules.iter().enumerate();
            rules.map(move |(rule, r)| (RuleRef { file, group, rule }, g, r))
        })
    })
}

/// What the checks of a group see.
#[derive(Clone, Copy, Debug)]
pub struct GroupContext<'a> {
    /// All files.
    pub set: &'a RuleSet<'a>,
    /// The file.
    pub file: &'a LintedFile,
    /// The group.
    pub group: &'a Group,
    /// Its number in the file.
    pub number: usize,
}

impl GroupContext<'_> {
    /// The place in the file of a part of the expression of a rule.
    pub fn place(&self, at: RuleRef, span: Span) -> Range<usize> {
        let text = &self.set.files[at.file].rules.text;
        self.set.rule(at).expr.positions(text).file_span(span.range())
    }
}

/// What the checks of a rule see.
#[derive(Clone, Copy, Debug)]
pub struct RuleContext<'a> {
    /// All files.
    pub set: &'a RuleSet<'a>,
    /// The file.
    pub file: &'a LintedFile,
    /// The group.
    pub group: &'a Group,
    /// The rule.
    pub rule: &'a Rule,
    /// Where it is.
    pub at: RuleRef,
}

impl<'a> RuleContext<'a> {
    /// Whether the rule is an alert.
    pub fn is_alert(&self) -> bool {
        self.rule.kind == RuleKind::Alerting
    }

    /// The text of the file.
    pub fn text(&self) -> &'a str {
        &self.file.rules.text
    }

    /// Where the rule is, as the configuration sees it.
    pub(crate) fn place_in_settings(&self) -> Place<'a> {
        self.file.place(Some((self.at.group, self.at.rule)))
    }

    /// How often the rule is evaluated, in nanoseconds, if its group says it.
    pub fn interval(&self) -> Option<i64> {
        self.group.interval.map(|interval| interval.value).filter(|value| *value > 0)
    }

    /// Whose file it is.
    pub fn dialect(&self) -> Dialect {
        self.file.rules.dialect
    }

    /// The place of a part of a text of the file.
    pub fn place(&self, text: &Text, range: Range<usize>) -> Range<usize> {
        text.positions(self.text()).file_span(range)
    }

    /// Takes whole lines out of the file: those that a `key: value` of a block mapping is written in.
    /// Nothing if something else is in these lines.
    pub fn remove_entry(&self, key: &str, value: Range<usize>) -> Option<Vec<Edit>> {
        let text = self.text();
        let start = text[..value.start].rfind('\n').map_or(0, |at| at + 1);
        let end = text[value.end..].find('\n').map_or(text.len(), |at| value.end + at + 1);
        let before = text[start..value.start].trim();
        let is_alone = before.strip_suffix(':').is_some_and(|k| k.trim_matches(['"', '\'']) == key);
        let rest = text[value.end..end].trim();
        (is_alone && (rest.is_empty() || rest.starts_with('#')))
            .then(|| vec![Edit { span: start..end, text: String::new() }])
    }
}

/// What the checks of dashboards see of a query.
#[derive(Clone, Copy, Debug)]
pub struct TargetContext<'a> {
    /// The query, if it can be read.
    pub expr: Option<&'a ExprContext<'a>>,
    /// The query, and what is beside it.
    pub target: &'a Target,
    /// The dashboard.
    pub dashboard: &'a Dashboard,
    /// The text of the file.
    pub text: &'a str,
}

impl TargetContext<'_> {
    /// The place in the file of a part of the query.
    pub fn place(&self, range: Range<usize>) -> Range<usize> {
        self.target.expr.positions(self.text).file_span(range)
    }
}

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
