//! Upstream's tables of engine tests: raw windows, `@`, annotations, quantiles of buckets.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use promql_engine::{EngineOptions, QueryOptions, Storage, evaluate};
use promql_model::{Labels, QueryResult, QueryValue, SampleValue, Severity};
use promql_storage::fixture::read_script;
use promql_storage::{Columns, MemoryBuilder, MemoryStorage, UnionStorage};
use promql_syntax::{Features, compile, line_and_column};
use promql_tests::conformance::{self, Tally};
use serde_json::Value;

#[test]
fn evaluates_the_upstream_tables() {
    let Some(files) = conformance::files("engine", ".json") else { return };
    for path in files {
        let table = conformance::read_json(&path);
        if table["informative"] == true {
            continue;
        }
        let suite = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let mut tally = Tally::default();
        for case in table["cases"].as_array().into_iter().flatten() {
            let id = case["id"].as_str().unwrap_or_default();
            tally.check(id, run(&path, &table, case));
        }
        tally.finish(&format!("engine/{suite}"));
    }
}

fn run(path: &Path, table: &Value, case: &Value) -> Result<(), String> {
    if case["buckets"].is_array() {
        return quantiles(case);
    }
    let script = case["load"].as_str().or(table["load"].as_str()).unwrap_or_default();
    let mut storages: Vec<Box<dyn Storage>> = vec![Box::new(load(script)?)];
    if path.ends_with("at_modifier.json") {
        storages.push(Box::new(negative_times()));
    }
    let storage = UnionStorage::new(storages);
    let at = |name: &str| {
        case[format!("{name}_ms")]
            .as_i64()
            .or(case[format!("{name}_s")].as_i64().map(|seconds| seconds * 1000))
    };
    let start = at("at").or(at("start")).ok_or("no time")?;
    let options = match (at("end"), at("interval").or(at("step"))) {
        (Some(end), Some(step)) => {
            QueryOptions::range(start, end, Duration::from_millis(step as u64))
        }
        _ => QueryOptions::instant(start),
    };
    let engine = EngineOptions {
        delayed_name_removal: case["infos"].is_array(),
        type_and_unit_labels: case["type_and_unit_labels"] == true,
        ..EngineOptions::default()
    };
    let expression = case["expr"].as_str().unwrap_or_default();
    let query = compile(expression, &Features::ALL).map_err(|errors| format!("{errors:?}"))?;
    let result = evaluate(&query, &storage, &options.with_engine(engine))
        .map_err(|error| error.to_string())?;
    for (kind, prefix, severity) in [
        ("warnings", "PromQL warning", Severity::Warning),
        ("infos", "PromQL info", Severity::Info),
    ] {
        if let Some(wanted) = case[kind].as_array() {
            let wanted: Vec<&str> = wanted.iter().filter_map(Value::as_str).collect();
            let found = remarks(&result, severity, prefix, expression);
            if found != wanted {
                return Err(format!("{found:?}, wanted {wanted:?}"));
            }
        }
    }
    match case["result"].as_array() {
        Some(wanted) => compare(&result.value, wanted),
        None => Ok(()),
    }
}

/// The series of a script that has nothing but loads. Some have no empty line between them.
fn load(script: &str) -> Result<MemoryStorage, String> {
    let script = script.replace("\nload ", "\n\nload ");
    let fixture = read_script("load", script.as_bytes(), None);
    Ok(fixture.map_err(|problems| problems.to_string())?.storage)
}

/// The series that no script can load, as the table describes them.
fn negative_times() -> MemoryStorage {
    let negative = (-1000..=0).map(|second| {
        let value = if second == -1000 { 1000.0 } else { 1.0 - second as f64 };
        (second * 1000, value)
    });
    let mut builder = MemoryBuilder::default();
    let mut insert = |name: &str, points: Vec<(i64, f64)>| {
        let (timestamps, values) = points.into_iter().unzip();
        let columns = Columns { timestamps, values, ..Columns::default() };
        builder.insert(Labels::from_pairs([("__name__", name)]), columns);
    };
    insert("metric_neg", negative.collect());
    insert("metric_timestamp", vec![(3_600_000, 1000.0)]);
    builder.build()
}

fn remarks(result: &QueryResult, of: Severity, prefix: &str, expression: &str) -> Vec<String> {
    let remarks = result.annotations.iter().filter(|remark| remark.severity == of);
    let text = |remark: &promql_model::Annotation| {
        let start = remark.span.map_or(0, |span| span.0 as usize);
        let (line, column) = line_and_column(expression.as_bytes(), start).unwrap_or_default();
        format!("{prefix}: {} ({line}:{column})", remark.message)
    };
    remarks.map(text).collect()
}

fn number(value: &Value) -> f64 {
    match value.as_str() {
        Some("+Inf") => f64::INFINITY,
        Some("-Inf") => f64::NEG_INFINITY,
        _ => value.as_f64().unwrap_or(f64::NAN),
    }
}

fn close(a: f64, b: f64, tolerance: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= tolerance * a.abs().max(b.abs())
}

fn compare(value: &QueryValue, wanted: &[Value]) -> Result<(), String> {
    let found: BTreeMap<Labels, Vec<(i64, f64)>> = match value {
        QueryValue::Vector(elements) => elements
            .iter()
            .filter_map(|element| match element.value {
                SampleValue::Float(value) => {
                    Some((element.labels.clone(), vec![(element.timestamp, value)]))
                }
                SampleValue::Histogram(_) => None,
            })
            .collect(),
        QueryValue::Matrix(matrix) => {
            matrix.iter().map(|series| (series.labels.clone(), series.floats.clone())).collect()
        }
        other => return Err(format!("{other:?}")),
    };
    let wanted: BTreeMap<Labels, Vec<(i64, f64)>> = wanted
        .iter()
        .map(|series| {
            let labels = series["labels"].as_object().into_iter().flatten();
            let labels = labels.map(|(n, v)| (n.as_str(), v.as_str().unwrap_or_default()));
            let points = match series["floats"].as_array() {
                Some(points) => points
                    .iter()
                    .map(|point| (point[0].as_i64().unwrap_or_default(), number(&point[1])))
                    .collect(),
                None => vec![(series["t"].as_i64().unwrap_or_default(), number(&series["value"]))],
            };
            (Labels::from_pairs(labels), points)
        })
        .collect();
    let same = found.len() == wanted.len()
        && found.iter().zip(&wanted).all(|(a, b)| {
            a.0 == b.0
                && a.1.len() == b.1.len()
                && a.1.iter().zip(b.1).all(|(a, b)| a.0 == b.0 && close(a.1, b.1, 1e-9))
        });
    if same { Ok(()) } else { Err(format!("{found:?}\nwanted {wanted:?}")) }
}

fn quantiles(case: &Value) -> Result<(), String> {
    let mut builder = MemoryBuilder::default();
    for bucket in case["buckets"].as_array().into_iter().flatten() {
        let bound = match bucket[0].as_str() {
            Some(text) => text.to_owned(),
            None => bucket[0].to_string(),
        };
        let labels = Labels::from_pairs([("__name__", "h_bucket"), ("le", &*bound)]);
        let values = vec![number(&bucket[1])];
        builder.insert(labels, Columns { timestamps: vec![0], values, ..Columns::default() });
    }
    let storage = builder.build();
    for quantile in case["quantiles"].as_array().into_iter().flatten() {
        let (q, wanted) = (number(&quantile[0]), number(&quantile[1]));
        let query = format!("histogram_quantile({q}, h_bucket)");
        let query = compile(&query, &Features::ALL).map_err(|errors| format!("{errors:?}"))?;
        let result = evaluate(&query, &storage, &QueryOptions::instant(0))
            .map_err(|error| error.to_string())?;
        let found = match &result.value {
            QueryValue::Vector(elements) => elements.iter().find_map(|e| match e.value {
                SampleValue::Float(value) => Some(value),
                SampleValue::Histogram(_) => None,
            }),
            _ => None,
        };
        if !found.is_some_and(|found| close(found, wanted, 1e-12)) {
            return Err(format!("{q}: {found:?}, wanted {wanted}"));
        }
        let repaired = result.annotations.iter().any(|a| a.message.contains("monotonicity"));
        if repaired != (case["forced"] == true) {
            return Err(format!("{q}: repaired {repaired}"));
        }
    }
    Ok(())
}
