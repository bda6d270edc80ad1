//! `info`: adds labels of info metrics to the series that have the same `instance` and `job`.
//!
//! Which labels a step adds depends on which info series are there, so this is one of the few
//! functions whose label sets depend on samples. The base vector is computed first; the info series
//! that can matter are then selected from the storage.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use promql_model::{Labels, METRIC_NAME, MatchOp, Matcher};
use promql_syntax::Span;

use crate::EngineError;
use crate::column::Column;
use crate::context::Context;
use crate::label_sets::braces;
use crate::operator::{Kept, Operator, SameLabels, Series, VectorOperator, merge};
use crate::plan::{Select, compile};
use crate::select::{InstantSelector, SelectorSamples, Take};
use crate::storage::{SelectHints, SelectRequest, SelectedSeries};
use crate::window::Windows;
use crate::workers::Scratch;

/// The labels that tie info series to others.
const IDENTIFYING: [&str; 2] = ["instance", "job"];

/// A call of `info`.
#[derive(Clone, Debug)]
pub(crate) struct Info {
    /// Matchers for the names of info metrics.
    names: Vec<Matcher>,
    /// Matchers for the labels to add.
    data: Vec<Matcher>,
    /// When the info series are looked at.
    windows: Windows,
    span: Span,
}

impl Info {
    /// A call with these matchers as its second argument, if it has one.
    pub(crate) fn new(
        context: &Context<'_>,
        select: Option<promql_syntax::ast::SelectorId>,
        windows: Windows,
        span: Span,
    ) -> Result<Info, EngineError> {
        let matchers = match select {
            Some(selector) => compile(context.query, selector)?,
            None => Vec::new(),
        };
        let (mut names, data): (Vec<_>, Vec<_>) =
            matchers.into_iter().partition(|matcher| matcher.name() == METRIC_NAME);
        let positive = |m: &Matcher| matches!(m.op(), MatchOp::Equal | MatchOp::Matches);
        if names.is_empty() {
            names.extend(Matcher::new(METRIC_NAME, MatchOp::Equal, "target_info"));
        } else if !names.iter().any(positive) {
            names.extend(Matcher::new(METRIC_NAME, MatchOp::Matches, ".+_info"));
        }
        Ok(Info { names, data, windows, span })
    }

    /// Whether a series is an info series itself, which is left as it is.
    fn is_info(&self, labels: &Labels) -> bool {
        let name = labels.metric_name().unwrap_or_default();
        self.names.iter().all(|matcher| matcher.matches(name))
    }

    /// Whether a series without info series is left out.
    fn requires_data(&self) -> bool {
        self.data.iter().any(|matcher| !matcher.matches(""))
    }

    /// Whether a label of an info series is one to add.
    fn adds(&self, name: &str) -> bool {
        name != METRIC_NAME
            && (self.data.is_empty() || self.data.iter().any(|matcher| matcher.name() == name))
    }

    fn error(&self, message: String, help: &str) -> EngineError {
        EngineError::Execution {
            message,
            span: Some(self.span.into()),
            help: Some(help.to_owned()),
        }
    }
}

/// The key that ties series together: the values of the identifying labels.
type Identity = [String; 2];

fn identity(labels: &Labels) -> Identity {
    IDENTIFYING.map(|name| labels.get(name).unwrap_or_default().to_owned())
}

/// The info series with the same name and identity, of which each step takes one.
#[derive(Debug, Default)]
struct Slot {
    /// The labels and the times of the samples that each step finds.
    candidates: Vec<(Labels, Column)>,
}

impl Slot {
    /// The candidate whose sample is the newest at a step.
    fn newest(&self, step: usize, info: &Info) -> Result<Option<usize>, EngineError> {
        let mut newest: Option<(usize, f64)> = None;
        for (at, (labels, times)) in self.candidates.iter().enumerate() {
            let Some(time) = times.get(step) else { continue };
            match newest {
                Some((known, known_time)) if known_time == time => {
                    let milliseconds = (time * 1000.0).round();
                    return Err(info.error(
                        format!(
                            "found duplicate series for info metric: existing {} @ \
                             {milliseconds}, new {} @ {milliseconds}",
                            braces(&self.candidates[known].0),
                            braces(labels)
                        ),
                        "an info metric should have one series for each instance and job",
                    ));
                }
                Some((_, known_time)) if known_time > time => {}
                _ => newest = Some((at, time)),
            }
        }
        Ok(newest.map(|(at, _)| at))
    }
}

/// The slots of each identity, one for each info metric.
type Slots = HashMap<Identity, Vec<Slot>>;

/// Adds the labels of info series to the series of a vector.
pub(crate) fn info<'a>(
    context: &'a Context<'a>,
    info: &Info,
    base: VectorOperator<'a>,
    steps: usize,
) -> Result<VectorOperator<'a>, EngineError> {
    let base = Kept::all_of(context, &*base, steps)?;
    let mut held = context.limits.hold(0)?;
    let enriched = base.series.iter().filter(|series| !info.is_info(&series.labels));
    let identities: BTreeSet<Identity> = enriched.map(|s| identity(&s.labels)).collect();
    let slots = read_slots(context, info, &identities)?;
    check_slots(info, &slots, &base, steps)?;
    let mut series = Vec::new();
    let mut columns = Vec::new();
    for (base_series, column) in base.series.iter().zip(&base.columns) {
        if info.is_info(&base_series.labels) {
            series.push(base_series.clone());
            held.grow_bytes(column.bytes())?;
            columns.push(column.clone());
            continue;
        }
        let slots = slots.get(&identity(&base_series.labels)).map(Vec::as_slice);
        for (labels, column) in enrich(info, base_series, column, slots.unwrap_or_default())? {
            series.push(Series { labels, drop_name: base_series.drop_name });
            held.grow_bytes(column.bytes())?;
            columns.push(column);
        }
    }
    drop(held);
    let (series, columns) = merge(&context.limits, series, columns, SameLabels::Merge)?;
    Ok(Box::new(Kept::new(context, series, columns)?))
}

/// Duplicates count wherever there is anything to add to, whether they would be used or not.
fn check_slots(
    info: &Info,
    slots: &Slots,
    base: &Kept<'_>,
    steps: usize,
) -> Result<(), EngineError> {
    let mut needed = crate::column::Bitmap::empty(steps);
    base.columns.iter().for_each(|column| needed.union(&column.valid));
    // In the order of names, so that the same failure is reported each time.
    let sorted: BTreeMap<&Identity, &Vec<Slot>> = slots.iter().collect();
    for slot in sorted.into_values().flatten().filter(|slot| slot.candidates.len() > 1) {
        for step in needed.iter() {
            slot.newest(step, info)?;
        }
    }
    Ok(())
}

/// The label sets that one series gets over the steps, with its values at those.
fn enrich(
    info: &Info,
    base: &Series,
    column: &Column,
    slots: &[Slot],
) -> Result<Vec<(Labels, Column)>, EngineError> {
    let mut outputs: Vec<(Vec<Option<usize>>, Labels, Column)> = Vec::new();
    let mut chosen: Vec<Option<usize>> = Vec::new();
    for (step, value) in column.iter() {
        chosen.clear();
        for slot in slots {
            chosen.push(slot.newest(step, info)?);
        }
        if chosen.iter().all(Option::is_none) && info.requires_data() {
            continue;
        }
        // The choice rarely changes, so the last one is tried first.
        let known = outputs.iter().rposition(|output| output.0 == chosen);
        let at = match known {
            Some(at) => at,
            None => {
                let labels = enriched_labels(info, &base.labels, slots, &chosen)?;
                let mut output = Column::default();
                output.reset(column.len());
                outputs.push((chosen.clone(), labels, output));
                outputs.len() - 1
            }
        };
        outputs[at].2.set(step, value);
    }
    Ok(outputs.into_iter().map(|(_, labels, column)| (labels, column)).collect())
}

fn enriched_labels(
    info: &Info,
    base: &Labels,
    slots: &[Slot],
    chosen: &[Option<usize>],
) -> Result<Labels, EngineError> {
    let mut added: BTreeMap<&str, &str> = BTreeMap::new();
    for (slot, chosen) in slots.iter().zip(chosen) {
        let Some(chosen) = chosen else { continue };
        for (name, value) in slot.candidates[*chosen].0.iter().filter(|(name, _)| info.adds(name)) {
            if added.insert(name, value).is_some_and(|known| known != value) {
                return Err(info.error(
                    format!("conflicting label: {name}"),
                    "two info metrics have it with different values: choose one of them by a \
                     matcher for __name__ in the second argument",
                ));
            }
        }
    }
    let mut labels = base.to_builder();
    for (name, value) in added.into_iter().filter(|(name, _)| base.get(name).is_none()) {
        labels.set(name, value);
    }
    Ok(labels.build())
}

/// Selects the info series of some identities and finds their samples for each step.
fn read_slots(
    context: &Context<'_>,
    info: &Info,
    identities: &BTreeSet<Identity>,
) -> Result<Slots, EngineError> {
    let mut matchers = info.names.clone();
    matchers.extend(info.data.iter().cloned());
    let mut restricted = false;
    for (at, name) in IDENTIFYING.into_iter().enumerate() {
        let values: BTreeSet<&str> =
            identities.iter().map(|i| i[at].as_str()).filter(|value| !value.is_empty()).collect();
        if !values.is_empty() {
            restricted = true;
            let any = values.into_iter().map(escaped).collect::<Vec<_>>().join("|");
            matchers.extend(Matcher::new(name, MatchOp::Matches, any));
        }
    }
    let mut slots = Slots::new();
    if !restricted {
        return Ok(slots);
    }
    let request = SelectRequest {
        matchers: &matchers,
        range: info.windows.time_range(),
        hints: SelectHints { step: info.windows.stride, range: 0, function: Some("info") },
        cancellation: context.limits.cancellation(),
    };
    let selected = context.storage.select(&request)?;
    context.annotations.of_storage(selected.annotations());
    let mut by_name: BTreeMap<(String, Identity), Slot> = BTreeMap::new();
    for (labels, times) in sample_times(context, info, &*selected)? {
        let name = labels.metric_name().unwrap_or_default().to_owned();
        let slot = by_name.entry((name, identity(&labels))).or_default();
        slot.candidates.push((labels, times));
    }
    for ((_, identity), slot) in by_name {
        slots.entry(identity).or_default().push(slot);
    }
    Ok(slots)
}

/// For each selected series the times of the samples that the steps find.
fn sample_times(
    context: &Context<'_>,
    info: &Info,
    selected: &dyn SelectedSeries,
) -> Result<Vec<(Labels, Column)>, EngineError> {
    let select =
        Select { selector: None, selection: 0, windows: info.windows, before: 0, after: 0 };
    let samples = SelectorSamples::new(context, selected, select);
    let series = samples.series.clone();
    let selector =
        InstantSelector { samples, take: Take::Timestamp, series, operation: context.operations };
    let compute = |index: usize, scratch: &mut Scratch| {
        let mut column = Column::default();
        selector.column(index, scratch, &mut column)?;
        Ok(column)
    };
    let mut times = Vec::new();
    let count = selector.series.len();
    context.workers.run(count, info.windows.len, compute, |index, column: Column| {
        if !column.valid.is_empty() {
            context.limits.keep_bytes(column.bytes())?;
            times.push((selector.series[index].labels.clone(), column));
        }
        Ok(())
    })?;
    Ok(times)
}

/// A text as a regular expression that matches it alone.
fn escaped(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for character in text.chars() {
        if r"\.+*?()|[]{}^$".contains(character) {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}
