//! How long the parts take that queries spend their time in.
//!
//! Run `cargo bench -p promql-model`, with a name to run less. Machines differ and are noisy: only
//! figures of one run compare.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use divan::{Bencher, black_box};
use promql_model::{
    CompensatedHistogram, DenseHistogram, FloatHistogram, Labels, MatchOp, Matcher, check_regex,
    number,
};

#[global_allocator]
static ALLOCATOR: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    divan::main();
}

/// Patterns as they are in rules and dashboards, from short to long.
const PATTERNS: [&str; 7] = [
    ".+",
    "5..|4..",
    "api-.*",
    "^(.*)-([0-9]+)$",
    "(?i)error|warn(ing)?",
    "tmpfs|nfs.*|autofs|rootfs",
    r"/(?:bin|boot|dev|etc|home)(?:/.*)?|[a-z]{2,8}\d+",
];

/// What each query pays for a regular expression.
#[divan::bench(args = PATTERNS)]
fn regex_check(pattern: &str) {
    let _ = black_box(check_regex(black_box(pattern.as_bytes())));
}

/// What the first use pays.
#[divan::bench(args = PATTERNS)]
fn regex_compile(pattern: &str) -> bool {
    let matcher = Matcher::new("x", MatchOp::Matches, black_box(pattern)).expect("a pattern");
    matcher.matches("")
}

/// What each label value pays.
#[divan::bench(args = PATTERNS)]
fn regex_match(bencher: Bencher, pattern: &str) {
    let matcher = Matcher::new("x", MatchOp::Matches, pattern).expect("a pattern");
    matcher.matches("");
    let values = ["503", "api-server", "worker-17", "nfs4", "/home/user", "sda1", "Error", ""];
    bencher
        .counter(values.len())
        .bench_local(|| values.iter().filter(|value| matcher.matches(black_box(value))).count());
}

fn labels(instance: usize) -> Labels {
    Labels::from_pairs([
        ("__name__", "http_requests_total"),
        ("code", "200"),
        ("handler", "/api/v1/query_range"),
        ("instance", &format!("10.0.{}.{}:9090", instance / 250, instance % 250)),
        ("job", "prometheus"),
        ("method", "GET"),
        ("namespace", "monitoring"),
        ("pod", &format!("prometheus-{instance}")),
    ])
}

#[divan::bench]
fn labels_make() -> Labels {
    labels(black_box(7))
}

#[divan::bench]
fn labels_get(bencher: Bencher) {
    let labels = labels(7);
    bencher.bench_local(|| black_box(&labels).get(black_box("namespace")).map(str::len));
}

#[divan::bench]
fn labels_hash(bencher: Bencher) {
    let (labels, state) = (labels(7), RandomState::new());
    bencher.bench_local(|| state.hash_one(black_box(&labels)));
}

#[divan::bench]
fn labels_equal(bencher: Bencher) {
    let (one, same) = (labels(7), labels(7));
    bencher.bench_local(|| black_box(&one) == black_box(&same));
}

#[divan::bench]
fn labels_compare(bencher: Bencher) {
    let (one, other) = (labels(7), labels(8));
    bencher.bench_local(|| black_box(&one).cmp(black_box(&other)));
}

/// The labels of a group: what `sum by (job, namespace)` does with each series.
#[divan::bench]
fn labels_group(bencher: Bencher) {
    let labels = labels(7);
    bencher.bench_local(|| black_box(&labels).filtered(|n| n == "job" || n == "namespace"));
}

/// What `rate` and `sum` do with the name.
#[divan::bench]
fn labels_drop_name(bencher: Bencher) {
    let labels = labels(7);
    bencher.bench_local(|| black_box(&labels).filtered(|name| name != "__name__"));
}

fn histogram(schema: i32, offset: i32, buckets: usize) -> FloatHistogram {
    FloatHistogram::from(DenseHistogram {
        schema,
        count: buckets as f64,
        sum: 1.0,
        zero_threshold: 2f64.powi(-128),
        zero_count: 1.0,
        offset,
        buckets: vec![1.0; buckets],
        ..DenseHistogram::default()
    })
}

fn bench_add(bencher: Bencher, first: FloatHistogram, second: FloatHistogram) {
    // Adding doesn't change the layout any more after the first time.
    let mut sum = first;
    bencher.bench_local(|| black_box(&mut sum).add(black_box(&second)));
}

/// Samples of one series, or of series with the same buckets.
#[divan::bench(args = [20, 160])]
fn histogram_add_same(bencher: Bencher, buckets: usize) {
    let histogram = histogram(3, -10, buckets);
    bench_add(bencher, histogram.clone(), histogram);
}

/// Series of one metric: the sum has more buckets than each of them.
#[divan::bench(args = [20, 160])]
fn histogram_add_within(bencher: Bencher, buckets: usize) {
    bench_add(bencher, histogram(3, -20, buckets + 20), histogram(3, -10, buckets));
}

/// The first time that a series has buckets which the sum lacks.
#[divan::bench(args = [20, 160])]
fn histogram_add_beyond(bencher: Bencher, buckets: usize) {
    let (first, second) = (histogram(3, -10, buckets), histogram(3, 0, buckets));
    bencher.with_inputs(|| first.clone()).bench_local_values(|mut sum| {
        let _ = sum.add(black_box(&second));
        sum
    });
}

/// A coarser sum.
#[divan::bench(args = [20, 160])]
fn histogram_add_finer(bencher: Bencher, buckets: usize) {
    bench_add(bencher, histogram(1, -10, buckets), histogram(3, -10, buckets));
}

#[divan::bench(args = [20, 160])]
fn histogram_add_compensated(bencher: Bencher, buckets: usize) {
    let histogram = histogram(3, -10, buckets);
    let mut sum = CompensatedHistogram::from_float(&histogram);
    bencher.bench_local(|| black_box(&mut sum).add(black_box(&histogram)));
}

#[divan::bench(args = [20, 160])]
fn histogram_detect_reset(bencher: Bencher, buckets: usize) {
    let (before, now) = (histogram(3, -10, buckets), histogram(3, -10, buckets));
    bencher.bench_local(|| black_box(&now).detect_reset(black_box(&before)));
}

#[divan::bench(args = [3.0, 0.1, 1234.5678, 1e21])]
fn number_json(bencher: Bencher, value: f64) {
    use std::fmt::Write;
    let mut out = String::with_capacity(64);
    bencher.bench_local(|| {
        out.clear();
        let _ = write!(out, "{}", number::Json(black_box(value)));
        out.len()
    });
}
