//! The clipboard of whoever sits at the terminal, also over SSH: the terminal is asked to fill it, by the
//! control sequence OSC 52.
//!
//! Terminals don't say whether they did. Those that surely can't are known, and so is what has to be set in a
//! multiplexer between.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// How many bytes go into the clipboard at most. More than this, encoded, is dropped by many terminals
/// without a word.
const MOST_BYTES: usize = 74_994 / 4 * 3;

/// What stands between the program and the clipboard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Surroundings {
    /// The variable TERM.
    pub(super) term: String,
    /// Whether it is in tmux.
    pub(super) in_tmux: bool,
    /// Whether it is in GNU screen.
    pub(super) in_screen: bool,
}

impl Surroundings {
    pub(super) fn of_environment() -> Surroundings {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        Surroundings {
            term: std::env::var("TERM").unwrap_or_default(),
            in_tmux: is_set("TMUX"),
            in_screen: is_set("STY"),
        }
    }

    /// What should be known about it.
    pub(super) fn remark(&self) -> Option<&'static str> {
        self.in_tmux.then_some(
            "(if it isn't there: tmux passes it on only with `set -g set-clipboard on`)\n",
        )
    }
}

/// What a terminal is sent to put a text into the clipboard.
///
/// # Errors
/// When it surely can't, in a sentence.
pub(super) fn sequence(text: &str, terminal: &Surroundings) -> Result<String, String> {
    if matches!(&*terminal.term, "" | "dumb" | "linux") {
        return Err(format!(
            "a terminal of the kind `{}` has no clipboard; `| csv FILE` writes a file",
            terminal.term
        ));
    }
    if text.len() > MOST_BYTES {
        return Err(format!(
            "that is {} bytes, and terminals take {MOST_BYTES}; `| csv FILE` writes a file",
            text.len()
        ));
    }
    let encoded = STANDARD.encode(text);
    if terminal.in_screen && !terminal.in_tmux {
        // It passes on strings of at most 768 bytes.
        let parts: Vec<&str> = encoded
            .as_bytes()
            .chunks(700)
            .map(|part| std::str::from_utf8(part).unwrap_or_default())
            .collect();
        let inside = parts.join("\x1b\\\x1bP");
        return Ok(format!("\x1bP\x1b]52;c;{inside}\x07\x1b\\"));
    }
    Ok(format!("\x1b]52;c;{encoded}\x07"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(term: &str) -> Surroundings {
        Surroundings { term: term.to_owned(), ..Surroundings::default() }
    }

    #[test]
    fn the_text_is_encoded_and_passed_through_screen_in_parts() {
        assert_eq!(sequence("up", &of("xterm")).unwrap(), "\x1b]52;c;dXA=\x07");
        let screen = Surroundings { in_screen: true, ..of("screen") };
        let long = sequence(&"x".repeat(1000), &screen).unwrap();
        assert_eq!(long.matches("\x1bP").count(), 2);
        assert!(long.starts_with("\x1bP\x1b]52;c;") && long.ends_with("\x07\x1b\\"));
    }

    #[test]
    fn what_cannot_be_is_said() {
        assert!(sequence("up", &of("dumb")).unwrap_err().contains("has no clipboard"));
        let long = "x".repeat(MOST_BYTES + 1);
        assert!(sequence(&long, &of("xterm")).unwrap_err().contains("terminals take"));
    }
}
