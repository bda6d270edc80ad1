//! The configuration file.
//!
//! ```toml
//! default_profile = "dev"
//! edit_mode = "vi"
//!
//! [settings]
//! maxrows = "20"                              # what \set takes
//!
//! [profile.prod]
//! source = "https://prometheus.example.com"
//! http = "prod-http.yml"                      # Prometheus' HTTP client format, relative to this file
//! headers = {X-Scope-OrgID = "team-a"}
//! token_command = ["pass", "show", "prometheus/token"]
//! step = "30s"
//! production = true                           # a red prompt
//! thanos = {dedup = true, max_source_resolution = "auto"}
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::host::Target;

/// The file.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The profile that is used when no source is named.
    pub default_profile: Option<String>,
    /// `emacs` or `vi`.
    pub edit_mode: EditMode,
    /// The options that sessions begin with, as `\set` takes them.
    pub settings: BTreeMap<String, String>,
    /// The profiles by name.
    pub profile: BTreeMap<String, Profile>,
}

/// Whose keys the line editor knows.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum EditMode {
    /// Those of Emacs, as in most shells.
    #[default]
    Emacs,
    /// Those of vi.
    Vi,
}

/// A source with a name.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    /// The source, as `--source` takes it.
    pub source: String,
    /// A file in Prometheus' HTTP client format.
    pub http: Option<String>,
    /// Headers for each request.
    pub headers: BTreeMap<String, String>,
    /// A command that prints a bearer token. It runs when the source is first used.
    pub token_command: Vec<String>,
    /// The step of range queries.
    pub step: Option<String>,
    /// The colour of the prompt: the name of one of the eight.
    pub color: Option<String>,
    /// Whether the prompt warns.
    pub production: bool,
    /// What a Thanos is told with each query.
    pub thanos: Option<Thanos>,
}

/// What a Thanos is told with each query; it decides what isn't said.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Thanos {
    /// Whether series of replicas become one.
    pub dedup: Option<bool>,
    /// Whether stores that don't answer are left out, with a warning.
    pub partial_response: Option<bool>,
    /// How coarse the samples may be: `0s` for raw ones, `5m`, `1h`, or `auto`.
    pub max_source_resolution: Option<String>,
}

impl Thanos {
    /// The source with what it is told as parameters, which go with each request.
    fn told(&self, source: &str) -> String {
        let parameters = [
            ("dedup", self.dedup.map(|on| on.to_string())),
            ("partial_response", self.partial_response.map(|on| on.to_string())),
            ("max_source_resolution", self.max_source_resolution.clone()),
        ];
        let mut source = source.to_owned();
        for (name, value) in parameters {
            if let Some(value) = value {
                let separator = if source.contains('?') { '&' } else { '?' };
                source.push_str(&format!("{separator}{name}={value}"));
            }
        }
        source
    }
}

/// A configuration that can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong, with the line.
    pub reason: String,
}

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the configuration {} can't be used: {}", self.path.display(), self.reason)
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Reads the file. One that isn't there is empty.
    ///
    /// # Errors
    /// When it can't be read, or holds something that is not known.
    pub fn read(path: &Path) -> Result<Config, ConfigError> {
        let error = |reason: String| ConfigError { path: path.to_owned(), reason };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(problem) if problem.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Config::default());
            }
            Err(problem) => return Err(error(problem.to_string())),
        };
        let mut config: Config = toml::from_str(&text).map_err(|e| error(e.to_string()))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for (name, profile) in &mut config.profile {
            if profile.source.is_empty() {
                return Err(error(format!("the profile `{name}` has no `source`")));
            }
            let resolution = profile.thanos.as_ref().and_then(|t| t.max_source_resolution.as_ref());
            if let Some(text) = resolution.filter(|text| *text != "auto")
                && promql_model::parse_duration(text).is_err()
            {
                return Err(error(format!(
                    "max_source_resolution of the profile `{name}` wants auto or a duration as 5m, not `{text}`"
                )));
            }
            if let Some(file) = &mut profile.http {
                *file = folder.join(&*file).display().to_string();
            }
        }
        Ok(config)
    }

    /// What a name stands for: a profile, or else a source as it is written.
    pub fn target(&self, name: &str) -> Target {
        match self.profile.get(name) {
            Some(profile) => Target {
                profile: Some(name.to_owned()),
                source: match &profile.thanos {
                    Some(thanos) => thanos.told(&profile.source),
                    None => profile.source.clone(),
                },
                http: profile.http.clone(),
                headers: profile.headers.clone(),
                token_command: profile.token_command.clone(),
                others: Vec::new(),
            },
            None => Target { source: name.to_owned(), ..Target::default() },
        }
    }

    /// What several names stand for: one view of all. Nothing for no name.
    pub fn targets(&self, names: &[String]) -> Option<Target> {
        let (first, others) = names.split_first()?;
        let others = others.iter().map(|name| self.target(name)).collect();
        Some(Target { others, ..self.target(first) })
    }

    /// Where the file is: `PROMQL_CONFIG`, or `promql/config.toml` in the folder for configuration.
    pub fn default_path() -> Option<PathBuf> {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        if let Some(path) = variable("PROMQL_CONFIG") {
            return Some(PathBuf::from(path));
        }
        let folder = variable("XDG_CONFIG_HOME").map(PathBuf::from);
        let folder = folder.or_else(|| Some(PathBuf::from(variable("HOME")?).join(".config")))?;
        Some(folder.join("promql").join("config.toml"))
    }

    /// Where the history is: `PROMQL_HISTORY`, or `promql/history` in the folder for states.
    pub fn history_path() -> Option<PathBuf> {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        if let Some(path) = variable("PROMQL_HISTORY") {
            return Some(PathBuf::from(path));
        }
        let folder = variable("XDG_STATE_HOME").map(PathBuf::from);
        let folder =
            folder.or_else(|| Some(PathBuf::from(variable("HOME")?).join(".local/state")))?;
        Some(folder.join("promql").join("history"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, ConfigError> {
        let path = std::env::temp_dir().join(format!(
            "promql-config-{}-{}.toml",
            std::process::id(),
            text.len()
        ));
        std::fs::write(&path, text).expect("to write");
        let config = Config::read(&path);
        std::fs::remove_file(&path).expect("to clean up");
        config
    }

    #[test]
    fn a_profile_is_a_source_with_a_name() {
        let text = "[profile.prod]\nsource = \"http://p\"\nhttp = \"h.yml\"\nheaders = {A = \"b\"}";
        let config = read(text).expect("a configuration");
        let target = config.target("prod");
        assert_eq!(target.source, "http://p");
        assert!(target.http.is_some_and(|path| path.len() > "h.yml".len()));
        assert_eq!(config.target("http://x").source, "http://x");
        assert_eq!(config.target("http://x").profile, None);
        assert_eq!(Config::read(Path::new("/nowhere/at/all")).expect("none"), Config::default());
    }

    #[test]
    fn a_thanos_is_told_what_it_shall_do() {
        let thanos = "thanos = {dedup = true, max_source_resolution = \"5m\"}";
        let read = |source: &str| {
            let config = read(&format!("[profile.t]\nsource = \"{source}\"\n{thanos}"));
            config.expect("a configuration").target("t").source
        };
        assert_eq!(read("http://t"), "http://t?dedup=true&max_source_resolution=5m");
        assert_eq!(read("http://t/?a=b"), "http://t/?a=b&dedup=true&max_source_resolution=5m");
    }

    #[test]
    fn mistakes_are_told() {
        assert!(read("profile.x.sauce = \"a\"").expect_err("unknown").reason.contains("sauce"));
        assert!(read("[profile.x]").expect_err("no source").reason.contains("has no `source`"));
        let text =
            "[profile.x]\nsource = \"http://p\"\nthanos = {max_source_resolution = \"5 m&x\"}";
        assert!(read(text).expect_err("a duration").reason.contains("wants auto or a duration"));
        assert!(read("default_profile = ").expect_err("no TOML").to_string().contains("line 1"));
    }
}
