//! Ctrl-C.
//!
//! While a query is evaluated or a server is waited for, the first Ctrl-C asks for an end, and what
//! is under way comes to it in order: the progress line is cleared, and a server learns that nobody
//! waits for its answer because the connection is closed. At any other time, and at the second
//! Ctrl-C, the process ends at once.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use promql_engine::Cancellation;

use crate::console::Console;
use crate::exit::Exit;

static STOPPABLE: AtomicBool = AtomicBool::new(false);

static SWITCH: OnceLock<Cancellation> = OnceLock::new();

/// Listens for Ctrl-C from now on. Gives the switch that it throws, which is the same each time.
pub fn listen(console: Console) -> Cancellation {
    SWITCH.get_or_init(|| begin(console)).clone()
}

fn begin(console: Console) -> Cancellation {
    let cancellation = Cancellation::default();
    let switch = cancellation.clone();
    // Where signals can't be caught Ctrl-C ends the process by itself.
    let _ = ctrlc::set_handler(move || {
        let stoppable = STOPPABLE.swap(false, Ordering::SeqCst);
        switch.cancel();
        if !stoppable {
            if console.stderr_is_terminal {
                // What a progress line may have left.
                console.remark("\r\x1b[2K");
            }
            std::process::exit(i32::from(Exit::Interrupted.code()));
        }
    });
    cancellation
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
