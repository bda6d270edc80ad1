//! Arithmetic on ranges: the range of what an operation can give.
//!
//! Adding, multiplying and dividing floats is monotone even where it rounds, so the results at the
//! ends are ends of the results. Powers are not, and are rounded outwards.

use promql_syntax::query::ArithmeticOp;

use super::range::Range;

/// The range of `a OP b`.
pub(super) fn arithmetic(op: ArithmeticOp, a: &Range, b: &Range) -> Range {
    let basis = a.basis.or(b.basis);
    let nan = a.nan || b.nan;
    if let (Some(x), Some(y)) = (a.constant(), b.constant())
        && !depends_on_signs_of_zeros(op, x, y)
    {
        return constant(op, x, y).on(basis);
    }
    if a.has_no_number() || b.has_no_number() {
        // A power of nothing is one, and of one is one, also where NaN is.
        if op == ArithmeticOp::Pow && nan {
            return Range::ANY.on(basis);
        }
        return Range::NEVER.with_nan(nan).on(basis);
    }
    let range = match op {
        ArithmeticOp::Add => add(a, b),
        ArithmeticOp::Sub => add(a, &negated(b)),
        ArithmeticOp::Mul => multiply(a, b),
        ArithmeticOp::Div => divide(a, b),
        ArithmeticOp::Mod => remainder(a, b),
        ArithmeticOp::Pow => power(a, b),
        ArithmeticOp::Atan2 => Range::between(-std::f64::consts::PI, std::f64::consts::PI),
    };
    let nan = nan || range.nan;
    range.with_nan(nan).on(basis)
}

/// Whether it makes a difference which of the two zeros an operand is. A range doesn't tell.
fn depends_on_signs_of_zeros(op: ArithmeticOp, x: f64, y: f64) -> bool {
    match op {
        ArithmeticOp::Div => y == 0.0 && x != 0.0,
        ArithmeticOp::Pow => x == 0.0 && y < 0.0,
        ArithmeticOp::Atan2 => x == 0.0 || y == 0.0,
        _ => false,
    }
}

fn constant(op: ArithmeticOp, x: f64, y: f64) -> Range {
    Range::point(match op {
        ArithmeticOp::Add => x + y,
        ArithmeticOp::Sub => x - y,
        ArithmeticOp::Mul => x * y,
        ArithmeticOp::Div => x / y,
        ArithmeticOp::Mod => x % y,
        ArithmeticOp::Pow => x.powf(y),
        ArithmeticOp::Atan2 => x.atan2(y),
    })
}

/// The range of `-a`.
pub(super) fn negated(a: &Range) -> Range {
    Range {
        lo: -a.hi,
        hi: -a.lo,
        lo_open: a.hi_open,
        hi_open: a.lo_open,
        excluded: a.excluded.negated(),
        ..*a
    }
}

fn add(a: &Range, b: &Range) -> Range {
    let (inf, minus_inf) = (f64::INFINITY, f64::NEG_INFINITY);
    let nan =
        (a.contains(inf) && b.contains(minus_inf)) || (a.contains(minus_inf) && b.contains(inf));
    let sum = |x: f64, y: f64, if_none: f64| match x + y {
        sum if sum.is_nan() => if_none,
        sum => sum,
    };
    let (lo, hi) = (sum(a.lo, b.lo, minus_inf), sum(a.hi, b.hi, inf));
    let integer = a.integer && b.integer;
    Range { nan, integer, ..Range::between(lo, hi) }
}

/// The hull of the four products or quotients of the ends. Where one is undefined it may be anything
/// between, so the answer is given by `if_none`.
fn hull_of_ends(a: &Range, b: &Range, f: impl Fn(f64, f64) -> f64, if_none: &[f64]) -> Range {
    let mut range = Range::NEVER;
    let mut take = |value: f64| {
        range = range.hull(&Range::between(value, value));
    };
    for x in [a.lo, a.hi] {
        for y in [b.lo, b.hi] {
            match f(x, y) {
                value if value.is_nan() => if_none.iter().for_each(|&value| take(value)),
                value => take(value),
            }
        }
    }
    range
}

fn multiply(a: &Range, b: &Range) -> Range {
    let nan = (a.contains(0.0) && b.has_infinity()) || (b.contains(0.0) && a.has_infinity());
    // Zero times an infinite end: products of what lies near both can be anything of that sign.
    let range = hull_of_ends(a, b, |x, y| x * y, &[0.0]);
    let integer = a.integer && b.integer;
    Range { nan, integer, ..range }
}

fn divide(a: &Range, b: &Range) -> Range {
    let nan = (a.contains(0.0) && b.contains(0.0)) || (a.has_infinity() && b.has_infinity());
    let unbounded = Range { nan, ..Range::between(f64::NEG_INFINITY, f64::INFINITY) };
    // Also a zero at the end of the divisor can have either sign, and give either infinity.
    if b.contains(0.0) || (b.lo < 0.0 && b.hi > 0.0) {
        return unbounded;
    }
    if b.hi <= 0.0 {
        return divide(&negated(a), &negated(b));
    }
    // Infinite by infinite: what lies near those ends can be anything of that sign. A divisor near
    // to zero gives what is infinite or nearly so.
    let divided = |x: f64, y: f64| if x == 0.0 && y == 0.0 { f64::NAN } else { x / y };
    let range = hull_of_ends(a, b, divided, &[0.0, f64::INFINITY, f64::NEG_INFINITY]);
    let lo = if a.lo >= 0.0 { range.lo.max(0.0) } else { range.lo };
    let hi = if a.hi <= 0.0 { range.hi.min(0.0) } else { range.hi };
    Range { nan, ..Range::between(lo, hi) }
}

fn remainder(a: &Range, b: &Range) -> Range {
    let nan = b.contains(0.0) || a.has_infinity();
    let largest = b.lo.abs().max(b.hi.abs());
    // The remainder is smaller than the divisor, and not larger than the dividend.
    let lo = if a.lo >= 0.0 { 0.0 } else { a.lo.max(-largest) };
    let hi = if a.hi <= 0.0 { 0.0 } else { a.hi.min(largest) };
    let integer = a.integer && b.integer;
    Range { nan, integer, ..Range::between(lo, hi) }
}

fn power(a: &Range, b: &Range) -> Range {
    let any = Range::ANY;
    match b.constant() {
        Some(0.0) => Range::point(1.0),
        Some(1.0) => *a,
        Some(exponent) if exponent > 0.0 && a.lo >= 0.0 => {
            let range = Range::between(a.lo.powf(exponent), a.hi.powf(exponent));
            widened(range)
        }
        Some(exponent) if exponent > 0.0 && exponent % 2.0 == 0.0 => {
            let largest = a.lo.abs().max(a.hi.abs());
            widened(Range::between(0.0, largest.powf(exponent)))
        }
        // A negative power of a zero is an infinity of the sign of that zero.
        _ if a.lo >= 0.0 && (!a.contains(0.0) || b.lo >= 0.0) => {
            Range { nan: a.nan || b.nan, ..Range::nonnegative() }
        }
        _ => any,
    }
}

/// Powers are not computed exactly.
fn widened(range: Range) -> Range {
    let by = |value: f64, factor: f64| if value.is_finite() { value * factor } else { value };
    Range::between(by(range.lo, 1.0 - 1e-14), by(range.hi, 1.0 + 1e-14))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ArithmeticOp::{Add, Div, Mod, Mul, Pow, Sub};

    #[test]
    fn operations_on_ranges_hold_all_results() {
        let inf = f64::INFINITY;
        let ends = [-inf, -3.0, -1.0, -0.0, 0.0, 0.5, 2.0, inf];
        let samples = |lo: f64, hi: f64| {
            ends.into_iter()
                .chain([-2.5, 1e300, -1e300, 7.0, 1e-300])
                .filter(move |value| *value >= lo && *value <= hi)
        };
        for op in [Add, Sub, Mul, Div, Mod, Pow, ArithmeticOp::Atan2] {
            for (i, &a_lo) in ends.iter().enumerate() {
                for &a_hi in &ends[i..] {
                    for (j, &b_lo) in ends.iter().enumerate() {
                        for &b_hi in &ends[j..] {
                            let (a, b) = (Range::between(a_lo, a_hi), Range::between(b_lo, b_hi));
                            let range = arithmetic(op, &a, &b);
                            for x in samples(a_lo, a_hi) {
                                for y in samples(b_lo, b_hi) {
                                    let value = constant_value(op, x, y);
                                    assert!(
                                        range.contains(value),
                                        "{a} {op:?} {b} = {range}, but {x} and {y} give {value}"
                                    );
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    fn constant_value(op: ArithmeticOp, x: f64, y: f64) -> f64 {
        match op {
            Add => x + y,
            Sub => x - y,
            Mul => x * y,
            Div => x / y,
            Mod => x % y,
            Pow => x.powf(y),
            ArithmeticOp::Atan2 => x.atan2(y),
        }
    }

    #[test]
    fn operations_on_ranges_are_sharp_where_it_matters() {
        let rate = Range::nonnegative();
        let hundred = Range::point(100.0);
        let part = Range::between(0.0, 1.0);
        for (a, op, b, text) in [
            (&rate, Add, &rate, "[0, +Inf]"),
            (&hundred, Sub, &rate, "[-Inf, 100]"),
            (&rate, Mul, &hundred, "[0, +Inf]"),
            (&part, Mul, &hundred, "[0, 100]"),
            (&rate, Mod, &hundred, "[0, 100] or NaN"),
            (&Range::integers(1.0, f64::INFINITY), Sub, &Range::point(1.0), "[0, +Inf] whole"),
            (&rate, Pow, &Range::point(2.0), "[0, +Inf]"),
        ] {
            assert_eq!(arithmetic(op, a, b).to_string(), text);
        }
    }
}
