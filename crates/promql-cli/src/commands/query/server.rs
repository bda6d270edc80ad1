//! The flags that say how a server is asked.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use promql_storage::remote::{Credentials, RemoteOptions, Secret};

/// How a server is asked.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "Server")]
pub struct ServerFlags {
    /// A header to send, as 'X-Scope-OrgID: team-a'; may be given several times
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE", hide_env_values = true)]
    pub headers: Vec<String>,
    /// A file that holds a bearer token
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(conflicts_with = "basic_auth")]
    pub bearer_token_file: Option<PathBuf>,
    /// A user, and the file that holds the password
    #[arg(long, value_name = "USER:PASSWORDFILE")]
    pub basic_auth: Option<String>,
    /// Certificate authorities to trust besides the system's: a PEM file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub ca_file: Option<PathBuf>,
    /// Talk to servers that can't prove who they are
    #[arg(long)]
    pub insecure: bool,
    /// Use GET requests only, for proxies that refuse POST
    #[arg(long)]
    pub get: bool,
}

impl ServerFlags {
    /// The options for a server. Secrets come from files, so that neither the list of processes
    /// nor a shell's history shows them.
    ///
    /// # Errors
    /// When a file can't be read or a flag has another form; the text never holds a secret.
    pub fn options(&self) -> Result<RemoteOptions, String> {
        let mut options = RemoteOptions {
            skip_certificate_check: self.insecure,
            get_only: self.get,
            ..RemoteOptions::default()
        };
        for header in &self.headers {
            let Some((name, value)) = header.split_once(':') else {
                return Err("--header wants a name and a value with a colon between, as \
                    'X-Scope-OrgID: team-a'"
                    .to_string());
            };
            options.headers.push((name.trim().to_string(), Secret::from(value.trim())));
        }
        if let Some(path) = &self.bearer_token_file {
            options.credentials = Some(Credentials::Bearer(secret(path)?));
        }
        if let Some(text) = &self.basic_auth {
            let Some((user, path)) = text.split_once(':') else {
                return Err("--basic-auth wants a user and the file that holds the password, as \
                    alice:/run/secrets/prometheus"
                    .to_string());
            };
            let password = secret(Path::new(path)).map_err(|error| {
                // Somebody may have written the password itself.
                match Path::new(path).exists() {
                    true => error,
                    false => "--basic-auth: there is no such file; what follows the colon is a \
                        file that holds the password, not the password"
                        .to_string(),
                }
            })?;
            options.credentials = Some(Credentials::Basic { user: user.to_string(), password });
        }
        if let Some(path) = &self.ca_file {
            let error = |e| format!("can't read --ca-file {}: {e}", path.display());
            options.certificate_authorities = std::fs::read(path).map_err(error)?;
        }
        Ok(options)
    }
}

/// The content of a file without the line break at its end.
fn secret(path: &Path) -> Result<Secret, String> {
    let error = |e: std::io::Error| format!("can't read {}: {e}", path.display());
    let text = std::fs::read_to_string(path).map_err(error)?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(format!("{} is empty, and a secret was expected in it", path.display()));
    }
    Ok(Secret::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_said() {
        let flags = ServerFlags { basic_auth: Some("bob:hunter2".into()), ..Default::default() };
        assert!(!flags.options().unwrap_err().contains("hunter2"));
        let flags = ServerFlags { headers: vec!["hunter2".into()], ..Default::default() };
        assert!(!flags.options().unwrap_err().contains("hunter2"));
        let flags = ServerFlags { headers: vec!["A: hunter2".into()], ..Default::default() };
        assert!(!format!("{:?}", flags.options().unwrap()).contains("hunter2"));
    }
}
