//! Random queries against a real Prometheus over the same data: success or failure, labels and
//! values. Runs when `prometheus` and `promtool` are in the folder that `PROMQL_REFERENCE_BIN`
//! names. `PROMQL_DIFFERENTIAL_QUERIES` says how many queries (500), `PROMQL_DIFFERENTIAL_SEED` which.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use promql_engine::{EngineOptions, QueryOptions, evaluate};
use promql_model::{Labels, QueryValue, SampleValue};
use promql_storage::{Columns, MemoryBuilder, MemoryStorage};
use promql_syntax::{Features, compile};
use serde_json::Value;

/// Numbers that look random and are the same each time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

/// The first sample's time: a full hour.
const START: i64 = 1_699_999_200_000;
const END: i64 = START + 3_600_000;

/// A counter, a gauge, a smaller gauge and a classic histogram, with gaps, resets and jitter.
fn data(random: &mut Random) -> Vec<(Labels, Columns)> {
    let mut all = Vec::new();
    let mut add = |name: &str, labels: &[(&str, &str)], counter: bool, random: &mut Random| {
        let mut series = Columns::default();
        let mut total = random.below(50) as f64;
        let gap = random.below(200) as i64;
        for k in 0..240_i64 {
            let step = random.below(40) as f64 / 4.0;
            total = if random.below(90) == 0 { 0.0 } else { total + step };
            if random.below(40) == 0 || (gap..gap + 30).contains(&k) {
                continue;
            }
            let jitter = if random.below(5) == 0 { random.below(300) as i64 } else { 0 };
            series.timestamps.push(START + k * 15_000 + jitter);
            series.values.push(if counter { total } else { step * 7.0 - 20.0 });
        }
        let name = [("__name__", name)];
        all.push((Labels::from_pairs(name.iter().chain(labels).copied()), series));
    };
    for (i, j) in [("0", "x"), ("0", "y"), ("1", "x"), ("1", "y"), ("2", "z")] {
        add("c_total", &[("i", i), ("j", j)], true, random);
        add("g", &[("i", i), ("j", j)], false, random);
    }
    for i in ["0", "1", "3"] {
        add("one", &[("i", i), ("k", "v")], false, random);
        for le in ["0.1", "1", "5", "+Inf"] {
            add("h_bucket", &[("i", i), ("le", le)], true, random);
        }
    }
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

fn open_metrics(data: &[(Labels, Columns)]) -> String {
    let mut text = String::new();
    for (labels, series) in data {
        let pairs: Vec<String> = labels
            .iter()
            .filter(|(name, _)| *name != "__name__")
            .map(|(name, value)| format!("{name}=\"{value}\""))
            .collect();
        let name = labels.metric_name().unwrap_or_default();
        for (time, value) in series.timestamps.iter().zip(&series.values) {
            let seconds = *time as f64 / 1000.0;
            let _ = writeln!(text, "{name}{{{}}} {value} {seconds:.3}", pairs.join(","));
        }
    }
    text + "# EOF\n"
}

/// Generates well-typed queries that Prometheus 3.5 knows.
struct Generator(Random);

impl Generator {
    fn selector(&mut self) -> String {
        let selector = self.0.pick(&[
            "c_total",
            "g",
            "one",
            "h_bucket",
            "g{i=\"0\"}",
            "c_total{j=~\"x|y\"}",
            "g{j!=\"x\"}",
            "{__name__=~\"g|one\"}",
            "nothing",
            "g{k=\"\"}",
        ]);
        selector.to_owned()
    }

    fn modifiers(&mut self) -> String {
        match self.0.below(8) {
            0 => " offset 2m".to_owned(),
            1 => " offset -1m".to_owned(),
            2 => format!(" @ {}", START / 1000 + 1800),
            3 => " @ end()".to_owned(),
            _ => String::new(),
        }
    }

    fn range(&mut self, depth: u32) -> String {
        let window = self.0.pick(&["30s", "1m", "90s", "5m", "20m"]);
        if depth > 0 && self.0.below(4) == 0 {
            let step = self.0.pick(&["", "10s", "1m", "37s"]);
            let inner = self.vector(depth - 1);
            return format!("({inner})[{window}:{step}]{}", self.modifiers());
        }
        format!("{}[{window}]{}", self.selector(), self.modifiers())
    }

    fn grouping(&mut self) -> &'static str {
        self.0.pick(&["", " by (i)", " by (i, j)", " without (j)", " by ()", " without (i, le)"])
    }

    fn scalar(&mut self, depth: u32) -> String {
        match self.0.below(7) {
            0 => "time()".to_owned(),
            1 if depth > 0 => format!("scalar({})", self.vector(depth - 1)),
            2 => "-2".to_owned(),
            3 => "(3 - 1.5)".to_owned(),
            _ => self.0.pick(&["0", "1", "0.5", "7", "20"]).to_owned(),
        }
    }

    fn vector(&mut self, depth: u32) -> String {
        if depth == 0 {
            return format!("{}{}", self.selector(), self.modifiers());
        }
        let depth = depth - 1;
        match self.0.below(16) {
            0..4 => {
                let function = self.0.pick(&[
                    "rate",
                    "increase",
                    "delta",
                    "irate",
                    "idelta",
                    "deriv",
                    "changes",
                    "resets",
                    "sum_over_time",
                    "avg_over_time",
                    "min_over_time",
                    "max_over_time",
                    "count_over_time",
                    "stddev_over_time",
                    "stdvar_over_time",
                    "present_over_time",
                    "absent_over_time",
                ]);
                format!("{function}({})", self.range(depth))
            }
            4 => format!("quantile_over_time({}, {})", self.scalar(0), self.range(depth)),
            // Far from the samples upstream's sums cancel and leave but a few digits.
            5 => {
                let window = self.0.pick(&["90s", "5m", "20m"]);
                format!(
                    "predict_linear({}[{window}], {})",
                    self.selector(),
                    self.0.pick(&["9", "-60"])
                )
            }
            6 | 7 => {
                let op = self
                    .0
                    .pick(&["sum", "avg", "min", "max", "count", "group", "stddev", "stdvar"]);
                let grouping = self.grouping();
                format!("{op}{grouping} ({})", self.vector(depth))
            }
            8 => {
                let op = self.0.pick(&["topk", "bottomk", "quantile", "limitk", "limit_ratio"]);
                let parameter = match op {
                    "quantile" | "limit_ratio" => self.0.pick(&["0.3", "0.9", "-0.4", "1"]),
                    _ => self.0.pick(&["1", "2", "3.7", "0"]),
                };
                // Which of equal elements are taken depends on the order in which they come, and
                // on a server that is only certain for selectors and functions of their ranges.
                let operand = match op {
                    "limitk" => self.selector(),
                    "topk" | "bottomk" => format!("rate({})", self.range(0)),
                    _ => self.vector(depth),
                };
                let grouping = self.grouping();
                format!("{op}{grouping} ({parameter}, {operand})")
            }
            9 => {
                let op = self.0.pick(&["+", "-", "*", "/", "^", ">", "<=", "== bool", "!="]);
                match self.0.below(2) {
                    0 => format!("({}) {op} {}", self.vector(depth), self.scalar(depth)),
                    _ => format!("{} {op} ({})", self.scalar(depth), self.vector(depth)),
                }
            }
            10 | 11 => {
                let op = self.0.pick(&["+", "-", "*", "/", "> bool", "<", "atan2"]);
                let matching = self.0.pick(&[
                    "",
                    "on (i)",
                    "on (i, j)",
                    "ignoring (j)",
                    "on (i) group_left ()",
                    "on (i) group_right ()",
                    "ignoring (j, k) group_left (k)",
                ]);
                format!("({}) {op} {matching} ({})", self.vector(depth), self.vector(depth))
            }
            12 => {
                let op = self.0.pick(&["and", "or", "unless"]);
                let matching = self.0.pick(&["", "on (i)", "ignoring (j)", "on ()"]);
                format!("({}) {op} {matching} ({})", self.vector(depth), self.vector(depth))
            }
            13 => {
                let function = self.0.pick(&[
                    // The date of a value that is no time is not defined, so no dates.
                    "abs",
                    "ceil",
                    "exp",
                    "sgn",
                    "sqrt",
                    "ln",
                    "sin",
                    "deg",
                    "round",
                    "timestamp",
                    "absent",
                    "-",
                ]);
                format!("{function}({})", self.vector(depth))
            }
            14 => format!("clamp({}, {}, 15)", self.vector(depth), self.scalar(depth)),
            _ => match self.0.below(4) {
                0 => format!(
                    "histogram_quantile({}, rate(h_bucket[{}]))",
                    self.0.pick(&["0.5", "0.99", "0", "2"]),
                    self.0.pick(&["1m", "5m"])
                ),
                // Labels show the last digit, which depends on the order of sums.
                1 => format!("count_values(\"v\", round({}))", self.selector()),
                2 => format!("label_join({}, \"ij\", \"-\", \"i\", \"j\")", self.vector(depth)),
                _ => format!(
                    "label_replace({}, \"m\", \"<$1>\", \"j\", \"(x|y)\")",
                    self.vector(depth)
                ),
            },
        }
    }
}

struct Server {
    child: Child,
    port: u16,
    folder: PathBuf,
}

impl Server {
    fn start(programs: &Path, text: &str) -> Option<Server> {
        let folder =
            std::env::temp_dir().join(format!("promql-differential-{}", std::process::id()));
        std::fs::create_dir_all(&folder).ok()?;
        std::fs::write(folder.join("data.om"), text).ok()?;
        std::fs::write(folder.join("prometheus.yml"), "scrape_configs: []\n").ok()?;
        let created = Command::new(programs.join("promtool"))
            .args(["tsdb", "create-blocks-from", "openmetrics", "data.om", "data"])
            .current_dir(&folder)
            .stdout(Stdio::null())
            .status()
            .ok()?;
        assert!(created.success(), "promtool could not make blocks");
        let port = TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
        let child = Command::new(programs.join("prometheus"))
            .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data"])
            .args(["--storage.tsdb.retention.time=100y", "--log.level=error"])
            .arg("--enable-feature=promql-experimental-functions")
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .current_dir(&folder)
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let server = Server { child, port, folder };
        let deadline = Instant::now() + Duration::from_secs(60);
        while server.post("/-/ready", "").is_none_or(|answer| !answer.contains("Ready")) {
            assert!(Instant::now() < deadline, "prometheus does not get ready");
            std::thread::sleep(Duration::from_millis(200));
        }
        Some(server)
    }

    fn post(&self, path: &str, form: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        let method = if form.is_empty() { "GET" } else { "POST" };
        let head = format!(
            "{method} {path} HTTP/1.0\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\n\r\n{form}",
            form.len()
        );
        stream.write_all(head.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned())
    }

    /// The series of an answer, or the message of the failure.
    fn query(&self, query: &str, time: Time) -> Result<Answer, String> {
        let (path, times) = match time {
            Time::Instant(at) => ("/api/v1/query", format!("time={}", seconds(at))),
            Time::Range(start, end, step) => (
                "/api/v1/query_range",
                format!("start={}&end={}&step={}", seconds(start), seconds(end), seconds(step)),
            ),
        };
        let body = self.post(path, &format!("query={}&{times}", encoded(query)));
        let body = body.ok_or_else(|| "no answer".to_owned())?;
        let answer: Value = serde_json::from_str(&body).map_err(|error| error.to_string())?;
        if answer["status"] != "success" {
            return Err(answer["error"].as_str().unwrap_or_default().to_owned());
        }
        let data = &answer["data"];
        let result = data["result"].as_array().cloned().unwrap_or_default();
        if data["resultType"] == "scalar" {
            return Ok(Answer::from([(Labels::empty(), vec![point(&data["result"])])]));
        }
        let series = result.iter().map(|series| {
            let labels = series["metric"].as_object().into_iter().flatten();
            let labels = labels.map(|(n, v)| (n.as_str(), v.as_str().unwrap_or_default()));
            let points = match series["values"].as_array() {
                Some(values) => values.iter().map(point).collect(),
                None => vec![point(&series["value"])],
            };
            (Labels::from_pairs(labels), points)
        });
        Ok(series.collect())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[derive(Clone, Copy, Debug)]
enum Time {
    Instant(i64),
    Range(i64, i64, i64),
}

type Answer = BTreeMap<Labels, Vec<(i64, f64)>>;

fn seconds(milliseconds: i64) -> String {
    format!("{:.3}", milliseconds as f64 / 1000.0)
}

fn encoded(text: &str) -> String {
    let byte = |b: u8| match b {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(b).to_string(),
        _ => format!("%{b:02X}"),
    };
    text.bytes().map(byte).collect()
}

fn point(value: &Value) -> (i64, f64) {
    let time = (value[0].as_f64().unwrap_or(f64::NAN) * 1000.0).round() as i64;
    let number = match value[1].as_str().unwrap_or_default() {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        text => text.parse().unwrap_or(f64::NAN),
    };
    (time, number)
}

fn ours(query: &str, memory: &MemoryStorage, time: Time) -> Result<Answer, String> {
    let query = compile(query, &Features::ALL).map_err(|errors| format!("{errors:?}"))?;
    let options = match time {
        Time::Instant(at) => QueryOptions::instant(at),
        Time::Range(start, end, step) => {
            QueryOptions::range(start, end, Duration::from_millis(step as u64))
        }
    };
    let options = options.with_engine(EngineOptions::default());
    let result = evaluate(&query, memory, &options).map_err(|error| error.to_string())?;
    Ok(match result.value {
        QueryValue::Scalar { timestamp, value } => {
            Answer::from([(Labels::empty(), vec![(timestamp, value)])])
        }
        QueryValue::String { .. } => Answer::new(),
        QueryValue::Vector(elements) => elements
            .into_iter()
            .filter_map(|element| match element.value {
                SampleValue::Float(value) => {
                    Some((element.labels, vec![(element.timestamp, value)]))
                }
                SampleValue::Histogram(_) => None,
            })
            .collect(),
        QueryValue::Matrix(matrix) => {
            matrix.into_iter().map(|series| (series.labels, series.floats)).collect()
        }
    })
}

fn is_matching(message: &str) -> bool {
    message.starts_with("found duplicate series") || message.starts_with("multiple matches")
}

fn close(a: f64, b: f64) -> bool {
    a == b
        || (a.is_nan() && b.is_nan())
        // What cancels leaves something of the size of the operands' rounding.
        || (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1e-2)
}

fn same(a: &Answer, b: &Answer) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|((a_labels, a), (b_labels, b))| {
            a_labels == b_labels
                && a.len() == b.len()
                && a.iter().zip(b).all(|(a, b)| a.0 == b.0 && close(a.1, b.1))
        })
}

#[test]
fn random_queries_have_the_same_results_as_on_a_server() {
    let programs = std::env::var_os("PROMQL_REFERENCE_BIN").map(PathBuf::from);
    let Some(programs) = programs.filter(|folder| folder.join("prometheus").exists()) else {
        promql_tests::conformance::say(
            "no prometheus and promtool in PROMQL_REFERENCE_BIN, skipping random queries",
        );
        return;
    };
    let number = |name: &str, default: u64| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let data = data(&mut Random(7));
    let mut memory = MemoryBuilder::default();
    data.iter().for_each(|(labels, series)| memory.insert(labels.clone(), series.clone()));
    let memory = memory.build();
    let server = Server::start(&programs, &open_metrics(&data));
    let server = server.unwrap_or_else(|| panic!("cannot start prometheus"));
    let mut generator = Generator(Random(number("PROMQL_DIFFERENTIAL_SEED", 42)));
    let (mut equal, mut failed_alike, mut older, mut different) = (0, 0, 0, Vec::new());
    for at in 0..number("PROMQL_DIFFERENTIAL_QUERIES", 500) {
        let query = generator.vector(1 + (at % 4) as u32);
        let start = START + generator.0.below(3_000_000) as i64;
        let time = match at % 2 {
            0 => Time::Instant(start),
            _ => {
                let step = generator.0.pick(&[15_000, 60_000, 7_000, 300_000]);
                Time::Range(start, (start + 50 * step).min(END + 600_000), step)
            }
        };
        match (server.query(&query, time), ours(&query, &memory, time)) {
            (Ok(a), Ok(b)) if same(&a, &b) => equal += 1,
            (Err(a), Err(b)) if a == b => failed_alike += 1,
            // Of several failures of matching each reports one.
            (Err(a), Err(b)) if is_matching(&a) && is_matching(&b) => failed_alike += 1,
            (Err(a), Err(b)) if a.contains("parse error") && b.contains("parse error") => {
                failed_alike += 1;
            }
            // Before 3.14 a filter could hide that elements meet that must not.
            (Ok(_), Err(b)) if b.starts_with("multiple matches for labels") => older += 1,
            (theirs, ours) => {
                different.push(format!("{query}\n{time:?}\ntheirs {theirs:?}\nours   {ours:?}\n"));
            }
        }
    }
    promql_tests::conformance::say(&format!(
        "{equal} equal, {failed_alike} failed alike, {older} where 3.5 is known to differ, {} different",
        different.len()
    ));
    different
        .iter()
        .take(12)
        .for_each(|text| promql_tests::conformance::say(&format!("{text:.1500}")));
    assert!(different.is_empty(), "see above");
}
