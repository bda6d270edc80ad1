//! Real servers to compare with: a Prometheus, a node exporter.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The path of a program of upstream, by any of its names: in the folder that
/// `PROMQL_REFERENCE_BIN` names, else in the path.
pub fn program(names: &[&str]) -> Option<PathBuf> {
    let folders = match std::env::var_os("PROMQL_REFERENCE_BIN") {
        Some(folder) => vec![PathBuf::from(folder)],
        None => std::env::split_paths(&std::env::var_os("PATH")?).collect(),
    };
    let candidates = folders.iter().flat_map(|folder| names.iter().map(|name| folder.join(name)));
    candidates.into_iter().find(|path| path.is_file())
}

/// A program that runs until this is dropped.
pub struct Running(Child);

impl Running {
    /// Starts a program. What it says goes into a file, to be looked at when a test fails.
    ///
    /// # Panics
    /// When it can't be started.
    pub fn start(program: &Path, arguments: &[&str], log: &Path) -> Running {
        let log = std::fs::File::create(log).expect("the log can be written");
        let errors = log.try_clone().expect("the log can be shared");
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn();
        Running(child.unwrap_or_else(|e| panic!("{} can't be started: {e}", program.display())))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port of this machine that nobody listens at.
///
/// # Panics
/// When there is none.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it has an address").port()
}

/// The body of what a server on this machine answers, if it does so with status 200.
pub fn get(port: u16, path: &str) -> Option<Vec<u8>> {
    get_as(port, path, "*/*")
}

/// The same in a form that the server is asked for.
pub fn get_as(port: u16, path: &str, accept: &str) -> Option<Vec<u8>> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    // HTTP 1.0: no chunks, and the connection ends with the answer.
    write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\nAccept: {accept}\r\n\r\n").ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n")?;
    let is_ok = answer.split(|b| *b == b' ').nth(1) == Some(b"200");
    is_ok.then(|| answer.split_off(end + 4))
}

/// What a server on this machine answers to a message, with its status. Each header ends with a line
/// break.
///
/// # Errors
/// When it doesn't take the message, or answers with something other than text.
pub fn post(port: u16, path: &str, headers: &str, body: &[u8]) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    let length = body.len();
    // HTTP 1.0, as above.
    let head = format!("POST {path} HTTP/1.0\r\n{headers}Content-Length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok((status.unwrap_or(0), body.to_owned()))
}

/// A text as a value in the query of an address, or of a form.
pub fn encoded(text: &str) -> String {
    let byte = |b: u8| match b {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(b).to_string(),
        _ => format!("%{b:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// Serves one text to whoever asks, as long as the process lives. Gives the port.
///
/// # Panics
/// When there is no free port.
pub fn serve(content_type: &'static str, body: Vec<u8>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = listener.local_addr().expect("it has an address").port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\
                 Connection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
        }
    });
    port
}

/// Tries until something is there.
///
/// # Panics
/// When it isn't there after a minute.
pub fn wait_for<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = attempt() {
            return found;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "waited a minute for {what}");
        std::thread::sleep(Duration::from_millis(200));
    }
}
