//! As much of HTTP as a benchmark needs: one connection that is kept, requests of forms, answers
//! with a length or in chunks. A client of a library would add times of its own to what is measured.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(120);

/// A connection to a server.
#[derive(Debug)]
pub(crate) struct Connection {
    address: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
    /// The body of the last answer.
    body: Vec<u8>,
}

/// The status of an answer, and its body.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
}

impl Connection {
    pub(crate) fn new(address: SocketAddr) -> Connection {
        Connection { address, stream: None, body: Vec::new() }
    }

    /// Sends a form and waits for the whole answer. A connection that the server closed meanwhile
    /// is opened again.
    pub(crate) fn post(&mut self, path: &str, form: &[(&str, &str)]) -> io::Result<Answer<'_>> {
        let content = encode(form);
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\n\r\n",
            self.address,
            content.len()
        );
        let request = [head.as_bytes(), content.as_bytes()].concat();
        let kept = self.stream.is_some();
        let status = match self.exchange(&request) {
            Err(error) if kept && is_closed(&error) => self.exchange(&request)?,
            other => other?,
        };
        Ok(Answer { status, body: &self.body })
    }

    /// Asks for a path.
    pub(crate) fn get(&mut self, path: &str) -> io::Result<Answer<'_>> {
        let head = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.address);
        let status = self.exchange(head.as_bytes())?;
        Ok(Answer { status, body: &self.body })
    }

    /// Sends a body of unknown length that `write` writes, in chunks.
    pub(crate) fn send(
        &mut self,
        path: &str,
        write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<Answer<'_>> {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nTransfer-Encoding: chunked\r\n\r\n",
            self.address
        );
        self.stream = None;
        let stream = self.open()?;
        stream.get_mut().write_all(head.as_bytes())?;
        let mut chunks = io::BufWriter::with_capacity(1 << 16, Chunks(stream.get_mut()));
        write(&mut chunks)?;
        chunks.flush()?;
        drop(chunks);
        stream.get_mut().write_all(b"0\r\n\r\n")?;
        let status = self.receive()?;
        Ok(Answer { status, body: &self.body })
    }

    fn open(&mut self) -> io::Result<&mut BufReader<TcpStream>> {
        let stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect_timeout(&self.address, Duration::from_secs(5))?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(TIMEOUT))?;
                stream.set_write_timeout(Some(TIMEOUT))?;
                BufReader::with_capacity(1 << 16, stream)
            }
        };
        Ok(self.stream.insert(stream))
    }

    fn exchange(&mut self, request: &[u8]) -> io::Result<u16> {
        let received = match self.open().and_then(|stream| stream.get_mut().write_all(request)) {
            Ok(()) => self.receive(),
            Err(error) => Err(error),
        };
        if received.is_err() {
            self.stream = None;
        }
        received
    }

    fn receive(&mut self) -> io::Result<u16> {
        let Some(stream) = &mut self.stream else { return Err(io::ErrorKind::NotConnected.into()) };
        let body = &mut self.body;
        body.clear();
        let first = line(stream)?;
        let status = first.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| invalid(format!("no status in `{first}`")))?;
        let (mut length, mut chunked, mut close) = (None, false, false);
        loop {
            let field = line(stream)?;
            if field.is_empty() {
                break;
            }
            let Some((name, value)) = field.split_once(':') else { continue };
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse::<u64>().ok(),
                "transfer-encoding" => chunked = value.eq_ignore_ascii_case("chunked"),
                "connection" => close = value.eq_ignore_ascii_case("close"),
                _ => {}
            }
        }
        if chunked {
            loop {
                let size = line(stream)?;
                let digits = size.split(';').next().unwrap_or_default().trim();
                let size = u64::from_str_radix(digits, 16)
                    .map_err(|_| invalid(format!("`{size}` is no size of a chunk")))?;
                exactly(stream, size, body)?;
                line(stream)?;
                if size == 0 {
                    break;
                }
            }
        } else if let Some(length) = length {
            exactly(stream, length, body)?;
        } else if status != 204 {
            close = true;
            stream.read_to_end(body)?;
        }
        if close {
            self.stream = None;
        }
        Ok(status)
    }
}

fn exactly(stream: &mut impl Read, length: u64, body: &mut Vec<u8>) -> io::Result<()> {
    match stream.take(length).read_to_end(body)? as u64 == length {
        true => Ok(()),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// A line without its end.
fn line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    line.truncate(line.trim_end().len());
    Ok(line)
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

/// Whether an error tells that a kept connection is no more.
fn is_closed(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}

/// Each write is a chunk.
struct Chunks<'a>(&'a mut TcpStream);

impl Write for Chunks<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !bytes.is_empty() {
            write!(self.0, "{:x}\r\n", bytes.len())?;
            self.0.write_all(bytes)?;
            self.0.write_all(b"\r\n")?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A form as it is sent.
fn encode(form: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (at, (name, value)) in form.iter().enumerate() {
        if at > 0 {
            out.push('&');
        }
        out.push_str(name);
        out.push('=');
        for byte in value.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    out.push(char::from(byte));
                }
                _ => out.push_str(&format!("%{byte:02X}")),
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    /// What a client makes of an answer.
    fn received(answer: &'static str) -> Result<(u16, String), io::ErrorKind> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a client");
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).expect("a request");
            stream.write_all(answer.as_bytes()).expect("a client that listens");
        });
        let mut connection = Connection::new(address);
        let shown = match connection.get("/") {
            Ok(answer) => Ok((answer.status, String::from_utf8_lossy(answer.body).into_owned())),
            Err(error) => Err(error.kind()),
        };
        server.join().expect("a server that ends");
        shown
    }

    #[test]
    fn answers() {
        let ok = |text: &str| Ok((200, text.to_owned()));
        assert_eq!(received("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"), ok("abc"));
        assert_eq!(
            received(
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n"
            ),
            ok("abcd")
        );
        assert_eq!(
            received("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end"),
            ok("to the end")
        );
        assert_eq!(
            received("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"),
            Ok((503, String::new()))
        );
        assert_eq!(
            received("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"),
            Err(io::ErrorKind::UnexpectedEof)
        );
        assert_eq!(received("nonsense\r\n\r\n"), Err(io::ErrorKind::InvalidData));
    }

    #[test]
    fn forms() {
        assert_eq!(
            encode(&[("query", "a{b=\"ü\"}"), ("step", "1.5")]),
            "query=a%7Bb%3D%22%C3%BC%22%7D&step=1.5"
        );
    }
}
