//! Which labels a template reads by `.Labels` and `label`, and of what: of the alert, or of what a query in
//! the template gives.
//!
//! The dot stands for other things within `range` and `with`. So the blocks of a template are followed from
//! its begin to its end, with what the dot and the variables are in each. What isn't understood is
//! [`Of::Unknown`], about which nothing is said.

use std::ops::Range;

use crate::templates::actions;

/// A label that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Read {
    /// The label.
    pub(crate) label: String,
    /// Where, in the text.
    pub(crate) place: Range<usize>,
    /// Of what.
    pub(crate) of: Of,
}

/// What a dot or a variable stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    /// The alert, with `.Labels` and `.Value`.
    Alert,
    /// All samples that a query gives.
    Vector(String),
    /// One of them.
    Sample(String),
    /// Something else.
    Unknown,
}

/// A block that isn't at its end yet.
struct Block {
    /// What the dot is in it.
    dot: Of,
    /// What it is around it, and so behind `else`.
    outer: Of,
}

/// Follows a template.
pub(crate) fn template_reads(text: &str) -> Vec<Read> {
    let mut walk = Walk { reads: Vec::new(), blocks: Vec::new(), variables: Vec::new() };
    if text.contains("abels") || text.contains("label") {
        for action in actions(text) {
            walk.action(&text[action.clone()], action.start);
        }
    }
    walk.reads
}

struct Walk {
    reads: Vec<Read>,
    blocks: Vec<Block>,
    variables: Vec<(String, Of)>,
}

impl Walk {
    fn dot(&self) -> Of {
        self.blocks.last().map_or(Of::Alert, |block| block.dot.clone())
    }

    /// What stands between `{{` and `}}`.
    fn action(&mut self, inner: &str, at: usize) {
        let trimmed = inner.trim_matches('-').trim();
        let (word, rest) = trimmed.split_once(char::is_whitespace).unwrap_or((trimmed, ""));
        match word {
            "end" => drop(self.blocks.pop()),
            "else" => {
                if let Some(block) = self.blocks.last_mut() {
                    block.dot = block.outer.clone();
                }
            }
            "define" | "block" => {
                let outer = self.dot();
                self.blocks.push(Block { dot: Of::Unknown, outer });
            }
            "if" => {
                self.read(inner, at);
                let dot = self.dot();
                self.blocks.push(Block { dot: dot.clone(), outer: dot });
            }
            "range" | "with" => {
                self.read(inner, at);
                let (names, pipeline) = assigned(rest);
                let value = self.value(pipeline);
                let dot = match (word, value) {
                    ("range", Of::Vector(query)) => Of::Sample(query),
                    ("range", _) => Of::Unknown,
                    (_, value) => value,
                };
                // Of two variables of a `range` the first one is a number.
                for (number, name) in names.iter().enumerate() {
                    let is_value = number + 1 == names.len();
                    let of = if is_value { dot.clone() } else { Of::Unknown };
                    self.variables.push((name.clone(), of));
                }
                let outer = self.dot();
                self.blocks.push(Block { dot, outer });
            }
            _ => {
                self.read(inner, at);
                let (names, pipeline) = assigned(trimmed);
                if let [name] = &*names {
                    let value = self.value(pipeline);
                    self.variables.push((name.clone(), value));
                }
            }
        }
    }

    /// What a pipeline gives.
    fn value(&self, pipeline: &str) -> Of {
        let mut stages = stages(pipeline).into_iter().map(str::trim);
        let mut value = match stages.next() {
            Some(".") => self.dot(),
            Some(first) if first.starts_with("query ") => literal(&first["query ".len()..])
                .map_or(Of::Unknown, |query| Of::Vector(query.to_owned())),
            Some(first) if first.starts_with('$') => self.variable(first),
            Some(first) => match literal(first) {
                // `"up" | query`
                Some(query) if stages.next() == Some("query") => Of::Vector(query.to_owned()),
                _ => Of::Unknown,
            },
            None => Of::Unknown,
        };
        for stage in stages {
            value = match (value, stage.split_whitespace().next()) {
                (Of::Vector(query), Some("first")) => Of::Sample(query),
                (Of::Vector(query), Some("sortByLabel")) => Of::Vector(query),
                _ => Of::Unknown,
            };
        }
        value
    }

    fn variable(&self, name: &str) -> Of {
        let known = self.variables.iter().rev().find(|(known, _)| known == name);
        known.map_or(Of::Unknown, |(_, of)| of.clone())
    }

    /// Notes the labels that an action reads.
    fn read(&mut self, inner: &str, at: usize) {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        for (found, front) in inner.match_indices(".Labels.") {
            let before = &inner[..found];
            let name =
                &before[before.rfind(|c: char| !is_part(c) && c != '$').map_or(0, |at| at + 1)..];
            let of = match name {
                "" if before.ends_with([')', '.']) => Of::Unknown,
                "" => self.dot(),
                "$" => Of::Alert,
                name => self.variable(name),
            };
            let rest = &inner[found + front.len()..];
            let length = rest.find(|c: char| !is_part(c)).unwrap_or(rest.len());
            if length > 0 && !in_quotes(before) {
                let end = at + found + front.len() + length;
                let label = rest[..length].to_owned();
                self.reads.push(Read { label, place: at + found..end, of });
            }
        }
        // `… | first | label "x"`
        let (_, pipeline) = assigned(inner.trim_matches('-').trim());
        let stages = stages(pipeline);
        for (number, stage) in stages.iter().enumerate().skip(1) {
            let Some(rest) = stage.trim().strip_prefix("label ") else { continue };
            let Some(label) = literal(rest) else { continue };
            let offset = stage.as_ptr() as usize - inner.as_ptr() as usize;
            let front: Vec<&str> = stages[..number].to_vec();
            let of = self.value(&front.join("|"));
            let leading = stage.len() - stage.trim_start().len();
            let start = at + offset + leading;
            let place = start..start + stage.trim().len();
            self.reads.push(Read { label: label.to_owned(), place, of });
        }
    }
}

/// The variables that a pipeline is assigned to, and the pipeline.
fn assigned(text: &str) -> (Vec<String>, &str) {
    match text.split_once(":=") {
        Some((names, rest)) if names.trim_start().starts_with('$') => {
            (names.split(',').map(|name| name.trim().to_owned()).collect(), rest.trim())
        }
        _ => (Vec::new(), text),
    }
}

/// The stages of a pipeline; a bar within quotes is none.
fn stages(pipeline: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut quote = None;
    let mut chars = pipeline.char_indices();
    while let Some((at, c)) = chars.next() {
        match quote {
            None if matches!(c, '"' | '`') => quote = Some(c),
            None if c == '|' => {
                found.push(&pipeline[start..at]);
                start = at + 1;
            }
            Some('"') if c == '\\' => drop(chars.next()),
            Some(open) if c == open => quote = None,
            _ => {}
        }
    }
    found.push(&pipeline[start..]);
    found
}

fn in_quotes(before: &str) -> bool {
    before.matches('`').count() % 2 == 1 || before.matches('"').count() % 2 == 1
}

/// A text in quotes that stands alone, if nothing in it is escaped.
fn literal(text: &str) -> Option<&str> {
    let text = text.trim();
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '`'))?;
    let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
    (!inner.contains(quote) && (quote == '`' || !inner.contains('\\'))).then_some(inner)
}
