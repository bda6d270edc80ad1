//! YAML with the place of everything in it.
//!
//! ```text
//!  text ──granit──► events ──compose──► Node ──Reader──► rule file, unit test
//!                                        │                   │
//!                     place in the file ◄┴──── Positions ────┘ place in the text of a scalar
//! ```
//!
//! A rule file is read by people and by other programs than this one, so what is wrong with it has to
//! be told by line and column of the file, also if it is in the middle of an expression that is
//! folded over five indented lines. So a [`Node`] knows which bytes it was written with, and
//! [`Positions`] leads from each byte of a scalar's text back to these.
//!
//! The reader underneath follows libyaml, as the one of Prometheus does: a continued flow collection
//! or quoted text may be indented less than the YAML specification demands.
//!
//! | file | holds |
//! |---|---|
//! | `compose.rs` | from events to nodes: anchors, aliases, merge keys, repeated keys, limits |
//! | `plain.rs` | the YAML that most files are written in, read by its lines |
//! | `parallel.rs` | large files in parts, on several threads |
//! | `scalar.rs` | from a scalar as it is written to its text, with the place of each byte |
//! | `resolve.rs` | what a scalar without quotes stands for: a number, a truth value, nothing, a text |
//! | `read.rs` | from nodes to texts, numbers, durations and fields, all complaints collected |
//! | `finding.rs` | such a complaint, with its place and with what upstream says |
//!
//! ```
//! let text = "groups:\n  - name: api\n    rules: []\n";
//! let stream = promql_yaml::parse(text);
//! let root = stream.documents[0].root.as_ref().unwrap();
//! let groups = root.get("groups").unwrap();
//! let name = groups.items()[0].get("name").unwrap();
//! assert_eq!(name.text(), Some("api"));
//! assert_eq!(&text[name.span.clone()], "api");
//! ```
//!
//! Invariant: nothing here knows what a rule or a test is; forms are told by a [`Shape`]. No text makes
//! it panic, and no file is opened.

mod compose;
pub mod finding;
mod parallel;
mod plain;
mod read;
mod resolve;
mod scalar;

use std::borrow::Cow;
use std::ops::Range;

pub use compose::parse;
pub use finding::{Finding, Located};
pub use parallel::{ListPart, ListParts, parse_list};
pub use read::{Fields, Flavour, Reader, Shape, Spanned, Text, like};
pub use resolve::{Kind, Resolved, resolve};
pub use scalar::Positions;

/// All documents of a text.
#[derive(Clone, Debug, Default)]
pub struct Stream<'a> {
    /// Those that are complete, in their order.
    pub documents: Vec<Document<'a>>,
    /// What made the text behind them unreadable.
    pub error: Option<Fault>,
}

/// One document.
#[derive(Clone, Debug)]
pub struct Document<'a> {
    /// The `---` in front of it, if there is one.
    pub separator: Option<Range<usize>>,
    /// Its value; nothing if it is empty.
    pub root: Option<Node<'a>>,
    /// What is wrong with it although it could be read: keys that are repeated, merge keys without a
    /// mapping.
    pub faults: Vec<Fault>,
}

/// Something wrong with a text as YAML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub kind: FaultKind,
    /// Where, in bytes of the text.
    pub span: Range<usize>,
}

/// What is wrong with a text as YAML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// It isn't YAML.
    Syntax(String),
    /// An alias of a value that is not there.
    UnknownAnchor(String),
    /// An alias of a value that it is a part of.
    Recursive(String),
    /// Aliases of aliases, or nesting, beyond what is read.
    TooLarge(String),
    /// A directive for a YAML that upstream's reader doesn't read.
    Version(u32, u32),
    /// A key that its mapping has already.
    DuplicateKey {
        /// The key.
        key: String,
        /// Where it stands first.
        first: Range<usize>,
    },
    /// `<<` with something else than a mapping or a list of mappings.
    BadMerge,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub struct Node<'a> {
    /// The bytes of the text that it is written with: with the quotes of a quoted scalar, from the `|`
    /// or `>` of a block scalar. A value that isn't written has an empty span. What an alias stands
    /// for has the span of what it stands for.
    pub span: Range<usize>,
    /// What it is.
    pub value: Value<'a>,
    /// What few values have.
    rare: Option<Box<Rare>>,
}

/// What few values have, out of the way of the others: there may be a million of them.
#[derive(Clone, Debug, Default, PartialEq)]
struct Rare {
    tag: Option<Box<str>>,
    alias: Option<Range<usize>>,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// A text, which may stand for something else.
    Scalar {
        /// The text, folded and without escapes.
        text: Cow<'a, str>,
        /// How it is written.
        style: Style,
    },
    /// A list.
    Sequence(Vec<Node<'a>>),
    /// Keys with values, in the order of the text; then what merge keys add.
    Mapping(Vec<Entry<'a>>),
}

/// A key with its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry<'a> {
    /// The key.
    pub key: Node<'a>,
    /// The value.
    pub value: Node<'a>,
    /// Whether a merge key brought it here.
    pub is_merged: bool,
}

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// `'…'`
    SingleQuoted,
    /// `"…"`
    DoubleQuoted,
    /// `|` and lines below.
    Literal,
    /// `>` and lines below, which are joined.
    Folded,
}

impl Style {
    /// Whether the text stands on lines of its own, below a `|` or `>`.
    pub const fn is_block(self) -> bool {
        matches!(self, Style::Literal | Style::Folded)
    }
}

impl<'a> Node<'a> {
    /// A value with its tag.
    fn new(span: Range<usize>, value: Value<'a>, tag: Option<Box<str>>) -> Node<'a> {
        let rare = tag.map(|tag| Box::new(Rare { tag: Some(tag), alias: None }));
        Node { span, value, rare }
    }

    /// Its tag, as `tag:yaml.org,2002:str` for `!!str`.
    pub fn tag(&self) -> Option<&str> {
        self.rare.as_ref()?.tag.as_deref()
    }

    /// The alias through which the value comes here, in bytes of the text.
    pub fn alias(&self) -> Option<Range<usize>> {
        self.rare.as_ref()?.alias.clone()
    }

    fn set_alias(&mut self, alias: Range<usize>) {
        self.rare.get_or_insert_default().alias = Some(alias);
    }

    /// The text of a scalar, whatever it stands for.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// What a scalar stands for; nothing for lists and mappings.
    pub fn resolved(&self) -> Option<Resolved> {
        match &self.value {
            Value::Scalar { text, style } => Some(resolve(text, *style, self.tag())),
            _ => None,
        }
    }

    /// Whether there is no value: nothing was written, or `~` or `null`.
    pub fn is_null(&self) -> bool {
        match &self.value {
            // Asked of every value, so without a look at numbers.
            Value::Scalar { text, style } if self.rare.is_none() => {
                *style == Style::Plain && matches!(&**text, "" | "~" | "null" | "Null" | "NULL")
            }
            _ => self.resolved() == Some(Resolved::Null),
        }
    }

    /// The values of a list; none of anything else.
    pub fn items(&self) -> &[Node<'a>] {
        match &self.value {
            Value::Sequence(items) => items,
            _ => &[],
        }
    }

    /// The entries of a mapping; none of anything else.
    pub fn entries(&self) -> &[Entry<'a>] {
        match &self.value {
            Value::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The value of a key of a mapping.
    pub fn get(&self, key: &str) -> Option<&Node<'a>> {
        let entry = self.entries().iter().find(|entry| entry.key.text() == Some(key));
        entry.map(|entry| &entry.value)
    }

    /// Where the bytes of a scalar's text are in the file, which is the text that was
    /// [parsed](parse).
    pub fn positions(&self, file: &str) -> Positions {
        match &self.value {
            Value::Scalar { text, style } => Positions::new(file, &self.span, text, *style),
            _ => Positions::default(),
        }
    }
}
