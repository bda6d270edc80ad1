//! Tokens of OAuth 2.0: asked for with a secret or a signed statement, and kept while they are good.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Client, Url};
use ring::rand::SystemRandom;
use ring::signature::{self, RsaKeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::base_url::without_parameters;
use super::client::client;
use super::credentials::{Grant, JwtBearer, OAuth2, RsaAlgorithm};
use super::encoding::{base64, base64_for_addresses, form};
use super::error::{RemoteErrorKind, first_words};

/// How long before its end a token is not used any more.
const MARGIN: Duration = Duration::from_secs(10);

/// How large the answer of a server for tokens may be.
const MOST_BYTES: usize = 1 << 20;

/// Gets tokens.
pub(super) struct Tokens {
    options: OAuth2,
    client: Client,
    address: Url,
    kept: Mutex<Option<Token>>,
}

struct Token {
    text: String,
    until: Option<Instant>,
}

/// What a server for tokens answers (RFC 6749, section 5.1).
#[derive(Deserialize)]
struct Answer {
    access_token: String,
    expires_in: Option<f64>,
}

impl Tokens {
    pub(super) fn new(options: OAuth2, connect_timeout: Duration) -> Result<Tokens, String> {
        let address = Url::parse(&options.token_url)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"))
            .ok_or_else(|| "the token_url of oauth2 is no address".to_owned())?;
        let client = client(&options.tls, &options.proxy, true, connect_timeout, &address)?;
        Ok(Tokens { options, client, address, kept: Mutex::new(None) })
    }

    /// A token that is good, from the last time or new.
    pub(super) async fn get(&self) -> Result<String, RemoteErrorKind> {
        {
            let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(token) = &*kept
                && token.until.is_none_or(|until| Instant::now() < until)
            {
                return Ok(token.text.clone());
            }
        }
        let token = self.ask().await?;
        let text = token.text.clone();
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
        Ok(text)
    }

    /// Forgets a token that was refused.
    pub(super) fn forget(&self, refused: &str) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.as_ref().is_some_and(|token| token.text == refused) {
            *kept = None;
        }
    }

    async fn ask(&self) -> Result<Token, RemoteErrorKind> {
        let OAuth2 { client_id, grant, scopes, parameters, .. } = &self.options;
        let refuse = |reason: String| RemoteErrorKind::Options { reason };
        let mut form: Vec<(String, String)> = Vec::new();
        let mut add = |name: &str, value: &str| form.push((name.to_owned(), value.to_owned()));
        let mut basic = None;
        match grant {
            Grant::ClientCredentials { secret } => {
                let secret = secret.reveal("the client_secret").map_err(refuse)?;
                add("grant_type", "client_credentials");
                basic = Some((client_id.clone(), secret.into_owned()));
            }
            Grant::JwtBearer(jwt) => {
                add("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
                add("assertion", &self.assertion(jwt).map_err(refuse)?);
            }
        }
        if !scopes.is_empty() {
            add("scope", &scopes.join(" "));
        }
        for (name, value) in parameters {
            let value = value.reveal("a parameter of oauth2").map_err(refuse)?;
            add(name, &value);
        }
        // Some servers take the secret only as a header, some only as parameters.
        let (status, body) = self.post(&form, basic.as_ref()).await?;
        let (status, body) = match (status, basic) {
            (400 | 401, Some((id, secret))) => {
                form.push(("client_id".to_owned(), id));
                form.push(("client_secret".to_owned(), secret));
                self.post(&form, None).await?
            }
            _ => (status, body),
        };
        let answer = serde_json::from_slice::<Answer>(&body);
        match answer {
            Ok(answer) if (200..300).contains(&status) => {
                let good = answer.expires_in.filter(|seconds| *seconds > 0.0);
                let good = good.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
                let until =
                    good.and_then(|good| Instant::now().checked_add(good.saturating_sub(MARGIN)));
                Ok(Token { text: answer.access_token, until })
            }
            _ if status >= 400 => {
                Err(self.failed(format!("it answered with status {status}: {}", said(&body))))
            }
            _ => Err(self.failed("its answer has no access_token".to_owned())),
        }
    }

    async fn post(
        &self,
        parameters: &[(String, String)],
        basic: Option<&(String, String)>,
    ) -> Result<(u16, Vec<u8>), RemoteErrorKind> {
        let mut request = self
            .client
            .post(self.address.clone())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, "application/json")
            .body(form(parameters));
        if let Some((id, secret)) = basic {
            let encoded = |text: &str| {
                form(&[(String::new(), text.to_owned())]).trim_start_matches('=').to_owned()
            };
            let pair = format!("{}:{}", encoded(id), encoded(secret));
            request = request.header("Authorization", format!("Basic {}", base64(&pair)));
        }
        let failed = |error: reqwest::Error| self.failed(super::client::innermost(&error));
        let mut answer = request.send().await.map_err(failed)?;
        let status = answer.status().as_u16();
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(failed)? {
            body.extend_from_slice(&piece);
            if body.len() > MOST_BYTES {
                return Err(self.failed("its answer is too large for a token".to_owned()));
            }
        }
        Ok((status, body))
    }

    fn failed(&self, reason: String) -> RemoteErrorKind {
        RemoteErrorKind::Token { from: without_parameters(&self.address), reason }
    }

    /// A signed statement about who asks (RFC 7523, section 3).
    fn assertion(&self, jwt: &JwtBearer) -> Result<String, String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let (name, algorithm): (_, &dyn signature::RsaEncoding) = match jwt.algorithm {
            RsaAlgorithm::Rs256 => ("RS256", &signature::RSA_PKCS1_SHA256),
            RsaAlgorithm::Rs384 => ("RS384", &signature::RSA_PKCS1_SHA384),
            RsaAlgorithm::Rs512 => ("RS512", &signature::RSA_PKCS1_SHA512),
        };
        let mut head = Map::new();
        head.insert("alg".to_owned(), name.into());
        head.insert("typ".to_owned(), "JWT".into());
        if let Some(id) = &jwt.key_id {
            head.insert("kid".to_owned(), id.clone().into());
        }
        let mut claims = Map::new();
        let OAuth2 { client_id, token_url, scopes, .. } = &self.options;
        let issuer = jwt.issuer.as_ref().unwrap_or(client_id);
        claims.insert("iss".to_owned(), issuer.clone().into());
        claims.insert("sub".to_owned(), client_id.clone().into());
        let audience = jwt.audience.as_ref().unwrap_or(token_url);
        claims.insert("aud".to_owned(), audience.clone().into());
        claims.insert("iat".to_owned(), now.saturating_sub(10).into());
        claims.insert("exp".to_owned(), (now + 3600).into());
        if !scopes.is_empty() {
            claims.insert("scope".to_owned(), scopes.join(" ").into());
        }
        for (name, value) in &jwt.claims {
            let value = serde_json::from_str(value).unwrap_or_else(|_| value.clone().into());
            claims.insert(name.clone(), value);
        }
        let part = |map: Map<String, Value>| base64_for_addresses(Value::from(map).to_string());
        let text = format!("{}.{}", part(head), part(claims));
        let key = jwt.key.reveal("the client_certificate_key")?;
        let broken = || "the client_certificate_key is no RSA key in PEM".to_owned();
        let pair = match PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| broken())? {
            PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
            _ => return Err(broken()),
        };
        let pair = pair.map_err(|_| broken())?;
        let mut signed = vec![0; pair.public().modulus_len()];
        pair.sign(algorithm, &SystemRandom::new(), text.as_bytes(), &mut signed)
            .map_err(|_| broken())?;
        Ok(format!("{text}.{}", base64_for_addresses(signed)))
    }
}

/// The words of an error (RFC 6749, section 5.2).
fn said(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Refusal {
        error: String,
        error_description: Option<String>,
    }
    match serde_json::from_slice::<Refusal>(body) {
        Ok(Refusal { error, error_description }) => {
            let text = error_description.map_or(error.clone(), |more| format!("{error}: {more}"));
            first_words(text.as_bytes())
        }
        Err(_) => first_words(body),
    }
}
