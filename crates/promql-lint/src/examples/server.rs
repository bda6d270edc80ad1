//! The server that examples are tried with: what a block of a documentation says it has.
//!
//! ```text
//! version 3.5.0
//! features promql-binop-fill-modifiers
//! retention 15d
//! external cluster="eu"
//! kind requests_total counter
//! rule alert Down up == 0
//! lacks metadata
//! fails the connection was refused
//! load 1m
//!   up{job="shop"} 1x10
//! ```

use std::collections::BTreeMap;

use promql_model::parse_duration;
use promql_storage::MemoryStorage;
use promql_storage::fixture::read_script;

use crate::live::{About, LocalServer, Question, Refusal, Reply, RunningRule, Server};

/// A server as a block describes it.
pub(super) struct Described {
    storage: MemoryStorage,
    now: i64,
    about: About,
    kinds: Vec<(String, String)>,
    rules: Option<Vec<RunningRule>>,
    lacks: Vec<String>,
    fails: Option<String>,
}

impl Described {
    /// Reads a block.
    pub(super) fn read(text: &str) -> Result<Described, String> {
        let mut about = About::default();
        let (mut kinds, mut rules, mut lacks, mut fails) =
            (Vec::new(), Vec::new(), Vec::new(), None);
        let mut lines = text.lines();
        let mut script = String::new();
        for line in lines.by_ref() {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "version" => about.version = Some(rest.to_owned()),
                "features" => {
                    about.features = Some(rest.split(',').map(str::to_owned).collect());
                }
                "retention" => {
                    let nanoseconds = parse_duration(rest).map_err(|error| error.to_string())?;
                    about.retention = Some(nanoseconds / 1_000_000);
                }
                "external" => {
                    let pair =
                        rest.split_once('=').ok_or("an external label is `name=\"value\"`")?;
                    let labels = about.external_labels.get_or_insert_with(BTreeMap::new);
                    labels.insert(pair.0.to_owned(), pair.1.trim_matches('"').to_owned());
                }
                "kind" => {
                    let pair = rest.split_once(' ').ok_or("a kind is `kind METRIC KIND`")?;
                    kinds.push((pair.0.to_owned(), pair.1.to_owned()));
                }
                "rule" => rules.push(rule(rest).ok_or("a rule is `rule KIND NAME EXPR`")?),
                "lacks" => lacks.push(rest.to_owned()),
                "fails" => fails = Some(rest.to_owned()),
                _ => {
                    script.push_str(line);
                    script.push('\n');
                    break;
                }
            }
        }
        for line in lines {
            script.push_str(line);
            script.push('\n');
        }
        let fixture = read_script("example.test", script.as_bytes(), None);
        let storage = fixture.map_err(|problems| problems.to_string())?.storage;
        let last = |at: usize| storage.samples(at).and_then(|s| s.timestamps.last().copied());
        let now = (0..storage.series().len()).filter_map(last).max().unwrap_or_default();
        about.now = Some(now);
        let rules = Some(rules).filter(|rules| !rules.is_empty());
        Ok(Described { storage, now, about, kinds, rules, lacks, fails })
    }
}

/// `KIND NAME EXPR`, and behind it `! why it failed`.
fn rule(text: &str) -> Option<RunningRule> {
    let (text, error) = match text.split_once(" ! ") {
        Some((text, error)) => (text, Some(error.to_owned())),
        None => (text, None),
    };
    let mut parts = text.splitn(3, ' ');
    let (kind, name, query) = (parts.next()?, parts.next()?, parts.next()?);
    let group = "example".to_owned();
    let (name, query) = (name.to_owned(), query.to_owned());
    Some(RunningRule { group, name, is_alert: kind == "alert", query, error })
}

impl Server for Described {
    fn ask(&self, question: &Question) -> Result<Reply, Refusal> {
        if let Some(reason) = &self.fails {
            return Err(Refusal::Unavailable(reason.clone()));
        }
        let endpoint = question.endpoint();
        if self.lacks.iter().any(|lacking| lacking == endpoint) {
            return Err(Refusal::Lacking(format!("the server has no `{endpoint}`")));
        }
        let mut server = LocalServer::new(&self.storage, self.now);
        server.about = self.about.clone();
        for (metric, kind) in &self.kinds {
            server.kinds.entry(metric.clone()).or_default().insert(kind.clone());
        }
        server.rules = self.rules.clone();
        server.ask(question)
    }
}
