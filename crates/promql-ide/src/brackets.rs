//! Which bracket belongs to which.

use crate::cursor::floor;
use crate::lex::{Kind, tokens};

/// The offset of the bracket that belongs to the one at the cursor: the one behind it, or else the one in
/// front of it. Brackets in strings and comments are none.
///
/// ```
/// use promql_ide::matching_bracket;
/// assert_eq!(matching_bracket("sum(up)", 3), Some(6));
/// assert_eq!(matching_bracket("sum(up)", 7), Some(3));
/// assert_eq!(matching_bracket("sum(up}", 3), None);
/// ```
pub fn matching_bracket(text: &str, cursor: usize) -> Option<usize> {
    let cursor = floor(text, cursor);
    let tokens = tokens(text);
    let mut open: Vec<(u8, usize)> = Vec::new();
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    for token in &tokens {
        match token.kind {
            Kind::Open(byte) => open.push((byte, token.span.start)),
            Kind::Close(byte) => {
                if let Some((opened, start)) = open.pop()
                    && closing(opened) == byte
                {
                    pairs.push((start, token.span.start));
                }
            }
            _ => {}
        }
    }
    let partner = |at: usize| {
        pairs.iter().find_map(|&(start, end)| match at {
            _ if at == start => Some(end),
            _ if at == end => Some(start),
            _ => None,
        })
    };
    partner(cursor).or_else(|| partner(cursor.checked_sub(1)?))
}

/// What closes a bracket.
pub(crate) fn closing(open: u8) -> u8 {
    match open {
        b'(' => b')',
        b'[' => b']',
        _ => b'}',
    }
}
