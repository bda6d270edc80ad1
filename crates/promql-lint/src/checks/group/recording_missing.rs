//! `recording-missing` (G005).

use std::collections::BTreeSet;

use promql_rules::rule_file::RuleKind;
use promql_rules::yaml;

use crate::check::declare_check;
use crate::context::RuleSet;
use crate::finding::{Edit, Report, Safety};

declare_check! {
    /// Finds a metric with a colon in its name that no rule records, while others with the same front are
    /// recorded.
    ///
    /// ## Why it matters
    /// Only rules record such names, so it is misspelt, or the rule is gone. It is presumed that all rules of the
    /// server are looked at together.
    ///
    /// ## Examples
    /// ```yaml bad
    /// - record: job:errors:rate5m
    ///   expr: sum by (job) (rate(errors_total[5m]))
    /// - alert: Failing
    ///   expr: job:errors:rate1h > 1
    ///         ^^^^^^^^^^^^^^^^^ no rule records `job:errors:rate1h`
    /// ```
    /// ```yaml fixed
    /// - record: job:errors:rate5m
    ///   expr: sum by (job) (rate(errors_total[5m]))
    /// - alert: Failing
    ///   expr: job:errors:rate5m > 1
    /// ```
    /// ```yaml bad
    /// - record: job:requests:rate5m
    ///   expr: sum by (job) (rate(requests_total[5m]))
    /// - alert: Busy
    ///   expr: sum(job:request:rate5m) > 100
    ///             ^^^^^^^^^^^^^^^^^^ no rule records `job:request:rate5m`
    /// ```
    /// ```yaml fixed
    /// - record: job:requests:rate5m
    ///   expr: sum by (job) (rate(requests_total[5m]))
    /// - alert: Busy
    ///   expr: sum(job:requests:rate5m) > 100
    /// ```
    /// ```yaml bad
    /// # file: a.yml
    /// groups:
    /// - name: a
    ///   rules:
    ///   - {record: 'shop:orders:sum', expr: sum(orders)}
    /// # file: b.yml
    /// groups:
    /// - name: b
    ///   rules:
    ///   - {alert: NoOrders, expr: 'absent(shop:order:sum)'}
    ///                                     ^^^^^^^^^^^^^^ no rule records `shop:order:sum`
    /// ```
    /// ```yaml fixed
    /// # file: a.yml
    /// groups:
    /// - name: a
    ///   rules:
    ///   - {record: 'shop:orders:sum', expr: sum(orders)}
    /// # file: b.yml
    /// groups:
    /// - name: b
    ///   rules:
    ///   - {alert: NoOrders, expr: 'absent(shop:orders:sum)'}
    /// ```
    /// ```yaml good
    /// - record: job:errors:rate5m
    ///   expr: sum by (job) (rate(errors_total[5m]))
    /// - alert: Failing
    ///   expr: job:errors:rate5m > 1
    /// ```
    /// Some exporters have colons, mostly at the front:
    /// ```yaml good
    /// - record: job:errors:rate5m
    ///   expr: sum by (job) (rate(errors_total[5m]))
    /// - alert: Failing
    ///   expr: :vendor:metric > 1
    /// ```
    /// Nothing with this front is recorded here, so it may come from elsewhere:
    /// ```yaml good
    /// - record: job:errors:rate5m
    ///   expr: sum by (job) (rate(errors_total[5m]))
    /// - alert: Failing
    ///   expr: cluster:errors:rate5m > 1
    /// ```
    "G005" "recording-missing" Warning, Presumed, fix: Unsafe, Set(look)
}

fn look(set: &RuleSet<'_>, report: &mut Report<'_>) {
    let front = |name: &str| name.split_once(':').map(|(front, _)| front.to_owned());
    let fronts: BTreeSet<String> = set.recorders.keys().filter_map(|name| front(name)).collect();
    // What went with the change that is looked at, `removed-rule-still-used` tells.
    let removed = super::removed_rule_still_used::removed(set);
    let mut missing: Vec<&str> = set
        .readers
        .keys()
        .copied()
        .filter(|name| !set.recorders.contains_key(name))
        .filter(|name| !removed.contains_key(&(RuleKind::Recording, name)))
        .filter(|name| front(name).is_some_and(|front| !front.is_empty() && fronts.contains(&front)))
        .collect();
    missing.sort_unstable();
    let mut recorded: Vec<&str> = set.recorders.keys().copied().filter(|name| name.contains(':')).collect();
    recorded.sort_unstable();
    for name in missing {
        let same_front: Vec<&str> =
            recorded.iter().copied().filter(|known| front(known) == front(name)).collect();
        let like = yaml::like(name, &same_front);
        for (at, span) in set.readers.get(name).into_iter().flatten() {
            let context = set.rule_context(*at);
            let Some(expr) = crate::context::ExprContext::new(context) else { continue };
            let source = expr.source(*span);
            let start = span.start + source.find(name).map_or(0, |at| at as u32);
            let place = expr.place(promql_syntax::Span::new(start, start + name.len() as u32));
            let finding = report.in_file(
                at.file,
                Some((at.group, at.rule)),
                place.clone(),
                format!("no rule records `{name}`"),
            );
            match like {
                Some(like) => {
                    let edit = Edit { span: place, text: like.to_owned() };
                    finding
                        .help(format!("did you mean `{like}`?"))
                        .fix(Safety::Unsafe, format!("read `{like}`"), Some(vec![edit]));
                }
                None => {
                    finding.help("record it, or look at the files that do together with this one");
                }
            }
        }
    }
}
