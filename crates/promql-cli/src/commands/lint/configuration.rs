//! Which `promql.toml` counts for a file.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Zoned;
use promql_lint::live::{LiveOptions, NamedServer};
use promql_lint::{Config, Day, Input, Settings, Severity};
use promql_rules::rule_file::LoadOptions;

use super::{Lint, Stop};
use crate::inputs::InputError;
use crate::paths;
use crate::watch::Pattern;

/// What a configuration is called.
pub(super) const NAME: &str = "promql.toml";

/// A configuration, with the arguments.
#[derive(Clone, Debug)]
pub(super) struct Here {
    /// Which checks look.
    pub(super) settings: Arc<Settings>,
    options: LoadOptions,
    pub(super) config: Arc<Config>,
    /// The file of the configuration, if there is one.
    pub(super) path: Option<PathBuf>,
    /// The folder of the configuration, which paths in it are relative to.
    folder: PathBuf,
}

impl Here {
    /// A file to look at by this configuration.
    pub(super) fn input(&self, name: String, text: Vec<u8>, path: &Path) -> Input {
        Input {
            name,
            text,
            options: self.options.clone(),
            settings: Some(Arc::clone(&self.settings)),
            path: Some(self.relative(path)),
            before: None,
        }
    }

    /// Whether a file of a folder is not looked at.
    pub(super) fn excludes(&self, path: &Path) -> bool {
        let path = self.relative(path);
        self.config.exclude.iter().any(|pattern| pattern.matches(&path))
    }

    /// The path as the configuration sees it; without one as it was given.
    pub(super) fn relative(&self, path: &Path) -> String {
        let whole = absolute(path);
        let inner = match self.folder.as_os_str().is_empty() {
            true => None,
            false => whole.strip_prefix(&self.folder).ok(),
        };
        let given = paths::cleaned(path);
        inner.unwrap_or(&given).display().to_string().replace('\\', "/")
    }
}

/// The configurations of a run, each read once.
pub(super) struct Configurations<'l> {
    lint: &'l Lint,
    today: Day,
    /// By the folder of the file.
    known: HashMap<PathBuf, Here>,
    /// By the path of the configuration; that of none is empty.
    read: HashMap<PathBuf, Here>,
}

impl<'l> Configurations<'l> {
    /// None is read yet, but for the one of an argument.
    pub(super) fn new(lint: &'l Lint) -> Result<Configurations<'l>, Stop> {
        let now = Zoned::now().with_time_zone(jiff::tz::TimeZone::UTC);
        let today = Day {
            year: u16::try_from(now.year()).unwrap_or_default(),
            month: u8::try_from(now.month()).unwrap_or_default(),
            day: u8::try_from(now.day()).unwrap_or_default(),
        };
        let mut all = Configurations { lint, today, known: HashMap::new(), read: HashMap::new() };
        // What is wrong with the arguments is told first.
        all.lint.settings(&Settings::default())?;
        if let Some(path) = &all.lint.config {
            all.read(path)?;
        }
        Ok(all)
    }

    /// What counts for a file.
    ///
    /// # Errors
    /// When a configuration can't be read, or is none.
    pub(super) fn of(&mut self, path: &Path) -> Result<Here, Stop> {
        let whole = absolute(path);
        let folder = whole.parent().map(Path::to_path_buf).unwrap_or_default();
        if let Some(here) = self.known.get(&folder) {
            return Ok(here.clone());
        }
        let found = match (&self.lint.config, self.lint.isolated) {
            (_, true) => None,
            (Some(path), _) => Some(path.clone()),
            (None, _) => nearest(&folder),
        };
        let here = match found {
            Some(path) => self.read(&path)?,
            None => self.made(Config::default(), PathBuf::new(), None)?,
        };
        self.known.insert(folder, here.clone());
        Ok(here)
    }

    /// From which severity on the command ends with 1, by the strictest of the configurations.
    pub(super) fn fail_on(&self) -> Option<Severity> {
        self.read.values().filter_map(|here| here.config.fail_on).min()
    }

    /// The file with known findings, by the first configuration that names one.
    pub(super) fn baseline(&self) -> Option<PathBuf> {
        let mut named: Vec<PathBuf> = self
            .read
            .values()
            .filter_map(|here| Some(here.folder.join(here.config.baseline.as_ref()?)))
            .collect();
        named.sort();
        named.into_iter().next().map(short)
    }

    /// The files that count besides those that are looked at, as patterns to watch: configurations, and what
    /// they name.
    pub(super) fn watched(&self, flags: &Lint) -> Vec<Pattern> {
        let mut files: Vec<PathBuf> = self.read.keys().cloned().collect();
        files.extend(flags.baseline.clone().or(self.baseline()));
        files.extend(self.prometheus_config());
        files.sort();
        let pattern = |file: PathBuf| Some((PathBuf::new(), glob::Pattern::escape(file.to_str()?)));
        files.into_iter().filter_map(pattern).collect()
    }

    /// The folders of the configurations.
    pub(super) fn folders(&self) -> Vec<PathBuf> {
        let folders = self.read.values().map(|here| here.folder.clone());
        folders.filter(|folder| !folder.as_os_str().is_empty()).collect()
    }

    /// How much a server is asked, by the first configuration that says something about it.
    pub(super) fn live(&self) -> LiveOptions {
        self.first(|here| here.config.live.clone()).unwrap_or_default()
    }

    /// The servers that the configurations name, in order of their paths.
    pub(super) fn servers(&self) -> Vec<NamedServer> {
        let mut paths: Vec<&PathBuf> = self.read.keys().collect();
        paths.sort();
        let read = paths.into_iter().filter_map(|path| self.read.get(path));
        read.flat_map(|here| here.config.servers.clone()).collect()
    }

    /// The configuration of the server, by the first configuration that names one.
    pub(super) fn prometheus_config(&self) -> Option<PathBuf> {
        self.first(|here| Some(here.folder.join(here.config.prometheus_config.as_ref()?)))
    }

    /// What the first configuration says that says something, in order of the paths.
    fn first<T>(&self, said: impl Fn(&Here) -> Option<T>) -> Option<T> {
        let mut paths: Vec<&PathBuf> = self.read.keys().collect();
        paths.sort();
        paths.into_iter().find_map(|path| said(self.read.get(path)?))
    }

    fn read(&mut self, path: &Path) -> Result<Here, Stop> {
        if let Some(here) = self.read.get(path) {
            return Ok(here.clone());
        }
        let error = |error| InputError::File { path: path.to_path_buf(), error };
        let text = std::fs::read_to_string(path).map_err(error)?;
        let config = Config::parse(&text).map_err(|findings| {
            let mut located =
                findings.iter().map(|f| f.located(&path.display().to_string(), &text));
            match located.next() {
                Some(first) => Stop::Report(Box::new(first)),
                None => Stop::Usage(format!("{} can't be used", path.display())),
            }
        })?;
        let folder = absolute(path).parent().map(Path::to_path_buf).unwrap_or_default();
        let here = self.made(config, folder, Some(path.to_path_buf()))?;
        self.read.insert(path.to_path_buf(), here.clone());
        Ok(here)
    }

    fn made(&self, config: Config, folder: PathBuf, path: Option<PathBuf>) -> Result<Here, Stop> {
        let settings = self.lint.settings(&config.settings)?.at(self.today);
        let options = self.lint.load_options(&config);
        Ok(Here { settings: Arc::new(settings), options, config: Arc::new(config), path, folder })
    }
}

/// The nearest configuration in a folder or one above it, up to the root of a repository.
fn nearest(folder: &Path) -> Option<PathBuf> {
    for folder in folder.ancestors() {
        let path = folder.join(NAME);
        if path.is_file() {
            return Some(short(path));
        }
        if folder.join(".git").exists() {
            return None;
        }
    }
    None
}

/// A path as short as it can be: from the current folder, if it is in that.
fn short(path: PathBuf) -> PathBuf {
    let here = std::env::current_dir().ok();
    let short = here.and_then(|here| path.strip_prefix(here).ok().map(Path::to_path_buf));
    short.unwrap_or(path)
}

/// A path from the root, without links followed.
fn absolute(path: &Path) -> PathBuf {
    paths::cleaned(&std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()))
}
