//! The flows of expressions, as text. Each file of `corpus/flow` holds expressions, each with its
//! flow on the lines below it. `UPDATE_FLOWS=1` writes what comes out; look at the difference then.
//!
//! A line `record NAME = EXPRESSION` stands for a recording rule, with `{label="value"}` after the
//! name for labels that it sets. `presume NAME …` says which assumptions are made from there on.

use std::fs;
use std::path::{Path, PathBuf};

use promql_lint::flow::{Basis, Env, EnvBuilder, Recording, analyse};
use promql_syntax::{Errors, Expr, Features};

fn parse(text: &str) -> Result<Expr, Errors> {
    promql_syntax::parse(text, &Features::ALL)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/flow")
}

#[test]
fn flows_are_as_written() {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "there is nothing to test");
    let mut expressions = 0;
    let mut outdated = Vec::new();
    for file in files {
        let written = fs::read_to_string(&file).unwrap();
        let (text, count) = answered(&written);
        expressions += count;
        if text != written {
            if std::env::var_os("UPDATE_FLOWS").is_some() {
                fs::write(&file, text).unwrap();
            } else {
                outdated.push((file, written, text));
            }
        }
    }
    assert!(expressions >= 150, "only {expressions} expressions");
    for (file, written, text) in &outdated {
        let pairs = written.lines().zip(text.lines());
        let (old, new) = pairs.clone().find(|(old, new)| old != new).unwrap_or(("", ""));
        println!("{}:\n  written: {old}\n  found:   {new}", file.display());
    }
    assert!(outdated.is_empty(), "UPDATE_FLOWS=1 writes the flows anew");
}

/// The file with the flows that the expressions have.
fn answered(written: &str) -> (String, usize) {
    let mut text = String::new();
    let mut builder = EnvBuilder::default();
    let mut env = Env::default();
    let mut count = 0;
    for line in written.lines().filter(|line| !line.starts_with("    ")) {
        text.push_str(line);
        text.push('\n');
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(names) = line.strip_prefix("presume") {
            let flags =
                names.split_whitespace().map(|name| Basis::of_name(name).expect("an assumption"));
            builder.presume(flags.fold(Basis::NONE, Basis::or));
            env = builder.clone().build();
            continue;
        }
        if let Some(rule) = line.strip_prefix("record ") {
            builder.record(recording(rule));
            env = builder.clone().build();
            continue;
        }
        count += 1;
        let expr = parse(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        let flows = analyse(&expr, &env);
        for line in flows.root(&expr).to_string().lines() {
            text.push_str("    ");
            text.push_str(line);
            text.push('\n');
        }
    }
    (text, count)
}

fn recording(rule: &str) -> Recording {
    let (head, expr) = rule.split_once(" = ").expect("a name and an expression");
    let (name, labels) = head.split_once('{').unwrap_or((head, "}"));
    let labels = labels.trim_end_matches('}').split(',').filter(|label| !label.is_empty());
    let labels = labels.map(|label| {
        let (name, value) = label.split_once('=').expect("a label and its value");
        (name.trim().into(), value.trim().trim_matches('"').into())
    });
    Recording {
        name: name.into(),
        expr: parse(expr).expect("an expression"),
        labels: labels.collect(),
        place: "rules.yml".into(),
    }
}

#[test]
fn spelling_makes_no_difference() {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let env = Env::default();
    let flow = |text: &str| {
        let expr = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        analyse(&expr, &env).root(&expr).to_string()
    };
    for file in files {
        let written = fs::read_to_string(&file).unwrap();
        let is_expression = |line: &&str| {
            let other = ["    ", "#", "record ", "presume"];
            !line.is_empty() && !other.iter().any(|start| line.starts_with(start))
        };
        for line in written.lines().filter(is_expression) {
            let formatted = promql_syntax::format(line, &Default::default()).unwrap();
            assert_eq!(flow(line), flow(&formatted), "{line}\n{formatted}");
            assert_eq!(flow(line), flow(&format!("(({line}))")), "{line}");
        }
    }
}
