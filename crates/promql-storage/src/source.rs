//! One way to name a source of series: what it is, the text itself says.
//!
//! | text | source |
//! |---|---|
//! | `http://…`, `https://…` | a server with the API of Prometheus |
//! | `scrape+http://…`, `scrape+https://…` | an exporter, scraped once and then again and again |
//! | `FILE.test` | the `load` blocks of a test script; `FILE.test#2` those after the first `clear` |
//! | `FILE.yml`, `FILE.yaml` | the input series of a unit-test file; `FILE.yml#NAME` those of one test |
//! | `FILE.prom`, `FILE.txt` | exposition text, OpenMetrics if it ends in `# EOF` |
//! | `FILE.om` | OpenMetrics text |
//! | `FILE.pb` | an exposition in its protobuf form, which `.prom` and `.txt` may hold, too |
//! | `FILE.….gz`, `FILE.….zst` | any of these files, compressed |
//! | a folder | the data of a Prometheus server, a snapshot of it, or one block |
//! | `-` | standard input: whichever of the file formats it is, compressed or not |
//!
//! Samples of exposition text without a timestamp are given the time when the file was last
//! modified, or for standard input and exporters the present.

use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use miette::Diagnostic;
use promql_engine::{Cancellation, Storage};
use promql_model::Labels;

use crate::amount::Amount;
use crate::compressed::{plain, without_ending};
use crate::diagnostics::Problems;
use crate::exposition::{self, Exposition, Format, ProtobufError, ProtobufExposition, is_protobuf};
use crate::fixture::{self, Fixture};
use crate::remote::{RemoteError, RemoteOptions, RemoteServer, redacted};
use crate::scrape::{ScrapeOptions, Scraper};
use crate::tsdb::{TsdbError, TsdbStorage};
use crate::union::UnionOptions;

/// Where series are, as a user says it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// A server with the API of Prometheus, by its address.
    Server(String),
    /// An exporter, by the address of its metrics.
    Exporter(String),
    /// A file of the kind that its name says.
    File {
        /// Where it is.
        path: PathBuf,
        /// What it is.
        kind: FileKind,
        /// What was written behind `#`: the part of the file that is wanted.
        part: Option<String>,
    },
    /// A folder with the data of a Prometheus server.
    Folder(PathBuf),
    /// Standard input.
    StandardInput,
}

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A test script.
    Script,
    /// A unit-test file of promtool.
    UnitTest,
    /// Exposition text; without a format, the last line says which, and it may be the protobuf
    /// form.
    Exposition(Option<Format>),
    /// An exposition in its protobuf form.
    Protobuf,
}

/// File name extensions and what they mean.
const EXTENSIONS: [(&str, FileKind); 7] = [
    ("test", FileKind::Script),
    ("yml", FileKind::UnitTest),
    ("yaml", FileKind::UnitTest),
    ("prom", FileKind::Exposition(None)),
    ("txt", FileKind::Exposition(None)),
    ("om", FileKind::Exposition(Some(Format::OpenMetrics))),
    ("pb", FileKind::Protobuf),
];

/// What opening a source needs to know.
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    /// How servers and exporters are asked.
    pub remote: RemoteOptions,
    /// The time of samples of a file without a timestamp, in milliseconds since the epoch, instead
    /// of that of the file.
    pub scrape_time: Option<i64>,
    /// How much memory each folder may take to keep what queries decode, in bytes; see
    /// [`TsdbStorage::keeping_columns`].
    pub hot_columns: usize,
    /// Lets another thread end the scrape of an exporter.
    pub cancellation: Cancellation,
    /// How several sources are put together.
    pub union: UnionOptions,
    /// Lets another thread see how far the reading of a file came.
    pub amount: Arc<Amount>,
}

/// A source that can be asked.
#[derive(Debug)]
pub enum OpenSource {
    /// Series are here and queries are evaluated here.
    Local(LocalSource),
    /// A server, which evaluates queries itself.
    Remote(Box<RemoteServer>),
}

/// Series that are here.
pub struct LocalSource {
    /// The series.
    pub storage: Box<dyn Storage>,
    /// When an instant query makes sense that does not say a time: the time of the last sample,
    /// in milliseconds since the epoch. Nothing if there is no sample.
    pub default_time: Option<i64>,
    /// What is odd in what was read.
    pub warnings: Vec<SourceWarning>,
    /// What scrapes, if the series are those of an exporter. It stops when this and the storage are
    /// dropped.
    pub scraper: Option<Arc<Scraper>>,
}

/// Something odd about a source that can be read all the same: a
/// [`Problem`](crate::Problem) of a text, or a [`TsdbWarning`](crate::tsdb::TsdbWarning).
pub type SourceWarning = Box<dyn Diagnostic + Send + Sync>;

impl fmt::Debug for LocalSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalSource").field("default_time", &self.default_time).finish()
    }
}

/// Why a source cannot be had.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[non_exhaustive]
pub enum SourceError {
    /// The text is empty.
    #[error("a source has no name")]
    #[diagnostic(code("source::empty"), help("{KINDS}"))]
    Empty,
    /// What stands in braces before a source is no set of labels.
    #[error("`{shown}` before a source is no set of labels: {reason}")]
    #[diagnostic(
        code("source::labels"),
        help("write labels as in a query, `{{cluster=\"eu\", replica=\"a\"}}http://…`")
    )]
    Labels {
        /// The text.
        shown: String,
        /// What is wrong with it.
        reason: String,
    },
    /// What stands behind the address of an exporter says nothing about scraping.
    #[error("`{shown}#…` does not say how to scrape: {reason}")]
    #[diagnostic(
        code("source::scraping"),
        help("write `#interval=5s,window=30m,job=node` behind the address, or nothing")
    )]
    Scraping {
        /// The address.
        shown: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An address of another kind.
    #[error("`{shown}` is no address that can be asked")]
    #[diagnostic(
        code("source::scheme"),
        help("servers are `http://…` or `https://…`, exporters `scrape+http://…`")
    )]
    Scheme {
        /// The text without secrets.
        shown: String,
    },
    /// Neither a file nor a profile.
    #[error("`{shown}` is neither a file nor a profile")]
    #[diagnostic(code("source::profile"))]
    Profile {
        /// The text.
        shown: String,
        /// What to do.
        #[help]
        help: String,
    },
    /// A file whose name says nothing about what it is.
    #[error("`{shown}` does not say what kind of file it is")]
    #[diagnostic(code("source::kind"), help("{KINDS}"))]
    Kind {
        /// The path.
        shown: String,
    },
    /// There is no such file.
    #[error("there is no file `{shown}`")]
    #[diagnostic(code("source::not-found"), help("the path counts from the current folder"))]
    NotFound {
        /// The path.
        shown: String,
    },
    /// A file cannot be read.
    #[error("cannot read `{shown}`: {reason}")]
    #[diagnostic(code("source::unreadable"))]
    Unreadable {
        /// The path, or `standard input`.
        shown: String,
        /// The system's words.
        reason: String,
    },
    /// A part of a file that has no parts, or one that is no number.
    #[error("`#{part}` names no part of `{shown}`")]
    #[diagnostic(
        code("source::part"),
        help("test scripts have sections, `#1`, `#2`, and unit-test files tests, `#NAME`")
    )]
    Part {
        /// The path.
        shown: String,
        /// The part.
        part: String,
    },
    /// What is wrong inside the file.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Content(#[from] Problems),
    /// What is wrong with an exposition in its protobuf form.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Protobuf(#[from] ProtobufError),
    /// What is wrong with the data of a server.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Tsdb(#[from] TsdbError),
    /// What went wrong with a server.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Remote(#[from] RemoteError),
}

/// How much of a file is read at once, in bytes.
const PORTION: u64 = 4 << 20;

/// What can be a source, for help.
const KINDS: &str = "a source is the address of a server (`http://HOST:9090`), of an exporter \
    (`scrape+http://HOST:9100/metrics`), a file (`.test`, `.yml`, `.prom`, `.om`, `.txt`, `.pb`, \
    or one of them with `.gz` or `.zst` behind it), the data folder of a server, or `-` for \
    standard input";

impl Source {
    /// Understands the name of a source. Looks at the file system to tell files from folders, and
    /// at nothing else.
    ///
    /// ```
    /// use promql_storage::{FileKind, Source};
    /// assert_eq!(
    ///     Source::parse("http://localhost:9090")?,
    ///     Source::Server("http://localhost:9090".to_owned())
    /// );
    /// let Source::File { kind, part, .. } = Source::parse("tests/api.yml#all up")? else { panic!() };
    /// assert_eq!((kind, part.as_deref()), (FileKind::UnitTest, Some("all up")));
    /// # Ok::<(), promql_storage::SourceError>(())
    /// ```
    ///
    /// # Errors
    /// The text names no source that there can be.
    pub fn parse(text: &str) -> Result<Source, SourceError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(SourceError::Empty);
        }
        if text == "-" {
            return Ok(Source::StandardInput);
        }
        let has_scheme = |text: &str| {
            let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
            matches!(scheme.as_deref(), Some("http" | "https"))
        };
        if has_scheme(text) {
            return Ok(Source::Server(text.to_owned()));
        }
        if let Some(address) = text.strip_prefix("scrape+").filter(|address| has_scheme(address)) {
            return Ok(Source::Exporter(address.to_owned()));
        }
        if text.contains("://") {
            return Err(SourceError::Scheme { shown: redacted(text) });
        }
        let path = Path::new(text);
        if path.is_dir() {
            return Ok(Source::Folder(path.to_owned()));
        }
        let (file, part) = match text.rsplit_once('#') {
            Some((file, part)) if !path.exists() => (file, Some(part.to_owned())),
            _ => (text, None),
        };
        let path = PathBuf::from(file);
        let extension =
            Path::new(without_ending(file)).extension().and_then(|extension| extension.to_str());
        let extension = extension.unwrap_or_default().to_ascii_lowercase();
        match EXTENSIONS.iter().find(|(known, _)| *known == extension) {
            Some((_, kind)) => Ok(Source::File { path, kind: *kind, part }),
            None if path.exists() => Err(SourceError::Kind { shown: file.to_owned() }),
            None => Err(not_there(text)),
        }
    }

    /// Reads a file, or makes a handle for a server, to which nothing is sent yet.
    ///
    /// # Errors
    /// What keeps the source from being read; see [`SourceError`].
    pub fn open(&self, options: &OpenOptions) -> Result<OpenSource, SourceError> {
        let local = match self {
            Source::Server(address) => {
                let server = RemoteServer::new(address, options.remote.clone())?;
                return Ok(OpenSource::Remote(Box::new(server)));
            }
            Source::Folder(path) => {
                let (storage, warnings) = TsdbStorage::open(path)?;
                LocalSource {
                    default_time: storage.last_time()?,
                    storage: Box::new(storage.keeping_columns(options.hot_columns)),
                    warnings: boxed(warnings),
                    scraper: None,
                }
            }
            Source::Exporter(address) => {
                let (address, said) = address.split_once('#').unwrap_or((address, ""));
                let scrape = ScrapeOptions::parse(said).map_err(|reason| {
                    SourceError::Scraping { shown: format!("scrape+{}", redacted(address)), reason }
                })?;
                let remote = options.remote.clone();
                let scraper = Scraper::start(address, remote, scrape, &options.cancellation)?;
                let scraper = Arc::new(scraper);
                LocalSource {
                    default_time: scraper.last_scrape(),
                    storage: Box::new(Arc::clone(&scraper)),
                    warnings: Vec::new(),
                    scraper: Some(scraper),
                }
            }
            Source::File { path, kind, part } => {
                let name = path.display().to_string();
                let (text, modified) = read_file(path, &options.amount)?;
                let time = options.scrape_time.unwrap_or(modified);
                read(&name, &text, *kind, part.as_deref(), time, &options.amount)?
            }
            Source::StandardInput => {
                let name = "standard input";
                options.amount.begin(0);
                let text = read_all(&mut io::stdin().lock(), &options.amount);
                let text = text.and_then(plain).map_err(|error| SourceError::Unreadable {
                    shown: name.to_owned(),
                    reason: error.to_string(),
                })?;
                let time = options.scrape_time.unwrap_or_else(|| milliseconds(SystemTime::now()));
                read(name, &text, FileKind::detect(&text), None, time, &options.amount)?
            }
        };
        Ok(OpenSource::Local(local))
    }
}

/// A source, with labels that its series get unless they have them: `{cluster="eu"}http://…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelledSource {
    /// The labels; often none.
    pub labels: Labels,
    /// The source.
    pub source: Source,
}

impl LabelledSource {
    /// Understands the name of a source with labels in braces before it, or without.
    ///
    /// ```
    /// use promql_storage::LabelledSource;
    /// let named = LabelledSource::parse(r#"{replica="a"}http://prometheus-a:9090"#)?;
    /// assert_eq!(named.labels.get("replica"), Some("a"));
    /// assert_eq!(named.source.to_string(), "http://prometheus-a:9090");
    /// # Ok::<(), promql_storage::SourceError>(())
    /// ```
    ///
    /// # Errors
    /// The labels are none, or the text names no source that there can be.
    pub fn parse(text: &str) -> Result<LabelledSource, SourceError> {
        let text = text.trim();
        if !text.starts_with('{') || Path::new(text).exists() {
            return Ok(LabelledSource { labels: Labels::empty(), source: Source::parse(text)? });
        }
        // A value may hold a brace, so each is tried.
        let mut reason = "it has no end".to_owned();
        for (end, _) in text.match_indices('}') {
            match promql_syntax::parse_metric(&text[..=end]) {
                Ok(labels) => {
                    let source = Source::parse(&text[end + 1..])?;
                    return Ok(LabelledSource { labels, source });
                }
                Err(errors) => reason = errors.to_string(),
            }
        }
        let shown = text.find('}').map_or(text, |end| &text[..=end]).to_owned();
        Err(SourceError::Labels { shown, reason })
    }
}

/// Shown without secrets, as everything that may be logged.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Server(address) => f.write_str(&redacted(address)),
            Source::Exporter(address) => write!(f, "scrape+{}", redacted(address)),
            Source::File { path, part: None, .. } => write!(f, "{}", path.display()),
            Source::File { path, part: Some(part), .. } => write!(f, "{}#{part}", path.display()),
            Source::Folder(path) => write!(f, "{}", path.display()),
            Source::StandardInput => f.write_str("-"),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({self})")
    }
}

impl FileKind {
    /// What a text is, by its first line that is neither empty nor a comment. A script that does
    /// not begin with `load` and a step is taken for exposition text.
    fn detect(text: &[u8]) -> FileKind {
        let first = text
            .split(|byte| *byte == b'\n')
            .map(<[u8]>::trim_ascii)
            .find(|line| !line.is_empty() && !line.starts_with(b"#"))
            .and_then(|line| std::str::from_utf8(line).ok())
            .unwrap_or_default();
        let mut words = first.split_whitespace();
        let command = matches!(words.next(), Some("load" | "load_with_nhcb"));
        let step = words.next().is_some_and(|step| promql_model::parse_duration(step).is_ok());
        let keys = ["tests:", "rule_files:", "evaluation_interval:", "group_eval_order:"];
        if command && step && words.next().is_none() {
            FileKind::Script
        } else if keys.iter().any(|key| first.starts_with(key)) {
            FileKind::UnitTest
        } else {
            FileKind::Exposition(None)
        }
    }
}

impl From<Exposition> for LocalSource {
    fn from(exposition: Exposition) -> Self {
        let default_time = exposition.storage.time_range().map(|range| range.end);
        let warnings = boxed(exposition.warnings);
        LocalSource { storage: Box::new(exposition.storage), default_time, warnings, scraper: None }
    }
}

impl From<ProtobufExposition> for LocalSource {
    fn from(exposition: ProtobufExposition) -> Self {
        let default_time = exposition.storage.time_range().map(|range| range.end);
        let warnings = boxed(exposition.warnings);
        LocalSource { storage: Box::new(exposition.storage), default_time, warnings, scraper: None }
    }
}

impl From<Fixture> for LocalSource {
    fn from(fixture: Fixture) -> Self {
        let default_time = fixture.storage.time_range().map(|range| range.end);
        let warnings = boxed(fixture.warnings);
        LocalSource { storage: Box::new(fixture.storage), default_time, warnings, scraper: None }
    }
}

fn boxed<D: Diagnostic + Send + Sync + 'static>(warnings: Vec<D>) -> Vec<SourceWarning> {
    warnings.into_iter().map(|warning| Box::new(warning) as SourceWarning).collect()
}

fn read(
    name: &str,
    text: &[u8],
    kind: FileKind,
    part: Option<&str>,
    time: i64,
    amount: &Amount,
) -> Result<LocalSource, SourceError> {
    let no_part =
        || SourceError::Part { shown: name.to_owned(), part: part.unwrap_or_default().to_owned() };
    match kind {
        FileKind::Script => {
            let section = part.map(|part| part.parse().map_err(|_| no_part())).transpose()?;
            Ok(fixture::read_script(name, text, section)?.into())
        }
        FileKind::UnitTest => Ok(fixture::read_unit_test(name, text, part)?.into()),
        FileKind::Exposition(_) | FileKind::Protobuf if part.is_some() => Err(no_part()),
        FileKind::Protobuf => Ok(exposition::read_protobuf(name, text, time)?.into()),
        FileKind::Exposition(None) if is_protobuf(text) => {
            Ok(exposition::read_protobuf(name, text, time)?.into())
        }
        FileKind::Exposition(format) => {
            let format = format.unwrap_or_else(|| Format::detect(text));
            Ok(exposition::read_counting(name, text, format, time, amount)?.into())
        }
    }
}

/// The bytes of a file, decompressed, and when it was modified.
fn read_file(path: &Path, amount: &Amount) -> Result<(Vec<u8>, i64), SourceError> {
    let shown = path.display().to_string();
    let read = || -> io::Result<(Vec<u8>, i64)> {
        let mut file = std::fs::File::open(path)?;
        let metadata = file.metadata()?;
        let modified = metadata.modified().unwrap_or_else(|_| SystemTime::now());
        amount.begin(metadata.len());
        let text = plain(read_all(&mut file, amount)?)?;
        Ok((text, milliseconds(modified)))
    };
    read().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => SourceError::NotFound { shown },
        _ => SourceError::Unreadable { shown, reason: error.to_string() },
    })
}

/// Everything that can be read, and meanwhile how much it is.
fn read_all(reader: &mut impl Read, amount: &Amount) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while reader.take(PORTION).read_to_end(&mut bytes)? > 0 {
        amount.reach(bytes.len() as u64);
    }
    Ok(bytes)
}

fn milliseconds(time: SystemTime) -> i64 {
    let whole = |span: std::time::Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => whole(after),
        Err(before) => -whole(before.duration()),
    }
}

/// A text that names no file: with what the user may have meant.
fn not_there(text: &str) -> SourceError {
    let shown = redacted(text);
    let port = text.rsplit_once(':').map(|(_, port)| port.split('/').next().unwrap_or_default());
    let is_address = port
        .is_some_and(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
        || text.starts_with("localhost");
    let help = if is_address {
        format!("an address begins with `http://` or `https://`: `http://{shown}`")
    } else if text.contains(['/', '\\']) {
        format!("no file or folder is there; {KINDS}")
    } else {
        format!("profiles come from the configuration file, which has none of this name; {KINDS}")
    };
    SourceError::Profile { shown, help }
}
