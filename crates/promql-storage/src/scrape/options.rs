//! How an exporter is scraped, as it is said behind its address.

use std::time::Duration;

use promql_model::{Labels, parse_duration};

/// How often an exporter is scraped unless something else is said, as most servers do.
pub(super) const INTERVAL: Duration = Duration::from_secs(15);

/// How an exporter is scraped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScrapeOptions {
    /// How often. If nothing is said it is fifteen seconds, unless
    /// [`Scraper::fit_interval`](super::Scraper::fit_interval) wants it more often.
    pub interval: Option<Duration>,
    /// How much history is kept. Ten minutes by default.
    pub window: Duration,
    /// The label `job`; `scrape` by default.
    pub job: String,
    /// The label `instance`, if it is not host and port of the address.
    pub instance: Option<String>,
    /// Ask for the protobuf form first, which alone carries native histograms.
    pub prefer_protobuf: bool,
}

impl Default for ScrapeOptions {
    fn default() -> Self {
        ScrapeOptions {
            interval: None,
            window: Duration::from_secs(600),
            job: "scrape".to_owned(),
            instance: None,
            prefer_protobuf: false,
        }
    }
}

impl ScrapeOptions {
    /// Reads what stands behind the `#` of an address: `interval=5s,window=1h,job=node`. The names
    /// are `interval`, `window`, `job`, `instance` and `format` (`text` or `protobuf`).
    ///
    /// ```
    /// use promql_storage::ScrapeOptions;
    /// let options = ScrapeOptions::parse("interval=500ms,job=node")?;
    /// assert_eq!(options.interval.map(|interval| interval.as_millis()), Some(500));
    /// # Ok::<(), String>(())
    /// ```
    ///
    /// # Errors
    /// What is wrong, and what there can be.
    pub fn parse(text: &str) -> Result<ScrapeOptions, String> {
        let mut options = ScrapeOptions::default();
        for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match (name.trim(), value.trim()) {
                ("interval", value) => options.interval = Some(duration(value)?),
                ("window", value) => options.window = duration(value)?,
                ("job", value) if !value.is_empty() => options.job = value.to_owned(),
                ("instance", value) if !value.is_empty() => {
                    options.instance = Some(value.to_owned());
                }
                ("format", "text") => options.prefer_protobuf = false,
                ("format", "protobuf") => options.prefer_protobuf = true,
                _ => {
                    return Err(format!(
                        "`{}` is none of interval=15s, window=10m, job=NAME, instance=NAME, \
                         format=text and format=protobuf",
                        pair.escape_debug()
                    ));
                }
            }
        }
        if options.interval.is_some_and(|interval| options.window < interval) {
            return Err("the window is shorter than the interval".to_owned());
        }
        Ok(options)
    }

    /// How long a scrape may take: the interval, and ten seconds at most.
    pub(super) fn timeout(&self) -> Duration {
        let interval = self.interval.unwrap_or(INTERVAL);
        interval.clamp(Duration::from_secs(1), Duration::from_secs(10))
    }

    /// The labels of the target. `instance` is host and port of its address.
    pub(super) fn target(&self, instance: &str) -> Labels {
        let instance = self.instance.as_deref().unwrap_or(instance);
        Labels::from_pairs([("instance", instance), ("job", &*self.job)])
    }
}

/// From a millisecond on.
fn duration(text: &str) -> Result<Duration, String> {
    let nanoseconds = parse_duration(text).map_err(|error| error.to_string())?;
    match u64::try_from(nanoseconds) {
        Ok(nanoseconds) if nanoseconds >= 1_000_000 => Ok(Duration::from_nanos(nanoseconds)),
        _ => Err(format!("`{text}` is too short")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_behind_an_address() {
        let options =
            ScrapeOptions::parse("window=1h, job=node,instance=a,format=protobuf").unwrap();
        assert_eq!(options.window, Duration::from_secs(3600));
        assert_eq!((&*options.job, options.instance.as_deref()), ("node", Some("a")));
        assert!(options.prefer_protobuf);
        assert_eq!(ScrapeOptions::parse(""), Ok(ScrapeOptions::default()));
        for wrong in
            ["interval", "interval=0s", "interval=x", "x=1", "interval=1h", "format=x", "job="]
        {
            assert!(ScrapeOptions::parse(wrong).is_err(), "{wrong}");
        }
    }
}
