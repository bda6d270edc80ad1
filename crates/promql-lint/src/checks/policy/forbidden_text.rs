//! `forbidden-text` (O005).

use crate::check::declare_check;
use crate::context::RuleContext;
use crate::finding::Report;
use crate::policy::policies;

declare_check! {
    /// Finds a text that a policy forbids: as the name or the value of a label or an annotation, or in an
    /// expression. The regular expression has to match all of a name or value; of an expression a word, or all of it.
    ///
    /// ## Why it matters
    /// An address of a machine that is gone, a name of a team that was renamed, a space at the end of a label:
    /// each of them is found when somebody searches for it in the middle of an incident.
    ///
    /// ## Examples
    /// ```toml config
    /// [[lint.policy]]
    /// check = "forbidden-text"
    /// regex = "https?://old-wiki.*|.* "
    /// in = ["label-values", "annotation-values"]
    /// [[lint.policy]]
    /// check = "forbidden-text"
    /// regex = "tier"
    /// in = ["label-keys", "expr"]
    /// message = "The label is called `layer` now."
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations: {runbook_url: "https://old-wiki.example.com/down"}
    ///                              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `https://old-wiki.example.com/down` is a forbidden text here
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   labels: {severity: "page "}
    ///                      ^^^^^^^ `page ` is a forbidden text here
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: sum by (tier) (up) == 0
    ///                 ^^^^ `tier` is a forbidden text here
    ///   labels: {tier: front}
    ///            ^^^^ `tier` is a forbidden text here
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations: {runbook_url: "https://wiki.example.com/down"}
    /// ```
    /// The names of annotations aren't forbidden anything:
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations: {tier: front}
    /// ```
    /// All of a name has to match:
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   labels: {frontier: open}
    /// ```
    "O005" "forbidden-text" Warning off, Proven, fix: Never, Rule(look)
}

fn look(cx: &RuleContext<'_>, report: &mut Report<'_>) {
    for policy in policies(cx, &CHECK) {
        let Some(regex) = &policy.regex else { continue };
        let labels = cx.rule.labels.iter().map(|pair| (pair, "label-keys", "label-values"));
        let annotations =
            cx.rule.annotations.iter().map(|pair| (pair, "annotation-keys", "annotation-values"));
        for ((name, value), keys, values) in labels.chain(annotations) {
            for (text, part) in [(name, keys), (value, values)] {
                if policy.is_about(part) && regex.is_match(&text.value) {
                    let message = format!("`{}` is a forbidden text here", text.value);
                    policy.tell(report, text.span.clone(), message);
                }
            }
        }
        let expr = &cx.rule.expr;
        if policy.is_about("expr")
            && let Some(place) = found_in(&expr.value, regex)
        {
            let message = format!("`{}` is a forbidden text here", &expr.value[place.clone()]);
            policy.tell(report, cx.place(expr, place), message);
        }
    }
}

/// The first word, or the first text in quotes, that a pattern matches; else all, if it matches that.
fn found_in(text: &str, regex: &promql_model::Regex) -> Option<std::ops::Range<usize>> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '.' | '-' | '/');
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (start, is_part(c)) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                if regex.is_match(&text[from..at]) {
                    return Some(from..at);
                }
                start = None;
            }
            _ => {}
        }
    }
    regex.is_match(text).then_some(0..text.len())
}
