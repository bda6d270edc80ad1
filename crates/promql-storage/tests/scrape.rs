//! Exporters, right and wrong, in; series and samples out.
//!
//! A real node_exporter is looked for in the folder that PROMQL_REFERENCE_BIN names, then in PATH.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use promql_engine::{
    Cancellation, LabelQuery, QueryOptions, SampleBuffer, SelectHints, SelectRequest, Storage,
    TimeRange, evaluate,
};
use promql_model::{MatchOp, Matcher, QueryValue, SampleValue, is_stale_nan};
use promql_storage::remote::RemoteOptions;
use promql_storage::{ScrapeOptions, Scraper};
use promql_syntax::{Features, compile};

use support::folder::Folder;
use support::reference::{Running, free_port, program};
use support::server::{Reply, Server};

fn text(body: &str) -> Reply {
    let head = "Content-Type: text/plain; version=0.0.4\r\n".to_owned();
    Reply::Answer(200, head, body.as_bytes().to_vec())
}

fn scraper(address: &str, said: &str) -> Scraper {
    let options = ScrapeOptions::parse(said).expect("options");
    let none = Cancellation::default();
    Scraper::start(&format!("{address}/metrics"), RemoteOptions::default(), options, &none)
        .unwrap_or_else(|error| panic!("{error}"))
}

/// The series with their values, a marker as `stale`; of durations only that they are there.
fn shown(scraper: &Scraper, port: &str) -> String {
    let matchers = [Matcher::new("__name__", MatchOp::NotEqual, "").expect("a matcher")];
    let cancellation = Cancellation::default();
    let request = SelectRequest {
        matchers: &matchers,
        range: TimeRange::ALL,
        hints: SelectHints::default(),
        cancellation: &cancellation,
    };
    let selected = scraper.select(&request).expect("in memory");
    let mut out = String::new();
    for (index, labels) in selected.labels().iter().enumerate() {
        let mut buffer = SampleBuffer::default();
        let samples = selected.read(index, &mut buffer).expect("in memory");
        let is_duration = labels.metric_name() == Some("scrape_duration_seconds");
        let values = samples.values.iter().map(|value| match value {
            _ if is_duration => "_".to_owned(),
            value if is_stale_nan(*value) => "stale".to_owned(),
            value => value.to_string(),
        });
        let values: Vec<String> = values.collect();
        out += &format!("{labels} {}\n", values.join(" ")).replace(port, "PORT");
    }
    for annotation in selected.annotations() {
        out += &format!("{}\n", annotation.message.replace(port, "PORT"));
    }
    out
}

#[test]
fn series_come_and_go_with_their_targets() {
    let server = Server::start(|number, _| match number {
        0 => text("# TYPE a counter\na{job=\"own\"} 1\nb 2\nold 3 1000\n"),
        1 => text("a{job=\"own\"} 2\nold 4 2000\n"),
        2 => Reply::Answer(500, String::new(), b"no".to_vec()),
        3 => text("a{job=\"own\"} 3\nb 5\n"),
        _ => Reply::Silence(Duration::from_secs(60)),
    });
    let scraper = scraper(&server.address, "interval=50ms,job=test");
    assert!(scraper.wait_for(3, &Cancellation::default()));
    let failed = shown(&scraper, server.port());
    assert!(
        failed.ends_with("the last scrape of http://127.0.0.1:PORT/metrics failed: http://127.0.0.1:PORT/metrics answered a scrape with status 500: no\n"),
        "{failed}"
    );
    assert!(scraper.wait_for(4, &Cancellation::default()));
    insta::assert_snapshot!(shown(&scraper, server.port()));
    let everything = LabelQuery { selectors: &[], range: TimeRange::ALL };
    let names = scraper.label_names(&everything).expect("in memory");
    assert_eq!(names, ["__name__", "exported_job", "instance", "job"]);
    assert_eq!(scraper.label_values("job", &everything).expect("in memory"), ["test"]);
    // A scrape that hangs keeps nobody.
    let begun = Instant::now();
    drop(scraper);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[test]
fn history_has_an_end() {
    let server = Server::start(|number, _| text(&format!("n {number}\n")));
    let scraper = scraper(&server.address, "interval=20ms,window=200ms");
    assert!(scraper.wait_for(40, &Cancellation::default()));
    let all = shown(&scraper, server.port());
    let line = all.lines().find(|line| line.contains("\"n\"")).expect("the series");
    let count = line.split('}').nth(1).unwrap_or_default().split_whitespace().count();
    assert!((5..=16).contains(&count), "{line}");
    assert!(scraper.covered() <= Duration::from_millis(200));
}

#[test]
fn what_is_no_exporter_is_said_at_once() {
    let start = |address: &str| {
        let none = Cancellation::default();
        Scraper::start(address, RemoteOptions::default(), ScrapeOptions::default(), &none)
    };
    let server = Server::start(|_, _| Reply::Answer(404, String::new(), b"not here\n".to_vec()));
    let error = start(&server.address).expect_err("no exporter").to_string();
    assert!(error.ends_with("answered a scrape with status 404: not here"), "{error}");
    let server = Server::start(|_, _| text("a b c\n"));
    assert!(start(&server.address).is_err());
    // Who waits can stop.
    let server = Server::start(|_, _| Reply::Silence(Duration::from_secs(60)));
    let cancellation = Cancellation::default();
    let switch = cancellation.clone();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        switch.cancel();
    });
    let begun = Instant::now();
    let options = ScrapeOptions::default();
    let started = Scraper::start(&server.address, RemoteOptions::default(), options, &cancellation);
    assert!(started.is_err() && begun.elapsed() < Duration::from_secs(3));
}

#[test]
fn forms_are_negotiated() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    // A gauge `up_to_you` without labels, with the value 1.
    let family = b"\x1a\x0a\x09up_to_you\x18\x01\x22\x0b\x12\x09\x09\0\0\0\0\0\0\xf0\x3f".to_vec();
    let server = Server::start(move |_, request| {
        let accept = request.lines().find(|line| line.starts_with("accept: ")).unwrap_or_default();
        let first = accept.split(',').max_by_key(|one| one.split("q=").nth(1).map(str::to_owned));
        counter.fetch_add(1, Ordering::Relaxed);
        match first.unwrap_or_default().contains("protobuf") {
            true => {
                let head = "Content-Type: application/vnd.google.protobuf; encoding=delimited\r\n";
                Reply::Answer(200, head.to_owned(), family.clone())
            }
            false => text("as_text 1\n"),
        }
    });
    let names = |said: &str| shown(&scraper(&server.address, said), server.port());
    assert!(names("").contains("as_text"));
    assert!(names("format=protobuf").contains("up_to_you"));
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[test]
fn rates_of_a_bare_node_exporter() {
    let Some(program) = program(&["node_exporter", "prometheus-node-exporter"]) else {
        eprintln!("no node_exporter in PROMQL_REFERENCE_BIN or PATH, skipping");
        return;
    };
    let (port, folder) = (free_port(), Folder::new("scrape"));
    let listen = format!("--web.listen-address=127.0.0.1:{port}");
    let exporter = Running::start(&program, &[&listen], &folder.path("exporter.log"));
    let begun = Instant::now();
    let scraper = loop {
        let options = ScrapeOptions::parse("interval=500ms,job=node").expect("options");
        let address = format!("http://127.0.0.1:{port}/metrics");
        let none = Cancellation::default();
        match Scraper::start(&address, RemoteOptions::default(), options, &none) {
            Ok(scraper) => break scraper,
            Err(error) => assert!(begun.elapsed() < Duration::from_secs(30), "{error}"),
        }
        std::thread::sleep(Duration::from_millis(200));
    };
    assert!(scraper.wait_for(9, &Cancellation::default()));
    let ask = |expression: &str| {
        let query = compile(expression.as_bytes(), &Features::ALL).expect("an expression");
        let options = QueryOptions::instant(scraper.last_scrape().expect("a scrape"));
        match evaluate(&query, &scraper, &options).expect("an answer").value {
            QueryValue::Vector(elements) => elements,
            other => panic!("{other:?}"),
        }
    };
    // Seconds of all modes and processors: as many as there are processors, about.
    let seconds = ask(
        "sum(rate(node_cpu_seconds_total[4s])) / count(count by (cpu) (node_cpu_seconds_total))",
    );
    let SampleValue::Float(value) = seconds[0].value else { panic!("a float") };
    assert!((0.5..1.5).contains(&value), "{value}");
    assert_eq!(ask("up{job=\"node\"} == 1").len(), 1);
    assert!(matches!(ask("scrape_samples_scraped")[0].value, SampleValue::Float(n) if n > 100.0));
    // It goes away, and its series end.
    drop(exporter);
    let seen = scraper.scrapes();
    assert!(scraper.wait_for(seen + 2, &Cancellation::default()));
    assert_eq!(ask("up == 0").len(), 1);
    assert!(ask("node_load1").is_empty());
}
