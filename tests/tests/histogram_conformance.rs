//! Upstream's cases for the arithmetic of native histograms.
//!
//! A case says by its fields what is to be done; only addition and subtraction look the same, and
//! are told apart by the name of the file.

use promql_model::{
    CompensatedHistogram, CounterResetHint, FloatHistogram, HistogramError, HistogramParts,
    IntegerHistogramParts, Labels, Span, bucket_bound, fraction_below,
};
use promql_tests::conformance::{Tally, files, read_json};
use serde_json::Value;

type Outcome = Result<(), String>;

#[test]
fn histograms() {
    let Some(files) = files("histogram", ".json") else { return };
    let mut tally = Tally::default();
    for path in files {
        let name = path.file_stem().expect("name").to_string_lossy().into_owned();
        for case in read_json(&path)["cases"].as_array().expect("cases") {
            tally.check(case["id"].as_str().expect("id"), check(&name, case));
        }
    }
    tally.finish("histograms");
}

fn check(file: &str, case: &Value) -> Outcome {
    let has = |field: &str| case.get(field).is_some();
    match () {
        () if has("expectedBuckets") => cumulative_buckets(case),
        () if has("bucket") => fraction(case),
        () if has("nhcb") => to_classic(case),
        () if has("in1") && file.contains("sub") => combined(case, -1.0),
        () if has("in1") => combined(case, 1.0),
        () if has("maxEmptyBuckets") => compacted(case),
        () if has("targetSchema") => reduced(case),
        () if has("previous") => reset(case),
        () if has("scale") => scaled(case, "in", |h| h.multiply(number(&case["scale"]))),
        () if has("s") => scaled(case, "fh", |h| h.divide(number(&case["s"]))),
        () if has("fh") => {
            let printed = float(&case["fh"]).map_err(text)?.to_string();
            same(&printed, case["expected"].as_str().unwrap_or_default())
        }
        () if has("expectedString") => {
            let printed = integer(&case["histogram"]).to_float().map_err(text)?.to_string();
            same(&printed, case["expectedString"].as_str().unwrap_or_default())
        }
        () if has("idx") => {
            let index = case["idx"].as_i64().unwrap_or(0);
            let bound = bucket_bound(case["schema"].as_i64().unwrap_or(0) as i32, index);
            same(&format!("{bound:?}"), &format!("{:?}", number(&case["want"])))
        }
        () => Err("don't know what to do".into()),
    }
}

fn cumulative_buckets(case: &Value) -> Outcome {
    let mut parts = integer(&case["histogram"]);
    // Spans may promise more buckets than there are; the iterator ends with those that there are.
    let mut left = parts.positive_deltas.len() as u32;
    for span in &mut parts.positive_spans {
        span.length = span.length.min(left);
        left -= span.length;
    }
    let histogram = parts.to_float().map_err(text)?;
    let got: Vec<_> = histogram
        .cumulative_buckets()
        .map(|b| (b.lower, b.upper, b.count, b.index, b.lower_inclusive, b.upper_inclusive))
        .collect();
    let want: Vec<_> = case["expectedBuckets"]
        .as_array()
        .expect("buckets")
        .iter()
        .map(|b| {
            let (index, flag) = (b["Index"].as_i64().unwrap_or(0), |name| b[name] == true);
            let (lower, upper) = (number(&b["Lower"]), number(&b["Upper"]));
            let count = number(&b["Count"]);
            (lower, upper, count, index, flag("LowerInclusive"), flag("UpperInclusive"))
        })
        .collect();
    same(&format!("{got:?}"), &format!("{want:?}"))
}

fn fraction(case: &Value) -> Outcome {
    let bucket = &case["bucket"];
    let (lower, upper) = (number(&bucket["Lower"]), number(&bucket["Upper"]));
    let value = number(&case["v"]);
    // Outside of the bucket there is nothing to interpolate.
    let got = if value <= lower {
        0.0
    } else if value >= upper {
        1.0
    } else {
        fraction_below(lower, upper, value, case["linear"] == true)
    };
    let want = number(&case["want"]);
    if (got - want).abs() <= 1e-12 { Ok(()) } else { Err(format!("got {got}, want {want}")) }
}

fn to_classic(case: &Value) -> Outcome {
    let (value, labels) = (&case["nhcb"], labels(&case["labels"]));
    let name = case["name"].as_str().unwrap_or_default().to_lowercase();
    let classic = if value.is_null() {
        Err("no histogram".to_owned())
    } else if name.contains("float") {
        float(value).and_then(|h| h.to_classic()).map_err(text)
    } else {
        integer(value).to_classic().map_err(text)
    };
    if case["expectErr"] == true {
        return classic.map_or(Ok(()), |classic| Err(format!("got {classic:?}, want an error")));
    }
    let shown = |series: Vec<(Labels, f64)>| {
        let mut lines: Vec<_> = series.iter().map(|(l, v)| format!("{l} {v}")).collect();
        lines.sort();
        lines.join("\n")
    };
    let want = case["expected"].as_array().expect("series").iter();
    let want = want.map(|series| (self::labels(&series["lset"]), number(&series["val"])));
    same(&shown(classic?.series(&labels)), &shown(want.collect()))
}

fn combined(case: &Value, sign: f64) -> Outcome {
    let (first, second) = (float(&case["in1"]).map_err(text)?, float(&case["in2"]).map_err(text)?);
    let mut plain = first.clone();
    let mut summed = CompensatedHistogram::from_float(&first);
    let (result, result_of_summed) = if sign < 0.0 {
        (plain.subtract(&second), summed.subtract(&second))
    } else {
        (plain.add(&second), summed.add(&second))
    };
    if result != result_of_summed {
        return Err(format!("{result:?} but compensated {result_of_summed:?}"));
    }
    let message = case["expErrMsg"].as_str().filter(|message| !message.is_empty());
    let combined = match (result, message) {
        (Err(error), Some(message)) => return same(&error.to_string(), message),
        (Err(error), None) => return Err(error.to_string()),
        (Ok(_), Some(message)) => return Err(format!("no error, want {message}")),
        (Ok(combined), None) => combined,
    };
    if combined.hint_collision != (case["expCounterResetCollision"] == true)
        || combined.bounds_reconciled != (case["expNHCBBoundsReconciled"] == true)
    {
        return Err(format!("{combined:?}"));
    }
    if case.get("expected").is_none_or(Value::is_null) {
        return Ok(());
    }
    let mut want = float(&case["expected"]).map_err(text)?;
    want.compact(0);
    for mut got in [plain, summed.to_float()] {
        got.compact(0);
        close(&got, &want)?;
    }
    Ok(())
}

fn compacted(case: &Value) -> Outcome {
    let mut got = float(&case["in"]).map_err(text)?;
    got.compact(case["maxEmptyBuckets"].as_u64().unwrap_or(0) as usize);
    close(&got, &float(&case["expected"]).map_err(text)?)
}

fn reduced(case: &Value) -> Outcome {
    let schema = case["targetSchema"].as_i64().unwrap_or(0) as i32;
    // Populations of histograms with integer counts, which have `target`, are differences.
    let parse = |value: &Value, whole: bool| {
        if whole { integer(value).to_float() } else { float(value) }
    };
    let whole = case["id"].as_str().is_some_and(|id| id.starts_with("histogram_"));
    let source = case.get("origin").unwrap_or(&case["in"]);
    let got = parse(source, whole).and_then(|h| h.at_schema(schema));
    let want = case.get("target").or(case.get("expected"));
    match (got, case["errorMsg"].as_str()) {
        (Err(error), Some(message)) => same(&error.to_string(), message),
        (Err(error), None) => Err(error.to_string()),
        (Ok(got), Some(message)) => Err(format!("got {got:?}, want {message}")),
        (Ok(got), None) => close(&got, &parse(want.expect("target"), whole).map_err(text)?),
    }
}

fn reset(case: &Value) -> Outcome {
    let previous = float(&case["previous"]).map_err(text)?;
    let got = float(&case["current"]).map_err(text)?.detect_reset(&previous);
    same(&got.to_string(), &case["resetExpected"].to_string())
}

fn scaled(case: &Value, input: &str, change: impl Fn(&mut FloatHistogram)) -> Outcome {
    let mut got = float(&case[input]).map_err(text)?;
    change(&mut got);
    close(&got, &float(&case["expected"]).map_err(text)?)
}

/// Whether two histograms are the same but for rounding.
fn close(got: &FloatHistogram, want: &FloatHistogram) -> Outcome {
    let near = |a: f64, b: f64| {
        a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= 1e-12 * (a.abs() + b.abs())
    };
    if got.is_like(want, near) && got.hint == want.hint {
        Ok(())
    } else {
        Err(format!("\n  got  {:?}\n  want {:?}", got.to_parts(), want.to_parts()))
    }
}

fn same(got: &str, want: &str) -> Outcome {
    if got == want { Ok(()) } else { Err(format!("\n  got  {got}\n  want {want}")) }
}

fn text(error: HistogramError) -> String {
    error.to_string()
}

/// A number of the data: JSON's, or the words for those that JSON lacks.
fn number(value: &Value) -> f64 {
    match value.as_str() {
        Some("NaN") => f64::NAN,
        Some("+Inf") => f64::INFINITY,
        Some("-Inf") => f64::NEG_INFINITY,
        _ => value.as_f64().unwrap_or(0.0),
    }
}

fn list<T>(value: &Value, item: impl Fn(&Value) -> T) -> Vec<T> {
    value.as_array().map(|items| items.iter().map(item).collect()).unwrap_or_default()
}

fn spans(value: &Value) -> Vec<Span> {
    list(value, |span| Span {
        offset: span["Offset"].as_i64().unwrap_or(0) as i32,
        length: span["Length"].as_u64().unwrap_or(0) as u32,
    })
}

fn hint(value: &Value) -> CounterResetHint {
    let name = value.as_str().unwrap_or_default();
    match name.strip_prefix("histogram.").unwrap_or(name) {
        "CounterReset" => CounterResetHint::Reset,
        "NotCounterReset" => CounterResetHint::NotReset,
        "GaugeType" => CounterResetHint::Gauge,
        _ => CounterResetHint::Unknown,
    }
}

fn labels(value: &Value) -> Labels {
    let pairs = value.as_object().into_iter().flatten();
    Labels::from_pairs(pairs.map(|(name, value)| (name, value.as_str().unwrap_or_default())))
}

fn float(value: &Value) -> Result<FloatHistogram, HistogramError> {
    FloatHistogram::from_parts(HistogramParts {
        schema: value["Schema"].as_i64().unwrap_or(0) as i32,
        zero_threshold: number(&value["ZeroThreshold"]),
        zero_count: number(&value["ZeroCount"]),
        count: number(&value["Count"]),
        sum: number(&value["Sum"]),
        positive_spans: spans(&value["PositiveSpans"]),
        positive_buckets: list(&value["PositiveBuckets"], number),
        negative_spans: spans(&value["NegativeSpans"]),
        negative_buckets: list(&value["NegativeBuckets"], number),
        custom_values: list(&value["CustomValues"], number),
        hint: hint(&value["CounterResetHint"]),
    })
}

fn integer(value: &Value) -> IntegerHistogramParts {
    let deltas = |field: &str| list(&value[field], |delta| number(delta) as i64);
    IntegerHistogramParts {
        schema: value["Schema"].as_i64().unwrap_or(0) as i32,
        zero_threshold: number(&value["ZeroThreshold"]),
        zero_count: number(&value["ZeroCount"]) as u64,
        count: number(&value["Count"]) as u64,
        sum: number(&value["Sum"]),
        positive_spans: spans(&value["PositiveSpans"]),
        positive_deltas: deltas("PositiveBuckets"),
        negative_spans: spans(&value["NegativeSpans"]),
        negative_deltas: deltas("NegativeBuckets"),
        custom_values: list(&value["CustomValues"], number),
        hint: hint(&value["CounterResetHint"]),
    }
}
