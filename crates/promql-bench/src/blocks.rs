//! The data on disk: made once, and used again.
//!
//! | in the folder | what |
//! |---|---|
//! | `blocks/` | the blocks that promtool made of the text |
//! | `prometheus/` | a copy of them, which Prometheus may change as it likes |
//! | `victoria/` | what VictoriaMetrics made of the same text |
//! | `made.json` | of what data all this was made, written last |

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::data::{self, Size};
use crate::error::Error;
use crate::programs::{self, Running};
use crate::progress::Progress;

/// Changes whenever the generator writes other data.
const VERSION: u32 = 1;

/// The folder with the data.
#[derive(Clone, Debug)]
pub(crate) struct Folder(PathBuf);

/// What a folder was made of.
#[derive(Serialize, Deserialize)]
struct Made {
    size: String,
    version: u32,
}

impl Folder {
    /// The folder with the data of a size; made if it is not there.
    pub(crate) fn make(path: &Path, size: Size, promtool: &Path) -> Result<Folder, Error> {
        let folder = Folder(path.to_owned());
        let made = path.join("made.json");
        if made.is_file() {
            let text = fs::read(&made).map_err(Error::file("read", &made))?;
            let found = serde_json::from_slice::<Made>(&text).ok();
            return match found {
                Some(found) if found.size == size.name && found.version == VERSION => Ok(folder),
                found => Err(Error::OtherData {
                    path: path.to_owned(),
                    expected: format!("size {} of version {VERSION}", size.name),
                    found: found.map_or("something else".to_owned(), |found| {
                        format!("size {} of version {}", found.size, found.version)
                    }),
                }),
            };
        }
        let begun = path.join("unfinished");
        fs::create_dir_all(path).map_err(Error::file("make the folder", path))?;
        let mut entries = fs::read_dir(path).map_err(Error::file("read", path))?;
        if entries.next().is_some() && !begun.is_file() {
            return Err(Error::Occupied { path: path.to_owned() });
        }
        fs::write(&begun, "").map_err(Error::file("write", &begun))?;
        folder.make_blocks(size, promtool)?;
        let text = format!("{{\"size\":\"{}\",\"version\":{VERSION}}}\n", size.name);
        fs::write(&made, text).map_err(Error::file("write", &made))?;
        fs::remove_file(&begun).map_err(Error::file("delete", &begun))?;
        Ok(folder)
    }

    fn make_blocks(&self, size: Size, promtool: &Path) -> Result<(), Error> {
        let (text, blocks) = (self.0.join("data.om"), self.blocks());
        remove(&blocks)?;
        {
            let file = fs::File::create(&text).map_err(Error::file("write", &text))?;
            let mut out = BufWriter::with_capacity(1 << 20, file);
            write_text(size, &mut out, "writing the data").map_err(|error| stop(error, &text))?;
            out.flush().map_err(Error::file("write", &text))?;
        }
        let progress = Progress::new("making blocks of it");
        let arguments: [&dyn AsRef<std::ffi::OsStr>; 6] =
            [&"tsdb", &"create-blocks-from", &"openmetrics", &"--quiet", &text, &blocks];
        let result = Running::start(promtool, &arguments).and_then(Running::finish);
        // It is large, and of no use any more.
        let _ = fs::remove_file(&text);
        drop(progress);
        result
    }

    pub(crate) fn blocks(&self) -> PathBuf {
        self.0.join("blocks")
    }

    /// A fresh copy of the blocks.
    pub(crate) fn for_prometheus(&self) -> Result<PathBuf, Error> {
        let copy = self.0.join("prometheus");
        remove(&copy)?;
        copy_folder(&self.blocks(), &copy)?;
        Ok(copy)
    }

    /// Where VictoriaMetrics keeps its own. What was not finished is removed.
    pub(crate) fn for_victoria(&self) -> Result<PathBuf, Error> {
        let folder = self.0.join("victoria");
        if !self.victoria_done().is_file() {
            remove(&folder)?;
        }
        Ok(folder)
    }

    /// A file that is there once VictoriaMetrics has all data.
    pub(crate) fn victoria_done(&self) -> PathBuf {
        self.0.join("victoria.done")
    }
}

/// Writes the text, and looks for Ctrl-C and shows progress meanwhile.
pub(crate) fn write_text(size: Size, out: &mut dyn Write, what: &str) -> io::Result<()> {
    let mut progress = Progress::new(what);
    let total = size.targets * 100;
    data::write(size, out, &mut |written| {
        programs::check().map_err(io::Error::other)?;
        progress.at(written, total);
        Ok(())
    })
}

/// An error of writing, which may be that somebody asked for an end.
pub(crate) fn stop(error: io::Error, path: &Path) -> Error {
    match programs::check() {
        Err(interrupted) => interrupted,
        Ok(()) => Error::file("write", path)(error),
    }
}

fn remove(folder: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::file("delete", folder)(error))
        }
        _ => Ok(()),
    }
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), Error> {
    fs::create_dir_all(to).map_err(Error::file("make the folder", to))?;
    for entry in fs::read_dir(from).map_err(Error::file("read", from))? {
        let entry = entry.map_err(Error::file("read", from))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy_folder(&source, &target)?;
        } else {
            fs::copy(&source, &target).map_err(Error::file("copy", &source))?;
        }
    }
    Ok(())
}
