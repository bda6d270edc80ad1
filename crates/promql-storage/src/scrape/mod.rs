//! Exporters, scraped again and again, with a window of history in memory.
//!
//! What a server does with its targets happens here without one: an exporter is scraped at an
//! interval by a thread of its own, series get the labels `job` and `instance`, those that vanish get
//! a staleness marker, and `up` and its companions say how the scrape went. So `rate()` works over
//! the metrics of a bare exporter.

mod history;
mod options;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use promql_engine::{
    Cancellation, LabelQuery, MetricMetadata, SelectRequest, SelectedSeries, Storage, StorageError,
};
use promql_model::{Annotation, Labels, Severity};

use crate::SourceError;
use crate::exposition;
use crate::fetched::Fetched;
use crate::memory::MemoryStorage;
use crate::remote::{Body, Exporter, RemoteOptions};
use history::{History, Report};

use options::INTERVAL;
pub use options::ScrapeOptions;

/// An exporter that is scraped until this is dropped.
///
/// ```no_run
/// use std::time::Duration;
/// use promql_engine::Cancellation;
/// use promql_storage::{ScrapeOptions, Scraper};
/// use promql_storage::remote::RemoteOptions;
///
/// let interval = Some(Duration::from_secs(1));
/// let options = ScrapeOptions { interval, ..ScrapeOptions::default() };
/// let address = "http://localhost:9100/metrics";
/// let cancellation = Cancellation::default();
/// let scraper = Scraper::start(address, RemoteOptions::default(), options, &cancellation)?;
/// scraper.wait_for(11, &cancellation);
/// // Evaluate `rate(node_cpu_seconds_total[10s])` over it.
/// # Ok::<(), promql_storage::SourceError>(())
/// ```
pub struct Scraper {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread and those that ask have in common.
struct Shared {
    exporter: Exporter,
    options: ScrapeOptions,
    /// Set when nobody wants any more scrapes.
    stop: Cancellation,
    state: Mutex<State>,
    /// Told after each scrape, and when it is to stop.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    history: History,
    scrapes: usize,
    /// How often it is scraped.
    interval: Duration,
    /// The time of the first scrape, in milliseconds since the epoch.
    first: Option<i64>,
    /// The time of the last scrape, in milliseconds since the epoch.
    last: Option<i64>,
    /// Why the last scrape failed, if it did.
    failure: Option<String>,
    stopped: bool,
}

impl fmt::Debug for Scraper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scraper").field("address", &self.shared.exporter.name()).finish()
    }
}

impl Scraper {
    /// Scrapes once, which can be cancelled, and goes on to do so in a thread.
    ///
    /// # Errors
    /// When the options can't be used, or the first scrape fails: then there is most likely no
    /// exporter there. That later ones fail is no error; `up` is 0 then.
    pub fn start(
        address: &str,
        remote: RemoteOptions,
        options: ScrapeOptions,
        cancellation: &Cancellation,
    ) -> Result<Scraper, SourceError> {
        let remote = RemoteOptions { repetitions: 0, ..remote };
        let exporter = Exporter::new(address, remote, options.prefer_protobuf)?;
        let shared = Arc::new(Shared {
            exporter,
            options,
            stop: Cancellation::default(),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        shared.lock().interval = shared.options.interval.unwrap_or(INTERVAL);
        let begun = Instant::now();
        shared.scrape(cancellation)?;
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("promql-scrape".to_owned())
            .spawn(move || of_thread.run(begun))
            .map_err(|error| SourceError::Unreadable {
                shown: shared.exporter.name(),
                reason: format!("no thread to scrape it: {error}"),
            })?;
        Ok(Scraper { shared, thread: Some(thread) })
    }

    /// How it is scraped.
    pub fn options(&self) -> &ScrapeOptions {
        &self.shared.options
    }

    /// How often it was scraped, failures counted.
    pub fn scrapes(&self) -> usize {
        self.shared.lock().scrapes
    }

    /// When it was scraped last, in milliseconds since the epoch.
    pub fn last_scrape(&self) -> Option<i64> {
        self.shared.lock().last
    }

    /// How far the scrapes reach back, from the first that is kept to the last.
    pub fn covered(&self) -> Duration {
        let state = self.shared.lock();
        let covered = state.last.unwrap_or(0).saturating_sub(state.first.unwrap_or(0));
        Duration::from_millis(covered.unsigned_abs()).min(self.shared.options.window)
    }

    /// Scrapes at least ten times in a window, but not more often than each second; if an interval
    /// was asked for, that counts. Gives the interval.
    pub fn fit_interval(&self, window: Duration) -> Duration {
        let mut state = self.shared.lock();
        if self.shared.options.interval.is_none() {
            state.interval = (window / 10).clamp(Duration::from_secs(1), INTERVAL);
            self.shared.changed.notify_all();
        }
        state.interval
    }

    /// Waits until it was scraped so often. False if that was cancelled.
    pub fn wait_for(&self, scrapes: usize, cancellation: &Cancellation) -> bool {
        let mut state = self.shared.lock();
        while state.scrapes < scrapes {
            if cancellation.is_cancelled() {
                return false;
            }
            let pause = Duration::from_millis(50);
            let waited = self.shared.changed.wait_timeout(state, pause);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

impl Drop for Scraper {
    fn drop(&mut self) {
        self.shared.stop.cancel();
        self.shared.lock().stopped = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Scrapes at each interval until it is told to stop. A scrape that takes longer than that
    /// makes the next ones late, and none is made up for.
    fn run(&self, begun: Instant) {
        let mut last = begun;
        loop {
            let mut state = self.lock();
            loop {
                if state.stopped {
                    return;
                }
                // It may be told to scrape more often meanwhile.
                let next = last + state.interval.max(Duration::from_millis(1));
                let left = next.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    last = if next.elapsed() > state.interval { Instant::now() } else { next };
                    break;
                }
                let waited = self.changed.wait_timeout(state, left);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
            drop(state);
            // What went wrong is in the history.
            let _ = self.scrape(&self.stop);
        }
    }

    /// One scrape, whatever comes of it. The error is why it failed.
    fn scrape(&self, cancellation: &Cancellation) -> Result<(), SourceError> {
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let time = i64::try_from(time).unwrap_or(i64::MAX);
        let begun = Instant::now();
        let found = self.fetch(time, cancellation);
        let report = Report { time, duration: begun.elapsed(), options: &self.options };
        let target = self.options.target(&self.exporter.instance());
        let mut state = self.lock();
        let failed = match found {
            Ok(storage) => {
                state.history.add(&storage, &target, &report);
                state.failure = None;
                Ok(())
            }
            Err(error) => {
                state.history.fail(&target, &report);
                state.failure = Some(error.to_string());
                Err(error)
            }
        };
        state.scrapes += 1;
        state.first = state.first.or(Some(time));
        state.last = Some(time);
        self.changed.notify_all();
        failed
    }

    fn fetch(&self, time: i64, cancellation: &Cancellation) -> Result<MemoryStorage, SourceError> {
        let timeout = self.options.timeout();
        let name = self.exporter.name();
        Ok(match self.exporter.scrape(timeout, cancellation)? {
            Body::Text(text, format) => exposition::read(&name, &text, format, time)?.storage,
            Body::Protobuf(body) => exposition::read_protobuf(&name, &body, time)?.storage,
        })
    }
}

impl Storage for Scraper {
    fn select<'a>(
        &'a self,
        request: &SelectRequest<'_>,
    ) -> Result<Box<dyn SelectedSeries + 'a>, StorageError> {
        let state = self.shared.lock();
        let series = state.history.select(|labels| request.matches(labels));
        let mut fetched: Fetched<_> = series.into_iter().collect();
        if let Some(failure) = &state.failure {
            let name = self.shared.exporter.name();
            fetched.annotations.push(Annotation {
                severity: Severity::Warning,
                message: format!("the last scrape of {name} failed: {failure}"),
                span: None,
            });
        }
        Ok(Box::new(fetched))
    }

    fn label_names(&self, query: &LabelQuery<'_>) -> Result<Vec<String>, StorageError> {
        let names = |labels: &Labels| labels.iter().map(|(name, _)| name.to_owned()).collect();
        Ok(self.shared.lock().history.texts(query, names))
    }

    fn label_values(
        &self,
        name: &str,
        query: &LabelQuery<'_>,
    ) -> Result<Vec<String>, StorageError> {
        let value = |labels: &Labels| labels.get(name).map(str::to_owned).into_iter().collect();
        Ok(self.shared.lock().history.texts(query, value))
    }

    fn metadata(
        &self,
        metric: Option<&str>,
    ) -> Result<BTreeMap<String, Vec<MetricMetadata>>, StorageError> {
        Ok(self.shared.lock().history.metadata(metric))
    }
}
