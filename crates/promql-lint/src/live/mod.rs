//! What a server knows about rules.
//!
//! ```text
//!  rules, the worst first ──► checks ──questions──► asker ──► Server
//!                               │                    each once, within limits
//!                               └► findings, and one finding about what could not be asked
//! ```
//!
//! Checks ask for counts, never for series, and an answer that isn't had is no finding. Whoever has a
//! server implements [`Server`]; over series that are here [`LocalServer`] is one.

mod asker;
mod back_test;
mod context;
mod local;
mod named;
mod options;
mod question;
mod run;

pub use local::LocalServer;
pub use named::NamedServer;
pub use options::LiveOptions;
pub use question::{About, Element, Question, Refusal, Remark, Reply, RunningRule, Server};

pub(crate) use back_test::{BackTest, Told};
pub(crate) use context::{Blame, LiveContext, Selected, Standing};
pub(crate) use run::{is_live, look};

/// A duration in milliseconds, as people write it; `0s` is none.
pub(crate) fn shown(milliseconds: i64) -> String {
    promql_model::FormatDuration(milliseconds.saturating_mul(1_000_000)).to_string()
}

/// A server that checks may ask, and how.
#[derive(Clone, Copy)]
pub struct Live<'a> {
    /// What a configuration says about the server, if it names it: what it is asked about.
    pub named: Option<&'a NamedServer>,
    /// The server, if there is one; what is [known](LiveOptions::about) without it counts anyway.
    pub server: Option<&'a dyn Server>,
    /// How much is asked.
    pub options: &'a LiveOptions,
    /// Whether something is asked about a rule, by its text; about all rules if nothing says it.
    pub wanted: Option<&'a (dyn Fn(&str) -> bool + Sync)>,
    /// Told whenever another rule was looked at: how many, of how many.
    pub progress: Option<&'a (dyn Fn(usize, usize) + Sync)>,
}

impl std::fmt::Debug for Live<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").field("options", self.options).finish_non_exhaustive()
    }
}

/// Which checks of the category `live` can look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reach {
    has_server: bool,
    has_retention: bool,
    has_external_labels: bool,
}

impl Reach {
    /// With a server, or what is known without one.
    pub(crate) fn of(live: &Live<'_>) -> Reach {
        let about = &live.options.about;
        Reach {
            has_server: live.server.is_some(),
            has_retention: about.retention.is_some(),
            has_external_labels: about.external_labels.is_some(),
        }
    }

    /// What one of two reaches.
    pub(crate) fn or(self, other: Reach) -> Reach {
        Reach {
            has_server: self.has_server || other.has_server,
            has_retention: self.has_retention || other.has_retention,
            has_external_labels: self.has_external_labels || other.has_external_labels,
        }
    }

    /// Whether a check of the category `live` can look.
    pub(crate) fn lets_look(self, code: &str) -> bool {
        self.has_server
            || match code {
                "L013" => self.has_retention,
                "L014" => self.has_external_labels,
                _ => false,
            }
    }
}
