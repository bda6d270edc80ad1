//! Expressions of rule files.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use promql_syntax::FormatOptions;

use super::scalar::{Place, replace};
use super::{Formatted, apply};
use crate::finding::Finding;
use crate::rule_file::group_holders;
use crate::yaml::{self, Flavour, Node, Reader, Value};

/// Formats the expressions of a rule file: of a plain one in any dialect, of manifests and mixins, in
/// all of its documents.
///
/// An expression of several lines becomes a literal block scalar, except in `{…}`, where it is
/// written in one line. Expressions with errors are left, and so are those whose text is also used for
/// something else by an alias.
///
/// # Errors
/// Why the file can't be read as YAML.
pub fn format_rules(text: &str, options: &FormatOptions) -> Result<Formatted, Vec<Finding>> {
    let stream = yaml::parse(text);
    if let Some(fault) = &stream.error {
        let mut reader = Reader::new(text, Flavour::Rules);
        reader.fault(fault);
        return Err(reader.into_findings());
    }
    let roots: Vec<&Node<'_>> = stream.documents.iter().filter_map(|d| d.root.as_ref()).collect();
    let places: Vec<Place<'_, '_>> = roots.iter().flat_map(|root| places(root, text)).collect();
    let shared = shared(&roots, &places);
    let mut out = Formatted { text: String::new(), expressions: 0, changed: 0, left: Vec::new() };
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    let mut seen = HashSet::new();
    for place in &places {
        let Some(expression) = place.node.text() else { continue };
        if !seen.insert(place.node.span.start) {
            continue;
        }
        out.expressions += 1;
        let formatted = match formatted(expression, place, options) {
            Ok(formatted) => formatted,
            Err(errors) => {
                let positions = place.node.positions(text);
                let place = |range| positions.file_span(range);
                out.left.extend(Finding::from_errors(&errors, expression.len(), place));
                continue;
            }
        };
        // Blanks around it are the matter of the YAML.
        if formatted.trim() == expression.trim() {
            continue;
        }
        let edit = match shared.contains(&place.node.span.start) {
            true => None,
            false => replace(text, place, &formatted),
        };
        match edit {
            Some(edit) => edits.push(edit),
            None => out.left.push(not_replaced(place.node)),
        }
    }
    out.left.sort_by_key(|finding| finding.span.start);
    out.changed = edits.len();
    out.text = apply(text, edits);
    Ok(out)
}

/// An expression as it is to be written at a place: where it can only be in one line, in one line.
fn formatted(
    expression: &str,
    place: &Place<'_, '_>,
    options: &FormatOptions,
) -> Result<String, promql_syntax::Errors> {
    let formatted = promql_syntax::format(expression, options)?;
    if !place.is_flow || !formatted.contains('\n') {
        return Ok(formatted);
    }
    promql_syntax::format(expression, &FormatOptions { width: usize::MAX, ..*options })
}

fn not_replaced(node: &Node<'_>) -> Finding {
    let finding = Finding::error(
        "fmt::left",
        node.span.clone(),
        "this expression is left as it is",
        "it can't be written here in several lines, or an alias uses its text for something else",
        "write it as a block scalar, `expr: |`, outside of braces",
    );
    finding.remark()
}

/// The expressions of a document.
fn places<'n, 't>(root: &'n Node<'t>, file: &str) -> Vec<Place<'n, 't>> {
    let is_flow = |node: &Node<'_>| file[node.span.start..].starts_with(['{', '[']);
    let mut places = Vec::new();
    for groups in group_holders(root).into_iter().filter_map(|holder| holder.get("groups")) {
        for group in groups.items() {
            let Some(rules) = group.get("rules") else { continue };
            for rule in rules.items() {
                let entries = rule.entries().iter();
                for entry in entries.filter(|entry| entry.key.text() == Some("expr")) {
                    let is_scalar = matches!(entry.value.value, Value::Scalar { .. });
                    // What an alias repeats is formatted where it stands, if it is an expression there.
                    if !is_scalar || entry.value.alias().is_some() && !entry.is_merged {
                        continue;
                    }
                    let key = entry.key.span.start;
                    let line = file[..key].rfind('\n').map_or(0, |newline| newline + 1);
                    places.push(Place {
                        node: &entry.value,
                        key_column: key - line,
                        is_flow: [root, groups, group, rules, rule].into_iter().any(is_flow),
                    });
                }
            }
        }
    }
    places
}

/// Where the scalars begin that are expressions and, by an alias, something else too.
fn shared(roots: &[&Node<'_>], places: &[Place<'_, '_>]) -> HashSet<usize> {
    let expressions: HashMap<*const Node<'_>, usize> = places
        .iter()
        .map(|place| (std::ptr::from_ref(place.node), place.node.span.start))
        .collect();
    let starts: HashSet<usize> = expressions.values().copied().collect();
    let mut shared = HashSet::new();
    let mut open: Vec<(&Node<'_>, bool)> = roots.iter().map(|root| (*root, false)).collect();
    while let Some((node, is_expression)) = open.pop() {
        match &node.value {
            Value::Scalar { .. } => {
                let is_here = is_expression || expressions.contains_key(&std::ptr::from_ref(node));
                if !is_here && starts.contains(&node.span.start) {
                    shared.insert(node.span.start);
                }
            }
            Value::Sequence(items) => open.extend(items.iter().map(|item| (item, false))),
            Value::Mapping(entries) => {
                for entry in entries {
                    open.push((&entry.key, false));
                    // An alias at another expression.
                    let is_expression = entry.key.text() == Some("expr");
                    open.push((&entry.value, is_expression));
                }
            }
        }
    }
    shared
}
