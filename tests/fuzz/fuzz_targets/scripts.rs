//! Every text is a test script whose evals can be run, or has problems that can be shown; what is brought
//! up to date can be read again.

#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use promql_rules::script::{Eval, RunOptions, Script, Verdict};

fuzz_target!(|text: &str| {
    // Many samples and many steps are right and slow.
    let is_digit = |c: char| c.is_ascii_digit() || c == '_';
    if text.split(|c: char| !is_digit(c)).any(|number| number.len() > 3) {
        return;
    }
    let script = match Script::parse("fuzz", text.as_bytes()) {
        Ok(script) => script,
        Err(problems) => {
            assert!(!problems.problems().is_empty());
            return;
        }
    };
    let mut options = RunOptions::default();
    options.engine.max_samples = 1000;
    options.engine.timeout = Some(Duration::from_secs(2));
    let has_failed = |eval: &&Eval| matches!(script.run(eval, &options), Verdict::Failed(_));
    let failing: Vec<&Eval> = script.evals().iter().filter(has_failed).collect();
    let update = script.update(&failing, &options);
    let again = Script::parse("fuzz", update.text.as_bytes());
    assert!(again.is_ok(), "{:?} in {:?}", again.err(), update.text);
});
