//! A table of the rule files: how much of each is exercised.

use anstyle::Style;
use promql_rules::coverage::{Coverage, RuleCoverage, Tally};

use super::super::report::{FAILED, PASSED};
use super::super::table::Look;
use crate::render::grid::{self, Align, Cell, Grid, push_styled};
use crate::visible;

/// How many rules there are, and of how many everything is exercised.
fn complete(rules: &[RuleCoverage]) -> (usize, usize) {
    let is_complete = |rule: &&RuleCoverage| {
        let tally = rule.tally();
        tally.exercised == tally.points
    };
    (rules.iter().filter(is_complete).count(), rules.len())
}

fn style(tally: Tally) -> Style {
    if tally.exercised == tally.points { PASSED } else { Style::new() }
}

/// A row for each file, and one for all of them.
pub(super) fn summary(coverage: &Coverage, look: &Look) -> String {
    let mut rows = Vec::new();
    let (mut all_complete, mut all_rules) = (0, 0);
    for file in coverage.files() {
        let rules = file.rules();
        let (complete, count) = complete(&rules);
        all_complete += complete;
        all_rules += count;
        let tally: Tally = rules.iter().map(RuleCoverage::tally).sum();
        rows.push((file.file.file.name.clone(), (complete, count), tally));
    }
    let total = coverage.total();
    let headings = [
        ("rule file", Align::Left),
        ("complete rules", Align::Right),
        ("points", Align::Right),
        ("exercised", Align::Right),
    ];
    let mut table = Grid::new(headings);
    if rows.len() != 1 {
        let count = format!("{} rule files", rows.len());
        rows.push((count, (all_complete, all_rules), total));
    }
    for (name, (complete, rules), tally) in &rows {
        table.push(vec![
            Cell::new(name),
            Cell::new(&format!("{complete}/{rules}")),
            Cell::new(&format!("{}/{}", tally.exercised, tally.points)),
            Cell::new(&format!("{:.1}%", tally.percent())).styled(style(*tally)),
        ]);
    }
    let drawn = table.render(look.width, None, look.color, "rule files");
    drawn.unwrap_or_else(|| {
        // Too narrow for a table.
        let line = |(name, _, tally): &(String, (usize, usize), Tally)| {
            let percent = tally.percent();
            format!(
                "{}\n  {}/{} {percent:.1}%\n",
                visible::value(name),
                tally.exercised,
                tally.points
            )
        };
        rows.iter().map(line).collect()
    })
}

/// The line that says that too little is exercised.
pub(super) fn failed(text: &str, look: &Look) -> String {
    let mut out = String::from("\n");
    push_styled(&mut out, "FAILED", FAILED, look.color);
    out.push_str(": coverage: ");
    push_styled(&mut out, text, grid::BOLD, false);
    out.push('\n');
    out
}
