//! Patterns for names and paths: globs, or regular expressions between slashes.

use promql_model::Regex;

/// A pattern: `node_*`, `teams/**`, `/slo-.+/`.
///
/// `*` stands for any characters but `/`, `**` for any, `?` for one but `/`. Between slashes stands a
/// regular expression, which has to match the whole text, as in PromQL.
///
/// ```
/// use promql_lint::Pattern;
/// let pattern = Pattern::new("teams/**/*.yml")?;
/// assert!(pattern.matches("teams/shop/rules.yml") && pattern.matches("teams/rules.yml"));
/// assert!(!pattern.matches("teams/rules.json"));
/// assert!(Pattern::new("/slo-.+/")?.matches("slo-shop"));
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug)]
pub struct Pattern {
    regex: Regex,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Why the regular expression is none.
    pub fn new(text: &str) -> Result<Pattern, String> {
        let inner = text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
        let pattern = match inner.filter(|inner| !inner.is_empty()) {
            Some(regex) => regex.to_owned(),
            None => of_glob(text),
        };
        let regex = Regex::new(pattern.as_bytes()).map_err(|error| error.to_string())?;
        Ok(Pattern { regex })
    }

    /// Whether a text is one that the pattern stands for.
    pub fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

/// The regular expression of a glob.
fn of_glob(glob: &str) -> String {
    let mut out = String::new();
    let mut rest = glob;
    while let Some(c) = rest.chars().next() {
        let (length, part) = if rest.starts_with("**/") {
            (3, "(.*/)?".to_owned())
        } else if rest.starts_with("**") {
            (2, ".*".to_owned())
        } else {
            let part = match c {
                '*' => "[^/]*".to_owned(),
                '?' => "[^/]".to_owned(),
                c if c.is_alphanumeric() || c == '_' || c == '/' || !c.is_ascii() => c.to_string(),
                c => format!("\\x{{{:x}}}", u32::from(c)),
            };
            (c.len_utf8(), part)
        };
        out.push_str(&part);
        rest = &rest[length..];
    }
    out
}
