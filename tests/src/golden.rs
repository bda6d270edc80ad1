//! The golden queries in `corpus/golden/`: questions that people ask of their metrics, each with a
//! query that answers it.
//!
//! A file is a topic. An empty line ends a query; the comment before a query asks the question.
//! Lines of a comment that begin with one of these words say how the query is evaluated, in the
//! comment at the head of the file for all of its queries:
//!
//! ```text
//! # data: hosts.test               the fixture, in corpus/fixtures/
//! # at: 50m                        an instant query
//! # over: 0 to 1h every 10m        a range query
//! # newer than 3.5: fill_right     why an older server gives something else
//! ```

use promql_model::parse_duration;
use promql_storage::MemoryStorage;
use promql_storage::fixture::read_script;

use crate::answer::Times;
use crate::corpus;

/// The queries of a file.
#[derive(Debug)]
pub struct Topic {
    /// The name of the file without its ending.
    pub name: String,
    /// The fixture's file name.
    pub data: String,
    /// The queries.
    pub queries: Vec<Golden>,
}

/// A golden query.
#[derive(Debug)]
pub struct Golden {
    /// What is asked.
    pub question: String,
    /// The query as it is written.
    pub query: String,
    /// When.
    pub times: Times,
    /// What Prometheus 3.5 doesn't know or does otherwise, if anything.
    pub newer: Option<String>,
}

/// All topics, sorted by name.
///
/// # Panics
/// When a file isn't as the head of this module describes.
pub fn topics() -> Vec<Topic> {
    let folder = corpus::path("golden");
    let entries =
        std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| Some(entry.file_name().to_str()?.strip_suffix(".promql")?.to_owned()))
        .collect();
    names.sort();
    names.iter().map(|name| topic(name)).collect()
}

fn topic(name: &str) -> Topic {
    let text = corpus::read(&format!("golden/{name}.promql"));
    let mut topic = Topic { name: name.to_owned(), data: String::new(), queries: Vec::new() };
    let mut usual = None;
    for (at, block) in text.split("\n\n").map(str::trim).enumerate() {
        let (mut question, mut times, mut newer) = (Vec::new(), usual, None);
        let lines: Vec<&str> = block.lines().collect();
        let comments = lines.iter().take_while(|line| line.starts_with('#')).count();
        for line in &lines[..comments] {
            let line = line.trim_start_matches('#').trim();
            match line.split_once(": ") {
                Some(("data", file)) => topic.data = file.to_owned(),
                Some(("at", time)) => times = Some(Times::Instant(milliseconds(name, time))),
                Some(("over", range)) => times = Some(over(name, range)),
                Some(("newer than 3.5", reason)) => newer = Some(reason.to_owned()),
                _ => question.push(line),
            }
        }
        let (question, query) = (question.join("\n"), lines[comments..].join("\n"));
        if at == 0 {
            assert!(query.is_empty(), "{name}: begins with a comment on the topic");
            usual = times;
        } else if !query.is_empty() {
            let times = times.unwrap_or_else(|| panic!("{name}: the head says when, or {query}"));
            assert!(!question.is_empty(), "{name}: nothing is asked by {query}");
            topic.queries.push(Golden { question, query, times, newer });
        }
    }
    topic
}

fn over(name: &str, text: &str) -> Times {
    let words: Vec<&str> = text.split(' ').collect();
    let &[start, "to", end, "every", step] = &words[..] else {
        panic!("{name}: `{text}` is not like `0 to 1h every 10m`")
    };
    let at = |text| milliseconds(name, text);
    Times::Range { start: at(start), end: at(end), step: at(step) }
}

fn milliseconds(name: &str, text: &str) -> i64 {
    match parse_duration(text) {
        Ok(nanoseconds) => nanoseconds / 1_000_000,
        Err(error) => panic!("{name}: {text}: {error}"),
    }
}

/// The series of a fixture in `corpus/fixtures/`.
///
/// # Panics
/// When something is wrong with it.
pub fn fixture(file: &str) -> MemoryStorage {
    let text = corpus::read(&format!("fixtures/{file}"));
    match read_script(file, text.as_bytes(), None) {
        Ok(fixture) => fixture.storage,
        Err(problems) => panic!("{problems:?}"),
    }
}
