//! What the end-to-end tests share.

pub mod binary;
pub mod conformance;
pub mod corpus;
pub mod memory;
pub mod random;
pub mod reference;
pub mod transcript;
