//! A terminal for tests: tmux with the program in it.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How long something may take to appear on the screen. The machine may have much else to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// A screen that stays the same for so long is the one that somebody sees.
const SETTLED: Duration = Duration::from_millis(600);

const TICK: Duration = Duration::from_millis(50);

static COUNTER: AtomicUsize = AtomicUsize::new(0);

/// The arguments of a session that asks a fixture.
pub(crate) const FIXTURE: &str = "repl -s corpus/fixtures/http.test";

pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// How a terminal begins.
pub(crate) struct Setting<'a> {
    pub(crate) size: (u32, u32),
    /// Variables of the environment, as `A=b C=d`.
    pub(crate) variables: &'a str,
    pub(crate) arguments: &'a str,
    /// The folder of history and configuration; without one the terminal has its own.
    pub(crate) folder: Option<PathBuf>,
}

/// A terminal with a program in it.
pub(crate) struct Terminal {
    socket: String,
    /// Where its history and its configuration are.
    pub(crate) folder: PathBuf,
    /// The command and the keys that were pressed, for people.
    typed: RefCell<String>,
    /// What is another text each time, and what stands for it on a screen that is written down.
    pub(crate) varying: RefCell<Vec<(String, String)>>,
}

impl Terminal {
    /// A session over the fixture, with its first prompt. Nothing where there is no tmux.
    pub(crate) fn of_fixture(columns: u32, rows: u32) -> Option<Terminal> {
        Terminal::start(columns, rows, FIXTURE)
    }

    /// A session with its first prompt.
    pub(crate) fn start(columns: u32, rows: u32, arguments: &str) -> Option<Terminal> {
        let setting = Setting { size: (columns, rows), variables: "", arguments, folder: None };
        Terminal::begin(&setting)
    }

    /// A session over the fixture, with variables of the environment.
    pub(crate) fn with(variables: &str) -> Option<Terminal> {
        let arguments = FIXTURE;
        Terminal::begin(&Setting { size: (100, 30), variables, arguments, folder: None })
    }

    /// Another session over the fixture that has the same history and configuration.
    pub(crate) fn beside(&self) -> Option<Terminal> {
        let folder = Some(self.folder.clone());
        let arguments = FIXTURE;
        Terminal::begin(&Setting { size: (100, 30), variables: "", arguments, folder })
    }

    pub(crate) fn begin(setting: &Setting<'_>) -> Option<Terminal> {
        if Command::new("tmux").arg("-V").output().is_err() {
            eprintln!("skipped: there is no tmux, which is the terminal of this test");
            return None;
        }
        let number = COUNTER.fetch_add(1, Ordering::SeqCst);
        let socket = format!("promql-test-{}-{number}", std::process::id());
        let folder = setting.folder.clone().unwrap_or_else(|| std::env::temp_dir().join(&socket));
        std::fs::create_dir_all(&folder).unwrap();
        let Setting { size: (columns, rows), variables, arguments, .. } = *setting;
        let typed = format!("{columns}×{rows} $ {variables} promql {arguments} ⟨Enter⟩ ");
        let varying = vec![
            (folder.display().to_string(), "FOLDER".to_owned()),
            (format!("promql {}", env!("CARGO_PKG_VERSION")), "promql VERSION".to_owned()),
        ];
        let terminal = Terminal {
            socket,
            folder,
            typed: RefCell::new(typed.replace("$  ", "$ ")),
            varying: RefCell::new(varying),
        };
        let folder = terminal.folder.display();
        let promql = env!("CARGO_BIN_EXE_promql");
        let command = format!(
            "cd '{}' && env -u PROMQL_SOURCE -u NO_COLOR LANG=C.UTF-8 TZ=UTC HOME='{folder}' \
             XDG_CONFIG_HOME='{folder}' XDG_STATE_HOME='{folder}' {variables} '{promql}' {arguments}; \
             echo \"ended with $?\"; sleep 60",
            workspace().display()
        );
        let size = [columns.to_string(), rows.to_string()];
        let arguments =
            ["-f", "/dev/null", "new-session", "-d", "-x", &size[0], "-y", &size[1], &command];
        let output = terminal.tmux(&arguments);
        assert!(output.status.success(), "{output:?}");
        terminal.see("❯");
        Some(terminal)
    }

    pub(crate) fn tmux(&self, arguments: &[&str]) -> Output {
        Command::new("tmux").arg("-L").arg(&self.socket).args(arguments).output().unwrap()
    }

    /// Types text as it is.
    pub(crate) fn text(&self, text: &str) {
        self.typed.borrow_mut().push_str(&text.replace('\r', "⟨Enter⟩ "));
        assert!(self.tmux(&["send-keys", "-l", "--", text]).status.success());
    }

    /// Presses keys that have names.
    pub(crate) fn keys(&self, keys: &[&str]) {
        for key in keys {
            let name = match key.strip_prefix("C-") {
                Some(letter) => format!("Ctrl-{}", letter.to_uppercase()),
                None => key.replace("M-", "Alt-"),
            };
            let gap = if *key == "Enter" { " " } else { "" };
            self.typed.borrow_mut().push_str(&format!("⟨{name}⟩{gap}"));
            assert!(self.tmux(&["send-keys", key]).status.success());
        }
    }

    /// Pastes a text at once, as terminals do.
    pub(crate) fn paste(&self, text: &[u8]) {
        self.typed.borrow_mut().push_str("⟨paste⟩");
        let path = self.folder.join("paste");
        std::fs::write(&path, text).unwrap();
        assert!(self.tmux(&["load-buffer", path.to_str().unwrap()]).status.success());
        assert!(self.tmux(&["paste-buffer", "-p"]).status.success());
    }

    /// Presses Ctrl-C. What is typed at the same moment goes with the line, as in every shell.
    pub(crate) fn interrupt(&self) {
        self.keys(&["C-c"]);
        std::thread::sleep(Duration::from_millis(300));
    }

    /// Has the screen empty but for the prompt: what is above it is another one each time.
    pub(crate) fn clear(&self) {
        self.keys(&["C-l"]);
        self.wait("an empty screen", |_| {
            self.visible(&[]).lines().filter(|line| !line.trim().is_empty()).count() == 1
        });
    }

    /// Leaves out of what was typed so far all but the command.
    pub(crate) fn forget(&self) {
        let mut typed = self.typed.borrow_mut();
        let end = typed.find("⟨Enter⟩ ").map_or(0, |at| at + "⟨Enter⟩ ".len());
        typed.truncate(end);
        typed.push_str("… ");
    }

    /// The command that was given, and all keys that were pressed.
    pub(crate) fn typed(&self) -> String {
        self.typed.borrow().trim_end().to_owned()
    }

    /// What is on the screen and above it.
    pub(crate) fn screen(&self) -> String {
        self.visible(&["-S", "-200"])
    }

    fn visible(&self, flags: &[&str]) -> String {
        let output = self.tmux(&[&["capture-pane", "-p"], flags].concat());
        String::from_utf8(output.stdout).unwrap()
    }

    /// The program's process.
    pub(crate) fn process(&self) -> u32 {
        let output = self.tmux(&["display-message", "-p", "#{pane_pid}"]);
        let shell = String::from_utf8(output.stdout).unwrap();
        let children = format!("/proc/{0}/task/{0}/children", shell.trim());
        std::fs::read_to_string(children).unwrap().trim().parse().unwrap()
    }

    /// Waits until something holds of the screen.
    pub(crate) fn wait(&self, what: &str, holds: impl Fn(&str) -> bool) -> String {
        let started = Instant::now();
        loop {
            let screen = self.screen();
            if holds(&screen) {
                return screen;
            }
            assert!(started.elapsed() < PATIENCE, "no {what} on the screen:\n{screen}");
            std::thread::sleep(TICK);
        }
    }

    pub(crate) fn see(&self, text: &str) -> String {
        self.wait(text, |screen| screen.contains(text))
    }

    /// Enters a line and waits for something below it.
    pub(crate) fn enter(&self, line: &str, answer: &str) -> String {
        self.text(line);
        self.keys(&["Enter"]);
        self.see(answer)
    }

    /// Waits until a text is on the screen and nothing moves there any more. Gives the visible part with its
    /// escape sequences, and the column and the row of the cursor, from 0.
    pub(crate) fn settled(&self, text: &str) -> (String, (usize, usize)) {
        self.wait(text, |_| self.visible(&[]).contains(text));
        let look = || {
            let cursor = self.tmux(&["display-message", "-p", "#{cursor_x} #{cursor_y}"]).stdout;
            (self.visible(&["-e"]), String::from_utf8(cursor).unwrap())
        };
        let (started, mut seen, mut since) = (Instant::now(), look(), Instant::now());
        while since.elapsed() < SETTLED || !self.visible(&[]).contains(text) {
            std::thread::sleep(TICK);
            let now = look();
            if now != seen {
                (seen, since) = (now, Instant::now());
            }
            assert!(started.elapsed() < PATIENCE, "the screen with {text} moves:\n{}", seen.0);
        }
        let (screen, cursor) = seen;
        let (column, row) = cursor.trim().split_once(' ').unwrap();
        (screen, (column.parse().unwrap(), row.parse().unwrap()))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.tmux(&["kill-server"]);
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The lines below the last prompt, without blank ones.
pub(crate) fn below_prompt(screen: &str) -> String {
    let last = screen.rfind('❯').unwrap_or(0);
    screen[last..]
        .lines()
        .map(str::trim_end)
        .filter(|l| !l.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}
