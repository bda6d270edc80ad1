//! What the end-to-end tests share.

pub mod answer;
pub mod api;
pub mod binary;
pub mod conformance;
pub mod corpus;
pub mod differential;
pub mod faulty;
pub mod generator;
pub mod golden;
pub mod inexact;
pub mod prometheus;
pub mod random;
pub mod reference;
pub mod transcript;
pub mod trial_data;
pub mod worlds;
