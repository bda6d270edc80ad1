//! All checks over all files.
//!
//! Files are read on several threads, then all rules are looked at on several threads, then the rules
//! together. What is found is put in order by place and code, so the outcome doesn't depend on the
//! number of threads.

use std::ops::Range;
use std::sync::Arc;

use promql_model::METRIC_NAME;
use promql_rules::format::DashboardVariable;
use promql_rules::rule_file::{LoadOptions, RuleFile};
use promql_syntax::Span;
use promql_syntax::ast::NodeKind;
use rayon::prelude::*;

use crate::check::{Look, Severity};
use crate::checks::CHECKS;
use crate::checks::compat::experimental_feature;
use crate::checks::live::feature_disabled;
use crate::context::{
    ExprContext, GroupContext, LintedFile, RuleContext, RuleRef, RuleSet, TargetContext,
};
use crate::finding::{Finding, Label, Report};
use crate::fingerprint;
use crate::live::{self, Live};
use crate::read;
use crate::settings::Settings;
use crate::suppress;
use crate::timings::{Clocks, Part, Timings};

/// A file to look at.
#[derive(Clone, Debug)]
pub struct Input {
    /// What it is called, usually its path.
    pub name: String,
    /// What is in it.
    pub text: Vec<u8>,
    /// How it is read.
    pub options: LoadOptions,
    /// What is configured for it, if that isn't what is for all.
    pub settings: Option<Arc<Settings>>,
    /// Its path as the configuration sees it, if it isn't the name.
    pub path: Option<String>,
    /// What was in the file before a change, if that is known: of a file that is gone, `text` is empty. Rules
    /// that went with the change and are read still are told about then.
    pub before: Option<Vec<u8>>,
}

impl Input {
    /// A file that is read as its keys tell.
    pub fn new(name: impl Into<String>, text: impl Into<Vec<u8>>) -> Input {
        let options = LoadOptions::default();
        let (name, text) = (name.into(), text.into());
        Input { name, text, options, settings: None, path: None, before: None }
    }
}

/// What was found.
#[derive(Debug)]
pub struct Outcome {
    /// The files, in the order in which they were given.
    pub files: Vec<FileOutcome>,
}

/// What was found in a file.
#[derive(Debug)]
pub struct FileOutcome {
    /// What it is called.
    pub name: String,
    /// Its path as the configuration sees it.
    pub path: String,
    /// What is in it. All places are bytes of this.
    pub text: Arc<str>,
    /// The file, as far as it could be read. Of a dashboard each query of a panel is a rule here.
    pub rules: RuleFile,
    /// Whether it is a dashboard.
    pub is_dashboard: bool,
    /// Whether it is a baseline, which is none of the files that were looked at.
    pub is_baseline: bool,
    /// What was found, in order of the places.
    pub findings: Vec<Finding>,
    /// How many findings comments keep from being told.
    pub suppressed: usize,
    /// What was configured for it.
    pub(crate) settings: Arc<Settings>,
}

/// So many rules at least are worth a thread.
const FEW_RULES: usize = 64;

/// Looks at files together, as one server evaluates them.
pub fn lint(inputs: Vec<Input>, settings: &Settings) -> Outcome {
    lint_live(inputs, settings, &[], None)
}

/// The same with servers that checks may ask, or with what is known of one; and with clocks, if somebody wants
/// to know how long checks take.
pub fn lint_live(
    mut inputs: Vec<Input>,
    settings: &Settings,
    servers: &[Live<'_>],
    timings: Option<&Timings>,
) -> Outcome {
    let clocks = Clocks(timings);
    let reach = servers.iter().map(live::Reach::of);
    let reach = reach.reduce(live::Reach::or).unwrap_or_default();
    let settings = Arc::new(settings.clone().reaching(reach));
    reach_with(&mut inputs, reach);
    let read = |(number, input): (usize, Input)| {
        clocks.part(Part::Reading, || read::read(number, input, &settings))
    };
    let loaded: Vec<(LintedFile, Vec<Finding>)> =
        inputs.into_par_iter().enumerate().map(read).collect();
    let (files, mut findings): (Vec<LintedFile>, Vec<Vec<Finding>>) = loaded.into_iter().unzip();
    for finding in look(&files, servers, clocks) {
        if let Some(of_file) = findings.get_mut(finding.file) {
            of_file.push(finding);
        }
    }
    let outcome = |(file, findings): (LintedFile, Vec<Finding>)| {
        clocks.part(Part::Settling, || settle(file, findings))
    };
    Outcome { files: files.into_par_iter().zip(findings).map(outcome).collect() }
}

/// What is told about a file, of what was found.
fn settle(file: LintedFile, mut findings: Vec<Finding>) -> FileOutcome {
    let settings = Arc::clone(&file.settings);
    let severity = |finding: &Finding| {
        settings.severity_at(finding.check, finding.severity, &file.place(finding.rule))
    };
    findings.retain(|finding| severity(finding).is_some());
    let place = |finding: &Finding| (finding.span().start, finding.span().end);
    let sort = |findings: &mut Vec<Finding>| {
        findings.sort_by(|a, b| (place(a), a.check.code).cmp(&(place(b), b.check.code)));
    };
    sort(&mut findings);
    let mut findings = without_echoes(findings);
    let suppressed = suppress::apply(file.number, &file.rules, &mut findings, &settings);
    findings.retain_mut(|finding| {
        let severity = severity(finding);
        finding.severity = severity.unwrap_or(finding.severity);
        severity.is_some()
    });
    sort(&mut findings);
    let is_dashboard = file.dashboard.is_some();
    let (path, rules) = (file.path, file.rules);
    fingerprint::mark(&mut findings, &path, &rules);
    let (name, text) = (rules.name.clone(), Arc::clone(&rules.text));
    let is_baseline = false;
    FileOutcome {
        name,
        path,
        text,
        rules,
        is_dashboard,
        is_baseline,
        findings,
        suppressed,
        settings,
    }
}

/// What the checks say that look at what could be read.
fn look(files: &[LintedFile], servers: &[Live<'_>], clocks: Clocks<'_>) -> Vec<Finding> {
    let set = clocks.part(Part::Indices, || RuleSet::new(files));
    // Checks of rules ask for each file; those of all files look if they do for one of them.
    let by_file: Vec<Vec<bool>> = files.iter().map(|file| switches(&file.settings)).collect();
    let is_on = |at: usize| by_file.iter().any(|switches| switches[at]);
    let places: Vec<RuleRef> = set.rules().map(|(at, _, _)| at).collect();
    let of_rules = |places: &[RuleRef]| {
        let mut findings = Vec::new();
        places
            .iter()
            .for_each(|at| look_at_rule(&set, *at, &by_file[at.file], &mut findings, clocks));
        findings
    };
    let mut findings: Vec<Finding> = places.par_chunks(FEW_RULES).flat_map_iter(of_rules).collect();
    for file in files.iter().filter(|file| file.dashboard.is_some()) {
        look_at_dashboard(&set, file, &by_file[file.number], &mut findings, clocks);
    }
    for file in files.iter().filter(|file| file.dashboard.is_none()) {
        for (number, group) in file.rules.groups.iter().enumerate() {
            let context = GroupContext { set: &set, file, group, number };
            let switches = CHECKS.iter().zip(&by_file[file.number]);
            for (at, (check, _)) in switches.enumerate().filter(|(_, (_, is_on))| **is_on) {
                if let Look::Group(look) = check.look {
                    let mut report = Report::new(check, file.number, None, &mut findings);
                    clocks.check(at, || look(&context, &mut report));
                }
            }
        }
    }
    for (at, check) in CHECKS.iter().enumerate().filter(|(at, _)| is_on(*at)) {
        if let Look::Set(look) = check.look {
            let mut report = Report::new(check, 0, None, &mut findings);
            clocks.check(at, || look(&set, &mut report));
        }
    }
    for live in servers {
        let looked = live::look(&set, &by_file, live);
        // What the server says is told by `feature-disabled`; what it may need nobody has to guess then.
        findings.retain(|finding| {
            let settings = &files[finding.file].settings;
            finding.check != &experimental_feature::CHECK
                || finding.severity == Severity::Error
                || settings.known().features.is_some()
                || !settings.is_on(&feature_disabled::CHECK)
                || !looked.with_features.contains(&finding.file)
        });
        findings.extend(looked.findings);
    }
    findings
}

/// Lets the settings of files know which checks can ask. Files that share them go on doing so.
fn reach_with(inputs: &mut [Input], reach: live::Reach) {
    let mut known: Vec<(Arc<Settings>, Arc<Settings>)> = Vec::new();
    for own in inputs.iter_mut().filter_map(|input| input.settings.as_mut()) {
        let found = known.iter().find(|(before, _)| Arc::ptr_eq(before, own));
        let new = match found {
            Some((_, new)) => Arc::clone(new),
            None => {
                let new = Arc::new((**own).clone().reaching(reach));
                known.push((Arc::clone(own), Arc::clone(&new)));
                new
            }
        };
        *own = new;
    }
}

/// Which checks look, by their places in [`CHECKS`].
fn switches(settings: &Settings) -> Vec<bool> {
    CHECKS.iter().map(|check| settings.is_on(check)).collect()
}

fn look_at_rule(
    set: &RuleSet<'_>,
    at: RuleRef,
    switches: &[bool],
    findings: &mut Vec<Finding>,
    clocks: Clocks<'_>,
) {
    let rule = set.rule_context(at);
    let expr = ExprContext::new(rule);
    if let (Clocks(Some(_)), Some(expr)) = (clocks, &expr) {
        // Else it would count for the first check that needs it.
        clocks.part(Part::Flow, || {
            let _ = expr.flows();
        });
    }
    for (number, (check, is_on)) in CHECKS.iter().zip(switches).enumerate() {
        let is_relevant = match check.look {
            Look::Rule(_) => true,
            Look::Expr(_) => expr.is_some(),
            _ => false,
        };
        if !is_relevant || !is_on {
            continue;
        }
        let mut report = Report::new(check, at.file, Some((at.group, at.rule)), findings);
        clocks.check(number, || match (check.look, &expr) {
            (Look::Rule(look), _) => look(&rule, &mut report),
            (Look::Expr(look), Some(expr)) => look(expr, &mut report),
            _ => {}
        });
    }
}

/// Checks of expressions that are about rules only.
const ONLY_RULES: &[&str] = &["C029", "C030", "K009", "P003", "P008"];

/// Checks of expressions that stand on what the flow knows, for which a variable that is the value of a label
/// can have any, and that don't ask how long a window is. The others would take what stands for a variable for
/// what is written.
const SEEING_THROUGH: &[&str] = &[
    "C001", "C002", "C003", "C004", "C005", "C006", "C008", "C009", "C010", "C013", "C014", "C016",
    "C018", "C019", "C020", "C021", "C022", "C024", "C025", "C026", "C027", "C032", "C033", "C034",
    "C035", "C037", "C043", "K002", "K003", "K004", "K005", "K006",
];

/// What the checks of expressions and of dashboards say about a dashboard. What a variable stands for is not
/// known, so what is said about it is left to the latter and to those that can do without.
fn look_at_dashboard(
    set: &RuleSet<'_>,
    file: &LintedFile,
    switches: &[bool],
    findings: &mut Vec<Finding>,
    clocks: Clocks<'_>,
) {
    let (Some(dashboard), Some(group)) = (&file.dashboard, file.rules.groups.first()) else {
        return;
    };
    let text = &*file.rules.text;
    for (number, target) in dashboard.targets.iter().enumerate() {
        let at = RuleRef { file: file.number, group: 0, rule: number };
        let Some(rule) = group.rules.get(number) else { continue };
        let rule = RuleContext { set, file, group, rule, at };
        let expr = ExprContext::new(rule);
        let context = TargetContext { expr: expr.as_ref(), target, dashboard, text };
        let hidden = expr.as_ref().and_then(|expr| hidden(expr, &target.uses));
        for (at_check, check) in CHECKS.iter().enumerate().filter(|(at, _)| switches[*at]) {
            let mut found = Vec::new();
            let mut report = Report::new(check, at.file, Some((0, number)), &mut found);
            let is_for_rules = ONLY_RULES.contains(&check.code)
                || !check.code.starts_with(['C', 'K', 'M', 'P', 'V']);
            match (check.look, &expr) {
                (Look::Target(look), _) => clocks.check(at_check, || look(&context, &mut report)),
                (Look::Expr(look), Some(expr)) if !is_for_rules => {
                    clocks.check(at_check, || look(expr, &mut report));
                    let sees_through = SEEING_THROUGH.contains(&check.code);
                    let is_opaque = |label: &Label| match hidden.as_ref().filter(|_| sees_through) {
                        Some(hidden) => hidden.iter().any(|place| {
                            place.start < label.span.end && label.span.start < place.end
                        }),
                        None => expr.has_variable(label.span.clone()),
                    };
                    found.retain(|finding| !finding.labels.iter().any(is_opaque));
                }
                _ => {}
            }
            findings.append(&mut found);
        }
    }
}

/// The places in the file of the variables of a query whose values matter for what is said about what is around
/// them: numbers. Values of labels and durations don't. Nothing if one of the variables may be a name, so that
/// nothing is known of any part.
fn hidden(expr: &ExprContext<'_>, variables: &[DashboardVariable]) -> Option<Vec<Range<usize>>> {
    let is_in = |outer: Range<usize>, inner: &Range<usize>| {
        outer.start <= inner.start && inner.end <= outer.end
    };
    let mut numbers = Vec::new();
    for variable in variables {
        let place = &variable.place;
        let is_label_value = || {
            expr.matchers().any(|matcher| {
                let is_label = expr.expr.text(matcher.name) != METRIC_NAME.as_bytes();
                is_label && is_in(matcher.value_span.range(), place)
            })
        };
        let is_number = || {
            expr.nodes().any(|(_, node)| {
                matches!(node.kind, NodeKind::Number { .. }) && is_in(node.span.range(), place)
            })
        };
        match (variable.is_text, variable.is_free) {
            (true, _) if is_label_value() => {}
            (false, false) => {}
            (false, true) if is_number() => {
                numbers.push(expr.place(Span::new(place.start as u32, place.end as u32)));
            }
            _ => return None,
        }
    }
    Some(numbers)
}

/// One finding per root cause: of findings of one rule with the same consequence, of which one's place
/// lies within the other's, the one with the smaller place is kept. The findings are in order.
fn without_echoes(findings: Vec<Finding>) -> Vec<Finding> {
    let is_echo = |at: usize| {
        let finding = &findings[at];
        let Some(consequence) = finding.consequence else { return false };
        let span = finding.span();
        let neighbours = findings[..at]
            .iter()
            .rev()
            .take_while(|other| other.file == finding.file && other.rule == finding.rule)
            .map(|other| (other, true))
            .chain(
                findings[at + 1..]
                    .iter()
                    .take_while(|other| other.file == finding.file && other.rule == finding.rule)
                    .map(|other| (other, false)),
            );
        neighbours.into_iter().any(|(other, is_before)| {
            let inner = other.span();
            let is_within = span.start <= inner.start && inner.end <= span.end;
            let is_smaller = inner.len() < span.len() || (inner == span && is_before);
            other.consequence == Some(consequence) && is_within && is_smaller
        })
    };
    let kept: Vec<bool> = (0..findings.len()).map(|at| !is_echo(at)).collect();
    let mut kept = kept.into_iter();
    let mut findings = findings;
    findings.retain(|_| kept.next().unwrap_or(true));
    findings
}
