//! The resolutions of native histograms that files may hold.

use promql_model::{CUSTOM_BUCKETS_SCHEMA, FloatHistogram, HistogramError, MAX_SCHEMA, MIN_SCHEMA};

/// The finest one that a file may hold. What is finer than histograms here can be is made coarser.
const FINEST: i64 = 52;

/// The schema with a number, if there is one.
pub(crate) fn schema(number: i64) -> Option<i32> {
    let exists = number == i64::from(CUSTOM_BUCKETS_SCHEMA)
        || (i64::from(MIN_SCHEMA)..=FINEST).contains(&number);
    exists.then_some(number as i32)
}

/// Makes a histogram coarser if it is finer than they can be here.
pub(crate) fn coarsen(histogram: &mut FloatHistogram) -> Result<(), HistogramError> {
    match histogram.schema() > MAX_SCHEMA {
        true => histogram.reduce_resolution(MAX_SCHEMA),
        false => Ok(()),
    }
}
