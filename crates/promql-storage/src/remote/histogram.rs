//! Native histograms in answers of the API, which writes them for people: populated buckets with
//! their bounds.
//!
//! The resolution is not in the answer, so it is found from the bounds: there is only one at which
//! they are bounds of buckets. What is lost stays lost: where custom buckets are empty, their
//! bounds; the width of an empty zero bucket; whether the counter was reset.

use promql_model::{
    CUSTOM_BUCKETS_SCHEMA, FloatHistogram, HistogramParts, MAX_SCHEMA, MIN_SCHEMA, Span,
    bucket_bound,
};

/// How the API says that both bounds belong to a bucket.
const CLOSED: u8 = 3;

/// A bucket of an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ApiBucket {
    /// Which bounds belong to the bucket: 0 the upper, 1 the lower, 2 none, 3 both.
    pub(super) rule: u8,
    pub(super) lower: f64,
    pub(super) upper: f64,
    pub(super) count: f64,
}

/// The histogram that an answer describes. If its buckets fit no histogram, they are left out.
pub(super) fn histogram(count: f64, sum: f64, buckets: &[ApiBucket]) -> FloatHistogram {
    let plain = HistogramParts { count, sum, ..HistogramParts::default() };
    let parts = exponential(buckets)
        .or_else(|| custom(buckets))
        .map(|parts| HistogramParts { count, sum, ..parts })
        .unwrap_or_else(|| plain.clone());
    FloatHistogram::from_parts(parts)
        .or_else(|_| FloatHistogram::from_parts(plain))
        .unwrap_or_default()
}

/// Buckets that grow by a constant factor, the same on both sides of zero.
fn exponential(buckets: &[ApiBucket]) -> Option<HistogramParts> {
    let mut parts = HistogramParts::default();
    let (zero, others): (Vec<&ApiBucket>, Vec<&ApiBucket>) =
        buckets.iter().partition(|bucket| bucket.rule == CLOSED && bucket.lower == -bucket.upper);
    match zero[..] {
        [] => {}
        [zero] => {
            parts.zero_threshold = zero.upper;
            parts.zero_count = zero.count;
        }
        _ => return None,
    }
    let magnitudes: Vec<(f64, f64)> = others.iter().map(|bucket| magnitude(bucket)).collect();
    parts.schema = (MIN_SCHEMA..=MAX_SCHEMA).find(|schema| {
        magnitudes.iter().all(|m| index_of(*schema, *m, parts.zero_threshold).is_some())
    })?;
    let mut sides: [Vec<(i64, f64)>; 2] = Default::default();
    for (bucket, bounds) in others.iter().zip(magnitudes) {
        let index = index_of(parts.schema, bounds, parts.zero_threshold)?;
        sides[usize::from(bucket.lower < 0.0)].push((index, bucket.count));
    }
    let [mut positive, mut negative] = sides;
    positive.sort_by_key(|(index, _)| *index);
    negative.sort_by_key(|(index, _)| *index);
    (parts.positive_spans, parts.positive_buckets) = spans(&positive)?;
    (parts.negative_spans, parts.negative_buckets) = spans(&negative)?;
    Some(parts)
}

/// The bounds of a bucket as its mirror image on the positive side has them.
fn magnitude(bucket: &ApiBucket) -> (f64, f64) {
    match bucket.lower < 0.0 {
        true => (-bucket.upper, -bucket.lower),
        false => (bucket.lower, bucket.upper),
    }
}

/// The index of the bucket with these bounds, if there is one at this resolution. A bucket that
/// begins inside the zero bucket is shown from where that ends.
fn index_of(schema: i32, (lower, upper): (f64, f64), zero_threshold: f64) -> Option<i64> {
    if !(upper > lower && lower >= 0.0) {
        return None;
    }
    let per_doubling = f64::from(schema).exp2();
    let index = if upper.is_finite() {
        (upper.log2() * per_doubling).round() as i64
    } else {
        (lower.log2() * per_doubling).round() as i64 + 1
    };
    let near = |a: f64, b: f64| a == b || (a - b).abs() <= 1e-9 * a.abs();
    let cut = lower == zero_threshold && bucket_bound(schema, index - 1) < zero_threshold;
    let fits = near(bucket_bound(schema, index), upper)
        && (cut || near(bucket_bound(schema, index - 1), lower));
    fits.then_some(index)
}

/// Rows of buckets with neighbouring indices.
fn spans(buckets: &[(i64, f64)]) -> Option<(Vec<Span>, Vec<f64>)> {
    let mut spans: Vec<Span> = Vec::new();
    let mut next = 0;
    for (index, _) in buckets {
        match spans.last_mut() {
            Some(span) if *index == next => span.length += 1,
            _ => spans.push(Span { offset: i32::try_from(index - next).ok()?, length: 1 }),
        }
        next = index + 1;
    }
    Some((spans, buckets.iter().map(|(_, count)| *count).collect()))
}

/// Buckets with bounds of their own, by ascending value. Between two that don't touch there is an
/// empty one.
fn custom(buckets: &[ApiBucket]) -> Option<HistogramParts> {
    let mut parts = HistogramParts { schema: CUSTOM_BUCKETS_SCHEMA, ..HistogramParts::default() };
    let mut end = f64::NEG_INFINITY;
    for bucket in buckets {
        if !(bucket.lower >= end && bucket.upper > bucket.lower) {
            return None;
        }
        if bucket.lower > end {
            parts.custom_values.push(bucket.lower);
            parts.positive_buckets.push(0.0);
        }
        if bucket.upper.is_finite() {
            parts.custom_values.push(bucket.upper);
        }
        parts.positive_buckets.push(bucket.count);
        end = bucket.upper;
    }
    let length = u32::try_from(parts.positive_buckets.len()).ok()?;
    parts.positive_spans = vec![Span { offset: 0, length }];
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(rule: u8, lower: f64, upper: f64, count: f64) -> ApiBucket {
        ApiBucket { rule, lower, upper, count }
    }

    /// What the API would write for a histogram.
    fn shown(histogram: &FloatHistogram) -> Vec<ApiBucket> {
        let rule = |lower: bool, upper: bool| match (lower, upper) {
            (false, true) => 0,
            (true, false) => 1,
            (false, false) => 2,
            (true, true) => 3,
        };
        histogram
            .buckets()
            .filter(|b| b.count != 0.0)
            .map(|b| bucket(rule(b.lower_inclusive, b.upper_inclusive), b.lower, b.upper, b.count))
            .collect()
    }

    #[test]
    fn what_was_read_is_shown_as_it_was() {
        let histograms = [
            vec![],
            vec![
                bucket(1, -2.0, -1.0, 2.0),
                bucket(3, -0.001, 0.001, 1.0),
                bucket(0, 0.5, 1.0, 1.0),
            ],
            vec![bucket(0, 1.0, 1.189207115002721, 1.0), bucket(0, 2.0, 2.378414230005442, 3.0)],
            vec![bucket(0, 1.0, 16.0, 2.0), bucket(0, 256.0, 4096.0, 1.5)],
            vec![
                bucket(3, f64::NEG_INFINITY, 0.1, 2.0),
                bucket(0, 0.1, 2.5, 1.0),
                bucket(0, 7.0, f64::INFINITY, 1.0),
            ],
            vec![bucket(0, 0.3, 0.7, 1.0)],
        ];
        for buckets in histograms {
            let histogram = histogram(8.0, 10.5, &buckets);
            assert_eq!((histogram.count, histogram.sum), (8.0, 10.5));
            assert_eq!(shown(&histogram), buckets);
        }
    }

    #[test]
    fn every_resolution_is_recognised() {
        for schema in MIN_SCHEMA..=MAX_SCHEMA {
            let buckets: Vec<ApiBucket> = [-3, -2, 5]
                .map(|i| bucket(0, bucket_bound(schema, i - 1), bucket_bound(schema, i), 1.0))
                .to_vec();
            let histogram = histogram(3.0, 1.0, &buckets);
            assert_eq!(histogram.schema(), schema);
            assert_eq!(shown(&histogram), buckets);
        }
    }

    #[test]
    fn buckets_that_fit_no_histogram_are_left_out() {
        for buckets in [
            vec![bucket(0, 2.0, 1.0, 1.0)],
            vec![bucket(0, f64::NAN, 1.0, 1.0)],
            vec![bucket(0, 3.0, 5.0, 1.0), bucket(0, 1.0, 2.5, 1.0)],
            vec![bucket(3, -1.0, 1.0, 1.0), bucket(3, -2.0, 2.0, 1.0)],
        ] {
            let histogram = histogram(1.0, 2.0, &buckets);
            assert_eq!((histogram.count, shown(&histogram)), (1.0, vec![]));
        }
    }
}
