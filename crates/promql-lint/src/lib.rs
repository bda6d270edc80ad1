//! What is wrong with alerting rules, recording rules and queries of dashboards, though they are valid.
//!
//! [`flow`] finds out what is known of an expression without any data: which labels its result has, what
//! they and the samples can be, whether there is a result at all.
//!
//! Invariant: nothing here prints, reads a file or asks a server.

pub mod flow;
