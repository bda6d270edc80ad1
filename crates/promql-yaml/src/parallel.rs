//! Large files on several threads.
//!
//! Reading YAML takes longer than all that is done with a rule file afterwards. But nearly all of a
//! large one is one list, and where an item of it begins can be seen without reading what is before: at
//! a `-` that is indented as far as the first one. Such a line can also be a part of a text in quotes, but
//! then the text isn't closed in the part before it, and that part isn't YAML. So when the parts, each
//! read by itself, are lists, they are the list that the whole has; and in all other cases, as when an
//! alias leads to another part, the whole is read at once.

use std::ops::Range;

use rayon::prelude::*;

use crate::compose::{parse, parse_part};
use crate::{Document, Node, Stream, Value};

/// Shorter texts aren't worth the threads.
const LARGE: usize = 128 * 1024;

/// A part isn't made shorter than this.
const SHORTEST_PART: usize = 32 * 1024;

/// Reads all documents of a text like [`parse`], and with the same result, but on several threads if it
/// is large and nearly all of it is a list: the value of a key of the outermost mapping, the last one.
pub fn parse_list<'a>(text: &'a str, key: &str) -> Stream<'a> {
    let stream = if text.len() < LARGE { None } else { in_parts(text, key) };
    stream.unwrap_or_else(|| parse(text))
}

fn in_parts<'a>(text: &'a str, key: &str) -> Option<Stream<'a>> {
    let first = first_item(text, key)?;
    let (head, list) = text.split_at(first.start);
    let mark = format!("\n{}- ", " ".repeat(first.len()));
    let count = rayon::current_num_threads().max(1) * 2;
    let parts = cut(list, first.start, &mark, (list.len() / count).max(SHORTEST_PART));
    if parts.len() < 2 {
        return None;
    }
    let read = |part: &Range<usize>| {
        let stream = parse_part(text.get(part.clone())?, part.start);
        items(stream)
    };
    let items: Option<Vec<Part<'a>>> = parts.par_iter().map(read).collect();
    let mut document = only_document(parse(head))?;
    let Value::Mapping(entries) = &mut document.root.as_mut()?.value else { return None };
    let entry = entries.last_mut().filter(|entry| entry.key.text() == Some(key))?;
    // Without what is below it, the key has no value.
    if !entry.value.is_null() || !entry.value.span.is_empty() {
        return None;
    }
    let mut all = Vec::new();
    let (mut start, mut end) = (None, first.start);
    for part in items? {
        start.get_or_insert(part.span.start);
        end = part.span.end;
        all.extend(part.items);
        document.faults.extend(part.faults);
    }
    let span = start.unwrap_or(end)..end;
    entry.value = Node::new(span, Value::Sequence(all), None);
    if let Some(root) = &mut document.root {
        root.span.end = end;
    }
    Some(Stream { documents: vec![document], error: None })
}

/// The blanks in front of the first item of the list of a key that isn't indented.
fn first_item(text: &str, key: &str) -> Option<Range<usize>> {
    let line = format!("{key}:");
    let mut at = 0;
    let mut lines = text.split_inclusive('\n').map(|line| {
        let start = at;
        at += line.len();
        (start, line)
    });
    lines.find(|(_, text)| text.trim_end() == line)?;
    let is_text = |(_, line): &(usize, &str)| {
        let line = line.trim_start();
        !line.is_empty() && !line.starts_with('#')
    };
    let (start, line) = lines.find(is_text)?;
    let blank = line.len() - line.trim_start_matches(' ').len();
    line[blank..].starts_with("- ").then_some(start..start + blank)
}

/// Cuts a list between items into parts of about a length. `mark` is how an item begins, with the line
/// break in front of it; `base` is where the list begins.
fn cut(list: &str, base: usize, mark: &str, length: usize) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut start = 0;
    while start < list.len() {
        let from = (start + length).min(list.len());
        let found = memchr::memmem::find(&list.as_bytes()[from..], mark.as_bytes());
        let end = found.map_or(list.len(), |at| from + at + 1);
        parts.push(base + start..base + end);
        start = end;
    }
    parts
}

/// The items of a part, with what is wrong with them.
struct Part<'a> {
    items: Vec<Node<'a>>,
    span: Range<usize>,
    faults: Vec<crate::Fault>,
}

/// The items, if there is nothing but a list.
fn items(stream: Stream<'_>) -> Option<Part<'_>> {
    let document = only_document(stream)?;
    let root = document.root?;
    let is_plain = root.tag().is_none() && root.alias().is_none();
    match root.value {
        Value::Sequence(items) if is_plain => {
            Some(Part { items, span: root.span, faults: document.faults })
        }
        _ => None,
    }
}

/// The document, if there is just one and nothing wrong.
fn only_document(mut stream: Stream<'_>) -> Option<Document<'_>> {
    let is_one = stream.error.is_none() && stream.documents.len() == 1;
    stream.documents.pop().filter(|_| is_one)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    /// A list of many groups, with something in the middle and at the end.
    fn text(indentation: &str, middle: &str, end: &str) -> String {
        let mut text = String::from("# c\nother: 1\ngroups:\n\n  # d\n");
        for group in 0..4000 {
            if group == 2000 {
                text.push_str(middle);
            }
            let _ = write!(
                text,
                "{indentation}- name: g{group}\n{indentation}  rules:\n{indentation}  - expr: |\n\
                 {indentation}      a # é\n{indentation}    record: 'b'\n"
            );
        }
        text + end
    }

    fn check(text: &str, in_parts_too: bool) {
        assert!(text.len() > LARGE);
        let parts = in_parts(text, "groups");
        assert_eq!(parts.is_some(), in_parts_too);
        let (list, whole) = (parse_list(text, "groups"), parse(text));
        assert_eq!(list.error, whole.error);
        assert_eq!(list.documents.len(), whole.documents.len());
        for (a, b) in list.documents.iter().zip(&whole.documents) {
            assert_eq!((&a.root, &a.faults, &a.separator), (&b.root, &b.faults, &b.separator));
        }
    }

    #[test]
    fn parts_make_the_whole() {
        for indentation in ["", "  ", "    "] {
            check(&text(indentation, "", ""), true);
            check(&text(indentation, "# a comment\n\n", "\n# the end"), true);
        }
        let repeated = "- {name: x, name: y}\n";
        check(&text("", repeated, ""), true);
    }

    #[test]
    fn what_is_no_plain_list_is_read_at_once() {
        let quoted: String = (0..8000).map(|_| "- not an item\n").collect();
        for (middle, end) in [
            (format!("- name: \"\n{quoted}\"\n"), ""),
            (format!("- name: '\n{quoted}'\n"), ""),
            (format!("- [a,\n{}]\n", "- b,\n".repeat(8000)), ""),
            (String::new(), "more: 1\n"),
            (String::new(), "---\na: b\n"),
            (String::new(), "- [\n"),
            ("---\n".to_owned(), ""),
            ("- &x a\n".to_owned(), "- *x\n"),
            ("- \tb: c\n  d\n".to_owned(), ""),
        ] {
            let text = text("", &middle, end);
            let (list, whole) = (parse_list(&text, "groups"), parse(&text));
            assert_eq!(list.error, whole.error);
            assert_eq!(list.documents.len(), whole.documents.len());
            for (a, b) in list.documents.iter().zip(&whole.documents) {
                assert_eq!((&a.root, &a.faults), (&b.root, &b.faults));
            }
        }
    }
}
