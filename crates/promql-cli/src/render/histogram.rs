//! Native histograms as text.

use promql_model::{CounterResetHint, FloatHistogram, SampleValue, number::General};

use super::number;

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

/// A sample's value in one line for people.
pub fn value(value: &SampleValue) -> String {
    match value {
        SampleValue::Float(value) => number::readable(*value),
        SampleValue::Histogram(histogram) => summary(histogram),
    }
}

/// A histogram in the notation of tests: `{{schema:1 count:3 sum:4.5 offset:-1 buckets:[1 2]}}`.
///
/// Populations are written as they are, in the order of upstream, parts that are zero or empty left
/// out.
pub fn notation(histogram: &FloatHistogram) -> String {
    if histogram.is_stale() {
        return "stale".to_string();
    }
    let mut parts = Vec::new();
    if histogram.schema() != 0 {
        parts.push(format!("schema:{}", histogram.schema()));
    }
    for (name, value) in [
        ("count", histogram.count),
        ("sum", histogram.sum),
        ("z_bucket", histogram.zero_count),
        ("z_bucket_w", histogram.zero_threshold),
    ] {
        if value != 0.0 {
            parts.push(format!("{name}:{}", number(value)));
        }
    }
    if histogram.has_custom_buckets() {
        parts.push(format!("custom_values:[{}]", numbers(histogram.custom_values())));
    }
    let hint = match histogram.hint {
        CounterResetHint::Unknown => None,
        CounterResetHint::Reset => Some("reset"),
        CounterResetHint::NotReset => Some("not_reset"),
        CounterResetHint::Gauge => Some("gauge"),
    };
    parts.extend(hint.map(|hint| format!("counter_reset_hint:{hint}")));
    for (prefix, side) in [("", histogram.positive()), ("n_", histogram.negative())] {
        let mut buckets = side.iter();
        let Some((first, count)) = buckets.next() else { continue };
        let mut counts = vec![count];
        for (index, count) in buckets {
            counts.resize((index - first) as usize, 0.0);
            counts.push(count);
        }
        if first != 0 {
            parts.push(format!("{prefix}offset:{first}"));
        }
        parts.push(format!("{prefix}buckets:[{}]", numbers(&counts)));
    }
    format!("{{{{{}}}}}", parts.join(" "))
}

fn numbers(values: &[f64]) -> String {
    values.iter().map(|v| number(*v)).collect::<Vec<_>>().join(" ")
}

/// The notation has no sign in front of an infinity but minus.
fn number(value: f64) -> String {
    let text = General(value).to_string();
    text.strip_prefix('+').map(str::to_string).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::histogram_vector;
    use super::*;
    use insta::assert_snapshot;
    use promql_model::QueryValue;

    fn histogram() -> FloatHistogram {
        let QueryValue::Vector(mut elements) = histogram_vector() else { unreachable!() };
        let SampleValue::Histogram(histogram) = elements.remove(0).value else { unreachable!() };
        *histogram
    }

    #[test]
    fn one_line() {
        assert_snapshot!(summary(&histogram()), @"count=21 sum=10.5 avg=0.5 [-4 ▇▂▃▅ █ 8]");
        assert_snapshot!(summary(&FloatHistogram::default()), @"count=0 sum=0");
    }

    #[test]
    fn notation_reads_back() {
        let text = notation(&histogram());
        assert_snapshot!(text, @"{{count:21 sum:10.5 z_bucket:1 z_bucket_w:0.001 buckets:[2 4 0 8] n_offset:2 n_buckets:[6]}}");
        let description = promql_syntax::parse_series(&format!("x {text}")).unwrap();
        let [promql_syntax::SequenceValue::Histogram { histogram: read, .. }] =
            &description.values[..]
        else {
            unreachable!()
        };
        assert_eq!(**read, histogram());
    }
}
