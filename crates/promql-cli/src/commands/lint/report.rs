//! The report for people.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use anstyle::{AnsiColor, Style};
use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};
use promql_lint::{FileOutcome, Finding, Outcome, Severity};

use super::counts::Counts;
use super::json::place;
use crate::console::Console;
use crate::render::grid::push_styled;
use crate::report::{Drawn, draw_as, shown};
use crate::visible;

/// So many findings of one check with one message are shown one by one; more are shown as one with the
/// places of the first few.
const REPEATS: usize = 3;

/// A finding as it is drawn.
#[derive(Debug)]
struct Remark<'a> {
    finding: &'a Finding,
    source: &'a NamedSource<Arc<String>>,
    help: String,
}

impl fmt::Display for Remark<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&visible::escape_lines(&self.finding.message))?;
        match self.finding.consequence {
            Some(consequence) => write!(f, "; {consequence}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Remark<'_> {}

impl Diagnostic for Remark<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let check = self.finding.check;
        Some(Box::new(format!("{} ({})", check.name, check.code)))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.finding.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Info => miette::Severity::Advice,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help = Some(&self.help).filter(|help| !help.is_empty());
        help.map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let spans = self.finding.labels.iter().map(|label| {
            let text =
                Some(visible::escape(&label.text).into_owned()).filter(|text| !text.is_empty());
            LabeledSpan::new_with_span(text, label.span.clone())
        });
        Some(Box::new(spans))
    }
}

/// All findings, drawn, and the summary.
pub(super) fn text(outcome: &Outcome, counts: &Counts, console: &Console) -> String {
    let look = Drawn {
        unicode: console.unicode,
        color: console.color,
        width: console.screen().width.unwrap_or(100).max(20),
    };
    let mut out = String::new();
    let repeats = repeats(outcome);
    for file in &outcome.files {
        if file.findings.is_empty() {
            continue;
        }
        let shown = Arc::new(shown(file.text.as_bytes()));
        let source = NamedSource::new(visible::escape(&file.name), shown);
        for finding in &file.findings {
            let same = repeats.get(&key(finding)).map_or(&[][..], Vec::as_slice);
            let is_first = same.first().is_some_and(|(_, first)| std::ptr::eq(*first, finding));
            if same.len() > REPEATS && !is_first {
                continue;
            }
            let mut help = finding.help.clone().unwrap_or_default();
            if finding.fix.is_some() && help.is_empty() {
                help = finding.fix.as_ref().map_or_else(String::new, |fix| fix.title.clone());
            }
            if same.len() > REPEATS {
                let line = if help.is_empty() { "" } else { "\n" };
                help.push_str(&format!("{line}{}", elsewhere(same)));
            }
            for related in &finding.related {
                if let Some(file) = outcome.files.get(related.file) {
                    let (line, _) = place(&file.text, related.span.start);
                    help.push_str(&format!("\n{}:{line}: {}", file.name, related.text));
                }
            }
            let help = visible::escape_lines(&help).into_owned();
            out.push_str(&draw_as(&Remark { finding, source: &source, help }, look));
        }
    }
    out.push_str(&summary(counts, console));
    out
}

/// One finding in an expression, which is all that there is to see around it.
pub(super) fn of_expression(finding: &Finding, expression: &str, console: &Console) -> String {
    let look = Drawn {
        unicode: console.unicode,
        color: console.color,
        width: console.screen().width.unwrap_or(100).max(20),
    };
    let source = NamedSource::new("expression", Arc::new(shown(expression.as_bytes())));
    let help = finding.help.clone().unwrap_or_default();
    let help = visible::escape_lines(&help).into_owned();
    draw_as(&Remark { finding, source: &source, help }, look)
}

type Key<'a> = (&'static str, &'a str, Severity);

fn key(finding: &Finding) -> Key<'_> {
    (finding.check.code, &finding.message, finding.severity)
}

/// Findings by what they say.
fn repeats(outcome: &Outcome) -> HashMap<Key<'_>, Vec<(&FileOutcome, &Finding)>> {
    let mut repeats: HashMap<Key<'_>, Vec<(&FileOutcome, &Finding)>> = HashMap::new();
    for file in &outcome.files {
        for finding in &file.findings {
            repeats.entry(key(finding)).or_default().push((file, finding));
        }
    }
    repeats
}

/// The places of findings but the first.
fn elsewhere(same: &[(&FileOutcome, &Finding)]) -> String {
    let place = |(file, finding): &(&FileOutcome, &Finding)| {
        format!("{}:{}", file.name, place(&file.text, finding.span().start).0)
    };
    let places: Vec<String> = same.iter().skip(1).take(REPEATS).map(place).collect();
    let more = same.len() - 1;
    let rest = if more > places.len() { ", …" } else { "" };
    format!("the same {more} times more: {}{rest}", places.join(", "))
}

fn plural(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

fn summary(counts: &Counts, console: &Console) -> String {
    let mut out = String::new();
    let parts = [
        (counts.errors, "error", AnsiColor::Red),
        (counts.warnings, "warning", AnsiColor::Yellow),
        (counts.infos, "remark", AnsiColor::Cyan),
    ];
    for (count, word, color) in parts.into_iter().filter(|(count, _, _)| *count > 0) {
        if !out.is_empty() {
            out.push_str(", ");
        }
        push_styled(&mut out, &plural(count, word), color.on_default().bold(), console.color);
    }
    if out.is_empty() {
        let ok: Style = AnsiColor::Green.on_default().bold();
        push_styled(&mut out, "nothing found", ok, console.color);
    }
    let (rules, files) = (plural(counts.rules, "rule"), plural(counts.files, "file"));
    out.push_str(&format!(" in {rules} of {files}"));
    if counts.suppressed > 0 {
        out.push_str(&format!("; {} silenced by comments", counts.suppressed));
    }
    if counts.fixable > 0 {
        out.push_str(&format!("; {} can be mended by --fix", counts.fixable));
    }
    out.push('\n');
    out
}
