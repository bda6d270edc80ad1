//! How precise the functions over sliding windows are: against exact rational arithmetic, and
//! against the compensated sums of upstream, which must not be more precise.
//!
//! A difference of samples can only be as precise as the samples, so what counts as precise is
//! relative to what is subtracted: the distances from the mean, which is the least that any method
//! in doubles has to round.

use std::time::Duration;

use num_rational::BigRational;
use num_traits::{FromPrimitive, Signed, ToPrimitive, Zero};
use promql_engine::{QueryOptions, evaluate};
use promql_model::{Labels, QueryValue};
use promql_storage::{Columns, MemoryBuilder};
use promql_syntax::{Features, compile};
use promql_tests::conformance::say;
use promql_tests::random::Random;

/// Upstream's algorithms, which its documentation and its results define.
mod upstream {
    #[derive(Default)]
    struct Sum(f64, f64);

    impl Sum {
        fn add(&mut self, x: f64) {
            let total = self.0 + x;
            self.1 +=
                if self.0.abs() >= x.abs() { (self.0 - total) + x } else { (x - total) + self.0 };
            self.0 = total;
        }

        fn value(&self) -> f64 {
            self.0 + self.1
        }
    }

    pub(super) fn sum(points: &[(f64, f64)]) -> f64 {
        let mut sum = Sum::default();
        points.iter().for_each(|p| sum.add(p.1));
        sum.value()
    }

    pub(super) fn variance(points: &[(f64, f64)]) -> f64 {
        let (mut mean, mut squares) = (Sum::default(), Sum::default());
        for (at, (_, y)) in points.iter().enumerate() {
            let distance = y - mean.value();
            mean.add(distance / (at + 1) as f64);
            squares.add(distance * (y - mean.value()));
        }
        squares.value() / points.len() as f64
    }

    /// Slope and intercept at `origin`, in milliseconds like the points.
    pub(super) fn line(points: &[(f64, f64)], origin: f64) -> (f64, f64) {
        let (mut sx, mut sy, mut sxy, mut sxx) =
            (Sum::default(), Sum::default(), Sum::default(), Sum::default());
        for (t, y) in points {
            let x = (t - origin) / 1000.0;
            sx.add(x);
            sy.add(*y);
            sxy.add(x * y);
            sxx.add(x * x);
        }
        let n = points.len() as f64;
        let (sx, sy, sxy, sxx) = (sx.value(), sy.value(), sxy.value(), sxx.value());
        let slope = (sxy - sx * sy / n) / (sxx - sx * sx / n);
        (slope, sy / n - slope * sx / n)
    }
}

fn exact(number: f64) -> BigRational {
    BigRational::from_float(number).expect("a finite number")
}

fn count(points: &[(f64, f64)]) -> BigRational {
    BigRational::from_usize(points.len()).expect("a number")
}

fn mean(values: impl Iterator<Item = f64>, count: &BigRational) -> BigRational {
    values.map(exact).fold(BigRational::zero(), |a, b| a + b) / count
}

/// The exact result, and by how much one may miss it: a few roundings of what has to be summed up.
struct Truth {
    value: BigRational,
    rounding: f64,
}

/// The roundings that a result may have of its own.
const ROUNDINGS: f64 = 8.0 * f64::EPSILON;

fn variance(points: &[(f64, f64)]) -> Truth {
    let n = count(points);
    let mean = mean(points.iter().map(|p| p.1), &n);
    let squares = points.iter().map(|p| (exact(p.1) - &mean).pow(2));
    let value = squares.fold(BigRational::zero(), |a, b| a + b) / n;
    let rounding = ROUNDINGS * value.to_f64().expect("a number");
    Truth { value, rounding }
}

fn sum(points: &[(f64, f64)]) -> Truth {
    let add = |a: BigRational, b| a + b;
    let value = points.iter().map(|p| exact(p.1)).fold(BigRational::zero(), add);
    let size = points.iter().map(|p| exact(p.1).abs()).fold(BigRational::zero(), add);
    // A compensated sum of n terms is precise to one rounding, and n more of what that rounds.
    let (value_size, size) = (value.abs().to_f64(), size.to_f64());
    let second = f64::EPSILON * points.len() as f64 * size.expect("a number");
    let rounding = ROUNDINGS * (value_size.expect("a number") + second);
    Truth { value, rounding }
}

/// The value of the fitted line at a time, or its slope.
fn line(points: &[(f64, f64)], at: Option<f64>) -> Truth {
    let n = count(points);
    let (mean_x, mean_y) =
        (mean(points.iter().map(|p| p.0), &n), mean(points.iter().map(|p| p.1), &n));
    let (mut xx, mut xy, mut size) =
        (BigRational::zero(), BigRational::zero(), BigRational::zero());
    for (x, y) in points {
        let (dx, dy) = (exact(*x) - &mean_x, exact(*y) - &mean_y);
        xx += &dx * &dx;
        size += (&dx * &dy).abs();
        xy += dx * dy;
    }
    let thousand = BigRational::from_i32(1000).expect("a number");
    let slope = &xy / &xx;
    let size = (size / &xx).to_f64().expect("a number");
    match at {
        None => Truth { value: slope * &thousand, rounding: ROUNDINGS * size * 1000.0 },
        Some(at) => {
            let distance = exact(at) - mean_x;
            let far = distance.abs().to_f64().expect("a number");
            let level = mean_y.abs().to_f64().expect("a number");
            let value = mean_y + slope * distance;
            Truth { value, rounding: ROUNDINGS * (size * far + level) }
        }
    }
}

/// Some series that make it hard, each with what it is.
fn series(random: &mut Random) -> (&'static str, Columns) {
    let kind = random.below(8);
    let start = random.pick(&[0, 1_700_000_000_000]);
    let mut series = Columns::default();
    let mut total = 0.0;
    for k in 0..200 {
        let small = random.below(4000) as f64 / 8.0;
        let jitter = random.below(900) as i64;
        total += small;
        series.timestamps.push(start + k * 10_000 + jitter);
        series.values.push(match kind {
            0 => small,
            1 => 1e9 + total,
            2 => 1e17 + total,
            3 => 1e12 + small / 512.0,
            4 if random.below(12) == 0 => 1e17,
            4 => small,
            5 if random.below(12) == 0 => -1e9,
            5 => total / 3.0,
            6 => small * 1e-120,
            _ => 1.0 + small * 1e-13,
        });
    }
    let name = [
        "small numbers",
        "a counter near 1e9",
        "a counter near 1e17",
        "noise on a large level",
        "spikes of 1e17",
        "spikes of -1e9",
        "tiny numbers",
        "numbers that differ in the last digits",
    ];
    (name[kind as usize], series)
}

struct Function {
    query: &'static str,
    upstream: fn(&[(f64, f64)], f64) -> f64,
    truth: fn(&[(f64, f64)], f64) -> Truth,
}

const WINDOW: f64 = 300_000.0;

const FUNCTIONS: [Function; 5] = [
    Function {
        query: "sum_over_time(a[5m])",
        upstream: |p, _| upstream::sum(p),
        truth: |p, _| sum(p),
    },
    Function {
        query: "stdvar_over_time(a[5m])",
        upstream: |p, _| upstream::variance(p),
        truth: |p, _| variance(p),
    },
    Function {
        query: "deriv(a[5m])",
        upstream: |p, _| upstream::line(p, p[0].0).0,
        truth: |p, _| line(p, None),
    },
    Function {
        query: "predict_linear(a[5m], 0)",
        upstream: |p, at| upstream::line(p, at).1,
        truth: |p, at| line(p, Some(at)),
    },
    Function {
        query: "predict_linear(a[5m], 3600)",
        upstream: |p, at| {
            let (slope, intercept) = upstream::line(p, at);
            slope * 3600.0 + intercept
        },
        truth: |p, at| line(p, Some(at + 3_600_000.0)),
    },
];

#[test]
fn sliding_windows_are_no_less_precise_than_upstream() {
    let mut random = Random::new(11);
    let mut failures = Vec::new();
    for function in &FUNCTIONS {
        let query = compile(function.query, &Features::ALL).expect("a query");
        let (mut windows, mut sum_ours, mut sum_theirs, mut worst) = (0, 0.0, 0.0, 0.0_f64);
        for _ in 0..16 {
            let (kind, series) = series(&mut random);
            let mut memory = MemoryBuilder::default();
            memory.insert(Labels::from_pairs([("__name__", "a")]), series.clone());
            let memory = memory.build();
            let (start, end) = (series.timestamps[2], series.timestamps[199]);
            let step = Duration::from_millis(random.pick(&[7_000, 10_000, 40_000]));
            let result = evaluate(&query, &memory, &QueryOptions::range(start, end, step));
            let QueryValue::Matrix(matrix) = result.expect("a result").value else {
                panic!("a range query gives series")
            };
            for (time, ours) in &matrix[0].floats {
                let all = series.timestamps.iter().zip(&series.values);
                let all = all.map(|(t, v)| (*t as f64, *v));
                let at = *time as f64;
                let points: Vec<_> = all.filter(|p| at - WINDOW < p.0 && p.0 <= at).collect();
                // All equal is a case of its own in upstream, and exact.
                if points.iter().all(|p| p.1 == points[0].1) {
                    continue;
                }
                let truth = (function.truth)(&points, at);
                let miss =
                    |value: f64| (exact(value) - &truth.value).abs().to_f64().expect("a number");
                let (mine, theirs) = (miss(*ours), miss((function.upstream)(&points, at)));
                windows += 1;
                sum_ours += mine / truth.rounding;
                sum_theirs += theirs / truth.rounding;
                worst = worst.max(mine / truth.rounding);
                if mine > theirs + truth.rounding {
                    failures.push(format!(
                        "{} of {kind} at {time}: {ours}, off by {mine:e}, upstream by {theirs:e}, \
                         of roundings {:e}",
                        function.query, truth.rounding
                    ));
                }
            }
        }
        let (mean_ours, mean_theirs) =
            (8.0 * sum_ours / f64::from(windows), 8.0 * sum_theirs / f64::from(windows));
        say(&format!(
            "{}: {windows} windows, off by {mean_ours:.2} roundings on average and {:.1} at most, \
             upstream by {mean_theirs:.2} on average",
            function.query,
            8.0 * worst
        ));
        assert!(mean_ours <= mean_theirs.max(1.0), "{} is less precise", function.query);
    }
    assert!(
        failures.is_empty(),
        "{}:\n{}",
        failures.len(),
        failures[..failures.len().min(10)].join("\n")
    );
}
