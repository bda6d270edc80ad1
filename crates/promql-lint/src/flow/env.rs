//! What is known from outside of an expression: what rules record, what metrics are, and which
//! assumptions are made.

use std::collections::HashMap;
use std::sync::Arc;

use promql_model::{METRIC_NAME, MatchOp, Matcher};
use promql_syntax::Expr;
use promql_syntax::ast::NodeKind;
use rayon::prelude::*;

use crate::memo::Memo;

use super::flags::{Basis, Conditions};
use super::quantity::Quantity;
use super::{Arm, MAX_ARMS, NAMES, Presence, Text, ValueSet, analyse};

/// How often the rules of a cycle are analysed before nothing is said of what they record.
const MAX_ROUNDS: usize = 3;

/// So many names at least are worth a thread.
const FEW: usize = 32;

/// What is known from outside. By default: nothing, and all assumptions are made.
#[derive(Clone, Debug)]
pub struct Env {
    presumed: Basis,
    recordings: Vec<Recording>,
    /// For each recorded name the number of the first rule, and what is known of what is recorded.
    recorded: HashMap<Text, (u32, Vec<Arm>)>,
    metrics: HashMap<Text, Metric>,
    keys: Vec<(Pattern, Vec<Text>)>,
    no_target_labels: Vec<Pattern>,
    /// What regular expressions let through, by `=~` and by `!~`; nothing for one that is none.
    matched: Arc<[Memo<Option<ValueSet>>; 2]>,
}

/// A recording rule.
#[derive(Clone, Debug)]
pub struct Recording {
    /// The name that is recorded.
    pub name: Text,
    /// The expression.
    pub expr: Expr,
    /// The labels that the rule or its group sets. An empty value removes a label.
    pub labels: Vec<(Text, Text)>,
    /// Where the rule stands, for messages: a file and a line.
    pub place: Arc<str>,
}

/// What is known of a metric.
#[derive(Clone, Debug, Default)]
pub struct Metric {
    /// What it is.
    pub quantity: Option<Quantity>,
    /// What the values of some of its labels can be.
    pub labels: Vec<(Text, ValueSet)>,
}

/// Names of metrics: one, or all that a regular expression between slashes matches.
#[derive(Clone, Debug)]
struct Pattern(Matcher);

impl Pattern {
    fn new(text: &str) -> Option<Pattern> {
        let regex = text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
        let matcher = match regex {
            Some(regex) => Matcher::new(METRIC_NAME, MatchOp::Matches, regex),
            None => Matcher::new(METRIC_NAME, MatchOp::Equal, text),
        };
        matcher.ok().map(Pattern)
    }

    fn matches(&self, name: &str) -> bool {
        self.0.matches(name)
    }
}

impl Default for Env {
    fn default() -> Self {
        EnvBuilder::default().build()
    }
}

/// Collects what is known.
///
/// ```
/// use promql_lint::flow::{EnvBuilder, Recording, analyse};
/// let mut builder = EnvBuilder::default();
/// builder.record(Recording {
///     name: "job:up:count".into(),
///     expr: promql_syntax::parse("count by (job) (up)", &Default::default())?,
///     labels: Vec::new(),
///     place: "rules.yml:7".into(),
/// });
/// let env = builder.build();
/// let expr = promql_syntax::parse("job:up:count < 1", &Default::default())?;
/// assert!(analyse(&expr, &env).root(&expr).is_never());
/// # Ok::<(), promql_syntax::Errors>(())
/// ```
#[derive(Clone, Debug)]
pub struct EnvBuilder {
    env: Env,
}

impl Default for EnvBuilder {
    fn default() -> Self {
        EnvBuilder {
            env: Env {
                presumed: Basis::ALL,
                recordings: Vec::new(),
                recorded: HashMap::new(),
                metrics: HashMap::new(),
                keys: Vec::new(),
                no_target_labels: Vec::new(),
                matched: Arc::default(),
            },
        }
    }
}

impl EnvBuilder {
    /// Which assumptions are made.
    pub fn presume(&mut self, presumed: Basis) -> &mut Self {
        self.env.presumed = presumed;
        self
    }

    /// A rule that records something. Rules that record the same name go together.
    pub fn record(&mut self, recording: Recording) -> &mut Self {
        self.env.recordings.push(recording);
        self
    }

    /// What is known of a metric.
    pub fn metric(&mut self, name: Text, metric: Metric) -> &mut Self {
        self.env.metrics.insert(name, metric);
        self
    }

    /// The labels that tell the series of a metric apart. The name is one, or a regular expression
    /// between slashes; one that is none is passed over.
    pub fn key(&mut self, name: &str, mut labels: Vec<Text>) -> &mut Self {
        labels.sort_unstable();
        labels.dedup();
        self.env.keys.extend(Pattern::new(name).map(|pattern| (pattern, labels)));
        self
    }

    /// A metric that need not have the labels of a target: it is pushed, or federated. The name is
    /// one, or a regular expression between slashes; one that is none is passed over.
    pub fn no_target_labels(&mut self, name: &str) -> &mut Self {
        self.env.no_target_labels.extend(Pattern::new(name));
        self
    }

    /// Follows what is recorded through all rules.
    pub fn build(mut self) -> Env {
        record_all(&mut self.env);
        self.env
    }
}

impl Env {
    /// Whether all of these assumptions are made.
    pub fn presumes(&self, basis: Basis) -> bool {
        self.presumed.has(basis)
    }

    /// The values that a matcher lets through; nothing if it isn't one.
    pub(crate) fn matching(&self, op: MatchOp, value: &[u8]) -> Option<ValueSet> {
        if !op.is_regex() {
            return Some(ValueSet::matching(op, value));
        }
        let make = || ValueSet::by_pattern(op, value);
        self.matched[usize::from(op.is_negative())].get(value, make)
    }

    /// What is known of what is recorded under a name, and the number of the first rule.
    pub fn recorded(&self, name: &str) -> Option<(u32, &[Arm])> {
        if !self.presumes(Basis::CLOSED_WORLD) {
            return None;
        }
        self.recorded.get(name).map(|(number, arms)| (*number, &**arms))
    }

    /// Whether a rule records this name.
    pub fn is_recorded(&self, name: &str) -> bool {
        self.recorded.contains_key(name)
    }

    /// A rule by its number.
    pub fn recording(&self, number: u32) -> Option<&Recording> {
        self.recordings.get(number as usize)
    }

    /// What is known of a metric.
    pub fn metric(&self, name: &str) -> Option<&Metric> {
        self.metrics.get(name)
    }

    /// The labels that tell the series of a metric apart, where that is declared.
    pub fn key_of(&self, name: &str) -> Option<&[Text]> {
        let found = self.keys.iter().find(|(pattern, _)| pattern.matches(name));
        found.map(|(_, labels)| &**labels)
    }

    /// Whether a metric is scraped, as far as its name tells.
    pub fn is_scraped(&self, name: &str) -> bool {
        !name.contains(':')
            && !matches!(name, "ALERTS" | "ALERTS_FOR_STATE")
            && !self.is_recorded(name)
            && !self.no_target_labels.iter().any(|pattern| pattern.matches(name))
    }
}

/// Analyses all rules: those that read no recorded name first, then those that read only what is
/// known already, and at last those that read each other in a circle.
fn record_all(env: &mut Env) {
    let mut numbers: HashMap<Text, Vec<usize>> = HashMap::new();
    for (number, recording) in env.recordings.iter().enumerate() {
        numbers.entry(recording.name.clone()).or_default().push(number);
    }
    let mut names: Vec<(Text, Vec<usize>)> = numbers.into_iter().collect();
    names.sort_unstable_by(|a, b| a.1.cmp(&b.1));
    let position: HashMap<Text, usize> =
        names.iter().enumerate().map(|(at, (name, _))| (name.clone(), at)).collect();
    let reads: Vec<Vec<usize>> = names
        .iter()
        .map(|(_, numbers)| {
            let read = numbers.iter().flat_map(|&number| names_read(&env.recordings[number].expr));
            let mut read: Vec<usize> =
                read.filter_map(|name| position.get(name.as_ref()).copied()).collect();
            read.sort_unstable();
            read.dedup();
            read
        })
        .collect();
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); names.len()];
    let mut missing: Vec<usize> = reads.iter().map(Vec::len).collect();
    for (reader, read) in reads.iter().enumerate() {
        read.iter().for_each(|&read| readers[read].push(reader));
    }
    let ready: Vec<usize> = (0..names.len()).filter(|&at| missing[at] == 0).collect();
    let mut done = vec![false; names.len()];
    // What is ready doesn't read each other, so it can be analysed on several threads.
    let mut run = |env: &mut Env, mut ready: Vec<usize>, done: &mut Vec<bool>| {
        while !ready.is_empty() {
            let known = &*env;
            let fresh = ready.par_iter().with_min_len(FEW).filter(|&&at| !done[at]);
            let arms = fresh.map(|&at| (at, arms_of(known, &names[at].0, &names[at].1)));
            for (at, arms) in arms.collect::<Vec<_>>() {
                let first = names[at].1.first().map_or(0, |&number| number as u32);
                env.recorded.insert(names[at].0.clone(), (first, arms));
                done[at] = true;
            }
            let mut next = Vec::new();
            for &reader in ready.iter().flat_map(|&at| &readers[at]) {
                missing[reader] = missing[reader].saturating_sub(1);
                if missing[reader] == 0 && !done[reader] {
                    next.push(reader);
                }
            }
            ready = next;
        }
    };
    run(env, ready, &mut done);
    if done.iter().all(|done| *done) {
        return;
    }
    // What is left lies in a circle or reads from one. Those that nothing of it reads are not in one.
    let mut in_circle: Vec<bool> = done.iter().map(|done| !done).collect();
    loop {
        let is_read = |at: usize| readers[at].iter().any(|&reader| in_circle[reader]);
        let Some(at) = (0..names.len()).find(|&at| in_circle[at] && !is_read(at)) else { break };
        in_circle[at] = false;
    }
    let circle: Vec<usize> = (0..names.len()).filter(|&at| in_circle[at]).collect();
    for &at in &circle {
        let first = names[at].1.first().map_or(0, |&number| number as u32);
        env.recorded.insert(names[at].0.clone(), (first, Vec::new()));
    }
    let mut is_stable = false;
    for _ in 0..MAX_ROUNDS {
        is_stable = true;
        for &at in &circle {
            let arms = arms_of(env, &names[at].0, &names[at].1);
            if let Some(known) = env.recorded.get_mut(&names[at].0)
                && known.1 != arms
            {
                known.1 = arms;
                is_stable = false;
            }
        }
        if is_stable {
            break;
        }
    }
    for &at in &circle {
        if !is_stable && let Some(known) = env.recorded.get_mut(&names[at].0) {
            known.1 = vec![named(Arm::top(), &names[at].0)];
        }
        done[at] = true;
    }
    run(env, circle, &mut done);
}

/// The names of all selectors of an expression.
fn names_read(expr: &Expr) -> impl Iterator<Item = std::borrow::Cow<'_, str>> {
    expr.nodes().iter().filter_map(|node| match node.kind {
        NodeKind::VectorSelector(id) => {
            let selector = expr.selector(id);
            let inside = expr.matchers(selector).iter().find(|matcher| {
                matcher.op == MatchOp::Equal && expr.text(matcher.name) == METRIC_NAME.as_bytes()
            });
            let name = selector.name.or(inside.map(|matcher| matcher.value))?;
            Some(expr.text_lossy(name))
        }
        _ => None,
    })
}

/// What is known of what some rules record under a name.
fn arms_of(env: &Env, name: &Text, numbers: &[usize]) -> Vec<Arm> {
    let mut arms: Vec<Arm> = Vec::new();
    for recording in numbers.iter().map(|&number| &env.recordings[number]) {
        let flows = analyse(&recording.expr, env);
        let flow = flows.root(&recording.expr);
        for arm in &flow.arms {
            let mut arm = named(arm.clone(), name);
            for (label, value) in &recording.labels {
                arm.labels.set(label.clone(), ValueSet::one(value.clone()), Basis::NONE, None);
                arm.forget_key_if(|known| known == &**label);
            }
            arm.basis = arm.basis.or(flow.basis);
            arm.settle_key();
            arms.push(arm);
        }
    }
    while arms.len() > MAX_ARMS {
        let Some(last) = arms.pop() else { break };
        let at = arms.len() % MAX_ARMS;
        arms[at] = arms[at].join(&last);
    }
    arms
}

/// What is recorded is there as long as it is looked back for, and has a name.
fn named(mut arm: Arm, name: &Text) -> Arm {
    arm.labels.set(NAMES.name.clone(), ValueSet::one(name.clone()), Basis::NONE, None);
    arm.presence = Presence::Maybe;
    arm.conditions = arm.conditions.or(Conditions::DATA);
    if arm.unstable {
        // An element that left is found until its end is marked; nothing is lost by saying less.
        arm.key = None;
    }
    arm.settle_key();
    arm
}
