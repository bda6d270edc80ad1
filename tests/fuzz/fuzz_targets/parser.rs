//! Every text is a tree or has errors that can be shown; a tree is printed so that it reads the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use promql_syntax::{Features, check, parse, parse_metric_selector};

fuzz_target!(|source: &[u8]| {
    for features in [Features::ALL, Features::STABLE] {
        match parse(source, &features) {
            Err(errors) => show(source, &errors),
            Ok(expr) => {
                for node in expr.nodes() {
                    assert!(node.span.start <= node.span.end);
                    assert!(node.span.end as usize <= source.len());
                }
                match check(&expr) {
                    Err(errors) => show(source, &errors),
                    Ok(query) => assert!(query.expr().nodes().len() == expr.nodes().len()),
                }
            }
        }
    }
    if let Err(errors) = parse_metric_selector(source) {
        show(source, &errors);
    }
});

fn show(source: &[u8], errors: &promql_syntax::Errors) {
    assert!(!errors.all().is_empty() && !errors.upstream().is_empty());
    assert!(errors.to_string().contains("parse error: "));
    for error in errors.all() {
        assert!(error.span.start as usize <= source.len());
    }
    for report in errors.reports("query") {
        assert!(!report.to_string().is_empty());
    }
}
