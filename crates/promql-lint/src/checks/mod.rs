//! The checks, one file for each, in a folder for each category; and the table of all.

use crate::check::Check;

/// Declares the modules of a category, and rows of the table.
macro_rules! checks {
    ($($category:ident: $($check:ident),* $(,)?;)*) => {
        $(pub(crate) mod $category {
            //! The checks of a category.
            $(pub(crate) mod $check;)*
        })*

        /// All checks, in order of their codes.
        pub static CHECKS: &[&Check] = &[$($(&$category::$check::CHECK),*),*];
    };
}

pub(crate) mod matching;

checks! {
    alerting: alert_without_condition, alert_always_fires, alert_on_bool, alert_never_fires,
        for_zero, for_below_interval, absent_without_for, absent_never, absent_labels_lost,
        unstable_label_set, same_identity_different_condition, severity_ladder, alertname_label,
        empty_rule_label;
    correctness: join_never_matches, join_never_matches_target, match_on_missing_label,
        group_by_missing_label, without_missing_label, include_missing_label, joined_label_dropped,
        include_redundant_label, comparison_always_false, comparison_always_true, comparison_with_nan,
        constant_expression, or_never_used, unless_has_no_effect, or_fallback_labels,
        many_to_many_certain, group_modifier_reversed, group_modifier_needless, ratio_by_filtered_label,
        ratio_threshold_out_of_range, nan_in_aggregation, nan_hides_alert, division_by_zero,
        average_of_averages, quantiles_aggregated, float_equality, increase_threshold_edge,
        negative_offset, fixed_time_in_rule, mixed_operators, same_operands, redundant_aggregation,
        histogram_without_le, histogram_without_rate, parameter_out_of_range, buckets_summed_without_le,
        subquery_resolution, rule_label_overwrites_key, dropped_name_collision,
        label_function_no_effect, label_function_collapses, scalar_of_many, unreachable_arm;
    dashboard: dashboard_invalid, target_query, fixed_rate_window, interval_as_rate_window,
        datasource_hardcoded, datasource_variable_missing, variable_undefined, multi_value_equality,
        legend_label_missing, instant_range_mismatch, variable_query_invalid;
    syntax: file_unreadable, yaml_syntax, unknown_field, implicit_yaml_type, incomplete_rule,
        field_not_allowed, duplicate_key, duplicate_group, invalid_name, invalid_duration,
        promql_syntax, promql_type, invalid_regex, extra_document, wrong_kind;
    group: uses_later_rule, dependency_cycle, recording_missing, removed_rule_still_used,
        unknown_alert_reference, interval_exceeds_lookback, recorded_interval_too_long,
        recording_conflict, duplicate_rule, same_expression_recorded_twice;
    hygiene: unused_suppression, unknown_check_in_suppression, suppression_expired, odd_suppression,
        baseline_stale;
    kind: counter_without_rate, rate_of_gauge, delta_of_counter, over_time_of_counter,
        rate_after_aggregation, rate_of_rate, window_too_short, irate_in_rule, unit_mismatch,
        timestamp_compared, changes_on_counter;
    live: server_unavailable, series_missing, series_vanished, label_missing, kind_contradiction,
        evaluation_fails_now, alert_noise, alert_flapping, range_beyond_retention, external_label_conflict,
        feature_disabled;
    matcher: regex_literal, regex_anchors, regex_matches_all, regex_matches_nothing,
        regex_unescaped_dot, regex_duplicate_alternative, equality_looks_like_regex,
        matchers_contradict, matcher_redundant, nonempty_regex;
    naming: record_name_shape, record_name_window, reserved_record_name;
    policy: required_label, label_value, required_annotation, annotation_value, forbidden_text,
        for_range, rule_name, required_matcher, kept_labels, maximum_range, forbidden_metric;
    performance: selector_without_name, name_by_regex, long_range, subquery_cost, sort_in_rule;
    template: template_label_removed, template_reads_rule_label, template_syntax,
        template_execution, value_in_label, printf_verb, percent_scale, template_query_invalid,
        template_query_label, first_unguarded, template_in_recording, template_braces_missing,
        annotation_url;
    compat: removed_function, experimental_feature, integer_bucket_label, left_open_range,
        dialect_expression, dialect_field;
}

/// The check of a code.
pub(crate) fn by_code(code: &str) -> Option<&'static Check> {
    CHECKS.binary_search_by(|check| check.code.cmp(code)).ok().map(|at| CHECKS[at])
}

/// The check that is called by a name or by a code.
pub fn check(word: &str) -> Option<&'static Check> {
    let is_it = |check: &&&Check| check.name == word || check.code.eq_ignore_ascii_case(word);
    CHECKS.iter().find(is_it).copied()
}
