//! The results as text and as JSON.

use std::fmt::Write;

use serde::Serialize;

use crate::alone::Figure;
use crate::measure::{Measured, mean};
use crate::queries::{CLASSES, GATE_HOT, GATE_OF_ALL};
use crate::servers::Subject;

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) size: &'static str,
    pub(crate) rounds: usize,
    pub(crate) servers: Vec<ServerReport>,
    pub(crate) classes: Vec<ClassReport>,
    pub(crate) queries: Vec<Measured>,
    pub(crate) figures: Vec<Figure>,
    /// Whether every gate is met and every answer is right.
    pub(crate) met: bool,
    pub(crate) agrees: bool,
}

/// What is known of a server.
#[derive(Debug, Serialize)]
pub(crate) struct ServerReport {
    pub(crate) name: &'static str,
    /// From its start until it answered, in milliseconds.
    pub(crate) start: f64,
    /// The most memory that was resident, in bytes, after all queries.
    pub(crate) peak_memory: Option<u64>,
    /// The most it may be.
    pub(crate) gate: Option<u64>,
}

/// How many times faster a class of queries is, by geometric mean.
#[derive(Debug, Serialize)]
pub(crate) struct ClassReport {
    pub(crate) class: &'static str,
    pub(crate) count: usize,
    pub(crate) cold: Ratios,
    pub(crate) hot: Ratios,
    /// What cold must be.
    pub(crate) gate: Ratios,
    pub(crate) met: bool,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Ratios {
    pub(crate) prometheus: f64,
    pub(crate) victoria: f64,
}

const MEBIBYTE: u64 = 1 << 20;

/// The most memory that may be resident on size M: with hot columns, and without.
pub(crate) fn memory_gate(subject: Subject, size: &str) -> Option<u64> {
    match (subject, size) {
        (Subject::Hot, "M") => Some(134 * MEBIBYTE),
        (Subject::Cold, "M") => Some(60 * MEBIBYTE),
        _ => None,
    }
}

impl ServerReport {
    fn is_met(&self) -> bool {
        self.gate.zip(self.peak_memory).is_none_or(|(gate, peak)| peak <= gate)
    }
}

impl Report {
    pub(crate) fn new(
        size: &'static str,
        rounds: usize,
        servers: Vec<ServerReport>,
        queries: Vec<Measured>,
        figures: Vec<Figure>,
    ) -> Report {
        let mut classes: Vec<ClassReport> = CLASSES
            .iter()
            .filter_map(|class| {
                let of: Vec<&Measured> = queries.iter().filter(|m| m.class == class.name).collect();
                ClassReport::new(class.name, class.gate, None, &of)
            })
            .collect();
        let all: Vec<&Measured> = queries.iter().collect();
        classes.extend(ClassReport::new("all", GATE_OF_ALL, Some(GATE_HOT), &all));
        let agrees = queries.iter().all(|measured| measured.difference.is_none());
        let slower = |measured: &Measured| {
            measured.is_slower(Subject::Cold) || measured.is_slower(Subject::Hot)
        };
        let met = agrees
            && classes.iter().all(|class| class.met)
            && figures.iter().all(Figure::is_met)
            && servers.iter().all(ServerReport::is_met)
            && !queries.iter().any(slower);
        Report { size, rounds, servers, classes, queries, figures, met, agrees }
    }

    /// For programs. What is no number, as the ratio of nothing, is `null`.
    pub(crate) fn json(&self) -> String {
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        format!("{text}\n")
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        let _ = self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let met = |met: bool| if met { "met" } else { "NOT MET" };
        if !self.queries.is_empty() {
            writeln!(
                out,
                "Medians of {} rounds on size {}, in milliseconds",
                self.rounds, self.size
            )?;
            writeln!(
                out,
                "{:<10} {:>7} {:>8} {:>9} {:>9} {:>8} {:>8}  query",
                "class", "series", "points", "Prom", "Victoria", "cold", "hot"
            )?;
        }
        for m in &self.queries {
            let slow = match (m.is_slower(Subject::Cold), m.is_slower(Subject::Hot)) {
                (false, false) => "",
                (true, false) => "  SLOWER when cold",
                (false, true) => "  SLOWER when hot",
                (true, true) => "  SLOWER",
            };
            writeln!(
                out,
                "{:<10} {:>7} {:>8} {:>9.2} {:>9.2} {:>8.2} {:>8.2}  {}{slow}",
                m.class, m.series, m.points, m.prometheus, m.victoria, m.cold, m.hot, m.query
            )?;
            if let Some(difference) = &m.difference {
                writeln!(out, "{:<10} DIFFERS: {difference}", "")?;
            }
            if let Some(shape) = &m.victoria_shape {
                writeln!(out, "{:<10} VictoriaMetrics gives {shape}", "")?;
            }
        }
        if !self.classes.is_empty() {
            writeln!(out, "\nTimes faster than Prometheus / VictoriaMetrics, by geometric mean")?;
            writeln!(
                out,
                "{:<10} {:>7} {:>15} {:>15} {:>15}",
                "class", "queries", "cold", "gate", "hot"
            )?;
        }
        for class in &self.classes {
            let ratios = |r: Ratios| format!("{:.1} / {:.1}", r.prometheus, r.victoria);
            writeln!(
                out,
                "{:<10} {:>7} {:>15} {:>15} {:>15}  {}",
                class.class,
                class.count,
                ratios(class.cold),
                ratios(class.gate),
                ratios(class.hot),
                met(class.met)
            )?;
        }
        if !self.servers.is_empty() {
            writeln!(out, "\nStart to first answer, and peak memory over all queries")?;
        }
        for server in &self.servers {
            let mebibytes = |bytes: u64| bytes as f64 / MEBIBYTE as f64;
            let peak = server
                .peak_memory
                .map_or("unknown".to_owned(), |peak| format!("{:.1} MiB", mebibytes(peak)));
            write!(out, "{:<16} {:>7.0} ms {:>12}", server.name, server.start, peak)?;
            match server.gate {
                Some(gate) => {
                    writeln!(out, ", gate {:.0} MiB: {}", mebibytes(gate), met(server.is_met()))?;
                }
                None => writeln!(out)?,
            }
        }
        if !self.figures.is_empty() {
            writeln!(
                out,
                "\n{:<50} {:>8} {:>8} {:>8} {:>6}",
                "alone (the gate is for the least on size M)", "median", "least", "worked", "gate"
            )?;
        }
        for f in &self.figures {
            let Figure { what, unit, median, least, worked, gate } = f;
            let worked = worked.map_or("".to_owned(), |worked| format!("{worked:.2}"));
            let met = met(f.is_met());
            writeln!(
                out,
                "{what:<50} {median:>8.2} {least:>8.2} {worked:>8} {gate:>6.1} {unit:<12} {met}"
            )?;
        }
        Ok(())
    }
}

impl ClassReport {
    fn new(
        class: &'static str,
        gate: (f64, f64),
        hot_gate: Option<f64>,
        measured: &[&Measured],
    ) -> Option<ClassReport> {
        if measured.is_empty() {
            return None;
        }
        let ratios = |subject: Subject| Ratios {
            prometheus: mean(measured.iter().map(|m| m.prometheus / m.of(subject))),
            victoria: mean(measured.iter().map(|m| m.victoria / m.of(subject))),
        };
        let (cold, hot) = (ratios(Subject::Cold), ratios(Subject::Hot));
        let met = cold.prometheus >= gate.0
            && cold.victoria >= gate.1
            && hot_gate.is_none_or(|gate| hot.prometheus >= gate);
        let gate = Ratios { prometheus: gate.0, victoria: gate.1 };
        Some(ClassReport { class, count: measured.len(), cold, hot, gate, met })
    }
}
