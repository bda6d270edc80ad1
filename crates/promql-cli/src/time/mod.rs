//! Times on the command line.
//!
//! A time is written in whatever way is at hand: as RFC 3339, as seconds since the epoch the way
//! that servers write them, relative to now, or as a short date or time of day in the local zone.
//! [`instant::Clock`] reads one; [`Times`] puts the flags of a query together.

pub mod instant;
pub mod range;

pub use instant::{Clock, TimeError};
pub use range::{Times, When};
