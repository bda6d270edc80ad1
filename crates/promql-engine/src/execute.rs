//! Evaluates a plan: one operation after the other, operands first.

use promql_syntax::Span;
use promql_syntax::ast::SelectorId;
use promql_syntax::query::{Aggregation, ElementOp, Range, Scalar, Vector, VectorId};

use crate::EngineError;
use crate::aggregate::{Aggregate, Streamed};
use crate::annotations::Place;
use crate::arithmetic::{max2, min2};
use crate::binary::{Join, MatchLabels, WithScalar, join, scalar_operation, set_operation};
use crate::column::{Column, ScalarColumn};
use crate::context::Context;
use crate::elementwise;
use crate::empty_buckets;
use crate::functions::histogram::{self, Statistic};
use crate::functions::info::{self, Info};
use crate::functions::{absent, histogram_groups, labels, sort};
use crate::grid::Grid;
use crate::label_sets;
use crate::operator::{
    Kept, MAX_DEPTH, MapColumns, Operator, Relabelled, Repeat, SameLabels, Series, VectorOperator,
    drop_names, same_metadata, unite,
};
use crate::over_range::extended::{self, SmoothedSelector};
use crate::over_range::{Extension, Kernel, OverRange};
use crate::plan::{Operation, OperationKind, Plan, Remarks};
use crate::select::{InstantSelector, SelectorSamples, Take};
use crate::shared::{self, Results};
use crate::storage::SelectedSeries;
use crate::subquery::Subquery;
use crate::unseen_names;
use crate::values::{Groups, HistogramVector, Inputs, RangeValue, Value, missing_operand};
use crate::workers::Scratch;

/// Evaluates a plan. Nothing comes of the plan of a string.
pub(crate) fn execute<'a>(
    context: &'a Context<'a>,
    plan: &'a Plan,
    selected: &'a [Box<dyn SelectedSeries + 'a>],
) -> Result<Option<Value<'a>>, EngineError> {
    let mut values = Results::new(plan.operations.len());
    let empty_buckets_stay = empty_buckets::unseen(context.query, plan);
    // Who watches sees the names.
    let watched = context.statistics.is_some() || context.recorder.is_some();
    let names_stay = match watched || context.options.delayed_name_removal {
        true => vec![false; plan.operations.len()],
        false => unseen_names::unseen(context.query, plan),
    };
    for (index, operation) in plan.operations.iter().enumerate() {
        context.limits.check()?;
        let inputs = operation.inputs.iter().rev();
        let inputs = Inputs::new(inputs.filter_map(|&input| values.take(input)).collect());
        let empty_buckets_stay = empty_buckets_stay[index];
        let names_stay = names_stay[index];
        let step =
            Step { context, plan, selected, operation, index, empty_buckets_stay, names_stay };
        let evaluate = || -> Result<Value<'a>, EngineError> {
            if let Some(value) = values.computed_along(index) {
                return Ok(value);
            }
            match step.evaluate(inputs, &mut values)? {
                // Each level costs stack when columns are computed.
                Value::Vector(vector) if vector.depth() > MAX_DEPTH => {
                    let kept = Kept::all_of(context, &*vector, operation.grid.len)?;
                    Ok(Value::Vector(Box::new(kept)))
                }
                value => Ok(value),
            }
        };
        let value = match &context.statistics {
            None => evaluate(),
            Some(statistics) => {
                let value = statistics.operation(index, evaluate);
                value.map(|value| statistics.measured(index, value))
            }
        };
        let value = match context.recorder {
            None => value,
            Some(recorder) => value.and_then(|value| recorder.record(context, operation, value)),
        };
        let value = value.map_err(|error| error.at(operation.span))?;
        context.limits.keep_bytes(labels_bytes(operation, &value))?;
        values.push(value, index, operation);
    }
    Ok(plan.operations.len().checked_sub(1).and_then(|last| values.take(last)))
}

/// The memory of the label sets that an operation has made, and of the list of them.
fn labels_bytes(operation: &Operation, value: &Value<'_>) -> usize {
    let series = match value {
        Value::Vector(vector) => vector.series(),
        Value::Range(range) => range.source.series(),
        Value::Scalar(_) | Value::Groups(_) => return 0,
    };
    let text = match operation.kind {
        // Those of the storage and of the input.
        OperationKind::Select(_)
        | OperationKind::SelectRange(_)
        | OperationKind::Subquery(_)
        | OperationKind::Repeat => 0,
        _ => series.iter().map(|s| s.labels.bytes()).sum(),
    };
    size_of_val(series) + text
}

/// One operation that is about to be evaluated.
struct Step<'a> {
    context: &'a Context<'a>,
    plan: &'a Plan,
    selected: &'a [Box<dyn SelectedSeries + 'a>],
    operation: &'a Operation,
    /// Its position in the plan.
    index: usize,
    /// Whether its histograms may have empty buckets.
    empty_buckets_stay: bool,
    /// Whether its series may have names that it drops.
    names_stay: bool,
}

impl<'a> Step<'a> {
    fn grid(&self) -> Grid {
        self.operation.grid
    }

    fn steps(&self) -> usize {
        self.operation.grid.len
    }

    /// Where remarks about this operation point.
    fn place(&self) -> Place {
        let Remarks { order, times, span, .. } = self.operation.remarks;
        Place { order, span, times, first: self.operation.span }
    }

    /// Where remarks about an operand point.
    fn place_of_input(&self, input: usize) -> Place {
        let own = self.place();
        let Remarks { operands, first_operands, .. } = &self.operation.remarks;
        let of = |spans: &[Span], otherwise| spans.get(input).copied().unwrap_or(otherwise);
        Place { span: of(operands, own.span), first: of(first_operands, own.first), ..own }
    }

    fn evaluate(
        &self,
        mut inputs: Inputs<'a>,
        results: &mut Results<'a>,
    ) -> Result<Value<'a>, EngineError> {
        let context = self.context;
        Ok(match self.operation.kind {
            OperationKind::Number(value) => Value::Scalar(ScalarColumn::Constant(value)),
            OperationKind::Select(select) => Value::Vector(match self.extension(select.selector) {
                Some(Extension::Smoothed) => Box::new(SmoothedSelector {
                    samples: self.samples(select),
                    operation: self.index,
                    place: self.place(),
                }),
                _ => self.instant_selector(select, Take::Value)?,
            }),
            OperationKind::SelectTime { start: true, .. } if !context.options.start_timestamps => {
                Value::Vector(self.nothing()?)
            }
            OperationKind::SelectTime { select, start } => {
                let take = if start { Take::StartTimestamp } else { Take::Timestamp };
                Value::Vector(self.instant_selector(select, take)?)
            }
            OperationKind::SelectRange(select) => {
                let source = Box::new(self.samples(select));
                Value::Range(RangeValue {
                    source,
                    windows: select.windows,
                    loaded: extended::loaded(&select.windows, select.before, select.after),
                    extension: self.extension(select.selector),
                })
            }
            OperationKind::Subquery(windows) => {
                let mut inner = inputs.vector()?;
                if self.operation.remember {
                    // What the windows are over is asked for as often as the windows.
                    inner = shared::remembering(inner, self.index);
                }
                let source = Box::new(Subquery { inner, grid: self.grid() });
                Value::Range(RangeValue { source, windows, loaded: windows, extension: None })
            }
            OperationKind::Repeat => match inputs.next() {
                Some(Value::Vector(once)) => {
                    // Computed once, however often it is asked for.
                    let once = Kept::all_of(context, &*once, 1)?;
                    Value::Vector(Box::new(Repeat { once: Box::new(once), steps: self.steps() }))
                }
                Some(Value::Scalar(ScalarColumn::Steps(values))) => Value::Scalar(
                    ScalarColumn::Constant(values.first().copied().unwrap_or(f64::NAN)),
                ),
                Some(value) => value,
                None => return Err(missing_operand("repeated")),
            },
            OperationKind::Info(id, windows) => {
                let data = match context.query.vector(id).kind {
                    Vector::Info { data, .. } => data,
                    _ => None,
                };
                let info = Info::new(context, data, windows, self.operation.span)?;
                Value::Vector(info::info(context, &info, inputs.vector()?, self.steps())?)
            }
            OperationKind::Scalar(id) => {
                Value::Scalar(self.scalar(context.query.scalar(id).kind, &mut inputs)?)
            }
            OperationKind::Vector(id) => match context.query.vector(id).kind {
                Vector::Aggregate { op, .. } => {
                    let aggregate = self.aggregation(id, &mut inputs)?;
                    match self.streamed(op) {
                        Some(op) => {
                            let (aggregate, operation) = (Box::new(aggregate), self.index);
                            Value::Groups(Groups { aggregate, op, operation })
                        }
                        None => self.aggregate(aggregate, op, results)?,
                    }
                }
                _ => Value::Vector(self.vector(id, &mut inputs)?),
            },
        })
    }

    /// Whether this is an aggregation that need not be computed yet, since nothing but one function
    /// of histograms uses it.
    fn streamed(&self, op: Aggregation) -> Option<Streamed> {
        let uses = |operation: &&Operation| operation.inputs.contains(&self.index);
        let user = self.plan.operations.iter().skip(self.index + 1).find(uses)?;
        let OperationKind::Vector(user) = user.kind else { return None };
        let takes_histograms = matches!(
            self.context.query.vector(user).kind,
            Vector::HistogramStatistic(..)
                | Vector::HistogramQuantile { .. }
                | Vector::HistogramQuantiles { .. }
                | Vector::HistogramFraction { .. }
        );
        let alone = self.operation.uses == 1
            && self.along().next().is_none()
            && self.context.recorder.is_none();
        Streamed::of(op).filter(|_| takes_histograms && alone)
    }

    /// The modifier of a selector that extends its windows.
    fn extension(&self, selector: Option<SelectorId>) -> Option<Extension> {
        let modifiers = &self.context.query.selector(selector?).modifiers;
        match (modifiers.anchored, modifiers.smoothed) {
            (true, _) => Some(Extension::Anchored),
            (_, true) => Some(Extension::Smoothed),
            _ => None,
        }
    }

    fn nothing(&self) -> Result<VectorOperator<'a>, EngineError> {
        Ok(Box::new(Kept::new(self.context, Vec::new(), Vec::new())?))
    }

    fn samples(&self, select: crate::plan::Select) -> SelectorSamples<'a> {
        let selected = &*self.selected[select.selection];
        let samples = SelectorSamples::new(self.context, selected, select);
        let remember = self.plan.selections[select.selection].remember;
        SelectorSamples { totals: self.operation.totals, remember, ..samples }
    }

    fn instant_selector(
        &self,
        select: crate::plan::Select,
        take: Take,
    ) -> Result<VectorOperator<'a>, EngineError> {
        let samples = self.samples(select);
        let (series, are_distinct) = match take {
            Take::Value => (Vec::new(), true),
            _ => self.without_names(&samples.series)?,
        };
        let selector = Box::new(InstantSelector { samples, take, series, operation: self.index });
        self.united(selector, are_distinct, SameLabels::Merge)
    }

    /// The label sets of the operation if it drops the names of these series, and whether no two of them
    /// are the same then.
    fn without_names(&self, series: &[Series]) -> Result<(Vec<Series>, bool), EngineError> {
        let have_same = same_metadata(series);
        let are_distinct = self.context.options.delayed_name_removal || have_same;
        let without = match self.names_stay && have_same && unseen_names::is_all_unseen(series) {
            true => unseen_names::keep(series),
            false => drop_names(self.context, series)?,
        };
        Ok((without, are_distinct))
    }

    /// Makes sure that no two elements have the same labels, now that the operation has dropped the
    /// names, unless that is known.
    fn united(
        &self,
        operator: VectorOperator<'a>,
        are_distinct: bool,
        rule: SameLabels,
    ) -> Result<VectorOperator<'a>, EngineError> {
        if are_distinct {
            return Ok(operator);
        }
        unite(self.context, operator, self.steps(), rule)
    }

    /// A function of floats that drops the name. Histograms are left out.
    fn map(
        &self,
        input: VectorOperator<'a>,
        map: impl Fn(&mut Column) + Send + Sync + 'a,
    ) -> Result<VectorOperator<'a>, EngineError> {
        self.map_values(input, move |column| {
            column.drop_histograms();
            map(column);
        })
    }

    /// An operation that changes values and drops the name.
    fn map_values(
        &self,
        input: VectorOperator<'a>,
        map: impl Fn(&mut Column) + Send + Sync + 'a,
    ) -> Result<VectorOperator<'a>, EngineError> {
        let (series, are_distinct) = self.without_names(input.series())?;
        self.united(Box::new(MapColumns { input, series, map }), are_distinct, SameLabels::Merge)
    }

    fn scalar(&self, scalar: Scalar, inputs: &mut Inputs<'a>) -> Result<ScalarColumn, EngineError> {
        let steps = self.steps();
        Ok(match scalar {
            Scalar::Time => ScalarColumn::Steps(
                (0..steps).map(|step| self.grid().at(step) as f64 / 1000.0).collect(),
            ),
            Scalar::OfVector(_) => self.scalar_of_vector(&*inputs.vector()?)?,
            Scalar::Negate(_) => inputs.scalar()?.map(|value| -value),
            Scalar::Binary(op, ..) => {
                let (a, b) = (inputs.scalar()?, inputs.scalar()?);
                a.zip(&b, steps, |a, b| scalar_operation(op, a, b))
            }
            Scalar::MaxOf(..) => inputs.scalar()?.zip(&inputs.scalar()?, steps, max2),
            Scalar::MinOf(..) => inputs.scalar()?.zip(&inputs.scalar()?, steps, min2),
            // Planned as numbers.
            Scalar::Number(_)
            | Scalar::Pi
            | Scalar::Start
            | Scalar::End
            | Scalar::Range
            | Scalar::Step => return Err(missing_operand("constant")),
        })
    }

    /// The value of the only element of each step, NaN if there is none or more than one.
    fn scalar_of_vector(&self, input: &dyn Operator) -> Result<ScalarColumn, EngineError> {
        let steps = self.steps();
        let mut values = vec![f64::NAN; steps];
        let mut counts = vec![0_u32; steps];
        let compute = |index: usize, scratch: &mut Scratch| {
            let mut column = Column::default();
            input.column(index, scratch, &mut column)?;
            Ok(column)
        };
        let count = input.series().len();
        self.context.workers.run(count, steps, compute, |_, column: Column| {
            for (step, value) in column.iter() {
                counts[step] += 1;
                values[step] = if counts[step] == 1 { value } else { f64::NAN };
            }
            Ok(())
        })?;
        Ok(ScalarColumn::Steps(values.into()))
    }

    fn vector(
        &self,
        id: VectorId,
        inputs: &mut Inputs<'a>,
    ) -> Result<VectorOperator<'a>, EngineError> {
        let query = self.context.query;
        match &query.vector(id).kind {
            // Planned as a selection.
            Vector::Selector(_) => Err(missing_operand("selected")),
            Vector::FromScalar(_) => {
                let scalar = inputs.scalar()?;
                let values = scalar.iter(self.steps()).collect();
                self.one_series(values)
            }
            Vector::Negate(_) => self.map_values(inputs.vector()?, |column| {
                column.map(|v| -v);
                column.histograms_mut().for_each(|(_, histogram)| histogram.multiply(-1.0));
            }),
            &Vector::WithScalar { op, scalar_is_left, .. } => {
                let (vector, scalar) = (inputs.vector()?, inputs.scalar()?);
                let (series, are_distinct) = match op {
                    ElementOp::Filter(_) | ElementOp::Trim(_) => (vector.series().to_vec(), true),
                    _ => self.without_names(vector.series())?,
                };
                let place = self.place();
                let operation = WithScalar {
                    context: self.context,
                    op,
                    vector,
                    scalar,
                    scalar_is_left,
                    series,
                    place,
                };
                self.united(Box::new(operation), are_distinct, SameLabels::Merge)
            }
            Vector::Binary { op, matching, .. } => {
                let (lhs, rhs) = (inputs.vector()?, inputs.vector()?);
                let (fill_left, fill_right) = query.fill_values(matching);
                let join_of = Join {
                    op: *op,
                    matching: MatchLabels {
                        on: matching.on,
                        names: label_sets::names(query, matching.labels),
                    },
                    cardinality: matching.cardinality,
                    include: label_sets::names(query, matching.include),
                    // Named for the sides after upstream has put the many side on the left.
                    fill_many: fill_left,
                    fill_one: fill_right,
                    steps: self.steps(),
                    place: self.place(),
                };
                join(self.context, join_of, lhs, rhs)
            }
            Vector::Set { op, on, labels, .. } => {
                let matching = MatchLabels { on: *on, names: label_sets::names(query, *labels) };
                let (lhs, rhs) = (inputs.vector()?, inputs.vector()?);
                let steps = self.steps();
                let set = set_operation(self.context, *op, &matching, lhs, rhs, steps)?;
                unite(self.context, set, steps, SameLabels::Merge)
            }
            // Evaluated with those that go along.
            Vector::Aggregate { .. } => Err(missing_operand("aggregated")),
            &Vector::Math(function, _) => {
                self.map(inputs.vector()?, move |column| elementwise::math(function, column))
            }
            Vector::Clamp { min, max, .. } => {
                let vector = inputs.vector()?;
                let mut limit = |given: bool, none: f64| match given {
                    true => inputs.scalar(),
                    false => Ok(ScalarColumn::Constant(none)),
                };
                let min = limit(min.is_some(), f64::NEG_INFINITY)?;
                let max = limit(max.is_some(), f64::INFINITY)?;
                self.map(vector, move |column| elementwise::clamp(column, &min, &max))
            }
            Vector::Round { to_nearest, .. } => {
                let vector = inputs.vector()?;
                let to_nearest = match to_nearest {
                    Some(_) => inputs.scalar()?,
                    None => ScalarColumn::Constant(1.0),
                };
                self.map(vector, move |column| elementwise::round(column, &to_nearest))
            }
            &Vector::DatePart { part, vector: Some(_) } => {
                self.map(inputs.vector()?, move |column| elementwise::date(part, column))
            }
            &Vector::DatePart { part, vector: None } => {
                let seconds = |step: usize| (self.grid().at(step) / 1000) as f64;
                let values = (0..self.steps()).map(seconds);
                self.one_series(values.map(|s| crate::dates::date_part(part, s)).collect())
            }
            &Vector::OverRange(function, _) => self.over_range(Kernel::Plain(function), 0, inputs),
            Vector::QuantileOverTime { .. } => {
                let quantile = inputs.scalar()?;
                self.over_range(Kernel::Quantile(quantile), 0, inputs)
            }
            Vector::PredictLinear { .. } => {
                let seconds = inputs.scalar()?;
                self.over_range(Kernel::PredictLinear(seconds), 0, inputs)
            }
            Vector::DoubleExponentialSmoothing { .. } => {
                let (level, trend) = (inputs.scalar()?, inputs.scalar()?);
                self.over_range(Kernel::Smoothing { level, trend }, 0, inputs)
            }
            Vector::Absent(vector) => {
                let labels = match query.vector(*vector).kind {
                    Vector::Selector(selector) => absent::labels_of_selector(query, selector),
                    _ => promql_model::Labels::empty(),
                };
                absent::absent(self.context, &*inputs.vector()?, labels, self.steps())
            }
            Vector::AbsentOverTime(range) => {
                let labels = match query.range(*range).kind {
                    Range::Selector { selector, .. } => absent::labels_of_selector(query, selector),
                    Range::Subquery { .. } => promql_model::Labels::empty(),
                };
                let present = promql_syntax::query::RangeFunction::PresentOverTime;
                let (present, _) =
                    self.range_operator(Kernel::Plain(present), "absent_over_time", 0, inputs)?;
                absent::absent(self.context, &present, labels, self.steps())
            }
            &Vector::Sort { descending, .. } => {
                let input = inputs.vector()?;
                let series = input.series().to_vec();
                let vector = Box::new(MapColumns { input, series, map: Column::drop_histograms });
                match self.ineffective_sort() {
                    true => Ok(vector),
                    false => sort::by_value(self.context, vector, descending),
                }
            }
            Vector::SortByLabel { labels, descending, .. } => {
                let vector = inputs.vector()?;
                let names: Vec<String> = labels
                    .iter()
                    .map(|&label| String::from_utf8_lossy(query.text(label)).into_owned())
                    .collect();
                match self.ineffective_sort() {
                    true => Ok(vector),
                    false => sort::by_label(self.context, vector, &names, *descending),
                }
            }
            Vector::LabelReplace { destination, replacement, source, regex, .. } => {
                let input = inputs.vector()?;
                let series = labels::replace(
                    self.context,
                    input.series(),
                    *destination,
                    *replacement,
                    *source,
                    *regex,
                )?;
                let relabelled = Box::new(Relabelled { input, series });
                unite(self.context, relabelled, self.steps(), SameLabels::Merge)
            }
            Vector::LabelJoin { destination, separator, sources, .. } => {
                let input = inputs.vector()?;
                let series =
                    labels::join(self.context, input.series(), *destination, *separator, sources)?;
                let relabelled = Box::new(Relabelled { input, series });
                unite(self.context, relabelled, self.steps(), SameLabels::Merge)
            }
            Vector::Timestamp(_) => {
                let grid = self.grid();
                self.map_values(inputs.vector()?, move |column| {
                    column.valid = column.present().into_owned();
                    column.drop_histograms();
                    for (step, value) in column.values.iter_mut().enumerate() {
                        *value = grid.at(step) as f64 / 1000.0;
                    }
                })
            }
            Vector::StartTimestamp(_) => self.nothing(),
            &Vector::HistogramStatistic(statistic, _) => match inputs.histograms()? {
                HistogramVector::Vector(vector) => {
                    self.map_values(vector, move |column| histogram::statistic(statistic, column))
                }
                HistogramVector::Groups(groups) => {
                    let reduced = histogram_groups::statistic(self.context, &groups, statistic)?;
                    self.map_values(Box::new(reduced), |_| ())
                }
            },
            Vector::HistogramQuantile { .. } => {
                let statistic = Statistic::Quantile(inputs.scalar()?, self.place_of_input(0));
                self.histogram(&statistic, inputs, 1)
            }
            Vector::HistogramQuantiles { label, quantiles, .. } => {
                let label = String::from_utf8_lossy(query.text(*label)).into_owned();
                let mut of = Vec::with_capacity(quantiles.len());
                for at in 0..quantiles.len() {
                    of.push((inputs.scalar()?, self.place_of_input(at + 1)));
                }
                self.histogram(&Statistic::Quantiles(label, of), inputs, 0)
            }
            Vector::HistogramFraction { .. } => {
                let statistic = Statistic::Fraction(inputs.scalar()?, inputs.scalar()?);
                self.histogram(&statistic, inputs, 2)
            }
            // Planned as an operation of its own.
            Vector::Info { .. } => Err(missing_operand("info")),
        }
    }

    /// One series without labels that has a value at each step.
    fn one_series(&self, values: Vec<f64>) -> Result<VectorOperator<'a>, EngineError> {
        let mut column = Column::default();
        column.reset(values.len());
        column.values = values;
        column.valid.fill();
        let series = vec![Series::new(promql_model::Labels::empty())];
        Ok(Box::new(Kept::new(self.context, series, vec![column])?))
    }

    fn aggregation(
        &self,
        id: VectorId,
        inputs: &mut Inputs<'a>,
    ) -> Result<Aggregate<'a>, EngineError> {
        let query = self.context.query;
        let Vector::Aggregate { labels, without, .. } = query.vector(id).kind else {
            return Err(missing_operand("aggregated"));
        };
        Ok(Aggregate {
            context: self.context,
            input: inputs.vector()?,
            parameter: inputs.scalar().ok(),
            labels: label_sets::names(query, labels),
            without,
            grid: self.grid(),
            parameter_place: self.place_of_input(0),
            place: self.place_of_input(self.operation.inputs.len().saturating_sub(1)),
            own_place: self.place(),
            span: self.operation.span,
        })
    }

    /// The aggregations whose turn comes later and that are computed along with this one.
    fn along(&self) -> impl Iterator<Item = usize> + '_ {
        (self.index + 1..self.plan.operations.len())
            .filter(|&index| self.plan.operations[index].along == Some(self.index))
    }

    /// Computes an aggregation, and those that go along.
    fn aggregate(
        &self,
        aggregate: Aggregate<'a>,
        op: Aggregation,
        results: &mut Results<'a>,
    ) -> Result<Value<'a>, EngineError> {
        let mut others = Vec::new();
        for index in self.along() {
            let operation = &self.plan.operations[index];
            if let OperationKind::Vector(id) = operation.kind
                && let Vector::Aggregate { op, .. } = self.context.query.vector(id).kind
            {
                others.push((op, Step { operation, index, ..*self }.place_of_input(0)));
            }
        }
        let mut computed = aggregate.compute(op, &others)?.into_iter();
        let own = computed.next().ok_or_else(|| missing_operand("aggregated"))?;
        self.along().zip(computed).for_each(|(index, other)| {
            results.add_along(index, Value::Vector(other));
        });
        Ok(Value::Vector(own))
    }

    /// A function of histograms; remarks about those point at an operand.
    fn histogram(
        &self,
        statistic: &Statistic,
        inputs: &mut Inputs<'a>,
        operand: usize,
    ) -> Result<VectorOperator<'a>, EngineError> {
        let place = self.place_of_input(operand);
        histogram::histogram(self.context, statistic, inputs.histograms()?, self.grid(), place)
    }

    /// A function of a range vector, and whether no two of its series have the same labels; remarks
    /// point at an operand.
    fn range_operator(
        &self,
        kernel: Kernel,
        name: &str,
        operand: usize,
        inputs: &mut Inputs<'a>,
    ) -> Result<(OverRange<'a>, bool), EngineError> {
        let RangeValue { source, windows, loaded, extension } = inputs.range()?;
        if let Some(extension) = extension {
            extension.check(&kernel, name, self.operation.span)?;
        }
        let (series, are_distinct) = match kernel.keeps_name() {
            true => (source.series().to_vec(), true),
            false => self.without_names(source.series())?,
        };
        let operator = OverRange {
            context: self.context,
            source,
            kernel,
            windows,
            loaded,
            extension,
            grid: self.grid(),
            series,
            operation: self.index,
            place: self.place_of_input(operand),
            empty_buckets_stay: self.empty_buckets_stay,
        };
        Ok((operator, are_distinct))
    }

    fn over_range(
        &self,
        kernel: Kernel,
        operand: usize,
        inputs: &mut Inputs<'a>,
    ) -> Result<VectorOperator<'a>, EngineError> {
        let name = kernel.name();
        let (operator, are_distinct) = self.range_operator(kernel, name, operand, inputs)?;
        self.united(Box::new(operator), are_distinct, SameLabels::Reject)
    }

    /// Whether sorting is pointless, which is then said.
    fn ineffective_sort(&self) -> bool {
        let several = self.steps() > 1;
        if several {
            let text = "sort is ineffective for range queries since results are always ordered by \
                        labels";
            self.context.annotations.warn(self.place(), text.to_owned());
        }
        several
    }
}
