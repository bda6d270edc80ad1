//! A real Prometheus with series of our own.
//!
//! The series come into the server by remote write, which alone brings stale markers along, and in
//! the order of time, since the server takes nothing that is an hour older than its newest sample.

use std::collections::BTreeSet;
use std::path::PathBuf;

use promql_engine::Samples;
use promql_model::{CounterResetHint, FloatHistogram, Labels, stale_nan};
use promql_storage::MemoryStorage;
use serde_json::Value;

use crate::answer::{Answer, Times};
use crate::reference::{Running, encoded, free_port, get, post, program, wait_for};

/// A server that runs until this is dropped.
pub struct Prometheus {
    // Dropped first, so that the server is gone before its folder is.
    _running: Running,
    folder: Folder,
    port: u16,
}

/// In which form native histograms are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    /// With counts that are floats.
    Floats,
    /// With counts that are integers, where all counts of a histogram are.
    IntegersWherePossible,
}

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// How much time one message to the server spans, in milliseconds.
const SLICE: i64 = 1_800_000;

impl Prometheus {
    /// Starts a server, or gives nothing if there is none on this machine. `name` tells servers of
    /// one process apart.
    ///
    /// # Panics
    /// When the server can't be started.
    pub fn start(name: &str, features: &[&str]) -> Option<Prometheus> {
        Self::start_with(name, features, "scrape_configs: []\n")
    }

    /// The same with a configuration.
    ///
    /// # Panics
    /// When the server can't be started.
    pub fn start_with(name: &str, features: &[&str], configured: &str) -> Option<Prometheus> {
        Self::start_as(name, features, configured, &[])
    }

    /// The same with more flags.
    ///
    /// # Panics
    /// When the server can't be started.
    pub fn start_as(
        name: &str,
        features: &[&str],
        configured: &str,
        flags: &[&str],
    ) -> Option<Prometheus> {
        let program = program(&["prometheus"])?;
        let folder = format!("promql-{name}-{}", std::process::id());
        let folder = Folder(std::env::temp_dir().join(folder));
        std::fs::create_dir_all(&folder.0).expect("a folder can be made");
        let configuration = folder.0.join("prometheus.yml");
        std::fs::write(&configuration, configured).expect("a file can be written");
        let port = free_port();
        let arguments = [
            format!("--config.file={}", configuration.display()),
            format!("--storage.tsdb.path={}", folder.0.join("data").display()),
            format!("--web.listen-address=127.0.0.1:{port}"),
            format!("--enable-feature={}", features.join(",")),
            "--storage.tsdb.retention.time=100y".to_owned(),
            "--web.enable-remote-write-receiver".to_owned(),
            "--web.enable-admin-api".to_owned(),
            "--log.level=warn".to_owned(),
        ];
        let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        arguments.extend(flags);
        let running = Running::start(&program, &arguments, &folder.0.join("log"));
        wait_for("prometheus", || get(port, "/-/ready"));
        Some(Prometheus { _running: running, folder, port })
    }

    /// Gives the series of a storage to the server. A server goes through its series in the order in
    /// which it saw them first, so that there is a stale marker before all else, which no query sees.
    ///
    /// # Panics
    /// When the server does not take them.
    pub fn write(&self, storage: &MemoryStorage) {
        self.write_as(storage, Counts::Floats);
    }

    /// The same with histograms in one of their forms.
    ///
    /// # Panics
    /// When the server does not take them.
    pub fn write_as(&self, storage: &MemoryStorage, counts: Counts) {
        let samples = (0..).map_while(|index| storage.samples(index));
        let series: Vec<(&Labels, Samples<'_>)> = storage.series().iter().zip(samples).collect();
        let histograms = series.iter().any(|(_, samples)| !samples.histograms.is_empty());
        // In a message the histograms of a series come behind its floats, whatever their times.
        let slice = if histograms { 1 } else { SLICE };
        let times = series
            .iter()
            .flat_map(|(_, samples)| samples.timestamps.iter().chain(samples.histogram_timestamps));
        let starts: BTreeSet<i64> = times.map(|time| time.div_euclid(slice) * slice).collect();
        let Some(first) = starts.first() else { return };
        let mut message = Vec::new();
        for (labels, _) in &series {
            let marker = [(&(first - 1), &stale_nan())];
            field(&mut message, 1, &time_series(labels, marker.into_iter()));
        }
        self.send(&message);
        for start in starts {
            let mut message = Vec::new();
            for (labels, samples) in &series {
                let within = |times: &[i64]| {
                    let position = |time: i64| times.partition_point(|t| *t < time);
                    position(start)..position(start + slice)
                };
                let floats = within(samples.timestamps);
                let histograms = within(samples.histogram_timestamps);
                if floats.is_empty() && histograms.is_empty() {
                    continue;
                }
                let mut series = time_series(
                    labels,
                    samples.timestamps[floats.clone()].iter().zip(&samples.values[floats]),
                );
                for at in histograms {
                    let (time, histogram) =
                        (samples.histogram_timestamps[at], &samples.histograms[at]);
                    field(&mut series, 4, &native_histogram(time, histogram, counts));
                }
                field(&mut message, 1, &series);
            }
            if !message.is_empty() {
                self.send(&message);
            }
        }
    }

    /// Where the server listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where the server keeps its data.
    pub fn data(&self) -> PathBuf {
        self.folder.0.join("data")
    }

    /// Writes all series into blocks of a snapshot. Gives its folder.
    ///
    /// # Panics
    /// When the server doesn't.
    pub fn snapshot(&self) -> PathBuf {
        let (status, body) = self.post("/api/v1/admin/tsdb/snapshot", "", b"");
        assert_eq!(status, 200, "prometheus makes no snapshot: {body}");
        let answer: Value = serde_json::from_str(&body).expect("an answer in JSON");
        let name = answer["data"]["name"].as_str().expect("the name of a folder");
        self.data().join("snapshots").join(name)
    }

    /// Deletes the samples of some series in a closed range of time, in milliseconds.
    ///
    /// # Panics
    /// When the server doesn't.
    pub fn delete(&self, selector: &str, start: i64, end: i64) {
        let path = format!(
            "/api/v1/admin/tsdb/delete_series?match[]={}&start={}&end={}",
            encoded(selector),
            seconds(start),
            seconds(end)
        );
        let (status, body) = self.post(&path, "", b"");
        assert_eq!(status, 204, "prometheus deletes nothing: {body}");
    }

    fn send(&self, message: &[u8]) {
        let headers = "Content-Type: application/x-protobuf\r\nContent-Encoding: snappy\r\n\
                       X-Prometheus-Remote-Write-Version: 0.1.0\r\n";
        let (status, body) = self.post("/api/v1/write", headers, &uncompressed(message));
        assert!(status == 204 || status == 200, "prometheus takes no series: {body}");
    }

    /// What the server answers.
    ///
    /// # Errors
    /// The server's message.
    pub fn query(&self, query: &str, times: Times) -> Result<Answer, String> {
        Ok(Answer::of_server(&self.ask(query, times)?))
    }

    /// What the server answers, as it is.
    ///
    /// # Errors
    /// The server's message.
    pub fn ask(&self, query: &str, times: Times) -> Result<Value, String> {
        let (path, times) = match times {
            Times::Instant(at) => ("/api/v1/query", format!("time={}", seconds(at))),
            Times::Range { start, end, step } => (
                "/api/v1/query_range",
                format!("start={}&end={}&step={}", seconds(start), seconds(end), seconds(step)),
            ),
        };
        let form = format!("query={}&{times}&stats=all", encoded(query));
        let headers = "Content-Type: application/x-www-form-urlencoded\r\n";
        let (_, body) = self.post(path, headers, form.as_bytes());
        let answer: Value = serde_json::from_str(&body).map_err(|error| error.to_string())?;
        match answer["status"].as_str() {
            Some("success") => Ok(answer),
            _ => Err(answer["error"].as_str().unwrap_or(&body).to_owned()),
        }
    }

    fn post(&self, path: &str, headers: &str, body: &[u8]) -> (u16, String) {
        post(self.port, path, headers, body).expect("prometheus answers")
    }
}

fn seconds(milliseconds: i64) -> String {
    format!("{:.3}", milliseconds as f64 / 1000.0)
}

/// A `TimeSeries` of the remote-write protocol: labels in field 1, samples in field 2.
fn time_series<'a>(labels: &Labels, samples: impl Iterator<Item = (&'a i64, &'a f64)>) -> Vec<u8> {
    let mut series = Vec::new();
    for (name, value) in labels.iter() {
        let mut label = Vec::new();
        field(&mut label, 1, name.as_bytes());
        field(&mut label, 2, value.as_bytes());
        field(&mut series, 1, &label);
    }
    for (time, value) in samples {
        let mut sample = Vec::new();
        double(&mut sample, 1, *value);
        number(&mut sample, 2, *time as u64);
        field(&mut series, 2, &sample);
    }
    series
}

/// A `Histogram` of the remote-write protocol.
fn native_histogram(time: i64, histogram: &FloatHistogram, counts: Counts) -> Vec<u8> {
    let parts = histogram.to_parts();
    let numbers = parts.positive_buckets.iter().chain(&parts.negative_buckets);
    let is_whole = numbers.chain([&parts.count, &parts.zero_count]).all(|n| n.fract() == 0.0);
    let integers = counts == Counts::IntegersWherePossible && is_whole && !histogram.is_stale();
    let mut message = Vec::new();
    let count = |message: &mut Vec<u8>, integer: u8, float: u8, value: f64| match integers {
        true => number(message, integer, value as u64),
        false => double(message, float, value),
    };
    count(&mut message, 1, 2, parts.count);
    double(&mut message, 3, parts.sum);
    number(&mut message, 4, zigzag(parts.schema.into()));
    double(&mut message, 5, parts.zero_threshold);
    count(&mut message, 6, 7, parts.zero_count);
    for (at, spans) in [(8, &parts.negative_spans), (11, &parts.positive_spans)] {
        for span in spans {
            let mut content = Vec::new();
            number(&mut content, 1, zigzag(span.offset.into()));
            number(&mut content, 2, span.length.into());
            field(&mut message, at, &content);
        }
    }
    let buckets = [(9, 10, &parts.negative_buckets), (12, 13, &parts.positive_buckets)];
    for (integer, float, buckets) in buckets {
        match integers {
            true => long_field(&mut message, integer, &differences(buckets)),
            false => doubles(&mut message, float, buckets),
        }
    }
    let hint = match parts.hint {
        CounterResetHint::Unknown => 0,
        CounterResetHint::Reset => 1,
        CounterResetHint::NotReset => 2,
        CounterResetHint::Gauge => 3,
    };
    number(&mut message, 14, hint);
    number(&mut message, 15, time as u64);
    doubles(&mut message, 16, &parts.custom_values);
    message
}

/// Populations as integers, each as the difference to the one before.
fn differences(populations: &[f64]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut last = 0;
    for population in populations {
        let population = *population as i64;
        variable_length(&mut bytes, zigzag(population - last));
        last = population;
    }
    bytes
}

fn number(message: &mut Vec<u8>, field: u8, value: u64) {
    message.push(field << 3);
    variable_length(message, value);
}

fn double(message: &mut Vec<u8>, field: u8, value: f64) {
    message.push(field << 3 | 1);
    message.extend(value.to_le_bytes());
}

fn doubles(message: &mut Vec<u8>, field: u8, values: &[f64]) {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    long_field(message, field, &bytes);
}

/// A signed number, so that small ones are short.
fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

/// A field of a protocol buffer that holds bytes and may have a number above 15.
fn long_field(message: &mut Vec<u8>, number: u8, content: &[u8]) {
    if !content.is_empty() {
        variable_length(message, u64::from(number) << 3 | 2);
        variable_length(message, content.len() as u64);
        message.extend(content);
    }
}

/// A field of a protocol buffer that holds bytes.
fn field(message: &mut Vec<u8>, number: u8, content: &[u8]) {
    message.push(number << 3 | 2);
    variable_length(message, content.len() as u64);
    message.extend(content);
}

fn variable_length(message: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        message.push(number as u8 | 0x80);
        number >>= 7;
    }
    message.push(number as u8);
}

/// The bytes as one literal of the Snappy format.
fn uncompressed(message: &[u8]) -> Vec<u8> {
    let mut block = Vec::with_capacity(message.len() + 16);
    variable_length(&mut block, message.len() as u64);
    block.push(63 << 2);
    block.extend((message.len() as u32 - 1).to_le_bytes());
    block.extend(message);
    block
}
