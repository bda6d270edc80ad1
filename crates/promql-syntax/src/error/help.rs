//! What to do about an error.

use super::{Error, ErrorKind, TypedPlace};
use crate::ast::BinaryOp;
use crate::functions::{AGGREGATORS, FUNCTIONS, FunctionInfo};
use crate::lexer::{Token, TokenKind, tokenize};
use crate::types::ValueType;
use promql_model::FormatDuration;

/// Functions that other query languages of the family have, or that had another name once.
const FOREIGN_FUNCTIONS: [(&str, &str); 14] = [
    ("holt_winters", "it is called double_exponential_smoothing since Prometheus 3"),
    ("median", "write quantile(0.5, …)"),
    ("median_over_time", "write quantile_over_time(0.5, …)"),
    ("range_over_time", "write max_over_time(…) - min_over_time(…)"),
    ("increase_pure", "it is MetricsQL; PromQL has increase(…)"),
    ("rollup", "it is MetricsQL; PromQL has min_over_time, avg_over_time and max_over_time"),
    ("rollup_rate", "it is MetricsQL; PromQL has rate(…)"),
    ("default_rollup", "it is MetricsQL; PromQL has last_over_time(…)"),
    ("label_set", "write label_replace(…, \"label\", \"value\", \"\", \"\")"),
    ("label_value", "it is MetricsQL; PromQL cannot turn a label into a value"),
    ("union", "write a or b"),
    ("count_eq_over_time", "it is MetricsQL; write sum_over_time((… == bool x)[5m:])"),
    ("derivative", "write deriv(…)"),
    ("distinct", "write count(count by (label) (…))"),
];

impl Error {
    /// What is wrong in a few words, for the place where it is.
    pub fn label(&self) -> String {
        match &self.kind {
            ErrorKind::WrongType(_, expected, got) => {
                format!("this is {}", a(*got)) + &format!(", but {} belongs here", a(*expected))
            }
            ErrorKind::UnclosedParenthesis => "never closed".into(),
            ErrorKind::UnclosedBracket | ErrorKind::EndInDuration => {
                "the bracket is never closed".into()
            }
            ErrorKind::EndInBraces => "the braces are never closed".into(),
            ErrorKind::Unexpected(_, _, Some(expected)) => format!("expected {expected}"),
            ErrorKind::Unexpected(token, ..) if &**token == "end of input" => {
                "something is missing here".into()
            }
            ErrorKind::Unexpected(..) => "not possible here".into(),
            ErrorKind::UnknownFunction(_) => "no such function".into(),
            ErrorKind::ArgumentCount(_, _, _, got) => count(*got, "argument"),
            ErrorKind::AggregateArgumentCount(_, _, got) => count(*got, "argument"),
            ErrorKind::BadOperand(got) | ErrorKind::BadUnaryOperand(got) => {
                format!("this is {}", a(*got))
            }
            ErrorKind::BadSubquery(got) => format!("of {}", a(*got)),
            ErrorKind::EmptySelector => "selects every series there is".into(),
            _ => "here".into(),
        }
    }

    /// What to do about it.
    pub fn help(&self, source: &[u8]) -> Option<String> {
        let text = String::from_utf8_lossy(source.get(self.span.range()).unwrap_or_default());
        let help: String = match &self.kind {
            ErrorKind::NoExpression => "write an expression, for example: up == 0".into(),
            ErrorKind::TooLong(_) => return None,
            ErrorKind::UnclosedParenthesis => "add the missing `)`".into(),
            ErrorKind::UnclosedBracket | ErrorKind::EndInDuration => {
                "close the bracket: `[5m]` is a range, `[1h:5m]` a subquery".into()
            }
            ErrorKind::EndInBraces => "close the braces: `{label=\"value\"}`".into(),
            ErrorKind::UnexpectedRightParenthesis => "remove it, or add the `(` that it closes".into(),
            ErrorKind::UnexpectedRightBracket => "remove it, or add the `[` that it closes".into(),
            ErrorKind::UnexpectedLeftBracket => {
                "a bracket holds one duration: `[5m]`, or a range and a step: `[1h:5m]`".into()
            }
            ErrorKind::UnexpectedLeftBrace => "matchers are listed in one pair of braces".into(),
            ErrorKind::UnexpectedCharacter(c) | ErrorKind::UnexpectedInBraces(c) => {
                return character(*c, matches!(self.kind, ErrorKind::UnexpectedInBraces(_)));
            }
            ErrorKind::UnexpectedAfterEquals(_) => {
                "regular expressions match labels, inside braces: `metric{label=~\"a|b\"}`".into()
            }
            ErrorKind::UnexpectedAfterBang(_) => {
                "`!=` compares; to leave out what another vector has write `a unless b`".into()
            }
            ErrorKind::UnexpectedAfterBangInBraces(_) => {
                "matchers are `=`, `!=`, `=~` and `!~`".into()
            }
            ErrorKind::ExpectedColon(_) => {
                "a bracket holds a range, `[5m]`, or a range and a step, `[1h:5m]`; units are ms, s, m, h, d, w, y".into()
            }
            ErrorKind::UnexpectedColon | ErrorKind::RepeatedColon => {
                "a subquery has one colon: `[range:step]`".into()
            }
            ErrorKind::ColonBeforeDuration => {
                "the range comes before the colon and holds a number: `[step()+0:5m]`".into()
            }
            ErrorKind::UnexpectedInDuration(c) => match c {
                '"' | '\'' | '`' => "durations stand without quotes: `[5m]`".into(),
                '$' => "put a duration there; variables are the business of dashboards".into(),
                _ => "a duration is a number with a unit: `[5m]`, `[1h30m]`; units are ms, s, m, h, d, w, y".into(),
            },
            ErrorKind::BadNumberOrDuration(text) => return Some(bad_number(text)),
            ErrorKind::UnterminatedString | ErrorKind::UnterminatedRawString => {
                "add the closing quote; text in \"…\" and '…' stays on one line, in `…` it may go on".into()
            }
            ErrorKind::InvalidUtf8 => "save the text as UTF-8, or write the byte as `\\xHH`".into(),
            ErrorKind::UnknownEscape(c) => format!(
                "a backslash is written twice: `\\\\{c}`; or write the string in backticks, where nothing is escaped"
            ),
            ErrorKind::IllegalEscapeCharacter(_)
            | ErrorKind::EscapeNotTerminated
            | ErrorKind::EscapeOutOfRange => {
                "escapes are \\n \\t \\\\ \\\" and the like, \\ooo, \\xHH, \\uHHHH and \\UHHHHHHHH".into()
            }
            ErrorKind::BadSeriesNumber(_)
            | ErrorKind::UnexpectedInSeries(_)
            | ErrorKind::BadRepetition(..) => {
                "values are separated by blanks: 1 2.5 _ stale 0+10x5 3x4".into()
            }
            ErrorKind::UnexpectedInHistogram(_)
            | ErrorKind::MissingHistogramColon
            | ErrorKind::UnexpectedInBuckets(_) => {
                "a histogram looks like {{schema:1 sum:5 count:3 buckets:[1 2]}}, with no blank after a colon".into()
            }
            ErrorKind::BadHistogramWord(word) => {
                let known = [
                    "sum", "count", "schema", "offset", "n_offset", "buckets", "n_buckets",
                    "z_bucket", "z_bucket_w", "custom_values", "counter_reset_hint",
                ];
                match nearest(&String::from_utf8_lossy(word), known) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("the keys are {}", known.join(", ")),
                }
            }
            ErrorKind::Unexpected(token, context, _) => {
                return unexpected(self, source, token, *context);
            }
            ErrorKind::BadNumber(_) => {
                "numbers look like 1, 0.5, 1e3, 0x1F, 1_000; a leading 0 makes them octal".into()
            }
            ErrorKind::NumberOutOfRange(_) => "the largest number is about 1.8e308; `Inf` is infinity".into(),
            ErrorKind::BadDuration(_) => return Some(bad_duration(&text)),
            ErrorKind::DurationOutOfRange => "the longest duration is 292y".into(),
            ErrorKind::DurationNotPositive => {
                "ranges and steps reach back: give a positive one; to look ahead use a negative offset".into()
            }
            ErrorKind::DivisionByZero | ErrorKind::ModuloByZero => "divide by something else than 0".into(),
            ErrorKind::BadRegex(_) => {
                "regular expressions are RE2: no look-around, no back-references; inside \"…\" a backslash is written twice".into()
            }
            ErrorKind::RangeOnNonSelector => {
                "only selectors take a range; over an expression write a subquery: `(…)[5m:]`, or `[1h:5m]` with a step".into()
            }
            ErrorKind::OffsetBeforeRange | ErrorKind::AtBeforeRange => {
                "the range comes first: `metric[5m] offset 1h`, `metric[5m] @ end()`".into()
            }
            ErrorKind::OffsetTarget | ErrorKind::AtTarget => {
                "put it behind each selector: `sum(rate(x[5m] offset 1h))`, not `sum(rate(x[5m])) offset 1h`".into()
            }
            ErrorKind::OffsetTwice | ErrorKind::AtTwice => "keep one of the two".into(),
            ErrorKind::AtOutOfBounds(_) => "give a Unix time in seconds, `start()` or `end()`".into(),
            ErrorKind::ExtendedRangeDisabled(_) => {
                "start the server with --enable-feature=promql-extended-range-selectors".into()
            }
            ErrorKind::AnchoredAndSmoothed => "keep one of the two".into(),
            ErrorKind::ExtendedRangeOnSubquery(_) | ErrorKind::ExtendedRangeTarget(_) => {
                "it belongs behind a selector: `increase(x[5m] anchored)`".into()
            }
            ErrorKind::InvalidGroupingLabel(_) => "give the name of a label, at least one character of UTF-8".into(),
            ErrorKind::FillDisabled => {
                "start the server with --enable-feature=promql-binop-fill-modifiers".into()
            }
            ErrorKind::TrailingComma => "remove the comma, or add the argument it announces".into(),
            ErrorKind::AggregateWithoutArguments => "say what to aggregate: `sum by (job) (rate(x[5m]))`".into(),
            ErrorKind::AggregateArgumentCount(op, ..) => match &op.info().parameter {
                Some(parameter) => format!("write `{}({}, vector)`", op.name(), parameter.name),
                None => format!(
                    "`{}` aggregates one vector; labels go into a clause: `{} by (label) (vector)`",
                    op.name(), op.name()
                ),
            },
            ErrorKind::AggregatorDisabled(_) | ErrorKind::FunctionDisabled(_) => {
                "start the server with --enable-feature=promql-experimental-functions".into()
            }
            ErrorKind::UnknownFunction(name) => return unknown_function(name),
            ErrorKind::TooManyValues(_) => "write fewer repetitions".into(),
            ErrorKind::DuplicateHistogramKey(_) => "keep one of the two".into(),
            ErrorKind::BadHistogramArithmetic(_) => {
                "what is added must have a schema that is not lower, and the same kind of buckets".into()
            }
            ErrorKind::WrongType(place, expected, got) => {
                return wrong_type(*place, *expected, *got, &text);
            }
            ErrorKind::BoolOnNonComparison(op) => format!("remove `bool`: `{}` does not compare", op.symbol()),
            ErrorKind::ScalarComparisonWithoutBool(op) => format!(
                "between two scalars write `{} bool`, which gives 0 or 1", op.symbol()
            ),
            ErrorKind::LabelInOnAndGroup(_) => {
                "labels of `on` are part of the result anyway: remove it from the group list".into()
            }
            ErrorKind::BadOperand(got) | ErrorKind::BadUnaryOperand(got) => operand(*got).into(),
            ErrorKind::MatchingOnScalar => "a scalar has no labels to match: remove `on` or `ignoring`".into(),
            ErrorKind::FillOnScalar => "a scalar is never missing: remove `fill`".into(),
            ErrorKind::GroupingOnSet(_) | ErrorKind::SetNotManyToMany => {
                "set operators match many elements with many: remove `group_left` or `group_right`".into()
            }
            ErrorKind::FillOnSet => "set operators have no missing elements: remove `fill`".into(),
            ErrorKind::SetOnScalar(_) => {
                "make a vector of the scalar: `vector(1)`; to keep only some elements compare: `x > 0`".into()
            }
            ErrorKind::ArgumentCount(function, ..) => format!("the signature is {}", signature(function)),
            ErrorKind::InfoNeedsLabelsOnly | ErrorKind::InfoNeedsSelector => {
                "write the labels of the info metric alone: `info(x, {version=~\".+\"})`".into()
            }
            ErrorKind::BadSubquery(got) => match got {
                ValueType::RangeVector => "one range is enough: remove a bracket".into(),
                ValueType::Scalar => "make a vector of the scalar first: `vector(…)[5m:]`".into(),
                _ => return None,
            },
            ErrorKind::NameSetTwice(..) => {
                "name the metric once, in front of the braces or inside".into()
            }
            ErrorKind::EmptySelector => {
                "add a metric's name, or a matcher that an empty value does not satisfy: `{job=\"api\"}`".into()
            }
        };
        Some(help)
    }
}

/// The type with its article.
fn a(value_type: ValueType) -> &'static str {
    match value_type {
        ValueType::Scalar => "a scalar",
        ValueType::InstantVector => "an instant vector",
        ValueType::RangeVector => "a range vector",
        ValueType::String => "a string",
    }
}

fn count(n: usize, what: &str) -> String {
    match n {
        1 => format!("1 {what}"),
        _ => format!("{n} {what}s"),
    }
}

/// The signature of a function as errors show it.
fn signature(function: &FunctionInfo) -> String {
    let parameters: Vec<String> = function
        .parameters
        .iter()
        .map(|parameter| format!("{}: {}", parameter.name, parameter.value_type))
        .collect();
    format!("{}({})", function.name, parameters.join(", "))
}

fn character(c: char, in_braces: bool) -> Option<String> {
    Some(match c {
        '&' => "the operator is `and`".into(),
        '|' => {
            "the operator is `or`; alternatives of a label are a regular expression: `{a=~\"x|y\"}`"
                .into()
        }
        ';' => "an expression is not ended by anything".into(),
        '$' => {
            "variables are replaced before PromQL is read: give a value, or set the variable".into()
        }
        '\u{a0}' | '\u{2009}' | '\u{202f}' | '\u{3000}' => {
            "this blank is none of the language's: replace it with an ordinary one".into()
        }
        '“' | '”' | '„' | '‘' | '’' | '«' | '»' => "use straight quotes: \"…\"".into(),
        '–' | '—' | '−' => "use the hyphen for minus: `-`".into(),
        '×' => "multiplication is `*`".into(),
        '÷' => "division is `/`".into(),
        '≥' => "write `>=`".into(),
        '≤' => "write `<=`".into(),
        '≠' => "write `!=`".into(),
        '?' => "there is no such operator; a condition is a comparison: `x > 5`".into(),
        '.' if in_braces => "quote label names with dots: `{\"my.label\"=\"x\"}`".into(),
        '.' => "quote metric names with dots: `{\"my.metric\"}`".into(),
        '>' | '<' if in_braces => {
            "labels are not compared by size: matchers are `=`, `!=`, `=~`, `!~`".into()
        }
        ':' if in_braces => {
            "label names have no colon; quote it if it has to be: `{\"a:b\"=\"x\"}`".into()
        }
        '-' if in_braces => "quote label names with hyphens: `{\"my-label\"=\"x\"}`".into(),
        '}' => "remove it, or add the `{` that it closes".into(),
        '0'..='9' if in_braces => {
            "label names start with a letter, and values are quoted: `{code=\"500\"}`".into()
        }
        c if c.is_alphabetic() => {
            "quote names that are not ASCII: `{\"température\"}`, `{\"größe\"=\"x\"}`".into()
        }
        _ if in_braces => "in braces stand matchers: `label=\"value\"`, separated by commas".into(),
        _ => return None,
    })
}

fn bad_number(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let digits: String = text.chars().take_while(|c| c.is_ascii_digit()).collect();
    match &text[digits.len()..] {
        "" if text.starts_with('0') => {
            "numbers are decimal, 0x… or octal; units are ms, s, m, h, d, w, y".into()
        }
        "" => "units are ms, s, m, h, d, w and y, in small letters: `5m`, `1h30m`".into(),
        rest if rest.matches('.').count() > 1 => "a number has one decimal point".into(),
        _ => "numbers look like 1, 0.5, 1e3, 0x1F; durations like 5m, 1h30m".into(),
    }
}

fn bad_duration(text: &str) -> String {
    // A fraction of a unit is the commonest mistake.
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let nanos = match unit {
        "s" => 1e9,
        "m" => 60e9,
        "h" => 3600e9,
        "d" => 86_400e9,
        "w" => 604_800e9,
        _ => 0.0,
    };
    match number.replace('_', "").parse::<f64>() {
        Ok(value) if nanos > 0.0 && value > 0.0 && value * nanos < 9e18 => {
            let whole = FormatDuration((value * nanos).round() as i64);
            format!("each unit takes a whole number: write `{whole}`")
        }
        _ => {
            "units are y, w, d, h, m, s and ms, each at most once and in that order: `1h30m`".into()
        }
    }
}

/// The name that is closest to a misspelt one.
fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let lower = name.to_ascii_lowercase();
    // Anything is close to a name of one or two letters.
    let worst = if lower.len() < 3 { 0 } else { (lower.len() / 3).max(1) };
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&lower, candidate), candidate))
        .filter(|&(distance, _)| distance <= worst)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

fn unknown_function(name: &str) -> Option<String> {
    if let Some((_, instead)) = FOREIGN_FUNCTIONS.iter().find(|(foreign, _)| *foreign == name) {
        return Some((*instead).into());
    }
    let lower = name.to_ascii_lowercase();
    if crate::functions::function(&lower).is_some() {
        return Some(format!("functions are written in small letters: `{lower}`"));
    }
    let functions = FUNCTIONS.iter().map(|row| row.name);
    let aggregators = AGGREGATORS.iter().map(|row| row.name);
    nearest(name, functions.chain(aggregators)).map(|near| format!("did you mean `{near}`?"))
}

fn operand(got: ValueType) -> &'static str {
    match got {
        ValueType::RangeVector => {
            "make one value of each range first: `rate(x[5m])`, `avg_over_time(x[5m])`"
        }
        _ => "strings are only arguments of functions, and values of labels inside braces",
    }
}

fn wrong_type(
    place: TypedPlace,
    expected: ValueType,
    got: ValueType,
    text: &str,
) -> Option<String> {
    let is_selector = text.chars().all(|c| {
        c.is_ascii_alphanumeric()
            || matches!(c, '_' | ':' | '{' | '}' | '"' | '=' | ',' | ' ' | '~' | '!' | '.' | '|')
    });
    let short = text.len() <= 60 && !text.contains('\n');
    Some(match (expected, got) {
        (ValueType::RangeVector, ValueType::InstantVector) if is_selector && short => {
            format!("give it a range: `{text}[5m]`")
        }
        (ValueType::RangeVector, ValueType::InstantVector) => match place {
            TypedPlace::Argument(function, _) if matches!(function.name, "rate" | "increase" | "irate") => format!(
                "take the {} of each series first and aggregate then: `sum({}(x[5m]))`; or write a subquery: `(…)[5m:]`",
                function.name, function.name
            ),
            _ => "a range of an expression is a subquery: `(…)[5m:]`, or `[1h:5m]` with a step".into(),
        },
        (ValueType::InstantVector, ValueType::RangeVector) => {
            "make one value of each range first: `rate(x[5m])`, `avg_over_time(x[5m])`; or remove the range".into()
        }
        (ValueType::InstantVector, ValueType::Scalar) => match short {
            true => format!("make a vector of it: `vector({text})`"),
            false => "make a vector of it: `vector(…)`".into(),
        },
        (ValueType::Scalar, ValueType::InstantVector) => match place {
            TypedPlace::AggregateParameter(op) => format!(
                "the parameter comes first: `{}(5, vector)`; of a vector with one element make a scalar: `scalar(…)`",
                op.name()
            ),
            TypedPlace::Argument(function, _) => format!(
                "the signature is {}; of a vector with one element make a scalar: `scalar(…)`",
                signature(function)
            ),
            TypedPlace::AggregateOperand(_) => return None,
        },
        (ValueType::String, _) => match place {
            TypedPlace::AggregateParameter(op) => {
                format!("name the label that takes the value: `{}(\"label\", vector)`", op.name())
            }
            _ => "put it in quotes: \"…\"".into(),
        },
        (_, ValueType::String) => "remove the quotes if it is a metric or a number".into(),
        _ => match place {
            TypedPlace::Argument(function, _) => format!("the signature is {}", signature(function)),
            _ => return None,
        },
    })
}

/// Help for a token that cannot stand where it stands, from the tokens around it.
fn unexpected(error: &Error, source: &[u8], token: &str, context: Option<&str>) -> Option<String> {
    let tokens = tokenize(source).tokens;
    let at = tokens.iter().position(|t| t.span == error.span).unwrap_or(tokens.len());
    let kind = |at: usize| tokens.get(at).map(|t| t.kind);
    let text = |at: usize| {
        let bytes = tokens.get(at).map(|t| &source[t.span.range()]).unwrap_or_default();
        String::from_utf8_lossy(bytes).into_owned()
    };
    let previous = at.checked_sub(1).and_then(kind);
    if context == Some("label matching") {
        return Some(match previous {
            Some(TokenKind::Assign) if kind(at) == Some(TokenKind::Assign) => {
                "labels are compared with one `=`".into()
            }
            Some(
                TokenKind::Assign
                | TokenKind::NotEqual
                | TokenKind::EqualRegex
                | TokenKind::NotEqualRegex,
            ) => match kind(at) {
                Some(TokenKind::Identifier) => format!("put the value in quotes: \"{}\"", text(at)),
                _ => "give the value in quotes: `label=\"value\"`".into(),
            },
            Some(TokenKind::String) => "separate matchers with commas".into(),
            Some(TokenKind::Identifier) => {
                "a matcher has an operator and a value: `label=\"value\"`".into()
            }
            _ => "in braces stand matchers: `label=\"value\"`, separated by single commas".into(),
        });
    }
    match context {
        Some("grouping opts") => {
            return Some(match kind(at) {
                Some(TokenKind::String) => "separate labels with commas".into(),
                _ => "labels stand in parentheses, separated by commas: `(job, instance)`".into(),
            });
        }
        Some("offset") => return Some("a duration follows: `offset 5m`, `offset -1h`".into()),
        Some("@") => {
            return Some("a Unix time follows, `start()` or `end()`: `@ 1609746000`".into());
        }
        Some("subquery or range selector" | "subquery or range" | "subquery selector") => {
            return Some(
                "in brackets stands a range, `[5m]`, or a range and a step, `[1h:5m]`".into(),
            );
        }
        Some("label set" | "series values" | "histogram description") => {
            return Some(
                "a series is a metric and its values: `up{job=\"api\"} 1 1 0 _ 1x5`".into(),
            );
        }
        _ => {}
    }
    if previous.is_some_and(|kind| kind.aggregator().is_some()) && kind(at).is_some() {
        let op = text(at - 1);
        let word = text(at);
        return Some(match nearest(&word, ["by", "without"]) {
            Some(clause) => format!("did you mean `{op} {clause}`?"),
            None => format!(
                "what is aggregated stands in parentheses: `{op}({word})`, `{op} by (label) ({word})`"
            ),
        });
    }
    if follows_clause(&tokens[..at]) && kind(at).is_some() {
        return Some(format!("what is aggregated stands in parentheses: `({})`", text(at)));
    }
    if token == "end of input" {
        return Some(match previous {
            Some(kind) if kind.binary_op().is_some() => "the right operand is missing".into(),
            _ => "the expression is not complete".into(),
        });
    }
    match kind(at) {
        Some(TokenKind::Assign) => Some("values are compared with `==`; a label is matched inside braces: `metric{label=\"value\"}`".into()),
        Some(TokenKind::GroupLeft | TokenKind::GroupRight) => {
            Some("say first which labels match: `a * on (job) group_left (label) b`".into())
        }
        Some(TokenKind::On | TokenKind::Ignoring) => {
            Some("it belongs behind a binary operator, once: `a / on (job) b`".into())
        }
        Some(TokenKind::By | TokenKind::Without) => {
            Some("it belongs to an aggregation, once: `sum by (job) (x)`".into())
        }
        Some(TokenKind::Bool) => Some("it belongs behind a comparison: `a > bool b`".into()),
        Some(TokenKind::Identifier) if ends_operand(previous) => {
            let word = text(at);
            let words = ["offset", "and", "or", "unless", "bool", "on", "by", "without", "ignoring", "atan2", "anchored", "smoothed"];
            Some(match nearest(&word, words) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "an operator is missing, such as `+`, `and` or a comma".into(),
            })
        }
        Some(TokenKind::Number | TokenKind::Duration | TokenKind::String | TokenKind::LeftParen)
            if ends_operand(previous) =>
        {
            Some("an operator or a comma is missing".into())
        }
        Some(found) if is_infix(found) => Some("the left operand is missing".into()),
        Some(TokenKind::RightParen | TokenKind::Comma) => Some("an operand is missing".into()),
        _ => None,
    }
}

/// Whether the tokens end in the labels of `by` or `without`.
fn follows_clause(tokens: &[Token]) -> bool {
    let open = tokens.iter().rposition(|token| token.kind == TokenKind::LeftParen);
    let word = open.and_then(|open| open.checked_sub(1)).map(|at| tokens[at].kind);
    matches!(word, Some(TokenKind::By | TokenKind::Without))
        && tokens.last().is_some_and(|token| token.kind == TokenKind::RightParen)
}

fn is_infix(kind: TokenKind) -> bool {
    kind.binary_op().is_some_and(|op| !matches!(op, BinaryOp::Add | BinaryOp::Sub))
}

fn ends_operand(kind: Option<TokenKind>) -> bool {
    matches!(
        kind,
        Some(
            TokenKind::Identifier
                | TokenKind::MetricIdentifier
                | TokenKind::Number
                | TokenKind::Duration
                | TokenKind::String
                | TokenKind::RightParen
                | TokenKind::RightBrace
                | TokenKind::RightBracket
        )
    )
}

/// The innermost parenthesis that is never closed.
pub(super) fn unclosed_parenthesis(source: &[u8]) -> Option<Token> {
    let mut open = Vec::new();
    for token in tokenize(source).tokens {
        match token.kind {
            TokenKind::LeftParen => open.push(token),
            TokenKind::RightParen => drop(open.pop()),
            _ => {}
        }
    }
    open.pop()
}
