//! What the end-to-end tests share.

pub mod answer;
pub mod binary;
pub mod conformance;
pub mod corpus;
pub mod golden;
pub mod prometheus;
pub mod random;
pub mod reference;
pub mod transcript;
