//! Random queries of native histograms against a real Prometheus, which gets them by remote write:
//! values, warnings and infos. Runs as the test of random queries of floats does.
//!
//! Data and queries leave out what 3.5 is known to do otherwise than later versions: custom bounds
//! that differ, and rates of counters near zero, whose extrapolation later versions limit.

use promql_model::{
    CUSTOM_BUCKETS_SCHEMA, CounterResetHint, DenseHistogram, FloatHistogram, Labels,
};
use promql_storage::{Columns, MemoryBuilder};
use promql_tests::answer::Times;
use promql_tests::differential::Comparison;
use promql_tests::prometheus::Prometheus;
use promql_tests::random::Random;

/// The first sample's time: a full hour.
const START: i64 = 1_699_999_200_000;
const END: i64 = START + 3_600_000;

/// What a series counts in.
#[derive(Clone, Copy)]
enum Shape {
    /// Schema, and the number of positive and negative buckets.
    Exponential(i32, usize, usize),
    Custom,
}

fn empty(shape: Shape) -> DenseHistogram {
    match shape {
        Shape::Exponential(schema, positive, negative) => DenseHistogram {
            schema,
            zero_threshold: 0.001,
            offset: -1,
            buckets: vec![0.0; positive],
            n_buckets: vec![0.0; negative],
            ..DenseHistogram::default()
        },
        Shape::Custom => DenseHistogram {
            schema: CUSTOM_BUCKETS_SCHEMA,
            custom_values: vec![0.1, 1.0, 5.0, 25.0],
            buckets: vec![0.0; 5],
            ..DenseHistogram::default()
        },
    }
}

/// Adds observations to each bucket.
fn observe(histogram: &mut DenseHistogram, most: u64, least: u64, random: &mut Random) {
    let mut more = || (random.below(most) + least) as f64;
    let has_zero = histogram.zero_threshold > 0.0;
    let mut added = 0.0;
    for bucket in histogram.buckets.iter_mut().chain(&mut histogram.n_buckets) {
        let observations = more();
        *bucket += observations;
        added += observations;
    }
    if has_zero {
        let observations = more();
        histogram.zero_count += observations;
        added += observations;
    }
    histogram.count += added;
    histogram.sum += added * 1.5;
}

/// A counter that loses a part of its observations now and then.
fn counter(shape: Shape, random: &mut Random) -> Columns {
    let mut series = Columns::default();
    let mut histogram = empty(shape);
    observe(&mut histogram, 20_000, 100_000, random);
    let gap = random.below(200) as i64;
    for k in 0..240_i64 {
        observe(&mut histogram, 9, 0, random);
        if random.below(90) == 0 {
            let buckets = histogram.buckets.iter_mut().chain(&mut histogram.n_buckets);
            for count in buckets.chain([&mut histogram.zero_count]) {
                *count = (*count * 0.8).floor();
            }
            let counts = histogram.buckets.iter().chain(&histogram.n_buckets);
            histogram.count = counts.sum::<f64>() + histogram.zero_count;
        }
        if random.below(40) == 0 || (gap..gap + 30).contains(&k) {
            continue;
        }
        let jitter = if random.below(5) == 0 { random.below(300) as i64 } else { 0 };
        series.histogram_timestamps.push(START + k * 15_000 + jitter);
        series.histograms.push(FloatHistogram::from(histogram.clone()));
    }
    series
}

/// A gauge, which has other observations at each time.
fn gauge(shape: Shape, random: &mut Random) -> Columns {
    let mut series = Columns::default();
    for k in 0..240_i64 {
        if random.below(40) == 0 {
            continue;
        }
        let mut histogram = empty(shape);
        observe(&mut histogram, 30, 1, random);
        histogram.hint = CounterResetHint::Gauge;
        series.histogram_timestamps.push(START + k * 15_000);
        series.histograms.push(FloatHistogram::from(histogram));
    }
    series
}

/// Floats and histograms by turns.
fn mixed(shape: Shape, random: &mut Random) -> Columns {
    let Columns { histogram_timestamps: times, histograms, .. } = counter(shape, random);
    let mut series = Columns::default();
    for (time, histogram) in times.into_iter().zip(histograms) {
        if (time - START) / 400_000 % 2 == 0 {
            series.histogram_timestamps.push(time);
            series.histograms.push(histogram);
        } else {
            series.timestamps.push(time);
            series.values.push(random.below(100) as f64 + 1.0);
        }
    }
    series
}

/// One of many series. At some times all have exponential histograms, at others some have floats or
/// custom buckets; which is the first of them differs from time to time.
fn one_of_many(random: &mut Random) -> Columns {
    let mut series = Columns::default();
    for k in 0..60_i64 {
        let time = START + k * 60_000;
        let rare = [0, 2, 40][(k / 5 % 3) as usize];
        if rare > 0 && random.below(rare) == 0 {
            series.timestamps.push(time);
            series.values.push(random.below(100) as f64 + 1.0);
            continue;
        }
        let custom = rare > 0 && random.below(rare) == 0;
        let mut histogram = empty(match custom {
            true => Shape::Custom,
            false => Shape::Exponential(0, 6, 0),
        });
        observe(&mut histogram, 30, 1, random);
        series.histogram_timestamps.push(time);
        series.histograms.push(FloatHistogram::from(histogram));
    }
    series
}

fn data(random: &mut Random) -> Vec<(Labels, Columns)> {
    use Shape::{Custom, Exponential};
    let mut all = Vec::new();
    let labels =
        |name: &str, i: &str, j: &str| Labels::from_pairs([("__name__", name), ("i", i), ("j", j)]);
    let places = [("0", "x"), ("0", "y"), ("1", "x"), ("1", "y"), ("2", "z")];
    for (at, (i, j)) in places.into_iter().enumerate() {
        let shape = Exponential([0, 0, 1, 2, -1][at], 6, [0, 3, 0, 3, 2][at]);
        all.push((labels("h", i, j), counter(shape, random)));
        all.push((labels("g", i, j), gauge(shape, random)));
        all.push((labels("c", i, j), counter(Custom, random)));
        all.push((labels("m", i, j), mixed(shape, random)));
        let mut floats = Columns::default();
        for k in 0..240 {
            floats.timestamps.push(START + k * 15_000);
            floats.values.push(random.below(50) as f64 + 1.0);
        }
        all.push((labels("f", i, j), floats));
    }
    for n in 0..150 {
        let (i, j) = ((n % 2).to_string(), format!("{n:03}"));
        all.push((labels("w", &i, &j), one_of_many(random)));
    }
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

/// Generates well-typed queries that Prometheus 3.5 knows.
struct Generator(Random);

impl Generator {
    fn selector(&mut self) -> String {
        let selector = self.0.pick(&[
            "h",
            "h",
            "h{i=\"0\"}",
            "h{j=~\"x|y\"}",
            "g",
            "c",
            "c{j!=\"x\"}",
            "m",
            "f",
            "{__name__=~\"h|f\"}",
            "{__name__=~\"h|g\"}",
            "nothing",
        ]);
        selector.to_owned()
    }

    fn modifiers(&mut self) -> String {
        match self.0.below(8) {
            0 => " offset 2m".to_owned(),
            1 => " offset -1m".to_owned(),
            2 => format!(" @ {}", START / 1000 + 1800),
            _ => String::new(),
        }
    }

    fn range(&mut self, depth: u32) -> String {
        let window = self.0.pick(&["30s", "1m", "90s", "5m", "20m"]);
        if depth > 0 && self.0.below(4) == 0 {
            let step = self.0.pick(&["10s", "1m", "37s"]);
            let inner = self.vector(depth - 1);
            return format!("({inner})[{window}:{step}]{}", self.modifiers());
        }
        format!("{}[{window}]{}", self.selector(), self.modifiers())
    }

    /// Exponential and custom buckets in one place. Only outermost: where counts and sums alone are
    /// needed, 3.5 does not see the difference.
    fn mixture(&mut self) -> String {
        let operand = self.0.pick(&[
            "{__name__=~\"h|c\"}",
            "{__name__=~\"h|c|f\", i=\"0\"}",
            "{__name__=~\"h|c|f|g\"}",
            "w",
            "w",
        ]);
        let op = self.0.pick(&["sum", "avg", "count", "max", "topk by (i) (1, ", "limitk (2, "]);
        match op.strip_suffix(", ") {
            Some(op) => format!("{op}, {operand})"),
            None => format!("{op}{} ({operand})", self.grouping()),
        }
    }

    fn grouping(&mut self) -> &'static str {
        self.0.pick(&["", " by (i)", " by (i, j)", " without (j)", " by (__name__)"])
    }

    fn scalar(&mut self) -> &'static str {
        // Not 0, since means of infinities have changed.
        self.0.pick(&["1", "0.5", "-2", "7"])
    }

    /// A vector without `+`, `-`, `irate` and spreads: where counts and sums alone are needed, 3.5 does
    /// not drop sums of a reset and no reset, and reads gauges with their buckets.
    fn without_sums(&mut self, depth: u32) -> String {
        let vector = self.vector(depth);
        match [") + ", ") - ", "irate(", "std"].iter().any(|part| vector.contains(part)) {
            true => format!("sum by (i) ({})", self.selector()),
            false => vector,
        }
    }

    fn number(&mut self, depth: u32) -> String {
        match self.0.below(8) {
            0 => format!("histogram_count({})", self.without_sums(depth)),
            1 => format!("histogram_sum({})", self.without_sums(depth)),
            2 => format!("histogram_avg({})", self.without_sums(depth)),
            3 => format!("histogram_stddev({})", self.vector(depth)),
            4 => format!("histogram_stdvar({})", self.vector(depth)),
            5 => {
                let bounds = self.0.pick(&["0, 1", "-Inf, 2", "0.3, +Inf", "-2, 3.5", "1, 0"]);
                format!("histogram_fraction({bounds}, {})", self.vector(depth))
            }
            _ => {
                let quantile = self.0.pick(&["0.5", "0.1", "0.99", "0", "1", "2", "-1"]);
                format!("histogram_quantile({quantile}, {})", self.vector(depth))
            }
        }
    }

    fn vector(&mut self, depth: u32) -> String {
        if depth == 0 {
            return format!("{}{}", self.selector(), self.modifiers());
        }
        let depth = depth - 1;
        match self.0.below(15) {
            0..4 => {
                let function = self.0.pick(&[
                    "rate",
                    "rate",
                    "increase",
                    "delta",
                    "irate",
                    "idelta",
                    "changes",
                    "resets",
                    "sum_over_time",
                    "avg_over_time",
                    "max_over_time",
                    "count_over_time",
                    "stddev_over_time",
                    "last_over_time",
                    "present_over_time",
                    "absent_over_time",
                    "deriv",
                ]);
                if ["rate", "increase"].contains(&function) {
                    let counter = self.0.pick(&["h", "c", "m", "f", "h{i=\"0\"}", "{j=\"x\"}"]);
                    let counter = counter.replace("{j=", "{__name__=~\"h|c\", j=");
                    let window = self.0.pick(&["30s", "1m", "90s", "5m", "20m"]);
                    return format!("{function}({counter}[{window}]{})", self.modifiers());
                }
                // Of computed values these show the last digit.
                let sensitive = ["changes", "resets", "deriv", "irate"].contains(&function);
                format!("{function}({})", self.range(if sensitive { 0 } else { depth }))
            }
            4..7 => {
                let op = self.0.pick(&["sum", "sum", "avg", "min", "max", "count", "group"]);
                let grouping = self.grouping();
                format!("{op}{grouping} ({})", self.vector(depth))
            }
            7 => {
                let op = self.0.pick(&["topk", "limitk", "quantile"]);
                let operand = self.selector();
                let grouping = self.grouping();
                format!("{op}{grouping} (1, {operand})")
            }
            8 => {
                let op = self.0.pick(&["*", "/", "+", "== bool", "!=", ">", "^"]);
                match self.0.below(2) {
                    0 => format!("({}) {op} {}", self.vector(depth), self.scalar()),
                    _ => format!("{} {op} ({})", self.scalar(), self.vector(depth)),
                }
            }
            9 | 10 => {
                let op = self.0.pick(&["+", "-", "*", "/", "==", "!= bool", "<"]);
                let matching = self.0.pick(&[
                    "",
                    "on (i, j)",
                    "ignoring (j)",
                    "on (i) group_left ()",
                    "on (i) group_right ()",
                ]);
                format!("({}) {op} {matching} ({})", self.vector(depth), self.vector(depth))
            }
            11 => {
                let op = self.0.pick(&["and", "or", "unless"]);
                let matching = self.0.pick(&["", "on (i)", "ignoring (j)", "on ()"]);
                format!("({}) {op} {matching} ({})", self.vector(depth), self.vector(depth))
            }
            12 => {
                let function = self.0.pick(&["abs", "timestamp", "absent", "-", "scalar"]);
                match function {
                    "scalar" => format!("vector(scalar({}))", self.vector(depth)),
                    // Later versions merge the series that are the same without their names.
                    "-" => format!("-sum by (i) ({})", self.vector(depth)),
                    _ => format!("{function}({})", self.vector(depth)),
                }
            }
            _ => self.number(depth),
        }
    }
}

#[test]
fn random_queries_of_histograms_have_the_same_results_as_on_a_server() {
    let start =
        |name: &str| Prometheus::start(name, &["promql-experimental-functions,native-histograms"]);
    let Some(server) = start("histograms") else {
        promql_tests::conformance::say("no prometheus, skipping random queries of histograms");
        return;
    };
    let number = |name: &str, default: u64| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let mut storage = MemoryBuilder::default();
    let data = data(&mut Random::new(7));
    data.iter().for_each(|(labels, series)| storage.insert(labels.clone(), series.clone()));
    let storage = storage.build();
    server.write(&storage);
    let another = || {
        let server = start("histograms-again").expect("what has started once");
        server.write(&storage);
        server
    };
    let mut generator = Generator(Random::new(number("PROMQL_DIFFERENTIAL_SEED", 42)));
    let mut comparison = Comparison::default();
    for at in 0..number("PROMQL_DIFFERENTIAL_QUERIES", 500) {
        let query = match at % 20 {
            0 => generator.mixture(),
            _ => generator.vector(1 + (at % 4) as u32),
        };
        let start = START + generator.0.below(3_000_000) as i64;
        let times = match at % 2 {
            0 => Times::Instant(start),
            _ => {
                let step = generator.0.pick(&[15_000, 60_000, 7_000, 300_000]);
                Times::up_to(start, (start + 50 * step).min(END + 600_000), step)
            }
        };
        comparison.compare(&server, &another, &storage, &query, times);
    }
    comparison.finish();
}
