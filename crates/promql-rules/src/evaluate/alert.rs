//! Alerting rules: from the elements of a result to alerts. How they stand is the matter of `course.rs`.
//!
//! An alert is known by its labels, those that templates make of the value included: labels that vary
//! with the value make a new alert each time.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use promql_model::{Labels, LabelsBuilder, METRIC_NAME, SampleValue, VectorElement};

use super::course::{AlertChange, Course, Step};
use super::prepare::PreparedRule;
use super::{Alert, AlertState, Surroundings};
use crate::template::{AlertData, Sample, Template, Value, label_map};

/// What happened to an alert.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// When, in milliseconds since the epoch.
    pub time: i64,
    /// The labels of the alert.
    pub labels: Labels,
    /// What.
    pub change: AlertChange,
}

/// An alert of a rule.
#[derive(Clone, Debug)]
pub(super) struct Instance {
    course: Course,
    /// What templates see.
    data: Arc<AlertData>,
    /// Expanded when the element came; nothing if that can wait until somebody asks.
    annotations: Option<Vec<(String, String)>>,
    /// The labels of what is written: `ALERTS` while pending and while firing, and
    /// `ALERTS_FOR_STATE`.
    pending_series: Labels,
    firing_series: Labels,
    for_series: Labels,
}

/// What a template may ask.
struct Around<'a> {
    surroundings: &'a dyn Surroundings,
    timestamp: i64,
    /// The template that is expanded: labels first, then annotations.
    template: usize,
}

impl crate::template::Surroundings for Around<'_> {
    fn query(&mut self, expression: &str) -> Result<Vec<Sample>, String> {
        self.surroundings.query(expression, self.timestamp)
    }

    fn timestamp(&self) -> i64 {
        self.timestamp
    }

    fn branch(&mut self, at: usize, taken: bool) {
        self.surroundings.branch(self.template, at, taken);
    }
}

/// The alerts of a rule.
#[derive(Clone, Debug, Default)]
pub(super) struct Alerts {
    instances: HashMap<Labels, Instance>,
    builder: LabelsBuilder,
    /// What happened to them, if that is asked for.
    pub(super) transitions: Option<Vec<Transition>>,
}

/// A sample that an alerting rule writes.
pub(super) type Written = (Labels, SampleValue);

impl Alerts {
    /// Takes the elements of a result at a time, and gives what is to be written.
    ///
    /// # Errors
    /// When two elements come to the same labels, or there are more alerts than the rule may have.
    pub(super) fn update(
        &mut self,
        rule: &PreparedRule,
        elements: Vec<VectorElement>,
        timestamp: i64,
        surroundings: &dyn Surroundings,
    ) -> Result<Vec<Written>, String> {
        let mut present: HashSet<Labels> = HashSet::with_capacity(elements.len());
        let mut found = Vec::with_capacity(elements.len());
        for element in elements {
            let data = self.data(&element, surroundings);
            let labels = self.labels(rule, &element.labels, &data, timestamp, surroundings);
            if !present.insert(labels.clone()) {
                return Err("vector contains metrics with the same labelset after applying \
                            alert labels"
                    .to_owned());
            }
            // What queries give depends on when they are asked.
            let annotations = rule
                .queries_in_annotations
                .then(|| annotations(rule, &data, timestamp, surroundings));
            found.push((labels, data, annotations));
        }
        for (labels, data, annotations) in found {
            match self.instances.get_mut(&labels) {
                Some(instance) if instance.course.state != AlertState::Inactive => {
                    instance.data = data;
                    instance.annotations = annotations;
                }
                _ => {
                    let instance = self.instance(rule, &labels, data, annotations, timestamp);
                    self.instances.insert(labels, instance);
                }
            }
        }
        let mut written = Vec::with_capacity(2 * present.len());
        let mut active = 0;
        self.instances.retain(|labels, instance| {
            let is_present = present.contains(labels);
            let (outcome, change) = instance.course.step(rule.holding(), is_present, timestamp);
            if let Some(transitions) = &mut self.transitions
                && let Some(change) = change
            {
                transitions.push(Transition { time: timestamp, labels: labels.clone(), change });
            }
            if outcome == Step::Active {
                active += 1;
                instance.write(&mut written);
            }
            outcome != Step::Forgotten
        });
        if rule.limit > 0 && active > rule.limit {
            self.instances.clear();
            return Err(format!("exceeded limit of {} with {active} alerts", rule.limit));
        }
        // The map has no order, and neither has upstream's.
        written.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(written)
    }

    /// The alerts that are pending or firing, with their annotations, sorted.
    pub(super) fn active(
        &self,
        rule: &PreparedRule,
        timestamp: i64,
        surroundings: &dyn Surroundings,
    ) -> Vec<Alert> {
        let active = self.instances.iter().filter(|(_, i)| i.course.state != AlertState::Inactive);
        let alert = |(labels, instance): (&Labels, &Instance)| Alert {
            state: instance.course.state,
            labels: labels.clone(),
            annotations: match &instance.annotations {
                Some(annotations) => annotations.clone(),
                None => annotations(rule, &instance.data, timestamp, surroundings),
            },
            active_at: instance.course.active_at,
            keep_firing_since: instance.course.keep_firing_since,
            value: match instance.data.value {
                Value::Float(value) => value,
                _ => 0.0,
            },
        };
        let mut alerts: Vec<Alert> = active.map(alert).collect();
        alerts.sort_by(|a, b| a.labels.cmp(&b.labels));
        alerts
    }

    /// How long the longest of the alerts that are pending has been, and of those that fire on without
    /// their condition, in milliseconds; 0 if there is none.
    pub(super) fn longest_waits(&self, timestamp: i64) -> (i64, i64) {
        let pending = self.instances.values().filter(|i| i.course.state == AlertState::Pending);
        let kept = self.instances.values().filter(|i| i.course.state == AlertState::Firing);
        (
            pending.map(|instance| timestamp - instance.course.active_at).max().unwrap_or(0),
            kept.filter_map(|i| Some(timestamp - i.course.keep_firing_since?)).max().unwrap_or(0),
        )
    }

    /// Whether one of them fires.
    pub(super) fn is_firing(&self) -> bool {
        self.instances.values().any(|instance| instance.course.state == AlertState::Firing)
    }

    fn data(&self, element: &VectorElement, surroundings: &dyn Surroundings) -> Arc<AlertData> {
        Arc::new(AlertData {
            labels: Arc::new(label_map(&element.labels)),
            external_labels: surroundings.external_labels(),
            external_url: surroundings.external_url(),
            value: (&element.value).into(),
        })
    }

    /// The labels of an alert: those of the element without the name, those of the rule, and the name
    /// of the alert.
    fn labels(
        &mut self,
        rule: &PreparedRule,
        of_element: &Labels,
        data: &Arc<AlertData>,
        timestamp: i64,
        surroundings: &dyn Surroundings,
    ) -> Labels {
        let builder = &mut self.builder;
        builder.reset(of_element).remove(METRIC_NAME);
        for (number, (name, _, template)) in rule.templates.iter().enumerate() {
            let mut around = Around { surroundings, timestamp, template: number };
            builder.set(name, expand(template, data, &mut around));
        }
        builder.set("alertname", &rule.name);
        builder.build()
    }

    fn instance(
        &mut self,
        rule: &PreparedRule,
        labels: &Labels,
        data: Arc<AlertData>,
        annotations: Option<Vec<(String, String)>>,
        timestamp: i64,
    ) -> Instance {
        let builder = &mut self.builder;
        builder.reset(&Labels::empty());
        // A label whose template comes to nothing is written with its template, as upstream does.
        for (name, text, _) in &rule.templates {
            builder.set(name, text);
        }
        for (name, value) in labels.iter() {
            builder.set(name, value);
        }
        builder.set(METRIC_NAME, "ALERTS_FOR_STATE");
        let for_series = builder.build();
        builder.set(METRIC_NAME, "ALERTS").set("alertstate", "pending");
        let pending_series = builder.build();
        let firing_series = builder.set("alertstate", "firing").build();
        Instance {
            course: Course::new(timestamp),
            data,
            annotations,
            pending_series,
            firing_series,
            for_series,
        }
    }
}

impl Instance {
    fn write(&self, written: &mut Vec<Written>) {
        let series = match self.course.state {
            AlertState::Firing => &self.firing_series,
            _ => &self.pending_series,
        };
        written.push((series.clone(), SampleValue::Float(1.0)));
        // Upstream cuts to whole seconds.
        let seconds = self.course.active_at.div_euclid(1000) as f64;
        written.push((self.for_series.clone(), SampleValue::Float(seconds)));
    }
}

/// A template's text; if it fails, what Prometheus puts into its place.
fn expand(template: &Template, data: &Arc<AlertData>, around: &mut Around<'_>) -> String {
    if template.is_plain() {
        return template.source().to_owned();
    }
    let dot = Value::Alert(Arc::clone(data));
    match template.expand(&dot, around) {
        Ok(text) => text,
        Err(error) => {
            around.surroundings.template_failed(around.template, &error);
            format!("<error expanding template: {error}>")
        }
    }
}

fn annotations(
    rule: &PreparedRule,
    data: &Arc<AlertData>,
    timestamp: i64,
    surroundings: &dyn Surroundings,
) -> Vec<(String, String)> {
    let expanded = |(number, (name, template)): (usize, &(String, Template))| {
        let template_number = rule.templates.len() + number;
        let mut around = Around { surroundings, timestamp, template: template_number };
        (name.clone(), expand(template, data, &mut around))
    };
    let all = rule.annotations.iter().enumerate();
    let by_name: BTreeMap<String, String> = all.map(expanded).collect();
    by_name.into_iter().collect()
}
