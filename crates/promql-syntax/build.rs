//! Generates the parsers from the grammar, which `src/promql.lalrpop` links to.
//!
//! There are two from the one grammar. In the first each state is a function, which is twice as
//! fast, but what is nested in the text is nested on the stack. The second keeps its stack on the
//! heap, and takes what is nested deeply.

use std::path::{Path, PathBuf};

const GRAMMAR: &str = "src/promql.lalrpop";

fn main() {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    println!("cargo::rerun-if-changed={GRAMMAR}");
    println!("cargo::rerun-if-changed=../../grammar/promql.lalrpop");
    generate(Path::new(GRAMMAR), &out);

    let grammar = match std::fs::read_to_string(GRAMMAR) {
        Ok(grammar) => grammar,
        Err(error) => panic!("the grammar cannot be read: {error}"),
    };
    let ascent = out.join("promql_ascent.lalrpop");
    let marked = grammar.replacen("\ngrammar<", "\n#[recursive_ascent]\ngrammar<", 1);
    if let Err(error) = std::fs::write(&ascent, marked) {
        panic!("the grammar cannot be written: {error}");
    }
    generate(&ascent, &out);
}

fn generate(grammar: &Path, out: &Path) {
    let result = lalrpop::Configuration::new()
        .set_out_dir(out)
        .emit_rerun_directives(false)
        .process_file(grammar);
    if let Err(error) = result {
        panic!("the grammar does not compile: {error}");
    }
}
