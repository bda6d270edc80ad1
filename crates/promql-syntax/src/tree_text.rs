//! The syntax tree drawn for people.

use crate::ast::{Expr, NodeId, NodeKind};
use crate::outline::{Entry, draw, excerpt};
use crate::printer::{Fidelity, Notes, print};

impl Expr {
    /// The tree drawn with lines, a node on each: what it is, its type, and the beginning of its
    /// canonical form. Children stand in the order in which they are printed. Every line ends with
    /// a line break.
    ///
    /// ```
    /// let expr = promql_syntax::parse("sum by (job) (up) > 1", &Default::default()).unwrap();
    /// assert_eq!(expr.to_tree_text(), "\
    /// binary >            instant vector  sum by (job) (up) > 1
    /// ├─ aggregation sum  instant vector  sum by (job) (up)
    /// │  └─ selector      instant vector  up
    /// └─ number           scalar          1
    /// ");
    /// ```
    pub fn to_tree_text(&self) -> String {
        let printed = print(self, self.root(), Fidelity::Exact, Notes::Nodes);
        let types = crate::value_types(self);
        draw(self.root(), |id: NodeId| Entry {
            label: self.label(id),
            kind: types[id.index()].name(),
            excerpt: excerpt(&printed.text[printed.nodes[id.index()].clone()]),
            children: self.printed_children(id),
        })
    }

    /// What kind of node it is, with its operator or its name.
    fn label(&self, id: NodeId) -> String {
        match self.kind(id) {
            NodeKind::Number { is_duration: false, .. } => "number".to_owned(),
            NodeKind::Number { is_duration: true, .. } => "duration".to_owned(),
            NodeKind::String(_) => "string".to_owned(),
            NodeKind::VectorSelector(_) => "selector".to_owned(),
            NodeKind::MatrixSelector { .. } => "range selector".to_owned(),
            NodeKind::Subquery(_) => "subquery".to_owned(),
            NodeKind::Aggregate { op, .. } => format!("aggregation {}", op.name()),
            NodeKind::Call { function, .. } => format!("call {}", function.name),
            NodeKind::Binary { op, .. } => format!("binary {}", op.symbol()),
            NodeKind::Unary { op, .. } => format!("unary {}", op.symbol()),
            NodeKind::Paren(_) => "parentheses".to_owned(),
        }
    }

    /// The children in the order of the canonical form. A range selector is shown as a whole.
    fn printed_children(&self, id: NodeId) -> Vec<NodeId> {
        let mut children = Vec::new();
        match self.kind(id) {
            NodeKind::MatrixSelector { .. } => {}
            NodeKind::Aggregate { expr, param, .. } => {
                children.extend(param.into_iter().chain([expr]))
            }
            _ => self.for_each_child(id, |child| children.push(child)),
        }
        children
    }
}
