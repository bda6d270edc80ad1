//! The canonical form.

use super::parse;

#[track_caller]
fn check(pairs: &[(&str, &str)]) {
    for (source, expected) in pairs {
        assert_eq!(parse(source).to_string(), *expected, "of {source}");
    }
}

#[test]
fn numbers_have_no_exponent() {
    check(&[
        ("1e21", "1000000000000000000000"),
        ("0.25e-7", "0.000000025"),
        ("0x10 + 010", "16 + 8"),
        ("-0", "-0"),
        ("--7", "7"),
        ("inf - -INF", "+Inf - -Inf"),
        ("nan", "NaN"),
    ]);
}

#[test]
fn durations_take_large_units_where_they_divide_evenly() {
    check(&[
        ("x[5400]", "x[1h30m]"),
        ("x[14d]", "x[2w]"),
        ("x[15d]", "x[15d]"),
        ("x[730d]", "x[2y]"),
        ("x[49h1ms]", "x[2d1h1ms]"),
        ("x offset -90", "x offset -1m30s"),
        ("x offset 0", "x"),
        ("vector(1h) + 90s", "vector(1h) + 1m30s"),
        ("-1d + 0s", "-1d + 0s"),
    ]);
}

#[test]
fn upstream_loses_what_is_below_a_millisecond() {
    check(&[
        ("x[0.0001]", "x[0s]"),
        ("x offset -0.0001", "x offset -0s"),
        ("1001ms", "1s"),
        ("x[1001ms]", "x[1s1ms]"),
        ("x offset NaN", "x offset --106751d23h47m16s854ms"),
    ]);
}

#[test]
fn matchers_are_sorted_as_they_are_rendered() {
    check(&[
        (r#"x{b="1", a='2'}"#, r#"x{a="2",b="1"}"#),
        (r#"x{a=~"1", a="1", a!~"1", a!="1"}"#, r#"x{a!="1",a!~"1",a="1",a=~"1"}"#),
        (r#"x{a="1", "b c"="2", a1="3"}"#, r#"x{"b c"="2",a1="3",a="1"}"#),
        (r#"{"x.y", z="1",}"#, r#"{__name__="x.y",z="1"}"#),
        (r#"x{a="é\xff\n\"\u200b'"}"#, r#"x{a="é\xff\n\"\u200b'"}"#),
        ("x{}", "x"),
        ("info(x, {})", "info(x, )"),
    ]);
}

#[test]
fn modifiers_have_a_fixed_order() {
    check(&[
        ("x offset 5m @ 1", "x @ 1.000 offset 5m"),
        ("x offset 5m smoothed @ 1", "x @ 1.000 smoothed offset 5m"),
        ("x[5m] offset 1m @ end() anchored", "x[5m] anchored @ end() offset 1m"),
        ("x anchored[5m]", "x[5m] anchored"),
        ("x[1h:] @ start() offset -1m", "x[1h:] @ start() offset -1m"),
        ("x[1h:0x1e ]", "x[1h:30s]"),
        ("x @ -1.2345", "x @ -1.235"),
    ]);
}

#[test]
fn duration_expressions_keep_their_parentheses_once() {
    check(&[
        ("x[((5m))]", "x[(5m)]"),
        ("x[2*step() : max_of(range(),1m)]", "x[2 * step():max_of(range(), 1m)]"),
        ("x offset -(1h+5)", "x offset -(1h + 5)"),
        ("x offset +step()", "x offset step()"),
        ("x offset (1h) ^ 2 - -step()", "x offset (1h) ^ 2 - -step()"),
        ("x[5m - -(-3)]", "x[5m - -(-3)]"),
    ]);
}

#[test]
fn clauses_go_in_front() {
    check(&[
        ("sum(x) by (b, a)", "sum by (b, a) (x)"),
        ("SUM(x) BY ()", "sum(x)"),
        ("sum without () (x)", "sum without () (x)"),
        (r#"topk(2, x) without ("a.b", c:d, "e")"#, r#"topk without ("a.b", "c:d", e) (2, x)"#),
        ("count_values ('v', x)", r#"count_values("v", x)"#),
    ]);
}

#[test]
fn matching_is_printed_where_it_matters() {
    check(&[
        ("a / ignoring () b", "a / b"),
        ("a / on () b", "a / on () b"),
        ("a / ignoring () group_left b", "a / ignoring () group_left () b"),
        ("a == bool on(x,y) group_right(z) b", "a == bool on (x, y) group_right (z) b"),
        ("1 + on () a", "1 + a"),
        ("scalar(a) + ignoring () scalar(b)", "scalar(a) + scalar(b)"),
        ("a and on (x) b", "a and on (x) b"),
    ]);
}

#[test]
fn fill_values_have_exponents() {
    check(&[
        ("a + fill(1e6) b", "a + fill (1e+06) b"),
        ("a + fill(0.00001) b", "a + fill (1e-05) b"),
        ("a + fill_right(5m) fill_left(-1) b", "a + fill_left (-1) fill_right (300) b"),
        ("a + fill_left(0) fill_right(-0) b", "a + fill (0) b"),
        ("a + fill(NaN) b", "a + fill_left (NaN) fill_right (NaN) b"),
    ]);
}

#[test]
fn nothing_is_added_or_removed_between_operands() {
    check(&[
        ("-a^b", "-a ^ b"),
        ("+(a)", "+(a)"),
        ("((a))*-+b", "((a)) * -+b"),
        ("a</b>/c", "a </ b >/ c"),
        ("time ( )", "time()"),
        ("clamp(a,-1,+1)", "clamp(a, -1, 1)"),
    ]);
}

#[test]
fn words_are_names_where_an_operand_is_expected() {
    check(&[
        ("+offset + -2d", "+offset + -2d"),
        ("x and on (offset) offset - -2", "x and on (offset) offset - -2"),
        ("and and offset + -2", "and and offset + -2"),
        ("sum by (a) (offset) * offset - +1", "sum by (a) (offset) * offset - 1"),
        ("and offset --5 * 2", "and offset 5 * 2"),
        ("offset offset - -5m", "offset offset 5m"),
        ("x anchored offset --5", "x anchored offset 5s"),
        ("x[5m] @ end() offset +-5", "x[5m] @ end() offset -5s"),
    ]);
}

#[test]
fn a_node_is_printed_alone() {
    let expr = parse("sum(rate(x[5m] offset 1m)) / 2");
    let mut printed = Vec::new();
    let mut nodes = vec![expr.root()];
    while let Some(node) = nodes.pop() {
        printed.push(expr.print_node(node));
        expr.for_each_child(node, |child| nodes.push(child));
    }
    assert_eq!(
        printed,
        [
            "sum(rate(x[5m] offset 1m)) / 2",
            "2",
            "sum(rate(x[5m] offset 1m))",
            "rate(x[5m] offset 1m)",
            "x[5m] offset 1m",
            "x offset 1m",
        ]
    );
}
