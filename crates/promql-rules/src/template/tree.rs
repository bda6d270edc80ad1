//! What a template consists of.
//!
//! Nodes know where they begin and end in the text, and display themselves in the canonical form
//! that messages about them show.

use std::collections::BTreeMap;
use std::fmt;

use promql_model::quote::Quoted;

use super::functions::Function;

/// The templates of a text: the text itself under the template's name, and its definitions.
pub(super) type Trees = BTreeMap<String, List>;

/// Nodes one after the other.
#[derive(Clone, Debug, Default)]
pub(super) struct List {
    pub(super) nodes: Vec<Node>,
}

impl List {
    /// Whether it prints nothing but space, so that a definition may replace it.
    pub(super) fn is_empty(&self) -> bool {
        self.nodes.iter().all(|node| match &node.kind {
            NodeKind::Text(text) => text.trim().is_empty(),
            _ => false,
        })
    }
}

/// An action, a text, or an operand.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) kind: NodeKind,
}

/// What a node is.
#[derive(Clone, Debug)]
pub(super) enum NodeKind {
    Text(String),
    Action(Pipe),
    Branch(Box<Branch>),
    Template {
        name: String,
        pipe: Option<Pipe>,
    },
    Break,
    Continue,
    Identifier(&'static Function),
    /// `.a.b`
    Field(Vec<String>),
    /// `(pipe).a.b`
    Chain(Box<Node>, Vec<String>),
    /// `$x.a.b`; the first is `$x`.
    Variable(Vec<String>),
    Dot,
    Nil,
    Bool(bool),
    Number(Number),
    String {
        source: String,
        text: String,
    },
    /// A pipeline in parentheses.
    Pipe(Pipe),
}

/// `if`, `with` and `range`.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    pub(super) kind: BranchKind,
    pub(super) pipe: Pipe,
    pub(super) list: List,
    pub(super) otherwise: Option<List>,
}

/// Which kind of a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BranchKind {
    If,
    With,
    Range,
}

/// Commands, each of which gets what the one before gives.
#[derive(Clone, Debug)]
pub(super) struct Pipe {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Whether the variables are assigned to, not declared.
    pub(super) is_assignment: bool,
    pub(super) variables: Vec<String>,
    pub(super) commands: Vec<Command>,
}

/// A function or a value, with arguments.
#[derive(Clone, Debug)]
pub(super) struct Command {
    pub(super) start: usize,
    pub(super) end: usize,
    /// At least one.
    pub(super) operands: Vec<Node>,
}

/// A numeric constant, which is of each type that can hold it.
#[derive(Clone, Debug)]
pub(super) struct Number {
    pub(super) source: String,
    pub(super) integer: Option<i64>,
    pub(super) unsigned: Option<u64>,
    pub(super) float: Option<f64>,
}

impl Number {
    /// Whether it is written as a float.
    pub(super) fn looks_like_float(&self) -> bool {
        let text = self.source.as_bytes();
        let is_hexadecimal_integer = text.len() > 2
            && text[0] == b'0'
            && matches!(text[1], b'x' | b'X')
            && !self.source.contains(['p', 'P']);
        self.float.is_some()
            && !is_hexadecimal_integer
            && !self.source.starts_with('\'')
            && self.source.contains(['.', 'e', 'E', 'p', 'P'])
    }
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.nodes.iter().try_for_each(|node| node.fmt(f))
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = |f: &mut fmt::Formatter<'_>, fields: &[String]| {
            fields.iter().try_for_each(|field| write!(f, ".{field}"))
        };
        match &self.kind {
            NodeKind::Text(text) => f.write_str(text),
            NodeKind::Action(pipe) => write!(f, "{{{{{pipe}}}}}"),
            NodeKind::Branch(branch) => branch.fmt(f),
            NodeKind::Template { name, pipe } => {
                write!(f, "{{{{template {}", Quoted(name.as_bytes()))?;
                if let Some(pipe) = pipe {
                    write!(f, " {pipe}")?;
                }
                f.write_str("}}")
            }
            NodeKind::Break => f.write_str("{{break}}"),
            NodeKind::Continue => f.write_str("{{continue}}"),
            NodeKind::Identifier(function) => f.write_str(function.name),
            NodeKind::Field(names) => fields(f, names),
            NodeKind::Chain(node, names) => {
                match &node.kind {
                    NodeKind::Pipe(pipe) => write!(f, "({pipe})")?,
                    _ => node.fmt(f)?,
                }
                fields(f, names)
            }
            NodeKind::Variable(names) => f.write_str(&names.join(".")),
            NodeKind::Dot => f.write_str("."),
            NodeKind::Nil => f.write_str("nil"),
            NodeKind::Bool(value) => value.fmt(f),
            NodeKind::Number(number) => f.write_str(&number.source),
            NodeKind::String { source, .. } => f.write_str(source),
            NodeKind::Pipe(pipe) => pipe.fmt(f),
        }
    }
}

impl fmt::Display for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.kind {
            BranchKind::If => "if",
            BranchKind::With => "with",
            BranchKind::Range => "range",
        };
        write!(f, "{{{{{word} {}}}}}{}", self.pipe, self.list)?;
        if let Some(otherwise) = &self.otherwise {
            write!(f, "{{{{else}}}}{otherwise}")?;
        }
        f.write_str("{{end}}")
    }
}

impl fmt::Display for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.variables.is_empty() {
            let operator = if self.is_assignment { "=" } else { ":=" };
            write!(f, "{} {operator} ", self.variables.join(", "))?;
        }
        for (at, command) in self.commands.iter().enumerate() {
            let between = if at > 0 { " | " } else { "" };
            write!(f, "{between}{command}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, operand) in self.operands.iter().enumerate() {
            f.write_str(if at > 0 { " " } else { "" })?;
            match &operand.kind {
                NodeKind::Pipe(pipe) => write!(f, "({pipe})")?,
                _ => operand.fmt(f)?,
            }
        }
        Ok(())
    }
}

impl List {
    /// Adds the pipelines of all branches.
    pub(super) fn branches(&self, places: &mut Vec<std::ops::Range<usize>>) {
        for node in &self.nodes {
            if let NodeKind::Branch(branch) = &node.kind {
                places.push(node.start..node.end);
                branch.list.branches(places);
                branch.otherwise.iter().for_each(|list| list.branches(places));
            }
        }
    }

    /// Whether a function is called somewhere in it.
    pub(super) fn calls(&self, function: &str) -> bool {
        self.nodes.iter().any(|node| node.calls(function))
    }
}

impl Node {
    fn calls(&self, name: &str) -> bool {
        match &self.kind {
            NodeKind::Identifier(function) => function.name == name,
            NodeKind::Action(pipe) | NodeKind::Pipe(pipe) => pipe.calls(name),
            NodeKind::Template { pipe, .. } => pipe.as_ref().is_some_and(|pipe| pipe.calls(name)),
            NodeKind::Chain(node, _) => node.calls(name),
            NodeKind::Branch(branch) => {
                branch.pipe.calls(name)
                    || branch.list.calls(name)
                    || branch.otherwise.as_ref().is_some_and(|list| list.calls(name))
            }
            _ => false,
        }
    }
}

impl Pipe {
    fn calls(&self, name: &str) -> bool {
        self.commands.iter().any(|command| command.operands.iter().any(|node| node.calls(name)))
    }
}
