//! What is wrong with a text that was loaded, shown where it is wrong.

use std::borrow::Cow;
use std::fmt;

use miette::{Diagnostic, LabeledSpan, SourceCode};
use promql_syntax::Excerpt;
pub(crate) use promql_syntax::excerpt::one_line;

/// How many problems of one text are reported.
pub(crate) const MOST_PROBLEMS: usize = 20;

/// One thing that is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub(crate) code: Cow<'static, str>,
    pub(crate) message: String,
    pub(crate) label: Cow<'static, str>,
    pub(crate) help: Option<Cow<'static, str>>,
    pub(crate) severity: miette::Severity,
    pub(crate) excerpt: Excerpt,
}

impl Problem {
    /// What is wrong, in one sentence without position.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The stable name of the kind of problem.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Where.
    pub fn excerpt(&self) -> &Excerpt {
        &self.excerpt
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

impl Diagnostic for Problem {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.excerpt)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = Some(self.label.to_string()).filter(|label| !label.is_empty());
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(
            label,
            self.excerpt.shown_place(),
        ))))
    }
}

/// Everything that is wrong with a text; at least one problem. Displays as
/// the message of the first and the number of the others, and reports to miette as all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    problems: Vec<Problem>,
    /// How many more there are.
    omitted: usize,
}

impl Problems {
    /// Collects problems, of which there must be one.
    pub(crate) fn new(first: Problem) -> Self {
        Problems { problems: vec![first], omitted: 0 }
    }

    /// Adds one. Past a limit they are only counted.
    pub(crate) fn push(&mut self, problem: impl FnOnce() -> Problem) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(problem());
        } else {
            self.omitted += 1;
        }
    }

    /// The problems in the order of the text; at most the first twenty.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// How many there are beyond [`problems`](Self::problems).
    pub fn omitted(&self) -> usize {
        self.omitted
    }

    fn first(&self) -> &Problem {
        &self.problems[0]
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.first().message)?;
        match self.problems.len() - 1 + self.omitted {
            0 => Ok(()),
            more => write!(f, " (and {more} more)"),
        }
    }
}

impl std::error::Error for Problems {}

impl Diagnostic for Problems {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.first().code))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.first().help()
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.first().excerpt)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.first().labels()
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        if self.problems.len() == 1 {
            return None;
        }
        Some(Box::new(self.problems[1..].iter().map(|problem| problem as &dyn Diagnostic)))
    }
}
