//! The manual of the language: what every function, aggregation operator and binary operator does.
//!
//! Completion, hover texts, the REPL's help and the book all read these texts. They live here and
//! not in the rows of the tables because of their length; each row refers to its text by the name
//! of its variant, so a function without documentation does not compile.
//!
//! What the texts say about the metric name holds for the end of a query. With upstream's delayed
//! name removal, an expression around the function may still see the name.

// The texts are named like the variants they belong to.
#![allow(non_upper_case_globals)]

mod aggregators;
mod counters;
mod histograms;
mod labels;
mod math;
mod operators;
mod over_time;
mod query;
mod signature;

/// The texts of the functions, by variant.
pub(crate) mod functions {
    pub(crate) use super::counters::*;
    pub(crate) use super::histograms::*;
    pub(crate) use super::labels::*;
    pub(crate) use super::math::*;
    pub(crate) use super::over_time::*;
    pub(crate) use super::query::*;
}

/// The texts of the aggregation operators, by variant.
pub(crate) mod aggregations {
    pub(crate) use super::aggregators::*;
}

pub use operators::{KeywordInfo, OPERATORS_AND_KEYWORDS, keyword};

/// What there is to say about a function or an operator. The texts are CommonMark without headings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Documentation {
    /// One sentence.
    pub summary: &'static str,
    /// How it works, what it does where samples are missing, and what to look out for. Paragraphs
    /// are separated by empty lines.
    pub description: &'static str,
    /// What becomes of the labels and of the metric name.
    pub labels: &'static str,
    /// What it does with native histograms.
    pub histograms: &'static str,
    /// A query that uses it.
    pub example: &'static str,
    /// What that query gives.
    pub explanation: &'static str,
    /// The release of Prometheus that introduced it, where that is known to be later than 2.0.
    pub since: Option<&'static str>,
}

impl Documentation {
    /// Everything as CommonMark, beginning with the summary.
    ///
    /// ```
    /// let text = promql_syntax::Function::Rate.info().documentation.to_markdown();
    /// assert!(text.contains("```promql\nsum by (job) (rate(http_requests_total[5m]))\n```"));
    /// ```
    pub fn to_markdown(&self) -> String {
        let since = self.since.map(|since| format!("\n\nSince Prometheus {since}."));
        format!(
            "{}\n\n{}\n\n**Labels.** {}\n\n**Native histograms.** {}{}\n\n```promql\n{}\n```\n\n{}\n",
            self.summary,
            self.description,
            self.labels,
            self.histograms,
            since.unwrap_or_default(),
            self.example,
            self.explanation,
        )
    }
}

/// Declares documentation texts. Every field is given, so that none is forgotten.
macro_rules! document {
    ($($variant:ident {
        $summary:literal
        $description:literal
        labels: $labels:expr,
        histograms: $histograms:expr,
        example: $example:literal => $explanation:literal
        $(since: $since:literal)?
    })*) => {
        $(pub(crate) static $variant: $crate::docs::Documentation = $crate::docs::Documentation {
            summary: $summary,
            description: $description,
            labels: $labels,
            histograms: $histograms,
            example: $example,
            explanation: $explanation,
            since: $crate::docs::first(&[$($since)?]),
        };)*
    };
}
use document;

const fn first(texts: &[&'static str]) -> Option<&'static str> {
    texts.first().copied()
}

/// What most functions do to labels.
const NAME_GOES: &str = "All labels stay, the metric name goes.";

/// What functions do that have a result without labels.
const NO_LABELS: &str = "The result has no labels.";

/// What functions of scalars do to labels.
const SCALAR: &str = "A scalar has no labels.";

/// What functions of an element's value do with histograms.
const FLOATS_ONLY: &str = "Elements that are native histograms are left out without notice.";

/// What functions do that know no samples.
const NOT_INVOLVED: &str = "No samples are involved.";

/// What functions of a range do that only look at floats.
const RANGE_FLOATS_ONLY: &str = "A range of native histograms alone gives nothing. In a range that \
    holds floats as well, histograms are left out with an information.";

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::functions::{AGGREGATORS, FUNCTIONS};

    fn all() -> impl Iterator<Item = (&'static str, &'static Documentation)> {
        let functions = FUNCTIONS.iter().map(|row| (row.name, row.documentation));
        let aggregators = AGGREGATORS.iter().map(|row| (row.name, row.documentation));
        let keywords = OPERATORS_AND_KEYWORDS.iter().map(|row| (row.symbol, row.documentation));
        functions.chain(aggregators).chain(keywords)
    }

    #[test]
    fn texts_are_complete_and_well_formed() {
        for (name, text) in all() {
            let is_sentence =
                |t: &str| t.ends_with('.') && t.starts_with(|c: char| !c.is_lowercase());
            assert!(is_sentence(text.summary) && !text.summary.contains('\n'), "{name}: summary");
            assert!(text.summary.len() <= 120, "{name}: the summary is long");
            for part in [text.description, text.labels, text.histograms, text.explanation] {
                assert!(is_sentence(part), "{name}: {part}");
                assert!(!part.contains("  "), "{name}: {part}");
            }
        }
    }

    #[test]
    fn no_two_are_the_same() {
        let (mut summaries, mut examples) = (BTreeMap::new(), BTreeMap::new());
        for (name, text) in all() {
            assert_eq!(summaries.insert(text.summary, name), None, "{name}");
            assert_eq!(examples.insert(text.example, name), None, "{name}");
        }
    }

    #[test]
    fn examples_are_valid_and_show_what_they_are_for() {
        for (name, text) in all() {
            if let Err(errors) = crate::compile(text.example, &Default::default()) {
                panic!("{name}: {errors}");
            }
            assert!(text.example.contains(name), "{name}: {}", text.example);
        }
    }
}
