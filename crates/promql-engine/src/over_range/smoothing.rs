//! `double_exponential_smoothing`: Holt's linear trend.
//!
//! From sample to sample a level and a trend are carried on. The first two samples of a window are
//! where they begin, so that no step can go on from the state of the step before. But with factors
//! that don't change each sample does to the state what every other one does, but for its own value:
//!
//! ```text
//! level' = (1 - s) (level + trend) + s value
//! trend' = t (level' - level) + (1 - t) trend
//! ```
//!
//! is a matrix that is the same for all of them, and a vector times the value. What several samples
//! do is a matrix and a vector, too, and can be joined with what later ones do. So a window slides on
//! two stacks, and what it does is applied to the state it begins with. The matrix makes all states
//! smaller in the long run, so nothing is lost by that; tests hold it to the recurrence.

use super::Windowed;
use super::sliding::{Summary, TwoStacks};
use crate::EngineError;
use crate::column::{Column, ScalarColumn};
use crate::limits::Patience;

/// Windows with no more samples than this are gone through one by one, which is as fast and gives
/// what upstream gives to the last digit.
const SHORT: usize = 32;

/// The level and the trend.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct State {
    level: f64,
    trend: f64,
}

/// What a sample does: `matrix state + value vector`.
#[derive(Clone, Copy, Debug)]
struct Factors {
    matrix: Matrix,
    vector: State,
}

/// Rows of two.
#[derive(Clone, Copy, Debug)]
struct Matrix([[f64; 2]; 2]);

impl Matrix {
    const ONE: Matrix = Matrix([[1.0, 0.0], [0.0, 1.0]]);

    fn times(&self, other: &Matrix) -> Matrix {
        let column = |at: usize| State { level: other.0[0][at], trend: other.0[1][at] };
        let (first, second) = (self.apply(column(0)), self.apply(column(1)));
        Matrix([[first.level, second.level], [first.trend, second.trend]])
    }

    fn apply(&self, state: State) -> State {
        let row = |[a, b]: [f64; 2]| a * state.level + b * state.trend;
        State { level: row(self.0[0]), trend: row(self.0[1]) }
    }
}

impl State {
    fn plus(self, other: State) -> State {
        State { level: self.level + other.level, trend: self.trend + other.trend }
    }

    fn times(self, factor: f64) -> State {
        State { level: self.level * factor, trend: self.trend * factor }
    }
}

impl Factors {
    fn new(level: f64, trend: f64) -> Factors {
        let both = level * trend;
        Factors {
            matrix: Matrix([[1.0 - level, 1.0 - level], [-both, 1.0 - both]]),
            vector: State { level, trend: both },
        }
    }
}

/// What some successive samples do.
#[derive(Clone, Copy, Debug)]
struct Effect {
    matrix: Matrix,
    added: State,
}

impl Default for Effect {
    fn default() -> Self {
        Effect { matrix: Matrix::ONE, added: State::default() }
    }
}

impl Summary for Effect {
    type Item = (Factors, f64);

    fn push(&mut self, (factors, value): (Factors, f64)) {
        self.matrix = factors.matrix.times(&self.matrix);
        self.added = factors.matrix.apply(self.added).plus(factors.vector.times(value));
    }

    fn push_front(&mut self, (factors, value): (Factors, f64)) {
        self.added = self.added.plus(self.matrix.apply(factors.vector.times(value)));
        self.matrix = self.matrix.times(&factors.matrix);
    }

    fn join(&self, later: &Self) -> Self {
        Effect {
            matrix: later.matrix.times(&self.matrix),
            added: later.matrix.apply(self.added).plus(later.added),
        }
    }
}

pub(super) fn double_exponential_smoothing(
    windowed: &Windowed<'_>,
    level_factor: &ScalarColumn,
    trend_factor: &ScalarColumn,
    out: &mut Column,
) -> Result<(), EngineError> {
    if let (ScalarColumn::Constant(level), ScalarColumn::Constant(trend)) =
        (level_factor, trend_factor)
        && windowed.table.longest > SHORT
        && windowed.windows.len > 1
    {
        return sliding(windowed, *level, *trend, out);
    }
    let mut patience = Patience::default();
    for step in 0..windowed.windows.len {
        let window = windowed.table.at(step);
        if patience.is_over(windowed.limits, window.len()) {
            break;
        }
        if window.is_empty() {
            continue;
        }
        let (level, trend) = factors(level_factor.at(step), trend_factor.at(step))?;
        if let Some(value) = smoothed(&windowed.samples.values[window], level, trend) {
            out.set(step, value);
        }
    }
    Ok(())
}

/// With the same factors at all steps.
fn sliding(
    windowed: &Windowed<'_>,
    level: f64,
    trend: f64,
    out: &mut Column,
) -> Result<(), EngineError> {
    let (level, trend) = factors(level, trend)?;
    let values = windowed.samples.values;
    let factors = Factors::new(level, trend);
    let mut stacks = TwoStacks::<Effect>::default();
    windowed.each(out, |_, window| {
        // The first sample is the level to begin with.
        let later = window.start + 1..window.end;
        let effect = stacks.over(later.clone(), |k| (factors, values[k]));
        if later.is_empty() {
            return None;
        }
        let first = values[window.start];
        let begin = State { level: first, trend: values[later.start] - first };
        let value = effect.matrix.apply(begin).plus(effect.added).level;
        // What infinities come to depends on the way there.
        if value.is_finite() { Some(value) } else { smoothed(&values[window], level, trend) }
    });
    Ok(())
}

/// The level after all samples of a window, the recurrence as upstream has it. Nothing if there are
/// fewer than two.
fn smoothed(values: &[f64], level_factor: f64, trend_factor: f64) -> Option<f64> {
    let &[first, second, ..] = values else { return None };
    let (mut before, mut level, mut trend) = (0.0, first, second - first);
    for (k, value) in values.iter().enumerate().skip(1) {
        if k > 1 {
            trend = trend_factor * (level - before) + (1.0 - trend_factor) * trend;
        }
        (before, level) = (level, level_factor * value + (1.0 - level_factor) * (level + trend));
    }
    Some(level)
}

/// Fails as [`double_exponential_smoothing`] does at the steps that have histograms, whether they have
/// floats or not.
pub(super) fn check_factors(
    windowed: &Windowed<'_>,
    level_factor: &ScalarColumn,
    trend_factor: &ScalarColumn,
) -> Result<(), EngineError> {
    for step in 0..windowed.windows.len {
        if !windowed.histogram_table.at(step).is_empty() {
            factors(level_factor.at(step), trend_factor.at(step))?;
        }
    }
    Ok(())
}

/// Both factors, each above 0 and below 1.
fn factors(level: f64, trend: f64) -> Result<(f64, f64), EngineError> {
    Ok((factor("smoothing", "sf", level)?, factor("trend", "tf", trend)?))
}

fn factor(what: &str, short: &str, value: f64) -> Result<f64, EngineError> {
    if value <= 0.0 || value >= 1.0 {
        return Err(EngineError::Execution {
            message: format!("invalid {what} factor. Expected: 0 < {short} < 1, got: {value:.6}"),
            span: None,
            help: None,
        });
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effects_are_those_of_the_recurrence() {
        let values: Vec<f64> = (0..4000)
            .map(|k| match k {
                700 => 1e9,
                _ => ((k * 7919) % 1009) as f64 / 8.0 - 40.0,
            })
            .collect();
        for (level, trend) in [(0.5, 0.5), (0.01, 0.99), (0.99, 0.01), (0.05, 0.03), (1e-4, 1e-4)] {
            let factors = Factors::new(level, trend);
            let mut stacks = TwoStacks::<Effect>::default();
            for start in (0..2500).step_by(3) {
                let window = start..start + 1200 + start / 10;
                let later = window.start + 1..window.end;
                let effect = stacks.over(later.clone(), |k| (factors, values[k]));
                let first = values[window.start];
                let begin = State { level: first, trend: values[later.start] - first };
                let found = effect.matrix.apply(begin).plus(effect.added).level;
                // Either way each value is rounded a few times.
                let largest = values[window.clone()].iter().copied().fold(0.0, f64::max);
                let expected = smoothed(&values[window], level, trend).unwrap_or(f64::NAN);
                let largest = expected.abs().max(largest);
                assert!((found - expected).abs() <= 1e-13 * largest, "{found} {expected} {level}");
            }
        }
    }
}
