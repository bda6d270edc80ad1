//! The `promql` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    promql_cli::main()
}
