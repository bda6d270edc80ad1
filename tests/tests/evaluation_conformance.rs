//! The upstream scripts as a measuring stick for the evaluator.

use promql_engine::EngineOptions;
use promql_tests::{conformance, script};

#[test]
fn evaluates_the_upstream_scripts() {
    let options = EngineOptions {
        max_samples: 10_000,
        delayed_name_removal: true,
        start_timestamps: true,
        ..EngineOptions::default()
    };
    check("promqltest", &options);
}

#[test]
fn evaluates_the_upstream_script_for_names_that_are_dropped_at_once() {
    let options = EngineOptions { max_samples: 10_000, ..EngineOptions::default() };
    check("promqltest_extra", &options);
}

fn check(part: &str, options: &EngineOptions) {
    let Some(files) = conformance::files(part, ".test") else { return };
    let (mut passed, mut failed, mut histograms) = (0, 0, 0);
    for path in files {
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let outcome = script::run(&text, options);
        promql_tests::conformance::say(&format!(
            "{}: {} passed, {} failed, {} need native histograms",
            path.file_name().unwrap_or_default().to_string_lossy(),
            outcome.passed,
            outcome.failed.len(),
            outcome.histograms
        ));
        outcome
            .failed
            .iter()
            .for_each(|failure| promql_tests::conformance::say(&format!("  {failure}")));
        passed += outcome.passed;
        failed += outcome.failed.len();
        histograms += outcome.histograms;
    }
    promql_tests::conformance::say(&format!(
        "{part}: {passed} passed, {failed} failed, {histograms} need native histograms"
    ));
    assert_eq!(failed, 0, "see above");
}
