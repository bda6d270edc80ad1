//! Ctrl-C.
//!
//! While a query is evaluated or a server is waited for, the first Ctrl-C asks for an end, and what
//! is under way comes to it in order: the progress line is cleared, and a server learns that nobody
//! waits for its answer because the connection is closed. At any other time, and at the second
//! Ctrl-C, the process ends at once. A session goes on instead: there each thing that is done has a switch
//! of its own.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once, PoisonError};

use promql_engine::Cancellation;

use crate::console::Console;
use crate::exit::Exit;

static STOPPABLE: AtomicBool = AtomicBool::new(false);

/// Whether a session goes on when nothing is under way that could be stopped.
static IN_SESSION: AtomicBool = AtomicBool::new(false);

static SWITCH: Mutex<Option<Cancellation>> = Mutex::new(None);

static HANDLER: Once = Once::new();

/// Listens for Ctrl-C from now on. Gives the switch that it throws, which is the same each time.
pub fn listen(console: Console) -> Cancellation {
    HANDLER.call_once(|| handle(console));
    switch().get_or_insert_default().clone()
}

/// A new switch for the next thing that a session does. From now on Ctrl-C doesn't end the process.
pub fn listen_anew(console: Console) -> Cancellation {
    IN_SESSION.store(true, Ordering::SeqCst);
    *switch() = None;
    listen(console)
}

fn switch() -> std::sync::MutexGuard<'static, Option<Cancellation>> {
    SWITCH.lock().unwrap_or_else(PoisonError::into_inner)
}

fn handle(console: Console) {
    // Where signals can't be caught Ctrl-C ends the process by itself.
    let _ = ctrlc::set_handler(move || {
        let stoppable = STOPPABLE.swap(false, Ordering::SeqCst);
        if let Some(switch) = &*switch() {
            switch.cancel();
        }
        if !stoppable && !IN_SESSION.load(Ordering::SeqCst) {
            if console.stderr_is_terminal {
                // What a progress line may have left.
                console.remark("\r\x1b[2K");
            }
            std::process::exit(i32::from(Exit::Interrupted.code()));
        }
    });
}

/// Does something that looks at the switch.
pub fn while_stoppable<T>(task: impl FnOnce() -> T) -> T {
    STOPPABLE.store(true, Ordering::SeqCst);
    let result = task();
    STOPPABLE.store(false, Ordering::SeqCst);
    result
}

/// The same for something that waits, and that a first Ctrl-C ends in order.
pub async fn until_stopped<T>(task: impl Future<Output = T>) -> T {
    STOPPABLE.store(true, Ordering::SeqCst);
    let result = task.await;
    STOPPABLE.store(false, Ordering::SeqCst);
    result
}
