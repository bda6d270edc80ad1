//! Which features of a server the scripts are run with.

use promql_engine::EngineOptions;
use promql_rules::script::RunOptions;
use promql_rules::unit_test;
use promql_syntax::Features;

/// What the scripts may use, and how they are evaluated.
pub(super) struct Settings {
    pub(super) features: Features,
    pub(super) options: RunOptions,
    /// How the queries of unit tests are evaluated, where fewer features are on by default.
    pub(super) unit_engine: EngineOptions,
}

impl Default for Settings {
    fn default() -> Settings {
        let mut options = RunOptions::default();
        // Scripts are spread over the threads, not the series of a query.
        options.engine.threads = Some(1);
        let unit_engine = unit_test::RunOptions::default().engine;
        Settings { features: Features::ALL, options, unit_engine }
    }
}

/// A feature that can be switched.
struct Feature {
    name: &'static str,
    switch: fn(&mut Features, &mut EngineOptions, bool),
}

/// The features by the names of the server's flag. All are on but the last.
const FEATURES: [Feature; 6] = [
    Feature {
        name: "promql-experimental-functions",
        switch: |features, _, on| features.experimental_functions = on,
    },
    Feature {
        name: "promql-extended-range-selectors",
        switch: |features, _, on| features.extended_range_selectors = on,
    },
    Feature {
        name: "promql-binop-fill-modifiers",
        switch: |features, _, on| features.fill_modifiers = on,
    },
    Feature {
        name: "promql-delayed-name-removal",
        switch: |_, engine, on| engine.delayed_name_removal = on,
    },
    Feature { name: "use-start-timestamps", switch: |_, engine, on| engine.start_timestamps = on },
    Feature {
        name: "type-and-unit-labels",
        switch: |_, engine, on| engine.type_and_unit_labels = on,
    },
];

/// What `--enable-feature` says in its help.
pub(super) const ENABLE_HELP: &str = "Behave as a server with these features. The names are those of \
    the server's flag; type-and-unit-labels is the only one that is off";

/// What `--disable-feature` says in its help.
pub(super) const DISABLE_HELP: &str = "Behave as a server without these features. The names are those \
    of the server's flag: promql-experimental-functions, promql-extended-range-selectors, \
    promql-binop-fill-modifiers, promql-delayed-name-removal, use-start-timestamps";

impl Settings {
    /// Switches a feature on or off.
    ///
    /// # Errors
    /// For a feature that doesn't exist, with the names of those that do.
    pub(super) fn switch(&mut self, name: &str, on: bool) -> Result<(), String> {
        match FEATURES.iter().find(|feature| feature.name == name.trim()) {
            Some(feature) => {
                (feature.switch)(&mut self.features, &mut self.options.engine, on);
                (feature.switch)(&mut self.features, &mut self.unit_engine, on);
                Ok(())
            }
            None => {
                let names: Vec<&str> = FEATURES.iter().map(|feature| feature.name).collect();
                Err(format!("there is no feature `{name}`; there are {}", names.join(", ")))
            }
        }
    }
}
