//! The four types of the language and the switches that say which parts of it are on.

use std::fmt;

/// The type of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueType {
    /// One number at each step.
    Scalar,
    /// A set of series with one sample each at each step.
    InstantVector,
    /// A set of series with a window of samples each at each step.
    RangeVector,
    /// A string literal.
    String,
}

impl ValueType {
    /// The name that messages use: `scalar`, `instant vector`, `range vector` or `string`.
    pub const fn name(self) -> &'static str {
        match self {
            ValueType::Scalar => "scalar",
            ValueType::InstantVector => "instant vector",
            ValueType::RangeVector => "range vector",
            ValueType::String => "string",
        }
    }

    /// The name that the HTTP API uses: `scalar`, `vector`, `matrix` or `string`.
    pub const fn api_name(self) -> &'static str {
        match self {
            ValueType::Scalar => "scalar",
            ValueType::InstantVector => "vector",
            ValueType::RangeVector => "matrix",
            ValueType::String => "string",
        }
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which experimental parts of the language are accepted. By default all are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Features {
    /// Functions and aggregators that are marked experimental in the table.
    pub experimental_functions: bool,
    /// `anchored` and `smoothed`.
    pub extended_range_selectors: bool,
    /// `fill`, `fill_left` and `fill_right`.
    pub fill_modifiers: bool,
}

impl Features {
    /// Everything on.
    pub const ALL: Features = Features {
        experimental_functions: true,
        extended_range_selectors: true,
        fill_modifiers: true,
    };

    /// What a Prometheus 3.14 accepts that was started without any feature flag.
    pub const STABLE: Features = Features {
        experimental_functions: false,
        extended_range_selectors: false,
        fill_modifiers: false,
    };
}

impl Default for Features {
    fn default() -> Self {
        Features::ALL
    }
}
