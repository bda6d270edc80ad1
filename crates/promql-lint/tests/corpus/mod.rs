//! Rules and dashboards that people use.
#![allow(clippy::print_stdout)]

use std::fs;
use std::path::{Path, PathBuf};

/// The files of some folders of the corpus, with their names in it, in order. Nothing if there is no corpus here,
/// which is said.
pub(crate) fn files(folders: &[&str]) -> Option<Vec<(String, Vec<u8>)>> {
    let folder = match std::env::var_os("PROMQL_CONFORMANCE_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance"),
    };
    let folder = folder.join("realworld");
    if !folder.is_dir() {
        println!("skipped: there are no rules of others here");
        return None;
    }
    let mut paths = Vec::new();
    for part in folders {
        walk(&folder.join(part), &mut paths);
    }
    paths.sort();
    let read = |path: &PathBuf| {
        let name = path.strip_prefix(&folder).unwrap_or(path).display().to_string();
        Some((name, fs::read(path).ok()?))
    };
    Some(paths.iter().filter_map(read).collect())
}

fn walk(folder: &Path, all: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        if path.is_dir() {
            walk(&path, all);
        } else if path.extension().is_some_and(|extension| {
            ["yml", "yaml", "json"].iter().any(|known| extension == *known)
        }) {
            all.push(path);
        }
    }
}
