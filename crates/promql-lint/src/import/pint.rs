//! A configuration of pint as a `promql.toml`.

use std::fmt::Write;

use super::hcl::{self, Block, Body};
use crate::checks::by_code;
use crate::suppress::PINT;

/// The configuration of pint that a text holds, as a `promql.toml`. What has no counterpart is listed at its end,
/// with the lines.
///
/// # Errors
/// What is wrong with the text, with the line.
pub fn import_pint(text: &str) -> Result<String, String> {
    let body = hcl::parse(text)?;
    let mut import = Import::default();
    import.file(&body);
    Ok(import.text())
}

/// What is taken over.
#[derive(Default)]
struct Import {
    /// Lines of `[lint]`.
    lint: String,
    /// Lines of `[lint.live]`.
    live: String,
    /// Tables.
    tables: String,
    /// What has no counterpart: the line, and what.
    left: Vec<(usize, String)>,
}

/// The conditions of a block of rules, as lines of a table.
type Scope = String;

impl Import {
    fn file(&mut self, body: &Body) {
        for attribute in &body.attributes {
            self.left.push((attribute.line, format!("`{}`", attribute.name)));
        }
        for block in &body.blocks {
            match block.name.as_str() {
                "prometheus" => self.server(block),
                "parser" => self.parser(block),
                "checks" => self.checks(block),
                "rule" => self.rules(block),
                "check" => self.check(block),
                _ => self.left_out(block, ""),
            }
        }
    }

    fn left_out(&mut self, block: &Block, why: &str) {
        let labels: String = block.labels.iter().map(|label| format!(" {label:?}")).collect();
        self.left.push((block.line, format!("`{}{labels}`{why}", block.name)));
    }

    /// Notes all attributes of a block but some.
    fn others(&mut self, block: &Block, known: &[&str]) {
        for attribute in &block.body.attributes {
            if !known.contains(&attribute.name.as_str()) {
                let what = format!("`{}` of `{}`", attribute.name, block.name);
                self.left.push((attribute.line, what));
            }
        }
    }

    fn server(&mut self, block: &Block) {
        let (Some(name), Some(uri)) = (block.labels.first(), block.body.text("uri")) else {
            return self.left_out(block, ": it has no name, or no `uri`");
        };
        let _ = write!(
            self.tables,
            "\n[[lint.server]]\nname = {}\nsource = {}\n",
            quoted(name),
            quoted(uri)
        );
        let paths = block.body.texts("include");
        if !paths.is_empty() {
            let _ = writeln!(self.tables, "paths = {}", patterns(&paths));
        }
        if let Some(concurrency) = block.body.text("concurrency") {
            let _ = writeln!(self.tables, "budget = {{ concurrency = {concurrency} }}");
        }
        self.others(block, &["uri", "include", "concurrency"]);
        block.body.blocks.iter().for_each(|inner| self.left_out(inner, ""));
    }

    fn parser(&mut self, block: &Block) {
        let exclude = block.body.texts("exclude");
        if !exclude.is_empty() {
            let _ = writeln!(self.lint, "exclude = {}", patterns(&exclude));
        }
        if block.body.text("names") == Some("legacy") {
            self.lint.push_str("names = \"legacy\"\n");
        }
        if block.body.text("schema") == Some("thanos") {
            self.lint.push_str("dialect = \"thanos\"\n");
        }
        self.others(block, &["exclude", "names", "schema"]);
    }

    fn checks(&mut self, block: &Block) {
        let (off, unknown) = names(&block.body.texts("disabled"));
        if !off.is_empty() {
            let _ = writeln!(self.lint, "ignore = {}", list(&off));
        }
        let (on, more) = names(&block.body.texts("enabled"));
        if !on.is_empty() {
            let _ = writeln!(self.lint, "select = {}", list(&on));
        }
        for name in unknown.into_iter().chain(more) {
            self.left.push((block.line, format!("the check `{name}`")));
        }
    }

    /// The parameters of a check.
    fn check(&mut self, block: &Block) {
        let is_series = block.labels.first().is_some_and(|label| label == "promql/series");
        if !is_series {
            return self.left_out(block, "");
        }
        if let Some(range) = block.body.text("lookbackRange") {
            let _ = writeln!(self.live, "window = {}", quoted(range));
        }
        let ignored = block.body.texts("ignoreMetrics");
        if !ignored.is_empty() {
            let _ = writeln!(self.live, "external-metrics = {}", patterns(&ignored));
        }
        self.others(block, &["lookbackRange", "ignoreMetrics"]);
        block.body.blocks.iter().for_each(|inner| self.left_out(inner, ""));
    }

    /// A block of rules: each of its demands is one for each of its `match` blocks.
    fn rules(&mut self, block: &Block) {
        let mut scopes: Vec<Scope> = Vec::new();
        for inner in &block.body.blocks {
            match inner.name.as_str() {
                "match" => match scope(inner) {
                    Ok(scope) => scopes.push(scope),
                    Err(what) => {
                        let why = format!(": a condition on `{what}` has no counterpart");
                        return self.left_out(block, &why);
                    }
                },
                "ignore" => {
                    return self.left_out(block, ": a condition of `ignore` has no counterpart");
                }
                _ => {}
            }
        }
        if scopes.is_empty() {
            scopes.push(Scope::new());
        }
        for (key, is_on) in [("disable", false), ("enable", true)] {
            let (found, unknown) = names(&block.body.texts(key));
            for name in unknown {
                self.left.push((block.line, format!("the check `{name}`")));
            }
            if found.is_empty() {
                continue;
            }
            let key = if is_on { "select" } else { "ignore" };
            for scope in &scopes {
                let found = list(&found);
                let _ = write!(self.tables, "\n[[lint.override]]\n{scope}{key} = {found}\n");
            }
        }
        self.others(block, &["disable", "enable", "locked"]);
        let is_locked = block.body.is_true("locked");
        for inner in &block.body.blocks {
            if matches!(inner.name.as_str(), "match" | "ignore") {
                continue;
            }
            if inner.name == "alerts" {
                if let Some(range) = inner.body.text("range") {
                    let _ = writeln!(self.live, "back-test = {}", quoted(range));
                }
                self.others(inner, &["range"]);
                continue;
            }
            let policies = policies(inner);
            if policies.is_empty() {
                self.left_out(inner, "");
            }
            for (keys, scope) in
                policies.iter().flat_map(|keys| scopes.iter().map(move |s| (keys, s)))
            {
                // A condition of the policy itself takes the place of the same one around it.
                let own = |line: &&str| {
                    !line
                        .split_once(" = ")
                        .is_some_and(|(key, _)| keys.contains(&format!("\n{key} = ")))
                };
                let scope: String =
                    scope.lines().filter(own).map(|line| format!("{line}\n")).collect();
                let locked = if is_locked { "locked = true\n" } else { "" };
                let _ = write!(
                    self.tables,
                    "\n[[lint.policy]]\n{keys}{scope}{}{locked}",
                    remarks(inner)
                );
            }
        }
    }

    fn text(mut self) -> String {
        let mut out = "# Made of a configuration of pint; look it over.\n[lint]\n".to_owned();
        out.push_str(&self.lint);
        if !self.live.is_empty() {
            let _ = write!(out, "\n[lint.live]\n{}", self.live);
        }
        out.push_str(&self.tables);
        self.left.sort();
        self.left.dedup();
        if !self.left.is_empty() {
            out.push_str("\n# Without a counterpart here:\n");
        }
        for (line, what) in self.left {
            let what: String = what.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            let _ = writeln!(out, "# line {line}: {what}");
        }
        out
    }
}

/// The conditions of a `match` block. An error is what there is no counterpart for.
fn scope(block: &Block) -> Result<Scope, String> {
    let mut out = Scope::new();
    for attribute in &block.body.attributes {
        let value = attribute.value.text().unwrap_or_default();
        let _ = match (attribute.name.as_str(), value) {
            ("path", _) => writeln!(out, "paths = {}", patterns(&[value])),
            ("name", _) => writeln!(out, "rules = {}", patterns(&[value])),
            ("group", _) => writeln!(out, "groups = {}", patterns(&[value])),
            ("kind", "alerting") => writeln!(out, "kinds = [\"alert\"]"),
            ("kind", "recording") => writeln!(out, "kinds = [\"record\"]"),
            (other, _) => return Err(other.to_owned()),
        };
    }
    match block.body.blocks.first() {
        Some(inner) => Err(inner.name.clone()),
        None => Ok(out),
    }
}

/// The policies that a block of a rule demands: their keys without conditions and severity.
fn policies(block: &Block) -> Vec<String> {
    let body = &block.body;
    let label = block.labels.first().map(String::as_str).unwrap_or_default();
    let is_plain =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_');
    let made = |check: &str, keys: String| format!("check = \"{check}\"\n{keys}");
    match block.name.as_str() {
        "annotation" | "label" if is_plain(label) => {
            let kind = block.name.as_str();
            let mut found = Vec::new();
            if body.is_true("required") {
                let plural = if kind == "label" { "labels" } else { "annotations" };
                found.push(made(
                    &format!("required-{kind}"),
                    format!("{plural} = {}\n", list(&[label.to_owned()])),
                ));
            }
            let values = body.texts("values");
            let value = match body.text("value") {
                Some(value) => Some(format!("regex = {}\n", quoted(value))),
                None if values.is_empty() => None,
                None => Some(format!("values = {}\n", list(&values))),
            };
            if let Some(value) = value {
                found.push(made(
                    &format!("{kind}-value"),
                    format!("{kind} = {}\n{value}", quoted(label)),
                ));
            }
            found
        }
        "aggregate" => {
            let lists = ["keep", "strip"].map(|key| (key, body.texts(key)));
            let made = |(key, labels): &(&str, Vec<&str>)| {
                let records = if label.is_empty() { ".+" } else { label };
                let keys =
                    format!("{key} = {}\nrecords = {}\n", list(labels), patterns(&[records]));
                made("kept-labels", keys)
            };
            lists.iter().filter(|(_, labels)| !labels.is_empty()).map(made).collect()
        }
        "for" | "keep_firing_for" => {
            let mut keys = format!("field = {}\n", quoted(&block.name));
            for key in ["min", "max"] {
                if let Some(value) = body.text(key) {
                    let _ = writeln!(keys, "{key} = {}", quoted(value));
                }
            }
            vec![made("for-range", keys)]
        }
        "name" => vec![made("rule-name", format!("regex = {}\n", quoted(label)))],
        "reject" => {
            let parts: Vec<String> =
                ["label_keys", "label_values", "annotation_keys", "annotation_values"]
                    .into_iter()
                    .filter(|key| body.is_true(key))
                    .map(|key| key.replace('_', "-"))
                    .collect();
            let keys = format!("regex = {}\nin = {}\n", quoted(label), list(&parts));
            if parts.is_empty() { Vec::new() } else { vec![made("forbidden-text", keys)] }
        }
        "selector" => {
            let labels = body.texts("requiredLabels");
            let metrics = if label.is_empty() { ".+" } else { label };
            let keys = format!("metrics = {}\nlabels = {}\n", patterns(&[metrics]), list(&labels));
            if labels.is_empty() { Vec::new() } else { vec![made("required-matcher", keys)] }
        }
        "range_query" => match body.text("max") {
            Some(max) => vec![made("maximum-range", format!("max = {}\n", quoted(max)))],
            None => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// The severity and the message of a block.
fn remarks(block: &Block) -> String {
    let severity = block.body.text("severity").and_then(|severity| match severity {
        "bug" | "fatal" => Some("error"),
        "warning" => Some("warning"),
        "info" => Some("info"),
        _ => None,
    });
    let severity = severity.map(|severity| format!("severity = \"{severity}\"\n"));
    let message = block.body.text("comment");
    let message = message.map(|message| format!("message = {}\n", quoted(message)));
    severity.unwrap_or_default() + &message.unwrap_or_default()
}

/// The names of the checks here that look for what checks of pint do; and names that are not known.
fn names(words: &[&str]) -> (Vec<String>, Vec<String>) {
    let (mut found, mut unknown) = (Vec::new(), Vec::new());
    for word in words {
        let plain = word.split('(').next().unwrap_or_default();
        let codes = PINT.iter().find(|(name, _)| *name == plain).map(|(_, codes)| *codes);
        let checks: Vec<String> = codes
            .unwrap_or_default()
            .iter()
            .filter_map(|code| Some(by_code(code)?.name.to_owned()))
            .collect();
        match checks.is_empty() || plain != *word {
            true => unknown.push((*word).to_owned()),
            false => found.extend(checks),
        }
    }
    found.sort();
    found.dedup();
    (found, unknown)
}

/// A text of TOML.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn list<T: AsRef<str>>(texts: &[T]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| quoted(text.as_ref())).collect();
    format!("[{}]", texts.join(", "))
}

/// Regular expressions, which match whole texts in both.
fn patterns(regexes: &[&str]) -> String {
    let regexes: Vec<String> = regexes.iter().map(|regex| format!("/{regex}/")).collect();
    list(&regexes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that fails")]
mod tests {
    use super::*;
    use crate::config::Config;

    const PINT_FILE: &str = r#"
prometheus "prod" {
  uri     = "https://prod.example.com"
  timeout = "30s"
  include = ["rules/prod/.*"]
}
parser { exclude = ["rules/old/.*"] }
checks { disabled = ["promql/regexp", "rule/unknown"] }
check "promql/series" { lookbackRange = "5d" }
rule {
  match {
    path = "rules/.*"
    kind = "alerting"
  }
  match { name = "Slo.+" }
  locked = true
  annotation "summary" {
    required = true
    severity = "bug"
  }
  label "severity" {
    value    = "(critical|page)"
    comment  = "say \"who\" is called"
  }
  for { min = "5m" }
  cost {}
}
rule {
  match { label "team" { value = "a" } }
  name "Team.+" {}
}
rule {
  disable = ["alerts/template"]
  aggregate "cluster:.+" { strip = ["instance"] }
  reject ".*\\s+.*" { label_keys = true }
  selector "kube_.+" { requiredLabels = ["cluster"] }
  range_query { max = "4h" }
  alerts { range = "2d" }
}
"#;

    #[test]
    fn a_configuration_is_taken_over() {
        let made = import_pint(PINT_FILE).unwrap();
        let config = Config::parse(&made).unwrap_or_else(|findings| panic!("{made}\n{findings:?}"));
        assert_eq!(config.servers.len(), 1);
        assert!(config.servers[0].is_for("rules/prod/a.yml") && !config.servers[0].is_for("a.yml"));
        has_all_parts(&made);
    }

    /// What is made, as it is written in a promql.toml.
    fn has_all_parts(made: &str) {
        for part in [
            "exclude = [\"/rules/old/.*/\"]\nignore = [\"",
            "\n[lint.live]\nwindow = \"5d\"\nback-test = \"2d\"\n",
            "\n[[lint.server]]\nname = \"prod\"\nsource = \"https://prod.example.com\"\npaths = [\"/rules/prod/.*/\"]\n",
            "\n[[lint.policy]]\ncheck = \"required-annotation\"\nannotations = [\"summary\"]\npaths = [\"/rules/.*/\"]\nkinds = [\"alert\"]\nseverity = \"error\"\nlocked = true\n",
            "\n[[lint.policy]]\ncheck = \"required-annotation\"\nannotations = [\"summary\"]\nrules = [\"/Slo.+/\"]\nseverity = \"error\"\nlocked = true\n",
            "check = \"label-value\"\nlabel = \"severity\"\nregex = \"(critical|page)\"\npaths",
            "message = \"say \\\"who\\\" is called\"\n",
            "check = \"for-range\"\nfield = \"for\"\nmin = \"5m\"\n",
            "\n[[lint.override]]\nignore = [\"",
            "check = \"kept-labels\"\nstrip = [\"instance\"]\nrecords = [\"/cluster:.+/\"]\n",
            "check = \"forbidden-text\"\nregex = \".*\\\\s+.*\"\nin = [\"label-keys\"]\n",
            "check = \"required-matcher\"\nmetrics = [\"/kube_.+/\"]\nlabels = [\"cluster\"]\n",
            "check = \"maximum-range\"\nmax = \"4h\"\n",
            "\n# Without a counterpart here:\n# line 4: `timeout` of `prometheus`\n# line 8: the check `rule/unknown`\n# line 26: `cost`\n# line 28: `rule`: a condition on `label` has no counterpart\n",
        ] {
            assert!(made.contains(part), "{part}\nis not in\n{made}");
        }
    }
}
