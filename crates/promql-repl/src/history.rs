//! What was written before.
//!
//! One file for all sessions, a line for each statement: the time in seconds, the source, and the text
//! with its line breaks escaped. A line is appended in one write as soon as it is entered, so a session
//! that is killed loses nothing, and two sessions don't write into each other's lines. What looks like a
//! secret is left out before it gets there.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// How many statements are kept in mind.
pub(crate) const MOST_ENTRIES: usize = 100_000;

/// How much of the file is read at most, from its end.
const MOST_BYTES: u64 = 64 << 20;

/// A statement of the past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When, in seconds since the epoch.
    pub time: u64,
    /// The source that it was asked of, without secrets.
    pub source: String,
    /// The statement.
    pub text: String,
}

/// The history of all sessions.
#[derive(Debug, Default)]
pub struct History {
    path: Option<PathBuf>,
    entries: Vec<Entry>,
}

impl History {
    /// One that is kept in a file. What is in the file is read; lines that are none are passed over.
    ///
    /// # Errors
    /// When the file is there and can't be read. A missing one is none yet.
    pub fn open(path: &Path) -> io::Result<History> {
        let mut history = History { path: Some(path.to_owned()), entries: Vec::new() };
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(history),
            Err(error) => return Err(error),
        };
        let length = file.metadata()?.len();
        let skipped = length.saturating_sub(MOST_BYTES);
        file.seek(SeekFrom::Start(skipped))?;
        let mut bytes = Vec::new();
        file.take(MOST_BYTES).read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes);
        let lines = text.lines().skip(usize::from(skipped > 0));
        history.entries = lines.filter_map(read).collect();
        let surplus = history.entries.len().saturating_sub(MOST_ENTRIES);
        history.entries.drain(..surplus);
        Ok(history)
    }

    /// Reads the file again, with what other sessions have written since.
    ///
    /// # Errors
    /// When it can't be read; what was known stays.
    pub fn refresh(&mut self) -> io::Result<()> {
        if let Some(path) = &self.path {
            *self = History::open(path)?;
        }
        Ok(())
    }

    /// The statements, oldest first. One that was repeated is where it was last.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        let last: HashMap<&str, usize> =
            self.entries.iter().enumerate().map(|(at, entry)| (entry.text.as_str(), at)).collect();
        let is_last =
            move |(at, entry): &(usize, &Entry)| last.get(entry.text.as_str()) == Some(at);
        let kept: Vec<&Entry> =
            self.entries.iter().enumerate().filter(is_last).map(|(_, entry)| entry).collect();
        kept.into_iter()
    }

    /// Adds a statement, in the file at once. One that begins with a blank is not kept.
    ///
    /// # Errors
    /// When the file can't be written; the session remembers the statement nevertheless.
    pub fn add(&mut self, source: &str, text: &str) -> io::Result<()> {
        if text.starts_with([' ', '\t']) || text.trim().is_empty() {
            return Ok(());
        }
        let time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        let text = without_secrets(text.trim_end());
        let entry = Entry { time, source: without_secrets(source), text };
        let line =
            format!("{}\t{}\t{}\n", entry.time, escaped(&entry.source), escaped(&entry.text));
        self.entries.push(entry);
        let Some(path) = &self.path else { return Ok(()) };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        // One write of the whole line: with O_APPEND no other session's line comes between.
        options.open(path)?.write_all(line.as_bytes())
    }
}

fn read(line: &str) -> Option<Entry> {
    let mut parts = line.splitn(3, '\t');
    let time = parts.next()?.parse().ok()?;
    let (source, text) = (unescaped(parts.next()?), unescaped(parts.next()?));
    (!text.is_empty()).then_some(Entry { time, source, text })
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n").replace('\t', "\\t").replace('\r', "\\r")
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        out.push(match c {
            '\\' => match chars.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some('r') => '\r',
                Some(other) => other,
                None => '\\',
            },
            c => c,
        });
    }
    out
}

/// The text with what looks like a secret replaced by `***`: the user and the password of an address,
/// the values of parameters and headers that are called like one, and long tokens.
///
/// ```
/// use promql_repl::without_secrets;
/// assert_eq!(without_secrets(r"\c https://me:secret@host/x"), r"\c https://***@host/x");
/// assert_eq!(without_secrets("http://h/?token=abc&x=1"), "http://h/?token=***&x=1");
/// assert_eq!(without_secrets("Authorization: Bearer abc.def"), "Authorization: Bearer ***");
/// assert_eq!(without_secrets(r#"up{password="x"}"#), r#"up{password="***"}"#);
/// assert_eq!(without_secrets("sum(up) # nothing"), "sum(up) # nothing");
/// ```
pub fn without_secrets(text: &str) -> String {
    const NAMES: [&str; 10] = [
        "token",
        "password",
        "passwd",
        "secret",
        "apikey",
        "api_key",
        "api-key",
        "access_key",
        "bearer",
        "basic",
    ];
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    // What stands before `@` in the host of an address.
    while let Some(at) = rest.find("://") {
        let (front, behind) = rest.split_at(at + 3);
        out.push_str(front);
        let end = behind
            .find(|c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '\'' | '`'))
            .unwrap_or(behind.len());
        match behind[..end].rfind('@') {
            Some(user_end) => {
                out.push_str("***");
                rest = &behind[user_end..];
            }
            None => rest = behind,
        }
    }
    out.push_str(rest);

    let lower = out.to_ascii_lowercase();
    let mut hidden: Vec<(usize, usize)> = Vec::new();
    for name in NAMES {
        for (at, _) in lower.match_indices(name) {
            let behind = &out[at + name.len()..];
            let gap = behind.len() - behind.trim_start_matches([' ', '=', ':', '~', '!']).len();
            let quote = behind[gap..].chars().next().filter(|c| matches!(c, '"' | '\'' | '`'));
            let gap = gap + quote.map_or(0, char::len_utf8);
            let is_scheme = matches!(name, "bearer" | "basic");
            if gap == 0 || !is_scheme && !behind[..gap].contains(['=', ':']) {
                continue;
            }
            let start = at + name.len() + gap;
            let value = &out[start..];
            let ends = |c: char| match quote {
                Some(quote) => c == quote,
                None => c.is_whitespace() || matches!(c, '&' | ',' | ')' | '}' | '"' | '\'' | ';'),
            };
            let length = value.find(ends).unwrap_or(value.len());
            if length > 0 {
                hidden.push((start, start + length));
            }
        }
    }
    // Long runs of characters as tokens have them, with letters and digits mixed.
    let is_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | '=');
    let mut start = None;
    for (at, c) in out.char_indices().chain([(out.len(), ' ')]) {
        match (is_token(c), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                let word = &out[from..at];
                let known = ["eyJ", "glsa_", "glc_", "ghp_", "xoxb-", "AKIA"];
                if word.len() >= 20 && known.iter().any(|prefix| word.starts_with(prefix)) {
                    hidden.push((from, at));
                }
                start = None;
            }
            _ => {}
        }
    }
    hidden.sort_unstable();
    let mut done = 0;
    let mut safe = String::with_capacity(out.len());
    for (start, end) in hidden {
        if start < done {
            continue;
        }
        safe.push_str(&out[done..start]);
        safe.push_str("***");
        done = end;
    }
    safe.push_str(&out[done..]);
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_there_again() {
        let folder = std::env::temp_dir().join(format!("promql-history-{}", std::process::id()));
        let path = folder.join("deep").join("history");
        let mut one = History::open(&path).expect("a new history");
        let mut other = History::open(&path).expect("a new history");
        one.add("a", "up").expect("to write");
        other.add("b", "sum(\n\t\"x\\n\")").expect("to write");
        one.add("a", " not kept").expect("to write");
        one.add("a", "up").expect("to write");
        one.add("http://u:p@h", "\\c http://u:p@h").expect("to write");
        // A session that was killed in the middle of a line, and one that wrote nonsense.
        let mut file = OpenOptions::new().append(true).open(&path).expect("the file");
        file.write_all(b"nonsense\n\xff\xfe\n12\tx").expect("to write");
        let texts = |history: &History| -> Vec<String> {
            history.entries().map(|entry| format!("{}: {}", entry.source, entry.text)).collect()
        };
        one.refresh().expect("the history");
        let again = History::open(&path).expect("the history");
        assert_eq!(texts(&one), texts(&again));
        let expected = ["b: sum(\n\t\"x\\n\")", "a: up", "http://***@h: \\c http://***@h"];
        assert_eq!(texts(&again), expected);
        assert!(!fs::read_to_string(&path).unwrap_or_default().contains("u:p"));
        fs::remove_dir_all(folder).expect("to clean up");
    }
}
