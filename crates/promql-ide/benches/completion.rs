//! How fast completion answers where a server knows 100,000 metrics and a label 1,000,000 values.
//!
//! Run `cargo bench -p promql-ide`. The aim is 10 ms for each.

use std::collections::HashMap;
use std::sync::LazyLock;

use promql_ide::{Metadata, MetricKind, Names, Selector, Snapshot, complete};

fn main() {
    divan::main();
}

static KNOWN: LazyLock<Snapshot> = LazyLock::new(|| {
    let mut known = Snapshot::new();
    let areas = ["http", "grpc", "node", "kube", "go", "process", "db", "cache", "queue", "job"];
    let nouns =
        ["requests", "errors", "bytes", "seconds", "connections", "retries", "items", "pods"];
    let ends = ["total", "bucket", "sum", "count", "ratio", "info", "created", "max"];
    let mut metadata = HashMap::new();
    let names: Vec<String> = (0..100_000)
        .map(|i| {
            let (area, noun, end) = (areas[i % 10], nouns[i / 10 % 8], ends[i / 80 % 8]);
            let name = format!("{area}_service{}_{noun}_{end}", i / 640);
            let kind = if i % 3 == 0 { MetricKind::Counter } else { MetricKind::Gauge };
            metadata.insert(name.clone(), Metadata { kind, ..Metadata::default() });
            name
        })
        .collect();
    known.set_metadata(metadata);
    known.set_metrics(Names::new(names));
    let selector = Selector::metric("http_requests_total");
    known.set_label_names(selector.clone(), Names::new(["code", "instance", "job", "pod"]));
    let values = (0..1_000_000u32).map(|i| {
        format!(
            "app-{:07x}-{:05x}",
            i.wrapping_mul(2_654_435_761) >> 4,
            i.wrapping_mul(40_503) >> 8
        )
    });
    known.set_label_values("pod", selector, Names::new(values.collect::<Vec<_>>()));
    known
});

#[divan::bench(args = ["", "h", "http_", "http_service7_req", "req", "hst", "xyz", "zz9", "sum(rate(", "rate(h", "rate(kube_service1"])]
fn metrics(bencher: divan::Bencher<'_, '_>, text: &str) {
    let known = &*KNOWN;
    bencher.bench_local(|| complete(text, text.len(), known));
}

#[divan::bench(args = ["", "a", "app-0", "app-0123", "0", "0f", "9-9", "pp", "zzz", "a0f3", "00000"])]
fn values(bencher: divan::Bencher<'_, '_>, pattern: &str) {
    let known = &*KNOWN;
    let text = format!("http_requests_total{{pod=\"{pattern}");
    bencher.bench_local(|| complete(&text, text.len(), known));
}
