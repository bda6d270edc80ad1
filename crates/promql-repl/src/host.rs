//! What a session needs of the program around it.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use promql_engine::Cancellation;
use promql_ide::{Metadata, Names, Question};
use promql_model::{Labels, QueryResult, QueryValue};

/// Where series are, and how they are asked for.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Target {
    /// The name of the profile, if it is one.
    pub profile: Option<String>,
    /// The source as `--source` takes it.
    pub source: String,
    /// A file in Prometheus' HTTP client format.
    pub http: Option<String>,
    /// Headers for each request.
    pub headers: BTreeMap<String, String>,
    /// A command that prints a bearer token.
    pub token_command: Vec<String>,
    /// More sources that are one view with it.
    pub others: Vec<Target>,
}

impl Target {
    /// Whether another one is asked with the same headers and credentials.
    ///
    /// ```
    /// use promql_repl::Target;
    /// let open = Target { source: "http://a".into(), ..Target::default() };
    /// let closed = Target { http: Some("http.yml".into()), ..open.clone() };
    /// assert!(!open.is_asked_like(&closed));
    /// ```
    pub fn is_asked_like(&self, other: &Target) -> bool {
        (&self.http, &self.headers, &self.token_command)
            == (&other.http, &other.headers, &other.token_command)
    }
}

/// An expression and the times to evaluate it at, as they were written.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Request {
    /// The expression.
    pub expression: String,
    /// The evaluation time of an instant query.
    pub time: Option<String>,
    /// The range, if it is a range query.
    pub range: Option<Range>,
    /// How old samples may be.
    pub lookback: Option<String>,
}

/// The range of a query, as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Range {
    /// From so long ago, or from a time to a time.
    pub over: Over,
    /// The step.
    pub step: Option<String>,
}

/// Which times a range covers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Over {
    /// So long until now.
    Last(String),
    /// From one time to another; without an end to the latest there is.
    Between(String, Option<String>),
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What was asked.
    pub request: Request,
    /// The result, with what the engine remarks about it.
    pub result: QueryResult,
    /// Start, end and step in milliseconds, if it was a range query.
    pub range: Option<(i64, i64, i64)>,
    /// How long it took.
    pub took: Duration,
    /// Whether the order of the elements means something.
    pub ordered: bool,
    /// What the evaluation took, where it was done.
    pub cost: Cost,
}

impl Answer {
    /// What was asked, with the times that it was answered at.
    pub fn fixed(&self) -> Request {
        let seconds = |time: i64| {
            let sign = if time < 0 { "-" } else { "" };
            let size = time.unsigned_abs();
            format!("{sign}{}.{:03}", size / 1000, size % 1000)
        };
        let time = match &self.result.value {
            QueryValue::Vector(elements) => elements.first().map(|element| element.timestamp),
            QueryValue::Scalar { timestamp, .. } | QueryValue::String { timestamp, .. } => {
                Some(*timestamp)
            }
            QueryValue::Matrix(_) => None,
        };
        let mut request = self.request.clone();
        match self.range {
            Some((start, end, step)) => {
                let over = Over::Between(seconds(start), Some(seconds(end)));
                request.range = Some(Range { over, step: Some(format!("{step}ms")) });
            }
            None => request.time = time.map(seconds).or(request.time),
        }
        request
    }
}

/// What an evaluation took, as far as whoever did it says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// The evaluation, without waiting for its turn and without the way there and back.
    pub time: Option<Duration>,
    /// How long it waited for its turn.
    pub waited: Option<Duration>,
    /// The series that were read.
    pub series: Option<u64>,
    /// The samples that were read of them.
    pub samples_read: Option<u64>,
    /// The samples that the steps looked at, each as often as one looked.
    pub samples: Option<u64>,
    /// The most samples that were held at one time.
    pub peak_samples: Option<u64>,
    /// The most bytes that were held at one time.
    pub peak_bytes: Option<u64>,
}

/// Why something didn't work, ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What is said, with a line feed at its end.
    pub text: String,
    /// Whether somebody wanted it to end.
    pub cancelled: bool,
    /// Whether the input is to blame (2) rather than the query (1), as for exit codes.
    pub is_input: bool,
}

impl Failure {
    /// A failure that is told in a sentence.
    pub fn new(text: impl fmt::Display) -> Failure {
        Failure { text: format!("error: {text}\n"), cancelled: false, is_input: true }
    }
}

/// What a source answers to a [`Question`].
#[derive(Clone, Debug)]
pub enum Knowledge {
    /// The names of metrics, and what is said about their families.
    Metrics(Names, HashMap<String, Metadata>),
    /// What is said about one family or more.
    Metadata(HashMap<String, Metadata>),
    /// Labels, or values of one.
    Names(Names),
}

macro_rules! forms {
    ($($variant:ident $name:literal $about:literal,)*) => {
        /// How an answer is shown. The names are those of `promql query -o`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Form { $(#[doc = $about] $variant,)* }

        impl Form {
            /// All forms.
            pub const ALL: &[Form] = &[$(Form::$variant),*];

            /// The name.
            pub const fn name(self) -> &'static str {
                match self { $(Form::$variant => $name,)* }
            }

            /// What it is, in a few words.
            pub const fn about(self) -> &'static str {
                match self { $(Form::$variant => $about,)* }
            }
        }
    };
}

forms! {
    Table "table" "aligned columns, one for each label that differs",
    Vertical "vertical" "one label to a line",
    Graph "graph" "a graph, or a heat map of native histograms",
    Svg "svg" "the graph as an image",
    Json "json" "the answer of the HTTP API",
    Ndjson "ndjson" "one JSON object a line",
    Csv "csv" "comma-separated values",
    Md "md" "a Markdown table",
    Series "series" "the notation of tests",
    Test "test" "a `load` block of a test script",
    UnitTest "unit-test" "`input_series` of a promtool unit test",
    Om "om" "OpenMetrics text",
}

impl Form {
    /// The form of a name.
    pub fn named(name: &str) -> Option<Form> {
        match name {
            "heat" => Some(Form::Graph),
            "wide" => Some(Form::Table),
            "x" => Some(Form::Vertical),
            _ => Form::ALL.iter().copied().find(|form| form.name() == name),
        }
    }

    /// Whether it is made for people rather than for programs.
    pub const fn is_for_people(self) -> bool {
        matches!(self, Form::Table | Form::Vertical | Form::Graph | Form::Md)
    }
}

/// The program around a session.
pub trait Host: Send + Sync {
    /// The version, for the banner.
    fn version(&self) -> &str;

    /// Opens a source. A server is not asked anything yet.
    ///
    /// # Errors
    /// When there is no such source, or it can't be read.
    fn connect(&self, target: &Target) -> Result<Arc<dyn Connection>, Failure>;

    /// Writes an answer in a form; `columns` is the width that may be used, none for any.
    ///
    /// # Errors
    /// When the form can't hold it.
    fn show(&self, answer: &Answer, form: Form, look: Look) -> Result<String, Failure>;

    /// Shows times in another zone from now on, and reads them so: a name as `Europe/Berlin`, `UTC` or
    /// `local`. Without a name nothing is changed. Gives the name of the zone.
    ///
    /// # Errors
    /// When there is no such zone.
    fn zone(&self, name: Option<&str>) -> Result<String, Failure>;

    /// A number as people read it.
    fn number(&self, value: f64) -> String;

    /// A value of an expression as people read it.
    fn value(&self, value: f64, expression: &str, units: Units) -> String;

    /// A time in milliseconds since the epoch, as people read it.
    fn time(&self, milliseconds: i64) -> String;

    /// What the engine remarks about an answer, with the places in the expression.
    fn remarks(&self, answer: &Answer) -> String;

    /// What the linter finds in an expression, with the changes that it proposes.
    fn lint(&self, expression: &str) -> Reason;

    /// Runs another command of the program, whose output goes where that of the session goes. It asks as a
    /// target is asked, if one is given.
    ///
    /// # Errors
    /// When the arguments aren't understood, or the command fails.
    fn run(&self, arguments: &[String], target: Option<&Target>) -> Result<(), Failure>;

    /// A switch that the next Ctrl-C throws.
    fn cancellation(&self) -> Cancellation;

    /// Writes to standard output.
    fn print(&self, text: &str);

    /// Writes to standard error.
    fn remark(&self, text: &str);

    /// Puts a text into the clipboard of whoever sits at the terminal.
    ///
    /// # Errors
    /// When there is no terminal, it can't do that, or the text is too long for it.
    fn copy(&self, text: &str) -> Result<(), Failure>;

    /// Whether answers are shown on a terminal, and with which look.
    fn terminal(&self) -> Terminal;
}

/// What the terminal can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// Whether there is one, for both input and output.
    pub is_interactive: bool,
    /// Columns and lines.
    pub size: Option<(usize, usize)>,
    /// Whether colours are wanted.
    pub color: bool,
    /// Whether it shows characters beyond ASCII.
    pub unicode: bool,
}

/// In which unit values are shown to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Units {
    /// In none: as plain numbers.
    #[default]
    Off,
    /// In that which the expression says, if it says one.
    Auto,
    /// In this one.
    Of {
        /// One of [`Units::NAMES`].
        name: &'static str,
        /// Whether it is so much for each second.
        per_second: bool,
    },
}

impl Units {
    /// The units; each may have `/s` behind it.
    pub const NAMES: [&str; 17] = [
        "bytes",
        "bits",
        "seconds",
        "milliseconds",
        "microseconds",
        "nanoseconds",
        "time",
        "ratio",
        "percent",
        "number",
        "celsius",
        "volts",
        "amperes",
        "joules",
        "meters",
        "grams",
        "hertz",
    ];

    /// The units of a name: `auto`, `off`, or a unit as `bytes` and `bytes/s`.
    ///
    /// ```
    /// use promql_repl::Units;
    /// assert_eq!(Units::named("bytes/s"), Some(Units::Of { name: "bytes", per_second: true }));
    /// assert_eq!(Units::named("parsecs"), None);
    /// ```
    pub fn named(text: &str) -> Option<Units> {
        match text {
            "auto" | "on" => return Some(Units::Auto),
            "off" | "none" => return Some(Units::Off),
            _ => {}
        }
        let (text, per_second) = match text.strip_suffix("/s") {
            Some(text) => (text, true),
            None => (text, false),
        };
        let name = Units::NAMES.into_iter().find(|name| *name == text)?;
        Some(Units::Of { name, per_second })
    }

    /// What there is, for messages.
    pub fn all() -> String {
        format!("auto, off, {}, each also with /s", Units::NAMES.join(", "))
    }
}

/// As it is written.
impl fmt::Display for Units {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Units::Off => f.write_str("off"),
            Units::Auto => f.write_str("auto"),
            Units::Of { name, per_second } => {
                write!(f, "{name}{}", if *per_second { "/s" } else { "" })
            }
        }
    }
}

/// How an answer is to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Look {
    /// In which unit values are.
    pub units: Units,
    /// Rows of a table before its middle is left out; none for all.
    pub max_rows: Option<usize>,
    /// Whether the lines may be of any length.
    pub is_wide: bool,
    /// Whether it goes to a file.
    pub to_file: bool,
}

/// Why an answer is as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reason {
    /// What was found out, safe to show; may have several lines.
    pub text: String,
    /// What would change it, the best first.
    pub fixes: Vec<Fix>,
}

/// Another expression in place of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fix {
    /// What it does, in a few words.
    pub title: String,
    /// The whole expression with the change.
    pub expression: String,
}

/// A source that was opened.
pub trait Connection: Send + Sync {
    /// What it is called, without secrets.
    fn name(&self) -> String;

    /// Evaluates an expression.
    ///
    /// # Errors
    /// When there is no answer.
    fn ask(&self, request: &Request, cancellation: &Cancellation) -> Result<Answer, Failure>;

    /// Why an answer is empty, if that can be found out in a short time.
    fn why_empty(&self, request: &Request, cancellation: &Cancellation) -> Option<Reason>;

    /// What completion wants to know.
    ///
    /// # Errors
    /// In a sentence.
    fn know(&self, question: &Question, cancellation: &Cancellation) -> Result<Knowledge, String>;

    /// The rules that the source evaluates.
    ///
    /// # Errors
    /// In a sentence, also where a source has no rules.
    fn rules(&self, cancellation: &Cancellation) -> Result<Vec<Rule>, String>;

    /// The targets that the source scrapes.
    ///
    /// # Errors
    /// In a sentence, also where a source scrapes nothing.
    fn targets(&self, cancellation: &Cancellation) -> Result<Vec<ScrapeTarget>, String>;

    /// The exemplars of the series that an expression selects, of the range of a request, else of the hour
    /// before its time.
    ///
    /// # Errors
    /// In a sentence, also where a source keeps none.
    fn exemplars(
        &self,
        request: &Request,
        cancellation: &Cancellation,
    ) -> Result<Vec<Exemplar>, Failure>;

    /// The address of a page of the source that shows an expression at the time of a request, without
    /// secrets.
    ///
    /// # Errors
    /// In a sentence, also where a source has no pages.
    fn page(&self, request: &Request) -> Result<String, Failure>;

    /// The sources as `--source` takes them, for other commands.
    fn sources(&self) -> Vec<String>;
}

/// A rule that a source evaluates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// The group that it is in.
    pub group: String,
    /// The recorded metric, or the name of the alert.
    pub name: String,
    /// The expression.
    pub query: String,
    /// `firing`, `pending` or `inactive` of an alert, `recording` of a recording rule.
    pub state: String,
    /// Why the last evaluation failed; nothing if it didn't.
    pub error: String,
    /// What fires or is about to.
    pub alerts: Vec<Alert>,
}

/// An alert that fires or is about to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alert {
    /// `firing` or `pending`.
    pub state: String,
    /// Since when, in milliseconds since the epoch, if that is known.
    pub since: Option<i64>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

/// A target that a source scrapes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScrapeTarget {
    /// The job.
    pub job: String,
    /// The instance.
    pub instance: String,
    /// What is scraped.
    pub url: String,
    /// `up`, `down`, or `unknown` before the first scrape.
    pub health: String,
    /// When the last scrape began, in milliseconds since the epoch, if there was one.
    pub last_scrape: Option<i64>,
    /// How long it took.
    pub took: Duration,
    /// Why it failed; nothing if it didn't.
    pub error: String,
}

/// A sample of a series with a reference to what lies behind it, as a trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Exemplar {
    /// The series that it stands for.
    pub series: Labels,
    /// Its own labels, as `trace_id`.
    pub labels: BTreeMap<String, String>,
    /// The value.
    pub value: f64,
    /// When it was taken, in milliseconds since the epoch.
    pub timestamp: i64,
}
