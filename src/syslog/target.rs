//! `--syslog udp://HOST:514 | tcp://HOST:601[?format=rfc5424|rfc3164&framing=lf|octet]`.

use crate::http_url::host_and_port;
use core::fmt;

/// The ports that RFC 5426 and RFC 6587 name.
const UDP_PORT: u16 = 514;
const TCP_PORT: u16 = 601;

/// Where messages go, and how they look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// UDP or TCP.
    pub transport: Transport,
    /// A name or an address, an IPv6 address without its brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// `format=`.
    pub format: Format,
    /// `framing=`; for TCP only.
    pub framing: Framing,
}

/// [`Target::transport`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A datagram each (RFC 5426): what the network loses is lost.
    Udp,
    /// A connection (RFC 6587), made again when it breaks.
    Tcp,
}

/// [`Target::format`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// With year, zone, structured data.
    Rfc5424,
    /// BSD's.
    Rfc3164,
}

/// [`Target::framing`]: how a receiver tells one message from the next (RFC 6587).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// A line feed behind each.
    Lf,
    /// Its length in front.
    Octet,
}

impl Target {
    /// Reads the flag.
    ///
    /// # Errors
    /// What was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let expected = || {
            "expected udp://HOST:514 or tcp://HOST:601, then ?format=rfc5424|rfc3164&framing=lf|octet"
                .to_owned()
        };
        let (scheme, rest) = text.split_once("://").ok_or_else(expected)?;
        let (transport, port) = match scheme {
            "udp" => (Transport::Udp, UDP_PORT),
            "tcp" => (Transport::Tcp, TCP_PORT),
            _ => return Err(expected()),
        };
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (host, port) = host_and_port(place, port).ok_or_else(expected)?;
        let mut target =
            Self { transport, host: host.to_owned(), port, format: Format::Rfc5424, framing: Framing::Lf };
        for option in query.split('&').filter(|option| !option.is_empty()) {
            target.option(option).ok_or_else(expected)?;
        }
        Ok(target)
    }

    fn option(&mut self, option: &str) -> Option<()> {
        match option {
            "format=rfc5424" => self.format = Format::Rfc5424,
            "format=rfc3164" => self.format = Format::Rfc3164,
            "framing=lf" => self.framing = Framing::Lf,
            "framing=octet" if self.transport == Transport::Tcp => self.framing = Framing::Octet,
            _ => return None,
        }
        Some(())
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.transport {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
        };
        let Self { host, port, .. } = self;
        if host.contains(':') {
            write!(f, "{scheme}://[{host}]:{port}")
        } else {
            write!(f, "{scheme}://{host}:{port}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read() {
        let read = |text: &str| Target::parse(text).unwrap();
        let plain = Target {
            transport: Transport::Udp,
            host: "10.0.10.5".to_owned(),
            port: 514,
            format: Format::Rfc5424,
            framing: Framing::Lf,
        };
        assert_eq!(read("udp://10.0.10.5"), plain);
        assert_eq!(read("udp://10.0.10.5:514?format=rfc5424&framing=lf"), plain);
        let octet = read("tcp://[fd00::5]:6514?format=rfc3164&framing=octet");
        assert_eq!((octet.format, octet.framing, octet.port), (Format::Rfc3164, Framing::Octet, 6514));
        assert_eq!(octet.to_string(), "tcp://[fd00::5]:6514");
        assert_eq!(read("tcp://logs.lan").port, 601);
        for text in [
            "",
            "tcp://",
            "http://a",
            "udp://a:0",
            "udp://a?framing=octet",
            "tcp://a?format=json",
            "tcp://[::1",
            "udp://a b",
        ] {
            assert!(Target::parse(text).is_err(), "{text:?}");
        }
    }
}
