//! Templates: the labels and annotations of alerts, which are Go `text/template` texts with
//! functions that Prometheus adds.
//!
//! ```text
//!  text ──lexer──► tokens ──parser──► tree ──evaluate──► text
//!                                               ▲
//!                                               │ labels, value, results of queries
//! ```
//!
//! The language is Go's but for what alerts have no use for: methods of any type, channels, functions
//! as values, complex numbers. Messages, the printing of numbers and the rules about types are
//! Go's, since people's tests compare texts.
//!
//! ```
//! use promql_rules::template::{AlertData, NoQueries, Template, Value};
//!
//! let template = Template::alert("Slow", "{{ $labels.job }} takes {{ $value | humanizeDuration }}")?;
//! let data = AlertData {
//!     labels: std::sync::Arc::new([("job".to_owned(), "api".to_owned())].into()),
//!     external_labels: Default::default(),
//!     external_url: "".into(),
//!     value: Value::Float(90.0),
//! };
//! let text = template.expand(&Value::Alert(data.into()), &mut NoQueries { timestamp: 0 })?;
//! assert_eq!(text, "api takes 1m 30s");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Bounds, which Go doesn't have: a text has at most a hundred levels of nesting, and expands to at
//! most a mebibyte in at most a million steps.

mod compare;
mod constant;
mod evaluate;
mod functions;
mod humanize;
mod lexer;
mod parser;
mod printf;
mod text;
mod time;
mod tree;
mod value;

use std::ops::Range;

pub use functions::{FUNCTIONS, Function, Parameter};
pub(crate) use time::show_duration;
pub use value::{AlertData, IntType, List, Sample, Value, label_map};

use evaluate::Expansion;
use functions::Mode;
use tree::Trees;

/// What Prometheus puts before each text of an alert. Columns in its messages count it.
const PRELUDE: &str = "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}\
                       {{$externalURL := .ExternalURL}}{{$value := .Value}}";

/// The variables that this defines.
pub const ALERT_VARIABLES: [&str; 4] = ["$labels", "$externalLabels", "$externalURL", "$value"];

/// What is around a template.
pub trait Surroundings {
    /// The elements of the result of an instant query at the time of the evaluation.
    ///
    /// # Errors
    /// Why there is no result, as the template shall say it.
    fn query(&mut self, expression: &str) -> Result<Vec<Sample>, String>;

    /// The time of the evaluation in milliseconds since the epoch.
    fn timestamp(&self) -> i64;

    /// The expansion came to a branch (`if`, `with`, `range`) whose pipeline begins at this byte of the
    /// text. `taken` says whether its condition holds, or there is something to go through.
    fn branch(&mut self, _at: usize, _taken: bool) {}

    /// Where the server is reached from outside. Unit tests have none.
    fn external_url(&self) -> Option<&str> {
        None
    }
}

/// Surroundings without any series.
#[derive(Clone, Copy, Debug)]
pub struct NoQueries {
    /// The time in milliseconds since the epoch.
    pub timestamp: i64,
}

impl Surroundings for NoQueries {
    fn query(&mut self, _: &str) -> Result<Vec<Sample>, String> {
        Ok(Vec::new())
    }

    fn timestamp(&self) -> i64 {
        self.timestamp
    }
}

/// What the missing key of a map is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingKey {
    /// The zero value: an empty text. So it is in alerts.
    #[default]
    Zero,
    /// Nothing, which prints as `<no value>`.
    Nothing,
    /// An error.
    Error,
}

/// How a text is read and expanded.
#[derive(Clone, Copy, Debug, Default)]
pub struct TemplateOptions {
    /// Escape what is printed, as pages do. Only text between tags is known; there is no notion
    /// of attributes, scripts and styles.
    pub html: bool,
    /// What the missing key of a map is.
    pub missing_key: MissingKey,
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("template: {name}:{line}: {message}")]
pub struct TemplateError {
    name: String,
    line: usize,
    message: String,
    span: Range<usize>,
}

impl TemplateError {
    /// What is wrong, without name and line.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The line, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// Which part of the text, in bytes.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }
}

/// Why a template could not be expanded. Displays as Prometheus has it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("error executing template {name}: {message}")]
pub struct ExpandError {
    name: String,
    message: String,
    span: Range<usize>,
}

impl ExpandError {
    /// What is wrong and where, as Go says it: `template: NAME:LINE:COLUMN: executing …`.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Which part of the text, in bytes.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }
}

/// A template, ready to be expanded.
#[derive(Clone, Debug)]
pub struct Template {
    name: String,
    /// With the prelude.
    text: String,
    prelude: usize,
    trees: Trees,
    options: TemplateOptions,
    /// The text itself if there are no actions in it.
    is_plain: bool,
}

impl Template {
    /// Reads a label or an annotation of an alert: `$labels`, `$value`, `$externalLabels` and
    /// `$externalURL` are known, and `.` is to be [`AlertData`].
    ///
    /// # Errors
    /// Why it is no template.
    pub fn alert(alert: &str, text: &str) -> Result<Template, TemplateError> {
        let options = TemplateOptions::default();
        Template::read(format!("__alert_{alert}"), text, PRELUDE, options)
    }

    /// Whether a label or an annotation of an alert can be [read](Self::alert): the same for less, since
    /// nothing is kept.
    ///
    /// # Errors
    /// Why it is no template.
    pub fn check_alert(alert: &str, text: &str) -> Result<(), TemplateError> {
        if !text.contains("{{") {
            return Ok(());
        }
        let mode = TemplateOptions::default().mode();
        match parser::parse("", text, mode, &ALERT_VARIABLES) {
            Ok(_) => Ok(()),
            // Messages have the name in them.
            Err(_) => Template::alert(alert, text).map(|_| ()),
        }
    }

    /// Reads a template under a name, which messages show.
    ///
    /// # Errors
    /// Why it is no template.
    pub fn parse(
        name: &str,
        text: &str,
        options: TemplateOptions,
    ) -> Result<Template, TemplateError> {
        Template::read(name.to_owned(), text, "", options)
    }

    fn read(
        name: String,
        text: &str,
        prelude: &str,
        options: TemplateOptions,
    ) -> Result<Template, TemplateError> {
        let is_plain = !text.contains("{{");
        let whole = format!("{prelude}{text}");
        let trees = match is_plain {
            true => Ok(Trees::new()),
            false => parser::parse(&name, &whole, options.mode(), &[]),
        };
        let prelude = prelude.len();
        match trees {
            Ok(trees) => Ok(Template { name, text: whole, prelude, trees, options, is_plain }),
            Err(fault) => Err(TemplateError {
                name,
                line: fault.line,
                message: fault.message,
                span: without_prelude(fault.place, prelude, text.len()),
            }),
        }
    }

    /// The text that was read.
    pub fn source(&self) -> &str {
        self.text.get(self.prelude..).unwrap_or_default()
    }

    /// Whether the text has no actions, and so expands to itself.
    pub fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// Whether a function is called somewhere.
    pub fn calls(&self, function: &str) -> bool {
        !self.is_plain && self.trees.values().any(|tree| tree.calls(function))
    }

    /// The branches (`if`, `with`, `range`), in the order of the text: where each begins, as
    /// [`Surroundings::branch`] has it, and its pipeline, in bytes of the text.
    pub fn branches(&self) -> Vec<(usize, Range<usize>)> {
        let mut places = Vec::new();
        self.trees.values().for_each(|tree| tree.branches(&mut places));
        places.sort_by_key(|place: &Range<usize>| place.start);
        let length = self.source().len();
        let places = places.into_iter().map(|p| without_prelude(p, self.prelude, length));
        places.map(|place| (place.start, place)).collect()
    }

    /// Expands the template.
    ///
    /// # Errors
    /// What failed.
    pub fn expand(
        &self,
        dot: &Value,
        surroundings: &mut dyn Surroundings,
    ) -> Result<String, ExpandError> {
        if self.is_plain {
            return Ok(self.source().to_owned());
        }
        let expansion = Expansion {
            name: &self.name,
            text: &self.text,
            trees: &self.trees,
            mode: self.options.mode(),
            missing: self.options.missing_key,
            prelude: self.prelude,
            surroundings,
        };
        expansion.run(dot).map_err(|failure| ExpandError {
            name: self.name.clone(),
            message: failure.message,
            span: without_prelude(failure.place, self.prelude, self.source().len()),
        })
    }
}

impl TemplateOptions {
    fn mode(self) -> Mode {
        if self.html { Mode::Html } else { Mode::Text }
    }
}

/// A place in the text that was given, of one in the text that was parsed.
fn without_prelude(place: Range<usize>, prelude: usize, length: usize) -> Range<usize> {
    let shift = |at: usize| at.saturating_sub(prelude).min(length);
    shift(place.start)..shift(place.end)
}
