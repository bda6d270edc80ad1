//! Transcripts: what is typed and what comes back, kept in Markdown.
//!
//! A code block that begins with ```` ```console ```` holds commands, each behind `$ `, and under
//! each what it writes, standard output and standard error together. A command that fails is
//! followed by `(exit code N)`. Lines that end in a backslash go on in the next one. Commands run
//! in the workspace's folder by `sh`, with the `promql` that was just built first in the path, no
//! colours, and times in UTC.
//!
//! The book and the README are made of such blocks, so what they show is what happens. `[..]`
//! stands for anything within a line. With `UPDATE_TRANSCRIPTS=1` the files are rewritten; review
//! what changed.

use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::binary;

/// Runs all the commands of a file's text. Gives the text with what they write now; it is equal to
/// the given one when nothing changed.
///
/// # Panics
/// When `sh` can't be run.
pub fn replay(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        out.push_str(line);
        out.push('\n');
        let Some(indent) = line.strip_suffix("```console") else { continue };
        if !indent.trim().is_empty() {
            continue;
        }
        let mut block = Vec::new();
        while let Some(line) = lines.next_if(|line| line.trim() != "```") {
            block.push(line.strip_prefix(indent).unwrap_or(line));
        }
        for line in replay_block(&block).lines() {
            let line = format!("{indent}{line}");
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
    out
}

fn replay_block(lines: &[&str]) -> String {
    let mut out = String::new();
    let mut at = 0;
    while at < lines.len() {
        let Some(mut command) = lines[at].strip_prefix("$ ").map(str::to_string) else {
            // Text in front of the first command stays.
            out.push_str(lines[at]);
            out.push('\n');
            at += 1;
            continue;
        };
        let _ = writeln!(out, "{}", lines[at]);
        at += 1;
        while command.ends_with('\\') && at < lines.len() {
            let _ = writeln!(out, "{}", lines[at]);
            command.push('\n');
            command.push_str(lines[at]);
            at += 1;
        }
        let until = lines[at..].iter().position(|l| l.starts_with("$ "));
        let until = until.map_or(lines.len(), |n| at + n);
        let expected = &lines[at..until];
        at = until;
        let written = run(&command);
        let mut written: Vec<String> = written.lines().map(|l| l.trim_end().to_string()).collect();
        // A blank line before the next command is for the eye.
        if expected.last().is_some_and(|l| l.is_empty())
            && written.last().is_none_or(|l| !l.is_empty())
        {
            written.push(String::new());
        }
        for (number, line) in written.iter().enumerate() {
            let known = expected.get(number).filter(|pattern| matches(pattern, line));
            let _ = writeln!(out, "{}", known.map_or(line.as_str(), |pattern| *pattern));
        }
    }
    out
}

/// Whether a line is the expected one; `[..]` stands for anything.
fn matches(pattern: &str, line: &str) -> bool {
    let mut parts = pattern.split("[..]");
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = line.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

fn run(command: &str) -> String {
    let program = binary::promql();
    let folder = program.parent().unwrap_or(Path::new("."));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let paths = [folder.to_path_buf()].into_iter().chain(std::env::split_paths(&path));
    let path = std::env::join_paths(paths).unwrap_or_default();
    let output = Command::new("sh")
        .arg("-c")
        .arg(format!("{{ {command}\n}} 2>&1"))
        .current_dir(binary::workspace())
        .stdin(Stdio::null())
        .env("PATH", path)
        .env("TZ", "UTC")
        .env("LC_ALL", "C.UTF-8")
        .env_remove("PROMQL_SOURCE")
        .env_remove("NO_COLOR")
        .output()
        .expect("sh runs");
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        let code = output.status.code().map_or("none".to_string(), |code| code.to_string());
        let _ = writeln!(text, "(exit code {code})");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        assert!(matches("a [..] c", "a b c"));
        assert!(matches("[..]", ""));
        assert!(matches("took [..] ms, [..] series", "took 3 ms, 4 series"));
        assert!(!matches("a [..] c", "a b d"));
        assert!(!matches("a", "ab"));
        assert!(!matches("aba[..]ba", "aba"));
    }

    #[test]
    fn commands_are_run_again() {
        let text = "x\n```console\n$ echo a \\\n  b\nold\n\n$ false\n```\ny\n```\n$ no\n```\n";
        let expected = "x\n```console\n$ echo a \\\n  b\na b\n\n$ false\n(exit code 1)\n```\ny\n```\n$ no\n```\n";
        assert_eq!(replay(text), expected);
    }
}
