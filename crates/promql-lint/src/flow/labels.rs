//! What is known of the labels of elements: for each label what its value can be, and whether there
//! can be labels that nothing is known about.

use promql_model::METRIC_NAME;
use promql_syntax::ast::NodeId;
use smallvec::SmallVec;

use super::Text;
use super::flags::Basis;
use super::value_set::{self, ValueSet};

/// The labels that go when an operation drops the metric's name.
const METADATA: [&str; 3] = [METRIC_NAME, "__type__", "__unit__"];

/// Where and why the values of a label became what they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The node of the expression.
    pub node: NodeId,
    /// What happened there.
    pub reason: Reason,
}

/// Why a label has the values that it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A matcher of a selector says so.
    Matcher,
    /// An aggregation with `by` keeps other labels only, or one with `without` removes it.
    Aggregated,
    /// It is not among the labels of `on`, or it is one of `ignoring`.
    Matched,
    /// It is copied by `group_left` or `group_right` from the other side.
    Included,
    /// `label_replace`, `label_join`, `count_values` or `histogram_quantiles` sets it.
    Set,
    /// The operation drops the metric's name.
    NameDropped,
    /// The result has labels only that the function knows.
    NoLabels,
    /// `histogram_quantile` and its relatives consume it.
    Consumed,
    /// `info` adds it.
    Added,
    /// The recording rules with this name say so, the first of which is the one with this number.
    Recorded(u32),
    /// Scraped series have it.
    Presumed,
    /// What is known of the metric says so.
    Known,
}

/// What is known of one label.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// The name.
    pub name: Text,
    /// What the value can be.
    pub values: ValueSet,
    /// What that rests on.
    pub basis: Basis,
    /// The last change.
    pub change: Option<Change>,
}

/// What is known of the labels of the elements of an arm.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Labels {
    /// Sorted by name.
    entries: SmallVec<[Label; 4]>,
    /// Whether labels that are not listed can be there.
    open: bool,
    /// The change after which labels that are not listed are absent.
    closed: Option<Change>,
}

impl Labels {
    /// Any labels.
    pub fn open() -> Labels {
        Labels { open: true, ..Labels::default() }
    }

    /// No labels.
    pub fn none(change: Option<Change>) -> Labels {
        Labels { closed: change, ..Labels::default() }
    }

    /// Whether labels that are not listed can be there.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// The labels about which something is known.
    pub fn iter(&self) -> impl Iterator<Item = &Label> {
        self.entries.iter()
    }

    /// What is known of a label, if it is listed.
    pub fn entry(&self, name: &str) -> Option<&Label> {
        self.position(name).ok().map(|at| &self.entries[at])
    }

    /// What the value of a label can be.
    pub fn get(&self, name: &str) -> &ValueSet {
        match self.position(name) {
            Ok(at) => &self.entries[at].values,
            Err(_) if self.open => &value_set::ANY,
            Err(_) => &value_set::ABSENT,
        }
    }

    /// What is known of a label rests on this.
    pub fn basis(&self, name: &str) -> Basis {
        self.entry(name).map_or(Basis::NONE, |label| label.basis)
    }

    /// The last change of a label: of its own, or the one that left no other labels.
    pub fn change(&self, name: &str) -> Option<Change> {
        match self.entry(name) {
            Some(label) => label.change,
            None if self.open => None,
            None => self.closed,
        }
    }

    fn position(&self, name: &str) -> Result<usize, usize> {
        // There are few, and most lookups are for one of the first.
        match self.entries.iter().position(|label| *label.name >= *name) {
            Some(at) if *self.entries[at].name == *name => Ok(at),
            Some(at) => Err(at),
            None => Err(self.entries.len()),
        }
    }

    /// Says what the value of a label can be.
    pub fn set(&mut self, name: Text, values: ValueSet, basis: Basis, change: Option<Change>) {
        // What is absent, or anything, without a place to tell of is what is not listed.
        match self.position(&name) {
            Ok(at) => self.entries[at] = Label { name, values, basis, change },
            Err(at) => self.entries.insert(at, Label { name, values, basis, change }),
        }
    }

    /// Narrows a label to the values in a set.
    pub fn narrow(&mut self, name: &Text, values: &ValueSet, basis: Basis, change: Option<Change>) {
        match self.position(name) {
            Ok(at) => {
                let entry = &mut self.entries[at];
                let met = entry.values.meet(values);
                if met != entry.values {
                    entry.values = met;
                    entry.basis = entry.basis.or(basis);
                    entry.change = change.or(entry.change);
                }
            }
            Err(_) if self.open => {
                if !values.is_any() {
                    self.set(name.clone(), values.clone(), basis, change);
                }
            }
            Err(_) if values.can_be_absent() => {}
            Err(_) => self.set(name.clone(), ValueSet::NEVER, basis, change.or(self.closed)),
        }
    }

    /// Removes a label.
    pub fn delete(&mut self, name: &Text, change: Change) {
        match self.position(name) {
            Ok(at) if self.entries[at].values.is_absent() => {}
            Ok(at) => {
                let entry = &mut self.entries[at];
                entry.values = ValueSet::ABSENT;
                entry.basis = Basis::NONE;
                entry.change = Some(change);
            }
            Err(_) if self.open => {
                self.set(name.clone(), ValueSet::ABSENT, Basis::NONE, Some(change));
            }
            Err(_) => {}
        }
    }

    /// Removes the metric's name, its type and its unit. Nothing is said of the latter two where
    /// nothing was known of them.
    pub fn drop_name(&mut self, name: &Text, change: Change) {
        self.delete(name, change);
        for known in &METADATA[1..] {
            if let Ok(at) = self.position(known) {
                self.entries[at].values = ValueSet::ABSENT;
                self.entries[at].change = Some(change);
            }
        }
    }

    /// Only the given labels.
    #[must_use]
    pub fn only(&self, names: &[Text], change: Change) -> Labels {
        let mut kept = Labels::none(Some(change));
        for name in names {
            let values = self.get(name);
            // A label that was absent before stays so for the old reason.
            match self.entry(name) {
                Some(entry) => {
                    kept.set(name.clone(), values.clone(), entry.basis, entry.change);
                }
                None if self.open => kept.set(name.clone(), values.clone(), Basis::NONE, None),
                None => kept.set(name.clone(), ValueSet::ABSENT, Basis::NONE, self.closed),
            }
        }
        kept
    }

    /// Whether some label has no possible value.
    pub fn contradiction(&self) -> Option<&Label> {
        self.entries.iter().find(|label| label.values.is_never())
    }

    /// What is known if either is.
    #[must_use]
    pub fn join(&self, other: &Labels) -> Labels {
        let open = self.open || other.open;
        let mut joined = Labels { open, closed: self.closed.or(other.closed), ..Labels::default() };
        for label in self.all_names(other) {
            let values = self.get(label).join(other.get(label));
            let is_default = if open { values.is_any() } else { values.is_absent() };
            let change = self.change(label).or(other.change(label));
            if !is_default || (!open && change.is_some()) {
                let basis = self.basis(label).or(other.basis(label));
                joined.set(label.clone(), values, basis, change);
            }
        }
        joined
    }

    /// The names that either lists, sorted, each once.
    pub(super) fn all_names<'a>(&'a self, other: &'a Labels) -> impl Iterator<Item = &'a Text> {
        let mut mine = self.entries.iter().map(|label| &label.name).peekable();
        let mut theirs = other.entries.iter().map(|label| &label.name).peekable();
        std::iter::from_fn(move || match (mine.peek(), theirs.peek()) {
            (Some(a), Some(b)) if a == b => {
                theirs.next();
                mine.next()
            }
            (Some(a), Some(b)) if a < b => mine.next(),
            (Some(_), None) => mine.next(),
            _ => theirs.next(),
        })
    }

    /// Any labels may be there in addition, where nothing was known to be absent for good.
    pub(super) fn open_up(&mut self) {
        self.open = true;
        self.closed = None;
    }

    /// Labels that are not listed are absent from now on, but those named stay as they are.
    pub(super) fn close_except<'a>(
        &mut self,
        kept: impl Iterator<Item = &'a Text>,
        change: Change,
    ) {
        for name in kept {
            if self.entry(name).is_none() {
                self.set(name.clone(), ValueSet::ANY, Basis::NONE, None);
            }
        }
        self.open = false;
        self.closed = Some(change);
    }

    /// Labels that are not listed are absent because of this, if they are.
    pub(super) fn close_by(&mut self, change: Change) {
        if !self.open {
            self.closed = Some(change);
        }
    }

    /// Changes what is known of each label.
    pub(super) fn for_each_mut(&mut self, f: impl FnMut(&mut Label)) {
        self.entries.iter_mut().for_each(f);
    }
}
