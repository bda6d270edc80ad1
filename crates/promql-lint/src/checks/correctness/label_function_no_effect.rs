//! `label-function-no-effect` (C041).

use promql_model::Regex;
use promql_syntax::ast::{NodeId, NodeKind};
use promql_syntax::{Function, Span};

use crate::check::declare_check;
use crate::context::ExprContext;
use crate::evidence::lacks;
use crate::finding::{Edit, Report, Safety};
use crate::flow::Basis;
use crate::shape::{Aggregation, word};

declare_check! {
    /// Finds `label_replace` and `label_join` that change nothing: the source can't be there and the pattern needs
    /// some text, a label is replaced by itself, or the next aggregation removes the new label at once.
    ///
    /// ## Why it matters
    /// Whoever reads the rule expects the new label: a join on it finds nothing, a text without it names no one.
    ///
    /// ## Examples
    /// ```promql bad
    /// label_replace(sum(up), "zone", "$1", "instance", "(.+)-.*") < 3
    /// ^^^^^^^^^^^^^ this changes nothing: there is no label `instance`, and the pattern needs some text
    /// ```
    /// ```promql fixed
    /// sum(up) < 3
    /// ```
    /// ```promql bad
    /// label_replace(up, "job", "$1", "job", "(.*)") == 0
    /// ^^^^^^^^^^^^^ this changes nothing: `job` is replaced by itself
    /// ```
    /// ```promql fixed
    /// up == 0
    /// ```
    /// ```promql bad
    /// sum by (job) (label_join(up, "where", "/", "zone", "instance")) < 3
    ///               ^^^^^^^^^^ this changes nothing: the aggregation around it removes `where`
    /// ```
    /// ```promql fixed
    /// sum by (job) (up) < 3
    /// ```
    /// ```promql good
    /// label_replace(sum by (instance) (up), "zone", "$1", "instance", "(.+)-.*") < 3
    /// ```
    /// The empty text matches too, so that every result gets the label:
    /// ```promql good
    /// label_replace(sum(up), "zone", "all", "instance", ".*") < 3
    /// ```
    /// ```promql good
    /// sum by (where) (label_join(up, "where", "/", "zone", "instance")) < 3
    /// ```
    "C041" "label-function-no-effect" Warning, Proven, fix: Safe, Expr(look)
}

fn look(cx: &ExprContext<'_>, report: &mut Report<'_>) {
    for (id, function, arguments) in cx.calls() {
        let why = match function {
            Function::LabelReplace => replaces_nothing(cx, arguments),
            Function::LabelJoin => joins_for_nothing(cx, id, arguments),
            _ => continue,
        };
        let Some((place, why, basis)) = why else { continue };
        let finding = report.at(cx.place(word(cx, id)), format!("this changes nothing: {why}"));
        finding.also(cx.place_of(place), "");
        finding.help("leave it out, or keep the label that it reads");
        if basis.is_empty() {
            finding.fix(Safety::Safe, "leave it out", only(cx, id, arguments));
        }
        crate::evidence::rests_on(finding, basis);
    }
}

fn string<'a>(cx: &ExprContext<'a>, id: NodeId) -> Option<&'a str> {
    match cx.expr.kind(cx.bare(id)) {
        NodeKind::String(text) => std::str::from_utf8(cx.expr.text(text)).ok(),
        _ => None,
    }
}

fn replaces_nothing(
    cx: &ExprContext<'_>,
    arguments: &[NodeId],
) -> Option<(NodeId, String, Basis)> {
    let [vector, to, by, from, regex] = arguments else { return None };
    let (target, new, source) = (string(cx, *to)?, string(cx, *by)?, string(cx, *from)?);
    let pattern = string(cx, *regex)?;
    if target == source && matches!(new, "$1" | "${1}") && pattern == "(.*)" {
        return Some((*from, format!("`{target}` is replaced by itself"), Basis::NONE));
    }
    let basis = lacks(cx.flows().of(*vector), source)?;
    let matches_nothing = Regex::new(pattern.as_bytes()).is_ok_and(|regex| !regex.is_match(""));
    matches_nothing.then(|| (*from, format!("there is no label `{source}`, and the pattern needs some text"), basis))
}

/// Whether the label that `label_join` writes is removed right behind it.
fn joins_for_nothing(
    cx: &ExprContext<'_>,
    id: NodeId,
    arguments: &[NodeId],
) -> Option<(NodeId, String, Basis)> {
    let to = *arguments.get(1)?;
    let target = string(cx, to)?;
    let is_operand = |(_, aggregation): &(NodeId, Aggregation<'_>)| cx.bare(aggregation.operand) == id;
    let (_, aggregation) = Aggregation::all(cx).find(is_operand)?;
    // A name that is overwritten is one that is dropped then.
    let is_removed = aggregation.is_summary() && !aggregation.keeps(cx, target) && target != "__name__";
    is_removed.then(|| (to, format!("the aggregation around it removes `{target}`"), Basis::NONE))
}

/// The first argument in place of a call.
fn only(cx: &ExprContext<'_>, id: NodeId, arguments: &[NodeId]) -> Option<Vec<Edit>> {
    let (all, inner) = (cx.expr.span(id), cx.expr.span(*arguments.first()?));
    let binds = !matches!(cx.expr.kind(*arguments.first()?), NodeKind::Binary { .. } | NodeKind::Unary { .. });
    let (front, back) = (Span::new(all.start, inner.start), Span::new(inner.end, all.end));
    let has_comment = cx.source(front).contains('#') || cx.source(back).contains('#');
    if has_comment {
        return None;
    }
    match binds {
        true => cx.edits(&[(front, ""), (back, "")]),
        false => cx.edits(&[(front, "("), (back, ")")]),
    }
}
