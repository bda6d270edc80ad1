//! Comments that silence findings, written above the rules that these are in.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use promql_rules::rule_file::LoadOptions;

use super::{lines, list, own_comment};
use crate::examples::edited;
use crate::finding::{Edit, Finding};
use crate::fix::is_as_good;
use crate::read::rule_at;
use crate::run::{FileOutcome, Outcome};

/// What a comment is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum About {
    /// The whole file.
    File,
    /// What begins in the line that begins at a byte.
    Line(usize),
}

/// Writes comments into the texts of files that silence what is found in them, one for each rule or group, with
/// the names of the checks in order. A comment that is there already gets the names that it lacks. What is
/// silenced is taken out of the outcome. What can't be silenced stays, and so does what is in a rule that
/// doesn't begin a line; JSON has no comments. Gives the files that were changed, by their numbers, each with
/// how many comments are new or say more than they did.
pub fn silence(outcome: &mut Outcome, reason: &str) -> Vec<(usize, usize)> {
    let reason = reason.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut changed = Vec::new();
    let mut moved: BTreeMap<usize, Vec<Edit>> = BTreeMap::new();
    for (number, file) in outcome.files.iter_mut().enumerate() {
        let edits = comments(file, &reason);
        let new = edited(&file.text, edits.clone());
        if edits.is_empty() || !is_as_good(&file.text, &new, &LoadOptions::default()) {
            continue;
        }
        let mut findings = std::mem::take(&mut file.findings);
        findings.retain(|finding| about(file, finding).is_none());
        file.findings = findings;
        file.text = new.into();
        changed.push((number, edits.len()));
        moved.insert(number, edits);
    }
    // Places are those in the new texts.
    let files = outcome.files.iter_mut().enumerate();
    let findings =
        files.flat_map(|(number, file)| file.findings.iter_mut().map(move |f| (number, f)));
    for (number, finding) in findings {
        let own = finding.labels.iter_mut().map(|label| (number, &mut label.span));
        let others = finding.related.iter_mut().map(|related| (related.file, &mut related.span));
        let fix = finding.fix.iter_mut().flat_map(|fix| &mut fix.edits);
        let fix = fix.map(|edit| (number, &mut edit.span));
        for (file, span) in own.chain(others).chain(fix) {
            if let Some(edits) = moved.get(&file) {
                *span = shifted(span.start, edits)..shifted(span.end, edits);
            }
        }
    }
    changed
}

/// Where a place of a text is after edits in front of it.
fn shifted(at: usize, edits: &[Edit]) -> usize {
    let before = edits.iter().filter(|edit| edit.span.end <= at);
    before.fold(at, |at, edit| at + edit.text.len() - edit.span.len())
}

/// The comments for what is found in a file, as edits of its text.
fn comments(file: &FileOutcome, reason: &str) -> Vec<Edit> {
    let text = &*file.text;
    let mut names: BTreeMap<About, BTreeSet<&str>> = BTreeMap::new();
    for finding in &file.findings {
        if let Some(about) = about(file, finding) {
            names.entry(about).or_default().insert(finding.check.name);
        }
    }
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let edits = names.iter().map(|(about, names)| match existing(file, *about) {
        Some((span, known)) => {
            let all: BTreeSet<&str> = names.iter().copied().chain(known).collect();
            Edit { span, text: joined(&all) }
        }
        None => {
            let (at, verb) = match about {
                About::File => (if text.starts_with('\u{feff}') { 3 } else { 0 }, "ignore-file"),
                About::Line(start) => (*start, "ignore"),
            };
            let line = &text[at..];
            let indent = match about {
                About::File => "",
                About::Line(_) => &line[..line.len() - line.trim_start_matches([' ', '\t']).len()],
            };
            let comment = format!("{indent}# promql: {verb}[{}] {reason}", joined(names));
            Edit { span: at..at, text: format!("{}{end}", comment.trim_end()) }
        }
    });
    edits.collect()
}

fn joined(names: &BTreeSet<&str>) -> String {
    names.iter().copied().collect::<Vec<_>>().join(", ")
}

/// What a comment has to be about to silence a finding. Nothing if none can.
fn about(file: &FileOutcome, finding: &Finding) -> Option<About> {
    if file.is_dashboard || file.is_baseline || file.text.trim_start().starts_with('{') {
        return None;
    }
    // What is wrong with comments and with the baseline is mended there.
    if finding.check.is_always_on() || finding.is_locked || finding.check.code.starts_with('H') {
        return None;
    }
    let at = finding.span().start;
    let rule = finding.rule.or_else(|| rule_at(&file.rules, at));
    let rule = rule.and_then(|(group, rule)| file.rules.groups.get(group)?.rules.get(rule));
    let item = rule.map(|rule| &rule.span).filter(|span| span.contains(&at)).or_else(|| {
        let groups = file.rules.groups.iter().map(|group| &group.span);
        groups.into_iter().find(|span| span.contains(&at))
    });
    let Some(item) = item else { return Some(About::File) };
    let start = file.text[..item.start].rfind('\n').map_or(0, |at| at + 1);
    let front = &file.text[start..item.start];
    front.chars().all(|c| matches!(c, ' ' | '\t' | '-')).then_some(About::Line(start))
}

/// The names in the brackets of a comment that is there already, and their place.
fn existing(file: &FileOutcome, about: About) -> Option<(Range<usize>, Vec<&str>)> {
    let text = &*file.text;
    let (wanted, verb) = match about {
        About::Line(start) => (lines(text).take_while(|line| line.end < start).last(), "ignore["),
        About::File => {
            let begin = file.rules.groups.first().map_or(text.len(), |group| group.span.start);
            let head = lines(text).take_while(|line| line.start < begin);
            let is_one = |line: &Range<usize>| {
                own_comment(text, line)
                    .is_some_and(|(_, body)| text[body..].starts_with("ignore-file["))
            };
            (head.into_iter().find(is_one), "ignore-file[")
        }
    };
    let line = wanted?;
    let (start, body) = own_comment(text, &line)?;
    let words = &text[body..line.end];
    let is_alone = text[line.start..start].trim().is_empty();
    // What is to end some day is left as it is.
    if !words.starts_with(verb) || !is_alone || words.contains("until=") {
        return None;
    }
    let names = list(words, body + verb.len() - 1)?;
    let (first, last) = (names.first()?.1.start, names.last()?.1.end);
    Some((first..last, names.iter().filter_map(|(_, place)| text.get(place.clone())).collect()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that fails")]
mod tests {
    use super::*;
    use crate::run::{Input, lint};
    use crate::settings::Settings;

    /// The file with comments, and what is told of it then.
    fn silenced(text: &str, reason: &str) -> (String, Vec<&'static str>) {
        let look = |text: &str| lint(vec![Input::new("a.yml", text)], &Settings::default());
        let mut outcome = look(text);
        silence(&mut outcome, reason);
        let file = &outcome.files[0];
        let again = look(&file.text);
        // What was left is what is told then, at the same places.
        let told = |file: &FileOutcome| -> Vec<(&str, Range<usize>)> {
            file.findings.iter().map(|finding| (finding.check.name, finding.span())).collect()
        };
        assert_eq!(told(file), told(&again.files[0]));
        let left = file.findings.iter().map(|finding| finding.check.name).collect();
        (file.text.to_string(), left)
    }

    #[test]
    fn each_rule_gets_a_comment_with_all_names() {
        let text = "groups:\n- name: a\n  rules:\n    # why\n    - alert: A\n      expr: up{job=~\"a\"} == 0\n      for: 0s\n    - record: a:b\n      expr: b\n";
        let (new, left) = silenced(text, "from before");
        let comment = "    # promql: ignore[for-zero, regex-literal] from before\n    - alert: A";
        assert_eq!(new, text.replace("    - alert: A", comment));
        assert!(left.is_empty(), "{left:?}");
        assert_eq!(silenced(&new, "again").0, new);
    }

    #[test]
    fn a_comment_that_is_there_gets_more_names() {
        let text = "groups:\n- name: a\n  rules:\n  # promql: ignore[for-zero] it is so\n  - alert: A\n    expr: up{job=~\"a\"} == 0\n    for: 0s\n";
        let (new, left) = silenced(text, "");
        assert_eq!(new, text.replace("[for-zero]", "[for-zero, regex-literal]"));
        assert!(left.is_empty(), "{left:?}");
    }

    #[test]
    fn what_cannot_be_silenced_stays() {
        let one_line = "groups: [{name: a, rules: [{alert: A, expr: 'up == 0', for: 0s}]}]\n";
        assert_eq!(silenced(one_line, ""), (one_line.to_owned(), vec!["for-zero"]));
        let json = "{\"groups\": [{\"name\": \"a\", \"rules\": [\n{\"alert\": \"A\", \"expr\": \"up == 0\", \"for\": \"0s\"}]}]}\n";
        assert_eq!(silenced(json, ""), (json.to_owned(), vec!["for-zero"]));
        let invalid = "groups:\n- name: a\n  rules:\n  - {alert: A, expr: 'up ==', for: 0s}\n";
        let (new, left) = silenced(invalid, "");
        assert_eq!(new, invalid.replace("  - {", "  # promql: ignore[for-zero]\n  - {"));
        assert_eq!(left, ["promql-syntax"]);
    }

    #[test]
    fn lines_end_as_they_did_and_files_have_comments_too() {
        let text = "groups:\r\n- name: a\r\n  rules:\r\n  - alert: A\r\n    expr: up == 0\r\n    for: 0s\r\n---\r\ngroups: []\r\n";
        let (new, left) = silenced(text, "for now");
        assert!(new.contains("  # promql: ignore[for-zero] for now\r\n  - alert: A\r\n"), "{new}");
        assert!(new.starts_with("# promql: ignore-file[extra-document] for now\r\n"), "{new}");
        assert!(left.is_empty(), "{left:?}");
    }
}
