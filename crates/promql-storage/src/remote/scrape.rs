//! The scrape of an exporter.

use std::time::Duration;

use promql_engine::Cancellation;

use crate::exposition::{Format, is_protobuf};

use super::base_url::BaseUrl;
use super::error::{RemoteError, RemoteErrorKind, first_words, page_title};
use super::transport::{Content, Request, Transport};
use super::{RemoteOptions, credentials_of};

/// The formats of text that Prometheus asks for.
macro_rules! text_formats {
    () => {
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
         application/openmetrics-text;version=0.0.1;q=0.5,\
         text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3"
    };
}

/// Text is what is asked for first; an exporter that has no other form may answer in protobuf's.
const TEXT_FIRST: &str = concat!(
    text_formats!(),
    ",application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;\
     encoding=delimited;q=0.2,*/*;q=0.1"
);

const PROTOBUF_FIRST: &str = concat!(
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;\
     encoding=delimited;q=0.7,",
    text_formats!(),
    ",*/*;q=0.2"
);

/// An exporter.
pub(crate) struct Exporter {
    base: BaseUrl,
    transport: Transport,
    accept: &'static str,
}

/// What an exporter answers.
pub(crate) enum Body {
    /// Text, in the format that the answer says; one that says neither leaves it to the text.
    Text(Vec<u8>, Format),
    /// The protobuf form.
    Protobuf(Vec<u8>),
}

impl Exporter {
    pub(crate) fn new(
        address: &str,
        options: RemoteOptions,
        prefer_protobuf: bool,
    ) -> Result<Exporter, RemoteError> {
        let (base, in_address) = BaseUrl::parse(address)?;
        let failed = |kind| RemoteError::new(base.to_string(), kind);
        let credentials = credentials_of(in_address.as_ref(), &options).map_err(failed)?;
        let transport = Transport::new(&base.url(), &options, credentials).map_err(failed)?;
        let accept = if prefer_protobuf { PROTOBUF_FIRST } else { TEXT_FIRST };
        Ok(Exporter { base, transport, accept })
    }

    /// The address as it may be shown.
    pub(crate) fn name(&self) -> String {
        self.base.to_string()
    }

    /// Host and port, as the label `instance` has them.
    pub(crate) fn instance(&self) -> String {
        let url = self.base.url();
        let host = url.host_str().unwrap_or_default();
        match url.port_or_known_default() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    /// Asks for the metrics.
    pub(crate) fn scrape(
        &self,
        timeout: Duration,
        cancellation: &Cancellation,
    ) -> Result<Body, RemoteError> {
        let failed = |kind| RemoteError::new(self.base.to_string(), kind);
        let request = Request {
            url: self.base.url(),
            parameters: Vec::new(),
            content: Content::Get,
            accept: self.accept,
            timeout,
        };
        let response = self.transport.send(&request, cancellation).map_err(failed)?;
        let status = response.status;
        let is_page = response.content_type.starts_with("text/html");
        match response.body.trim_ascii_start().first() {
            Some(b'<') if is_page || status >= 400 => {
                Err(failed(RemoteErrorKind::Html { status, said: page_title(&response.body) }))
            }
            _ if status >= 300 => {
                let said = first_words(&response.body);
                Err(failed(RemoteErrorKind::Scrape { status, said }))
            }
            _ => Ok(match response.content_type.split(';').next().map(str::trim) {
                Some("application/openmetrics-text") => {
                    Body::Text(response.body, Format::OpenMetrics)
                }
                Some("text/plain") => Body::Text(response.body, Format::Text),
                Some("application/vnd.google.protobuf") => Body::Protobuf(response.body),
                _ if is_protobuf(&response.body) => Body::Protobuf(response.body),
                _ => {
                    let format = Format::detect(&response.body);
                    Body::Text(response.body, format)
                }
            }),
        }
    }
}
