//! What the command says when a server or an exporter does something wrong, and how it ends.

#![allow(clippy::unwrap_used, reason = "a test that fails")]

use std::fmt::Write;
use std::process::Command;
use std::time::Duration;

use promql_tests::binary;
use promql_tests::faulty::{Reply, Server};

/// Half of a packed body.
const HALF_GZIP: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\xabV*.IL.V\xb2R*-NN.J-V\xaa";

const VECTOR: &str = r#"{"status":"success","data":{"resultType":"vector","result":["#;

fn plain(status: u16, headers: &str, body: &str) -> Reply {
    Reply::Answer(status, headers.to_owned(), body.as_bytes().to_vec())
}

fn raw(text: &str) -> Reply {
    Reply::Raw(text.as_bytes().to_vec())
}

/// What is asked, and what comes back.
struct Case {
    name: &'static str,
    reply: fn(&str) -> Reply,
    arguments: &'static [&'static str],
}

const fn case(name: &'static str, reply: fn(&str) -> Reply) -> Case {
    Case { name, reply, arguments: &[] }
}

const CASES: [Case; 29] = [
    case("breaks the connection at once", |_| Reply::Reset(Vec::new())),
    case("closes the connection at once", |_| Reply::Raw(Vec::new())),
    case("breaks the connection in the head", |_| Reply::Reset(b"HTTP/1.1 200 OK\r\nConte".into())),
    case("breaks the connection behind the head", |_| {
        Reply::Reset(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n".into())
    }),
    case("breaks the connection in the body", |_| {
        Reply::Reset(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{\"status\":\"succ".into())
    }),
    case("sends less than it says", |_| {
        raw("HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{\"status\":\"success\"")
    }),
    case("sends a chunk that does not end", |_| {
        raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{\"stat")
    }),
    case("cuts the answer between chunks", |_| {
        raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{\"status\r\n")
    }),
    case("sends an answer that breaks off and says that it is whole", |_| {
        Reply::json(200, &VECTOR[..40])
    }),
    case("sends half of a packed body", |_| {
        Reply::Answer(200, "Content-Encoding: gzip\r\n".to_owned(), HALF_GZIP.to_vec())
    }),
    case("sends a body that is not packed as it says", |_| {
        plain(200, "Content-Encoding: gzip\r\n", "{\"status\":\"success\"}")
    }),
    case("packs by what nobody asked for", |_| {
        Reply::Answer(200, "Content-Encoding: br\r\n".to_owned(), b"\x8b\x03\x80\x03".to_vec())
    }),
    Case {
        name: "says nothing",
        reply: |_| Reply::Silence(Duration::from_secs(60)),
        arguments: &["--timeout", "100ms"],
    },
    Case {
        name: "says something now and then",
        reply: |_| Reply::Drip(vec![b' '; 100_000], Duration::from_millis(20)),
        arguments: &["--timeout", "100ms"],
    },
    Case { name: "does not stop", reply: |_| Reply::Flood, arguments: &["--max-answer", "1MiB"] },
    case("shows a page to log in", |_| {
        plain(200, "Content-Type: text/html\r\n", "<html><title>Sign in</title></html>")
    }),
    case("shows an error of a proxy", |_| {
        plain(502, "Content-Type: text/html\r\n", "<html><h1>502 Bad Gateway</h1>nginx</html>")
    }),
    case("sends an image", |_| plain(200, "Content-Type: image/png\r\n", "\u{1b}[2J\u{7}PNG")),
    case("is another API", |_| Reply::json(200, r#"{"database":"ok","version":"12"}"#)),
    case("is busy for an hour", |_| plain(429, "Retry-After: 3600\r\n", "slow down")),
    case("is busy without an end", |_| plain(503, "Retry-After: 0\r\n", "Service Unavailable")),
    case("is busy until a day of the past", |_| {
        plain(503, "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n", "Service Unavailable")
    }),
    case("wants to know who asks", |_| plain(401, "WWW-Authenticate: Basic\r\n", "Unauthorized")),
    case("sends to a page to log in", |_| {
        plain(302, "Location: https://sso.example/login?next=%2F\r\n", "")
    }),
    case("sends to elsewhere in a way that loses the query", |_| {
        plain(301, "Location: http://other.example/api/v1/query\r\n", "")
    }),
    case("sends in circles", |_| plain(307, "Location: /api/v1/query\r\n", "")),
    case("sends to what is no address", |_| plain(307, "Location: http://[\r\n", "")),
    case("is no HTTP server", |_| raw("SSH-2.0-OpenSSH_10.0\r\n")),
    case("says values that are no numbers", |_| {
        Reply::json(200, &format!(r#"{VECTOR}{{"metric":{{}},"value":[1,"\u001b[31mred"]}}]}}}}"#))
    }),
];

/// Runs a query; what it writes, with the port left out, and how it ends.
fn run(server: &Server, source: &str, arguments: &[&str]) -> String {
    let output = Command::new(binary::promql())
        .args(["query", "-s", source, "--time", "0", "up"])
        .args(arguments)
        .env_remove("PROMQL_SOURCE")
        .output()
        .unwrap();
    let mut out = String::from_utf8_lossy(&output.stdout).into_owned();
    out.push_str(&String::from_utf8_lossy(&output.stderr));
    let _ = writeln!(out, "(exit code {})", output.status.code().unwrap());
    let out = out.replace(server.port(), "PORT");
    out.lines().map(|line| format!("  {}", line.trim_end()).trim_end().to_owned() + "\n").collect()
}

#[test]
fn what_a_server_does_wrong_is_said() {
    let mut shown = String::new();
    for Case { name, reply, arguments } in CASES {
        let server = Server::start(move |_, request| reply(request));
        // Waiting between attempts is tested where it does not take that long.
        let mut all = arguments.to_vec();
        if !name.starts_with("is busy") {
            all.extend(["--retries", "0"]);
        }
        let said = run(&server, &server.address, &all);
        assert!(said.ends_with("(exit code 2)\n"), "{name}: {said}");
        assert!(!said.contains('\u{1b}') && !said.contains('\u{7}'), "{name}: {said:?}");
        let _ = writeln!(shown, "A server that {name}:\n{said}");
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn what_an_exporter_does_wrong_is_said() {
    type Case = (&'static str, fn() -> Reply);
    let cases: [Case; 6] = [
        ("breaks the connection in the body", || {
            Reply::Reset(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\nup 1\n".into())
        }),
        ("sends half of a packed body", || {
            Reply::Answer(200, "Content-Encoding: gzip\r\n".to_owned(), HALF_GZIP.to_vec())
        }),
        ("shows a page", || {
            plain(200, "Content-Type: text/html\r\n", "<html><title>Exporter</title></html>")
        }),
        ("has no metrics there", || plain(404, "", "404 page not found\n")),
        ("fails", || plain(500, "", "collecting metrics: disk on fire")),
        ("sends what is no metric", || plain(200, "Content-Type: text/plain\r\n", "up{a=1} 1\n")),
    ];
    let mut shown = String::new();
    for (name, reply) in cases {
        let server = Server::start(move |_, _| reply());
        let source = format!("scrape+{}/metrics", server.address);
        let said = run(&server, &source, &["--retries", "0"]);
        assert!(said.ends_with("(exit code 2)\n"), "{name}: {said}");
        let _ = writeln!(shown, "An exporter that {name}:\n{said}");
    }
    insta::assert_snapshot!(shown);
}

/// Labels may hold anything, and a terminal must not obey it.
#[test]
fn hostile_label_values_are_shown_and_do_nothing() {
    let hostile = r#"\u001b]0;owned\u0007\u001b[2J\u202eevil\r\n\u0000x"#;
    let body = format!(
        r#"{VECTOR}{{"metric":{{"__name__":"up","job":"{hostile}","{hostile}":"x"}},"value":[0,"1"]}}]}},"warnings":["{hostile}"]}}"#
    );
    let mut shown = String::new();
    for format in ["table", "vertical", "csv", "md", "json", "ndjson", "series"] {
        let body = body.clone();
        let server = Server::start(move |_, _| Reply::json(200, &body));
        let said = run(&server, &server.address, &["-o", format]);
        let is_hostile = |c: char| match format {
            // In CSV a value is what it is.
            "csv" => false,
            "json" | "ndjson" => c.is_control() && c != '\n',
            _ => c.is_control() && c != '\n' || c == '\u{202e}',
        };
        assert!(!said.contains(is_hostile), "{format}: {said:?}");
        let _ =
            writeln!(shown, "{format}:\n{}", said.escape_debug().to_string().replace("\\n", "\n"));
    }
    insta::assert_snapshot!(shown);
}

/// The same server answers well afterwards: nothing of what was wrong stays.
#[test]
fn an_answer_in_the_end_is_an_answer() {
    let good = format!(r#"{VECTOR}{{"metric":{{}},"value":[0,"1"]}}]}}}}"#);
    let server = Server::start(move |number, _| match number {
        0 => Reply::Reset(Vec::new()),
        1 => plain(503, "Retry-After: 0\r\n", "Service Unavailable"),
        _ => Reply::json(200, &good),
    });
    assert_eq!(run(&server, &server.address, &[]), "  {}  1\n  (exit code 0)\n");
    assert_eq!(server.requests().len(), 3);
}
