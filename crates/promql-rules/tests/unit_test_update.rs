//! Unit-test files brought up to date: the new text, and that it passes.

use std::path::Path;
use std::sync::Arc;

use promql_rules::evaluate::PreparedFile;
use promql_rules::unit_test::{Outcome, RunOptions, UnitTestFile, run, update};

fn corpus(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/unittests").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn what_comes_is_written_in_the_style_of_the_file() {
    let rules = corpus("rules/orders.yml");
    let Ok(rules) = PreparedFile::load("orders.yml", rules.as_bytes(), &Default::default()) else {
        panic!("the rules are fine");
    };
    let rules = [Arc::new(rules)];
    let text = corpus("outdated/orders.yml");
    let outcomes = |text: &str| -> (UnitTestFile, Vec<Option<Outcome>>) {
        let read = UnitTestFile::read("tests.yml", text.as_bytes());
        let file = read.file.unwrap_or_else(|| panic!("{:?}\n{text}", read.findings));
        let options = RunOptions::default();
        let outcomes = (0..file.tests.len()).map(|test| Some(run(&file, test, &rules, &options)));
        let outcomes = outcomes.collect();
        (file, outcomes)
    };
    let (file, before) = outcomes(&text);
    let updated = update(&file, &before);
    insta::assert_snapshot!(updated.text);
    let (file, after) = outcomes(&updated.text);
    assert!(after.iter().flatten().all(Outcome::is_passed), "{after:?}");
    assert_eq!(update(&file, &after).text, updated.text);
}
