//! Flows as text, for tests, for people, and for the hover of an editor.
//!
//! ```text
//! {job!, code?} key={job} 0..
//! ```
//!
//! | text | means |
//! |---|---|
//! | `l!` | the label is certainly there |
//! | `l?` | it may be |
//! | `-l` | it is absent |
//! | `l=a\|b`, `l=a?` | it has one of these values; or is absent |
//! | `l!≠a`, `l?=~"a.*"` | it has none of these values; it matches |
//! | `…` | there may be other labels |
//! | `key={a}` | no two elements have the same `a` |
//! | `0..1`, `1`, `0..` | how many elements there are |

use std::fmt;

use super::arm::{Arm, Presence, Samples};
use super::flags::Conditions;
use super::labels::{Label, Labels};
use super::quantity::{Kind, Quantity};
use super::range::Range;
use super::{Flow, NAMES};

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, values) = (&self.name, &self.values);
        if values.is_absent() {
            return write!(f, "-{name}");
        }
        if let Some(texts) = values.finite() {
            write!(f, "{name}=")?;
            for (at, text) in texts.iter().enumerate() {
                write!(f, "{}{text}", if at > 0 { "|" } else { "" })?;
            }
            return f.write_str(if values.can_be_absent() { "?" } else { "" });
        }
        write!(f, "{name}{}", if values.can_be_absent() { '?' } else { '!' })?;
        let Some((excluded, patterns)) = values.cofinite() else { return Ok(()) };
        for (at, text) in excluded.iter().enumerate() {
            write!(f, "{}{text}", if at > 0 { "|" } else { "≠" })?;
        }
        patterns.iter().try_for_each(|pattern| write!(f, "{pattern}"))
    }
}

impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        let mut separator = "";
        for label in self.iter() {
            let is_default = match self.is_open() {
                true => label.values.is_any(),
                false => label.values.is_absent(),
            };
            // The name is absent almost everywhere.
            if is_default || (label.name == NAMES.name && label.values.is_absent()) {
                continue;
            }
            write!(f, "{separator}{label}")?;
            separator = ", ";
        }
        if self.is_open() {
            write!(f, "{separator}…")?;
        }
        f.write_str("}")
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.has_no_number() {
            return f.write_str(if self.nan { "NaN" } else { "never" });
        }
        if self.lo == self.hi {
            write!(f, "{}", Number(self.lo))?;
        } else {
            let (open, close) =
                (if self.lo_open { '(' } else { '[' }, if self.hi_open { ')' } else { ']' });
            write!(f, "{open}{}, {}{close}", Number(self.lo), Number(self.hi))?;
            f.write_str(if self.integer { " whole" } else { "" })?;
        }
        for point in self.excluded.iter() {
            write!(f, " but {}", Number(point))?;
        }
        f.write_str(if self.nan { " or NaN" } else { "" })
    }
}

struct Number(f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_infinite() {
            return f.write_str(if self.0 > 0.0 { "+Inf" } else { "-Inf" });
        }
        match self.0 {
            0.0 => f.write_str("0"),
            value if value.abs() >= 1e15 || value.abs() < 1e-5 => write!(f, "{value:e}"),
            value => write!(f, "{value}"),
        }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = (self.kind != Kind::Unknown).then_some(self.kind.name());
        match (kind, self.unit) {
            (Some(kind), Some(unit)) => write!(f, "{kind}, {unit}"),
            (Some(kind), None) => f.write_str(kind),
            (None, Some(unit)) => write!(f, "{unit}"),
            (None, None) => f.write_str("unknown"),
        }
    }
}

impl fmt::Display for Arm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.labels)?;
        if let Some(key) = &self.key {
            write!(f, " key={{{}}}", key.join(", "))?;
        }
        match (self.presence, self.at_most()) {
            (Presence::Always, Some(1)) => f.write_str(" 1")?,
            (presence, most) => {
                write!(f, " {}..", if presence == Presence::Always { 1 } else { 0 })?;
                most.map_or(Ok(()), |most| write!(f, "{most}"))?;
            }
        }
        match self.samples {
            Samples::Float => write!(f, " {}", self.value)?,
            Samples::Histogram => f.write_str(" histograms")?,
            Samples::Either if self.value.is_any() && self.value.nan => f.write_str(" anything")?,
            Samples::Either => write!(f, " {} or histograms", self.value)?,
        }
        if self.quantity.kind != Kind::Unknown || self.quantity.unit.is_some() {
            write!(f, "; {}", self.quantity)?;
        }
        let conditions = self.conditions.without(Conditions::DATA);
        if !conditions.is_empty() {
            write!(f, "; if {conditions}")?;
        }
        if self.unstable {
            f.write_str("; unstable")?;
        }
        let basis = self.whole_basis();
        if !basis.is_empty() {
            write!(f, "; presumed {basis}")?;
        }
        Ok(())
    }
}

/// A line for each arm, and whether there is always something where that doesn't show.
impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use promql_syntax::ValueType::{Scalar, String};
        match (self.value_type, &*self.arms) {
            (String, _) => return f.write_str("text"),
            (Scalar, [arm]) => return write!(f, "scalar {}", arm.value),
            (_, []) => f.write_str("never")?,
            (_, arms) => {
                for (at, arm) in arms.iter().enumerate() {
                    write!(f, "{}{arm}", if at > 0 { "\n" } else { "" })?;
                }
            }
        }
        let shown = self.arms.iter().map(|arm| arm.presence).max();
        if self.nonempty == Presence::Always && shown != Some(Presence::Always) {
            f.write_str("\nalways something")?;
        }
        let told = self.arms.iter().fold(super::Basis::NONE, |b, arm| b.or(arm.whole_basis()));
        let more = self.basis.without(told);
        if !more.is_empty() {
            write!(f, "\nnothing else: presumed {more}")?;
        }
        if !self.failures.is_empty() {
            write!(f, "\ncan fail: {}", self.failures)?;
        }
        Ok(())
    }
}
