//! What the value of a sample can be: an interval with open or closed ends, a few points that are
//! excluded, and whether NaN is possible.
//!
//! Infinities are ordinary numbers here. NaN is none: it lies beside the interval, and the interval
//! of what is only NaN is empty.

use super::flags::Basis;

/// Numbers that are not in a range: no more than two are remembered.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Points([Option<f64>; 2]);

impl Points {
    const NONE: Points = Points([None; 2]);

    /// The numbers.
    pub fn iter(&self) -> impl Iterator<Item = f64> + use<> {
        self.0.into_iter().flatten()
    }

    /// Whether a number is one of them.
    pub fn contains(&self, value: f64) -> bool {
        self.iter().any(|point| point == value)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    fn insert(&mut self, value: f64) {
        if !self.contains(value)
            && let Some(free) = self.0.iter_mut().find(|point| point.is_none())
        {
            *free = Some(value);
        }
    }

    fn retain(&mut self, keep: impl Fn(f64) -> bool) {
        let kept = |point: &mut Option<f64>| *point = point.filter(|value| keep(*value));
        self.0.iter_mut().for_each(kept);
    }

    /// The same numbers with the other sign.
    pub(super) fn negated(self) -> Points {
        Points(self.0.map(|point| point.map(|value| -value)))
    }
}

/// A range of sample values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// The lower end. Above [`Range::hi`] when no number is possible.
    pub lo: f64,
    /// The upper end.
    pub hi: f64,
    /// Whether the lower end itself is not in the range.
    pub lo_open: bool,
    /// Whether the upper end itself is not in the range.
    pub hi_open: bool,
    /// Numbers between the ends that are not in the range.
    pub excluded: Points,
    /// Whether all numbers of the range are whole, or infinite.
    pub integer: bool,
    /// Whether NaN is possible.
    pub nan: bool,
    /// What the range rests on.
    pub basis: Basis,
}

/// What is known of the outcome of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It never holds.
    Never,
    /// It can hold or not.
    Maybe,
    /// It always holds.
    Always,
}

/// A comparison.
pub use promql_syntax::query::ComparisonOp as Comparison;

impl Range {
    /// Any number, and NaN.
    pub const ANY: Range = Range { nan: true, ..Range::between(f64::NEG_INFINITY, f64::INFINITY) };
    /// Nothing.
    pub const NEVER: Range = Range::between(f64::INFINITY, f64::NEG_INFINITY);

    /// The numbers between two ends, both included.
    pub const fn between(lo: f64, hi: f64) -> Range {
        Range {
            lo,
            hi,
            lo_open: false,
            hi_open: false,
            excluded: Points::NONE,
            integer: false,
            nan: false,
            basis: Basis::NONE,
        }
    }

    /// One number, or NaN.
    pub fn point(value: f64) -> Range {
        if value.is_nan() {
            return Range { nan: true, ..Range::NEVER };
        }
        Range { integer: is_whole(value), ..Range::between(value, value) }
    }

    /// The whole numbers between two ends.
    pub fn integers(lo: f64, hi: f64) -> Range {
        Range { integer: true, ..Range::between(lo, hi) }
    }

    /// Zero and above.
    pub fn nonnegative() -> Range {
        Range::between(0.0, f64::INFINITY)
    }

    /// The same with NaN, if the argument says so.
    #[must_use]
    pub fn with_nan(self, nan: bool) -> Range {
        Range { nan, ..self }
    }

    /// The same, resting on more.
    #[must_use]
    pub fn on(mut self, basis: Basis) -> Range {
        self.basis = self.basis.or(basis);
        self
    }

    /// Whether there is no number in the range.
    pub fn has_no_number(&self) -> bool {
        self.lo > self.hi
            || (self.lo == self.hi
                && (self.lo_open || self.hi_open || self.excluded.contains(self.lo)))
    }

    /// Whether neither a number nor NaN is possible.
    pub fn is_never(&self) -> bool {
        !self.nan && self.has_no_number()
    }

    /// Whether nothing is known.
    pub fn is_any(&self) -> bool {
        self.lo == f64::NEG_INFINITY
            && self.hi == f64::INFINITY
            && !self.lo_open
            && !self.hi_open
            && self.excluded.is_empty()
            && !self.integer
    }

    /// The only value, if there is one and it is not NaN.
    pub fn constant(&self) -> Option<f64> {
        (self.lo == self.hi && !self.nan && !self.has_no_number()).then_some(self.lo)
    }

    /// Whether a number is possible.
    pub fn contains(&self, value: f64) -> bool {
        if value.is_nan() {
            return self.nan;
        }
        (value > self.lo || (value == self.lo && !self.lo_open))
            && (value < self.hi || (value == self.hi && !self.hi_open))
            && !self.excluded.contains(value)
            && (!self.integer || is_whole(value))
    }

    /// Whether both infinities, or one, are possible.
    pub fn has_infinity(&self) -> bool {
        self.contains(f64::INFINITY) || self.contains(f64::NEG_INFINITY)
    }

    /// Whether no number below zero is possible.
    pub fn is_nonnegative(&self) -> bool {
        self.has_no_number() || self.lo >= 0.0
    }

    /// What is in both.
    pub fn meet(&self, other: &Range) -> Range {
        let (lo, lo_open) = higher((self.lo, self.lo_open), (other.lo, other.lo_open));
        let (hi, hi_open) = lower((self.hi, self.hi_open), (other.hi, other.hi_open));
        let mut met = Range {
            lo,
            hi,
            lo_open,
            hi_open,
            excluded: self.excluded,
            integer: self.integer || other.integer,
            nan: self.nan && other.nan,
            basis: self.basis.or(other.basis),
        };
        other.excluded.iter().for_each(|point| met.exclude(point));
        met.settled()
    }

    /// The smallest range that holds both.
    pub fn hull(&self, other: &Range) -> Range {
        let nan = self.nan || other.nan;
        let basis = self.basis.or(other.basis);
        if self.has_no_number() {
            return Range { nan, basis, ..*other };
        }
        if other.has_no_number() {
            return Range { nan, basis, ..*self };
        }
        let (lo, lo_open) = match self.lo == other.lo {
            true => (self.lo, self.lo_open && other.lo_open),
            false if self.lo < other.lo => (self.lo, self.lo_open),
            false => (other.lo, other.lo_open),
        };
        let (hi, hi_open) = match self.hi == other.hi {
            true => (self.hi, self.hi_open && other.hi_open),
            false if self.hi > other.hi => (self.hi, self.hi_open),
            false => (other.hi, other.hi_open),
        };
        let mut excluded = Points::NONE;
        let mine = self.excluded.iter().filter(|&point| !other.contains(point));
        let theirs = other.excluded.iter().filter(|&point| !self.contains(point));
        mine.chain(theirs).for_each(|point| excluded.insert(point));
        let integer = self.integer && other.integer;
        Range { lo, hi, lo_open, hi_open, excluded, integer, nan, basis }
    }

    /// The range without a point.
    pub(super) fn exclude(&mut self, point: f64) {
        if !self.contains(point) {
            return;
        }
        if point == self.lo {
            self.lo_open = true;
        }
        if point == self.hi {
            self.hi_open = true;
        }
        if point > self.lo && point < self.hi {
            self.excluded.insert(point);
        }
    }

    /// The ends of whole numbers are whole and included, where they are finite.
    pub(super) fn settled(mut self) -> Range {
        if self.integer {
            if self.lo.is_finite() && (self.lo_open || !is_whole(self.lo)) {
                let up = self.lo.ceil();
                self.lo = if up == self.lo && self.lo_open { up + 1.0 } else { up };
                // Beyond 2^53 there is no next whole number that is one more.
                self.lo_open = self.lo_open && self.lo.abs() > 9e15;
            }
            if self.hi.is_finite() && (self.hi_open || !is_whole(self.hi)) {
                let down = self.hi.floor();
                self.hi = if down == self.hi && self.hi_open { down - 1.0 } else { down };
                self.hi_open = self.hi_open && self.hi.abs() > 9e15;
            }
        }
        let (lo, hi) = (self.lo, self.hi);
        self.excluded.retain(|point| point > lo && point < hi);
        if self.has_no_number() {
            return Range { nan: self.nan, basis: self.basis, ..Range::NEVER };
        }
        self
    }

    /// What is known of a comparison of a value of this range with one of another.
    pub fn compare(&self, op: Comparison, other: &Range) -> Verdict {
        let no_number = self.has_no_number() || other.has_no_number();
        let nan = self.nan || other.nan;
        let (holds, fails) = if no_number {
            (false, false)
        } else {
            match op {
                Comparison::Lt => (can_be_less(self, other), can_be_at_most(other, self)),
                Comparison::Le => (can_be_at_most(self, other), can_be_less(other, self)),
                Comparison::Gt => (can_be_less(other, self), can_be_at_most(self, other)),
                Comparison::Ge => (can_be_at_most(other, self), can_be_less(self, other)),
                Comparison::Eq => (can_be_equal(self, other), can_differ(self, other)),
                Comparison::Ne => (can_differ(self, other), can_be_equal(self, other)),
            }
        };
        // NaN differs from everything, and satisfies no other comparison.
        let is_not_equal = op == Comparison::Ne;
        match (holds || (nan && is_not_equal), fails || (nan && !is_not_equal)) {
            (false, _) => Verdict::Never,
            (true, false) => Verdict::Always,
            (true, true) => Verdict::Maybe,
        }
    }

    /// The values of this range for which a comparison with a value of another range can hold.
    pub fn filtered(&self, op: Comparison, other: &Range) -> Range {
        if op == Comparison::Ne {
            let mut left = *self;
            left.basis = self.basis.or(other.basis);
            if let Some(point) = other.constant() {
                left.exclude(point);
                left = left.settled();
            }
            return left;
        }
        if other.has_no_number() {
            return Range { basis: self.basis.or(other.basis), ..Range::NEVER };
        }
        let unbounded = Range::between(f64::NEG_INFINITY, f64::INFINITY);
        let (lo, lo_open) = (other.lo, other.lo_open);
        let (hi, hi_open) = (other.hi, other.hi_open);
        let half = match op {
            Comparison::Gt => Range { lo, lo_open: true, ..unbounded },
            Comparison::Ge => Range { lo, lo_open, ..unbounded },
            Comparison::Lt => Range { hi, hi_open: true, ..unbounded },
            Comparison::Le => Range { hi, hi_open, ..unbounded },
            Comparison::Eq | Comparison::Ne => Range { nan: false, ..*other },
        };
        self.meet(&half.on(other.basis)).with_nan(false)
    }
}

/// Whether a number is whole or infinite.
pub(super) fn is_whole(value: f64) -> bool {
    value.is_infinite() || value.fract() == 0.0
}

fn higher(a: (f64, bool), b: (f64, bool)) -> (f64, bool) {
    if a.0 == b.0 {
        (a.0, a.1 || b.1)
    } else if a.0 > b.0 {
        a
    } else {
        b
    }
}

fn lower(a: (f64, bool), b: (f64, bool)) -> (f64, bool) {
    if a.0 == b.0 {
        (a.0, a.1 || b.1)
    } else if a.0 < b.0 {
        a
    } else {
        b
    }
}

/// Whether some number of `a` is less than some of `b`.
fn can_be_less(a: &Range, b: &Range) -> bool {
    a.lo < b.hi
}

/// Whether some number of `a` is at most some of `b`.
fn can_be_at_most(a: &Range, b: &Range) -> bool {
    a.lo < b.hi || (a.lo == b.hi && !a.lo_open && !b.hi_open)
}

fn can_be_equal(a: &Range, b: &Range) -> bool {
    !Range { nan: false, ..*a }.meet(&Range { nan: false, ..*b }).has_no_number()
}

fn can_differ(a: &Range, b: &Range) -> bool {
    a.lo != a.hi || b.lo != b.hi || a.lo != b.lo
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparisons_are_decided_by_the_ends() {
        use Comparison::{Eq, Ge, Gt, Le, Lt, Ne};
        let counts = Range::integers(1.0, f64::INFINITY);
        let rate = Range::nonnegative();
        let two = Range::point(2.0);
        let zero = Range::point(0.0);
        for (a, op, b, verdict) in [
            (&counts, Lt, &Range::point(1.0), Verdict::Never),
            (&counts, Gt, &zero, Verdict::Always),
            (&counts, Eq, &zero, Verdict::Never),
            (&counts, Ne, &zero, Verdict::Always),
            (&counts, Eq, &Range::point(1.5), Verdict::Never),
            (&rate, Lt, &zero, Verdict::Never),
            (&rate, Le, &zero, Verdict::Maybe),
            (&rate, Ge, &zero, Verdict::Always),
            (&two, Eq, &two, Verdict::Always),
            (&two, Gt, &two, Verdict::Never),
            (&Range::ANY, Ge, &Range::ANY, Verdict::Maybe),
            (&Range::ANY, Eq, &Range::point(f64::NAN), Verdict::Never),
            (&Range::ANY, Ne, &Range::point(f64::NAN), Verdict::Always),
        ] {
            assert_eq!(a.compare(op, b), verdict, "{a} {op:?} {b}");
        }
    }

    #[test]
    fn filters_narrow() {
        let filtered =
            |range: &Range, op, value| range.filtered(op, &Range::point(value)).to_string();
        let any = Range::ANY;
        assert_eq!(filtered(&any, Comparison::Gt, 5.0), "(5, +Inf]");
        assert_eq!(filtered(&any, Comparison::Ne, 0.0), "[-Inf, +Inf] but 0 or NaN");
        let counts = Range::integers(1.0, f64::INFINITY);
        assert_eq!(filtered(&counts, Comparison::Lt, 3.0), "[1, 2] whole");
        assert_eq!(filtered(&counts, Comparison::Lt, 1.0), "never");
        assert_eq!(filtered(&counts, Comparison::Gt, 1.0), "[2, +Inf] whole");
    }
}
