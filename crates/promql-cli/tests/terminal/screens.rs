//! Screens that are written down.
//!
//! A screen is the text that is visible, without blanks at the ends of its lines, and then where the cursor
//! is. Where colours are asked for, a line that has any is followed by one that says which character has
//! which look, by the letters of [`LOOKS`]:
//!
//! ```text
//! http.test ❯ sum(up)
//! *********** BBB·  ·
//! ```
//!
//! What is another text each time is replaced: how long an answer took is `N ms`, and what the terminal knows
//! to vary, as ports and folders, is what it says.

use unicode_width::UnicodeWidthChar;

use crate::terminal::Terminal;

/// What the parameters of an escape sequence add up to, and the letter for it: large ones are bold.
const LOOKS: &[(&[u8], char)] = &[
    (&[], ' '),
    (&[1], '*'),
    (&[2], '.'),
    (&[4], '_'),
    (&[1, 4], '#'),
    (&[31], 'r'),
    (&[32], 'g'),
    (&[33], 'y'),
    (&[34], 'b'),
    (&[35], 'm'),
    (&[36], 'c'),
    (&[1, 31], 'R'),
    (&[1, 34], 'B'),
    (&[1, 35], 'M'),
    (&[4, 31], 'x'),
    (&[1, 4, 36], 'C'),
];

impl Terminal {
    /// Waits for a text, and compares the screen with the one that was written down by this name.
    pub(crate) fn shows(&self, name: &str, text: &str) {
        let (screen, cursor) = self.settled(text);
        self.compare(name, written(&self.normal(&screen), cursor, false));
    }

    /// The same with its colours.
    pub(crate) fn shows_in_color(&self, name: &str, text: &str) {
        let (screen, cursor) = self.settled(text);
        self.compare(name, written(&self.normal(&screen), cursor, true));
    }

    /// The same where columns are as wide as what varies: between two of them are two blanks.
    pub(crate) fn shows_columns(&self, name: &str, text: &str) {
        let (screen, cursor) = self.settled(text);
        let mut written = written(&self.normal(&screen), cursor, false);
        while written.contains("   ") {
            written = written.replace("   ", "  ");
        }
        self.compare(name, written);
    }

    fn compare(&self, name: &str, written: String) {
        let mut settings = insta::Settings::clone_current();
        settings.set_description(self.typed_normal());
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        let file = name.replace(',', "").replace(' ', "-");
        settings.bind(|| insta::assert_snapshot!(file, written));
    }

    /// What was typed, for the description: what varies is replaced there, too.
    fn typed_normal(&self) -> String {
        self.replaced(repeated(&self.typed()))
    }

    fn replaced(&self, text: String) -> String {
        let varying = self.varying.borrow();
        varying.iter().fold(text, |text, (what, by)| text.replace(what, by))
    }

    /// A screen without what is another text each time.
    fn normal(&self, screen: &str) -> String {
        untimed(&self.replaced(screen.to_owned()))
    }
}

/// Keys with those that were pressed several times in a row written once, with a number.
fn repeated(keys: &str) -> String {
    let mut out = String::new();
    let mut rest = keys;
    while let Some(start) = rest.find('⟨') {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = rest.find('⟩').map_or(rest.len(), |at| at + '⟩'.len_utf8());
        let (key, mut behind) = rest.split_at(end);
        let mut count = 1;
        while let Some(more) = behind.strip_prefix(key) {
            (behind, count) = (more, count + 1);
        }
        out.push_str(key);
        if count > 1 {
            out.push_str(&format!("×{count}"));
        }
        rest = behind;
    }
    out + rest
}

/// What numbers of any size stand in front of: how long something took.
const TIMED: &[&str] = &[" ms", " s ago", " times;", "us"];

/// A text with `N` for how long something took, and without the time that something was so long ago at.
fn untimed(text: &str) -> String {
    let text = numbers_replaced(text);
    let Some(at) = text.find(", N s ago") else { return text };
    // As `2026-11-24 05:56:33`.
    let start = text[..at].rfind("  ").map_or(0, |gap| gap + 2);
    format!("{}TIME{}", &text[..start], untimed(&text[at..].replacen(", N s", ", N\u{2007}s", 1)))
        .replace('\u{2007}', " ")
}

fn numbers_replaced(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let length = rest[start..].find(|c: char| !c.is_ascii_digit() && c != '.');
        let end = length.map_or(rest.len(), |length| start + length);
        out.push_str(&rest[..start]);
        let is_timed = TIMED.iter().any(|behind| rest[end..].starts_with(behind));
        out.push_str(if is_timed { "N" } else { &rest[start..end] });
        rest = &rest[end..];
    }
    out + rest
}

/// A screen with escape sequences, for people.
fn written(screen: &str, cursor: (usize, usize), in_color: bool) -> String {
    let mut out = String::new();
    // A look goes on from line to line.
    let mut look: Vec<u8> = Vec::new();
    for line in screen.trim_end().lines() {
        let (mut text, mut looks) = (String::new(), String::new());
        let mut rest = line.chars();
        while let Some(c) = rest.next() {
            if c == '\u{1b}' {
                let sequence: String = rest.by_ref().take_while(|c| !c.is_alphabetic()).collect();
                for parameter in sequence.trim_start_matches('[').split(';') {
                    change(&mut look, parameter.parse().unwrap_or(0));
                }
            } else {
                text.push(c);
                let letter = LOOKS.iter().find(|(known, _)| *known == look);
                let letter = letter.unwrap_or_else(|| panic!("no letter for the look {look:?}")).1;
                let letter = if c == ' ' && letter != '_' { ' ' } else { letter };
                looks.extend(std::iter::repeat_n(letter, c.width().unwrap_or(0)));
            }
        }
        out.push_str(text.trim_end());
        out.push('\n');
        if in_color && !looks.trim().is_empty() {
            out.push_str(looks.trim_end());
            out.push('\n');
        }
    }
    let (column, row) = cursor;
    out + &format!("-- the cursor is in row {}, column {}", row + 1, column + 1)
}

/// Changes a look as a parameter of an escape sequence says.
fn change(look: &mut Vec<u8>, parameter: u8) {
    match parameter {
        0 => look.clear(),
        // The background is never another one.
        49 => {}
        39 => look.retain(|known| !(30..38).contains(known)),
        color if (30..38).contains(&color) => {
            look.retain(|known| !(30..38).contains(known));
            look.push(color);
        }
        other => look.push(other),
    }
    look.sort_unstable();
    look.dedup();
}

#[test]
fn screens_are_written_for_people() {
    let screen =
        "a\u{1b}[1m\u{1b}[34mrate\u{1b}[0m(é)\n\u{1b}[2m1 series · 12 ms · 7 s ago\u{1b}[0m\n\n";
    let expected = "arate(é)\n BBBB\n1 series · N ms · N s ago\n. ...... . . .. . . . ...\n\
                    -- the cursor is in row 2, column 1";
    assert_eq!(written(&untimed(screen), (0, 1), true), expected);
    assert_eq!(repeated("a⟨Tab⟩⟨Tab⟩b⟨Tab⟩⟨Up⟩c"), "a⟨Tab⟩×2b⟨Tab⟩⟨Up⟩c");
}
