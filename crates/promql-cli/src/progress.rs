//! A sign of life on a terminal while something takes long.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::console::Console;
use crate::visible;

/// What takes less than this needs no sign of life.
const PATIENCE: Duration = Duration::from_millis(400);

/// How often the sign moves.
const TICK: Duration = Duration::from_millis(120);

/// The columns of what is said; longer lines could wrap and not be cleared.
const LONGEST: usize = 50;

/// What turns.
const UNICODE_FRAMES: &str = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";
/// The same in ASCII.
const ASCII_FRAMES: &str = "|/-\\";

/// Shows what is going on until it is dropped. Only on a terminal's standard error; in a pipe
/// nothing is written.
pub struct Progress {
    done: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
    finished: Arc<AtomicUsize>,
}

impl Progress {
    /// Begins something.
    pub fn start(console: &Console, what: String) -> Progress {
        Self::new(console, what, None)
    }

    /// Begins something that has parts. [`advance`](Self::advance) says that one is done.
    pub fn counting(console: &Console, what: String, parts: usize) -> Progress {
        Self::new(console, what, Some(parts))
    }

    /// One more part is done.
    pub fn advance(&self) {
        self.finished.fetch_add(1, Ordering::Relaxed);
    }

    fn new(console: &Console, what: String, parts: Option<usize>) -> Progress {
        let finished = Arc::new(AtomicUsize::new(0));
        if !console.stderr_is_terminal {
            return Progress { done: None, thread: None, finished };
        }
        let counter = Arc::clone(&finished);
        let what = visible::clip(&visible::escape(&what), LONGEST).into_owned();
        let (done, waiting) = channel();
        let (console, unicode) = (*console, console.unicode);
        let thread = std::thread::Builder::new().name("progress".to_string()).spawn(move || {
            if waiting.recv_timeout(PATIENCE) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            // Ends where its text ends, so that the terminal's echo of Ctrl-C stays on the line
            // that is cleared.
            let frames = if unicode { UNICODE_FRAMES } else { ASCII_FRAMES };
            let start = Instant::now() - PATIENCE;
            for frame in frames.chars().cycle() {
                let seconds = start.elapsed().as_secs();
                let count = parts.map_or_else(String::new, |parts| {
                    format!(" {}/{parts}", counter.load(Ordering::Relaxed))
                });
                console.remark(&format!("\r{frame} {what}{count} {seconds}s (Ctrl-C stops)"));
                if waiting.recv_timeout(TICK) != Err(RecvTimeoutError::Timeout) {
                    break;
                }
            }
            console.remark("\r\x1b[2K");
        });
        Progress { done: Some(done), thread: thread.ok(), finished }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        drop(self.done.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
