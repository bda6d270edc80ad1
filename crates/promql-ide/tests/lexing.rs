//! The lexer for half-written texts agrees with that of the language on texts without errors.

use std::path::Path;

use promql_ide::highlight;

fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => files(&path, found),
            false => found.push(path),
        }
    }
}

#[test]
fn both_lexers_find_the_same_tokens() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus");
    let mut paths = Vec::new();
    files(&corpus, &mut paths);
    let mut compared = 0;
    for path in paths {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let whole = (path.extension().is_some_and(|e| e == "promql")).then_some(text.as_str());
        for text in whole.into_iter().chain(text.lines()) {
            let text = text.trim();
            if promql_syntax::parse(text, &promql_syntax::Features::ALL).is_err() {
                continue;
            }
            let theirs = promql_syntax::lexer::tokenize(text.as_bytes());
            let mut spans: Vec<_> = theirs.tokens.iter().map(|token| token.span.range()).collect();
            spans.extend(theirs.comments.iter().map(|span| span.range()));
            spans.sort_by_key(|span| span.start);
            let ours: Vec<_> = highlight(text).into_iter().map(|part| part.span).collect();
            assert_eq!(ours, spans, "{text}");
            compared += 1;
        }
    }
    assert!(compared > 500, "only {compared} expressions were found");
}

/// On a text without errors nothing is called wrong.
#[test]
fn nothing_that_is_right_is_called_wrong() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus");
    let mut paths = Vec::new();
    files(&corpus, &mut paths);
    for path in paths {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        for text in text.lines().map(str::trim) {
            if promql_syntax::compile(text, &promql_syntax::Features::ALL).is_err() {
                continue;
            }
            for part in highlight(text) {
                let word = &text[part.span.clone()];
                assert_ne!(part.role, promql_ide::Role::Wrong, "`{word}` in {text}");
            }
            assert_eq!(promql_ide::progress(text), promql_ide::Progress::Finished, "{text}");
            assert_eq!(promql_ide::diagnose(text), [], "{text}");
        }
    }
}
