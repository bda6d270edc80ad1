//! A line that says what is under way, on a terminal.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

/// Shown until it is dropped.
#[derive(Debug)]
pub(crate) struct Progress {
    what: String,
    shown: Option<Instant>,
    on_terminal: bool,
}

impl Progress {
    pub(crate) fn new(what: &str) -> Progress {
        let on_terminal = stderr().is_terminal();
        let mut progress = Progress { what: what.to_owned(), shown: None, on_terminal };
        progress.show("");
        progress
    }

    /// So much of so much is done.
    pub(crate) fn at(&mut self, done: u64, total: u64) {
        if self.shown.is_none_or(|shown| shown.elapsed() > Duration::from_millis(100)) {
            self.show(&format!(" {done} of {total}"));
        }
    }

    fn show(&mut self, state: &str) {
        if self.on_terminal {
            let _ = write!(stderr(), "\r\x1b[2K{}…{state}", self.what);
            self.shown = Some(Instant::now());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.on_terminal {
            let _ = write!(stderr(), "\r\x1b[2K");
        }
    }
}
