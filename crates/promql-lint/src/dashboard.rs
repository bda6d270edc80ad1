//! Grafana dashboards: their variables, and the expressions of their panels.
//!
//! JSON is YAML, so the reader of that gives the place of everything. An expression is looked at with
//! something in place of each variable that is as long, so places stay what they are.

use std::ops::Range;

use promql_rules::format::{DashboardVariable, dashboard_variables, with_stand_ins};
use promql_rules::rule_file::{Dialect, Group, Rule, RuleFile, RuleKind};
use promql_rules::yaml::{self, Flavour, Node, Reader, Resolved, Text};
use promql_syntax::{Features, Query, compile};

use crate::checks::compat::dialect_expression::language;

/// How deep panels may be nested.
const DEEPEST: usize = 100;

/// A dashboard.
#[derive(Clone, Debug, Default)]
pub struct Dashboard {
    /// Its variables.
    pub variables: Vec<Variable>,
    /// The queries of its panels for Prometheus, in the order of the file.
    pub targets: Vec<Target>,
    /// The data sources that are named, wherever they are, in the order of the file.
    pub sources: Vec<Source>,
}

/// A data source that something of a dashboard names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// What it is called: its uid, or its name in old dashboards. Perhaps a variable.
    pub name: String,
    /// Where it is written, in bytes of the file.
    pub place: Range<usize>,
    /// The kind of data source, if that is written.
    pub kind: Option<String>,
}

/// A variable of a dashboard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Whether it may have several values at once.
    pub is_multi: bool,
    /// What kind of variable it is: `query`, `datasource`, `custom`. Empty if that isn't written.
    pub kind: String,
    /// What its values are asked by, if it is asked of Prometheus.
    pub query: Option<Text>,
}

/// A query of a panel.
#[derive(Clone, Debug)]
pub struct Target {
    /// The title of the panel.
    pub panel: String,
    /// The kind of panel: `stat`, `timeseries`, `table`. Empty if that isn't written.
    pub panel_kind: String,
    /// The expression as it is written.
    pub expr: Text,
    /// The variables in it.
    pub uses: Vec<DashboardVariable>,
    /// What its series are called.
    pub legend: Option<Text>,
    /// Whether it asks for one time only.
    pub is_instant: bool,
    /// Whether it, or its panel, says how short the step between its points is at least.
    pub has_shortest_step: bool,
    /// Why it can't be read; nothing if it can, or if its variables may be anything.
    pub error: Option<(String, Range<usize>)>,
}

impl Dashboard {
    /// The variable of a name.
    pub fn variable(&self, name: &str) -> Option<&Variable> {
        self.variables.iter().find(|variable| variable.name == name)
    }
}

/// Reads a dashboard. Its expressions come as the rules of one group, one for each target.
pub(crate) fn read(name: &str, text: &str) -> Option<(RuleFile, Dashboard)> {
    let stream = yaml::parse(text);
    let root = stream.documents.first()?.root.as_ref()?;
    let inner = root.get("dashboard").filter(|inner| !inner.entries().is_empty()).unwrap_or(root);
    let mut reader = Reader::new(text, Flavour::Rules);
    let title = inner.get("title").and_then(|title| reader.text(title));
    let variables = variables(inner, &mut reader);
    let mut dashboard = Dashboard { variables, targets: Vec::new(), sources: Vec::new() };
    sources(inner, &mut dashboard.sources);
    let mut rules = Vec::new();
    let mut walk = Walk { reader: &mut reader, dashboard: &mut dashboard, rules: &mut rules };
    walk.all(inner);
    let span = root.span.clone();
    let group = Group {
        name: title.unwrap_or_else(|| Text::empty(span.start..span.start)),
        span,
        interval: None,
        query_offset: None,
        limit: None,
        labels: Vec::new(),
        rules,
    };
    let file = RuleFile {
        name: name.to_owned(),
        text: text.into(),
        dialect: Dialect::Prometheus,
        groups: vec![group],
    };
    Some((file, dashboard))
}

/// The variables of a dashboard, and what is asked for when it is imported.
fn variables(root: &Node<'_>, reader: &mut Reader<'_>) -> Vec<Variable> {
    let list = root.get("templating").and_then(|templating| templating.get("list"));
    let inputs = root.get("__inputs").map_or(&[][..], Node::items);
    let all = list.map_or(&[][..], Node::items).iter().chain(inputs);
    let is_true = |node: &Node<'_>, key: &str| {
        node.get(key).and_then(Node::resolved) == Some(Resolved::Boolean(true))
    };
    all.filter_map(|node| {
        let kind = node.get("type").and_then(Node::text).unwrap_or_default().to_owned();
        let is_prometheus = node.get("datasource").and_then(is_of_prometheus) != Some(false);
        let query = node.get("query").filter(|_| kind == "query" && is_prometheus);
        // Newer dashboards have it in an object, with a number for the editor.
        let query = query.and_then(|query| match query.entries().is_empty() {
            true => reader.text(query),
            false => query.get("query").and_then(|query| reader.text(query)),
        });
        Some(Variable {
            name: node.get("name")?.text()?.to_owned(),
            is_multi: is_true(node, "multi") || is_true(node, "includeAll"),
            kind,
            query,
        })
    })
    .collect()
}

/// All data sources that are named in a dashboard.
fn sources(root: &Node<'_>, found: &mut Vec<Source>) {
    let mut open = vec![(root, 0)];
    while let Some((node, depth)) = open.pop() {
        if depth > DEEPEST {
            continue;
        }
        if let Some(source) = node.get("datasource") {
            let kind = source.get("type").and_then(Node::text).map(str::to_owned);
            let named = if source.entries().is_empty() { Some(source) } else { source.get("uid") };
            let name = named.filter(|named| !named.is_null()).and_then(Node::text);
            if let (Some(named), Some(name)) = (named, name) {
                found.push(Source { name: name.to_owned(), place: named.span.clone(), kind });
            }
        }
        // Children are taken from the end.
        open.extend(node.items().iter().rev().map(|item| (item, depth + 1)));
        open.extend(node.entries().iter().rev().map(|entry| (&entry.value, depth + 1)));
    }
}

struct Walk<'w, 'a> {
    reader: &'w mut Reader<'a>,
    dashboard: &'w mut Dashboard,
    rules: &'w mut Vec<Rule>,
}

/// A node that is to be looked at, with what is above it.
struct Open<'n, 't> {
    node: &'n Node<'t>,
    is_prometheus: bool,
    is_target: bool,
    panel: String,
    panel_kind: String,
    has_shortest_step: bool,
    depth: usize,
}

impl Walk<'_, '_> {
    fn all(&mut self, root: &Node<'_>) {
        let mut open = vec![Open {
            node: root,
            is_prometheus: true,
            is_target: false,
            panel: String::new(),
            panel_kind: String::new(),
            has_shortest_step: false,
            depth: 0,
        }];
        while let Some(found) = open.pop() {
            let Open { node, is_prometheus, is_target, panel, panel_kind, depth, .. } = found;
            let has_shortest_step = found.has_shortest_step || has_shortest_step(node);
            if depth > DEEPEST {
                continue;
            }
            let own = node.get("datasource").and_then(is_of_prometheus);
            let is_prometheus = own.unwrap_or(is_prometheus);
            if is_target && is_prometheus {
                self.target(node, &panel, &panel_kind, has_shortest_step);
            }
            let of_panel = |key: &str| {
                node.get(key).and_then(Node::text).filter(|_| node.get("targets").is_some())
            };
            let panel = of_panel("title").map_or(panel, str::to_owned);
            let panel_kind = of_panel("type").map_or(panel_kind, str::to_owned);
            let below = |node, is_target| Open {
                node,
                is_prometheus,
                is_target,
                panel: panel.clone(),
                panel_kind: panel_kind.clone(),
                // That of a dashboard is how often it is asked for anew.
                has_shortest_step: has_shortest_step && depth > 0,
                depth: depth + 1,
            };
            // Children are taken from the end.
            open.extend(node.items().iter().rev().map(|item| below(item, is_target)));
            for entry in node.entries().iter().rev() {
                if depth == 0 && matches!(entry.key.text(), Some("annotations" | "templating")) {
                    continue;
                }
                open.push(below(&entry.value, entry.key.text() == Some("targets")));
            }
        }
    }

    fn target(&mut self, node: &Node<'_>, panel: &str, panel_kind: &str, has_shortest_step: bool) {
        let Some(expr) = node.get("expr").and_then(|expr| self.reader.text(expr)) else { return };
        if expr.value.trim().is_empty() {
            return;
        }
        let is_true =
            |key: &str| node.get(key).and_then(Node::resolved) == Some(Resolved::Boolean(true));
        let uses = dashboard_variables(&expr.value);
        let (query, error) = compiled(&expr.value, &uses);
        // What is not shown may be a draft.
        let error = error.filter(|_| !is_true("hide"));
        let legend = node.get("legendFormat").and_then(|legend| self.reader.text(legend));
        let is_instant = is_true("instant") && !is_true("range");
        let (panel, span) = (panel.to_owned(), node.span.clone());
        let name = Text { value: panel.clone(), ..Text::empty(expr.span.start..expr.span.start) };
        self.rules.push(Rule {
            kind: RuleKind::Recording,
            name,
            span,
            expr: expr.clone(),
            query,
            labels: Vec::new(),
            annotations: Vec::new(),
            for_duration: None,
            keep_firing_for: None,
        });
        let panel_kind = panel_kind.to_owned();
        self.dashboard.targets.push(Target {
            panel,
            panel_kind,
            expr,
            uses,
            legend,
            is_instant,
            has_shortest_step,
            error,
        });
    }
}

/// Whether a panel or a query says how short its step is at least.
fn has_shortest_step(node: &Node<'_>) -> bool {
    let interval = node.get("interval").and_then(Node::text);
    interval.is_some_and(|interval| interval.starts_with(|c: char| c.is_ascii_digit()))
}

/// An expression with something in place of its variables; or why it can't be read.
fn compiled(
    expr: &str,
    uses: &[DashboardVariable],
) -> (Option<Query>, Option<(String, Range<usize>)>) {
    let mut first = None;
    for text in with_stand_ins(expr) {
        match compile(&text, &Features::ALL) {
            Ok(query) => return (Some(query), None),
            Err(errors) => {
                let error = errors.first();
                let span = error.span.range();
                first.get_or_insert((error.kind.to_string(), span));
            }
        }
    }
    // A variable may be a function, or all of the expression; and logs have a language of their own.
    let is_opaque = uses.iter().any(|variable| variable.is_free) || language(expr).is_some();
    (None, first.filter(|_| !is_opaque))
}

/// Whether a data source is Prometheus, if it can be told.
fn is_of_prometheus(source: &Node<'_>) -> Option<bool> {
    const OTHERS: [&str; 9] = [
        "loki",
        "elastic",
        "influx",
        "graphite",
        "tempo",
        "cloudwatch",
        "sql",
        "jaeger",
        "testdata",
    ];
    let name = source.get("type").unwrap_or(source).text()?.to_lowercase();
    match OTHERS.iter().any(|other| name.contains(other)) {
        true => Some(false),
        false if name.contains("prometheus") => Some(true),
        false => None,
    }
}
