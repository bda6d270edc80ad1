//! Reading and formatting a rule file of 10,000 rules. `cargo bench -p promql-tests --bench check`
//! compares the whole command with promtool.

mod generated;

use std::sync::OnceLock;

use divan::{Bencher, black_box};
use promql_rules::format::format_rules;
use promql_rules::rule_file::{LoadOptions, RuleFile, duplicates};
use promql_rules::{file_kind, yaml};

fn main() {
    divan::main();
}

fn text() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(generated::rules)
}

#[divan::bench]
fn kind() {
    black_box(file_kind(text()));
}

#[divan::bench]
fn yaml_tree(bencher: Bencher<'_, '_>) {
    bencher.bench(|| yaml::parse(text()));
}

#[divan::bench]
fn check(bencher: Bencher<'_, '_>) {
    let options = LoadOptions::default();
    bencher.bench(|| RuleFile::load("rules.yml", text().as_bytes(), &options));
}

#[divan::bench]
fn check_without_queries(bencher: Bencher<'_, '_>) {
    let options = LoadOptions { keep_queries: false, ..LoadOptions::default() };
    bencher.bench(|| RuleFile::load("rules.yml", text().as_bytes(), &options));
}

#[divan::bench]
fn find_duplicates(bencher: Bencher<'_, '_>) {
    let loaded = RuleFile::load("rules.yml", text().as_bytes(), &LoadOptions::default());
    bencher.bench(|| duplicates(&loaded.file).len());
}

#[divan::bench]
fn format(bencher: Bencher<'_, '_>) {
    bencher.bench(|| format_rules(text(), &Default::default()).map(|done| done.changed));
}
