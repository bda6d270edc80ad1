//! What the checks find in rules and dashboards that people use. Of each check all findings were read, or a
//! sample of 25 where there are more; all that are errors. When a number changes, read what is new
//! (`PROMQL_SHOW_FINDINGS=C001` prints those of a check, `=1` all) before it is changed here.

mod corpus;

use std::collections::BTreeMap;

use promql_lint::{Input, Settings, lint};

/// The checks that find something, and how many findings each has.
const FINDINGS: &[(&str, usize)] = &[
    ("A001", 1),
    ("A006", 120),
    ("A015", 4),
    ("C001", 6),
    ("C002", 5),
    ("C008", 1),
    ("C009", 7),
    ("C010", 8),
    ("C016", 2),
    ("C019", 1),
    ("C021", 3),
    ("C022", 5),
    ("C025", 2),
    ("C031", 1),
    ("C033", 4),
    ("C034", 1),
    ("C037", 2),
    ("D003", 7),
    ("D004", 1),
    ("D011", 14),
    ("D017", 10),
    ("D020", 3),
    ("K001", 2),
    ("K002", 1),
    ("K003", 1),
    ("K009", 9),
    ("K014", 1),
    ("M001", 15),
    ("M002", 6),
    ("M003", 4),
    ("M004", 4),
    ("M013", 6),
    ("N001", 1),
    ("P003", 7),
    ("T001", 159),
    ("T004", 1),
    ("T013", 4),
];

#[test]
fn findings_in_real_rules_are_those_that_were_read() {
    let Some(files) = corpus::files(&["rules", "dashboards"]) else { return };
    let shown = std::env::var("PROMQL_SHOW_FINDINGS").unwrap_or_default();
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    let mut dead = 0;
    // Each file for itself: two collections record the same names differently.
    for (name, text) in files {
        let outcome = lint(vec![Input::new(name.clone(), text)], &Settings::default());
        for file in &outcome.files {
            for finding in &file.findings {
                let code = finding.check.code;
                *found.entry(code).or_default() += 1;
                dead += usize::from(finding.consequence == Some("this alert can never fire"));
                if shown == "1" || shown == code {
                    let rule = finding.rule.map(|(g, r)| &file.rules.groups[g].rules[r]);
                    let rule = rule.map_or("", |rule| &rule.name.value);
                    let text = file.text[finding.span()].split_whitespace().collect::<Vec<_>>();
                    println!(
                        "{code} {} {name} {rule}: {}\n    {}\n    {:?}",
                        finding.severity,
                        finding.message,
                        text.join(" "),
                        finding.consequence
                    );
                }
            }
        }
    }
    println!("{dead} alerts can never fire; {found:?}");
    let found: Vec<(&str, usize)> = found.into_iter().collect();
    assert_eq!(found, FINDINGS);
}
