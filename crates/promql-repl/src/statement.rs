//! What a line of the session says.
//!
//! | written | meaning |
//! |---|---|
//! | `expression` | an instant query at the session's time |
//! | `expression [[1h]]`, `expression [[1h:30s]]` | a range query over the last hour, with a step |
//! | `expression [[09:00 .. 10:00 : 30s]]` | a range query between two times, with a step |
//! | `… \| sort -value \| head 3 \| csv out.csv` | what is done to the answer, see [`crate::stages`] |
//! | `name = expression` | a variable, used as `$name` |
//! | `\command arguments` | a command, see [`crate::commands`] |
//! | `!command` | a command of the shell |
//! | `# …` | a comment |

use promql_ide::{Progress, progress};

use crate::host::{Over, Range};
use crate::stages::{Stage, StageError};

/// A statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    /// Nothing but blanks and comments.
    Empty,
    /// `\name rest`
    Command {
        /// The name without its backslash.
        name: String,
        /// What follows.
        rest: String,
    },
    /// `!command`
    Shell(String),
    /// `name = value`
    Assign {
        /// The variable.
        name: String,
        /// Its text.
        value: String,
    },
    /// An expression.
    Query(Query),
}

/// An expression with its range and what is done to the answer.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Query {
    /// The expression, with `$variables` in it.
    pub expression: String,
    /// The range, if one was written.
    pub range: Option<Range>,
    /// What is done to the answer, in order.
    pub stages: Vec<Stage>,
}

/// A statement that can't be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unclear(pub String);

impl Statement {
    /// Reads a statement.
    ///
    /// ```
    /// use promql_repl::statement::Statement;
    /// let Ok(Statement::Query(query)) = Statement::read("up [[1h:30s]] | head 3") else { panic!() };
    /// assert_eq!(query.expression, "up");
    /// assert_eq!(query.range.unwrap().step.as_deref(), Some("30s"));
    /// assert_eq!(query.stages.len(), 1);
    /// ```
    ///
    /// # Errors
    /// When the range or what stands behind a `|` can't be read.
    pub fn read(text: &str) -> Result<Statement, Unclear> {
        let text = text.trim();
        let text = text.strip_suffix(';').map_or(text, str::trim_end);
        if let Some(command) = text.strip_prefix('\\') {
            let end = command.find(char::is_whitespace).unwrap_or(command.len());
            let (name, rest) = command.split_at(end);
            // `\?` and the like are names, too.
            return Ok(Statement::Command { name: name.to_owned(), rest: rest.trim().to_owned() });
        }
        if let Some(command) = text.strip_prefix('!') {
            return Ok(Statement::Shell(command.trim().to_owned()));
        }
        if let Some((name, value)) = assignment(text) {
            return Ok(Statement::Assign { name: name.to_owned(), value: value.to_owned() });
        }
        let mut parts = split_at_bars(text).into_iter();
        let front = parts.next().unwrap_or_default();
        let stages = parts.map(Stage::read).collect::<Result<Vec<_>, _>>();
        let stages = stages.map_err(|StageError(text)| Unclear(text))?;
        let (expression, range) = split_range(front)?;
        if progress(expression) == Progress::Empty && range.is_none() && stages.is_empty() {
            return Ok(Statement::Empty);
        }
        Ok(Statement::Query(Query { expression: expression.to_owned(), range, stages }))
    }
}

/// Whether a text needs more lines to be a statement.
pub fn is_unfinished(text: &str) -> bool {
    let start = text.trim_start();
    if start.starts_with(['\\', '!']) || text.trim_end().ends_with(';') {
        return false;
    }
    let text = assignment(start).map_or(start, |(_, value)| value);
    let mut parts = split_at_bars(text);
    if parts.len() > 1 {
        return parts.pop().is_some_and(|last| last.trim().is_empty());
    }
    match open_range(text) {
        Some((_, range)) => !range.trim_end().ends_with("]]"),
        None => progress(text) == Progress::Unfinished,
    }
}

/// `name = value`, where the equals sign is none of an operator.
fn assignment(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
    let (name, rest) = text.split_at(end);
    let value = rest.trim_start().strip_prefix('=')?;
    let named = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    (named && !value.starts_with(['=', '~'])).then(|| (name, value.trim()))
}

/// The offsets of characters that stand neither in a string nor in a comment.
fn outside_strings(text: &str) -> impl Iterator<Item = (usize, char)> {
    let mut quote: Option<char> = None;
    let mut escaped = false;
    let mut comment = false;
    text.char_indices().filter(move |&(_, c)| {
        if comment {
            comment = c != '\n';
            return false;
        }
        match quote {
            Some(_) if escaped => escaped = false,
            Some(mark) if c == '\\' && mark != '`' => escaped = true,
            Some(mark) if c == mark => quote = None,
            Some(_) => {}
            None if matches!(c, '"' | '\'' | '`') => quote = Some(c),
            None if c == '#' => comment = true,
            None => return true,
        }
        false
    })
}

/// The parts of a text between bars. PromQL has no such operator.
pub(crate) fn split_at_bars(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, _) in outside_strings(text).filter(|(_, c)| *c == '|') {
        parts.push(&text[start..at]);
        start = at + 1;
    }
    parts.push(&text[start..]);
    parts
}

/// The expression and what follows `[[`, which no expression holds.
fn open_range(text: &str) -> Option<(&str, &str)> {
    let brackets: Vec<usize> =
        outside_strings(text).filter(|(_, c)| *c == '[').map(|(at, _)| at).collect();
    let at = brackets.windows(2).find(|pair| pair[0] + 1 == pair[1]).map(|pair| pair[0])?;
    Some((&text[..at], &text[at + 2..]))
}

fn split_range(text: &str) -> Result<(&str, Option<Range>), Unclear> {
    let text = text.trim();
    let Some((expression, rest)) = open_range(text) else { return Ok((text, None)) };
    let Some((inside, behind)) = rest.split_once("]]") else {
        return Err(Unclear("`[[` opens a range, and no `]]` closes it".to_owned()));
    };
    if progress(behind) != Progress::Empty {
        let behind = behind.trim();
        return Err(Unclear(format!(
            "behind the range `[[…]]` comes nothing but `|`, and there is `{behind}`"
        )));
    }
    Ok((expression.trim_end(), Some(read_range(inside)?)))
}

/// `1h`, `1h:30s`, `09:00 .. 10:00` or `09:00 .. 10:00 : 30s`.
pub(crate) fn read_range(text: &str) -> Result<Range, Unclear> {
    let wrong = || {
        Unclear(format!(
            "`[[{text}]]` is no range: write [[1h]], [[1h:30s]] or [[09:00 .. 10:00 : 30s]]"
        ))
    };
    let some = |part: &str| {
        let part = part.trim();
        (!part.is_empty()).then(|| part.to_owned())
    };
    if let Some((from, rest)) = text.split_once("..") {
        let (to, step) = match rest.split_once(" : ") {
            Some((to, step)) => (to, Some(some(step).ok_or_else(wrong)?)),
            None => (rest, None),
        };
        let over = Over::Between(some(from).ok_or_else(wrong)?, some(to));
        return Ok(Range { over, step });
    }
    let (last, step) = match text.split_once(':') {
        Some((last, step)) => (last, Some(some(step).ok_or_else(wrong)?)),
        None => (text, None),
    };
    Ok(Range { over: Over::Last(some(last).ok_or_else(wrong)?), step })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match Statement::read(text) {
            Ok(Statement::Query(query)) => {
                let range = query.range.map(|range| match (range.over, range.step) {
                    (Over::Last(last), None) => format!(" last {last}"),
                    (Over::Last(last), Some(step)) => format!(" last {last} each {step}"),
                    (Over::Between(a, b), step) => {
                        let b = b.as_deref().unwrap_or("the end");
                        format!(" from {a} to {b} each {step:?}")
                    }
                });
                format!(
                    "<{}>{} {}",
                    query.expression,
                    range.unwrap_or_default(),
                    query.stages.len()
                )
            }
            Ok(other) => format!("{other:?}"),
            Err(Unclear(text)) => text,
        }
    }

    #[test]
    fn statements() {
        let table = [
            ("up", "<up> 0"),
            ("up;", "<up> 0"),
            ("  ", "Empty"),
            ("# x", "Empty"),
            ("up # x | y", "<up # x | y> 0"),
            ("up{a=\"[[|\"} [[5m]]", "<up{a=\"[[|\"}> last 5m 0"),
            ("up [[1h : 30s]] | head 3 | json", "<up> last 1h each 30s 2"),
            ("up [[10:00 .. 11:00 : 30s]]", "<up> from 10:00 to 11:00 each Some(\"30s\") 0"),
            ("up [[2026-11-23T10:00 .. ]]", "<up> from 2026-11-23T10:00 to the end each None 0"),
            ("up [[1h", "`[[` opens a range, and no `]]` closes it"),
            ("\\time now-1h", "Command { name: \"time\", rest: \"now-1h\" }"),
            ("\\?", "Command { name: \"?\", rest: \"\" }"),
            ("!ls -l", "Shell(\"ls -l\")"),
            ("x = sum(up)", "Assign { name: \"x\", value: \"sum(up)\" }"),
            ("x == 1", "<x == 1> 0"),
            ("rate(x[5m])", "<rate(x[5m])> 0"),
        ];
        for (text, expected) in table {
            assert_eq!(shown(text), expected, "{text}");
        }
        assert!(shown("up [[]]").contains("is no range"));
        assert!(shown("up [[1h]] + 1").contains("comes nothing but"));
        assert!(shown("up | haed 3").contains("head"));
    }

    #[test]
    fn where_a_statement_goes_on() {
        let table = [
            ("sum(", true),
            ("up", false),
            ("up [[", true),
            ("up [[1h]]", false),
            ("up |", true),
            ("up | head 3", false),
            ("sum(;", false),
            ("\\help (", false),
            ("x = sum(", true),
            ("x = up", false),
            ("", false),
        ];
        for (text, expected) in table {
            assert_eq!(is_unfinished(text), expected, "{text}");
        }
    }
}
