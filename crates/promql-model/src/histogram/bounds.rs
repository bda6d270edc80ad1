//! Where buckets begin and end.

use std::sync::LazyLock;

/// The highest resolution.
const FINEST: u32 = 8;

/// For the highest resolution, the bounds between ½ and 1.
///
/// They are what Prometheus has in its table, and not 2^(k/256 - 1) correctly rounded: many of them
/// are one to four units in the last place lower. They come out as products of repeated square roots
/// in a certain order, and printed bounds show every digit.
static FRACTIONS: LazyLock<[f64; 1 << FINEST]> = LazyLock::new(|| {
    // The k-th entry is 2^(2^-(k+1)).
    let mut roots = [0.0; FINEST as usize];
    let mut root = 2.0f64;
    for entry in &mut roots {
        root = root.sqrt();
        *entry = root;
    }
    std::array::from_fn(|k| {
        let has_bit = |bit: usize| k >> (FINEST as usize - 1 - bit) & 1 == 1;
        let start = if has_bit(0) { 0.707_106_781_186_547_5 } else { 0.5 };
        let factors = roots.iter().enumerate().skip(1).filter(|&(bit, _)| has_bit(bit));
        factors.fold(start, |product, (_, root)| product * root)
    })
});

/// The upper bound of a positive bucket of an exponential schema (-4 to 8), which is the lower bound
/// of the next one. The last bucket with a finite bound ends at `f64::MAX`, the ones after it at
/// infinity.
///
/// ```
/// use promql_model::bucket_bound;
/// assert_eq!(bucket_bound(0, 3), 8.0);
/// assert_eq!(bucket_bound(-1, 3), 64.0);
/// assert_eq!(bucket_bound(1, 1), 1.414213562373095);
/// assert_eq!(bucket_bound(0, 1024), f64::MAX);
/// ```
pub fn bucket_bound(schema: i32, index: i64) -> f64 {
    // Far beyond all bounds, and near enough to compute with.
    let index = index.clamp(-(1 << 40), 1 << 40);
    if schema < 0 {
        let exponent = index << schema.unsigned_abs().min(16);
        return if exponent == 1024 { f64::MAX } else { scaled(1.0, exponent) };
    }
    let schema = schema.unsigned_abs().min(FINEST);
    let step = (index & ((1 << schema) - 1)) << (FINEST - schema);
    let fraction = usize::try_from(step).ok().and_then(|step| FRACTIONS.get(step)).copied();
    let fraction = fraction.unwrap_or(0.5);
    let exponent = (index >> schema) + 1;
    if fraction == 0.5 && exponent == 1025 { f64::MAX } else { scaled(fraction, exponent) }
}

/// `fraction` · 2^`exponent`, where the fraction is from ½ to 1.
fn scaled(fraction: f64, exponent: i64) -> f64 {
    match exponent {
        ..-1080 => 0.0,
        1026.. => f64::INFINITY,
        _ => {
            // In two steps, because neither a power as small nor one as large need be a number.
            let half = exponent / 2;
            fraction * power_of_two(half) * power_of_two(exponent - half)
        }
    }
}

/// 2^`exponent`, for exponents from -1022 to 1023.
fn power_of_two(exponent: i64) -> f64 {
    f64::from_bits(((1023 + exponent).unsigned_abs()) << 52)
}

/// Which part of a bucket's observations is below `value`, which is within it: linearly
/// interpolated, or on a logarithmic scale.
pub fn fraction_below(lower: f64, upper: f64, value: f64, linear: bool) -> f64 {
    if linear {
        return (value - lower) / (upper - lower);
    }
    let (low, high) = (lower.abs().log2(), upper.abs().log2());
    let at = value.abs().log2();
    if value > 0.0 { (at - low) / (high - low) } else { 1.0 - (at - high) / (low - high) }
}
