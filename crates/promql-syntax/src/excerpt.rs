//! The lines around a place of a text, to be shown in a diagnostic.
//!
//! A file may be huge, may not be UTF-8 and may hold characters that would move a terminal's
//! cursor. So a diagnostic about a file does not keep the text: it keeps an [`Excerpt`], the few lines
//! around the place, made safe to print, which still knows the right line and column.

use std::ops::Range;

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

/// How much of a line is shown on each side of the place that a diagnostic is about, in bytes.
const LINE_MARGIN: usize = 120;

/// The lines around a place in a text, safe to print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    name: String,
    text: String,
    /// The place, in bytes of `text`.
    place: Range<usize>,
    /// Of the first line of `text`, from 0.
    first_line: usize,
    /// What was cut off the front of the line with the place, in characters.
    cut: usize,
    line: usize,
    column: usize,
}

impl Excerpt {
    /// Cuts the surroundings of a byte range out of a text. `name` is what the text is called,
    /// usually the path of its file. A range that is not in the text is moved to its end.
    pub fn new(name: impl Into<String>, source: &[u8], place: Range<usize>) -> Self {
        let start = place.start.min(source.len());
        let end = place.end.clamp(start, source.len());
        let line_start = memchr::memrchr(b'\n', &source[..start]).map_or(0, |at| at + 1);
        let line_end =
            memchr::memchr(b'\n', &source[start..]).map_or(source.len(), |at| start + at);
        let line = memchr::memchr_iter(b'\n', &source[..line_start]).count();

        let from = cut_point(source, line_start.max(start.saturating_sub(LINE_MARGIN)), line_start);
        let to = line_end.min(end.min(line_end).saturating_add(LINE_MARGIN)).max(start);
        let cut = String::from_utf8_lossy(&source[line_start..from]).chars().count();

        // The line before is context; it is shown when it is short enough to be of help.
        let mut text = String::new();
        let mut first_line = line;
        if line_start > 0 && from == line_start {
            let before = memchr::memrchr(b'\n', &source[..line_start - 1]).map_or(0, |at| at + 1);
            if line_start - before <= 2 * LINE_MARGIN {
                text.push_str(&printable(&source[before..line_start - 1]));
                text.push('\n');
                first_line -= 1;
            }
        }
        text.push_str(&printable(&source[from..start]));
        let column = String::from_utf8_lossy(&source[line_start..start]).chars().count();
        let shown_start = text.len();
        text.push_str(&printable(&source[start..end.min(to)]));
        let shown_end = text.len();
        text.push_str(&printable(&source[end.min(to)..to]));
        // miette points at the end of a line only if the line ends.
        text.push('\n');
        Excerpt {
            name: name.into(),
            text,
            place: shown_start..shown_end,
            first_line,
            cut,
            line,
            column,
        }
    }

    /// The name of the text.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The place in what is shown, which is what labels refer to.
    pub fn shown_place(&self) -> Range<usize> {
        self.place.clone()
    }

    /// The line of the place, counted from 1.
    pub fn line(&self) -> usize {
        self.line + 1
    }

    /// The column of the place in characters, counted from 1.
    pub fn column(&self) -> usize {
        self.column + 1
    }
}

/// Moves a cut in the middle of a character to its front.
fn cut_point(source: &[u8], mut at: usize, lowest: usize) -> usize {
    while at > lowest && source.get(at).is_some_and(|byte| byte & 0xc0 == 0x80) {
        at -= 1;
    }
    at
}

/// Text with everything replaced that is not UTF-8 or would act on a terminal.
fn printable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().map(printable_char).collect()
}

fn printable_char(c: char) -> char {
    match c {
        '\n' | '\t' => c,
        '\0'..='\u{1f}' => char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        '\u{80}'..='\u{9f}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'
        | '\u{2029}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        _ => c,
    }
}

/// One line of foreign text as it may be shown inside a message: printable, at most `limit`
/// characters.
pub fn one_line(text: &str, limit: usize) -> String {
    let clean: String = text
        .chars()
        .map(|c| if c == '\n' || c == '\t' { ' ' } else { printable_char(c) })
        .collect();
    match clean.char_indices().nth(limit) {
        None => clean,
        Some((at, _)) => format!("{}…", &clean[..at]),
    }
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        context_lines_before: usize,
        context_lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let contents = self.text.read_span(span, context_lines_before, context_lines_after)?;
        let on_cut_line = contents.line() + self.first_line == self.line;
        let column = contents.column() + if on_cut_line { self.cut } else { 0 };
        let column = if *span == SourceSpan::from(self.place.clone()) && context_lines_before == 0 {
            self.column
        } else {
            column
        };
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            contents.data(),
            *contents.span(),
            contents.line() + self.first_line,
            column,
            contents.line_count(),
        )))
    }
}
