use super::*;
use promql_model::{CUSTOM_BUCKETS_SCHEMA, CounterResetHint, STALE_NAN_BITS};

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

fn decoded(encoding: u8, hex: &str) -> SampleBuffer {
    let mut buffer = SampleBuffer::default();
    decode(Encoding::of(encoding).unwrap(), bytes(hex)[..].into(), &mut buffer).unwrap();
    buffer
}

const FLOATS: &str = "000580a0abfef96240240000000000009875d816da1642ee00";
const FLOATS_2: &str = "00050080a0abfef96240240000000000009875cc0bad0b62ee00";

#[test]
fn floats() {
    for (encoding, data) in [(1, FLOATS), (4, FLOATS_2)] {
        let buffer = decoded(encoding, data);
        let start = 1_700_000_000_000;
        assert_eq!(
            buffer.timestamps,
            [0, 15_000, 30_000, 45_000, 61_500].map(|offset| start + offset)
        );
        assert_eq!(buffer.values, [10.0, 12.0, 15.0, 15.0, 15.0]);
        assert!(buffer.start_timestamps.is_empty());
    }
}

#[test]
fn every_shorter_chunk_ends_too_early() {
    for (encoding, data) in [(1, FLOATS), (4, FLOATS_2), (2, INTEGERS), (3, FLOAT_HISTOGRAMS)] {
        let data = bytes(data);
        for length in 0..data.len() {
            let mut buffer = SampleBuffer::default();
            let decoded =
                decode(Encoding::of(encoding).unwrap(), data[..length].into(), &mut buffer);
            // The last byte may hold nothing but padding.
            assert!(decoded.is_err() || length + 1 == data.len(), "{encoding} {length}");
        }
    }
}

/// Times and values that no regular target has, written by hand.
#[test]
fn wide_changes() {
    // One sample at 0 with value 1; then after 1 ms the same value; then a change of the distance
    // by 8192 in 14 bits, and a value with a window of all 64 bits.
    let bits = format!(
        "{}{:064b}{:08b}{}{}{}{:064b}",
        "00000000",
        1.0_f64.to_bits(),
        1,
        "0",
        "10 10000000000000",
        "11 00000 000000",
        1.0_f64.to_bits() ^ (-1.5_f64).to_bits()
    );
    let digits: Vec<u8> = bits.bytes().filter(|b| *b != b' ').collect();
    let mut data = vec![0, 3];
    data.extend(digits.chunks(8).map(|byte| {
        byte.iter().enumerate().map(|(at, digit)| (digit - b'0') << (7 - at)).sum::<u8>()
    }));
    let mut buffer = SampleBuffer::default();
    decode(Encoding::Xor, data[..].into(), &mut buffer).unwrap();
    assert_eq!(buffer.timestamps, [0, 1, 8194]);
    assert_eq!(buffer.values, [1.0, 1.0, -1.5]);
}

const INTEGERS: &str = "000500ff3f50624dd2f1a9fc4a48ca318ff0000d10365d0686222804a00000000000118a5f0\
                        753136e07103607c044062f7fdb000000000002";

#[test]
fn integer_histograms() {
    let buffer = decoded(2, INTEGERS);
    let start = 1_795_410_338_000;
    assert_eq!(
        buffer.histogram_timestamps,
        [0, 15_000, 30_000, 45_000, 60_000].map(|offset| start + offset)
    );
    for (index, histogram) in buffer.histograms[..4].iter().enumerate() {
        let step = index as f64;
        assert_eq!(histogram.schema(), 0);
        assert_eq!(histogram.zero_threshold, 0.001);
        assert_eq!(histogram.count, 8.0 + 3.0 * step);
        assert_eq!(histogram.zero_count, 1.0);
        assert_eq!(histogram.sum, 10.5 + step);
        let positive: Vec<_> = histogram.positive().iter().collect();
        assert_eq!(positive, [(0, 1.0 + step), (1, 2.0 + step), (4, 2.0 + step)]);
        assert_eq!(histogram.negative().iter().collect::<Vec<_>>(), [(1, 2.0)]);
        let hint = if index == 0 { CounterResetHint::Unknown } else { CounterResetHint::NotReset };
        assert_eq!(histogram.hint, hint);
    }
    assert_eq!(buffer.histograms[4].sum.to_bits(), STALE_NAN_BITS);
}

#[test]
fn gauge_histograms() {
    let buffer =
        decoded(2, "0003c0ff3f50624dd2f1a9fc4647f0000d10365d0685480100000000000013bfc1d4c58b80");
    let buckets = buffer.histograms.iter().map(|h| h.positive().iter().collect::<Vec<_>>());
    assert_eq!(
        buckets.collect::<Vec<_>>(),
        [[(0, 3.0), (1, 2.0)], [(0, 2.0), (1, 1.0)], [(0, 1.0), (1, 0.0)]]
    );
    let totals = buffer.histograms.iter().map(|h| (h.count, h.sum, h.hint));
    let gauge = CounterResetHint::Gauge;
    assert_eq!(
        totals.collect::<Vec<_>>(),
        [(5.0, 3.0, gauge), (3.0, 3.0, gauge), (1.0, 3.0, gauge)]
    );
}

const FLOAT_HISTOGRAMS: &str = "000300ff3f50624dd2f1a9fc46517f0000d10365d06820090000000000001ff00000000000000000000000000000\
     1ffc00000000000020020000000000007c1d4c6d06c467fee137ffe6c0b612fffc0020";

#[test]
fn float_histograms() {
    let buffer = decoded(3, FLOAT_HISTOGRAMS);
    let rows = buffer.histograms.iter().map(|h| {
        let buckets: Vec<_> = h.positive().iter().collect();
        (h.count, h.zero_count, h.sum, buckets)
    });
    assert_eq!(
        rows.collect::<Vec<_>>(),
        [
            (4.5, 0.5, 0.0, vec![(1, 1.5), (2, 2.5)]),
            (5.5, 0.5, 1.25, vec![(1, 2.5), (2, 2.5)]),
            (6.5, 0.5, 2.5, vec![(1, 3.5), (2, 2.5)]),
        ]
    );
}

#[test]
fn histograms_with_custom_buckets() {
    let buffer = decoded(
        3,
        "00030000ee5c664f8cbe9c520974240000000007f0000d10365d068200c0000000000000000000000000000000\
         00000000000001ff8000000000000200000000000000020040000000000007c1d4c6d06c26400e12fff8d427a0\
         02d80c",
    );
    for (step, histogram) in buffer.histograms.iter().enumerate() {
        let step = step as f64;
        assert_eq!(histogram.schema(), CUSTOM_BUCKETS_SCHEMA);
        assert_eq!(histogram.custom_values(), [0.1, 2.5, 1e6]);
        assert_eq!((histogram.count, histogram.sum), (6.0 + step, 3.0 * step));
        let buckets: Vec<_> = histogram.positive().iter().collect();
        assert_eq!(buckets, [(0, 1.0 + step), (1, 2.0), (2, 3.0)]);
    }
}

/// Every flipped bit gives an error or samples, never a panic.
#[test]
fn flipped_bits() {
    for (encoding, data) in [(1, FLOATS), (4, FLOATS_2), (2, INTEGERS), (3, FLOAT_HISTOGRAMS)] {
        let data = bytes(data);
        for bit in 0..data.len() * 8 {
            let mut data = data.clone();
            data[bit / 8] ^= 0x80 >> (bit % 8);
            let mut buffer = SampleBuffer::default();
            let _ = decode(Encoding::of(encoding).unwrap(), data[..].into(), &mut buffer);
            assert!(buffer.timestamps.is_sorted());
            assert!(buffer.timestamps.len() < 1 << 16);
        }
    }
}
