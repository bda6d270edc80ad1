//! Queries whose inexact parts are known.
//!
//! The last digits of some results depend on the order of sums or on the mathematical library. A
//! query that knows which parts of it are like that can be written anew with them changed by as
//! little as two correct implementations may differ ([`Node::text`]). What that changes in an
//! answer can't be held against either of them.

use crate::random::Random;

/// A part of a query.
#[derive(Clone, Debug)]
pub enum Node {
    /// Text as it is.
    Text(String),
    /// Parts one after the other.
    Parts(Vec<Node>),
    /// A call whose result is not exact, with how far it may be off if that isn't relative to the
    /// result: an expression with the same labels.
    Inexact(Box<Node>, Option<Box<Node>>),
}

/// What a change is multiplied by: some change all values alike, some each value of a series in
/// another way.
fn sign(random: &mut Random) -> String {
    match random.below(4) {
        0 => "1".to_owned(),
        1 => "-1".to_owned(),
        _ => format!("scalar(sin(vector(time() * {})))", 10 + random.below(9000)),
    }
}

/// A relative change that is large next to what implementations differ by, and small next to the
/// tolerance.
const RELATIVE: &str = "1e-13";

/// The same for differences that are relative to something else.
const ABSOLUTE: [&str; 3] = ["4e-15", "-4e-15", "0"];

impl Node {
    /// The query's text. With numbers it is written with small changes, chosen at random.
    pub fn text(&self, changes: Option<&mut Random>) -> String {
        let mut text = String::new();
        self.write(&mut text, &mut changes.map(|random| &mut *random));
        text
    }

    fn write(&self, text: &mut String, changes: &mut Option<&mut Random>) {
        match self {
            Node::Text(part) => text.push_str(part),
            Node::Parts(parts) => parts.iter().for_each(|part| part.write(text, changes)),
            Node::Inexact(call, scale) => {
                let Some(random) = changes.as_deref_mut() else { return call.write(text, changes) };
                let sign = sign(random);
                let absolute = random.pick(&ABSOLUTE);
                let share = random.below(20) as f64 / 10.0 - 0.9;
                let mut call_text = String::new();
                call.write(&mut call_text, changes);
                let mut change = format!("({call_text}) * ({RELATIVE} * {sign})");
                if let Some(scale) = scale {
                    let mut scale_text = String::new();
                    scale.write(&mut scale_text, changes);
                    change = format!("{change} + ({absolute} * {sign}) * ({scale_text})");
                }
                // Of all elements or some that chance picks, since their order may depend on
                // differences. What is added to the left leaves the order as it was, and what is
                // infinite or no number isn't changed.
                *text += &format!(
                    "({call_text} + fill_right (0) (limit_ratio({share}, {change}) > -Inf < Inf))"
                );
            }
        }
    }

    /// Whether something in it is not exact.
    pub fn is_inexact(&self) -> bool {
        match self {
            Node::Text(_) => false,
            Node::Parts(parts) => parts.iter().any(Node::is_inexact),
            Node::Inexact(..) => true,
        }
    }

    /// Not exact, relative to the result.
    pub(crate) fn inexact(self) -> Node {
        Node::Inexact(Box::new(self), None)
    }

    /// Not exact, relative to the value of an expression that has the same labels.
    pub(crate) fn inexact_by(self, scale: Node) -> Node {
        Node::Inexact(Box::new(self), Some(Box::new(scale)))
    }
}

impl From<&str> for Node {
    fn from(text: &str) -> Node {
        Node::Text(text.to_owned())
    }
}

impl From<String> for Node {
    fn from(text: String) -> Node {
        Node::Text(text)
    }
}
