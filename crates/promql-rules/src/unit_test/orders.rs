//! In which order the groups of rules are evaluated, and whether that matters.
//!
//! promtool sorts groups by their place in `group_eval_order`; those that are not named there have the
//! place of the first one, and those of one place come in any order, another one each time. Here the
//! named groups come first and then the others as they stand in the files. A server has no order at
//! all: there a group may read what another one wrote at this time or the last.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use promql_model::MatchOp;
use promql_storage::fixture::LoadedSeries;

use super::run::{Runner, first_line};
use super::{AlertVerdict, ExpressionVerdict, Outcome, RunOptions, TestGroup, UnitTestFile};
use crate::evaluate::{PreparedFile, PreparedGroup, PreparedRule};
use crate::finding::Finding;
use crate::rule_file::RuleKind;

/// Groups in the order of their evaluation, each with its file.
pub(super) type Ordered<'a> = Vec<(usize, &'a PreparedGroup)>;

/// So many groups of an order are told.
const MOST_TOLD: usize = 12;

fn as_written(rules: &[Arc<PreparedFile>]) -> Ordered<'_> {
    let groups = rules.iter().enumerate();
    groups.flat_map(|(at, file)| file.groups.iter().map(move |group| (at, group))).collect()
}

/// Where a group is named in `group_eval_order`.
fn place(file: &UnitTestFile, group: &PreparedGroup) -> Option<usize> {
    file.group_eval_order.iter().position(|name| name.value == group.name)
}

/// The order in which groups are evaluated: those of `group_eval_order` first, then the others as they
/// stand in the files.
pub(super) fn given<'a>(file: &UnitTestFile, rules: &'a [Arc<PreparedFile>]) -> Ordered<'a> {
    let mut groups = as_written(rules);
    groups.sort_by_key(|(_, group)| place(file, group).unwrap_or(usize::MAX));
    groups
}

/// One of the orders that promtool may take; the same for the same number.
fn shuffled<'a>(file: &UnitTestFile, rules: &'a [Arc<PreparedFile>], number: u64) -> Ordered<'a> {
    let mut groups: Vec<_> = as_written(rules).into_iter().zip(0..).collect();
    groups.sort_by_cached_key(|((_, group), at)| {
        (place(file, group).unwrap_or(0), mixed(mixed(number) ^ at))
    });
    groups.into_iter().map(|(group, _)| group).collect()
}

/// A number in which all bits depend on all bits of another one: the finalizer of SplitMix64.
fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// A group that reads what a group behind it writes. Groups are positions in an order.
struct Early<'a> {
    reader: usize,
    writer: usize,
    metric: &'a str,
}

/// The groups that write the series of a name.
#[derive(Default)]
struct Writers<'a> {
    metrics: HashMap<&'a str, BTreeSet<usize>>,
    alerts: Vec<(&'a str, usize)>,
}

impl<'a> Writers<'a> {
    fn of(groups: &Ordered<'a>) -> Writers<'a> {
        let mut writers = Writers::default();
        for (at, (_, group)) in groups.iter().enumerate() {
            for rule in &group.rules {
                match rule.kind {
                    RuleKind::Recording => {
                        writers.metrics.entry(&rule.name).or_default().insert(at);
                    }
                    RuleKind::Alerting => writers.alerts.push((&rule.name, at)),
                }
            }
        }
        writers
    }

    /// The groups that a rule reads from, each with a name that it reads. A selector without a name of
    /// a metric reads anything, from which nothing follows.
    fn read_by(&self, rule: &PreparedRule) -> Vec<(usize, &'a str)> {
        let mut read = Vec::new();
        for reading in rule.readings() {
            let Some(metric) = &reading.metric else { continue };
            let mut add = |name: &'a str, groups: &BTreeSet<usize>| {
                read.extend(groups.iter().map(|group| (*group, name)));
            };
            match (metric.op(), std::str::from_utf8(metric.value())) {
                (MatchOp::Equal, Ok(name)) => {
                    if let Some((name, groups)) = self.metrics.get_key_value(name) {
                        add(name, groups);
                    }
                }
                _ => {
                    let all = self.metrics.iter();
                    all.filter(|(n, _)| metric.matches(n)).for_each(|(n, g)| add(n, g));
                }
            }
            if reading.reads_alerts() {
                let alerts = self.alerts.iter();
                let is_read = |name: &str| reading.alert.iter().all(|m| m.matches(name));
                read.extend(alerts.filter(|(n, _)| is_read(n)).map(|(n, group)| (*group, *n)));
            }
        }
        read
    }
}

/// The order in which groups come behind those that they read from, as far as that is possible, and
/// the first group that comes too early without it; nothing if none does.
fn by_dependency<'a>(groups: &Ordered<'a>) -> Option<(Ordered<'a>, Early<'a>)> {
    if groups.len() < 2 {
        return None;
    }
    let writers = Writers::of(groups);
    let mut needs: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); groups.len()];
    let mut early: Option<Early<'a>> = None;
    for (reader, (_, group)) in groups.iter().enumerate() {
        for (writer, metric) in group.rules.iter().flat_map(|rule| writers.read_by(rule)) {
            if writer != reader {
                needs[reader].insert(writer);
            }
            if writer > reader && early.is_none() {
                early = Some(Early { reader, writer, metric });
            }
        }
    }
    let early = early?;
    let mut waiting: Vec<usize> = (0..groups.len()).collect();
    let mut done: HashSet<usize> = HashSet::new();
    let mut order = Vec::with_capacity(groups.len());
    while !waiting.is_empty() {
        let is_ready = |at: &usize| needs[*at].iter().all(|group| done.contains(group));
        // Of those that read from each other in a circle the first one begins.
        let next = waiting.iter().position(is_ready).unwrap_or(0);
        let at = waiting.remove(next);
        done.insert(at);
        order.push(groups[at]);
    }
    Some((order, early))
}

/// What came of each test, which is what an order can change.
fn verdicts(outcome: &Outcome) -> Vec<bool> {
    let alerts = outcome.alerts.iter().map(|v| matches!(v, Some(AlertVerdict::Passed)));
    let expressions = outcome.expressions.iter();
    let expressions = expressions.map(|v| matches!(v, Some(ExpressionVerdict::Passed)));
    alerts.chain(expressions).collect()
}

/// A test with what it takes to run it again.
pub(super) struct Again<'a> {
    pub(super) file: &'a UnitTestFile,
    pub(super) number: usize,
    pub(super) rules: &'a [Arc<PreparedFile>],
    pub(super) options: &'a RunOptions,
    pub(super) series: &'a [LoadedSeries],
}

impl Again<'_> {
    fn test(&self) -> &TestGroup {
        &self.file.tests[self.number]
    }

    fn run(&self, order: Ordered<'_>) -> Outcome {
        let test = self.test();
        let mut outcome = Outcome::new(&test.alert_tests, &test.expression_tests);
        let series = self.series.to_vec();
        Runner::new(self.file, test, order, self.options, series).run(&mut outcome);
        outcome
    }

    fn finding(&self, code: &'static str, message: &str, label: String, help: String) -> Finding {
        Finding::error(code, test_name(self.file, self.test()), message, label, help)
    }

    /// That the test comes out differently if groups come behind those that they read from. Where
    /// `group_eval_order` says otherwise, that is only worth telling of a test that fails.
    pub(super) fn reads_early(&self, outcome: &Outcome) -> Option<Finding> {
        let groups = given(self.file, self.rules);
        let (order, early) = by_dependency(&groups)?;
        let ((_, reader), (_, writer)) = (groups[early.reader], groups[early.writer]);
        let is_meant = place(self.file, reader).is_some() && place(self.file, writer).is_some();
        if is_meant && outcome.is_passed() {
            return None;
        }
        let other = self.run(order);
        if self.options.cancellation.is_cancelled() || verdicts(&other) == verdicts(outcome) {
            return None;
        }
        let message = match (outcome.is_passed(), other.is_passed()) {
            (true, _) => "this test passes only because of the order of groups",
            (false, true) => "this test fails because of the order of groups",
            (false, false) => "more of this test passes in one order of groups than in another",
        };
        let label = format!(
            "group `{}` reads `{}`, which group `{}` writes after it",
            reader.name, early.metric, writer.name
        );
        let help = match is_meant {
            true => format!(
                "`group_eval_order` says so; name `{}` before `{}` if that isn't meant",
                writer.name, reader.name
            ),
            false => format!(
                "name both in `group_eval_order`, such as [{}, {}], as promtool takes the others in \
                 any order; or put the rules into one group",
                writer.name, reader.name
            ),
        };
        Some(self.finding("unit-test::group-order", message, label, help).warning())
    }

    /// That the test comes out differently in one of so many orders that promtool may take.
    pub(super) fn depends_on_order(&self, outcome: &Outcome, orders: u32) -> Option<Finding> {
        let same = |order: &Ordered<'_>| -> Vec<*const PreparedGroup> {
            order.iter().map(|(_, group)| std::ptr::from_ref(*group)).collect()
        };
        let mut known = HashSet::from([same(&given(self.file, self.rules))]);
        for number in 1..=u64::from(orders) {
            let order = shuffled(self.file, self.rules, number);
            if !known.insert(same(&order)) {
                continue;
            }
            let names: Vec<String> = order
                .iter()
                .take(MOST_TOLD)
                .map(|(_, group)| format!("`{}`", group.name))
                .collect();
            let more = order.len() - names.len();
            let other = self.run(order);
            if self.options.cancellation.is_cancelled() {
                return None;
            }
            let (now, then) = (verdicts(outcome), verdicts(&other));
            if now == then {
                continue;
            }
            let fewer = then.iter().filter(|passed| !**passed).count();
            let what = match fewer {
                0 => "all of it passes".to_owned(),
                _ => format!("{fewer} of {} fail", then.len()),
            };
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            return Some(self.finding(
                "unit-test::order-dependent",
                "the test comes out differently in another order of groups",
                format!("{what} with {}{more}", names.join(", ")),
                "name the groups whose order matters in `group_eval_order`, or put their rules into \
                 one group"
                    .to_owned(),
            ));
        }
        None
    }
}

/// The name of a test, or its first line.
pub(super) fn test_name(file: &UnitTestFile, test: &TestGroup) -> std::ops::Range<usize> {
    match &test.name {
        Some(name) if !name.is_empty() => name.span.clone(),
        _ => first_line(&file.text, test.span.clone()),
    }
}
