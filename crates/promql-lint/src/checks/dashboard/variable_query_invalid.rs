//! `variable-query-invalid` (D020).

use std::ops::Range;

use promql_rules::format::with_stand_ins;
use promql_syntax::{Features, compile, parse_metric_selector};

use crate::check::declare_check;
use crate::context::RuleSet;
use crate::finding::Report;

declare_check! {
    /// Finds a variable of a dashboard whose query Prometheus can't read: `label_values`, `query_result`.
    ///
    /// ## Why it matters
    /// The list of its values stays empty, or as it was when the dashboard was saved; each panel that uses it
    /// shows nothing, or always the same.
    ///
    /// ## Examples
    /// ```json bad
    /// {"templating": {"list": [
    ///   {"name": "instance", "type": "query", "query": "label_values(up{job=\"$job\", instance)"}]}, "panels": []}
    ///                                                                                         ^ the query of `instance` can't be read: unexpected end of input inside braces
    /// ```
    /// ```json bad
    /// {"templating": {"list": [
    ///   {"name": "top", "type": "query", "query": {"query": "query_result(topk(5, rate(requests_total)))", "refId": "A"}}]},
    ///                                                                                  ^^^^^^^^^^^^^^ the query of `top` can't be read: expected type range vector in call to function "rate", got instant vector
    ///  "panels": []}
    /// ```
    /// ```json bad
    /// {"templating": {"list": [
    ///   {"name": "pod", "type": "query", "query": "label_values(kube_pod_info{,namespace=\"$namespace\"}, pod)"}]}, "panels": []}
    ///                                                                         ^ the query of `pod` can't be read: unexpected "," in label matching, expected identifier or "}"
    /// ```
    /// ```json good
    /// {"templating": {"list": [
    ///   {"name": "instance", "type": "query", "query": "label_values(up{job=~\"$job\"}, instance)"},
    ///   {"name": "job", "type": "query", "query": "label_values(job)"}]}, "panels": []}
    /// ```
    /// A variable can be part of a name:
    /// ```json good
    /// {"templating": {"list": [
    ///   {"name": "pod", "type": "query", "query": "label_values({__name__=~\"$prefix.*\", zone=\"$zone\"}, $label)"}]}, "panels": []}
    /// ```
    /// It asks another data source:
    /// ```json good
    /// {"templating": {"list": [
    ///   {"name": "app", "type": "query", "datasource": {"type": "loki"}, "query": "label_values({, app)"}]}, "panels": []}
    /// ```
    "D020" "variable-query-invalid" Error, Proven, fix: Never, Set(look)
}

fn look(set: &RuleSet<'_>, report: &mut Report<'_>) {
    for (number, file) in set.files.iter().enumerate() {
        let Some(dashboard) = &file.dashboard else { continue };
        for variable in &dashboard.variables {
            let Some(query) = &variable.query else { continue };
            let Some((place, message)) = judge(&query.value) else { continue };
            let place = query.positions(&file.rules.text).file_span(place);
            let message = format!("the query of `{}` can't be read: {message}", variable.name);
            report
                .in_file(number, None, place, message)
                .help("write `label_values(metric{label=\"value\"}, label)` or `query_result(expression)`");
        }
    }
}

/// What is wrong with the query of a variable, and where in it.
fn judge(query: &str) -> Option<(Range<usize>, String)> {
    let start = query.len() - query.trim_start().len();
    let trimmed = query.trim();
    let (function, rest) = trimmed.split_once('(')?;
    let inner = rest.strip_suffix(')')?;
    let from = start + function.len() + 1;
    match function.trim() {
        "label_values" => {
            let (selector, label) = last_comma(inner);
            match label {
                Some(_) => wrong_selector(selector, from),
                // A name of a label alone.
                None if is_name(inner) => None,
                None => wrong_selector(inner, from),
            }
        }
        "query_result" => wrong_expression(inner, from),
        _ => None,
    }
}

/// The first argument, and the second one if there are two. Braces and quotes keep commas together, as long as
/// they are closed.
fn last_comma(inner: &str) -> (&str, Option<&str>) {
    let (mut depth, mut quote, mut found) = (0_usize, None, None);
    let mut chars = inner.char_indices();
    while let Some((at, c)) = chars.next() {
        match quote {
            Some(_) if c == '\\' => drop(chars.next()),
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None => match c {
                '"' | '\'' | '`' => quote = Some(c),
                '{' | '(' | '[' => depth += 1,
                '}' | ')' | ']' => depth = depth.saturating_sub(1),
                ',' if depth == 0 => found = Some(at),
                _ => {}
            },
        }
    }
    match found {
        Some(at) => (&inner[..at], Some(&inner[at + 1..])),
        None => (inner, None),
    }
}

fn is_name(text: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '$' | '{' | '}' | '"' | ':' | '[' | ']');
    text.trim().chars().all(is_part) && (!text.contains('{') || text.contains("${"))
}

fn wrong_selector(selector: &str, from: usize) -> Option<(Range<usize>, String)> {
    // A variable by itself may be anything.
    if selector.trim_start().starts_with(['$', '[']) {
        return None;
    }
    first_error(selector, from, |text| match parse_metric_selector(text) {
        Ok(_) => None,
        Err(errors) => Some((errors.first().span.range(), errors.first().kind.to_string())),
    })
}

fn wrong_expression(expression: &str, from: usize) -> Option<(Range<usize>, String)> {
    first_error(expression, from, |text| match compile(text, &Features::ALL) {
        Ok(_) => None,
        Err(errors) => Some((errors.first().span.range(), errors.first().kind.to_string())),
    })
}

/// The error of the first thing that variables can stand for, if there is one for all of them.
fn first_error(
    text: &str,
    from: usize,
    error: impl Fn(&str) -> Option<(Range<usize>, String)>,
) -> Option<(Range<usize>, String)> {
    let mut first = None;
    for attempt in with_stand_ins(text) {
        let (span, message) = error(&attempt)?;
        let end = span.end.max(span.start + 1).min(text.len());
        let start = span.start.min(end);
        first.get_or_insert((from + start..from + end, message));
    }
    first
}
