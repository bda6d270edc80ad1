//! Ctrl-C.
//!
//! While this engine evaluates, the first Ctrl-C asks it to stop, which it does at the next series.
//! At any other time (a file is read, a server is waited for) there is nothing to put in order: the
//! process ends, and with it its connections, which is how a server learns that nobody waits for
//! its answer. So does the second Ctrl-C in any case.

use std::sync::atomic::{AtomicBool, Ordering};

use promql_engine::Cancellation;

use crate::console::Console;
use crate::exit::Exit;

static EVALUATING: AtomicBool = AtomicBool::new(false);

/// Listens for Ctrl-C from now on. Gives the switch that it throws.
pub fn listen(console: Console) -> Cancellation {
    let cancellation = Cancellation::default();
    let switch = cancellation.clone();
    // Where signals can't be caught Ctrl-C ends the process by itself.
    let _ = ctrlc::set_handler(move || {
        let evaluating = EVALUATING.swap(false, Ordering::SeqCst);
        switch.cancel();
        if !evaluating {
            if console.stderr_is_terminal {
                // What a progress line may have left.
                console.remark("\r\x1b[2K");
            }
            std::process::exit(i32::from(Exit::Interrupted.code()));
        }
    });
    cancellation
}

/// Runs an evaluation that looks at the switch.
pub fn while_evaluating<T>(evaluation: impl FnOnce() -> T) -> T {
    EVALUATING.store(true, Ordering::SeqCst);
    let result = evaluation();
    EVALUATING.store(false, Ordering::SeqCst);
    result
}
