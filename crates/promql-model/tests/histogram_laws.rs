//! Laws of histogram arithmetic, over random histograms.

use promql_model::{
    CompensatedHistogram, CounterResetHint, FloatHistogram, HistogramMean, HistogramParts,
    RunReader, Span,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// Spans with gaps, and populations for them, from a first index on.
fn side(first: std::ops::Range<i32>) -> impl Strategy<Value = (Vec<Span>, Vec<f64>)> {
    (first, vec((0i32..4, vec(0u32..100, 0..4)), 0..4)).prop_map(|(first, rows)| {
        let mut spans = Vec::new();
        let mut counts = Vec::new();
        for (at, (gap, row)) in rows.into_iter().enumerate() {
            let offset = if at == 0 { first } else { gap };
            spans.push(Span { offset, length: row.len() as u32 });
            counts.extend(row.into_iter().map(f64::from));
        }
        (spans, counts)
    })
}

/// A histogram that was counted: populations are whole and add up to the count, and no bucket is
/// inside of the zero bucket.
fn counted(schema: impl Strategy<Value = i32>) -> impl Strategy<Value = FloatHistogram> {
    let sides = (side(1..6), side(1..6));
    (schema, sides, 0u32..100, 0usize..4, -100i32..100).prop_map(
        |(schema, (positive, negative), zero_count, zero_threshold, sum)| {
            let zero_count = f64::from(zero_count);
            let total = positive.1.iter().chain(&negative.1).sum::<f64>() + zero_count;
            FloatHistogram::from_parts(HistogramParts {
                schema,
                zero_threshold: [0.0, 1e-9, 0.3, 1.0][zero_threshold],
                zero_count,
                count: total,
                sum: sum.into(),
                positive_spans: positive.0,
                positive_buckets: positive.1,
                negative_spans: negative.0,
                negative_buckets: negative.1,
                ..HistogramParts::default()
            })
            .expect("spans and populations that fit")
        },
    )
}

fn exponential() -> impl Strategy<Value = FloatHistogram> {
    counted(-2..4)
}

fn custom() -> impl Strategy<Value = FloatHistogram> {
    (vec(1u32..8, 0..6), vec(0u32..100, 7)).prop_map(|(mut bounds, counts)| {
        bounds.sort_unstable();
        bounds.dedup();
        let counts: Vec<f64> = counts.into_iter().take(bounds.len() + 1).map(f64::from).collect();
        FloatHistogram::from_parts(HistogramParts {
            schema: -53,
            count: counts.iter().sum(),
            positive_spans: vec![Span { offset: 0, length: counts.len() as u32 }],
            positive_buckets: counts,
            custom_values: bounds.into_iter().map(f64::from).collect(),
            ..HistogramParts::default()
        })
        .expect("spans and populations that fit")
    })
}

fn pair() -> impl Strategy<Value = (FloatHistogram, FloatHistogram)> {
    prop_oneof![(exponential(), exponential()), (custom(), custom())]
}

fn sum(first: &FloatHistogram, second: &FloatHistogram) -> FloatHistogram {
    let mut sum = first.clone();
    let _ = sum.add(second).expect("schemas that go together");
    sum
}

/// The histogram without empty buckets, to compare what it holds and not how.
fn bare(mut histogram: FloatHistogram) -> FloatHistogram {
    histogram.compact(0);
    histogram
}

fn population(histogram: &FloatHistogram) -> f64 {
    let sides = histogram.positive().counts().iter().chain(histogram.negative().counts());
    sides.sum::<f64>() + histogram.zero_count
}

proptest! {
    #[test]
    fn addition_is_commutative((a, b) in pair()) {
        prop_assert_eq!(bare(sum(&a, &b)), bare(sum(&b, &a)));
    }

    #[test]
    fn addition_is_associative(
        (a, b) in pair(),
        pick in any::<prop::sample::Index>(),
        others in (exponential(), custom()),
    ) {
        let c = if a.has_custom_buckets() { others.1 } else { others.0 };
        let terms = [&a, &b, &c];
        let first = pick.index(3);
        let (x, y, z) = (terms[first], terms[(first + 1) % 3], terms[(first + 2) % 3]);
        prop_assert_eq!(bare(sum(&sum(x, y), z)), bare(sum(x, &sum(y, z))));
    }

    #[test]
    fn no_observation_is_lost_in_a_sum((a, b) in pair()) {
        let both = sum(&a, &b);
        prop_assert_eq!(population(&both), population(&a) + population(&b));
        prop_assert_eq!(both.count, population(&both));
    }

    #[test]
    fn subtraction_undoes_addition((a, b) in pair()) {
        let mut result = sum(&a, &b);
        let _ = result.subtract(&b).expect("schemas that go together");
        // What is left of the first one is what any sum would have made of its buckets.
        let mut nothing = b.clone();
        nothing.multiply(0.0);
        prop_assert_eq!(result.count, a.count);
        if a.zero_threshold == b.zero_threshold {
            prop_assert_eq!(bare(result), bare(sum(&a, &nothing)));
        }
    }

    #[test]
    fn compensated_sums_agree((a, b) in pair(), times in 1usize..5) {
        let mut plain = a.clone();
        let mut compensated = CompensatedHistogram::from_float(&a);
        for _ in 0..times {
            let combined = plain.add(&b).expect("schemas that go together");
            prop_assert_eq!(compensated.add(&b).expect("the same"), combined);
        }
        prop_assert_eq!(bare(compensated.to_float()), bare(plain));
    }

    #[test]
    fn reducing_and_adding_can_be_swapped(
        a in exponential(),
        mut b in exponential(),
        lower in 0i32..3,
    ) {
        b.zero_threshold = a.zero_threshold;
        let schema = (a.schema().min(b.schema()) - lower).max(-4);
        let reduced = |h: &FloatHistogram| h.at_schema(schema).expect("a lower schema");
        prop_assert_eq!(bare(sum(&reduced(&a), &reduced(&b))), bare(reduced(&sum(&a, &b))));
    }

    #[test]
    fn reducing_takes_any_number_of_steps(a in exponential(), first in 0i32..3, second in 0i32..3) {
        let half = (a.schema() - first).max(-4);
        let whole = (half - second).max(-4);
        let in_two = a.at_schema(half).and_then(|h| h.at_schema(whole)).expect("lower schemas");
        prop_assert_eq!(in_two, a.at_schema(whole).expect("a lower schema"));
    }

    #[test]
    fn counting_on_is_no_reset((before, more) in pair()) {
        let now = sum(&before, &more);
        prop_assert!(!now.detect_reset(&before), "{now} after {before}");
        // Going back is one, if there was something to lose.
        prop_assert_eq!(before.detect_reset(&now), more.count > 0.0
            || now.schema() < before.schema()
            || now.zero_threshold > before.zero_threshold);
    }

    #[test]
    fn compacting_keeps_what_is_populated(a in exponential(), max_empty in 0usize..4) {
        let mut compact = a.clone();
        compact.compact(max_empty);
        let populated = |h: &FloatHistogram| {
            let side = |side: promql_model::SideBuckets<'_, f64>| {
                side.iter().filter(|(_, count)| *count != 0.0).collect::<Vec<_>>()
            };
            (side(h.positive()), side(h.negative()))
        };
        prop_assert_eq!(populated(&compact), populated(&a));
        for side in [compact.positive(), compact.negative()] {
            let gaps = side.runs().windows(2).map(|w| w[1].start - w[0].start - w[0].length as i64);
            prop_assert!(gaps.into_iter().all(|gap| gap > max_empty as i64));
            prop_assert!(side.counts().first().is_none_or(|count| *count != 0.0));
            prop_assert!(side.counts().last().is_none_or(|count| *count != 0.0));
        }
        let mut again = compact.clone();
        again.compact(max_empty);
        prop_assert_eq!(again, compact);
    }

    #[test]
    fn parts_make_the_whole((a, b) in pair()) {
        for histogram in [a, b] {
            let again = FloatHistogram::from_parts(histogram.to_parts()).expect("its own parts");
            prop_assert_eq!(again, histogram);
        }
    }

    #[test]
    fn both_sides_of_a_cut_are_the_whole((a, b) in pair(), at in -20.0f64..20.0) {
        for histogram in [a, b] {
            let (mut below, mut above) = (histogram.clone(), histogram.clone());
            below.trim_above(at);
            above.trim_below(at);
            let total = below.count + above.count;
            // The custom buckets without end are not split: which side has them is a convention.
            let ends = histogram.has_custom_buckets();
            prop_assert!(
                ends && total <= histogram.count + 1e-9
                    || (total - histogram.count).abs() <= 1e-9 * (1.0 + histogram.count),
                "{below} and {above} of {histogram} at {at}"
            );
        }
    }

    #[test]
    fn scaling_distributes((a, b) in pair(), factor in 1i32..9) {
        let scaled = |mut histogram: FloatHistogram| {
            histogram.multiply(factor.into());
            histogram
        };
        prop_assert_eq!(sum(&scaled(a.clone()), &scaled(b.clone())), scaled(sum(&a, &b)));
        let mut negated = a.clone();
        negated.multiply(-1.0);
        prop_assert_eq!(negated.hint, CounterResetHint::Gauge);
    }

    #[test]
    fn buckets_ascend_and_do_not_overlap((a, b) in pair()) {
        for histogram in [&a, &b, &sum(&a, &b)] {
            let buckets: Vec<_> = histogram.buckets().collect();
            prop_assert!(buckets.windows(2).all(|w| w[0].upper <= w[1].lower), "{histogram}");
            prop_assert!(buckets.iter().all(|bucket| bucket.lower <= bucket.upper));
        }
    }

    #[test]
    fn quantiles_never_fall((a, b) in pair(), low in 0.0f64..1.0, high in 0.0f64..1.0) {
        let (low, high) = (low.min(high), low.max(high));
        for histogram in [&a, &b, &sum(&a, &b)] {
            let [below, above] = [low, high].map(|quantile| histogram.quantile(quantile).value);
            prop_assert!(
                histogram.count == 0.0 && below.is_nan() && above.is_nan()
                    || below <= above + 1e-9 * above.abs(),
                "{below} at {low} and {above} at {high} of {histogram}"
            );
        }
    }

    #[test]
    fn fractions_never_fall((a, b) in pair(), low in -20.0f64..20.0, high in -20.0f64..20.0) {
        let (low, high) = (low.min(high), low.max(high));
        for histogram in [&a, &b] {
            let below = |value| histogram.fraction(f64::NEG_INFINITY, value).value;
            let between = histogram.fraction(low, high).value;
            let difference = below(high) - below(low);
            prop_assert!(
                histogram.count == 0.0 || (between - difference).abs() < 1e-9 && between >= -1e-9,
                "{between} between {low} and {high} of {histogram}"
            );
        }
    }

    /// Only where the quantile lies inside of a bucket: between buckets a fraction has many
    /// quantiles, and those of custom buckets around zero and without end are conventions.
    #[test]
    fn a_quantile_has_its_fraction_below_it(a in exponential(), quantile in 0.0f64..1.0) {
        let value = a.quantile(quantile).value;
        let inside = a.buckets().any(|b| b.count > 0.0 && b.lower < value && value < b.upper);
        if inside {
            let below = a.fraction(f64::NEG_INFINITY, value).value;
            prop_assert!(
                (below - quantile).abs() < 1e-9,
                "{below} below the quantile {quantile} of {a}, which is {value}"
            );
        }
    }

    #[test]
    fn means_are_sums_divided(all in vec(exponential(), 1..8), split in 0usize..8) {
        let mean = |histograms: &[FloatHistogram]| {
            let (first, others) = histograms.split_first()?;
            let mut mean = HistogramMean::new(first);
            for other in others {
                let _ = mean.add(other).expect("schemas that go together");
            }
            Some(mean)
        };
        let whole = mean(&all).expect("one at least").value();
        let mut divided = all[1..].iter().fold(all[0].clone(), |total, other| sum(&total, other));
        divided.divide(all.len() as f64);
        let (head, tail) = all.split_at(split.min(all.len()));
        let merged = match (mean(head), mean(tail)) {
            (Some(mut head), Some(tail)) => {
                let _ = head.merge(tail).expect("schemas that go together");
                head.value()
            }
            (head, tail) => head.or(tail).expect("one at least").value(),
        };
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-9 * (1.0 + a.abs());
        for other in [divided, merged] {
            prop_assert!(bare(other.clone()).is_like(&bare(whole.clone()), close), "{other} {whole}");
        }
    }

    #[test]
    fn means_of_huge_numbers_do_not_overflow(all in vec(exponential(), 2..6)) {
        let huge: Vec<FloatHistogram> = all
            .into_iter()
            .map(|mut histogram| {
                histogram.multiply(1e305);
                histogram
            })
            .collect();
        let mut mean = HistogramMean::new(&huge[0]);
        for histogram in &huge[1..] {
            let _ = mean.add(histogram).expect("schemas that go together");
        }
        prop_assert!(!mean.value().has_overflow());
    }

    #[test]
    fn what_is_read_back_counts_on(mut all in vec(exponential(), 1..8)) {
        let written = all.clone();
        let mut runs = RunReader::default();
        (0..all.len()).for_each(|at| runs.histogram(&mut all, at));
        runs.finish(&mut all);
        for (read, mut written) in all.iter().zip(written) {
            let mut read = read.clone();
            read.compact(0);
            written.compact(0);
            prop_assert_eq!(read, written);
        }
        for pair in all.windows(2) {
            if pair[1].hint == CounterResetHint::NotReset {
                prop_assert_eq!(pair[0].positive().runs(), pair[1].positive().runs());
                prop_assert_eq!(pair[0].negative().runs(), pair[1].negative().runs());
            }
            let mut later = pair[1].clone();
            later.hint = CounterResetHint::Unknown;
            prop_assert!(pair[1].hint != CounterResetHint::NotReset || !later.detect_reset(&pair[0]));
        }
    }
}
