//! `promql lint --since` and `--staged` on repositories that are made here.

#![allow(clippy::unwrap_used, reason = "a test that fails")]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use promql_tests::binary;
use promql_tests::conformance::say;

/// A repository that is gone with this.
struct Repository(PathBuf);

impl Repository {
    /// A repository with one commit on `main`; nothing if there is no git.
    fn new(name: &str, files: &[(&str, &str)]) -> Option<Repository> {
        if Command::new("git").arg("--version").output().is_err() {
            say("there is no git: what changed is not looked at");
            return None;
        }
        let path = std::env::temp_dir().join(format!("promql-since-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        let repository = Repository(path);
        repository.git(&["init", "--quiet", "--initial-branch", "main"]);
        if !files.is_empty() {
            files.iter().for_each(|(name, text)| repository.write(name, text));
            repository.commit();
        }
        Some(repository)
    }

    fn git(&self, arguments: &[&str]) {
        let output = Command::new("git")
            .args([
                "-c",
                "user.name=A",
                "-c",
                "user.email=a@example.com",
                "-c",
                "commit.gpgsign=false",
            ])
            .args(arguments)
            .current_dir(&self.0)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "x"]);
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// What `promql lint -o concise` says, in a folder of the repository.
    fn lint_in(&self, folder: &str, arguments: &[&str]) -> String {
        let output = Command::new(binary::promql())
            .args(["lint", "-o", "concise"])
            .args(arguments)
            .current_dir(self.0.join(folder))
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        let code = output.status.code().unwrap_or(-1);
        format!("{}{errors}exit code {code}\n", String::from_utf8_lossy(&output.stdout))
    }

    fn lint(&self, arguments: &[&str]) -> String {
        self.lint_in(".", arguments)
    }
}

impl Drop for Repository {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const HEAD: &str = "groups:\n- name: shop\n  rules:\n";
const OLD: &str = "  - {record: 'job:old:sum', expr: 'sum by (job) (old{a=~\"b\"})'}\n";
const NEW: &str = "  - {record: 'job:new:sum', expr: 'sum by (job) (new{a=~\"b\"})'}\n";
const READER: &str = "  - {record: 'job:read:sum', expr: 'sum by (job) (job:old:sum)'}\n";
const OTHER: &str = "  - {record: 'job:other:sum', expr: 'sum by (job) (other)'}\n";

const FINE: &str = "exit code 0\n";

#[test]
fn only_what_a_branch_brings_is_told() {
    let old = format!("{HEAD}{OLD}{OTHER}");
    let reader = format!("{}{READER}", HEAD.replace("shop", "reader"));
    let files = [("rules/a.yml", old.as_str()), ("rules/b.yml", &reader), ("notes.txt", "x")];
    let Some(repository) = Repository::new("branch", &files) else { return };
    let since = &["--since", "main", "rules"];
    let all = repository.lint(&["rules"]);
    assert!(all.contains("regex-literal"), "{all}");
    assert_eq!(repository.lint(since), FINE);

    repository.git(&["checkout", "--quiet", "-b", "branch"]);
    // What stands elsewhere now was there before.
    repository.write("rules/a.yml", &format!("# moved\n\n{HEAD}{OTHER}{OLD}"));
    assert_eq!(repository.lint(since), FINE);
    // What is not committed yet counts.
    repository.write("rules/a.yml", &format!("{HEAD}{OLD}{NEW}{OTHER}"));
    let told = "rules/a.yml:5:54: warning[M001] regex-literal: the regular expression matches one text only\n";
    assert_eq!(repository.lint(since), format!("{told}{FINE}"));
    repository.commit();
    assert_eq!(repository.lint(since), format!("{told}{FINE}"));
    assert_eq!(repository.lint(&["--since", "main", "rules/b.yml"]), FINE);
    assert_eq!(repository.lint(&["--since", "main", "rules/*.yml"]), format!("{told}{FINE}"));
    assert_eq!(
        repository.lint_in("rules", &["--since", "main", "a.yml"]).replace("a.yml", "rules/a.yml"),
        format!("{told}{FINE}")
    );
    assert_eq!(repository.lint(&["--since", "HEAD", "rules"]), FINE);
    let strict = repository.lint(&["--since", "main", "--fail-on", "warning", "rules"]);
    assert_eq!(strict, format!("{told}exit code 1\n"));

    // A commit that main got meanwhile is not a change of the branch.
    repository.git(&["checkout", "--quiet", "main"]);
    repository.write("rules/c.yml", &format!("{}{NEW}", HEAD.replace("shop", "c")));
    repository.commit();
    repository.git(&["checkout", "--quiet", "branch"]);
    assert_eq!(repository.lint(since), format!("{told}{FINE}"));

    // A rename brings nothing.
    repository.git(&["mv", "rules/a.yml", "rules/z.yml"]);
    let renamed = told.replace("a.yml", "z.yml");
    assert_eq!(repository.lint(since), format!("{renamed}{FINE}"));

    // A rule that is gone harms another file.
    repository.git(&["mv", "rules/z.yml", "rules/a.yml"]);
    repository.write("rules/a.yml", &format!("{HEAD}{OTHER}"));
    let said = repository.lint(since);
    assert!(said.contains("rules/b.yml:4:") && said.contains("removed-rule-still-used"), "{said}");
    assert!(!said.contains("recording-missing") && !said.contains("a.yml"), "{said}");
    repository.git(&["rm", "--quiet", "--force", "rules/a.yml"]);
    let said = repository.lint(since);
    assert!(said.contains("rules/b.yml:4:") && said.contains("removed-rule-still-used"), "{said}");
    assert_eq!(said.lines().count(), 2, "{said}");
}

#[test]
fn what_is_staged_counts_as_it_is_staged() {
    let old = format!("{HEAD}{OLD}");
    let Some(repository) = Repository::new("staged", &[("a.yml", &old)]) else { return };
    let both = format!("{HEAD}{OLD}{NEW}");
    assert_eq!(repository.lint(&["--staged", "."]), FINE);
    repository.write("a.yml", &both);
    assert_eq!(repository.lint(&["--staged", "."]), FINE, "nothing is staged");
    repository.git(&["add", "a.yml"]);
    repository.write("a.yml", "groups: [\n");
    let said = repository.lint(&["--staged", "."]);
    assert!(said.contains("a.yml:5:") && said.contains("regex-literal"), "{said}");
    assert_eq!(said.lines().count(), 2, "{said}");

    let Some(fresh) = Repository::new("fresh", &[]) else { return };
    fresh.write("a.yml", &old);
    fresh.git(&["add", "a.yml"]);
    let said = fresh.lint(&["--staged", "."]);
    assert!(said.contains("regex-literal"), "all of the first commit is new: {said}");
}

#[test]
fn what_git_does_not_know_is_said() {
    let old = format!("{HEAD}{OLD}");
    let Some(repository) = Repository::new("unknown", &[("a.yml", &old)]) else { return };
    let unknown = "error: git doesn't know `nowhere`; `git fetch origin nowhere` gets it if it is a branch there\nexit code 2\n";
    assert_eq!(repository.lint(&["--since", "nowhere", "."]), unknown);
    assert!(repository.lint(&["--since", "--help", "."]).ends_with("exit code 2\n"));
    let said = repository.lint(&["--since", "main", "/"]);
    assert_eq!(said, "error: `/` is not in the repository of this folder\nexit code 2\n");
    assert!(repository.lint(&["--since", "main", "-"]).contains("name them"));
    repository.git(&["checkout", "--quiet", "--orphan", "other"]);
    repository.write("b.yml", &old);
    repository.commit();
    let said = repository.lint(&["--since", "main", "."]);
    assert!(said.contains("git fetch --unshallow") && said.ends_with("exit code 2\n"), "{said}");
}

/// The hooks for pre-commit, each run as pre-commit runs it: with the files of a commit, or without.
#[test]
fn hooks_do_what_they_say() {
    let old = format!("{HEAD}{OLD}");
    let Some(repository) = Repository::new("hooks", &[("a.yml", &old)]) else { return };
    let text = fs::read_to_string(binary::workspace().join(".pre-commit-hooks.yaml")).unwrap();
    let mut run = Vec::new();
    for hook in text.split("\n- id: ").skip(1) {
        let value = |key: &str| {
            let line = hook.lines().find_map(|line| line.trim().strip_prefix(key));
            line.map(str::trim).unwrap_or_default()
        };
        let id = hook.lines().next().unwrap().trim();
        let mut words: Vec<&str> = value("entry:").split(' ').collect();
        assert_eq!(words.remove(0), "promql");
        if value("pass_filenames:") != "false" {
            words.push("a.yml");
        }
        repository.write("a.yml", &format!("{HEAD}{OLD}{NEW}"));
        repository.git(&["add", "a.yml"]);
        let program = binary::promql();
        let output =
            Command::new(program).args(&words).current_dir(&repository.0).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(0), "{id}: {said}");
        let file = fs::read_to_string(repository.0.join("a.yml")).unwrap();
        match id {
            "promql-lint" => assert!(said.contains("2 warnings"), "{said}"),
            "promql-lint-staged" => assert!(said.contains("1 warning in"), "{said}"),
            "promql-lint-fix" => assert!(file.contains("old{a=\"b\"}"), "{file}"),
            _ => assert!(id == "promql-fmt" && file.contains("job:old:sum"), "{id}: {file}"),
        }
        run.push(id);
    }
    assert_eq!(run, ["promql-lint", "promql-lint-fix", "promql-lint-staged", "promql-fmt"]);
}

/// The hook of the book lets a commit through, or not.
#[cfg(unix)]
#[test]
fn the_hook_of_the_book_keeps_commits_back() {
    use std::os::unix::fs::PermissionsExt;

    let old = format!("{HEAD}{OTHER}");
    let Some(repository) = Repository::new("book", &[("rules/a.yml", &old)]) else { return };
    let page = binary::workspace().join("docs/src/how-to/lint-in-ci.md");
    let page = fs::read_to_string(page).unwrap();
    let start = page.find("#!/bin/sh").unwrap();
    let script = &page[start..start + page[start..].find("```").unwrap()];
    repository.write(".git/hooks/pre-commit", script);
    let hook = repository.0.join(".git/hooks/pre-commit");
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    let commit = || {
        let folder = binary::promql().parent().unwrap().to_path_buf();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let paths = [folder].into_iter().chain(std::env::split_paths(&path));
        Command::new("git")
            .args([
                "-c",
                "user.name=A",
                "-c",
                "user.email=a@example.com",
                "-c",
                "commit.gpgsign=false",
            ])
            .args(["commit", "--quiet", "--all", "--message", "x"])
            .current_dir(&repository.0)
            .env("PATH", std::env::join_paths(paths).unwrap())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .unwrap()
            .status
            .success()
    };
    repository.write("rules/a.yml", &format!("{HEAD}{OTHER}{NEW}"));
    assert!(!commit(), "the hook finds something");
    repository.write("rules/a.yml", &format!("{HEAD}{OTHER}{}", NEW.replace("=~", "=")));
    assert!(commit(), "the hook finds nothing");
}

#[test]
fn a_configuration_to_begin_with() {
    let old = format!("{HEAD}{OLD}");
    let Some(repository) = Repository::new("init", &[("a.yml", &old)]) else { return };
    let said = repository.lint(&["--init"]);
    let told = "promql.toml is written, and promql-baseline.toml with 1 finding of today\n";
    assert_eq!(said, format!("{told}{FINE}"));
    assert_eq!(repository.lint(&["."]), FINE, "the configuration can be read, and all is known");
    let text = fs::read_to_string(repository.0.join("promql.toml")).unwrap();
    let whole: String = text
        .lines()
        .map(|line| {
            // What is explained in comments is right too.
            let line = line
                .strip_prefix("# ")
                .filter(|l| l.starts_with("[[") || l.contains(" = "))
                .unwrap_or(line);
            format!("{line}\n")
        })
        .collect();
    let folder = repository.0.join("other");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("promql.toml"), whole.replace("prometheus-config", "# ")).unwrap();
    fs::write(folder.join("b.yml"), format!("{HEAD}{OTHER}")).unwrap();
    assert_eq!(repository.lint(&["other"]), FINE);
    let again = repository.lint(&["--init"]);
    assert_eq!(again, "error: there is a promql.toml here already; it is as it was\nexit code 2\n");
}

#[test]
fn only_changed_rules_are_told_with_all_that_is_found_in_them() {
    let old = format!("{HEAD}{OLD}{OTHER}");
    let reader = format!("{}{READER}", HEAD.replace("shop", "reader"));
    let Some(repository) = Repository::new("only", &[("a.yml", &old), ("b.yml", &reader)]) else {
        return;
    };
    repository.git(&["switch", "--quiet", "--create", "work"]);
    // A rule that is changed has what it had before, and another one a finding because of it.
    let changed = OLD.replace("job:old:sum", "job:older:sum");
    repository.write("a.yml", &format!("# moved\n{HEAD}{OTHER}{changed}"));
    let select = ["--select", "M001,G005,G006,H001"];
    let since = |more: &[&str]| {
        let arguments = ["--since", "main"].iter().chain(&select).chain(more).copied();
        repository.lint(&arguments.chain(["."]).collect::<Vec<_>>())
    };
    let all = since(&[]);
    assert!(all.contains("b.yml:4:") && all.contains("[M001]"), "{all}");
    let only = since(&["--changed-only"]);
    assert!(!only.contains("b.yml") && only.contains("a.yml:6:"), "{only}");
    // What was wrong with the rule before is told, too.
    let touched = OLD.replace("sum by (job)", "sum without (pod)");
    repository.write("a.yml", &format!("{HEAD}{touched}{OTHER}"));
    assert!(!since(&[]).contains("M001"));
    assert!(since(&["--changed-only"]).contains("a.yml:4:"));
    // Of what is in no rule, what is in a file that changed.
    repository.write("a.yml", &format!("{old}# promql: ignore-file\n# promql: nothing\n"));
    let odd = ["--since", "main", "--changed-only", "--select", "H005", "."];
    repository.write("b.yml", &reader);
    assert!(repository.lint(&odd).contains("a.yml"));
    let said = repository.lint(&["--changed-only", "."]);
    assert_eq!(
        said,
        "error: --changed-only needs to know since when: --since REV, or --staged\nexit code 2\n"
    );
}
