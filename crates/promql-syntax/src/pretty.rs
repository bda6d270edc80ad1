//! Upstream's pretty form: what does not fit on a line is broken up and indented.
//!
//! A node is broken when its canonical form is longer than the limit, counted in bytes and without
//! the indentation. Numbers, strings and selectors are never broken. Everything that ends up on a
//! line is a piece of the canonical form, so the layout below only decides where to cut.

use std::ops::Range;

use crate::ast::{Expr, NodeId, NodeKind};
use crate::printer::{Fidelity, Notes, Printed, print};

/// The number of bytes up to which upstream keeps a node on one line.
pub const DEFAULT_WIDTH: usize = 100;

/// The largest size of the indentation of a whole text. Each level of nesting indents all the
/// lines within it, so a deep enough expression would be indented by gigabytes.
const INDENTATION_BUDGET: usize = 64 << 20;

impl Expr {
    /// Upstream's pretty form, without a line break at its end. Comments are not part of it:
    /// [`crate::format()`] keeps them.
    ///
    /// `width` is the longest node, in bytes of its canonical form, that stays on one line;
    /// upstream's tools use [`DEFAULT_WIDTH`]. The text is upstream's, byte for byte, with one
    /// exception: when a text is nested so deeply that its indentation would take more than 64 MiB,
    /// lines are indented only up to the depth that keeps it below that.
    pub fn pretty(&self, width: usize) -> String {
        let printed = print(self, self.root(), Fidelity::Upstream, Notes::Nodes);
        pretty_text(self, &printed, width)
    }
}

/// The pretty form of an expression that was printed with its nodes noted.
pub(crate) fn pretty_text(expr: &Expr, printed: &Printed, width: usize) -> String {
    let too_long = |id: NodeId| printed.nodes[id.index()].len() > width;
    let deepest = deepest_indentation(expr, printed, too_long);
    let mut plain = Plain { text: &printed.text, out: String::new(), deepest };
    lay_out(expr, printed, too_long, &mut plain);
    plain.out
}

/// The level up to which lines are indented, so that all indentation stays within the budget.
pub(crate) fn deepest_indentation(
    expr: &Expr,
    printed: &Printed,
    broken: impl Fn(NodeId) -> bool,
) -> usize {
    let nodes = expr.nodes().len();
    // No node begins more than two lines, and none lies deeper than there are nodes.
    if nodes.saturating_mul(nodes).saturating_mul(4) <= INDENTATION_BUDGET {
        return usize::MAX;
    }
    let mut ruler = Ruler::default();
    lay_out(expr, printed, broken, &mut ruler);
    match ruler.indentation <= INDENTATION_BUDGET {
        true => usize::MAX,
        false => INDENTATION_BUDGET / (2 * ruler.lines.max(1)),
    }
}

/// Writes the indentation of a level.
pub(crate) fn push_indentation(out: &mut String, level: usize) {
    const BLANKS: &str = "                                                                ";
    let mut rest = level * 2;
    while rest > 0 {
        let part = rest.min(BLANKS.len());
        out.push_str(&BLANKS[..part]);
        rest -= part;
    }
}

/// Takes the pieces of a layout.
pub(crate) trait Page {
    /// Takes a piece of the canonical form. Pieces come in their order there; the blanks at both
    /// ends of a piece are cut off.
    fn piece(&mut self, range: Range<usize>);
    /// Begins a new line, not indented.
    fn line_break(&mut self);
    /// Indents the line, on which nothing stands yet, by so many levels.
    fn indent(&mut self, level: usize);
}

/// Cuts an expression into lines as upstream does, breaking the nodes for which `broken` holds.
pub(crate) fn lay_out(
    expr: &Expr,
    printed: &Printed,
    broken: impl Fn(NodeId) -> bool,
    page: &mut impl Page,
) {
    let mut steps = vec![Step::Node(expr.root(), 0)];
    // Set behind a sign: its operand begins on the same line.
    let mut glued = false;
    while let Some(step) = steps.pop() {
        let (id, level) = match step {
            Step::Node(id, level) => (id, level),
            Step::Piece(range) => {
                page.piece(range);
                glued = false;
                continue;
            }
            Step::Line => {
                page.line_break();
                continue;
            }
            Step::Indent(level) => {
                page.indent(level);
                continue;
            }
        };
        let range = printed.nodes[id.index()].clone();
        let part = |id: NodeId| printed.nodes[id.index()].clone();
        let kind = expr.kind(id);
        let indents_itself = match kind {
            // Upstream forgets to indent a subquery that fits on a line, and leaves the lines of
            // one that doesn't to its operand.
            NodeKind::Subquery(_) => false,
            NodeKind::Binary { .. } => !broken(id),
            _ => true,
        };
        if indents_itself && !std::mem::take(&mut glued) {
            page.indent(level);
        }
        if !broken(id) {
            page.piece(range);
            glued = false;
            continue;
        }
        match kind {
            NodeKind::Number { .. }
            | NodeKind::String(_)
            | NodeKind::VectorSelector(_)
            | NodeKind::MatrixSelector { .. } => page.piece(range),
            NodeKind::Binary { lhs, rhs, .. } => steps.extend([
                Step::Node(rhs, level + 1),
                Step::Line,
                Step::Piece(part(lhs).end..part(rhs).start),
                Step::Indent(level),
                Step::Line,
                Step::Node(lhs, level + 1),
            ]),
            NodeKind::Unary { expr, .. } => {
                page.piece(range.start..part(expr).start);
                glued = true;
                steps.push(Step::Node(expr, level));
            }
            NodeKind::Subquery(subquery) => {
                let operand = expr.subquery(subquery).expr;
                steps.push(Step::Piece(part(operand).end..range.end));
                steps.push(Step::Node(operand, level));
            }
            NodeKind::Aggregate { .. } | NodeKind::Call { .. } | NodeKind::Paren(_) => {
                bracketed(expr, printed, id, level, &mut steps);
            }
        }
    }
}

enum Step {
    Node(NodeId, usize),
    Piece(Range<usize>),
    Line,
    Indent(usize),
}

/// Whatever has its children between parentheses: each on lines of its own, one level deeper.
fn bracketed(expr: &Expr, printed: &Printed, id: NodeId, level: usize, steps: &mut Vec<Step>) {
    let range = printed.nodes[id.index()].clone();
    let mut children: Vec<NodeId> = Vec::new();
    expr.for_each_child(id, |child| children.push(child));
    if let NodeKind::Aggregate { .. } = expr.kind(id) {
        // The parameter is printed before the operand.
        children.reverse();
    }
    let first_step = steps.len();
    let mut at = range.start;
    for &child in &children {
        let part = printed.nodes[child.index()].clone();
        steps.extend([Step::Piece(at..part.start), Step::Line, Step::Node(child, level + 1)]);
        at = part.end;
    }
    if children.is_empty() {
        steps.push(Step::Piece(range));
    } else {
        steps.extend([Step::Line, Step::Indent(level), Step::Piece(at..range.end)]);
    }
    steps[first_step..].reverse();
}

/// Writes a layout as it is.
struct Plain<'t> {
    text: &'t str,
    out: String,
    deepest: usize,
}

impl Page for Plain<'_> {
    fn piece(&mut self, range: Range<usize>) {
        self.out.push_str(self.text[range].trim_matches(' '));
    }

    fn line_break(&mut self) {
        self.out.push('\n');
    }

    fn indent(&mut self, level: usize) {
        push_indentation(&mut self.out, level.min(self.deepest));
    }
}

/// Measures a layout.
#[derive(Default)]
struct Ruler {
    lines: usize,
    indentation: usize,
}

impl Page for Ruler {
    fn piece(&mut self, _: Range<usize>) {}

    fn line_break(&mut self) {
        self.lines += 1;
    }

    fn indent(&mut self, level: usize) {
        self.indentation += 2 * level;
    }
}
