//! The last answer in another form, and answers beside each other.

use std::time::Duration;

use super::{Failure, given_or_last};
use crate::diff;
use crate::host::Form;
use crate::session::Session;
use crate::stages::Stage;
use crate::statement::{Query, Statement};
use crate::watch::Watch;

macro_rules! forms {
    ($($name:ident $form:ident),*) => {
        $(pub(super) fn $name(session: &mut Session<'_>, _: &str) -> Result<(), Failure> {
            session.show_again(&[Stage::Show(Form::$form, None)])
        })*
    };
}
forms! { table Table, vertical Vertical, graph Graph, json Json, csv Csv }

pub(super) fn wide(session: &mut Session<'_>, _: &str) -> Result<(), Failure> {
    session.show_again(&[Stage::Wide])
}

pub(super) fn why(session: &mut Session<'_>, _: &str) -> Result<(), Failure> {
    let Some((answer, _)) = &session.last else {
        return Err(Failure::new("nothing was asked yet"));
    };
    if !answer.result.value.is_empty() {
        session.print("the last answer is not empty; \\explain shows how it came about\n");
        return Ok(());
    }
    let request = answer.request.clone();
    let connection = session.connected()?;
    match connection.why_empty(&request, &session.host.cancellation()) {
        Some(reason) => {
            session.print(&format!("{}\n", reason.text.trim_end()));
            session.offer(reason.fixes);
        }
        None => session.print("nothing was found out in time\n"),
    }
    Ok(())
}

/// An expression with its range and stages.
fn query(session: &Session<'_>, rest: &str) -> Result<Query, Failure> {
    let text = given_or_last(session, rest)?;
    match Statement::read(&text) {
        Ok(Statement::Query(query)) => Ok(query),
        Ok(_) => Err(Failure::new("an expression is wanted")),
        Err(unclear) => Err(Failure::new(unclear.0)),
    }
}

pub(super) fn watch(session: &mut Session<'_>, rest: &str) -> Result<(), Failure> {
    let (first, behind) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let (interval, rest) = match promql_model::parse_duration(first) {
        Ok(nanoseconds) if nanoseconds > 0 => {
            (Duration::from_nanos(nanoseconds.unsigned_abs()), behind.trim())
        }
        _ => (Duration::from_secs(5), rest),
    };
    let query = query(session, rest)?;
    let connection = session.connected()?;
    let is_interactive = session.host.terminal().is_interactive;
    let watch = Watch {
        host: session.host,
        connection: &*connection,
        request: session.request(&query)?,
        stages: &query.stages,
        form: session.settings.form,
        look: session.look(false),
        interval,
        // Nobody would end it in a pipe.
        rounds: (!is_interactive).then_some(2),
    };
    watch.run(&session.host.cancellation())
}

pub(super) fn diff(session: &mut Session<'_>, rest: &str) -> Result<(), Failure> {
    let connection = session.connected()?;
    let cancellation = session.host.cancellation();
    let ask = |connection: &dyn crate::host::Connection, query: &Query, time: Option<String>| {
        let mut request = session.request(query)?;
        request.time = time.or(request.time);
        Ok::<_, Failure>(connection.ask(&request, &cancellation)?.result.value)
    };
    let first = rest.split_whitespace().next().unwrap_or_default();
    let ago = first.strip_prefix('-').filter(|ago| promql_model::parse_duration(ago).is_ok());
    let (sides, names, query) = if let Some(ago) = ago {
        let query = query(session, rest[first.len()..].trim())?;
        if query.range.is_some() {
            return Err(Failure::new("\\diff of times compares two points in time, not ranges"));
        }
        let now = ask(&*connection, &query, None)?;
        let before = ask(&*connection, &query, Some(diff::time_before(&now, ago)))?;
        ((before, now), ("before", "now"), query)
    } else if let Some((one, other)) = rest.split_once(';') {
        let (one, other) = (query(session, one.trim())?, query(session, other.trim())?);
        let (a, b) = (ask(&*connection, &one, None)?, ask(&*connection, &other, None)?);
        ((a, b), ("first", "second"), one)
    } else {
        let mut words = rest.splitn(3, char::is_whitespace);
        let (Some(one), Some(other)) = (words.next().filter(|w| !w.is_empty()), words.next())
        else {
            return Err(Failure::new(
                "\\diff wants two expressions (\\diff up ; up offset 1h), a time (\\diff -1h up) or two \
                 sources (\\diff prod staging up)",
            ));
        };
        let query = query(session, words.next().unwrap_or_default().trim())?;
        let open = |name: &str| session.host.connect(&session.config.target(name));
        let (one, other) = (open(one)?, open(other)?);
        let sides = (ask(&*one, &query, None)?, ask(&*other, &query, None)?);
        (sides, ("first", "second"), query)
    };
    let expression = session.expanded(&query.expression)?;
    let units = session.units(false);
    let number = |value| session.host.value(value, &expression, units);
    let rows = diff::compare(&sides.0, &sides.1);
    let text = diff::table(&rows, names, session.settings.tolerance, &number);
    session.print_paged(&text);
    Ok(())
}
