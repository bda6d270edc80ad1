//! Scripts in, scripts with new expectations out.

use std::path::Path;

use promql_rules::script::{RunOptions, Script, Update, Verdict};
use proptest::prelude::*;

fn parse(text: &str) -> Script {
    Script::parse("a.test", text.as_bytes()).unwrap_or_else(|problems| {
        panic!("{problems} in line {}:\n{text}", problems.problems()[0].excerpt().line())
    })
}

/// The script with new expectations for all evals that fail.
fn update(script: &Script) -> Update {
    let options = RunOptions::default();
    let fails = |eval: &&_| matches!(script.run(eval, &options), Verdict::Failed(_));
    let failing: Vec<_> = script.evals().iter().filter(fails).collect();
    script.update(&failing, &options)
}

/// The evals that fail, by their lines.
fn failing(script: &Script) -> Vec<usize> {
    let options = RunOptions::default();
    let fails = |eval: &&_| matches!(script.run(eval, &options), Verdict::Failed(_));
    script.evals().iter().filter(fails).map(|eval| eval.line).collect()
}

/// Updates a script, and demands what must hold of any update: nothing fails any more, and all lines
/// but those of evals that failed are as they were.
fn updated(text: &str) -> String {
    let script = parse(text);
    let before = failing(&script);
    let update = update(&script);
    let after = parse(&update.text);
    assert_eq!(update.stuck, [0; 0], "in {text}");
    assert_eq!(failing(&after), [0; 0], "in {}", update.text);
    assert_eq!(untouched(&script, &before), untouched_after(&script, &after, &before));
    // Where no block ended by itself, empty lines are the same, too.
    let empty =
        |script: &Script| script.text().lines().filter(|line| line.trim().is_empty()).count();
    if !text.contains("\neval instant at 1m vector(1)\n  1\neval") {
        assert_eq!(empty(&script), empty(&after), "{}", update.text);
    }
    let endings = |text: &str| (text.ends_with('\n'), text.contains('\r'));
    assert_eq!(endings(text), endings(&update.text));
    update.text
}

/// All lines that belong to no eval on one of the lines, in order.
fn untouched(script: &Script, evals: &[usize]) -> Vec<String> {
    let of_failing: Vec<_> = script
        .evals()
        .iter()
        .filter(|eval| evals.contains(&eval.line))
        .map(|eval| eval.line..=eval.line + eval.expectations.lines.len())
        .collect();
    let lines = script.text().split('\n').enumerate();
    let kept = lines.filter(|(at, _)| !of_failing.iter().any(|range| range.contains(&(at + 1))));
    // An empty line may be needed behind a block that ended by itself before.
    let mut kept: Vec<String> =
        kept.map(|(_, line)| line.trim_end_matches('\r').to_owned()).collect();
    kept.retain(|line| !line.is_empty());
    kept
}

/// The same of the script that it became; its evals come in the same order.
fn untouched_after(before: &Script, after: &Script, failed: &[usize]) -> Vec<String> {
    let pairs = before.evals().iter().zip(after.evals());
    let lines: Vec<usize> =
        pairs.filter(|(old, _)| failed.contains(&old.line)).map(|(_, new)| new.line).collect();
    untouched(after, &lines)
}

#[test]
fn only_what_does_not_hold_is_changed() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/scripts/outdated.test");
    let text = std::fs::read_to_string(&corpus).expect("a script");
    insta::assert_snapshot!("outdated", updated(&text));
}

#[test]
fn line_endings_and_missing_ones_stay() {
    let text = "load 1m\r\n  up 1x5\r\n\r\neval instant at 1m up\r\n\tup  \t 2  \r\n\tdown 1";
    assert_eq!(updated(text), "load 1m\r\n  up 1x5\r\n\r\neval instant at 1m up\r\n\tup  \t 1  ");
    let text = "load 1m\n  up 1x5\n  down 0x5\n\neval instant at 1m {__name__=~\"up|down\"}";
    assert_eq!(updated(text), format!("{text}\n  down 0\n  up 1"));
    let text =
        "eval instant at 1m 1\n  2\neval instant at 1m vector(1)\n  1\neval instant at 0 1\n  1\n";
    assert_eq!(
        updated(text),
        "eval instant at 1m 1\n  1\neval instant at 1m vector(1)\n  {} 1\n\neval instant at 0 1\n  1\n"
    );
}

#[test]
fn what_holds_in_some_forms_only_is_left() {
    // A selector without samples at other times, whatever is written on it.
    let text = "load 1m\n  up 1x5\n\neval instant at 1m timestamp(up) * 0 + scalar(up offset -1m)\n  {} 2\n";
    let script = parse(text);
    let update = update(&script);
    assert!(update.stuck.is_empty());
    assert!(update.text.ends_with("  {} 1\n"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever was expected, the update holds and touches nothing else.
    #[test]
    fn any_expectations_become_right(
        blocks in proptest::collection::vec((0..QUERIES.len(), any::<bool>(), proptest::collection::vec(0..LINES.len(), 0..5)), 1..6),
        carriage_returns in any::<bool>(),
    ) {
        let mut text = FIXTURE.to_owned();
        for (query, is_range, lines) in blocks {
            let time = if is_range { "range from 0 to 4m step 1m" } else { "instant at 3m" };
            let mut block = format!("# A question.\n\neval {time} {}\n", QUERIES[query]);
            for line in lines {
                block.push_str(&format!("    {}\n", LINES[line]));
            }
            block.push('\n');
            // Lines that contradict each other, or that no such query can have, are no script.
            if Script::parse("a.test", block.as_bytes()).is_ok() {
                text.push_str(&block);
            }
        }
        if carriage_returns {
            text = text.replace('\n', "\r\n");
        }
        updated(&text);
    }
}

const FIXTURE: &str = "load 1m
  a{i=\"1\"} 0+1x5
  a{i=\"2\"} 5 _ 3 NaN 1
  a{i=\"3\", j=\"x y\"} 1 Inf 3 stale 4
  h{i=\"1\"} {{schema:1 count:3 sum:5 buckets:[1 2]}}x5
  {\"\u{e9}t\u{e9}\"} 1

";

const QUERIES: [&str; 14] = [
    "a",
    "sum(a)",
    "sort_desc(a)",
    "rate(a[2m])",
    "a * on () a",
    "scalar(a{i=\"1\"})",
    "\"text\"",
    "a[2m]",
    "nothing",
    "a + on (i) h",
    "h",
    "histogram_quantile(2, h)",
    "sum({i=\"1\"})",
    "quantile(1.5, a) + quantile(-1, a)",
];

const LINES: [&str; 16] = [
    "a{i=\"1\"} 3",
    "a{i=\"2\"}   7",
    "{__name__=\"a\", i=\"3\", j=\"x y\"} 4",
    "{} 1",
    "b 5",
    "h{i=\"1\"} {{schema:1 count:2 sum:5 buckets:[1 2]}}",
    "a{i=\"1\"} 0 1 2 3 5",
    "expect warn",
    "expect info regex: a.*b",
    "expect warn msg: PromQL warning: something (1:1)",
    "expect no_info",
    "expect no_warn",
    "expect ordered",
    "expect fail msg: wrong",
    "expect string \"other\"",
    "expect range vector from 1m to 3m step 1m",
];
