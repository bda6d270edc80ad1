//! Histograms as text.

use std::fmt;

use super::{Bucket, CounterResetHint, FloatHistogram, SideBuckets};
use crate::number::General;

/// Gaps between buckets up to this long are written out in series notation.
const LONGEST_GAP: i64 = 1 << 16;

/// As `count_values` and printed results show histograms: count, sum, and the populated buckets by
/// ascending value.
///
/// ```
/// use promql_model::{DenseHistogram, FloatHistogram};
/// let histogram = FloatHistogram::from(DenseHistogram {
///     count: 20.0,
///     sum: 1e6,
///     zero_count: 2.0,
///     zero_threshold: 0.001,
///     buckets: vec![1.0, 0.0, 2.0],
///     n_buckets: vec![1.0],
///     ..DenseHistogram::default()
/// });
/// assert_eq!(
///     histogram.to_string(),
///     "{count:20, sum:1e+06, [-1,-0.5):1, [-0.001,0.001]:2, (0.5,1]:1, (2,4]:2}"
/// );
/// ```
impl fmt::Display for FloatHistogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{count:{}, sum:{}", General(self.count), General(self.sum))?;
        let all = self.negative_buckets().rev();
        let all = all.chain(Some(self.zero_bucket())).chain(self.positive_buckets());
        for bucket in all.filter(|bucket| bucket.count != 0.0) {
            write!(f, ", {bucket}")?;
        }
        f.write_str("}")
    }
}

/// Interval and population: `(0.5,1]:2`.
impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = if self.lower_inclusive { '[' } else { '(' };
        let close = if self.upper_inclusive { ']' } else { ')' };
        let (lower, upper) = (General(self.lower), General(self.upper));
        write!(f, "{open}{lower},{upper}{close}:{}", General(self.count))
    }
}

impl FloatHistogram {
    /// Displays the histogram in series notation, with one row of buckets on each side. Empty
    /// buckets at their ends, and whatever is zero or unknown, are left out.
    ///
    /// ```
    /// use promql_model::{DenseHistogram, FloatHistogram};
    /// let histogram = FloatHistogram::from(DenseHistogram {
    ///     schema: 1,
    ///     count: 3.1,
    ///     offset: -3,
    ///     buckets: vec![5.1, 0.0, 7.0],
    ///     ..DenseHistogram::default()
    /// });
    /// let notation = histogram.notation().to_string();
    /// assert_eq!(notation, "{{schema:1 count:3.1 offset:-3 buckets:[5.1 0 7]}}");
    /// ```
    pub fn notation(&self) -> HistogramNotation<'_> {
        HistogramNotation(self)
    }
}

/// Displays a histogram in series notation: [`FloatHistogram::notation`].
///
/// A gap of more than 65536 buckets is written as `…`, which cannot be read back: a row with all the
/// empty buckets in it would be of any length.
#[derive(Clone, Copy, Debug)]
pub struct HistogramNotation<'a>(&'a FloatHistogram);

impl fmt::Display for HistogramNotation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let histogram = self.0;
        let mut entries = Entries { f, separator: "{{" };
        if histogram.schema() != 0 {
            entries.write("schema", format_args!("{}", histogram.schema()))?;
        }
        entries.number("count", histogram.count)?;
        entries.number("sum", histogram.sum)?;
        entries.number("z_bucket", histogram.zero_count)?;
        entries.number("z_bucket_w", histogram.zero_threshold)?;
        if histogram.has_custom_buckets() {
            entries.key("custom_values")?;
            let bounds = histogram.custom_values().iter();
            write_list(entries.f, bounds.map(|&bound| Item::Number(bound)))?;
        }
        let hint = match histogram.hint {
            CounterResetHint::Unknown => None,
            CounterResetHint::Reset => Some("reset"),
            CounterResetHint::NotReset => Some("not_reset"),
            CounterResetHint::Gauge => Some("gauge"),
        };
        if let Some(hint) = hint {
            entries.write("counter_reset_hint", format_args!("{hint}"))?;
        }
        entries.side("offset", "buckets", histogram.positive())?;
        entries.side("n_offset", "n_buckets", histogram.negative())?;
        let empty = entries.separator == "{{";
        f.write_str(if empty { "{{}}" } else { "}}" })
    }
}

/// Writes `key:value` pairs with what must stand between them.
struct Entries<'a, 'b> {
    f: &'a mut fmt::Formatter<'b>,
    separator: &'static str,
}

impl Entries<'_, '_> {
    fn key(&mut self, key: &str) -> fmt::Result {
        write!(self.f, "{}{key}:", self.separator)?;
        self.separator = " ";
        Ok(())
    }

    fn write(&mut self, key: &str, value: fmt::Arguments<'_>) -> fmt::Result {
        self.key(key)?;
        self.f.write_fmt(value)
    }

    fn number(&mut self, key: &str, value: f64) -> fmt::Result {
        if value == 0.0 { Ok(()) } else { self.write(key, format_args!("{}", General(value))) }
    }

    fn side(&mut self, offset: &str, buckets: &str, side: SideBuckets<'_, f64>) -> fmt::Result {
        let populated = || side.iter().filter(|(_, count)| *count != 0.0);
        let Some((first, _)) = populated().next() else { return Ok(()) };
        if first != 0 {
            self.write(offset, format_args!("{first}"))?;
        }
        self.key(buckets)?;
        let mut end = first;
        let items = populated().flat_map(|(index, count)| {
            let gap = index - end;
            end = index + 1;
            let zeros = if gap > LONGEST_GAP { 0 } else { gap };
            let ellipsis = (gap > LONGEST_GAP).then_some(Item::Ellipsis);
            (0..zeros).map(|_| Item::Number(0.0)).chain(ellipsis).chain([Item::Number(count)])
        });
        write_list(self.f, items)
    }
}

enum Item {
    Number(f64),
    Ellipsis,
}

fn write_list(f: &mut fmt::Formatter<'_>, items: impl Iterator<Item = Item>) -> fmt::Result {
    f.write_str("[")?;
    for (at, item) in items.enumerate() {
        if at > 0 {
            f.write_str(" ")?;
        }
        match item {
            Item::Number(number) => write!(f, "{}", General(number))?,
            Item::Ellipsis => f.write_str("…")?,
        }
    }
    f.write_str("]")
}
