//! How a run ends.
//!
//! | code | meaning |
//! |---|---|
//! | 0 | everything was answered |
//! | 1 | an expression is wrong, a query failed, or there are findings |
//! | 2 | the command was not understood, or an input can't be read, such as a server without an answer |
//! | 3 | there are only warnings, where these were asked to count |
//! | 130 | interrupted by Ctrl-C |

use std::process::ExitCode;

/// How a run ends. Of several the largest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Exit {
    /// Everything was answered.
    #[default]
    Ok,
    /// There are warnings and no errors, and warnings were asked to count (`check --lint-fatal`). The
    /// number is promtool's.
    Lint,
    /// An expression is wrong, a query failed, or there are findings.
    Failed,
    /// The command was not understood, or an input can't be read.
    Usage,
    /// Interrupted.
    Interrupted,
}

impl Exit {
    /// The number that the shell sees.
    pub const fn code(self) -> u8 {
        match self {
            Exit::Ok => 0,
            Exit::Failed => 1,
            Exit::Lint => 3,
            Exit::Usage => 2,
            Exit::Interrupted => 130,
        }
    }

    /// The worse of two.
    #[must_use]
    pub fn and(self, other: Exit) -> Exit {
        self.max(other)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}
