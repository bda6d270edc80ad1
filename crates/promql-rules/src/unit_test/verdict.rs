//! The verdicts on the tests of alerts and of expressions.

use std::collections::BTreeMap;

use promql_engine::evaluate;
use promql_model::{Labels, SampleValue};
use promql_syntax::{Features, SequenceValue, compile, parse_metric, parse_series};

use super::compare::{AlertTexts, WantedSample, compare_samples};
use super::{
    AlertRow, AlertTest, AlertVerdict, ExpectedSample, ExpressionTest, ExpressionVerdict,
    Tolerance, UnitTestFile, compare_alerts,
};
use crate::evaluate::{Evaluation, NO_VECTOR, elements};
use crate::finding::Finding;
use crate::script::RowVerdict;
use crate::yaml::Text;

/// What the alerts that fire now, at the time of a cycle, are to a test.
pub(super) fn alert(evaluation: &Evaluation, test: &AlertTest, time: i64) -> AlertVerdict {
    let name = &test.alertname.value;
    let fired = evaluation.alerts(name, time);
    let fired: Vec<AlertTexts> = fired
        .into_iter()
        .map(|alert| {
            let labels = alert.labels.iter().map(|(n, v)| (n.to_owned(), v.to_owned()));
            (labels.collect(), alert.annotations.into_iter().collect())
        })
        .collect();
    let texts = |pairs: &[(Text, Text)]| {
        let pairs = pairs.iter().map(|(name, value)| (name.value.clone(), value.value.clone()));
        pairs.collect::<BTreeMap<String, String>>()
    };
    let expected = test.expected.iter().map(|alert| {
        let mut labels = texts(&alert.labels);
        labels.insert("alertname".to_owned(), name.clone());
        (labels, texts(&alert.annotations))
    });
    let expected: Vec<AlertTexts> = expected.collect();
    let rows = compare_alerts(&expected, &fired);
    match rows.iter().all(AlertRow::is_same) {
        true => AlertVerdict::Passed,
        false => AlertVerdict::Failed(rows),
    }
}

/// What an expression gives over the series that there are, and what that is to a test, which begins
/// at a time.
pub(super) fn expression(
    evaluation: &Evaluation,
    file: &UnitTestFile,
    start: i64,
    test: &ExpressionTest,
    features: &Features,
) -> ExpressionVerdict {
    let positions = test.expr.positions(&file.text);
    let query = match compile(&test.expr.value, features) {
        Ok(query) => query,
        Err(errors) => {
            let findings = Finding::from_errors(&errors, test.expr.value.len(), |range| {
                positions.file_span(range)
            });
            return ExpressionVerdict::Broken { message: errors.to_string(), findings };
        }
    };
    let at = start.saturating_add(test.eval_time.value);
    let options = evaluation.query_options(at);
    let broken = |message: String, help: &'static str| {
        let finding = Finding::error(
            "unit-test::failed-query",
            test.expr.span.clone(),
            format!("the query failed: {message}"),
            "this was evaluated",
            help,
        );
        ExpressionVerdict::Broken { message, findings: vec![finding] }
    };
    let result = match evaluate(&query, &evaluation.store, &options) {
        Ok(result) => result,
        Err(error) => return broken(error.to_string(), ""),
    };
    let Some(got) = elements(result.value) else {
        let help = "test something whose result is an instant vector or a scalar";
        return broken(NO_VECTOR.to_owned(), help);
    };
    let mut expected = Vec::with_capacity(test.expected.len());
    for sample in &test.expected {
        match wanted(file, sample) {
            Ok(sample) => expected.push(sample),
            Err((message, findings)) => {
                return ExpressionVerdict::Broken { message, findings };
            }
        }
    }
    let got: Vec<WantedSample> = got.into_iter().map(|e| (e.labels, e.value)).collect();
    let tolerances: Vec<Tolerance> = test.expected.iter().map(|s| s.tolerance).collect();
    let rows = compare_samples(&expected, &got, &tolerances);
    match rows.iter().all(|row| row.verdict == RowVerdict::Same) {
        true => ExpressionVerdict::Passed,
        false => ExpressionVerdict::Failed(rows),
    }
}

/// An expected sample; or upstream's message about it, and what is wrong and where.
fn wanted(
    file: &UnitTestFile,
    sample: &ExpectedSample,
) -> Result<WantedSample, (String, Vec<Finding>)> {
    let labels = match sample.labels.value.trim() {
        "" => Labels::empty(),
        text => parse_metric(text).map_err(|errors| {
            let front = sample.labels.value.len() - sample.labels.value.trim_start().len();
            let positions = sample.labels.positions(&file.text);
            let place = |range: std::ops::Range<usize>| {
                positions.file_span(range.start + front..range.end + front)
            };
            let findings = Finding::from_errors(&errors, text.len(), place);
            (format!("labels {:?}: {errors}", sample.labels.value), findings)
        })?,
    };
    let Some(histogram) = &sample.histogram else {
        return Ok((labels, SampleValue::Float(sample.value.value)));
    };
    const FRONT: &str = "{} ";
    let fault = |message: String, findings: Vec<Finding>| (message, findings);
    let described = parse_series(&format!("{FRONT}{}", histogram.value)).map_err(|errors| {
        let positions = histogram.positions(&file.text);
        let shift = |at: usize| at.saturating_sub(FRONT.len());
        let findings =
            Finding::from_errors(&errors, FRONT.len() + histogram.value.len(), |range| {
                positions.file_span(shift(range.start)..shift(range.end))
            });
        fault(format!("labels {:?}: {errors}", sample.labels.value), findings)
    })?;
    let wrong = |message: String| {
        let finding = Finding::error(
            "unit-test::no-histogram",
            histogram.span.clone(),
            message.clone(),
            "not one histogram",
            "write one native histogram, as `{{schema:0 count:3 sum:4 buckets:[1 2]}}`; floats \
             go to `value`",
        );
        fault(format!("labels {:?}: {message}", sample.labels.value), vec![finding])
    };
    match &described.values[..] {
        [SequenceValue::Histogram { histogram, .. }] => {
            Ok((labels, SampleValue::Histogram(histogram.clone())))
        }
        [SequenceValue::Float(value)] => Err(wrong(format!("expected histogram, got {value:.6}"))),
        [_] => Err(wrong("expected histogram, got _".to_owned())),
        values => Err(wrong(format!("expected 1 value, got {}", values.len()))),
    }
}
