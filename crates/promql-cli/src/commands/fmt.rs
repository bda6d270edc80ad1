//! `promql fmt`: formats expressions.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use promql_syntax::{DEFAULT_WIDTH, Features, FormatOptions};
use similar::TextDiff;

use super::{Stop, parse};
use crate::console::Console;
use crate::exit::Exit;
use crate::inputs::{Input, InputError, Name, Reader, is_promql};
use crate::render::{grid, json};
use crate::{atomic, features, report, visible};

const AFTER: &str = "\
An argument that is an existing folder, or ends in .promql, is a path; `-` is standard
input; anything else is an expression. -e and -f say which when that is not what is meant.
A .promql file holds one expression, with as many comments (#) as it likes.

Examples:
  promql fmt 'sum(rate(http_requests_total[5m]))by(job)'
  promql fmt < query.promql
  promql fmt --check queries/          # a diff and exit code 1 if something would change
  promql fmt --write queries/          # change the files
  promql fmt --check -o json queries/  # [{\"name\":\"queries/a.promql\",\"changed\":true,…}]";

/// Arguments of `promql fmt`.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub struct Fmt {
    /// Expressions, .promql files, folders with such files, or `-` for standard input
    #[arg(value_name = "EXPR|PATH")]
    pub inputs: Vec<String>,
    /// An expression, whatever it looks like
    #[arg(short = 'e', long = "expr", value_name = "EXPR", allow_hyphen_values = true)]
    pub expressions: Vec<String>,
    /// A file with an expression, whatever it is called
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Change nothing; show what would change as a diff, and exit with 1 if anything would
    #[arg(long, conflicts_with = "write")]
    pub check: bool,
    /// Write the result back into the files
    #[arg(long, short = 'w')]
    pub write: bool,
    /// The longest part of an expression that stays on one line
    #[arg(long, value_name = "COLUMNS", default_value_t = DEFAULT_WIDTH)]
    pub width: usize,
    /// Which experimental parts of the language are accepted.
    #[arg(long, value_name = "LIST", default_value = "all", value_parser = features::parse)]
    #[arg(help = features::HELP)]
    pub features: Features,
    /// How to answer
    #[arg(short = 'o', long, value_name = "FORMAT", default_value = "text", value_enum)]
    pub format: Format,
}

/// How `promql fmt` answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The formatted expressions; with --check a diff
    Text,
    /// A list of {"name","changed","formatted"}, or {"name","diagnostics"} for what is no
    /// expression
    Json,
}

/// What became of one input.
struct Done {
    name: String,
    changed: bool,
    formatted: String,
}

impl Fmt {
    /// Formats the inputs.
    ///
    /// # Errors
    /// When an input can't be read or a result can't be written.
    pub fn run(&self, console: &Console) -> Result<Exit, Stop> {
        let inputs = self.read()?;
        if self.write
            && let Some(input) = inputs.iter().find(|i| !matches!(i.name, Name::File(_)))
        {
            let name = &input.name;
            return Err(Stop::Usage(format!("--write changes files, and {name} is none")));
        }
        let mut exit = Exit::Ok;
        let mut entries = Vec::new();
        for (at, input) in inputs.iter().enumerate() {
            let entry = match self.format_one(input) {
                Ok(done) => {
                    if self.check && done.changed {
                        exit = exit.and(Exit::Failed);
                    }
                    self.finish(input, &done, at, console)?;
                    entry(&done, self.check || self.write)
                }
                Err(errors) => {
                    exit = exit.and(Exit::Failed);
                    parse::tell(&errors, input, false, console)?;
                    let mut entry = String::from("{\"name\":");
                    json::string(&mut entry, &input.name.to_string());
                    entry + ",\"diagnostics\":" + &report::errors_to_json(&errors) + "}"
                }
            };
            entries.push(entry);
        }
        if self.format == Format::Json {
            console.print(&format!("[{}]\n", entries.join(",\n ")))?;
        }
        Ok(exit)
    }

    fn read(&self) -> Result<Vec<Input>, InputError> {
        let mut reader = Reader::default();
        for text in &self.inputs {
            let path = Path::new(text);
            if path.is_dir() {
                reader.folder(path)?;
            } else if is_promql(path) {
                reader.file(path)?;
            } else {
                reader.argument(text)?;
            }
        }
        for path in &self.files {
            reader.file(path)?;
        }
        for text in &self.expressions {
            reader.expression(text);
        }
        if self.inputs.is_empty() && self.files.is_empty() && self.expressions.is_empty() {
            reader.stdin()?;
        }
        Ok(reader.into_inputs())
    }

    fn format_one(&self, input: &Input) -> Result<Done, promql_syntax::Errors> {
        let options = FormatOptions { width: self.width, features: self.features };
        let mut formatted = promql_syntax::format(&input.text, &options)?;
        formatted.push('\n');
        // An argument has no line break at its end, and needs none.
        let same = formatted.as_bytes() == input.text.as_slice()
            || !matches!(input.name, Name::File(_))
                && formatted.trim_end().as_bytes() == input.text.trim_ascii_end();
        Ok(Done { name: input.name.to_string(), changed: !same, formatted })
    }

    /// Does with a result what was asked for.
    fn finish(&self, input: &Input, done: &Done, at: usize, console: &Console) -> Result<(), Stop> {
        if self.write
            && done.changed
            && let Name::File(path) = &input.name
        {
            let error = |error| InputError::Write { path: path.clone(), error };
            atomic::replace(path, done.formatted.as_bytes()).map_err(error)?;
        }
        if self.format == Format::Json {
            return Ok(());
        }
        if self.check {
            if done.changed {
                console.print(&diff(&done.name, &input.text, &done.formatted, console.color))?;
            }
        } else if self.write {
            if done.changed {
                console.print(&format!("{}\n", visible::escape(&done.name)))?;
            }
        } else {
            if at > 0 {
                console.print("\n")?;
            }
            console.print(&done.formatted)?;
        }
        Ok(())
    }
}

/// An object of the JSON answer.
fn entry(done: &Done, without_text: bool) -> String {
    let mut out = String::from("{\"name\":");
    json::string(&mut out, &done.name);
    out.push_str(&format!(",\"changed\":{}", done.changed));
    if !without_text {
        out.push_str(",\"formatted\":");
        json::string(&mut out, &done.formatted);
    }
    out.push('}');
    out
}

/// A unified diff.
fn diff(name: &str, old: &[u8], new: &str, color: bool) -> String {
    let mut old = String::from_utf8_lossy(old).into_owned();
    if !old.ends_with('\n') && !name.ends_with(".promql") {
        old.push('\n');
    }
    let diff = TextDiff::from_lines(old.as_str(), new);
    let name = visible::escape(name);
    let text = diff
        .unified_diff()
        .header(&format!("{name}\toriginal"), &format!("{name}\tformatted"))
        .to_string();
    if !color {
        return text;
    }
    let mut out = String::new();
    for line in text.split_inclusive('\n') {
        let (body, end) = line.strip_suffix('\n').map_or((line, ""), |body| (body, "\n"));
        let style = match body.as_bytes().first() {
            Some(b'+') => anstyle::AnsiColor::Green.on_default(),
            Some(b'-') => anstyle::AnsiColor::Red.on_default(),
            Some(b'@') => anstyle::AnsiColor::Cyan.on_default(),
            _ => anstyle::Style::new(),
        };
        grid::push_styled(&mut out, &visible::escape_lines(body), style, true);
        out.push_str(end);
    }
    out
}
