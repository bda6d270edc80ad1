//! The fields of a section: what is known is looked up, what is not is told.

use std::path::{Path, PathBuf};

use promql_yaml::{Document, Fault, FaultKind, Node, Value};

use crate::remote::Secret;
use crate::trouble::Trouble;

/// What is read, and what was found out about it.
pub(super) struct Reader<'a> {
    /// File names count from here.
    pub(super) folder: &'a Path,
    pub(super) troubles: Vec<Trouble>,
}

/// A section, or the file as a whole.
#[derive(Clone)]
pub(super) struct Section<'n> {
    /// What messages call it; empty for the file.
    pub(super) name: &'static str,
    node: &'n Node<'n>,
    fields: Vec<(&'n str, &'n Node<'n>, &'n Node<'n>)>,
}

/// The text of a scalar. An empty value, and `~` or `null` without quotes, is no text.
pub(super) fn text<'n>(node: &'n Node<'_>) -> Option<&'n str> {
    node.text().filter(|_| !node.is_null())
}

/// Where a value is written; of a list or a map only where it begins.
fn place(node: &Node<'_>) -> std::ops::Range<usize> {
    match node.value {
        Value::Scalar { .. } => node.span.clone(),
        _ => node.span.start..node.span.start,
    }
}

impl Reader<'_> {
    /// Remembers what is wrong with a document as YAML. Keys that are there twice are found where they
    /// are read.
    pub(super) fn document(&mut self, document: &Document<'_>) {
        for fault in &document.faults {
            if !matches!(fault.kind, FaultKind::DuplicateKey { .. }) {
                self.fault(fault);
            }
        }
    }

    /// Remembers something that is wrong with the text as YAML. What is in the text is not told: it may be
    /// a secret.
    pub(super) fn fault(&mut self, fault: &Fault) {
        let reason = match &fault.kind {
            FaultKind::Syntax(reason) | FaultKind::TooLarge(reason) => reason.as_str(),
            FaultKind::UnknownAnchor(_) => {
                "an alias of nothing; texts with `*` in front need quotes"
            }
            FaultKind::Recursive(_) => "an alias of a value around it",
            FaultKind::Version(..) => "not a version of YAML that Prometheus reads",
            FaultKind::DuplicateKey { .. } => "a key that is there twice",
            FaultKind::BadMerge => "`<<` takes a map or a list of maps",
        };
        self.troubles.push(Trouble::error(
            "http-config::yaml",
            fault.span.clone(),
            format!("not YAML that can be read: {reason}"),
            "here",
            "mind the indentation, and put texts with `: `, `#`, `{` or quotes into quotes",
        ));
    }

    pub(super) fn error(
        &mut self,
        node: &Node<'_>,
        message: impl Into<String>,
        label: &'static str,
        help: impl Into<std::borrow::Cow<'static, str>>,
    ) {
        let place = place(node);
        self.troubles.push(Trouble::error("http-config::value", place, message, label, help));
    }

    /// The fields of a map, all of which must be known and be there once.
    pub(super) fn section<'n>(
        &mut self,
        name: &'static str,
        node: &'n Node<'n>,
        known: &[&'static str],
    ) -> Section<'n> {
        let mut section = Section { name, node, fields: Vec::new() };
        let shown = if name.is_empty() { "the file".to_owned() } else { format!("`{name}`") };
        let Value::Mapping(entries) = &node.value else {
            if !node.is_null() {
                let message = format!("{shown} must hold fields with values");
                self.error(node, message, "no fields here", "write `name: value`, one to a line");
            }
            return section;
        };
        for entry in entries {
            let (key, value) = (&entry.key, &entry.value);
            let text = text(key).unwrap_or_default();
            if !known.contains(&text) {
                let message = format!("{shown} has no field `{}`", text.escape_debug());
                let help = suggestion(text, known);
                self.troubles.push(Trouble::error(
                    "http-config::unknown-field",
                    place(key),
                    message,
                    "unknown",
                    help,
                ));
            } else if section.fields.iter().any(|(other, ..)| *other == text) {
                let message = format!("the field `{text}` is there twice");
                self.error(key, message, "again", "keep one of them");
            } else {
                section.fields.push((text, key, value));
            }
        }
        section
    }

    pub(super) fn text<'n>(&mut self, section: &Section<'n>, key: &str) -> Option<&'n str> {
        let node = section.value(key)?;
        let text = text(node);
        if text.is_none() {
            let message = format!("`{key}` must be a text");
            self.error(node, message, "no text", format!("write `{key}: …` in one line"));
        }
        text
    }

    pub(super) fn flag(&mut self, section: &Section<'_>, key: &str) -> Option<bool> {
        let node = section.value(key)?;
        match text(node) {
            Some("true" | "True" | "TRUE") => Some(true),
            Some("false" | "False" | "FALSE") => Some(false),
            _ => {
                let message = format!("`{key}` must be true or false");
                self.error(node, message, "neither", format!("write `{key}: true`"));
                None
            }
        }
    }

    pub(super) fn texts(&mut self, node: &Node<'_>, key: &str) -> Vec<String> {
        match &node.value {
            _ if node.is_null() => Vec::new(),
            Value::Sequence(items) if items.iter().all(|item| text(item).is_some()) => {
                items.iter().filter_map(|item| text(item).map(str::to_owned)).collect()
            }
            _ => {
                let message = format!("`{key}` must be a list of texts");
                self.error(node, message, "no such list", format!("write `{key}: [one, another]`"));
                Vec::new()
            }
        }
    }

    /// Fields with names of their own.
    pub(super) fn map<'n>(
        &mut self,
        section: &Section<'n>,
        key: &str,
    ) -> Vec<(&'n Node<'n>, &'n Node<'n>)> {
        match section.value(key) {
            None => Vec::new(),
            Some(Node { value: Value::Mapping(entries), .. }) => {
                entries.iter().map(|entry| (&entry.key, &entry.value)).collect()
            }
            Some(node) => {
                let message = format!("`{key}` must hold names with values");
                self.error(node, message, "none here", "write `name: value`, one to a line");
                Vec::new()
            }
        }
    }

    /// What is given itself, as the content of a file, or by reference to a secret manager: at most
    /// one of them, and there is no secret manager.
    pub(super) fn secret(&mut self, section: &Section<'_>, key: &str) -> Option<Secret> {
        let (in_file, by_reference) = (format!("{key}_file"), format!("{key}_ref"));
        let given: Vec<(&str, &Node<'_>)> = [key, &in_file, &by_reference]
            .into_iter()
            .filter_map(|key| section.field(key))
            .filter(|(_, value)| !value.is_null())
            .collect();
        if let [_, (second, node), ..] = given[..] {
            let names = format!("`{key}`, `{in_file}` and `{by_reference}`");
            let message = format!("{} has more than one of {names}", section.shown());
            self.error(node, message, "one of these is too much", format!("leave out `{second}`"));
            return None;
        }
        if let Some(node) = section.value(&by_reference) {
            let message = format!("`{by_reference}` needs a secret manager, and there is none");
            let help = format!("put the secret into a file and name it: `{in_file}: …`");
            self.error(node, message, "a reference to a secret", help);
            return None;
        }
        if section.value(&in_file).is_some() {
            let path = self.text(section, &in_file)?;
            return Some(Secret::in_file(self.path(path)));
        }
        self.text(section, key).map(Secret::from)
    }

    pub(super) fn path(&self, text: &str) -> PathBuf {
        self.folder.join(text)
    }
}

impl<'n> Section<'n> {
    /// The key and the value of a field, if it is there.
    fn field(&self, key: &str) -> Option<(&'n str, &'n Node<'n>)> {
        self.fields.iter().find(|(known, ..)| *known == key).map(|(k, _, value)| (*k, *value))
    }

    /// The value of a field that is there and not empty.
    pub(super) fn value(&self, key: &str) -> Option<&'n Node<'n>> {
        self.field(key).map(|(_, value)| value).filter(|value| !value.is_null())
    }

    /// Where a field is written, the section if it is not.
    pub(super) fn key(&self, key: &str) -> &'n Node<'n> {
        let found = self.fields.iter().find(|(known, ..)| *known == key);
        found.map_or(self.node, |(_, key, _)| *key)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    pub(super) fn shown(&self) -> String {
        match self.name {
            "" => "the file".to_owned(),
            name => format!("`{name}`"),
        }
    }
}

/// What may have been meant.
fn suggestion(word: &str, known: &[&str]) -> String {
    let near = known
        .iter()
        .map(|known| (strsim::damerau_levenshtein(word, known), *known))
        .filter(|(distance, known)| *distance <= 1 + known.len() / 4)
        .min();
    match near {
        Some((_, known)) => format!("`{known}` is meant?"),
        None => format!(
            "known are {}",
            known.iter().map(|k| format!("`{k}`")).collect::<Vec<_>>().join(", ")
        ),
    }
}
