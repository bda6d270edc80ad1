//! Quantiles and fractions of one classic histogram: cumulative counts by upper bound.

/// The buckets of a histogram at one step: upper bounds, ascending, with the number of observations
/// up to each.
#[derive(Clone, Debug, Default)]
pub(super) struct Buckets {
    bounds: Vec<f64>,
    counts: Vec<f64>,
}

/// What had to be changed so that the counts never decrease.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Repaired {
    pub(super) lowest_bucket: f64,
    pub(super) highest_bucket: f64,
    pub(super) largest_difference: f64,
}

impl Buckets {
    pub(super) fn clear(&mut self) {
        self.bounds.clear();
        self.counts.clear();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bounds.is_empty()
    }

    /// Adds a bucket. Bounds come in ascending order; the counts of equal ones are added up.
    pub(super) fn push(&mut self, bound: f64, count: f64) {
        match (self.bounds.last(), self.counts.last_mut()) {
            (Some(last), Some(last_count)) if *last == bound => *last_count += count,
            _ => {
                self.bounds.push(bound);
                self.counts.push(count);
            }
        }
    }

    /// Whether the last bucket has everything, as it must.
    fn is_complete(&self) -> bool {
        self.bounds.last() == Some(&f64::INFINITY)
    }

    /// A quantile, interpolated linearly within a bucket, and what was repaired for it.
    pub(super) fn quantile(&mut self, quantile: f64) -> (f64, Option<Repaired>) {
        if quantile.is_nan() {
            return (f64::NAN, None);
        }
        if quantile < 0.0 {
            return (f64::NEG_INFINITY, None);
        }
        if quantile > 1.0 {
            return (f64::INFINITY, None);
        }
        if !self.is_complete() {
            return (f64::NAN, None);
        }
        let repaired = self.repair();
        (self.quantile_of_repaired(quantile), repaired)
    }

    fn quantile_of_repaired(&self, quantile: f64) -> f64 {
        let (bounds, counts) = (&self.bounds, &self.counts);
        let last = bounds.len() - 1;
        if last < 1 || counts[last] == 0.0 || counts[last].is_nan() && counts.len() < 2 {
            return f64::NAN;
        }
        let rank = quantile * counts[last];
        let at = counts[..last].iter().position(|&count| count >= rank).unwrap_or(last);
        if at == last {
            return bounds[last - 1];
        }
        if at == 0 && bounds[0] <= 0.0 {
            return bounds[0];
        }
        let (low, below) = if at > 0 { (bounds[at - 1], counts[at - 1]) } else { (0.0, 0.0) };
        low + (bounds[at] - low) * ((rank - below) / (counts[at] - below))
    }

    /// Makes the counts never decrease. They do where buckets were scraped or aggregated
    /// inconsistently; differences that rounding explains are not worth a word.
    fn repair(&mut self) -> Option<Repaired> {
        let mut repaired: Option<Repaired> = None;
        let mut previous = self.counts[0];
        for (bound, count) in self.bounds.iter().zip(&mut self.counts).skip(1) {
            if *count == previous {
                continue;
            }
            if almost_equal(previous, *count) {
                *count = previous;
                continue;
            }
            if *count < previous {
                let known = repaired.get_or_insert(Repaired {
                    lowest_bucket: *bound,
                    highest_bucket: *bound,
                    largest_difference: 0.0,
                });
                known.lowest_bucket = known.lowest_bucket.min(*bound);
                known.highest_bucket = known.highest_bucket.max(*bound);
                known.largest_difference = known.largest_difference.max(previous - *count);
                *count = previous;
                continue;
            }
            previous = *count;
        }
        repaired
    }

    /// The part of the observations between two values.
    pub(super) fn fraction(&self, lower: f64, upper: f64) -> f64 {
        if !self.is_complete() {
            return f64::NAN;
        }
        let total = self.counts[self.counts.len() - 1];
        if total == 0.0 || total.is_nan() || lower.is_nan() || upper.is_nan() {
            return f64::NAN;
        }
        if lower >= upper {
            return 0.0;
        }
        let (mut lower_rank, mut upper_rank) = (None, None);
        let mut rank = 0.0;
        let mut low = if self.bounds[0] <= 0.0 { f64::NEG_INFINITY } else { 0.0 };
        for (at, (&high, &count)) in self.bounds.iter().zip(&self.counts).enumerate() {
            if at > 0 {
                low = self.bounds[at - 1];
            }
            let rank_of = |value: f64| match low == f64::NEG_INFINITY {
                true => count,
                false => rank + (count - rank) * ((value - low) / (high - low)),
            };
            for (found, value) in [(&mut lower_rank, lower), (&mut upper_rank, upper)] {
                if found.is_none() && low >= value {
                    *found = Some(rank);
                }
                if found.is_none() && low < value && value < high {
                    *found = Some(rank_of(value));
                }
            }
            if lower_rank.is_some() && upper_rank.is_some() {
                break;
            }
            rank = count;
        }
        let of_total = |rank: Option<f64>| rank.filter(|rank| *rank <= total).unwrap_or(total);
        (of_total(upper_rank) - of_total(lower_rank)) / total
    }
}

/// Whether two counts differ by no more than rounding makes them differ.
fn almost_equal(a: f64, b: f64) -> bool {
    const TOLERANCE: f64 = 1e-12;
    if (a.is_nan() && b.is_nan()) || a == b {
        return true;
    }
    let (size, difference) = (a.abs() + b.abs(), (a - b).abs());
    if a == 0.0 || b == 0.0 || size < f64::MIN_POSITIVE {
        return difference < TOLERANCE * f64::MIN_POSITIVE;
    }
    difference / size.min(f64::MAX) < TOLERANCE
}

/// Reads the bound of a bucket as Go reads floats: decimal or hexadecimal, infinite or NaN. A
/// number too large to be one is none.
pub(super) fn parse_bound(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned.starts_with(['+', '-']) {
        return None;
    }
    let magnitude = match unsigned.to_ascii_lowercase().as_str() {
        "inf" | "infinity" => f64::INFINITY,
        "nan" if unsigned.len() == text.len() => f64::NAN,
        "nan" => return None,
        lower => match lower.strip_prefix("0x") {
            Some(hexadecimal) => parse_hexadecimal(hexadecimal)?,
            None if lower.starts_with(['+', '-']) => return None,
            None => lower.parse().ok().filter(|value: &f64| value.is_finite())?,
        },
    };
    Some(if text.starts_with('-') { -magnitude } else { magnitude })
}

/// Reads what follows `0x`: digits with or without a point, then `p` and a power of two.
fn parse_hexadecimal(text: &str) -> Option<f64> {
    let (digits, exponent) = text.split_once('p')?;
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut mantissa = 0.0;
    for digit in whole.chars().chain(fraction.chars()) {
        mantissa = mantissa * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let exponent = exponent.checked_sub(4 * i32::try_from(fraction.len()).ok()?)?;
    let value = mantissa * 2f64.powi(exponent);
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_read_as_go_reads_floats() {
        for (text, bound) in [
            ("0.5", 0.5),
            ("+5.", 5.0),
            ("-1e3", -1000.0),
            ("+Inf", f64::INFINITY),
            ("-infinity", f64::NEG_INFINITY),
            ("0x1.8p1", 3.0),
            ("1e-400", 0.0),
        ] {
            assert_eq!(parse_bound(text), Some(bound), "{text}");
        }
        for text in ["", "abc", "1e400", "+nan", "1 ", "0x1", "--1", "1_0"] {
            assert_eq!(parse_bound(text), None, "{text}");
        }
        assert!(parse_bound("NaN").is_some_and(f64::is_nan));
    }
}
