//! The labels and annotations of alerts, which are templates.

use super::group::Context;
use super::{Dialect, Rule, RuleKind};
use crate::finding::Finding;
use crate::template::{ALERT_VARIABLES, FUNCTIONS, Template, TemplateError};
use crate::yaml::{Text, like};

/// What is wrong with the templates of a rule, labels first, as upstream looks. `prefix` stands in
/// front of upstream's messages. Whether they can be expanded is only known with the values of a
/// query.
pub(super) fn check(
    rule: &Rule,
    context: &Context<'_>,
    prefix: &dyn Fn() -> String,
    file: &str,
) -> Vec<Finding> {
    if rule.kind != RuleKind::Alerting {
        return Vec::new();
    }
    let labels = rule.labels.iter().map(|pair| ("label", pair));
    let annotations = rule.annotations.iter().map(|pair| ("annotation", pair));
    let mut findings = Vec::new();
    for (kind, (name, text)) in labels.chain(annotations) {
        let Err(error) = Template::check_alert(&rule.name.value, &text.value) else { continue };
        let upstream = format!("{}{kind} {:?}: {error}", prefix(), name.value);
        let finding = finding(&error, kind, name, text, file).with_upstream(upstream);
        findings.push(match context.dialect {
            // vmalert has more functions and variables.
            Dialect::Vmalert => Finding {
                upstream: None,
                help: Some("vmalert has more variables and functions; this was not checked".into()),
                ..finding.remark()
            },
            _ => finding,
        });
    }
    findings
}

fn finding(error: &TemplateError, kind: &str, name: &Text, text: &Text, file: &str) -> Finding {
    let message = error.message();
    let span = text.positions(file).file_span(error.span());
    let what = format!("the template of the {kind} `{}` can't be read", name.value);
    Finding::error("rules::bad-template", span, what, message.to_owned(), help(message))
}

/// What to do, by what is wrong.
fn help(message: &str) -> String {
    let quoted = message.split('"').nth(1).unwrap_or_default();
    if message.starts_with("undefined variable") {
        let known = ALERT_VARIABLES.join(", ");
        return match like(quoted, &ALERT_VARIABLES) {
            Some(similar) => format!("did you mean `{similar}`?"),
            None => format!("templates of alerts have {known}, and what they define themselves"),
        };
    }
    if message.starts_with("function") {
        let names: Vec<&str> = FUNCTIONS.iter().map(|function| function.name).collect();
        return match like(quoted, &names) {
            Some(similar) => format!("did you mean `{similar}`?"),
            None => {
                "a word is a function; fields begin with a dot, variables with `$`, texts are in \
                     quotes"
                    .to_owned()
            }
        };
    }
    match message {
        "unexpected EOF" => {
            "each `if`, `range`, `with` and `define` needs an `{{ end }}`".to_owned()
        }
        "unclosed action" => "`{{` needs a `}}` in the same line".to_owned(),
        _ => String::new(),
    }
}
