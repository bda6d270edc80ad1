//! The colours of a line.

use std::borrow::Cow;

use anstyle::{AnsiColor, Style};
use promql_ide::{Role, highlight, matching_bracket};
use rustyline::highlight::{CmdKind, Highlighter};

use crate::assistant::{Assistant, LONGEST, expression};
use crate::below::{ERROR, problem};

impl Highlighter for Assistant {
    fn highlight<'l>(&self, line: &'l str, pos: usize) -> Cow<'l, str> {
        if !self.terminal.color || line.len() > LONGEST || self.is_searching() {
            return Cow::Borrowed(line);
        }
        let Some(inside) = expression(line) else { return Cow::Borrowed(line) };
        let at = pos.saturating_sub(inside.start);
        // What was entered stays on the screen without the brackets of the cursor.
        let partner = matching_bracket(inside.text, at).filter(|_| !self.is_done.get());
        let wrong = problem(&inside, pos);
        let mut out = line[..inside.start].to_owned();
        let mut done = 0;
        for part in highlight(inside.text) {
            out.push_str(&inside.text[done..part.span.start]);
            let is_wrong = wrong.as_ref().is_some_and(|wrong| {
                wrong.span.start < part.span.end && part.span.start < wrong.span.end
            });
            let mut style = style(if is_wrong { Role::Wrong } else { part.role });
            if matches!(part.role, Role::Bracket(_)) && partner == Some(part.span.start) {
                style = style.bold().underline();
            }
            let text = &inside.text[part.span.clone()];
            out.push_str(&format!("{style}{text}{style:#}"));
            done = part.span.end;
        }
        out.push_str(&line[inside.start + done..]);
        Cow::Owned(out)
    }

    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        match self.terminal.color {
            true => {
                let style = self.words(|words| words.prompt);
                Cow::Owned(format!("{style}{prompt}{style:#}"))
            }
            false => Cow::Borrowed(prompt),
        }
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        if !self.terminal.color {
            return Cow::Borrowed(hint);
        }
        let (dim, bold) = (Style::new().dimmed(), Style::new().bold());
        if !self.lists.get() {
            let red = AnsiColor::Red.on_default();
            let (suggestion, below) = hint.split_once('\n').unwrap_or((hint, ""));
            let style = if below.starts_with(ERROR) { red } else { dim };
            let feed = if hint.contains('\n') { "\n" } else { "" };
            return Cow::Owned(format!("{dim}{suggestion}{dim:#}{feed}{style}{below}{style:#}"));
        }
        let line = |line: &str| match line.starts_with(self.mark()) {
            true => format!("{bold}{line}{bold:#}"),
            false => format!("{dim}{line}{dim:#}"),
        };
        Cow::Owned(hint.split('\n').map(line).collect::<Vec<_>>().join("\n"))
    }

    fn highlight_char(&self, _: &str, _: usize, kind: CmdKind) -> bool {
        self.is_done.set(kind == CmdKind::ForcedRefresh);
        self.terminal.color
    }
}

/// The colours are those of the terminal; what matters most differs by weight, too.
fn style(role: Role) -> Style {
    let color = |color: AnsiColor| color.on_default();
    match role {
        Role::Metric => Style::new(),
        Role::Function | Role::Aggregation => color(AnsiColor::Blue).bold(),
        Role::Label => color(AnsiColor::Cyan),
        Role::Matcher | Role::Operator | Role::Keyword => Style::new().bold(),
        Role::String => color(AnsiColor::Green),
        Role::Number | Role::Duration => color(AnsiColor::Magenta),
        Role::Variable => color(AnsiColor::Yellow),
        Role::Comment => Style::new().dimmed(),
        Role::Wrong => color(AnsiColor::Red).underline(),
        Role::Bracket(_) | Role::Punctuation => Style::new(),
    }
}
