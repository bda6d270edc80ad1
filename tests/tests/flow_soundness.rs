//! Whether the flow of an expression holds for what the engine gives: random expressions over random
//! databases with NaN, gaps, absent labels and native histograms.
//!
//! Each element must lie in an arm: its labels, its value within a relative tolerance, and no two with
//! the same key. What is never there must not be, what is always there must be, and the evaluation
//! may only fail as foreseen. `PROMQL_FLOW_CASES` says how many expressions are tried,
//! `PROMQL_FLOW_SEED` with which one to begin.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;
use std::time::Duration;

use promql_engine::{QueryOptions, evaluate};
use promql_lint::flow::{Arm, Basis, Env, EnvBuilder, Failures, Flow, Presence, Range, analyse};
use promql_model::{
    DenseHistogram, FloatHistogram, Labels, QueryValue, SampleValue, is_stale_nan, stale_nan,
};
use promql_storage::{Columns, MemoryBuilder, MemoryStorage};
use promql_syntax::{Features, Query, ValueType, compile};
use promql_tests::generator::Generator;
use promql_tests::random::Random;
use promql_tests::trial_data::START;

/// How many expressions are tried for each database.
const PER_DATABASE: u64 = 50;

/// No more than this are told of.
const MAX_WRONG: usize = 12;

fn number_of(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn flows_hold_for_what_is_evaluated() {
    let cases = number_of("PROMQL_FLOW_CASES", 10_000);
    let first = number_of("PROMQL_FLOW_SEED", 0);
    let mut wrong = Vec::new();
    let (mut tried, mut failed, mut elements) = (0, 0, 0);
    for database in 0..cases.div_ceil(PER_DATABASE) {
        let seed = first + database;
        let mut random = Random::new(seed.wrapping_mul(31) + 5);
        let presumed = random.once_in(2);
        let storage = storage(&mut random, presumed);
        let basis = match presumed {
            true => Basis::TARGET_LABELS.or(Basis::SUFFIX_KINDS),
            false => Basis::NONE,
        };
        let mut builder = EnvBuilder::default();
        builder.presume(basis);
        let env = builder.build();
        for _ in 0..PER_DATABASE {
            let text = expression(&mut random);
            let Ok(query) = compile(&text, &Features::ALL) else { continue };
            let at = START + 600_000 + random.below(2_400_000) as i64;
            tried += 1;
            match check(&query, &env, &storage, at) {
                Outcome::Holds(count) => elements += count,
                Outcome::Failed => failed += 1,
                Outcome::Wrong(message) => {
                    let (smaller, message) = shrunk(&query, &env, &storage, at)
                        .unwrap_or_else(|| (text.clone(), message));
                    wrong.push(format!(
                        "seed {seed}, at {at}, presumed {basis}:\n  {smaller}\n{message}"
                    ));
                    if wrong.len() == MAX_WRONG {
                        break;
                    }
                }
            }
        }
        if wrong.len() >= MAX_WRONG {
            break;
        }
    }
    println!("{tried} expressions, {failed} failed as foreseen, {elements} elements");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(tried * 10 >= cases * 8, "only {tried} expressions were well typed");
    assert!(elements > tried, "too little came of them");
}

enum Outcome {
    Holds(u64),
    Failed,
    Wrong(String),
}

/// The smallest part of an expression whose flow is wrong.
fn shrunk(query: &Query, env: &Env, storage: &MemoryStorage, at: i64) -> Option<(String, String)> {
    let expr = query.expr();
    let parts = expr.nodes().iter().filter_map(|node| {
        let text = String::from_utf8_lossy(expr.source().get(node.span.range())?).into_owned();
        let part = compile(&text, &Features::ALL).ok()?;
        match check(&part, env, storage, at) {
            Outcome::Wrong(message) => Some((text, message)),
            _ => None,
        }
    });
    parts.min_by_key(|(text, _)| text.len())
}

fn check(query: &Query, env: &Env, storage: &MemoryStorage, at: i64) -> Outcome {
    if matches!(query.value_type(), ValueType::RangeVector | ValueType::String) {
        return Outcome::Holds(0);
    }
    let flows = analyse(query.expr(), env);
    let flow = flows.root(query.expr());
    let times = [at, at + 60_000, at + 120_000];
    let options = QueryOptions::range(times[0], times[2], Duration::from_secs(60));
    let result = match evaluate(query, storage, &options) {
        Ok(result) => result,
        Err(error) => {
            let message = error.to_string();
            let kind = failure(&message);
            return match flows.failures().has(kind) {
                true => Outcome::Failed,
                false => Outcome::Wrong(format!("  fails: {message}\n  {flow}")),
            };
        }
    };
    let mut count = 0;
    for time in times {
        let elements = elements(&result.value, time);
        count += elements.len() as u64;
        if let Err(message) = holds(flow, &elements) {
            let mut text = format!("  {message}\n");
            for (labels, value) in elements.iter().take(8) {
                let _ = writeln!(text, "    {labels} {}", shown(value));
            }
            let _ = write!(text, "  {}", flow.to_string().replace('\n', "\n  "));
            return Outcome::Wrong(text);
        }
    }
    Outcome::Holds(count)
}

fn failure(message: &str) -> Failures {
    if message.contains("same labelset") {
        Failures::SAME_LABELS
    } else if message.contains("duplicate series") || message.contains("multiple matches") {
        Failures::MATCHING
    } else if message.contains("duration") {
        Failures::DURATION
    } else {
        Failures::PARAMETER
    }
}

fn shown(value: &SampleValue) -> String {
    match value {
        SampleValue::Float(value) => format!("{value:?}"),
        SampleValue::Histogram(_) => "histogram".to_owned(),
    }
}

fn elements(value: &QueryValue, time: i64) -> Vec<(Labels, SampleValue)> {
    let QueryValue::Matrix(matrix) = value else { return Vec::new() };
    let of = |series: &promql_model::SeriesSamples| {
        let float = series.floats.iter().find(|(t, _)| *t == time);
        let histogram = series.histograms.iter().find(|(t, _)| *t == time);
        let float = float.map(|(_, value)| SampleValue::Float(*value));
        let histogram = histogram.map(|(_, h)| SampleValue::Histogram(Box::new(h.clone())));
        Some((series.labels.clone(), float.or(histogram)?))
    };
    matrix.iter().filter_map(of).collect()
}

/// Whether a flow holds for the elements of one instant.
fn holds(flow: &Flow, elements: &[(Labels, SampleValue)]) -> Result<(), String> {
    match flow.nonempty {
        Presence::Never if !elements.is_empty() => return Err("there is something".to_owned()),
        Presence::Always if elements.is_empty() => return Err("there is nothing".to_owned()),
        _ => {}
    }
    let mut of_arm: BTreeMap<usize, Vec<&Labels>> = BTreeMap::new();
    let mut covered = HashSet::new();
    for (labels, value) in elements {
        let lies = |(_, arm): &(usize, &Arm)| lies_in(arm, labels, value);
        let arms: Vec<usize> =
            flow.arms.iter().enumerate().filter(lies).map(|(at, _)| at).collect();
        covered.extend(arms.iter().copied());
        match &*arms {
            [] => return Err(format!("in no arm: {labels} {}", shown(value))),
            [arm] => of_arm.entry(*arm).or_default().push(labels),
            _ => {}
        }
    }
    for (at, labels) in of_arm {
        let Some(key) = &flow.arms[at].key else { continue };
        let mut seen = HashSet::new();
        for labels in labels {
            let values: Vec<&str> =
                key.iter().map(|name| labels.get(name).unwrap_or_default()).collect();
            if !seen.insert(values) {
                return Err(format!("the key of arm {at} is no key: {labels}"));
            }
        }
    }
    let always = |(_, arm): &(usize, &Arm)| arm.presence == Presence::Always;
    match flow.arms.iter().enumerate().filter(always).find(|(at, _)| !covered.contains(at)) {
        Some((at, _)) => Err(format!("arm {at} has no element")),
        None => Ok(()),
    }
}

fn lies_in(arm: &Arm, labels: &Labels, value: &SampleValue) -> bool {
    labels.iter().all(|(name, value)| arm.labels.get(name).contains(value))
        && arm
            .labels
            .iter()
            .all(|label| label.values.contains(labels.get(&label.name).unwrap_or_default()))
        && match value {
            SampleValue::Float(value) => arm.samples.has_floats() && in_range(&arm.value, *value),
            SampleValue::Histogram(_) => arm.samples.has_histograms(),
        }
}

/// Whether a value is in a range, or as near to it as rounding can bring it.
fn in_range(range: &Range, value: f64) -> bool {
    let near = |end: f64| end.is_finite() && (value - end).abs() <= 1e-9 * end.abs().max(1e-3);
    let whole = !range.integer || value.is_infinite() || value.fract() == 0.0;
    range.contains(value) || (whole && !value.is_nan() && (near(range.lo) || near(range.hi)))
}

/// The series of all metrics that the generator names, and what the names promise if `presumed`.
fn storage(random: &mut Random, presumed: bool) -> MemoryStorage {
    let metrics = [
        "c_total",
        "g",
        "one",
        "h_bucket",
        "f_bucket",
        "wild",
        "steady",
        "big",
        "tiny",
        "when",
        "served",
        "target_info",
        "nothing",
    ];
    let mut memory = MemoryBuilder::default();
    let mut seen = HashSet::new();
    for metric in metrics.iter().take(12) {
        for _ in 0..1 + random.below(5) {
            let mut pairs = vec![("__name__", *metric)];
            let mut add = |name, values: &[&'static str], random: &mut Random| {
                let value = random.pick(values);
                if !value.is_empty() {
                    pairs.push((name, value));
                }
            };
            add("i", &["0", "1", "1", "2", "10", ""], random);
            add("j", &["x", "y", "z", "", ""], random);
            add("k", &["v", "w", "", "", ""], random);
            if metric.ends_with("_bucket") || random.once_in(12) {
                add("le", &["0.1", "1", "5", "+Inf", "+Inf", "odd"], random);
            }
            let targets = ["a", "b"];
            if presumed || random.once_in(3) {
                add("instance", &targets, random);
                add("job", &["api", "web"], random);
            }
            if *metric == "target_info" {
                add("os", &["linux", "plan9", ""], random);
            }
            let labels = Labels::from_pairs(pairs.iter().copied());
            if seen.insert(labels.clone()) {
                let columns = samples(random, metric, presumed);
                memory.insert(labels, columns);
            }
        }
    }
    memory.build()
}

/// The samples of one series.
fn samples(random: &mut Random, metric: &str, presumed: bool) -> Columns {
    let mut series = Columns::default();
    let is_counter = metric.ends_with("_total") || metric.ends_with("_bucket");
    let is_info = metric.ends_with("_info");
    let has_histograms = !(presumed && (is_counter || is_info)) && random.once_in(4);
    let only_histograms = has_histograms && random.once_in(2);
    let mut total = 0.0;
    let gap = random.below(200);
    let gap = gap..gap + random.pick(&[0, 0, 20, 60]);
    for k in 0..240_u64 {
        if gap.contains(&k) || random.once_in(25) {
            continue;
        }
        let time = START + k as i64 * 15_000 + random.below(900) as i64;
        let change = random.below(40) as f64 / 4.0;
        total = if random.once_in(50) { change } else { total + change };
        let value = match metric {
            _ if random.once_in(80) => stale_nan(),
            _ if is_info && presumed => 1.0,
            _ if is_counter && presumed => total,
            _ if random.once_in(60) => {
                random.pick(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, 1e300, -1e17])
            }
            "big" => 1e12 + change * 64.0,
            "tiny" => change * 1e-120,
            "steady" => (total / 100.0).floor() - 1.0,
            "when" => 1e9 + change * 1e7,
            _ if is_counter => total,
            _ => change * 2.0 - 8.0,
        };
        let is_histogram = only_histograms || (has_histograms && k / 40 % 2 == 0);
        if is_histogram && !is_stale_nan(value) {
            series.histogram_timestamps.push(time);
            series.histograms.push(histogram(total, k));
        } else {
            series.timestamps.push(time);
            series.values.push(value);
        }
    }
    series
}

fn histogram(total: f64, k: u64) -> FloatHistogram {
    let buckets = vec![total.floor(), 1.0, (total / 2.0).floor()];
    let count = buckets.iter().sum::<f64>() + 2.0;
    let sum = total * 1.5 - if k.is_multiple_of(50) { 100.0 } else { 0.0 };
    let dense = DenseHistogram {
        count,
        sum,
        buckets,
        zero_threshold: 0.01,
        zero_count: 2.0,
        ..Default::default()
    };
    FloatHistogram::from(dense)
}

/// A random expression: one of the generator, or such within operations that it doesn't make.
fn expression(random: &mut Random) -> String {
    let depth = 1 + random.below(3) as u32;
    let of_generator = |random: &mut Random, depth: u32| {
        let mut generator = Generator { random: random.clone(), over_range: true };
        let text = generator.trial(depth).query.text(None);
        *random = generator.random;
        text
    };
    let a = of_generator(random, depth);
    if random.once_in(2) {
        return a;
    }
    let b = of_generator(random, 1);
    let label = |random: &mut Random| random.pick(&["i", "j", "k", "le", "new", "__name__"]);
    match random.below(16) {
        0 => {
            let (to, from) = (label(random), label(random));
            let (regex, new) = random.pick(&[
                ("(.*)", "$1"),
                ("(.+)", "$1"),
                (".*", "c"),
                ("1(.*)", "$1"),
                ("x|y", "z"),
                ("0|", "none"),
                ("(.)(.*)", "$2-$1"),
            ]);
            format!("label_replace({a}, \"{to}\", \"{new}\", \"{from}\", \"{regex}\")")
        }
        1 => {
            let (to, from, other) = (label(random), label(random), label(random));
            let separator = random.pick(&["", "-"]);
            format!("label_join({a}, \"{to}\", \"{separator}\", \"{from}\", \"{other}\")")
        }
        2 => {
            let op = random.pick(&["+", "-", "/", ">", "<= bool", "=="]);
            let matching = random.pick(&["", "on (i)", "ignoring (j, k)", "on ()"]);
            let fill = random.pick(&["fill (0)", "fill_left (2)", "fill_right (-1)"]);
            format!("({a}) {op} {matching} {fill} ({b})")
        }
        3 => format!("histogram_quantiles({a}, \"q\", 0.5, 0.99)"),
        4 => {
            let function = random.pick(&["count", "sum", "avg", "stddev", "stdvar"]);
            format!("histogram_{function}({a})")
        }
        5 => {
            let data =
                random.pick(&["", ", {os=\"linux\"}", ", {os=~\".*\"}", ", {os!=\"\", k=\"v\"}"]);
            format!("info({a}{data})")
        }
        6 => {
            let selector = random.pick(&["c_total", "g", "steady", "h_bucket"]);
            let matcher = random.pick(&["i=\"0\"", "j=~\"x|y\"", "i=~\"1.*\"", "j!=\"x\""]);
            let by = random.pick(&["", "by (i)", "by (i, j)", "without (j)", "by (j)"]);
            let op = random.pick(&["sum", "count", "sum", "avg"]);
            let part = format!("{op} {by} (rate({selector}{{{matcher}}}[5m]))");
            format!("{part} / {op} {by} (rate({selector}[5m]))")
        }
        7 => {
            let op = random.pick(&["and", "unless", "or"]);
            let matching = random.pick(&["", "on (i)", "ignoring (j)", "on ()"]);
            format!("sum by (i) ({a}) {op} {matching} ({b})")
        }
        8 => format!("count_values without (j) (\"{}\", {a})", label(random)),
        9 => {
            let selector = random.pick(&["{a=\"b\"}", "{i=\"0\"}", "{i=\"7\", j=~\"x\"}"]);
            format!("absent(nothing{selector}) or ({a})")
        }
        10 => format!("sum by (i) ({a}) or vector(0)"),
        11 => {
            let group = random.pick(&["group_left (k)", "group_right (j)", "group_left ()"]);
            format!("({a}) * on (i) {group} max by (i, j, k) ({b})")
        }
        12 => {
            let function =
                random.pick(&["last_over_time", "count_over_time", "sum_over_time", "rate"]);
            let step = random.pick(&["30s", "1m", "5m"]);
            format!("{function}(({a})[3m:{step}])")
        }
        13 => {
            let op = random.pick(&["<", ">", "==", ">= bool", "!="]);
            let (plus, seconds) = (random.pick(&["+", "-"]), random.below(3) * 300);
            let (x, y) = (format!("timestamp({a})"), format!("time() {plus} {seconds}"));
            if random.once_in(2) { format!("{x} {op} {y}") } else { format!("({y}) {op} {x}") }
        }
        14 => {
            let selector = random.pick(&["c_total", "g", "wild", "tiny", "{j!=\"x\"}"]);
            let of = random.pick(&["", " offset 1m", "{i=\"0\"}"]);
            let (number, op) = (random.pick(&["100", "1", "-5"]), random.pick(&["<", ">"]));
            let part = if selector.starts_with('{') {
                selector.to_owned()
            } else {
                format!("{selector}{of}")
            };
            format!("{number} / {selector} * {part} {op} 20")
        }
        _ => format!("({a}) > 1 < 5 or ({b}) * 0"),
    }
}

#[test]
fn spelling_makes_no_difference() {
    let mut random = Random::new(11);
    let env = Env::default();
    for _ in 0..500 {
        let text = expression(&mut random);
        if compile(&text, &Features::ALL).is_err() {
            continue;
        }
        let flow = |text: &str| {
            let query = compile(text, &Features::ALL).unwrap_or_else(|e| panic!("{text}: {e}"));
            analyse(query.expr(), &env).root(query.expr()).to_string()
        };
        let formatted =
            promql_syntax::format(&text, &Default::default()).expect("it is well formed");
        assert_eq!(flow(&text), flow(&formatted), "{text}\n{formatted}");
        assert_eq!(flow(&text), flow(&format!("(({text}))")), "{text}");
    }
}
