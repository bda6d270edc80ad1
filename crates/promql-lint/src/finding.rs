//! What a check says.

use std::ops::Range;

use crate::check::{Check, Evidence, Severity};

/// Something that a check has found at a place of a file.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Which check.
    pub check: &'static Check,
    /// How bad it is here.
    pub severity: Severity,
    /// Why it is believed.
    pub evidence: Evidence,
    /// What is wrong, in one sentence.
    pub message: String,
    /// Places in the file. The first one is where the defect is; there is at least one.
    pub labels: Vec<Label>,
    /// Places in other files.
    pub related: Vec<Related>,
    /// What comes of it: `this alert can never fire`.
    pub consequence: Option<&'static str>,
    /// What to do.
    pub help: Option<String>,
    /// A change that does it.
    pub fix: Option<Fix>,
    /// Whether comments can't silence it.
    pub is_locked: bool,
    /// The file, by its number.
    pub file: usize,
    /// The group and the rule, by their numbers in the file and in the group.
    pub rule: Option<(usize, usize)>,
    /// What tells it from others, as a number.
    pub(crate) print: u64,
}

/// A place of the file with a few words about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// In bytes of the file.
    pub span: Range<usize>,
    /// What is there; may be empty.
    pub text: String,
}

/// A place in another file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    /// The file, by its number.
    pub file: usize,
    /// In bytes of that file.
    pub span: Range<usize>,
    /// What is there.
    pub text: String,
}

/// Whether a change may be made without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Safety {
    /// Results and rendered texts stay equal, for every content of a database.
    Safe,
    /// Results may change, to what was meant.
    Unsafe,
}

impl Safety {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Safety::Safe => "safe",
            Safety::Unsafe => "unsafe",
        }
    }
}

/// A change of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What it does, in a few words.
    pub title: String,
    /// Whether it may be made without asking.
    pub safety: Safety,
    /// What is put in place of what. The places don't overlap.
    pub edits: Vec<Edit>,
}

/// A text in place of a part of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced, in bytes of the file.
    pub span: Range<usize>,
    /// What comes there.
    pub text: String,
}

impl Finding {
    /// Where the defect is, in bytes of the file.
    pub fn span(&self) -> Range<usize> {
        self.labels.first().map_or(0..0, |label| label.span.clone())
    }

    /// What tells it from others, whatever is added around it: 16 hexadecimal digits, the same as long as
    /// the file, the rule and what is written at the place are.
    pub fn fingerprint(&self) -> String {
        format!("{:016x}", self.print)
    }

    /// The same with a few words about the place.
    pub fn label(&mut self, text: impl Into<String>) -> &mut Finding {
        if let Some(first) = self.labels.first_mut() {
            first.text = text.into();
        }
        self
    }

    /// Adds another place of the file.
    pub fn also(&mut self, span: Range<usize>, text: impl Into<String>) -> &mut Finding {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Says what comes of it.
    pub fn consequence(&mut self, text: &'static str) -> &mut Finding {
        self.consequence = Some(text);
        self
    }

    /// Says what to do.
    pub fn help(&mut self, text: impl Into<String>) -> &mut Finding {
        self.help = Some(text.into());
        self
    }

    /// Says how bad it is here. Who configured the check has the last word.
    pub fn severity(&mut self, severity: Severity) -> &mut Finding {
        self.severity = severity;
        self
    }

    /// Says why it is believed here.
    pub fn evidence(&mut self, evidence: Evidence) -> &mut Finding {
        self.evidence = evidence;
        self
    }

    /// Proposes a change, if there is one.
    pub fn fix(
        &mut self,
        safety: Safety,
        title: impl Into<String>,
        edits: Option<Vec<Edit>>,
    ) -> &mut Finding {
        self.fix = edits.map(|edits| Fix { title: title.into(), safety, edits });
        self
    }
}

/// Collects what a check says.
#[derive(Debug)]
pub struct Report<'a> {
    check: &'static Check,
    file: usize,
    rule: Option<(usize, usize)>,
    findings: &'a mut Vec<Finding>,
}

impl<'a> Report<'a> {
    /// What a check says about a rule of a file, or about no rule in particular.
    pub(crate) fn new(
        check: &'static Check,
        file: usize,
        rule: Option<(usize, usize)>,
        findings: &'a mut Vec<Finding>,
    ) -> Report<'a> {
        Report { check, file, rule, findings }
    }

    /// Adds a finding at a place of the file that is looked at.
    pub fn at(&mut self, span: Range<usize>, message: impl Into<String>) -> &mut Finding {
        self.in_file(self.file, self.rule, span, message)
    }

    /// Adds a finding at a place of any file.
    pub fn in_file(
        &mut self,
        file: usize,
        rule: Option<(usize, usize)>,
        span: Range<usize>,
        message: impl Into<String>,
    ) -> &mut Finding {
        let at = self.findings.len();
        self.findings.push(Finding {
            check: self.check,
            severity: self.check.severity,
            evidence: self.check.evidence,
            message: message.into(),
            labels: vec![Label { span, text: String::new() }],
            related: Vec::new(),
            consequence: None,
            help: None,
            fix: None,
            is_locked: false,
            file,
            rule,
            print: 0,
        });
        &mut self.findings[at]
    }
}
