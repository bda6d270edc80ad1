//! An expression asked again and again.
//!
//! On a terminal each round is drawn over the one before: in place, or on the screen's second page where
//! a graph is taller than half of it. In a pipe the rounds stand one below the other. Values at a point in
//! time are a table with what changed, or a graph that grows by a point each round.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use promql_engine::Cancellation;
use promql_model::{Labels, QueryResult, QueryValue, SeriesSamples};

use crate::diff::{named, values};
use crate::grid::Grid;
use crate::host::{Answer, Connection, Failure, Form, Host, Look, Request};
use crate::stages::{Outcome, Stage, apply};

/// How often the switch of Ctrl-C is looked at.
const TICK: Duration = Duration::from_millis(50);

/// A growing graph keeps so many points of a series.
const MOST_POINTS: usize = 3600;

/// What is watched, and how it is shown.
pub struct Watch<'a> {
    /// The program around it.
    pub host: &'a dyn Host,
    /// What is asked.
    pub connection: &'a dyn Connection,
    /// The question.
    pub request: Request,
    /// What is done to each answer.
    pub stages: &'a [Stage],
    /// The form; without one a table with changes, or a graph of a range on a terminal.
    pub form: Option<Form>,
    /// How answers look.
    pub look: Look,
    /// The time from one question to the next.
    pub interval: Duration,
    /// After how many rounds it ends; without a number Ctrl-C ends it.
    pub rounds: Option<usize>,
}

impl std::fmt::Debug for Watch<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").field("request", &self.request).finish_non_exhaustive()
    }
}

/// What earlier rounds have left.
#[derive(Default)]
struct Past {
    values: Option<BTreeMap<Labels, f64>>,
    grown: BTreeMap<Labels, Vec<(i64, f64)>>,
}

impl Watch<'_> {
    /// Asks until it ends. A source that fails at first ends it, too; later that is told, and it is asked
    /// again.
    ///
    /// # Errors
    /// When there is no first answer, or the form can't hold it.
    pub fn run(&self, cancellation: &Cancellation) -> Result<(), Failure> {
        let mut past = Past::default();
        let mut drawing = Drawing::new(self.host);
        let mut rounds = 0_usize;
        let result = loop {
            if self.rounds.is_some_and(|most| rounds >= most) || cancellation.is_cancelled() {
                break Ok(());
            }
            let started = Instant::now();
            match self.round(&mut past, cancellation) {
                Ok((text, is_tall)) => {
                    rounds += 1;
                    drawing.draw(&text, is_tall, &self.status(rounds));
                }
                Err(failure) if failure.cancelled => break Ok(()),
                Err(failure) if rounds == 0 => break Err(failure),
                Err(failure) => {
                    rounds += 1;
                    drawing.complain(&failure.text);
                }
            }
            while started.elapsed() < self.interval && !cancellation.is_cancelled() {
                if self.rounds.is_some_and(|most| rounds >= most) {
                    break;
                }
                let left = self.interval.saturating_sub(started.elapsed());
                std::thread::sleep(left.min(TICK));
            }
        };
        drawing.end();
        result
    }

    fn status(&self, rounds: usize) -> String {
        format!("each {:?}, {rounds} times; Ctrl-C ends", self.interval)
    }

    /// The text of a round, and whether it is a graph.
    fn round(
        &self,
        past: &mut Past,
        cancellation: &Cancellation,
    ) -> Result<(String, bool), Failure> {
        let mut answer = self.connection.ask(&self.request, cancellation)?;
        let Outcome { form, units, is_wide, ordered, .. } = apply(self.stages, &mut answer.result);
        answer.ordered |= ordered;
        let mut look = self.look;
        look.is_wide |= is_wide;
        look.units = units.unwrap_or(look.units);
        let is_range = answer.range.is_some();
        let default = is_range && self.host.terminal().is_interactive;
        let form = form.or(self.form).or(default.then_some(Form::Graph));
        match form {
            Some(Form::Graph) if !is_range => {
                past.grow(&answer.result.value);
                answer.result = QueryResult { value: past.matrix(), annotations: Vec::new() };
                Ok((self.host.show(&answer, Form::Graph, look)?, true))
            }
            Some(form) if form != Form::Table || is_range => {
                Ok((self.host.show(&answer, form, look)?, form == Form::Graph))
            }
            _ => {
                let now = values(&answer.result.value);
                let text = self.changes(&now, past.values.as_ref(), &answer, look);
                past.values = Some(now);
                Ok((text, false))
            }
        }
    }

    /// The values with what changed since the round before, the largest first.
    fn changes(
        &self,
        now: &BTreeMap<Labels, f64>,
        before: Option<&BTreeMap<Labels, f64>>,
        answer: &Answer,
        look: Look,
    ) -> String {
        let terminal = self.host.terminal();
        let (up, down) = if terminal.unicode { ("▲", "▼") } else { ("+", "-") };
        let number = |value| self.host.value(value, &answer.request.expression, look.units);
        let mut grid = Grid::new([("series", false), ("value", true), ("change", true)]);
        let mut rows: Vec<(&Labels, f64)> =
            now.iter().map(|(labels, value)| (labels, *value)).collect();
        rows.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        for (labels, value) in rows {
            let change = match before.map(|before| before.get(labels).copied()) {
                None => String::new(),
                Some(None) => "new".to_owned(),
                Some(Some(old)) if value > old => format!("{up} {}", number(value - old)),
                Some(Some(old)) if value < old => format!("{down} {}", number(old - value)),
                Some(Some(_)) => String::new(),
            };
            grid.push([named(labels), number(value), change]);
        }
        if let Some(before) = before {
            for labels in before.keys().filter(|labels| !now.contains_key(*labels)) {
                grid.push([named(labels), "-".to_owned(), "gone".to_owned()]);
            }
        }
        match now.is_empty() && before.is_none_or(BTreeMap::is_empty) {
            true => "no series\n".to_owned(),
            false => grid.render(terminal.size.map(|(columns, _)| columns)),
        }
    }
}

impl Past {
    /// Adds a point to each series, at the time of now: files are asked at a time that doesn't go on.
    fn grow(&mut self, value: &QueryValue) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
        for (labels, value) in values(value) {
            let points = self.grown.entry(labels).or_default();
            if points.len() >= MOST_POINTS {
                points.remove(0);
            }
            points.push((now, value));
        }
    }

    fn matrix(&self) -> QueryValue {
        let one = |(labels, points): (&Labels, &Vec<(i64, f64)>)| SeriesSamples {
            labels: labels.clone(),
            floats: points.clone(),
            histograms: Vec::new(),
        };
        QueryValue::Matrix(self.grown.iter().map(one).collect())
    }
}

/// What is on the screen.
struct Drawing<'a> {
    host: &'a dyn Host,
    /// The lines of the last round.
    lines: Vec<String>,
    size: Option<(usize, usize)>,
    /// Whether the second page is shown.
    is_apart: bool,
}

impl<'a> Drawing<'a> {
    fn new(host: &'a dyn Host) -> Drawing<'a> {
        Drawing { host, lines: Vec::new(), size: host.terminal().size, is_apart: false }
    }

    fn draw(&mut self, text: &str, is_graph: bool, status: &str) {
        let terminal = self.host.terminal();
        let Some((columns, height)) = terminal.size.filter(|_| terminal.is_interactive) else {
            self.host.print(text);
            return;
        };
        let status: String = status.chars().take(columns.saturating_sub(1)).collect();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.truncate(height.saturating_sub(2));
        lines.push(match terminal.color {
            true => format!("\u{1b}[2m{status}\u{1b}[0m"),
            false => status,
        });
        let mut out = String::new();
        if is_graph && lines.len() > height / 2 && !self.is_apart {
            out.push_str("\u{1b}[?1049h");
            self.is_apart = true;
            self.lines.clear();
        }
        match (self.is_apart, self.lines.len()) {
            (true, _) => out.push_str("\u{1b}[H"),
            (false, 0) => {}
            // After a change of the size nobody knows where the lines are.
            _ if terminal.size != self.size => out.push_str("\u{1b}[H\u{1b}[2J"),
            (false, drawn) => out.push_str(&format!("\u{1b}[{drawn}A\r")),
        }
        // Line by line, so that nothing is blank between one round and the next.
        for line in &lines {
            out.push_str(line);
            out.push_str("\u{1b}[K\n");
        }
        out.push_str("\u{1b}[J");
        self.host.print(&out);
        (self.lines, self.size) = (lines, terminal.size);
    }

    /// Says why there is no answer this time, in place of the last line.
    fn complain(&mut self, text: &str) {
        let terminal = self.host.terminal();
        let first = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        match terminal.size.filter(|_| terminal.is_interactive) {
            Some((columns, _)) => {
                let first: String = first.chars().take(columns.saturating_sub(1)).collect();
                self.host.print(&format!("\u{1b}[1A\r{first}\u{1b}[K\n"));
            }
            None => self.host.remark(text),
        }
    }

    /// Leaves the second page; what was on it last stays on the first.
    fn end(&self) {
        if self.is_apart {
            self.host.print(&format!("\u{1b}[?1049l{}\n", self.lines.join("\n")));
        }
    }
}
