//! `feature-disabled` (L015).

use promql_syntax::{Features, Span};

use crate::check::declare_check;
use crate::finding::Report;
use crate::live::LiveContext;

declare_check! {
    /// Finds experimental parts of the language that the server doesn't have switched on.
    ///
    /// ## Why it matters
    /// The server refuses the file, with all its rules. The flags of the server count, whatever
    /// `enabled-features` says: that is for runs without a server, and for servers that don't show their flags.
    /// Then `experimental-feature` says what they lack.
    ///
    /// ## Examples
    /// ```text server
    /// features promql-binop-fill-modifiers
    /// load 1m
    ///   requests_total{job="shop"} 0+1x10
    /// ```
    /// ```promql bad
    /// mad_over_time(requests_total[5m]) > 10
    /// ^^^^^^^^^^^^^ the server has this switched off: function "mad_over_time" is not enabled; the server refuses this file
    /// ```
    /// ```promql bad
    /// limitk(2, requests_total) > 10
    /// ^^^^^^^^^^^^^^^^^^^^^^^^^ the server has this switched off: limitk() is experimental and must be enabled with --enable-feature=promql-experimental-functions; the server refuses this file
    /// ```
    /// ```promql bad
    /// sum(rate(requests_total[5m] anchored)) > 10
    ///          ^^^^^^^^^^^^^^^^^^ the server has this switched off: anchored modifier is experimental and not enabled; the server refuses this file
    /// ```
    /// ```promql good
    /// stddev_over_time(requests_total[5m]) > 10
    /// ```
    /// ```promql good
    /// topk(2, requests_total) > 10
    /// ```
    /// This one is on:
    /// ```promql good
    /// requests_total + fill(0) requests_total > 10
    /// ```
    "L015" "feature-disabled" Error, Observed, fix: Never, Live(look)
}

/// Switches a part of the language on.
type Switch = fn(&mut Features);

/// The parts of the language that can be switched, by their features.
const FLAGS: &[(&str, Switch)] = &[
    ("promql-experimental-functions", |features| features.experimental_functions = true),
    ("promql-extended-range-selectors", |features| features.extended_range_selectors = true),
    ("promql-binop-fill-modifiers", |features| features.fill_modifiers = true),
];

/// The parts of the expression that the server would refuse, each with the reason.
pub(crate) fn disabled(cx: &LiveContext<'_>) -> Vec<(Span, String)> {
    let Some(on) = &cx.about.features else { return Vec::new() };
    let mut features = Features::STABLE;
    for (name, switch) in FLAGS {
        if on.iter().any(|flag| flag == name) {
            switch(&mut features);
        }
    }
    let text = &cx.expr.text.value;
    let Err(errors) = promql_syntax::compile(text, &features) else { return Vec::new() };
    errors.all().iter().map(|error| (error.span, error.kind.to_string())).collect()
}

fn look(cx: &LiveContext<'_>, report: &mut Report<'_>) {
    for (span, message) in disabled(cx) {
        report
            .at(cx.expr.place(span), format!("the server has this switched off: {message}"))
            .consequence("the server refuses this file")
            .help("start the server with `--enable-feature`, or do without");
    }
}
