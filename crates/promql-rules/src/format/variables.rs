//! Grafana's variables, which are filled in before an expression is PromQL.
//!
//! `$job`, `${job}`, `${job:regex}`, `[[job]]` and `$__rate_interval` may stand for a name, a part of
//! one, a text within quotes, a number or a duration. To format an expression around them each is
//! replaced by something of the kind that fits at its place, formatted, and put back. If nothing fits,
//! or if not all of them come back, the expression isn't formatted.

use std::collections::BTreeSet;
use std::ops::Range;

use promql_syntax::{Errors, FormatOptions};

/// Up to so many variables outside of texts and brackets all combinations of kinds are tried.
const MOST_TRIED: usize = 6;

/// Why an expression can't be formatted.
pub(super) enum Left {
    /// It isn't PromQL, and has no variables.
    Unreadable(Errors),
    /// It isn't PromQL, whatever its variables stand for.
    UnreadableWithVariables,
    /// The variables don't survive.
    Variables,
}

/// Formats an expression with variables.
pub(super) fn format(expression: &str, options: &FormatOptions) -> Result<String, Left> {
    let once = format_once(expression, options)?;
    // A text that isn't stable would change with each run.
    match format_once(&once, options)? == once {
        true => Ok(once),
        false => Err(Left::Variables),
    }
}

fn format_once(expression: &str, options: &FormatOptions) -> Result<String, Left> {
    let variables = find(expression);
    if variables.is_empty() {
        return promql_syntax::format(expression, options).map_err(Left::Unreadable);
    }
    let mut was_read = false;
    for kinds in attempts(&variables) {
        let stand_ins = stand_ins(expression, &variables, &kinds);
        let Some(stand_ins) = stand_ins else { continue };
        let filled = fill(expression, &variables, &stand_ins);
        if let Ok(formatted) = promql_syntax::format(&filled, options) {
            was_read = true;
            if let Some(text) = restore(formatted, &variables, &stand_ins) {
                return Ok(text);
            }
        }
    }
    Err(if was_read { Left::Variables } else { Left::UnreadableWithVariables })
}

/// A variable of Grafana in an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DashboardVariable {
    /// Its name, without what says how it is written.
    pub name: String,
    /// How its value is to be written, as `regex` in `${job:regex}`.
    pub format: Option<String>,
    /// Where it is in the expression.
    pub place: Range<usize>,
    /// Whether it is within quotes.
    pub is_text: bool,
    /// Whether it may stand for anything: it is neither within quotes nor a duration.
    pub is_free: bool,
}

/// The variables of an expression, in their order. What refers to a group of a pattern, as `$1`, is none.
pub fn dashboard_variables(expression: &str) -> Vec<DashboardVariable> {
    let variable = |found: Variable| {
        let inner = found.text.trim_start_matches(['$', '{', '[']).trim_end_matches(['}', ']']);
        let (path, format) = match inner.split_once(':') {
            Some((path, format)) => (path, Some(format.to_owned())),
            None => (inner, None),
        };
        let name = path.split('.').next().unwrap_or_default().to_owned();
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let (is_text, is_free) = (found.context == Context::Text, found.context == Context::Free);
        is_name.then_some(DashboardVariable { name, format, place: found.place, is_text, is_free })
    };
    find(expression).into_iter().filter_map(variable).collect()
}

/// What the texts begin with that stand for variables within quotes. It is a control character that nobody has in
/// the values of labels, so that a text with it is known to be not known.
pub const UNKNOWN: char = '\u{1}';

/// Texts as long as an expression in which something that fits stands for each variable, likely ones first.
/// So places in them are places in the expression. The same stands for the same variable, and something else for
/// another one; within quotes it is behind an [`UNKNOWN`].
pub fn with_stand_ins(expression: &str) -> Vec<String> {
    let variables = find(expression);
    let names: BTreeSet<&str> = variables.iter().map(|variable| &*variable.text).collect();
    let fill = |kinds: Vec<Kind>| {
        let stand_in = |(variable, kind): (&Variable, &Kind)| {
            let length = variable.text.len();
            // Others for others, as long as one digit is enough.
            let number = 5 + names.iter().position(|name| *name == variable.text).unwrap_or(0) % 5;
            match (variable.context, kind) {
                (Context::Text, _) => unknown(&variable.text),
                (_, Kind::Name) => "x".repeat(length),
                (_, Kind::Duration) => format!("{number:0>0$}m", length.saturating_sub(1)),
                (_, Kind::DurationDigits | Kind::Number) => format!("{number:0>length$}"),
            }
        };
        let stand_ins: Vec<String> = variables.iter().zip(&kinds).map(stand_in).collect();
        fill(expression, &variables, &stand_ins)
    };
    attempts(&variables).into_iter().map(fill).collect()
}

/// A text as long as the spelling of a variable, which no regular expression sees anything in.
fn unknown(variable: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    std::iter::once(UNKNOWN).chain(variable.chars().skip(1).map(plain)).collect()
}

/// A variable in an expression.
#[derive(Debug, PartialEq, Eq)]
struct Variable {
    place: Range<usize>,
    text: String,
    context: Context,
}

/// What is around a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Context {
    /// Quotes.
    Text,
    /// Brackets, or `offset` in front.
    Duration,
    /// The same, with a unit behind it.
    DurationDigits,
    /// Neither.
    Free,
}

/// What stands for a variable while the expression is formatted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Name,
    Duration,
    DurationDigits,
    Number,
}

/// Finds the variables of an expression. Those in comments stay there by themselves.
fn find(expression: &str) -> Vec<Variable> {
    let bytes = expression.as_bytes();
    let (mut found, mut quote, mut depth, mut at) = (Vec::new(), None, 0_usize, 0);
    while at < bytes.len() {
        if let Some(end) = variable_end(expression, at) {
            let before = expression[..at].trim_end();
            let is_offset = before.ends_with("offset") || before.ends_with("offset -");
            let context = match (quote, depth > 0 || is_offset) {
                (Some(_), _) => Context::Text,
                (None, true) if expression[end..].starts_with(|c: char| c.is_ascii_lowercase()) => {
                    Context::DurationDigits
                }
                (None, true) => Context::Duration,
                (None, false) => Context::Free,
            };
            let text = expression[at..end].to_owned();
            found.push(Variable { place: at..end, text, context });
            at = end;
            continue;
        }
        match (quote, bytes[at]) {
            (Some(b'"' | b'\''), b'\\') => at += 1,
            (Some(open), byte) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'' | b'`') => quote = Some(bytes[at]),
            (None, b'[') => depth += 1,
            (None, b']') => depth = depth.saturating_sub(1),
            (None, b'#') => {
                at = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |end| at + end);
            }
            (None, _) => {}
        }
        at += 1;
    }
    found
}

/// Where the variable ends that begins at a byte, if one does.
fn variable_end(text: &str, at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    let word = |text: &str, more: &str| {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || more.contains(c);
        text.len() - text.trim_start_matches(is_part).len()
    };
    if let Some(name) = rest.strip_prefix("${") {
        let length = word(name, ".:-");
        return (length > 0 && name[length..].starts_with('}')).then_some(at + length + 3);
    }
    if let Some(name) = rest.strip_prefix("[[") {
        let length = word(name, ":");
        return (length > 0 && name[length..].starts_with("]]")).then_some(at + length + 4);
    }
    let name = rest.strip_prefix('$')?;
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    begins.then(|| at + 1 + word(name, ""))
}

/// What the variables may be, likely ones first.
fn attempts(variables: &[Variable]) -> Vec<Vec<Kind>> {
    let free: Vec<usize> =
        (0..variables.len()).filter(|at| variables[*at].context == Context::Free).collect();
    let basis: Vec<Kind> = variables
        .iter()
        .map(|variable| match variable.context {
            Context::Duration => Kind::Duration,
            Context::DurationDigits => Kind::DurationDigits,
            Context::Text | Context::Free => Kind::Name,
        })
        .collect();
    let with_numbers = |chosen: &dyn Fn(usize) -> bool| {
        let mut kinds = basis.clone();
        for (position, at) in free.iter().enumerate() {
            if chosen(position) {
                kinds[*at] = Kind::Number;
            }
        }
        kinds
    };
    match free.len() {
        count if count <= MOST_TRIED => {
            (0..1_usize << count).map(|mask| with_numbers(&|at| mask >> at & 1 == 1)).collect()
        }
        _ => vec![with_numbers(&|_| false), with_numbers(&|_| true)],
    }
}

/// What stands for each variable: the same for the same one at places of the same kind, told apart
/// from all else in the expression, and by name rather than by place, so that formatting again gives
/// the same. Nothing if there are too many.
fn stand_ins(expression: &str, variables: &[Variable], kinds: &[Kind]) -> Option<Vec<String>> {
    let names: BTreeSet<&str> = variables.iter().map(|variable| &*variable.text).collect();
    let stand_in = |(variable, kind): (&Variable, &Kind)| {
        let number = names.iter().position(|name| *name == variable.text)?;
        let text = match kind {
            Kind::Name => {
                let name = format!("pv{number}_");
                let padding = variable.text.len().saturating_sub(name.len());
                name + &"x".repeat(padding)
            }
            // Less than a second is written as it is.
            Kind::Duration if number < 98 => format!("{}ms", 901 + number),
            // Less than a minute or an hour, too.
            Kind::DurationDigits if number < 28 => format!("{}", 31 + number),
            Kind::Duration | Kind::DurationDigits => return None,
            Kind::Number => format!("{}", 907_001 + number),
        };
        (!expression.contains(&text)).then_some(text)
    };
    variables.iter().zip(kinds).map(stand_in).collect()
}

fn fill(expression: &str, variables: &[Variable], stand_ins: &[String]) -> String {
    let mut out = String::with_capacity(expression.len());
    let mut at = 0;
    for (variable, stand_in) in variables.iter().zip(stand_ins) {
        out.push_str(&expression[at..variable.place.start]);
        out.push_str(stand_in);
        at = variable.place.end;
    }
    out.push_str(&expression[at..]);
    out
}

/// Puts the variables back. Nothing if there aren't as many of each as before.
fn restore(mut text: String, variables: &[Variable], stand_ins: &[String]) -> Option<String> {
    let pairs: BTreeSet<(&String, &String)> =
        stand_ins.iter().zip(variables.iter().map(|variable| &variable.text)).collect();
    for (stand_in, variable) in pairs {
        let before = stand_ins.iter().filter(|other| *other == stand_in).count();
        if text.matches(stand_in.as_str()).count() != before {
            return None;
        }
        text = text.replace(stand_in.as_str(), variable);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formatted(expression: &str) -> String {
        match format(expression, &FormatOptions::default()) {
            Ok(text) => text,
            Err(Left::Variables) => "left".to_owned(),
            Err(Left::UnreadableWithVariables) => "unreadable".to_owned(),
            Err(Left::Unreadable(errors)) => errors.to_string(),
        }
    }

    #[test]
    fn stand_ins_are_as_long() {
        for expression in [
            "topk($k, sum by ($l) (rate(a{b=\"$b\"}[$__rate_interval])))",
            "a[${r}s] offset $o",
            "$m > 5",
        ] {
            let all = with_stand_ins(expression);
            assert!(all.iter().all(|text| text.len() == expression.len()), "{all:?}");
            let is_read =
                |text: &String| promql_syntax::parse(text, &promql_syntax::Features::ALL).is_ok();
            assert!(all.iter().any(is_read), "{all:?}");
        }
        let text = with_stand_ins("a{b=~\"$b|$c\"}[$r] offset $o").remove(0);
        assert_eq!(text, "a{b=~\"\u{1}b|\u{1}c\"}[8m] offset 7m");
        let names: Vec<String> = dashboard_variables("a{b=~\"${b:regex}\", c=\"$1\"}[$__range]")
            .into_iter()
            .map(|v| v.name)
            .collect();
        assert_eq!(names, ["b", "__range"]);
    }

    #[test]
    fn variables_survive() {
        for (expression, expected) in [
            ("rate(a[$__rate_interval])", "rate(a[$__rate_interval])"),
            ("sum(rate(a{b=\"$b\"}[$x]))by(c)", "sum by (c) (rate(a{b=\"$b\"}[$x]))"),
            ("a{b=~'${b:regex}'}", "a{b=~\"${b:regex}\"}"),
            ("sum(a[[b]]c{d=~\"[[d]]\"})by([[e]])", "sum by ([[e]]) (a[[b]]c{d=~\"[[d]]\"})"),
            ("topk($k,sum(a)by($l))", "topk($k, sum by ($l) (a))"),
            ("a>$t", "a > $t"),
            ("$m{a=\"b\"}", "$m{a=\"b\"}"),
            ("clamp_max(a,$m)", "clamp_max(a, $m)"),
            ("a[${r}:${s}] offset $o", "a[${r}:${s}] offset $o"),
            (
                "label_replace(a,'b','$1','c','(.*)')",
                "label_replace(a, \"b\", \"$1\", \"c\", \"(.*)\")",
            ),
            ("rate(a[[[i]]])", "rate(a[[[i]]])"),
            ("a{b=\"$b\",a=\"$b\"} # $c", "a{a=\"$b\",b=\"$b\"} # $c"),
            ("rate( a[${x}s])", "rate(a[${x}s])"),
            // 31h would be written as 1d7h.
            ("rate( a[${x}h])", "left"),
        ] {
            assert_eq!(formatted(expression), expected, "{expression}");
        }
        assert!(formatted("{a=\"b\"} |= \"c\"").contains("parse error"));
        assert_eq!(formatted("{a=\"$b\"} |= \"c\""), "unreadable");
        // An operator.
        assert_eq!(formatted("a $op b"), "unreadable");
    }
}
