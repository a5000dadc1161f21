//! `check --dns NAME…`: does the name point at the VIP, and if not, is it the record or a cache?
//!
//! `message` writes queries and reads answers (RFC 1035), `resolv_conf` what the system's resolver is set to, `judge` says
//! what it all means; all pure. `preflight/dns.rs` asks.

pub mod judge;
pub mod message;
pub mod resolv_conf;

use core::net::IpAddr;

/// Longest name, as text, without its last dot.
pub const MAX_NAME: usize = 253;
/// Longest label (RFC 1035 section 2.3.4).
pub const MAX_LABEL: usize = 63;

/// A name as it can be asked for: labels of letters, digits, `-` and `_`, in lower case, without a last dot.
///
/// # Errors
/// What is wrong with it.
pub fn name(text: &str) -> Result<String, &'static str> {
    let text = text.strip_suffix('.').unwrap_or(text);
    if text.is_empty() || text.len() > MAX_NAME {
        return Err("a name has 1 to 253 characters");
    }
    let is_label = |label: &str| {
        (1..=MAX_LABEL).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    if !text.split('.').all(is_label) {
        return Err("a name is made of letters, digits, - and _, between dots at most 63 of them");
    }
    if text.parse::<IpAddr>().is_ok() {
        return Err("this is an address: name what should point at it");
    }
    Ok(text.to_ascii_lowercase())
}

/// What a server knows of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// These addresses.
    Found(Found),
    /// There is no such name (NXDOMAIN), and that is remembered for so many seconds where it says so.
    NoName(Option<u32>),
    /// The name is there, without an address.
    NoAddress,
    /// It answers, and does not tell.
    Unwilling(&'static str),
    /// It does not answer, or with nonsense.
    Silent(String),
}

impl Reply {
    /// What a server says of a name's IPv4 addresses, together with what it says of its IPv6 ones.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        match (self, other) {
            (Self::Found(one), Self::Found(mut other)) => {
                let mut addresses = one.addresses;
                addresses.append(&mut other.addresses);
                let authoritative = one.authoritative && other.authoritative;
                Self::Found(Found { addresses, ttl: one.ttl.min(other.ttl), authoritative })
            }
            (Self::Found(found), _) | (_, Self::Found(found)) => Self::Found(found),
            (one, _) => one,
        }
    }
}

/// [`Reply::Found`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// In the order they came.
    pub addresses: Vec<IpAddr>,
    /// Seconds until the first of the records that led here has to be asked for again.
    pub ttl: u32,
    /// From the zone itself, not from a cache.
    pub authoritative: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_families_make_one_reply() {
        let found = |addr: &str, ttl, authoritative| {
            Reply::Found(Found { addresses: vec![addr.parse().unwrap()], ttl, authoritative })
        };
        let addresses = vec!["10.0.10.39".parse().unwrap(), "fd00::39".parse().unwrap()];
        let both = Reply::Found(Found { addresses, ttl: 7, authoritative: false });
        assert_eq!(found("10.0.10.39", 9, true).with(found("fd00::39", 7, false)), both);
        for other in [Reply::NoAddress, Reply::Unwilling("x"), Reply::Silent(String::new())] {
            assert_eq!(found("10.0.10.39", 9, true).with(other.clone()), found("10.0.10.39", 9, true));
            assert_eq!(other.with(found("fd00::39", 9, true)), found("fd00::39", 9, true));
        }
        assert_eq!(Reply::NoName(Some(3)).with(Reply::NoName(None)), Reply::NoName(Some(3)));
    }

    #[test]
    fn names_are_told_from_what_cannot_be_asked() {
        assert_eq!(name("NAS.Lan."), Ok("nas.lan".to_owned()));
        assert_eq!(name("_http._tcp.a-b"), Ok("_http._tcp.a-b".to_owned()));
        let long = format!("{}.lan", "a".repeat(64));
        let longest = ["a".repeat(63).as_str(); 4].join(".");
        assert_eq!(name(&longest[..253]).map(|name| name.len()), Ok(253));
        for bad in ["", ".", "a..b", ".a", "a b", "nä.lan", "10.0.10.39", "::1", &long, &longest] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
    }
}
