//! The search in the history, behind Ctrl-R.
//!
//! Each word that is written has to be in a statement, at least its letters in their order. Those that hold the
//! words as they were written come first, then what was asked of the source that is asked now, then what is
//! newer.

use promql_ide::fit;

use crate::history::Entry;
use crate::list::List;

/// So many characters of a statement are looked at.
const LOOKED_AT: usize = 1_000;

/// A search that is under way.
#[derive(Debug, Default)]
pub(crate) struct Search {
    /// The newest first, each with what is looked at of it, in lower case.
    entries: Vec<(Entry, String)>,
    source: String,
    /// The place of the chosen one among those that fit.
    chosen: usize,
    /// Whether somebody left it without choosing.
    is_left: bool,
    /// What was looked for last, and the places of what was found.
    found: Option<(String, Vec<usize>)>,
}

impl Search {
    /// A search among statements, the oldest of which comes first, for somebody who asks a source.
    pub(crate) fn new<'e>(
        entries: impl DoubleEndedIterator<Item = &'e Entry>,
        source: String,
    ) -> Search {
        let looked_at = |entry: &Entry| -> String {
            entry.text.chars().take(LOOKED_AT).flat_map(char::to_lowercase).collect()
        };
        let entries = entries.rev().map(|entry| (entry.clone(), looked_at(entry))).collect();
        Search { entries, source, ..Search::default() }
    }

    /// Goes so many down the list.
    pub(crate) fn choose(&mut self, by: isize) {
        let most = self.found.as_ref().map_or(0, |(_, found)| found.len().saturating_sub(1));
        self.chosen = self.chosen.saturating_add_signed(by).min(most);
    }

    /// Leaves it without choosing.
    pub(crate) fn leave(&mut self) {
        self.is_left = true;
    }

    /// The chosen statement of those that fit; nothing if it was left.
    pub(crate) fn chosen(&mut self, pattern: &str) -> Option<String> {
        if self.is_left {
            return None;
        }
        self.look(pattern);
        let (_, found) = self.found.as_ref()?;
        Some(self.entries[*found.get(self.chosen)?].0.text.clone())
    }

    /// Looks for the statements that fit, the best first.
    fn look(&mut self, asked: &str) {
        if self.found.as_ref().is_none_or(|(known, _)| known != asked) {
            let pattern = asked.to_lowercase();
            let words: Vec<&str> = pattern.split_whitespace().collect();
            let mut found: Vec<(bool, bool, usize)> = Vec::new();
            for (at, (entry, text)) in self.entries.iter().enumerate() {
                let is_written = words.iter().all(|word| text.contains(word));
                if is_written || words.iter().all(|word| fit(word, text).is_some()) {
                    found.push((!is_written, entry.source != self.source, at));
                }
            }
            found.sort();
            let places = found.into_iter().map(|(_, _, at)| at).collect();
            self.found = Some((asked.to_owned(), places));
            self.chosen = 0;
        }
    }

    /// The list below the line, on a screen of so many columns and rows. A mark is in front of the chosen one.
    pub(crate) fn list(&mut self, pattern: &str, screen: (usize, usize), mark: char) -> String {
        self.look(pattern);
        let found = self.found.as_ref().map_or(&[][..], |(_, found)| found);
        if found.is_empty() {
            return "  nothing in the history has these letters".to_owned();
        }
        let entry = |at: usize| {
            let (entry, _) = &self.entries[found[at]];
            let text = entry.text.split_whitespace().collect::<Vec<_>>().join(" ");
            let elsewhere = match entry.source == self.source || entry.source.is_empty() {
                true => String::new(),
                false => format!("({})", entry.source),
            };
            (text, elsewhere)
        };
        List { count: found.len(), chosen: self.chosen, entry: &entry }.drawn(screen, mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(entries: &[(&str, &str)]) -> Search {
        let entry = |(source, text): &(&str, &str)| Entry {
            time: 0,
            source: (*source).to_owned(),
            text: (*text).to_owned(),
        };
        let entries: Vec<Entry> = entries.iter().map(entry).collect();
        Search::new(entries.iter(), "here".to_owned())
    }

    #[test]
    fn what_is_asked_here_and_lately_comes_first() {
        let mut search = search(&[
            ("here", "sum(rate(http_requests_total[5m]))"),
            ("there", "rate(http_errors_total[5m])"),
            ("here", "up"),
            ("here", "rate(node_cpu_seconds_total[1m])"),
            ("here", "round(a * t + e)"),
        ]);
        let lines = |search: &mut Search, pattern: &str| -> Vec<String> {
            search.list(pattern, (60, 24), '>').lines().map(str::to_owned).collect()
        };
        assert_eq!(
            lines(&mut search, "rate"),
            [
                "> rate(node_cpu_seconds_total[1m])",
                "  sum(rate(http_requests_total[5m]))",
                "  rate(http_errors_total[5m])  (there)",
                // Its letters are there in their order.
                "  round(a * t + e)",
            ]
        );
        assert_eq!(lines(&mut search, "http rate").len(), 2);
        assert_eq!(
            search.chosen("http rate").as_deref(),
            Some("sum(rate(http_requests_total[5m]))")
        );
        search.choose(1);
        search.choose(1);
        assert_eq!(search.chosen("http rate").as_deref(), Some("rate(http_errors_total[5m])"));
        // Another pattern begins at the top.
        assert_eq!(search.chosen("up").as_deref(), Some("up"));
        assert_eq!(search.chosen("xyz"), None);
        assert_eq!(lines(&mut search, "").len(), 5);
        assert_eq!(search.list("http rate", (20, 0), '>'), "> sum(rate(http_re…\n  1 of 2");
        assert_eq!(lines(&mut search, "xyz"), ["  nothing in the history has these letters"]);
    }
}
