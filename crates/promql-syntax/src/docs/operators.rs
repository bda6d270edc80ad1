//! Binary operators, and the words that modify operators, selectors and aggregations.

use super::{Documentation, document};

const RESULT_LABELS: &str = "Between a vector and a scalar all labels stay and the metric name goes. \
    Between two vectors the result has the labels that matched: those of `on (…)`, or all but those \
    of `ignoring (…)` and the metric name.";
const FILTER_LABELS: &str = "As a filter, elements keep their labels and the metric name; between \
    two vectors with `on (…)` only its labels stay. With `bool` the metric name goes.";
const SET_LABELS: &str = "Elements keep their labels and the metric name. They match if all labels \
    but the metric name are equal, or as `on (…)` and `ignoring (…)` say.";
const NO_HISTOGRAMS: &str = "For native histograms there is no such operation: the pair gives \
    nothing, with an information.";
const NO_ORDER: &str = "Native histograms have no order: the pair gives nothing, with an \
    information.";
const SET_HISTOGRAMS: &str = "Native histograms are elements like any other.";
const MODIFIER: &str = "Native histograms are treated like floats.";
const MATCHED: &str = "Says which labels are compared; the result's labels follow from that.";
const STAY: &str = "Labels and the metric name stay.";

/// An operator or a word of the language that is neither a function nor an aggregation operator.
#[derive(Debug)]
pub struct KeywordInfo {
    /// How it is written.
    pub symbol: &'static str,
    /// What there is to say about it.
    pub documentation: &'static Documentation,
}

/// The row of an operator or a word. Words are found in any case.
///
/// ```
/// assert!(promql_syntax::docs::keyword("OFFSET").is_some());
/// assert!(promql_syntax::docs::keyword("rate").is_none());
/// ```
pub fn keyword(symbol: &str) -> Option<&'static KeywordInfo> {
    OPERATORS_AND_KEYWORDS.iter().find(|row| row.symbol.eq_ignore_ascii_case(symbol))
}

macro_rules! rows {
    ($($symbol:literal $variant:ident,)*) => {
        /// All binary operators, in the order of [`crate::ast::BinaryOp`], and then the words that
        /// modify something.
        pub static OPERATORS_AND_KEYWORDS: &[KeywordInfo] =
            &[$(KeywordInfo { symbol: $symbol, documentation: &$variant },)*];
    };
}

rows! {
    "+" Add,
    "-" Sub,
    "*" Mul,
    "/" Div,
    "%" Mod,
    "^" Pow,
    "atan2" Atan2,
    "==" Eq,
    "!=" Ne,
    "<" Lt,
    "<=" Le,
    ">" Gt,
    ">=" Ge,
    "</" TrimUpper,
    ">/" TrimLower,
    "and" And,
    "or" Or,
    "unless" Unless,
    "bool" Bool,
    "on" On,
    "ignoring" Ignoring,
    "group_left" GroupLeft,
    "group_right" GroupRight,
    "fill" Fill,
    "fill_left" FillLeft,
    "fill_right" FillRight,
    "by" By,
    "without" Without,
    "offset" Offset,
    "@" At,
    "anchored" Anchored,
    "smoothed" Smoothed,
}

impl crate::ast::BinaryOp {
    /// What there is to say about the operator.
    pub fn documentation(self) -> &'static Documentation {
        OPERATORS_AND_KEYWORDS[self as usize].documentation
    }
}

document! {
    Add {
        "Addition."
        "Between two vectors, elements are added that have the same labels; what has no partner is \
         left out. In front of an operand `+` changes nothing."
        labels: RESULT_LABELS,
        histograms: "Two native histograms are added bucket by bucket.",
        example: "node_memory_Buffers_bytes + node_memory_Cached_bytes"
            => "The memory that the kernel could give back, for each machine."
    }
    Sub {
        "Subtraction."
        "Between two vectors, elements are subtracted that have the same labels; what has no \
         partner is left out. In front of an operand `-` negates all values and the metric name \
         goes; it binds less tightly than `^`, so `-2 ^ 2` is -4."
        labels: RESULT_LABELS,
        histograms: "Two native histograms are subtracted bucket by bucket, which gives a gauge.",
        example: "node_filesystem_size_bytes - node_filesystem_avail_bytes"
            => "The space in use."
    }
    Mul {
        "Multiplication."
        "Multiplying by an info metric with the value 1 is the usual way to bring its labels in: \
         see `group_left`."
        labels: RESULT_LABELS,
        histograms: "A native histogram can be multiplied by a float, which scales all its buckets. \
            Two histograms give nothing, with an information.",
        example: "process_cpu_seconds_total * 1000"
            => "The CPU time in milliseconds."
    }
    Div {
        "Division."
        "Division by zero gives an infinity, or NaN for 0 / 0, and is no error. Both sides of a \
         ratio have to have the same labels: aggregate them alike."
        labels: RESULT_LABELS,
        histograms: "A native histogram can be divided by a float, which scales all its buckets. A \
            histogram as the divisor gives nothing, with an information.",
        example: "sum(rate(http_requests_total{code=~\"5..\"}[5m])) / sum(rate(http_requests_total[5m]))"
            => "The ratio of requests that failed."
    }
    Mod {
        "Remainder of a division."
        "It has the sign of the dividend: -5 % 3 is -2. Fractions have a remainder too. A divisor \
         of 0 gives NaN."
        labels: RESULT_LABELS,
        histograms: NO_HISTOGRAMS,
        example: "time() % 86400"
            => "The seconds since midnight, UTC."
    }
    Pow {
        "Power."
        "Binds most tightly and to the right: `2 ^ 3 ^ 2` is 2 to the ninth, `-2 ^ 2` is -4. A \
         negative base with a fractional exponent gives NaN."
        labels: RESULT_LABELS,
        histograms: NO_HISTOGRAMS,
        example: "2 ^ 30"
            => "The bytes of a gibibyte."
    }
    Atan2 {
        "Angle of the point whose coordinates are y on the left and x on the right, in radians."
        "From -π to π, in the right quadrant. It binds like multiplication."
        labels: RESULT_LABELS,
        histograms: NO_HISTOGRAMS,
        example: "wind_east_speed atan2 wind_north_speed"
            => "The direction of the wind, clockwise from north."
        since: "2.31"
    }
    Eq {
        "Keeps what is equal."
        "A filter: elements of the left side stay, with their values, where the comparison holds. \
         With `bool`, and always between two scalars, the result is 1 or 0. NaN equals nothing. \
         Comparing computed floats for equality seldom works."
        labels: FILTER_LABELS,
        histograms: "Native histograms can be compared with each other as a whole.",
        example: "up == 0"
            => "The targets that could not be scraped."
    }
    Ne {
        "Keeps what is not equal."
        "A filter: elements of the left side stay, with their values, where the comparison holds. \
         With `bool`, and always between two scalars, the result is 1 or 0. NaN differs from \
         everything, also from NaN."
        labels: FILTER_LABELS,
        histograms: "Native histograms can be compared with each other as a whole.",
        example: "kube_deployment_spec_replicas != kube_deployment_status_replicas_available"
            => "The deployments that lack replicas or have too many."
    }
    Lt {
        "Keeps what is smaller."
        "A filter: elements of the left side stay, with their values, where the comparison holds; \
         between a scalar and a vector the vector's elements. With `bool`, and always between two \
         scalars, the result is 1 or 0. With NaN it never holds."
        labels: FILTER_LABELS,
        histograms: NO_ORDER,
        example: "node_filesystem_avail_bytes / node_filesystem_size_bytes < 0.1"
            => "The file systems with less than ten percent left, with the ratio."
    }
    Le {
        "Keeps what is smaller or equal."
        "A filter: elements of the left side stay, with their values, where the comparison holds; \
         between a scalar and a vector the vector's elements. With `bool`, and always between two \
         scalars, the result is 1 or 0. With NaN it never holds."
        labels: FILTER_LABELS,
        histograms: NO_ORDER,
        example: "count by (job) (up) <= 1"
            => "The jobs with a single target."
    }
    Gt {
        "Keeps what is larger."
        "A filter: elements of the left side stay, with their values, where the comparison holds; \
         between a scalar and a vector the vector's elements. With `bool`, and always between two \
         scalars, the result is 1 or 0. With NaN it never holds."
        labels: FILTER_LABELS,
        histograms: NO_ORDER,
        example: "node_load1 > 10"
            => "The machines with a high load, and the load."
    }
    Ge {
        "Keeps what is larger or equal."
        "A filter: elements of the left side stay, with their values, where the comparison holds; \
         between a scalar and a vector the vector's elements. With `bool`, and always between two \
         scalars, the result is 1 or 0. With NaN it never holds."
        labels: FILTER_LABELS,
        histograms: NO_ORDER,
        example: "process_open_fds / process_max_fds >= 0.8"
            => "The processes that have used up most of their file descriptors."
    }
    TrimUpper {
        "Cuts off the observations of native histograms that lie above a value."
        "The bucket that holds the value is cut by interpolation. Binds like a comparison, but \
         takes no `bool`."
        labels: "Labels and the metric name stay; between two vectors with `on (…)` only its labels \
            stay.",
        histograms: "The left side has to be a native histogram and the right side a float; else \
            the pair gives nothing, with an information.",
        example: "histogram_avg(rate(http_request_duration_seconds[5m]) </ 10)"
            => "The mean duration of requests, without those above ten seconds."
        since: "3.6 or later"
    }
    TrimLower {
        "Cuts off the observations of native histograms that lie below a value."
        "The bucket that holds the value is cut by interpolation. Binds like a comparison, but \
         takes no `bool`."
        labels: "Labels and the metric name stay; between two vectors with `on (…)` only its labels \
            stay.",
        histograms: "The left side has to be a native histogram and the right side a float; else \
            the pair gives nothing, with an information.",
        example: "histogram_count(rate(http_request_duration_seconds[5m]) >/ 1)"
            => "The requests per second that took longer than one second."
        since: "3.6 or later"
    }
    And {
        "Elements of the left side that have a match on the right."
        "Values of the right side don't matter. Any number of elements may match. It is the way to \
         combine conditions of an alert; `on ()` makes the right side a condition for everything."
        labels: SET_LABELS,
        histograms: SET_HISTOGRAMS,
        example: "rate(errors_total[5m]) > 1 and on (instance) up == 1"
            => "Errors of those instances that could be scraped."
    }
    Or {
        "All elements of the left side, and those of the right that have no match on the left."
        "Binds least tightly. It fills in what is missing. The labels have to match for that: \
         `sum(x) or vector(0)` works because neither side has any; otherwise write \
         `x or on () vector(0)`."
        labels: SET_LABELS,
        histograms: SET_HISTOGRAMS,
        example: "node_memory_MemAvailable_bytes or node_memory_MemFree_bytes"
            => "The available memory; on old kernels, which don't tell it, the free memory."
    }
    Unless {
        "Elements of the left side that have no match on the right."
        "Values of the right side don't matter. It binds like `and`."
        labels: SET_LABELS,
        histograms: SET_HISTOGRAMS,
        example: "up == 0 unless on (instance) maintenance_mode == 1"
            => "The targets that are down and not under maintenance."
    }
    Bool {
        "Makes a comparison give 1 or 0 instead of filtering."
        "Stands behind the operator. Between two scalars it is required. Only for `==`, `!=`, `<`, \
         `<=`, `>` and `>=`."
        labels: "The metric name goes.",
        histograms: "`==` and `!=` of two native histograms give 1 or 0 as well.",
        example: "avg(up == bool 1)"
            => "The ratio of targets that are up."
    }
    On {
        "Lists the labels by which elements of two vectors match."
        "All other labels are ignored, and are gone from the result unless `group_left` or \
         `group_right` keeps them. With an empty list everything matches."
        labels: MATCHED,
        histograms: MODIFIER,
        example: "errors_total / on (instance) requests_total"
            => "The ratio for each instance."
    }
    Ignoring {
        "Lists the labels that don't count when elements of two vectors match."
        "All other labels have to be equal. The metric name never counts."
        labels: MATCHED,
        histograms: MODIFIER,
        example: "errors_total{code=\"500\"} / ignoring (code) requests_total"
            => "The ratio, although only the left side has the label `code`."
    }
    GroupLeft {
        "Lets many elements on the left match one on the right."
        "Stands behind `on (…)` or `ignoring (…)`. Its own list names labels that are copied from \
         the right side. The right side still has to have at most one element for each \
         combination, or the query fails."
        labels: "The result has all labels of the left side, and the listed ones of the right.",
        histograms: MODIFIER,
        example: "up * on (instance) group_left (version) build_info"
            => "`up` with a label `version` that comes from `build_info`, which is always 1."
    }
    GroupRight {
        "Lets many elements on the right match one on the left."
        "Stands behind `on (…)` or `ignoring (…)`. Its own list names labels that are copied from \
         the left side. The left side still has to have at most one element for each combination, \
         or the query fails."
        labels: "The result has all labels of the right side, and the listed ones of the left.",
        histograms: MODIFIER,
        example: "machine_info * on (machine) group_right (rack) node_load1"
            => "The load of each machine, with its rack."
    }
    Fill {
        "Gives a value to elements that are missing on one side of an operator."
        "An element without a match meets this value instead of being left out. Not for set \
         operators, and not where a side is a scalar."
        labels: "A result that was filled in has only the labels that were matched.",
        histograms: "The value is a float, which operates on native histograms as any float.",
        example: "errors_total + on (instance) fill (0) retries_total"
            => "The sum for each instance, also where one of the two does not exist."
        since: "3.6 or later"
    }
    FillLeft {
        "Gives a value to elements that are missing on the left of an operator."
        "As `fill`, for one side. Together with `fill_right` both sides can have values of their \
         own."
        labels: "A result that was filled in has only the labels that were matched.",
        histograms: "The value is a float, which operates on native histograms as any float.",
        example: "errors_total / on (instance) fill_left (0) requests_total"
            => "The ratio of errors, 0 for instances that have had none."
        since: "3.6 or later"
    }
    FillRight {
        "Gives a value to elements that are missing on the right of an operator."
        "As `fill`, for one side. Together with `fill_left` both sides can have values of their own."
        labels: "A result that was filled in has only the labels that were matched.",
        histograms: "The value is a float, which operates on native histograms as any float.",
        example: "queue_length > on (queue) fill_right (100) queue_limit"
            => "The queues above their limit, or above 100 if they have none."
        since: "3.6 or later"
    }
    By {
        "Lists the labels by which an aggregation makes its groups."
        "All other labels are gone from the result. Stands before or behind the parentheses. A \
         label that a series lacks counts as empty."
        labels: "Only the listed labels stay; the metric name too if `__name__` is listed.",
        histograms: MODIFIER,
        example: "sum by (job, instance) (rate(http_requests_total[5m]))"
            => "Requests per second of each instance."
    }
    Without {
        "Lists the labels that an aggregation removes; the others make its groups."
        "Stands before or behind the parentheses. It keeps labels that nobody thought of when the \
         query was written."
        labels: "All labels stay but the listed ones and the metric name.",
        histograms: MODIFIER,
        example: "sum without (cpu) (rate(node_cpu_seconds_total[5m]))"
            => "The CPU time of each machine and mode, summed over its CPUs."
    }
    Offset {
        "Reads a selector or a subquery as it was so long ago."
        "Stands directly behind the selector. A negative offset looks ahead, which only gives \
         something where there are samples already. The result keeps the time of the evaluation, \
         so old and new can be compared.\n\n\
         An offset in parentheses takes in the arithmetic behind it: `x offset (5m) * 3` is an \
         offset of a quarter of an hour."
        labels: STAY,
        histograms: MODIFIER,
        example: "rate(http_requests_total[5m]) / rate(http_requests_total[5m] offset 1w)"
            => "The traffic in comparison with the same time last week."
    }
    At {
        "Reads a selector or a subquery at a fixed time, whatever the evaluation time."
        "In seconds since 1970, or `start()` and `end()` for the bounds of the query. An offset \
         counts from there."
        labels: STAY,
        histograms: MODIFIER,
        example: "rate(http_requests_total[5m]) and topk(5, rate(http_requests_total[1h] @ end()))"
            => "The five series that are busiest at the end of a graph, over all of it."
        since: "2.25, stable since 2.33"
    }
    Anchored {
        "Lets a range begin with the last sample before it, so that nothing is extrapolated."
        "For `rate`, `increase`, `delta`, `changes` and `resets`: the difference between the sample \
         at or before the beginning and the last one. The increase of a counter of whole numbers is \
         a whole number then. Without a sample within the range there is nothing. Not for \
         subqueries."
        labels: STAY,
        histograms: MODIFIER,
        example: "increase(http_requests_total[5m] anchored)"
            => "The requests of five minutes, exactly as counted."
        since: "3.6 or later"
    }
    Smoothed {
        "Interpolates between samples at the edges of a range, or at the evaluation time."
        "For `rate`, `increase` and `delta`, and for instant-vector selectors. The samples just \
         outside of the range are used for it, those after it too, so the newest results change \
         while samples arrive. Not for subqueries."
        labels: STAY,
        histograms: "Native histograms are interpolated bucket by bucket.",
        example: "rate(http_requests_total[1m] smoothed)"
            => "A rate over exactly one minute, also if scrapes don't fall on its edges."
        since: "3.6 or later"
    }
}
