//! Texts of floats in all forms that there are verbs for.

use promql_model::number::General;

/// A float with its sign, which is there also for positive numbers: Go's `strconv.FormatFloat`.
pub(super) fn float(value: f64, form: char, precision: Option<usize>, sharp: bool) -> String {
    if value.is_nan() {
        return "+NaN".to_owned();
    }
    let sign = if value.is_sign_negative() { '-' } else { '+' };
    let size = value.abs();
    if size.is_infinite() {
        return format!("{sign}Inf");
    }
    let digits = match (form, precision) {
        ('f' | 'F', precision) => {
            let mut text = format!("{size:.*}", precision.unwrap_or(6));
            if sharp && !text.contains('.') {
                text.push('.');
            }
            text
        }
        ('e' | 'E', precision) => scientific(size, precision.unwrap_or(6)),
        ('x' | 'X', precision) => hexadecimal(size, precision),
        ('b', _) => binary(size),
        (_, None) if !sharp => General(size).to_string(),
        (_, precision) => {
            let precision = precision.unwrap_or(6).max(1);
            let text = scientific(size, precision - 1);
            let exponent: i32 =
                text.split_once('e').and_then(|(_, power)| power.parse().ok()).unwrap_or(0);
            let trim = |text: &str| match text.contains('.') && !sharp {
                true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
                false => text.to_owned(),
            };
            if exponent < -4 || exponent >= i32::try_from(precision).unwrap_or(i32::MAX) {
                match text.split_once('e') {
                    Some((mantissa, power)) => format!("{}e{power}", trim(mantissa)),
                    None => text,
                }
            } else {
                let places = usize::try_from(
                    i32::try_from(precision).unwrap_or(i32::MAX).saturating_sub(1 + exponent),
                );
                trim(&format!("{size:.*}", places.unwrap_or(0)))
            }
        }
    };
    match form.is_ascii_uppercase() {
        true => format!("{sign}{}", digits.to_ascii_uppercase()),
        false => format!("{sign}{digits}"),
    }
}

/// `1.500e+00`
fn scientific(size: f64, precision: usize) -> String {
    let text = format!("{size:.precision$e}");
    match text.split_once('e') {
        Some((mantissa, power)) => {
            let power: i32 = power.parse().unwrap_or(0);
            let sign = if power < 0 { '-' } else { '+' };
            format!("{mantissa}e{sign}{:02}", power.unsigned_abs())
        }
        None => text,
    }
}

/// The bits of a float: its mantissa, and the power of two that it is multiplied by.
fn parts(size: f64) -> (u64, i32) {
    let bits = size.to_bits();
    let (power, mantissa) = ((bits >> 52 & 0x7ff) as i32, bits & ((1 << 52) - 1));
    match power {
        0 => (mantissa, -1074),
        _ => (mantissa | 1 << 52, power - 1075),
    }
}

/// `4503599627370496p-52`
fn binary(size: f64) -> String {
    let (mantissa, power) = parts(size);
    let sign = if power < 0 { '-' } else { '+' };
    format!("{mantissa}p{sign}{}", power.unsigned_abs())
}

/// `0x1.8p+00`
fn hexadecimal(size: f64, precision: Option<usize>) -> String {
    let (mut mantissa, mut power) = parts(size);
    if mantissa == 0 {
        power = 0;
    } else {
        // The leading bit right before the point, and 60 bits behind it.
        let shift = mantissa.leading_zeros() as i32 - 3;
        mantissa <<= shift;
        power += 60 - shift;
    }
    if let Some(precision) = precision.filter(|precision| *precision < 15) {
        let cut = 60 - 4 * precision as u32;
        let half = 1u64 << (cut - 1);
        let rest = mantissa & ((1 << cut) - 1);
        mantissa >>= cut;
        mantissa += u64::from(rest > half || rest == half && mantissa & 1 == 1);
        mantissa <<= cut;
        if mantissa >> 61 != 0 {
            mantissa >>= 1;
            power += 1;
        }
    }
    let mut fraction = format!("{:015x}", mantissa & ((1 << 60) - 1));
    match precision {
        None => fraction.truncate(fraction.trim_end_matches('0').len()),
        Some(precision) if precision < 15 => fraction.truncate(precision),
        Some(precision) => fraction.extend(std::iter::repeat_n('0', precision - 15)),
    }
    let point = if fraction.is_empty() { "" } else { "." };
    let sign = if power < 0 { '-' } else { '+' };
    format!("0x{}{point}{fraction}p{sign}{:02}", mantissa >> 60, power.unsigned_abs())
}
