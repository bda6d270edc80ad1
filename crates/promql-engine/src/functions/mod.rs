//! Functions of instant vectors that are more than a function of each value.

pub(crate) mod absent;
pub(crate) mod labels;
pub(crate) mod sort;
