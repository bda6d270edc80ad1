//! What is wrong with a text, while somebody writes it.

use std::ops::Range;

use miette::Diagnostic;
use promql_syntax::Features;

use crate::progress::{Progress, progress};

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, in bytes. Never empty unless the text is, or the place is its end.
    pub span: Range<usize>,
    /// What.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The name of the kind of problem, as `promql::wrong-type`.
    pub code: String,
}

/// The problems of a text. Of one that goes on ([`Progress::Unfinished`]) only those are told that lie
/// well before its end: that it isn't finished is no news to whoever writes it.
///
/// ```
/// use promql_ide::diagnose;
/// assert!(diagnose("sum(rate(x[5m").is_empty());
/// assert_eq!(diagnose("rate(up)")[0].span, 5..7);
/// ```
pub fn diagnose(text: &str) -> Vec<Problem> {
    let progress = progress(text);
    if progress == Progress::Empty {
        return Vec::new();
    }
    let Err(errors) = promql_syntax::compile(text, &Features::ALL) else { return Vec::new() };
    let end = text.trim_end().len();
    let problems = errors.reports("").into_iter().map(|report| {
        let label = report.labels().and_then(|mut labels| labels.next());
        let (start, length) = label.map_or((0, 0), |label| (label.offset(), label.len()));
        let start = start.min(text.len());
        Problem {
            span: start..start.saturating_add(length).min(text.len()),
            message: report.to_string(),
            help: report.help().map(|help| help.to_string()),
            code: report.code().map(|code| code.to_string()).unwrap_or_default(),
        }
    });
    match progress {
        // Of a text that breaks off the parser complains about the end and about the brackets that
        // are open; behind that it guesses.
        Progress::Unfinished => {
            let mut told = Vec::new();
            for problem in problems {
                let about_end = problem.span.end >= end || is_open(text, &problem.span);
                if !about_end {
                    told.push(problem);
                }
            }
            told
        }
        _ => problems.collect(),
    }
}

/// Whether a problem is about a bracket that nothing closes, or an operator without an operand.
fn is_open(text: &str, span: &Range<usize>) -> bool {
    let part = text.get(span.clone()).unwrap_or_default();
    matches!(part, "(" | "[" | "{" | "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_and_what_is_only_unfinished() {
        let table: [(&str, &[&str]); 10] = [
            ("up", &[]),
            ("sum by (job", &[]),
            ("up{job=", &[]),
            ("rate(up", &[]),
            ("up + ", &[]),
            ("rate(up) + ", &["promql::wrong-type 5..7"]),
            ("rat(up)", &["promql::unknown-function 0..3"]),
            ("up{a=~\"(\"}", &["promql::bad-regex 3..9"]),
            ("§", &["promql::unexpected-character 0..2"]),
            ("sum(up))", &["promql::unmatched-parenthesis 7..8"]),
        ];
        for (text, expected) in table {
            let problems = diagnose(text);
            let shown: Vec<String> =
                problems.iter().map(|p| format!("{} {:?}", p.code, p.span)).collect();
            assert_eq!(shown, expected, "{text}: {problems:?}");
        }
    }
}
