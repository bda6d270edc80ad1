//! The list that Tab opens below the line: what may be chosen, with a few words about each, and a mark at
//! what stands in the line now.

use std::ops::Range;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::plain::plain;

/// How many rows are shown at most.
const MOST_ROWS: usize = 8;

/// How many rows of the screen are left for the prompt and what is written.
const ROWS_OF_THE_LINE: usize = 4;

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
        (columns, rows): (usize, usize),
        mark: char,
    ) -> Shown {
        let rest = line.strip_prefix(&*self.front).and_then(|l| l.strip_suffix(&*self.behind));
        let chosen = rest.filter(|rest| pos == self.front.len() + rest.len());
        let chosen = chosen.and_then(|text| self.choices.iter().position(|c| c.insert == text));
        match chosen {
            Some(chosen) => Shown::List(self.list(chosen, columns, rows, mark)),
            None if self.before == (line.to_owned(), pos) => Shown::Before,
            None => Shown::Past,
        }
    }

    /// The page of the list that has the choice.
    fn list(&self, chosen: usize, columns: usize, rows: usize, mark: char) -> String {
        let rows = rows.saturating_sub(ROWS_OF_THE_LINE).clamp(1, MOST_ROWS);
        let first = chosen / rows * rows;
        let page: Vec<(usize, String, String)> = self
            .choices
            .iter()
            .enumerate()
            .skip(first)
            .take(rows)
            .map(|(at, c)| (at, plain(&c.label).into_owned(), plain(&c.detail).into_owned()))
            .collect();
        let widest = page.iter().map(|(_, label, _)| label.width()).max().unwrap_or(0);
        let widest = widest.min(columns.saturating_sub(4));
        let mut lines: Vec<String> = page
            .iter()
            .map(|(at, label, detail)| {
                let mark = if *at == chosen { mark } else { ' ' };
                let gap = " ".repeat(widest.saturating_sub(label.width()));
                let line = format!("{mark} {label}{gap}  {detail}");
                clipped(line.trim_end(), columns.saturating_sub(1))
            })
            .collect();
        if self.choices.len() > rows {
            lines.push(format!("  {} of {}", chosen + 1, self.choices.len()));
        }
        lines.join("\n")
    }
}

/// A text in so many columns; where it is longer an ellipsis ends it.
pub(crate) fn clipped(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut used = 0;
    let fits = |c: &char| {
        used += c.width().unwrap_or(0);
        used < columns
    };
    text.chars().take_while(fits).collect::<String>() + "…"
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

    #[test]
    fn long_lists_have_pages_that_fit_the_screen() {
        let words: Vec<String> = (0..20).map(|n| format!("name_{n}")).collect();
        let words: Vec<(&str, &str)> = words.iter().map(|w| (&**w, "counter of things")).collect();
        let menu = menu("|", &words);
        let shown = list(&menu, "name_9|", (20, 7));
        assert_eq!(
            shown,
            "> name_9   counter…\n  name_10  counter…\n  name_11  counter…\n  10 of 20"
        );
        assert_eq!(list(&menu, "name_19|", (8, 0)), "> name…\n  20 of 20");
        assert_eq!(list(&menu, "name_0|", (80, 24)).lines().count(), 9);
    }

    #[test]
    fn what_a_terminal_would_obey_is_not_shown() {
        let menu = menu("|", &[("a\u{1b}[2J", "x\ny"), ("b", "")]);
        let shown = list(&menu, "b|", (80, 24));
        assert!(!shown.contains('\u{1b}') && shown.lines().count() == 2, "{shown}");
    }
}
