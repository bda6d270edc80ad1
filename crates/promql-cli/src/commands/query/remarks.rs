//! Warnings and infos of an answer, shown at the place in the expression that they are about.

use miette::{Diagnostic, LabeledSpan, SourceSpan};
use promql_model::{Annotation, Severity};

use crate::console::Console;
use crate::inputs::Input;
use crate::render::json;
use crate::report;

/// An annotation as a diagnostic.
#[derive(Debug)]
struct Remark {
    severity: Severity,
    message: String,
    place: Option<SourceSpan>,
}

/// Writes the remarks to standard error.
pub(super) fn tell(annotations: &[Annotation], input: &Input, console: &Console) {
    console.remark(&drawn(annotations, input, console));
}

/// The remarks as they are shown on standard error.
pub(in crate::commands) fn drawn(
    annotations: &[Annotation],
    input: &Input,
    console: &Console,
) -> String {
    let name = input.name.to_string();
    let drawn = annotations.iter().map(|annotation| {
        let remark = Remark::new(annotation, &input.text);
        match remark.place {
            Some(_) => {
                let located = report::WithSource::new(&remark, &name, &input.text);
                report::draw(&located, console)
            }
            None => report::draw(&remark, console),
        }
    });
    drawn.collect()
}

impl Remark {
    fn new(annotation: &Annotation, expression: &[u8]) -> Remark {
        let Annotation { severity, message, span } = annotation;
        let severity = *severity;
        if let Some((start, end)) = span {
            let (start, end) = (*start as usize, (*end as usize).min(expression.len()));
            let place = SourceSpan::from((start.min(end), end.saturating_sub(start)));
            return Remark { severity, message: message.clone(), place: Some(place) };
        }
        // A server says line and column at the end of its text.
        let place = json::place(message).and_then(|(text, line, column)| {
            let start = offset(expression, line, column)?;
            Some((text, SourceSpan::from((start, word(&expression[start..])))))
        });
        match place {
            Some((text, place)) => {
                Remark { severity, message: text.to_string(), place: Some(place) }
            }
            None => Remark { severity, message: message.clone(), place: None },
        }
    }
}

/// The byte at a line and a column, both from 1, columns in bytes.
fn offset(text: &[u8], line: usize, column: usize) -> Option<usize> {
    let mut start = 0;
    for _ in 1..line {
        start += text.get(start..)?.iter().position(|b| *b == b'\n')? + 1;
    }
    let at = start.checked_add(column.checked_sub(1)?)?;
    (at < text.len()).then_some(at)
}

/// The length of the word at the front, to have something to underline.
fn word(text: &[u8]) -> usize {
    let is_word = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b':');
    text.iter().take_while(|b| is_word(b)).count().max(1)
}

impl std::fmt::Display for Remark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&crate::visible::escape_lines(&self.message))
    }
}

impl std::error::Error for Remark {}

impl Diagnostic for Remark {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Warning => miette::Severity::Warning,
            Severity::Info => miette::Severity::Advice,
        })
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let place = self.place?;
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(None, place))))
    }
}
