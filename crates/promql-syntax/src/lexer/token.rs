//! Tokens.

use crate::ast::BinaryOp;
use crate::functions::Aggregator;
use crate::span::Span;

/// A token: its kind and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// The kind.
    pub kind: TokenKind,
    /// The place in the source.
    pub span: Span,
}

macro_rules! token_kinds {
    ($($(#[$doc:meta])* $variant:ident $upstream:literal $naming:ident,)*) => {
        /// The kind of a token. The rules at the variants are those of plain expression text; what
        /// stands in braces, in brackets and among the values of a series has rules of its own.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, logos::Logos)]
        #[logos(utf8 = false, skip(r"[ \t\n\r]+"))]
        #[repr(u8)]
        pub enum TokenKind { $($(#[$doc])* $variant,)* }

        impl TokenKind {
            /// The name that upstream's lexer gives this kind, as its test data show it.
            pub const fn upstream_name(self) -> &'static str {
                match self { $(TokenKind::$variant => $upstream,)* }
            }

            /// How messages name such a token.
            pub(crate) const fn naming(self) -> Naming {
                match self { $(TokenKind::$variant => Naming::$naming,)* }
            }
        }
    };
}

/// How messages name a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Naming {
    /// `"("`
    Quoted,
    /// `identifier "x"`
    Identifier,
    /// `metric identifier "a:b"`
    MetricIdentifier,
    /// `number "1"`, shortened.
    Number,
    /// `duration "5m"`, shortened.
    Duration,
    /// `string "\"x\""`, shortened.
    String,
    /// `<by>`
    Keyword,
    /// `<op:+>`
    Operator,
    /// `<aggr:sum>`
    Aggregator,
    /// A key or a hint of a histogram: upstream shows the number of its token.
    HistogramWord,
}

token_kinds! {
    /// A word that is no keyword.
    #[regex("[a-zA-Z_][a-zA-Z0-9_]*", priority = 3)]
    Identifier "IDENTIFIER" Identifier,
    /// A word with a colon.
    #[regex("[a-zA-Z_:][a-zA-Z0-9_:]*", priority = 2)]
    MetricIdentifier "METRIC_IDENTIFIER" MetricIdentifier,
    /// A number. The rule finds its start; where it ends takes more than a regular expression.
    #[regex(r"[0-9]|\.[0-9]")]
    #[token("inf", priority = 10, ignore(case))]
    #[token("nan", priority = 10, ignore(case))]
    Number "NUMBER" Number,
    /// A duration such as `5m`.
    Duration "DURATION" Duration,
    /// A string with its quotes. The rule finds the opening quote.
    #[regex("[\"'`]")]
    String "STRING" String,
    /// `(`
    #[token("(")]
    LeftParen "LEFT_PAREN" Quoted,
    /// `)`
    #[token(")")]
    RightParen "RIGHT_PAREN" Quoted,
    /// `{`
    #[token("{")]
    LeftBrace "LEFT_BRACE" Quoted,
    /// `}`
    RightBrace "RIGHT_BRACE" Quoted,
    /// `[`
    #[token("[")]
    LeftBracket "LEFT_BRACKET" Quoted,
    /// `]`
    #[token("]")]
    RightBracket "RIGHT_BRACKET" Quoted,
    /// `,`
    #[token(",")]
    Comma "COMMA" Quoted,
    /// `=`
    #[token("=")]
    Assign "EQL" Quoted,
    /// `:`
    Colon "COLON" Quoted,
    /// `+`
    #[token("+")]
    Add "ADD" Operator,
    /// `-`
    #[token("-")]
    Sub "SUB" Operator,
    /// `*`
    #[token("*")]
    Mul "MUL" Operator,
    /// `/`
    #[token("/")]
    Div "DIV" Operator,
    /// `%`
    #[token("%")]
    Mod "MOD" Operator,
    /// `^`
    #[token("^")]
    Pow "POW" Operator,
    /// `==`
    #[token("==")]
    EqualEqual "EQLC" Operator,
    /// `!=`
    #[token("!=")]
    NotEqual "NEQ" Operator,
    /// `<`
    #[token("<")]
    Less "LSS" Operator,
    /// `<=`
    #[token("<=")]
    LessEqual "LTE" Operator,
    /// `>`
    #[token(">")]
    Greater "GTR" Operator,
    /// `>=`
    #[token(">=")]
    GreaterEqual "GTE" Operator,
    /// `</`
    #[token("</")]
    TrimUpper "TRIM_UPPER" Operator,
    /// `>/`
    #[token(">/")]
    TrimLower "TRIM_LOWER" Operator,
    /// `=~`
    EqualRegex "EQL_REGEX" Operator,
    /// `!~`
    NotEqualRegex "NEQ_REGEX" Operator,
    /// `@`
    #[token("@")]
    At "AT" Operator,
    /// `and`
    #[token("and", ignore(case))]
    And "LAND" Operator,
    /// `or`
    #[token("or", ignore(case))]
    Or "LOR" Operator,
    /// `unless`
    #[token("unless", ignore(case))]
    Unless "LUNLESS" Operator,
    /// `atan2`
    #[token("atan2", ignore(case))]
    Atan2 "ATAN2" Operator,
    /// `avg`
    #[token("avg", ignore(case))]
    Avg "AVG" Aggregator,
    /// `bottomk`
    #[token("bottomk", ignore(case))]
    Bottomk "BOTTOMK" Aggregator,
    /// `count`
    #[token("count", ignore(case))]
    Count "COUNT" Aggregator,
    /// `count_values`
    #[token("count_values", ignore(case))]
    CountValues "COUNT_VALUES" Aggregator,
    /// `group`
    #[token("group", ignore(case))]
    Group "GROUP" Aggregator,
    /// `limit_ratio`
    #[token("limit_ratio", ignore(case))]
    LimitRatio "LIMIT_RATIO" Aggregator,
    /// `limitk`
    #[token("limitk", ignore(case))]
    Limitk "LIMITK" Aggregator,
    /// `max`
    #[token("max", ignore(case))]
    Max "MAX" Aggregator,
    /// `min`
    #[token("min", ignore(case))]
    Min "MIN" Aggregator,
    /// `quantile`
    #[token("quantile", ignore(case))]
    Quantile "QUANTILE" Aggregator,
    /// `stddev`
    #[token("stddev", ignore(case))]
    Stddev "STDDEV" Aggregator,
    /// `stdvar`
    #[token("stdvar", ignore(case))]
    Stdvar "STDVAR" Aggregator,
    /// `sum`
    #[token("sum", ignore(case))]
    Sum "SUM" Aggregator,
    /// `topk`
    #[token("topk", ignore(case))]
    Topk "TOPK" Aggregator,
    /// `offset`
    #[token("offset", ignore(case))]
    Offset "OFFSET" Keyword,
    /// `smoothed`
    #[token("smoothed", ignore(case))]
    Smoothed "SMOOTHED" Keyword,
    /// `anchored`
    #[token("anchored", ignore(case))]
    Anchored "ANCHORED" Keyword,
    /// `by`
    #[token("by", ignore(case))]
    By "BY" Keyword,
    /// `without`
    #[token("without", ignore(case))]
    Without "WITHOUT" Keyword,
    /// `on`
    #[token("on", ignore(case))]
    On "ON" Keyword,
    /// `ignoring`
    #[token("ignoring", ignore(case))]
    Ignoring "IGNORING" Keyword,
    /// `group_left`
    #[token("group_left", ignore(case))]
    GroupLeft "GROUP_LEFT" Keyword,
    /// `group_right`
    #[token("group_right", ignore(case))]
    GroupRight "GROUP_RIGHT" Keyword,
    /// `fill` in front of a parenthesis
    #[token("fill", ignore(case))]
    Fill "FILL" Keyword,
    /// `fill_left` in front of a parenthesis
    #[token("fill_left", ignore(case))]
    FillLeft "FILL_LEFT" Keyword,
    /// `fill_right` in front of a parenthesis
    #[token("fill_right", ignore(case))]
    FillRight "FILL_RIGHT" Keyword,
    /// `bool`
    #[token("bool", ignore(case))]
    Bool "BOOL" Keyword,
    /// `start`
    #[token("start", ignore(case))]
    Start "START" Quoted,
    /// `end`
    #[token("end", ignore(case))]
    End "END" Quoted,
    /// `step`
    #[token("step", ignore(case))]
    Step "STEP" Quoted,
    /// `range`
    #[token("range", ignore(case))]
    Range "RANGE" Quoted,
    /// `max_of`
    #[token("max_of", ignore(case))]
    MaxOf "MAX_OF" Quoted,
    /// `min_of`
    #[token("min_of", ignore(case))]
    MinOf "MIN_OF" Quoted,
    /// Blank space between the values of a series
    Space "SPACE" Quoted,
    /// `_` among the values of a series
    Blank "BLANK" Quoted,
    /// `x` among the values of a series
    Times "TIMES" Quoted,
    /// `{{`
    OpenHistogram "OPEN_HIST" Quoted,
    /// `}}`
    CloseHistogram "CLOSE_HIST" Quoted,
    /// `sum` in a histogram
    SumKey "SUM_DESC" HistogramWord,
    /// `count` in a histogram
    CountKey "COUNT_DESC" HistogramWord,
    /// `schema` in a histogram
    SchemaKey "SCHEMA_DESC" HistogramWord,
    /// `offset` in a histogram
    OffsetKey "OFFSET_DESC" HistogramWord,
    /// `n_offset` in a histogram
    NegativeOffsetKey "NEGATIVE_OFFSET_DESC" HistogramWord,
    /// `buckets` in a histogram
    BucketsKey "BUCKETS_DESC" HistogramWord,
    /// `n_buckets` in a histogram
    NegativeBucketsKey "NEGATIVE_BUCKETS_DESC" HistogramWord,
    /// `z_bucket` in a histogram
    ZeroBucketKey "ZERO_BUCKET_DESC" HistogramWord,
    /// `z_bucket_w` in a histogram
    ZeroBucketWidthKey "ZERO_BUCKET_WIDTH_DESC" HistogramWord,
    /// `custom_values` in a histogram
    CustomValuesKey "CUSTOM_VALUES_DESC" HistogramWord,
    /// `counter_reset_hint` in a histogram
    CounterResetHintKey "COUNTER_RESET_HINT_DESC" HistogramWord,
    /// `unknown` after `counter_reset_hint`
    UnknownHint "UNKNOWN_COUNTER_RESET" HistogramWord,
    /// `reset` after `counter_reset_hint`
    ResetHint "COUNTER_RESET" HistogramWord,
    /// `not_reset` after `counter_reset_hint`
    NotResetHint "NOT_COUNTER_RESET" HistogramWord,
    /// `gauge` after `counter_reset_hint`
    GaugeHint "GAUGE_TYPE" HistogramWord,
    /// `#` up to the end of the line. The rule finds the `#`.
    #[token("#")]
    Comment "COMMENT" Quoted,
    // The kinds below never leave the lexer: the pass before the parser makes them where one token
    // of look-ahead would not be enough to tell two constructs apart.
    /// `group_left` with a list of labels behind it
    GroupLeftList "GROUP_LEFT" Keyword,
    /// `group_right` with a list of labels behind it
    GroupRightList "GROUP_RIGHT" Keyword,
    /// `offset` whose argument takes in the arithmetic that follows it
    OffsetGreedy "OFFSET" Keyword,
    /// `+` in such an argument
    DurationAdd "ADD" Operator,
    /// `-` in such an argument
    DurationSub "SUB" Operator,
    /// `*` in such an argument
    DurationMul "MUL" Operator,
    /// `/` in such an argument
    DurationDiv "DIV" Operator,
    /// `%` in such an argument
    DurationMod "MOD" Operator,
    /// `^` in such an argument
    DurationPow "POW" Operator,
    /// In front of an expression: tells the parser what the text is
    StartExpression "START_EXPRESSION" Quoted,
    /// In front of a label set
    StartMetric "START_METRIC" Quoted,
    /// In front of a selector
    StartSelector "START_METRIC_SELECTOR" Quoted,
    /// In front of a series description
    StartSeries "START_SERIES_DESCRIPTION" Quoted,
}

impl TokenKind {
    /// The aggregation operator that the word is.
    pub(crate) const fn aggregator(self) -> Option<Aggregator> {
        Some(match self {
            TokenKind::Avg => Aggregator::Avg,
            TokenKind::Bottomk => Aggregator::Bottomk,
            TokenKind::Count => Aggregator::Count,
            TokenKind::CountValues => Aggregator::CountValues,
            TokenKind::Group => Aggregator::Group,
            TokenKind::LimitRatio => Aggregator::LimitRatio,
            TokenKind::Limitk => Aggregator::Limitk,
            TokenKind::Max => Aggregator::Max,
            TokenKind::Min => Aggregator::Min,
            TokenKind::Quantile => Aggregator::Quantile,
            TokenKind::Stddev => Aggregator::Stddev,
            TokenKind::Stdvar => Aggregator::Stdvar,
            TokenKind::Sum => Aggregator::Sum,
            TokenKind::Topk => Aggregator::Topk,
            _ => return None,
        })
    }

    /// The binary operator that the token is, also inside a duration expression.
    pub(crate) const fn binary_op(self) -> Option<BinaryOp> {
        Some(match self {
            TokenKind::Add | TokenKind::DurationAdd => BinaryOp::Add,
            TokenKind::Sub | TokenKind::DurationSub => BinaryOp::Sub,
            TokenKind::Mul | TokenKind::DurationMul => BinaryOp::Mul,
            TokenKind::Div | TokenKind::DurationDiv => BinaryOp::Div,
            TokenKind::Mod | TokenKind::DurationMod => BinaryOp::Mod,
            TokenKind::Pow | TokenKind::DurationPow => BinaryOp::Pow,
            TokenKind::Atan2 => BinaryOp::Atan2,
            TokenKind::EqualEqual => BinaryOp::Eq,
            TokenKind::NotEqual => BinaryOp::Ne,
            TokenKind::Less => BinaryOp::Lt,
            TokenKind::LessEqual => BinaryOp::Le,
            TokenKind::Greater => BinaryOp::Gt,
            TokenKind::GreaterEqual => BinaryOp::Ge,
            TokenKind::TrimUpper => BinaryOp::TrimUpper,
            TokenKind::TrimLower => BinaryOp::TrimLower,
            TokenKind::And => BinaryOp::And,
            TokenKind::Or => BinaryOp::Or,
            TokenKind::Unless => BinaryOp::Unless,
            _ => return None,
        })
    }

    /// The number that upstream's messages show for a key or hint of a histogram.
    pub(crate) const fn histogram_item_number(self) -> u32 {
        match self {
            TokenKind::SumKey => 57370,
            TokenKind::CountKey => 57371,
            TokenKind::SchemaKey => 57372,
            TokenKind::OffsetKey => 57373,
            TokenKind::NegativeOffsetKey => 57374,
            TokenKind::BucketsKey => 57375,
            TokenKind::NegativeBucketsKey => 57376,
            TokenKind::ZeroBucketKey => 57377,
            TokenKind::ZeroBucketWidthKey => 57378,
            TokenKind::CustomValuesKey => 57379,
            TokenKind::CounterResetHintKey => 57380,
            TokenKind::UnknownHint => 57445,
            TokenKind::ResetHint => 57446,
            TokenKind::NotResetHint => 57447,
            _ => 57448,
        }
    }
}
