//! `absent` and `absent_over_time`: whether there is nothing, under labels that are guessed from the
//! selector.

use promql_model::{Labels, METRIC_NAME, MatchOp};
use promql_syntax::Query;
use promql_syntax::ast::SelectorId;

use crate::EngineError;
use crate::column::{Bitmap, Column};
use crate::context::Context;
use crate::operator::{Kept, Operator, Series, VectorOperator};
use crate::workers::Scratch;

/// The labels that every series of a selector must have: those that exactly one matcher mentions,
/// and that one says what the value is.
pub(crate) fn labels_of_selector(query: &Query, selector: SelectorId) -> Labels {
    let matchers: Vec<_> = query.matchers(selector).collect();
    let certain = matchers.iter().filter(|(name, op, _)| {
        *op == MatchOp::Equal
            && *name != METRIC_NAME.as_bytes()
            && matchers.iter().filter(|other| other.0 == *name).count() == 1
    });
    Labels::from_pairs(certain.map(|(name, _, value)| {
        (String::from_utf8_lossy(name).into_owned(), String::from_utf8_lossy(value).into_owned())
    }))
}

/// One element with the value 1 at each step at which the input has none.
pub(crate) fn absent<'a>(
    context: &'a Context<'a>,
    input: &dyn Operator,
    labels: Labels,
    steps: usize,
) -> Result<VectorOperator<'a>, EngineError> {
    let mut present = Bitmap::empty(steps);
    let compute = |index: usize, scratch: &mut Scratch| {
        let mut column = scratch.take_column();
        input.column(index, scratch, &mut column)?;
        let valid = column.present().into_owned();
        scratch.give_column(column);
        Ok(valid)
    };
    context.workers.run(input.series().len(), steps, compute, |_, valid: Bitmap| {
        present.union(&valid);
        Ok(())
    })?;
    present.complement();
    let column = Column::new(vec![1.0; steps], present);
    Ok(Box::new(Kept::new(context, vec![Series::new(labels)], vec![column])?))
}
