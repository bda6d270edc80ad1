//! What the word at the cursor is.

use std::fmt::Write;
use std::ops::Range;

use promql_syntax::docs;
use promql_syntax::functions::{self, Stability};

use crate::catalogue::{Catalogue, MetricKind, Question, Selector};
use crate::cursor::{Cursor, floor};
use crate::lex::{Kind, tokens};
use crate::walk::{Role, Walk, aggregator};
use crate::words::{duration, duration_in_words};

/// What there is to say about a part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hover {
    /// The part, in bytes.
    pub span: Range<usize>,
    /// What there is to say, as CommonMark.
    pub markdown: String,
    /// What would be of use and isn't known.
    pub missing: Vec<Question>,
}

/// What there is to say about the token at a cursor: the documentation of a function, an operator or a
/// keyword, the metadata of a metric, a duration in words, how many values of a label are known.
///
/// ```
/// use promql_ide::{Snapshot, hover};
/// let known = Snapshot::new();
/// let text = "rate(x[90m])";
/// assert!(hover(text, 1, &known).unwrap().markdown.starts_with("`rate(range: range vector)"));
/// assert_eq!(hover(text, 8, &known).unwrap().markdown, "1 hour 30 minutes");
/// ```
pub fn hover(text: &str, cursor: usize, catalogue: &dyn Catalogue) -> Option<Hover> {
    let at = floor(text, cursor);
    let tokens = tokens(text);
    let index = tokens.iter().position(|token| token.span.start <= at && at < token.span.end);
    let index = index.or_else(|| {
        // Behind the last character of a word is still at the word.
        tokens.iter().position(|token| token.span.end == at && is_word(token.kind))
    })?;
    let mut walk = Walk::new(text);
    for before in 0..index {
        walk.step(&tokens, before);
    }
    let frames = walk.frames.clone();
    let role = walk.step(&tokens, index);
    let token = &tokens[index];
    let word = token.text(text);
    let mut missing = Vec::new();
    let markdown = match role {
        Role::Function => {
            let info = functions::function(word)?;
            documented(&info.signature(), info.documentation, info.stability)
        }
        Role::Aggregation => {
            let info = aggregator(word)?;
            documented(&info.signature(), info.documentation, info.stability)
        }
        Role::Keyword | Role::Operator | Role::Punctuation => {
            let info = docs::keyword(word)?;
            documented(info.symbol, info.documentation, Stability::Stable)
        }
        Role::Matcher => matcher_in_words(word).to_owned(),
        Role::Metric => metric(word, catalogue, &mut missing),
        Role::Duration | Role::Number => {
            let milliseconds = match duration(word) {
                Some(milliseconds) => milliseconds,
                // In brackets a number is one of seconds.
                None if role == Role::Duration => seconds(word)?,
                None => return None,
            };
            duration_in_words(milliseconds)
        }
        Role::Label => {
            let selector = match frames.last() {
                Some(_) => Cursor::new(text, at).selector(),
                None => Selector::default(),
            };
            label(word, selector, catalogue, &mut missing)
        }
        Role::Variable => {
            let name = word.strip_prefix('$')?;
            let (_, value) = catalogue.variables().into_iter().find(|(known, _)| known == name)?;
            format!("`{value}`")
        }
        Role::String | Role::Bracket(_) | Role::Comment | Role::Wrong => return None,
    };
    Some(Hover { span: token.span.clone(), markdown, missing })
}

fn is_word(kind: Kind) -> bool {
    matches!(kind, Kind::Word | Kind::Number | Kind::Duration | Kind::Variable)
}

fn documented(signature: &str, text: &docs::Documentation, stability: Stability) -> String {
    let experimental = match stability {
        Stability::Stable => "",
        Stability::Experimental => " (experimental)",
    };
    format!("`{signature}`{experimental}\n\n{}", text.to_markdown())
}

fn matcher_in_words(op: &str) -> &'static str {
    match op {
        "=" => {
            "The label has this value. An empty value also stands for a series without the label."
        }
        "!=" => "The label has another value, or none.",
        "=~" => "The regular expression (RE2) matches the whole value.",
        _ => "The regular expression (RE2) doesn't match the whole value.",
    }
}

fn metric(name: &str, catalogue: &dyn Catalogue, missing: &mut Vec<Question>) -> String {
    let mut text = format!("`{name}`");
    let known = catalogue.metrics();
    let kind = known.and_then(|metrics| {
        let names = metrics.names();
        names.beginning_with(name).find(|at| names.get(*at) == name).map(|at| metrics.kind(at))
    });
    match catalogue.metadata(name) {
        Some(metadata) => {
            let kind = kind.filter(|kind| *kind != MetricKind::Unknown).unwrap_or(metadata.kind);
            if kind != MetricKind::Unknown {
                let _ = write!(text, " · {}", kind.name());
            }
            if !metadata.unit.is_empty() {
                let _ = write!(text, " · {}", metadata.unit);
            }
            if !metadata.help.is_empty() {
                let _ = write!(text, "\n\n{}", metadata.help);
            }
        }
        None => {
            missing.push(Question::Metadata { metric: name.to_owned() });
            if let Some(kind) = kind.filter(|kind| *kind != MetricKind::Unknown) {
                let _ = write!(text, " · {}, by its name", kind.name());
            }
        }
    }
    if known.is_some_and(|metrics| !metrics.names().is_cut()) && kind.is_none() {
        text.push_str("\n\nThere is no metric of this name.");
    }
    text
}

fn label(
    name: &str,
    selector: Selector,
    catalogue: &dyn Catalogue,
    missing: &mut Vec<Question>,
) -> String {
    match catalogue.label_values(name, &selector) {
        Some(values) => {
            const SHOWN: usize = 5;
            let some: Vec<String> = values.iter().take(SHOWN).map(|v| format!("`{v}`")).collect();
            let more = if values.len() > SHOWN || values.is_cut() { ", …" } else { "" };
            let at_least = if values.is_cut() { "at least " } else { "" };
            let plural = if values.len() == 1 { "value" } else { "values" };
            format!("`{name}` · {at_least}{} {plural}: {}{more}", values.len(), some.join(", "))
        }
        None => {
            let (label, prefix) = (name.to_owned(), String::new());
            missing.push(Question::LabelValues { label, selector, prefix });
            format!("`{name}`")
        }
    }
}

fn seconds(text: &str) -> Option<i64> {
    let seconds: f64 = text.parse().ok()?;
    let milliseconds = seconds * 1e3;
    (milliseconds.abs() < 1e15).then_some(milliseconds as i64)
}
