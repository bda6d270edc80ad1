//! What may be written at the cursor.
//!
//! The place decides what kinds of things are offered ([`operand`], [`labels`], [`durations`]), the
//! pattern (what is written of the token up to the cursor) which of them, and then they are ranked: by
//! how well the pattern fits, by how well the type fits, by how often a name was used, and by length.
//! What is chosen replaces the whole token, also its part behind the cursor.

mod durations;
mod labels;
mod operand;

use std::cmp::Reverse;
use std::ops::Range;

use crate::catalogue::{Catalogue, Question};
use crate::cursor::{Cursor, Place};
use crate::names::{Fit, fit};

/// How many items are offered at most.
pub const MOST_ITEMS: usize = 200;

/// What may be written at a cursor.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Completions {
    /// The part of the text that an item replaces, in bytes.
    pub replaced: Range<usize>,
    /// What may be written, best first; at most [`MOST_ITEMS`].
    pub items: Vec<Item>,
    /// What would be of use and isn't known. With the answers there may be other items.
    pub missing: Vec<Question>,
}

/// Something that may be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// How it is shown.
    pub label: String,
    /// What is written.
    pub insert: String,
    /// Where the cursor stands then, in bytes of `insert`.
    pub caret: usize,
    /// What it is.
    pub kind: ItemKind,
    /// A few words about it; often empty.
    pub detail: String,
    /// Whether its type is the one that is wanted here. Others are shown greyed.
    pub fits: bool,
}

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ItemKind {
    /// A metric.
    Metric,
    /// A function.
    Function,
    /// An aggregation operator.
    Aggregation,
    /// A variable.
    Variable,
    /// A word or an operator of the language.
    Keyword,
    /// A label.
    Label,
    /// A label's value.
    Value,
    /// A duration, or a unit behind a number.
    Duration,
    /// A time.
    Time,
}

/// What may be written at a cursor, a byte offset into the text.
///
/// ```
/// use promql_ide::{Snapshot, complete};
/// let text = "sum(up) b";
/// let found = complete(text, text.len(), &Snapshot::new());
/// assert_eq!(found.items[0].insert, "by (");
/// ```
pub fn complete(text: &str, cursor: usize, catalogue: &dyn Catalogue) -> Completions {
    let cursor = Cursor::new(text, cursor);
    let mut offer = Offer {
        cursor: &cursor,
        catalogue,
        pattern: cursor.pattern().to_owned(),
        ranked: Vec::new(),
        missing: Vec::new(),
    };
    match cursor.place() {
        Place::Nowhere => {}
        Place::Operand(before) => operand::operand(&mut offer, before),
        Place::Behind(behind) => operand::behind(&mut offer, behind),
        Place::Clause => operand::clause(&mut offer),
        Place::List => operand::parenthesis(&mut offer, "the labels"),
        Place::ListLabel(list) => labels::of_list(&mut offer, list),
        Place::LabelName => labels::names(&mut offer),
        Place::MatchOperator => labels::operators(&mut offer),
        Place::LabelValue => labels::values(&mut offer),
        Place::Text => labels::text(&mut offer),
        Place::Duration(span) => durations::durations(&mut offer, span),
        Place::Time => durations::times(&mut offer),
    }
    let Offer { mut ranked, missing, .. } = offer;
    ranked.sort_by(|(a, x), (b, y)| a.cmp(b).then_with(|| x.label.cmp(&y.label)));
    let items = ranked.into_iter().map(|(_, item)| item).take(MOST_ITEMS).collect();
    Completions { replaced: cursor.replaced(), items, missing }
}

/// The order of items, smaller first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    fit: Fit,
    /// What suits the place, then what fits, then the rest.
    suits: Reverse<Suits>,
    uses: Reverse<u32>,
    /// What the place wants first, from 0.
    group: u8,
    length: usize,
}

/// How well the type of an item suits the place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Suits {
    Not,
    Somehow,
    Well,
}

/// The group of what the place is made for, as counters are for `rate`.
const SUITS: u8 = 0;

/// What is offered so far.
struct Offer<'a> {
    cursor: &'a Cursor,
    catalogue: &'a dyn Catalogue,
    /// What is written of the token up to the cursor.
    pattern: String,
    ranked: Vec<(Rank, Item)>,
    missing: Vec<Question>,
}

impl Offer<'_> {
    /// Offers something if the pattern fits it.
    fn add(&mut self, group: u8, item: Item) {
        if let Some(fit) = fit(&self.pattern, &item.label) {
            self.add_found(group, fit, item);
        }
    }

    /// Offers something that the pattern fits so well.
    fn add_found(&mut self, group: u8, fit: Fit, item: Item) {
        // Without a pattern everything fits, the same as if everything began with it.
        let fit = if self.pattern.is_empty() { Fit::Prefix } else { fit };
        let usual = match item.kind {
            // Without a pattern metrics come first, whatever is usual.
            ItemKind::Function | ItemKind::Aggregation if !self.pattern.is_empty() => {
                operand::usual(&item.label)
            }
            _ => 0,
        };
        let uses = Reverse(self.catalogue.uses(&item.label).saturating_add(usual));
        let length = if self.pattern.is_empty() { 0 } else { item.label.len() };
        let suits = Reverse(match item.fits {
            true if group == SUITS => Suits::Well,
            true => Suits::Somehow,
            false => Suits::Not,
        });
        self.ranked.push((Rank { fit, suits, uses, group, length }, item));
    }

    /// Asks for something that isn't known.
    fn ask(&mut self, question: Question) {
        if !self.missing.contains(&question) {
            self.missing.push(question);
        }
    }

    /// The same list, of which only a part is known: those that begin with what is written.
    fn prefix(&self) -> String {
        self.pattern.clone()
    }
}

impl Item {
    fn new(kind: ItemKind, label: impl Into<String>) -> Item {
        let label = label.into();
        let (insert, caret) = (label.clone(), label.len());
        Item { label, insert, caret, kind, detail: String::new(), fits: true }
    }

    fn inserting(mut self, insert: impl Into<String>) -> Item {
        self.insert = insert.into();
        self.caret = self.insert.len();
        self
    }

    fn about(mut self, detail: impl Into<String>) -> Item {
        self.detail = detail.into();
        self
    }

    fn fitting(mut self, fits: bool) -> Item {
        self.fits = fits;
        self
    }
}
