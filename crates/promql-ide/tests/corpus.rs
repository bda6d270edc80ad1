//! What is answered for the texts of `corpus/ide`.

mod common;

use common::{Server, check, with_cursor};
use promql_ide::{Question, Role, Snapshot, highlight, signature};

fn question(question: &Question) -> String {
    match question {
        Question::Metrics { .. } => "metrics".to_owned(),
        Question::Metadata { metric } => format!("metadata of {metric}"),
        Question::LabelNames { selector } => format!("labels of {selector}").trim_end().to_owned(),
        Question::LabelValues { label, selector, .. } => {
            format!("values of {label} in {selector}").trim_end().to_owned()
        }
    }
}

#[test]
fn completions() {
    const SHOWN: usize = 6;
    let server = Server::new();
    check("completion.txt", |text| {
        let (text, cursor) = with_cursor(text);
        let (found, asked) = server.complete(&text, cursor, &mut Snapshot::new());
        let mut shown: Vec<String> = (found.items.iter().take(SHOWN))
            .map(|item| format!("{}{}", if item.fits { "" } else { "~" }, item.label))
            .collect();
        if found.items.len() > SHOWN {
            shown.push("…".to_owned());
        }
        let asked: Vec<String> = asked.iter().map(question).collect();
        let asked =
            if asked.is_empty() { String::new() } else { format!(" ? {}", asked.join(" ; ")) };
        format!("{}{asked}", shown.join("  "))
    });
}

#[test]
fn what_is_written_when_the_first_item_is_chosen() {
    let server = Server::new();
    check("applied.txt", |text| {
        let (text, cursor) = with_cursor(text);
        let (found, _) = server.complete(&text, cursor, &mut Snapshot::new());
        let Some(item) = found.items.first() else { return "nothing".to_owned() };
        let (front, behind) = (&text[..found.replaced.start], &text[found.replaced.end..]);
        let (before, after) = item.insert.split_at(item.caret);
        format!("{front}{before}‸{after}{behind}").replace('\n', "⏎")
    });
}

#[test]
fn signatures() {
    check("signatures.txt", |text| {
        let (text, cursor) = with_cursor(text);
        let Some(found) = signature(&text, cursor) else { return "none".to_owned() };
        match found.active.and_then(|at| found.parameters.get(at)) {
            Some(range) => {
                let (start, end) = (range.start, range.end);
                let text = &found.text;
                format!("{}«{}»{}", &text[..start], &text[start..end], &text[end..])
            }
            None => found.text,
        }
    });
}

#[test]
fn highlights() {
    check("highlights.txt", |text| {
        let text = text.replace('⏎', "\n");
        let role = |role: Role| match role {
            Role::Bracket(depth) => depth.to_string(),
            role => format!("{role:?}").to_lowercase(),
        };
        let parts = highlight(&text);
        let shown =
            parts.iter().map(|part| format!("{} {}", &text[part.span.clone()], role(part.role)));
        shown.collect::<Vec<_>>().join(" · ")
    });
}
