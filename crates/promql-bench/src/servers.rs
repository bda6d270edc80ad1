//! The servers that are compared, each started on the same data.

use std::ffi::OsStr;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::blocks::{self, Folder};
use crate::data::Size;
use crate::error::Error;
use crate::http::Connection;
use crate::programs::Running;
use crate::queries::Query;

/// Where the programs are.
#[derive(Debug)]
pub(crate) struct Programs {
    pub(crate) prometheus: PathBuf,
    pub(crate) victoria: PathBuf,
    pub(crate) promql: PathBuf,
}

/// Who takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    Prometheus,
    Victoria,
    /// `promql serve`, which decodes chunks for each query.
    Cold,
    /// `promql serve`, which keeps columns that it decoded.
    Hot,
}

impl Subject {
    /// All of them, in the order in which they take turns.
    pub(crate) const ALL: [Subject; 4] =
        [Subject::Prometheus, Subject::Victoria, Subject::Cold, Subject::Hot];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Subject::Prometheus => "Prometheus",
            Subject::Victoria => "VictoriaMetrics",
            Subject::Cold => "promql, cold",
            Subject::Hot => "promql, hot",
        }
    }
}

/// A server that runs.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) subject: Subject,
    /// From its start until it answered.
    pub(crate) start: Duration,
    running: Running,
    connection: Connection,
}

/// What is shown to Prometheus of its own flags: nothing is deleted or put together meanwhile.
const PROMETHEUS: [&str; 4] = [
    "--storage.tsdb.retention.time=100y",
    "--storage.tsdb.min-block-duration=2h",
    "--storage.tsdb.max-block-duration=2h",
    "--log.level=warn",
];

impl Server {
    /// Starts a server at a port of this machine and waits until it answers.
    pub(crate) fn start(
        subject: Subject,
        programs: &Programs,
        folder: &Folder,
        size: Size,
        port: u16,
    ) -> Result<Server, Error> {
        let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
        let mut arguments: Vec<Box<dyn AsRef<OsStr>>> = Vec::new();
        let (program, ready) = match subject {
            Subject::Prometheus => {
                let data = folder.for_prometheus()?;
                let config = data.join("nothing-to-scrape.yml");
                std::fs::write(&config, "").map_err(Error::file("write", &config))?;
                arguments.push(Box::new(format!("--config.file={}", config.display())));
                arguments.push(Box::new(format!("--storage.tsdb.path={}", data.display())));
                arguments.push(Box::new(format!("--web.listen-address={address}")));
                PROMETHEUS.iter().for_each(|flag| arguments.push(Box::new(*flag)));
                (&programs.prometheus, "/-/ready")
            }
            Subject::Victoria => {
                let data = folder.for_victoria()?;
                arguments.push(Box::new(format!("-storageDataPath={}", data.display())));
                arguments.push(Box::new(format!("-httpListenAddr={address}")));
                arguments.push(Box::new("-retentionPeriod=100y"));
                arguments.push(Box::new("-loggerLevel=WARN"));
                (&programs.victoria, "/health")
            }
            Subject::Cold | Subject::Hot => {
                let listen = address.to_string();
                let hot = if subject == Subject::Hot { "64MiB" } else { "0" };
                let fixed = ["serve", "--hot-columns", hot, "--listen", &listen, "-s"];
                fixed.iter().for_each(|argument| arguments.push(Box::new((*argument).to_owned())));
                arguments.push(Box::new(folder.blocks()));
                (&programs.promql, "/-/ready")
            }
        };
        let arguments: Vec<&dyn AsRef<OsStr>> = arguments.iter().map(|a| &**a).collect();
        let started = Instant::now();
        let mut running = Running::start(program, &arguments)?;
        let start = running.until_ready(address, ready, started)?;
        let connection = Connection::new(address);
        let mut server = Server { subject, start, running, connection };
        if subject == Subject::Victoria {
            server.import(folder, size)?;
        }
        Ok(server)
    }

    /// Gives VictoriaMetrics the data, if it does not have them yet.
    fn import(&mut self, folder: &Folder, size: Size) -> Result<(), Error> {
        if folder.victoria_done().is_file() {
            return Ok(());
        }
        let path = "/api/v1/import/prometheus";
        let what = "giving the data to VictoriaMetrics";
        let sent = self.connection.send(path, &mut |out| blocks::write_text(size, out, what));
        match sent {
            Ok(answer) if answer.status < 300 => {}
            Ok(answer) => {
                let (status, body) = (answer.status, start_of(answer.body));
                return Err(self.refused(path, status, body));
            }
            Err(error) => return Err(self.no_http(path, error)),
        }
        // What came in is seen by queries only after a while, unless it is asked for.
        for path in ["/internal/force_flush", "/internal/force_merge"] {
            let got = self.connection.get(path).map(|answer| answer.status);
            match got {
                Ok(200) => {}
                Ok(status) => return Err(self.refused(path, status, String::new())),
                Err(error) => return Err(self.no_http(path, error)),
            }
        }
        let done = folder.victoria_done();
        std::fs::write(&done, "").map_err(Error::file("write", &done))
    }

    /// Asks a query and waits for the whole answer. Gives how long that took.
    pub(crate) fn ask(&mut self, query: Query, size: Size) -> Result<(Duration, Vec<u8>), Error> {
        crate::programs::check()?;
        let (start, end, step) = query.span.times(size);
        let seconds = |ms: i64| format!("{}.{:03}", ms / 1000, ms % 1000);
        let (start, end, step) = (seconds(start), seconds(end), seconds(step));
        // VictoriaMetrics would give the answer that it gave before.
        let (path, mut form) = match query.span {
            crate::queries::Span::Instant => ("/api/v1/query", vec![("time", &*end)]),
            _ => {
                ("/api/v1/query_range", vec![("start", &*start), ("end", &*end), ("step", &*step)])
            }
        };
        form.push(("query", query.text));
        if self.subject == Subject::Victoria {
            form.push(("nocache", "1"));
        }
        let before = Instant::now();
        let answered = self.connection.post(path, &form);
        let took = before.elapsed();
        match answered {
            Ok(answer) if answer.status == 200 => Ok((took, answer.body.to_vec())),
            Ok(answer) => {
                let (status, body) = (answer.status, start_of(answer.body));
                Err(self.refused(query.text, status, body))
            }
            Err(error) => Err(self.no_http(query.text, error)),
        }
    }

    /// The most memory that it ever had resident, in bytes.
    pub(crate) fn peak_memory(&self) -> Option<u64> {
        self.running.peak_memory()
    }

    fn refused(&self, request: &str, status: u16, body: String) -> Error {
        let (server, request) = (self.subject.name().to_owned(), request.to_owned());
        Error::Refused { server, request, status, body }
    }

    /// What to say when there is no answer: that somebody asked for an end, that the server ended,
    /// or what the connection says.
    fn no_http(&mut self, request: &str, error: std::io::Error) -> Error {
        if let Err(end) = crate::programs::check().and_then(|()| self.running.check()) {
            return end;
        }
        let (server, request) = (self.subject.name().to_owned(), request.to_owned());
        Error::Http { server, request, error }
    }
}

fn start_of(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(300)]).trim().to_owned()
}
