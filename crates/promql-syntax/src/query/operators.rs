//! The operators of the typed tree, apart by what their operands and their results are.

/// An operation between two elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ElementOp {
    /// Gives a new value.
    Arithmetic(ArithmeticOp),
    /// Keeps the left element if the comparison holds.
    Filter(ComparisonOp),
    /// Gives 0 or 1.
    Bool(ComparisonOp),
    /// Trims a native histogram.
    Trim(TrimOp),
}

impl ElementOp {
    /// The operator as it is written, without `bool`.
    pub const fn symbol(self) -> &'static str {
        match self {
            ElementOp::Arithmetic(op) => op.symbol(),
            ElementOp::Filter(op) | ElementOp::Bool(op) => op.symbol(),
            ElementOp::Trim(op) => op.symbol(),
        }
    }
}

/// An arithmetic operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ArithmeticOp {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Mod,
    /// `^`
    Pow,
    /// `atan2`
    Atan2,
}

impl ArithmeticOp {
    /// The operator as it is written.
    pub const fn symbol(self) -> &'static str {
        match self {
            ArithmeticOp::Add => "+",
            ArithmeticOp::Sub => "-",
            ArithmeticOp::Mul => "*",
            ArithmeticOp::Div => "/",
            ArithmeticOp::Mod => "%",
            ArithmeticOp::Pow => "^",
            ArithmeticOp::Atan2 => "atan2",
        }
    }
}

/// A comparison operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ComparisonOp {
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

impl ComparisonOp {
    /// The operator as it is written.
    pub const fn symbol(self) -> &'static str {
        match self {
            ComparisonOp::Eq => "==",
            ComparisonOp::Ne => "!=",
            ComparisonOp::Lt => "<",
            ComparisonOp::Le => "<=",
            ComparisonOp::Gt => ">",
            ComparisonOp::Ge => ">=",
        }
    }
}

/// A trim operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TrimOp {
    /// `</`: keeps the observations below.
    Upper,
    /// `>/`: keeps the observations above.
    Lower,
}

impl TrimOp {
    /// The operator as it is written.
    pub const fn symbol(self) -> &'static str {
        match self {
            TrimOp::Upper => "</",
            TrimOp::Lower => ">/",
        }
    }
}

/// A set operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SetOp {
    /// `and`
    And,
    /// `or`
    Or,
    /// `unless`
    Unless,
}

impl SetOp {
    /// The operator as it is written.
    pub const fn symbol(self) -> &'static str {
        match self {
            SetOp::And => "and",
            SetOp::Or => "or",
            SetOp::Unless => "unless",
        }
    }
}
