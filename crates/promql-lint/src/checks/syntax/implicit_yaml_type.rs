//! `implicit-yaml-type` (E004).

use promql_rules::yaml::{Style, Text};

use crate::check::declare_check;
use crate::context::RuleContext;
use crate::finding::{Edit, Report, Safety};

declare_check! {
    /// Finds a label or an annotation without quotes that readers of YAML take for something else than a text:
    /// `yes`, `on`, `null`, a number, a date, `1:30`.
    ///
    /// ## Why it matters
    /// Prometheus keeps the text as it is written. Other programs that read the file and write it again don't:
    /// `yes` becomes `true`, `1.10` becomes `1.1`.
    ///
    /// ## Examples
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   labels:
    ///     page: yes
    ///           ^^^ without quotes this is a truth value, or nothing, to other readers of YAML
    /// ```
    /// ```yaml fixed
    /// - alert: Down
    ///   expr: up == 0
    ///   labels:
    ///     page: "yes"
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   labels:
    ///     version: 1.10
    ///              ^^^^ without quotes this is a number to other readers of YAML
    /// ```
    /// ```yaml fixed
    /// - alert: Down
    ///   expr: up == 0
    ///   labels:
    ///     version: "1.10"
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations:
    ///     since: 2024-05-01
    ///            ^^^^^^^^^^ without quotes this is a date to other readers of YAML
    ///     eta: 1:30
    ///          ^^^^ without quotes this is a number to the base of sixty to other readers of YAML
    /// ```
    /// ```yaml fixed
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations:
    ///     since: "2024-05-01"
    ///     eta: "1:30"
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   labels:
    ///     page: "yes"
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   labels:
    ///     version: v1.10
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: 1
    ///   for: 5m
    /// ```
    "E004" "implicit-yaml-type" Warning, Heuristic, fix: Safe, Rule(look)
}

/// Words that YAML 1.1 takes for truth values or nothing, in lower case.
const WORDS: &[&str] = &["yes", "no", "on", "off", "y", "n", "true", "false", "null", "~"];

fn look(cx: &RuleContext<'_>, report: &mut Report<'_>) {
    for (name, value) in cx.rule.labels.iter().chain(&cx.rule.annotations) {
        let Some(kind) = kind(value) else { continue };
        let edit = Edit { span: value.span.clone(), text: format!("\"{}\"", value.value) };
        report
            .at(value.span.clone(), format!("without quotes this is {kind} to other readers of YAML"))
            .help(format!("write `{}: \"{}\"`", name.value, value.value))
            .fix(Safety::Safe, "put it in quotes", Some(vec![edit]));
    }
}

/// What a text without quotes is taken for.
fn kind(value: &Text) -> Option<&'static str> {
    let text = value.value.as_str();
    if value.style != Style::Plain || text.is_empty() {
        return None;
    }
    let is_digit = |c: char| c.is_ascii_digit();
    let is_date = text.len() == 10
        && text.split('-').map(str::len).eq([4, 2, 2])
        && text.chars().all(|c| is_digit(c) || c == '-');
    let is_sexagesimal = text.contains(':')
        && text.split(':').all(|part| !part.is_empty() && part.len() < 3 && part.chars().all(is_digit));
    let number = text.replace('_', "");
    let is_number = number.starts_with(|c: char| is_digit(c) || matches!(c, '.' | '-' | '+'))
        && (number.parse::<f64>().is_ok() || is_based(&number));
    if WORDS.contains(&text.to_ascii_lowercase().as_str()) {
        Some("a truth value, or nothing,")
    } else if is_date {
        Some("a date")
    } else if is_sexagesimal {
        Some("a number to the base of sixty")
    } else if is_number {
        Some("a number")
    } else {
        None
    }
}

/// `0x1f`, `0o17`, `0b1`
fn is_based(text: &str) -> bool {
    let digits = [("0x", 16), ("0o", 8), ("0b", 2)];
    digits.iter().any(|(front, base)| {
        let rest = text.strip_prefix(front);
        rest.is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_digit(*base)))
    })
}
