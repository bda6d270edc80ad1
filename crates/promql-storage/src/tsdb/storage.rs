//! Blocks and the head as one storage.

use std::cmp;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use promql_engine::{
    Cancellation, KeptColumns, LabelQuery, MetricMetadata, SelectHints, SelectRequest,
    SelectedSeries, Storage, StorageError, TimeRange,
};
use promql_model::{Labels, LabelsBuilder};

use super::block::{Block, SeriesCursor, SeriesTable};
use super::hot::HotColumns;
use super::selection::Selection;
use super::{TsdbError, TsdbWarning, folder, wal};
use crate::MemoryStorage;

/// The data of a server, read where it lies. Nothing is written, and no lock is taken.
///
/// A series may be in several blocks and in the head. It is one series with the samples of all;
/// where two blocks have a sample at one time, that of the newer block counts.
///
/// ```no_run
/// use promql_engine::{LabelQuery, Storage, TimeRange};
/// use promql_storage::tsdb::TsdbStorage;
///
/// let (storage, warnings) = TsdbStorage::open("/var/lib/prometheus".as_ref())?;
/// for warning in warnings {
///     eprintln!("{warning}");
/// }
/// let everything = LabelQuery { selectors: &[], range: TimeRange::ALL };
/// println!("{:?}", storage.label_values("job", &everything)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TsdbStorage {
    path: PathBuf,
    /// The folder as it was found when a block had vanished, or nothing if that didn't help. What is
    /// found then is not looked for once more.
    renewed: OnceLock<Option<Box<TsdbStorage>>>,
    /// By time.
    blocks: Vec<Block>,
    /// For each block how many are newer: of two samples at one time the one with less counts.
    ages: Vec<usize>,
    /// What is not in blocks yet.
    head: Option<MemoryStorage>,
    /// What was decoded, if that is kept.
    hot: Option<HotColumns>,
    /// How many bytes of chunks were looked at since they were let go of.
    looked_at: AtomicUsize,
    /// The labels in the tables of blocks, each once.
    labels: Mutex<HashSet<Labels>>,
    /// About how many bytes the tables take.
    tables: AtomicUsize,
    /// Whether no block overlaps another.
    disjoint: bool,
}

/// How many bytes the indexes may have that are also kept as tables in memory, which takes about twice
/// as much: some hundred thousand series.
const MOST_OF_TABLES: usize = 24 << 20;

/// When so many bytes of chunks were looked at, their memory is let go of: pages of mapped files count
/// as memory of the process, and a query over everything would look as large as the data.
const MOST_LOOKED_AT: usize = 4 << 20;

impl fmt::Debug for TsdbStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TsdbStorage").field("blocks", &self.blocks.len()).finish_non_exhaustive()
    }
}

impl From<TsdbError> for StorageError {
    fn from(error: TsdbError) -> Self {
        StorageError::caused_by("cannot read the data of a server", error)
    }
}

impl TsdbStorage {
    /// Looks what there is in a folder: a data folder of a server, a snapshot, or one block.
    /// Blocks that do not describe themselves are left out; what is wrong with the files of the
    /// others is said when they are read.
    ///
    /// # Errors
    /// When there is nothing in the folder.
    pub fn open(path: &Path) -> Result<(TsdbStorage, Vec<TsdbWarning>), TsdbError> {
        let (blocks, mut warnings) = folder::blocks(path)?;
        // What came late is in blocks of its own, which may be newer than what is still in the log.
        let in_order = blocks.iter().filter(|block| !block.meta().is_out_of_order());
        let end = in_order.map(|block| block.meta().range().end).max();
        let from = end.map_or(i64::MIN, |end| end.saturating_add(1));
        let head = wal::replay(path, from)?.map(|replayed| {
            warnings.extend(replayed.warnings.into_iter().map(TsdbWarning::Log));
            replayed.head
        });
        if blocks.is_empty() && head.is_none() {
            return Err(match warnings.into_iter().next() {
                Some(TsdbWarning::SkippedBlock { error, .. }) => error,
                _ => TsdbError::Empty { path: path.to_owned() },
            });
        }
        let mut newest: Vec<usize> = (0..blocks.len()).collect();
        // The name of a block begins with the time when it was made.
        newest.sort_by(|a, b| blocks[*b].meta().ulid.cmp(&blocks[*a].meta().ulid));
        let mut ages = vec![0; blocks.len()];
        for (age, block) in newest.into_iter().enumerate() {
            ages[block] = age;
        }
        let ranges = blocks.iter().map(|block| block.meta().range());
        let mut end = None;
        let disjoint = ranges.fold(true, |all, r| all & (end.replace(r.end) < Some(r.start)));
        let storage = TsdbStorage {
            path: path.to_owned(),
            renewed: OnceLock::new(),
            blocks,
            ages,
            head,
            hot: None,
            looked_at: AtomicUsize::new(0),
            labels: Mutex::default(),
            tables: AtomicUsize::new(0),
            disjoint,
        };
        Ok((storage, warnings))
    }

    /// Keeps what queries decode of blocks for those that come later, in up to so many bytes; 0 keeps
    /// nothing. That pays where many queries ask for the same series.
    #[must_use]
    pub fn keeping_columns(mut self, bytes: usize) -> Self {
        self.hot = (bytes > 0).then(|| HotColumns::new(bytes, self.blocks.len()));
        self
    }

    pub(super) fn hot(&self) -> Option<&HotColumns> {
        self.hot.as_ref()
    }

    pub(super) fn block(&self, number: usize) -> Option<&Block> {
        self.blocks.get(number)
    }

    /// So many bytes of chunks were looked at.
    pub(super) fn looked_at(&self, bytes: usize) {
        if self.looked_at.fetch_add(bytes, Ordering::Relaxed) + bytes >= MOST_LOOKED_AT {
            self.looked_at.store(0, Ordering::Relaxed);
            self.blocks.iter().for_each(Block::release);
        }
    }

    /// For each block how many are newer.
    pub(super) fn ages(&self) -> &[usize] {
        &self.ages
    }

    /// The last sample there is, in milliseconds since the epoch.
    ///
    /// # Errors
    /// When the blocks in question cannot be read.
    pub fn last_time(&self) -> Result<Option<i64>, TsdbError> {
        self.as_it_is_now(TsdbStorage::last_time_of_blocks)
    }

    /// Asks something. If that fails and a block is not there any more, since the server has put it
    /// together with others after we saw it and before we opened it, the folder is looked at again and
    /// asked once more. A block that is open stays readable.
    fn as_it_is_now<'a, T, E>(
        &'a self,
        ask: impl Fn(&'a TsdbStorage) -> Result<T, E>,
    ) -> Result<T, E> {
        if let Some(renewed) = self.renewed.get().and_then(Option::as_ref) {
            return ask(renewed);
        }
        let failed = match ask(self) {
            Err(error) if self.blocks.iter().any(Block::is_gone) => error,
            answer => return answer,
        };
        let renew = || {
            let (storage, _) = TsdbStorage::open(&self.path).ok()?;
            let storage = match &self.hot {
                Some(hot) => {
                    let budget = hot.statistics().budget;
                    hot.clear();
                    storage.keeping_columns(budget)
                }
                None => storage,
            };
            let _ = storage.renewed.set(None);
            Some(Box::new(storage))
        };
        self.renewed.get_or_init(renew).as_ref().map_or(Err(failed), |renewed| ask(renewed))
    }

    fn last_time_of_blocks(&self) -> Result<Option<i64>, TsdbError> {
        let mut last =
            self.head.as_ref().and_then(MemoryStorage::time_range).map(|range| range.end);
        let mut blocks: Vec<&Block> = self.blocks.iter().collect();
        // A block says until when it may have samples, and that is often later than the last.
        blocks.sort_by_key(|block| std::cmp::Reverse(block.meta().range().end));
        for block in blocks {
            if last.is_some_and(|last| last >= block.meta().range().end) {
                break;
            }
            last = last.max(block.last_time()?);
        }
        Ok(last)
    }

    fn blocks_in(&self, range: TimeRange) -> impl Iterator<Item = (usize, &Block)> {
        let blocks = self.blocks.iter().enumerate();
        blocks.filter(move |(_, block)| block.meta().range().overlaps(range))
    }

    /// The series that all matchers accept and that have samples in a range, or nothing when that
    /// was cancelled.
    fn selected(&self, request: &SelectRequest<'_>) -> Result<Option<Selection<'_>>, StorageError> {
        if let Some(mut selection) = self.selected_of_tables(request)? {
            if let Some(head) = &self.head {
                selection.add_head(head.select(request)?);
            }
            return Ok(Some(selection));
        }
        let mut cursors = Vec::new();
        for (number, block) in self.blocks_in(request.range) {
            let mut cursor = block.select(request.matchers, request.range)?;
            if cursor.advance()? {
                cursors.push((number, cursor));
            }
        }
        let mut selection = Selection::new(self, request.range);
        let mut builder = LabelsBuilder::default();
        let mut same = Vec::new();
        while let Some((number, (_, least))) =
            cursors.iter().enumerate().min_by(|(_, (_, a)), (_, (_, b))| by_labels(a, b))
        {
            if selection.len().is_multiple_of(1024) && request.cancellation.is_cancelled() {
                return Ok(None);
            }
            same.clear();
            let equal = |(at, (_, cursor)): &(usize, &(usize, SeriesCursor<'_>))| {
                *at == number || by_labels(cursor, least).is_eq()
            };
            same.extend(cursors.iter().enumerate().filter(equal).map(|(at, _)| at));
            builder.reset(&Labels::empty());
            for (name, value) in &least.current().labels {
                builder.set(name, value);
            }
            selection.add(builder.build(), same.iter().map(|at| &cursors[*at]));
            // From the end, so that what is removed does not move those that come.
            for at in same.iter().rev() {
                if !cursors[*at].1.advance()? {
                    cursors.remove(*at);
                }
            }
        }
        if let Some(head) = &self.head {
            selection.add_head(head.select(request)?);
        }
        Ok(Some(selection))
    }

    /// The same, if the tables of all blocks in question are there.
    fn selected_of_tables(
        &self,
        request: &SelectRequest<'_>,
    ) -> Result<Option<Selection<'_>>, StorageError> {
        let mut tables = Vec::new();
        for (number, block) in self.blocks_in(request.range) {
            let Some(table) = self.table(block) else { return Ok(None) };
            tables.push((number, block, table));
        }
        let mut found = Vec::with_capacity(tables.len());
        for (number, block, table) in tables {
            found.push((number, table, block.positions(table, request.matchers, request.range)?));
        }
        let mut selection = Selection::new(self, request.range);
        selection.add_of_tables(found, self.disjoint);
        Ok(Some(selection))
    }

    /// The table of a block, if it is time for one and there is room.
    fn table<'a>(&'a self, block: &'a Block) -> Option<&'a SeriesTable> {
        let fits = |bytes: usize| {
            let before = self.tables.fetch_add(bytes, Ordering::Relaxed);
            before.saturating_add(bytes) <= MOST_OF_TABLES
        };
        let mut intern = |labels: Labels| {
            let mut all = self.labels.lock().unwrap_or_else(PoisonError::into_inner);
            match all.get(&labels) {
                Some(known) => known.clone(),
                None => {
                    all.insert(labels.clone());
                    labels
                }
            }
        };
        // Columns are kept by a process that answers many queries.
        block.table(self.hot.is_some(), fits, &mut intern)
    }

    /// The texts that `list` gives of the blocks in a range and of the head, or, where there are
    /// selectors, those that `of` gives of the labels of the selected series.
    fn texts(
        &self,
        query: &LabelQuery<'_>,
        block: impl Fn(&Block) -> Result<Vec<&str>, TsdbError>,
        head: impl Fn(&MemoryStorage) -> Result<Vec<String>, StorageError>,
        of: impl Fn(&Labels) -> Vec<&str>,
    ) -> Result<Vec<String>, StorageError> {
        let mut texts: BTreeSet<String> = BTreeSet::new();
        let mut add = |more: Vec<&str>| {
            for text in more {
                if !texts.contains(text) {
                    texts.insert(text.to_owned());
                }
            }
        };
        for selector in query.selectors {
            let request = SelectRequest {
                matchers: selector,
                range: query.range,
                hints: SelectHints::default(),
                cancellation: &Cancellation::default(),
            };
            for labels in self.select(&request)?.labels() {
                add(of(labels));
            }
        }
        if query.selectors.is_empty() {
            for (_, part) in self.blocks_in(query.range) {
                add(block(part)?);
            }
            if let Some(part) = &self.head {
                texts.extend(head(part)?);
            }
        }
        Ok(texts.into_iter().collect())
    }
}

/// Compares the series at which two cursors are.
fn by_labels(a: &SeriesCursor<'_>, b: &SeriesCursor<'_>) -> cmp::Ordering {
    a.current().labels.cmp(&b.current().labels)
}

impl Storage for TsdbStorage {
    fn select<'a>(
        &'a self,
        request: &SelectRequest<'_>,
    ) -> Result<Box<dyn SelectedSeries + 'a>, StorageError> {
        match self.as_it_is_now(|storage| storage.selected(request))? {
            Some(selection) => Ok(Box::new(selection)),
            None => Err(StorageError::new("selecting series was cancelled")),
        }
    }

    fn label_names(&self, query: &LabelQuery<'_>) -> Result<Vec<String>, StorageError> {
        self.as_it_is_now(|storage| {
            storage.texts(
                query,
                |block| Ok(block.label_names()?.collect()),
                |head| head.label_names(query),
                |labels| labels.iter().map(|(name, _)| name).collect(),
            )
        })
    }

    fn label_values(
        &self,
        name: &str,
        query: &LabelQuery<'_>,
    ) -> Result<Vec<String>, StorageError> {
        self.as_it_is_now(|storage| {
            storage.texts(
                query,
                |block| block.label_values(name),
                |head| head.label_values(name, query),
                |labels| labels.get(name).into_iter().collect(),
            )
        })
    }

    fn kept_columns(&self) -> Option<KeptColumns> {
        let renewed = self.renewed.get().and_then(Option::as_ref);
        renewed.map_or(&self.hot, |renewed| &renewed.hot).as_ref().map(HotColumns::statistics)
    }

    fn metadata(
        &self,
        metric: Option<&str>,
    ) -> Result<BTreeMap<String, Vec<MetricMetadata>>, StorageError> {
        self.head.as_ref().map_or_else(|| Ok(BTreeMap::new()), |head| head.metadata(metric))
    }
}
