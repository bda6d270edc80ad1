//! The upstream scripts as a measuring stick for the evaluator.

use promql_engine::EngineOptions;
use promql_tests::{conformance, script};

#[test]
fn evaluates_the_upstream_scripts() {
    let Some(files) = conformance::files("promqltest", ".test") else { return };
    let options = EngineOptions {
        max_samples: 10_000,
        delayed_name_removal: true,
        start_timestamps: true,
        ..EngineOptions::default()
    };
    let (mut passed, mut failed, mut histograms) = (0, 0, 0);
    for path in files {
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let outcome = script::run(&text, &options);
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        println!(
            "{name}: {} passed, {} failed, {} need native histograms",
            outcome.passed,
            outcome.failed.len(),
            outcome.histograms
        );
        for failure in &outcome.failed {
            println!("  {failure}");
        }
        passed += outcome.passed;
        failed += outcome.failed.len();
        histograms += outcome.histograms;
    }
    println!("all: {passed} passed, {failed} failed, {histograms} need native histograms");
}
