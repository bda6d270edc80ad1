//! Asks each question once, and no more than may be asked.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use super::options::LiveOptions;
use super::question::{Question, Refusal, Reply, Server};
use crate::context::RuleRef;

/// After so many failures one after the other the server is left alone; after the first if it doesn't even
/// say what it is.
const MOST_FAILURES: usize = 3;

type Answer = Result<Arc<Reply>, Refusal>;

/// Asks a server.
pub(crate) struct Asker<'a> {
    server: &'a dyn Server,
    options: &'a LiveOptions,
    started: Instant,
    asked: AtomicUsize,
    known: Mutex<HashMap<Question, Arc<OnceLock<Answer>>>>,
    failures: AtomicUsize,
    /// Why the server is not asked any more.
    given_up: OnceLock<Refusal>,
    /// Endpoints that the server doesn't have.
    lacking: Mutex<HashSet<&'static str>>,
    unanswered: Mutex<Unanswered>,
}

/// What could not be asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unanswered {
    /// By the reason: whether it is a fault, the codes of the checks, the rules.
    pub(crate) reasons: BTreeMap<String, (bool, BTreeSet<&'static str>, BTreeSet<RuleRef>)>,
}

/// What can be relied on after a panic elsewhere, too: these are plain collections.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> Asker<'a> {
    pub(crate) fn new(server: &'a dyn Server, options: &'a LiveOptions) -> Asker<'a> {
        Asker {
            server,
            options,
            started: Instant::now(),
            asked: AtomicUsize::new(0),
            known: Mutex::default(),
            failures: AtomicUsize::new(0),
            given_up: OnceLock::new(),
            lacking: Mutex::default(),
            unanswered: Mutex::default(),
        }
    }

    /// Asks a question that a check has about a rule. What can't be asked is remembered.
    pub(crate) fn ask(&self, question: Question, code: &'static str, at: RuleRef) -> Answer {
        let place = Arc::clone(locked(&self.known).entry(question.clone()).or_default());
        let answer = place.get_or_init(|| self.ask_once(&question)).clone();
        if let Err(refusal) = &answer
            && !matches!(refusal, Refusal::Expression { .. })
        {
            let is_fault = !matches!(refusal, Refusal::Lacking(_));
            let mut unanswered = locked(&self.unanswered);
            let reason = unanswered.reasons.entry(refusal.reason().to_owned());
            let (fault, codes, rules) = reason.or_default();
            *fault |= is_fault;
            codes.insert(code);
            rules.insert(at);
        }
        answer
    }

    fn ask_once(&self, question: &Question) -> Answer {
        let endpoint = question.endpoint();
        if locked(&self.lacking).contains(endpoint) {
            return Err(Refusal::Lacking(format!("the server has no `{endpoint}`")));
        }
        if let Some(refusal) = self.given_up.get() {
            return Err(refusal.clone());
        }
        if self.started.elapsed() > self.options.max_time {
            let limit = self.options.max_time.as_secs();
            return Err(Refusal::Budget(format!(
                "{limit} seconds were over (`--max-seconds` allows more)"
            )));
        }
        if self.asked.fetch_add(1, Ordering::Relaxed) >= self.options.max_requests {
            let limit = self.options.max_requests;
            return Err(Refusal::Budget(format!(
                "{limit} questions were asked (`--max-requests` allows more)"
            )));
        }
        let answer = self.server.ask(question);
        match &answer {
            Err(refusal @ Refusal::Unavailable(_)) => {
                let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
                if failures >= MOST_FAILURES || *question == Question::About {
                    let _ = self.given_up.set(refusal.clone());
                }
            }
            Err(Refusal::Lacking(_)) => {
                self.failures.store(0, Ordering::Relaxed);
                locked(&self.lacking).insert(endpoint);
            }
            _ => self.failures.store(0, Ordering::Relaxed),
        }
        answer.map(Arc::new)
    }

    /// Why the server was given up.
    pub(crate) fn given_up(&self) -> Option<&Refusal> {
        self.given_up.get()
    }

    /// What could not be asked.
    pub(crate) fn unanswered(&self) -> Unanswered {
        locked(&self.unanswered).clone()
    }
}
