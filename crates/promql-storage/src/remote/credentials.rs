//! What proves to a server who asks, and never shows.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

use super::options::{Proxy, TlsOptions};

/// Text that is never shown: its debug form is `***`, and it has no other. It is given, or the
/// content of a file, which is read again for each request, so that it may change meanwhile.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Kept);

#[derive(Clone, PartialEq, Eq)]
enum Kept {
    Text(Box<str>),
    File(PathBuf),
}

impl Secret {
    /// Keeps a text secret.
    pub fn new(text: impl Into<Box<str>>) -> Secret {
        Secret(Kept::Text(text.into()))
    }

    /// The content of a file, without white space around it.
    pub fn in_file(path: impl Into<PathBuf>) -> Secret {
        Secret(Kept::File(path.into()))
    }

    /// The file that holds it, if it is not given itself.
    pub fn file(&self) -> Option<&Path> {
        match &self.0 {
            Kept::File(path) => Some(path),
            Kept::Text(_) => None,
        }
    }

    /// The text, to send it. `what` is what it is, to say what can't be read.
    pub(crate) fn reveal(&self, what: &str) -> Result<Cow<'_, str>, String> {
        match &self.0 {
            Kept::Text(text) => Ok(Cow::Borrowed(text)),
            Kept::File(path) => match std::fs::read_to_string(path) {
                Ok(text) => Ok(Cow::Owned(text.trim().to_owned())),
                Err(error) => Err(format!("can't read {what} from {}: {error}", path.display())),
            },
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Secret::new(text)
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Secret::new(text)
    }
}

/// How a request says who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// User and password, sent as `Basic`.
    Basic {
        /// The user's name.
        user: Secret,
        /// The password, which may be empty.
        password: Secret,
    },
    /// A token or whatever else a scheme of authorization wants, as `Bearer …`.
    Authorization {
        /// The word before it.
        scheme: String,
        /// What stands behind it.
        credentials: Secret,
    },
    /// A token that another server gives for a limited time.
    OAuth2(Box<OAuth2>),
    /// A signature of each request, as Amazon's services want it.
    SigV4(Box<SigV4>),
}

impl Credentials {
    /// A token, sent as `Bearer`.
    pub fn bearer(token: impl Into<Secret>) -> Credentials {
        Credentials::Authorization { scheme: "Bearer".to_owned(), credentials: token.into() }
    }
}

/// How to get a token by OAuth 2.0 (RFC 6749). It is kept until shortly before it expires, and got
/// anew once when a server refuses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuth2 {
    /// Where tokens are given.
    pub token_url: String,
    /// Who wants one.
    pub client_id: String,
    /// What proves that.
    pub grant: Grant,
    /// What the token shall be good for.
    pub scopes: Vec<String>,
    /// Further parameters of the request for a token, as `audience`.
    pub parameters: Vec<(String, Secret)>,
    /// How the connection to that server is protected.
    pub tls: TlsOptions,
    /// How that server is reached.
    pub proxy: Proxy,
}

/// What proves that a client may have a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// A secret (RFC 6749, section 4.4).
    ClientCredentials {
        /// The secret.
        secret: Secret,
    },
    /// A statement signed with a private key (RFC 7523).
    JwtBearer(Box<JwtBearer>),
}

/// A statement about who asks, and how it is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwtBearer {
    /// An RSA key: PEM, PKCS #8 or PKCS #1.
    pub key: Secret,
    /// The name of the key, if the server has several.
    pub key_id: Option<String>,
    /// How long the hash is that is signed.
    pub algorithm: RsaAlgorithm,
    /// Who says it; the client's name if nothing else is given.
    pub issuer: Option<String>,
    /// To whom; the address for tokens if nothing else is given.
    pub audience: Option<String>,
    /// Further members, as JSON values.
    pub claims: Vec<(String, String)>,
}

/// How a statement is signed (RFC 7518).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum RsaAlgorithm {
    /// RSA with SHA-256.
    #[default]
    Rs256,
    /// RSA with SHA-384.
    Rs384,
    /// RSA with SHA-512.
    Rs512,
}

/// The keys of an account of Amazon Web Services, and where they are used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigV4 {
    /// As `eu-central-1`.
    pub region: String,
    /// `aps` for their Prometheus.
    pub service: String,
    /// The key's public half.
    pub access_key: Secret,
    /// The key's secret half.
    pub secret_key: Secret,
    /// What goes with keys that are good for a limited time.
    pub session_token: Option<Secret>,
}
