//! Formatting with comments: each stays where it belongs, and formatting twice changes nothing.

use super::{format, tree};

#[track_caller]
fn check(source: &str, expected: &str) {
    let formatted = format(source, 40);
    assert_eq!(formatted, expected, "\nof\n{source}\nas\n{formatted}");
    assert_eq!(format(&formatted, 40), formatted, "formatted again");
    assert_eq!(tree(&formatted), tree(source));
}

#[test]
fn without_comments_it_is_the_pretty_form() {
    check("sum( x )by(job)", "sum by (job) (x)");
    check(
        "sum(rate(http_requests_total{code!='200'}[5m]))",
        "sum(\n  rate(\n    http_requests_total{code!=\"200\"}[5m]\n  )\n)",
    );
}

#[test]
fn around_an_expression() {
    check(
        "# one\n\n# two\nup # three\n# four\n\n# five\n",
        "# one\n\n# two\nup # three\n# four\n\n# five",
    );
    check("up #", "up #");
    check("\n\n   # above   \n\n\n\n up", "# above\n\nup");
    check("# a\r\n# b\rup # c\r\n", "# a\n# b\nup # c");
}

#[test]
fn between_operands() {
    check("a # left\n+ b # right", "  a # left\n+\n  b # right");
    check("a + # sum\nb", "  a\n+ # sum\n  b");
    check("a\n# minus\n- b", "  a\n# minus\n-\n  b");
    check("a -\n# the rest\nb", "  a\n-\n  # the rest\n  b");
    check(
        "a # 1\n* on (job) # 2\ngroup_left # 3\nb # 4",
        "  a # 1\n* on (job) # 2\n  group_left () # 3\n  b # 4",
    );
}

#[test]
fn inside_arguments() {
    check(
        "clamp(x, # value\n 0, # from\n 1 # to\n)",
        "clamp(\n  x, # value\n  0, # from\n  1 # to\n)",
    );
    check("clamp(x\n# low\n, 0, 1)", "clamp(\n  x,\n  # low\n  0,\n  1\n)");
    check("sum( # all\n x)", "sum( # all\n  x\n)");
    check("sum(x\n# end\n)", "sum(\n  x\n  # end\n)");
    check("time( # now\n)", "time() # now");
    check("(a # in\n) # out", "(\n  a # in\n) # out");
}

#[test]
fn matchers_take_their_comments_along() {
    check(
        "x{ # of x\n  b=\"1\", # about b\n  # above a\n  a=\"2\" # about a\n  # last\n}",
        "x{ # of x\n  # above a\n  a=\"2\", # about a\n  b=\"1\" # about b\n  # last\n}",
    );
    check("x{a=\"1\"} # all\n", "x{a=\"1\"} # all");
    check("x # name\n{a=\"1\"}", "x{ # name\n  a=\"1\"\n}");
    check("{a # half\n=\"1\", b=\"2\"}", "{\n  a=\"1\", # half\n  b=\"2\"\n}");
    check("x{ # nothing\n}", "x # nothing");
    check("x{a=\"#\"}", "x{a=\"#\"}");
}

#[test]
fn clauses_take_their_comments_along() {
    check("sum(x) by (job) # each job", "sum by (job) (x) # each job");
    check("sum(x) # all\nby (job)", "sum by (job) (x) # all");
    check("sum(x)\n# each\nby (job)", "# each\nsum by (job) (x)");
    check(
        "sum(x) by (a, # first\n # second\n b)",
        "sum by (\n  a, # first\n  # second\n  b\n) (\n  x\n)",
    );
    check("sum by (job) # head\n(x)", "sum by (job) ( # head\n  x\n)");
    check("sum by ( # none\n) (x)", "sum( # none\n  x\n)");
    check("a + on ( # these\n job) b", "  a\n+ on ( # these\n  job\n)\n  b");
}

#[test]
fn behind_selectors() {
    check("x # old\noffset 5m", "x # old\n  offset 5m");
    check("x\n# a week\noffset 1w", "x\n  # a week\n  offset 1w");
    check("x offset # how long\n1w", "x offset # how long\n  1w");
    check("x offset 1m # lag\n@ 5 # end", "x @ 5.000 offset 1m # lag\n# end");
    check("rate(x[5m # window\n])", "rate(\n  x[5m # window\n  ]\n)");
    check("x[1h: # range\n5m]", "x[1h: # range\n  5m]");
    check("x[1h + # plus\n 30m]", "x[1h + # plus\n  30m]");
    check("x offset (((5m # in\n)))", "x offset (5m # in\n)");
}

#[test]
fn signs_and_numbers() {
    check("- # minus\n5", "# minus\n-5");
    check("-# minus\nx", "- # minus\n  x");
    check("1 + # one\n# two\n2", "  1\n+ # one\n  # two\n  2");
    check("-(# in\nx)", "-( # in\n  x\n)");
}

#[test]
fn several_comments_at_one_token() {
    check("sum by (a # 1\n, # 2\n b) (x)", "sum by (\n  a, # 1\n  # 2\n  b\n) (\n  x\n)");
    check("a # 1\n{ # 2\n b=\"1\"}", "a{ # 1\n  # 2\n  b=\"1\"\n}");
}

#[test]
fn what_does_not_fit_is_broken_as_always() {
    check(
        "# error ratio\nsum(rate(errors_total[5m])) by (job) # errors\n/ sum(rate(all_requests_total[5m])) by (job)",
        "# error ratio\n  sum by (job) (rate(errors_total[5m])) # errors\n/\n  sum by (job) (\n    rate(all_requests_total[5m])\n  )",
    );
}

/// Where upstream's form would mean something else, the formatter differs.
#[test]
fn meaning_is_kept() {
    check("info(x, {})", "info(x, {})");
    check("1001ms * x", "1s1ms * x");
    check("x[0.0001]", "x[0.0001]");
    check("x offset -0.0015", "x offset -0.0015");
    check("-Inf ^ 2 # c", "-Inf ^ 2 # c");
    // With fewer signs the selector would be multiplied.
    check("x offset --5 * 2", "x offset ++5 * 2");
    check("x offset -+step() * 2", "x offset +-step() * 2");
    check("x offset +-1 ^ 2", "x offset +-1 ^ 2");
    check("x offset +-(1) + 2", "x offset +-(1) + 2");
    check("x offset --step() * 2", "x offset --step() * 2");
    check("x offset (5m) * 2", "x offset (5m) * 2");
    check("x offset +-step()", "x offset -step()");
    check("x @ 9007199254740993", "x @ 9007199254740992.000");
    check("x @ 9007199254740.993", "x @ 9007199254740.992");
    check("a + fill_left(0) fill_right(-0) b", "a + fill_left (0) fill_right (-0) b");
}

#[test]
fn comments_need_not_be_utf8() {
    let formatted = promql_syntax::format(b"up # \xff\n", &Default::default());
    assert_eq!(formatted.ok().as_deref(), Some("up # \u{fffd}"));
}

#[test]
fn errors_are_those_of_the_compiler() {
    for source in ["sum(", "rate(x)", "", "# nothing"] {
        let errors = promql_syntax::format(source, &Default::default());
        let expected = promql_syntax::compile(source, &Default::default());
        let (errors, expected) = (errors.expect_err(source), expected.expect_err(source));
        assert_eq!(errors.to_string(), expected.to_string());
    }
}
