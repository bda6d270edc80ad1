//! The table of functions: those of Go's templates and those that Prometheus adds.

use std::collections::BTreeMap;
use std::sync::Arc;

use promql_model::quote::Quoted;
use promql_model::{Search, parse_duration};

use super::compare;
use super::evaluate::Call;
use super::humanize::{self, to_float};
use super::printf;
use super::text;
use super::time;
use super::value::{List, QUERY_RESULT, Value};

/// For what a text is expanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Labels and annotations of alerts.
    Text,
    /// Pages, which escape what they print.
    Html,
}

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// Anything.
    Any,
    /// A text.
    Text,
    /// A sample.
    Sample,
    /// What `query` gives.
    Samples,
}

impl Parameter {
    /// What Go calls the type.
    pub(super) fn type_name(self) -> &'static str {
        match self {
            Parameter::Any => "interface {}",
            Parameter::Text => "string",
            Parameter::Sample => "*template.sample",
            Parameter::Samples => QUERY_RESULT,
        }
    }
}

/// A row of the table.
#[derive(Debug)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub parameters: &'static [Parameter],
    /// Whether the last parameter may be given any number of times, also none.
    pub variadic: bool,
    /// What it gives, in a sentence.
    pub about: &'static str,
    /// How it is computed.
    pub(super) kind: FunctionKind,
}

/// How a function is computed.
#[derive(Clone, Copy)]
pub(super) enum FunctionKind {
    /// The operands up to the one that decides.
    ShortCircuit { until: bool },
    /// From the values of its arguments.
    Plain(fn(&[Value]) -> Result<Value, String>),
    /// From those and from what is around.
    Called(fn(&mut Call<'_, '_>, &[Value]) -> Result<Value, String>),
    /// Calls a template; only in pages.
    Template,
}

impl std::fmt::Debug for FunctionKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            FunctionKind::ShortCircuit { .. } => "ShortCircuit",
            FunctionKind::Plain(_) => "Plain",
            FunctionKind::Called(_) => "Called",
            FunctionKind::Template => "Template",
        })
    }
}

const fn plain(
    name: &'static str,
    parameters: &'static [Parameter],
    compute: fn(&[Value]) -> Result<Value, String>,
    about: &'static str,
) -> Function {
    Function { name, parameters, variadic: false, about, kind: FunctionKind::Plain(compute) }
}

const fn variadic(
    name: &'static str,
    parameters: &'static [Parameter],
    compute: fn(&[Value]) -> Result<Value, String>,
    about: &'static str,
) -> Function {
    Function { name, parameters, variadic: true, about, kind: FunctionKind::Plain(compute) }
}

const fn called(
    name: &'static str,
    parameters: &'static [Parameter],
    compute: fn(&mut Call<'_, '_>, &[Value]) -> Result<Value, String>,
    about: &'static str,
) -> Function {
    Function { name, parameters, variadic: false, about, kind: FunctionKind::Called(compute) }
}

use Parameter::{Any, Sample, Samples, Text};

/// All functions, sorted by name.
pub static FUNCTIONS: [Function; 49] = [
    Function {
        name: "and",
        parameters: &[Any, Any],
        variadic: true,
        about: "the first operand that counts as false, else the last one",
        kind: FunctionKind::ShortCircuit { until: false },
    },
    variadic("args", &[Any], args, "its arguments as a map with the keys `arg0`, `arg1`, …"),
    variadic("call", &[Any, Any], call, "calls a function that is a value; there are none"),
    variadic(
        "eq",
        &[Any, Any],
        compare::equal,
        "whether the first operand equals one of the others",
    ),
    called("externalURL", &[], external_url, "where the server is reached from outside"),
    plain("first", &[Samples], first, "the first element of a vector"),
    plain("ge", &[Any, Any], compare::greater_or_equal, "whether a ≥ b"),
    plain("graphLink", &[Text], graph_link, "the path of the graph of an expression"),
    plain("gt", &[Any, Any], compare::greater, "whether a > b"),
    variadic("html", &[Any], html, "a text with what has a meaning in HTML escaped"),
    plain("humanize", &[Any], humanize_function, "a number with an SI prefix: `1.5k`"),
    plain("humanize1024", &[Any], humanize_1024, "a number with a binary prefix: `1.5ki`"),
    plain("humanizeDuration", &[Any], humanize_duration, "seconds as `1d 2h 3m 4s`"),
    plain("humanizePercentage", &[Any], humanize_percentage, "a ratio in percent: `12.5%`"),
    plain("humanizeTimestamp", &[Any], humanize_timestamp, "seconds since 1970 as a date"),
    variadic("index", &[Any, Any], compare::index, "an element of a list or a map"),
    variadic("js", &[Any], js, "a text with what has a meaning in JavaScript escaped"),
    plain("label", &[Text, Sample], label, "a label of an element"),
    plain("le", &[Any, Any], compare::less_or_equal, "whether a ≤ b"),
    plain("len", &[Any], compare::length, "how many bytes or elements there are"),
    plain("lt", &[Any, Any], compare::less, "whether a < b"),
    plain("match", &[Text, Text], matches, "whether a regular expression matches a part of a text"),
    plain("ne", &[Any, Any], compare::not_equal, "whether a ≠ b"),
    plain("not", &[Any], not, "whether the operand counts as false"),
    called("now", &[], now, "the time of the evaluation in seconds since 1970"),
    Function {
        name: "or",
        parameters: &[Any, Any],
        variadic: true,
        about: "the first operand that counts as true, else the last one",
        kind: FunctionKind::ShortCircuit { until: true },
    },
    plain("parseDuration", &[Text], duration, "a duration such as `1d12h` in seconds"),
    called("pathPrefix", &[], path_prefix, "the path of `externalURL`"),
    variadic("print", &[Any], print, "its operands as text"),
    variadic(
        "printf",
        &[Text, Any],
        printf_function,
        "a format with its verbs replaced by operands",
    ),
    variadic("println", &[Any], println, "its operands as a line of text"),
    called("query", &[Text], query, "the elements of the result of an instant query"),
    plain(
        "reReplaceAll",
        &[Text, Text, Text],
        replace,
        "a text with matches of a regular expression replaced",
    ),
    plain("safeHtml", &[Text], safe_html, "a text that pages don't escape"),
    variadic("slice", &[Any, Any], compare::slice, "a part of a text or a list"),
    plain("sortByLabel", &[Text, Samples], sort_by_label, "a vector in the order of a label"),
    plain("stripDomain", &[Text], strip_domain, "a host without its domain"),
    plain("stripPort", &[Text], strip_port, "a host without its port"),
    plain("strvalue", &[Sample], strvalue, "the label `__value__` of an element"),
    plain("tableLink", &[Text], table_link, "the path of the table of an expression"),
    plain("title", &[Text], title, "a text with a capital at the beginning of each word"),
    Function {
        name: "tmpl",
        parameters: &[Text, Any],
        variadic: false,
        about: "a template of the page, by a name that is computed",
        kind: FunctionKind::Template,
    },
    plain("toDuration", &[Any], to_duration, "seconds as a duration"),
    plain("toLower", &[Text], to_lower, "a text in small letters"),
    plain("toTime", &[Any], to_time, "seconds since 1970 as a time"),
    plain("toUpper", &[Text], to_upper, "a text in capitals"),
    plain(
        "urlQueryEscape",
        &[Text],
        url_query_escape,
        "a text escaped for the query of an address",
    ),
    variadic("urlquery", &[Any], url_query, "its operands escaped for the query of an address"),
    plain("value", &[Sample], value, "the value of an element"),
];

/// The function of a name.
pub(super) fn find(name: &str, mode: Mode) -> Option<&'static Function> {
    let at = FUNCTIONS.binary_search_by(|function| function.name.cmp(name)).ok()?;
    let function = FUNCTIONS.get(at)?;
    let is_there = mode == Mode::Html || !matches!(function.kind, FunctionKind::Template);
    is_there.then_some(function)
}

/// What Go says when nothing is used as if it were something.
const NIL_POINTER: &str = "runtime error: invalid memory address or nil pointer dereference";

/// A text argument; its type was checked before.
fn text_of(values: &[Value], at: usize) -> &str {
    match values.get(at) {
        Some(Value::Text(text) | Value::Html(text)) => text,
        _ => "",
    }
}

fn sample_of(values: &[Value], at: usize) -> Result<&super::value::Sample, String> {
    match values.get(at) {
        Some(Value::Sample(sample)) => Ok(sample),
        _ => Err(NIL_POINTER.to_owned()),
    }
}

fn elements_of(values: &[Value], at: usize) -> &[Value] {
    match values.get(at) {
        Some(Value::List(list)) => &list.elements,
        _ => &[],
    }
}

fn float_of(values: &[Value]) -> Result<f64, String> {
    to_float(values.first().unwrap_or(&Value::Nil))
}

fn args(values: &[Value]) -> Result<Value, String> {
    let entries = values.iter().enumerate().map(|(at, value)| (format!("arg{at}"), value.clone()));
    Ok(Value::Map(Arc::new(entries.collect::<BTreeMap<_, _>>())))
}

fn call(values: &[Value]) -> Result<Value, String> {
    match values.first() {
        None | Some(Value::Nil) => Err("call of nil".to_owned()),
        Some(value) => {
            Err(format!("non-function {} of type {}", printf::show(value), value.type_name()))
        }
    }
}

fn not(values: &[Value]) -> Result<Value, String> {
    Ok(Value::Bool(!values.first().is_some_and(Value::is_true)))
}

fn print(values: &[Value]) -> Result<Value, String> {
    Ok(Value::text(printf::print(values)))
}

fn println(values: &[Value]) -> Result<Value, String> {
    Ok(Value::text(printf::println(values)))
}

fn printf_function(values: &[Value]) -> Result<Value, String> {
    Ok(Value::text(printf::printf(text_of(values, 0), values.get(1..).unwrap_or_default())))
}

fn html(values: &[Value]) -> Result<Value, String> {
    Ok(Value::text(text::html_escape(&printf::print(values))))
}

fn js(values: &[Value]) -> Result<Value, String> {
    Ok(Value::text(text::js_escape(&printf::print(values))))
}

fn url_query(values: &[Value]) -> Result<Value, String> {
    Ok(Value::text(text::query_escape(&printf::print(values))))
}

fn url_query_escape(values: &[Value]) -> Result<Value, String> {
    Ok(Value::text(text::query_escape(text_of(values, 0))))
}

fn query(call: &mut Call<'_, '_>, values: &[Value]) -> Result<Value, String> {
    Ok(Value::samples(call.surroundings.query(text_of(values, 0))?))
}

fn now(call: &mut Call<'_, '_>, _: &[Value]) -> Result<Value, String> {
    Ok(Value::Float(call.surroundings.timestamp() as f64 / 1000.0))
}

fn external_url(call: &mut Call<'_, '_>, _: &[Value]) -> Result<Value, String> {
    let url = call.surroundings.external_url().ok_or(NIL_POINTER)?;
    Ok(Value::text(url))
}

fn path_prefix(call: &mut Call<'_, '_>, _: &[Value]) -> Result<Value, String> {
    let url = call.surroundings.external_url().ok_or(NIL_POINTER)?;
    let behind_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = behind_scheme.find('/').map_or("", |slash| &behind_scheme[slash..]);
    let path = path.split(['?', '#']).next().unwrap_or_default();
    Ok(Value::text(path))
}

fn first(values: &[Value]) -> Result<Value, String> {
    let first = elements_of(values, 0).first().cloned();
    first.ok_or_else(|| "first() called on vector with no elements".to_owned())
}

fn label(values: &[Value]) -> Result<Value, String> {
    let sample = sample_of(values, 1)?;
    Ok(Value::text(sample.labels.get(text_of(values, 0)).map_or("", String::as_str)))
}

fn value(values: &[Value]) -> Result<Value, String> {
    Ok(sample_of(values, 0)?.value.clone())
}

fn strvalue(values: &[Value]) -> Result<Value, String> {
    Ok(Value::text(sample_of(values, 0)?.labels.get("__value__").map_or("", String::as_str)))
}

fn sort_by_label(values: &[Value]) -> Result<Value, String> {
    let name = text_of(values, 0);
    let mut elements = elements_of(values, 1).to_vec();
    elements.sort_by(|a, b| {
        let text = |value: &Value| match value {
            Value::Sample(sample) => sample.labels.get(name).cloned().unwrap_or_default(),
            _ => String::new(),
        };
        text(a).cmp(&text(b))
    });
    Ok(Value::List(List { elements: elements.into(), type_name: QUERY_RESULT }))
}

fn humanize_function(values: &[Value]) -> Result<Value, String> {
    Ok(Value::text(humanize::humanize(float_of(values)?)))
}

fn humanize_1024(values: &[Value]) -> Result<Value, String> {
    Ok(Value::text(humanize::humanize_1024(float_of(values)?)))
}

fn humanize_duration(values: &[Value]) -> Result<Value, String> {
    Ok(Value::text(humanize::humanize_duration(float_of(values)?)))
}

fn humanize_percentage(values: &[Value]) -> Result<Value, String> {
    Ok(Value::text(humanize::humanize_percentage(float_of(values)?)))
}

fn humanize_timestamp(values: &[Value]) -> Result<Value, String> {
    Ok(Value::text(humanize::humanize_timestamp(float_of(values)?)?))
}

fn to_time(values: &[Value]) -> Result<Value, String> {
    Ok(Value::Time(time::of_seconds(float_of(values)?)?))
}

fn to_duration(values: &[Value]) -> Result<Value, String> {
    let seconds = float_of(values)?;
    if !seconds.is_finite() {
        return Err("value is NaN or Inf".to_owned());
    }
    Ok(Value::Duration((seconds * 1e9) as i64))
}

fn duration(values: &[Value]) -> Result<Value, String> {
    let text = text_of(values, 0);
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text),
    };
    let nanoseconds = parse_duration(rest).map_err(|error| error.to_string())?;
    let (whole, part) = (nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000);
    Ok(Value::Float(sign * (whole as f64 + part as f64 / 1e9)))
}

fn title(values: &[Value]) -> Result<Value, String> {
    Ok(Value::text(text::title(text_of(values, 0))))
}

fn to_upper(values: &[Value]) -> Result<Value, String> {
    Ok(Value::text(text::to_upper(text_of(values, 0))))
}

fn to_lower(values: &[Value]) -> Result<Value, String> {
    Ok(Value::text(text::to_lower(text_of(values, 0))))
}

fn matches(values: &[Value]) -> Result<Value, String> {
    let search = Search::new(text_of(values, 0).as_bytes()).map_err(|error| error.to_string())?;
    Ok(Value::Bool(search.is_match(text_of(values, 1))))
}

fn replace(values: &[Value]) -> Result<Value, String> {
    let pattern = text_of(values, 0);
    let search = Search::new(pattern.as_bytes()).map_err(|error| {
        let quoted = match pattern.contains('`') || pattern.contains(char::is_control) {
            true => Quoted(pattern.as_bytes()).to_string(),
            false => format!("`{pattern}`"),
        };
        format!("regexp: Compile({quoted}): {error}")
    })?;
    Ok(Value::text(search.replace_all(text_of(values, 2), text_of(values, 1))))
}

fn safe_html(values: &[Value]) -> Result<Value, String> {
    Ok(Value::Html(text_of(values, 0).into()))
}

fn graph_link(values: &[Value]) -> Result<Value, String> {
    Ok(link(values, 0))
}

fn table_link(values: &[Value]) -> Result<Value, String> {
    Ok(link(values, 1))
}

fn link(values: &[Value], tab: u8) -> Value {
    let expression = text::query_escape(text_of(values, 0));
    Value::text(format!("/graph?g0.expr={expression}&g0.tab={tab}"))
}

fn strip_port(values: &[Value]) -> Result<Value, String> {
    Ok(Value::text(text::strip_port(text_of(values, 0))))
}

fn strip_domain(values: &[Value]) -> Result<Value, String> {
    Ok(Value::text(text::strip_domain(text_of(values, 0))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted() {
        assert!(FUNCTIONS.windows(2).all(|pair| pair[0].name < pair[1].name));
    }
}
