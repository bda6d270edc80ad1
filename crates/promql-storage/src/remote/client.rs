//! The connections to a server: TLS, proxies, limits.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, Client, Identity, NoProxy, Url, redirect, tls};

use super::credentials::Secret;
use super::options::{Proxy, TlsOptions, TlsVersion};

/// What makes connections, or which option can't be used.
pub(super) fn client(
    tls: &TlsOptions,
    proxy: &Proxy,
    http2: bool,
    connect_timeout: Duration,
    server: &Url,
) -> Result<Client, String> {
    // reqwest takes the process's default provider of cryptography and panics if there is
    // none. Another part of the program may have set one already, which is then used.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .user_agent(concat!("promql/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(connect_timeout)
        .redirect(redirect::Policy::none())
        .pool_idle_timeout(Duration::from_secs(300))
        .tcp_nodelay(true)
        .tls_danger_accept_invalid_certs(tls.skip_verification);
    if !http2 || tls.server_name.is_some() {
        builder = builder.http1_only();
    }
    if let Some(authorities) = &tls.authorities {
        let pem = authorities.reveal("the certificate authorities")?;
        let certificates = Certificate::from_pem_bundle(pem.as_bytes())
            .ok()
            .filter(|certificates| !certificates.is_empty())
            .ok_or_else(|| "the certificate authorities are not PEM certificates".to_owned())?;
        builder = match tls.only_these_authorities {
            true => builder.tls_certs_only(certificates),
            false => builder.tls_certs_merge(certificates),
        };
    }
    if let Some((certificate, key)) = &tls.certificate {
        let certificate = certificate.reveal("the client certificate")?;
        let key = key.reveal("the key of the client certificate")?;
        let identity = Identity::from_pem(format!("{certificate}\n{key}\n").as_bytes());
        builder = builder.identity(identity.map_err(|_| {
            "the client certificate and its key are not a certificate and a private key in PEM"
                .to_owned()
        })?);
    }
    if let Some(version) = tls.min_version {
        // Older versions are not spoken at all.
        let version = match version {
            TlsVersion::Tls13 => tls::Version::TLS_1_3,
            _ => tls::Version::TLS_1_2,
        };
        builder = builder.tls_version_min(version);
    }
    match tls.max_version {
        None | Some(TlsVersion::Tls13) => {}
        Some(TlsVersion::Tls12) => builder = builder.tls_version_max(tls::Version::TLS_1_2),
        Some(_) => {
            return Err("TLS below 1.2 is not spoken, and a max_version below is asked for".into());
        }
    }
    if let Some(name) = &tls.server_name {
        let host = server.host_str().unwrap_or_default().to_owned();
        builder = builder.dns_resolver(Arc::new(Renamed { name: name.clone(), host }));
    }
    let proxied = match proxy {
        Proxy::None => {
            builder = builder.no_proxy();
            false
        }
        Proxy::Environment { headers } if headers.is_empty() => environment_has_proxy(),
        Proxy::Environment { headers } => {
            let headers = header_map(headers)?;
            let except = variable("NO_PROXY").and_then(|text| NoProxy::from_string(&text));
            for (scheme, make) in SCHEMES {
                let Some(address) = variable(scheme) else { continue };
                let proxy = make(&address).map_err(|_| format!("{scheme} is no address"))?;
                builder = builder.proxy(proxy.no_proxy(except.clone()).headers(headers.clone()));
            }
            environment_has_proxy()
        }
        Proxy::Server { address, except, headers } => {
            let address = address.reveal("the address of the proxy")?;
            let proxy = reqwest::Proxy::all(&*address)
                .map_err(|_| "the address of the proxy is none".to_owned())?
                .no_proxy(NoProxy::from_string(except))
                .headers(header_map(headers)?);
            builder = builder.proxy(proxy);
            true
        }
    };
    if proxied && tls.server_name.is_some() {
        return Err("server_name cannot be used through a proxy, which must know the host; ask \
             without the proxy, or by the name that the certificate has"
            .to_owned());
    }
    builder.build().map_err(|error| innermost(&error))
}

type Make = fn(&str) -> reqwest::Result<reqwest::Proxy>;

/// Environment variables that name proxies, and what they are for.
const SCHEMES: [(&str, Make); 3] = [
    ("HTTPS_PROXY", |address| reqwest::Proxy::https(address)),
    ("HTTP_PROXY", |address| reqwest::Proxy::http(address)),
    ("ALL_PROXY", |address| reqwest::Proxy::all(address)),
];

fn environment_has_proxy() -> bool {
    SCHEMES.iter().any(|(name, _)| variable(name).is_some())
}

/// An environment variable in upper or lower case.
fn variable(name: &str) -> Option<String> {
    let value = std::env::var(name).or_else(|_| std::env::var(name.to_ascii_lowercase()));
    value.ok().filter(|value| !value.is_empty())
}

/// Finds the host where its certificate's name is asked for. A connection greets a server by the
/// name in the address, so the address gets the name that is wanted, and this leads it to the host.
struct Renamed {
    name: String,
    host: String,
}

impl Resolve for Renamed {
    fn resolve(&self, name: Name) -> Resolving {
        let host = match name.as_str().eq_ignore_ascii_case(&self.name) {
            true => self.host.clone(),
            false => name.as_str().to_owned(),
        };
        Box::pin(async move {
            let host = host.trim_start_matches('[').trim_end_matches(']');
            let addresses: Vec<SocketAddr> = tokio::net::lookup_host((host, 0)).await?.collect();
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// Headers, with values that are never shown.
pub(super) fn header_map(headers: &[(String, Secret)]) -> Result<HeaderMap, String> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let known = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| format!("`{}` is not the name of a header", name.escape_debug()))?;
        let what = format!("the header {name}");
        map.append(known, header_value(&value.reveal(&what)?, &what)?);
    }
    Ok(map)
}

/// The value of a header, never shown. `what` is what it is.
pub(super) fn header_value(text: &str, what: &str) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| format!("{what} holds a line break or another control character"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The first cause of a type.
pub(super) fn cause<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    causes(error).find_map(|error| error.downcast_ref::<T>())
}

/// The cause of all, which has no address in it.
pub(super) fn innermost(error: &(dyn Error + 'static)) -> String {
    causes(error).last().unwrap_or(error).to_string()
}

/// An error and what caused it. The standard library's I/O error passes over the error that it
/// carries and names that one's cause, hence the look inside.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| {
        let error: &'a (dyn Error + 'static) = *error;
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inside) => Some(inside as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}
