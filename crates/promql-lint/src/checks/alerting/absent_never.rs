//! `absent-never` (A009).

use promql_syntax::Function;

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::evidence::{consequence, dies, rests_on};
use crate::finding::Report;
use crate::flow::Why;
use crate::shape::word;

declare_check! {
    /// Finds `absent` of something that is always there.
    ///
    /// ## Why it matters
    /// A fallback such as `or vector(0)` inside of `absent` makes that there always is an element, so that the
    /// alert which should tell of missing data never fires. Leave the fallback out.
    ///
    /// ## Examples
    /// ```promql bad
    /// absent(sum(up{job="shop"}) or vector(0))
    /// ^^^^^^ `absent` never gives anything: its argument is always there; this alert can never fire
    /// ```
    /// ```promql bad
    /// absent(vector(time()))
    /// ^^^^^^ `absent` never gives anything: its argument is always there; this alert can never fire
    /// ```
    /// ```promql bad
    /// up == 0 or on () absent_over_time((count(up) or vector(0))[10m:1m])
    ///                  ^^^^^^^^^^^^^^^^ `absent_over_time` never gives anything: its argument is always there; this part never gives a result
    /// ```
    /// ```promql good
    /// absent(sum(up{job="shop"}))
    /// ```
    /// ```promql good
    /// absent(up{job="shop"}) or vector(0) > 1
    /// ```
    /// The comparison can empty it in spite of the fallback:
    /// ```promql good
    /// absent((sum(up{job="shop"}) or vector(0)) > 2)
    /// ```
    "A009" "absent-never" Error, Proven, fix: Never, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, function, arguments) in cx.calls() {
        if !matches!(function, Function::Absent | Function::AbsentOverTime) {
            continue;
        }
        let Some(argument) = arguments.first() else { continue };
        if dies(cx, id, |why| *why == Why::Present).is_none() {
            continue;
        }
        let message = format!("`{}` never gives anything: its argument is always there", function.name());
        let finding = report.at(cx.place(word(cx, id)), message);
        finding.also(cx.place_of(*argument), "has an element at any time");
        finding.consequence(consequence(cx)).help("leave out what is always there, such as `or vector(0)`");
        rests_on(finding, cx.flows().of(id).basis);
    }
}
