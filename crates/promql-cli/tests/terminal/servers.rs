//! Servers for the program to ask: real ones, and some that no program should trust.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::terminal::Terminal;

/// A program of the reference servers, ended with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A node_exporter and a Prometheus that scrapes it each second. They end with it.
pub(crate) struct Live {
    _servers: [Server; 2],
    folder: PathBuf,
    pub(crate) port: u16,
    exporter: u16,
}

impl Live {
    /// Starts them. Nothing where they aren't there.
    pub(crate) fn start(name: &str) -> Option<Live> {
        let Some(programs) = std::env::var_os("PROMQL_REFERENCE_BIN").map(PathBuf::from) else {
            eprintln!(
                "skipped: PROMQL_REFERENCE_BIN names no folder with Prometheus and node_exporter"
            );
            return None;
        };
        // Distributions give the exporter another name.
        let names = ["node_exporter", "prometheus-node-exporter"];
        let Some(program) = names.into_iter().find(|name| programs.join(name).exists()) else {
            eprintln!("skipped: there is no node_exporter in PROMQL_REFERENCE_BIN");
            return None;
        };
        let folder = std::env::temp_dir().join(format!("promql-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (port, exporter) = (free_port(), free_port());
        let config = format!(
            "global: {{scrape_interval: 1s}}\nscrape_configs:\n- job_name: node\n  static_configs:\n  - \
             targets: ['127.0.0.1:{exporter}']\nrule_files: [rules.yml]\n"
        );
        let rules = "groups:\n- name: nodes\n  interval: 1s\n  rules:\n  - record: job:up:count\n    \
                     expr: count by (job) (up)\n  - alert: NodeIsThere\n    expr: up == 1\n";
        std::fs::write(folder.join("rules.yml"), rules).unwrap();
        std::fs::write(folder.join("prometheus.yml"), config).unwrap();
        let start = |name: &str, arguments: &[String]| {
            let mut command = Command::new(programs.join(name));
            command.args(arguments).current_dir(&folder);
            Server(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
        };
        let servers = [
            start(program, &[format!("--web.listen-address=127.0.0.1:{exporter}")]),
            start(
                "prometheus",
                &[
                    "--config.file=prometheus.yml".to_owned(),
                    "--storage.tsdb.path=data".to_owned(),
                    format!("--web.listen-address=127.0.0.1:{port}"),
                ],
            ),
        ];
        Some(Live { _servers: servers, folder, port, exporter })
    }

    /// A session that asks the server, once that has scraped the exporter. The session itself begins before
    /// the server answers anything.
    pub(crate) fn session(&self, columns: u32, rows: u32) -> Option<Terminal> {
        let terminal =
            Terminal::start(columns, rows, &format!("repl -s http://127.0.0.1:{}", self.port))?;
        for (port, by) in [(self.port, "PPPPP"), (self.exporter, "EEEEE")] {
            terminal.varying.borrow_mut().push((port.to_string(), by.to_owned()));
        }
        let mut tries = 0;
        // Rates want two samples, and the rules have been evaluated by then.
        while !terminal.screen().contains("2 series · ") {
            terminal.text("{__name__=~\"job:up:count|up\"} > 0");
            terminal.keys(&["Enter"]);
            std::thread::sleep(Duration::from_secs(1));
            tries += 1;
            assert!(tries < 60, "the server doesn't scrape:\n{}", terminal.screen());
        }
        terminal.enter("\\refresh", "❯");
        terminal.forget();
        Some(terminal)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A server that answers everything with the same bytes, or never.
pub(crate) fn impostor(answer: Option<&'static str>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            match answer {
                None => kept.push(stream),
                Some(body) => {
                    let _ = Read::read(&mut stream, &mut [0; 4096]);
                    let length = body.len();
                    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}");
                    let _ = stream.write_all(head.as_bytes());
                }
            }
        }
    });
    port
}

/// A server that sends zeros for ever.
pub(crate) fn endless() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            std::thread::spawn(move || {
                let _ = Read::read(&mut stream, &mut [0; 4096]);
                let head = "HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n{\"status\":\"success\",";
                let mut sent = stream.write_all(head.as_bytes());
                while sent.is_ok() {
                    // Slowly enough that somebody can press a key before it is too much.
                    std::thread::sleep(Duration::from_millis(1));
                    sent = stream.write_all(&[b'0'; 4096]);
                }
            });
        }
    });
    port
}

/// A server with 100,000 metrics and 50 labels of 20,000 values each.
pub(crate) fn large() -> u16 {
    fn answer(request: &str) -> String {
        let list = |names: &mut dyn Iterator<Item = String>| {
            let names: Vec<String> = names.map(|name| format!("\"{name}\"")).collect();
            format!("{{\"status\":\"success\",\"data\":[{}]}}", names.join(","))
        };
        let label = request.split_once("/label/").and_then(|(_, rest)| rest.split_once("/values"));
        match label.map(|(label, _)| label) {
            Some("__name__") => list(
                &mut (0..100_000).map(|i| format!("service{}_requests_{}_total", i / 100, i % 100)),
            ),
            Some(label) => list(&mut (0..20_000).map(|i| format!("{label}-value-{i:05x}"))),
            None if request.contains("/labels") => {
                list(&mut (10..60).map(|i| format!("label_{i}")))
            }
            None => "{\"status\":\"success\",\"data\":{}}".to_owned(),
        }
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            std::thread::spawn(move || {
                let mut bytes = [0; 8192];
                let length = Read::read(&mut stream, &mut bytes).unwrap_or(0);
                let body = answer(&String::from_utf8_lossy(&bytes[..length]));
                let length = body.len();
                let head = format!(
                    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
                );
                let _ = stream
                    .write_all(head.as_bytes())
                    .and_then(|()| stream.write_all(body.as_bytes()));
            });
        }
    });
    port
}
