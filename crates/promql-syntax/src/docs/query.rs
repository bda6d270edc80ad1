//! Functions of time and of the query itself, and those between scalars and vectors.

use super::{FLOATS_ONLY, NAME_GOES, NO_LABELS, NOT_INVOLVED, SCALAR, document};

document! {
    Time {
        "The evaluation time, in seconds since 1970."
        "In a range query it is the time of each step, not the time at which the query runs. \
         Inside a subquery it is the time of the subquery's step. It can have milliseconds."
        labels: SCALAR,
        histograms: NOT_INVOLVED,
        example: "time() - process_start_time_seconds"
            => "For how many seconds each process has been running."
    }
    Pi {
        "The number π, 3.141592653589793."
        "A constant, for use with the trigonometric functions."
        labels: SCALAR,
        histograms: NOT_INVOLVED,
        example: "2 * pi() * wheel_radius_meters"
            => "The circumference of each wheel."
        since: "2.31"
    }
    Start {
        "Time at which the query begins, in seconds since 1970."
        "In an instant query it is the evaluation time. It is the same at every step, and inside \
         subqueries too. Behind `@` the same word is a modifier that needs no experimental feature."
        labels: SCALAR,
        histograms: NOT_INVOLVED,
        example: "time() - start()"
            => "How far into the range each step lies."
        since: "3.6 or later"
    }
    End {
        "Time at which the query ends, in seconds since 1970."
        "In an instant query it is the evaluation time. It is the same at every step, and inside \
         subqueries too. Behind `@` the same word is a modifier that needs no experimental feature."
        labels: SCALAR,
        histograms: NOT_INVOLVED,
        example: "end() - time()"
            => "How long it is from each step to the end of the range."
        since: "3.6 or later"
    }
    Range {
        "Seconds from the beginning of the query to its end."
        "In an instant query it is 0. Inside a subquery it still describes the whole query. The \
         same word can be used in durations, there without any experimental feature."
        labels: SCALAR,
        histograms: NOT_INVOLVED,
        example: "(time() - start()) / range()"
            => "A line that rises from 0 to 1 in a graph of any length."
        since: "3.6 or later"
    }
    Step {
        "Seconds from one step of the query to the next."
        "In an instant query it is 0. Inside a subquery it still describes the whole query. The \
         same word can be used in durations, there without any experimental feature."
        labels: SCALAR,
        histograms: NOT_INVOLVED,
        example: "rate(http_requests_total[5m]) * step()"
            => "The requests of each step of a graph."
        since: "3.6 or later"
    }
    MaxOf {
        "The larger of two scalars."
        "If one is NaN the result is NaN, unless the other is +Inf. For vectors use the aggregation \
         `max` or the function `clamp_min`. It can also be used in durations, there without any \
         experimental feature."
        labels: SCALAR,
        histograms: NOT_INVOLVED,
        example: "max_of(scalar(sum(up)), 1)"
            => "The number of targets that are up, but at least 1."
        since: "3.6 or later"
    }
    MinOf {
        "The smaller of two scalars."
        "If one is NaN the result is NaN, unless the other is -Inf. For vectors use the aggregation \
         `min` or the function `clamp_max`. It can also be used in durations, there without any \
         experimental feature."
        labels: SCALAR,
        histograms: NOT_INVOLVED,
        example: "min_of(time(), end() - 3600)"
            => "The evaluation time, but no later than an hour before the end."
        since: "3.6 or later"
    }
    Scalar {
        "The value of a vector's only element, as a scalar."
        "NaN if the vector has no element or more than one. A comparison with that NaN then \
         filters everything out, which is easily mistaken for missing data."
        labels: SCALAR,
        histograms: "Elements that are native histograms do not count: one float next to them is \
            the result.",
        example: "queue_length > scalar(queue_limit{cluster=\"a\"})"
            => "The queues above a limit that is a series itself, whatever their labels."
    }
    Vector {
        "A scalar as a vector of one element without labels."
        "The usual way to give an expression a value where it has none: see the example."
        labels: NO_LABELS,
        histograms: NOT_INVOLVED,
        example: "sum(rate(errors_total[5m])) or vector(0)"
            => "The errors per second, 0 if no series of errors exists yet."
    }
    Timestamp {
        "Time of each sample, in seconds since 1970."
        "For a selector it is the time at which the sample was taken, which tells how old it is. \
         For any other expression, even one as simple as `-x`, it is the evaluation time."
        labels: NAME_GOES,
        histograms: "The time of a native histogram is given as well.",
        example: "time() - timestamp(up)"
            => "How many seconds ago each target was last scraped."
    }
    StartTimestamp {
        "Time at which each sample says its counter began, in seconds since 1970."
        "Only for a selector; any other expression gives nothing. 0 where the start is not known. \
         It gives nothing at all unless the server stores and uses start timestamps."
        labels: NAME_GOES,
        histograms: "The start of a native histogram is given as well.",
        example: "time() - start_timestamp(http_requests_total)"
            => "For how many seconds each counter has been counting."
        since: "3.6 or later"
    }
    Minute {
        "Minute of the hour, 0 to 59, in UTC."
        "Each value is a time in seconds since 1970. Without an argument it is the evaluation time."
        labels: "All labels stay, the metric name goes. Without an argument there are no labels.",
        histograms: FLOATS_ONLY,
        example: "minute() < 5"
            => "An element without labels in the first five minutes of each hour."
    }
    Hour {
        "Hour of the day, 0 to 23, in UTC."
        "Each value is a time in seconds since 1970. Without an argument it is the evaluation time. \
         There are no time zones: for local time add the difference to the argument."
        labels: "All labels stay, the metric name goes. Without an argument there are no labels.",
        histograms: FLOATS_ONLY,
        example: "job_failures > 0 and on () (hour() >= 8 < 18)"
            => "Failures, but only between 8 and 18 o'clock UTC."
    }
    DayOfWeek {
        "Day of the week, 0 for Sunday to 6 for Saturday, in UTC."
        "Each value is a time in seconds since 1970. Without an argument it is the evaluation time."
        labels: "All labels stay, the metric name goes. Without an argument there are no labels.",
        histograms: FLOATS_ONLY,
        example: "day_of_week() > 0 < 6"
            => "An element from Monday to Friday, nothing at the weekend."
    }
    DayOfMonth {
        "Day of the month, 1 to 31, in UTC."
        "Each value is a time in seconds since 1970. Without an argument it is the evaluation time."
        labels: "All labels stay, the metric name goes. Without an argument there are no labels.",
        histograms: FLOATS_ONLY,
        example: "day_of_month(certificate_expiry_timestamp_seconds)"
            => "The day of the month on which each certificate runs out."
    }
    DayOfYear {
        "Day of the year, 1 to 366, in UTC."
        "Each value is a time in seconds since 1970. Without an argument it is the evaluation time."
        labels: "All labels stay, the metric name goes. Without an argument there are no labels.",
        histograms: FLOATS_ONLY,
        example: "day_of_year() / 365"
            => "How much of the year has passed, roughly."
    }
    DaysInMonth {
        "Number of days of the month, 28 to 31, in UTC."
        "Each value is a time in seconds since 1970. Without an argument it is the evaluation time."
        labels: "All labels stay, the metric name goes. Without an argument there are no labels.",
        histograms: FLOATS_ONLY,
        example: "days_in_month() - day_of_month()"
            => "How many days of the month are left."
    }
    Month {
        "Month, 1 for January to 12 for December, in UTC."
        "Each value is a time in seconds since 1970. Without an argument it is the evaluation time."
        labels: "All labels stay, the metric name goes. Without an argument there are no labels.",
        histograms: FLOATS_ONLY,
        example: "month() == 12"
            => "An element in December, nothing in other months."
    }
    Year {
        "Year, in UTC."
        "Each value is a time in seconds since 1970. Without an argument it is the evaluation time."
        labels: "All labels stay, the metric name goes. Without an argument there are no labels.",
        histograms: FLOATS_ONLY,
        example: "year(node_boot_time_seconds)"
            => "The year in which each machine was started."
    }
}
