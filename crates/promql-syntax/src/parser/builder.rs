//! What the grammar's productions do: nodes are stored as they are completed, and what only the
//! parser can check is checked.
//!
//! Operands and operators come in one after the other and go through two stacks, so that the table
//! of operators decides what binds how tightly. All chains share the stacks: an inner chain is
//! finished before the one around it goes on.

use crate::Features;
use crate::ast::{
    BinaryModifiers, BinaryOp, GroupSide, GroupingLabel, List, MatchingId, MatchingKeyword, Node,
    NodeId, NodeKind, POOLED, Sign, Text, Tree,
};
use crate::error::{Error, ErrorKind};
use crate::functions::Stability;
use crate::lexer::{Token, TokenKind, decode_string, is_plain};
use crate::parser::series::SeriesBuilder;
use crate::span::Span;

pub(crate) use crate::parser::duration::Dur;

/// How tightly a sign binds: as tightly as `*`, so that `-a ^ b` is `-(a ^ b)`.
const SIGN_PRECEDENCE: u8 = BinaryOp::Mul.precedence();

/// A chain of operands under construction: where its operators begin on the stack.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chain(pub(super) u32);

/// An operator that waits for its right operand to be complete.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pending {
    Sign(Sign, u32),
    Binary(BinaryOp, u32, Option<MatchingId>),
}

impl Pending {
    fn precedence(self) -> u8 {
        match self {
            Pending::Sign(..) => SIGN_PRECEDENCE,
            Pending::Binary(op, ..) => op.precedence(),
        }
    }

    /// Whether this operator takes the operand before `next` does.
    pub(super) fn binds_before(self, next: BinaryOp) -> bool {
        let (mine, theirs) = (self.precedence(), next.precedence());
        mine > theirs || mine == theirs && next != BinaryOp::Pow
    }
}

/// An error with what decides its place among the others.
#[derive(Clone, Debug)]
pub(crate) struct Raised {
    pub(crate) error: Error,
    /// The last token of the production that raised it.
    pub(crate) last_token: u32,
    /// Whether upstream's parser looks at the next token before it raises the error, so that an
    /// error of the lexer there comes first.
    pub(crate) after_lookahead: bool,
}

/// The vectors that only live while a text is parsed, kept from one parse to the next.
#[derive(Default)]
pub(crate) struct Scratch {
    pub(super) operators: Vec<Pending>,
    pub(super) operands: Vec<NodeId>,
    pub(super) durations: Vec<Dur>,
    pub(super) arguments: Vec<NodeId>,
}

impl Scratch {
    /// The same vectors, empty.
    pub(crate) fn cleared(mut self) -> Scratch {
        self.operators.clear();
        self.operands.clear();
        self.durations.clear();
        self.arguments.clear();
        self
    }
}

/// Stores the nodes of one text.
pub(crate) struct Builder<'s> {
    pub(crate) source: &'s [u8],
    pub(crate) tokens: &'s [Token],
    pub(crate) features: Features,
    pub(crate) scratch: Scratch,
    pub(crate) tree: Tree,
    pub(crate) raised: Vec<Raised>,
    /// Nodes that stand for something that could not be built because of an error.
    pub(crate) placeholders: Vec<NodeId>,
    pub(crate) series: SeriesBuilder,
    /// A token that a production refused although the grammar allows it.
    pub(crate) refused: Option<u32>,
    modifiers: BinaryModifiers,
}

impl<'s> Builder<'s> {
    pub(crate) fn new(source: &'s [u8], tokens: &'s [Token], features: Features) -> Self {
        let tree = Tree {
            source: Box::default(),
            pool: Vec::new(),
            nodes: Vec::with_capacity(tokens.len() / 2 + 1),
            selectors: Vec::new(),
            matchers: Vec::new(),
            subqueries: Vec::new(),
            matchings: Vec::new(),
            arguments: Vec::new(),
            labels: Vec::new(),
            durations: Vec::new(),
            comments: Vec::new(),
            root: NodeId(0),
        };
        Builder {
            source,
            tokens,
            features,
            scratch: Scratch::default(),
            tree,
            raised: Vec::new(),
            placeholders: Vec::new(),
            series: SeriesBuilder::default(),
            refused: None,
            modifiers: BinaryModifiers::default(),
        }
    }

    pub(crate) fn finish(&mut self, root: NodeId) {
        self.tree.root = root;
    }

    // Tokens.

    pub(super) fn token_span(&self, token: u32) -> Span {
        self.tokens[token as usize].span
    }

    pub(super) fn token_kind(&self, token: u32) -> TokenKind {
        self.tokens[token as usize].kind
    }

    pub(super) fn token_text(&self, token: u32) -> &'s [u8] {
        &self.source[self.token_span(token).range()]
    }

    /// The range from one token up to another that is not part of it.
    pub(super) fn tokens_span(&self, first: u32, end: u32) -> Span {
        Span::new(self.token_span(first).start, self.token_span(end - 1).end)
    }

    pub(super) fn word(&self, token: u32) -> Text {
        let span = self.token_span(token);
        Text { start: span.start, len: span.len() }
    }

    /// The text of a word, or of a string without its quotes and escapes.
    pub(super) fn text(&mut self, token: u32) -> Text {
        if self.token_kind(token) != TokenKind::String {
            return self.word(token);
        }
        let span = self.token_span(token);
        let literal = self.token_text(token);
        if literal.is_empty() {
            return Text { start: span.start, len: 0 };
        }
        if is_plain(literal) {
            return Text { start: span.start + 1, len: span.len() - 2 };
        }
        let start = self.tree.pool.len() as u32;
        decode_string(literal, &mut self.tree.pool);
        Text { start: start | POOLED, len: self.tree.pool.len() as u32 - start }
    }

    // Errors.

    pub(super) fn raise(&mut self, kind: ErrorKind, span: Span, last_token: u32) {
        let error = Error { kind, span };
        self.raised.push(Raised { error, last_token, after_lookahead: false });
    }

    pub(super) fn raise_after_lookahead(&mut self, kind: ErrorKind, span: Span, last_token: u32) {
        let error = Error { kind, span };
        self.raised.push(Raised { error, last_token, after_lookahead: true });
    }

    // Nodes.

    pub(super) fn push(&mut self, kind: NodeKind, span: Span) -> NodeId {
        let id = NodeId(self.tree.nodes.len() as u32);
        self.tree.nodes.push(Node { kind, span });
        id
    }

    fn placeholder(&mut self, span: Span) -> NodeId {
        let id = self.push(NodeKind::Number { value: f64::NAN, is_duration: false }, span);
        self.placeholders.push(id);
        id
    }

    pub(super) fn span(&self, id: NodeId) -> Span {
        self.tree.nodes[id.index()].span
    }

    pub(super) fn set_end(&mut self, id: NodeId, end: u32) {
        self.tree.nodes[id.index()].span.end = end;
    }

    pub(crate) fn number_literal(&mut self, token: u32) -> NodeId {
        let (value, is_duration) = self.number_or_duration(token);
        self.push(NodeKind::Number { value, is_duration }, self.token_span(token))
    }

    pub(crate) fn string_literal(&mut self, token: u32) -> NodeId {
        let text = self.text(token);
        self.push(NodeKind::String(text), self.token_span(token))
    }

    pub(crate) fn paren(&mut self, first: u32, inner: NodeId, end: u32) -> NodeId {
        self.push(NodeKind::Paren(inner), self.tokens_span(first, end))
    }

    // Chains.

    pub(crate) fn begin_chain(&mut self, operand: NodeId) -> Chain {
        let base = self.scratch.operators.len() as u32;
        self.scratch.operands.push(operand);
        Chain(base)
    }

    pub(crate) fn begin_signed_chain(&mut self, first: u32, end: u32, operand: NodeId) -> Chain {
        let base = self.scratch.operators.len() as u32;
        self.push_signs(first, end);
        self.scratch.operands.push(operand);
        Chain(base)
    }

    pub(crate) fn extend_chain(
        &mut self,
        chain: Chain,
        operator: u32,
        modifiers: Option<MatchingId>,
        first_sign: u32,
        end_of_signs: u32,
        operand: NodeId,
    ) -> Chain {
        let op = self.token_kind(operator).binary_op().unwrap_or(BinaryOp::Add);
        self.reduce_while(chain, operator - 1, |pending| pending.binds_before(op));
        self.scratch.operators.push(Pending::Binary(op, operator, modifiers));
        self.push_signs(first_sign, end_of_signs);
        self.scratch.operands.push(operand);
        chain
    }

    pub(super) fn push_signs(&mut self, first: u32, end: u32) {
        for token in first..end {
            let sign = match self.token_kind(token) {
                TokenKind::Sub => Sign::Minus,
                _ => Sign::Plus,
            };
            self.scratch.operators.push(Pending::Sign(sign, token));
        }
    }

    pub(crate) fn finish_chain(&mut self, chain: Chain, end: u32) -> NodeId {
        self.reduce_while(chain, end - 1, |_| true);
        self.scratch.operands.pop().unwrap_or(NodeId(0))
    }

    fn reduce_while(&mut self, chain: Chain, last_token: u32, binds: impl Fn(Pending) -> bool) {
        while self.scratch.operators.len() > chain.0 as usize {
            let Some(&pending) = self.scratch.operators.last() else { return };
            if !binds(pending) {
                return;
            }
            self.scratch.operators.pop();
            let Some(operand) = self.scratch.operands.pop() else { return };
            let result = match pending {
                Pending::Sign(sign, token) => self.apply_sign(sign, token, operand),
                Pending::Binary(op, _, modifiers) => {
                    let Some(lhs) = self.scratch.operands.pop() else { return };
                    self.binary(op, lhs, operand, modifiers, last_token)
                }
            };
            self.scratch.operands.push(result);
        }
    }

    fn apply_sign(&mut self, sign: Sign, token: u32, operand: NodeId) -> NodeId {
        let start = self.token_span(token).start;
        let node = &mut self.tree.nodes[operand.index()];
        if let NodeKind::Number { value, .. } = &mut node.kind {
            if sign == Sign::Minus {
                *value = -*value;
            }
            node.span.start = start;
            return operand;
        }
        let span = Span::new(start, node.span.end);
        self.push(NodeKind::Unary { op: sign, expr: operand }, span)
    }

    fn binary(
        &mut self,
        op: BinaryOp,
        lhs: NodeId,
        rhs: NodeId,
        modifiers: Option<MatchingId>,
        last_token: u32,
    ) -> NodeId {
        let span = Span::new(self.span(lhs).start, self.span(rhs).end);
        if let Some(id) = modifiers
            && !self.features.fill_modifiers
        {
            let modifiers = self.tree.matchings[id.0 as usize];
            if modifiers.fill_left.is_some() || modifiers.fill_right.is_some() {
                self.raise_after_lookahead(ErrorKind::FillDisabled, span, last_token);
            }
        }
        self.push(NodeKind::Binary { op, lhs, rhs, modifiers }, span)
    }

    // Modifiers of binary operators. They don't nest, so one is enough.

    pub(crate) fn set_bool(&mut self) {
        self.modifiers.return_bool = true;
    }

    pub(crate) fn set_matching(&mut self, word: u32, labels: List) {
        self.modifiers.matching = Some(match self.token_kind(word) {
            TokenKind::On => MatchingKeyword::On,
            _ => MatchingKeyword::Ignoring,
        });
        self.modifiers.labels = labels;
    }

    pub(crate) fn set_group(&mut self, word: u32, include: List) {
        self.modifiers.group = Some(match self.token_kind(word) {
            TokenKind::GroupLeft | TokenKind::GroupLeftList => GroupSide::Left,
            _ => GroupSide::Right,
        });
        self.modifiers.include = include;
    }

    pub(crate) fn set_fill(&mut self, left: Option<f64>, right: Option<f64>) {
        self.modifiers.fill_left = left;
        self.modifiers.fill_right = right;
    }

    pub(crate) fn fill_value(&mut self, sign: Option<Sign>, token: u32) -> f64 {
        let (value, _) = self.number_or_duration(token);
        if sign == Some(Sign::Minus) { -value } else { value }
    }

    pub(crate) fn finish_modifiers(&mut self) -> MatchingId {
        let id = MatchingId(self.tree.matchings.len() as u32);
        self.tree.matchings.push(std::mem::take(&mut self.modifiers));
        id
    }

    // Lists of labels.

    pub(crate) fn no_labels(&mut self) -> List {
        let at = self.tree.labels.len() as u32;
        List { start: at, end: at }
    }

    pub(crate) fn label(&mut self, token: u32) -> u32 {
        let place = self.tree.labels.len() as u32;
        let name = self.text(token);
        let span = self.token_span(token);
        if self.token_kind(token) == TokenKind::String {
            let bytes = self.tree.text_in(self.source, name);
            if bytes.is_empty() || std::str::from_utf8(bytes).is_err() {
                let kind = ErrorKind::InvalidGroupingLabel(bytes.into());
                self.raise(kind, span, token);
            }
        }
        self.tree.labels.push(GroupingLabel { name, span });
        place
    }

    pub(crate) fn labels(&mut self, first: u32) -> List {
        List { start: first, end: self.tree.labels.len() as u32 }
    }

    // Aggregations and calls.

    pub(crate) fn no_arguments(&mut self) -> u32 {
        self.scratch.arguments.len() as u32
    }

    pub(crate) fn first_argument(&mut self, argument: NodeId) -> u32 {
        self.scratch.arguments.push(argument);
        self.scratch.arguments.len() as u32 - 1
    }

    pub(crate) fn next_argument(&mut self, first: u32, argument: NodeId) -> u32 {
        self.scratch.arguments.push(argument);
        first
    }

    pub(crate) fn trailing_comma(&mut self, first: u32, comma: u32) -> u32 {
        self.raise_after_lookahead(ErrorKind::TrailingComma, self.token_span(comma), comma);
        first
    }

    pub(crate) fn aggregation(
        &mut self,
        word: u32,
        grouping: Option<(bool, List)>,
        arguments: u32,
        end: u32,
    ) -> NodeId {
        let span = Span::new(self.token_span(word).start, self.end_of_aggregation(grouping, end));
        let Some(op) = self.token_kind(word).aggregator() else { return self.placeholder(span) };
        let arguments = arguments as usize;
        let count = self.scratch.arguments.len() - arguments;
        let info = op.info();
        let expected = if info.parameter.is_some() { 2 } else { 1 };
        let problem = if count == 0 {
            Some(ErrorKind::AggregateWithoutArguments)
        } else if info.stability == Stability::Experimental && !self.features.experimental_functions
        {
            Some(ErrorKind::AggregatorDisabled(op))
        } else if count != expected {
            Some(ErrorKind::AggregateArgumentCount(op, expected, count))
        } else {
            None
        };
        if let Some(kind) = problem {
            let error = Error { kind, span };
            let after_lookahead = grouping.is_none();
            self.raised.push(Raised { error, last_token: end - 1, after_lookahead });
            self.scratch.arguments.truncate(arguments);
            return self.placeholder(span);
        }
        let expr = self.scratch.arguments[arguments + expected - 1];
        let param = (expected == 2).then(|| self.scratch.arguments[arguments]);
        self.scratch.arguments.truncate(arguments);
        let (without, grouping) = grouping.unwrap_or_default();
        self.push(NodeKind::Aggregate { op, expr, param, grouping, without }, span)
    }

    /// Where an aggregation ends. Upstream guesses the end of one without a clause from the
    /// parentheses it has read: with a comment in between it is the next closing one.
    fn end_of_aggregation(&self, grouping: Option<(bool, List)>, end: u32) -> u32 {
        let own = self.token_span(end - 1).end;
        match self.tokens.get(end as usize) {
            Some(next) if next.kind == TokenKind::RightParen && grouping.is_none() => {
                let between = &self.source[own as usize..(next.span.start.max(own)) as usize];
                if between.contains(&b'#') { next.span.end } else { own }
            }
            _ => own,
        }
    }

    pub(crate) fn call(&mut self, word: u32, arguments: u32, end: u32) -> NodeId {
        let span = self.tokens_span(word, end);
        let start = arguments as usize;
        let name = self.token_text(word);
        let problem = match crate::functions::function_of_bytes(name) {
            None => ErrorKind::UnknownFunction(String::from_utf8_lossy(name).into()),
            Some(function)
                if function.stability == Stability::Experimental
                    && !self.features.experimental_functions =>
            {
                ErrorKind::FunctionDisabled(function)
            }
            Some(function) => {
                let first = self.tree.arguments.len() as u32;
                self.tree.arguments.extend(self.scratch.arguments.drain(start..));
                let args = List { start: first, end: self.tree.arguments.len() as u32 };
                return self.push(NodeKind::Call { function, args }, span);
            }
        };
        self.raise(problem, self.token_span(word), end - 1);
        self.scratch.arguments.truncate(start);
        self.placeholder(span)
    }
}
