//! Changes that checks propose, made in rules and dashboards that people use: a file stays valid, nothing is
//! touched but the rules that a change is about, each change makes its finding go away, safe ones bring no new
//! finding, and there is nothing to change the second time.

mod corpus;

use std::collections::BTreeSet;

use promql_lint::{FileOutcome, Finding, Input, Safety, Settings, fix, lint};

/// The text of a rule with what belongs to it, or of a query of a dashboard.
fn rule_text(file: &FileOutcome, (group, rule): (usize, usize)) -> &str {
    &file.text[file.rules.groups[group].rules[rule].span.clone()]
}

/// All rules of a file, by numbers.
fn rules(file: &FileOutcome) -> Vec<(usize, usize)> {
    let groups = file.rules.groups.iter().enumerate();
    groups.flat_map(|(g, group)| (0..group.rules.len()).map(move |r| (g, r))).collect()
}

/// What tells a finding from others: the check, the rule, what it says.
type Told<'f> = (&'static str, Option<(usize, usize)>, &'f str);

fn told(findings: &[Finding]) -> BTreeSet<Told<'_>> {
    findings.iter().map(|found| (found.check.code, found.rule, found.message.as_str())).collect()
}

/// What is wrong with the changes of a file; nothing if it is as it should be. And how many there are.
fn wrong(name: &str, text: &[u8], up_to: Safety) -> (Vec<String>, usize) {
    let settings = Settings::default();
    let input = || Input::new(name.to_owned(), text.to_vec());
    let before = lint(vec![input()], &settings).files.remove(0);
    let (mut fixed, outcome) = fix(vec![input()], &settings, up_to);
    let (fixed, after) = (fixed.remove(0), &outcome.files[0]);
    let mut wrong = Vec::new();
    let mut say = |what: String| wrong.push(format!("{name}, {}: {what}", up_to.name()));

    let is_error = |found: &&Finding| found.check.code.starts_with('E');
    let errors = |file: &FileOutcome| file.findings.iter().filter(is_error).count();
    if errors(after) > errors(&before) {
        say("it is invalid now".to_owned());
    }
    if rules(&before) != rules(after) {
        say("it has other rules now".to_owned());
        return (wrong, fixed.done.len());
    }
    let is_wanted = |found: &&Finding| found.fix.as_ref().is_some_and(|fix| fix.safety <= up_to);
    for left in after.findings.iter().filter(is_wanted) {
        say(format!("{} is still there: {}", left.check.code, left.message));
    }
    let concerned: BTreeSet<_> =
        before.findings.iter().filter(is_wanted).map(|found| found.rule).collect();
    for at in rules(&before) {
        if !concerned.contains(&Some(at)) && rule_text(&before, at) != rule_text(after, at) {
            say(format!("a rule is changed that nothing was found in: {}", rule_text(after, at)));
        }
    }
    if up_to == Safety::Safe {
        for new in told(&after.findings).difference(&told(&before.findings)) {
            say(format!("new: {new:?}"));
        }
    }
    let again = Input::new(name.to_owned(), fixed.after.clone().into_bytes());
    let (again, _) = fix(vec![again], &settings, up_to);
    if again[0].after != fixed.after {
        say("the second time something else is changed".to_owned());
    }
    (wrong, fixed.done.len())
}

#[test]
fn changes_of_real_files_do_what_they_say_and_nothing_else() {
    let Some(files) = corpus::files(&["rules", "dashboards"]) else { return };
    let (mut all, mut done) = (Vec::new(), [0, 0]);
    for (name, text) in files {
        for (at, safety) in [Safety::Safe, Safety::Unsafe].into_iter().enumerate() {
            let (wrong, changes) = wrong(&name, &text, safety);
            all.extend(wrong);
            done[at] += changes;
        }
    }
    println!("{} safe changes, {} with unsafe ones", done[0], done[1]);
    assert!(all.is_empty(), "{}", all.join("\n"));
    // A corpus without anything to change would prove nothing.
    assert!(done[0] > 100 && done[1] > done[0], "{done:?}");
}
