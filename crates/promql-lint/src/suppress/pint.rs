//! The comments of pint, as its parser takes them.

use std::ops::Range;

use promql_rules::rule_file::RuleFile;

use super::argument::Narrowed;
use super::{Comments, Day, Suppression, What};
use crate::settings::Settings;

/// The checks of pint, each with the checks here that look for the same.
pub(crate) const NAMES: &[(&str, &[&str])] = &[
    ("yaml/parse", &["E004", "E014"]),
    ("promql/syntax", &["V007"]),
    ("alerts/comparison", &["A001", "A002", "A003"]),
    (
        "alerts/template",
        &[
            "T001", "T002", "T003", "T004", "T005", "T006", "T010", "T011", "T012", "T013", "T014",
            "A010",
        ],
    ),
    ("alerts/for", &["A006", "A007"]),
    ("rule/for", &["O006"]),
    ("alerts/absent", &["A008"]),
    ("alerts/annotation", &["O003", "O004"]),
    ("rule/label", &["O001", "O002"]),
    ("alerts/count", &["L010", "L011"]),
    ("alerts/external_labels", &["T018"]),
    (
        "promql/impossible",
        &[
            "C001", "C002", "C003", "C004", "C005", "C006", "C007", "C008", "C009", "C010", "C011",
            "C012", "C013", "C014", "C015", "M004", "A009",
        ],
    ),
    ("promql/vector_matching", &["L006", "C001", "C002"]),
    ("promql/fragile", &["A012", "A014"]),
    ("promql/regexp", &["M001", "M002", "M003", "M004", "M005", "M006", "M013"]),
    ("promql/rate", &["K002", "K005", "K007", "L016"]),
    ("promql/counter", &["K001"]),
    ("promql/nan", &["C022"]),
    ("promql/series", &["L001", "L002", "L003", "L004", "G005", "G007", "M014"]),
    ("promql/aggregate", &["O009"]),
    ("promql/selector", &["O008", "O018"]),
    ("promql/features", &["V002", "L015"]),
    ("promql/offset", &["C029", "L013", "O010"]),
    ("promql/range_query", &["C029", "L013", "O010"]),
    ("query/cost", &["L008", "L009", "P006"]),
    ("labels/conflict", &["L014"]),
    ("group/interval", &["G008"]),
    ("rule/dependency", &["G002", "G006"]),
    ("rule/duplicate", &["G010", "G012", "A015"]),
    ("rule/name", &["O007"]),
    ("rule/reject", &["O005"]),
    ("rule/report", &["O016"]),
    ("rule/link", &["L018"]),
    ("rule/owner", &["O014"]),
    ("pint/comment", &["H005"]),
];

/// Reads comments line by line.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// Where `ignore/begin` is.
    begin: Option<Range<usize>>,
    /// The comment of an `ignore/next-line` in the line before.
    next: Option<Range<usize>>,
    /// Rule comments above a rule that has not begun yet.
    waiting: Vec<(What, Range<usize>, bool)>,
}

impl Reader {
    /// Reads a line.
    pub(super) fn line(
        &mut self,
        rules: &RuleFile,
        line: Range<usize>,
        settings: &Settings,
        comments: &mut Comments,
    ) {
        let text: &str = &rules.text;
        let content = &text[line.clone()];
        let all = |scope: Range<usize>, comment: Range<usize>| Suppression {
            what: What::Everything,
            scope,
            comment,
            used: 0,
            is_expired: false,
        };
        if let Some(comment) = self.next.take() {
            comments.suppressions.push(all(line.clone(), comment));
        }
        let is_blank = content.trim().is_empty();
        let is_comment = content.trim_start().starts_with('#');
        if !self.waiting.is_empty() && !is_comment && !is_blank {
            let groups = rules.groups.iter();
            let rule = groups
                .flat_map(|group| &group.rules)
                .find(|rule| rule.span.start < line.end && line.start < rule.span.end);
            for (what, comment, is_expired) in self.waiting.drain(..) {
                match rule {
                    Some(rule) => comments.suppressions.push(Suppression {
                        what,
                        scope: line.start.min(rule.span.start)..rule.span.end,
                        comment,
                        used: 0,
                        is_expired,
                    }),
                    None => comments.odd.push((
                        "H005",
                        comment,
                        "this comment of pint is about a rule, and touches none".to_owned(),
                        "put it directly above the rule or into it".to_owned(),
                    )),
                }
            }
        }
        let Some((start, kind, value)) = control(content) else { return };
        let comment = line.start + start..line.end;
        let whole = 0..text.len() + 1;
        match kind {
            "ignore/file" => comments.suppressions.push(all(whole, comment)),
            "ignore/line" => comments.suppressions.push(all(line, comment)),
            "ignore/next-line" => self.next = Some(comment),
            "ignore/begin" => self.begin = Some(comment),
            "ignore/end" => {
                if let Some(begin) = self.begin.take() {
                    comments.suppressions.push(all(begin.start..line.start, begin));
                }
            }
            "disable" | "snooze" | "file/disable" | "file/snooze" => {
                let is_snooze = kind.ends_with("snooze");
                let (until, name) = match is_snooze {
                    true => value.split_once(char::is_whitespace).unwrap_or((value, "")),
                    false => ("", value),
                };
                let is_expired = is_snooze && passed(until, settings);
                // A remark behind the name makes pint take both for a name.
                let name = name.trim().split(" #").next().unwrap_or_default().trim();
                let plain = name.split('(').next().unwrap_or_default();
                let Some((_, codes)) = NAMES.iter().find(|(known, _)| *known == plain) else {
                    comments.odd.push((
                        "H005",
                        comment,
                        format!("pint has no check `{plain}` that is known here"),
                        "the findings that it silences are told".to_owned(),
                    ));
                    return;
                };
                let what = What::Pint(codes, narrowed(name));
                if kind.starts_with("file/") {
                    let scope = whole;
                    comments.suppressions.push(Suppression {
                        what,
                        scope,
                        comment,
                        used: 0,
                        is_expired,
                    });
                } else if is_comment {
                    self.waiting.push((what, comment, is_expired));
                } else {
                    // Behind something of a rule.
                    let rule = rules
                        .groups
                        .iter()
                        .flat_map(|group| &group.rules)
                        .find(|rule| rule.span.start < line.end && line.start < rule.span.end);
                    let scope = rule.map_or(line, |rule| rule.span.clone());
                    comments.suppressions.push(Suppression {
                        what,
                        scope,
                        comment,
                        used: 0,
                        is_expired,
                    });
                }
            }
            _ => {}
        }
    }
}

/// What the argument of a check of pint narrows, as far as that can be told here: a selector, or the name in
/// front of `:true` and `:false`. A server, a tag or a duration says nothing about findings.
fn narrowed(name: &str) -> Narrowed {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    let Some(inner) = inner else { return Narrowed::default() };
    let label = inner.strip_suffix(":true").or_else(|| inner.strip_suffix(":false"));
    match label {
        Some(label) => Narrowed::by(label),
        None if inner.contains('{') => Narrowed::by(inner),
        None => Narrowed::default(),
    }
}

/// The control comment of a line: where its `#` is, its type and its value.
fn control(content: &str) -> Option<(usize, &str, &str)> {
    content.match_indices('#').find_map(|(at, _)| {
        let words = content[at + 1..].trim_start().strip_prefix("pint")?;
        let rest = words.trim_start();
        if rest.len() == words.len() || rest.is_empty() {
            return None;
        }
        let (kind, value) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        Some((at, kind, value.trim()))
    })
}

/// Whether the time of a snooze has passed: a day, until which it holds, or a time of RFC 3339, of which
/// the day counts.
fn passed(until: &str, settings: &Settings) -> bool {
    let day = until.get(..10).and_then(Day::parse);
    day.zip(settings.today()).is_some_and(|(day, today)| day <= today)
}
