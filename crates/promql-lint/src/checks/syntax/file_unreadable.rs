//! `file-unreadable` (E001).

use crate::check::declare_check;

declare_check! {
    /// Finds a file that is not UTF-8.
    ///
    /// ## Why it matters
    /// Prometheus doesn't load it. A file that can't be opened at all ends the command with exit code 2, since
    /// then nothing is known about it.
    ///
    /// ## Examples
    /// There is none that could be printed here.
    "E001" "file-unreadable" Error, Proven, fix: Never, Elsewhere
}
