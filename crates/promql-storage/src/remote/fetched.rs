//! Samples that came from a server and are in memory.

use std::collections::BTreeMap;

use promql_engine::{SampleBuffer, Samples, SelectedSeries, StorageError};
use promql_model::{Annotation, Labels};

/// Samples that came from a server.
#[derive(Debug, Default)]
pub(super) struct Fetched {
    labels: Vec<Labels>,
    columns: Vec<SampleBuffer>,
    /// What there is to say about the way they came.
    pub(super) annotations: Vec<Annotation>,
}

impl From<BTreeMap<Labels, SampleBuffer>> for Fetched {
    fn from(series: BTreeMap<Labels, SampleBuffer>) -> Self {
        let (labels, columns) = series.into_iter().unzip();
        Fetched { labels, columns, annotations: Vec::new() }
    }
}

impl SelectedSeries for Fetched {
    fn labels(&self) -> &[Labels] {
        &self.labels
    }

    fn read<'b>(
        &'b self,
        index: usize,
        _: &'b mut SampleBuffer,
    ) -> Result<Samples<'b>, StorageError> {
        match self.columns.get(index) {
            Some(columns) => Ok(columns.samples()),
            None => Err(StorageError::new(format!("there is no selected series {index}"))),
        }
    }

    fn annotations(&self) -> &[Annotation] {
        &self.annotations
    }
}
