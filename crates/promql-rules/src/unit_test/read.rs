//! From YAML to tests.

use std::ops::Range;
use std::sync::Arc;

use promql_storage::fixture::start_timestamp;

use super::{
    AlertTest, ExpectedAlert, ExpectedSample, ExpressionTest, InputSeries, TestGroup, Tolerance,
    UnitTestFile,
};
use crate::finding::Finding;
use crate::yaml::{self, Fields, Flavour, Node, Reader, Shape, Spanned, Text};

const FILE: Shape<'static> = Shape {
    upstream: "main.unitTestFile",
    noun: "unit-test file",
    keys: &[
        "rule_files",
        "evaluation_interval",
        "group_eval_order",
        "tests",
        "fuzzy_compare",
        "tolerance",
        "nan_equal",
    ],
};
const TEST: Shape<'static> = Shape {
    upstream: "main.testGroup",
    noun: "test",
    keys: &[
        "name",
        "interval",
        "input_series",
        "alert_rule_test",
        "promql_expr_test",
        "external_labels",
        "external_url",
        "start_timestamp",
        "tolerance",
        "nan_equal",
    ],
};
const SERIES: Shape<'static> =
    Shape { upstream: "main.series", noun: "series of the input", keys: &["series", "values"] };
const ALERT_TEST: Shape<'static> = Shape {
    upstream: "main.alertTestCase",
    noun: "test of an alert",
    keys: &["eval_time", "alertname", "exp_alerts"],
};
const ALERT: Shape<'static> = Shape {
    upstream: "main.alert",
    noun: "list entry of expected alerts",
    keys: &["exp_labels", "exp_annotations"],
};
const EXPRESSION_TEST: Shape<'static> = Shape {
    upstream: "main.promqlTestCase",
    noun: "test of an expression",
    keys: &["expr", "eval_time", "exp_samples", "tolerance", "nan_equal"],
};
const SAMPLE: Shape<'static> = Shape {
    upstream: "main.sample",
    noun: "list entry of expected samples",
    keys: &["labels", "value", "histogram", "tolerance", "nan_equal"],
};

/// The last so many keys of the shapes that have them are extensions.
const EXTENSIONS: usize = 2;

/// The shapes of the mappings, with what promtool doesn't know or without.
pub(super) struct Shapes {
    file: Shape<'static>,
    test: Shape<'static>,
    expression_test: Shape<'static>,
    sample: Shape<'static>,
}

impl Shapes {
    pub(super) const TOLERANCE: Shape<'static> =
        Shape { upstream: "", noun: "tolerance", keys: &["relative", "absolute", "ulps"] };

    fn new(extensions: bool) -> Shapes {
        let shape = |shape: &Shape<'static>| {
            let known = shape.keys.len() - if extensions { 0 } else { EXTENSIONS };
            Shape { upstream: shape.upstream, noun: shape.noun, keys: &shape.keys[..known] }
        };
        Shapes {
            file: shape(&FILE),
            test: shape(&TEST),
            expression_test: shape(&EXPRESSION_TEST),
            sample: shape(&SAMPLE),
        }
    }
}

/// A minute: the distance of evaluations where a file says nothing.
const DEFAULT_INTERVAL: i64 = 60_000;

const MILLISECOND: i64 = 1_000_000;

/// A unit-test file with what was found in it.
#[derive(Clone, Debug)]
pub struct ReadFile {
    /// The file; nothing if something is wrong with it.
    pub file: Option<UnitTestFile>,
    /// What is in the file, as far as it is text.
    pub text: Arc<str>,
    /// What is wrong or odd.
    pub findings: Vec<Finding>,
}

impl UnitTestFile {
    /// Reads a unit-test file. `name` is what it is called in diagnostics.
    pub fn read(name: &str, text: &[u8]) -> ReadFile {
        UnitTestFile::read_with(name, text, true)
    }

    /// The same; without `extensions` what promtool doesn't know is an error: `tolerance` and
    /// `nan_equal`.
    pub fn read_with(name: &str, text: &[u8], extensions: bool) -> ReadFile {
        let text: Arc<str> = match std::str::from_utf8(text) {
            Ok(text) => text.into(),
            Err(error) => {
                let start = error.valid_up_to();
                let finding = Finding::error(
                    "yaml::not-utf8",
                    start..start + '\u{fffd}'.len_utf8(),
                    "the file is not UTF-8",
                    "these bytes are not UTF-8",
                    "convert the file to UTF-8",
                );
                let text = String::from_utf8_lossy(text).into();
                return ReadFile { file: None, text, findings: vec![finding] };
            }
        };
        let stream = yaml::parse(&text);
        let mut reader = Reader::new(&text, Flavour::UnitTests);
        let mut file = UnitTestFile {
            name: name.to_owned(),
            text: Arc::clone(&text),
            rule_files: Vec::new(),
            evaluation_interval: DEFAULT_INTERVAL,
            group_eval_order: Vec::new(),
            fuzzy_compare: false,
            tests: Vec::new(),
        };
        match stream.documents.first() {
            Some(document) => {
                reader.document(document);
                if let Some(root) = &document.root {
                    read_file(&mut file, root, &Shapes::new(extensions), &mut reader);
                }
                let second = stream.documents.get(1).and_then(|next| next.separator.clone());
                if let Some(span) = second {
                    let finding = Finding::error(
                        "unit-test::several-documents",
                        span,
                        "only the first document of a unit-test file is used",
                        "from here on nothing is read",
                        "put all tests below one `tests`, or each document into a file of its own",
                    );
                    reader.add(finding.warning());
                }
            }
            None => {
                if let Some(fault) = &stream.error {
                    reader.fault(fault);
                }
            }
        }
        let findings = reader.into_findings();
        let is_valid = !findings.iter().any(Finding::is_error);
        ReadFile { file: is_valid.then_some(file), text, findings }
    }
}

fn read_file(file: &mut UnitTestFile, root: &Node<'_>, shapes: &Shapes, reader: &mut Reader<'_>) {
    let Some(fields) = reader.fields(root, &shapes.file) else { return };
    file.rule_files = texts(&fields, "rule_files", "names of rule files", reader);
    file.group_eval_order = texts(&fields, "group_eval_order", "names of groups", reader);
    file.fuzzy_compare = fields
        .get("fuzzy_compare")
        .and_then(|node| reader.boolean(node))
        .is_some_and(|value| value.value);
    if let Some(interval) = duration(&fields, "evaluation_interval", reader)
        && interval.value > 0
    {
        file.evaluation_interval = interval.value;
    }
    repeated_names(&file.group_eval_order, reader);
    let tolerance = Tolerance::read(&fields, reader);
    let Some(tests) = fields.get("tests") else { return };
    for node in reader.items(tests, "tests", "[]main.testGroup") {
        let Some(fields) = reader.fields(node, &shapes.test) else { continue };
        let mut test = read_test(&fields, file.evaluation_interval, tolerance, shapes, reader);
        if file.fuzzy_compare {
            let samples = test.expression_tests.iter_mut().flat_map(|test| &mut test.expected);
            samples.for_each(|sample| sample.tolerance = sample.tolerance.fuzzy());
        }
        file.tests.push(test);
    }
}

fn repeated_names(names: &[Text], reader: &mut Reader<'_>) {
    for (at, name) in names.iter().enumerate() {
        if names[..at].iter().any(|other| other.value == name.value) {
            let finding = Finding::error(
                "unit-test::group-twice",
                name.span.clone(),
                format!("the group `{}` is in the order twice", name.value),
                "here again",
                "name each group once",
            );
            let upstream = format!("group name repeated in evaluation order: {}", name.value);
            reader.add(finding.with_upstream(upstream));
        }
    }
}

fn read_test(
    fields: &Fields<'_, '_>,
    default: i64,
    tolerance: Tolerance,
    shapes: &Shapes,
    reader: &mut Reader<'_>,
) -> TestGroup {
    let of_test = Tolerance::read(fields, reader).or(tolerance);
    let interval = duration(fields, "interval", reader).filter(|interval| interval.value > 0);
    let mut test = TestGroup {
        name: fields.get("name").and_then(|node| reader.text(node)),
        span: fields.node().span.clone(),
        interval: interval.map_or(default, |interval| interval.value),
        start: fields.get("start_timestamp").map_or(0, |node| start_timestamp(node, reader)),
        input_series: Vec::new(),
        alert_tests: Vec::new(),
        expression_tests: Vec::new(),
        external_labels: map(fields, "external_labels", reader),
        external_url: text_or_empty(fields, "external_url", reader).value,
    };
    for (fields, span) in list(fields, "input_series", "input series", &SERIES, reader) {
        test.input_series.push(InputSeries {
            span,
            series: text_or_empty(&fields, "series", reader),
            values: text_or_empty(&fields, "values", reader),
        });
    }
    for (fields, span) in list(fields, "alert_rule_test", "tests of alerts", &ALERT_TEST, reader) {
        let expected = list(&fields, "exp_alerts", "expected alerts", &ALERT, reader);
        let expected = expected.into_iter().map(|(fields, span)| ExpectedAlert {
            span,
            labels: map(&fields, "exp_labels", reader),
            annotations: map(&fields, "exp_annotations", reader),
        });
        let expected = expected.collect();
        test.alert_tests.push(AlertTest {
            eval_time: time(&fields, &span, reader),
            alertname: text_or_empty(&fields, "alertname", reader),
            expected,
            expected_span: span_of(&fields, "exp_alerts"),
            span,
        });
    }
    let tests =
        list(fields, "promql_expr_test", "tests of expressions", &shapes.expression_test, reader);
    for (fields, span) in tests {
        let of_expression = Tolerance::read(&fields, reader).or(of_test);
        let expected = list(&fields, "exp_samples", "expected samples", &shapes.sample, reader);
        let expected = expected.into_iter().map(|(fields, span)| ExpectedSample {
            labels: text_or_empty(&fields, "labels", reader),
            value: fields
                .get("value")
                .and_then(|node| reader.float(node))
                .unwrap_or(Spanned::new(0.0, span.clone())),
            histogram: fields
                .get("histogram")
                .and_then(|node| reader.text(node))
                .filter(|text| !text.is_empty()),
            tolerance: Tolerance::read(&fields, reader).or(of_expression),
            span,
        });
        let expected = expected.collect();
        test.expression_tests.push(ExpressionTest {
            expr: text_or_empty(&fields, "expr", reader),
            eval_time: time(&fields, &span, reader),
            expected,
            expected_span: span_of(&fields, "exp_samples"),
            span,
        });
    }
    test
}

fn span_of(fields: &Fields<'_, '_>, key: &str) -> Option<Range<usize>> {
    fields.entry(key).map(|entry| entry.value.span.clone())
}

/// The fields of the mappings of a list, with their places.
fn list<'n, 't>(
    fields: &Fields<'n, 't>,
    key: &str,
    noun: &str,
    shape: &Shape<'_>,
    reader: &mut Reader<'_>,
) -> Vec<(Fields<'n, 't>, Range<usize>)> {
    let Some(node) = fields.get(key) else { return Vec::new() };
    let items = reader.items(node, noun, &format!("[]{}", shape.upstream));
    items.iter().filter_map(|item| Some((reader.fields(item, shape)?, item.span.clone()))).collect()
}

fn texts(fields: &Fields<'_, '_>, key: &str, noun: &str, reader: &mut Reader<'_>) -> Vec<Text> {
    let Some(node) = fields.get(key) else { return Vec::new() };
    reader.items(node, noun, "[]string").iter().filter_map(|item| reader.text(item)).collect()
}

fn map(fields: &Fields<'_, '_>, key: &str, reader: &mut Reader<'_>) -> Vec<(Text, Text)> {
    fields.get(key).map_or_else(Vec::new, |node| reader.text_map(node))
}

fn text_or_empty(fields: &Fields<'_, '_>, key: &str, reader: &mut Reader<'_>) -> Text {
    let empty = || {
        let start = fields.node().span.start;
        let span = fields.entry(key).map_or(start..start, |entry| entry.key.span.clone());
        Text::empty(span)
    };
    fields.get(key).and_then(|node| reader.text(node)).unwrap_or_else(empty)
}

/// Milliseconds.
fn duration(fields: &Fields<'_, '_>, key: &str, reader: &mut Reader<'_>) -> Option<Spanned<i64>> {
    let duration = reader.duration(fields.get(key)?)?;
    Some(Spanned::new(duration.value / MILLISECOND, duration.span()))
}

/// `eval_time`; at the start if nothing is said.
fn time(fields: &Fields<'_, '_>, span: &Range<usize>, reader: &mut Reader<'_>) -> Spanned<i64> {
    duration(fields, "eval_time", reader).unwrap_or(Spanned::new(0, span.start..span.start))
}
