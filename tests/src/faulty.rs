//! An HTTP server that does what a test tells it, right or wrong.
//!
//! The tests of `promql-storage` read this file, too.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use socket2::SockRef;

/// What the server does with a request.
pub enum Reply {
    /// Status, further header lines, body.
    Answer(u16, String, Vec<u8>),
    /// Sends this text as it is and closes the connection.
    Raw(Vec<u8>),
    /// Waits, then closes the connection.
    Silence(Duration),
    /// Sends an endless body.
    Flood,
    /// Sends a body byte by byte, with pauses.
    Drip(Vec<u8>, Duration),
    /// Sends this text as it is and breaks the connection, as a process does that is killed.
    Reset(Vec<u8>),
}

impl Reply {
    /// A JSON answer.
    pub fn json(status: u16, body: &str) -> Reply {
        let headers = "Content-Type: application/json\r\n".to_owned();
        Reply::Answer(status, headers, body.as_bytes().to_vec())
    }
}

/// A server on a port of the loopback interface. It lives as long as the process.
pub struct Server {
    /// `http://` and where it listens.
    pub address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Answers each request by its number and its text: head, empty line, body.
    ///
    /// # Panics
    /// When there is no free port.
    pub fn start(reply: impl Fn(usize, &str) -> Reply + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, reply) = (Arc::clone(&requests), Arc::new(reply));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, reply) = (Arc::clone(&seen), Arc::clone(&reply));
                thread::spawn(move || serve(stream, &seen, &*reply));
            }
        });
        Server { address, requests }
    }

    /// The requests that came so far.
    ///
    /// # Panics
    /// When a thread of the server did.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no panic").clone()
    }

    /// The port, so that output can be compared.
    ///
    /// # Panics
    /// Never: there is one.
    pub fn port(&self) -> &str {
        self.address.rsplit(':').next().expect("a port")
    }
}

fn serve(stream: TcpStream, seen: &Mutex<Vec<String>>, reply: &dyn Fn(usize, &str) -> Reply) {
    let mut writer = stream.try_clone().expect("a second handle");
    let mut reader = BufReader::new(stream);
    while let Some(request) = read_request(&mut reader) {
        let number = {
            let mut seen = seen.lock().expect("no panic");
            seen.push(request.clone());
            seen.len() - 1
        };
        // A client that is gone is what some tests are about.
        let written = match reply(number, &request) {
            Reply::Answer(status, headers, body) => {
                let head = format!(
                    "HTTP/1.1 {status} X\r\n{headers}Content-Length: {}\r\n\r\n",
                    body.len()
                );
                writer.write_all(head.as_bytes()).and_then(|()| writer.write_all(&body))
            }
            Reply::Raw(text) => {
                let _ = writer.write_all(&text);
                return;
            }
            Reply::Reset(text) => {
                let _ = writer.write_all(&text);
                // What was sent shall arrive before the end of the connection does.
                thread::sleep(Duration::from_millis(50));
                let _ = SockRef::from(&writer).set_linger(Some(Duration::ZERO));
                return;
            }
            Reply::Silence(pause) => {
                thread::sleep(pause);
                return;
            }
            Reply::Flood => {
                let _ =
                    writer.write_all(b"HTTP/1.1 200 X\r\n\r\n{\"status\":\"success\",\"data\":\"");
                while writer.write_all(&[b'x'; 65536]).is_ok() {}
                return;
            }
            Reply::Drip(body, pause) => {
                let _ = writer.write_all(b"HTTP/1.1 200 X\r\n\r\n");
                for byte in body {
                    thread::sleep(pause);
                    if writer.write_all(&[byte]).is_err() {
                        return;
                    }
                }
                return;
            }
        };
        if written.is_err() {
            return;
        }
    }
}

fn read_request(reader: &mut impl BufRead) -> Option<String> {
    let mut head = String::new();
    loop {
        let before = head.len();
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
        if head[before..].trim().is_empty() {
            break;
        }
    }
    let length = head
        .lines()
        .find_map(|line| {
            line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok()
        })
        .unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    // Each byte as the character of its number, so that none is lost.
    Some(head + &body.into_iter().map(char::from).collect::<String>())
}
