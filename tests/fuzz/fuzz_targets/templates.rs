//! Every text is a template that can be expanded, or has an error at a place of the text.

#![no_main]

use std::collections::BTreeMap;
use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use promql_rules::template::{AlertData, Sample, Surroundings, Template, Value};

/// Any query finds two series, but for those that are too long.
struct Series;

fn labels(name: &str) -> Arc<BTreeMap<String, String>> {
    let pairs = [("__name__", "m"), ("a", name)];
    Arc::new(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
}

impl Surroundings for Series {
    fn query(&mut self, expression: &str) -> Result<Vec<Sample>, String> {
        if expression.len() > 8 {
            return Err("1:1: parse error".to_owned());
        }
        let sample = |name: &str, value| Sample { labels: labels(name), value: Value::Float(value) };
        Ok(vec![sample("x", 1.5), sample("y", -3e9)])
    }

    fn timestamp(&self) -> i64 {
        60_000
    }
}

fuzz_target!(|text: &str| {
    // Wide columns are right and slow.
    let digits = text.split(|c: char| !c.is_ascii_digit() && c != '_').map(str::len).max();
    if digits.unwrap_or(0) > 4 {
        return;
    }
    let template = match Template::alert("N", text) {
        Ok(template) => template,
        Err(error) => {
            assert!(text.get(error.span()).is_some(), "{error:?} is not in the text");
            assert!(Template::check_alert("N", text).is_err());
            return;
        }
    };
    assert!(Template::check_alert("N", text).is_ok());
    let dot = Value::Alert(Arc::new(AlertData {
        labels: labels("x"),
        external_labels: labels("z"),
        external_url: "http://p/".into(),
        value: Value::Float(12_345.678),
    }));
    match template.expand(&dot, &mut Series) {
        Ok(expanded) if template.is_plain() => assert_eq!(expanded, text),
        Ok(_) => {}
        Err(error) => assert!(text.get(error.span()).is_some(), "{error:?} is not in the text"),
    }
});
