//! The pretty form. The limit is small to keep the examples short.

use super::parse;

#[track_caller]
fn check(source: &str, expected: &str) {
    assert_eq!(parse(source).pretty(12), expected, "of {source}");
}

#[test]
fn what_fits_stays_on_its_line() {
    check("sum(metric_x)", "sum(\n  metric_x\n)");
    check("sum(metric_)", "sum(metric_)");
    check("a_long_metric_name", "a_long_metric_name");
    check("'a rather long string'", "\"a rather long string\"");
    check("a_long_metric_name[5m]", "a_long_metric_name[5m]");
}

#[test]
fn operands_are_indented_and_operators_are_not() {
    check("alpha_one + beta_two", "  alpha_one\n+\n  beta_two");
    check(
        "alpha == bool on (job) group_left () beta",
        "  alpha\n== bool on (job) group_left ()\n  beta",
    );
    check(
        "alphas + beta + gamma + delta",
        "      alphas\n    +\n      beta\n  +\n    gamma\n+\n  delta",
    );
}

#[test]
fn arguments_have_lines_of_their_own() {
    check("clamp(metric, 1, 2)", "clamp(\n  metric,\n  1,\n  2\n)");
    check("topk by (job) (3, metric)", "topk by (job) (\n  3,\n  metric\n)");
    check("(alpha + beta)", "(\n  alpha + beta\n)");
    check("(alphas + beta)", "(\n    alphas\n  +\n    beta\n)");
}

#[test]
fn a_sign_stays_at_its_operand() {
    check("-(alphas + beta)", "-(\n    alphas\n  +\n    beta\n)");
    check("-alpha_one ^ beta_two", "-alpha_one\n^\n  beta_two");
    check("-+-(alphas + beta)", "-+-(\n    alphas\n  +\n    beta\n)");
}

/// That a subquery that fits is not indented is upstream's.
#[test]
fn subqueries_follow_their_operand() {
    check("rate(metric[5m:])", "rate(\nmetric[5m:]\n)");
    check("rate(metric_x[5m:])", "rate(\n  metric_x[5m:]\n)");
    check("rate((alphas + beta)[1h:])", "rate(\n  (\n      alphas\n    +\n      beta\n  )[1h:]\n)");
    check("rate(m[5m:])", "rate(m[5m:])");
}
