//! The HTTP API of this project, served as long as a test runs, and requests to it or to a real
//! server.

use std::fmt;
use std::io::{Read, Write};
use std::net::TcpStream;

use promql_server::Api;

/// Serves as long as the process lives. Gives the port.
///
/// # Panics
/// When nothing can be served.
pub fn serve(api: Api) -> u16 {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let port = listener.local_addr().expect("an address").port();
            sender.send(port).expect("somebody waits");
            promql_server::serve(listener, api, std::future::pending()).await.expect("it serves");
        });
    });
    receiver.recv().expect("a port")
}

/// Status and body of an answer.
///
/// # Panics
/// When there is none.
pub fn ask(port: u16, request: &Request) -> (u16, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("somebody listens");
    let (method, path, form) = match *request {
        Request::Get(path) => ("GET", path, ""),
        Request::Post(path, form) => ("POST", path, form),
    };
    let path: String = path.chars().map(escaped).collect();
    let form: String = form.chars().map(escaped).collect();
    let length = form.len();
    let head = format!(
        "{method} {path} HTTP/1.0\r\nHost: localhost\r\nContent-Length: {length}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n{form}"
    );
    stream.write_all(head.as_bytes()).expect("a request is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.expect("a status"), body.to_owned())
}

/// What must not stand in a URL.
fn escaped(c: char) -> String {
    match c {
        ' ' => "+".to_owned(),
        '"' | '{' | '}' | '[' | ']' | '+' | '<' | '>' | '|' | '^' | '\\' => {
            format!("%{:02X}", u32::from(c))
        }
        c if c.is_ascii() => c.to_string(),
        c => c.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect(),
    }
}

/// A request, with a path and parameters in plain text.
#[derive(Clone, Copy, Debug)]
pub enum Request {
    /// The path.
    Get(&'static str),
    /// The path, and a form.
    Post(&'static str, &'static str),
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Request::Get(path) => f.write_str(path),
            Request::Post(path, form) => write!(f, "{path} with {form}"),
        }
    }
}
