//! Bytes that are not what they should be.

use std::borrow::Cow;

const END: &str = "the data ends too early";

/// What is wrong with a run of bytes, and where: in bytes from its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Damage {
    pub(crate) what: Cow<'static, str>,
    pub(crate) at: usize,
}

impl Damage {
    pub(super) fn new(what: impl Into<Cow<'static, str>>, at: usize) -> Damage {
        Damage { what: what.into(), at }
    }

    /// The bytes end before what they must hold does.
    pub(super) fn end(at: usize) -> Damage {
        Damage::new(END, at)
    }

    /// Whether the bytes end too early, as those of a file do that is being written.
    pub(super) fn is_end(&self) -> bool {
        self.what == END
    }

    /// The same damage, seen from `start` bytes further to the front.
    pub(super) fn behind(self, start: usize) -> Damage {
        Damage { at: self.at.saturating_add(start), ..self }
    }
}
