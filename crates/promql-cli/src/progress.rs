//! A sign of life on a terminal while something takes long.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use promql_storage::Amount;

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

/// How far something came.
enum Measure {
    /// Nobody knows.
    None,
    /// So many of the parts that there are.
    Parts(Arc<AtomicUsize>, usize),
    /// So many bytes.
    Bytes(Arc<Amount>),
}

impl Measure {
    fn shown(&self) -> String {
        match self {
            Measure::None => String::new(),
            Measure::Parts(done, parts) => format!(" {}/{parts}", done.load(Ordering::Relaxed)),
            Measure::Bytes(amount) => match (amount.done(), amount.total()) {
                (0, _) => String::new(),
                (done, Some(total)) => format!(" {}%", (done.min(total) * 100) / total),
                (done, None) => format!(" {} MB", done / 1_000_000),
            },
        }
    }
}

impl Progress {
    /// Begins something.
    pub fn start(console: &Console, what: String) -> Progress {
        Self::new(console, what, Arc::default(), Measure::None)
    }

    /// Begins something that has parts. [`advance`](Self::advance) says that one is done.
    pub fn counting(console: &Console, what: String, parts: usize) -> Progress {
        let finished: Arc<AtomicUsize> = Arc::default();
        let measure = Measure::Parts(Arc::clone(&finished), parts);
        Self::new(console, what, finished, measure)
    }

    /// Begins to read something, which tells how far it came.
    pub fn reading(console: &Console, what: String, amount: Arc<Amount>) -> Progress {
        Self::new(console, what, Arc::default(), Measure::Bytes(amount))
    }

    /// One more part is done.
    pub fn advance(&self) {
        self.finished.fetch_add(1, Ordering::Relaxed);
    }

    fn new(
        console: &Console,
        what: String,
        finished: Arc<AtomicUsize>,
        measure: Measure,
    ) -> Progress {
        if !console.stderr_is_terminal {
            return Progress { done: None, thread: None, finished };
        }
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
                let count = measure.shown();
                // What was longer before is overwritten.
                console.remark(&format!("\r{frame} {what}{count} {seconds}s (Ctrl-C stops)\x1b[K"));
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
