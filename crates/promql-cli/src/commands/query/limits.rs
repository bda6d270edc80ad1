//! The flags that bound an evaluation.

use std::fmt;
use std::time::Duration;

use clap::Args;
use miette::{Diagnostic, LabeledSpan};
use promql_engine::QueryOptions;

use super::usage;
use crate::commands::Stop;
use crate::time::range;

/// What an evaluation may take.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Evaluation")]
pub struct LimitFlags {
    /// How old a sample may be that an instant selector takes [default: 5m]
    #[arg(long, value_name = "DURATION")]
    pub lookback: Option<String>,
    /// How long a query may take [default: 2m for a server, no limit here]
    #[arg(long, value_name = "DURATION", env = "PROMQL_TIMEOUT", hide_env_values = true)]
    pub timeout: Option<String>,
    /// How many samples an evaluation here may hold at once [default: 50000000]
    #[arg(long, value_name = "COUNT")]
    pub max_samples: Option<usize>,
    /// How much memory an evaluation here may hold at once, as 500MB or 2GiB [default: no limit]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub max_memory: Option<usize>,
}

impl LimitFlags {
    /// How long a query may take, if that is said.
    ///
    /// # Errors
    /// When the duration can't be read.
    pub fn timeout(&self) -> Result<Option<Duration>, Stop> {
        let mut options = QueryOptions::instant(0);
        self.apply(&mut options)?;
        Ok(options.engine.timeout)
    }

    /// Sets the options that the flags are about.
    ///
    /// # Errors
    /// When a duration can't be read.
    pub fn apply(&self, options: &mut QueryOptions) -> Result<(), Stop> {
        let duration = |flag, text: &Option<String>| {
            let read = |text: &String| range::duration(flag, text).map_err(usage);
            let milliseconds = text.as_ref().map(read).transpose()?;
            Ok::<_, Stop>(milliseconds.map(|ms| Duration::from_millis(ms.unsigned_abs())))
        };
        if let Some(lookback) = duration("lookback", &self.lookback)? {
            options.engine.lookback_delta = lookback;
        }
        options.engine.timeout = duration("timeout", &self.timeout)?;
        if let Some(limit) = self.max_samples {
            options.engine.max_samples = limit;
        }
        options.engine.max_bytes = self.max_memory;
        Ok(())
    }
}

/// The units of memory, in bytes.
const UNITS: [(&str, f64); 9] = [
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
    ("TiB", 1_099_511_627_776.0),
    ("kB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("TB", 1e12),
    ("B", 1.0),
];

/// The same, or 0.
pub fn size_or_none(text: &str) -> Result<usize, String> {
    match text.trim() {
        "0" => Ok(0),
        text => size(text),
    }
}

/// Reads an amount of memory: a number with a unit, or of bytes.
pub(super) fn size(text: &str) -> Result<usize, String> {
    let text = text.trim();
    let with_unit = UNITS.iter().find_map(|(unit, size)| {
        let number = text.len().checked_sub(unit.len()).filter(|&at| text.is_char_boundary(at))?;
        text[number..].eq_ignore_ascii_case(unit).then_some((&text[..number], *size))
    });
    let (number, unit) = with_unit.unwrap_or((text, 1.0));
    match number.trim().parse::<f64>() {
        Ok(number) if number > 0.0 && number * unit < 9e18 => Ok((number * unit) as usize),
        _ => Err("expected an amount of memory above zero, as 500MB, 2GiB or 1000000".to_owned()),
    }
}

/// An amount of memory with one decimal.
pub fn written_size(bytes: usize) -> String {
    let units = UNITS[..4].iter().rev();
    match units.copied().find(|(_, size)| bytes as f64 >= *size) {
        Some((unit, size)) => format!("{:.1} {unit}", bytes as f64 / size),
        None => format!("{bytes} B"),
    }
}

/// The flags of what the engine calls by its own names.
const FLAGS: [(&str, &str); 3] = [
    ("EngineOptions::max_samples", "--max-samples"),
    ("EngineOptions::max_bytes", "--max-memory"),
    ("EngineOptions::timeout", "--timeout"),
];

/// A failure of the engine whose help names the flags of this command.
#[derive(Debug)]
pub struct WithFlags<'a>(pub &'a dyn Diagnostic);

impl fmt::Display for WithFlags<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.0, f)
    }
}

impl std::error::Error for WithFlags<'_> {}

impl Diagnostic for WithFlags<'_> {
    fn code<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        self.0.code()
    }
    fn severity(&self) -> Option<miette::Severity> {
        self.0.severity()
    }
    fn help<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        let help = self.0.help()?.to_string();
        let named = FLAGS.iter().fold(help, |help, (option, flag)| help.replace(option, flag));
        Some(Box::new(named))
    }
    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.0.labels()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_of_memory() {
        assert_eq!(size("2GiB"), Ok(2 << 30));
        assert_eq!(size("1.5 mb"), Ok(1_500_000));
        assert_eq!(size("100"), Ok(100));
        for wrong in ["", "GiB", "-1MB", "1XB", "NaN", "0", "1e40TB", "é"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
        assert_eq!(written_size(0), "0 B");
        assert_eq!(written_size(3 << 19), "1.5 MiB");
    }
}
