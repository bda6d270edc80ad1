//! What is wrong with a text while it is still being read.
//!
//! A reader collects troubles with their places and goes on; when it is through, [`report`] makes
//! diagnostics of them.

use std::borrow::Cow;
use std::ops::Range;

use miette::{Diagnostic, Severity};
use promql_syntax::{Errors, Excerpt};
use promql_yaml::Finding;

use crate::diagnostics::{MOST_PROBLEMS, Problem, Problems};

/// Something wrong or odd at a place of a text.
#[derive(Clone, Debug)]
pub struct Trouble {
    pub(crate) code: Cow<'static, str>,
    pub(crate) message: String,
    pub(crate) label: Cow<'static, str>,
    pub(crate) help: Option<Cow<'static, str>>,
    pub(crate) severity: Severity,
    /// In bytes of the text.
    pub(crate) place: Range<usize>,
}

impl Trouble {
    /// An error: its stable name, its place in bytes of the text, what is wrong in one sentence,
    /// what stands there in a few words, and what to do.
    pub fn error(
        code: &'static str,
        place: Range<usize>,
        message: impl Into<String>,
        label: &'static str,
        help: impl Into<Cow<'static, str>>,
    ) -> Trouble {
        Trouble {
            code: code.into(),
            message: message.into(),
            label: label.into(),
            help: Some(help.into()),
            severity: Severity::Error,
            place,
        }
    }

    /// The same as a warning.
    #[must_use]
    pub fn warning(self) -> Trouble {
        Trouble { severity: Severity::Warning, ..self }
    }

    /// What is wrong with a part of the text that is PromQL or series notation. `length` is that
    /// part's, and `place` finds the place of a byte range of it in the whole text.
    pub fn from_errors(
        errors: &Errors,
        length: usize,
        place: impl Fn(Range<usize>) -> Range<usize>,
    ) -> Vec<Trouble> {
        let trouble = |report: promql_syntax::Report| {
            let label = report.labels().and_then(|mut labels| labels.next());
            let (start, size) =
                label.as_ref().map_or((0, 0), |label| (label.offset(), label.len()));
            let end = length.min(start + size);
            Trouble {
                code: report.code().map_or_else(String::new, |code| code.to_string()).into(),
                message: report.to_string(),
                label: label
                    .and_then(|label| label.label().map(str::to_owned))
                    .unwrap_or_default()
                    .into(),
                help: report.help().map(|help| help.to_string().into()),
                severity: Severity::Error,
                place: place(start.min(end)..end),
            }
        };
        errors.reports("").into_iter().map(trouble).collect()
    }

    /// What was found by the reader of YAML.
    pub fn from_finding(finding: Finding) -> Trouble {
        let Finding { code, message, label, help, severity, span: place, .. } = finding;
        Trouble { code, message, label, help, severity, place }
    }

    /// The stable name of its kind.
    pub fn code(&self) -> &Cow<'static, str> {
        &self.code
    }

    /// What is wrong, in one sentence.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What stands at the place, in a few words.
    pub fn label(&self) -> &Cow<'static, str> {
        &self.label
    }

    /// What to do.
    pub fn help(&self) -> Option<&Cow<'static, str>> {
        self.help.as_ref()
    }

    /// How bad it is.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// The place, in bytes of the text.
    pub fn place(&self) -> Range<usize> {
        self.place.clone()
    }

    pub(crate) fn problem(self, name: &str, text: &[u8]) -> Problem {
        Problem {
            code: self.code,
            message: self.message,
            label: self.label,
            help: self.help,
            severity: self.severity,
            excerpt: Excerpt::new(name, text, self.place),
        }
    }
}

/// Makes diagnostics of what was found out about a text, in its order: the warnings if there are
/// no errors. `name` is what the text is called.
///
/// # Errors
/// The errors, if there are any; the warnings are let go then.
pub fn report(
    name: &str,
    text: &[u8],
    mut troubles: Vec<Trouble>,
) -> Result<Vec<Problem>, Problems> {
    troubles.sort_by_key(|trouble| trouble.place.start);
    let (errors, warnings): (Vec<Trouble>, Vec<Trouble>) =
        troubles.into_iter().partition(|trouble| trouble.severity == Severity::Error);
    let mut errors = errors.into_iter().map(|trouble| trouble.problem(name, text));
    if let Some(first) = errors.next() {
        let mut problems = Problems::new(first);
        errors.for_each(|problem| problems.push(|| problem));
        return Err(problems);
    }
    let warnings = warnings.into_iter().take(MOST_PROBLEMS);
    Ok(warnings.map(|trouble| trouble.problem(name, text)).collect())
}

/// The text of a file, which must be UTF-8.
///
/// # Errors
/// Where it is not.
pub fn utf8<'a>(name: &str, text: &'a [u8]) -> Result<&'a str, Problems> {
    std::str::from_utf8(text).map_err(|error| {
        let start = error.valid_up_to();
        let end = start + error.error_len().unwrap_or(text.len() - start);
        let trouble = Trouble::error(
            "fixture::not-utf8",
            start..end,
            "text is not UTF-8",
            "these bytes are not UTF-8",
            "convert the file to UTF-8",
        );
        Problems::new(trouble.problem(name, text))
    })
}
