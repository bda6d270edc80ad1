//! From a pattern to the tree of `regex-syntax`, from which automata are built.
//!
//! Going through that tree and not through text leaves no room for the differences between the two
//! syntaxes. What differs in meaning is settled here: `\d \w \s \b` are ASCII, and surrogates, which
//! RE2 has among its characters, match nothing.

use regex_syntax::hir::{
    Capture, Class, ClassUnicode, ClassUnicodeRange, Dot, Hir, HirKind, Look, Repetition,
};

use super::names::newer_script;
use super::tree::{Assertion, ClassItem, Flags, Tree};

/// Builds the tree of a pattern.
pub(super) struct HirTree {
    /// The groups around the innermost one.
    outer: Vec<Group>,
    group: Group,
    class: ClassUnicode,
    /// The names of the capturing groups so far, empty for those without; `None` to drop captures.
    captures: Option<Vec<Box<str>>>,
}

#[derive(Default)]
struct Group {
    capture: Option<u32>,
    alternatives: Vec<Hir>,
    sequence: Vec<Hir>,
}

impl Group {
    fn end_alternative(&mut self) {
        self.alternatives.push(Hir::concat(std::mem::take(&mut self.sequence)));
    }

    fn finish(mut self) -> Hir {
        self.end_alternative();
        let whole = Hir::alternation(self.alternatives);
        match self.capture {
            Some(index) => Hir::capture(Capture { index, name: None, sub: Box::new(whole) }),
            None => whole,
        }
    }
}

impl HirTree {
    /// A builder that keeps the capturing groups, or makes plain groups of them.
    pub(super) fn new(keep_captures: bool) -> Self {
        Self {
            outer: Vec::new(),
            group: Group::default(),
            class: ClassUnicode::empty(),
            captures: keep_captures.then(Vec::new),
        }
    }

    /// The tree, and the names of its capturing groups from the first one on.
    pub(super) fn finish(self) -> (Hir, Vec<Box<str>>) {
        (self.group.finish(), self.captures.unwrap_or_default())
    }

    fn push(&mut self, hir: Hir) {
        self.group.sequence.push(hir);
    }
}

impl Tree for HirTree {
    fn character(&mut self, character: u32, flags: Flags) {
        let hir = match char::from_u32(character) {
            None => Hir::fail(),
            Some(character) if flags.fold_case => {
                Hir::class(Class::Unicode(folded(range_class(character, character))))
            }
            Some(character) => Hir::literal(character.encode_utf8(&mut [0; 4]).as_bytes()),
        };
        self.push(hir);
    }

    fn any(&mut self, flags: Flags) {
        let dot = if flags.dot_matches_newline { Dot::AnyChar } else { Dot::AnyCharExceptLF };
        self.push(Hir::dot(dot));
    }

    fn assertion(&mut self, assertion: Assertion) {
        self.push(Hir::look(match assertion {
            Assertion::TextStart => Look::Start,
            Assertion::TextEnd => Look::End,
            Assertion::LineStart => Look::StartLF,
            Assertion::LineEnd => Look::EndLF,
            Assertion::WordBoundary => Look::WordAscii,
            Assertion::NoWordBoundary => Look::WordAsciiNegate,
        }));
    }

    fn class_open(&mut self) {
        self.class = ClassUnicode::empty();
    }

    fn class_item(&mut self, item: ClassItem<'_>, flags: Flags) {
        let (mut class, negated) =
            match item {
                ClassItem::Range(low, high) => (scalar_values(low, high), false),
                ClassItem::Ascii { class, negated } => (
                    ClassUnicode::new(class.iter().map(|&(low, high)| {
                        ClassUnicodeRange::new(char::from(low), char::from(high))
                    })),
                    negated,
                ),
                ClassItem::Unicode { name, negated } => (unicode_class(name), negated),
            };
        if flags.fold_case {
            class = folded(class);
        }
        if negated {
            class.negate();
        }
        self.class.union(&class);
    }

    fn class_close(&mut self, negated: bool) {
        let mut class = std::mem::replace(&mut self.class, ClassUnicode::empty());
        if negated {
            class.negate();
        }
        self.push(Hir::class(Class::Unicode(class)));
    }

    fn repeat(&mut self, min: u32, max: Option<u32>, greedy: bool) {
        let Some(last) = self.group.sequence.pop() else { return };
        let sub = Box::new(last);
        self.push(Hir::repetition(Repetition { min, max, greedy, sub }));
    }

    fn alternative(&mut self) {
        self.group.end_alternative();
    }

    fn group_open(&mut self, capture: Option<&str>) {
        let capture = match (&mut self.captures, capture) {
            (Some(names), Some(name)) => {
                names.push(name.into());
                u32::try_from(names.len()).ok()
            }
            _ => None,
        };
        let group = Group { capture, ..Group::default() };
        self.outer.push(std::mem::replace(&mut self.group, group));
    }

    fn group_close(&mut self) {
        let Some(outside) = self.outer.pop() else { return };
        let group = std::mem::replace(&mut self.group, outside);
        self.push(group.finish());
    }
}

fn range_class(low: char, high: char) -> ClassUnicode {
    ClassUnicode::new([ClassUnicodeRange::new(low, high)])
}

/// The class of a range of code points, without the surrogates.
fn scalar_values(low: u32, high: u32) -> ClassUnicode {
    let below = char::from_u32(low).zip(char::from_u32(high.min(0xd7ff)));
    let above = char::from_u32(low.max(0xe000)).zip(char::from_u32(high));
    let parts = match (char::from_u32(low), char::from_u32(high)) {
        (Some(low), Some(high)) => [Some((low, high)), None],
        _ => [below, above],
    };
    ClassUnicode::new(
        parts
            .into_iter()
            .flatten()
            .filter(|(low, high)| low <= high)
            .map(|(low, high)| ClassUnicodeRange::new(low, high)),
    )
}

/// The class together with the other cases of its characters.
fn folded(mut class: ClassUnicode) -> ClassUnicode {
    // Folding fails only where the tables for it are left out of the build.
    let _ = class.try_case_fold_simple();
    class
}

/// The class of a name in the tables of [`super::names`].
pub(super) fn unicode_class(name: &str) -> ClassUnicode {
    // Surrogates: no text has them.
    if name == "Cs" {
        return ClassUnicode::empty();
    }
    if let Some(ranges) = newer_script(name) {
        return ClassUnicode::new(
            ranges.iter().map(|&(low, high)| ClassUnicodeRange::new(low, high)),
        );
    }
    match regex_syntax::parse(&format!(r"\p{{{name}}}")).map(Hir::into_kind) {
        Ok(HirKind::Class(Class::Unicode(class))) => class,
        // A class of one character comes as that character.
        Ok(HirKind::Literal(literal)) => {
            let characters = str::from_utf8(&literal.0).unwrap_or_default().chars();
            ClassUnicode::new(characters.map(|c| ClassUnicodeRange::new(c, c)))
        }
        _ => ClassUnicode::empty(),
    }
}
