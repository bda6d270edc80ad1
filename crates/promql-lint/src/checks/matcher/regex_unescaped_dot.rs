//! `regex-unescaped-dot` (M005).

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::{Report, Safety};
use crate::pattern::literal_dots;

declare_check! {
    /// Finds a dot between letters or digits in a regular expression that is a plain text otherwise: a host
    /// name, a version. It stands for any character there.
    ///
    /// ## Why it matters
    /// `db1.example.com` matches `db1-example.com` too. It seldom does harm, until two names differ in just that.
    ///
    /// ## Examples
    /// ```promql bad
    /// up{host=~"db1.example.com|db2.example.com"}
    ///          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ a dot in a regular expression stands for any character
    /// ```
    /// ```promql fixed
    /// up{host=~"db1\\.example\\.com|db2\\.example\\.com"}
    /// ```
    /// ```promql bad
    /// up{host!~"db1.example.com"}
    ///          ^^^^^^^^^^^^^^^^^ a dot in a regular expression stands for any character
    /// ```
    /// ```promql fixed
    /// up{host!~"db1\\.example\\.com"}
    /// ```
    /// ```promql bad
    /// up{version=~"1.2|1.3"}
    ///             ^^^^^^^^^ a dot in a regular expression stands for any character
    /// ```
    /// ```promql fixed
    /// up{version=~"1\\.2|1\\.3"}
    /// ```
    /// ```promql good
    /// up{host=~"db1\\.example\\.com"}
    /// ```
    /// ```promql good
    /// up{code=~"5..|4.."}
    /// ```
    /// What is a pattern anyway is taken for one:
    /// ```promql good
    /// up{host=~"10.0.0.+"}
    /// ```
    "M005" "regex-unescaped-dot" Info, Heuristic, fix: Unsafe, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for matcher in cx.matchers().filter(|matcher| matcher.op.is_regex()) {
        let Some(pattern) = cx.pattern(matcher).filter(|pattern| pattern.contains('.')) else {
            continue;
        };
        let Some(tree) = cx.rule.set.tree(pattern) else { continue };
        let dots = literal_dots(&tree.ast);
        if dots.is_empty() {
            continue;
        }
        let mut new = pattern.to_owned();
        dots.iter().rev().for_each(|at| new.replace_range(*at..*at + 1, "\\."));
        report
            .at(cx.place(matcher.value_span), "a dot in a regular expression stands for any character")
            .label("a plain text otherwise")
            .help(format!("write {}", cx.quoted(matcher.value_span, &new)))
            .fix(Safety::Unsafe, "escape the dots", cx.replace_string(matcher.value_span, &new));
    }
}
