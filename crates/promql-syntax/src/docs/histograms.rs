//! Functions of histograms.

use super::{NAME_GOES, document};

const NATIVE_ONLY: &str = "Only native histograms have a result. Floats, the buckets of classic \
    histograms among them, are left out without notice.";
const BOTH: &str = "Native histograms are evaluated as they are, one result each. Floats are taken \
    as the buckets of classic histograms, of which the label `le` is the upper bound; a float \
    without a valid `le` is left out with a warning. If a native and a classic histogram have the \
    same labels both are left out with a warning.";
const LE_GOES: &str = "The metric name goes. Of classic histograms the label `le` goes too, since \
    all buckets together give one element.";

document! {
    HistogramQuantile {
        "Estimates a quantile of the observations in a histogram."
        "Finds the bucket that the quantile falls into and interpolates within it, linearly for \
         classic histograms, exponentially in the buckets of native ones with a standard schema. \
         The error can be as large as the bucket is wide.\n\n\
         Counters that were counting for long say little about now: use `rate` first. When \
         aggregating classic histograms keep the label: `sum by (le) (…)`. A classic histogram \
         needs a bucket `le=\"+Inf\"`; a quantile that falls into it gives the largest finite \
         bound. No observations give NaN. A quantile below 0 gives -Inf, one above 1 +Inf, NaN \
         gives NaN, each with a warning. Buckets whose counts decrease are repaired with an \
         information."
        labels: LE_GOES,
        histograms: BOTH,
        example: "histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))"
            => "The duration that one in a hundred of the last five minutes' requests exceeded."
    }
    HistogramQuantiles {
        "Estimates several quantiles at once, one element for each."
        "Takes from one to ten quantiles, each as `histogram_quantile` does it. The name of the \
         label that tells them apart comes second; a value is written as `0.5` or `0.99`. The same \
         quantile twice makes the query fail, since two elements would have the same labels."
        labels: "As with `histogram_quantile`; the given label is set to the quantile.",
        histograms: BOTH,
        example: "histogram_quantiles(rate(http_request_duration_seconds[5m]), \"quantile\", 0.5, 0.9, 0.99)"
            => "Three elements for each series, with `quantile=\"0.5\"`, `\"0.9\"` and `\"0.99\"`."
        since: "3.6 or later"
    }
    HistogramFraction {
        "Estimates the fraction of observations between two values."
        "From 0 to 1: the counterpart of `histogram_quantile`, with the same interpolation and the \
         same errors. It is exact where the bounds are bounds of buckets. A lower bound at or above \
         the upper one gives 0, no observations or NaN as a bound give NaN."
        labels: LE_GOES,
        histograms: BOTH,
        example: "histogram_fraction(0, 0.2, rate(http_request_duration_seconds[1h]))"
            => "The fraction of the last hour's requests that took up to 200 ms."
        since: "2.40"
    }
    HistogramCount {
        "Number of observations in a native histogram."
        "Applied to a rate it is the rate of observations. For classic histograms use the series \
         whose name ends in `_count`."
        labels: NAME_GOES,
        histograms: NATIVE_ONLY,
        example: "histogram_count(rate(http_request_duration_seconds[5m]))"
            => "Requests per second."
        since: "2.40"
    }
    HistogramSum {
        "Sum of the observations in a native histogram."
        "For classic histograms use the series whose name ends in `_sum`."
        labels: NAME_GOES,
        histograms: NATIVE_ONLY,
        example: "histogram_sum(rate(http_response_size_bytes[5m]))"
            => "Bytes sent per second."
        since: "2.40"
    }
    HistogramAvg {
        "Mean of the observations in a native histogram."
        "The sum divided by the count; NaN without observations. It is exact, unlike estimates from \
         buckets."
        labels: NAME_GOES,
        histograms: NATIVE_ONLY,
        example: "histogram_avg(rate(http_request_duration_seconds[5m]))"
            => "The mean duration of the last five minutes' requests."
    }
    HistogramStddev {
        "Estimates the standard deviation of the observations in a native histogram."
        "Each observation is taken to lie in the middle of its bucket: the geometric mean of the \
         bounds, 0 in a bucket that holds 0, and the arithmetic mean with custom bounds. NaN \
         without observations."
        labels: NAME_GOES,
        histograms: NATIVE_ONLY,
        example: "histogram_stddev(rate(http_request_duration_seconds[5m]))"
            => "How much the durations of the requests spread."
    }
    HistogramStdvar {
        "Estimates the variance of the observations in a native histogram."
        "The square of what `histogram_stddev` gives."
        labels: NAME_GOES,
        histograms: NATIVE_ONLY,
        example: "histogram_stdvar(rate(http_request_duration_seconds[5m]))"
            => "The variance of the durations of the requests."
    }
}
