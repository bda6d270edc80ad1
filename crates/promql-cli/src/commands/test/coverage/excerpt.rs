//! What is missing of a rule, drawn into its lines.

use std::fmt;

use miette::{
    Diagnostic, LabeledSpan, MietteError, MietteSpanContents, Severity, SourceCode, SourceSpan,
    SpanContents,
};
use promql_rules::coverage::RuleCoverage;
use promql_rules::rule_file::RuleFile;

use super::super::table::Look;
use super::{lines_of, missing, title};
use crate::report::{Drawn, draw_as, shown};
use crate::visible;

/// A rule of which something is missing.
#[derive(Debug)]
struct Uncovered {
    message: String,
    help: Option<String>,
    labels: Vec<LabeledSpan>,
    lines: Lines,
}

/// Some lines of a file, which know their numbers.
#[derive(Debug)]
struct Lines {
    name: String,
    text: String,
    /// How many lines are in front.
    before: usize,
}

/// What is missing of a rule, or nothing.
pub(super) fn excerpt(file: &RuleFile, rule: &RuleCoverage, look: &Look) -> String {
    let missing = missing(rule);
    if missing.is_empty() {
        return String::new();
    }
    // A block reaches up to what follows it.
    let whole = file.text.get(rule.span.clone()).unwrap_or_default().trim_end().len();
    let all = lines_of(&file.text, &(rule.span.start..rule.span.start + whole));
    let labels = missing.iter().map(|(span, text)| {
        let at = span.start.clamp(all.start, all.end) - all.start;
        let end = span.end.clamp(all.start, all.end) - all.start;
        LabeledSpan::new_with_span(Some(text.clone()), at..end.max(at))
    });
    let tally = rule.tally();
    let implied = rule.points.iter().filter(|point| point.is_implied).count();
    let points = if tally.points == 1 { "point" } else { "points" };
    let uncovered = Uncovered {
        message: format!(
            "{}: {} of {} {points} exercised",
            visible::escape(&title(rule)),
            tally.exercised,
            tally.points
        ),
        help: (implied > 0).then(|| match implied {
            1 => "1 more point can't be exercised because of that".to_owned(),
            _ => format!("{implied} more points can't be exercised because of that"),
        }),
        labels: labels.collect(),
        lines: Lines {
            name: visible::escape(&file.name).into_owned(),
            // miette points at the end of a line only if the line ends.
            text: shown(&file.text.as_bytes()[all.clone()]) + "\n",
            before: memchr::memchr_iter(b'\n', &file.text.as_bytes()[..all.start]).count(),
        },
    };
    let drawn =
        Drawn { unicode: look.unicode, color: look.color, width: look.width.unwrap_or(100) };
    draw_as(&uncovered, drawn)
}

impl fmt::Display for Uncovered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Uncovered {}

impl Diagnostic for Uncovered {
    fn severity(&self) -> Option<Severity> {
        Some(Severity::Warning)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.lines)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

impl SourceCode for Lines {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        context_lines_before: usize,
        context_lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let contents = self.text.read_span(span, context_lines_before, context_lines_after)?;
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            contents.data(),
            *contents.span(),
            contents.line() + self.before,
            contents.column(),
            contents.line_count(),
        )))
    }
}
