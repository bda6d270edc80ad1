//! Comments that keep findings from being told.
//!
//! A comment stands in the YAML, or in an expression of several lines. `# promql: ignore[CHECK] reason`
//! behind something is about its line, on a line of its own about what comes next: a group, a rule, or a
//! key with its value. The comments of pint are read as pint reads them. Comments are found by their looks:
//! a `#` at the front of a line or behind a blank.

use std::ops::Range;

use promql_rules::rule_file::RuleFile;

mod add;
mod argument;
mod pint;

pub use add::silence;
pub(crate) use pint::NAMES as PINT;

use self::argument::Narrowed;
use crate::check::Check;
use crate::checks::{CHECKS, by_code};
use crate::finding::{Edit, Finding, Report, Safety};
use crate::settings::Settings;

/// A day, as `until=` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day {
    /// The year.
    pub year: u16,
    /// The month, from 1.
    pub month: u8,
    /// The day of the month, from 1.
    pub day: u8,
}

impl Day {
    /// Reads `YYYY-MM-DD`.
    pub fn parse(text: &str) -> Option<Day> {
        let mut parts = text.split('-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        let lengths = (year.len(), month.len(), day.len(), parts.next());
        let day =
            Day { year: year.parse().ok()?, month: month.parse().ok()?, day: day.parse().ok()? };
        let is_one = (1..=12).contains(&day.month) && (1..=31).contains(&day.day);
        (lengths == (4, 2, 2, None) && is_one).then_some(day)
    }
}

/// Which findings a comment is about.
#[derive(Clone, Debug)]
enum What {
    /// All, those of the category syntax too.
    Everything,
    /// Those of checks that a word selects, and what narrows that; with where the word stands.
    Word(String, Narrowed, Range<usize>),
    /// Those of checks that a word of pint stands for, and what narrows that.
    Pint(&'static [&'static str], Narrowed),
}

/// A comment that keeps findings from being told.
#[derive(Clone, Debug)]
struct Suppression {
    what: What,
    /// The part of the file that it is about.
    scope: Range<usize>,
    /// The comment, from `#` to the end of the line.
    comment: Range<usize>,
    /// How many findings it kept from being told.
    used: usize,
    /// Whether its day has passed.
    is_expired: bool,
}

/// What comments say about a file.
#[derive(Debug, Default)]
struct Comments {
    suppressions: Vec<Suppression>,
    /// What is wrong with comments: the code of the check, the place, the message, the help.
    odd: Vec<(&'static str, Range<usize>, String, String)>,
}

/// Takes the findings out that comments of the file silence, and adds what is wrong with the comments. Says
/// how many were taken out.
pub(crate) fn apply(
    file: usize,
    rules: &RuleFile,
    findings: &mut Vec<Finding>,
    settings: &Settings,
) -> usize {
    let text: &str = &rules.text;
    if !text.contains("promql:") && !text.contains("pint ") {
        return 0;
    }
    let mut comments = read(rules, settings);
    let before = findings.len();
    findings.retain(|finding| {
        let mut is_told = true;
        for suppression in &mut comments.suppressions {
            if !suppression.is_expired && suppression.silences(finding, text) {
                suppression.used += 1;
                is_told = false;
            }
        }
        is_told
    });
    let silenced = before - findings.len();
    for (code, span, message, help) in comments.odd {
        let Some(check) = by_code(code) else { continue };
        Report::new(check, file, None, findings).at(span, message).help(help);
    }
    for suppression in &comments.suppressions {
        tell(suppression, text, file, settings, findings);
    }
    silenced
}

/// Says what is wrong with a comment after all is known.
fn tell(
    suppression: &Suppression,
    text: &str,
    file: usize,
    settings: &Settings,
    findings: &mut Vec<Finding>,
) {
    let What::Word(word, _, place) = &suppression.what else { return };
    if suppression.is_expired {
        let Some(check) = by_code("H004") else { return };
        Report::new(check, file, None, findings)
            .at(suppression.comment.clone(), "the day of this comment has passed")
            .help("mend what it is about, or set a later day");
        return;
    }
    let looks = |check: &&&Check| check.is_selected_by(word) && settings.is_on(check);
    if suppression.used > 0 || !CHECKS.iter().any(|check| looks(&check)) {
        return;
    }
    let Some(check) = by_code("H001") else { return };
    Report::new(check, file, None, findings)
        .at(place.clone(), format!("`{}` silences nothing here", &text[place.clone()]))
        .help("remove it")
        .fix(Safety::Safe, "remove the comment", removal(suppression, text));
}

/// The comment taken out, with its line if it is alone there; not if it is about more than one check, or
/// says more than that.
fn removal(suppression: &Suppression, text: &str) -> Option<Vec<Edit>> {
    let comment = text.get(suppression.comment.clone())?;
    if comment.contains(',') || !comment.contains("ignore[") {
        return None;
    }
    let start = suppression.comment.start;
    let line = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let front = line + text[line..start].trim_end().len();
    let span = match front == line {
        true => line..(suppression.comment.end + 1).min(text.len()),
        false => front..suppression.comment.end,
    };
    Some(vec![Edit { span, text: String::new() }])
}

impl Suppression {
    fn silences(&self, finding: &Finding, text: &str) -> bool {
        let span = finding.span();
        let overlaps =
            span.start < self.scope.end && self.scope.start < span.end.max(span.start + 1);
        // What makes a file invalid can't be talked away.
        let is_hard = finding.check.is_always_on();
        overlaps
            && !finding.is_locked
            && match &self.what {
                What::Everything => true,
                What::Word(word, narrowed, _) => {
                    !is_hard
                        && finding.check.is_selected_by(word)
                        && narrowed.is_about(finding, text)
                }
                What::Pint(codes, narrowed) => {
                    !is_hard
                        && codes.contains(&finding.check.code)
                        && narrowed.is_about(finding, text)
                }
            }
    }
}

/// A line of the file, without its end.
fn lines(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        start..start + line.trim_end_matches(['\n', '\r']).len()
    })
}

/// Reads all comments that are for a linter.
fn read(rules: &RuleFile, settings: &Settings) -> Comments {
    let text: &str = &rules.text;
    let mut comments = Comments::default();
    let mut open: Vec<(String, Range<usize>, Range<usize>)> = Vec::new();
    let mut pint = pint::Reader::default();
    let has_begun = rules.groups.first().map_or(text.len(), |group| group.span.start);
    for line in lines(text) {
        pint.line(rules, line.clone(), settings, &mut comments);
        let Some((start, body)) = own_comment(text, &line) else { continue };
        let comment = start..line.end;
        let words = &text[body..line.end];
        let verb = words.split(|c: char| c == '[' || c.is_whitespace()).next().unwrap_or_default();
        let list = list(words, body + verb.len());
        let is_expired = expired(words, settings);
        let mut odd = |message: String, help: &str| {
            comments.odd.push(("H005", comment.clone(), message, help.to_owned()));
        };
        match verb {
            "ignore" => {
                let is_alone = text[line.start..start].trim().is_empty();
                let scope =
                    if is_alone { next_item(rules, line.end) } else { item_of_line(rules, &line) };
                match list {
                    Some(list) => comments.add(list, scope, comment, is_expired),
                    None => {
                        odd("this comment names no check".to_owned(), "write `ignore[CHECK]`");
                        let what =
                            What::Word("all".to_owned(), Narrowed::default(), comment.clone());
                        comments.suppressions.push(Suppression {
                            what,
                            scope,
                            comment,
                            used: 1,
                            is_expired,
                        });
                    }
                }
            }
            "ignore-file" => {
                let what = match list {
                    Some(_) if start > has_begun => {
                        odd(
                            "this comment is about the file, but stands within a group".to_owned(),
                            "put it in front of `groups`",
                        );
                        continue;
                    }
                    Some(list) => {
                        comments.add(list, 0..text.len() + 1, comment, is_expired);
                        continue;
                    }
                    None => What::Everything,
                };
                let scope = 0..text.len() + 1;
                comments.suppressions.push(Suppression {
                    what,
                    scope,
                    comment,
                    used: 0,
                    is_expired,
                });
            }
            "off" => open
                .extend(list.into_iter().flatten().map(|(word, at)| (word, at, comment.clone()))),
            "on" => {
                for (word, _) in list.into_iter().flatten() {
                    let at = open.iter().rposition(|(other, _, _)| *other == word);
                    match at.map(|at| open.remove(at)) {
                        Some((word, place, from)) => {
                            comments.add(
                                vec![(word, place)],
                                from.start..comment.start,
                                from,
                                false,
                            );
                        }
                        None => comments.odd.push((
                            "H005",
                            comment.clone(),
                            format!("`{word}` is not off here"),
                            "write `off[CHECK]` above it".to_owned(),
                        )),
                    }
                }
            }
            other => odd(
                format!("`{other}` is no word for the linter"),
                "known are `ignore[CHECK]`, `ignore-file[CHECK]`, `off[CHECK]` and `on[CHECK]`",
            ),
        }
    }
    for (word, place, from) in open {
        comments.add(vec![(word, place)], from.start..text.len() + 1, from, false);
    }
    comments
}

impl Comments {
    /// A suppression for each word; unknown words are odd.
    fn add(
        &mut self,
        list: Vec<(String, Range<usize>)>,
        scope: Range<usize>,
        comment: Range<usize>,
        is_expired: bool,
    ) {
        for (word, place) in list {
            let (name, narrowed) = argument::apart(&word);
            let name = name.to_owned();
            if !CHECKS.iter().any(|check| check.is_selected_by(&name)) {
                let names: Vec<&str> = CHECKS.iter().map(|check| check.name).collect();
                let help = match promql_rules::yaml::like(&name, &names) {
                    Some(like) => format!("did you mean `{like}`?"),
                    None => "`promql lint --list` shows all".to_owned(),
                };
                self.odd.push(("H002", place, format!("no check is called `{name}`"), help));
                continue;
            }
            let what = What::Word(name, narrowed, place);
            let (scope, comment) = (scope.clone(), comment.clone());
            self.suppressions.push(Suppression { what, scope, comment, used: 0, is_expired });
        }
    }
}

/// A comment for this linter in a line: where its `#` is, and where its words begin.
fn own_comment(text: &str, line: &Range<usize>) -> Option<(usize, usize)> {
    let content = &text[line.clone()];
    content.match_indices('#').find_map(|(at, _)| {
        let is_comment = at == 0 || content[..at].ends_with([' ', '\t']);
        let rest = content[at + 1..].trim_start();
        let words = rest.strip_prefix("promql:").filter(|_| is_comment)?.trim_start();
        Some((line.start + at, line.end - words.len()))
    })
}

/// The words in brackets behind the verb, with their places. Nothing if there are no brackets.
fn list(words: &str, behind_verb: usize) -> Option<Vec<(String, Range<usize>)>> {
    let open = words.find('[')?;
    if words[..open].contains(char::is_whitespace) {
        return None;
    }
    let inner = &words[open + 1..];
    let mut found = Vec::new();
    let mut add = |from: usize, to: usize| {
        let part = &inner[from..to];
        let from = behind_verb + 1 + from + part.len() - part.trim_start().len();
        let word = part.trim();
        if !word.is_empty() {
            found.push((word.to_owned(), from..from + word.len()));
        }
    };
    // What is in parentheses, and in quotes there, belongs to a word.
    let (mut start, mut depth, mut quote) = (0, 0_usize, None);
    for (at, c) in inner.char_indices() {
        match (c, quote) {
            (c, Some(end)) => quote = Some(end).filter(|end| *end != c),
            ('"' | '\'', None) if depth > 0 => quote = Some(c),
            ('(', None) => depth += 1,
            (')', None) => depth = depth.saturating_sub(1),
            (',', None) if depth == 0 => {
                add(start, at);
                start = at + 1;
            }
            (']', None) if depth == 0 => {
                add(start, at);
                return Some(found);
            }
            _ => {}
        }
    }
    None
}

/// Whether the day of `until=` in a comment has passed.
fn expired(words: &str, settings: &Settings) -> bool {
    let until = words.split_whitespace().find_map(|word| word.strip_prefix("until="));
    let Some((day, today)) = until.and_then(Day::parse).zip(settings.today()) else { return false };
    day < today
}

/// The group, the rule, or the key with its value that begins below a place; of lines within a text, the
/// next one.
fn next_item(rules: &RuleFile, from: usize) -> Range<usize> {
    let text: &str = &rules.text;
    let is_content = |line: &Range<usize>| {
        let line = text[line.clone()].trim();
        !line.is_empty() && !line.starts_with('#')
    };
    let next = lines(text).skip_while(|line| line.end <= from).find(is_content);
    next.map_or(from..from, |line| item_of_line(rules, &line))
}

/// What begins in a line: a group, a rule, or a key with its value; else the line.
fn item_of_line(rules: &RuleFile, line: &Range<usize>) -> Range<usize> {
    let text: &str = &rules.text;
    let begins = |span: &Range<usize>| line.contains(&span.start);
    for group in &rules.groups {
        if begins(&group.span) {
            return line.start..group.span.end;
        }
        if let Some(rule) = group.rules.iter().find(|rule| begins(&rule.span)) {
            return line.start..rule.span.end;
        }
        if let Some(rule) =
            group.rules.iter().find(|r| r.span.start <= line.start && line.start < r.span.end)
        {
            // Within the text of an expression only the line counts.
            let is_in_text = rule.expr.span.start < line.start && line.start < rule.expr.span.end;
            if is_in_text {
                return line.clone();
            }
        }
    }
    // A key with what is indented below it.
    let indent = |line: &str| line.len() - line.trim_start().len();
    let own = indent(&text[line.clone()]);
    let below = lines(text).skip_while(|other| other.start <= line.start);
    let belongs = |other: &Range<usize>| {
        let content = &text[other.clone()];
        content.trim().is_empty() || indent(content) > own
    };
    let end = below.take_while(belongs).last().map_or(line.end, |last| last.end);
    line.start..end
}
