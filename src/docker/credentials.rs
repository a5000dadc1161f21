//! Registry credentials from a file in the form of Docker's own `config.json`.

use super::json;
use crate::sorted::Map;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

/// Under this name Docker's client keeps the login to Docker Hub, and sends it.
const HUB_KEY: &str = "https://index.docker.io/v1/";
/// What stands for Docker Hub in image references.
const HUB: &str = "docker.io";
/// Other names of it.
const HUB_ALIASES: [&str; 2] = ["index.docker.io", "registry-1.docker.io"];

/// The `auths` of the file. Never shown: its `Debug` tells hosts only.
#[derive(Clone, Default)]
pub struct Credentials {
    by_host: Map<String, Login>,
}

impl core::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Credentials for ")?;
        f.debug_list().entries(self.by_host.keys()).finish()
    }
}

/// What is sent: no `Debug`, so that nobody shows it.
#[derive(Clone, Serialize)]
#[serde(untagged)]
enum Login {
    Password { username: String, password: String, serveraddress: String },
    Token { identitytoken: String, serveraddress: String },
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    auths: Map<String, Entry>,
    #[serde(default, rename = "credsStore")]
    store: Option<IgnoredAny>,
    #[serde(default, rename = "credHelpers")]
    helpers: Option<IgnoredAny>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: String,
    username: String,
    password: String,
    identitytoken: String,
}

impl Credentials {
    /// Reads the JSON of a `config.json`.
    ///
    /// # Errors
    /// In words, without any of the file's content.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: File = json::parse(text).map_err(|error| {
            // Its own words may quote a password.
            let (line, column) = (error.line(), error.column());
            format!("not in the form of Docker's config.json (line {line}, column {column})")
        })?;
        let mut entries: Vec<_> = file.auths.into_iter().collect();
        // A host alone goes before a host with a path.
        entries.sort_by_key(|(key, _)| key.len());
        let mut by_host = Map::new();
        for (key, entry) in entries {
            let host = host(&key);
            if let Some(login) = login(host, entry)? {
                by_host.get_or_insert_with(host.to_owned(), || login);
            }
        }
        if by_host.is_empty() {
            return Err(match (file.store, file.helpers) {
                (None, None) => "it holds no credentials: its auths are empty".to_owned(),
                (Some(_), _) | (None, Some(_)) => {
                    "its passwords are in a credential store (credsStore, credHelpers), \
                    which is not asked here: make a file of its own with docker --config DIR login REGISTRY"
                        .to_owned()
                }
            });
        }
        Ok(Self { by_host })
    }

    /// The value of `X-Registry-Auth` for this registry host (`docker.io` for Docker Hub).
    pub fn header(&self, registry: &str) -> Option<String> {
        let login = self.by_host.get(host(registry))?;
        let json = serde_json::to_vec(login).expect("strings are JSON");
        Some(URL_SAFE.encode(json))
    }
}

/// `https://index.docker.io/v1/` → `docker.io`.
fn host(key: &str) -> &str {
    let key = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    let host = key.split_once('/').map_or(key, |(host, _)| host);
    if HUB_ALIASES.contains(&host) { HUB } else { host }
}

/// Nothing for an entry whose password is elsewhere.
fn login(host: &str, entry: Entry) -> Result<Option<Login>, String> {
    let serveraddress = if host == HUB { HUB_KEY } else { host }.to_owned();
    let Entry { auth, username, password, identitytoken } = entry;
    if !identitytoken.is_empty() {
        return Ok(Some(Login::Token { identitytoken, serveraddress }));
    }
    if !username.is_empty() {
        return Ok(Some(Login::Password { username, password, serveraddress }));
    }
    if auth.is_empty() {
        return Ok(None);
    }
    let bad = || format!("the auth of {host} is not the base64 of NAME:PASSWORD");
    let decoded = String::from_utf8(STANDARD.decode(auth.trim()).map_err(|_| bad())?).map_err(|_| bad())?;
    // Docker's own client ends the password at a zero byte.
    let (username, password) = decoded.trim_end_matches('\0').split_once(':').ok_or_else(bad)?;
    if username.is_empty() {
        return Err(bad());
    }
    Ok(Some(Login::Password { username: username.into(), password: password.into(), serveraddress }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = r#"{
        "auths": {
            "10.0.10.40:5001": {"auth": "bGFiOmxhYi1zZWNyZXQ="},
            "https://index.docker.io/v1/": {"username": "me", "password": "p?w:d>", "email": "x"},
            "https://index.docker.io/v1/access-token": {},
            "https://ghcr.io/me": {"auth": "YTpi"},
            "ghcr.io": {"identitytoken": "tok"},
            "quay.io": {}
        },
        "credsStore": "desktop", "HttpHeaders": {"User-Agent": "x"}
    }"#;

    fn shown(credentials: &Credentials, registry: &str) -> Option<String> {
        let header = credentials.header(registry)?;
        Some(String::from_utf8(URL_SAFE.decode(header).unwrap()).unwrap())
    }

    #[test]
    fn each_registry_gets_its_own_login() {
        let credentials = Credentials::parse(CONFIG).unwrap();
        // printf '{"username":"lab","password":"lab-secret","serveraddress":"10.0.10.40:5001"}' | base64 -w0 | tr +/ -_
        assert_eq!(
            credentials.header("10.0.10.40:5001").unwrap(),
            "eyJ1c2VybmFtZSI6ImxhYiIsInBhc3N3b3JkIjoibGFiLXNlY3JldCIsInNlcnZlcmFkZHJlc3MiOiIxMC4wLjEwLjQwOjUwMDEifQ=="
        );
        let hub = r#"{"username":"me","password":"p?w:d>","serveraddress":"https://index.docker.io/v1/"}"#;
        assert_eq!(shown(&credentials, "docker.io").unwrap(), hub);
        assert_eq!(shown(&credentials, "index.docker.io").unwrap(), hub);
        let token = r#"{"identitytoken":"tok","serveraddress":"ghcr.io"}"#;
        assert_eq!(shown(&credentials, "ghcr.io").unwrap(), token);
        assert_eq!(credentials.header("quay.io"), None);
        assert_eq!(credentials.header("10.0.10.40:5000"), None);
        assert_eq!(credentials.header(""), None);
        let hosts = r#"Credentials for ["10.0.10.40:5001", "docker.io", "ghcr.io"]"#;
        assert_eq!(format!("{credentials:?}"), hosts);
    }

    #[test]
    fn a_password_may_hold_a_colon() {
        // printf 'a:b:c' | base64
        let credentials = Credentials::parse(r#"{"auths":{"r":{"auth":"YTpiOmM="}}}"#).unwrap();
        assert_eq!(
            shown(&credentials, "r").unwrap(),
            r#"{"username":"a","password":"b:c","serveraddress":"r"}"#
        );
    }

    #[test]
    fn what_is_wrong_is_told_without_the_secret() {
        let cases = [
            ("", "line 1, column 0"),
            ("7", "not in the form"),
            (r#"{"auths":{"r":"s3cret"}}"#, "line 1, column 22"),
            (r#"{"auths":{"r":{"auth":"s3cret!"}}}"#, "the auth of r"),
            (r#"{"auths":{"r":{"auth":"czNjcmV0"}}}"#, "the auth of r"),
            (r#"{"auths":{"r":{"auth":"OnMzY3JldA=="}}}"#, "the auth of r"),
            ("{}", "auths are empty"),
            (r#"{"auths":{"r":{}}}"#, "auths are empty"),
            (r#"{"auths":{"r":{}},"credsStore":"desktop"}"#, "credential store"),
            (r#"{"credHelpers":{"r":"s3cret"}}"#, "credential store"),
        ];
        for (text, part) in cases {
            let error = Credentials::parse(text).unwrap_err();
            assert!(error.contains(part) && !error.contains("s3cret"), "{text}: {error}");
        }
    }
}
