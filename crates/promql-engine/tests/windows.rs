//! Long windows that slide: at each step a function gives what it gives for that step alone, where
//! nothing slides.

mod support;

use std::time::Duration;

use promql_engine::{EngineOptions, QueryOptions, SampleBuffer, Samples, evaluate};
use promql_model::{Labels, QueryValue, SampleValue, stale_nan};
use promql_syntax::functions::FUNCTIONS;
use promql_syntax::{Features, ValueType, compile};
use support::{SeriesOf, Source};

const SAMPLES: usize = 1500;
const STEP: i64 = 40_000;

/// Series of each kind: counters with many resets and few, gauges, one with numbers that are none,
/// one that hardly changes, one with gaps.
struct Kinds;

const KINDS: [&str; 6] = ["counter", "gauge", "jagged", "rare", "steady", "wild"];

impl Source for Kinds {
    fn read<'b>(&'b self, series: usize, buffer: &'b mut SampleBuffer) -> Samples<'b> {
        buffer.clear();
        let mut state = 99 + series as u64;
        let mut random = move |limit: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % limit
        };
        let mut total = 0.0;
        for k in 0..SAMPLES {
            let quarter = random(4000) as f64 / 4.0;
            let value = match KINDS[series] {
                "counter" => {
                    total = if random(400) == 0 { quarter } else { total + quarter };
                    total
                }
                "jagged" => {
                    total = if random(3) == 0 { quarter / 100.0 } else { total + quarter };
                    total
                }
                "steady" => {
                    total = if random(50) == 0 { quarter } else { total };
                    total
                }
                "wild" => match random(30) {
                    0 => f64::NAN,
                    1 => f64::INFINITY,
                    2 => f64::NEG_INFINITY,
                    3 => stale_nan(),
                    4 => -0.0,
                    _ => quarter * 1e6 - 1e8,
                },
                _ => quarter - 500.0,
            };
            // Late, and now and then not at all.
            let late = if random(5) == 0 { random(9000) as i64 } else { 0 };
            let is_missing = random(40) == 0 || KINDS[series] == "rare" && (k / 200) % 2 == 1;
            if !is_missing {
                buffer.timestamps.push(k as i64 * 15_000 + late);
                buffer.values.push(value);
            }
        }
        buffer.samples()
    }
}

fn functions() -> Vec<String> {
    let of_one_range = FUNCTIONS.iter().filter_map(|function| match function.parameters {
        [parameter] if parameter.value_type == ValueType::RangeVector => {
            Some(format!("{}(x[W])", function.name))
        }
        _ => None,
    });
    let others = [
        "quantile_over_time(0.9, x[W])",
        "quantile_over_time(0, x[W])",
        "predict_linear(x[W], 3600)",
        "double_exponential_smoothing(x[W], 0.5, 0.5)",
        "double_exponential_smoothing(x[W], 0.01, 0.1)",
        "increase(x[W] anchored)",
        "increase(x[W] smoothed)",
        "delta(x[W] anchored)",
        "rate(x[W] smoothed)",
        "changes(x[W] anchored)",
        "resets(x[W] anchored)",
    ];
    of_one_range.chain(others.map(str::to_owned)).collect()
}

/// The largest distance between two numbers that are equal but for rounding. Sums over windows that
/// slide are added in another order; what is left where they cancel has the size of the operands'
/// rounding, and those are up to 1e9 in a series.
fn tolerance(kind: &str, value: f64) -> f64 {
    let operands = if kind == "wild" { 1e9 } else { 1e6 };
    1e-11 * value.abs() + 1e-13 * operands
}

#[test]
fn a_window_that_slides_has_what_it_has_alone() {
    let labels = KINDS.map(|kind| Labels::from_pairs([("__name__", "x"), ("kind", kind)]));
    let storage = SeriesOf { labels: labels.into(), source: Kinds };
    let engine = EngineOptions { threads: Some(1), ..EngineOptions::default() };
    let (start, end) = (0, SAMPLES as i64 * 15_000);
    let range = QueryOptions::range(start, end, Duration::from_millis(STEP as u64));
    let range = range.with_engine(engine.clone());
    let mut compared = 0;
    for function in functions() {
        for window in ["4m", "1h", "3h"] {
            let text = function.replace('W', window);
            let query = compile(&text, &Features::ALL).unwrap_or_else(|e| panic!("{text}: {e:?}"));
            let all = evaluate(&query, &storage, &range).unwrap_or_else(|e| panic!("{text}: {e}"));
            let QueryValue::Matrix(all) = all.value else { panic!("{text} is no matrix") };
            for time in (start..=end).step_by(STEP as usize * 9) {
                let instant = QueryOptions::instant(time).with_engine(engine.clone());
                let alone = evaluate(&query, &storage, &instant);
                let QueryValue::Vector(alone) =
                    alone.unwrap_or_else(|e| panic!("{text}: {e}")).value
                else {
                    panic!("{text} is no vector")
                };
                let slid = all.iter().filter_map(|series| {
                    let point = series.floats.iter().find(|(t, _)| *t == time)?;
                    Some((&series.labels, point.1))
                });
                let slid: Vec<_> = slid.collect();
                assert_eq!(slid.len(), alone.len(), "{text} at {time}");
                for element in alone {
                    let SampleValue::Float(alone) = element.value else { panic!("{text}") };
                    let found = slid.iter().find(|(labels, _)| **labels == element.labels);
                    let Some((labels, slid)) = found else { panic!("{text} at {time}") };
                    let kind = labels.get("kind").unwrap_or_default();
                    let equal = alone == *slid
                        || alone.is_nan() && slid.is_nan()
                        || (alone - slid).abs() <= tolerance(kind, alone);
                    assert!(equal, "{text} at {time} of {labels:?}: {alone} alone, {slid} slid");
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 30_000, "{compared}");
}

/// Counters that are scraped regularly, as most are, where windows move by whole samples: with resets
/// rarely and often, that begin at zero, stay, have negative values, and miss a scrape now and then.
struct Regular;

const REGULAR: usize = 40;

impl Source for Regular {
    fn read<'b>(&'b self, series: usize, buffer: &'b mut SampleBuffer) -> Samples<'b> {
        buffer.clear();
        let mut state = 7 + series as u64;
        let mut random = move |limit: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as usize % limit
        };
        let (resets, gaps) = ([1_000_000, 300, 40, 8][series % 4], [1_000_000, 90][series / 4 % 2]);
        let mut total = if series.is_multiple_of(3) { 0.0 } else { random(1000) as f64 - 200.0 };
        for k in 0..400 {
            total += [0, 1, 7, random(100)][random(4)] as f64 / 8.0;
            if random(resets) == 0 {
                total = random(3) as f64;
            }
            if random(gaps) != 0 {
                buffer.timestamps.push(k * 15_000);
                buffer.values.push(total);
            }
        }
        buffer.samples()
    }
}

#[test]
fn rates_on_a_regular_grid_are_exact() {
    let series = |n: usize| Labels::from_pairs([("__name__", "x"), ("n", &*format!("{n:02}"))]);
    let storage = SeriesOf { labels: (0..REGULAR).map(series).collect(), source: Regular };
    let mut compared = 0;
    for (function, step) in [("rate", 15_000), ("increase", 60_000), ("delta", 15_000)] {
        for window in ["1m", "5m", "20m"] {
            let text = format!("{function}(x[{window}])");
            let query = compile(&text, &Features::ALL).unwrap_or_else(|e| panic!("{text}: {e:?}"));
            // Not at the times of samples, too.
            let (start, end) = (7_000 * (step / 60_000), 400 * 15_000);
            let range = QueryOptions::range(start, end, Duration::from_millis(step as u64));
            let all = evaluate(&query, &storage, &range).unwrap_or_else(|e| panic!("{text}: {e}"));
            let QueryValue::Matrix(all) = all.value else { panic!("{text} is no matrix") };
            for time in (start..=end).step_by(step as usize) {
                let alone = evaluate(&query, &storage, &QueryOptions::instant(time));
                let alone = alone.unwrap_or_else(|e| panic!("{text}: {e}")).value;
                let QueryValue::Vector(alone) = alone else { panic!("{text} is no vector") };
                for element in alone {
                    let SampleValue::Float(alone) = element.value else { panic!("{text}") };
                    let of = all.iter().find(|series| series.labels == element.labels);
                    let slid = of.and_then(|of| of.floats.iter().find(|(t, _)| *t == time));
                    let slid = slid.unwrap_or_else(|| panic!("{text} at {time}")).1;
                    assert_eq!(slid.to_bits(), alone.to_bits(), "{text} at {time}: {slid} {alone}");
                    compared += 1;
                }
            }
            let points: usize = all.iter().map(|series| series.floats.len()).sum();
            assert!(points > 0, "{text}");
        }
    }
    assert!(compared > 50_000, "{compared}");
}
