//! Where an answer sends to, and whether one goes there.

use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{Method, StatusCode, Url};

/// How many redirects are followed.
pub(super) const MOST_REDIRECTS: usize = 10;

/// Where an answer sends to.
pub(super) fn target(from: &Url, status: StatusCode, headers: &HeaderMap) -> Option<Url> {
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let to = from.join(headers.get(LOCATION)?.to_str().ok()?).ok()?;
    matches!(to.scheme(), "http" | "https").then_some(to)
}

/// 307 and 308 keep method and body. The others would turn a POST into a GET without parameters.
/// A page to log in is no answer, and nothing goes from a safe to an open connection.
pub(super) fn may_follow(from: &Url, to: &Url, status: StatusCode, method: &Method) -> bool {
    let keeps_method = matches!(status.as_u16(), 307 | 308) || *method == Method::GET;
    let stays_safe = from.scheme() == to.scheme() || to.scheme() == "https";
    keeps_method && stays_safe && !is_login(to)
}

pub(super) fn is_login(to: &Url) -> bool {
    ["/login", "/oauth2/", "/dex/", "/signin", "/auth/realms/"]
        .iter()
        .any(|page| to.path().contains(page))
}

/// Whether what proves who asks may go along: to the same host, or one below it. As Prometheus has
/// it, ports do not count.
pub(super) fn stays_with_host(from: &Url, to: &Url) -> bool {
    let (Some(from), Some(to)) = (from.domain(), to.domain()) else {
        return from.host() == to.host();
    };
    to == from || to.strip_suffix(from).is_some_and(|rest| rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_stay_with_their_host() {
        let table = [
            ("http://a.example/x", "http://a.example:99/y", true),
            ("http://example/", "http://b.example/", true),
            ("http://b.example/", "http://example/", false),
            ("http://example/", "http://notexample/", false),
            ("http://127.0.0.1/", "http://127.0.0.1:1/", true),
            ("http://127.0.0.1/", "http://localhost/", false),
            ("http://[::1]/", "http://[::2]/", false),
        ];
        for (from, to, expected) in table {
            let url = |text| Url::parse(text).expect("an address");
            assert_eq!(stays_with_host(&url(from), &url(to)), expected, "{from} → {to}");
        }
    }
}
