//! From the documents of a file to its groups.

use std::collections::{HashSet, VecDeque};
use std::ops::Range;

use rayon::prelude::*;

use super::dialect::{Level, keys, recognise};
use super::group::Context;
use super::{Dialect, Group, LoadOptions, Loaded, RuleFile, group, parts, rule};
use crate::finding::Finding;
use crate::yaml::{self, Document, Flavour, Node, Reader, Shape, Stream};

impl RuleFile {
    /// Reads a rule file. `name` is what it is called in diagnostics.
    ///
    /// All that is wrong or odd is in the findings; what could be read is in the file, also if
    /// something is wrong.
    pub fn load(name: &str, text: &[u8], options: &LoadOptions) -> Loaded {
        let text = match utf8(text) {
            Ok(text) => text,
            Err(fault) => {
                let (text, finding) = *fault;
                return Loaded { file: empty(name, &text, options), findings: vec![finding] };
            }
        };
        let mut reader = reader(text, options);
        let Some(parts) = parts::read(options, &mut reader) else {
            return RuleFile::load_whole(name, text, options);
        };
        let mut findings = reader.into_findings();
        findings.extend(parts.findings);
        let mut file = empty(name, text, options);
        file.dialect = parts.dialect;
        file.groups = parts.groups;
        Loaded { file, findings }
    }

    /// Reads a rule file, with the tree of all of it at once.
    pub(super) fn load_whole(name: &str, text: &str, options: &LoadOptions) -> Loaded {
        let mut file = empty(name, text, options);
        let stream = yaml::parse_list(text, "groups");
        let mut loader = Loader {
            reader: reader(text, options),
            options,
            dialect: file.dialect,
            groups: Vec::new(),
            rules: Vec::new(),
        };
        loader.stream(&stream);
        file.dialect = loader.dialect;
        file.groups = loader.groups;
        // What is wrong with the YAML comes first, as upstream looks no further then.
        let mut findings = loader.reader.into_findings();
        findings.extend(loader.rules);
        Loaded { file, findings }
    }
}

fn reader<'a>(text: &'a str, options: &LoadOptions) -> Reader<'a> {
    Reader::new(text, Flavour::Rules).ignoring_unknown_keys(options.ignore_unknown_keys)
}

/// A file of which nothing was read.
fn empty(name: &str, text: &str, options: &LoadOptions) -> RuleFile {
    RuleFile {
        name: name.to_owned(),
        text: text.into(),
        dialect: options.dialect.unwrap_or(Dialect::Prometheus),
        groups: Vec::new(),
    }
}

/// A text that is UTF-8; or as much of it as can be shown, with what is wrong.
fn utf8(text: &[u8]) -> Result<&str, Box<(String, Finding)>> {
    std::str::from_utf8(text).map_err(|error| {
        let start = error.valid_up_to();
        let finding = Finding::error(
            "yaml::not-utf8",
            start..start + '\u{fffd}'.len_utf8(),
            "the file is not UTF-8",
            "these bytes are not UTF-8",
            "convert the file to UTF-8",
        );
        let finding = finding.with_upstream("yaml: invalid leading UTF-8 octet");
        Box::new((String::from_utf8_lossy(text).into_owned(), finding))
    })
}

/// Up to so many rules aren't worth a thread.
const FEW_RULES: usize = 32;

/// What a document holds.
enum Contents<'n, 't> {
    /// Groups below `groups`.
    Plain(&'n Node<'t>),
    /// A Kubernetes object with rules.
    Manifest(&'n Node<'t>, Dialect),
    /// A list of Kubernetes objects.
    List(&'n Node<'t>),
    /// A Kubernetes object of another kind.
    Foreign(&'n Node<'t>),
    /// What a jsonnet mixin gives: files of groups below keys.
    Mixin(&'n Node<'t>),
}

/// The keys below which mixins have groups.
const MIXIN_KEYS: [&str; 2] = ["prometheusAlerts", "prometheusRules"];

impl<'n, 't> Contents<'n, 't> {
    fn of(node: &'n Node<'t>) -> Contents<'n, 't> {
        let kind = node.get("kind").and_then(Node::text);
        if let (Some(kind), Some(_)) = (kind, node.get("apiVersion").and_then(Node::text)) {
            return match kind {
                "PrometheusRule" => Contents::Manifest(node, Dialect::Operator),
                "VMRule" => Contents::Manifest(node, Dialect::Vmalert),
                "List" | "PrometheusRuleList" | "VMRuleList" => Contents::List(node),
                _ => Contents::Foreign(node),
            };
        }
        if node.get("groups").is_none() && MIXIN_KEYS.iter().any(|key| node.get(key).is_some()) {
            return Contents::Mixin(node);
        }
        Contents::Plain(node)
    }

    fn is_object(&self) -> bool {
        matches!(self, Contents::Manifest(..) | Contents::List(_) | Contents::Foreign(_))
    }
}

/// Whether a document is a plain rule file, and nothing around one.
pub(super) fn is_plain(root: &Node<'_>) -> bool {
    matches!(Contents::of(root), Contents::Plain(_)) && root.get("kind").is_none()
}

/// The outermost keys of a rule file.
pub(super) fn file_shape<'k>(keys: &'k [&'static str]) -> Shape<'k> {
    Shape { upstream: "rulefmt.RuleGroups", noun: "rule file", keys }
}

/// The mappings with `groups` in a document: itself, the `spec` of manifests, the parts of a mixin.
pub(crate) fn group_holders<'n, 't>(root: &'n Node<'t>) -> Vec<&'n Node<'t>> {
    match Contents::of(root) {
        Contents::Plain(node) => vec![node],
        Contents::Manifest(node, _) => node.get("spec").into_iter().collect(),
        Contents::List(node) => {
            let items = node.get("items").map_or(&[][..], Node::items);
            items.iter().flat_map(group_holders).collect()
        }
        Contents::Foreign(_) => Vec::new(),
        Contents::Mixin(node) => MIXIN_KEYS.iter().filter_map(|key| node.get(key)).collect(),
    }
}

struct Loader<'a, 'o> {
    reader: Reader<'a>,
    options: &'o LoadOptions,
    /// The dialect of the file.
    dialect: Dialect,
    groups: Vec<Group>,
    /// What is wrong with groups and rules.
    rules: Vec<Finding>,
}

impl Loader<'_, '_> {
    fn stream(&mut self, stream: &Stream<'_>) {
        let contents = |document: &Document<'_>| {
            document.root.as_ref().is_some_and(|root| Contents::of(root).is_object())
        };
        let takes_objects = matches!(self.options.dialect, None | Some(Dialect::Operator));
        let has_objects = takes_objects && stream.documents.iter().any(contents);
        let mut documents = stream.documents.iter();
        let Some(first) = documents.next() else {
            return self.error(stream);
        };
        self.document(first);
        if has_objects || self.dialect == Dialect::Vmalert {
            documents.for_each(|document| self.document(document));
            return self.error(stream);
        }
        // Upstream doesn't even look whether the rest is YAML.
        let next = documents.next().and_then(|document| document.separator.clone());
        let broken = stream.error.as_ref().map(|fault| fault.span.clone());
        if let Some(span) = next.or(broken) {
            let finding = Finding::error(
                "rules::several-documents",
                span,
                "only the first document of a rule file is used",
                "from here on nothing is read",
                "put all groups below one `groups`, or each document into a file of its own",
            );
            self.reader.add(finding.warning());
        }
    }

    /// Remembers why the file could not be read to its end.
    fn error(&mut self, stream: &Stream<'_>) {
        let Some(fault) = &stream.error else { return };
        match chart(self.reader.file()) {
            None => self.reader.fault(fault),
            Some(span) => {
                let upstream = format!(
                    "yaml: line {}: did not find expected node content",
                    self.reader.line(fault.span.start)
                );
                let finding = Finding::error(
                    "yaml::chart",
                    span,
                    "this is the source of a Helm chart, which is not YAML yet",
                    "filled in by Helm",
                    "check what Helm makes of it: `helm template CHART | promql check -`",
                );
                self.reader.add(finding.with_upstream(upstream));
            }
        }
    }

    fn document(&mut self, document: &Document<'_>) {
        self.reader.document(document);
        if let Some(root) = &document.root {
            self.contents(root);
        }
    }

    fn contents(&mut self, root: &Node<'_>) {
        let takes_wrappers = matches!(self.options.dialect, None | Some(Dialect::Operator));
        if !takes_wrappers {
            return self.plain(root);
        }
        match Contents::of(root) {
            Contents::Manifest(node, dialect) => {
                self.dialect = dialect;
                let Some(spec) = node.get("spec") else { return };
                let keys = keys(Level::File, dialect);
                let shape = Shape { upstream: "rulefmt.RuleGroups", noun: "spec", keys: &keys };
                self.file(spec, &shape, dialect);
            }
            Contents::List(node) => {
                let items = node.get("items").map_or(&[][..], Node::items);
                items.iter().for_each(|item| self.contents(item));
            }
            Contents::Foreign(node) => self.foreign(node),
            Contents::Mixin(node) => {
                for entry in node.entries() {
                    if entry.key.text().is_some_and(|key| MIXIN_KEYS.contains(&key)) {
                        self.plain(&entry.value);
                    }
                }
            }
            Contents::Plain(node) if self.options.dialect == Some(Dialect::Operator) => {
                let finding = Finding::error(
                    "rules::no-manifest",
                    node.span.start..node.span.start,
                    "this is no Kubernetes object of the kind PrometheusRule",
                    "`apiVersion` and `kind` are missing",
                    "leave out `--dialect operator` to read plain rule files",
                );
                self.rules.push(finding);
            }
            Contents::Plain(node) => self.plain(node),
        }
    }

    fn foreign(&mut self, node: &Node<'_>) {
        let Some(kind) = node.get("kind") else { return };
        let name = kind.text().unwrap_or_default();
        let is_loki =
            node.get("apiVersion").and_then(Node::text).is_some_and(|v| v.contains("loki"));
        let reason = if is_loki { ": its rules are LogQL" } else { "" };
        let finding = Finding::error(
            "rules::skipped-object",
            kind.span.clone(),
            format!("an object of the kind {name} is skipped{reason}"),
            "not a kind with rules for Prometheus",
            "",
        );
        self.rules.push(finding.remark());
    }

    /// A file that is nothing but groups.
    fn plain(&mut self, root: &Node<'_>) {
        let dialect = match self.options.dialect {
            Some(dialect) => dialect,
            // Of the documents of a file the first tells.
            None if self.dialect == Dialect::Vmalert => Dialect::Vmalert,
            None => self.recognised(root),
        };
        self.dialect = dialect;
        let keys = keys(Level::File, dialect);
        self.file(root, &file_shape(&keys), dialect);
    }

    /// The dialect of a file by its keys. That a server would refuse it is worth a remark.
    fn recognised(&mut self, root: &Node<'_>) -> Dialect {
        let (dialect, key) = recognise(root);
        if let Some(key) = key.filter(|_| !self.options.ignore_unknown_keys) {
            let word = key.text().unwrap_or_default();
            let system = dialect.system();
            let finding = Finding::error(
                "rules::dialect",
                key.span.clone(),
                format!("read as a file of {system}, which has the key `{word}`"),
                "a Prometheus server refuses this key",
                format!(
                    "`--dialect {dialect}` says so without this remark, `--dialect prometheus` \
                     refuses the key"
                ),
            );
            self.rules.push(finding.remark());
        }
        dialect
    }

    /// What holds `groups`.
    fn file(&mut self, node: &Node<'_>, shape: &Shape<'_>, dialect: Dialect) {
        let Some(fields) = self.reader.fields(node, shape) else { return };
        self.hint_at_wrapper(node);
        let Some(groups) = fields.get("groups") else { return };
        let nodes = self.reader.items(groups, "groups", "[]rulefmt.RuleGroup");
        let context = Context::new(self.options, dialect);
        let mut heads = Vec::with_capacity(nodes.len());
        for node in nodes {
            heads.extend(group::read(node, &context, &mut self.reader));
        }
        self.rules(heads, &context);
    }

    /// The rules of groups, which may be many, on several threads.
    fn rules(&mut self, heads: Vec<group::Head<'_, '_>>, context: &Context<'_>) {
        let jobs: Vec<rule::Job<'_, '_>> = heads.iter().flat_map(group::Head::jobs).collect();
        let reader = &self.reader;
        let read = |job: &rule::Job<'_, '_>| {
            let mut reader = reader.sibling();
            let outcome = rule::read(job, context, &mut reader);
            (outcome, reader.into_findings())
        };
        let mut outcomes: VecDeque<(rule::Outcome, Vec<Finding>)> = match jobs.len() > FEW_RULES {
            true => jobs.par_iter().with_min_len(FEW_RULES).map(read).collect(),
            false => jobs.iter().map(read).collect(),
        };
        let mut names = HashSet::new();
        for head in heads {
            let group::Head { mut group, rules, findings } = head;
            self.rules.extend(group::repeated_name(&group, &mut names));
            self.rules.extend(findings);
            group.rules.reserve(rules.len());
            for (outcome, yaml) in outcomes.drain(..rules.len()) {
                self.reader.extend(yaml);
                self.rules.extend(outcome.findings);
                group.rules.extend(outcome.rule);
            }
            group::check_rules(&group, context, &mut self.rules);
            self.groups.push(group);
        }
    }

    /// Says what to do about a manifest when only a plain file is taken.
    fn hint_at_wrapper(&mut self, node: &Node<'_>) {
        if let Some(kind) = node.get("kind").filter(|kind| kind.text() == Some("PrometheusRule")) {
            let finding = Finding::error(
                "rules::manifest",
                kind.span.clone(),
                "this is a Kubernetes object; its rules are below `spec`, where a server doesn't look",
                "an object for the Prometheus operator",
                "`--dialect operator`, or no `--dialect`, reads the rules of such objects",
            );
            self.rules.push(finding.warning());
        }
    }
}

/// Where a file looks like the source of a Helm chart: `{{` at the front of a line, or something
/// that only Helm knows within it.
fn chart(text: &str) -> Option<Range<usize>> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at + line.len() - line.trim_start().len();
        let code = line.trim();
        at += line.len();
        let is_control = code.starts_with("{{-")
            || ["if ", "range ", "with ", "end", "include ", "define ", "template ", "/*"]
                .iter()
                .any(|word| {
                    code.strip_prefix("{{").is_some_and(|c| c.trim_start().starts_with(word))
                });
        let is_value = [".Values.", ".Release.", ".Chart.", "include \""].iter().any(|word| {
            code.split("{{")
                .skip(1)
                .any(|part| part.split("}}").next().is_some_and(|p| p.contains(word)))
        });
        if is_control || is_value {
            return Some(start..start + code.len());
        }
    }
    None
}
