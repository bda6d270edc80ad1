//! Unit-test files: upstream's cases, our own, and the same files given to the real promtool.

use std::path::{Path, PathBuf};
use std::process::Command;

use promql_tests::binary::{promql, workspace};
use promql_tests::conformance::{Tally, files, read_json, say};
use serde_json::Value;

/// Runs the command in a folder: exit code, standard output, standard error.
fn run(folder: &Path, program: &Path, arguments: &[String]) -> (i32, String, String) {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

fn arguments(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// The real promtool, if it is there.
fn promtool() -> Option<PathBuf> {
    let folder = std::env::var_os("PROMQL_REFERENCE_BIN").map(PathBuf::from);
    let promtool = folder.map(|folder| folder.join("promtool")).filter(|path| path.is_file());
    if promtool.is_none() {
        say("no promtool in PROMQL_REFERENCE_BIN, skipping 1 comparison");
    }
    promtool
}

/// What is given to promtool for a case.
fn case_arguments(case: &Value, command: &[&str]) -> Vec<String> {
    let mut all = arguments(command);
    let texts = |field: &str| -> Vec<String> {
        let values = case[field].as_array().into_iter().flatten();
        values.filter_map(|value| value.as_str().map(str::to_owned)).collect()
    };
    texts("run").into_iter().for_each(|pattern| all.extend(["--run".to_owned(), pattern]));
    if case["ignore_unknown_fields"] == true {
        all.push("--ignore-unknown-fields".to_owned());
    }
    all.extend(texts("files"));
    all
}

#[test]
fn upstreams_cases_have_upstreams_verdicts() {
    let Some(files) = files("unittest", "cases.json") else { return };
    let promtool = promtool();
    let (mut tally, mut beside) = (Tally::default(), Tally::default());
    for path in files {
        let folder = path.parent().expect("a folder").to_path_buf();
        let file = read_json(&path);
        let cases = file["cases"].as_array().expect("cases");
        for case in cases.iter().filter(|case| case["command_line"] == true) {
            let id = case["id"].as_str().expect("id");
            let exit = case["exit"].as_i64().expect("exit");
            for words in [&["test"][..], &["test", "--strict-promtool"]] {
                let all = case_arguments(case, words);
                let (code, out, error) = run(&folder, promql(), &all);
                let outcome = if i64::from(code) == exit {
                    Ok(())
                } else {
                    Err(format!("{words:?}: exit {code}, expected {exit}\n{out}{error}"))
                };
                tally.check(id, outcome);
            }
            // What an older release doesn't know it can't be compared with.
            if let Some(promtool) = promtool.as_ref().filter(|_| case["promtool"]["agrees"] == true)
            {
                let theirs = run(&folder, promtool, &case_arguments(case, &["test", "rules"]));
                let outcome = if i64::from(theirs.0) == exit {
                    Ok(())
                } else {
                    Err(format!("promtool's exit {}, expected {exit}\n{}", theirs.0, theirs.2))
                };
                beside.check(id, outcome);
            }
        }
    }
    tally.finish("unittest");
    if promtool.is_some() {
        beside.finish("unittest beside promtool");
    }
}

fn corpus(part: &str) -> Vec<String> {
    let folder = workspace().join("corpus/unittests").join(part);
    let mut found: Vec<String> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .flatten()
        .map(|entry| format!("corpus/unittests/{part}/{}", entry.file_name().to_string_lossy()))
        .collect();
    found.sort();
    found
}

#[test]
fn what_passes_here_passes_with_promtool() {
    let promtool = promtool();
    for (part, expected) in [("passing", 0), ("failing", 1)] {
        for file in corpus(part) {
            let ours = run(workspace(), promql(), &arguments(&["test", &file]));
            assert_eq!(ours.0, expected, "{file}\n{}{}", ours.1, ours.2);
            let Some(promtool) = &promtool else { continue };
            let theirs = run(workspace(), promtool, &arguments(&["test", "rules", &file]));
            assert_eq!(theirs.0, expected, "promtool: {file}\n{}{}", theirs.1, theirs.2);
            // What is wrong with series is worded in another way.
            if !file.ends_with("series.yml") {
                let strict = arguments(&["test", "--strict-promtool", &file]);
                let strict = run(workspace(), promql(), &strict);
                assert_eq!(strict, theirs, "{file}");
            }
        }
    }
}

/// What is told about a file.
fn told(file: &str, more: &[&str]) -> String {
    let mut words = vec!["test", "--width", "100"];
    words.extend(more);
    words.push(file);
    let (code, out, error) = run(workspace(), promql(), &arguments(&words));
    format!("{out}--- standard error\n{error}--- exit {code}\n")
}

#[test]
fn failures_are_shown_with_their_places() {
    for file in corpus("failing") {
        let name = file.rsplit('/').next().unwrap_or_default().replace(".yml", "");
        insta::assert_snapshot!(format!("failing_{name}"), told(&file, &[]));
    }
    insta::assert_snapshot!("broken_keys", told("corpus/unittests/broken/keys.yml", &[]));
    insta::assert_snapshot!("traps", told("corpus/unittests/traps/traps.yml", &[]));
    let file = "corpus/unittests/failing/explained.yml";
    insta::assert_snapshot!("explained", told(file, &["--explain", "--diff"]));
    insta::assert_snapshot!("json", told(file, &["-o", "json"]));
    let file = "corpus/unittests/traps/templates.yml";
    insta::assert_snapshot!("failed_templates", told(file, &[]));
    let file = "corpus/unittests/extensions/tolerance.yml";
    insta::assert_snapshot!("tolerance", told(file, &[]));
    insta::assert_snapshot!("tolerance_strict", told(file, &["--strict-promtool"]));
}

#[test]
fn what_depends_on_the_order_of_groups_is_told() {
    for name in ["free", "meant"] {
        let file = format!("corpus/unittests/order/{name}.yml");
        insta::assert_snapshot!(format!("order_{name}"), told(&file, &[]));
        let shuffled = told(&file, &["--shuffle-groups", "9"]);
        insta::assert_snapshot!(format!("order_{name}_shuffled"), shuffled);
    }
}

#[test]
fn rule_files_are_found_in_folders_but_not_by_promtool() {
    for (name, code) in [("folders", 1), ("anywhere", 1)] {
        let file = format!("corpus/unittests/extensions/{name}.yml");
        assert!(told(&file, &[]).starts_with("ok: 1 passed in 1 file\n"), "{name}");
        let strict = arguments(&["test", "--strict-promtool", &file]);
        assert_eq!(run(workspace(), promql(), &strict).0, code, "{name}");
        let check = run(workspace(), promql(), &arguments(&["check", &file]));
        assert_eq!((check.0, &*check.1), (0, "ok: 1 rule in 2 files\n"), "{name}");
        if let Some(promtool) = promtool() {
            let theirs = run(workspace(), &promtool, &arguments(&["test", "rules", &file]));
            assert_eq!(theirs.0, code, "promtool: {name}");
        }
    }
    let tolerance = "corpus/unittests/extensions/tolerance.yml";
    for (dialect, code) in [("auto", 0), ("prometheus", 1)] {
        let words = arguments(&["check", "--dialect", dialect, tolerance]);
        assert_eq!(run(workspace(), promql(), &words).0, code, "{dialect}");
    }
}

#[test]
fn failures_are_explained_as_they_came() {
    let file = "corpus/unittests/failing/chain.yml";
    insta::assert_snapshot!("chain_explained", told(file, &["--explain"]));
    insta::assert_snapshot!("chain_diff", told(file, &["--diff", "--ascii"]));
    let words = arguments(&["test", "--explain", "-o", "json", file]);
    let json: Value =
        serde_json::from_str(&run(workspace(), promql(), &words).1).expect("one object");
    let test = &json["files"][0]["tests"][0];
    let rules = &test["alerts"][1]["explanation"]["rules"];
    let names: Vec<&str> =
        rules.as_array().expect("rules").iter().filter_map(|rule| rule["name"].as_str()).collect();
    let expected = ["ManyErrors", "job:errors:ratio", "job:errors:rate5m", "job:requests:rate5m"];
    assert_eq!(names, expected);
    let history = rules[0]["history"].as_array().expect("a history");
    let changes: Vec<(&str, f64)> = history
        .iter()
        .filter_map(|step| Some((step["change"].as_str()?, step["time"].as_f64()?)))
        .collect();
    let expected = [("pending", 180.0), ("firing", 300.0), ("kept", 540.0), ("resolved", 720.0)];
    assert_eq!(changes, expected);
    let parts = &test["expressions"][0]["explanation"]["parts"];
    assert_eq!(parts[1]["expression"], r#"job:errors:ratio{job="web"} > 0.001"#);
    assert_eq!(parts[1]["series"][0]["samples"][0][0], 240.0);
}

#[test]
fn what_is_left_behind_is_shown_as_promtool_shows_it() {
    let Some(promtool) = promtool() else { return };
    // How long a test took is another thing each time.
    let lines = |text: &str| -> Vec<String> {
        let lines = text.lines().map(|line| line.split(", took").next().unwrap_or(line).to_owned());
        lines.filter(|line| !line.is_empty()).collect()
    };
    for file in corpus("failing").into_iter().chain(corpus("passing")) {
        // What is wrong with series is worded in another way.
        if file.ends_with("series.yml") {
            continue;
        }
        let ours = arguments(&["test", "--strict-promtool", "--debug", &file]);
        let (_, out, error) = run(workspace(), promql(), &ours);
        let theirs = arguments(&["test", "rules", "--debug", &file]);
        let (_, their_out, their_error) = run(workspace(), &promtool, &theirs);
        // Ours is on standard error, as that of newer releases.
        let is_debug = |text: &str| lines(text).iter().any(|line| line.starts_with("DEBUG"));
        assert!(!is_debug(&out), "{file}: {out}");
        let own: Vec<String> = lines(&error).into_iter().chain(lines(&out)).collect();
        let mut own_sorted = own.clone();
        own_sorted.sort();
        let mut their_sorted: Vec<String> =
            lines(&their_out).into_iter().chain(lines(&their_error)).collect();
        their_sorted.sort();
        assert_eq!(own_sorted, their_sorted, "{file}");
    }
}

#[test]
fn coverage_is_told() {
    let file = |name: &str| format!("corpus/unittests/coverage/{name}");
    let little = file("little.yml");
    let unused = file("unused.yml");
    let more = ["--coverage", "--coverage-rules", &unused];
    insta::assert_snapshot!("coverage_little", told(&little, &more));
    insta::assert_snapshot!("coverage_listing", told(&little, &["--coverage-listing", "--ascii"]));
    let complete = file("complete.yml");
    insta::assert_snapshot!("coverage_complete", told(&complete, &["--coverage-min", "100%"]));
    insta::assert_snapshot!("coverage_json", told(&complete, &["--coverage", "-o", "json"]));
    let (code, out, _) =
        run(workspace(), promql(), &arguments(&["test", "--coverage-min", "50", &little]));
    assert_eq!(code, 1, "{out}");
    assert!(out.ends_with("of 78 points are exercised (46.1%), and at least 50% are asked for\n"));
    let out = told(&little, &["--coverage-min", "50", "-o", "json"]);
    assert!(out.starts_with(r#"{"success":false,"#) && out.ends_with("exit 1\n"), "{out}");
    // Tests of several files add up, in whatever order they run.
    let both = |files: [&str; 2]| {
        let words = ["test", "--coverage", "-o", "json", files[0], files[1]];
        let out = run(workspace(), promql(), &arguments(&words)).1;
        let json: Value = serde_json::from_str(&out).expect("JSON");
        json["coverage"].clone()
    };
    let shop = file("shop.yml");
    assert_eq!(both([&little, &shop]), both([&shop, &little]));
    for wrong in ["101", "-1", "much"] {
        let flag = format!("--coverage-min={wrong}");
        let words = arguments(&["test", &flag, &complete]);
        assert_eq!(run(workspace(), promql(), &words).0, 2, "{wrong}");
    }
    let none = told(&complete, &["--coverage-rules", "corpus/queries"]);
    assert!(none.contains("there is no rule file in corpus/queries"), "{none}");
}

#[test]
fn outdated_files_are_brought_up_to_date() {
    let folder = workspace().join("target/unit-tests-updated");
    for part in ["rules", "outdated"] {
        std::fs::create_dir_all(folder.join(part)).expect("a folder");
        for file in corpus(part) {
            let name = Path::new(&file).file_name().expect("a name");
            std::fs::copy(workspace().join(&file), folder.join(part).join(name)).expect("a copy");
        }
    }
    let file = "target/unit-tests-updated/outdated/orders.yml";
    insta::assert_snapshot!("updated", told(file, &["--update"]));
    insta::assert_snapshot!("up_to_date", told(file, &[]));
    let report = "target/unit-tests-updated/report.xml";
    let failing = "corpus/unittests/failing/explained.yml";
    let words = arguments(&["test", "--junit", report, file, failing]);
    assert_eq!(run(workspace(), promql(), &words).0, 1);
    let xml = std::fs::read_to_string(workspace().join(report)).expect("a report");
    let suites: Vec<&str> = xml.split("<testsuite ").skip(1).collect();
    assert!(suites[0].contains(r#"tests="1" failures="0" errors="0" skipped="0""#), "{xml}");
    assert!(suites[1].contains(r#"tests="1" failures="1" errors="0" skipped="0""#), "{xml}");
    assert!(suites[1].contains(r#"<testcase name="a slow shop"><failure>"#), "{xml}");
}
