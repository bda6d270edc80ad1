//! What tells a finding from others, whatever lines are added around it.

use std::collections::HashMap;

use promql_rules::rule_file::{RuleFile, RuleKind};

use crate::finding::Finding;

/// Gives the findings of a file their fingerprints. They are made of the check, the path of the file, the kind
/// and the name of the rule, and what is written at the place without its blanks; equal ones are numbered.
/// Lines don't count, so moving a rule keeps them.
pub(crate) fn mark(findings: &mut [Finding], path: &str, rules: &RuleFile) {
    let mut seen: HashMap<u64, u64> = HashMap::new();
    let path = path.replace('\\', "/");
    for finding in findings {
        let mut hash = Hash::default();
        hash.add(finding.check.code);
        hash.add(&path);
        if let Some((group, rule)) = finding.rule
            && let Some(rule) = rules.groups.get(group).and_then(|group| group.rules.get(rule))
        {
            hash.add(if rule.kind == RuleKind::Alerting { "alert" } else { "record" });
            hash.add(&rule.name.value);
        }
        let fragment = rules.text.get(finding.span()).unwrap_or_default();
        fragment.split_whitespace().for_each(|part| hash.add(part));
        let count = seen.entry(hash.0).or_default();
        *count += 1;
        hash.add(&count.to_string());
        finding.print = hash.0;
    }
}

/// FNV-1a, which is the same on every machine and in every release.
struct Hash(u64);

impl Default for Hash {
    fn default() -> Hash {
        Hash(0xcbf2_9ce4_8422_2325)
    }
}

impl Hash {
    /// Adds a text with its end.
    fn add(&mut self, text: &str) {
        for byte in text.bytes().chain([0]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
