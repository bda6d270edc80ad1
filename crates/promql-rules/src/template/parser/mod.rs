//! From tokens to the tree of a template, with Go's messages for what is no template.

mod pipeline;

use std::borrow::Cow;
use std::ops::Range;

use promql_model::quote::Quoted;

use super::constant::unquote;
use super::functions::Mode;
use super::lexer::{Keyword, Kind, Lexer, Token};
use super::tree::{Branch, BranchKind, List, Node, NodeKind, Pipe, Trees};

/// How deep actions and parentheses may be nested. Go knows no such limit.
const DEEPEST: usize = 100;

/// Why a text is no template: Go's message, and which part of the text it is about.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) line: usize,
    pub(super) message: String,
    pub(super) place: Range<usize>,
}

type Parsed<T> = Result<T, Fault>;

/// Parses a text. The main template goes under `name`, definitions under theirs.
pub(super) fn parse<'a>(name: &str, text: &'a str, mode: Mode, known: &[&'a str]) -> Parsed<Trees> {
    let mut parser = Parser {
        name: name.to_owned(),
        lexer: Lexer::new(text),
        mode,
        tokens: [NONE, NONE, NONE],
        peeked: 0,
        variables: ["$"].iter().chain(known).map(|name| Cow::Borrowed(*name)).collect(),
        range_depth: 0,
        action_line: 0,
        depth: 0,
        trees: Trees::new(),
    };
    let root = parser.template()?;
    parser.add(name.to_owned(), root)?;
    Ok(parser.trees)
}

const NONE: Token<'static> =
    Token { kind: Kind::End, text: Cow::Borrowed(""), start: 0, end: 0, line: 1 };

struct Parser<'a> {
    name: String,
    lexer: Lexer<'a>,
    mode: Mode,
    /// Three tokens of look-ahead, the last one peeked is the next.
    tokens: [Token<'a>; 3],
    peeked: usize,
    /// The variables in scope.
    variables: Vec<Cow<'a, str>>,
    range_depth: usize,
    /// The line in which the action begins, 0 outside.
    action_line: usize,
    depth: usize,
    trees: Trees,
}

/// What a list of nodes ended with.
enum End {
    End,
    Else,
}

impl End {
    fn shown(&self) -> &'static str {
        match self {
            End::End => "{{end}}",
            End::Else => "{{else}}",
        }
    }
}

/// A node, or what ends a list of them.
enum Item {
    Node(Node),
    End(End),
}

impl<'a> Parser<'a> {
    fn next(&mut self) -> Token<'a> {
        if self.peeked > 0 {
            self.peeked -= 1;
        } else {
            self.tokens[0] = self.lexer.next();
        }
        self.tokens[self.peeked].clone()
    }

    fn backup(&mut self) {
        self.peeked += 1;
    }

    /// Puts back a token before the one put back already.
    fn backup2(&mut self, token: Token<'a>) {
        self.tokens[1] = token;
        self.peeked = 2;
    }

    fn backup3(&mut self, second: Token<'a>, first: Token<'a>) {
        self.tokens[1] = first;
        self.tokens[2] = second;
        self.peeked = 3;
    }

    fn peek(&mut self) -> Token<'a> {
        if self.peeked > 0 {
            return self.tokens[self.peeked - 1].clone();
        }
        self.peeked = 1;
        self.tokens[0] = self.lexer.next();
        self.tokens[0].clone()
    }

    fn next_non_space(&mut self) -> Token<'a> {
        loop {
            let token = self.next();
            if token.kind != Kind::Space {
                return token;
            }
        }
    }

    fn peek_non_space(&mut self) -> Token<'a> {
        let token = self.next_non_space();
        self.backup();
        token
    }

    fn fault<T>(&self, message: impl Into<String>) -> Parsed<T> {
        let token = &self.tokens[0];
        Err(Fault { line: token.line, message: message.into(), place: token.start..token.end })
    }

    fn unexpected<T>(&self, token: &Token<'_>, context: &str) -> Parsed<T> {
        let mut message = format!("unexpected {} in {context}", token.shown());
        if token.kind == Kind::Error {
            message = token.text.to_string();
            if self.action_line != 0 && self.action_line != token.line {
                let started = format!(" started at {}:{}", self.name, self.action_line);
                if !message.ends_with(" action") {
                    message.push_str(" in action");
                }
                message.push_str(&started);
            }
        }
        Err(Fault { line: self.tokens[0].line, message, place: token.start..token.end })
    }

    fn expect(&mut self, kind: Kind, context: &str) -> Parsed<Token<'a>> {
        let token = self.next_non_space();
        if token.kind == kind { Ok(token) } else { self.unexpected(&token, context) }
    }

    /// Runs one level deeper.
    fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= DEEPEST {
            return self.fault(format!("more than {DEEPEST} levels of nesting"));
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn template(&mut self) -> Parsed<List> {
        let mut list = List::default();
        while self.peek().kind != Kind::End {
            if self.peek().kind == Kind::LeftDelimiter {
                let delimiter = self.next();
                if self.next_non_space().kind == Kind::Keyword(Keyword::Define) {
                    self.definition()?;
                    continue;
                }
                self.backup2(delimiter);
            }
            match self.text_or_action()? {
                Item::Node(node) => list.nodes.push(node),
                Item::End(end) => return self.fault(format!("unexpected {}", end.shown())),
            }
        }
        Ok(list)
    }

    fn definition(&mut self) -> Parsed<()> {
        const CONTEXT: &str = "define clause";
        let token = self.next_non_space();
        let name = self.template_name(&token, CONTEXT)?;
        self.expect(Kind::RightDelimiter, CONTEXT)?;
        let body = self.body_of(CONTEXT)?;
        self.add(name, body)
    }

    /// The nodes of a definition or a block, which sees no variables of what is around it.
    fn body_of(&mut self, context: &str) -> Parsed<List> {
        let variables = std::mem::replace(&mut self.variables, vec![Cow::Borrowed("$")]);
        let range_depth = std::mem::take(&mut self.range_depth);
        let action_line = std::mem::take(&mut self.action_line);
        let (list, end) = self.list()?;
        if let End::Else = end {
            return self.fault(format!("unexpected {} in {context}", end.shown()));
        }
        self.variables = variables;
        self.range_depth = range_depth;
        self.action_line = action_line;
        Ok(list)
    }

    fn add(&mut self, name: String, list: List) -> Parsed<()> {
        match self.trees.get(&name) {
            Some(present) if !present.is_empty() => {
                if !list.is_empty() {
                    let name = Quoted(name.as_bytes());
                    return self.fault(format!("template: multiple definition of template {name}"));
                }
            }
            _ => {
                self.trees.insert(name, list);
            }
        }
        Ok(())
    }

    fn list(&mut self) -> Parsed<(List, End)> {
        let mut list = List::default();
        while self.peek_non_space().kind != Kind::End {
            match self.text_or_action()? {
                Item::Node(node) => list.nodes.push(node),
                Item::End(end) => return Ok((list, end)),
            }
        }
        self.fault("unexpected EOF")
    }

    fn text_or_action(&mut self) -> Parsed<Item> {
        let token = self.next_non_space();
        match token.kind {
            Kind::Text => Ok(Item::Node(Node {
                start: token.start,
                end: token.end,
                kind: NodeKind::Text(token.text.into_owned()),
            })),
            Kind::LeftDelimiter => {
                self.action_line = token.line;
                let item = self.action()?;
                self.action_line = 0;
                Ok(item)
            }
            _ => self.unexpected(&token, "input"),
        }
    }

    fn action(&mut self) -> Parsed<Item> {
        let token = self.next_non_space();
        if let Kind::Keyword(keyword) = token.kind {
            match keyword {
                Keyword::Block => return self.deeper(Self::block),
                Keyword::Break => return self.jump(&token, "{{break}}", NodeKind::Break),
                Keyword::Continue => return self.jump(&token, "{{continue}}", NodeKind::Continue),
                Keyword::Else => return self.otherwise(),
                Keyword::End => {
                    self.expect(Kind::RightDelimiter, "end")?;
                    return Ok(Item::End(End::End));
                }
                Keyword::If => return self.branch(BranchKind::If).map(Item::Node),
                Keyword::Range => return self.branch(BranchKind::Range).map(Item::Node),
                Keyword::With => return self.branch(BranchKind::With).map(Item::Node),
                Keyword::Template => return self.call_template(),
                Keyword::Define | Keyword::Dot | Keyword::Nil => {}
            }
        }
        self.backup();
        let start = self.peek().start;
        // Variables last until the `end` of what is around.
        let pipe = self.pipeline("command", Kind::RightDelimiter)?;
        Ok(Item::Node(Node { start, end: pipe.end, kind: NodeKind::Action(pipe) }))
    }

    fn jump(&mut self, word: &Token<'_>, context: &str, kind: NodeKind) -> Parsed<Item> {
        let token = self.next_non_space();
        if token.kind != Kind::RightDelimiter {
            return self.unexpected(&token, context);
        }
        if self.range_depth == 0 {
            return self.fault(format!("{context} outside {{{{range}}}}"));
        }
        Ok(Item::Node(Node { start: word.start, end: word.end, kind }))
    }

    fn otherwise(&mut self) -> Parsed<Item> {
        // `else if` and `else with` leave their word to the branch.
        let next = self.peek_non_space();
        if !matches!(next.kind, Kind::Keyword(Keyword::If | Keyword::With)) {
            self.expect(Kind::RightDelimiter, "else")?;
        }
        Ok(Item::End(End::Else))
    }

    fn block(&mut self) -> Parsed<Item> {
        const CONTEXT: &str = "block clause";
        let token = self.next_non_space();
        let name = self.template_name(&token, CONTEXT)?;
        let pipe = self.pipeline(CONTEXT, Kind::RightDelimiter)?;
        let body = self.body_of(CONTEXT)?;
        self.add(name.clone(), body)?;
        Ok(Item::Node(template_node(&token, name, Some(pipe))))
    }

    fn call_template(&mut self) -> Parsed<Item> {
        const CONTEXT: &str = "template clause";
        let token = self.next_non_space();
        let name = self.template_name(&token, CONTEXT)?;
        let mut pipe = None;
        if self.next_non_space().kind != Kind::RightDelimiter {
            self.backup();
            pipe = Some(self.pipeline(CONTEXT, Kind::RightDelimiter)?);
        }
        Ok(Item::Node(template_node(&token, name, pipe)))
    }

    fn template_name(&mut self, token: &Token<'_>, context: &str) -> Parsed<String> {
        match token.kind {
            Kind::String | Kind::RawString => match unquote(&token.text) {
                Some(name) => Ok(name),
                None => self.fault("invalid syntax"),
            },
            _ => self.unexpected(token, context),
        }
    }

    fn branch(&mut self, kind: BranchKind) -> Parsed<Node> {
        self.deeper(|parser| parser.branch_here(kind))
    }

    fn branch_here(&mut self, kind: BranchKind) -> Parsed<Node> {
        let in_scope = self.variables.len();
        let (context, again) = match kind {
            BranchKind::If => ("if", Some(Keyword::If)),
            BranchKind::With => ("with", Some(Keyword::With)),
            BranchKind::Range => ("range", None),
        };
        let pipe = self.pipeline(context, Kind::RightDelimiter)?;
        self.range_depth += usize::from(kind == BranchKind::Range);
        let (list, end) = self.list()?;
        self.range_depth -= usize::from(kind == BranchKind::Range);
        let otherwise = match (end, again) {
            (End::End, _) => None,
            (End::Else, Some(word)) if self.peek().kind == Kind::Keyword(word) => {
                self.next();
                // The `end` of the inner branch is that of both.
                let inner = self.branch(kind)?;
                Some(List { nodes: vec![inner] })
            }
            (End::Else, _) => match self.list()? {
                (list, End::End) => Some(list),
                (_, end) => return self.fault(format!("expected end; found {}", end.shown())),
            },
        };
        self.variables.truncate(in_scope);
        let (start, end) = (pipe.start, pipe.end);
        let branch = Branch { kind, pipe, list, otherwise };
        Ok(Node { start, end, kind: NodeKind::Branch(Box::new(branch)) })
    }
}

fn template_node(token: &Token<'_>, name: String, pipe: Option<Pipe>) -> Node {
    Node { start: token.start, end: token.end, kind: NodeKind::Template { name, pipe } }
}
