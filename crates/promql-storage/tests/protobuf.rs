//! The protobuf form of expositions in, series or diagnostics out.

mod support;

use promql_storage::exposition::{Format, is_protobuf, read_protobuf};

use support::{rendered, series};

/// A message while it is written.
#[derive(Clone, Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(mut self, mut number: u64) -> Self {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
        self
    }

    fn integer(self, tag: u64, number: u64) -> Self {
        self.varint(tag << 3).varint(number)
    }

    fn double(self, tag: u64, number: f64) -> Self {
        let mut message = self.varint(tag << 3 | 1);
        message.0.extend(number.to_le_bytes());
        message
    }

    fn bytes(self, tag: u64, bytes: impl AsRef<[u8]>) -> Self {
        let mut message = self.varint(tag << 3 | 2).varint(bytes.as_ref().len() as u64);
        message.0.extend(bytes.as_ref());
        message
    }

    fn message(self, tag: u64, message: Message) -> Self {
        self.bytes(tag, message.0)
    }

    fn label(self, name: &str, value: &str) -> Self {
        self.message(1, new().bytes(1, name).bytes(2, value))
    }
}

fn new() -> Message {
    Message::default()
}

/// A family without its metrics.
fn family(name: &str, kind: u64) -> Message {
    new().bytes(1, name).bytes(2, format!("Help of {name}.")).integer(3, kind)
}

const COUNTER: u64 = 0;
const GAUGE: u64 = 1;
const SUMMARY: u64 = 2;
const UNTYPED: u64 = 3;
const HISTOGRAM: u64 = 4;
const GAUGE_HISTOGRAM: u64 = 5;

/// Families, each behind its length.
fn body(families: &[Message]) -> Vec<u8> {
    let framed = families.iter().map(|family| {
        let mut framed = new().varint(family.0.len() as u64).0;
        framed.extend(&family.0);
        framed
    });
    framed.flatten().collect()
}

fn number(value: f64) -> Message {
    new().double(1, value)
}

fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63) as u64
}

/// Populations 1, 3, 2 from the bucket with index 1 on, an empty one between, and 4 at zero.
fn native() -> Message {
    let deltas = [1, 2, -3, 2].map(zigzag).iter().fold(new(), |all, delta| all.varint(*delta));
    new()
        .integer(1, 10)
        .double(2, 12.5)
        .integer(5, zigzag(0))
        .double(6, 0.001)
        .integer(7, 4)
        .message(12, new().integer(1, zigzag(1)).integer(2, 4))
        .message(13, deltas)
}

#[test]
fn families_become_the_series_of_a_server() {
    let timestamp = new().integer(1, 1_600_000_000).integer(2, 500_000_000);
    let counter = number(7.0).message(3, timestamp);
    let labelled = new().label("job", "api").label("empty", "");
    let summary = new()
        .integer(1, 3)
        .double(2, 0.6)
        .message(3, new().double(1, 0.5).double(2, 0.2))
        .message(3, new().double(1, 1.0).double(2, f64::NAN));
    let classic = new()
        .integer(1, 5)
        .double(2, 9.0)
        .message(3, new().integer(1, 2).double(2, 0.5))
        .message(3, new().integer(1, 4).double(2, 1e6));
    let both = native().message(3, new().integer(1, 2).double(2, 0.5));
    let floats = new()
        .double(4, 2.5)
        .double(2, 1.0)
        .integer(5, zigzag(3))
        .double(8, 0.5)
        .message(9, new().integer(1, zigzag(-2)).integer(2, 1))
        .double(11, 2.0);
    let no_op_span = new().message(12, new());
    let bytes = body(&[
        family("requests_total", COUNTER).message(4, labelled.clone().message(3, counter)),
        family("temperature", GAUGE)
            .bytes(5, "celsius")
            .message(4, new().message(2, number(-3.0)).integer(6, 1_234)),
        family("latency", SUMMARY).message(4, labelled.clone().message(4, summary)),
        family("odd.name", UNTYPED).message(4, new().message(5, number(1.0))),
        family("classic", HISTOGRAM).message(4, labelled.message(7, classic)),
        family("both", HISTOGRAM).message(4, new().message(7, both)),
        family("floats", GAUGE_HISTOGRAM).message(4, new().message(7, floats)),
        family("nothing_yet", HISTOGRAM).message(4, new().message(7, no_op_span)),
        family("of_another_kind", GAUGE).message(4, new().message(3, number(5.0))),
        family("without_metrics", GAUGE),
    ]);
    assert!(is_protobuf(&bytes));
    let read = read_protobuf("metrics.pb", &bytes, 1_000).expect("well formed");
    insta::assert_snapshot!(series(&read.storage));
    let metadata = promql_engine::Storage::metadata(&read.storage, None).expect("in memory");
    insta::assert_debug_snapshot!(metadata);
}

#[test]
fn the_first_of_two_samples_counts() {
    let value = |value| new().label("job", "api").message(2, number(value));
    let later = value(3.0).integer(6, 2_000);
    let all = family("up", GAUGE).message(4, later).message(4, value(1.0)).message(4, value(0.0));
    let read = read_protobuf("metrics.pb", &body(&[all]), 1_000).expect("well formed");
    assert_eq!(series(&read.storage), "{__name__=\"up\", job=\"api\"} 1.0@1000 3.0@2000\n");
    insta::assert_snapshot!(rendered(&read.warnings[0]));
    assert_eq!(read.warnings.len(), 1);
}

#[test]
fn what_is_damaged_is_told() {
    let up = || family("up", GAUGE).message(4, new().message(2, number(1.0)));
    let gauge = |metric| body(&[up(), family("x", GAUGE).message(4, metric)]);
    let whole = body(&[up(), up()]);
    let mut broken = whole.clone();
    broken[2] = 0x70;
    let bodies: [(&str, Vec<u8>); 9] = [
        ("cut short", whole[..whole.len() - 4].to_vec()),
        ("a length without an end", vec![0x80]),
        ("a hostile length", [&whole[..], &[0xff, 0xff, 0xff, 0xff, 0x7f]].concat()),
        ("no message", broken),
        ("no name", body(&[family("", GAUGE)])),
        ("no label name", gauge(new().label("", "x"))),
        ("a label twice", gauge(new().label("a", "1").label("a", "2"))),
        (
            "a label of the histogram",
            body(&[family("x", HISTOGRAM).message(
                4,
                new().label("le", "1").message(7, new().message(3, new().double(2, 1.0))),
            )]),
        ),
        (
            "buckets that don't fit",
            body(&[family("x", HISTOGRAM)
                .message(4, new().message(7, native().message(12, new().integer(2, 9))))]),
        ),
    ];
    let answers = bodies.map(|(what, bytes)| {
        let error = read_protobuf("metrics.pb", &bytes, 0).expect_err(what);
        format!("{what}\n{}\n", rendered(&error))
    });
    insta::assert_snapshot!(answers.join("\n"));
}

#[test]
fn text_is_not_protobuf() {
    for text in ["", "\n", "#\n", "# HELP a b\na 1\n", "a 1\n", "\n\n\n", "+\n)a 1\n#\n", "up 1"] {
        assert!(!is_protobuf(text.as_bytes()), "{text:?}");
        assert_eq!(Format::detect(text.as_bytes()), Format::Text);
    }
}
