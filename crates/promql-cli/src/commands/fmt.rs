//! `promql fmt`: formats expressions, also where they stand in rule files and dashboards.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use promql_rules::format::{format_dashboard, format_rules, is_dashboard};
use promql_rules::{FileKind, Finding, file_kind};
use promql_syntax::{DEFAULT_WIDTH, Errors, Features, FormatOptions};
use similar::TextDiff;

use super::{Stop, parse};
use crate::console::Console;
use crate::exit::Exit;
use crate::inputs::{Input, InputError, Name, Reader, is_promql};
use crate::paths::{files_below, is_yaml};
use crate::render::{grid, json};
use crate::{atomic, features, report, visible};

const AFTER: &str = "\
An argument that is an existing folder, or ends in .promql, .yml, .yaml or .json, is a path;
`-` is standard input; anything else is an expression. -e and -f say which when that is not
what is meant. A .promql file holds one expression, with as many comments (#) as it likes.
Of rule files, PrometheusRule manifests and Grafana dashboards only the expressions change.

Examples:
  promql fmt 'sum(rate(http_requests_total[5m]))by(job)'
  promql fmt < query.promql
  promql fmt --check queries/          # a diff and exit code 1 if something would change
  promql fmt --write queries/ rules/   # change the files
  promql fmt --write dashboard.json
  promql fmt --check -o json queries/  # [{\"name\":\"queries/a.promql\",\"changed\":true,…}]";

/// Arguments of `promql fmt`.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub struct Fmt {
    /// Expressions, .promql files, rule files, dashboards, folders with such files, or `-` for
    /// standard input
    #[arg(value_name = "EXPR|PATH")]
    pub inputs: Vec<String>,
    /// An expression, whatever it looks like
    #[arg(short = 'e', long = "expr", value_name = "EXPR", allow_hyphen_values = true)]
    pub expressions: Vec<String>,
    /// A file with an expression, whatever it is called; rule files and dashboards end in .yml,
    /// .yaml or .json
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
    /// expression; of rule files and dashboards both, with {"expressions"}, their number
    Json,
}

/// What became of one input.
struct Done {
    name: String,
    changed: bool,
    formatted: String,
    /// Of a file that holds expressions among other things: how many, and those that are left.
    file: Option<(usize, Vec<Finding>)>,
}

/// Why an input can't be formatted.
enum Wrong {
    /// It is no expression.
    Expression(Errors),
    /// It is no YAML, or no JSON.
    File(Vec<Finding>),
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
                    if let Some((_, left)) = &done.file {
                        tell(left, input, console);
                        if left.iter().any(Finding::is_error) {
                            exit = exit.and(Exit::Failed);
                        }
                    }
                    self.finish(input, &done, at, console)?;
                    entry(&done, self.check || self.write)
                }
                Err(wrong) => {
                    exit = exit.and(Exit::Failed);
                    let mut entry = String::from("{\"name\":");
                    json::string(&mut entry, &input.name.to_string());
                    entry.push_str(",\"diagnostics\":");
                    match wrong {
                        Wrong::Expression(errors) => {
                            parse::tell(&errors, input, false, console)?;
                            entry.push_str(&report::errors_to_json(&errors));
                        }
                        Wrong::File(findings) => {
                            tell(&findings, input, console);
                            entry.push_str(&report::findings_to_json(&findings));
                        }
                    }
                    entry + "}"
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
                folder(path, &mut reader)?;
            } else if is_promql(path) || is_yaml(path) {
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

    fn format_one(&self, input: &Input) -> Result<Done, Wrong> {
        let options = FormatOptions { width: self.width, features: self.features };
        if matches!(&input.name, Name::File(path) if is_yaml(path)) {
            return format_file(input, &options);
        }
        let formatted = promql_syntax::format(&input.text, &options);
        let mut formatted = formatted.map_err(Wrong::Expression)?;
        formatted.push('\n');
        // An argument has no line break at its end, and needs none.
        let same = formatted.as_bytes() == input.text.as_slice()
            || !matches!(input.name, Name::File(_))
                && formatted.trim_end().as_bytes() == input.text.trim_ascii_end();
        Ok(Done { name: input.name.to_string(), changed: !same, formatted, file: None })
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

/// Adds all files of a folder that hold expressions: `.promql` files, rule files and dashboards. Other
/// YAML and JSON files are passed over.
fn folder(path: &Path, reader: &mut Reader) -> Result<(), InputError> {
    let files = files_below(path, |path| is_promql(path) || is_yaml(path))?;
    let mut found = false;
    for file in files {
        let error = |error| InputError::File { path: file.clone(), error };
        let text = std::fs::read(&file).map_err(error)?;
        if is_promql(&file) || has_expressions(&text) {
            found = true;
            reader.add(Input { name: Name::File(file), text });
        }
    }
    match found {
        true => Ok(()),
        false => Err(InputError::EmptyFolder {
            folder: path.to_path_buf(),
            wanted: "rule file, dashboard or .promql file",
        }),
    }
}

/// Whether a text is a rule file or a dashboard.
fn has_expressions(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    file_kind(&text) == FileKind::Rules || is_dashboard(&text)
}

/// Formats the expressions in a file.
fn format_file(input: &Input, options: &FormatOptions) -> Result<Done, Wrong> {
    let text = utf8(&input.text)?;
    let formatted = match is_dashboard(text) {
        true => format_dashboard(text, options),
        false => format_rules(text, options),
    };
    let formatted = formatted.map_err(Wrong::File)?;
    Ok(Done {
        name: input.name.to_string(),
        changed: formatted.text != text,
        formatted: formatted.text,
        file: Some((formatted.expressions, formatted.left)),
    })
}

fn utf8(text: &[u8]) -> Result<&str, Wrong> {
    std::str::from_utf8(text).map_err(|error| {
        let at = error.valid_up_to();
        let finding = Finding::error(
            "yaml::not-utf8",
            at..at + 1,
            "the file is not UTF-8",
            "these bytes are not UTF-8",
            "convert the file to UTF-8",
        );
        Wrong::File(vec![finding])
    })
}

/// Tells what is wrong in a file, and what is left as it is.
fn tell(findings: &[Finding], input: &Input, console: &Console) {
    let text = String::from_utf8_lossy(&input.text);
    let name = input.name.to_string();
    for finding in findings {
        let located = finding.located(&visible::escape(&name), &text);
        console.remark(&report::draw(&located, console));
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
    if let Some((expressions, left)) = &done.file {
        out.push_str(&format!(",\"expressions\":{expressions}"));
        out.push_str(",\"diagnostics\":");
        out.push_str(&report::findings_to_json(left));
    }
    out.push('}');
    out
}

/// A unified diff.
pub(super) fn diff(name: &str, old: &[u8], new: &str, color: bool) -> String {
    let mut old = String::from_utf8_lossy(old).into_owned();
    let is_file = name.ends_with(".promql") || is_yaml(Path::new(name));
    if !old.ends_with('\n') && !is_file {
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
