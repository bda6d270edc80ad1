//! Which checks look, and how bad what they find is.

use crate::check::{Check, Severity};
use crate::checks::CHECKS;
use crate::config::{Place, Scope};
use crate::known::Known;
use crate::live::{self, Reach};
use crate::policy::Policy;
use crate::suppress::Day;

/// What is configured for files.
#[derive(Clone, Debug)]
pub struct Settings {
    /// By the place of the check in [`CHECKS`]: what its findings count as, or nothing if it doesn't look.
    levels: Vec<Option<Level>>,
    /// By the place of the check: who said so, if somebody did.
    said: Vec<Option<&'static str>>,
    /// Who says what is said next.
    speaker: Option<&'static str>,
    overrides: Vec<Override>,
    policies: Vec<Policy>,
    today: Option<Day>,
    known: Known,
    /// Which of the checks can look that ask a server.
    reach: Reach,
}

/// What the findings of a check count as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    /// What the check says.
    AsFound,
    /// What somebody configured.
    Set(Severity),
}

/// What counts for some rules.
#[derive(Clone, Debug)]
pub(crate) struct Override {
    /// For which.
    pub(crate) scope: Scope,
    /// Which checks look, by a word that selects them, and how bad what they find is.
    pub(crate) changes: Vec<(String, bool, Option<Severity>)>,
}

impl Default for Settings {
    fn default() -> Settings {
        let level = |check: &Check| (check.is_on || check.is_always_on()).then_some(Level::AsFound);
        Settings { levels: CHECKS.iter().map(|check| level(check)).collect(), ..Settings::none() }
    }
}

impl Settings {
    /// Settings by which no check looks but those that [can't be switched off](Check::is_always_on).
    pub fn none() -> Settings {
        let level = |check: &&Check| check.is_always_on().then_some(Level::AsFound);
        Settings {
            levels: CHECKS.iter().map(level).collect(),
            said: vec![None; CHECKS.len()],
            speaker: None,
            overrides: Vec::new(),
            policies: Vec::new(),
            today: None,
            known: Known::default(),
            reach: Reach::default(),
        }
    }

    /// Notes who says what is said next: a key of a configuration, or an argument.
    pub fn spoken_by(&mut self, speaker: &'static str) {
        self.speaker = Some(speaker);
    }

    /// The day, by which comments expire; without one none does.
    #[must_use]
    pub fn at(self, today: Day) -> Settings {
        Settings { today: Some(today), ..self }
    }

    /// The same with what a server can be asked.
    pub(crate) fn reaching(self, reach: Reach) -> Settings {
        Settings { reach, ..self }
    }

    /// The day, if it is known.
    pub fn today(&self) -> Option<Day> {
        self.today
    }

    /// Lets all checks look, or stop looking, that a word [selects](Check::is_selected_by); those go on
    /// looking that [can't be switched off](Check::is_always_on). Says whether there are any.
    pub fn select(&mut self, word: &str, is_on: bool) -> bool {
        self.each(word, |check, level| {
            *level = match is_on {
                true => level.or(Some(Level::AsFound)),
                false => level.filter(|_| check.is_always_on()),
            }
        })
    }

    /// Sets what the findings of all checks count as that a word selects. A check that is named looks then,
    /// those of a category only if they do already. Says whether there are any.
    pub fn set_severity(&mut self, word: &str, severity: Severity) -> bool {
        let is_named = crate::checks::check(word).is_some();
        self.each(word, |_, level| {
            if is_named || level.is_some() {
                *level = Some(Level::Set(severity));
            }
        })
    }

    fn each(&mut self, word: &str, change: impl Fn(&Check, &mut Option<Level>)) -> bool {
        let mut is_known = false;
        let levels = self.levels.iter_mut().zip(&mut self.said);
        for (check, (level, said)) in CHECKS.iter().zip(levels) {
            if check.is_selected_by(word) {
                is_known = true;
                let before = *level;
                change(check, level);
                if *level != before {
                    *said = self.speaker;
                }
            }
        }
        is_known
    }

    /// Adds what counts for some rules. Of several the last one counts.
    pub(crate) fn add_override(&mut self, found: Override) {
        self.overrides.push(found);
    }

    /// Adds a demand.
    pub(crate) fn add_policy(&mut self, policy: Policy) {
        self.policies.push(policy);
    }

    /// Says what is known of the world that the rules live in.
    pub(crate) fn set_known(&mut self, known: Known) {
        self.known = known;
    }

    /// What is known of the world that the rules live in.
    pub(crate) fn known(&self) -> &Known {
        &self.known
    }

    /// The demands.
    pub(crate) fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// Whether a check looks at some rules at least.
    pub fn is_on(&self, check: &Check) -> bool {
        if live::is_live(check) && !self.reach.lets_look(check.code) {
            return false;
        }
        let is_changed = |found: &Override| {
            found.changes.iter().any(|(word, is_on, _)| *is_on && check.is_selected_by(word))
        };
        self.level(check).is_some()
            || self.policies.iter().any(|policy| policy.check == check)
            || self.overrides.iter().any(is_changed)
    }

    /// What the findings of a check count as in the file of a path, and who says so; nothing if it doesn't look
    /// there. What counts for some groups or rules of the file only is left out.
    pub fn explain(&self, check: &Check, path: &str) -> (Option<Severity>, String) {
        let place = Place { path, ..Place::default() };
        let severity = self.severity_at(check, check.severity, &place);
        let is_it = |part: &Override| {
            part.changes.iter().any(|(word, _, _)| check.is_selected_by(word))
                && part.scope.holds(&place)
        };
        let at = CHECKS.iter().position(|known| *known == check);
        let said = at.and_then(|at| self.said.get(at).copied().flatten());
        let from = match self.overrides.iter().rposition(is_it) {
            Some(at) => format!("[[lint.override]] {}", at + 1),
            None if said.is_none() && self.policies.iter().any(|policy| policy.check == check) => {
                "[[lint.policy]]".to_owned()
            }
            None => said.unwrap_or("default").to_owned(),
        };
        (severity, from)
    }

    /// How much of what counts for some rules is about groups or rules of the file of a path, not all of them.
    pub fn overrides_of_rules(&self, path: &str) -> usize {
        let place = Place { path, ..Place::default() };
        let is_one = |part: &&Override| part.scope.may_hold(&place) && !part.scope.holds(&place);
        self.overrides.iter().filter(is_one).count()
    }

    /// The checks that demand something, in the order of the configuration.
    pub fn demanded(&self) -> impl Iterator<Item = &'static Check> {
        self.policies.iter().map(|policy| policy.check)
    }

    /// What a finding of a check counts as that the check gave a severity; nothing if the check doesn't
    /// look.
    pub fn severity(&self, check: &Check, found: Severity) -> Option<Severity> {
        self.severity_at(check, found, &Place::default())
    }

    /// The same at a place.
    pub(crate) fn severity_at(
        &self,
        check: &Check,
        found: Severity,
        place: &Place<'_>,
    ) -> Option<Severity> {
        let mut level = self.level(check);
        if level.is_none() && self.policies.iter().any(|policy| policy.check == check) {
            level = Some(Level::AsFound);
        }
        for part in &self.overrides {
            if !part.changes.iter().any(|(word, _, _)| check.is_selected_by(word))
                || !part.scope.holds(place)
            {
                continue;
            }
            for (word, is_on, severity) in &part.changes {
                if check.is_selected_by(word) {
                    level = match (is_on, severity) {
                        (false, _) => level.filter(|_| check.is_always_on()),
                        (true, Some(severity)) => Some(Level::Set(*severity)),
                        (true, None) => level.or(Some(Level::AsFound)),
                    };
                }
            }
        }
        level.map(|level| match level {
            Level::AsFound => found,
            Level::Set(severity) => severity,
        })
    }

    fn level(&self, check: &Check) -> Option<Level> {
        let at = CHECKS.binary_search_by(|known| known.code.cmp(check.code)).ok()?;
        self.levels.get(at).copied().flatten()
    }
}
