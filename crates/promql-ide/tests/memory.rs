//! What is known of a large server takes less than 300 MB: 100,000 names of metrics and 1,000,000 values
//! of a label, with what it takes to read them.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that fails")]

use std::collections::HashMap;

use promql_ide::{Metadata, MetricKind, Names, Selector, Snapshot, complete};

/// The most memory that this process has ever had, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

#[test]
fn a_large_server_fits() {
    let mut known = Snapshot::new();
    let names: Vec<String> =
        (0..100_000).map(|i| format!("service{}_requests_{}_total", i / 100, i % 100)).collect();
    let about = Metadata {
        kind: MetricKind::Counter,
        unit: String::new(),
        help: "What was asked of the service, by code and method.".to_owned(),
    };
    let metadata: HashMap<String, Metadata> =
        names.iter().map(|name| (name.clone(), about.clone())).collect();
    known.set_metadata(metadata);
    known.set_metrics(Names::new(names));
    let selector = Selector::metric("service1_requests_1_total");
    known.set_label_names(selector.clone(), Names::new(["pod"]));
    let values: Vec<String> = (0..1_000_000u32)
        .map(|i| format!("app-{:07x}-{i:x}", i.wrapping_mul(0x9e37_79b1) >> 4))
        .collect();
    known.set_label_values("pod", selector, Names::new(values));
    let text = "service1_requests_1_total{pod=\"app-0";
    assert!(!complete(text, text.len(), &known).items.is_empty());
    let peak = peak();
    assert!(peak < 300_000_000, "{peak} bytes");
}
