//! Whole queries over native histograms in memory: 1,000 series of 1,440 samples with 60 buckets, of
//! which a scrape fills some. Printed are the median time of a query and how much memory it takes at
//! most beside the data, on one thread and on all. `cargo bench -p promql-engine --bench histograms`;
//! a number after `--` is that of the series.

use std::hint::black_box;
use std::time::{Duration, Instant};

use peak_alloc::PeakAlloc;
use promql_engine::{
    EngineOptions, LabelQuery, QueryOptions, SampleBuffer, Samples, SelectRequest, SelectedSeries,
    Storage, StorageError, evaluate,
};
use promql_model::{DenseHistogram, FloatHistogram, Labels, RunReader};
use promql_syntax::{Features, compile};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const SCRAPE: i64 = 15_000;
const SAMPLES: usize = 1440;
const BUCKETS: usize = 60;

struct Series {
    labels: Vec<Labels>,
    timestamps: Vec<Vec<i64>>,
    histograms: Vec<Vec<FloatHistogram>>,
}

impl Series {
    fn new(series: usize) -> Series {
        let mut state = 42_u64;
        let mut random = move |limit: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % limit
        };
        let mut all = Series { labels: vec![], timestamps: vec![], histograms: vec![] };
        for index in 0..series {
            let offset = random(SCRAPE as u64) as i64;
            let mut dense = DenseHistogram {
                schema: 3,
                zero_threshold: 1e-9,
                offset: -20,
                buckets: vec![1.0; BUCKETS],
                count: BUCKETS as f64,
                ..DenseHistogram::default()
            };
            let histograms = (0..SAMPLES).map(|_| {
                // Most observations lie in the middle.
                for _ in 0..100 {
                    let bucket =
                        (0..4).map(|_| random(BUCKETS as u64 / 4 + 1) as usize).sum::<usize>();
                    dense.buckets[bucket.min(BUCKETS - 1)] += 1.0;
                    dense.count += 1.0;
                    dense.sum += 0.5;
                }
                if random(10_000) == 0 {
                    dense.buckets.fill(1.0);
                    dense.count = BUCKETS as f64;
                }
                FloatHistogram::from(dense.clone())
            });
            let mut histograms: Vec<_> = histograms.collect();
            let mut runs = RunReader::default();
            (0..SAMPLES).for_each(|at| runs.histogram(&mut histograms, at));
            runs.finish(&mut histograms);
            all.histograms.push(histograms);
            all.timestamps.push((0..SAMPLES as i64).map(|k| k * SCRAPE + offset).collect());
            all.labels.push(Labels::from_pairs([
                ("__name__", "h".to_owned()),
                ("instance", format!("host-{:05}", index / 10)),
                ("path", format!("{:03}", index % 10)),
            ]));
        }
        all
    }
}

impl Storage for Series {
    fn select<'a>(
        &'a self,
        _: &SelectRequest<'_>,
    ) -> Result<Box<dyn SelectedSeries + 'a>, StorageError> {
        Ok(Box::new(All(self)))
    }

    fn label_names(&self, _: &LabelQuery<'_>) -> Result<Vec<String>, StorageError> {
        Ok(Vec::new())
    }

    fn label_values(&self, _: &str, _: &LabelQuery<'_>) -> Result<Vec<String>, StorageError> {
        Ok(Vec::new())
    }
}

struct All<'a>(&'a Series);

impl SelectedSeries for All<'_> {
    fn labels(&self) -> &[Labels] {
        &self.0.labels
    }

    fn read<'b>(&'b self, at: usize, _: &'b mut SampleBuffer) -> Result<Samples<'b>, StorageError> {
        Ok(Samples {
            histogram_timestamps: &self.0.timestamps[at],
            histograms: &self.0.histograms[at],
            ..Samples::default()
        })
    }
}

const QUERIES: [&str; 8] = [
    "histogram_quantile(0.99, sum(rate(h[5m])))",
    "histogram_quantile(0.99, sum by (instance) (rate(h[5m])))",
    "sum(h)",
    "avg(rate(h[5m]))",
    "sum(histogram_count(rate(h[5m])))",
    "sum(histogram_quantile(0.99, rate(h[5m])))",
    "sum(sum_over_time(h[10m]))",
    "sum(avg_over_time(h[10m]))",
];

#[allow(clippy::print_stdout, reason = "the numbers are the point")]
fn main() {
    let series = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(1000);
    let data = Series::new(series);
    for threads in [Some(1), None] {
        for text in QUERIES {
            let engine =
                EngineOptions { threads, max_samples: usize::MAX, ..EngineOptions::default() };
            let end = SAMPLES as i64 * SCRAPE;
            let step = Duration::from_millis(SCRAPE as u64);
            let options = QueryOptions::range(SCRAPE, end, step).with_engine(engine);
            let query = compile(text, &Features::ALL).unwrap_or_else(|e| panic!("{text}: {e:?}"));
            MEMORY.reset_peak_usage();
            let before = MEMORY.current_usage();
            let mut times: Vec<Duration> = (0..5)
                .map(|_| {
                    let start = Instant::now();
                    black_box(evaluate(&query, &data, &options))
                        .unwrap_or_else(|e| panic!("{text}: {e}"));
                    start.elapsed()
                })
                .collect();
            times.sort();
            let pairs = (series * SAMPLES) as f64;
            println!(
                "{:7.3} s  {:6.0} ns per (series, step)  {:7.1} MB  {} threads  {text}",
                times[2].as_secs_f64(),
                times[2].as_nanos() as f64 / pairs,
                (MEMORY.peak_usage() - before) as f64 / 1e6,
                threads.map_or("all".to_owned(), |threads| threads.to_string()),
            );
        }
    }
}
