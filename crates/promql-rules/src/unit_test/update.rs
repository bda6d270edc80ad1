//! Brings a unit-test file up to date: what failing tests give becomes what they expect.
//!
//! Only what differs is written anew. A value is replaced where it stands, an item of a list is
//! replaced, removed or added as a whole, in the style of the list that it belongs to. Everything
//! else, comments and layout, stays byte by byte.

use std::collections::BTreeMap;
use std::ops::Range;

use promql_model::number::General;
use promql_model::{SampleValue, quote};

use super::compare::AlertTexts;
use super::{
    AlertRow, AlertTest, AlertVerdict, ExpressionTest, ExpressionVerdict, Outcome, UnitTestFile,
};
use crate::script::{Row, RowVerdict};
use crate::yaml::{Style, Text};

/// A unit-test file that was brought up to date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// The new text of the file.
    pub text: String,
    /// Where the tests that were changed begin, in bytes of the old text.
    pub changed: Vec<usize>,
}

/// A place of the file and what it is replaced by.
struct Edit {
    span: Range<usize>,
    text: String,
}

/// Writes what failing tests give into the file. `outcomes` has one for each test of the file. What
/// fails for another reason than an expectation is left as it is, and so is what can't be expected:
/// NaN.
pub fn update(file: &UnitTestFile, outcomes: &[Option<Outcome>]) -> Update {
    let mut updater = Updater { text: &file.text, edits: Vec::new() };
    let mut changed = Vec::new();
    for (test, outcome) in file.tests.iter().zip(outcomes) {
        let Some(outcome) = outcome else { continue };
        for (alert, verdict) in test.alert_tests.iter().zip(&outcome.alerts) {
            if let Some(AlertVerdict::Failed(rows)) = verdict {
                updater.alert(alert, rows);
                changed.push(alert.span.start);
            }
        }
        for (expression, verdict) in test.expression_tests.iter().zip(&outcome.expressions) {
            if let Some(ExpressionVerdict::Failed(rows)) = verdict
                && rows.iter().all(can_be_expected)
            {
                updater.expression(expression, rows);
                changed.push(expression.span.start);
            }
        }
    }
    Update { text: updater.finish(), changed }
}

fn can_be_expected(row: &Row) -> bool {
    !matches!(row.got, Some(SampleValue::Float(value)) if value.is_nan())
}

struct Updater<'a> {
    text: &'a str,
    edits: Vec<Edit>,
}

/// The keys of an item with their values.
type Item = Vec<(&'static str, Value)>;

/// What becomes of the items of a list.
struct Items {
    /// Each item that is there, and what it is replaced by; an empty text removes it.
    replaced: Vec<(Range<usize>, Option<Item>)>,
    /// Items that are added.
    added: Vec<Item>,
}

/// A value to be written.
enum Value {
    Scalar(String),
    Map(Vec<(String, String)>),
}

impl Value {
    /// On one line.
    fn flow(&self) -> String {
        match self {
            Value::Scalar(text) => text.clone(),
            Value::Map(pairs) => {
                let pairs = pairs.iter().map(|(key, value)| format!("{key}: {value}"));
                format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

fn flow_item(keys: &[(&'static str, Value)]) -> String {
    let pairs = keys.iter().map(|(key, value)| format!("{key}: {}", value.flow()));
    format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
}

/// An item on lines of its own, each but the first moved in.
fn block_item(keys: &[(&'static str, Value)], indent: usize) -> String {
    let blanks = " ".repeat(indent);
    let mut lines = Vec::new();
    for (key, value) in keys {
        match value {
            Value::Scalar(text) => lines.push(format!("{key}: {text}")),
            Value::Map(pairs) => {
                lines.push(format!("{key}:"));
                lines.extend(pairs.iter().map(|(key, value)| format!("  {key}: {value}")));
            }
        }
    }
    lines.join(&format!("\n{blanks}"))
}

impl Updater<'_> {
    fn finish(mut self) -> String {
        self.edits.sort_by_key(|edit| edit.span.start);
        let mut text = String::with_capacity(self.text.len());
        let mut at = 0;
        for edit in &self.edits {
            // Places that overlap are those of an alias, which was written anew already.
            if edit.span.start >= at {
                text.push_str(&self.text[at..edit.span.start]);
                text.push_str(&edit.text);
                at = edit.span.end;
            }
        }
        text.push_str(&self.text[at..]);
        text
    }

    fn edit(&mut self, span: Range<usize>, text: String) {
        self.edits.push(Edit { span, text });
    }

    fn expression(&mut self, test: &ExpressionTest, rows: &[Row]) {
        let mut items = Items { replaced: Vec::new(), added: Vec::new() };
        let mut is_same_list = true;
        for row in rows {
            let item = row.expectation.and_then(|at| test.expected.get(at));
            match (item, &row.got) {
                (Some(item), Some(SampleValue::Float(value)))
                    if item.histogram.is_none() && !item.value.span().is_empty() =>
                {
                    if row.verdict != RowVerdict::Same && item.value.span() != item.span {
                        self.edit(item.value.span(), number(*value));
                    } else if row.verdict != RowVerdict::Same {
                        is_same_list = false;
                        items.replaced.push((item.span.clone(), Some(sample(row, value_of(row)))));
                    }
                }
                (Some(item), Some(_)) if row.verdict != RowVerdict::Same => {
                    is_same_list = false;
                    items.replaced.push((item.span.clone(), Some(sample(row, value_of(row)))));
                }
                (Some(item), None) => {
                    is_same_list = false;
                    items.replaced.push((item.span.clone(), None));
                }
                (None, Some(_)) => {
                    is_same_list = false;
                    items.added.push(sample(row, value_of(row)));
                }
                _ => {}
            }
        }
        if !is_same_list {
            let all = test.expected.iter().map(|item| item.span.clone()).collect();
            self.list("exp_samples", &test.span, &test.expected_span, all, items);
        }
    }

    fn alert(&mut self, test: &AlertTest, rows: &[AlertRow]) {
        let mut items = Items { replaced: Vec::new(), added: Vec::new() };
        let mut is_same_list = true;
        for row in rows.iter().filter(|row| !row.is_same()) {
            let item = row.expectation.and_then(|at| test.expected.get(at));
            match (item, &row.got) {
                (Some(item), Some(got)) => {
                    let texts = [(&item.labels, &got.0), (&item.annotations, &got.1)];
                    if has_same_keys(row) {
                        for (old, new) in texts {
                            self.values(old, new);
                        }
                    } else {
                        is_same_list = false;
                        items.replaced.push((item.span.clone(), Some(alert(got))));
                    }
                }
                (Some(item), None) => {
                    is_same_list = false;
                    items.replaced.push((item.span.clone(), None));
                }
                (None, Some(got)) => {
                    is_same_list = false;
                    items.added.push(alert(got));
                }
                (None, None) => {}
            }
        }
        if !is_same_list {
            let all = test.expected.iter().map(|item| item.span.clone()).collect();
            self.list("exp_alerts", &test.span, &test.expected_span, all, items);
        }
    }

    /// Writes the values of labels or annotations that are others now.
    fn values(&mut self, old: &[(Text, Text)], new: &BTreeMap<String, String>) {
        for (name, value) in old {
            if name.value == "alertname" {
                continue;
            }
            if let Some(text) = new.get(&name.value).filter(|text| **text != value.value) {
                let written = scalar(text, value.style == Style::DoubleQuoted);
                let space = self.text[..value.span.start].ends_with(':');
                let front = if space { " " } else { "" };
                self.edit(value.span.clone(), format!("{front}{written}"));
            }
        }
    }

    /// The column of a byte in its line, if only blanks and a dash stand before it.
    fn indent(&self, at: usize) -> Option<usize> {
        let start = self.text[..at].rfind('\n').map_or(0, |feed| feed + 1);
        let before = &self.text[start..at];
        before.chars().all(|c| matches!(c, ' ' | '-')).then_some(before.len())
    }

    /// The end of the line of a byte, the line feed not included.
    fn line_end(&self, at: usize) -> usize {
        self.text[at..].find('\n').map_or(self.text.len(), |feed| at + feed)
    }

    /// Changes a list: items are replaced and removed where they stand, and added at the end.
    fn list(
        &mut self,
        key: &'static str,
        test: &Range<usize>,
        list: &Option<Range<usize>>,
        all: Vec<Range<usize>>,
        items: Items,
    ) {
        let written = list.as_ref().map_or("", |span| self.text[span.clone()].trim_end());
        if written.starts_with('[') || all.is_empty() {
            // On one line, or nothing is there yet.
            let kept = all.iter().filter_map(|span| {
                match items.replaced.iter().find(|(item, _)| item == span) {
                    None => Some(self.text[span.clone()].trim_end().to_owned()),
                    Some((_, Some(keys))) => Some(flow_item(keys)),
                    Some((_, None)) => None,
                }
            });
            let texts: Vec<String> =
                kept.chain(items.added.iter().map(|keys| flow_item(keys))).collect();
            let text = format!("[{}]", texts.join(", "));
            return self.whole_list(key, test, list, text);
        }
        let is_flow = |span: &Range<usize>| self.text[span.start..].starts_with('{');
        for (span, keys) in &items.replaced {
            let start = self.text[..span.start].rfind('\n').map_or(0, |feed| feed + 1);
            let end = span.start + self.text[span.clone()].trim_end().len();
            match keys {
                None => {
                    let end = (self.line_end(end) + 1).min(self.text.len());
                    self.edit(start..end, String::new());
                }
                Some(keys) if is_flow(span) => self.edit(span.start..end, flow_item(keys)),
                Some(keys) => {
                    let indent = self.indent(span.start).unwrap_or(0);
                    self.edit(span.start..end, block_item(keys, indent));
                }
            }
        }
        let Some(last) = all.last() else { return };
        let end = self.line_end(last.start + self.text[last.clone()].trim_end().len());
        let indent = self.indent(last.start).unwrap_or(2);
        let dash = " ".repeat(indent.saturating_sub(2));
        let mut added = String::new();
        for keys in &items.added {
            let item = if is_flow(last) { flow_item(keys) } else { block_item(keys, indent) };
            added.push_str(&format!("\n{dash}- {item}"));
        }
        if !added.is_empty() {
            // Behind an item that is removed together with its line feed.
            let removed = self.edits.iter_mut().find(|edit| edit.span.contains(&end));
            match removed {
                Some(edit) => edit.text = format!("{}\n", added.trim_start_matches('\n')),
                None => self.edit(end..end, added),
            }
        }
    }

    /// Writes a list as a whole.
    fn whole_list(
        &mut self,
        key: &'static str,
        test: &Range<usize>,
        list: &Option<Range<usize>>,
        text: String,
    ) {
        match list {
            Some(span) => {
                let end = span.start + self.text[span.clone()].trim_end().len();
                let space = self.text[..span.start].ends_with(':');
                let front = if space { " " } else { "" };
                self.edit(span.start..end, format!("{front}{text}"));
            }
            None if self.text[test.start..].starts_with('{') => {
                let end = test.start + self.text[test.clone()].trim_end().len() - 1;
                self.edit(end..end, format!(", {key}: {text}"));
            }
            None => {
                let end = self.line_end(test.start + self.text[test.clone()].trim_end().len());
                let indent = " ".repeat(self.indent(test.start).unwrap_or(0));
                self.edit(end..end, format!("\n{indent}{key}: {text}"));
            }
        }
    }
}

fn has_same_keys(row: &AlertRow) -> bool {
    let (Some(expected), Some(got)) = (&row.expected, &row.got) else { return false };
    expected.0.keys().eq(got.0.keys()) && expected.1.keys().eq(got.1.keys())
}

fn alert((labels, annotations): &AlertTexts) -> Item {
    let map = |texts: &BTreeMap<String, String>| {
        let texts = texts.iter().filter(|(name, _)| *name != "alertname");
        Value::Map(texts.map(|(name, value)| (scalar(name, false), scalar(value, false))).collect())
    };
    let all = [("exp_labels", map(labels)), ("exp_annotations", map(annotations))];
    let is_filled = |(_, value): &(&'static str, Value)| !matches!(value, Value::Map(pairs) if pairs.is_empty());
    let filled: Item = all.into_iter().filter(is_filled).collect();
    match filled.is_empty() {
        true => vec![("exp_labels", Value::Map(Vec::new()))],
        false => filled,
    }
}

fn value_of(row: &Row) -> (&'static str, String) {
    match &row.got {
        Some(SampleValue::Histogram(histogram)) => {
            ("histogram", single_quoted(&histogram.notation().to_string()))
        }
        Some(SampleValue::Float(value)) => ("value", number(*value)),
        None => ("value", "0".to_owned()),
    }
}

fn sample(row: &Row, (key, value): (&'static str, String)) -> Item {
    let labels = single_quoted(&row.labels.selector().to_string());
    vec![("labels", Value::Scalar(labels)), (key, Value::Scalar(value))]
}

fn number(value: f64) -> String {
    match value {
        f64::INFINITY => ".inf".to_owned(),
        f64::NEG_INFINITY => "-.inf".to_owned(),
        value => General(value).to_string(),
    }
}

fn single_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A text as YAML, without quotes where it can be.
fn scalar(text: &str, double: bool) -> String {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.' | '/' | '%');
    let is_plain = text.starts_with(|c: char| c.is_alphabetic())
        && !text.ends_with(' ')
        && text.chars().all(is_word)
        && !matches!(text, "null" | "Null" | "NULL");
    match () {
        () if text.contains(char::is_control) || double => quote(text.as_bytes()),
        () if is_plain => text.to_owned(),
        () => single_quoted(text),
    }
}
