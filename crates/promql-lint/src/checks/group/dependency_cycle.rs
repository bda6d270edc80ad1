//! `dependency-cycle` (G003).

use std::collections::HashMap;

use crate::check::Severity;
use crate::check::declare_check;
use crate::context::{RuleSet, read_names};
use crate::finding::Report;

declare_check! {
    /// Finds recording rules that feed each other.
    ///
    /// ## Why it matters
    /// Each evaluation reads what the one before has recorded. Whatever the values are, they depend on how often
    /// and in which order the rules ran. A rule that reads its own metric is a remark only: so one adds up.
    ///
    /// ## Examples
    /// ```yaml bad
    /// - record: a:x:sum
    ///           ^^^^^^^ these feed each other: `a:x:sum`, `b:x:sum`
    ///   expr: b:x:sum + 1
    /// - record: b:x:sum
    ///   expr: a:x:sum
    /// ```
    /// ```yaml bad
    /// - record: total:x:sum
    ///           ^^^^^^^^^^^ info: `total:x:sum` reads what it records
    ///   expr: (total:x:sum or vector(0)) + sum(x)
    /// ```
    /// ```yaml bad
    /// # file: a.yml
    /// groups:
    /// - name: a
    ///   rules:
    ///   - {record: a:x, expr: c:x * 2}
    ///              ^^^ these feed each other: `a:x`, `b:x`, `c:x`
    ///   - {record: b:x, expr: a:x}
    /// # file: b.yml
    /// groups:
    /// - name: b
    ///   rules:
    ///   - {record: c:x, expr: b:x}
    /// ```
    /// ```yaml good
    /// - record: job:up:sum
    ///   expr: sum by (job) (up)
    /// - record: shop:up:sum
    ///   expr: sum(job:up:sum)
    /// ```
    /// ```yaml good
    /// - record: a:x:sum
    ///   expr: sum(x)
    /// - alert: ManyX
    ///   expr: a:x:sum > 3
    /// ```
    /// An alert writes other series:
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0 unless on() ALERTS{alertname="Down", instance="a"}
    /// ```
    "G003" "dependency-cycle" Warning, Proven, fix: Never, Set(look)
}

fn look(set: &RuleSet<'_>, report: &mut Report<'_>) {
    // Names in the order of the files, so that the outcome is always the same.
    let mut names: Vec<&str> = Vec::new();
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    for (_, _, rule) in set.rules() {
        let name = rule.name.value.as_str();
        if set.recorders.contains_key(name) && !numbers.contains_key(name) {
            numbers.insert(name, names.len());
            names.push(name);
        }
    }
    let reads = |name: &str| {
        let rules = set.recorders.get(name).into_iter().flatten();
        let exprs = rules.filter_map(|at| Some(set.rule(*at).query.as_ref()?.expr()));
        let read = exprs.flat_map(|expr| read_names(expr).map(|(name, _)| name).collect::<Vec<_>>());
        let mut read: Vec<usize> = read.filter_map(|name| numbers.get(name).copied()).collect();
        read.sort_unstable();
        read.dedup();
        read
    };
    let edges: Vec<Vec<usize>> = names.iter().map(|name| reads(name)).collect();
    for members in cycles(&edges) {
        let Some(first) = members.first().copied() else { continue };
        let Some(at) = set.recorders.get(names[first]).and_then(|rules| rules.first()).copied() else {
            continue;
        };
        let rule = set.rule(at);
        let itself = members.len() == 1;
        let message = match itself {
            true => format!("`{}` reads what it records", names[first]),
            false => {
                let all: Vec<String> = members.iter().map(|at| format!("`{}`", names[*at])).collect();
                format!("these feed each other: {}", all.join(", "))
            }
        };
        let span = rule.name.span.clone();
        let finding = report.in_file(at.file, Some((at.group, at.rule)), span, message);
        finding.help("compute all of it from what is scraped");
        if itself {
            finding.severity(Severity::Info);
            finding.help("fine to add something up, as long as no evaluation is missed");
        }
    }
}

/// The groups of nodes of a graph from each of which all others of the group are reached, without those of
/// one node that has no edge to itself. Tarjan's algorithm, with a stack of its own.
fn cycles(edges: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut index: Vec<Option<usize>> = vec![None; edges.len()];
    let mut low = vec![0; edges.len()];
    let mut is_open = vec![false; edges.len()];
    let (mut open, mut found, mut count) = (Vec::new(), Vec::new(), 0);
    for root in 0..edges.len() {
        let mut path = vec![(root, 0)];
        while let Some((node, next)) = path.pop() {
            if next == 0 {
                if index[node].is_some() {
                    continue;
                }
                index[node] = Some(count);
                low[node] = count;
                count += 1;
                open.push(node);
                is_open[node] = true;
            } else {
                low[node] = low[node].min(low[edges[node][next - 1]]);
            }
            let step = (next..edges[node].len()).find(|at| match index[edges[node][*at]] {
                None => true,
                Some(other) => {
                    if is_open[edges[node][*at]] {
                        low[node] = low[node].min(other);
                    }
                    false
                }
            });
            if let Some(at) = step {
                path.push((node, at + 1));
                path.push((edges[node][at], 0));
                continue;
            }
            if Some(low[node]) == index[node] {
                let from = open.iter().rposition(|other| *other == node).unwrap_or(open.len());
                let mut members: Vec<usize> = open.split_off(from);
                members.iter().for_each(|member| is_open[*member] = false);
                members.sort_unstable();
                if members.len() > 1 || edges[node].contains(&node) {
                    found.push(members);
                }
            }
        }
    }
    found.sort();
    found
}
