//! One JSON object a line: for `jq`, and for results too large to hold as one document.

use promql_model::QueryValue;

use super::{json, number, timestamps};

/// Writes one line for each series, in the shape that it has in the API's answer:
/// `{"metric":{…},"value":[t,"v"]}` or `{"metric":{…},"values":[[t,"v"],…]}`. A scalar is
/// `{"scalar":[t,"v"]}`, a string `{"string":[t,"v"]}`.
pub fn render(value: &QueryValue) -> String {
    let mut out = String::new();
    match value {
        QueryValue::Scalar { timestamp, value } => {
            let (time, value) = (timestamps::api_short(*timestamp), number::plain(*value));
            out.push_str(&format!("{{\"scalar\":[{time},\"{value}\"]}}\n"));
        }
        QueryValue::String { timestamp, value } => {
            out.push_str(&format!("{{\"string\":[{},", timestamps::api_short(*timestamp)));
            json::string(&mut out, value);
            out.push_str("]}\n");
        }
        QueryValue::Vector(elements) => {
            for element in elements {
                json::element(&mut out, element);
                out.push('\n');
            }
        }
        QueryValue::Matrix(all) => {
            for series in all {
                json::series(&mut out, series);
                out.push('\n');
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::fixture::*;
    use super::*;
    use insta::assert_snapshot;

    #[test]
    fn one_object_a_line() {
        assert_snapshot!("instant", render(&http_requests()));
        let value = matrix(&[(&[("job", "a")], &[1.0, 2.0]), (&[("job", "b")], &[3.0])]);
        assert_snapshot!("over_time", render(&value));
        assert_snapshot!(render(&QueryValue::Scalar { timestamp: 1500, value: 2.0 }),
            @r#"{"scalar":[1.5,"2"]}"#);
    }
}
