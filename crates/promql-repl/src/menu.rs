//! What Tab found: what may be chosen at one place of one line, and which of it stands there now.

use std::ops::Range;

use crate::list::List;

/// Something that may be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    /// How it is shown.
    pub(crate) label: String,
    /// What is written.
    pub(crate) insert: String,
    /// A few words about it; often empty.
    pub(crate) detail: String,
}

impl Choice {
    /// A word that is written as it is shown.
    pub(crate) fn word(text: impl Into<String>) -> Choice {
        let text = text.into();
        Choice { label: text.clone(), insert: text, detail: String::new() }
    }
}

/// What may be chosen at one place of one line.
pub(crate) struct Menu {
    /// The line as it was before, and where the cursor stood.
    before: (String, usize),
    /// What stays of it in front and behind.
    front: String,
    behind: String,
    choices: Vec<Choice>,
}

/// What the line has to do with a menu.
pub(crate) enum Shown {
    /// A choice stands in the line; this goes below it.
    List(String),
    /// The line is as it was before.
    Before,
    /// Something else was written.
    Past,
}

impl Menu {
    /// The choices for a part of a line. The cursor stands at `pos`.
    pub(crate) fn new(
        line: &str,
        pos: usize,
        replaced: Range<usize>,
        choices: Vec<Choice>,
    ) -> Menu {
        let part = |range: Range<usize>| line.get(range).unwrap_or_default().to_owned();
        Menu {
            before: (line.to_owned(), pos),
            front: part(0..replaced.start),
            behind: part(replaced.end..line.len()),
            choices,
        }
    }

    /// Whether there is more than one thing to choose.
    pub(crate) fn is_a_choice(&self) -> bool {
        self.choices.len() > 1
    }

    /// The list for a line, on a screen of so many columns and rows.
    pub(crate) fn shown(
        &self,
        line: &str,
        pos: usize,
        screen: (usize, usize),
        mark: char,
    ) -> Shown {
        let rest = line.strip_prefix(&*self.front).and_then(|l| l.strip_suffix(&*self.behind));
        let chosen = rest.filter(|rest| pos == self.front.len() + rest.len());
        let chosen = chosen.and_then(|text| self.choices.iter().position(|c| c.insert == text));
        match chosen {
            Some(chosen) => {
                let entry = |at: usize| {
                    let Choice { label, detail, .. } = &self.choices[at];
                    (label.clone(), detail.clone())
                };
                let list = List { count: self.choices.len(), chosen, entry: &entry };
                Shown::List(list.drawn(screen, mark))
            }
            None if self.before == (line.to_owned(), pos) => Shown::Before,
            None => Shown::Past,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn menu(line: &str, words: &[(&str, &str)]) -> Menu {
        let pos = line.find('|').unwrap();
        let line = line.replacen('|', "", 1);
        let start = line[..pos].rfind(['(', ' ']).map_or(0, |at| at + 1);
        let choices = words
            .iter()
            .map(|(word, about)| Choice { detail: (*about).to_owned(), ..Choice::word(*word) });
        Menu::new(&line, pos, start..pos, choices.collect())
    }

    fn list(menu: &Menu, line: &str, screen: (usize, usize)) -> String {
        let pos = line.find('|').unwrap();
        match menu.shown(&line.replacen('|', "", 1), pos, screen, '>') {
            Shown::List(list) => list,
            Shown::Before => "before".to_owned(),
            Shown::Past => "past".to_owned(),
        }
    }

    #[test]
    fn what_stands_in_the_line_is_marked() {
        let menu =
            menu("sum by (i|) (x)", &[("instance", "3 values"), ("id", ""), ("ip", "1 value")]);
        let expected = "> instance  3 values\n  id\n  ip        1 value";
        assert_eq!(list(&menu, "sum by (instance|) (x)", (80, 24)), expected);
        let expected = "  instance  3 values\n  id\n> ip        1 value";
        assert_eq!(list(&menu, "sum by (ip|) (x)", (80, 24)), expected);
        assert_eq!(list(&menu, "sum by (i|) (x)", (80, 24)), "before");
        for other in ["sum by (ip,|) (x)", "sum by (ip|) (y)", "sum by (i|p) (x)", "|", "sum by (|"]
        {
            assert_eq!(list(&menu, other, (80, 24)), "past", "{other}");
        }
    }
}
