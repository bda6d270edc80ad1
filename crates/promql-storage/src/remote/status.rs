//! What a server says about how it was started.

use std::collections::BTreeMap;

use promql_engine::Cancellation;
use serde::Deserialize;

use super::{RemoteError, RemoteServer};

/// What a server knows of its state, as far as somebody needs it.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct RuntimeInfo {
    /// How long it keeps samples, as `15d`, `10GiB` or `15d or 10GiB`.
    #[serde(rename = "storageRetention")]
    pub storage_retention: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Configuration {
    yaml: String,
}

impl RemoteServer {
    /// The flags that the server was started with, by their names without dashes.
    ///
    /// # Errors
    /// See [`super::RemoteErrorKind`]. Not every server has this.
    pub fn flags(
        &self,
        cancellation: &Cancellation,
    ) -> Result<BTreeMap<String, String>, RemoteError> {
        let response = self.get(&["status", "flags"], Vec::new(), cancellation)?;
        Ok(self.read::<BTreeMap<String, String>>(&response, None)?.data.unwrap_or_default())
    }

    /// What the server knows of its state.
    ///
    /// # Errors
    /// See [`super::RemoteErrorKind`]. Not every server has this.
    pub fn runtime_info(&self, cancellation: &Cancellation) -> Result<RuntimeInfo, RemoteError> {
        let response = self.get(&["status", "runtimeinfo"], Vec::new(), cancellation)?;
        Ok(self.read::<RuntimeInfo>(&response, None)?.data.unwrap_or_default())
    }

    /// The configuration of the server, in YAML, as it prints it: with all secrets masked.
    ///
    /// # Errors
    /// See [`super::RemoteErrorKind`]. Not every server has this.
    pub fn configuration(&self, cancellation: &Cancellation) -> Result<String, RemoteError> {
        let response = self.get(&["status", "config"], Vec::new(), cancellation)?;
        Ok(self.read::<Configuration>(&response, None)?.data.unwrap_or_default().yaml)
    }
}
