//! A server's answers in, results or diagnostics out.

mod support;

use std::time::{Duration, Instant};

use promql_engine::{Cancellation, EngineOptions, QueryOptions, TimeRange};
use promql_storage::remote::{Credentials, HttpOptions, LabelRequest, RemoteOptions, RemoteServer};

use support::rendered;
use support::server::{Reply, Server};

fn connect(server: &Server) -> RemoteServer {
    let options = RemoteOptions { repetitions: 0, ..RemoteOptions::default() };
    RemoteServer::new(&server.address, options).expect("a good address")
}

fn now() -> QueryOptions {
    QueryOptions::instant(1_795_410_570_500)
}

/// Asks a server that answers in one way; the result, or the error as it is shown.
fn asked(expression: &str, options: &RemoteOptions, reply: fn() -> Reply) -> String {
    let server = Server::start(move |_, _| reply());
    let remote = RemoteServer::new(&server.address, options.clone()).expect("a good address");
    match remote.query(expression, &now()) {
        Ok(result) => format!("{result:#?}"),
        Err(error) => rendered(&error).replace(server.port(), "PORT"),
    }
}

/// As [`asked`], for a JSON answer and without repetitions.
fn answered(expression: &str, reply: fn() -> Reply) -> String {
    asked(expression, &RemoteOptions { repetitions: 0, ..RemoteOptions::default() }, reply)
}

#[test]
fn results_of_all_types_are_read() {
    insta::assert_snapshot!(
        "scalar",
        answered("1", || Reply::json(
            200,
            r#"{"status":"success","data":{"resultType":"scalar","result":[1795410570.5,"1e+21"]}}"#
        ))
    );
    insta::assert_snapshot!(
        "string",
        answered("\"x\"", || Reply::json(
            200,
            r#"{"status":"success","data":{"resultType":"string","result":[1795410570,"x\u003c\"y"]}}"#
        ))
    );
    insta::assert_snapshot!(
        "vector",
        answered("up", || Reply::json(
            200,
            r#"{"status":"success","data":{"resultType":"vector","result":[
            {"metric":{"job":"a\u0026b","__name__":"up"},"value":[1795410570.500,"1"]},
            {"metric":{},"value":[1795410570.001,"-Inf"]},
            {"metric":{"x":""},"value":[1795410570,2]},
            {"metric":{"h":"1"},"histogram":[1795410570,{"count":"8","sum":"10.5","buckets":[[1,"-2","-1","2"]]}]}
        ]},"warnings":["PromQL warning: quantile value should be between 0 and 1, got 2 (1:10)","PromQL info: an old server's info (1:1)"],
        "infos":["PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: \"up\" (1:6)"]}"#
        ))
    );
    insta::assert_snapshot!(
        "matrix",
        answered("up[5m]", || Reply::json(
            200,
            r#"{"status":"success","isPartial":false,"data":{"resultType":"matrix","stats":{"a":[1]},"result":[
            {"metric":{"__name__":"up"},"values":[[0.500,"1"],[1,"NaN"]],"histograms":[[2,{"count":"1","sum":"2"}]]},
            {"metric":{},"histograms":null}
        ]}}"#
        ))
    );
    insta::assert_snapshot!(
        "type_behind",
        answered("1", || Reply::json(
            200,
            r#"{"data":{"result":[{"metric":{},"value":[1,"1"]}],"resultType":"vector"},"warnings":null,"status":"success"}"#
        ))
    );
    insta::assert_snapshot!(
        "null_result",
        answered("1", || Reply::json(
            200,
            r#"{"status":"success","data":{"resultType":"matrix","result":null}}"#
        ))
    );
}

#[test]
fn errors_of_the_api_are_shown_in_the_expression() {
    insta::assert_snapshot!(
        "api_syntax",
        answered("sum(rate(up{)", || Reply::json(
            400,
            r#"{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": 1:13: parse error: unexpected \")\" in label matching, expected identifier or \"}\""}"#
        ))
    );
    insta::assert_snapshot!(
        "api_execution",
        answered("a * b", || Reply::json(
            422,
            r#"{"status":"error","errorType":"execution","error":"found duplicate series for the match group {} on the right hand-side"}"#
        ))
    );
    insta::assert_snapshot!(
        "api_samples",
        answered("a", || Reply::json(
            422,
            r#"{"status":"error","errorType":"execution","error":"query processing would load too many samples into memory in query execution"}"#
        ))
    );
    insta::assert_snapshot!(
        "api_timeout",
        answered("a", || Reply::json(
            503,
            r#"{"status":"error","errorType":"timeout","error":"query timed out in expression evaluation"}"#
        ))
    );
    insta::assert_snapshot!(
        "api_forbidden",
        answered("a", || Reply::json(
            403,
            r#"{"message":"Permission denied","messageId":"x","traceID":""}"#
        ))
    );
    insta::assert_snapshot!(
        "api_in_success",
        answered("a", || Reply::json(
            200,
            r#"{"status":"error","errorType":"internal","error":"disk\u001b[31m full"}"#
        ))
    );
}

#[test]
fn what_is_no_answer_of_the_api_is_said_so() {
    insta::assert_snapshot!(
        "html_login",
        answered("a", || Reply::Answer(
            200,
            "Content-Type: text/html\r\n".to_owned(),
            b"<!doctype html><html><head><title>Log in \x1b to Grafana</title></head></html>"
                .to_vec()
        ))
    );
    insta::assert_snapshot!(
        "html_error",
        answered("a", || Reply::Answer(
            404,
            "".to_owned(),
            b"<html><body><h1>Not Found</h1><p>no such page</body></html>".to_vec()
        ))
    );
    insta::assert_snapshot!(
        "plain_404",
        answered("a", || Reply::Answer(404, "".to_owned(), b"404 page not found\n".to_vec()))
    );
    insta::assert_snapshot!(
        "plain_503",
        answered("a", || Reply::Answer(503, "".to_owned(), b"Service Unavailable".to_vec()))
    );
    insta::assert_snapshot!(
        "plain_200",
        answered("a", || Reply::Answer(200, "".to_owned(), b"hello \xff\n".to_vec()))
    );
    insta::assert_snapshot!("other_json", answered("a", || Reply::json(200, r#"{"version":"9"}"#)));
    insta::assert_snapshot!(
        "other_type",
        answered("a", || Reply::json(
            200,
            r#"{"status":"success","data":{"resultType":"tensor","result":[]}}"#
        ))
    );
    insta::assert_snapshot!(
        "bad_number",
        answered("a", || Reply::json(
            200,
            r#"{"status":"success","data":{"resultType":"scalar","result":[1,"one"]}}"#
        ))
    );
    insta::assert_snapshot!(
        "no_data",
        answered("a", || Reply::json(200, r#"{"status":"success"}"#))
    );
    insta::assert_snapshot!(
        "empty",
        answered("a", || Reply::Answer(200, "".to_owned(), Vec::new()))
    );
    insta::assert_snapshot!(
        "cut_json",
        answered("a", || Reply::json(200, r#"{"status":"success","data":{"res"#))
    );
    insta::assert_snapshot!(
        "cut_body",
        answered("a", || Reply::Raw(
            b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"status\":".to_vec()
        ))
    );
    insta::assert_snapshot!(
        "cut_gzip",
        answered("a", || Reply::Answer(
            200,
            "Content-Encoding: gzip\r\n".to_owned(),
            b"\x1f\x8b\x08\0\0\0\0\0".to_vec()
        ))
    );
    insta::assert_snapshot!("reset", answered("a", || Reply::Raw(Vec::new())));
    insta::assert_snapshot!(
        "no_http",
        answered("a", || Reply::Raw(b"SSH-2.0-OpenSSH_9.9\r\n".to_vec()))
    );
}

#[test]
fn deep_nesting_is_an_error() {
    let server = Server::start(|_, _| {
        let deep = "[".repeat(1 << 20);
        Reply::json(
            200,
            &format!("{{\"status\":\"success\",\"data\":{{\"resultType\":\"matrix\",\"x\":{deep}"),
        )
    });
    assert!(connect(&server).query("a", &now()).is_err());
}

#[test]
fn nobody_there_is_said_so() {
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.local_addr().expect("an address").to_string()
    };
    let shown = |address: &str| {
        let server = RemoteServer::new(address, RemoteOptions::default()).expect("an address");
        rendered(&server.query("up", &now()).expect_err("nobody there"))
    };
    let refused = shown(&format!("http://alice:secret@{closed}/x?token=secret"));
    insta::assert_snapshot!("refused", refused.replace(&closed, "HOST:PORT"));
    insta::assert_snapshot!("unknown_host", shown("http://no-such-host.invalid:9090"));
}

#[test]
fn a_server_without_tls_is_said_so() {
    // A plain server answers a TLS greeting with text.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let plain = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = stream;
            let _ = std::io::Write::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let options = RemoteOptions { repetitions: 0, ..RemoteOptions::default() };
    let remote = RemoteServer::new(&format!("https://{plain}"), options).expect("an address");
    let shown = rendered(&remote.query("up", &now()).expect_err("no TLS there"));
    insta::assert_snapshot!("no_tls", shown.replace(&plain.port().to_string(), "PORT"));
}

#[test]
fn addresses_that_are_none_are_shown_without_secrets() {
    let shown = |address: &str| {
        let error = RemoteServer::new(address, RemoteOptions::default()).expect_err("no address");
        rendered(&error)
    };
    insta::assert_snapshot!("address_scheme", shown("ftp://u:secret@host/x?token=secret"));
    insta::assert_snapshot!("address_port", shown("http://u:secret@host:port"));
    let options = RemoteOptions {
        http: HttpOptions {
            headers: vec![("X-Key".to_owned(), "secret\n".into())],
            ..HttpOptions::default()
        },
        ..RemoteOptions::default()
    };
    let error = RemoteServer::new("http://h", options).expect_err("no header");
    insta::assert_snapshot!("header", rendered(&error));
    let options = RemoteOptions {
        http: HttpOptions {
            credentials: Some(Credentials::bearer("secret")),
            ..HttpOptions::default()
        },
        ..RemoteOptions::default()
    };
    let error = RemoteServer::new("http://u:secret@h", options).expect_err("two users");
    insta::assert_snapshot!("two_credentials", rendered(&error));
}

#[test]
fn slow_answers_end_at_the_timeout() {
    for reply in [
        || Reply::Silence(Duration::from_secs(30)),
        || Reply::Drip(vec![b' '; 10_000], Duration::from_millis(5)),
    ] {
        let server = Server::start(move |_, _| reply());
        let started = Instant::now();
        let request = LabelRequest::default();
        let options = RemoteOptions {
            timeout: Duration::from_millis(200),
            repetitions: 0,
            ..RemoteOptions::default()
        };
        let remote = RemoteServer::new(&server.address, options).expect("an address");
        let error = remote.label_names(&request).expect_err("too slow");
        assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
        let expected = format!("{} gave no answer within 200 ms", server.address);
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn a_waiting_query_can_be_cancelled() {
    let server = Server::start(|_, _| Reply::Silence(Duration::from_secs(30)));
    let remote = connect(&server);
    let options = now();
    let switch = options.cancellation.clone();
    let started = Instant::now();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        switch.cancel();
    });
    assert!(remote.query("up", &options).expect_err("cancelled").is_cancelled());
    assert!(started.elapsed() < Duration::from_secs(3));
}

#[test]
fn an_answer_may_not_fill_the_memory() {
    let options = RemoteOptions { most_bytes: 1 << 20, repetitions: 0, ..RemoteOptions::default() };
    insta::assert_snapshot!("too_large", asked("a", &options, || Reply::Flood));
}

#[test]
fn a_busy_server_is_asked_again() {
    let success = r#"{"status":"success","data":["a"]}"#;
    for (first, expected) in [
        (|| Reply::Answer(503, "".to_owned(), b"Service Unavailable".to_vec()), true),
        (|| Reply::Answer(429, "Retry-After: 0\r\n".to_owned(), Vec::new()), true),
        (|| Reply::Raw(Vec::new()), true),
        (|| Reply::json(503, r#"{"status":"error","errorType":"timeout","error":"x"}"#), false),
        (|| Reply::json(400, r#"{"status":"error","errorType":"bad_data","error":"x"}"#), false),
    ] as [(fn() -> Reply, bool); 5]
    {
        let server = Server::start(
            move |number, _| {
                if number == 0 { first() } else { Reply::json(200, success) }
            },
        );
        let remote = RemoteServer::new(&server.address, RemoteOptions::default()).expect("address");
        let answer = remote.label_names(&LabelRequest::default());
        assert_eq!(answer.is_ok(), expected, "{answer:?}");
        assert_eq!(server.requests().len(), 1 + usize::from(expected));
    }
}

#[test]
fn where_post_is_refused_get_is_used_from_then_on() {
    let server = Server::start(|_, request| {
        if request.starts_with("POST") {
            return Reply::Answer(405, "".to_owned(), b"Method Not Allowed".to_vec());
        }
        Reply::json(200, r#"{"status":"success","data":["a"]}"#)
    });
    let remote = connect(&server);
    for _ in 0..2 {
        let answer = remote.label_names(&LabelRequest::default()).expect("an answer");
        assert_eq!(answer.data, ["a"]);
    }
    let methods: Vec<String> = server
        .requests()
        .iter()
        .map(|r| r.split(' ').next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(methods, ["POST", "GET", "GET"]);
}

#[test]
fn redirects_are_followed_as_far_as_is_safe() {
    let elsewhere =
        Server::start(|_, _| Reply::json(200, r#"{"status":"success","data":["there"]}"#));
    let to = elsewhere.address.replace("127.0.0.1", "localhost");
    let cases: [(u16, String, &str); 4] = [
        (307, format!("{to}/api/v1/labels"), "Ok"),
        (301, format!("{to}/api/v1/labels"), "instead of answering (status 301)"),
        (302, "/login?next=secret".to_owned(), "/login instead of answering"),
        (308, "/api/v1/labels".to_owned(), "more than 10 redirects"),
    ];
    for (status, location, expected) in cases {
        let head = format!("Location: {location}\r\n");
        let server = Server::start(move |_, _| Reply::Answer(status, head.clone(), Vec::new()));
        let options = RemoteOptions {
            http: HttpOptions {
                credentials: Some(Credentials::bearer("secret")),
                ..HttpOptions::default()
            },
            repetitions: 0,
            ..RemoteOptions::default()
        };
        let remote = RemoteServer::new(&server.address, options).expect("an address");
        let answer = match remote.label_names(&LabelRequest::default()) {
            Ok(answer) => format!("Ok({:?})", answer.data),
            Err(error) => error.to_string(),
        };
        assert!(answer.contains(expected), "{answer}");
        assert!(!answer.contains("secret"), "{answer}");
    }
    // What proves who asks stayed with the host that it was meant for.
    let requests = elsewhere.requests();
    assert_eq!(requests.len(), 1);
    assert!(!requests[0].to_ascii_lowercase().contains("authorization"), "{requests:?}");
}

#[test]
fn requests_say_what_was_asked() {
    let server = Server::start(|_, request| {
        Reply::json(
            200,
            match request.split([' ', '?']).nth(1).unwrap_or_default() {
                path if path.ends_with("/metadata") => {
                    r#"{"status":"success","data":{"up":[{"type":"gauge","help":"h","unit":""}]}}"#
                }
                path if path.ends_with("/buildinfo") => {
                    r#"{"status":"success","data":{"version":"3.5.0","goVersion":"go1"}}"#
                }
                path if path.ends_with("/series") => {
                    r#"{"status":"success","data":[{"__name__":"up"}],"warnings":["results truncated due to limit"]}"#
                }
                path if path.ends_with("/query") => {
                    r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#
                }
                path if path.ends_with("/query_range") => {
                    r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#
                }
                _ => r#"{"status":"success","data":["a","b"]}"#,
            },
        )
    });
    let address = server.address.replace("http://", "http://alice:open%20sesame@");
    let options = RemoteOptions {
        http: HttpOptions {
            headers: vec![("X-Scope-OrgID".to_owned(), "team-a".into())],
            ..HttpOptions::default()
        },
        ..RemoteOptions::default()
    };
    let remote = RemoteServer::new(&format!("{address}/prom/?extra=1"), options).expect("address");
    let selectors = ["up".to_owned(), "{a=\"&\"}".to_owned()];
    let request = LabelRequest {
        selectors: &selectors,
        range: Some(TimeRange { start: 0, end: 1500 }),
        limit: 10,
        cancellation: Cancellation::default(),
    };
    let mut range = QueryOptions::range(0, 60_000, Duration::from_millis(1500));
    range.engine = EngineOptions {
        lookback_delta: Duration::from_secs(60),
        timeout: Some(Duration::from_secs(7)),
        ..EngineOptions::default()
    };
    let mut out = Vec::new();
    out.push(format!("{:?}", remote.query("up +\n1", &now())));
    out.push(format!("{:?}", remote.query("up", &range)));
    out.push(format!("{:?}", remote.series(&request)));
    out.push(format!("{:?}", remote.label_names(&LabelRequest::default())));
    out.push(format!("{:?}", remote.label_values("a.b", &request)));
    out.push(format!("{:?}", remote.metadata(Some("up"), &Cancellation::default())));
    out.push(format!("{:?}", remote.build_info(&Cancellation::default())));
    let requests: Vec<String> = server
        .requests()
        .iter()
        .map(|request| {
            let mut lines: Vec<&str> =
                request.lines().filter(|line| !line.starts_with("host:")).collect();
            lines.retain(|line| !line.starts_with("accept-encoding"));
            lines.join("\n")
        })
        .collect();
    insta::assert_snapshot!("answers", out.join("\n"));
    insta::assert_snapshot!("requests", requests.join("\n\n"));
    assert!(server.requests().iter().all(|request| request.contains("accept-encoding: gzip")));
}

#[test]
fn a_handle_works_in_and_is_dropped_in_any_thread() {
    let server = Server::start(|_, _| Reply::json(200, r#"{"status":"success","data":["a"]}"#));
    let remote = connect(&server);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let answer = remote.label_names(&LabelRequest::default()).expect("an answer");
                assert_eq!(answer.data, ["a"]);
            });
        }
    });
    std::thread::spawn(move || drop(remote)).join().expect("no panic");
}
