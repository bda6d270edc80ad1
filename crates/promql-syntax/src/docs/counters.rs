//! Functions of how values change over a range.

use super::{NAME_GOES, RANGE_FLOATS_ONLY, document};

document! {
    Rate {
        "Per-second rate at which a counter increased over the range, on average."
        "Adds up the increases from sample to sample. A value below its predecessor means that the \
         counter was reset, so it counts as an increase from zero.\n\n\
         The samples rarely reach to the edges of the range, so the increase is extrapolated: to \
         an edge that is less than 1.1 times the average distance between samples away, and \
         otherwise by half of that distance, but never to where the counter would have been below \
         zero. This makes the rate of a counter of whole numbers fractional.\n\n\
         A range with fewer than two samples gives nothing. Make it at least twice as long as the \
         scrape interval, better four times, so that a missed scrape leaves no hole.\n\n\
         Apply `rate` to the counter itself and aggregate afterwards: a sum of counters hides \
         their resets. A metric whose name does not end in `_total`, `_sum`, `_count` or \
         `_bucket` gets an information, since it may not be a counter."
        labels: NAME_GOES,
        histograms: "Native histograms give native histograms, bucket by bucket, as gauges. Where \
            the range holds both floats and histograms there is no result, with a warning.",
        example: "sum by (job) (rate(http_requests_total[5m]))"
            => "Requests per second for each job, averaged over the last five minutes."
    }
    Increase {
        "How much a counter increased over the range."
        "The same as `rate` multiplied by the length of the range in seconds: resets are \
         recognised, and the increase is extrapolated to the edges of the range. Therefore it is \
         seldom a whole number, even if the counter only counts whole things.\n\n\
         A range with fewer than two samples gives nothing, so the first increase of a series that \
         begins with a value above zero is not seen."
        labels: NAME_GOES,
        histograms: "Native histograms give native histograms, bucket by bucket, as gauges. Where \
            the range holds both floats and histograms there is no result, with a warning.",
        example: "increase(job_failures_total[1h]) > 0"
            => "The jobs that failed in the last hour, with the number of failures."
    }
    Irate {
        "Per-second rate of a counter between the last two samples of the range."
        "The range only says how far to look back for these two samples; nothing is extrapolated. \
         When the last value is below the one before, the counter was reset and the last value is \
         the increase.\n\n\
         It follows short peaks, which suits a graph at high resolution. For alerts use `rate`: \
         one quiet pair of samples is enough to make `irate` forget everything before. Fewer than \
         two samples give nothing."
        labels: NAME_GOES,
        histograms: "Two native histograms give the difference per second as a histogram. A float \
            and a histogram give nothing, with a warning.",
        example: "irate(node_network_receive_bytes_total[2m])"
            => "Bytes per second between the two newest scrapes of the last two minutes."
    }
    Delta {
        "Difference between the first and the last value of a gauge over the range, extrapolated."
        "The difference is extrapolated to the edges of the range as `rate` does it, but a value \
         may fall, and nothing keeps it above zero. A range with fewer than two samples gives \
         nothing. For counters use `increase`, which knows resets."
        labels: NAME_GOES,
        histograms: "Native histograms that are gauges give their difference; others do so with a \
            warning. Where the range holds both floats and histograms there is no result, with a \
            warning.",
        example: "delta(cpu_temperature_celsius[2h])"
            => "How much warmer it is than two hours ago. Negative if it got colder."
    }
    Idelta {
        "Difference between the last two samples of a gauge in the range."
        "The range only says how far to look back. Nothing is extrapolated. Fewer than two samples \
         give nothing."
        labels: NAME_GOES,
        histograms: "Two native histograms give their difference, with a warning if they are no \
            gauges. A float and a histogram give nothing, with a warning.",
        example: "idelta(queue_length[5m])"
            => "How much the queue grew between the two newest scrapes."
    }
    Deriv {
        "Per-second slope of a gauge over the range, by linear regression."
        "Fits a straight line to all samples of the range by least squares. Unlike `delta`, which \
         looks at the first and the last sample only, it is not thrown off by one outlier at an \
         edge. Fewer than two floats give nothing; infinities and NaN in the range give NaN.\n\n\
         It is for gauges: a counter's resets look like steep falls."
        labels: NAME_GOES,
        histograms: RANGE_FLOATS_ONLY,
        example: "deriv(node_filesystem_avail_bytes[1h]) < 0"
            => "The file systems that are filling up, with the bytes they lose in a second."
    }
    PredictLinear {
        "Value that a gauge will have so many seconds from now, by linear regression."
        "Fits a straight line to the samples of the range, as `deriv` does, and follows it for \
         `seconds` after the evaluation time. With `offset` or `@` the samples are older, but the \
         prediction still counts from the evaluation time. Fewer than two floats give nothing.\n\n\
         The range should be long enough for the trend to show: an hour of samples says little \
         about next week."
        labels: NAME_GOES,
        histograms: RANGE_FLOATS_ONLY,
        example: "predict_linear(node_filesystem_avail_bytes[6h], 4 * 3600) < 0"
            => "The file systems that will be full in four hours if things go on as in the last six."
    }
    DoubleExponentialSmoothing {
        "Value of a gauge, smoothed over the range by Holt's linear method."
        "Recent samples weigh more than old ones. A smoothing factor near 0 holds on to old \
         values, one near 1 follows the newest; a trend factor near 1 follows changes of the trend \
         quickly. Both have to lie between 0 and 1, the bounds excluded, or the query fails. Fewer \
         than two floats give nothing.\n\n\
         It is for gauges. Up to Prometheus 2 the function was called `holt_winters`."
        labels: NAME_GOES,
        histograms: RANGE_FLOATS_ONLY,
        example: "double_exponential_smoothing(queue_length[30m], 0.3, 0.1)"
            => "The length of the queue without its short-lived peaks."
        since: "3.0"
    }
    Resets {
        "How often a counter was reset within the range."
        "Counts the samples that are below their predecessor. A range with one sample gives 0; a \
         series without samples gives nothing. On a gauge it counts every decrease."
        labels: NAME_GOES,
        histograms: "A reset of a native histogram is found by its buckets and counts, or by its \
            reset hint. A change from float to histogram or back counts as a reset.",
        example: "resets(process_cpu_seconds_total[1d])"
            => "How often each process was restarted in a day."
    }
    Changes {
        "How often a value changed within the range."
        "Counts the samples that differ from their predecessor. NaN after NaN is no change. A \
         range with one sample gives 0; a series without samples gives nothing."
        labels: NAME_GOES,
        histograms: "Native histograms are compared as a whole. A change from float to histogram or \
            back counts.",
        example: "changes(process_start_time_seconds[1h]) > 2"
            => "The processes that were restarted more than twice in an hour."
    }
}
