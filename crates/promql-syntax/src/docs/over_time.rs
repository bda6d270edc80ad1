//! Functions that aggregate the samples of a range, series by series.

use super::{NAME_GOES, RANGE_FLOATS_ONLY, document};

const SUMMED: &str = "A range of native histograms gives a native histogram. Where the range holds \
    both floats and histograms there is no result, with a warning.";
const COUNTED: &str = "Native histograms count like floats.";

document! {
    AvgOverTime {
        "Mean of the samples in the range."
        "Every sample weighs the same, however long it was until the next. A NaN among them makes \
         the result NaN. A series without samples in the range gives nothing."
        labels: NAME_GOES,
        histograms: SUMMED,
        example: "avg_over_time(node_load1[1h])"
            => "The average load of the last hour."
    }
    SumOverTime {
        "Sum of the samples in the range."
        "The sum grows with the number of samples, so it depends on the scrape interval. It suits \
         series in which each sample is an amount of its own, and it is no way to count what a \
         counter counted: that is `increase`. A series without samples in the range gives nothing."
        labels: NAME_GOES,
        histograms: SUMMED,
        example: "sum_over_time(batch_rows_processed[1d])"
            => "All rows of the day, if the metric holds the rows of one batch in each sample."
    }
    MinOverTime {
        "Smallest sample in the range."
        "NaN is only the result when all samples are NaN. A series without samples in the range \
         gives nothing."
        labels: NAME_GOES,
        histograms: RANGE_FLOATS_ONLY,
        example: "min_over_time(up[10m]) == 0"
            => "The targets that failed at least one scrape in the last ten minutes."
    }
    MaxOverTime {
        "Largest sample in the range."
        "NaN is only the result when all samples are NaN. A series without samples in the range \
         gives nothing. Peaks between two scrapes are not seen."
        labels: NAME_GOES,
        histograms: RANGE_FLOATS_ONLY,
        example: "max_over_time(rate(http_requests_total[5m])[1d:5m])"
            => "The busiest five minutes of the day, in requests per second."
    }
    CountOverTime {
        "Number of samples in the range."
        "The end of a series leaves a marker which is not counted. A series without samples in the \
         range gives nothing, not 0."
        labels: NAME_GOES,
        histograms: COUNTED,
        example: "count_over_time(up[1h]) < 55"
            => "The targets, scraped each minute, for which more than five scrapes are missing."
    }
    LastOverTime {
        "Newest sample in the range."
        "Like an instant-vector selector, but looks back as far as the range and past the marker \
         that ends a series: a series that ended within the range is still there. Where a series \
         has no samples in the range there is nothing."
        labels: "All labels stay, the metric name too.",
        histograms: "A native histogram is returned unchanged if it is the newest sample.",
        example: "last_over_time(backup_duration_seconds[1d])"
            => "The duration of the last backup, even if its job ended hours ago."
        since: "2.26"
    }
    FirstOverTime {
        "Oldest sample in the range."
        "A series without samples in the range gives nothing."
        labels: "All labels stay, the metric name too.",
        histograms: "A native histogram is returned unchanged if it is the oldest sample.",
        example: "first_over_time(disk_used_bytes[1d])"
            => "How much was used at the first scrape of the last 24 hours."
        since: "3.7, stable since 3.14"
    }
    PresentOverTime {
        "1 for every series that has samples in the range."
        "A series without samples in the range gives nothing."
        labels: NAME_GOES,
        histograms: COUNTED,
        example: "count(present_over_time(kube_pod_info[1d]))"
            => "How many pods there were within a day, the short-lived ones included."
        since: "2.29"
    }
    AbsentOverTime {
        "1 where no series has a sample in the range, nothing otherwise."
        "Made for alerts on something that should be there. Unlike `absent` it tolerates gaps \
         that are shorter than the range."
        labels: "The result has the labels that the selector fixes with `=` and a value, if it is \
            a selector. A label that several matchers name is left out, and so is the metric name. \
            For a subquery there are no labels.",
        histograms: "Native histograms count as present.",
        example: "absent_over_time(up{job=\"api\"}[10m])"
            => "An element `{job=\"api\"}` when the job has not been scraped for ten minutes."
        since: "2.16"
    }
    QuantileOverTime {
        "Quantile of the samples in the range."
        "0 gives the smallest sample, 0.5 the median, 1 the largest; between two samples it \
         interpolates linearly. A quantile below 0 gives -Inf, one above 1 +Inf, NaN gives NaN, \
         each with a warning. NaN among the samples counts as the smallest. A series without \
         floats in the range gives nothing."
        labels: NAME_GOES,
        histograms: RANGE_FLOATS_ONLY,
        example: "quantile_over_time(0.95, queue_length[1h])"
            => "The length that the queue exceeded in five percent of the last hour's scrapes."
    }
    StddevOverTime {
        "Standard deviation of the samples in the range."
        "That of the whole population, so one sample gives 0. NaN or an infinity among the samples \
         makes the result NaN. A series without floats in the range gives nothing."
        labels: NAME_GOES,
        histograms: RANGE_FLOATS_ONLY,
        example: "(node_load1 - avg_over_time(node_load1[1d])) / stddev_over_time(node_load1[1d]) > 3"
            => "The machines whose load is more than three standard deviations above the day's mean."
    }
    StdvarOverTime {
        "Variance of the samples in the range."
        "The square of what `stddev_over_time` gives: that of the whole population, so one sample \
         gives 0. A series without floats in the range gives nothing."
        labels: NAME_GOES,
        histograms: RANGE_FLOATS_ONLY,
        example: "stdvar_over_time(room_temperature_celsius[1d])"
            => "How much the temperature varied in a day."
    }
    MadOverTime {
        "Median absolute deviation of the samples in the range."
        "The median of the distances from the median: a measure of spread that outliers hardly \
         move. A NaN among the samples makes the result NaN. A series without floats in the range \
         gives nothing."
        labels: NAME_GOES,
        histograms: RANGE_FLOATS_ONLY,
        example: "mad_over_time(probe_duration_seconds[1h])"
            => "How much the duration of probes usually deviates from its median."
        since: "2.49"
    }
    TsOfFirstOverTime {
        "Time of the oldest sample in the range."
        "In seconds since 1970, as a float. A series without samples in the range gives nothing."
        labels: NAME_GOES,
        histograms: COUNTED,
        example: "time() - ts_of_first_over_time(up[1d])"
            => "For how many of the last day's seconds each target has been known."
        since: "3.7"
    }
    TsOfLastOverTime {
        "Time of the newest sample in the range."
        "In seconds since 1970, as a float. A series without samples in the range gives nothing."
        labels: NAME_GOES,
        histograms: COUNTED,
        example: "time() - ts_of_last_over_time(backup_success[7d]) > 86400"
            => "The backups that have reported nothing for more than a day."
        since: "3.5"
    }
    TsOfMaxOverTime {
        "Time of the largest sample in the range."
        "In seconds since 1970, as a float. Of several equal samples the last one counts. NaN only \
         counts when all samples are NaN. A series without floats in the range gives nothing."
        labels: NAME_GOES,
        histograms: RANGE_FLOATS_ONLY,
        example: "hour(ts_of_max_over_time(node_load1[1d]))"
            => "The hour of the day, in UTC, in which the load was highest."
        since: "3.5"
    }
    TsOfMinOverTime {
        "Time of the smallest sample in the range."
        "In seconds since 1970, as a float. Of several equal samples the last one counts. NaN only \
         counts when all samples are NaN. A series without floats in the range gives nothing."
        labels: NAME_GOES,
        histograms: RANGE_FLOATS_ONLY,
        example: "ts_of_min_over_time(node_memory_MemAvailable_bytes[1d])"
            => "When memory was scarcest."
        since: "3.5"
    }
}
