//! No `config.json` may panic its reader; a password is never among its words, and what is sent is one header line.

use serde_json::Value;
use unsinkable::docker::credentials::Credentials;

/// A shorter one stands in a sentence by chance.
const SHORTEST: usize = 6;

/// Reads `data` as a file of logins.
pub fn run(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let read = Credentials::parse(text);
    let words = match &read {
        Ok(read) => format!("{read:?}"),
        Err(error) => error.clone(),
    };
    let Ok(file) = serde_json::from_str::<Value>(text) else { return };
    let hosts: Vec<&String> = file["auths"].as_object().into_iter().flatten().map(|(host, _)| host).collect();
    for entry in file["auths"].as_object().into_iter().flatten().map(|(_, entry)| entry) {
        for key in ["auth", "password", "identitytoken"] {
            let secret = entry[key].as_str().unwrap_or_default();
            let told = secret.len() >= SHORTEST && words.contains(secret);
            // The name of a host is told, and so are our own words.
            let harmless = hosts.iter().any(|host| host.contains(secret)) || OUR_WORDS.contains(secret);
            assert!(!told || harmless, "{words}");
        }
    }
    let Ok(read) = read else { return };
    for host in hosts {
        let Some(header) = read.header(host) else { continue };
        let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=".contains(&byte);
        assert!(!header.is_empty() && header.bytes().all(is_base64), "{header}");
    }
    let hub = read.header("docker.io");
    for alias in ["index.docker.io", "https://index.docker.io/v1/", "registry-1.docker.io"] {
        assert_eq!(read.header(alias), hub);
    }
}

/// What messages are made of.
const OUR_WORDS: &str = "Credentials for [ not in the form of Docker's config.json (line , column ) it holds no credentials: its auths \
    are empty its passwords are in a credential store (credsStore, credHelpers), which is not asked here: make a file of its own \
    with docker --config DIR login REGISTRY the auth of is not the base64 of NAME:PASSWORD docker.io";
