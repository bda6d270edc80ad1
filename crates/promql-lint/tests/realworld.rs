//! What the checks that stand on the flow find in rules that people use. Each finding was read; when a
//! number changes, read what is new (`PROMQL_SHOW_FINDINGS=C001` prints those of a
//! check, `=1` all) before it is changed here.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use promql_lint::{Input, Settings, lint};

/// The checks, and how many findings each has.
const FINDINGS: &[(&str, usize)] = &[
    ("A001", 1),
    ("A015", 4),
    ("C001", 6),
    ("C002", 5),
    ("C008", 1),
    ("C009", 7),
    ("C010", 8),
    ("C016", 2),
    ("C019", 1),
    ("C021", 3),
    ("C022", 5),
    ("C025", 2),
    ("C033", 4),
    ("C034", 1),
    ("C037", 2),
    ("D017", 10),
    ("D020", 3),
    ("K001", 2),
    ("K002", 1),
    ("M004", 4),
];

fn rules() -> Option<PathBuf> {
    let folder = match std::env::var_os("PROMQL_CONFORMANCE_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance"),
    };
    Some(folder.join("realworld")).filter(|folder| folder.is_dir())
}

fn files(folder: &Path, all: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        if path.is_dir() {
            files(&path, all);
        } else if path.extension().is_some_and(|extension| {
            ["yml", "yaml", "json"].iter().any(|known| extension == *known)
        }) {
            all.push(path);
        }
    }
}

#[test]
fn findings_in_real_rules_are_those_that_were_read() {
    let Some(folder) = rules() else {
        println!("skipped: there are no rules of others here");
        return;
    };
    let mut paths = Vec::new();
    for kind in ["rules", "dashboards"] {
        files(&folder.join(kind), &mut paths);
    }
    paths.sort();
    let shown = std::env::var("PROMQL_SHOW_FINDINGS").unwrap_or_default();
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    let mut dead = 0;
    // Each file for itself: two collections record the same names differently.
    for path in paths {
        let Ok(text) = fs::read(&path) else { continue };
        let name = path.strip_prefix(&folder).unwrap_or(&path).display().to_string();
        let outcome = lint(vec![Input::new(name.clone(), text)], &Settings::default());
        for file in &outcome.files {
            for finding in &file.findings {
                let code = finding.check.code;
                if !LOOKED_AT.contains(&code) {
                    continue;
                }
                *found.entry(code).or_default() += 1;
                dead += usize::from(finding.consequence == Some("this alert can never fire"));
                if shown == "1" || shown == code {
                    let rule = finding.rule.map(|(g, r)| &file.rules.groups[g].rules[r]);
                    let rule = rule.map_or("", |rule| &rule.name.value);
                    let text = file.text[finding.span()].split_whitespace().collect::<Vec<_>>();
                    println!(
                        "{code} {} {name} {rule}: {}\n    {}\n    {:?}",
                        finding.severity,
                        finding.message,
                        text.join(" "),
                        finding.consequence
                    );
                }
            }
        }
    }
    println!("{dead} alerts can never fire; {found:?}");
    let found: Vec<(&str, usize)> = found.into_iter().collect();
    assert_eq!(found, FINDINGS);
}

/// The checks that are looked at.
const LOOKED_AT: &[&str] = &[
    "A001", "A002", "A003", "A004", "A009", "A015", "C001", "C002", "C003", "C004", "C005", "C006",
    "C007", "C008", "C009", "C010", "C012", "C013", "C014", "C015", "C016", "C018", "C019", "C020",
    "C021", "C022", "C024", "C025", "C026", "C027", "C033", "C034", "C035", "C037", "C039", "C040",
    "C041", "C042", "C043", "C044", "D001", "D005", "D006", "D017", "D020", "K001", "K002", "K007",
    "K010", "M004", "T012", "V002",
];
