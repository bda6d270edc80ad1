//! What was written before.
//!
//! One file for all sessions, a line for each statement: the time in seconds, the source, and the text
//! with its line breaks escaped. A line is appended in one write as soon as it is entered, so a session
//! that is killed loses nothing, and two sessions don't write into each other's lines. What looks like a
//! secret is left out before it gets there.
//!
//! A session begins with the end of the file, so that its prompt waits for no long one; the rest is read when
//! somebody looks for something in it. A file that has grown too long is written anew with the last
//! statements, each once, and put in the place of the old one. No line gets lost between the two: whoever
//! appends one looks whether its file is still the one at the path, and else appends it there again, and
//! whoever writes anew brings along afterwards what has been appended to the old file meanwhile.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// How many statements are kept in mind.
pub(crate) const MOST_ENTRIES: usize = 100_000;

/// How much of the file is read at most, from its end.
const MOST_BYTES: u64 = 64 << 20;

/// How much of it is read before the first prompt.
const FIRST_BYTES: u64 = 256 << 10;

/// A file longer than this is written anew.
const LONG: u64 = 32 << 20;

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
    /// One that is kept in a file. The end of the file is read; lines that are none are passed over.
    ///
    /// # Errors
    /// When the file is there and can't be read. A missing one is none yet.
    pub fn open(path: &Path) -> io::Result<History> {
        History::read(path, FIRST_BYTES)
    }

    fn read(path: &Path, most_bytes: u64) -> io::Result<History> {
        let mut history = History { path: Some(path.to_owned()), entries: Vec::new() };
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(history),
            Err(error) => return Err(error),
        };
        let length = file.metadata()?.len();
        let skipped = length.saturating_sub(most_bytes);
        file.seek(SeekFrom::Start(skipped))?;
        let mut bytes = Vec::new();
        file.take(most_bytes).read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes);
        let lines = text.lines().skip(usize::from(skipped > 0));
        history.entries = lines.filter_map(read).collect();
        let surplus = history.entries.len().saturating_sub(MOST_ENTRIES);
        history.entries.drain(..surplus);
        Ok(history)
    }

    /// Reads the file again, all of it, with what other sessions have written since.
    ///
    /// # Errors
    /// When it can't be read; what was known stays.
    pub fn refresh(&mut self) -> io::Result<()> {
        if let Some(path) = &self.path {
            *self = History::read(path, MOST_BYTES)?;
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
        let line = entry.line();
        self.entries.push(entry);
        let Some(path) = &self.path else { return Ok(()) };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        // Written anew meanwhile, the file at the path is another one.
        for _ in 0..10 {
            let mut file = options.open(path)?;
            // One write of the whole line: with O_APPEND no other session's line comes between.
            file.write_all(line.as_bytes())?;
            if is_at(&file, path) {
                return Ok(());
            }
        }
        Err(io::Error::other("the file is replaced again and again"))
    }

    /// Writes the file anew if it has grown too long, with the last statements, each once.
    ///
    /// # Errors
    /// When it can't be read or written; it stays as it was.
    pub fn trim(path: &Path) -> io::Result<()> {
        History::trim_if_longer(path, LONG)
    }

    fn trim_if_longer(path: &Path, most_bytes: u64) -> io::Result<()> {
        let mut old = match File::open(path) {
            Ok(file) if file.metadata()?.len() > most_bytes => file,
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let length = old.metadata()?.len();
        // There is one such file at a time, so that only one session writes anew.
        let beside = path.with_extension("new");
        if fs::metadata(&beside).is_ok_and(|there| is_left_over(&there)) {
            fs::remove_file(&beside)?;
        }
        let mut options = OpenOptions::new();
        options.append(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut new = match options.open(&beside) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
            Err(error) => return Err(error),
        };
        // Somebody else may have been faster.
        let replaced = match is_at(&old, path) {
            true => History::last_lines(path, most_bytes / 2).and_then(|lines| {
                new.write_all(lines.as_bytes())?;
                new.sync_all()?;
                fs::rename(&beside, path)
            }),
            false => fs::remove_file(&beside),
        };
        if replaced.is_err() {
            let _ = fs::remove_file(&beside);
            return replaced;
        }
        let mut late = Vec::new();
        old.seek(SeekFrom::Start(length))?;
        old.read_to_end(&mut late)?;
        new.write_all(&late)
    }

    /// The last statements of a file as lines, each once, so many bytes of them.
    fn last_lines(path: &Path, most_bytes: u64) -> io::Result<String> {
        let history = History::read(path, MOST_BYTES)?;
        let kept: Vec<&Entry> = history.entries().collect();
        let mut bytes = 0;
        let fitting = kept.iter().rev().take_while(|entry| {
            bytes += entry.line().len() as u64;
            bytes <= most_bytes
        });
        let count = fitting.count();
        Ok(kept[kept.len() - count..].iter().map(|entry| entry.line()).collect())
    }

    /// The file, if there is one.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }
}

impl Entry {
    /// The line of the file.
    fn line(&self) -> String {
        format!("{}\t{}\t{}\n", self.time, escaped(&self.source), escaped(&self.text))
    }
}

/// Whether a file was left by a session that didn't come to the end of writing it.
fn is_left_over(file: &fs::Metadata) -> bool {
    let age = file.modified().ok().and_then(|time| time.elapsed().ok());
    age.is_some_and(|age| age > std::time::Duration::from_secs(600))
}

/// Whether a file is the one at a path. Where files have no numbers it is taken to be.
fn is_at(file: &File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        match (file.metadata(), fs::metadata(path)) {
            (Ok(file), Ok(there)) => (file.dev(), file.ino()) == (there.dev(), there.ino()),
            _ => false,
        }
    }
    #[cfg(not(unix))]
    {
        let _ = (file, path);
        true
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
    fn a_long_file_is_written_anew_and_loses_nothing_that_is_written_meanwhile() {
        let folder = std::env::temp_dir().join(format!("promql-trimmed-{}", std::process::id()));
        let path = folder.join("history");
        let mut history = History::open(&path).expect("a new history");
        for i in 0..500 {
            history.add("a", &format!("metric_{} + {i}", i % 3)).expect("to write");
            history.add("a", "up").expect("to write");
        }
        let length = fs::metadata(&path).expect("the file").len();
        std::thread::scope(|scope| {
            let writers: Vec<_> = (0..4)
                .map(|writer| {
                    let path = &path;
                    scope.spawn(move || {
                        let mut history = History::open(path).expect("the history");
                        for i in 0..50 {
                            history.add("b", &format!("late_{writer}_{i}")).expect("to write");
                        }
                    })
                })
                .collect();
            for _ in 0..5 {
                History::trim_if_longer(&path, length * 3 / 4).expect("to trim");
            }
            writers.into_iter().for_each(|writer| writer.join().expect("a writer"));
        });
        let mut again = History::open(&path).expect("the history");
        again.refresh().expect("the history");
        let texts: Vec<&str> = again.entries().map(|entry| entry.text.as_str()).collect();
        assert_eq!(texts.iter().filter(|text| text.starts_with("late_")).count(), 200);
        assert!(texts.contains(&"up") && !texts.contains(&"metric_0 + 0"), "{texts:?}");
        assert!(fs::metadata(&path).expect("the file").len() < length);
        fs::remove_dir_all(folder).expect("to clean up");
    }

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
