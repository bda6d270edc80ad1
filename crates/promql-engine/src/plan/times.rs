//! The times of a query: its grid, and the windows of its selectors and subqueries.

use promql_syntax::ast::{
    At, BinaryOp, Duration, DurationId, DurationKind, Modifiers, SelectorId, Sign, SubqueryId,
};
use promql_syntax::query::{Range, Vector, VectorId};
use promql_syntax::{Query, Span, ValueType};

use super::Select;
use super::selection::{Selection, selection_for};
use super::tree::{Part, operands};
use crate::EngineError;
use crate::arithmetic::{max2, min2, power};
use crate::grid::Grid;
use crate::options::{EngineOptions, EvaluationTime};
use crate::storage::TimeRange;
use crate::window::Windows;

/// The times of a query. All in milliseconds.
#[derive(Debug)]
pub(crate) struct QueryTimes<'q> {
    query: &'q Query,
    pub(crate) grid: Grid,
    /// What `start()` and `@ start()` mean.
    pub(crate) start: i64,
    pub(crate) end: i64,
    /// What `step()` means: 0 for an instant query.
    step: i64,
    lookback: i64,
    default_step: i64,
    max_samples: usize,
}

impl<'q> QueryTimes<'q> {
    pub(crate) fn new(
        query: &'q Query,
        time: EvaluationTime,
        options: &EngineOptions,
    ) -> Result<Self, EngineError> {
        let (grid, start, end, step) = match time {
            EvaluationTime::Instant(at) => (Grid::instant(at), at, at, 0),
            EvaluationTime::Range { start, end, step } => {
                let step = milliseconds(step);
                check_range_query(query, step)?;
                let grid = Grid::range(start, end, step, options.max_samples)?;
                (grid, start, end, if start == end { 0 } else { step })
            }
        };
        let or_default = |duration, default| match milliseconds(duration) {
            0 => default,
            given => given,
        };
        Ok(QueryTimes {
            query,
            grid,
            start,
            end,
            step,
            lookback: or_default(options.lookback_delta, 300_000),
            default_step: or_default(options.default_subquery_step, 60_000),
            max_samples: options.max_samples,
        })
    }

    pub(crate) fn range_seconds(&self) -> f64 {
        self.end.saturating_sub(self.start) as f64 / 1000.0
    }

    pub(crate) fn step_seconds(&self) -> f64 {
        self.step as f64 / 1000.0
    }

    /// The windows of an instant selector, which reach back by the lookback delta.
    pub(crate) fn instant(
        &self,
        selector: SelectorId,
        grid: &Grid,
        selections: &mut Vec<Selection>,
    ) -> Result<Select, EngineError> {
        let smoothed = self.query.selector(selector).modifiers.smoothed;
        self.instant_reaching(selector, grid, if smoothed { self.lookback } else { 0 }, selections)
    }

    /// The same without regard to `smoothed`.
    pub(crate) fn plain_instant(
        &self,
        selector: SelectorId,
        grid: &Grid,
        selections: &mut Vec<Selection>,
    ) -> Result<Select, EngineError> {
        self.instant_reaching(selector, grid, 0, selections)
    }

    fn instant_reaching(
        &self,
        selector: SelectorId,
        grid: &Grid,
        after: i64,
        selections: &mut Vec<Selection>,
    ) -> Result<Select, EngineError> {
        let modifiers = &self.query.selector(selector).modifiers;
        let windows = self.windows(grid, self.lookback, modifiers)?;
        self.select(selector, windows, (0, after), 0, selections)
    }

    /// The windows of a range selector.
    pub(crate) fn range(
        &self,
        selector: SelectorId,
        range: Duration,
        span: Span,
        grid: &Grid,
        selections: &mut Vec<Selection>,
    ) -> Result<Select, EngineError> {
        let modifiers = &self.query.selector(selector).modifiers;
        let range = self.positive(range, span)?;
        let windows = self.windows(grid, range, modifiers)?;
        let before = if modifiers.anchored || modifiers.smoothed { self.lookback } else { 0 };
        let after = if modifiers.smoothed { self.lookback } else { 0 };
        self.select(selector, windows, (before, after), range, selections)
    }

    fn select(
        &self,
        selector: SelectorId,
        windows: Windows,
        (before, after): (i64, i64),
        window: i64,
        selections: &mut Vec<Selection>,
    ) -> Result<Select, EngineError> {
        let range = windows.time_range();
        let range = TimeRange {
            start: range.start.saturating_sub(before),
            end: range.end.saturating_add(after),
        };
        let selection = selection_for(self.query, selector, range, window, selections)?;
        Ok(Select { selector: Some(selector), selection, windows, before, after })
    }

    /// The windows of a subquery and the grid of its inner expression: the multiples of its step,
    /// counted from the epoch, that lie in any of the windows.
    pub(crate) fn subquery(
        &self,
        subquery: SubqueryId,
        span: Span,
        grid: &Grid,
    ) -> Result<(Windows, Grid), EngineError> {
        let subquery = self.query.subquery(subquery);
        let range = self.positive(subquery.range, span)?;
        let step = match subquery.step {
            Some(step) => self.positive(step, span)?,
            None => self.default_step,
        };
        let windows = self.windows(grid, range, &subquery.modifiers)?;
        if grid.len == 0 {
            return Ok((windows, Grid { start: grid.start, step, len: 0 }));
        }
        let low = windows.start(0);
        let mut start = low / step * step;
        if start <= low {
            start = start.saturating_add(step);
        }
        let end = windows.end(grid.len - 1);
        Ok((windows, Grid::range(start, end, step, self.max_samples)?))
    }

    /// The windows in which `info` looks for info series: those of the first instant selector in
    /// its argument, moved by the subqueries around that.
    pub(crate) fn info(&self, vector: VectorId, grid: &Grid) -> Result<Windows, EngineError> {
        // Depth first, with the position of the innermost subquery around each part.
        let mut subqueries: Vec<(SubqueryId, Option<usize>)> = Vec::new();
        let mut parts = vec![(Part::Vector(vector), None)];
        while let Some((part, around)) = parts.pop() {
            if let Some(selector) = selector_of(self.query, part) {
                let modifiers = &self.query.selector(selector).modifiers;
                return self.info_windows(modifiers, around, &subqueries, grid);
            }
            let mut around = around;
            if let Part::Range(id) = part
                && let Range::Subquery { subquery, .. } = self.query.range(id).kind
            {
                subqueries.push((subquery, around));
                around = Some(subqueries.len() - 1);
            }
            let operands = operands(self.query, part).into_iter().rev();
            parts.extend(operands.map(|operand| (operand, around)));
        }
        Ok(Windows::new(grid, self.lookback, None, 0))
    }

    fn info_windows(
        &self,
        modifiers: &Modifiers,
        mut around: Option<usize>,
        subqueries: &[(SubqueryId, Option<usize>)],
        grid: &Grid,
    ) -> Result<Windows, EngineError> {
        let mut offset = self.offset(modifiers)?;
        let mut at = self.at(modifiers);
        while let (None, Some(position)) = (at, around) {
            let (subquery, outer) = subqueries[position];
            let modifiers = &self.query.subquery(subquery).modifiers;
            offset = offset.saturating_add(self.offset(modifiers)?);
            at = self.at(modifiers);
            around = outer;
        }
        Ok(Windows::new(grid, self.lookback, at, offset))
    }

    fn offset(&self, modifiers: &Modifiers) -> Result<i64, EngineError> {
        match modifiers.offset_expr {
            Some(expr) => self.expression(expr),
            None => Ok(modifiers.offset / 1_000_000),
        }
    }

    fn at(&self, modifiers: &Modifiers) -> Option<i64> {
        modifiers.at.map(|at| match at {
            At::Timestamp(at) => at,
            At::Start => self.start,
            At::End => self.end,
        })
    }

    fn windows(
        &self,
        grid: &Grid,
        range: i64,
        modifiers: &Modifiers,
    ) -> Result<Windows, EngineError> {
        let (at, offset) = (self.at(modifiers), self.offset(modifiers)?);
        Ok(Windows::new(grid, range, at, offset))
    }

    /// A range or a step.
    fn positive(&self, duration: Duration, span: Span) -> Result<i64, EngineError> {
        let (value, span) = match duration {
            Duration::Literal(nanoseconds) => (nanoseconds / 1_000_000, span),
            Duration::Expr(id) => (self.expression(id)?, self.query.expr().duration(id).span),
        };
        match (value, duration) {
            (..=0, Duration::Expr(_)) => {
                Err(invalid_duration(span, "duration must be greater than 0"))
            }
            // A literal below a millisecond makes windows that are empty.
            _ => Ok(value.max(0)),
        }
    }

    /// The value of a duration expression in milliseconds.
    fn expression(&self, root: DurationId) -> Result<i64, EngineError> {
        let seconds = self.seconds(root)?;
        let span = self.query.expr().duration(root).span;
        if !seconds.is_finite() {
            return Err(invalid_duration(span, "duration is NaN or infinite"));
        }
        // What fits into 64 bits as nanoseconds.
        if seconds.abs() > i64::MAX as f64 / 1e9 {
            return Err(invalid_duration(span, "duration is out of range"));
        }
        Ok((seconds * 1000.0) as i64)
    }

    /// Evaluates without recursion: an expression may be nested as deep as it likes.
    fn seconds(&self, root: DurationId) -> Result<f64, EngineError> {
        let mut tasks = vec![(root, false)];
        let mut values: Vec<f64> = Vec::new();
        while let Some((id, operands_done)) = tasks.pop() {
            let node = self.query.expr().duration(id);
            let operands = match node.kind {
                DurationKind::Literal { .. } | DurationKind::Step | DurationKind::Range => {
                    [None, None]
                }
                DurationKind::Unary(_, operand) => [Some(operand), None],
                DurationKind::Binary(_, a, b)
                | DurationKind::MinOf(a, b)
                | DurationKind::MaxOf(a, b) => [Some(a), Some(b)],
            };
            if !operands_done {
                tasks.push((id, true));
                tasks.extend(operands.into_iter().rev().flatten().map(|o| (o, false)));
                continue;
            }
            let mut operand = || values.pop().unwrap_or(f64::NAN);
            let value = match node.kind {
                DurationKind::Literal { value, .. } => value,
                DurationKind::Step => self.step_seconds(),
                DurationKind::Range => self.range_seconds(),
                DurationKind::Unary(Sign::Plus, _) => operand(),
                DurationKind::Unary(Sign::Minus, _) => -operand(),
                DurationKind::MinOf(..) => min2(operand(), operand()),
                DurationKind::MaxOf(..) => max2(operand(), operand()),
                DurationKind::Binary(op, ..) => {
                    let (b, a) = (operand(), operand());
                    binary(op, a, b, node.span)?
                }
            };
            values.push(value);
        }
        Ok(values.pop().unwrap_or(f64::NAN))
    }
}

/// The selector that a part is.
fn selector_of(query: &Query, part: Part) -> Option<SelectorId> {
    match part {
        Part::Vector(id) => match query.vector(id).kind {
            Vector::Selector(selector) => Some(selector),
            _ => None,
        },
        Part::Range(id) => match query.range(id).kind {
            Range::Selector { selector, .. } => Some(selector),
            Range::Subquery { .. } => None,
        },
        Part::Scalar(_) => None,
    }
}

fn binary(op: BinaryOp, a: f64, b: f64, span: Span) -> Result<f64, EngineError> {
    match op {
        BinaryOp::Add => Ok(a + b),
        BinaryOp::Sub => Ok(a - b),
        BinaryOp::Mul => Ok(a * b),
        BinaryOp::Div if b == 0.0 => Err(invalid_duration(span, "division by zero")),
        BinaryOp::Div => Ok(a / b),
        BinaryOp::Mod if b == 0.0 => Err(invalid_duration(span, "modulo by zero")),
        BinaryOp::Mod => Ok(a % b),
        BinaryOp::Pow => Ok(power(a, b)),
        other => Err(invalid_duration(span, &format!("unexpected operator {}", other.symbol()))),
    }
}

fn invalid_duration(span: Span, problem: &str) -> EngineError {
    EngineError::Invalid {
        message: format!("{}:{}: {problem}", span.start, span.end),
        span: Some(span.into()),
        help: None,
    }
}

fn check_range_query(query: &Query, step: i64) -> Result<(), EngineError> {
    let (message, help) = match query.value_type() {
        ValueType::Scalar | ValueType::InstantVector if step > 0 => return Ok(()),
        ValueType::Scalar | ValueType::InstantVector => (
            "zero or negative query resolution step widths are not accepted. Try a positive \
             integer"
                .to_owned(),
            "the step is at least a millisecond",
        ),
        other => (
            format!(
                "invalid expression type \"{other}\" for range query, must be Scalar or instant \
                 Vector"
            ),
            "evaluate it as an instant query, or apply a function to it",
        ),
    };
    let span = Span::new(0, query.expr().source().len() as u32);
    Err(EngineError::Invalid { message, span: Some(span.into()), help: Some(help.to_owned()) })
}

fn milliseconds(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
