//! Functions of labels, of order and of absence.

use super::document;

const ANY: &str = "Native histograms are passed on unchanged.";

document! {
    LabelReplace {
        "Sets a label from another one by a regular expression."
        "Where the regular expression matches the whole value of the source label, the destination \
         label is set to the replacement, in which `$1` or `$name` stand for groups of the match; \
         other elements stay as they are. A source label that is not there counts as empty. An \
         empty result removes the destination label.\n\n\
         The query fails if two elements end up with the same labels, or if the regular expression \
         or the destination's name is not valid."
        labels: "Only the destination label changes. The metric name stays, and can be changed as \
            `__name__`.",
        histograms: ANY,
        example: "label_replace(up, \"host\", \"$1\", \"instance\", \"(.*):[0-9]+\")"
            => "`up` with a label `host` that is `instance` without its port."
    }
    LabelJoin {
        "Sets a label to the values of other labels, joined by a separator."
        "A source label that is not there counts as empty, but its separator is written. Without \
         source labels, or where the result is empty, the destination label is removed. The query \
         fails if two elements end up with the same labels."
        labels: "Only the destination label changes. The metric name stays.",
        histograms: ANY,
        example: "label_join(kube_pod_info, \"pod_path\", \"/\", \"namespace\", \"pod\")"
            => "The series with a label such as `pod_path=\"default/web-1\"`."
    }
    Info {
        "Adds labels of info metrics, such as `target_info`, to the elements of a vector."
        "Each element gets the labels of the info series that has the same `instance` and `job`. \
         The second argument is no vector but label matchers in braces: they choose the info \
         metrics by `__name__` (`target_info` if they don't name one) and say which labels to add; \
         without them all labels are added. Labels that an element already has are kept.\n\n\
         An element without a matching info series stays as it is, unless a matcher demands a \
         label that is not empty; then it is dropped. Two info metrics that disagree about a label \
         make the query fail."
        labels: "The metric name and all labels stay; labels are added.",
        histograms: "Native histograms in the vector are passed on with the added labels. An info \
            series that is a native histogram makes the query fail.",
        example: "info(rate(http_requests_total[5m]), {k8s_cluster_name=~\".+\"})"
            => "The rates with the label `k8s_cluster_name`, where the target has one."
        since: "3.0"
    }
    Sort {
        "Elements in ascending order of their values."
        "NaN comes last. Only an instant query has an order: in a range query results are ordered \
         by labels, and there is a warning."
        labels: "All labels stay, the metric name too.",
        histograms: "Elements that are native histograms are left out without notice.",
        example: "sort(count by (job) (up))"
            => "The jobs, those with the fewest targets first."
    }
    SortDesc {
        "Elements in descending order of their values."
        "NaN comes last here too. Only an instant query has an order: in a range query results are \
         ordered by labels, and there is a warning."
        labels: "All labels stay, the metric name too.",
        histograms: "Elements that are native histograms are left out without notice.",
        example: "sort_desc(sum by (job) (rate(http_requests_total[5m])))"
            => "The jobs, the busiest first."
    }
    SortByLabel {
        "Elements in the order of the values of some labels."
        "The first label counts most; what is left is ordered by all labels. The order is natural: \
         numbers within the values are compared as numbers, so `node2` comes before `node10`. Only \
         an instant query has an order: in a range query there is a warning."
        labels: "All labels stay, the metric name too.",
        histograms: ANY,
        example: "sort_by_label(up, \"job\", \"instance\")"
            => "The targets by job, and within a job by instance."
        since: "2.49"
    }
    SortByLabelDesc {
        "Elements in the reversed order of the values of some labels."
        "As `sort_by_label`, with the last element first. Only an instant query has an order: in a \
         range query there is a warning."
        labels: "All labels stay, the metric name too.",
        histograms: ANY,
        example: "sort_by_label_desc(kube_node_info, \"kubelet_version\")"
            => "The nodes, those with the newest version first."
        since: "2.49"
    }
    Absent {
        "1 if a vector has no elements, nothing otherwise."
        "Made for alerts on series that should be there. For series with gaps `absent_over_time` \
         is the better choice. It says nothing about single series: as long as one is left, the \
         vector is not empty."
        labels: "The result has the labels that the selector fixes with `=` and a value, if the \
            argument is a selector. A label that several matchers name is left out, and so is the \
            metric name. For other expressions there are no labels.",
        histograms: "Native histograms count as elements.",
        example: "absent(up{job=\"api\"})"
            => "An element `{job=\"api\"}` when no target of the job is known."
    }
}
