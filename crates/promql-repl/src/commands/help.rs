//! `\help`

use promql_ide::{Snapshot, hover};

use super::{COMMANDS, Command, unknown};
use crate::host::Failure;
use crate::keys::KEYS;
use crate::session::Session;
use crate::stages::STAGES;

pub(super) fn help(session: &mut Session<'_>, rest: &str) -> Result<(), Failure> {
    let name = rest.trim_start_matches('\\');
    let text = match name {
        "" => everything(),
        name => match COMMANDS.iter().find(|row| row.is_called(name)) {
            Some(row) if !rest.is_empty() => of_command(row),
            _ => of_word(name).ok_or_else(|| {
                Failure::new(format!(
                    "there is no function or operator `{name}`, and {}",
                    unknown(name)
                ))
            })?,
        },
    };
    session.print_wrapped(&text);
    Ok(())
}

fn everything() -> String {
    let mut out = String::from(
        "Write an expression, and behind it what you want:\n\
         \x20 up [[1h:30s]]                        over the last hour, each 30 s\n\
         \x20 up [[09:00 .. 10:00 : 1m]]           between two times\n\
         \x20 up | sort -value | head 3 | csv FILE what is done to the answer\n\
         \x20 errors = rate(x{code=~\"5..\"}[5m])    a variable, used as $errors\n\
         \x20 !ls                                  a command of the shell\n\
         Tab completes, the right arrow takes the suggestion, Alt-Enter begins a new line.\n\n",
    );
    let widest =
        COMMANDS.iter().map(|row| row.name.len() + row.arguments.chars().count() + 2).max();
    let widest = widest.unwrap_or(0).min(24);
    for row in COMMANDS {
        let usage = format!("\\{} {}", row.name, row.arguments);
        out.push_str(&format!("{usage:widest$}  {}\n", row.about));
    }
    out.push_str("\nKeys:\n");
    for (name, _, _, about) in &KEYS {
        out.push_str(&format!("{name:15}  {about}\n"));
    }
    out.push_str("\nBehind `|`:\n");
    for (name, about) in STAGES {
        out.push_str(&format!("{name:10}  {about}\n"));
    }
    out
}

fn of_command(row: &Command) -> String {
    let mut out = format!("\\{} {}\n{}\n", row.name, row.arguments, row.about);
    if !row.aliases.is_empty() {
        let aliases: Vec<String> = row.aliases.iter().map(|alias| format!("\\{alias}")).collect();
        out.push_str(&format!("also {}\n", aliases.join(", ")));
    }
    out
}

/// What the language has to say about a word: it is looked at where it would stand.
fn of_word(word: &str) -> Option<String> {
    let places = [
        format!("{word}(x)"),
        format!("{word} (x)"),
        format!("x {word} y"),
        format!("x == {word} y"),
    ];
    places.iter().find_map(|text| {
        let at = text.find(word)?;
        let found = hover(text, at, &Snapshot::new())?;
        (text.get(found.span.clone()) == Some(word) && !found.markdown.contains("`x`"))
            .then(|| found.markdown.replace("**", "") + "\n")
            .filter(|text| text.lines().count() > 1 && !text.contains("There is no metric"))
    })
}
