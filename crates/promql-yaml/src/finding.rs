//! What is wrong or odd in a file, with its place.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use miette::{Diagnostic, LabeledSpan, Severity, SourceCode};
use promql_syntax::{Errors, Excerpt};

/// Something wrong or odd at a place of a file.
///
/// It doesn't hold the file, so that thousands of them cost little. [`Finding::located`] makes a
/// diagnostic that can be drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The stable name of its kind, as `rules::no-expression`.
    pub code: Cow<'static, str>,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What stands at the place, in a few words.
    pub label: Cow<'static, str>,
    /// What to do.
    pub help: Option<Cow<'static, str>>,
    /// The place, in bytes of the file.
    pub span: Range<usize>,
    /// What upstream's tool says about it, without the name of the file in front. Nothing for what
    /// upstream doesn't complain about.
    pub upstream: Option<String>,
}

impl Finding {
    /// An error.
    pub fn error(
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
        label: impl Into<Cow<'static, str>>,
        help: impl Into<Cow<'static, str>>,
    ) -> Finding {
        Finding {
            code: code.into(),
            severity: Severity::Error,
            message: message.into(),
            label: label.into(),
            help: Some(help.into()).filter(|help: &Cow<'static, str>| !help.is_empty()),
            span,
            upstream: None,
        }
    }

    /// The same as a warning.
    #[must_use]
    pub fn warning(self) -> Finding {
        Finding { severity: Severity::Warning, ..self }
    }

    /// The same as a remark.
    #[must_use]
    pub fn remark(self) -> Finding {
        Finding { severity: Severity::Advice, ..self }
    }

    /// The same with what upstream's tool says.
    #[must_use]
    pub fn with_upstream(self, text: impl Into<String>) -> Finding {
        Finding { upstream: Some(text.into()), ..self }
    }

    /// Whether the file can't be used because of it.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// What is wrong with a part of the file that is PromQL. `length` is that part's, and `place` finds
    /// the place of a byte range of it in the file.
    pub fn from_errors(
        errors: &Errors,
        length: usize,
        place: impl Fn(Range<usize>) -> Range<usize>,
    ) -> Vec<Finding> {
        let finding = |report: promql_syntax::Report| {
            let label = report.labels().and_then(|mut labels| labels.next());
            let (start, size) =
                label.as_ref().map_or((0, 0), |label| (label.offset(), label.len()));
            let end = length.min(start + size);
            let text = label.and_then(|label| label.label().map(str::to_owned));
            Finding {
                code: report.code().map_or_else(String::new, |code| code.to_string()).into(),
                severity: Severity::Error,
                message: report.to_string(),
                label: text.unwrap_or_default().into(),
                help: report.help().map(|help| help.to_string().into()),
                span: place(start.min(end)..end),
                upstream: None,
            }
        };
        errors.reports("").into_iter().map(finding).collect()
    }

    /// A diagnostic with the lines around the place. `name` is what the file is called, and `file` is
    /// what is in it.
    pub fn located(&self, name: &str, file: &str) -> Located {
        let excerpt = Excerpt::new(name, file.as_bytes(), self.span.clone());
        Located { finding: self.clone(), excerpt }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Finding {}

/// Its labels are places in the file, which it doesn't hold.
impl Diagnostic for Finding {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.code))
    }

    fn severity(&self) -> Option<Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = Some(self.label.to_string()).filter(|label| !label.is_empty());
        let span = LabeledSpan::new_with_span(label, self.span.clone());
        Some(Box::new(std::iter::once(span)))
    }
}

/// A [`Finding`] that can be drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    finding: Finding,
    excerpt: Excerpt,
}

impl Located {
    /// What was found.
    pub fn finding(&self) -> &Finding {
        &self.finding
    }

    /// The lines around it, with line and column.
    pub fn excerpt(&self) -> &Excerpt {
        &self.excerpt
    }
}

impl fmt::Display for Located {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.finding.fmt(f)
    }
}

impl std::error::Error for Located {}

impl Diagnostic for Located {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.finding.code()
    }

    fn severity(&self) -> Option<Severity> {
        self.finding.severity()
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.finding.help()
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.excerpt)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = Some(self.finding.label.to_string()).filter(|label| !label.is_empty());
        let span = LabeledSpan::new_with_span(label, self.excerpt.shown_place());
        Some(Box::new(std::iter::once(span)))
    }
}
