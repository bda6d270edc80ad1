//! What a sample counts: the kind of metric, its unit, and over which time.

use super::flags::Basis;

/// What is known of the quantity that samples stand for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantity {
    /// The kind.
    pub kind: Kind,
    /// The unit, if it is known.
    pub unit: Option<Unit>,
    /// The window in nanoseconds over which the quantity was counted, if it was.
    pub window: Option<i64>,
    /// What this rests on.
    pub basis: Basis,
}

/// A kind of metric or of number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Nothing is known.
    Unknown,
    /// It counts, and begins anew when its process does.
    Counter,
    /// Counters that were added up, so that a new beginning of one can't be seen.
    AggregatedCounter,
    /// It goes up and down.
    Gauge,
    /// The buckets of a classic histogram.
    Bucket,
    /// The sum of the observations of a histogram or a summary.
    Sum,
    /// The number of observations of a histogram or a summary.
    Count,
    /// A native histogram.
    Histogram,
    /// A native histogram that goes up and down.
    GaugeHistogram,
    /// A quantile that a summary computed.
    SummaryQuantile,
    /// 1, with labels that tell something.
    Info,
    /// 0 or 1 for each state.
    StateSet,
    /// A point in time, in seconds.
    Timestamp,
}

impl Kind {
    /// The name that the print form uses.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Unknown => "unknown",
            Kind::Counter => "counter",
            Kind::AggregatedCounter => "aggregated counter",
            Kind::Gauge => "gauge",
            Kind::Bucket => "bucket",
            Kind::Sum => "sum",
            Kind::Count => "count",
            Kind::Histogram => "histogram",
            Kind::GaugeHistogram => "gauge histogram",
            Kind::SummaryQuantile => "summary quantile",
            Kind::Info => "info",
            Kind::StateSet => "state set",
            Kind::Timestamp => "timestamp",
        }
    }

    /// Whether it only grows until it begins anew.
    pub const fn is_cumulative(self) -> bool {
        matches!(self, Kind::Counter | Kind::Bucket | Kind::Sum | Kind::Count)
    }
}

/// What a unit is built on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Base {
    /// Seconds.
    Second,
    /// Bytes.
    Byte,
    /// Bits.
    Bit,
    /// A part of a whole, or the cores of a processor.
    Ratio,
    /// Degrees.
    Celsius,
    /// Volts.
    Volt,
    /// Amperes.
    Ampere,
    /// Joules.
    Joule,
    /// Meters.
    Meter,
    /// Grams.
    Gram,
    /// Hertz.
    Hertz,
    /// A number of things.
    Number,
}

/// The words at the end of metric names that stand for a unit, with what one of it is in the base.
const WORDS: &[(&str, Base, f64)] = &[
    ("seconds", Base::Second, 1.0),
    ("milliseconds", Base::Second, 1e-3),
    ("microseconds", Base::Second, 1e-6),
    ("nanoseconds", Base::Second, 1e-9),
    ("minutes", Base::Second, 60.0),
    ("hours", Base::Second, 3600.0),
    ("days", Base::Second, 86_400.0),
    ("bytes", Base::Byte, 1.0),
    ("kilobytes", Base::Byte, 1e3),
    ("megabytes", Base::Byte, 1e6),
    ("bits", Base::Bit, 1.0),
    ("ratio", Base::Ratio, 1.0),
    ("percent", Base::Ratio, 0.01),
    ("celsius", Base::Celsius, 1.0),
    ("volts", Base::Volt, 1.0),
    ("amperes", Base::Ampere, 1.0),
    ("joules", Base::Joule, 1.0),
    ("meters", Base::Meter, 1.0),
    ("grams", Base::Gram, 1.0),
    ("hertz", Base::Hertz, 1.0),
];

/// A unit: so many of a base, for each second or not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unit {
    /// What it is built on.
    pub base: Base,
    /// How many of the base one of the unit is.
    pub scale: f64,
    /// The exponent of seconds that it is divided by: 1 for bytes per second.
    pub per_second: i8,
    /// Whether it is a point in time rather than a duration.
    pub absolute: bool,
}

impl Unit {
    /// One of a base.
    pub const fn of(base: Base) -> Unit {
        Unit { base, scale: 1.0, per_second: 0, absolute: false }
    }

    /// A point in time, in seconds.
    pub const TIMESTAMP: Unit =
        Unit { base: Base::Second, scale: 1.0, per_second: 0, absolute: true };

    /// The unit that the name of a metric ends with.
    pub fn of_name(name: &str) -> Option<Unit> {
        let mut stem = name;
        for suffix in ["_total", "_bucket", "_sum", "_info", "_max", "_min"] {
            if let Some(rest) = stem.strip_suffix(suffix) {
                stem = rest;
                break;
            }
        }
        if stem.ends_with("timestamp_seconds") || stem.ends_with("time_seconds") && is_point(stem) {
            return Some(Unit::TIMESTAMP);
        }
        let word = stem.rsplit('_').next()?;
        let (_, base, scale) = WORDS.iter().find(|(known, ..)| *known == word)?;
        Some(Unit { scale: *scale, ..Unit::of(*base) })
    }

    /// The unit of so many of this for each second: seconds of a processor become cores.
    #[must_use]
    pub fn rate(self) -> Unit {
        match (self.base, self.per_second) {
            (Base::Second, 0) if !self.absolute => Unit { base: Base::Ratio, ..self },
            _ => Unit { per_second: self.per_second.saturating_add(1), ..self },
        }
    }

    /// The unit of values that are multiplied by a constant, when what they stand for stays.
    #[must_use]
    pub fn times(self, factor: f64) -> Option<Unit> {
        if !factor.is_finite() || factor <= 0.0 {
            return None;
        }
        match self.base {
            Base::Byte if factor == 8.0 => Some(Unit { base: Base::Bit, ..self }),
            Base::Number => None,
            _ => Some(Unit { scale: self.scale / factor, ..self }),
        }
    }
}

fn is_point(stem: &str) -> bool {
    ["start_time_seconds", "boot_time_seconds", "creation_time_seconds", "end_time_seconds"]
        .iter()
        .any(|word| stem.ends_with(word))
}

/// As text: `bytes/s`, `0.001 seconds`.
impl std::fmt::Display for Unit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.scale != 1.0 {
            write!(f, "{} ", self.scale)?;
        }
        f.write_str(match self.base {
            Base::Second if self.absolute => "time",
            Base::Second => "seconds",
            Base::Byte => "bytes",
            Base::Bit => "bits",
            Base::Ratio => "ratio",
            Base::Celsius => "celsius",
            Base::Volt => "volts",
            Base::Ampere => "amperes",
            Base::Joule => "joules",
            Base::Meter => "meters",
            Base::Gram => "grams",
            Base::Hertz => "hertz",
            Base::Number => "number",
        })?;
        (0..self.per_second).try_for_each(|_| f.write_str("/s"))
    }
}

impl Quantity {
    /// Nothing is known.
    pub const UNKNOWN: Quantity =
        Quantity { kind: Kind::Unknown, unit: None, window: None, basis: Basis::NONE };

    /// A quantity of a kind and nothing else.
    pub const fn of(kind: Kind) -> Quantity {
        Quantity { kind, ..Quantity::UNKNOWN }
    }

    /// A number of things.
    pub const NUMBER: Quantity =
        Quantity { unit: Some(Unit::of(Base::Number)), ..Quantity::of(Kind::Gauge) };

    /// A point in time.
    pub const TIMESTAMP: Quantity =
        Quantity { unit: Some(Unit::TIMESTAMP), ..Quantity::of(Kind::Timestamp) };

    /// What is known of something that is either.
    #[must_use]
    pub fn join(self, other: Quantity) -> Quantity {
        Quantity {
            kind: if self.kind == other.kind { self.kind } else { Kind::Unknown },
            unit: if self.unit == other.unit { self.unit } else { None },
            window: if self.window == other.window { self.window } else { None },
            basis: self.basis.or(other.basis),
        }
    }

    /// What a metric's name says.
    pub fn of_name(name: &str) -> Quantity {
        let kind = if name.ends_with("_bucket") {
            Kind::Bucket
        } else if name.ends_with("_total") {
            Kind::Counter
        } else if name.ends_with("_info") {
            Kind::Info
        } else if name.ends_with("_created") || name.ends_with("_timestamp_seconds") {
            Kind::Timestamp
        } else {
            Kind::Unknown
        };
        let unit = match kind {
            // Buckets count observations, whatever was observed.
            Kind::Bucket => Some(Unit::of(Base::Number)),
            Kind::Timestamp => Some(Unit::TIMESTAMP),
            _ => Unit::of_name(name).filter(|_| !name.contains(':')),
        };
        let basis = match (kind, unit) {
            (Kind::Unknown, None) => Basis::NONE,
            _ => Basis::SUFFIX_KINDS,
        };
        Quantity { kind, unit, window: None, basis }
    }

    /// The quantity of a rate of this one.
    #[must_use]
    pub fn rate(self, window: Option<i64>) -> Quantity {
        Quantity { kind: Kind::Gauge, unit: self.unit.map(Unit::rate), window, ..self }
    }

    /// The quantity of an increase of this one over a window.
    #[must_use]
    pub fn increase(self, window: Option<i64>) -> Quantity {
        Quantity { kind: Kind::Gauge, window, ..self }
    }

    /// The sum of several: those of counters are no counters.
    #[must_use]
    pub fn sum(self) -> Quantity {
        let kind = match self.kind {
            Kind::Counter | Kind::Sum | Kind::Count => Kind::AggregatedCounter,
            kind => kind,
        };
        Quantity { kind, ..self }
    }
}
