//! What the end-to-end tests share.

pub mod conformance;
pub mod corpus;
pub mod memory;
pub mod script;
