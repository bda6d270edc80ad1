//! How texts are written in headers, forms and tokens.

use reqwest::Url;

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const FOR_ADDRESSES: &[u8; 64] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// RFC 4648, section 4, with padding.
pub(super) fn base64(bytes: impl AsRef<[u8]>) -> String {
    let mut out = digits(bytes.as_ref(), STANDARD);
    out.extend(std::iter::repeat_n('=', out.len().next_multiple_of(4) - out.len()));
    out
}

/// RFC 4648, section 5, without padding.
pub(super) fn base64_for_addresses(bytes: impl AsRef<[u8]>) -> String {
    digits(bytes.as_ref(), FOR_ADDRESSES)
}

fn digits(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..=three.len() {
            let six = (bits >> (18 - 6 * digit)) & 63;
            out.push(char::from(alphabet[six as usize]));
        }
    }
    out
}

/// Parameters as a form.
pub(super) fn form<K: AsRef<str>, V: AsRef<str>>(parameters: &[(K, V)]) -> String {
    let mut url = Url::parse("form:").ok();
    if let Some(url) = &mut url {
        url.query_pairs_mut().extend_pairs(parameters);
    }
    url.as_ref().and_then(Url::query).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_the_standard() {
        let table =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")];
        for (text, expected) in table {
            assert_eq!(base64(text), expected);
            assert_eq!(base64_for_addresses(text), expected.trim_end_matches('='));
        }
        assert_eq!(base64_for_addresses([0xfb, 0xff]), "-_8");
    }

    #[test]
    fn forms() {
        assert_eq!(form(&[("match[]", "up{a=\"&\"}")]), "match%5B%5D=up%7Ba%3D%22%26%22%7D");
    }
}
