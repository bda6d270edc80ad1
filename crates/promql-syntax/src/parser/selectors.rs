//! Selectors, ranges, subqueries and their modifiers.

use crate::ast::{
    At, LabelMatcher, List, Modifiers, NodeId, NodeKind, POOLED, SelectorId, Sign, Subquery,
    SubqueryId, Text, VectorSelector,
};
use crate::error::ErrorKind;
use crate::lexer::TokenKind;
use crate::parser::builder::Builder;
use crate::parser::duration::{Dur, round_half_away};
use crate::span::Span;
use promql_model::MatchOp;

impl Builder<'_> {
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

    /// `@ start()` or `@ end()`.
    pub(crate) fn at_boundary(&mut self, operand: NodeId, word: u32, end: u32) -> NodeId {
        let at = match self.token_kind(word) {
            TokenKind::Start => At::Start,
            _ => At::End,
        };
        self.set_at(operand, at, end)
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

    /// `anchored` or `smoothed`.
    pub(crate) fn extended_range(&mut self, operand: NodeId, end: u32) -> NodeId {
        let word = match self.token_kind(end - 1) {
            TokenKind::Anchored => "anchored",
            _ => "smoothed",
        };
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
}
