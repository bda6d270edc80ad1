//! The protobuf form of an exposition, scraped by a real Prometheus and read here.
//!
//! The families are those of the server itself and of a node exporter, one behind the other: they
//! hold native histograms, classic ones and summaries. One answer is kept, and a second server
//! scrapes it; what that server has then in its data folder is what is read here from the bytes.

#![allow(clippy::unwrap_used, reason = "a test that fails")]

use std::collections::BTreeMap;

use promql_engine::{Cancellation, SampleBuffer, SelectHints, SelectRequest, Storage, TimeRange};
use promql_model::{FloatHistogram, Labels};
use promql_storage::exposition::{is_protobuf, read_protobuf};
use promql_storage::tsdb::TsdbStorage;
use promql_tests::conformance::say;
use promql_tests::prometheus::Prometheus;
use promql_tests::reference::{Running, free_port, get_as, program, serve, wait_for};

const PROTOBUF: &str = "application/vnd.google.protobuf; \
    proto=io.prometheus.client.MetricFamily; encoding=delimited";

/// The last sample of a series.
#[derive(Clone, Debug, PartialEq)]
enum Last {
    /// By its bits.
    Float(u64),
    Histogram(Box<FloatHistogram>),
}

#[test]
fn a_server_scrapes_what_is_read_here() {
    let exporter = program(&["node_exporter", "prometheus-node-exporter"]);
    let scraped = Prometheus::start("scraped", &["native-histograms"]);
    let (Some(exporter), Some(scraped)) = (exporter, scraped) else {
        say("prometheus and node_exporter not found (PROMQL_REFERENCE_BIN, else the path), \
             skipping the protobuf form of their metrics");
        return;
    };
    let node = free_port();
    let log = std::env::temp_dir().join(format!("promql-node-{}.log", std::process::id()));
    let listen = format!("--web.listen-address=127.0.0.1:{node}");
    let _exporter = Running::start(&exporter, &[&listen], &log);
    let mut body = wait_for("the exporter", || get_as(node, "/metrics", PROTOBUF));
    // A request to count, so that there is a native histogram.
    wait_for("the server", || get_as(scraped.port(), "/api/v1/labels", "*/*"));
    body.extend(get_as(scraped.port(), "/metrics", PROTOBUF).unwrap());
    assert!(is_protobuf(&body));
    let read = read_protobuf("metrics.pb", &body, 0).unwrap();

    let replay = serve(PROTOBUF, body);
    let configured = format!(
        "global: {{scrape_interval: 1s}}\nscrape_configs:\n- job_name: replay\n  \
         scrape_protocols: [PrometheusProto]\n  static_configs: [{{targets: ['127.0.0.1:{replay}']}}]\n"
    );
    let server = Prometheus::start_with("scraping", &["native-histograms"], &configured).unwrap();
    let theirs = wait_for("a scrape", || {
        let (folder, _) = TsdbStorage::open(&server.data()).ok()?;
        let series = last_samples(&folder);
        // The server's own series about the scrape come last.
        let is_over = |labels: &Labels| labels.metric_name() == Some("scrape_series_added");
        series.keys().any(is_over).then_some(series)
    });
    let own = ["up", "scrape_duration_seconds", "scrape_samples_scraped", "scrape_series_added"];
    let own = |name: &str| own.contains(&name) || name == "scrape_samples_post_metric_relabeling";
    let theirs: BTreeMap<Labels, Last> = theirs
        .into_iter()
        .filter(|(labels, _)| !labels.metric_name().is_some_and(own))
        .map(|(labels, last)| (labels.filtered(|name| name != "job" && name != "instance"), last))
        .collect();
    let ours = last_samples(&read.storage);
    let histograms = ours.values().filter(|last| matches!(last, Last::Histogram(_))).count();
    assert!(histograms > 0, "there is no native histogram among {} series", ours.len());
    for (labels, last) in &ours {
        assert_eq!(theirs.get(labels), Some(last), "{labels}");
    }
    assert_eq!(theirs.len(), ours.len());
    say(&format!("protobuf exposition: {} series equal, {histograms} native", ours.len()));
}

/// The last sample of each series.
fn last_samples(storage: &dyn Storage) -> BTreeMap<Labels, Last> {
    let request = SelectRequest {
        matchers: &[],
        range: TimeRange::ALL,
        hints: SelectHints::default(),
        cancellation: &Cancellation::default(),
    };
    let selected = storage.select(&request).unwrap();
    let mut buffer = SampleBuffer::default();
    let mut series = BTreeMap::new();
    for (index, labels) in selected.labels().iter().enumerate() {
        let samples = selected.read(index, &mut buffer).unwrap();
        let last = match (samples.values.last(), samples.histograms.last()) {
            (Some(value), _) => Last::Float(value.to_bits()),
            (None, Some(histogram)) => Last::Histogram(Box::new(histogram.clone())),
            (None, None) => continue,
        };
        series.insert(labels.clone(), last);
    }
    series
}
