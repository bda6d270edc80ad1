//! Whether an expression is all there.

use crate::lex::{Kind, tokens};
use crate::walk::{State, Walk};

/// How far a text has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There is nothing but blanks and comments.
    Empty,
    /// Something has to come, so a line that ends here goes on.
    Unfinished,
    /// It can be evaluated, or what is wrong with it can be said: nothing that follows would mend it.
    Finished,
}

/// Whether an expression goes on behind the text.
///
/// ```
/// use promql_ide::{Progress, progress};
/// assert_eq!(progress("sum(rate(x[5m"), Progress::Unfinished);
/// assert_eq!(progress("up >"), Progress::Unfinished);
/// assert_eq!(progress("up > 1 # done"), Progress::Finished);
/// assert_eq!(progress("up)"), Progress::Finished);
/// assert_eq!(progress(" # nothing"), Progress::Empty);
/// ```
pub fn progress(text: &str) -> Progress {
    let tokens = tokens(text);
    let mut walk = Walk::new(text);
    let mut open_string = false;
    let mut any = false;
    for at in 0..tokens.len() {
        walk.step(&tokens, at);
        any |= tokens[at].kind != Kind::Comment;
        if tokens[at].kind == Kind::OpenString {
            // Only a raw string may go on in the next line; another one is a mistake in this.
            let raw = text.as_bytes()[tokens[at].span.start] == b'`';
            open_string |= raw;
            walk.is_wrong |= !raw;
        }
    }
    match walk.state {
        _ if !any => Progress::Empty,
        _ if open_string => Progress::Unfinished,
        _ if walk.is_wrong => Progress::Finished,
        _ if !walk.frames.is_empty() => Progress::Unfinished,
        State::Complete(_) => Progress::Finished,
        // A word that is called like an aggregation operator may be a metric.
        State::Arguments(false) => Progress::Finished,
        _ => Progress::Unfinished,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_text_goes_on() {
        let table = [
            ("", Progress::Empty),
            ("up", Progress::Finished),
            ("up{", Progress::Unfinished),
            ("up{a=\"b\"", Progress::Unfinished),
            ("up{a=\"b", Progress::Finished),
            ("up{a=`b", Progress::Unfinished),
            ("sum by (job)", Progress::Unfinished),
            ("sum by (job) (up)", Progress::Finished),
            ("sum (up) by", Progress::Unfinished),
            ("up offset", Progress::Unfinished),
            ("up @", Progress::Unfinished),
            ("up @ start(", Progress::Unfinished),
            ("up @ start()", Progress::Finished),
            ("x[5m", Progress::Unfinished),
            ("a and", Progress::Unfinished),
            ("a and on", Progress::Unfinished),
            ("a and on (b)", Progress::Unfinished),
            ("a == bool", Progress::Unfinished),
            ("a * group_left", Progress::Unfinished),
            ("-", Progress::Unfinished),
            ("sum(a))", Progress::Finished),
            ("a §", Progress::Finished),
            ("a + # b", Progress::Unfinished),
            ("5", Progress::Finished),
            ("x[5m:", Progress::Unfinished),
            ("x[5m] offset -1h", Progress::Finished),
        ];
        for (text, expected) in table {
            assert_eq!(progress(text), expected, "{text}");
        }
    }
}
