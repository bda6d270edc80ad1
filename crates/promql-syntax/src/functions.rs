//! The one table of functions and aggregation operators.
//!
//! What is known about a function (its name, its parameters, what it returns, whether it is
//! experimental, its documentation) is one row here. The parser, the type checker, completion,
//! hover texts, the manual and the linter read it.

use crate::docs::{self, Documentation};
use crate::types::ValueType::{self, InstantVector, RangeVector, Scalar, String};

/// What is known about one function.
#[derive(Debug)]
pub struct FunctionInfo {
    /// Which function it is.
    pub function: Function,
    /// The name, matched with case.
    pub name: &'static str,
    /// The parameters, each with a name for signatures and its type.
    pub parameters: &'static [Parameter],
    /// How the number of arguments may differ from the number of parameters.
    pub arity: Arity,
    /// The type of the result.
    pub returns: ValueType,
    /// Whether the function has to be enabled.
    pub stability: Stability,
    /// What it does.
    pub documentation: &'static Documentation,
}

/// A parameter of a function.
#[derive(Debug)]
pub struct Parameter {
    /// The name that signatures show.
    pub name: &'static str,
    /// The type of the argument.
    pub value_type: ValueType,
}

/// How many arguments a function takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arity {
    /// As many as there are parameters.
    Exactly,
    /// The last parameter may be left out, or repeated so that it occurs this many times.
    UpTo(u8),
    /// The last parameter may be left out or repeated at will.
    Unbounded,
}

/// Whether a function or an operator has to be enabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stability {
    /// Always there.
    Stable,
    /// Needs [`crate::Features::experimental_functions`].
    Experimental,
}
use Arity::{Exactly, Unbounded, UpTo};
use Stability::{Experimental, Stable};

impl PartialEq for FunctionInfo {
    fn eq(&self, other: &Self) -> bool {
        self.function == other.function
    }
}

impl FunctionInfo {
    /// The smallest and the largest number of arguments; no largest when it is unbounded.
    pub fn argument_counts(&self) -> (usize, Option<usize>) {
        let parameters = self.parameters.len();
        match self.arity {
            Exactly => (parameters, Some(parameters)),
            UpTo(more) => (parameters - 1, Some(parameters - 1 + more as usize)),
            Unbounded => (parameters - 1, None),
        }
    }

    /// The parameter that takes the argument at this position. Surplus arguments of a variadic
    /// function belong to its last parameter.
    pub fn parameter(&self, index: usize) -> Option<&'static Parameter> {
        match self.arity {
            Exactly => self.parameters.get(index),
            _ => self.parameters.get(index).or(self.parameters.last()),
        }
    }
}

/// The row of a function.
pub fn function(name: &str) -> Option<&'static FunctionInfo> {
    function_of_bytes(name.as_bytes())
}

/// The same for a name that need not be UTF-8.
pub(crate) fn function_of_bytes(name: &[u8]) -> Option<&'static FunctionInfo> {
    let letter = name.first()?.wrapping_sub(b'a') as usize;
    let rows = FIRST_ROWS.get(letter)?.clone();
    FUNCTIONS[rows].iter().find(|row| row.name.as_bytes() == name)
}

/// The rows whose names begin with a letter, from `a` on. A function is looked up for every call
/// that is parsed, and the few names with one first letter mostly differ in length.
static FIRST_ROWS: [std::ops::Range<usize>; 26] = {
    let mut rows = [const { 0..0 }; 26];
    let mut row = 0;
    while row < FUNCTIONS.len() {
        let letter = (FUNCTIONS[row].name.as_bytes()[0] - b'a') as usize;
        if rows[letter].end == 0 {
            rows[letter].start = row;
        }
        rows[letter].end = row + 1;
        row += 1;
    }
    rows
};

macro_rules! functions {
    ($($variant:ident, $name:literal, [$($parameter:literal $type:ident),*], $arity:expr, $returns:ident, $stability:ident;)*) => {
        /// A function of the language.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Function {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
        }

        /// All functions, sorted by name.
        pub static FUNCTIONS: &[FunctionInfo] = &[
            $(FunctionInfo {
                function: Function::$variant,
                name: $name,
                parameters: &[$(Parameter { name: $parameter, value_type: $type }),*],
                arity: $arity,
                returns: $returns,
                stability: $stability,
                documentation: &docs::functions::$variant,
            },)*
        ];
    };
}

functions! {
    Abs, "abs", ["v" InstantVector], Exactly, InstantVector, Stable;
    Absent, "absent", ["v" InstantVector], Exactly, InstantVector, Stable;
    AbsentOverTime, "absent_over_time", ["range" RangeVector], Exactly, InstantVector, Stable;
    Acos, "acos", ["v" InstantVector], Exactly, InstantVector, Stable;
    Acosh, "acosh", ["v" InstantVector], Exactly, InstantVector, Stable;
    Asin, "asin", ["v" InstantVector], Exactly, InstantVector, Stable;
    Asinh, "asinh", ["v" InstantVector], Exactly, InstantVector, Stable;
    Atan, "atan", ["v" InstantVector], Exactly, InstantVector, Stable;
    Atanh, "atanh", ["v" InstantVector], Exactly, InstantVector, Stable;
    AvgOverTime, "avg_over_time", ["range" RangeVector], Exactly, InstantVector, Stable;
    Ceil, "ceil", ["v" InstantVector], Exactly, InstantVector, Stable;
    Changes, "changes", ["range" RangeVector], Exactly, InstantVector, Stable;
    Clamp, "clamp", ["v" InstantVector, "min" Scalar, "max" Scalar], Exactly, InstantVector, Stable;
    ClampMax, "clamp_max", ["v" InstantVector, "max" Scalar], Exactly, InstantVector, Stable;
    ClampMin, "clamp_min", ["v" InstantVector, "min" Scalar], Exactly, InstantVector, Stable;
    Cos, "cos", ["v" InstantVector], Exactly, InstantVector, Stable;
    Cosh, "cosh", ["v" InstantVector], Exactly, InstantVector, Stable;
    CountOverTime, "count_over_time", ["range" RangeVector], Exactly, InstantVector, Stable;
    DayOfMonth, "day_of_month", ["v" InstantVector], UpTo(1), InstantVector, Stable;
    DayOfWeek, "day_of_week", ["v" InstantVector], UpTo(1), InstantVector, Stable;
    DayOfYear, "day_of_year", ["v" InstantVector], UpTo(1), InstantVector, Stable;
    DaysInMonth, "days_in_month", ["v" InstantVector], UpTo(1), InstantVector, Stable;
    Deg, "deg", ["v" InstantVector], Exactly, InstantVector, Stable;
    Delta, "delta", ["range" RangeVector], Exactly, InstantVector, Stable;
    Deriv, "deriv", ["range" RangeVector], Exactly, InstantVector, Stable;
    DoubleExponentialSmoothing, "double_exponential_smoothing", ["range" RangeVector, "smoothing" Scalar, "trend" Scalar], Exactly, InstantVector, Experimental;
    End, "end", [], Exactly, Scalar, Experimental;
    Exp, "exp", ["v" InstantVector], Exactly, InstantVector, Stable;
    FirstOverTime, "first_over_time", ["range" RangeVector], Exactly, InstantVector, Stable;
    Floor, "floor", ["v" InstantVector], Exactly, InstantVector, Stable;
    HistogramAvg, "histogram_avg", ["v" InstantVector], Exactly, InstantVector, Stable;
    HistogramCount, "histogram_count", ["v" InstantVector], Exactly, InstantVector, Stable;
    HistogramFraction, "histogram_fraction", ["lower" Scalar, "upper" Scalar, "v" InstantVector], Exactly, InstantVector, Stable;
    HistogramQuantile, "histogram_quantile", ["quantile" Scalar, "v" InstantVector], Exactly, InstantVector, Stable;
    HistogramQuantiles, "histogram_quantiles", ["v" InstantVector, "label" String, "quantile" Scalar, "quantile" Scalar], UpTo(9), InstantVector, Experimental;
    HistogramStddev, "histogram_stddev", ["v" InstantVector], Exactly, InstantVector, Stable;
    HistogramStdvar, "histogram_stdvar", ["v" InstantVector], Exactly, InstantVector, Stable;
    HistogramSum, "histogram_sum", ["v" InstantVector], Exactly, InstantVector, Stable;
    Hour, "hour", ["v" InstantVector], UpTo(1), InstantVector, Stable;
    Idelta, "idelta", ["range" RangeVector], Exactly, InstantVector, Stable;
    Increase, "increase", ["range" RangeVector], Exactly, InstantVector, Stable;
    Info, "info", ["v" InstantVector, "data" InstantVector], UpTo(1), InstantVector, Experimental;
    Irate, "irate", ["range" RangeVector], Exactly, InstantVector, Stable;
    LabelJoin, "label_join", ["v" InstantVector, "destination" String, "separator" String, "source" String], Unbounded, InstantVector, Stable;
    LabelReplace, "label_replace", ["v" InstantVector, "destination" String, "replacement" String, "source" String, "regex" String], Exactly, InstantVector, Stable;
    LastOverTime, "last_over_time", ["range" RangeVector], Exactly, InstantVector, Stable;
    Ln, "ln", ["v" InstantVector], Exactly, InstantVector, Stable;
    Log10, "log10", ["v" InstantVector], Exactly, InstantVector, Stable;
    Log2, "log2", ["v" InstantVector], Exactly, InstantVector, Stable;
    MadOverTime, "mad_over_time", ["range" RangeVector], Exactly, InstantVector, Experimental;
    MaxOf, "max_of", ["a" Scalar, "b" Scalar], Exactly, Scalar, Experimental;
    MaxOverTime, "max_over_time", ["range" RangeVector], Exactly, InstantVector, Stable;
    MinOf, "min_of", ["a" Scalar, "b" Scalar], Exactly, Scalar, Experimental;
    MinOverTime, "min_over_time", ["range" RangeVector], Exactly, InstantVector, Stable;
    Minute, "minute", ["v" InstantVector], UpTo(1), InstantVector, Stable;
    Month, "month", ["v" InstantVector], UpTo(1), InstantVector, Stable;
    Pi, "pi", [], Exactly, Scalar, Stable;
    PredictLinear, "predict_linear", ["range" RangeVector, "seconds" Scalar], Exactly, InstantVector, Stable;
    PresentOverTime, "present_over_time", ["range" RangeVector], Exactly, InstantVector, Stable;
    QuantileOverTime, "quantile_over_time", ["quantile" Scalar, "range" RangeVector], Exactly, InstantVector, Stable;
    Rad, "rad", ["v" InstantVector], Exactly, InstantVector, Stable;
    Range, "range", [], Exactly, Scalar, Experimental;
    Rate, "rate", ["range" RangeVector], Exactly, InstantVector, Stable;
    Resets, "resets", ["range" RangeVector], Exactly, InstantVector, Stable;
    Round, "round", ["v" InstantVector, "to_nearest" Scalar], UpTo(1), InstantVector, Stable;
    Scalar, "scalar", ["v" InstantVector], Exactly, Scalar, Stable;
    Sgn, "sgn", ["v" InstantVector], Exactly, InstantVector, Stable;
    Sin, "sin", ["v" InstantVector], Exactly, InstantVector, Stable;
    Sinh, "sinh", ["v" InstantVector], Exactly, InstantVector, Stable;
    Sort, "sort", ["v" InstantVector], Exactly, InstantVector, Stable;
    SortByLabel, "sort_by_label", ["v" InstantVector, "label" String], Unbounded, InstantVector, Experimental;
    SortByLabelDesc, "sort_by_label_desc", ["v" InstantVector, "label" String], Unbounded, InstantVector, Experimental;
    SortDesc, "sort_desc", ["v" InstantVector], Exactly, InstantVector, Stable;
    Sqrt, "sqrt", ["v" InstantVector], Exactly, InstantVector, Stable;
    Start, "start", [], Exactly, Scalar, Experimental;
    StartTimestamp, "start_timestamp", ["v" InstantVector], Exactly, InstantVector, Experimental;
    StddevOverTime, "stddev_over_time", ["range" RangeVector], Exactly, InstantVector, Stable;
    StdvarOverTime, "stdvar_over_time", ["range" RangeVector], Exactly, InstantVector, Stable;
    Step, "step", [], Exactly, Scalar, Experimental;
    SumOverTime, "sum_over_time", ["range" RangeVector], Exactly, InstantVector, Stable;
    Tan, "tan", ["v" InstantVector], Exactly, InstantVector, Stable;
    Tanh, "tanh", ["v" InstantVector], Exactly, InstantVector, Stable;
    Time, "time", [], Exactly, Scalar, Stable;
    Timestamp, "timestamp", ["v" InstantVector], Exactly, InstantVector, Stable;
    TsOfFirstOverTime, "ts_of_first_over_time", ["range" RangeVector], Exactly, InstantVector, Experimental;
    TsOfLastOverTime, "ts_of_last_over_time", ["range" RangeVector], Exactly, InstantVector, Experimental;
    TsOfMaxOverTime, "ts_of_max_over_time", ["range" RangeVector], Exactly, InstantVector, Experimental;
    TsOfMinOverTime, "ts_of_min_over_time", ["range" RangeVector], Exactly, InstantVector, Experimental;
    Vector, "vector", ["s" Scalar], Exactly, InstantVector, Stable;
    Year, "year", ["v" InstantVector], UpTo(1), InstantVector, Stable;
}

impl Function {
    /// The row of the table.
    pub fn info(self) -> &'static FunctionInfo {
        &FUNCTIONS[self as usize]
    }

    /// The name.
    pub fn name(self) -> &'static str {
        self.info().name
    }
}

/// What is known about one aggregation operator.
#[derive(Debug)]
pub struct AggregatorInfo {
    /// Which operator it is.
    pub aggregator: Aggregator,
    /// The name, matched without case.
    pub name: &'static str,
    /// The parameter before the operand, if the operator takes one.
    pub parameter: Option<Parameter>,
    /// Whether the operator has to be enabled.
    pub stability: Stability,
    /// What it does.
    pub documentation: &'static Documentation,
}

macro_rules! aggregators {
    ($($variant:ident, $name:literal, $parameter:expr, $stability:ident;)*) => {
        /// An aggregation operator.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Aggregator {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
        }

        /// All aggregation operators, sorted by name.
        pub static AGGREGATORS: &[AggregatorInfo] = &[
            $(AggregatorInfo {
                aggregator: Aggregator::$variant,
                name: $name,
                parameter: $parameter,
                stability: $stability,
                documentation: &docs::aggregations::$variant,
            },)*
        ];
    };
}

const fn takes(name: &'static str, value_type: ValueType) -> Option<Parameter> {
    Some(Parameter { name, value_type })
}

aggregators! {
    Avg, "avg", None, Stable;
    Bottomk, "bottomk", takes("k", Scalar), Stable;
    Count, "count", None, Stable;
    CountValues, "count_values", takes("label", String), Stable;
    Group, "group", None, Stable;
    LimitRatio, "limit_ratio", takes("ratio", Scalar), Experimental;
    Limitk, "limitk", takes("k", Scalar), Experimental;
    Max, "max", None, Stable;
    Min, "min", None, Stable;
    Quantile, "quantile", takes("quantile", Scalar), Stable;
    Stddev, "stddev", None, Stable;
    Stdvar, "stdvar", None, Stable;
    Sum, "sum", None, Stable;
    Topk, "topk", takes("k", Scalar), Stable;
}

impl Aggregator {
    /// The row of the table.
    pub fn info(self) -> &'static AggregatorInfo {
        &AGGREGATORS[self as usize]
    }

    /// The name.
    pub fn name(self) -> &'static str {
        self.info().name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted_and_in_the_order_of_their_variants() {
        assert!(FUNCTIONS.is_sorted_by_key(|row| row.name));
        assert!(FUNCTIONS.iter().enumerate().all(|(i, row)| row.function as usize == i));
        assert!(AGGREGATORS.is_sorted_by_key(|row| row.name));
        assert!(AGGREGATORS.iter().enumerate().all(|(i, row)| row.aggregator as usize == i));
        assert_eq!(FUNCTIONS.len(), 90);
    }
}
