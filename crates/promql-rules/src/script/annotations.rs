//! Warnings, infos and errors against what was expected.

use promql_model::{Annotation, Severity, quote};
use promql_syntax::line_and_column;

use super::expect::{Expectation, LineKind, Pattern};
use super::run::Mismatch;
use super::{Attempt, Eval, Suffix};

/// Annotations of a query in upstream's words, with prefix and place.
pub(super) fn texts(annotations: &[Annotation], severity: Severity, query: &str) -> Vec<String> {
    let of = annotations.iter().filter(|annotation| annotation.severity == severity);
    of.map(|annotation| text(annotation, query)).collect()
}

fn text(annotation: &Annotation, query: &str) -> String {
    let prefix = match annotation.severity {
        Severity::Warning => "PromQL warning",
        Severity::Info => "PromQL info",
    };
    let place = annotation.span.and_then(|(at, _)| line_and_column(query.as_bytes(), at as usize));
    match place {
        Some((line, column)) => {
            format!("{prefix}: {} ({line}:{column})", annotation.message)
        }
        None => format!("{prefix}: {}", annotation.message),
    }
}

/// What a kind of annotation is called, and the lines of an `eval` about it.
struct Kind {
    severity: Severity,
    /// In `expect warn`.
    word: &'static str,
    /// In upstream's messages.
    plural: &'static str,
    /// The same behind `eval_warn`.
    old_plural: &'static str,
    suffix: Suffix,
    pattern: fn(&LineKind) -> Option<&Pattern>,
    is_none: fn(&LineKind) -> bool,
}

const KINDS: [Kind; 2] = [
    Kind {
        severity: Severity::Warning,
        word: "warn",
        plural: "warning annotations",
        old_plural: "warnings",
        suffix: Suffix::Warn,
        pattern: |kind| match kind {
            LineKind::Warn(pattern) => Some(pattern),
            _ => None,
        },
        is_none: |kind| matches!(kind, LineKind::NoWarn),
    },
    Kind {
        severity: Severity::Info,
        word: "info",
        plural: "info annotations",
        old_plural: "info annotations",
        suffix: Suffix::Info,
        pattern: |kind| match kind {
            LineKind::Info(pattern) => Some(pattern),
            _ => None,
        },
        is_none: |kind| matches!(kind, LineKind::NoInfo),
    },
];

/// Compares annotations with what was expected. Each message is upstream's.
pub(super) fn check(
    annotations: &[Annotation],
    eval: &Eval,
    attempt: &Attempt,
) -> Vec<(String, Mismatch)> {
    KINDS.iter().flat_map(|kind| kind.check(annotations, eval, attempt)).collect()
}

impl Kind {
    fn check(
        &self,
        annotations: &[Annotation],
        eval: &Eval,
        attempt: &Attempt,
    ) -> Vec<(String, Mismatch)> {
        let (severity, word) = (self.severity, self.word);
        let found = texts(annotations, severity, &attempt.expression);
        let query = format!("{} (line {})", quote(attempt.expression.as_bytes()), eval.line);
        let lines = &eval.expectations.lines;
        let expected: Vec<(usize, &Pattern)> = lines
            .iter()
            .enumerate()
            .filter_map(|(at, line)| Some((at, (self.pattern)(&line.kind)?)))
            .collect();
        let missing = |expectation: Option<usize>| Mismatch::MissingAnnotation {
            severity,
            expectation,
            found: found.clone(),
        };
        let mut wrong = Vec::new();
        if eval.suffix == Some(self.suffix) && found.is_empty() {
            let old = self.old_plural;
            wrong.push((
                format!("expected {old} evaluating query {query} but got none"),
                missing(None),
            ));
        }
        if !expected.is_empty() && found.is_empty() {
            let text = format!("expected {word} annotations but none were found for query {query}");
            let all = expected.iter().map(|(at, _)| (text.clone(), missing(Some(*at))));
            wrong.extend(all);
        } else if !expected.is_empty() {
            for (at, pattern) in &expected {
                if !found.iter().any(|text| pattern.matches(text)) {
                    let text = format!(
                        "expected {word} annotation matching {} but no matching annotation was \
                         found for query {query}, found: [{}]",
                        shown(pattern),
                        found.join(" ")
                    );
                    wrong.push((text, missing(Some(*at))));
                }
            }
            let surplus =
                found.iter().filter(|text| !expected.iter().any(|(_, p)| p.matches(text)));
            for text in surplus {
                let words = format!(
                    "unexpected {word} annotation {} found for query {} (line {})",
                    quote(text.as_bytes()),
                    attempt.expression,
                    eval.line
                );
                let texts = vec![text.clone()];
                wrong.push((words, Mismatch::UnexpectedAnnotations { severity, texts }));
            }
        }
        let forbids = |line: &Expectation| (self.is_none)(&line.kind);
        if !found.is_empty() && lines.iter().any(forbids) {
            let plural = self.plural;
            let text =
                format!("unexpected {plural} evaluating query {query}: [{}]", found.join(" "));
            wrong.push((text, Mismatch::UnexpectedAnnotations { severity, texts: found }));
        }
        wrong
    }
}

/// A pattern in upstream's words.
fn shown(pattern: &Pattern) -> String {
    match pattern {
        Pattern::Any => "message \"\"".to_owned(),
        Pattern::Text(text) => format!("message {}", quote(text.as_bytes())),
        Pattern::Regex { pattern, .. } => format!("pattern {}", quote(pattern.as_bytes())),
    }
}

/// Compares an error with what was expected of a query that must fail.
pub(super) fn check_error(
    error: &str,
    eval: &Eval,
    attempt: &Attempt,
) -> Option<(String, Mismatch)> {
    let lines = eval.expectations.lines.iter().enumerate();
    // The old spelling and the new one have different messages.
    let (at, pattern, is_old) = lines
        .filter_map(|(at, line)| match &line.kind {
            LineKind::Fail(pattern) => Some((at, pattern, false)),
            LineKind::OldFail(pattern) => Some((at, pattern, true)),
            _ => None,
        })
        .find(|(_, pattern, _)| !pattern.matches(error))?;
    let (text, how) = match pattern {
        Pattern::Any => ("", ""),
        Pattern::Text(text) => (text.as_str(), if is_old { "" } else { "matching " }),
        Pattern::Regex { pattern, .. } => {
            (pattern.as_str(), if is_old { "matching pattern " } else { "matching " })
        }
    };
    let message = format!(
        "expected error {how}{} evaluating query {} (line {}), but got: {error}",
        quote(text.as_bytes()),
        quote(attempt.expression.as_bytes()),
        eval.line
    );
    let got = error.to_owned();
    Some((message, Mismatch::WrongError { expectation: at, got }))
}
