//! What holds for every expression: what is printed is read as the same tree, printing and
//! formatting have reached their end after one step, and no comment is lost.

use promql_syntax::FormatOptions;
use promql_syntax::lexer::tokenize;
use proptest::prelude::*;

use super::generator::expression;
use super::{format, parse, tree};

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// The canonical form of a canonical form is itself, and it is read as the same tree.
    #[test]
    fn canonical_form_is_read_as_the_same_tree(source in expression()) {
        let printed = parse(&source).to_string();
        prop_assert_eq!(parse(&printed).to_string(), printed.clone(), "of {}", source);
        prop_assert_eq!(tree(&printed), tree(&source), "of {} as {}", source, printed);
    }

    /// So is the pretty form, whatever the width.
    #[test]
    fn pretty_form_is_read_as_the_same_tree(source in expression(), width in 0usize..150) {
        let expr = parse(&source);
        let pretty = expr.pretty(width);
        prop_assert_eq!(tree(&pretty), tree(&source), "{}", pretty);
        prop_assert_eq!(parse(&pretty).pretty(width), pretty.clone());
        prop_assert_eq!(format(&source, width), pretty);
    }

    /// Comments survive, each one once, and the second formatting changes nothing.
    #[test]
    fn comments_survive(
        source in expression(),
        width in 0usize..120,
        places in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 1..6),
    ) {
        let (commented, count) = insert_comments(&source, &places);
        let formatted = format(&commented, width);
        let comments = tokenize(formatted.as_bytes()).comments;
        prop_assert_eq!(comments.len(), count, "\n{}\nas\n{}", &commented, &formatted);
        for i in 0..count {
            let comment = format!("# comment {i} ");
            let lines = formatted.lines().filter(|line| format!("{line} ").contains(&comment));
            prop_assert_eq!(lines.count(), 1, "{} in\n{}\nas\n{}", comment, &commented, &formatted);
        }
        let behind_last = formatted.split_once("# comment 0").map(|(_, rest)| rest.as_bytes());
        let stays = behind_last.is_some_and(|rest| tokenize(rest).tokens.is_empty());
        prop_assert!(stays, "\n{}\nas\n{}", &commented, &formatted);
        prop_assert_eq!(tree(&formatted), tree(&source), "\n{}\nas\n{}", &commented, &formatted);
        prop_assert_eq!(format(&formatted, width), formatted.clone(), "\n{}\nas\n{}", &commented, &formatted);
    }

    /// Any text is an error or has a form that stays.
    #[test]
    fn any_text_is_formatted_or_refused(
        source in expression(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), edit()), 1..4),
        width in 0usize..120,
    ) {
        let mut source: Vec<char> = source.chars().collect();
        for (place, (removed, inserted)) in edits {
            let start = place.index(source.len() + 1);
            let end = (start + removed).min(source.len());
            source.splice(start..end, inserted.chars());
        }
        let source: String = source.into_iter().collect();
        let options = FormatOptions { width, ..FormatOptions::default() };
        if let Ok(formatted) = promql_syntax::format(&source, &options) {
            prop_assert_eq!(format(&formatted, width), formatted.clone(), "of {}", &source);
            let (before, after) = (parse(&source), parse(&formatted));
            prop_assert_eq!(after.to_string(), before.to_string(), "{} as {}", &source, &formatted);
            prop_assert_eq!(after.comments().len(), before.comments().len(), "{}", &source);
        }
    }

    /// The drawings have a line for each node at most.
    #[test]
    fn trees_are_drawn(source in expression()) {
        let expr = parse(&source);
        prop_assert!(expr.to_tree_text().lines().count() <= expr.nodes().len());
        let query = promql_syntax::check(&expr);
        prop_assert!(query.is_ok_and(|query| !query.to_typed_text().is_empty()));
    }
}

/// How many characters to remove, and what to put in their place.
fn edit() -> impl Strategy<Value = (usize, &'static str)> {
    const TEXTS: &[&str] = &[
        "",
        "#",
        " # c\n",
        "\n# c\n\n",
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        ",",
        "+",
        "--",
        "\"",
        ":",
        "@ 1",
        " offset ",
        "5m",
        " by (a)",
        "\r",
        "\u{fffd}",
        "é",
        " ^ ",
        "Inf",
        "1e400",
    ];
    (0usize..3, prop::sample::select(TEXTS))
}

/// Puts comments between tokens, behind one or on a line of their own, where the language allows
/// it, and one behind the last. Gives their number.
fn insert_comments(source: &str, places: &[(prop::sample::Index, bool)]) -> (String, usize) {
    let tree = parse(source).to_json(false);
    let mut commented = format!("{source} # comment 0");
    let mut count = 1;
    for (place, own_line) in places {
        let tokens = tokenize(commented.as_bytes()).tokens;
        let at = match place.index(tokens.len()) {
            0 => 0,
            after => tokens[after - 1].span.end as usize,
        };
        let before = if *own_line { "\n" } else { " " };
        let (head, tail) = commented.split_at(at);
        let changed = format!("{head}{before}# comment {count}\n{tail}");
        let read = promql_syntax::compile(&changed, &Default::default());
        if read.is_ok_and(|query| query.expr().to_json(false) == tree) {
            commented = changed;
            count += 1;
        }
    }
    (commented, count)
}
