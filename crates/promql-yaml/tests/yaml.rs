//! YAML in, values with their places or complaints out.

#![allow(clippy::unwrap_used, reason = "a test that fails")]

use std::fmt::Write;

use promql_yaml::{self as yaml, FaultKind, Flavour, Node, Reader, Shape, Value};

/// Each value on a line: its text, and what it is written with.
fn tree(text: &str) -> String {
    let stream = yaml::parse(text);
    let mut out = String::new();
    for document in &stream.documents {
        match &document.root {
            None => out.push_str("nothing\n"),
            Some(root) => draw(root, text, 0, "", &mut out),
        }
        for fault in &document.faults {
            let _ = writeln!(out, "fault {:?} at {:?}", fault.kind, &text[fault.span.clone()]);
        }
    }
    if let Some(fault) = &stream.error {
        let _ = writeln!(out, "error {:?} at {:?}", fault.kind, &text[fault.span.clone()]);
    }
    out
}

fn draw(node: &Node<'_>, file: &str, depth: usize, key: &str, out: &mut String) {
    let _ = write!(out, "{}{key}", "  ".repeat(depth));
    if let Some(alias) = node.alias() {
        let _ = write!(out, "by {:?} ", &file[alias]);
    }
    let span = &file[node.span.clone()];
    match &node.value {
        Value::Scalar { text, .. } => {
            let _ = writeln!(out, "{text:?} <- {span:?}");
        }
        Value::Sequence(items) => {
            let _ = writeln!(out, "[] <- {span:?}");
            items.iter().for_each(|item| draw(item, file, depth + 1, "- ", out));
        }
        Value::Mapping(entries) => {
            let _ = writeln!(out, "{{}} <- {span:?}");
            for entry in entries {
                let merged = if entry.is_merged { "<< " } else { "" };
                let key = format!("{merged}{}: ", entry.key.text().unwrap_or("?"));
                draw(&entry.value, file, depth + 1, &key, out);
            }
        }
    }
}

#[test]
fn values_have_places() {
    insta::assert_snapshot!(tree("a: 1\nb:\n- |\n  text\n- 'q' # c\n-\nc: {d: [e], f: }\n"), @r#"
    {} <- "a: 1\nb:\n- |\n  text\n- 'q' # c\n-\nc: {d: [e], f: }"
      a: "1" <- "1"
      b: [] <- "- |\n  text\n- 'q'"
        - "text\n" <- "|\n  text\n"
        - "q" <- "'q'"
        - "" <- ""
      c: {} <- "{d: [e], f: }"
        d: [] <- "[e]"
          - "e" <- "e"
        f: "" <- ""
    "#);
}

#[test]
fn aliases_lead_to_what_they_repeat() {
    insta::assert_snapshot!(tree("a: &x {b: 1, c: 2}\nd: *x\ne:\n  c: 3\n  <<: *x\n"), @r#"
    {} <- "a: &x {b: 1, c: 2}\nd: *x\ne:\n  c: 3\n  <<: *x"
      a: {} <- "{b: 1, c: 2}"
        b: "1" <- "1"
        c: "2" <- "2"
      d: by "*x" {} <- "{b: 1, c: 2}"
        b: "1" <- "1"
        c: "2" <- "2"
      e: {} <- "c: 3\n  <<: *x"
        c: "3" <- "3"
        << b: by "*x" "1" <- "1"
    "#);
    insta::assert_snapshot!(tree("- &a {k: 1}\n- &b {k: 2, l: 3}\n- {<<: [*a, *b]}\n- {'<<': 5}\n"), @r#"
    [] <- "- &a {k: 1}\n- &b {k: 2, l: 3}\n- {<<: [*a, *b]}\n- {'<<': 5}"
      - {} <- "{k: 1}"
        k: "1" <- "1"
      - {} <- "{k: 2, l: 3}"
        k: "2" <- "2"
        l: "3" <- "3"
      - {} <- "{<<: [*a, *b]}"
        << k: by "*a" "1" <- "1"
        << l: by "*b" "3" <- "3"
      - {} <- "{'<<': 5}"
        <<: "5" <- "5"
    "#);
}

#[test]
fn faults() {
    insta::assert_snapshot!(tree("a: 1\nb: 2\na: 3\n<<: 5\n"), @r#"
    {} <- "a: 1\nb: 2\na: 3\n<<: 5"
      a: "1" <- "1"
      b: "2" <- "2"
      a: "3" <- "3"
    fault DuplicateKey { key: "a", first: 0..1 } at "a"
    fault BadMerge at "5"
    "#);
    insta::assert_snapshot!(tree("a: *b\n"), @r#"error UnknownAnchor("b") at "*""#);
    insta::assert_snapshot!(tree("a: &b [*b]\n"), @r#"error Recursive("b") at "*b""#);
    insta::assert_snapshot!(tree("a: 1\n---\nb: [\n"), @r#"
    {} <- "a: 1"
      a: "1" <- "1"
    error Syntax("unclosed bracket '['") at "["
    "#);
    insta::assert_snapshot!(tree("%YAML 1.2 # x\n---\na: 1\n"), @r#"
    {} <- "a: 1"
      a: "1" <- "1"
    fault Version(1, 2) at "%YAML 1.2 # x"
    "#);
}

#[test]
fn keys_of_large_mappings_are_compared() {
    let keys: String = (0..100).map(|at| format!("k{at}: 1\n")).collect();
    let text = format!("{keys}k7: 2\n");
    let stream = yaml::parse(&text);
    let FaultKind::DuplicateKey { key, first } = &stream.documents[0].faults[0].kind else {
        panic!("not found");
    };
    assert_eq!((&**key, &text[first.clone()]), ("k7", "k7"));
}

#[test]
fn documents() {
    assert_eq!(yaml::parse("").documents.len(), 0);
    assert_eq!(yaml::parse("# nothing\n").documents.len(), 0);
    insta::assert_snapshot!(tree("---\n---\na: 1\n...\nb\n"), @r#"
    nothing
    {} <- "a: 1"
      a: "1" <- "1"
    "b" <- "b"
    "#);
}

#[test]
fn aliases_of_aliases_end() {
    let mut text = String::from("a0: &a0 [x, x]\n");
    for at in 1..40 {
        let before = at - 1;
        let _ = writeln!(text, "a{at}: &a{at} [*a{before}, *a{before}]");
    }
    let error = yaml::parse(&text).error.unwrap();
    assert!(matches!(error.kind, FaultKind::TooLarge(_)), "{error:?}");
}

#[test]
fn deep_nesting_ends() {
    let text = "[".repeat(100_000);
    assert!(yaml::parse(&text).error.is_some());
}

/// What is complained about in a text that is read in some way: the part of the file, the message,
/// the help, and what upstream says.
fn complaints(text: &str, flavour: Flavour, read: impl Fn(&mut Reader<'_>, &Node<'_>)) -> String {
    let stream = yaml::parse(text);
    let mut reader = Reader::new(text, flavour);
    reader.document(&stream.documents[0]);
    read(&mut reader, stream.documents[0].root.as_ref().unwrap());
    let mut out = String::new();
    for finding in reader.into_findings() {
        let place = &text[finding.span.clone()];
        let help = finding.help.unwrap_or_default();
        let upstream = finding.upstream.unwrap_or_default();
        let _ = writeln!(out, "{place:?}: {}; {help}; {upstream}", finding.message);
    }
    out
}

const SHAPE: Shape<'static> =
    Shape { upstream: "rulefmt.Rule", noun: "rule", keys: &["expr", "annotations", "for"] };

#[test]
fn unknown_and_repeated_keys() {
    let text = "annotation: x\nEXPR: up\ncolour: red\nfor: 1m\nfor: 2m\n";
    let read = |reader: &mut Reader<'_>, node: &Node<'_>| {
        let _ = reader.fields(node, &SHAPE);
    };
    insta::assert_snapshot!(complaints(text, Flavour::Rules, read), @r#"
    "annotation": a rule has no key `annotation`; did you mean `annotations`?; line 1: field annotation not found in type rulefmt.Rule
    "EXPR": a rule has no key `EXPR`; did you mean `expr`?; line 2: field EXPR not found in type rulefmt.Rule
    "colour": a rule has no key `colour`; a rule has the keys expr, annotations, for; line 3: field colour not found in type rulefmt.Rule
    "for": the key `for` is already there, in line 4; remove one of the two; line 5: mapping key "for" already defined at line 4
    "#);
    let text = "for: 1m\nfor: 2m\n";
    insta::assert_snapshot!(complaints(text, Flavour::UnitTests, read), @r#""for": the key `for` is already there, in line 1; remove one of the two; line 2: field for already set in type rulefmt.Rule"#);
}

#[test]
fn kinds() {
    let text = "- [a]\n- 5\n- abcdefghijkl\n- '5'\n- {{ x }}\n";
    let read = |reader: &mut Reader<'_>, node: &Node<'_>| {
        let items = node.items();
        let _ = reader.text(&items[0]);
        let _ = reader.fields(&items[1], &SHAPE);
        let _ = reader.integer(&items[2]);
        let _ = reader.float(&items[3]);
        let _ = reader.text(&items[4]);
        let _ = reader.items(&items[1], "rules", "[]rulefmt.Rule");
        let _ = reader.text_map(&items[2]);
        let _ = reader.boolean(&items[1]);
    };
    insta::assert_snapshot!(complaints(text, Flavour::Rules, read), @r#"
    "[a]": expected a text, found a list; ; line 1: cannot unmarshal !!seq into string
    "5": expected a rule, which is a mapping, found a whole number; ; line 2: cannot unmarshal !!int `5` into rulefmt.Rule
    "5": expected a list of rules, found a whole number; ; line 2: cannot unmarshal !!int `5` into []rulefmt.Rule
    "5": expected `true` or `false`, found a whole number; ; line 2: cannot unmarshal !!int `5` into bool
    "abcdefghijkl": expected a whole number, found a text; ; line 3: cannot unmarshal !!str `abcdefg...` into int
    "abcdefghijkl": expected a mapping of names to texts, found a text; ; line 3: cannot unmarshal !!str `abcdefg...` into map[string]string
    "'5'": expected a number, found a text; remove the quotes; line 4: cannot unmarshal !!str `5` into float64
    "{{ x }}": expected a text, found a mapping; `{{` begins a mapping in YAML: put quotes around a template; if this file is the source of a Helm chart, check what `helm template` makes of it; line 5: cannot unmarshal !!map into string
    "#);
}

#[test]
fn durations_and_numbers() {
    let text = "- 30\n- 5x\n- ''\n- 1h30m\n- ~\n- 1.9\n- yes\n";
    let read = |reader: &mut Reader<'_>, node: &Node<'_>| {
        let items = node.items();
        assert_eq!(reader.duration(&items[3]).unwrap().value, 5_400_000_000_000);
        assert_eq!(reader.duration(&items[4]).unwrap().value, 0);
        assert_eq!(reader.integer(&items[5]).unwrap().value, 1);
        assert_eq!(reader.text(&items[4]).unwrap().value, "");
        assert!(reader.boolean(&items[6]).unwrap().value);
        for item in &items[..3] {
            let _ = reader.duration(item);
        }
    };
    insta::assert_snapshot!(complaints(text, Flavour::Rules, read), @r#"
    "30": `30` is no duration; a number needs a unit: write `30s` if seconds are meant; not a valid duration string: "30"
    "5x": `5x` is no duration; write whole numbers with the units y, w, d, h, m, s, ms, in this order, as in `1h30m`; unknown unit "x" in duration "5x"
    "''": the duration is empty; write whole numbers with the units y, w, d, h, m, s, ms, in this order, as in `1h30m`; empty duration string
    "#);
}
