//! The checks that ask a server, over all rules.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::asker::Asker;
use super::context::{LiveContext, Shared};
use super::question::{About, Question, Reply};
use super::{Live, Reach};
use crate::check::{Check, Look, Severity};
use crate::checks::{CHECKS, by_code};
use crate::context::{ExprContext, RuleRef, RuleSet};
use crate::finding::{Finding, Label, Report};

/// What came of asking a server.
#[derive(Default)]
pub(crate) struct Looked {
    /// What the checks say.
    pub(crate) findings: Vec<Finding>,
    /// The files with rules about which a server was asked that says which features it has switched on.
    pub(crate) with_features: BTreeSet<usize>,
}

/// What the checks say that ask a server. `switches` are the checks that look at each file, by their places
/// in [`CHECKS`].
pub(crate) fn look(set: &RuleSet<'_>, switches: &[Vec<bool>], live: &Live<'_>) -> Looked {
    let asker = live.server.map(|server| Asker::new(server, live.options));
    let reach = Reach::of(live);
    let looks = |at: RuleRef| {
        let checks = CHECKS.iter().copied().enumerate();
        let is_on = switches.get(at.file);
        checks.filter_map(move |(number, check)| match check.look {
            Look::Live(look)
                if is_on?[number]
                    && reach.lets_look(check.code)
                    && live.named.is_none_or(|named| named.is_asked_by(check)) =>
            {
                Some((check, look))
            }
            _ => None,
        })
    };
    let looks = |at: RuleRef| looks(at).filter(move |(check, _)| is_for(set, at, check));
    let mut rules: Vec<RuleRef> = set.rules().map(|(at, _, _)| at).chain(set.targets()).collect();
    rules.retain(|at| set.rule(*at).query.is_some() && looks(*at).next().is_some());
    if let Some(named) = live.named {
        rules.retain(|at| named.is_for(&set.files[at.file].path));
    }
    if let Some(is_wanted) = live.wanted {
        let text = |at: &RuleRef| {
            let text = &set.files[at.file].rules.text;
            text.get(set.rule(*at).span.clone()).unwrap_or_default()
        };
        rules.retain(|at| is_wanted(text(at)));
    }
    let Some(first) = rules.first().copied() else { return Looked::default() };
    rules.sort_by_key(|at| (importance(set, *at), *at));
    let about = about(asker.as_ref(), live, first);
    let next = AtomicUsize::new(0);
    let done = AtomicUsize::new(0);
    let findings = Mutex::new(Vec::new());
    let look_at = |at: RuleRef| {
        let Some(expr) = ExprContext::new(set.rule_context(at)) else { return };
        let shared = Shared::default();
        let mut found = Vec::new();
        for (check, look) in looks(at) {
            let cx = LiveContext {
                expr: &expr,
                about: &about,
                options: live.options,
                asker: asker.as_ref(),
                code: check.code,
                shared: &shared,
            };
            look(&cx, &mut Report::new(check, at.file, Some((at.group, at.rule)), &mut found));
        }
        let is_unknown = |label: &Label| expr.has_variable(label.span.clone());
        found.retain(|finding: &Finding| {
            !OF_PARTS.contains(&finding.check.code) || !finding.labels.iter().any(is_unknown)
        });
        findings.lock().unwrap_or_else(PoisonError::into_inner).append(&mut found);
    };
    std::thread::scope(|scope| {
        for _ in 0..live.options.concurrency.clamp(1, rules.len()) {
            scope.spawn(|| {
                while let Some(at) = rules.get(next.fetch_add(1, Ordering::Relaxed)) {
                    look_at(*at);
                    let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                    if let Some(progress) = live.progress {
                        progress(done, rules.len());
                    }
                }
            });
        }
    });
    let mut findings = findings.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(asker) = &asker {
        let codes = |at: &RuleRef| (*at, looks(*at).map(|(check, _)| check.code).collect());
        let looked_at: Vec<(RuleRef, Vec<&'static str>)> = rules.iter().map(codes).collect();
        tell_unanswered(asker, &about, live, (set, &looked_at), &mut findings);
    }
    if let Some(named) = live.named {
        for finding in &mut findings {
            finding.message.push_str(&format!(" (on `{}`)", named.name));
        }
    }
    let with_features = match about.features {
        Some(_) => rules.iter().map(|at| at.file).collect(),
        None => BTreeSet::new(),
    };
    Looked { findings, with_features }
}

/// The checks that are about queries, and not about rules.
const OF_QUERIES: &[&str] = &["L001", "L002", "L003", "L005", "L007", "L013", "L015"];

/// Those of them that say nothing about a part with a variable in it; the others ask about all but that.
const OF_PARTS: &[&str] = &["L003", "L013"];

/// Whether a check looks at a rule, or a query of a dashboard. One with variables can't be evaluated.
fn is_for(set: &RuleSet<'_>, at: RuleRef, check: &Check) -> bool {
    let Some(dashboard) = set.files.get(at.file).and_then(|file| file.dashboard.as_ref()) else {
        return true;
    };
    let is_plain = dashboard.targets.get(at.rule).is_some_and(|target| target.uses.is_empty());
    OF_QUERIES.contains(&check.code) && (check.code != "L007" || is_plain)
}

/// What is asked first if not all can be: alerts that people are called for, other alerts, recording rules,
/// dashboards.
fn importance(set: &RuleSet<'_>, at: RuleRef) -> u8 {
    if set.files.get(at.file).is_some_and(|file| file.dashboard.is_some()) {
        return 3;
    }
    let rule = set.rule_context(at);
    let labels = rule.rule.effective_labels(rule.group);
    let is_urgent = labels.iter().any(|(name, value)| {
        *name == "severity" && matches!(value.to_ascii_lowercase().as_str(), "critical" | "page")
    });
    match (rule.is_alert(), is_urgent) {
        (true, true) => 0,
        (true, false) => 1,
        (false, _) => 2,
    }
}

/// What is known of the server: what it says, and where it says nothing what is configured.
fn about(asker: Option<&Asker<'_>>, live: &Live<'_>, first: RuleRef) -> About {
    let configured = live.options.about.clone();
    let reply = asker.map(|asker| asker.ask(Question::About, "L000", first));
    match reply {
        Some(Ok(reply)) => match &*reply {
            Reply::About(about) => (**about).clone().or(configured),
            _ => configured,
        },
        _ => configured,
    }
}

/// One finding about all that could not be asked.
fn tell_unanswered(
    asker: &Asker<'_>,
    about: &About,
    live: &Live<'_>,
    (set, looked_at): (&RuleSet<'_>, &[(RuleRef, Vec<&'static str>)]),
    findings: &mut Vec<Finding>,
) {
    let (Some(check), Some(severity)) = (by_code("L000"), live.options.server_errors) else {
        return;
    };
    let mut unanswered = asker.unanswered().reasons;
    for (code, what, is_known) in [
        ("L013", "retention", about.retention.is_some()),
        ("L014", "configuration", about.external_labels.is_some()),
        ("L015", "flags", about.features.is_some()),
    ] {
        if about.lacks.iter().any(|lacking| lacking == what) && !is_known {
            let reason = format!("the server doesn't show its {what}");
            let (_, codes, rules) = unanswered.entry(reason).or_default();
            codes.insert(code);
            // Then what is configured counts.
            let is_said = |at: RuleRef| {
                code == "L015" && set.files[at.file].settings.known().features.is_some()
            };
            let asked = looked_at.iter().filter(|(_, of_rule)| of_rule.contains(&code));
            rules.extend(asked.map(|(at, _)| *at).filter(|at| !is_said(*at)));
        }
    }
    unanswered.retain(|_, (_, _, rules)| !rules.is_empty());
    let rules: BTreeSet<RuleRef> =
        unanswered.values().flat_map(|(_, _, rules)| rules.iter().copied()).collect();
    let Some(at) = rules.first().copied() else { return };
    let names = |codes: &BTreeSet<&'static str>| -> BTreeSet<&'static str> {
        let others = codes.iter().filter(|code| **code != check.code);
        others.filter_map(|code| Some(by_code(code)?.name)).collect()
    };
    let checks: BTreeSet<&str> =
        unanswered.values().flat_map(|(_, codes, _)| names(codes)).collect();
    let mut help: Vec<String> = Vec::new();
    for (reason, (_, codes, _)) in &unanswered {
        let names: Vec<&str> = names(codes).into_iter().collect();
        help.push(match names.is_empty() {
            true => reason.clone(),
            false => format!("{reason}: {}", names.join(", ")),
        });
    }
    let message = match asker.given_up() {
        Some(_) => format!("the server can't be asked, so {} say nothing", count(&checks, "check")),
        None => format!(
            "{} could not ask all they wanted about {}",
            count(&checks, "check"),
            count(&rules, "rule")
        ),
    };
    let is_fault = unanswered.values().any(|(is_fault, _, _)| *is_fault);
    let severity = if is_fault { severity } else { Severity::Info };
    let name = set.rule(at).name.span.clone();
    Report::new(check, at.file, Some((at.group, at.rule)), findings)
        .at(name, message)
        .severity(severity)
        .help(help.join("\n"));
}

/// How many of something.
fn count<T>(of: &BTreeSet<T>, word: &str) -> String {
    format!("{} {word}{}", of.len(), if of.len() == 1 { "" } else { "s" })
}

/// Whether a check is about a server.
pub(crate) fn is_live(check: &Check) -> bool {
    check.code.starts_with('L')
}
