//! What an evaluation took on a server, as it says when it is asked with `stats`.

use std::time::Duration;

use serde_json::Value;

/// What an evaluation took on a server. What it doesn't say is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServerCost {
    /// The evaluation, without waiting for its turn.
    pub time: Option<Duration>,
    /// How long it waited for its turn.
    pub waited: Option<Duration>,
    /// The series that were read, which VictoriaMetrics says.
    pub series: Option<u64>,
    /// The samples that the steps looked at (`totalQueryableSamples`).
    pub samples: Option<u64>,
    /// The most samples that were held at one time.
    pub peak_samples: Option<u64>,
}

impl ServerCost {
    /// Reads `stats`: that of Prometheus, inside of `data`, or that of VictoriaMetrics, beside it. Servers
    /// write what they like there, so what isn't known is passed over.
    pub(super) fn read(stats: &Value) -> ServerCost {
        let number = |value: &Value| {
            value.as_u64().or_else(|| value.as_str().and_then(|text| text.parse().ok()))
        };
        let seconds = |name: &str| {
            let seconds = stats["timings"][name].as_f64()?;
            Duration::try_from_secs_f64(seconds).ok()
        };
        let milliseconds = || Some(Duration::from_millis(number(&stats["executionTimeMsec"])?));
        ServerCost {
            time: seconds("evalTotalTime").or_else(milliseconds),
            waited: seconds("execQueueTime"),
            series: number(&stats["seriesFetched"]),
            samples: number(&stats["samples"]["totalQueryableSamples"]),
            peak_samples: number(&stats["samples"]["peakSamples"]),
        }
    }

    /// What two evaluations took together.
    pub(super) fn and(self, other: ServerCost) -> ServerCost {
        fn both<T>(a: Option<T>, b: Option<T>, together: impl Fn(T, T) -> T) -> Option<T> {
            match (a, b) {
                (Some(a), Some(b)) => Some(together(a, b)),
                (a, b) => a.or(b),
            }
        }
        ServerCost {
            time: both(self.time, other.time, |a, b| a + b),
            waited: both(self.waited, other.waited, |a, b| a + b),
            // The slices of a range read the same series.
            series: both(self.series, other.series, u64::max),
            samples: both(self.samples, other.samples, u64::saturating_add),
            peak_samples: both(self.peak_samples, other.peak_samples, u64::max),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_servers_say_is_read() {
        let read = |text: &str| ServerCost::read(&serde_json::from_str(text).expect("JSON"));
        let prometheus = read(
            r#"{"timings":{"evalTotalTime":0.002,"execQueueTime":0.00001},
                "samples":{"totalQueryableSamples":12,"peakSamples":7}}"#,
        );
        assert_eq!(prometheus.time, Some(Duration::from_millis(2)));
        assert_eq!((prometheus.samples, prometheus.peak_samples), (Some(12), Some(7)));
        let other = read(r#"{"seriesFetched":"3","executionTimeMsec":5}"#);
        assert_eq!((other.series, other.time), (Some(3), Some(Duration::from_millis(5))));
        for strange in ["null", "[1]", r#"{"timings":{"evalTotalTime":-1},"samples":"x"}"#] {
            assert_eq!(read(strange), ServerCost::default());
        }
        let both = prometheus.and(other);
        assert_eq!(both.time, Some(Duration::from_millis(7)));
        assert_eq!((both.series, both.samples), (Some(3), Some(12)));
    }
}
