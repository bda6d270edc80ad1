//! What is known of the series that a text asks about: the names of metrics, labels and values.
//!
//! Answers at a cursor must not wait for a server, so this trait answers at once from what somebody has
//! already fetched, or says that it doesn't know. What was looked for in vain becomes a [`Question`],
//! which whoever calls may ask in the background; with its answer in the catalogue, the next call finds
//! it. Questions are narrow: about one metric, one label, one selector.

use std::collections::HashMap;
use std::fmt;

use promql_model::{MatchOp, is_label_name, quote};

use crate::names::Names;

/// What a metric measures, as its target says or as its name suggests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum MetricKind {
    /// It only rises.
    Counter,
    /// It rises and falls.
    Gauge,
    /// A native histogram, or the family of a classic one.
    Histogram,
    /// The buckets of a classic histogram, which are counters with a label `le`.
    Bucket,
    /// A summary's quantiles.
    Summary,
    /// Always 1, with labels that say something.
    Info,
    /// Nobody said.
    #[default]
    Unknown,
}

impl MetricKind {
    /// The kind that a `# TYPE` line or the metadata API names. Any other word is unknown.
    pub fn named(word: &str) -> MetricKind {
        match word {
            "counter" => MetricKind::Counter,
            "gauge" | "stateset" => MetricKind::Gauge,
            "histogram" | "gaugehistogram" => MetricKind::Histogram,
            "summary" => MetricKind::Summary,
            "info" => MetricKind::Info,
            _ => MetricKind::Unknown,
        }
    }

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
            MetricKind::Histogram => "histogram",
            MetricKind::Bucket => "buckets",
            MetricKind::Summary => "summary",
            MetricKind::Info => "info",
            MetricKind::Unknown => "",
        }
    }

    /// Whether `rate` and its like mean something.
    pub const fn is_cumulative(self) -> bool {
        matches!(self, MetricKind::Counter | MetricKind::Histogram | MetricKind::Bucket)
    }
}

/// What a target says about a metric family.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Metadata {
    /// What it measures.
    pub kind: MetricKind,
    /// The unit, or nothing.
    pub unit: String,
    /// The description.
    pub help: String,
}

/// Some series: those of a metric, under conditions. Without either it is all series.
///
/// ```
/// use promql_ide::{Condition, Selector};
/// use promql_model::MatchOp;
/// let condition = Condition { label: "job".into(), op: MatchOp::Equal, value: "api".into() };
/// let selector = Selector { metric: Some("up".into()), conditions: vec![condition] };
/// assert_eq!(selector.to_string(), r#"up{job="api"}"#);
/// assert_eq!(Selector::default().to_string(), "");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct Selector {
    /// The metric's name.
    pub metric: Option<String>,
    /// The conditions, in the order written.
    pub conditions: Vec<Condition>,
}

/// A condition on the value of a label.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Condition {
    /// The label.
    pub label: String,
    /// How its value is compared.
    pub op: MatchOp,
    /// With what.
    pub value: String,
}

impl Selector {
    /// All series of a metric.
    pub fn metric(name: impl Into<String>) -> Selector {
        Selector { metric: Some(name.into()), conditions: Vec::new() }
    }

    /// Whether it is all series.
    pub fn is_everything(&self) -> bool {
        self.metric.is_none() && self.conditions.is_empty()
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        match &self.metric {
            Some(name) if is_metric_name(name) => f.write_str(name)?,
            Some(name) => parts.push(quote(name.as_bytes())),
            None => {}
        }
        parts.extend(self.conditions.iter().map(|condition| {
            let label = label_text(&condition.label);
            format!("{label}{}{}", condition.op.symbol(), quote(condition.value.as_bytes()))
        }));
        match parts.is_empty() {
            true => Ok(()),
            false => write!(f, "{{{}}}", parts.join(", ")),
        }
    }
}

/// A label's name as it stands in an expression.
pub(crate) fn label_text(name: &str) -> String {
    match is_label_name(name) {
        true => name.to_owned(),
        false => quote(name.as_bytes()),
    }
}

/// Whether a metric's name can stand without quotes.
pub(crate) fn is_metric_name(name: &str) -> bool {
    let part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b':');
    !name.is_empty() && name.bytes().all(part) && !name.as_bytes()[0].is_ascii_digit()
}

/// Something that was needed and isn't known.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Question {
    /// The names of the metrics, with their kinds. Where the list is known but was cut because it is
    /// too long, those that begin with the prefix.
    Metrics {
        /// What they begin with.
        prefix: String,
    },
    /// The kind, the unit and the description of a metric.
    Metadata {
        /// Its name.
        metric: String,
    },
    /// The names of the labels of some series.
    LabelNames {
        /// Which series.
        selector: Selector,
    },
    /// The values of a label of some series.
    LabelValues {
        /// The label.
        label: String,
        /// Which series.
        selector: Selector,
        /// What they begin with, if all of them were too many.
        prefix: String,
    },
}

/// What is known. Every method answers at once; `None` is "not known yet".
pub trait Catalogue {
    /// The metrics, with their kinds.
    fn metrics(&self) -> Option<&Metrics>;

    /// What is said about a metric. The name may be one of the series of a histogram's family.
    fn metadata(&self, metric: &str) -> Option<&Metadata>;

    /// The labels of some series, without `__name__`.
    fn label_names(&self, selector: &Selector) -> Option<&Names>;

    /// The values of a label of some series.
    fn label_values(&self, label: &str, selector: &Selector) -> Option<&Names>;

    /// How often a name was used in questions before.
    fn uses(&self, name: &str) -> u32 {
        let _ = name;
        0
    }

    /// The variables that may be written as `$name`, each with its text.
    fn variables(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}

/// The names of metrics with the kind of each.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    pub(crate) names: Names,
    pub(crate) kinds: Vec<MetricKind>,
}

impl Metrics {
    /// Puts the names together with what is known about their families.
    pub fn new(names: Names, metadata: &HashMap<String, Metadata>) -> Metrics {
        // Without metadata a family with buckets is still a histogram.
        let has_buckets = |name: &str| {
            let family = name.strip_suffix("_count").or_else(|| name.strip_suffix("_sum"));
            family.is_some_and(|family| names.contains(&format!("{family}_bucket")))
        };
        let kind = |name: &str| match kind_of(name, metadata) {
            MetricKind::Unknown if has_buckets(name) => MetricKind::Counter,
            kind => kind,
        };
        let kinds = names.iter().map(kind).collect();
        Metrics { names, kinds }
    }

    /// The names.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// The kind of the metric at a position in the names.
    pub fn kind(&self, at: usize) -> MetricKind {
        self.kinds.get(at).copied().unwrap_or_default()
    }
}

/// The suffixes of the series that make up a family.
const FAMILY: [&str; 5] = ["_bucket", "_sum", "_count", "_total", "_info"];

/// What is said about a metric or its family.
pub(crate) fn metadata_of<'m>(
    name: &str,
    metadata: &'m HashMap<String, Metadata>,
) -> Option<&'m Metadata> {
    let of_family = || FAMILY.iter().find_map(|end| metadata.get(name.strip_suffix(end)?));
    metadata.get(name).or_else(of_family)
}

/// The kind of a series' metric: what its target says, which for the parts of a histogram or a summary
/// depends on the part, or what the name suggests by the conventions of naming.
fn kind_of(name: &str, metadata: &HashMap<String, Metadata>) -> MetricKind {
    if let Some(Metadata { kind, .. }) = metadata.get(name)
        && *kind != MetricKind::Unknown
    {
        return *kind;
    }
    let ends =
        |end: &str| name.strip_suffix(end).map(|family| metadata.get(family).map(|m| m.kind));
    match (ends("_bucket"), ends("_count").or(ends("_sum"))) {
        (Some(None | Some(MetricKind::Histogram)), _) => return MetricKind::Bucket,
        (_, Some(Some(MetricKind::Histogram | MetricKind::Summary))) => return MetricKind::Counter,
        _ => {}
    }
    match () {
        () if name.ends_with("_total") => MetricKind::Counter,
        () if name.ends_with("_info") => MetricKind::Info,
        () => MetricKind::Unknown,
    }
}

/// A catalogue in memory, which somebody fills as answers come in.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    metrics: Option<Metrics>,
    metadata: HashMap<String, Metadata>,
    labels: HashMap<Selector, Names>,
    values: HashMap<(String, Selector), Names>,
    uses: HashMap<String, u32>,
    variables: Vec<(String, String)>,
}

impl Snapshot {
    /// One that knows nothing.
    pub fn new() -> Snapshot {
        Snapshot::default()
    }

    /// Sets what is said about metric families, by their names. The kinds of the metrics follow.
    pub fn set_metadata(&mut self, metadata: HashMap<String, Metadata>) {
        self.metadata = metadata;
        if let Some(metrics) = self.metrics.take() {
            self.metrics = Some(Metrics::new(metrics.names, &self.metadata));
        }
    }

    /// Adds what is said about some families.
    pub fn add_metadata(&mut self, metadata: HashMap<String, Metadata>) {
        let mut all = std::mem::take(&mut self.metadata);
        all.extend(metadata);
        self.set_metadata(all);
    }

    /// Sets the names of the metrics.
    pub fn set_metrics(&mut self, names: Names) {
        self.metrics = Some(Metrics::new(names, &self.metadata));
    }

    /// Adds names of metrics to those that are known.
    pub fn add_metrics(&mut self, names: &Names) {
        let known = self.metrics.take().unwrap_or_default().names;
        self.set_metrics(known.with(names));
    }

    /// Sets the labels of some series.
    pub fn set_label_names(&mut self, selector: Selector, names: Names) {
        self.labels.insert(selector, names.without("__name__"));
    }

    /// Sets the values of a label of some series.
    pub fn set_label_values(&mut self, label: &str, selector: Selector, values: Names) {
        self.values.insert((label.to_owned(), selector), values);
    }

    /// Adds values of a label of some series to those that are known.
    pub fn add_label_values(&mut self, label: &str, selector: Selector, values: &Names) {
        let known = self.values.entry((label.to_owned(), selector)).or_default();
        *known = std::mem::take(known).with(values);
    }

    /// Notes that a name was used.
    pub fn note_use(&mut self, name: &str) {
        *self.uses.entry(name.to_owned()).or_default() += 1;
    }

    /// Sets the variables.
    pub fn set_variables(&mut self, variables: Vec<(String, String)>) {
        self.variables = variables;
    }

    /// Forgets what the series are; what was used and the variables stay.
    pub fn forget(&mut self) {
        self.metrics = None;
        self.metadata.clear();
        self.labels.clear();
        self.values.clear();
    }
}

impl Catalogue for Snapshot {
    fn metrics(&self) -> Option<&Metrics> {
        self.metrics.as_ref()
    }

    fn metadata(&self, metric: &str) -> Option<&Metadata> {
        metadata_of(metric, &self.metadata)
    }

    fn label_names(&self, selector: &Selector) -> Option<&Names> {
        self.labels.get(selector)
    }

    fn label_values(&self, label: &str, selector: &Selector) -> Option<&Names> {
        self.values.get(&(label.to_owned(), selector.clone()))
    }

    fn uses(&self, name: &str) -> u32 {
        self.uses.get(name).copied().unwrap_or_default()
    }

    fn variables(&self) -> Vec<(String, String)> {
        self.variables.clone()
    }
}
