//! `promql parse`: how an expression is read.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};
use promql_syntax::{Errors, Expr, Features, lexer};

use super::Stop;
use crate::console::Console;
use crate::exit::Exit;
use crate::inputs::Input;
use crate::{features, report, visible};

const AFTER: &str = "\
Formats:
  tree       the syntax tree with the type of every part
  typed      what is evaluated: operators resolved, defaults spelled out
  tokens     what the lexer sees, one token a line with its byte range
  canonical  the expression in one line, as a server prints it
  json       the answer of a server's /api/v1/parse_query

Examples:
  promql parse 'sum by (job) (rate(http_requests_total[5m]))'
  promql parse -o canonical 'sum(up)by(job)'
  promql parse -o json -f query.promql | jq .data
  promql parse --strict 'limitk(3, up)'        # what a server without feature flags says
  echo 'up ==' | promql parse -

An invalid expression is shown with everything that is wrong with it on standard error,
and the exit code is 1. With -o json standard output has it too, as the server's error answer
with a list of diagnostics.";

/// Arguments of `promql parse`.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub struct Parse {
    /// Expressions; `-` reads one from standard input
    #[arg(value_name = "EXPR")]
    pub expressions: Vec<String>,
    /// A file with an expression; may be given several times
    #[arg(short = 'f', long = "file", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    /// How to show it
    #[arg(short = 'o', long, value_name = "FORMAT", default_value = "tree", value_enum)]
    pub format: Format,
    /// With -o json: the byte range of every part
    #[arg(long)]
    pub positions: bool,
    /// Which experimental parts of the language are accepted.
    #[arg(long, value_name = "LIST", default_value = "all", value_parser = features::parse)]
    #[arg(help = features::HELP)]
    pub features: Features,
    /// The same as --features stable
    #[arg(long, conflicts_with = "features")]
    pub strict: bool,
}

/// How `promql parse` shows an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The syntax tree with types
    Tree,
    /// The typed tree that is evaluated
    Typed,
    /// The tokens with their byte ranges
    Tokens,
    /// The expression in one line, as a server prints it
    Canonical,
    /// The answer of a server's parse_query endpoint
    Json,
}

impl Parse {
    /// Shows the expressions.
    ///
    /// # Errors
    /// When an input can't be read or the answer can't be written.
    pub fn run(&self, console: &Console) -> Result<Exit, Stop> {
        let features = if self.strict { Features::STABLE } else { self.features };
        let inputs = super::inputs(&self.files, &self.expressions)?;
        let mut exit = Exit::Ok;
        for (at, input) in inputs.iter().enumerate() {
            if at > 0 && matches!(self.format, Format::Tree | Format::Typed | Format::Tokens) {
                console.print("\n")?;
            }
            match self.show(&input.text, &features) {
                Ok(text) => console.print(&text)?,
                Err(errors) => {
                    exit = exit.and(Exit::Failed);
                    tell(&errors, input, self.format == Format::Json, console)?;
                }
            }
        }
        Ok(exit)
    }

    fn show(&self, text: &[u8], features: &Features) -> Result<String, Errors> {
        let parsed = promql_syntax::parse(text, features);
        // Tokens are shown of what is no expression, too; what is wrong is told all the same.
        let expr: Expr = parsed?;
        let query = promql_syntax::check(&expr)?;
        Ok(match self.format {
            Format::Tree => expr.to_tree_text(),
            Format::Typed => query.to_typed_text(),
            Format::Tokens => tokens(text),
            Format::Canonical => format!("{expr}\n"),
            Format::Json => {
                let tree = expr.to_json(self.positions);
                format!("{{\"status\":\"success\",\"data\":{tree}}}\n")
            }
        })
    }
}

/// One token a line: its byte range, its kind as upstream calls it, and its text.
fn tokens(text: &[u8]) -> String {
    let tokens = lexer::tokenize(text);
    let mut out = String::new();
    for token in &tokens.tokens {
        let range = token.span.range();
        let source = String::from_utf8_lossy(text.get(range.clone()).unwrap_or_default());
        let place = format!("{}..{}", range.start, range.end);
        let name = token.kind.upstream_name();
        out.push_str(&format!("{place:<9} {name:<18} {}\n", visible::escape(&source)));
    }
    out
}

/// Says what is wrong with an expression.
///
/// # Errors
/// When standard output can't be written.
pub fn tell(errors: &Errors, input: &Input, as_json: bool, console: &Console) -> Result<(), Stop> {
    console.remark(&report::draw_errors(errors, &input.name.to_string(), console));
    if as_json {
        console.print(&report::errors_envelope(errors))?;
    }
    Ok(())
}
