//! Everyday questions about a machine, asked of a real Prometheus that scrapes a real node exporter,
//! and the same questions evaluated here.
//!
//! What the exporter answers changes from one scrape to the next, so one answer is kept: it is the
//! file that is evaluated here, and the target of a second job of the server.

#![allow(clippy::unwrap_used, reason = "a test that fails")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use promql_tests::binary;
use promql_tests::reference::{Running, free_port, get, program, serve, wait_for};
use serde_json::Value;

/// Questions that one scrape answers. `$` stands for the matcher of the server's job.
const OF_ONE_SCRAPE: [&str; 8] = [
    "node_load1{$}",
    "count(node_cpu_seconds_total{mode=\"idle\", $})",
    "sum by (mode) (node_cpu_seconds_total{$})",
    "1 - node_memory_MemAvailable_bytes{$} / node_memory_MemTotal_bytes{$}",
    "node_filesystem_avail_bytes{fstype!=\"tmpfs\", $} / node_filesystem_size_bytes{$} > 0",
    "max by (fstype) (node_filesystem_size_bytes{$})",
    "time() - node_boot_time_seconds{$}",
    "count by (sysname, machine) (node_uname_info{$})",
];

/// Questions that need a window, and so a server.
const OF_A_WINDOW: [&str; 2] = [
    "sum by (mode) (rate(node_cpu_seconds_total{job=\"node\"}[10s]))",
    "avg_over_time(node_load1{job=\"node\"}[10s])",
];

/// Label sets with values.
type Answer = BTreeMap<BTreeMap<String, String>, f64>;

#[test]
fn everyday_questions() {
    let (Some(prometheus), Some(exporter)) =
        (program(&["prometheus"]), program(&["node_exporter", "prometheus-node-exporter"]))
    else {
        promql_tests::conformance::say(
            "prometheus and node_exporter not found (PROMQL_REFERENCE_BIN, else the path), \
             skipping 10 everyday questions to a live server",
        );
        return;
    };
    let folder = std::env::temp_dir().join(format!("promql-live-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let (node_port, server_port) = (free_port(), free_port());
    let listen = format!("--web.listen-address=127.0.0.1:{node_port}");
    let _node = Running::start(&exporter, &[&listen], &folder.join("node.log"));
    let text = wait_for("the exporter", || get(node_port, "/metrics"));
    let scrape = folder.join("node.prom");
    fs::write(&scrape, &text).unwrap();
    let replay_port = serve("text/plain; version=0.0.4; charset=utf-8", text);

    let config = folder.join("prometheus.yml");
    fs::write(
        &config,
        format!(
            "global: {{scrape_interval: 1s}}\nscrape_configs:\n\
         - {{job_name: node, static_configs: [{{targets: ['127.0.0.1:{node_port}']}}]}}\n\
         - {{job_name: replay, static_configs: [{{targets: ['127.0.0.1:{replay_port}']}}]}}\n"
        ),
    )
    .unwrap();
    let arguments = [
        format!("--config.file={}", config.display()),
        format!("--storage.tsdb.path={}", folder.join("data").display()),
        format!("--web.listen-address=127.0.0.1:{server_port}"),
    ];
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let _server = Running::start(&prometheus, &arguments, &folder.join("prometheus.log"));
    let server = format!("http://127.0.0.1:{server_port}");
    let scraped = "count_over_time(node_load1{job=\"node\"}[1m]) >= 8 and on () \
        node_load1{job=\"replay\"}";
    wait_for("eight scrapes", || {
        let answer = ask(&["-s", &server, scraped]).ok()?;
        (!answer.is_empty()).then_some(())
    });
    // Samples of this moment are there, and don't change any more.
    let now = jiff::Timestamp::now().as_second().to_string();
    std::thread::sleep(Duration::from_millis(1500));

    for question in OF_ONE_SCRAPE {
        let there = question.replace('$', "job=\"replay\"");
        let here = question.replace(", $", "").replace("{$}", "");
        let there = ask(&["-s", &server, "--time", &now, &there]).unwrap();
        let here = ask(&["-s", &scrape.display().to_string(), "--time", &now, &here]).unwrap();
        assert!(!here.is_empty(), "{question} has no answer");
        assert_same(question, &there, &here);
    }
    for question in OF_A_WINDOW {
        let there = ask(&["-s", &server, "--time", &now, question]).unwrap();
        let here = ask(&["-s", &server, "--eval", "local", "--time", &now, question]).unwrap();
        assert!(!there.is_empty(), "{question} has no answer");
        assert_same(question, &there, &here);
    }
    ranges(&server, &now);
    refusals(&server);
    fs::remove_dir_all(&folder).unwrap();
}

/// A graph, and the same range evaluated there and here.
fn ranges(server: &str, now: &str) {
    let question = OF_A_WINDOW[1];
    let range = ["--last", "4s", "--end", now, "--step", "1s", question];
    let points = |eval: &str| {
        let text = run(&[&["-s", server, "--eval", eval, "-o", "json"], &range[..]].concat());
        let json: Value = serde_json::from_str(&text.unwrap()).unwrap();
        let series = json["data"]["result"].as_array().unwrap().clone();
        assert_eq!(series.len(), 1, "{json}");
        let point = |point: &Value| {
            let value = point[1].as_str()?.parse().ok()?;
            Some((BTreeMap::from([("time".to_owned(), point[0].to_string())]), value))
        };
        let points = series[0]["values"].as_array().unwrap().iter().map(point);
        points.collect::<Option<Answer>>().unwrap()
    };
    assert_eq!(points("server").len(), 5);
    assert_same(question, &points("server"), &points("local"));
    let graph = run(&[&["-s", server, "-o", "graph"], &range[..]].concat()).unwrap();
    assert!(graph.contains('└') && graph.contains("last"), "{graph}");
}

/// What the server refuses is shown where it is wrong; what it remarks, too.
fn refusals(server: &str) {
    let output = promql(&["-s", server, "rate(node_load1)"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        text.contains("expected type range vector") && text.contains("[argument 1:1:6]"),
        "{text}"
    );
    let output = promql(&["-s", server, "rate(node_load1[10s])"]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("might not be a counter") && text.contains("[argument 1:1:6]"), "{text}");
}

fn promql(arguments: &[&str]) -> std::process::Output {
    let mut command = Command::new(binary::promql());
    command.arg("query").args(arguments).env_remove("PROMQL_SOURCE").output().unwrap()
}

fn run(arguments: &[&str]) -> Result<String, String> {
    let output = promql(arguments);
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// An instant query's answer, without the labels that a scrape adds.
fn ask(arguments: &[&str]) -> Result<Answer, String> {
    let text = run(&[arguments, &["-o", "json"]].concat())?;
    let json: Value = serde_json::from_str(&text).map_err(|e| format!("{e}: {text}"))?;
    let elements = json["data"]["result"].as_array().ok_or(text.clone())?;
    let element = |element: &Value| {
        let labels = element["metric"].as_object()?.iter();
        let labels = labels.filter(|(name, _)| !matches!(name.as_str(), "job" | "instance"));
        let labels = labels.map(|(n, v)| Some((n.clone(), v.as_str()?.to_string())));
        let value = element["value"][1].as_str()?.replace("Inf", "inf");
        Some((labels.collect::<Option<_>>()?, value.parse().ok()?))
    };
    elements.iter().map(element).collect::<Option<Answer>>().ok_or(text)
}

fn assert_same(question: &str, there: &Answer, here: &Answer) {
    let names = |answer: &Answer| answer.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(there), names(here), "{question}");
    for (labels, expected) in there {
        let value = here[labels];
        let close = (value - expected).abs() <= 1e-10 * expected.abs().max(1e-300);
        assert!(
            close || value.is_nan() && expected.is_nan(),
            "{question} {labels:?}: {expected} there, {value} here"
        );
    }
}

/// What the test above relies on.
#[test]
fn a_program_that_is_not_there_is_not_found() {
    assert!(program(&["no-such-program-of-upstream"]).is_none());
    assert!(get(free_port(), "/").is_none());
    let port = serve("text/plain", b"up 1\n".to_vec());
    assert_eq!(get(port, "/").as_deref(), Some(&b"up 1\n"[..]));
    assert!(Path::new(binary::promql()).is_file());
}
