//! Fields of values, and calls of functions with what is handed to them.

use promql_model::quote::Quoted;

use super::super::functions::{Function, FunctionKind, Parameter};
use super::super::tree::{Node, NodeKind};
use super::super::value::{AlertData, Sample, Value};
use super::super::{MissingKey, time};
use super::{At, Call, State, Walked};

impl<'t> State<'t, '_, '_> {
    /// Fields of `.`, of a variable, or of what a pipeline gives.
    pub(super) fn access(
        &mut self,
        dot: &Value,
        node: &'t Node,
        operands: &'t [Node],
        last: Option<Value>,
    ) -> Walked<Value> {
        self.at = At::Node(node);
        let (receiver, fields): (Value, &'t [String]) = match &node.kind {
            NodeKind::Field(fields) => (dot.clone(), fields),
            NodeKind::Variable(names) => {
                let Some((name, fields)) = names.split_first() else { return Ok(Value::Nil) };
                let value = self.variable(name)?;
                if fields.is_empty() {
                    self.no_function(operands, &last)?;
                    return Ok(value);
                }
                (value, fields)
            }
            NodeKind::Chain(inner, fields) => {
                if let NodeKind::Nil = inner.kind {
                    return self.fail(format!("indirection through explicit nil in {node}"));
                }
                (self.argument(dot, inner, Parameter::Any)?, fields)
            }
            _ => return Ok(Value::Nil),
        };
        let Some((final_field, between)) = fields.split_last() else { return Ok(receiver) };
        let mut receiver = receiver;
        for field in between {
            receiver = self.field(dot, field, &[], None, &receiver)?;
        }
        let arguments = operands.get(1..).unwrap_or_default();
        self.field(dot, final_field, arguments, last, &receiver)
    }

    /// A field, an entry of a map, or a method.
    fn field(
        &mut self,
        dot: &Value,
        name: &str,
        arguments: &'t [Node],
        last: Option<Value>,
        receiver: &Value,
    ) -> Walked<Value> {
        let has_arguments = !arguments.is_empty() || last.is_some();
        let value = match receiver {
            Value::Nil => {
                if self.missing == MissingKey::Error {
                    let name = Quoted(name.as_bytes());
                    return self.fail(format!("nil data; no entry for key {name}"));
                }
                return Ok(Value::Nil);
            }
            Value::Time(_) | Value::Duration(_) => {
                return self.method(dot, name, arguments, last, receiver);
            }
            Value::Labels(_) | Value::Map(_) if has_arguments => {
                return self.fail(format!("{name} is not a method but has arguments"));
            }
            Value::Labels(map) => match (map.get(name), self.missing) {
                (Some(value), _) => Some(Value::text(value.as_str())),
                (None, MissingKey::Zero) => Some(Value::text("")),
                (None, MissingKey::Nothing) => Some(Value::Nil),
                (None, MissingKey::Error) => None,
            },
            Value::Map(map) => match (map.get(name), self.missing) {
                (Some(value), _) => Some(value.clone()),
                (None, MissingKey::Error) => None,
                (None, _) => Some(Value::Nil),
            },
            _ => {
                let Some(value) = field_of(receiver, name) else {
                    let kind = match receiver {
                        Value::Sample(_) => "*template.sample",
                        other => other.type_name(),
                    };
                    return self.fail(format!("can't evaluate field {name} in type {kind}"));
                };
                if has_arguments {
                    return self
                        .fail(format!("{name} has arguments but cannot be invoked as function"));
                }
                return Ok(value);
            }
        };
        match value {
            Some(value) => Ok(value),
            None => self.fail(format!("map has no entry for key {}", Quoted(name.as_bytes()))),
        }
    }

    fn method(
        &mut self,
        dot: &Value,
        name: &str,
        arguments: &'t [Node],
        last: Option<Value>,
        receiver: &Value,
    ) -> Walked<Value> {
        let at = self.at;
        let mut values = Vec::with_capacity(arguments.len() + 1);
        for argument in arguments {
            values.push(self.argument(dot, argument, Parameter::Any)?);
        }
        values.extend(last);
        match time::method(receiver, name, &values) {
            Some(Ok(value)) => Ok(value),
            Some(Err(message)) => self.fail(message),
            None => {
                self.at = at;
                let kind = receiver.type_name();
                self.fail(format!("can't evaluate field {name} in type {kind}"))
            }
        }
    }

    pub(super) fn call(
        &mut self,
        dot: &Value,
        function: &'static Function,
        node: At<'t>,
        operands: &'t [Node],
        last: Option<Value>,
    ) -> Walked<Value> {
        let arguments = operands.get(1..).unwrap_or_default();
        let count = arguments.len() + usize::from(last.is_some());
        let wanted = function.parameters.len();
        let name = function.name;
        if function.variadic {
            let least = wanted - 1;
            if count < least {
                let got = arguments.len();
                return self.fail(format!(
                    "wrong number of args for {name}: want at least {least} got {got}"
                ));
            }
        } else if count != wanted {
            return self
                .fail(format!("wrong number of args for {name}: want {wanted} got {count}"));
        }
        let parameter = |at: usize| {
            let last = function.parameters.last();
            function.parameters.get(at).or(last).copied().unwrap_or(Parameter::Any)
        };
        if let FunctionKind::ShortCircuit { until } = function.kind {
            let mut value = Value::Nil;
            for argument in arguments {
                value = self.argument(dot, argument, Parameter::Any)?;
                if value.is_true() == until {
                    return Ok(value);
                }
            }
            return Ok(last.unwrap_or(value));
        }
        let mut values = Vec::with_capacity(count);
        for (at, argument) in arguments.iter().enumerate() {
            values.push(self.argument(dot, argument, parameter(at))?);
        }
        if let Some(last) = last {
            values.push(self.fitting(last, parameter(arguments.len()))?);
        }
        let result = match function.kind {
            FunctionKind::Plain(compute) => compute(&values),
            FunctionKind::Called(compute) => {
                compute(&mut Call { surroundings: &mut *self.surroundings }, &values)
            }
            FunctionKind::Template => return self.page_template(node, &values),
            FunctionKind::ShortCircuit { .. } => Ok(Value::Nil),
        };
        result.or_else(|message| {
            self.at = node;
            self.fail(format!("error calling {name}: {message}"))
        })
    }

    /// `tmpl`: what a template prints, as HTML.
    fn page_template(&mut self, node: At<'t>, values: &[Value]) -> Walked<Value> {
        let (Some(Value::Text(name)), dot) = (values.first(), values.get(1)) else {
            return Ok(Value::Nil);
        };
        let Some((name, tree)) = self.trees.get_key_value(&**name) else {
            self.at = node;
            let name = Quoted(name.as_bytes());
            return self.fail(format!("error calling tmpl: template {name} not defined"));
        };
        let outer = std::mem::take(&mut self.out);
        self.call_template(name, tree, dot.cloned().unwrap_or(Value::Nil))?;
        let printed = std::mem::replace(&mut self.out, outer);
        Ok(Value::Html(printed.into()))
    }

    /// An argument, which must fit a parameter.
    fn argument(&mut self, dot: &Value, node: &'t Node, parameter: Parameter) -> Walked<Value> {
        self.at = At::Node(node);
        let value = match &node.kind {
            NodeKind::Dot => dot.clone(),
            NodeKind::Nil if parameter == Parameter::Text => {
                return self.fail("cannot assign nil to string");
            }
            NodeKind::Nil => return Ok(Value::Nil),
            NodeKind::Field(_) | NodeKind::Variable(_) | NodeKind::Chain(..) => {
                self.access(dot, node, &[], None)?
            }
            NodeKind::Pipe(pipe) => self.pipe(dot, pipe)?,
            NodeKind::Identifier(function) => {
                self.call(dot, function, At::Node(node), &[], None)?
            }
            _ => {
                let value = self.constant(node)?;
                return match (parameter, &value) {
                    (Parameter::Any, _) | (Parameter::Text, Value::Text(_)) => Ok(value),
                    (Parameter::Text, _) => self.fail(format!("expected string; found {node}")),
                    _ => self.fail(format!(
                        "can't handle {node} for arg of type {}",
                        parameter.type_name()
                    )),
                };
            }
        };
        self.fitting(value, parameter)
    }

    /// A value, if it fits a parameter.
    fn fitting(&self, value: Value, parameter: Parameter) -> Walked<Value> {
        let fits = match (parameter, &value) {
            (Parameter::Any, _)
            | (Parameter::Text, Value::Text(_))
            | (Parameter::Sample, Value::Sample(_) | Value::Nil)
            | (Parameter::Samples, Value::Nil) => true,
            (Parameter::Samples, Value::List(list)) => {
                list.type_name == Parameter::Samples.type_name()
            }
            (Parameter::Text, Value::Nil) => {
                return self.fail("invalid value; expected string");
            }
            _ => false,
        };
        if fits {
            return Ok(value);
        }
        let (expected, got) = (parameter.type_name(), value.type_name());
        self.fail(format!("wrong type for value; expected {expected}; got {got}"))
    }
}

/// A field of a value that has fields.
fn field_of(receiver: &Value, name: &str) -> Option<Value> {
    match receiver {
        Value::Alert(data) => {
            let AlertData { labels, external_labels, external_url, value } = &**data;
            match name {
                "Labels" => Some(Value::Labels(labels.clone())),
                "ExternalLabels" => Some(Value::Labels(external_labels.clone())),
                "ExternalURL" => Some(Value::Text(external_url.clone())),
                "Value" => Some(value.clone()),
                _ => None,
            }
        }
        Value::Sample(sample) => {
            let Sample { labels, value } = &**sample;
            match name {
                "Labels" => Some(Value::Labels(labels.clone())),
                "Value" => Some(value.clone()),
                _ => None,
            }
        }
        Value::Histogram(histogram) => match name {
            "Count" => Some(Value::Float(histogram.count)),
            "Sum" => Some(Value::Float(histogram.sum)),
            "ZeroCount" => Some(Value::Float(histogram.zero_count)),
            "ZeroThreshold" => Some(Value::Float(histogram.zero_threshold)),
            "Schema" => Some(Value::int(i64::from(histogram.schema()))),
            _ => None,
        },
        _ => None,
    }
}
