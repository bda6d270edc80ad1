//! From a scalar as it is written to its text, with the place of each byte.
//!
//! The YAML parser gives the text of a scalar but not where each part of it comes from. So scalars
//! that something is wrong with are read once more here, by the same rules: lines are folded, escapes
//! replaced, indentation and the marks of the style left out. Should the two readings ever differ, the
//! places are found by comparing the text with what is written, from the front.

use std::ops::Range;

use crate::Style;

/// Where each byte of a scalar's text is in its file.
///
/// A folded line break is the blank that it became, an escape is every byte that it stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Positions {
    /// For each byte of the text the bytes of the file that the character with it is written with.
    bytes: Vec<(usize, usize)>,
    /// Where the text begins if it is empty.
    start: usize,
}

impl Positions {
    pub(crate) fn new(file: &str, span: &Range<usize>, text: &str, style: Style) -> Positions {
        let end = span.end.min(file.len());
        let start = span.start.min(end);
        let mut decoded = Decoded::default();
        match style {
            Style::Plain => decoded.flow(file, start..end, style),
            Style::SingleQuoted | Style::DoubleQuoted => {
                let inner = (start + 1).min(end);
                decoded.flow(file, inner..end.saturating_sub(1).max(inner), style);
            }
            Style::Literal | Style::Folded => {
                decoded = Decoded::block(file, start..end, text, style);
            }
        }
        if decoded.text != text {
            decoded = Decoded::aligned(file, start..end, text);
        }
        let empty = match style {
            Style::SingleQuoted | Style::DoubleQuoted => (start + 1).min(end),
            _ => start,
        };
        let first = decoded.bytes.first().map_or(empty, |(start, _)| *start);
        Positions { bytes: decoded.bytes, start: first }
    }

    /// The bytes of the file that a part of the text is written with. A range that is not in the text
    /// is moved to its end.
    ///
    /// ```
    /// let file = "expr: |\n  sum(\n    up\n  )\n";
    /// let stream = promql_yaml::parse(file);
    /// let expr = stream.documents[0].root.as_ref().unwrap().get("expr").unwrap();
    /// let at = expr.text().unwrap().find("up").unwrap();
    /// let place = expr.positions(file).file_span(at..at + 2);
    /// assert_eq!(&file[place], "up");
    /// ```
    pub fn file_span(&self, range: Range<usize>) -> Range<usize> {
        let start = match self.bytes.get(range.start) {
            Some((start, _)) => *start,
            None => self.bytes.last().map_or(self.start, |(_, end)| *end),
        };
        if range.end <= range.start {
            return start..start;
        }
        let end = match self.bytes.get(range.end - 1) {
            Some((_, end)) => *end,
            None => self.bytes.last().map_or(start, |(_, end)| *end),
        };
        start..end.max(start)
    }

    /// Where each byte of the text is in the file, and then where the text ends. The bytes of a
    /// character lie one behind the other, as in the text.
    pub fn starts(&self) -> Vec<usize> {
        let mut starts = Vec::with_capacity(self.bytes.len() + 1);
        let mut before = None;
        let mut at = 0;
        for &(start, end) in &self.bytes {
            at = if before == Some((start, end)) { (at + 1).min(end.max(1) - 1) } else { start };
            before = Some((start, end));
            starts.push(at);
        }
        starts.push(self.bytes.last().map_or(self.start, |(_, end)| *end));
        starts
    }
}

/// A text with where it comes from.
#[derive(Default)]
struct Decoded {
    text: String,
    bytes: Vec<(usize, usize)>,
}

impl Decoded {
    fn push(&mut self, c: char, from: Range<usize>) {
        self.text.push(c);
        self.bytes.extend(std::iter::repeat_n((from.start, from.end), c.len_utf8()));
    }

    /// Copies a part of the file.
    fn copy(&mut self, file: &str, range: Range<usize>) {
        for (at, c) in file[range.clone()].char_indices() {
            let start = range.start + at;
            self.push(c, start..start + c.len_utf8());
        }
    }

    /// Plain and quoted scalars: line breaks are folded, with the blanks around them.
    fn flow(&mut self, file: &str, range: Range<usize>, style: Style) {
        let end = range.end;
        let mut at = range.start;
        while at < end {
            let rest = &file[at..end];
            let Some(c) = rest.chars().next() else { break };
            match c {
                ' ' | '\t' | '\r' | '\n' => {
                    let blank = blank_length(rest, style);
                    self.blanks(file, at..at + blank);
                    at += blank;
                }
                '\'' if style == Style::SingleQuoted && rest.starts_with("''") => {
                    self.push('\'', at..at + 2);
                    at += 2;
                }
                '\\' if style == Style::DoubleQuoted => at = self.escape(file, at, end),
                _ => {
                    self.push(c, at..at + c.len_utf8());
                    at += c.len_utf8();
                }
            }
        }
    }

    /// Blanks and line breaks: one break is a space, more are one break less.
    fn blanks(&mut self, file: &str, range: Range<usize>) {
        let breaks = line_breaks(file, &range);
        match &breaks[..] {
            [] => self.copy(file, range),
            [only] => self.push(' ', only.clone()),
            [_, more @ ..] => more.iter().for_each(|place| self.push('\n', place.clone())),
        }
    }

    /// An escape in double quotes; where it ends.
    fn escape(&mut self, file: &str, at: usize, end: usize) -> usize {
        let rest = &file[at + 1..end];
        let Some(c) = rest.chars().next() else { return end };
        if matches!(c, '\n' | '\r') {
            // The line goes on behind the blanks of the next one.
            let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
            let breaks = line_breaks(file, &(at + 1..at + 1 + blank));
            breaks.iter().skip(1).for_each(|place| self.push('\n', place.clone()));
            return at + 1 + blank;
        }
        let digits = match c {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        if digits > 0 {
            let stop = (at + 2 + digits).min(end);
            let code = file.get(at + 2..stop).and_then(|hex| u32::from_str_radix(hex, 16).ok());
            if let Some(c) = code.and_then(char::from_u32) {
                self.push(c, at..stop);
                return stop;
            }
        }
        let meant = match c {
            '0' => '\0',
            'a' => '\u{7}',
            'b' => '\u{8}',
            't' | '\t' => '\t',
            'n' => '\n',
            'v' => '\u{b}',
            'f' => '\u{c}',
            'r' => '\r',
            'e' => '\u{1b}',
            'N' => '\u{85}',
            '_' => '\u{a0}',
            'L' => '\u{2028}',
            'P' => '\u{2029}',
            other => other,
        };
        let stop = at + 1 + c.len_utf8();
        self.push(meant, at..stop);
        stop
    }

    /// Literal and folded scalars. The indentation is that of the first line with text; a number in
    /// the header counts from the indentation around the scalar, which is not known here, so the one
    /// is taken that gives the right text.
    fn block(file: &str, range: Range<usize>, text: &str, style: Style) -> Decoded {
        let header = file[range.clone()].find('\n').map_or(range.end, |at| range.start + at + 1);
        let marks = file[range.start..header].split('#').next().unwrap_or_default();
        let chomping = match marks {
            marks if marks.contains('+') => Chomping::Keep,
            marks if marks.contains('-') => Chomping::Strip,
            _ => Chomping::Clip,
        };
        let lines = lines(file, header..range.end);
        let spaces = |line: &Line| {
            let text = &file[line.start..line.end];
            text.len() - text.trim_start_matches(' ').len()
        };
        let is_blank = |line: &&Line| spaces(line) < line.end - line.start;
        let detected = lines
            .iter()
            .find(is_blank)
            .map_or_else(|| lines.iter().map(spaces).max().unwrap_or(0), spaces);
        if !marks.bytes().any(|byte| byte.is_ascii_digit()) {
            return Decoded::block_lines(file, &lines, detected, style, chomping);
        }
        let candidates = (0..=detected).rev();
        let decode = |indentation| Decoded::block_lines(file, &lines, indentation, style, chomping);
        candidates.map(decode).find(|decoded| decoded.text == text).unwrap_or_default()
    }

    fn block_lines(
        file: &str,
        lines: &[Line],
        indentation: usize,
        style: Style,
        chomping: Chomping,
    ) -> Decoded {
        let mut out = Decoded::default();
        // Line breaks that wait for the next text.
        let mut waiting: Vec<Range<usize>> = Vec::new();
        let mut before: Option<bool> = None;
        for line in lines {
            let spaces =
                file[line.start..line.end].bytes().take_while(|byte| *byte == b' ').count();
            let from = (line.start + spaces.min(indentation)).min(line.end);
            if from == line.end {
                waiting.push(line.end..line.next);
                continue;
            }
            let is_indented = file[from..].starts_with([' ', '\t']);
            let folds = style == Style::Folded && before == Some(false) && !is_indented;
            match (folds, &waiting[..]) {
                (true, [only]) => out.push(' ', only.clone()),
                (true, [_, more @ ..]) => more.iter().for_each(|at| out.push('\n', at.clone())),
                _ => waiting.iter().for_each(|at| out.push('\n', at.clone())),
            }
            waiting.clear();
            out.copy(file, from..line.end);
            waiting.push(line.end..line.next);
            before = Some(is_indented);
        }
        // The last line of a file need not end.
        waiting.retain(|place| !place.is_empty());
        match chomping {
            Chomping::Strip => {}
            Chomping::Keep => waiting.iter().for_each(|at| out.push('\n', at.clone())),
            Chomping::Clip => {
                if let (Some(first), true) = (waiting.first(), before.is_some()) {
                    out.push('\n', first.clone());
                }
            }
        }
        out
    }

    /// Finds a text in what is written, character by character.
    fn aligned(file: &str, range: Range<usize>, text: &str) -> Decoded {
        let mut out = Decoded::default();
        let mut at = range.start;
        for c in text.chars() {
            let rest = &file[at..range.end];
            let found = match rest.starts_with(c) {
                true => Some(0),
                false if c.is_whitespace() => rest.find(char::is_whitespace),
                false => rest.find(c),
            };
            let start = found.map_or(at, |skip| at + skip);
            let length = file[start..range.end].chars().next().map_or(0, char::len_utf8);
            out.push(c, start..start + length);
            if found.is_some() {
                at = start + length;
            }
        }
        out
    }
}

/// The bytes of blanks and line breaks at the front of a text. The parser takes comments behind tabs
/// for such within a scalar without quotes.
fn blank_length(text: &str, style: Style) -> usize {
    let mut at = 0;
    loop {
        let rest = &text[at..];
        at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        if style != Style::Plain || at == 0 || !text[at..].starts_with('#') {
            return at;
        }
        at += text[at..].find('\n').unwrap_or(text.len() - at);
    }
}

/// What becomes of the line breaks at the end of a block scalar.
#[derive(Clone, Copy)]
enum Chomping {
    Strip,
    Clip,
    Keep,
}

/// A line: where it begins, ends, and where the next one begins.
struct Line {
    start: usize,
    end: usize,
    next: usize,
}

fn lines(file: &str, range: Range<usize>) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut at = range.start;
    for line in file[range].split_inclusive('\n') {
        let text =
            line.strip_suffix('\n').map_or(line, |text| text.strip_suffix('\r').unwrap_or(text));
        lines.push(Line { start: at, end: at + text.len(), next: at + line.len() });
        at += line.len();
    }
    lines
}

/// The line breaks of a part of the file.
fn line_breaks(file: &str, range: &Range<usize>) -> Vec<Range<usize>> {
    let text = &file[range.clone()];
    let place = |at: usize| {
        let start = at - usize::from(text[..at].ends_with('\r'));
        range.start + start..range.start + at + 1
    };
    memchr::memchr_iter(b'\n', text.as_bytes()).map(place).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Node, parse};

    /// The value of the key `k`.
    fn value(file: &str) -> Option<Node<'_>> {
        parse(file).documents.first()?.root.as_ref()?.get("k").cloned()
    }

    /// Shows below a text the part of the file that each of its characters comes from.
    fn shown(file: &str) -> Vec<(char, String)> {
        let node = value(file).unwrap();
        let positions = node.positions(file);
        let text = node.text().unwrap();
        let from = |(at, c): (usize, char)| {
            (c, file[positions.file_span(at..at + c.len_utf8())].to_owned())
        };
        text.char_indices().map(from).collect()
    }

    fn check(file: &str, expected: &[(char, &str)]) {
        let got = shown(file);
        let got: Vec<(char, &str)> = got.iter().map(|(c, from)| (*c, &**from)).collect();
        assert_eq!(got, expected, "{file:?}");
    }

    #[test]
    fn quoted() {
        check("k: 'it''s'", &[('i', "i"), ('t', "t"), ('\'', "''"), ('s', "s")]);
        check("k: \"\\u00e9é\\n\"", &[('é', "\\u00e9"), ('é', "é"), ('\n', "\\n")]);
        check("k: \"a\\\n   b\"", &[('a', "a"), ('b', "b")]);
        check("k: 'a \n\n  b'", &[('a', "a"), ('\n', "\n"), ('b', "b")]);
    }

    #[test]
    fn plain() {
        check("k: a\n  b # c", &[('a', "a"), (' ', "\n"), ('b', "b")]);
        check("k: a\r\n  b", &[('a', "a"), (' ', "\r\n"), ('b', "b")]);
    }

    #[test]
    fn block() {
        check(
            "k: |\n  a\n   b\n",
            &[('a', "a"), ('\n', "\n"), (' ', " "), ('b', "b"), ('\n', "\n")],
        );
        check(
            "k: >-\n  a\n  b\n\n  c\n",
            &[('a', "a"), (' ', "\n"), ('b', "b"), ('\n', "\n"), ('c', "c")],
        );
        check("k: |2-\n   a", &[(' ', " "), ('a', "a")]);
        check("k: &x !!str | # > no\n\n  a", &[('\n', "\n"), ('a', "a")]);
    }

    #[test]
    fn bytes_of_a_character_lie_side_by_side() {
        for (file, expected) in
            [("k: 'é'", &[4, 5, 6][..]), ("k: \"a\\u00e9b\"", &[4, 5, 6, 11, 12]), ("k: ''", &[4])]
        {
            let node = value(file).unwrap();
            assert_eq!(node.positions(file).starts(), expected, "{file:?}");
        }
    }

    #[test]
    fn empty_texts_have_a_place() {
        for (file, at) in [("k: ''", 4), ("k: |\n", 3), ("k: \"\"\n", 4)] {
            let node = value(file).unwrap();
            assert_eq!(node.positions(file).file_span(0..0), at..at, "{file:?}");
            assert_eq!(node.positions(file).file_span(3..9), at..at, "{file:?}");
        }
    }

    /// Texts as they may be written after a key, in any style, valid or not.
    fn written() -> impl Strategy<Value = String> {
        let line = prop::collection::vec(
            prop::sample::select(vec![
                "a", "b c", " ", "  ", "\t", "é", "𝛼", "''", "\\\"", "\\n", "\\x41", "\\u00e9",
                "\\ ", "\\", "#", ":", "{", "5", "(", "\"",
            ]),
            0..6,
        )
        .prop_map(|parts| parts.concat());
        let lines = prop::collection::vec((0..4_usize, line), 0..6);
        let header = prop::sample::select(vec![
            "", "'", "\"", "|", ">", "|-", ">-", "|+", ">+", "|1", ">2-", "|+3", "> # c", "| # |",
        ]);
        let separator = prop::sample::select(vec!["\n", "\r\n"]);
        let end = prop::sample::select(vec!["", "\n", "\n\n\n", "\n # c\n", "\nz: 1\n"]);
        (header, lines, separator, end).prop_map(|(header, lines, separator, end)| {
            let lines: Vec<String> = lines
                .iter()
                .map(|(indent, text)| format!("{}{text}", " ".repeat(*indent)))
                .collect();
            let text = lines.join(separator);
            match header {
                "" => format!("k: {text}{end}"),
                "'" => format!("k: '{text}'{end}"),
                "\"" => format!("k: \"{text}\"{end}"),
                header => format!("k: {header}{separator}{text}{end}"),
            }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// The text is read as the parser reads it, so the places need no guess.
        #[test]
        fn both_readings_agree(file in written()) {
            let Some(node) = value(&file) else { return Ok(()) };
            let crate::Value::Scalar { text, style } = &node.value else { return Ok(()) };
            let mut decoded = Decoded::default();
            let (start, end) = (node.span.start, node.span.end);
            match style {
                Style::Plain => decoded.flow(&file, start..end, *style),
                Style::SingleQuoted | Style::DoubleQuoted => {
                    decoded.flow(&file, start + 1..end - 1, *style);
                }
                Style::Literal | Style::Folded => {
                    decoded = Decoded::block(&file, start..end, text, *style);
                }
            }
            prop_assert_eq!(&decoded.text, text, "{:?} in {:?}", style, file);
        }

        /// What is neither folded nor escaped is, in the file, what it is in the text.
        #[test]
        fn places_hold_what_they_are_places_of(file in written()) {
            let Some(node) = value(&file) else { return Ok(()) };
            let Some(text) = node.text() else { return Ok(()) };
            let positions = node.positions(&file);
            let mut last = 0;
            for (at, c) in text.char_indices() {
                let place = positions.file_span(at..at + c.len_utf8());
                prop_assert!(place.start >= last && place.end <= file.len());
                prop_assert!(node.span.start <= place.start && place.end <= node.span.end);
                last = place.end;
                let from = &file[place];
                let is_same = from.chars().eq([c]);
                let is_folded = matches!(c, ' ' | '\n') && matches!(from, "\n" | "\r\n");
                let is_escape = from.starts_with('\\') || from == "''";
                prop_assert!(is_same || is_folded || is_escape, "{:?} from {:?} in {:?}", c, from, file);
            }
        }
    }
}
