//! Findings that are known, so that only new ones are told.
//!
//! A baseline is TOML with a line for each finding: its fingerprint, and what it is about, so that people and
//! merges can deal with it. Where a finding is doesn't count, as long as its file and its rule are the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use toml::de::{DeTable, DeValue};

use crate::fingerprint::fingerprints;
use crate::run::{FileOutcome, Outcome};

/// Known findings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    /// By fingerprint, with what each is about.
    known: BTreeMap<String, String>,
}

/// What came of a comparison with a baseline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// How many findings were known, and taken out.
    pub known: usize,
    /// How many of the baseline are not found any more in the files that were looked at.
    pub stale: usize,
}

const HEAD: &str = "\
# Findings of `promql lint` that are known; only others are told.
# `promql lint --write-baseline` writes this file.
[findings]
";

impl Baseline {
    /// Reads a baseline.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(text: &str) -> Result<Baseline, String> {
        let table = DeTable::parse(text).map_err(|error| error.message().to_owned())?;
        let Some(findings) = table.get_ref().get("findings") else {
            return Ok(Baseline::default());
        };
        let DeValue::Table(findings) = findings.get_ref() else {
            return Err("`findings` has to be a table".to_owned());
        };
        let known = findings.iter().map(|(print, about)| {
            let about = about.get_ref().as_str().unwrap_or_default().to_owned();
            (print.get_ref().to_string(), about)
        });
        Ok(Baseline { known: known.collect() })
    }

    /// The findings of an outcome, but for those of invalid files, which are always told.
    pub fn of(outcome: &Outcome) -> Baseline {
        let mut known = BTreeMap::new();
        for file in &outcome.files {
            for (finding, print) in file.findings.iter().zip(fingerprints(file)) {
                if !finding.check.code.starts_with('E') {
                    known.insert(print, about(file, finding));
                }
            }
        }
        Baseline { known }
    }

    /// How many findings are known.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// The baseline as it is written: in order of what the findings are about.
    pub fn text(&self) -> String {
        let mut lines: Vec<(&String, &String)> =
            self.known.iter().map(|(print, about)| (about, print)).collect();
        lines.sort();
        let mut out = HEAD.to_owned();
        for (about, print) in lines {
            let about = about.replace('\\', "\\\\").replace('"', "\\\"");
            let about: String =
                about.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            let _ = writeln!(out, "{print} = \"{about}\"");
        }
        out
    }

    /// Takes known findings out of an outcome.
    pub fn apply(&self, outcome: &mut Outcome) -> Compared {
        let mut found: BTreeSet<String> = BTreeSet::new();
        let mut compared = Compared::default();
        for file in &mut outcome.files {
            let prints = fingerprints(file);
            let mut prints = prints.into_iter();
            file.findings.retain(|finding| {
                let print = prints.next().unwrap_or_default();
                let is_known =
                    self.known.contains_key(&print) && !finding.check.code.starts_with('E');
                if is_known {
                    compared.known += 1;
                    found.insert(print);
                }
                !is_known
            });
        }
        let paths: BTreeSet<&str> = outcome.files.iter().map(|file| file.path.as_str()).collect();
        let is_looked_at =
            |about: &str| about.split(": ").next().is_some_and(|path| paths.contains(path));
        compared.stale = self
            .known
            .iter()
            .filter(|(print, about)| !found.contains(*print) && is_looked_at(about))
            .count();
        compared
    }
}

/// What a finding is about, in a line: the file, the check, the rule.
fn about(file: &FileOutcome, finding: &crate::finding::Finding) -> String {
    let rule = finding.rule.and_then(|(group, rule)| file.rules.groups.get(group)?.rules.get(rule));
    let rule = rule.map_or(String::new(), |rule| format!(": {}", rule.name.value));
    format!("{}: {}{rule}", file.path, finding.check.name)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that fails")]
mod tests {
    use super::*;
    use crate::run::{Input, lint};
    use crate::settings::Settings;

    #[test]
    fn known_findings_are_taken_out_wherever_they_move() {
        let rules = "groups:\n- name: a\n  rules:\n  - {record: 'a:x', expr: 'x{a=~\"b\"}'}\n";
        let outcome = lint(vec![Input::new("a.yml", rules)], &Settings::default());
        let baseline = Baseline::of(&outcome);
        assert_eq!(Baseline::parse(&baseline.text()).unwrap(), baseline);
        let moved = format!("# more\n{rules}  - {{record: 'a:y', expr: 'x{{a=~\"b\"}}'}}\n");
        let mut outcome = lint(vec![Input::new("a.yml", moved)], &Settings::default());
        assert_eq!(baseline.apply(&mut outcome), Compared { known: 1, stale: 0 });
        assert_eq!(outcome.files[0].findings.len(), 1);
        let mut outcome = lint(vec![Input::new("a.yml", "groups: []\n")], &Settings::default());
        assert_eq!(baseline.apply(&mut outcome), Compared { known: 0, stale: 1 });
    }
}
