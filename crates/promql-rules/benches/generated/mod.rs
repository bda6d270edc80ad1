//! A rule file of 10,000 rules, 3.4 MB.

use std::fmt::Write;

/// 500 groups of 20 rules, in the styles of real files.
pub(super) fn rules() -> String {
    let mut out = String::from("groups:\n");
    for group in 0..500 {
        let _ = write!(out, "- name: group-{group}\n  interval: 30s\n  rules:\n");
        for at in 0..20 {
            rule(&mut out, group * 20 + at);
        }
    }
    out
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
