//! The instants at which an expression is evaluated.

use crate::EngineError;

/// The instants `start, start + step, …`. An instant query has one of them. Times are milliseconds
/// since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Grid {
    pub(crate) start: i64,
    pub(crate) step: i64,
    pub(crate) len: usize,
}

impl Grid {
    /// One instant. Its step is a millisecond, as that of an instant query.
    pub(crate) fn instant(at: i64) -> Grid {
        Grid { start: at, step: 1, len: 1 }
    }

    /// The instants from `start` that are not after `end`: none if the end precedes the start.
    /// `step` is positive.
    ///
    /// # Errors
    /// There are more than `limit` instants: one value for each would be too much already.
    pub(crate) fn range(
        start: i64,
        end: i64,
        step: i64,
        limit: usize,
    ) -> Result<Grid, EngineError> {
        let step = step.max(1);
        let len = match (i128::from(end) - i128::from(start)).div_euclid(i128::from(step)) {
            last if last < 0 => 0,
            last => last + 1,
        };
        match u32::try_from(len) {
            Ok(len) if len as usize <= limit => Ok(Grid { start, step, len: len as usize }),
            _ => {
                let reached = usize::try_from(len).unwrap_or(usize::MAX);
                Err(EngineError::TooManySamples { limit, reached, span: None })
            }
        }
    }

    /// An instant.
    pub(crate) fn at(&self, index: usize) -> i64 {
        self.start.saturating_add(self.step.saturating_mul(index as i64))
    }

    /// The first instant alone.
    pub(crate) fn first_only(&self) -> Grid {
        Grid { len: self.len.min(1), ..*self }
    }
}
