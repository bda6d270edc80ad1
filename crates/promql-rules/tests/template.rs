//! Templates, text in and text out.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use promql_rules::template::{AlertData, Sample, Surroundings, Template, Value};

/// Knows the series `m` and `multi`, and the time.
struct Series;

fn labels(pairs: &[(&str, &str)]) -> Arc<BTreeMap<String, String>> {
    Arc::new(pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect())
}

fn sample(pairs: &[(&str, &str)], value: f64) -> Sample {
    Sample { labels: labels(pairs), value: Value::Float(value) }
}

const M: [(&str, &str); 3] = [("__name__", "m"), ("a", "x"), ("instance", "h.example.com:9100")];

impl Surroundings for Series {
    fn query(&mut self, expression: &str) -> Result<Vec<Sample>, String> {
        let multi = |(a, b, value)| sample(&[("__name__", "multi"), ("a", a), ("b", b)], value);
        match expression {
            "m" | "m{a=\"x\"}" => Ok(vec![sample(&M, 1.5)]),
            "multi" => Ok([("z", "1", 3.0), ("y", "2", 1.0), ("w", "1", 2.0)].map(multi).into()),
            "sort_desc(multi)" => {
                Ok([("z", "1", 3.0), ("w", "1", 2.0), ("y", "2", 1.0)].map(multi).into())
            }
            "time()" => Ok(vec![sample(&[], 60.0)]),
            "nope" => Ok(Vec::new()),
            other => Err(format!("1:1: parse error: {other}")),
        }
    }

    fn timestamp(&self) -> i64 {
        60_000
    }
}

fn dot(value: f64) -> Value {
    let external = [("region".to_owned(), "eu".to_owned())];
    Value::Alert(Arc::new(AlertData {
        labels: labels(&M),
        external_labels: Arc::new(external.into()),
        external_url: "http://p/".into(),
        value: Value::Float(value),
    }))
}

/// The text, or what is wrong with it.
fn expand(text: &str, value: f64) -> String {
    match Template::alert("N", text) {
        Err(error) => error.to_string(),
        Ok(template) => match template.expand(&dot(value), &mut Series) {
            Ok(expanded) => expanded,
            Err(error) => error.to_string(),
        },
    }
}

#[track_caller]
fn check(text: &str, expanded: &str) {
    assert_eq!(expand(text, 1.5), expanded, "{text}");
}

#[test]
fn worked_examples() {
    check("{{ $value }} {{ $labels.a }} [{{ $labels.nope }}]", "1.5 x []");
    check("{{ $labels }}", "map[__name__:m a:x instance:h.example.com:9100]");
    check(r#"{{ printf "%.2f" $value }}"#, "1.50");
    check(r#"{{ $value | printf "%08.3f" }}"#, "0001.500");
    check("{{ if gt $value 1.0 }}hi{{ else }}lo{{ end }}", "hi");
    check(
        r#"{{ if eq $labels.a "x" "y" }}Y{{ else if eq $labels.a "z" }}Z{{ else }}N{{ end }}"#,
        "Y",
    );
    check("{{ with $labels.zzz }}W{{ else with $labels.a }}A={{ . }}{{ end }}", "A=x");
    check(
        "{{ range $k, $v := $labels }}{{ $k }}={{ $v }},{{ end }}",
        "__name__=m,a=x,instance=h.example.com:9100,",
    );
    check(
        r#"{{ range query "multi" | sortByLabel "b" }}{{ .Labels.a }}:{{ .Value }} {{ end }}"#,
        "z:3 w:2 y:1 ",
    );
    check(
        r#"{{ range $i, $s := query "sort_desc(multi)" }}{{ if $i }},{{ end }}{{ $s.Labels.a }}{{ end }}"#,
        "z,w,y",
    );
    check(r#"{{ range query "nope" }}x{{ else }}E{{ end }}"#, "E");
    check(r#"{{ with query "m" }}{{ . | first | value | humanize }}{{ end }}"#, "1.5");
    check(r#"{{ query (printf "m{a=%q}" $labels.a) | first | value }}"#, "1.5");
    check(r#"{{ query "time()" | first | value }}"#, "60");
    check(r#"{{ (query "m" | first).Labels.a }}"#, "x");
    check(r#"{{ or $labels.team "none" }}"#, "none");
    check(
        r#"{{ define "t" }}[{{ .arg0 }}-{{ .arg1 }}]{{ end }}{{ template "t" (args 1 "2") }}"#,
        "[1-2]",
    );
    check(r#"{{/* c */}}x{{- " y " -}} z"#, "x y z");
    check("{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ $x := 3 }}{{ end }}{{ $x }}", "2");
    check(
        r#"{{ (1435065584.128 | toTime).Format "2006-01-02T15:04:05Z07:00" }}"#,
        "2015-06-23T13:19:44Z",
    );
    check(
        r#"{{ (toTime 0).Format "Mon Jan _2 15:04:05 MST 2006" }}"#,
        "Thu Jan  1 00:00:00 UTC 1970",
    );
    check(r#"{{ parseDuration "1d12h" | humanizeDuration }}"#, "1d 12h 0m 0s");
    check(r#"{{ reReplaceAll "(.*):.*" "$1" "h:9" }}"#, "h");
    check(
        r#"{{ graphLink "up{a=\"b c\"} > 0" }}"#,
        "/graph?g0.expr=up%7Ba%3D%22b+c%22%7D+%3E+0&g0.tab=0",
    );
    check(r#"{{ slice "abcdef" 1 3 }} {{ len $labels }} {{ index $labels "a" }}"#, "bc 3 x");
    check(r#"{{ and 1 0 }} {{ or 0 "x" }} {{ not 0 }}"#, "0 x true");
}

#[test]
fn numbers_for_people() {
    let table = [
        ("0", "0", "0", "0s", "0%", "1970-01-01 00:00:00 +0000 UTC"),
        ("-1", "-1", "-1", "-1s", "-100%", "1969-12-31 23:59:59 +0000 UTC"),
        ("999", "999", "999", "16m 39s", "9.99e+04%", "1970-01-01 00:16:39 +0000 UTC"),
        ("999.95", "1000", "1000", "16m 39s", "1e+05%", "1970-01-01 00:16:39.95 +0000 UTC"),
        ("1000", "1k", "1000", "16m 40s", "1e+05%", "1970-01-01 00:16:40 +0000 UTC"),
        ("1024", "1.024k", "1ki", "17m 4s", "1.024e+05%", "1970-01-01 00:17:04 +0000 UTC"),
        (
            "1048575",
            "1.049M",
            "1024ki",
            "12d 3h 16m 15s",
            "1.049e+08%",
            "1970-01-13 03:16:15 +0000 UTC",
        ),
        ("12345", "12.35k", "12.06ki", "3h 25m 45s", "1.234e+06%", "1970-01-01 03:25:45 +0000 UTC"),
        ("0.999", "999m", "0.999", "999ms", "99.9%", "1970-01-01 00:00:00.999 +0000 UTC"),
        ("0.001", "1m", "0.001", "1ms", "0.1%", "1970-01-01 00:00:00.001 +0000 UTC"),
        (
            "0.001999",
            "1.999m",
            "0.001999",
            "1.999ms",
            "0.1999%",
            "1970-01-01 00:00:00.001 +0000 UTC",
        ),
        ("1e-24", "1y", "1e-24", "1ys", "1e-22%", "1970-01-01 00:00:00 +0000 UTC"),
        ("1e-27", "0.001y", "1e-27", "0.001ys", "1e-25%", "1970-01-01 00:00:00 +0000 UTC"),
        ("1.005", "1.005", "1.005", "1.005s", "100.5%", "1970-01-01 00:00:01.004 +0000 UTC"),
        ("59.999", "60", "60", "60s", "6000%", "1970-01-01 00:00:59.999 +0000 UTC"),
        ("61.5", "61.5", "61.5", "1m 1s", "6150%", "1970-01-01 00:01:01.5 +0000 UTC"),
        ("3600", "3.6k", "3.516ki", "1h 0m 0s", "3.6e+05%", "1970-01-01 01:00:00 +0000 UTC"),
        ("86400", "86.4k", "84.38ki", "1d 0h 0m 0s", "8.64e+06%", "1970-01-02 00:00:00 +0000 UTC"),
        (
            "90061.5",
            "90.06k",
            "87.95ki",
            "1d 1h 1m 1s",
            "9.006e+06%",
            "1970-01-02 01:01:01.5 +0000 UTC",
        ),
        (
            "-86400",
            "-86.4k",
            "-84.38ki",
            "-1d 0h 0m 0s",
            "-8.64e+06%",
            "1969-12-31 00:00:00 +0000 UTC",
        ),
        ("-0.5", "-500m", "-0.5", "-500ms", "-50%", "1969-12-31 23:59:59.5 +0000 UTC"),
        ("0.0000015", "1.5u", "1.5e-06", "1.5us", "0.00015%", "1970-01-01 00:00:00 +0000 UTC"),
        (
            "123456789.123",
            "123.5M",
            "117.7Mi",
            "1428d 21h 33m 9s",
            "1.235e+10%",
            "1973-11-29 21:33:09.123 +0000 UTC",
        ),
        ("1e9", "1G", "953.7Mi", "11574d 1h 46m 40s", "1e+11%", "2001-09-09 01:46:40 +0000 UTC"),
        (
            "9223372036",
            "9.223G",
            "8.59Gi",
            "106751d 23h 47m 16s",
            "9.223e+11%",
            "2262-04-11 23:47:16 +0000 UTC",
        ),
    ];
    for (number, humanize, humanize_1024, duration, percentage, timestamp) in table {
        for (function, expected) in [
            ("humanize", humanize),
            ("humanize1024", humanize_1024),
            ("humanizeDuration", duration),
            ("humanizePercentage", percentage),
            ("humanizeTimestamp", timestamp),
        ] {
            let expanded = expand(
                &format!("{{{{ $value | {function} }}}}"),
                number.parse().expect("a number"),
            );
            assert_eq!(expanded, expected, "{function} {number}");
        }
    }
}

#[test]
fn floats_are_printed_as_go_prints_them() {
    for (value, printed) in [
        (1.5, "1.5"),
        (60.0, "60"),
        (100000.0, "100000"),
        (123456.789, "123456.789"),
        (0.00000123, "1.23e-06"),
        (1000000.0, "1e+06"),
        (123456789.0, "1.23456789e+08"),
        (21000000.0, "2.1e+07"),
        (1e21, "1e+21"),
        (-0.0, "-0"),
        (f64::NAN, "NaN"),
        (f64::INFINITY, "+Inf"),
        (f64::NEG_INFINITY, "-Inf"),
    ] {
        assert_eq!(expand("{{ $value }}", value), printed);
    }
}

#[test]
fn printf() {
    let cases = [
        r#"printf "%d" $value"#,
        r#"printf "%s" 5"#,
        r#"printf "%d" "5""#,
        r#"printf "%t" 1"#,
        r#"printf "%z" 1"#,
        r#"printf "%s" nil"#,
        r#"printf "%.2f" "1.5""#,
        r#"printf "%.2f" 1"#,
        r#"printf "%d""#,
        r#"printf "%d" 1 2"#,
        r#"printf "%""#,
        r#"printf "%!" 5"#,
        r#"printf "%!""#,
        r#"printf "%%""#,
        r#"printf "%5.1f|%-10.2f|%08.2f|%+.1f" 1.0 1.0 -1.5 1.0"#,
        r#"printf "%.0f %.0f %.2f" 2.5 3.5 0.125"#,
        r#"printf "%e %G %g" 1e7 1e-10 100000.0"#,
        r#"printf "%x %X %x %b" 255 255 1.5 5"#,
        r#"printf "%q %x %.3s" "aé\n" "hi" "héllo""#,
        r#"printf "%[2]d %[1]d" 1 2"#,
        r#"printf "%[3]d" 1"#,
        r#"printf "%*d|%-*d" 5 1 5 2"#,
        r#"printf "%v %v" $labels true"#,
        r#"printf "%T %T %T %T" 1.0 1 "" $labels"#,
        r#"printf "%c %U %q %o %O" 'a' 'a' 'a' 8 8"#,
        r#"printf "%6.2f%%" 12.345"#,
        r#"printf "%+d % d %05d" 1 2 -3"#,
        r#"printf "%s %v" true 1e20"#,
        r#"printf "%#q %#v" "a" "b""#,
        r#"print 1 2 "a" "b" 3"#,
        r#"println 1 "a""#,
        r#"print nil"#,
        r#"html "<b>&'""#,
        r#"js "it's""#,
        r#"urlquery "a b&c""#,
        r#"printf "%10v|%-10v|" true "é""#,
        r#"printf "%b %x" 1.0 0.1"#,
        r#"printf "%08v %8v" 1.5 -1.5"#,
        r#"printf "%.3g %#g" 1234.5 1.0"#,
    ];
    let mut shown = String::new();
    for case in cases {
        let _ =
            writeln!(shown, "{case}\n    {}", expand(&format!("{{{{ {case} }}}}"), 123456789.0));
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn faults() {
    let cases = [
        "{{",
        "{{ $value",
        "{{ if true }}x",
        "{{ end }}",
        "{{ else }}",
        "{{ if 1 }}a{{ else }}b{{ else }}c{{ end }}",
        "{{ if }}{{ end }}",
        "{{ range }}{{ end }}",
        "{{ }}",
        r#"{{ block "a" }}{{ end }}"#,
        "{{ foo }}",
        "{{ $y }}",
        "{{ .Labels.foo-bar }}",
        r#"{{ "a }}"#,
        "{{ `a }}",
        "{{ 'ab' }}",
        "{{ 0x }}",
        "{{ 08 }}",
        "{{ 1 } }}",
        "{{ if $value == 1 }}{{ end }}",
        "{{ 1 | | 2 }}",
        "{{ 1 / 2 }}",
        "{{ 1.2.3 }}",
        "{{ (1 }}",
        "{{ 1) }}",
        "{{/* a",
        "{{ range $a, $b, $c := . }}{{ end }}",
        "{{ template foo }}",
        "{{ define x }}{{ end }}",
        "{{ break }}",
        "{{ 1 | 2 }}",
        r#"{{ "\z" }}"#,
        "{{ \u{a0} }}",
        "{{ /* c */ }}",
        "a\nb\n{{ foo }}",
        "{{ range . }}\n{{ $x }}{{ end }}",
        "{{ if\n .Labels.a-b }}{{ end }}",
        "{{ nil | len }}",
        r#"{{ tmpl "a" . }}"#,
        "{{ 1i }}",
        "{{ define \"a\" }}{{ $labels }}{{ end }}",
        "{{ true.x }}",
        "{{ :x }}",
        // While expanding.
        "{{ .X }}",
        "{{ $labels.a.b }}",
        "{{ humanize }}",
        "{{ toUpper $value }}",
        "{{ toUpper 5 }}",
        r#"{{ humanize "one" }}"#,
        "{{ nil }}",
        r#"{{ query "nope" | first }}"#,
        r#"{{ query "?" }}"#,
        r#"{{ template "nope" }}"#,
        "{{ gt $value 1 }}",
        "{{ eq $labels $labels }}",
        "{{ eq 1 }}",
        "{{ len 1 }}",
        r#"{{ index "abc" 5 }}"#,
        "{{ range $value }}{{ end }}",
        r#"{{ range "abc" }}{{ end }}"#,
        r#"{{ match "(" "a" }}"#,
        r#"{{ reReplaceAll "(" "" "" }}"#,
        "{{ externalURL }}",
        "{{ pathPrefix }}",
        "\n  {{ first (query \"nope\") }}",
        "{{ 1 2 }}",
        r#"{{ (query "m").banana }}"#,
        r#"{{ label "a" "b" }}"#,
        "{{ toTime \"x\" }}",
        "{{ call 1 }}",
        r#"{{ define "r" }}{{ template "r" }}{{ end }}{{ template "r" }}"#,
        "{{ range 99999999 }}{{ range 99999999 }}{{ end }}{{ end }}",
        r#"{{ parseDuration "5" }}"#,
        r#"{{ $labels.a | first }}"#,
        r#"{{ humanize $labels }}"#,
        "{{ printf }}",
        "{{ $value.x }}",
        "{{ lt true false }}",
        "{{ slice $labels }}",
        "{{ not }}",
        "{{ toUpper nil }}",
    ];
    let mut shown = String::new();
    for case in cases {
        let _ = writeln!(shown, "{case}\n    {}", expand(case, 1.5));
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn places_are_those_of_the_text() {
    let text = "x {{ $labels.a }} {{ humanize \"one\" }}";
    let template = Template::alert("N", text).expect("a template");
    let error = template.expand(&dot(1.0), &mut Series).expect_err("no number");
    assert_eq!(&text[error.span()], "humanize \"one\"");
    let text = "x {{ $labels.a }} {{ nope 1 }}";
    let error = Template::alert("N", text).expect_err("no function");
    assert_eq!(&text[error.span()], "nope");
}

#[test]
fn more_of_the_language() {
    check("{{ range 3 }}{{ . }}{{ end }}", "012");
    check(
        "{{ range $i, $e := slice (query \"multi\") 1 }}{{ $i }}{{ $e.Value }};{{ end }}",
        "01;12;",
    );
    check(
        "{{ range $labels }}{{ if eq . \"x\" }}{{ continue }}{{ end }}{{ . }},{{ end }}",
        "m,h.example.com:9100,",
    );
    check("{{ range $labels }}{{ . }}{{ break }}{{ end }}", "m");
    check("{{ block \"b\" 5 }}[{{ . }}]{{ end }}", "[5]");
    check("{{ $externalLabels.region }} {{ .ExternalURL }}", "eu http://p/");
    check("{{ with $labels }}{{ $.Labels.a }}{{ end }}", "x");
    check("a }} b", "a }} b");
    check(
        "{{ 'a' }} {{ 0x1F }} {{ 1_000 }} {{ 1e3 }} {{ .5 }} {{ +5 }} {{ 0b11 }}",
        "97 31 1000 1000 0.5 5 3",
    );
    check("a \n {{- 3 -}} \n b", "a3b");
    check("{{-3}}", "-3");
    check(r#"{{ title "foo bar-baz QUX o'neil" }}"#, "Foo Bar-Baz QUX O'neil");
    check(r#"{{ title "hello_world foo.bar a1b 2nd" }}"#, "Hello_world Foo.bar A1b 2Nd");
    check(r#"{{ title "élan" }} {{ toUpper "straße" }}"#, "Élan STRAßE");
    check(r#"{{ stripPort "[::1]:80" }} {{ stripPort "2001:0DB8::1" }}"#, "::1 2001:0DB8::1");
    check(
        r#"{{ stripDomain "a.b.c:1" }} {{ stripDomain "10.0.0.1:9" }} {{ stripDomain ":80" }}"#,
        "a:1 10.0.0.1:9 :80",
    );
    check(
        "{{ toTime 1435065584.128 }} {{ (toTime 90).Sub (toTime 30) }}",
        "2015-06-23 13:19:44.128 +0000 UTC 1m0s",
    );
    check(
        "{{ toDuration 1800 }} {{ now }} {{ (toTime 0).Weekday }} {{ (toTime 0).Month }}",
        "30m0s 60 Thursday January",
    );
    check("{{ query \"m\" | first }}", "{map[__name__:m a:x instance:h.example.com:9100] 1.5}");
    check("{{ 1 | }}", "1");
    check("{{ if and .Value (gt .Value 1.0) }}y{{ end }}", "y");
    check(r#"{{ reReplaceAll "a(.)" "$1x${1}x" "abac" }}"#, "bxcx");
}
