//! Every error of the malformed queries in `corpus/` as a user sees it.

use miette::{GraphicalReportHandler, GraphicalTheme};
use promql_syntax::{Features, compile};
use promql_tests::corpus;

/// The errors of a query, rendered without colours at a fixed width.
fn rendered(query: &str) -> String {
    let Err(errors) = compile(query, &Features::ALL) else { return "no error\n".into() };
    let handler =
        GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(100);
    let mut text = format!("{errors}\n");
    for report in errors.reports("query") {
        handler.render_report(&mut text, &report).expect("a report can be rendered");
    }
    text
}

#[test]
fn malformed_queries() {
    let queries = corpus::read("malformed/queries.txt");
    let mut all = String::new();
    for line in queries.lines() {
        match line.strip_prefix('#') {
            Some(heading) => all.push_str(&format!("##{heading}\n\n")),
            None => all.push_str(&format!("> {line}\n{}\n", rendered(line))),
        }
    }
    insta::assert_snapshot!(all);
}
