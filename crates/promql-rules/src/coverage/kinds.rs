//! What there is to exercise, as one table.

/// A kind of point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PointKind {
    /// A test evaluates the rule.
    Evaluated,
    /// The expression gives something.
    Result,
    /// An alert waits for its `for` to be over.
    Pending,
    /// An alert fires.
    Fires,
    /// An alert fires on although its condition has ended.
    Kept,
    /// An alert that fired ends.
    Resolves,
    /// A test expects the alert while it fires.
    Expected,
    /// A selector finds a series.
    Selects,
    /// A matcher leaves out a series that the other matchers of its selector take.
    Excludes,
    /// A comparison holds.
    True,
    /// A comparison doesn't hold.
    False,
    /// Elements of both sides of an operation have each other as partners.
    Pairs,
    /// An `and` keeps an element.
    AndKeeps,
    /// An `and` leaves out an element.
    AndDrops,
    /// The left side of an `or` gives something.
    OrLeft,
    /// The right side of an `or` adds something.
    OrRight,
    /// An `unless` keeps an element.
    UnlessKeeps,
    /// An `unless` leaves out an element.
    UnlessDrops,
    /// A group of an aggregation has several series.
    Several,
    /// An aggregation has several groups.
    Groups,
    /// `topk` and the like leave out a series.
    Drops,
    /// `absent` gives 1.
    Absent,
    /// A function that needs several samples has them.
    Value,
    /// The condition of a branch of a template holds, or its loop has something to go through.
    Taken,
    /// It doesn't.
    NotTaken,
}

/// What is known about a kind of points.
struct Row {
    kind: PointKind,
    name: &'static str,
    exercised: &'static str,
    missing: &'static str,
}

const fn row(
    kind: PointKind,
    name: &'static str,
    exercised: &'static str,
    missing: &'static str,
) -> Row {
    Row { kind, name, exercised, missing }
}

/// One row for each kind, in the order of the enumeration.
const TABLE: [Row; 25] = [
    row(PointKind::Evaluated, "evaluated", "a test evaluates the rule", "no test evaluates it"),
    row(PointKind::Result, "result", "the expression gives something", "never gave anything"),
    row(PointKind::Pending, "pending", "an alert waits for `for` to be over", "never pending"),
    row(PointKind::Fires, "fires", "an alert fires", "never fired"),
    row(
        PointKind::Kept,
        "kept",
        "an alert fires on although its condition has ended",
        "never kept an alert firing",
    ),
    row(PointKind::Resolves, "resolves", "an alert that fired ends", "never resolved"),
    row(
        PointKind::Expected,
        "expected",
        "a test expects the alert while it fires",
        "fired, but no test expects it",
    ),
    row(PointKind::Selects, "selects", "the selector finds a series", "never found a series"),
    row(
        PointKind::Excludes,
        "excludes",
        "the matcher leaves out a series that the others of its selector take",
        "never left out a series",
    ),
    row(PointKind::True, "true", "the comparison holds", "never true"),
    row(PointKind::False, "false", "the comparison doesn't hold", "never false"),
    row(PointKind::Pairs, "pairs", "elements of both sides match", "no elements ever matched"),
    row(
        PointKind::AndKeeps,
        "and-keeps",
        "an element of the left side has a partner",
        "never let an element pass",
    ),
    row(
        PointKind::AndDrops,
        "and-drops",
        "an element of the left side has no partner",
        "never left out an element",
    ),
    row(
        PointKind::OrLeft,
        "or-left",
        "the left side gives something",
        "the left side never gave anything",
    ),
    row(
        PointKind::OrRight,
        "or-right",
        "the right side adds an element",
        "the right side never added anything",
    ),
    row(
        PointKind::UnlessKeeps,
        "unless-keeps",
        "an element of the left side has no partner",
        "never let an element pass",
    ),
    row(
        PointKind::UnlessDrops,
        "unless-drops",
        "an element of the left side has a partner",
        "never left out an element",
    ),
    row(
        PointKind::Several,
        "several",
        "a group has several series",
        "never more than one series in a group",
    ),
    row(
        PointKind::Groups,
        "groups",
        "there are several groups at a time",
        "never more than one group",
    ),
    row(
        PointKind::Drops,
        "drops",
        "the aggregation leaves out a series",
        "never left out a series",
    ),
    row(PointKind::Absent, "absent", "the function gives 1", "never gave 1"),
    row(
        PointKind::Value,
        "value",
        "the function has samples enough for a value",
        "never gave a value",
    ),
    row(
        PointKind::Taken,
        "taken",
        "the condition of the branch holds, or the loop runs",
        "never taken",
    ),
    row(
        PointKind::NotTaken,
        "not-taken",
        "the condition of the branch doesn't hold, or the loop has nothing to go through",
        "always taken",
    ),
];

impl PointKind {
    /// All kinds.
    pub fn all() -> impl ExactSizeIterator<Item = PointKind> {
        TABLE.iter().map(|row| row.kind)
    }

    fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    /// The stable name.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// What exercises the point.
    pub fn exercised(self) -> &'static str {
        self.row().exercised
    }

    /// What is said where nothing did.
    pub fn missing(self) -> &'static str {
        self.row().missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_the_order_of_the_kinds() {
        for kind in PointKind::all() {
            assert_eq!(kind.row().kind, kind);
        }
    }
}
