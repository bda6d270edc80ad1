//! What an editor of PromQL asks while somebody writes: what may come here, what is this, what is wrong.
//!
//! Every answer is a pure function of a text, a cursor (a byte offset) and a [`Catalogue`] of what is
//! known about the series. Texts may be half-written; the functions accept any text and any cursor.
//!
//! ```
//! use promql_ide::{Names, Snapshot, complete};
//! let mut known = Snapshot::new();
//! known.set_metrics(Names::new(["http_requests_total", "http_request_size_bytes", "up"]));
//! let text = "sum(rate(htt";
//! let found = complete(text, text.len(), &known);
//! // A counter comes first inside `rate`, and the range that it needs comes with it.
//! assert_eq!(found.items[0].insert, "http_requests_total[5m]");
//! assert_eq!(found.replaced, 9..12);
//! ```
//!
//! | question | answered by |
//! |---|---|
//! | what may be written here? | [`complete()`] |
//! | which argument is this? | [`signature()`] |
//! | what is this? | [`hover()`] |
//! | how does it look? | [`highlight()`], [`matching_bracket()`] |
//! | is it all? | [`progress()`] |
//! | what is wrong? | [`diagnose()`] |
//!
//! Invariant: nothing here knows a terminal or a protocol, and nothing does I/O. What is not known and
//! would be of use is told as a [`Question`].

mod brackets;
mod catalogue;
mod complete;
mod cursor;
mod diagnose;
mod highlight;
mod hover;
mod labels;
mod lex;
mod names;
mod progress;
mod signature;
mod walk;
mod words;

pub use brackets::matching_bracket;
pub use catalogue::{
    Catalogue, Condition, Metadata, MetricKind, Metrics, Question, Selector, Snapshot,
};
pub use complete::{Completions, Item, ItemKind, MOST_ITEMS, complete};
pub use diagnose::{Problem, diagnose};
pub use highlight::{Highlight, highlight};
pub use hover::{Hover, hover};
pub use names::{Fit, Names, fit};
pub use progress::{Progress, progress};
pub use signature::{Signature, signature};
pub use walk::Role;
pub use words::duration_in_words;
