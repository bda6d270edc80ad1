//! The flags that say how a server is asked.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum, ValueHint};
use promql_storage::UnionOptions;
use promql_storage::remote::{
    Credentials, HttpOptions, Proxy, RemoteOptions, Secret, SigV4, TlsVersion, read_http_config,
};

use super::limits::size;
use super::usage;
use crate::commands::Stop;
use crate::time::range;

/// How a server is asked.
#[derive(Clone, Debug, Args, Default)]
#[command(next_help_heading = "Server")]
pub struct ServerFlags {
    /// An HTTP client configuration file, as Prometheus and promtool have it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(env = "PROMQL_HTTP_CONFIG", hide_env_values = true)]
    pub http_config: Option<PathBuf>,
    /// A header to send, as 'X-Scope-OrgID: team-a'; may be given several times
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE", hide_env_values = true)]
    pub headers: Vec<String>,
    /// Whose data is asked for: the header X-Scope-OrgID
    #[arg(long, value_name = "TENANT", env = "PROMQL_TENANT", hide_env_values = true)]
    pub tenant: Option<String>,
    /// A file that holds a bearer token
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(conflicts_with_all = ["basic_auth", "sigv4"])]
    pub bearer_token_file: Option<PathBuf>,
    /// A bearer token that somebody else has got.
    #[arg(skip)]
    pub token: Option<Secret>,
    /// A user, and the file that holds the password
    #[arg(long, value_name = "USER:PASSWORDFILE", conflicts_with = "sigv4")]
    pub basic_auth: Option<String>,
    /// Sign requests for Amazon's Prometheus, with the keys that AWS_… or ~/.aws/credentials hold
    #[arg(long, value_name = "REGION")]
    pub sigv4: Option<String>,
    /// Certificate authorities to trust besides the system's: a PEM file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub ca_file: Option<PathBuf>,
    /// A certificate that proves to the server who asks: a PEM file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "key_file")]
    pub cert_file: Option<PathBuf>,
    /// The private key of that certificate: a PEM file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "cert_file")]
    pub key_file: Option<PathBuf>,
    /// The name that the server's certificate has [default: the host of the address]
    #[arg(long, value_name = "NAME")]
    pub server_name: Option<String>,
    /// The lowest version of TLS to speak
    #[arg(long, value_name = "VERSION", value_enum)]
    pub min_tls: Option<MinTls>,
    /// Talk to servers that can't prove who they are
    #[arg(long)]
    pub insecure: bool,
    /// A proxy to ask through [default: what HTTPS_PROXY, HTTP_PROXY and NO_PROXY say]
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub proxy: Option<String>,
    /// Hosts to ask without a proxy, with commas between; `*` for all
    #[arg(long, value_name = "HOSTS")]
    pub no_proxy: Option<String>,
    /// Use GET requests only, for proxies that refuse POST
    #[arg(long)]
    pub get: bool,
    /// Keep the labels that a server adds to all series when its raw samples are read
    #[arg(long)]
    pub keep_external_labels: bool,
    /// How often to ask again when a server is busy or a connection breaks [default: 2]
    #[arg(long, value_name = "COUNT")]
    pub retries: Option<u32>,
    /// How long it may take to connect [default: 5s]
    #[arg(long, value_name = "DURATION")]
    pub connect_timeout: Option<String>,
    /// How large an answer may be, as 500MB or 2GiB [default: 256MiB]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub max_answer: Option<usize>,
    /// A label that tells replicas apart, which become one series; may be given several times
    #[arg(long = "replica-label", value_name = "LABEL", help_heading = "Several sources")]
    pub replica_labels: Vec<String>,
    /// Leave out sources that fail, with a warning
    #[arg(long, help_heading = "Several sources")]
    pub leave_out_failing: bool,
}

/// The versions of TLS that are spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MinTls {
    /// TLS 1.2
    #[value(name = "1.2")]
    Tls12,
    /// TLS 1.3
    #[value(name = "1.3")]
    Tls13,
}

impl ServerFlags {
    /// The options for a server, with the timeout of a query: those of the configuration file, and over them those of the flags
    /// and of the environment. Secrets come from files or the environment, so that neither the list
    /// of processes nor a shell's history shows them.
    ///
    /// # Errors
    /// When a file can't be read or a flag has another form; no message holds a secret.
    pub fn options(&self, timeout: Option<Duration>) -> Result<RemoteOptions, Stop> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let mut options = self.options_in(variable)?;
        options.timeout = timeout.unwrap_or(options.timeout);
        Ok(options)
    }

    /// How several sources are put together.
    pub fn union(&self) -> UnionOptions {
        UnionOptions {
            replica_labels: self.replica_labels.clone(),
            leave_out_failing: self.leave_out_failing,
        }
    }

    fn options_in(&self, variable: impl Fn(&str) -> Option<String>) -> Result<RemoteOptions, Stop> {
        let mut options = RemoteOptions {
            get_only: self.get,
            keep_external_labels: self.keep_external_labels,
            ..RemoteOptions::default()
        };
        if let Some(path) = &self.http_config {
            options.http = http_config(path)?;
        }
        self.set_headers(&mut options.http, &variable)?;
        self.set_credentials(&mut options.http, &variable)?;
        self.set_tls(&mut options.http)?;
        self.set_proxy(&mut options.http)?;
        options.repetitions = self.retries.unwrap_or(options.repetitions);
        options.most_bytes = self.max_answer.unwrap_or(options.most_bytes);
        if let Some(text) = &self.connect_timeout {
            let milliseconds = range::duration("connect-timeout", text).map_err(usage)?;
            options.connect_timeout = Duration::from_millis(milliseconds.unsigned_abs());
        }
        Ok(options)
    }

    /// Headers of flags, then of the environment. What is said there counts instead of what the
    /// file says.
    fn set_headers(
        &self,
        http: &mut HttpOptions,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<(), Stop> {
        let mut headers = Vec::new();
        let mut read = |what: &str, text: &str| {
            let Some((name, value)) = text.split_once(':') else {
                return Err(Stop::Usage(format!(
                    "{what} wants a name and a value with a colon between, as 'X-Scope-OrgID: \
                     team-a'"
                )));
            };
            headers.push((name.trim().to_string(), Secret::from(value.trim())));
            Ok(())
        };
        self.headers.iter().try_for_each(|text| read("--header", text))?;
        let lines = variable("PROMQL_HEADERS").unwrap_or_default();
        let lines = lines.lines().filter(|line| !line.trim().is_empty());
        lines.into_iter().try_for_each(|line| read("PROMQL_HEADERS", line))?;
        if let Some(tenant) = &self.tenant {
            headers.push(("X-Scope-OrgID".to_string(), Secret::from(tenant.as_str())));
        }
        let again = |(name, _): &(String, Secret)| {
            headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name))
        };
        http.headers.retain(|header| !again(header));
        http.headers.append(&mut headers);
        Ok(())
    }

    /// Who asks: by the flags, else by the file, else by the environment.
    fn set_credentials(
        &self,
        http: &mut HttpOptions,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<(), Stop> {
        if let Some(token) = &self.token {
            http.credentials = Some(Credentials::bearer(token.clone()));
        } else if let Some(path) = &self.bearer_token_file {
            http.credentials = Some(Credentials::bearer(secret(path).map_err(Stop::Usage)?));
        } else if let Some(text) = &self.basic_auth {
            http.credentials = Some(basic_auth(text).map_err(Stop::Usage)?);
        } else if let Some(region) = &self.sigv4 {
            let keys = SigV4::from_environment(region, None, variable).map_err(Stop::Usage)?;
            http.credentials = Some(Credentials::SigV4(Box::new(keys)));
        } else if http.credentials.is_none() {
            let token = variable("PROMQL_TOKEN").map(Secret::from);
            let token = token.or_else(|| variable("PROMQL_TOKEN_FILE").map(Secret::in_file));
            let user = variable("PROMQL_USERNAME").map(|user| Credentials::Basic {
                user: Secret::from(user),
                password: Secret::from(variable("PROMQL_PASSWORD").unwrap_or_default()),
            });
            http.credentials = token.map(Credentials::bearer).or(user);
        }
        Ok(())
    }

    fn set_tls(&self, http: &mut HttpOptions) -> Result<(), Stop> {
        let tls = &mut http.tls;
        for (flag, path) in [
            ("ca-file", &self.ca_file),
            ("cert-file", &self.cert_file),
            ("key-file", &self.key_file),
        ] {
            let Some(path) = path else { continue };
            if let Err(error) = std::fs::File::open(path) {
                let path = path.display();
                return Err(Stop::Usage(format!("can't read --{flag} {path}: {error}")));
            }
        }
        if let Some(path) = &self.ca_file {
            tls.authorities = Some(Secret::in_file(path));
            tls.only_these_authorities = false;
        }
        if let (Some(certificate), Some(key)) = (&self.cert_file, &self.key_file) {
            tls.certificate = Some((Secret::in_file(certificate), Secret::in_file(key)));
        }
        if let Some(name) = &self.server_name {
            tls.server_name = Some(name.clone());
        }
        tls.min_version = match self.min_tls {
            Some(MinTls::Tls12) => Some(TlsVersion::Tls12),
            Some(MinTls::Tls13) => Some(TlsVersion::Tls13),
            None => tls.min_version,
        };
        tls.skip_verification |= self.insecure;
        Ok(())
    }

    fn set_proxy(&self, http: &mut HttpOptions) -> Result<(), Stop> {
        let hosts = self.no_proxy.as_deref();
        if hosts == Some("*") {
            http.proxy = Proxy::None;
        } else if let Some(address) = &self.proxy {
            let (address, except) =
                (address.as_str().into(), hosts.unwrap_or_default().to_string());
            http.proxy = Proxy::Server { address, except, headers: Vec::new() };
        } else if let Some(hosts) = hosts {
            match &mut http.proxy {
                Proxy::Server { except, .. } => *except = hosts.to_string(),
                _ => {
                    return Err(Stop::Usage(
                        "--no-proxy makes exceptions from a --proxy; those from HTTPS_PROXY are \
                         in the environment variable NO_PROXY"
                            .to_string(),
                    ));
                }
            }
        }
        Ok(())
    }
}

fn http_config(path: &Path) -> Result<HttpOptions, Stop> {
    let name = path.display().to_string();
    let text = std::fs::read(path)
        .map_err(|error| Stop::Usage(format!("can't read --http-config {name}: {error}")))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    read_http_config(&name, &text, folder).map_err(|problems| Stop::Report(Box::new(problems)))
}

/// A user, and the file that holds the password.
fn basic_auth(text: &str) -> Result<Credentials, String> {
    let Some((user, path)) = text.split_once(':') else {
        return Err("--basic-auth wants a user and the file that holds the password, as \
            alice:/run/secrets/prometheus"
            .to_string());
    };
    let password = secret(Path::new(path)).map_err(|error| {
        // Somebody may have written the password itself.
        match Path::new(path).exists() {
            true => error,
            false => "--basic-auth: there is no such file; what follows the colon is a file that \
                holds the password, not the password"
                .to_string(),
        }
    })?;
    Ok(Credentials::Basic { user: Secret::from(user), password })
}

/// A file that holds a secret, and does so now.
fn secret(path: &Path) -> Result<Secret, String> {
    let error = |e: std::io::Error| format!("can't read {}: {e}", path.display());
    let text = std::fs::read_to_string(path).map_err(error)?;
    if text.trim().is_empty() {
        return Err(format!("{} is empty, and a secret was expected in it", path.display()));
    }
    Ok(Secret::in_file(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(flags: ServerFlags, variables: &[(&str, &str)]) -> Result<RemoteOptions, Stop> {
        flags.options_in(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_string())
        })
    }

    #[test]
    fn no_secret_is_said() {
        let flags = ServerFlags { basic_auth: Some("bob:hunter2".into()), ..Default::default() };
        assert!(!options(flags, &[]).unwrap_err().to_string().contains("hunter2"));
        let flags = ServerFlags { headers: vec!["hunter2".into()], ..Default::default() };
        assert!(!options(flags, &[]).unwrap_err().to_string().contains("hunter2"));
        let flags = ServerFlags { headers: vec!["A: hunter2".into()], ..Default::default() };
        let variables = [("PROMQL_TOKEN", "hunter2"), ("PROMQL_HEADERS", "B: hunter2\n")];
        let shown = format!("{:?}", options(flags, &variables).unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn the_environment_fills_gaps() {
        let variables = [("PROMQL_USERNAME", "bob"), ("PROMQL_PASSWORD", "p")];
        let bob = Credentials::Basic { user: Secret::from("bob"), password: Secret::from("p") };
        let found = options(ServerFlags::default(), &variables).unwrap();
        assert_eq!(found.http.credentials, Some(bob));
        let variables = [("PROMQL_TOKEN", "t"), ("PROMQL_USERNAME", "bob")];
        let found = options(ServerFlags::default(), &variables).unwrap();
        assert_eq!(found.http.credentials, Some(Credentials::bearer("t")));
        let variables = [("PROMQL_HEADERS", "A: 1\n\n B : 2:3 ")];
        let tenant = ServerFlags { tenant: Some("team".into()), ..Default::default() };
        let expected = [("A", "1"), ("B", "2:3"), ("X-Scope-OrgID", "team")];
        let expected = expected.map(|(name, value)| (name.to_string(), Secret::from(value)));
        assert_eq!(options(tenant, &variables).unwrap().http.headers, expected);
    }

    #[test]
    fn exceptions_need_a_proxy() {
        let flags = ServerFlags { no_proxy: Some("a,b".into()), ..Default::default() };
        assert!(options(flags, &[]).is_err());
        let flags = ServerFlags { no_proxy: Some("*".into()), ..Default::default() };
        assert_eq!(options(flags, &[]).unwrap().http.proxy, Proxy::None);
    }
}
