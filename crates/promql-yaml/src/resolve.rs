//! What a scalar stands for.

use super::Style;

/// What a scalar stands for by the rules of Prometheus' readers: YAML 1.1, except that `yes`, `on` and
/// the like are texts unless a truth value is asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Resolved {
    /// Nothing.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// Anything else.
    Text,
}

/// The kinds of values, as upstream names them in its complaints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing.
    Null,
    /// A truth value.
    Boolean,
    /// A whole number.
    Integer,
    /// Another number.
    Float,
    /// A text.
    Text,
    /// A list.
    Sequence,
    /// A mapping.
    Mapping,
}

impl Kind {
    /// The tag that upstream names it by.
    pub const fn tag(self) -> &'static str {
        match self {
            Kind::Null => "!!null",
            Kind::Boolean => "!!bool",
            Kind::Integer => "!!int",
            Kind::Float => "!!float",
            Kind::Text => "!!str",
            Kind::Sequence => "!!seq",
            Kind::Mapping => "!!map",
        }
    }

    /// What a person calls it, with an article.
    pub const fn noun(self) -> &'static str {
        match self {
            Kind::Null => "nothing",
            Kind::Boolean => "a truth value",
            Kind::Integer => "a whole number",
            Kind::Float => "a number",
            Kind::Text => "a text",
            Kind::Sequence => "a list",
            Kind::Mapping => "a mapping",
        }
    }
}

impl Resolved {
    /// Its kind.
    pub const fn kind(&self) -> Kind {
        match self {
            Resolved::Null => Kind::Null,
            Resolved::Boolean(_) => Kind::Boolean,
            Resolved::Integer(_) => Kind::Integer,
            Resolved::Float(_) => Kind::Float,
            Resolved::Text => Kind::Text,
        }
    }
}

/// Finds out what a scalar stands for. Quotes and block styles make a text of everything.
///
/// ```
/// use promql_yaml::{Resolved, Style, resolve};
/// assert_eq!(resolve("010", Style::Plain, None), Resolved::Integer(8));
/// assert_eq!(resolve(".inf", Style::Plain, None), Resolved::Float(f64::INFINITY));
/// assert_eq!(resolve("~", Style::SingleQuoted, None), Resolved::Text);
/// ```
pub fn resolve(text: &str, style: Style, tag: Option<&str>) -> Resolved {
    match tag {
        Some("tag:yaml.org,2002:str" | "tag:yaml.org,2002:binary" | "!") => return Resolved::Text,
        Some("tag:yaml.org,2002:null") => return Resolved::Null,
        Some("tag:yaml.org,2002:float") => {
            if let Some(number) = number(text) {
                return Resolved::Float(number.as_float());
            }
        }
        _ => {}
    }
    if style != Style::Plain {
        return Resolved::Text;
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Resolved::Null,
        "true" | "True" | "TRUE" => Resolved::Boolean(true),
        "false" | "False" | "FALSE" => Resolved::Boolean(false),
        _ => match number(text) {
            Some(Number::Integer(value)) => Resolved::Integer(value),
            Some(Number::Float(value)) => Resolved::Float(value),
            None => Resolved::Text,
        },
    }
}

/// A number as it is written.
enum Number {
    Integer(i64),
    Float(f64),
}

impl Number {
    fn as_float(&self) -> f64 {
        match self {
            Number::Integer(value) => *value as f64,
            Number::Float(value) => *value,
        }
    }
}

fn number(text: &str) -> Option<Number> {
    let first = *text.as_bytes().first()?;
    if !(first.is_ascii_digit() || matches!(first, b'.' | b'+' | b'-')) {
        return None;
    }
    match text {
        ".nan" | ".NaN" | ".NAN" => return Some(Number::Float(f64::NAN)),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            return Some(Number::Float(f64::INFINITY));
        }
        "-.inf" | "-.Inf" | "-.INF" => return Some(Number::Float(f64::NEG_INFINITY)),
        _ => {}
    }
    let digits: String = text.chars().filter(|c| *c != '_').collect();
    if let Some(value) = integer(&digits) {
        return Some(match i64::try_from(value) {
            Ok(value) => Number::Integer(value),
            Err(_) => Number::Float(value as f64),
        });
    }
    is_float(&digits).then(|| digits.parse().ok().map(Number::Float)).flatten()
}

/// A whole number by the rules of Go: `0x`, `0o`, `0b`, and a leading `0` for octal digits.
fn integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (base, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    // The sign was taken.
    if !digits.as_bytes().first()?.is_ascii_alphanumeric() {
        return None;
    }
    let value = i128::from_str_radix(digits, base).ok()?;
    let value = if negative { -value } else { value };
    // Go reads what fits into 64 bits, with or without sign.
    (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&value).then_some(value)
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_float(text: &str) -> bool {
    let rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (rest, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let has_mantissa =
        digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty());
    has_mantissa
        && exponent.is_none_or(|exponent| {
            let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
            !exponent.is_empty() && digits(exponent)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (text, expected) in [
            ("010", Resolved::Integer(8)),
            ("1_000", Resolved::Integer(1000)),
            ("0x1", Resolved::Integer(1)),
            ("-0b11", Resolved::Integer(-3)),
            ("+7", Resolved::Integer(7)),
            ("1e0", Resolved::Float(1.0)),
            (".5", Resolved::Float(0.5)),
            ("5.", Resolved::Float(5.0)),
            ("08", Resolved::Float(8.0)),
            ("-.inf", Resolved::Float(f64::NEG_INFINITY)),
            ("99999999999999999999", Resolved::Float(99_999_999_999_999_999_999.0)),
            ("5m", Resolved::Text),
            ("NaN", Resolved::Text),
            ("+Inf", Resolved::Text),
            ("+-5", Resolved::Text),
            ("1e", Resolved::Text),
            (".", Resolved::Text),
            ("-", Resolved::Text),
            ("2020-01-01", Resolved::Text),
        ] {
            assert_eq!(resolve(text, Style::Plain, None), expected, "{text}");
        }
    }

    #[test]
    fn words() {
        for text in ["", "~", "null", "NULL"] {
            assert_eq!(resolve(text, Style::Plain, None), Resolved::Null, "{text}");
        }
        assert_eq!(resolve("yes", Style::Plain, None), Resolved::Text);
        assert_eq!(resolve("True", Style::Plain, None), Resolved::Boolean(true));
        assert_eq!(resolve("5", Style::Plain, Some("tag:yaml.org,2002:str")), Resolved::Text);
        assert_eq!(resolve("5", Style::Literal, None), Resolved::Text);
    }
}
