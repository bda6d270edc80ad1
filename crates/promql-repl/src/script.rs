//! A session without a terminal: statements from a pipe or a file.
//!
//! A statement ends at an empty line, at `;` at the end of a line, or at the end of the text. Commands,
//! comments and assignments take one line unless they go on. What goes wrong is told, the rest is done
//! nevertheless, and the exit code is that of the worst.

use crate::session::{Exit, Session};
use crate::statement::is_unfinished;

impl Session<'_> {
    /// Does what a text says, statement by statement.
    pub fn run_script(&mut self, text: &str) -> Exit {
        for statement in statements(text) {
            self.execute(&statement);
            if self.ended {
                break;
            }
        }
        self.exit
    }
}

/// The statements of a text.
pub(crate) fn statements(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut statement = String::new();
    let mut end = |statement: &mut String| {
        if !statement.trim().is_empty() {
            found.push(std::mem::take(statement));
        }
        statement.clear();
    };
    for line in text.lines() {
        let start = line.trim_start();
        let alone = start.starts_with(['\\', '!']);
        if start.is_empty() && !is_unfinished(&statement) || alone {
            end(&mut statement);
        }
        if !statement.is_empty() {
            statement.push('\n');
        }
        statement.push_str(line);
        if alone || line.trim_end().ends_with(';') {
            end(&mut statement);
        }
    }
    end(&mut statement);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_told_apart() {
        let text = "up\n\nsum(\n  up\n\n)\nsum;\na\n\\help\n# x\nb;c\n";
        let expected = ["up", "sum(\n  up\n\n)\nsum;", "a", "\\help", "# x\nb;c"];
        assert_eq!(statements(text), expected);
    }
}
