//! `template-query-label` (T012).

use promql_syntax::{Features, compile};

use crate::check::declare_check;
use crate::context::RuleContext;
use crate::evidence::{lacks, rests_on};
use crate::finding::Report;
use crate::flow::analyse;
use crate::template_reads::{Of, template_reads};
use crate::templates::templates;

declare_check! {
    /// Finds a label that a template reads of what a query in it gives, and that this query can't give.
    ///
    /// ## Why it matters
    /// It is the empty text: the notification names no one, just when somebody needs to know where to look.
    ///
    /// ## Examples
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations:
    ///     others: '{{ range query "sum(up)" }}{{ .Labels.job }} {{ end }}'
    ///                                            ^^^^^^^^^^^ the query gives no label `job`
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations:
    ///     worst: '{{ with query "max by (job) (queue_length)" }}{{ . | first | label "instance" }}{{ end }}'
    ///                                                                          ^^^^^^^^^^^^^^^^ the query gives no label `instance`
    /// ```
    /// ```yaml bad
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations:
    ///     others: '{{ range $i, $sample := query "count by (job) (up)" }}{{ $sample.Labels.zone }}{{ end }}'
    ///                                                                              ^^^^^^^^^^^^ the query gives no label `zone`
    /// ```
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations:
    ///     others: '{{ range query "sum by (job) (up)" }}{{ .Labels.job }} {{ end }}'
    /// ```
    /// Behind the end of the block it is the alert's:
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations:
    ///     others: '{{ range query "sum(up)" }}{{ .Value }}{{ end }} of {{ .Labels.job }}'
    /// ```
    /// `$labels` is the alert's everywhere:
    /// ```yaml good
    /// - alert: Down
    ///   expr: up == 0
    ///   annotations:
    ///     others: '{{ range query "sum(up)" }}{{ $labels.job }}: {{ .Value }}{{ end }}'
    /// ```
    "T012" "template-query-label" Warning, Proven, fix: Never, Rule(look)
}

fn look(cx: &RuleContext<'_>, report: &mut Report<'_>) {
    for template in templates(cx) {
        let text = template.text.value.as_str();
        if !text.contains("query") {
            continue;
        }
        for read in template_reads(text) {
            let (Of::Sample(query) | Of::Vector(query)) = &read.of else { continue };
            // What can't be parsed is another check's.
            let Ok(compiled) = compile(query, &Features::ALL) else { continue };
            let expr = compiled.expr();
            let flows = analyse(expr, cx.set.env());
            let Some(basis) = lacks(flows.root(expr), &read.label) else { continue };
            let message = format!("the query gives no label `{}`", read.label);
            let finding = report.at(cx.place(template.text, read.place.clone()), message);
            if let Some(at) = text.find(query.as_str()) {
                finding.also(cx.place(template.text, at..at + query.len()), "this query");
            }
            finding.help("keep the label in the query, or don't read it");
            rests_on(finding, basis);
        }
    }
}
