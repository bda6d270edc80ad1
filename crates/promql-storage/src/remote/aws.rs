//! Where the keys of an account of Amazon Web Services are, by their own conventions.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::credentials::{Secret, SigV4};

/// The name of their Prometheus service.
const SERVICE: &str = "aps";

impl SigV4 {
    /// The keys that the environment says, for a region of Amazon's Prometheus: by the variables
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`, else by the profile
    /// (the one given, `AWS_PROFILE`, or `default`) of the file `AWS_SHARED_CREDENTIALS_FILE` or
    /// `~/.aws/credentials`. `variable` looks up a variable.
    ///
    /// # Errors
    /// When there are no keys, with what to do.
    pub fn from_environment(
        region: &str,
        profile: Option<&str>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<SigV4, String> {
        let keys = |access_key: String, secret_key: String, session_token: Option<String>| SigV4 {
            region: region.to_owned(),
            service: SERVICE.to_owned(),
            access_key: Secret::from(access_key),
            secret_key: Secret::from(secret_key),
            session_token: session_token.map(Secret::from),
        };
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        if profile.is_none()
            && let Some(access_key) = variable("AWS_ACCESS_KEY_ID")
        {
            let Some(secret_key) = variable("AWS_SECRET_ACCESS_KEY") else {
                return Err("AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY is not".to_owned());
            };
            return Ok(keys(access_key, secret_key, variable("AWS_SESSION_TOKEN")));
        }
        let path = variable("AWS_SHARED_CREDENTIALS_FILE").map(PathBuf::from);
        let path = path.or_else(|| Some(Path::new(&variable("HOME")?).join(".aws/credentials")));
        let profile = profile.map(str::to_owned).or_else(|| variable("AWS_PROFILE"));
        let profile = profile.unwrap_or_else(|| "default".to_owned());
        let none = |reason: &str| {
            Err(format!(
                "no keys to sign requests with: {reason}; set AWS_ACCESS_KEY_ID and \
                 AWS_SECRET_ACCESS_KEY, or put them into ~/.aws/credentials"
            ))
        };
        let Some(path) = path else { return none("there is no home folder") };
        let Ok(text) = std::fs::read_to_string(&path) else {
            return none(&format!("{} can't be read", path.display()));
        };
        let mut found = section(&text, &profile);
        let mut take = |key: &str| found.remove(key).filter(|value| !value.is_empty());
        match (take("aws_access_key_id"), take("aws_secret_access_key")) {
            (Some(access_key), Some(secret_key)) => {
                Ok(keys(access_key, secret_key, take("aws_session_token")))
            }
            _ => none(&format!("{} has no keys in its profile `{profile}`", path.display())),
        }
    }
}

/// The pairs of a section of a file `[name]`, `key = value`.
fn section(text: &str, name: &str) -> HashMap<String, String> {
    let mut inside = false;
    let mut pairs = HashMap::new();
    for line in text.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[') {
            let header = header.trim_end_matches(']').trim();
            inside = header.strip_prefix("profile ").unwrap_or(header).trim() == name;
        } else if inside
            && !line.starts_with(['#', ';'])
            && let Some((key, value)) = line.split_once('=')
        {
            pairs.insert(key.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_from_the_environment() {
        let variables = |name: &str| match name {
            "AWS_ACCESS_KEY_ID" => Some("id".to_owned()),
            "AWS_SECRET_ACCESS_KEY" => Some("key".to_owned()),
            _ => None,
        };
        let keys = SigV4::from_environment("eu-central-1", None, variables).expect("keys");
        assert_eq!(keys.access_key, Secret::new("id"));
        assert_eq!(keys.service, "aps");
        let half = |name: &str| (name == "AWS_ACCESS_KEY_ID").then(|| "id".to_owned());
        assert!(SigV4::from_environment("x", None, half).is_err());
        assert!(SigV4::from_environment("x", None, |_| None).is_err());
    }

    #[test]
    fn a_file_has_profiles() {
        let text = "[default]\naws_access_key_id = a\n# no\n[profile b]\nAWS_ACCESS_KEY_ID=c=d\n";
        assert_eq!(section(text, "default")["aws_access_key_id"], "a");
        assert_eq!(section(text, "b")["aws_access_key_id"], "c=d");
        assert!(section(text, "other").is_empty());
    }
}
