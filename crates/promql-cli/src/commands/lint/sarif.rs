//! The report in SARIF 2.1.0, which code hosts read.

use promql_lint::{CHECKS, FileOutcome, Finding, Outcome, Severity};
use serde_json::{Value, json};

use super::json::place;

/// So many results at most are read by GitHub; the worst are kept.
const MANY: usize = 25_000;

/// The report, in one line.
pub(super) fn render(outcome: &Outcome) -> String {
    let mut found: Vec<(&FileOutcome, &Finding)> = Vec::new();
    for file in &outcome.files {
        found.extend(file.findings.iter().map(|finding| (file, finding)));
    }
    found.sort_by_key(|(_, finding)| std::cmp::Reverse(finding.severity));
    found.truncate(MANY);
    let used: Vec<_> = CHECKS
        .iter()
        .filter(|check| found.iter().any(|(_, finding)| finding.check == **check))
        .collect();
    let rules: Vec<Value> = used
        .iter()
        .map(|check| {
            json!({
                "id": check.code,
                "name": check.name,
                "shortDescription": { "text": check.summary() },
                "help": { "text": check.summary(), "markdown": promql_lint::page(check) },
                "defaultConfiguration": { "level": level(check.severity) },
                "properties": { "tags": [check.category().name()], "precision": match check.evidence {
                    promql_lint::Evidence::Proven | promql_lint::Evidence::Observed => "very-high",
                    promql_lint::Evidence::Presumed => "high",
                    promql_lint::Evidence::Heuristic => "medium",
                } },
            })
        })
        .collect();
    let results: Vec<Value> = found
        .iter()
        .map(|(file, finding)| {
            let index = used.iter().position(|check| **check == finding.check);
            result(file, finding, index, outcome)
        })
        .collect();
    let report = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "promql lint",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    report.to_string() + "\n"
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn result(file: &FileOutcome, finding: &Finding, index: Option<usize>, outcome: &Outcome) -> Value {
    let mut text = finding.message.clone();
    for more in [finding.consequence, finding.help.as_deref()].into_iter().flatten() {
        text.push_str("; ");
        text.push_str(more);
    }
    let mut labels = finding.labels.iter();
    let first = labels.next();
    let mut related: Vec<Value> =
        labels.map(|label| location(file, &label.span, &label.text)).collect();
    for other in &finding.related {
        if let Some(file) = outcome.files.get(other.file) {
            related.push(location(file, &other.span, &other.text));
        }
    }
    let here = first.map_or(Value::Null, |label| location(file, &label.span, &label.text));
    let mut result = json!({
        "ruleId": finding.check.code,
        "ruleIndex": index,
        "level": level(finding.severity),
        "message": { "text": text },
        "locations": [here],
        "relatedLocations": related,
        "partialFingerprints": { "promqlLint/v1": finding.fingerprint() },
    });
    if let (Some(fix), Some(object)) = (&finding.fix, result.as_object_mut()) {
        let replacements: Vec<Value> = fix
            .edits
            .iter()
            .map(|edit| json!({ "deletedRegion": region(file, &edit.span), "insertedContent": { "text": edit.text } }))
            .collect();
        let change = json!({ "artifactLocation": artifact(file), "replacements": replacements });
        let fixes = json!([{ "description": { "text": fix.title }, "artifactChanges": [change] }]);
        object.insert("fixes".to_owned(), fixes);
    }
    result
}

fn artifact(file: &FileOutcome) -> Value {
    let path = file.name.replace('\\', "/");
    let path = path.trim_start_matches("./");
    let mut uri = String::new();
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => {
                uri.push(char::from(byte));
            }
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    match path.starts_with('/') {
        true => json!({ "uri": format!("file://{uri}") }),
        false => json!({ "uri": uri, "uriBaseId": "%SRCROOT%" }),
    }
}

fn region(file: &FileOutcome, span: &std::ops::Range<usize>) -> Value {
    let (line, column) = place(&file.text, span.start);
    let (end_line, end_column) = place(&file.text, span.end);
    json!({ "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column })
}

fn location(file: &FileOutcome, span: &std::ops::Range<usize>, label: &str) -> Value {
    let mut location = json!({
        "physicalLocation": { "artifactLocation": artifact(file), "region": region(file, span) },
    });
    if let (false, Some(object)) = (label.is_empty(), location.as_object_mut()) {
        object.insert("message".to_owned(), json!({ "text": label }));
    }
    location
}
