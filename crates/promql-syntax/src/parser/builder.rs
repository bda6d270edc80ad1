//! What the grammar's productions do: nodes are stored as they are completed, and what only the
//! parser can check is checked.
//!
//! Operands and operators come in one after the other and go through two stacks, so that the table
//! of operators decides what binds how tightly. All chains share the stacks: an inner chain is
//! finished before the one around it goes on.

use crate::Features;
use crate::ast::{
    At, BinaryModifiers, BinaryOp, GroupSide, GroupingLabel, LabelMatcher, List, MatchingId,
    MatchingKeyword, Modifiers, Node, NodeId, NodeKind, POOLED, SelectorId, Sign, Subquery,
    SubqueryId, Text, Tree, VectorSelector,
};
use crate::error::{Error, ErrorKind};
use crate::functions::Stability;
use crate::lexer::{Token, TokenKind, decode_string, is_plain};
use crate::parser::duration::round_half_away;
use crate::parser::series::SeriesBuilder;
use crate::span::Span;
use promql_model::MatchOp;

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
    pub(crate) fn new(
        source: &'s [u8],
        tokens: &'s [Token],
        features: Features,
        mut scratch: Scratch,
    ) -> Self {
        scratch.operators.clear();
        scratch.operands.clear();
        scratch.durations.clear();
        scratch.arguments.clear();
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
            scratch,
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

    fn word(&self, token: u32) -> Text {
        let span = self.token_span(token);
        Text { start: span.start, len: span.len() }
    }

    /// The text of a word, or of a string without its quotes and escapes.
    fn text(&mut self, token: u32) -> Text {
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

    fn span(&self, id: NodeId) -> Span {
        self.tree.nodes[id.index()].span
    }

    fn set_end(&mut self, id: NodeId, end: u32) {
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

    pub(crate) fn set_matching(&mut self, on: bool, labels: List) {
        let keyword = if on { MatchingKeyword::On } else { MatchingKeyword::Ignoring };
        self.modifiers.matching = Some(keyword);
        self.modifiers.labels = labels;
    }

    pub(crate) fn set_group(&mut self, left: bool, include: List) {
        self.modifiers.group = Some(if left { GroupSide::Left } else { GroupSide::Right });
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

    // Selectors.

    pub(crate) fn named_selector(&mut self, name: u32, matchers: List, end: u32) -> NodeId {
        let selector = VectorSelector {
            name: Some(self.word(name)),
            name_span: self.token_span(name),
            matchers,
            modifiers: Modifiers::default(),
        };
        self.selector(selector, self.tokens_span(name, end))
    }

    pub(crate) fn unnamed_selector(&mut self, first: u32, matchers: List, end: u32) -> NodeId {
        let start = self.token_span(first).start;
        let selector = VectorSelector {
            name: None,
            name_span: Span::new(start, start),
            matchers,
            modifiers: Modifiers::default(),
        };
        self.selector(selector, self.tokens_span(first, end))
    }

    fn selector(&mut self, selector: VectorSelector, span: Span) -> NodeId {
        let id = SelectorId(self.tree.selectors.len() as u32);
        self.tree.selectors.push(selector);
        self.push(NodeKind::VectorSelector(id), span)
    }

    pub(crate) fn no_matchers(&mut self) -> List {
        let at = self.tree.matchers.len() as u32;
        List { start: at, end: at }
    }

    pub(crate) fn matchers(&mut self, first: u32) -> List {
        List { start: first, end: self.tree.matchers.len() as u32 }
    }

    pub(crate) fn matcher(&mut self, name: u32, operator: u32, end: u32) -> u32 {
        let op = match self.token_kind(operator) {
            TokenKind::NotEqual => MatchOp::NotEqual,
            TokenKind::EqualRegex => MatchOp::Matches,
            TokenKind::NotEqualRegex => MatchOp::NotMatches,
            _ => MatchOp::Equal,
        };
        let span = self.tokens_span(name, end);
        let label = self.text(name);
        let value = self.text(end - 1);
        if matches!(op, MatchOp::Matches | MatchOp::NotMatches)
            && let Err(error) = promql_model::check_regex(self.tree.text_in(self.source, value))
        {
            self.raise(ErrorKind::BadRegex(error.to_string().into()), span, end - 1);
        }
        let value_span = self.token_span(end - 1);
        self.push_matcher(LabelMatcher { name: label, op, value, is_name: false, span, value_span })
    }

    pub(crate) fn name_matcher(&mut self, token: u32) -> u32 {
        let start = self.tree.pool.len() as u32;
        self.tree.pool.extend_from_slice(promql_model::METRIC_NAME.as_bytes());
        let name = Text { start: start | POOLED, len: promql_model::METRIC_NAME.len() as u32 };
        let value = self.text(token);
        let span = self.token_span(token);
        let op = MatchOp::Equal;
        self.push_matcher(LabelMatcher { name, op, value, is_name: true, span, value_span: span })
    }

    fn push_matcher(&mut self, matcher: LabelMatcher) -> u32 {
        let place = self.tree.matchers.len() as u32;
        self.tree.matchers.push(matcher);
        place
    }

    // Ranges, subqueries and modifiers.

    pub(crate) fn range_selector(
        &mut self,
        operand: NodeId,
        bracket: u32,
        range: Dur,
        end: u32,
    ) -> NodeId {
        let range = self.positive(range, end - 2);
        let problem = match self.tree.nodes[operand.index()].kind {
            NodeKind::VectorSelector(id) => {
                let modifiers = &self.tree.selectors[id.0 as usize].modifiers;
                if modifiers.offset != 0 || modifiers.offset_expr.is_some() {
                    Some(ErrorKind::OffsetBeforeRange)
                } else if modifiers.at.is_some() {
                    Some(ErrorKind::AtBeforeRange)
                } else {
                    None
                }
            }
            _ => Some(ErrorKind::RangeOnNonSelector),
        };
        if let Some(kind) = problem {
            self.raise(kind, self.tokens_span(bracket, end), end - 1);
        }
        let span = Span::new(self.span(operand).start, self.token_span(end - 1).end);
        self.push(NodeKind::MatrixSelector { selector: operand, range }, span)
    }

    pub(crate) fn subquery(
        &mut self,
        expr: NodeId,
        range: Dur,
        step: Option<Dur>,
        end: u32,
    ) -> NodeId {
        let range = self.positive(range, end - 2);
        let step = step.map(|step| self.positive(step, end - 2));
        let id = SubqueryId(self.tree.subqueries.len() as u32);
        self.tree.subqueries.push(Subquery { expr, range, step, modifiers: Modifiers::default() });
        let span = Span::new(self.span(expr).start, self.token_span(end - 1).end);
        self.push(NodeKind::Subquery(id), span)
    }

    /// The modifiers of a selector, a range selector or a subquery. `None` for anything else, and
    /// for a range selector of something that is no selector.
    fn modifiers_of(&mut self, operand: NodeId) -> Option<&mut Modifiers> {
        let mut kind = self.tree.nodes[operand.index()].kind;
        if let NodeKind::MatrixSelector { selector, .. } = kind {
            kind = self.tree.nodes[selector.index()].kind;
            if !matches!(kind, NodeKind::VectorSelector(_)) {
                return None;
            }
        }
        match kind {
            NodeKind::VectorSelector(id) => Some(&mut self.tree.selectors[id.0 as usize].modifiers),
            NodeKind::Subquery(id) => Some(&mut self.tree.subqueries[id.0 as usize].modifiers),
            _ => None,
        }
    }

    /// Why an operand takes no modifier.
    fn target_error(&self, operand: NodeId, otherwise: ErrorKind) -> ErrorKind {
        match self.tree.nodes[operand.index()].kind {
            NodeKind::MatrixSelector { .. } => ErrorKind::RangeOnNonSelector,
            _ => otherwise,
        }
    }

    pub(crate) fn offset(&mut self, operand: NodeId, offset: Dur, end: u32) -> NodeId {
        self.set_offset(operand, offset, end, self.token_span(end - 1).end)
    }

    /// Upstream takes the parenthesis behind such an offset for its end.
    pub(crate) fn greedy_offset(&mut self, operand: NodeId, offset: Dur, end: u32) -> NodeId {
        let next = self.tokens.get(end as usize);
        let last = match next {
            Some(token) if token.kind == TokenKind::RightParen => token.span,
            _ => self.token_span(end - 1),
        };
        self.set_offset(operand, offset, end, last.end)
    }

    fn set_offset(&mut self, operand: NodeId, offset: Dur, end: u32, end_at: u32) -> NodeId {
        let (nanos, expr) = match offset {
            Dur::Literal { value, .. } => (round_half_away(value * 1e9), None),
            Dur::Node(id) => (0, Some(id)),
        };
        let span = self.span(operand);
        let Some(modifiers) = self.modifiers_of(operand) else {
            let kind = self.target_error(operand, ErrorKind::OffsetTarget);
            self.raise(kind, span, end - 1);
            return operand;
        };
        if modifiers.offset != 0 || modifiers.offset_expr.is_some() {
            self.raise(ErrorKind::OffsetTwice, span, end - 1);
        } else {
            modifiers.offset = nanos;
            modifiers.offset_expr = expr;
        }
        self.set_end(operand, end_at);
        operand
    }

    pub(crate) fn at(&mut self, operand: NodeId, sign: Option<Sign>, end: u32) -> NodeId {
        let (value, _) = self.number_or_duration(end - 1);
        let value = if sign == Some(Sign::Minus) { -value } else { value };
        const LIMIT: f64 = 9_223_372_036_854_775_808.0;
        if !(value > -LIMIT && value < LIMIT) {
            self.raise(ErrorKind::AtOutOfBounds(value), self.span(operand), end - 1);
        }
        self.set_at(operand, At::Timestamp(round_half_away(value * 1000.0)), end)
    }

    pub(crate) fn at_start(&mut self, operand: NodeId, end: u32) -> NodeId {
        self.set_at(operand, At::Start, end)
    }

    pub(crate) fn at_end(&mut self, operand: NodeId, end: u32) -> NodeId {
        self.set_at(operand, At::End, end)
    }

    fn set_at(&mut self, operand: NodeId, at: At, end: u32) -> NodeId {
        let span = self.span(operand);
        let Some(modifiers) = self.modifiers_of(operand) else {
            let kind = self.target_error(operand, ErrorKind::AtTarget);
            self.raise(kind, span, end - 1);
            return operand;
        };
        if modifiers.at.is_some() {
            self.raise(ErrorKind::AtTwice, span, end - 1);
        } else {
            modifiers.at = Some(at);
        }
        self.set_end(operand, self.token_span(end - 1).end);
        operand
    }

    pub(crate) fn anchored(&mut self, operand: NodeId, end: u32) -> NodeId {
        self.extended_range(operand, "anchored", end)
    }

    pub(crate) fn smoothed(&mut self, operand: NodeId, end: u32) -> NodeId {
        self.extended_range(operand, "smoothed", end)
    }

    fn extended_range(&mut self, operand: NodeId, word: &'static str, end: u32) -> NodeId {
        let span = self.span(operand);
        let node = self.tree.nodes[operand.index()].kind;
        let problem = if !self.features.extended_range_selectors {
            Some(ErrorKind::ExtendedRangeDisabled(word))
        } else if matches!(node, NodeKind::Subquery(_)) {
            Some(ErrorKind::ExtendedRangeOnSubquery(word))
        } else if let Some(modifiers) = self.modifiers_of(operand) {
            match word {
                "anchored" => modifiers.anchored = true,
                _ => modifiers.smoothed = true,
            }
            (modifiers.anchored && modifiers.smoothed).then_some(ErrorKind::AnchoredAndSmoothed)
        } else if matches!(node, NodeKind::MatrixSelector { .. }) {
            // The bracket has been reported already.
            None
        } else {
            Some(ErrorKind::ExtendedRangeTarget(word))
        };
        if let Some(kind) = problem {
            self.raise(kind, span, end - 1);
        }
        operand
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
        let name = std::str::from_utf8(self.token_text(word)).unwrap_or_default();
        let problem = match crate::functions::function(name) {
            None => ErrorKind::UnknownFunction(name.into()),
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
