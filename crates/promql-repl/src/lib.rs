//! An interactive session for PromQL.
//!
//! A [`Session`] takes what is written, statement by statement: expressions, with a range and with what
//! is to be done to the answer behind them, and commands that begin with a backslash ([`statement`]).
//! What it can't do itself, asking a source and showing an answer, its [`Host`] does, which is the
//! command `promql`, or a test.
//!
//! [`Session::converse`] reads from a terminal with a line editor, which colours, suggests and completes
//! by the answers of `promql-ide`; [`Session::run_script`] reads from a pipe.
//!
//! Invariant: nothing here speaks to a server. Nothing that a server sends reaches the terminal with
//! characters that it would obey ([`plain`]). What is asked in the background never delays a key.

mod assistant;
mod below;
mod colors;
pub mod commands;
pub mod config;
pub mod diff;
mod editor;
mod grid;
mod history;
mod host;
mod keys;
mod known;
mod list;
mod menu;
mod options;
mod plain;
mod press;
pub mod rule;
mod script;
mod search;
mod session;
pub mod stages;
pub mod statement;
mod variables;
pub mod watch;
mod wrap;

pub use config::{Config, ConfigError, Profile};
pub use history::{Entry, History, without_secrets};
pub use host::{
    Alert, Answer, Connection, Cost, Exemplar, Failure, Fix, Form, Host, Knowledge, Look, Over,
    Range, Reason, Request, Rule, ScrapeTarget, Target, Terminal, Units,
};
pub use known::{Known, Listener};
pub use plain::plain;
pub use session::{Exit, Session};
pub use variables::expand;
