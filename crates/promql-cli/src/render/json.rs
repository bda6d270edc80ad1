//! The HTTP API's answer, byte for byte: whatever reads Prometheus' answers reads this.

use promql_model::QueryResult;
use promql_server::answer;

use super::View;

pub use promql_server::answer::{
    annotation, element, line_and_column, metric, place, series, string,
};

/// Writes the whole envelope in one line.
pub fn render(result: &QueryResult, view: &View) -> String {
    let mut out = answer::query(result, view.expression.as_bytes(), view.statistics.as_ref());
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::super::fixture::*;
    use super::*;
    use insta::assert_snapshot;
    use promql_model::{Annotation, QueryValue, Severity};

    fn show(value: QueryValue) -> String {
        render(&QueryResult { value, annotations: Vec::new() }, &view())
    }

    #[test]
    fn every_kind_of_result() {
        let t = 1_795_410_570_500;
        assert_snapshot!(show(QueryValue::Scalar { timestamp: t, value: 1e25 }),
            @r#"{"status":"success","data":{"resultType":"scalar","result":[1795410570.5,"10000000000000000000000000"]}}"#);
        assert_snapshot!(show(QueryValue::String { timestamp: 0, value: "<a&\"\u{1}\">".into() }),
            @r#"{"status":"success","data":{"resultType":"string","result":[0,"\u003ca\u0026\"\u0001\"\u003e"]}}"#);
        assert_snapshot!(show(vector(&[(&[], 1e25)])),
            @r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1795410570.500,"1e+25"]}]}}"#);
        assert_snapshot!(show(matrix(&[(&[("a", "b")], &[1.0, -0.0])])),
            @r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[1795410000,"1"],[1795410030,"-0"]]}]}}"#);
        assert_snapshot!(show(vector(&[])),
            @r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#);
    }

    #[test]
    fn histograms_have_buckets() {
        assert_snapshot!(show(histogram_vector()), @r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"job":"a"},"histogram":[1795410000,{"count":"21","sum":"10.5","buckets":[[1,"-4","-2","6"],[3,"-0.001","0.001","1"],[0,"0.5","1","2"],[0,"1","2","4"],[0,"4","8","8"]]}]}]}}"#);
    }

    #[test]
    fn annotations_carry_their_place() {
        let annotation = |severity, message: &str, span| Annotation {
            severity,
            message: message.to_string(),
            span,
        };
        let result = QueryResult {
            value: vector(&[]),
            annotations: vec![
                annotation(Severity::Warning, "results truncated due to limit", None),
                annotation(Severity::Info, "metric might not be a counter", Some((12, 14))),
            ],
        };
        let view = View { expression: "vector(1) +\nup".to_string(), ..view() };
        assert_snapshot!(render(&result, &view),
            @r#"{"status":"success","data":{"resultType":"vector","result":[]},"warnings":["results truncated due to limit"],"infos":["PromQL info: metric might not be a counter (2:1)"]}"#);
    }

    #[test]
    fn more_than_ten_annotations_are_counted() {
        let one = |i: usize| Annotation {
            severity: Severity::Warning,
            message: format!("w{i}"),
            span: None,
        };
        let result = QueryResult { value: vector(&[]), annotations: (0..14).map(one).collect() };
        let text = render(&result, &view());
        assert!(text.contains(r#""w9","4 more warning annotations omitted"]"#), "{text}");
    }
}
