//! Samples moved to the multiples of a step.

use promql_storage::Columns;

/// Moves samples to the nearest multiples of a step, in milliseconds. Of several that come to one
/// time the first stays.
pub(super) fn align(columns: &mut Columns, step: i64) {
    let mut aligned = Columns::default();
    let start = |starts: &[i64], at: usize| starts.get(at).copied().unwrap_or(0);
    let mut last = None;
    for (at, time) in columns.timestamps.iter().enumerate() {
        let time = Some(nearest(*time, step));
        if let Some(time) = time.filter(|_| time > last) {
            let start = start(&columns.start_timestamps, at);
            aligned.push_float(time, columns.values[at], start);
        }
        last = time.max(last);
    }
    last = None;
    for (at, time) in columns.histogram_timestamps.iter().enumerate() {
        let time = Some(nearest(*time, step));
        let is_free = |time: &i64| aligned.timestamps.binary_search(time).is_err();
        if let Some(time) = time.filter(|_| time > last).filter(is_free) {
            let start = start(&columns.histogram_start_timestamps, at);
            aligned.push_histogram(time, columns.histograms[at].clone(), start);
        }
        last = time.max(last);
    }
    *columns = aligned;
}

fn nearest(time: i64, step: i64) -> i64 {
    let before = time.div_euclid(step) * step;
    if (time - before) * 2 < step { before } else { before.saturating_add(step) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_move_to_the_nearest_time() {
        let mut columns = Columns {
            timestamps: vec![-4, 1, 4, 16, 25, 31],
            values: vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0],
            ..Columns::default()
        };
        align(&mut columns, 10);
        assert_eq!(columns.timestamps, [0, 20, 30]);
        assert_eq!(columns.values, [0.0, 3.0, 4.0]);
    }
}
