//! Warnings and infos of a server of 3.5 against ours: texts and places. Where later versions do
//! otherwise, the change is a rule in `CHANGES`, which says how it can be recognised; what no rule
//! explains is a difference.

use std::cell::RefCell;
use std::collections::BTreeSet;

use crate::answer::Times;

/// What remarks are about.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The query.
    pub query: &'a str,
    /// When it was evaluated.
    pub times: Times,
}

/// A change of remarks after 3.5.
struct Change {
    name: &'static str,
    /// Whether theirs and ours are one remark, as 3.5 and as later versions make it.
    rephrased: fn(&Context<'_>, &str, &str) -> bool,
    /// Whether later versions make this remark and 3.5 didn't.
    new: fn(&Context<'_>, &str) -> bool,
    /// The other way round.
    gone: fn(&Context<'_>, &str) -> bool,
}

/// A change that is about no remark.
const NONE: Change =
    Change { name: "", rephrased: |_, _, _| false, new: |_, _| false, gone: |_, _| false };

/// What has changed.
const CHANGES: [Change; 5] = [
    Change {
        // So remarks of several functions may be one, which points at the last of them.
        name: "remarks about `le` name no metric while names are dropped at once",
        rephrased: |context, theirs, ours| {
            theirs.contains("bucket label \"le\" is missing or has a malformed value")
                && is_at_same_place(context, &without_metric(theirs), ours)
        },
        ..NONE
    },
    Change {
        name: "repairs of buckets are told in detail, and of several remarks the first remains",
        rephrased: |context, theirs, ours| {
            let told = |text: &str| text.contains("needed to be fixed for monotonicity");
            told(theirs)
                && is_at_same_place(context, &without_metric(theirs), &without_details(ours))
        },
        ..NONE
    },
    Change {
        // 3.5 compared each histogram with the sum so far, and that is unknown from the first unknown
        // one on. Resets are told only where counts and sums alone are read.
        name: "hints contradict each other whatever stands between them",
        new: |context, text| {
            let totals = ["histogram_count(", "histogram_sum(", "histogram_avg("];
            text.contains("conflicting counter resets during histogram aggregation")
                && totals.iter().any(|function| context.query.contains(function))
        },
        ..NONE
    },
    Change {
        name: "sorting a range query is warned of",
        new: |context, text| {
            text.contains("sort is ineffective for range queries")
                && context.query.contains("sort")
                && matches!(context.times, Times::Range { .. })
        },
        ..NONE
    },
    Change {
        name: "differences and negative multiples of histograms are gauges",
        new: |context, text| {
            text.contains("this native histogram metric is not a counter")
                && context.query.contains('-')
        },
        gone: |context, text| {
            text.contains("this native histogram metric is not a gauge")
                && context.query.contains('-')
        },
        ..NONE
    },
];

/// Whether texts are the same with their places; or without those if several functions in the query may
/// make such a remark.
fn is_at_same_place(context: &Context<'_>, a: &str, b: &str) -> bool {
    let functions = ["histogram_quantile(", "histogram_fraction("];
    let calls = functions.map(|function| context.query.matches(function).count());
    let text = |text: &str| text.rsplit_once(" (").map(|(text, _)| text.to_owned());
    a == b || (calls.into_iter().sum::<usize>() > 1 && text(a) == text(b))
}

/// A text without the metric that it names before its place.
fn without_metric(text: &str) -> String {
    match (text.find(" for metric name \""), text.rfind(" (")) {
        (Some(from), Some(to)) if from < to => format!("{}{}", &text[..from], &text[to..]),
        _ => text.to_owned(),
    }
}

/// A text without what is told of repairs before its place.
fn without_details(text: &str) -> String {
    match (text.find(", from buckets "), text.rfind(" (")) {
        (Some(from), Some(to)) if from < to => format!("{}{}", &text[..from], &text[to..]),
        _ => text.to_owned(),
    }
}

/// A text with nine digits of the number that it is about, which may be computed.
fn rounded(text: &str) -> String {
    let parts = text.split_once(", got ").and_then(|(text, rest)| {
        let (number, place) = rest.split_once(' ')?;
        Some(format!("{text}, got {:.8e} {place}", number.parse::<f64>().ok()?))
    });
    parts.unwrap_or_else(|| text.to_owned())
}

/// How many remarks of a kind there are that a server doesn't give, because it gave ten.
fn omitted(theirs: &BTreeSet<String>, kind: &str) -> Option<usize> {
    let end = format!(" more {kind} annotations omitted");
    theirs.iter().find_map(|text| text.strip_suffix(&end)?.parse().ok())
}

/// Which known changes explain how remarks differ.
///
/// # Errors
/// The remarks that nothing explains.
pub fn compare(
    context: &Context<'_>,
    theirs: &BTreeSet<String>,
    ours: &BTreeSet<String>,
) -> Result<BTreeSet<&'static str>, String> {
    let changes = RefCell::new(BTreeSet::new());
    let mut left = String::new();
    let explain = |theirs: &str, ours: &str| -> bool {
        let rephrased = |change: &&Change| (change.rephrased)(context, theirs, ours);
        rounded(theirs) == rounded(ours)
            || CHANGES.iter().find(rephrased).is_some_and(|change| {
                changes.borrow_mut().insert(change.name);
                true
            })
    };
    for kind in ["warning", "info"] {
        let start = format!("PromQL {kind}: ");
        let of_kind = |text: &&String| text.starts_with(&start);
        for text in theirs.difference(ours).filter(of_kind) {
            if ours.difference(theirs).any(|ours| explain(text, ours)) {
                continue;
            }
            match CHANGES.iter().find(|change| (change.gone)(context, text)) {
                Some(change) => _ = changes.borrow_mut().insert(change.name),
                None => left += &format!("only theirs: {text}\n"),
            }
        }
        let mut unexplained = Vec::new();
        for text in ours.difference(theirs).filter(of_kind) {
            if theirs.difference(ours).any(|theirs| explain(theirs, text)) {
                continue;
            }
            match CHANGES.iter().find(|change| (change.new)(context, text)) {
                Some(change) => _ = changes.borrow_mut().insert(change.name),
                None => unexplained.push(text),
            }
        }
        match omitted(theirs, kind) {
            Some(omitted) if omitted == unexplained.len() => {}
            Some(omitted) => {
                left += &format!("theirs omits {omitted}, only ours: {unexplained:?}\n");
            }
            None => unexplained.iter().for_each(|text| left += &format!("only ours: {text}\n")),
        }
    }
    if left.is_empty() { Ok(changes.into_inner()) } else { Err(left) }
}
