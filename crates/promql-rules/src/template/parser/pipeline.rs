//! What is in an action: pipelines of commands, their operands and variables.

use promql_model::quote::Quoted;

use super::super::constant::{read_character, read_number, unquote};
use super::super::functions;
use super::super::lexer::{Keyword, Kind};
use super::super::tree::{Command, Node, NodeKind, Pipe};
use super::{Fault, Parsed, Parser};

impl<'a> Parser<'a> {
    pub(super) fn pipeline(&mut self, context: &str, end: Kind) -> Parsed<Pipe> {
        self.deeper(|parser| parser.pipeline_here(context, end))
    }

    fn pipeline_here(&mut self, context: &str, end: Kind) -> Parsed<Pipe> {
        let start = self.peek_non_space().start;
        let mut pipe = Pipe {
            start,
            end: start,
            is_assignment: false,
            variables: Vec::new(),
            commands: Vec::new(),
        };
        self.declarations(context, &mut pipe)?;
        loop {
            let token = self.next_non_space();
            match token.kind {
                kind if kind == end => {
                    self.check_pipeline(&pipe, context)?;
                    return Ok(pipe);
                }
                Kind::Bool
                | Kind::CharConstant
                | Kind::Complex
                | Kind::Keyword(Keyword::Dot | Keyword::Nil)
                | Kind::Field
                | Kind::Identifier
                | Kind::Number
                | Kind::RawString
                | Kind::String
                | Kind::Variable
                | Kind::LeftParen => {
                    self.backup();
                    let command = self.command()?;
                    pipe.end = command.end;
                    pipe.commands.push(command);
                }
                _ => return self.unexpected(&token, context),
            }
        }
    }

    /// `$x :=`, `$x =`, `$i, $x :=`.
    fn declarations(&mut self, context: &str, pipe: &mut Pipe) -> Parsed<()> {
        loop {
            let variable = self.peek_non_space();
            if variable.kind != Kind::Variable {
                return Ok(());
            }
            self.next();
            // A space decides between an argument and a declaration.
            let behind = self.peek();
            let next = self.peek_non_space();
            match next.kind {
                Kind::Assign | Kind::Declare => {
                    pipe.is_assignment = next.kind == Kind::Assign;
                    self.next_non_space();
                    pipe.variables.push(variable.text.to_string());
                    self.variables.push(variable.text);
                    return Ok(());
                }
                Kind::Char if next.text == "," => {
                    self.next_non_space();
                    pipe.variables.push(variable.text.to_string());
                    self.variables.push(variable.text);
                    if context == "range" && pipe.variables.len() < 2 {
                        match self.peek_non_space().kind {
                            Kind::Variable | Kind::RightDelimiter | Kind::RightParen => continue,
                            _ => return self.fault("range can only initialize variables"),
                        }
                    }
                    return self.fault(format!("too many declarations in {context}"));
                }
                _ if behind.kind == Kind::Space => self.backup3(variable, behind),
                _ => self.backup2(variable),
            }
            return Ok(());
        }
    }

    fn check_pipeline(&mut self, pipe: &Pipe, context: &str) -> Parsed<()> {
        if pipe.commands.is_empty() {
            return self.fault(format!("missing value for {context}"));
        }
        for (at, command) in pipe.commands.iter().enumerate().skip(1) {
            let first = command.operands.first().map(|node| &node.kind);
            if let Some(
                NodeKind::Bool(_)
                | NodeKind::Dot
                | NodeKind::Nil
                | NodeKind::Number(_)
                | NodeKind::String { .. },
            ) = first
            {
                let message = format!("non executable command in pipeline stage {}", at + 1);
                let place = command.start..command.end;
                return Err(Fault { line: self.tokens[0].line, message, place });
            }
        }
        Ok(())
    }

    fn command(&mut self) -> Parsed<Command> {
        let start = self.peek_non_space().start;
        let mut command = Command { start, end: start, operands: Vec::new() };
        loop {
            self.peek_non_space();
            if let Some(operand) = self.operand()? {
                command.end = operand.end;
                command.operands.push(operand);
            }
            let token = self.next();
            match token.kind {
                Kind::Space => continue,
                Kind::RightDelimiter | Kind::RightParen => self.backup(),
                Kind::Pipe => {}
                _ => return self.unexpected(&token, "operand"),
            }
            break;
        }
        if command.operands.is_empty() {
            return self.fault("empty command");
        }
        Ok(command)
    }

    fn operand(&mut self) -> Parsed<Option<Node>> {
        let Some(node) = self.term()? else { return Ok(None) };
        if self.peek().kind != Kind::Field {
            return Ok(Some(node));
        }
        let start = self.peek().start;
        let mut end = start;
        let mut fields = Vec::new();
        while self.peek().kind == Kind::Field {
            let token = self.next();
            end = token.end;
            fields.push(token.text.trim_start_matches('.').to_owned());
        }
        let kind = match node.kind {
            NodeKind::Field(mut names) => {
                names.extend(fields);
                NodeKind::Field(names)
            }
            NodeKind::Variable(mut names) => {
                names.extend(fields);
                NodeKind::Variable(names)
            }
            NodeKind::Bool(_)
            | NodeKind::String { .. }
            | NodeKind::Number(_)
            | NodeKind::Nil
            | NodeKind::Dot => {
                let shown = node.to_string();
                let shown = Quoted(shown.as_bytes());
                return self.fault(format!("unexpected . after term {shown}"));
            }
            _ => NodeKind::Chain(Box::new(node), fields),
        };
        Ok(Some(Node { start, end, kind }))
    }

    fn term(&mut self) -> Parsed<Option<Node>> {
        let token = self.next_non_space();
        let kind = match token.kind {
            Kind::Identifier => match functions::find(&token.text, self.mode) {
                Some(function) => NodeKind::Identifier(function),
                None => {
                    let name = Quoted(token.text.as_bytes());
                    let message = format!("function {name} not defined");
                    let place = token.start..token.end;
                    return Err(Fault { line: self.tokens[0].line, message, place });
                }
            },
            Kind::Keyword(Keyword::Dot) => NodeKind::Dot,
            Kind::Keyword(Keyword::Nil) => NodeKind::Nil,
            Kind::Variable => {
                if !self.variables.contains(&token.text) {
                    let name = Quoted(token.text.as_bytes());
                    let message = format!("undefined variable {name}");
                    let place = token.start..token.end;
                    return Err(Fault { line: self.tokens[0].line, message, place });
                }
                NodeKind::Variable(vec![token.text.into_owned()])
            }
            Kind::Field => NodeKind::Field(vec![token.text.trim_start_matches('.').to_owned()]),
            Kind::Bool => NodeKind::Bool(token.text == "true"),
            Kind::CharConstant | Kind::Number => {
                let number = match token.kind {
                    Kind::Number => read_number(&token.text),
                    _ => read_character(&token.text),
                };
                match number {
                    Ok(number) => NodeKind::Number(number),
                    Err(message) => return self.fault(message),
                }
            }
            Kind::Complex => return self.fault("complex numbers are not supported"),
            Kind::LeftParen => {
                let pipe = self.pipeline("parenthesized pipeline", Kind::RightParen)?;
                let (start, end) = (pipe.start, pipe.end);
                return Ok(Some(Node { start, end, kind: NodeKind::Pipe(pipe) }));
            }
            Kind::String | Kind::RawString => match unquote(&token.text) {
                Some(text) => NodeKind::String { source: token.text.into_owned(), text },
                None => return self.fault("invalid syntax"),
            },
            _ => {
                self.backup();
                return Ok(None);
            }
        };
        Ok(Some(Node { start: token.start, end: token.end, kind }))
    }
}
