//! What can be set: one table, which `\set`, `\unset`, completion, the configuration and `--set` read.

use std::collections::BTreeMap;
use std::path::Path;

use crate::diff;
use crate::host::{Failure, Form, Units};
use crate::session::Session;

/// An option of the session.
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    /// What it is, in a few words.
    pub(crate) about: &'static str,
    /// What may be set, for messages.
    wants: fn() -> String,
    /// Takes a value; nothing if it is none.
    set: fn(&mut Session<'_>, &str) -> Option<()>,
    /// The value as it is written; nothing if it wasn't set.
    get: fn(&Session<'_>) -> Option<String>,
    /// Takes it back.
    unset: fn(&mut Session<'_>),
}

macro_rules! settings {
    ($($name:literal $about:literal, $wants:expr, $set:expr, $get:expr, $unset:expr;)*) => {
        /// All options.
        pub(crate) static SETTINGS: &[Setting] = &[$(Setting {
            name: $name, about: $about, wants: $wants, set: $set, get: $get, unset: $unset,
        },)*];
    };
}

settings! {
    "output" "the form of answers",
        || format!("one of {}", Form::ALL.iter().map(|f| f.name()).collect::<Vec<_>>().join(", ")),
        |session, value| { session.settings.form = Some(Form::named(value)?); Some(()) },
        |session| session.settings.form.map(|form| form.name().to_owned()),
        |session| session.settings.form = None;
    "maxrows" "rows of a table before its middle is left out; 0 is all",
        || "a number; 0 is all".to_owned(),
        |session, value| { session.settings.max_rows = Some(value.parse().ok()?); Some(()) },
        |session| session.settings.max_rows.map(|rows| rows.to_string()),
        |session| session.settings.max_rows = None;
    "pager" "whether long answers go through a pager",
        on_or_off,
        |session, value| { session.settings.pager = Some(switch(value)?); Some(()) },
        |session| session.settings.pager.map(written),
        |session| session.settings.pager = None;
    "timing" "whether a line below each answer says how long it took",
        on_or_off,
        |session, value| { session.settings.timing = Some(switch(value)?); Some(()) },
        |session| session.settings.timing.map(written),
        |session| session.settings.timing = None;
    "units" "in which unit values are",
        || format!("one of {}", Units::all()),
        |session, value| { session.settings.units = Some(Units::named(value)?); Some(()) },
        |session| session.settings.units.map(|units| units.to_string()),
        |session| session.settings.units = None;
    "tolerance" "how far values may be apart before \\diff shows them",
        || "a part as 1% or 0.01".to_owned(),
        |session, value| { session.settings.tolerance = diff::tolerance(value)?; Some(()) },
        |session| Some(session.settings.tolerance).filter(|part| *part > 0.0).map(|part| part.to_string()),
        |session| session.settings.tolerance = 0.0;
    "tz" "the zone of times",
        || "a zone as Europe/Berlin, UTC or local".to_owned(),
        |session, value| {
            session.host.zone(Some(value)).ok()?;
            session.settings.zone = Some(value.to_owned());
            Some(())
        },
        |session| session.settings.zone.clone(),
        |session| {
            // The zone that the program began with can't be wrong.
            let _ = session.host.zone(Some("local"));
            session.settings.zone = None;
        };
}

fn on_or_off() -> String {
    "on or off".to_owned()
}

fn switch(value: &str) -> Option<bool> {
    match value {
        "on" | "true" | "yes" => Some(true),
        "off" | "false" | "no" => Some(false),
        _ => None,
    }
}

fn written(on: bool) -> String {
    if on { "on" } else { "off" }.to_owned()
}

/// The option of a name.
pub(crate) fn named(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

impl Setting {
    /// Sets it.
    pub(crate) fn set(&self, session: &mut Session<'_>, value: &str) -> Result<(), Failure> {
        (self.set)(session, value).ok_or_else(|| {
            let (name, wants) = (self.name, (self.wants)());
            Failure::new(format!("{name} wants {wants}, not `{}`", crate::plain::plain(value)))
        })
    }

    /// The value as it is written; nothing if it wasn't set.
    pub(crate) fn get(&self, session: &Session<'_>) -> Option<String> {
        (self.get)(session)
    }

    /// Takes it back to what it is without being set.
    pub(crate) fn unset(&self, session: &mut Session<'_>) {
        (self.unset)(session);
    }
}

impl Session<'_> {
    /// Sets an option, as `\set NAME VALUE` does.
    ///
    /// # Errors
    /// When there is no such option, or the value is none of it.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), Failure> {
        let setting = named(name).ok_or_else(|| {
            let names: Vec<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
            let name = crate::plain::plain(name);
            Failure::new(format!("there is no option `{name}`; there are {}", names.join(", ")))
        })?;
        setting.set(self, value)
    }
}

/// The options that were saved: `NAME = "VALUE"` in each line, in TOML. A missing file is an empty one.
pub(crate) fn saved(path: &Path) -> Result<BTreeMap<String, String>, String> {
    match std::fs::read_to_string(path) {
        Ok(text) => toml::from_str(&text).map_err(|error| error.to_string()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(error.to_string()),
    }
}

/// Writes the options that are set, so that later sessions begin with them.
pub(crate) fn save(session: &Session<'_>, path: &Path) -> std::io::Result<()> {
    let mut text = String::from("# Written by \\set --save.\n");
    for setting in SETTINGS {
        if let Some(value) = setting.get(session) {
            // No value holds a quote or a backslash.
            text.push_str(&format!("{} = \"{value}\"\n", setting.name));
        }
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    // Written beside it and moved over it, so that it is never half there.
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, path))
}
