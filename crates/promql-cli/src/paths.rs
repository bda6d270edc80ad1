//! Which files an argument names, or a pattern in a file.
//!
//! Arguments are for people: a folder stands for the files of the wanted kind in it and below it, and
//! hidden files are left out, as a shell does. Patterns in a `prometheus.yml` or a unit-test file are
//! read as servers and promtool read them: relative to the folder of that file, `*` not crossing a `/`,
//! hidden files as good as others.

use std::ffi::OsStr;
use std::fs;
use std::path::{Component, Path, PathBuf};

use promql_rules::{FileKind, file_kind};

use crate::inputs::InputError;

/// The files of a folder and of the folders in it that are wanted, in order of their paths. Hidden
/// files and folders are left out, and so are links to folders.
///
/// # Errors
/// When a folder can't be read.
pub fn files_below(
    folder: &Path,
    is_wanted: impl Fn(&Path) -> bool,
) -> Result<Vec<PathBuf>, InputError> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let error = |error| InputError::File { path: folder.clone(), error };
        for entry in fs::read_dir(&folder).map_err(error)? {
            let entry = entry.map_err(error)?;
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            let kind = entry.file_type().map_err(error)?;
            let path = entry.path();
            if kind.is_dir() {
                folders.push(path);
            } else if is_wanted(&path) && path.is_file() {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// The files that an argument names, in order of their paths: those of a folder that are `wanted`, those
/// that a pattern names, or a file. What is there counts first: a file whose name has brackets is no
/// pattern.
///
/// # Errors
/// When a folder can't be read, the pattern is none, or no file is called like it. That a folder has no
/// such file is for the caller to say ([`InputError::EmptyFolder`]), who may have to look into files.
pub fn named(
    argument: &str,
    is_wanted: impl Fn(&Path) -> bool,
) -> Result<Vec<PathBuf>, InputError> {
    let path = Path::new(argument);
    if path.is_dir() {
        return files_below(path, is_wanted);
    }
    if path.exists() || !is_pattern(argument) {
        return Ok(vec![path.to_path_buf()]);
    }
    let options = glob::MatchOptions { require_literal_leading_dot: true, ..Default::default() };
    let found = glob::glob_with(argument, options).map_err(|error| InputError::BadPattern {
        pattern: argument.to_string(),
        reason: error.to_string(),
    })?;
    let mut files = Vec::new();
    for path in found {
        let path = path.map_err(|error| InputError::File {
            path: error.path().to_path_buf(),
            error: error.into(),
        })?;
        if path.is_file() {
            files.push(path);
        }
    }
    match files.is_empty() {
        true => Err(InputError::NoMatch { pattern: argument.to_string() }),
        false => Ok(files),
    }
}

/// The rule files that an argument names; of a folder those files that are some.
///
/// # Errors
/// Those of [`named`], or when there is none in a folder.
pub fn rule_files(argument: &str) -> Result<Vec<PathBuf>, InputError> {
    let files = named(argument, |path| is_yaml(path) && is_of_kind(path, FileKind::Rules))?;
    some_of(files, argument, "rule file")
}

/// Files that an argument names, of which there must be one; `wanted` says what they are.
///
/// # Errors
/// When there is none, which is so only of a folder.
pub fn some_of(
    files: Vec<PathBuf>,
    argument: &str,
    wanted: &'static str,
) -> Result<Vec<PathBuf>, InputError> {
    match files.is_empty() {
        true => Err(InputError::EmptyFolder { folder: argument.into(), wanted }),
        false => Ok(files),
    }
}

/// Whether a file is of a kind, by its keys. One that can't be read counts, so that whoever reads it says
/// why.
pub fn is_of_kind(path: &Path, kind: FileKind) -> bool {
    fs::read(path).map_or(true, |text| file_kind(&String::from_utf8_lossy(&text)) == kind)
}

/// The files that a pattern of a file in a folder names, in order of their paths, with paths as promtool
/// shows them: without `.` and without `name/..`. None is no error. `**` is as good as `*`.
///
/// # Errors
/// When the pattern is none.
pub fn matching(folder: &Path, pattern: &str) -> Result<Vec<PathBuf>, glob::PatternError> {
    let mut pattern = pattern.to_string();
    while pattern.contains("**") {
        pattern = pattern.replace("**", "*");
    }
    matching_below(folder, &pattern)
}

/// The same, but `**` stands for any folders, as a part of the path of its own.
///
/// # Errors
/// Those of [`matching`].
pub fn matching_below(folder: &Path, pattern: &str) -> Result<Vec<PathBuf>, glob::PatternError> {
    let options = glob::MatchOptions { require_literal_separator: true, ..Default::default() };
    let whole = match Path::new(pattern).is_absolute() {
        true => pattern.to_string(),
        false => {
            let folder = glob::Pattern::escape(&folder.display().to_string());
            Path::new(&folder).join(pattern).display().to_string()
        }
    };
    let found = glob::glob_with(&whole, options)?;
    let mut paths: Vec<PathBuf> = found.flatten().map(|path| cleaned(&path)).collect();
    paths.sort();
    paths.dedup();
    Ok(paths)
}

/// Whether a text has characters that stand for others in a pattern.
pub fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// Whether a path ends in one of some endings, in any case.
pub fn ends_in(path: &Path, endings: &[&str]) -> bool {
    let is_one = |ending: &OsStr| endings.iter().any(|known| ending.eq_ignore_ascii_case(known));
    path.extension().is_some_and(is_one)
}

/// Whether a path is called like a file that may hold rules or tests of them.
pub fn is_yaml(path: &Path) -> bool {
    ends_in(path, &["yml", "yaml", "json"])
}

/// A path without `.` and without `name/..`.
pub fn cleaned(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(clean.components().next_back(), Some(Component::Normal(_))) =>
            {
                clean.pop();
            }
            _ => clean.push(part),
        }
    }
    clean
}
