//! Where a server's API is.

use std::fmt;

use reqwest::Url;

use super::credentials::{Credentials, Secret};
use super::error::{RemoteError, RemoteErrorKind};

/// What people copy from the browser's address bar, and what belongs behind the base.
const PAGES: [&str; 4] = ["/api/v1", "/graph", "/query", "/-/healthy"];

/// The address under which `/api/v1/…` is found. It may have a path (a server behind a proxy, a
/// tenant) and parameters, which are sent with every request. Shown without parameters, user and
/// password.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct BaseUrl {
    url: Url,
}

impl BaseUrl {
    /// Reads an address. User and password in it come out as credentials.
    pub(super) fn parse(text: &str) -> Result<(BaseUrl, Option<Credentials>), RemoteError> {
        let invalid = |reason: &str| {
            RemoteError::new(redacted(text), RemoteErrorKind::Address { reason: reason.to_owned() })
        };
        let mut url = Url::parse(text.trim()).map_err(|error| invalid(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(invalid("the scheme is neither http nor https"));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(invalid("it names no host"));
        }
        let credentials = match (url.username(), url.password()) {
            ("", None) => None,
            (user, password) => Some(Credentials::Basic {
                user: Secret::new(percent_decoded(user)),
                password: Secret::new(percent_decoded(password.unwrap_or_default())),
            }),
        };
        // These fail only for addresses without a host, which were refused above.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.set_fragment(None);
        let mut path = url.path().trim_end_matches('/');
        for page in PAGES {
            path = path.strip_suffix(page).unwrap_or(path).trim_end_matches('/');
        }
        let path = path.replace("//", "/");
        url.set_path(&path);
        Ok((BaseUrl { url }, credentials))
    }

    /// The address as it was given.
    pub(super) fn url(&self) -> Url {
        self.url.clone()
    }

    /// The address of a path below `/api/v1/`, with the parameters of the base. The path is
    /// percent-encoded where needed.
    pub(super) fn endpoint(&self, segments: &[&str]) -> Url {
        let mut url = self.url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["api", "v1"]).extend(segments);
        }
        url
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&without_parameters(&self.url))
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An address as it may be shown: parameters may hold keys, so they are left out, as are user and
/// password.
pub(super) fn without_parameters(url: &Url) -> String {
    let mut shown = url.clone();
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.set_query(None);
    shown.set_fragment(None);
    shown.as_str().trim_end_matches('/').to_owned()
}

/// Text that may be meant as an address, as it may be shown: nothing between `//` and `@`, and no
/// parameters.
pub(crate) fn redacted(text: &str) -> String {
    let text = text.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = text.split_once("//").map_or(("", text), |(s, r)| (s, r));
    let slashes = if scheme.is_empty() && !text.starts_with("//") { "" } else { "//" };
    match rest.rsplit_once('@') {
        Some((_, place)) => format!("{scheme}{slashes}***@{place}"),
        None => text.to_owned(),
    }
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = |at: usize| char::from(*bytes.get(at)?).to_digit(16);
        match (bytes[at], hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_is_below_whatever_path_was_given() {
        let table = [
            ("http://h:9090", "http://h:9090/api/v1/query"),
            ("http://h:9090/", "http://h:9090/api/v1/query"),
            ("http://h/prometheus", "http://h/prometheus/api/v1/query"),
            ("http://h/prometheus/", "http://h/prometheus/api/v1/query"),
            ("http://h/a//b/", "http://h/a/b/api/v1/query"),
            ("http://h/api/v1", "http://h/api/v1/query"),
            ("http://h/api/v1/", "http://h/api/v1/query"),
            ("http://h/x/graph?g0.expr=up#a", "http://h/x/api/v1/query?g0.expr=up"),
            ("http://h/query", "http://h/api/v1/query"),
            (
                "http://h/select/0/prometheus?extra_label=a=b",
                "http://h/select/0/prometheus/api/v1/query?extra_label=a=b",
            ),
            (" https://u:p@h/ ", "https://h/api/v1/query"),
            ("http://[::1]:9090", "http://[::1]:9090/api/v1/query"),
        ];
        for (text, expected) in table {
            let (base, _) = BaseUrl::parse(text).expect(text);
            assert_eq!(base.endpoint(&["query"]).as_str(), expected, "{text}");
        }
    }

    #[test]
    fn user_and_password_are_taken_out_and_never_shown() {
        let (base, credentials) =
            BaseUrl::parse("https://al%40ice:pa%3Ass@h/p?token=t").expect("valid");
        let expected =
            Credentials::Basic { user: Secret::new("al@ice"), password: Secret::new("pa:ss") };
        assert_eq!(credentials, Some(expected));
        assert_eq!(base.to_string(), "https://h/p");
        assert_eq!(format!("{base:?}"), "https://h/p");
        assert!(!format!("{credentials:?}").contains("pa:ss"));
    }

    #[test]
    fn what_may_be_an_address_is_shown_without_secrets() {
        let table = [
            ("http://u:p@h:x/path?token=t", "http://***@h:x/path"),
            ("http://u:p@ss@h", "http://***@h"),
            ("htp:/u:p@h", "***@h"),
            ("//u:p@h", "//***@h"),
            ("plain", "plain"),
        ];
        for (text, expected) in table {
            assert_eq!(redacted(text), expected, "{text}");
        }
    }
}
