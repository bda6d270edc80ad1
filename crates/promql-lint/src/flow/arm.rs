//! One of the ways in which the elements of a result come about, and what is known of those.

use super::Text;
use super::flags::{Basis, Conditions};
use super::labels::Labels;
use super::quantity::Quantity;
use super::range::Range;

/// Whether there is something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Presence {
    /// There never is.
    Never,
    /// There can be.
    Maybe,
    /// There always is.
    Always,
}

/// Which samples there can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Samples {
    /// Numbers.
    Float,
    /// Native histograms.
    Histogram,
    /// Both.
    Either,
}

impl Samples {
    /// Whether numbers are possible.
    pub const fn has_floats(self) -> bool {
        !matches!(self, Samples::Histogram)
    }

    /// Whether native histograms are possible.
    pub const fn has_histograms(self) -> bool {
        !matches!(self, Samples::Float)
    }

    /// Those of either. `None`: neither.
    pub(super) const fn of(floats: bool, histograms: bool) -> Option<Samples> {
        match (floats, histograms) {
            (true, true) => Some(Samples::Either),
            (true, false) => Some(Samples::Float),
            (false, true) => Some(Samples::Histogram),
            (false, false) => None,
        }
    }
}

/// What is known of the elements that come about in one way. Only `or` makes several ways of one.
#[derive(Clone, Debug, PartialEq)]
pub struct Arm {
    /// What the labels can be.
    pub labels: Labels,
    /// No two elements agree on all labels of the key. None: they differ in some label. Sorted,
    /// without labels that have only one possible value.
    pub key: Option<Vec<Text>>,
    /// Whether there are such elements.
    pub presence: Presence,
    /// Why there may be none.
    pub conditions: Conditions,
    /// What the value can be, of elements that are numbers.
    pub value: Range,
    /// What the samples stand for.
    pub quantity: Quantity,
    /// Which samples there can be.
    pub samples: Samples,
    /// Whether membership depends on rank, so that elements come and go.
    pub unstable: bool,
    /// What the existence of this arm rests on; labels, values and quantity have a basis each.
    pub basis: Basis,
}

impl Arm {
    /// Elements of which nothing is known.
    pub fn top() -> Arm {
        Arm {
            labels: Labels::open(),
            key: None,
            presence: Presence::Maybe,
            conditions: Conditions::DATA,
            value: Range::ANY,
            quantity: Quantity::UNKNOWN,
            samples: Samples::Either,
            unstable: false,
            basis: Basis::NONE,
        }
    }

    /// One number without labels.
    pub fn scalar(value: Range) -> Arm {
        Arm {
            labels: Labels::default(),
            key: Some(Vec::new()),
            presence: Presence::Always,
            conditions: Conditions::NONE,
            value,
            quantity: Quantity::UNKNOWN,
            samples: Samples::Float,
            unstable: false,
            basis: Basis::NONE,
        }
    }

    /// Whether these elements need something from outside to be there.
    pub fn is_conditional(&self) -> bool {
        self.conditions.is_conditional()
    }

    /// Everything that what is said of this arm rests on.
    pub fn whole_basis(&self) -> Basis {
        let labels = self.labels.iter().fold(Basis::NONE, |basis, label| basis.or(label.basis));
        self.basis.or(labels).or(self.value.basis).or(self.quantity.basis)
    }

    /// The key, without labels that can't tell elements apart. Where all labels are known they are
    /// one.
    pub(super) fn settle_key(&mut self) {
        let labels = &self.labels;
        if self.key.is_none() && !labels.is_open() {
            self.key = Some(labels.iter().map(|label| label.name.clone()).collect());
        }
        if let Some(key) = &mut self.key {
            key.retain(|name| labels.get(name).constant().is_none());
        }
    }

    /// The key after labels were changed or removed: none, if one of them is in it.
    pub(super) fn forget_key_if(&mut self, changed: impl Fn(&str) -> bool) {
        // A label with only one possible value tells nothing apart, whatever becomes of it.
        if self.key.as_ref().is_some_and(|key| key.iter().any(|name| changed(name))) {
            self.key = None;
        }
    }

    /// How many elements there can be at most, if that is known.
    pub fn at_most(&self) -> Option<usize> {
        let key = self.key.as_ref()?;
        key.iter().try_fold(1_usize, |product, name| {
            product.checked_mul(self.labels.get(name).count()?).filter(|count| *count <= 1 << 20)
        })
    }

    /// What is known of elements that come about in either way.
    #[must_use]
    pub fn join(&self, other: &Arm) -> Arm {
        let mut joined = Arm {
            labels: self.labels.join(&other.labels),
            key: None,
            presence: self.presence.min(other.presence),
            conditions: self.conditions.or(other.conditions),
            value: self.value.hull(&other.value),
            quantity: self.quantity.join(other.quantity),
            samples: if self.samples == other.samples { self.samples } else { Samples::Either },
            unstable: self.unstable || other.unstable,
            basis: self.basis.or(other.basis),
        };
        joined.settle_key();
        joined
    }
}
