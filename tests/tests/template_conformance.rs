//! Upstream's cases for the expansion of templates.

use std::collections::BTreeMap;
use std::sync::Arc;

use promql_model::{DenseHistogram, FloatHistogram};
use promql_rules::template::{
    IntType, List, MissingKey, Sample, Surroundings, Template, TemplateOptions, Value,
};
use promql_tests::conformance::{Tally, files, read_json};
use serde_json::Value as Json;

struct Around<'a> {
    case: &'a Json,
    time: i64,
    url: &'a str,
}

impl Surroundings for Around<'_> {
    fn query(&mut self, _: &str) -> Result<Vec<Sample>, String> {
        let samples = self.case["query_result"].as_array().into_iter().flatten();
        Ok(samples.map(sample).collect())
    }

    fn timestamp(&self) -> i64 {
        self.time
    }

    fn external_url(&self) -> Option<&str> {
        Some(self.url)
    }
}

fn number(value: &Json) -> f64 {
    match value.as_str() {
        Some("+Inf") => f64::INFINITY,
        Some("-Inf") => f64::NEG_INFINITY,
        Some(_) => f64::NAN,
        None => value.as_f64().unwrap_or_default(),
    }
}

fn histogram(value: &Json) -> Value {
    let dense = DenseHistogram {
        count: number(&value["Count"]),
        sum: number(&value["Sum"]),
        ..DenseHistogram::default()
    };
    Value::Histogram(Arc::new(FloatHistogram::from(dense)))
}

fn sample(value: &Json) -> Sample {
    let labels = value["labels"].as_object().into_iter().flatten();
    let labels = labels.map(|(n, v)| (n.clone(), v.as_str().unwrap_or_default().to_owned()));
    let of_value = match value.get("histogram") {
        Some(value) => histogram(value),
        None => Value::Float(number(&value["value"])),
    };
    Sample { labels: Arc::new(labels.collect::<BTreeMap<_, _>>()), value: of_value }
}

fn scalar(kind: &str, value: &Json) -> Value {
    match kind {
        "int" => Value::Int(value.as_i64().unwrap_or_default(), IntType::Int),
        "int64" => Value::Int(value.as_i64().unwrap_or_default(), IntType::Int64),
        "uint" => Value::Uint(value.as_u64().unwrap_or_default(), false),
        "uint64" => Value::Uint(value.as_u64().unwrap_or_default(), true),
        "float64" => Value::Float(number(value)),
        "string" => Value::text(value.as_str().unwrap_or_default()),
        other => panic!("no input of type {other} is known"),
    }
}

/// What `.` is.
fn dot(input: &Json) -> Value {
    let Some(kind) = input["type"].as_str() else { return Value::Nil };
    if kind == "sample" {
        let value = histogram(&input["fields"]["Value"]);
        return Value::Sample(Arc::new(Sample { labels: Arc::default(), value }));
    }
    let Some(element) = kind.strip_prefix("[]") else { return scalar(kind, &input["value"]) };
    let elements = input["values"].as_array().into_iter().flatten();
    let type_name = match element {
        "float64" => "[]float64",
        "string" => "[]string",
        "int" => "[]int",
        "int64" => "[]int64",
        "uint" => "[]uint",
        _ => "[]uint64",
    };
    Value::List(List { elements: elements.map(|v| scalar(element, v)).collect(), type_name })
}

fn expand(case: &Json, name: &str, around: &mut Around<'_>) -> Result<String, String> {
    let missing_key = match case["options"].as_array() {
        None => MissingKey::Zero,
        Some(options) if options.iter().any(|o| o == "missingkey=error") => MissingKey::Error,
        Some(options) if options.iter().any(|o| o == "missingkey=zero") => MissingKey::Zero,
        Some(_) => MissingKey::Nothing,
    };
    let options = TemplateOptions { html: case["html"] == true, missing_key };
    let text = case["text"].as_str().unwrap_or_default();
    let template = Template::parse(name, text, options)
        .map_err(|error| format!("error parsing template {name}: {error}"))?;
    template.expand(&dot(&case["input"]), around).map_err(|error| error.to_string())
}

#[test]
fn templates() {
    let Some(files) = files("templates", "cases.json") else { return };
    let mut tally = Tally::default();
    for path in files {
        let file = read_json(&path);
        let name = file["template_name"].as_str().expect("template_name");
        let time = file["time_ms"].as_i64().expect("time_ms");
        let url = file["external_url"].as_str().expect("external_url");
        for case in file["cases"].as_array().expect("cases") {
            let got = expand(case, name, &mut Around { case, time, url });
            let expected = match case["ok"] == true {
                true => Ok(case["output"].as_str().unwrap_or_default().to_owned()),
                false => Err(case["error"].as_str().unwrap_or_default().to_owned()),
            };
            let outcome = if got == expected {
                Ok(())
            } else {
                Err(format!("got {got:?}, expected {expected:?}"))
            };
            tally.check(case["id"].as_str().expect("id"), outcome);
        }
    }
    tally.finish("templates");
}
