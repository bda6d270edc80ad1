//! New expectations for failing evals.
//!
//! What a query gives is written in the place of what it was expected to give, and nothing else is
//! touched: of the lines below an `eval` those that hold stay as they are, byte for byte; a line with
//! another value keeps its labels and blanks; lines of series that are gone make room for lines of
//! series that are new. A new block is only taken if the query passes with it in all its
//! [forms](super::Attempt). Where an annotation is another in other forms (its place moves when `@` is
//! added) it is matched with fewer words.

mod block;
mod lines;

use promql_model::{QueryResult, Severity};
use promql_storage::fixture::script_blocks;

use self::block::Detail;
use super::{Eval, RunOptions, Script, Verdict, annotations, attempt, expect, head};

/// A script with new expectations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// The whole script.
    pub text: String,
    /// What was changed, in the order of the script.
    pub changes: Vec<Change>,
    /// The lines of failing evals, from 1, for which no expectations hold in all forms of the query.
    pub stuck: Vec<usize>,
}

/// New expectations of an eval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The line of the `eval` in the script as it was, from 1.
    pub line: usize,
    /// The lines that are gone, without the blanks around them.
    pub removed: Vec<String>,
    /// The lines that are new.
    pub added: Vec<String>,
}

impl Update {
    /// What was changed for the `eval` on a line.
    pub fn change_of(&self, line: usize) -> Option<&Change> {
        self.changes.iter().find(|change| change.line == line)
    }
}

/// What a query gave as the script has it.
enum Given {
    Result(QueryResult),
    Error(String),
}

impl Script {
    /// The script with new expectations for some of its evals, which are those that failed.
    pub fn update(&self, failing: &[&Eval], options: &RunOptions) -> Update {
        let mut lines: Vec<String> = self.text.split('\n').map(str::to_owned).collect();
        // A last line without an end gets one for the time being, as other lines may come behind it.
        let is_open = lines[0].ends_with('\r') && !self.text.ends_with('\n');
        if let (true, Some(last)) = (is_open, lines.last_mut()) {
            last.push('\r');
        }
        let (mut changes, mut stuck) = (Vec::new(), Vec::new());
        // From the end, so that the numbers of the lines before stay right.
        let mut failing: Vec<&&Eval> = failing.iter().collect();
        failing.sort_by_key(|eval| std::cmp::Reverse(eval.line));
        for eval in failing {
            match self.updated(eval, options, &lines) {
                Some((new, change)) => {
                    let range = eval.line - 1..eval.line + eval.expectations.lines.len();
                    lines.splice(range, new);
                    changes.push(change);
                }
                None => stuck.push(eval.line),
            }
        }
        if let (true, Some(last)) = (is_open, lines.last_mut()) {
            last.pop();
        }
        changes.reverse();
        stuck.reverse();
        Update { text: lines.join("\n"), changes, stuck }
    }

    /// The lines of an `eval` from its head on, as they must be.
    fn updated(
        &self,
        eval: &Eval,
        options: &RunOptions,
        lines: &[String],
    ) -> Option<(Vec<String>, Change)> {
        let original = attempt::original(eval);
        let given = match self.evaluate(eval, &eval.query, &original, options) {
            Ok(result) => Given::Result(result),
            Err(error) => match error {
                promql_engine::EngineError::Cancelled
                | promql_engine::EngineError::Timeout { .. } => return None,
                error => Given::Error(error.to_string()),
            },
        };
        let old = lines.get(eval.line - 1..eval.line + eval.expectations.lines.len())?;
        let is_followed = lines
            .get(eval.line + eval.expectations.lines.len())
            .is_some_and(|line| !line.trim().is_empty() && !line.trim().starts_with('#'));
        Detail::ALL.into_iter().find_map(|detail| {
            let new = block::rewrite(eval, &given, detail, old)?;
            if !self.passes(eval, &new, options) {
                return None;
            }
            let change = change(eval.line, old, &new);
            let mut new = new;
            // Only some lines end a block by themselves.
            if is_followed && script_blocks(&format!("{}\nclear", new.join("\n"))).len() < 2 {
                new.push(if old[0].ends_with('\r') { "\r".to_owned() } else { String::new() });
            }
            Some((new, change))
        })
    }

    /// Whether an eval passes with other lines.
    fn passes(&self, eval: &Eval, lines: &[String], options: &RunOptions) -> bool {
        let text = lines.join("\n");
        let blocks = script_blocks(&text);
        let [block] = &blocks[..] else { return false };
        let mut troubles = Vec::new();
        let Some(head) = head::parse(block.head, &mut troubles) else { return false };
        let expectations = expect::parse(&block.lines, head.suffix, head.time, &mut troubles);
        if !troubles.is_empty() {
            return false;
        }
        let eval = Eval { expectations, suffix: head.suffix, ..eval.clone() };
        // Where the old spellings are told from the new ones, the text counts.
        matches!(self.run(&eval, options), Verdict::Passed)
    }
}

impl Given {
    /// The annotations of a kind, in upstream's words.
    fn annotations(&self, severity: Severity, query: &str) -> Vec<String> {
        match self {
            Given::Result(result) => annotations::texts(&result.annotations, severity, query),
            Given::Error(_) => Vec::new(),
        }
    }
}

/// So many pairs of lines are compared; longer blocks count as wholly new.
const MOST_PAIRS: usize = 4_000_000;

/// The lines that are gone and those that are new. What comes in another order is both.
fn change(line: usize, old: &[String], new: &[String]) -> Change {
    let same = |(before, after): &(&String, &String)| before == after;
    let front = old.iter().zip(new).take_while(same).count();
    let (old, new) = (&old[front..], &new[front..]);
    let back = old.iter().rev().zip(new.iter().rev()).take_while(same).count();
    let (old, new) = (&old[..old.len() - back], &new[..new.len() - back]);

    let (rows, columns) = (old.len(), new.len());
    let is_small = rows.saturating_mul(columns) <= MOST_PAIRS;
    let in_common = |i: usize, j: usize| is_small && old[i] == new[j];
    // The longest list of lines that both have, found from the end: a cell holds the length for what
    // is behind its two positions.
    let mut lengths = vec![vec![0usize; columns + 1]; if is_small { rows + 1 } else { 0 }];
    for i in (0..rows).rev().filter(|_| is_small) {
        for j in (0..columns).rev() {
            lengths[i][j] = match in_common(i, j) {
                true => lengths[i + 1][j + 1] + 1,
                false => lengths[i + 1][j].max(lengths[i][j + 1]),
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut change = Change { line, removed: Vec::new(), added: Vec::new() };
    while i < rows || j < columns {
        let removes = || !is_small || lengths[i + 1][j] >= lengths[i][j + 1];
        if i < rows && j < columns && in_common(i, j) {
            (i, j) = (i + 1, j + 1);
        } else if j == columns || i < rows && removes() {
            change.removed.push(old[i].trim().to_owned());
            i += 1;
        } else {
            change.added.push(new[j].trim().to_owned());
            j += 1;
        }
    }
    change
}
