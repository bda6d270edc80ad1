//! What the parser tells apart.
//!
//! Tokens of different kinds that stand in the same places, such as the names of aggregations, are
//! one terminal of the grammar, which keeps the parser small. Productions that need to know which
//! of them was written look at the token.

use crate::lexer::TokenKind;

macro_rules! terminals {
    ($($(#[$doc:meta])* $terminal:ident { $($kind:ident),* })*) => {
        /// A terminal of the grammar.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum Terminal { $($(#[$doc])* $terminal,)* }

        impl From<TokenKind> for Terminal {
            #[inline]
            fn from(kind: TokenKind) -> Terminal {
                match kind { $($(TokenKind::$kind => Terminal::$terminal,)*)* }
            }
        }
    };
}

terminals! {
    Identifier { Identifier }
    MetricIdentifier { MetricIdentifier }
    Number { Number }
    Duration { Duration }
    String { String }
    LeftParen { LeftParen }
    RightParen { RightParen }
    LeftBrace { LeftBrace }
    RightBrace { RightBrace }
    LeftBracket { LeftBracket }
    RightBracket { RightBracket }
    Comma { Comma }
    Assign { Assign }
    Colon { Colon }
    Add { Add }
    Sub { Sub }
    /// The arithmetic operators that are no signs.
    Arithmetic { Mul, Div, Mod, Pow }
    /// Comparisons, and what cuts histograms, except `!=`, which compares labels too.
    Comparison { EqualEqual, Less, LessEqual, Greater, GreaterEqual, TrimUpper, TrimLower }
    NotEqual { NotEqual }
    RegexOperator { EqualRegex, NotEqualRegex }
    SetOperator { And, Or, Unless }
    Atan2 { Atan2 }
    At { At }
    Aggregator {
        Avg, Bottomk, Count, CountValues, Group, LimitRatio, Limitk, Max, Min, Quantile, Stddev,
        Stdvar, Sum, Topk
    }
    Offset { Offset }
    Extended { Anchored, Smoothed }
    By { By }
    Without { Without }
    Matching { On, Ignoring }
    GroupSide { GroupLeft, GroupRight }
    GroupSideList { GroupLeftList, GroupRightList }
    Fill { Fill }
    FillLeft { FillLeft }
    FillRight { FillRight }
    Bool { Bool }
    /// The first and the last evaluation time.
    Boundary { Start, End }
    DurationVariable { Step, Range }
    DurationFunction { MaxOf, MinOf }
    OffsetGreedy { OffsetGreedy }
    /// An operator in the argument of such an offset.
    MarkedOperator {
        DurationAdd, DurationSub, DurationMul, DurationDiv, DurationMod, DurationPow
    }
    Space { Space }
    Blank { Blank }
    Times { Times }
    OpenHistogram { OpenHistogram }
    CloseHistogram { CloseHistogram }
    IntegerKey { SchemaKey, OffsetKey, NegativeOffsetKey }
    FloatKey { SumKey, CountKey, ZeroBucketKey }
    /// A number without a sign.
    WidthKey { ZeroBucketWidthKey }
    ListKey { BucketsKey, NegativeBucketsKey, CustomValuesKey }
    HintKey { CounterResetHintKey }
    Hint { UnknownHint, ResetHint, NotResetHint, GaugeHint }
    StartExpression { StartExpression }
    StartMetric { StartMetric }
    StartSelector { StartSelector }
    StartSeries { StartSeries }
    /// What no production takes.
    Other { Comment }
}
