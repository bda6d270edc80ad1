//! What counts for a file, and who says so.

use std::fmt::Write;
use std::path::Path;

use promql_lint::{CHECKS, Severity};
use promql_rules::rule_file::NameScheme;
use serde::Serialize;

use super::super::check::Names;
use super::configuration::{Configurations, Here};
use super::{Format, Level, Lint, Stop};
use crate::visible;

/// Something that is configured.
#[derive(Serialize)]
struct Said {
    key: &'static str,
    value: String,
    /// `default`, `promql.toml`, or the argument.
    from: &'static str,
}

/// A check.
#[derive(Serialize)]
struct Row {
    check: &'static str,
    code: &'static str,
    /// What its findings count as; nothing if it doesn't look.
    severity: Option<&'static str>,
    /// `default`, a key of promql.toml, or an argument.
    from: String,
}

/// All of it.
#[derive(Serialize)]
struct Shown {
    file: String,
    configuration: Option<String>,
    /// Whether the file is left out when its folder is looked at.
    excluded: bool,
    settings: Vec<Said>,
    /// How many `[[lint.override]]` hold for some groups or rules of the file only.
    overrides_of_rules: usize,
    policies: Vec<&'static str>,
    checks: Vec<Row>,
}

/// What counts for the file that a path names, which need not be there.
///
/// # Errors
/// When a configuration can't be read.
pub(super) fn run(
    flags: &Lint,
    path: &str,
    configurations: &mut Configurations<'_>,
) -> Result<String, Stop> {
    let here = configurations.of(Path::new(path))?;
    let shown = shown(flags, path, &here, configurations);
    Ok(match flags.format {
        // Strings, numbers and lists can always be written.
        Format::Json => serde_json::to_string(&shown).unwrap_or_default() + "\n",
        _ => text(&shown),
    })
}

fn shown(flags: &Lint, path: &str, here: &Here, configurations: &Configurations<'_>) -> Shown {
    let relative = here.relative(Path::new(path));
    let said =
        |key, flag: Option<(String, &'static str)>, config: Option<String>, default: &str| {
            let (value, from) = match (flag, config) {
                (Some(flag), _) => flag,
                (None, Some(value)) => (value, "promql.toml"),
                (None, None) => (default.to_owned(), "default"),
            };
            Said { key, value, from }
        };
    let config = &here.config;
    let level = |level: Level| level.severity().name().to_owned();
    let scheme = |names: NameScheme| match names {
        NameScheme::Utf8 => "utf8".to_owned(),
        NameScheme::Legacy => "legacy".to_owned(),
    };
    let dialect = flags.dialect.map(|choice| {
        (choice.dialect().map_or_else(|| "auto".to_owned(), |d| d.name().to_owned()), "--dialect")
    });
    let names = flags.names.map(|names| match names {
        Names::Utf8 => ("utf8".to_owned(), "--names"),
        Names::Legacy => ("legacy".to_owned(), "--names"),
    });
    let settings = vec![
        said(
            "fail-on",
            flags.fail_on.map(|fail_on| (level(fail_on), "--fail-on")),
            config.fail_on.map(|severity| severity.name().to_owned()),
            "error",
        ),
        said("dialect", dialect, config.dialect.map(|d| d.name().to_owned()), "auto"),
        said("names", names, config.names.map(scheme), "utf8"),
        said(
            "baseline",
            flags.baseline.as_ref().map(|path| (path.display().to_string(), "--baseline")),
            configurations.baseline().map(|path| path.display().to_string()),
            "none",
        ),
        said(
            "prometheus-config",
            None,
            configurations.prometheus_config().map(|path| path.display().to_string()),
            "none",
        ),
    ];
    let row = |check: &&'static promql_lint::Check| {
        let (severity, from) = here.settings.explain(check, &relative);
        let severity = severity.map(Severity::name);
        Row { check: check.name, code: check.code, severity, from }
    };
    Shown {
        file: path.to_owned(),
        configuration: here.path.as_ref().map(|path| path.display().to_string()),
        excluded: here.excludes(Path::new(path)),
        settings,
        overrides_of_rules: here.settings.overrides_of_rules(&relative),
        policies: here.settings.demanded().map(|check| check.name).collect(),
        checks: CHECKS.iter().map(row).collect(),
    }
}

/// For people: the checks that are not as they are by default.
fn text(shown: &Shown) -> String {
    let mut out = String::new();
    let configuration = shown.configuration.as_deref().unwrap_or("none");
    let _ = writeln!(out, "{}", visible::escape(&shown.file));
    let _ = writeln!(out, "{:18} {}", "configuration", visible::escape(configuration));
    if shown.excluded {
        let _ = writeln!(out, "{:18} left out when its folder is looked at", "exclude");
    }
    let width = shown.settings.iter().map(|said| said.value.len()).max().unwrap_or_default();
    for said in &shown.settings {
        let value = visible::escape(&said.value);
        let _ = writeln!(out, "{:18} {value:width$}  {}", said.key, said.from);
    }
    if !shown.policies.is_empty() {
        let _ = writeln!(out, "{:18} {}", "policies", shown.policies.join(", "));
    }
    if shown.overrides_of_rules > 0 {
        let what = "of [[lint.override]] may hold for some of its rules";
        let _ = writeln!(out, "{:18} {} {what}", "overrides", shown.overrides_of_rules);
    }
    let is_left_out = |row: &&Row| row.severity.is_none() && row.from.ends_with("select");
    let others = shown.checks.iter().filter(|row| row.from != "default" && !is_left_out(row));
    let others: Vec<&Row> = others.collect();
    let looking = shown.checks.iter().filter(|row| row.severity.is_some()).count();
    let _ = writeln!(out, "\n{looking} of {} checks look; not by default:", shown.checks.len());
    let width = others.iter().map(|row| row.check.len() + row.code.len() + 3).max();
    let width = width.unwrap_or_default();
    for row in &others {
        let name = format!("{} ({})", row.check, row.code);
        let _ = writeln!(out, "{name:width$}  {:7}  {}", row.severity.unwrap_or("off"), row.from);
    }
    if others.is_empty() {
        out.push_str("none\n");
    }
    let left_out: Vec<&Row> = shown.checks.iter().filter(is_left_out).collect();
    if let Some(first) = left_out.first() {
        let _ = writeln!(out, "{} others are left out by {}", left_out.len(), first.from);
    }
    out
}
