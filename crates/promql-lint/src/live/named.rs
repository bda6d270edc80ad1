//! Servers that a configuration names, each with the rules that it is asked about.

use std::time::Duration;

use super::options::{LiveOptions, number};
use crate::check::Check;
use crate::checks::CHECKS;
use crate::config::{Reader, Table};
use crate::glob::Pattern;

/// A server that a configuration names.
#[derive(Clone, Debug)]
pub struct NamedServer {
    /// What it is called.
    pub name: String,
    /// Where it is, as `--source` has it.
    pub source: String,
    /// Of which files it is asked about the rules; of all if nothing says it.
    paths: Option<Vec<Pattern>>,
    /// Words that select the checks which ask it; all if nothing says it.
    checks: Option<Vec<String>>,
    max_requests: Option<usize>,
    max_time: Option<Duration>,
    concurrency: Option<usize>,
}

/// The keys of `[[lint.server]]`.
const KEYS: &[&str] = &["name", "source", "paths", "checks", "budget"];

/// The keys of `budget`.
const BUDGET: &[&str] = &["requests", "seconds", "concurrency"];

impl NamedServer {
    /// Reads a `[[lint.server]]`; nothing if it lacks what it needs, which is told to the reader.
    pub(crate) fn read(table: &Table<'_>, reader: &mut Reader) -> Option<NamedServer> {
        reader.known(table, KEYS, "`[[lint.server]]`");
        let mut text = |key: &str| table.get(key).map(|value| (reader.text(value), value.span()));
        let (name, source) = (text("name"), text("source"));
        let paths = table.get("paths").map(|value| reader.patterns(value));
        let checks = table.get("checks").map(|value| {
            let words = reader.texts(value);
            for (word, at) in &words {
                if !CHECKS.iter().any(|check| super::is_live(check) && check.is_selected_by(word)) {
                    let message = format!("no check that asks a server is called `{word}`");
                    reader.wrong(at.clone(), message);
                }
            }
            words.into_iter().map(|(word, _)| word).collect()
        });
        let budget = table.get("budget").and_then(|value| reader.table(value));
        if let Some(budget) = budget {
            reader.known(budget, BUDGET, "`budget`");
        }
        let mut count = |key: &str| number(budget?.get(key)?, reader);
        let (requests, seconds) = (count("requests"), count("seconds"));
        let concurrency = count("concurrency");
        for (value, key) in [(&name, "name"), (&source, "source")] {
            if value.is_none() {
                let at = table.iter().next().map_or(0..0, |(key, _)| key.span());
                reader.wrong(at, format!("a server needs the key `{key}`"));
            }
        }
        Some(NamedServer {
            name: name?.0?,
            source: source?.0?,
            paths,
            checks,
            max_requests: requests.map(|count| count as usize),
            max_time: seconds
                .map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)),
            concurrency: concurrency.map(|count| (count as usize).clamp(1, 64)),
        })
    }

    /// How much it is asked, where it says something else than what counts for all servers.
    #[must_use]
    pub fn options(&self, all: &LiveOptions) -> LiveOptions {
        LiveOptions {
            max_requests: self.max_requests.unwrap_or(all.max_requests),
            max_time: self.max_time.unwrap_or(all.max_time),
            concurrency: self.concurrency.unwrap_or(all.concurrency),
            ..all.clone()
        }
    }

    /// Whether it is asked about the rules of the file of a path, as the configuration sees it.
    pub fn is_for(&self, path: &str) -> bool {
        self.paths.as_ref().is_none_or(|paths| paths.iter().any(|pattern| pattern.matches(path)))
    }

    /// Whether a check asks it.
    pub(crate) fn is_asked_by(&self, check: &Check) -> bool {
        let words = self.checks.as_ref();
        words.is_none_or(|words| words.iter().any(|word| check.is_selected_by(word)))
    }
}
