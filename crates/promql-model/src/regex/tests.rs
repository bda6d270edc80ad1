//! Patterns in, verdicts out. The verdicts were compared with a Prometheus server's.

use super::hir::unicode_class;
use super::names::{CATEGORIES, SCRIPTS};
use super::{Regex, check_regex};

/// The message for a pattern, without what all of them begin with.
fn message(pattern: &[u8]) -> String {
    let checked = check_regex(pattern);
    assert_eq!(checked, Regex::new(pattern).map(drop), "checked and compiled");
    match checked {
        Ok(()) => "ok".into(),
        Err(error) => {
            let text = error.to_string();
            text.strip_prefix("error parsing regexp: ").unwrap().to_owned()
        }
    }
}

#[test]
fn says_what_is_wrong() {
    for (pattern, expected) in [
        ("[", "missing closing ]: `[`"),
        ("a[b", "missing closing ]: `[b`"),
        ("[]a", "missing closing ]: `[]a`"),
        ("[[:alpha:]", "missing closing ]: `[[:alpha:]`"),
        ("[b-a]", "invalid character class range: `b-a`"),
        ("[[:greek:]]", "invalid character class range: `[:greek:]`"),
        ("[[:a]b:]", "invalid character class range: `[:a]b:]`"),
        (r"\p{greek}", r"invalid character class range: `\p{greek}`"),
        (r"\p{^Foo}", r"invalid character class range: `\p{^Foo}`"),
        (r"a\pXb", r"invalid character class range: `\pX`"),
        (r"\p", r"invalid character class range: `\p`"),
        (r"\p{L", r"invalid character class range: `\p{L`"),
        (r"\8", r"invalid escape sequence: `\8`"),
        (r"\1x", r"invalid escape sequence: `\1`"),
        (r"\q", r"invalid escape sequence: `\q`"),
        (r"\é", r"invalid escape sequence: `\é`"),
        (r"\Ca", r"invalid escape sequence: `\C`"),
        (r"[\Q]", r"invalid escape sequence: `\Q`"),
        (r"\x4", r"invalid escape sequence: `\x4`"),
        (r"\x{}", r"invalid escape sequence: `\x{}`"),
        (r"\x{12", r"invalid escape sequence: `\x{12`"),
        (r"\x{110000}", r"invalid escape sequence: `\x{110000`"),
        ("\\", "trailing backslash at end of expression: ``"),
        ("(?P<>a)", "invalid named capture: `(?P<>`"),
        ("(?<a b>c)", "invalid named capture: `(?<a b>`"),
        ("(?P<a", "invalid named capture: `(?P<a`"),
        ("(?<=a)", "invalid named capture: `(?<=a)`"),
        ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
        ("a(?!b)", "invalid or unsupported Perl syntax: `(?!`"),
        ("(?i", "invalid or unsupported Perl syntax: `(?i`"),
        ("(?i-)", "invalid or unsupported Perl syntax: `(?i-)`"),
        ("(?i--s)", "invalid or unsupported Perl syntax: `(?i--`"),
        ("(?P<", "invalid or unsupported Perl syntax: `(?P`"),
        ("a**", "invalid nested repetition operator: `**`"),
        ("a+?*?b", "invalid nested repetition operator: `+?*?`"),
        ("a{2}{3}", "invalid nested repetition operator: `{2}{3}`"),
        ("a{1001}", "invalid repeat count: `{1001}`"),
        ("a{3,2}b", "invalid repeat count: `{3,2}`"),
        ("a{9999999999999}", "invalid repeat count: `{9999999999999}`"),
        ("(?:(?:a{10}){10}){11}", "invalid repeat count: `{11}`"),
        ("*", "missing argument to repetition operator: `*`"),
        ("(+?a)", "missing argument to repetition operator: `+?`"),
        ("a|{2}", "missing argument to repetition operator: `{2}`"),
        ("(?i)*", "missing argument to repetition operator: `*`"),
        ("(a", "missing closing ): `(a`"),
        ("b(?:a|(c)", "missing closing ): `b(?:a|(c)`"),
        ("a)", "unexpected ): `a)`"),
        (")(", "unexpected ): `)(`"),
    ] {
        assert_eq!(message(pattern.as_bytes()), expected, "{pattern}");
    }
}

#[test]
fn says_where_it_is_wrong() {
    let error = check_regex(b"abc[z-a]d").unwrap_err();
    assert_eq!(error.range(), 4..7);
}

#[test]
fn bytes_that_are_no_text_are_allowed_in_plain_alternatives_only() {
    for (pattern, expected) in [
        (&b"\xff"[..], "ok"),
        (b"a|\xff", "ok"),
        (b"\xff.", "invalid UTF-8: `\u{fffd}.`"),
        (b"[\xff]", "invalid UTF-8: `\u{fffd}]`"),
        (b"\\\xff", "invalid UTF-8: `\u{fffd}`"),
        (b"\\Q\xff\\E", "invalid UTF-8: `\u{fffd}`"),
        (b"(?P<\xff>a)", "invalid UTF-8: `\u{fffd}`"),
    ] {
        assert_eq!(message(pattern), expected);
    }
}

#[test]
fn refuses_what_is_too_deep_or_too_large() {
    let nested = |open: &str, inside: &str, close: &str, times: usize| {
        format!("{}{inside}{}", open.repeat(times), close.repeat(times))
    };
    for (pattern, expected) in [
        (nested("(", "a", ")", 998), "ok"),
        (nested("(", "a", ")", 1001), "expression nests too deeply"),
        (nested("(?:", "a", ")", 5000), "ok"),
        (nested("(?:b|", "a", ")", 5000), "ok"),
        (nested("(?:", "a", "b)*", 498), "ok"),
        (nested("(?:", "a", "b)*", 501), "expression nests too deeply"),
        ("(".repeat(100_000), "missing closing )"),
        (nested("(?:", "a", ")", 100_000), "ok"),
        ("(?:".to_owned() + &r"[a-z]{1000}x|".repeat(4000) + ")", "expression too large"),
    ] {
        let message = message(pattern.as_bytes());
        assert_eq!(message.split(": `").next(), Some(expected));
    }
    // Within the limits for patterns, but each repetition has hundreds of states.
    let pattern = r"(?:\pL{1000}\PL{1000}){1}".repeat(20);
    assert!(check_regex(pattern.as_bytes()).is_ok());
    let error = Regex::new(pattern.as_bytes()).unwrap_err();
    assert_eq!(error.kind(), super::RegexErrorKind::Large);
}

#[test]
fn takes_time_in_proportion() {
    // Each of these is a megabyte, and would take minutes if anything looked ahead for each part.
    let megabyte = |piece: &str| piece.repeat((1 << 20) / piece.len());
    for piece in ["[:", "[[:a]", r"\Q", "{1", "(?P<a>"] {
        let start = std::time::Instant::now();
        let _ = check_regex(megabyte(piece).as_bytes());
        let _ = check_regex(format!("[{}", megabyte(piece)).as_bytes());
        assert!(start.elapsed().as_secs() < 20, "{piece}: {:?}", start.elapsed());
    }
}

#[test]
fn matches_as_re2_does() {
    for (pattern, matching, other) in [
        // Anchored, and dot is all characters.
        ("a|ab", &["a", "ab"][..], &["abc", "xa", ""][..]),
        ("a.b", &["a\nb", "aéb"], &["ab", "axxb"]),
        ("(?-s)a.b", &["aéb"], &["a\nb"]),
        ("", &[""], &["a"]),
        // Classes are ASCII.
        (r"\d\w\s\S", &["1a b", "9_\tx"], &["٣a b", "1é b", "1a\x0bb"]),
        (r"\D", &["é", "\n"], &["1"]),
        (r"a\b.*", &["a", "a-b", "aé"], &["ab"]),
        (r"a\B.*", &["ab"], &["a", "a-"]),
        // No set operations and no nested classes.
        ("[a&&b]", &["a", "&", "b"], &["c"]),
        ("[+--b]", &["+", ",", "-", "b"], &["a", "--"]),
        ("[[a]]", &["a]", "[]"], &["a"]),
        ("[]a]", &["]", "a"], &["[]"]),
        ("[^]a]", &["b"], &["]", "a"]),
        ("[a-]", &["-"], &["b"]),
        ("[[:upper:][:^alnum:]]", &["A", "é"], &["a", "1"]),
        // Braces that form no count.
        ("a{,2}", &["a{,2}"], &["aa"]),
        ("a{02}", &["a{02}"], &["aa"]),
        ("{}", &["{}"], &[""]),
        ("a{2,}b{0,1}", &["aa", "aaab"], &["a", "aabb"]),
        // Escapes.
        (r"\Qa.*\E+", &["a.*", "a.**"], &["ab", "a.*a.*"]),
        (r"\Qa|b", &["a|b"], &["a"]),
        (r"\x41\x{42}\103\0\.\_\a", &["ABC\0._\x07"], &["ABC0._a"]),
        (r"\p{Greek}\pN\P{L}\p{^Lu}", &["α1 a"], &["a1 a", "α1aa", "α1 A"]),
        (r"[\x{d700}-\x{e001}]", &["\u{d7ff}", "\u{e000}"], &["\u{e002}"]),
        (r"\x{d800}|x\p{Cs}", &[], &["", "x", "\u{fffd}"]),
        // Flags.
        ("(?i)straSSe", &["STRASSE", "ſtraſse"], &["straße"]),
        ("(?i:a)b", &["Ab"], &["AB"]),
        ("(?i)[^k]", &["a"], &["k", "K", "\u{212a}"]),
        (r"(?i)\W", &["-"], &["\u{212a}", "ſ"]),
        ("a(?i)*B", &["aab", "B"], &["AAB"]),
        ("(?m)a$\n^b", &["a\nb"], &["ab"]),
        (r"a$\nb", &[], &["a\nb"]),
        ("^a$|^b$", &["a", "b"], &["ab"]),
        ("(?U)a+(?P<x>b)(?<x>c)", &["aabc"], &["ab"]),
    ] {
        let regex = Regex::new(pattern.as_bytes()).unwrap();
        for value in matching {
            assert!(regex.is_match(value), "{pattern} matches {value:?}");
            assert!(value.starts_with(regex.prefix()), "{pattern}");
            assert!(regex.texts().is_none_or(|texts| texts.contains(&(*value).into())));
        }
        for value in other {
            assert!(!regex.is_match(value), "{pattern} doesn't match {value:?}");
        }
    }
}

#[test]
fn takes_shortcuts() {
    for (pattern, expected) in [
        (".*", "Everything"),
        ("^(?:.*)$", "Everything"),
        (".+", "NonEmpty"),
        ("..*", "NonEmpty"),
        ("(.*).", "NonEmpty"),
        ("a|b|a", r#"Texts(["a", "b"])"#),
        ("api-(x|yy)-[12]", r#"Texts(["api-x-1", "api-x-2", "api-yy-1", "api-yy-2"])"#),
        ("(?i)ab", r#"Texts(["AB", "Ab", "aB", "ab"])"#),
        ("https?", r#"Texts(["http", "https"])"#),
        ("api-.*", r#"Globs(["api-" [Any] ""])"#),
        (".*x.+", r#"Globs(["" [Any, Text("x"), One, Any] ""])"#),
        ("5..", r#"Globs(["5" [One, One] ""])"#),
        ("a.*b", r#"Globs(["a" [Any] "b"])"#),
    ] {
        assert_eq!(format!("{:?}", Regex::new(pattern.as_bytes()).unwrap()), expected);
    }
    assert_eq!(Regex::new(b"api-[0-9]+").unwrap().prefix(), "api-");
}

#[test]
fn wildcards_match_as_the_automaton_does() {
    let pieces = ["a", "b", "ab", ".", ".*", ".+", "é", "..?"];
    let values =
        ["", "a", "b", "ab", "aab", "aba", "abab", "éa", "aéb", "bab", "abb\n", "éé", "aaab"];
    let mut patterns = vec![String::new()];
    for _ in 0..4 {
        patterns =
            patterns.iter().flat_map(|p| pieces.map(|piece| format!("{p}{piece}"))).collect();
        for pattern in &patterns {
            let quick = Regex::new(pattern.as_bytes()).unwrap();
            // An assertion in the middle that is always true keeps off the shortcuts.
            let slow = Regex::new(format!(r"(?:{pattern})(?:\b|\B)").as_bytes()).unwrap();
            assert!(format!("{slow:?}").starts_with("Regex"));
            for value in values {
                assert_eq!(quick.is_match(value), slow.is_match(value), "{pattern} {value:?}");
            }
        }
        patterns.truncate(200);
    }
}

#[test]
fn knows_all_names() {
    assert!(SCRIPTS.is_sorted());
    for name in CATEGORIES.iter().chain(SCRIPTS) {
        let pattern = format!(r"\p{{{name}}}|\P{{{name}}}");
        let regex = Regex::new(pattern.as_bytes()).unwrap();
        assert!(regex.is_match("a") && regex.is_match("\u{10940}"), "{name}");
        // Surrogates are in no text.
        assert_eq!(unicode_class(name).ranges().is_empty(), *name == "Cs", "{name}");
    }
}
