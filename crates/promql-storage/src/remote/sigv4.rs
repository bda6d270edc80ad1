//! Signatures of requests as Amazon's services want them (Signature Version 4).

use reqwest::Url;
use ring::{digest, hmac};

use super::credentials::SigV4;

/// What is signed.
pub(super) struct Unsigned<'a> {
    pub(super) method: &'a str,
    pub(super) url: &'a Url,
    pub(super) body: &'a [u8],
    /// As `20150830T123600Z`.
    pub(super) time: &'a str,
}

/// The headers that carry the signature, or which secret can't be read.
pub(super) fn headers(
    keys: &SigV4,
    request: &Unsigned<'_>,
) -> Result<Vec<(&'static str, String)>, String> {
    let access_key = keys.access_key.reveal("the access key")?;
    let secret_key = keys.secret_key.reveal("the secret key")?;
    let token = keys.session_token.as_ref().map(|token| token.reveal("the session token"));
    let token = token.transpose()?;
    let host = host(request.url);
    let mut signed = vec![("host", host), ("x-amz-date", request.time.to_owned())];
    signed.extend(token.map(|token| ("x-amz-security-token", token.into_owned())));
    let names: Vec<&str> = signed.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let lines: String = signed.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let canonical = format!(
        "{}\n{}\n{}\n{lines}\n{names}\n{}",
        request.method,
        encoded(request.url.path(), true),
        canonical_query(request.url),
        hex(digest::digest(&digest::SHA256, request.body).as_ref())
    );
    let date = request.time.get(..8).unwrap_or_default();
    let scope = format!("{date}/{}/{}/aws4_request", keys.region, keys.service);
    let hash = hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
    let to_sign = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{hash}", request.time);
    let mut key = format!("AWS4{secret_key}").into_bytes();
    for part in [date, &keys.region, &keys.service, "aws4_request", &to_sign] {
        let signer = hmac::Key::new(hmac::HMAC_SHA256, &key);
        key = hmac::sign(&signer, part.as_bytes()).as_ref().to_vec();
    }
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={access_key}/{scope}, SignedHeaders={names}, Signature={}",
        hex(&key)
    );
    // The connection writes the host itself.
    signed.remove(0);
    signed.push(("authorization", authorization));
    Ok(signed)
}

fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// The parameters, each encoded, sorted by name and value.
fn canonical_query(url: &Url) -> String {
    let mut pairs: Vec<(String, String)> = url
        .query_pairs()
        .map(|(name, value)| (encoded(&name, false), encoded(&value, false)))
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

fn encoded(text: &str, keep_slashes: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            b'/' if keep_slashes => out.push('/'),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::Secret;

    /// The examples that Amazon publishes for those who write this.
    #[test]
    fn signatures_of_the_published_examples() {
        let keys = SigV4 {
            region: "us-east-1".to_owned(),
            service: "service".to_owned(),
            access_key: Secret::new("AKIDEXAMPLE"),
            secret_key: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            session_token: None,
        };
        let table = [
            ("/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
            (
                "/?Param2=value2&Param1=value1",
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
        ];
        for (path, expected) in table {
            let url = Url::parse(&format!("https://example.amazonaws.com{path}")).unwrap();
            let request =
                Unsigned { method: "GET", url: &url, body: b"", time: "20150830T123600Z" };
            let headers = headers(&keys, &request).unwrap();
            let (_, authorization) = headers.last().unwrap();
            assert!(authorization.ends_with(&format!("Signature={expected}")), "{authorization}");
        }
    }
}
