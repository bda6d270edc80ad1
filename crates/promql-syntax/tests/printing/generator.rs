//! Generates well-typed expressions that use all of the grammar.

use promql_syntax::functions::{AGGREGATORS, FUNCTIONS, FunctionInfo};
use promql_syntax::{Features, ValueType};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::Union;

/// A strategy for texts.
pub(crate) type Text = BoxedStrategy<String>;

/// Well-typed expressions of any type.
pub(crate) fn expression() -> Text {
    let levels = (0..4).fold(Levels::leaves(), |inner, _| inner.deeper());
    let any = prop_oneof![6 => levels.vector, 2 => levels.scalar, 2 => levels.range, 1 => string()];
    let is_well_typed = |text: &String| match promql_syntax::parse(text, &Features::ALL) {
        Ok(expr) => promql_syntax::check(&expr).is_ok(),
        // It would be an error of this generator: let the test show it.
        Err(_) => true,
    };
    any.prop_filter("a set operator between scalars, say", is_well_typed).boxed()
}

/// Expressions up to some depth, by type.
struct Levels {
    scalar: Text,
    vector: Text,
    range: Text,
}

impl Levels {
    fn leaves() -> Levels {
        Levels { scalar: number(), vector: selector(), range: range_selector() }
    }

    fn deeper(self) -> Levels {
        let by_type = |value_type| match value_type {
            ValueType::Scalar => self.scalar.clone(),
            ValueType::InstantVector => self.vector.clone(),
            ValueType::RangeVector => self.range.clone(),
            ValueType::String => string(),
        };
        let calls = |value_type| {
            let rows = FUNCTIONS.iter().filter(move |row| row.returns == value_type);
            Union::new(rows.map(|row| call(row, by_type))).boxed()
        };
        let (scalar, vector) = (self.scalar.clone(), self.vector.clone());
        let scalar = prop_oneof![
            3 => scalar.clone(),
            1 => calls(ValueType::Scalar),
            1 => binary(scalar.clone(), scalar_operator(), scalar.clone()),
            1 => parenthesized(scalar.clone()),
            1 => (sign(), scalar.clone()).prop_map(|(sign, x)| format!("{sign} {x}")),
        ];
        let vector = prop_oneof![
            2 => vector.clone(),
            3 => calls(ValueType::InstantVector),
            2 => aggregation(self.scalar.clone(), vector.clone()),
            2 => binary(vector.clone(), vector_operator(), vector.clone()),
            1 => binary(vector.clone(), mixed_operator(), self.scalar.clone()),
            1 => binary(self.scalar.clone(), mixed_operator(), vector.clone()),
            1 => parenthesized(vector.clone()),
            1 => (sign(), vector.clone()).prop_map(|(sign, x)| format!("{sign}{x}")),
        ];
        let range = prop_oneof![
            2 => range_selector(),
            1 => subquery(self.vector.clone()),
            1 => parenthesized(self.range.clone()),
        ];
        Levels { scalar: scalar.boxed(), vector: vector.boxed(), range: range.boxed() }
    }
}

fn parenthesized(inner: Text) -> Text {
    inner.prop_map(|inner| format!("({inner})")).boxed()
}

fn one_of(texts: &'static [&'static str]) -> Text {
    select(texts).prop_map(str::to_owned).boxed()
}

fn sign() -> Text {
    one_of(&["+", "-"])
}

fn number() -> Text {
    let spelled = one_of(&[
        "0", "1", "-1", "2.50", ".5", "5.", "1e3", "1E-7", "0x1F", "0755", "1_000", "(Inf)",
        "(-inf)", "NaN", "+3", "1e300", "5m", "1h30m", "-2d", "1y", "90s",
    ]);
    let any = any::<f64>().prop_map(|value| match value.is_nan() {
        true => "nan".to_owned(),
        false => format!("{value:e}"),
    });
    prop_oneof![3 => spelled, 1 => any].boxed()
}

fn string() -> Text {
    let any = "[a-z0-9 #{}é\u{200b}\u{1F600}]{0,6}".prop_map(|text| format!("{text:?}"));
    let any = any.prop_filter("an escape of Rust's alone", |text| !text.contains("\\u{"));
    let spelled = one_of(&[
        r#""""#,
        r#"'it"s'"#,
        r"`a\b`",
        r#""\xff\n\t\\""#,
        "'# no comment'",
        "`two\nlines`",
        r#""\u00e9\U0001F600""#,
        r#""=~,""#,
    ]);
    prop_oneof![any, spelled].boxed()
}

fn label() -> Text {
    one_of(&[
        "job", "instance", "le", "by", "on", "offset", "__name__", "sum", "\"a.b\"", "'é'", "x1",
    ])
}

fn labels() -> Text {
    let list = prop::collection::vec(label(), 0..4);
    (list, any::<bool>())
        .prop_map(|(labels, comma)| {
            let comma = if comma && !labels.is_empty() { "," } else { "" };
            format!("({}{comma})", labels.join(","))
        })
        .boxed()
}

fn matcher() -> Text {
    let plain = (label(), one_of(&["=", "!="]), string());
    let plain = plain.prop_map(|(label, op, value)| format!("{label} {op} {value}"));
    let value = one_of(&["\"5..\"", "'a|b'", "\".+\"", "`\\d+`", "\"\""]);
    let regex = (label(), one_of(&["=~", "!~"]), value);
    prop_oneof![plain, regex.prop_map(|(label, op, value)| format!("{label}{op}{value}"))].boxed()
}

/// A name and braces, without modifiers.
fn bare_selector() -> Text {
    let name = one_of(&[
        "x",
        "up",
        "http_requests_total",
        "job:rate:sum",
        "sum",
        "by",
        "and",
        "offset",
        "fill",
    ]);
    let matchers = prop::collection::vec(
        matcher().prop_filter("a name twice", |matcher| !matcher.contains("__name__")),
        0..4,
    );
    let matchers = (matchers, any::<bool>());
    let named = (name, matchers.clone()).prop_map(|(name, (matchers, comma))| {
        let comma = if comma && !matchers.is_empty() { "," } else { "" };
        match matchers.is_empty() {
            true => name,
            false => format!("{name}{{{}{comma}}}", matchers.join(", ")),
        }
    });
    let unnamed =
        (prop::collection::vec(matcher(), 0..3), one_of(&["a=\"b\"", "\"x.y\"", "z=~'.+'"]));
    let unnamed = unnamed.prop_map(|(mut matchers, one)| {
        matchers.push(one);
        format!("{{{}}}", matchers.join(","))
    });
    prop_oneof![3 => named, 1 => unnamed].boxed()
}

fn at() -> Text {
    one_of(&["@ 5", "@ -1.5", "@ start()", "@ END()", "@ 1609746000.123", "@ 5m"])
}

fn offset() -> Text {
    let literal = one_of(&["offset 5m", "offset -1h30m", "OFFSET 300", "offset 0", "offset 1ms"]);
    let word = one_of(&["offset step()", "offset -range()", "offset -min_of(5m, 2 * step())"]);
    let greedy = duration(2).prop_map(|duration| format!("offset ({duration})"));
    let signed = duration(2).prop_map(|duration| format!("offset -({duration})"));
    prop_oneof![2 => literal, 1 => word, 1 => greedy, 1 => signed].boxed()
}

/// Modifiers in any order.
fn modifiers(extended: &'static [&'static str]) -> Text {
    let extended = one_of(extended);
    (prop::option::of(at()), prop::option::of(offset()), prop::option::of(extended), any::<bool>())
        .prop_map(|(at, offset, extended, swap)| {
            let mut parts: Vec<String> = [at, extended, offset].into_iter().flatten().collect();
            if swap {
                parts.reverse();
            }
            parts.iter().map(|part| format!(" {part}")).collect()
        })
        .boxed()
}

fn selector() -> Text {
    let bare = bare_selector();
    prop_oneof![
        2 => bare.clone(),
        1 => (bare, modifiers(&["anchored", "smoothed"])).prop_map(|(x, mods)| x + &mods),
    ]
    .boxed()
}

/// What can stand between brackets.
fn brackets_duration() -> Text {
    let literal = one_of(&["5m", "300", "1h30m", "1w", "0x10", "1ms", "14d", "2y"]);
    prop_oneof![3 => literal, 1 => duration(2).prop_map(|duration| format!("1m + {duration}"))]
        .boxed()
}

/// Expressions of durations that begin with a number or a parenthesis.
fn duration(depth: u32) -> Text {
    let leaf = one_of(&["5m", "300", "1.5", "step()", "range()", "-1h", "0x10"]);
    leaf.prop_recursive(depth, 8, 2, |inner| {
        let op = one_of(&["+", "-", "*", "^"]);
        let pair = (inner.clone(), inner.clone());
        prop_oneof![
            (inner.clone(), op, inner.clone()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
            (inner.clone(), one_of(&["/", "%"])).prop_map(|(a, op)| format!("{a} {op} 7")),
            pair.clone().prop_map(|(a, b)| format!("max_of({a}, {b})")),
            pair.prop_map(|(a, b)| format!("min_of({a},{b})")),
            inner.clone().prop_map(|inner| format!("({inner})")),
            inner.prop_map(|inner| format!("-({inner})")),
        ]
    })
    .boxed()
}

fn range_selector() -> Text {
    let extended = &["anchored", "smoothed"];
    (bare_selector(), brackets_duration(), modifiers(extended))
        .prop_map(|(selector, range, modifiers)| format!("{selector}[{range}]{modifiers}"))
        .boxed()
}

fn subquery(inner: Text) -> Text {
    let step = prop::option::of(brackets_duration());
    let at_and_offset = (prop::option::of(at()), prop::option::of(offset()));
    (inner, brackets_duration(), step, at_and_offset)
        .prop_map(|(inner, range, step, (at, offset))| {
            let step = step.unwrap_or_default();
            let modifiers: String =
                [at, offset].iter().flatten().map(|m| format!(" {m}")).collect();
            format!("({inner})[{range}:{step}]{modifiers}")
        })
        .boxed()
}

fn call(row: &'static FunctionInfo, by_type: impl Fn(ValueType) -> Text) -> Text {
    let (least, most) = row.argument_counts();
    let most = most.unwrap_or(least + 3).min(least + 3);
    let arguments = (0..most).filter_map(|i| row.parameter(i)).map(|p| by_type(p.value_type));
    let arguments: Vec<Text> = arguments.collect();
    let is_info = row.name == "info";
    (arguments, least..=most, selector_in_info())
        .prop_map(move |(mut arguments, count, data)| {
            arguments.truncate(count);
            if let (true, Some(second)) = (is_info, arguments.get_mut(1)) {
                *second = data;
            }
            format!("{}({})", row.name, arguments.join(", "))
        })
        .boxed()
}

fn selector_in_info() -> Text {
    one_of(&["{a=\"b\"}", "{__name__=~'.*_info', x!=\"\"}", "{k8s=~\".+\"}"])
}

fn aggregation(scalar: Text, vector: Text) -> Text {
    let clause =
        (one_of(&["by", "without", "BY"]), labels()).prop_map(|(word, list)| word + " " + &list);
    (
        select(AGGREGATORS.iter().collect::<Vec<_>>()),
        scalar,
        string(),
        vector,
        prop::option::of(clause),
        any::<bool>(),
    )
        .prop_map(|(row, scalar, string, vector, clause, in_front)| {
            let parameter = match row.parameter.as_ref().map(|parameter| parameter.value_type) {
                Some(ValueType::String) => string + ",",
                Some(_) => scalar + ",",
                None => String::new(),
            };
            let clause = clause.unwrap_or_default();
            match in_front {
                true => format!("{} {clause} ({parameter}{vector})", row.name),
                false => format!("{}({parameter} {vector}) {clause}", row.name),
            }
        })
        .boxed()
}

fn binary(lhs: Text, operator: Text, rhs: Text) -> Text {
    (operand(lhs), operator, operand(rhs))
        .prop_map(|(lhs, operator, rhs)| format!("{lhs} {operator} {rhs}"))
        .boxed()
}

/// In parentheses if it may hold a comparison, whose type would depend on what binds more tightly,
/// or an offset that would take in the operator.
fn operand(text: Text) -> Text {
    text.prop_map(|text| match text.contains(['<', '>', '=']) || text.contains("offset (") {
        true => format!("({text})"),
        false => text,
    })
    .boxed()
}

fn arithmetic() -> Text {
    one_of(&["+", "-", "*", "/", "%", "^", "atan2"])
}

/// Operators between scalars.
fn scalar_operator() -> Text {
    prop_oneof![arithmetic(), one_of(&["== bool", "< bool", ">= BOOL"])].boxed()
}

/// Operators between a vector and a scalar.
fn mixed_operator() -> Text {
    prop_oneof![
        arithmetic(),
        one_of(&["== bool", "!=", "<", "<=", ">", ">=", "</", ">/", "+ on ()"])
    ]
    .boxed()
}

/// Operators between vectors, with everything that can stand behind them.
fn vector_operator() -> Text {
    let operator =
        prop_oneof![mixed_operator().prop_filter("has modifiers", |op| !op.contains("on"))];
    let group = one_of(&["group_left", "group_right", "group_left ()", "group_right (a, \"b.c\")"]);
    let matching = (one_of(&["on", "ignoring"]), matching_labels(), prop::option::of(group));
    let matching = matching.prop_map(|(word, list, group)| {
        let group = group.unwrap_or_default();
        // A list must not follow without its keyword, nor name what `on` names.
        format!("{word} {list} {group} ")
    });
    let fill = one_of(&[
        "fill(1)",
        "fill_left(0) fill_right(1e6)",
        "fill_right(-5m)",
        "fill_left (NaN)",
        "fill(NaN)",
        "fill_right(0) fill_left(0)",
    ]);
    let set = (
        one_of(&["and", "or", "unless", "AND"]),
        prop::option::of((one_of(&["on", "ignoring"]), labels())),
    )
        .prop_map(|(op, matching)| match matching {
            Some((word, list)) => format!("{op} {word} {list}"),
            None => op,
        });
    let modified = (operator, prop::option::of(matching), prop::option::of(fill)).prop_map(
        |(op, matching, fill)| {
            let (matching, fill) = (matching.unwrap_or_default(), fill.unwrap_or_default());
            // Behind `group_left` a parenthesis would begin its list.
            let guard =
                if matching.trim_end().ends_with(['t', 'e']) && fill.is_empty() { "+" } else { "" };
            format!("{op} {matching}{fill}{guard}")
        },
    );
    prop_oneof![3 => modified, 1 => set].boxed()
}

fn matching_labels() -> Text {
    one_of(&["()", "(job)", "(job,instance,)", "(\"x.y\", by)", "(le)"])
}
