//! What functions of one number do to a range.

use promql_syntax::query::{DatePart, MathFunction};

use super::range::{Range, is_whole};

/// The range of a mathematical function.
pub(super) fn math(function: MathFunction, x: &Range) -> Range {
    use MathFunction::*;
    let inf = f64::INFINITY;
    let nan = x.nan;
    if x.has_no_number() {
        return *x;
    }
    let some_below = |limit: f64| x.lo < limit;
    let some_above = |limit: f64| x.hi > limit;
    let range = match function {
        Abs => {
            let (a, b) = (x.lo.abs(), x.hi.abs());
            let lo = if x.lo <= 0.0 && x.hi >= 0.0 { 0.0 } else { a.min(b) };
            Range { integer: x.integer, ..Range::between(lo, a.max(b)) }
        }
        Ceil => Range::integers(x.lo.ceil(), x.hi.ceil()),
        Floor => Range::integers(x.lo.floor(), x.hi.floor()),
        Sgn => {
            let sign = |value: f64| if value == 0.0 { 0.0 } else { value.signum() };
            Range::integers(sign(x.lo), sign(x.hi))
        }
        Sqrt => Range { nan: some_below(0.0), ..monotone(x, 0.0, inf, f64::sqrt) },
        Exp => monotone(x, -inf, inf, f64::exp),
        Ln => Range { nan: some_below(0.0), ..monotone(x, 0.0, inf, f64::ln) },
        Log2 => Range { nan: some_below(0.0), ..monotone(x, 0.0, inf, f64::log2) },
        Log10 => Range { nan: some_below(0.0), ..monotone(x, 0.0, inf, f64::log10) },
        Sin | Cos => Range { nan: x.has_infinity(), ..Range::between(-1.0, 1.0) },
        Tan => Range { nan: x.has_infinity(), ..Range::between(-inf, inf) },
        Tanh => monotone(x, -inf, inf, f64::tanh),
        Sinh => monotone(x, -inf, inf, f64::sinh),
        Cosh => Range::between(1.0, inf),
        Asin => {
            let nan = some_below(-1.0) || some_above(1.0);
            Range { nan, ..monotone(x, -1.0, 1.0, f64::asin) }
        }
        Acos => {
            let nan = some_below(-1.0) || some_above(1.0);
            Range { nan, ..Range::between(0.0, std::f64::consts::PI) }
        }
        Atan => monotone(x, -inf, inf, f64::atan),
        Asinh => monotone(x, -inf, inf, f64::asinh),
        Acosh => Range { nan: some_below(1.0), ..Range::nonnegative() },
        Atanh => {
            let nan = some_below(-1.0) || some_above(1.0);
            Range { nan, ..Range::between(-inf, inf) }
        }
        Deg => monotone(x, -inf, inf, |v| v * 180.0 / std::f64::consts::PI),
        Rad => monotone(x, -inf, inf, |v| v * std::f64::consts::PI / 180.0),
    };
    let nan = nan || range.nan;
    range.with_nan(nan).on(x.basis)
}

/// A function that grows where it is defined, between `from` and `to`. Its values are not exact.
fn monotone(x: &Range, from: f64, to: f64, f: impl Fn(f64) -> f64) -> Range {
    if x.hi < from || x.lo > to {
        return Range::NEVER;
    }
    let (lo, hi) = (f(x.lo.max(from)), f(x.hi.min(to)));
    let outwards = |value: f64, sign: f64| match value.is_finite() && value != 0.0 {
        true => value + sign * value.abs() * 1e-14,
        false => value,
    };
    Range::between(outwards(lo, -1.0), outwards(hi, 1.0))
}

/// `clamp`, `clamp_min` and `clamp_max`; a missing limit is an infinite one.
pub(super) fn clamp(x: &Range, min: Option<&Range>, max: Option<&Range>) -> Range {
    let mut range = *x;
    range.excluded = Default::default();
    let limits = [min, max];
    let limits = limits.iter().flatten();
    let nan = limits.clone().any(|limit| limit.nan);
    let basis = limits.clone().fold(x.basis, |basis, limit| basis.or(limit.basis));
    let integer = x.integer && limits.clone().all(|limit| limit.integer);
    let has_numbers = limits.clone().all(|limit| !limit.has_no_number());
    // The larger of NaN and the largest number is that, the smaller likewise.
    let mut infinities = Range::NEVER;
    for end in [f64::INFINITY, f64::NEG_INFINITY] {
        let of_limit = limits.clone().any(|limit| limit.contains(end));
        if (nan && x.contains(end)) || ((x.nan || nan) && of_limit) {
            infinities = infinities.hull(&Range::between(end, end));
        }
    }
    if !has_numbers {
        range = Range::NEVER;
    } else if !x.has_no_number() {
        if let Some(max) = max {
            range = project(&range, |value| value.min(max.lo), |value| value.min(max.hi));
        }
        if let Some(min) = min {
            range = project(&range, |value| value.max(min.lo), |value| value.max(min.hi));
        }
    }
    let range = range.hull(&infinities);
    Range { integer, nan: x.nan || nan, basis, ..range }
}

fn project(x: &Range, low: impl Fn(f64) -> f64, high: impl Fn(f64) -> f64) -> Range {
    let (lo, hi) = (low(x.lo), high(x.hi));
    let lo_open = x.lo_open && lo == x.lo;
    let hi_open = x.hi_open && hi == x.hi;
    // An open end that a limit lies on is reached by the limit.
    Range {
        lo_open: lo_open && low(x.lo.next_up()) > lo,
        hi_open: hi_open && high(x.hi.next_down()) < hi,
        ..Range { lo, hi, ..*x }
    }
}

/// `round` to a multiple.
pub(super) fn round(x: &Range, to_nearest: &Range) -> Range {
    let basis = x.basis.or(to_nearest.basis);
    let any = Range::ANY.on(basis);
    let Some(nearest) = to_nearest.constant().filter(|n| *n > 0.0 && n.is_finite()) else {
        return any;
    };
    if x.has_no_number() {
        return *x;
    }
    let inverse = 1.0 / nearest;
    let rounded = |value: f64| (value * inverse + 0.5).floor() / inverse;
    let (lo, hi) = (rounded(x.lo), rounded(x.hi));
    if lo.is_nan() || hi.is_nan() {
        return any;
    }
    let integer = is_whole(nearest) && (nearest == 1.0 || is_whole(inverse));
    // A subnormal multiple has no inverse.
    let nan = x.nan || !inverse.is_finite();
    Range { integer, nan, basis, ..Range::between(lo, hi) }
}

/// A part of a date.
pub(super) fn date(part: DatePart) -> Range {
    match part {
        DatePart::Minute => Range::integers(0.0, 59.0),
        DatePart::Hour => Range::integers(0.0, 23.0),
        DatePart::DayOfWeek => Range::integers(0.0, 6.0),
        DatePart::DayOfMonth => Range::integers(1.0, 31.0),
        DatePart::DayOfYear => Range::integers(1.0, 366.0),
        DatePart::DaysInMonth => Range::integers(28.0, 31.0),
        DatePart::Month => Range::integers(1.0, 12.0),
        DatePart::Year => Range::integers(f64::NEG_INFINITY, f64::INFINITY),
    }
}

/// The larger or the smaller of two scalars. NaN makes both NaN, or neither.
pub(super) fn extreme(a: &Range, b: &Range, larger: bool) -> Range {
    let nan = a.nan || b.nan;
    let basis = a.basis.or(b.basis);
    if a.has_no_number() || b.has_no_number() {
        return a.hull(b).with_nan(nan).on(basis);
    }
    let pick = |x: f64, y: f64| if larger { x.max(y) } else { x.min(y) };
    let hull = a.hull(b);
    let (lo, hi) = (pick(a.lo, b.lo), pick(a.hi, b.hi));
    // Where one may be NaN the answer may be the other one.
    let (lo, hi) = if nan { (hull.lo, hull.hi) } else { (lo, hi) };
    Range { integer: a.integer && b.integer, nan, basis, ..Range::between(lo, hi) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::flags::Basis;

    #[test]
    fn functions_hold_their_results() {
        use MathFunction::*;
        let inf = f64::INFINITY;
        let ends = [-inf, -7.5, -1.0, -0.25, 0.0, 0.25, 1.0, 2.0, 700.0, inf];
        type Math = (MathFunction, fn(f64) -> f64);
        let functions: Vec<Math> = vec![
            (Abs, f64::abs),
            (Acos, f64::acos),
            (Acosh, f64::acosh),
            (Asin, f64::asin),
            (Asinh, f64::asinh),
            (Atan, f64::atan),
            (Atanh, f64::atanh),
            (Ceil, f64::ceil),
            (Cos, f64::cos),
            (Cosh, f64::cosh),
            (Deg, |v| v * 180.0 / std::f64::consts::PI),
            (Exp, f64::exp),
            (Floor, f64::floor),
            (Ln, f64::ln),
            (Log10, f64::log10),
            (Log2, f64::log2),
            (Rad, |v| v * std::f64::consts::PI / 180.0),
            (Sgn, |v| if v == 0.0 { v } else { v.signum() }),
            (Sin, f64::sin),
            (Sinh, f64::sinh),
            (Sqrt, f64::sqrt),
            (Tan, f64::tan),
            (Tanh, f64::tanh),
        ];
        for (function, f) in functions {
            for (i, &lo) in ends.iter().enumerate() {
                for &hi in &ends[i..] {
                    let range = math(function, &Range::between(lo, hi));
                    for value in ends.iter().filter(|value| **value >= lo && **value <= hi) {
                        let result = f(*value);
                        assert!(
                            range.contains(result),
                            "{function:?} [{lo}, {hi}] = {range}, but {value} gives {result}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn clamps_and_rounds() {
        let any = Range::ANY;
        let point = Range::point;
        assert_eq!(clamp(&any, Some(&point(1.0)), Some(&point(5.0))).to_string(), "[1, 5] or NaN");
        assert_eq!(clamp(&any, None, Some(&point(5.0))).to_string(), "[-Inf, 5] or NaN");
        let above = Range { lo_open: true, ..Range::between(0.0, f64::INFINITY) };
        assert_eq!(clamp(&above, Some(&point(0.0)), None).to_string(), "(0, +Inf]");
        assert_eq!(clamp(&above, Some(&point(1.0)), None).to_string(), "[1, +Inf]");
        assert_eq!(round(&Range::between(0.4, 2.6), &point(1.0)).to_string(), "[0, 3] whole");
        assert_eq!(round(&any, &point(0.5)).basis, Basis::NONE);
    }
}
