//! Reading and formatting a rule file of 10,000 rules, 3.5 MB.
//!
//! `promtool check rules` of Prometheus 3.5 takes about a second for such a file. To compare the whole
//! commands, write the file by `PROMQL_BENCH_WRITE=rules.yml cargo bench -p promql-rules --bench
//! rule_files` and give it to both.

use std::fmt::Write;
use std::sync::OnceLock;

use divan::{Bencher, black_box};
use promql_rules::format::format_rules;
use promql_rules::rule_file::{LoadOptions, RuleFile, duplicates};
use promql_rules::{file_kind, yaml};

fn main() {
    if let Some(path) = std::env::var_os("PROMQL_BENCH_WRITE") {
        std::fs::write(path, text()).expect("the file can be written");
    }
    divan::main();
}

/// 500 groups of 20 rules, in the styles of real files.
fn text() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        let mut out = String::from("groups:\n");
        for group in 0..500 {
            let _ = write!(out, "- name: group-{group}\n  interval: 30s\n  rules:\n");
            for at in 0..20 {
                rule(&mut out, group * 20 + at);
            }
        }
        out
    })
}

fn rule(out: &mut String, n: usize) {
    let _ = match n % 4 {
        0 => write!(
            out,
            "  - record: job:http_requests_{n}:rate5m
    expr: sum by (job, namespace) (rate(http_requests_total_{n}{{code=~\"5..\",job!=\"x\"}}[5m]))
    labels:
      team: team{}
",
            n % 7
        ),
        1 => write!(
            out,
            "  # Too many requests fail.
  - alert: HighErrorRate{n}
    expr: |
      sum by (job) (rate(http_requests_total{{code=~\"5..\", shard=\"{n}\"}}[5m]))
        /
      sum by (job) (rate(http_requests_total{{shard=\"{n}\"}}[5m])) > 0.05
    for: 10m
    labels:
      severity: critical
    annotations:
      summary: \"High error rate on {{{{ $labels.job }}}}\"
      description: 'The error rate is {{{{ $value | humanizePercentage }}}} for shard {n}.'
"
        ),
        2 => write!(
            out,
            "  - alert: TargetDown{n}
    annotations:
      description: '{{{{ printf \"%.4g\" $value }}}}% of {{{{ $labels.job }}}} in {{{{ $labels.namespace }}}} are down.'
      runbook_url: https://example.com/runbooks/targetdown{n}
      summary: One or more targets are unreachable.
    expr: 100 * (count(up{{shard=\"{n}\"}} == 0) BY (cluster, job, namespace, service) / count(up{{shard=\"{n}\"}}) BY (cluster, job, namespace, service)) > 10
    for: 10m
    labels:
      severity: warning
"
        ),
        _ => write!(
            out,
            "  - record: cluster:request_duration_{n}:histogram_quantile
    expr: |
      histogram_quantile(0.99, sum(rate(request_duration_seconds_bucket{{job=\"api\",verb=~\"LIST|GET\",subresource!=\"proxy\"}}[5m])) without(instance, pod))
    labels:
      quantile: \"0.99\"
      verb: read
"
        ),
    };
}

#[divan::bench]
fn kind() {
    black_box(file_kind(text()));
}

#[divan::bench]
fn yaml_tree(bencher: Bencher<'_, '_>) {
    bencher.bench(|| yaml::parse(text()));
}

#[divan::bench]
fn check(bencher: Bencher<'_, '_>) {
    let options = LoadOptions::default();
    bencher.bench(|| RuleFile::load("rules.yml", text().as_bytes(), &options));
}

#[divan::bench]
fn find_duplicates(bencher: Bencher<'_, '_>) {
    let loaded = RuleFile::load("rules.yml", text().as_bytes(), &LoadOptions::default());
    bencher.bench(|| duplicates(&loaded.file).len());
}

#[divan::bench]
fn format(bencher: Bencher<'_, '_>) {
    bencher.bench(|| format_rules(text(), &Default::default()).map(|done| done.changed));
}
