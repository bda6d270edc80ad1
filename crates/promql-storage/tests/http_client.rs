//! Who asks and by what way: configuration files in, requests or diagnostics out.

mod support;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use promql_engine::QueryOptions;
use promql_model::QueryValue;
use promql_storage::remote::{
    Credentials, HttpOptions, LabelRequest, Proxy, RemoteOptions, RemoteServer, Secret, SigV4,
    TlsOptions, read_http_config,
};
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use support::folder::Folder;
use support::rendered;
use support::server::{Reply, Server};

const NAMES: &str = r#"{"status":"success","data":["a"]}"#;

/// How a server is asked that has a configuration.
fn configured(text: &str, folder: &Path) -> RemoteOptions {
    match read_http_config("client.yml", text.as_bytes(), folder) {
        Ok(http) => RemoteOptions { http, repetitions: 0, ..RemoteOptions::default() },
        Err(problems) => panic!("{}", rendered(&problems)),
    }
}

fn names(address: &str, options: RemoteOptions) -> Result<Vec<String>, String> {
    let server = RemoteServer::new(address, options).map_err(|error| error.to_string())?;
    match server.label_names(&LabelRequest::default()) {
        Ok(answer) => Ok(answer.data),
        Err(error) => Err(error.to_string()),
    }
}

/// The value of a header of a request.
fn header<'a>(request: &'a str, name: &str) -> Vec<&'a str> {
    let lines = request.lines().filter_map(|line| line.split_once(": "));
    lines.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
}

#[test]
fn who_asks_is_said_as_the_file_wants_it() {
    let folder = Folder::new("credentials");
    folder.file("password", " open sesame\n");
    folder.file("user", "bob\n");
    folder.file("key", "from a file\n");
    let table = [
        (
            "basic_auth: {username: alice, password_file: password}",
            "Basic YWxpY2U6b3BlbiBzZXNhbWU=",
        ),
        ("basic_auth: {username_file: user, password: p}", "Basic Ym9iOnA="),
        ("basic_auth: {username: alice}", "Basic YWxpY2U6"),
        ("authorization: {credentials: t}", "Bearer t"),
        ("authorization: {type: Token, credentials_file: password}", "Token open sesame"),
        ("bearer_token: old", "Bearer old"),
        ("bearer_token_file: password", "Bearer open sesame"),
        ("", ""),
    ];
    for (text, expected) in table {
        let server = Server::start(|_, _| Reply::json(200, NAMES));
        names(&server.address, configured(text, &folder.0)).expect("an answer");
        let requests = server.requests();
        assert_eq!(header(&requests[0], "authorization").join(","), expected, "{text}");
    }
    let text = "http_headers:\n  X-Scope-OrgID: {values: [team-a, team-b]}\n  \
        X-Key: {secrets: [s], files: [key]}\n";
    let server = Server::start(|_, _| Reply::json(200, NAMES));
    names(&server.address, configured(text, &folder.0)).expect("an answer");
    let requests = server.requests();
    assert_eq!(header(&requests[0], "x-scope-orgid"), ["team-a", "team-b"]);
    assert_eq!(header(&requests[0], "x-key"), ["s", "from a file"]);
}

#[test]
fn a_file_with_a_secret_is_read_for_each_request() {
    let folder = Folder::new("rotation");
    folder.file("token", "first");
    let server = Server::start(|_, _| Reply::json(200, NAMES));
    let options = configured("authorization: {credentials_file: token}", &folder.0);
    let remote = RemoteServer::new(&server.address, options).expect("an address");
    remote.label_names(&LabelRequest::default()).expect("an answer");
    folder.file("token", "second");
    remote.label_names(&LabelRequest::default()).expect("an answer");
    let tokens: Vec<_> =
        server.requests().iter().map(|r| header(r, "authorization").join("")).collect();
    assert_eq!(tokens, ["Bearer first", "Bearer second"]);
    std::fs::remove_file(folder.0.join("token")).expect("it was there");
    let error = remote.label_names(&LabelRequest::default()).expect_err("no token");
    assert!(error.to_string().contains("can't read the token from"), "{error}");
}

#[test]
fn tokens_are_got_kept_and_renewed() {
    let given = Arc::new(Mutex::new(0));
    let counter = Arc::clone(&given);
    let tokens = Server::start(move |_, request| {
        let mut given = counter.lock().expect("no panic");
        // Only a secret among the parameters is taken, as by some servers.
        if !request.contains("client_secret=s+1") {
            return Reply::json(401, r#"{"error":"invalid_client"}"#);
        }
        *given += 1;
        Reply::json(200, &format!(r#"{{"access_token":"t{given}","expires_in":3600}}"#))
    });
    let server = Server::start(|_, request| match request.contains("Bearer t2") {
        true => Reply::json(200, NAMES),
        false => Reply::Answer(401, String::new(), Vec::new()),
    });
    let text = format!(
        "oauth2: {{client_id: me, client_secret: s 1, token_url: '{}/token', scopes: [a, b], \
         endpoint_params: {{audience: x}}}}",
        tokens.address
    );
    let remote = RemoteServer::new(&server.address, configured(&text, Path::new("")));
    let remote = remote.expect("an address");
    for _ in 0..3 {
        remote.label_names(&LabelRequest::default()).expect("an answer");
    }
    // The first token was refused, the second was kept.
    assert_eq!(*given.lock().expect("no panic"), 2);
    assert_eq!(server.requests().len(), 4);
    let asked = tokens.requests();
    assert_eq!(header(&asked[0], "authorization"), ["Basic bWU6cysx"]);
    assert!(asked[0].ends_with("grant_type=client_credentials&scope=a+b&audience=x"), "{asked:?}");

    let refused = Server::start(|_, _| {
        Reply::json(400, r#"{"error":"invalid_scope","error_description":"no such scope"}"#)
    });
    let text = format!(
        "oauth2: {{client_id: me, client_secret: hidden, token_url: '{}/token'}}",
        refused.address
    );
    let remote = RemoteServer::new(&server.address, configured(&text, Path::new("")));
    let remote = remote.expect("an address");
    let error = remote.label_names(&LabelRequest::default()).expect_err("no token");
    let shown = rendered(&error).replace(server.port(), "PORT").replace(refused.port(), "TOKENS");
    insta::assert_snapshot!("no_token", shown);
}

#[test]
fn a_statement_is_signed_for_a_token() {
    let tokens = Server::start(|_, _| Reply::json(200, r#"{"access_token":"t"}"#));
    let server = Server::start(|_, _| Reply::json(200, NAMES));
    let folder = Folder::new("jwt");
    let ask = |key: &str| {
        folder.file("key.pem", key);
        let text = format!(
            "oauth2: {{client_id: me, client_certificate_key_file: key.pem, \
             client_certificate_key_id: k1, signature_algorithm: RS384, \
             grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', \
             token_url: '{}/token', claims: {{n: 1}}}}",
            tokens.address
        );
        names(&server.address, configured(&text, &folder.0))
    };
    assert_eq!(ask(RSA_KEY), Ok(vec!["a".to_owned()]));
    assert_eq!(header(&server.requests()[0], "authorization"), ["Bearer t"]);
    let asked = tokens.requests();
    // The head in base64: {"alg":"RS384","kid":"k1","typ":"JWT"}.
    let head = "assertion=eyJhbGciOiJSUzM4NCIsImtpZCI6ImsxIiwidHlwIjoiSldUIn0.";
    assert!(asked[0].contains(head), "{asked:?}");
    let error = ask("no key").expect_err("no key");
    assert!(error.contains("is no RSA key in PEM"), "{error}");
}

#[test]
fn requests_are_signed() {
    let server = Server::start(|_, _| Reply::json(200, NAMES));
    let keys = SigV4 {
        region: "eu-central-1".to_owned(),
        service: "aps".to_owned(),
        access_key: Secret::new("AK"),
        secret_key: Secret::new("hidden"),
        session_token: Some(Secret::new("session")),
    };
    let http = HttpOptions {
        credentials: Some(Credentials::SigV4(Box::new(keys))),
        ..HttpOptions::default()
    };
    names(&server.address, RemoteOptions { http, ..RemoteOptions::default() }).expect("an answer");
    let request = &server.requests()[0];
    let signature = header(request, "authorization").join("");
    assert!(signature.starts_with("AWS4-HMAC-SHA256 Credential=AK/2"), "{signature}");
    let scope =
        "/eu-central-1/aps/aws4_request, SignedHeaders=host;x-amz-date;x-amz-security-token";
    assert!(signature.contains(scope), "{signature}");
    assert_eq!(header(request, "x-amz-security-token"), ["session"]);
    assert!(!request.contains("hidden"));
}

#[test]
fn everything_wrong_with_a_file_is_shown_at_its_place() {
    let texts = [
        "basic_auth: {usrname: alice}\nproxy_from_enviroment: true\nfoo: 1\n",
        "basic_auth: {username: a}\nauthorization: {credentials: t}\n",
        "authorization: {credentials: t}\nbearer_token_file: x\n",
        "basic_auth: {username: a, password: x, password_file: y}\n",
        "basic_auth: {username: a, password_ref: y}\n",
        "authorization: {type: Basic, credentials: t}\n",
        "tls_config: {cert_file: a}\n",
        "tls_config: {key: a}\n",
        "tls_config: {ca: a, ca_file: b}\n",
        "tls_config: {min_version: TLS14}\n",
        "tls_config: {min_version: TLS13, max_version: TLS12}\n",
        "oauth2: {client_secret: hidden}\n",
        "oauth2: {client_id: a, token_url: b, grant_type: password}\n",
        "http_headers: {authorization: {values: [x]}}\n",
        "http_headers: {X-A: {value: [x]}, X-B: {values: x}}\n",
        "no_proxy: a\n",
        "proxy_url: http://p\nproxy_from_environment: true\n",
        "proxy_connect_header: {X-A: [b]}\n",
        "follow_redirects: perhaps\nenable_http2: [1]\n",
        "basic_auth: {username: a\n",
        "- 1\n",
        "follow_redirects: true\nfollow_redirects: true\n",
    ];
    let shown: Vec<String> = texts
        .iter()
        .map(|text| {
            let found = read_http_config("client.yml", text.as_bytes(), Path::new("/etc"));
            let problems = found.map(|_| text).expect_err("something is wrong");
            rendered(&problems)
        })
        .collect();
    assert!(!shown.join("").contains("hidden"));
    insta::assert_snapshot!("http_config", shown.join("\n\n"));
    assert_eq!(read_http_config("client.yml", b"", Path::new("")), Ok(HttpOptions::default()));
}

#[test]
fn proxies_are_asked_for_the_server() {
    let proxy = Server::start(|_, _| Reply::json(200, NAMES));
    let text = format!(
        "proxy_url: 'http://u:p@{}'\nno_proxy: 'direct.example,10.0.0.0/8'\n\
         proxy_connect_header: {{X-Told: [yes]}}\n",
        proxy.address.trim_start_matches("http://")
    );
    let options = configured(&text, Path::new(""));
    assert!(!format!("{options:?}").contains("u:p"));
    assert!(names("http://prometheus.invalid:9090", options.clone()).is_ok());
    let requests = proxy.requests();
    assert!(
        requests[0].starts_with("POST http://prometheus.invalid:9090/api/v1/labels HTTP/1.1"),
        "{requests:?}"
    );
    assert_eq!(header(&requests[0], "proxy-authorization"), ["Basic dTpw"]);
    // A tunnel for what is protected.
    let refused = names("https://prometheus.invalid:9443", options.clone()).expect_err("no tunnel");
    let requests = proxy.requests();
    assert!(requests[1].starts_with("CONNECT prometheus.invalid:9443 HTTP/1.1"), "{requests:?}");
    assert_eq!(header(&requests[1], "x-told"), ["yes"]);
    assert!(!refused.contains("u:p"), "{refused}");
    let error = names("http://direct.example:1", options).expect_err("no such host");
    assert!(error.contains("no host named `direct.example`"), "{error}");
    assert_eq!(proxy.requests().len(), 2);
}

/// A certificate authority.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Authority {
        let mut parameters = CertificateParams::new(Vec::new()).expect("parameters");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let pem = parameters.self_signed(&key).expect("a certificate").pem();
        Authority { issuer: Issuer::new(parameters, key), pem }
    }

    /// A certificate and its key, in PEM.
    fn certificate(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let mut parameters = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
        parameters.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().expect("a key");
        (parameters.signed_by(&key, &self.issuer).expect("a certificate"), key)
    }

    /// A server with a certificate for a name, that says by which name it was greeted. It wants to
    /// know who asks if `mutual`.
    fn serve(&self, name: &str, mutual: bool) -> (String, Arc<Mutex<Vec<Option<String>>>>) {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (certificate, key) = self.certificate(name);
        let builder = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions");
        let mut roots = rustls::RootCertStore::empty();
        roots.add_parsable_certificates(pem_certificates(&self.pem));
        let builder = match mutual {
            true => {
                let verifier = rustls::server::WebPkiClientVerifier::builder(Arc::new(roots));
                builder.with_client_cert_verifier(verifier.build().expect("a verifier"))
            }
            false => builder.with_no_client_auth(),
        };
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config =
            builder.with_single_cert(vec![certificate.der().clone()], key).expect("a certificate");
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let greeted = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&greeted);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let connection = rustls::ServerConnection::new(Arc::clone(&config));
                let mut tls = rustls::StreamOwned::new(connection.expect("a connection"), stream);
                let mut request = [0; 8192];
                if tls.read(&mut request).is_err() {
                    continue;
                }
                let name = tls.conn.server_name().map(str::to_owned);
                seen.lock().expect("no panic").push(name);
                let length = NAMES.len();
                let head = format!(
                    "HTTP/1.1 200 X\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{NAMES}"
                );
                let _ = tls.write_all(head.as_bytes());
                tls.conn.send_close_notify();
                let _ = tls.flush();
            }
        });
        (format!("127.0.0.1:{port}"), greeted)
    }
}

fn pem_certificates(pem: &str) -> Vec<rustls::pki_types::CertificateDer<'static>> {
    use rustls::pki_types::pem::PemObject;
    rustls::pki_types::CertificateDer::pem_slice_iter(pem.as_bytes()).flatten().collect()
}

#[test]
fn certificates_are_verified() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let folder = Folder::new("tls");
    folder.file("ours.pem", &ours.pem);
    folder.file("theirs.pem", &theirs.pem);
    let (plain, _) = ours.serve("127.0.0.1", false);
    let ask = |place: &str, text: &str| {
        let shown = names(&format!("https://{place}"), configured(text, &folder.0));
        shown.map_err(|error| error.replace(place, "PLACE"))
    };
    assert!(ask(&plain, "tls_config: {ca_file: ours.pem}").is_ok());
    assert!(ask(&plain, "tls_config: {ca_file: ours.pem, min_version: TLS13}").is_ok());
    assert!(ask(&plain, "tls_config: {insecure_skip_verify: true}").is_ok());
    let unknown = "no trusted connection to https://PLACE: invalid peer certificate: UnknownIssuer";
    assert_eq!(ask(&plain, ""), Err(unknown.to_owned()));
    let error = ask(&plain, "tls_config: {ca_file: theirs.pem}").expect_err("another authority");
    assert!(error.contains("invalid peer certificate"), "{error}");
    let error = ask(&plain, "tls_config: {ca_file: none.pem}").expect_err("no file");
    assert!(error.contains("can't read the certificate authorities from"), "{error}");
    let error = ask(&plain, "tls_config: {ca: x}").expect_err("no certificate");
    assert!(error.contains("are not PEM certificates"), "{error}");

    // A name that is not the host's: it is asked for, and verified.
    let (named, greeted) = ours.serve("prometheus.internal", false);
    assert!(ask(&named, "tls_config: {ca_file: ours.pem}").is_err());
    let text = "tls_config: {ca_file: ours.pem, server_name: prometheus.internal}";
    assert_eq!(ask(&named, text), Ok(vec!["a".to_owned()]));
    assert_eq!(
        greeted.lock().expect("no panic").last(),
        Some(&Some("prometheus.internal".to_owned()))
    );
    let wrong = text.replace("prometheus.internal", "other.internal");
    assert!(ask(&named, &wrong).expect_err("another name").contains("not valid for name"));

    // Both sides say who they are.
    let (mutual, _) = ours.serve("127.0.0.1", true);
    let (certificate, key) = ours.certificate("me");
    folder.file("me.pem", certificate.pem());
    folder.file("me.key", key.serialize_pem());
    let with = "tls_config: {ca_file: ours.pem, cert_file: me.pem, key_file: me.key}";
    assert_eq!(ask(&mutual, with), Ok(vec!["a".to_owned()]));
    assert!(ask(&mutual, "tls_config: {ca_file: ours.pem}").is_err());
    let swapped = "tls_config: {ca_file: ours.pem, cert_file: me.key, key_file: me.key}";
    assert!(ask(&mutual, swapped).expect_err("no certificate").contains("not a certificate"));
}

#[test]
fn options_that_can_not_go_together_are_refused() {
    let http = HttpOptions {
        tls: TlsOptions { server_name: Some("x".to_owned()), ..TlsOptions::default() },
        proxy: Proxy::Server {
            address: Secret::new("http://127.0.0.1:1"),
            except: String::new(),
            headers: Vec::new(),
        },
        ..HttpOptions::default()
    };
    let options = RemoteOptions { http, ..RemoteOptions::default() };
    let error = RemoteServer::new("https://h", options).expect_err("no way");
    assert!(error.to_string().contains("server_name cannot be used through a proxy"), "{error}");
}

#[test]
fn a_server_that_asks_for_patience_gets_it() {
    let server = Server::start(|number, _| match number {
        0 => Reply::Answer(429, "Retry-After: 1\r\n".to_owned(), Vec::new()),
        _ => Reply::json(200, NAMES),
    });
    let started = Instant::now();
    assert!(names(&server.address, RemoteOptions::default()).is_ok());
    assert!(started.elapsed() >= Duration::from_secs(1), "{:?}", started.elapsed());
    // Nobody waits longer than for the answer itself.
    let server = Server::start(|_, _| {
        Reply::Answer(503, "Retry-After: 3600\r\n".to_owned(), b"busy".to_vec())
    });
    let remote = RemoteServer::new(&server.address, RemoteOptions::default()).expect("an address");
    let error = remote.label_names(&LabelRequest::default()).expect_err("busy");
    let shown = rendered(&error).replace(server.port(), "PORT");
    insta::assert_snapshot!("patience", shown);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn redirects_can_be_refused() {
    let server =
        Server::start(|_, _| Reply::Answer(307, "Location: /elsewhere\r\n".to_owned(), Vec::new()));
    let options = configured("follow_redirects: false", Path::new(""));
    let error = names(&server.address, options).expect_err("a redirect");
    assert!(error.contains("/elsewhere instead of answering (status 307)"), "{error}");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_long_range_is_asked_for_in_slices() {
    let server = Server::start(|_, request| {
        let body = request.rsplit("\r\n").next().unwrap_or_default();
        let parameter = |name: &str| {
            let pair = body.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
            pair.and_then(|text| text.parse::<i64>().ok()).unwrap_or(-1)
        };
        let (start, end) = (parameter("start"), parameter("end"));
        assert!((end - start) / 2 <= 11_000, "{body}");
        // One series at every step, and one that is there only in the end.
        let points: Vec<String> =
            (start..=end).step_by(2).map(|t| format!("[{t},\"{t}\"]")).collect();
        let late = match end >= 60_000 {
            true => r#",{"metric":{"a":"0"},"values":[[60000,"1"]]}"#,
            false => "",
        };
        Reply::json(
            200,
            &format!(
                r#"{{"status":"success","infos":["PromQL info: i (1:1)"],"data":{{"resultType":"matrix","result":[{{"metric":{{"a":"1"}},"values":[{}]}}{late}]}}}}"#,
                points.join(",")
            ),
        )
    });
    let remote = RemoteServer::new(&server.address, RemoteOptions::default()).expect("an address");
    let options = QueryOptions::range(0, 70_001_000, Duration::from_secs(2));
    let result = remote.query("x", &options).expect("an answer");
    assert_eq!(server.requests().len(), 4);
    assert_eq!(result.annotations.len(), 1);
    let QueryValue::Matrix(series) = result.value else { panic!("a matrix") };
    let jobs: Vec<_> = series.iter().map(|s| s.labels.get("a").unwrap_or_default()).collect();
    assert_eq!(jobs, ["0", "1"]);
    let floats = &series[1].floats;
    assert_eq!(floats.len(), 35_001);
    assert!(floats.windows(2).all(|pair| pair[1].0 - pair[0].0 == 2000));
    assert!(floats.iter().all(|(time, value)| *time as f64 == value * 1000.0));
}

/// Made for this test, and good for nothing else.
const RSA_KEY: &str = include_str!("data/rsa-for-tests.pem");
