//! Label sets as text, and what a set of series has in common.

use std::collections::BTreeSet;

use promql_model::{Labels, METRIC_NAME, is_label_name, quote};

/// The labels as a selector that would find them: `up{job="api"}`. With `escaped`, characters that
/// a terminal would obey are written as escapes that the language reads.
///
/// Names that need quotes get them, as Prometheus 3 prints them: `{"my.metric", "my.label"="x"}`.
pub fn selector(labels: &Labels) -> String {
    let name = labels.metric_name();
    let mut out = String::new();
    let mut parts = Vec::new();
    match name {
        Some(name) if is_plain_metric(name) => out.push_str(name),
        Some(name) => parts.push(quote(name.as_bytes())),
        None => {}
    }
    parts.extend(labels.iter().filter(|(n, _)| *n != METRIC_NAME).map(|(n, v)| matcher(n, v)));
    if !parts.is_empty() || out.is_empty() {
        out.push('{');
        out.push_str(&parts.join(", "));
        out.push('}');
    }
    out
}

/// `name="value"`, the name in quotes if it needs them.
pub fn matcher(name: &str, value: &str) -> String {
    let name = if is_label_name(name) { name.to_string() } else { quote(name.as_bytes()) };
    format!("{name}={}", quote(value.as_bytes()))
}

/// Words that the language reads as something else where a metric's name is expected.
const NO_METRICS: [&str; 8] =
    ["atan2", "bool", "on", "ignoring", "group_left", "group_right", "inf", "nan"];

fn is_plain_metric(name: &str) -> bool {
    if NO_METRICS.iter().any(|word| word.eq_ignore_ascii_case(name)) {
        return false;
    }
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_' || b == b':')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b':')
}

/// The labels of several series, split into those that all of them have with the same value and
/// the names of those that differ.
pub struct Shared {
    /// What all have in common.
    pub common: Labels,
    /// The names of the others: the metric's name first, then in order.
    pub varying: Vec<String>,
}

impl Shared {
    /// Compares label sets. One set alone has everything in common.
    pub fn of<'a>(sets: impl IntoIterator<Item = &'a Labels>) -> Shared {
        let mut sets = sets.into_iter();
        let Some(first) = sets.next() else {
            return Shared { common: Labels::empty(), varying: Vec::new() };
        };
        let mut common: Vec<(&str, &str)> = first.iter().collect();
        let mut names: BTreeSet<&str> = first.iter().map(|(name, _)| name).collect();
        for set in sets {
            common.retain(|(name, value)| set.get(name) == Some(*value));
            names.extend(set.iter().map(|(name, _)| name));
        }
        for (name, _) in &common {
            names.remove(name);
        }
        let mut varying: Vec<String> = names.into_iter().map(String::from).collect();
        varying.sort_by_key(|name| name != METRIC_NAME);
        Shared { common: Labels::from_pairs(common), varying }
    }

    /// What a series has beside the common labels, as a selector.
    pub fn rest(&self, labels: &Labels) -> String {
        let rest = labels.iter().filter(|(name, _)| self.common.get(name).is_none());
        selector(&Labels::from_pairs(rest))
    }

    /// The line that says the common labels, if there are any.
    pub fn line(&self) -> Option<String> {
        (!self.common.is_empty()).then(|| format!("common: {}", selector(&self.common)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(pairs: &[(&str, &str)]) -> String {
        selector(&Labels::from_pairs(pairs.iter().copied()))
    }

    #[test]
    fn labels_read_as_a_selector() {
        assert_eq!(show(&[]), "{}");
        assert_eq!(show(&[("__name__", "up")]), "up");
        assert_eq!(show(&[("__name__", "up"), ("job", "a\"b\\c")]), r#"up{job="a\"b\\c"}"#);
        assert_eq!(show(&[("__name__", "a.b"), ("my.label", "x")]), r#"{"a.b", "my.label"="x"}"#);
        assert_eq!(show(&[("__name__", "Inf")]), r#"{"Inf"}"#);
        assert_eq!(show(&[("a", "\u{1b}[2J\u{202e}")]), r#"{a="\x1b[2J\u202e"}"#);
    }
}
