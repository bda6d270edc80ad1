//! The part of HCL that configurations are written in: attributes with plain values, and blocks with labels.
//!
//! ```text
//! prometheus "prod" {
//!   uri     = "https://prometheus.example.com"
//!   include = ["rules/prod/.*"]
//! }
//! ```

/// What stands in a block, or in a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Body {
    /// Names with values, in order.
    pub(super) attributes: Vec<Attribute>,
    /// Blocks, in order.
    pub(super) blocks: Vec<Block>,
}

/// A name with a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Attribute {
    pub(super) name: String,
    pub(super) value: Value,
    /// From 1.
    pub(super) line: usize,
}

/// A block.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Block {
    pub(super) name: String,
    pub(super) labels: Vec<String>,
    pub(super) body: Body,
    /// From 1.
    pub(super) line: usize,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// A string, or a number as it is written.
    Text(String),
    /// A truth value.
    Bool(bool),
    /// A list.
    List(Vec<Value>),
    /// Pairs.
    Map(Vec<(String, Value)>),
}

impl Value {
    /// The text, if it is one.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The texts of a list.
    pub(super) fn texts(&self) -> Vec<&str> {
        match self {
            Value::List(values) => values.iter().filter_map(Value::text).collect(),
            other => other.text().into_iter().collect(),
        }
    }
}

impl Body {
    /// The value of a name.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.attributes.iter().find(|attribute| attribute.name == name).map(|a| &a.value)
    }

    /// The text of a name.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.text()
    }

    /// The texts of a name; none if it isn't there.
    pub(super) fn texts(&self, name: &str) -> Vec<&str> {
        self.get(name).map(Value::texts).unwrap_or_default()
    }

    /// Whether a name is true.
    pub(super) fn is_true(&self, name: &str) -> bool {
        self.get(name) == Some(&Value::Bool(true))
    }
}

/// How deep blocks and lists may be nested.
const DEEPEST: usize = 50;

/// Reads a file.
///
/// # Errors
/// What is wrong, with the line.
pub(super) fn parse(text: &str) -> Result<Body, String> {
    let mut parser = Parser { rest: text.trim_start_matches('\u{feff}'), line: 1, depth: 0 };
    let body = parser.body(false)?;
    Ok(body)
}

struct Parser<'t> {
    rest: &'t str,
    line: usize,
    depth: usize,
}

impl Parser<'_> {
    fn wrong<T>(&self, expected: &str) -> Result<T, String> {
        let found = match self.rest.chars().next() {
            Some('\n') => "the end of the line".to_owned(),
            Some(c) => format!("`{c}`"),
            None => "the end of the file".to_owned(),
        };
        Err(format!("line {}: {expected} belongs here, not {found}", self.line))
    }

    fn take(&mut self, count: usize) {
        let (taken, rest) = self.rest.split_at(count);
        self.line += taken.matches('\n').count();
        self.rest = rest;
    }

    /// Leaves out blanks, comments, and line ends.
    fn space(&mut self) {
        loop {
            let blanks = self.rest.len() - self.rest.trim_start().len();
            self.take(blanks);
            let end_of_line = || self.rest.find('\n').unwrap_or(self.rest.len());
            let length = if self.rest.starts_with('#') || self.rest.starts_with("//") {
                end_of_line()
            } else if self.rest.starts_with("/*") {
                self.rest.find("*/").map_or(self.rest.len(), |at| at + 2)
            } else {
                return;
            };
            self.take(length);
        }
    }

    fn eat(&mut self, c: char) -> bool {
        self.space();
        let is_there = self.rest.starts_with(c);
        if is_there {
            self.take(c.len_utf8());
        }
        is_there
    }

    fn deeper<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, String>,
    ) -> Result<T, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("line {}: this is nested too deep", self.line));
        }
        let found = read(self);
        self.depth -= 1;
        found
    }

    fn body(&mut self, is_block: bool) -> Result<Body, String> {
        let mut body = Body::default();
        loop {
            self.space();
            if is_block && self.eat('}') {
                return Ok(body);
            }
            if self.rest.is_empty() {
                return if is_block { self.wrong("`}`") } else { Ok(body) };
            }
            let line = self.line;
            let name = self.name()?;
            if self.eat('=') {
                let value = self.value()?;
                body.attributes.push(Attribute { name, value, line });
                continue;
            }
            let mut labels = Vec::new();
            loop {
                self.space();
                match self.rest.chars().next() {
                    Some('"') => labels.push(self.string()?),
                    Some('{') => break,
                    Some(c) if c.is_alphabetic() || c == '_' => labels.push(self.name()?),
                    _ => return self.wrong("`=`, a label, or `{`"),
                }
            }
            self.take(1);
            let inner = self.deeper(|parser| parser.body(true))?;
            body.blocks.push(Block { name, labels, body: inner, line });
        }
    }

    fn name(&mut self) -> Result<String, String> {
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        if end == 0 {
            return self.wrong("a name");
        }
        let name = self.rest[..end].to_owned();
        self.take(end);
        Ok(name)
    }

    fn value(&mut self) -> Result<Value, String> {
        self.space();
        match self.rest.chars().next() {
            Some('"') => Ok(Value::Text(self.string()?)),
            Some('[') => {
                self.take(1);
                let mut values = Vec::new();
                while !self.eat(']') {
                    values.push(self.deeper(Self::value)?);
                    if !self.eat(',') && !self.rest.starts_with(']') {
                        return self.wrong("`,` or `]`");
                    }
                }
                Ok(Value::List(values))
            }
            Some('{') => {
                self.take(1);
                let mut pairs = Vec::new();
                while !self.eat('}') {
                    let name = match self.rest.starts_with('"') {
                        true => self.string()?,
                        false => self.name()?,
                    };
                    if !self.eat('=') && !self.eat(':') {
                        return self.wrong("`=`");
                    }
                    pairs.push((name, self.deeper(Self::value)?));
                    self.eat(',');
                }
                Ok(Value::Map(pairs))
            }
            _ => {
                let word = self.name().or_else(|_| self.wrong("a value"))?;
                Ok(match word.as_str() {
                    "true" => Value::Bool(true),
                    "false" => Value::Bool(false),
                    _ => Value::Text(word),
                })
            }
        }
    }

    fn string(&mut self) -> Result<String, String> {
        let mut out = String::new();
        let mut chars = self.rest[1..].char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.take(at + 2);
                    return Ok(out);
                }
                '\n' => break,
                '\\' => match chars.next() {
                    Some((_, 'n')) => out.push('\n'),
                    Some((_, 't')) => out.push('\t'),
                    Some((_, other)) => out.push(other),
                    None => break,
                },
                // `$${` stands for `${`, which would be a variable.
                '$' if self.rest[1 + at..].starts_with("$${") => {}
                other => out.push(other),
            }
        }
        Err(format!("line {}: this text doesn't end", self.line))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that fails")]
mod tests {
    use super::*;

    #[test]
    fn blocks_and_values_are_read() {
        let text = "# a\na = \"x\\\\d\" // b\n/* c\n*/ rule \"l\" m {\n  list = [\"a\", 1,\n true,]\n  map = { a = \"b\", \"c\" = 2 }\n}\n";
        let body = parse(text).unwrap();
        assert_eq!(body.text("a"), Some("x\\d"));
        let rule = &body.blocks[0];
        assert_eq!(
            (rule.name.as_str(), rule.line, &rule.labels[..]),
            ("rule", 4, &["l".to_owned(), "m".to_owned()][..])
        );
        assert_eq!(rule.body.texts("list"), ["a", "1"]);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, told) in [
            ("a {\n", "line 2: `}` belongs here, not the end of the file"),
            ("a = [1 2]", "line 1: `,` or `]` belongs here, not `2`"),
            ("\na = \"x\n", "line 2: this text doesn't end"),
            ("a\n= ?", "line 2: a value belongs here, not `?`"),
            ("*", "line 1: a name belongs here, not `*`"),
        ] {
            assert_eq!(parse(text).unwrap_err(), told);
        }
        assert!(parse(&"a {".repeat(1000)).is_err());
        assert!(parse(&format!("a = {}", "[".repeat(100_000))).is_err());
    }
}
