//! Diagnostics for people, drawn by miette, and for programs, as JSON.

use std::fmt::Write;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode,
};

use promql_rules::Finding;
use promql_syntax::Errors;

use crate::console::Console;
use crate::render::json;
use crate::visible;

/// How a diagnostic is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Drawn {
    /// Whether characters beyond ASCII can be shown.
    pub unicode: bool,
    /// Whether it is coloured.
    pub color: bool,
    /// The columns there are.
    pub width: usize,
}

/// Draws a diagnostic for standard error.
pub fn draw(diagnostic: &dyn Diagnostic, console: &Console) -> String {
    let (unicode, color) = (console.unicode, console.stderr_color);
    draw_as(diagnostic, Drawn { unicode, color, width: console.stderr_width() })
}

/// Draws a diagnostic.
pub fn draw_as(diagnostic: &dyn Diagnostic, look: Drawn) -> String {
    let theme = match (look.unicode, look.color) {
        (true, true) => GraphicalTheme::unicode(),
        (true, false) => GraphicalTheme::unicode_nocolor(),
        (false, true) => GraphicalTheme {
            characters: miette::ThemeCharacters::ascii(),
            ..GraphicalTheme::unicode()
        },
        (false, false) => GraphicalTheme::none(),
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(look.width)
        .with_links(false)
        .with_context_lines(1);
    let mut text = String::new();
    if handler.render_report(&mut text, diagnostic).is_err() {
        // The place is not in the text. The message is what matters.
        text = format!("error: {}\n", visible::escape_lines(&diagnostic.to_string()));
    }
    text
}

/// A diagnostic with the text that its labels refer to, under a name.
#[derive(Debug)]
pub struct WithSource<'a> {
    inner: &'a dyn Diagnostic,
    source: NamedSource<String>,
}

impl<'a> WithSource<'a> {
    /// Gives a text to a diagnostic. What a terminal would obey is shown as question marks, as many
    /// as it has bytes, so that labels stay in their places.
    pub fn new(inner: &'a dyn Diagnostic, name: &str, text: &[u8]) -> WithSource<'a> {
        WithSource { inner, source: NamedSource::new(visible::escape(name), shown(text)) }
    }
}

/// A text in which what a terminal would obey is question marks, as many as it has bytes.
pub(crate) fn shown(text: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            let plain = visible::escape(c.encode_utf8(&mut [0; 4])).len() == c.len_utf8();
            if plain || matches!(c, '\n' | '\t') {
                out.push(c);
            } else {
                out.extend(std::iter::repeat_n('?', c.len_utf8()));
            }
        }
        out.extend(std::iter::repeat_n('?', chunk.invalid().len()));
    }
    out
}

impl std::fmt::Display for WithSource<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self.inner, f)
    }
}

impl std::error::Error for WithSource<'_> {}

impl Diagnostic for WithSource<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.inner.code()
    }
    fn severity(&self) -> Option<miette::Severity> {
        self.inner.severity()
    }
    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.inner.help()
    }
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }
    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.inner.labels()
    }
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        self.inner.related()
    }
}

/// Writes diagnostics as a JSON array of objects
/// `{"severity","code","message","help","labels":[{"start","end","label"}]}`; what is absent is left
/// out, positions are byte offsets into the expression.
pub fn to_json<'a>(diagnostics: impl IntoIterator<Item = &'a dyn Diagnostic>) -> String {
    let mut out = String::from("[");
    for (at, diagnostic) in diagnostics.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        object(&mut out, diagnostic);
    }
    out.push(']');
    out
}

/// The same of findings in a file, with positions in the file.
pub fn findings_to_json(findings: &[Finding]) -> String {
    to_json(findings.iter().map(|finding| finding as &dyn Diagnostic))
}

fn object(out: &mut String, diagnostic: &dyn Diagnostic) {
    let severity = match diagnostic.severity() {
        Some(miette::Severity::Advice) => "info",
        Some(miette::Severity::Warning) => "warning",
        Some(miette::Severity::Error) | None => "error",
    };
    let _ = write!(out, "{{\"severity\":\"{severity}\"");
    if let Some(code) = diagnostic.code() {
        out.push_str(",\"code\":");
        json::string(out, &code.to_string());
    }
    out.push_str(",\"message\":");
    json::string(out, &diagnostic.to_string());
    if let Some(help) = diagnostic.help() {
        out.push_str(",\"help\":");
        json::string(out, &help.to_string());
    }
    let labels: Vec<LabeledSpan> = diagnostic.labels().into_iter().flatten().collect();
    if !labels.is_empty() {
        out.push_str(",\"labels\":[");
        for (at, label) in labels.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            let (start, end) = (label.offset(), label.offset() + label.len());
            let _ = write!(out, "{{\"start\":{start},\"end\":{end}");
            if let Some(text) = label.label() {
                out.push_str(",\"label\":");
                json::string(out, text);
            }
            out.push('}');
        }
        out.push(']');
    }
    out.push('}');
}

/// The HTTP API's answer to something that failed, in one line, with the diagnostics beside it.
pub fn error_envelope<'a>(
    kind: &str,
    message: &str,
    diagnostics: impl IntoIterator<Item = &'a dyn Diagnostic>,
) -> String {
    let mut out = String::from("{\"status\":\"error\",\"errorType\":");
    json::string(&mut out, kind);
    out.push_str(",\"error\":");
    json::string(&mut out, message);
    out.push_str(",\"diagnostics\":");
    out.push_str(&to_json(diagnostics));
    out.push_str("}\n");
    out
}

/// What is wrong with an expression, for people.
pub fn draw_errors(errors: &Errors, name: &str, console: &Console) -> String {
    errors.reports(&visible::escape(name)).iter().map(|report| draw(report, console)).collect()
}

/// What is wrong with an expression, as a JSON array.
pub fn errors_to_json(errors: &Errors) -> String {
    to_json(errors.reports("").iter().map(|report| report as &dyn Diagnostic))
}

/// What is wrong with an expression, as the HTTP API's answer.
pub fn errors_envelope(errors: &Errors) -> String {
    let reports = errors.reports("");
    let diagnostics = reports.iter().map(|report| report as &dyn Diagnostic);
    error_envelope("bad_data", &errors.to_string(), diagnostics)
}
