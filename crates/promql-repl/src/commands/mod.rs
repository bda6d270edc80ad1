//! The commands of the session: one table, which the dispatcher, completion and `\help` read.

mod answers;
mod fixes;
mod help;
mod queries;
mod rules;
mod series;
pub(crate) mod settings;
mod share;
mod sources;
mod targets;

use crate::host::Failure;
use crate::session::Session;

pub(crate) use queries::{edit_text, saved as saved_queries};

/// What a command's arguments are, for completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completes {
    /// Nothing that is known.
    Nothing,
    /// An expression.
    Expression,
    /// The name of a metric.
    Metric,
    /// A source or a profile.
    Source,
    /// A file.
    File,
    /// A saved query.
    Saved,
    /// A command.
    Command,
    /// An option.
    Setting,
}

/// A command.
pub struct Command {
    /// The name without its backslash.
    pub name: &'static str,
    /// Shorter names.
    pub aliases: &'static [&'static str],
    /// The arguments, as `\help` shows them.
    pub arguments: &'static str,
    /// What they are, for completion.
    pub completes: Completes,
    /// What it does, in a sentence.
    pub about: &'static str,
    run: fn(&mut Session<'_>, &str) -> Result<(), Failure>,
}

impl Command {
    /// Whether the command has this name.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Command").field("name", &self.name).finish_non_exhaustive()
    }
}

macro_rules! commands {
    ($($name:literal $aliases:expr, $arguments:literal, $completes:ident, $about:literal => $run:path;)*) => {
        /// All commands, in the order in which `\help` lists them.
        pub static COMMANDS: &[Command] = &[$(Command {
            name: $name,
            aliases: &$aliases,
            arguments: $arguments,
            completes: Completes::$completes,
            about: $about,
            run: $run,
        },)*];
    };
}

commands! {
    "help" ["?", "h"], "[COMMAND|FUNCTION]", Command, "Shows this list, or what a command, a function or an operator does" => help::help;
    "connect" ["c"], "[SOURCE|PROFILE|-] …", Source, "Asks another source from now on, or several as one view; `-` is the one before" => sources::connect;
    "sources" [], "", Nothing, "Lists the sources of this session and the profiles" => sources::sources;
    "load" [], "FILE", File, "Asks a fixture, exposition text or a data folder from now on" => sources::load;
    "refresh" [], "", Nothing, "Forgets what completion knows of the source, and asks again" => sources::refresh;
    "metrics" [], "[PATTERN] [KIND]", Metric, "Lists metrics with their kinds and descriptions" => series::metrics;
    "labels" [], "[SELECTOR]", Expression, "Lists labels" => series::labels;
    "values" [], "LABEL [SELECTOR]", Nothing, "Lists the values of a label; with a selector, how many series have each" => series::values;
    "describe" ["d"], "METRIC", Metric, "Shows a metric's kind, labels and how to ask for it" => series::describe;
    "rules" [], "[TEXT]", Nothing, "Lists the rules that the server evaluates" => rules::rules;
    "alerts" [], "[TEXT]", Nothing, "Lists the alerts of the server that fire or are about to" => rules::alerts;
    "targets" [], "[TEXT]", Nothing, "Lists what the server scrapes, and why a scrape failed" => targets::targets;
    "exemplars" [], "[EXPR]", Expression, "Lists the exemplars of the series that an expression selects, of the last hour or of its range" => targets::exemplars;
    "time" [], "[TIME|now]", Nothing, "Shows or sets the time of instant queries, as now-1h or 10:00" => settings::time;
    "range" [], "[1h[:30s]|off]", Nothing, "Shows or sets a range, which makes all queries range queries" => settings::range;
    "step" [], "[DURATION|auto]", Nothing, "Shows or sets the step of range queries" => settings::step;
    "lookback" [], "[DURATION|default]", Nothing, "Shows or sets how old a sample may be" => settings::lookback;
    "tz" ["timezone"], "[ZONE|UTC|local]", Nothing, "Shows or sets the zone in which times are shown and read" => settings::zone;
    "set" [], "[NAME VALUE|--save]", Setting, "Shows or sets a variable, used as $NAME, or an option; --save keeps the options for later sessions" => settings::set;
    "unset" [], "NAME", Setting, "Removes a variable, or takes an option back" => settings::unset;
    "timing" [], "on|off", Nothing, "Says below each answer how long it took, or doesn't" => settings::timing;
    "table" [], "", Nothing, "Shows the last answer as a table" => answers::table;
    "x" ["vertical"], "", Nothing, "Shows the last answer one label to a line" => answers::vertical;
    "graph" ["heat"], "", Nothing, "Shows the last answer as a graph" => answers::graph;
    "json" [], "", Nothing, "Shows the last answer as JSON" => answers::json;
    "csv" [], "", Nothing, "Shows the last answer as comma-separated values" => answers::csv;
    "wide" [], "", Nothing, "Shows the last answer as a table with lines of any length" => answers::wide;
    "export" [], "FORM|rule FILE", File, "Writes the last answer to a file, in one of the forms of `promql query -o`, or a rule for what was asked" => share::export;
    "copy" [], "[expr|url|FORM]", Nothing, "Puts the last answer, what was asked or its address into the clipboard" => share::copy;
    "url" [], "[EXPR]", Expression, "Shows the address of the server's page for an expression" => share::url;
    "stats" [], "", Nothing, "Shows what the last answer took" => share::stats;
    "why" [], "", Nothing, "Says why the last answer was empty, and what would change it" => answers::why;
    "check" [], "[EXPR]", Expression, "Says what the linter finds in an expression" => fixes::check;
    "fix" [], "[N]", Nothing, "Puts what \\why or \\check proposed into the next line" => fixes::fix;
    "watch" [], "[5s] [EXPR]", Expression, "Asks again and again, with what changed; Ctrl-C ends it" => answers::watch;
    "diff" [], "A ; B | -1h EXPR | SOURCE SOURCE EXPR", Expression, "Compares two expressions, two times or two sources" => answers::diff;
    "explain" [], "[EXPR]", Expression, "Shows what is done to evaluate an expression, with values" => queries::explain;
    "ast" [], "[EXPR]", Expression, "Shows how an expression is read, with types" => queries::ast;
    "fmt" [], "[EXPR]", Expression, "Puts an expression, formatted, into the next line" => queries::fmt;
    "edit" ["e"], "[EXPR]", Expression, "Opens an expression in $EDITOR, and puts it into the next line" => queries::edit;
    "save" [], "NAME [EXPR]", Saved, "Gives the last expression a name" => queries::save;
    "run" [], "NAME", Saved, "Asks a saved expression" => queries::run;
    "queries" [], "", Nothing, "Lists saved expressions" => queries::queries;
    "capture" [], "FILE [EXPR]", File, "Writes the series that an expression needs as a fixture" => queries::capture;
    "history" [], "[TEXT]", Nothing, "Lists what was asked before" => queries::history;
    "o" [], "[FILE]", File, "Copies all output to a file too; without a file no more" => settings::tee;
    "quit" ["q", "exit"], "", Nothing, "Ends the session" => settings::quit;
}

/// Runs a command.
pub(crate) fn run(session: &mut Session<'_>, name: &str, rest: &str) -> Result<(), Failure> {
    match COMMANDS.iter().find(|row| row.is_called(name)) {
        Some(row) => (row.run)(session, rest),
        None => Err(Failure::new(unknown(name))),
    }
}

/// Says that there is no such command, with the nearest.
fn unknown(name: &str) -> String {
    let names = COMMANDS.iter().flat_map(|row| std::iter::once(&row.name).chain(row.aliases));
    let near = names
        .map(|known| (strsim::damerau_levenshtein(known, name), *known))
        .filter(|(distance, known)| *distance <= 2 && *distance < known.len())
        .min();
    let name = crate::plain::plain(name);
    match near {
        Some((_, near)) => format!("there is no command \\{name}; do you mean \\{near}?"),
        None => format!("there is no command \\{name}; \\help lists those that there are"),
    }
}

/// The expression that is given, or the last one that was asked.
fn given_or_last(session: &Session<'_>, rest: &str) -> Result<String, Failure> {
    match (rest, &session.last) {
        ("", Some((_, expression))) => Ok(expression.clone()),
        ("", None) => Err(Failure::new("nothing was asked yet: give an expression")),
        (rest, _) => Ok(rest.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manual_has_everything_that_can_be_written() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/src/reference/repl.md");
        let manual = std::fs::read_to_string(path).expect("the manual");
        let commands = COMMANDS.iter().map(|row| format!("`\\{}", row.name));
        let settings = crate::options::SETTINGS.iter().map(|s| format!("| `{}` |", s.name));
        let stages = crate::stages::STAGES.iter().map(|(name, _)| format!("`{name}"));
        let keys = crate::keys::KEYS.iter().map(|(name, ..)| format!("| {name} |"));
        for written in commands.chain(settings).chain(stages).chain(keys) {
            assert!(manual.contains(&written), "the manual doesn't say what {written} is");
        }
    }

    #[test]
    fn names_are_unique_and_mistakes_are_near() {
        let mut names: Vec<&str> = COMMANDS
            .iter()
            .flat_map(|r| std::iter::once(&r.name).chain(r.aliases))
            .copied()
            .collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(unknown("conect").contains("\\connect"));
        assert!(unknown("zzzzzz").contains("\\help"));
    }
}
