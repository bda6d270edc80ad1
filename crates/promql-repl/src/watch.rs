//! An expression asked again and again.

use std::time::{Duration, Instant};

use promql_model::Labels;

use crate::diff::values;
use crate::grid::Grid;
use crate::host::Failure;
use crate::session::Session;
use crate::statement::Query;

/// How often the switch of Ctrl-C is looked at.
const TICK: Duration = Duration::from_millis(50);

impl Session<'_> {
    /// Asks each interval, and shows the values with what changed since the time before: in place on a
    /// terminal, one below the other in a pipe. It ends by Ctrl-C, after so many rounds if there is a
    /// limit, and when the source fails.
    pub(crate) fn watch(
        &mut self,
        query: &Query,
        interval: Duration,
        rounds: Option<usize>,
    ) -> Result<(), Failure> {
        let request = self.request(query)?;
        let connection = self.connected()?;
        let cancellation = self.host.cancellation();
        let mut before: Option<std::collections::BTreeMap<Labels, f64>> = None;
        let mut drawn = 0;
        for round in 0.. {
            if rounds.is_some_and(|rounds| round >= rounds) || cancellation.is_cancelled() {
                break;
            }
            let started = Instant::now();
            let answer = match connection.ask(&request, &cancellation) {
                Err(failure) if failure.cancelled => break,
                answer => answer?,
            };
            let now = values(&answer.result.value);
            let text = self.round(&now, before.as_ref());
            let terminal = self.host.terminal();
            if terminal.is_interactive && drawn > 0 {
                self.host.print(&format!("\u{1b}[{drawn}A\u{1b}[J"));
            }
            let height = terminal.size.map_or(usize::MAX, |(_, height)| height.saturating_sub(2));
            let mut lines: Vec<&str> = text.lines().collect();
            if terminal.is_interactive && lines.len() > height {
                lines.truncate(height);
            }
            drawn = lines.len();
            self.host.print(&(lines.join("\n") + "\n"));
            before = Some(now);
            while started.elapsed() < interval && !cancellation.is_cancelled() {
                let left = interval.saturating_sub(started.elapsed());
                std::thread::sleep(left.min(TICK));
            }
        }
        Ok(())
    }

    fn round(
        &self,
        now: &std::collections::BTreeMap<Labels, f64>,
        before: Option<&std::collections::BTreeMap<Labels, f64>>,
    ) -> String {
        let terminal = self.host.terminal();
        let (up, down) = if terminal.unicode { ("▲", "▼") } else { ("+", "-") };
        let mut grid = Grid::new([("series", false), ("value", true), ("change", true)]);
        let mut rows: Vec<(&Labels, f64)> =
            now.iter().map(|(labels, value)| (labels, *value)).collect();
        rows.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        for (labels, value) in rows {
            let change = match before.map(|before| before.get(labels).copied()) {
                None => String::new(),
                Some(None) => "new".to_owned(),
                Some(Some(old)) if value > old => format!("{up} {}", self.host.number(value - old)),
                Some(Some(old)) if value < old => {
                    format!("{down} {}", self.host.number(old - value))
                }
                Some(Some(_)) => String::new(),
            };
            let name = labels.selector().to_string();
            let name = if name.is_empty() { "{}".to_owned() } else { name };
            grid.push([name, self.host.number(value), change]);
        }
        if let Some(before) = before {
            for labels in before.keys().filter(|labels| !now.contains_key(*labels)) {
                grid.push([labels.selector().to_string(), "-".to_owned(), "gone".to_owned()]);
            }
        }
        match now.is_empty() && before.is_none_or(|before| before.is_empty()) {
            true => "no series\n".to_owned(),
            false => grid.render(terminal.size.map(|(columns, _)| columns)),
        }
    }
}
