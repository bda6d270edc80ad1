//! `$name` in statements.

use std::collections::BTreeMap;

use promql_ide::{Role, highlight};
use promql_syntax::Features;

/// The text with variables replaced by their values: in parentheses where a value is an expression of
/// several parts, as it is inside strings and where a duration stands.
///
/// ```
/// use std::collections::BTreeMap;
/// let variables = BTreeMap::from([
///     ("errors".to_owned(), "a + b".to_owned()),
///     ("w".to_owned(), "5m".to_owned()),
///     ("job".to_owned(), "api".to_owned()),
/// ]);
/// let text = r#"$errors / rate(x{job="$job"}[$w])"#;
/// assert_eq!(
///     promql_repl::expand(text, &variables).unwrap(),
///     r#"(a + b) / rate(x{job="api"}[5m])"#,
/// );
/// ```
///
/// # Errors
/// With the name of a variable that isn't set.
pub fn expand(text: &str, variables: &BTreeMap<String, String>) -> Result<String, String> {
    if !text.contains('$') {
        return Ok(text.to_owned());
    }
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for part in highlight(text) {
        let word = &text[part.span.clone()];
        let replaced = match part.role {
            Role::String => in_string(word, variables),
            _ if word.starts_with('$') => {
                let name = &word[1..];
                let value = variables.get(name).ok_or_else(|| name.to_owned())?;
                let behind = text[part.span.end..].chars().next();
                let is_name = matches!(behind, Some('{' | '[' | '('));
                if is_name || is_simple(value) { value.clone() } else { format!("({value})") }
            }
            _ => continue,
        };
        out.push_str(&text[done..part.span.start]);
        out.push_str(&replaced);
        done = part.span.end;
    }
    out.push_str(&text[done..]);
    Ok(out)
}

/// Whether a value needs no parentheses: it is no expression, or one of a single part.
fn is_simple(value: &str) -> bool {
    match promql_syntax::parse(value, &Features::ALL) {
        Ok(expr) => expr.nodes().len() == 1,
        Err(_) => true,
    }
}

/// In strings only names that are set count: `$1` is a template of `label_replace`.
fn in_string(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut out = text.to_owned();
    // Longer names first, so that `$jobs` is not `$job` with an s.
    let mut names: Vec<&String> = variables.keys().collect();
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    for name in names {
        out = out.replace(&format!("${{{name}}}"), &variables[name]);
        out = out.replace(&format!("${name}"), &variables[name]);
    }
    out
}
