//! Character classes: `[a-z]`, `[[:alpha:]]`, `\d`, `\pL`, `\p{Greek}`.
//!
//! There are no set operations: `&&`, `--`, `~~` and `[` are plain characters in a class.

use memchr::{memchr, memmem};

use super::error::{Problem, RegexErrorKind as Kind};
use super::escape::Cursor;
use super::names::{is_unicode_class, perl_class, posix_class};
use super::tree::{ClassItem, Flags, Tree};

/// Takes a class in brackets; the cursor is at the bracket.
pub(super) fn bracketed<T: Tree>(
    cursor: &mut Cursor<'_>,
    tree: &mut T,
    flags: Flags,
) -> Result<(), Problem> {
    let start = cursor.at;
    cursor.at += 1;
    let negated = cursor.peek(0) == Some(b'^');
    cursor.at += usize::from(negated);
    tree.class_open();
    let mut first = true;
    while first || cursor.peek(0) != Some(b']') {
        first = false;
        if let Some(item) = posix(cursor)? {
            tree.class_item(item, flags);
        } else if let Some(item) = escaped(cursor)? {
            tree.class_item(item, flags);
        } else {
            let (low, high) = range(cursor, start)?;
            tree.class_item(ClassItem::Range(low, high), flags);
        }
    }
    cursor.at += 1;
    tree.class_close(negated);
    Ok(())
}

/// Takes a class that is written as an escape, `\d` or `\p{Greek}`; `None`: there is none here.
#[inline]
pub(super) fn escaped<'a>(cursor: &mut Cursor<'a>) -> Result<Option<ClassItem<'a>>, Problem> {
    if cursor.peek(0) != Some(b'\\') {
        return Ok(None);
    }
    match cursor.peek(1) {
        Some(letter @ (b'p' | b'P')) => unicode(cursor, letter == b'P').map(Some),
        Some(letter) => {
            let Some(class) = perl_class(letter.to_ascii_lowercase()) else { return Ok(None) };
            cursor.at += 2;
            Ok(Some(ClassItem::Ascii { class, negated: letter.is_ascii_uppercase() }))
        }
        None => Ok(None),
    }
}

/// Takes `\pN` or `\p{Name}`, where `^` before the name negates.
fn unicode<'a>(cursor: &mut Cursor<'a>, capital: bool) -> Result<ClassItem<'a>, Problem> {
    let start = cursor.at;
    cursor.at += 2;
    let name_start = cursor.at;
    let name = match cursor.next_char()? {
        Some('{') => {
            let Some(length) = memchr(b'}', cursor.rest()) else {
                check_utf8(cursor, cursor.text.len())?;
                return Err(cursor.problem_to_end(Kind::InvalidCharRange, start));
            };
            let name_end = cursor.at + length;
            let name = check_utf8(cursor, name_end)?;
            cursor.at = name_end + 1;
            name
        }
        _ => {
            let name = cursor.text.get(name_start..cursor.at).unwrap_or_default();
            str::from_utf8(name).unwrap_or_default()
        }
    };
    let (name, caret) = match name.strip_prefix('^') {
        Some(name) => (name, true),
        None => (name, false),
    };
    if !is_unicode_class(name) {
        return Err(cursor.problem(Kind::InvalidCharRange, start));
    }
    Ok(ClassItem::Unicode { name, negated: capital != caret })
}

/// The text from the cursor to `end`, which must be UTF-8.
pub(super) fn check_utf8<'a>(cursor: &Cursor<'a>, end: usize) -> Result<&'a str, Problem> {
    let bytes = cursor.text.get(cursor.at..end).unwrap_or_default();
    str::from_utf8(bytes).map_err(|error| Problem {
        kind: Kind::InvalidUtf8,
        start: cursor.at + error.valid_up_to(),
        end,
    })
}

/// Takes `[:alpha:]` or `[:^alpha:]`; `None`: there is none here. Without the closing `:]` anywhere
/// in the rest of the pattern, `[` is a plain character.
fn posix(cursor: &mut Cursor<'_>) -> Result<Option<ClassItem<'static>>, Problem> {
    if cursor.peek(0) != Some(b'[') || cursor.peek(1) != Some(b':') || cursor.no_posix_end {
        return Ok(None);
    }
    let rest = cursor.rest();
    let Some(length) = memmem::find(rest.get(2..).unwrap_or_default(), b":]") else {
        cursor.no_posix_end = true;
        return Ok(None);
    };
    let start = cursor.at;
    let name = rest.get(2..2 + length).unwrap_or_default();
    cursor.at += length + 4;
    let (name, negated) = match name.strip_prefix(b"^") {
        Some(name) => (name, true),
        None => (name, false),
    };
    match posix_class(name) {
        Some(class) => Ok(Some(ClassItem::Ascii { class, negated })),
        None => Err(cursor.problem(Kind::InvalidCharRange, start)),
    }
}

/// Takes a character or a range of them, in the class that starts at `class_start`.
fn range(cursor: &mut Cursor<'_>, class_start: usize) -> Result<(u32, u32), Problem> {
    let start = cursor.at;
    let low = class_char(cursor, class_start)?;
    // A minus that is the last character of the class is one.
    if cursor.peek(0) != Some(b'-') || matches!(cursor.peek(1), None | Some(b']')) {
        return Ok((low, low));
    }
    cursor.at += 1;
    let high = class_char(cursor, class_start)?;
    if high < low {
        return Err(cursor.problem(Kind::InvalidCharRange, start));
    }
    Ok((low, high))
}

fn class_char(cursor: &mut Cursor<'_>, class_start: usize) -> Result<u32, Problem> {
    if cursor.peek(0) == Some(b'\\') {
        return cursor.escape();
    }
    match cursor.next_char()? {
        Some(character) => Ok(character.into()),
        None => Err(cursor.problem_to_end(Kind::MissingBracket, class_start)),
    }
}
