//! The session: what it was told, and what it does with a statement.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, RwLock};

use promql_ide::Question;
use promql_model::{QueryValue, Severity};

use crate::assistant::Words;
use crate::commands;
use crate::config::Config;
use crate::editor::prompt_style;
use crate::history::History;
use crate::host::{
    Answer, Connection, Failure, Fix, Form, Host, Look, Over, Range, Request, Target, Terminal,
    Units,
};
use crate::known::{Known, Listener};
use crate::options;
use crate::plain::plain;
use crate::stages::{Outcome, Stage, apply};
use crate::statement::{Query, Statement};
use crate::variables::expand;
use crate::wrap::wrapped;

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, PartialOrd, Ord)]
pub enum Exit {
    /// Everything was answered.
    #[default]
    Ok,
    /// A query failed.
    Failed,
    /// Something was not understood, or can't be read.
    Usage,
}

/// What was set in the session.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) time: Option<String>,
    pub(crate) range: Option<Range>,
    pub(crate) step: Option<String>,
    pub(crate) lookback: Option<String>,
    pub(crate) form: Option<Form>,
    pub(crate) max_rows: Option<usize>,
    pub(crate) timing: Option<bool>,
    pub(crate) units: Option<Units>,
    pub(crate) tolerance: f64,
    pub(crate) pager: Option<bool>,
    pub(crate) zone: Option<String>,
}

/// Rows of a table on a terminal before its middle is left out.
const MOST_ROWS: usize = 40;

/// An interactive session.
pub struct Session<'h> {
    pub(crate) host: &'h dyn Host,
    pub(crate) config: Config,
    pub(crate) settings: Settings,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) history: History,
    pub(crate) connection: Option<Arc<dyn Connection>>,
    pub(crate) target: Target,
    pub(crate) before: Option<Target>,
    pub(crate) used: Vec<Target>,
    pub(crate) last: Option<(Answer, String)>,
    /// What was proposed last, for `\fix`.
    pub(crate) fixes: Vec<Fix>,
    pub(crate) words: Arc<RwLock<Words>>,
    /// Who wants to know that something is known that wasn't.
    pub(crate) listener: Option<Listener>,
    pub(crate) tee: Option<File>,
    /// What the next prompt begins with, and where the cursor is in it, in bytes.
    pub(crate) initial: Option<(String, usize)>,
    pub(crate) ended: bool,
    pub(crate) warn_as_error: bool,
    pub(crate) exit: Exit,
}

impl<'h> Session<'h> {
    /// A session that asks nothing yet.
    pub fn new(host: &'h dyn Host, config: Config, history: History) -> Session<'h> {
        let words = Words::new(config.profile.keys().cloned().collect());
        let mut session = Session {
            host,
            config,
            settings: Settings::default(),
            variables: BTreeMap::new(),
            history,
            connection: None,
            target: Target::default(),
            before: None,
            used: Vec::new(),
            last: None,
            fixes: Vec::new(),
            words: Arc::new(RwLock::new(words)),
            listener: None,
            tee: None,
            initial: None,
            ended: false,
            warn_as_error: false,
            exit: Exit::Ok,
        };
        session.tell_saved();
        session
    }

    /// Lets warnings count as failed queries for the exit code from now on.
    pub fn warn_as_error(&mut self) {
        self.warn_as_error = true;
    }

    /// Asks another source from now on.
    ///
    /// # Errors
    /// When it can't be opened; the session stays where it was.
    pub fn connect(&mut self, target: Target) -> Result<(), Failure> {
        let connection = self.host.connect(&target)?;
        // A script completes nothing, so it doesn't ask for names.
        if self.host.terminal().is_interactive {
            let known = Known::of(&connection);
            if let Some(listener) = &self.listener {
                known.tell(Arc::clone(listener));
            }
            known.ask(vec![Question::Metrics { prefix: String::new() }]);
            self.share(|words| words.known = Some(known));
        }
        if self.connection.is_some() {
            self.before = Some(std::mem::take(&mut self.target));
        }
        self.used.retain(|used| *used != target);
        self.used.push(target.clone());
        let profile = target.profile.as_ref().and_then(|name| self.config.profile.get(name));
        let style = prompt_style(profile);
        self.share(|words| words.prompt = style);
        (self.connection, self.target) = (Some(connection), target);
        self.tell_variables();
        self.tell_uses();
        Ok(())
    }

    /// The line at the beginning of a conversation.
    pub fn banner(&self) -> String {
        let name = self.connection.as_ref().map(|c| c.name()).unwrap_or("no source".to_owned());
        let separator = if self.host.terminal().unicode { " · " } else { ", " };
        let parts = [format!("promql {}", self.host.version()), plain(&name).into_owned()];
        format!("{}{separator}\\help\n", parts.join(separator))
    }

    /// Changes what completion knows.
    pub(crate) fn share(&self, change: impl FnOnce(&mut Words)) {
        change(&mut self.words.write().unwrap_or_else(std::sync::PoisonError::into_inner));
    }

    pub(crate) fn known(&self) -> Option<Arc<Known>> {
        self.words.read().unwrap_or_else(std::sync::PoisonError::into_inner).known.clone()
    }

    pub(crate) fn tell_variables(&self) {
        let variables: Vec<_> = self.variables.clone().into_iter().collect();
        if let Some(known) = self.known() {
            known.write(|known| known.set_variables(variables));
        }
    }

    /// Lets completion prefer what was used of this source before.
    fn tell_uses(&self) {
        let (Some(known), Some(connection)) = (self.known(), &self.connection) else { return };
        /// So many of the last statements say what is used.
        const MOST: usize = 2_000;
        let source = connection.name();
        known.write(|known| {
            let of_source = self.history.entries().rev().filter(|entry| entry.source == source);
            for entry in of_source.take(MOST) {
                for part in promql_ide::highlight(&entry.text) {
                    use promql_ide::Role;
                    if matches!(part.role, Role::Metric | Role::Function | Role::Aggregation) {
                        known.note_use(&entry.text[part.span]);
                    }
                }
            }
        });
    }

    /// The connection, or what to do to get one.
    pub(crate) fn connected(&self) -> Result<Arc<dyn Connection>, Failure> {
        self.connection.clone().ok_or_else(|| {
            Failure::new("no source yet: \\connect http://localhost:9090, or a file or a folder")
        })
    }

    /// Does what a statement says, and tells what goes wrong. Gives whether all went well.
    pub fn execute(&mut self, text: &str) -> bool {
        let result = match Statement::read(text) {
            Ok(Statement::Empty) => Ok(()),
            Ok(Statement::Command { name, rest }) => commands::run(self, &name, &rest),
            Ok(Statement::Shell(command)) => self.shell(&command),
            Ok(Statement::Assign { name, value }) => self.assign(&name, &value),
            Ok(Statement::Query(query)) => self.query(&query),
            Err(unclear) => Err(Failure::new(unclear.0)),
        };
        match result {
            Ok(()) => true,
            Err(failure) => {
                self.tell(&failure);
                false
            }
        }
    }

    /// Says what went wrong, and remembers it for the end.
    pub(crate) fn tell(&mut self, failure: &Failure) {
        if failure.cancelled {
            self.host.remark("cancelled\n");
        } else {
            self.host.remark(&failure.text);
        }
        self.exit = self.exit.max(if failure.is_input { Exit::Usage } else { Exit::Failed });
    }

    fn shell(&mut self, command: &str) -> Result<(), Failure> {
        let status = Command::new("sh").arg("-c").arg(command).status();
        let status = status.map_err(|e| Failure::new(format!("can't run the shell: {e}")))?;
        match status.success() {
            true => Ok(()),
            false => Err(Failure::new(format!("the shell says {status}"))),
        }
    }

    pub(crate) fn assign(&mut self, name: &str, value: &str) -> Result<(), Failure> {
        if value.is_empty() {
            return Err(Failure::new(format!(
                "`{name} =` wants a value; \\unset {name} removes the variable"
            )));
        }
        // A variable may be made of others, as they are now.
        let value = self.expanded(value)?;
        self.variables.insert(name.to_owned(), value);
        self.tell_variables();
        Ok(())
    }

    pub(crate) fn expanded(&self, text: &str) -> Result<String, Failure> {
        expand(text, &self.variables).map_err(|name| {
            let known: Vec<String> = self.variables.keys().map(|name| format!("${name}")).collect();
            let known = match known.is_empty() {
                true => String::new(),
                false => format!("; there are {}", known.join(", ")),
            };
            Failure::new(format!("there is no variable ${name}: set it by {name} = …{known}"))
        })
    }

    /// What is asked for an expression as the session is set.
    pub(crate) fn request(&self, query: &Query) -> Result<Request, Failure> {
        let mut range = query.range.clone().or_else(|| self.settings.range.clone());
        if let Some(range) = &mut range {
            for text in [&mut range.step].into_iter().flatten() {
                *text = self.expanded(text)?;
            }
            range.step = range.step.take().or_else(|| self.step());
            if let Over::Last(last) = &mut range.over {
                *last = self.expanded(last)?;
            }
        }
        Ok(Request {
            expression: self.expanded(&query.expression)?,
            time: self.settings.time.clone(),
            range,
            lookback: self.settings.lookback.clone(),
        })
    }

    /// The step of range queries: that of `\step`, else that of the profile.
    pub(crate) fn step(&self) -> Option<String> {
        let profile = self.target.profile.as_ref().and_then(|name| self.config.profile.get(name));
        self.settings.step.clone().or_else(|| profile?.step.clone())
    }

    pub(crate) fn query(&mut self, query: &Query) -> Result<(), Failure> {
        if query.expression.is_empty() {
            // `| csv` alone shows the last answer again.
            return self.show_again(&query.stages);
        }
        let request = self.request(query)?;
        let connection = self.connected()?;
        let cancellation = self.host.cancellation();
        let answer = connection.ask(&request, &cancellation)?;
        self.show(&answer, &query.stages)?;
        self.host.remark(&self.host.remarks(&answer));
        if answer.result.value.is_empty()
            && self.host.terminal().is_interactive
            && let Some(reason) = connection.why_empty(&request, &cancellation)
        {
            self.host.remark(&format!("{}\n", reason.text.trim_end()));
            self.offer(reason.fixes);
        }
        self.footer(&answer, &connection.name());
        let mut annotations = answer.result.annotations.iter();
        if self.warn_as_error && annotations.any(|a| a.severity == Severity::Warning) {
            self.exit = self.exit.max(Exit::Failed);
        }
        self.last = Some((answer, query.expression.clone()));
        Ok(())
    }

    /// Puts a text into the next line; without a terminal it is printed.
    pub(crate) fn put(&mut self, text: String) {
        match self.host.terminal().is_interactive {
            true => {
                let end = text.len();
                self.initial = Some((text, end));
            }
            false => self.print(&format!("{text}\n")),
        }
    }

    /// Remembers what `\fix` can do from now on, and says so.
    pub(crate) fn offer(&mut self, fixes: Vec<Fix>) {
        for (at, fix) in fixes.iter().enumerate() {
            self.host.remark(&format!("  \\fix {}: {}\n", at + 1, fix.title));
        }
        self.fixes = fixes;
    }

    /// Shows the last answer again.
    pub(crate) fn show_again(&mut self, stages: &[Stage]) -> Result<(), Failure> {
        let Some((answer, expression)) = self.last.take() else {
            return Err(Failure::new("nothing was asked yet"));
        };
        let result = self.show(&answer, stages);
        self.last = Some((answer, expression));
        result
    }

    fn show(&mut self, answer: &Answer, stages: &[Stage]) -> Result<(), Failure> {
        let mut answer = answer.clone();
        let Outcome { form, file, is_wide, units, ordered } = apply(stages, &mut answer.result);
        answer.ordered |= ordered;
        let terminal = self.host.terminal();
        let form = form.or(self.settings.form).unwrap_or(match answer.range {
            Some(_) if terminal.is_interactive && file.is_none() => Form::Graph,
            _ => Form::Table,
        });
        let look = self.look(file.is_some());
        let look = Look { units: units.unwrap_or(look.units), is_wide, ..look };
        let text = self.host.show(&answer, form, look)?;
        match file {
            None => self.print_paged(&text),
            Some(path) => self.write_file(&path, &text)?,
        }
        Ok(())
    }

    /// Writes a file, and says so.
    pub(crate) fn write_file(&self, path: &str, text: &str) -> Result<(), Failure> {
        std::fs::write(path, text)
            .map_err(|error| Failure::new(format!("can't write {path}: {error}")))?;
        self.host.remark(&format!("written to {}\n", plain(path)));
        Ok(())
    }

    /// The last answer in a form, whole, as a file would hold it.
    pub(crate) fn last_as_text(&self, form: Option<Form>) -> Result<String, Failure> {
        let Some((answer, _)) = &self.last else {
            return Err(Failure::new("nothing was asked yet"));
        };
        let form = form.or(self.settings.form).unwrap_or(Form::Table);
        self.host.show(answer, form, self.look(true))
    }

    /// How answers look as the session is set.
    pub(crate) fn look(&self, to_file: bool) -> Look {
        let is_seen = self.host.terminal().is_interactive && !to_file;
        let max_rows = match self.settings.max_rows {
            Some(0) => None,
            Some(rows) => Some(rows),
            None => is_seen.then_some(MOST_ROWS),
        };
        Look { units: self.units(to_file), max_rows, is_wide: false, to_file }
    }

    /// In which units values are shown: on a terminal in those that the expression says.
    pub(crate) fn units(&self, to_file: bool) -> Units {
        let is_seen = self.host.terminal().is_interactive && !to_file;
        self.settings.units.unwrap_or(if is_seen { Units::Auto } else { Units::Off })
    }

    /// What the answer was and took, in a line.
    fn footer(&self, answer: &Answer, name: &str) {
        let wanted = self.settings.timing.unwrap_or(self.host.terminal().is_interactive);
        if !wanted {
            return;
        }
        let count = match &answer.result.value {
            QueryValue::Vector(elements) => format!("{} series", elements.len()),
            QueryValue::Matrix(series) => format!("{} series", series.len()),
            QueryValue::Scalar { .. } => "a scalar".to_owned(),
            QueryValue::String { .. } => "a string".to_owned(),
        };
        let separator = if self.host.terminal().unicode { " · " } else { ", " };
        let took = match answer.took.as_secs_f64() {
            seconds if seconds < 10.0 => format!("{:.0} ms", seconds * 1e3),
            seconds => format!("{seconds:.1} s"),
        };
        let color = self.host.terminal().color;
        let styled = |style: anstyle::Style, text: &str| match color {
            true => format!("{style}{text}{style:#}"),
            false => text.to_owned(),
        };
        let dim = anstyle::Style::new().dimmed();
        let mut line = styled(dim, &count);
        let told =
            |severity| answer.result.annotations.iter().filter(|a| a.severity == severity).count();
        // What is above may be a long table, so that there are warnings is said again below.
        for (count, what, color) in [
            (told(Severity::Warning), "warning", anstyle::AnsiColor::Yellow),
            (told(Severity::Info), "info", anstyle::AnsiColor::Cyan),
        ] {
            let plural = if count == 1 { "" } else { "s" };
            if count > 0 {
                line.push_str(&styled(dim, separator));
                line.push_str(&styled(color.on_default(), &format!("{count} {what}{plural}")));
            }
        }
        let samples = answer.cost.samples.map(|count| match count {
            1 => "1 sample".to_owned(),
            count => format!("{} samples", rounded(count)),
        });
        let parts = [Some(took), samples, Some(plain(name).into_owned())];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        line.push_str(&styled(dim, &format!("{separator}{}", parts.join(separator))));
        self.host.remark(&format!("{line}\n"));
    }

    /// Writes text to standard output, and to the file of `\o`.
    pub(crate) fn print(&mut self, text: &str) {
        self.host.print(text);
        self.copy_to_tee(text);
    }

    fn copy_to_tee(&mut self, text: &str) {
        if let Some(file) = &mut self.tee
            && let Err(error) = file.write_all(text.as_bytes())
        {
            self.host.remark(&format!("error: can't write the copy of the output: {error}\n"));
            self.tee = None;
        }
    }

    /// Prose: on a terminal its lines are broken between words.
    pub(crate) fn print_wrapped(&mut self, text: &str) {
        match self.host.terminal() {
            Terminal { is_interactive: true, size: Some((columns, _)), .. } => {
                self.print_paged(&wrapped(text, columns));
            }
            _ => self.print_paged(text),
        }
    }

    /// The same through a pager, if the text is longer than the screen.
    pub(crate) fn print_paged(&mut self, text: &str) {
        let terminal = self.host.terminal();
        let lines = text.lines().count();
        let fits = terminal.size.is_none_or(|(_, height)| lines < height);
        if fits || !terminal.is_interactive || self.settings.pager == Some(false) || !paged(text) {
            self.print(text);
        } else {
            self.copy_to_tee(text);
        }
    }

    /// The file of named queries, beside the configuration.
    pub(crate) fn saved_path() -> Option<PathBuf> {
        Config::default_path().map(|path| path.with_file_name("queries.promql"))
    }

    /// The file of saved options, beside the configuration.
    pub(crate) fn settings_path() -> Option<PathBuf> {
        Config::default_path().map(|path| path.with_file_name("settings.toml"))
    }

    /// Begins with the options of the configuration, and over them with those that `\set --save` saved.
    ///
    /// # Errors
    /// When one can't be set, or the file of those that were saved can't be read.
    pub fn begin_with_settings(&mut self) -> Result<(), Failure> {
        for (name, value) in self.config.settings.clone() {
            self.set(&name, &value)?;
        }
        let Some(path) = Session::settings_path() else { return Ok(()) };
        let wrong = |reason: String| {
            Failure::new(format!("the saved options {} can't be used: {reason}", path.display()))
        };
        for (name, value) in options::saved(&path).map_err(wrong)? {
            self.set(&name, &value)?;
        }
        Ok(())
    }

    /// Lets completion know the names of saved queries.
    pub(crate) fn tell_saved(&mut self) {
        let names = commands::saved_queries().into_iter().map(|(name, _)| name).collect();
        self.share(|words| words.saved = names);
    }
}

/// A count in at most four characters: `999`, `3.1k`, `12M`.
fn rounded(count: u64) -> String {
    let (mut value, mut prefixes) = (count as f64, ["k", "M", "G", "T"].into_iter());
    let mut prefix = "";
    while value >= 999.5 {
        let Some(next) = prefixes.next() else { break };
        (value, prefix) = (value / 1e3, next);
    }
    match prefix {
        "" => format!("{count}"),
        prefix if value < 9.95 => format!("{value:.1}{prefix}"),
        prefix => format!("{value:.0}{prefix}"),
    }
}

/// Shows a text by the pager; false if there is none.
fn paged(text: &str) -> bool {
    let pager = std::env::var("PAGER").ok().filter(|pager| !pager.trim().is_empty());
    let mut command = match &pager {
        Some(pager) => {
            let mut command = Command::new("sh");
            command.arg("-c").arg(pager);
            command
        }
        None => {
            let mut command = Command::new("less");
            command.arg("-FRX");
            command
        }
    };
    let Ok(mut child) = command.stdin(Stdio::piped()).spawn() else { return false };
    if let Some(mut stdin) = child.stdin.take() {
        // Whoever leaves the pager early has seen enough.
        let _ = stdin.write_all(text.as_bytes());
    }
    child.wait().is_ok_and(|status| status.code() != Some(127))
}

#[cfg(test)]
mod tests {
    use super::rounded;

    #[test]
    fn counts_are_short() {
        let table = [
            (0, "0"),
            (999, "999"),
            (1000, "1.0k"),
            (3149, "3.1k"),
            (999_499, "999k"),
            (1_500_000, "1.5M"),
        ];
        for (count, expected) in table {
            assert_eq!(rounded(count), expected);
        }
        assert_eq!(rounded(u64::MAX), "18446744T");
    }
}
