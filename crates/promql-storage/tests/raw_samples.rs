//! Raw samples of a real server, got in each of the ways there are, and what is evaluated over them.
//!
//! The programs are looked for in the folder that PROMQL_REFERENCE_BIN names, then in PATH.

mod support;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use promql_engine::{QueryOptions, Storage, evaluate};
use promql_model::{QueryResult, QueryValue, SampleValue};
use promql_storage::remote::{RemoteOptions, RemoteServer};
use promql_syntax::{Features, compile};

use support::folder::Folder;
use support::reference::{Running, free_port, program};
use support::server::{Reply, Server};

/// What is asked of the server and evaluated here.
const EXPRESSIONS: [&str; 16] = [
    "up",
    "count(node_cpu_seconds_total)",
    "sum by (mode) (rate(node_cpu_seconds_total[10s]))",
    "avg_over_time(node_load1[8s])",
    "count_over_time(node_memory_MemTotal_bytes[7s])",
    "timestamp(up)",
    "node_load1 offset 3s",
    "max_over_time(rate(node_context_switches_total[5s])[5s:1s])",
    "last_over_time(up{job=\"brief\"}[5s])",
    "brief_metric",
    "count(brief_metric) or vector(0)",
    "up{job=~\"no.*\"} == 1",
    "changes(process_start_time_seconds[10s])",
    "present_over_time(brief_metric[3s])",
    "absent(brief_metric{x=\"y\"})",
    "quantile_over_time(0.5, node_load1[10s])",
];

/// The same with native histograms.
const OF_HISTOGRAMS: [&str; 4] = [
    "histogram_count(prometheus_http_request_duration_seconds)",
    "histogram_quantile(0.9, sum(rate(prometheus_http_request_duration_seconds[10s])))",
    "increase(prometheus_http_request_duration_seconds{handler=\"/metrics\"}[10s])",
    "prometheus_http_request_duration_seconds",
];

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as i64
}

/// An exporter with a metric that comes and goes: three seconds with it, three without.
fn brief_exporter() -> u16 {
    let begun = Instant::now();
    let server = Server::start(move |_, _| {
        let with = (begun.elapsed().as_secs() / 3).is_multiple_of(2);
        let text = if with { "brief_metric 1\nother_metric 2\n" } else { "other_metric 2\n" };
        let head = "Content-Type: text/plain; version=0.0.4\r\n".to_owned();
        Reply::Answer(200, head, text.as_bytes().to_vec())
    });
    server.port().parse().expect("a number")
}

/// What a server in front of another makes of remote read.
#[derive(Clone, Copy)]
enum Answers {
    /// It does not know it.
    Unknown,
    /// It has no chunks to give, as servers before 2.13.
    Samples,
}

/// A server in front of another.
fn in_front_of(port: u16, read: Answers) -> Server {
    Server::start(move |_, request| {
        let (head, body) = request.split_once("\r\n\r\n").expect("a head");
        let mut body: Vec<u8> = body.chars().map(|c| c as u8).collect();
        let path = head.split(' ').nth(1).unwrap_or_default();
        if path.ends_with("/api/v1/read") {
            let Answers::Samples = read else {
                return Reply::Answer(404, String::new(), b"404 page not found\n".to_vec());
            };
            let message = snap::raw::Decoder::new().decompress_vec(&body).expect("snappy");
            // The forms that are welcome come last: streamed chunks, and samples.
            let plain = message.strip_suffix(&[0x12, 2, 1, 0]).expect("both forms");
            body = snap::raw::Encoder::new().compress_vec(plain).expect("snappy");
        }
        let lines = head.lines().filter(|line| {
            let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
            !matches!(&*name, "connection" | "accept-encoding" | "content-length")
        });
        let length = format!("Content-Length: {}", body.len());
        let head: Vec<&str> = lines.chain(["Connection: close", &length]).collect();
        let mut upstream = TcpStream::connect(("127.0.0.1", port)).expect("a server");
        let head = format!("{}\r\n\r\n", head.join("\r\n"));
        upstream.write_all(&[head.as_bytes(), &body].concat()).expect("it listens");
        let mut answer = Vec::new();
        upstream.read_to_end(&mut answer).expect("it answers");
        Reply::Raw(answer)
    })
}

fn storage(address: &str) -> Box<dyn Storage> {
    let server = RemoteServer::new(address, RemoteOptions::default()).expect("an address");
    Box::new(server.into_storage())
}

fn here(expression: &str, storage: &dyn Storage, options: &QueryOptions) -> QueryResult {
    let query = compile(expression.as_bytes(), &Features::ALL).expect("an expression");
    evaluate(&query, storage, options).unwrap_or_else(|error| panic!("{expression}: {error:?}"))
}

/// Labels, times and values.
type Points = BTreeMap<(String, i64), SampleValue>;

fn points(value: QueryValue) -> Points {
    match value {
        QueryValue::Vector(elements) => {
            elements.into_iter().map(|e| ((e.labels.to_string(), 0), e.value)).collect()
        }
        QueryValue::Matrix(series) => series
            .into_iter()
            .flat_map(|s| {
                let labels = s.labels.to_string();
                let other = labels.clone();
                let floats = s.floats.into_iter();
                let histograms = s.histograms.into_iter();
                floats
                    .map(move |(t, v)| ((labels.clone(), t), SampleValue::Float(v)))
                    .chain(histograms.map(move |(t, h)| {
                        ((other.clone(), t), SampleValue::Histogram(Box::new(h)))
                    }))
                    .collect::<Vec<_>>()
            })
            .collect(),
        other => panic!("{other:?}"),
    }
}

/// Histograms are compared as the API shows them.
fn assert_same(what: &str, there: QueryValue, here: QueryValue) {
    let (there, here) = (points(there), points(here));
    assert_eq!(there.keys().collect::<Vec<_>>(), here.keys().collect::<Vec<_>>(), "{what}");
    let close = |a: f64, b: f64| {
        a == b || (a - b).abs() <= 1e-9 * a.abs().max(b.abs()) || a.is_nan() && b.is_nan()
    };
    for (key, expected) in &there {
        let same = match (expected, &here[key]) {
            (SampleValue::Float(a), SampleValue::Float(b)) => close(*a, *b),
            // The API shows populated buckets.
            (SampleValue::Histogram(a), SampleValue::Histogram(b)) => {
                let buckets = |h: &promql_model::FloatHistogram| {
                    h.buckets().filter(|b| b.count != 0.0).collect::<Vec<_>>()
                };
                let (x, y) = (buckets(a), buckets(b));
                close(a.count, b.count)
                    && close(a.sum, b.sum)
                    && x.len() == y.len()
                    && x.iter().zip(&y).all(|(x, y)| {
                        close(x.upper, y.upper)
                            && close(x.lower, y.lower)
                            && close(x.count, y.count)
                    })
            }
            _ => false,
        };
        assert!(same, "{what} {key:?}: {expected:?} there, {:?} here", here[key]);
    }
}

#[test]
fn what_is_evaluated_here_is_what_the_server_answers() {
    let prometheus = program(&["prometheus"]);
    let exporter = program(&["node_exporter", "prometheus-node-exporter"]);
    let (Some(prometheus), Some(exporter)) = (prometheus, exporter) else {
        eprintln!("no prometheus and node_exporter in PROMQL_REFERENCE_BIN or PATH, skipping");
        return;
    };
    let (port, node) = (free_port(), free_port());
    let brief = brief_exporter();
    let folder = Folder::new("raw");
    let text = format!(
        "global: {{scrape_interval: 1s, external_labels: {{region: eu, replica: a}}}}\n\
         scrape_configs:\n\
         - job_name: node\n  static_configs: [{{targets: ['127.0.0.1:{node}']}}]\n\
         - job_name: brief\n  static_configs: [{{targets: ['127.0.0.1:{brief}']}}]\n\
         - job_name: prometheus\n  scrape_protocols: [PrometheusProto]\n  \
         static_configs: [{{targets: ['127.0.0.1:{port}']}}]\n"
    );
    let config = folder.file("prometheus.yml", text);
    let _exporter = Running::start(
        &exporter,
        &[&format!("--web.listen-address=127.0.0.1:{node}")],
        &folder.path("exporter.log"),
    );
    let _server = Running::start(
        &prometheus,
        &[
            &format!("--config.file={}", config.display()),
            &format!("--storage.tsdb.path={}", folder.path("data").display()),
            &format!("--web.listen-address=127.0.0.1:{port}"),
            "--enable-feature=native-histograms",
        ],
        &folder.path("server.log"),
    );
    let address = format!("http://127.0.0.1:{port}");
    let server = RemoteServer::new(&address, RemoteOptions::default()).expect("an address");
    let begun = Instant::now();
    loop {
        // Histograms have to be older than all windows: at the front of a series 3.5 doesn't look how far
        // it is to zero, as later versions and this crate do.
        let query = "count_over_time(brief_metric[1m]) >= 6 \
                     and on () count_over_time(up{job=\"node\"}[1m]) >= 14 \
                     and on () min(count_over_time(prometheus_http_request_duration_seconds[1m])) >= 18";
        let result = server.query(query, &QueryOptions::instant(now()));
        if matches!(&result, Ok(QueryResult { value: QueryValue::Vector(v), .. }) if !v.is_empty())
        {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(90), "no samples: {result:?}");
        std::thread::sleep(Duration::from_millis(300));
    }
    // Half-way between two scrapes of the target whose metric comes and goes: where exactly in
    // between its markers are, a server without remote read does not say.
    let last = server.query("timestamp(other_metric)", &QueryOptions::instant(now()));
    let QueryValue::Vector(last) = last.expect("an answer").value else { panic!("a vector") };
    let SampleValue::Float(last) = last[0].value else { panic!("a time") };
    let end = (last * 1000.0) as i64 + 500;
    std::thread::sleep(Duration::from_millis(1500));
    let times = [
        QueryOptions::instant(end),
        QueryOptions::instant(end - 2000),
        QueryOptions::range(end - 6000, end, Duration::from_secs(1)),
    ];
    let (old, without) = (in_front_of(port, Answers::Samples), in_front_of(port, Answers::Unknown));
    let ways = [("chunks", &address), ("samples", &old.address), ("selectors", &without.address)];
    let mut compared = 0;
    for (way, address) in ways {
        let storage = storage(address);
        for options in &times {
            for expression in EXPRESSIONS {
                let there = server.query(expression, options).expect("an answer").value;
                let here = here(expression, &*storage, options).value;
                assert_same(&format!("{expression} by {way}"), there, here);
                compared += 1;
            }
            for expression in OF_HISTOGRAMS {
                let there = server.query(expression, options).expect("an answer").value;
                let result = here(expression, &*storage, options);
                assert_same(&format!("{expression} by {way}"), there, result.value);
                let lost =
                    result.annotations.iter().any(|a| a.message.contains("lost on that way"));
                assert_eq!(lost, way == "selectors", "{:?}", result.annotations);
                compared += 1;
            }
        }
    }
    // What remote read adds to series was taken off, and can be kept.
    let options = RemoteOptions { keep_external_labels: true, ..RemoteOptions::default() };
    let kept = RemoteServer::new(&address, options).expect("an address").into_storage();
    let result = here("count by (region, replica) (up{region=\"eu\"})", &kept, &times[0]).value;
    let QueryValue::Vector(elements) = result else { panic!("a vector") };
    assert_eq!(elements[0].labels.to_string(), r#"{region="eu", replica="a"}"#);
    let result = here("up{region=\"eu\"}", &*storage(&address), &times[0]).value;
    assert_eq!(result, QueryValue::Vector(Vec::new()));
    println!("{compared} expressions gave the same there and here");
}

#[test]
fn a_victoria_metrics_gives_what_it_exports() {
    let Some(victoria) = program(&["victoria-metrics", "victoria-metrics-prod"]) else {
        eprintln!("no victoria-metrics in PROMQL_REFERENCE_BIN or PATH, skipping");
        return;
    };
    let (port, brief) = (free_port(), brief_exporter());
    let folder = Folder::new("vm");
    let text = format!(
        "global: {{scrape_interval: 1s}}\nscrape_configs:\n\
         - job_name: brief\n  static_configs: [{{targets: ['127.0.0.1:{brief}']}}]\n"
    );
    let config = folder.file("scrape.yml", text);
    let _server = Running::start(
        &victoria,
        &[
            &format!("-storageDataPath={}", folder.path("data").display()),
            &format!("-httpListenAddr=127.0.0.1:{port}"),
            &format!("-promscrape.config={}", config.display()),
            "-search.latencyOffset=0s",
        ],
        &folder.path("server.log"),
    );
    let address = format!("http://127.0.0.1:{port}");
    let server = RemoteServer::new(&address, RemoteOptions::default()).expect("an address");
    let begun = Instant::now();
    loop {
        let query = "count_over_time(other_metric[1m]) >= 10";
        let result = server.query(query, &QueryOptions::instant(now()));
        if matches!(&result, Ok(QueryResult { value: QueryValue::Vector(v), .. }) if !v.is_empty())
        {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "no samples: {result:?}");
        std::thread::sleep(Duration::from_millis(300));
    }
    let end = now() / 1000 * 1000 - 1000;
    std::thread::sleep(Duration::from_millis(1500));
    let storage = storage(&address);
    let at = QueryOptions::instant(end);
    for expression in ["other_metric", "count_over_time(other_metric[5s])", "sum(up)"] {
        let there = server.query(expression, &at).expect("an answer").value;
        assert_same(expression, there, here(expression, &*storage, &at).value);
    }
    // The series ends and comes back, as its markers say.
    let options = QueryOptions::range(end - 7000, end, Duration::from_millis(500));
    let result = here("brief_metric or vector(0)", &*storage, &options);
    assert!(result.annotations.is_empty(), "{:?}", result.annotations);
    let QueryValue::Matrix(series) = result.value else { panic!("a matrix") };
    let steps: Vec<usize> = series.iter().map(|one| one.floats.len()).collect();
    assert_eq!(steps.len(), 2, "{series:?}");
    let (always, sometimes) = (steps.iter().max(), steps.iter().min());
    assert_eq!(always, Some(&15), "{series:?}");
    assert!(sometimes.is_some_and(|count| (4..=11).contains(count)), "{series:?}");
}
