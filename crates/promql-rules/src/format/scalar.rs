//! Another text for a scalar of a YAML file.

use std::ops::Range;

use crate::yaml::{Node, Resolved, Style, Value, resolve};

/// A scalar that is to be replaced.
pub(super) struct Place<'n, 't> {
    pub(super) node: &'n Node<'t>,
    /// The column of its key, in bytes from 0.
    pub(super) key_column: usize,
    /// Whether it is inside of `{…}` or `[…]`, where there are no block scalars.
    pub(super) is_flow: bool,
}

/// The part of the file to replace, with what comes there, so that the scalar has the text `new`.
/// Nothing if that can't be done without touching anything else.
pub(super) fn replace(
    file: &str,
    place: &Place<'_, '_>,
    new: &str,
) -> Option<(Range<usize>, String)> {
    let Value::Scalar { style, .. } = &place.node.value else { return None };
    let is_long = new.contains('\n');
    match style {
        Style::Literal | Style::Folded => block(file, place, new, *style),
        _ if is_long && place.is_flow => None,
        _ if is_long => new_block(file, place, new),
        _ => Some((place.node.span.clone(), line(new, *style, place.is_flow))),
    }
}

/// A text of one line, in a style or the simplest one that can hold it.
fn line(new: &str, style: Style, is_flow: bool) -> String {
    match style {
        Style::Plain if is_plain(new, is_flow) => new.to_owned(),
        Style::DoubleQuoted => double_quoted(new),
        _ => format!("'{}'", new.replace('\'', "''")),
    }
}

/// A text in double quotes, as YAML and JSON have them.
pub(super) fn double_quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Whether a text can be written without quotes.
fn is_plain(text: &str, is_flow: bool) -> bool {
    let mut chars = text.chars();
    let (Some(first), second) = (chars.next(), chars.next()) else { return false };
    let begins = match first {
        '-' | '?' | ':' => second.is_some_and(|c| c != ' ' && !(is_flow && ",[]{}".contains(c))),
        first => !" \t,[]{}#&*!|>'\"%@`".contains(first),
    };
    let marks = [": ", " #", "\t"].iter().any(|mark| text.contains(mark));
    let flow_marks = is_flow && text.contains([',', '[', ']', '{', '}']);
    let is_text = resolve(text, Style::Plain, None) != Resolved::Null;
    begins && is_text && !marks && !flow_marks && !text.ends_with([':', ' '])
}

/// The lines of a block scalar at an indentation, without a line break at the end.
fn indented(new: &str, indentation: usize, newline: &str) -> String {
    let blank = " ".repeat(indentation);
    let lines = new.split('\n').map(|line| match line.is_empty() {
        true => String::new(),
        false => format!("{blank}{line}"),
    });
    lines.collect::<Vec<_>>().join(newline)
}

/// What stands behind the `|`: how far the text is indented has to be said if its first line begins
/// with a blank.
fn indicator(new: &str, indentation: usize, key_column: usize) -> String {
    match new.starts_with(' ') {
        true => (indentation - key_column).to_string(),
        false => String::new(),
    }
}

/// A block scalar gets other lines. A folded one becomes a literal one if there are several.
fn block(
    file: &str,
    place: &Place<'_, '_>,
    new: &str,
    style: Style,
) -> Option<(Range<usize>, String)> {
    let span = place.node.span.clone();
    let written = &file[span.clone()];
    let (header, content) = written.split_once('\n')?;
    let (header, newline) = match header.strip_suffix('\r') {
        Some(header) => (header, "\r\n"),
        None => (header, "\n"),
    };
    // The column of the first text, as long as a header can tell it.
    let text = place.node.text()?;
    let first = text.find(|c| c != '\n')?;
    let at = place.node.positions(file).file_span(first..first + 1).start;
    let column = at - file[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let indentation = match column.checked_sub(place.key_column) {
        Some(1..=9) => column,
        _ => place.key_column + 2,
    };
    let is_long = new.contains('\n');
    let mark = if is_long || style == Style::Literal { '|' } else { '>' };
    let marks = header[1..].find([' ', '\t']).map_or(&header[1..], |end| &header[1..end + 1]);
    let chomping: String = marks.chars().filter(|c| matches!(c, '+' | '-')).collect();
    let rest = &header[1 + marks.len()..];
    let indicator = indicator(new, indentation, place.key_column);
    // Blank lines below belong to the scalar, but not to the expression.
    let body = content.trim_end_matches(['\n', '\r', ' ']);
    let below = &content[body.len()..];
    let lines = indented(new, indentation, newline);
    Some((span, format!("{mark}{indicator}{chomping}{rest}{newline}{lines}{below}")))
}

/// A block scalar in place of one in a line. What stands behind it in the line, a comment, then
/// stands behind the `|`.
fn new_block(file: &str, place: &Place<'_, '_>, new: &str) -> Option<(Range<usize>, String)> {
    let span = place.node.span.clone();
    let end = file[span.end..].find('\n').map_or(file.len(), |at| span.end + at);
    let rest = file[span.end..end].trim_end_matches('\r');
    let newline = if file[..end].ends_with('\r') { "\r\n" } else { "\n" };
    if !(rest.trim().is_empty() || rest.trim_start().starts_with('#')) {
        return None;
    }
    let indentation = place.key_column + 2;
    // A comment that is indented as far would become a part of the text.
    let mut below = file[end..].lines().skip(1).skip_while(|line| line.trim().is_empty());
    if let Some(next) = below.next() {
        let blank = next.len() - next.trim_start().len();
        if next.trim_start().starts_with('#') && blank >= indentation {
            return None;
        }
    }
    let indicator = indicator(new, indentation, place.key_column);
    let lines = indented(new, indentation, newline);
    let range = span.start..span.end + rest.len();
    let rest = rest.trim_end();
    Some((range, format!("|{indicator}{rest}{newline}{lines}")))
}
