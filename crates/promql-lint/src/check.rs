//! What a check says about itself.

use std::fmt;

use crate::context::{ExprContext, GroupContext, RuleContext, RuleSet, TargetContext};
use crate::finding::Report;
use crate::live::LiveContext;

/// A check: what it is called, how bad its findings are, how it looks.
#[derive(Debug)]
pub struct Check {
    /// The name that users write, in kebab case; it names the defect.
    pub name: &'static str,
    /// The letter of the category and three digits. Never used again for another check.
    pub code: &'static str,
    /// How bad a finding is unless somebody says otherwise.
    pub severity: Severity,
    /// Whether it looks unless somebody says otherwise.
    pub is_on: bool,
    /// Why a finding is believed.
    pub evidence: Evidence,
    /// Whether it proposes a change.
    pub fixes: Fixes,
    /// What it finds, why that matters, and examples: Markdown. The first paragraph is the summary.
    pub docs: &'static str,
    /// The source file, relative to the workspace.
    pub source: &'static str,
    /// How it looks.
    pub look: Look,
}

/// What a check looks at.
#[derive(Clone, Copy)]
pub enum Look {
    /// At nothing by itself: its findings come up while a file is read, or while others are looked at.
    Elsewhere,
    /// At an expression that is valid.
    Expr(fn(&ExprContext<'_>, &mut Report<'_>)),
    /// At a query of a panel of a dashboard.
    Target(fn(&TargetContext<'_>, &mut Report<'_>)),
    /// At a rule.
    Rule(fn(&RuleContext<'_>, &mut Report<'_>)),
    /// At a group.
    Group(fn(&GroupContext<'_>, &mut Report<'_>)),
    /// At all files together.
    Set(fn(&RuleSet<'_>, &mut Report<'_>)),
    /// At a rule whose expression is valid, with what a server says about it.
    Live(fn(&LiveContext<'_>, &mut Report<'_>)),
}

impl fmt::Debug for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Look::Elsewhere => "Elsewhere",
            Look::Expr(_) => "Expr",
            Look::Target(_) => "Target",
            Look::Rule(_) => "Rule",
            Look::Group(_) => "Group",
            Look::Set(_) => "Set",
            Look::Live(_) => "Live",
        })
    }
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Worth to know.
    Info,
    /// Most likely not what was meant.
    Warning,
    /// For certain not what was meant.
    Error,
}

impl Severity {
    /// All, the least first.
    pub const ALL: [Severity; 3] = [Severity::Info, Severity::Warning, Severity::Error];

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a finding is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Evidence {
    /// It follows from the language alone, for every content of a database.
    Proven,
    /// It needs an assumption, which the message states.
    Presumed,
    /// It is a matter of names or style.
    Heuristic,
    /// A server, or what was saved of one, said so.
    Observed,
}

impl Evidence {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Evidence::Proven => "proven",
            Evidence::Presumed => "presumed",
            Evidence::Heuristic => "heuristic",
            Evidence::Observed => "observed",
        }
    }
}

/// Which changes a check proposes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fixes {
    /// None.
    Never,
    /// Such as keep every result and every rendered text.
    Safe,
    /// Such as may change results, to what was meant.
    Unsafe,
}

impl Fixes {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Fixes::Never => "none",
            Fixes::Safe => "safe",
            Fixes::Unsafe => "unsafe",
        }
    }
}

/// Checks of one subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Category {
    /// The file, its schema or an expression in it is not valid.
    Syntax,
    /// Almost surely not what was meant.
    Correctness,
    /// Counters, gauges, histograms, windows, units.
    Kind,
    /// Label matchers and regular expressions.
    Matcher,
    /// Conditions of alerts, `for`, identity, noise.
    Alerting,
    /// Templates of labels and annotations.
    Template,
    /// Several rules together.
    Group,
    /// Names of recorded metrics and alerts.
    Naming,
    /// Cost that can be seen in the text.
    Performance,
    /// Versions, feature flags, dialects.
    Compat,
    /// An organisation's own rules.
    Policy,
    /// What a server says.
    Live,
    /// Grafana dashboards.
    Dashboard,
    /// Suppressions, baseline, configuration.
    Hygiene,
}

impl Category {
    /// All, each with its letter and its name.
    pub const ALL: [(Category, char, &'static str); 14] = [
        (Category::Syntax, 'E', "syntax"),
        (Category::Correctness, 'C', "correctness"),
        (Category::Kind, 'K', "kind"),
        (Category::Matcher, 'M', "matcher"),
        (Category::Alerting, 'A', "alerting"),
        (Category::Template, 'T', "template"),
        (Category::Group, 'G', "group"),
        (Category::Naming, 'N', "naming"),
        (Category::Performance, 'P', "performance"),
        (Category::Compat, 'V', "compat"),
        (Category::Policy, 'O', "policy"),
        (Category::Live, 'L', "live"),
        (Category::Dashboard, 'D', "dashboard"),
        (Category::Hygiene, 'H', "hygiene"),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Category::ALL.iter().find(|row| row.0 == self).map_or("", |row| row.2)
    }
}

impl Check {
    /// The category, which the code begins with.
    pub fn category(&self) -> Category {
        let letter = self.code.chars().next();
        let row = Category::ALL.iter().find(|row| Some(row.1) == letter);
        row.map_or(Category::Hygiene, |row| row.0)
    }

    /// What it finds, in a sentence or two: the first paragraph of its documentation, in one line.
    pub fn summary(&self) -> String {
        let lines = self.docs.lines().map(str::trim).skip_while(|line| line.is_empty());
        lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
    }

    /// Whether it can't be switched off: it says that a file is invalid. What servers let pass is another
    /// matter.
    pub fn is_always_on(&self) -> bool {
        self.code.starts_with('E') && !matches!(self.code, "E004" | "E014")
    }

    /// Whether a word of a user selects it: `all`, `default`, its name, its code, the front of its code
    /// such as `C` or `C0`, or its category.
    pub fn is_selected_by(&self, word: &str) -> bool {
        let is_code = word.len() < 4
            && word.starts_with(|c: char| c.is_ascii_uppercase())
            && self.code.starts_with(word);
        match word {
            "all" => true,
            "default" => self.is_on,
            _ => {
                word == self.name
                    || word.eq_ignore_ascii_case(self.code)
                    || is_code
                    || word == self.category().name()
            }
        }
    }
}

impl PartialEq for Check {
    fn eq(&self, other: &Check) -> bool {
        self.code == other.code
    }
}

impl Eq for Check {}

/// Declares a check: its documentation as doc comments, then what it says about itself. `off` behind the
/// severity keeps it silent until it is selected.
macro_rules! declare_check {
    (
        $(#[doc = $doc:literal])*
        $code:literal $name:literal $severity:ident $($off:ident)?, $evidence:ident, fix: $fixes:ident, $look:ident $(($function:expr))?
    ) => {
        /// What this check says about itself.
        pub(crate) const CHECK: $crate::Check = $crate::Check {
            name: $name,
            code: $code,
            severity: $crate::Severity::$severity,
            is_on: declare_check!(@is_on $($off)?),
            evidence: $crate::Evidence::$evidence,
            fixes: $crate::Fixes::$fixes,
            docs: concat!($($doc, "\n"),*),
            source: file!(),
            look: $crate::Look::$look $(($function))?,
        };
    };
    (@is_on off) => { false };
    (@is_on) => { true };
}
pub(crate) use declare_check;
