//! What is formatted reads the same, keeps its comments, and is not changed by formatting again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use promql_syntax::{Features, FormatOptions, compile, format, parse};

fuzz_target!(|source: &[u8]| {
    let options = FormatOptions::default();
    let Ok(formatted) = format(source, &options) else {
        assert!(compile(source, &Features::ALL).is_err());
        return;
    };
    let again = format(&formatted, &options).expect("what was formatted can be read");
    assert_eq!(formatted, again, "formatting again changes the text");
    let before = parse(source, &Features::ALL).expect("it was formatted");
    let after = parse(&formatted, &Features::ALL).expect("it was formatted again");
    assert_eq!(before.to_string(), after.to_string(), "the meaning changes");
    assert_eq!(before.comments().len(), after.comments().len(), "a comment is lost");
});
