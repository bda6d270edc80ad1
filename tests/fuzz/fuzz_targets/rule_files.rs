//! Whatever a rule file holds, it is read without a crash, all places are in the file, and what can be
//! formatted means the same afterwards and stays.

#![no_main]

use libfuzzer_sys::fuzz_target;
use promql_rules::format::{format_dashboard, format_rules, is_dashboard};
use promql_rules::rule_file::{LoadOptions, RuleFile, duplicates};
use promql_rules::{ServerConfig, file_kind};

fuzz_target!(|source: &[u8]| {
    let loaded = RuleFile::load("fuzz", source, &LoadOptions::default());
    let text = &loaded.file.text;
    for finding in &loaded.findings {
        assert!(text.get(finding.span.clone()).is_some(), "{finding:?} is not in the file");
    }
    for rule in loaded.file.groups.iter().flat_map(|group| &group.rules) {
        let positions = rule.expr_positions(&loaded.file);
        for at in 0..rule.expr.value.len() {
            let place = positions.file_span(at..at + 1);
            assert!(place.start <= place.end && place.end <= text.len());
        }
    }
    let _ = duplicates(&loaded.file);
    let Ok(text) = std::str::from_utf8(source) else { return };
    let _ = file_kind(text);
    let _ = ServerConfig::load(text);
    let format = |text: &str| match is_dashboard(text) {
        true => format_dashboard(text, &Default::default()),
        false => format_rules(text, &Default::default()),
    };
    let Ok(formatted) = format(text) else { return };
    let again = format(&formatted.text).expect("what was formatted can be read");
    assert_eq!(formatted.text, again.text, "formatting again changes the file");
    let after = RuleFile::load("fuzz", formatted.text.as_bytes(), &LoadOptions::default());
    let trees = |file: &RuleFile| {
        let rules = file.groups.iter().flat_map(|group| &group.rules);
        rules
            .map(|rule| rule.query.as_ref().map(|query| query.expr().to_string()))
            .collect::<Vec<_>>()
    };
    assert_eq!(trees(&loaded.file), trees(&after.file), "the meaning changes");
});
