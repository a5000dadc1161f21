//! `/etc/resolv.conf` and `/etc/hosts`, as a C library reads them (`resolv.conf(5)`, `hosts(5)`).

use core::net::{IpAddr, Ipv4Addr};

/// Name servers that are asked: a C library takes the first three (`MAXNS`).
const MAX_SERVERS: usize = 3;
/// Domains that are tried (`MAXDNSRCH` of old; newer libraries try more).
const MAX_SEARCH: usize = 6;

/// What the resolver is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolver {
    /// Name servers, and the interface behind `%` of a link-local one.
    pub servers: Vec<(IpAddr, Option<String>)>,
    /// Domains that names with fewer dots are looked up in.
    search: Vec<String>,
    /// Dots from which on a name is tried as it is first.
    dots: usize,
}

impl Resolver {
    /// Reads the file; without any name server it is this machine's own.
    pub fn parse(text: &str) -> Self {
        let mut resolver = Self { servers: Vec::new(), search: Vec::new(), dots: 1 };
        for line in text.lines() {
            // A comment begins at the line's begin; what stands behind an address is nobody's business.
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                Some("nameserver") => resolver.servers.extend(words.next().and_then(server)),
                // The last of these lines counts.
                Some("search" | "domain") => {
                    resolver.search =
                        words.filter_map(|word| super::name(word).ok()).take(MAX_SEARCH).collect();
                }
                Some("options") => {
                    let dots = words.filter_map(|word| word.strip_prefix("ndots:")?.parse().ok()).next_back();
                    resolver.dots = dots.unwrap_or(resolver.dots);
                }
                Some(_) | None => {}
            }
        }
        resolver.servers.truncate(MAX_SERVERS);
        if resolver.servers.is_empty() {
            resolver.servers.push((IpAddr::V4(Ipv4Addr::LOCALHOST), None));
        }
        resolver
    }

    /// The full names that are tried for `name`, in this order; the first that exists counts. `is_full`: it was written
    /// with a last dot.
    pub fn candidates(&self, name: &str, is_full: bool) -> Vec<String> {
        if is_full {
            return vec![name.to_owned()];
        }
        let searched = self.search.iter().map(|domain| format!("{name}.{domain}"));
        let mut candidates: Vec<String> = searched.filter(|name| name.len() <= super::MAX_NAME).collect();
        let first = name.bytes().filter(|byte| *byte == b'.').count() >= self.dots;
        let at = if first { 0 } else { candidates.len() };
        candidates.insert(at, name.to_owned());
        candidates
    }
}

fn server(word: &str) -> Option<(IpAddr, Option<String>)> {
    match word.split_once('%') {
        Some((addr, interface)) => Some((addr.parse().ok()?, Some(interface.to_owned()))),
        None => Some((word.parse().ok()?, None)),
    }
}

/// The addresses that a hosts file has for one of these names.
pub fn hosts(text: &str, names: &[String]) -> Vec<IpAddr> {
    let mut found = Vec::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_ascii_whitespace();
        let Some(addr) = words.next().and_then(|word| word.parse().ok()) else { continue };
        let is_meant =
            |word: &str| names.iter().any(|name| name.eq_ignore_ascii_case(word.trim_end_matches('.')));
        if words.any(is_meant) && !found.contains(&addr) {
            found.push(addr);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usual_file_is_understood() {
        let text = "# by resolvconf\n; old\nnameserver 10.0.10.1 # the router\n nameserver fe80::1%eth0\nnameserver nonsense\n\
                    nameserver 10.0.10.2\nnameserver 10.0.10.3\ndomain old.lan\nsearch lan Home.Lan.\noptions edns0 ndots:2\n";
        let resolver = Resolver::parse(text);
        let addr = |text: &str| text.parse::<IpAddr>().unwrap();
        let servers = vec![
            (addr("10.0.10.1"), None),
            (addr("fe80::1"), Some("eth0".into())),
            (addr("10.0.10.2"), None),
        ];
        assert_eq!(resolver, Resolver { servers, search: vec!["lan".into(), "home.lan".into()], dots: 2 });
        assert_eq!(resolver.candidates("nas", false), ["nas.lan", "nas.home.lan", "nas"]);
        assert_eq!(resolver.candidates("a.b", false), ["a.b.lan", "a.b.home.lan", "a.b"]);
        assert_eq!(resolver.candidates("a.b.c", false), ["a.b.c", "a.b.c.lan", "a.b.c.home.lan"]);
        assert_eq!(resolver.candidates("nas", true), ["nas"]);
    }

    #[test]
    fn without_a_name_server_it_is_this_machine() {
        let resolver = Resolver::parse("");
        assert_eq!(resolver.servers, [("127.0.0.1".parse().unwrap(), None)]);
        assert_eq!(resolver.candidates("nas.lan", false), ["nas.lan"]);
    }

    #[test]
    fn the_hosts_file_knows_names_and_aliases_in_any_case() {
        let text = "127.0.0.1 localhost\n10.0.10.31\tpi-1 NAS.lan nas # nas.lan\n#10.0.10.39 nas.lan\nfd00::31 nas.lan.\n10.0.10.31 nas.lan\n";
        let names = ["nas.lan".to_owned()];
        assert_eq!(
            hosts(text, &names),
            ["10.0.10.31", "fd00::31"].map(|addr| addr.parse::<IpAddr>().unwrap())
        );
        assert_eq!(hosts(text, &["other".to_owned()]), Vec::<IpAddr>::new());
    }
}
