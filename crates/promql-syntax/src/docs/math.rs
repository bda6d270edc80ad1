//! Functions of an element's value.

use super::{FLOATS_ONLY, NAME_GOES, document};

document! {
    Abs {
        "Absolute value of each element."
        "NaN stays NaN."
        labels: NAME_GOES,
        histograms: FLOATS_ONLY,
        example: "abs(node_timex_offset_seconds) > 0.05"
            => "The machines whose clock is off by more than 50 ms, in either direction."
    }
    Ceil {
        "Each value rounded up to a whole number."
        "Infinities and NaN stay what they are; a value between -1 and 0 becomes -0."
        labels: NAME_GOES,
        histograms: FLOATS_ONLY,
        example: "ceil(queue_length / 100)"
            => "How many workers are needed if each takes on a hundred items."
    }
    Floor {
        "Each value rounded down to a whole number."
        "Infinities and NaN stay what they are."
        labels: NAME_GOES,
        histograms: FLOATS_ONLY,
        example: "floor(node_boot_time_seconds / 86400)"
            => "The day of the last start, counted from 1970."
    }
    Round {
        "Each value rounded to the nearest multiple of a number, by default to a whole number."
        "What lies in the middle is rounded up, negative values too: -2.5 becomes -2. \
         `to_nearest` may be a fraction; 0 gives NaN."
        labels: NAME_GOES,
        histograms: FLOATS_ONLY,
        example: "round(rate(http_requests_total[5m]), 0.1)"
            => "Requests per second with one decimal."
    }
    Clamp {
        "Each value, limited to the range from a minimum to a maximum."
        "A minimum above the maximum gives an empty vector. A bound that is NaN gives NaN."
        labels: NAME_GOES,
        histograms: FLOATS_ONLY,
        example: "clamp(disk_used_ratio, 0, 1)"
            => "The ratio, with measuring errors outside of 0 and 1 cut off."
        since: "2.26"
    }
    ClampMax {
        "Each value, at most a maximum."
        "Larger values are replaced by the maximum. A maximum that is NaN gives NaN."
        labels: NAME_GOES,
        histograms: FLOATS_ONLY,
        example: "clamp_max(job_backlog, 1000)"
            => "The backlog for a graph whose axis should not go beyond 1000."
    }
    ClampMin {
        "Each value, at least a minimum."
        "Smaller values are replaced by the minimum. It keeps a divisor from becoming zero. A \
         minimum that is NaN gives NaN."
        labels: NAME_GOES,
        histograms: FLOATS_ONLY,
        example: "errors_total / clamp_min(requests_total, 1)"
            => "The ratio of errors, 0 instead of NaN where there were no requests."
    }
    Sgn {
        "Sign of each value: 1, 0 or -1."
        "NaN stays NaN, and a zero keeps its sign."
        labels: NAME_GOES,
        histograms: FLOATS_ONLY,
        example: "sgn(deriv(queue_length[10m]))"
            => "1 where the queue grows, -1 where it shrinks."
        since: "2.26"
    }
    Sqrt {
        "Square root of each value."
        "Of a negative value it is NaN."
        labels: NAME_GOES,
        histograms: FLOATS_ONLY,
        example: "sqrt(stdvar_over_time(node_load1[1h]))"
            => "The same as `stddev_over_time`."
    }
    Exp {
        "Exponential function of each value."
        "Large values, from about 709.8, give +Inf; -Inf gives 0."
        labels: NAME_GOES,
        histograms: FLOATS_ONLY,
        example: "exp(avg(ln(probe_duration_seconds)))"
            => "The geometric mean of the durations."
    }
    Ln {
        "Natural logarithm of each value."
        "Of 0 it is -Inf, of a negative value NaN, of +Inf +Inf."
        labels: NAME_GOES,
        histograms: FLOATS_ONLY,
        example: "ln(transistor_count) / 0.6931"
            => "The number of doublings since the first one, roughly."
    }
    Log2 {
        "Binary logarithm of each value."
        "Of 0 it is -Inf, of a negative value NaN, of +Inf +Inf."
        labels: NAME_GOES,
        histograms: FLOATS_ONLY,
        example: "log2(process_resident_memory_bytes)"
            => "20 for a mebibyte, 30 for a gibibyte."
    }
    Log10 {
        "Decimal logarithm of each value."
        "Of 0 it is -Inf, of a negative value NaN, of +Inf +Inf."
        labels: NAME_GOES,
        histograms: FLOATS_ONLY,
        example: "floor(log10(http_requests_total))"
            => "The order of magnitude of each counter."
    }
    Sin {
        "Sine of each value, which is an angle in radians."
        "Of an infinity it is NaN."
        labels: NAME_GOES,
        histograms: FLOATS_ONLY,
        example: "sin(rad(wind_direction_degrees)) * wind_speed"
            => "How much of the wind blows along the east-west axis."
        since: "2.31"
    }
    Cos {
        "Cosine of each value, which is an angle in radians."
        "Of an infinity it is NaN."
        labels: NAME_GOES,
        histograms: FLOATS_ONLY,
        example: "cos(rad(wind_direction_degrees)) * wind_speed"
            => "How much of the wind blows along the north-south axis."
        since: "2.31"
    }
    Tan {
        "Tangent of each value, which is an angle in radians."
        "Of an infinity it is NaN."
        labels: NAME_GOES,
        histograms: FLOATS_ONLY,
        example: "tan(rad(slope_degrees))"
            => "The slope as a ratio of height to distance."
        since: "2.31"
    }
    Asin {
        "Inverse sine of each value, in radians."
        "Of values outside of -1 to 1 it is NaN."
        labels: NAME_GOES,
        histograms: FLOATS_ONLY,
        example: "deg(asin(height_ratio))"
            => "The angle, in degrees, whose sine the ratio is."
        since: "2.31"
    }
    Acos {
        "Inverse cosine of each value, in radians."
        "Of values outside of -1 to 1 it is NaN."
        labels: NAME_GOES,
        histograms: FLOATS_ONLY,
        example: "deg(acos(power_factor))"
            => "The phase angle of an electric load, in degrees."
        since: "2.31"
    }
    Atan {
        "Inverse tangent of each value, in radians."
        "Of the infinities it is π/2 and -π/2. For the angle of a point use the operator `atan2`, \
         which knows all four quadrants."
        labels: NAME_GOES,
        histograms: FLOATS_ONLY,
        example: "deg(atan(slope_ratio))"
            => "The angle of a slope, in degrees."
        since: "2.31"
    }
    Sinh {
        "Hyperbolic sine of each value."
        "Grows beyond all floats: from about 710.5 it is +Inf."
        labels: NAME_GOES,
        histograms: FLOATS_ONLY,
        example: "sinh(x_ratio)"
            => "The hyperbolic sine of each element."
        since: "2.31"
    }
    Cosh {
        "Hyperbolic cosine of each value."
        "It is 1 at 0, and +Inf beyond about 710.5 on both sides."
        labels: NAME_GOES,
        histograms: FLOATS_ONLY,
        example: "cosh(x_ratio)"
            => "The hyperbolic cosine of each element."
        since: "2.31"
    }
    Tanh {
        "Hyperbolic tangent of each value."
        "Lies between -1 and 1, which are its values for the infinities."
        labels: NAME_GOES,
        histograms: FLOATS_ONLY,
        example: "tanh(anomaly_score)"
            => "The scores, squeezed into the range from -1 to 1."
        since: "2.31"
    }
    Asinh {
        "Inverse hyperbolic sine of each value."
        "Defined everywhere. Near 0 it is like the value itself, far from it like a logarithm, with \
         the sign kept."
        labels: NAME_GOES,
        histograms: FLOATS_ONLY,
        example: "asinh(delta(queue_length[5m]))"
            => "A change on a scale that shows small and large ones of both signs."
        since: "2.31"
    }
    Acosh {
        "Inverse hyperbolic cosine of each value."
        "Of values below 1 it is NaN."
        labels: NAME_GOES,
        histograms: FLOATS_ONLY,
        example: "acosh(x_ratio)"
            => "The inverse hyperbolic cosine of each element."
        since: "2.31"
    }
    Atanh {
        "Inverse hyperbolic tangent of each value."
        "Of -1 and 1 it is -Inf and +Inf, of values beyond them NaN."
        labels: NAME_GOES,
        histograms: FLOATS_ONLY,
        example: "atanh(correlation_ratio)"
            => "Fisher's transformation of a correlation."
        since: "2.31"
    }
    Deg {
        "Each value converted from radians to degrees."
        "The value multiplied by 180/π."
        labels: NAME_GOES,
        histograms: FLOATS_ONLY,
        example: "deg(antenna_angle_radians)"
            => "The angle of the antenna in degrees."
        since: "2.31"
    }
    Rad {
        "Each value converted from degrees to radians."
        "The value multiplied by π/180. The trigonometric functions take radians."
        labels: NAME_GOES,
        histograms: FLOATS_ONLY,
        example: "rad(antenna_angle_degrees)"
            => "The angle of the antenna in radians."
        since: "2.31"
    }
}
