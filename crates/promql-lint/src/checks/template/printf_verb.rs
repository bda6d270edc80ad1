//! `printf-verb` (T007).

use crate::check::declare_check;
use crate::context::RuleContext;
use crate::finding::{Edit, Report, Safety};
use crate::templates::{actions, templates};

declare_check! {
    /// Finds `printf` with a verb that doesn't fit: `%d` or `%s` for `$value`, which is a float.
    ///
    /// ## Why it matters
    /// The text then reads `%!d(float64=6.6)`.
    ///
    /// ## Examples
    /// ```yaml bad
    /// - alert: Full
    ///   expr: disk_used_ratio > 0.9
    ///   annotations:
    ///     summary: '{{ printf "%d" $value }} is used'
    ///                 ^^^^^^^^^^^^^^^^^^^^ this prints `%!d(float64=6.625)`
    /// ```
    /// ```yaml fixed
    /// - alert: Full
    ///   expr: disk_used_ratio > 0.9
    ///   annotations:
    ///     summary: '{{ printf "%.0f" $value }} is used'
    /// ```
    /// ```yaml bad
    /// - alert: Full
    ///   expr: disk_used_ratio > 0.9
    ///   annotations:
    ///     summary: '{{ $value | printf "%s of all" }} is used'
    ///                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this prints `%!s(float64=6.625)`
    /// ```
    /// ```yaml fixed
    /// - alert: Full
    ///   expr: disk_used_ratio > 0.9
    ///   annotations:
    ///     summary: '{{ $value | printf "%v of all" }} is used'
    /// ```
    /// ```yaml bad
    /// - alert: Full
    ///   expr: disk_used_ratio > 0.9
    ///   annotations:
    ///     summary: '{{ printf "%.2f %s" $value }}'
    ///                 ^^^^^^^^^^^^^^^^^^^^^^^^^ this prints `%!s(MISSING)`
    /// ```
    /// ```yaml good
    /// - alert: Full
    ///   expr: disk_used_ratio > 0.9
    ///   annotations:
    ///     summary: '{{ printf "%.0f" $value }} is used'
    /// ```
    /// ```yaml good
    /// - alert: Full
    ///   expr: disk_used_ratio > 0.9
    ///   annotations:
    ///     summary: '{{ printf "%s" $labels.disk }} is full'
    /// ```
    /// ```yaml good
    /// - alert: Full
    ///   expr: disk_used_ratio > 0.9
    ///   annotations:
    ///     summary: '{{ $value | printf "%.1f%%" }} is used'
    /// ```
    "T007" "printf-verb" Warning, Proven, fix: Unsafe, Rule(look)
}

/// Verbs that don't take a float, and what does the same for one.
const VERBS: &[(&str, &str, &str)] = &[("%!d(float64", "%d", "%.0f"), ("%!s(float64", "%s", "%v")];

fn look(cx: &RuleContext<'_>, report: &mut Report<'_>) {
    for template in templates(cx) {
        let text = template.text.value.as_str();
        if !text.contains("printf") {
            continue;
        }
        let trial = cx.set.trial(&template);
        let Ok(printed) = &*trial else { continue };
        let Some(at) = printed.find("%!") else { continue };
        let is_action = |action: &std::ops::Range<usize>| text[action.clone()].contains("printf");
        let all: Vec<std::ops::Range<usize>> = actions(text).into_iter().filter(is_action).collect();
        let verb = VERBS.iter().find(|(front, _, _)| printed[at..].starts_with(front));
        let holds = |verb: &str| all.iter().find(|action| text[(*action).clone()].contains(verb)).cloned();
        let action = verb.and_then(|(_, verb, _)| holds(verb)).or_else(|| all.first().cloned());
        let Some(action) = action else { continue };
        let shown: String = printed[at..].chars().take_while(|c| *c != ')').chain([')']).collect();
        let finding = report.at(cx.place(template.text, action.clone()), format!("this prints `{shown}`"));
        finding.help("`$value` is a float: print it by `%.0f`, `%g` or `humanize`");
        let Some((_, verb, new)) = verb else { continue };
        let inner = &text[action.clone()];
        if inner.matches(verb).count() == 1 && text.matches(verb).count() == 1 {
            let start = action.start + inner.find(verb).unwrap_or_default();
            let span = cx.place(template.text, start..start + verb.len());
            let edit = Edit { span, text: (*new).to_owned() };
            finding.fix(Safety::Unsafe, format!("print by `{new}`"), Some(vec![edit]));
        }
    }
}
