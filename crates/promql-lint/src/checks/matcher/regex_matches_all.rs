//! `regex-matches-all` (M003).

use promql_model::MatchOp;

use crate::check::Severity;
use crate::check::declare_check;
use crate::context::ExprContext;
use crate::finding::{Report, Safety};
use crate::pattern::matches_all;

declare_check! {
    /// Finds a matcher with `=~` whose regular expression matches every value, and no value too.
    ///
    /// ## Why it matters
    /// The matcher does nothing; `.+`, or another label, may have been meant. Generators leave such matchers
    /// where nothing was filled in: the same one five times in a file is a remark only.
    ///
    /// ## Examples
    /// ```promql bad
    /// up{job=~".*"}
    ///    ^^^^^^^^^ this matcher lets every series pass
    /// ```
    /// ```promql fixed
    /// up
    /// ```
    /// ```promql bad
    /// up{env="prod", job=~"(.*)"}
    ///                ^^^^^^^^^^^ this matcher lets every series pass
    /// ```
    /// ```promql fixed
    /// up{env="prod"}
    /// ```
    /// ```promql bad
    /// up{job=~".*|shop", env="prod"}
    ///    ^^^^^^^^^^^^^^ this matcher lets every series pass
    /// ```
    /// ```promql fixed
    /// up{env="prod"}
    /// ```
    /// ```promql good
    /// up{job=~".+"}
    /// ```
    /// ```promql good
    /// up{job=~"shop.*"}
    /// ```
    /// A selector without a name may need it to be read as one:
    /// ```promql good
    /// {__name__=~".*", job="shop"}
    /// ```
    "M003" "regex-matches-all" Warning, Proven, fix: Safe, Expr(look)
}

/// So many equal matchers in a file come from a generator.
const MANY: usize = 5;

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, selector) in cx.selectors() {
        for (at, matcher) in cx.expr.matchers(selector).iter().enumerate() {
            if matcher.op != MatchOp::Matches || cx.expr.text(matcher.name) == b"__name__" {
                continue;
            }
            let matches_all = |pattern: &str| {
                pattern.contains(".*") && cx.rule.set.tree(pattern).is_some_and(|tree| matches_all(&tree.ast))
            };
            if !cx.pattern(matcher).is_some_and(matches_all) {
                continue;
            }
            let source = cx.source(matcher.span);
            let finding = report
                .at(cx.place(matcher.span), "this matcher lets every series pass")
                .help("leave it out; `.+` demands that the label is there")
                .fix(Safety::Safe, "leave out the matcher", cx.without_matcher(id, at));
            if cx.rule.text().matches(source).count() >= MANY {
                finding.severity(Severity::Info);
            }
        }
    }
}
