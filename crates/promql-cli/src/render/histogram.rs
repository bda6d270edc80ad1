//! Native histograms as text.

use promql_model::{FloatHistogram, SampleValue};

use super::{Screen, buckets, number};

/// The heights of a bar.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// More buckets than these are put together for the eye.
const MOST_BARS: usize = 16;

/// A histogram in one line for people: its count, sum and average, and the shape of its buckets
/// from the lowest to the highest that has observations.
pub fn summary(histogram: &FloatHistogram) -> String {
    let mut out =
        format!("count={} sum={}", number::sample(histogram.count), number::sample(histogram.sum));
    if histogram.count != 0.0 {
        let average = number::legible(histogram.sum / histogram.count, false);
        out.push_str(&format!(" avg={average}"));
    }
    let filled = || histogram.buckets().filter(|bucket| bucket.count != 0.0);
    if let (Some(first), Some(last)) = (filled().next(), filled().next_back()) {
        let [low, high] = [first.lower, last.upper].map(|bound| number::short(bound, 3, false));
        out.push_str(&format!(" [{low} {} {high}]", bars(histogram)));
    }
    out
}

/// A bar for each bucket, or for as many buckets together as it takes.
fn bars(histogram: &FloatHistogram) -> String {
    let counts: Vec<f64> = histogram.buckets().map(|bucket| bucket.count.abs()).collect();
    let first = counts.iter().position(|c| *c != 0.0).unwrap_or(0);
    let last = counts.iter().rposition(|c| *c != 0.0).unwrap_or(0);
    let counts = counts.get(first..=last).unwrap_or_default();
    let together = counts.len().div_ceil(MOST_BARS).max(1);
    let sums: Vec<f64> = counts.chunks(together).map(|chunk| chunk.iter().sum()).collect();
    let largest = sums.iter().copied().fold(0.0, f64::max);
    let bar = |sum: &f64| match sum / largest {
        _ if *sum == 0.0 => ' ',
        share => BARS[((share * BARS.len() as f64) as usize).min(BARS.len() - 1)],
    };
    sums.iter().map(bar).collect()
}

/// The buckets of a sample as lines below its value; a float has none.
pub fn drawing(value: &SampleValue, screen: &Screen) -> String {
    match value {
        SampleValue::Float(_) => String::new(),
        SampleValue::Histogram(histogram) => buckets::draw(histogram, screen),
    }
}

/// A histogram in the notation of tests.
pub fn notation(histogram: &FloatHistogram) -> String {
    promql_storage::fixture::write_histogram(histogram)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::histogram;
    use super::*;
    use insta::assert_snapshot;

    #[test]
    fn one_line() {
        assert_snapshot!(summary(&histogram()), @"count=21 sum=10.5 avg=0.5 [-4 ▇▂▃▅ █ 8]");
        assert_snapshot!(summary(&FloatHistogram::default()), @"count=0 sum=0");
    }
}
