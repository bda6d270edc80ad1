//! Trees as JSON and as drawings.

use super::parse;

#[test]
fn json_is_that_of_the_api() {
    assert_eq!(
        parse(r#"sum by (a) (x{b=~"<é\xff>"}) < bool 5m"#).to_json(false),
        concat!(
            r#"{"bool":true,"lhs":{"expr":{"anchored":false,"matchers":["#,
            r#"{"name":"b","type":"=~","value":"\u003cé\ufffd\u003e"},"#,
            r#"{"name":"__name__","type":"=","value":"x"}],"name":"x","offset":0,"#,
            r#""offsetExpr":null,"smoothed":false,"startOrEnd":null,"timestamp":null,"#,
            r#""type":"vectorSelector"},"grouping":["a"],"op":"sum","param":null,"#,
            r#""type":"aggregation","without":false},"matching":null,"op":"\u003c","#,
            r#""rhs":{"type":"numberLiteral","val":"300"},"type":"binaryExpr"}"#
        )
    );
    assert_eq!(
        parse("rate(x[2*step()] @ 1.5)").to_json(true),
        concat!(
            r#"{"args":[{"anchored":false,"matchers":[{"name":"__name__","type":"=","#,
            r#""value":"x"}],"name":"x","offset":0,"offsetExpr":null,"pos":[5,22],"range":0,"#,
            r#""rangeExpr":{"lhs":{"pos":[7,8],"type":"numberLiteral","val":"2"},"op":"*","#,
            r#""pos":[7,15],"rhs":{"lhs":null,"op":"step","pos":[9,15],"rhs":null,"#,
            r#""type":"durationExpr","wrapped":false},"type":"durationExpr","wrapped":false},"#,
            r#""smoothed":false,"startOrEnd":null,"timestamp":1500,"type":"matrixSelector"}],"#,
            r#""func":{"argTypes":["matrix"],"name":"rate","returnType":"vector","variadic":0},"#,
            r#""pos":[0,23],"type":"call"}"#
        )
    );
    assert_eq!(
        parse("a + on (x) fill_left (NaN) b").to_json(false).split("\"matching\":").last(),
        Some(concat!(
            r#"{"card":"one-to-one","fillValues":{"lhs":"NaN","rhs":null},"include":[],"#,
            r#""labels":["x"],"on":true},"op":"+","rhs":{"anchored":false,"matchers":"#,
            r#"[{"name":"__name__","type":"=","value":"b"}],"name":"b","offset":0,"#,
            r#""offsetExpr":null,"smoothed":false,"startOrEnd":null,"timestamp":null,"#,
            r#""type":"vectorSelector"},"type":"binaryExpr"}"#
        ))
    );
}

#[test]
fn the_syntax_tree_shows_what_was_written() {
    assert_eq!(
        parse("topk(3, -sum by (job) (rate(x[5m])) # c\n * on (job) (y offset 1h > 0))")
            .to_tree_text(),
        "\
aggregation topk               instant vector  topk(3, -sum by (job) (rate(x[5m])) * on (job) (y offset 1h > 0))
├─ number                      scalar          3
└─ binary *                    instant vector  -sum by (job) (rate(x[5m])) * on (job) (y offset 1h > 0)
   ├─ unary -                  instant vector  -sum by (job) (rate(x[5m]))
   │  └─ aggregation sum       instant vector  sum by (job) (rate(x[5m]))
   │     └─ call rate          instant vector  rate(x[5m])
   │        └─ range selector  range vector    x[5m]
   └─ parentheses              instant vector  (y offset 1h > 0)
      └─ binary >              instant vector  y offset 1h > 0
         ├─ selector           instant vector  y offset 1h
         └─ number             scalar          0
"
    );
}

#[test]
fn the_typed_tree_shows_what_it_means() {
    let query = promql_syntax::check(&parse(
        "label_join(quantile by (a) (0.9, +up) / on (a) group_left (b) fill_right (1) \
         (min_over_time(x[1h:5m]) and ignoring (c) vector(2 ^ 3)), 'd', '-', 'a', 'b')",
    ));
    let query = query.unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(
        query.to_typed_text(),
        "\
set label \"d\" to \"a\", \"b\" joined by \"-\"  instant vector  label_join(quantile by (a) (0.9, +up) / on (a) group_left (b) fill_right…
└─ compute /, many-to-one on (a), copying (b), 1 where the right is missing  instant vector  quantile by (a) (0.9, +up) / on (a) group_left (b) fill_right (1) (min_o…
   ├─ quantile by (a)                    instant vector  quantile by (a) (0.9, +up)
   │  ├─ number 0.9                      scalar          0.9
   │  └─ selector                        instant vector  up
   └─ set and, ignoring (c)              instant vector  min_over_time(x[1h:5m]) and ignoring (c) vector(2 ^ 3)
      ├─ call min_over_time              instant vector  min_over_time(x[1h:5m])
      │  └─ subquery                     range vector    x[1h:5m]
      │     └─ selector                  instant vector  x
      └─ vector of one element           instant vector  vector(2 ^ 3)
         └─ compute ^                    scalar          2 ^ 3
            ├─ number 2                  scalar          2
            └─ number 3                  scalar          3
"
    );
}
