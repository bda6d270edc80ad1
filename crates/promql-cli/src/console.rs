//! The outside as the command sees it: where answers go, where remarks go, and what the screen can
//! show.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;

use crate::render::Screen;

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal that understands them, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always, in pipes and files too
    Always,
    /// Never
    Never,
}

/// Standard output and standard error.
#[derive(Clone, Copy, Debug)]
pub struct Console {
    /// Whether standard output is a terminal.
    pub is_terminal: bool,
    /// Whether standard error is a terminal.
    pub stderr_is_terminal: bool,
    /// Whether answers are coloured.
    pub color: bool,
    /// Whether remarks are coloured.
    pub stderr_color: bool,
    /// Whether characters beyond ASCII can be shown.
    pub unicode: bool,
}

/// Standard output is closed or full.
#[derive(Debug, thiserror::Error)]
#[error("can't write the answer: {0}")]
pub struct OutputError(#[from] pub io::Error);

impl OutputError {
    /// Whether the reader has gone, as in `promql … | head`. That is no error.
    pub fn is_closed_pipe(&self) -> bool {
        self.0.kind() == io::ErrorKind::BrokenPipe
    }
}

impl Console {
    /// Looks at the environment.
    pub fn new(choice: ColorChoice) -> Console {
        let is_terminal = io::stdout().is_terminal();
        let stderr_is_terminal = io::stderr().is_terminal();
        let wanted = |is_terminal| match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => {
                is_terminal && variable("NO_COLOR").is_none() && variable("TERM") != dumb()
            }
        };
        Console {
            is_terminal,
            stderr_is_terminal,
            color: wanted(is_terminal),
            stderr_color: wanted(stderr_is_terminal),
            unicode: speaks_unicode(),
        }
    }

    /// What the screen can show of an answer.
    pub fn screen(&self) -> Screen {
        let size = self.is_terminal.then(terminal_size::terminal_size).flatten();
        Screen {
            width: size.map(|(width, _)| usize::from(width.0).max(1)),
            height: size.map(|(_, height)| usize::from(height.0).max(1)),
            max_rows: None,
            graph_rows: None,
            color: self.color,
            unicode: self.unicode,
        }
    }

    /// The columns of the terminal that shows remarks.
    pub fn stderr_width(&self) -> usize {
        let size = self.stderr_is_terminal.then(|| terminal_size::terminal_size_of(io::stderr()));
        size.flatten().map_or(100, |(width, _)| usize::from(width.0).max(20))
    }

    /// Writes an answer to standard output.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn print(&self, text: &str) -> Result<(), OutputError> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()?;
        Ok(())
    }

    /// Writes a remark to standard error. If even that is closed there is nobody to tell.
    pub fn remark(&self, text: &str) {
        let mut out = io::stderr().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    /// Writes `error: …` to standard error.
    pub fn error(&self, message: &str) {
        let style = anstyle::AnsiColor::Red.on_default().bold();
        let mut text = String::new();
        crate::render::grid::push_styled(&mut text, "error:", style, self.stderr_color);
        self.remark(&format!("{text} {}\n", crate::visible::escape_lines(message)));
    }
}

/// An environment variable that is set to something.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn dumb() -> Option<String> {
    Some("dumb".to_string())
}

/// Whether the locale is one of UTF-8. Without any locale, as in many containers, it is taken to be:
/// a terminal that isn't has a locale that says so. The Linux console has no Braille characters.
fn speaks_unicode() -> bool {
    if matches!(variable("TERM").as_deref(), Some("dumb" | "linux")) {
        return false;
    }
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(variable);
    locale.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}
