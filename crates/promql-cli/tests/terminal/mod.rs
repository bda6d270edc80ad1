//! A terminal for tests: tmux with the program in it, and servers for the program to ask.

#![allow(clippy::print_stderr, reason = "a test that skips has to say so")]
#![allow(dead_code, reason = "not every file of tests uses all of it")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How long something may take to appear on the screen.
const PATIENCE: Duration = Duration::from_secs(30);

static COUNTER: AtomicUsize = AtomicUsize::new(0);

/// A terminal with a program in it.
pub(crate) struct Terminal {
    pub(crate) socket: String,
    pub(crate) folder: PathBuf,
}

impl Terminal {
    /// Starts a session. Its history and configuration are in a folder of its own.
    pub(crate) fn start(columns: u32, rows: u32, arguments: &str) -> Option<Terminal> {
        Terminal::start_with(columns, rows, "", arguments)
    }

    pub(crate) fn start_in(
        columns: u32,
        rows: u32,
        arguments: &str,
        socket: String,
        folder: PathBuf,
    ) -> Option<Terminal> {
        Terminal::start_as(columns, rows, "", arguments, socket, folder)
    }

    /// Starts a session with variables of the environment, as `A=b C=d`.
    pub(crate) fn start_with(
        columns: u32,
        rows: u32,
        variables: &str,
        arguments: &str,
    ) -> Option<Terminal> {
        let number = COUNTER.fetch_add(1, Ordering::SeqCst);
        let socket = format!("promql-test-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(&socket);
        std::fs::create_dir_all(&folder).unwrap();
        Terminal::start_as(columns, rows, variables, arguments, socket, folder)
    }

    fn start_as(
        columns: u32,
        rows: u32,
        variables: &str,
        arguments: &str,
        socket: String,
        folder: PathBuf,
    ) -> Option<Terminal> {
        if Command::new("tmux").arg("-V").output().is_err() {
            eprintln!("skipped: there is no tmux");
            return None;
        }
        let terminal = Terminal { socket, folder };
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
        Some(terminal)
    }

    pub(crate) fn tmux(&self, arguments: &[&str]) -> Output {
        Command::new("tmux").arg("-L").arg(&self.socket).args(arguments).output().unwrap()
    }

    /// Types text as it is.
    pub(crate) fn text(&self, text: &str) {
        assert!(self.tmux(&["send-keys", "-l", "--", text]).status.success());
    }

    /// Presses keys that have names.
    pub(crate) fn keys(&self, keys: &[&str]) {
        for key in keys {
            assert!(self.tmux(&["send-keys", key]).status.success());
        }
    }

    /// Presses Ctrl-C. What is typed at the same moment goes with the line, as in every shell.
    pub(crate) fn interrupt(&self) {
        self.keys(&["C-c"]);
        std::thread::sleep(Duration::from_millis(300));
    }

    pub(crate) fn screen(&self) -> String {
        let output = self.tmux(&["capture-pane", "-p", "-S", "-200"]);
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
            std::thread::sleep(Duration::from_millis(50));
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
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.tmux(&["kill-server"]);
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub(crate) const FIXTURE: &str = "repl -s corpus/fixtures/http.test";

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

/// A program of the reference servers, ended with the test.
pub(crate) struct Server(std::process::Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A node_exporter and a Prometheus that scrapes it each second.
pub(crate) fn live(folder: &Path) -> Option<(Server, Server, u16)> {
    let Some(programs) = std::env::var_os("PROMQL_REFERENCE_BIN").map(PathBuf::from) else {
        eprintln!(
            "skipped: PROMQL_REFERENCE_BIN names no folder with Prometheus and node_exporter"
        );
        return None;
    };
    let (port, exporter) = (free_port(), free_port());
    let config = format!(
        "global: {{scrape_interval: 1s}}\nscrape_configs:\n- job_name: node\n  static_configs:\n  - targets: \
         ['127.0.0.1:{exporter}']\nrule_files: [rules.yml]\n"
    );
    let rules = "groups:\n- name: nodes\n  interval: 1s\n  rules:\n  - record: job:up:count\n    expr: \
                 count by (job) (up)\n  - alert: NodeIsThere\n    expr: up == 1\n";
    std::fs::write(folder.join("rules.yml"), rules).unwrap();
    std::fs::write(folder.join("prometheus.yml"), config).unwrap();
    let start = |name: &str, arguments: &[String]| {
        let mut command = Command::new(programs.join(name));
        command.args(arguments).current_dir(folder);
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        command.spawn().map(Server)
    };
    // Distributions give the exporter another name.
    let names = ["node_exporter", "prometheus-node-exporter"];
    let Some(name) = names.into_iter().find(|name| programs.join(name).exists()) else {
        eprintln!("skipped: there is no node_exporter in PROMQL_REFERENCE_BIN");
        return None;
    };
    let exporter = start(name, &[format!("--web.listen-address=127.0.0.1:{exporter}")]);
    let server = start(
        "prometheus",
        &[
            "--config.file=prometheus.yml".to_owned(),
            "--storage.tsdb.path=data".to_owned(),
            format!("--web.listen-address=127.0.0.1:{port}"),
        ],
    );
    Some((exporter.unwrap(), server.unwrap(), port))
}

/// A server that answers everything with the same bytes, or never.
pub(crate) fn impostor(answer: Option<&'static str>) -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            match answer {
                None => kept.push(stream),
                Some(body) => {
                    let _ = std::io::Read::read(&mut stream, &mut [0; 4096]);
                    let length = body.len();
                    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}");
                    let _ = std::io::Write::write_all(&mut stream, head.as_bytes());
                }
            }
        }
    });
    port
}
