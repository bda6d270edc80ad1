//! Large files in parts.
//!
//! Reading YAML takes longer than all that is done with a rule file afterwards. But nearly all of a
//! large one is one list, and where an item of it begins can be seen without reading what is before: at
//! a `-` that is indented as far as the first one. Such a line can also be a part of a text in quotes, but
//! then the text isn't closed in the part before it, and that part isn't YAML. So when the parts, each
//! read by itself, are lists, they are the list that the whole has; and in all other cases, as when an
//! alias leads to another part, the whole is read at once.
//!
//! Parts can be read on several threads, and what they hold can be let go before the next one is read:
//! a part fits into the cache of a processor, and memory is used again that is there already.

use std::ops::Range;

use rayon::prelude::*;

use crate::compose::{parse, parse_part};
use crate::{Document, Fault, Node, Stream, Value};

/// Shorter texts aren't worth the effort.
const LARGE: usize = 128 * 1024;

/// How long a part is, in bytes; its tree is about four times as large.
const PART: usize = 64 * 1024;

/// Reads all documents of a text like [`parse`], and with the same result, but on several threads if it
/// is large and nearly all of it is a list: the value of a key of the outermost mapping, the last one.
pub fn parse_list<'a>(text: &'a str, key: &str) -> Stream<'a> {
    let stream = ListParts::new(text, key).and_then(|parts| parts.whole());
    stream.unwrap_or_else(|| parse(text))
}

/// A large text of which nearly all is a list, the value of the last key of the outermost mapping; cut
/// between items of the list.
///
/// ```
/// let text = format!("groups:\n{}", "- name: a\n  rules: []\n".repeat(10_000));
/// let parts = promql_yaml::ListParts::new(&text, "groups").unwrap();
/// let items = parts.ranges().iter().map(|range| parts.read(range).unwrap().items.len());
/// assert_eq!(items.sum::<usize>(), 10_000);
/// ```
#[derive(Clone, Debug)]
pub struct ListParts<'a> {
    text: &'a str,
    /// The one document, without the list.
    document: Document<'a>,
    ranges: Vec<Range<usize>>,
}

/// A part of a list.
#[derive(Clone, Debug)]
pub struct ListPart<'a> {
    /// Its items, with their places in the whole text.
    pub items: Vec<Node<'a>>,
    /// Where they stand.
    pub span: Range<usize>,
    /// What is wrong with them although they could be read.
    pub faults: Vec<Fault>,
}

impl<'a> ListParts<'a> {
    /// Cuts a text. Nothing if it isn't large, or if what is before the list isn't what is expected.
    pub fn new(text: &'a str, key: &str) -> Option<ListParts<'a>> {
        if text.len() < LARGE {
            return None;
        }
        let first = first_item(text, key)?;
        let (head, list) = text.split_at(first.start);
        let mark = format!("\n{}- ", " ".repeat(first.len()));
        let ranges = cut(list, first.start, &mark, PART);
        if ranges.len() < 2 {
            return None;
        }
        let document = only_document(parse(head))?;
        let Value::Mapping(entries) = &document.root.as_ref()?.value else { return None };
        let entry = entries.last().filter(|entry| entry.key.text() == Some(key))?;
        // Without what is below it, the key has no value.
        let is_empty = entry.value.is_null() && entry.value.span.is_empty();
        is_empty.then_some(ListParts { text, document, ranges })
    }

    /// The document as if there were no list.
    pub fn document(&self) -> &Document<'a> {
        &self.document
    }

    /// Where the parts are, in bytes of the text.
    pub fn ranges(&self) -> &[Range<usize>] {
        &self.ranges
    }

    /// Reads a part. Nothing if it is not a list by itself: then no part means what it seems to, and
    /// the text must be read as a whole.
    pub fn read(&self, range: &Range<usize>) -> Option<ListPart<'a>> {
        items(parse_part(self.text.get(range.clone())?, range.start))
    }

    /// All of the text, its parts read on several threads.
    fn whole(mut self) -> Option<Stream<'a>> {
        let parts: Option<Vec<ListPart<'a>>> =
            self.ranges.par_iter().map(|range| self.read(range)).collect();
        let mut all = Vec::new();
        let end_of_head = self.ranges.first().map_or(0, |range| range.start);
        let (mut start, mut end) = (None, end_of_head);
        for part in parts? {
            start.get_or_insert(part.span.start);
            end = part.span.end;
            all.extend(part.items);
            self.document.faults.extend(part.faults);
        }
        let root = self.document.root.as_mut()?;
        root.span.end = end;
        let Value::Mapping(entries) = &mut root.value else { return None };
        let span = start.unwrap_or(end)..end;
        entries.last_mut()?.value = Node::new(span, Value::Sequence(all), None);
        Some(Stream { documents: vec![self.document], error: None })
    }
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

/// The items, if there is nothing but a list.
fn items(stream: Stream<'_>) -> Option<ListPart<'_>> {
    let document = only_document(stream)?;
    let root = document.root?;
    let is_plain = root.tag().is_none() && root.alias().is_none();
    match root.value {
        Value::Sequence(items) if is_plain => {
            Some(ListPart { items, span: root.span, faults: document.faults })
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
        let parts = ListParts::new(text, "groups").and_then(|parts| parts.whole());
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
