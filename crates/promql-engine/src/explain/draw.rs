//! Plans drawn for people: a line for each operation, lines that lead from operations to their
//! operands, and what else is to be said on further lines below. Lines are at most 80 columns wide
//! unless a single name is wider.

use promql_model::{FormatDuration, METRIC_NAME};

use super::names::label;
use super::{OutputLabels, PlanNode, PlanSteps, PlanTree, PlanWindow, Sharing};
use crate::dates::rfc3339_exact;
use crate::label_sets::METADATA;

/// How wide lines are.
const WIDTH: usize = 80;

/// Behind an operation whose line is no wider than this stands the type.
const ALIGNED_WIDTH: usize = 62;

/// Deeper than this a line shows its depth as a number instead of the lines of all its ancestors,
/// so that a drawing stays in proportion to its tree.
const DRAWN_DEPTH: usize = 16;

/// A line of a drawing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanLine {
    /// What stands on it.
    pub kind: PlanLineKind,
    /// The lines that lead to the operation, or nothing.
    pub branch: String,
    /// The text.
    pub text: String,
    /// Behind an operation the type of its result, which stands below those of the others.
    pub value_type: &'static str,
}

/// A part of a plan that there may be more to say about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanPart {
    /// A node, given by its position in [`PlanTree::nodes`].
    Node(usize),
    /// Something that is read, given by its position in [`PlanTree::reads`].
    Read(usize),
}

/// What stands on a line of a drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanLineKind {
    /// The steps of the query.
    Steps,
    /// An operation.
    Operation,
    /// More about the operation above.
    Detail,
    /// What is asked of the storage.
    Read,
}

impl PlanTree {
    /// The plan drawn as a tree, at most 80 columns wide as far as names allow. Every line ends
    /// with a line break.
    pub fn to_text(&self) -> String {
        let lines = self.lines(|_| Vec::new());
        let mut out = String::new();
        for line in &lines {
            out.push_str(&line.branch);
            out.push_str(&line.text);
            if !line.value_type.is_empty() {
                out.push_str("  ");
                out.push_str(line.value_type);
            }
            out.truncate(out.trim_end_matches(' ').len());
            out.push('\n');
        }
        out
    }

    /// The lines of the drawing. `more` gives what else is to be said of a part.
    pub fn lines(&self, mut more: impl FnMut(PlanPart) -> Vec<String>) -> Vec<PlanLine> {
        let mut lines = vec![line(PlanLineKind::Steps, String::new(), steps(&self.steps))];
        // For each ancestor whether it is the last operand.
        let mut is_last: Vec<bool> = Vec::new();
        let mut is_drawn = vec![false; self.nodes.len()];
        let mut stack = vec![(self.nodes.len().saturating_sub(1), 0, true)];
        while let Some((at, depth, last)) = stack.pop() {
            let Some(node) = self.nodes.get(at) else { continue };
            is_last.truncate(depth);
            is_last.push(last);
            if std::mem::replace(&mut is_drawn[at], true) && node.sharing.is_some() {
                draw_again(node, &is_last, &mut lines);
                continue;
            }
            let more = more(PlanPart::Node(at));
            self.draw_node(node, &is_last, more, &mut lines);
            for (behind, &input) in node.inputs.iter().rev().enumerate() {
                stack.push((input, depth + 1, behind == 0));
            }
        }
        align(&mut lines);
        for (at, read) in self.reads.iter().enumerate() {
            let head = format!("read {}: ", at + 1);
            let text = wrap(&(head + &read.matchers), WIDTH, 2);
            let mut used = String::new();
            if read.uses > 1 {
                used = format!(", for {} selectors", read.uses);
            }
            let (start, end) = (rfc3339_exact(read.range.start), rfc3339_exact(read.range.end));
            let time = wrap(&format!("{start} to {end}{used}"), WIDTH - 2, 0);
            let more = more(PlanPart::Read(at));
            let more = more.into_iter().flat_map(|text| wrap(&text, WIDTH - 2, 0));
            let indented = time.into_iter().chain(more).map(|text| format!("  {text}"));
            lines.extend(
                text.into_iter()
                    .chain(indented)
                    .map(|text| line(PlanLineKind::Read, String::new(), text)),
            );
        }
        lines
    }

    fn draw_node(
        &self,
        node: &PlanNode,
        is_last: &[bool],
        more: Vec<String>,
        lines: &mut Vec<PlanLine>,
    ) {
        let (first, rest) = branches(is_last, !node.inputs.is_empty());
        draw_operation(node, (&first, &rest), lines);
        for text in [self.describe(node)].into_iter().chain(more) {
            let wrapped = wrap(&text, room(&rest), 2);
            lines.extend(
                wrapped.into_iter().map(|text| line(PlanLineKind::Detail, rest.clone(), text)),
            );
        }
    }

    /// What is to be said of a node, apart from its name and its type.
    fn describe(&self, node: &PlanNode) -> String {
        let mut parts = vec![match node.read {
            Some(read) => format!("{} from read {}", node.evaluation.description(), read + 1),
            None => node.evaluation.description().to_owned(),
        }];
        if let Some(other) = node.along.and_then(|at| self.nodes.get(at)) {
            parts.push(format!("in the same pass as {}", other.operation));
        }
        parts.extend(node.window.as_ref().map(window));
        let own_steps = node.steps != self.steps;
        if own_steps && !node.inputs.is_empty() && node.window.is_some() {
            parts.push(steps(&node.steps));
        }
        if let (Some(labels), None) = (&node.labels, node.read) {
            parts.push(self::labels(labels));
        }
        parts.extend(node.sharing.map(|sharing| {
            let done = if node.read.is_some() { "read" } else { "computed" };
            let how = match sharing {
                Sharing::Computed => format!("{done} once"),
                Sharing::Together => format!("each series {done} once"),
                Sharing::Passes(passes) => format!("{done} in {passes} passes"),
            };
            format!("used {} times: {how}", node.uses)
        }));
        parts.join(", ")
    }
}

/// The line with the name of a node, and those that it goes on.
fn draw_operation(node: &PlanNode, (first, rest): (&str, &str), lines: &mut Vec<PlanLine>) {
    let wrapped = wrap(&node.operation, room(first).min(ALIGNED_WIDTH), 2);
    for (row, text) in wrapped.into_iter().enumerate() {
        let branch = if row == 0 { first } else { rest };
        let mut line = line(PlanLineKind::Operation, branch.to_owned(), text);
        if row == 0 {
            line.value_type = node.value_type.name();
        }
        lines.push(line);
    }
}

/// A node that was drawn before.
fn draw_again(node: &PlanNode, is_last: &[bool], lines: &mut Vec<PlanLine>) {
    let (first, rest) = branches(is_last, false);
    draw_operation(node, (&first, &rest), lines);
    lines.push(line(PlanLineKind::Detail, rest, "the same as above".to_owned()));
}

/// How much can stand behind a branch.
fn room(branch: &str) -> usize {
    WIDTH.saturating_sub(branch.chars().count()).max(24)
}

fn line(kind: PlanLineKind, branch: String, text: String) -> PlanLine {
    PlanLine { kind, branch, text, value_type: "" }
}

/// Puts the types below each other.
fn align(lines: &mut [PlanLine]) {
    let width = |line: &PlanLine| line.branch.chars().count() + line.text.chars().count();
    let typed = lines.iter().filter(|line| !line.value_type.is_empty());
    let widest = typed.map(width).filter(|&width| width <= ALIGNED_WIDTH).max().unwrap_or(0);
    for line in lines.iter_mut().filter(|line| !line.value_type.is_empty()) {
        let missing = widest.saturating_sub(width(line));
        line.text.extend(std::iter::repeat_n(' ', missing));
    }
}

/// The lines that lead to a node, and those beside what else is said of it.
fn branches(is_last: &[bool], has_inputs: bool) -> (String, String) {
    let depth = is_last.len().saturating_sub(1);
    let below = if has_inputs { "│ " } else { "  " };
    if depth > DRAWN_DEPTH {
        return (format!("… {depth} levels deep: "), below.to_owned());
    }
    let (mut first, mut rest) = (String::new(), String::new());
    for (at, &last) in is_last.iter().enumerate().skip(1) {
        first.push_str(match (at == depth, last) {
            (true, true) => "└─ ",
            (true, false) => "├─ ",
            (false, true) => "   ",
            (false, false) => "│  ",
        });
        rest.push_str(if last { "   " } else { "│  " });
    }
    (first, rest + below)
}

/// Breaks a text into lines of at most so many characters, at spaces and behind commas as far as
/// there are any. All but the first are indented.
fn wrap(text: &str, width: usize, indent: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut rest = text;
    loop {
        let margin = " ".repeat(if lines.is_empty() { 0 } else { indent });
        let room = width.saturating_sub(margin.len()).max(1);
        let Some((limit, _)) = rest.char_indices().nth(room) else {
            lines.push(margin + rest);
            return lines;
        };
        // Where a line can end: a space may itself stand behind the last column.
        let end_of = |(at, found): (usize, &str)| if found == "," { at + 1 } else { at };
        let breaks = rest.match_indices([' ', ',']).map(end_of);
        let fitting = breaks.clone().take_while(|&at| at <= limit).filter(|&at| at > 0).last();
        let Some(end) = fitting.or_else(|| breaks.clone().find(|&at| at > limit)) else {
            lines.push(margin + rest);
            return lines;
        };
        lines.push(margin + rest[..end].trim_end());
        rest = rest[end..].trim_start_matches(' ');
        if rest.is_empty() {
            return lines;
        }
    }
}

fn duration(milliseconds: i64) -> String {
    let sign = if milliseconds < 0 { "-" } else { "" };
    let magnitude = i64::try_from(milliseconds.unsigned_abs()).unwrap_or(i64::MAX);
    format!("{sign}{}", FormatDuration(magnitude.saturating_mul(1_000_000)))
}

fn steps(steps: &PlanSteps) -> String {
    let start = rfc3339_exact(steps.start);
    match steps.count {
        0 => format!("no step: the end precedes {start}"),
        1 => format!("1 step at {start}"),
        count => {
            let end = rfc3339_exact(steps.end());
            format!("{count} steps of {} from {start} to {end}", duration(steps.step))
        }
    }
}

fn window(window: &PlanWindow) -> String {
    let mut text = match window.at {
        Some(at) => {
            let start = rfc3339_exact(at.saturating_sub(window.range));
            format!("window ({start}, {}]", rfc3339_exact(at))
        }
        None => {
            let moment = |offset: i64| match offset {
                0 => "t".to_owned(),
                past if past > 0 => format!("t-{}", duration(past)),
                future => format!("t+{}", duration(future.saturating_neg())),
            };
            let start = moment(window.offset.saturating_add(window.range));
            format!("window ({start}, {}]", moment(window.offset))
        }
    };
    for (reach, side) in [(window.before, "before"), (window.after, "after")] {
        if reach > 0 {
            text += &format!(" and {} {side}", duration(reach));
        }
    }
    text
}

fn labels(labels: &OutputLabels) -> String {
    match labels {
        OutputLabels::Only(names) if names.is_empty() => "no labels".to_owned(),
        OutputLabels::Only(names) => {
            let names: Vec<String> = names.iter().map(|name| label(name)).collect();
            format!("labels: {}", names.join(", "))
        }
        OutputLabels::AllBut(names) => {
            // The name, the type and the unit go together.
            let nameless = METADATA.iter().all(|m| names.iter().any(|name| name == m));
            let mut but = Vec::new();
            if nameless {
                but.push("the name".to_owned());
            }
            let others = names.iter().filter(|name| !nameless || !METADATA.contains(&&***name));
            but.extend(others.map(|name| match name.as_str() {
                METRIC_NAME => "the name".to_owned(),
                name => label(name),
            }));
            match but.is_empty() {
                true => "any labels".to_owned(),
                false => format!("labels: any but {}", but.join(", ")),
            }
        }
    }
}
