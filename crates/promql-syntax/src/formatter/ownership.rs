//! Traces every token of the source to the part of the syntax it belongs to.
//!
//! The tree keeps no operators, parentheses and commas, but the grammar leaves no choice where they
//! stand: walking the tree in the order of the source, and taking tokens on the way, finds them all.

use std::ops::Range;

use crate::ast::{Expr, List, NodeId, NodeKind, VectorSelector};
use crate::lexer::{Token, TokenKind};
use crate::printer::Owner;

/// Which part of the syntax each token of a source belongs to.
pub(super) struct Ownership {
    /// The owners of the tokens, in order.
    pub(super) owners: Vec<Owner>,
    /// The tokens that each node takes up, in the order of [`Expr::nodes`].
    pub(super) nodes: Vec<Range<usize>>,
}

/// Traces the tokens that an expression was read from. Nothing if they are not its tokens.
pub(super) fn trace(expr: &Expr, tokens: &[Token]) -> Option<Ownership> {
    let mut walk = Walk {
        expr,
        tokens,
        steps: vec![Step::Node(expr.root())],
        out: Ownership {
            owners: Vec::with_capacity(tokens.len()),
            nodes: vec![0..0; expr.nodes().len()],
        },
    };
    while let Some(step) = walk.steps.pop() {
        walk.step(step)?;
    }
    (walk.out.owners.len() == tokens.len()).then_some(walk.out)
}

/// What is left to walk.
enum Step {
    Node(NodeId),
    /// The node ends here.
    End(NodeId),
    /// One token of a node.
    Token(NodeId),
    /// The operator of a binary operation and its modifiers.
    Operator(NodeId),
    /// Range and step of a subquery, and its modifiers.
    Brackets(NodeId),
    /// `by` or `without` behind an aggregation, if it is there.
    TrailingClause(NodeId, List),
}

struct Walk<'e> {
    expr: &'e Expr,
    tokens: &'e [Token],
    steps: Vec<Step>,
    /// Its owners are those of the tokens taken so far.
    out: Ownership,
}

impl Walk<'_> {
    fn step(&mut self, step: Step) -> Option<()> {
        match step {
            Step::Node(id) => {
                self.out.nodes[id.index()].start = self.out.owners.len();
                self.steps.push(Step::End(id));
                self.node(id)
            }
            Step::End(id) => {
                self.out.nodes[id.index()].end = self.out.owners.len();
                Some(())
            }
            Step::Token(id) => self.take(Owner::Node(id)),
            Step::Operator(id) => self.operator(id),
            Step::Brackets(id) => {
                self.brackets(id)?;
                self.modifiers(id)
            }
            Step::TrailingClause(id, labels) => self.grouping(id, labels).map(|_| ()),
        }
    }

    fn node(&mut self, id: NodeId) -> Option<()> {
        let own = Owner::Node(id);
        match self.expr.kind(id) {
            NodeKind::Number { .. } => {
                // The signs in front of a number are part of it.
                self.take_while(own, is_sign)?;
                self.take(own)
            }
            NodeKind::String(_) => self.take(own),
            NodeKind::VectorSelector(selector) => {
                let selector = *self.expr.selector(selector);
                self.selector(id, &selector)?;
                self.modifiers(id)
            }
            NodeKind::MatrixSelector { selector: inner, .. } => {
                let NodeKind::VectorSelector(selector) = self.expr.kind(inner) else {
                    return None;
                };
                let selector = *self.expr.selector(selector);
                let start = self.out.owners.len();
                self.selector(inner, &selector)?;
                self.out.nodes[inner.index()] = start..self.out.owners.len();
                let is_extended = |kind| matches!(kind, TokenKind::Anchored | TokenKind::Smoothed);
                self.take_while(Owner::Node(inner), is_extended)?;
                self.brackets(id)?;
                self.modifiers(inner)
            }
            NodeKind::Subquery(subquery) => {
                let operand = self.expr.subquery(subquery).expr;
                self.steps.extend([Step::Brackets(id), Step::Node(operand)]);
                Some(())
            }
            NodeKind::Aggregate { expr, param, grouping, .. } => {
                self.take(own)?;
                if !self.grouping(id, grouping)? {
                    self.steps.push(Step::TrailingClause(id, grouping));
                }
                self.take(own)?;
                self.steps.extend([Step::Token(id), Step::Node(expr)]);
                if let Some(param) = param {
                    self.steps.extend([Step::Token(id), Step::Node(param)]);
                }
                Some(())
            }
            NodeKind::Call { args, .. } => {
                self.take(own)?;
                self.take(own)?;
                self.steps.push(Step::Token(id));
                for (i, &arg) in self.expr.arguments(args).iter().enumerate().rev() {
                    self.steps.push(Step::Node(arg));
                    if i > 0 {
                        self.steps.push(Step::Token(id));
                    }
                }
                Some(())
            }
            NodeKind::Binary { lhs, rhs, .. } => {
                self.steps.extend([Step::Node(rhs), Step::Operator(id), Step::Node(lhs)]);
                Some(())
            }
            NodeKind::Unary { expr, .. } => {
                self.steps.push(Step::Node(expr));
                self.take(own)
            }
            NodeKind::Paren(expr) => {
                self.steps.extend([Step::Token(id), Step::Node(expr)]);
                self.take(own)
            }
        }
    }

    /// The name and the matchers of a selector.
    fn selector(&mut self, id: NodeId, selector: &VectorSelector) -> Option<()> {
        let own = Owner::Node(id);
        if selector.name.is_some() {
            self.take(own)?;
        }
        if self.peek() != Some(TokenKind::LeftBrace) {
            return Some(());
        }
        self.take(own)?;
        for index in selector.matchers.start..selector.matchers.end {
            let ends = |kind| matches!(kind, TokenKind::Comma | TokenKind::RightBrace);
            self.take_while(Owner::Matcher(index), |kind| !ends(kind))?;
            self.take_while(own, |kind| kind == TokenKind::Comma)?;
        }
        self.take(own)
    }

    /// `[range]` or `[range:step]`.
    fn brackets(&mut self, id: NodeId) -> Option<()> {
        let own = Owner::Node(id);
        let ends = |kind| matches!(kind, TokenKind::Colon | TokenKind::RightBracket);
        self.take(own)?;
        self.take_while(Owner::Range(id), |kind| !ends(kind))?;
        if self.peek() == Some(TokenKind::Colon) {
            self.take(own)?;
            self.take_while(Owner::Step(id), |kind| !ends(kind))?;
        }
        self.take(own)
    }

    /// `offset`, `@`, `anchored` and `smoothed`, in any order.
    fn modifiers(&mut self, id: NodeId) -> Option<()> {
        loop {
            match self.peek() {
                Some(TokenKind::Offset) => self.offset(Owner::Offset(id))?,
                Some(TokenKind::At) => {
                    let own = Owner::At(id);
                    self.take(own)?;
                    self.take_while(own, is_sign)?;
                    if matches!(self.peek(), Some(TokenKind::Start | TokenKind::End)) {
                        self.take(own)?;
                        self.take(own)?;
                    }
                    self.take(own)?;
                }
                Some(TokenKind::Anchored | TokenKind::Smoothed) => self.take(Owner::Node(id))?,
                _ => return Some(()),
            }
        }
    }

    /// `offset` with its argument. An argument that begins with a parenthesis or with two signs
    /// takes in the arithmetic behind it, any other ends with its first operand.
    fn offset(&mut self, own: Owner) -> Option<()> {
        self.take(own)?;
        let first = self.peek()?;
        let second = self.tokens.get(self.out.owners.len() + 1).map(|token| token.kind);
        let is_greedy =
            first == TokenKind::LeftParen || (is_sign(first) && second.is_some_and(is_sign));
        loop {
            self.take_while(own, is_sign)?;
            match self.peek()? {
                TokenKind::Number | TokenKind::Duration => self.take(own)?,
                TokenKind::LeftParen => self.parenthesized(own)?,
                _ => {
                    self.take(own)?;
                    self.parenthesized(own)?;
                }
            }
            if !is_greedy || !self.peek().is_some_and(is_arithmetic) {
                return Some(());
            }
            self.take(own)?;
        }
    }

    /// All tokens from a parenthesis to the one that closes it.
    fn parenthesized(&mut self, own: Owner) -> Option<()> {
        let mut depth = 0usize;
        loop {
            match self.peek()? {
                TokenKind::LeftParen => depth += 1,
                TokenKind::RightParen => depth = depth.checked_sub(1)?,
                _ => {}
            }
            self.take(own)?;
            if depth == 0 {
                return Some(());
            }
        }
    }

    fn operator(&mut self, id: NodeId) -> Option<()> {
        let NodeKind::Binary { modifiers, .. } = self.expr.kind(id) else { return None };
        self.take(Owner::Node(id))?;
        let modifiers = modifiers.map(|id| *self.expr.binary_modifiers(id)).unwrap_or_default();
        loop {
            match self.peek() {
                Some(TokenKind::Bool) => self.take(Owner::Node(id))?,
                Some(TokenKind::On | TokenKind::Ignoring) => {
                    self.take(Owner::Matching(id))?;
                    self.labels(Owner::Matching(id), modifiers.labels)?;
                }
                Some(TokenKind::GroupLeft | TokenKind::GroupRight) => {
                    self.take(Owner::Group(id))?;
                    if self.peek() == Some(TokenKind::LeftParen) {
                        self.labels(Owner::Group(id), modifiers.include)?;
                    }
                }
                Some(TokenKind::Fill | TokenKind::FillLeft) => self.fill(Owner::FillLeft(id))?,
                Some(TokenKind::FillRight) => self.fill(Owner::FillRight(id))?,
                _ => return Some(()),
            }
        }
    }

    fn fill(&mut self, own: Owner) -> Option<()> {
        self.take(own)?;
        self.parenthesized(own)
    }

    /// The clause of an aggregation, if one stands here. Says whether one does.
    fn grouping(&mut self, id: NodeId, labels: List) -> Option<bool> {
        if !matches!(self.peek(), Some(TokenKind::By | TokenKind::Without)) {
            return Some(false);
        }
        self.take(Owner::Grouping(id))?;
        self.labels(Owner::Grouping(id), labels)?;
        Some(true)
    }

    /// A list of labels in parentheses.
    fn labels(&mut self, own: Owner, labels: List) -> Option<()> {
        self.take(own)?;
        for index in labels.start..labels.end {
            self.take(Owner::Label(index))?;
            self.take_while(own, |kind| kind == TokenKind::Comma)?;
        }
        self.take(own)
    }

    fn peek(&self) -> Option<TokenKind> {
        self.tokens.get(self.out.owners.len()).map(|token| token.kind)
    }

    /// Takes the next token.
    fn take(&mut self, owner: Owner) -> Option<()> {
        self.peek()?;
        self.out.owners.push(owner);
        Some(())
    }

    /// Takes all tokens of a kind. There is always one behind them.
    fn take_while(&mut self, owner: Owner, belongs: impl Fn(TokenKind) -> bool) -> Option<()> {
        while belongs(self.peek()?) {
            self.take(owner)?;
        }
        Some(())
    }
}

fn is_sign(kind: TokenKind) -> bool {
    matches!(kind, TokenKind::Add | TokenKind::Sub)
}

fn is_arithmetic(kind: TokenKind) -> bool {
    use TokenKind::{Add, Div, Mod, Mul, Pow, Sub};
    matches!(kind, Add | Sub | Mul | Div | Mod | Pow)
}
