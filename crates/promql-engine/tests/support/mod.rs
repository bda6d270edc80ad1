//! A storage for tests and benchmarks: series whose samples come from wherever a [`Source`] has them.

use promql_engine::{
    LabelQuery, SampleBuffer, Samples, SelectRequest, SelectedSeries, Storage, StorageError,
};
use promql_model::Labels;

/// Where the samples of numbered series come from.
pub(crate) trait Source: Send + Sync {
    /// The samples of a series: lent, or decoded into the buffer.
    fn read<'b>(&'b self, series: usize, buffer: &'b mut SampleBuffer) -> Samples<'b>;
}

/// Series in the order of their labels, selected by matchers.
pub(crate) struct SeriesOf<S> {
    pub(crate) labels: Vec<Labels>,
    pub(crate) source: S,
}

impl<S: Source> Storage for SeriesOf<S> {
    fn select<'a>(
        &'a self,
        request: &SelectRequest<'_>,
    ) -> Result<Box<dyn SelectedSeries + 'a>, StorageError> {
        let matching = self.labels.iter().enumerate().filter(|(_, l)| request.matches(l));
        let (numbers, labels) = matching.map(|(number, labels)| (number, labels.clone())).unzip();
        Ok(Box::new(Selected { source: &self.source, numbers, labels }))
    }

    fn label_names(&self, _: &LabelQuery<'_>) -> Result<Vec<String>, StorageError> {
        Ok(Vec::new())
    }

    fn label_values(&self, _: &str, _: &LabelQuery<'_>) -> Result<Vec<String>, StorageError> {
        Ok(Vec::new())
    }
}

struct Selected<'a, S> {
    source: &'a S,
    numbers: Vec<usize>,
    labels: Vec<Labels>,
}

impl<S: Source> SelectedSeries for Selected<'_, S> {
    fn labels(&self) -> &[Labels] {
        &self.labels
    }

    fn read<'b>(
        &'b self,
        index: usize,
        buffer: &'b mut SampleBuffer,
    ) -> Result<Samples<'b>, StorageError> {
        Ok(self.source.read(self.numbers[index], buffer))
    }
}
