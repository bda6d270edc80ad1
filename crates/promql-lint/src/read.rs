//! From what is wrong with a file to findings.
//!
//! The reader of rule files knows all that a server would refuse. Here each of its codes becomes a
//! finding of a check.

use std::sync::Arc;

use promql_rules::format::is_dashboard;
use promql_rules::rule_file::{Dialect, LoadOptions, RuleFile};

use crate::check::{Check, Severity};
use crate::checks::dashboard::dashboard_invalid;
use crate::checks::{by_code, compat};
use crate::context::LintedFile;
use crate::dashboard;
use crate::finding::{Finding, Report};
use crate::run::Input;
use crate::settings::Settings;

/// Which check a code of the reader belongs to. What is not here is said by `promql check` alone.
const CODES: &[(&str, &str)] = &[
    ("yaml::not-utf8", "E001"),
    ("yaml::syntax", "E002"),
    ("yaml::chart", "E002"),
    ("yaml::recursive-alias", "E002"),
    ("yaml::too-large", "E002"),
    ("yaml::unknown-anchor", "E002"),
    ("yaml::version", "E002"),
    ("yaml::bad-merge", "E002"),
    ("yaml::unknown-key", "E003"),
    ("rules::no-name", "E005"),
    ("rules::two-names", "E005"),
    ("rules::no-expression", "E005"),
    ("rules::no-group-name", "E005"),
    ("rules::field-of-alerts", "E006"),
    ("yaml::duplicate-key", "E007"),
    ("rules::repeated-group", "E008"),
    ("rules::bad-metric-name", "E009"),
    ("rules::bad-label-name", "E009"),
    ("rules::bad-annotation-name", "E009"),
    ("rules::braces-in-name", "E009"),
    ("yaml::bad-duration", "E010"),
    ("promql::wrong-type", "E012"),
    ("promql::bool-without-comparison", "E012"),
    ("promql::scalar-comparison", "E012"),
    ("promql::label-in-on-and-group", "E012"),
    ("promql::matching-on-scalar", "E012"),
    ("promql::grouping-on-set", "E012"),
    ("promql::fill-on-set", "E012"),
    ("promql::set-on-scalar", "E012"),
    ("promql::argument-count", "E012"),
    ("promql::info-needs-labels", "E012"),
    ("rules::no-vector", "E012"),
    ("promql::bad-regex", "E013"),
    ("promql::feature-disabled", "V002"),
    ("rules::several-documents", "E014"),
    ("yaml::wrong-kind", "E015"),
    ("yaml::empty-item", "E015"),
    ("rules::negative", "E015"),
    ("rules::bad-strategy", "E015"),
    ("rules::offset-and-delay", "E015"),
    ("rules::repeated-rule", "E015"),
    ("rules::manifest", "E015"),
    ("rules::no-manifest", "E015"),
    ("rules::bad-template", "T003"),
    ("rules::no-template", "T014"),
    ("rules::dialect", "V009"),
];

/// The check of a code of the reader.
fn check_of(finding: &promql_rules::Finding) -> Option<&'static Check> {
    let code = match CODES.iter().find(|(code, _)| *code == finding.code) {
        Some((_, code)) => code,
        None if compat::removed_function::is_one(&finding.message) => "V001",
        None if finding.code.starts_with("promql::") => "E011",
        None => return None,
    };
    by_code(code)
}

/// Reads a file, with what is wrong with it.
pub(crate) fn read(
    number: usize,
    input: Input,
    settings: &Arc<Settings>,
) -> (LintedFile, Vec<Finding>) {
    let settings = input.settings.unwrap_or_else(|| Arc::clone(settings));
    let path = input.path.unwrap_or_else(|| input.name.clone());
    if let Ok(text) = std::str::from_utf8(&input.text)
        && is_dashboard(text)
        && let Some((rules, dashboard)) = dashboard::read(&input.name, text)
    {
        let dashboard = Some(dashboard);
        let before = None;
        return (LintedFile { number, rules, dashboard, settings, path, before }, Vec::new());
    }
    if let Ok(text) = std::str::from_utf8(&input.text)
        && let Some((place, message)) = dashboard_invalid::judge(&input.name, text)
    {
        let mut findings = Vec::new();
        let report = &mut Report::new(&dashboard_invalid::CHECK, number, None, &mut findings);
        report.at(place, message).help("save the dashboard anew from Grafana, as JSON");
        let rules = RuleFile {
            name: input.name,
            text: text.into(),
            dialect: Dialect::Prometheus,
            groups: Vec::new(),
        };
        let (dashboard, before) = (None, None);
        return (LintedFile { number, rules, dashboard, settings, path, before }, findings);
    }
    let options = LoadOptions { keep_queries: true, ..input.options };
    let loaded = RuleFile::load(&input.name, &input.text, &options);
    // What was wrong with the file before the change is no matter.
    let before =
        input.before.map(|text| Box::new(RuleFile::load(&input.name, &text, &options).file));
    let (rules, dashboard) = (loaded.file, None);
    let file = LintedFile { number, rules, dashboard, settings, path, before };
    let mut findings = Vec::new();
    for found in loaded.findings {
        let Some(mut check) = check_of(&found) else { continue };
        let rule = rule_at(&file.rules, found.span.start);
        // A rule whose expression is of another language is told about once.
        if let (Some((group, rule)), "E011" | "E012") = (rule, check.code) {
            let expr = &file.rules.groups[group].rules[rule].expr.value;
            if compat::dialect_expression::language(expr).is_some() {
                check = by_code("V007").unwrap_or(check);
            }
        }
        if check.code == "V007"
            && findings.iter().any(|f: &Finding| (f.check, f.rule) == (check, rule))
        {
            continue;
        }
        let mut report = Report::new(check, number, rule, &mut findings);
        let finding = report.at(found.span.clone(), found.message);
        finding.severity = match found.severity {
            miette::Severity::Error => Severity::Error,
            miette::Severity::Warning => Severity::Warning,
            miette::Severity::Advice => Severity::Info,
        };
        finding.help = found.help.map(|help| help.into_owned());
        finding.label(found.label);
        if check.code == "V007" && finding.severity == Severity::Error {
            compat::dialect_expression::explain(finding, rule, &file.rules);
        }
    }
    (file, findings)
}

/// The rule in which a place of a file is: the numbers of its group and of it.
pub(crate) fn rule_at(file: &RuleFile, at: usize) -> Option<(usize, usize)> {
    let group = file.groups.partition_point(|group| group.span.start <= at).checked_sub(1)?;
    let rules = &file.groups[group].rules;
    let rule = rules.partition_point(|rule| rule.span.start <= at).checked_sub(1)?;
    (at <= rules[rule].span.end).then_some((group, rule))
}
