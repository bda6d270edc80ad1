//! How long checking and linting 10,000 rules takes, beside promtool in one run, and how much memory: they
//! take turns, the medians are compared, and so is what is said about validity. Ends with 1 if the linter
//! with all its checks misses one of its goals.
//!
//! ```text
//! PROMQL_REFERENCE_BIN=… cargo bench -p promql-tests --bench check
//! ```

#![allow(clippy::print_stdout, reason = "the numbers are the point")]

#[path = "../../crates/promql-rules/benches/generated/mod.rs"]
mod generated;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use promql_tests::binary::{promql_release, workspace};
use promql_tests::conformance::say;

/// How often each program runs.
const TURNS: usize = 11;

/// The most that linting may take of the time of checking.
const MOST_OF_CHECK: f64 = 5.0;

/// The most that linting may take, in seconds.
const MOST_SECONDS: f64 = 0.5;

/// The most memory that linting may take, in bytes.
const MOST_MEMORY: u64 = 200_000_000;

/// The same rules, of which every hundredth has an expression that is none.
fn wounded(rules: &str) -> String {
    let mut at = 0;
    let lines = rules.lines().map(|line| {
        let is_record = line.trim_start().starts_with("expr: sum by");
        at += usize::from(is_record);
        let is_wounded = is_record && at % 25 == 0;
        format!("{line}{}\n", if is_wounded { ")" } else { "" })
    });
    lines.collect()
}

/// A program with its arguments.
struct Run<'a> {
    what: &'a str,
    program: &'a Path,
    arguments: &'a [&'a str],
    /// On how many threads, if that is said.
    threads: Option<&'a str>,
}

impl Run<'_> {
    fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new(self.program);
        command.args(self.arguments).current_dir(folder);
        command.envs(self.threads.map(|threads| ("RAYON_NUM_THREADS", threads)));
        command
    }

    fn output(&self, folder: &Path, file: &str) -> Output {
        let output = self.command(folder).arg(file).output();
        output.unwrap_or_else(|error| panic!("{}: {error}", self.program.display()))
    }

    fn time(&self, folder: &Path) -> Duration {
        let start = Instant::now();
        let status = self.command(folder).arg("rules.yml").stdout(Stdio::null()).status();
        let elapsed = start.elapsed();
        assert!(status.is_ok_and(|status| status.success()), "{} failed", self.what);
        elapsed
    }

    /// The most memory that the program held, in bytes, as the kernel tells while it runs; so what it
    /// takes in its last half millisecond may be missing.
    fn memory(&self, folder: &Path) -> Option<u64> {
        let mut child = self.command(folder).arg("rules.yml").stdout(Stdio::null()).spawn().ok()?;
        let status = format!("/proc/{}/status", child.id());
        let mut most = None;
        while child.try_wait().ok()?.is_none() {
            let text = std::fs::read_to_string(&status).unwrap_or_default();
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kilobytes =
                line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
            most = kilobytes.map(|kilobytes| kilobytes * 1024).max(most);
            std::thread::sleep(Duration::from_micros(500));
        }
        most
    }
}

fn main() {
    let Some(reference) = std::env::var_os("PROMQL_REFERENCE_BIN").map(PathBuf::from) else {
        say("no promtool in PROMQL_REFERENCE_BIN, skipping 1 benchmark");
        return;
    };
    let folder = workspace().join("target/check-bench");
    std::fs::create_dir_all(&folder).expect("a folder");
    let rules = generated::rules();
    std::fs::write(folder.join("rules.yml"), &rules).expect("a file");
    std::fs::write(folder.join("wounded.yml"), wounded(&rules)).expect("a file");
    let (promql, promtool) = (promql_release(), reference.join("promtool"));
    let run = |what, program, arguments, threads| Run { what, program, arguments, threads };
    let ours = run("promql check", promql, &["check"], None);
    let alone = run("  on one thread", promql, &["check"], Some("1"));
    let strict = run("  -o promtool", promql, &["check", "-o", "promtool"], None);
    let theirs = run("promtool check rules", &promtool, &["check", "rules"], None);
    let lint = run("promql lint", promql, &["lint", "--isolated", "--exit-zero"], None);
    let all = ["lint", "--isolated", "--exit-zero", "--select", "all"];
    let all = run("  with all checks", promql, &all, None);

    for file in ["rules.yml", "wounded.yml"] {
        let (a, b) = (strict.output(&folder, file), theirs.output(&folder, file));
        assert_eq!(a.status.code(), b.status.code(), "the verdicts on {file} differ");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert_eq!(text(&a.stdout), text(&b.stdout), "the words on {file} differ");
        assert_eq!(text(&a.stderr), text(&b.stderr), "the complaints about {file} differ");
    }

    let runs = [ours, alone, strict, theirs, lint, all];
    let mut times: [Vec<Duration>; 6] = Default::default();
    for _ in 0..TURNS {
        for (run, times) in runs.iter().zip(&mut times) {
            times.push(run.time(&folder));
        }
    }
    let medians = times.map(median);
    let promtool = medians[3].as_secs_f64();
    let memory: Vec<Option<u64>> = runs.iter().map(|run| run.memory(&folder)).collect();
    println!("10,000 rules          median of {TURNS}  promtool takes        peak");
    for ((run, time), memory) in runs.iter().zip(medians).zip(&memory) {
        let ratio = promtool / time.as_secs_f64();
        let memory = memory
            .map_or_else(|| "unknown".to_owned(), |bytes| format!("{:.0} MB", bytes as f64 / 1e6));
        println!("{:<20} {time:>13.2?} {ratio:>13.1} x {memory:>11}", run.what);
    }
    let (check, lint) = (medians[0].as_secs_f64(), medians[5].as_secs_f64());
    println!("linting with all checks takes {:.1} times as long as checking", lint / check);
    let goals = [
        (lint <= MOST_OF_CHECK * check, "it takes more than five times as long as checking"),
        (lint < promtool, "it is slower than promtool"),
        (lint < MOST_SECONDS, "it takes more than half a second"),
        (memory[5].is_some_and(|bytes| bytes < MOST_MEMORY), "it takes more than 200 MB"),
    ];
    let missed: Vec<&str> =
        goals.into_iter().filter(|(is_met, _)| !is_met).map(|(_, what)| what).collect();
    if !missed.is_empty() {
        println!("linting misses its goals: {}", missed.join(", "));
        std::process::exit(1);
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
