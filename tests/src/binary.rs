//! The `promql` command as it was just built.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The folder of the workspace.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// Builds the command, once in a process, and gives the path of the program.
///
/// Cargo builds the programs of a package for the tests of that package only, and these tests are
/// in another one. When all of the workspace is tested there is nothing left to build here.
///
/// # Panics
/// When it can't be built: then no test that runs it can pass.
pub fn promql() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| build(&[]))
}

/// The same, optimised.
///
/// # Panics
/// When it can't be built.
pub fn promql_release() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| build(&["--release"]))
}

fn build(more: &[&str]) -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // Cargo tells tests which package they are of. Build scripts that look at that would be run anew, and
    // with them all that depends on theirs would be compiled again.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    let output = command
        .args(["build", "--quiet", "--package", "promql-cli", "--bin", "promql"])
        .args(["--message-format", "json-render-diagnostics"])
        .args(more)
        .current_dir(workspace())
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "promql can't be built:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let messages = String::from_utf8_lossy(&output.stdout);
    let program = messages.lines().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let program = message.get("executable")?.as_str()?;
        Some(PathBuf::from(program))
    });
    program.expect("cargo names the program")
}
