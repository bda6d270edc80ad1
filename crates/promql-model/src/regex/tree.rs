//! What the parser reports to whoever builds something of a pattern.

use super::names::AsciiClass;

/// The settings that `(?imsU)` switches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Flags {
    /// `i`: case doesn't matter.
    pub(super) fold_case: bool,
    /// `m`: `^` and `$` match at line breaks too.
    pub(super) multi_line: bool,
    /// `s`: `.` matches a line break. On from the start.
    pub(super) dot_matches_newline: bool,
    /// `U`: `*` prefers less and `*?` more.
    pub(super) swap_greed: bool,
}

impl Flags {
    pub(super) const START: Self =
        Self { fold_case: false, multi_line: false, dot_matches_newline: true, swap_greed: false };
}

/// Places that match without taking a character.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Assertion {
    TextStart,
    TextEnd,
    LineStart,
    LineEnd,
    WordBoundary,
    NoWordBoundary,
}

/// A part of a character class.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ClassItem<'a> {
    /// The characters from the first to the last; surrogates can occur and match nothing.
    Range(u32, u32),
    /// `\d`, `[:alpha:]`
    Ascii { class: AsciiClass, negated: bool },
    /// `\p{Greek}`
    Unicode { name: &'a str, negated: bool },
}

/// Receives the parts of a pattern in postfix order: an operator comes after its operand.
pub(super) trait Tree {
    /// A literal character; surrogates can occur and match nothing.
    fn character(&mut self, character: u32, flags: Flags);
    /// `.`
    fn any(&mut self, flags: Flags);
    /// `^ $ \A \z \b \B`
    fn assertion(&mut self, assertion: Assertion);
    /// A class begins; its items follow.
    fn class_open(&mut self);
    /// An item of the open class.
    fn class_item(&mut self, item: ClassItem<'_>, flags: Flags);
    /// The class is complete.
    fn class_close(&mut self, negated: bool);
    /// Repeats the expression before it.
    fn repeat(&mut self, min: u32, max: Option<u32>, greedy: bool);
    /// `|`
    fn alternative(&mut self);
    /// A group begins. `None`: one that doesn't capture. An empty name: one without name.
    fn group_open(&mut self, capture: Option<&str>);
    /// The innermost group ends.
    fn group_close(&mut self);
}

/// Builds nothing.
impl Tree for () {
    #[inline(always)]
    fn character(&mut self, _: u32, _: Flags) {}
    #[inline(always)]
    fn any(&mut self, _: Flags) {}
    #[inline(always)]
    fn assertion(&mut self, _: Assertion) {}
    #[inline(always)]
    fn class_open(&mut self) {}
    #[inline(always)]
    fn class_item(&mut self, _: ClassItem<'_>, _: Flags) {}
    #[inline(always)]
    fn class_close(&mut self, _: bool) {}
    #[inline(always)]
    fn repeat(&mut self, _: u32, _: Option<u32>, _: bool) {}
    #[inline(always)]
    fn alternative(&mut self) {}
    #[inline(always)]
    fn group_open(&mut self, _: Option<&str>) {}
    #[inline(always)]
    fn group_close(&mut self) {}
}
