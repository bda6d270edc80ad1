//! Constants as Go writes them: numbers, characters, quoted strings.

use promql_model::quote::Quoted;

use super::tree::Number;

/// Reads a quoted string, in double quotes with escapes or in back quotes without. Bytes that
/// escapes make and that are no UTF-8 become U+FFFD.
pub(super) fn unquote(source: &str) -> Option<String> {
    if let Some(raw) = source.strip_prefix('`') {
        return Some(raw.strip_suffix('`')?.replace('\r', ""));
    }
    let inner = source.strip_prefix('"')?.strip_suffix('"')?;
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while !rest.is_empty() {
        let (unit, after) = character(rest, '"')?;
        match unit {
            Unit::Byte(byte) => bytes.push(byte),
            Unit::Char(c) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        rest = after;
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

enum Unit {
    Byte(u8),
    Char(char),
}

/// The first character of a quoted text, and what follows it.
fn character(text: &str, quote: char) -> Option<(Unit, &str)> {
    let mut characters = text.chars();
    let first = characters.next()?;
    if first == quote || first == '\n' {
        return None;
    }
    if first != '\\' {
        return Some((Unit::Char(first), characters.as_str()));
    }
    let escape = characters.next()?;
    let rest = characters.as_str();
    let numeric = |digits: usize, radix: u32, text: &str| -> Option<u32> {
        let digits = text.get(..digits)?;
        let valid = digits.chars().all(|c| c.is_digit(radix));
        valid.then(|| u32::from_str_radix(digits, radix).ok()).flatten()
    };
    let simple = |c: char| Some((Unit::Char(c), rest));
    match escape {
        'a' => simple('\x07'),
        'b' => simple('\x08'),
        'f' => simple('\x0c'),
        'n' => simple('\n'),
        'r' => simple('\r'),
        't' => simple('\t'),
        'v' => simple('\x0b'),
        '\\' => simple('\\'),
        '"' | '\'' => (escape == quote).then_some((Unit::Char(escape), rest)),
        'x' => Some((Unit::Byte(u8::try_from(numeric(2, 16, rest)?).ok()?), rest.get(2..)?)),
        'u' => Some((Unit::Char(char::from_u32(numeric(4, 16, rest)?)?), rest.get(4..)?)),
        'U' => Some((Unit::Char(char::from_u32(numeric(8, 16, rest)?)?), rest.get(8..)?)),
        '0'..='7' => {
            let digits = text.get(1..)?;
            Some((Unit::Byte(u8::try_from(numeric(3, 8, digits)?).ok()?), digits.get(3..)?))
        }
        _ => None,
    }
}

/// Reads a character in single quotes: its code.
///
/// # Errors
/// Go's message.
pub(super) fn read_character(source: &str) -> Result<Number, String> {
    let inner = source.strip_prefix('\'').unwrap_or(source);
    let (unit, rest) = character(inner, '\'').ok_or("invalid syntax")?;
    if rest != "'" {
        return Err(format!("malformed character constant: {source}"));
    }
    let code = match unit {
        Unit::Byte(byte) => u32::from(byte),
        Unit::Char(c) => u32::from(c),
    };
    Ok(Number {
        source: source.to_owned(),
        integer: Some(i64::from(code)),
        unsigned: Some(u64::from(code)),
        float: Some(f64::from(code)),
    })
}

/// Reads a number.
///
/// # Errors
/// Go's message.
pub(super) fn read_number(source: &str) -> Result<Number, String> {
    let mut number =
        Number { source: source.to_owned(), integer: None, unsigned: None, float: None };
    let (negative, digits) = match source.as_bytes() {
        [b'-', ..] => (true, &source[1..]),
        [b'+', ..] => (false, &source[1..]),
        _ => (false, source),
    };
    let magnitude = integer(digits);
    if digits.len() == source.len() {
        number.unsigned = magnitude;
    }
    number.integer = magnitude.and_then(|value| match negative {
        true => 0i64.checked_sub_unsigned(value),
        false => i64::try_from(value).ok(),
    });
    if number.integer == Some(0) {
        number.unsigned = Some(0);
    }
    if let Some(integer) = number.integer {
        number.float = Some(integer as f64);
    } else if let Some(unsigned) = number.unsigned {
        number.float = Some(unsigned as f64);
    } else if let Ok(value) = parse_float(source) {
        if !source.contains(['.', 'e', 'E', 'p', 'P']) {
            return Err(format!("integer overflow: {}", Quoted(source.as_bytes())));
        }
        number.float = Some(value);
        if value.fract() == 0.0 && (-9.3e18..9.3e18).contains(&value) {
            number.integer = Some(value as i64).filter(|integer| *integer as f64 == value);
            number.unsigned = Some(value as u64).filter(|integer| *integer as f64 == value);
        }
    }
    if number.float.is_none() {
        return Err(format!("illegal number syntax: {}", Quoted(source.as_bytes())));
    }
    Ok(number)
}

/// An integer without sign, with the prefixes of Go.
fn integer(digits: &str) -> Option<u64> {
    let lower = digits.to_ascii_lowercase();
    let (radix, rest) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, &lower[2..]),
        [b'0', b'o', ..] => (8, &lower[2..]),
        [b'0', b'b', ..] => (2, &lower[2..]),
        [b'0', _, ..] => (8, &lower[1..]),
        _ => (10, &*lower),
    };
    if !underscores_are_fine(&lower) {
        return None;
    }
    let rest = rest.replace('_', "");
    if !rest.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    u64::from_str_radix(&rest, radix).ok()
}

/// Underscores stand between digits, or between the prefix of a base and a digit.
fn underscores_are_fine(lower: &str) -> bool {
    let bytes = lower.as_bytes();
    let is_hexadecimal = lower.starts_with("0x");
    let has_prefix = matches!(bytes, [b'0', b'x' | b'o' | b'b', ..]);
    let is_digit = |byte: &u8| byte.is_ascii_digit() || is_hexadecimal && byte.is_ascii_hexdigit();
    bytes.iter().enumerate().filter(|(_, byte)| **byte == b'_').all(|(at, _)| {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        let behind = bytes.get(at + 1);
        (before.is_some_and(is_digit) || has_prefix && at == 2) && behind.is_some_and(is_digit)
    })
}

/// Reads a float as Go's `strconv.ParseFloat`.
///
/// # Errors
/// Go's message.
pub(super) fn parse_float(text: &str) -> Result<f64, String> {
    let failed =
        |what: &str| format!("strconv.ParseFloat: parsing {}: {what}", Quoted(text.as_bytes()));
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let lower = unsigned.to_ascii_lowercase();
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    match &*lower {
        "inf" | "infinity" => return Ok(sign * f64::INFINITY),
        "nan" if unsigned.len() == text.len() => return Ok(f64::NAN),
        _ => {}
    }
    let is_hexadecimal = lower.starts_with("0x");
    // Underscores are for numbers with the prefix of a base only.
    if lower.contains('_') && !(is_hexadecimal && underscores_are_fine(&lower)) {
        return Err(failed("invalid syntax"));
    }
    let value = match lower.strip_prefix("0x") {
        Some(digits) => hexadecimal_float(&digits.replace('_', "")),
        None => {
            let starts = lower.starts_with(|c: char| c.is_ascii_digit() || c == '.');
            starts.then(|| lower.parse().ok()).flatten()
        }
    };
    let value: f64 = value.ok_or_else(|| failed("invalid syntax"))?;
    if !value.is_finite() {
        return Err(failed("value out of range"));
    }
    Ok(sign * value)
}

/// A mantissa, and the exponent of two that must be there.
fn hexadecimal_float(digits: &str) -> Option<f64> {
    let (mantissa, exponent) = digits.split_once('p')?;
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let digits = format!("{whole}{fraction}");
    let places = i32::try_from(fraction.len()).ok()?.checked_mul(4)?;
    let value = u64::from_str_radix(&digits, 16).ok()? as f64;
    Some(value * 2f64.powi(exponent.checked_sub(places)?))
}
