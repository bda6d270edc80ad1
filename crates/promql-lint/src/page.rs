//! The documentation of a check as a page.

use std::fmt::Write;

use crate::check::{Check, Fixes};
use crate::checks::CHECKS;

/// The page of a check, in Markdown: what `--explain` shows and what the book has.
pub fn page(check: &Check) -> String {
    let category = check.category().name();
    let (name, code) = (check.name, check.code);
    let severity = match check.is_on {
        true => check.severity.to_string(),
        false => format!("{}, off unless selected", check.severity),
    };
    let fix = match check.fixes.name() {
        "none" => String::new(),
        fix => format!(" · fix: {fix}"),
    };
    let evidence = check.evidence.name();
    let mut out = format!("# {name} ({code})\n\n{category} · {severity} · {evidence}{fix}\n\n");
    let mut is_open = false;
    for line in check.docs.lines() {
        let line = line.strip_prefix(' ').unwrap_or(line);
        match line.strip_prefix("```") {
            Some(words) if !is_open => {
                is_open = true;
                let mut words = words.split_whitespace();
                let language = words.next().unwrap_or("text");
                let title = words.find_map(|word| match word {
                    "bad" => Some("Reported"),
                    "good" => Some("Fine"),
                    "fixed" => Some("After the fix"),
                    "config" => Some("With this in `promql.toml`"),
                    "server" => Some("With a server that has"),
                    _ => None,
                });
                if let Some(title) = title {
                    let gap = if out.ends_with("\n\n") { "" } else { "\n" };
                    let _ = write!(out, "{gap}{title}:\n\n");
                }
                let _ = writeln!(out, "```{language}");
            }
            Some(_) => {
                is_open = false;
                out.push_str("```\n\n");
            }
            // A blank line is there behind each block.
            None if line.is_empty() && out.ends_with("\n\n") => {}
            None if line.starts_with("## ") && !is_open => {
                let gap = if out.ends_with("\n\n") { "" } else { "\n" };
                let _ = write!(out, "{gap}{line}\n\n");
            }
            None => {
                let _ = writeln!(out, "{line}");
            }
        }
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// The page of the book with all checks: a table, then the page of each.
pub fn all_pages() -> String {
    let mut out = String::from(
        "# Checks of promql lint\n\n\
         What [promql lint](lint.md) looks for. This page is made of what the checks say about themselves, and \
         the examples are their tests; `promql lint --explain CHECK` shows the same.\n\n\
         A finding is *proven* if it follows from the language alone, *presumed* if it needs an assumption \
         that is said, *heuristic* if it goes by names or style. A fix is *safe* if it keeps every result \
         and every printed text.\n\n\
         | code | name | severity | evidence | fix |\n|---|---|---|---|---|\n",
    );
    for check in CHECKS {
        let severity = if check.is_on { check.severity.name() } else { "off" };
        let fix = if check.fixes == Fixes::Never { "" } else { check.fixes.name() };
        let anchor = format!("{}-{}", check.name, check.code.to_lowercase());
        let _ = writeln!(
            out,
            "| {} | [{}](#{anchor}) | {severity} | {} | {fix} |",
            check.code,
            check.name,
            check.evidence.name()
        );
    }
    for check in CHECKS {
        out.push('\n');
        let mut is_code = false;
        for line in page(check).lines() {
            is_code ^= line.starts_with("```");
            let is_heading = line.starts_with('#') && !is_code;
            let _ = writeln!(out, "{}{line}", if is_heading { "#" } else { "" });
        }
    }
    out
}
