//! Findings that are known, so that only new ones are told.
//!
//! A baseline is TOML with a line for each finding: its fingerprint, and what it is about, so that people and
//! merges can deal with it. Where a finding is doesn't count, as long as its file and its rule are the same. If
//! what is written at its place has changed, it is still known as long as there are no more findings of the
//! check in the rule than there were.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;
use std::ops::Range;

use promql_rules::rule_file::{Dialect, RuleFile};
use toml::de::{DeTable, DeValue};

use crate::checks::check;
use crate::checks::hygiene::baseline_stale;
use crate::config::Place;
use crate::finding::{Edit, Finding, Report, Safety};
use crate::fingerprint;
use crate::live::is_live;
use crate::run::{FileOutcome, Input, Outcome};

/// Known findings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    /// By fingerprint, with what each is about.
    known: BTreeMap<String, String>,
}

/// What came of a comparison with a baseline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// How many findings were known, and taken out.
    pub known: usize,
    /// The fingerprints of those that are not found any more, though the run looked for them.
    pub stale: BTreeSet<String>,
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
        let known = entries(text)?.into_iter().map(|(print, (about, _))| (print, about));
        Ok(Baseline { known: known.collect() })
    }

    /// The findings of an outcome, but for those of invalid files, which are always told.
    pub fn of(outcome: &Outcome) -> Baseline {
        let mut known = BTreeMap::new();
        for file in &outcome.files {
            for finding in file.findings.iter().filter(|finding| can_be_known(finding)) {
                known.insert(finding.fingerprint(), about(file, finding));
            }
        }
        Baseline { known }
    }

    /// The findings of an outcome, and those of this baseline that the run didn't look for: of other files,
    /// or of checks that don't look.
    #[must_use]
    pub fn renewed(&self, outcome: &Outcome, is_gone: &dyn Fn(&str) -> bool) -> Baseline {
        let looked_at = by_path(outcome);
        let mut renewed = Baseline::of(outcome);
        let others = self.known.iter().filter(|(_, about)| !is_judged(about, &looked_at, is_gone));
        renewed.known.extend(others.map(|(print, about)| (print.clone(), about.clone())));
        renewed
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

    /// Takes known findings out of an outcome. `is_gone` says whether the file of a path is no more.
    pub fn apply(&self, outcome: &mut Outcome, is_gone: &dyn Fn(&str) -> bool) -> Compared {
        let mut compared = Compared::default();
        let mut left: BTreeMap<&String, &String> = self.known.iter().collect();
        for file in &mut outcome.files {
            file.findings.retain(|finding| {
                let is_known =
                    can_be_known(finding) && left.remove(&finding.fingerprint()).is_some();
                compared.known += usize::from(is_known);
                !is_known
            });
        }
        let mut changed: HashMap<&str, Vec<&String>> = HashMap::new();
        for (print, about) in &left {
            changed.entry(about).or_default().push(print);
        }
        for file in &mut outcome.files {
            let mut findings = std::mem::take(&mut file.findings);
            findings.retain(|finding| {
                let same = changed.get_mut(about(file, finding).as_str());
                let print = same.filter(|_| can_be_known(finding)).and_then(Vec::pop);
                compared.known += usize::from(print.is_some());
                print.and_then(|print| left.remove(print)).is_none()
            });
            file.findings = findings;
        }
        let looked_at = by_path(outcome);
        let stale = left.into_iter().filter(|(_, about)| is_judged(about, &looked_at, is_gone));
        compared.stale = stale.map(|(print, _)| print.clone()).collect();
        compared
    }

    /// The findings of `baseline-stale` in the file of a baseline. Nothing if nobody wants to know.
    pub fn tell_stale(stale: &BTreeSet<String>, file: Input) -> Option<FileOutcome> {
        let (name, settings) = (file.name, file.settings.unwrap_or_default());
        let text = String::from_utf8(file.text).ok()?;
        let path = file.path.unwrap_or_else(|| name.clone());
        let place = Place { path: &path, ..Place::default() };
        let check = &baseline_stale::CHECK;
        let severity = settings.severity_at(check, check.severity, &place)?;
        let mut findings = Vec::new();
        for (print, (about, span)) in entries(&text).ok()? {
            if !stale.contains(&print) {
                continue;
            }
            let edits = vec![Edit { span: line(&text, span.clone()), text: String::new() }];
            Report::new(check, 0, None, &mut findings)
                .at(span, format!("this is not found any more: {about}"))
                .severity(severity)
                .help("remove the line")
                .fix(Safety::Safe, "remove the line", Some(edits));
        }
        findings.sort_by_key(|finding| finding.span().start);
        let rules = RuleFile {
            name: name.clone(),
            text: text.into(),
            dialect: Dialect::Prometheus,
            groups: Vec::new(),
        };
        fingerprint::mark(&mut findings, &path, &rules);
        (!findings.is_empty()).then(|| FileOutcome {
            name,
            path,
            text: rules.text.clone(),
            rules,
            is_dashboard: false,
            is_baseline: true,
            findings,
            suppressed: 0,
            settings,
        })
    }

    /// The text of a baseline without the lines of some fingerprints.
    ///
    /// # Errors
    /// Why it is no baseline.
    pub fn pruned(text: &str, stale: &BTreeSet<String>) -> Result<String, String> {
        let entries = entries(text)?.into_iter().filter(|(print, _)| stale.contains(print));
        let edits = entries
            .map(|(_, (_, span))| Edit { span: line(text, span), text: String::new() })
            .collect();
        Ok(crate::examples::edited(text, edits))
    }
}

/// What is known, by its fingerprint: what it is about, and where it stands in the text.
fn entries(text: &str) -> Result<BTreeMap<String, (String, Range<usize>)>, String> {
    let table = DeTable::parse(text).map_err(|error| error.message().to_owned())?;
    let Some(findings) = table.get_ref().get("findings") else { return Ok(BTreeMap::new()) };
    let DeValue::Table(findings) = findings.get_ref() else {
        return Err("`findings` has to be a table".to_owned());
    };
    let known = findings.iter().map(|(print, about)| {
        let place = print.span().start..about.span().end;
        let about = about.get_ref().as_str().unwrap_or_default().to_owned();
        (print.get_ref().to_string(), (about, place))
    });
    Ok(known.collect())
}

/// The line of a place, with its end.
fn line(text: &str, place: Range<usize>) -> Range<usize> {
    let start = text[..place.start].rfind('\n').map_or(0, |at| at + 1);
    let end = text[place.end..].find('\n').map_or(text.len(), |at| place.end + at + 1);
    start..end
}

/// Whether a finding can be known: what makes a file invalid is always told.
fn can_be_known(finding: &Finding) -> bool {
    !finding.check.code.starts_with('E')
}

fn by_path(outcome: &Outcome) -> HashMap<&str, &FileOutcome> {
    outcome.files.iter().map(|file| (file.path.as_str(), file)).collect()
}

/// Whether a run looked for what an entry is about, or its file is no more. What a server says isn't looked
/// for each time, and what it says changes.
fn is_judged(
    about: &str,
    looked_at: &HashMap<&str, &FileOutcome>,
    is_gone: &dyn Fn(&str) -> bool,
) -> bool {
    let mut parts = about.split(": ");
    let Some((path, name)) = parts.next().zip(parts.next()) else { return false };
    match (looked_at.get(path), check(name)) {
        (Some(file), Some(check)) => !is_live(check) && file.settings.is_on(check),
        (Some(_), None) => false,
        (None, _) => is_gone(path),
    }
}

/// What a finding is about, in a line: the file, the check, the rule.
fn about(file: &FileOutcome, finding: &Finding) -> String {
    let rule = finding.rule.and_then(|(group, rule)| file.rules.groups.get(group)?.rules.get(rule));
    let rule = rule.map_or(String::new(), |rule| format!(": {}", rule.name.value));
    format!("{}: {}{rule}", file.path, finding.check.name)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that fails")]
mod tests {
    use super::*;
    use crate::run::lint;
    use crate::settings::Settings;

    const RULES: &str = "groups:\n- name: a\n  rules:\n  - {record: 'a:x', expr: 'x{a=~\"b\"}'}\n";

    fn outcome(text: &str) -> Outcome {
        lint(vec![Input::new("a.yml", text)], &Settings::default())
    }

    fn compared(baseline: &Baseline, outcome: &mut Outcome) -> (usize, usize) {
        let compared = baseline.apply(outcome, &|_| false);
        (compared.known, compared.stale.len())
    }

    #[test]
    fn known_findings_are_taken_out_wherever_they_move() {
        let baseline = Baseline::of(&outcome(RULES));
        assert_eq!(Baseline::parse(&baseline.text()).unwrap(), baseline);
        let mut moved =
            outcome(&format!("# more\n{RULES}  - {{record: 'a:y', expr: 'x{{a=~\"b\"}}'}}\n"));
        assert_eq!(compared(&baseline, &mut moved), (1, 0));
        assert_eq!(moved.files[0].findings.len(), 1);
        assert_eq!(compared(&baseline, &mut outcome("groups: []\n")), (0, 1));
    }

    #[test]
    fn a_finding_whose_text_changed_is_known_but_not_one_more() {
        let baseline = Baseline::of(&outcome(RULES));
        let mut changed = outcome(&RULES.replace("=~\"b\"", "=~\"c\""));
        assert_eq!(compared(&baseline, &mut changed), (1, 0));
        let mut more = outcome(&RULES.replace("=~\"b\"", "=~\"c\", d=~\"e\""));
        assert_eq!(compared(&baseline, &mut more), (1, 0));
        assert_eq!(more.files[0].findings.len(), 1);
    }

    #[test]
    fn only_what_was_looked_for_is_stale() {
        let baseline = Baseline::of(&outcome(RULES));
        let mut settings = Settings::default();
        settings.select("regex-literal", false);
        let mut off = lint(vec![Input::new("a.yml", "groups: []\n")], &settings);
        assert_eq!(compared(&baseline, &mut off), (0, 0));
        assert_eq!(baseline.renewed(&off, &|_| false), baseline);
        let mut other = lint(vec![Input::new("b.yml", "groups: []\n")], &Settings::default());
        assert_eq!(compared(&baseline, &mut other), (0, 0));
        assert_eq!(baseline.renewed(&other, &|_| false), baseline);
        let gone = baseline.apply(&mut other, &|path| path == "a.yml");
        assert_eq!(gone.stale.len(), 1);
        assert!(baseline.renewed(&other, &|_| true).is_empty());
        assert_eq!(Baseline::pruned(&baseline.text(), &gone.stale).unwrap(), HEAD);
    }
}
