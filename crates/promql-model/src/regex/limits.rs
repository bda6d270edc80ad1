//! The size of an expression, counted as Go counts it, to refuse what would take too much memory or
//! stack: `(?:(?:a{100}){100}){100}`, or a thousand groups in each other.
//!
//! An expression's measure is made of those of its parts while the parser walks along, so that no
//! tree is needed for it.

use super::error::RegexErrorKind as Kind;

/// How deep an expression may nest.
const MAX_HEIGHT: u32 = 1000;
/// How many instructions a compiled expression may have: what fits into 128 MiB in Go.
const MAX_SIZE: u64 = (128 << 20) / (5 * 8);
/// How often the innermost expression may be repeated when all counts around it are multiplied.
pub(super) const MAX_REPEAT: u32 = 1000;

/// Measures what a group, or the whole pattern, holds.
pub(super) trait Meter: Sized {
    /// Nothing so far.
    fn new() -> Self;
    /// There is one more character.
    fn character(&mut self);
    /// There is one more class or assertion.
    fn class(&mut self);
    /// The last expression is repeated.
    fn repeat(&mut self, min: u32, max: Option<u32>) -> Result<(), Kind>;
    /// There is an alternative to what came before.
    fn alternative(&mut self) -> Result<(), Kind>;
    /// There is a group that holds `inside`.
    fn group(&mut self, inside: Self, captures: bool) -> Result<(), Kind>;
    /// The number of instructions of the whole pattern.
    fn finish(self) -> Result<u64, Kind>;
}

/// Measures nothing, for patterns so short that they cannot pass a limit.
impl Meter for () {
    #[inline(always)]
    fn new() -> Self {}
    #[inline(always)]
    fn character(&mut self) {}
    #[inline(always)]
    fn class(&mut self) {}
    #[inline(always)]
    fn repeat(&mut self, _: u32, _: Option<u32>) -> Result<(), Kind> {
        Ok(())
    }
    #[inline(always)]
    fn alternative(&mut self) -> Result<(), Kind> {
        Ok(())
    }
    #[inline(always)]
    fn group(&mut self, (): Self, _: bool) -> Result<(), Kind> {
        Ok(())
    }
    #[inline(always)]
    fn finish(self) -> Result<u64, Kind> {
        Ok(0)
    }
}

/// Whether a pattern is within all limits for sure: nothing multiplies, and a character adds at most
/// two instructions and one level.
pub(super) fn is_small(pattern: &[u8]) -> bool {
    pattern.len() <= 200 && !pattern.contains(&b'{')
}

/// Measures as the sizes of Go's syntax trees would be measured.
pub(super) struct Limits {
    alternatives: Sum,
    sequence: Sum,
    /// The end of the sequence, which a repetition would apply to.
    last: Option<Measure>,
}

impl Limits {
    fn push(&mut self, part: Measure) {
        if let Some(last) = self.last.replace(part) {
            self.sequence.add(last);
        }
    }

    fn whole(mut self) -> Result<Measure, Kind> {
        self.alternative()?;
        self.alternatives.finish().limited()
    }
}

impl Meter for Limits {
    fn new() -> Self {
        Self { alternatives: Sum::ALTERNATION, sequence: Sum::SEQUENCE, last: None }
    }

    fn character(&mut self) {
        self.push(Measure::CHARACTER);
    }

    fn class(&mut self) {
        self.push(Measure::CLASS);
    }

    fn repeat(&mut self, min: u32, max: Option<u32>) -> Result<(), Kind> {
        if let Some(last) = self.last {
            let repeated = last.repeated(min, max).ok_or(Kind::InvalidRepeatSize)?;
            self.last = Some(repeated.limited()?);
        }
        Ok(())
    }

    fn alternative(&mut self) -> Result<(), Kind> {
        if let Some(last) = self.last.take() {
            self.sequence.add(last);
        }
        let sequence = std::mem::replace(&mut self.sequence, Sum::SEQUENCE);
        self.alternatives.add(sequence.finish().limited()?);
        Ok(())
    }

    fn group(&mut self, inside: Self, captures: bool) -> Result<(), Kind> {
        let inside = inside.whole()?;
        self.push(if captures { inside.captured().limited()? } else { inside });
        Ok(())
    }

    fn finish(self) -> Result<u64, Kind> {
        Ok(self.whole()?.anchored().limited()?.size)
    }
}

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
struct Measure {
    shape: Shape,
    /// The height of the highest part, if it has parts in a sequence or alternation (which merge
    /// with the like around them), else its own.
    height: u32,
    /// Instructions.
    size: u64,
    /// How often the most repeated part of it is repeated.
    repeats: u32,
}

impl Measure {
    const CHARACTER: Self = Self { shape: Shape::Literal, height: 1, size: 1, repeats: 1 };
    const CLASS: Self = Self { shape: Shape::Class, height: 1, size: 1, repeats: 1 };
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
    fn captured(self) -> Self {
        Self {
            shape: Shape::Other,
            height: self.height() + 1,
            size: self.size.saturating_add(2),
            repeats: self.repeats,
        }
    }

    /// The measure of this between anchors.
    fn anchored(self) -> Self {
        let mut sequence = Sum::SEQUENCE;
        for part in [Self::CLASS, self, Self::CLASS] {
            sequence.add(part);
        }
        sequence.finish()
    }

    /// The measure of this, repeated. `None`: repetitions in each other multiply to too many.
    fn repeated(self, min: u32, max: Option<u32>) -> Option<Self> {
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

    /// This, unless it passes a limit.
    fn limited(self) -> Result<Self, Kind> {
        if self.size > MAX_SIZE {
            Err(Kind::Large)
        } else if self.height() > MAX_HEIGHT {
            Err(Kind::NestingDepth)
        } else {
            Ok(self)
        }
    }
}

/// The measure of a sequence or an alternation that is being read.
#[derive(Clone, Copy)]
struct Sum {
    shape: Shape,
    count: usize,
    height: u32,
    size: u64,
    repeats: u32,
    /// The part that was added last, with the ones that merge with it.
    last: Measure,
}

impl Sum {
    const SEQUENCE: Self = Self::new(Shape::Sequence);
    const ALTERNATION: Self = Self::new(Shape::Alternation);

    const fn new(shape: Shape) -> Self {
        Self { shape, count: 0, height: 0, size: 0, repeats: 1, last: Measure::EMPTY }
    }

    /// Adds a part at the end.
    #[inline]
    fn add(&mut self, part: Measure) {
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
    fn finish(self) -> Measure {
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
