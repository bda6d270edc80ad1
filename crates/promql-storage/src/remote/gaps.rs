//! Staleness markers that an answer of raw samples leaves out, found again.
//!
//! A query for `selector[window]` gives the samples without the markers by which a series says that
//! it ended: its target failed, or the target does not have it any more. Where a series pauses for
//! longer than its samples are apart there may have been one, and the server knows: at a time in the
//! pause, before the last sample is too old anyway, an instant query has the series if and only if
//! there was no marker. One such question answers all pauses that hold its time.
//!
//! Where the marker was in the pause remains unknown. Scrapes are regular, and a marker is written
//! when the scrape would have been, so that is where it is put.

use promql_engine::SampleBuffer;

/// A place where a marker may have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    /// The number of the series.
    pub(super) series: usize,
    /// When the next sample was due; the marker is put there.
    pub(super) due: i64,
    /// The last time at which a query tells: behind it comes a sample, or the one before it is too
    /// old.
    pub(super) until: i64,
}

/// A pause between samples that is longer than the usual distance by this factor may hold a marker.
/// Behind the last sample, where most questions are about, one that is longer at all may.
const FACTOR: f64 = 1.5;

/// The pauses of a series in which there may be a marker. `end` is when the question ends, and
/// `lookback` how old a sample may be, both in milliseconds.
pub(super) fn gaps(series: usize, columns: &SampleBuffer, end: i64, lookback: i64) -> Vec<Gap> {
    let mut times: Vec<i64> = [&columns.timestamps[..], &columns.histogram_timestamps].concat();
    times.sort_unstable();
    let mut distances: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    if distances.is_empty() {
        // One sample says nothing about when the next was due: a millisecond after it, then.
        distances.push(1);
    }
    let middle = distances.len() / 2;
    let (_, usual, _) = distances.select_nth_unstable(middle);
    let usual = (*usual).max(1);
    let longest = (usual as f64 * FACTOR) as i64;
    let inner = times.iter().skip(1).map(|next| (next - 1, longest));
    times
        .iter()
        .zip(inner.chain([(end, usual)]))
        .filter(|(time, (before, longest))| *before - **time > *longest)
        .map(|(time, (before, _))| Gap {
            series,
            due: time.saturating_add(usual).min(before),
            until: before.min(time.saturating_add(lookback - 1)),
        })
        .filter(|gap| gap.due <= gap.until)
        .collect()
}

/// The fewest times of which each gap holds one: always the end of the gap that ends first.
pub(super) fn questions(gaps: &[Gap]) -> Vec<i64> {
    let mut by_end: Vec<&Gap> = gaps.iter().collect();
    by_end.sort_by_key(|gap| gap.until);
    let mut times: Vec<i64> = Vec::new();
    for gap in by_end {
        if times.last().is_none_or(|last| *last < gap.due) {
            times.push(gap.until);
        }
    }
    times
}

/// The question that tells about a gap.
pub(super) fn question_of(gap: &Gap, questions: &[i64]) -> Option<usize> {
    let at = questions.partition_point(|time| *time < gap.due);
    questions.get(at).filter(|time| **time <= gap.until).map(|_| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(times: &[i64], end: i64) -> Vec<(i64, i64)> {
        let columns = SampleBuffer { timestamps: times.to_vec(), ..SampleBuffer::default() };
        gaps(0, &columns, end, 300).into_iter().map(|gap| (gap.due, gap.until)).collect()
    }

    #[test]
    fn pauses_are_found() {
        assert_eq!(found(&[0, 10, 20, 30], 40), []);
        assert_eq!(found(&[0, 10, 20, 30], 45), [(40, 45)]);
        assert_eq!(found(&[0, 10, 20, 34, 44], 54), []);
        assert_eq!(found(&[0, 10, 20, 60, 70], 80), [(30, 59)]);
        assert_eq!(found(&[0, 10, 20], 1000), [(30, 319)]);
        assert_eq!(found(&[0, 10, 20, 900, 910], 920), [(30, 319)]);
        assert_eq!(found(&[5], 50), [(6, 50)]);
        assert_eq!(found(&[], 50), []);
    }

    #[test]
    fn one_question_is_for_many_gaps() {
        let gap = |due, until| Gap { series: 0, due, until };
        let gaps = [gap(30, 59), gap(31, 40), gap(35, 90), gap(41, 100), gap(200, 300)];
        let times = questions(&gaps);
        assert_eq!(times, [40, 100, 300]);
        let asked: Vec<_> = gaps.iter().map(|gap| question_of(gap, &times)).collect();
        assert_eq!(asked, [Some(0), Some(0), Some(0), Some(1), Some(2)]);
    }
}
