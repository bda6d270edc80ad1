//! Which constructs are open at a place in the token stream.
//!
//! The generated parser keeps that on its stack and shows it to nobody. When it refuses a token,
//! [`Context`] is led over the tokens before it once more: they are a valid beginning, so a small
//! machine is enough. It knows the words of upstream's messages ("in label matching, expected
//! string") and which tokens would complete what is open, which is how parsing goes on after an
//! error.

use crate::lexer::{Token, TokenKind};

/// What a parenthesis belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// Plain parentheses or those of a call.
    Plain,
    /// An aggregation's arguments.
    Aggregation,
}

/// What comes after a list of labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Behind {
    /// `by (…)` in front of the arguments.
    Arguments,
    /// `by (…)` behind the arguments.
    Operator,
    /// `on (…)`.
    Operand,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// An operand has to come.
    Operand,
    /// An operand is complete; the flag tells whether it is an aggregation without a clause.
    Operator { clause_may_follow: bool },
    /// An aggregation's word has been read, or its clause behind the word.
    Arguments,
    /// A function's name has been read.
    Call,
    /// `by`, `on` and the like have been read.
    ListOpen(Behind),
    /// A label has to come; the flag tells whether the list may end instead.
    ListLabel(Behind, bool),
    /// A label has been read.
    ListNext(Behind),
    /// In braces where a matcher begins; the flag tells whether one may.
    Matcher,
    /// Behind the label of a matcher.
    MatcherOperator,
    /// Behind the operator of a matcher.
    MatcherValue,
    /// Behind a string that is a metric's name or the label of a matcher.
    MatcherString,
    /// Behind a matcher.
    MatcherNext,
    /// Behind `[` or the colon: depth of parentheses, and whether the duration is complete.
    Bracket { second: bool, depth: u32, complete: bool },
    /// Behind `offset`.
    Offset { greedy: bool, depth: u32, complete: bool },
    /// Behind `@`; the flag tells whether `start` or `end` has been read.
    At { word: bool },
    /// Behind `fill`.
    Fill,
}

/// The constructs that are open behind some tokens.
#[derive(Clone, Debug)]
pub(super) struct Context {
    pub(super) frames: Vec<Frame>,
    state: State,
}

impl Context {
    pub(super) fn new() -> Self {
        Context { frames: Vec::new(), state: State::Operand }
    }

    /// The context behind the first `end` of the tokens.
    pub(super) fn behind(tokens: &[Token], end: usize) -> Self {
        let mut context = Context::new();
        for at in 0..end {
            context.step(tokens, at);
        }
        context
    }

    /// Whether an operand has to come.
    pub(super) fn expects_operand(&self) -> bool {
        self.state == State::Operand
    }

    /// Whether an operand is complete, so that a modifier or an operator can follow.
    pub(super) fn follows_operand(&self) -> bool {
        matches!(self.state, State::Operator { .. })
    }

    /// Goes over one token.
    pub(super) fn step(&mut self, tokens: &[Token], at: usize) {
        use TokenKind as T;
        let kind = tokens[at].kind;
        let next = tokens.get(at + 1).map(|token| token.kind);
        self.state = match self.state {
            State::Operand => match kind {
                T::Number | T::Duration | T::String => COMPLETE,
                T::LeftParen => {
                    self.frames.push(Frame::Plain);
                    State::Operand
                }
                // The end of an empty list of arguments.
                T::RightParen => self.close(),
                T::LeftBrace => State::Matcher,
                T::Add | T::Sub => State::Operand,
                T::On | T::Ignoring | T::GroupLeftList | T::GroupRightList => {
                    State::ListOpen(Behind::Operand)
                }
                T::Bool | T::GroupLeft | T::GroupRight => State::Operand,
                T::Fill | T::FillLeft | T::FillRight => State::Fill,
                _ if kind.aggregator().is_some()
                    && matches!(next, Some(T::LeftParen | T::By | T::Without)) =>
                {
                    State::Arguments
                }
                _ if next == Some(T::LeftParen) => State::Call,
                _ => COMPLETE,
            },
            State::Operator { clause_may_follow } => match kind {
                T::LeftBrace => State::Matcher,
                T::LeftBracket => State::Bracket { second: false, depth: 0, complete: false },
                T::Offset => State::Offset { greedy: false, depth: 0, complete: false },
                T::OffsetGreedy => State::Offset { greedy: true, depth: 0, complete: false },
                T::At => State::At { word: false },
                T::Anchored | T::Smoothed => COMPLETE,
                T::By | T::Without if clause_may_follow => State::ListOpen(Behind::Operator),
                T::RightParen => self.close(),
                _ => State::Operand,
            },
            State::Arguments => match kind {
                T::LeftParen => {
                    self.frames.push(Frame::Aggregation);
                    State::Operand
                }
                _ => State::ListOpen(Behind::Arguments),
            },
            State::Call => {
                self.frames.push(Frame::Plain);
                State::Operand
            }
            State::ListOpen(behind) => State::ListLabel(behind, true),
            State::ListLabel(behind, _) => match kind {
                T::RightParen => after_list(behind),
                _ => State::ListNext(behind),
            },
            State::ListNext(behind) => match kind {
                T::RightParen => after_list(behind),
                _ => State::ListLabel(behind, false),
            },
            State::Matcher => match kind {
                T::RightBrace => COMPLETE,
                T::String => State::MatcherString,
                _ => State::MatcherOperator,
            },
            State::MatcherOperator => State::MatcherValue,
            State::MatcherValue => State::MatcherNext,
            State::MatcherString | State::MatcherNext => match kind {
                T::RightBrace => COMPLETE,
                T::Comma => State::Matcher,
                _ => State::MatcherValue,
            },
            State::Bracket { second, depth, .. } => match kind {
                T::RightBracket => COMPLETE,
                T::Colon => State::Bracket { second: true, depth: 0, complete: false },
                _ => {
                    let (depth, complete) = duration_step(kind, depth);
                    State::Bracket { second, depth, complete }
                }
            },
            State::Offset { greedy, depth, .. } => {
                let (depth, complete) = duration_step(kind, depth);
                let continues = greedy
                    && matches!(
                        next,
                        Some(
                            T::DurationAdd
                                | T::DurationSub
                                | T::DurationMul
                                | T::DurationDiv
                                | T::DurationMod
                                | T::DurationPow
                        )
                    );
                match complete && depth == 0 && !continues {
                    true => COMPLETE,
                    false => State::Offset { greedy, depth, complete },
                }
            }
            State::At { word } => match kind {
                T::Number | T::Duration => COMPLETE,
                T::RightParen if word => COMPLETE,
                T::Start | T::End => State::At { word: true },
                _ => State::At { word },
            },
            State::Fill => match kind {
                T::RightParen => State::Operand,
                _ => State::Fill,
            },
        };
    }

    fn close(&mut self) -> State {
        let frame = self.frames.pop();
        State::Operator { clause_may_follow: frame == Some(Frame::Aggregation) }
    }

    /// What upstream says about a token that cannot come here: the construct and what belongs
    /// there.
    pub(super) fn names(&self) -> (Option<&'static str>, Option<&'static str>) {
        let (construct, expected) = match self.state {
            State::ListOpen(_) => ("grouping opts", "\"(\""),
            State::ListLabel(..) => ("grouping opts", "label"),
            State::ListNext(_) => ("grouping opts", "\",\" or \")\""),
            State::Matcher => ("label matching", "identifier or \"}\""),
            State::MatcherOperator => ("label matching", "label matching operator"),
            State::MatcherValue => ("label matching", "string"),
            State::MatcherString | State::MatcherNext => ("label matching", "\",\" or \"}\""),
            State::Bracket { second: false, depth: 0, complete: true } => {
                ("subquery or range", "\":\" or \"]\"")
            }
            State::Bracket { second: false, .. } => {
                ("subquery or range selector", "number, duration, step(), or range()")
            }
            State::Bracket { second: true, depth: 0, complete: true } => {
                ("subquery selector", "\"]\"")
            }
            State::Bracket { second: true, .. } => {
                ("subquery selector", "number, duration, step(), range(), or \"]\"")
            }
            State::Offset { .. } => ("offset", "number, duration, step(), or range()"),
            State::At { .. } => ("@", "timestamp"),
            _ if self.state == State::Arguments || self.in_aggregation() => {
                return (Some("aggregation"), None);
            }
            _ => return (None, None),
        };
        (Some(construct), Some(expected))
    }

    /// Whether the arguments of an aggregation are open.
    pub(super) fn in_aggregation(&self) -> bool {
        self.frames.contains(&Frame::Aggregation)
    }

    /// The tokens that complete what is open, up to a complete operand: the frames stay open.
    pub(super) fn completion(&self) -> Vec<TokenKind> {
        use TokenKind as T;
        let mut tokens = Vec::new();
        match self.state {
            State::Operand => tokens.push(T::Number),
            State::Operator { .. } => {}
            State::Arguments | State::Call => {
                tokens.extend([T::LeftParen, T::Number, T::RightParen])
            }
            State::ListOpen(behind) => {
                tokens.extend([T::LeftParen, T::RightParen]);
                complete_behind(behind, &mut tokens);
            }
            State::ListLabel(behind, _) | State::ListNext(behind) => {
                tokens.push(T::RightParen);
                complete_behind(behind, &mut tokens);
            }
            State::Matcher | State::MatcherString | State::MatcherNext => {
                tokens.push(T::RightBrace)
            }
            State::MatcherOperator => tokens.extend([T::Assign, T::String, T::RightBrace]),
            State::MatcherValue => tokens.extend([T::String, T::RightBrace]),
            State::Bracket { depth, complete, .. } => {
                complete_duration(depth, complete, &mut tokens);
                tokens.push(T::RightBracket);
            }
            State::Offset { depth, complete, .. } => {
                complete_duration(depth, complete, &mut tokens)
            }
            State::At { word: false } => tokens.push(T::Number),
            State::At { word: true } => tokens.extend([T::LeftParen, T::RightParen]),
            State::Fill => tokens.extend([T::LeftParen, T::Number, T::RightParen, T::Number]),
        }
        tokens
    }

    /// How to go on inside a list instead of leaving it: the tokens that complete its current
    /// element, and the token that ends the list.
    pub(super) fn list(&self) -> Option<(Vec<TokenKind>, TokenKind)> {
        use TokenKind as T;
        match self.state {
            State::Matcher => Some((vec![], T::RightBrace)),
            State::MatcherOperator => Some((vec![T::Assign, T::String], T::RightBrace)),
            State::MatcherValue => Some((vec![T::String], T::RightBrace)),
            State::MatcherString | State::MatcherNext => Some((vec![], T::RightBrace)),
            State::ListLabel(..) => Some((vec![T::Identifier], T::RightParen)),
            State::ListNext(_) => Some((vec![], T::RightParen)),
            State::Bracket { depth, complete, .. } => {
                let mut tokens = Vec::new();
                complete_duration(depth, complete, &mut tokens);
                Some((tokens, T::RightBracket))
            }
            _ => None,
        }
    }
}

const COMPLETE: State = State::Operator { clause_may_follow: false };

fn after_list(behind: Behind) -> State {
    match behind {
        Behind::Arguments => State::Arguments,
        Behind::Operator => COMPLETE,
        Behind::Operand => State::Operand,
    }
}

fn complete_behind(behind: Behind, tokens: &mut Vec<TokenKind>) {
    use TokenKind as T;
    match behind {
        Behind::Arguments => tokens.extend([T::LeftParen, T::Number, T::RightParen]),
        Behind::Operator => {}
        Behind::Operand => tokens.push(T::Number),
    }
}

fn complete_duration(depth: u32, complete: bool, tokens: &mut Vec<TokenKind>) {
    if !complete {
        tokens.push(TokenKind::Duration);
    }
    tokens.extend((0..depth).map(|_| TokenKind::RightParen));
}

/// The depth of parentheses behind a token of a duration, and whether it completes an operand.
fn duration_step(kind: TokenKind, depth: u32) -> (u32, bool) {
    match kind {
        TokenKind::LeftParen => (depth + 1, false),
        TokenKind::RightParen => (depth.saturating_sub(1), true),
        TokenKind::Number | TokenKind::Duration => (depth, true),
        _ => (depth, false),
    }
}
