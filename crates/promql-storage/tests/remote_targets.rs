//! What a server says of its targets, of exemplars and of the cost of a query.

mod support;

use promql_engine::{Cancellation, QueryOptions, TimeRange};
use promql_storage::remote::{RemoteOptions, RemoteServer};

use support::server::{Reply, Server};

fn connect(server: &Server) -> RemoteServer {
    let options = RemoteOptions { repetitions: 0, ..RemoteOptions::default() };
    RemoteServer::new(&server.address, options).expect("a good address")
}

#[test]
fn targets_are_read_and_what_is_not_known_is_passed_over() {
    let server = Server::start(|_, _| {
        Reply::json(
            200,
            r#"{"status":"success","data":{"activeTargets":[
                {"discoveredLabels":{"__address__":"x"},"labels":{"instance":"x:1","job":"api"},
                 "scrapePool":"api","scrapeUrl":"http://x:1/metrics","lastError":"refused","health":"down",
                 "lastScrape":"2026-11-23T05:09:30.5Z","lastScrapeDuration":0.25,"more":[1]},{}],
                "droppedTargets":null}}"#,
        )
    });
    let targets = connect(&server).targets(&Cancellation::default()).expect("targets");
    assert_eq!(targets[0].labels["instance"], "x:1");
    assert_eq!((&*targets[0].health, &*targets[0].last_error), ("down", "refused"));
    assert_eq!(targets[0].last_scrape_duration, 0.25);
    assert_eq!(targets.len(), 2);
    let asked = server.requests().concat();
    assert!(asked.starts_with("GET /api/v1/targets?state=active "), "{asked}");
}

#[test]
fn exemplars_are_those_of_their_series() {
    let server = Server::start(|_, _| {
        Reply::json(
            200,
            r#"{"status":"success","data":[{"seriesLabels":{"__name__":"x_bucket","le":"1"},"exemplars":[
                {"labels":{"trace_id":"abc"},"value":"0.5","timestamp":1795410570.123}]},
                {"seriesLabels":{},"exemplars":[]}]}"#,
        )
    });
    let range = TimeRange { start: 1_500, end: 60_000 };
    let found = connect(&server).exemplars("x_bucket", range, &Cancellation::default());
    let found = found.expect("exemplars");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].series.get("le"), Some("1"));
    assert_eq!((found[0].value, found[0].timestamp), (0.5, 1_795_410_570_123));
    assert_eq!(found[0].labels["trace_id"], "abc");
    let asked = server.requests().concat();
    assert!(asked.contains("query_exemplars?query=x_bucket&start=1.500&end=60"), "{asked}");
}

#[test]
fn the_cost_of_a_query_is_asked_for_and_read_wherever_it_stands() {
    let server = Server::start(|_, request| {
        assert!(request.contains("stats=true"), "{request}");
        Reply::json(
            200,
            r#"{"status":"success","data":{"resultType":"vector","result":[]},
                "stats":{"seriesFetched":"7","executionTimeMsec":3}}"#,
        )
    });
    let answer = connect(&server).query_with_cost("up", &QueryOptions::instant(0));
    assert_eq!(answer.expect("an answer").1.series, Some(7));
    let server = Server::start(|_, _| {
        Reply::json(
            200,
            r#"{"status":"success","data":{"resultType":"matrix","result":[],
                "stats":{"samples":{"totalQueryableSamples":5,"peakSamples":4}}}}"#,
        )
    });
    // A range that is asked in slices costs what they cost together.
    let day = QueryOptions::range(0, 20_000_000, std::time::Duration::from_secs(1));
    let (_, cost) = connect(&server).query_with_cost("up", &day).expect("an answer");
    assert_eq!((cost.samples, cost.peak_samples), (Some(10), Some(4)));
}
