//! The size of an expression, counted as Go counts it, to refuse what would take too much memory or
//! stack: `(?:(?:a{100}){100}){100}`, or a thousand groups in each other.
//!
//! An expression's measure is made of those of its parts while the parser walks along, so that no
//! tree is needed for it.

use super::error::RegexErrorKind;

/// How deep an expression may nest.
const MAX_HEIGHT: u32 = 1000;
/// How many instructions a compiled expression may have: what fits into 128 MiB in Go.
const MAX_SIZE: u64 = (128 << 20) / (5 * 8);
/// How often the innermost expression may be repeated when all counts around it are multiplied.
pub(super) const MAX_REPEAT: u32 = 1000;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Some characters in a row.
    Literal,
    /// One character of several, or an assertion.
    Class,
    Sequence,
    Alternation,
    Other,
}

/// The measures of a finished expression.
#[derive(Clone, Copy)]
pub(super) struct Measure {
    shape: Shape,
    /// The height of the highest part, if it has parts in a sequence or alternation (which merge
    /// with the like around them), else its own.
    height: u32,
    /// Instructions.
    pub(super) size: u64,
    /// How often the most repeated part of it is repeated.
    repeats: u32,
}

impl Measure {
    pub(super) const CHARACTER: Self =
        Self { shape: Shape::Literal, height: 1, size: 1, repeats: 1 };
    pub(super) const CLASS: Self = Self { shape: Shape::Class, height: 1, size: 1, repeats: 1 };
    const EMPTY: Self = Self { shape: Shape::Other, height: 1, size: 1, repeats: 1 };

    fn height(&self) -> u32 {
        match self.shape {
            Shape::Sequence | Shape::Alternation => self.height + 1,
            _ => self.height,
        }
    }

    fn is_one_character(&self) -> bool {
        self.shape == Shape::Class || self.shape == Shape::Literal && self.size == 1
    }

    /// The measure of a capturing group around this.
    pub(super) fn captured(self) -> Self {
        Self {
            shape: Shape::Other,
            height: self.height() + 1,
            size: self.size.saturating_add(2),
            repeats: self.repeats,
        }
    }

    /// The measure of this, repeated. `None`: repetitions in each other multiply to too many.
    pub(super) fn repeated(self, min: u32, max: Option<u32>) -> Option<Self> {
        let size = match (min, max) {
            (0, None) => self.size.saturating_add(2),
            (min, None) => self.size.saturating_mul(min.into()).saturating_add(1),
            (min, Some(max)) => {
                self.size.saturating_mul(max.into()).saturating_add((max - min).into()).max(1)
            }
        };
        let repeats = match max.unwrap_or(min) {
            0 if max.is_some() => 1,
            0 => self.repeats,
            times => self.repeats.saturating_mul(times),
        };
        let limit_counts = min >= 2 || max.is_some_and(|max| max >= 2);
        if limit_counts && repeats > MAX_REPEAT {
            return None;
        }
        Some(Self { shape: Shape::Other, height: self.height() + 1, size, repeats })
    }

    /// Which limit this passes, if any.
    pub(super) fn excess(&self) -> Option<RegexErrorKind> {
        if self.size > MAX_SIZE {
            Some(RegexErrorKind::Large)
        } else if self.height() > MAX_HEIGHT {
            Some(RegexErrorKind::NestingDepth)
        } else {
            None
        }
    }
}

/// The measure of a sequence or an alternation that is being read.
#[derive(Clone, Copy)]
pub(super) struct Sum {
    shape: Shape,
    count: usize,
    height: u32,
    size: u64,
    repeats: u32,
    /// The part that was added last, with the ones that merge with it.
    last: Measure,
}

impl Sum {
    pub(super) const SEQUENCE: Self = Self::new(Shape::Sequence);
    pub(super) const ALTERNATION: Self = Self::new(Shape::Alternation);

    const fn new(shape: Shape) -> Self {
        Self { shape, count: 0, height: 0, size: 0, repeats: 1, last: Measure::EMPTY }
    }

    /// Adds a part at the end.
    #[inline]
    pub(super) fn add(&mut self, part: Measure) {
        let merges = self.count > 0
            && match self.shape {
                Shape::Sequence => {
                    self.last.shape == Shape::Literal && part.shape == Shape::Literal
                }
                _ => self.last.is_one_character() && part.is_one_character(),
            };
        if merges {
            if self.shape == Shape::Sequence {
                self.size += part.size;
                self.last.size += part.size;
            } else {
                self.last = Measure::CLASS;
            }
            return;
        }
        let between = u64::from(self.shape == Shape::Alternation && self.count > 0);
        self.count += 1;
        self.height =
            self.height.max(if part.shape == self.shape { part.height } else { part.height() });
        self.size = self.size.saturating_add(part.size).saturating_add(between);
        self.repeats = self.repeats.max(part.repeats);
        self.last = part;
    }

    /// The measure of the whole; a single part is not wrapped.
    #[inline]
    pub(super) fn finish(self) -> Measure {
        match self.count {
            0 => Measure::EMPTY,
            1 => self.last,
            _ => Measure {
                shape: self.shape,
                height: self.height,
                size: self.size,
                repeats: self.repeats,
            },
        }
    }
}
