//! Which experimental parts of the language are accepted.

use promql_syntax::Features;

/// A part that can be switched.
struct Part {
    name: &'static str,
    on: fn(&mut Features),
}

/// The parts by the names of the server's feature flags without `promql-`.
const PARTS: [Part; 3] = [
    Part { name: "experimental-functions", on: |f| f.experimental_functions = true },
    Part { name: "extended-range-selectors", on: |f| f.extended_range_selectors = true },
    Part { name: "binop-fill-modifiers", on: |f| f.fill_modifiers = true },
];

/// What the flag says in its help.
pub const HELP: &str = "Which experimental parts of the language are accepted: `all`, `stable` (none \
    of them, as a server without feature flags), or a list of experimental-functions, \
    extended-range-selectors, binop-fill-modifiers";

/// Reads `all`, `stable` or a list of parts with commas between. The names of a server's
/// `--enable-feature` flag are understood.
///
/// # Errors
/// For a part that doesn't exist.
pub fn parse(text: &str) -> Result<Features, String> {
    let mut features = Features::STABLE;
    for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        let name = word.strip_prefix("promql-").unwrap_or(word);
        match name {
            "all" => features = Features::ALL,
            "stable" => {}
            // Part of the language without a switch since these flags exist.
            "duration-expr" => {}
            _ => match PARTS.iter().find(|part| part.name == name) {
                Some(part) => (part.on)(&mut features),
                None => {
                    let names: Vec<&str> = PARTS.iter().map(|part| part.name).collect();
                    return Err(format!(
                        "there is no feature `{word}`; write all, stable, or some of {}",
                        names.join(", ")
                    ));
                }
            },
        }
    }
    Ok(features)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_lists() {
        assert_eq!(parse("all"), Ok(Features::ALL));
        assert_eq!(parse("stable"), Ok(Features::STABLE));
        let fill = Features { fill_modifiers: true, ..Features::STABLE };
        assert_eq!(parse("promql-binop-fill-modifiers,promql-duration-expr"), Ok(fill));
        assert!(parse("fill").is_err());
    }
}
