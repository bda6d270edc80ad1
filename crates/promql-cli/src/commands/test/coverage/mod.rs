//! `--coverage`: what the unit tests exercise of the rules.

mod excerpt;
mod json;
mod listing;
mod summary;

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueHint};
use promql_rules::coverage::{Coverage, PointCoverage, RuleCoverage, lcov};
use promql_rules::evaluate::PreparedFile;
use promql_rules::rule_file::RuleKind;

use super::Stop;
use super::run::{Outcome, State};
use super::table::Look;
use super::unit::RuleCache;
use crate::console::{Console, OutputError};
use crate::inputs::InputError;
use crate::{paths, report as diagnostics};

pub(super) use json::CoverageEntry;

/// What is asked for about coverage. Each of these asks for coverage.
#[derive(Debug, Args)]
#[command(next_help_heading = "Coverage")]
pub struct CoverageArgs {
    /// Also say which rules, and which parts of them, the unit tests exercise
    #[arg(long)]
    pub coverage: bool,
    /// The same, with the rule files line by line: how often, and what is missing
    #[arg(long)]
    pub coverage_listing: bool,
    /// Fail if less than this many percent of the points are exercised
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub coverage_min: Option<f64>,
    /// Count these rule files, too, whether a test names them or not; may be given several times
    #[arg(long, value_name = "FILE|FOLDER|GLOB", value_hint = ValueHint::AnyPath)]
    pub coverage_rules: Vec<String>,
    /// Also write coverage in the format of lcov
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub coverage_lcov: Option<PathBuf>,
}

/// A number from 0 to 100, with a percent sign or without.
fn percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text).trim().parse::<f64>();
    match number {
        Ok(number) if (0.0..=100.0).contains(&number) => Ok(number),
        _ => Err("write a number from 0 to 100".to_owned()),
    }
}

impl CoverageArgs {
    /// Whether coverage is asked for.
    pub(super) fn is_wanted(&self) -> bool {
        self.coverage
            || self.coverage_listing
            || self.coverage_min.is_some()
            || self.coverage_lcov.is_some()
            || !self.coverage_rules.is_empty()
    }

    /// Adds up what was exercised.
    ///
    /// # Errors
    /// When a rule file that is to be counted can't be used.
    pub(super) fn collect(
        &self,
        outcomes: &[Outcome],
        rules: &RuleCache,
        console: &Console,
    ) -> Result<Coverage, Stop> {
        let mut coverage = Coverage::default();
        for outcome in outcomes {
            let State::UnitTests(run) = &outcome.state else { continue };
            run.rules.iter().for_each(|file| coverage.include(file));
            for test in run.outcomes.iter().flatten() {
                test.coverage.iter().for_each(|test| coverage.add(&run.rules, test));
            }
        }
        for file in self.included(rules, console)? {
            coverage.include(&file);
        }
        Ok(coverage)
    }

    /// The files of `--coverage-rules`.
    fn included(
        &self,
        rules: &RuleCache,
        console: &Console,
    ) -> Result<Vec<Arc<PreparedFile>>, Stop> {
        let mut files = Vec::new();
        for argument in &self.coverage_rules {
            for path in paths::rule_files(argument)? {
                match rules.load(&path) {
                    Ok(file) => files.push(file),
                    Err(fault) => {
                        for located in fault.located() {
                            console.remark(&diagnostics::draw(&located, console));
                        }
                        let name = path.display();
                        return Err(Stop::Usage(format!("the rules of {name} can't be used")));
                    }
                }
            }
        }
        Ok(files)
    }

    /// Whether less is exercised than is asked for, and what is said then.
    pub(super) fn shortfall(&self, coverage: &Coverage) -> Option<String> {
        let (total, wanted) = (coverage.total(), self.coverage_min?);
        (total.percent() < wanted).then(|| {
            format!(
                "{} of {} points are exercised ({:.1}%), and at least {wanted}% are asked for",
                total.exercised,
                total.points,
                total.percent(),
            )
        })
    }

    /// Writes the file of `--coverage-lcov`.
    ///
    /// # Errors
    /// When it can't be written.
    pub(super) fn write(&self, coverage: &Coverage) -> Result<(), InputError> {
        let Some(path) = &self.coverage_lcov else { return Ok(()) };
        std::fs::write(path, lcov(coverage))
            .map_err(|error| InputError::Write { path: path.clone(), error })
    }

    /// Tells what was exercised: what is missing, and a table of the files.
    ///
    /// # Errors
    /// When standard output can't be written.
    pub(super) fn tell(
        &self,
        coverage: &Coverage,
        look: &Look,
        console: &Console,
    ) -> Result<(), OutputError> {
        console.print("\n")?;
        for file in coverage.files() {
            let rules = file.rules();
            if self.coverage_listing {
                console.print(&listing::listing(&file.file.file, &rules, look))?;
                continue;
            }
            for rule in &rules {
                let text = excerpt::excerpt(&file.file.file, rule, look);
                if !text.is_empty() {
                    console.print(&format!("{text}\n"))?;
                }
            }
        }
        console.print(&summary::summary(coverage, look))?;
        match self.shortfall(coverage) {
            Some(text) => console.print(&summary::failed(&text, look)),
            None => Ok(()),
        }
    }
}

/// `alert FewOrders`
fn title(rule: &RuleCoverage) -> String {
    let kind = match rule.rule.kind {
        RuleKind::Alerting => "alert",
        RuleKind::Recording => "rule",
    };
    format!("{kind} {}", rule.rule.name)
}

/// The points that say something about what is missing: by their places, each with all that is
/// missing there.
fn missing(rule: &RuleCoverage) -> Vec<(std::ops::Range<usize>, String)> {
    let is_told = |point: &&PointCoverage| !point.is_implied;
    let mut all: Vec<(std::ops::Range<usize>, String)> = Vec::new();
    for point in rule.points.iter().filter(is_told) {
        let Some(text) = &point.missing else { continue };
        match all.iter_mut().find(|(span, _)| *span == point.span) {
            Some((_, known)) => known.push_str(&format!("; {text}")),
            None => all.push((point.span.clone(), text.clone())),
        }
    }
    all.sort_by_key(|(span, _)| (span.start, span.end));
    all
}

/// The bytes of the lines that a place is on, without the last line feed.
fn lines_of(text: &str, span: &std::ops::Range<usize>) -> std::ops::Range<usize> {
    let bytes = text.as_bytes();
    let start = span.start.min(bytes.len());
    let end = span.end.clamp(start, bytes.len());
    let from = memchr::memrchr(b'\n', &bytes[..start]).map_or(0, |at| at + 1);
    let to = memchr::memchr(b'\n', &bytes[end..]).map_or(bytes.len(), |at| end + at);
    from..to
}
