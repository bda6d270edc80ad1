//! Series that were fetched and are in memory.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use promql_engine::{SampleBuffer, Samples, SelectedSeries, StorageError};
use promql_model::{Annotation, Labels};

/// Series that came from a server or an exporter. `C` holds the samples of one.
#[derive(Debug)]
pub(crate) struct Fetched<C = SampleBuffer> {
    labels: Vec<Labels>,
    columns: Vec<C>,
    /// What there is to say about the way they came.
    pub(crate) annotations: Vec<Annotation>,
}

impl<C> FromIterator<(Labels, C)> for Fetched<C> {
    fn from_iter<I: IntoIterator<Item = (Labels, C)>>(series: I) -> Self {
        let (labels, columns) = series.into_iter().unzip();
        Fetched { labels, columns, annotations: Vec::new() }
    }
}

impl From<BTreeMap<Labels, SampleBuffer>> for Fetched {
    fn from(series: BTreeMap<Labels, SampleBuffer>) -> Self {
        series.into_iter().collect()
    }
}

impl<C: Borrow<SampleBuffer> + Send + Sync> SelectedSeries for Fetched<C> {
    fn labels(&self) -> &[Labels] {
        &self.labels
    }

    fn read<'b>(
        &'b self,
        index: usize,
        _: &'b mut SampleBuffer,
    ) -> Result<Samples<'b>, StorageError> {
        match self.columns.get(index) {
            Some(columns) => Ok(columns.borrow().samples()),
            None => Err(StorageError::new(format!("there is no selected series {index}"))),
        }
    }

    fn annotations(&self) -> &[Annotation] {
        &self.annotations
    }
}
