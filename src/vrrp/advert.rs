//! The VRRP advert on the wire: made and checked, byte by byte. RFC 3768 (version 2), RFC 9568 (version 3).
//!
//! ```text
//!   0        1        2        3        4                 6        8                       8 + count x 4 or 16
//!  +--------+--------+--------+--------+--------+--------+--------+--------+------ ~ ------+------ ~ ------+
//!  |ver|type|  VRID  |priority| count  | v2: auth, secs. |    checksum     |   addresses   |  v2: 8 bytes  |
//!  |        |        |        |        | v3: centisecs.  |                 |               |  of password  |
//!  +--------+--------+--------+--------+--------+--------+--------+--------+------ ~ ------+------ ~ ------+
//! ```
//!
//! It knows nothing of keepalived's HMAC trailer (2.4.0): an advert that carries one is too long for us.

use super::{Auth, Checksum, MAX_VIPS, Settings, Version};
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::time::Duration;

/// VRRP's number among the IP protocols.
const PROTOCOL: u8 = 112;
/// Where IPv4 adverts go with `--multicast`.
pub const GROUP_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);
/// Where IPv6 adverts go with `--multicast`.
pub const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12);
/// TTL or hop limit of every advert: no router has passed it on (RFC 9568 section 5.1.1.3).
pub const TTL: u8 = 255;
/// Longest message we send: a header and 16 IPv6 addresses.
pub const MAX_MESSAGE: usize = HEADER + MAX_VIPS * 16;
/// Longest datagram worth receiving: the greatest IPv4 header, then 255 IPv6 addresses. Longer ones are cut by the
/// kernel and then fail the length check.
pub const MAX_DATAGRAM: usize = 60 + HEADER + 255 * 16;

const HEADER: usize = 8;
/// Length of the password field of version 2, there even where no password is used.
const AUTH_DATA: usize = 8;
/// Type 1 is the only one.
const ADVERTISEMENT: u8 = 1;
/// Ethernet fills a payload up to 46 bytes; less the IPv4 header, this is the longest message that can hold filling.
const MAX_PADDED: usize = 46 - 20;

/// A datagram as received, the IP header taken off.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// Sender.
    pub src: IpAddr,
    /// What it was sent to: this node, or the group.
    pub dst: IpAddr,
    /// TTL or hop limit on arrival.
    pub ttl: u8,
    /// The VRRP message.
    pub message: &'a [u8],
}

/// An advert that passed every check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Sender.
    pub src: IpAddr,
    /// The sender's effective priority; 0 is a goodbye.
    pub priority: u8,
    /// The sender's interval: equal to ours in version 2, to be adopted in version 3.
    pub interval: Duration,
    /// Which checksum the sender makes, where there are two forms: version 3 over IPv4.
    pub checksum: Option<Checksum>,
    /// The sender carries the same virtual addresses as we do, in any order.
    pub same_vips: bool,
}

/// Why an advert was not taken. Each variant is a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reject {
    /// Shorter than a header.
    Truncated,
    /// Another virtual router.
    Vrid,
    /// From our own address.
    OwnAddress,
    /// From an address that is no `--node` or `--peer`.
    NotAPeer,
    /// It came through a router.
    Ttl,
    /// Another protocol version.
    Version,
    /// Not an advertisement.
    Type,
    /// It carries no address (RFC 9568 erratum 8299).
    NoAddresses,
    /// Length and address count disagree.
    Length,
    /// One of the two uses a password, the other does not.
    AuthType,
    /// Another password.
    Password,
    /// Version 2: another interval. Version 3: an interval of zero.
    Interval,
    /// Damaged, or made by other rules.
    Checksum,
}

impl Reject {
    /// All of them, in the order of `as usize`.
    pub const ALL: [Self; 13] = [
        Self::Truncated,
        Self::Vrid,
        Self::OwnAddress,
        Self::NotAPeer,
        Self::Ttl,
        Self::Version,
        Self::Type,
        Self::NoAddresses,
        Self::Length,
        Self::AuthType,
        Self::Password,
        Self::Interval,
        Self::Checksum,
    ];
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "too short for an advert",
            Self::Vrid => "another VRID: a different cluster on this network",
            Self::OwnAddress => "from this node's own address: is another machine using it?",
            Self::NotAPeer => {
                "not from a configured node: add it with --node or --peer, or give the cluster another --vrid"
            }
            Self::Ttl => "TTL is not 255: it came through a router, or the sender sets unicast_ttl",
            Self::Version => "another VRRP version: make --vrrp the same on all nodes",
            Self::Type => "not an advertisement",
            Self::NoAddresses => "no virtual address in it",
            Self::Length => "length and address count disagree, or keepalived's auth_hmac is on",
            Self::AuthType => "password on one side only: make --auth-pass the same on all nodes",
            Self::Password => "another password: make --auth-pass the same on all nodes",
            Self::Interval => "another interval: make --advert the same on all nodes",
            Self::Checksum => "wrong checksum: damaged on the way",
        })
    }
}

/// Writes the advert of `priority` that `source` sends to `dest`; returns its length.
///
/// Source and destination count in the checksum of version 3 only. Intervals beyond what the version can say are cut
/// to its nearest: 1 to 255 seconds, or 1 to 4095 centiseconds.
///
/// # Panics
/// Never: the types bound every length.
pub fn emit(
    settings: &Settings,
    priority: u8,
    source: IpAddr,
    dest: IpAddr,
    out: &mut [u8; MAX_MESSAGE],
) -> usize {
    let interval = interval_field(settings);
    out.fill(0);
    out[0] = first_byte(settings.version);
    out[1] = settings.vrid;
    out[2] = priority;
    out[3] = u8::try_from(settings.vips.len()).expect("at most MAX_VIPS");
    out[4..6].copy_from_slice(&interval);
    let mut len = HEADER;
    for vip in &settings.vips {
        len += put_address(&mut out[len..], vip.addr);
    }
    if settings.version == Version::V2 {
        out[len..len + AUTH_DATA].copy_from_slice(&settings.password().unwrap_or_default());
        len += AUTH_DATA;
    }
    let plain =
        settings.version == Version::V2 || (settings.checksum == Checksum::Rfc9568 && !settings.is_ipv6());
    let start = if plain { 0 } else { pseudo_header(source, dest, len) };
    let checksum = !fold(start + sum(&out[..len]));
    out[6..8].copy_from_slice(&checksum.to_be_bytes());
    len
}

/// Checks a datagram against what this virtual router expects; `own` is the address we send from.
///
/// Who sent it is asked first, so that the reasons further down always speak of a node of this cluster. A different
/// list of addresses is no reason: while the list is being changed node by node, dropping would make two masters.
///
/// # Errors
/// The first check that failed.
pub fn accept(settings: &Settings, own: IpAddr, received: &Received<'_>) -> Result<Accepted, Reject> {
    let &[first, vrid, priority, count, b4, b5, _, _] =
        received.message.first_chunk::<HEADER>().ok_or(Reject::Truncated)?;
    check_sender(settings, own, received, vrid)?;
    check_kind(settings.version, first, count)?;
    let message = unpadded(settings, count, received.message)?;
    let interval = match settings.version {
        Version::V2 => {
            check_auth(settings.auth, b4, message)?;
            Duration::from_secs(u64::from(b5))
        }
        // The upper four bits are reserved: to be ignored.
        Version::V3 => Duration::from_millis(u64::from(u16::from_be_bytes([b4 & 0x0f, b5])) * 10),
    };
    let foreign = settings.version == Version::V2 && [b4, b5] != interval_field(settings);
    if foreign || interval.is_zero() {
        return Err(Reject::Interval);
    }
    let checksum = check_sum(settings.version, received, message)?;
    let same_vips = same_vips(settings, count, message);
    Ok(Accepted { src: received.src, priority, interval, checksum, same_vips })
}

/// Version in the upper half, type in the lower.
pub(super) const fn first_byte(version: Version) -> u8 {
    match version {
        Version::V2 => 0x20 | ADVERTISEMENT,
        Version::V3 => 0x30 | ADVERTISEMENT,
    }
}

/// Bytes 4 and 5: authentication type and seconds, or centiseconds.
fn interval_field(settings: &Settings) -> [u8; 2] {
    match settings.version {
        Version::V2 => {
            let seconds = settings.interval.as_secs().clamp(1, 255);
            [auth_type(settings.auth), u8::try_from(seconds).expect("clamped to 255")]
        }
        Version::V3 => {
            let centis = (settings.interval.as_millis() / 10).clamp(1, 4095);
            u16::try_from(centis).expect("clamped to 4095").to_be_bytes()
        }
    }
}

const fn auth_type(auth: Auth) -> u8 {
    match auth {
        Auth::None => 0,
        Auth::Pass(_) => 1,
    }
}

fn put_address(out: &mut [u8], addr: IpAddr) -> usize {
    match addr {
        IpAddr::V4(addr) => {
            out[..4].copy_from_slice(&addr.octets());
            4
        }
        IpAddr::V6(addr) => {
            out[..16].copy_from_slice(&addr.octets());
            16
        }
    }
}

fn check_sender(settings: &Settings, own: IpAddr, received: &Received<'_>, vrid: u8) -> Result<(), Reject> {
    if vrid != settings.vrid {
        return Err(Reject::Vrid);
    }
    if received.src == own {
        return Err(Reject::OwnAddress);
    }
    if !settings.multicast && !settings.peers.iter().any(|peer| peer.addr == received.src) {
        return Err(Reject::NotAPeer);
    }
    // keepalived lets IPv6 unicast leave with the kernel's default hop limit of 64; its peers are known by address.
    let exempt = received.dst.is_ipv6() && !received.dst.is_multicast();
    if received.ttl != TTL && !exempt {
        return Err(Reject::Ttl);
    }
    Ok(())
}

fn check_kind(version: Version, first: u8, count: u8) -> Result<(), Reject> {
    let expected = first_byte(version);
    if first >> 4 != expected >> 4 {
        return Err(Reject::Version);
    }
    if first != expected {
        return Err(Reject::Type);
    }
    if count == 0 {
        return Err(Reject::NoAddresses);
    }
    Ok(())
}

/// The message without what Ethernet may have filled it up with.
fn unpadded<'a>(settings: &Settings, count: u8, message: &'a [u8]) -> Result<&'a [u8], Reject> {
    let auth = if settings.version == Version::V2 { AUTH_DATA } else { 0 };
    let expected = HEADER + usize::from(count) * address_len(settings) + auth;
    if message.len() > expected && (settings.is_ipv6() || message.len() > MAX_PADDED) {
        return Err(Reject::Length);
    }
    message.get(..expected).ok_or(Reject::Length)
}

fn address_len(settings: &Settings) -> usize {
    if settings.is_ipv6() { 16 } else { 4 }
}

fn check_auth(auth: Auth, kind: u8, message: &[u8]) -> Result<(), Reject> {
    if kind != auth_type(auth) {
        return Err(Reject::AuthType);
    }
    let Auth::Pass(expected) = auth else { return Ok(()) };
    let found = message.last_chunk::<AUTH_DATA>().ok_or(Reject::Length)?;
    // All 8 bytes are looked at, so that the time taken does not tell how many were right.
    let difference = expected.iter().zip(found).fold(0, |acc, (a, b)| acc | (a ^ b));
    if difference == 0 { Ok(()) } else { Err(Reject::Password) }
}

/// Version 3 over IPv4 has two forms in the field: keepalived and FRR add the pseudo-header, RFC 9568 does not.
fn check_sum(version: Version, received: &Received<'_>, message: &[u8]) -> Result<Option<Checksum>, Reject> {
    let plain = sum(message);
    let with_pseudo = pseudo_header(received.src, received.dst, message.len()) + plain;
    let (plain, with_pseudo) = (fold(plain) == 0xffff, fold(with_pseudo) == 0xffff);
    match (version, received.src.is_ipv6()) {
        (Version::V2, _) if plain => Ok(None),
        (Version::V3, true) if with_pseudo => Ok(None),
        (Version::V3, false) if with_pseudo => Ok(Some(Checksum::Pseudo)),
        (Version::V3, false) if plain => Ok(Some(Checksum::Rfc9568)),
        (Version::V2 | Version::V3, _) => Err(Reject::Checksum),
    }
}

fn same_vips(settings: &Settings, count: u8, message: &[u8]) -> bool {
    let size = address_len(settings);
    let list = &message[HEADER..HEADER + usize::from(count) * size];
    let carried = |addr: IpAddr| {
        let mut octets = [0; 16];
        let len = put_address(&mut octets, addr);
        list.chunks_exact(size).any(|chunk| chunk == &octets[..len])
    };
    usize::from(count) == settings.vips.len() && settings.vips.iter().all(|vip| carried(vip.addr))
}

/// The part of the checksum that RFC 8200 section 8.1 adds; for IPv4 the same with 4-byte addresses.
fn pseudo_header(src: IpAddr, dst: IpAddr, len: usize) -> u32 {
    let mut bytes = [0; 32];
    let used = put_address(&mut bytes, src);
    let end = used + put_address(&mut bytes[used..], dst);
    sum(&bytes[..end]) + u32::from(PROTOCOL) + u32::try_from(len).expect("a datagram's length")
}

/// Sum of the 16-bit words; an odd last byte counts as the upper half of one. At most 64 KiB, so it cannot overflow.
fn sum(bytes: &[u8]) -> u32 {
    bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |&low| u32::from(low))).sum()
}

/// One's-complement: carries added back in.
fn fold(mut sum: u32) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    u16::try_from(sum).expect("folded to 16 bits")
}

#[cfg(test)]
mod tests;
