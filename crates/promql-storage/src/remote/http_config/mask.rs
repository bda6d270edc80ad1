//! The text of a configuration file as it may be shown: what may be a secret is stars.
//!
//! This works on lines and not on YAML, since it must do so where the text is no YAML. A field that
//! is misspelt may be a password, so it is told what may be seen, and the rest may not.

/// Fields whose values may be seen.
const OPEN: [&str; 30] = [
    "username",
    "username_file",
    "password_file",
    "type",
    "credentials_file",
    "bearer_token_file",
    "client_id",
    "client_secret_file",
    "grant_type",
    "client_certificate_key_file",
    "client_certificate_key_id",
    "signature_algorithm",
    "iss",
    "audience",
    "scopes",
    "token_url",
    "ca_file",
    "cert_file",
    "key_file",
    "server_name",
    "insecure_skip_verify",
    "min_version",
    "max_version",
    "follow_redirects",
    "enable_http2",
    "no_proxy",
    "proxy_from_environment",
    "files",
    "password_ref",
    "credentials_ref",
];

/// The text with stars, byte for byte as long.
pub(super) fn masked(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    // How many braces and brackets are open.
    let mut depth = 0_usize;
    for line in text.split_inclusive('\n') {
        mask_line(line.as_bytes(), &mut depth, &mut out);
    }
    String::from_utf8(out).unwrap_or_default()
}

fn mask_line(line: &[u8], depth: &mut usize, out: &mut Vec<u8>) {
    let mut rest = line;
    // Whether the word at hand is a key or behind one that may be seen.
    let mut open = false;
    let mut has_key = false;
    while let Some(first) = rest.first() {
        match first {
            b'{' | b'[' => *depth += 1,
            b'}' | b']' => *depth = depth.saturating_sub(1),
            b' ' | b'\t' | b'\r' | b'\n' | b',' | b'-' => {}
            _ => {
                // Outside of braces there is one key in a line.
                let (length, is_key) = word(rest, *depth > 0, *depth > 0 || !has_key);
                has_key |= is_key;
                let (word, behind) = rest.split_at(length);
                if is_key || open {
                    out.extend_from_slice(word);
                } else {
                    out.extend(word.iter().map(|byte| if *byte == b'\n' { b'\n' } else { b'*' }));
                }
                rest = behind;
                if is_key {
                    let name = word.trim_ascii().trim_ascii_end();
                    open = OPEN.iter().any(|known| known.as_bytes() == name);
                    if let Some((colon, behind)) = rest.split_first() {
                        out.push(*colon);
                        rest = behind;
                    }
                }
                continue;
            }
        }
        out.push(*first);
        rest = &rest[1..];
    }
}

/// The length of a scalar, and whether it is a key: a word with a colon behind. What is quoted ends
/// with its quote, what is within braces with a comma or brace, and all else with the line.
fn word(text: &[u8], flow: bool, may_be_key: bool) -> (usize, bool) {
    let is_end = |at: usize| match text.get(at) {
        None => true,
        Some(b',' | b'}' | b']') => flow,
        Some(b'\n' | b'\r') => true,
        _ => false,
    };
    let colon = |at: usize| {
        may_be_key
            && text.get(at) == Some(&b':')
            && matches!(text.get(at + 1), None | Some(b' ' | b'\n' | b'\r' | b'\t'))
    };
    if let quote @ (b'"' | b'\'') = text[0] {
        let mut at = 1;
        while at < text.len() && text[at] != quote && text[at] != b'\n' {
            at += 1 + usize::from(text[at] == b'\\' && quote == b'"');
        }
        let length = (at + 1).min(text.len());
        return (length, colon(length));
    }
    let mut at = 0;
    while !is_end(at) && !colon(at) {
        at += 1;
    }
    (at.max(1), at > 0 && colon(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_secret_is_not_seen() {
        let table = [
            (
                "basic_auth: {username: a, password: x, password_file: y}",
                "basic_auth: {username: a, password: *, password_file: y}",
            ),
            ("bearer_token: a: b, c\n", "bearer_token: *******\n"),
            ("pasword: hunter2 # no", "pasword: ************"),
            ("  password: 'a, b' \n", "  password: ****** \n"),
            ("key: |\n  -----BEGIN KEY\n  MII=\n", "key: *\n  -----*********\n  ****\n"),
            ("x: {secrets: [a, 'b}c', \"d\\\"e\"]}", "x: {secrets: [*, *****, ******]}"),
            ("proxy_url: http://u:p@h\nno_proxy: a", "proxy_url: ************\nno_proxy: a"),
            ("é: ü", "é: **"),
        ];
        for (text, expected) in table {
            let shown = masked(text);
            assert_eq!(shown, expected);
            assert_eq!(shown.len(), text.len());
        }
    }
}
