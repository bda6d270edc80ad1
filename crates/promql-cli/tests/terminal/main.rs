//! The session on a terminal: keys in, screens out. The terminal is tmux; without it the tests say that they
//! skip, as do those that want Prometheus and node_exporter where `PROMQL_REFERENCE_BIN` names none.
//!
//! A screen is a snapshot in `snapshots/`, with the keys that led to it as its description: [`screens`] says
//! how it is written down. What happens on the way to it is waited for in the tests themselves.

#![allow(clippy::print_stderr, reason = "a test that skips has to say so")]
#![allow(clippy::unwrap_used, reason = "a test that fails")]

mod acceptance;
mod keys;
mod live;
mod screens;
mod servers;
mod session;
mod terminal;
