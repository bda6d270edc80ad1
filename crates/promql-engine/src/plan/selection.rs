//! The series that a query reads: each selection once, however many selectors use it.

use promql_model::{MatchOp, Matcher};
use promql_syntax::Query;
use promql_syntax::ast::SelectorId;

use crate::EngineError;
use crate::storage::TimeRange;

/// Series that one or more selectors of a query read.
#[derive(Debug)]
pub(crate) struct Selection {
    pub(crate) matchers: Vec<Matcher>,
    /// All the samples that any of the selectors needs.
    pub(crate) range: TimeRange,
    /// How far the longest window reaches back, 0 if all selectors are instant selectors.
    pub(crate) window: i64,
    /// Whether several operations read them: then a thread remembers the last series that it had to
    /// decode.
    pub(crate) remember: bool,
    /// What the storage can't know from the matchers: which selections are equal.
    key: Vec<(Vec<u8>, MatchOp, Vec<u8>)>,
}

/// The position of the selection for a selector that needs these samples, which is added unless
/// there is one that reads about the same time.
pub(crate) fn selection_for(
    query: &Query,
    selector: SelectorId,
    range: TimeRange,
    window: i64,
    selections: &mut Vec<Selection>,
) -> Result<usize, EngineError> {
    let mut key: Vec<_> = query
        .matchers(selector)
        .map(|(name, op, value)| (name.to_vec(), op, value.to_vec()))
        .collect();
    key.sort();
    if let Some(at) = selections.iter().position(|s| s.key == key && s.range.overlaps(range)) {
        let selection = &mut selections[at];
        selection.range = selection.range.union(range);
        selection.window = selection.window.max(window);
        return Ok(at);
    }
    let matchers = compile(query, selector)?;
    selections.push(Selection { matchers, range, window, remember: false, key });
    Ok(selections.len() - 1)
}

/// The matchers of a selector.
pub(crate) fn compile(query: &Query, selector: SelectorId) -> Result<Vec<Matcher>, EngineError> {
    let matcher = |(name, op, value): (&[u8], MatchOp, &[u8])| {
        let name = String::from_utf8_lossy(name);
        Matcher::new(&*name, op, value).map_err(|error| EngineError::Invalid {
            message: format!("invalid matcher for label \"{name}\": {error}"),
            span: Some(query.selector(selector).name_span.into()),
            help: None,
        })
    };
    query.matchers(selector).map(matcher).collect()
}
