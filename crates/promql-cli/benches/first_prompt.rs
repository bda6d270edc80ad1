//! How long it takes from the start of a session to its first prompt, for a file and for servers that
//! refuse and that are silent, and with 100,000 statements in the history. The aim is 50 ms for each.
//!
//! Run `cargo bench -p promql-cli --bench first_prompt`. The terminal is that of `script` of util-linux.

#![allow(clippy::print_stdout, reason = "a benchmark says what it measured")]
#![allow(clippy::unwrap_used, reason = "a benchmark that fails")]

use std::io::Read;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How often each is started.
const RUNS: usize = 21;

fn main() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", silent.local_addr().unwrap());
    // A port that was free a moment ago.
    let refusing = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/../../corpus/fixtures/http.test");
    let refusing = format!("http://{refusing}");
    let history = std::env::temp_dir().join(format!("promql-first-prompt-{}", std::process::id()));
    let lines = (0..100_000)
        .map(|i| format!("1795428000\tx\tsum by (job) (rate(requests_{i}_total[5m]))\n"));
    std::fs::write(&history, lines.collect::<String>()).unwrap();
    let none = history.with_extension("none");
    for (what, source, history) in [
        ("a file", fixture, &none),
        ("a silent server", &silent, &none),
        ("nobody there", &refusing, &none),
        ("no network", "http://192.0.2.1:9090", &none),
        ("a long history", fixture, &history),
    ] {
        let mut times: Vec<Duration> = (0..RUNS).map(|_| first_prompt(source, history)).collect();
        times.sort_unstable();
        let (median, slowest) = (times[RUNS / 2], times[RUNS - 1]);
        println!("{what:16} median {median:>9.1?}, slowest {slowest:>9.1?} of {RUNS}");
    }
    std::fs::remove_file(&history).unwrap();
}

fn first_prompt(source: &str, history: &Path) -> Duration {
    let program = env!("CARGO_BIN_EXE_promql");
    let started = Instant::now();
    let mut child = Command::new("script")
        .args(["-qfec", &format!("'{program}' repl -s '{source}'"), "/dev/null"])
        .env("LANG", "C.UTF-8")
        .env("PROMQL_HISTORY", history)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("`script` of util-linux");
    let mut out = child.stdout.take().unwrap();
    let (mut seen, mut bytes) = (Vec::new(), [0; 4096]);
    while !String::from_utf8_lossy(&seen).contains('❯') {
        let count = out.read(&mut bytes).unwrap();
        assert!(count > 0, "no prompt: {}", String::from_utf8_lossy(&seen));
        seen.extend_from_slice(&bytes[..count]);
    }
    let took = started.elapsed();
    let _ = child.kill();
    let _ = child.wait();
    took
}
