//! The syntax tree as JSON, in the shape that the HTTP API's `parse_query` answers.
//!
//! The text is written from a stack of parts and not by way of a JSON value, whose drop and whose
//! serialisation would recurse: an expression may be nested deeper than a call stack bears. Keys
//! are sorted and strings are escaped as upstream does it, so the answers can be compared as text.

use std::borrow::Cow;
use std::fmt::Write;

use promql_model::number::Decimal;
use promql_model::{METRIC_NAME, MatchOp};

use crate::ast::{
    At, BinaryModifiers, BinaryOp, Duration, DurationId, DurationKind, Expr, GroupSide, List,
    MatchingKeyword, Modifiers, NodeId, NodeKind, VectorSelector,
};
use crate::functions::{Arity, Function, FunctionInfo};
use crate::span::Span;
use crate::types::ValueType;

impl Expr {
    /// The tree as JSON text, as the `data` of an answer of `/api/v1/parse_query`.
    ///
    /// With positions, every node has a field `pos` with the byte offsets where it starts and ends,
    /// and two facts that the API leaves out are there when they hold: `duration` for a number
    /// that was written as a duration, and `bypassEmptyMatcherCheck` for the selector inside
    /// `info`. Strings that are not UTF-8 have U+FFFD in their place; durations are in
    /// milliseconds.
    pub fn to_json(&self, with_positions: bool) -> String {
        let types = crate::value_types(self);
        let mut writer = Writer { expr: self, types, with_positions, out: String::new() };
        let mut parts = vec![Part::Node(self.root())];
        let mut next = Vec::new();
        while let Some(part) = parts.pop() {
            match part {
                Part::Text(text) => writer.out.push_str(&text),
                Part::Node(id) => writer.node(id, false, &mut next),
                Part::InfoSelector(id) => writer.node(id, true, &mut next),
                Part::Duration(id) => writer.duration(id, &mut next),
            }
            parts.extend(next.drain(..).rev());
        }
        writer.out
    }
}

/// What is left to write.
enum Part {
    Text(Cow<'static, str>),
    Node(NodeId),
    /// The second argument of `info`, which may match everything.
    InfoSelector(NodeId),
    Duration(DurationId),
}

impl From<&'static str> for Part {
    fn from(text: &'static str) -> Part {
        Part::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Part {
    fn from(text: String) -> Part {
        Part::Text(Cow::Owned(text))
    }
}

struct Writer<'e> {
    expr: &'e Expr,
    types: Vec<ValueType>,
    with_positions: bool,
    out: String,
}

impl Writer<'_> {
    /// Gives the parts of a node.
    fn node(&self, id: NodeId, in_info: bool, parts: &mut Vec<Part>) {
        let node = self.expr.node(id);
        let pos = self.pos(node.span);
        match node.kind {
            NodeKind::Number { value, is_duration } => {
                parts.push(self.number(value, is_duration, node.span).into());
            }
            NodeKind::String(text) => {
                let value = string(self.expr.text(text));
                parts.push(format!(r#"{{{pos}"type":"stringLiteral","val":{value}}}"#).into());
            }
            NodeKind::VectorSelector(selector) => {
                let selector = self.expr.selector(selector);
                self.selector(selector, in_info, None, pos, parts);
            }
            NodeKind::MatrixSelector { selector, range } => {
                if let NodeKind::VectorSelector(selector) = self.expr.kind(selector) {
                    let selector = self.expr.selector(selector);
                    self.selector(selector, false, Some(range), pos, parts);
                } else {
                    parts.push(Part::Node(selector));
                }
            }
            NodeKind::Subquery(subquery) => {
                let subquery = self.expr.subquery(subquery);
                parts.extend([r#"{"expr":"#.into(), Part::Node(subquery.expr), ",".into()]);
                self.offset(&subquery.modifiers, parts);
                parts.push(pos.into());
                duration_fields("range", Some(subquery.range), parts);
                parts.push(start_or_end(&subquery.modifiers).into());
                duration_fields("step", subquery.step, parts);
                parts.push(timestamp(&subquery.modifiers).into());
                parts.push(r#""type":"subquery"}"#.into());
            }
            NodeKind::Aggregate { op, expr, param, grouping, without } => {
                let (grouping, op) = (self.labels(grouping), op.name());
                parts.extend([r#"{"expr":"#.into(), Part::Node(expr)]);
                parts.push(format!(r#","grouping":{grouping},"op":"{op}","param":"#).into());
                parts.push(param.map_or("null".into(), Part::Node));
                let tail = format!(r#",{pos}"type":"aggregation","without":{without}}}"#);
                parts.push(tail.into());
            }
            NodeKind::Call { function, args } => {
                parts.push(r#"{"args":["#.into());
                for (i, &arg) in self.expr.arguments(args).iter().enumerate() {
                    if i > 0 {
                        parts.push(",".into());
                    }
                    parts.push(match function.function {
                        Function::Info if i == 1 => Part::InfoSelector(arg),
                        _ => Part::Node(arg),
                    });
                }
                let function = signature(function);
                parts.push(format!(r#"],"func":{function},{pos}"type":"call"}}"#).into());
            }
            NodeKind::Binary { op, lhs, rhs, modifiers } => {
                let modifiers = modifiers.map(|id| *self.expr.binary_modifiers(id));
                let modifiers = modifiers.unwrap_or_default();
                let is_vector = |side: NodeId| self.types[side.index()] == ValueType::InstantVector;
                let matching = match is_vector(lhs) && is_vector(rhs) {
                    true => self.matching(op, &modifiers),
                    false => "null".to_owned(),
                };
                let (bool, op) = (modifiers.return_bool, string(op.symbol().as_bytes()));
                parts.push(format!(r#"{{"bool":{bool},"lhs":"#).into());
                parts.push(Part::Node(lhs));
                parts.push(format!(r#","matching":{matching},"op":{op},{pos}"rhs":"#).into());
                parts.extend([Part::Node(rhs), r#","type":"binaryExpr"}"#.into()]);
            }
            NodeKind::Unary { op, expr } => {
                let op = op.symbol();
                parts.extend([r#"{"expr":"#.into(), Part::Node(expr)]);
                parts.push(format!(r#","op":"{op}",{pos}"type":"unaryExpr"}}"#).into());
            }
            NodeKind::Paren(expr) => {
                parts.extend([r#"{"expr":"#.into(), Part::Node(expr)]);
                parts.push(format!(r#",{pos}"type":"parenExpr"}}"#).into());
            }
        }
    }

    fn selector(
        &self,
        selector: &VectorSelector,
        in_info: bool,
        range: Option<Duration>,
        pos: String,
        parts: &mut Vec<Part>,
    ) {
        let modifiers = &selector.modifiers;
        let bypass = match in_info && self.with_positions && selector.name.is_none() {
            true => r#""bypassEmptyMatcherCheck":true,"#,
            false => "",
        };
        let name = selector.name.map(|name| self.expr.text(name));
        let inside = self.expr.matchers(selector).iter();
        let matchers: Vec<String> = inside
            .map(|m| (self.expr.text(m.name), m.op, self.expr.text(m.value)))
            .chain(name.map(|name| (METRIC_NAME.as_bytes(), MatchOp::Equal, name)))
            .map(|(label, op, value)| {
                let (label, op, value) = (string(label), op.symbol(), string(value));
                format!(r#"{{"name":{label},"type":"{op}","value":{value}}}"#)
            })
            .collect();
        let (anchored, smoothed) = (modifiers.anchored, modifiers.smoothed);
        let (matchers, name) = (matchers.join(","), string(name.unwrap_or_default()));
        parts.push(format!(r#"{{"anchored":{anchored},{bypass}"matchers":[{matchers}],"#).into());
        parts.push(format!(r#""name":{name},"#).into());
        self.offset(modifiers, parts);
        parts.push(pos.into());
        if range.is_some() {
            duration_fields("range", range, parts);
        }
        let kind = if range.is_some() { "matrixSelector" } else { "vectorSelector" };
        let (point, time) = (start_or_end(modifiers), timestamp(modifiers));
        parts.push(format!(r#""smoothed":{smoothed},{point}{time}"type":"{kind}"}}"#).into());
    }

    fn offset(&self, modifiers: &Modifiers, parts: &mut Vec<Part>) {
        let offset = match modifiers.offset_expr {
            Some(expr) => Duration::Expr(expr),
            None => Duration::Literal(modifiers.offset),
        };
        duration_fields("offset", Some(offset), parts);
    }

    fn matching(&self, op: BinaryOp, modifiers: &BinaryModifiers) -> String {
        let card = match modifiers.group {
            Some(GroupSide::Left) => "many-to-one",
            Some(GroupSide::Right) => "one-to-many",
            None if op.is_set() => "many-to-many",
            None => "one-to-one",
        };
        let on = modifiers.matching == Some(MatchingKeyword::On);
        let (include, labels) = (self.labels(modifiers.include), self.labels(modifiers.labels));
        let (left, right) = (fill_value(modifiers.fill_left), fill_value(modifiers.fill_right));
        let fill = format!(r#"{{"lhs":{left},"rhs":{right}}}"#);
        format!(
            r#"{{"card":"{card}","fillValues":{fill},"include":{include},"labels":{labels},"on":{on}}}"#
        )
    }

    fn labels(&self, list: List) -> String {
        let labels = self.expr.labels(list).iter().map(|l| string(self.expr.text(l.name)));
        format!("[{}]", labels.collect::<Vec<_>>().join(","))
    }

    /// Gives the parts of a node of a duration expression.
    fn duration(&self, id: DurationId, parts: &mut Vec<Part>) {
        let node = self.expr.duration(id);
        let (op, lhs, rhs) = match node.kind {
            DurationKind::Literal { value, is_duration } => {
                return parts.push(self.number(value, is_duration, node.span).into());
            }
            DurationKind::Step => ("step", None, None),
            DurationKind::Range => ("range", None, None),
            DurationKind::Unary(sign, operand) => (sign.symbol(), None, Some(operand)),
            DurationKind::Binary(op, lhs, rhs) => (op.symbol(), Some(lhs), Some(rhs)),
            DurationKind::MinOf(a, b) => ("min_of", Some(a), Some(b)),
            DurationKind::MaxOf(a, b) => ("max_of", Some(a), Some(b)),
        };
        let operand = |id: Option<DurationId>| id.map_or("null".into(), Part::Duration);
        let (pos, wrapped) = (self.pos(node.span), node.wrapped);
        parts.extend([r#"{"lhs":"#.into(), operand(lhs)]);
        parts.push(format!(r#","op":"{op}",{pos}"rhs":"#).into());
        parts.push(operand(rhs));
        parts.push(format!(r#","type":"durationExpr","wrapped":{wrapped}}}"#).into());
    }

    fn number(&self, value: f64, is_duration: bool, span: Span) -> String {
        let mark = if is_duration && self.with_positions { r#""duration":true,"# } else { "" };
        let (pos, digits) = (self.pos(span), Decimal(value));
        format!(r#"{{{mark}{pos}"type":"numberLiteral","val":"{digits}"}}"#)
    }

    fn pos(&self, span: Span) -> String {
        match self.with_positions {
            true => format!(r#""pos":[{},{}],"#, span.start, span.end),
            false => String::new(),
        }
    }
}

/// The two fields for a duration: milliseconds, and the expression if it is none but a literal.
fn duration_fields(name: &str, duration: Option<Duration>, parts: &mut Vec<Part>) {
    match duration.unwrap_or(Duration::Literal(0)) {
        Duration::Literal(nanoseconds) => {
            let milliseconds = nanoseconds / 1_000_000;
            parts.push(format!(r#""{name}":{milliseconds},"{name}Expr":null,"#).into());
        }
        Duration::Expr(expr) => {
            parts.push(format!(r#""{name}":0,"{name}Expr":"#).into());
            parts.extend([Part::Duration(expr), ",".into()]);
        }
    }
}

fn start_or_end(modifiers: &Modifiers) -> &'static str {
    match modifiers.at {
        Some(At::Start) => r#""startOrEnd":"start","#,
        Some(At::End) => r#""startOrEnd":"end","#,
        _ => r#""startOrEnd":null,"#,
    }
}

fn timestamp(modifiers: &Modifiers) -> String {
    match modifiers.at {
        Some(At::Timestamp(milliseconds)) => format!(r#""timestamp":{milliseconds},"#),
        _ => r#""timestamp":null,"#.to_owned(),
    }
}

/// JSON has no notation for what is not finite; such values are strings here.
fn fill_value(value: Option<f64>) -> String {
    let Some(value) = value else { return "null".to_owned() };
    let digits = Decimal(value);
    if value.is_finite() { digits.to_string() } else { format!("\"{digits}\"") }
}

fn signature(function: &FunctionInfo) -> String {
    let variadic = match function.arity {
        Arity::Exactly => 0,
        Arity::UpTo(more) => i32::from(more),
        Arity::Unbounded => -1,
    };
    let types = function.parameters.iter().map(|p| format!("\"{}\"", p.value_type.api_name()));
    let types = types.collect::<Vec<_>>().join(",");
    let (name, returns) = (function.name, function.returns.api_name());
    format!(
        r#"{{"argTypes":[{types}],"name":"{name}","returnType":"{returns}","variadic":{variadic}}}"#
    )
}

/// A JSON string. Escaped are also the characters that mean something to HTML and JavaScript, as
/// upstream's encoder does it.
fn string(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() + 2);
    out.push('"');
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\x1f' => {
                    _ = write!(out, "\\u{:04x}", c as u32);
                }
                c => out.push(c),
            }
        }
        chunk.invalid().iter().for_each(|_| out.push_str("\\ufffd"));
    }
    out.push('"');
    out
}
