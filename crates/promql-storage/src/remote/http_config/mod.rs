//! The HTTP client configuration file of Prometheus, as promtool reads it with
//! `--http.config.file`.
//!
//! Every field of Prometheus 3 is known. What Prometheus refuses is refused here, with the place;
//! so are references to a secret manager, which promtool has none of either. File names count
//! from the folder of the file.

mod fields;
mod mask;

use std::path::Path;

use promql_yaml::Node;

use crate::diagnostics::Problems;
use crate::trouble::{report, utf8};
use fields::{Reader, Section, text};

use super::credentials::{Credentials, Grant, JwtBearer, OAuth2, RsaAlgorithm, Secret};
use super::options::{HttpOptions, Proxy, TlsOptions, TlsVersion};

const FIELDS: [&str; 13] = [
    "basic_auth",
    "authorization",
    "bearer_token",
    "bearer_token_file",
    "oauth2",
    "tls_config",
    "follow_redirects",
    "enable_http2",
    "proxy_url",
    "no_proxy",
    "proxy_from_environment",
    "proxy_connect_header",
    "http_headers",
];

const BASIC_AUTH: [&str; 6] =
    ["username", "username_file", "username_ref", "password", "password_file", "password_ref"];

const AUTHORIZATION: [&str; 4] = ["type", "credentials", "credentials_file", "credentials_ref"];

const OAUTH2: [&str; 21] = [
    "client_id",
    "client_secret",
    "client_secret_file",
    "client_secret_ref",
    "grant_type",
    "client_certificate_key",
    "client_certificate_key_file",
    "client_certificate_key_ref",
    "client_certificate_key_id",
    "signature_algorithm",
    "iss",
    "audience",
    "claims",
    "scopes",
    "token_url",
    "endpoint_params",
    "tls_config",
    "proxy_url",
    "no_proxy",
    "proxy_from_environment",
    "proxy_connect_header",
];

const TLS_CONFIG: [&str; 13] = [
    "ca",
    "ca_file",
    "ca_ref",
    "cert",
    "cert_file",
    "cert_ref",
    "key",
    "key_file",
    "key_ref",
    "server_name",
    "insecure_skip_verify",
    "min_version",
    "max_version",
];

const HEADER: [&str; 3] = ["values", "secrets", "files"];

/// Headers that are not for a configuration to set, in lower case.
const RESERVED: [&str; 18] = [
    "authorization",
    "host",
    "content-encoding",
    "content-length",
    "content-type",
    "user-agent",
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "www-authenticate",
    "accept-encoding",
    "x-prometheus-remote-write-version",
    "x-prometheus-remote-read-version",
    "x-prometheus-scrape-timeout-seconds",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-content-sha256",
];

const VERSIONS: [(&str, TlsVersion); 4] = [
    ("TLS10", TlsVersion::Tls10),
    ("TLS11", TlsVersion::Tls11),
    ("TLS12", TlsVersion::Tls12),
    ("TLS13", TlsVersion::Tls13),
];

const ALGORITHMS: [(&str, RsaAlgorithm); 3] = [
    ("RS256", RsaAlgorithm::Rs256),
    ("RS384", RsaAlgorithm::Rs384),
    ("RS512", RsaAlgorithm::Rs512),
];

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// Reads an HTTP client configuration file. `name` is what it is called, and `folder` where file
/// names in it count from. Files that it names are read when they are needed.
///
/// ```
/// use promql_storage::remote::{Credentials, read_http_config};
///
/// let text = b"authorization: {credentials_file: token.txt}";
/// let options = read_http_config("client.yml", text, "/etc/promql".as_ref())?;
/// let Some(Credentials::Authorization { scheme, credentials }) = options.credentials else {
///     panic!("a token");
/// };
/// assert_eq!(scheme, "Bearer");
/// assert_eq!(credentials.file(), Some("/etc/promql/token.txt".as_ref()));
/// # Ok::<(), promql_storage::Problems>(())
/// ```
///
/// # Errors
/// Everything that is wrong with the file, at its place. An empty file is none.
pub fn read_http_config(name: &str, text: &[u8], folder: &Path) -> Result<HttpOptions, Problems> {
    let content = utf8(name, text)?;
    let mut reader = Reader { folder, troubles: Vec::new() };
    let stream = promql_yaml::parse(content);
    let mut options = HttpOptions::default();
    match (stream.documents.first(), &stream.error) {
        (Some(document), _) => {
            reader.document(document);
            if let Some(root) = &document.root {
                options = read(&mut reader, root);
            }
        }
        (None, Some(fault)) => reader.fault(fault),
        (None, None) => {}
    }
    // The text is shown around what is wrong, and may hold secrets.
    let shown = mask::masked(content);
    report(name, shown.as_bytes(), reader.troubles).map(|_| options)
}

fn read(reader: &mut Reader<'_>, root: &Node<'_>) -> HttpOptions {
    let file = reader.section("", root, &FIELDS);
    let ways = ["basic_auth", "authorization", "oauth2"];
    let tokens = ["bearer_token", "bearer_token_file"];
    let given: Vec<&str> = ways.into_iter().chain(tokens).filter(|way| file.has(way)).collect();
    if let [first, second, ..] = given[..] {
        reader.error(
            file.key(second),
            "there is more than one way to say who asks",
            "the second way",
            format!("keep one of `{first}` and `{second}`"),
        );
    }
    let mut options = HttpOptions {
        credentials: basic_auth(reader, &file)
            .or(authorization(reader, &file))
            .or(oauth2(reader, &file)),
        headers: http_headers(reader, &file),
        tls: tls_config(reader, &file),
        proxy: proxy(reader, &file),
        ..HttpOptions::default()
    };
    // What is given twice was told above.
    if given.len() < 2
        && let Some(token) = reader.secret(&file, "bearer_token")
    {
        options.credentials = Some(Credentials::bearer(token));
    }
    options.follow_redirects = reader.flag(&file, "follow_redirects").unwrap_or(true);
    options.http2 = reader.flag(&file, "enable_http2").unwrap_or(true);
    options
}

fn basic_auth(reader: &mut Reader<'_>, file: &Section<'_>) -> Option<Credentials> {
    let section = reader.section("basic_auth", file.value("basic_auth")?, &BASIC_AUTH);
    let user = reader.secret(&section, "username").unwrap_or_else(|| Secret::new(""));
    let password = reader.secret(&section, "password").unwrap_or_else(|| Secret::new(""));
    Some(Credentials::Basic { user, password })
}

fn authorization(reader: &mut Reader<'_>, file: &Section<'_>) -> Option<Credentials> {
    let section = reader.section("authorization", file.value("authorization")?, &AUTHORIZATION);
    let scheme = reader.text(&section, "type").map_or("Bearer", str::trim).to_owned();
    if scheme.eq_ignore_ascii_case("basic") {
        reader.error(
            section.key("type"),
            "the type of `authorization` cannot be basic",
            "basic",
            "write `basic_auth` with `username` and `password` instead",
        );
    }
    let credentials = reader.secret(&section, "credentials");
    Some(Credentials::Authorization { scheme, credentials: credentials? })
}

fn oauth2(reader: &mut Reader<'_>, file: &Section<'_>) -> Option<Credentials> {
    let section = reader.section("oauth2", file.value("oauth2")?, &OAUTH2);
    for key in ["client_id", "token_url"] {
        if !section.has(key) {
            let message = format!("`oauth2` has no `{key}`");
            reader.error(file.key("oauth2"), message, "incomplete", format!("add `{key}: …`"));
        }
    }
    let text = |reader: &mut Reader<'_>, key| reader.text(&section, key).map(str::to_owned);
    let client_id = text(reader, "client_id").unwrap_or_default();
    let token_url = text(reader, "token_url").unwrap_or_default();
    let secret = reader.secret(&section, "client_secret");
    let key = reader.secret(&section, "client_certificate_key");
    let grant = match text(reader, "grant_type").as_deref() {
        None | Some("client_credentials") => {
            Grant::ClientCredentials { secret: secret.unwrap_or_else(|| Secret::new("")) }
        }
        Some(JWT_BEARER) => {
            let Some(key) = key else {
                reader.error(
                    section.key("grant_type"),
                    "this grant_type needs a private key",
                    "without a key",
                    "add `client_certificate_key_file: …`",
                );
                return None;
            };
            let algorithm = section.value("signature_algorithm");
            let algorithm = algorithm.and_then(|node| one_of(reader, node, &ALGORITHMS));
            let claims = reader.map(&section, "claims");
            Grant::JwtBearer(Box::new(JwtBearer {
                key,
                key_id: text(reader, "client_certificate_key_id"),
                algorithm: algorithm.unwrap_or_default(),
                issuer: text(reader, "iss"),
                audience: text(reader, "audience"),
                claims: claims.into_iter().filter_map(pair).collect(),
            }))
        }
        Some(_) => {
            reader.error(
                section.key("grant_type"),
                "this grant_type is not known",
                "unknown",
                format!("write `client_credentials` or `{JWT_BEARER}`"),
            );
            return None;
        }
    };
    let scopes = section.value("scopes");
    let parameters = reader.map(&section, "endpoint_params").into_iter().filter_map(pair);
    let parameters = parameters.map(|(name, value)| (name, Secret::from(value))).collect();
    Some(Credentials::OAuth2(Box::new(OAuth2 {
        token_url,
        client_id,
        grant,
        scopes: scopes.map_or_else(Vec::new, |node| reader.texts(node, "scopes")),
        parameters,
        tls: tls_config(reader, &section),
        proxy: proxy(reader, &section),
    })))
}

fn pair((name, value): (&Node<'_>, &Node<'_>)) -> Option<(String, String)> {
    Some((text(name)?.to_owned(), text(value)?.to_owned()))
}

fn one_of<T: Copy>(reader: &mut Reader<'_>, node: &Node<'_>, table: &[(&str, T)]) -> Option<T> {
    let text = text(node).unwrap_or_default();
    let found = table.iter().find(|(name, _)| *name == text);
    if found.is_none() {
        let names: Vec<&str> = table.iter().map(|(name, _)| *name).collect();
        let help = format!("write one of {}", names.join(", "));
        reader.error(node, "this is none of the values that can be here", "unknown", help);
    }
    found.map(|(_, value)| *value)
}

fn tls_config(reader: &mut Reader<'_>, parent: &Section<'_>) -> TlsOptions {
    let Some(node) = parent.value("tls_config") else { return TlsOptions::default() };
    let section = reader.section("tls_config", node, &TLS_CONFIG);
    let authorities = reader.secret(&section, "ca");
    let certificate = reader.secret(&section, "cert");
    let key = reader.secret(&section, "key");
    let has =
        |key: &str| ["", "_file", "_ref"].iter().any(|end| section.has(&format!("{key}{end}")));
    for (given, missing) in [("cert", "key"), ("key", "cert")] {
        if has(given) && !has(missing) {
            reader.error(
                parent.key("tls_config"),
                format!("there is a `{given}` and no `{missing}`"),
                "half of what proves who asks",
                format!("add `{missing}_file: …`"),
            );
        }
    }
    let mut version = |key: &str| {
        let node = section.value(key)?;
        one_of(reader, node, &VERSIONS)
    };
    let (min_version, max_version) = (version("min_version"), version("max_version"));
    if let (Some(min), Some(max)) = (min_version, max_version)
        && max < min
    {
        reader.error(
            section.key("max_version"),
            "`max_version` is below `min_version`",
            "nothing is between them",
            "exchange the two",
        );
    }
    TlsOptions {
        only_these_authorities: authorities.is_some(),
        authorities,
        certificate: certificate.zip(key),
        server_name: reader.text(&section, "server_name").map(str::to_owned),
        skip_verification: reader.flag(&section, "insecure_skip_verify").unwrap_or(false),
        min_version,
        max_version,
    }
}

fn proxy(reader: &mut Reader<'_>, parent: &Section<'_>) -> Proxy {
    let address = reader.text(parent, "proxy_url");
    let except = reader.text(parent, "no_proxy");
    let environment = reader.flag(parent, "proxy_from_environment");
    let headers = reader.map(parent, "proxy_connect_header");
    let mut told = Vec::new();
    for (name, values) in headers {
        let key = text(name).unwrap_or_default();
        let texts = reader.texts(values, key);
        told.extend(texts.into_iter().map(|text| (key.to_owned(), Secret::from(text))));
    }
    let mut refuse = |key: &str, message: &str, help: &'static str| {
        reader.error(parent.key(key), message, "here", help);
    };
    if environment == Some(true) && address.is_some() {
        let message = "`proxy_from_environment` and `proxy_url` are two proxies";
        refuse("proxy_url", message, "keep one of them");
    } else if environment == Some(true) && except.is_some() {
        let message = "the environment says NO_PROXY, and `no_proxy` is there, too";
        refuse("no_proxy", message, "leave out `no_proxy`, or `proxy_from_environment`");
    } else if except.is_some() && address.is_none() {
        let message = "`no_proxy` makes exceptions from a proxy that is not there";
        refuse("no_proxy", message, "add `proxy_url: …`");
    } else if !told.is_empty() && address.is_none() && environment != Some(true) {
        let message = "`proxy_connect_header` is for a proxy that is not there";
        refuse("proxy_connect_header", message, "add `proxy_url: …`");
    }
    match (address, environment) {
        (Some(address), _) => Proxy::Server {
            address: Secret::from(address),
            except: except.unwrap_or_default().to_owned(),
            headers: told,
        },
        (None, Some(false)) => Proxy::None,
        (None, _) => Proxy::Environment { headers: told },
    }
}

fn http_headers(reader: &mut Reader<'_>, file: &Section<'_>) -> Vec<(String, Secret)> {
    let mut headers = Vec::new();
    for (name, node) in reader.map(file, "http_headers") {
        let text = text(name).unwrap_or_default();
        if RESERVED.contains(&&*text.to_ascii_lowercase()) {
            reader.error(
                name,
                format!("the header `{}` cannot be set here", text.escape_debug()),
                "reserved",
                "who asks is said by `basic_auth`, `authorization` or `oauth2`; the other reserved \
                 headers are set for each request",
            );
            continue;
        }
        let section = reader.section("http_headers", node, &HEADER);
        for key in HEADER {
            let Some(values) = section.value(key) else { continue };
            for value in reader.texts(values, key) {
                let secret = match key {
                    "files" => Secret::in_file(reader.path(&value)),
                    _ => Secret::from(value),
                };
                headers.push((text.to_owned(), secret));
            }
        }
    }
    headers
}
