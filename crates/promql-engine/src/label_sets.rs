//! What operations do to label sets. All of this happens once for a query.

use promql_model::{Labels, METRIC_NAME, is_label_name, quote};
use promql_syntax::{Query, ast::List};

/// The labels that are about the metric as a whole: whatever drops the name drops all of them,
/// also where the feature that sets the type and the unit is off.
pub(crate) const METADATA: [&str; 3] = [METRIC_NAME, "__type__", "__unit__"];

/// The labels without the name, the type and the unit.
pub(crate) fn without_metadata(labels: &Labels) -> Labels {
    labels.filtered(|name| !METADATA.contains(&name))
}

/// A list of labels as written after `by`, `on` and the like.
pub(crate) fn names(query: &Query, list: List) -> Vec<String> {
    let labels = query.labels(list).iter();
    labels.map(|label| String::from_utf8_lossy(query.text(label.name)).into_owned()).collect()
}

/// Only the listed labels.
pub(crate) fn only(labels: &Labels, names: &[String]) -> Labels {
    labels.filtered(|name| names.iter().any(|n| n == name))
}

/// All labels but the listed ones.
pub(crate) fn without(labels: &Labels, names: &[String]) -> Labels {
    labels.filtered(|name| !names.iter().any(|n| n == name))
}

/// All labels but the listed ones and the metric's name. The type and the unit stay.
pub(crate) fn without_name_and(labels: &Labels, names: &[String]) -> Labels {
    labels.filtered(|name| name != METRIC_NAME && !names.iter().any(|n| n == name))
}

/// A label set as error texts print it: `{a="b", c="d"}`, the name among the other labels.
pub(crate) fn braces(labels: &Labels) -> String {
    let mut text = String::from("{");
    for (at, (name, value)) in labels.iter().enumerate() {
        if at > 0 {
            text.push_str(", ");
        }
        if is_label_name(name) {
            text.push_str(name);
        } else {
            text.push_str(&quote(name.as_bytes()));
        }
        text.push('=');
        text.push_str(&quote(value.as_bytes()));
    }
    text.push('}');
    text
}
