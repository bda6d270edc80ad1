//! `uses-later-rule` (G001).

use std::collections::HashMap;

use promql_rules::rule_file::RuleKind;

use crate::check::declare_check;
use crate::context::{GroupContext, RuleRef, read_names};
use crate::finding::Report;

declare_check! {
    /// Finds a rule that reads what a later rule of its group records.
    ///
    /// ## Why it matters
    /// The rules of a group run in order, so it reads what was recorded at the evaluation before: always one
    /// interval old, and nothing at the first time.
    ///
    /// ## Examples
    /// ```yaml bad
    /// - record: shop:up:sum
    ///   expr: sum(job:up:sum)
    ///             ^^^^^^^^^^ `job:up:sum` is recorded later in this group, so this is one interval old
    /// - record: job:up:sum
    ///   expr: sum by (job) (up)
    /// ```
    /// ```yaml bad
    /// - alert: FewUp
    ///   expr: job:up:sum < 3
    ///         ^^^^^^^^^^ `job:up:sum` is recorded later in this group, so this is one interval old
    /// - record: job:up:sum
    ///   expr: sum by (job) (up)
    /// ```
    /// ```yaml bad
    /// - record: a:x:sum
    ///   expr: sum(b:x:sum) + sum({__name__="c:x:sum"})
    ///             ^^^^^^^ `b:x:sum` is recorded later in this group, so this is one interval old
    /// - record: b:x:sum
    ///   expr: sum by (b) (x)
    /// ```
    /// ```yaml good
    /// - record: job:up:sum
    ///   expr: sum by (job) (up)
    /// - record: shop:up:sum
    ///   expr: sum(job:up:sum)
    /// ```
    /// An accumulator reads what it recorded before:
    /// ```yaml good
    /// - record: total:x:sum
    ///   expr: (total:x:sum or vector(0)) + sum(x)
    /// ```
    /// It is read from an earlier rule too:
    /// ```yaml good
    /// - {record: 'job:up:sum', expr: 'sum by (job) (up{job="a"})', labels: {part: a}}
    /// - {record: 'shop:up:sum', expr: 'sum(job:up:sum)'}
    /// - {record: 'job:up:sum', expr: 'sum by (job) (up{job="b"})', labels: {part: b}}
    /// ```
    "G001" "uses-later-rule" Info, Proven, fix: Never, Group(look)
}

fn look(cx: &GroupContext<'_>, report: &mut Report<'_>) {
    let mut recorded: HashMap<&str, (usize, usize)> = HashMap::new();
    for (number, rule) in cx.group.rules.iter().enumerate() {
        if rule.kind == RuleKind::Recording {
            let places = recorded.entry(&rule.name.value).or_insert((number, number));
            places.1 = number;
        }
    }
    if recorded.is_empty() {
        return;
    }
    for (number, rule) in cx.group.rules.iter().enumerate() {
        let Some(query) = &rule.query else { continue };
        for (name, span) in read_names(query.expr()) {
            let Some((first, last)) = recorded.get(name).copied() else { continue };
            // Not if some of it is recorded before, or by the rule itself.
            if first <= number || last <= number {
                continue;
            }
            let at = RuleRef { file: cx.file.number, group: cx.number, rule: number };
            let place = cx.place(at, span);
            report
                .in_file(
                    at.file,
                    Some((at.group, at.rule)),
                    place,
                    format!("`{name}` is recorded later in this group, so this is one interval old"),
                )
                .also(cx.group.rules[first].name.span.clone(), "recorded here")
                .help("move the rule that records it to the front");
        }
    }
}
