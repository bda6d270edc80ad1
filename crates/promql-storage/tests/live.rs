//! A real Prometheus that scrapes itself and a real node_exporter, asked through this crate.
//!
//! The programs are looked for in the folder that PROMQL_REFERENCE_BIN names, then in PATH.

mod support;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use promql_engine::{Cancellation, LabelQuery, QueryOptions, TimeRange};
use promql_model::{QueryValue, SampleValue};
use promql_storage::remote::{LabelRequest, RemoteErrorKind, RemoteOptions, RemoteServer};
use promql_storage::{OpenOptions, OpenSource, Source};

use support::folder::Folder;
use support::reference::{Running, free_port, program};
use support::rendered;

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as i64
}

#[test]
fn a_real_server_is_asked() {
    let prometheus = program(&["prometheus"]);
    let exporter = program(&["node_exporter", "prometheus-node-exporter"]);
    let (Some(prometheus), Some(exporter)) = (prometheus, exporter) else {
        eprintln!("no prometheus and node_exporter in PROMQL_REFERENCE_BIN or PATH, skipping");
        return;
    };
    let (server_port, exporter_port) = (free_port(), free_port());
    let folder = Folder::new("live");
    let text = format!(
        "global: {{scrape_interval: 1s}}\nscrape_configs:\n\
         - job_name: node\n  static_configs: [{{targets: ['127.0.0.1:{exporter_port}']}}]\n\
         - job_name: prometheus\n  scrape_protocols: [PrometheusProto]\n  \
         static_configs: [{{targets: ['127.0.0.1:{server_port}']}}]\n"
    );
    let config = folder.file("prometheus.yml", text);
    let exporter = Running::start(
        &exporter,
        &[&format!("--web.listen-address=127.0.0.1:{exporter_port}")],
        &folder.path("exporter.log"),
    );
    let server = Running::start(
        &prometheus,
        &[
            &format!("--config.file={}", config.display()),
            &format!("--storage.tsdb.path={}", folder.path("data").display()),
            &format!("--web.listen-address=127.0.0.1:{server_port}"),
            "--enable-feature=native-histograms",
        ],
        &folder.path("server.log"),
    );
    let address = format!("http://127.0.0.1:{server_port}");
    let remote = RemoteServer::new(&address, RemoteOptions::default()).expect("an address");
    wait_for_samples(&remote);

    let info = remote.build_info(&Cancellation::default()).expect("build information");
    assert!(info.version.starts_with(|c: char| c.is_ascii_digit()), "{info:?}");

    // Two targets are up, and sorted labels came as they are.
    let result = remote.query("sort(up)", &QueryOptions::instant(now())).expect("an answer");
    let QueryValue::Vector(elements) = result.value else { panic!("a vector") };
    let jobs: Vec<_> = elements.iter().filter_map(|e| e.labels.get("job")).collect();
    assert_eq!(jobs.len(), 2);
    assert!(elements.iter().all(|e| e.value == SampleValue::Float(1.0)), "{elements:?}");

    let end = now();
    let range = QueryOptions::range(end - 10_000, end, Duration::from_secs(1));
    let result = remote.query("count(node_cpu_seconds_total)", &range).expect("an answer");
    let QueryValue::Matrix(series) = result.value else { panic!("a matrix") };
    assert_eq!(series.len(), 1);
    assert!(series[0].floats.windows(2).all(|pair| pair[1].0 - pair[0].0 == 1000));

    let result = remote.query("pi()", &QueryOptions::instant(1500)).expect("an answer");
    let pi = QueryValue::Scalar { timestamp: 1500, value: std::f64::consts::PI };
    assert_eq!(result.value, pi);
    let result = remote.query("rate(up[1m])", &QueryOptions::instant(now())).expect("an answer");
    assert!(result.annotations[0].message.ends_with("\"up\" (1:6)"), "{:?}", result.annotations);

    // A native histogram comes with buckets that hold all of its observations.
    let histograms = "prometheus_http_request_duration_seconds{handler=\"/api/v1/query\"}";
    let result = remote.query(histograms, &QueryOptions::instant(now())).expect("an answer");
    let QueryValue::Vector(elements) = result.value else { panic!("a vector") };
    let Some(SampleValue::Histogram(histogram)) = elements.first().map(|e| &e.value) else {
        panic!("a native histogram, not {elements:?}");
    };
    let populations: f64 = histogram.buckets().map(|bucket| bucket.count).sum();
    assert!(histogram.count > 0.0 && populations == histogram.count, "{histogram:?}");
    assert!((0..=8).contains(&histogram.schema()), "{histogram:?}");

    let selectors = ["node_memory_MemTotal_bytes".to_owned()];
    let request = LabelRequest { selectors: &selectors, limit: 5, ..LabelRequest::default() };
    assert_eq!(remote.series(&request).expect("an answer").data.len(), 1);
    let values = remote.label_values("job", &LabelRequest::default()).expect("an answer");
    assert_eq!(values.data, ["node", "prometheus"]);
    let names = remote.label_names(&request).expect("an answer").data;
    assert_eq!(names, ["__name__", "instance", "job"]);
    let metadata = remote.metadata(Some("up"), &Cancellation::default()).expect("an answer");
    assert!(metadata.is_empty() || metadata.contains_key("up"));

    let error = remote.query("sum(rate(up{)", &QueryOptions::instant(0)).expect_err("no query");
    let RemoteErrorKind::Api { status: 400, place: Some((_, 12)), .. } = *error.kind else {
        panic!("{}", rendered(&error));
    };

    // What the exporter says can be read here, all of it: as many series as the server has of it.
    let scrape = format!("scrape+http://127.0.0.1:{exporter_port}/metrics");
    let scraped = Source::parse(&scrape).expect("an address").open(&OpenOptions::default());
    let Ok(OpenSource::Local(local)) = scraped else { panic!("{scraped:?}") };
    assert!(local.warnings.is_empty(), "{:?}", local.warnings);
    let all = LabelQuery { selectors: &[], range: TimeRange::ALL };
    let here = local.storage.label_values("__name__", &all).expect("in memory");
    let there =
        LabelRequest { selectors: &["{job=\"node\"}".to_owned()], ..LabelRequest::default() };
    let there = remote.label_values("__name__", &there).expect("an answer").data;
    let missing: Vec<_> = here.iter().filter(|name| !there.contains(name)).collect();
    assert!(missing.is_empty() && here.len() > 100, "{missing:?}");
    println!("a live server answered; {} metrics scraped from the exporter", here.len());
    drop((server, exporter));
}

/// Until both targets were scraped twice and a native histogram is there.
fn wait_for_samples(remote: &RemoteServer) {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let options = QueryOptions::instant(now());
        let up = remote.query("sum(up) == 2 and count(rate(up[1m])) == 2", &options);
        let histogram = remote.query(
            "histogram_count(prometheus_http_request_duration_seconds{handler=\"/api/v1/query\"}) > 0",
            &options,
        );
        let some = |result: &Result<promql_model::QueryResult, _>| matches!(result, Ok(r) if matches!(&r.value, QueryValue::Vector(v) if !v.is_empty()));
        if some(&up) && some(&histogram) {
            return;
        }
        assert!(Instant::now() < deadline, "no samples: {up:?} {histogram:?}");
        std::thread::sleep(Duration::from_millis(200));
    }
}
