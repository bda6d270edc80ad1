//! Any text and any cursor gives answers, and what is offered leads on.

mod common;

use common::Server;
use promql_ide::{
    Progress, Snapshot, complete, diagnose, highlight, hover, matching_bracket, progress, signature,
};
use promql_syntax::Features;
use proptest::prelude::*;

/// Parts of expressions in any order.
fn text() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "up",
        "rate",
        "sum",
        "topk",
        "by",
        "without",
        "on",
        "group_left",
        "bool",
        "offset",
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        ",",
        "=",
        "=~",
        "!=",
        "!",
        "\"",
        "'",
        "`",
        "\\",
        "5m",
        "1",
        "0x",
        "1e",
        ":",
        "@",
        "start",
        "end",
        "+",
        "-",
        "/",
        "==",
        "and",
        " ",
        "\n",
        "#",
        "$",
        "$x",
        "job",
        "é",
        "日",
        "\u{1b}",
        "\0",
        "label_replace",
        "histogram_quantile",
        "a|b",
        "fill",
        ".",
        "\r",
    ]);
    prop::collection::vec(part, 0..24).prop_map(|parts| parts.concat())
}

/// How far the parser comes: to the end, or to where the first error is.
fn reach(text: &str) -> usize {
    match promql_syntax::parse(text, &Features::ALL) {
        Ok(_) => text.len(),
        Err(errors) => errors.first().span.start as usize,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics(text in text(), cursor in 0usize..80) {
        let server = Server::new();
        let mut known = Snapshot::new();
        let (found, _) = server.complete(&text, cursor, &mut known);
        prop_assert!(text.get(found.replaced.clone()).is_some(), "{:?} {:?}", text, found.replaced);
        for item in &found.items {
            prop_assert!(item.insert.is_char_boundary(item.caret), "{:?}", item);
        }
        for part in highlight(&text) {
            prop_assert!(text.get(part.span).is_some());
        }
        for problem in diagnose(&text) {
            prop_assert!(problem.span.start <= problem.span.end && problem.span.end <= text.len());
        }
        if let Some(hover) = hover(&text, cursor, &known) {
            prop_assert!(text.get(hover.span).is_some());
        }
        if let Some(found) = signature(&text, cursor) {
            for range in found.parameters {
                prop_assert!(found.text.get(range).is_some());
            }
        }
        matching_bracket(&text, cursor);
        if progress(&text) == Progress::Empty {
            let comments_only = text.lines().all(|line| line.trim().is_empty() || line.contains('#'));
            prop_assert!(comments_only);
        }
    }

    #[test]
    fn arbitrary_characters_do_no_harm(text in "\\PC{0,60}", cursor in 0usize..80) {
        let known = Snapshot::new();
        complete(&text, cursor, &known);
        highlight(&text);
        hover(&text, cursor, &known);
        signature(&text, cursor);
        diagnose(&text);
    }
}

/// What is offered behind the beginning of a right expression can be parsed at least as far as what was
/// there before.
#[test]
fn what_is_offered_leads_on() {
    let server = Server::new();
    let mut known = Snapshot::new();
    let expressions = [
        "sum by (job, code) (rate(http_requests_total{code=~\"5..\", job=\"api\"}[5m] offset 1h)) > 0.5",
        "histogram_quantile(0.9, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))",
        "up * on (instance) group_left (version) build_info == bool 1",
        "label_replace(up{job!=\"x\"}, \"a\", \"$1\", \"instance\", \"(.*):.*\") or vector(1)",
        "topk(3, max_over_time(node_load1[1h:5m] @ end())) unless ignoring (cpu) node_cpu_seconds_total",
        "-node_filesystem_avail_bytes{mountpoint=~\"/|/var\"} / 1024 ^ 3",
    ];
    let mut tried = 0;
    for text in expressions {
        for (cursor, _) in text.char_indices().chain([(text.len(), ' ')]) {
            let front = &text[..cursor];
            let (found, _) = server.complete(front, cursor, &mut known);
            for item in found.items.iter().filter(|item| item.fits) {
                let applied = format!("{}{}", &front[..found.replaced.start], item.insert);
                let (before, after) = (reach(&front[..found.replaced.start]), reach(&applied));
                assert!(
                    after >= before.min(found.replaced.start),
                    "{front}‸ offers {item:?}: {applied}"
                );
                tried += 1;
            }
        }
    }
    assert!(tried > 5000, "only {tried} items were offered");
}

/// What is nested deeply, and what is long, is answered, too.
#[test]
fn deep_and_long_texts() {
    let known = Snapshot::new();
    let texts = [
        "(",
        "sum(",
        "a+",
        "{",
        "[",
        "sum by (",
        "-",
        "rate(x[5m:",
        "label_replace(",
        "\"",
        "x{a=\"b\",",
    ];
    for text in texts.map(|part| part.repeat(5000)) {
        complete(&text, text.len(), &known);
        highlight(&text);
        signature(&text, text.len());
        progress(&text);
        matching_bracket(&text, 0);
    }
}
