//! Which checks look, and how bad what they find is.

use crate::check::{Check, Severity};
use crate::checks::CHECKS;
use crate::suppress::Day;

/// What is configured for files.
#[derive(Clone, Debug)]
pub struct Settings {
    /// By the place of the check in [`CHECKS`]: what its findings count as, or nothing if it doesn't look.
    levels: Vec<Option<Level>>,
    today: Option<Day>,
}

/// What the findings of a check count as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    /// What the check says.
    AsFound,
    /// What somebody configured.
    Set(Severity),
}

impl Default for Settings {
    fn default() -> Settings {
        let level = |check: &Check| check.is_on.then_some(Level::AsFound);
        Settings { levels: CHECKS.iter().map(|check| level(check)).collect(), today: None }
    }
}

impl Settings {
    /// Settings by which no check looks.
    pub fn none() -> Settings {
        Settings { levels: vec![None; CHECKS.len()], today: None }
    }

    /// The day, by which comments expire; without one none does.
    #[must_use]
    pub fn at(self, today: Day) -> Settings {
        Settings { today: Some(today), ..self }
    }

    /// The day, if it is known.
    pub fn today(&self) -> Option<Day> {
        self.today
    }

    /// Lets all checks look, or stop looking, that a word [selects](Check::is_selected_by). Says whether
    /// there are any.
    pub fn select(&mut self, word: &str, is_on: bool) -> bool {
        self.each(word, |level| {
            *level = match is_on {
                true => level.or(Some(Level::AsFound)),
                false => None,
            }
        })
    }

    /// Sets what the findings of all checks count as that a word selects, and lets them look. Says whether
    /// there are any.
    pub fn set_severity(&mut self, word: &str, severity: Severity) -> bool {
        self.each(word, |level| *level = Some(Level::Set(severity)))
    }

    /// The same for those of them that look already.
    pub fn change_severity(&mut self, word: &str, severity: Severity) -> bool {
        self.each(word, |level| *level = level.map(|_| Level::Set(severity)))
    }

    fn each(&mut self, word: &str, change: impl Fn(&mut Option<Level>)) -> bool {
        let mut is_known = false;
        for (check, level) in CHECKS.iter().zip(&mut self.levels) {
            if check.is_selected_by(word) {
                is_known = true;
                change(level);
            }
        }
        is_known
    }

    /// Whether a check looks.
    pub fn is_on(&self, check: &Check) -> bool {
        self.level(check).is_some()
    }

    /// What a finding of a check counts as that the check gave a severity; nothing if the check doesn't
    /// look.
    pub fn severity(&self, check: &Check, found: Severity) -> Option<Severity> {
        self.level(check).map(|level| match level {
            Level::AsFound => found,
            Level::Set(severity) => severity,
        })
    }

    fn level(&self, check: &Check) -> Option<Level> {
        let at = CHECKS.binary_search_by(|known| known.code.cmp(check.code)).ok()?;
        self.levels.get(at).copied().flatten()
    }
}
