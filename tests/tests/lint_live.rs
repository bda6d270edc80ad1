//! `promql lint --source`: what checks say that ask a server, by a real Prometheus, by a VictoriaMetrics, and
//! by servers that fail.

#![allow(clippy::unwrap_used, reason = "a test that fails")]

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use promql_model::Labels;
use promql_storage::{Columns, MemoryBuilder, MemoryStorage};
use promql_tests::binary;
use promql_tests::conformance::say;
use promql_tests::faulty::{Reply, Server};
use promql_tests::prometheus::Prometheus;
use promql_tests::reference::{Running, free_port, get, post, program, wait_for};

/// A rule for each thing that a server can tell about rules; what is said about it stands behind it.
const RULES: &str = r#"groups:
- name: shop
  interval: 1m
  rules:
  - {alert: Fine, expr: 'up == 0', for: 5m}
  - {alert: Missing, expr: 'rate(request_total[5m]) > 1'}
  - {alert: MissingValue, expr: 'requests_total{path="/nowhere"} > 1e9'}
  - {alert: MissingLabel, expr: 'sum by (shop) (requests_total) > 1e9'}
  - {alert: Vanished, expr: 'rate(old_requests_total[5m]) > 1'}
  - {alert: Fails, expr: 'requests_total / on (job) requests_total > 1e9'}
  - {alert: Noisy, expr: 'steps > 5'}
  - {alert: Flapping, expr: 'spikes > 5'}
  - {alert: Cluster, expr: 'up == 0', labels: {cluster: us}}
  - {record: 'job:mad', expr: 'mad_over_time(steps[5m])'}
  - {alert: Unsaid, expr: 'absent(request_total) unless closed'}
  - {alert: Long, expr: 'increase(requests_total[101y]) > 1e18'}
"#;

/// A folder for a test that is gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("promql-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).unwrap();
    }

    /// What `promql lint -o concise` says about `rules.yml` there, by all checks that ask.
    fn lint(&self, source: &str, more: &[&str]) -> String {
        self.lint_as(source, "live", "concise", more)
    }

    /// The same by some checks, in some form.
    fn lint_as(&self, source: &str, select: &str, format: &str, more: &[&str]) -> String {
        let output = Command::new(binary::promql())
            .args(["lint", "--isolated", "--select", select, "-o", format, "-s", source])
            .args(more)
            .args(["--extend-select", "syntax", "rules.yml"])
            .current_dir(&self.0)
            .env("XDG_CACHE_HOME", self.0.join("cache"))
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        let code = output.status.code().unwrap_or(-1);
        format!("{}{errors}exit code {code}\n", String::from_utf8_lossy(&output.stdout))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

/// A day of a shop, minute by minute.
fn series(now: i64) -> MemoryStorage {
    const MINUTES: i64 = 25 * 60;
    let mut builder = MemoryBuilder::default();
    let mut insert = |pairs: &[(&str, &str)], value: &dyn Fn(i64) -> Option<f64>| {
        let mut columns = Columns::default();
        for minute in 0..=MINUTES {
            if let Some(value) = value(minute) {
                columns.timestamps.push(now - (MINUTES - minute) * 60_000);
                columns.values.push(value);
            }
        }
        builder.insert(Labels::from_pairs(pairs.iter().copied()), columns);
    };
    let shop = ("job", "shop");
    insert(&[("__name__", "up"), shop], &|_| Some(1.0));
    for path in ["/", "/buy"] {
        insert(&[("__name__", "requests_total"), shop, ("path", path)], &|m| Some(m as f64));
    }
    let old = |m: i64| (m < MINUTES - 300).then_some(m as f64);
    insert(&[("__name__", "old_requests_total"), shop], &old);
    let every =
        |apart: i64, long: i64| move |m: i64| Some(if m % apart < long { 9.0 } else { 0.0 });
    insert(&[("__name__", "steps"), shop], &every(400, 100));
    insert(&[("__name__", "spikes"), shop], &every(200, 1));
    builder.build()
}

#[test]
fn a_real_server_is_asked() {
    let config = "global: {external_labels: {cluster: eu}}\nscrape_configs: []\n";
    let Some(server) = Prometheus::start_with("lint-live", &[], config) else {
        return say(
            "no prometheus in PROMQL_REFERENCE_BIN or the path: it is not asked about rules",
        );
    };
    server.write(&series(now()));
    let folder = Folder::new("lint-live-rules");
    folder.write("rules.yml", RULES);
    let address = format!("http://127.0.0.1:{}", server.port());
    let said = folder.lint(&address, &[]);
    insta::assert_snapshot!("prometheus", without_span(&said));
    assert_eq!(folder.lint(&address, &[]), said, "answers that were kept");
}

/// The metadata of a node exporter, which a server keeps only of what it scrapes.
#[test]
fn kinds_are_those_that_targets_tell() {
    let (Some(exporter), Some(_)) =
        (program(&["node_exporter", "prometheus-node-exporter"]), program(&["prometheus"]))
    else {
        return say("no prometheus or no node exporter: nobody is asked about kinds");
    };
    let folder = Folder::new("lint-live-kinds");
    let port = free_port();
    let listen = format!("--web.listen-address=127.0.0.1:{port}");
    let _running = Running::start(&exporter, &[&listen], &folder.0.join("log"));
    let config = format!(
        "global: {{scrape_interval: 1s}}\nscrape_configs:\n- job_name: node\n  static_configs: \
         [{{targets: ['127.0.0.1:{port}']}}]\n"
    );
    let server = Prometheus::start_with("lint-kinds", &[], &config).unwrap();
    wait_for("metadata", || {
        let body = get(server.port(), "/api/v1/metadata?metric=node_load1")?;
        String::from_utf8_lossy(&body).contains("gauge").then_some(())
    });
    wait_for("series", || {
        let body = get(server.port(), "/api/v1/query?query=node_load1")?;
        String::from_utf8_lossy(&body).contains("node_load1").then_some(())
    });
    folder.write(
        "rules.yml",
        "groups:\n- name: node\n  rules:\n  - {alert: A, expr: 'rate(node_load1[5m]) > 100'}\n  \
         - {alert: B, expr: 'delta(node_cpu_seconds_total[5m]) > 1e9'}\n  \
         - {alert: C, expr: 'rate(node_cpu_seconds_total[5m]) > 1e9'}\n  \
         - {alert: D, expr: 'deriv(node_load1[5m]) > 1e9'}\n",
    );
    let said = folder.lint_as(
        &format!("http://127.0.0.1:{}", server.port()),
        "L000,L001,L005",
        "concise",
        &[],
    );
    let expected = "\
rules.yml:4:23: warning[L005] kind-contradiction: `node_load1` is a gauge, as all its targets say, and `rate` is not for these
rules.yml:5:23: warning[L005] kind-contradiction: `node_cpu_seconds_total` is a counter, as all its targets say, and `delta` is not for these
exit code 0
";
    assert_eq!(said, expected);
}

/// VictoriaMetrics shows neither flags nor retention; all else is asked nevertheless.
#[test]
fn a_server_with_half_of_the_api_is_asked_for_the_rest() {
    let Some(path) = program(&["victoria-metrics", "victoria-metrics-prod"]) else {
        return say("no victoria-metrics in PROMQL_REFERENCE_BIN or the path: it is not asked");
    };
    let folder = Folder::new("lint-live-vm");
    let port = free_port();
    let arguments = [
        format!("-storageDataPath={}", folder.0.join("data").display()),
        format!("-httpListenAddr=127.0.0.1:{port}"),
        "-retentionPeriod=1y".to_owned(),
    ];
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let _running = Running::start(&path, &arguments, &folder.0.join("log"));
    wait_for("victoria-metrics", || get(port, "/health"));
    let storage = series(now());
    let mut text = String::new();
    for (at, labels) in storage.series().iter().enumerate() {
        let samples = storage.samples(at).unwrap();
        let name = labels.get("__name__").unwrap();
        let pairs: Vec<String> = labels
            .iter()
            .filter(|(name, _)| *name != "__name__")
            .map(|(name, value)| format!("{name}={value:?}"))
            .collect();
        for (time, value) in samples.timestamps.iter().zip(samples.values) {
            text.push_str(&format!("{name}{{{}}} {value} {time}\n", pairs.join(",")));
        }
    }
    let (status, body) = post(port, "/api/v1/import/prometheus", "", text.as_bytes()).unwrap();
    assert_eq!(status, 204, "{body}");
    wait_for("series", || {
        // What was imported is found after it was flushed.
        let _ = get(port, "/internal/force_flush");
        let body = get(port, "/api/v1/query?query=count(requests_total)")?;
        String::from_utf8_lossy(&body).contains("\"2\"").then_some(())
    });
    folder.write("rules.yml", RULES);
    let said = folder.lint(&format!("http://127.0.0.1:{port}"), &["--ignore", "L007,L010,L011"]);
    insta::assert_snapshot!("victoria-metrics", without_span(&said));
}

/// What is said, but for how long something is gone: times are looked at each ten minutes.
fn without_span(said: &str) -> String {
    let mut out = String::new();
    for line in said.lines() {
        let front =
            line.split_once("gone for ").map(|(front, _)| format!("{front}gone for [hours]"));
        out.push_str(front.as_deref().unwrap_or(line));
        out.push('\n');
    }
    out
}

/// An answer of a server that has one series, `up{job="shop"}`.
fn small(request: &str) -> Reply {
    let path = request.split(' ').nth(1).unwrap_or_default();
    let data = match path.split('?').next().unwrap_or_default() {
        "/api/v1/query" => r#"{"resultType":"vector","result":[{"metric":{},"value":[1,"1"]}]}"#,
        "/api/v1/query_range" => r#"{"resultType":"matrix","result":[]}"#,
        "/api/v1/series" => r#"[{"__name__":"up","job":"shop"}]"#,
        "/api/v1/labels" => r#"["__name__","job"]"#,
        "/api/v1/status/buildinfo" => r#"{"version":"3.5.0"}"#,
        "/api/v1/status/flags" => r#"{"enable-feature":""}"#,
        "/api/v1/status/runtimeinfo" => r#"{"storageRetention":"15d"}"#,
        "/api/v1/status/config" => r#"{"yaml":"global:\n  external_labels: {cluster: eu}\n"}"#,
        _ => return Reply::json(404, "404 page not found"),
    };
    Reply::json(200, &format!("{{\"status\":\"success\",\"data\":{data}}}"))
}

const DOWN: &str = "groups:\n- name: shop\n  rules:\n  - {alert: Down, expr: up == 0, for: 5m}\n";

#[test]
fn servers_that_fail_are_one_finding() {
    let folder = Folder::new("lint-live-faulty");
    folder.write("rules.yml", DOWN);
    type Case = (&'static str, fn(&str) -> Reply);
    let cases: [Case; 8] = [
        ("closes connections", |_| Reply::Raw(Vec::new())),
        ("wants a password", |_| Reply::json(401, "who are you?")),
        ("is broken", |_| {
            Reply::json(500, r#"{"status":"error","errorType":"internal","error":"oh"}"#)
        }),
        ("is no Prometheus", |_| {
            Reply::Answer(
                200,
                "Content-Type: text/html\r\n".into(),
                b"<html><title>Shop</title>".into(),
            )
        }),
        ("has queries alone", |request| match request.contains("/api/v1/query") {
            true => small(request),
            false => Reply::json(404, "404 page not found"),
        }),
        ("breaks at the second question", |request| match request.contains("/status/") {
            true => small(request),
            false => Reply::Raw(Vec::new()),
        }),
        ("has no time", |request| match request.contains("/status/") {
            true => small(request),
            false => Reply::json(
                503,
                r#"{"status":"error","errorType":"timeout","error":"query timed out"}"#,
            ),
        }),
        ("has a limit", |request| match request.contains("/status/") {
            true => small(request),
            false => Reply::json(
                422,
                r#"{"status":"error","errorType":"execution","error":"query processing would load too many samples into memory in query execution"}"#,
            ),
        }),
    ];
    let mut said = String::new();
    for (name, reply) in cases {
        let server = Server::start(move |_, request| reply(request));
        // What is secret in an address is never shown.
        let address = server.address.replace("http://", "http://bob:hunter2@");
        let answer = folder.lint_as(&address, "live", "json", &["--retries", "0"]);
        assert!(!answer.contains("hunter2"), "{answer}");
        let json: serde_json::Value = serde_json::from_str(answer.lines().next().unwrap()).unwrap();
        said.push_str(&format!("# a server that {name}\n"));
        for finding in json["findings"].as_array().unwrap() {
            let text = |key: &str| finding[key].as_str().unwrap_or_default().to_owned();
            let line = format!(
                "{} {}: {}\n{}\n",
                text("severity"),
                text("code"),
                text("message"),
                text("help")
            );
            said.push_str(&line.replace(server.port(), "PORT"));
        }
        said.push_str(answer.lines().last().unwrap());
        said.push_str("\n\n");
        let _ = fs::remove_dir_all(folder.0.join("cache"));
    }
    insta::assert_snapshot!("faulty", said);
}

/// A dashboard whose queries have variables, which nobody can ask about.
const DASHBOARD: &str = r#"{"panels": [
  {"type": "timeseries", "targets": [{"expr": "rate(down_total{job=\"$job\"}[$__rate_interval])"}]},
  {"type": "timeseries", "targets": [{"expr": "rate(up{job=\"$job\", team=\"a\"}[$__rate_interval])"}]},
  {"type": "timeseries", "targets": [{"expr": "${metric}_total"}]},
  {"type": "timeseries", "targets": [{"expr": "sum by ($by) (up)"}]},
  {"type": "timeseries", "targets": [{"expr": "sum by (zone) (up)"}]},
  {"type": "stat", "targets": [{"expr": "limitk(1, up)"}]}
], "templating": {"list": [{"name": "job", "type": "query"}, {"name": "by", "type": "custom"}, {"name": "metric", "type": "custom"}]}}
"#;

#[test]
fn a_server_is_asked_about_dashboards() {
    let folder = Folder::new("lint-live-dashboard");
    folder.write("shop.json", DASHBOARD);
    folder.write("rules.yml", "groups: []\n");
    let exists = |request: &str| !request.contains("down_total");
    let server = Server::start(move |_, request| {
        let path = request.split(' ').nth(1).unwrap_or_default();
        let is_empty = r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;
        match (exists(request), path.split('?').next().unwrap_or_default()) {
            (false, "/api/v1/series") => Reply::json(200, r#"{"status":"success","data":[]}"#),
            (false, "/api/v1/query") => Reply::json(200, is_empty),
            _ => small(request),
        }
    });
    let said =
        folder.lint_as(&server.address, "live", "concise", &["shop.json", "--ignore", "L000"]);
    insta::assert_snapshot!("dashboard", said);
    // Nobody asks about a metric whose name is a variable.
    let asked = server.requests();
    let names = |request: &String| request.contains("up") || request.contains("down_total");
    assert!(asked.iter().filter(|request| request.contains("__name__")).all(names), "{asked:?}");
}

/// An alert that goes on and off is told once, by the check that knows why; both look if only one is asked for.
#[test]
fn a_noisy_alert_is_told_once() {
    let folder = Folder::new("lint-live-once");
    folder.write("rules.yml", "groups:\n- name: a\n  rules:\n  - {alert: A, expr: spikes > 5}\n");
    folder.write("spikes.test", "load 1m\n  spikes 0x300 9 0x300 9 0x300 9 0x300 9 0x200\n");
    let codes = |select: &str| {
        let said = folder.lint_as("spikes.test", select, "concise", &[]);
        let code = |line: &str| Some(line.split_once('[')?.1.split_once(']')?.0.to_owned());
        said.lines().filter_map(code).collect::<Vec<_>>()
    };
    assert_eq!(codes("live"), ["L011"]);
    assert_eq!(codes("L010"), ["L010"]);
}

/// The flags of a server count more than what may be needed; without them `enabled-features` does.
#[test]
fn features_are_told_once() {
    let folder = Folder::new("lint-live-features");
    folder.write(
        "rules.yml",
        "groups:\n- name: a\n  rules:\n  - {record: 'a:b', expr: 'limitk(1, up)'}\n",
    );
    folder.write("on.toml", "[lint]\nenabled-features = [\"promql-experimental-functions\"]\n");
    folder.write("off.toml", "[lint]\nenabled-features = []\n");
    let with = |flags: &'static str, more: &[&str]| {
        let server = Server::start(move |_, request| match request.contains("/status/flags") {
            true if flags.is_empty() => Reply::json(404, "404 page not found"),
            true => Reply::json(200, &format!("{{\"status\":\"success\",\"data\":{flags}}}")),
            false => small(request),
        });
        let output = Command::new(binary::promql())
            .args([
                "lint",
                "-o",
                "concise",
                "--select",
                "V002,L015",
                "--fresh",
                "-s",
                &server.address,
            ])
            .args(more)
            .arg("rules.yml")
            .current_dir(&folder.0)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let code = |line: &str| Some(line.split_once('[')?.1.split_once(']')?.0.to_owned());
        said.lines().filter_map(code).collect::<Vec<_>>().join(" ")
    };
    let on = r#"{"enable-feature":"promql-experimental-functions"}"#;
    let off = r#"{"enable-feature":""}"#;
    let found: Vec<String> = [
        with(on, &[]),
        with(off, &[]),
        with("", &[]),
        with(off, &["--config", "on.toml"]),
        with("", &["--config", "on.toml"]),
        with("", &["--config", "off.toml"]),
    ]
    .into();
    assert_eq!(found, ["", "L015", "V002", "L015", "", "V002"]);
}

#[test]
fn servers_of_a_configuration_are_asked_about_their_files() {
    let folder = Folder::new("lint-live-servers");
    let rules = |metric: &str| {
        format!("groups:\n- name: a\n  rules:\n  - {{alert: A, expr: '{metric} == 0'}}\n")
    };
    fs::create_dir_all(folder.0.join("eu")).unwrap();
    fs::create_dir_all(folder.0.join("us")).unwrap();
    folder.write("eu/a.yml", &rules("rate(eu_total[5m])"));
    folder.write("us/a.yml", &rules("rate(us_total[5m])"));
    let nothing = |request: &str| match request.split(' ').nth(1).unwrap_or_default() {
        path if path.starts_with("/api/v1/series") => {
            Reply::json(200, r#"{"status":"success","data":[]}"#)
        }
        path if path.starts_with("/api/v1/query") => {
            Reply::json(200, r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#)
        }
        _ => small(request),
    };
    let (eu, us) = (
        Server::start(move |_, request| nothing(request)),
        Server::start(move |_, request| nothing(request)),
    );
    folder.write(
        "promql.toml",
        &format!(
            "[lint]\nselect = [\"L001\", \"L007\"]\n\n[[lint.server]]\nname = \"eu\"\nsource = \"{}\"\npaths = [\"eu/**\"]\n\n\
             [[lint.server]]\nname = \"us\"\nsource = \"{}\"\npaths = [\"us/**\"]\nchecks = [\"series-missing\"]\nbudget = {{ requests = 50 }}\n",
            eu.address, us.address
        ),
    );
    let lint = |more: &[&str]| {
        let output = Command::new(binary::promql())
            .args(["lint", "-o", "concise", "--fresh"])
            .args(more)
            .arg(".")
            .current_dir(&folder.0)
            .env("XDG_CACHE_HOME", folder.0.join("cache"))
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        text(&output.stdout) + &text(&output.stderr)
    };
    assert_eq!(
        lint(&["--servers"]),
        "./eu/a.yml:4:28: warning[L001] series-missing: the server had no series of `eu_total` in the last 1w (on `eu`)\n\
         ./us/a.yml:4:28: warning[L001] series-missing: the server had no series of `us_total` in the last 1w (on `us`)\n"
    );
    let asked = |server: &Server, word: &str| {
        server.requests().iter().any(|request| request.contains(word))
    };
    assert!(asked(&eu, "eu_total") && !asked(&eu, "us_total"));
    assert!(asked(&us, "us_total") && !asked(&us, "eu_total"));
    // One by its name.
    let before = us.requests().len();
    assert_eq!(
        lint(&["--source", "eu"]),
        "./eu/a.yml:4:28: warning[L001] series-missing: the server had no series of `eu_total` in the last 1w (on `eu`)\n"
    );
    assert_eq!(us.requests().len(), before);
    // Nobody is asked unless somebody says so.
    let before = eu.requests().len();
    assert_eq!(lint(&[]), "");
    assert_eq!(eu.requests().len(), before);
    assert!(lint(&["--isolated", "--servers"]).contains("it names none"));
}

#[test]
fn answers_are_kept_for_a_while() {
    let folder = Folder::new("lint-live-kept");
    folder.write("rules.yml", DOWN);
    let server = Server::start(|_, request| small(request));
    let first = folder.lint(&server.address, &[]);
    let asked = server.requests().len();
    assert!(asked > 5, "{asked}");
    assert_eq!(folder.lint(&server.address, &[]), first);
    assert_eq!(server.requests().len(), asked, "all was known");
    folder.lint(&server.address, &["--tenant", "other"]);
    assert_eq!(server.requests().len(), 2 * asked, "of another tenant nothing was");
    folder.lint(&server.address, &["--fresh"]);
    assert_eq!(server.requests().len(), 3 * asked, "all was to be asked again");
    folder.lint(&server.address, &["--header", "X-Scope-OrgID: third"]);
    folder.lint(&server.address, &["--header", "X-Scope-OrgID: third"]);
    assert_eq!(server.requests().len(), 5 * asked, "with a header nothing is kept");
}

#[test]
fn no_more_is_asked_than_may_be() {
    let folder = Folder::new("lint-live-budget");
    let mut rules = DOWN.to_owned();
    for number in 0..50 {
        rules.push_str(&format!("  - {{alert: A{number}, expr: up{{job=\"{number}\"}} == 0}}\n"));
    }
    rules.push_str(
        "  - {alert: Urgent, expr: 'up{job=\"urgent\"} == 0', labels: {severity: page}}\n",
    );
    folder.write(
        "rules.yml",
        &rules.replace("expr: up{", "expr: 'up{").replace("} == 0}", "} == 0'}"),
    );
    let server = Server::start(|_, request| small(request));
    let said = folder.lint_as(&server.address, "L000,L001", "concise", &["--max-requests", "20"]);
    assert!(said.contains("check could not ask all they wanted about"), "{said}");
    // The probe is one question of four requests.
    assert_eq!(server.requests().len(), 19 + 4);
    // Several are under way at a time.
    let first = server.requests()[4..12].join("\n");
    assert!(first.contains("urgent"), "what people are called for is asked first: {first}");
    // No more a second than a configuration says.
    folder.write("paced.toml", "[lint.live]\nrequests-per-second = 20\n");
    let paced = Server::start(|_, request| small(request));
    let start = Instant::now();
    let arguments = [
        "lint",
        "--config",
        "paced.toml",
        "--select",
        "L001",
        "--max-requests",
        "8",
        "--fresh",
        "-s",
        &paced.address,
        "rules.yml",
    ];
    let status = Command::new(binary::promql()).args(arguments).current_dir(&folder.0).output();
    assert!(status.unwrap().status.success());
    let requests = paced.requests().len() as u32;
    assert_eq!(requests, 7 + 4);
    assert!(start.elapsed() >= (requests - 1) * Duration::from_millis(50), "{:?}", start.elapsed());
    let slow = Server::start(|_, request| {
        std::thread::sleep(Duration::from_millis(200));
        small(request)
    });
    let said = folder.lint_as(&slow.address, "L000,L001", "concise", &["--max-seconds", "1"]);
    assert!(said.contains("L000"), "{said}");
    assert!(slow.requests().len() < 40, "{}", slow.requests().len());
}
