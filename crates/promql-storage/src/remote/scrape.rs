//! One scrape of an exporter.

use promql_engine::Cancellation;

use crate::exposition::Format;

use super::base_url::BaseUrl;
use super::error::{RemoteError, RemoteErrorKind, first_words, page_title};
use super::transport::{Content, Request, Transport};
use super::{RemoteOptions, credentials_of};

/// What Prometheus asks for, without its protobuf format.
const ACCEPT: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
    application/openmetrics-text;version=0.0.1;q=0.5,\
    text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";

/// Asks an exporter for its metrics: the text, its format, and the exporter's address as it may
/// be shown. A content type that says neither format leaves it to the text.
pub(crate) fn scrape(
    address: &str,
    options: &RemoteOptions,
    cancellation: &Cancellation,
) -> Result<(Vec<u8>, Format, String), RemoteError> {
    let (base, in_address) = BaseUrl::parse(address)?;
    let failed = |kind| RemoteError::new(base.to_string(), kind);
    let credentials = credentials_of(in_address.as_ref(), options).map_err(failed)?;
    let transport = Transport::new(&base.url(), options, credentials).map_err(failed)?;
    let request = Request {
        url: base.url(),
        parameters: Vec::new(),
        content: Content::Get,
        accept: ACCEPT,
        timeout: options.timeout,
    };
    let response = transport.send(&request, cancellation).map_err(failed)?;
    let status = response.status;
    let is_page = response.content_type.starts_with("text/html");
    match response.body.trim_ascii_start().first() {
        Some(b'<') if is_page || status >= 400 => {
            Err(failed(RemoteErrorKind::Html { status, said: page_title(&response.body) }))
        }
        _ if status >= 400 => Err(failed(RemoteErrorKind::Http {
            status,
            said: first_words(&response.body),
            retry_after: response.retry_after,
        })),
        _ => {
            let format = match response.content_type.split(';').next().map(str::trim) {
                Some("application/openmetrics-text") => Format::OpenMetrics,
                Some("text/plain") => Format::Text,
                _ => Format::detect(&response.body),
            };
            Ok((response.body, format, base.to_string()))
        }
    }
}
