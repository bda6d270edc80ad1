//! Expressions of Grafana dashboards.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use promql_syntax::FormatOptions;
use serde_json::value::RawValue;

use super::scalar::double_quoted;
use super::variables::{self, Left};
use super::{Formatted, apply};
use crate::finding::Finding;

/// How deep a dashboard may be nested.
const DEEPEST: usize = 100;

/// Formats the expressions of a Grafana dashboard: the `expr` of the targets of all panels, and of
/// annotations, unless their data source is of another kind than Prometheus. Everything else stays as
/// it is, byte for byte; variables survive.
///
/// What can't be read, or whose variables would get lost, is left, with a remark: it may be written for
/// another kind of data source.
///
/// # Errors
/// Why it is no JSON.
pub fn format_dashboard(text: &str, options: &FormatOptions) -> Result<Formatted, Vec<Finding>> {
    let root: &RawValue =
        serde_json::from_str(text).map_err(|error| vec![no_json(text, &error)])?;
    let mut walk = Walk { file: text, expressions: Vec::new() };
    walk.value(root, Above { is_prometheus: true, is_target: false }, 0);
    let mut out = Formatted {
        text: String::new(),
        expressions: walk.expressions.len(),
        changed: 0,
        left: Vec::new(),
    };
    let mut edits = Vec::new();
    for (place, expression) in walk.expressions {
        match variables::format(&expression, options) {
            Ok(formatted) if formatted.trim() == expression.trim() => {}
            Ok(formatted) => edits.push((place, double_quoted(&formatted))),
            Err(left) => out.left.push(remark(place, &left)),
        }
    }
    out.changed = edits.len();
    out.text = apply(text, edits);
    Ok(out)
}

/// Whether a text is a Grafana dashboard: JSON with panels, perhaps below `dashboard`, as the API has
/// it.
pub fn is_dashboard(text: &str) -> bool {
    if !text.trim_start().starts_with('{') {
        return false;
    }
    let Ok(root) = serde_json::from_str::<Object<'_>>(text) else { return false };
    let has_panels =
        |object: &Object<'_>| object.contains_key("panels") || object.contains_key("rows");
    let inner = root.get("dashboard").and_then(|inner| serde_json::from_str(inner.get()).ok());
    has_panels(&root) || inner.is_some_and(|inner: Object<'_>| has_panels(&inner))
}

type Object<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

fn no_json(text: &str, error: &serde_json::Error) -> Finding {
    let line_start = match error.line() {
        0 | 1 => 0,
        line => memchr::memchr_iter(b'\n', text.as_bytes()).nth(line - 2).map_or(0, |at| at + 1),
    };
    let mut at = (line_start + error.column().saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let end = text[at..].chars().next().map_or(at, |c| at + c.len_utf8());
    let message = format!("the file is no JSON: {error}");
    Finding::error("fmt::no-json", at..end, message, "here", "")
}

fn remark(place: Range<usize>, left: &Left) -> Finding {
    let reason = match left {
        Left::Unreadable(errors) => errors.to_string(),
        Left::UnreadableWithVariables => {
            "it can't be read, whatever its variables stand for".to_owned()
        }
        Left::Variables => "its variables would get lost".to_owned(),
    };
    let message = format!("this expression is left as it is: {reason}");
    let help = "an expression for another kind of data source is none of PromQL's business; else, see \
                what its variables stand for";
    Finding::error("fmt::left", place, message, "can't be read as PromQL", help).remark()
}

/// What is around a value.
#[derive(Clone, Copy)]
struct Above {
    /// Whether the data source, as far as it is known, is Prometheus.
    is_prometheus: bool,
    /// Whether an object here is one that has a query.
    is_target: bool,
}

struct Walk<'a> {
    file: &'a str,
    /// The strings that hold expressions: their places, with the quotes, and their texts.
    expressions: Vec<(Range<usize>, String)>,
}

impl<'a> Walk<'a> {
    fn value(&mut self, value: &'a RawValue, above: Above, depth: usize) {
        let text = value.get();
        if depth > DEEPEST {
            return;
        }
        if text.starts_with('[') {
            let items: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
            items.into_iter().for_each(|item| self.value(item, above, depth + 1));
        } else if text.starts_with('{') {
            let object: Object<'_> = serde_json::from_str(text).unwrap_or_default();
            self.object(&object, above, depth);
        }
    }

    fn object(&mut self, object: &Object<'a>, above: Above, depth: usize) {
        let own = object.get("datasource").and_then(|source| is_prometheus(source));
        let is_prometheus = own.unwrap_or(above.is_prometheus);
        if above.is_target
            && is_prometheus
            && let Some(value) = object.get("expr")
            && let Ok(expression) = serde_json::from_str::<String>(value.get())
            && !expression.trim().is_empty()
        {
            self.expressions.push((self.place(value), expression));
        }
        for (key, value) in object {
            // `annotations` has a `list` of queries.
            let is_target = matches!(&**key, "targets" | "list");
            self.value(value, Above { is_prometheus, is_target }, depth + 1);
        }
    }

    /// Where a value is in the file. It borrows from the file's text.
    fn place(&self, value: &RawValue) -> Range<usize> {
        let start = value.get().as_ptr() as usize - self.file.as_ptr() as usize;
        start..start + value.get().len()
    }
}

/// Whether a data source is Prometheus, if it can be told.
fn is_prometheus(source: &RawValue) -> Option<bool> {
    const OTHERS: [&str; 8] =
        ["loki", "elastic", "influx", "graphite", "tempo", "cloudwatch", "sql", "jaeger"];
    let text = source.get();
    let name = match text.as_bytes().first()? {
        b'{' => {
            let object: Object<'_> = serde_json::from_str(text).ok()?;
            serde_json::from_str::<String>(object.get("type")?.get()).ok()?
        }
        b'"' => serde_json::from_str::<String>(text).ok()?,
        _ => return None,
    };
    let name = name.to_lowercase();
    match OTHERS.iter().any(|other| name.contains(other)) {
        true => Some(false),
        false if name.contains("prometheus") => Some(true),
        // A variable, the default, or a mix: what is around it tells no more.
        false => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_expressions_change() {
        let text = r#"{"title": "expr", "templating": {"list": [{"query": "label_values(up, job)"}]},
 "annotations": {"list": [{"expr": "changes(a [5m])>0"}]},
 "panels": [{"expr": "not(this", "targets": [ {"expr":"sum(rate(a{b=\"$b\"}[$__interval]))by(c)", "legendFormat": "{{c}}"},
   {"expr": "up"}, {"expr": "sum( a |= b)"}, {"datasource": {"type": "loki"}, "expr": "{a=\"b\"} |= \"c\""} ]}],
 "rows": [{"panels": [{"datasource": "Loki", "targets": [{"expr": "rate( x[1m])"}, {"datasource": "prometheus", "expr": "rate( y[1m])"}]}]}]}"#;
        assert!(is_dashboard(text));
        let formatted = format_dashboard(text, &FormatOptions::default()).expect("JSON");
        let expected = text
            .replace("changes(a [5m])>0", "changes(a[5m]) > 0")
            .replace(
                r#"sum(rate(a{b=\"$b\"}[$__interval]))by(c)"#,
                r#"sum by (c) (rate(a{b=\"$b\"}[$__interval]))"#,
            )
            .replace("rate( y[1m])", "rate(y[1m])");
        assert_eq!(formatted.text, expected);
        assert_eq!((formatted.expressions, formatted.changed, formatted.left.len()), (5, 3, 1));
        assert_eq!(&text[formatted.left[0].span.clone()], "\"sum( a |= b)\"");
        assert_eq!(
            format_dashboard(&expected, &FormatOptions::default()).expect("JSON").changed,
            0
        );
    }

    #[test]
    fn not_json() {
        let findings = format_dashboard("{\n \"a\": é}", &FormatOptions::default()).unwrap_err();
        assert_eq!(findings[0].span, 8..10);
        assert!(!is_dashboard("{\"groups\": []}"));
    }
}
