//! What can go wrong with a benchmark.

use std::io;
use std::path::{Path, PathBuf};

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(
        "there is no program `{}`{}\n  {flag} says where it is; the environment variable \
         PROMQL_REFERENCE_BIN, or --bin, names the folder that holds all of them",
        path.display(), expected(path)
    )]
    NoProgram { path: PathBuf, flag: &'static str },
    #[error("cannot {what} `{}`: {error}", path.display())]
    File { what: &'static str, path: PathBuf, error: io::Error },
    #[error("`{}` holds data of another kind: expected {expected}, found {found}\n  name another \
             folder with --data, or delete that one", path.display())]
    OtherData { path: PathBuf, expected: String, found: String },
    #[error("`{}` is not empty and was not made by this program\n  name another folder with --data",
            path.display())]
    Occupied { path: PathBuf },
    #[error("`{program}` ended with {status}; its last words:\n{words}")]
    Ended { program: String, status: String, words: String },
    #[error("`{program}` did not listen at {address} within {seconds} s; its last words:\n{words}")]
    NotReady { program: String, address: String, seconds: u64, words: String },
    #[error("{server} did not answer {request}: {error}")]
    Http { server: String, request: String, error: io::Error },
    #[error("{server} refused {request}: {status}: {body}")]
    Refused { server: String, request: String, status: u16, body: String },
    #[error("{server} gave no answer of the API to {request}: {error}")]
    NoAnswer { server: String, request: String, error: String },
    #[error("there is no class `{class}`; classes are {known}")]
    NoClass { class: String, known: String },
    #[error("the series of the blocks cannot be read: {0}")]
    Storage(String),
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    pub(crate) fn file(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        move |error| Error::File { what, path: path.to_owned(), error }
    }
}

/// Whether a path is one that was looked up.
fn expected(path: &Path) -> &'static str {
    if path.components().count() > 1 { "" } else { " on the path of programs" }
}
