//! The documentation of a check as a page.

use std::fmt::Write;

use crate::check::Check;

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
