//! Equal parts of a query: `rate(x[5m])` in `rate(x[5m]) / (rate(x[5m]) + rate(y[5m]))`.
//!
//! Two operations are equal if they do the same with equal operands on the same grid, wherever in
//! the query they stand: times are resolved by now, so an offset, an `@` or a subquery around one of
//! them has become its grid and its windows. Equal operations become one, which has several uses.
//!
//! What that saves depends on what is kept anyway, since nothing is kept for the sake of sharing but
//! a column for each thread:
//!
//! - What has a result of its own (an aggregation, a scalar, a sort) is computed once.
//! - What streams is computed once for the uses that stream together: `x > 1 and x < 5` asks for the
//!   column of a series twice in a row, so the last column is [remembered](Operation::remember).
//! - Aggregations with the same groups go over their operand together: `max(x) - min(x)` asks for
//!   each column of `x` once, and adds it to both.
//! - What streams into operations that need all of it one after the other (`x / on () group_left ()
//!   sum(x)`) is computed for each of these passes, as if it was written once for each.
//!   Keeping it would take the memory that streaming is there to save.

use std::collections::{HashMap, HashSet};

use promql_syntax::Query;
use promql_syntax::ast::SelectorId;
use promql_syntax::query::{Aggregation, Vector};

use super::{Operation, OperationKind, Remarks, Select};
use crate::explain::{Evaluation, names};
use crate::grid::Grid;
use crate::label_sets;
use crate::window::Windows;

/// What an operation does and with what.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    does: Does,
    grid: Grid,
    totals: bool,
    /// The operands by their places in the plan without repetitions.
    inputs: Vec<usize>,
}

/// What an operation does.
#[derive(PartialEq, Eq, Hash)]
enum Does {
    Select(Selects),
    SelectTime(Selects, bool),
    SelectRange(Selects),
    Subquery(Windows),
    Repeat,
    /// The bits of a number.
    Number(u64),
    /// The operation with all its parameters, and the windows of `info`.
    Named(String, Option<Windows>),
}

/// A selector without its place in the query's text.
#[derive(PartialEq, Eq, Hash)]
struct Selects {
    selection: usize,
    windows: Windows,
    before: i64,
    after: i64,
    anchored: bool,
    smoothed: bool,
}

/// Makes one operation of those that are equal if `merge`, and finds out how operations are used.
pub(super) fn share(query: &Query, operations: &mut Vec<Operation>, merge: bool) {
    // What doesn't read the same series twice has no equal parts that would be worth the search.
    if merge && reads_twice(operations) {
        merge_equal(query, operations);
        join_aggregations(query, operations);
    }
    count_uses(query, operations);
}

fn reads_twice(operations: &[Operation]) -> bool {
    let mut seen = HashSet::new();
    // `info` selects on its own.
    let mut infos = 0;
    operations.iter().any(|operation| match operation.kind {
        OperationKind::Info(..) => {
            infos += 1;
            infos > 1
        }
        _ => operation.selection().is_some_and(|selection| !seen.insert(selection)),
    })
}

fn merge_equal(query: &Query, operations: &mut Vec<Operation>) {
    let mut merged: Vec<Operation> = Vec::with_capacity(operations.len());
    // For each operation its place in the merged plan.
    let mut places: Vec<usize> = Vec::with_capacity(operations.len());
    let mut known: HashMap<Key, usize> = HashMap::new();
    for mut operation in operations.drain(..) {
        operation.inputs.iter_mut().for_each(|input| *input = places[*input]);
        let key = Key {
            does: does(query, &operation),
            grid: operation.grid,
            totals: operation.totals,
            inputs: operation.inputs.clone(),
        };
        let place = *known.entry(key).or_insert(merged.len());
        places.push(place);
        match merged.get_mut(place) {
            Some(first) => {
                let Remarks { order, span, operands, .. } = operation.remarks;
                first.counted += operation.counted;
                let times = first.remarks.times + 1;
                first.remarks =
                    Remarks { order, span, operands, times, ..std::mem::take(&mut first.remarks) };
            }
            None => merged.push(operation),
        }
    }
    *operations = merged;
}

fn does(query: &Query, operation: &Operation) -> Does {
    let selects = |select: &Select| {
        let modifiers = |id: SelectorId| &query.selector(id).modifiers;
        Selects {
            selection: select.selection,
            windows: select.windows,
            before: select.before,
            after: select.after,
            anchored: select.selector.is_some_and(|id| modifiers(id).anchored),
            smoothed: select.selector.is_some_and(|id| modifiers(id).smoothed),
        }
    };
    match &operation.kind {
        OperationKind::Select(select) => Does::Select(selects(select)),
        OperationKind::SelectTime { select, start } => Does::SelectTime(selects(select), *start),
        OperationKind::SelectRange(select) => Does::SelectRange(selects(select)),
        OperationKind::Subquery(windows) => Does::Subquery(*windows),
        OperationKind::Repeat => Does::Repeat,
        OperationKind::Number(value) => Does::Number(value.to_bits()),
        OperationKind::Info(_, windows) => {
            Does::Named(names::operation(query, operation), Some(*windows))
        }
        OperationKind::Scalar(_) | OperationKind::Vector(_) => {
            Does::Named(names::operation(query, operation), None)
        }
    }
}

/// Finds aggregations that can be computed in one pass: those of the same operand with the same
/// groups, whose state is a value or two for each group and step.
fn join_aggregations(query: &Query, operations: &mut [Operation]) {
    let mut known: HashMap<(usize, Grid, bool, Vec<String>), usize> = HashMap::new();
    for (at, operation) in operations.iter_mut().enumerate() {
        let OperationKind::Vector(id) = operation.kind else { continue };
        if let Vector::Aggregate { op, labels, without, .. } = query.vector(id).kind
            && let [input] = operation.inputs[..]
            && !matches!(op, Aggregation::CountValues(_))
        {
            let mut labels = label_sets::names(query, labels);
            labels.sort();
            labels.dedup();
            let first = *known.entry((input, operation.grid, without, labels)).or_insert(at);
            operation.along = (first != at).then_some(first);
        }
    }
}

/// Counts the uses of each operation, and finds those that two uses ask for the same column.
///
/// A *pass* is what an operation does that needs all of an operand: it asks for the columns of that
/// operand one after the other, and these for the columns they are made of. An operation that is
/// used twice in one pass is asked twice for the same column.
fn count_uses(query: &Query, operations: &mut [Operation]) {
    let last = operations.len().saturating_sub(1);
    let mut uses = vec![0; operations.len()];
    let inputs = operations.iter().flat_map(|operation| operation.inputs.iter().copied());
    inputs.chain([last]).for_each(|used| {
        if let Some(uses) = uses.get_mut(used) {
            *uses += 1;
        }
    });
    let is_shared = uses.iter().any(|&uses| uses > 1);
    operations.iter_mut().zip(&uses).for_each(|(operation, &uses)| operation.uses = uses);
    if !is_shared {
        return;
    }
    // For each operation the passes it is used in, each as often as it is; they are named for the
    // operation that makes them. What uses an operation comes after it.
    let mut passes: Vec<Vec<usize>> = vec![Vec::new(); operations.len()];
    if let Some(passes) = passes.last_mut() {
        passes.push(operations.len());
    }
    for (at, operation) in operations.iter_mut().enumerate().rev() {
        let mut own = std::mem::take(&mut passes[at]);
        own.sort_unstable();
        operation.remember = own.windows(2).any(|pair| pair[0] == pair[1]);
        own.dedup();
        operation.passes = own.len().max(1);
        if operation.along.is_some() {
            continue;
        }
        let evaluation = names::evaluation(query, operation);
        for (position, &input) in operation.inputs.iter().enumerate() {
            match streams(evaluation, position) {
                true => passes[input].extend(&own),
                false => passes[input].push(at),
            }
        }
    }
}

/// Whether an operation asks for the columns of an operand when it is asked for its own.
fn streams(evaluation: Evaluation, operand: usize) -> bool {
    match evaluation {
        Evaluation::Streamed | Evaluation::Ineffective | Evaluation::RightPresence => true,
        Evaluation::LeftKept => operand == 1,
        Evaluation::RightKept => operand == 0,
        Evaluation::Constant
        | Evaluation::Steps
        | Evaluation::Once
        | Evaluation::Groups
        | Evaluation::GroupByGroup
        | Evaluation::Presence
        | Evaluation::ResultKept
        | Evaluation::Kept => false,
    }
}
