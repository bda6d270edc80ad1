//! What is known of a source, filled in the background.
//!
//! Completion reads what is here and never waits. What it misses is asked by threads of their own; with
//! the answer the next key shows it. A question is asked once, and again when its answer is old; one that
//! failed waits longer each time, so that a server that is down isn't asked for every key.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use promql_engine::Cancellation;
use promql_ide::{Question, Snapshot};

use crate::host::{Connection, Knowledge};

/// How many questions are asked at once.
const ASKERS: usize = 2;

/// How long an answer counts.
const FRESH: Duration = Duration::from_secs(300);

/// How long a question that failed isn't asked again.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is known of one source.
pub struct Known {
    snapshot: RwLock<Snapshot>,
    asked: Mutex<HashMap<Question, Instant>>,
    sender: Mutex<Sender<Question>>,
    waiting: AtomicUsize,
    cancellation: Cancellation,
    /// Who wants to know that an answer has come.
    listener: Mutex<Option<Listener>>,
}

/// Who wants to know that an answer has come.
pub type Listener = Arc<dyn Fn() + Send + Sync>;

impl Known {
    /// What is known of a source, at first nothing. Questions are asked as they come.
    pub fn of(connection: &Arc<dyn Connection>) -> Arc<Known> {
        let (sender, receiver) = channel();
        let known = Arc::new(Known {
            snapshot: RwLock::default(),
            asked: Mutex::default(),
            sender: Mutex::new(sender),
            waiting: AtomicUsize::new(0),
            cancellation: Cancellation::default(),
            listener: Mutex::default(),
        });
        let receiver = Arc::new(Mutex::new(receiver));
        for _ in 0..ASKERS {
            let known = Arc::downgrade(&known);
            let (receiver, connection) = (Arc::clone(&receiver), Arc::clone(connection));
            std::thread::spawn(move || {
                while let Some(question) = next(&receiver) {
                    let Some(known) = known.upgrade() else { return };
                    let answer = connection.know(&question, &known.cancellation);
                    known.take(&question, answer);
                }
            });
        }
        known
    }

    /// Tells somebody of each answer from now on, from the thread that has got it.
    pub fn tell(&self, listener: Listener) {
        *self.listener.lock().unwrap_or_else(PoisonError::into_inner) = Some(listener);
    }

    /// Reads what is known.
    pub fn read<T>(&self, read: impl FnOnce(&Snapshot) -> T) -> T {
        read(&self.snapshot.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes what is known.
    pub fn write<T>(&self, change: impl FnOnce(&mut Snapshot) -> T) -> T {
        change(&mut self.snapshot.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks in the background, unless it was asked lately.
    pub fn ask(&self, questions: Vec<Question>) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        for question in questions {
            if asked.get(&question).is_some_and(|until| *until > now) {
                continue;
            }
            asked.insert(question.clone(), now + FRESH);
            self.waiting.fetch_add(1, Ordering::SeqCst);
            let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
            if sender.send(question).is_err() {
                self.waiting.fetch_sub(1, Ordering::SeqCst);
            }
        }
    }

    /// Whether something was asked that isn't answered yet.
    pub fn is_waiting(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) > 0
    }

    /// Forgets what the series are, and asks again.
    pub fn refresh(&self) {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.write(Snapshot::forget);
        self.ask(vec![Question::Metrics { prefix: String::new() }]);
    }

    /// Takes note of an answer.
    pub fn take(&self, question: &Question, answer: Result<Knowledge, String>) {
        match answer {
            Ok(knowledge) => self.write(|known| note(known, question, knowledge)),
            Err(_) => {
                let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
                asked.insert(question.clone(), Instant::now() + PATIENCE);
            }
        }
        self.waiting.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).ok();
        let listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(listener) = listener {
            listener();
        }
    }
}

impl Drop for Known {
    fn drop(&mut self) {
        self.cancellation.cancel();
    }
}

fn next(receiver: &Mutex<Receiver<Question>>) -> Option<Question> {
    receiver.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

fn note(known: &mut Snapshot, question: &Question, knowledge: Knowledge) {
    match (question, knowledge) {
        (Question::Metrics { prefix }, Knowledge::Metrics(names, metadata)) => {
            if !metadata.is_empty() {
                known.set_metadata(metadata);
            }
            match prefix.is_empty() {
                true => known.set_metrics(names),
                false => known.add_metrics(&names),
            }
        }
        (Question::Metadata { .. }, Knowledge::Metadata(metadata)) => known.add_metadata(metadata),
        (Question::LabelNames { selector }, Knowledge::Names(names)) => {
            known.set_label_names(selector.clone(), names);
        }
        (Question::LabelValues { label, selector, prefix }, Knowledge::Names(names)) => {
            match prefix.is_empty() {
                true => known.set_label_values(label, selector.clone(), names),
                false => known.add_label_values(label, selector.clone(), &names),
            }
        }
        // An answer to something else.
        _ => {}
    }
}
