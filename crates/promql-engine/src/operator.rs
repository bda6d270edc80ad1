//! Vector expressions at work: label sets first, then values, one series at a time.
//!
//! An [`Operator`] knows its output label sets before it computes a value, and computes the column
//! of any of its series when asked, on any thread. Operators stand on each other: the column of
//! `-(a + b)` is computed from the columns of `a` and `b` for one series, and nothing is kept. An
//! operation that needs all of its input (an aggregation, a sort) consumes it when it is built and
//! hands out what it [kept](Kept).

use std::collections::{HashMap, HashSet};

use promql_model::{Labels, SampleValue};

use crate::EngineError;
use crate::column::Column;
use crate::context::Context;
use crate::label_sets::{METADATA, without_metadata};
use crate::limits::{Held, Limits};
use crate::storage::Samples;
use crate::workers::{RangeBuffer, Scratch};

/// The label set of an output series.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Series {
    pub(crate) labels: Labels,
    /// The labels have a name that the series has lost already: it goes when the query is done
    /// (delayed name removal), or where nobody sees it ([`crate::unseen_names`]).
    pub(crate) drop_name: bool,
}

impl Series {
    pub(crate) fn new(labels: Labels) -> Series {
        Series { labels, drop_name: false }
    }
}

/// A vector expression over a grid.
pub(crate) trait Operator: Send + Sync {
    /// The label sets. Sets may occur twice only if they never have a value at the same step.
    fn series(&self) -> &[Series];

    /// Computes the values of one series into `out`, whatever that held.
    fn column(
        &self,
        index: usize,
        scratch: &mut Scratch,
        out: &mut Column,
    ) -> Result<(), EngineError>;

    /// How many operators stand on each other here. Bounded, since each costs stack.
    fn depth(&self) -> usize;

    /// Whether computing a column does more than that: it may fail, or add a remark. Then it has to
    /// be computed even if nobody needs it.
    fn has_effects(&self) -> bool {
        false
    }

    /// Whether the columns are there already, so that asking for one is copying it.
    fn is_kept(&self) -> bool {
        false
    }
}

pub(crate) type VectorOperator<'a> = Box<dyn Operator + 'a>;

/// A range-vector expression: it gives the samples of whole series, and the function around it
/// knows the windows.
pub(crate) trait RangeSource: Send + Sync {
    /// The label sets.
    fn series(&self) -> &[Series];

    /// The samples of one series that lie in any window, without staleness markers.
    fn read<'b>(
        &'b self,
        index: usize,
        scratch: &mut Scratch,
        buffer: &'b mut RangeBuffer,
    ) -> Result<Samples<'b>, EngineError>;

    /// See [`Operator::depth`].
    fn depth(&self) -> usize;

    /// See [`Operator::has_effects`].
    fn has_effects(&self) -> bool {
        false
    }
}

/// Deeper stacks of operators than this are cut by keeping the values of one.
pub(crate) const MAX_DEPTH: usize = 64;

/// Columns that were computed and are kept.
pub(crate) struct Kept<'a> {
    pub(crate) series: Vec<Series>,
    pub(crate) columns: Vec<Column>,
    held: Held<'a>,
}

impl<'a> Kept<'a> {
    /// Keeps these columns, one for each series. Series without values are left out.
    pub(crate) fn new(
        context: &'a Context<'_>,
        series: Vec<Series>,
        columns: Vec<Column>,
    ) -> Result<Kept<'a>, EngineError> {
        let mut held = context.limits.hold(columns.iter().map(Column::samples).sum())?;
        held.grow_bytes(columns.iter().map(Column::bytes).sum())?;
        Ok(Kept::counted(series, columns, held))
    }

    /// The same for columns that are counted already.
    pub(crate) fn counted(series: Vec<Series>, columns: Vec<Column>, held: Held<'a>) -> Kept<'a> {
        let full = series.into_iter().zip(columns).filter(|(_, c)| !c.is_empty());
        let (series, columns) = full.unzip();
        Kept { series, columns, held }
    }

    /// The series and the columns, with what counts them.
    pub(crate) fn into_parts(self) -> (Vec<Series>, Vec<Column>, Held<'a>) {
        (self.series, self.columns, self.held)
    }

    /// Computes all columns of an operator.
    pub(crate) fn all_of(
        context: &'a Context<'_>,
        operator: &dyn Operator,
        steps: usize,
    ) -> Result<Kept<'a>, EngineError> {
        let mut held = context.limits.hold(0)?;
        let mut series = Vec::new();
        let mut columns = Vec::new();
        let count = operator.series().len();
        let _batch = context.workers.hold_batch(count, steps)?;
        let compute = |index: usize, scratch: &mut Scratch| {
            let mut column = Column::default();
            operator.column(index, scratch, &mut column)?;
            Ok(column)
        };
        context.workers.run(count, steps, compute, |index, column: Column| {
            let samples = column.samples();
            held.grow(samples)?;
            if samples > 0 {
                held.grow_bytes(column.bytes())?;
                series.push(operator.series()[index].clone());
                columns.push(column);
            }
            Ok(())
        })?;
        Ok(Kept { series, columns, held })
    }
}

impl Operator for Kept<'_> {
    fn series(&self) -> &[Series] {
        &self.series
    }

    fn column(&self, index: usize, _: &mut Scratch, out: &mut Column) -> Result<(), EngineError> {
        out.copy_from(&self.columns[index]);
        Ok(())
    }

    fn depth(&self) -> usize {
        1
    }

    fn is_kept(&self) -> bool {
        true
    }
}

/// The value of the only step of a step-invariant expression, at each of many steps.
pub(crate) struct Repeat<'a> {
    pub(crate) once: VectorOperator<'a>,
    pub(crate) steps: usize,
}

impl Operator for Repeat<'_> {
    fn series(&self) -> &[Series] {
        self.once.series()
    }

    fn column(
        &self,
        index: usize,
        scratch: &mut Scratch,
        out: &mut Column,
    ) -> Result<(), EngineError> {
        self.once.column(index, scratch, out)?;
        match out.value(0) {
            Some(SampleValue::Float(value)) => out.fill(self.steps, value),
            Some(SampleValue::Histogram(histogram)) => {
                out.reset(self.steps);
                (0..self.steps).for_each(|step| out.histogram_slot(step).clone_from(&histogram));
            }
            None => out.reset(self.steps),
        }
        Ok(())
    }

    fn depth(&self) -> usize {
        self.once.depth() + 1
    }

    fn has_effects(&self) -> bool {
        self.once.has_effects()
    }

    fn is_kept(&self) -> bool {
        self.once.is_kept()
    }
}

/// Operators that change values only: a function of each column.
pub(crate) struct MapColumns<'a, F> {
    pub(crate) input: VectorOperator<'a>,
    pub(crate) series: Vec<Series>,
    pub(crate) map: F,
}

impl<F: Fn(&mut Column) + Send + Sync> Operator for MapColumns<'_, F> {
    fn series(&self) -> &[Series] {
        &self.series
    }

    fn column(
        &self,
        index: usize,
        scratch: &mut Scratch,
        out: &mut Column,
    ) -> Result<(), EngineError> {
        self.input.column(index, scratch, out)?;
        (self.map)(out);
        Ok(())
    }

    fn depth(&self) -> usize {
        self.input.depth() + 1
    }

    fn has_effects(&self) -> bool {
        self.input.has_effects()
    }
}

/// The same columns under other labels.
pub(crate) struct Relabelled<'a> {
    pub(crate) input: VectorOperator<'a>,
    pub(crate) series: Vec<Series>,
}

impl Operator for Relabelled<'_> {
    fn series(&self) -> &[Series] {
        &self.series
    }

    fn column(
        &self,
        index: usize,
        scratch: &mut Scratch,
        out: &mut Column,
    ) -> Result<(), EngineError> {
        self.input.column(index, scratch, out)
    }

    fn depth(&self) -> usize {
        self.input.depth() + 1
    }

    fn has_effects(&self) -> bool {
        self.input.has_effects()
    }
}

/// The label sets of an operation that drops the metric's name: at once, or when the query is done.
///
/// # Errors
/// The query is to end: there may be millions of series.
pub(crate) fn drop_names(
    context: &Context<'_>,
    series: &[Series],
) -> Result<Vec<Series>, EngineError> {
    let delayed = context.options.delayed_name_removal;
    context.limits.collect(series.iter().map(|series| match delayed {
        true => Series { drop_name: true, ..series.clone() },
        false => Series::new(without_metadata(&series.labels)),
    }))
}

/// What to do with series that have the same labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SameLabels {
    /// They are one series as long as they don't meet at a step.
    Merge,
    /// At most one of them may have values at all.
    Reject,
}

/// The failure when two elements of one instant have the same labels.
pub(crate) fn same_labelset() -> EngineError {
    EngineError::Execution {
        message: "vector cannot contain metrics with the same labelset".to_owned(),
        span: None,
        help: Some(
            "series that differ only in their names can be told apart by adding a matcher for \
             __name__, or be combined by an aggregation"
                .to_owned(),
        ),
    }
}

/// Makes sure that no two series have the same labels at the same step.
pub(crate) fn unite<'a>(
    context: &'a Context<'_>,
    operator: VectorOperator<'a>,
    steps: usize,
    rule: SameLabels,
) -> Result<VectorOperator<'a>, EngineError> {
    if !has_same_labels(&context.limits, operator.series())? {
        return Ok(operator);
    }
    let (series, columns, held) = Kept::all_of(context, &*operator, steps)?.into_parts();
    let (series, columns) = merge(&context.limits, series, columns, rule)?;
    Ok(Box::new(Kept::counted(series, columns, held)))
}

/// Merges the columns of series with the same labels.
pub(crate) fn merge(
    limits: &Limits,
    series: Vec<Series>,
    columns: Vec<Column>,
    rule: SameLabels,
) -> Result<(Vec<Series>, Vec<Column>), EngineError> {
    let mut positions: HashMap<Labels, usize> = HashMap::with_capacity(series.len());
    let mut merged_series: Vec<Series> = Vec::with_capacity(series.len());
    let mut merged_columns: Vec<Column> = Vec::with_capacity(series.len());
    for (round, (series, column)) in series.into_iter().zip(columns).enumerate() {
        limits.check_round(round)?;
        match positions.get(&series.labels) {
            None => {
                positions.insert(series.labels.clone(), merged_series.len());
                merged_series.push(series);
                merged_columns.push(column);
            }
            Some(&at) => {
                let known = &mut merged_columns[at];
                let present = column.present();
                if rule == SameLabels::Reject || known.present().intersects(&present) {
                    return Err(same_labelset());
                }
                present.iter().for_each(|step| known.take(step, &column));
            }
        }
    }
    Ok((merged_series, merged_columns))
}

/// Whether two series have the same labels.
///
/// # Errors
/// The query is to end: there may be millions of series.
pub(crate) fn has_same_labels(limits: &Limits, series: &[Series]) -> Result<bool, EngineError> {
    // Those of a storage are in order, and to see that takes less than to hash them.
    let mut ascending = 1;
    while let Some([before, next]) = series.get(ascending - 1..=ascending)
        && before.labels < next.labels
    {
        limits.check_round(ascending)?;
        ascending += 1;
    }
    if ascending >= series.len() {
        return Ok(false);
    }
    let mut seen = HashSet::with_capacity(series.len());
    for (round, series) in series.iter().enumerate() {
        limits.check_round(round)?;
        if !seen.insert(&series.labels) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether all series have the same name, type and unit: then the sets differ without them, too.
pub(crate) fn same_metadata(series: &[Series]) -> bool {
    let first: Vec<&str> = series.first().into_iter().flat_map(|s| metadata(&s.labels)).collect();
    series.iter().skip(1).all(|series| metadata(&series.labels).eq(first.iter().copied()))
}

/// The labels about the metric: names and values. Labels are sorted, so most are not looked at.
fn metadata(labels: &Labels) -> impl Iterator<Item = &str> {
    let first = |name: &str| name.bytes().next();
    let known = labels.iter().take_while(move |(name, _)| first(name) <= Some(b'_'));
    known.filter(|(name, _)| METADATA.contains(name)).flat_map(|(name, value)| [name, value])
}
