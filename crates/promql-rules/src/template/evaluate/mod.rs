//! Expands the tree of a template.
//!
//! This walks as Go's `text/template` does, and keeps account of the node it is at in the same
//! places, since messages name that node.

mod call;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use promql_model::quote::Quoted;

use super::functions::Mode;
use super::tree::{Branch, BranchKind, Command, List, Node, NodeKind, Number, Pipe, Trees};
use super::value::Value;
use super::{MissingKey, Surroundings, printf, text};

/// How deep templates, branches and pipelines may be nested while they are expanded. Go allows
/// a hundred thousand templates.
const DEEPEST: usize = 200;

/// How many bytes a text may expand to.
const LONGEST: usize = 1 << 20;

/// How many nodes may be visited. A `range` over a number can be endless for all practical purposes.
const MOST_STEPS: usize = 1_000_000;

/// What a function may use of what is around.
pub(super) struct Call<'c, 's> {
    pub(super) surroundings: &'c mut (dyn Surroundings + 's),
}

/// Why a template has no text.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) message: String,
    /// In bytes of the text that was parsed.
    pub(super) place: Range<usize>,
}

/// Why walking ends before the end.
enum Stop {
    Break,
    Continue,
    Failed(Failure),
}

type Walked<T> = Result<T, Stop>;

/// What is expanded.
pub(super) struct Expansion<'t, 's> {
    /// What the text is called in messages.
    pub(super) name: &'t str,
    pub(super) text: &'t str,
    pub(super) trees: &'t Trees,
    pub(super) mode: Mode,
    pub(super) missing: MissingKey,
    /// How much of the text is no part of what was written.
    pub(super) prelude: usize,
    pub(super) surroundings: &'t mut (dyn Surroundings + 's),
}

impl Expansion<'_, '_> {
    pub(super) fn run(self, dot: &Value) -> Result<String, Failure> {
        let mut state = State {
            text: self.text,
            name: self.name,
            trees: self.trees,
            mode: self.mode,
            missing: self.missing,
            prelude: self.prelude,
            surroundings: self.surroundings,
            out: String::new(),
            steps: 0,
            depth: 0,
            template: self.name,
            variables: vec![("$", dot.clone())],
            at: At::Nothing,
        };
        let Some(tree) = self.trees.get(self.name) else { return Ok(String::new()) };
        match state.list(dot, tree) {
            Ok(()) | Err(Stop::Break | Stop::Continue) => Ok(state.out),
            Err(Stop::Failed(failure)) => Err(failure),
        }
    }
}

/// The node that evaluation is at.
#[derive(Clone, Copy)]
enum At<'t> {
    Nothing,
    Node(&'t Node),
    Pipe(&'t Pipe),
    Command(&'t Command),
}

impl At<'_> {
    fn place(self) -> Range<usize> {
        match self {
            At::Nothing => 0..0,
            At::Node(node) => node.start..node.end,
            At::Pipe(pipe) => pipe.start..pipe.end,
            At::Command(command) => command.start..command.end,
        }
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            At::Nothing => Ok(()),
            At::Node(node) => node.fmt(f),
            At::Pipe(pipe) => pipe.fmt(f),
            At::Command(command) => command.fmt(f),
        }
    }
}

struct State<'t, 'c, 's> {
    text: &'t str,
    name: &'t str,
    trees: &'t Trees,
    mode: Mode,
    missing: MissingKey,
    prelude: usize,
    surroundings: &'c mut (dyn Surroundings + 's),
    out: String,
    steps: usize,
    depth: usize,
    /// The template that is expanded now.
    template: &'t str,
    /// In the order of their declaration; inner ones hide outer ones.
    variables: Vec<(&'t str, Value)>,
    at: At<'t>,
}

impl<'t> State<'t, '_, '_> {
    fn fail<T>(&self, message: impl fmt::Display) -> Walked<T> {
        let place = self.at.place();
        let before = self.text.get(..place.start).unwrap_or_default();
        let line = 1 + before.matches('\n').count();
        let column = before.len() - before.rfind('\n').map_or(0, |feed| feed + 1);
        let template = Quoted(self.template.as_bytes());
        let message = match self.at {
            At::Nothing => format!("template: {}: {message}", self.template),
            at => format!(
                "template: {}:{line}:{column}: executing {template} at <{at}>: {message}",
                self.name
            ),
        };
        Err(Stop::Failed(Failure { message, place }))
    }

    /// Runs one level deeper.
    fn deeper<T>(&mut self, run: impl FnOnce(&mut Self) -> Walked<T>) -> Walked<T> {
        if self.depth >= DEEPEST {
            return self.fail(format!("exceeded maximum template depth ({DEEPEST})"));
        }
        self.depth += 1;
        let result = run(self);
        self.depth -= 1;
        result
    }

    fn step(&mut self) -> Walked<()> {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            return self.fail(format!("it takes more than {MOST_STEPS} steps"));
        }
        Ok(())
    }

    fn write(&mut self, text: &str) -> Walked<()> {
        if self.out.len() + text.len() > LONGEST {
            return self.fail(format!("the text is longer than {LONGEST} bytes"));
        }
        self.out.push_str(text);
        Ok(())
    }

    fn list(&mut self, dot: &Value, list: &'t List) -> Walked<()> {
        self.deeper(|state| list.nodes.iter().try_for_each(|node| state.node(dot, node)))
    }

    fn node(&mut self, dot: &Value, node: &'t Node) -> Walked<()> {
        self.at = At::Node(node);
        self.step()?;
        match &node.kind {
            NodeKind::Text(text) => self.write(text),
            NodeKind::Action(pipe) => {
                let value = self.pipe(dot, pipe)?;
                if !pipe.variables.is_empty() {
                    return Ok(());
                }
                self.at = At::Node(node);
                self.print(&value)
            }
            NodeKind::Break => Err(Stop::Break),
            NodeKind::Continue => Err(Stop::Continue),
            NodeKind::Branch(branch) => {
                let in_scope = self.variables.len();
                match branch.kind {
                    BranchKind::Range => self.range(dot, node.start, branch)?,
                    kind => {
                        let value = self.pipe(dot, &branch.pipe)?;
                        let taken = value.is_true();
                        self.surroundings.branch(node.start.saturating_sub(self.prelude), taken);
                        if taken {
                            let inner = if kind == BranchKind::With { &value } else { dot };
                            self.list(inner, &branch.list)?;
                        } else if let Some(otherwise) = &branch.otherwise {
                            self.list(dot, otherwise)?;
                        }
                    }
                }
                self.variables.truncate(in_scope);
                Ok(())
            }
            NodeKind::Template { name, pipe } => {
                let Some((name, tree)) = self.trees.get_key_value(name) else {
                    let name = Quoted(name.as_bytes());
                    return self.fail(format!("template {name} not defined"));
                };
                let dot = match pipe {
                    Some(pipe) => self.pipe(dot, pipe)?,
                    None => Value::Nil,
                };
                self.call_template(name, tree, dot)
            }
            // Operands are no nodes of lists.
            _ => Ok(()),
        }
    }

    fn call_template(&mut self, name: &'t str, tree: &'t List, dot: Value) -> Walked<()> {
        let outer = std::mem::replace(&mut self.template, name);
        let variables = std::mem::replace(&mut self.variables, vec![("$", dot.clone())]);
        self.list(&dot, tree)?;
        self.template = outer;
        self.variables = variables;
        Ok(())
    }

    fn print(&mut self, value: &Value) -> Walked<()> {
        if self.mode == Mode::Text {
            return match value {
                Value::Text(text) => self.write(text),
                _ => self.write(&printf::show(value)),
            };
        }
        match value {
            Value::Nil => Ok(()),
            Value::Html(html) => self.write(html),
            _ => self.write(&text::html_escape_in_page(&printf::show(value))),
        }
    }

    fn range(&mut self, dot: &Value, start: usize, branch: &'t Branch) -> Walked<()> {
        let value = self.pipe(dot, &branch.pipe)?;
        let mut iterations: Box<dyn Iterator<Item = (Value, Value)>> =
            match &value {
                Value::List(list) => {
                    let elements: Vec<Value> = list.elements.to_vec();
                    let indexed = elements.into_iter().enumerate();
                    Box::new(indexed.map(|(at, value)| {
                        (Value::int(i64::try_from(at).unwrap_or(i64::MAX)), value)
                    }))
                }
                Value::Labels(map) => {
                    let map = Arc::unwrap_or_clone(map.clone());
                    Box::new(map.into_iter().map(|(k, v)| (Value::text(k), Value::text(v))))
                }
                Value::Map(map) => {
                    let map = Arc::unwrap_or_clone(map.clone());
                    Box::new(map.into_iter().map(|(k, v)| (Value::text(k), v)))
                }
                Value::Int(..) | Value::Uint(..) if branch.pipe.variables.len() > 1 => {
                    let shown = printf::show(&value);
                    return self
                        .fail(format!("can't use {shown} to iterate over more than one variable"));
                }
                Value::Int(count, kind) => {
                    let kind = *kind;
                    Box::new((0..*count).map(move |at| (Value::Nil, Value::Int(at, kind))))
                }
                Value::Uint(count, wide) => {
                    let wide = *wide;
                    Box::new((0..*count).map(move |at| (Value::Nil, Value::Uint(at, wide))))
                }
                Value::Nil => Box::new(std::iter::empty()),
                other => {
                    let shown = printf::show(other);
                    return self.fail(format!("range can't iterate over {shown}"));
                }
            };
        let in_scope = self.variables.len();
        let mut empty = true;
        for (index, element) in &mut iterations {
            empty = false;
            self.step()?;
            self.bind(&branch.pipe, index, &element)?;
            let walked = self.list(&element, &branch.list);
            self.variables.truncate(in_scope);
            match walked {
                Ok(()) | Err(Stop::Continue) => {}
                Err(Stop::Break) => break,
                Err(failed) => return Err(failed),
            }
        }
        self.surroundings.branch(start.saturating_sub(self.prelude), !empty);
        match &branch.otherwise {
            Some(otherwise) if empty => self.list(dot, otherwise),
            _ => Ok(()),
        }
    }

    /// Gives the variables of a `range` the values of an iteration.
    fn bind(&mut self, pipe: &'t Pipe, index: Value, element: &Value) -> Walked<()> {
        let values = match pipe.variables.len() {
            0 => return Ok(()),
            1 => vec![element.clone()],
            _ => vec![index, element.clone()],
        };
        let count = values.len();
        for (at, (name, value)) in pipe.variables.iter().zip(values).enumerate() {
            if pipe.is_assignment {
                self.assign(name, value)?;
                continue;
            }
            // Declared by the pipeline, right at the end of what is in scope.
            let place = self.variables.len().checked_sub(count - at);
            if let Some((_, variable)) = place.and_then(|place| self.variables.get_mut(place)) {
                *variable = value;
            }
        }
        Ok(())
    }

    fn assign(&mut self, name: &str, value: Value) -> Walked<()> {
        match self.variables.iter_mut().rev().find(|(known, _)| *known == name) {
            Some((_, variable)) => {
                *variable = value;
                Ok(())
            }
            None => self.fail(format!("undefined variable: {name}")),
        }
    }

    fn variable(&self, name: &str) -> Walked<Value> {
        match self.variables.iter().rev().find(|(known, _)| *known == name) {
            Some((_, value)) => Ok(value.clone()),
            None => self.fail(format!("undefined variable: {name}")),
        }
    }

    fn pipe(&mut self, dot: &Value, pipe: &'t Pipe) -> Walked<Value> {
        self.deeper(|state| state.pipe_here(dot, pipe))
    }

    fn pipe_here(&mut self, dot: &Value, pipe: &'t Pipe) -> Walked<Value> {
        self.at = At::Pipe(pipe);
        let mut value = None;
        for command in &pipe.commands {
            value = Some(self.command(dot, command, value)?);
        }
        let value = value.unwrap_or(Value::Nil);
        for name in &pipe.variables {
            match pipe.is_assignment {
                true => self.assign(name, value.clone())?,
                false => self.variables.push((name, value.clone())),
            }
        }
        Ok(value)
    }

    fn no_function(&self, operands: &[Node], last: &Option<Value>) -> Walked<()> {
        if operands.len() > 1 || last.is_some() {
            let first = operands.first().map(ToString::to_string).unwrap_or_default();
            return self.fail(format!("can't give argument to non-function {first}"));
        }
        Ok(())
    }

    /// A command; `last` is what the one before gives.
    fn command(&mut self, dot: &Value, command: &'t Command, last: Option<Value>) -> Walked<Value> {
        let operands = &*command.operands;
        let Some(first) = operands.first() else { return Ok(Value::Nil) };
        match &first.kind {
            NodeKind::Field(_) | NodeKind::Chain(..) | NodeKind::Variable(_) => {
                return self.access(dot, first, operands, last);
            }
            NodeKind::Identifier(function) => {
                self.at = At::Node(first);
                return self.call(dot, function, At::Command(command), operands, last);
            }
            NodeKind::Pipe(pipe) => {
                self.no_function(operands, &last)?;
                return self.pipe(dot, pipe);
            }
            _ => {}
        }
        self.at = At::Node(first);
        self.no_function(operands, &last)?;
        match &first.kind {
            NodeKind::Dot => Ok(dot.clone()),
            NodeKind::Nil => self.fail("nil is not a command"),
            _ => self.constant(first),
        }
    }

    /// A literal.
    fn constant(&mut self, node: &'t Node) -> Walked<Value> {
        match &node.kind {
            NodeKind::Bool(value) => Ok(Value::Bool(*value)),
            NodeKind::String { text, .. } => Ok(Value::text(text.as_str())),
            NodeKind::Number(number) => self.number(node, number),
            _ => {
                self.fail(format!("can't evaluate command {}", Quoted(node.to_string().as_bytes())))
            }
        }
    }

    fn number(&mut self, node: &'t Node, number: &Number) -> Walked<Value> {
        self.at = At::Node(node);
        match (number.float, number.integer) {
            (Some(float), _) if number.looks_like_float() => Ok(Value::Float(float)),
            (_, Some(integer)) => Ok(Value::int(integer)),
            _ => self.fail(format!("{} overflows int", number.source)),
        }
    }
}
