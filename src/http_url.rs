//! `http://HOST:PORT/PATH` as flags take it. Pure. Plain HTTP only: what is asked this way is on the same switch.

use core::fmt;

/// Where to ask, and for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpUrl {
    /// A name or an address, an IPv6 address without its brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Path and query, beginning with `/`.
    pub path: String,
}

impl HttpUrl {
    /// Reads `http://HOST[:PORT][/PATH]`, taking `port` and `path` where it names none.
    ///
    /// # Errors
    /// What was expected.
    pub fn parse(text: &str, port: u16, path: &str) -> Result<Self, String> {
        let expected = || format!("expected http://HOST:{port}{path}");
        if text.starts_with("https://") {
            return Err(format!("{} (TLS is not spoken here)", expected()));
        }
        let rest = text.strip_prefix("http://").ok_or_else(expected)?;
        let (place, path) = rest.find('/').map_or((rest, path), |at| rest.split_at(at));
        let (host, port) = host_and_port(place, port).ok_or_else(expected)?;
        let is_plain = path.bytes().all(|byte| byte.is_ascii_graphic());
        is_plain.then(|| Self { host: host.to_owned(), port, path: path.to_owned() }).ok_or_else(expected)
    }
}

/// Host and port of `HOST`, `HOST:PORT`, `[ADDR]` or `[ADDR]:PORT`; nothing where they can be none.
pub fn host_and_port(place: &str, port: u16) -> Option<(&str, u16)> {
    let (host, port) = match place.strip_prefix('[').map(|rest| rest.split_once(']')) {
        Some(Some((host, ""))) => (host, port),
        Some(Some((host, behind))) => (host, behind.strip_prefix(':')?.parse().ok()?),
        Some(None) => return None,
        None => match place.split_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (place, port),
        },
    };
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte);
    ((1..=253).contains(&host.len()) && host.bytes().all(is_host) && port != 0).then_some((host, port))
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, path } = self;
        if host.contains(':') {
            write!(f, "http://[{host}]:{port}{path}")
        } else {
            write!(f, "http://{host}:{port}{path}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_and_written() {
        for (text, written) in [
            ("http://pi-1", "http://pi-1:9283/metrics"),
            ("http://10.0.10.31:9283/metrics", "http://10.0.10.31:9283/metrics"),
            ("http://[fd00::1]", "http://[fd00::1]:9283/metrics"),
            ("http://[fd00::1]:80/", "http://[fd00::1]:80/"),
            ("http://mgr.lan/a?b=c", "http://mgr.lan:9283/a?b=c"),
        ] {
            assert_eq!(HttpUrl::parse(text, 9283, "/metrics").unwrap().to_string(), written);
        }
        for text in [
            "",
            "pi",
            "https://pi",
            "http://",
            "http://:80",
            "http://pi:0",
            "http://pi:x",
            "http://a b",
            "http://pi/ü",
            "http://[::1",
        ] {
            assert!(HttpUrl::parse(text, 9283, "/metrics").is_err(), "{text:?}");
        }
    }
}
