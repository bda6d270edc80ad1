//! The programs that take part: where they are, and how they are run and ended.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::http::Connection;

/// Thrown by Ctrl-C.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Listens for Ctrl-C and for the signals that ask a process to end. What was started is ended by
/// the one that started it, which asks [`check`] wherever it waits.
pub(crate) fn listen() {
    // Where signals can't be caught they end the process, and the others see their terminal close.
    let _ = ctrlc::set_handler(|| INTERRUPTED.store(true, Ordering::SeqCst));
}

/// # Errors
/// When somebody asked for an end.
pub(crate) fn check() -> Result<(), Error> {
    match INTERRUPTED.load(Ordering::SeqCst) {
        true => Err(Error::Interrupted),
        false => Ok(()),
    }
}

/// Finds a program: where a flag says, in the folder of programs, or on the path.
pub(crate) fn find(
    name: &str,
    flag: &'static str,
    given: Option<&Path>,
    folder: Option<&Path>,
) -> Result<PathBuf, Error> {
    if let Some(given) = given {
        return match given.is_file() {
            true => Ok(given.to_owned()),
            false => Err(Error::NoProgram { path: given.to_owned(), flag }),
        };
    }
    if let Some(folder) = folder {
        let path = folder.join(name);
        return match path.is_file() {
            true => Ok(path),
            false => Err(Error::NoProgram { path, flag }),
        };
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|p| p.is_file());
    found.ok_or_else(|| Error::NoProgram { path: PathBuf::from(name), flag })
}

/// A program that runs until this is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    program: String,
    /// The last lines that it wrote.
    words: Arc<Mutex<VecDeque<String>>>,
}

/// So many lines of what a program writes are kept.
const WORDS: usize = 12;

impl Running {
    pub(crate) fn start(program: &Path, arguments: &[&dyn AsRef<OsStr>]) -> Result<Running, Error> {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null());
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(Error::file("start", program))?;
        let words = Arc::new(Mutex::new(VecDeque::new()));
        let outputs = [
            child.stdout.take().map(|out| Box::new(out) as Box<dyn Read + Send>),
            child.stderr.take().map(|out| Box::new(out) as Box<dyn Read + Send>),
        ];
        for output in outputs.into_iter().flatten() {
            let words = Arc::clone(&words);
            thread::spawn(move || {
                for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
                    let mut words = words.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                    if words.len() == WORDS {
                        words.pop_front();
                    }
                    words.push_back(String::from_utf8_lossy(&line).into_owned());
                }
            });
        }
        Ok(Running { child, program: program.display().to_string(), words })
    }

    /// What it wrote last.
    fn words(&self) -> String {
        let words = self.words.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let words: Vec<String> = words.iter().map(|line| format!("  {line}")).collect();
        words.join("\n")
    }

    /// Waits until it ended well.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        loop {
            check()?;
            match self.child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => return Err(self.ended(&status.to_string())),
                Ok(None) => thread::sleep(Duration::from_millis(20)),
                Err(error) => return Err(self.ended(&error.to_string())),
            }
        }
    }

    /// Waits until it answers a request well. Gives how long that took.
    pub(crate) fn until_ready(
        &mut self,
        address: SocketAddr,
        path: &str,
        started: Instant,
    ) -> Result<Duration, Error> {
        const SECONDS: u64 = 60;
        loop {
            check()?;
            if Connection::new(address).get(path).is_ok_and(|answer| answer.status == 200) {
                return Ok(started.elapsed());
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                // Let the threads read the rest.
                thread::sleep(Duration::from_millis(100));
                return Err(self.ended(&status.to_string()));
            }
            if started.elapsed() > Duration::from_secs(SECONDS) {
                return Err(Error::NotReady {
                    program: self.program.clone(),
                    address: address.to_string(),
                    seconds: SECONDS,
                    words: self.words(),
                });
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// # Errors
    /// When it has ended.
    pub(crate) fn check(&mut self) -> Result<(), Error> {
        // One that breaks off a connection may be about to end.
        for _ in 0..10 {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(self.ended(&status.to_string()));
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    fn ended(&self, status: &str) -> Error {
        Error::Ended {
            program: self.program.clone(),
            status: status.to_owned(),
            words: self.words(),
        }
    }

    /// The most memory that it ever had resident, in bytes. Nothing where the system doesn't tell.
    pub(crate) fn peak_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kibibytes * 1024)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
