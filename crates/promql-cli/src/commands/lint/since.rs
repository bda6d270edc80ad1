//! What was there before a change, by asking git: so that only what the change brought is told.
//!
//! The files of the commit from which the change began are looked at like those of today, and findings that
//! they have too are not told, wherever these are: a rule that was deleted may harm a file that wasn't
//! touched. Findings are told apart by their fingerprints, and a file that was renamed counts under its new
//! name.

use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use promql_lint::{Finding, Input, Outcome, Settings, lint};

use promql_rules::rule_file::{LoadOptions, RuleFile};

use super::configuration::Configurations;
use super::files;
use super::{Lint, Stop};
use crate::paths;

/// What was there before a change.
pub(super) struct Before {
    prints: HashSet<String>,
    /// The texts of rules.
    rules: HashSet<String>,
    /// The texts of files by their names.
    files: HashMap<String, Vec<u8>>,
    /// Files that the change took away.
    gone: HashSet<String>,
    /// Files that are not what they were.
    changed: HashSet<String>,
    /// Whether all is told of rules that are new or were changed, and nothing else.
    changed_only: bool,
}

/// A repository.
struct Repository {
    /// The folder of its working tree.
    root: PathBuf,
}

/// Where the files of a commit, or of the index, come from.
#[derive(Clone, Copy)]
enum Tree<'a> {
    /// A commit; nothing is before the first one.
    Commit(Option<&'a str>),
    /// What the next commit will have.
    Index,
}

impl Before {
    /// Looks at what was there before.
    ///
    /// # Errors
    /// When git doesn't know it, or a file lies in no repository.
    pub(super) fn read(
        flags: &Lint,
        configurations: &mut Configurations<'_>,
    ) -> Result<Option<Before>, Stop> {
        if flags.since.is_none() && !flags.staged {
            return Ok(None);
        }
        let repository = Repository::of(&flags.paths)?;
        let base = match &flags.since {
            Some(revision) => Some(repository.merge_base(revision)?),
            None => repository.git(&["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]).ok(),
        };
        let base = base.map(|base| String::from_utf8_lossy(&base).trim().to_owned());
        let renamed = match &base {
            Some(base) => repository.renamed(base, flags.staged)?,
            None => HashMap::new(),
        };
        let tree = Tree::Commit(base.as_deref());
        let inputs = repository.inputs(flags, tree, &renamed, configurations)?;
        let files = inputs.iter().map(|input| (input.name.clone(), input.text.clone())).collect();
        let mut before = Before {
            prints: HashSet::new(),
            rules: HashSet::new(),
            files,
            gone: HashSet::new(),
            changed: HashSet::new(),
            changed_only: flags.changed_only,
        };
        if flags.changed_only {
            for input in inputs {
                let file = RuleFile::load(&input.name, &input.text, &LoadOptions::default()).file;
                before.rules.extend(rules_of(&file).map(str::to_owned));
            }
            return Ok(Some(before));
        }
        for file in &lint(inputs, &Settings::default()).files {
            before.prints.extend(file.findings.iter().map(Finding::fingerprint));
            before.rules.extend(rules_of(&file.rules).map(str::to_owned));
        }
        Ok(Some(before))
    }

    /// Whether a rule of this text was there.
    pub(super) fn has_rule(&self, text: &str) -> bool {
        self.rules.contains(text.trim())
    }

    /// Whether there was a finding of a fingerprint.
    pub(super) fn has_finding(&self, print: &str) -> bool {
        self.prints.contains(print)
    }

    /// Tells the files what was in them. Those that the change took away come with nothing in them, so
    /// that it is known which rules went with them.
    pub(super) fn tell(
        &mut self,
        inputs: &mut Vec<Input>,
        configurations: &mut Configurations<'_>,
    ) -> Result<(), Stop> {
        for input in inputs.iter_mut() {
            input.before = self.files.remove(&input.name);
            if input.before.as_ref() != Some(&input.text) {
                self.changed.insert(input.name.clone());
            }
        }
        let mut gone: Vec<(String, Vec<u8>)> = self.files.drain().collect();
        gone.sort();
        for (name, text) in gone {
            let path = Path::new(&name);
            let mut input = configurations.of(path)?.input(name.clone(), Vec::new(), path);
            input.before = Some(text);
            inputs.push(input);
            self.gone.insert(name);
        }
        Ok(())
    }

    /// Takes out what was found before too, and files that are no more.
    pub(super) fn take_out(&self, outcome: &mut Outcome) {
        outcome.files.retain(|file| !self.gone.contains(&file.name));
        if self.changed_only {
            for file in &mut outcome.files {
                let (name, rules) = (&file.name, &file.rules);
                file.findings.retain(|finding| {
                    let rule = finding.rule;
                    let rule =
                        rule.and_then(|(group, rule)| rules.groups.get(group)?.rules.get(rule));
                    match rule.and_then(|rule| rules.text.get(rule.span.clone())) {
                        Some(text) => !self.has_rule(text),
                        // What is in no rule is about the file.
                        None => self.changed.contains(name),
                    }
                });
            }
            return;
        }
        for file in &mut outcome.files {
            file.findings.retain(|finding| !self.prints.contains(&finding.fingerprint()));
        }
    }
}

/// The texts of the rules of a file.
fn rules_of(file: &RuleFile) -> impl Iterator<Item = &str> {
    let rules = file.groups.iter().flat_map(|group| &group.rules);
    rules.filter_map(|rule| Some(file.text.get(rule.span.clone())?.trim()))
}

/// The files as the next commit will have them.
///
/// # Errors
/// When git can't say, or nothing is found.
pub(super) fn staged(
    flags: &Lint,
    configurations: &mut Configurations<'_>,
) -> Result<Vec<Input>, Stop> {
    Repository::of(&flags.paths)?.inputs(flags, Tree::Index, &HashMap::new(), configurations)
}

impl Repository {
    /// The repository of files. Without any it is that of the current folder.
    fn of(arguments: &[String]) -> Result<Repository, Stop> {
        if arguments.iter().any(|argument| argument == "-") || arguments.is_empty() {
            let text = "--since and --staged look at files of a repository: name them, or a folder";
            return Err(Stop::Usage(text.to_owned()));
        }
        let here = Repository { root: PathBuf::from(".") };
        let root = here.git(&["rev-parse", "--show-toplevel"])?;
        Ok(Repository { root: PathBuf::from(String::from_utf8_lossy(&root).trim_end()) })
    }

    /// What git answers.
    fn git(&self, arguments: &[&str]) -> Result<Vec<u8>, Stop> {
        self.git_with(arguments, None)
    }

    fn git_with(&self, arguments: &[&str], input: Option<String>) -> Result<Vec<u8>, Stop> {
        let failed = |reason: String| {
            let what = arguments.first().copied().unwrap_or_default();
            Stop::Usage(format!("git {what} failed: {reason}"))
        };
        let mut child = Command::new("git")
            .arg("-C")
            .arg(&self.root)
            .args(arguments)
            .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| failed(error.to_string()))?;
        // Git may answer before it has read all, so another thread writes.
        let stdin = child.stdin.take().zip(input);
        let writer = stdin.map(|(mut stdin, input)| {
            std::thread::spawn(move || stdin.write_all(input.as_bytes()))
        });
        let output = child.wait_with_output().map_err(|error| failed(error.to_string()))?;
        if let Some(writer) = writer {
            let _ = writer.join();
        }
        match output.status.success() {
            true => Ok(output.stdout),
            false => {
                let said = String::from_utf8_lossy(&output.stderr);
                Err(failed(said.lines().next().unwrap_or("it says nothing").trim().to_owned()))
            }
        }
    }

    /// The commit from which a branch began.
    fn merge_base(&self, revision: &str) -> Result<Vec<u8>, Stop> {
        let commit = format!("{revision}^{{commit}}");
        if self.git(&["rev-parse", "--verify", "--quiet", "--end-of-options", &commit]).is_err() {
            return Err(Stop::Usage(format!(
                "git doesn't know `{revision}`; `git fetch origin {revision}` gets it if it is a branch there"
            )));
        }
        self.git(&["merge-base", "--end-of-options", revision, "HEAD"]).map_err(|_| {
            Stop::Usage(format!(
                "git finds no commit that `{revision}` and this branch share; in a shallow clone `git fetch \
                 --unshallow` gets it"
            ))
        })
    }

    /// The new names of renamed files, by their old ones, as paths from the root.
    fn renamed(&self, base: &str, staged: bool) -> Result<HashMap<String, String>, Stop> {
        let mut arguments =
            vec!["diff", "-M", "-z", "--name-status", "--diff-filter=R", base, "--"];
        if staged {
            arguments.insert(1, "--cached");
        }
        let said = self.git(&arguments)?;
        let said = String::from_utf8_lossy(&said);
        let mut words = said.split('\0');
        let mut renamed = HashMap::new();
        while let (Some(_), Some(old), Some(new)) = (words.next(), words.next(), words.next()) {
            renamed.insert(old.to_owned(), new.to_owned());
        }
        Ok(renamed)
    }

    /// The files of a tree that the arguments name.
    fn inputs(
        &self,
        flags: &Lint,
        tree: Tree<'_>,
        renamed: &HashMap<String, String>,
        configurations: &mut Configurations<'_>,
    ) -> Result<Vec<Input>, Stop> {
        let listed = match tree {
            Tree::Commit(None) => return Ok(Vec::new()),
            Tree::Commit(Some(commit)) => {
                self.git(&["ls-tree", "-r", "-z", "--name-only", "--full-tree", commit])?
            }
            Tree::Index => self.git(&["ls-files", "-z", "--cached", "--full-name"])?,
        };
        let listed = String::from_utf8_lossy(&listed);
        let listed = listed.split('\0').filter(|path| !path.is_empty() && !path.contains('\n'));
        let wanted: Vec<Wanted<'_>> = flags
            .paths
            .iter()
            .map(|argument| Wanted::new(argument, &self.root))
            .collect::<Result<_, _>>()?;
        let mut found = Vec::new();
        for path in listed {
            let new = renamed.get(path).map_or(path, String::as_str);
            let how = wanted.iter().filter_map(|wanted| wanted.takes(new));
            let how = how.max_by_key(|(is_named, _)| *is_named);
            found.extend(how.map(|(is_named, shown)| (path, shown, is_named)));
        }
        let front = match tree {
            Tree::Commit(commit) => commit.unwrap_or_default(),
            Tree::Index => "",
        };
        let asked: String = found.iter().map(|(path, _, _)| format!("{front}:{path}\n")).collect();
        let texts = objects(&self.git_with(&["cat-file", "--batch"], Some(asked))?);
        let mut inputs = Vec::new();
        for ((_, path, is_named), text) in found.into_iter().zip(texts) {
            let here = configurations.of(&path)?;
            // What is missing, as a submodule, is no file.
            let Some(text) = text else { continue };
            if !is_named && (here.excludes(&path) || !files::has_queries_in(&text)) {
                continue;
            }
            inputs.push(here.input(path.display().to_string(), text, &path));
        }
        Ok(inputs)
    }
}

/// The files that an argument names, by paths from the root of the repository.
struct Wanted<'a> {
    argument: &'a str,
    path: String,
    pattern: Option<glob::Pattern>,
}

impl<'a> Wanted<'a> {
    fn new(argument: &'a str, root: &Path) -> Result<Wanted<'a>, Stop> {
        let whole = std::path::absolute(argument).unwrap_or_else(|_| PathBuf::from(argument));
        let whole = paths::cleaned(&whole);
        let root_here = root.canonicalize().unwrap_or_else(|_| root.to_path_buf());
        // The root that git names has no links in it; the path may have some.
        let inner = whole.strip_prefix(root).or_else(|_| whole.strip_prefix(&root_here));
        let inner = match inner {
            Ok(inner) => inner.to_path_buf(),
            Err(_) => {
                let real = whole.canonicalize().ok();
                let inner =
                    real.and_then(|real| Some(real.strip_prefix(&root_here).ok()?.to_path_buf()));
                inner.ok_or_else(|| {
                    Stop::Usage(format!("`{argument}` is not in the repository of this folder"))
                })?
            }
        };
        let path = inner.display().to_string().replace('\\', "/");
        let pattern = glob::Pattern::new(&path).ok().filter(|_| path.contains(['*', '?', '[']));
        Ok(Wanted { argument, path, pattern })
    }

    /// Whether a path from the root is named, or lies in a folder that is; and what it is called as the
    /// argument has it. Nothing if neither.
    fn takes(&self, path: &str) -> Option<(bool, PathBuf)> {
        let options = glob::MatchOptions { require_literal_separator: true, ..Default::default() };
        let named = Path::new(self.argument);
        if path == self.path {
            return Some((true, named.to_path_buf()));
        }
        if self.pattern.as_ref().is_some_and(|pattern| pattern.matches_with(path, options)) {
            // The front of the argument without patterns is a folder that both have.
            let is_plain = |part: &&str| !part.contains(['*', '?', '[']);
            let plain = self.path.split('/').take_while(is_plain).count();
            let patterns = self.path.split('/').count() - plain;
            let folder = named.ancestors().nth(patterns).unwrap_or(Path::new(""));
            return Some((true, folder.join(path.split('/').skip(plain).collect::<PathBuf>())));
        }
        let below = match self.path.as_str() {
            "" => Some(path),
            folder => path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')),
        };
        let is_hidden = |below: &str| below.split('/').any(|part| part.starts_with('.'));
        let below = below.filter(|below| !is_hidden(below) && paths::is_yaml(Path::new(below)))?;
        Some((false, named.join(below)))
    }
}

/// The contents that `git cat-file --batch` gives, in order; nothing for what there is not.
fn objects(said: &[u8]) -> Vec<Option<Vec<u8>>> {
    let mut rest = said;
    let mut found = Vec::new();
    while let Some(end) = memchr::memchr(b'\n', rest) {
        let head = String::from_utf8_lossy(&rest[..end]).into_owned();
        rest = &rest[end + 1..];
        let mut words = head.rsplit(' ');
        let (size, kind) = (words.next().unwrap_or_default(), words.next());
        let Some(size) = size.parse::<usize>().ok().filter(|size| *size < rest.len()) else {
            found.push(None);
            continue;
        };
        found.push((kind == Some("blob")).then(|| rest[..size].to_vec()));
        rest = rest.get(size + 1..).unwrap_or_default();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_are_taken_apart() {
        let said = b"1f blob 4\na\nb\n\nHEAD:x missing\n2e tree 1\nx\n3d blob 0\n\n";
        let expected = [Some(b"a\nb\n".to_vec()), None, None, Some(Vec::new())];
        assert_eq!(objects(said), expected);
        assert_eq!(objects(b""), []);
    }
}
