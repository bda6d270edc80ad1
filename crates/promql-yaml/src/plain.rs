//! The YAML that most files are written in, read without a parser for all of it.
//!
//! Rule files are block mappings and block lists, whose scalars stand on one line or below a `|` or `>`.
//! For these the lines tell everything: how far they are indented, whether they begin with `- `, where the
//! key ends. That takes a quarter of the time that events take. What is anything else (flow collections
//! and anchors, tabs, scalars over several lines, escapes beyond the usual, things that are wrong) is left
//! to the parser: [`read`] gives nothing then. It never gives anything else than what is made of the
//! parser's events; tests compare the two.

use std::borrow::Cow;
use std::ops::Range;

use crate::compose::report_repeated;
use crate::{Document, Entry, Fault, Node, Stream, Style, Value};

/// How deep values may be nested here. It is the depth of a recursion.
const DEEPEST: usize = 32;

/// The longest key. YAML allows for 1024 characters.
const LONGEST_KEY: usize = 128;

/// Reads a part of a text that begins at a byte of the whole; nothing if it isn't plain.
pub(crate) fn read(text: &str, base: usize) -> Option<Stream<'_>> {
    if !text.bytes().all(|byte| byte >= b' ' && byte != 0x7f || byte == b'\n')
        || !text.is_ascii() && !text.chars().all(is_printable)
    {
        return None;
    }
    let mut reader = Reader { text, base, at: 0, end: 0, depth: 0, faults: Vec::new() };
    let indent = reader.peek()?;
    let root = reader.block(indent)?;
    if reader.peek().is_some() {
        return None;
    }
    let document = Document { separator: None, root: Some(root), faults: reader.faults };
    Some(Stream { documents: vec![document], error: None })
}

/// Whether a character is one of a text, and neither a line break nor a mark of byte order.
fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..)
        && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

struct Reader<'a> {
    text: &'a str,
    /// Where the text begins in the whole.
    base: usize,
    /// The beginning of a line: what is before was read.
    at: usize,
    /// Where the last value ended.
    end: usize,
    depth: usize,
    faults: Vec<Fault>,
}

impl<'a> Reader<'a> {
    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// The place behind blanks.
    fn skip_blanks(&self, mut at: usize) -> usize {
        while self.byte(at) == Some(b' ') {
            at += 1;
        }
        at
    }

    /// The end of the line that a place is in: at its line break, or the end of the text.
    fn line_end(&self, at: usize) -> usize {
        let rest = self.text.as_bytes().get(at..).unwrap_or_default();
        memchr::memchr(b'\n', rest).map_or(self.text.len(), |length| at + length)
    }

    /// Goes to the next line with something other than a comment, and gives its indentation; nothing at
    /// the end.
    fn peek(&mut self) -> Option<usize> {
        loop {
            let content = self.skip_blanks(self.at);
            match self.byte(content)? {
                b'\n' => self.at = content + 1,
                b'#' => self.at = (self.line_end(content) + 1).min(self.text.len()),
                _ => return Some(content - self.at),
            }
        }
    }

    fn node(&self, span: Range<usize>, value: Value<'a>) -> Node<'a> {
        Node::new(self.base + span.start..self.base + span.end, value, None)
    }

    /// The list or mapping that begins in this line.
    fn block(&mut self, indent: usize) -> Option<Node<'a>> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let start = self.at + indent;
        let node = match self.is_item(start) {
            true => self.sequence(indent),
            false => self.mapping(indent, start),
        };
        self.depth -= 1;
        node
    }

    fn is_item(&self, at: usize) -> bool {
        self.byte(at) == Some(b'-') && self.byte(at + 1) == Some(b' ')
    }

    fn sequence(&mut self, indent: usize) -> Option<Node<'a>> {
        let start = self.at + indent;
        let mut items = Vec::new();
        while let Some(found) = self.peek().filter(|found| *found >= indent) {
            let dash = self.at + indent;
            if found > indent {
                return None;
            }
            if !self.is_item(dash) {
                break;
            }
            let content = self.skip_blanks(dash + 1);
            items.push(match self.key_end(content) {
                Some(_) => self.deeper_mapping(content)?,
                None => self.scalar(content, indent)?,
            });
        }
        Some(self.node(start..self.end, Value::Sequence(items)))
    }

    /// A mapping that begins behind a dash.
    fn deeper_mapping(&mut self, start: usize) -> Option<Node<'a>> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let node = self.mapping(start - self.at, start);
        self.depth -= 1;
        node
    }

    /// The place of the colon behind a key, if there is a key.
    fn key_end(&self, start: usize) -> Option<usize> {
        let rest = self.text.as_bytes().get(start..)?;
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-./".contains(byte);
        let length = rest.iter().take(LONGEST_KEY).take_while(|byte| is_word(byte)).count();
        let is_key = rest.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
            && rest.get(length) == Some(&b':')
            && matches!(rest.get(length + 1), None | Some(b' ' | b'\n'));
        is_key.then_some(start + length)
    }

    fn mapping(&mut self, indent: usize, start: usize) -> Option<Node<'a>> {
        let mut entries = Vec::new();
        let mut at = start;
        loop {
            let colon = self.key_end(at)?;
            let text = Cow::Borrowed(&self.text[at..colon]);
            let key = self.node(at..colon, Value::Scalar { text, style: Style::Plain });
            let content = self.skip_blanks(colon + 1);
            let value = match self.byte(content)? {
                b'\n' | b'#' => {
                    self.at = (self.line_end(content) + 1).min(self.text.len());
                    let found = self.peek()?;
                    if found > indent {
                        self.block(found)?
                    } else if found == indent && self.is_item(self.at + indent) {
                        self.sequence(indent)?
                    } else {
                        return None;
                    }
                }
                _ => self.scalar(content, indent)?,
            };
            entries.push(Entry { key, value, is_merged: false });
            match self.peek() {
                Some(found) if found > indent => return None,
                Some(found) if found == indent => at = self.at + indent,
                _ => break,
            }
        }
        report_repeated(&entries, &mut self.faults);
        Some(self.node(start..self.end, Value::Mapping(entries)))
    }

    /// A scalar within a list or mapping that is indented so far.
    fn scalar(&mut self, start: usize, indent: usize) -> Option<Node<'a>> {
        match self.byte(start)? {
            b'|' | b'>' => self.block_scalar(start, indent),
            b'"' => self.quoted(start, Style::DoubleQuoted),
            b'\'' => self.quoted(start, Style::SingleQuoted),
            byte => {
                let begins = byte.is_ascii_alphanumeric()
                    || !byte.is_ascii()
                    || b"_(/.$+~".contains(&byte)
                    || byte == b'-'
                        && self.byte(start + 1).is_some_and(|next| next.is_ascii_alphanumeric());
                if begins { self.unquoted(start, indent) } else { None }
            }
        }
    }

    fn unquoted(&mut self, start: usize, indent: usize) -> Option<Node<'a>> {
        let line_end = self.line_end(start);
        let mut end = line_end;
        let line = &self.text.as_bytes()[start..line_end];
        for at in memchr::memchr2_iter(b':', b'#', line) {
            match line[at] {
                b':' if matches!(line.get(at + 1), None | Some(b' ')) => return None,
                b'#' if at > 0 && line[at - 1] == b' ' => {
                    end = start + at;
                    break;
                }
                _ => {}
            }
        }
        let text = self.text[start..end].trim_end_matches(' ');
        self.end = start + text.len();
        let value = Value::Scalar { text: Cow::Borrowed(text), style: Style::Plain };
        let node = self.node(start..self.end, value);
        self.at = (line_end + 1).min(self.text.len());
        // The text goes on in the next line.
        if self.peek().is_some_and(|found| found > indent) {
            return None;
        }
        Some(node)
    }

    fn quoted(&mut self, start: usize, style: Style) -> Option<Node<'a>> {
        let line_end = self.line_end(start);
        let inner = start + 1;
        let line = self.text.get(inner..line_end)?;
        let (length, text) = match style {
            Style::DoubleQuoted => double_quoted(line)?,
            _ => single_quoted(line)?,
        };
        let end = inner + length + 1;
        let behind = self.skip_blanks(end);
        match self.byte(behind) {
            None | Some(b'\n') => {}
            Some(b'#') if behind > end => {}
            Some(_) => return None,
        }
        self.end = end;
        self.at = (line_end + 1).min(self.text.len());
        Some(self.node(start..end, Value::Scalar { text, style }))
    }

    /// A literal or folded scalar whose lines are all indented by as much.
    fn block_scalar(&mut self, start: usize, indent: usize) -> Option<Node<'a>> {
        let header_end = self.line_end(start);
        let (style, keeps_end) = match &self.text[start..header_end] {
            "|" => (Style::Literal, true),
            "|-" => (Style::Literal, false),
            ">" => (Style::Folded, true),
            ">-" => (Style::Folded, false),
            _ => return None,
        };
        let first = header_end + 1;
        let content = self.skip_blanks(first);
        let width = content.checked_sub(first)?;
        if width <= indent || matches!(self.byte(content), None | Some(b'\n')) {
            return None;
        }
        let mut text = String::new();
        let mut at = first;
        let mut breaks = 0;
        while at < self.text.len() {
            let content = self.skip_blanks(at);
            let line_end = self.line_end(at);
            if content == line_end {
                // Blanks beyond the indentation would be text.
                if content - at > width {
                    return None;
                }
                breaks += 1;
            } else if content - at < width {
                break;
            } else {
                if style == Style::Folded && content - at > width {
                    return None;
                }
                match (style, breaks) {
                    (_, 0) => {}
                    (Style::Folded, 1) => text.push(' '),
                    (Style::Folded, more) => text.extend(std::iter::repeat_n('\n', more - 1)),
                    (_, more) => text.extend(std::iter::repeat_n('\n', more)),
                }
                text.push_str(&self.text[at + width..line_end]);
                breaks = 1;
            }
            // A last line that doesn't end is read in ways of its own.
            if line_end == self.text.len() {
                return None;
            }
            at = line_end + 1;
        }
        if keeps_end {
            text.push('\n');
        }
        // What comes behind begins at its first character, if there is something.
        self.end = self.skip_blanks(at);
        let node = self.node(start..at, Value::Scalar { text: Cow::Owned(text), style });
        self.at = at;
        Some(node)
    }
}

/// A text in double quotes, from behind the first one: how long it is as it is written, and the text.
fn double_quoted(line: &str) -> Option<(usize, Cow<'_, str>)> {
    let bytes = line.as_bytes();
    let first = memchr::memchr2(b'"', b'\\', bytes)?;
    if bytes[first] == b'"' {
        return Some((first, Cow::Borrowed(&line[..first])));
    }
    let mut text = String::with_capacity(line.len());
    let mut at = 0;
    loop {
        let next = at + memchr::memchr2(b'"', b'\\', &bytes[at..])?;
        text.push_str(&line[at..next]);
        if bytes[next] == b'"' {
            return Some((next, Cow::Owned(text)));
        }
        text.push(match bytes.get(next + 1)? {
            b'"' => '"',
            b'\\' => '\\',
            b'n' => '\n',
            b't' => '\t',
            _ => return None,
        });
        at = next + 2;
    }
}

/// A text in single quotes likewise.
fn single_quoted(line: &str) -> Option<(usize, Cow<'_, str>)> {
    let bytes = line.as_bytes();
    let first = memchr::memchr(b'\'', bytes)?;
    if bytes.get(first + 1) != Some(&b'\'') {
        return Some((first, Cow::Borrowed(&line[..first])));
    }
    let mut text = String::with_capacity(line.len());
    let mut at = 0;
    loop {
        let next = at + memchr::memchr(b'\'', &bytes[at..])?;
        text.push_str(&line[at..next]);
        if bytes.get(next + 1) != Some(&b'\'') {
            return Some((next, Cow::Owned(text)));
        }
        text.push('\'');
        at = next + 2;
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use proptest::prelude::*;

    use super::*;
    use crate::compose::parse_events;

    /// Compares both ways of reading a text; whether it is plain.
    fn check(text: &str) -> bool {
        let Some(plain) = read(text, 7) else { return false };
        let whole = parse_events(text, 7);
        assert_eq!(plain.error, whole.error, "{text:?}");
        assert_eq!(plain.documents.len(), whole.documents.len(), "{text:?}");
        for (a, b) in plain.documents.iter().zip(&whole.documents) {
            assert_eq!(
                (&a.root, &a.faults, &a.separator),
                (&b.root, &b.faults, &b.separator),
                "{text:?}"
            );
        }
        true
    }

    #[test]
    fn plain_texts() {
        for text in [
            "a: 1",
            "a: 1\n",
            "# c\n\na: b c  # d\nb:\n- x\n- y: 1\n  z: 2\n\n# e\n",
            "  a: (b)\n  c: ~\n",
            "- name: g\n  rules:\n  - alert: A\n    expr: |\n      up\n        == 0\n\n      # no\n    for: 5m\n",
            "a: >-\n  b\n  c\n\n\n  d\n\n\nb: >\n  x\n # c\nc: 1\n",
            "a: |\n  b\n  \n \nc: 'it''s' # d\nd: \"a \\\"b\\\\ \\n\"\n",
            "- a\n-   b: 1\n    c: 2\n- 'x'\n- -5\n- |-\n  y\n",
            "a:\n  - b:\n    - c\n    d: e\nf: g\na: h\n",
            "a: http://x#y:z\nb: é'\"{}[]\n",
            "- a:\n  - b\n- c:\n    - d\n",
            "a:   # c\n  b: 1\n",
        ] {
            assert!(check(text), "{text:?} is plain");
        }
    }

    #[test]
    fn texts_that_are_left_to_the_parser() {
        for text in [
            "",
            "# c\n",
            "a",
            "a:\n",
            "a: b: c\n",
            "a: [1]\n",
            "a: {b: c}\n",
            "a: &x b\n",
            "a: *x\n",
            "a: !t b\n",
            "a: b\n  c\n",
            "a: 'b\n  c'\n",
            "a: \"\\x41\"\n",
            "a: |2\n   b\n",
            "a: |+\n  b\n",
            "a: |\n\n  b\n",
            "a: |\n  b",
            "a: >\n  b\n   c\n",
            "a:\tb\n",
            "a: b\r\n",
            "---\na: b\n",
            "a: b\n...\n",
            "? a\n",
            "<<: b\n",
            "- - a\n",
            "-\n",
            "'a': b\n",
            "a: \"b\" c\n",
            "a: 'b'#c\n",
            "a: |\n  b\n    \n",
            "a: b\n c: d\n",
            " a: b\nc: d\n",
            "a: @b\n",
            "a: `b\n",
            "a: b:\n",
            "a: \u{feff}b\n",
            "a: |\n  b\n\u{85}",
            "- a\nb: c\n",
        ] {
            assert!(!check(text), "{text:?} is not plain");
        }
    }

    /// The YAML files below a folder.
    fn files(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                files(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "yml" || ending == "yaml") {
                found.push(path);
            }
        }
    }

    #[test]
    fn files_are_read_the_same_in_both_ways() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut paths = Vec::new();
        files(&root.join("corpus"), &mut paths);
        let conformance = std::env::var_os("PROMQL_CONFORMANCE_DIR")
            .map_or_else(|| root.join("../shared/conformance"), PathBuf::from);
        files(&conformance, &mut paths);
        assert!(paths.len() > 10, "there are files to read");
        let texts = paths.iter().filter_map(|path| std::fs::read_to_string(path).ok());
        let plain = texts.filter(|text| check(text)).count();
        assert!(plain > 5, "only {plain} of {} files are plain", paths.len());
    }

    fn lines() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "a: ",
            "b:",
            "- ",
            "c",
            "'d'",
            "\"e\\\"\"",
            "|",
            "|-",
            ">",
            ">-",
            " # f",
            "#",
            "it''s",
            ": ",
            "é",
            "5m",
            "  ",
            "-",
            "{g: h}",
            "x: y",
            "~",
        ]);
        let line = (0..7_usize, prop::collection::vec(piece, 0..4))
            .prop_map(|(indent, pieces)| " ".repeat(indent) + &pieces.concat());
        prop::collection::vec(line, 0..9).prop_map(|lines| lines.join("\n"))
    }

    /// Mappings and lists as they are, with values of all kinds.
    fn tidy() -> impl Strategy<Value = String> {
        let scalar = prop::sample::select(vec![
            "1",
            "a b",
            "'it''s'",
            "\"x\"",
            "|\n@a\n@b",
            ">-\n@a\n@b\n\n@c",
            "|-\n@a\n@  b\n",
            "a # c",
            "~",
            ">\n@a\n\n\n@b\n\n",
            "\n@a: 1",
            "\n@- a",
            "\n- a",
        ]);
        let entry = (prop::sample::select(vec!["k", "l", "m-n"]), scalar, 0..3_usize, 0..2_usize);
        prop::collection::vec(entry, 1..6).prop_map(|entries| {
            let mut text = String::new();
            for (key, value, width, blank) in entries {
                let value = value.replace('@', &" ".repeat(2 + width));
                text.push_str(&format!("{key}: {value}\n{}", "\n".repeat(blank)));
            }
            text
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]

        #[test]
        fn any_lines_are_read_the_same_in_both_ways(text in lines()) {
            check(&text);
            check(&(text + "\n"));
        }

        #[test]
        fn tidy_texts_are_read_the_same_in_both_ways(text in tidy(), indent in 0..3_usize) {
            check(&text);
            let item = text.trim_end().replace('\n', "\n  ");
            let list = format!("- {item}\n- {item}\n").replace('\n', &format!("\n{}", " ".repeat(indent)));
            check(&format!("{}{list}", " ".repeat(indent)));
        }
    }
}
