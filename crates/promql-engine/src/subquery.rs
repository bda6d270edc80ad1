//! Subqueries: the values of an expression on a grid of its own, as the samples of windows.

use promql_model::CounterResetHint;

use crate::EngineError;
use crate::column::Column;
use crate::grid::Grid;
use crate::operator::{RangeSource, Series, VectorOperator};
use crate::storage::Samples;
use crate::workers::{RangeBuffer, Scratch};

/// See the module.
pub(crate) struct Subquery<'a> {
    pub(crate) inner: VectorOperator<'a>,
    /// The grid of the inner expression.
    pub(crate) grid: Grid,
}

impl RangeSource for Subquery<'_> {
    fn series(&self) -> &[Series] {
        self.inner.series()
    }

    fn read<'b>(
        &'b self,
        index: usize,
        scratch: &mut Scratch,
        buffer: &'b mut RangeBuffer,
    ) -> Result<Samples<'b>, EngineError> {
        let mut column: Column = scratch.take_column();
        self.inner.column(index, scratch, &mut column)?;
        let samples = &mut buffer.clean;
        samples.clear();
        for (step, value) in column.iter() {
            samples.timestamps.push(self.grid.at(step));
            samples.values.push(value);
        }
        // Only comparing histograms can tell about resets between them: what they were compared
        // with before is not what precedes them here.
        for (step, histogram) in column.histograms() {
            samples.histogram_timestamps.push(self.grid.at(step));
            let mut histogram = histogram.clone();
            if histogram.hint != CounterResetHint::Gauge {
                histogram.hint = CounterResetHint::Unknown;
            }
            samples.histograms.push(histogram);
        }
        scratch.give_column(column);
        Ok(samples.samples())
    }

    fn depth(&self) -> usize {
        self.inner.depth() + 1
    }

    fn has_effects(&self) -> bool {
        self.inner.has_effects()
    }
}
