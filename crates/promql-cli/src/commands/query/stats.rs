//! What an evaluation took, in a sentence.

use promql_engine::QueryStatistics;

use super::limits::written_size;

/// Two lines: what was looked at and how long that took, and what was held.
pub(super) fn text(statistics: &QueryStatistics) -> String {
    let series: usize = statistics.reads.iter().map(|read| read.series).sum();
    format!(
        "stats: {series} series and {} samples read, {} looked at, in {:.1} ms\n\
         stats: held at most {} samples and {}; Prometheus would hold {} samples\n",
        statistics.samples_read,
        statistics.samples_queried,
        statistics.total_time.as_secs_f64() * 1e3,
        statistics.peak_samples,
        written_size(statistics.peak_bytes),
        statistics.peak_samples_of_server,
    )
}
