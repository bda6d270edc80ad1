//! Coverage: which rules, and which parts of them, tests exercise.
//!
//! ```text
//!  PreparedRule ──points──► Points: what there is to exercise
//!                             ▲
//!  cycle of a test ──observe──┘ counts ──merge──► Coverage ──► percentages, excerpts, lcov
//! ```
//!
//! A rule has points: that it gives something, that its alert fires and ends, that a comparison is
//! true and that it is false, that a matcher leaves out a series. A test exercises a point when that
//! happens at one of the evaluations of the rule. Coverage is how many of the points are exercised.
//!
//! | file | holds |
//! |---|---|
//! | `kinds.rs` | the kinds of points, one row for each |
//! | `points.rs` | which points a rule has |
//! | `probe.rs` | whether an evaluation exercised one |
//! | `observe.rs` | the counts of one run |
//! | `places.rs` | where points stand in their file |
//! | `lcov.rs` | coverage in the format of lcov |
//!
//! Nothing of this costs anything unless it is asked for: a run that is observed evaluates each
//! expression a second time, with its parts [kept](promql_engine::evaluate_with_parts), and never
//! skips one because there are no series for it.
//!
//! ```
//! use std::sync::Arc;
//! use promql_rules::coverage::Coverage;
//! use promql_rules::evaluate::PreparedFile;
//! use promql_rules::unit_test::{RunOptions, UnitTestFile, run};
//!
//! let rules = "groups: [{name: g, rules: [{record: many, expr: m > 2}]}]";
//! let Ok(rules) = PreparedFile::load("rules.yml", rules.as_bytes(), &Default::default()) else {
//!     panic!("the rules are fine");
//! };
//! let rules = [Arc::new(rules)];
//! let tests = "tests: [{input_series: [{series: m, values: 3}]}]";
//! let file = UnitTestFile::read("tests.yml", tests.as_bytes()).file.unwrap();
//! let outcome = run(&file, 0, &rules, &RunOptions { coverage: true, ..RunOptions::default() });
//! let mut coverage = Coverage::default();
//! coverage.add(&rules, &outcome.coverage.unwrap());
//! let file = coverage.files().next().unwrap();
//! let missing = file.rules().into_iter().flat_map(|rule| rule.points);
//! let missing: Vec<_> = missing.filter(|point| point.count == 0).collect();
//! assert_eq!(missing.len(), 1);
//! assert_eq!(missing[0].kind.name(), "false");
//! assert_eq!(coverage.total().percent(), 80.0);
//! ```

mod kinds;
mod lcov;
mod observe;
mod places;
mod points;
mod probe;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

pub use kinds::PointKind;
pub use lcov::lcov;
pub(crate) use observe::{Branched, Observer};
pub(crate) use points::{Points, points};

use crate::evaluate::{PreparedFile, PreparedRule};
pub(crate) use places::Places;
pub(crate) use points::Place;
use points::Point;

/// How often the points of a rule were exercised.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleCounts {
    /// At how many evaluations each of its points was; for what happens to alerts, how often that
    /// did.
    counts: Vec<u64>,
    /// How long an alert was pending at most, in milliseconds.
    longest_pending: i64,
    /// How long an alert fired on after its condition had ended, likewise.
    longest_kept: i64,
}

impl RuleCounts {
    /// Adds what another run counted.
    fn merge(&mut self, other: &RuleCounts) {
        self.counts.resize(self.counts.len().max(other.counts.len()), 0);
        self.counts.iter_mut().zip(&other.counts).for_each(|(a, b)| *a += b);
        self.longest_pending = self.longest_pending.max(other.longest_pending);
        self.longest_kept = self.longest_kept.max(other.longest_kept);
    }
}

/// What one test exercised.
#[derive(Clone, Debug, Default)]
pub struct TestCoverage {
    /// The rules, each by its file as a position among those that the test was run with, its group
    /// and its position in the group.
    pub(crate) rules: Vec<((usize, usize, usize), RuleCounts)>,
}

/// What tests exercised.
#[derive(Debug, Default)]
pub struct Coverage {
    files: BTreeMap<String, FileCoverage>,
}

/// What tests exercised of a rule file.
#[derive(Debug)]
pub struct FileCoverage {
    /// The file.
    pub file: Arc<PreparedFile>,
    counts: BTreeMap<(usize, usize), RuleCounts>,
}

/// What tests exercised of a rule.
#[derive(Clone, Debug)]
pub struct RuleCoverage {
    /// The rule.
    pub rule: Arc<PreparedRule>,
    /// All of it, in bytes of its file.
    pub span: Range<usize>,
    /// Its points, in the order of the file.
    pub points: Vec<PointCoverage>,
}

/// How a point was exercised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointCoverage {
    /// What it is.
    pub kind: PointKind,
    /// Where it is, in bytes of the file of its rule.
    pub span: Range<usize>,
    /// How often it was exercised: the evaluations, alerts or expansions that did.
    pub count: u64,
    /// What is missing, in a few words, if it never was.
    pub missing: Option<String>,
    /// Whether that follows from another point that was not exercised: in a part that never had a
    /// series nothing else can be.
    pub is_implied: bool,
}

/// How many points there are, and how many of them were exercised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All points.
    pub points: usize,
    /// Those that were exercised.
    pub exercised: usize,
}

impl Tally {
    /// The exercised points in percent, cut (not rounded) to a tenth, so that 100 means all of them.
    /// Where there are no points all are exercised.
    pub fn percent(self) -> f64 {
        match self.points {
            0 => 100.0,
            points => (self.exercised * 1000 / points) as f64 / 10.0,
        }
    }
}

impl std::iter::Sum for Tally {
    fn sum<I: Iterator<Item = Tally>>(tallies: I) -> Tally {
        tallies.fold(Tally::default(), |a, b| Tally {
            points: a.points + b.points,
            exercised: a.exercised + b.exercised,
        })
    }
}

impl Coverage {
    /// Counts a rule file whose rules are to be exercised, whether a test names it or not.
    pub fn include(&mut self, file: &Arc<PreparedFile>) {
        self.file(file);
    }

    /// Adds what a test exercised that was run with these rule files.
    pub fn add(&mut self, rules: &[Arc<PreparedFile>], test: &TestCoverage) {
        rules.iter().for_each(|file| self.include(file));
        for ((file, group, rule), counts) in &test.rules {
            if let Some(file) = rules.get(*file) {
                self.file(file).counts.entry((*group, *rule)).or_default().merge(counts);
            }
        }
    }

    fn file(&mut self, file: &Arc<PreparedFile>) -> &mut FileCoverage {
        let new = || FileCoverage { file: Arc::clone(file), counts: BTreeMap::new() };
        self.files.entry(file.file.name.clone()).or_insert_with(new)
    }

    /// The rule files, by their names.
    pub fn files(&self) -> impl ExactSizeIterator<Item = &FileCoverage> {
        self.files.values()
    }

    /// The points of all files.
    pub fn total(&self) -> Tally {
        self.files().map(FileCoverage::tally).sum()
    }
}

impl FileCoverage {
    /// The rules of the file, in order. Rules without an expression of PromQL are not among them.
    pub fn rules(&self) -> Vec<RuleCoverage> {
        let rules = self.file.groups.iter().flat_map(|group| &group.rules);
        rules.filter_map(|rule| self.rule(rule)).collect()
    }

    fn rule(&self, prepared: &Arc<PreparedRule>) -> Option<RuleCoverage> {
        let group = self.file.file.groups.get(prepared.group)?;
        let rule = group.rules.get(prepared.rule)?;
        let none = RuleCounts::default();
        let counts = self.counts.get(&(prepared.group, prepared.rule)).unwrap_or(&none);
        let places = Places::new(&self.file.file, group, rule);
        let points = &prepared.points().points;
        let is_missing = |at: usize| counts.counts.get(at).copied().unwrap_or(0) == 0;
        let covered = points.iter().enumerate().map(|(at, point)| PointCoverage {
            kind: point.kind,
            span: places.span(&point.place),
            count: counts.counts.get(at).copied().unwrap_or(0),
            missing: is_missing(at).then(|| missing(points, at, prepared, counts)),
            is_implied: is_missing(at) && is_implied(points, at, is_missing),
        });
        Some(RuleCoverage {
            rule: Arc::clone(prepared),
            span: rule.span.clone(),
            points: covered.collect(),
        })
    }

    /// The points of all rules.
    pub fn tally(&self) -> Tally {
        self.rules().iter().map(RuleCoverage::tally).sum()
    }
}

impl RuleCoverage {
    /// Its points.
    pub fn tally(&self) -> Tally {
        let exercised = self.points.iter().filter(|point| point.count > 0).count();
        Tally { points: self.points.len(), exercised }
    }
}

/// What is said of a point that was not exercised.
fn missing(points: &[Point], at: usize, rule: &PreparedRule, counts: &RuleCounts) -> String {
    let point = &points[at];
    let shown = |milliseconds: i64| {
        promql_model::FormatDuration(milliseconds.saturating_mul(1_000_000)).to_string()
    };
    let RuleCounts { longest_pending, longest_kept, .. } = *counts;
    let waited = |field: &str, whole: i64, longest: i64| {
        let missing = point.kind.missing();
        let (whole, longest) = (shown(whole), shown(longest));
        format!("{missing}: `{field}` of {whole} was not waited out ({longest} at most)")
    };
    match point.kind {
        PointKind::Fires if longest_pending > 0 => waited("for", rule.hold, longest_pending),
        PointKind::Resolves if longest_kept > 0 => {
            waited("keep_firing_for", rule.keep_firing_for, longest_kept)
        }
        PointKind::Selects => match too_strict(points, at, rule, counts) {
            Some(matcher) => format!("{}: `{matcher}` let none pass", point.kind.missing()),
            None => point.kind.missing().to_owned(),
        },
        kind => kind.missing().to_owned(),
    }
}

/// The matcher that alone keeps a selector from finding anything, if there is one.
fn too_strict(
    points: &[Point],
    selector: usize,
    rule: &PreparedRule,
    counts: &RuleCounts,
) -> Option<String> {
    let is_its = |(at, point): &(usize, &Point)| {
        point.kind == PointKind::Excludes
            && point.extent == points[selector].extent
            && counts.counts.get(*at).is_some_and(|count| *count > 0)
    };
    let (_, point) = points.iter().enumerate().find(is_its)?;
    let Place::Expression(place) = &point.place else { return None };
    let text = rule.query.expr().source().get(place.clone())?;
    Some(String::from_utf8_lossy(text).into_owned())
}

/// Whether a point can't have been exercised, since another one was not: none of a rule that is
/// not evaluated, nothing of an alert without a result, nothing that needs a series where no selector
/// found one.
fn is_implied(points: &[Point], at: usize, is_missing: impl Fn(usize) -> bool) -> bool {
    let point = &points[at];
    let lacks = |kind: PointKind| {
        let at = points.iter().position(|other| other.kind == kind);
        at.is_some_and(&is_missing)
    };
    let without =
        |kinds: &[PointKind]| kinds.iter().any(|kind| *kind != point.kind && lacks(*kind));
    if without(&[PointKind::Evaluated]) {
        return true;
    }
    match (&point.place, &point.extent) {
        (Place::Expression(_), Some(extent)) => {
            let holds = |part: &Point| {
                let inner = part.extent.as_ref();
                inner.is_some_and(|inner| extent.start <= inner.start && inner.end <= extent.end)
            };
            let has_nothing = |(other, part): (usize, &Point)| {
                other != at && part.kind == PointKind::Selects && holds(part) && is_missing(other)
            };
            // What the outermost operation lacks is why there is no result.
            let is_reason = |(other, part): (usize, &Point)| {
                let reasons = [
                    PointKind::True,
                    PointKind::Pairs,
                    PointKind::AndKeeps,
                    PointKind::UnlessKeeps,
                    PointKind::Absent,
                    PointKind::Value,
                ];
                reasons.contains(&part.kind) && part.extent == point.extent && is_missing(other)
            };
            let mut others = points.iter().enumerate();
            match point.kind {
                PointKind::Selects => false,
                PointKind::Result if others.any(is_reason) => true,
                _ => points.iter().enumerate().any(has_nothing),
            }
        }
        _ => match point.kind {
            PointKind::Evaluated => false,
            PointKind::Pending | PointKind::Fires => without(&[PointKind::Result]),
            PointKind::Taken | PointKind::NotTaken => {
                // Annotations are expanded when a test expects the alert.
                let is_label = matches!(point.place, Place::Label(..));
                let needed = if is_label { PointKind::Result } else { PointKind::Expected };
                without(&[needed])
            }
            _ => without(&[PointKind::Result, PointKind::Fires]),
        },
    }
}
