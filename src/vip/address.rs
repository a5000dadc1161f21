//! Addresses by netlink (RFC 3549): requests that add, renew and remove the VIP, and what the kernel answers and tells.
//!
//! The lease: an address with a lifetime goes by itself when nobody renews it, whatever has become of the daemon.
//! Numbers in netlink are in the machine's own byte order, addresses in the network's.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::time::Duration;

/// Longest request: adding an IPv6 address takes 92 bytes.
pub const MAX_REQUEST: usize = 96;

/// A request to be sent as it is.
pub type Request = heapless::Vec<u8, MAX_REQUEST>;

const NEW_LINK: u16 = 16;
const DEL_LINK: u16 = 17;
const GET_LINK: u16 = 18;
const NEW_ADDRESS: u16 = 20;
const DEL_ADDRESS: u16 = 21;
const GET_ADDRESS: u16 = 22;
const ERROR: u16 = 2;
const DONE: u16 = 3;

/// `NLM_F_REQUEST | NLM_F_ACK`.
const ACKNOWLEDGED: u16 = 0x005;
/// And `NLM_F_CREATE | NLM_F_REPLACE`: the same message adds and renews.
const ADD_OR_RENEW: u16 = 0x505;
/// And `NLM_F_CREATE | NLM_F_EXCL`: only an address that is not there.
const ADD_MISSING: u16 = 0x605;
/// `NLM_F_REQUEST | NLM_F_DUMP`.
const DUMP: u16 = 0x301;

const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_CACHEINFO: u16 = 6;
const IFA_FLAGS: u16 = 8;
const IFLA_OPERSTATE: u16 = 16;
const IFLA_CARRIER: u16 = 33;
/// The upper two bits of an attribute's type say how its content is built.
const KIND_MASK: u16 = 0x3fff;

/// `IFA_F_NODAD`: a VIP is answered for at once; asking whether it is free would cost a second.
const NO_DETECTION: u32 = 0x02;
/// A lifetime without end.
const FOREVER: u32 = u32::MAX;

const AF_UNSPEC: u8 = 0;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const IFF_UP: u32 = 0x01;
const IFF_RUNNING: u32 = 0x40;

const HEADER: usize = 16;
const ADDRESS_HEADER: usize = 8;
const LINK_HEADER: usize = 16;
const ATTRIBUTE_HEADER: usize = 4;

/// The lease of an address renewed at each advert: three intervals in whole seconds, which is the kernel's grain.
pub fn lease(interval: Duration) -> u32 {
    let three = interval.saturating_mul(3);
    let whole = three.as_secs().saturating_add(u64::from(three.subsec_nanos() > 0));
    // One less than forever.
    u32::try_from(whole.max(1)).unwrap_or(FOREVER - 1).min(FOREVER - 1)
}

/// Adds the address, or renews its lease: seconds, or `None` for one without end.
///
/// An IPv6 address is at once deprecated, so that nothing chooses the VIP as its source. An IPv4 VIP beside another
/// address of its net is a secondary, which is never chosen.
pub fn add(sequence: u32, ifindex: u32, addr: IpAddr, prefix: u8, lease: Option<u32>) -> Request {
    with_lifetime(ADD_OR_RENEW, sequence, ifindex, addr, prefix, lease)
}

/// As [`add`], but the kernel says `EEXIST` where the address is there.
pub fn add_missing(sequence: u32, ifindex: u32, addr: IpAddr, prefix: u8, lease: Option<u32>) -> Request {
    with_lifetime(ADD_MISSING, sequence, ifindex, addr, prefix, lease)
}

fn with_lifetime(
    kind: u16,
    sequence: u32,
    ifindex: u32,
    addr: IpAddr,
    prefix: u8,
    lease: Option<u32>,
) -> Request {
    let valid = lease.unwrap_or(FOREVER);
    let (preferred, flags) = match addr {
        IpAddr::V4(_) => (valid, 0),
        IpAddr::V6(_) => (0, NO_DETECTION),
    };
    let mut writer = Writer::address(NEW_ADDRESS, kind, sequence, ifindex, addr, prefix);
    let mut cache = [0; 16];
    cache[..4].copy_from_slice(&preferred.to_ne_bytes());
    cache[4..8].copy_from_slice(&valid.to_ne_bytes());
    writer.attribute(IFA_CACHEINFO, &cache);
    if flags != 0 {
        writer.attribute(IFA_FLAGS, &flags.to_ne_bytes());
    }
    writer.finish()
}

/// Removes the address. The kernel says `EADDRNOTAVAIL` where it is not there.
pub fn remove(sequence: u32, ifindex: u32, addr: IpAddr, prefix: u8) -> Request {
    Writer::address(DEL_ADDRESS, ACKNOWLEDGED, sequence, ifindex, addr, prefix).finish()
}

/// Asks for all addresses of all interfaces.
pub fn dump_addresses(sequence: u32) -> Request {
    let mut writer = Writer::new(GET_ADDRESS, DUMP, sequence);
    writer.put(&[0; ADDRESS_HEADER]);
    writer.finish()
}

/// Asks for the state of all links.
pub fn dump_links(sequence: u32) -> Request {
    let mut writer = Writer::new(GET_LINK, DUMP, sequence);
    writer.put(&[0; LINK_HEADER]);
    writer.finish()
}

/// Puts a message together; [`MAX_REQUEST`] holds the longest.
struct Writer(Request);

impl Writer {
    fn new(kind: u16, flags: u16, sequence: u32) -> Self {
        let mut writer = Self(Request::new());
        // The length comes last.
        writer.put(&[0; 4]);
        writer.put(&kind.to_ne_bytes());
        writer.put(&flags.to_ne_bytes());
        writer.put(&sequence.to_ne_bytes());
        writer.put(&[0; 4]);
        writer
    }

    fn address(kind: u16, flags: u16, sequence: u32, ifindex: u32, addr: IpAddr, prefix: u8) -> Self {
        let mut writer = Self::new(kind, flags, sequence);
        let family = if addr.is_ipv4() { AF_INET } else { AF_INET6 };
        writer.put(&[family, prefix, 0, 0]);
        writer.put(&ifindex.to_ne_bytes());
        for kind in [IFA_LOCAL, IFA_ADDRESS] {
            match addr {
                IpAddr::V4(addr) => writer.attribute(kind, &addr.octets()),
                IpAddr::V6(addr) => writer.attribute(kind, &addr.octets()),
            }
        }
        writer
    }

    fn put(&mut self, bytes: &[u8]) {
        let put = self.0.extend_from_slice(bytes);
        debug_assert!(put.is_ok(), "MAX_REQUEST holds the longest");
    }

    /// All our attributes are multiples of four long: no filling.
    fn attribute(&mut self, kind: u16, data: &[u8]) {
        let len = u16::try_from(ATTRIBUTE_HEADER + data.len()).unwrap_or(u16::MAX);
        self.put(&len.to_ne_bytes());
        self.put(&kind.to_ne_bytes());
        self.put(data);
    }

    fn finish(mut self) -> Request {
        let len = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        self.0[..4].copy_from_slice(&len.to_ne_bytes());
        self.0
    }
}

/// What one message of the kernel says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// The address is there: new, renewed, or told in a dump.
    Added(Address),
    /// The address has gone.
    Removed(Address),
    /// A link, as it is now.
    Link(Link),
    /// The answer to a request: 0, or the error number.
    Answer {
        /// Of the request.
        sequence: u32,
        /// 0, or one of errno.h's.
        errno: i32,
    },
    /// The end of a dump.
    Done {
        /// Of the request.
        sequence: u32,
    },
    /// Something else, or not to be made out.
    Other,
}

/// An address of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// Its interface.
    pub ifindex: u32,
    /// The address itself.
    pub addr: IpAddr,
    /// Prefix length.
    pub prefix: u8,
    /// Seconds left to live; `None` for one without end.
    pub valid: Option<u32>,
    /// When it was last added or renewed, in hundredths of a second since boot (wraps after 497 days).
    pub renewed_at: Option<u32>,
}

/// State of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The interface.
    pub ifindex: u32,
    /// It exists no more.
    pub gone: bool,
    /// Switched on.
    pub up: bool,
    /// `IFF_RUNNING`: on, and in working order.
    pub running: bool,
    /// Carrier, where told.
    pub carrier: Option<bool>,
    /// RFC 2863 state, where told: 6 is up, 0 unknown (drivers that do not say).
    pub operstate: Option<u8>,
}

impl Link {
    /// Can packets pass?
    pub fn is_usable(&self) -> bool {
        !self.gone && self.up && self.running && self.carrier.unwrap_or(true)
    }
}

/// The messages in what one receive brought. Ends at the first that is cut short.
pub fn messages(bytes: &[u8]) -> impl Iterator<Item = Message> {
    let mut rest = bytes;
    core::iter::from_fn(move || {
        let len = usize::try_from(u32_at(rest, 0)?).ok()?;
        let message = rest.get(..len).filter(|_| len >= HEADER)?;
        rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some(parse(message).unwrap_or(Message::Other))
    })
}

/// Do these messages tell of a link, or of an address other than `vips`?
pub fn matters(bytes: &[u8], vips: &[IpAddr]) -> bool {
    messages(bytes).any(|message| match message {
        Message::Added(address) | Message::Removed(address) => !vips.contains(&address.addr),
        Message::Link(_) => true,
        Message::Answer { .. } | Message::Done { .. } | Message::Other => false,
    })
}

fn parse(message: &[u8]) -> Option<Message> {
    let (kind, sequence, body) = (u16_at(message, 4)?, u32_at(message, 8)?, message.get(HEADER..)?);
    Some(match kind {
        NEW_ADDRESS => Message::Added(address(body)?),
        DEL_ADDRESS => Message::Removed(address(body)?),
        NEW_LINK | DEL_LINK => Message::Link(link(body, kind == DEL_LINK)?),
        ERROR => {
            let errno = i32::from_ne_bytes(*body.first_chunk()?).saturating_neg();
            Message::Answer { sequence, errno }
        }
        DONE => Message::Done { sequence },
        _ => Message::Other,
    })
}

fn address(body: &[u8]) -> Option<Address> {
    let &[family, prefix, ..] = body.first_chunk::<ADDRESS_HEADER>()?;
    let ifindex = u32_at(body, 4)?;
    let (mut local, mut address, mut valid, mut renewed_at) = (None, None, None, None);
    for (kind, data) in attributes(body.get(ADDRESS_HEADER..)?) {
        match kind {
            IFA_LOCAL => local = ip(family, data),
            IFA_ADDRESS => address = ip(family, data),
            IFA_CACHEINFO => {
                valid = u32_at(data, 4).filter(|&valid| valid != FOREVER);
                renewed_at = u32_at(data, 12);
            }
            _ => {}
        }
    }
    // On a point-to-point link, the other of the two is the far end's.
    let addr = local.or(address)?;
    Some(Address { ifindex, addr, prefix, valid, renewed_at })
}

fn link(body: &[u8], gone: bool) -> Option<Link> {
    // A bridge tells of its ports in the same words: leaving a bridge is not the end of a link.
    if *body.first()? != AF_UNSPEC {
        return None;
    }
    let (ifindex, flags) = (u32_at(body, 4)?, u32_at(body, 8)?);
    let mut link = Link {
        ifindex,
        gone,
        up: flags & IFF_UP != 0,
        running: flags & IFF_RUNNING != 0,
        carrier: None,
        operstate: None,
    };
    for (kind, data) in attributes(body.get(LINK_HEADER..)?) {
        match kind {
            IFLA_CARRIER => link.carrier = data.first().map(|&carrier| carrier != 0),
            IFLA_OPERSTATE => link.operstate = data.first().copied(),
            _ => {}
        }
    }
    Some(link)
}

fn ip(family: u8, data: &[u8]) -> Option<IpAddr> {
    match family {
        AF_INET => data.first_chunk::<4>().map(|octets| IpAddr::V4(Ipv4Addr::from(*octets))),
        AF_INET6 => data.first_chunk::<16>().map(|octets| IpAddr::V6(Ipv6Addr::from(*octets))),
        _ => None,
    }
}

/// Type and content of each attribute. Ends at the first that is cut short.
fn attributes(bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = bytes;
    core::iter::from_fn(move || {
        let (len, kind) = (usize::from(u16_at(rest, 0)?), u16_at(rest, 2)?);
        let data = rest.get(ATTRIBUTE_HEADER..len)?;
        rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some((kind & KIND_MASK, data))
    })
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|field| u16::from_ne_bytes(*field))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|field| u32::from_ne_bytes(*field))
}

#[cfg(test)]
mod tests;
