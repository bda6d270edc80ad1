//! The headers by which a request says who asks.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName};

use super::client::{header_map, header_value};
use super::credentials::Credentials;
use super::encoding::base64;
use super::error::RemoteErrorKind;
use super::oauth2::Tokens;
use super::options::HttpOptions;
use super::sigv4::{self, Unsigned};

/// Who asks.
pub(super) struct Identity {
    credentials: Option<Credentials>,
    headers: Vec<(String, super::Secret)>,
    tokens: Option<Tokens>,
}

/// What goes with one request.
#[derive(Default)]
pub(super) struct Proof {
    pub(super) headers: HeaderMap,
    /// The token that was got for it.
    token: Option<String>,
}

impl Identity {
    /// What can be known to be wrong before a request is.
    pub(super) fn new(
        options: &HttpOptions,
        credentials: Option<&Credentials>,
        connect_timeout: Duration,
    ) -> Result<Identity, String> {
        let given: Vec<_> =
            options.headers.iter().filter(|(_, value)| value.file().is_none()).cloned().collect();
        header_map(&given)?;
        let tokens = match credentials {
            Some(Credentials::OAuth2(oauth)) => {
                Some(Tokens::new((**oauth).clone(), connect_timeout)?)
            }
            _ => None,
        };
        let headers = options.headers.clone();
        Ok(Identity { credentials: credentials.cloned(), headers, tokens })
    }

    /// The headers of a request.
    pub(super) async fn prove(
        &self,
        method: &str,
        url: &Url,
        body: &[u8],
    ) -> Result<Proof, RemoteErrorKind> {
        let refuse = |reason: String| RemoteErrorKind::Options { reason };
        let mut headers = header_map(&self.headers).map_err(refuse)?;
        let mut token = None;
        // A header that is given itself is not overwritten.
        if headers.contains_key(AUTHORIZATION) {
            return Ok(Proof { headers, token });
        }
        let (text, what) = match &self.credentials {
            None => return Ok(Proof { headers, token }),
            Some(Credentials::Basic { user, password }) => {
                let user = user.reveal("the user").map_err(refuse)?;
                let password = password.reveal("the password").map_err(refuse)?;
                (format!("Basic {}", base64(format!("{user}:{password}"))), "the password")
            }
            Some(Credentials::Authorization { scheme, credentials }) => {
                let credentials = credentials.reveal("the token").map_err(refuse)?;
                (format!("{scheme} {credentials}"), "the token")
            }
            Some(Credentials::OAuth2(_)) => {
                let Some(tokens) = &self.tokens else { return Ok(Proof { headers, token }) };
                let text = tokens.get().await?;
                token = Some(text.clone());
                (format!("Bearer {text}"), "the token")
            }
            Some(Credentials::SigV4(keys)) => {
                let time = amazon_time(SystemTime::now());
                let request = Unsigned { method, url, body, time: &time };
                for (name, value) in sigv4::headers(keys, &request).map_err(refuse)? {
                    let value = header_value(&value, "the signature").map_err(refuse)?;
                    headers.insert(HeaderName::from_static(name), value);
                }
                return Ok(Proof { headers, token });
            }
        };
        headers.insert(AUTHORIZATION, header_value(&text, what).map_err(refuse)?);
        Ok(Proof { headers, token })
    }

    /// Whether a request that was refused can be proven better: its token was one that is got, and
    /// so another can be.
    pub(super) fn renew(&self, refused: &Proof) -> bool {
        match (&self.tokens, &refused.token) {
            (Some(tokens), Some(token)) => {
                tokens.forget(token);
                true
            }
            _ => false,
        }
    }
}

/// A time as Amazon writes it, `20150830T123600Z`.
fn amazon_time(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let time = jiff::Timestamp::from_second(i64::try_from(seconds).unwrap_or(0));
    time.unwrap_or_default().strftime("%Y%m%dT%H%M%SZ").to_string()
}
