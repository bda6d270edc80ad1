//! Texts and numbers by the verbs that there are for them.

use std::fmt::Write;

use promql_model::quote::{Quoted, QuotedChar, is_printable};

use super::super::lexer::code_point;
use super::Printer;
use super::float::float;

impl Printer {
    /// Writes a text by a verb, and says whether there is such a verb for texts.
    pub(super) fn string(&mut self, text: &str, verb: char) -> bool {
        let cut: String;
        let text = match self.flags.precision {
            Some(precision) if matches!(verb, 's' | 'v' | 'q') => {
                cut = text.chars().take(precision).collect();
                &cut
            }
            _ => text,
        };
        match verb {
            'v' if self.flags.go_syntax => self.quoted(text),
            'v' | 's' => self.pad(text),
            'q' => self.quoted(text),
            'x' | 'X' => {
                let bytes = text.as_bytes();
                let bytes = &bytes[..self.flags.precision.unwrap_or(bytes.len()).min(bytes.len())];
                let mut shown = String::new();
                for (at, byte) in bytes.iter().enumerate() {
                    if self.flags.space && at > 0 {
                        shown.push(' ');
                    }
                    if self.flags.sharp && (self.flags.space || at == 0) {
                        shown.push_str(if verb == 'x' { "0x" } else { "0X" });
                    }
                    let _ = match verb {
                        'x' => write!(shown, "{byte:02x}"),
                        _ => write!(shown, "{byte:02X}"),
                    };
                }
                self.pad(&shown);
            }
            _ => return false,
        }
        true
    }

    fn quoted(&mut self, text: &str) {
        let can_be_raw =
            !text.contains(|c: char| c == '`' || c == '\u{feff}' || c < ' ' && c != '\t');
        match self.flags.sharp && can_be_raw {
            true => self.pad(&format!("`{text}`")),
            false => self.pad(&Quoted(text.as_bytes()).to_string()),
        }
    }

    pub(super) fn float(&mut self, value: f64, verb: char) -> bool {
        let (form, default) = match verb {
            'v' => ('g', None),
            'b' | 'g' | 'G' | 'x' | 'X' => (verb, None),
            'f' | 'F' | 'e' | 'E' => (verb, Some(6)),
            _ => return false,
        };
        let precision = self.flags.precision.or(default);
        let text = float(value, form, precision, self.flags.sharp);
        // The sign stands first, also where it isn't shown.
        let (sign, digits) = text.split_at(1);
        let sign = match sign {
            "+" if self.flags.plus => "+",
            "+" if self.flags.space => " ",
            "+" => "",
            _ => "-",
        };
        if !value.is_finite() {
            let zero = std::mem::take(&mut self.flags.zero);
            let sign = if value == f64::INFINITY && sign.is_empty() { "+" } else { sign };
            self.pad(&format!("{sign}{digits}"));
            self.flags.zero = zero;
            return true;
        }
        let width = self.flags.width.unwrap_or(0);
        if self.flags.zero && !sign.is_empty() && width > digits.len() + 1 {
            self.out.push_str(sign);
            self.out.extend(std::iter::repeat_n('0', width - digits.len() - 1));
            self.out.push_str(digits);
        } else {
            self.pad(&format!("{sign}{digits}"));
        }
        true
    }

    pub(super) fn integer(&mut self, size: u64, negative: bool, verb: char) -> bool {
        let digits = match verb {
            'v' | 'd' => size.to_string(),
            'b' => format!("{size:b}"),
            'o' | 'O' => format!("{size:o}"),
            'x' => format!("{size:x}"),
            'X' => format!("{size:X}"),
            'c' | 'q' | 'U' => {
                let c = u32::try_from(size).ok().filter(|_| !negative).and_then(char::from_u32);
                match verb {
                    'c' => self.pad(&c.unwrap_or(char::REPLACEMENT_CHARACTER).to_string()),
                    'q' => self.pad(&QuotedChar(c).to_string()),
                    _ if self.flags.sharp => match c.filter(|c| is_printable(*c)) {
                        Some(c) => self.pad(&code_point(c)),
                        None => self.pad(&format!("U+{size:04X}")),
                    },
                    _ => self.pad(&format!("U+{size:04X}")),
                }
                return true;
            }
            _ => return false,
        };
        let flags = self.flags;
        let mut fewest = flags.precision.unwrap_or(0);
        if flags.precision == Some(0) && size == 0 {
            self.out.extend(std::iter::repeat_n(' ', flags.width.unwrap_or(0)));
            return true;
        }
        if flags.precision.is_none() && flags.zero {
            let sign = usize::from(negative || flags.plus || flags.space);
            fewest = flags.width.unwrap_or(0).saturating_sub(sign);
        }
        let zeros = "0".repeat(fewest.saturating_sub(digits.len()));
        let prefix = match verb {
            'b' if flags.sharp => "0b",
            'o' if flags.sharp && zeros.is_empty() && !digits.starts_with('0') => "0",
            'x' if flags.sharp => "0x",
            'X' if flags.sharp => "0X",
            'O' => "0o",
            _ => "",
        };
        let sign = match () {
            () if negative => "-",
            () if flags.plus => "+",
            () if flags.space => " ",
            () => "",
        };
        self.flags.zero = false;
        self.pad(&format!("{sign}{prefix}{zeros}{digits}"));
        self.flags.zero = flags.zero;
        true
    }
}
