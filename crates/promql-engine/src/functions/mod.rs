//! Functions of instant vectors that are more than a function of each value.

pub(crate) mod absent;
mod buckets;
pub(crate) mod histogram;
pub(crate) mod histogram_groups;
pub(crate) mod info;
pub(crate) mod labels;
pub(crate) mod sort;
