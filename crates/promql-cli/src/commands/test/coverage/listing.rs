//! A rule file line by line, with counts in front and marks below what was not exercised.

use std::collections::BTreeMap;
use std::ops::Range;

use promql_rules::coverage::RuleCoverage;
use promql_rules::rule_file::RuleFile;

use super::super::report::FAILED;
use super::super::table::Look;
use super::{lines_of, missing};
use crate::render::grid::{self, push_styled};
use crate::visible;

/// How wide the counts are.
const COUNT: usize = 6;

/// The lines of a file. A count is that of the point on the line that was exercised most.
pub(super) fn listing(file: &RuleFile, rules: &[RuleCoverage], look: &Look) -> String {
    let text = &*file.text;
    let starts: Vec<usize> = std::iter::once(0)
        .chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1))
        .filter(|start| *start < text.len())
        .collect();
    let line = |at: usize| starts.partition_point(|start| *start <= at).saturating_sub(1);
    let mut counts: BTreeMap<usize, u64> = BTreeMap::new();
    let mut marks: BTreeMap<usize, Vec<(Range<usize>, String)>> = BTreeMap::new();
    for rule in rules {
        for point in &rule.points {
            let known = counts.entry(line(point.span.start)).or_default();
            *known = point.count.max(*known);
        }
        for (span, text) in missing(rule) {
            marks.entry(line(span.start)).or_default().push((span, text));
        }
    }
    let digits = starts.len().max(1).to_string().len();
    let bar = if look.unicode { '│' } else { '|' };
    let mut out = String::new();
    push_styled(&mut out, &visible::escape(&file.name), grid::BOLD, look.color);
    out.push('\n');
    for (number, start) in starts.iter().enumerate() {
        let count = counts.get(&number);
        let shown = count.map_or_else(String::new, u64::to_string);
        let shown = format!("{shown:>COUNT$} ");
        match count {
            Some(0) => push_styled(&mut out, &shown, FAILED, look.color),
            _ => out.push_str(&shown),
        }
        let gutter = format!("{bar} {:>digits$} {bar} ", number + 1);
        push_styled(&mut out, &gutter, grid::DIM, look.color);
        let whole = lines_of(text, &(*start..*start));
        out.push_str(shown_line(&text[whole.clone()]).trim_end());
        out.push('\n');
        for (span, message) in marks.get(&number).into_iter().flatten() {
            let blank = format!("{:COUNT$} {bar} {:digits$} {bar} ", "", "");
            push_styled(&mut out, &blank, grid::DIM, look.color);
            let end = span.end.clamp(span.start, whole.end.max(span.start));
            let width = |range: Range<usize>| {
                text.get(range).map_or(0, |part| visible::width(&shown_line(part)))
            };
            out.push_str(&" ".repeat(width(whole.start..span.start)));
            let mark = "^".repeat(width(span.start..end).max(1));
            push_styled(&mut out, &format!("{mark} {message}"), FAILED, look.color);
            out.push('\n');
        }
    }
    out.push('\n');
    out
}

/// A line, safe to show, with spaces for tabs.
fn shown_line(line: &str) -> String {
    visible::escape(&line.trim_end_matches('\r').replace('\t', "    ")).into_owned()
}
