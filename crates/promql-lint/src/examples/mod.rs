//! The examples in the documentation of checks, which are their tests.
//!
//! An example is a code block of PromQL, YAML or JSON with the word `bad` or `good` behind the language. Below
//! a line of a bad one stands what the check says about it, under carets:
//!
//! ```text
//! up{job=~"shop"}
//!    ^^^^^^^^^^^ the regular expression matches one text only
//! ```
//!
//! A block with the word `fixed` behind it shows what the proposed changes make of it. PromQL is the
//! expression of an alert, or of a recording rule if the word `record` is there too; YAML is a list of
//! rules, or a whole file, or several with a line `# file: NAME` in front of each, the last of which may be a
//! baseline, `NAME.toml`; JSON is a dashboard. A block of text with the word `server` says what the server has
//! that is asked in the examples below it.

mod server;

use std::collections::BTreeMap;

use crate::baseline::Baseline;
use crate::check::Check;
use crate::config::Config;
use crate::examples::server::Described;
use crate::finding::{Edit, Finding};
use crate::live::{Live, LiveOptions};
use crate::run::{Input, Outcome, lint_live};
use crate::settings::Settings;
use crate::suppress::Day;

/// A code block of the documentation of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The words behind the fence: `promql bad`.
    pub words: Vec<String>,
    /// The lines in the documentation, without the fences.
    pub lines: std::ops::Range<usize>,
    /// What stands in these lines.
    pub text: String,
}

/// The code blocks of a documentation, with or without words behind the fence.
pub fn examples(docs: &str) -> Vec<Example> {
    let mut found: Vec<Example> = Vec::new();
    let mut open: Option<Example> = None;
    for (at, line) in docs.lines().enumerate() {
        let line = line.strip_prefix(' ').unwrap_or(line);
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(words)) => {
                let words = words.split_whitespace().map(str::to_owned).collect();
                open = Some(Example { words, lines: at + 1..at + 1, text: String::new() });
            }
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(example), None) => {
                example.text.push_str(line);
                example.text.push('\n');
                example.lines.end = at + 1;
            }
            (None, None) => {}
        }
    }
    found
}

/// What an example should be, by what the check says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The example with carets below what was found.
    pub text: String,
    /// How often the check said something.
    pub findings: usize,
    /// What the proposed changes make of it, if there are any.
    pub fixed: Option<String>,
    /// What is wrong with the example itself, as other checks of the category E say.
    pub invalid: Vec<String>,
}

/// The day on which examples are tried.
const DAY: Day = Day { year: 2026, month: 1, day: 1 };

/// A part of an example that is a file.
struct Part {
    name: String,
    /// Its lines, without carets.
    lines: Vec<String>,
    /// What stands in front of its lines, in a file.
    front: &'static str,
    indent: &'static str,
}

impl Example {
    /// Whether a word stands behind the fence.
    pub fn has(&self, word: &str) -> bool {
        self.words.iter().any(|known| known == word)
    }

    /// Whether this is an example that a check is tried on.
    pub fn is_tried(&self) -> bool {
        ["promql", "yaml", "json"].iter().any(|language| self.has(language))
            && (self.has("bad") || self.has("good"))
    }

    /// Tries a check on the example.
    ///
    /// A block of the documentation with the word `config` is a `promql.toml` for all examples.
    pub fn try_on(&self, check: &'static Check) -> Seen {
        let config = examples(check.docs).into_iter().find(|example| example.has("config"));
        let config = config.map(|example| Config::parse(&example.text));
        let mut settings = match config {
            Some(Ok(config)) => config.settings,
            Some(Err(findings)) => {
                let told = findings.into_iter().map(|finding| finding.message).collect();
                return Seen { text: self.text.clone(), findings: 0, fixed: None, invalid: told };
            }
            None => Settings::none(),
        };
        settings.select("all", false);
        let mut settings = settings.at(DAY);
        settings.select("syntax", true);
        settings.select(check.name, true);
        if check.code.starts_with('H') {
            settings.select("for-zero", true);
        }
        if check.code == "L000" {
            // Somebody has to ask.
            for word in ["series-missing", "kind-contradiction"] {
                settings.select(word, true);
            }
        }
        let of_server = examples(check.docs)
            .into_iter()
            .rev()
            .find(|example| example.has("server") && example.lines.end <= self.lines.start);
        let described = match of_server.map(|example| Described::read(&example.text)).transpose() {
            Ok(described) => described,
            Err(told) => {
                let (text, invalid) = (self.text.clone(), vec![told]);
                return Seen { text, findings: 0, fixed: None, invalid };
            }
        };
        let options = LiveOptions { concurrency: 1, ..LiveOptions::default() };
        let server = described.as_ref().map(|described| described as &dyn crate::live::Server);
        let live = Live { named: None, server, options: &options, wanted: None, progress: None };
        let parts = self.parts();
        let input = |part: &Part| Input::new(part.name.clone(), part.file());
        let inputs = parts.iter().filter(|part| !part.is_baseline()).map(input).collect();
        let mut outcome = lint_live(inputs, &settings, &[live], None);
        for part in parts.iter().filter(|part| part.is_baseline()) {
            let input = Input { settings: Some(settings.clone().into()), ..input(part) };
            compare(&mut outcome, input);
        }
        let mut seen = Seen { text: String::new(), findings: 0, fixed: None, invalid: Vec::new() };
        let mut fixed = String::new();
        let mut has_fix = false;
        for (at, part) in parts.iter().enumerate() {
            let findings = outcome.files.get(at).map_or(&[][..], |file| &file.findings);
            let text = part.file();
            let others = findings.iter().filter(|finding| finding.check != check);
            seen.invalid.extend(others.map(|finding| finding.message.clone()));
            if parts.len() > 1 || at > 0 {
                seen.text.push_str(&format!("# file: {}\n", part.name));
                fixed.push_str(&format!("# file: {}\n", part.name));
            }
            let mut remarks: BTreeMap<usize, Vec<String>> = BTreeMap::new();
            let mut edits = Vec::new();
            for finding in findings.iter().filter(|finding| finding.check == check) {
                seen.findings += 1;
                let (line, remark) = part.remark(finding, &text);
                remarks.entry(line).or_default().push(remark);
                edits.extend(finding.fix.iter().flat_map(|fix| fix.edits.clone()));
            }
            for (number, line) in part.lines.iter().enumerate() {
                seen.text.push_str(line);
                seen.text.push('\n');
                for remark in remarks.get(&number).into_iter().flatten() {
                    seen.text.push_str(remark);
                    seen.text.push('\n');
                }
            }
            has_fix |= !edits.is_empty();
            fixed.push_str(&part.without_wrapper(&edited(&text, edits)));
        }
        seen.fixed = has_fix.then_some(fixed);
        seen
    }

    fn parts(&self) -> Vec<Part> {
        let is_remark = |line: &&str| !line.trim_start().starts_with('^');
        let lines = self.text.lines().filter(is_remark);
        if self.has("promql") {
            let front = match self.has("record") {
                true => "groups:\n- name: example\n  rules:\n  - record: a:example\n    expr: |\n",
                false => "groups:\n- name: example\n  rules:\n  - alert: Example\n    expr: |\n",
            };
            let lines = lines.map(str::to_owned).collect();
            return vec![Part { name: "example.yml".to_owned(), lines, front, indent: "      " }];
        }
        let mut parts: Vec<Part> = Vec::new();
        for line in lines {
            let name = line.strip_prefix("# file: ");
            if name.is_some() || parts.is_empty() {
                let plain = if self.has("json") { "example.json" } else { "example.yml" };
                let name = name.unwrap_or(plain).to_owned();
                parts.push(Part { name, lines: Vec::new(), front: "", indent: "" });
            }
            if name.is_some() {
                continue;
            }
            let Some(part) = parts.last_mut() else { continue };
            if line.starts_with("- ") && part.lines.iter().all(|line| line.starts_with('#')) {
                part.front = "groups:\n- name: example\n  rules:\n";
                part.indent = "  ";
            }
            part.lines.push(line.to_owned());
        }
        parts
    }
}

/// Compares an outcome with a baseline, whose file is one more then if something is said about it.
fn compare(outcome: &mut Outcome, input: Input) {
    let baseline = Baseline::parse(&String::from_utf8_lossy(&input.text)).unwrap_or_default();
    let compared = baseline.apply(outcome, &|_| false);
    outcome.files.extend(Baseline::tell_stale(&compared.stale, input));
}

impl Part {
    fn is_baseline(&self) -> bool {
        self.name.ends_with(".toml")
    }

    fn file(&self) -> String {
        let mut file = self.front.to_owned();
        for line in &self.lines {
            if !line.is_empty() {
                file.push_str(self.indent);
            }
            file.push_str(line);
            file.push('\n');
        }
        file
    }

    fn without_wrapper(&self, file: &str) -> String {
        let body = file.strip_prefix(self.front).unwrap_or(file);
        let lines = body.lines().map(|line| line.strip_prefix(self.indent).unwrap_or(line));
        lines.map(|line| format!("{line}\n")).collect()
    }

    /// The line of the example below which a finding stands, and what stands there.
    fn remark(&self, finding: &Finding, text: &str) -> (usize, String) {
        let span = finding.span();
        let before = text.get(..span.start).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before[line_start..].chars().count();
        let line = before.matches('\n').count();
        let shown = text.get(span).unwrap_or_default().lines().next().unwrap_or_default();
        let carets = "^".repeat(shown.chars().count().max(1));
        let blanks = " ".repeat(column.saturating_sub(self.indent.len()));
        let mut remark = format!("{blanks}{carets} ");
        if finding.severity != finding.check.severity {
            remark.push_str(&format!("{}: ", finding.severity));
        }
        remark.push_str(&finding.message);
        if let Some(consequence) = finding.consequence {
            remark.push_str(&format!("; {consequence}"));
        }
        (line.saturating_sub(self.front.matches('\n').count()), remark)
    }
}

/// A text after edits; of those that overlap the first one is made.
pub(crate) fn edited(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    edits.dedup();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for edit in edits {
        let Some(between) = text.get(at..edit.span.start) else { continue };
        out.push_str(between);
        out.push_str(&edit.text);
        at = edit.span.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}
