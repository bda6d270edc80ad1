//! Runs something again as files change.
//!
//! Files are looked at again and again rather than listened to: that works on every system and every
//! kind of file system, network folders and those of containers among them, and a look at a thousand
//! files takes milliseconds. What is looked at are the files that the arguments name, and those that
//! files name in turn, by patterns; all patterns are read anew each time, so new files are found. When
//! something changes, it is let come to rest before the run: an editor may write a file in several
//! steps.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anstyle::Style;
use promql_engine::Cancellation;

use crate::commands::Stop;
use crate::console::Console;
use crate::exit::Exit;
use crate::render::grid::push_styled;
use crate::{interrupt, paths, visible};

/// How often files are looked at.
const PERIOD: Duration = Duration::from_millis(200);

/// How long nothing may change before a run.
const REST: Duration = Duration::from_millis(80);

/// Clears the screen, but not what has scrolled out of it.
const CLEAR: &str = "\x1b[H\x1b[2J";

/// A pattern for files, and the folder that it is relative to.
pub type Pattern = (PathBuf, String);

/// What is watched.
#[derive(Debug)]
pub struct Watch<'a> {
    /// Files, folders and patterns, as arguments name them.
    pub arguments: &'a [String],
    /// Which files of folders count.
    pub is_wanted: fn(&Path) -> bool,
    /// Whether answers are for programs, so that nothing is put between them.
    pub is_for_programs: bool,
}

/// What a file was like when it was looked at; nothing if it wasn't there.
type Stamp = Option<(Option<SystemTime>, u64)>;

type Files = BTreeMap<PathBuf, Stamp>;

impl Watch<'_> {
    /// Runs a task, and again whenever a file changed that it looked at. The task gives how it ended, and
    /// the patterns that it read in files. Ends when Ctrl-C is pressed, as the last run that came to its
    /// end did.
    ///
    /// # Errors
    /// When an answer can't be written. All else that goes wrong is told, and mended by another change.
    pub fn run(
        &self,
        console: &Console,
        mut task: impl FnMut() -> Result<(Exit, Vec<Pattern>), Stop>,
    ) -> Result<Exit, Stop> {
        let switch = interrupt::listen(*console);
        let mut patterns: Vec<Pattern> = Vec::new();
        let mut last = Exit::Interrupted;
        let mut changed: Vec<PathBuf> = Vec::new();
        loop {
            let start = SystemTime::now();
            let mut known = self.look(&patterns);
            self.separate(&changed, console)?;
            let exit = match task() {
                Ok((exit, named)) => {
                    // What the run has found out is watched as it is now, unless it has changed
                    // since; all else as it was before the run.
                    let new = named.iter().filter(|pattern| !patterns.contains(pattern));
                    let is_older = |stamp: &Stamp| {
                        stamp.is_some_and(|(modified, _)| modified.is_none_or(|time| time < start))
                    };
                    let files = look_for(new).filter(|(_, stamp)| is_older(stamp));
                    for (path, stamp) in files {
                        known.entry(path).or_insert(stamp);
                    }
                    patterns = named;
                    exit
                }
                Err(stop @ Stop::Output(_)) => return Err(stop),
                Err(stop) => stop.tell(console),
            };
            if switch.is_cancelled() {
                return Ok(last);
            }
            last = exit;
            if console.stderr_is_terminal {
                let count = known.len();
                let plural = if count == 1 { "" } else { "s" };
                let mut text = String::new();
                let note = format!("watching {count} file{plural}; Ctrl-C ends");
                push_styled(&mut text, &note, Style::new().dimmed(), console.stderr_color);
                console.remark(&format!("{text}\n"));
            }
            match interrupt::while_stoppable(|| self.wait(&patterns, &known, &switch)) {
                Some(files) => changed = files,
                None => return Ok(last),
            }
        }
    }

    /// Puts something between one run and the next.
    fn separate(&self, changed: &[PathBuf], console: &Console) -> Result<(), Stop> {
        if console.is_terminal {
            console.print(CLEAR)?;
        }
        let Some(first) = changed.first() else { return Ok(()) };
        let name = first.display().to_string();
        let more = match changed.len() {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        let line = format!("--- {}{more} changed ---\n", visible::escape(&name));
        match self.is_for_programs {
            true => console.remark(&line),
            false => console.print(&line)?,
        }
        Ok(())
    }

    /// All files that are watched.
    fn look(&self, patterns: &[Pattern]) -> Files {
        let mut files = Files::new();
        for argument in self.arguments {
            // A pattern that nothing is called like may be by the next time.
            for path in paths::named(argument, self.is_wanted).unwrap_or_default() {
                let stamp = stamp(&path);
                files.insert(path, stamp);
            }
        }
        files.extend(look_for(patterns));
        files
    }

    /// Waits until files are no longer what they were, and have come to rest. Gives those that changed;
    /// nothing when Ctrl-C was pressed.
    fn wait(
        &self,
        patterns: &[Pattern],
        known: &Files,
        switch: &Cancellation,
    ) -> Option<Vec<PathBuf>> {
        loop {
            std::thread::sleep(PERIOD);
            let mut now = self.look(patterns);
            while now != *known && !switch.is_cancelled() {
                std::thread::sleep(REST);
                let then = std::mem::replace(&mut now, self.look(patterns));
                if then == now {
                    break;
                }
            }
            if switch.is_cancelled() {
                return None;
            }
            let is_new = |(path, stamp): &(&PathBuf, &Stamp)| known.get(*path) != Some(stamp);
            let gone = known.keys().filter(|path| !now.contains_key(*path));
            let changed = now.iter().filter(is_new).map(|(path, _)| path).chain(gone);
            let changed: Vec<PathBuf> = changed.cloned().collect();
            if !changed.is_empty() {
                return Some(changed);
            }
        }
    }
}

/// The files that patterns name.
fn look_for<'p>(
    patterns: impl IntoIterator<Item = &'p Pattern>,
) -> impl Iterator<Item = (PathBuf, Stamp)> {
    let found = patterns
        .into_iter()
        .flat_map(|(folder, pattern)| paths::matching(folder, pattern).unwrap_or_default());
    found.map(|path| {
        let stamp = stamp(&path);
        (path, stamp)
    })
}

fn stamp(path: &Path) -> Stamp {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok(), metadata.len()))
}
