//! Names of sources in; what they are, or why they are none, out.

mod support;

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use promql_engine::{Cancellation, LabelQuery, SelectHints, SelectRequest, Storage, TimeRange};
use promql_model::{MatchOp, Matcher};
use promql_storage::{LocalSource, OpenOptions, OpenSource, Source, SourceError};

use support::folder::Folder;
use support::rendered;
use support::server::{Reply, Server};

/// Writes a file and gives its path as a source.
fn file(folder: &Folder, name: &str, text: impl AsRef<[u8]>) -> String {
    folder.file(name, text).display().to_string()
}

fn open(name: &str) -> Result<LocalSource, SourceError> {
    match Source::parse(name)?.open(&OpenOptions::default())? {
        OpenSource::Local(local) => Ok(local),
        OpenSource::Remote(_) => panic!("{name} is a server"),
    }
}

/// The metric names of a storage.
fn names(storage: &dyn Storage) -> Vec<String> {
    let all = LabelQuery { selectors: &[], range: TimeRange::ALL };
    storage.label_values("__name__", &all).expect("in memory")
}

#[test]
fn the_text_says_what_it_is() {
    let answers: Vec<String> = [
        "http://localhost:9090",
        "HTTPS://u:secret@h/p?key=secret",
        "scrape+http://h:9100/metrics",
        "a.test",
        "a.test#2",
        "dir/a.yml#all up",
        "b.YAML",
        "c.prom",
        "c.txt",
        "c.om",
        "c.pb",
        "c.test.GZ#2",
        "c.om.zst",
        "c.gz",
        " - ",
        "/",
        "",
        "ftp://u:secret@h",
        "scrape+ftp://h",
        "prod",
        "localhost:9090",
        "10.0.0.1:9090/graph",
        "dir/missing",
        "u:secret@host:9090",
        "scrape+up",
    ]
    .iter()
    .map(|text| match Source::parse(text) {
        Ok(Source::File { kind, part, .. }) => format!("{text:?}: {kind:?} {part:?}"),
        Ok(source) => format!("{text:?}: {source:?}"),
        Err(error) => format!("{text:?}:\n{}", rendered(&error)),
    })
    .map(|answer| answer.replacen("u:secret", "u:…", 1).replacen("key=secret", "key=…", 1))
    .collect();
    let answers = answers.join("\n");
    assert!(!answers.contains("secret"), "{answers}");
    insta::assert_snapshot!(answers);
}

#[test]
fn files_are_opened_by_their_names() {
    let folder = Folder::new("open");
    let prom = file(&folder, "a.prom", "up 1\nthen 2 1700000000123\n");
    let local = open(&prom).expect("exposition text");
    assert_eq!(names(&*local.storage), ["then", "up"]);
    // The time of what has none is that of the file: now, about.
    let now = std::time::SystemTime::now();
    let now = now.duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_millis() as i64;
    assert!((now - local.default_time.expect("samples")).abs() < 60_000);
    let options = OpenOptions { scrape_time: Some(5), ..OpenOptions::default() };
    let source = Source::parse(&file(&folder, "b.txt", "up 1\n# EOF\n")).expect("a file");
    let OpenSource::Local(local) = source.open(&options).expect("OpenMetrics") else { panic!() };
    assert_eq!(local.default_time, Some(5));

    let script = file(&folder, "c.test", "load 1m\n  a 1 2\n\nclear\n\nload 1m\n  b 1\n");
    let local = open(&script).expect("a script");
    assert_eq!((names(&*local.storage), local.warnings.len()), (vec!["a".to_owned()], 1));
    assert_eq!(local.default_time, Some(60_000));
    let local = open(&format!("{script}#2")).expect("a script");
    assert_eq!((names(&*local.storage), local.warnings.len()), (vec!["b".to_owned()], 0));

    let tests =
        file(&folder, "d.yml", "tests:\n- {name: x, input_series: [{series: up, values: 1}]}\n");
    assert_eq!(names(&*open(&format!("{tests}#x")).expect("a unit test").storage), ["up"]);
    // A file whose own name has a `#`.
    let odd = file(&folder, "e#1.prom", "odd 1\n");
    assert_eq!(names(&*open(&odd).expect("exposition text").storage), ["odd"]);
    assert_eq!(open(&file(&folder, "empty.prom", "")).expect("no series").default_time, None);
}

#[test]
fn compressed_files_are_what_they_are_when_decompressed() {
    let folder = Folder::new("compressed");
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(b"load 1m\n  up 1x3\n").expect("to memory");
    let gzip = gzip.finish().expect("to memory");
    // The bytes say that it is compressed, the name says what it is.
    for name in ["a.test.gz", "a.test"] {
        let local = open(&file(&folder, name, &gzip)).expect("a script");
        assert_eq!(names(&*local.storage), ["up"]);
    }
    // A gauge `up` in the protobuf form.
    let protobuf = b"\x13\x0a\x02up\x18\x01\x22\x0b\x12\x09\x09\0\0\0\0\0\0\xf0\x3f";
    for name in ["a.pb", "a.prom", "a.txt"] {
        let local = open(&file(&folder, name, protobuf)).expect("an exposition");
        assert_eq!(names(&*local.storage), ["up"]);
    }
    let cut = file(&folder, "cut.prom.gz", &gzip[..20]);
    let error = rendered(&open(&cut).expect_err("it is cut short"));
    assert!(error.contains("(incomplete deflate stream)"), "{error}");
}

#[test]
fn what_cannot_be_opened_is_said() {
    let folder = Folder::new("fail");
    let path = folder.0.display().to_string();
    let shown = |name: &str| {
        let error = open(name).expect_err("cannot be opened");
        // The length of the folder's name must not decide where lines are broken.
        rendered(&error).replace("\n  │ ", " ").replace(&path, "DIR")
    };
    let script = file(&folder, "a.test", "load 1m\n  a 1\n");
    let prom = file(&folder, "a.prom", "up 1\n");
    let answers = [
        shown(&format!("{path}/no.test")),
        shown(&path),
        shown(&file(&folder, "a.json", "{}")),
        shown(&format!("{script}#two")),
        shown(&format!("{prom}#2")),
        shown(&file(&folder, "bad.prom", "up one\n")),
    ];
    insta::assert_snapshot!(answers.join("\n\n"));
}

#[test]
fn an_exporter_is_scraped_once() {
    let reply = |content_type: &'static str, body: &'static str| {
        let server = Server::start(move |_, _| {
            let head = format!("Content-Type: {content_type}\r\n");
            Reply::Answer(200, head, body.as_bytes().to_vec())
        });
        let result = open(&format!("scrape+{}/metrics?x=1", server.address));
        let request = server.requests().remove(0);
        assert!(request.starts_with("GET /metrics?x=1 "), "{request}");
        assert!(request.contains("openmetrics-text"), "{request}");
        match result {
            Ok(local) => format!("{:?}", names(&*local.storage)),
            Err(error) => rendered(&error).replace(server.port(), "PORT"),
        }
    };
    let answers = [
        reply("text/plain; version=0.0.4", "up 1\n# EOF\nb 1\n"),
        reply("application/openmetrics-text; version=1.0.0; charset=utf-8", "up 1\n# EOF\n"),
        reply("", "up 1\n# EOF\n"),
        reply("text/plain", "up 1\nb one\n"),
        reply("text/html", "<html><title>Node Exporter</title></html>"),
    ];
    insta::assert_snapshot!(answers.join("\n"));
}

fn request<'a>(matchers: &'a [Matcher], cancellation: &'a Cancellation) -> SelectRequest<'a> {
    SelectRequest { matchers, range: TimeRange::ALL, hints: SelectHints::default(), cancellation }
}

#[test]
fn matchers_select_by_the_index_as_they_do_one_by_one() {
    let folder = Folder::new("match");
    let mut text = String::new();
    for i in 0..300 {
        let tier = ["", "gold", "silver"][i % 3];
        text += &format!("m{}{{i=\"{i}\",tier=\"{tier}\",half=\"{}\"}} {i}\n", i % 7, i % 2);
    }
    let local = open(&file(&folder, "a.prom", &text)).expect("exposition text");
    let none = Cancellation::default();
    let all = local.storage.select(&request(&[], &none)).expect("in memory").labels().to_vec();
    assert_eq!(all.len(), 300);
    assert!(all.is_sorted());
    let matchers: Vec<Matcher> = [
        ("__name__", MatchOp::Equal, "m3"),
        ("__name__", MatchOp::NotEqual, "m3"),
        ("__name__", MatchOp::Matches, "m[1-3]"),
        ("tier", MatchOp::Equal, "gold"),
        ("tier", MatchOp::Equal, ""),
        ("tier", MatchOp::NotEqual, ""),
        ("tier", MatchOp::Matches, "gold|"),
        ("tier", MatchOp::NotMatches, "s.*"),
        ("i", MatchOp::Matches, "1.+"),
        ("i", MatchOp::NotMatches, ".*7"),
        ("half", MatchOp::Equal, "1"),
        ("none", MatchOp::Equal, "x"),
        ("none", MatchOp::NotEqual, "x"),
        ("none", MatchOp::Matches, ".*"),
    ]
    .into_iter()
    .map(|(name, op, value)| Matcher::new(name, op, value).expect("valid"))
    .collect();
    let mut selected = 0;
    for a in &matchers {
        for b in &matchers {
            for c in &matchers {
                let three = [a.clone(), b.clone(), c.clone()];
                let request = request(&three, &none);
                let found = local.storage.select(&request).expect("in memory").labels().to_vec();
                let expected: Vec<_> =
                    all.iter().filter(|labels| request.matches(labels)).cloned().collect();
                assert_eq!(found, expected, "{three:?}");
                selected += found.len();
            }
        }
    }
    assert!(selected > 10_000);
    let selector = vec![matchers[0].clone(), matchers[3].clone()];
    let query =
        LabelQuery { selectors: &[selector, vec![matchers[11].clone()]], range: TimeRange::ALL };
    assert_eq!(local.storage.label_values("tier", &query).expect("in memory"), ["gold"]);
    assert_eq!(
        local.storage.label_names(&query).expect("in memory"),
        ["__name__", "half", "i", "tier"]
    );
    let never = LabelQuery { selectors: &[], range: TimeRange { start: 0, end: 1 } };
    assert_eq!(local.storage.label_names(&never).expect("in memory"), Vec::<String>::new());
}
