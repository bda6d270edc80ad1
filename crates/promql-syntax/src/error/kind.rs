//! Every kind of error with its stable code and upstream's wording.

use std::fmt;

use crate::ast::BinaryOp;
use crate::functions::{Aggregator, FunctionInfo};
use crate::types::ValueType;
use promql_model::quote;
use promql_model::quote::{QuotedChar, is_printable};

macro_rules! error_kinds {
    ($(
        $(#[$doc:meta])*
        $variant:ident $(($($field:ident: $type:ty),*))? $code:literal $message:expr;
    )*) => {
        /// What is wrong. Displays in upstream's words, without the position.
        ///
        /// In characters U+FFFD stands for the end of the text and for bytes that are not UTF-8.
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $($(#[$doc])* $variant $(($($type),*))?,)*
        }

        impl ErrorKind {
            /// A code that stays the same from release to release.
            pub const fn code(&self) -> &'static str {
                match self { $(error_kinds!(@pattern $variant $(($($field),*))?) => concat!("promql::", $code),)* }
            }
        }

        impl fmt::Display for ErrorKind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(ErrorKind::$variant $(($($field),*))? => f.write_str($message.as_ref()),)*
                }
            }
        }
    };
    (@pattern $variant:ident) => { ErrorKind::$variant };
    (@pattern $variant:ident ($($field:ident),*)) => { ErrorKind::$variant(..) };
}

error_kinds! {
    // The text as a whole.
    /// Nothing but blanks and comments.
    NoExpression "no-expression" "no expression found in input";
    /// Longer than [`crate::MAX_SOURCE_LEN`].
    TooLong(length: usize) "too-long"
        format!("the text has {length} bytes, which is more than the {} that can be read", crate::MAX_SOURCE_LEN);

    // The lexer.
    /// A parenthesis that is never closed.
    UnclosedParenthesis "unclosed-parenthesis" "unclosed left parenthesis";
    /// A bracket that is never closed.
    UnclosedBracket "unclosed-bracket" "unclosed left bracket";
    /// A parenthesis that was never opened.
    UnexpectedRightParenthesis "unmatched-parenthesis" "unexpected right parenthesis ')'";
    /// A bracket that was never opened.
    UnexpectedRightBracket "unmatched-bracket" "unexpected right bracket ']'";
    /// A bracket inside a bracket.
    UnexpectedLeftBracket "nested-bracket" "unexpected left bracket '['";
    /// A brace inside braces.
    UnexpectedLeftBrace "nested-brace" "unexpected left brace '{'";
    /// A character that no token starts with.
    UnexpectedCharacter(c: char) "unexpected-character" format!("unexpected character: {}", QuotedChar(Some(*c)));
    /// `=~` outside braces.
    UnexpectedAfterEquals(c: char) "unexpected-character" format!("unexpected character after '=': {}", QuotedChar(Some(*c)));
    /// `!` without `=`.
    UnexpectedAfterBang(c: char) "unexpected-character" format!("unexpected character after '!': {}", QuotedChar(Some(*c)));
    /// `!` inside braces without `=` or `~`.
    UnexpectedAfterBangInBraces(c: char) "unexpected-character"
        format!("unexpected character after '!' inside braces: {}", QuotedChar(Some(*c)));
    /// A character that has no meaning inside braces.
    UnexpectedInBraces(c: char) "unexpected-character" format!("unexpected character inside braces: {}", QuotedChar(Some(*c)));
    /// A brace that is never closed.
    EndInBraces "unclosed-brace" "unexpected end of input inside braces";
    /// A word behind the first number of a bracket.
    ExpectedColon(c: char) "unexpected-character" format!("unexpected character: {}, expected ':'", QuotedChar(Some(*c)));
    /// A second colon in a bracket.
    UnexpectedColon "repeated-colon" "unexpected colon ':'";
    /// A colon before the first number of a bracket.
    ColonBeforeDuration "colon-before-duration" "unexpected colon before duration in duration expression";
    /// A second colon before the first number of a bracket.
    RepeatedColon "repeated-colon" "unexpected repeated colon in duration expression";
    /// A bracket that is never closed, before its first number.
    EndInDuration "unclosed-bracket" "unexpected end of input in duration expression";
    /// A character that no duration starts with.
    UnexpectedInDuration(c: char) "unexpected-character"
        format!("unexpected character in duration expression: {}", QuotedChar(Some(*c)));
    /// Starts with a digit but is neither number nor duration.
    BadNumberOrDuration(text: Box<[u8]>) "bad-number" format!("bad number or duration syntax: {}", quote(text));
    /// A string without its closing quote.
    UnterminatedString "unterminated-string" "unterminated quoted string";
    /// A string in backticks without its closing one.
    UnterminatedRawString "unterminated-string" "unterminated raw string";
    /// Bytes in a string that are not UTF-8.
    InvalidUtf8 "invalid-utf8" "invalid UTF-8 rune";
    /// A backslash before a character that needs none.
    UnknownEscape(c: char) "bad-escape" format!("unknown escape sequence {}", code_point(*c));
    /// Something else than a digit in an escape.
    IllegalEscapeCharacter(c: char) "bad-escape" format!("illegal character {} in escape sequence", code_point(*c));
    /// An escape that ends with the text.
    EscapeNotTerminated "bad-escape" "escape sequence not terminated";
    /// An escape that stands for no character.
    EscapeOutOfRange "bad-escape" "escape sequence is an invalid Unicode code point";
    /// Starts like a number in the values of a series.
    BadSeriesNumber(text: Box<[u8]>) "bad-number" format!("bad number syntax: {}", quote(text));
    /// A character that has no meaning in the values of a series.
    UnexpectedInSeries(c: char) "unexpected-character"
        format!("unexpected character in series sequence: {}", QuotedChar(Some(*c)));
    /// A character that has no meaning in a histogram.
    UnexpectedInHistogram(c: char) "unexpected-character"
        format!("histogram description incomplete unexpected: {}", QuotedChar(Some(*c)));
    /// A key of a histogram without its colon.
    MissingHistogramColon "missing-colon" "missing `:` for histogram descriptor";
    /// A word that is no key of a histogram.
    BadHistogramWord(word: Box<[u8]>) "unknown-histogram-key" format!("bad histogram descriptor found: {}", quote(word));
    /// A character that has no meaning in a bucket list.
    UnexpectedInBuckets(c: char) "unexpected-character"
        format!("invalid character in buckets description: {}", QuotedChar(Some(*c)));

    // The grammar.
    /// A token that cannot stand where it stands: its name, the construct, and what belongs there.
    Unexpected(token: Box<str>, context: Option<&'static str>, expected: Option<&'static str>) "unexpected-token"
        unexpected(token, *context, *expected);

    // What the parser checks as it goes.
    /// A number that Go cannot read.
    BadNumber(text: Box<[u8]>) "bad-number"
        format!("error parsing number: strconv.ParseFloat: parsing {}: invalid syntax", quote(text));
    /// A number too large for a float.
    NumberOutOfRange(text: Box<[u8]>) "number-out-of-range"
        format!("error parsing number: strconv.ParseFloat: parsing {}: value out of range", quote(text));
    /// A duration that breaks the rules of durations, in the words of its parser.
    BadDuration(message: Box<str>) "bad-duration" message;
    /// A duration of more than 292 years.
    DurationOutOfRange "duration-out-of-range" "duration out of range";
    /// A range or step of zero or less.
    DurationNotPositive "duration-not-positive" "duration must be greater than 0";
    /// Division by a literal zero in a duration.
    DivisionByZero "division-by-zero" "division by zero";
    /// Remainder of a division by a literal zero in a duration.
    ModuloByZero "division-by-zero" "modulo by zero";
    /// A regular expression with an error, in RE2's words.
    BadRegex(message: Box<str>) "bad-regex" message;
    /// `[5m]` behind something that is no selector.
    RangeOnNonSelector "range-without-selector" "ranges only allowed for vector selectors";
    /// `[5m]` behind `offset`.
    OffsetBeforeRange "modifier-before-range" "no offset modifiers allowed before range";
    /// `[5m]` behind `@`.
    AtBeforeRange "modifier-before-range" "no @ modifiers allowed before range";
    /// `offset` behind something that is no selector.
    OffsetTarget "modifier-without-selector"
        "offset modifier must be preceded by an instant vector selector or range vector selector or a subquery";
    /// A second `offset`.
    OffsetTwice "modifier-twice" "offset may not be set multiple times";
    /// `@` behind something that is no selector.
    AtTarget "modifier-without-selector"
        "@ modifier must be preceded by an instant vector selector or range vector selector or a subquery";
    /// A second `@`.
    AtTwice "modifier-twice" "@ <timestamp> may not be set multiple times";
    /// A time that no sample can have.
    AtOutOfBounds(value: f64) "timestamp-out-of-range"
        format!("timestamp out of bounds for @ modifier: {}", fixed6(*value));
    /// `anchored` or `smoothed` while they are off.
    ExtendedRangeDisabled(word: &'static str) "feature-disabled"
        format!("{word} modifier is experimental and not enabled");
    /// `anchored` and `smoothed` on one selector.
    AnchoredAndSmoothed "modifier-twice" "anchored and smoothed modifiers cannot be used together";
    /// `anchored` or `smoothed` on a subquery.
    ExtendedRangeOnSubquery(word: &'static str) "modifier-without-selector"
        format!("{word} modifier is not supported for subqueries");
    /// `anchored` or `smoothed` behind something that is no selector.
    ExtendedRangeTarget(word: &'static str) "modifier-without-selector" format!("{word} modifier not implemented");
    /// A label that no series can have.
    InvalidGroupingLabel(label: Box<[u8]>) "invalid-label"
        format!("invalid label name for grouping: {}", quote(label));
    /// `fill` while it is off.
    FillDisabled "feature-disabled" "binop fill modifiers are experimental and not enabled";
    /// A comma behind the last argument.
    TrailingComma "trailing-comma" "trailing commas not allowed in function call args";
    /// An aggregation of nothing.
    AggregateWithoutArguments "argument-count" "no arguments for aggregate expression provided";
    /// An aggregation with too many or too few arguments.
    AggregateArgumentCount(op: Aggregator, expected: usize, got: usize) "argument-count"
        { let _ = op; format!("wrong number of arguments for aggregate expression provided, expected {expected}, got {got}") };
    /// An aggregation operator that is off.
    AggregatorDisabled(op: Aggregator) "feature-disabled" format!(
        "{}() is experimental and must be enabled with --enable-feature=promql-experimental-functions", op.name());
    /// A function that doesn't exist.
    UnknownFunction(name: Box<str>) "unknown-function" format!("unknown function with name {}", quote(name.as_bytes()));
    /// A function that is off.
    FunctionDisabled(function: &'static FunctionInfo) "feature-disabled"
        format!("function {} is not enabled", quote(function.name.as_bytes()));

    // Series descriptions.
    /// A repetition or a schema that is no whole number.
    BadRepetition(text: Box<[u8]>, out_of_range: bool) "bad-number" format!(
        "invalid repetition in series values: strconv.ParseUint: parsing {}: {}", quote(text),
        if *out_of_range { "value out of range" } else { "invalid syntax" });
    /// More values than memory should hold.
    TooManyValues(limit: usize) "too-many-values" format!("more than {limit} values in one series");
    /// A key that is given twice.
    DuplicateHistogramKey(key: &'static str) "duplicate-key" format!("duplicate key {} in histogram", quote(key.as_bytes()));
    /// Two histograms that cannot be added, in the words of the arithmetic.
    BadHistogramArithmetic(message: Box<str>) "histogram-arithmetic" message;

    // Types and meaning.
    /// An argument, an operand or a parameter of the wrong type: where, what belongs there, and what is there.
    WrongType(place: TypedPlace, expected: ValueType, got: ValueType) "wrong-type"
        format!("expected type {expected} in {place}, got {got}");
    /// `bool` on an operator that does not compare.
    BoolOnNonComparison(op: BinaryOp) "bool-without-comparison"
        { let _ = op; "bool modifier can only be used on comparison operators" };
    /// Two scalars compared without `bool`.
    ScalarComparisonWithoutBool(op: BinaryOp) "scalar-comparison"
        { let _ = op; "comparisons between scalars must use BOOL modifier" };
    /// A label both in `on` and in `group_left` or `group_right`.
    LabelInOnAndGroup(label: Box<[u8]>) "label-in-on-and-group"
        format!("label {} must not occur in ON and GROUP clause at once", quote(label));
    /// An operand that is neither scalar nor instant vector.
    BadOperand(got: ValueType) "wrong-type"
        { let _ = got; "binary expression must contain only scalar and instant vector types" };
    /// `on` or `ignoring` with a scalar operand.
    MatchingOnScalar "matching-on-scalar" "vector matching only allowed between instant vectors";
    /// `fill` with a scalar operand.
    FillOnScalar "matching-on-scalar" "filling in missing series only allowed between instant vectors";
    /// `group_left` or `group_right` with a set operator.
    GroupingOnSet(op: BinaryOp) "grouping-on-set" format!("no grouping allowed for {} operation", quote(op.symbol().as_bytes()));
    /// Follows [`ErrorKind::GroupingOnSet`].
    SetNotManyToMany "grouping-on-set" "set operations must always be many-to-many";
    /// `fill` with a set operator.
    FillOnSet "fill-on-set" "filling in missing series not allowed for set operators";
    /// A set operator with a scalar operand.
    SetOnScalar(op: BinaryOp) "set-on-scalar"
        format!("set operator {} not allowed in binary scalar expression", quote(op.symbol().as_bytes()));
    /// A call with too many or too few arguments.
    ArgumentCount(function: &'static FunctionInfo, bound: Bound, count: usize, got: usize) "argument-count" format!(
        "expected {bound}{count} argument(s) in call to {}, got {got}", quote(function.name.as_bytes()));
    /// A metric's name in the second argument of `info`.
    InfoNeedsLabelsOnly "info-needs-labels" "expected label selectors only, got vector selector instead";
    /// Something else than a selector as the second argument of `info`.
    InfoNeedsSelector "info-needs-labels" "expected label selectors only";
    /// A sign in front of something that has no value at one time.
    BadUnaryOperand(got: ValueType) "wrong-type" format!(
        "unary expression only allowed on expressions of type scalar or instant vector, got {}", quote(got.name().as_bytes()));
    /// A subquery of something else than an instant vector.
    BadSubquery(got: ValueType) "wrong-type"
        format!("subquery is only allowed on instant vector, got {} instead", got.api_name());
    /// A metric's name in front of the braces and again inside.
    NameSetTwice(name: Box<[u8]>, value: Box<[u8]>) "name-set-twice"
        format!("metric name must not be set twice: {} or {}", quote(name), quote(value));
    /// A selector that would select every series.
    EmptySelector "empty-selector" "vector selector must contain at least one non-empty matcher";
}

/// Where a value of a certain type is expected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TypedPlace {
    /// What an aggregation aggregates.
    AggregateOperand(Aggregator),
    /// The parameter of an aggregation.
    AggregateParameter(Aggregator),
    /// An argument of a function, counted from 0.
    Argument(&'static FunctionInfo, usize),
}

impl fmt::Display for TypedPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TypedPlace::AggregateOperand(_) => f.write_str("aggregation expression"),
            TypedPlace::AggregateParameter(_) => f.write_str("aggregation parameter"),
            TypedPlace::Argument(function, _) => {
                write!(f, "call to function {}", quote(function.name.as_bytes()))
            }
        }
    }
}

/// Whether a number of arguments is exact or a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// So many.
    Exactly,
    /// So many or more.
    AtLeast,
    /// So many or fewer.
    AtMost,
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Bound::Exactly => "",
            Bound::AtLeast => "at least ",
            Bound::AtMost => "at most ",
        })
    }
}

fn unexpected(token: &str, context: Option<&str>, expected: Option<&str>) -> String {
    let mut message = format!("unexpected {token}");
    if let Some(context) = context {
        message.push_str(" in ");
        message.push_str(context);
    }
    if let Some(expected) = expected {
        message.push_str(", expected ");
        message.push_str(expected);
    }
    message
}

/// A character as Go's `%#U` shows it: its number and, if it can be printed, itself.
fn code_point(c: char) -> String {
    match is_printable(c) {
        true => format!("U+{:04X} '{c}'", c as u32),
        false => format!("U+{:04X}", c as u32),
    }
}

/// As Go's `%f` prints.
fn fixed6(value: f64) -> String {
    if value.is_nan() {
        "NaN".into()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf".into() } else { "-Inf".into() }
    } else {
        format!("{value:.6}")
    }
}
