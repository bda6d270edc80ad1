//! What is around the answers: connections that end, limits, encodings.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use promql_engine::{
    LabelQuery, SampleBuffer, Samples, SelectRequest, SelectedSeries, Storage, StorageError,
};
use promql_model::Labels;
use promql_server::{Api, Settings};

/// Selects until the query is cancelled, or at once nothing.
#[derive(Default)]
struct Slow {
    begun: AtomicUsize,
    cancelled: AtomicUsize,
}

impl Storage for Slow {
    fn select<'a>(
        &'a self,
        request: &SelectRequest<'_>,
    ) -> Result<Box<dyn SelectedSeries + 'a>, StorageError> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        if request.matchers.iter().any(|matcher| matcher.value() == b"fails") {
            return Err(StorageError::caused_by("reading failed", "the <disk> is gone"));
        }
        if request.matchers.iter().any(|matcher| matcher.value() == b"panics") {
            panic!("a storage that is broken");
        }
        while !request.cancellation.is_cancelled() {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.cancelled.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(Nothing))
    }

    fn label_names(&self, _: &LabelQuery<'_>) -> Result<Vec<String>, StorageError> {
        Ok(vec!["job".to_owned(); 2000])
    }

    fn label_values(&self, _: &str, _: &LabelQuery<'_>) -> Result<Vec<String>, StorageError> {
        Ok(Vec::new())
    }
}

struct Nothing;

impl SelectedSeries for Nothing {
    fn labels(&self) -> &[Labels] {
        &[]
    }

    fn read<'b>(&'b self, _: usize, _: &'b mut SampleBuffer) -> Result<Samples<'b>, StorageError> {
        Ok(Samples::default())
    }
}

/// Serves as long as the process lives. Gives the port.
fn serve(storage: Arc<Slow>, settings: Settings) -> u16 {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let port = listener.local_addr().expect("an address").port();
            sender.send(port).expect("somebody waits");
            let api = Api::new(storage, settings);
            promql_server::serve(listener, api, std::future::pending()).await.expect("it serves");
        });
    });
    receiver.recv().expect("a port")
}

fn send(port: u16, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("somebody listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    stream.write_all(request.as_bytes()).expect("a request is sent");
    stream
}

/// The answer to a request of HTTP 1.0, whose connection ends with the answer.
fn answer(port: u16, request: &str) -> (String, Vec<u8>) {
    let mut bytes = Vec::new();
    send(port, request).read_to_end(&mut bytes).expect("an answer");
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("a head");
    let body = bytes.split_off(end + 4);
    (String::from_utf8(bytes).expect("a head of text").to_lowercase(), body)
}

fn get(port: u16, path: &str, headers: &str) -> (String, String) {
    let (head, body) = answer(port, &format!("GET {path} HTTP/1.0\r\n{headers}\r\n"));
    (head, String::from_utf8_lossy(&body).into_owned())
}

fn wait(what: &str, done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_client_that_goes_away_cancels_its_query() {
    let storage = Arc::new(Slow::default());
    let port = serve(storage.clone(), Settings { concurrency: 1, ..Settings::default() });
    let request = "GET /api/v1/query?query=up HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let first = send(port, request);
    wait("the query begins", || storage.begun.load(Ordering::SeqCst) == 1);
    // There is room for one, so this one waits.
    let second = send(port, request);
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(storage.begun.load(Ordering::SeqCst), 1);
    drop(first);
    wait("the query is cancelled", || storage.cancelled.load(Ordering::SeqCst) == 1);
    wait("the next one begins", || storage.begun.load(Ordering::SeqCst) == 2);
    drop(second);
    wait("it is cancelled as well", || storage.cancelled.load(Ordering::SeqCst) == 2);
}

#[test]
fn failures_of_the_storage_are_said() {
    let port = serve(Arc::default(), Settings::default());
    let (head, body) = get(port, "/api/v1/query?query=fails", "");
    assert!(head.starts_with("http/1.0 500"), "{head}");
    assert_eq!(
        body,
        "{\"status\":\"error\",\"errorType\":\"internal\",\"error\":\"expanding series: reading \
         failed: the \\u003cdisk\\u003e is gone\"}"
    );
    let (head, body) = get(port, "/api/v1/series?match[]=panics", "");
    assert!(head.starts_with("http/1.0 500"), "{head}");
    assert!(body.contains("the work ended in an unexpected way"), "{body}");
}

#[test]
fn a_query_takes_no_longer_than_it_may() {
    let port = serve(Arc::default(), Settings::default());
    // The storage looks at nothing but cancellation, so the time is over before it is asked.
    let (head, body) = get(port, "/api/v1/query?query=1&timeout=0.000000001", "");
    assert!(head.starts_with("http/1.0 503"), "{head}");
    assert!(body.contains("\"errorType\":\"timeout\""), "{body}");
}

#[test]
fn large_requests_are_refused() {
    let port = serve(Arc::default(), Settings { max_request: 1000, ..Settings::default() });
    let form = format!("query=1{}", " ".repeat(2000));
    let request = format!(
        "POST /api/v1/query HTTP/1.0\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n{form}",
        form.len()
    );
    let (head, _) = answer(port, &request);
    assert!(head.starts_with("http/1.0 413"), "{head}");
}

#[test]
fn answers_are_compressed_on_request() {
    let port = serve(Arc::default(), Settings::default());
    let (head, plain) = answer(port, "GET /api/v1/labels HTTP/1.0\r\n\r\n");
    assert!(!head.contains("content-encoding"), "{head}");
    assert!(head.contains("content-type: application/json"), "{head}");
    let request = "GET /api/v1/labels HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n";
    let (head, packed) = answer(port, request);
    assert!(head.contains("content-encoding: gzip"), "{head}");
    assert!(packed.len() < plain.len() / 10);
}

#[test]
fn pages_of_other_origins_may_ask_or_not() {
    let open = serve(Arc::default(), Settings::default());
    let closed = serve(Arc::default(), Settings { any_origin: false, ..Settings::default() });
    let origin = "Origin: http://grafana.example\r\n";
    let (head, _) = get(open, "/api/v1/labels", origin);
    assert!(head.contains("access-control-allow-origin: *"), "{head}");
    let (head, _) = get(closed, "/api/v1/labels", origin);
    assert!(!head.contains("access-control-allow-origin"), "{head}");
}

#[test]
fn what_grafana_looks_for() {
    let port = serve(Arc::default(), Settings::default());
    for path in [
        "/api/v1/status/buildinfo",
        "/api/v1/rules?limit=1",
        "/api/v1/query?query=1%2B1",
        "/api/v1/label/__name__/values",
        "/api/v1/metadata?limit=10",
        "/api/v1/labels?start=1.5&end=2.5",
        "/-/healthy",
        "/-/ready",
    ] {
        let (head, _) = get(port, path, "");
        assert!(head.starts_with("http/1.0 200"), "{path} {head}");
    }
    let (_, body) = get(port, "/api/v1/status/buildinfo", "");
    assert!(body.contains("\"version\":\"3.14.0\""), "{body}");
}
