//! The rules that a server evaluates, and what they say.

use std::collections::BTreeMap;

use promql_engine::Cancellation;
use serde::Deserialize;

use super::{RemoteError, RemoteServer};

/// A rule of a server, with its state.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct ServerRule {
    /// The group that it is in.
    #[serde(skip)]
    pub group: String,
    /// The file of the group.
    #[serde(skip)]
    pub file: String,
    /// The recorded metric, or the name of the alert.
    pub name: String,
    /// `alerting` or `recording`.
    #[serde(rename = "type")]
    pub rule_type: String,
    /// The expression.
    pub query: String,
    /// `firing`, `pending` or `inactive` of an alert; nothing of a recording rule.
    pub state: String,
    /// `ok`, `err` or `unknown`.
    pub health: String,
    /// Why the last evaluation failed; nothing if it didn't.
    #[serde(rename = "lastError")]
    pub last_error: String,
    /// What fires or is about to.
    pub alerts: Vec<ServerAlert>,
}

/// An alert of a server.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct ServerAlert {
    /// Its labels, `alertname` among them.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// `firing` or `pending`.
    pub state: String,
    /// Since when, in RFC 3339.
    #[serde(rename = "activeAt")]
    pub active_at: String,
    /// The value, as the server prints it.
    pub value: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Groups {
    groups: Vec<Group>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Group {
    name: String,
    file: String,
    rules: Vec<ServerRule>,
}

impl RemoteServer {
    /// The rules that the server evaluates, in the order of their groups.
    ///
    /// # Errors
    /// See [`super::RemoteErrorKind`]. Not every server has rules.
    pub fn rules(&self, cancellation: &Cancellation) -> Result<Vec<ServerRule>, RemoteError> {
        let response = self.get(&["rules"], Vec::new(), cancellation)?;
        let groups = self.read::<Groups>(&response, None)?.data.unwrap_or_default().groups;
        let of_group = |group: Group| {
            let Group { name, file, rules } = group;
            rules.into_iter().map(move |rule| ServerRule {
                group: name.clone(),
                file: file.clone(),
                ..rule
            })
        };
        Ok(groups.into_iter().flat_map(of_group).collect())
    }
}
