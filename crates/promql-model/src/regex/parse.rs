//! The parser: one pass over the pattern, reporting its parts to a [`Tree`] as it goes.
//!
//! What is accepted, and which problem is reported for what is not, follows Go's `regexp/syntax`
//! step by step, including its liberties: a `{` that begins no count is a character, and so are `]`
//! and `}`; `(?i)` is no expression, so a repetition after it applies to what stands before it.

use memchr::{memchr, memmem};
use smallvec::SmallVec;

use super::class::{bracketed, check_utf8, escaped};
use super::error::{Problem, RegexErrorKind as Kind};
use super::escape::Cursor;
use super::limits::{Limits, MAX_REPEAT, Meter, is_small};
use super::tree::{Assertion, Flags, Tree};

/// Parses a pattern, and gives the number of instructions that it takes if that may be high.
pub(super) fn parse<T: Tree>(pattern: &[u8], tree: &mut T) -> Result<u64, Problem> {
    if is_small(pattern) {
        Parser::<T, ()>::new(pattern, tree).run()
    } else {
        Parser::<T, Limits>::new(pattern, tree).run()
    }
}

/// The bytes that don't stand for themselves, or not alone.
const SPECIAL: [bool; 256] = {
    let mut special = [false; 256];
    let mut byte = 0x80;
    while byte < 256 {
        special[byte] = true;
        byte += 1;
    }
    let operators = br"\.+*?()|[{^$";
    let mut at = 0;
    while at < operators.len() {
        special[operators[at] as usize] = true;
        at += 1;
    }
    special
};

/// An open group, or the whole pattern.
struct Level<M> {
    /// The flags to return to when the group closes.
    flags_outside: Flags,
    captures: bool,
    /// Whether there is something before the cursor that can be repeated.
    has_last: bool,
    meter: M,
}

impl<M: Meter> Level<M> {
    #[inline]
    fn new(flags_outside: Flags, captures: bool) -> Self {
        Self { flags_outside, captures, has_last: false, meter: M::new() }
    }
}

struct Parser<'a, 't, T, M> {
    cursor: Cursor<'a>,
    tree: &'t mut T,
    /// The groups around the innermost one.
    outer: SmallVec<[Level<M>; 4]>,
    level: Level<M>,
    /// Where the repetition operator begins that stands right before the cursor.
    previous_repeat: Option<usize>,
}

impl<'a, 't, T: Tree, M: Meter> Parser<'a, 't, T, M> {
    fn new(pattern: &'a [u8], tree: &'t mut T) -> Self {
        Self {
            cursor: Cursor::new(pattern),
            tree,
            outer: SmallVec::new(),
            level: Level::new(Flags::START, false),
            previous_repeat: None,
        }
    }

    fn run(mut self) -> Result<u64, Problem> {
        let mut flags = Flags::START;
        while let Some(byte) = self.cursor.peek(0) {
            let start = self.cursor.at;
            let previous_repeat = self.previous_repeat.take();
            if !SPECIAL[usize::from(byte)] {
                self.plain(flags);
                continue;
            }
            match byte {
                b'(' => flags = self.group_open(flags)?,
                b')' => flags = self.group_close()?,
                b'|' => {
                    self.cursor.at += 1;
                    let measured = self.level.meter.alternative();
                    measured.map_err(|kind| self.beyond(kind))?;
                    self.level.has_last = false;
                    self.tree.alternative();
                }
                b'*' => self.repeat(start, 1, 0, None, previous_repeat, flags)?,
                b'+' => self.repeat(start, 1, 1, None, previous_repeat, flags)?,
                b'?' => self.repeat(start, 1, 0, Some(1), previous_repeat, flags)?,
                b'{' => match count(self.cursor.rest()) {
                    Some((length, min, max)) => {
                        self.cursor.at += length;
                        if min > MAX_REPEAT || max.is_some_and(|max| max > MAX_REPEAT || max < min)
                        {
                            return Err(self.cursor.problem(Kind::InvalidRepeatSize, start));
                        }
                        self.cursor.at = start;
                        self.repeat(start, length, min, max, previous_repeat, flags)?;
                    }
                    None => self.literal(flags)?,
                },
                b'[' => {
                    bracketed(&mut self.cursor, self.tree, flags)?;
                    self.push_class();
                }
                b'.' => {
                    self.cursor.at += 1;
                    self.tree.any(flags);
                    self.push_class();
                }
                b'^' if flags.multi_line => self.assertion(1, Assertion::LineStart),
                b'^' => self.assertion(1, Assertion::TextStart),
                b'$' if flags.multi_line => self.assertion(1, Assertion::LineEnd),
                b'$' => self.assertion(1, Assertion::TextEnd),
                b'\\' => self.escape(flags)?,
                _ => self.literal(flags)?,
            }
        }
        if !self.outer.is_empty() {
            return Err(self.cursor.problem_to_end(Kind::MissingParen, 0));
        }
        let meter = std::mem::replace(&mut self.level.meter, M::new());
        meter.finish().map_err(|kind| self.beyond(kind))
    }

    /// The problem of being beyond a limit.
    fn beyond(&self, kind: Kind) -> Problem {
        self.cursor.problem_to_end(kind, 0)
    }

    #[inline]
    fn push_character(&mut self, character: u32, flags: Flags) {
        self.tree.character(character, flags);
        self.level.meter.character();
        self.level.has_last = true;
    }

    #[inline]
    fn push_class(&mut self) {
        self.level.meter.class();
        self.level.has_last = true;
    }

    /// Takes ASCII characters that stand for themselves.
    #[inline]
    fn plain(&mut self, flags: Flags) {
        while let Some(byte) = self.cursor.peek(0).filter(|&byte| !SPECIAL[usize::from(byte)]) {
            self.push_character(byte.into(), flags);
            self.cursor.at += 1;
        }
    }

    /// Takes a character that stands for itself.
    #[inline]
    fn literal(&mut self, flags: Flags) -> Result<(), Problem> {
        if let Some(character) = self.cursor.next_char()? {
            self.push_character(character.into(), flags);
        }
        Ok(())
    }

    fn assertion(&mut self, length: usize, assertion: Assertion) {
        self.cursor.at += length;
        self.tree.assertion(assertion);
        self.push_class();
    }

    /// Takes what a backslash begins.
    fn escape(&mut self, flags: Flags) -> Result<(), Problem> {
        let start = self.cursor.at;
        match self.cursor.peek(1) {
            Some(b'A') => self.assertion(2, Assertion::TextStart),
            Some(b'z') => self.assertion(2, Assertion::TextEnd),
            Some(b'b') => self.assertion(2, Assertion::WordBoundary),
            Some(b'B') => self.assertion(2, Assertion::NoWordBoundary),
            Some(b'C') => {
                self.cursor.at += 2;
                return Err(self.cursor.problem(Kind::InvalidEscape, start));
            }
            Some(b'Q') => return self.quoted(flags),
            _ => match escaped(&mut self.cursor)? {
                Some(item) => {
                    self.tree.class_open();
                    self.tree.class_item(item, flags);
                    self.tree.class_close(false);
                    self.push_class();
                }
                None => {
                    let character = self.cursor.escape()?;
                    self.push_character(character, flags);
                }
            },
        }
        Ok(())
    }

    /// Takes `\Q…\E`, where all characters stand for themselves. Without `\E` it goes to the end.
    fn quoted(&mut self, flags: Flags) -> Result<(), Problem> {
        self.cursor.at += 2;
        let text = self.cursor.text;
        let (end, after) = match memmem::find(self.cursor.rest(), br"\E") {
            Some(length) => (self.cursor.at + length, self.cursor.at + length + 2),
            None => (text.len(), text.len()),
        };
        check_utf8(&self.cursor, end)?;
        while self.cursor.at < end {
            self.literal(flags)?;
        }
        self.cursor.at = after;
        Ok(())
    }

    /// Takes a repetition operator of `length` bytes, and the `?` that may follow.
    fn repeat(
        &mut self,
        start: usize,
        length: usize,
        min: u32,
        max: Option<u32>,
        previous_repeat: Option<usize>,
        flags: Flags,
    ) -> Result<(), Problem> {
        self.cursor.at = start + length;
        let lazy = self.cursor.peek(0) == Some(b'?');
        self.cursor.at += usize::from(lazy);
        if let Some(previous) = previous_repeat {
            return Err(self.cursor.problem(Kind::InvalidRepeatOp, previous));
        }
        if !self.level.has_last {
            return Err(self.cursor.problem(Kind::MissingRepeatArgument, start));
        }
        self.level.meter.repeat(min, max).map_err(|kind| match kind {
            Kind::InvalidRepeatSize => self.cursor.problem(kind, start),
            _ => self.beyond(kind),
        })?;
        self.previous_repeat = Some(start);
        self.tree.repeat(min, max, lazy == flags.swap_greed);
        Ok(())
    }

    /// Takes the opening of a group, or a group that only sets flags.
    fn group_open(&mut self, flags: Flags) -> Result<Flags, Problem> {
        if self.cursor.peek(1) == Some(b'?') {
            return self.perl_group(flags);
        }
        self.cursor.at += 1;
        self.enter(flags, Some(""));
        Ok(flags)
    }

    fn enter(&mut self, flags_outside: Flags, capture: Option<&str>) {
        self.tree.group_open(capture);
        let level = Level::new(flags_outside, capture.is_some());
        self.outer.push(std::mem::replace(&mut self.level, level));
    }

    fn group_close(&mut self) -> Result<Flags, Problem> {
        let Some(outside) = self.outer.pop() else {
            return Err(self.cursor.problem_to_end(Kind::UnexpectedParen, 0));
        };
        self.cursor.at += 1;
        let level = std::mem::replace(&mut self.level, outside);
        let measured = self.level.meter.group(level.meter, level.captures);
        measured.map_err(|kind| self.beyond(kind))?;
        self.level.has_last = true;
        self.tree.group_close();
        Ok(level.flags_outside)
    }

    /// Takes `(?P<name>`, `(?<name>`, `(?flags:` or `(?flags)`.
    fn perl_group(&mut self, flags: Flags) -> Result<Flags, Problem> {
        let start = self.cursor.at;
        let rest = self.cursor.rest();
        let name_at = match rest {
            [_, _, b'P', b'<', _, ..] => Some(4),
            [_, _, b'<', _, ..] => Some(3),
            _ => None,
        };
        let Some(name_at) = name_at else { return self.flags(flags) };
        let Some(length) = memchr(b'>', rest) else {
            check_utf8(&self.cursor, self.cursor.text.len())?;
            return Err(self.cursor.problem_to_end(Kind::InvalidNamedCapture, start));
        };
        self.cursor.at = start + name_at;
        let name = check_utf8(&self.cursor, (start + length).max(self.cursor.at))?;
        self.cursor.at = start + length + 1;
        let is_name = |byte: u8| byte == b'_' || byte.is_ascii_alphanumeric();
        if name.is_empty() || !name.bytes().all(is_name) {
            return Err(self.cursor.problem(Kind::InvalidNamedCapture, start));
        }
        self.enter(flags, Some(name));
        Ok(flags)
    }

    /// Takes `(?i-s:` or `(?i-s)`, and gives the flags from there on.
    fn flags(&mut self, outside: Flags) -> Result<Flags, Problem> {
        let start = self.cursor.at;
        self.cursor.at += 2;
        let mut flags = outside;
        let mut switch_on = true;
        // Whether there is a flag since the minus.
        let mut seen = false;
        while let Some(character) = self.cursor.next_char()? {
            let flag = match character {
                'i' => &mut flags.fold_case,
                'm' => &mut flags.multi_line,
                's' => &mut flags.dot_matches_newline,
                'U' => &mut flags.swap_greed,
                '-' if switch_on => {
                    switch_on = false;
                    seen = false;
                    continue;
                }
                ':' | ')' if switch_on || seen => {
                    if character == ':' {
                        self.enter(outside, None);
                    }
                    return Ok(flags);
                }
                _ => break,
            };
            *flag = switch_on;
            seen = true;
        }
        Err(self.cursor.problem(Kind::InvalidPerlOp, start))
    }
}

/// The length and the bounds of a count, `{2}`, `{2,}` or `{2,3}`, at the start of `text`; a number
/// that is far too large comes out as `u32::MAX`. `None`: there is no count here.
fn count(text: &[u8]) -> Option<(usize, u32, Option<u32>)> {
    let mut at = 1;
    let min = number(text, &mut at)?;
    let max = match (text.get(at)?, text.get(at + 1)) {
        (b',', Some(b'}')) => {
            at += 1;
            None
        }
        (b',', _) => {
            at += 1;
            Some(number(text, &mut at)?)
        }
        _ => Some(min),
    };
    (text.get(at) == Some(&b'}')).then_some((at + 1, min, max))
}

/// Takes a number without leading zeros.
fn number(text: &[u8], at: &mut usize) -> Option<u32> {
    let start = *at;
    let mut value = 0u32;
    while let Some(digit @ b'0'..=b'9') = text.get(*at) {
        value = value.saturating_mul(10).saturating_add((digit - b'0').into());
        *at += 1;
    }
    let leading_zero = *at - start > 1 && text.get(start) == Some(&b'0');
    (*at > start && !leading_zero).then_some(value)
}
