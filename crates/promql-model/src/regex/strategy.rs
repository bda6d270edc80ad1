//! Ways around the automaton: lists of literals, and literals with wildcards between them.
//!
//! `api|web`, `api-.*`, `.+`, `5..|4..` and `.*error.*` make up almost all patterns in selectors. For
//! them comparing bytes is several times faster than running an automaton, takes no time to compile,
//! and finite lists can be looked up in an index.

use std::collections::HashSet;
use std::fmt;
use std::ops::RangeInclusive;

use memchr::memmem;
use regex_syntax::hir::{Class, Dot, Hir, HirKind, Look, Repetition};

/// How many texts a list can have.
const MAX_TEXTS: usize = 4096;
/// How many alternatives with wildcards are tried one after the other.
const MAX_GLOBS: usize = 16;
/// How many parts an alternative can have.
const MAX_PARTS: usize = 64;
/// How deep to look into a tree.
const MAX_DEPTH: usize = 32;
/// Up to how many texts are compared in a row; more are looked up by their hash.
const FEW_TEXTS: usize = 8;

/// A pattern that needs no automaton.
#[derive(Clone, Debug)]
pub(super) enum Shortcut {
    /// `.*`
    Everything,
    /// `.+`
    NonEmpty,
    /// One of these.
    Texts(Texts),
    /// One of these.
    Globs(Box<[Glob]>),
}

/// A list of texts.
#[derive(Clone)]
pub(super) struct Texts {
    sorted: Box<[Box<str>]>,
    /// The same ones, if they are more than a few.
    set: HashSet<Box<str>>,
    /// How long they are: most values that don't match are told by that.
    lengths: RangeInclusive<usize>,
}

/// A text with wildcards: `prefix`, then `middle`, then `suffix`.
#[derive(Clone)]
pub(super) struct Glob {
    prefix: Box<str>,
    /// Begins and ends with a wildcard.
    middle: Box<[Part]>,
    suffix: Box<str>,
    /// How many bytes it takes at least.
    length: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// These characters.
    Text(Box<str>),
    /// `.`
    One,
    /// `.*`
    Any,
}

impl Shortcut {
    /// The texts of a pattern without any operator but `|`; those that aren't UTF-8 match nothing.
    pub(super) fn of_plain(pattern: &[u8]) -> Self {
        let texts =
            pattern.split(|&byte| byte == b'|').filter_map(|text| str::from_utf8(text).ok());
        Self::texts_of(texts.map(Box::from).collect())
    }

    fn texts_of(texts: Vec<Box<str>>) -> Self {
        Self::Texts(Texts::new(texts))
    }

    #[inline]
    pub(super) fn is_match(&self, value: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::NonEmpty => !value.is_empty(),
            Self::Texts(texts) => texts.contains(value),
            Self::Globs(globs) => globs.iter().any(|glob| glob.is_match(value)),
        }
    }

    pub(super) fn texts(&self) -> Option<&[Box<str>]> {
        match self {
            Self::Texts(texts) => Some(&texts.sorted),
            _ => None,
        }
    }

    pub(super) fn prefix(&self) -> &str {
        let (first, last) = match self {
            Self::Everything | Self::NonEmpty => return "",
            // In sorted order the first and the last one differ soonest.
            Self::Texts(texts) => match (texts.sorted.first(), texts.sorted.last()) {
                (Some(first), Some(last)) => (first, last),
                _ => return "",
            },
            Self::Globs(globs) => match &**globs {
                [glob] => (&glob.prefix, &glob.prefix),
                _ => return "",
            },
        };
        let same = first.char_indices().zip(last.chars()).find(|((_, a), b)| a != b);
        let end = same.map_or(first.len().min(last.len()), |((at, _), _)| at);
        first.get(..end).unwrap_or("")
    }
}

impl Glob {
    fn new(mut parts: Vec<Part>) -> Self {
        let take = |part: Option<Part>| match part {
            Some(Part::Text(text)) => text,
            _ => Box::from(""),
        };
        let has_suffix = matches!(parts.last(), Some(Part::Text(_)));
        let suffix = take(if has_suffix { parts.pop() } else { None });
        let has_prefix = matches!(parts.first(), Some(Part::Text(_)));
        let prefix = take(has_prefix.then(|| parts.remove(0)));
        let inside = parts.iter().map(|part| match part {
            Part::Text(text) => text.len(),
            Part::One => 1,
            Part::Any => 0,
        });
        let length = prefix.len() + suffix.len() + inside.sum::<usize>();
        Self { prefix, middle: parts.into(), suffix, length }
    }

    #[inline]
    fn is_match(&self, value: &str) -> bool {
        let value = value.as_bytes();
        if value.len() < self.length || !starts_with(value, self.prefix.as_bytes()) {
            return false;
        }
        let (start, end) = (self.prefix.len(), value.len() - self.suffix.len());
        if value.get(end..) != Some(self.suffix.as_bytes()) {
            return false;
        }
        match &*self.middle {
            [] => start == end,
            [Part::Any] => true,
            middle => wildcards_match(middle, value.get(start..end).unwrap_or_default()),
        }
    }
}

/// `starts_with` that looks at the first byte before it calls for a comparison.
#[inline]
fn starts_with(text: &[u8], prefix: &[u8]) -> bool {
    match prefix.first() {
        Some(first) => text.first() == Some(first) && text.starts_with(prefix),
        None => true,
    }
}

impl Texts {
    fn new(mut texts: Vec<Box<str>>) -> Self {
        texts.sort_unstable();
        texts.dedup();
        let lengths = texts.iter().map(|text| text.len());
        let lengths = lengths.clone().min().unwrap_or(0)..=lengths.max().unwrap_or(0);
        let many = texts.len() > FEW_TEXTS;
        let set = if many { texts.iter().cloned().collect() } else { HashSet::new() };
        Self { sorted: texts.into(), set, lengths }
    }

    #[inline]
    fn contains(&self, value: &str) -> bool {
        if !self.lengths.contains(&value.len()) {
            return false;
        }
        if self.set.is_empty() {
            self.sorted.iter().any(|text| **text == *value)
        } else {
            self.set.contains(value)
        }
    }
}

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sorted.fmt(f)
    }
}

impl fmt::Debug for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:?} {:?}", self.prefix, self.middle, self.suffix)
    }
}

/// Whether the parts match the whole text. A mismatch after an [`Part::Any`] lets that take one more
/// character; an earlier one need never be tried again.
fn wildcards_match(parts: &[Part], text: &[u8]) -> bool {
    let (mut rest, mut at) = (parts, 0);
    let mut retry: Option<(&[Part], usize)> = None;
    loop {
        match rest.split_first() {
            None if at == text.len() => return true,
            None => {}
            Some((Part::Any, [])) => return true,
            Some((Part::Any, after)) => {
                rest = after;
                retry = Some((after, at));
                continue;
            }
            Some((Part::One, after)) if at < text.len() => {
                rest = after;
                at += character_length(text, at);
                continue;
            }
            Some((Part::Text(part), after)) if starts_with_at(text, at, part) => {
                rest = after;
                at += part.len();
                continue;
            }
            Some(_) => {}
        }
        let Some((after, from)) = retry else { return false };
        if from >= text.len() {
            return false;
        }
        let mut from = from + character_length(text, from);
        if let Some(Part::Text(part)) = after.first() {
            let found = text.get(from..).and_then(|text| memmem::find(text, part.as_bytes()));
            let Some(ahead) = found else { return false };
            from += ahead;
        }
        retry = Some((after, from));
        (rest, at) = (after, from);
    }
}

fn starts_with_at(text: &[u8], at: usize, part: &str) -> bool {
    text.get(at..).is_some_and(|text| text.starts_with(part.as_bytes()))
}

/// The length of the character that begins at a place.
fn character_length(text: &[u8], at: usize) -> usize {
    match text.get(at) {
        Some(0xf0..) => 4,
        Some(0xe0..) => 3,
        Some(0xc0..) => 2,
        _ => 1,
    }
}

/// The shortcut for a pattern, if there is one.
pub(super) fn shortcut(hir: &Hir) -> Option<Shortcut> {
    let alternatives = alternatives(hir, Place { at_start: true, at_end: true, depth: 0 })?;
    if let Some(texts) = texts(&alternatives) {
        return Some(Shortcut::texts_of(texts));
    }
    match alternatives.as_slice() {
        [only] if **only == [Part::Any] => return Some(Shortcut::Everything),
        [only] if **only == [Part::One, Part::Any] => return Some(Shortcut::NonEmpty),
        _ if alternatives.len() > MAX_GLOBS => return None,
        _ => {}
    }
    Some(Shortcut::Globs(alternatives.into_iter().map(Glob::new).collect()))
}

/// The alternatives as texts, if none has wildcards.
fn texts(alternatives: &[Vec<Part>]) -> Option<Vec<Box<str>>> {
    alternatives
        .iter()
        .map(|parts| match parts.as_slice() {
            [] => Some(Box::from("")),
            [Part::Text(text)] => Some(text.clone()),
            _ => None,
        })
        .collect()
}

/// Where in a pattern an expression stands.
#[derive(Clone, Copy)]
struct Place {
    at_start: bool,
    at_end: bool,
    depth: usize,
}

/// The texts with wildcards that an expression stands for. `None`: it is more than that.
fn alternatives(hir: &Hir, place: Place) -> Option<Vec<Vec<Part>>> {
    if place.depth > MAX_DEPTH {
        return None;
    }
    let inner = Place { depth: place.depth + 1, ..place };
    if is_any_character(hir) {
        return Some(vec![vec![Part::One]]);
    }
    match hir.kind() {
        HirKind::Empty => Some(vec![Vec::new()]),
        HirKind::Literal(literal) => {
            Some(vec![vec![Part::Text(str::from_utf8(&literal.0).ok()?.into())]])
        }
        HirKind::Class(Class::Unicode(class)) => {
            let characters = class.iter().flat_map(|range| range.start()..=range.end());
            let parts: Vec<_> = characters
                .take(MAX_TEXTS + 1)
                .map(|character| vec![Part::Text(character.to_string().into())])
                .collect();
            (parts.len() <= MAX_GLOBS).then_some(parts)
        }
        HirKind::Class(Class::Bytes(_)) => None,
        // A pattern is anchored anyway.
        HirKind::Look(Look::Start) if place.at_start => Some(vec![Vec::new()]),
        HirKind::Look(Look::End) if place.at_end => Some(vec![Vec::new()]),
        HirKind::Look(_) => None,
        HirKind::Repetition(repetition) => repeated(repetition, inner),
        HirKind::Capture(capture) => alternatives(&capture.sub, inner),
        HirKind::Concat(parts) => {
            let mut whole = vec![Vec::new()];
            for (at, part) in parts.iter().enumerate() {
                let inner = Place {
                    at_start: inner.at_start && at == 0,
                    at_end: inner.at_end && at + 1 == parts.len(),
                    ..inner
                };
                whole = joined(&whole, &alternatives(part, inner)?)?;
            }
            Some(whole)
        }
        HirKind::Alternation(parts) => {
            let mut whole = Vec::new();
            for part in parts {
                whole.extend(alternatives(part, inner)?);
                if whole.len() > MAX_TEXTS {
                    return None;
                }
            }
            Some(whole)
        }
    }
}

/// `.` and `.*` repeated, and texts that may be left out.
fn repeated(repetition: &Repetition, place: Place) -> Option<Vec<Vec<Part>>> {
    let times = usize::try_from(repetition.min).ok().filter(|&times| times <= MAX_PARTS)?;
    if is_any_character(&repetition.sub) {
        let ones = vec![Part::One; times];
        return match repetition.max {
            None => Some(vec![[ones, vec![Part::Any]].concat()]),
            Some(max) if max == repetition.min => Some(vec![ones]),
            Some(max) if max == repetition.min + 1 => {
                Some(vec![ones.clone(), [ones, vec![Part::One]].concat()])
            }
            Some(_) => None,
        };
    }
    let inner = Place { at_start: false, at_end: false, ..place };
    let once = alternatives(&repetition.sub, inner)?;
    let mut whole = vec![Vec::new()];
    for _ in 0..times {
        whole = joined(&whole, &once)?;
    }
    match repetition.max {
        Some(max) if max == repetition.min => Some(whole),
        Some(max) if max == repetition.min + 1 => {
            let longer = joined(&whole, &once)?;
            Some([whole, longer].concat())
        }
        _ => None,
    }
}

/// Each of the first followed by each of the second.
fn joined(first: &[Vec<Part>], second: &[Vec<Part>]) -> Option<Vec<Vec<Part>>> {
    if first.len().saturating_mul(second.len()) > MAX_TEXTS {
        return None;
    }
    let mut whole = Vec::with_capacity(first.len() * second.len());
    for head in first {
        for tail in second {
            let mut parts = head.clone();
            for part in tail {
                append(&mut parts, part);
            }
            if parts.len() > MAX_PARTS {
                return None;
            }
            whole.push(parts);
        }
    }
    Some(whole)
}

/// Adds a part, merged with the last one where that is simpler.
fn append(parts: &mut Vec<Part>, part: &Part) {
    match (parts.last_mut(), part) {
        (Some(Part::Text(text)), Part::Text(more)) => *text = [&**text, &**more].concat().into(),
        (Some(Part::Any), Part::Any) => {}
        // The one character comes first, so that equal patterns look equal.
        (Some(last @ Part::Any), Part::One) => {
            *last = Part::One;
            parts.push(Part::Any);
        }
        _ => parts.push(part.clone()),
    }
}

/// Whether an expression is `.` where that matches everything.
fn is_any_character(hir: &Hir) -> bool {
    *hir == Hir::dot(Dot::AnyChar)
}

/// What all matches of an expression begin with.
pub(super) fn prefix(hir: &Hir) -> Box<str> {
    let mut hir = hir;
    for _ in 0..MAX_DEPTH {
        match hir.kind() {
            HirKind::Literal(literal) => {
                return str::from_utf8(&literal.0).unwrap_or_default().into();
            }
            HirKind::Capture(capture) => hir = &capture.sub,
            HirKind::Concat(parts) => {
                let first = parts.iter().find(|part| **part != Hir::look(Look::Start));
                let Some(first) = first else { break };
                hir = first;
            }
            _ => break,
        }
    }
    "".into()
}
