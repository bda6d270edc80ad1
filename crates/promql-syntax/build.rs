//! Generates the parser from the grammar, which `src/promql.lalrpop` links to.

fn main() {
    let out = std::env::var_os("OUT_DIR").unwrap_or_default();
    println!("cargo::rerun-if-changed=src/promql.lalrpop");
    println!("cargo::rerun-if-changed=../../grammar/promql.lalrpop");
    let result = lalrpop::Configuration::new()
        .set_out_dir(out)
        .emit_rerun_directives(false)
        .process_file("src/promql.lalrpop");
    if let Err(error) = result {
        panic!("the grammar does not compile: {error}");
    }
}
