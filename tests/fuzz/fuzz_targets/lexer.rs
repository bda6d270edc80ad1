//! Tokens lie one behind the other inside the text, whatever bytes it has.

#![no_main]

use libfuzzer_sys::fuzz_target;
use promql_syntax::lexer::{Tokens, tokenize, tokenize_series};

fuzz_target!(|source: &[u8]| {
    check(source, tokenize(source));
    check(source, tokenize_series(source));
});

fn check(source: &[u8], tokens: Tokens) {
    let mut end = 0;
    for token in &tokens.tokens {
        assert!(token.span.start >= end && token.span.end > token.span.start);
        end = token.span.end;
    }
    assert!(end as usize <= source.len());
    for comment in &tokens.comments {
        assert_eq!(source[comment.start as usize], b'#');
    }
    if let Some(error) = tokens.error {
        assert!(error.span.end as usize == source.len());
        assert!(!error.kind.to_string().is_empty());
    }
}
