//! What series there are.

use promql_ide::{Metadata, MetricKind, Metrics, Names, Question, Selector};
use promql_model::{QueryValue, SampleValue};
use promql_syntax::ast::NodeKind;

use super::Failure;
use crate::grid::Grid;
use crate::host::{Knowledge, Request};
use crate::plain::plain;
use crate::session::Session;
use crate::statement::Query;

/// More names than these are not listed.
const MOST: usize = 10_000;

fn know(session: &Session<'_>, question: &Question) -> Result<Knowledge, Failure> {
    let connection = session.connected()?;
    let cancellation = session.host.cancellation();
    let answer = connection.know(question, &cancellation);
    match answer {
        Err(_) if cancellation.is_cancelled() => {
            Err(Failure { cancelled: true, ..Failure::new("cancelled") })
        }
        answer => answer.map_err(Failure::new),
    }
}

fn names(session: &Session<'_>, question: &Question) -> Result<Names, Failure> {
    match know(session, question)? {
        Knowledge::Names(names) => Ok(names),
        _ => Ok(Names::default()),
    }
}

fn all_metrics(
    session: &Session<'_>,
) -> Result<(Metrics, std::collections::HashMap<String, Metadata>), Failure> {
    match know(session, &Question::Metrics { prefix: String::new() })? {
        Knowledge::Metrics(names, metadata) => Ok((Metrics::new(names, &metadata), metadata)),
        _ => Ok((Metrics::default(), Default::default())),
    }
}

pub(super) fn metrics(session: &mut Session<'_>, rest: &str) -> Result<(), Failure> {
    let mut words = rest.split_whitespace();
    let first = words.next().unwrap_or_default();
    let kind = |word: &str| Some(MetricKind::named(word)).filter(|k| *k != MetricKind::Unknown);
    let (pattern, wanted) = match words.next() {
        Some(word) => match kind(word) {
            Some(kind) => (first, Some(kind)),
            None => {
                return Err(Failure::new(format!(
                    "`{word}` is no kind of metric: counter, gauge, histogram, summary or info"
                )));
            }
        },
        None => match kind(first) {
            Some(kind) => ("", Some(kind)),
            None => (first, None),
        },
    };
    let (metrics, metadata) = all_metrics(session)?;
    let all = metrics.names();
    let mut found: Vec<usize> = match pattern {
        "" => (0..all.len()).collect(),
        pattern => all.search(pattern, MOST, |_| ()).into_iter().map(|(at, _)| at).collect(),
    };
    found.retain(|at| wanted.is_none_or(|wanted| metrics.kind(*at) == wanted));
    let mut grid =
        Grid::new([("metric", false), ("kind", false), ("unit", false), ("help", false)]);
    for at in found.iter().take(MOST) {
        let name = all.get(*at);
        let about = metadata.get(name).cloned().unwrap_or_default();
        grid.push([name.to_owned(), metrics.kind(*at).name().to_owned(), about.unit, about.help]);
    }
    let columns = session.host.terminal().size.map(|(columns, _)| columns);
    let text = match found.is_empty() {
        true => "no metric\n".to_owned(),
        false => grid.render(columns),
    };
    session.print_paged(&text);
    Ok(())
}

/// The selector that an argument is.
fn selector(text: &str) -> Result<Selector, Failure> {
    if text.is_empty() {
        return Ok(Selector::default());
    }
    let expr = promql_syntax::parse_metric_selector(text)
        .map_err(|errors| Failure::new(format!("`{}` is no selector: {errors}", plain(text))))?;
    let NodeKind::VectorSelector(id) = expr.kind(expr.root()) else {
        return Err(Failure::new(format!("`{}` is no selector", plain(text))));
    };
    let written = expr.selector(id);
    let metric = written.name.map(|name| expr.text_lossy(name).into_owned());
    let condition = |m: &promql_syntax::ast::LabelMatcher| promql_ide::Condition {
        label: expr.text_lossy(m.name).into_owned(),
        op: m.op,
        value: expr.text_lossy(m.value).into_owned(),
    };
    Ok(Selector { metric, conditions: expr.matchers(written).iter().map(condition).collect() })
}

pub(super) fn labels(session: &mut Session<'_>, rest: &str) -> Result<(), Failure> {
    let question = Question::LabelNames { selector: selector(rest)? };
    let names = names(session, &question)?;
    list(session, &names, "no label");
    Ok(())
}

fn list(session: &mut Session<'_>, names: &Names, none: &str) {
    let mut text = String::new();
    for name in names.iter().take(MOST) {
        text.push_str(&plain(name));
        text.push('\n');
    }
    if names.is_empty() {
        text = format!("{none}\n");
    } else if names.is_cut() || names.len() > MOST {
        text.push_str("… and more\n");
    }
    session.print_paged(&text);
}

pub(super) fn values(session: &mut Session<'_>, rest: &str) -> Result<(), Failure> {
    let (label, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    if label.is_empty() {
        return Err(Failure::new("\\values wants a label: \\values job"));
    }
    let selector = selector(rest.trim())?;
    if selector.is_everything() {
        let (label, prefix) = (label.to_owned(), String::new());
        let values = names(session, &Question::LabelValues { label, selector, prefix })?;
        list(session, &values, "no value");
        return Ok(());
    }
    let name = match promql_model::is_label_name(label) {
        true => label.to_owned(),
        false => promql_model::quote(label.as_bytes()),
    };
    let value = ask(session, format!("count by ({name}) ({selector})"))?;
    let mut rows: Vec<(String, f64)> = Vec::new();
    if let QueryValue::Vector(elements) = &value {
        for element in elements {
            if let SampleValue::Float(count) = element.value {
                rows.push((element.labels.get(label).unwrap_or_default().to_owned(), count));
            }
        }
    }
    rows.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let mut grid = Grid::new([("value", false), ("series", true)]);
    for (value, count) in &rows {
        let value = if value.is_empty() { "(without the label)" } else { value };
        grid.push([value.to_owned(), session.host.number(*count)]);
    }
    let text = if rows.is_empty() { "no series\n".to_owned() } else { grid.render(None) };
    session.print_paged(&text);
    Ok(())
}

/// The answer to an instant query.
fn ask(session: &Session<'_>, expression: String) -> Result<QueryValue, Failure> {
    let request = session.request(&Query { expression, ..Query::default() })?;
    let request = Request { range: None, ..request };
    let cancellation = session.host.cancellation();
    Ok(session.connected()?.ask(&request, &cancellation)?.result.value)
}

pub(super) fn describe(session: &mut Session<'_>, rest: &str) -> Result<(), Failure> {
    /// How many labels are looked into.
    const MOST_LABELS: usize = 15;
    let name = rest.trim();
    if name.is_empty() {
        return Err(Failure::new("\\describe wants a metric: \\describe up"));
    }
    let selector = Selector::metric(name);
    let (metrics, metadata) = all_metrics(session)?;
    let all = metrics.names();
    if !all.contains(name) && !all.is_cut() {
        let near = all.search(name, 3, |_| ());
        let near: Vec<&str> = near.iter().map(|(at, _)| all.get(*at)).collect();
        let near = match near.is_empty() {
            true => String::new(),
            false => format!("; like it are {}", plain(&near.join(", "))),
        };
        return Err(Failure::new(format!("there is no metric {}{near}", plain(name))));
    }
    let kind = all
        .beginning_with(name)
        .find(|at| all.get(*at) == name)
        .map_or(MetricKind::Unknown, |at| metrics.kind(at));
    let mut known = promql_ide::Snapshot::new();
    known.set_metadata(metadata);
    let about = promql_ide::Catalogue::metadata(&known, name).cloned().unwrap_or_default();
    let mut text = format!("{}\n", plain(name));
    let mut line = |what: &str, value: &str| {
        if !value.is_empty() {
            text.push_str(&format!("  {what:8}{}\n", plain(value)));
        }
    };
    line("kind", kind.name());
    line("unit", &about.unit);
    line("help", &about.help);
    let count = match ask(session, format!("count({selector})"))? {
        QueryValue::Vector(elements) => match elements.first().map(|e| &e.value) {
            Some(SampleValue::Float(count)) => session.host.number(*count),
            _ => "0".to_owned(),
        },
        _ => String::new(),
    };
    line("series", &count);
    let example = match kind {
        MetricKind::Counter => format!("sum(rate({selector}[5m]))"),
        MetricKind::Bucket => {
            format!("histogram_quantile(0.9, sum by (le) (rate({selector}[5m])))")
        }
        MetricKind::Histogram => format!("histogram_quantile(0.9, sum(rate({selector}[5m])))"),
        _ => format!("avg_over_time({selector}[5m])"),
    };
    line("example", &example);
    let labels = names(session, &Question::LabelNames { selector: selector.clone() })?;
    let mut grid = Grid::new([("label", false), ("values", true), ("such as", false)]);
    for label in labels.iter().filter(|label| *label != "__name__").take(MOST_LABELS) {
        let question = Question::LabelValues {
            label: label.to_owned(),
            selector: selector.clone(),
            prefix: String::new(),
        };
        let values = names(session, &question)?;
        let some: Vec<&str> = values.iter().take(3).collect();
        let more = if values.is_cut() { "+" } else { "" };
        grid.push([label.to_owned(), format!("{}{more}", values.len()), some.join(", ")]);
    }
    text.push('\n');
    text.push_str(&grid.render(session.host.terminal().size.map(|(columns, _)| columns)));
    session.print_paged(&text);
    Ok(())
}
