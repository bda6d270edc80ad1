//! The command line as a whole.

use clap::{Parser, Subcommand};

use crate::commands::Stop;
use crate::commands::{
    capture, check, completions, explain, fmt, lint, man, parse, query, repl, serve, test,
};
use crate::console::{ColorChoice, Console};
use crate::exit::Exit;

const AFTER: &str = "\
Examples:
  promql                            a session that asks http://localhost:9090
  promql query -s http://localhost:9090 'sum by (job) (up)'
  promql query -s fixture.test --last 1h 'rate(http_requests_total[5m])'
  promql parse 'sum by (job) (rate(x[5m]))'
  promql fmt --check queries/
  promql check rules/
  promql lint rules/
  promql test tests/
  promql capture -s http://localhost:9090 'rate(x[5m])' > fixture.test
  promql serve -s /var/lib/prometheus

Exit codes: 0 everything was answered; 1 an expression is wrong, a query failed or
there are findings; 2 the command was not understood or an input can't be read.";

/// A PromQL toolkit: ask servers and files, look into expressions, format them.
#[derive(Debug, Parser)]
#[command(name = "promql", version, about, after_help = AFTER, max_term_width = 100)]
pub struct Cli {
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", value_enum)]
    pub color: ColorChoice,
    /// What to do; without it a session begins
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Ask a server, or evaluate over files, and show the answer
    #[command(visible_alias = "q")]
    Query(Box<query::Query>),
    /// Begin a session: ask, complete, compare, watch
    Repl(Box<repl::Repl>),
    /// Show what is done to evaluate an expression, and with a source what that takes
    Explain(Box<explain::Explain>),
    /// Show how an expression is read: its tree, its types, its tokens
    #[command(visible_alias = "ast")]
    Parse(parse::Parse),
    /// Format expressions, keeping their comments
    Fmt(fmt::Fmt),
    /// Check rule files, and what names them
    Check(check::Check),
    /// Find what is wrong with rules that are valid
    Lint(Box<lint::Lint>),
    /// Run test scripts and unit tests: what queries and rules must make of series
    Test(Box<test::Test>),
    /// Write the series that expressions or rules need as a fixture
    Capture(Box<capture::Capture>),
    /// Answer the HTTP API of Prometheus over files, folders or servers
    Serve(Box<serve::Serve>),
    /// Print a completion script for a shell
    Completions(completions::Completions),
    /// Print the manual page, in roff
    Man(man::Man),
}

impl Command {
    /// Does it.
    ///
    /// # Errors
    /// When it could not be begun or ended; nothing was told yet.
    pub fn run(&self, console: &Console) -> Result<Exit, Stop> {
        match self {
            Command::Query(query) => query.run(console),
            Command::Repl(repl) => repl.run(console),
            Command::Explain(explain) => explain.run(console),
            Command::Capture(capture) => capture.run(console),
            Command::Serve(serve) => serve.run(console),
            Command::Parse(parse) => parse.run(console),
            Command::Fmt(fmt) => fmt.run(console),
            Command::Check(check) => check.run(console),
            Command::Lint(lint) => lint.run(console),
            Command::Test(test) => test.run(console),
            Command::Completions(completions) => completions.run(console),
            Command::Man(man) => man.run(console),
        }
    }
}
