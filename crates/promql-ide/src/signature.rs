//! The signature of the call at the cursor.

use std::ops::Range;

use promql_syntax::functions::Arity;

use crate::catalogue::is_metric_name;
use crate::cursor::{Callee, Cursor};

/// How a function or an aggregation operator is called, and which of its arguments the cursor is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The whole of it: `rate(range: range vector): instant vector`.
    pub text: String,
    /// Where the parameters stand in the text, in bytes.
    pub parameters: Vec<Range<usize>>,
    /// Which parameter the cursor is at, as a position in `parameters`. None behind the last.
    pub active: Option<usize>,
    /// What is called, in one sentence.
    pub summary: &'static str,
}

impl Signature {
    /// The text of the parameter that the cursor is at.
    pub fn active_text(&self) -> Option<&str> {
        self.text.get(self.parameters.get(self.active?)?.clone())
    }
}

/// The signature of the innermost call around the cursor.
///
/// ```
/// use promql_ide::signature;
/// let text = "histogram_quantile(0.9, ";
/// let found = signature(text, text.len()).unwrap();
/// assert_eq!(found.active_text(), Some("v: instant vector"));
/// ```
pub fn signature(text: &str, cursor: usize) -> Option<Signature> {
    let cursor = Cursor::new(text, cursor);
    let argument = cursor.argument()?;
    let (text, names, summary, repeats) = match argument.callee {
        Callee::Function(info) => {
            let names: Vec<&str> = info.parameters.iter().map(|p| p.name).collect();
            let repeats = matches!(info.arity, Arity::Unbounded)
                || matches!(info.arity, Arity::UpTo(times) if times > 1);
            (info.signature(), names, info.documentation.summary, repeats)
        }
        Callee::Aggregator(info) => {
            let names = info.parameter.iter().map(|p| p.name).chain(["v"]).collect();
            (info.signature(), names, info.documentation.summary, false)
        }
    };
    let mut from = text.rfind('(').map_or(0, |last| match text.find('(') {
        // The clause of an aggregation has parentheses, too.
        Some(first) if first < last => last,
        _ => last,
    });
    if let Callee::Function(_) = argument.callee {
        from = text.find('(').unwrap_or(0);
    }
    let mut parameters = Vec::new();
    for name in names {
        let Some(start) = find_name(&text, name, from) else { continue };
        let rest = &text[start..];
        let end = start + rest.find([',', ')', ']']).unwrap_or(rest.len());
        let end = start + text[start..end].trim_end_matches([' ', '[']).len();
        parameters.push(start..end);
        from = end;
    }
    let active = match argument.index {
        index if index < parameters.len() => Some(index),
        _ if repeats => parameters.len().checked_sub(1),
        _ => None,
    };
    Some(Signature { text, parameters, active, summary })
}

/// Where a parameter stands: its name with a colon behind it.
fn find_name(text: &str, name: &str, from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    let mut places = rest.match_indices(name).map(|(at, _)| from + at);
    places.find(|&at| {
        let before = text[..at].chars().next_back();
        text[at + name.len()..].starts_with(':')
            && before.is_none_or(|c| !is_metric_name(c.encode_utf8(&mut [0; 4])))
    })
}
