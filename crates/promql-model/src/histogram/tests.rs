//! Histograms in series notation in, and out.

use super::{
    ClassicCollector, Combined, CompensatedHistogram, Count, CounterResetHint, DenseHistogram,
    FloatHistogram, HistogramError, HistogramParts, Span,
};

/// A histogram in the notation of series descriptions, without the braces.
fn h(text: &str) -> FloatHistogram {
    let mut dense = DenseHistogram::default();
    let list = |value: &str| -> Vec<f64> {
        let inside = value.trim_start_matches('[').trim_end_matches(']');
        inside.split(',').filter(|number| !number.is_empty()).map(|n| n.parse().unwrap()).collect()
    };
    for entry in text.split_whitespace() {
        let (key, value) = entry.split_once(':').unwrap();
        match key {
            "schema" => dense.schema = value.parse().unwrap(),
            "count" => dense.count = value.parse().unwrap(),
            "sum" => dense.sum = value.parse().unwrap(),
            "z_bucket" => dense.zero_count = value.parse().unwrap(),
            "z_bucket_w" => dense.zero_threshold = value.parse().unwrap(),
            "custom_values" => dense.custom_values = list(value),
            "offset" => dense.offset = value.parse().unwrap(),
            "buckets" => dense.buckets = list(value),
            "n_offset" => dense.n_offset = value.parse().unwrap(),
            "n_buckets" => dense.n_buckets = list(value),
            "hint" => {
                dense.hint = match value {
                    "reset" => CounterResetHint::Reset,
                    "not_reset" => CounterResetHint::NotReset,
                    "gauge" => CounterResetHint::Gauge,
                    _ => panic!("{value}"),
                }
            }
            _ => panic!("{key}"),
        }
    }
    dense.into()
}

fn shown(histogram: &FloatHistogram) -> String {
    histogram.notation().to_string()
}

#[test]
fn adds_and_subtracts() {
    for (first, second, sum, difference) in [
        // The same buckets, and others.
        (
            "count:6 sum:9 buckets:[1,2,3]",
            "count:3 sum:1 buckets:[1,1,1]",
            "{{count:9 sum:10 buckets:[2 3 4]}}",
            "{{count:3 sum:8 offset:1 buckets:[1 2]}}",
        ),
        (
            "count:3 offset:-1 buckets:[3] n_buckets:[1,1]",
            "count:3 offset:2 buckets:[1] n_offset:1 n_buckets:[2]",
            "{{count:6 offset:-1 buckets:[3 0 0 1] n_buckets:[1 3]}}",
            "{{offset:-1 buckets:[3 0 0 -1] n_buckets:[1 -1]}}",
        ),
        // Inside of the first one's row of buckets.
        (
            "buckets:[1,2,3,4,5]",
            "offset:2 buckets:[10,20]",
            "{{buckets:[1 2 13 24 5]}}",
            "{{buckets:[1 2 -7 -16 5]}}",
        ),
        // The lower resolution counts.
        (
            "schema:1 offset:1 buckets:[1,2,4]",
            "schema:0 offset:1 buckets:[10,20]",
            "{{offset:1 buckets:[13 24]}}",
            "{{offset:1 buckets:[-7 -16]}}",
        ),
        (
            "schema:-1 buckets:[1,2]",
            "schema:1 offset:-3 buckets:[1,1,1,1,10,10,10,10]",
            "{{schema:-1 buckets:[5 42]}}",
            "{{schema:-1 buckets:[-3 -38]}}",
        ),
        // The wider zero bucket counts, and becomes wider still where it ends in a populated bucket.
        (
            "z_bucket:1 z_bucket_w:0.5 buckets:[1,1]",
            "z_bucket:2 z_bucket_w:0.125 offset:-2 buckets:[3,3,3] n_offset:-1 n_buckets:[4]",
            "{{z_bucket:13 z_bucket_w:0.5 buckets:[4 1]}}",
            "{{z_bucket:-11 z_bucket_w:0.5 buckets:[-2 1]}}",
        ),
        (
            "z_bucket:1 z_bucket_w:0.75 offset:1 buckets:[1]",
            "z_bucket:2 buckets:[3,5]",
            "{{z_bucket:6 z_bucket_w:1 offset:1 buckets:[6]}}",
            "{{z_bucket:-4 z_bucket_w:1 offset:1 buckets:[-4]}}",
        ),
        // Custom bounds that differ: what both have is left.
        (
            "schema:-53 count:6 custom_values:[1,2,3] buckets:[1,1,1,3]",
            "schema:-53 count:4 custom_values:[2,4] buckets:[1,1,2]",
            "{{schema:-53 count:10 custom_values:[2] buckets:[3 7]}}",
            "{{schema:-53 count:2 custom_values:[2] buckets:[1 1]}}",
        ),
        (
            "schema:-53 custom_values:[1] buckets:[1,2]",
            "schema:-53 custom_values:[1] offset:1 buckets:[4]",
            "{{schema:-53 custom_values:[1] buckets:[1 6]}}",
            "{{schema:-53 custom_values:[1] buckets:[1 -2]}}",
        ),
        // Hints.
        (
            "hint:reset",
            "hint:gauge",
            "{{counter_reset_hint:gauge}}",
            "{{counter_reset_hint:gauge}}",
        ),
        ("hint:not_reset", "", "{{}}", "{{}}"),
    ] {
        let (first, second) = (h(first), h(second));
        let mut added = first.clone();
        let combined = added.add(&second).unwrap();
        assert_eq!(shown(&added), sum);
        let mut subtracted = first.clone();
        assert_eq!(subtracted.subtract(&second).unwrap(), combined);
        assert_eq!(shown(&subtracted), difference);
        let mut compensated = CompensatedHistogram::from_float(&first);
        assert_eq!(compensated.add(&second).unwrap(), combined);
        assert_eq!(shown(&compensated.to_float()), sum);
    }
}

#[test]
fn says_what_was_remarkable_about_adding() {
    let combine = |first: &str, second: &str| h(first).add(&h(second));
    let collision = Combined { hint_collision: true, ..Combined::default() };
    assert_eq!(combine("hint:reset", "hint:not_reset"), Ok(collision));
    let reconciled = Combined { bounds_reconciled: true, ..Combined::default() };
    let (one, two) = ("schema:-53 custom_values:[1]", "schema:-53 custom_values:[2]");
    assert_eq!(combine(one, two), Ok(reconciled));
    assert_eq!(combine(one, "hint:reset"), Err(HistogramError::MixedSchemas));
}

#[test]
fn compensated_sums_lose_nothing() {
    let mut sum = CompensatedHistogram::default();
    for count in ["1e100", "1", "-1e100"] {
        let text = format!("count:{count} sum:{count} z_bucket:{count} buckets:[{count},2]");
        let _ = sum.add(&h(&text)).unwrap();
    }
    assert_eq!(shown(&sum.to_float()), "{{count:1 sum:1 z_bucket:1 buckets:[1 6]}}");
    assert_eq!(sum.count.value(), 1.0);
}

#[test]
fn scales() {
    let histogram = h("count:6 sum:9 z_bucket:1 z_bucket_w:0.1 buckets:[2,3] hint:reset");
    let scaled = |change: fn(&mut FloatHistogram)| {
        let mut copy = histogram.clone();
        change(&mut copy);
        shown(&copy)
    };
    let twice =
        "{{count:12 sum:18 z_bucket:2 z_bucket_w:0.1 counter_reset_hint:reset buckets:[4 6]}}";
    assert_eq!(scaled(|h| h.multiply(2.0)), twice);
    assert_eq!(scaled(|h| h.divide(0.5)), twice);
    assert_eq!(
        scaled(|h| h.multiply(-1.0)),
        "{{count:-6 sum:-9 z_bucket:-1 z_bucket_w:0.1 counter_reset_hint:gauge buckets:[-2 -3]}}"
    );
    assert_eq!(
        scaled(|h| h.divide(0.0)),
        "{{count:+Inf sum:+Inf z_bucket:+Inf z_bucket_w:0.1 counter_reset_hint:reset}}"
    );
}

#[test]
fn detects_resets() {
    for (before, now, expected) in [
        ("count:5 buckets:[2,3]", "count:6 buckets:[2,4]", false),
        ("count:5 buckets:[2,3]", "count:4 buckets:[2,3]", true),
        ("count:5 buckets:[2,3]", "count:9 buckets:[1,8]", true),
        ("count:5 buckets:[2,3]", "count:9 buckets:[9]", true),
        ("count:5 buckets:[2,0,3]", "count:5 buckets:[2] offset:0", true),
        ("buckets:[2,0]", "buckets:[2]", false),
        ("n_buckets:[2]", "n_buckets:[1]", true),
        ("sum:5", "sum:4", false),
        ("count:5", "count:9 hint:reset", true),
        ("count:5", "count:1 hint:not_reset", false),
        ("count:5", "count:9 hint:gauge", false),
        // Going to a lower resolution is possible, to a higher one it isn't.
        ("schema:1 offset:1 buckets:[1,1]", "schema:0 offset:1 buckets:[2]", false),
        ("schema:1 offset:1 buckets:[1,1]", "schema:0 offset:1 buckets:[1]", true),
        ("schema:0", "schema:1", true),
        // So it is with a wider zero bucket.
        ("offset:-1 buckets:[4]", "z_bucket:4 z_bucket_w:0.5", false),
        ("offset:-1 buckets:[4]", "z_bucket:3 z_bucket_w:0.5", true),
        ("offset:-1 buckets:[4]", "z_bucket:4 z_bucket_w:0.3", true),
        ("z_bucket_w:0.5", "z_bucket_w:0.25", true),
        // Only common custom bounds count.
        (
            "schema:-53 custom_values:[1,2] buckets:[1,2,3]",
            "schema:-53 custom_values:[2] buckets:[3,3]",
            false,
        ),
        (
            "schema:-53 custom_values:[1,2] buckets:[1,2,3]",
            "schema:-53 custom_values:[2] buckets:[2,4]",
            true,
        ),
        ("schema:-53 custom_values:[1]", "schema:0", true),
        ("schema:0", "schema:-53 custom_values:[1]", true),
    ] {
        assert_eq!(h(now).detect_reset(&h(before)), expected, "{before} to {now}");
    }
}

#[test]
fn trims() {
    let whole =
        "count:20 sum:7 z_bucket:2 z_bucket_w:0.5 offset:1 buckets:[4,8] n_offset:1 n_buckets:[6]";
    let custom = "schema:-53 count:10 sum:1 custom_values:[4,8] buckets:[2,4,4]";
    for (text, value, below, above) in [
        (
            whole,
            0.0,
            "{{count:7 sum:-8.735281374238571 z_bucket:1 z_bucket_w:0.5 n_offset:1 n_buckets:[6]}}",
            "{{count:13 sum:28.534271247461902 z_bucket:1 z_bucket_w:0.5 offset:1 buckets:[4 8]}}",
        ),
        (
            whole,
            8.0,
            "{{count:20 sum:7 z_bucket:2 z_bucket_w:0.5 offset:1 buckets:[4 8] n_offset:1 n_buckets:[6]}}",
            "{{z_bucket_w:0.5}}",
        ),
        (
            custom,
            6.0,
            "{{schema:-53 count:4 sum:14 custom_values:[4 8] buckets:[2 2]}}",
            "{{schema:-53 count:6 sum:46 custom_values:[4 8] offset:1 buckets:[2 4]}}",
        ),
        (
            custom,
            1.0,
            "{{schema:-53 count:0.5 sum:0.25 custom_values:[4 8] buckets:[0.5]}}",
            "{{schema:-53 count:9.5 sum:59.75 custom_values:[4 8] buckets:[1.5 4 4]}}",
        ),
        (
            custom,
            10.0,
            "{{schema:-53 count:6 sum:28 custom_values:[4 8] buckets:[2 4]}}",
            "{{schema:-53 count:4 sum:40 custom_values:[4 8] offset:2 buckets:[4]}}",
        ),
    ] {
        let (mut kept_below, mut kept_above) = (h(text), h(text));
        kept_below.trim_above(value);
        kept_above.trim_below(value);
        assert_eq!((&*shown(&kept_below), &*shown(&kept_above)), (below, above), "{value}");
    }
}

#[test]
fn interpolates() {
    let between = |first: &str, second: &str, counter: bool| {
        let (first, second) = (h(first), h(second));
        shown(
            &FloatHistogram::interpolate((10.0, &first), (20.0, &second), 15.0, counter).unwrap().0,
        )
    };
    let (low, high) = ("count:2 buckets:[2]", "count:6 buckets:[4,2]");
    assert_eq!(between(low, high, true), "{{count:4 buckets:[3 1]}}");
    assert_eq!(between(high, low, true), "{{count:1 buckets:[1]}}");
    assert_eq!(between(high, low, false), "{{count:4 buckets:[3 1]}}");
}

#[test]
fn delivers_buckets_in_both_directions() {
    let histogram = h("z_bucket:3 z_bucket_w:0.75 buckets:[1,0] n_buckets:[2]");
    let up: Vec<_> = histogram.buckets().map(|bucket| bucket.to_string()).collect();
    // Ends inside of the zero bucket are at its end.
    assert_eq!(up, ["[-1,-0.75):2", "[-0.75,0.75]:3", "(0.75,1]:1", "(1,2]:0"]);
    let mut down: Vec<_> = histogram.buckets().rev().map(|bucket| bucket.to_string()).collect();
    down.reverse();
    assert_eq!(up, down);
}

#[test]
fn compares_bit_by_bit() {
    assert_eq!(h("count:NaN buckets:[1]"), h("count:NaN buckets:[1] hint:gauge"));
    assert_ne!(h("count:0"), h("count:-0"));
    assert_ne!(h("buckets:[1]"), h("buckets:[1,0]"));
    assert_ne!(h("schema:-53 custom_values:[1]"), h("schema:-53 custom_values:[2]"));
    assert_eq!(h("z_bucket_w:0"), h("z_bucket_w:-0"));
}

#[test]
fn says_why_a_histogram_cannot_be_stored() {
    let valid = "schema:-53 custom_values:[1,2] buckets:[1,1,1] count:3";
    for (text, expected) in [
        ("count:2 z_bucket:2 buckets:[1]", "ok"),
        (valid, "ok"),
        (
            "schema:9",
            "histogram has an invalid schema, which must be between -4 and 8 for exponential \
             buckets, or -53 for custom buckets, got schema 9",
        ),
        (
            "n_buckets:[1,-2.5]",
            "negative side: bucket number 2 has observation count of -2.5: histogram has a bucket \
             whose observation count is negative",
        ),
        ("count:-1", "observation count is  -1: histogram's observation count is negative"),
        ("custom_values:[1]", "histogram with exponential schema must not have custom bounds"),
        (
            "schema:-53 custom_values:[2,1]",
            "custom buckets: previous bound is 2.000000 and current is 1.000000: histogram custom \
             bounds must be in strictly increasing order",
        ),
        (
            "schema:-53 custom_values:[1] buckets:[1,1,1]",
            "custom buckets: only 1 custom bounds defined which is insufficient to cover total \
             span length of 3: histogram custom bounds are too few",
        ),
        ("schema:-53 z_bucket:1", "custom buckets: must have zero count of 0"),
    ] {
        let verdict = h(text).validate().map_or_else(|error| error.to_string(), |()| "ok".into());
        assert_eq!(verdict, expected);
    }
}

#[test]
fn spans_come_out_in_their_simplest_form() {
    let span = |offset, length| Span { offset, length };
    let parts = HistogramParts {
        positive_spans: vec![span(-2, 1), span(0, 2), span(3, 0), span(1, 1), span(9, 0)],
        positive_buckets: vec![1.0, 2.0, 3.0, 4.0],
        ..HistogramParts::default()
    };
    let histogram = FloatHistogram::from_parts(parts).unwrap();
    let indices: Vec<_> = histogram.positive().iter().collect();
    assert_eq!(indices, [(-2, 1.0), (-1, 2.0), (0, 3.0), (5, 4.0)]);
    assert_eq!(histogram.to_parts().positive_spans, [span(-2, 3), span(4, 1)]);
}

#[test]
fn converts_from_classic_and_back() {
    let mut collector = ClassicCollector::default();
    for (bound, count) in [(4.0, 2.0), (1.0, 2.0), (f64::INFINITY, 7.0), (1.0, 9.0)] {
        collector.bucket(bound, count).unwrap();
    }
    collector.sum(20.0);
    collector.count(7.0).unwrap();
    let histogram = collector.finish().unwrap();
    let expected = "{{schema:-53 count:7 sum:20 custom_values:[1 4] buckets:[2 0 5]}}";
    assert_eq!(shown(&histogram), expected);
    let classic = histogram.to_classic().unwrap();
    let labels = crate::Labels::from_pairs([("__name__", "x")]);
    let series = classic.series(&labels);
    let series: Vec<_> =
        series.iter().map(|(l, value)| format!("{} {value}", l.selector())).collect();
    assert_eq!(
        series,
        [
            r#"x_bucket{le="1.0"} 2"#,
            r#"x_bucket{le="4.0"} 2"#,
            r#"x_bucket{le="+Inf"} 7"#,
            "x_count 7",
            "x_sum 20",
        ]
    );
}

#[test]
fn refuses_classic_histograms_that_do_not_add_up() {
    let error = |buckets: &[(f64, f64)], count: Option<f64>| {
        let mut collector = ClassicCollector::default();
        let taken = buckets.iter().try_for_each(|&(bound, count)| collector.bucket(bound, count));
        let taken = taken.and_then(|()| count.map_or(Ok(()), |count| collector.count(count)));
        taken.and_then(|()| collector.finish()).unwrap_err().to_string()
    };
    let text = "bucket count must be non-negative: le=1, count=-1";
    assert_eq!(error(&[(1.0, -1.0)], None), text);
    assert_eq!(error(&[(1.0, 3.0), (2.0, 1.0)], None), "count is not cumulative: 1 < 3");
    assert_eq!(error(&[(2.0, 3.0), (1.0, 4.0)], None), "count is not cumulative: 4 > 3");
    assert_eq!(error(&[], Some(-1.0)), "count must be non-negative: count=-1");
    let text = "count mismatch: count=2 != le=+Inf count=3";
    assert_eq!(error(&[(f64::INFINITY, 3.0)], Some(2.0)), text);
}

#[test]
fn takes_any_numbers() {
    // None of this is a sensible histogram; none of it may panic or hang.
    let texts = [
        "schema:100 offset:2147483647 buckets:[1,2,NaN] n_offset:-2147483648 n_buckets:[inf,-inf]",
        "schema:-100 z_bucket_w:NaN z_bucket:NaN offset:5 buckets:[1,2]",
        "schema:-2147483648 z_bucket_w:inf buckets:[1,0,2] n_buckets:[1]",
        "schema:-53 custom_values:[NaN,1,inf,-inf] offset:-3 buckets:[1,1,1,1,1,1,1,1,1]",
        "schema:-53 z_bucket_w:2 offset:2147483647 buckets:[1] n_buckets:[1] custom_values:[3]",
        "z_bucket_w:-1 z_bucket:1 buckets:[1]",
    ];
    for first in texts {
        for second in texts {
            let (one, two) = (h(first), h(second));
            let mut sum = one.clone();
            let _ = sum.add(&two);
            let _ = CompensatedHistogram::from_float(&one).subtract(&two);
            let _ = one.detect_reset(&two);
            let _ = FloatHistogram::interpolate((0.0, &one), (1.0, &two), 0.5, true);
            for histogram in [&one, &sum] {
                let _ = (shown(histogram), histogram.to_string(), histogram.to_parts());
                let _ = (histogram.validate(), histogram.to_classic(), histogram.buckets().count());
                let _ = (histogram.at_schema(-4), histogram.at_schema(i32::MIN));
                for value in [f64::NAN, f64::INFINITY, -1.0] {
                    histogram.clone().trim_above(value);
                    histogram.clone().trim_below(value);
                }
                let mut copy = histogram.clone();
                copy.compact(3);
            }
        }
    }
}
