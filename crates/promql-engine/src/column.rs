//! The values of one series over the steps of a grid.
//!
//! A column is dense: it has a slot for each step, and a bitmap that says which slots hold a value.
//! Kernels compute all the slots and combine bitmaps, so that their loops have no branch for an
//! absent value. What an absent slot holds is unspecified. Native histograms lie in a column of their
//! own beside the floats, with a bitmap of their own: a step has one or the other. A column that never
//! had histograms has none of that, so that kernels for floats pay nothing for them.

use promql_model::{FloatHistogram, SampleValue};

/// A set of steps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bitmap {
    /// Bits beyond the length are clear.
    words: Vec<u64>,
    len: usize,
}

impl Bitmap {
    /// No step of `len`.
    pub(crate) fn empty(len: usize) -> Bitmap {
        Bitmap { words: vec![0; len.div_ceil(64)], len }
    }

    /// Becomes the empty set of `len` steps, in the same memory.
    pub(crate) fn reset(&mut self, len: usize) {
        self.words.clear();
        self.words.resize(len.div_ceil(64), 0);
        self.len = len;
    }

    /// Adds all steps.
    pub(crate) fn fill(&mut self) {
        self.words.fill(!0);
        if !self.len.is_multiple_of(64)
            && let Some(last) = self.words.last_mut()
        {
            *last = (1 << (self.len % 64)) - 1;
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn get(&self, step: usize) -> bool {
        self.words[step / 64] >> (step % 64) & 1 != 0
    }

    pub(crate) fn insert(&mut self, step: usize) {
        self.words[step / 64] |= 1 << (step % 64);
    }

    pub(crate) fn remove(&mut self, step: usize) {
        self.words[step / 64] &= !(1 << (step % 64));
    }

    /// Adds the steps from `from` to below `to`.
    pub(crate) fn insert_range(&mut self, from: usize, to: usize) {
        for word in from / 64..to.div_ceil(64) {
            let low = from.saturating_sub(word * 64).min(64);
            let high = (to - word * 64).min(64);
            if low < high {
                self.words[word] |= (!0 << low) & (!0 >> (64 - high));
            }
        }
    }

    /// How many steps are in the set.
    pub(crate) fn count(&self) -> usize {
        self.words.iter().map(|w| w.count_ones() as usize).sum()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words.iter().all(|&w| w == 0)
    }

    /// The last step in the set.
    pub(crate) fn last(&self) -> Option<usize> {
        let word = self.words.iter().rposition(|&w| w != 0)?;
        Some(word * 64 + 63 - self.words[word].leading_zeros() as usize)
    }

    /// The steps in the set, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(at, &word)| {
            std::iter::successors(Some(word), |&w| Some(w & w.wrapping_sub(1)))
                .take_while(|&w| w != 0)
                .map(move |w| at * 64 + w.trailing_zeros() as usize)
        })
    }

    pub(crate) fn words(&self) -> &[u64] {
        &self.words
    }

    /// Whether the sets have a step in common.
    pub(crate) fn intersects(&self, other: &Bitmap) -> bool {
        self.words.iter().zip(&other.words).any(|(a, b)| a & b != 0)
    }

    /// The first step that both sets have.
    pub(crate) fn first_common(&self, other: &Bitmap) -> Option<usize> {
        let at = self.words.iter().zip(&other.words).position(|(a, b)| a & b != 0)?;
        Some(at * 64 + (self.words[at] & other.words[at]).trailing_zeros() as usize)
    }

    /// Keeps the steps that are also in `other`.
    pub(crate) fn intersect(&mut self, other: &Bitmap) {
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a &= b);
    }

    /// Removes the steps of `other`.
    pub(crate) fn subtract(&mut self, other: &Bitmap) {
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a &= !b);
    }

    /// Adds the steps of `other`.
    pub(crate) fn union(&mut self, other: &Bitmap) {
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a |= b);
    }

    /// Becomes the complement.
    pub(crate) fn complement(&mut self) {
        let len = self.len;
        self.words.iter_mut().for_each(|w| *w = !*w);
        if !len.is_multiple_of(64)
            && let Some(last) = self.words.last_mut()
        {
            *last &= (1 << (len % 64)) - 1;
        }
    }

    /// Keeps the steps for which `keep` holds. All the steps are asked about, absent ones too, so
    /// that the loop has no branches.
    pub(crate) fn retain(&mut self, keep: impl Fn(usize) -> bool) {
        let len = self.len;
        for (at, word) in self.words.iter_mut().enumerate() {
            if *word != 0 {
                let mut kept = [false; 64];
                let steps = at * 64..(at * 64 + 64).min(len);
                steps.zip(&mut kept).for_each(|(step, kept)| *kept = keep(step));
                *word &= bits(&kept);
            }
        }
    }

    /// The same for what holds of the items at each step, of which there is one for each.
    pub(crate) fn retain_where<T: Copy, U: Copy>(
        &mut self,
        items: &[T],
        others: &[U],
        holds: impl Fn(T, U) -> bool,
    ) {
        let items = items.chunks(64).zip(others.chunks(64));
        for (word, (items, others)) in self.words.iter_mut().zip(items) {
            if *word != 0 {
                let mut kept = [false; 64];
                let pairs = items.iter().zip(others);
                kept.iter_mut().zip(pairs).for_each(|(kept, (a, b))| *kept = holds(*a, *b));
                *word &= bits(&kept);
            }
        }
    }
}

/// A word of a bitmap. Filling an array first lets the compiler make vector code of what decides.
pub(crate) fn bits(set: &[bool; 64]) -> u64 {
    let (bytes, _) = set.as_chunks::<8>();
    bytes.iter().rev().fold(0, |word, bytes| {
        // Each byte is 0 or 1, and the product has them side by side in its highest byte.
        let bytes = u64::from_le_bytes(bytes.map(u8::from));
        word << 8 | bytes.wrapping_mul(0x0102_0408_1020_4080) >> 56
    })
}

/// The values of one series over the steps of a grid.
#[derive(Clone, Debug, Default)]
pub(crate) struct Column {
    /// One for each step.
    pub(crate) values: Vec<f64>,
    /// The steps that have a float.
    pub(crate) valid: Bitmap,
    /// Never there unless the column had histograms at some time.
    histograms: Option<Box<Histograms>>,
}

/// The native histograms of a column.
#[derive(Clone, Debug, Default)]
struct Histograms {
    /// One for each step, or fewer. Those of absent steps are kept for their memory.
    values: Vec<FloatHistogram>,
    /// The steps that have a histogram.
    valid: Bitmap,
}

impl Column {
    /// A column of floats.
    pub(crate) fn new(values: Vec<f64>, valid: Bitmap) -> Column {
        Column { values, valid, histograms: None }
    }

    /// Becomes a column without values, in the same memory.
    pub(crate) fn reset(&mut self, len: usize) {
        self.values.resize(len, 0.0);
        self.valid.reset(len);
        self.drop_histograms();
    }

    /// Becomes a column with the same value at each step.
    pub(crate) fn fill(&mut self, len: usize, value: f64) {
        self.values.clear();
        self.values.resize(len, value);
        self.valid.reset(len);
        self.valid.fill();
        self.drop_histograms();
    }

    pub(crate) fn len(&self) -> usize {
        self.valid.len()
    }

    pub(crate) fn set(&mut self, step: usize, value: f64) {
        self.values[step] = value;
        self.valid.insert(step);
    }

    /// The float at a step.
    pub(crate) fn get(&self, step: usize) -> Option<f64> {
        self.valid.get(step).then(|| self.values[step])
    }

    /// The steps that have a float, with their floats.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        self.valid.iter().map(|step| (step, self.values[step]))
    }

    /// How much memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        (self.values.capacity() + self.valid.words.capacity()) * 8 + self.histogram_bytes()
    }

    /// How much memory its histograms take, those of absent steps too.
    pub(crate) fn histogram_bytes(&self) -> usize {
        let histograms = self.histograms.iter().flat_map(|histograms| &histograms.values);
        // A histogram weighs a sample for every 16 bytes.
        histograms.map(|histogram| histogram.samples() * 16).sum()
    }

    /// Becomes a copy of another column, in the same memory.
    pub(crate) fn copy_from(&mut self, other: &Column) {
        self.values.clone_from(&other.values);
        self.valid.clone_from(&other.valid);
        self.drop_histograms();
        for (step, histogram) in other.histograms() {
            self.histogram_slot(step).clone_from(histogram);
        }
    }

    /// Replaces each float.
    pub(crate) fn map(&mut self, f: impl Fn(f64) -> f64) {
        self.values.iter_mut().for_each(|v| *v = f(*v));
    }

    /// Whether there is any histogram.
    pub(crate) fn has_histograms(&self) -> bool {
        self.histograms.as_ref().is_some_and(|histograms| !histograms.valid.is_empty())
    }

    /// The steps that have a histogram, with their histograms.
    pub(crate) fn histograms(&self) -> impl Iterator<Item = (usize, &FloatHistogram)> + '_ {
        self.histograms.iter().flat_map(|histograms| {
            histograms.valid.iter().map(|step| (step, &histograms.values[step]))
        })
    }

    /// The same, to change them.
    pub(crate) fn histograms_mut(
        &mut self,
    ) -> impl Iterator<Item = (usize, &mut FloatHistogram)> + '_ {
        self.histograms.iter_mut().flat_map(|histograms| {
            let Histograms { values, valid } = &mut **histograms;
            values.iter_mut().enumerate().filter(|(step, _)| valid.get(*step))
        })
    }

    /// The histogram at a step.
    pub(crate) fn histogram(&self, step: usize) -> Option<&FloatHistogram> {
        let histograms = self.histograms.as_ref()?;
        histograms.valid.get(step).then(|| &histograms.values[step])
    }

    /// The place for the histogram of a step, which has no float. What lies there now is any
    /// histogram, whose memory can be used.
    pub(crate) fn histogram_slot(&mut self, step: usize) -> &mut FloatHistogram {
        let len = self.valid.len();
        let histograms = self.histograms.get_or_insert_default();
        if histograms.valid.len() != len {
            histograms.valid.reset(len);
        }
        if histograms.values.len() <= step {
            histograms.values.resize_with(step + 1, FloatHistogram::default);
        }
        histograms.valid.insert(step);
        &mut histograms.values[step]
    }

    /// Puts a histogram at a step that has no float.
    pub(crate) fn set_histogram(&mut self, step: usize, histogram: FloatHistogram) {
        *self.histogram_slot(step) = histogram;
    }

    /// Removes the float of a step, if it has one.
    pub(crate) fn remove(&mut self, step: usize) {
        self.valid.remove(step);
    }

    /// Removes the histogram of a step, if it has one.
    pub(crate) fn remove_histogram(&mut self, step: usize) {
        if let Some(histograms) = self.histogram_steps_mut() {
            histograms.remove(step);
        }
    }

    /// Removes all histograms.
    pub(crate) fn drop_histograms(&mut self) {
        if let Some(histograms) = &mut self.histograms {
            histograms.valid.reset(self.valid.len());
        }
    }

    /// The steps that have a histogram, if any has.
    pub(crate) fn histogram_steps(&self) -> Option<&Bitmap> {
        let histograms = self.histograms.as_ref()?;
        (!histograms.valid.is_empty()).then_some(&histograms.valid)
    }

    /// The same, to remove some of them.
    pub(crate) fn histogram_steps_mut(&mut self) -> Option<&mut Bitmap> {
        let histograms = self.histograms.as_mut()?;
        (!histograms.valid.is_empty()).then_some(&mut histograms.valid)
    }

    /// Whether there is no value of any kind.
    pub(crate) fn is_empty(&self) -> bool {
        self.valid.is_empty() && !self.has_histograms()
    }

    /// The steps that have a value of any kind.
    pub(crate) fn present(&self) -> std::borrow::Cow<'_, Bitmap> {
        let mut present = std::borrow::Cow::Borrowed(&self.valid);
        if let Some(histograms) = self.histogram_steps() {
            present.to_mut().union(histograms);
        }
        present
    }

    /// The last step that has a value of any kind.
    pub(crate) fn last(&self) -> Option<usize> {
        self.valid.last().max(self.histogram_steps().and_then(Bitmap::last))
    }

    /// Keeps the values, of any kind, at the steps of a set.
    pub(crate) fn intersect(&mut self, steps: &Bitmap) {
        self.valid.intersect(steps);
        if let Some(histograms) = self.histogram_steps_mut() {
            histograms.intersect(steps);
        }
    }

    /// Removes the values, of any kind, at the steps of a set.
    pub(crate) fn subtract(&mut self, steps: &Bitmap) {
        self.valid.subtract(steps);
        if let Some(histograms) = self.histogram_steps_mut() {
            histograms.subtract(steps);
        }
    }

    /// Keeps the values, of any kind, at the steps for which `keep` holds.
    pub(crate) fn retain(&mut self, keep: impl Fn(usize) -> bool) {
        self.valid.retain(&keep);
        if let Some(histograms) = self.histogram_steps_mut() {
            histograms.retain(keep);
        }
    }

    /// The value at a step.
    pub(crate) fn value(&self, step: usize) -> Option<SampleValue> {
        match self.get(step) {
            Some(value) => Some(SampleValue::Float(value)),
            None => self.histogram(step).map(|h| SampleValue::Histogram(Box::new(h.clone()))),
        }
    }

    /// Takes over the value of another column at a step.
    pub(crate) fn take(&mut self, step: usize, other: &Column) {
        if let Some(value) = other.get(step) {
            self.set(step, value);
        } else if let Some(histogram) = other.histogram(step) {
            self.histogram_slot(step).clone_from(histogram);
        }
    }

    /// How many samples are held, where a histogram counts as several.
    pub(crate) fn samples(&self) -> usize {
        let histograms = self.histograms().map(|(_, histogram)| histogram.samples());
        self.valid.count() + histograms.sum::<usize>()
    }
}

/// The values of a scalar expression: one at each step.
#[derive(Clone, Debug)]
pub(crate) enum ScalarColumn {
    /// The same at each step.
    Constant(f64),
    /// One for each step.
    Steps(std::sync::Arc<[f64]>),
}

impl ScalarColumn {
    /// The value at a step.
    pub(crate) fn at(&self, step: usize) -> f64 {
        match self {
            ScalarColumn::Constant(value) => *value,
            ScalarColumn::Steps(values) => values[step],
        }
    }

    /// The values at the first `len` steps.
    pub(crate) fn iter(&self, len: usize) -> impl Iterator<Item = f64> + '_ {
        (0..len).map(|step| self.at(step))
    }

    /// Applies a function to each value.
    pub(crate) fn map(&self, f: impl Fn(f64) -> f64) -> ScalarColumn {
        match self {
            ScalarColumn::Constant(value) => ScalarColumn::Constant(f(*value)),
            ScalarColumn::Steps(values) => {
                ScalarColumn::Steps(values.iter().map(|&v| f(v)).collect())
            }
        }
    }

    /// Applies a function to the values of two scalars at each of `len` steps.
    pub(crate) fn zip(
        &self,
        other: &ScalarColumn,
        len: usize,
        f: impl Fn(f64, f64) -> f64,
    ) -> ScalarColumn {
        match (self, other) {
            (ScalarColumn::Constant(a), ScalarColumn::Constant(b)) => {
                ScalarColumn::Constant(f(*a, *b))
            }
            _ => ScalarColumn::Steps((0..len).map(|k| f(self.at(k), other.at(k))).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bitmaps_agree_with_lists_of_steps() {
        for len in [1, 63, 64, 65, 130] {
            let mut map = Bitmap::empty(len);
            map.fill();
            assert_eq!(map.count(), len);
            map.retain(|step| step % 3 == 0);
            assert_eq!(map.iter().collect::<Vec<_>>(), (0..len).step_by(3).collect::<Vec<_>>());
            assert_eq!(map.last(), Some((len - 1) / 3 * 3));
            map.complement();
            assert_eq!(map.count(), len - len.div_ceil(3));
            for (from, to) in [(0, len), (len / 2, len), (1, 1), (len / 3, len / 2)] {
                map.reset(len);
                map.insert_range(from, to);
                assert_eq!(map.iter().collect::<Vec<_>>(), (from..to).collect::<Vec<_>>());
            }
        }
    }
}
