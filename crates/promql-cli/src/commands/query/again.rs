//! `promql query --watch` and `--diff`: what a session has as `\watch` and `\diff`, as flags.

use std::time::Duration;

use promql_model::Labels;
use promql_repl::watch::Watch;
use promql_repl::{Config, Failure, Form, Host, Look, Over, Range, Request, Target, diff};

use super::Query;
use crate::commands::Stop;
use crate::commands::repl::host::{CliHost, Setup};
use crate::console::Console;
use crate::exit::Exit;
use crate::inputs::Input;
use crate::render::{Format, number};
use crate::time::Clock;

/// What is compared by `--diff` without a value.
const TWO_EXPRESSIONS: &str = "";

impl Query {
    /// Asks again and again.
    ///
    /// # Errors
    /// When the flags don't fit together.
    pub(super) fn watch(&self, interval: &str, console: &Console) -> Result<Exit, Stop> {
        let interval = match promql_model::parse_duration(interval) {
            Ok(nanoseconds) if nanoseconds > 0 => Duration::from_nanos(nanoseconds.unsigned_abs()),
            _ => {
                return Err(Stop::Usage(format!(
                    "--watch wants a duration as 5s, not `{interval}`"
                )));
            }
        };
        let inputs = self.inputs()?;
        let [input] = &inputs[..] else {
            return Err(Stop::Usage("--watch asks one expression again and again".to_owned()));
        };
        let (host, target) = self.host(console);
        let connection = match host.connect(&target) {
            Ok(connection) => connection,
            Err(failure) => return Ok(told(&failure, console)),
        };
        let form = match self.format {
            None | Some(Format::Table) => None,
            Some(format) => Form::named(&format.name()),
        };
        let watch = Watch {
            host: &host,
            connection: &*connection,
            request: self.request(input)?,
            stages: &[],
            form,
            look: Look {
                units: self.units_on(console),
                max_rows: self.max_rows_on(console),
                ..Look::default()
            },
            interval,
            rounds: self.rounds,
        };
        Ok(match watch.run(&host.cancellation()) {
            Ok(()) => Exit::Ok,
            Err(failure) => told(&failure, console),
        })
    }

    /// Compares two answers.
    ///
    /// # Errors
    /// When the flags don't fit together, or the answer can't be written.
    pub(super) fn diff(&self, what: &str, console: &Console) -> Result<Exit, Stop> {
        let inputs = self.inputs()?;
        if !matches!(self.format, None | Some(Format::Table | Format::Json)) {
            return Err(Stop::Usage("--diff is shown as a table or as json".to_owned()));
        }
        let (host, target) = self.host(console);
        let cancellation = host.cancellation();
        let ask = |target: &Target, request: &Request| {
            Ok::<_, Failure>(host.connect(target)?.ask(request, &cancellation)?.result.value)
        };
        let ago = what.strip_prefix('-').unwrap_or(what);
        let is_time = promql_model::parse_duration(ago).is_ok();
        let (first, second) = match (&inputs[..], what) {
            ([one, other], TWO_EXPRESSIONS) => (one, other),
            ([one], what) if what != TWO_EXPRESSIONS => (one, one),
            (_, TWO_EXPRESSIONS) => {
                return Err(Stop::Usage(
                    "--diff compares two expressions; of one it compares two times (--diff=1h) or \
                     two sources (--diff=SOURCE)"
                        .to_owned(),
                ));
            }
            _ => return Err(Stop::Usage(format!("--diff={what} wants one expression"))),
        };
        let (one, other) = (self.request(first)?, self.request(second)?);
        let names = if is_time { ("before", "now") } else { ("first", "second") };
        let sides = if is_time {
            if one.range.is_some() {
                return Err(Stop::Usage(
                    "--diff of times compares two points in time, not ranges".to_owned(),
                ));
            }
            ask(&target, &one).and_then(|now| {
                let time = Some(diff::time_before(&now, ago));
                Ok((ask(&target, &Request { time, ..one.clone() })?, now))
            })
        } else if what == TWO_EXPRESSIONS {
            ask(&target, &one).and_then(|left| Ok((left, ask(&target, &other)?)))
        } else {
            let there = Target { source: what.to_owned(), ..Target::default() };
            ask(&target, &one).and_then(|left| Ok((left, ask(&there, &one)?)))
        };
        let sides = match sides {
            Ok(sides) => sides,
            Err(failure) => return Ok(told(&failure, console)),
        };
        let rows = diff::compare(&sides.0, &sides.1);
        let tolerance = self.tolerance.unwrap_or(0.0);
        let units = self.units_on(console);
        console.print(&match self.format {
            Some(Format::Json) => json(&rows, names, tolerance),
            _ => diff::table(&rows, names, tolerance, &|value| {
                host.value(value, &one.expression, units)
            }),
        })?;
        let differs = rows.iter().any(|row| row.differs(tolerance));
        Ok(if self.tolerance.is_some() && differs { Exit::Failed } else { Exit::Ok })
    }

    fn host(&self, console: &Console) -> (CliHost, Target) {
        let setup = Setup {
            utc: self.utc,
            limits: self.limits.clone(),
            server: self.server.clone(),
            eval: self.eval,
            is_script: false,
        };
        let target = Config::default().targets(&self.sources).unwrap_or_default();
        (CliHost::new(setup, *console), target)
    }

    /// An expression with the times of the flags.
    fn request(&self, input: &Input) -> Result<Request, Stop> {
        let times = &self.times;
        // What doesn't fit together is said before anything is asked.
        let clock = Clock::system();
        times.when(&clock, clock.now).map_err(super::usage)?;
        let over = match (&times.last, &times.start) {
            (Some(last), _) => Some(Over::Last(last.clone())),
            (None, Some(start)) => Some(Over::Between(start.clone(), times.end.clone())),
            (None, None) => None,
        };
        Ok(Request {
            expression: String::from_utf8_lossy(&input.text).trim_end().to_owned(),
            time: if times.last.is_some() { times.end.clone() } else { times.time.clone() },
            range: over.map(|over| Range { over, step: times.step.clone() }),
            lookback: self.limits.lookback.clone(),
        })
    }
}

fn told(failure: &Failure, console: &Console) -> Exit {
    if failure.cancelled {
        return Exit::Interrupted;
    }
    console.remark(&failure.text);
    if failure.is_input { Exit::Usage } else { Exit::Failed }
}

/// The rows as JSON; values are texts as in the HTTP API, and null where a side has no such series.
fn json(rows: &[diff::Row], names: (&str, &str), tolerance: f64) -> String {
    let labels = |labels: &Labels| -> serde_json::Map<String, serde_json::Value> {
        labels.iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
    };
    let rows: Vec<serde_json::Value> = rows
        .iter()
        .map(|row| {
            serde_json::json!({
                "metric": labels(&row.labels),
                names.0: row.left.map(number::sample),
                names.1: row.right.map(number::sample),
                "differs": row.differs(tolerance),
            })
        })
        .collect();
    format!(
        "{}\n",
        serde_json::json!({"status": "success", "data": {"resultType": "diff", "result": rows}})
    )
}
