//! From the events of the YAML parser to nodes.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, StructureStyle, Tag};

use crate::{Document, Entry, Fault, FaultKind, Node, Stream, Style, Value, plain};

/// How many values a text may have, those of aliases counted each time. Aliases of aliases could
/// otherwise make a huge tree of a small file.
const MOST_NODES: usize = 10_000_000;

/// How many values aliases may add.
const MOST_ALIASED: usize = 1_000_000;

/// How deep values may be nested.
const DEEPEST: usize = 200;

/// The most keys of a mapping that are compared each with each.
const FEW_KEYS: usize = 16;

/// Reads all documents of a text, up to the first thing that isn't YAML.
///
/// ```
/// let stream = promql_yaml::parse("a: 1\n---\nb: [\n");
/// assert_eq!(stream.documents.len(), 1);
/// assert!(stream.error.is_some());
/// ```
pub fn parse(text: &str) -> Stream<'_> {
    parse_part(text, 0)
}

/// Reads a part of a text that begins at a byte of the whole. All places are those of the whole.
pub(crate) fn parse_part(text: &str, base: usize) -> Stream<'_> {
    plain::read(text, base).unwrap_or_else(|| parse_events(text, base))
}

/// The same by the events of the parser, whatever the text is like.
pub(crate) fn parse_events(text: &str, base: usize) -> Stream<'_> {
    let mut options = granit_parser::options! {
        block_scalar_eof_without_line_feed: true,
        // Scripts for jsonnet and Helm can make long flow keys; the limit of the YAML specification
        // holds for them in upstream's reader too.
        simple_key_max_lookahead: 1024,
    };
    options.set_emit_comments(false);
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut composer = Composer { text, base, ..Composer::default() };
    loop {
        let (event, span) = match parser.next() {
            None => break,
            Some(Ok(event)) => event,
            Some(Err(error)) => {
                let at = error.marker().byte_offset().unwrap_or(text.len());
                let mut fault = syntax_fault(text, at, error.kind(), &error.info());
                fault.span = composer.placed(fault.span);
                composer.stream.error = Some(fault);
                break;
            }
        };
        let start = span.start.byte_offset().unwrap_or(text.len());
        let end = span.end.byte_offset().unwrap_or(start).max(start);
        if let Err(fault) = composer.take(event, start..end) {
            composer.stream.error = Some(fault);
            break;
        }
    }
    composer.stream
}

/// What the parser complained about.
fn syntax_fault(text: &str, at: usize, kind: &ErrorKind, info: &str) -> Fault {
    let at = floor_char_boundary(text, at);
    if info.contains("found a tab") {
        // The parser tells where the text begins that the tab is in.
        let tab = text[at..].find("\n\t").map_or(at, |newline| at + newline + 1);
        let reason = "a line is indented by a tab".to_owned();
        return Fault { kind: FaultKind::Syntax(reason), span: tab..(tab + 1).min(text.len()) };
    }
    let length = text[at..].chars().next().map_or(0, char::len_utf8);
    let kind = match kind {
        ErrorKind::UnknownAnchor => {
            let name = text[at..].trim_start_matches('*');
            let name = name.split(|c: char| c.is_whitespace() || ",[]{}".contains(c)).next();
            FaultKind::UnknownAnchor(name.unwrap_or_default().to_owned())
        }
        _ => FaultKind::Syntax(info.to_owned()),
    };
    Fault { kind, span: at..at + length }
}

fn floor_char_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The tree while it grows.
#[derive(Default)]
struct Composer<'a> {
    text: &'a str,
    /// Where the text begins in the whole.
    base: usize,
    stream: Stream<'a>,
    document: Option<Document<'a>>,
    open: Vec<Open<'a>>,
    /// The values with anchors, and how many values each has.
    anchors: HashMap<usize, (Node<'a>, usize)>,
    nodes: usize,
    aliased: usize,
    /// Where the last event ended.
    at: usize,
}

/// A list or mapping whose end was not seen yet.
struct Open<'a> {
    node: Node<'a>,
    anchor: usize,
    /// The key of a mapping whose value was not seen yet.
    key: Option<Node<'a>>,
    /// How many values were there before it.
    before: usize,
}

impl<'a> Composer<'a> {
    /// A place of the text in the whole.
    fn placed(&self, span: Range<usize>) -> Range<usize> {
        self.base + span.start..self.base + span.end
    }

    fn take(&mut self, event: Event<'a>, span: Range<usize>) -> Result<(), Fault> {
        let end = if span.is_empty() { self.at } else { span.end };
        match event {
            Event::DocumentStart(explicit, version) => {
                let at = span.start;
                let separator = explicit.then(|| self.placed(span));
                let mut faults = Vec::new();
                if let Some(version) = version.filter(|v| (v.major, v.minor) != (1, 1)) {
                    let kind = FaultKind::Version(version.major, version.minor);
                    let span = self.placed(directive(self.text, at));
                    faults.push(Fault { kind, span });
                }
                self.document = Some(Document { separator, root: None, faults });
                self.anchors.clear();
            }
            Event::DocumentEnd => self.stream.documents.extend(self.document.take()),
            Event::Scalar(text, style, anchor, tag) => {
                let node = self.scalar(text, style, tag.as_deref(), span);
                self.place(node, anchor, 1)?;
            }
            Event::SequenceStart(style, anchor, tag) => {
                // The parser gives a list that isn't indented from its first value on.
                let is_block = style == StructureStyle::Block;
                let mark = if is_block { self.mark(b"-", span.start) } else { None };
                let span = mark.unwrap_or(span.start)..span.end;
                self.open(span, Value::Sequence(Vec::new()), anchor, tag.as_deref())?;
            }
            Event::MappingStart(_, anchor, tag) => {
                self.open(span, Value::Mapping(Vec::new()), anchor, tag.as_deref())?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span)?,
            Event::Alias(anchor) => self.add_alias(span, anchor)?,
            _ => {}
        }
        self.at = self.at.max(end);
        Ok(())
    }

    fn scalar(
        &self,
        text: Cow<'a, str>,
        style: ScalarStyle,
        tag: Option<&Tag>,
        span: Range<usize>,
    ) -> Node<'a> {
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted => Style::SingleQuoted,
            ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
            ScalarStyle::Literal => Style::Literal,
            ScalarStyle::Folded => Style::Folded,
        };
        // What isn't written is given as `~`.
        let text = if style == Style::Plain && span.is_empty() { Cow::Borrowed("") } else { text };
        let span = if style.is_block() { self.block_span(span) } else { span };
        let span = self.placed(span);
        Node::new(span, Value::Scalar { text, style }, tag_text(tag))
    }

    /// Where one of some marks is that a value begins with, from the end of the last event up to a
    /// byte. Between are only blanks, comments, other marks, a tag and an anchor.
    fn mark(&self, marks: &[u8], until: usize) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let mut at = self.at;
        while at < until {
            match bytes[at] {
                byte if marks.contains(&byte) => return Some(at),
                b'#' => at = memchr::memchr(b'\n', &bytes[at..]).map_or(until, |n| at + n),
                b'&' | b'!' => {
                    let length = bytes[at..].iter().position(u8::is_ascii_whitespace);
                    at += length.unwrap_or(bytes.len() - at);
                }
                _ => at += 1,
            }
        }
        None
    }

    /// The parser gives a block scalar from its first text on; it begins with its `|` or `>`.
    fn block_span(&self, span: Range<usize>) -> Range<usize> {
        let start = self.mark(b"|>", span.end).unwrap_or(span.start);
        // The indentation of what comes next is no part of it.
        let written = &self.text[start..span.end];
        let trimmed = written.trim_end_matches(' ');
        let end = match trimmed.ends_with('\n') && span.end < self.text.len() {
            true => start + trimmed.len(),
            false => span.end,
        };
        start..end
    }

    fn open(
        &mut self,
        span: Range<usize>,
        value: Value<'a>,
        anchor: usize,
        tag: Option<&Tag>,
    ) -> Result<(), Fault> {
        if self.open.len() == DEEPEST {
            let kind = FaultKind::TooLarge(format!("values are nested more than {DEEPEST} deep"));
            return Err(Fault { kind, span: self.placed(span) });
        }
        let before = self.nodes;
        let span = self.placed(span);
        let node = Node::new(span, value, tag_text(tag));
        self.open.push(Open { node, anchor, key: None, before });
        Ok(())
    }

    fn close(&mut self, end: Range<usize>) -> Result<(), Fault> {
        let Some(mut open) = self.open.pop() else { return Ok(()) };
        let start = open.node.span.start - self.base;
        // A block ends where the last thing in it ends, not where the next begins.
        open.node.span.end = self.base
            + match end.is_empty() {
                true => self.at.clamp(start, end.end.max(start)),
                false => end.end,
            };
        if let Value::Mapping(entries) = &mut open.node.value
            && let Some(document) = &mut self.document
        {
            report_repeated(entries, &mut document.faults);
            merge(entries, &mut document.faults);
        }
        let size = self.nodes - open.before;
        self.nodes -= size;
        self.place(open.node, open.anchor, size + 1)
    }

    fn add_alias(&mut self, span: Range<usize>, anchor: usize) -> Result<(), Fault> {
        let Some((node, size)) = self.anchors.get(&anchor) else {
            let name = self.text[span.clone()].trim_start_matches('*').to_owned();
            return Err(Fault { kind: FaultKind::Recursive(name), span: self.placed(span) });
        };
        let span = self.placed(span);
        let size = *size;
        self.aliased += size;
        if self.aliased > MOST_ALIASED {
            let kind =
                FaultKind::TooLarge(format!("aliases stand for more than {MOST_ALIASED} values"));
            return Err(Fault { kind, span });
        }
        let mut node = node.clone();
        node.set_alias(span);
        self.place(node, 0, size)
    }

    /// Puts a value where it belongs.
    fn place(&mut self, node: Node<'a>, anchor: usize, size: usize) -> Result<(), Fault> {
        self.nodes += size;
        if self.nodes > MOST_NODES {
            let kind = FaultKind::TooLarge(format!("there are more than {MOST_NODES} values"));
            return Err(Fault { kind, span: node.span });
        }
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
        match self.open.last_mut() {
            None => {
                if let Some(document) = &mut self.document {
                    let is_empty = node.span.is_empty() && node.is_null();
                    document.root = (!is_empty).then_some(node);
                }
            }
            Some(open) => match (&mut open.node.value, open.key.take()) {
                (Value::Sequence(items), _) => items.push(node),
                (Value::Mapping(entries), Some(key)) => {
                    entries.push(Entry { key, value: node, is_merged: false });
                }
                (Value::Mapping(_), None) => open.key = Some(node),
                (Value::Scalar { .. }, _) => {}
            },
        }
        Ok(())
    }
}

fn tag_text(tag: Option<&Tag>) -> Option<Box<str>> {
    tag.map(|tag| format!("{}{}", tag.handle(), tag.suffix()).into_boxed_str())
}

/// The `%YAML` line in front of a `---`.
fn directive(text: &str, before: usize) -> Range<usize> {
    let start = text[..before].rfind("%YAML").unwrap_or(before);
    let line = text[start..].lines().next().unwrap_or_default();
    start..start + line.trim_end().len()
}

/// Finds keys that a mapping has twice. Upstream compares what is written, not what it stands for.
pub(crate) fn report_repeated(entries: &[Entry<'_>], faults: &mut Vec<Fault>) {
    let mut report = |first: &Entry<'_>, again: &Entry<'_>| {
        let key = again.key.text().unwrap_or_default().to_owned();
        let kind = FaultKind::DuplicateKey { key, first: first.key.span.clone() };
        faults.push(Fault { kind, span: again.key.span.clone() });
    };
    if entries.len() <= FEW_KEYS {
        for (at, entry) in entries.iter().enumerate() {
            let Some(key) = entry.key.text() else { continue };
            if let Some(first) = entries[..at].iter().find(|e| e.key.text() == Some(key)) {
                report(first, entry);
            }
        }
        return;
    }
    let mut firsts: HashMap<&str, &Entry<'_>> = HashMap::with_capacity(entries.len());
    for entry in entries {
        let Some(key) = entry.key.text() else { continue };
        match firsts.get(key) {
            Some(first) => report(first, entry),
            None => drop(firsts.insert(key, entry)),
        }
    }
}

/// Puts the entries of what merge keys name behind those of the mapping itself, which win.
fn merge(entries: &mut Vec<Entry<'_>>, faults: &mut Vec<Fault>) {
    let is_merge_key = |entry: &Entry<'_>| {
        matches!(&entry.key.value, Value::Scalar { text, style: Style::Plain } if text == "<<")
            && entry.key.tag().is_none_or(|tag| tag == "tag:yaml.org,2002:merge")
    };
    if !entries.iter().any(is_merge_key) {
        return;
    }
    let mut sources = Vec::new();
    let mut own = Vec::with_capacity(entries.len());
    for entry in entries.drain(..) {
        match is_merge_key(&entry) {
            true => sources.push(entry.value),
            false => own.push(entry),
        }
    }
    let mut seen: HashSet<String> =
        own.iter().filter_map(|entry| entry.key.text()).map(str::to_owned).collect();
    for source in sources {
        let span = source.alias().unwrap_or(source.span.clone());
        let parts = match source.value {
            Value::Sequence(items) => items,
            value => vec![Node { value, ..source }],
        };
        for part in parts {
            let alias = part.alias();
            let Value::Mapping(added) = part.value else {
                faults.push(Fault { kind: FaultKind::BadMerge, span: span.clone() });
                continue;
            };
            for mut entry in added {
                if entry.key.text().is_some_and(|key| seen.insert(key.to_owned())) {
                    entry.is_merged = true;
                    if let (None, Some(alias)) = (entry.value.alias(), alias.clone()) {
                        entry.value.set_alias(alias);
                    }
                    own.push(entry);
                }
            }
        }
    }
    *entries = own;
}
