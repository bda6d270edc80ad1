//! The upstream test data beside the checkout.
//!
//! The folder is named by `PROMQL_CONFORMANCE_DIR`; without it `../shared/conformance` is used.
//! When it is not there, a test that needs it says so and passes nothing off as tested.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// The folder with the data, if it is there.
pub fn folder() -> Option<PathBuf> {
    let named = std::env::var_os("PROMQL_CONFORMANCE_DIR").map(PathBuf::from);
    let folder = named
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/conformance"));
    folder.is_dir().then_some(folder)
}

/// The files with an ending in a part of the folder, or `None` after saying that there are none.
pub fn files(part: &str, ending: &str) -> Option<Vec<PathBuf>> {
    let Some(folder) = folder() else {
        say(&format!("conformance data not found, skipping 1 suite ({part})"));
        return None;
    };
    let mut found = Vec::new();
    collect(&folder.join(part), ending, &mut found);
    found.sort();
    if found.is_empty() {
        say(&format!("conformance data has no {part}/*{ending}, skipping 1 suite"));
        return None;
    }
    Some(found)
}

fn collect(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, ending, found);
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
}

/// A JSON file of the data. Refuses formats that this runner does not know.
pub fn read_json(path: &Path) -> Value {
    let text = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let value: Value =
        serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(value["format"], 1, "{}: unknown format", path.display());
    value
}

/// The exact bytes of a text field: its sibling in Base64 if there is one.
pub fn bytes(case: &Value, field: &str) -> Vec<u8> {
    use base64::Engine as _;
    match case[format!("{field}_b64")].as_str() {
        Some(encoded) => base64::engine::general_purpose::STANDARD
            .decode(encoded)
            .unwrap_or_else(|error| panic!("{field}_b64: {error}")),
        None => case[field].as_str().unwrap_or_default().into(),
    }
}

/// Writes a line that is seen also when the test passes: the test harness only keeps back what goes
/// through the printing macros.
pub fn say(line: &str) {
    use std::io::Write as _;
    // Nobody reads it when it can't be written.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Counts what passed and remembers what did not.
#[derive(Default)]
pub struct Tally {
    passed: usize,
    failed: Vec<String>,
}

impl Tally {
    /// Notes the outcome of one case.
    pub fn check(&mut self, id: &str, outcome: Result<(), String>) {
        match outcome {
            Ok(()) => self.passed += 1,
            Err(message) => self.failed.push(format!("{id}: {message}")),
        }
    }

    /// Prints the counts and fails if a case failed.
    pub fn finish(self, suite: &str) {
        say(&format!("{suite}: {} passed, {} failed", self.passed, self.failed.len()));
        assert!(
            self.failed.is_empty(),
            "{suite}: {} failed:\n{}",
            self.failed.len(),
            self.failed.join("\n")
        );
    }
}
