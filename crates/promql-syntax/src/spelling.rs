//! How strings and label names are spelled in printed expressions.

use std::fmt::Write;

use promql_model::is_label_name;
use promql_model::quote::Quoted;

/// Appends a string in double quotes.
pub(crate) fn push_quoted(out: &mut String, bytes: &[u8]) {
    _ = write!(out, "{}", Quoted(bytes));
}

/// Appends a label name, quoted unless it is a plain identifier.
pub(crate) fn push_label(out: &mut String, name: &[u8]) {
    match std::str::from_utf8(name) {
        Ok(plain) if is_label_name(plain) => out.push_str(plain),
        _ => push_quoted(out, name),
    }
}
