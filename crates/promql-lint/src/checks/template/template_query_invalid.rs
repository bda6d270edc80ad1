//! `template-query-invalid` (T011).

use promql_syntax::{Features, compile};

use crate::check::declare_check;
use crate::context::RuleContext;
use crate::finding::Report;
use crate::templates::{Answers, actions, expand, templates};

declare_check! {
    /// Finds a query of a template that can't be parsed.
    ///
    /// ## Why it matters
    /// The whole label or annotation becomes an error message. Nothing else parses these queries before the
    /// alert fires.
    ///
    /// ## Examples
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations:
    ///     summary: '{{ with query "sum(rate(x[5m])" }}{{ . | first | value }}{{ end }}'
    ///                              ^^^^^^^^^^^^^^^ this query can't be parsed: unclosed left parenthesis
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations:
    ///     summary: '{{ with printf "up{job=%s}" $labels.job | query }}{{ . | first | value }}{{ end }}'
    ///                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this query can't be parsed, as `up{job=x}`: unexpected identifier "x" in label matching, expected string
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations:
    ///     summary: '{{ range query "rate(up)" }}{{ .Labels.job }}{{ end }}'
    ///                               ^^^^^^^^ this query can't be parsed: expected type range vector in call to function "rate", got instant vector
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations:
    ///     summary: '{{ with query "sum(rate(x[5m]))" }}{{ . | first | value }}{{ end }}'
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations:
    ///     summary: '{{ with printf "up{job=%q}" $labels.job | query }}{{ . | first | value }}{{ end }}'
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations:
    ///     summary: 'ask for {{ "sum(rate(x[5m])" }}'
    /// ```
    "T011" "template-query-invalid" Error, Proven, fix: Never, Rule(look)
}

fn look(cx: &RuleContext<'_>, report: &mut Report<'_>) {
    for template in templates(cx) {
        let text = template.text.value.as_str();
        if !text.contains("query") {
            continue;
        }
        let mut answers = Answers::some();
        // What fails is the matter of others; what was asked until then counts.
        let _ = expand(&template, &mut answers);
        for query in &answers.asked {
            let Err(errors) = compile(query, &Features::ALL) else { continue };
            let literal = text.find(query.as_str()).map(|at| at..at + query.len());
            let is_action = |action: &std::ops::Range<usize>| text[action.clone()].contains("query");
            let place = literal.clone().or_else(|| actions(text).into_iter().find(is_action));
            let Some(place) = place else { continue };
            let first = errors.first();
            let message = match literal {
                Some(_) => format!("this query can't be parsed: {}", first.kind),
                None => format!("this query can't be parsed, as `{query}`: {}", first.kind),
            };
            report
                .at(cx.place(template.text, place), message)
                .help("texts of labels are put in quotes by `%q`");
        }
    }
}
