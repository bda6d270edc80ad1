//! Whatever a unit-test file holds, it is read without a crash and all places are in the file; its tests
//! run, and what is brought up to date can be read again.

#![no_main]

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use promql_rules::evaluate::PreparedFile;
use promql_rules::rule_file::LoadOptions;
use promql_rules::unit_test::{Outcome, RunOptions, UnitTestFile, run, update};
use promql_storage::fixture::read_unit_test;

const RULES: &str = "
groups:
  - name: g
    rules:
      - {record: r, expr: sum by (a) (m)}
      - {alert: A, expr: r > 1, for: 1m, labels: {s: '{{ $value }}'}, annotations: {t: '{{ $labels.a }}'}}
";

fn rules() -> &'static [Arc<PreparedFile>] {
    static RULES_READ: OnceLock<Vec<Arc<PreparedFile>>> = OnceLock::new();
    RULES_READ.get_or_init(|| {
        let options = LoadOptions::default();
        let file = PreparedFile::load("rules.yml", RULES.as_bytes(), &options);
        vec![Arc::new(file.expect("the rules are fine"))]
    })
}

fuzz_target!(|source: &[u8]| {
    // Many samples are right and slow.
    let is_digit = |byte: &u8| byte.is_ascii_digit() || *byte == b'_';
    if source.split(|byte| !is_digit(byte)).any(|number| number.len() > 3) {
        return;
    }
    let _ = read_unit_test("fuzz", source, None);
    let read = UnitTestFile::read("fuzz", source);
    for finding in &read.findings {
        assert!(read.text.get(finding.span.clone()).is_some(), "{finding:?} is not in the file");
    }
    let Some(file) = read.file else { return };
    let mut options = RunOptions::default();
    options.engine.max_samples = 1000;
    options.engine.timeout = Some(Duration::from_secs(2));
    let run = |(number, test): (usize, &promql_rules::unit_test::TestGroup)| {
        let cycles = test.last_time() / file.evaluation_interval;
        (cycles < 100).then(|| run(&file, number, rules(), &options))
    };
    let outcomes: Vec<Option<Outcome>> = file.tests.iter().enumerate().map(run).collect();
    for outcome in outcomes.iter().flatten() {
        for finding in &outcome.warnings {
            assert!(file.text.get(finding.span.clone()).is_some(), "{finding:?} is not in the file");
        }
    }
    let update = update(&file, &outcomes);
    let again = UnitTestFile::read("fuzz", update.text.as_bytes());
    assert!(again.file.is_some(), "{:?} in {:?}", again.findings, update.text);
});
