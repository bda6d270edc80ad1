//! Which texts are names of metrics, labels and annotations.

use promql_model::{METRIC_NAME, is_label_name};

/// Which names are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum NameScheme {
    /// Any text, as since Prometheus 3.0.
    #[default]
    Utf8,
    /// Letters, digits and underscores of ASCII, in names of metrics colons too; no digit in front.
    Legacy,
}

impl NameScheme {
    /// Whether a text is the name of a metric.
    pub fn is_metric_name(self, name: &str) -> bool {
        match self {
            NameScheme::Utf8 => !name.is_empty(),
            NameScheme::Legacy => is_label_name(&name.replace(':', "_")),
        }
    }

    /// Whether a text is the name of a label that a rule may set.
    pub fn is_label_name(self, name: &str) -> bool {
        name != METRIC_NAME && self.is_annotation_name(name)
    }

    /// Whether a text is the name of an annotation.
    pub fn is_annotation_name(self, name: &str) -> bool {
        match self {
            NameScheme::Utf8 => !name.is_empty(),
            NameScheme::Legacy => is_label_name(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes() {
        for (name, utf8, legacy) in
            [("a:b", true, true), ("a b", true, false), ("", false, false), ("0a", true, false)]
        {
            assert_eq!(NameScheme::Utf8.is_metric_name(name), utf8, "{name}");
            assert_eq!(NameScheme::Legacy.is_metric_name(name), legacy, "{name}");
        }
        for (name, utf8, legacy) in
            [("a:b", true, false), ("__name__", false, false), ("__x", true, true)]
        {
            assert_eq!(NameScheme::Utf8.is_label_name(name), utf8, "{name}");
            assert_eq!(NameScheme::Legacy.is_label_name(name), legacy, "{name}");
        }
        assert!(NameScheme::Utf8.is_annotation_name("__name__"));
    }
}
