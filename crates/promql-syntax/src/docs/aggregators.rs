//! Aggregation operators.

use super::document;

const GROUPED: &str = "Only the labels of `by (…)` stay, or all but those of `without (…)` and the \
    metric name. Without either there is one group without labels.";
const ELEMENTS_STAY: &str = "The elements keep all labels and the metric name. `by` and `without` \
    only say what the groups are.";
const IGNORED: &str = "Native histograms are left out with an information. A group of nothing else \
    gives nothing.";
const SUMMED: &str = "Groups of native histograms give native histograms. A group with both floats \
    and histograms gives nothing, with a warning.";

document! {
    Sum {
        "Sum of each group."
        "Nothing gives nothing, not 0. One NaN makes the sum NaN. Small values are not lost next to \
         large ones: the sum is compensated.\n\n\
         Take the rate of counters before summing them: a sum hides when one of them was reset."
        labels: GROUPED,
        histograms: SUMMED,
        example: "sum without (instance) (rate(http_requests_total[5m]))"
            => "Requests per second, over all instances that have the other labels in common."
    }
    Avg {
        "Mean of each group."
        "Every element weighs the same: the mean of ratios is not the ratio of sums. One NaN makes \
         the mean NaN. Values whose sum would overflow are averaged all the same."
        labels: GROUPED,
        histograms: SUMMED,
        example: "avg by (mode) (rate(node_cpu_seconds_total[5m]))"
            => "How much time a CPU spends in each mode, averaged over all CPUs."
    }
    Min {
        "Smallest value of each group."
        "NaN only if all values are NaN."
        labels: GROUPED,
        histograms: IGNORED,
        example: "min by (cluster) (up)"
            => "0 for each cluster in which a target is down."
    }
    Max {
        "Largest value of each group."
        "NaN only if all values are NaN."
        labels: GROUPED,
        histograms: IGNORED,
        example: "max without (instance) (node_load1)"
            => "The highest load among machines that have all other labels in common."
    }
    Count {
        "Number of elements in each group."
        "Values don't matter, NaN counts too. Nothing gives nothing, not 0. To count what a \
         condition holds for, count a comparison: `count(x > 1)`."
        labels: GROUPED,
        histograms: "Native histograms count like floats.",
        example: "count by (job) (up == 0)"
            => "How many targets of each job are down. Jobs without any are not listed."
    }
    Group {
        "1 for each group."
        "Values don't matter. It lists which combinations of labels there are, for a join or for \
         the values of a variable in a dashboard."
        labels: GROUPED,
        histograms: "Native histograms count like floats.",
        example: "group by (namespace) (kube_pod_info)"
            => "One element for each namespace that has pods."
        since: "2.20"
    }
    Stddev {
        "Standard deviation of each group."
        "That of the whole population: a group of one element gives 0. NaN or an infinity gives \
         NaN."
        labels: GROUPED,
        histograms: IGNORED,
        example: "stddev by (job) (process_resident_memory_bytes)"
            => "How differently much memory the processes of a job take."
    }
    Stdvar {
        "Variance of each group."
        "The square of what `stddev` gives. That of the whole population: a group of one element \
         gives 0."
        labels: GROUPED,
        histograms: IGNORED,
        example: "stdvar by (job) (process_open_fds)"
            => "How much the numbers of open files vary within a job."
    }
    Topk {
        "The k elements of each group with the largest values."
        "NaN only takes part when there are not enough numbers. k is cut to a whole number; below 1 \
         nothing is left. In an instant query without `by` and `without` the elements come in \
         descending order.\n\n\
         In a range query each step chooses anew, so a graph can show many more than k series. Of \
         equal values at the limit it is not said which stay."
        labels: ELEMENTS_STAY,
        histograms: IGNORED,
        example: "topk(5, sum by (job) (rate(http_requests_total[5m])))"
            => "The five busiest jobs."
    }
    Bottomk {
        "The k elements of each group with the smallest values."
        "NaN only takes part when there are not enough numbers. k is cut to a whole number; below 1 \
         nothing is left. In an instant query without `by` and `without` the elements come in \
         ascending order.\n\n\
         In a range query each step chooses anew, so a graph can show many more than k series. Of \
         equal values at the limit it is not said which stay."
        labels: ELEMENTS_STAY,
        histograms: IGNORED,
        example: "bottomk(3, node_filesystem_avail_bytes)"
            => "The three file systems with the least space left."
    }
    Quantile {
        "Quantile of each group."
        "Over the elements of a group at one time, unlike `quantile_over_time`; 0.5 is the median. \
         Between two values it interpolates linearly, and NaN counts as the smallest. A quantile \
         below 0 gives -Inf, one above 1 +Inf, NaN gives NaN, each with a warning.\n\n\
         It is not for histograms: a quantile of observations is `histogram_quantile`, and \
         quantiles that were computed elsewhere can't be aggregated."
        labels: GROUPED,
        histograms: IGNORED,
        example: "quantile by (job) (0.9, process_resident_memory_bytes)"
            => "The memory that one in ten processes of a job exceeds."
    }
    CountValues {
        "Number of elements for each value that occurs, with the value as a label."
        "The label is the first argument; it replaces one of that name. The value is written \
         without exponent. It suits values that repeat, such as versions and states; a measured \
         value gives an element for nearly each series."
        labels: "Each group is divided further by value: the labels of the group and the given \
            label.",
        histograms: "The value of a native histogram is its text.",
        example: "count_values(\"replicas\", kube_deployment_spec_replicas)"
            => "How many deployments there are for each number of replicas."
    }
    Limitk {
        "Some k elements of each group, whichever they are."
        "A sample of a large result. k is cut to a whole number; below 1 nothing is left. Which \
         elements stay does not depend on their values, and repeated queries give the same ones."
        labels: ELEMENTS_STAY,
        histograms: "Native histograms are elements like any other.",
        example: "limitk by (job) (2, up)"
            => "Two targets of each job."
        since: "2.54"
    }
    LimitRatio {
        "About this ratio of a vector's elements, chosen by their labels."
        "An element stays or goes because of a hash of its labels, so the same elements stay at \
         every step and in every query. A negative ratio gives those that the positive one would \
         leave out: `limit_ratio(0.1, x)` and `limit_ratio(-0.9, x)` together are `x`. Beyond -1 \
         and 1 there is a warning; NaN makes the query fail."
        labels: ELEMENTS_STAY,
        histograms: "Native histograms are elements like any other.",
        example: "limit_ratio(0.1, http_requests_total)"
            => "A tenth of the series, roughly."
        since: "2.54"
    }
}
