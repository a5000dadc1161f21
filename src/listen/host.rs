//! Which names this server answers to. Pure. A page of a stranger may let its own name point at this node (DNS
//! rebinding) and would then read what is answered here: so a name that a stranger could own is refused.

use core::net::IpAddr;

/// Ends of names that nobody can register: reserved, or never delegated (RFC 6761, RFC 6762, RFC 8375).
const PRIVATE: [&str; 6] = [".local", ".lan", ".home", ".internal", ".home.arpa", ".localhost"];

/// Is this `Host` (or authority of a target) one to answer to: an address, a name without a dot or in a private domain,
/// or one of `names`?
pub fn is_ours(host: &str, names: &[String]) -> bool {
    let Some(name) = without_port(host) else { return false };
    let bare = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if bare.unwrap_or(name).parse::<IpAddr>().is_ok() {
        return true;
    }
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_name) {
        return false;
    }
    !name.contains('.')
        || PRIVATE.iter().any(|end| name.ends_with(end))
        || names.iter().any(|ours| ours.eq_ignore_ascii_case(&name))
}

/// What stands in front of `:9112`; nothing where that is no port.
fn without_port(host: &str) -> Option<&str> {
    let end = host.rfind(']').map_or(0, |at| at + 1);
    match host[end..].find(':') {
        Some(at) => host[end + at + 1..].bytes().all(|byte| byte.is_ascii_digit()).then(|| &host[..end + at]),
        None => Some(host),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_private_names_are_ours_and_others_are_not() {
        let names = ["status.example.com".to_owned()];
        for host in [
            "10.0.10.39",
            "10.0.10.39:9112",
            "[fd00:10::39]:9112",
            "[::1]",
            "localhost:9112",
            "pi-1",
            "Tasks.unsinkable_app.lan:80",
            "pi-1.local",
            "PI-1.LOCAL.:9112",
            "status.example.com",
            "Status.Example.Com:443",
        ] {
            assert!(is_ours(host, &names), "{host}");
        }
        for host in [
            "",
            ":9112",
            "evil.example.com",
            "example.com",
            "status.example.com.evil.net",
            "local.evil.net",
            "10.0.10.39.evil.net",
            "1.2.3.4:80:90",
            "pi-1:http",
            "[::1]evil.net",
            "pi 1",
            "p\u{e9}",
            "a/b",
            "user@localhost",
        ] {
            assert!(!is_ours(host, &names), "{host}");
        }
    }
}
