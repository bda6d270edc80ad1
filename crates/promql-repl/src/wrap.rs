//! Long lines of prose on a terminal: they are broken between words.

use unicode_width::UnicodeWidthStr;

/// A text whose lines take so many columns at most, where they have blanks to be broken at. What goes on in
/// the next row begins below where the last column of the line begins, as behind two blanks, or else where the
/// line itself does. Code between fences stays as it is.
pub(crate) fn wrapped(text: &str, columns: usize) -> String {
    let mut out = String::new();
    let mut is_code = false;
    for line in text.lines() {
        is_code ^= line.starts_with("```");
        match is_code || line.width() < columns {
            true => out.push_str(line),
            false => wrap(line, columns, &mut out),
        }
        out.push('\n');
    }
    out
}

fn wrap(line: &str, columns: usize, out: &mut String) {
    let leading = line.len() - line.trim_start().len();
    let behind_gap = line.trim_end().rfind("  ").map_or(0, |at| line[..at + 2].width());
    let indent = behind_gap.max(leading);
    // What begins far to the right has no room there.
    let indent = if indent > columns / 2 { leading.min(columns / 2) } else { indent };
    let mut used = 0;
    for (at, part) in line.split_inclusive(' ').enumerate() {
        let word = part.trim_end();
        if at > 0 && used > indent && !word.is_empty() && used + word.width() >= columns {
            let kept = out.trim_end_matches(' ').len();
            out.truncate(kept);
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            used = indent;
        }
        out.push_str(part);
        used += part.width();
    }
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn lines_are_broken_between_words() {
        let text = "One two three four five\n\n```\none two three four five\n```\nshort\n";
        let expected = "One two\nthree four\nfive\n\n```\none two three four five\n```\nshort\n";
        assert_eq!(wrapped(text, 12), expected);
        assert_eq!(wrapped("a_word_that_is_long and more", 10), "a_word_that_is_long\nand more\n");
    }

    #[test]
    fn columns_stay_columns() {
        let text = "\\set   Shows or sets a variable or an option\n  a b c d e f g h i\n";
        let expected = "\\set   Shows or\n       sets a\n       variable or\n       an option\n  a b c d e f g h\n  i\n";
        assert_eq!(wrapped(text, 19), expected);
    }
}
