//! Series that are known, and texts with a cursor, from `corpus/ide`.

#![allow(dead_code, reason = "each test uses a part")]

use std::collections::HashMap;
use std::path::PathBuf;

use promql_ide::{
    Completions, Metadata, MetricKind, Names, Question, Selector, Snapshot, complete,
};
use promql_model::{Labels, METRIC_NAME, Matcher};

pub(crate) fn corpus() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../corpus/ide")
}

/// The series of `series.txt`, as a server that answers questions.
pub(crate) struct Server {
    series: Vec<Labels>,
    metadata: HashMap<String, Metadata>,
}

impl Server {
    pub(crate) fn new() -> Server {
        let text = std::fs::read_to_string(corpus().join("series.txt")).expect("series.txt");
        let (mut series, mut metadata) = (Vec::new(), HashMap::new());
        for line in text.lines() {
            if let Some(about) = line.strip_prefix("# TYPE ") {
                let (name, kind) = about.split_once(' ').expect("a kind");
                let kind = MetricKind::named(kind);
                metadata.insert(name.to_owned(), Metadata { kind, ..Metadata::default() });
                continue;
            }
            let line = match line.strip_prefix('"') {
                Some(rest) => {
                    let (name, labels) = rest.split_once("\"{").expect("labels");
                    format!("{{\"{name}\", {labels}")
                }
                None => line.to_owned(),
            };
            series.push(promql_syntax::parse_metric(&line).expect("a series"));
        }
        Server { series, metadata }
    }

    fn selected(&self, selector: &Selector) -> impl Iterator<Item = &Labels> {
        let matchers: Vec<Matcher> = (selector.conditions.iter())
            .map(|c| Matcher::new(c.label.as_str(), c.op, c.value.as_bytes()).expect("a matcher"))
            .collect();
        let metric = selector.metric.clone();
        self.series.iter().filter(move |labels| {
            let named = metric.as_deref().is_none_or(|name| labels.metric_name() == Some(name));
            named && matchers.iter().all(|m| m.matches(labels.get(m.name()).unwrap_or_default()))
        })
    }

    /// Answers a question.
    pub(crate) fn answer(&self, question: &Question, known: &mut Snapshot) {
        let values = |label: &str, selector: &Selector| {
            let found = self.selected(selector).filter_map(|s| s.get(label).map(str::to_owned));
            Names::new(found.collect::<Vec<_>>())
        };
        match question {
            Question::Metrics { .. } => {
                known.set_metadata(self.metadata.clone());
                known.set_metrics(values(METRIC_NAME, &Selector::default()));
            }
            Question::Metadata { .. } => known.set_metadata(self.metadata.clone()),
            Question::LabelNames { selector } => {
                let series = self.selected(selector);
                let names = series.flat_map(|s| s.iter().map(|(name, _)| name.to_owned()));
                known.set_label_names(selector.clone(), Names::new(names.collect::<Vec<_>>()));
            }
            Question::LabelValues { label, selector, .. } => {
                known.set_label_values(label, selector.clone(), values(label, selector));
            }
        }
    }

    /// Completes, answering questions as they come. Gives the questions, too.
    pub(crate) fn complete(
        &self,
        text: &str,
        cursor: usize,
        known: &mut Snapshot,
    ) -> (Completions, Vec<Question>) {
        let mut asked = Vec::new();
        loop {
            let found = complete(text, cursor, known);
            if found.missing.is_empty() || asked.len() > 20 {
                return (found, asked);
            }
            for question in found.missing {
                self.answer(&question, known);
                asked.push(question);
            }
        }
    }
}

/// A text without its cursor mark, and where that was.
pub(crate) fn with_cursor(text: &str) -> (String, usize) {
    let text = text.replace('⏎', "\n");
    let at = text.find('‸').expect("a cursor");
    (text.replace('‸', ""), at)
}

/// Compares each line of a file of the corpus, `text ⇒ answer`, with what is answered now.
pub(crate) fn check(file: &str, answer: impl Fn(&str) -> String) {
    let path = corpus().join(file);
    let before = std::fs::read_to_string(&path).expect("a file of the corpus");
    let mut after = String::new();
    let mut cases = 0;
    for line in before.lines() {
        if line.is_empty() || line.starts_with("# ") {
            after.push_str(line);
        } else {
            let text = line.split_once(" ⇒").map_or(line, |(text, _)| text);
            after.push_str(format!("{text} ⇒ {}", answer(text)).trim_end());
            cases += 1;
        }
        after.push('\n');
    }
    assert!(cases > 0, "{file} holds no cases");
    if std::env::var_os("UPDATE_CORPUS").is_some() {
        std::fs::write(&path, after).expect("to write the corpus");
        return;
    }
    let wrong: Vec<String> = (before.lines().zip(after.lines()))
        .filter(|(before, after)| before != after)
        .map(|(before, after)| format!("is      {after}\nshould be {before}"))
        .collect();
    assert!(wrong.is_empty(), "{file}:\n{}", wrong.join("\n"));
}
