//! What a server can be asked, and what it answers.

use std::collections::BTreeMap;

use promql_rules::ServerConfig;
use promql_rules::yaml::{Spanned, Text};
use serde::{Deserialize, Serialize};

/// How often targets are scraped and groups evaluated if nothing is said, in milliseconds.
pub(super) const DEFAULT_INTERVAL: i64 = 60_000;

/// Whoever has series and answers questions about them.
///
/// It is asked from several threads, each question once at most. Times are relative to the present of the
/// server, so that an answer can be kept for a while.
pub trait Server: Sync {
    /// Answers a question.
    ///
    /// # Errors
    /// Why there is no answer.
    fn ask(&self, question: &Question) -> Result<Reply, Refusal>;
}

/// A question to a server. Durations are in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Question {
    /// What an expression gives at present; it gives few elements.
    Elements {
        /// The expression.
        expr: String,
    },
    /// When an expression gave elements.
    Courses {
        /// The expression.
        expr: String,
        /// How far back.
        range: i64,
        /// How much time lies between two evaluations.
        step: i64,
    },
    /// Whether there was a series.
    Exists {
        /// Which.
        selector: String,
        /// How far back.
        range: i64,
    },
    /// The names of the labels of series.
    LabelNames {
        /// Of which.
        selector: String,
        /// How far back.
        range: i64,
    },
    /// What targets say a metric is: `counter`, `gauge` and so on, each once.
    Kinds {
        /// The metric.
        metric: String,
    },
    /// What the server says about itself.
    About,
    /// The rules that the server evaluates.
    Rules,
}

impl Question {
    /// What part of the server answers.
    pub fn endpoint(&self) -> &'static str {
        match self {
            Question::Elements { .. } => "query",
            Question::Courses { .. } => "query_range",
            Question::Exists { .. } => "series",
            Question::LabelNames { .. } => "labels",
            Question::Kinds { .. } => "metadata",
            Question::About => "status",
            Question::Rules => "rules",
        }
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Reply {
    /// To [`Question::Elements`].
    Elements {
        /// The elements.
        elements: Vec<Element>,
        /// What the server remarks.
        remarks: Vec<Remark>,
    },
    /// To [`Question::Courses`].
    Courses {
        /// The times of all evaluations, in milliseconds since the epoch: the first, the last, what lies
        /// between two.
        times: (i64, i64, i64),
        /// The labels of each element, and when it was there.
        courses: Vec<(BTreeMap<String, String>, Vec<i64>)>,
    },
    /// To [`Question::Exists`].
    Exists(bool),
    /// To [`Question::LabelNames`] and [`Question::Kinds`].
    Names(Vec<String>),
    /// To [`Question::About`].
    About(Box<About>),
    /// To [`Question::Rules`].
    Rules(Vec<RunningRule>),
}

/// An element of a result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Element {
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its value, if it is a finite number.
    pub value: Option<f64>,
}

/// A remark about a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// Whether the result may be wrong, rather than other than intended.
    pub is_warning: bool,
    /// What.
    pub message: String,
    /// The part of the expression that it is about, in bytes.
    pub span: Option<(u32, u32)>,
}

/// What a server says about itself, as far as it says it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The present, in milliseconds since the epoch.
    pub now: Option<i64>,
    /// Its version.
    pub version: Option<String>,
    /// The features that are switched on.
    pub features: Option<Vec<String>>,
    /// How long it keeps samples, in milliseconds; `i64::MAX` if for ever, or if it reads older ones
    /// elsewhere.
    pub retention: Option<i64>,
    /// The labels that tell it from other servers.
    pub external_labels: Option<BTreeMap<String, String>>,
    /// How often it evaluates groups that don't say it, in milliseconds.
    pub evaluation_interval: Option<i64>,
    /// How often it scrapes each job, in milliseconds.
    pub scrape_intervals: Option<BTreeMap<String, i64>>,
    /// What it doesn't tell: endpoints that it lacks.
    pub lacks: Vec<String>,
}

impl About {
    /// What a `prometheus.yml` says about its server.
    pub fn of_config(config: &ServerConfig) -> About {
        let milliseconds = |nanoseconds: i64| nanoseconds / 1_000_000;
        let given = |interval: Option<Spanned<i64>>| {
            interval.map(|interval| milliseconds(interval.value)).filter(|value| *value > 0)
        };
        let default = given(config.scrape_interval).unwrap_or(DEFAULT_INTERVAL);
        let pair = |(name, value): &(Text, Text)| (name.value.clone(), value.value.clone());
        let jobs = config.jobs.iter();
        let of_jobs =
            jobs.map(|job| (job.name.value.clone(), given(job.scrape_interval).unwrap_or(default)));
        About {
            retention: config.has_remote_read.then_some(i64::MAX),
            external_labels: Some(config.external_labels.iter().map(pair).collect()),
            evaluation_interval: Some(
                given(config.evaluation_interval).unwrap_or(DEFAULT_INTERVAL),
            ),
            scrape_intervals: Some(of_jobs.collect()),
            ..About::default()
        }
    }

    /// What is known of another source, where this one knows nothing.
    #[must_use]
    pub fn or(self, other: About) -> About {
        About {
            now: self.now.or(other.now),
            version: self.version.or(other.version),
            features: self.features.or(other.features),
            retention: self.retention.or(other.retention),
            external_labels: self.external_labels.or(other.external_labels),
            evaluation_interval: self.evaluation_interval.or(other.evaluation_interval),
            scrape_intervals: self.scrape_intervals.or(other.scrape_intervals),
            lacks: if self.lacks.is_empty() { other.lacks } else { self.lacks },
        }
    }
}

/// A rule that a server evaluates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningRule {
    /// The name of the group.
    pub group: String,
    /// The metric or the alert.
    pub name: String,
    /// Whether it is an alert.
    pub is_alert: bool,
    /// The expression, as the server prints it.
    pub query: String,
    /// Why the last evaluation failed, if it did.
    pub error: Option<String>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The server refuses the expression, or can't evaluate it.
    Expression {
        /// Why.
        message: String,
        /// The part of the expression that it is about, in bytes.
        span: Option<(u32, u32)>,
    },
    /// The server doesn't have this part.
    Lacking(String),
    /// The question was too much for it: it took too long, or the answer was too large.
    TooMuch(String),
    /// The server can't be asked: it isn't there, or doesn't want to be.
    Unavailable(String),
    /// As much was asked as may be.
    Budget(String),
}

impl Refusal {
    /// Why, in words.
    pub fn reason(&self) -> &str {
        match self {
            Refusal::Expression { message, .. }
            | Refusal::Lacking(message)
            | Refusal::TooMuch(message)
            | Refusal::Unavailable(message)
            | Refusal::Budget(message) => message,
        }
    }
}
