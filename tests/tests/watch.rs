//! `--watch`: what a change of a file leads to.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that fails")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use promql_tests::binary::{promql, workspace};

/// A command that watches, with the lines that it writes.
struct Watching {
    child: Child,
    lines: Receiver<String>,
}

impl Watching {
    fn start(folder: &Path, arguments: &[&str]) -> Watching {
        let mut child = Command::new(promql())
            .args(arguments)
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Watching { child, lines }
    }

    /// The next line.
    fn line(&self) -> String {
        self.lines.recv_timeout(Duration::from_secs(30)).expect("a line comes")
    }

    /// That there is no line for a while.
    fn is_quiet(&self) -> bool {
        self.lines.recv_timeout(Duration::from_millis(900)).is_err()
    }

    /// Presses Ctrl-C, and gives the exit code.
    fn interrupt(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args(["-INT", &id]).status().unwrap();
        assert!(status.success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An empty folder.
fn folder(name: &str) -> PathBuf {
    let folder = workspace().join("target/watch").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("rules")).unwrap();
    folder
}

fn rules(expr: &str) -> String {
    format!("groups:\n- name: g\n  rules:\n  - {{record: a, expr: '{expr}'}}\n")
}

#[test]
fn a_check_runs_again_as_files_change() {
    let folder = folder("check");
    fs::write(folder.join("rules/a.yml"), rules("up")).unwrap();
    fs::write(folder.join("prometheus.yml"), "rule_files: ['rules/*.yml']\n").unwrap();
    let watching = Watching::start(&folder, &["check", "--watch", "prometheus.yml"]);
    assert_eq!(watching.line(), "ok: 1 rule in 2 files");
    assert!(watching.is_quiet());

    fs::write(folder.join("rules/a.yml"), rules("sum(")).unwrap();
    assert_eq!(watching.line(), "--- rules/a.yml changed ---");
    assert_eq!(watching.line(), "FAILED: 1 error, 1 rule in 2 files, of which 1 can't be loaded");

    // A new file that the pattern in the configuration matches.
    fs::write(folder.join("rules/b.yml"), rules("up")).unwrap();
    assert_eq!(watching.line(), "--- rules/b.yml changed ---");
    assert_eq!(watching.line(), "FAILED: 1 error, 2 rules in 3 files, of which 1 can't be loaded");

    // What is no longer there.
    fs::remove_file(folder.join("rules/a.yml")).unwrap();
    assert_eq!(watching.line(), "--- rules/a.yml changed ---");
    assert_eq!(watching.line(), "ok: 1 rule in 2 files");

    // Several files at once, and one that nobody looks at.
    fs::write(folder.join("other.yml"), rules("sum(")).unwrap();
    fs::write(folder.join("rules/b.yml"), rules("up[5m")).unwrap();
    fs::write(folder.join("rules/c.yml"), rules("up")).unwrap();
    assert_eq!(watching.line(), "--- rules/b.yml and 1 more changed ---");
    assert_eq!(watching.line(), "FAILED: 1 error, 2 rules in 3 files, of which 1 can't be loaded");
    assert_eq!(watching.interrupt(), Some(1), "the exit code of the last run");
}

#[test]
fn tests_run_again_as_rules_change() {
    let folder = folder("test");
    let test = "rule_files: [rules/a.yml]\ntests:\n- input_series: [{series: up, values: 1}]\n  \
                promql_expr_test:\n  - {expr: a, eval_time: 0, exp_samples: [{labels: a, value: 1}]}\n";
    fs::write(folder.join("tests.yml"), test).unwrap();
    fs::write(folder.join("rules/a.yml"), rules("up")).unwrap();
    let watching = Watching::start(&folder, &["test", "-o", "json", "--watch", "."]);
    let success = |line: String| line.starts_with("{\"success\":true");
    assert!(success(watching.line()));
    fs::write(folder.join("rules/a.yml"), rules("up + 1")).unwrap();
    assert!(!success(watching.line()));
    // A new folder with a script.
    fs::create_dir(folder.join("more")).unwrap();
    fs::write(folder.join("rules/a.yml"), rules("up")).unwrap();
    assert!(success(watching.line()));
    fs::write(folder.join("more/x.test"), "eval instant at 0 1\n  1\n").unwrap();
    assert!(watching.line().contains("x.test"));
    assert!(watching.is_quiet());
    assert_eq!(watching.interrupt(), Some(0));
}

#[test]
fn what_is_missing_may_come() {
    let folder = folder("missing");
    let watching = Watching::start(&folder, &["check", "--watch", "-v", "a.yml"]);
    assert!(watching.is_quiet());
    fs::write(folder.join("a.yml"), rules("up")).unwrap();
    assert_eq!(watching.line(), "--- a.yml changed ---");
    assert_eq!(watching.line(), "ok a.yml: 1 rule in 1 group");
    assert_eq!(watching.line(), "ok: 1 rule in 1 file");
    assert_eq!(watching.interrupt(), Some(0));
}

#[test]
fn a_linter_looks_again_as_files_and_configurations_change() {
    let folder = folder("lint");
    fs::write(
        folder.join("rules/a.yml"),
        rules("up{a=~\"b\"}").replace("record: a", "record: 'a:b'"),
    )
    .unwrap();
    fs::write(folder.join("promql.toml"), "[lint]\nselect = [\"regex-literal\"]\n").unwrap();
    let watching = Watching::start(&folder, &["lint", "--watch", "-o", "concise", "rules"]);
    let found = "M001] regex-literal: the regular expression matches one text only";
    assert_eq!(watching.line(), format!("rules/a.yml:4:31: warning[{found}"));
    assert!(watching.is_quiet());
    fs::write(
        folder.join("promql.toml"),
        "[lint]\nseverity = { regex-literal = \"error\" }\nselect = [\"regex-literal\"]\n",
    )
    .unwrap();
    assert_eq!(watching.line(), "--- promql.toml changed ---");
    assert_eq!(watching.line(), format!("rules/a.yml:4:31: error[{found}"));
    fs::write(folder.join("rules/a.yml"), "groups: []\n").unwrap();
    assert_eq!(watching.line(), "--- rules/a.yml changed ---");
    assert!(watching.is_quiet(), "nothing is found any more");
    assert_eq!(watching.interrupt(), Some(0));
}
