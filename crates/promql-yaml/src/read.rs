//! From nodes to values of a type, as a form to be filled in.
//!
//! A [`Reader`] answers with what it could read and remembers a [`Finding`] for what it couldn't, so
//! that one pass over a file tells everything that is wrong in it.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use promql_model::parse_duration;

use crate::finding::Finding;
use crate::{Document, Entry, Fault, FaultKind, Kind, Node, Positions, Resolved, Style, Value};

/// Which of upstream's two YAML readers is followed in what is accepted and in upstream's words. The
/// one of rule files follows YAML 1.2 more closely, the one of unit-test files is older.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// Rule files.
    Rules,
    /// Unit-test files.
    UnitTests,
}

/// A mapping with known keys.
#[derive(Clone, Copy, Debug)]
pub struct Shape<'k> {
    /// What upstream calls it in its messages, as `rulefmt.Rule`.
    pub upstream: &'static str,
    /// What a person calls it, as `rule`.
    pub noun: &'static str,
    /// Its keys.
    pub keys: &'k [&'static str],
}

/// The fields of a mapping that was read by a [`Shape`].
#[derive(Clone, Copy, Debug)]
pub struct Fields<'n, 'a> {
    node: &'n Node<'a>,
}

impl<'n, 'a> Fields<'n, 'a> {
    /// The mapping.
    pub fn node(&self) -> &'n Node<'a> {
        self.node
    }

    /// A key with its value, which may be null.
    pub fn entry(&self, key: &str) -> Option<&'n Entry<'a>> {
        self.node.entries().iter().find(|entry| entry.key.text() == Some(key))
    }

    /// The value of a key unless it is null.
    pub fn get(&self, key: &str) -> Option<&'n Node<'a>> {
        self.entry(key).map(|entry| &entry.value).filter(|value| !value.is_null())
    }
}

/// A text from the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The text.
    pub value: String,
    /// The bytes of the file that it is written with, as those of [`Node::span`].
    pub span: Range<usize>,
    /// How it is written.
    pub style: Style,
}

impl Text {
    /// No text, at a place where there could be one.
    pub const fn empty(span: Range<usize>) -> Text {
        Text { value: String::new(), span, style: Style::Plain }
    }

    /// Where its bytes are in the file.
    pub fn positions(&self, file: &str) -> Positions {
        Positions::new(file, &self.span, &self.value, self.style)
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.value.is_empty()
    }
}

/// A value with the bytes of the file that it is written with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    start: usize,
    end: usize,
}

impl<T> Spanned<T> {
    /// A value with its place.
    pub const fn new(value: T, span: Range<usize>) -> Spanned<T> {
        Spanned { value, start: span.start, end: span.end }
    }

    /// The bytes of the file that it is written with.
    pub const fn span(&self) -> Range<usize> {
        self.start..self.end
    }
}

/// Reads values and collects what is wrong with them.
#[derive(Debug)]
pub struct Reader<'a> {
    file: &'a str,
    flavour: Flavour,
    ignore_unknown: bool,
    findings: Vec<Finding>,
    lines: Arc<OnceLock<Vec<usize>>>,
}

impl<'a> Reader<'a> {
    /// A reader of nodes of a file.
    pub fn new(file: &'a str, flavour: Flavour) -> Reader<'a> {
        let lines = Arc::default();
        Reader { file, flavour, ignore_unknown: false, findings: Vec::new(), lines }
    }

    /// Another reader of the same file in the same way, which has found nothing yet: for a part that
    /// another thread reads.
    #[must_use]
    pub fn sibling(&self) -> Reader<'a> {
        Reader { findings: Vec::new(), lines: Arc::clone(&self.lines), ..*self }
    }

    /// Lets keys that nobody knows pass.
    #[must_use]
    pub fn ignoring_unknown_keys(self, ignore: bool) -> Reader<'a> {
        Reader { ignore_unknown: ignore, ..self }
    }

    /// The file.
    pub fn file(&self) -> &'a str {
        self.file
    }

    /// Remembers something.
    pub fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Everything that was found.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Everything that was found, once: what an alias repeats is told once.
    pub fn into_findings(self) -> Vec<Finding> {
        let mut findings = self.findings;
        findings.sort_by_key(|finding| finding.span.start);
        findings.dedup();
        findings
    }

    /// Takes over what another reader found.
    pub fn extend(&mut self, findings: impl IntoIterator<Item = Finding>) {
        self.findings.extend(findings);
    }

    /// The line of a byte, from 1.
    pub fn line(&self, at: usize) -> usize {
        let starts = self.lines.get_or_init(|| {
            memchr::memchr_iter(b'\n', self.file.as_bytes()).map(|newline| newline + 1).collect()
        });
        starts.partition_point(|start| *start <= at) + 1
    }

    /// The column of a byte in its line, in characters from 1.
    pub fn column(&self, at: usize) -> usize {
        let before = self.file.get(..at).unwrap_or(self.file);
        before.chars().rev().take_while(|c| *c != '\n').count() + 1
    }

    /// Remembers what is wrong with a document as YAML. Of the unit-test flavour, keys that are there
    /// twice are only found where they are read.
    pub fn document(&mut self, document: &Document<'_>) {
        for fault in &document.faults {
            let is_duplicate = matches!(fault.kind, FaultKind::DuplicateKey { .. });
            if self.flavour == Flavour::Rules || !is_duplicate {
                self.fault(fault);
            }
        }
    }

    /// Remembers something that is wrong with a text as YAML.
    pub fn fault(&mut self, fault: &Fault) {
        let finding = match &fault.kind {
            FaultKind::DuplicateKey { key, first } => {
                let key = key.clone();
                return self.duplicate(&key, first.clone(), fault.span.clone(), None);
            }
            FaultKind::Syntax(reason) => {
                let upstream = format!("yaml: line {}: {reason}", self.line(fault.span.start));
                Finding::error(
                    "yaml::syntax",
                    fault.span.clone(),
                    format!("the file is not YAML that can be read: {reason}"),
                    "here",
                    syntax_help(self.file, fault.span.start),
                )
                .with_upstream(upstream)
            }
            FaultKind::UnknownAnchor(name) => Finding::error(
                "yaml::unknown-anchor",
                fault.span.clone(),
                format!("there is no anchor `&{name}` before this alias"),
                "an alias of nothing",
                "an alias `*name` repeats a value that was marked by `&name` before it in the same \
                 document; put quotes around a text that begins with `*`",
            )
            .with_upstream(format!("yaml: unknown anchor '{name}' referenced")),
            FaultKind::Recursive(name) => Finding::error(
                "yaml::recursive-alias",
                fault.span.clone(),
                format!("the value with the anchor `&{name}` contains itself"),
                "an alias of a value around it",
                "repeat another value, or write this one out",
            )
            .with_upstream(format!("yaml: anchor '{name}' value contains itself")),
            FaultKind::TooLarge(reason) => Finding::error(
                "yaml::too-large",
                fault.span.clone(),
                format!("the file is not read: {reason}"),
                "up to here it was read",
                "split the file",
            )
            .with_upstream("yaml: document contains excessive aliasing"),
            FaultKind::Version(major, minor) => Finding::error(
                "yaml::version",
                fault.span.clone(),
                format!("a server refuses a document of YAML {major}.{minor}"),
                "the reader of Prometheus only takes `%YAML 1.1` here",
                "remove the line",
            )
            .with_upstream("yaml: found incompatible YAML document"),
            FaultKind::BadMerge => Finding::error(
                "yaml::bad-merge",
                fault.span.clone(),
                "a merge key `<<` takes a mapping or a list of mappings",
                "this is neither",
                "name a mapping by its alias, as in `<<: *defaults`",
            )
            .with_upstream("yaml: map merge requires map or sequence of maps as the value"),
        };
        self.add(finding);
    }

    fn duplicate(
        &mut self,
        key: &str,
        first: Range<usize>,
        again: Range<usize>,
        shape: Option<&Shape<'_>>,
    ) {
        let (line, first_line) = (self.line(again.start), self.line(first.start));
        let upstream = match (self.flavour, shape) {
            (Flavour::Rules, _) => {
                format!("line {line}: mapping key {key:?} already defined at line {first_line}")
            }
            (Flavour::UnitTests, Some(shape)) => {
                format!("line {line}: field {key} already set in type {}", shape.upstream)
            }
            (Flavour::UnitTests, None) => format!("line {line}: key {key:?} already set in map"),
        };
        let finding = Finding::error(
            "yaml::duplicate-key",
            again,
            format!("the key `{key}` is already there, in line {first_line}"),
            "the same key again",
            "remove one of the two",
        );
        self.add(finding.with_upstream(upstream));
    }

    /// Finds keys that are there twice, where the document didn't tell.
    fn duplicates(&mut self, node: &Node<'_>, shape: Option<&Shape<'_>>) {
        if self.flavour == Flavour::Rules {
            return;
        }
        let entries = node.entries();
        for (at, entry) in entries.iter().enumerate() {
            let Some(key) = entry.key.text() else { continue };
            if let Some(first) = entries[..at].iter().find(|e| e.key.text() == Some(key)) {
                self.duplicate(key, first.key.span.clone(), entry.key.span.clone(), shape);
            }
        }
    }

    /// A mapping with known keys; nothing for null and for what is no mapping. Other keys are
    /// complained about, with the known key that is most like them.
    pub fn fields<'n, 't>(
        &mut self,
        node: &'n Node<'t>,
        shape: &Shape<'_>,
    ) -> Option<Fields<'n, 't>> {
        if node.is_null() {
            return None;
        }
        let Value::Mapping(entries) = &node.value else {
            self.wrong_kind(node, &format!("a {}, which is a mapping", shape.noun), shape.upstream);
            return None;
        };
        self.duplicates(node, Some(shape));
        for entry in entries {
            match entry.key.text() {
                None => self.wrong_kind(&entry.key, "a text as key", "string"),
                Some(key) if shape.keys.contains(&key) || self.ignore_unknown => {}
                Some(key) => self.unknown(key, &entry.key, shape),
            }
        }
        Some(Fields { node })
    }

    fn unknown(&mut self, key: &str, node: &Node<'_>, shape: &Shape<'_>) {
        let span = node.span.clone();
        let upstream = format!(
            "line {}: field {key} not found in type {}",
            self.line(span.start),
            shape.upstream
        );
        let known = shape.keys.join(", ");
        let help = match like(key, shape.keys) {
            Some(similar) => format!("did you mean `{similar}`?"),
            None => format!("a {} has the keys {known}", shape.noun),
        };
        let finding = Finding::error(
            "yaml::unknown-key",
            span,
            format!("a {} has no key `{key}`", shape.noun),
            "unknown key",
            help,
        );
        self.add(finding.with_upstream(upstream));
    }

    /// The values of a list; none for null and for what is no list. `noun` is what a person calls
    /// one of them, `upstream` the type of the list in upstream's messages.
    pub fn items<'n, 't>(
        &mut self,
        node: &'n Node<'t>,
        noun: &str,
        upstream: &str,
    ) -> &'n [Node<'t>] {
        if !node.is_null() && !matches!(node.value, Value::Sequence(_)) {
            self.wrong_kind(node, &format!("a list of {noun}"), upstream);
        }
        node.items()
    }

    /// A text: scalars of any kind are the text that they are written with, null is no text.
    pub fn text(&mut self, node: &Node<'_>) -> Option<Text> {
        let Value::Scalar { text, style } = &node.value else {
            self.wrong_kind(node, "a text", "string");
            return None;
        };
        let value = if node.is_null() { String::new() } else { text.clone().into_owned() };
        Some(Text { value, span: node.span.clone(), style: *style })
    }

    /// A duration in nanoseconds; null is 0.
    pub fn duration(&mut self, node: &Node<'_>) -> Option<Spanned<i64>> {
        if node.is_null() {
            return Some(Spanned::new(0, node.span.clone()));
        }
        let text = self.text(node)?;
        match parse_duration(&text.value) {
            Ok(value) => Some(Spanned::new(value, node.span.clone())),
            Err(error) => {
                let shown = match &error {
                    promql_model::DurationError::Empty => "the duration is empty".to_owned(),
                    _ => format!("`{}` is no duration", text.value),
                };
                let help = match text.value.trim_start_matches('-').parse::<u64>() {
                    Ok(seconds) => {
                        format!("a number needs a unit: write `{seconds}s` if seconds are meant")
                    }
                    Err(_) => "write whole numbers with the units y, w, d, h, m, s, ms, in this \
                               order, as in `1h30m`"
                        .to_owned(),
                };
                let finding = Finding::error(
                    "yaml::bad-duration",
                    node.span.clone(),
                    shown,
                    "no duration",
                    help,
                );
                self.add(finding.with_upstream(error.to_string()));
                None
            }
        }
    }

    /// A whole number; null is 0. A fraction is cut off, as upstream does.
    pub fn integer(&mut self, node: &Node<'_>) -> Option<Spanned<i64>> {
        let value = match node.resolved() {
            Some(Resolved::Null) => Some(0),
            Some(Resolved::Integer(value)) => Some(value),
            Some(Resolved::Float(value)) if value <= i64::MAX as f64 && !value.is_nan() => {
                Some(value as i64)
            }
            _ => None,
        };
        if value.is_none() {
            self.wrong_kind(node, "a whole number", "int");
        }
        Some(Spanned::new(value?, node.span.clone()))
    }

    /// A number; null is 0. Infinity is `.inf`, not a number `.nan`.
    pub fn float(&mut self, node: &Node<'_>) -> Option<Spanned<f64>> {
        let value = match node.resolved() {
            Some(Resolved::Null) => Some(0.0),
            Some(Resolved::Integer(value)) => Some(value as f64),
            Some(Resolved::Float(value)) => Some(value),
            _ => None,
        };
        if value.is_none() {
            self.wrong_kind(node, "a number", "float64");
        }
        Some(Spanned::new(value?, node.span.clone()))
    }

    /// A truth value; null is false. `yes` and `on` are true, as in YAML 1.1.
    pub fn boolean(&mut self, node: &Node<'_>) -> Option<Spanned<bool>> {
        let value = match (&node.value, node.resolved()) {
            (_, Some(Resolved::Null)) => Some(false),
            (_, Some(Resolved::Boolean(value))) => Some(value),
            (Value::Scalar { text, style: Style::Plain }, _) => match &**text {
                "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
                "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
                _ => None,
            },
            _ => None,
        };
        if value.is_none() {
            self.wrong_kind(node, "`true` or `false`", "bool");
        }
        Some(Spanned::new(value?, node.span.clone()))
    }

    /// Texts by texts, in the order of the file; none for null and for what is no mapping.
    pub fn text_map(&mut self, node: &Node<'_>) -> Vec<(Text, Text)> {
        let entries = match &node.value {
            Value::Mapping(entries) => entries,
            _ => {
                if !node.is_null() {
                    let expected = "a mapping of names to texts";
                    self.wrong_kind(node, expected, "map[string]string");
                }
                return Vec::new();
            }
        };
        self.duplicates(node, None);
        let mut map = Vec::with_capacity(entries.len());
        for entry in entries {
            let (key, value) = (self.text(&entry.key), self.text(&entry.value));
            map.extend(key.zip(value));
        }
        map
    }

    /// Complains about a value of another kind than `expected`. `upstream` is the type in
    /// upstream's message.
    pub fn wrong_kind(&mut self, node: &Node<'_>, expected: &str, upstream: &str) {
        let kind = match &node.value {
            Value::Scalar { .. } => node.resolved().map_or(Kind::Null, |value| value.kind()),
            Value::Sequence(_) => Kind::Sequence,
            Value::Mapping(_) => Kind::Mapping,
        };
        // Upstream shows at most ten bytes of a scalar.
        let text = node.text().map_or_else(String::new, |text| match text.char_indices().nth(7) {
            Some((at, _)) if text.len() > 10 => format!(" `{}...`", &text[..at]),
            _ => format!(" `{text}`"),
        });
        let line = self.line(node.span.start);
        let upstream =
            format!("line {line}: cannot unmarshal {}{text} into {upstream}", kind.tag());
        let is_quoted = matches!(
            &node.value,
            Value::Scalar { style: Style::SingleQuoted | Style::DoubleQuoted, .. }
        );
        let help = match (kind, is_quoted) {
            (Kind::Mapping, _) if self.file[node.span.clone()].starts_with("{{") => {
                "`{{` begins a mapping in YAML: put quotes around a template; if this file is the \
                 source of a Helm chart, check what `helm template` makes of it"
            }
            (Kind::Text, true) if upstream.ends_with("int") || upstream.ends_with("float64") => {
                "remove the quotes"
            }
            _ => "",
        };
        let span = first_line(self.file, node.span.clone());
        let finding = Finding::error(
            "yaml::wrong-kind",
            span,
            format!("expected {expected}, found {}", kind.noun()),
            kind.noun(),
            help,
        );
        self.add(finding.with_upstream(upstream));
    }
}

/// The first line of a place: a whole list or mapping is too much to point at.
fn first_line(file: &str, span: Range<usize>) -> Range<usize> {
    let written = &file[span.clone()];
    span.start..written.find(['\n', '\r']).map_or(span.end, |at| span.start + at)
}

/// What to do about text that isn't YAML, by what stands in the line.
fn syntax_help(file: &str, at: usize) -> &'static str {
    let start = file[..at].rfind('\n').map_or(0, |at| at + 1);
    let line = file[start..].lines().next().unwrap_or_default();
    let blanks = &line[..line.len() - line.trim_start().len()];
    if blanks.contains('\t') {
        "YAML is indented by spaces; replace the tab"
    } else if line.contains("{{") {
        "if this file is the source of a Helm chart, check what `helm template` makes of it; a text \
         with `{{` needs quotes"
    } else {
        "mind the indentation, and put quotes around texts with `: `, ` #`, or with one of {}[]*&!|>'\"%@` \
         at the front"
    }
}

/// The known word that is most like another.
pub fn like<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let plain = |text: &str| text.replace(['-', '_'], "").to_lowercase();
    if let Some(same) = known.iter().find(|known| plain(known) == plain(word)) {
        return Some(same);
    }
    let distance = |known: &&'k str| (strsim::damerau_levenshtein(word, known), *known);
    let (distance, nearest) = known.iter().map(distance).min()?;
    let is_near = distance <= 2 && distance * 2 < nearest.len().max(word.len());
    // `annotation` for `annotations`, `expression` for `expr`.
    let begins = |known: &&&'k str| {
        word.len() >= 4
            && known.len() >= 4
            && (known.starts_with(word) || word.starts_with(**known))
    };
    if is_near { Some(nearest) } else { known.iter().find(begins).copied() }
}
