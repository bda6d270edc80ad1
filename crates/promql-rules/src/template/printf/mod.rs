//! Printing of values: Go's `fmt`, with its verbs, flags and complaints.

mod float;
mod scalar;

use std::fmt::Write;

use super::time;
use super::value::{IntType, Value};
use float::float;

/// The largest width and precision, as in Go.
const WIDEST: i64 = 1_000_000;

/// Values one after the other, with a space between two that are no texts: `print`.
pub(super) fn print(values: &[Value]) -> String {
    let mut printer = Printer::default();
    let is_text = |value: &Value| matches!(value, Value::Text(_) | Value::Html(_));
    let mut after_text = false;
    for (at, value) in values.iter().enumerate() {
        if at > 0 && !is_text(value) && !after_text {
            printer.out.push(' ');
        }
        printer.argument(value, 'v');
        after_text = is_text(value);
    }
    printer.out
}

/// Values with spaces between them and a line feed behind: `println`.
pub(super) fn println(values: &[Value]) -> String {
    let mut printer = Printer::default();
    for (at, value) in values.iter().enumerate() {
        printer.out.push_str(if at > 0 { " " } else { "" });
        printer.argument(value, 'v');
    }
    printer.out.push('\n');
    printer.out
}

/// A value as an action prints it.
pub(super) fn show(value: &Value) -> String {
    let mut printer = Printer::default();
    match value {
        Value::Nil => return "<no value>".to_owned(),
        Value::Sample(_) => printer.nested(value, 'v', 1),
        _ => printer.argument(value, 'v'),
    }
    printer.out
}

/// The verbs of a format replaced by values: `printf`.
pub(super) fn printf(format: &str, values: &[Value]) -> String {
    let mut printer = Printer::default();
    let mut arguments = Arguments { values, next: 0, reordered: false, good: true };
    let mut rest = format;
    while let Some(percent) = rest.find('%') {
        printer.out.push_str(&rest[..percent]);
        rest = &rest[percent + 1..];
        printer.flags = Flags::default();
        arguments.good = true;
        rest = printer.read_flags(rest, &mut arguments);
        let Some(verb) = rest.chars().next() else {
            printer.out.push_str("%!(NOVERB)");
            rest = "";
            break;
        };
        rest = &rest[verb.len_utf8()..];
        match verb {
            '%' => printer.out.push('%'),
            _ if !arguments.good => {
                let _ = write!(printer.out, "%!{verb}(BADINDEX)");
            }
            _ => match arguments.take() {
                None => {
                    let _ = write!(printer.out, "%!{verb}(MISSING)");
                }
                Some(value) => {
                    if verb == 'v' {
                        printer.flags.go_syntax = std::mem::take(&mut printer.flags.sharp);
                        printer.flags.field_names = std::mem::take(&mut printer.flags.plus);
                    }
                    printer.argument(value, verb);
                }
            },
        }
    }
    printer.out.push_str(rest);
    let extra = values.get(arguments.next..).unwrap_or_default();
    if !arguments.reordered && !extra.is_empty() {
        printer.flags = Flags::default();
        printer.out.push_str("%!(EXTRA ");
        for (at, value) in extra.iter().enumerate() {
            printer.out.push_str(if at > 0 { ", " } else { "" });
            match value {
                Value::Nil => printer.out.push_str("<nil>"),
                _ => {
                    printer.out.push_str(value.type_name());
                    printer.out.push('=');
                    printer.argument(value, 'v');
                }
            }
        }
        printer.out.push(')');
    }
    printer.out
}

/// A float in the shorter of the two notations with a number of digits: `%.4g`.
pub(super) fn general(value: f64, digits: usize) -> String {
    unsigned_plus(&float(value, 'g', Some(digits), false))
}

/// Without the sign that `float` always gives, unless the value is infinite.
fn unsigned_plus(text: &str) -> String {
    match text.strip_prefix('+') {
        Some(number) if number != "Inf" => number.to_owned(),
        _ => text.to_owned(),
    }
}

/// What stands between `%` and the verb.
#[derive(Clone, Copy, Debug, Default)]
struct Flags {
    plus: bool,
    minus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    go_syntax: bool,
    field_names: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

/// The values that verbs take.
struct Arguments<'a> {
    values: &'a [Value],
    next: usize,
    reordered: bool,
    /// Whether the last explicit index named a value.
    good: bool,
}

impl<'a> Arguments<'a> {
    fn take(&mut self) -> Option<&'a Value> {
        let value = self.values.get(self.next)?;
        self.next += 1;
        Some(value)
    }

    /// `[2]`
    fn index<'t>(&mut self, text: &'t str) -> &'t str {
        let Some(inner) = text.strip_prefix('[') else { return text };
        self.reordered = true;
        let Some(close) = inner.find(']') else {
            self.good = false;
            return inner;
        };
        match inner[..close].parse::<usize>() {
            Ok(index) if (1..=self.values.len()).contains(&index) => self.next = index - 1,
            _ => self.good = false,
        }
        &inner[close + 1..]
    }

    /// An integer for `*`.
    fn integer(&mut self) -> Option<i64> {
        match self.take()? {
            Value::Int(value, _) => Some(*value),
            Value::Uint(value, _) => i64::try_from(*value).ok(),
            _ => None,
        }
        .filter(|value| value.abs() <= WIDEST)
    }
}

#[derive(Default)]
struct Printer {
    out: String,
    flags: Flags,
}

impl Printer {
    fn read_flags<'t>(&mut self, mut rest: &'t str, arguments: &mut Arguments<'_>) -> &'t str {
        loop {
            match rest.as_bytes().first() {
                Some(b'+') => self.flags.plus = true,
                Some(b'-') => self.flags.minus = true,
                Some(b'#') => self.flags.sharp = true,
                Some(b' ') => self.flags.space = true,
                Some(b'0') => self.flags.zero = true,
                _ => break,
            }
            rest = &rest[1..];
        }
        rest = arguments.index(rest);
        if let Some(after) = rest.strip_prefix('*') {
            rest = after;
            match arguments.integer() {
                Some(width) => {
                    self.flags.minus |= width < 0;
                    self.flags.width = usize::try_from(width.unsigned_abs()).ok();
                }
                None => self.out.push_str("%!(BADWIDTH)"),
            }
        } else {
            let (number, after) = digits(rest);
            rest = after;
            self.flags.width = number;
        }
        if let Some(after) = rest.strip_prefix('.') {
            rest = arguments.index(after);
            if let Some(after) = rest.strip_prefix('*') {
                rest = after;
                match arguments.integer().and_then(|value| usize::try_from(value).ok()) {
                    Some(precision) => self.flags.precision = Some(precision),
                    None => self.out.push_str("%!(BADPREC)"),
                }
            } else {
                let (number, after) = digits(rest);
                rest = after;
                self.flags.precision = Some(number.unwrap_or(0));
            }
        }
        self.flags.zero &= !self.flags.minus;
        arguments.index(rest)
    }

    /// Writes a text at the width.
    fn pad(&mut self, text: &str) {
        let width = self.flags.width.unwrap_or(0);
        let missing = width.saturating_sub(text.chars().count());
        let fill = if self.flags.zero { '0' } else { ' ' };
        if self.flags.minus {
            self.out.push_str(text);
        }
        self.out.extend(std::iter::repeat_n(fill, missing));
        if !self.flags.minus {
            self.out.push_str(text);
        }
    }

    fn bad_verb(&mut self, verb: char, value: &Value) {
        let _ = write!(self.out, "%!{verb}(");
        match value {
            Value::Nil => self.out.push_str("<nil>"),
            _ => {
                self.out.push_str(value.type_name());
                self.out.push('=');
                self.argument(value, 'v');
            }
        }
        self.out.push(')');
    }

    fn argument(&mut self, value: &Value, verb: char) {
        match (verb, value) {
            ('T' | 'v', Value::Nil) => self.pad("<nil>"),
            ('T', _) => {
                self.string(value.type_name(), 's');
            }
            _ => self.nested(value, verb, 0),
        }
    }

    /// A value, `depth` levels inside of what is printed.
    fn nested(&mut self, value: &Value, verb: char, depth: usize) {
        let known = match value {
            Value::Nil => {
                if verb == 'v' {
                    self.pad("<nil>");
                }
                verb == 'v'
            }
            Value::Bool(value) => {
                let fits = matches!(verb, 't' | 'v');
                if fits {
                    self.pad(if *value { "true" } else { "false" });
                }
                fits
            }
            Value::Float(value) => self.float(*value, verb),
            Value::Int(value, kind @ (IntType::Month | IntType::Weekday))
                if matches!(verb, 'v' | 's') =>
            {
                let name = time::name_of(*value, *kind);
                self.string(name.unwrap_or("%!Month(0)"), verb)
            }
            Value::Int(value, _) => self.integer(value.unsigned_abs(), *value < 0, verb),
            Value::Uint(value, _) => self.integer(*value, false, verb),
            Value::Text(text) | Value::Html(text) => self.string(text, verb),
            Value::Histogram(histogram) => self.string(&histogram.to_string(), verb),
            Value::Time(at) => self.string(&time::show(*at), verb),
            Value::Duration(nanoseconds) => self.string(&time::show_duration(*nanoseconds), verb),
            Value::Labels(map) => {
                let entries = map.iter().map(|(name, value)| (name, Value::text(value.as_str())));
                self.map(entries, verb, depth);
                true
            }
            Value::Map(map) => {
                let entries = map.iter().map(|(name, value)| (name, value.clone()));
                self.map(entries, verb, depth);
                true
            }
            Value::List(list) => {
                self.out.push('[');
                for (at, element) in list.elements.iter().enumerate() {
                    self.out.push_str(if at > 0 { " " } else { "" });
                    self.nested(element, verb, depth + 1);
                }
                self.out.push(']');
                true
            }
            Value::Sample(sample) => {
                // Go prints the addresses of samples in lists; their contents say more.
                self.out.push_str(if depth == 0 { "&" } else { "" });
                let labels = Value::Labels(sample.labels.clone());
                self.fields(&[("Labels", labels), ("Value", sample.value.clone())], verb, depth);
                true
            }
            Value::Alert(data) => {
                let fields = [
                    ("Labels", Value::Labels(data.labels.clone())),
                    ("ExternalLabels", Value::Labels(data.external_labels.clone())),
                    ("ExternalURL", Value::Text(data.external_url.clone())),
                    ("Value", data.value.clone()),
                ];
                self.fields(&fields, verb, depth);
                true
            }
        };
        if !known {
            self.bad_verb(verb, value);
        }
    }

    fn map<'a>(
        &mut self,
        entries: impl Iterator<Item = (&'a String, Value)>,
        verb: char,
        depth: usize,
    ) {
        self.out.push_str("map[");
        for (at, (name, value)) in entries.enumerate() {
            self.out.push_str(if at > 0 { " " } else { "" });
            self.nested(&Value::text(name.as_str()), verb, depth + 1);
            self.out.push(':');
            self.nested(&value, verb, depth + 1);
        }
        self.out.push(']');
    }

    fn fields(&mut self, fields: &[(&str, Value)], verb: char, depth: usize) {
        self.out.push('{');
        for (at, (name, value)) in fields.iter().enumerate() {
            self.out.push_str(if at > 0 { " " } else { "" });
            if self.flags.field_names {
                let _ = write!(self.out, "{name}:");
            }
            self.nested(value, verb, depth + 1);
        }
        self.out.push('}');
    }
}

/// A number in front of a text, at most [`WIDEST`].
fn digits(text: &str) -> (Option<usize>, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    (number.parse::<usize>().ok().filter(|number| *number <= WIDEST as usize), rest)
}
