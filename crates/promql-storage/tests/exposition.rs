//! Exposition text in, series or diagnostics out.

mod support;

use std::fmt::Write;

use promql_engine::Storage;
use promql_storage::exposition::{Format, read};
use proptest::prelude::*;

use support::{rendered, series};

const SCRAPE: i64 = 1_700_000_000_000;

/// Reads each text; the answers below each other.
fn table(format: Format, texts: &[&[u8]]) -> String {
    let mut out = String::new();
    for text in texts {
        let _ = writeln!(out, ">>> {}", text.escape_ascii());
        match read("metrics", text, format, SCRAPE) {
            Err(problems) => {
                let place = problems.problems()[0].excerpt();
                let _ = writeln!(out, "{}:{}: {problems}", place.line(), place.column());
            }
            Ok(exposition) => {
                let _ = write!(out, "{}", series(&exposition.storage));
                for warning in &exposition.warnings {
                    let place = warning.excerpt();
                    let (line, column) = (place.line(), place.column());
                    let _ = writeln!(out, "warning {line}:{column}: {warning}");
                }
            }
        }
    }
    out
}

#[test]
fn text_format_is_read_as_the_scraper_reads_it() {
    let answers = table(
        Format::Text,
        &[
            b"",
            b"a 1",
            b"a 1\n\n#x\n# y z\n#HELP a b\n",
            b"a 1 1700000000123\n",
            b"a 1 1700000000\n",
            b"a 1 -5\n",
            b"a 1 5.5\n",
            b"a 1 12x\n",
            b"a 1 99999999999999999999\n",
            b"a   1   1700000000000   \n",
            b"a\t1\n",
            b"a 1\r\nb 2\r\n\r\n# TYPE c gauge\r\nc 1\r\n",
            b"\r\n",
            b"  a 1\n",
            b"a {x=\"1\"} 2\n",
            b"a{x=\"1\"}2\n",
            b"a{ x = \"1\" , y=\"2\" , } 2\n",
            b"a{x=\"1\" y=\"2\"} 2\n",
            b"a{x=\"l1\nl2\"} 2\n",
            b"a{x=\"\\t\\q\\\\\\n\\\"\"} 2\n",
            b"a{x=\"\xff\"} 2\n",
            b"a{x=\"\"} 1\n",
            b"a{x=\"1\",x=\"2\"} 1\n",
            b"a 1\na 2\n",
            b"a 2 2000\na 1 1000\na 3 3000\na 9 1000\n",
            b"{\"a.b c\",x=\"1\"} 2\n",
            b"{x=\"1\",\"a.b\"} 2\n",
            b"a{\"x.y\"=\"1\"} 2\n",
            b"a{\"b\"} 2\n",
            b"{x=\"1\"} 2\n",
            b"{} 2\n",
            b"{__name__=\"foo\"} 2\n",
            b"a{__name__=\"foo\"} 2\n",
            b"{\"a\\\"b\\\\c\\nd\"} 2\n",
            b"{\"\"} 2\n",
            b"{abc} 2\n",
            b"a{b:c=\"1\"} 1\n",
            b"a:b{c=\"1\"} 1\n",
            b"a{c=1} 1\n",
            b"a{c 1} 1\n",
            b"a{=\"1\"} 1\n",
            b"a{c=\"1} 1\nb 2\n",
            b"a{c=\"1\" 1\n",
            b"a{c=\"1\",\n",
            b"a\n",
            b"a {}\n",
            b"a 1 2 3\n",
            b"a 1{}\n",
            b"a one\n",
            b"a 0x10\n",
            b"a 1_000\n",
            b"a 1e999\n",
            b"a nan\n",
            b"a +NaN\n",
            b"a -Inf\n",
            b"# TYPE a foo\na 1\n",
            b"# TYPE a unknown\n",
            b"# TYPE a\n",
            b"# TYPE a  counter\n",
            b"# HELP a\na 1\n",
            b"# TYPE 5a counter\n",
            b"# HELP a \xff\n",
            b"a 1 # {x=\"1\"} 1\n",
            b"5 1\n",
            b"a 1\n\0b 2\n",
            b"# TYPE a histogram\na_bucket{le=\"1\"} 1\na_bucket{le=\"+Inf\"} 2\nb{quantile=\"1\"} 1\n",
            b"# TYPE a summary\na{quantile=\"0.50\"} 1\nb{le=\"1\"} 1\n",
            b"a_bucket{le=\"1\"} 1\n",
            "é 1\n".as_bytes(),
        ],
    );
    insta::assert_snapshot!(answers);
}

#[test]
fn openmetrics_is_read_as_the_scraper_reads_it() {
    let answers = table(
        Format::OpenMetrics,
        &[
            b"# EOF",
            b"# EOF\n",
            b"",
            b"a 1\n",
            b"a 1",
            b"# EOF\na 1\n",
            b"# EOFx\n",
            b"a 1\n\n# EOF\n",
            b"# hello\n# EOF\n",
            b"#EOF\n",
            b"a\t1\n# EOF\n",
            b"a  1\n# EOF\n",
            b" a 1\n# EOF\n",
            b"a 1 \n# EOF\n",
            b"a {x=\"1\"} 1\n# EOF\n",
            b"a{x=\"1\", y=\"2\"} 1\n# EOF\n",
            b"a{x=\"1\" y=\"2\"} 1\n# EOF\n",
            b"a{x=\"1\",} 1\n# EOF\n",
            b"a{x=\"1\"}1\n# EOF\n",
            b"a 1 1.5\na 2 -1.5\n# EOF\n",
            b"a 1 1700000000.001\n# EOF\n",
            b"a 1 NaN\n# EOF\n",
            b"a 1 1e300\n# EOF\n",
            b"a 1 1e15\n# EOF\n",
            b"# UNIT a seconds\n# EOF\n",
            b"# UNIT a_seconds seconds\n# UNIT b \n# EOF\n",
            b"# TYPE a counter\na 1\n# EOF\n",
            b"# TYPE a untyped\n# EOF\n",
            b"# TYPE a\n# EOF\n",
            b"# HELP a\n# EOF\n",
            b"# HELP a \n# EOF\n",
            b"# HELP  a b\n# EOF\n",
            b"a_total 1 # {trace_id=\"x\"} 0.5\n# EOF\n",
            b"a_total 1 2 # {} 0.5 1.25\n# EOF\n",
            b"a_total 1 # {\"a.b\"=\"x\"} 1\n# EOF\n",
            b"a_total 1 # {\"a\"} 1\n# EOF\n",
            b"a_total 1 # {x=\"1\"}\n# EOF\n",
            b"a_total 1 # {x=\"1\"} y\n# EOF\n",
            b"a_total 1 # {x=1} 1\n# EOF\n",
            b"a_total 1 # x\n# EOF\n",
            b"a{x=\"l1\nl2\"} 1\n# EOF\n",
            b"a{x=\"l1\n",
            b"a 1\nb 1\na 2\n# EOF\n",
            b"{\"a.b\",\"x.y\"=\"1\"} 2\n# TYPE \"a.b\" gauge\n# EOF\n",
            b"# TYPE a histogram\na_bucket{le=\"1\"} 1\n# TYPE b gaugehistogram\nb_bucket{le=\"1\"} 1\n# EOF\n",
            b"a 1\r\nb 2\r\n# EOF\r\n",
            b"a 0x1\n# EOF\n",
            b"a {schema:1}\n# EOF\n",
        ],
    );
    insta::assert_snapshot!(answers);
}

#[test]
fn every_fault_is_shown_at_its_place() {
    let text = br#"# TYPE http_requests_total rate
http_requests_total{code="200",code="500"} 1
http_requests_total{code=200} 1
http_requests_total{code="200"} 1027 1.5
  disk free 12
caf	{"caf","bar"} 1
up 0x1F
"#;
    let problems = read("node.prom", text, Format::Text, SCRAPE).expect_err("faulty text");
    insta::assert_snapshot!(rendered(&problems));
}

#[test]
fn a_lone_fault_is_shown_with_its_surroundings() {
    let shown = |name, format, text: &[u8]| {
        rendered(&read(name, text, format, SCRAPE).expect_err("faulty text"))
    };
    insta::assert_snapshot!("no_eof", shown("a.om", Format::OpenMetrics, b"a 1\nb 2\n"));
    insta::assert_snapshot!("unclosed", shown("a.prom", Format::Text, b"ok 1\na{x=\"1} 2\nb 1\n"));
    insta::assert_snapshot!(
        "terminal",
        shown("a.prom", Format::Text, b"a{x=\"\x1b[31m\xff\"} 2\n")
    );
    let mut long = b"first 1\nsecond{text=\"".to_vec();
    long.extend(std::iter::repeat_n(b'x', 5000));
    long.extend_from_slice(b"\",text=\"2\"} 1 ");
    long.extend(std::iter::repeat_n(b'y', 5000));
    insta::assert_snapshot!("long_line", shown("a.prom", Format::Text, &long));
}

#[test]
fn more_faults_than_anyone_reads_are_counted() {
    let text = "a one\n".repeat(50);
    let problems = read("a.prom", text.as_bytes(), Format::Text, SCRAPE).expect_err("faulty text");
    assert_eq!((problems.problems().len(), problems.omitted()), (20, 30));
    assert_eq!(problems.to_string(), "`one` is not a number (and 49 more)");
}

#[test]
fn warnings_are_shown_at_their_place() {
    let text = b"  up 1\nup 2\nthen 1 1700000000\nlater 1 1700000001\n";
    let exposition = read("a.prom", text, Format::Text, SCRAPE).expect("only odd");
    let shown: Vec<String> = exposition.warnings.iter().map(|w| rendered(w)).collect();
    insta::assert_snapshot!(shown.join("\n\n"));
}

#[test]
fn metadata_is_kept_by_the_name_written() {
    let text = b"# HELP x_seconds How \\\"long\\\"\\n\\\\ it took\n# TYPE x_seconds counter\n\
                 # UNIT x_seconds seconds\n# TYPE y info\nx_seconds_total 1\n# EOF\n";
    let exposition = read("a.om", text, Format::OpenMetrics, SCRAPE).expect("well formed");
    insta::assert_debug_snapshot!(exposition.storage.metadata(None).expect("in memory"));
}

#[test]
fn the_format_is_told_by_the_last_line() {
    assert_eq!(Format::detect(b"a 1\n# EOF\n"), Format::OpenMetrics);
    assert_eq!(Format::detect(b"# EOF"), Format::OpenMetrics);
    assert_eq!(Format::detect(b"a 1\r\n# EOF\r\n"), Format::OpenMetrics);
    assert_eq!(Format::detect(b"# EOF\na 1\n"), Format::Text);
    assert_eq!(Format::detect(b"a{x=\"# EOF"), Format::Text);
    assert_eq!(Format::detect(b""), Format::Text);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_bytes_give_series_or_diagnostics(text in proptest::collection::vec(any::<u8>(), 0..200)) {
        for format in [Format::Text, Format::OpenMetrics] {
            if let Err(problems) = read("any", &text, format, SCRAPE) {
                rendered(&problems);
            }
        }
    }

    #[test]
    fn anything_that_looks_like_lines_gives_series_or_diagnostics(
        parts in proptest::collection::vec(
            prop_oneof![
                Just("a"), Just("{"), Just("}"), Just("\""), Just("\\"), Just("\n"), Just("\r"),
                Just(" "), Just("="), Just(","), Just("1"), Just("-"), Just("# "), Just("TYPE "),
                Just("HELP "), Just("UNIT "), Just("EOF"), Just("histogram"), Just("le"),
                Just("é"), Just("\0"), Just("\t"), Just("."), Just("__name__"),
            ],
            0..60,
        )
    ) {
        let text = parts.concat();
        for format in [Format::Text, Format::OpenMetrics] {
            if let Err(problems) = read("any", text.as_bytes(), format, SCRAPE) {
                rendered(&problems);
            }
        }
    }
}

#[test]
fn a_series_written_in_two_ways_is_one() {
    let text =
        b"a{x=\"1\",y=\"2\"} 1 1000\na{y=\"2\",x=\"1\"} 2 2000\na{ x=\"1\", y=\"2\" } 3 1000\n";
    let answers = table(Format::Text, &[text]);
    insta::assert_snapshot!(answers);
}

#[test]
fn created_lines_are_series_and_start_times() {
    let text = b"# TYPE a counter\na_total{x=\"1\"} 1\na_created{x=\"1\"} 1000.5\na_total{x=\"2\"} 1\n\
                 # TYPE h histogram\nh_bucket{le=\"+Inf\"} 1 5\nh_bucket{le=\"+Inf\"} 2 9\nh_count 1 5\n\
                 h_created 3 5\n# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_created 2\n\
                 # TYPE g gauge\ng 1\ng_created 2\n# EOF\n";
    let answers = table(Format::OpenMetrics, &[text]);
    insta::assert_snapshot!(answers);
}
