//! What is wrong with an expression, and what was proposed for it.

use super::{Failure, given_or_last};
use crate::session::Session;
use crate::statement::{Query, Statement};

/// `\check [EXPR]`: what the linter finds, with the changes that it proposes.
pub(super) fn check(session: &mut Session<'_>, rest: &str) -> Result<(), Failure> {
    let text = given_or_last(session, rest)?;
    let Ok(Statement::Query(Query { expression, .. })) = Statement::read(&text) else {
        return Err(Failure::new("an expression is wanted"));
    };
    let expression = session.expanded(&expression)?;
    let found = session.host.lint(&expression);
    session.print_paged(&found.text);
    session.offer(found.fixes);
    Ok(())
}

/// `\fix [N]`: puts an expression that was proposed into the next line.
pub(super) fn fix(session: &mut Session<'_>, rest: &str) -> Result<(), Failure> {
    if session.fixes.is_empty() {
        return Err(Failure::new("nothing is proposed; \\why and \\check look for something"));
    }
    let number = match rest {
        "" => Some(1),
        text => text.parse::<usize>().ok(),
    };
    let count = session.fixes.len();
    let fix = number.and_then(|number| session.fixes.get(number.checked_sub(1)?));
    let Some(fix) = fix else {
        return Err(Failure::new(format!("\\fix wants a number from 1 to {count}")));
    };
    let expression = fix.expression.clone();
    session.put(expression);
    Ok(())
}
