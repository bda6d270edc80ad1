//! The page of a server that shows an expression.
//!
//! The parameters are those of Prometheus' own page, which Thanos and VictoriaMetrics read, too. Times are
//! fixed, so that whoever opens the address later sees what was seen.

use crate::time::When;

/// The address of the page. `server` is the server's address, without secrets.
pub(super) fn address(server: &str, expression: &str, when: When) -> String {
    let mut parameters = form_urlencoded::Serializer::new(String::new());
    parameters.append_pair("g0.expr", expression);
    let civil = |time: i64| {
        let utc = jiff::tz::TimeZone::UTC;
        crate::render::timestamps::civil(time, &utc, false)
    };
    match when {
        When::At(time) => {
            parameters.append_pair("g0.tab", "1");
            // Older pages and newer ones call it differently.
            parameters.append_pair("g0.moment_input", &civil(time));
            parameters.append_pair("g0.end_input", &civil(time));
        }
        When::Over(range) => {
            let seconds = (range.end.saturating_sub(range.start) / 1000).max(1);
            parameters.append_pair("g0.tab", "0");
            parameters.append_pair("g0.range_input", &format!("{seconds}s"));
            parameters.append_pair("g0.end_input", &civil(range.end));
            parameters.append_pair("g0.step_input", &(range.step / 1000).max(1).to_string());
        }
    }
    format!("{}/graph?{}", server.trim_end_matches('/'), parameters.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Range;

    #[test]
    fn times_are_fixed() {
        assert_eq!(
            address("http://h:9090/prom/", "up{a=\"b c\"}", When::At(1_795_410_570_500)),
            "http://h:9090/prom/graph?g0.expr=up%7Ba%3D%22b+c%22%7D&g0.tab=1\
             &g0.moment_input=2026-11-23+05%3A09%3A30&g0.end_input=2026-11-23+05%3A09%3A30"
        );
        let range = Range { start: 1_795_410_000_000, end: 1_795_413_600_000, step: 15_000 };
        assert_eq!(
            address("http://h", "up", When::Over(range)),
            "http://h/graph?g0.expr=up&g0.tab=0&g0.range_input=3600s\
             &g0.end_input=2026-11-23+06%3A00%3A00&g0.step_input=15"
        );
    }
}
