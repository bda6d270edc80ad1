//! The JSON of the HTTP API.
//!
//! A large answer is read in one pass straight into the types of the model. What type a result
//! has is said by `resultType`, which servers write in front of `result`; if one writes it behind,
//! the result is looked at a second time.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use promql_engine::MetricMetadata;
use promql_model::{
    Annotation, FloatHistogram, Labels, QueryValue, SampleValue, SeriesSamples, Severity,
    VectorElement,
};
use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::histogram::{ApiBucket, histogram};

/// An answer's outer form.
#[derive(serde::Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
pub(super) struct Envelope<'a, T> {
    #[serde(borrow)]
    pub(super) status: Cow<'a, str>,
    #[serde(default = "none")]
    pub(super) data: Option<T>,
    #[serde(default, rename = "errorType", borrow)]
    pub(super) error_type: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    pub(super) error: Option<Cow<'a, str>>,
    #[serde(default, deserialize_with = "nullable")]
    warnings: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    infos: Vec<String>,
    /// What VictoriaMetrics says about the cost of a query.
    #[serde(default)]
    pub(super) stats: Option<serde_json::Value>,
}

fn none<T>() -> Option<T> {
    None
}

/// `null` stands for nothing.
fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl<T> Envelope<'_, T> {
    /// Warnings, then infos. Servers give them in random order, so they are sorted. The text
    /// keeps the position that it ends with, `(1:6)`.
    pub(super) fn annotations(&mut self) -> Vec<Annotation> {
        let mut annotations: Vec<Annotation> = std::mem::take(&mut self.warnings)
            .into_iter()
            .map(|text| annotation(text, Severity::Warning))
            .chain(
                std::mem::take(&mut self.infos)
                    .into_iter()
                    .map(|text| annotation(text, Severity::Info)),
            )
            .collect();
        annotations.sort();
        annotations.dedup();
        annotations
    }
}

/// Before version 2.54 infos were among the warnings; the prefix tells them apart.
fn annotation(text: String, severity: Severity) -> Annotation {
    if let Some(text) = text.strip_prefix("PromQL info: ") {
        return Annotation { severity: Severity::Info, message: text.to_owned(), span: None };
    }
    let message = text.strip_prefix("PromQL warning: ").map(str::to_owned).unwrap_or(text);
    Annotation { severity, message, span: None }
}

/// The data of `query` and `query_range`.
pub(super) struct QueryData {
    pub(super) value: QueryValue,
    /// What the evaluation took, in whichever form.
    pub(super) stats: Option<serde_json::Value>,
}

impl<'de> Deserialize<'de> for QueryData {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(QueryDataVisitor)
    }
}

struct QueryDataVisitor;

impl<'de> Visitor<'de> for QueryDataVisitor {
    type Value = QueryData;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with resultType and result")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<QueryData, A::Error> {
        let mut result_type: Option<Cow<'de, str>> = None;
        let mut early: Option<&'de RawValue> = None;
        let mut value = None;
        let mut stats = None;
        while let Some(Text(key)) = map.next_key()? {
            match &*key {
                "stats" => stats = map.next_value()?,
                "resultType" => result_type = Some(map.next_value::<Text<'de>>()?.0),
                "result" => match &result_type {
                    Some(result_type) => value = Some(typed_result(result_type, &mut map)?),
                    None => early = Some(map.next_value()?),
                },
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let Some(result_type) = result_type else {
            return Err(de::Error::missing_field("resultType"));
        };
        let value = match (value, early) {
            (Some(value), _) => value,
            (None, Some(early)) => {
                typed_result(&result_type, &mut Early(Some(early))).map_err(de::Error::custom)?
            }
            (None, None) => return Err(de::Error::missing_field("result")),
        };
        Ok(QueryData { value, stats })
    }
}

/// The value of `result`, by the type that `resultType` said.
fn typed_result<'de, A: MapAccess<'de>>(
    result_type: &str,
    map: &mut A,
) -> Result<QueryValue, A::Error> {
    match result_type {
        "scalar" => {
            let Point { timestamp, value: Number(value) } = map.next_value()?;
            Ok(QueryValue::Scalar { timestamp, value })
        }
        "string" => {
            let Point { timestamp, value: Text(value) } = map.next_value()?;
            Ok(QueryValue::String { timestamp, value: value.into_owned() })
        }
        "vector" => {
            let Elements(elements) = map.next_value::<Elements<VectorItem>>()?;
            let elements = elements.into_iter().filter_map(|item| item.0).collect();
            Ok(QueryValue::Vector(elements))
        }
        "matrix" => {
            let Elements(series) = map.next_value::<Elements<MatrixItem>>()?;
            Ok(QueryValue::Matrix(series.into_iter().map(|item| item.0).collect()))
        }
        other => Err(de::Error::unknown_variant(other, &["matrix", "scalar", "string", "vector"])),
    }
}

/// A result that came before its type.
struct Early<'de>(Option<&'de RawValue>);

impl<'de> MapAccess<'de> for Early<'de> {
    type Error = serde_json::Error;

    fn next_key_seed<K: de::DeserializeSeed<'de>>(
        &mut self,
        _: K,
    ) -> Result<Option<K::Value>, Self::Error> {
        Ok(None)
    }

    fn next_value_seed<V: de::DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, Self::Error> {
        let raw = self.0.take().map_or("null", RawValue::get);
        seed.deserialize(&mut serde_json::Deserializer::from_str(raw))
    }
}

/// A list, or `null` for an empty one.
struct Elements<T>(Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Elements<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Elements(Option::deserialize(deserializer)?.unwrap_or_default()))
    }
}

/// An element of a vector; nothing if it has neither value nor histogram.
struct VectorItem(Option<VectorElement>);

impl<'de> Deserialize<'de> for VectorItem {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        struct Item {
            metric: Metric,
            value: Option<Point<Number>>,
            histogram: Option<Point<Histogram>>,
        }
        let item = Item::deserialize(deserializer)?;
        let float = item.value.map(|p| (p.timestamp, SampleValue::Float(p.value.0)));
        let histogram =
            item.histogram.map(|p| (p.timestamp, SampleValue::Histogram(Box::new(p.value.0))));
        Ok(VectorItem(float.or(histogram).map(|(timestamp, value)| VectorElement {
            labels: item.metric.0,
            timestamp,
            value,
        })))
    }
}

/// A series of a matrix.
struct MatrixItem(SeriesSamples);

impl<'de> Deserialize<'de> for MatrixItem {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        struct Item {
            metric: Metric,
            #[serde(default)]
            values: Points<Number>,
            #[serde(default)]
            histograms: Points<Histogram>,
        }
        let item = Item::deserialize(deserializer)?;
        let floats = item.values.0.into_iter().map(|(t, value)| (t, value.0)).collect();
        let histograms = item.histograms.0.into_iter().map(|(t, value)| (t, value.0)).collect();
        Ok(MatrixItem(SeriesSamples { labels: item.metric.0, floats, histograms }))
    }
}

/// A label set.
#[derive(Default)]
pub(super) struct Metric(pub(super) Labels);

impl<'de> Deserialize<'de> for Metric {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MetricVisitor)
    }
}

struct MetricVisitor;

impl<'de> Visitor<'de> for MetricVisitor {
    type Value = Metric;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of labels")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metric, A::Error> {
        let mut pairs: Vec<(Cow<'de, str>, Cow<'de, str>)> = Vec::new();
        while let Some((Text(name), Text(value))) = map.next_entry()? {
            pairs.push((name, value));
        }
        // In order, so that each pair finds its place at once.
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(Metric(Labels::from_pairs(pairs)))
    }
}

/// Text, lent from the answer if it has no escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor).map(Text)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// A number, which the API writes as a string; other servers write numbers.
pub(super) struct Number(pub(super) f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberVisitor).map(Number)
    }
}

struct NumberVisitor;

impl Visitor<'_> for NumberVisitor {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, as a string or not")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<f64, E> {
        text.parse().map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
    }

    fn visit_f64<E>(self, value: f64) -> Result<f64, E> {
        Ok(value)
    }

    fn visit_i64<E>(self, value: i64) -> Result<f64, E> {
        Ok(value as f64)
    }

    fn visit_u64<E>(self, value: u64) -> Result<f64, E> {
        Ok(value as f64)
    }

    fn visit_unit<E>(self) -> Result<f64, E> {
        Ok(f64::NAN)
    }
}

/// `[seconds, value]`.
struct Point<T> {
    /// Milliseconds since the epoch.
    timestamp: i64,
    value: T,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Point<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(PointVisitor(PhantomData))
    }
}

struct PointVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for PointVisitor<T> {
    type Value = Point<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a pair of time and value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Point<T>, A::Error> {
        let Some(Number(seconds)) = seq.next_element()? else {
            return Err(de::Error::invalid_length(0, &self));
        };
        let Some(value) = seq.next_element()? else {
            return Err(de::Error::invalid_length(1, &self));
        };
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        // Seconds with three decimals: the nearest millisecond is the one that was written.
        Ok(Point { timestamp: (seconds * 1000.0).round() as i64, value })
    }
}

/// Points of a series, in order of time.
struct Points<T>(Vec<(i64, T)>);

impl<T> Default for Points<T> {
    fn default() -> Self {
        Points(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Points<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PointsVisitor(PhantomData))
    }
}

struct PointsVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for PointsVisitor<T> {
    type Value = Points<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of pairs of time and value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Points<T>, A::Error> {
        let mut points = Vec::new();
        while let Some(Point { timestamp, value }) = seq.next_element()? {
            points.push((timestamp, value));
        }
        Ok(Points(points))
    }

    fn visit_unit<E>(self) -> Result<Points<T>, E> {
        Ok(Points(Vec::new()))
    }
}

/// A native histogram as the API writes it.
struct Histogram(FloatHistogram);

impl<'de> Deserialize<'de> for Histogram {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        struct Parts {
            count: Number,
            sum: Number,
            #[serde(default, deserialize_with = "nullable")]
            buckets: Vec<(u8, Number, Number, Number)>,
        }
        let Parts { count, sum, buckets } = Parts::deserialize(deserializer)?;
        let buckets: Vec<ApiBucket> = buckets
            .into_iter()
            .map(|(rule, lower, upper, count)| ApiBucket {
                rule,
                lower: lower.0,
                upper: upper.0,
                count: count.0,
            })
            .collect();
        Ok(Histogram(histogram(count.0, sum.0, &buckets)))
    }
}

/// The data of `metadata`.
pub(super) struct Metadata(pub(super) BTreeMap<String, Vec<MetricMetadata>>);

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        struct Entry {
            #[serde(default, rename = "type")]
            metric_type: String,
            #[serde(default)]
            unit: String,
            #[serde(default)]
            help: String,
        }
        let families: BTreeMap<String, Vec<Entry>> = BTreeMap::deserialize(deserializer)?;
        let known = |entry: Entry| MetricMetadata {
            metric_type: entry.metric_type,
            unit: entry.unit,
            help: entry.help,
        };
        let families = families
            .into_iter()
            .map(|(family, entries)| (family, entries.into_iter().map(known).collect()));
        Ok(Metadata(families.collect()))
    }
}

/// What a server says about itself. Servers that are not Prometheus leave fields out.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
pub struct BuildInfo {
    /// As `3.5.0`.
    pub version: String,
    /// The commit.
    pub revision: String,
    /// As `Grafana Mimir`; Prometheus itself says nothing.
    pub application: String,
    /// As `go1.25.1`.
    #[serde(rename = "goVersion")]
    pub go_version: String,
}

/// What the fuzz target calls: an answer to a query, read to its end. Whether it is one.
#[doc(hidden)]
pub fn read_whole_json(text: &[u8]) -> bool {
    serde_json::from_slice::<Envelope<'_, QueryData>>(text)
        .map(|mut envelope| envelope.annotations())
        .is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ANSWER: &str = r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"up","job":"a\u0026b"},"values":[[1795410500.5,"1"],[1795410501,"+Inf"]],"histograms":[[1795410515,{"count":"1","sum":"2","buckets":[[0,"0.5","1","1"]]}]]}]},"warnings":["w"],"infos":["i (1:1)"]}"#;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn any_damage_to_an_answer_is_an_error_or_an_answer(
            at in 0..ANSWER.len(),
            length in 0_usize..12,
            damage in proptest::collection::vec(any::<u8>(), 0..6),
        ) {
            prop_assert!(read_whole_json(ANSWER.as_bytes()));
            let mut text = ANSWER.as_bytes().to_vec();
            text.splice(at..(at + length).min(ANSWER.len()), damage);
            read_whole_json(&text);
            prop_assert!(!read_whole_json(&ANSWER.as_bytes()[..at]));
        }

        #[test]
        fn any_buckets_are_a_histogram(
            buckets in proptest::collection::vec(
                (0_u8..5, any::<f64>(), any::<f64>(), any::<f64>()), 0..6,
            ),
        ) {
            let buckets: Vec<ApiBucket> = buckets
                .into_iter()
                .map(|(rule, lower, upper, count)| ApiBucket { rule, lower, upper, count })
                .collect();
            prop_assert_eq!(histogram(1.0, 2.0, &buckets).count, 1.0);
        }
    }
}
