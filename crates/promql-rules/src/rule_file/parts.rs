//! Large files, a part at a time on each thread.
//!
//! The tree of a large file takes more memory than what is made of it, and to get memory takes longer than
//! to fill it. So the groups of a part of the file are read when the tree of that part is there, and the
//! tree is let go before the next one is made. What can be seen only in the whole is found afterwards
//! (names that are there twice); if the file isn't the plain one that most are, nothing is read here, and
//! the caller reads it as a whole.

use std::collections::HashSet;

use rayon::prelude::*;

use super::dialect::{Level, has_strange_keys, keys};
use super::group::{self, Context};
use super::load::{file_shape, is_plain};
use super::{Dialect, Group, LoadOptions, rule};
use crate::finding::Finding;
use crate::yaml::{ListPart, ListParts, Node, Reader};

/// The groups of a file, with what is wrong with them beyond YAML.
pub(super) struct Parts {
    pub(super) dialect: Dialect,
    pub(super) groups: Vec<Group>,
    pub(super) findings: Vec<Finding>,
}

/// The groups of a part, and what the reader found.
struct Read {
    groups: Vec<(Group, Vec<Finding>)>,
    yaml: Vec<Finding>,
}

/// Reads the groups of the reader's file in parts. Nothing if that can't be done, and then nothing was
/// found either.
pub(super) fn read(options: &LoadOptions, reader: &mut Reader<'_>) -> Option<Parts> {
    let dialect = match options.dialect {
        Some(Dialect::Operator) => return None,
        choice => choice.unwrap_or(Dialect::Prometheus),
    };
    let parts = ListParts::new(reader.file(), "groups")?;
    let document = parts.document();
    let root = document.root.as_ref().filter(|root| is_plain(root))?;
    let finds_out = options.dialect.is_none();
    if finds_out && has_strange_keys(Level::File, root) {
        return None;
    }
    let context = Context::new(options, dialect);
    let read = |range: &std::ops::Range<usize>| {
        let part = parts.read(range)?;
        let is_strange = finds_out && part.items.iter().any(is_strange);
        (!is_strange).then(|| read_part(&part, &context, reader.sibling()))
    };
    let done: Option<Vec<Read>> = parts.ranges().par_iter().map(read).collect();
    let done = done?;
    reader.document(document);
    let keys = keys(Level::File, dialect);
    reader.fields(root, &file_shape(&keys));
    let mut all = Parts { dialect, groups: Vec::new(), findings: Vec::new() };
    let mut names = HashSet::new();
    for part in done {
        reader.extend(part.yaml);
        for (group, findings) in part.groups {
            all.findings.extend(group::repeated_name(&group, &mut names));
            all.findings.extend(findings);
            all.groups.push(group);
        }
    }
    Some(all)
}

/// Whether a group has keys that Prometheus doesn't know, so that somebody else may.
fn is_strange(group: &Node<'_>) -> bool {
    let rules = group.get("rules").map_or(&[][..], Node::items);
    has_strange_keys(Level::Group, group)
        || rules.iter().any(|rule| has_strange_keys(Level::Rule, rule))
}

fn read_part(part: &ListPart<'_>, context: &Context<'_>, mut reader: Reader<'_>) -> Read {
    part.faults.iter().for_each(|fault| reader.fault(fault));
    let mut groups = Vec::with_capacity(part.items.len());
    for node in &part.items {
        let Some(head) = group::read(node, context, &mut reader) else { continue };
        let outcomes: Vec<rule::Outcome> =
            head.jobs().map(|job| rule::read(&job, context, &mut reader)).collect();
        let group::Head { mut group, mut findings, .. } = head;
        group.rules.reserve_exact(outcomes.len());
        for outcome in outcomes {
            findings.extend(outcome.findings);
            group.rules.extend(outcome.rule);
        }
        group::check_rules(&group, context, &mut findings);
        groups.push((group, findings));
    }
    Read { groups, yaml: reader.into_findings() }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::rule_file::RuleFile;
    use crate::yaml::Flavour;

    /// Many groups, with something in the middle.
    fn text(middle: &str) -> String {
        let mut text = String::from("# c\ngroups:\n");
        let comment = format!("  # {}", "long ".repeat(150));
        for group in 0..200 {
            if group == 100 {
                text.push_str(middle);
            }
            let _ = writeln!(
                text,
                "- name: g{group}\n{comment}\n  rules:\n  - {{alert: A, expr: 'up{{a=\"é\"}} > {group}'}}\n  \
                 - record: a:b\n    expr: |\n      sum(\n        up)"
            );
        }
        text
    }

    /// Reads a text in parts, and as a whole, and shows what comes of it.
    fn both(text: &str, options: &LoadOptions) -> (bool, String, String) {
        let shown = |loaded: &crate::rule_file::Loaded| {
            let RuleFile { dialect, groups, .. } = &loaded.file;
            format!("{dialect:?} {groups:?} {:?}", loaded.findings)
        };
        let mut reader = Reader::new(text, Flavour::Rules);
        let is_in_parts = read(options, &mut reader).is_some();
        let loaded = RuleFile::load("a.yml", text.as_bytes(), options);
        let whole = RuleFile::load_whole("a.yml", text, options);
        (is_in_parts, shown(&loaded), shown(&whole))
    }

    #[test]
    fn parts_give_what_the_whole_gives() {
        for (middle, in_parts) in [
            ("", true),
            ("- name: g7\n", true),
            ("- name: ''\n-\n- 5\n- name: [a]\n", true),
            ("- name: x\n  rules: [{alert: a, record: b, expr: sum(}, 7, null]\n", true),
            ("- name: x\n  name: y\n  colour: red\n", false),
            ("- name: x\n  partial_response_strategy: warn\n", false),
            ("- name: x\n  rules: [{alert: a, expr: up, debug: true}]\n", false),
            ("- name: &a x\n- name: *a\n", true),
            ("- name: \"\n", false),
        ] {
            let (is_in_parts, loaded, whole) = both(&text(middle), &LoadOptions::default());
            assert_eq!(is_in_parts, in_parts, "{middle}");
            assert_eq!(loaded, whole, "{middle}");
        }
        let vmalert = LoadOptions { dialect: Some(Dialect::Vmalert), ..LoadOptions::default() };
        let (is_in_parts, loaded, whole) = both(
            &text("- name: x\n  concurrency: -1\n  rules: [{alert: a, expr: up}]\n"),
            &vmalert,
        );
        assert!(is_in_parts);
        assert_eq!(loaded, whole);
    }
}
