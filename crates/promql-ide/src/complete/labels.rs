//! Labels and their values: in braces, in lists, and as arguments.

use promql_model::quote;

use super::{Item, ItemKind, MOST_ITEMS, Offer};
use crate::catalogue::{Question, Selector, label_text};
use crate::cursor::{Argument, Callee};
use crate::labels;
use crate::names::Names;
use crate::walk;

/// Where labels are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Bare, quoted only if the name needs it.
    Name,
    /// As the content of a string, whose quotes are already there or not.
    String,
}

/// A label in `by (…)`, `on (…)` or `group_left (…)`.
pub(super) fn of_list(offer: &mut Offer<'_>, list: walk::List) {
    let present = match offer.cursor.frames.last() {
        Some(frame) => offer.cursor.present(frame.open),
        None => Vec::new(),
    };
    let found = labels::of_list(offer.cursor, list, offer.catalogue, &mut offer.missing);
    let names: Vec<String> = match found {
        Some(names) => names.into_iter().collect(),
        // What the operand is isn't known, as when it isn't written yet: any label.
        None if offer.missing.is_empty() => all_labels(offer),
        None => return,
    };
    for name in names.iter().filter(|name| !present.contains(name)) {
        label(offer, name, Form::Name, None);
    }
}

/// All labels that there are.
fn all_labels(offer: &mut Offer<'_>) -> Vec<String> {
    let selector = Selector::default();
    match offer.catalogue.label_names(&selector) {
        Some(names) => names.iter().map(str::to_owned).collect(),
        None => {
            offer.ask(Question::LabelNames { selector });
            Vec::new()
        }
    }
}

fn label(offer: &mut Offer<'_>, name: &str, form: Form, count: Option<usize>) {
    let quotes = offer.pattern.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'));
    let insert = match (form, quotes) {
        (Form::Name, None) => label_text(name),
        (_, Some(quote)) => match quoted(name, quote) {
            Some(text) => text,
            None => return,
        },
        (Form::String, None) => quote(name.as_bytes()),
    };
    let detail = match count {
        Some(1) => "1 value".to_owned(),
        Some(count) => format!("{count} values"),
        None => String::new(),
    };
    // A label with one value tells nothing apart.
    let group = if count == Some(1) { 1 } else { 0 };
    let item = Item::new(ItemKind::Label, name).inserting(insert).about(detail);
    let whole = std::mem::take(&mut offer.pattern);
    offer.pattern = whole.trim_start_matches(['"', '\'', '`']).to_owned();
    offer.add(group, item);
    offer.pattern = whole;
}

/// A text as a string in some quotes, if it can be one.
fn quoted(text: &str, mark: char) -> Option<String> {
    match mark {
        // What would be invisible there is written as an escape, which a raw string has not.
        '`' if text.contains('`') || text.contains(char::is_control) => None,
        '`' => Some(format!("`{text}`")),
        '\'' => {
            let double = quote(text.as_bytes());
            let content = double.strip_prefix('"')?.strip_suffix('"')?;
            Some(format!("'{}'", content.replace("\\\"", "\"").replace('\'', "\\'")))
        }
        _ => Some(quote(text.as_bytes())),
    }
}

/// A label, or in quotes also a metric's name, in the braces of a selector.
pub(super) fn names(offer: &mut Offer<'_>) {
    let Some(frame) = offer.cursor.frames.last() else { return };
    let present = offer.cursor.present(frame.open);
    let selector = offer.cursor.selector();
    let is_quoted = offer.pattern.starts_with(['"', '\'', '`']);
    if is_quoted && selector.metric.is_none() {
        metric_in_quotes(offer);
    }
    let catalogue = offer.catalogue;
    match catalogue.label_names(&selector) {
        None => offer.ask(Question::LabelNames { selector: selector.clone() }),
        Some(names) => {
            for name in names.iter().filter(|name| !present.iter().any(|p| p == name)) {
                let values = catalogue.label_values(name, &selector);
                label(offer, name, Form::Name, values.filter(|v| !v.is_cut()).map(Names::len));
            }
        }
    }
    let is_named = selector.metric.is_some() || present.iter().any(|p| p == "__name__");
    if !is_named && !is_quoted {
        offer.add(2, Item::new(ItemKind::Label, "__name__").about("the metric's name"));
    }
}

fn metric_in_quotes(offer: &mut Offer<'_>) {
    let mark = offer.pattern.chars().next().unwrap_or('"');
    let Some(metrics) = offer.catalogue.metrics() else {
        offer.ask(Question::Metrics { prefix: String::new() });
        return;
    };
    let whole = std::mem::take(&mut offer.pattern);
    offer.pattern = whole[mark.len_utf8()..].to_owned();
    let names = metrics.names();
    for (at, fit) in names.search(&offer.pattern, MOST_ITEMS, |_| ()) {
        if let Some(insert) = quoted(names.get(at), mark) {
            let item = Item::new(ItemKind::Metric, names.get(at)).inserting(insert);
            offer.add_found(0, fit, item.about(metrics.kind(at).name()));
        }
    }
    offer.pattern = whole;
}

/// The operators behind a label.
pub(super) fn operators(offer: &mut Offer<'_>) {
    for (at, (op, about)) in [
        ("=", "is"),
        ("=~", "matches the regular expression"),
        ("!=", "is not"),
        ("!~", "doesn't match the regular expression"),
    ]
    .iter()
    .enumerate()
    {
        let insert = match offer.cursor.next() {
            Some(token) if token.text(&offer.cursor.text).starts_with(['"', '\'', '`']) => {
                (*op).to_owned()
            }
            _ => format!("{op}\""),
        };
        let item = Item::new(ItemKind::Keyword, *op).inserting(insert).about(*about);
        offer.add(u8::try_from(at).unwrap_or(u8::MAX), item);
    }
}

/// The value behind the operator: those that the label has under the other matchers. In a regular
/// expression the part between two `|`.
pub(super) fn values(offer: &mut Offer<'_>) {
    let Some((label, op)) = offer.cursor.matcher() else { return };
    if offer.pattern.starts_with('$') {
        return;
    }
    let selector = offer.cursor.selector();
    let mark = offer.pattern.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'));
    let content = offer.pattern.get(mark.map_or(0, char::len_utf8)..).unwrap_or_default();
    let front = match op.is_regex() {
        true => content.rfind('|').map_or("", |at| &content[..=at]),
        false => "",
    };
    let raw = mark == Some('`');
    let written = unescaped(&content[front.len()..], op.is_regex(), raw);
    let behind = behind_in_string(offer, mark, op.is_regex());
    let front = front.to_owned();
    let catalogue = offer.catalogue;
    let known = match label.as_str() {
        "__name__" => catalogue.metrics().map(|metrics| metrics.names()),
        _ => catalogue.label_values(&label, &selector),
    };
    let Some(values) = known else {
        offer.ask(match label.as_str() {
            "__name__" => Question::Metrics { prefix: String::new() },
            _ => Question::LabelValues { label, selector, prefix: String::new() },
        });
        return;
    };
    let found = values.search(&written, MOST_ITEMS, |_| ());
    if values.is_cut() && !written.is_empty() && found.len() < MOST_ITEMS {
        let prefix = written.clone();
        offer.ask(match label.as_str() {
            "__name__" => Question::Metrics { prefix },
            _ => Question::LabelValues { label, selector, prefix },
        });
    }
    offer.pattern = written;
    for (at, fit) in found {
        let value = values.get(at);
        let escaped = match op.is_regex() {
            true => escape_regex(value),
            false => value.to_owned(),
        };
        let mark = mark.unwrap_or('"');
        // What is already there is written as it must stand in the string.
        let Some(part) = quoted(&escaped, mark) else { continue };
        let part = &part[1..part.len() - 1];
        let insert = format!("{mark}{front}{part}{behind}{mark}");
        let caret = insert.len() - behind.len() - if behind.is_empty() { 0 } else { 1 };
        let mut item = Item::new(ItemKind::Value, value).inserting(insert);
        item.caret = caret;
        offer.add_found(0, fit, item);
    }
}

/// What stays behind the segment of a regular expression at the cursor.
fn behind_in_string(offer: &Offer<'_>, mark: Option<char>, is_regex: bool) -> String {
    let (Some(token), Some(mark)) = (offer.cursor.token(), mark) else { return String::new() };
    if !is_regex {
        return String::new();
    }
    let rest = offer.cursor.text.get(offer.cursor.at..token.span.end).unwrap_or_default();
    let rest = rest.strip_suffix(mark).unwrap_or(rest);
    rest.find('|').map(|at| rest[at..].to_owned()).unwrap_or_default()
}

/// What is written, as the value that it stands for, as far as that can be told of a beginning.
fn unescaped(content: &str, is_regex: bool, raw: bool) -> String {
    let mut out = content.to_owned();
    if !raw {
        out = out.replace("\\\\", "\\").replace("\\\"", "\"").replace("\\'", "'");
    }
    if is_regex {
        out = out.replace('\\', "");
    }
    out
}

/// A value as a regular expression that matches it alone.
fn escape_regex(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(
            c,
            '.' | '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '|' | '^' | '$' | '\\'
        ) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A string argument that is the name of a label, or a template.
pub(super) fn text(offer: &mut Offer<'_>) {
    let Some(argument) = offer.cursor.argument() else { return };
    let Argument { callee: Callee::Function(info), frame, index, .. } = argument else { return };
    let is_label = match (info.name, index) {
        ("label_replace", 1 | 3) | ("label_join", 1 | 3..) => true,
        ("sort_by_label" | "sort_by_label_desc", 1..) => true,
        ("label_replace", 2) => {
            let mark = offer.pattern.chars().next().unwrap_or('"');
            let item = Item::new(ItemKind::Value, "$1").about("the first group of the expression");
            offer.pattern = offer.pattern[mark.len_utf8()..].to_owned();
            offer.add(0, item.inserting(format!("{mark}$1{mark}")));
            return;
        }
        _ => return,
    };
    if !is_label {
        return;
    }
    let found = labels::of_argument(offer.cursor, frame, offer.catalogue, &mut offer.missing);
    let names: Vec<String> = match found {
        Some(names) => names.into_iter().collect(),
        None if offer.missing.is_empty() => all_labels(offer),
        None => return,
    };
    for name in &names {
        label(offer, name, Form::String, None);
    }
}
