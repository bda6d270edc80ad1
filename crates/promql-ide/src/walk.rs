//! Where in the grammar each token of a text stands.
//!
//! A small machine goes over the tokens, as the parser would if it accepted everything: what doesn't fit
//! is passed over, and what is open stays open. From its state at a token follow the token's role, and at
//! the cursor what may come there.

use promql_syntax::functions::{self, AggregatorInfo, FunctionInfo};

use crate::lex::{Kind, Token};

/// What has to or may come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// An operand has to come.
    Operand(Before),
    /// An operand is complete.
    Complete(Behind),
    /// An aggregation's arguments or its clause have to come; the flag tells whether there was a clause.
    Arguments(bool),
    /// The parenthesis of `by`, `on` and the like.
    List,
    /// A label in such a list.
    ListLabel,
    /// Behind one.
    ListNext,
    /// In the parentheses of `fill`.
    Fill,
    /// A label in braces.
    Matcher,
    /// Behind a label in braces.
    MatcherOperator,
    /// Behind the operator of a matcher.
    MatcherValue,
    /// Behind a matcher.
    MatcherNext,
    /// A duration has to come: in brackets or behind `offset`.
    Duration(Span),
    /// A time has to come, behind `@`.
    Time,
    /// Behind `start` or `end` there.
    TimeWord,
}

/// What stands before an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Before {
    /// Nothing, `(`, `,` or a sign.
    Nothing,
    /// A binary operator; the flag tells whether it compares.
    Operator { compares: bool },
    /// The operator's `bool`.
    Bool,
    /// Its `on (…)` or `ignoring (…)`.
    Matching,
    /// Its `group_left` and the like, with or without labels.
    Grouped,
}

/// What is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behind {
    /// A metric's name, or a word that may become a function's.
    Name,
    /// A selector's braces.
    Braces,
    /// A range or a subquery.
    Range,
    /// An aggregation that has no clause yet.
    Aggregation,
    /// A call, an expression in parentheses, or an aggregation with its clause.
    Group,
    /// A number, a string or a variable.
    Literal,
    /// `offset` or `@` of a selector.
    Modifier,
}

/// Which duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Span {
    /// The range in brackets.
    Range,
    /// The step of a subquery.
    Step,
    /// Behind `offset`.
    Offset,
}

/// Something that is open.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) kind: FrameKind,
    /// The token that opened it.
    pub(crate) open: usize,
    /// How many commas it has had.
    pub(crate) argument: usize,
}

/// What it is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FrameKind {
    /// Parentheses around an expression.
    Plain,
    /// The arguments of a call; [`Walk::function_of`] knows of which function.
    Call,
    /// The arguments of an aggregation; the flag tells whether its clause stands before them.
    Aggregation(&'static AggregatorInfo, bool),
    /// The labels of a clause.
    List(List),
    /// The braces of a selector; whether a name stands before them.
    Braces { named: bool },
    /// Brackets.
    Brackets,
    /// Parentheses in a duration or behind `start` and `end`.
    Inner,
}

/// Which list of labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum List {
    /// `by` or `without`; whether it stands before the arguments.
    Grouping { before: bool },
    /// `on` or `ignoring`.
    Matching,
    /// `group_left` or `group_right`.
    Include,
    /// `fill` and the like, which take a number.
    Fill,
}

/// What a token is in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// A metric's name.
    Metric,
    /// The name of a function.
    Function,
    /// An aggregation operator.
    Aggregation,
    /// A label's name.
    Label,
    /// `=`, `!=`, `=~` or `!~`.
    Matcher,
    /// A binary operator or a sign, also one that is a word.
    Operator,
    /// A word that modifies something: `by`, `offset`, `bool`.
    Keyword,
    /// A string.
    String,
    /// A number.
    Number,
    /// A duration.
    Duration,
    /// A parenthesis, bracket or brace, with how many are open around it.
    Bracket(u16),
    /// `,`, `:` or `@`.
    Punctuation,
    /// `$name`.
    Variable,
    /// A comment.
    Comment,
    /// Something that can't stand there.
    Wrong,
}

/// The machine.
#[derive(Clone, Debug)]
pub(crate) struct Walk<'t> {
    text: &'t str,
    pub(crate) state: State,
    pub(crate) frames: Vec<Frame>,
    /// The aggregation whose arguments are to come.
    aggregator: Option<&'static AggregatorInfo>,
    /// The list whose parenthesis is to come.
    list: List,
    /// Whether anything was wrong so far.
    pub(crate) is_wrong: bool,
}

/// How many parts may be open at once before the machine calls it wrong.
const DEEPEST: usize = 10_000;

impl<'t> Walk<'t> {
    pub(crate) fn new(text: &'t str) -> Walk<'t> {
        Walk {
            text,
            state: State::Operand(Before::Nothing),
            frames: Vec::new(),
            aggregator: None,
            list: List::Matching,
            is_wrong: false,
        }
    }

    /// Goes over one token and says what it is there.
    pub(crate) fn step(&mut self, tokens: &[Token], at: usize) -> Role {
        let token = &tokens[at];
        if token.kind == Kind::Comment {
            return Role::Comment;
        }
        let role = match token.kind {
            Kind::Close(byte) => self.close(byte),
            Kind::Open(byte) => self.open(byte, at),
            Kind::Unknown => Role::Wrong,
            _ => self.inner(tokens, at),
        };
        self.is_wrong |= role == Role::Wrong;
        role
    }

    fn push(&mut self, kind: FrameKind, open: usize) -> Role {
        if self.frames.len() >= DEEPEST {
            return Role::Wrong;
        }
        self.frames.push(Frame { kind, open, argument: 0 });
        Role::Bracket(u16::try_from(self.frames.len() - 1).unwrap_or(u16::MAX))
    }

    fn open(&mut self, byte: u8, at: usize) -> Role {
        let in_duration = matches!(self.state, State::Duration(_) | State::TimeWord);
        match byte {
            b'{' => {
                let named = self.state == State::Complete(Behind::Name);
                let fits = named || matches!(self.state, State::Operand(_));
                self.state = State::Matcher;
                let role = self.push(FrameKind::Braces { named }, at);
                if fits { role } else { Role::Wrong }
            }
            b'[' => {
                let fits = matches!(self.state, State::Complete(_));
                self.state = State::Duration(Span::Range);
                let role = self.push(FrameKind::Brackets, at);
                if fits { role } else { Role::Wrong }
            }
            _ if in_duration => self.push(FrameKind::Inner, at),
            _ => match self.state {
                State::Arguments(clause) => {
                    let kind = match self.aggregator {
                        Some(info) => FrameKind::Aggregation(info, clause),
                        None => FrameKind::Plain,
                    };
                    self.state = State::Operand(Before::Nothing);
                    self.push(kind, at)
                }
                State::List => {
                    self.state = match self.list {
                        List::Fill => State::Fill,
                        _ => State::ListLabel,
                    };
                    self.push(FrameKind::List(self.list), at)
                }
                State::Complete(Behind::Name) => {
                    self.state = State::Operand(Before::Nothing);
                    self.push(FrameKind::Call, at)
                }
                State::Operand(_) => {
                    self.state = State::Operand(Before::Nothing);
                    self.push(FrameKind::Plain, at)
                }
                _ => {
                    self.state = State::Operand(Before::Nothing);
                    self.push(FrameKind::Plain, at);
                    Role::Wrong
                }
            },
        }
    }

    fn close(&mut self, byte: u8) -> Role {
        let opens = |kind: &FrameKind| match kind {
            FrameKind::Braces { .. } => b'}',
            FrameKind::Brackets => b']',
            _ => b')',
        };
        // What was left open inside ends with what is closed.
        let Some(place) = self.frames.iter().rposition(|frame| opens(&frame.kind) == byte) else {
            return Role::Wrong;
        };
        let skipped = self.frames.len() - 1 - place;
        let empty = matches!(self.state, State::Operand(before) if before != Before::Nothing);
        let frame = self.frames.swap_remove(place);
        self.frames.truncate(place);
        self.state = match frame.kind {
            FrameKind::Plain | FrameKind::Call | FrameKind::Aggregation(_, true) => {
                State::Complete(Behind::Group)
            }
            FrameKind::Aggregation(_, false) => State::Complete(Behind::Aggregation),
            FrameKind::List(List::Grouping { before: true }) => State::Arguments(true),
            FrameKind::List(List::Grouping { before: false }) => State::Complete(Behind::Group),
            FrameKind::List(List::Matching) => State::Operand(Before::Matching),
            FrameKind::List(List::Include | List::Fill) => State::Operand(Before::Grouped),
            FrameKind::Braces { .. } => State::Complete(Behind::Braces),
            FrameKind::Brackets => State::Complete(Behind::Range),
            FrameKind::Inner if self.in_brackets() => self.state,
            FrameKind::Inner => State::Complete(Behind::Modifier),
        };
        match skipped > 0 || empty && byte == b')' {
            true => Role::Wrong,
            false => Role::Bracket(u16::try_from(place).unwrap_or(u16::MAX)),
        }
    }

    pub(crate) fn in_brackets(&self) -> bool {
        self.frames.iter().rev().any(|frame| matches!(frame.kind, FrameKind::Brackets))
    }

    /// A token that is no bracket.
    fn inner(&mut self, tokens: &[Token], at: usize) -> Role {
        let token = &tokens[at];
        let text = token.text(self.text);
        match self.state {
            State::Matcher => match token.kind {
                Kind::Word => self.to(State::MatcherOperator, Role::Label),
                Kind::String => {
                    let next = next_kind(tokens, at);
                    match next {
                        Some(Kind::Match) => self.to(State::MatcherOperator, Role::Label),
                        _ => self.to(State::MatcherNext, Role::Metric),
                    }
                }
                Kind::OpenString => self.to(State::MatcherNext, Role::String),
                Kind::Comma => Role::Punctuation,
                Kind::Match => self.to(State::MatcherValue, Role::Wrong),
                _ => Role::Wrong,
            },
            State::MatcherOperator => match token.kind {
                Kind::Match => self.to(State::MatcherValue, Role::Matcher),
                Kind::Comma => self.to(State::Matcher, Role::Wrong),
                _ => Role::Wrong,
            },
            State::MatcherValue => match token.kind {
                Kind::String | Kind::OpenString => self.to(State::MatcherNext, Role::String),
                Kind::Variable => self.to(State::MatcherNext, Role::Variable),
                Kind::Comma => self.to(State::Matcher, Role::Wrong),
                _ => Role::Wrong,
            },
            State::MatcherNext => match token.kind {
                Kind::Comma => self.to(State::Matcher, Role::Punctuation),
                Kind::Match => self.to(State::MatcherValue, Role::Matcher),
                _ => Role::Wrong,
            },
            State::ListLabel | State::ListNext => match token.kind {
                Kind::Word | Kind::String if self.state == State::ListLabel => {
                    self.to(State::ListNext, Role::Label)
                }
                Kind::Comma => self.to(State::ListLabel, Role::Punctuation),
                _ => Role::Wrong,
            },
            State::Fill => match token.kind {
                Kind::Number | Kind::Duration => Role::Number,
                Kind::Variable => Role::Variable,
                Kind::Operator if matches!(text, "+" | "-") => Role::Operator,
                Kind::Word if is(text, &["inf", "nan"]) => Role::Number,
                _ => Role::Wrong,
            },
            State::List => self.without_list(tokens, at),
            State::Duration(span) => self.duration(span, tokens, at),
            State::Time | State::TimeWord => match token.kind {
                Kind::Number | Kind::Duration => {
                    self.to(State::Complete(Behind::Modifier), Role::Number)
                }
                Kind::Variable => self.to(State::Complete(Behind::Modifier), Role::Variable),
                Kind::Operator if matches!(text, "+" | "-") => Role::Operator,
                Kind::Word if is(text, &["start", "end"]) => {
                    self.to(State::TimeWord, Role::Function)
                }
                _ => Role::Wrong,
            },
            State::Arguments(_) => match token.kind {
                Kind::Word if is(text, &["by", "without"]) => {
                    self.list = List::Grouping { before: true };
                    self.to(State::List, Role::Keyword)
                }
                // It was no aggregation: a metric may be called like one.
                _ => {
                    self.state = State::Complete(Behind::Name);
                    self.inner(tokens, at)
                }
            },
            State::Operand(before) => self.operand(before, tokens, at),
            State::Complete(behind) => self.complete(behind, tokens, at),
        }
    }

    fn to(&mut self, state: State, role: Role) -> Role {
        self.state = state;
        role
    }

    /// `group_left` needs no list; the others do.
    fn without_list(&mut self, tokens: &[Token], at: usize) -> Role {
        if self.list != List::Include {
            return Role::Wrong;
        }
        self.state = State::Operand(Before::Grouped);
        self.inner(tokens, at)
    }

    fn duration(&mut self, span: Span, tokens: &[Token], at: usize) -> Role {
        let token = &tokens[at];
        let text = token.text(self.text);
        let in_brackets = span != Span::Offset;
        let inner = matches!(self.frames.last(), Some(Frame { kind: FrameKind::Inner, .. }));
        match token.kind {
            Kind::Number | Kind::Duration | Kind::Variable => {
                if !in_brackets && !inner {
                    self.state = State::Complete(Behind::Modifier);
                }
                match token.kind {
                    Kind::Variable => Role::Variable,
                    _ => Role::Duration,
                }
            }
            Kind::Operator if matches!(text, "+" | "-" | "*" | "/" | "%" | "^") => Role::Operator,
            Kind::Word if is(text, &["step", "range", "min_of", "max_of"]) => Role::Function,
            Kind::Comma if inner => Role::Punctuation,
            Kind::Colon => self.to(State::Duration(Span::Step), Role::Punctuation),
            _ => Role::Wrong,
        }
    }

    fn operand(&mut self, before: Before, tokens: &[Token], at: usize) -> Role {
        let token = &tokens[at];
        let text = token.text(self.text);
        let next = next_kind(tokens, at);
        let literal = State::Complete(Behind::Literal);
        match token.kind {
            Kind::Number if numeral(text) => self.to(literal, Role::Number),
            Kind::Number => self.to(literal, Role::Wrong),
            Kind::Duration => self.to(literal, Role::Duration),
            Kind::String => self.to(literal, Role::String),
            Kind::OpenString => self.to(literal, Role::String),
            Kind::Variable => self.to(literal, Role::Variable),
            Kind::Operator if matches!(text, "+" | "-") => Role::Operator,
            Kind::Comma => match self.frames.last_mut() {
                Some(frame) => {
                    frame.argument += 1;
                    self.to(State::Operand(Before::Nothing), Role::Wrong)
                }
                None => Role::Wrong,
            },
            Kind::Word => {
                let modifies = before != Before::Nothing;
                let compares = before == Before::Operator { compares: true };
                if compares && is(text, &["bool"]) {
                    return self.to(State::Operand(Before::Bool), Role::Keyword);
                }
                if matches!(before, Before::Operator { .. } | Before::Bool)
                    && is(text, &["on", "ignoring"])
                {
                    self.list = List::Matching;
                    return self.to(State::List, Role::Keyword);
                }
                if modifies && before != Before::Grouped && is(text, &["group_left", "group_right"])
                {
                    self.list = List::Include;
                    return self.to(State::List, Role::Keyword);
                }
                if modifies
                    && is(text, &["fill", "fill_left", "fill_right"])
                    && next == Some(Kind::Open(b'('))
                {
                    self.list = List::Fill;
                    return self.to(State::List, Role::Keyword);
                }
                if is(text, &["inf", "nan"]) {
                    return self.to(literal, Role::Number);
                }
                if let Some(info) = aggregator(text)
                    && (matches!(next, Some(Kind::Open(b'(')) | None)
                        || next == Some(Kind::Word)
                            && is(next_text(tokens, at, self.text), &["by", "without"]))
                {
                    self.aggregator = Some(info);
                    return self.to(State::Arguments(false), Role::Aggregation);
                }
                if next == Some(Kind::Open(b'(')) {
                    // Its parenthesis, which comes next, opens a frame for any call.
                    let known = functions::function(text).is_some();
                    let role = if known { Role::Function } else { Role::Wrong };
                    return self.to(State::Complete(Behind::Name), role);
                }
                self.to(State::Complete(Behind::Name), Role::Metric)
            }
            _ => Role::Wrong,
        }
    }

    fn complete(&mut self, behind: Behind, tokens: &[Token], at: usize) -> Role {
        let token = &tokens[at];
        let text = token.text(self.text);
        match token.kind {
            Kind::At => self.to(State::Time, Role::Punctuation),
            Kind::Operator if !matches!(text, "=~" | "!~") => {
                let compares = matches!(text, "==" | "!=" | "<" | "<=" | ">" | ">=");
                self.to(State::Operand(Before::Operator { compares }), Role::Operator)
            }
            Kind::Word if is(text, &["and", "or", "unless", "atan2"]) => {
                self.to(State::Operand(Before::Operator { compares: false }), Role::Operator)
            }
            Kind::Word if is(text, &["offset"]) => {
                self.to(State::Duration(Span::Offset), Role::Keyword)
            }
            Kind::Word if is(text, &["anchored", "smoothed"]) => {
                self.to(State::Complete(Behind::Modifier), Role::Keyword)
            }
            Kind::Word if is(text, &["by", "without"]) && behind == Behind::Aggregation => {
                self.list = List::Grouping { before: false };
                self.to(State::List, Role::Keyword)
            }
            Kind::Comma => match self.frames.last_mut() {
                Some(Frame {
                    kind: FrameKind::Call | FrameKind::Aggregation(..) | FrameKind::Plain,
                    argument,
                    ..
                }) => {
                    *argument += 1;
                    self.to(State::Operand(Before::Nothing), Role::Punctuation)
                }
                _ => Role::Wrong,
            },
            // Two operands in a row: what is written now counts.
            Kind::Word | Kind::Number | Kind::Duration | Kind::Variable => {
                self.operand(Before::Nothing, tokens, at);
                Role::Wrong
            }
            _ => Role::Wrong,
        }
    }

    /// The function whose arguments a frame holds.
    pub(crate) fn function_of(
        &self,
        frame: &Frame,
        tokens: &[Token],
    ) -> Option<&'static FunctionInfo> {
        if !matches!(frame.kind, FrameKind::Call) {
            return None;
        }
        let name = tokens[..frame.open].iter().rev().find(|t| t.kind != Kind::Comment)?;
        functions::function(name.text(self.text))
    }
}

/// The kind of the next token that is no comment.
fn next_kind(tokens: &[Token], at: usize) -> Option<Kind> {
    tokens[at + 1..].iter().map(|t| t.kind).find(|kind| *kind != Kind::Comment)
}

fn next_text<'t>(tokens: &[Token], at: usize, text: &'t str) -> &'t str {
    let next = tokens[at + 1..].iter().find(|token| token.kind != Kind::Comment);
    next.map_or("", |token| token.text(text))
}

/// Whether a word is one of some keywords, which are written in any case.
pub(crate) fn is(word: &str, keywords: &[&str]) -> bool {
    keywords.iter().any(|keyword| word.eq_ignore_ascii_case(keyword))
}

/// The aggregation operator that a word is, in any case.
pub(crate) fn aggregator(word: &str) -> Option<&'static AggregatorInfo> {
    functions::AGGREGATORS.iter().find(|row| row.name.eq_ignore_ascii_case(word))
}

/// Whether the language has such a number.
fn numeral(text: &str) -> bool {
    promql_syntax::parse(text, &promql_syntax::Features::ALL).is_ok()
}
