//! Expressions at one fixed time.

use std::sync::Arc;

use crate::ast::{At, Expr, NodeKind, Tree};

impl Expr {
    /// The expression with `@ timestamp` (milliseconds since the epoch) on every selector and
    /// subquery that stands in no other subquery and has no fixed time yet; `@ start()` and
    /// `@ end()` give way. Upstream's runner of test scripts evaluates queries in this form at other
    /// times, where they must give the same.
    ///
    /// The spans are those of this expression. For text, print it.
    ///
    /// ```
    /// let expr = promql_syntax::parse("a + sum_over_time(b[5m:1m]) + c @ 7", &Default::default())?;
    /// let fixed = expr.at_fixed_time(60_000).to_string();
    /// assert_eq!(fixed, "a @ 60.000 + sum_over_time(b[5m:1m] @ 60.000) + c @ 7.000");
    /// # Ok::<(), promql_syntax::Errors>(())
    /// ```
    #[must_use]
    pub fn at_fixed_time(&self, timestamp: i64) -> Expr {
        let mut tree: Tree = (*self.tree).clone();
        let mut open = vec![self.root()];
        let fix = |at: &mut Option<At>| {
            if !matches!(at, Some(At::Timestamp(_))) {
                *at = Some(At::Timestamp(timestamp));
            }
        };
        while let Some(node) = open.pop() {
            match self.kind(node) {
                NodeKind::VectorSelector(id) => {
                    fix(&mut tree.selectors[id.0 as usize].modifiers.at);
                }
                // What is inside is evaluated at the times of the subquery.
                NodeKind::Subquery(id) => fix(&mut tree.subqueries[id.0 as usize].modifiers.at),
                _ => self.for_each_child(node, |child| open.push(child)),
            }
        }
        Expr { tree: Arc::new(tree) }
    }
}
