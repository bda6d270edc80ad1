//! Functions that change labels and leave values alone.

use promql_model::{METRIC_NAME, Rewrite};
use promql_syntax::ast::{NodeId, NodeKind};

use super::flags::{Basis, Conditions, Failures};
use super::labels::Reason;
use super::value_set::MAX_TEXTS;
use super::{Arm, Flow, Here, NAMES, Presence, Text, ValueSet, Walk};

impl Walk<'_> {
    /// `label_replace(v, destination, replacement, source, regex)`.
    pub(super) fn label_replace(&self, here: Here, args: &[NodeId]) -> Flow {
        let flow = self.flow(args[0]);
        let strings = args[1..].iter().map(|&arg| self.string(arg)).collect::<Option<Vec<_>>>();
        let Some([destination, replacement, source, regex]) =
            strings.and_then(|strings| <[Text; 4]>::try_from(strings).ok())
        else {
            return Flow::top(flow.value_type);
        };
        let rewrite = Rewrite::new(regex.as_bytes(), &replacement).ok();
        let mut failures = label_failures(flow, &destination);
        if rewrite.is_none() {
            failures = failures.or(Failures::PARAMETER);
        }
        let mut mapped = flow.map(|arm| {
            let values = match &rewrite {
                None => Some(ValueSet::ANY),
                Some(rewrite) => rewritten(arm, rewrite, &destination, &source, &replacement),
            };
            if let Some(values) = values {
                relabel(here, arm, &destination, values, arm.labels.basis(&source));
            }
            Ok(())
        });
        mapped.failures = failures;
        mapped
    }

    /// `label_join(v, destination, separator, source, …)`.
    pub(super) fn label_join(&self, here: Here, args: &[NodeId]) -> Flow {
        let flow = self.flow(args[0]);
        let strings = args[1..].iter().map(|&arg| self.string(arg)).collect::<Option<Vec<_>>>();
        let Some((destination, separator, sources)) =
            strings.as_deref().and_then(|strings| match strings {
                [destination, separator, sources @ ..] => Some((destination, separator, sources)),
                _ => None,
            })
        else {
            return Flow::top(flow.value_type);
        };
        let mut failures = label_failures(flow, destination);
        if sources.iter().any(|source| source.is_empty()) {
            failures = failures.or(Failures::PARAMETER);
        }
        let mut mapped = flow.map(|arm| {
            let values = joined(arm, separator, sources);
            let basis = sources.iter().fold(Basis::NONE, |b, label| b.or(arm.labels.basis(label)));
            relabel(here, arm, destination, values, basis);
            Ok(())
        });
        mapped.failures = failures;
        mapped
    }

    /// `info(v, selector)`: labels of info metrics, where an element has none of that name.
    pub(super) fn info(&self, here: Here, args: &[NodeId]) -> Flow {
        let flow = self.flow(args[0]);
        let mut added: Vec<(Text, ValueSet)> = Vec::new();
        let mut requires = false;
        if let Some(NodeKind::VectorSelector(id)) = args.get(1).map(|&arg| self.expr.kind(arg)) {
            for matcher in self.expr.matchers(self.expr.selector(id)) {
                let label = self.text(matcher.name);
                let values = self.env.matching(matcher.op, self.expr.text(matcher.value));
                let values = values.unwrap_or(ValueSet::ANY);
                requires |= &*label != METRIC_NAME && !values.can_be_absent();
                if &*label != METRIC_NAME {
                    added.push((label, values));
                }
            }
        }
        let change = here.changes(Reason::Added);
        let mut mapped = flow.map(|arm| {
            let key = arm.key.take();
            if added.is_empty() {
                // Any label may come, but those of the metric itself stay as they are.
                let known: Vec<Text> = arm.labels.iter().map(|label| label.name.clone()).collect();
                for name in known {
                    self.add(arm, &name, &ValueSet::ANY, change);
                }
                if !arm.labels.is_open() {
                    for name in [&NAMES.name, &NAMES.job, &NAMES.instance] {
                        if arm.labels.entry(name).is_none() {
                            arm.labels.set(name.clone(), ValueSet::ABSENT, Basis::NONE, None);
                        }
                    }
                }
                arm.labels.open_up();
            }
            for (label, values) in &added {
                self.add(arm, label, values, change);
            }
            if requires {
                arm.presence = arm.presence.min(Presence::Maybe);
                arm.conditions = arm.conditions.or(Conditions::JOIN);
            }
            arm.key = key;
            // What was known to tell elements apart still is there.
            arm.settle_key();
            Ok(())
        });
        mapped.failures = Failures::ALL;
        mapped
    }

    /// A label that an element may get if it has none of that name.
    fn add(&self, arm: &mut Arm, name: &Text, values: &ValueSet, change: super::Change) {
        let identifies = [&*NAMES.name, &*NAMES.job, &*NAMES.instance].contains(&&**name);
        let old = arm.labels.get(name).clone();
        if identifies || !old.can_be_absent() {
            return;
        }
        let widened = old.join(&values.clone().or_absent());
        let basis = arm.labels.basis(name);
        arm.labels.set(name.clone(), widened, basis, Some(change));
    }
}

/// What a label is after `label_replace`; nothing if that never changes it.
fn rewritten(
    arm: &Arm,
    rewrite: &Rewrite,
    destination: &Text,
    source: &Text,
    replacement: &Text,
) -> Option<ValueSet> {
    let (from, old) = (arm.labels.get(source), arm.labels.get(destination));
    let Some(texts) = from.finite() else {
        // A replacement without references is what the label becomes, if it is changed.
        let new = match replacement.contains('$') {
            true => ValueSet::ANY,
            false => ValueSet::one(replacement.clone()),
        };
        return Some(old.join(&new));
    };
    let mut values = ValueSet::NEVER;
    let mut is_changed = false;
    let absent = from.can_be_absent().then_some("");
    for text in texts.iter().map(|text| &**text).chain(absent) {
        let value = match rewrite.apply(text) {
            Some(expanded) => {
                is_changed = true;
                ValueSet::one(expanded.into())
            }
            // The old value of the label itself is known then.
            None if source == destination => ValueSet::one(text.into()),
            None => old.clone(),
        };
        values = values.join(&value);
    }
    is_changed.then_some(values)
}

/// What a label is after `label_join`.
fn joined(arm: &Arm, separator: &str, sources: &[Text]) -> ValueSet {
    let mut texts: Vec<String> = vec![String::new()];
    for (at, source) in sources.iter().enumerate() {
        let values = arm.labels.get(source);
        let Some(finite) = values.finite() else {
            // It can't be empty if a part can't, or if there is a separator.
            let certain = sources.iter().any(|source| arm.labels.get(source).is_certain());
            let separated = sources.len() > 1 && !separator.is_empty();
            return if certain || separated { ValueSet::CERTAIN } else { ValueSet::ANY };
        };
        let absent = values.can_be_absent().then_some("");
        let values: Vec<&str> = finite.iter().map(|text| &**text).chain(absent).collect();
        if texts.len().saturating_mul(values.len()) > MAX_TEXTS {
            return ValueSet::ANY;
        }
        let between = if at > 0 { separator } else { "" };
        let append = |text: &String| -> Vec<String> {
            values.iter().map(|value| format!("{text}{between}{value}")).collect()
        };
        texts = texts.iter().flat_map(append).collect();
    }
    ValueSet::of(texts.into_iter().map(Text::from))
}

fn relabel(here: Here, arm: &mut Arm, label: &Text, values: ValueSet, basis: Basis) {
    if values == *arm.labels.get(label) && values.constant().is_some() {
        return;
    }
    arm.labels.set(label.clone(), values, basis, Some(here.changes(Reason::Set)));
    arm.forget_key_if(|name| name == &**label);
    arm.settle_key();
}

/// Changing a label can make elements alike, unless they had none.
fn label_failures(flow: &Flow, label: &Text) -> Failures {
    let parameter = if label.is_empty() { Failures::PARAMETER } else { Failures::NONE };
    match &*flow.arms {
        [] => parameter,
        [arm] if arm.labels.get(label).constant().is_some() => parameter,
        _ => parameter.or(Failures::SAME_LABELS),
    }
}
