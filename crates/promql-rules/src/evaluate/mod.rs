//! Evaluation of groups of rules, cycle by cycle.
//!
//! ```text
//!  RuleFile ──prepare──► PreparedGroup ──┐
//!                                        ├─ cycle at t ──► samples, appended to the store
//!            SeriesStore ◄───────────────┘                └► alerts
//! ```
//!
//! The rules of a group run in their order; what one writes the next can read, at the same time
//! already. A series that a rule wrote in its last cycle and doesn't write in this one ends with a
//! staleness marker. When the query of a rule fails nothing is written, no markers either.
//!
//! A rule is read, checked and its templates parsed once ([`PreparedFile`]); a cycle then is an
//! instant query for each rule.
//!
//! ```
//! use promql_rules::evaluate::{Evaluation, EvaluateOptions, PreparedFile, SeriesStore};
//! use promql_rules::rule_file::LoadOptions;
//! use promql_model::{Labels, SampleValue};
//!
//! let text = "
//! groups:
//!   - name: g
//!     rules:
//!       - record: twice
//!         expr: m * 2
//!       - alert: Much
//!         expr: twice > 5
//! ";
//! let Ok(rules) = PreparedFile::load("rules.yml", text.as_bytes(), &LoadOptions::default()) else {
//!     panic!("the rules are fine");
//! };
//! let mut evaluation = Evaluation::new(rules.groups.iter(), EvaluateOptions::default());
//! let m = Labels::from_pairs([("__name__", "m")]);
//! evaluation.store.append(&m, 0, &SampleValue::Float(3.0)).unwrap();
//! assert!(evaluation.cycle(0).is_empty());
//! let alerts = evaluation.alerts("Much", 0);
//! assert_eq!(alerts[0].labels.to_string(), r#"{alertname="Much"}"#);
//! ```

mod alert;
mod capture;
mod course;
mod manager;
mod nothing;
mod prepare;
mod store;

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use promql_engine::{
    Cancellation, EngineError, EngineOptions, EvaluationTime, QueryOptions, Storage, evaluate,
};
use promql_model::{
    Labels, LabelsBuilder, METRIC_NAME, QueryResult, QueryValue, SampleValue, VectorElement,
    stale_nan,
};
use promql_storage::UnionStorage;
use promql_syntax::{Features, Query, compile};

pub use alert::Transition;
pub use course::{AlertChange, Holding, replay};
pub use manager::{GroupStatus, ManagerOptions, RuleHealth, RuleManager, RuleStatus};
pub use prepare::{PreparedFile, PreparedGroup, PreparedRule};
pub use store::{AppendError, SeriesStore};

use crate::coverage::{Branched, Observer, RuleCounts};
use crate::rule_file::RuleKind;
use crate::template::{ExpandError, Sample};
use alert::Alerts;
use capture::Captures;

/// What upstream says of a result that is no vector.
pub(crate) const NO_VECTOR: &str = "rule result is not a vector or scalar";

/// How rules are evaluated.
#[derive(Clone, Debug, Default)]
pub struct EvaluateOptions {
    /// The engine's settings.
    pub engine: EngineOptions,
    /// What queries inside of templates may use.
    pub features: Features,
    /// What templates know as `$externalLabels`.
    pub external_labels: Arc<BTreeMap<String, String>>,
    /// What templates know as `$externalURL`.
    pub external_url: Arc<str>,
    /// Lets another thread end the run.
    pub cancellation: Cancellation,
}

/// How an alert stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AlertState {
    /// Its condition holds, but not long enough.
    Pending,
    /// It fires.
    Firing,
    /// It has fired.
    Inactive,
}

/// An alert.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// How it stands.
    pub state: AlertState,
    /// Its labels, `alertname` among them.
    pub labels: Labels,
    /// Its annotations, sorted by name.
    pub annotations: Vec<(String, String)>,
    /// Since when its condition holds, in milliseconds since the epoch.
    pub active_at: i64,
    /// Since when it goes on firing although its condition holds no more.
    pub keep_firing_since: Option<i64>,
    /// The value of the element that it was last made of; 0 if that was a histogram.
    pub value: f64,
}

/// Why a rule has no result in a cycle.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleFailure {
    /// The rule, as a position among [`Evaluation::rules`].
    pub rule: usize,
    /// Why, as Prometheus says it.
    pub message: String,
}

/// A template that could not be expanded.
#[derive(Clone, Debug, PartialEq)]
pub struct TemplateFailure {
    /// The rule, as a position among [`Evaluation::rules`].
    pub rule: usize,
    /// The template: labels first, by their names, then annotations in the order of the file.
    pub template: usize,
    /// Why, and where in it.
    pub error: ExpandError,
}

/// What templates of alerts see of what is around.
trait Surroundings {
    fn query(&self, expression: &str, timestamp: i64) -> Result<Vec<Sample>, String>;
    fn external_labels(&self) -> Arc<BTreeMap<String, String>>;
    fn external_url(&self) -> Arc<str>;
    fn template_failed(&self, template: usize, error: &ExpandError);
    fn branch(&self, template: usize, at: usize, taken: bool);
}

/// A run of groups over a store.
#[derive(Debug)]
pub struct Evaluation {
    /// The series. What is not written by rules is to be appended before the cycle that needs it.
    pub store: SeriesStore,
    base: Base,
    states: Vec<RuleState>,
    /// The names of the groups, and the positions of their rules.
    groups: Vec<(String, Range<usize>)>,
    options: EvaluateOptions,
    template_errors: Mutex<Vec<TemplateFailure>>,
    /// Who looks on, if anybody does.
    observer: Option<Box<Observer>>,
    captures: Option<Box<Captures>>,
    builder: LabelsBuilder,
}

/// Series that are there besides those of the store, if there are such.
#[derive(Clone, Default)]
struct Base(Option<Arc<dyn Storage>>);

impl Base {
    /// Evaluates over the store and what lies below it.
    fn query(
        &self,
        query: &Query,
        store: &SeriesStore,
        options: &QueryOptions,
    ) -> Result<QueryResult, EngineError> {
        match &self.0 {
            None => evaluate(query, store, options),
            Some(base) => {
                let storages: [Box<dyn Storage + '_>; 2] = [Box::new(store), Box::new(&**base)];
                evaluate(query, &UnionStorage::new(storages), options)
            }
        }
    }
}

impl fmt::Debug for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Base({})", if self.0.is_some() { "…" } else { "" })
    }
}

/// A rule in a run.
#[derive(Debug)]
struct RuleState {
    rule: Arc<PreparedRule>,
    query_offset: i64,
    /// How many series there were when there was none for it, and it gave nothing.
    idle_at: Option<usize>,
    /// What it wrote in its last cycle, sorted.
    written: Vec<Labels>,
    alerts: Alerts,
}

impl RuleState {
    /// Whether the rule gives nothing, which is known as long as there are no series for it.
    fn is_idle(&mut self, store: &SeriesStore) -> bool {
        let (Some(selectors), Some(series)) = (&self.rule.selectors, self.idle_at) else {
            return false;
        };
        let is_idle = series == store.len() || !selectors.find_something(store);
        self.idle_at = Some(if is_idle { store.len() } else { 0 });
        is_idle
    }
}

struct Around<'a> {
    store: &'a SeriesStore,
    base: &'a Base,
    options: &'a EvaluateOptions,
    errors: &'a Mutex<Vec<TemplateFailure>>,
    observer: Option<&'a Observer>,
    rule: usize,
}

impl Surroundings for Around<'_> {
    fn query(&self, expression: &str, timestamp: i64) -> Result<Vec<Sample>, String> {
        let query =
            compile(expression, &self.options.features).map_err(|errors| errors.to_string())?;
        let options = query_options(self.options, timestamp);
        let result = self.base.query(&query, self.store, &options);
        let result = result.map_err(|error| error.to_string())?;
        let elements = elements(result.value).ok_or(NO_VECTOR)?;
        Ok(elements.iter().map(|e| Sample::new(&e.labels, &e.value)).collect())
    }

    fn external_labels(&self) -> Arc<BTreeMap<String, String>> {
        Arc::clone(&self.options.external_labels)
    }

    fn external_url(&self) -> Arc<str> {
        Arc::clone(&self.options.external_url)
    }

    fn template_failed(&self, template: usize, error: &ExpandError) {
        if let Ok(mut errors) = self.errors.lock() {
            let new = TemplateFailure { rule: self.rule, template, error: error.clone() };
            if !errors.contains(&new) {
                errors.push(new);
            }
        }
    }

    fn branch(&self, template: usize, at: usize, taken: bool) {
        if let Some(observer) = self.observer {
            observer.branch(Branched { rule: self.rule, template, at, taken });
        }
    }
}

fn query_options(options: &EvaluateOptions, timestamp: i64) -> QueryOptions {
    QueryOptions {
        time: EvaluationTime::Instant(timestamp),
        engine: options.engine.clone(),
        cancellation: options.cancellation.clone(),
    }
}

/// The elements of a result; a scalar is one without labels. Nothing for what is no vector.
pub(crate) fn elements(value: QueryValue) -> Option<Vec<VectorElement>> {
    match value {
        QueryValue::Vector(elements) => Some(elements),
        QueryValue::Scalar { timestamp, value } => Some(vec![VectorElement {
            labels: Labels::empty(),
            timestamp,
            value: SampleValue::Float(value),
        }]),
        QueryValue::String { .. } | QueryValue::Matrix(_) => None,
    }
}

impl Evaluation {
    /// A run of groups in this order, over no series yet.
    pub fn new<'g>(
        groups: impl IntoIterator<Item = &'g PreparedGroup>,
        options: EvaluateOptions,
    ) -> Evaluation {
        let state = |group: &'g PreparedGroup| {
            group.rules.iter().map(|rule| RuleState {
                rule: Arc::clone(rule),
                query_offset: group.query_offset,
                idle_at: None,
                written: Vec::new(),
                alerts: Alerts::default(),
            })
        };
        let groups: Vec<&PreparedGroup> = groups.into_iter().collect();
        let mut rules = 0;
        let named = groups.iter().map(|group| {
            let first = rules;
            rules += group.rules.len();
            (group.name.clone(), first..rules)
        });
        Evaluation {
            store: SeriesStore::default(),
            base: Base::default(),
            groups: named.collect(),
            states: groups.into_iter().flat_map(state).collect(),
            options,
            template_errors: Mutex::default(),
            observer: None,
            captures: None,
            builder: LabelsBuilder::default(),
        }
    }

    /// Reads these series, too, which stay as they are. Where the store has a sample of a series at
    /// the same time, that counts.
    #[must_use]
    pub fn over(mut self, base: Arc<dyn Storage>) -> Evaluation {
        self.base = Base(Some(base));
        self
    }

    /// The rules in the order in which they are evaluated.
    pub fn rules(&self) -> impl ExactSizeIterator<Item = &Arc<PreparedRule>> {
        self.states.iter().map(|state| &state.rule)
    }

    /// The names of the groups in the order in which they are evaluated.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().map(|(name, _)| name.as_str())
    }

    /// How queries are run at a time.
    pub fn query_options(&self, timestamp: i64) -> QueryOptions {
        query_options(&self.options, timestamp)
    }

    /// Evaluates all groups at a time, in milliseconds since the epoch, and gives the rules that
    /// failed.
    pub fn cycle(&mut self, timestamp: i64) -> Vec<RuleFailure> {
        let mut failures = Vec::new();
        for rule in 0..self.states.len() {
            if let Err(message) = self.evaluate(rule, timestamp) {
                failures.push(RuleFailure { rule, message });
            }
        }
        failures
    }

    /// Counts from now on what the evaluations exercise of the rules.
    pub(crate) fn observe(&mut self) {
        let rules = self.states.iter().map(|state| &*state.rule);
        self.observer = Some(Box::new(Observer::new(rules)));
        for state in &mut self.states {
            state.alerts.transitions = Some(Vec::new());
        }
    }

    /// What was counted, for each of [`Evaluation::rules`]; nothing if nothing was to be.
    pub(crate) fn finish_observing(&mut self) -> Option<Vec<RuleCounts>> {
        let observer = self.observer.take()?;
        Some(observer.finish(self.states.iter().map(|state| &*state.rule)))
    }

    /// Keeps from now on what the parts of rules give at some of their evaluations (each a rule, as a
    /// position among [`Evaluation::rules`], with a time), and what happens to alerts.
    pub(crate) fn capture(&mut self, evaluations: HashSet<(usize, i64)>) {
        self.captures = Some(Box::new(Captures::new(evaluations)));
        for state in &mut self.states {
            state.alerts.transitions = Some(Vec::new());
        }
    }

    /// What was kept.
    pub(crate) fn finish_capturing(&mut self) -> Captures {
        let mut captures = self.captures.take().map(|captures| *captures).unwrap_or_default();
        let transitions = self.states.iter_mut().map(|state| state.alerts.transitions.take());
        captures.transitions = transitions.map(Option::unwrap_or_default).collect();
        captures
    }

    /// A test expects alerts of a name at this time.
    pub(crate) fn expected(&mut self, name: &str) {
        let Some(observer) = &mut self.observer else { return };
        for (number, state) in self.states.iter().enumerate() {
            let rule = &state.rule;
            if rule.kind == RuleKind::Alerting && rule.name == name && state.alerts.is_firing() {
                observer.expected(number, rule.points());
            }
        }
    }

    fn evaluate(&mut self, number: usize, timestamp: i64) -> Result<(), String> {
        let state = &mut self.states[number];
        let rule = Arc::clone(&state.rule);
        let at = timestamp.saturating_sub(state.query_offset);
        if let Some(observer) = &mut self.observer {
            observer.expression(number, &rule, &self.store, &query_options(&self.options, at));
        }
        if let Some(captures) = &mut self.captures {
            let options = query_options(&self.options, at);
            captures.evaluated((number, timestamp), &rule.query, &self.store, &options);
        }
        // What else there is to read isn't known to stay as it is.
        let elements = if self.base.0.is_none() && state.is_idle(&self.store) {
            Vec::new()
        } else {
            let options = query_options(&self.options, at);
            let result = self.base.query(&rule.query, &self.store, &options);
            let result = result.map_err(|error| error.to_string())?;
            let elements = elements(result.value).ok_or(NO_VECTOR)?;
            // The first time a query is evaluated for the failures that it may come to.
            state.idle_at = elements.is_empty().then_some(0);
            elements
        };
        let samples = match rule.kind {
            RuleKind::Recording => record(&rule, elements, &mut self.builder)?,
            RuleKind::Alerting => {
                let surroundings = Around {
                    store: &self.store,
                    base: &self.base,
                    options: &self.options,
                    errors: &self.template_errors,
                    observer: self.observer.as_deref(),
                    rule: number,
                };
                let written = state.alerts.update(&rule, elements, timestamp, &surroundings)?;
                if let Some(observer) = &mut self.observer {
                    let transitions = state.alerts.transitions.take().unwrap_or_default();
                    let waits = state.alerts.longest_waits(timestamp);
                    observer.alerts(number, rule.points(), &transitions, waits);
                    state.alerts.transitions = Some(Vec::new());
                }
                written
            }
        };
        let mut failed = None;
        let mut written = Vec::with_capacity(samples.len());
        for (labels, value) in samples {
            // One sample that can't be written keeps no other from being written.
            if let Err(error) = self.store.append(&labels, at, &value) {
                failed = Some(error.to_string());
            }
            written.push(labels);
        }
        written.sort_unstable();
        let stale = SampleValue::Float(stale_nan());
        for gone in state.written.iter().filter(|l| written.binary_search(l).is_err()) {
            // Another rule may have written this series; then it isn't gone.
            let _ = self.store.append(gone, at, &stale);
        }
        state.written = written;
        failed.map_or(Ok(()), Err)
    }

    /// The firing alerts of a name, of all rules that have it, sorted by labels and annotations.
    pub fn alerts(&self, name: &str, timestamp: i64) -> Vec<Alert> {
        let mut alerts = Vec::new();
        for (rule, state) in self.states.iter().enumerate() {
            if state.rule.kind == RuleKind::Alerting && state.rule.name == name {
                alerts.extend(self.active_alerts(rule, timestamp));
            }
        }
        alerts.retain(|alert| alert.state == AlertState::Firing);
        alerts.sort_by(|a, b| (&a.labels, &a.annotations).cmp(&(&b.labels, &b.annotations)));
        alerts
    }

    /// The alerts of a rule that are pending or firing, sorted by labels.
    fn active_alerts(&self, rule: usize, timestamp: i64) -> Vec<Alert> {
        let state = &self.states[rule];
        let surroundings = Around {
            store: &self.store,
            base: &self.base,
            options: &self.options,
            errors: &self.template_errors,
            observer: self.observer.as_deref(),
            rule,
        };
        state.alerts.active(&state.rule, timestamp, &surroundings)
    }

    /// The templates that failed so far, each kind of failure once.
    pub fn template_errors(&self) -> Vec<TemplateFailure> {
        self.template_errors.lock().map(|errors| errors.clone()).unwrap_or_default()
    }
}

/// What a recording rule writes.
fn record(
    rule: &PreparedRule,
    elements: Vec<VectorElement>,
    builder: &mut LabelsBuilder,
) -> Result<Vec<(Labels, SampleValue)>, String> {
    let mut samples = Vec::with_capacity(elements.len());
    for VectorElement { labels, value, .. } in elements {
        builder.reset(&labels).set(METRIC_NAME, &rule.name);
        for (name, value) in &rule.labels {
            builder.set(name, value);
        }
        samples.push((builder.build(), value));
    }
    if samples.len() > 1 {
        let distinct: HashSet<&Labels> = samples.iter().map(|(labels, _)| labels).collect();
        if distinct.len() < samples.len() {
            return Err("vector contains metrics with the same labelset after applying rule \
                        labels"
                .to_owned());
        }
    }
    if rule.limit > 0 && samples.len() > rule.limit {
        return Err(format!("exceeded limit of {} with {} series", rule.limit, samples.len()));
    }
    Ok(samples)
}
