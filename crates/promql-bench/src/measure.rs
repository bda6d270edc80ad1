//! Asking all servers all queries, in turn, so that what else the machine does meets all of them.

use std::time::Duration;

use serde::Serialize;

use crate::compare::Answer;
use crate::data::Size;
use crate::error::Error;
use crate::progress::Progress;
use crate::queries::Query;
use crate::servers::{Server, Subject};

/// What a query took.
#[derive(Debug, Serialize)]
pub(crate) struct Measured {
    pub(crate) class: &'static str,
    pub(crate) query: &'static str,
    /// What Prometheus gave.
    pub(crate) series: usize,
    pub(crate) points: usize,
    /// The medians, in milliseconds.
    pub(crate) prometheus: f64,
    pub(crate) victoria: f64,
    pub(crate) cold: f64,
    pub(crate) hot: f64,
    /// In what the answers, cold and hot, differ from that of Prometheus.
    pub(crate) difference: Option<String>,
    /// In what VictoriaMetrics' labels or times differ. Its rates are defined in another way, so
    /// values are not compared.
    pub(crate) victoria_shape: Option<String>,
}

impl Measured {
    pub(crate) fn of(&self, subject: Subject) -> f64 {
        match subject {
            Subject::Prometheus => self.prometheus,
            Subject::Victoria => self.victoria,
            Subject::Cold => self.cold,
            Subject::Hot => self.hot,
        }
    }

    /// Whether the faster of the two other servers is faster, by more than noise.
    pub(crate) fn is_slower(&self, subject: Subject) -> bool {
        self.of(subject) > self.prometheus.min(self.victoria)
    }
}

/// Asks each query `rounds` times and once before.
pub(crate) fn measure(
    servers: &mut [Server],
    queries: &[Query],
    rounds: usize,
    size: Size,
) -> Result<Vec<Measured>, Error> {
    let mut progress = Progress::new("asking");
    let mut measured = Vec::with_capacity(queries.len());
    for (number, query) in queries.iter().enumerate() {
        progress.at(number as u64, queries.len() as u64);
        let mut answers = Vec::with_capacity(servers.len());
        // The first answers are compared; they also warm up whatever may be warm.
        for server in &mut *servers {
            let (_, body) = server.ask(*query, size)?;
            let answer = Answer::read(&body).map_err(|error| Error::NoAnswer {
                server: server.subject.name().to_owned(),
                request: query.text.to_owned(),
                error,
            })?;
            answers.push((server.subject, answer));
        }
        let mut times = vec![Vec::with_capacity(rounds); servers.len()];
        for round in 0..rounds {
            for turn in 0..servers.len() {
                // Nobody is always behind the same other one.
                let at = (turn + round) % servers.len();
                times[at].push(servers[at].ask(*query, size)?.0);
            }
        }
        let median_of = |subject: Subject| {
            let at = servers.iter().position(|server| server.subject == subject);
            at.map_or(f64::NAN, |at| median(&times[at]))
        };
        let answer_of = |subject| answers.iter().find(|(s, _)| *s == subject).map(|(_, a)| a);
        let (Some(expected), Some(victoria)) =
            (answer_of(Subject::Prometheus), answer_of(Subject::Victoria))
        else {
            continue;
        };
        let difference = [Subject::Cold, Subject::Hot].into_iter().find_map(|subject| {
            let difference = expected.difference(answer_of(subject)?)?;
            Some(format!("{}: {difference}", subject.name()))
        });
        let shape =
            |answer: &Answer| format!("{} series, {} points", answer.series(), answer.points());
        measured.push(Measured {
            class: query.class,
            query: query.text,
            series: expected.series(),
            points: expected.points(),
            prometheus: median_of(Subject::Prometheus),
            victoria: median_of(Subject::Victoria),
            cold: median_of(Subject::Cold),
            hot: median_of(Subject::Hot),
            difference,
            victoria_shape: (shape(victoria) != shape(expected)).then(|| shape(victoria)),
        });
    }
    Ok(measured)
}

/// The middle one, in milliseconds.
pub(crate) fn median(times: &[Duration]) -> f64 {
    let mut times: Vec<f64> = times.iter().map(|time| time.as_secs_f64() * 1000.0).collect();
    times.sort_by(f64::total_cmp);
    match times.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => times[count / 2],
        count => f64::midpoint(times[count / 2 - 1], times[count / 2]),
    }
}

/// The geometric mean.
pub(crate) fn mean(ratios: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = ratios.fold((0.0, 0.0), |(sum, count), r| (sum + r.ln(), count + 1.0));
    (sum / count).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_means() {
        let times = |ms: &[u64]| ms.iter().map(|ms| Duration::from_millis(*ms)).collect::<Vec<_>>();
        assert_eq!(median(&times(&[3, 1, 200])), 3.0);
        assert_eq!(median(&times(&[3, 1])), 2.0);
        assert!(median(&[]).is_nan());
        assert!((mean([2.0, 8.0].into_iter()) - 4.0).abs() < 1e-12);
    }
}
