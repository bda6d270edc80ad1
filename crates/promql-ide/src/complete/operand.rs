//! Operands and what may follow them.

use promql_model::quote;
use promql_syntax::docs;
use promql_syntax::functions::{AGGREGATORS, Arity, FUNCTIONS, Stability};
use promql_syntax::{Function, ValueType};

use super::{Item, ItemKind, MOST_ITEMS, Offer, SUITS};
use crate::catalogue::{Metadata, MetricKind, Question, is_metric_name};
use crate::cursor::{Argument, Callee};
use crate::lex::Kind;
use crate::walk::{Before, Behind, aggregator, is};

/// What an operand is wanted to be.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    /// Its type; any if there is none.
    value_type: Option<ValueType>,
    /// The function whose argument it is as a whole.
    function: Option<Function>,
}

/// An operand: metrics, functions, aggregations, variables, keywords.
pub(super) fn operand(offer: &mut Offer<'_>, before: Before) {
    let argument = offer.cursor.argument();
    let wanted = wanted(argument, before);
    if let Some(name) = offer.pattern.strip_prefix('$') {
        let name = name.to_owned();
        variables(offer, &name);
        return;
    }
    if offer.cursor.token().is_some_and(|token| token.kind == Kind::Unknown) {
        return;
    }
    keywords(offer, before);
    if wanted.value_type != Some(ValueType::String) {
        if wanted.value_type != Some(ValueType::Scalar) {
            metrics(offer, wanted);
        }
        functions(offer, wanted);
        aggregations(offer, wanted);
    }
    variables(offer, "");
}

fn wanted(argument: Option<Argument>, before: Before) -> Wanted {
    let Some(argument) = argument else { return Wanted { value_type: None, function: None } };
    let function = match argument.callee {
        Callee::Function(info) if argument.begins => Some(info.function),
        _ => None,
    };
    let value_type = match argument.wanted() {
        // Nothing can be done to a range but to give it to a function.
        Some(ValueType::RangeVector) if before != Before::Nothing => Some(ValueType::InstantVector),
        other => other,
    };
    Wanted { value_type, function }
}

/// Whether a metric of a kind is what a function is for. Nothing where a function takes any.
fn suits(function: Function, kind: MetricKind) -> Option<bool> {
    let cumulative = kind.is_cumulative();
    match function {
        Function::Rate | Function::Increase | Function::Irate | Function::Resets => {
            Some(cumulative)
        }
        Function::Delta | Function::Idelta | Function::Deriv | Function::PredictLinear => {
            Some(!cumulative && kind != MetricKind::Info)
        }
        Function::HistogramQuantile
        | Function::HistogramQuantiles
        | Function::HistogramFraction => {
            Some(matches!(kind, MetricKind::Bucket | MetricKind::Histogram))
        }
        Function::HistogramCount
        | Function::HistogramSum
        | Function::HistogramAvg
        | Function::HistogramStddev
        | Function::HistogramStdvar => Some(kind == MetricKind::Histogram),
        _ => None,
    }
}

/// The kind of a metric and what is said about it, as far as it is known.
fn about(kind: MetricKind, metadata: Option<&Metadata>) -> String {
    let help = metadata.map_or("", |metadata| metadata.help.trim());
    match (kind.name(), help) {
        ("", help) => help.to_owned(),
        (kind, "") => kind.to_owned(),
        (kind, help) => format!("{kind}: {help}"),
    }
}

fn metrics(offer: &mut Offer<'_>, wanted: Wanted) {
    let Some(metrics) = offer.catalogue.metrics() else {
        offer.ask(Question::Metrics { prefix: String::new() });
        return;
    };
    let names = metrics.names();
    let suited = |at: usize| match wanted.function {
        Some(function) => suits(function, metrics.kind(at)),
        None => None,
    };
    let catalogue = offer.catalogue;
    let rank = |at: usize| (suited(at) != Some(false), catalogue.uses(names.get(at)));
    let found = names.search(&offer.pattern, MOST_ITEMS, rank);
    if names.is_cut() && !offer.pattern.is_empty() && found.len() < MOST_ITEMS {
        offer.ask(Question::Metrics { prefix: offer.prefix() });
    }
    let followed = offer.cursor.is_followed_by("[") || offer.cursor.is_followed_by("{");
    for (at, fit) in found {
        let (name, kind) = (names.get(at), metrics.kind(at));
        let plain = match is_metric_name(name) && !is_word_of_the_language(name) {
            true => name.to_owned(),
            false => format!("{{{}}}", quote(name.as_bytes())),
        };
        let insert = match (wanted.value_type, wanted.function) {
            _ if followed => plain,
            (Some(ValueType::RangeVector), _) => format!("{plain}[5m]"),
            (_, Some(Function::HistogramQuantile)) if kind == MetricKind::Bucket => {
                format!("sum by (le) (rate({plain}[5m]))")
            }
            (_, Some(Function::HistogramQuantile)) if kind == MetricKind::Histogram => {
                format!("sum(rate({plain}[5m]))")
            }
            _ => plain,
        };
        let about = about(kind, catalogue.metadata(name));
        let item = Item::new(ItemKind::Metric, name).inserting(insert).about(about);
        let item = item.fitting(suited(at) != Some(false));
        let group = if suited(at) == Some(true) { SUITS } else { GROUP_METRIC };
        offer.add_found(group, fit, item);
    }
}

/// Whether a name would be read as something else than a metric.
fn is_word_of_the_language(name: &str) -> bool {
    is(name, &["inf", "nan", "and", "or", "unless", "atan2", "bool", "on", "ignoring"])
}

/// The order of what is offered where everything fits alike.
const GROUP_KEYWORD: u8 = 0;
const GROUP_METRIC: u8 = 1;
const GROUP_FUNCTION: u8 = 2;
const GROUP_AGGREGATION: u8 = 3;
const GROUP_VARIABLE: u8 = 4;
const GROUP_EXPERIMENTAL: u8 = 5;

/// What almost every question is made of: it comes before names that are only shorter.
const USUAL: [&str; 8] =
    ["rate", "sum", "histogram_quantile", "increase", "avg", "max", "count", "topk"];

/// How much a function counts as used before anybody used it.
pub(super) fn usual(name: &str) -> u32 {
    u32::from(USUAL.contains(&name))
}

fn functions(offer: &mut Offer<'_>, wanted: Wanted) {
    let followed = offer.cursor.is_followed_by("(");
    for info in FUNCTIONS {
        // No function gives a range; what is wanted may be made of a subquery.
        let fits = match wanted.value_type {
            Some(ValueType::RangeVector) => false,
            Some(wanted) => info.returns == wanted,
            None => true,
        };
        if wanted.value_type == Some(ValueType::Scalar) && !fits {
            continue;
        }
        let no_arguments = info.parameters.is_empty() && info.arity == Arity::Exactly;
        let insert = match followed {
            true => info.name.to_owned(),
            false if no_arguments => format!("{}()", info.name),
            false => format!("{}(", info.name),
        };
        let summary = info.documentation.summary;
        let (group, detail) = match info.stability {
            Stability::Stable => (GROUP_FUNCTION, summary.to_owned()),
            Stability::Experimental => (GROUP_EXPERIMENTAL, format!("{summary} (experimental)")),
        };
        let item = Item::new(ItemKind::Function, info.name).inserting(insert);
        offer.add(group, item.about(detail).fitting(fits));
    }
}

fn aggregations(offer: &mut Offer<'_>, wanted: Wanted) {
    if wanted.value_type == Some(ValueType::Scalar) {
        return;
    }
    let fits = wanted.value_type != Some(ValueType::RangeVector);
    let next = ["(", "by", "without"].iter().any(|next| offer.cursor.is_followed_by(next));
    for info in AGGREGATORS {
        let insert = match next {
            true => info.name.to_owned(),
            false => format!("{}(", info.name),
        };
        let item = Item::new(ItemKind::Aggregation, info.name).inserting(insert);
        offer.add(GROUP_AGGREGATION, item.about(info.documentation.summary).fitting(fits));
    }
}

/// The variables whose names begin like this. The pattern holds the `$`, if there is one.
fn variables(offer: &mut Offer<'_>, name: &str) {
    if !offer.pattern.is_empty() && !offer.pattern.starts_with('$') {
        return;
    }
    for (variable, value) in offer.catalogue.variables() {
        if variable.starts_with(name) {
            let item = Item::new(ItemKind::Variable, format!("${variable}"));
            offer.add(GROUP_VARIABLE, item.about(value));
        }
    }
}

/// Words between an operator and its operand.
fn keywords(offer: &mut Offer<'_>, before: Before) {
    let words: &[&str] = match before {
        Before::Nothing | Before::Grouped => &[],
        Before::Operator { compares: true } => &["bool", "on (", "ignoring ("],
        Before::Operator { compares: false } | Before::Bool => &["on (", "ignoring ("],
        Before::Matching => &["group_left (", "group_right ("],
    };
    let only_when_written = before != Before::Matching;
    if offer.pattern.is_empty() && only_when_written {
        // Metrics come first there; these follow behind all else.
        words.iter().for_each(|word| keyword(offer, u8::MAX, word));
    } else {
        words.iter().for_each(|word| keyword(offer, GROUP_KEYWORD, word));
    }
}

/// A word or an operator of the language; with ` (` at its end it is followed by a list.
fn keyword(offer: &mut Offer<'_>, group: u8, text: &str) {
    let symbol = text.trim_end_matches([' ', '(']);
    let about = docs::keyword(symbol).map_or("", |info| info.documentation.summary);
    let written = offer.cursor.is_writing;
    let before = offer.cursor.previous().and_then(|at| offer.cursor.tokens.get(at));
    // `up{}` and a keyword want a blank between them.
    let blank = !written
        && before.is_some_and(|token| {
            token.span.end == offer.cursor.at && !matches!(token.kind, Kind::Open(_))
        });
    let insert = match offer.cursor.is_followed_by("(") {
        true => symbol,
        false => text,
    };
    let insert = if blank { format!(" {insert}") } else { insert.to_owned() };
    let item = Item::new(ItemKind::Keyword, symbol).inserting(insert).about(about);
    offer.add(group, item);
}

/// Operators, by how often people write them.
const OPERATORS: [&str; 16] = [
    "/", "*", "-", "+", ">", "<", "==", ">=", "<=", "!=", "and", "or", "unless", "%", "^", "atan2",
];

/// What goes on behind an operand.
pub(super) fn behind(offer: &mut Offer<'_>, behind: Behind) {
    let token = offer.cursor.token().map(|token| token.kind);
    if token.is_none_or(|kind| kind == Kind::Unknown) {
        let previous = offer.cursor.previous();
        let adjacent =
            previous.is_some_and(|at| offer.cursor.tokens[at].span.end == offer.cursor.at);
        if behind == Behind::Name && adjacent {
            return;
        }
    }
    let after_aggregator = offer
        .cursor
        .previous()
        .is_some_and(|at| behind == Behind::Name && aggregator(offer.cursor.text_of(at)).is_some());
    if behind == Behind::Aggregation || after_aggregator {
        ["by (", "without ("].iter().for_each(|word| keyword(offer, 0, word));
    }
    if matches!(behind, Behind::Name | Behind::Braces | Behind::Range | Behind::Modifier) {
        let previous = offer.cursor.previous().map_or("", |at| offer.cursor.text_of(at));
        let modified = behind == Behind::Modifier;
        keyword(offer, 1, "offset ");
        if !modified || previous != ")" {
            keyword(offer, 2, "@ ");
        }
        if behind == Behind::Range && !is_subquery(offer) {
            ["anchored", "smoothed"].iter().for_each(|word| keyword(offer, 3, word));
        }
    }
    // Nothing can be done to a range but to give it to a function.
    if behind == Behind::Range {
        return;
    }
    for (at, operator) in OPERATORS.iter().enumerate() {
        keyword(offer, 4 + u8::try_from(at).unwrap_or(u8::MAX), &format!("{operator} "));
    }
}

/// Whether the brackets in front of the cursor hold a step.
fn is_subquery(offer: &Offer<'_>) -> bool {
    let tokens = &offer.cursor.tokens[..offer.cursor.index];
    let inside = tokens.iter().rev().take_while(|token| token.kind != Kind::Open(b'['));
    inside.into_iter().any(|token| token.kind == Kind::Colon)
}

/// Behind an aggregation operator: the clause, then the arguments.
pub(super) fn clause(offer: &mut Offer<'_>) {
    let written = offer.cursor.previous().is_some_and(|at| offer.cursor.text_of(at) == ")");
    if !written {
        ["by (", "without ("].iter().for_each(|word| keyword(offer, 0, word));
        // It may be a metric, too.
        for (at, operator) in OPERATORS.iter().enumerate() {
            if offer.pattern.is_empty() {
                break;
            }
            keyword(offer, 4 + u8::try_from(at).unwrap_or(u8::MAX), &format!("{operator} "));
        }
    }
    parenthesis(offer, "the arguments");
}

/// A parenthesis that has to come.
pub(super) fn parenthesis(offer: &mut Offer<'_>, about: &str) {
    if offer.pattern.is_empty() && !offer.cursor.is_followed_by("(") {
        offer.add(1, Item::new(ItemKind::Keyword, "(").about(about));
    }
}
