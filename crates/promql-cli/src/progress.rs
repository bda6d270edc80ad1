//! A sign of life on a terminal while something takes long.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::console::Console;

/// What takes less than this needs no sign of life.
const PATIENCE: Duration = Duration::from_millis(400);

/// How often the sign moves.
const TICK: Duration = Duration::from_millis(120);

/// Shows what is going on until it is dropped. Only on a terminal's standard error; in a pipe
/// nothing is written.
pub struct Progress {
    done: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Progress {
    /// Begins something.
    pub fn start(console: &Console, what: String) -> Progress {
        if !console.stderr_is_terminal {
            return Progress { done: None, thread: None };
        }
        let (done, waiting) = channel();
        let unicode = console.unicode;
        let thread = std::thread::Builder::new().name("progress".to_string()).spawn(move || {
            if waiting.recv_timeout(PATIENCE) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            let bar = ProgressBar::new_spinner().with_message(what);
            let ticks = if unicode { "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ " } else { "|/-\\ " };
            let style = ProgressStyle::with_template("{spinner} {msg} {elapsed} (Ctrl-C stops)");
            bar.set_style(
                style.unwrap_or_else(|_| ProgressStyle::default_spinner()).tick_chars(ticks),
            );
            while waiting.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                bar.tick();
            }
            bar.finish_and_clear();
        });
        Progress { done: Some(done), thread: thread.ok() }
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
