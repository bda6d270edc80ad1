//! Files with things torn out, doubled and put in: nothing crashes, every place is in the file, and
//! what can still be formatted keeps its meaning. The fuzz target `rule_files` holds to the same.

#![allow(clippy::unwrap_used, reason = "a test that fails")]

use std::path::Path;

use promql_rules::format::{format_dashboard, format_rules, is_dashboard};
use promql_rules::rule_file::{LoadOptions, RuleFile, duplicates};
use promql_rules::template::Template;
use promql_rules::{ServerConfig, file_kind};
use proptest::prelude::*;

/// The files of the corpus that hold rules or expressions.
fn files() -> Vec<String> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus");
    let folders = ["rules/good", "rules/malformed", "rules/dialects", "rules/server", "dashboards"];
    let entries = folders.iter().flat_map(|folder| std::fs::read_dir(corpus.join(folder)).unwrap());
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
        .iter()
        .map(|path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned())
        .collect()
}

/// What is done to a file: at a place, some bytes are torn out and others put in.
#[derive(Clone, Debug)]
struct Wound {
    at: prop::sample::Index,
    torn: usize,
    put: &'static str,
}

fn wound() -> impl Strategy<Value = Wound> {
    let put = prop::sample::select(vec![
        "", "", "\n", "\r\n", "  ", "\t", "- ", ": ", "'", "\"", "|", ">-", "|2\n", "{", "}", "[",
        "]", "&a ", "*a", "<<: *a\n", "!!str ", "---\n", "#", " #", "\\", "\\u00e9", "é",
        "\u{feff}", "%", "expr: ", "sum(", "{{", "}}", "$x", "${x}", "\n      ", "0", "~",
    ]);
    let torn = prop::sample::select(vec![0, 0, 0, 1, 1, 2, 5, 20]);
    (any::<prop::sample::Index>(), torn, put).prop_map(|(at, torn, put)| Wound { at, torn, put })
}

fn wounded(mut text: String, wounds: &[Wound]) -> String {
    for wound in wounds {
        let mut at = wound.at.index(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let mut end = (at + wound.torn).min(text.len());
        while !text.is_char_boundary(end) {
            end += 1;
        }
        text.replace_range(at..end, wound.put);
    }
    text
}

fn trees(file: &RuleFile) -> Vec<Option<String>> {
    let rules = file.groups.iter().flat_map(|group| &group.rules);
    rules.map(|rule| rule.query.as_ref().map(|query| query.expr().to_string())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn nothing_crashes(
        file in any::<prop::sample::Index>(),
        wounds in prop::collection::vec(wound(), 1..6),
    ) {
        let files = files();
        let text = wounded(files[file.index(files.len())].clone(), &wounds);
        let loaded = RuleFile::load("hostile.yml", text.as_bytes(), &LoadOptions::default());
        for finding in &loaded.findings {
            prop_assert!(text.get(finding.span.clone()).is_some(), "{:?} in {}", finding, text);
            // It can be drawn.
            let _ = finding.located("hostile.yml", &text);
        }
        for rule in loaded.file.groups.iter().flat_map(|group| &group.rules) {
            for (_, text) in &rule.annotations {
                let checked = Template::check_alert("a", &text.value).err();
                prop_assert_eq!(checked, Template::alert("a", &text.value).err());
            }
            let positions = rule.expr_positions(&loaded.file);
            for at in 0..rule.expr.value.len() {
                let place = positions.file_span(at..at + 1);
                prop_assert!(place.start <= place.end && place.end <= text.len());
            }
        }
        let _ = duplicates(&loaded.file);
        let _ = file_kind(&text);
        let _ = ServerConfig::load(&text);
        let format = |text: &str| match is_dashboard(text) {
            true => format_dashboard(text, &Default::default()),
            false => format_rules(text, &Default::default()),
        };
        let Ok(formatted) = format(&text) else { return Ok(()) };
        let again = format(&formatted.text);
        prop_assert!(again.is_ok(), "{again:?}\n{text}\n{}", formatted.text);
        prop_assert_eq!(&formatted.text, &again.unwrap().text, "not stable: {}", text);
        let after = RuleFile::load("", formatted.text.as_bytes(), &LoadOptions::default());
        prop_assert_eq!(trees(&loaded.file), trees(&after.file), "{}\n{}", text, formatted.text);
    }
}
